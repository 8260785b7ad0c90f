/* expiry: see expiry.h.  This file: the media, and acting.
 *
 * Each asked-for medium is opened and proved, its items are chosen by retention_judge(), and what they would free is
 * measured.  Media that were not asked for are looked at all the same: one whose signed journal knows more than this
 * host (`doubt`) stops the expiry on all of them.  expiry_act() asks for every refusal before the first record. */
#include "write/expire/expiry_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/index/places_carried.h"
#include "write/media/attendance.h"
#include "write/media/device.h"
#include "write/media/journal_copies.h"
#include "write/state/state.h"
#include "write/pack/vault_w.h"

/* ---- the media ---- */

static int check_writable(const struct medium *m, struct err *err)
{
	struct store_space space;

	if (!store_space(medium_store(m), &space) || !space.read_only)
		return 0;
	err_set(err, "E-EXPIRE-07", text("medium '%s' is attached for reading only"), medium_label(m));
	return err_hint(err, "%s", text("mount it for writing, then run the command again"));
}

/* One that knows more than this host, or knows another history as well signed as this one, speaks for all
 * media: what is agreed, held or suspect may stand in what this host does not know. */
static int same_history(struct expiry *e, const struct medium *m, struct err *err)
{
	struct journal_copies_finding f = {.why = ERR_INIT};
	int r = journal_copies_check(e->state, m, &f, err);

	if (r == JOURNAL_COPIES_AHEAD && !e->doubt.code[0])
		e->doubt = *err;
	if (r || !f.found || !*f.found || !strcmp(f.found, "truncated"))
		return r ? -1 : 0;
	*err = f.why;
	if (strcmp(f.found, "forked") != 0)
		return -1; /* a person decides first which disk it is: 'bkp rotate' says how */
	if (journal_copies_is_signed(e->state, m) && !e->doubt.code[0])
		e->doubt = f.why;
	return -1;
}

static int same_disk(const struct ledger_medium *lm, const struct medium *m, struct err *err)
{
	struct device d;

	if (device_of(medium_store(m), &d, err))
		return -1;
	return device_match(&d, lm->fs_uuid, lm->serial, err)
		   ? err_wrap(err, text("this is not medium '%s'"), lm->label)
		   : 0;
}

static int open_medium(
    struct expiry *e, const struct policy_medium *pm, const struct ledger_medium *lm, struct expiry_medium *m)
{
	const struct state *s = e->state;
	struct attendance_keys k = {.repository = state_repository(s)};
	struct medium_expect want = {.repository = k.repository, .uuid = lm->uuid, .label = lm->label};
	char *path = NULL;
	int r;

	k.keys = want.keys = state_keys(s, &k.n_keys);
	want.n_keys = k.n_keys;
	if (attendance_find(state_ledger(s), &k, pm, &path, &m->away) != 1)
		return -1;
	r = medium_open(path, &want, &m->medium, &m->away) ? -1 : 0;
	free(path);
	if (!r)
		r = same_history(e, m->medium, &m->away) || check_writable(m->medium, &m->away) ||
		    (pm->offline && same_disk(lm, m->medium, &m->away));
	if (!r)
		return 0;
	medium_close(m->medium);
	m->medium = NULL;
	return -1;
}

int expiry_measure(struct expiry *e, struct expiry_medium *m, struct err *err)
{
	m->frees = 0;
	if (m->n_items && reap_stands(e->state, m->medium, m->items, m->n_items, &m->kept_why))
		expiry_clear(m);
	if (!m->n_items)
		return 0;
	if (reap_measure(e->state, m->medium, m->items, m->n_items, &m->kept, &m->kept_why, err))
		return -1;
	for (size_t i = 0; i < m->n_items; i++)
		m->frees += m->items[i].bytes;
	return 0;
}

static int add_medium(struct expiry *e, const struct policy_medium *pm, bool asked_for, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(e->state), pm->name);
	struct expiry_medium *m = &e->media[e->n];

	if (!lm)
		return 0;
	/* nothing goes from it, but what it remembers holds for the others */
	if (!asked_for) {
		(void)!open_medium(e, pm, lm, m);
		medium_close(m->medium);
		memset(m, 0, sizeof(*m));
		return 0;
	}
	e->n++;
	m->policy = pm;
	m->judged = retention_on(e->judged, lm->uuid);
	if (open_medium(e, pm, lm, m) || !m->judged)
		return 0;
	return expiry_choose(e, m, NULL, err) || expiry_measure(e, m, err) ? -1 : 0;
}

