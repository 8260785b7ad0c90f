/* names: see names.h.
 *
 * A record is a name, its NUL and the inode that the folder's list gave.  In memory `sorted` points into `bytes`;
 * beyond the bound spill_names() writes a sorted run to the scratch file, and runs are merged FAN_IN at a time until one
 * is left, which is read with a window.  Several folders of a walk share the scratch file as a stack: what is
 * from `base` on belongs to this one and is cut off when it is freed. */
#include "write/source/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"

#define LISTING 65536 /* one read of the folder */
#define FAN_IN	16    /* runs merged at a time */
#define WINDOW	16384 /* of one run in memory */
#define INODE	sizeof(uint64_t)

struct run {
	uint64_t off, end; /* in the scratch file: names with what stands after them */
};

/* A run read from its beginning, name by name. */
struct cursor {
	struct run left;
	char *window;
	size_t at, n; /* unread bytes of the window */
	const char *name;
};

struct names {
	struct names_scratch *scratch;
	uint64_t base; /* of the scratch file's part that is ours */
	struct buf bytes;
	char **sorted; /* in memory */
	size_t count, next;
	struct run *runs;
	size_t n_runs;
	struct cursor cursor; /* on disk */
	char *last;	      /* on disk: the name given before */
};

void names_scratch_begin(struct names_scratch *s, int dirfd)
{
	*s = (struct names_scratch){.dirfd = dirfd, .fd = -1};
}

void names_scratch_end(struct names_scratch *s)
{
	io_close_quietly(&s->fd);
	free(s->listing);
	s->listing = NULL;
	s->end = 0;
}

static int scratch_failed(int errnum, struct err *err)
{
	err_sys(err, "E-WALK-02", errnum, "%s", text("cannot sort a large folder in the scratch folder"));
	return err_hint(err, "%s", text("make room in the state folder"));
}

