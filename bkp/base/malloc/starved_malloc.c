/* starved_malloc: the C library's allocator, which counts what it could not give; see base/starved.h.
 *
 * In a dynamic program these names take the place of the C library's for every library in it (glibc manual,
 * "Replacing malloc"); what they give is the C library's own, so its free() stays.  In the static program the
 * linker's --wrap does the same.
 */
#include <stddef.h>

#include "base/starved.h"

#ifdef BKP_STATIC_PROGRAM
#define NAME(f) __wrap_##f
#define REAL(f) __real_##f
#else
#define NAME(f) f
#define REAL(f) __libc_##f
#endif

void *REAL(malloc)(size_t n);
void *REAL(calloc)(size_t n, size_t size);
void *REAL(realloc)(void *p, size_t n);
void *NAME(malloc)(size_t n);
void *NAME(calloc)(size_t n, size_t size);
void *NAME(realloc)(void *p, size_t n);

static void *counted(void *p, size_t n)
{
	if (!p && n) {
		starved_calls++;
		atomic_fetch_add(&starved_calls_of_all, 1);
	}
	return p;
}

void *NAME(malloc)(size_t n)
{
	return counted(REAL(malloc)(n), n);
}

void *NAME(calloc)(size_t n, size_t size)
{
	return counted(REAL(calloc)(n, size), n && size);
}

void *NAME(realloc)(void *p, size_t n)
{
	return counted(REAL(realloc)(p, n), n);
}
