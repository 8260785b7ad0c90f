/* sortrun: see sortrun.h.
 *
 * Records gather in memory; when they fill it they are sorted and written as a run of level 0.  FAN runs of one
 * level at the end of the list are merged into one of the next level, so there are fewer than FAN runs of each
 * level at any time.  sortrun_next() merges those that are left, with a heap of cursors.  The sequence number in
 * each record keeps records of one path in the order in which they came. */
#include "write/source/sortrun.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define BLOCK	   ((size_t)64 << 10)
#define FAN	   64 /* runs of one level that are merged into one of the next */
#define RECORD_MAX (sizeof(struct head) + SORTRUN_PATH_MAX + SORTRUN_DATA_MAX)

/* A record: head, path with its NUL, data. */
struct head {
	uint64_t seq;
	uint32_t path, data; /* bytes */
};

struct run {
	int fd;
	unsigned level;
};

/* Where a merge stands in a run. */
struct cursor {
	int fd;
	struct buf bytes;
	size_t at, length; /* of the current record in `bytes` */
	bool ended;
};

struct merge {
	struct cursor *cursors;
	size_t n;
	size_t *heap; /* of cursors with a record; the least first */
	size_t n_heap;
	bool begun;
};

struct sortrun {
	int dirfd;
	size_t memory;
	uint64_t seq;
	struct buf records;
	size_t *at; /* where each record begins in `records` */
	size_t n, room;
	struct run *runs;
	size_t n_runs;
	bool sorted;
	size_t next; /* where all is in memory */
	struct merge merge;
};

static int sort_failed(const char *what, int errnum, struct err *err)
{
	return err_sys(err, "E-SORT-01", errnum, "%s", what);
}

