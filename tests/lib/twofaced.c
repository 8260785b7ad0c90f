/* twofaced TRUE OVERLAY MODE MOUNTPOINT [fuse options]: a medium with two faces (attack a02).  Shows the
 * folder TRUE, and writes into it.  A file that OVERLAY has too, at the same path, shows its true bytes until
 * it is triggered, and then, for ever, those of OVERLAY: always      at once end:N       when its last byte
 * has been read N times open:N      from opening N + 1 on bytes:P     when P percent of its length have been
 * read in all, wherever again       each block of 4 KiB by itself: true when it is read first, false from
 * then on OVERLAY may also be flip:TEXT, which stands for every file with TEXT in its path, and a bit turned
 * in every hundredth byte. Nothing is kept by the kernel: each reading asks again.  Files have the size of
 * the face they show. Built by the tests: gcc … $(pkg-config --cflags --libs fuse3). */
#define _GNU_SOURCE
#define FUSE_USE_VERSION 31
#include <fuse.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define BLOCK 4096

struct face {
	struct face *next;
	char *path;
	long opens, ends;
	unsigned long long served;
	unsigned char *seen; /* mode again: a byte a block */
	size_t blocks;
	int evil;
};

struct handle {
	int true_fd, false_fd;
	struct face *face;
};

static int top, overlay = -1;
static const char *flip; /* instead of an overlay */
static char mode[32];
static long limit;
static struct face *faces;

static const char *rel(const char *path)
{
	return path[1] ? path + 1 : ".";
}

static int has_overlay(const char *path)
{
	struct stat st;

	if (flip)
		return strstr(path, flip) != NULL;
	return !fstatat(overlay, rel(path), &st, AT_SYMLINK_NOFOLLOW) && S_ISREG(st.st_mode);
}

static struct face *face_of(const char *path)
{
	struct face *f;

	for (f = faces; f; f = f->next)
		if (!strcmp(f->path, path))
			return f;
	f = calloc(1, sizeof(*f));
	f->path = strdup(path);
	f->evil = !strcmp(mode, "always");
	f->next = faces;
	return faces = f;
}

static int full(char *out, const char *path)
{
	return snprintf(out, PATH_MAX, "/proc/self/fd/%d/%s", top, rel(path)) >= PATH_MAX ? -ENAMETOOLONG : 0;
}

#define R(x) ((x) < 0 ? -errno : 0)
#define F(buf, path)                                                                                         \
	char buf[PATH_MAX];                                                                                  \
	int bad_##buf = full(buf, path);                                                                     \
	if (bad_##buf)                                                                                       \
	return bad_##buf

static int t_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	(void)fi;
	if (fstatat(top, rel(path), st, AT_SYMLINK_NOFOLLOW))
		return -errno;
	if (S_ISREG(st->st_mode) && !flip && has_overlay(path) && face_of(path)->evil) {
		struct stat o;

		if (!fstatat(overlay, rel(path), &o, AT_SYMLINK_NOFOLLOW))
			st->st_size = o.st_size;
	}
	return 0;
}

static int t_open(const char *path, struct fuse_file_info *fi)
{
	struct handle *h = calloc(1, sizeof(*h));

	h->false_fd = -1;
	h->true_fd = openat(top, rel(path), (fi->flags & ~(O_DIRECT | O_CREAT | O_EXCL)) | O_NOFOLLOW);
	if (h->true_fd < 0) {
		int e = errno;

		free(h);
		return -e;
	}
	if (has_overlay(path)) {
		h->face = face_of(path);
		h->false_fd = flip ? -1 : openat(overlay, rel(path), O_RDONLY);
		if (h->face->opens++ >= limit && !strcmp(mode, "open"))
			h->face->evil = 1;
	}
	fi->direct_io = 1;
	fi->fh = (uintptr_t)h;
	return 0;
}

