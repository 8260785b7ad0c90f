/* isolation_private: what the two halves of isolation share: what is decided outside, and what is done inside (isolation_inside.c). */
#ifndef RESTORE_COMMAND_ISOLATION_PRIVATE_H
#define RESTORE_COMMAND_ISOLATION_PRIVATE_H

#include <stddef.h>

struct isolation_plan {
	const char *scratch;
	char **seen;
	size_t n_seen;
	char **hidden;
	size_t n_hidden;
};
/* What did not work; what: a path or a word. */
struct isolation_fault {
	int errnum;
	char what[200];
};

/* Of the first process in there: makes the place.  0, -1. */
int isolation_make(const struct isolation_plan *p, struct isolation_fault *ret);
/* Takes the capabilities away from what is executed next.  0 or an errno. */
/* No system call reaches what has no namespace: keys of the kernel, vsock.  Before isolation_drop(); 0, or an errno. */
int isolation_filter(void);
int isolation_drop(void);

#endif
