/* disk: see disk.h. */
#include "write/disk/disk.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/show/pace.h"
#include "base/text.h"

#define SYS_BLOCK "/sys/class/block"
#define SYS_MAX	  ((size_t)4096)
#define SECTOR	  512  /* bytes, of sysfs, whatever the disk's own is */
#define DISKS_MAX 1024 /* looked at; one of a storage network with more says so itself */
#define SHOW	  128

void disk_sys(const char *name, const char *key, char *out, size_t size)
{
	BUF_AUTO b = BUF_INIT(SYS_MAX);
	char path[PATH_MAX];
	size_t at = 0;

	*out = '\0';
	snprintf(path, sizeof(path), SYS_BLOCK "/%s/%s", name, key);
	if (io_read_file(AT_FDCWD, path, &b, NULL))
		return;
	while (b.n && (b.p[b.n - 1] <= ' '))
		b.n--;
	while (at < b.n && b.p[at] <= ' ')
		at++;
	if (b.n > at)
		snprintf(out, size, "%.*s", (int)(b.n - at), (const char *)b.p + at);
}

static uint64_t sys_number(const char *name, const char *key)
{
	char value[32];

	disk_sys(name, key, value, sizeof(value));
	return strtoull(value, NULL, 10);
}

/* "sdb1" is a folder in that of "sdb". */
static void find_whole(struct disk *d)
{
	char path[PATH_MAX], value[16], *real, *slash = NULL;

	snprintf(d->whole, sizeof(d->whole), "%s", d->name);
	disk_sys(d->name, "partition", value, sizeof(value));
	if (!*value)
		return;
	snprintf(path, sizeof(path), SYS_BLOCK "/%s", d->name);
	real = realpath(path, NULL);
	if (real && (slash = strrchr(real, '/'))) {
		*slash = '\0';
		slash = strrchr(real, '/');
	}
	if (slash && strlen(slash + 1) < sizeof(d->whole)) {
		memcpy(d->whole, slash + 1, strlen(slash));
		d->part = true;
	}
	free(real);
}

static int node_of(const char *name, char *out, size_t size, dev_t *ret_dev)
{
	char value[32], *node;
	unsigned major_no, minor_no;
	int r = -1;

	disk_sys(name, "dev", value, sizeof(value));
	if (sscanf(value, "%u:%u", &major_no, &minor_no) != 2)
		return -1;
	*ret_dev = makedev(major_no, minor_no);
	node = blkid_devno_to_devname(*ret_dev);
	if (node && strlen(node) < size) {
		snprintf(out, size, "%s", node);
		r = 0;
	}
	free(node);
	return r;
}

/* What nobody plugs in: memory; drives that hang when they are empty; the loop of a 'mount -o loop', which is somebody's in a moment. */
static bool is_none(const char *name)
{
	static const char *const prefixes[] = {"ram", "zram", "fd", "nbd", "mtdblock"};
	char value[16];

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (!strncmp(name, prefixes[i], strlen(prefixes[i])))
			return true;
	disk_sys(name, "loop/autoclear", value, sizeof(value));
	return *value == '1' || !sys_number(name, "size");
}