int expiry_open(struct state *s, const struct policy *policy, const char *label, expiry_wanted_fn *wanted,
    const void *arg, struct expiry **ret, struct err *err)
{
	struct expiry *e = calloc(1, sizeof(*e));
	struct clock_stamp now;
	int r = -1;

	if (!e)
		return err_nomem(err);
	clock_now(&now);
	e->state = s;
	e->policy = policy;
	e->wanted = wanted;
	e->wanted_arg = arg;
	e->now_ns = now.wall_ns;
	e->media = calloc(policy->n_media, sizeof(*e->media));
	if (!e->media)
		err_nomem(err);
	else
		r = retention_judge(policy, state_ledger(s), e->now_ns, &e->judged, err);
	for (size_t i = 0; !r && i < policy->n_media; i++)
		r = add_medium(e, &policy->media[i],
		    !label || policy_find_medium(policy, label) == &policy->media[i], err);
	if (r)
		expiry_free(e);
	else
		*ret = e;
	return r ? -1 : 0;
}

void expiry_free(struct expiry *e)
{
	if (!e)
		return;
	for (size_t i = 0; i < e->n; i++) {
		expiry_clear(&e->media[i]);
		medium_close(e->media[i].medium);
	}
	free(e->media);
	free(e->approver);
	retention_free(e->judged);
	free(e);
}

/* ---- acting ---- */

int expiry_allowed(const struct expiry *e, struct err *err)
{
	if (e->doubt.code[0]) {
		if (err)
			*err = e->doubt;
		return err_wrap(err, "%s", text("nothing expires from anywhere"));
	}
	if (e->judged->frozen_by[0]) {
		err_set(err, "E-EXPIRE-01",
		    text("nothing expires: generation %s is suspect, and nobody has decided on it"),
		    e->judged->frozen_by);
		return err_hint(err,
		    text("look at it; then 'bkp accept %s --operator NAME --reason TEXT' if all is well with "
			 "it, else 'bkp hold %s --operator NAME --reason TEXT'"),
		    e->judged->frozen_by, e->judged->frozen_by);
	}
	if (!e->judged->latched)
		return 0;
	err_set(err, "E-EXPIRE-02", "%s",
	    text("nothing expires: the clock has jumped forward, and nobody has attested it"));
	return err_hint(err, "%s",
	    text("see that the clock is right, then say so with 'bkp clock attest --operator NAME --reason "
		 "TEXT'"));
}

/* From a disk that is kept offline nothing goes without a person who stands beside it.  How many of its items
 * do. */
static size_t agreed_at_the_disk(const struct expiry *e, struct expiry_medium *m)
{
	const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(e->state), m->policy->name);

	if (!m->n_items || e->yes || e->approver || (!m->policy->offline && !lm->offline))
		return m->n_items;
	err_set(&m->kept_why, "E-EXPIRE-09",
	    text("nothing went from '%s', which is kept offline: nobody has agreed to it at the disk"),
	    m->policy->name);
	err_hint(&m->kept_why, "%s",
	    text("read what may go ('bkp expire --dry-run'), then run the same command with --yes"));
	return 0;
}

struct keeping {
	int cachefd;
	const char *dataset;
};

static int keep_places(
    void *arg, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n, struct err *err)
{
	const struct keeping *k = arg;

	(void)err;
	places_keep(k->cachefd, k->dataset, a, entries, n);
	return 0;
}

/* What they carry of where content lies goes with them, and other generations list the archives: the next one carries it.  Best effort, as
 * all of the index. */
static void keep_carried(const struct expiry *e, const struct expiry_medium *m, size_t n)
{
	const struct ledger *l = state_ledger(e->state);
	IO_FD_AUTO cachefd = io_make_dir(state_dirfd(e->state), "cache", 0700, NULL);
	struct vault_r *v = NULL;
	struct age_identity own;

	if (cachefd < 0 || vault_r_open_medium(m->medium, state_repository(e->state), NULL, &v, NULL))
		return;
	places_identity(state_chunk_id_key(e->state), &own);
	for (size_t i = 0; i < n; i++) {
		const struct ledger_generation *g =
		    ledger_generation_of(l, m->items[i].dataset, m->items[i].number);
		struct keeping k = {cachefd, m->items[i].dataset};

		if (g)
			(void)!places_carried(v, l, g, &own, keep_places, &k, NULL);
	}
	sodium_memzero(&own, sizeof(own));
	vault_r_close(v);
}

