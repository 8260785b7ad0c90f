/* verify: see verify.h.  This file: hashes and signatures; verify_deep.c, verify_archive.c, verify_catalog.c:
 * what needs an identity.
 *
 * A file of SHA256SUMS passes three hands (struct verify_listed): verify_listed_begin() on the caller's
 * thread asks the set of files seen whether it must be read at all; hash_file() on any thread leaves r, bytes
 * and why in the slot; verify_listed_end() on the caller's thread counts, reports, and puts it into the set.
 * The set is only touched on the caller's thread, so it needs no lock.
 */
#include "read/verify/verify.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/threads/beside.h"
#include "base/threads/parallel.h"
#include "base/starved.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/file/ahead.h"
#include "read/file/digestset.h"
#include "read/store/store.h"
#include "read/vault/vault_r.h"
#include "read/verify/verify_private.h"

#define SEEN_MAX ((size_t)8 << 20) /* files: 1 PiB of archives */

_Static_assert(VERIFY_THREADS_MAX <= PARALLEL_THREADS_MAX, "a reader for each thread");
_Static_assert(VERIFY_DEEP_THREADS_MAX <= VERIFY_THREADS_MAX, "the documents are hashed by as many");

enum { SEEN_GOOD = 1, SEEN_BAD = 2, SEEN_VOUCHED = 3 };

/* ---- one file ---- */

int verify_reader_init(struct verify_reader *r, bool ahead, bool beside, struct err *err)
{
	r->ahead = ahead_new(ahead);
	r->digest = digest_new();
	r->beside = beside ? beside_new() : NULL;
	return r->ahead && r->digest && (r->beside || !beside) ? 0 : err_nomem(err);
}

void verify_reader_free(struct verify_reader *r)
{
	ahead_free(r->ahead);
	digest_free(r->digest);
	beside_free(r->beside);
}

int verify_listed_open(struct verify_listed *l, const struct store *s, struct store_file *ret)
{
	char why[sizeof(l->why.msg)];

	l->r = store_open(s, l->path, ret, &l->why);
	if (l->r == STORE_ABSENT) {
		err_set(&l->why, "E-VERIFY-01", text("'%s' is missing"), l->path);
		l->r = VERIFY_ABSENT;
	} else if (l->r && l->why.kind == ERR_LARGE) {
		memcpy(why, l->why.msg, sizeof(why));
		err_set(&l->why, "E-VERIFY-02", "%s", why);
		l->r = VERIFY_WRONG;
	} else if (l->r) {
		snprintf(l->why.code, sizeof(l->why.code), "E-VERIFY-03"); /* the rest of it stays */
	}
	return l->r;
}

void verify_listed_judge(struct verify_listed *l, struct digest *d, int errnum)
{
	uint8_t have[DIGEST_LEN];

	digest_final(d, have);
	if (errnum) {
		err_sys(&l->why, "E-VERIFY-03", errnum, "%s", text("cannot be read to its end"));
		l->r = err_wrap(&l->why, "'%s'", l->path);
	} else if (memcmp(have, l->sha256, DIGEST_LEN) != 0) {
		err_set(&l->why, "E-VERIFY-02",
		    text("'%s' is not the file that was signed: its SHA-256 is another"), l->path);
		l->r = VERIFY_WRONG;
	}
}

/* Hash and parity take about as long as each other, and together longer than many a device takes to read. */
static void take_part(
    struct verify_reader *r, const struct verify_watch *watch, void *seen, const uint8_t *p, size_t n)
{
	if (seen && r->beside)
		beside_begin(r->beside, watch->bytes, seen, p, n);
	else if (seen)
		watch->bytes(seen, p, n);
	digest_update(r->digest, p, n);
	if (seen && r->beside)
		beside_wait(r->beside);
}

static void hash_file(struct verify_reader *r, const struct store *s, bool from_device,
    const struct verify_watch *watch, struct verify_listed *l)
{
	STORE_FILE_AUTO file = {0};
	void *seen = NULL;
	uint8_t *p;
	ssize_t got;
	int errnum;

	if (verify_listed_open(l, s, &file))
		return;
	if (watch && file.size > 0)
		seen = watch->begin(watch->arg, l->path, l->sha256, (uint64_t)file.size);
	digest_reset(r->digest);
	ahead_begin(r->ahead, &file, from_device);
	while ((got = ahead_next(r->ahead, &p)) > 0) {
		take_part(r, watch, seen, p, (size_t)got);
		l->bytes += (uint64_t)got;
	}
	errnum = got < 0 ? errno : 0;
	ahead_end(r->ahead);
	verify_listed_judge(l, r->digest, errnum);
	if (seen)
		watch->end(watch->arg, seen, l->path, !l->r);
}

