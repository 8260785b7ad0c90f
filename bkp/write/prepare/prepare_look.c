/* prepare_look: what a disk is and what it holds, without changing a bit of it; see prepare.h.
 *
 * libblkid tells partitions and file systems; whether one of them was a medium says its bkp-medium.json, read in a child process with
 * mounts of its own, read-only and without replaying a log.  The child is believed only as far as to name what it saw. */
#include "write/prepare/prepare.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libmount/libmount.h>
#include <limits.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/media/device.h"
#include "write/prepare/prepare_private.h"

#define LEAST_BYTES ((uint64_t)16 << 20)
#define SECTOR	    512
#define EDGE	    ((size_t)1 << 20) /* bytes at either end that are looked at */
#define SPOT	    4096
#define SPOTS	    64
#define SEEN_MAX    (MEDIUM_MAX * 8)

struct look {
	int fd;
	const struct ledger *l;
	struct prepare_disk *d;
	struct err *err;
};

static void add_line(struct prepare_disk *d, const char *line)
{
	if (d->n_held < PREPARE_HELD)
		path_show(line, d->held[d->n_held++], PREPARE_TEXT);
}

static void add_word(struct prepare_disk *d, const char *word)
{
	if (*word && d->n_words < PREPARE_WORDS)
		path_show(word, d->words[d->n_words++], PREPARE_TEXT);
}

bool prepare_agrees(const struct prepare_disk *d, const char *word)
{
	for (size_t i = 0; i < d->n_words; i++)
		if (!strcmp(d->words[i], word))
			return true;
	return false;
}

/* ---- in use ---- */

/* "/sys/devices/…/sdb" of a device; a partition's is a folder in its disk's. */
static bool sys_path(dev_t dev, char out[PATH_MAX])
{
	char link[64];

	snprintf(link, sizeof(link), "/sys/dev/block/%u:%u", major(dev), minor(dev));
	return realpath(link, out);
}

bool prepare_sys(dev_t dev, const char *name, char *out, size_t size)
{
	BUF_AUTO b = BUF_INIT(PREPARE_TEXT);
	char path[PATH_MAX], file[PATH_MAX + PREPARE_TEXT];

	*out = '\0';
	if (!sys_path(dev, path))
		return false;
	snprintf(file, sizeof(file), "%s/%s", path, name);
	if (io_read_file(AT_FDCWD, file, &b, NULL) || buf_terminate(&b, NULL))
		return false;
	for (size_t n = strlen((char *)b.p); n && strchr(" \n", b.p[n - 1]); n--)
		b.p[n - 1] = '\0';
	path_show((char *)b.p, out, size);
	return true;
}

/* Where the disk, or a partition of it, is mounted; "": nowhere. */
static void where_mounted(dev_t dev, char out[PREPARE_TEXT])
{
	struct libmnt_table *table = mnt_new_table();
	struct libmnt_iter *i = mnt_new_iter(MNT_ITER_FORWARD);
	char disk[PATH_MAX], at[PATH_MAX];
	struct libmnt_fs *fs;

	*out = '\0';
	if (table && i && sys_path(dev, disk) && !mnt_table_parse_file(table, "/proc/self/mountinfo"))
		while (!*out && !mnt_table_next_fs(table, i, &fs))
			if (sys_path(mnt_fs_get_devno(fs), at) && !strncmp(at, disk, strlen(disk)) &&
			    strchr("/", at[strlen(disk)]) && mnt_fs_get_target(fs))
				path_show(mnt_fs_get_target(fs), out, PREPARE_TEXT);
	mnt_free_iter(i);
	mnt_unref_table(table);
}