static int t_create(const char *path, mode_t m, struct fuse_file_info *fi)
{
	struct handle *h = calloc(1, sizeof(*h));

	h->false_fd = -1;
	h->true_fd = openat(top, rel(path), (fi->flags & ~O_DIRECT) | O_CREAT | O_NOFOLLOW, m);
	if (h->true_fd < 0) {
		int e = errno;

		free(h);
		return -e;
	}
	if (has_overlay(path))
		h->face = face_of(path);
	fi->direct_io = 1;
	fi->fh = (uintptr_t)h;
	return 0;
}

static ssize_t read_face(const struct handle *h, int evil, char *buf, size_t n, off_t at)
{
	ssize_t r = pread(evil && !flip ? h->false_fd : h->true_fd, buf, n, at);

	for (ssize_t i = 0; evil && flip && i < r; i++)
		if ((at + i) % 100 == 50)
			buf[i] ^= 1;
	return r;
}

/* one block or less, by itself */
static ssize_t read_again(struct handle *h, char *buf, size_t n, off_t at)
{
	struct face *f = h->face;
	size_t b = (size_t)(at / BLOCK), left = BLOCK - (size_t)(at % BLOCK);
	ssize_t r;

	if (b >= f->blocks) {
		size_t want = (b + 1) * 2;

		f->seen = realloc(f->seen, want);
		memset(f->seen + f->blocks, 0, want - f->blocks);
		f->blocks = want;
	}
	if (n > left)
		n = left;
	r = read_face(h, f->seen[b], buf, n, at);
	if (r > 0 && (size_t)r == left)
		f->seen[b] =
		    1; /* its last byte was given: a reader that comes in small steps gets each block whole */
	else if (r >= 0 && (size_t)r < n)
		f->seen[b] = 1;
	return r;
}

static int t_read(const char *path, char *buf, size_t n, off_t at, struct fuse_file_info *fi)
{
	struct handle *h = (struct handle *)(uintptr_t)fi->fh;
	struct face *f = h->face;
	struct stat st;
	ssize_t r, done = 0;

	(void)path;
	if (!f || (h->false_fd < 0 && !flip))
		return (int)((r = pread(h->true_fd, buf, n, at)) < 0 ? -errno : r);
	if (!strcmp(mode, "again")) {
		while ((size_t)done < n && (r = read_again(h, buf + done, n - (size_t)done, at + done)) > 0)
			done += r;
		return (int)done;
	}
	if ((r = read_face(h, f->evil, buf, n, at)) < 0)
		return -errno;
	f->served += (unsigned long long)r;
	if (fstat(h->true_fd, &st))
		return -errno;
	if (!strcmp(mode, "end") && r > 0 && at + r >= st.st_size && ++f->ends >= limit)
		f->evil = 1;
	if (!strcmp(mode, "bytes") &&
	    f->served * 100 >= (unsigned long long)st.st_size * (unsigned long long)limit)
		f->evil = 1;
	return (int)r;
}

static int t_write(const char *path, const char *buf, size_t n, off_t at, struct fuse_file_info *fi)
{
	ssize_t r = pwrite(((struct handle *)(uintptr_t)fi->fh)->true_fd, buf, n, at);

	(void)path;
	return (int)(r < 0 ? -errno : r);
}

static int t_release(const char *path, struct fuse_file_info *fi)
{
	struct handle *h = (struct handle *)(uintptr_t)fi->fh;

	(void)path;
	close(h->true_fd);
	if (h->false_fd >= 0)
		close(h->false_fd);
	free(h);
	return 0;
}

static int t_fsync(const char *path, int data, struct fuse_file_info *fi)
{
	int fd = ((struct handle *)(uintptr_t)fi->fh)->true_fd;

	(void)path;
	return R(data ? fdatasync(fd) : fsync(fd));
}

static int t_readdir(const char *path, void *buf, fuse_fill_dir_t fill, off_t at, struct fuse_file_info *fi,
    enum fuse_readdir_flags flags)
{
	int fd = openat(top, rel(path), O_RDONLY | O_DIRECTORY);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	(void)at;
	(void)fi;
	(void)flags;
	if (!d)
		return -errno;
	while ((e = readdir(d)))
		fill(buf, e->d_name, NULL, 0, 0);
	closedir(d);
	return 0;
}

