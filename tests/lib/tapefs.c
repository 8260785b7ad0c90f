/* tapefs FOLDER REPORT MOUNTPOINT [fuse options]: a folder with the rules of LTFS, for tests; no tape drive was there.
 *
 * What LTFS (SNIA, LTFS Format Specification 2.4) and its FUSE program let a program do: files grow at their end, one behind the other on the
 * tape; names are in an index, so that renaming, removing and replacing a name costs no data, and what was replaced stays on the tape as
 * waste; symbolic links and extended attributes are there, hard links, chattr, preallocation, renameat2() and locks of the server are not.
 * LTFS takes an overwrite, too, by writing the extent anew at the end of the tape; here it is refused (EPERM) and counted, for nothing of bkp
 * may want it.
 *
 * At the end REPORT says, a "name number" a line:
 *     rewrites    writes that are not at the end of their file, and truncations of data
 *     refused     hard links, preallocations: what the real one has not
 *     switches    how often a file got bytes while another, which got some before, was still being written: the tape holds that one in pieces
 *     pieces      extents on the tape, of all files
 *     seeks       how often reading did not go on where it had been on the tape
 *     read, written, waste   bytes; waste: of names that were removed or replaced
 * Built by the tests: gcc … $(pkg-config --cflags --libs fuse3).  One thread: the drive has one head. */
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

/* Where on the tape the bytes of a file are; by inode of the folder behind. */
struct extent {
	ino_t ino;
	off_t file, tape, length;
};
static struct extent *extents;
static size_t n_extents;
static off_t tape_end, head = -1;
static ino_t writing; /* the file that got the last bytes */
static unsigned long long rewrites, refused, switches, seeks, bytes_read, written, waste;
static const char *root, *report;

static char *behind(const char *path, char out[PATH_MAX])
{
	if ((size_t)snprintf(out, PATH_MAX, "%s%s", root, path) >= PATH_MAX)
		out[0] = '\0';
	return out;
}

static int done(int r)
{
	return r < 0 ? -errno : 0;
}

static int tape_getattr(const char *path, struct stat *st, struct fuse_file_info *fi)
{
	char p[PATH_MAX];

	return fi ? done(fstat((int)fi->fh, st)) : done(lstat(behind(path, p), st));
}

static int tape_access(const char *path, int mode)
{
	char p[PATH_MAX];

	return done(faccessat(AT_FDCWD, behind(path, p), mode, AT_SYMLINK_NOFOLLOW));
}

static int tape_readlink(const char *path, char *out, size_t size)
{
	char p[PATH_MAX];
	ssize_t n = readlink(behind(path, p), out, size - 1);

	if (n < 0)
		return -errno;
	out[n] = '\0';
	return 0;
}

static int tape_symlink(const char *to, const char *path)
{
	char p[PATH_MAX];

	return done(symlink(to, behind(path, p)));
}

static int tape_mkdir(const char *path, mode_t mode)
{
	char p[PATH_MAX];

	return done(mkdir(behind(path, p), mode));
}

static int tape_rmdir(const char *path)
{
	char p[PATH_MAX];

	return done(rmdir(behind(path, p)));
}

static void count_waste(const char *p)
{
	struct stat st;

	if (!lstat(p, &st) && S_ISREG(st.st_mode))
		waste += (unsigned long long)st.st_size;
}

static int tape_unlink(const char *path)
{
	char p[PATH_MAX];

	count_waste(behind(path, p));
	return done(unlink(p));
}

static int tape_rename(const char *from, const char *to, unsigned flags)
{
	char p[PATH_MAX], q[PATH_MAX];

	if (flags)
		return -EINVAL;
	count_waste(behind(to, q));
	return done(rename(behind(from, p), q));
}

static int tape_link(const char *from, const char *to)
{
	(void)from, (void)to;
	refused++;
	return -ENOSYS;
}

