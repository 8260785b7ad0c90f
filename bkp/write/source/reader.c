/* reader: see reader.h.
 *
 * A file is read at most twice.  Before each reading of a file that was changed just now settle_file() waits until a
 * further change would have a time of its own (GRAIN_NS); after it the size and both times are compared.  A file that changed is read once more
 * (QUEUE_RESTART); one that changed again is stored as the second reading gave it, and told (READER_CHANGED).
 *
 * Bytes go straight into the queue's batch: cut_chunks() reads STEP bytes after what is there, lets the chunker
 * look, and sends a chunk as soon as it has an end.  Nothing is copied but what follows a cut. */
#include "write/source/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/io.h"
#include "format/medium/chunker.h"
#include "write/source/holes.h"
#include "write/source/queue.h"
#include "write/pack/pack.h"

#define STEP ((size_t)512 << 10) /* read at once: is still in the processor's cache when it is scanned */
/* Linux before 6.13 tells times of change in steps of its tick, 10 ms at most: a change within the step of
 * the one before cannot be seen. */
#define GRAIN_NS 20000000
/* What is written through a memory map has a new time only with the first write to a page since that was
 * written back, which the kernel does within half a minute: see FILE_CACHE_MARGIN_NS. */
#define MAPPED_S 60

/* Where bytes come from: at most `left` of them. */
struct source {
	reader_read_fn *read;
	void *arg;
	uint64_t left;
	int errnum;
};

/* Up to n bytes; fewer only at the end.  0, READER_UNREADABLE. */
static int fill_from(struct source *src, uint8_t *p, size_t n, size_t *got)
{
	size_t done = 0;

	while (done < n && src->left) {
		size_t want = n - done < src->left ? n - done : (size_t)src->left;
		ssize_t r = src->read(src->arg, p + done, want);

		if (r < 0) {
			src->errnum = errno;
			return READER_UNREADABLE;
		}
		src->left = r ? src->left - (uint64_t)r : 0;
		done += (size_t)r;
	}
	*got = done;
	return 0;
}

/* Cuts all that the source gives into chunks. *ret_got: bytes.  0, READER_UNREADABLE, -1. */
static int cut_chunks(struct queue *f, const struct chunker *chunker, struct source *src, uint64_t *ret_got)
{
	struct chunker_state state = {0, 0};
	uint8_t *p = queue_room(f, CHUNKER_MAX);
	size_t n = 0, got = 0, len;

	*ret_got = 0;
	while (p) {
		size_t want = CHUNKER_MAX - n < STEP ? CHUNKER_MAX - n : STEP;

		if (src->left && fill_from(src, p + n, want, &got))
			return READER_UNREADABLE;
		n += got;
		*ret_got += got;
		got = 0;
		if (!n)
			return 0;
		len = chunker_more(chunker, &state, p, n, !src->left);
		if (!len)
			continue;
		p = queue_chunk(f, len, n - len);
		n -= len;
		state = (struct chunker_state){0, 0};
	}
	return -1;
}

static ssize_t read_fd(void *arg, void *p, size_t n)
{
	return io_read_full(*(int *)arg, p, n);
}

/* At most `most` bytes at once: a small file's whole content, or a small part of a file.  0, READER_UNREADABLE, -1. */
static int small_part(
    struct queue *f, struct source *src, enum queue_kind kind, size_t most, uint64_t *ret_got)
{
	uint8_t *p = queue_room(f, most);
	size_t n = 0;

	if (!p)
		return -1;
	if (fill_from(src, p, most, &n))
		return READER_UNREADABLE;
	if (n)
		queue_data(f, kind, n);
	*ret_got = n;
	return 0;
}

/* One part of a file that holds data. */
static int read_part(struct queue *f, const struct chunker *chunker, int fd, const struct holes_part *part,
    uint64_t size, int *ret_errno)
{
	struct source src = {read_fd, &fd, part->length, 0};
	uint64_t got = 0;
	int r;

	if (lseek(fd, (off_t)part->offset, SEEK_SET) < 0) {
		*ret_errno = errno;
		return READER_UNREADABLE;
	}
	if (part->length <= PACK_SMALL_MAX)
		r = small_part(f, &src, part->length == size ? QUEUE_SMALL_FILE : QUEUE_SMALL_DATA,
		    (size_t)part->length, &got);
	else
		r = cut_chunks(f, chunker, &src, &got);
	*ret_errno = src.errnum;
	return !r && got != part->length ? READER_CHANGED : r;
}

static int queue_hole(struct queue *f, uint64_t length)
{
	struct queue_event *e = queue_add(f, QUEUE_HOLE);

	if (!e)
		return -1;
	e->length = length;
	return 0;
}

