/* within: see within.h.
 *
 * climbs_to() goes up by ".." from an open folder and compares device and inode at each step, until it meets
 * the folder or the root: no text of a path is compared.  Descriptors are O_PATH, so nothing need be
 * readable.
 */
#include "restore/app/within.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/app/app.h"

#define LOOK (O_PATH | O_DIRECTORY | O_CLOEXEC)

static bool same_folder(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static bool climbs_to(int fd, int folder)
{
	IO_FD_AUTO at = openat(fd, ".", LOOK);
	struct stat top, here, above;

	if (at < 0 || fstat(folder, &top) || fstat(at, &here))
		return false;
	while (!same_folder(&here, &top)) {
		int up = openat(at, "..", LOOK);

		if (up < 0 || fstat(up, &above) || same_folder(&above, &here)) {
			io_close_quietly(&up);
			return false;
		}
		io_close_quietly(&at);
		at = up;
		here = above;
	}
	return true;
}

/* 1: path lies in the folder, 0: it does not, -1: there is no such path. */
static int lies_in(const char *path, int folder)
{
	IO_FD_AUTO fd = open(path, LOOK);

	return fd < 0 ? -1 : climbs_to(fd, folder);
}

/* Takes the last component off; false when there is none. */
static bool cut_component(char *path)
{
	size_t n = strlen(path);

	while (n && path[n - 1] == '/')
		n--;
	while (n && path[n - 1] != '/')
		n--;
	path[n] = '\0';
	return n > 0;
}

int within_nearest(const char *path)
{
	char *p = strdup(path);
	int fd = p ? open(p, LOOK) : -1;

	if (!p)
		return -1;
	while (fd < 0 && cut_component(p))
		fd = open(p, LOOK);
	free(p);
	return fd < 0 ? open(".", LOOK) : fd;
}

/* The folder that is to be written into: `path`, or what exists of it. */
static bool within_target(const char *path, int folder)
{
	IO_FD_AUTO fd = within_nearest(path);

	return fd < 0 || climbs_to(fd, folder);
}

bool within_passes(const char *path, int folder)
{
	char *p = strdup(path), *real = realpath(path, NULL);
	bool found =
	    !p || (*path != '/' && lies_in(".", folder) > 0) || (real && within_target(real, folder));

	while (!found && cut_component(p))
		found = lies_in(p, folder) > 0;
	free(p);
	free(real);
	return found;
}

int within_refuse_media(const struct app *app, const char *to, struct err *err)
{
	char shown[400];

	for (size_t i = 0; i < app->n_media; i++) {
		IO_FD_AUTO medium = app_medium_folder(app, i);

		if (medium < 0 || !within_target(to, medium))
			continue;
		err_set(err, "E-TARGET-04", text("'%s' lies on the medium: nothing is written there"),
		    path_show(to, shown, sizeof(shown)));
		return err_hint(err, "%s", text("name a folder on a disk of this computer"));
	}
	return 0;
}
