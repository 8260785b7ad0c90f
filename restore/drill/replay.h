/* replay: goes through a drill's steps, in order, once.
 *
 * When a step has failed, or the drill was interrupted, the later ones are not done except those with
 * always: true.  Each step's part of struct drill is filled, and one line for it goes to stderr.  A further
 * interrupt ends the step that is running, an always one too.
 *
 * Errors that are recorded for a step: E-DRILL-13 the time limit, -14 exit status, -15 a signal, -16 a value
 * that differs, -17 too much printed, -18 no value was recorded at capture, -19 answered no (or not at all),
 * -20 interrupted, -23 the medium's archives are not what was signed; and those of extract.h, step_run.h.
 */
#ifndef RESTORE_DRILL_REPLAY_H
#define RESTORE_DRILL_REPLAY_H

#include <stdbool.h>

struct app;
struct app_generation;
struct drill;
struct drill_step;
struct interrupt;
struct scratch;

struct replay {
	struct app *app;
	struct drill *d;
	struct app_generation *generation; /* open, as drill.generation names them */
	struct scratch *scratch;
	struct interrupt *interrupt;
	char *const *environment;
	/* of the step that runs */
	unsigned interrupts; /* counted before it */
};

/* Fills the steps, begun, finished and seconds of the drill. */
void replay(struct replay *r);

/* One kind each; true: it passed.  (Called by replay(); they fill the step, `why` when it failed.) */
bool replay_restore(struct replay *r, struct drill_step *s);
bool replay_command(struct replay *r, struct drill_step *s);
bool replay_confirm(struct replay *r, struct drill_step *s);

/* A new interrupt since the step began; remembered in the drill. */
bool replay_interrupted(struct replay *r);

#endif
