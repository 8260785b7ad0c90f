/* starved: did an allocation fail in this thread, in a library that does not say so?
 *
 * When memory ends libarchive leaves attributes, names and list entries out and reports success, or takes what it
 * reads for malformed.  Who calls it notes a mark before and asks afterwards: what came in between is E-MEM-01 then,
 * neither a good entry nor a damaged one.
 *
 *     const unsigned long mark = starved_mark();
 *     … libarchive …
 *     if (starved_since(mark))
 *             return err_nomem(err);
 *
 * Counted by malloc/starved_malloc.c, which is linked into the programs (not into unit tests, nor where a sanitizer
 * has its own malloc: there nothing is ever counted).
 */
#ifndef BKP_BASE_STARVED_H
#define BKP_BASE_STARVED_H

#include <stdbool.h>

extern _Thread_local unsigned long starved_calls; /* use the functions */

static inline unsigned long starved_mark(void)
{
	return starved_calls;
}

static inline bool starved_since(unsigned long mark)
{
	return starved_calls != mark;
}

#endif
