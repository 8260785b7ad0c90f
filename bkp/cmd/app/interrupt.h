/* interrupt: SIGINT, SIGTERM and SIGHUP as a wish to end, for commands that end in good order.
 *
 * interrupt_watch() once; from then on the first such signal is only remembered, and the second one ends the
 * process as usual. */
#ifndef BKP_CMD_APP_INTERRUPT_H
#define BKP_CMD_APP_INTERRUPT_H

void interrupt_watch(void);
int interrupt_signal(void); /* 0: none came */

#endif
