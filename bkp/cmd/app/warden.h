/* warden: a small parent that outlives whatever kills a run.
 *
 * warden_watch() forks, before there are threads.  The child goes on with the work; the parent waits for it,
 * and can say that it died when it does.  Signals that ask for an end, and were sent to the parent alone, are
 * passed on; a terminal and systemd send them to both (interrupt.h takes them as one).  If the parent is
 * killed the child is, too.
 *
 * Under a tracer, and where no process can be made, there is no parent: the run is one process then.
 */
#ifndef BKP_CMD_APP_WARDEN_H
#define BKP_CMD_APP_WARDEN_H

#include <stdbool.h>

/* How a process ends that cannot go on: WARDEN_DIED, which the parent takes for a death, or without one `code`. */
#define WARDEN_DIED 70
int warden_exit(int code);
/* How one ends that is to be begun once more: what it relied on was damaged, and is begun anew.  Only where
 * there is a parent to do so. */
#define WARDEN_AGAIN 71
bool warden_watched(void);

/* false: this is the process that works; true: it has ended, *ret_status is what waitpid() gave. */
bool warden_watch(int *ret_status);

#endif
