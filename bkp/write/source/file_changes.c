/* file_changes: see file_changes.h.
 *
 * A merge of two sorted sequences: the walk's items and the remembered entries (`block` at `at`).  Entries
 * [from, at) of the block were found as they were and are held back; release_range() hands them out as a range
 * as soon as anything else comes between or the block ends.  An item hands out two ranges at most
 * (FILE_CHANGES_RANGES): the end of one block, and the beginning of the next. */
#include "write/source/file_changes.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/path.h"
#include "write/index/file_cache.h"
#include "write/source/walk.h"

struct file_changes {
	struct file_cache *cache;
	struct file_cache_block *block; /* being gone through; NULL: none yet, or no more */
	size_t from, at;		/* entries from..at-1 are clean and held back */
	bool ended, disbelieve;
	file_changes_gone_fn *gone;
	void *gone_arg;
};

int file_changes_new(struct file_cache *cache, struct file_changes **ret, struct err *err)
{
	struct file_changes *m = calloc(1, sizeof(*m));

	if (!m)
		return err_nomem(err);
	m->cache = cache;
	m->ended = !cache;
	*ret = m;
	return 0;
}

void file_changes_disbelieve(struct file_changes *m)
{
	m->disbelieve = true;
}

void file_changes_on_gone(struct file_changes *m, file_changes_gone_fn *fn, void *arg)
{
	m->gone = fn;
	m->gone_arg = arg;
}

struct file_changes_was file_changes_was(const struct file_cache_entry *e)
{
	return (struct file_changes_was){e->st.ino, e->st.size, e->st.mtime_ns, e->st.ctime_ns, e->profile};
}

void file_changes_free(struct file_changes *m)
{
	if (!m)
		return;
	file_cache_block_free(m->block);
	free(m);
}

/* Hands out what is held back.  `last`: the block ends here, whatever may come. */
static void release_range(struct file_changes *m, bool last, struct file_changes_result *ret)
{
	size_t n = m->block ? file_cache_entries(m->block) : 0;

	if (m->from == m->at)
		return;
	ret->ranges[ret->n_ranges++] = (struct file_changes_range){
	    .block = file_cache_block_ref(m->block),
	    .from = m->from,
	    .to = m->at,
	    .whole = m->from == 0 && m->at == n && file_cache_whole(m->block) &&
		     (last || file_cache_full(m->block)),
	};
	m->from = m->at;
}

/* The block is gone through; what was held back of it is handed out. */
static void drop_block(struct file_changes *m, struct file_changes_result *ret)
{
	release_range(m, false, ret);
	file_cache_block_free(m->block);
	m->block = NULL;
	m->from = m->at = 0;
}

/* The next remembered entry; NULL: there is none, or -1 in *ret_r. */
static const struct file_cache_entry *current_entry(
    struct file_changes *m, struct file_changes_result *ret, int *ret_r, struct err *err)
{
	int r;

	if (m->block && m->at < file_cache_entries(m->block))
		return file_cache_entry(m->block, m->at);
	if (m->block)
		drop_block(m, ret);
	if (m->ended)
		return NULL;
	r = file_cache_next(m->cache, &m->block, err);
	if (r < 0)
		*ret_r = -1;
	m->ended = r != 0;
	return r ? NULL : file_cache_entry(m->block, 0);
}

/* The current entry has vanished. */
static int pass_over(
    struct file_changes *m, const struct file_cache_entry *e, struct file_changes_result *ret)
{
	int r = m->gone && e->file ? m->gone(m->gone_arg, e) : 0;

	release_range(m, false, ret);
	m->from = ++m->at;
	return r;
}

static int give_up(struct file_changes_result *ret)
{
	while (ret->n_ranges)
		file_cache_block_free(ret->ranges[--ret->n_ranges].block);
	return -1;
}

/* Its content may be another, or only its times, mode or owner. */
static bool may_hold_the_same(const struct file_cache_entry *e, const struct stat *now)
{
	return e->file && S_ISREG(now->st_mode) && e->st.size == (uint64_t)now->st_size;
}

int file_changes_item(
    struct file_changes *m, const struct walk_item *it, struct file_changes_result *ret, struct err *err)
{
	const struct file_cache_entry *e;
	int order = 1, r = 0;

	*ret = (struct file_changes_result){.kind = FILE_CHANGES_READ};
	if (!*it->path || S_ISSOCK(it->st.st_mode))
		return 0;
	while (!r && (e = current_entry(m, ret, &r, err)) && (order = path_compare(e->path, it->path)) < 0)
		r = pass_over(m, e, ret);
	if (r)
		return give_up(ret);
	if (e && order == 0 && !m->disbelieve && !it->error && !it->mount &&
	    file_cache_same(&e->st, &it->st)) {
		if (!e->linked && (S_ISDIR(it->st.st_mode) || it->st.st_nlink < 2)) {
			ret->kind = FILE_CHANGES_CLEAN;
			m->at++;
			/* a block that was ended by a cut ends here again; another only if nothing follows */
			if (m->at == file_cache_entries(m->block) && file_cache_full(m->block))
				drop_block(m, ret);
			return 0;
		}
		ret->kind = FILE_CHANGES_SAME;
	}
	if (m->block)
		release_range(m, false, ret);
	if (e && order == 0) {
		if (ret->kind == FILE_CHANGES_SAME || may_hold_the_same(e, &it->st))
			ret->block = file_cache_block_ref(m->block);
		ret->index = m->at;
		ret->known = e->file;
		ret->was = file_changes_was(e);
		m->from = ++m->at;
	}
	return 0;
}

int file_changes_end(struct file_changes *m, struct file_changes_result *ret, struct err *err)
{
	const struct file_cache_entry *e;
	int r = 0;

	*ret = (struct file_changes_result){.kind = FILE_CHANGES_READ};
	if (m->block)
		release_range(m, true, ret);
	while (!r && (e = current_entry(m, ret, &r, err)))
		r = pass_over(m, e, ret);
	return r ? give_up(ret) : 0;
}
