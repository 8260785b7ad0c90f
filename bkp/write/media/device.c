/* device: see device.h. */
#include "write/media/device.h"

#include <blkid/blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <libmount/libmount.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "read/store/store_dir.h"

#define MOUNTINFO "/proc/self/mountinfo"
#define UDEV_MAX  ((size_t)64 << 10)
#define SYS_MAX	  ((size_t)4096)
#define VPD_HEAD  4 /* bytes before the serial number in a SCSI page 0x80 */
#define SHOW	  256

/* Printable ASCII without blanks at its ends: what a disk says of itself is made by others, and goes into the
 * journal and onto terminals. */
static void take_value(char *out, size_t size, const char *s, size_t n)
{
	size_t k = 0;

	while (n && (*s == ' ' || !*s))
		s++, n--;
	while (n && (s[n - 1] == ' ' || s[n - 1] == '\n' || !s[n - 1]))
		n--;
	for (; k < n && k + 1 < size; k++)
		out[k] = s[k] > ' ' && s[k] < 0x7f ? s[k] : '_';
	out[k] = '\0';
}

static void take_text(char *out, size_t size, const char *s)
{
	take_value(out, size, s ? s : "", s ? strlen(s) : 0);
}

/* A disk is mounted at the medium's folder or at the one above it; what lies further up ("/tmp", "/home") is
 * not the disk, and nobody must be told to unmount it. */
static bool is_of(const char *mount_point, const char *path)
{
	size_t n = strlen(mount_point);

	return n > 1 && !strncmp(mount_point, path, n) &&
	       (!path[n] || (path[n] == '/' && !strchr(path + n + 1, '/')));
}

/* Which mount holds the path. */
static void find_mount(const char *real, struct device *d)
{
	struct libmnt_table *table = mnt_new_table();
	struct libmnt_fs *fs;

	if (table && !mnt_table_parse_file(table, MOUNTINFO) &&
	    (fs = mnt_table_find_mountpoint(table, real, MNT_ITER_BACKWARD))) {
		snprintf(d->mount_point, sizeof(d->mount_point), "%s", mnt_fs_get_target(fs));
		take_text(d->source, sizeof(d->source), mnt_fs_get_source(fs));
		take_text(d->fs_type, sizeof(d->fs_type), mnt_fs_get_fstype(fs));
	}
	mnt_unref_table(table);
	d->whole = is_of(d->mount_point, real);
}

/* A property of a block device in udev's database, which everyone may read. */
static void udev_value(dev_t dev, const char *key, char *out, size_t size)
{
	BUF_AUTO b = BUF_INIT(UDEV_MAX);
	char path[64], *line, *rest;
	size_t n = strlen(key);

	snprintf(path, sizeof(path), "/run/udev/data/b%u:%u", major(dev), minor(dev));
	if (io_read_file(AT_FDCWD, path, &b, NULL) || buf_terminate(&b, NULL))
		return;
	rest = (char *)b.p;
	while (!*out && (line = strsep(&rest, "\n")))
		if (!strncmp(line, "E:", 2) && !strncmp(line + 2, key, n) && line[2 + n] == '=')
			take_text(out, size, line + 3 + n);
}

/* What the superblock says; needs the right to read the device. */
static void probe_uuid(const char *node, char *out, size_t size)
{
	blkid_probe pr = blkid_new_probe_from_filename(node);
	const char *value = NULL;

	if (!pr)
		return;
	if (!blkid_probe_enable_superblocks(pr, 1) &&
	    !blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_UUID) && !blkid_do_safeprobe(pr) &&
	    !blkid_probe_lookup_value(pr, "UUID", &value, NULL))
		take_text(out, size, value);
	blkid_free_probe(pr);
}

/* From the kernel, where there is no udev: in a rescue system, in a container. */
static void sys_serial(const char *disk, char *out, size_t size)
{
	static const char *const names[] = {"device/vpd_pg80", "device/serial", "serial"};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !*out; i++) {
		BUF_AUTO b = BUF_INIT(SYS_MAX);
		size_t skip = i == 0 ? VPD_HEAD : 0;

		snprintf(path, sizeof(path), "/sys/class/block/%s/%s", disk, names[i]);
		if (!io_read_file(AT_FDCWD, path, &b, NULL) && b.n > skip)
			take_value(out, size, (const char *)b.p + skip, b.n - skip);
	}
}

/* Spinning or not: what the kernel knows of the disk itself, through volumes on it (dm, md) as well.  A disk
 * that a virtual machine is given, or that is a file, says nothing. */
static void look_at_type(dev_t whole, struct device *d)
{
	BUF_AUTO b = BUF_INIT(SYS_MAX);
	char path[PATH_MAX], at[PATH_MAX] = "";

	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(whole), minor(whole));
	(void)!readlink(path, at, sizeof(at) - 1);
	if (strstr(at, "/virtio") || (strstr(at, "/virtual/") && !strstr(at, "/dm-") && !strstr(at, "/md")))
		return;
	snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/queue/rotational", major(whole), minor(whole));
	if (strstr(at, "/block/sr"))
		snprintf(d->shows, sizeof(d->shows), "optical");
	else if (!io_read_file(AT_FDCWD, path, &b, NULL) && b.n)
		snprintf(d->shows, sizeof(d->shows), b.p[0] == '0' ? "ssd" : "hdd");
}

static void look_at_disk(dev_t dev, struct device *d)
{
	char disk[128] = "";
	dev_t whole = dev;
	int r = blkid_devno_to_wholedisk(dev, disk, sizeof(disk), &whole);

	look_at_type(r ? dev : whole, d);
	if (r)
		return;
	udev_value(whole, "ID_SERIAL_SHORT", d->serial, sizeof(d->serial));
	if (!*d->serial)
		sys_serial(disk, d->serial, sizeof(d->serial));
}

