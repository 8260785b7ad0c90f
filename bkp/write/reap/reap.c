/* reap: see reap.h.  This file: the transaction.
 *
 * reap_run(): measure (for the record) → run_reap(): tell what earlier ones left in tmp/ → sweep() → generations
 * that are recorded as expired and still stand there (retire_recorded()) → for each item record(), then retire()
 * → sweep() again.  The record is the commit; a rename into tmp/ is what people see; deleting comes last and can
 * be interrupted anywhere.  sweep_one() keeps a generation's list until all its archives are deleted and that
 * is durable (syncfs): without the list nobody would look for them again.
 *
 * Faults of the medium go into the result, the first one counts (blame()); -1 is for a record that cannot be
 * written. */
#include "write/reap/reap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "format/medium/generation.h"
#include "format/parity/parity.h"
#include "format/policy/policy.h"
#include "read/file/digestset.h"
#include "read/store/store.h"
#include "write/put/store_w_dir.h"
#include "write/reap/store_x.h"
#include "read/ledger/ledger.h"
#include "read/rules/retention.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define NUMBERS_MAX ((size_t)8 << 20)
#define SUMS	    "SHA256SUMS"
#define SUMS_SIG    "SHA256SUMS.minisig"

struct work {
	const struct reap *r;
	struct reap_result *ret;
	struct vault_r *v;
	const struct store *repo; /* of the medium */
	struct store_x *remove;	  /* from it */
	struct digestset *listed; /* while sweeping */
};

/* A generation, as people name it. */
struct reap_of {
	char dataset[GENERATION_NAME];
	uint64_t number;
};

static struct reap_of of_generation(const struct ledger_generation *g)
{
	struct reap_of o = {.number = g->number};

	snprintf(o.dataset, sizeof(o.dataset), "%s", g->dataset);
	return o;
}

static char *label_of(const struct reap_of *o, char out[GENERATION_LABEL])
{
	return generation_label(o->dataset, o->number, out);
}

#define SET_PATH (GENERATION_SET_DIR + GENERATION_SUMS_PATH)

/* From <repository-id>/: `name` is a path in the data set's folder. */
static char *in_set(const char *dataset, const char *name, char out[SET_PATH])
{
	char dir[GENERATION_SET_DIR];

	snprintf(out, SET_PATH, "%s/%s", generation_set_dir(dataset, dir), name);
	return out;
}

static char *generation_path(const struct reap_of *o, char out[SET_PATH])
{
	char dir[GENERATION_DIR];

	return in_set(o->dataset, generation_dir(o->number, dir), out);
}

/* ---- what the lists of other generations name ---- */

/* what the generations of a data set that stand on a medium list; see reap.h.
 *
 * An archive may be deleted only when no list that stays names it, so every list must be read: one that cannot
 * be verified stops all deleting.  Memory: a set of at most ARCHIVES_MAX bytes. */

#define ARCHIVES_MAX ((size_t)32 << 20)
#define UNVERIFIED   2 /* of look_at_generation(): a list that stays cannot be verified */

struct listing {
	struct vault_r *v;
	const char *dataset;
	const struct reap_item *but; /* of that data set */
	size_t n;
	struct digestset *set;
	struct err *why;
};

static int add_list(struct listing *l, const struct buf *sums, struct err *err)
{
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	size_t pos = 0;
	int r;

	while (!(r = generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, err))) {
		r = strncmp(path, "archives/", 9) != 0 ? 0 : digestset_put(l->set, sha256, 1, err);
		if (r == DIGESTSET_FULL)
			err_set(
			    err, "E-MEM-02", "%s", text("there are too many archives to be held in memory"));
		if (r)
			return -1;
	}
	return r < 0 ? -1 : 0;
}

static int look_at_generation(void *arg, const char *name, struct err *err)
{
	struct listing *l = arg;
	struct vault_r_generation *g = NULL;
	struct err fault = ERR_INIT;
	char label[GENERATION_LABEL];
	uint64_t number;
	int r;

	if (generation_dir_parse(name, &number))
		return 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->but[i].number == number)
			return 0;
	if (vault_r_generation_open(l->v, l->dataset, number, &g, &fault)) {
		err_set(l->why, "E-REAP-03",
		    text("generation %s on the medium cannot be verified, so no archive is deleted: %s"),
		    generation_label(l->dataset, number, label), fault.msg);
		return err_hint(l->why, "%s",
			   text("see 'bkp verify'; a rotation or the next run mends what was lost")),
		       UNVERIFIED;
	}
	r = add_list(l, vault_r_sums(g), err);
	vault_r_generation_close(g);
	return r;
}

