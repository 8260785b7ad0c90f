/* run_set: step 2 of the run, for one data set: from its source to a reported generation; see run.h.
 *
 * run_set() → begin_set() (which media, which archives it may refer to again) → capture_dataset(), run_guard(), pack_finish() →
 * prepare_set().  What is ready is published and recorded by run_flush(), small data sets several at a time: syncing a medium costs the
 * same for one and for twenty.  What goes wrong with one data set ends that one alone: it fails with its reason, and the next one gets its turn.
 * The pack and the capture serve all of them; after a failure of theirs (the last medium that holds a data set is gone) they are made
 * anew.  -1 comes only of what can be done for no data set: a record cannot be written. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/chunker.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/capture/capture.h"
#include "write/expect/expect.h"
#include "write/index/dedup.h"
#include "write/index/places.h"
#include "write/liveness/liveness.h"
#include "write/pack/pack.h"
#include "write/pack/vault_w.h"
#include "write/put/store_w.h"
#include "write/run/run_private.h"
#include "write/state/state.h"

/* ---- which archives may be referred to ---- */

#define RENEW_RUNS 7 /* in which all is stored anew */

/* Somebody who may no longer could open it: each run stores anew what lies in a part of those archives. */
static bool is_renewed(const struct run *n, const struct dedup_archive *a)
{
	return a->generation < ledger_period(state_ledger(n->cfg->state))->renew_before &&
	       a->number % RENEW_RUNS == n->ret->run % RENEW_RUNS;
}

/* An archive may be referred to again when some online medium has it: the others are supplied from there. */
static int on_some_medium(void *arg, const struct dedup_archive *a, struct err *err)
{
	struct run *n = arg;

	(void)err;
	if (is_renewed(n, a))
		return 0;
	for (size_t i = 0; i < n->media.n; i++)
		if (run_is_used(n, i) && vault_w_has_archive(n->media.online[i].vault, n->set.policy->name,
					     a->sha256, a->size, NULL) == 1)
			return 1;
	return 0;
}

static int refuse_archives(struct run *n, struct err *err)
{
	const struct ledger *l = state_ledger(n->cfg->state);
	const struct policy *policy = n->cfg->policy;
	const struct liveness_limits limits = {
	    policy->live_share, policy->anchor_every, n->set.policy->archive_size};
	struct liveness_dataset set = {.name = n->set.policy->name};
	uint64_t *all = calloc(ledger_generations(l) + 1, sizeof(*all));
	struct liveness_figures figures;
	int r;

	if (!all)
		return err_nomem(err);
	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (g->state == LEDGER_COMMITTED && !strcmp(g->dataset, set.name))
			all[set.n_generations++] = g->number;
	}
	set.generations = all;
	r = liveness_plan(n->with.liveness, n->with.dedup, &limits, &set, &figures, err);
	free(all);
	return r;
}

/* Nothing of it is stored again because it lies in an archive that only one medium has, or that is mostly dead. */
static int look_at_archives(struct run *n, struct err *err)
{
	if (dedup_use(n->with.dedup, n->set.policy->name, err) || run_fill_index(n, err))
		return -1;
	if (n->cfg->anchor)
		return 0;
	if (dedup_check_available(n->with.dedup, on_some_medium, n, err))
		return -1;
	places_forget(n->with.cachefd, n->set.policy->name, n->with.dedup);
	return refuse_archives(n, err);
}

/* ---- what captures ---- */

static int open_pack(struct run *n, struct err *err)
{
	struct pack_config cfg = {
	    .repository = state_repository(n->cfg->state),
	    .random = state_random(),
	    .dedup = n->with.dedup,
	    .cachefd = n->with.cachefd,
	    .sinks = n->media.sinks,
	    .n_sinks = n->media.n,
	    .timings = &n->ret->timings,
	    .generation = n->ret->run,
	    .liveness = n->with.liveness,
	    .ids = n->with.ids,
	};

	cfg.recipients = &state_period(n->cfg->state)->recipient;
	cfg.n_recipients = 1;
	return pack_new(&cfg, &n->with.pack, err);
}

static int open_capture(struct run *n, struct err *err)
{
	struct capture_config cfg = {.pack = n->with.pack,
	    .ids = n->with.ids,
	    .chunker = n->with.chunker,
	    .scratch = n->with.scratch,
	    .now_ns = n->begun_ns,
	    .cb = n->cfg->cb,
	    .repository = state_repository(n->cfg->state),
	    .anew = n->cfg->anchor,
	    .timings = &n->ret->timings,
	    .generation = n->ret->run,
	    .locale = n->cfg->policy->locale,
	    .former = run_former,
	    .former_arg = n,
	    .reported = run_was_reported,
	    .decided = run_decided,
	    .trusted = run_trust,
	    .reported_arg = n};

	cfg.cb.progress = run_progress_bytes;
	cfg.cb.progress_arg = n;
	snprintf(n->with.scratch, sizeof(n->with.scratch), "%s/cache", state_path(n->cfg->state));
	return capture_new(&cfg, &n->with.capture, err);
}

