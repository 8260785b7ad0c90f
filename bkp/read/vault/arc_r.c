/* arc_r: see arc_r.h.  This file: archives; arc_r_chunk.c: chunks.
 *
 * A slot is an open archive: SLOT_FREE → SLOT_OPENING → SLOT_OPEN.  Who wants an archive that no slot has
 * takes the one used least recently that nobody holds (free_slot), writes the archive's number into it, and
 * opens it without the lock (open_into).  Others who want the same archive find it SLOT_OPENING and wait for
 * `changed`, so no archive is opened twice.  When all slots are held or being opened, one waits for `changed`
 * as well.  That ends: a thread holds one slot at a time (arc_r_slot … arc_r_slot_put) and waits for none
 * while it does.
 *
 * An archive that cannot be opened in any copy is marked in lost.bad[], with its fault: thousands of files may
 * need it, and a dying disk may take a minute to refuse.  Want of memory is not remembered.
 */
#include "read/vault/arc_r_private.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/text.h"
#include "base/threads/thread.h"
#include "format/crypto/digest.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "read/store/store.h"
#include "read/vault/agefile.h"

#define OPEN_DEFAULT   16
#define CACHE_DEFAULT  ((size_t)32 << 20)
#define REMEMBERED_MAX 4096 /* faults kept word for word */

/* ---- decoding ahead ---- */

/* arc_r_want() puts chunks into a ring of ARC_R_WANTED_MAX; helpers take the oldest and decode it into the cache.  What was
 * decoded ahead and not asked for yet may take half of the cache (ahead.bytes): more would push out what is still needed.
 * Beyond that, and where the ring is full, a hint is forgotten, and who asks decodes.  So helpers change when a chunk is
 * decoded, and nothing else.  No pipeline (base/pipeline.h): a hint has no result that anybody takes, and may be dropped. */