/* Every archive that the generations of the data set standing on the medium list, but for the n items in
 * `but`.  0; 1 when one of them cannot be verified (why); -1. */
static int reap_listed(struct vault_r *v, const char *dataset, const struct reap_item *but, size_t n,
    struct digestset **ret, struct err *why, struct err *err)
{
	struct listing l = {v, dataset, but, n, digestset_new(ARCHIVES_MAX), why};
	char path[SET_PATH];
	int r;

	if (!l.set)
		return err_nomem(err);
	/* what cannot be looked at may list anything */
	r = store_x_own(vault_r_store(v), in_set(dataset, "generations", path), why) ? UNVERIFIED : 0;
	if (!r)
		r = store_list(vault_r_store(v), path, look_at_generation, &l, err);
	r = r == UNVERIFIED ? 1 : r ? -1 : 0;
	if (r)
		digestset_free(l.set);
	else
		*ret = l.set;
	return r;
}

static int reap_next(
    const struct buf *sums, size_t *pos, const struct digestset *listed, char path[], struct err *err)
{
	uint8_t sha256[DIGEST_LEN];
	int r;

	do
		r = generation_sums_next((const char *)sums->p, sums->n, pos, sha256, path, err);
	while (!r && (strncmp(path, "archives/", 9) != 0 || digestset_get(listed, sha256)));
	return r;
}

/* ---- the rest ---- */

static void blame(struct work *w, const struct err *why)
{
	if (!w->ret->why.code[0])
		w->ret->why = *why;
}

static int open_vault(const struct state *s, const struct medium *m, struct vault_r **ret, struct err *err)
{
	return vault_r_open_medium(m, state_repository(s), ledger_root(state_ledger(s)), ret, err);
}

/* ---- measuring ---- */

/* What the list of item i frees when all that `listed` has stays; what it lists is added to it. */
static int measure_one(struct vault_r *v, struct reap_item *it, struct digestset *listed, struct err *err)
{
	struct vault_r_generation *g = NULL;
	char path[GENERATION_SUMS_PATH], parity[PARITY_PATH];
	uint8_t sha256[DIGEST_LEN];
	const char *base;
	uint64_t size;
	size_t pos = 0;
	int r;

	if (vault_r_generation_open(v, it->dataset, it->number, &g, NULL))
		return 0; /* its list frees nothing */
	while (!(r = reap_next(vault_r_sums(g), &pos, listed, path, err))) {
		base = strrchr(path, '/') + 1;
		if (!digest_unhex(base, DIGEST_LEN, sha256) || digestset_put(listed, sha256, 1, err)) {
			r = -1;
			break;
		}
		if (store_size(vault_r_generation_store(g), path, &size, NULL))
			continue;
		it->files++;
		it->bytes += size;
		if (!store_size(vault_r_store(v), parity_path(it->dataset, sha256, parity), &size, NULL)) {
			it->files++;
			it->bytes += size;
		}
	}
	vault_r_generation_close(g);
	return r < 0 ? -1 : 0;
}

/* The n items of one data set.  0; 1: a list that stays cannot be verified; -1. */
static int measure_set(struct vault_r *v, struct reap_item *items, size_t n, struct err *why, struct err *err)
{
	struct digestset *listed = NULL;
	int r = reap_listed(v, items[0].dataset, items, n, &listed, why, err);

	/* the last one that lists an archive is the one that frees it */
	for (size_t i = n; !r && i-- > 0;)
		r = measure_one(v, &items[i], listed, err);
	if (listed)
		digestset_free(listed);
	return r;
}

/* How many from the first on are of one data set. */
static size_t same_set(const struct reap_item *items, size_t n)
{
	size_t k = 1;

	while (k < n && !strcmp(items[k].dataset, items[0].dataset))
		k++;
	return k;
}