static int open_what_captures(struct run *n, struct err *err)
{
	if (!n->with.ids)
		n->with.ids = hmac_new(state_chunk_id_key(n->cfg->state), STATE_KEY);
	if (!n->with.chunker)
		n->with.chunker = chunker_new(state_chunker_seed(n->cfg->state));
	if (!n->with.ids || !n->with.chunker)
		return err_nomem(err);
	if (!n->with.liveness && liveness_open(n->with.cachefd, state_repository(n->cfg->state), n->ret->run,
				     &n->with.liveness, err))
		return -1;
	return (!n->with.pack && open_pack(n, err)) || (!n->with.capture && open_capture(n, err)) ? -1 : 0;
}

void run_end_sets(struct run *n)
{
	if (n->with.capture && capture_cache_fault(n->with.capture)->code[0])
		n->ret->slow = *capture_cache_fault(n->with.capture);
	capture_free(n->with.capture);
	/* its threads write to the media: they end before anything else is written there */
	pack_free(n->with.pack);
	n->with.capture = NULL;
	n->with.pack = NULL;
}

/* ---- one data set ---- */

bool run_is_used(const struct run *n, size_t i)
{
	return !n->media.sinks[i].failed && !n->media.sinks[i].elsewhere;
}

void run_lose(struct run *n, const struct run_set *set, size_t i, const struct err *why, bool own)
{
	struct run_copy *c = run_copy_on(n, set, i);

	if (!c->lost.code[0])
		c->lost = *why;
	n->media.online[i].later |= err_is_full(why) || why->kind == ERR_TAKEN;
	/* that it has no room for this one, or that something else stands in its place, says nothing of others */
	if (own && !err_is_full(why) && why->kind != ERR_TAKEN && !n->media.sinks[i].failed)
		run_drop(n, i, why);
}

/* The pack drops a medium that has no room: its copy of this data set is lost, and the next one is tried.  The pack writes nothing
 * meanwhile: it has finished, or is gone.  One that the run dropped, for want of room for its keys say, stays so: what comes onto it could not
 * be checked by who has only that medium. */
static void revive_media(struct run *n)
{
	for (size_t i = 0; i < n->media.n; i++) {
		struct pack_sink *sink = &n->media.sinks[i];

		if (!sink->failed || n->media.online[i].dropped || !err_is_full(&sink->why))
			continue;
		run_lose(n, &n->set, i, &sink->why, false);
		sink->failed = false;
	}
}

/* Which media are to hold it, and are there. */
static int choose_media(struct run *n, struct err *err)
{
	const char *name = n->set.policy->name;
	struct err why = ERR_INIT;
	bool any = false;

	for (size_t i = 0; i < n->ret->n_media; i++) {
		n->set.result->copies[i].wanted =
		    policy_medium_holds(policy_find_medium(n->cfg->policy, n->ret->media[i].label), name);
		if (n->set.result->copies[i].wanted && !why.code[0])
			why = n->ret->media[i].why;
	}
	for (size_t i = 0; i < n->media.n; i++) {
		n->media.sinks[i].elsewhere = !run_copy_on(n, &n->set, i)->wanted;
		any |= run_is_used(n, i);
		if (n->media.sinks[i].failed && !n->media.sinks[i].elsewhere)
			why = n->media.sinks[i].why;
	}
	if (any)
		return 0;
	if (why.code[0])
		*err = why;
	else
		err_set(err, "E-RUN-02", text("no online medium of the policy holds data set '%s'"), name);
	return err_wrap(err, "%s", text("no medium is there to write to"));
}

/* -1: none of them, and why. */
static int any_has_room(struct run *n, struct err *err)
{
	for (size_t i = 0; i < n->media.n; i++)
		if (run_is_used(n, i))
			return 0;
	for (size_t i = 0; i < n->media.n; i++)
		if (run_copy_on(n, &n->set, i)->lost.code[0])
			*err = run_copy_on(n, &n->set, i)->lost;
	return -1;
}

struct run_copy *run_copy_on(const struct run *n, const struct run_set *set, size_t i)
{
	return &set->result->copies[n->media.online[i].report - n->ret->media];
}

/* The index may be gone or older than the journal, and the other way round: numbers of archives go on after the
 * greater of what both say, so that none is given out twice. */