/* The kernel's own word: it gives a disk to one at a time.  0, or errno; EBUSY: somebody has it. */
static int ask_for_it(const char *node)
{
	int fd = open(node, O_RDONLY | O_EXCL | O_CLOEXEC);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int ask_for_whole(const struct disk *d)
{
	char node[sizeof(d->node)];
	dev_t dev;
	int r = ask_for_it(d->node);

	if (r || !d->part)
		return r;
	return node_of(d->whole, node, sizeof(node), &dev) ? ENODEV : ask_for_it(node);
}

bool disk_in_use(const struct disk *d)
{
	return ask_for_whole(d) == EBUSY;
}

static void take(blkid_probe pr, const char *key, char *out, size_t size)
{
	const char *value = NULL;

	if (!blkid_probe_lookup_value(pr, key, &value, NULL) && value)
		snprintf(out, size, "%s", value);
}

static void look_at_superblock(struct disk *d)
{
	blkid_probe pr = blkid_new_probe_from_filename(d->node);

	if (!pr) {
		d->unread = errno ? errno : EIO;
		return;
	}
	if (!blkid_probe_enable_superblocks(pr, 1) &&
	    !blkid_probe_set_superblocks_flags(
		pr, BLKID_SUBLKS_TYPE | BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL) &&
	    !blkid_do_safeprobe(pr)) {
		take(pr, "TYPE", d->kind, sizeof(d->kind));
		take(pr, "LABEL", d->label, sizeof(d->label));
		take(pr, "UUID", d->uuid, sizeof(d->uuid));
	}
	blkid_free_probe(pr);
}

/* 1: a disk; 0: none, or its drive is empty. */
static int look_at(const char *name, struct disk *d)
{
	char maker[64], model[64];
	int r;

	*d = (struct disk){0};
	if (strlen(name) >= sizeof(d->name) || is_none(name))
		return 0;
	snprintf(d->name, sizeof(d->name), "%s", name);
	find_whole(d);
	if (node_of(name, d->node, sizeof(d->node), &d->dev))
		return 0;
	d->seq = sys_number(d->whole, "diskseq");
	d->size = sys_number(name, "size") * SECTOR;
	d->read_only = sys_number(name, "ro") || sys_number(d->whole, "ro");
	d->removable = sys_number(d->whole, "removable");
	disk_sys(d->whole, "device/vendor", maker, sizeof(maker));
	disk_sys(d->whole, "device/model", model, sizeof(model));
	/* a PCI number, of a virtual disk, is nobody's name */
	snprintf(d->maker, sizeof(d->maker), "%s%s%s", strncmp(maker, "0x", 2) ? maker : "",
	    *maker && *model ? " " : "", model);
	r = ask_for_whole(d);
	/* what this program may not open, as root, is kept from it by the host */
	d->busy = r == EBUSY || r == EPERM || r == EACCES;
	d->unread = d->busy ? 0 : r;
	if (!r || r == EBUSY)
		look_at_superblock(d);
	return r != ENOMEDIUM && r != ENXIO;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(((const struct disk *)a)->name, ((const struct disk *)b)->name);
}

/* A disk that has partitions is told by them. */
static size_t without_wholes(struct disk *all, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		bool parted = false;

		for (size_t k = 0; k < n && !parted; k++)
			parted = all[k].part && !strcmp(all[k].whole, all[i].name);
		if (parted)
			all[i].size = 0;
	}
	for (size_t i = 0; i < n; i++)
		if (all[i].size)
			all[kept++] = all[i];
	return kept;
}

int disk_scan(struct disk **ret, size_t *ret_n, struct err *err)
{
	struct disk *all = calloc(DISKS_MAX, sizeof(*all));
	DIR *dir = opendir(SYS_BLOCK);
	const struct dirent *e;
	size_t n = 0;

	if (!all || !dir) {
		if (!all)
			err_nomem(err);
		else
			err_sys(err, "E-DISK-01", errno, text("'%s' cannot be read"), SYS_BLOCK);
		if (dir)
			closedir(dir);
		free(all);
		return -1;
	}
	while (n < DISKS_MAX && (e = readdir(dir)))
		if (*e->d_name != '.')
			n += (size_t)look_at(e->d_name, &all[n]);
	closedir(dir);
	n = without_wholes(all, n);
	qsort(all, n, sizeof(*all), by_name);
	*ret = all;
	*ret_n = n;
	return 0;
}

bool disk_plugged_in(const char *uuid)
{
	struct disk *all = NULL;
	size_t n = 0;
	bool found = false;

	if (!*uuid || disk_scan(&all, &n, NULL))
		return false;
	for (size_t i = 0; i < n; i++)
		found |= !all[i].busy && !strcmp(all[i].uuid, uuid);
	free(all);
	return found;
}

bool disk_there(const struct disk *d)
{
	char node[sizeof(d->node)];
	dev_t dev;

	if (node_of(d->whole, node, sizeof(node), &dev) || !sys_number(d->whole, "size") ||
	    sys_number(d->whole, "diskseq") != d->seq)
		return false;
	/* a drive stays when its cartridge was taken out: it says so when it is opened */
	if (d->removable) {
		int fd = open(node, O_RDONLY | O_CLOEXEC), errnum = errno;

		if (fd < 0)
			return errnum != ENOMEDIUM && errnum != ENXIO && errnum != ENOENT;
		close(fd);
	}
	return true;
}

char *disk_words(const struct disk *d, char out[DISK_WORDS])
{
	char size[PACE_SIZE], maker[SHOW], label[SHOW];

	path_show(d->maker, maker, sizeof(maker));
	path_show(d->label, label, sizeof(label));
	snprintf(out, DISK_WORDS, "%s (%s%s%s%s%s%s%s%s)", d->node, pace_size(d->size, 1000, size),
	    *maker ? ", " : "", maker, *d->kind ? ", " : "", d->kind, *label ? " '" : "", label,
	    *label ? "'" : "");
	return out;
}
