/* file_cache_write: the writer; see file_cache.h and, for the bytes, file_cache_private.h.
 *
 * While every block is the same as in the last file, and in the same place, nothing is written: `prefix` counts how
 * much of the old file still holds.  The first record that differs begins the new file with a copy of that prefix
 * (begin_file()).  Bytes are held back up to OUT, or until AT_STAKE bytes of content would have to be read again.
 *
 * The commit is the rename in file_cache_writer_commit(), after fsync.  After an error `failed` is set and nothing
 * more is written; what is in the unfinished file stays, whole records only. */
#include "write/index/file_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <lz4.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/le.h"
#include "base/io.h"
#include "format/medium/catalog.h"
#include "write/index/file_cache_private.h"

#define OUT	   ((size_t)1 << 20)	/* bytes held back before they reach the file */
#define AT_STAKE   ((uint64_t)4 << 20)	/* bytes of content that need not be read again once they do */
#define AHEAD	   ((uint64_t)16 << 20) /* bytes after which the kernel is asked to begin writing them out */
#define PATH_LIMIT ((size_t)2 << 20)

struct file_cache_writer {
	int dirfd;
	char *repository, *dataset;
	struct file_cache_key key;
	struct file_cache_source *old; /* the last file; or NULL */
	uint64_t prefix; /* while nothing is written: bytes of the old file that are as they are now */
	int fd;		 /* of the unfinished file; -1: not begun */
	uint64_t written, asked;
	uint64_t at_stake; /* bytes of content of what is held back */
	struct buf out;
	bool failed;
	/* the block being made */
	struct buf entries, head, body, last_path;
	struct file_cache_archive *archives;
	size_t n_archives, cap_archives;
	size_t n, paths, refs;
	struct file_cache_entry last; /* for differences; path and archives are not kept in it */
	struct buf last_refs;	      /* indexes of the entry before, as they stand in the head */
};

static int writer_failed(struct file_cache_writer *w, int errnum, struct err *err)
{
	w->failed = true;
	return file_cache_failed(errnum, w->dataset, err);
}

static int writer_new(
    int dirfd, const char *repository, const char *dataset, struct file_cache_writer **ret, struct err *err)
{
	struct file_cache_writer *w = calloc(1, sizeof(*w));

	if (!w)
		return err_nomem(err);
	w->dirfd = dirfd;
	w->fd = -1;
	w->repository = strdup(repository);
	w->dataset = strdup(dataset);
	buf_init(&w->out, 2 * (FILE_CACHE_HEAD_MAX + FILE_CACHE_BODY_MAX + OUT));
	buf_init(&w->entries, FILE_CACHE_HEAD_MAX);
	buf_init(&w->head, FILE_CACHE_HEAD_MAX);
	buf_init(&w->body, FILE_CACHE_BODY_MAX);
	buf_init(&w->last_path, PATH_LIMIT);
	buf_init(&w->last_refs, FILE_CACHE_HEAD_MAX);
	if (!w->repository || !w->dataset) {
		file_cache_writer_close(w);
		return err_nomem(err);
	}
	*ret = w;
	return 0;
}

int file_cache_writer_open(
    int dirfd, const char *repository, const char *dataset, struct file_cache_writer **ret, struct err *err)
{
	struct file_cache_writer *w = NULL;
	char name[FILE_CACHE_NAME];

	if (writer_new(dirfd, repository, dataset, &w, err))
		return -1;
	file_cache_name(dataset, ".cache", name);
	if (file_cache_source_open(dirfd, name, repository, dataset, &w->old, err)) {
		file_cache_writer_close(w);
		return -1;
	}
	if (w->old)
		w->key = w->old->key;
	w->prefix = FILE_CACHE_HEADER;
	*ret = w;
	return 0;
}

int file_cache_writer_resume(int dirfd, const char *repository, const char *dataset,
    const struct file_cache_key *key, uint64_t end, struct file_cache_writer **ret, struct err *err)
{
	struct file_cache_writer *w = NULL;
	char name[FILE_CACHE_NAME];

	if (writer_new(dirfd, repository, dataset, &w, err))
		return -1;
	w->key = *key;
	file_cache_name(dataset, ".cache.part", name);
	w->fd = openat(dirfd, name, O_WRONLY | O_APPEND | O_NOFOLLOW | O_CLOEXEC);
	if (w->fd < 0 || ftruncate(w->fd, (off_t)end)) {
		writer_failed(w, errno, err);
		file_cache_writer_close(w);
		return -1;
	}
	*ret = w;
	return 0;
}

