/* watchdog: a small parent that outlives whatever kills a run.
 *
 * watchdog_watch() forks, before there are threads.  The child goes on with the work; the parent waits for it,
 * and can say that it died when it does.  Signals that ask for an end, and were sent to the parent alone, are
 * passed on; a terminal and systemd send them to both (interrupt.h takes them as one).  If the parent is
 * killed the child is, too.
 *
 * Under a tracer, and where no process can be made, there is no parent: the run is one process then.
 */
#ifndef BKP_CMD_APP_WATCHDOG_H
#define BKP_CMD_APP_WATCHDOG_H

#include <stdbool.h>

/* How a process ends that cannot go on: WATCHDOG_DIED, which the parent takes for a death, or without one
 * `code`. */
#define WATCHDOG_DIED 70
int watchdog_exit(int code);
/* How one ends that is to be begun once more: the index it relied on was damaged and is made again.  Only where
 * there is a parent to do so. */
#define WATCHDOG_AGAIN 71
bool watchdog_watched(void);

/* false: this is the process that works; true: it has ended, *ret_status is what waitpid() gave. */
bool watchdog_watch(int *ret_status);

#endif
