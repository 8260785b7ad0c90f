/* lockholder: which process holds a kernel lock (flock) on a file, for a message; from /proc, as far as it
 * tells.
 *
 * Nothing is decided by the answer: the process may have ended meanwhile, and another user's may not be seen.
 */
#ifndef BKP_WRITE_STATE_LOCKHOLDER_H
#define BKP_WRITE_STATE_LOCKHOLDER_H

#include <stdint.h>

#define LOCKHOLDER_COMMAND 200

struct lockholder {
	long pid;
	int64_t since_ns;		  /* wall time at which it was started; 0: not known */
	char command[LOCKHOLDER_COMMAND]; /* its words, to be shown as they are; "" not known */
};

/* 0, or -1: it cannot be told (*ret is untouched). */
int lockholder_find(int fd, struct lockholder *ret);

#endif
