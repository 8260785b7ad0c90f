/* file_cache_open: opening, and what a run that did not come to its end has left; see file_cache.h.
 *
 * The unfinished file says the newer thing of all paths up to its last one, the last complete file of those after
 * it.  settle_part() joins the two under the final name before anything is read.  Where that is not possible (no
 * room), the larger of the two stays: both are true of their time, and entries are compared with the files. */
#include "write/index/file_cache.h"

#include <stdio.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "write/index/file_cache_private.h"

#define LAST_MAX ((size_t)2 << 20)

struct opening {
	int dirfd;
	const char *repository, *dataset;
	char part[FILE_CACHE_NAME], whole[FILE_CACHE_NAME];
};

static bool any_archive(void *arg, const struct file_cache_archive *a)
{
	(void)arg;
	(void)a;
	return true;
}

/* The last path that stands in the file, and where its record ends; *last stays empty where there is none. */
static int last_path(struct file_cache_source *src, struct buf *last, uint64_t *ret_end, struct err *err)
{
	struct file_cache *s = NULL;
	struct file_cache_block *b = NULL;
	int r;

	if (file_cache_reader_new(src, NULL, any_archive, NULL, &s, err))
		return -1;
	while (!(r = file_cache_next(s, &b, err))) {
		last->n = 0;
		if (buf_puts(last, file_cache_entry(b, file_cache_entries(b) - 1)->path, err) ||
		    buf_terminate(last, err))
			r = -1;
		*ret_end = b->at + FILE_CACHE_FRAME + b->head + b->body;
		file_cache_block_free(b);
		if (r)
			break;
	}
	file_cache_close(s);
	return r == FILE_CACHE_END ? 0 : -1;
}

/* Appends to the unfinished file what the last complete one says about the paths after it. */
static int append_rest(const struct opening *o, struct file_cache_source *part, uint64_t end,
    struct file_cache_source *whole, const char *after, struct err *err)
{
	struct file_cache_writer *w = NULL;
	struct file_cache *s = NULL;
	struct file_cache_block *b = NULL;
	int r;

	if (file_cache_writer_resume(o->dirfd, o->repository, o->dataset, &part->key, end, &w, err))
		return -1;
	r = file_cache_reader_new(whole, after, any_archive, NULL, &s, err);
	while (!r && !(r = file_cache_next(s, &b, err))) {
		r = file_cache_copy_block(w, b, err);
		file_cache_block_free(b);
	}
	file_cache_close(s);
	if (r == FILE_CACHE_END)
		return file_cache_writer_commit(w, err);
	file_cache_writer_close(w);
	return -1;
}

/* Only memory is an error.  Where the disk is full, the one that says more stays. */
static int settle_part(const struct opening *o, struct file_cache_source *part, struct err *err)
{
	BUF_AUTO last = BUF_INIT(LAST_MAX);
	struct file_cache_source *whole = NULL;
	struct err why = ERR_INIT;
	uint64_t end = 0;
	int r;

	if (file_cache_source_open(o->dirfd, o->whole, o->repository, o->dataset, &whole, err) ||
	    last_path(part, &last, &end, err)) {
		file_cache_source_free(whole);
		return -1;
	}
	if (!last.n)
		r = unlinkat(o->dirfd, o->part, 0);
	else if (!whole)
		r = renameat(o->dirfd, o->part, o->dirfd, o->whole);
	else
		r = append_rest(o, part, end, whole, (const char *)last.p, &why);
	if (r && whole && part->size > whole->size)
		(void)!renameat(o->dirfd, o->part, o->dirfd, o->whole);
	file_cache_source_free(whole);
	return 0;
}

int file_cache_open(int dirfd, const char *repository, const char *dataset,
    file_cache_available_fn *available, void *arg, struct file_cache **ret, struct err *err)
{
	struct opening o = {.dirfd = dirfd, .repository = repository, .dataset = dataset};
	struct file_cache_source *src = NULL;
	int r;

	file_cache_name(dataset, ".cache.part", o.part);
	file_cache_name(dataset, ".cache", o.whole);
	if (file_cache_source_open(dirfd, o.part, repository, dataset, &src, err))
		return -1;
	if (src) {
		r = settle_part(&o, src, err);
		file_cache_source_free(src);
		src = NULL;
		if (r)
			return -1;
	}
	if (file_cache_source_open(dirfd, o.whole, repository, dataset, &src, err))
		return -1;
	r = file_cache_reader_new(src, NULL, available, arg, ret, err);
	file_cache_source_free(src);
	return r;
}