static int one_file(const struct store *s, const char *path, const uint8_t sha256[DIGEST_LEN],
    bool from_device, const struct verify_watch *watch, bool ahead, uint64_t *ret_bytes, struct err *err)
{
	struct verify_listed l = {.why = ERR_INIT};
	struct verify_reader r;

	if (verify_reader_init(&r, ahead, watch != NULL, err)) {
		verify_reader_free(&r);
		return -1;
	}
	snprintf(l.path, sizeof(l.path), "%s", path);
	memcpy(l.sha256, sha256, DIGEST_LEN);
	hash_file(&r, s, from_device, watch, &l);
	verify_reader_free(&r);
	if (ret_bytes)
		*ret_bytes = l.bytes;
	if (l.r && err)
		*err = l.why;
	return l.r;
}

int verify_file(const struct store *s, const char *path, const uint8_t sha256[DIGEST_LEN], bool from_device,
    uint64_t *ret_bytes, struct err *err)
{
	return one_file(s, path, sha256, from_device, NULL, false, ret_bytes, err);
}

int verify_file_watched(const struct store *s, const char *path, const uint8_t sha256[DIGEST_LEN],
    const struct verify_watch *watch, uint64_t *ret_bytes, struct err *err)
{
	return one_file(s, path, sha256, true, watch, true, ret_bytes, err);
}

/* ---- seen ---- */

struct verify_seen {
	struct digestset *set;
};

struct verify_seen *verify_seen_new(void)
{
	struct verify_seen *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->set = digestset_new(SEEN_MAX);
	if (!s->set) {
		free(s);
		return NULL;
	}
	return s;
}

/* path: from <repository-id>/ */
static void seen_key(const char *path, const uint8_t sha256[DIGEST_LEN], uint8_t key[DIGEST_LEN])
{
	char both[VERIFY_PATH + DIGEST_LEN] = {0};

	snprintf(both, VERIFY_PATH, "%s", path);
	memcpy(both + VERIFY_PATH, sha256, DIGEST_LEN);
	digestset_key_of(both, sizeof(both), key);
}

static void seen_key_in(
    const char *dataset, const char *path, const uint8_t sha256[DIGEST_LEN], uint8_t key[DIGEST_LEN])
{
	char whole[VERIFY_PATH], set[GENERATION_SET_DIR];

	snprintf(whole, sizeof(whole), "%s/%s", generation_set_dir(dataset, set), path);
	seen_key(whole, sha256, key);
}

static int seen_put(struct verify_seen *s, const char *dataset, const char *path,
    const uint8_t sha256[DIGEST_LEN], uint8_t what, struct err *err)
{
	uint8_t key[DIGEST_LEN];

	seen_key_in(dataset, path, sha256, key);
	/* full: the file will be read once more than needed */
	return digestset_put(s->set, key, what, err) < 0 ? -1 : 0;
}

int verify_seen_vouch(struct verify_seen *s, const char *dataset, const char *path,
    const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	return seen_put(s, dataset, path, sha256, SEEN_VOUCHED, err);
}

int verify_seen_bad(struct verify_seen *s, const char *dataset, const char *path,
    const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	return seen_put(s, dataset, path, sha256, SEEN_BAD, err);
}

bool verify_seen_has(
    const struct verify_seen *s, const char *dataset, const char *path, const uint8_t sha256[DIGEST_LEN])
{
	uint8_t key[DIGEST_LEN];

	seen_key_in(dataset, path, sha256, key);
	return digestset_get(s->set, key) != 0;
}

void verify_seen_free(struct verify_seen *s)
{
	if (s)
		digestset_free(s->set);
	free(s);
}

/* ---- a generation ---- */

void verify_listed_name(const struct verify_run *run, struct verify_listed *l, const char *path)
{
	snprintf(l->path, sizeof(l->path), "%.*s%s", (int)run->set, run->dir, path);
}

void verify_report(
    struct verify_run *run, const char *file, const char *dataset, const char *path, const struct err *err)
{
	struct err memory = ERR_INIT;
	struct verify_fault f = {file, dataset, path, err};

	if (!err_is_unread(err) && starved_anywhere_since(run->starved)) {
		err_nomem(&memory);
		f.err = &memory;
	}
	run->res.faults++;
	run->res.unread += err_is_unread(f.err);
	if (run->cb && run->cb->fault)
		run->cb->fault(run->cb->arg, &f);
}

