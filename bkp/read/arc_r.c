/* arc_r: see arc_r.h. */
#include "read/arc_r.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/arcfile.h"
#include "format/codec.h"
#include "format/digest.h"
#include "format/generation.h"
#include "read/agefile.h"
#include "read/inside.h"

#define OPEN_DEFAULT   16
#define CACHE_DEFAULT  ((size_t)64 << 20)
#define CACHED_MAX     1024 /* chunks: keeps the search short when they are tiny */
#define REMEMBERED_MAX 4096 /* faults kept word for word */
#define HASH_READ      ((size_t)1 << 20)

/* An archive that is open.  Slots are reused, least recently used first. */
struct slot {
	uint64_t number;
	struct agefile *file; /* NULL: free */
	struct arcfile_index *index;
	uint64_t used; /* arc_r.clock when last used */
	bool damaged;  /* each chunk must prove itself */
};

/* A decoded chunk; the cache is a list, most recently used first. */
struct held {
	struct arc_r_chunk chunk;
	size_t refs;
	struct held *prev, *next;
	uint8_t raw[];
};

enum known { KNOWN_NOT, KNOWN_GOOD, KNOWN_BAD, KNOWN_DAMAGED /* given out chunk by chunk */ };

struct fault {
	uint64_t number;
	struct err err;
};

struct arc_r {
	int repofd;
	const struct generation_root *root;
	const struct age_identity *ids;
	size_t n_ids;
	struct arc_r_options opt;
	struct slot *slots;
	uint64_t clock;
	uint8_t *known; /* enum known, for each archive of the table */
	struct fault *faults;
	size_t n_faults;
	struct codec *codec;
	struct hmac *ids_hmac; /* NULL without a chunk id key */
	struct buf frame;
	struct held *first, *last;
	size_t cached, cached_bytes;
};

int arc_r_new(int repofd, const struct generation_root *root, const struct age_identity *ids, size_t n_ids,
    const struct arc_r_options *opt, struct arc_r **ret, struct err *err)
{
	struct arc_r *a = calloc(1, sizeof(*a));

	if (!a)
		return err_nomem(err);
	a->repofd = repofd;
	a->root = root;
	a->ids = ids;
	a->n_ids = n_ids;
	if (opt)
		a->opt = *opt;
	if (!a->opt.max_open)
		a->opt.max_open = OPEN_DEFAULT;
	if (!a->opt.cache_bytes)
		a->opt.cache_bytes = CACHE_DEFAULT;
	buf_init(&a->frame, codec_bound(CODEC_RAW_MAX));
	a->slots = calloc(a->opt.max_open, sizeof(*a->slots));
	a->known = calloc(root->n_archives + 1, 1);
	a->codec = codec_new();
	if (a->opt.chunk_id_key)
		a->ids_hmac = hmac_new(a->opt.chunk_id_key, DIGEST_LEN);
	if (!a->slots || !a->known || !a->codec || (a->opt.chunk_id_key && !a->ids_hmac)) {
		arc_r_free(a);
		return err_nomem(err);
	}
	*ret = a;
	return 0;
}

static void slot_close(struct slot *s)
{
	agefile_close(s->file);
	arcfile_index_free(s->index);
	memset(s, 0, sizeof(*s));
}

/* Chunks hold what was encrypted: patients' data is wiped before memory goes back. */
static void drop(struct arc_r *a, struct held *h)
{
	*(h->prev ? &h->prev->next : &a->first) = h->next;
	*(h->next ? &h->next->prev : &a->last) = h->prev;
	a->cached--;
	a->cached_bytes -= h->chunk.n;
	sodium_memzero(h->raw, h->chunk.n);
	free(h);
}

void arc_r_free(struct arc_r *a)
{
	size_t i;

	if (!a)
		return;
	while (a->first)
		drop(a, a->first);
	for (i = 0; a->slots && i < a->opt.max_open; i++)
		slot_close(&a->slots[i]);
	if (a->frame.p)
		sodium_memzero(a->frame.p, a->frame.cap);
	buf_free(&a->frame);
	codec_free(a->codec);
	hmac_free(a->ids_hmac);
	free(a->slots);
	free(a->known);
	free(a->faults);
	free(a);
}

/* ---- archives ---- */

static int check_hash(int fd, const uint8_t want[DIGEST_LEN], struct err *err)
{
	BUF_AUTO part = BUF_INIT(HASH_READ);
	uint8_t have[DIGEST_LEN];
	struct digest *d;
	int64_t off = 0;
	ssize_t got;

	if (buf_reserve(&part, HASH_READ, err))
		return -1;
	d = digest_new();
	if (!d)
		return err_nomem(err);
	while ((got = io_pread_full(fd, part.p, HASH_READ, off)) > 0) {
		digest_update(d, part.p, (size_t)got);
		off += got;
	}
	if (got < 0)
		err_sys(err, "E-ARCHIVE-16", errno, "%s", text("cannot read"));
	digest_final(d, have);
	digest_free(d);
	if (got < 0)
		return -1;
	if (memcmp(have, want, DIGEST_LEN) != 0)
		return err_set(
		    err, "E-ARCHIVE-14", "%s", text("not the file that was signed: its SHA-256 is another"));
	return 0;
}

