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
#include "write/store/reap_private.h"

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
#include "format/policy/policy.h"
#include "read/file/digestset.h"
#include "read/file/inside.h"
#include "read/ledger/ledger.h"
#include "read/rules/retention.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/state/reserve.h"
#include "write/state/state.h"
#include "write/store/vault_w.h"

#define NUMBERS_MAX ((size_t)8 << 20)
#define SUMS	    "SHA256SUMS"
#define SUMS_SIG    "SHA256SUMS.minisig"

struct work {
	const struct reap *r;
	struct reap_result *ret;
	struct vault_r *v;
	int repo;		  /* of the medium */
	int generations, tmp;	  /* folders in it */
	struct digestset *listed; /* while sweeping */
};

/* ---- what the lists of other generations name ---- */

/* what the generations that stand on a medium list; see reap.h.
 *
 * An archive may be deleted only when no list that stays names it, so every list must be read: one that cannot
 * be verified stops all deleting.  Memory: a set of at most ARCHIVES_MAX bytes. */

#define ARCHIVES_MAX ((size_t)32 << 20)

struct listing {
	struct vault_r *v;
	const struct reap_item *but;
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
	uint64_t number;
	int r;

	if (generation_dir_parse(name, &number))
		return 0;
	for (size_t i = 0; i < l->n; i++)
		if (l->but[i].number == number)
			return 0;
	if (vault_r_generation_open(l->v, number, &g, &fault)) {
		err_set(l->why, "E-REAP-03",
		    text("generation %ju on the medium cannot be verified, so no archive is deleted: %s"),
		    number, fault.msg);
		return err_hint(l->why, "%s",
			   text("see 'bkp verify'; a rotation or the next run mends what was lost")),
		       1;
	}
	r = add_list(l, vault_r_sums(g), err);
	vault_r_generation_close(g);
	return r;
}

/* Every archive that the generations standing on the medium list, but for the n numbers in
 * `but`.  0; 1 when one of them cannot be verified (why); -1. */
static int reap_listed(struct vault_r *v, const struct reap_item *but, size_t n, struct digestset **ret,
    struct err *why, struct err *err)
{
	struct listing l = {v, but, n, digestset_new(ARCHIVES_MAX), why};
	IO_FD_AUTO dir = -1;
	int r = -1;

	if (!l.set)
		return err_nomem(err);
	dir = reap_folder(vault_r_fd(v), "generations", err);
	if (dir >= 0)
		r = io_each_name(dir, look_at_generation, &l, err);
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
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	const char *base;
	struct stat st;
	size_t pos = 0;
	int r;

	if (vault_r_generation_open(v, it->number, &g, NULL))
		return 0; /* its list frees nothing */
	while (!(r = reap_next(vault_r_sums(g), &pos, listed, path, err))) {
		base = strrchr(path, '/') + 1;
		if (!digest_unhex(base, DIGEST_LEN, sha256) || digestset_put(listed, sha256, 1, err)) {
			r = -1;
			break;
		}
		if (inside_stat(vault_r_fd(v), path, &st, NULL))
			continue;
		it->files++;
		it->bytes += (uint64_t)st.st_size;
	}
	vault_r_generation_close(g);
	return r < 0 ? -1 : 0;
}

int reap_measure(const struct state *s, const struct medium *m, struct reap_item *items, size_t n,
    bool *ret_kept, struct err *why, struct err *err)
{
	struct digestset *listed = NULL;
	struct vault_r *v = NULL;
	int r;

	for (size_t i = 0; i < n; i++)
		items[i].files = items[i].bytes = 0;
	if (open_vault(s, m, &v, err))
		return -1;
	r = reap_listed(v, items, n, &listed, why, err);
	*ret_kept = r > 0;
	/* the last one that lists an archive is the one that frees it */
	for (size_t i = n; !r && i-- > 0;)
		r = measure_one(v, &items[i], listed, err);
	if (listed)
		digestset_free(listed);
	vault_r_close(v);
	return r < 0 ? -1 : 0;
}

/* ---- one generation ---- */