/* A fault is dropped here: it is found again, and said, when somebody asks for the chunk. */
static void *decoder_thread(void *arg)
{
	struct arc_r *a = arg;
	struct arc_r_wanted w;
	struct arc_r_held *h;
	struct err why;

	pthread_mutex_lock(&a->lock);
	while (!a->ahead.stop) {
		if (!a->ahead.n) {
			pthread_cond_wait(&a->ahead.work, &a->lock);
			continue;
		}
		w = a->ahead.wanted[a->ahead.head];
		a->ahead.head = (a->ahead.head + 1) % ARC_R_WANTED_MAX;
		a->ahead.n--;
		if (a->ahead.bytes < a->opt.cache_bytes / 2 && !arc_r_cached(a, w.archive, w.chunk) &&
		    !arc_r_load(a, w.archive, w.chunk, &h, &why) && h && !h->refs) {
			h->ahead = true;
			a->ahead.bytes += h->cap;
		}
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

void arc_r_helpers(struct arc_r *a, unsigned decoders)
{
	while (a->ahead.n_decoders < decoders && a->ahead.n_decoders < ARC_R_DECODERS_MAX &&
	       !thread_start(&a->ahead.decoders[a->ahead.n_decoders], "bkp-decode", decoder_thread, a))
		a->ahead.n_decoders++;
}

void arc_r_alone(struct arc_r *a)
{
	unsigned i;

	pthread_mutex_lock(&a->lock);
	a->ahead.stop = true;
	pthread_cond_broadcast(&a->ahead.work);
	pthread_mutex_unlock(&a->lock);
	for (i = 0; i < a->ahead.n_decoders; i++)
		pthread_join(a->ahead.decoders[i], NULL);
	a->ahead.n_decoders = 0;
	a->ahead.n = 0;
	a->ahead.stop = false;
}

void arc_r_want(struct arc_r *a, uint64_t archive, uint32_t chunk)
{
	pthread_mutex_lock(&a->lock);
	if (a->ahead.n_decoders && a->ahead.n < ARC_R_WANTED_MAX && !arc_r_cached(a, archive, chunk)) {
		a->ahead.wanted[(a->ahead.head + a->ahead.n++) % ARC_R_WANTED_MAX] =
		    (struct arc_r_wanted){archive, chunk};
		pthread_cond_signal(&a->ahead.work);
	}
	pthread_mutex_unlock(&a->lock);
}

/* ---- the rest ---- */

int arc_r_new(const struct store *set, const struct generation_root *root, const struct age_identity *ids,
    size_t n_ids, const struct arc_r_options *opt, struct arc_r **ret, struct err *err)
{
	struct arc_r *a = calloc(1, sizeof(*a));
	size_t i;

	if (!a)
		return err_nomem(err);
	a->set = set;
	a->root = root;
	a->ids = ids;
	a->n_ids = n_ids;
	if (opt)
		a->opt = *opt;
	if (!a->opt.max_open)
		a->opt.max_open = OPEN_DEFAULT;
	if (!a->opt.cache_bytes)
		a->opt.cache_bytes = CACHE_DEFAULT;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	pthread_cond_init(&a->ahead.work, NULL);
	a->open.slots = calloc(a->opt.max_open, sizeof(*a->open.slots));
	a->lost.bad = calloc(root->n_archives + 1, 1);
	for (i = 0; a->open.slots && i < a->opt.max_open; i++)
		pthread_mutex_init(&a->open.slots[i].reading, NULL);
	if (!a->open.slots || !a->lost.bad) {
		arc_r_free(a);
		return err_nomem(err);
	}
	*ret = a;
	return 0;
}

static void slot_close(struct arc_r_slot *s)
{
	agefile_close(s->file);
	arcfile_index_free(s->index);
	s->file = NULL;
	s->index = NULL;
	s->state = SLOT_FREE;
	s->number = s->used = 0;
}

void arc_r_free(struct arc_r *a)
{
	struct arc_r_bench *b;
	size_t i;

	if (!a)
		return;
	arc_r_alone(a);
	arc_r_forget_chunks(a);
	for (i = 0; a->open.slots && i < a->opt.max_open; i++) {
		slot_close(&a->open.slots[i]);
		pthread_mutex_destroy(&a->open.slots[i].reading);
	}
	while ((b = a->benches)) {
		a->benches = b->next;
		arc_r_bench_free(b);
	}
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	pthread_cond_destroy(&a->ahead.work);
	free(a->open.slots);
	free(a->lost.bad);
	free(a->lost.faults);
	free(a);
}

/* ---- without the lock: the slot is the caller's while it is being opened ---- */

/* INDEX, proven to be the one that was signed before anything in it is looked at. */
static int read_index(
    struct arc_r *a, struct arc_r_slot *s, const struct generation_archive *entry, struct err *err)
{
	uint64_t plain = agefile_size(s->file), offset;
	size_t n = plain < ARCFILE_TAIL ? (size_t)plain : ARCFILE_TAIL, len;
	BUF_AUTO part = BUF_INIT(ARCFILE_INDEX_MAX);
	uint8_t have[DIGEST_LEN];

	if (buf_reserve(&part, n, err) || agefile_read(s->file, plain - n, part.p, n, err) ||
	    arcfile_index_locate(part.p, n, plain, &offset, &len, err) || buf_reserve(&part, len, err) ||
	    agefile_read(s->file, offset, part.p, len, err))
		return -1;
	digest_sha256(part.p, len, have);
	if (memcmp(have, entry->index_sha256, DIGEST_LEN) != 0)
		return err_set(err, "E-ARCHIVE-14", "%s",
		    text("not the archive that was signed: the SHA-256 of its INDEX is another"));
	return arcfile_index_parse((const char *)part.p, len, offset, a->root->id.repository,
	    a->root->id.dataset, s->number, &s->index, err);
}

int arc_r_slot_open(struct arc_r *a, size_t copy, struct arc_r_slot *s,
    const struct generation_archive *entry, struct err *err)
{
	char path[ARCFILE_PATH];
	STORE_FILE_AUTO file = {0};
	int r;

	r = store_open(
	    copy ? a->opt.others[copy - 1] : a->set, arcfile_path(entry->sha256, path), &file, err);
	if (r)
		return r == STORE_ABSENT ? err_set(err, "E-ARCHIVE-12", "%s", text("not on this medium"))
					 : -1;
	if ((uint64_t)file.size != entry->size)
		return err_set(err, "E-ARCHIVE-13", text("%ju bytes long where %ju belong"),
		    (uint64_t)file.size, entry->size);
	return agefile_open(&file, a->ids, a->n_ids, &s->file, err) || read_index(a, s, entry, err) ? -1 : 0;
}

void arc_r_slot_clear(struct arc_r_slot *s)
{
	agefile_close(s->file);
	arcfile_index_free(s->index);
	s->file = NULL;
	s->index = NULL;
}

/* From the first copy where it can be had.  *ret_why: what is wrong in the first of all. */
static int slot_open(struct arc_r *a, struct arc_r_slot *s, const struct generation_archive *entry,
    bool *ret_elsewhere, struct err *ret_why)
{
	if (!arc_r_slot_open(a, 0, s, entry, ret_why))
		return 0;
	for (size_t i = 1; i <= a->opt.n_others; i++) {
		arc_r_slot_clear(s);
		if (!arc_r_slot_open(a, i, s, entry, NULL)) {
			*ret_elsewhere = true;
			return 0;
		}
	}
	return -1;
}

/* ---- under the lock ---- */

void arc_r_note_elsewhere(struct arc_r *a, const struct err *why)
{
	if (!a->elsewhere.n++)
		a->elsewhere.why = *why;
}

uint64_t arc_r_elsewhere(struct arc_r *a, struct err *ret_why)
{
	if (a->elsewhere.n)
		*ret_why = a->elsewhere.why;
	return a->elsewhere.n;
}

char *arc_r_path(const struct arc_r *a, const struct generation_archive *entry, char out[ARC_R_PATH])
{
	char set[GENERATION_SET_DIR], path[ARCFILE_PATH];

	snprintf(out, ARC_R_PATH, "%s/%s", generation_set_dir(a->root->id.dataset, set),
	    arcfile_path(entry->sha256, path));
	return out;
}

static void remember_fault(struct arc_r *a, const struct generation_archive *entry, const struct err *why)
{
	struct arc_r_fault *more = NULL;

	a->lost.bad[entry - a->root->archives] = 1;
	if (a->lost.n < REMEMBERED_MAX)
		more = reallocarray(a->lost.faults, a->lost.n + 1, sizeof(*more));
	if (!more)
		return;
	a->lost.faults = more;
	a->lost.faults[a->lost.n++] = (struct arc_r_fault){entry->number, *why};
}

static int recall_fault(const struct arc_r *a, const struct generation_archive *entry, struct err *err)
{
	char path[ARC_R_PATH];

	for (size_t i = 0; i < a->lost.n; i++)
		if (a->lost.faults[i].number == entry->number) {
			if (err)
				*err = a->lost.faults[i].err;
			return -1;
		}
	return err_set(err, "E-ARCHIVE-16", text("archive '%s' cannot be used"), arc_r_path(a, entry, path));
}

/* The slot of an archive, also while it is being opened; or NULL. */
static struct arc_r_slot *slot_of(const struct arc_r *a, uint64_t number)
{
	size_t i;

	for (i = 0; i < a->opt.max_open; i++)
		if (a->open.slots[i].state != SLOT_FREE && a->open.slots[i].number == number)
			return &a->open.slots[i];
	return NULL;
}

/* The slot that was not used for longest, or NULL: all are in use. */
static struct arc_r_slot *free_slot(const struct arc_r *a)
{
	struct arc_r_slot *found = NULL;
	size_t i;

	for (i = 0; i < a->opt.max_open; i++) {
		struct arc_r_slot *s = &a->open.slots[i];

		if (s->state != SLOT_OPENING && !s->refs && (!found || s->used < found->used))
			found = s;
	}
	return found;
}

/* Opens an archive into a slot that nobody holds.  The lock is let go of meanwhile: the slot is ours because
 * it is SLOT_OPENING. */
static int open_into(
    struct arc_r *a, struct arc_r_slot *s, const struct generation_archive *entry, struct err *err)
{
	char path[ARC_R_PATH];
	struct err why = ERR_INIT;
	bool elsewhere = false;
	int r;

	slot_close(s);
	s->state = SLOT_OPENING;
	s->number = entry->number;
	pthread_mutex_unlock(&a->lock);
	r = slot_open(a, s, entry, &elsewhere, &why);
	pthread_mutex_lock(&a->lock);
	pthread_cond_broadcast(&a->changed);
	if (!r && elsewhere) {
		err_wrap(&why, text("archive '%s'"), arc_r_path(a, entry, path));
		arc_r_note_elsewhere(a, &why);
	}
	if (!r) {
		s->state = SLOT_OPEN;
		return 0;
	}
	slot_close(s);
	err_wrap(&why, text("archive '%s'"), arc_r_path(a, entry, path));
	if (why.kind != ERR_MEMORY)
		remember_fault(a, entry, &why);
	if (err)
		*err = why;
	return -1;
}

int arc_r_slot(struct arc_r *a, uint64_t number, struct arc_r_slot **ret, struct err *err)
{
	const struct generation_archive *entry = generation_root_archive(a->root, number);
	struct arc_r_slot *s;

	if (!entry)
		return err_set(
		    err, "E-ARCHIVE-11", text("archive number %ju is not in the generation's table"), number);
	for (;;) {
		s = slot_of(a, number);
		if (s && s->state == SLOT_OPEN)
			break;
		if (!s && a->lost.bad[entry - a->root->archives])
			return recall_fault(a, entry, err);
		if (!s && (s = free_slot(a))) {
			if (open_into(a, s, entry, err))
				return -1;
			break;
		}
		pthread_cond_wait(&a->changed, &a->lock);
	}
	s->used = ++a->open.clock;
	s->refs++;
	*ret = s;
	return 0;
}

void arc_r_slot_put(struct arc_r *a, struct arc_r_slot *s)
{
	assert(s->refs);
	if (!--s->refs)
		pthread_cond_broadcast(&a->changed);
}

int arc_r_no_chunk(const struct arc_r *a, uint64_t archive, uint32_t chunk, size_t n, struct err *err)
{
	char path[ARC_R_PATH];
	const struct generation_archive *entry = generation_root_archive(a->root, archive);

	return err_set(err, "E-ARCHIVE-15", text("archive '%s' has no chunk number %u, it has %zu"),
	    arc_r_path(a, entry, path), chunk, n);
}

int arc_r_open(struct arc_r *a, uint64_t archive, const struct arcfile_index **ret_index,
    struct agefile **ret_file, struct err *err)
{
	struct arc_r_slot *s;
	int r;

	pthread_mutex_lock(&a->lock);
	r = arc_r_slot(a, archive, &s, err);
	if (!r) {
		*ret_index = s->index;
		*ret_file = s->file;
		arc_r_slot_put(a, s);
	}
	pthread_mutex_unlock(&a->lock);
	return r;
}

int arc_r_look(struct arc_r *a, uint64_t archive, uint32_t chunk, struct arcfile_chunk *ret, struct err *err)
{
	struct arc_r_slot *s;
	int r;

	pthread_mutex_lock(&a->lock);
	r = arc_r_slot(a, archive, &s, err);
	if (!r) {
		if (chunk < s->index->n)
			*ret = s->index->chunks[chunk];
		else
			r = arc_r_no_chunk(a, archive, chunk, s->index->n, err);
		arc_r_slot_put(a, s);
	}
	pthread_mutex_unlock(&a->lock);
	return r;
}

int arc_r_id(struct arc_r *a, const void *p, size_t n, uint8_t ret_id[DIGEST_LEN], struct err *err)
{
	struct arc_r_bench *b;

	pthread_mutex_lock(&a->lock);
	b = arc_r_bench_take(a);
	pthread_mutex_unlock(&a->lock);
	if (!b)
		return err_nomem(err);
	hmac_of(b->ids_hmac, p, n, ret_id);
	pthread_mutex_lock(&a->lock);
	arc_r_bench_give(a, b);
	pthread_mutex_unlock(&a->lock);
	return 0;
}

unsigned arc_r_depth(const struct arc_r *a)
{
	return 2 * a->ahead.n_decoders;
}
