/* run: the order of the steps of run.h, and steps 0, 1 and 3 themselves.
 *
 * run_run() → prepare() (step 0) → begin() (1) → finish_run(): capture_all() (2, run_set.c), record_failures() (3),
 * read_back() (4, 5), then what comes after in every case (6).  A commit is one call: run_committed() in
 * run_set.c.  Everything in front of it can be thrown away, everything after it is made up for by the next run. */
#include "write/run/run.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/chunker.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
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

void run_progress_bytes(void *arg, uint64_t bytes)
{
	struct run *n = arg;

	tell(n, n->captured + bytes, n->at.total, pack_new_bytes(n->with.pack));
}

void run_progress_dataset(struct run *n, size_t i)
{
	uint64_t expected = 0;
	bool known = true;

	n->captured = 0;
	for (size_t k = 0; k < i; k++)
		n->captured += n->ret->datasets[k].d.bytes;
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

void run_progress_copied(void *arg, const char *generation, uint64_t left, uint64_t bytes, uint64_t total)
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

/* ---- the steps ---- */

/* [["emr","documents"]]: those of the run that are captured together; NULL: each stands alone. */
static json_t *together_json(const struct run_config *cfg)
{
	json_t *groups = json_array();

	for (size_t i = 0, end; i < cfg->n_datasets; i = end) {
		json_t *names = json_array();

		for (end = i; end < cfg->n_datasets && policy_together(cfg->datasets[i], cfg->datasets[end]);
		     end++)
			json_array_append_new(names, json_string(cfg->datasets[end]->name));
		if (end - i > 1)
			json_array_append(groups, names);
		json_decref(names);
	}
	if (json_array_size(groups))
		return groups;
	json_decref(groups);
	return NULL;
}

/* Step 1: the number, and the record of it. */
static int begin(struct run *n, struct err *err)
{
	const bool seen = json_object_size(n->seen) > 0;
	json_t *names = json_array();
	char looked[CLOCK_TEXT], host[HOST_NAME_MAX + 1] = "";
	struct clock_stamp now;
	size_t i;

	for (i = 0; i < n->cfg->n_datasets; i++)
		json_array_append_new(names, json_string(n->cfg->datasets[i]->name));
	clock_now(&now);
	n->begun_ns = now.wall_ns;
	n->ret->run = ledger_next_run(state_ledger(n->cfg->state));
	state_uuid(n->uuid);
	(void)gethostname(host, sizeof(host) - 1);
	return state_append(n->cfg->state, "begin",
	    json_pack("{s:I, s:s, s:s, s:o, s:o*, s:O*, s:O*, s:s*}", "run", (json_int_t)n->ret->run, "uuid",
		n->uuid, "host", host, "datasets", names, "together", together_json(n->cfg), "here",
		json_object_get(n->seen, "here"), "away", json_object_get(n->seen, "away"), "looked",
		seen ? clock_format(n->looked_ns, looked) : NULL),
	    err);
}

void run_former(void *arg, const char *dataset, struct expect_former *ret)
{
	const struct ledger *l = state_ledger(((const struct run *)arg)->cfg->state);

	for (size_t i = ledger_generations(l); i-- > 0;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (strcmp(g->dataset, dataset) != 0 || g->state == LEDGER_GEN_FAILED || g->suspect ||
		    !ledger_good(g))
			continue;
		*ret = (struct expect_former){g->number, g->bytes, g->entries};
		return;
	}
}

static bool all_committed(const struct run *n)
{
	for (size_t i = 0; i < n->ret->n_datasets; i++)
		if (!n->ret->datasets[i].committed)
			return false;
	return n->ret->n_datasets == n->cfg->n_datasets;
}

/* Step 2.  -1: nothing can be recorded, or there is no medium at all. */
static int capture_all(struct run *n, struct err *err)
{
	struct timings_mark mark = timings_begin_phase();
	uint64_t bytes = 0;
	int r = 0;

	if (!n->media.n) {
		if (n->ret->n_media)
			*err = n->ret->media[0].why;
		else
			err_set(err, "E-RUN-02", "%s", text("the policy declares no online medium"));
		return err_wrap(err, "%s", text("no medium is there to write to"));
	}
	n->ret->datasets = calloc(n->cfg->n_datasets, sizeof(*n->ret->datasets));
	if (!n->ret->datasets)
		return err_nomem(err);
	for (size_t i = 0; i < n->cfg->n_datasets && !r; i++)
		r = run_set(n, i, err);
	if (run_flush(n, r ? NULL : err))
		r = -1;
	/* the index broke when nothing was left to be captured: begun once more, the run would find nothing due and call that well */
	if (r && err->kind == ERR_CACHE && all_committed(n)) {
		n->ret->slow = *err;
		r = 0;
	}
	run_end_sets(n);
	for (size_t i = 0; i < n->ret->n_datasets; i++)
		bytes += n->ret->datasets[i].d.bytes;
	timings_end_phase(&n->ret->timings, TIMING_CAPTURE, &mark, bytes);
	timings_close_capture(&n->ret->timings);
	return r;
}

static int read_back(struct run *n, struct err *err)
{
	struct timings_mark mark = timings_begin_phase();
	int r = run_read_back(n, err);

	/* who is told to end does so soon; the next run makes up for it */
	if (!r && !run_interrupted(n))
		r = run_catch_up(n, err);
	if (!r && !run_interrupted(n))
		r = run_reread(n, err);

	timings_end_phase(&n->ret->timings, TIMING_READBACK, &mark, 0);
	return r;
}

static void clean_up(struct run *n)
{
	run_end_sets(n);
	liveness_close(n->with.liveness);
	dedup_close(n->with.dedup);
	hmac_free(n->with.ids);
	chunker_free(n->with.chunker);
	free(n->wanted);
	json_decref(n->seen);
	free(n->ready);
	io_close_quietly(&n->with.cachefd);
	run_close_media(n);
}

/* The data sets that have no generation from this run, and why. */
static json_t *reasons(const struct run *n, const char *otherwise)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n->cfg->n_datasets; i++) {
		const struct run_dataset *s = i < n->ret->n_datasets ? &n->ret->datasets[i] : NULL;
		char reason[sizeof(((struct err *)0)->msg)];

		/* one that a medium has whole, and that could not be recorded, is not taken back: the next run finds it */
		if (!s || (!s->committed && !run_is_published(n, s)))
			json_array_append_new(
			    list, json_pack("{s:s, s:s}", "name", n->cfg->datasets[i]->name, "reason",
				      path_show(s && s->d.reason ? s->d.reason : otherwise, reason,
					  sizeof(reason))));
	}
	return list;
}

