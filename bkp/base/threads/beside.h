/* beside: one thing is done with some bytes on a second thread, while the caller does another with the same bytes.
 *
 * For what must see all bytes of a file in their order (a hash, a copy, parity) and keeps a processor busy with them: two such
 * take as long as the slower one.  beside_begin() and beside_wait() come in pairs; between them the bytes and `arg` are read by
 * both, and `arg` is the second thread's alone.  All that fn() did is seen once beside_wait() is back.
 *
 * The thread is started when there is the first work for it.  Where there is one processor only, where no thread can be started,
 * and for few bytes, fn() is called by beside_begin() itself.
 */
#ifndef BKP_BASE_THREADS_BESIDE_H
#define BKP_BASE_THREADS_BESIDE_H

#include <stddef.h>

struct beside;

struct beside *beside_new(void);    /* NULL: out of memory */
void beside_free(struct beside *b); /* NULL allowed */

void beside_begin(
    struct beside *b, void (*fn)(void *arg, const void *p, size_t n), void *arg, const void *p, size_t n);
void beside_wait(struct beside *b);

#endif
