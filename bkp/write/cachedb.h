/* cachedb: the LMDB files behind the caches of a run (chunk index, table of hard links): bounded memory, may
 * be deleted at any time.  One folder holds one of them: data.mdb and lock.mdb. */
#ifndef BKP_WRITE_CACHEDB_H
#define BKP_WRITE_CACHEDB_H

struct MDB_env;

/* Opens or makes it in the folder `path`, which exists.  max_tables: named tables, 0: the unnamed one only;
 * flags: MDB_… beside MDB_NOTLS and MDB_NORDAHEAD.  0, or LMDB's error code; *ret_env is set in both cases
 * and belongs to the caller, who closes it with mdb_env_close() unless it is NULL. */
int cachedb_open(const char *path, unsigned max_tables, unsigned flags, struct MDB_env **ret_env);

/* Removes its files, not the folder.  What is not there, or no folder, is fine. */
void cachedb_remove(const char *path);

#endif
