/* run: the order of the steps of run.h, and steps 1 and 2 themselves.
 *
 * run_run() → prepare() (step 0) → begin() (1) → finish_run(): make_generation() = store() (2) and commit() (3
 * to 5), then read_back() (6, 7), then what comes after in every case (8).  The commit is one call:
 * run_committed() in commit().  Everything in front of it can be thrown away, everything after it is made up
 * for by the next run. */
#include "write/run/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/chunker.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "write/copies/readback.h"
#include "write/expect/expect.h"
#include "write/index/dedup.h"
#include "write/liveness/liveness.h"
#include "write/media/attendance.h"
#include "write/run/run_private.h"
#include "write/state/agreement.h"
#include "write/state/clockwatch.h"
#include "write/state/reserve.h"
#include "write/state/state.h"
#include "write/pack/pack.h"
#include "write/reap/reap.h"
#include "write/pack/vault_w.h"
/* ---- which archives may be referred to ---- */

/* of the archives that are there, which ones a run may refer to; see liveness.h.
 *
 * The ledger says which generations hold each data set of the policy; liveness_plan() does the rest.  --anchor
 * needs no plan: nothing is referred to. */

/* ---- how far it is ---- */

/* what a run tells of how far it is; see run.h.  Its parts are the capture and, for each
 * medium, what is read back from it. */

static void tell(struct run *n, uint64_t done, uint64_t total, uint64_t fresh)
{
	n->at.done = done;
	n->at.total = total;
	n->at.fresh = fresh;
	if (n->cfg->progress)
		n->cfg->progress(n->cfg->cb.arg, &n->at);
}

static void run_progress_bytes(void *arg, uint64_t bytes)
{
	struct run *n = arg;

	tell(n, n->captured + bytes, n->at.total, pack_new_bytes(n->with.pack));
}

static void run_progress_dataset(struct run *n, size_t i)
{
	uint64_t expected = 0;
	bool known = true;

	n->captured = 0;
	for (size_t k = 0; k < i; k++)
		n->captured += n->ret->datasets[k].bytes;
	for (size_t k = i; k < n->cfg->n_datasets && known; k++) {
		struct expect_former f = {0};

		run_former(n, n->cfg->datasets[k]->name, &f);
		known = f.generation != 0;
		expected += f.bytes;
	}
	n->at = (struct run_progress){.part = text("capture"),
	    .of = n->cfg->datasets[i]->name,
	    .number = 1,
	    .parts = 1 + (unsigned)n->media.n,
	    .estimated = true,
	    .total = known ? n->captured + expected : 0};
}

static void on_read_back(void *arg, uint64_t bytes, uint64_t total)
{
	struct run *n = arg;

	n->at.part = text("read-back");
	tell(n, bytes, total, bytes);
}

void run_progress_copied(void *arg, uint64_t generation, uint64_t left, uint64_t bytes, uint64_t total)
{
	struct run *n = arg;

	(void)generation, (void)left;
	n->at.part = text("catching up");
	tell(n, bytes, total, bytes);
}

void run_progress_medium(struct run *n, size_t i)
{
	n->at = (struct run_progress){.of = n->media.online[i].report->label,
	    .number = 2 + (unsigned)i,
	    .parts = 1 + (unsigned)n->media.n};
	readback_on_progress(n->media.online[i].readback, on_read_back, n);
}

/* ---- the rest ---- */

static bool holds(const struct ledger_generation *g, const char *dataset)
{
	for (size_t i = 0; g->state == LEDGER_COMMITTED && i < g->n_datasets; i++)
		if (!strcmp(g->datasets[i].name, dataset))
			return g->datasets[i].verdict == LEDGER_GOOD ||
			       g->datasets[i].verdict == LEDGER_PARTIAL;
	return false;
}

static int generations_of(const struct ledger *l, struct liveness_dataset *set, struct err *err)
{
	uint64_t *all = calloc(ledger_generations(l) + 1, sizeof(*all));

	if (!all)
		return err_nomem(err);
	set->generations = all;
	for (size_t i = 0; i < ledger_generations(l); i++)
		if (holds(ledger_generation(l, i), set->name))
			all[set->n_generations++] = ledger_generation(l, i)->number;
	return 0;
}

