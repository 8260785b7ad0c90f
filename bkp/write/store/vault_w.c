/* vault_w: see vault_w.h.
 *
 * Every file is made under tmp/ and named by a rename that replaces nothing.  The order of one archive: bytes,
 * mode, fsync, close (finish_file()), rename, fsync of its folder, immutable flag.  The rename is the commit
 * point; where the fsync after it fails the name is taken back, because a name that may not be durable must not
 * be found and believed.  Of one generation: all documents and their folder durable under tmp/, rename of the
 * folder, fsync of generations/.
 *
 * What is found under its final name may have been renamed by a run that died before its fsync.  So folders are
 * made durable when the vault is opened, and an archives/ab when something in it is first relied on
 * (settle_folder()).
 *
 * The medium is hostile until shown otherwise: folders are opened without following links, a mount in the place
 * of one is refused, and tmp/ is emptied to a bounded depth.  A handle belongs to one thread at a time: the
 * run's, or the sealer's while it packs. */
#include "write/store/vault_w.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "read/store/store_dir.h"
#include "write/state/history.h"

struct vault_w {
	int repo, archives, generations, tmp;
	struct store store; /* of repo */
	uint64_t staged;    /* makes names in tmp/ unique */
	uint64_t unfrozen, written;
	bool durable[256]; /* archives/ab, since it was opened */
	int frozen_errno;
};

struct vault_file {
	int fd;
	uint64_t size;
	char name[32];
};

/* What a dead run left in tmp/ is files, and folders of files. */
struct leftovers {
	int dirfd;
	int depth;
};
#define LEFTOVERS_DEPTH 8

/* An expired generation on its way out: its list says which archives go with it. */
static bool is_reaps(const char *name)
{
	const size_t n = strlen(VAULT_W_EXPIRED);
	uint64_t number;

	return !strncmp(name, VAULT_W_EXPIRED, n) && !generation_dir_parse(name + n, &number);
}

