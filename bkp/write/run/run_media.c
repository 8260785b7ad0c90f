/* run_media: step 0 of the run: which media are there, and what an earlier run left open; see run.h.
 *
 * A medium that cannot be opened keeps its row in the result, with the reason, and has no place in
 * run.media.online.  run_settle() believes the media and not the dead run: a generation counts as published when its
 * signature, its documents and the presence and size of all its archives say so, and when it is signed with
 * the key of the epoch in which it was begun. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/copies/readback.h"
#include "write/index/dedup.h"
#include "write/media/attendance.h"
#include "write/media/journal_copies.h"
#include "write/run/run_private.h"
#include "write/state/state.h"
#include "write/pack/pack.h"
#include "write/pack/vault_w.h"
/* ---- copies of the journal ---- */

/* the journal and the media of the run: who knows more, who signs from now on, who gets a
 * copy; see run.h and journal_copies.h. */

int run_histories(struct run *n, struct err *err)
{
	size_t i;

	for (i = 0; i < n->media.n; i++) {
		struct run_online *o = &n->media.online[i];
		struct err why = ERR_INIT;
		int r = journal_copies_check(n->cfg->state, o->medium, &o->finding, &why);

		if (r == JOURNAL_COPIES_AHEAD) {
			if (err)
				*err = why;
			return -1;
		}
		/* a copy that cannot be read is said when it is to be replaced */
		if (!r)
			o->report->history = o->finding.why;
	}
	return 0;
}

/* From here on records are made, signed with a key that every medium knows before it gets anything of it. */
int run_new_epoch(struct run *n, struct err *err)
{
	struct err why = ERR_INIT;
	size_t i;

	if (state_new_epoch(n->cfg->state, err))
		return -1;
	for (i = 0; i < n->media.n; i++) {
		struct run_online *o = &n->media.online[i];

		if (o->finding.found && journal_copies_record(n->cfg->state, o->medium, &o->finding, err))
			return -1;
		if (journal_copies_put_keys(n->cfg->state, medium_repo(o->medium), &o->replaced, &why))
			run_drop(n, i, &why);
	}
	return 0;
}

void run_copy_journal(struct run *n)
{
	struct err why = ERR_INIT;
	/* the mark is taken before anything is copied: what is recorded is never more than what is there */
	STORE_FILE_AUTO journal = {0};
	const bool opened = !state_journal(n->cfg->state, &journal, &why);
	const char **copied = calloc(n->media.n + 1, sizeof(*copied));
	struct run_medium *last = NULL; /* that got it */
	struct journal_copies_mark mark;
	size_t i, n_copied = 0;

	if (!copied)
		err_nomem(&why);
	journal_copies_mark(n->cfg->state, &mark);
	for (i = 0; i < n->media.n; i++) {
		struct run_online *o = &n->media.online[i];

		if (n->media.sinks[i].failed)
			continue;
		if (copied && opened &&
		    !vault_w_put_journal(
			o->vault, &journal, ledger_size(state_ledger(n->cfg->state)), false, &why)) {
			copied[n_copied++] = o->report->uuid;
			last = o->report;
			continue;
		}
		/* the generation is there; that the copy of the journal is not is for a person to see */
		o->report->undone = why;
	}
	if (copied && journal_copies_copied(n->cfg->state, &mark, copied, n_copied, &why) && last)
		last->undone = why;
	free(copied);
}

/* ---- the rest ---- */

static int open_one(
    struct run *n, const struct policy_medium *pm, struct run_medium *row, struct run_online *o)
{
	const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(n->cfg->state), pm->name);
	struct medium_expect want = {.repository = state_repository(n->cfg->state), .label = pm->name};

	if (!lm)
		return attendance_unregistered(state_ledger(n->cfg->state), pm->name, pm->path, &row->why);
	memcpy(row->uuid, lm->uuid, sizeof(row->uuid));
	want.uuid = lm->uuid;
	want.keys = state_keys(n->cfg->state, &want.n_keys);
	if (medium_open(pm->path, &want, &o->medium, &row->why))
		return -1;
	if (vault_w_open(medium_repo(o->medium), &o->vault, &row->why)) {
		medium_close(o->medium);
		o->medium = NULL;
		return -1;
	}
	return 0;
}

