/* state_root_key: the file with which the root secret leaves the host; see state.h. */
#include "write/state/state_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define NAME_BYTES_MAX 255

static int refuse_place(const char *root_key, const char *why, struct err *err)
{
	char show[256];

	return err_set(err, "E-STATE-10", text("the root secret key cannot be written to '%s': %s"),
	    path_show(root_key, show, sizeof(show)), why);
}

/* The folder of the file, to write in.  >= 0, -1. */
static int open_folder(const char *root_key, const char **ret_name, struct err *err)
{
	const char *slash = strrchr(root_key, '/');
	char *folder = slash ? strndup(root_key, (size_t)(slash + 1 - root_key)) : strdup(".");
	int fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1, errnum = errno;

	free(folder);
	*ret_name = slash ? slash + 1 : root_key;
	return fd < 0 ? refuse_place(root_key, text_errno(errnum), err) : fd;
}

static bool same_folder(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev;
}

/* Is the folder fd the state folder, or in it?  Up to the root, by what the folders are, not by their names.
 */
static bool is_inside(int parent, const char *state_name, int fd)
{
	IO_FD_AUTO at = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct stat state, there, above;

	if (fstatat(parent, state_name, &state, AT_SYMLINK_NOFOLLOW))
		return false;
	while (at >= 0 && !fstat(at, &there)) {
		int up;

		if (same_folder(&there, &state))
			return true;
		up = openat(at, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (up < 0 || fstat(up, &above) || same_folder(&above, &there)) {
			io_close_quietly(&up);
			return false;
		}
		io_close_quietly(&at);
		at = up;
	}
	return false;
}

static int check_place(
    int parent, const char *state_name, const char *root_key, int dir, const char *name, struct err *err)
{
	struct stat st;

	if (!*name || strlen(name) > NAME_BYTES_MAX)
		return refuse_place(root_key, text("the name of the file is not usable"), err);
	if (is_inside(parent, state_name, dir)) {
		refuse_place(root_key, text("it is inside the state folder"), err);
		return err_hint(err, "%s",
		    text("name a file on a thing that is kept apart from this computer, a USB stick say"));
	}
	if (!fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW)) {
		refuse_place(root_key, text("it exists already and is not overwritten"), err);
		return err_hint(err, "%s",
		    text("name another file; if it is left from an init that was interrupted, remove it "
			 "first"));
	}
	return 0;
}

int state_root_key_check(int parent, const char *state_name, const char *root_key, struct err *err)
{
	const char *name;
	IO_FD_AUTO dir = open_folder(root_key, &name, err);

	return dir < 0 ? -1 : check_place(parent, state_name, root_key, dir, name, err);
}

int state_root_key_write(int parent, const char *state_name, const char *root_key,
    const struct minisig_secret *root, bool *ret_written, struct err *err)
{
	const char *name;
	IO_FD_AUTO dir = open_folder(root_key, &name, err);
	struct err why = ERR_INIT;

	if (dir < 0 || check_place(parent, state_name, root_key, dir, name, err))
		return -1;
	if (state_epoch_write(dir, name, root, &why))
		return refuse_place(root_key, why.msg, err);
	*ret_written = true;
	return io_sync_dir(dir, err);
}

void state_root_key_take_back(const char *root_key)
{
	const char *name;
	IO_FD_AUTO dir = open_folder(root_key, &name, NULL);

	if (dir >= 0)
		(void)!state_epoch_erase(dir, name, NULL);
}
