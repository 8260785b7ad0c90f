/* reader: the bytes of a file or a stream into a queue, cut into chunks (the producer's side of content.h).
 *
 * Nothing is held but what the queue holds.  A file that was changed less than 20 ms ago is waited for that
 * long. */
#ifndef BKP_WRITE_SOURCE_READER_H
#define BKP_WRITE_SOURCE_READER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct chunker;
struct queue;

/* What became of it: queue_event.result of QUEUE_DONE. */
#define READER_CHANGED                                                                                       \
	1 /* it changed while it was read, also the second time: what the second reading gave is stored */
#define READER_UNREADABLE 2 /* queue_event.errnum says why; nothing of it is to be referenced */

/* The regular file fd; st is its fstat, taken before anything was read.  Feeds data, chunks and holes,
 * QUEUE_RESTART when it is read a second time, then QUEUE_DONE, whose st is the last look.  Files of at most
 * PACK_SMALL_MAX bytes without holes are one QUEUE_SMALL_FILE, parts between holes of at most so many one
 * QUEUE_SMALL_DATA each, empty ones have no data.  -1: the queue takes no more. */
int reader_file(struct queue *f, const struct chunker *chunker, int fd, const struct stat *st);

/* A stream: `read` returns bytes, 0 at the end, -1 with errno. */
typedef ssize_t reader_read_fn(void *arg, void *p, size_t n);
/* What it gives until it says 0, as chunks; or, where only `most` ≤ PACK_SMALL_MAX bytes are wanted, as one
 * QUEUE_SMALL_DATA.  *ret_got: bytes.  0; READER_UNREADABLE with *ret_errno; -1: the queue takes no more. */
int reader_part(struct queue *f, const struct chunker *chunker, reader_read_fn *read, void *arg,
    uint64_t most, uint64_t *ret_got, int *ret_errno);
/* All of it, and QUEUE_DONE. */
int reader_stream(struct queue *f, const struct chunker *chunker, reader_read_fn *read, void *arg);

#endif