int run_open_media(struct run *n, struct err *err)
{
	const struct policy *p = n->cfg->policy;
	size_t i;

	n->ret->media = calloc(p->n_media, sizeof(*n->ret->media));
	n->media.online = calloc(p->n_media, sizeof(*n->media.online));
	n->media.sinks = calloc(p->n_media, sizeof(*n->media.sinks));
	if (!n->ret->media || !n->media.online || !n->media.sinks)
		return err_nomem(err);
	for (i = 0; i < p->n_media; i++) {
		const struct policy_medium *pm = &p->media[i];
		struct run_online *o = &n->media.online[n->media.n];
		struct run_medium *row;

		if (pm->offline)
			continue;
		row = &n->ret->media[n->ret->n_media++];
		row->label = strdup(pm->name);
		if (!row->label)
			return err_nomem(err);
		if (open_one(n, pm, row, o))
			continue;
		o->report = row;
		n->media.sinks[n->media.n].vault = o->vault;
		n->media.n++;
	}
	return 0;
}

void run_close_media(struct run *n)
{
	size_t i;

	for (i = 0; i < n->media.n; i++) {
		struct run_online *o = &n->media.online[i];

		o->report->written = vault_w_written(o->vault);
		o->report->unfrozen = vault_w_unfrozen(o->vault, &o->report->unfrozen_errno);
		replaced_free(&o->replaced);
		readback_close(o->readback);
		vault_w_close(o->vault);
		medium_close(o->medium);
	}
	free(n->media.online);
	free(n->media.sinks);
}

void run_drop(struct run *n, size_t i, const struct err *why)
{
	n->media.sinks[i].failed = true;
	n->media.sinks[i].why = *why;
	n->media.online[i].dropped = true;
}

bool run_any_left(const struct run *n)
{
	size_t i;

	for (i = 0; i < n->media.n; i++)
		if (!n->media.sinks[i].failed)
			return true;
	return false;
}

/* ---- generations that an earlier run left open ---- */

/* A generation that was begun and has no end: a copy, because records change what the ledger gave. */
struct left_open {
	char dataset[GENERATION_NAME], uuid[GENERATION_UUID];
	uint64_t number;
	uint32_t epoch;
};

/* Is it complete on the medium?  Then *ret is open. */
static bool complete_there(struct run *n, size_t i, const struct left_open *o, struct vault_r **ret_v,
    struct vault_r_generation **ret_g)
{
	uint64_t faults = 1;

	if (vault_r_open_medium(
		n->media.online[i].medium, state_repository(n->cfg->state), NULL, ret_v, NULL)) {
		*ret_v = NULL;
		return false;
	}
	if (!vault_r_generation_open(*ret_v, o->dataset, o->number, ret_g, NULL)) {
		/* one that was begun long ago is not believed of who could sign only since */
		if (!strcmp(vault_r_manifest(*ret_g)->id.uuid, o->uuid) &&
		    vault_r_generation_epoch(*ret_g) == o->epoch &&
		    !vault_r_presence(*ret_v, *ret_g, NULL, NULL, &faults, NULL) && faults == 0)
			return true;
		vault_r_generation_close(*ret_g);
	}
	vault_r_close(*ret_v);
	return false;
}

/* The "committed" record of a generation that was published but not reported; media is consumed. */
static int record_settled(
    struct run *n, struct vault_r *v, const struct vault_r_generation *g, json_t *media, struct err *err)
{
	const struct generation_manifest *m = vault_r_manifest(g);
	/* the index may be gone, and the ledger knows nothing of it yet: no number is given out twice */
	uint64_t highest = run_highest_archive(n, v, g);
	char hex[DIGEST_HEX];
	json_t *o;