int reap_measure(const struct state *s, const struct medium *m, struct reap_item *items, size_t n,
    bool *ret_kept, struct err *why, struct err *err)
{
	struct vault_r *v = NULL;
	int r = 0;

	*ret_kept = false;
	for (size_t i = 0; i < n; i++)
		items[i].files = items[i].bytes = 0;
	if (open_vault(s, m, &v, err))
		return -1;
	for (size_t i = 0, k; i < n && r >= 0; i += k) {
		k = same_set(items + i, n - i);
		r = measure_set(v, items + i, k, why, err);
		*ret_kept |= r > 0;
	}
	vault_r_close(v);
	return r < 0 ? -1 : 0;
}

/* ---- one generation ---- */

static int record(struct work *w, const struct reap_item *it, struct err *err)
{
	return reserve_append(w->r->state, "expired",
	    json_pack("{s:s, s:I, s:s, s:I, s:I, s:s*, s:s*, s:s*, s:s*}", "dataset", it->dataset,
		"generation", (json_int_t)it->number, "medium", medium_uuid(w->r->medium), "files",
		(json_int_t)it->files, "bytes", (json_int_t)it->bytes, "why", it->why, "plan", w->r->plan,
		"approver", w->r->approver, "operator", w->r->operator),
	    err);
}

/* A folder that proves to be another generation's is not ours to move. */
static int check_folder(struct work *w, const struct reap_of *o, const char *uuid, struct err *err)
{
	struct vault_r_generation *g = NULL;
	char label[GENERATION_LABEL];
	bool other;

	if (vault_r_generation_open(w->v, o->dataset, o->number, &g, NULL))
		return 0;
	other = strcmp(vault_r_manifest(g)->id.uuid, uuid) != 0;
	vault_r_generation_close(g);
	if (!other)
		return 0;
	err_set(err, "E-REAP-04", text("what stands on the medium as generation %s is another one"),
	    label_of(o, label));
	return err_hint(
	    err, "%s", text("another host may write to this medium; compare 'bkp journal show' with it"));
}

#define RETIRED_PATH (GENERATION_LABEL + 64)

/* Where a generation's folder is on its way out, "tmp/expired-emr-000042", and a file in it (or ""). */
static char *retired_path(const struct reap_of *o, const char *file, char out[RETIRED_PATH])
{
	char dir[GENERATION_DIR];

	snprintf(out, RETIRED_PATH, STORE_W_DIR_TMP "/" STORE_W_DIR_EXPIRED "%s-%s%s%s", o->dataset,
	    strchr(generation_dir(o->number, dir), '/') + 1, *file ? "/" : "", file);
	return out;
}

/* 0 also when it does not stand there any more. */
static int retire(struct work *w, const struct reap_of *o, const char *uuid, struct err *err)
{
	char from[SET_PATH], to[RETIRED_PATH];
	int r;

	if (check_folder(w, o, uuid, err))
		return -1;
	r = store_x_retire(w->remove, generation_path(o, from), retired_path(o, "", to), err);
	if (r == STORE_X_TAKEN)
		return err_set(err, "E-REAP-01", text("'%s' stands on the medium already"), to);
	return r ? err_wrap(err, "%s", text("an expired generation cannot be moved out of the way")) : 0;
}

/* ---- sweeping ---- */

static int collect_retired(void *arg, const char *name, struct err *err)
{
	struct buf *all = arg;
	struct reap_of o = {0};

	return !store_w_dir_is_expired(name, o.dataset, &o.number) ? 0 : buf_append(all, &o, sizeof(o), err);
}

/* The journal says so: what lies there for another reason is left. */
static bool is_expired(const struct work *w, const struct reap_of *o)
{
	const struct ledger_copy *c =
	    ledger_copy_in(ledger_generation_of(state_ledger(w->r->state), o->dataset, o->number),
		medium_uuid(w->r->medium));

	return c && c->expired_ns;
}