static int record(struct work *w, const struct reap_item *it, struct err *err)
{
	return reserve_append(w->r->state, "expired",
	    json_pack("{s:I, s:s, s:I, s:I, s:s*, s:s*, s:s*, s:s*}", "generation", (json_int_t)it->number,
		"medium", medium_uuid(w->r->medium), "files", (json_int_t)it->files, "bytes",
		(json_int_t)it->bytes, "why", it->why, "plan", w->r->plan, "approver", w->r->approver,
		"operator", w->r->operator),
	    err);
}

/* A folder that proves to be another generation's is not ours to move. */
static int check_folder(struct work *w, uint64_t number, const char *uuid, struct err *err)
{
	struct vault_r_generation *g = NULL;
	bool other;

	if (vault_r_generation_open(w->v, number, &g, NULL))
		return 0;
	other = strcmp(vault_r_manifest(g)->id.uuid, uuid) != 0;
	vault_r_generation_close(g);
	if (!other)
		return 0;
	err_set(err, "E-REAP-04", text("what stands on the medium as generation %ju is another one"), number);
	return err_hint(
	    err, "%s", text("another host may write to this medium; compare 'bkp journal show' with it"));
}

static char *retired_name(uint64_t number, char out[GENERATION_DIR + 16])
{
	char dir[GENERATION_DIR];

	snprintf(
	    out, GENERATION_DIR + 16, VAULT_W_EXPIRED "%s", strchr(generation_dir(number, dir), '/') + 1);
	return out;
}