/* Step 3.  failure: what ended the run as a whole, or NULL.  What cannot be recorded is said with it; the next run's run_settle()
 * records it. */
static int record_failures(struct run *n, const struct err *failure, struct err *err)
{
	const char *why = failure ? failure->msg : text("no generation was made of it");
	char reason[sizeof(failure->msg)];
	json_t *sets = reasons(n, why), *said = NULL;

	if (!json_array_size(sets)) {
		json_decref(sets);
		return 0;
	}
	path_show(why, reason, sizeof(reason)); /* JSON wants UTF-8, and names are bytes */
	if (run_said(n, &said, err)) {
		json_decref(sets);
		return -1;
	}
	return state_append(n->cfg->state, "failed",
	    json_pack("{s:I, s:s, s:o, s:o*}", "run", (json_int_t)n->ret->run, "reason", reason, "datasets",
		sets, "said_age", said),
	    err);
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

static bool is_in(const struct policy_dataset *const *sets, size_t n, const struct policy_dataset *d)
{
	while (n && sets[n - 1] != d)
		n--;
	return n > 0;
}

/* The data sets to capture, the most urgent first, else as they were named: those that are still wanted (what an interrupted run left
 * complete may serve), and behind each what is captured together with it. */
static int narrow(struct run *n, struct run_config *own, struct err *err)
{
	const struct policy *p = n->cfg->policy;
	const struct policy_dataset **sets = calloc(p->n_datasets + 1, sizeof(*sets));
	size_t count = 0;

	if (!sets)
		return err_nomem(err);
	n->wanted = sets;
	for (size_t i = 0; i < n->cfg->n_datasets; i++) {
		const struct policy_dataset *d = n->cfg->datasets[i];

		if (is_in(sets, count, d) || (own->wanted && !own->wanted(own->wanted_arg, d)))
			continue;
		for (size_t k = 0; k < p->n_datasets; k++)
			if (policy_together(&p->datasets[k], d))
				sets[count++] = &p->datasets[k];
	}
	for (size_t i = 1; i < count; i++)
		for (size_t k = i; k && sets[k - 1]->turn > sets[k]->turn; k--) {
			const struct policy_dataset *d = sets[k];

			sets[k] = sets[k - 1];
			sets[k - 1] = d;
		}
	own->n_datasets = count;
	own->datasets = sets;
	n->cfg = own;
	return count ? 0 : RUN_NOTHING;
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

/* Whoever has this computer reaches what is attached. */
static void look_at_exposed(struct run *n)
{
	char planned[POLICY_PLAN_TEXT], span[CLOCK_SPAN];

	for (size_t i = 0; i < n->cfg->policy->n_media && !n->ret->exposed.code[0]; i++) {
		const struct policy_medium *m = &n->cfg->policy->media[i];
		const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(n->cfg->state), m->name);
		const int64_t here_s = lm ? (n->looked_ns - lm->attach_ns) / SECOND_NS : 0;

		if (!m->offline || !lm || !lm->attached || here_s <= compliance_attach_s(m))
			continue;
		err_set(&n->ret->exposed, "W-EXPOSED-01",
		    text("'%s' has been attached for %s, at most %s are planned: this computer's troubles "
			 "reach it"),
		    m->name, compliance_span(here_s, span, sizeof(span)),
		    policy_plan_duration(compliance_attach_s(m), planned));
		err_hint(&n->ret->exposed,
		    text("rotate it where that is due ('bkp rotate %s --operator NAME'), unmount it and take "
			 "it "
			 "away"),
		    m->name);
	}
}

static int look_for_media(struct run *n, struct err *err)
{
	struct clock_stamp now;

	clock_now(&now);
	n->looked_ns = now.wall_ns;
	n->seen = json_object();
	if (attendance_record(n->cfg->state, n->cfg->policy, n->seen, err))
		return -1;
	look_at_exposed(n);
	return 0;
}

static int prepare(struct run *n, struct run_config *own, struct err *err)
{
	look_at_policy(n);
	if (run_open_media(n, err) || run_histories(n, err) || look_at_clock(n, err) ||
	    run_new_epoch(n, err) || look_for_media(n, err) ||
	    agreement_raise(n->cfg->state, n->cfg->policy, err) || finish_expiry(n, err) ||
	    run_open_index(n, err) || run_settle(n, err))
		return -1;
	return narrow(n, own, err);
}

static bool any_committed(const struct run *n)
{
	for (size_t i = 0; i < n->ret->n_datasets; i++)
		if (n->ret->datasets[i].committed)
			return true;
	return false;
}

static int nothing_captured(const struct run *n, struct err *err)
{
	const struct run_dataset *first = &n->ret->datasets[0];

	return err_set(err, "E-RUN-01", text("no data set could be captured; '%s': %s"), first->d.name,
	    first->d.reason ? first->d.reason : text("no reason is on record"));
}

/* Steps 2 to 6; 6 whatever became of the others. */
static int finish_run(struct run *n, struct err *err)
{
	struct err why = ERR_INIT;
	int r = capture_all(n, err);

	if (!r && !any_committed(n))
		r = nothing_captured(n, err);
	if (record_failures(n, r ? err : NULL, &why)) {
		if (r)
			err_wrap(err, text("this could not be recorded (%s)"), why.msg);
		else
			*err = why;
		r = -1;
	}
	if (any_committed(n) && !r)
		r = read_back(n, err);
	else if (any_committed(n))
		run_leave_unread(n);
	run_medium_docs(n);
	run_tell_replaced(n);
	run_copy_journal(n);
	return r;
}

int run_run(const struct run_config *cfg, struct run_result *ret, struct err *err)
{
	struct run n = {.cfg = cfg, .ret = ret, .with.cachefd = -1};
	struct run_config own = *cfg;
	struct err local = ERR_INIT;
	int r;

	memset(ret, 0, sizeof(*ret));
	reserve_keep(cfg->state);
	r = prepare(&n, &own, &local);
	if (!r && begin(&n, &local)) {
		ret->run = 0;
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

static void free_dataset(struct generation_dataset *d)
{
	free(d->name);
	free(d->title);
	free(d->reason);
	free(d->blocks);
	free(d->probe);
	free(d->version);
	free(d->suspicion);
	free(d->notice);
	free(d->placed_wrong);
	free(d->said);
	free(d->harm);
	free(d->blind);
	for (size_t k = 0; k < d->n_canaries; k++)
		free(d->canaries[k].path);
	free(d->canaries);
}

void run_result_free(struct run_result *r)
{
	for (size_t i = 0; i < r->n_datasets; i++) {
		free_dataset(&r->datasets[i].d);
		free(r->datasets[i].copies);
	}
	free(r->datasets);
	for (size_t i = 0; i < r->n_media; i++)
		free(r->media[i].label);
	free(r->media);
}