static int scratch_open(struct names_scratch *s, struct err *err)
{
	char name[64];

	if (s->fd >= 0)
		return 0;
	s->fd = openat(s->dirfd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (s->fd >= 0)
		return 0;
	/* no O_TMPFILE here (NFS, some FUSE): a name that is taken away at once */
	snprintf(name, sizeof(name), ".names-%ld.tmp", (long)getpid());
	if (unlinkat(s->dirfd, name, 0) && errno != ENOENT)
		return scratch_failed(errno, err);
	s->fd = openat(s->dirfd, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->fd < 0 || unlinkat(s->dirfd, name, 0))
		return scratch_failed(errno, err);
	return 0;
}

static int scratch_append(struct names_scratch *s, const void *p, size_t n, struct err *err)
{
	const char *at = p;

	while (n) {
		ssize_t w = pwrite(s->fd, at, n, (off_t)s->end);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return scratch_failed(w < 0 ? errno : ENOSPC, err);
		at += w;
		n -= (size_t)w;
		s->end += (uint64_t)w;
	}
	return 0;
}

/* A name, its NUL and its inode. */
static size_t record_length(const char *name)
{
	return strlen(name) + 1 + INODE;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts what is in memory into n->sorted. */
static int sort_names(struct names *n, struct err *err)
{
	char *p = (char *)n->bytes.p;

	free(n->sorted);
	n->sorted = calloc(n->count ? n->count : 1, sizeof(*n->sorted));
	if (!n->sorted)
		return err_nomem(err);
	for (size_t i = 0; i < n->count; i++, p += record_length(p))
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

static int remember_run(struct names *n, struct run run, struct err *err)
{
	struct run *more = realloc(n->runs, (n->n_runs + 1) * sizeof(*more));

	if (!more)
		return err_nomem(err);
	n->runs = more;
	n->runs[n->n_runs++] = run;
	return 0;
}

/* Moves what is in memory to disk as a sorted run. */
static int spill_names(struct names *n, struct err *err)
{
	BUF_AUTO out = BUF_INIT((size_t)1 << 20);
	struct run run;

	if (!n->count)
		return 0;
	if (scratch_open(n->scratch, err) || sort_names(n, err))
		return -1;
	run.off = n->scratch->end;
	for (size_t i = 0; i < n->count; i++) {
		if (buf_append(&out, n->sorted[i], record_length(n->sorted[i]), err))
			return -1;
		if (out.n >= LISTING || i + 1 == n->count) {
			if (scratch_append(n->scratch, out.p, out.n, err))
				return -1;
			out.n = 0;
		}
	}
	run.end = n->scratch->end;
	free(n->sorted);
	n->sorted = NULL;
	n->bytes.n = 0;
	n->count = 0;
	return remember_run(n, run, err);
}

/* Moves on to the next name; c->name becomes NULL at the end. */
static int advance_cursor(struct cursor *c, int fd, struct err *err)
{
	const char *nul;

	c->name = NULL;
	while (!(nul = memchr(c->window + c->at, '\0', c->n)) ||
	       (size_t)(nul - c->window) + 1 + INODE > c->at + c->n) {
		size_t room, want;
		ssize_t got;

		memmove(c->window, c->window + c->at, c->n);
		c->at = 0;
		room = WINDOW - c->n;
		want = c->left.end - c->left.off < room ? (size_t)(c->left.end - c->left.off) : room;
		if (!want)
			return c->n ? scratch_failed(EIO, err) : 0;
		got = io_pread_full(fd, c->window + c->n, want, (int64_t)c->left.off);
		if (got < 0 || (size_t)got != want)
			return scratch_failed(got < 0 ? errno : EIO, err);
		c->n += want;
		c->left.off += want;
	}
	c->name = c->window + c->at;
	c->n -= record_length(c->name);
	c->at += record_length(c->name);
	return 0;
}

static int cursor_open(struct cursor *c, struct run run, int fd, struct err *err)
{
	*c = (struct cursor){run, malloc(WINDOW), 0, 0, NULL};
	return c->window ? advance_cursor(c, fd, err) : err_nomem(err);
}

static int merge_cursors(struct names *n, struct cursor *c, size_t count, struct err *err)
{
	BUF_AUTO out = BUF_INIT((size_t)1 << 20);

	for (;;) {
		struct cursor *least = NULL;

		for (size_t i = 0; i < count; i++)
			if (c[i].name && (!least || strcmp(c[i].name, least->name) < 0))
				least = &c[i];
		if (least && buf_append(&out, least->name, record_length(least->name), err))
			return -1;
		if ((!least || out.n >= LISTING) && scratch_append(n->scratch, out.p, out.n, err))
			return -1;
		if (!least)
			return 0;
		if (out.n >= LISTING)
			out.n = 0;
		if (advance_cursor(least, n->scratch->fd, err))
			return -1;
	}
}

/* Merges runs[0..count) into one at the end of the scratch file. */
static int merge_runs(struct names *n, const struct run *runs, size_t count, struct run *ret, struct err *err)
{
	struct cursor c[FAN_IN];
	struct run run = {n->scratch->end, 0};
	size_t opened;
	int r = 0;

	for (opened = 0; opened < count && !r; opened++)
		r = cursor_open(&c[opened], runs[opened], n->scratch->fd, err);
	if (!r)
		r = merge_cursors(n, c, count, err);
	while (opened-- > 0)
		free(c[opened].window);
	run.end = n->scratch->end;
	*ret = run;
	return r;
}

static int merge_all(struct names *n, struct err *err)
{
	while (n->n_runs > 1) {
		size_t merged = 0;

		for (size_t i = 0; i < n->n_runs; i += FAN_IN) {
			size_t count = n->n_runs - i < FAN_IN ? n->n_runs - i : FAN_IN;
			struct run run;

			if (merge_runs(n, n->runs + i, count, &run, err))
				return -1;
			n->runs[merged++] = run;
		}
		n->n_runs = merged;
	}
	return cursor_open(&n->cursor, n->runs[0], n->scratch->fd, err);
}

static int add_name(struct names *n, const char *name, uint64_t inode, size_t max, struct err *err)
{
	size_t len = record_length(name);

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return 0;
	if (n->count && n->bytes.n + len + (n->count + 1) * sizeof(char *) > max) {
		if (n->scratch->memory_only)
			return NAMES_TOO_MANY;
		if (spill_names(n, err))
			return -1;
	}
	n->count++;
	return buf_append(&n->bytes, name, len - INODE, err) || buf_append(&n->bytes, &inode, INODE, err) ? -1
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
	n->base = s->end;
	buf_init(&n->bytes, SIZE_MAX / 2); /* bounded by max and one name */
	r = read_all(n, dirfd, max, ret_errno, err);
	if (!r)
		r = n->n_runs ? spill_names(n, err) : sort_names(n, err);
	if (!r && !n->n_runs)
		drop_twins(n);
	if (!r && n->n_runs) {
		buf_free(&n->bytes);
		r = merge_all(n, err);
	}
	if (r) {
		names_free(n);
		return r;
	}
	*ret = n;
	return 0;
}

static int next_on_disk(struct names *n, const char **ret, struct err *err)
{
	do {
		if (!n->cursor.name)
			return NAMES_END;
		if (!n->last || strcmp(n->last, n->cursor.name) != 0)
			break;
		if (advance_cursor(&n->cursor, n->scratch->fd, err))
			return -1;
	} while (true);
	free(n->last);
	n->last = malloc(record_length(n->cursor.name));
	if (!n->last)
		return err_nomem(err);
	memcpy(n->last, n->cursor.name, record_length(n->cursor.name));
	*ret = n->last;
	return advance_cursor(&n->cursor, n->scratch->fd, err);
}

int names_next(struct names *n, const char **ret, struct err *err)
{
	if (n->n_runs)
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
	return n->n_runs ? 0 : n->count;
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
	return n->n_runs ? WINDOW : n->bytes.cap + n->count * sizeof(char *);
}

void names_free(struct names *n)
{
	if (!n)
		return;
	if (n->n_runs && n->scratch->fd >= 0 && n->scratch->end > n->base) {
		/* room given back now rather than at the end; that it fails changes nothing */
		if (!ftruncate(n->scratch->fd, (off_t)n->base))
			n->scratch->end = n->base;
	}
	free(n->cursor.window);
	free(n->last);
	free(n->sorted);
	free(n->runs);
	buf_free(&n->bytes);
	free(n);
}
