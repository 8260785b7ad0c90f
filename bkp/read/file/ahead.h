/* ahead: files read from their beginning to their end, one after the other, from the device rather than from
 * the page cache when that is asked for.
 *
 * ahead_new → (ahead_begin → ahead_next … → ahead_end) … → ahead_free, all on one thread.  With a thread of
 * its own, the next parts are read while the caller works on the one that he holds: the device does not wait
 * for the processor, nor the other way round.  The thread starts with the first file longer than one part and
 * has all signals blocked; where it cannot be started the caller reads, which is slower and nothing else.
 * ahead_end() may be called at any point of a file and waits for a read that is under way.
 *
 * Memory: at most four parts of AHEAD_PART bytes, kept until ahead_free().
 *
 * From the device: store_bypass_cache().
 */
#ifndef BKP_READ_FILE_AHEAD_H
#define BKP_READ_FILE_AHEAD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct store_file;

#define AHEAD_PART ((size_t)1 << 20)

struct ahead;
struct ahead *ahead_new(bool thread); /* NULL: out of memory */
void ahead_free(struct ahead *a);

/* From its beginning; the file stays the caller's, and open until ahead_end(). */
void ahead_begin(struct ahead *a, struct store_file *file, bool from_device);
void ahead_end(struct ahead *a);
/* The next bytes, at most AHEAD_PART; the caller may write to them, until the next call.  Their number, 0 at
 * the end, or -1: errno (ENOMEM: out of memory); after 0 and -1 only ahead_end(). */
ssize_t ahead_next(struct ahead *a, uint8_t **ret);

#endif
