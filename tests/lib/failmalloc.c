/* failmalloc: the n-th allocation of a process fails, once.  Preloaded.
 *
 *   FAILMALLOC_AT=N      the N-th call (from 1) of malloc, calloc, realloc, posix_memalign, aligned_alloc, memalign, reallocarray gives
 *                        NULL/ENOMEM; 0 or unset: none
 *   FAILMALLOC_COUNT=F   appends "PROGRAM NUMBER" of calls to the file when the process ends by exit()
 *   FAILMALLOC_WHO=NAME  only in programs of that name; FAILMALLOC_WHERE=F: writes the addresses of who asked there, for addr2line
 * Counts from the start of each process; a fork goes on counting where it was forked.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern void *__libc_memalign(size_t, size_t);

static atomic_long calls;
static long fail_at;
static int mine;
static const char *where;
static int count_fd = -1; /* opened at the beginning: a program may give up its right to write there */

static int fails(void)
{
	if (!mine || atomic_fetch_add(&calls, 1) + 1 != fail_at)
		return 0;
	if (where) {
		void *stack[40];
		int fd = open(where, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666), n;

		mine = 0; /* backtrace() allocates */
		n = backtrace(stack, 40);
		backtrace_symbols_fd(stack, n, fd);
		close(fd);
		mine = 1;
	}
	errno = ENOMEM;
	return 1;
}

/* The programs ask the C library by its inner names (bkp/base/malloc), so these are taken, too. */
static void *give(size_t n) { return __libc_memalign(16, n); }
static void *give_more(void *was, size_t n)
{
	void *p = give(n);
	size_t had = was ? malloc_usable_size(was) : 0;

	if (p && was) {
		memcpy(p, was, had < n ? had : n);
		free(was);
	}
	return p;
}
static void *give_clear(size_t n, size_t m)
{
	size_t all;
	void *p = __builtin_mul_overflow(n, m, &all) ? NULL : give(all);

	return p ? memset(p, 0, all) : NULL;
}
void *__libc_malloc(size_t n) { return fails() ? NULL : give(n); }
void *__libc_calloc(size_t n, size_t m) { return fails() ? NULL : give_clear(n, m); }
void *__libc_realloc(void *p, size_t n) { return fails() ? NULL : give_more(p, n); }
void *malloc(size_t n) { return __libc_malloc(n); }
void *calloc(size_t n, size_t m) { return __libc_calloc(n, m); }
void *realloc(void *p, size_t n) { return __libc_realloc(p, n); }
void *memalign(size_t a, size_t n) { return fails() ? NULL : __libc_memalign(a, n); }
void *aligned_alloc(size_t a, size_t n) { return fails() ? NULL : __libc_memalign(a, n); }
void *reallocarray(void *p, size_t n, size_t m)
{
	size_t all;

	if (__builtin_mul_overflow(n, m, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(p, all);
}
int posix_memalign(void **ret, size_t a, size_t n)
{
	void *p = fails() ? NULL : __libc_memalign(a, n);

	if (p)
		*ret = p;
	return p ? 0 : ENOMEM;
}

__attribute__((constructor)) static void begin(void)
{
	const char *who = getenv("FAILMALLOC_WHO"), *at = getenv("FAILMALLOC_AT");

	where = getenv("FAILMALLOC_WHERE");
	fail_at = at ? atol(at) : 0;
	if (who && strcmp(who, program_invocation_short_name) != 0)
		return;
	if (where) { /* libgcc is loaded now and not within an allocation */
		void *one[1];

		(void)backtrace(one, 1);
	}
	if (getenv("FAILMALLOC_COUNT"))
		count_fd = fcntl(open(getenv("FAILMALLOC_COUNT"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666), F_DUPFD_CLOEXEC, 500);
	atomic_store(&calls, 0);
	mine = 1;
}

__attribute__((destructor)) static void end(void)
{
	char line[200];

	if (!mine || count_fd < 0)
		return;
	mine = 0;
	(void)!write(count_fd, line, (size_t)snprintf(line, sizeof(line), "%s %ld\n", program_invocation_short_name, atomic_load(&calls)));
	close(count_fd);
}
