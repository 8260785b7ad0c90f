/* badsector: a disk with bad sectors, for one file: what is read of the file with inode $BADINODE and touches one of the ranges in $BADSECTORS
 * ("OFFSET+LENGTH OFFSET+LENGTH …", bytes) fails with EIO.  A copy of the file under the same name is another inode, and can be read.  LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_bad(int fd, off64_t at, size_t n)
{
	const char *inode = getenv("BADINODE"), *p = getenv("BADSECTORS");
	struct stat st;
	long long from, bytes;
	int used;

	if (!inode || !p || fstat(fd, &st) || (unsigned long long)st.st_ino != strtoull(inode, NULL, 10))
		return false;
	for (; sscanf(p, "%lld+%lld%n", &from, &bytes, &used) == 2; p += used)
		if (at < from + bytes && at + (off64_t)n > from)
			return true;
	return false;
}

ssize_t pread64(int fd, void *p, size_t n, off64_t offset)
{
	static ssize_t (*real)(int, void *, size_t, off64_t);

	if (!real)
		real = (ssize_t(*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
	if (is_bad(fd, offset, n)) {
		errno = EIO;
		return -1;
	}
	return real(fd, p, n, offset);
}