static int act_on(struct expiry *e, struct expiry_medium *m, struct err *err)
{
	struct reap reap = {.state = e->state,
	    .policy = e->policy,
	    .medium = m->medium,
	    .operator= e->operator,
	    .yes = e->yes,
	    .about = e->about,
	    .plan = *e->plan_sha256 ? e->plan_sha256 : NULL,
	    .approver = e->approver};
	struct vault_w *v = NULL;
	size_t n;

	/* rubbish first: a medium that is full has it to give */
	if (vault_w_open(medium_repo(m->medium), &v, &m->done.why))
		return 0;
	vault_w_close(v);
	if (attendance_arrived(e->state, medium_uuid(m->medium), NULL, err))
		return -1;
	n = agreed_at_the_disk(e, m);
	keep_carried(e, m, n);
	return reap_run(&reap, m->items, n, &m->done, err);
}

static void put_journal(const struct expiry *e, struct expiry_medium *m)
{
	struct err why = ERR_INIT;
	STORE_FILE_AUTO journal = {0};
	const char *uuid = medium_uuid(m->medium);
	struct journal_copies_mark mark;
	struct vault_w *v = NULL;

	journal_copies_mark(e->state, &mark);
	if (!state_journal(e->state, &journal, &why) && !vault_w_open(medium_repo(m->medium), &v, &why) &&
	    !vault_w_put_journal(v, &journal, ledger_size(state_ledger(e->state)), false, &why))
		(void)!journal_copies_copied(e->state, &mark, &uuid, 1, &why);
	vault_w_close(v);
	if (why.code[0] && !m->done.why.code[0])
		m->done.why = why;
}

/* The journal was copied there, and the command died before it could record that: until it is done again the
 * journal looks as if its end were cut off. */
static bool is_unrecorded(const struct expiry *e, const struct expiry_medium *m)
{
	struct journal_copies_finding f;

	return !journal_copies_check(e->state, m->medium, &f, NULL) && !*f.found && f.lines > f.expected;
}

int expiry_may_go(const struct expiry *e, const char *dataset, uint64_t number, struct err *err)
{
	const struct retention_copy *stays = NULL;
	const char *where = NULL;
	char why[RETENTION_SENTENCE], label[GENERATION_LABEL];

	for (size_t i = 0; i < e->n; i++) {
		const struct expiry_medium *m = &e->media[i];

		for (size_t k = 0; m->medium && m->judged && k < m->judged->n; k++) {
			const struct retention_copy *c = &m->judged->copies[k];

			if (c->number != number || strcmp(c->dataset, dataset) != 0)
				continue;
			if (!c->stays)
				return 0;
			if (!stays)
				where = m->policy->name;
			stays = stays ? stays : c;
		}
	}
	generation_label(dataset, number, label);
	if (!stays) {
		err_set(err, "E-EXPIRE-11", text("generation %s is on no medium that is attached"), label);
		return err_hint(err, text("see where it is with 'bkp generations %s'"), label);
	}
	err_set(err, "E-EXPIRE-11", text("generation %s may not go, from '%s': %s"), label, where,
	    retention_sentence(&stays->why[0], why));
	return err_hint(err, text("nobody can overrule that; all reasons: 'bkp expire --dry-run %s'"), label);
}

static int approver_missing(const struct expiry *e, struct err *err)
{
	size_t going = 0;

	for (size_t i = 0; i < e->n; i++)
		going += e->media[i].n_items;
	if (!going || e->approver || (!ledger_approvers(state_ledger(e->state)) && !e->policy->expire_by))
		return 0;
	if (!ledger_approvers(state_ledger(e->state))) {
		err_set(err, "E-EXPIRE-10", "%s",
		    text("the policy wants an expiry to be approved, and it is not agreed yet by whom"));
		return err_hint(err, "%s",
		    text("agree on it with the root key: 'bkp agree --operator NAME --root-key FILE'"));
	}
	err_set(
	    err, "E-EXPIRE-03", "%s", text("it is agreed that somebody approves an expiry, and nobody has"));
	return err_hint(err, "%s",
	    text("write the plan with 'bkp expire --plan-out FILE', let an approver sign it with minisign, "
		 "then give "
		 "both: --plan FILE --signature FILE.minisig"));
}

int expiry_act(struct expiry *e, struct err *err)
{
	int r = 0;

	if (expiry_allowed(e, err) || approver_missing(e, err))
		return -1;
	for (size_t i = 0; i < e->n && !r; i++)
		if (e->media[i].medium)
			r = act_on(e, &e->media[i], err);
	/* also after a failure: what was recorded so far */
	for (size_t i = 0; i < e->n; i++)
		if (e->media[i].medium &&
		    (e->media[i].done.expired + e->media[i].done.finished || is_unrecorded(e, &e->media[i])))
			put_journal(e, &e->media[i]);
	return r ? -1 : 0;
}
