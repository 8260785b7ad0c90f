/* disk_mount: see disk_mount.h. */
#include "write/disk/disk_mount.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/cdrom.h>
#include <scsi/scsi_ioctl.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "write/disk/disk.h"

#define RUN	 "/run/bkp"
#define POINT	 "medium"
#define MARK	 "read-only" /* in the room: which device the kernel was told is read-only */
#define MARK_MAX ((size_t)256)
#define TRIES	 20 /* times PAUSE_MS: something may have its hand on a disk that was just unmounted */
#define PAUSE_MS 100

#ifndef MS_NOSYMFOLLOW
#define MS_NOSYMFOLLOW 256 /* Linux 5.10; older kernels do not look at it */
#endif
#define MS_LEAST (MS_NOEXEC | MS_NOSUID | MS_NODEV | MS_NOSYMFOLLOW)

/* How each is mounted so that its log is not replayed (Documentation/filesystems of the kernel; rescue=: Linux 5.9). */
static const struct kind {
	const char *name, *looking, *writing;
} kinds[] = {
    {"ext2", "errors=remount-ro", "errors=remount-ro"},
    {"ext3", "noload,errors=remount-ro", "errors=remount-ro"},
    {"ext4", "noload,errors=remount-ro", "errors=remount-ro"},
    {"xfs", "norecovery", ""},
    {"btrfs", "rescue=nologreplay", ""},
    {"vfat", "errors=remount-ro", "errors=remount-ro"},
    {"exfat", "errors=remount-ro", "errors=remount-ro"},
};

static const struct kind *find_kind(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

bool disk_knows(const char *kind)
{
	return find_kind(kind);
}

const char *disk_kinds(void)
{
	return "ext2, ext3, ext4, xfs, btrfs, vfat, exfat";
}

static int not_permitted(const char *what, int errnum, struct err *err)
{
	err_sys(err, "E-DISK-02", errnum, text("a disk cannot be mounted here (%s)"), what);
	return err_hint(err, "%s",
	    text("run the command as root; where that cannot be (a container), mount the disk by hand and "
		 "use --keep-mounted"));
}

/* ---- the kernel's mark "read-only" ---- */

/* The device, open: while it is, the kernel gives its name to no other one.  -1 with errno */
static int mark_device(const struct disk *d, bool read_only)
{
	int value = read_only, fd = open(d->node, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || !ioctl(fd, BLKROSET, &value))
		return fd;
	close(fd);
	return -1;
}

static int unmark_named(const struct disk *d)
{
	int fd = mark_device(d, false);

	if (fd < 0)
		return -1;
	close(fd);
	return 0;
}

/* A command was killed while the kernel had it marked. */
static int take_back(const struct disk_room *room, struct err *err)
{
	IO_FD_AUTO folder = io_open_dir(AT_FDCWD, room->folder, err);
	BUF_AUTO b = BUF_INIT(MARK_MAX);
	struct disk *all = NULL;
	char name[64];
	unsigned long long seq;
	size_t n = 0;
	int r;

	if (folder < 0)
		return -1;
	r = io_read_file(folder, MARK, &b, err);
	if (r == IO_ABSENT)
		return 0;
	if (r || buf_terminate(&b, err) || disk_scan(&all, &n, err))
		return -1;
	if (sscanf((const char *)b.p, "%63s %llu", name, &seq) == 2)
		for (size_t i = 0; i < n; i++)
			if (!strcmp(all[i].name, name) && all[i].seq == seq && unmark_named(&all[i]))
				r = errno;
	free(all);
	if (r)
		return not_permitted("BLKROSET", r, err);
	if (unlinkat(folder, MARK, 0))
		return err_sys(err, "E-IO-04", errno, text("'%s' cannot be removed"), room->folder);
	return 0;
}

static int write_mark(const struct disk_room *room, const struct disk *d, struct err *err)
{
	IO_FD_AUTO folder = io_open_dir(AT_FDCWD, room->folder, err);
	char line[128];
	int n = snprintf(line, sizeof(line), "%s %llu\n", d->name, (unsigned long long)d->seq);

	return folder < 0 ? -1 : io_replace(folder, MARK, 0600, line, (size_t)n, err);
}

/* ---- mounting ---- */

static int make_folder(const char *path, struct err *err)
{
	if (!mkdir(path, 0700) || errno == EEXIST)
		return 0;
	return not_permitted(path, errno, err);
}

int disk_room_enter(struct disk_room *room, const char *id, struct err *err)
{
	snprintf(room->folder, sizeof(room->folder), RUN "/%s", id);
	snprintf(room->point, sizeof(room->point), RUN "/%s/" POINT, id);
	if (make_folder(RUN, err) || make_folder(room->folder, err) || make_folder(room->point, err))
		return -1;
	/* the host's mounts come in, none goes out */
	if (unshare(CLONE_NEWNS))
		return not_permitted("unshare", errno, err);
	if (mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL))
		return not_permitted("/", errno, err);
	return take_back(room, err);
}