static int t_readlink(const char *path, char *buf, size_t n)
{
	ssize_t r = readlinkat(top, rel(path), buf, n - 1);

	if (r < 0)
		return -errno;
	buf[r] = 0;
	return 0;
}

static int t_mkdir(const char *p, mode_t m)
{
	return R(mkdirat(top, rel(p), m));
}
static int t_unlink(const char *p)
{
	return R(unlinkat(top, rel(p), 0));
}
static int t_rmdir(const char *p)
{
	return R(unlinkat(top, rel(p), AT_REMOVEDIR));
}
static int t_symlink(const char *to, const char *p)
{
	return R(symlinkat(to, top, rel(p)));
}
static int t_link(const char *a, const char *b)
{
	return R(linkat(top, rel(a), top, rel(b), 0));
}
static int t_rename(const char *a, const char *b, unsigned fl)
{
	return R(renameat2(top, rel(a), top, rel(b), fl));
}
static int t_fsyncdir(const char *p, int d, struct fuse_file_info *fi)
{
	(void)p, (void)d, (void)fi;
	return 0;
}

static int t_chmod(const char *p, mode_t m, struct fuse_file_info *fi)
{
	(void)fi;
	return R(fchmodat(top, rel(p), m, 0));
}

static int t_chown(const char *p, uid_t u, gid_t g, struct fuse_file_info *fi)
{
	(void)fi;
	return R(fchownat(top, rel(p), u, g, AT_SYMLINK_NOFOLLOW));
}

static int t_utimens(const char *p, const struct timespec ts[2], struct fuse_file_info *fi)
{
	(void)fi;
	return R(utimensat(top, rel(p), ts, AT_SYMLINK_NOFOLLOW));
}

static int t_truncate(const char *p, off_t n, struct fuse_file_info *fi)
{
	F(buf, p);
	return fi ? R(ftruncate(((struct handle *)(uintptr_t)fi->fh)->true_fd, n)) : R(truncate(buf, n));
}

static int t_fallocate(const char *p, int m, off_t at, off_t n, struct fuse_file_info *fi)
{
	(void)p;
	return R(fallocate(((struct handle *)(uintptr_t)fi->fh)->true_fd, m, at, n));
}

static int t_statfs(const char *p, struct statvfs *s)
{
	(void)p;
	return R(fstatvfs(top, s));
}

static void *t_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	(void)conn;
	cfg->use_ino = 1;
	cfg->attr_timeout = cfg->entry_timeout = cfg->negative_timeout = 0;
	return NULL;
}

static const struct fuse_operations ops = {.init = t_init,
    .getattr = t_getattr,
    .open = t_open,
    .create = t_create,
    .read = t_read,
    .write = t_write,
    .release = t_release,
    .fsync = t_fsync,
    .fsyncdir = t_fsyncdir,
    .readdir = t_readdir,
    .readlink = t_readlink,
    .mkdir = t_mkdir,
    .unlink = t_unlink,
    .rmdir = t_rmdir,
    .symlink = t_symlink,
    .link = t_link,
    .rename = t_rename,
    .chmod = t_chmod,
    .chown = t_chown,
    .utimens = t_utimens,
    .truncate = t_truncate,
    .fallocate = t_fallocate,
    .statfs = t_statfs};

int main(int argc, char **argv)
{
	char *colon;

	if (argc < 5) {
		fprintf(stderr, "twofaced TRUE OVERLAY MODE MOUNTPOINT [fuse options]\n");
		return 64;
	}
	top = open(argv[1], O_PATH | O_DIRECTORY);
	if (!strncmp(argv[2], "flip:", 5))
		flip = argv[2] + 5;
	else
		overlay = open(argv[2], O_PATH | O_DIRECTORY);
	if (top < 0 || (overlay < 0 && !flip)) {
		perror("twofaced");
		return 2;
	}
	snprintf(mode, sizeof(mode), "%s", argv[3]);
	if ((colon = strchr(mode, ':'))) {
		*colon = 0;
		limit = atol(colon + 1);
	}
	argv[3] = argv[0];
	umask(0);
	return fuse_main(argc - 3, argv + 3, &ops, NULL);
}
