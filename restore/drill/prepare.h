/* prepare: everything about a drill that can be known before anything is run: which generation, whether each
 * step's generation and data set are there, what its texts say when the variables are put in, and what the
 * checks will be compared with.
 *
 * Needs an open medium, and opens the identity.  Nothing is restored or run.  What is wrong is said on
 * stderr with "file:line:" of the step.
 *
 * Errors: E-DRILL-04 a generation is not on the medium, E-DRILL-05 a data set is not in its generation,
 * E-DRILL-06 no generation suits, E-DRILL-10 a folder outside the scratch folder, E-DRILL-11 not a
 * generation's number; E-PLAN-01 a path that can select nothing.
 */
#ifndef RESTORE_DRILL_PREPARE_H
#define RESTORE_DRILL_PREPARE_H

struct app;
struct app_generation;
struct drill;
struct variables;

/* wanted: the number as typed, or NULL: the newest complete generation that holds what is restored without a
 * generation of its own.  0 and *ret_generation (the drill's, open with its content), or an exit code. */
int prepare(struct app *app, const char *wanted, struct drill *d, struct variables *v,
    struct app_generation *ret_generation);

#endif
