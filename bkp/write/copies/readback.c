/* readback: see readback.h.
 *
 * readback_generation(): what other generations vouch for is marked as seen (vouch_for()), the rest is read by
 * verify_generation() (folder read/verify), and the outcome is recorded.  When a file is bad, the other generations
 * that rest on it are recorded first: should the process die in between, this one is read again and they are not
 * forgotten. */
#include "write/copies/readback.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "format/crypto/digest.h"
#include "format/medium/generation.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "read/verify/verify.h"
#include "write/parity/parity_watch.h"
#include "write/state/state.h"

#define RECORD_EVERY_NS	 (10 * SECOND_NS)
#define LISTED_DOCUMENTS 3 /* besides archives */
#define WORTH		 8 /* bytes of archives to be read for which one byte of lists is */

struct readback {
	struct state *state;
	const struct medium *medium;
	struct vault_r *vault;
	struct verify_seen *seen;
	struct parity_watch *parity;  /* or NULL */
	uint8_t identity[DIGEST_LEN]; /* SHA-256 of bkp-medium.json */
	bool *done;		      /* by the ledger's index of a generation */
	size_t n_done;
	json_t *copied, *verified; /* not recorded yet */
	int64_t since_ns;	   /* monotonic: when the first of them was found whole */
	struct err first;	   /* of the current generation */
	void (*progress)(void *arg, uint64_t bytes, uint64_t total);
	struct ledger_pace pace;
	int64_t spent_ns;
	uint64_t total; /* bytes to be read of the current generation; 0: not known */
	void *arg;
};

/* ---- what was read back another day ---- */

/* What a generation lists and nothing has vouched for yet. */
struct open_list {
	struct vault_r_generation *g;
	bool *known; /* for each line */
	uint64_t unknown;
};

static void close_list(struct open_list *o)
{
	vault_r_generation_close(o->g);
	free(o->known);
}

/* An archive that is unknown here may stand in the list of any run since the first; a document cannot. */
static int open_list(
    struct readback *rb, const char *dataset, uint64_t number, struct open_list *ret, struct err *err)
{
	struct open_list o = {0};
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	const struct buf *sums;
	size_t pos = 0, i = 0;

	if (vault_r_generation_open(rb->vault, dataset, number, &o.g, NULL)) {
		*ret = o;
		return 0; /* whoever reads it back finds out why */
	}
	o.known = calloc(vault_r_manifest(o.g)->archives + LISTED_DOCUMENTS, sizeof(*o.known));
	if (!o.known) {
		close_list(&o);
		return err_nomem(err);
	}
	sums = vault_r_sums(o.g);
	for (; !generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, NULL); i++) {
		o.known[i] =
		    strncmp(path, "archives/", 9) || verify_seen_has(rb->seen, dataset, path, sha256);
		o.unknown += !o.known[i];
	}
	*ret = o;
	return 0;
}

/* Everything that both lists name was found whole with the older one.  Both are in the order of their paths.
 */
static int vouch_by(struct readback *rb, struct open_list *o, const struct buf *older, struct err *err)
{
	const struct buf *sums = vault_r_sums(o->g);
	char path[2][GENERATION_SUMS_PATH];
	uint8_t sha256[2][DIGEST_LEN];
	size_t pos[2] = {0, 0}, i = 0;
	int more = !generation_sums_next((const char *)sums->p, sums->n, &pos[0], sha256[0], path[0], NULL) &&
		   !generation_sums_next((const char *)older->p, older->n, &pos[1], sha256[1], path[1], NULL);

	while (more && o->unknown) {
		int order = strcmp(path[0], path[1]);

		if (!order && !o->known[i]) {
			if (verify_seen_vouch(
				rb->seen, vault_r_manifest(o->g)->id.dataset, path[0], sha256[0], err))
				return -1;
			o->known[i] = true;
			o->unknown--;
		}
		if (order <= 0) {
			i++;
			more = !generation_sums_next(
			    (const char *)sums->p, sums->n, &pos[0], sha256[0], path[0], NULL);
		}
		if (order >= 0)
			more &= !generation_sums_next(
			    (const char *)older->p, older->n, &pos[1], sha256[1], path[1], NULL);
	}
	return 0;
}

/* The generation was read back here another day, and nothing was found wrong with it since. */
static bool can_vouch(const struct readback *rb, const struct ledger_generation *g)
{
	const struct ledger_copy *c = ledger_copy_in(g, medium_uuid(rb->medium));

	return g->state == LEDGER_COMMITTED && !readback_done(rb, g->dataset, g->number) && c &&
	       c->verified_ns;
}

