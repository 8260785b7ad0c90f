/* starved: did an allocation fail in this thread, in a library that does not say so?  Or in any thread?
 *
 * When memory ends libarchive leaves attributes, names and list entries out and reports success, or takes
 * what it reads for malformed.  Who calls it notes a mark before and asks afterwards: what came in between is
 * E-MEM-01 then, neither a good entry nor a damaged one.
 *
 *     const unsigned long mark = starved_mark();
 *     … libarchive …
 *     if (starved_since(mark))
 *             return err_nomem(err);
 *
 * Who calls a file damaged asks for all threads: what was read while memory ended anywhere proves nothing.
 *
 * Counted by malloc/starved_malloc.c, which is linked into the programs (not into unit tests, nor where a
 * sanitizer has its own malloc: there nothing is ever counted).
 */
#ifndef BKP_BASE_STARVED_H
#define BKP_BASE_STARVED_H

#include <stdatomic.h>
#include <stdbool.h>

extern _Thread_local unsigned long starved_calls; /* use the functions */
extern atomic_ulong starved_calls_of_all;

static inline unsigned long starved_mark(void)
{
	return starved_calls;
}

static inline bool starved_since(unsigned long mark)
{
	return starved_calls != mark;
}

/* The same for all threads of the process. */
static inline unsigned long starved_mark_of_all(void)
{
	return atomic_load(&starved_calls_of_all);
}

static inline bool starved_anywhere_since(unsigned long mark)
{
	return atomic_load(&starved_calls_of_all) != mark;
}

#endif
