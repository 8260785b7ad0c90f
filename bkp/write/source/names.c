/* names: see names.h. */
#include "write/source/names.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "write/source/sortrun.h"

#define LISTING	   65536 /* one read of the folder */
#define INODE	   sizeof(uint64_t)
#define SORT_LEAST ((size_t)1 << 20) /* memory to sort with on disk: less would make very many runs */

/* Either all are in memory, sorted, each followed by its inode; or `disk` has them. */
struct names {
	struct names_scratch *scratch;
	struct buf bytes;
	char **sorted;
	size_t count, next;
	struct sortrun *disk;
	struct buf last; /* on disk: the name given before, and its inode */
};

void names_scratch_begin(struct names_scratch *s, int dirfd)
{
	*s = (struct names_scratch){.dirfd = dirfd};
}

void names_scratch_end(struct names_scratch *s)
{
	free(s->listing);
	s->listing = NULL;
}

/* What the sort said, for who reads a tree; a disk that is full is the likely reason. */
static int sort_failed(struct err *err)
{
	if (err && err->errnum)
		err_hint(err, "%s", text("make room in the state folder"));
	return -1;
}

/* A name, its NUL and its inode. */
static size_t record(const char *name)
{
	return strlen(name) + 1 + INODE;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts what is in memory into n->sorted. */
static int sort(struct names *n, struct err *err)
{
	char *p = (char *)n->bytes.p;

	n->sorted = calloc(n->count ? n->count : 1, sizeof(*n->sorted));
	if (!n->sorted)
		return err_nomem(err);
	for (size_t i = 0; i < n->count; i++, p += record(p))
		n->sorted[i] = p;
	qsort(n->sorted, n->count, sizeof(*n->sorted), by_bytes);
	return 0;
}

/* A folder that changes while it is read may show a name twice. */
static void drop_twins(struct names *n)
{
	size_t kept = n->count != 0;

	for (size_t i = 1; i < n->count; i++)
		if (strcmp(n->sorted[kept - 1], n->sorted[i]) != 0)
			n->sorted[kept++] = n->sorted[i];
	n->count = kept;
}

/* There are more than memory is to hold: what is there goes to the sort on disk, as all that follows. */
static int spill(struct names *n, size_t max, struct err *err)
{
	const char *p = (const char *)n->bytes.p;

	if (sortrun_new(n->scratch->dirfd, max > SORT_LEAST ? max : SORT_LEAST, &n->disk, err))
		return -1;
	for (size_t i = 0; i < n->count; i++, p += record(p))
		if (sortrun_add(n->disk, p, p + strlen(p) + 1, INODE, err))
			return sort_failed(err);
	buf_free(&n->bytes);
	n->count = 0;
	return 0;
}

static int add_name(struct names *n, const char *name, uint64_t inode, size_t max, struct err *err)
{
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	if (!n->disk && n->count && n->bytes.n + record(name) + (n->count + 1) * sizeof(char *) > max) {
		if (n->scratch->memory_only)
			return NAMES_TOO_MANY;
		if (spill(n, max, err))
			return -1;
	}
	if (n->disk)
		return sortrun_add(n->disk, name, &inode, INODE, err) ? sort_failed(err) : 0;
	n->count++;
	return buf_append(&n->bytes, name, strlen(name) + 1, err) || buf_append(&n->bytes, &inode, INODE, err)
		   ? -1
		   : 0;
}

static int read_all(struct names *n, int dirfd, size_t max, int *ret_errno, struct err *err)
{
	struct names_scratch *s = n->scratch;
	ssize_t got = 0;
	int r = 0;

	if (!s->listing)
		s->listing = malloc(LISTING);
	if (!s->listing)
		return err_nomem(err);
	while (!r && (got = getdents64(dirfd, s->listing, LISTING)) > 0)
		for (ssize_t at = 0; at < got && !r;) {
			/* the kernel aligns its records to 8 bytes, and malloc the buffer */
			const struct dirent64 *e = (const struct dirent64 *)(const void *)(s->listing + at);

			r = add_name(n, e->d_name, e->d_ino, max, err);
			at += e->d_reclen;
		}
	if (!r && got < 0) {
		*ret_errno = errno;
		r = NAMES_UNREADABLE;
	}
	return r;
}

int names_read(
    int dirfd, size_t max, struct names_scratch *s, struct names **ret, int *ret_errno, struct err *err)
{
	struct names *n = calloc(1, sizeof(*n));
	int r;

	if (!n)
		return err_nomem(err);
	n->scratch = s;
	buf_init(&n->bytes, SIZE_MAX / 2); /* bounded by max and one name */
	buf_init(&n->last, SORTRUN_PATH_MAX);
	r = read_all(n, dirfd, max, ret_errno, err);
	if (!r && n->disk)
		r = sortrun_sort(n->disk, err) ? sort_failed(err) : 0;
	else if (!r && !(r = sort(n, err)))
		drop_twins(n);
	if (r) {
		names_free(n);
		return r;
	}
	*ret = n;
	return 0;
}

static int next_on_disk(struct names *n, const char **ret, struct err *err)
{
	const char *name;
	const void *inode;
	size_t size;

	do {
		int r = sortrun_next(n->disk, &name, &inode, &size, err);

		if (r)
			return r == SORTRUN_END ? NAMES_END : sort_failed(err);
	} while (n->last.n && !strcmp((const char *)n->last.p, name));
	n->last.n = 0;
	if (buf_append(&n->last, name, strlen(name) + 1, err) || buf_append(&n->last, inode, INODE, err))
		return -1;
	*ret = (const char *)n->last.p;
	return 0;
}

int names_next(struct names *n, const char **ret, struct err *err)
{
	if (n->disk)
		return next_on_disk(n, ret, err);
	if (n->next >= n->count)
		return NAMES_END;
	*ret = n->sorted[n->next++];
	return 0;
}

uint64_t names_inode(const char *name)
{
	uint64_t inode;

	memcpy(&inode, name + strlen(name) + 1, INODE);
	return inode;
}

size_t names_count(const struct names *n)
{
	return n->disk ? 0 : n->count;
}

const char *names_at(const struct names *n, size_t i)
{
	return n->sorted[i];
}

size_t names_position(const struct names *n)
{
	return n->next;
}

void names_seek(struct names *n, size_t position)
{
	n->next = position;
}

size_t names_memory(const struct names *n)
{
	return n->disk ? sortrun_memory(n->disk) : n->bytes.cap + n->count * sizeof(char *);
}

void names_free(struct names *n)
{
	if (!n)
		return;
	sortrun_free(n->disk);
	buf_free(&n->last);
	free(n->sorted);
	buf_free(&n->bytes);
	free(n);
}
