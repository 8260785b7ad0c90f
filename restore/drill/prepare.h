/* prepare: everything about a drill that can be known before anything is run: which generation of each data set,
 * what the steps' texts say when the variables are put in, and what the checks will be compared with.
 *
 * Of each data set that a step names: the generation that the step says (`generation:` or `select:`), else the drill's --at,
 * else the newest complete one; a probe's is the one that the data set was last brought back from.  Needs an open
 * medium, and opens the identity.  Nothing is restored or run.  What is wrong is said on stderr with "file:line:"
 * of the step.
 *
 * Errors: those of choose.h; E-DRILL-10 a folder outside the scratch folder, E-DRILL-11 it says no
 * generation; E-PLAN-01 a path that can select nothing.
 */
#ifndef RESTORE_DRILL_PREPARE_H
#define RESTORE_DRILL_PREPARE_H

#include <stdint.h>

struct app;
struct app_generation;
struct drill;
struct drill_generation;
struct variables;

/* 0, or an exit code.  open[0 … d->n_generations), of which the caller has d->n, are the generations of the drill,
 * with their content; each is closed by the caller, also after a failure. */
int prepare(struct app *app, struct drill *d, struct variables *v, struct app_generation *open);

/* Another generation in the place of that one, or the same opened anew, where the media were exchanged: all texts are made again.  0, or
 * an exit code; then it is not open. */
int prepare_again(struct app *app, struct drill *d, struct variables *v, struct drill_generation *g,
    uint64_t number, struct app_generation *open);

#endif