/* Reads the file once.  As read_part(). */
static int read_once(
    struct queue *f, const struct chunker *chunker, int fd, const struct stat *st, int *ret_errno)
{
	uint64_t size = (uint64_t)st->st_size;
	struct holes_part part = {HOLES_DATA, 0, size};
	struct holes h;
	int r = 0;

	/* no holes: spares two system calls a file */
	if ((uint64_t)st->st_blocks * 512 >= size)
		return size ? read_part(f, chunker, fd, &part, size, ret_errno) : 0;
	holes_begin(&h, fd, size);
	while (!r) {
		int more = holes_next(&h, &part, NULL);

		if (more == HOLES_END)
			break;
		if (more < 0) {
			*ret_errno = errno;
			return READER_UNREADABLE;
		}
		r = part.kind == HOLES_HOLE ? queue_hole(f, part.length)
					    : read_part(f, chunker, fd, &part, size, ret_errno);
	}
	return r;
}

static bool same_state(const struct stat *a, const struct stat *b)
{
	return a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	       a->st_mtim.tv_nsec == b->st_mtim.tv_nsec && a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	       a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Since its last change; INT64_MAX: long ago, or the file is from the future. */
static int64_t age_ns(const struct stat *st)
{
	struct timespec now;
	int64_t s;

	clock_gettime(CLOCK_REALTIME, &now);
	s = now.tv_sec - st->st_ctim.tv_sec;
	return s > MAPPED_S || s < -MAPPED_S ? INT64_MAX : s * SECOND_NS + now.tv_nsec - st->st_ctim.tv_nsec;
}

/* Until a further change has another time; 0: it has already. */
static long blind_ns(const struct stat *st)
{
	int64_t age = age_ns(st);

	return age < 0 || age >= GRAIN_NS ? 0 : (long)(GRAIN_NS - age);
}

/* From here on a change shows: what was changed just now is looked at again.  *ret_sure: it does show.  0,
 * READER_UNREADABLE. */
static int settle_file(int fd, struct stat *st, bool *ret_sure)
{
	struct timespec wait = {0, blind_ns(st)};

	/* the first write to a page after this call is told: it is being written back (only what was so already
	 * is waited for) */
	if (age_ns(st) < INT64_MAX)
		(void)!sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE);
	*ret_sure = !wait.tv_nsec;
	if (*ret_sure)
		return 0;
	clock_nanosleep(CLOCK_MONOTONIC, 0, &wait, NULL);
	if (fstat(fd, st))
		return READER_UNREADABLE;
	*ret_sure = !blind_ns(st);
	return 0;
}

static int queue_done(struct queue *f, int result, int errnum, const struct stat *st)
{
	struct queue_event *e = queue_add(f, QUEUE_DONE);

	if (!e)
		return -1;
	e->result = result;
	e->errnum = errnum;
	e->st = *st;
	return 0;
}

int reader_file(struct queue *f, const struct chunker *chunker, int fd, const struct stat *st)
{
	struct stat now = *st, after;
	int errnum = 0, r;
	bool sure;

	for (int attempt = 0;; attempt++) {
		r = settle_file(fd, &now, &sure);
		if (r)
			return queue_done(f, r, errno, &now);
		r = read_once(f, chunker, fd, &now, &errnum);
		if (r < 0)
			return -1;
		if (r != READER_UNREADABLE && fstat(fd, &after)) {
			r = READER_UNREADABLE;
			errnum = errno;
		}
		if (r == READER_UNREADABLE || (!r && sure && same_state(&now, &after)))
			return queue_done(f, r, errnum, &now);
		if (attempt)
			return queue_done(f, READER_CHANGED, 0, &now);
		now = after;
		if (!queue_add(f, QUEUE_RESTART))
			return -1;
	}
}

int reader_part(struct queue *f, const struct chunker *chunker, reader_read_fn *read, void *arg,
    uint64_t most, uint64_t *ret_got, int *ret_errno)
{
	struct source src = {read, arg, most <= PACK_SMALL_MAX ? most : UINT64_MAX, 0};
	int r = most <= PACK_SMALL_MAX ? small_part(f, &src, QUEUE_SMALL_DATA, (size_t)most, ret_got)
				       : cut_chunks(f, chunker, &src, ret_got);

	*ret_errno = src.errnum;
	return r;
}

int reader_stream(struct queue *f, const struct chunker *chunker, reader_read_fn *read, void *arg)
{
	struct source src = {read, arg, UINT64_MAX, 0};
	struct stat none = {0};
	uint64_t got;
	int r = cut_chunks(f, chunker, &src, &got);

	return r < 0 ? -1 : queue_done(f, r, src.errnum, &none);
}
