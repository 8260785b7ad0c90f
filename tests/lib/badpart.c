/* badpart: of the file whose path ends with $BADPART, no part of a mebibyte or more that begins behind its start can be read.  Who reads it
 * in smaller pieces gets them: so a whole file cannot be hashed, and all that is in it can be had.  LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

ssize_t pread64(int fd, void *p, size_t n, off64_t offset)
{
	static ssize_t (*real)(int, void *, size_t, off64_t);
	const char *end = getenv("BADPART");
	char link[64], path[4096] = "";
	ssize_t len;

	if (!real)
		real = (ssize_t(*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (end && offset && n >= 1 << 20 && len >= (ssize_t)strlen(end) &&
	    !strcmp(path + len - strlen(end), end)) {
		errno = EIO;
		return -1;
	}
	return real(fd, p, n, offset);
}