static int remove_leftover(void *arg, const char *name, struct err *err)
{
	const struct leftovers *l = arg;
	struct leftovers below = {-1, l->depth + 1};
	int dirfd = l->dirfd;
	IO_FD_AUTO sub = -1;

	if (!l->depth && is_reaps(name))
		return 0;
	if (!unlinkat(dirfd, name, 0) || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_sys(err, "E-PUBLISH-01", errno, text("cannot remove '%s' from tmp/"), name);
	sub = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return err_sys(err, "E-PUBLISH-01", errno, text("cannot remove '%s' from tmp/"), name);
	/* none of ours: nothing is erased that lies elsewhere, and no depth of folders exhausts the stack */
	if (below.depth > LEFTOVERS_DEPTH || !io_same_mount(sub, dirfd))
		return err_set(err, "E-PUBLISH-01", text("'%s' in tmp/ is no leftover of a run"), name);
	below.dirfd = sub;
	if (io_each_name(sub, remove_leftover, &below, err))
		return -1;
	if (unlinkat(dirfd, name, AT_REMOVEDIR))
		return err_sys(err, "E-PUBLISH-01", errno, text("cannot remove '%s' from tmp/"), name);
	return 0;
}

/* -1 where something else is mounted in the place of a folder: it would be written to, and what lies in tmp/
 * is removed. */
static int open_folder(const struct vault_w *v, const char *name, mode_t mode, int *ret_fd, struct err *err)
{
	*ret_fd = io_make_dir(v->repo, name, mode, err);
	if (*ret_fd < 0)
		return -1;
	if (io_same_mount(*ret_fd, v->repo))
		return 0;
	err_set(
	    err, "E-PUBLISH-06", text("the folder '%s' on the medium is a mount of something else"), name);
	return err_hint(err, "%s", text("unmount what is mounted there"));
}

static int clear_tmp(struct vault_w *v, struct err *err)
{
	struct leftovers l = {v->tmp, 0};

	return io_each_name(v->tmp, remove_leftover, &l, err);
}

int vault_w_open(int repo_dirfd, struct vault_w **ret, struct err *err)
{
	struct vault_w *v = calloc(1, sizeof(*v));

	if (!v)
		return err_nomem(err);
	v->archives = v->generations = v->tmp = -1;
	v->repo = fcntl(repo_dirfd, F_DUPFD_CLOEXEC, 3);
	if (v->repo < 0) {
		err_sys(err, "E-PUBLISH-01", errno, "%s", text("cannot open the repository's folder"));
		goto fail;
	}
	v->store = store_dir_of(v->repo);
	/* a folder that a dead run has made or renamed but not yet made durable will be found here and relied
	 * on */
	if (open_folder(v, "archives", 0755, &v->archives, err) ||
	    open_folder(v, "generations", 0755, &v->generations, err) ||
	    open_folder(v, "tmp", 0700, &v->tmp, err) || clear_tmp(v, err) || io_sync_dir(v->archives, err) ||
	    io_sync_dir(v->generations, err) || io_sync_dir(v->repo, err))
		goto fail;
	*ret = v;
	return 0;
fail:
	vault_w_close(v);
	return -1;
}

void vault_w_close(struct vault_w *v)
{
	if (!v)
		return;
	if (v->tmp >= 0)
		vault_w_release(v);
	io_close_quietly(&v->tmp);
	io_close_quietly(&v->generations);
	io_close_quietly(&v->archives);
	io_close_quietly(&v->repo);
	free(v);
}

int vault_w_dirfd(const struct vault_w *v)
{
	return v->repo;
}

const struct store *vault_w_store(const struct vault_w *v)
{
	return &v->store;
}

int vault_w_stage(struct vault_w *v, struct vault_file **ret, struct err *err)
{
	struct vault_file *f = calloc(1, sizeof(*f));

	if (!f)
		return err_nomem(err);
	snprintf(f->name, sizeof(f->name), "stage-%" PRIu64, v->staged++);
	f->fd = openat(v->tmp, f->name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (f->fd < 0) {
		free(f);
		return err_sys(err, "E-PUBLISH-02", errno, "%s", text("cannot create a file on the medium"));
	}
	*ret = f;
	return 0;
}

int vault_w_write(struct vault_file *f, const void *p, size_t n, struct err *err)
{
	if (io_write_full(f->fd, p, n))
		return err_sys(err, "E-PUBLISH-02", errno, "%s", text("cannot write to the medium"));
	f->size += n;
	return 0;
}

void vault_w_discard(struct vault_w *v, struct vault_file *f)
{
	if (!f)
		return;
	io_close_quietly(&f->fd);
	unlinkat(v->tmp, f->name, 0); /* if not now, the next vault_w_open() does it */
	free(f);
}

static void note_unfrozen(struct vault_w *v, int errnum)
{
	v->unfrozen++;
	if (!v->frozen_errno)
		v->frozen_errno = errnum;
}

/* Sets the immutable flag.  0, or errno: not having it is no failure of the backup, but it is said. */
static int freeze_file(int fd)
{
	int flags = 0;
	struct stat st;

	/* what was put in its place since it was looked at, a device say, is not asked for its flags */
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return EINVAL;
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags))
		return errno;
	if (flags & FS_IMMUTABLE_FL)
		return 0;
	flags |= FS_IMMUTABLE_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) ? errno : 0;
}

static void freeze_name(struct vault_w *v, int dirfd, const char *name)
{
	IO_FD_AUTO fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	int why = fd < 0 ? errno : freeze_file(fd);

	if (why)
		note_unfrozen(v, why);
}

int vault_w_freeze(struct vault_w *v, const char *path)
{
	STORE_FILE_AUTO file = {0};

	if (store_open(&v->store, path, &file, NULL))
		return errno ? errno : EIO;
	return freeze_file(file.fd);
}

/* archives/ab.  ≥0, or -1 with errno. */
static int open_fan(struct vault_w *v, const uint8_t sha256[DIGEST_LEN], char ret_name[3])
{
	return openat(
	    v->archives, digest_hex(sha256, 1, ret_name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* The same, made durable in its parent when it is new.  ≥0, -1. */
static int fan_dir(struct vault_w *v, const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	char name[3];
	IO_FD_AUTO fd = open_fan(v, sha256, name);

	if (fd >= 0)
		return io_take(&fd);
	fd = io_make_dir(v->archives, name, 0755, err);
	if (fd < 0 || io_sync_dir(v->archives, err))
		return -1;
	return io_take(&fd);
}

/* What stands there may be what a dead run has renamed and not made durable: it is, before it is relied on.
 * Once for each folder. */
static int settle_folder(struct vault_w *v, const uint8_t sha256[DIGEST_LEN], int dir, struct err *err)
{
	if (!v->durable[sha256[0]] && io_sync_dir(dir, err))
		return -1;
	v->durable[sha256[0]] = true;
	return 0;
}

/* An archive of that name is there already: the same bytes, if the size is the same (a name is the hash of
 * the bytes). */
static int accept_existing(int dir, const char *base, uint64_t size, struct err *err)
{
	struct stat st;

	if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW))
		return err_sys(err, "E-PUBLISH-02", errno, text("cannot look at '%s'"), base);
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size) {
		err_set_kind(err, ERR_TAKEN, "E-PUBLISH-03",
		    text("'%s' on the medium is not the archive of that name"), base);
		return err_hint(
		    err, "%s", text("run 'bkp verify' on this medium and keep it for examination"));
	}
	return 0;
}

