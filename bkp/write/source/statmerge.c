/* statmerge: see statmerge.h. */
#include "write/source/statmerge.h"

#include <stdlib.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/path.h"
#include "write/index/statcache.h"
#include "write/source/walk.h"

struct statmerge {
	struct statcache *cache;
	struct statcache_block *block; /* being gone through; NULL: none yet, or no more */
	size_t from, at;	       /* entries from..at-1 are clean and held back */
	bool ended, disbelieve;
	statmerge_gone_fn *gone;
	void *gone_arg;
};

int statmerge_new(struct statcache *cache, struct statmerge **ret, struct err *err)
{
	struct statmerge *m = calloc(1, sizeof(*m));

	if (!m)
		return err_nomem(err);
	m->cache = cache;
	m->ended = !cache;
	*ret = m;
	return 0;
}

void statmerge_disbelieve(struct statmerge *m)
{
	m->disbelieve = true;
}

void statmerge_on_gone(struct statmerge *m, statmerge_gone_fn *fn, void *arg)
{
	m->gone = fn;
	m->gone_arg = arg;
}

struct statmerge_was statmerge_was(const struct statcache_entry *e)
{
	return (struct statmerge_was){e->st.ino, e->st.size, e->st.mtime_ns, e->st.ctime_ns, e->kind};
}

void statmerge_free(struct statmerge *m)
{
	if (!m)
		return;
	statcache_block_free(m->block);
	free(m);
}

/* Hands out what is held back.  `last`: the block ends here, whatever may come. */
static void release(struct statmerge *m, bool last, struct statmerge_result *ret)
{
	size_t n = m->block ? statcache_entries(m->block) : 0;

	if (m->from == m->at)
		return;
	ret->ranges[ret->n_ranges++] = (struct statmerge_range){
	    .block = statcache_block_ref(m->block),
	    .from = m->from,
	    .to = m->at,
	    .whole =
		m->from == 0 && m->at == n && statcache_whole(m->block) && (last || statcache_full(m->block)),
	};
	m->from = m->at;
}

/* The block is gone through; what was held back of it is handed out. */
static void drop(struct statmerge *m, struct statmerge_result *ret)
{
	release(m, false, ret);
	statcache_block_free(m->block);
	m->block = NULL;
	m->from = m->at = 0;
}

/* The next remembered entry; NULL: there is none, or -1 in *ret_r. */
static const struct statcache_entry *current(
    struct statmerge *m, struct statmerge_result *ret, int *ret_r, struct err *err)
{
	int r;

	if (m->block && m->at < statcache_entries(m->block))
		return statcache_entry(m->block, m->at);
	if (m->block)
		drop(m, ret);
	if (m->ended)
		return NULL;
	r = statcache_next(m->cache, &m->block, err);
	if (r < 0)
		*ret_r = -1;
	m->ended = r != 0;
	return r ? NULL : statcache_entry(m->block, 0);
}

/* The entry at hand has vanished. */
static int pass_over(struct statmerge *m, const struct statcache_entry *e, struct statmerge_result *ret)
{
	int r = m->gone && e->file ? m->gone(m->gone_arg, e) : 0;

	release(m, false, ret);
	m->from = ++m->at;
	return r;
}

static int give_up(struct statmerge_result *ret)
{
	while (ret->n_ranges)
		statcache_block_free(ret->ranges[--ret->n_ranges].block);
	return -1;
}

int statmerge_item(
    struct statmerge *m, const struct walk_item *it, struct statmerge_result *ret, struct err *err)
{
	const struct statcache_entry *e;
	int order = 1, r = 0;

	*ret = (struct statmerge_result){.kind = STATMERGE_READ};
	if (!*it->path || S_ISSOCK(it->st.st_mode))
		return 0;
	while (!r && (e = current(m, ret, &r, err)) && (order = path_compare(e->path, it->path)) < 0)
		r = pass_over(m, e, ret);
	if (r)
		return give_up(ret);
	if (e && order == 0 && !m->disbelieve && !it->error && !it->mount &&
	    statcache_same(&e->st, &it->st)) {
		if (!e->linked && (S_ISDIR(it->st.st_mode) || it->st.st_nlink < 2)) {
			ret->kind = STATMERGE_CLEAN;
			m->at++;
			/* a block that was ended by a cut ends here again; another only if nothing follows */
			if (m->at == statcache_entries(m->block) && statcache_full(m->block))
				drop(m, ret);
			return 0;
		}
		ret->kind = STATMERGE_SAME;
		ret->block = statcache_block_ref(m->block);
		ret->index = m->at;
	}
	if (m->block)
		release(m, false, ret);
	if (e && order == 0) {
		ret->known = e->file;
		ret->was = statmerge_was(e);
		m->from = ++m->at;
	}
	return 0;
}

int statmerge_end(struct statmerge *m, struct statmerge_result *ret, struct err *err)
{
	const struct statcache_entry *e;
	int r = 0;

	*ret = (struct statmerge_result){.kind = STATMERGE_READ};
	if (m->block)
		release(m, true, ret);
	while (!r && (e = current(m, ret, &r, err)))
		r = pass_over(m, e, ret);
	return r ? give_up(ret) : 0;
}