void device_disk(dev_t dev, struct device *ret)
{
	memset(ret, 0, sizeof(*ret));
	look_at_disk(dev, ret);
}

/* *holding: of the files; then of the block device below them, where there is one. */
static void look_at_source(struct device *d, dev_t *holding)
{
	struct stat st;
	char *node;

	/* several file systems (btrfs) give their files numbers of their own: then the mount's source is the
	 * device */
	if (major(*holding))
		node = blkid_devno_to_devname(*holding);
	else
		node = *d->source == '/' ? strdup(d->source) : NULL;
	if (!node || stat(node, &st) || !S_ISBLK(st.st_mode)) {
		free(node);
		return;
	}
	probe_uuid(node, d->fs_uuid, sizeof(d->fs_uuid));
	if (!*d->fs_uuid)
		udev_value(st.st_rdev, "ID_FS_UUID", d->fs_uuid, sizeof(d->fs_uuid));
	look_at_disk(st.st_rdev, d);
	*holding = st.st_rdev;
	free(node);
}

/* What is on no disk of this host, or on one that has no UUID. */
static void name_store(struct device *d, dev_t holding)
{
	bool share = (*d->source != '/' && strchr(d->source, ':')) || !strncmp(d->source, "//", 2);
	size_t n = strlen(d->source);

	if (!strcmp(d->fs_type, "tmpfs") || !strcmp(d->fs_type, "ramfs"))
		snprintf(d->shows, sizeof(d->shows), "memory");
	else if (strstr(d->fs_type, "ltfs"))
		snprintf(d->shows, sizeof(d->shows), "tape");
	else if (!strcmp(d->fs_type, "udf") || !strcmp(d->fs_type, "iso9660"))
		snprintf(d->shows, sizeof(d->shows), "optical");
	while (share && n > 1 && d->source[n - 1] == '/')
		n--;
	if (*d->fs_uuid)
		snprintf(d->store, sizeof(d->store), "%s", d->fs_uuid);
	else if (share)
		snprintf(d->store, sizeof(d->store), "%.*s", (int)n, d->source);
	else if (!strcmp(d->fs_type, "zfs")) /* of one pool */
		snprintf(d->store, sizeof(d->store), "zfs %.*s", (int)strcspn(d->source, "/"), d->source);
	else
		snprintf(d->store, sizeof(d->store), "%u:%u%s%s", major(holding), minor(holding),
		    *d->serial ? " " : "", d->serial);
}

int device_look(const char *path, struct device *ret, struct err *err)
{
	struct device d = {0};
	char show[SHOW], *real = realpath(path, NULL);
	struct stat st;

	if (!real || stat(real, &st)) {
		free(real);
		return err_sys(err, "E-DEVICE-01", errno, text("'%s' cannot be looked at"),
		    path_show(path, show, sizeof(show)));
	}
	find_mount(real, &d);
	free(real);
	look_at_source(&d, &st.st_dev);
	name_store(&d, st.st_dev);
	*ret = d;
	return 0;
}

int device_of(const struct store *s, struct device *ret, struct err *err)
{
	const int dirfd = store_dir_fd(s);
	char by_fd[64];

	if (dirfd < 0) {
		*ret = (struct device){0};
		return 0;
	}
	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", dirfd);
	return device_look(by_fd, ret, err);
}

bool device_same_mount(const struct store *a, const struct store *b)
{
	return store_dir_fd(a) < 0 || io_same_mount(store_dir_fd(a), store_dir_fd(b));
}

int device_match(const struct device *d, const char *fs_uuid, const char *serial, struct err *err)
{
	bool elsewhere =
	    *d->source && *d->source != '/'; /* on no disk at all, so not on the registered one */
	char show[SHOW];

	path_show(d->mount_point, show, sizeof(show));
	if (*fs_uuid && strcmp(fs_uuid, d->fs_uuid) != 0 && (*d->fs_uuid || elsewhere)) {
		err_set(err, "E-DEVICE-02",
		    text("the file system at '%s' is '%s' (%s), not the one that was registered, '%s'"), show,
		    *d->fs_uuid ? d->fs_uuid : d->source, d->fs_type, fs_uuid);
		return err_hint(err, "%s",
		    text("attach the registered disk itself: a copy of its files on another disk is not the "
			 "medium"));
	}
	if (*serial && *d->serial && strcmp(serial, d->serial) != 0) {
		err_set(err, "E-DEVICE-03",
		    text("the disk at '%s' has serial number '%s', not the registered '%s'"), show, d->serial,
		    serial);
		return err_hint(err, "%s",
		    text("attach the registered disk in the dock it was registered with, or tell the person "
			 "in charge "
			 "of the system"));
	}
	return 0;
}

const char *device_keeps_erased(const char *path)
{
	/* statfs(2) and each project's own header: copy-on-write and log-structured file systems */
	static const struct {
		uint32_t magic;
		const char *name;
	} keeping[] = {{0x9123683e, "btrfs"}, {0x2fc12fc1, "zfs"}, {0xca451a4e, "bcachefs"},
	    {0x3434, "nilfs2"}, {0xf2f52010, "f2fs"}};
	char *p = strdup(path), *slash;
	struct statfs fs = {0};

	while (p && statfs(p, &fs) && (slash = strrchr(p, '/')))
		slash[slash == p && p[1]] = '\0';
	free(p);
	for (size_t i = 0; i < sizeof(keeping) / sizeof(*keeping); i++)
		if ((uint32_t)fs.f_type == keeping[i].magic)
			return keeping[i].name;
	return NULL;
}
