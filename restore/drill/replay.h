/* replay: goes through a drill's steps, in order, once.  A recovery does its steps one by one or a few together (replay_batch) and decides
 * itself what comes next.
 *
 * When a step has failed, or the drill was interrupted, the later ones are not done except those with
 * always: true.  Each step's part of struct drill is filled, and one line for it goes to stderr.  A further
 * interrupt ends the step that is running, an always one too.
 *
 * Errors that are recorded for a step: E-DRILL-13 the time limit, -14 exit status, -15 a signal, -16 a value
 * that differs, -17 too much printed, -18 no value was recorded at capture, -19 answered no (or not at all),
 * -20 interrupted, -23 the medium's archives are not what was signed, -27 a
 * gate that is not signed, -28 what a scan found; and those of extract.h, step_run.h.
 */
#ifndef RESTORE_DRILL_REPLAY_H
#define RESTORE_DRILL_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

struct app;
struct app_generation;
struct drill;
struct drill_step;
struct interrupt;
struct isolation;
struct scratch;

struct replay {
	struct app *app;
	struct drill *d;
	struct app_generation *generation; /* open, as drill.generation names them */
	struct scratch *scratch;
	struct interrupt *interrupt;
	char *const *environment;
	const struct isolation *isolation; /* of its commands, or NULL */
	/* of the step that runs */
	unsigned interrupts; /* counted before it */
};

/* Fills the steps, begun, finished and seconds of the drill. */
void replay(struct replay *r);
/* Does n of them together, n > 1 only of restore steps of n generations. */
void replay_batch(struct replay *r, struct drill_step *const *s, size_t n);
/* One line of the terminal, without its end, safe; the caller's.  REPLAY_SILENCE: the end of input, or it cannot be read. */
enum replay_heard { REPLAY_HEARD, REPLAY_SILENCE, REPLAY_INTERRUPTED };
enum replay_heard replay_listen(struct replay *r, const char *question, char **ret);

/* One kind each; true: it passed.  (Called by replay(); they fill the step, `why` when it failed.) */
void replay_restore(struct replay *r, struct drill_step *const *s, size_t n, bool *ret_well);
bool replay_command(struct replay *r, struct drill_step *s);
bool replay_confirm(struct replay *r, struct drill_step *s);
bool replay_gate(struct replay *r, struct drill_step *s);

/* A new interrupt since the step began; remembered in the drill. */
bool replay_interrupted(struct replay *r);

#endif
