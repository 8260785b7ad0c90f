/* dumpcheck_tar: from header to header of a tar stream that is kept as one file; see dumpcheck.h.  (A stream
 * whose entries are catalogued is tarsource.h's business.) */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "write/expect/dumpcheck_private.h"

#define BLOCK	512
#define PAX_MAX ((size_t)1 << 20)

struct tar {
	uint8_t block[BLOCK];
	size_t n;
	uint64_t skip; /* bytes of content and padding */
	uint64_t size; /* that a pax header gave for the next entry */
	bool has_size, was_pax;
	uint8_t *pax; /* content of a pax header, being collected */
	size_t n_pax, pax_size, pax_room;
	bool sparse;	  /* more of GNU's map of a sparse file follows */
	uint64_t content; /* that comes after it */
	bool link;	  /* what came was a hard link with a size, which some writers do not mean */
	unsigned zeros;	  /* blocks at the end */
	uint64_t end;	  /* where they begin */
};

static void *make_tar(void)
{
	return calloc(1, sizeof(struct tar));
}

static void destroy_tar(void *self)
{
	struct tar *t = self;

	free(t->pax);
	free(t);
}

static bool is_zero(const uint8_t *b)
{
	for (size_t i = 0; i < BLOCK; i++)
		if (b[i])
			return false;
	return true;
}

/* Octal, or (first bit set) binary. */
static uint64_t number(const uint8_t *p, size_t n)
{
	uint64_t v = 0;

	if (*p & 0x80) {
		v = *p & 0x7f;
		for (size_t i = 1; i < n; i++)
			v = v >> 54 ? UINT64_MAX >> 2 : v << 8 | p[i];
		return v;
	}
	while (n && *p == ' ') {
		p++;
		n--;
	}
	while (n-- && *p >= '0' && *p <= '7')
		v = v >> 58 ? UINT64_MAX >> 2 : v << 3 | (uint64_t)(*p++ - '0');
	return v;
}

static bool is_header(const uint8_t *b)
{
	uint64_t plain = 0, want = number(b + 148, 8);
	int64_t signs = 0;

	for (size_t i = 0; i < BLOCK; i++) {
		uint8_t c = i >= 148 && i < 156 ? ' ' : b[i];

		plain += c;
		signs += (signed char)c; /* as old writers counted */
	}
	return plain == want || (signs >= 0 && (uint64_t)signs == want);
}

static uint64_t padded(uint64_t n)
{
	return (n + BLOCK - 1) / BLOCK * BLOCK;
}

/* "size" among the records of a pax header. */
static void find_size(struct tar *t)
{
	size_t at = 0;

	while (at < t->pax_size) {
		size_t n = 0, i = at, end;

		while (i < t->pax_size && t->pax[i] >= '0' && t->pax[i] <= '9' && n < PAX_MAX)
			n = n * 10 + (size_t)(t->pax[i++] - '0');
		end = at + n;
		if (i >= t->pax_size || t->pax[i] != ' ' || end <= i || end > t->pax_size)
			return;
		if (end - i > 6 && !memcmp(t->pax + i, " size=", 6)) {
			t->size = 0;
			for (i += 6; i < end && t->pax[i] >= '0' && t->pax[i] <= '9' && t->size >> 60 == 0;
			     i++)
				t->size = t->size * 10 + (uint64_t)(t->pax[i] - '0');
			t->has_size = true;
		}
		at = end;
	}
}

static bool begin_pax(struct tar *t, uint64_t size)
{
	if (size > PAX_MAX)
		return false;
	if (padded(size) > t->pax_room) {
		uint8_t *more = realloc(t->pax, padded(size));

		if (!more)
			return false;
		t->pax = more;
		t->pax_room = padded(size);
	}
	t->pax_size = (size_t)size;
	t->n_pax = 0;
	return true;
}

static void take_header(struct tar *t, struct dumpcheck_state *s, uint64_t at)
{
	const uint8_t *b = t->block;
	uint64_t size = number(b + 124, 12);
	char type = (char)b[156];

	if (!is_header(b)) {
		if (at)
			dumpcheck_damaged(s, at, text("no header of an entry begins here"));
		else
			dumpcheck_other(s, text("it does not begin as a tar file"));
		return;
	}
	if (type == 'x' || type == 'X') {
		if (!begin_pax(t, size))
			dumpcheck_damaged(s, at, text("impossible size of a header"));
		t->was_pax = true;
		return;
	}
	if (type == 'g' || type == 'L' || type == 'K') {
		t->skip = padded(size);
		return;
	}
	if (t->has_size)
		size = t->size;
	if (size >> 60) {
		dumpcheck_damaged(s, at, text("impossible size of an entry"));
		return;
	}
	if (type >= '2' && type <= '6')
		size = 0;
	t->link = type == '1' && size && !t->was_pax;
	t->sparse = type == 'S' && b[482];
	t->content = t->link || t->sparse ? padded(size) : 0;
	t->skip = t->link || t->sparse ? 0 : padded(size);
	t->has_size = t->was_pax = false;
}

static void take_block(struct tar *t, struct dumpcheck_state *s, uint64_t at)
{
	if (t->n_pax < padded(t->pax_size)) {
		memcpy(t->pax + t->n_pax, t->block, BLOCK);
		t->n_pax += BLOCK;
		if (t->n_pax == padded(t->pax_size))
			find_size(t);
		return;
	}
	if (t->sparse) {
		t->sparse = t->block[504] != 0;
		if (!t->sparse)
			t->skip = t->content;
		return;
	}
	if (t->link && !is_zero(t->block) && !is_header(t->block)) {
		t->link = false; /* it has content after all, which begins here */
		t->skip = t->content - BLOCK;
		return;
	}
	t->link = false;
	if (is_zero(t->block)) {
		t->end = t->zeros ? t->end : at;
		t->zeros += t->zeros < 2;
	} else if (t->zeros > 1) {
		dumpcheck_behind(s, t->end);
	} else if (t->zeros) {
		dumpcheck_damaged(s, at, text("half an end mark"));
	} else {
		take_header(t, s, at);
	}
}

static void feed_tar(void *self, struct dumpcheck_state *s, const uint8_t *p, size_t n)
{
	struct tar *t = self;
	size_t at = 0;

	while (at < n && !s->failed) {
		size_t have = n - at;

		if (t->skip) {
			have = have < t->skip ? have : (size_t)t->skip;
			t->skip -= have;
			at += have;
			continue;
		}
		have = have < BLOCK - t->n ? have : BLOCK - t->n;
		memcpy(t->block + t->n, p + at, have);
		t->n += have;
		at += have;
		if (t->n < BLOCK)
			return;
		t->n = 0;
		take_block(t, s, s->total + at - BLOCK);
	}
}

static void end_tar(void *self, struct dumpcheck_state *s)
{
	const struct tar *t = self;

	if (t->zeros < 2)
		dumpcheck_cut(s, text("without its end mark"));
}

const struct dumpcheck_kind dumpcheck_tar = {
    TEXT_LATER("a tar file"), make_tar, feed_tar, end_tar, destroy_tar};
