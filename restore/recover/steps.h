/* steps: a procedure carried out for real, step by step, until it is finished, given up, or stops at a step that failed.
 *
 * What it shares with a drill is in restore/drill.  Before a step is begun and after it has ended the state is written durably (state.h),
 * so that whoever kills the program, or the computer, loses that step at most.
 *
 * Errors: those of state.h; what a step failed by stays with the step.
 */
#ifndef RESTORE_RECOVER_STEPS_H
#define RESTORE_RECOVER_STEPS_H

struct err;
struct recovery;

enum steps_end { STEPS_DONE, STEPS_STOPPED };
/* From the first step that is not done on.  0 with *ret, or -1: the state cannot be written. */
int steps_run(struct recovery *r, enum steps_end *ret, struct err *err) __attribute__((warn_unused_result));

#endif