static int begin_set(struct run *n, struct err *err)
{
	uint64_t next = ledger_next_archive(state_ledger(n->cfg->state), n->set.policy->name);

	if (choose_media(n, err) || run_look_at_room(n, err) || any_has_room(n, err) ||
	    open_what_captures(n, err) || look_at_archives(n, err))
		return -1;
	if (next <= dedup_last_archive(n->with.dedup))
		next = dedup_last_archive(n->with.dedup) + 1;
	return pack_begin_set(n->with.pack, n->set.policy->name, n->set.policy->archive_size, next, err);
}

/* It has no generation, for this reason. */
static int fail_set(struct run *n, const struct err *why, struct err *err)
{
	struct generation_dataset *d = &n->set.result->d;

	d->verdict = GENERATION_FAILED;
	if (!d->name)
		d->name = strdup(n->set.policy->name);
	if (!d->title && n->set.policy->title)
		d->title = strdup(n->set.policy->title);
	if (!d->reason)
		d->reason = strdup(why->msg);
	return d->name && d->reason ? 0 : err_nomem(err);
}

/* The time of --until came before the data set's turn. */
static int not_begun(struct run *n, struct err *err)
{
	struct err why = ERR_INIT;

	n->set.result->d.source = policy_source(n->set.policy);
	err_set(&why, "W-RUN-12", "%s", text("not begun: the run was to end before its turn came"));
	return fail_set(n, &why, err);
}

/* Captured, judged, and all of it published; 1: it failed, and the reason is known.  -1: err is the reason. */
static int capture_set(struct run *n, struct err *err)
{
	const struct capture_callbacks *cb = &n->cfg->cb;
	struct generation_dataset *d = &n->set.result->d;
	int r = capture_dataset(n->with.capture, n->set.policy, d, err);

	n->stopped = n->stopped || capture_stopped(n->with.capture) || (cb->stop && cb->stop(cb->arg));
	if (!r)
		r = run_guard(n, n->set.policy, d, err);
	/* what was stored of a data set that failed is found by the next run */
	if (!r)
		r = pack_finish(n->with.pack, err);
	n->set.result->new_bytes = pack_new_bytes(n->with.pack);
	return r ? -1 : d->verdict == GENERATION_FAILED;
}

/* Its documents, in memory: it is ready to be published.  1: it is not, and the reason is known (err). */
static int prepare_set(struct run *n, struct err *err)
{
	n->set.next_archive = pack_next_archive(n->with.pack);
	return pack_needed(n->with.pack, &n->set.needed, &n->set.n_needed, err) || run_supply(n, err) ||
		       run_documents(n, err)
		   ? 1
		   : 0;
}

static void end_set(struct run_set *set)
{
	free(set->needed);
	free(set->places_of);
	buf_free(&set->manifest);
	buf_free(&set->root);
	buf_free(&set->places);
	buf_free(&set->sums);
	buf_free(&set->sig);
	memset(set, 0, sizeof(*set));
}

/* ---- several at once ---- */

/* A set that brought more, or whose documents are larger, waits for no other. */
#define ALONE_BYTES ((uint64_t)8 << 20)
/* and none waits longer for others: the most urgent is to be safe first */
#define TOGETHER_NS (2 * SECOND_NS)

static size_t documents_bytes(const struct run_set *set)
{
	return set->manifest.n + set->root.n + set->places.n + set->sums.n + set->sig.n;
}

#define DOCS 5

static void list_documents(const struct run_set *set, struct store_doc docs[DOCS])
{
	docs[0] = (struct store_doc){"manifest.json", set->manifest.p, set->manifest.n};
	docs[1] = (struct store_doc){"places.age", set->places.p, set->places.n};
	docs[2] = (struct store_doc){"root.age", set->root.p, set->root.n};
	docs[3] = (struct store_doc){"SHA256SUMS", set->sums.p, set->sums.n};
	docs[4] = (struct store_doc){"SHA256SUMS.minisig", set->sig.p, set->sig.n};
}

/* All that are ready, onto one medium. */
static int publish_on(struct run *n, size_t i, struct err *err)
{
	struct vault_w_generation *all = calloc(n->n_ready, sizeof(*all));
	struct store_doc(*docs)[DOCS] = calloc(n->n_ready, sizeof(*docs));
	const struct run_set **of = calloc(n->n_ready, sizeof(struct run_set *));
	size_t count = 0;
	int r = all && docs && of ? 0 : err_nomem(err);

	for (size_t k = 0; !r && k < n->n_ready; k++) {
		const struct run_set *set = &n->ready[k];

		if (!run_copy_on(n, set, i)->wanted || run_copy_on(n, set, i)->lost.code[0])
			continue;
		of[count] = set;
		list_documents(set, docs[count]);
		all[count] = (struct vault_w_generation){
		    .dataset = set->policy->name, .number = n->ret->run, .docs = docs[count], .n = DOCS};
		count++;
	}
	if (!r && count)
		r = vault_w_publish_generations(n->media.online[i].vault, all, count, err);
	for (size_t k = 0; !r && k < count; k++) {
		run_copy_on(n, of[k], i)->ok = !all[k].r;
		if (all[k].r)
			run_lose(n, of[k], i, &all[k].why, true);
	}
	free(all);
	free(docs);
	free(of);
	return r;
}

