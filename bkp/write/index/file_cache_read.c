/* file_cache_read: the reader; see file_cache.h and, for the bytes, file_cache_private.h.
 *
 * The file may be damaged anywhere.  A frame counts only when the checks of its frame and head fit; every count in a
 * head is compared with the bytes that are left before memory is asked for; after damage resync() looks for the
 * next frame's magic.  Paths must ascend over all blocks (trim()).  A block's bytes are decoded only when somebody
 * asks for them.
 *
 * Blocks are handed to another thread and outlive the reader: they and their source are counted (atomic refs). */
#include "write/index/file_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/le.h"
#include "base/path.h"
#include "format/guard/kind.h"
#include "format/medium/catalog.h"
#include "write/index/file_cache_private.h"

#define WINDOW	 ((size_t)128 << 10)
#define LAST_MAX ((size_t)2 << 20)

struct file_cache {
	struct file_cache_source *source; /* NULL: an empty file */
	file_cache_available_fn *available;
	void *arg;
	uint64_t at;	 /* of the next frame */
	uint8_t *window; /* of the file */
	size_t cap, n;	 /* of the window */
	uint64_t begin;	 /* where it begins */
	struct buf last; /* the path given out last */
	bool has_last;
};

/* ---- heads ---- */

struct cursor {
	const uint8_t *p, *end;
	bool bad;
};

static uint64_t number(struct cursor *c)
{
	uint64_t v = 0;

	for (unsigned shift = 0; shift < 64 && c->p < c->end; shift += 7) {
		uint8_t b = *c->p++;

		v |= (uint64_t)(b & 127) << shift;
		if (!(b & 128))
			return v;
	}
	c->bad = true;
	return 0;
}

static uint64_t difference(struct cursor *c)
{
	uint64_t v = number(c);

	return v >> 1 ^ (0 - (v & 1));
}

/* A count of things of which each takes `least` bytes of what is left. */
static size_t count(struct cursor *c, size_t least)
{
	uint64_t v = number(c);

	if (v > (uint64_t)(c->end - c->p) / least)
		c->bad = true;
	return c->bad ? 0 : (size_t)v;
}

struct decoding {
	struct cursor c;
	struct file_cache_block *b;
	struct file_cache_archive *refs; /* room for the entries' archives */
	size_t refs_left;
	char *paths;
	size_t paths_left;
	size_t place;
	size_t offset;
	bool *available;
	bool entry_available; /* what the entry before needs, is it there */
};

static unsigned rank(uint8_t c)
{
	return c == '\0' ? 0 : c == '/' ? 1 : 1 + (unsigned)c;
}

/* The path, which must sort after the one before. */
static const char *decode_path(struct decoding *d, const char *prev)
{
	size_t shared = (size_t)number(&d->c), rest = count(&d->c, 1), before = prev ? strlen(prev) : 0;
	char *path = d->paths;

	if (d->c.bad || shared > before || rest >= d->paths_left || shared >= d->paths_left - rest || !rest ||
	    memchr(d->c.p, '\0', rest) || (prev && rank((uint8_t)prev[shared]) >= rank(*d->c.p)))
		return NULL;
	memcpy(path, prev ? prev : "", shared);
	memcpy(path + shared, d->c.p, rest);
	path[shared + rest] = '\0';
	d->c.p += rest;
	d->paths += shared + rest + 1;
	d->paths_left -= shared + rest + 1;
	return path;
}

static int decode_archives(struct decoding *d, struct file_cache_entry *e)
{
	size_t n = count(&d->c, 1);

	if (n > d->refs_left)
		return -1;
	e->archives = d->refs;
	e->n_archives = n;
	d->entry_available = true;
	for (size_t i = 0; i < n; i++) {
		uint64_t index = number(&d->c);

		if (d->c.bad || index >= d->b->n_archives)
			return -1;
		*d->refs++ = d->b->archives[index];
		d->refs_left--;
		d->entry_available &= d->available[index];
	}
	return 0;
}

static void decode_profile(struct decoding *d, struct profile *ret)
{
	*ret = (struct profile){KIND_UNKNOWN, 0};
	if (d->c.end - d->c.p < PROFILE_BYTES) {
		d->c.bad = true;
		return;
	}
	ret->kind = d->c.p[0];
	ret->inside = (uint16_t)le_get(d->c.p + 1, 2);
	d->c.p += PROFILE_BYTES;
}