/* Its list, if it is the signed one: 0.  1: it is not, and frees nothing.  -1: it could not be read now. */
static int read_list(struct work *w, const struct reap_of *o, struct buf *sums, struct err *err)
{
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);
	BUF_AUTO want = BUF_INIT(MINISIG_COMMENT_MAX);
	const struct ledger_generation *g =
	    ledger_generation_of(state_ledger(w->r->state), o->dataset, o->number);
	struct generation_id id = {.number = o->number};
	struct err why = ERR_INIT;
	char comment[MINISIG_COMMENT_MAX], path[RETIRED_PATH];

	snprintf(id.repository, sizeof(id.repository), "%s", state_repository(w->r->state));
	snprintf(id.dataset, sizeof(id.dataset), "%s", o->dataset);
	snprintf(id.uuid, sizeof(id.uuid), "%s", g->uuid);
	if (generation_comment("generation", &id, &want, err))
		return -1;
	if (store_read(w->repo, retired_path(o, SUMS, path), sums, &why) ||
	    store_read(w->repo, retired_path(o, SUMS_SIG, path), &sig, &why) || !sums->n ||
	    vault_r_verify_signature(
		w->v, sums->p, sums->n, (const char *)sig.p, sig.n, comment, NULL, &why)) {
		*err = why;
		return err_is_unread(&why) ? -1 : 1;
	}
	return strcmp((const char *)want.p, comment) != 0;
}

static int delete_archives(struct work *w, const char *dataset, const struct buf *sums, struct err *err)
{
	char path[GENERATION_SUMS_PATH], whole[SET_PATH], parity[PARITY_PATH];
	uint8_t sha256[DIGEST_LEN];
	size_t pos = 0;
	int r;

	while (!(r = reap_next(sums, &pos, w->listed, path, err))) {
		/* what mends it goes first: nothing would lead to it afterwards */
		if (digest_unhex(strrchr(path, '/') + 1, DIGEST_LEN, sha256) &&
		    store_x_remove(
			w->remove, parity_path(dataset, sha256, parity), &w->ret->files, &w->ret->bytes, err))
			return -1;
		if (store_x_remove(
			w->remove, in_set(dataset, path, whole), &w->ret->files, &w->ret->bytes, err))
			return -1;
	}
	return r < 0 ? -1 : 0;
}

struct documents {
	struct work *w;
	const struct reap_of *of;
	bool lists; /* the list and its signature, or all but these */
};

static int delete_document(void *arg, const char *name, struct err *err)
{
	const struct documents *d = arg;
	bool list = !strcmp(name, SUMS) || !strcmp(name, SUMS_SIG);
	char path[STORE_X_PATH];

	if (list != d->lists)
		return 0;
	if (strlen(name) > STORE_X_PATH - RETIRED_PATH) /* none of ours */
		return err_set(err, "E-REAP-02", text("cannot delete '%s'"), name);
	snprintf(path, sizeof(path), "%s/%s", retired_path(d->of, "", (char[RETIRED_PATH]){0}), name);
	return store_x_remove(d->w->remove, path, &d->w->ret->files, &d->w->ret->bytes, err);
}

static int sweep_one(struct work *w, const struct reap_of *o, struct err *err)
{
	BUF_AUTO sums = BUF_INIT(GENERATION_SUMS_MAX);
	struct documents d = {w, o, false};
	char dir[RETIRED_PATH];
	int r;

	if (store_list(w->repo, retired_path(o, "", dir), delete_document, &d, err))
		return -1;
	/* without the lists of those that stay its own is kept, for another day */
	if (!w->listed)
		return 0;
	r = read_list(w, o, &sums, err);
	if (r < 0 || (!r && delete_archives(w, o->dataset, &sums, err)))
		return -1;
	d.lists = true;
	/* that the archives are gone must not be lost while the list is: nobody would look for them again */
	if (store_x_sync(w->remove, err))
		return err_wrap(err, "'%s'", medium_label(w->r->medium));
	if (store_list(w->repo, dir, delete_document, &d, err))
		return -1;
	return store_x_drop(w->remove, dir, err);
}

static int by_set(const void *a, const void *b)
{
	return strcmp(((const struct reap_of *)a)->dataset, ((const struct reap_of *)b)->dataset);
}

/* What the n of one data set leave. */
static void sweep_set(struct work *w, const struct reap_of *all, size_t n)
{
	struct err why = ERR_INIT;

	if (reap_listed(w->v, all[0].dataset, NULL, 0, &w->listed, &why, &why)) {
		w->ret->kept = true;
		blame(w, &why);
	}
	for (size_t i = 0; i < n; i++) {
		why = (struct err)ERR_INIT;
		if (is_expired(w, &all[i]) && sweep_one(w, &all[i], &why))
			blame(w, &why);
	}
	if (w->listed)
		digestset_free(w->listed);
	w->listed = NULL;
}