static int mount_it(const struct disk_room *room, const struct disk *d, bool looking, struct err *err)
{
	const struct kind *k = find_kind(d->kind);
	char words[DISK_WORDS];

	disk_words(d, words);
	if (!k) {
		err_set(err, "E-DISK-06", text("%s holds no file system that is mounted here: '%s'"), words,
		    d->kind);
		return err_hint(err,
		    text("these are: %s; another one is mounted by hand, and 'bkp rotate --keep-mounted'"),
		    disk_kinds());
	}
	if (!mount(d->node, room->point, k->name, MS_LEAST | (looking ? MS_RDONLY : 0),
		looking ? k->looking : k->writing))
		return 0;
	if (errno == EPERM)
		return not_permitted("mount", errno, err);
	if (errno == EBUSY) {
		err_set(err, "E-DISK-08", text("%s is in use on this computer"), words);
		return err_hint(err, "%s",
		    text("unmount all of it, or plug it out and in again, then run the command again"));
	}
	if (!looking && (errno == EROFS || errno == EACCES)) {
		err_set(err, "E-DISK-05", text("%s is write-protected"), words);
		return err_hint(err, "%s",
		    text("take it out, put its write-protect switch to 'write', plug it in, and run the "
			 "command "
			 "again"));
	}
	err_sys(err, "E-DISK-06", errno, text("%s cannot be mounted"), words);
	return err_hint(err, "%s",
	    text("this kernel has no such file system, or it is damaged: nothing was changed; look at it "
		 "with 'dmesg', and rotate another disk"));
}

int disk_prove(
    const struct disk_room *room, const struct disk *d, disk_look_fn *look, void *arg, struct err *err)
{
	sigset_t ends, before;
	int r, fd = -1, writable = 0;

	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGHUP);
	sigprocmask(SIG_BLOCK, &ends, &before);
	/* one that is protected by its own switch stays so */
	r = d->read_only ? 0 : write_mark(room, d, err);
	if (!r && !d->read_only && (fd = mark_device(d, true)) < 0)
		r = not_permitted("BLKROSET", errno, err);
	if (!r)
		r = mount_it(room, d, true, err);
	if (!r) {
		r = look(arg, room->point, err);
		if (umount2(room->point, UMOUNT_NOFOLLOW))
			umount2(room->point, MNT_DETACH | UMOUNT_NOFOLLOW);
	}
	if (fd >= 0) { /* also of one that was taken out meanwhile: a name may keep what it was told */
		ioctl(fd, BLKROSET, &writable);
		close(fd);
	}
	if (!d->read_only && take_back(room, r < 0 ? NULL : err))
		r = -1;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

int disk_mount(const struct disk_room *room, const struct disk *d, struct err *err)
{
	char words[DISK_WORDS];

	if (!disk_there(d)) {
		err_set(err, "E-DISK-08", text("%s was taken out, or another disk is in its place"),
		    disk_words(d, words));
		return err_hint(err, "%s", text("plug in the medium and run the command again"));
	}
	return mount_it(room, d, false, err);
}

static int still_in_use(const struct disk *d, int errnum, struct err *err)
{
	char words[DISK_WORDS];

	if (errnum == EBUSY)
		err_set(err, "E-DISK-09", text("%s is still in use on this computer"), disk_words(d, words));
	else
		err_sys(
		    err, "E-DISK-09", errnum, text("%s could not be unmounted well"), disk_words(d, words));
	return err_hint(err, "%s",
	    text("do not pull it out: look at 'lsblk', unmount it, or shut the computer down; then take it "
		 "out and run the same command again"));
}

int disk_unmount(const struct disk_room *room, const struct disk *d, struct err *err)
{
	int r = -1, errnum = 0, fd;

	for (int i = 0; i < TRIES && (r = umount2(room->point, UMOUNT_NOFOLLOW)) && errno == EBUSY; i++)
		usleep(PAUSE_MS * 1000);
	if (r) {
		errnum = errno;
		umount2(room->point, MNT_DETACH | UMOUNT_NOFOLLOW);
		return still_in_use(d, errnum, err);
	}
	if (!disk_there(d))
		return still_in_use(d, ENODEV, err);
	for (int i = 0; i < TRIES && disk_in_use(d); i++)
		usleep(PAUSE_MS * 1000);
	if (disk_in_use(d))
		return still_in_use(d, EBUSY, err);
	fd = open(d->node, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fsync(fd))
		errnum = errno;
	if (fd >= 0)
		close(fd);
	return errnum ? still_in_use(d, errnum, err) : 0;
}

int disk_stop(const struct disk *d)
{
	/* What a drive pushes out is out.  A stick is not ejected: it would look as if it had been taken out, and would still be plugged in. */
	const bool ejects = !strncmp(d->whole, "sr", 2) || strstr(d->maker, "RDX");
	int fd, r, errnum;

	if (d->removable && !ejects)
		return DISK_NO_MOTOR;
	fd = open(d->node, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -1;
	r = ejects ? ioctl(fd, CDROMEJECT, 0) : ioctl(fd, SCSI_IOCTL_STOP_UNIT, 0);
	errnum = errno;
	close(fd);
	errno = errnum;
	if (r && (errnum == ENOTTY || errnum == EINVAL || errnum == EOPNOTSUPP))
		return DISK_NO_MOTOR;
	return r ? -1 : 0;
}