static int decode_entry(struct decoding *d, struct file_cache_entry *e, const struct file_cache_entry *prev)
{
	static const struct file_cache_entry none;
	const struct file_cache_entry *p = prev ? prev : &none;
	uint64_t flags = number(&d->c);

	e->path = decode_path(d, p->path);
	if (!e->path)
		return -1;
	e->offset = d->offset;
	e->length = (size_t)number(&d->c);
	e->st.mode = (uint32_t)number(&d->c);
	decode_profile(d, &e->profile);
	e->st.ino = p->st.ino + difference(&d->c);
	e->st.size = number(&d->c);
	e->bytes = flags & ENTRY_SIZE ? e->st.size : number(&d->c);
	e->st.mtime_ns = (int64_t)((uint64_t)p->st.mtime_ns + difference(&d->c));
	e->st.ctime_ns = (int64_t)((uint64_t)e->st.mtime_ns + difference(&d->c));
	e->file = flags & ENTRY_FILE;
	e->linked = flags & ENTRY_LINKED;
	e->archives = p->archives;
	e->n_archives = p->n_archives;
	if (!(flags & ENTRY_SAME) && decode_archives(d, e))
		return -1;
	e->st.believed = flags & ENTRY_BELIEVED && d->entry_available;
	d->b->whole &= d->entry_available;
	if (d->c.bad || !e->length || e->length > d->b->raw - d->offset)
		return -1;
	d->offset += e->length;
	return 0;
}

/* The counts at the beginning, and the memory that they ask for. */
static int allocate(struct decoding *d, struct err *err)
{
	struct file_cache_block fixed = {0}, *b;
	uint64_t flags = number(&d->c);
	size_t refs, room;

	fixed.n_archives = count(&d->c, 2);
	d->place = count(&d->c, 1);
	fixed.raw = (size_t)number(&d->c);
	fixed.n = count(&d->c, 8);
	d->paths_left = (size_t)number(&d->c);
	refs = count(&d->c, 1);
	if (d->c.bad || !fixed.n || !fixed.n_archives || fixed.raw > CATALOG_BLOCK_MAX ||
	    d->paths_left > CATALOG_BLOCK_MAX || d->c.end - d->c.p < FILE_CACHE_CHECK)
		return 1;
	fixed.full = flags & HEAD_FULL;
	room = (fixed.n_archives + refs) * sizeof(*b->archives) + fixed.n * sizeof(*b->entries);
	b = malloc(sizeof(*b) + room + d->paths_left + d->place + 1);
	d->available = malloc(fixed.n_archives);
	if (!b || !d->available) {
		free(b);
		return err_nomem(err);
	}
	*b = fixed;
	atomic_init(&b->refs, 1);
	b->entries = (struct file_cache_entry *)(void *)(b + 1);
	b->archives = (struct file_cache_archive *)(void *)(b->entries + b->n);
	memcpy(b->body_check, d->c.p, FILE_CACHE_CHECK);
	d->c.p += FILE_CACHE_CHECK;
	d->b = b;
	d->refs = b->archives + b->n_archives;
	d->refs_left = refs;
	d->paths = (char *)(d->refs + refs);
	return 0;
}

static int decode_all(struct decoding *d, file_cache_available_fn *available, void *arg)
{
	struct file_cache_block *b = d->b;
	char *place = d->paths + d->paths_left;
	uint64_t own;

	for (size_t i = 0; i < b->n_archives; i++) {
		b->archives[i].number = number(&d->c);
		b->archives[i].run = number(&d->c);
		d->available[i] = available(arg, &b->archives[i]);
	}
	own = number(&d->c);
	if (d->c.bad || own >= b->n_archives || d->place > (size_t)(d->c.end - d->c.p))
		return -1;
	memcpy(place, d->c.p, d->place);
	place[d->place] = '\0';
	b->place = place;
	d->c.p += d->place;
	b->whole = d->available[own];
	d->entry_available = true;
	for (size_t i = 0; i < b->n; i++)
		if (decode_entry(d, &b->entries[i], i ? &b->entries[i - 1] : NULL))
			return -1;
	return d->c.p == d->c.end && d->offset <= b->raw ? 0 : -1;
}

/* A head, whose check was right, as a block without source and place in the file. 0, 1: malformed, -1:
 * memory. */
static int file_cache_decode(const uint8_t *head, size_t n, file_cache_available_fn *available, void *arg,
    struct file_cache_block **ret, struct err *err)
{
	struct decoding d = {.c = {head, head + n, false}};
	int r = allocate(&d, err);

	if (!r && decode_all(&d, available, arg)) {
		free(d.b);
		r = 1;
	}
	free(d.available);
	if (!r)
		*ret = d.b;
	return r;
}

/* ---- the file ---- */

/* n bytes of the file, valid until the next call; NULL: they are not to be had, or no memory (*ret_nomem). */
static const uint8_t *fetch(struct file_cache *s, uint64_t at, size_t n, bool *ret_nomem)
{
	size_t want = n > WINDOW ? n : WINDOW;

	if (at >= s->begin && n <= s->n && at - s->begin <= s->n - n)
		return s->window + (at - s->begin);
	if (at > s->source->size || n > s->source->size - at)
		return NULL;
	if (want > s->cap) {
		free(s->window);
		s->n = s->cap = 0;
		s->window = malloc(want);
		if (!s->window) {
			*ret_nomem = true;
			return NULL;
		}
		s->cap = want;
	}
	if (want > s->source->size - at)
		want = (size_t)(s->source->size - at);
	s->begin = at;
	s->n = 0;
	if (file_cache_source_read(s->source, at, s->window, want))
		return NULL;
	s->n = want;
	return s->window;
}