static int plan(struct run *n, struct liveness_dataset *sets, struct err *err)
{
	const struct policy *policy = n->cfg->policy;
	const struct liveness_limits limits = {
	    policy->live_share, policy->anchor_every, policy->archive_size};
	struct liveness_figures figures;

	for (size_t i = 0; i < policy->n_datasets; i++) {
		sets[i].name = policy->datasets[i].name;
		for (size_t k = 0; k < n->cfg->n_datasets; k++)
			sets[i].in_this_run |= !strcmp(sets[i].name, n->cfg->datasets[k]->name);
		if (generations_of(state_ledger(n->cfg->state), &sets[i], err))
			return -1;
	}
	return liveness_plan(
	    n->with.liveness, n->with.dedup, &limits, sets, policy->n_datasets, &figures, err);
}

/* Opens n->liveness, and refuses what is not worth referring to */
static int run_refuse_archives(struct run *n, struct err *err)
{
	size_t count = n->cfg->policy->n_datasets;
	struct liveness_dataset *sets = calloc(count + 1, sizeof(*sets));
	IO_FD_AUTO cache = io_make_dir(state_dirfd(n->cfg->state), "cache", 0700, err);
	int r = -1;

	if (!sets)
		err_nomem(err);
	else if (cache >= 0)
		r = liveness_open(
			cache, state_repository(n->cfg->state), n->ret->generation, &n->with.liveness, err) ||
			    (!n->cfg->anchor && plan(n, sets, err))
			? -1
			: 0;
	for (size_t i = 0; sets && i < count; i++)
		free((void *)(uintptr_t)sets[i].generations);
	free(sets);
	return r;
}

/* ---- the rest ---- */

/* Step 1: the number, and the record of it. */
static int begin(struct run *n, struct err *err)
{
	json_t *names = json_array();
	struct clock_stamp now;
	size_t i;

	for (i = 0; i < n->cfg->n_datasets; i++)
		json_array_append_new(names, json_string(n->cfg->datasets[i]->name));
	clock_now(&now);
	n->made.begun_ns = now.wall_ns;
	n->ret->generation = ledger_next_generation(state_ledger(n->cfg->state));
	state_uuid(n->made.uuid);
	return state_append(n->cfg->state, "begin",
	    json_pack("{s:I, s:s, s:o}", "generation", (json_int_t)n->ret->generation, "uuid", n->made.uuid,
		"datasets", names),
	    err);
}

/* An archive may be referred to again when some online medium has it: the others are supplied from there. */
static int on_some_medium(void *arg, const struct dedup_archive *a, struct err *err)
{
	struct run *n = arg;
	size_t i;

	(void)err;
	for (i = 0; i < n->media.n; i++)
		if (vault_w_has_archive(n->media.online[i].vault, a->sha256, a->size, NULL) == 1)
			return 1;
	return 0;
}

