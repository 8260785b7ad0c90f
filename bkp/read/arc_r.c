/* arc_r: see arc_r.h.  This file: archives; arc_r_chunk.c: chunks; arc_r_ahead.c: threads of its own. */
#include "read/arc_r_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/text.h"
#include "format/arcfile.h"
#include "format/digest.h"
#include "format/generation.h"
#include "read/agefile.h"
#include "read/inside.h"

#define OPEN_DEFAULT   16
#define CACHE_DEFAULT  ((size_t)32 << 20)
#define REMEMBERED_MAX 4096 /* faults kept word for word */
#define HASH_READ      ((size_t)1 << 20)

int arc_r_new(int repofd, const struct generation_root *root, const struct age_identity *ids, size_t n_ids,
    const struct arc_r_options *opt, struct arc_r **ret, struct err *err)
{
	struct arc_r *a = calloc(1, sizeof(*a));
	size_t i;

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
	pthread_mutex_init(&a->hashing, NULL);
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	pthread_cond_init(&a->work, NULL);
	a->slots = calloc(a->opt.max_open, sizeof(*a->slots));
	a->known = calloc(root->n_archives + 1, 1);
	for (i = 0; a->slots && i < a->opt.max_open; i++)
		pthread_mutex_init(&a->slots[i].reading, NULL);
	if (!a->slots || !a->known) {
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
	s->damaged = false;
}

void arc_r_free(struct arc_r *a)
{
	struct arc_r_bench *b;
	size_t i;

	if (!a)
		return;
	arc_r_alone(a);
	arc_r_forget_chunks(a);
	for (i = 0; a->slots && i < a->opt.max_open; i++) {
		slot_close(&a->slots[i]);
		pthread_mutex_destroy(&a->slots[i].reading);
	}
	while ((b = a->benches)) {
		a->benches = b->next;
		arc_r_bench_free(b);
	}
	pthread_mutex_destroy(&a->hashing);
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->changed);
	pthread_cond_destroy(&a->work);
	free(a->slots);
	free(a->known);
	free(a->faults);
	free(a->ahead);
	free(a);
}

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

static int read_index(struct arc_r *a, struct arc_r_slot *s, struct err *err)
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

/* ---- without the lock: the slot is the caller's while it is being opened ---- */

/* Is it the file that was signed?  known: what is known of it, and what is known then.  why: what is wrong
 * with one that may be used chunk by chunk. */
static int believe(struct arc_r *a, int fd, const struct generation_archive *entry, uint8_t *known,
    struct err *why, struct err *err)
{
	int r;

	if (a->opt.unhashed || *known == KNOWN_GOOD || *known == KNOWN_DAMAGED)
		return 0;
	pthread_mutex_lock(&a->hashing);
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	r = check_hash(fd, entry->sha256, why);
	posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL);
	pthread_mutex_unlock(&a->hashing);
	if (!r)
		return 0;
	if (!a->opt.chunk_id_key || strcmp(why->code, "E-ARCHIVE-14") != 0) {
		if (err)
			*err = *why;
		return -1;
	}
	*known = KNOWN_DAMAGED;
	return 0;
}

static int slot_open(struct arc_r *a, struct arc_r_slot *s, const struct generation_archive *entry,
    uint8_t *known, struct err *why, struct err *err)
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
	if (believe(a, fd, entry, known, why, err) || agefile_open(&fd, a->ids, a->n_ids, &s->file, err))
		return -1;
	return read_index(a, s, err);
}

/* ---- under the lock ---- */

static struct arc_r_fault *fault_of(const struct arc_r *a, uint64_t number, bool harm)
{
	size_t i;

	for (i = 0; i < a->n_faults; i++)
		if (a->faults[i].number == number && a->faults[i].harm == harm)
			return &a->faults[i];
	return NULL;
}

static void remember(struct arc_r *a, uint64_t number, bool harm, const struct err *why)
{
	struct arc_r_fault *more;

	if (a->n_faults == REMEMBERED_MAX)
		return;
	more = reallocarray(a->faults, a->n_faults + 1, sizeof(*more));
	if (!more)
		return;
	a->faults = more;
	a->faults[a->n_faults++] = (struct arc_r_fault){number, harm, harm, *why};
}

static void tell(struct arc_r *a, uint64_t number)
{
	struct arc_r_fault *f = fault_of(a, number, true);
	struct err why;

	if (!f || !f->untold || !a->opt.damaged)
		return;
	f->untold = false;
	why = f->err;
	pthread_mutex_unlock(&a->lock);
	a->opt.damaged(a->opt.arg, &why);
	pthread_mutex_lock(&a->lock);
}

void arc_r_tell(struct arc_r *a, uint64_t archive)
{
	pthread_mutex_lock(&a->lock);
	tell(a, archive);
	pthread_mutex_unlock(&a->lock);
}

static const struct arc_r_fault *first_untold(const struct arc_r *a)
{
	const struct arc_r_fault *found = NULL;
	size_t i;

	for (i = 0; i < a->n_faults; i++) {
		const struct arc_r_fault *f = &a->faults[i];

		if (f->harm && f->untold && (!found || f->number < found->number))
			found = f;
	}
	return found;
}

void arc_r_tell_all(struct arc_r *a)
{
	const struct arc_r_fault *f;

	pthread_mutex_lock(&a->lock);
	while (a->opt.damaged && (f = first_untold(a)))
		tell(a, f->number);
	pthread_mutex_unlock(&a->lock);
}

