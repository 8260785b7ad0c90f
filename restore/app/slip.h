/* slip: the use of a recovery key leaves a trace (使用記録, format/journal/use_slip.h).
 *
 * slip_begin() before the process is confined → slip_used() as soon as an identity was tried on a medium → slip_opened() … → slip_end().
 * Nothing is written unless slip_used() was called; from then on something is, however the process ends.
 *
 * Who reads a hostile medium may write below the target alone (confine.h), and the slip stands beside it.  So another process, started
 * before, does that: it is told what the slip says so far, and writes the last of it when it hears no more.  It reads no medium, and
 * writes that one file and its signature.
 *
 * Where: --slip FILE; else beside the output, DIR.use-<id>.json; else in $BKP_SLIPS, or below $XDG_STATE_HOME or ~/.local/state,
 * bkp-uses/use-<id>.json.  Never on a medium, never over another file.
 *
 * Errors: W-USE-01 it could not be written: exit 1 at least.
 *
 * circle: app, whose media and identities are told of, and which tells of a generation that is opened.
 */
#ifndef RESTORE_APP_SLIP_H
#define RESTORE_APP_SLIP_H

#include <stddef.h>

struct app;
struct json_t;

/* argc, argv: the command's operands.  0, or the exit code after saying what is wrong. */
int slip_begin(struct app *app, int argc, char **argv);
void slip_used(struct app *app);
/* A generation whose content is opened, "emr@42". */
void slip_opened(struct app *app, const char *label);
/* What a key drill found; takes `drill`. */
void slip_drill(struct app *app, struct json_t *drill);
/* Returns the exit code: `code`, or worse. */
int slip_end(struct app *app, int code);

/* Who is at the keyboard, without asking a name service (the static program has none): --operator, else who the system says.  The
 * caller's; NULL: out of memory. */
char *slip_operator(const struct app *app);

#endif