static int in_use(const struct look *k, dev_t dev)
{
	char at[PREPARE_TEXT];

	where_mounted(dev, at);
	if (*at)
		err_set(
		    k->err, "E-PREPARE-02", text("'%s' is in use: it is mounted at '%s'"), k->d->path, at);
	else
		err_set(k->err, "E-PREPARE-02",
		    text("'%s' is in use: swap, or part of a RAID, of LVM or of an encrypted volume"),
		    k->d->path);
	return err_hint(k->err, "%s", text("is it the right disk?  see 'lsblk'; nothing was changed"));
}

/* ---- was it a medium ---- */

/* Each bkp-medium.json of a file system, in its root or a folder below, one behind the other; in a process of its own. */
static void tell_media(const char *node, const char *type, int to)
{
	const char *calm = !strcmp(type, "xfs")	      ? "norecovery"
			   : !strncmp(type, "ext", 3) ? "noload"
			   : !strcmp(type, "btrfs")   ? "rescue=nologreplay"
						      : NULL;
	struct dirent *e;
	DIR *dir;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount(node, "/tmp", type, MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, calm) ||
	    !(dir = opendir("/tmp")))
		_exit(1);
	while ((e = readdir(dir))) {
		BUF_AUTO b = BUF_INIT(MEDIUM_MAX);
		char path[NAME_MAX + sizeof("/" MEDIUM_JSON)];

		if (!strcmp(e->d_name, ".."))
			continue;
		snprintf(path, sizeof(path), "%s/%s", e->d_name, MEDIUM_JSON);
		if (!io_read_file(dirfd(dir), path, &b, NULL) && io_write_full(to, b.p, b.n))
			_exit(1);
	}
	_exit(0);
}

static int take_medium(const struct look *k, const json_t *o)
{
	const char *uuid = journal_text(o, "medium"), *repository = journal_text(o, "repository");
	const struct ledger_medium *m =
	    !strcmp(repository, ledger_repository(k->l)) ? ledger_medium_by_uuid(k->l, uuid) : NULL;
	char line[PREPARE_TEXT * 2];

	snprintf(line, sizeof(line), text("bkp medium '%s' of repository %s"), journal_text(o, "label"),
	    repository);
	add_line(k->d, line);
	return m && !m->retired_ns ? prepare_is_medium(k->d, m->label, k->err) : 0;
}

int prepare_is_medium(const struct prepare_disk *d, const char *label, struct err *err)
{
	err_set(err, "E-PREPARE-03", text("'%s' is the medium '%s' of this site"), d->path, label);
	return err_hint(err,
	    text("it is not erased while it is in use; if it is to be: 'bkp medium retire %s --operator NAME "
		 "--reason TEXT' first"),
	    label);
}

static int look_for_media(const struct look *k, const char *node, const char *type)
{
	BUF_AUTO all = BUF_INIT(SEEN_MAX);
	int fd[2], r = 0;
	ssize_t n = 0;
	size_t at = 0;
	pid_t pid;

	if (pipe2(fd, O_CLOEXEC))
		return err_sys(k->err, "E-PREPARE-01", errno, text("'%s' cannot be looked at"), node);
	pid = fork();
	if (!pid)
		tell_media(node, type, fd[1]);
	close(fd[1]);
	while (pid > 0 && !buf_reserve(&all, SPOT, NULL) && (n = read(fd[0], all.p + all.n, SPOT)) > 0)
		all.n += (size_t)n;
	close(fd[0]);
	if (pid > 0)
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
	while (!r && at < all.n) {
		json_error_t where;
		json_t *o = json_loadb((char *)all.p + at, all.n - at, JSON_DISABLE_EOF_CHECK, &where);

		r = json_is_object(o) ? take_medium(k, o) : 0;
		at = o ? at + (size_t)where.position : all.n;
		json_decref(o);
	}
	return r;
}

/* ---- what libblkid knows ---- */

static const char *value_of(blkid_probe pr, const char *name)
{
	const char *value = NULL;

	return blkid_probe_lookup_value(pr, name, &value, NULL) ? "" : value;
}

