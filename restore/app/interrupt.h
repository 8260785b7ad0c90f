/* interrupt: SIGINT, SIGTERM, SIGHUP and SIGQUIT, asked for instead of delivered.
 *
 * Between interrupt_hold() and interrupt_release() they do not end the process: who works asks
 * interrupt_count(), or polls interrupt_fd().  SIGPIPE is ignored meanwhile, so that nobody who closes a pipe
 * leaves patients' data behind.  A child must undo both before it becomes another program
 * (interrupt_child()).
 */
#ifndef RESTORE_APP_INTERRUPT_H
#define RESTORE_APP_INTERRUPT_H

struct err;
struct interrupt;

/* -1: E-DRILL-20, cannot be done. */
int interrupt_hold(struct interrupt **ret, struct err *err) __attribute__((warn_unused_result));
void interrupt_release(struct interrupt *i);
int interrupt_fd(const struct interrupt *i); /* readable when one is there that was not counted yet */
/* How many came so far (those that came together count as one). */
unsigned interrupt_count(struct interrupt *i);
/* For what leaves nothing behind: from now on SIGINT, SIGTERM and SIGHUP say E-RESTORE-15 with these words,
 * in the reader's language, and end the process with this exit status. */
void interrupt_says(const char *msg, const char *hint, int status);
/* In a child between fork and exec; async-signal-safe. */
void interrupt_child(void);

#endif