static int open_dedup(struct run *n, struct err *err)
{
	char path[4096];
	IO_FD_AUTO cache = io_make_dir(state_dirfd(n->cfg->state), "cache", 0700, err);

	if (cache < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/" RUN_INDEX, state_path(n->cfg->state));
	return dedup_open(path, state_repository(n->cfg->state), &n->with.dedup, err);
}

/* The index may be gone or older than the journal, and the other way round: numbers of archives go on after the
 * greater of what both say, so that none is given out twice. */
static int open_pack(struct run *n, struct err *err)
{
	struct pack_config cfg = {
	    .repository = state_repository(n->cfg->state),
	    .random = state_random(),
	    .dedup = n->with.dedup,
	    .sinks = n->media.sinks,
	    .n_sinks = n->media.n,
	    .timings = &n->ret->timings,
	    .archive_size = n->cfg->policy->archive_size,
	    .next_archive = ledger_next_archive(state_ledger(n->cfg->state)),
	    .generation = n->ret->generation,
	};

	cfg.recipients = state_recipients(n->cfg->state, &cfg.n_recipients);
	if (cfg.next_archive <= dedup_last_archive(n->with.dedup))
		cfg.next_archive = dedup_last_archive(n->with.dedup) + 1;
	n->with.ids = hmac_new(state_chunk_id_key(n->cfg->state), STATE_KEY);
	n->with.chunker = chunker_new(state_chunker_seed(n->cfg->state));
	if (!n->with.ids || !n->with.chunker)
		return err_nomem(err);
	cfg.ids = n->with.ids;
	if ((!n->cfg->anchor && dedup_check_available(n->with.dedup, on_some_medium, n, err)) ||
	    run_refuse_archives(n, err))
		return -1;
	cfg.liveness = n->with.liveness;
	return pack_new(&cfg, &n->with.pack, err);
}

/* The time of --until came before the data set's turn. */
static int not_begun(const struct policy_dataset *d, struct generation_dataset *ret, struct err *err)
{
	ret->name = strdup(d->name);
	ret->title = d->title ? strdup(d->title) : NULL;
	ret->source = policy_source(d);
	ret->verdict = GENERATION_FAILED;
	ret->reason = strdup(text("not begun: the run was to end before its turn came"));
	return ret->name && ret->reason && (ret->title || !d->title) ? 0 : err_nomem(err);
}

void run_former(void *arg, const char *dataset, struct expect_former *ret)
{
	const struct ledger *l = state_ledger(((const struct run *)arg)->cfg->state);

	for (size_t i = ledger_generations(l); i-- > 0;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		for (size_t k = 0; g->state != LEDGER_GEN_FAILED && !g->suspect && k < g->n_datasets; k++) {
			const struct ledger_dataset *d = &g->datasets[k];

			if (strcmp(d->name, dataset) != 0 || !ledger_good(g, d))
				continue;
			*ret = (struct expect_former){g->number, d->bytes, d->entries};
			return;
		}
	}
}

/* Step 2.  Data sets one after the other, each judged by the guard as soon as it is captured.  When the run is
 * stopped the rest are recorded as not begun, and what was captured well is committed all the same. */
static int capture_all(struct run *n, struct err *err)
{
	char scratch[4096];
	struct capture_config cfg = {.pack = n->with.pack,
	    .ids = n->with.ids,
	    .chunker = n->with.chunker,
	    .scratch = scratch,
	    .now_ns = n->made.begun_ns,
	    .cb = n->cfg->cb,
	    .repository = state_repository(n->cfg->state),
	    .anew = n->cfg->anchor,
	    .timings = &n->ret->timings,
	    .generation = n->ret->generation,
	    .locale = n->cfg->policy->locale,
	    .former = run_former,
	    .former_arg = n,
	    .reported = run_was_reported,
	    .reported_arg = n};
	const struct capture_callbacks *cb = &n->cfg->cb;
	struct capture *c = NULL;
	bool stopped = false;
	size_t i, good = 0;
	int r = 0;

	cfg.cb.progress = run_progress_bytes;
	cfg.cb.progress_arg = n;
	snprintf(scratch, sizeof(scratch), "%s/cache", state_path(n->cfg->state));
	n->ret->datasets = calloc(n->cfg->n_datasets, sizeof(*n->ret->datasets));
	if (!n->ret->datasets)
		return err_nomem(err);
	if (capture_new(&cfg, &c, err))
		return -1;
	for (i = 0; i < n->cfg->n_datasets && !r; i++) {
		struct generation_dataset *d = &n->ret->datasets[i];

		n->ret->n_datasets = i + 1;
		run_progress_dataset(n, i);
		r = stopped ? not_begun(n->cfg->datasets[i], d, err)
			    : capture_dataset(c, n->cfg->datasets[i], d, err);
		r = r || run_guard(n, n->cfg->datasets[i], d, err) ? -1 : 0;
		good += !r && d->verdict != GENERATION_FAILED;
		stopped = stopped || capture_stopped(c) || (cb->stop && cb->stop(cb->arg));
	}
	n->ret->slow = *capture_cache_fault(c);
	capture_free(c);
	if (r)
		return -1;
	/* what was stored of a data set that was stopped is found by the next run */
	if (stopped && pack_finish(n->with.pack, err))
		return -1;
	if (!good)
		return err_set(err, "E-RUN-01", text("no data set could be captured; '%s': %s"),
		    n->ret->datasets[0].name,
		    n->ret->datasets[0].reason ? n->ret->datasets[0].reason : text("no reason is on record"));
	r = stopped ? 0 : pack_finish(n->with.pack, err);
	n->ret->new_bytes = pack_new_bytes(n->with.pack);
	return r;
}

static int store(struct run *n, struct err *err)
{
	struct timings_mark mark = timings_begin_phase();
	uint64_t bytes = 0;
	int r = open_pack(n, err) || capture_all(n, err) ? -1 : 0;

	for (size_t i = 0; i < n->ret->n_datasets; i++)
		bytes += n->ret->datasets[i].bytes;
	timings_end_phase(&n->ret->timings, TIMING_CAPTURE, &mark, bytes);
	timings_close_capture(&n->ret->timings);
	return r;
}

/* Steps 3 to 5.  The order is the transaction: archives, then the documents that list them, then the record. */
static int commit(struct run *n, struct err *err)
{
	struct timings_mark mark = timings_begin_phase();
	int r = pack_needed(n->with.pack, &n->made.needed, &n->made.n_needed, err) || run_supply(n, err) ||
			run_documents(n, err) || run_publish(n, err) || run_committed(n, err)
		    ? -1
		    : 0;

	timings_end_phase(&n->ret->timings, TIMING_COMMIT, &mark, 0);
	return r;
}

static int read_back(struct run *n, struct err *err)
{
	struct timings_mark mark = timings_begin_phase();
	int r = run_read_back(n, err);

	/* who is told to end does so soon; the next run makes up for it */
	if (!r && !run_interrupted(n))
		r = run_catch_up(n, err);

	timings_end_phase(&n->ret->timings, TIMING_READBACK, &mark, 0);
	return r;
}

/* Steps 2 to 5.  -1: nothing was reported. */
static int make_generation(struct run *n, struct err *err)
{
	if (!n->media.n) {
		if (n->ret->n_media)
			*err = n->ret->media[0].why;
		else
			err_set(err, "E-RUN-02", "%s", text("the policy declares no online medium"));
		return err_wrap(err, "%s", text("no medium is there to write to"));
	}
	if (store(n, err) || commit(n, err))
		return -1;
	liveness_commit(n->with.liveness);
	return 0;
}

static void clean_up(struct run *n)
{
	pack_free(n->with.pack);
	liveness_close(n->with.liveness);
	dedup_close(n->with.dedup);
	hmac_free(n->with.ids);
	chunker_free(n->with.chunker);
	free(n->made.needed);
	free(n->wanted);
	buf_free(&n->made.manifest);
	buf_free(&n->made.root);
	buf_free(&n->made.sums);
	buf_free(&n->made.sig);
	run_close_media(n);
}

/* Why each data set that was tried failed. */
static json_t *reasons(const struct run *n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n->ret->n_datasets; i++) {
		const struct generation_dataset *d = &n->ret->datasets[i];
		char reason[sizeof(((struct err *)0)->msg)];

		if (d->verdict == GENERATION_FAILED && d->name && d->reason)
			json_array_append_new(list, json_pack("{s:s, s:s}", "name", d->name, "reason",
							path_show(d->reason, reason, sizeof(reason))));
	}
	return list;
}