/* Mode, bytes on the device, and closed: a network file system may tell of a lost write only then. */
static int finish_file(struct vault_file *f, const char *base, struct err *err)
{
	/* some file systems know no modes; then the medium's own are what there is */
	if (fchmod(f->fd, 0444) && errno != EPERM && errno != EOPNOTSUPP)
		return err_sys(err, "E-PUBLISH-02", errno, text("cannot set the mode of '%s'"), base);
	return io_sync(f->fd, base, err) || io_close(&f->fd, base, err) ? -1 : 0;
}

int vault_w_publish_archive(
    struct vault_w *v, struct vault_file *f, const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	char path[ARCFILE_PATH];
	const char *base = strrchr(arcfile_path(sha256, path), '/') + 1;
	IO_FD_AUTO dir = fan_dir(v, sha256, err);
	int r = -1;

	if (dir < 0 || finish_file(f, base, err))
		goto out;
	r = io_rename_new(v->tmp, f->name, dir, base, err);
	if (r == IO_EXISTS) {
		r = accept_existing(dir, base, f->size, err) || settle_folder(v, sha256, dir, err) ? -1 : 0;
		goto out;
	}
	if (!r && io_sync_dir(dir, err)) {
		/* perhaps not durable: it must not be found there and believed */
		r = -1;
		renameat(dir, base, v->tmp, f->name);
	}
	if (r)
		goto out;
	freeze_name(v, dir, base);
	v->written += f->size;
	free(f);
	return 0;
out:
	vault_w_discard(v, f);
	return r;
}

int vault_w_has_archive(struct vault_w *v, const uint8_t sha256[DIGEST_LEN], uint64_t size, struct err *err)
{
	char path[ARCFILE_PATH], fan[3];
	const char *base = strrchr(arcfile_path(sha256, path), '/') + 1;
	IO_FD_AUTO dir = open_fan(v, sha256, fan);
	struct stat st;

	if (dir < 0 || fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno == ENOENT)
			return 0;
		return err_sys(err, "E-PUBLISH-02", errno, text("cannot look at '%s'"), path);
	}
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
		return 0;
	if (settle_folder(v, sha256, dir, err))
		return -1;
	freeze_name(v, dir, base);
	return 1;
}

static int write_docs(int dir, const struct vault_doc *docs, size_t n, struct err *err)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (io_write_new(dir, docs[i].name, 0444, docs[i].p, docs[i].n, err))
			return -1;
	return io_sync_dir(dir, err);
}

/* What stands in a generation's folder already. */
struct present_docs {
	int dir;
	const struct vault_doc *docs;
	size_t n;
	unsigned found; /* a bit for each document */
};

/* 0: one of the documents, with the same bytes; 1: something else. */
static int look_at_doc(void *arg, const char *name, struct err *err)
{
	struct present_docs *s = arg;
	size_t i;

	(void)err;
	for (i = 0; i < s->n; i++) {
		BUF_AUTO have = BUF_INIT(s->docs[i].n);

		if (strcmp(name, s->docs[i].name) != 0)
			continue;
		if (io_read_file(s->dir, name, &have, NULL) || have.n != s->docs[i].n ||
		    (have.n && memcmp(have.p, s->docs[i].p, have.n) != 0))
			return 1;
		s->found |= 1u << i;
		return 0;
	}
	return 1;
}

/* The documents that were lost, each whole; the signature is the last of them. */
static int supply_docs(struct vault_w *v, const struct present_docs *s, struct err *err)
{
	char stage[32];
	size_t i;

	for (i = 0; i < s->n; i++) {
		if (s->found & 1u << i)
			continue;
		snprintf(stage, sizeof(stage), "document-%" PRIu64, v->staged++);
		if (io_write_new(v->tmp, stage, 0444, s->docs[i].p, s->docs[i].n, err) ||
		    io_taken(
			io_rename_new(v->tmp, stage, s->dir, s->docs[i].name, err), s->docs[i].name, err))
			return -1;
		v->written += s->docs[i].n;
	}
	return io_sync_dir(s->dir, err); /* of those that were found, too: a dead run may have brought them */
}

static void freeze_docs(struct vault_w *v, int dir, const struct vault_doc *docs, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		freeze_name(v, dir, docs[i].name);
}

