/* swap: somebody who may write into the target, as an LD_PRELOAD that is always in time: at the first call
 * that sets the attribute $SWAP_AT, what $SWAP_NAME names is moved aside and a symbolic link to $SWAP_TO
 * stands in its place. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

static void swap(const char *attribute)
{
	const char *at = getenv("SWAP_AT"), *name = getenv("SWAP_NAME"), *to = getenv("SWAP_TO");
	char aside[4096];

	if (!at || !name || !to || strcmp(at, attribute) != 0)
		return;
	snprintf(aside, sizeof(aside), "%s.aside", name);
	if (!access(aside, F_OK))
		return;
	if (rename(name, aside) || symlink(to, name))
		abort();
}

int setxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
	int (*real)(const char *, const char *, const void *, size_t, int) = dlsym(RTLD_NEXT, "setxattr");

	swap(name);
	return real(path, name, value, size, flags);
}

int lsetxattr(const char *path, const char *name, const void *value, size_t size, int flags)
{
	int (*real)(const char *, const char *, const void *, size_t, int) = dlsym(RTLD_NEXT, "lsetxattr");

	swap(name);
	return real(path, name, value, size, flags);
}

int fsetxattr(int fd, const char *name, const void *value, size_t size, int flags)
{
	int (*real)(int, const char *, const void *, size_t, int) = dlsym(RTLD_NEXT, "fsetxattr");

	swap(name);
	return real(fd, name, value, size, flags);
}