/* A failure that cannot be recorded either is said with it; the next run's run_settle() records it. */
static void record_failure(struct run *n, struct err *failure)
{
	char reason[sizeof(failure->msg)];
	struct err why = ERR_INIT;
	json_t *said = NULL;
	int r = run_said(n, true, &said, &why);

	path_show(failure->msg, reason, sizeof(reason)); /* JSON wants UTF-8, and names are bytes */
	if (state_append(n->cfg->state, "failed",
		json_pack("{s:I, s:s, s:o, s:o*}", "generation", (json_int_t)n->ret->generation, "reason",
		    reason, "datasets", reasons(n), "said_age", said),
		&why) ||
	    r)
		err_wrap(failure, text("this could not be recorded (%s)"), why.msg);
}

static int look_at_clock(struct run *n, struct err *err)
{
	struct store *media = calloc(n->media.n + 1, sizeof(*media));
	int r;

	if (!media)
		return err_nomem(err);
	for (size_t i = 0; i < n->media.n; i++)
		media[i] = *medium_repo(n->media.online[i].medium);
	r = clockwatch_run(n->cfg->state, n->cfg->policy, media, n->media.n, &n->ret->clock, err);
	free(media);
	return r;
}

/* What an expiry that was interrupted has left on the media. */
static int finish_expiry(struct run *n, struct err *err)
{
	for (size_t i = 0; i < n->media.n; i++) {
		const struct reap reap = {
		    .state = n->cfg->state, .policy = n->cfg->policy, .medium = n->media.online[i].medium};
		const struct journal_copies_finding *f = &n->media.online[i].finding;
		struct reap_result done;

		/* what this host's journal says is not what is remembered there, or it carries another
		 * history's keys */
		if (n->media.sinks[i].failed || (f->found && !strcmp(f->found, "forked")))
			continue;
		if (reap_finish(&reap, &done, err))
			return -1;
		if (done.why.code[0] && !n->ret->reaped.code[0])
			n->ret->reaped = done.why;
	}
	return 0;
}