void verify_listed_begin(struct verify_run *run, struct verify_listed *l)
{
	struct digestset *seen = run->opt->seen ? run->opt->seen->set : NULL;
	uint8_t key[DIGEST_LEN];

	if (run->cb && run->cb->progress)
		run->cb->progress(run->cb->arg, run->res.bytes, run->total, l->path);
	seen_key(l->path, l->sha256, key);
	l->known = seen ? digestset_get(seen, key) : 0;
	l->wanted = !l->known || (l->known == SEEN_VOUCHED && run->opt->again);
	l->r = 0;
	l->bytes = 0;
}

int verify_listed_end(struct verify_run *run, const struct verify_listed *l, struct err *err)
{
	struct digestset *seen = run->opt->seen ? run->opt->seen->set : NULL;
	struct err why = ERR_INIT;
	uint8_t key[DIGEST_LEN];

	if (!l->wanted) {
		run->res.seen++;
		if (l->known != SEEN_BAD)
			return 0;
		err_set(&why, "E-VERIFY-02", text("'%s' is missing, unreadable or wrong, as said before"),
		    l->path);
		verify_report(run, l->path, NULL, NULL, &why);
		return 0;
	}
	run->res.files++;
	run->res.bytes += l->bytes;
	if (l->r)
		verify_report(run, l->path, NULL, NULL, &l->why);
	/* what could not be read is neither: another generation tries it again */
	seen_key(l->path, l->sha256, key);
	if (seen && !(l->r && err_is_unread(&l->why)) &&
	    digestset_put(seen, key, l->r ? SEEN_BAD : SEEN_GOOD, err) < 0)
		return -1;
	return 0;
}

/* ---- all of them, by hash alone ---- */

struct hashing {
	struct verify_run *run;
	bool archives;
	size_t pos;					  /* in SHA256SUMS; of the caller's thread */
	struct verify_reader readers[VERIFY_THREADS_MAX]; /* one a thread */
	struct verify_listed slots[VERIFY_THREADS_MAX * VERIFY_WINDOW];
};

static int next_listed(void *arg, size_t i, void *slot, struct err *err)
{
	struct hashing *h = arg;
	struct verify_listed *l = slot;
	const struct buf *sums = vault_r_sums(h->run->g);
	char path[GENERATION_SUMS_PATH];
	int r;

	(void)i;
	do
		r = generation_sums_next((const char *)sums->p, sums->n, &h->pos, l->sha256, path, err);
	while (!r && !h->archives && !strncmp(path, "archives/", 9));
	if (r)
		return r < 0 ? -1 : PARALLEL_END;
	verify_listed_name(h->run, l, path);
	verify_listed_begin(h->run, l);
	return 0;
}

static void hash_listed(void *arg, unsigned thread, size_t i, void *slot)
{
	struct hashing *h = arg;
	struct verify_listed *l = slot;

	(void)i;
	if (l->wanted)
		hash_file(&h->readers[thread], vault_r_store(h->run->v), h->run->opt->from_device,
		    h->run->opt->watch, l);
}

static int end_listed(void *arg, size_t i, void *slot, struct err *err)
{
	struct hashing *h = arg;

	(void)i;
	return verify_listed_end(h->run, slot, err);
}

static int hash_all(struct verify_run *run, bool archives, struct err *err)
{
	struct hashing *h = calloc(1, sizeof(*h));
	struct parallel parallel = {.threads = run->threads,
	    .n = SIZE_MAX,
	    .window = run->threads * VERIFY_WINDOW,
	    .slot_size = sizeof(h->slots[0]),
	    .next = next_listed,
	    .work = hash_listed,
	    .done = end_listed,
	    .arg = h};
	int r = 0;

	if (!h)
		return err_nomem(err);
	h->run = run;
	h->archives = archives;
	parallel.slots = h->slots;
	for (unsigned t = 0; t < run->threads && !r; t++)
		r = verify_reader_init(&h->readers[t], run->ahead, run->opt->watch && run->threads == 1, err);
	if (!r)
		r = parallel_run(&parallel, err);
	for (unsigned t = 0; t < run->threads; t++)
		verify_reader_free(&h->readers[t]);
	free(h);
	return r;
}

/* The list and its signature are read by vault_r through the page cache: emptied of them, it reads the
 * device. */
static void drop_list(const struct store *s, const char *dir)
{
	static const char *const names[] = {"SHA256SUMS", "SHA256SUMS.minisig"};
	char path[VERIFY_PATH];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		STORE_FILE_AUTO file = {0};

		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		if (!store_open(s, path, &file, NULL))
			store_drop_cache(&file);
	}
}

