/* disc_read: see disc_read.h. */
#include "write/disc/disc_read.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "write/disc/disc_plan.h"

#define BLOCK	   ((size_t)1 << 20)
#define SHOW	   256
#define DESCRIPTOR 32768	     /* ECMA-119: the primary volume descriptor is sector 16 */
#define SPACE	   (DESCRIPTOR + 80) /* its number of sectors, little-endian */

struct reading {
	struct disc_read *r;
	int fd;
	uint64_t at;
	struct digest *image, *file;
	uint8_t *block, *part;
	bool *seen;
	int errnum; /* of a read that failed */
};

static int bad(const struct reading *d, const char *name, const char *what, struct err *err)
{
	char show[SHOW];

	(void)d;
	err_set(err, "E-DISC-08", "'%s': %s", path_show(name, show, sizeof(show)), what);
	return err_hint(err, "%s",
	    text("this disc does not count: write on it that it is waste, put in a blank one (of another "
		 "make, when it happens again) and run "
		 "the command again"));
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct disc_file *)a)->to, ((const struct disc_file *)b)->to);
}

/* All that libarchive sees passes here, in order: nothing is skipped, and nothing behind the end of the image is read. */
static la_ssize_t read_on(struct archive *a, void *arg, const void **ret)
{
	struct reading *d = arg;
	uint64_t left = d->r->bytes - d->at;
	ssize_t n = io_read_full(d->fd, d->block, left < BLOCK ? (size_t)left : BLOCK);

	if (n < 0) {
		d->errnum = errno;
		archive_set_error(a, errno, "%s", strerror(errno));
		return -1;
	}
	digest_update(d->image, d->block, (size_t)n);
	d->at += (uint64_t)n;
	if (d->r->progress)
		d->r->progress(d->r->arg, d->at, d->r->bytes);
	*ret = d->block;
	return n;
}

static int open_image(struct reading *d, struct err *err)
{
	uint8_t head[8];
	char show[SHOW];

	path_show(d->r->path, show, sizeof(show));
	d->fd = open(d->r->path, O_RDONLY | O_CLOEXEC);
	if (d->fd < 0)
		return err_sys(err, "E-DISC-02", errno, text("'%s' cannot be opened"), show);
	/* from the device, not from what was kept of it in memory */
	(void)fsync(d->fd);
	(void)ioctl(d->fd, BLKFLSBUF, 0);
	(void)posix_fadvise(d->fd, 0, 0, POSIX_FADV_DONTNEED);
	if (io_pread_full(d->fd, head, sizeof(head), DESCRIPTOR) != sizeof(head) ||
	    memcmp(head, "\001CD001\001", 7) != 0 || io_pread_full(d->fd, head, 4, SPACE) != 4)
		return bad(d, d->r->path, text("there is no ISO 9660 volume"), err);
	d->r->bytes = DISC_BLOCK * ((uint64_t)head[0] | (uint64_t)head[1] << 8 | (uint64_t)head[2] << 16 |
				       (uint64_t)head[3] << 24);
	return 0;
}

/* Of one entry: 0, -1. */
static int compare_file(struct reading *d, struct archive *a, struct archive_entry *e, struct err *err)
{
	const char *name = archive_entry_pathname(e);
	struct disc_file key = {.to = (char *)name}, *f;
	uint8_t sha256[DIGEST_LEN];
	uint64_t size = 0;
	la_ssize_t n;

	if (archive_entry_filetype(e) == AE_IFDIR)
		return 0;
	f = name ? bsearch(&key, d->r->files->file, d->r->files->n, sizeof(key), by_path) : NULL;
	if (!f)
		return bad(d, name ? name : "?", text("nobody put it there"), err);
	if (d->seen[f - d->r->files->file])
		return bad(d, name, text("it is there twice"), err);
	d->seen[f - d->r->files->file] = true;
	/* one that shares its bytes with another file was compared there */
	if (archive_entry_hardlink(e)) {
		struct disc_file other = {.to = (char *)archive_entry_hardlink(e)};
		const struct disc_file *o =
		    bsearch(&other, d->r->files->file, d->r->files->n, sizeof(other), by_path);

		return o && o != f && d->seen[o - d->r->files->file] && o->size == f->size &&
			       !memcmp(o->sha256, f->sha256, DIGEST_LEN)
			   ? 0
			   : bad(d, name, text("its bytes are not those that were signed"), err);
	}
	digest_reset(d->file);
	while ((n = archive_read_data(a, d->part, BLOCK)) > 0) {
		digest_update(d->file, d->part, (size_t)n);
		size += (uint64_t)n;
	}
	digest_final(d->file, sha256);
	if (n < 0)
		return bad(d, name, d->errnum ? strerror(d->errnum) : text("it cannot be read"), err);
	return size == f->size && !memcmp(sha256, f->sha256, DIGEST_LEN)
		   ? 0
		   : bad(d, name, text("its bytes are not those that were signed"), err);
}

static int compare_all(struct reading *d, struct archive *a, struct err *err)
{
	struct archive_entry *e;
	const void *rest;
	int r;

	if (archive_read_support_format_iso9660(a) || archive_read_open(a, d, NULL, read_on, NULL))
		return bad(d, d->r->path, text("there is no ISO 9660 volume"), err);
	while ((r = archive_read_next_header(a, &e)) == ARCHIVE_OK)
		if (compare_file(d, a, e, err))
			return -1;
	if (r != ARCHIVE_EOF)
		return bad(
		    d, d->r->path, d->errnum ? strerror(d->errnum) : text("its folders cannot be read"), err);
	for (size_t i = 0; i < d->r->files->n; i++)
		if (!d->seen[i])
			return bad(d, d->r->files->file[i].to, text("it is missing"), err);
	/* padding behind the last file */
	while (d->at < d->r->bytes) {
		la_ssize_t n = read_on(a, d, &rest);

		if (n <= 0)
			return bad(d, d->r->path,
			    n ? strerror(d->errnum) : text("the disc ends before the image does"), err);
	}
	digest_final(d->image, d->r->sha256);
	return 0;
}

int disc_read(struct disc_read *r, struct err *err)
{
	struct reading d = {.r = r, .fd = -1};
	struct archive *a = archive_read_new();
	int rc;

	d.image = digest_new();
	d.file = digest_new();
	d.block = malloc(BLOCK);
	d.part = malloc(BLOCK);
	d.seen = calloc(r->files->n + 1, sizeof(*d.seen));
	if (!a || !d.image || !d.file || !d.block || !d.part || !d.seen)
		rc = err_nomem(err);
	else
		rc = open_image(&d, err);
	if (!rc) {
		qsort(r->files->file, r->files->n, sizeof(*r->files->file), by_path);
		rc = compare_all(&d, a, err);
	}
	archive_read_free(a);
	digest_free(d.image);
	digest_free(d.file);
	free(d.block);
	free(d.part);
	free(d.seen);
	io_close_quietly(&d.fd);
	return rc;
}