static int read_index(struct arc_r *a, struct slot *s, struct err *err)
{
	uint64_t plain = agefile_size(s->file), offset;
	size_t n = plain < ARCFILE_TAIL ? (size_t)plain : ARCFILE_TAIL, len;
	BUF_AUTO part = BUF_INIT(ARCFILE_INDEX_MAX);

	if (buf_reserve(&part, n, err) || agefile_read(s->file, plain - n, part.p, n, err) ||
	    arcfile_index_locate(part.p, n, plain, &offset, &len, err) || buf_reserve(&part, len, err) ||
	    agefile_read(s->file, offset, part.p, len, err))
		return -1;
	return arcfile_index_parse(
	    (const char *)part.p, len, offset, a->root->id.repository, s->number, &s->index, err);
}

/* Is it the file that was signed?  If not, may it be used chunk by chunk? */
static int believe(
    struct arc_r *a, struct slot *s, int fd, const struct generation_archive *entry, struct err *err)
{
	uint8_t *known = &a->known[entry - a->root->archives];
	char path[ARCFILE_PATH];
	struct err why = ERR_INIT;

	s->damaged = *known == KNOWN_DAMAGED;
	if (a->opt.unhashed || *known == KNOWN_GOOD || s->damaged || !check_hash(fd, entry->sha256, &why))
		return 0;
	if (!a->ids_hmac || strcmp(why.code, "E-ARCHIVE-14") != 0) {
		if (err)
			*err = why;
		return -1;
	}
	*known = KNOWN_DAMAGED;
	s->damaged = true;
	if (a->opt.damaged) {
		err_wrap(&why, text("archive '%s'"), arcfile_path(entry->sha256, path));
		a->opt.damaged(a->opt.arg, &why);
	}
	return 0;
}

static int slot_open(struct arc_r *a, struct slot *s, const struct generation_archive *entry, struct err *err)
{
	char path[ARCFILE_PATH];
	IO_FD_AUTO fd = -1;
	struct stat st;
	int r;

	r = inside_open(a->repofd, arcfile_path(entry->sha256, path), &fd, err);
	if (r)
		return r == INSIDE_ABSENT ? err_set(err, "E-ARCHIVE-12", "%s", text("not on this medium"))
					  : -1;
	if (fstat(fd, &st))
		return err_sys(err, "E-ARCHIVE-16", errno, "%s", text("cannot read"));
	if ((uint64_t)st.st_size != entry->size)
		return err_set(err, "E-ARCHIVE-13", text("%ju bytes long where %ju belong"),
		    (uint64_t)st.st_size, entry->size);
	if (believe(a, s, fd, entry, err) || agefile_open(&fd, a->ids, a->n_ids, &s->file, err))
		return -1;
	s->number = entry->number;
	if (read_index(a, s, err)) {
		slot_close(s);
		return -1;
	}
	return 0;
}

/* An archive that failed stays failed: thousands of files may need it, and hashing it again would take as
 * long. */
static int remember(struct arc_r *a, const struct generation_archive *entry, const struct err *why)
{
	struct fault *more;

	if (!strncmp(why->code, "E-MEM", 5))
		return -1;
	a->known[entry - a->root->archives] = KNOWN_BAD;
	if (a->n_faults == REMEMBERED_MAX)
		return -1;
	more = reallocarray(a->faults, a->n_faults + 1, sizeof(*more));
	if (!more)
		return -1;
	a->faults = more;
	a->faults[a->n_faults++] = (struct fault){entry->number, *why};
	return -1;
}

static int recall(const struct arc_r *a, const struct generation_archive *entry, struct err *err)
{
	char path[ARCFILE_PATH];
	size_t i;

	for (i = 0; i < a->n_faults; i++)
		if (a->faults[i].number == entry->number) {
			if (err)
				*err = a->faults[i].err;
			return -1;
		}
	return err_set(
	    err, "E-ARCHIVE-16", text("archive '%s' cannot be used"), arcfile_path(entry->sha256, path));
}

static struct slot *free_slot(struct arc_r *a)
{
	struct slot *s = &a->slots[0];
	size_t i;

	for (i = 1; i < a->opt.max_open; i++)
		if (a->slots[i].used < s->used)
			s = &a->slots[i];
	slot_close(s);
	return s;
}

static int find_slot(struct arc_r *a, uint64_t number, struct slot **ret, struct err *err)
{
	const struct generation_archive *entry;
	struct err why = ERR_INIT;
	char path[ARCFILE_PATH];
	struct slot *s;
	size_t i;

	for (i = 0; i < a->opt.max_open; i++)
		if (a->slots[i].file && a->slots[i].number == number) {
			a->slots[i].used = ++a->clock;
			*ret = &a->slots[i];
			return 0;
		}
	entry = generation_root_archive(a->root, number);
	if (!entry)
		return err_set(
		    err, "E-ARCHIVE-11", text("archive number %ju is not in the generation's table"), number);
	if (a->known[entry - a->root->archives] == KNOWN_BAD)
		return recall(a, entry, err);
	s = free_slot(a);
	if (slot_open(a, s, entry, &why)) {
		err_wrap(&why, text("archive '%s'"), arcfile_path(entry->sha256, path));
		if (err)
			*err = why;
		return remember(a, entry, &why);
	}
	if (!s->damaged)
		a->known[entry - a->root->archives] = KNOWN_GOOD;
	s->used = ++a->clock;
	*ret = s;
	return 0;
}

