/* segments: see segments.h.
 *
 * All are looked at when the journal is opened: the list of names says up to which number the row must go, and each closed
 * one must end with a newline.  Then `starts` turns an offset into a segment and a place in it. */
#include "read/file/segments.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "read/store/store_dir.h"

struct segments {
	struct store dir;
	uint32_t n, highest; /* those that are read; the highest number that a name there has */
	uint64_t *starts;    /* n + 1 */
	uint32_t at;	     /* the number of `open`; 0: none is */
	struct store_file open;
	struct err fault;
};

static void segments_close(struct store_file *f)
{
	struct segments *s = f->own;

	store_close_file(&s->open);
	store_close(&s->dir);
	free(s->starts);
	free(s);
}

static int open_segment(struct segments *s, uint32_t number, struct err *err)
{
	char name[JOURNAL_NAME];
	int r;

	if (s->at == number)
		return 0;
	store_close_file(&s->open);
	s->at = 0;
	r = store_open(&s->dir, journal_segment_name(number, name), &s->open, err);
	s->at = r ? 0 : number;
	return r;
}

uint32_t segments_at(const struct store_file *f, uint64_t offset)
{
	const struct segments *s = f->own;
	uint32_t lo = 1, hi = s->n;

	while (lo < hi) {
		const uint32_t mid = lo + (hi - lo + 1) / 2;

		if (s->starts[mid - 1] <= offset)
			lo = mid;
		else
			hi = mid - 1;
	}
	return lo;
}

static ssize_t segments_read(struct store_file *f, void *p, size_t n, int64_t offset)
{
	struct segments *s = f->own;
	const uint32_t number = segments_at(f, (uint64_t)offset);
	const bool closed = number < s->n;
	uint64_t left;
	ssize_t got;

	if (!s->n)
		return 0;
	left = s->starts[number] - (uint64_t)offset; /* of a closed one */
	if (open_segment(s, number, NULL))
		return -1;
	got = store_read_some(
	    &s->open, p, closed && n > left ? (size_t)left : n, offset - (int64_t)s->starts[number - 1]);
	if (got || !closed)
		return got;
	errno = EIO; /* it was longer when it was looked at */
	return -1;
}

/* No store opens one, and nobody reads a journal past the cache. */
static const struct store_kind kind = {.close_file = segments_close, .read_some = segments_read};

/* ---- opening ---- */

static int note_name(void *arg, const char *name, struct err *err)
{
	struct segments *s = arg;
	const uint32_t number = journal_segment_number(name);

	(void)err;
	if (number > s->highest)
		s->highest = number;
	return 0;
}

static int say_fault(struct segments *s, uint32_t number, const char *why)
{
	char name[JOURNAL_NAME];

	return err_set_kind(&s->fault, ERR_MALFORMED, "E-JOURNAL-11", text("the journal's segment '%s' %s"),
	    journal_segment_name(number, name), why);
}

/* Is it what it must be?  -1 with s->fault.  One that is not is read nevertheless, as the last. */
static int look_at_segment(struct segments *s, uint32_t number)
{
	char last = '\n';
	const int r = open_segment(s, number, &s->fault);

	if (r)
		return r == STORE_ABSENT ? say_fault(s, number, text("is missing")) : -1;
	s->n = number;
	s->starts[number] = s->starts[number - 1] + (uint64_t)s->open.size;
	if (s->open.size > (int64_t)JOURNAL_SEGMENT_MAX)
		return say_fault(s, number, text("is longer than a segment can be"));
	if (number == s->highest)
		return 0;
	if (s->open.size && store_read_full(&s->open, &last, 1, s->open.size - 1) != 1)
		return err_sys(&s->fault, "E-IO-02", errno, text("cannot read '%s'"), JOURNAL_DIR);
	return s->open.size && last == '\n'
		   ? 0
		   : say_fault(s, number, text("is not the last, and does not end with a record"));
}

static int say_absent(struct err *err)
{
	err_set_kind(err, ERR_ABSENT, "E-LEDGER-03", "%s", text("there is no journal"));
	return STORE_ABSENT;
}

static int look_at_all(struct segments *s, struct err *err)
{
	int r = store_list(&s->dir, "", note_name, s, err);

	if (r)
		return r;
	if (!s->highest)
		return say_absent(err);
	s->starts = calloc((size_t)s->highest + 1, sizeof(*s->starts));
	if (!s->starts)
		return err_nomem(err);
	for (uint32_t i = 1; i <= s->highest && !look_at_segment(s, i);)
		i++;
	return 0;
}

/* Consumes `dir`. */
static int open_row(struct store dir, struct store_file *ret, struct err *err)
{
	struct store_file f = {.kind = &kind, .own = calloc(1, sizeof(struct segments))};
	struct segments *s = f.own;
	int r;

	if (!s) {
		store_close(&dir);
		return err_nomem(err);
	}
	s->dir = dir;
	r = look_at_all(s, err);
	if (r) {
		store_close_file(&f);
		return r;
	}
	f.size = (int64_t)s->starts[s->n];
	*ret = f;
	return 0;
}

int segments_open(const struct store *folder, struct store_file *ret, struct err *err)
{
	struct store dir;
	int r = store_below(folder, JOURNAL_DIR, &dir, err);

	r = r == STORE_ABSENT ? say_absent(err) : r ? r : open_row(dir, ret, err);
	if (r != STORE_ABSENT || !store_has(folder, JOURNAL_OLD))
		return r;
	err_set_kind(err, ERR_CONTRADICTION, "E-LEDGER-05",
	    text("this repository was made before the journal stood in segments: there is '%s'"),
	    JOURNAL_OLD);
	return err_hint(err, "%s",
	    text("only the bkp that made it reads it: restore with tools/ on its media; begin a new "
		 "repository with 'bkp init'"));
}

int segments_open_path(const char *path, struct store_file *ret, struct err *err)
{
	struct store folder;
	int fd, r;
	char *real;

	if (!store_dir_open(path, &folder, NULL)) {
		r = segments_open(&folder, ret, err);
		if (r != STORE_ABSENT)
			store_close(&folder);
		return r == STORE_ABSENT ? open_row(folder, ret, err) : r;
	}
	real = realpath(path, NULL);
	fd = io_open_file(AT_FDCWD, real ? real : path, err);
	free(real);
	if (fd < 0)
		return errno == ENOENT ? STORE_ABSENT : -1;
	*ret = store_dir_file(fd);
	return 0;
}

const struct err *segments_fault(const struct store_file *f)
{
	const struct segments *s = f->kind == &kind ? f->own : NULL;

	return s && s->fault.code[0] ? &s->fault : NULL;
}

int segments_whole(const struct store_file *f, struct err *err)
{
	const struct err *fault = segments_fault(f);

	if (fault && err)
		*err = *fault;
	return fault ? -1 : 0;
}

uint32_t segments_count(const struct store_file *f)
{
	return f->kind == &kind ? ((const struct segments *)f->own)->n : 0;
}

uint64_t segments_start(const struct store_file *f, uint32_t number)
{
	return ((const struct segments *)f->own)->starts[number - 1];
}