/* Those of the data sets that are still wanted; what an interrupted run left complete may serve. */
static int narrow(struct run *n, struct run_config *own, struct err *err)
{
	const struct policy_dataset **sets;

	if (!own->wanted)
		return 0;
	sets = calloc(own->n_datasets, sizeof(*sets));
	if (!sets)
		return err_nomem(err);
	n->wanted = sets;
	for (size_t i = 0; i < n->cfg->n_datasets; i++)
		if (own->wanted(own->wanted_arg, n->cfg->datasets[i]))
			*sets++ = n->cfg->datasets[i];
	own->n_datasets = (size_t)(sets - n->wanted);
	own->datasets = n->wanted;
	n->cfg = own;
	return own->n_datasets ? 0 : RUN_NOTHING;
}

static void look_at_policy(struct run *n)
{
	char since[CLOCK_TEXT];
	const char *first;
	int64_t since_ns;
	const size_t k = ledger_narrowed(state_ledger(n->cfg->state), &first, &since_ns);

	if (!k)
		return;
	err_set(&n->ret->narrowed, "W-POLICY-01",
	    text("the policy was changed at %s so that less is captured or guarded; undone or not, nobody "
		 "has accepted "
		 "it: %s (changes of this kind: %zu)"),
	    clock_format_local(since_ns, since), first, k);
	err_hint(&n->ret->narrowed, "%s",
	    text("read 'bkp journal show', then 'bkp accept --policy-change --operator NAME --reason TEXT'"));
}

static int prepare(struct run *n, struct run_config *own, struct err *err)
{
	look_at_policy(n);
	if (run_open_media(n, err) || run_histories(n, err) || look_at_clock(n, err) ||
	    run_new_epoch(n, err) || attendance_record(n->cfg->state, n->cfg->policy, err) ||
	    agreement_raise(n->cfg->state, n->cfg->policy, err) || finish_expiry(n, err) ||
	    open_dedup(n, err) || run_settle(n, err))
		return -1;
	return narrow(n, own, err);
}

/* Steps 2 to 8; 8 whatever became of the others. */
static int finish_run(struct run *n, struct err *err)
{
	int r = make_generation(n, err);

	if (r) {
		/* its threads write to the media: they end before anything else is written there */
		pack_free(n->with.pack);
		n->with.pack = NULL;
		record_failure(n, err);
	} else {
		r = read_back(n, err);
	}
	run_medium_docs(n);
	run_tell_replaced(n);
	run_copy_journal(n);
	return r;
}

int run_run(const struct run_config *cfg, struct run_result *ret, struct err *err)
{
	struct run n = {.cfg = cfg, .ret = ret};
	struct run_config own = *cfg;
	struct err local = ERR_INIT;
	int r;

	memset(ret, 0, sizeof(*ret));
	reserve_keep(cfg->state);
	r = prepare(&n, &own, &local);
	if (!r && begin(&n, &local)) {
		ret->generation = 0;
		r = -1;
	} else if (!r) {
		r = finish_run(&n, &local);
	} else if (r == RUN_NOTHING) {
		run_tell_replaced(&n);
		run_copy_journal(&n);
	}
	clean_up(&n);
	if (r < 0 && err)
		*err = local;
	return r;
}

void run_result_free(struct run_result *r)
{
	size_t i;

	for (i = 0; i < r->n_datasets; i++) {
		free(r->datasets[i].name);
		free(r->datasets[i].title);
		free(r->datasets[i].reason);
		free(r->datasets[i].blocks);
		free(r->datasets[i].probe);
		free(r->datasets[i].suspicion);
		free(r->datasets[i].said);
		free(r->datasets[i].blind);
		for (size_t k = 0; k < r->datasets[i].n_canaries; k++)
			free(r->datasets[i].canaries[k].path);
		free(r->datasets[i].canaries);
	}
	free(r->datasets);
	for (i = 0; i < r->n_media; i++)
		free(r->media[i].label);
	free(r->media);
}
