/* state_place: see state_place.h. */
#include "write/state/state_place.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "read/vault/repository.h"

int state_place_refuse(const struct state_place *m, const char *why, struct err *err)
{
	char show[256];

	return err_set(err, "E-STATE-06", text("a state folder cannot be made at '%s': %s"),
	    path_show(m->path, show, sizeof(show)), why);
}

/* Splits the path and opens the folder that will hold it. */
int state_place_open(struct state_place *m, struct err *err)
{
	size_t n = strlen(m->path), start;
	char *parent;

	while (n > 1 && m->path[n - 1] == '/')
		n--;
	for (start = n; start && m->path[start - 1] != '/';)
		start--;
	if (n == start || n - start > STATE_PLACE_NAME ||
	    !memcmp(m->path + start, "..", n - start < 2 ? n - start : 2))
		return state_place_refuse(m, text("the name of the folder is not usable"), err);
	snprintf(m->name, sizeof(m->name), "%.*s", (int)(n - start), m->path + start);
	snprintf(m->tmp, sizeof(m->tmp), ".%s.new", m->name);
	parent = start ? strndup(m->path, start) : strdup(".");
	if (!parent)
		return err_nomem(err);
	m->parent = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (m->parent < 0) {
		err_sys(err, "E-STATE-06", errno, text("cannot open folder '%s'"), parent);
		err_hint(err, text("make it first: mkdir -p '%s'"), parent);
	}
	free(parent);
	return m->parent < 0 ? -1 : 0;
}

static int stop_at_first(void *arg, const char *name, struct err *err)
{
	(void)arg, (void)name, (void)err;
	return 1;
}

/* What stands at the place: nothing or an empty folder is fine. */
int state_place_check(const struct state_place *m, struct err *err)
{
	IO_FD_AUTO fd = openat(m->parent, m->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;
	char show[256];

	if (fd < 0)
		return errno == ENOENT ? 0 : state_place_refuse(m, text_errno(errno), err);
	path_show(m->path, show, sizeof(show));
	if (!fstatat(fd, REPOSITORY_JSON, &st, AT_SYMLINK_NOFOLLOW)) {
		err_set(err, "E-STATE-05", text("a repository exists already in '%s'"), show);
		err_hint(err, "%s", text("it is in use; see it with 'bkp journal show'"));
		return STATE_EXISTS;
	}
	if (io_each_name(fd, stop_at_first, NULL, err) != 0) {
		err_set(err, "E-STATE-07", text("'%s' is not empty and is not a state folder"), show);
		return err_hint(err, "%s", text("name another folder as 'state' in the policy"));
	}
	return 0;
}

/* ---- what an init that died left behind: never a repository, nobody was told its keys ---- */

#define DEPTH_MAX 2 /* keys/<n>/<file> */

struct clearing {
	int dir;
	int depth;
	state_place_ours_fn *ours; /* of depth 0 */
};

static int clear_name(void *arg, const char *name, struct err *err);

static int clear_folder(int dir, const char *name, int depth)
{
	IO_FD_AUTO fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct clearing c = {fd, depth, NULL};

	if (fd < 0)
		return errno == ENOENT ? 0 : -1;
	if (io_each_name(fd, clear_name, &c, NULL))
		return -1;
	return unlinkat(dir, name, AT_REMOVEDIR) && errno != ENOENT ? -1 : 0;
}

static int clear_name(void *arg, const char *name, struct err *err)
{
	const struct clearing *c = arg;

	(void)err;
	if (!unlinkat(c->dir, name, 0) || errno == ENOENT)
		return 0;
	return errno == EISDIR && c->depth < DEPTH_MAX ? clear_folder(c->dir, name, c->depth + 1) : -1;
}

static int clear_ours(void *arg, const char *name, struct err *err)
{
	const struct clearing *c = arg;

	return c->ours(name) ? clear_name(arg, name, err) : 0;
}

static int clear_leftover(const struct state_place *m, struct err *err)
{
	struct clearing c = {m->dir, 0, m->ours};

	if (io_each_name(m->dir, clear_ours, &c, NULL) || fchmod(m->dir, 0700))
		return state_place_refuse(m, text_errno(errno), err);
	return 0;
}

/* The folder being filled, locked: of two inits at once only one goes on. */
int state_place_begin(struct state_place *m, struct err *err)
{
	struct stat held, named;
	int r;

	if (mkdirat(m->parent, m->tmp, 0700) && errno != EEXIST)
		return state_place_refuse(m, text_errno(errno), err);
	m->dir = io_open_dir(m->parent, m->tmp, err);
	if (m->dir < 0)
		return -1;
	r = io_lock(m->dir, err);
	if (!r && (fstat(m->dir, &held) || fstatat(m->parent, m->tmp, &named, AT_SYMLINK_NOFOLLOW) ||
		      held.st_ino != named.st_ino || held.st_dev != named.st_dev))
		r = IO_BUSY; /* the other one was quicker and has renamed it */
	if (r == IO_BUSY) {
		err_set(err, "E-STATE-02", "%s", text("another 'bkp init' is running"));
		return STATE_BUSY;
	}
	return r ? r : clear_leftover(m, err);
}

/* rename(2) replaces an empty folder and nothing else: the last look and the step are one. */
int state_place_publish(const struct state_place *m, struct err *err)
{
	int r;

	if (renameat(m->parent, m->tmp, m->parent, m->name)) {
		int errnum = errno;

		if ((errnum == ENOTEMPTY || errnum == EEXIST) && (r = state_place_check(m, err)))
			return r;
		state_place_refuse(m, text_errno(errnum), err);
		return errnum == EBUSY ? err_hint(err, "%s", text("name a folder below the mount point"))
				       : -1;
	}
	return io_sync_dir(m->parent, err);
}

bool state_place_discard(const struct state_place *m)
{
	struct stat held, named;

	/* a rename that was done but could not be made durable is not undone: the repository is there */
	if (fstat(m->dir, &held) || fstatat(m->parent, m->tmp, &named, AT_SYMLINK_NOFOLLOW) ||
	    held.st_ino != named.st_ino)
		return false;
	if (!clear_leftover(m, NULL))
		unlinkat(m->parent, m->tmp, AT_REMOVEDIR);
	return true;
}

void state_place_close(struct state_place *m)
{
	io_close_quietly(&m->dir);
	io_close_quietly(&m->parent);
}