static int take_filesystem(const struct look *k, blkid_probe pr, const char *node)
{
	const char *type = value_of(pr, "TYPE"), *uuid = value_of(pr, "UUID");
	char line[PREPARE_TEXT * 2];

	if (!*type)
		return 0;
	snprintf(line, sizeof(line), "%s '%s' %s", type, value_of(pr, "LABEL"), uuid);
	add_line(k->d, line);
	add_word(k->d, uuid);
	if (!strcmp(value_of(pr, "USAGE"), "raid"))
		return err_set(k->err, "E-PREPARE-02", text("'%s' belongs to a RAID or to LVM (%s)"),
			   k->d->path, type),
		       err_hint(
			   k->err, "%s", text("is it the right disk?  see 'lsblk'; nothing was changed"));
	for (size_t i = 0; *uuid && i < ledger_media(k->l); i++)
		if (!ledger_medium(k->l, i)->retired_ns && !strcmp(ledger_medium(k->l, i)->fs_uuid, uuid))
			return prepare_is_medium(k->d, ledger_medium(k->l, i)->label, k->err);
	return *node ? look_for_media(k, node, type) : 0;
}

/* at, n: bytes; n 0: all of the device.  *ret_table: the names of its partitions are wanted, too. */
static int probe_part(const struct look *k, uint64_t at, uint64_t n, const char *node, blkid_probe *ret)
{
	blkid_probe pr = blkid_new_probe();
	int r;

	if (!pr || blkid_probe_set_device(pr, k->fd, (blkid_loff_t)at, (blkid_loff_t)n) ||
	    blkid_probe_enable_superblocks(pr, 1) ||
	    blkid_probe_set_superblocks_flags(
		pr, BLKID_SUBLKS_UUID | BLKID_SUBLKS_LABEL | BLKID_SUBLKS_TYPE | BLKID_SUBLKS_USAGE) ||
	    (ret && blkid_probe_enable_partitions(pr, 1))) {
		blkid_free_probe(pr);
		return err_set(k->err, "E-PREPARE-01", text("'%s' cannot be looked at"), k->d->path);
	}
	/* several signatures at once (-2), too, are something that it holds */
	r = blkid_do_safeprobe(pr);
	if (r == -2)
		add_line(k->d, text("several file systems, one over the other"));
	r = r < -2 || r == -1 ? err_set(k->err, "E-PREPARE-01", text("'%s' cannot be looked at"), k->d->path)
			      : take_filesystem(k, pr, node);
	if (ret && !r)
		*ret = pr;
	else
		blkid_free_probe(pr);
	return r;
}

static int probe_table(const struct look *k, dev_t dev, blkid_probe pr)
{
	blkid_partlist list = blkid_probe_get_partitions(pr);
	blkid_parttable table = list ? blkid_partlist_get_table(list) : NULL;
	int n = table ? blkid_partlist_numof_partitions(list) : 0, r = 0;
	char line[PREPARE_TEXT], node[PREPARE_TEXT];

	if (!table)
		return 0;
	snprintf(line, sizeof(line), text("partition table %s, partitions: %d"),
	    blkid_parttable_get_type(table), n);
	add_line(k->d, line);
	for (int i = 0; i < n && !r; i++) {
		blkid_partition p = blkid_partlist_get_partition(list, i);
		const uint64_t size = (uint64_t)blkid_partition_get_size(p) * SECTOR;

		if (!prepare_node(dev, blkid_partition_get_partno(p), node))
			*node = '\0';
		if (size)
			r = probe_part(k, (uint64_t)blkid_partition_get_start(p) * SECTOR, size, node, NULL);
	}
	if (blkid_parttable_get_id(table))
		add_word(k->d, blkid_parttable_get_id(table));
	return r;
}

/* ---- bytes that nobody knows ---- */

static bool is_zero(int fd, uint64_t at, size_t n)
{
	BUF_AUTO b = BUF_INIT(EDGE);

	if (buf_reserve(&b, n, NULL) || pread(fd, b.p, n, (off_t)at) != (ssize_t)n)
		return false;
	return !b.p[0] && !memcmp(b.p, b.p + 1, n - 1);
}

