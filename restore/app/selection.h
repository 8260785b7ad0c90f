/* selection: the generations that a person names on the command line (format/medium/selector.h), open: `emr@42`,
 * or `42` for every data set of run 42.
 *
 * selection_open → use g[0 … n) → selection_close.  A data set of the run that is not on the media is named, with
 * what a copy of the journal says of it (E-RESTORE-02), and makes the exit status 1; one that cannot be opened is
 * said, is not among them, and `code` says so; the others go on.
 *
 * Errors: E-SELECT-NN, E-RESTORE-01 nothing of that run is here, E-RESTORE-02; and those of opening.
 */
#ifndef RESTORE_APP_SELECTION_H
#define RESTORE_APP_SELECTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct app;
struct app_generation;
struct err;

struct selection {
	struct app_generation *g; /* in the order of their names */
	size_t n;		  /* ≥ 1 */
	bool run;		  /* a whole run was asked for */
	int code;		  /* enum app_exit: of those that could not be opened */
};

/* path: the operand behind it, or NULL; there is none of a whole run.  content: as of app_generation().  0 or the
 * exit code to return at once. */
int selection_open(
    struct app *app, const char *selector, const char *path, bool content, struct selection *ret);
void selection_close(struct selection *s);
/* The same of one generation: `42` is refused. */
int selection_one(struct app *app, const char *selector, struct app_generation *ret);
/* None was given: wrong usage, with what there is. */
int selection_ask(struct app *app);
/* The next action of an error: what there is on the medium, which is open.  -1. */
int selection_hint(const struct app *app, struct err *err);

#endif