/* The archives that nothing vouches for. */
static uint64_t bytes_unknown(const struct readback *rb, const struct open_list *o)
{
	const struct buf *sums = o->g ? vault_r_sums(o->g) : NULL;
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	uint64_t bytes = 0, size;
	size_t pos = 0;

	for (size_t i = 0; sums && rb->progress &&
			   !generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, NULL);
	     i++)
		if (!o->known[i] && !store_size(vault_r_generation_store(o->g), path, &size, NULL))
			bytes += size;
	return bytes;
}

/* Reading a list costs its bytes, what it vouches for saves those of its archives: lists are read, newest
 * first, until nothing is unknown any more or they have cost a share of what is left to be read.  What a
 * run has written stands in no older list, so years of them are not read for it; what was not captured
 * for a month is worth a month of lists. */
static int vouch_for(struct readback *rb, const char *dataset, uint64_t number, struct err *err)
{
	const struct ledger *l = state_ledger(rb->state);
	uint64_t spent = 0, each;
	struct open_list o;
	int r = 0;

	if (open_list(rb, dataset, number, &o, err))
		return -1;
	each = o.g && vault_r_manifest(o.g)->archives
		   ? vault_r_manifest(o.g)->archive_bytes / vault_r_manifest(o.g)->archives
		   : 0;
	for (size_t i = ledger_generations(l);
	     i-- > 0 && !r && o.unknown && spent <= o.unknown * each / WORTH;) {
		const struct ledger_generation *g = ledger_generation(l, i);
		struct vault_r_generation *older = NULL;

		if (g->number == number || strcmp(g->dataset, dataset) != 0 || !can_vouch(rb, g) ||
		    vault_r_generation_open(rb->vault, dataset, g->number, &older, NULL))
			continue; /* what cannot be read cannot vouch for anything */
		spent += vault_r_sums(older)->n;
		r = vouch_by(rb, &o, vault_r_sums(older), err);
		vault_r_generation_close(older);
	}
	rb->total = bytes_unknown(rb, &o);
	close_list(&o);
	return r;
}

/* ---- */

int readback_open(struct state *s, const struct medium *m, struct readback **ret, struct err *err)
{
	struct readback *rb = calloc(1, sizeof(*rb));
	BUF_AUTO identity = BUF_INIT(MEDIUM_MAX);
	int r;

	if (!rb)
		return err_nomem(err);
	rb->state = s;
	rb->medium = m;
	rb->copied = json_array();
	rb->verified = json_array();
	r = store_read(medium_store(m), MEDIUM_JSON, &identity, err) ? -1 : 0;
	if (!r)
		r = vault_r_open_medium(
		    m, state_repository(s), ledger_root(state_ledger(s)), &rb->vault, err);
	if (!r) {
		digest_sha256(identity.p, identity.n, rb->identity);
		rb->seen = verify_seen_new();
		r = rb->seen ? 0 : err_nomem(err);
	}
	if (r) {
		readback_close(rb);
		return -1;
	}
	*ret = rb;
	return 0;
}

void readback_close(struct readback *rb)
{
	if (!rb)
		return;
	parity_watch_free(rb->parity);
	vault_r_close(rb->vault);
	if (rb->seen)
		verify_seen_free(rb->seen);
	free(rb->done);
	json_decref(rb->copied);
	json_decref(rb->verified);
	free(rb);
}

int readback_keep_parity(struct readback *rb, unsigned percent, struct err *err)
{
	rb->parity = parity_watch_new(medium_repo(rb->medium), percent);
	return rb->parity ? 0 : err_nomem(err);
}

const struct err *readback_parity_why(const struct readback *rb)
{
	static const struct err none = ERR_INIT;
	const struct err *why = &none;

	if (rb->parity)
		(void)parity_watch_written(rb->parity, &why);
	return why;
}

struct vault_r *readback_vault(struct readback *rb)
{
	return rb->vault;
}

void readback_on_progress(
    struct readback *rb, void (*fn)(void *arg, uint64_t bytes, uint64_t total), void *arg)
{
	rb->progress = fn;
	rb->arg = arg;
}

static void on_fault(void *arg, const struct verify_fault *f)
{
	struct readback *rb = arg;

	if (!rb->first.code[0] || (err_is_unread(&rb->first) && !err_is_unread(f->err)))
		rb->first = *f->err;
}