static bool looks_empty(int fd, uint64_t bytes)
{
	bool empty = is_zero(fd, 0, EDGE) && is_zero(fd, bytes - EDGE, EDGE);

	for (uint64_t i = 1; empty && i < SPOTS; i++)
		empty = is_zero(fd, bytes / SPOTS * i / SPOT * SPOT, SPOT);
	return empty;
}

/* ---- all of it ---- */

static int look_at_content(const struct look *k, dev_t dev)
{
	blkid_probe pr = NULL;
	char bytes[32];
	int r = probe_part(k, 0, 0, k->d->path, &pr);

	if (!r)
		r = probe_table(k, dev, pr);
	blkid_free_probe(pr);
	if (r)
		return r;
	if (!k->d->n_held && !looks_empty(k->fd, k->d->bytes))
		add_line(k->d, text("data of a kind that is not known"));
	add_word(k->d, k->d->serial);
	snprintf(bytes, sizeof(bytes), "%" PRIu64, k->d->bytes);
	add_word(k->d, bytes);
	return 0;
}

static int look_at_device(const struct look *k, dev_t dev)
{
	struct device is;
	char text_of[PREPARE_TEXT];

	if (prepare_sys(dev, "partition", text_of, sizeof(text_of)))
		return err_set(k->err, "E-PREPARE-01", text("'%s' is a partition"), k->d->path),
		       err_hint(k->err, "%s", text("name the whole disk, as 'lsblk' shows it"));
	device_disk(dev, &is);
	snprintf(k->d->serial, sizeof(k->d->serial), "%s", is.serial);
	prepare_sys(dev, "device/model", k->d->model, sizeof(k->d->model));
	if (ioctl(k->fd, BLKGETSIZE64, &k->d->bytes))
		return err_sys(k->err, "E-PREPARE-01", errno, text("'%s' cannot be looked at"), k->d->path);
	prepare_sys(dev, "ro", text_of, sizeof(text_of));
	if (!strcmp(text_of, "1") || k->d->bytes < LEAST_BYTES)
		return err_set(k->err, "E-PREPARE-04",
			   text("'%s' is write-protected, or too small (%ju bytes)"), k->d->path,
			   (uintmax_t)k->d->bytes),
		       err_hint(k->err, "%s", text("look at its write-protect switch; 16 MiB are the least"));
	return look_at_content(k, dev);
}

int prepare_look(const char *device, const struct ledger *l, struct prepare_disk *ret, struct err *err)
{
	struct prepare_disk d = {0};
	struct look k = {.l = l, .d = &d, .err = err};
	char real[PATH_MAX], show[PREPARE_TEXT];
	struct stat st;
	int r;

	if (!realpath(device, real) || strlen(real) >= sizeof(d.path) || stat(real, &st) ||
	    !S_ISBLK(st.st_mode)) {
		err_set(err, "E-PREPARE-01", text("'%s' is no disk"), path_show(device, show, sizeof(show)));
		return err_hint(err, "%s", text("'lsblk' shows the disks; name one as /dev/sdb"));
	}
	memcpy(d.path, real, strlen(real) + 1);
	k.fd = open(real, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (k.fd < 0)
		return errno == EBUSY
			   ? in_use(&k, st.st_rdev)
			   : err_sys(err, "E-PREPARE-01", errno, text("'%s' cannot be looked at"), real);
	/* it would keep our own child from mounting what is on it */
	close(k.fd);
	k.fd = open(real, O_RDONLY | O_CLOEXEC);
	if (k.fd < 0)
		return err_sys(err, "E-PREPARE-01", errno, text("'%s' cannot be looked at"), real);
	r = look_at_device(&k, st.st_rdev);
	close(k.fd);
	if (!r)
		*ret = d;
	return r;
}