/* The number is taken: by these very documents, when a run died between publishing and recording it, or when
 * some of them were lost since. */
static int already_published(
    struct vault_w *v, const char *final, const struct vault_doc *docs, size_t n, struct err *err)
{
	IO_FD_AUTO dir = openat(v->repo, final, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct present_docs s = {dir, docs, n, 0};
	int r;

	if (dir < 0 && errno != ENOTDIR && errno != ELOOP)
		return err_sys(err, "E-IO-07", errno, text("cannot open folder '%s'"), final);
	r = dir < 0 ? 1 : io_each_name(dir, look_at_doc, &s, err);
	if (r > 0) {
		err_set_kind(
		    err, ERR_TAKEN, "E-PUBLISH-04", text("'%s' stands on the medium already"), final);
		return err_hint(err, "%s",
		    text("another host may write to this medium; compare 'bkp journal show' with it"));
	}
	if (r || supply_docs(v, &s, err))
		return -1;
	freeze_docs(v, dir, docs, n);
	return 0;
}

int vault_w_publish_generation(
    struct vault_w *v, uint64_t number, const struct vault_doc *docs, size_t n, struct err *err)
{
	char final[GENERATION_DIR], stage[32];
	IO_FD_AUTO dir = -1;
	size_t i;
	int r;

	snprintf(stage, sizeof(stage), "generation-%" PRIu64, v->staged++);
	dir = io_make_dir(v->tmp, stage, 0755, err);
	if (dir < 0)
		return -1;
	r = write_docs(dir, docs, n, err);
	if (!r)
		r = io_rename_new(v->tmp, stage, v->repo, generation_dir(number, final), err);
	if (r)
		(void)remove_leftover(
		    &(struct leftovers){v->tmp, 0}, stage, NULL); /* if not now, the next open does it */
	if (r == IO_EXISTS)
		return already_published(v, final, docs, n, err);
	if (r)
		return -1;
	if (io_sync_dir(v->generations, err)) {
		/* perhaps not durable: it must not be found there and believed */
		renameat(v->repo, final, v->tmp, stage);
		return -1;
	}
	freeze_docs(v, dir, docs, n);
	for (i = 0; i < n; i++)
		v->written += docs[i].n;
	return 0;
}

#define RESERVE "reserve"

void vault_w_reserve(struct vault_w *v, uint64_t bytes)
{
	IO_FD_AUTO fd = openat(v->tmp, RESERVE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	/* less than asked for is better than nothing: a disk that is nearly full is brought again and again */
	while (fd >= 0 && bytes && fallocate(fd, 0, 0, (off_t)bytes) && errno == ENOSPC) {
		(void)!ftruncate(fd, 0);
		bytes /= 2;
	}
}

void vault_w_release(struct vault_w *v)
{
	unlinkat(v->tmp, RESERVE, 0);
}

int vault_w_put_journal(struct vault_w *v, int fd, uint64_t size, struct err *err)
{
	static const char tmp[] = "journal.copy";
	IO_FD_AUTO dir = io_make_dir(v->repo, "journal", 0755, err);
	IO_FD_AUTO out = -1;
	char block[65536];
	uint64_t done = 0;

	if (dir < 0 || history_continues(&v->store, fd, size, err))
		return -1;
	unlinkat(v->tmp, tmp, 0);
	out = openat(v->tmp, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (out < 0)
		return err_sys(err, "E-PUBLISH-02", errno, "%s", text("cannot create a file on the medium"));
	while (done < size) {
		size_t want = size - done < sizeof(block) ? (size_t)(size - done) : sizeof(block);
		ssize_t got = io_pread_full(fd, block, want, (int64_t)done);

		if (got != (ssize_t)want)
			return err_sys(
			    err, "E-IO-02", got < 0 ? errno : EIO, text("cannot read '%s'"), "journal.jsonl");
		if (io_write_full(out, block, want))
			return err_sys(err, "E-PUBLISH-02", errno, "%s", text("cannot write to the medium"));
		done += want;
	}
	if (io_sync(out, tmp, err) || io_close(&out, tmp, err))
		return -1;
	if (renameat(v->tmp, tmp, dir, "journal.jsonl"))
		return err_sys(err, "E-IO-05", errno, text("cannot rename '%s'"), "journal.jsonl");
	return io_sync_dir(dir, err);
}

uint64_t vault_w_unfrozen(const struct vault_w *v, int *ret_errno)
{
	*ret_errno = v->frozen_errno;
	return v->unfrozen;
}

uint64_t vault_w_written(const struct vault_w *v)
{
	return v->written;
}