int sortrun_file(int dirfd, struct err *err)
{
	char name[] = "sort.XXXXXXXX";
	int fd = openat(dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* file systems that know no files without a name */
	for (unsigned i = 0; i < 1000 && fd < 0; i++) {
		snprintf(name, sizeof(name), "sort.%08u", i);
		fd = openat(dirfd, name, O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0600);
		if (fd < 0 && errno != EEXIST)
			break;
	}
	if (fd < 0)
		return sort_failed(text("cannot make a file for sorting in the cache folder"), errno, err);
	unlinkat(dirfd, name, 0);
	return fd;
}

int sortrun_new(int dirfd, size_t memory, struct sortrun **ret, struct err *err)
{
	struct sortrun *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(err);
	s->dirfd = dirfd;
	s->memory = memory;
	buf_init(&s->records, memory + 2 * RECORD_MAX);
	*ret = s;
	return 0;
}

static void end_merge(struct merge *m)
{
	for (size_t i = 0; i < m->n; i++)
		buf_free(&m->cursors[i].bytes);
	free(m->cursors);
	free(m->heap);
	*m = (struct merge){NULL, 0, NULL, 0, false};
}

void sortrun_free(struct sortrun *s)
{
	if (!s)
		return;
	end_merge(&s->merge);
	for (size_t i = 0; i < s->n_runs; i++)
		io_close_quietly(&s->runs[i].fd);
	free(s->runs);
	free(s->at);
	buf_free(&s->records);
	free(s);
}

static const char *path_of(const uint8_t *record)
{
	return (const char *)record + sizeof(struct head);
}

static int compare_records(const uint8_t *a, const uint8_t *b)
{
	struct head x, y;
	int r = path_compare(path_of(a), path_of(b));

	if (r)
		return r;
	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x.seq < y.seq ? -1 : x.seq > y.seq;
}

static int by_record(const void *a, const void *b, void *arg)
{
	const uint8_t *p = ((const struct sortrun *)arg)->records.p;

	return compare_records(p + *(const size_t *)a, p + *(const size_t *)b);
}

static size_t length_of(const uint8_t *record)
{
	struct head h;

	memcpy(&h, record, sizeof(h));
	return sizeof(h) + h.path + h.data;
}

/* ---- runs ---- */

static int put_record(int fd, struct buf *out, const uint8_t *record, struct err *err)
{
	if (buf_append(out, record, length_of(record), err))
		return -1;
	if (out->n < BLOCK)
		return 0;
	if (io_write_full(fd, out->p, out->n))
		return sort_failed(
		    text("cannot write what is to be sorted into the cache folder"), errno, err);
	out->n = 0;
	return 0;
}

static int add_run(struct sortrun *s, int fd, unsigned level, struct buf *out, struct err *err)
{
	struct run *more = reallocarray(s->runs, s->n_runs + 1, sizeof(*more));

	if (!more)
		return err_nomem(err);
	s->runs = more;
	if (io_write_full(fd, out->p, out->n))
		return sort_failed(
		    text("cannot write what is to be sorted into the cache folder"), errno, err);
	s->runs[s->n_runs++] = (struct run){fd, level};
	return 0;
}

/* What is in memory becomes a run. */
static int write_run(struct sortrun *s, struct err *err)
{
	BUF_AUTO out = BUF_INIT(BLOCK + RECORD_MAX);
	IO_FD_AUTO fd = sortrun_file(s->dirfd, err);

	if (fd < 0)
		return -1;
	qsort_r(s->at, s->n, sizeof(*s->at), by_record, s);
	for (size_t i = 0; i < s->n; i++)
		if (put_record(fd, &out, s->records.p + s->at[i], err))
			return -1;
	if (add_run(s, fd, 0, &out, err))
		return -1;
	(void)io_take(&fd);
	s->n = 0;
	s->records.n = 0;
	return 0;
}

/* ---- merging ---- */

/* The next record of a run into its buffer. */
static int advance_cursor(struct cursor *c, struct err *err)
{
	c->at += c->length;
	c->length = 0;
	for (;;) {
		size_t have = c->bytes.n - c->at;
		ssize_t r;

		if (have >= sizeof(struct head) && have >= length_of(c->bytes.p + c->at)) {
			c->length = length_of(c->bytes.p + c->at);
			return 0;
		}
		buf_consume(&c->bytes, c->at);
		c->at = 0;
		if (buf_reserve(&c->bytes, BLOCK, err))
			return -1;
		r = io_read_full(c->fd, c->bytes.p + c->bytes.n, BLOCK);
		if (r < 0)
			return sort_failed(
			    text("cannot read what is to be sorted from the cache folder"), errno, err);
		if (r == 0) {
			c->ended = true;
			/* a piece of a record: the file is another than we wrote */
			return have ? sort_failed(
					  text("cannot read what is to be sorted from the cache folder"), EIO,
					  err)
				    : 0;
		}
		c->bytes.n += (size_t)r;
	}
}

static bool less_cursor(const struct merge *m, size_t a, size_t b)
{
	const struct cursor *x = &m->cursors[m->heap[a]], *y = &m->cursors[m->heap[b]];

	return compare_records(x->bytes.p + x->at, y->bytes.p + y->at) < 0;
}

static void swap_cursors(struct merge *m, size_t a, size_t b)
{
	size_t t = m->heap[a];

	m->heap[a] = m->heap[b];
	m->heap[b] = t;
}

static void sink_down(struct merge *m, size_t i)
{
	for (;;) {
		size_t least = i;

		for (size_t k = 2 * i + 1; k <= 2 * i + 2 && k < m->n_heap; k++)
			if (less_cursor(m, k, least))
				least = k;
		if (least == i)
			return;
		swap_cursors(m, i, least);
		i = least;
	}
}

static int begin_merge(struct merge *m, const struct run *runs, size_t n, struct err *err)
{
	m->cursors = calloc(n, sizeof(*m->cursors));
	m->heap = calloc(n, sizeof(*m->heap));
	if (!m->cursors || !m->heap)
		return err_nomem(err);
	m->n = n;
	for (size_t i = 0; i < n; i++) {
		struct cursor *c = &m->cursors[i];

		buf_init(&c->bytes, RECORD_MAX + 2 * BLOCK);
		c->fd = runs[i].fd;
		if (lseek(c->fd, 0, SEEK_SET) < 0)
			return sort_failed(
			    text("cannot read what is to be sorted from the cache folder"), errno, err);
		if (advance_cursor(c, err))
			return -1;
		if (!c->ended)
			m->heap[m->n_heap++] = i;
	}
	for (size_t i = m->n_heap / 2; i-- > 0;)
		sink_down(m, i);
	return 0;
}

/* The next record of all, or NULL in *ret at the end. */
static int merge_next(struct merge *m, const uint8_t **ret, struct err *err)
{
	*ret = NULL;
	if (m->begun && m->n_heap) {
		struct cursor *c = &m->cursors[m->heap[0]];

		if (advance_cursor(c, err))
			return -1;
		if (c->ended)
			m->heap[0] = m->heap[--m->n_heap];
		sink_down(m, 0);
	}
	m->begun = true;
	if (m->n_heap)
		*ret = m->cursors[m->heap[0]].bytes.p + m->cursors[m->heap[0]].at;
	return 0;
}

/* The last FAN runs, all of one level, become one. */
static int merge_level(struct sortrun *s, unsigned level, struct err *err)
{
	struct run *from = s->runs + s->n_runs - FAN;
	BUF_AUTO out = BUF_INIT(BLOCK + RECORD_MAX);
	IO_FD_AUTO fd = sortrun_file(s->dirfd, err);
	struct merge m = {NULL, 0, NULL, 0, false};
	const uint8_t *record;
	int r = fd < 0 ? -1 : begin_merge(&m, from, FAN, err);

	while (!r && !(r = merge_next(&m, &record, err)) && record)
		r = put_record(fd, &out, record, err);
	end_merge(&m);
	if (r)
		return -1;
	for (size_t i = 0; i < FAN; i++)
		io_close_quietly(&from[i].fd);
	s->n_runs -= FAN;
	if (add_run(s, fd, level + 1, &out, err))
		return -1;
	(void)io_take(&fd);
	return 0;
}

/* How many runs at the end are of one level. */
static size_t runs_alike(const struct sortrun *s)
{
	size_t n = 0;

	while (n < s->n_runs && s->runs[s->n_runs - 1 - n].level == s->runs[s->n_runs - 1].level)
		n++;
	return n;
}

static int spill_records(struct sortrun *s, struct err *err)
{
	if (write_run(s, err))
		return -1;
	while (runs_alike(s) >= FAN)
		if (merge_level(s, s->runs[s->n_runs - 1].level, err))
			return -1;
	return 0;
}

/* ---- the caller's side ---- */

static int grow_index(struct sortrun *s, struct err *err)
{
	size_t room = s->room ? 2 * s->room : 1024;
	size_t *more = s->n < s->room ? s->at : reallocarray(s->at, room, sizeof(*more));

	if (!more)
		return err_nomem(err);
	if (more != s->at || s->n == s->room)
		s->room = room;
	s->at = more;
	return 0;
}

int sortrun_add(struct sortrun *s, const char *path, const void *data, size_t n, struct err *err)
{
	struct head h = {s->seq++, 0, (uint32_t)n};
	size_t length = strlen(path) + 1, at = s->records.n;

	if (length > SORTRUN_PATH_MAX || n > SORTRUN_DATA_MAX)
		return err_nomem(err);
	h.path = (uint32_t)length;
	if (grow_index(s, err) || buf_append(&s->records, &h, sizeof(h), err) ||
	    buf_append(&s->records, path, length, err) || (n && buf_append(&s->records, data, n, err)))
		return -1;
	s->at[s->n++] = at;
	/* what says where a record is takes its place too */
	return s->records.n + s->n * sizeof(*s->at) >= s->memory ? spill_records(s, err) : 0;
}

int sortrun_sort(struct sortrun *s, struct err *err)
{
	s->sorted = true;
	s->next = 0;
	if (!s->n_runs) {
		if (s->n)
			qsort_r(s->at, s->n, sizeof(*s->at), by_record, s);
		return 0;
	}
	if (s->n && write_run(s, err))
		return -1;
	buf_free(&s->records);
	free(s->at);
	s->at = NULL;
	s->room = 0;
	return begin_merge(&s->merge, s->runs, s->n_runs, err);
}

int sortrun_next(
    struct sortrun *s, const char **ret_path, const void **ret_data, size_t *ret_n, struct err *err)
{
	const uint8_t *record = NULL;
	struct head h;

	if (s->n_runs) {
		if (merge_next(&s->merge, &record, err))
			return -1;
	} else if (s->next < s->n) {
		record = s->records.p + s->at[s->next++];
	}
	if (!record)
		return SORTRUN_END;
	memcpy(&h, record, sizeof(h));
	*ret_path = path_of(record);
	*ret_data = record + sizeof(h) + h.path;
	*ret_n = h.data;
	return 0;
}

size_t sortrun_memory(const struct sortrun *s)
{
	size_t n = s->records.cap + s->room * sizeof(*s->at);

	for (size_t i = 0; i < s->merge.n; i++)
		n += s->merge.cursors[i].bytes.cap;
	return n;
}
