/* extract_attrs: which attributes may be restored, and file flags; see extract.h. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "restore/app/outcome.h"
#include "restore/extract/extract_meta.h"
#include "restore/extract/extract_private.h"

bool extract_xattr_allowed(const struct extract *x, const char *name)
{
	/* ACLs come as ACLs; a raw system attribute could only say them otherwise */
	if (!strncmp(name, "system.", 7))
		return false;
	return x->opt.same_owner || !strncmp(name, "user.", 5);
}

/* The flags of a file are reached by opening it, which its owner may not be allowed to: then for a moment he
 * is. */
static int open_for_flags(int parent, const char *name)
{
	int how = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(parent, name, how | O_NOFOLLOW);
	IO_FD_AUTO found = -1;
	char by_fd[EXTRACT_BY_FD];
	struct stat st;

	if (fd >= 0 || errno != EACCES)
		return fd;
	found = openat(parent, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (found < 0 || fstat(found, &st) || S_ISLNK(st.st_mode))
		return -1;
	extract_by_fd(found, by_fd);
	if (chmod(by_fd, 0600))
		return -1;
	fd = open(by_fd, how);
	if (chmod(by_fd, st.st_mode & 07777))
		io_close_quietly(&fd);
	return fd;
}

static int change_flags(int parent, const char *name, unsigned long set, unsigned long clear)
{
	IO_FD_AUTO fd = open_for_flags(parent, name);
	int now, want;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &now))
		return -1;
	want = (int)(((unsigned long)now & ~clear) | set);
	return want == now ? 0 : ioctl(fd, FS_IOC_SETFLAGS, &want);
}

void extract_flags(struct extract *x, int parent, const char *name, const char *path, unsigned long set,
    unsigned long clear, unsigned long mask)
{
	struct err why = ERR_INIT;

	set &= mask;
	if (!set)
		return;
	if (set & EXTRACT_CRITICAL_FLAGS && !x->opt.same_owner) {
		outcome_count(x->outcome, OUTCOME_STRIPPED_FLAG);
		set &= ~EXTRACT_CRITICAL_FLAGS;
	}
	if (set && change_flags(parent, name, set, clear & mask & ~set)) {
		err_sys(&why, "E-RESTORE-08", errno, "%s", text("file flags could not be set"));
		outcome_say(x->outcome, OUTCOME_ATTRIBUTES, path, &why);
	}
}