static void on_bytes(void *arg, uint64_t done, uint64_t total, const char *file)
{
	struct readback *rb = arg;

	(void)total, (void)file;
	if (rb->progress)
		rb->progress(rb->arg, done, rb->total);
}

bool readback_answers(const struct readback *rb)
{
	return !verify_file(medium_store(rb->medium), MEDIUM_JSON, rb->identity, true, NULL, NULL);
}

/* Its place in the ledger, which only grows; SIZE_MAX: it is not known. */
static size_t place_of(const struct readback *rb, const char *dataset, uint64_t number)
{
	const struct ledger *l = state_ledger(rb->state);
	const struct ledger_generation *g = ledger_generation_of(l, dataset, number);

	return g ? (size_t)(g - ledger_generation(l, 0)) : SIZE_MAX;
}

static int mark_done(struct readback *rb, const char *dataset, uint64_t number, struct err *err)
{
	size_t at = place_of(rb, dataset, number);

	if (at == SIZE_MAX)
		return 0;
	if (at >= rb->n_done) {
		size_t n = ledger_generations(state_ledger(rb->state));
		bool *more = realloc(rb->done, n * sizeof(*more));

		if (!more)
			return err_nomem(err);
		memset(more + rb->n_done, 0, (n - rb->n_done) * sizeof(*more));
		rb->done = more;
		rb->n_done = n;
	}
	rb->done[at] = true;
	return 0;
}

int readback_record_damage(
    struct readback *rb, const char *dataset, uint64_t number, const struct err *why, struct err *err)
{
	char reason[sizeof(why->msg)];

	path_show(why->msg, reason, sizeof(reason)); /* JSON wants UTF-8, and names are bytes */
	if (mark_done(rb, dataset, number, err))
		return -1;
	return state_append(rb->state, "verify-failed",
	    json_pack("{s:s, s:s, s:I, s:s}", "medium", medium_uuid(rb->medium), "dataset", dataset,
		"generation", (json_int_t)number, "reason", reason),
	    err);
}

/* What is free on it now, for who asks when it will be full; NULL: it cannot be told. */
static json_t *free_space(const struct readback *rb)
{
	struct store_space space;

	return store_space(medium_store(rb->medium), &space) && space.free <= INT64_MAX
		   ? json_integer((json_int_t)space.free)
		   : NULL;
}

static int record_list(struct readback *rb, const char *event, json_t **list, struct err *err)
{
	json_t *all = *list;

	if (!json_array_size(all))
		return 0;
	*list = json_array();
	return state_append(rb->state, event,
	    json_pack("{s:s, s:o, s:o*}", "medium", medium_uuid(rb->medium), "generations", all, "free",
		free_space(rb)),
	    err);
}

/* "copied" says that nobody has read it back yet: it comes first. */
int readback_record(struct readback *rb, struct err *err)
{
	return record_list(rb, "copied", &rb->copied, err) || record_list(rb, "verified", &rb->verified, err)
		   ? -1
		   : 0;
}

bool readback_is_due(const struct readback *rb)
{
	return json_array_size(rb->verified) && clock_read(CLOCK_MONOTONIC) - rb->since_ns > RECORD_EVERY_NS;
}

static int note(
    json_t *list, const char *dataset, uint64_t number, uint64_t files, uint64_t bytes, struct err *err)
{
	return json_array_append_new(
		   list, json_pack("{s:s, s:I, s:I, s:I}", "dataset", dataset, "generation",
			     (json_int_t)number, "files", (json_int_t)files, "bytes", (json_int_t)bytes))
		   ? err_nomem(err)
		   : 0;
}

int readback_note_copied(struct readback *rb, const char *dataset, uint64_t number, uint64_t files,
    uint64_t bytes, struct err *err)
{
	return note(rb->copied, dataset, number, files, bytes, err);
}

static int note_verified(struct readback *rb, const char *dataset, uint64_t number,
    const struct verify_result *res, struct err *err)
{
	if (!json_array_size(rb->verified))
		rb->since_ns = clock_read(CLOCK_MONOTONIC);
	return note(rb->verified, dataset, number, res->files, res->bytes, err) ||
		       mark_done(rb, dataset, number, err)
		   ? -1
		   : 0;
}

/* The other generations that are recorded as verified here and rest on a file that was just found bad.
 * Before the current one: should the process die between two records, that one will be read again. */
