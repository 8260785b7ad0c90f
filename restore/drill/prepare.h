/* prepare: everything about a drill that can be known before anything is run: which generation of each data set,
 * what the steps' texts say when the variables are put in, and what the checks will be compared with.
 *
 * Of each data set that a step names: the generation that the step says (`generation:`), else the drill's --at,
 * else the newest complete one; a probe's is the one that the data set was last brought back from.  Needs an open
 * medium, and opens the identity.  Nothing is restored or run.  What is wrong is said on stderr with "file:line:"
 * of the step.
 *
 * Errors: E-DRILL-04 a generation is not on the medium, or not usable, E-DRILL-05 of a data set there is none,
 * E-DRILL-06 none of the data set suits, E-DRILL-10 a folder outside the scratch folder, E-DRILL-11 it says no
 * generation; E-PLAN-01 a path that can select nothing.
 */
#ifndef RESTORE_DRILL_PREPARE_H
#define RESTORE_DRILL_PREPARE_H

struct app;
struct app_generation;
struct drill;
struct variables;

/* 0, or an exit code.  open[0 … d->n_generations), of which the caller has d->n, are the generations of the drill,
 * with their content; each is closed by the caller, also after a failure. */
int prepare(struct app *app, struct drill *d, struct variables *v, struct app_generation *open);

#endif
