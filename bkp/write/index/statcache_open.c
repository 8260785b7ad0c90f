/* statcache: see statcache.h.  Opening, and what a run that did not come to its end has left. */
#include "write/index/statcache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "write/index/statcache_private.h"

#define LAST_MAX ((size_t)2 << 20)

struct opening {
	int dirfd;
	const char *repository, *dataset;
	char part[STATCACHE_NAME], whole[STATCACHE_NAME];
};

static bool anything(void *arg, const struct statcache_archive *a)
{
	(void)arg;
	(void)a;
	return true;
}

/* The last path that stands in the file, and where its record ends; *last stays empty where there is none. */
static int last_path(struct statcache_source *src, struct buf *last, uint64_t *ret_end, struct err *err)
{
	struct statcache *s = NULL;
	struct statcache_block *b = NULL;
	int r;

	if (statcache_reader_new(src, NULL, anything, NULL, &s, err))
		return -1;
	while (!(r = statcache_next(s, &b, err))) {
		last->n = 0;
		if (buf_puts(last, statcache_entry(b, statcache_entries(b) - 1)->path, err) ||
		    buf_terminate(last, err))
			r = -1;
		*ret_end = b->at + STATCACHE_FRAME + b->head + b->body;
		statcache_block_free(b);
		if (r)
			break;
	}
	statcache_close(s);
	return r == STATCACHE_END ? 0 : -1;
}

/* Appends to the unfinished file what the last complete one says about the paths behind it. */
static int append_rest(const struct opening *o, struct statcache_source *part, uint64_t end,
    struct statcache_source *whole, const char *after, struct err *err)
{
	struct statcache_writer *w = NULL;
	struct statcache *s = NULL;
	struct statcache_block *b = NULL;
	int r;

	if (statcache_writer_resume(o->dirfd, o->repository, o->dataset, &part->key, end, &w, err))
		return -1;
	r = statcache_reader_new(whole, after, anything, NULL, &s, err);
	while (!r && !(r = statcache_next(s, &b, err))) {
		r = statcache_copy_block(w, b, err);
		statcache_block_free(b);
	}
	statcache_close(s);
	if (r == STATCACHE_END)
		return statcache_writer_commit(w, err);
	statcache_writer_close(w);
	return -1;
}

/* Only memory is an error.  Where the disk is full, the one that says more stays. */
static int settle(const struct opening *o, struct statcache_source *part, struct err *err)
{
	BUF_AUTO last = BUF_INIT(LAST_MAX);
	struct statcache_source *whole = NULL;
	struct err why = ERR_INIT;
	uint64_t end = 0;
	int r;

	if (statcache_source_open(o->dirfd, o->whole, o->repository, o->dataset, &whole, err) ||
	    last_path(part, &last, &end, err)) {
		statcache_source_free(whole);
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
	statcache_source_free(whole);
	return 0;
}

int statcache_open(int dirfd, const char *repository, const char *dataset, statcache_available_fn *available,
    void *arg, struct statcache **ret, struct err *err)
{
	struct opening o = {.dirfd = dirfd, .repository = repository, .dataset = dataset};
	struct statcache_source *src = NULL;
	int r;

	statcache_name(dataset, ".cache.part", o.part);
	statcache_name(dataset, ".cache", o.whole);
	if (statcache_source_open(dirfd, o.part, repository, dataset, &src, err))
		return -1;
	if (src) {
		r = settle(&o, src, err);
		statcache_source_free(src);
		src = NULL;
		if (r)
			return -1;
	}
	if (statcache_source_open(dirfd, o.whole, repository, dataset, &src, err))
		return -1;
	r = statcache_reader_new(src, NULL, available, arg, ret, err);
	statcache_source_free(src);
	return r;
}
