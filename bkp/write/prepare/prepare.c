/* prepare: making it; see prepare.h. */
#include "write/prepare/prepare.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "write/prepare/prepare_private.h"
#include "write/prepare/tool.h"

#define WAIT_MS	  5000
#define TICK_MS	  50
#define KERNEL_MS 1000		       /* by itself; then it is told */
#define LARGE	  ((uint64_t)16 << 30) /* bytes from which an inode a MiB is enough: archives are large */

/* Inode tables are written now, not by the kernel in the hours after: the disk is to leave. */
static const struct fs {
	const char *name;
	size_t label; /* bytes */
	const char *argv[12];
} kinds[] = {
    {"ext4", 16, {"mkfs.ext4", "-q", "-F", "-m", "0", "-E", "lazy_itable_init=0,lazy_journal_init=0", "-L"}},
    {"xfs", 12, {"mkfs.xfs", "-q", "-f", "-L"}}};

static const struct fs *find_fs(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].name, name))
			return &kinds[i];
	return NULL;
}

bool prepare_fs_known(const char *fs)
{
	return find_fs(fs);
}

/* ---- partitions ---- */

bool prepare_node(dev_t disk, int number, char out[PREPARE_TEXT])
{
	char folder[PREPARE_TEXT], file[PREPARE_TEXT * 2], want[16], is[16];
	struct dirent *e;
	bool found = false;
	struct stat st;
	DIR *dir;

	snprintf(folder, sizeof(folder), "/sys/dev/block/%u:%u", major(disk), minor(disk));
	dir = opendir(folder);
	snprintf(want, sizeof(want), "%d", number);
	while (dir && !found && (e = readdir(dir))) {
		snprintf(file, sizeof(file), "%.200s/partition", e->d_name);
		found = *e->d_name != '.' && prepare_sys(disk, file, is, sizeof(is)) && !strcmp(is, want) &&
			snprintf(out, PREPARE_TEXT, "/dev/%.200s", e->d_name) > 0;
	}
	if (dir)
		closedir(dir);
	return found && !stat(out, &st) && S_ISBLK(st.st_mode);
}

/* The kernel shows the new partition a moment later; one that reads no partition tables is told of it. */
static int wait_for_node(const char *path, dev_t dev, char out[PREPARE_TEXT], struct err *err)
{
	const char *const tell[] = {"partx", "--add", path, NULL};

	for (int ms = 0; ms < WAIT_MS; ms += TICK_MS) {
		if (prepare_node(dev, 1, out))
			return 0;
		if (ms == KERNEL_MS && tool_run(tell, NULL, NULL))
			ms += TICK_MS; /* not all have it; the node may come all the same */
		poll(NULL, 0, TICK_MS);
	}
	err_set(err, "E-PREPARE-08", text("the new partition of '%s' does not appear"), path);
	return err_hint(err, "%s", text("pull the disk, plug it in again, and prepare it again"));
}

static int make_partition(const char *path, char out[PREPARE_TEXT], struct err *err)
{
	const char *const argv[] = {"sfdisk", "--quiet", "--wipe", "always", "--wipe-partitions", "always",
	    "--label", "gpt", path, NULL};
	struct stat st;

	if (stat(path, &st))
		return err_sys(err, "E-PREPARE-01", errno, text("'%s' cannot be looked at"), path);
	return tool_run(argv, "type=linux\n", err) || wait_for_node(path, st.st_rdev, out, err) ? -1 : 0;
}

/* ---- file system ---- */

static int make_fs(const struct fs *fs, const char *label, uint64_t bytes, const char *node, struct err *err)
{
	const char *argv[16];
	char as[32];
	size_t n = 0;

	/* bytes of a character that do not fit are none */
	snprintf(as, fs->label + 1 < sizeof(as) ? fs->label + 1 : sizeof(as), "%s", label);
	width_whole(as);
	for (; fs->argv[n]; n++)
		argv[n] = fs->argv[n];
	argv[n++] = as;
	if (!strcmp(fs->name, "ext4") && bytes >= LARGE) {
		argv[n++] = "-i";
		argv[n++] = "1048576";
	}
	argv[n++] = node;
	argv[n] = NULL;
	return tool_run(argv, NULL, err);
}

static int read_uuid(const char *node, char out[PREPARE_TEXT], struct err *err)
{
	blkid_probe pr = blkid_new_probe_from_filename(node);
	const char *uuid = NULL;

	*out = '\0';
	if (pr && !blkid_probe_enable_superblocks(pr, 1) &&
	    !blkid_probe_set_superblocks_flags(pr, BLKID_SUBLKS_UUID) && !blkid_do_safeprobe(pr) &&
	    !blkid_probe_lookup_value(pr, "UUID", &uuid, NULL))
		path_show(uuid, out, PREPARE_TEXT);
	blkid_free_probe(pr);
	return *out ? 0
		    : err_set(err, "E-PREPARE-08", text("the new file system on '%s' cannot be read"), node);
}

int prepare_make(const struct prepare_disk *d, const struct ledger *l, const char *label, const char *name,
    struct prepare_made *ret, struct err *err)
{
	const struct fs *fs = find_fs(name);
	struct prepare_disk now;
	struct prepare_made made = {0};

	if (prepare_look(d->path, l, &now, err))
		return -1;
	if (memcmp(&now, d, sizeof(now)) != 0) {
		err_set(err, "E-PREPARE-07", text("'%s' is no longer what it was when it was looked at"),
		    d->path);
		return err_hint(err, "%s", text("look again, and run it again"));
	}
	if (make_partition(d->path, made.node, err) || make_fs(fs, label, d->bytes, made.node, err) ||
	    read_uuid(made.node, made.fs_uuid, err))
		return -1;
	*ret = made;
	return 0;
}

/* ---- mounting ---- */

static bool is_empty_folder(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	bool empty = dir;

	while (empty && (e = readdir(dir)))
		empty = !strcmp(e->d_name, ".") || !strcmp(e->d_name, "..");
	if (dir)
		closedir(dir);
	return empty;
}

int prepare_mount(const struct prepare_made *m, const char *fs, const char *path, struct err *err)
{
	char show[PREPARE_TEXT];

	if ((mkdir(path, 0755) && errno != EEXIST) || !is_empty_folder(path)) {
		err_set(err, "E-PREPARE-09", text("'%s' is no empty folder to mount it at"),
		    path_show(path, show, sizeof(show)));
		return err_hint(err, text("the disk is prepared: mount %s where it should be"), m->node);
	}
	if (mount(m->node, path, fs, MS_NOEXEC | MS_NOSUID | MS_NODEV, NULL)) {
		err_sys(err, "E-PREPARE-09", errno, text("'%s' cannot be mounted at '%s'"), m->node,
		    path_show(path, show, sizeof(show)));
		return err_hint(err, text("the disk is prepared: mount %s where it should be"), m->node);
	}
	return 0;
}