/* 0 also when it does not stand there any more. */
static int retire(struct work *w, uint64_t number, const char *uuid, struct err *err)
{
	char dir[GENERATION_DIR], name[GENERATION_DIR + 16];
	const char *base = strchr(generation_dir(number, dir), '/') + 1;
	struct stat st;
	int r;

	if (fstatat(w->generations, base, &st, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
		return 0;
	if (check_folder(w, number, uuid, err))
		return -1;
	r = io_rename_new(w->generations, base, w->tmp, retired_name(number, name), err);
	if (r == IO_EXISTS)
		return err_set(err, "E-REAP-01", text("'%s' stands in tmp/ on the medium already"), name);
	if (r) {
		err_wrap(err, "%s", text("an expired generation cannot be moved out of the way"));
		return -1;
	}
	return io_sync_dir(w->tmp, err) || io_sync_dir(w->generations, err) ? -1 : 0;
}

/* ---- sweeping ---- */

static int collect_retired(void *arg, const char *name, struct err *err)
{
	struct buf *numbers = arg;
	const size_t n = strlen(VAULT_W_EXPIRED);
	uint64_t number;

	if (strncmp(name, VAULT_W_EXPIRED, n) != 0 || generation_dir_parse(name + n, &number))
		return 0;
	return buf_append(numbers, &number, sizeof(number), err);
}

/* The journal says so: what lies there for another reason is left. */
static bool is_expired(const struct work *w, uint64_t number)
{
	const struct ledger_copy *c = ledger_copy_in(
	    ledger_generation_by_number(state_ledger(w->r->state), number), medium_uuid(w->r->medium));

	return c && c->expired_ns;
}

/* Its list, if it is the signed one: 0.  1: it is not, and frees nothing.  -1: it could not be read now. */
static int read_list(struct work *w, int dir, uint64_t number, struct buf *sums, struct err *err)
{
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);
	BUF_AUTO want = BUF_INIT(MINISIG_COMMENT_MAX);
	const struct ledger_generation *g = ledger_generation_by_number(state_ledger(w->r->state), number);
	struct generation_id id = {.number = number};
	struct err why = ERR_INIT;
	char comment[MINISIG_COMMENT_MAX];

	snprintf(id.repository, sizeof(id.repository), "%s", state_repository(w->r->state));
	snprintf(id.uuid, sizeof(id.uuid), "%s", g->uuid);
	if (generation_comment("generation", &id, &want, err))
		return -1;
	if (io_read_file(dir, SUMS, sums, &why) || io_read_file(dir, SUMS_SIG, &sig, &why) || !sums->n ||
	    vault_r_verify_signature(
		w->v, sums->p, sums->n, (const char *)sig.p, sig.n, comment, NULL, &why)) {
		*err = why;
		return err_is_unread(&why) ? -1 : 1;
	}
	return strcmp((const char *)want.p, comment) != 0;
}

static int delete_archives(struct work *w, const struct buf *sums, struct err *err)
{
	char path[GENERATION_SUMS_PATH];
	size_t pos = 0;
	int r;

	while (!(r = reap_next(sums, &pos, w->listed, path, err)))
		if (reap_delete_archive(w->repo, path, &w->ret->files, &w->ret->bytes, err))
			return -1;
	return r < 0 ? -1 : 0;
}

struct documents {
	struct work *w;
	int dir;
	bool lists; /* the list and its signature, or all but these */
};

static int delete_document(void *arg, const char *name, struct err *err)
{
	const struct documents *d = arg;
	bool list = !strcmp(name, SUMS) || !strcmp(name, SUMS_SIG);

	return list == d->lists ? reap_delete(d->dir, name, &d->w->ret->files, &d->w->ret->bytes, err) : 0;
}

static int sweep_one(struct work *w, uint64_t number, struct err *err)
{
	BUF_AUTO sums = BUF_INIT(GENERATION_SUMS_MAX);
	char name[GENERATION_DIR + 16];
	IO_FD_AUTO dir = io_open_dir(w->tmp, retired_name(number, name), err);
	struct documents d = {w, dir, false};
	int r;

	if (dir < 0 || io_each_name(dir, delete_document, &d, err))
		return -1;
	/* without the lists of those that stay its own is kept, for another day */
	if (!w->listed)
		return 0;
	r = read_list(w, dir, number, &sums, err);
	if (r < 0 || (!r && delete_archives(w, &sums, err)))
		return -1;
	d.lists = true;
	/* that the archives are gone must not be lost while the list is: nobody would look for them again */
	if (syncfs(w->repo))
		return err_sys(
		    err, "E-IO-04", errno, text("cannot make '%s' durable"), medium_label(w->r->medium));
	if (io_each_name(dir, delete_document, &d, err))
		return -1;
	if (unlinkat(w->tmp, name, AT_REMOVEDIR))
		return err_sys(err, "E-REAP-02", errno, text("cannot delete '%s'"), name);
	return 0;
}

/* -1: out of memory; all else goes into the result. */
static int sweep(struct work *w, struct err *err)
{
	BUF_AUTO numbers = BUF_INIT(NUMBERS_MAX);
	struct err why = ERR_INIT;
	uint64_t number;
	int r;

	if (io_each_name(w->tmp, collect_retired, &numbers, &why)) {
		blame(w, &why);
		return 0;
	}
	if (!numbers.n)
		return 0;
	r = reap_listed(w->v, NULL, 0, &w->listed, &why, &why);
	if (r) {
		w->ret->kept = true;
		blame(w, &why);
	}
	for (size_t i = 0; i < numbers.n; i += sizeof(number)) {
		memcpy(&number, numbers.p + i, sizeof(number));
		why = (struct err)ERR_INIT;
		if (is_expired(w, number) && sweep_one(w, number, &why))
			blame(w, &why);
	}
	if (w->listed)
		digestset_free(w->listed);
	w->listed = NULL;
	(void)err;
	return 0;
}

/* ---- */

static int open_work(struct work *w, struct err *err)
{
	w->repo = medium_repo_dirfd(w->r->medium);
	w->generations = w->tmp = -1;
	if (open_vault(w->r->state, w->r->medium, &w->v, err) ||
	    (w->generations = reap_folder(w->repo, "generations", err)) < 0)
		return -1;
	w->tmp = reap_folder(w->repo, "tmp", err);
	return w->tmp < 0 ? -1 : 0;
}

static void close_work(struct work *w)
{
	vault_r_close(w->v);
	io_close_quietly(&w->tmp);
	io_close_quietly(&w->generations);
}

static bool stands_still(const struct work *w, uint64_t number)
{
	char dir[GENERATION_DIR];
	struct stat st;

	return !fstatat(
	    w->generations, strchr(generation_dir(number, dir), '/') + 1, &st, AT_SYMLINK_NOFOLLOW);
}

static void tell_leftover(
    const struct work *w, uint64_t number, const struct retention_copy *judged, bool goes)
{
	const struct ledger_generation *g = ledger_generation_by_number(state_ledger(w->r->state), number);
	const struct reap_leftover l = {medium_label(w->r->medium), number, g,
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

static void blame_leftover(struct work *w, uint64_t number, const struct retention_copy *c)
{
	const char *label = medium_label(w->r->medium);
	char why[RETENTION_SENTENCE];
	struct err e = ERR_INIT;

	if (c->stays) {
		err_set(&e, "E-REAP-05",
		    text(
			"generation %ju is recorded as expired on '%s' and stands there; it may not go (%s), "
			"so it is left"),
		    number, label, retention_sentence(&c->why[0], why));
		err_hint(&e,
		    text("look who recorded that with 'bkp journal show'; 'bkp verify --medium %s' makes it "
			 "count "
			 "again"),
		    label);
	} else {
		err_set(&e, "E-REAP-06",
		    text("generation %ju is recorded as expired on '%s' and stands there; nobody at the disk "
			 "has agreed that it goes"),
		    number, label);
		err_hint(&e, "%s",
		    text("if that expiry is known and was interrupted, run the same command with --yes; if "
			 "not, look who recorded it with 'bkp journal show'"));
	}
	blame(w, &e);
}

/* A person's word is recorded before what it is about goes. */
static int record_finished(const struct work *w, uint64_t number, struct err *err)
{
	if (!w->r->operator)
		return 0;
	return reserve_append(w->r->state, "expiry-finished",
	    json_pack("{s:I, s:s, s:s}", "generation", (json_int_t)number, "medium",
		medium_uuid(w->r->medium), "operator", w->r->operator),
	    err);
}

/* One that is recorded and still stands there. */
static int finish_one(struct work *w, uint64_t number, int64_t now_ns, struct err *err)
{
	const struct ledger *l = state_ledger(w->r->state);
	const struct ledger_generation *g = ledger_generation_by_number(l, number);
	const struct retention_copy *c;
	struct retention *judged = NULL;
	char uuid[JOURNAL_UUID];
	bool goes;
	int r = 0;

	if (retention_judge_expired(w->r->policy, l, now_ns, medium_uuid(w->r->medium), number, &judged, err))
		return -1;
	c = &judged->media[0].copies[0];
	goes = !c->stays && is_allowed(w, g);
	memcpy(uuid, g->uuid, sizeof(uuid)); /* the ledger has checked its length */
	tell_leftover(w, number, c, goes);
	if (!goes)
		blame_leftover(w, number, c);
	else
		r = record_finished(w, number, err) || retire(w, number, uuid, err) ? -1 : 0;
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
		const uint64_t number = ledger_generation(l, i)->number;

		if (!is_expired(w, number) || !stands_still(w, number))
			continue;
		if (!looked && reap_stands(w->r->state, w->r->medium, NULL, 0, err)) {
			blame(w, err);
			return 0;
		}
		looked = true;
		if (finish_one(w, number, now.wall_ns, err))
			return -1;
	}
	return 0;
}

static int tell_retired(void *arg, const char *name, struct err *err)
{
	const size_t n = strlen(VAULT_W_EXPIRED);
	struct work *w = arg;
	uint64_t number;

	(void)err;
	if (!strncmp(name, VAULT_W_EXPIRED, n) && !generation_dir_parse(name + n, &number) &&
	    is_expired(w, number))
		tell_leftover(w, number, NULL, true);
	return 0;
}

static int run_reap(struct work *w, struct reap_item *items, size_t n, struct err *err)
{
	struct err why = ERR_INIT;
	int r = 0;

	if (open_work(w, &why) || io_each_name(w->tmp, tell_retired, w, &why)) {
		blame(w, &why);
		return 0;
	}
	/* a rename of which only half was durable leaves one in both places: its name in tmp/ must be free
	 * before it is moved again */
	if (sweep(w, err))
		return -1;
	if (retire_recorded(w, &why)) {
		blame(w, &why);
		return 0;
	}
	for (size_t i = 0; i < n && !r; i++) {
		r = record(w, &items[i], err);
		if (r)
			break;
		w->ret->expired++;
		if (retire(w, items[i].number, items[i].uuid, &why)) {
			blame(w, &why);
			break; /* the others have not been touched */
		}
	}
	return sweep(w, err) ? -1 : r;
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