/* ---- to the file ---- */

static int flush_out(struct file_cache_writer *w, struct err *err)
{
	if (w->out.n && io_write_full(w->fd, w->out.p, w->out.n))
		return writer_failed(w, errno, err);
	w->written += w->out.n;
	w->out.n = 0;
	w->at_stake = 0;
	if (w->written - w->asked >= AHEAD) { /* so that there is little left to wait for at the end */
		(void)!sync_file_range(w->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
		w->asked = w->written;
	}
	return 0;
}

static int put_bytes(struct file_cache_writer *w, const void *p, size_t n, struct err *err)
{
	if (buf_append(&w->out, p, n, err)) {
		w->failed = true;
		return -1;
	}
	return w->out.n >= OUT || w->at_stake >= AT_STAKE ? flush_out(w, err) : 0;
}

/* Makes the unfinished file, with all that was found to be as in the last one. */
static int begin_file(struct file_cache_writer *w, struct err *err)
{
	uint8_t header[FILE_CACHE_HEADER];
	char name[FILE_CACHE_NAME];

	if (w->failed)
		return file_cache_failed(EIO, w->dataset, err);
	if (w->fd >= 0)
		return 0;
	file_cache_name(w->dataset, ".cache.part", name);
	if (unlinkat(w->dirfd, name, 0) && errno != ENOENT)
		return writer_failed(w, errno, err);
	w->fd = openat(w->dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (w->fd < 0)
		return writer_failed(w, errno, err);
	file_cache_header_make(w->repository, w->dataset, &w->key, header);
	if (put_bytes(w, header, sizeof(header), err))
		return -1;
	for (uint64_t at = FILE_CACHE_HEADER; at < w->prefix;) {
		size_t n = w->prefix - at < OUT ? (size_t)(w->prefix - at) : OUT;

		if (buf_reserve(&w->out, n, err))
			return -1;
		if (file_cache_source_read(w->old, at, w->out.p + w->out.n, n))
			return writer_failed(w, errno, err);
		w->out.n += n;
		at += n;
		if (flush_out(w, err))
			return -1;
	}
	return 0;
}

static int put_frame(struct file_cache_writer *w, struct err *err)
{
	uint8_t frame[FILE_CACHE_FRAME];

	file_cache_frame_make(&w->key, w->head.p, w->head.n, w->body.n, frame);
	return put_bytes(w, frame, sizeof(frame), err) || put_bytes(w, w->head.p, w->head.n, err) ||
		       put_bytes(w, w->body.p, w->body.n, err)
		   ? -1
		   : 0;
}

/* ---- heads ---- */

static int put_number(struct buf *b, uint64_t v, struct err *err)
{
	uint8_t p[10];
	size_t n = 0;

	for (; v > 127; v >>= 7)
		p[n++] = (uint8_t)(v | 128);
	p[n++] = (uint8_t)v;
	return buf_append(b, p, n, err);
}

static int put_difference(struct buf *b, uint64_t now, uint64_t before, struct err *err)
{
	uint64_t d = now - before;

	return put_number(b, d << 1 ^ (0 - (d >> 63)), err);
}

/* The archive's index in the block's table. */
static int index_of(
    struct file_cache_writer *w, const struct file_cache_archive *a, size_t *hint, struct err *err)
{
	size_t i, n = w->n_archives;

	/* lists ascend mostly, and are as those before */
	for (i = 0; i < n; i++) {
		size_t k = *hint + i < n ? *hint + i : *hint + i - n;

		if (w->archives[k].number == a->number && w->archives[k].run == a->run) {
			*hint = k;
			return 0;
		}
	}
	if (n == w->cap_archives) {
		size_t cap = n ? 2 * n : 16;
		struct file_cache_archive *more = reallocarray(w->archives, cap, sizeof(*more));

		if (!more)
			return err_nomem(err);
		w->archives = more;
		w->cap_archives = cap;
	}
	w->archives[n] = *a;
	w->n_archives++;
	*hint = n;
	return 0;
}

static int put_archives(
    struct file_cache_writer *w, const struct file_cache_entry *e, struct buf *out, struct err *err)
{
	size_t hint = 0;

	if (put_number(out, e->n_archives, err))
		return -1;
	for (size_t i = 0; i < e->n_archives; i++) {
		if (index_of(w, &e->archives[i], &hint, err) || put_number(out, hint, err))
			return -1;
		hint = hint + 1 < w->n_archives ? hint + 1 : 0;
	}
	return 0;
}

static int put_entry(
    struct file_cache_writer *w, const struct file_cache_entry *e, uint64_t flags, struct err *err)
{
	const char *before = w->n ? (const char *)w->last_path.p : "";
	const struct file_cache_entry *l = &w->last;
	struct buf *b = &w->entries;
	size_t shared = 0, len = strlen(e->path);
	uint8_t profile[PROFILE_BYTES] = {e->profile.kind};

	le_put(profile + 1, e->profile.inside, 2);

	while (before[shared] && before[shared] == e->path[shared])
		shared++;
	w->paths += len + 1;
	return put_number(b, flags, err) || put_number(b, shared, err) || put_number(b, len - shared, err) ||
	       buf_append(b, e->path + shared, len - shared, err) || put_number(b, e->length, err) ||
	       put_number(b, e->st.mode, err) || buf_append(b, profile, PROFILE_BYTES, err) ||
	       put_difference(b, e->st.ino, l->st.ino, err) || put_number(b, e->st.size, err) ||
	       (!(flags & ENTRY_SIZE) && put_number(b, e->bytes, err)) ||
	       put_difference(b, (uint64_t)e->st.mtime_ns, (uint64_t)l->st.mtime_ns, err) ||
	       put_difference(b, (uint64_t)e->st.ctime_ns, (uint64_t)e->st.mtime_ns, err);
}

int file_cache_add(struct file_cache_writer *w, const struct file_cache_entry *e, struct err *err)
{
	BUF_AUTO refs = BUF_INIT(FILE_CACHE_HEAD_MAX);
	uint64_t flags = (e->st.believed ? ENTRY_BELIEVED : 0u) | (e->file ? ENTRY_FILE : 0u) |
			 (e->linked ? ENTRY_LINKED : 0u) | (e->bytes == e->st.size ? ENTRY_SIZE : 0u);

	if (begin_file(w, err))
		return -1;
	w->failed = true; /* until it has been added whole */
	if (put_archives(w, e, &refs, err))
		return -1;
	if (refs.n == w->last_refs.n && w->n && !memcmp(refs.p, w->last_refs.p, refs.n))
		flags |= ENTRY_SAME;
	if (put_entry(w, e, flags, err))
		return -1;
	if (!(flags & ENTRY_SAME)) {
		w->refs += e->n_archives;
		w->last_refs.n = 0;
		if (buf_append(&w->entries, refs.p, refs.n, err) ||
		    buf_append(&w->last_refs, refs.p, refs.n, err))
			return -1;
	}
	w->last_path.n = 0;
	if (buf_puts(&w->last_path, e->path, err) || buf_terminate(&w->last_path, err))
		return -1;
	w->last = *e;
	w->at_stake += e->bytes;
	w->n++;
	w->failed = false;
	return 0;
}

static int make_head(struct file_cache_writer *w, const char *place, const struct file_cache_archive *in,
    bool full, size_t raw, struct err *err)
{
	uint8_t check[FILE_CACHE_CHECK];
	struct buf *h = &w->head;
	size_t own = 0;

	if (index_of(w, in, &own, err))
		return -1;
	file_cache_check(NULL, w->body.p, w->body.n, check);
	h->n = 0;
	if (put_number(h, full ? HEAD_FULL : 0, err) || put_number(h, w->n_archives, err) ||
	    put_number(h, strlen(place), err) || put_number(h, raw, err) || put_number(h, w->n, err) ||
	    put_number(h, w->paths, err) || put_number(h, w->refs, err) ||
	    buf_append(h, check, sizeof(check), err))
		return -1;
	for (size_t i = 0; i < w->n_archives; i++)
		if (put_number(h, w->archives[i].number, err) || put_number(h, w->archives[i].run, err))
			return -1;
	return put_number(h, own, err) || buf_puts(h, place, err) ||
		       buf_append(h, w->entries.p, w->entries.n, err)
		   ? -1
		   : 0;
}

int file_cache_end_block(struct file_cache_writer *w, const char *place, const struct file_cache_archive *in,
    bool full, const void *bytes, size_t n, struct err *err)
{
	int made;

	if (begin_file(w, err))
		return -1;
	if (n > CATALOG_BLOCK_MAX || !w->n)
		return writer_failed(w, EINVAL, err);
	w->body.n = 0;
	if (buf_reserve(&w->body, (size_t)LZ4_compressBound((int)n), err))
		return -1;
	made = LZ4_compress_default(bytes, (char *)w->body.p, (int)n, LZ4_compressBound((int)n));
	if (made <= 0)
		return writer_failed(w, EINVAL, err);
	w->body.n = (size_t)made;
	if (make_head(w, place, in, full, n, err) || put_frame(w, err)) {
		w->failed = true;
		return -1;
	}
	w->entries.n = w->last_refs.n = 0;
	w->n_archives = w->n = w->paths = w->refs = 0;
	memset(&w->last, 0, sizeof(w->last));
	return 0;
}

/* ---- blocks as they are ---- */

/* The block comes from a file with another salt. */
static int put_again(struct file_cache_writer *w, const struct file_cache_block *b, struct err *err)
{
	const struct file_cache_source *s = b->source;
	uint8_t frame[FILE_CACHE_FRAME], check[FILE_CACHE_CHECK];

	w->head.n = w->body.n = 0;
	if (buf_reserve(&w->head, b->head, err) || buf_reserve(&w->body, b->body, err))
		return -1;
	if (file_cache_source_read(s, b->at, frame, sizeof(frame)) ||
	    file_cache_source_read(s, b->at + FILE_CACHE_FRAME, w->head.p, b->head) ||
	    file_cache_source_read(s, b->at + FILE_CACHE_FRAME + b->head, w->body.p, b->body))
		return writer_failed(w, EIO, err);
	w->head.n = b->head;
	w->body.n = b->body;
	file_cache_check(&s->key, w->head.p, w->head.n, check);
	if (memcmp(check, frame + 16, FILE_CACHE_CHECK) != 0)
		return writer_failed(w, EIO, err);
	return put_frame(w, err);
}

int file_cache_copy_block(struct file_cache_writer *w, const struct file_cache_block *b, struct err *err)
{
	const struct file_cache_source *s = b->source;
	size_t n = FILE_CACHE_FRAME + (size_t)b->head + b->body;

	if (w->fd < 0 && !w->failed && w->old && s->dev == w->old->dev && s->ino == w->old->ino &&
	    b->at == w->prefix) {
		w->prefix += n;
		return 0;
	}
	if (begin_file(w, err))
		return -1;
	if (memcmp(s->key.salt, w->key.salt, FILE_CACHE_SALT) != 0)
		return put_again(w, b, err);
	if (buf_reserve(&w->out, n, err))
		return -1;
	if (file_cache_source_read(s, b->at, w->out.p + w->out.n, n))
		return writer_failed(w, EIO, err);
	w->out.n += n;
	return w->out.n >= OUT ? flush_out(w, err) : 0;
}

/* ---- end ---- */

int file_cache_writer_commit(struct file_cache_writer *w, struct err *err)
{
	char part[FILE_CACHE_NAME], whole[FILE_CACHE_NAME];
	int r = 0;

	if (w->fd < 0 && !w->failed && w->old && w->prefix == w->old->size) {
		file_cache_writer_close(w);
		return 0;
	}
	file_cache_name(w->dataset, ".cache.part", part);
	file_cache_name(w->dataset, ".cache", whole);
	if (begin_file(w, err) || flush_out(w, err))
		r = -1;
	else if (fsync(w->fd) || close(io_take(&w->fd)) || renameat(w->dirfd, part, w->dirfd, whole))
		r = writer_failed(w, errno, err);
	else
		r = io_sync_dir(w->dirfd, err);
	file_cache_writer_close(w);
	return r;
}

void file_cache_writer_close(struct file_cache_writer *w)
{
	if (!w)
		return;
	if (w->fd >= 0 && !w->failed)
		(void)!flush_out(w, NULL);
	io_close_quietly(&w->fd);
	file_cache_source_free(w->old);
	buf_free(&w->out);
	buf_free(&w->entries);
	buf_free(&w->head);
	buf_free(&w->body);
	buf_free(&w->last_path);
	buf_free(&w->last_refs);
	free(w->archives);
	free(w->repository);
	free(w->dataset);
	free(w);
}
