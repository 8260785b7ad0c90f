/* cachedb: the LMDB files behind the caches of a run (chunk index, table of hard links): bounded memory, may
 * be deleted at any time.  One folder holds one of them: data.mdb and lock.mdb. */
#ifndef BKP_WRITE_INDEX_CACHEDB_H
#define BKP_WRITE_INDEX_CACHEDB_H

#include <stddef.h>

struct MDB_env;
struct MDB_txn;

/* Opens or makes it in the folder `path`, which exists.  max_tables: named tables, 0: the unnamed one only;
 * flags: MDB_… beside MDB_NOTLS and MDB_NORDAHEAD.  0, or LMDB's error code; *ret_env is set in both cases
 * and belongs to the caller, who closes it with mdb_env_close() unless it is NULL. */
int cachedb_open(const char *path, unsigned max_tables, unsigned flags, struct MDB_env **ret_env);

/* Pages of the map that were looked at count as memory of the process, 16 at a time when they are in the page
 * cache, until they are let go; they stay in the page cache.  Where the map cannot be found they stay. */
struct cachedb_pages {
	void *map; /* NULL: unknown */
	size_t length;
	unsigned touched;
};
/* Finds the map by any record of `table`. */
void cachedb_pages_of(struct MDB_txn *txn, unsigned table, struct cachedb_pages *ret);
/* So many records at random places were looked at since; lets the pages go once they may be more than 50 MiB.
 */
void cachedb_touched(struct cachedb_pages *p, unsigned n);

/* Removes its files, not the folder.  What is not there, or no folder, is fine. */
void cachedb_remove(const char *path);

#endif