/* What is in the way goes into the result. */
static void sweep(struct work *w)
{
	BUF_AUTO found = BUF_INIT(NUMBERS_MAX);
	struct err why = ERR_INIT;
	struct reap_of *all;
	size_t n;

	if (store_list(w->repo, STORE_W_DIR_TMP, collect_retired, &found, &why) < 0) {
		blame(w, &why);
		return;
	}
	all = (struct reap_of *)(void *)found.p;
	n = found.n / sizeof(*all);
	if (n)
		qsort(all, n, sizeof(*all), by_set);
	for (size_t i = 0, k; i < n; i += k) {
		for (k = 1; i + k < n && !by_set(&all[i], &all[i + k]);)
			k++;
		sweep_set(w, &all[i], k);
	}
}

/* ---- */

static int open_work(struct work *w, struct err *err)
{
	w->repo = medium_repo(w->r->medium);
	return open_vault(w->r->state, w->r->medium, &w->v, err) || store_x_own(w->repo, "datasets", err) ||
		       store_x_own(w->repo, STORE_W_DIR_TMP, err) || store_x_open(w->repo, &w->remove, err)
		   ? -1
		   : 0;
}

static void close_work(struct work *w)
{
	vault_r_close(w->v);
	store_x_close(w->remove);
}

static bool stands_still(const struct work *w, const struct reap_of *o)
{
	char dir[SET_PATH];

	return store_has(w->repo, generation_path(o, dir));
}

static void tell_leftover(
    const struct work *w, const struct reap_of *o, const struct retention_copy *judged, bool goes)
{
	const struct ledger_generation *g =
	    ledger_generation_of(state_ledger(w->r->state), o->dataset, o->number);
	const struct reap_leftover l = {medium_label(w->r->medium), g,
	    ledger_copy_in(g, medium_uuid(w->r->medium))->expired_ns, judged, goes};

	if (w->r->about)
		w->r->about(w->r->arg, &l);
}

/* Without a person's word nothing goes from a medium that is kept offline, whatever the policy says today. */
static bool is_allowed(const struct work *w, const struct ledger_generation *g)
{
	const char *uuid = medium_uuid(w->r->medium);
	const struct policy_medium *pm = policy_find_medium(w->r->policy, medium_label(w->r->medium));

	return (!ledger_medium_by_uuid(state_ledger(w->r->state), uuid)->offline && (!pm || !pm->offline)) ||
	       ledger_copy_in(g, medium_uuid(w->r->medium))->approved || (w->r->yes && w->r->operator);
}

static void blame_leftover(struct work *w, const struct reap_of *o, const struct retention_copy *c)
{
	const char *label = medium_label(w->r->medium);
	char generation[GENERATION_LABEL];
	char why[RETENTION_SENTENCE];
	struct err e = ERR_INIT;

	if (c->stays) {
		err_set(&e, "E-REAP-05",
		    text("generation %s is recorded as expired on '%s' and stands there; it may not go (%s), "
			 "so it is left"),
		    label_of(o, generation), label, retention_sentence(&c->why[0], why));
		err_hint(&e,
		    text("look who recorded that with 'bkp journal show'; 'bkp verify --medium %s' makes it "
			 "count "
			 "again"),
		    label);
	} else {
		err_set(&e, "E-REAP-06",
		    text("generation %s is recorded as expired on '%s' and stands there; nobody at the disk "
			 "has agreed that it goes"),
		    label_of(o, generation), label);
		err_hint(&e, "%s",
		    text("if that expiry is known and was interrupted, run the same command with --yes; if "
			 "not, look who recorded it with 'bkp journal show'"));
	}
	blame(w, &e);
}

/* A person's word is recorded before what it is about goes. */
static int record_finished(const struct work *w, const struct reap_of *o, struct err *err)
{
	if (!w->r->operator)
		return 0;
	return reserve_append(w->r->state, "expiry-finished",
	    json_pack("{s:s, s:I, s:s, s:s}", "dataset", o->dataset, "generation", (json_int_t)o->number,
		"medium", medium_uuid(w->r->medium), "operator", w->r->operator),
	    err);
}