static int no_chunk(const struct arc_r *a, uint64_t archive, uint32_t chunk, size_t n, struct err *err)
{
	char path[ARCFILE_PATH];
	const struct generation_archive *entry = generation_root_archive(a->root, archive);

	return err_set(err, "E-ARCHIVE-15", text("archive '%s' has no chunk number %u, it has %zu"),
	    arcfile_path(entry->sha256, path), chunk, n);
}

int arc_r_open(struct arc_r *a, uint64_t archive, const struct arcfile_index **ret_index,
    struct agefile **ret_file, struct err *err)
{
	struct slot *s;

	if (find_slot(a, archive, &s, err))
		return -1;
	*ret_index = s->index;
	*ret_file = s->file;
	return 0;
}

int arc_r_raw(struct arc_r *a, uint64_t archive, uint32_t chunk, uint32_t *ret_raw, struct err *err)
{
	struct slot *s;

	if (find_slot(a, archive, &s, err))
		return -1;
	if (chunk >= s->index->n)
		return no_chunk(a, archive, chunk, s->index->n, err);
	*ret_raw = s->index->chunks[chunk].raw;
	return 0;
}

/* ---- chunks ---- */

static void to_front(struct arc_r *a, struct held *h)
{
	if (a->first == h)
		return;
	if (h->prev || h->next) {
		*(h->prev ? &h->prev->next : &a->first) = h->next;
		*(h->next ? &h->next->prev : &a->last) = h->prev;
	}
	h->prev = NULL;
	h->next = a->first;
	*(a->first ? &a->first->prev : &a->last) = h;
	a->first = h;
}

static void make_room(struct arc_r *a, size_t n)
{
	struct held *h = a->last, *prev;

	for (; h && (a->cached >= CACHED_MAX || a->cached_bytes + n > a->opt.cache_bytes); h = prev) {
		prev = h->prev;
		if (!h->refs)
			drop(a, h);
	}
}

static int decode(
    struct arc_r *a, struct slot *s, const struct arcfile_chunk *c, uint8_t *raw, struct err *err)
{
	a->frame.n = 0;
	if (buf_reserve(&a->frame, c->stored, err) ||
	    agefile_read(s->file, c->offset, a->frame.p, c->stored, err))
		return -1;
	if (codec_unpack(a->codec, a->frame.p, c->stored, raw, c->raw, err))
		return -1;
	if (s->damaged) {
		uint8_t id[DIGEST_LEN];

		hmac_of(a->ids_hmac, raw, c->raw, id);
		if (memcmp(id, c->id, DIGEST_LEN) != 0)
			return err_set(err, "E-ARCHIVE-17", "%s", text("not the chunk that its id says"));
	}
	return 0;
}

static int load(struct arc_r *a, uint64_t archive, uint32_t chunk, struct held **ret, struct err *err)
{
	const struct generation_archive *entry;
	const struct arcfile_chunk *c;
	char path[ARCFILE_PATH];
	struct held *h;
	struct slot *s;

	if (find_slot(a, archive, &s, err))
		return -1;
	if (chunk >= s->index->n)
		return no_chunk(a, archive, chunk, s->index->n, err);
	c = &s->index->chunks[chunk];
	make_room(a, c->raw);
	h = malloc(sizeof(*h) + c->raw);
	if (!h)
		return err_nomem(err);
	memset(h, 0, sizeof(*h));
	h->chunk = (struct arc_r_chunk){h->raw, c->raw, archive, chunk};
	if (decode(a, s, c, h->raw, err)) {
		sodium_memzero(h->raw, c->raw);
		free(h);
		entry = generation_root_archive(a->root, archive);
		return err_wrap(err, text("archive '%s', chunk %u at offset %ju"),
		    arcfile_path(entry->sha256, path), chunk, c->offset);
	}
	a->cached++;
	a->cached_bytes += c->raw;
	to_front(a, h);
	*ret = h;
	return 0;
}

int arc_r_get(
    struct arc_r *a, uint64_t archive, uint32_t chunk, const struct arc_r_chunk **ret, struct err *err)
{
	struct held *h;

	for (h = a->first; h; h = h->next)
		if (h->chunk.archive == archive && h->chunk.chunk == chunk)
			break;
	if (h)
		to_front(a, h);
	else if (load(a, archive, chunk, &h, err))
		return -1;
	h->refs++;
	*ret = &h->chunk;
	return 0;
}

void arc_r_put(struct arc_r *a, const struct arc_r_chunk *c)
{
	struct held *h;

	for (h = a->first; h; h = h->next)
		if (&h->chunk == c)
			h->refs--;
}