static int tape_fallocate(const char *path, int mode, off_t offset, off_t length, struct fuse_file_info *fi)
{
	(void)path, (void)mode, (void)offset, (void)length, (void)fi;
	refused++;
	return -EOPNOTSUPP;
}

static int tape_chmod(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	char p[PATH_MAX];

	return fi ? done(fchmod((int)fi->fh, mode)) : done(chmod(behind(path, p), mode));
}

static int tape_chown(const char *path, uid_t uid, gid_t gid, struct fuse_file_info *fi)
{
	char p[PATH_MAX];

	(void)fi;
	return done(lchown(behind(path, p), uid, gid));
}

static int tape_truncate(const char *path, off_t size, struct fuse_file_info *fi)
{
	char p[PATH_MAX];
	struct stat st;

	(void)fi;
	if (stat(behind(path, p), &st))
		return -errno;
	if (size == st.st_size)
		return 0;
	rewrites++;
	return -EPERM;
}

static int tape_open(const char *path, struct fuse_file_info *fi)
{
	char p[PATH_MAX];
	struct stat st;
	int fd;

	if ((fi->flags & O_TRUNC) && !stat(behind(path, p), &st) && st.st_size) {
		rewrites++;
		return -EPERM;
	}
	fd = open(behind(path, p), (fi->flags & O_ACCMODE) == O_RDONLY ? O_RDONLY : O_RDWR);
	if (fd < 0)
		return -errno;
	fi->fh = (uint64_t)fd;
	return 0;
}

static int tape_create(const char *path, mode_t mode, struct fuse_file_info *fi)
{
	char p[PATH_MAX];
	int fd = open(behind(path, p), O_RDWR | O_CREAT | O_EXCL, mode);

	if (fd < 0)
		return -errno;
	fi->fh = (uint64_t)fd;
	return 0;
}

