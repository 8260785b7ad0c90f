/* cachedb: see cachedb.h. */
#include "write/cachedb.h"

#include <fcntl.h>
#include <stddef.h>
#include <unistd.h>

#include <lmdb.h>

#define MAP_SIZE ((size_t)1 << 38) /* address space of a sparse file, not memory */

int cachedb_open(const char *path, unsigned max_tables, unsigned flags, struct MDB_env **ret_env)
{
	mdb_filehandle_t fd;
	int r;

	*ret_env = NULL;
	if ((r = mdb_env_create(ret_env)) || (r = mdb_env_set_mapsize(*ret_env, MAP_SIZE)) ||
	    (r = mdb_env_set_maxdbs(*ret_env, max_tables)) ||
	    (r = mdb_env_open(*ret_env, path, flags | MDB_NOTLS | MDB_NORDAHEAD, 0600)) ||
	    (r = mdb_env_get_fd(*ret_env, &fd)))
		return r;
	fcntl(fd, F_SETFD, FD_CLOEXEC); /* LMDB leaves it open for the commands of data sets */
	return 0;
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
