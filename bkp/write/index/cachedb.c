/* cachedb: see cachedb.h. */
#include "write/index/cachedb.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <lmdb.h>

#include "base/io.h"

#define LOCK_SIZE 16384		    /* more than the 126 readers that LMDB makes room for take */
#define MAP_SIZE  ((size_t)1 << 38) /* address space of a sparse file, not memory */
/* Times 64 KiB, which the kernel maps around a page, and the same again for the page above it in the tree. */
#define TOUCHED_MAX 400

/* LMDB makes its lock file long, maps it and writes into the hole: on a full disk that would be SIGBUS.  One
 * that is as long already it takes as it is. */
static int allocate_lock(const char *path)
{
	IO_FD_AUTO dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	IO_FD_AUTO fd =
	    dir < 0 ? -1 : openat(dir, "lock.mdb", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? errno : posix_fallocate(fd, 0, LOCK_SIZE);
}

/* LMDB's words are for its developers, and would stand in the mail that a person reads: what it means is told by who
 * outlives this. */
static void die_silently(MDB_env *env, const char *words)
{
	(void)env, (void)words;
	abort();
}

int cachedb_open(const char *path, unsigned max_tables, unsigned flags, struct MDB_env **ret_env)
{
	mdb_filehandle_t fd;
	int r;

	*ret_env = NULL;
	if ((r = allocate_lock(path)) || (r = mdb_env_create(ret_env)) ||
	    (r = mdb_env_set_assert(*ret_env, die_silently)) ||
	    (r = mdb_env_set_mapsize(*ret_env, MAP_SIZE)) || (r = mdb_env_set_maxdbs(*ret_env, max_tables)) ||
	    (r = mdb_env_open(*ret_env, path, flags | MDB_NOTLS | MDB_NORDAHEAD, 0600)) ||
	    (r = mdb_env_get_fd(*ret_env, &fd)))
		return r;
	fcntl(fd, F_SETFD, FD_CLOEXEC); /* LMDB leaves it open for the commands of data sets */
	return 0;
}

static void map_around(const void *inside, struct cachedb_pages *ret)
{
	FILE *f = fopen("/proc/self/maps", "re");
	uintptr_t from, to, at = (uintptr_t)inside;
	char line[512];

	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2 && at >= from && at < to &&
		    to - from == MAP_SIZE) {
			ret->map = (void *)from;
			ret->length = to - from;
			break;
		}
	fclose(f);
}

void cachedb_pages_of(struct MDB_txn *txn, unsigned table, struct cachedb_pages *ret)
{
	MDB_cursor *c;
	MDB_val k, v;

	*ret = (struct cachedb_pages){NULL, 0, 0};
	if (mdb_cursor_open(txn, table, &c))
		return;
	if (!mdb_cursor_get(c, &k, &v, MDB_FIRST))
		map_around(v.mv_data, ret);
	mdb_cursor_close(c);
}

void cachedb_touched(struct cachedb_pages *p, unsigned n)
{
	p->touched += n;
	if (p->touched < TOUCHED_MAX || !p->map)
		return;
	/* the map is shared and read-only: what is looked at again is found again */
	madvise(p->map, p->length, MADV_DONTNEED);
	p->touched = 0;
}

void cachedb_remove(const char *path)
{
	int dir = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return;
	unlinkat(dir, "data.mdb", 0);
	unlinkat(dir, "lock.mdb", 0);
	close(dir);
}
