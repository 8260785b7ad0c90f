/* run_say: what a run says to people while it goes on and when it is over.
 *
 *     run_say_begin() → run_say_note()… → run_say_end() (once; it lets go of everything)
 *
 * Silent unless a person should look: with --quiet, which is how cron runs it, notes are held back; if all is
 * well in the end nothing at all is written; if not, the one line (summary.h) comes first, on stdout, and
 * then what was held back and what is wrong, on stderr.  Without --quiet notes are shown as they come.
 */
#ifndef BKP_CMD_SHOW_RUN_SAY_H
#define BKP_CMD_SHOW_RUN_SAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "cmd/app/out.h"

struct app;
struct err;
struct run_result;
struct policy;
struct state;

struct run_say {
	const struct app *app;
	const struct policy *policy;
	FILE *held; /* in memory, bounded by what the caller notes; NULL: out of memory */
	char *text;
	size_t size;
	struct out_progress progress;
	bool good_news; /* the line is shown though all is well */
};

void run_say_begin(struct run_say *s, const struct app *app, const struct policy *policy);
/* A line, with its newline. */
void run_say_note(struct run_say *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Says what came of it, records it and tells whom the policy wants told (outcome.h).  failure: why no
 * generation was committed, or NULL.  state may be NULL: it could not be opened.  Returns the exit code. */
int run_say_end(
    struct run_say *s, struct state *state, const struct run_result *r, const struct err *failure, int code);

/* There was nothing to do after all: lets go of everything, in place of run_say_end(). */
void run_say_drop(struct run_say *s);

/* A run that could not even begin: said and told all the same.  Returns the exit code. */
int run_say_refused(const struct app *app, const struct policy *policy, const struct err *why);

#endif
