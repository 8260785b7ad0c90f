/* preload: what the preloaded libraries of the campaign share: the function behind the one that stands in its
 * place, and all names under which a file is opened. */
#ifndef CAMPAIGN_PRELOAD_H
#define CAMPAIGN_PRELOAD_H

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/types.h>

/* `real` is the next function of that name. */
#define REAL(type, name, ...)                                                                                \
	static type (*real)(__VA_ARGS__);                                                                    \
	if (!real)                                                                                           \
	*(void **)&real = dlsym(RTLD_NEXT, #name)

#define PRELOAD_MODE(flags, mode)                                                                            \
	va_list list;                                                                                        \
	va_start(list, flags);                                                                               \
	mode_t mode = (flags) & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? va_arg(list, mode_t) : 0;           \
	va_end(list)
#define PRELOAD_OPEN(name, before, after)                                                                    \
	int name(const char *path, int flags, ...)                                                           \
	{                                                                                                    \
		const int dir = AT_FDCWD;                                                                    \
		PRELOAD_MODE(flags, mode);                                                                   \
		REAL(int, name, const char *, int, ...);                                                     \
		(void)dir;                                                                                   \
		before(open);                                                                                \
		int fd = real(path, flags, mode);                                                            \
		after;                                                                                       \
		return fd;                                                                                   \
	}
#define PRELOAD_OPENAT(name, before, after)                                                                  \
	int name(int dir, const char *path, int flags, ...)                                                  \
	{                                                                                                    \
		PRELOAD_MODE(flags, mode);                                                                   \
		REAL(int, name, int, const char *, int, ...);                                                \
		before(openat);                                                                              \
		int fd = real(dir, path, flags, mode);                                                       \
		after;                                                                                       \
		return fd;                                                                                   \
	}

/* open() and its relatives.  before(NAME), a macro, stands before the call and may use dir, path, flags and
 * mode, and return; after, a statement, behind it, and may use fd as well. */
#define OPENS(before, after)                                                                                 \
	PRELOAD_OPEN(open, before, after)                                                                    \
	PRELOAD_OPEN(open64, before, after)                                                                  \
	PRELOAD_OPENAT(openat, before, after)                                                                \
	PRELOAD_OPENAT(openat64, before, after)                                                              \
	int __open_2(const char *path, int flags)                                                            \
	{                                                                                                    \
		return open(path, flags);                                                                    \
	}                                                                                                    \
	int __open64_2(const char *path, int flags)                                                          \
	{                                                                                                    \
		return open64(path, flags);                                                                  \
	}                                                                                                    \
	int __openat_2(int dir, const char *path, int flags)                                                 \
	{                                                                                                    \
		return openat(dir, path, flags);                                                             \
	}                                                                                                    \
	int __openat64_2(int dir, const char *path, int flags)                                               \
	{                                                                                                    \
		return openat64(dir, path, flags);                                                           \
	}

#endif