bool verify_shares_damage(
    struct vault_r *v, const char *dataset, uint64_t number, const struct verify_seen *s)
{
	struct vault_r_generation *g = NULL;
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN], key[DIGEST_LEN];
	const struct buf *sums;
	bool shares = false;
	size_t pos = 0;

	if (vault_r_generation_open(v, dataset, number, &g, NULL))
		return false;
	sums = vault_r_sums(g);
	while (!shares && !generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, NULL)) {
		seen_key_in(dataset, path, sha256, key);
		shares = digestset_get(s->set, key) == SEEN_BAD;
	}
	vault_r_generation_close(g);
	return shares;
}

static void plan_threads(struct verify_run *run)
{
	unsigned most = run->opt->n_ids ? VERIFY_DEEP_THREADS_MAX : VERIFY_THREADS_MAX;
	enum rotational rotational = run->opt->rotational;

	if (rotational == ROTATIONAL_LOOK)
		rotational = store_rotational(vault_r_store(run->v));
	run->threads = rotational == ROTATIONAL_ONE ? 1 : parallel_threads(run->opt->threads);
	if (run->threads > most)
		run->threads = most;
	run->ahead = rotational != ROTATIONAL_MEMORY;
}

bool verify_is_another(
    const struct verify_record *want, const struct vault_r_generation *g, const char *dir, struct err *err)
{
	if (!memcmp(vault_r_manifest_sha256(g), want->manifest_sha256, DIGEST_LEN))
		return false;
	err_set_kind(err, ERR_SIGNED_ANEW, "E-VERIFY-12",
	    text("'%s' is not the generation that the journal reported: its manifest is another"), dir);
	err_hint(err, "%s",
	    text("keep this medium as it is, it may be the proof; take another one to restore from"));
	return true;
}

bool verify_is_later(
    const struct verify_record *want, const struct vault_r_generation *g, const char *dir, struct err *err)
{
	if (vault_r_generation_epoch(g) == want->epoch)
		return false;
	err_set_kind(err, ERR_SIGNED_ANEW, "E-VERIFY-13",
	    text("'%s' was begun in epoch %u, but is signed with the key of epoch %u"), dir, want->epoch,
	    vault_r_generation_epoch(g));
	err_hint(
	    err, "%s", text("it was signed again later: keep this medium as it is, it may be the proof"));
	return true;
}

static void compare_record(struct verify_run *run)
{
	const struct verify_record *want = run->opt->record;
	struct err why = ERR_INIT;

	if (want && verify_is_another(want, run->g, run->dir, &why))
		verify_report(run, run->dir, NULL, NULL, &why);
	if (want && verify_is_later(want, run->g, run->dir, &why))
		verify_report(run, run->dir, NULL, NULL, &why);
}

/* No list has the signature's hash, and its first line is not signed: that line is compared with the usual
 * one. */
static void look_at_signature(struct verify_run *run)
{
	char path[VERIFY_PATH];
	struct err why = ERR_INIT;

	if (vault_r_signature_is_usual(run->g))
		return;
	snprintf(path, sizeof(path), "%s/SHA256SUMS.minisig", run->dir);
	err_set(&why, "E-VERIFY-02", text("'%s' is not what was written: %s"), path,
	    text("it is not as it was written, though its signature is good"));
	verify_report(run, path, NULL, NULL, &why);
}

int verify_generation(struct vault_r *v, const char *dataset, uint64_t number,
    const struct verify_options *opt, const struct verify_callbacks *cb, struct verify_result *ret,
    struct err *err)
{
	struct verify_run run = {.v = v, .opt = opt, .cb = cb, .starved = starved_mark_of_all()};
	char set[GENERATION_SET_DIR], dir[GENERATION_DIR];
	struct vault_r_generation *g = NULL;
	struct err why = ERR_INIT;
	int r;

	run.set = strlen(generation_set_dir(dataset, set)) + 1;
	snprintf(run.dir, sizeof(run.dir), "%s/%s", set, generation_dir(number, dir));
	if (opt->from_device)
		drop_list(vault_r_store(v), run.dir);
	if (vault_r_generation_open(v, dataset, number, &g, &why)) {
		verify_report(&run, run.dir, NULL, NULL, &why);
		*ret = run.res;
		return 0;
	}
	run.g = g;
	run.total = vault_r_manifest(g)->archive_bytes;
	compare_record(&run);
	look_at_signature(&run);
	plan_threads(&run);
	r = hash_all(&run, opt->n_ids == 0 && !opt->documents, err);
	if (!r && opt->n_ids)
		r = verify_deep(&run, err);
	vault_r_generation_close(g);
	if (!r)
		*ret = run.res;
	return r;
}
