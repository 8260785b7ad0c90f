/* reap_delete: deleting one published file; see reap.h.  Nothing else in this program does. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "write/store/reap_private.h"

/* What cannot be thawed will not be deleted either, and that is told. */
static void thaw(int dirfd, const char *name)
{
	IO_FD_AUTO fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	int flags = 0;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) || !(flags & FS_IMMUTABLE_FL))
		return;
	flags &= ~FS_IMMUTABLE_FL;
	(void)!ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

int reap_delete(int dirfd, const char *name, uint64_t *ret_files, uint64_t *ret_bytes, struct err *err)
{
	struct stat st;

	if (fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno == ENOENT)
			return 0;
		return err_sys(err, "E-REAP-02", errno, text("cannot look at '%s'"), name);
	}
	if (S_ISREG(st.st_mode))
		thaw(dirfd, name);
	if (unlinkat(dirfd, name, 0)) {
		err_sys(err, "E-REAP-02", errno, text("cannot delete '%s'"), name);
		return err_hint(err, "%s",
		    text("run the command again as root, with the medium mounted for writing: it goes on "
			 "where it was"));
	}
	(*ret_files)++;
	*ret_bytes += S_ISREG(st.st_mode) ? (uint64_t)st.st_size : 0;
	return 0;
}

int reap_folder(int repo, const char *name, struct err *err)
{
	IO_FD_AUTO fd = io_open_dir(repo, name, err);

	if (fd < 0)
		return -1;
	if (!io_same_mount(fd, repo)) {
		err_set(err, "E-PUBLISH-06",
		    text("the folder '%s' on the medium is a mount of something else"), name);
		return err_hint(err, "%s", text("unmount what is mounted there"));
	}
	return io_take(&fd);
}

int reap_damaged(int repo, const char *path, struct err *err)
{
	const char *name = strrchr(path, '/') + 1;
	IO_FD_AUTO dir = -1;
	uint64_t files = 0, bytes = 0;
	char folder[128];

	if (!strncmp(path, "archives/", 9))
		return reap_delete_archive(repo, path, &files, &bytes, err);
	snprintf(folder, sizeof(folder), "%.*s", (int)(name - path - 1), path);
	dir = io_open_dir(repo, folder, err);
	return dir < 0 ? -1 : reap_delete(dir, name, &files, &bytes, err);
}

int reap_delete_archive(int repo, const char *path, uint64_t *ret_files, uint64_t *ret_bytes, struct err *err)
{
	IO_FD_AUTO archives = reap_folder(repo, "archives", err);
	const char *base = strrchr(path, '/') + 1;
	IO_FD_AUTO fan = -1;
	char name[3] = {base[0], base[1], '\0'};

	if (archives < 0)
		return -1;
	fan = openat(archives, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fan < 0)
		return errno == ENOENT ? 0
				       : err_sys(err, "E-REAP-02", errno, text("cannot look at '%s'"), path);
	return reap_delete(fan, base, ret_files, ret_bytes, err);
}