/* One that is recorded and still stands there. */
static int finish_one(struct work *w, const struct reap_of *o, int64_t now_ns, struct err *err)
{
	const struct ledger *l = state_ledger(w->r->state);
	const struct ledger_generation *g = ledger_generation_of(l, o->dataset, o->number);
	const struct retention_copy *c;
	struct retention *judged = NULL;
	char uuid[JOURNAL_UUID];
	bool goes;
	int r = 0;

	if (retention_judge_expired(
		w->r->policy, l, now_ns, medium_uuid(w->r->medium), o->dataset, o->number, &judged, err))
		return -1;
	c = &judged->media[0].copies[0];
	goes = !c->stays && is_allowed(w, g);
	memcpy(uuid, g->uuid, sizeof(uuid)); /* the ledger has checked its length */
	tell_leftover(w, o, c, goes);
	if (!goes)
		blame_leftover(w, o, c);
	else
		r = record_finished(w, o, err) || retire(w, o, uuid, err) ? -1 : 0;
	w->ret->finished += goes && !r;
	retention_free(judged);
	return r;
}

/* What was recorded and still stands there. */
static int retire_recorded(struct work *w, struct err *err)
{
	const struct ledger *l = state_ledger(w->r->state);
	struct clock_stamp now;
	bool looked = false;

	clock_now(&now);
	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct reap_of o = of_generation(ledger_generation(l, i));

		if (!is_expired(w, &o) || !stands_still(w, &o))
			continue;
		if (!looked && reap_stands(w->r->state, w->r->medium, NULL, 0, err)) {
			blame(w, err);
			return 0;
		}
		looked = true;
		if (finish_one(w, &o, now.wall_ns, err))
			return -1;
	}
	return 0;
}

static int tell_retired(void *arg, const char *name, struct err *err)
{
	struct work *w = arg;
	struct reap_of o = {0};

	(void)err;
	if (store_w_dir_is_expired(name, o.dataset, &o.number) && is_expired(w, &o))
		tell_leftover(w, &o, NULL, true);
	return 0;
}

static int run_reap(struct work *w, struct reap_item *items, size_t n, struct err *err)
{
	struct err why = ERR_INIT;
	struct reap_of o;
	int r = 0;

	if (open_work(w, &why) || store_list(w->repo, STORE_W_DIR_TMP, tell_retired, w, &why) < 0) {
		blame(w, &why);
		return 0;
	}
	/* a rename of which only half was durable leaves one in both places: its name in tmp/ must be free
	 * before it is moved again */
	sweep(w);
	if (retire_recorded(w, &why)) {
		blame(w, &why);
		return 0;
	}
	for (size_t i = 0; i < n && !r; i++) {
		r = record(w, &items[i], err);
		if (r)
			break;
		w->ret->expired++;
		o.number = items[i].number;
		snprintf(o.dataset, sizeof(o.dataset), "%s", items[i].dataset);
		if (retire(w, &o, items[i].uuid, &why)) {
			blame(w, &why);
			break; /* the others have not been touched */
		}
	}
	sweep(w);
	return r;
}

int reap_run(
    const struct reap *r, struct reap_item *items, size_t n, struct reap_result *ret, struct err *err)
{
	struct work w = {.r = r, .ret = ret};
	struct err why = ERR_INIT;
	bool kept = false;
	int rc;

	memset(ret, 0, sizeof(*ret));
	if (n && reap_measure(r->state, r->medium, items, n, &kept, &why, &why)) {
		ret->why = why;
		return 0;
	}
	rc = run_reap(&w, items, n, err);
	close_work(&w);
	return rc;
}

int reap_finish(const struct reap *r, struct reap_result *ret, struct err *err)
{
	return reap_run(r, NULL, 0, ret, err);
}

int reap_damaged(const struct store *repo, const char *path, struct err *err)
{
	struct store_x *x = NULL;
	uint64_t files = 0, bytes = 0;
	int r = store_x_open(repo, &x, err);

	if (!r)
		r = store_x_remove(x, path, &files, &bytes, err);
	store_x_close(x);
	return r;
}

int reap_thaw(const struct store *repo, const char *path, struct err *err)
{
	struct store_x *x = NULL;
	int r = store_x_open(repo, &x, err);

	if (!r)
		r = store_x_thaw(x, path, err);
	store_x_close(x);
	return r;
}