/* After damage: the next place that looks like a frame. */
static void resync(struct file_cache *s, bool *ret_nomem)
{
	while (s->source->size - s->at >= FILE_CACHE_FRAME) {
		uint64_t left = s->source->size - s->at;
		size_t n = left < WINDOW ? (size_t)left : WINDOW;
		const uint8_t *p = fetch(s, s->at, n, ret_nomem), *found;

		found = p ? memmem(p, n, FILE_CACHE_FRAME_MAGIC, 8) : NULL;
		if (found) {
			s->at += (uint64_t)(found - p);
			return;
		}
		if (*ret_nomem)
			return;
		s->at += n > 7 ? n - 7 : n; /* a magic may begin in the last bytes */
	}
	s->at = s->source->size;
}

/* The next frame whose checks are right; 0, 1: none any more, -1. */
static int next_frame(struct file_cache *s, struct file_cache_block **ret, struct err *err)
{
	bool nomem = false;

	while (s->at < s->source->size && s->source->size - s->at >= FILE_CACHE_FRAME && !nomem) {
		uint8_t frame[FILE_CACHE_FRAME], check[FILE_CACHE_CHECK];
		uint64_t at = s->at, left = s->source->size - s->at - FILE_CACHE_FRAME;
		const uint8_t *p = fetch(s, at, FILE_CACHE_FRAME, &nomem);
		uint32_t head, body;
		int r = 1;

		if (p)
			memcpy(frame, p, sizeof(frame));
		if (!p || file_cache_frame_read(&s->source->key, frame, &head, &body) ||
		    (uint64_t)head + body > left) {
			s->at++;
			resync(s, &nomem);
			continue;
		}
		s->at += FILE_CACHE_FRAME + (uint64_t)head + body;
		p = fetch(s, at + FILE_CACHE_FRAME, head, &nomem);
		if (!p)
			continue;
		file_cache_check(&s->source->key, p, head, check);
		if (!memcmp(check, frame + 16, FILE_CACHE_CHECK))
			r = file_cache_decode(p, head, s->available, s->arg, ret, err);
		if (r < 0)
			return -1;
		if (r)
			continue;
		(*ret)->source = s->source;
		atomic_fetch_add(&s->source->refs, 1);
		(*ret)->at = at;
		(*ret)->head = head;
		(*ret)->body = body;
		return 0;
	}
	return nomem ? err_nomem(err) : FILE_CACHE_END;
}

/* Paths ascend over all blocks: what does not is left out, and with it the block is not whole. */
static void trim(const struct file_cache *s, struct file_cache_block *b)
{
	while (s->has_last && b->n && path_compare((const char *)s->last.p, b->entries->path) >= 0) {
		b->entries++;
		b->n--;
		b->whole = false;
	}
}

static int remember(struct file_cache *s, const char *path, struct err *err)
{
	s->last.n = 0;
	s->has_last = true;
	return buf_puts(&s->last, path, err) || buf_terminate(&s->last, err) ? -1 : 0;
}

int file_cache_next(struct file_cache *s, struct file_cache_block **ret, struct err *err)
{
	while (s->source) {
		struct file_cache_block *b = NULL;
		int r = next_frame(s, &b, err);

		if (r)
			return r;
		trim(s, b);
		if (b->n && remember(s, b->entries[b->n - 1].path, err)) {
			file_cache_block_free(b);
			return -1;
		}
		if (b->n) {
			*ret = b;
			return 0;
		}
		file_cache_block_free(b);
	}
	return FILE_CACHE_END;
}

void file_cache_close(struct file_cache *s)
{
	if (!s)
		return;
	file_cache_source_free(s->source);
	buf_free(&s->last);
	free(s->window);
	free(s);
}

bool file_cache_is_there(const struct file_cache *s)
{
	return s->source != NULL;
}

int file_cache_reader_new(struct file_cache_source *src, const char *after,
    file_cache_available_fn *available, void *arg, struct file_cache **ret, struct err *err)
{
	struct file_cache *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(err);
	buf_init(&s->last, LAST_MAX);
	s->available = available;
	s->arg = arg;
	s->at = FILE_CACHE_HEADER;
	if (after && remember(s, after, err)) {
		file_cache_close(s);
		return -1;
	}
	if (src)
		atomic_fetch_add(&src->refs, 1);
	s->source = src;
	*ret = s;
	return 0;
}