bool run_is_published(const struct run *n, const struct run_dataset *s)
{
	for (size_t i = 0; i < n->ret->n_media; i++)
		if (s->copies && s->copies[i].ok)
			return true;
	return false;
}

/* The record of one that is published: this is the commit. */
static int commit_set(struct run *n, struct run_set *set, struct err *err)
{
	struct err why = ERR_INIT;
	int r;

	n->set = *set;
	if (!run_is_published(n, set->result)) {
		for (size_t i = 0; i < n->media.n; i++)
			if (run_copy_on(n, set, i)->wanted)
				why = n->media.sinks[i].failed ? n->media.sinks[i].why
							       : run_copy_on(n, set, i)->lost;
		err_wrap(&why, "%s", text("no medium is left to write to"));
		r = fail_set(n, &why, err);
	} else if (!(r = run_committed(n, err))) {
		set->result->committed = true;
		liveness_commit(n->with.liveness, set->policy->name);
		run_places_reported(n);
	}
	memset(&n->set, 0, sizeof(n->set));
	return r;
}

int run_flush(struct run *n, struct err *err)
{
	struct timings_mark mark = timings_begin_phase();
	int r = 0;

	for (size_t i = 0; i < n->media.n && !r && n->n_ready; i++)
		if (!n->media.sinks[i].failed)
			r = publish_on(n, i, err);
	for (size_t k = 0; k < n->n_ready; k++) {
		if (!r)
			r = commit_set(n, &n->ready[k], err);
		end_set(&n->ready[k]);
	}
	n->n_ready = 0;
	/* what the index knows of them must outlast the power: they are not filled in again */
	if (!r && n->with.dedup)
		r = dedup_flush(n->with.dedup, err);
	timings_end_phase(&n->ret->timings, TIMING_COMMIT, &mark, 0);
	return r;
}

static int add_ready(struct run *n, struct err *err)
{
	struct run_set *more = reallocarray(n->ready, n->n_ready + 1, sizeof(*more));
	bool alone = n->set.result->new_bytes > ALONE_BYTES || documents_bytes(&n->set) > ALONE_BYTES;

	if (!more) {
		end_set(&n->set);
		return err_nomem(err);
	}
	if (!n->n_ready)
		n->ready_since_ns = clock_read(CLOCK_MONOTONIC);
	n->ready = more;
	n->ready[n->n_ready++] = n->set; /* with all it owns */
	memset(&n->set, 0, sizeof(n->set));
	return alone || clock_read(CLOCK_MONOTONIC) - n->ready_since_ns > TOGETHER_NS ? run_flush(n, err) : 0;
}

#define BRIEF_BYTES   ((uint64_t)64 << 20)
#define BRIEF_ENTRIES 20000

/* Is it captured soon, as far as is known?  What is ready waits for no other: neither for hours of images nor for a command. */
static bool is_brief(struct run *n, const struct policy_dataset *d)
{
	struct expect_former f = {0};

	run_former(n, d->name, &f);
	return f.generation && f.bytes <= BRIEF_BYTES && f.entries <= BRIEF_ENTRIES && d->n_paths &&
	       !d->before && !d->after && !d->probe && !d->version;
}

int run_set(struct run *n, size_t i, struct err *err)
{
	struct err why = ERR_INIT;
	bool broken;
	int r;

	if (!is_brief(n, n->cfg->datasets[i]) && run_flush(n, err))
		return -1;
	n->set = (struct run_set){.policy = n->cfg->datasets[i], .result = &n->ret->datasets[i]};
	n->ret->n_datasets = i + 1;
	n->set.result->copies = calloc(n->ret->n_media + 1, sizeof(*n->set.result->copies));
	if (!n->set.result->copies)
		return err_nomem(err);
	if (n->stopped)
		return not_begun(n, err);
	run_progress_dataset(n, i);
	r = begin_set(n, &why) ? -1 : capture_set(n, &why);
	if (!r)
		r = prepare_set(n, &why);
	if (r < 0)
		run_end_sets(n);
	run_give_room_back(n);
	revive_media(n);
	if (!r)
		return add_ready(n, err);
	broken = r < 0 && why.kind == ERR_CACHE;
	r = fail_set(n, &why, err);
	end_set(&n->set);
	/* the index is that of all data sets: the run ends, so that whoever began it can begin it once more */
	if (!r && broken) {
		*err = why;
		r = -1;
	}
	return r;
}