static int recall(const struct arc_r *a, const struct generation_archive *entry, struct err *err)
{
	char path[ARCFILE_PATH];
	const struct arc_r_fault *f = fault_of(a, entry->number, false);

	if (!f)
		return err_set(err, "E-ARCHIVE-16", text("archive '%s' cannot be used"),
		    arcfile_path(entry->sha256, path));
	if (err)
		*err = f->err;
	return -1;
}

/* The slot of an archive, also while it is being opened; or NULL. */
static struct arc_r_slot *slot_of(const struct arc_r *a, uint64_t number)
{
	size_t i;

	for (i = 0; i < a->opt.max_open; i++)
		if (a->slots[i].state != SLOT_FREE && a->slots[i].number == number)
			return &a->slots[i];
	return NULL;
}

/* The slot that was not used for longest, or NULL: all are in use. */
static struct arc_r_slot *free_slot(const struct arc_r *a)
{
	struct arc_r_slot *found = NULL;
	size_t i;

	for (i = 0; i < a->opt.max_open; i++) {
		struct arc_r_slot *s = &a->slots[i];

		if (s->state != SLOT_OPENING && !s->refs && (!found || s->used < found->used))
			found = s;
	}
	return found;
}

/* Opens an archive into a slot of ours.  One that failed stays failed: thousands of files may need it, and
 * hashing it again would take as long. */
static int open_into(
    struct arc_r *a, struct arc_r_slot *s, const struct generation_archive *entry, struct err *err)
{
	uint8_t *known = &a->known[entry - a->root->archives], now = *known;
	char path[ARCFILE_PATH];
	struct err why = ERR_INIT, harm = ERR_INIT;
	int r;

	slot_close(s);
	s->state = SLOT_OPENING;
	s->number = entry->number;
	pthread_mutex_unlock(&a->lock);
	arcfile_path(entry->sha256, path);
	r = slot_open(a, s, entry, &now, &harm, &why);
	if (r)
		err_wrap(&why, text("archive '%s'"), path);
	if (harm.code[0])
		err_wrap(&harm, text("archive '%s'"), path);
	pthread_mutex_lock(&a->lock);
	pthread_cond_broadcast(&a->changed);
	if (now == KNOWN_DAMAGED && *known != KNOWN_DAMAGED) {
		*known = KNOWN_DAMAGED;
		remember(a, entry->number, true, &harm);
	}
	if (r) {
		slot_close(s);
		if (err)
			*err = why;
		if (!strncmp(why.code, "E-MEM", 5))
			return -1;
		remember(a, entry->number, false, &why);
		*known = KNOWN_BAD;
		return -1;
	}
	s->damaged = now == KNOWN_DAMAGED;
	if (!s->damaged)
		*known = KNOWN_GOOD;
	s->state = SLOT_OPEN;
	return 0;
}

static int slot_get(struct arc_r *a, uint64_t number, struct arc_r_slot **ret, struct err *err)
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
		if (!s && a->known[entry - a->root->archives] == KNOWN_BAD)
			return recall(a, entry, err);
		if (!s && (s = free_slot(a))) {
			if (open_into(a, s, entry, err))
				return -1;
			break;
		}
		pthread_cond_wait(&a->changed, &a->lock);
	}
	s->used = ++a->clock;
	s->refs++;
	*ret = s;
	return 0;
}

int arc_r_slot(struct arc_r *a, uint64_t number, struct arc_r_slot **ret, struct err *err)
{
	int r = slot_get(a, number, ret, err);

	if (a->n_faults && (!a->helped || pthread_equal(pthread_self(), a->caller)))
		tell(a, number);
	return r;
}

void arc_r_slot_put(struct arc_r *a, struct arc_r_slot *s)
{
	if (!--s->refs)
		pthread_cond_broadcast(&a->changed);
}

int arc_r_no_chunk(const struct arc_r *a, uint64_t archive, uint32_t chunk, size_t n, struct err *err)
{
	char path[ARCFILE_PATH];
	const struct generation_archive *entry = generation_root_archive(a->root, archive);

	return err_set(err, "E-ARCHIVE-15", text("archive '%s' has no chunk number %u, it has %zu"),
	    arcfile_path(entry->sha256, path), chunk, n);
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

int arc_r_raw(struct arc_r *a, uint64_t archive, uint32_t chunk, uint32_t *ret_raw, struct err *err)
{
	struct arc_r_slot *s;
	int r;

	pthread_mutex_lock(&a->lock);
	arc_r_came_to(a, archive);
	r = arc_r_slot(a, archive, &s, err);
	if (!r) {
		if (chunk < s->index->n)
			*ret_raw = s->index->chunks[chunk].raw;
		else
			r = arc_r_no_chunk(a, archive, chunk, s->index->n, err);
		arc_r_slot_put(a, s);
	}
	pthread_mutex_unlock(&a->lock);
	return r;
}

unsigned arc_r_depth(const struct arc_r *a)
{
	return 2 * a->n_decoders;
}

bool arc_r_ready(struct arc_r *a, uint64_t archive)
{
	const struct arc_r_slot *s;
	bool ready;

	pthread_mutex_lock(&a->lock);
	s = slot_of(a, archive);
	ready = s && s->state == SLOT_OPEN;
	pthread_mutex_unlock(&a->lock);
	return ready;
}
