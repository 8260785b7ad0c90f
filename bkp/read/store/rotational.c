/* rotational: see rotational.h.
 *
 * Asked in this order, and the first that answers decides: the type of the file system (memory, network); the
 * block device that files of the folder lie on (st_dev), by queue/rotational in sysfs, where a partition has
 * it one folder up; where st_dev is no device (btrfs, overlays) the source of the mount, if that is a block
 * device. What none of them tells is ROTATIONAL_ONE.
 */
#include "read/store/rotational.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#include "base/buf.h"
#include "base/io.h"

#define PROC_MAX ((size_t)4 << 20)

/* linux/magic.h and each file system's own source */
#define MAGIC_TMPFS 0x01021994u
#define MAGIC_RAMFS 0x858458f6u
#define MAGIC_NFS   0x6969u
#define MAGIC_CIFS  0xff534d42u
#define MAGIC_SMB2  0xfe534d42u
#define MAGIC_CEPH  0x00c36400u

static enum rotational of_disk(dev_t dev)
{
	/* of the disk itself, or of a partition of it */
	static const char *const places[] = {"queue", "../queue"};
	enum rotational found = ROTATIONAL_ONE;
	char path[96];

	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		BUF_AUTO b = BUF_INIT(16);

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%s/rotational", major(dev), minor(dev),
		    places[i]);
		if (!io_read_file(AT_FDCWD, path, &b, NULL) && b.n) {
			found = b.p[0] == '0' ? ROTATIONAL_NONE : ROTATIONAL_ONE;
			break;
		}
	}
	return found;
}

/* "mnt_id:" of an open file. */
static bool mount_id(int fd, unsigned *ret)
{
	BUF_AUTO b = BUF_INIT(PROC_MAX);
	char path[64], *at;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	if (io_read_file(AT_FDCWD, path, &b, NULL) || buf_terminate(&b, NULL))
		return false;
	at = strstr((char *)b.p, "mnt_id:");
	return at && sscanf(at, "mnt_id: %u", ret) == 1;
}

/* What is mounted there: lines of mountinfo are "<id> … - <type> <source> <options>" (proc(5)). */
static bool mount_source(int fd, char out[256])
{
	BUF_AUTO b = BUF_INIT(PROC_MAX);
	unsigned want, id;
	char *rest, *line;

	if (!mount_id(fd, &want) || io_read_file(AT_FDCWD, "/proc/self/mountinfo", &b, NULL) ||
	    buf_terminate(&b, NULL))
		return false;
	rest = (char *)b.p;
	while ((line = strsep(&rest, "\n"))) {
		char *behind = strstr(line, " - ");

		if (behind && sscanf(line, "%u", &id) == 1 && id == want)
			return sscanf(behind, " - %*s %255s", out) == 1;
	}
	return false;
}

enum rotational rotational_of(int fd)
{
	struct statfs fs;
	struct stat st;
	char source[256];

	if (fstatfs(fd, &fs) || fstat(fd, &st))
		return ROTATIONAL_ONE;
	switch ((unsigned)fs.f_type) {
	case MAGIC_TMPFS:
	case MAGIC_RAMFS:
		return ROTATIONAL_MEMORY;
	case MAGIC_NFS:
	case MAGIC_CIFS:
	case MAGIC_SMB2:
	case MAGIC_CEPH:
		return ROTATIONAL_NONE;
	default:
		break;
	}
	if (major(st.st_dev))
		return of_disk(st.st_dev);
	/* btrfs gives its files numbers of their own: then the mount's source is the disk */
	if (mount_source(fd, source) && *source == '/' && !stat(source, &st) && S_ISBLK(st.st_mode))
		return of_disk(st.st_rdev);
	return ROTATIONAL_ONE;
}
