/* linkmap: see linkmap.h.
 *
 * A scratch table: MDB_NOSYNC, removed when it is opened and when it is closed; of one thread under the state folder's lock, so
 * MDB_NOLOCK.  One write transaction is always open and is committed after TXN_WRITES changes, so that LMDB holds few changed
 * pages. */
#include "write/index/linkmap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <lmdb.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "write/index/cachedb.h"

#define TXN_WRITES 4096 /* dirty pages stay few */

struct linkmap {
	MDB_env *env;
	MDB_txn *txn;
	MDB_dbi dbi;
	unsigned writes;
	char *path;
	struct cachedb_pages pages;
};

/* A value is a struct head, the path with its NUL, the extents. */
struct head {
	uint64_t left;
	uint32_t flags;
	uint32_t has_extents;
};

struct key {
	uint64_t dev, ino;
};

static int failed(int r, struct err *err)
{
	return err_set(err, "E-LINK-01", text("the table of hard links failed: %s"), mdb_strerror(r));
}

static int open_all(struct linkmap *m)
{
	int r = cachedb_open(m->path, 0, MDB_NOSYNC | MDB_NOLOCK, &m->env);

	if (r)
		return r;
	if ((r = mdb_txn_begin(m->env, NULL, 0, &m->txn)))
		return r;
	return mdb_dbi_open(m->txn, NULL, 0, &m->dbi);
}

int linkmap_open(const char *path, struct linkmap **ret, struct err *err)
{
	struct linkmap *m = calloc(1, sizeof(*m));
	int r;

	if (!m || !(m->path = strdup(path))) {
		free(m);
		return err_nomem(err);
	}
	if (mkdir(path, 0700) && errno != EEXIST) {
		r = err_sys(err, "E-LINK-01", errno, text("cannot make folder '%s'"), path);
		linkmap_close(m);
		return r;
	}
	cachedb_remove(path);
	r = open_all(m);
	if (r) {
		linkmap_close(m);
		return failed(r, err);
	}
	*ret = m;
	return 0;
}

void linkmap_close(struct linkmap *m)
{
	if (!m)
		return;
	if (m->txn)
		mdb_txn_abort(m->txn);
	if (m->env)
		mdb_env_close(m->env);
	cachedb_remove(m->path);
	free(m->path);
	free(m);
}

static int wrote(struct linkmap *m)
{
	int r;

	if (++m->writes < TXN_WRITES)
		return 0;
	m->writes = 0;
	r = mdb_txn_commit(m->txn);
	m->txn = NULL;
	if (!r)
		r = mdb_txn_begin(m->env, NULL, 0, &m->txn);
	if (!r && !m->pages.map)
		cachedb_pages_of(m->txn, m->dbi, &m->pages);
	return r;
}

int linkmap_find(struct linkmap *m, dev_t dev, ino_t ino, struct buf *ret_path, struct buf *ret_extents,
    unsigned *ret_flags, struct err *err)
{
	struct key key = {dev, ino};
	MDB_val k = {sizeof(key), &key}, v;
	struct head head;
	const char *path;
	size_t n;
	int r = mdb_get(m->txn, m->dbi, &k, &v);

	cachedb_touched(&m->pages, 1);
	if (r == MDB_NOTFOUND)
		return 0;
	if (r)
		return failed(r, err);
	memcpy(&head, v.mv_data, sizeof(head));
	path = (const char *)v.mv_data + sizeof(head);
	n = strlen(path) + 1;
	if (buf_append(ret_path, path, n, err) ||
	    (head.has_extents && buf_append(ret_extents, path + n, v.mv_size - sizeof(head) - n, err)))
		return -1;
	*ret_flags = head.flags;
	if (--head.left == 0) {
		r = mdb_del(m->txn, m->dbi, &k, NULL);
	} else {
		BUF_AUTO copy = BUF_INIT((size_t)16 << 20);

		if (buf_append(&copy, v.mv_data, v.mv_size, err))
			return -1;
		memcpy(copy.p, &head, sizeof(head));
		v.mv_data = copy.p;
		r = mdb_put(m->txn, m->dbi, &k, &v, 0);
	}
	if (!r)
		r = wrote(m);
	return r ? failed(r, err) : 1;
}

int linkmap_add(struct linkmap *m, dev_t dev, ino_t ino, uint64_t names, const char *path,
    const char *extents, size_t extents_len, unsigned flags, struct err *err)
{
	struct key key = {dev, ino};
	struct head head = {names, flags, extents != NULL};
	BUF_AUTO value = BUF_INIT((size_t)16 << 20);
	MDB_val k = {sizeof(key), &key}, v;
	int r;

	if (buf_append(&value, &head, sizeof(head), err) || buf_append(&value, path, strlen(path) + 1, err) ||
	    (extents && buf_append(&value, extents, extents_len, err)))
		return -1;
	v = (MDB_val){value.n, value.p};
	r = mdb_put(m->txn, m->dbi, &k, &v, 0);
	cachedb_touched(&m->pages, 1);
	if (!r)
		r = wrote(m);
	return r ? failed(r, err) : 0;
}