	if (dedup_use(n->with.dedup, m->id.dataset, err)) {
		json_decref(media);
		return -1;
	}
	if (highest < dedup_last_archive(n->with.dedup))
		highest = dedup_last_archive(n->with.dedup);
	o = json_pack("{s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:o, s:b}", "dataset", m->id.dataset,
	    "generation", (json_int_t)m->id.number, "uuid", m->id.uuid, "manifest_sha256",
	    digest_hex(vault_r_manifest_sha256(g), DIGEST_LEN, hex), "archives", (json_int_t)m->archives,
	    "archive_bytes", (json_int_t)m->archive_bytes, "new_bytes", (json_int_t)0, "next_archive",
	    (json_int_t)(highest + 1), "media", media, "recovered", 1);
	run_put_dataset(o, &m->dataset);
	return state_append(n->cfg->state, "committed", o, err);
}

/* Looks on every online medium.  1: recorded as committed, 0: nowhere complete, -1. */
static int report_if_complete(struct run *n, const struct left_open *o, struct err *err)
{
	struct vault_r_generation *whole = NULL; /* on the first medium that has it */
	struct vault_r *of = NULL;
	json_t *media = json_array();
	int r;

	for (size_t i = 0; i < n->media.n; i++) {
		struct vault_r *v = NULL;
		struct vault_r_generation *g = NULL;
		const struct policy_medium *pm =
		    policy_find_medium(n->cfg->policy, n->media.online[i].report->label);
		bool ok = complete_there(n, i, o, &v, &g);

		/* one that is not to hold it lacks nothing */
		if (!ok && !policy_medium_holds(pm, o->dataset))
			continue;

		json_array_append_new(
		    media, json_pack("{s:s, s:s, s:b, s:b, s:s*}", "medium", n->media.online[i].report->uuid,
			       "label", n->media.online[i].report->label, "ok", ok, "frozen", 0, "reason",
			       ok ? NULL : "interrupted"));
		if (ok && !whole) {
			whole = g;
			of = v;
		} else if (ok) {
			vault_r_generation_close(g);
			vault_r_close(v);
		}
	}
	if (!whole) {
		json_decref(media);
		return 0;
	}
	r = record_settled(n, of, whole, media, err) ? -1 : 1;
	vault_r_generation_close(whole);
	vault_r_close(of);
	return r;
}

/* All that are open, oldest first, as an array of *ret_n that the caller frees. */
static int collect_open(const struct run *n, struct left_open **ret, size_t *ret_n, struct err *err)
{
	const struct ledger *l = state_ledger(n->cfg->state);
	struct left_open *all = calloc(ledger_generations(l) + 1, sizeof(*all));
	size_t count = 0;

	if (!all)
		return err_nomem(err);
	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		struct left_open *o = &all[count];

		if (g->state != LEDGER_BEGUN && g->state != LEDGER_ABANDONED)
			continue;
		snprintf(o->dataset, sizeof(o->dataset), "%s", g->dataset);
		memcpy(o->uuid, g->uuid, sizeof(o->uuid));
		o->number = g->number;
		o->epoch = g->epoch;
		count++;
	}
	*ret = all;
	*ret_n = count;
	return 0;
}

/* The data sets of one run that are nowhere complete; sets is consumed. */
static int record_interrupted(struct run *n, uint64_t number, json_t *sets, struct err *err)
{
	if (!json_array_size(sets)) {
		json_decref(sets);
		return 0;
	}
	n->ret->given_up += json_array_size(sets);
	return state_append(n->cfg->state, "failed",
	    json_pack(
		"{s:I, s:s, s:o}", "run", (json_int_t)number, "reason", "interrupted", "datasets", sets),
	    err);
}

int run_settle(struct run *n, struct err *err)
{
	struct left_open *all;
	size_t count, i = 0;
	int r;

	if (collect_open(n, &all, &count, err))
		return -1;
	for (r = 0; !r && i < count;) {
		const uint64_t number = all[i].number;
		json_t *failed = json_array();

		for (; r >= 0 && i < count && all[i].number == number; i++) {
			r = report_if_complete(n, &all[i], err);
			if (r == 1)
				n->ret->recovered++;
			else if (!r)
				json_array_append_new(failed,
				    json_pack("{s:s, s:s}", "name", all[i].dataset, "reason", "interrupted"));
		}
		if (r < 0)
			json_decref(failed);
		else
			r = record_interrupted(n, number, failed, err);
	}
	free(all);
	return r < 0 ? -1 : 0;
}