static int record_sharers(
    struct readback *rb, const char *dataset, uint64_t number, const struct err *why, struct err *err)
{
	for (size_t i = 0; i < ledger_generations(state_ledger(rb->state)); i++) {
		/* asked again each time: a record makes what the ledger gave before stale */
		const struct ledger_generation *g = ledger_generation(state_ledger(rb->state), i);
		const struct ledger_copy *c = ledger_copy_in(g, medium_uuid(rb->medium));

		if (g->number != number && !strcmp(g->dataset, dataset) && c && c->verified_ns &&
		    verify_shares_damage(rb->vault, dataset, g->number, rb->seen) &&
		    readback_record_damage(rb, dataset, g->number, why, err))
			return -1;
	}
	return 0;
}

/* A fault was found.  number 0: in no generation of its own. */
static int record_fault(struct readback *rb, const char *dataset, uint64_t number, bool unread,
    const struct err *why, struct err *err)
{
	if (unread || !readback_answers(rb))
		return READBACK_GONE;
	/* those found whole before rest on other files, or are recorded as damaged now */
	return readback_record(rb, err) || record_sharers(rb, dataset, number, why, err) ||
		       (number && readback_record_damage(rb, dataset, number, why, err))
		   ? -1
		   : READBACK_DAMAGED;
}

/* 0: *ret_res; or as readback_generation() says. */
static int read_generation(struct readback *rb, const char *dataset, uint64_t number,
    struct verify_options *opt, struct verify_result *ret_res, struct err *why, struct err *err)
{
	struct verify_callbacks cb = {on_fault, on_bytes, rb};
	struct verify_record record;
	int64_t began_ns;

	if (ledger_generation_record(state_ledger(rb->state), dataset, number, &record))
		opt->record = &record;
	rb->first = (struct err)ERR_INIT;
	began_ns = clock_read(CLOCK_MONOTONIC);
	if (verify_generation(rb->vault, dataset, number, opt, &cb, ret_res, err))
		return -1;
	rb->spent_ns += clock_read(CLOCK_MONOTONIC) - began_ns;
	rb->pace.bytes += ret_res->bytes;
	if (!ret_res->faults)
		return 0;
	*why = rb->first;
	return record_fault(rb, dataset, number, ret_res->faults == ret_res->unread, why, err);
}

int readback_generation(
    struct readback *rb, const char *dataset, uint64_t number, bool again, struct err *why, struct err *err)
{
	struct verify_options opt = {
	    .from_device = true, .seen = rb->seen, .again = again, .watch = parity_watch_hook(rb->parity)};
	struct verify_result res = {0};
	int r;

	rb->total = 0;
	if (!again && vouch_for(rb, dataset, number, err))
		return -1;
	r = read_generation(rb, dataset, number, &opt, &res, why, err);
	return r ? r : note_verified(rb, dataset, number, &res, err);
}

int readback_documents(
    struct readback *rb, const char *dataset, uint64_t number, struct err *why, struct err *err)
{
	struct verify_options opt = {.from_device = true, .seen = rb->seen, .again = true, .documents = true};
	struct verify_result res = {0};

	return read_generation(rb, dataset, number, &opt, &res, why, err);
}

int readback_archive(struct readback *rb, const char *dataset, const char *path,
    const uint8_t sha256[DIGEST_LEN], uint64_t *ret_bytes, struct err *why, struct err *err)
{
	char set[GENERATION_SET_DIR], whole[GENERATION_SET_DIR + GENERATION_SUMS_PATH];
	uint64_t bytes = 0;

	snprintf(whole, sizeof(whole), "%s/%s", generation_set_dir(dataset, set), path);
	if (!verify_file_watched(
		medium_repo(rb->medium), whole, sha256, parity_watch_hook(rb->parity), &bytes, why)) {
		*ret_bytes += bytes;
		return 0;
	}
	*ret_bytes += bytes;
	if (verify_seen_bad(rb->seen, dataset, path, sha256, err))
		return -1;
	return record_fault(rb, dataset, 0, err_is_unread(why), why, err);
}

struct ledger_pace readback_pace(const struct readback *rb)
{
	return (struct ledger_pace){rb->pace.bytes, (uint64_t)(rb->spent_ns / (SECOND_NS / 1000))};
}

bool readback_done(const struct readback *rb, const char *dataset, uint64_t number)
{
	size_t at = place_of(rb, dataset, number);

	return at < rb->n_done && rb->done[at];
}