static int tape_write(const char *path, const char *data, size_t n, off_t offset, struct fuse_file_info *fi)
{
	struct extent *last = n_extents ? &extents[n_extents - 1] : NULL;
	struct stat st;
	ssize_t put;

	(void)path;
	if (fstat((int)fi->fh, &st))
		return -errno;
	if (offset != st.st_size) {
		rewrites++;
		return -EPERM;
	}
	put = pwrite((int)fi->fh, data, n, offset);
	if (put < 0)
		return -errno;
	if (!last || last->ino != st.st_ino || last->file + last->length != offset) {
		struct extent *more = reallocarray(extents, n_extents + 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		extents = more;
		switches += offset > 0 && writing != st.st_ino;
		last = &extents[n_extents++];
		*last = (struct extent){st.st_ino, offset, tape_end, 0};
	}
	writing = st.st_ino;
	last->length += put;
	tape_end += put;
	written += (unsigned long long)put;
	head = tape_end;
	return (int)put;
}

static int tape_read(const char *path, char *out, size_t n, off_t offset, struct fuse_file_info *fi)
{
	ssize_t got = pread((int)fi->fh, out, n, offset);
	struct stat st;

	(void)path;
	if (got <= 0 || fstat((int)fi->fh, &st))
		return got < 0 ? -errno : (int)got;
	for (size_t i = n_extents; i--;) {
		const struct extent *e = &extents[i];

		if (e->ino != st.st_ino || offset < e->file || offset >= e->file + e->length)
			continue;
		seeks += head != e->tape + offset - e->file;
		head = e->tape + offset - e->file + got;
		break;
	}
	bytes_read += (unsigned long long)got;
	return (int)got;
}

static int tape_statfs(const char *path, struct statvfs *st)
{
	(void)path;
	return done(statvfs(root, st));
}

static int tape_release(const char *path, struct fuse_file_info *fi)
{
	(void)path;
	close((int)fi->fh);
	return 0;
}

static int tape_fsync(const char *path, int data, struct fuse_file_info *fi)
{
	(void)path, (void)data;
	return done(fsync((int)fi->fh));
}

static int tape_fsyncdir(const char *path, int data, struct fuse_file_info *fi)
{
	(void)path, (void)data, (void)fi;
	return 0;
}

static int tape_utimens(const char *path, const struct timespec ts[2], struct fuse_file_info *fi)
{
	char p[PATH_MAX];

	(void)fi;
	return done(utimensat(AT_FDCWD, behind(path, p), ts, AT_SYMLINK_NOFOLLOW));
}

static int tape_setxattr(const char *path, const char *name, const char *value, size_t n, int flags)
{
	char p[PATH_MAX];

	return done(lsetxattr(behind(path, p), name, value, n, flags));
}

static int tape_getxattr(const char *path, const char *name, char *value, size_t n)
{
	char p[PATH_MAX];
	ssize_t r = lgetxattr(behind(path, p), name, value, n);

	return r < 0 ? -errno : (int)r;
}

static int tape_listxattr(const char *path, char *list, size_t n)
{
	char p[PATH_MAX];
	ssize_t r = llistxattr(behind(path, p), list, n);

	return r < 0 ? -errno : (int)r;
}

static int tape_readdir(const char *path, void *out, fuse_fill_dir_t fill, off_t offset,
    struct fuse_file_info *fi, enum fuse_readdir_flags flags)
{
	char p[PATH_MAX];
	DIR *d = opendir(behind(path, p));
	struct dirent *e;

	(void)offset, (void)fi, (void)flags;
	if (!d)
		return -errno;
	while ((e = readdir(d)))
		if (fill(out, e->d_name, NULL, 0, 0))
			break;
	closedir(d);
	return 0;
}

/* Nothing is kept by the kernel: each reading asks again. */
static void *tape_init(struct fuse_conn_info *conn, struct fuse_config *cfg)
{
	(void)conn;
	cfg->use_ino = 1;
	cfg->entry_timeout = cfg->attr_timeout = cfg->negative_timeout = 0;
	return NULL;
}

static void tape_destroy(void *data)
{
	FILE *f = fopen(report, "w");

	(void)data;
	if (!f)
		return;
	fprintf(f,
	    "rewrites %llu\nrefused %llu\nswitches %llu\npieces %zu\nseeks %llu\nread %llu\nwritten %llu\n"
	    "waste %llu\n",
	    rewrites, refused, switches, n_extents, seeks, bytes_read, written, waste);
	fclose(f);
}

static const struct fuse_operations operations = {.init = tape_init,
    .destroy = tape_destroy,
    .getattr = tape_getattr,
    .access = tape_access,
    .readlink = tape_readlink,
    .symlink = tape_symlink,
    .mkdir = tape_mkdir,
    .rmdir = tape_rmdir,
    .unlink = tape_unlink,
    .rename = tape_rename,
    .link = tape_link,
    .fallocate = tape_fallocate,
    .chmod = tape_chmod,
    .chown = tape_chown,
    .truncate = tape_truncate,
    .open = tape_open,
    .create = tape_create,
    .write = tape_write,
    .read = tape_read,
    .statfs = tape_statfs,
    .release = tape_release,
    .fsync = tape_fsync,
    .fsyncdir = tape_fsyncdir,
    .utimens = tape_utimens,
    .setxattr = tape_setxattr,
    .getxattr = tape_getxattr,
    .listxattr = tape_listxattr,
    .readdir = tape_readdir};

int main(int argc, char **argv)
{
	char *rest[32] = {argv[0]};
	int n = 1;

	if (argc < 4 || argc > 20) {
		fprintf(stderr, "tapefs FOLDER REPORT MOUNTPOINT [fuse options]\n");
		return 64;
	}
	root = argv[1];
	report = argv[2];
	for (int i = 3; i < argc; i++)
		rest[n++] = argv[i];
	rest[n++] = "-s";
	return fuse_main(n, rest, &operations, NULL);
}
