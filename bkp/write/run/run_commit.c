/* run_commit: the end of step 2 of the run, and steps 4 to 6: from captured archives to a reported, read-back generation; see
 * run.h.
 *
 * What belongs to a medium stays with the medium: a fault drops it (run_drop()) or stands in its row of the
 * result (`why`, `undone`).  -1 means that the journal cannot be written, that memory is short, or that no
 * medium is left.  Media are served one after the other, in the order of the policy. */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/base64.h"
#include "format/journal/journal.h"
#include "format/guard/announce.h"
#include "format/medium/arcfile.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/rereading.h"
#include "read/vault/medium.h"
#include "write/copies/mirror.h"
#include "write/copies/readback.h"
#include "write/copies/refill.h"
#include "write/copies/reread.h"
#include "write/index/dedup.h"
#include "write/parity/parity_watch.h"
#include "write/put/store_w.h"
#include "write/run/run_private.h"
#include "write/state/state.h"
#include "write/pack/pack.h"
#include "write/pack/vault_w.h"

#define SAID_MAX  ((size_t)64 << 10)  /* bytes that commands said, in one record */
#define ROOM_KEPT ((uint64_t)1 << 20) /* bytes, for what is written last of all: documents, the journal */

/* Copies one archive to medium `to` from whichever other medium has it whole. 0, -1 the target failed, MIRROR_SOURCE
 * nobody has it. */
static int supply_archive(struct run *n, size_t to, const struct dedup_archive *a, struct err *err)
{
	char path[ARCFILE_PATH];
	size_t from;
	int r = MIRROR_SOURCE;

	err_set(err, "E-MIRROR-01", text("no medium has '%s'"), arcfile_path(a->sha256, path));
	for (from = 0; from < n->media.n && r == MIRROR_SOURCE; from++)
		if (from != to)
			r = mirror_archive(medium_repo(n->media.online[from].medium),
			    n->media.online[to].vault, n->set.policy->name, a->sha256, false, err);
	return r;
}

/* 0, -1, MIRROR_SOURCE. */
static int supply_medium(struct run *n, size_t to, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < n->set.n_needed && !r; i++) {
		const struct dedup_archive *a = &n->set.needed[i];

		r = vault_w_has_archive(
		    n->media.online[to].vault, n->set.policy->name, a->sha256, a->size, err);
		if (r >= 0)
			r = r ? 0 : supply_archive(n, to, a, err);
	}
	return r;
}

static bool any_used(const struct run *n)
{
	for (size_t i = 0; i < n->media.n; i++)
		if (run_is_used(n, i) && !run_copy_on(n, &n->set, i)->lost.code[0])
			return true;
	return false;
}

int run_supply(struct run *n, struct err *err)
{
	struct err why = ERR_INIT;
	size_t i, count;
	int r;

	(void)pack_published(n->with.pack, &count);
	n->set.result->new_archives = count;
	for (i = 0; i < n->media.n; i++)
		if (run_is_used(n, i) && (r = supply_medium(n, i, &why)))
			run_lose(n, &n->set, i, &why, r < 0);
	if (!any_used(n)) {
		*err = why;
		return err_wrap(err, "%s", text("no medium is left to write to"));
	}
	return 0;
}

/* Of the media that are to hold the data set. */
static json_t *media_json(struct run *n)
{
	json_t *media = json_array();
	size_t i, k;

	for (i = 0; i < n->ret->n_media; i++) {
		struct run_medium *m = &n->ret->media[i];
		const struct run_copy *c = &n->set.result->copies[i];
		bool frozen = c->ok;
		const struct err *said = c->lost.code[0] ? &c->lost : &m->why;
		int why;

		/* one that was never registered has no identity to be recorded under, and holds nothing */
		if (!m->uuid[0] || !c->wanted)
			continue;
		for (k = 0; k < n->media.n; k++)
			if (n->media.online[k].report == m) {
				if (n->media.sinks[k].failed && !c->lost.code[0])
					said = &n->media.sinks[k].why;
				frozen = c->ok && vault_w_unfrozen(n->media.online[k].vault, &why) == 0;
			}
		json_array_append_new(
		    media, json_pack("{s:s, s:s, s:b, s:b, s:s*, s:o*}", "medium", m->uuid, "label", m->label,
			       "ok", c->ok, "frozen", frozen, "reason", c->ok ? NULL : said->msg, "full",
			       !c->ok && err_is_full(said) ? json_true() : NULL));
	}
	return media;
}

static json_t *canaries_json(const struct generation_dataset *d)
{
	json_t *o = d->n_canaries ? json_object() : NULL;

	for (size_t i = 0; i < d->n_canaries; i++)
		json_object_set_new(o, d->canaries[i].path, json_string(d->canaries[i].sha256));
	return o;
}

static json_t *census_json(const struct guard_census *c)
{
	return c->taken
		   ? json_pack("{s:I, s:I, s:I, s:I}", "files", (json_int_t)c->files, "formats",
			 (json_int_t)c->formats, "opaque", (json_int_t)c->opaque, "zero", (json_int_t)c->zero)
		   : NULL;
}

static json_t *reasons_json(uint32_t reasons)
{
	json_t *list = reasons ? json_array() : NULL;
	const char *word;
	uint32_t one;

	for (unsigned i = 0; (word = announce_reason_nth(i, &one)); i++)
		if (reasons & one)
			json_array_append_new(list, json_string(word));
	return list;
}

static json_t *placed_json(const struct generation_dataset *d)
{
	json_t *list = d->n_placed_wrong ? json_array() : NULL;

	for (size_t i = 0; i < d->n_placed_wrong; i++)
		json_array_append_new(list, json_integer((json_int_t)d->placed_wrong[i]));
	return list;
}

static json_t *notice_json(const struct generation_dataset *d)
{
	return d->notice ? json_pack("{s:s, s:I}", "text", d->notice, "announced", (json_int_t)d->announced)
			 : NULL;
}

static json_t *guard_json(const struct generation_dataset *d)
{
	const struct guard *g = &d->guard;
	json_t *o;

	if (!g->measured && !g->suspect && !d->notice && !d->n_canaries && !g->census.taken)
		return NULL;
	o = json_pack("{s:b}", "measured", (int)g->measured);
	for (size_t i = 0; i < GUARD_FIGURES; i++) {
		uint64_t v = guard_figure(g, &guard_figures[i]);

		if (v || guard_figures[i].always)
			json_object_set_new(o, guard_figures[i].name, json_integer((json_int_t)v));
	}
	json_object_update_new(
	    o, json_pack("{s:o*, s:b, s:s*, s:o*, s:o*, s:o*, s:o*}", "census", census_json(&g->census),
		   "suspect", (int)g->suspect, "why", d->suspicion, "canary", canaries_json(d), "reasons",
		   reasons_json(g->reasons), "notice", notice_json(d), "placed", placed_json(d)));
	return o;
}

void run_put_dataset(json_t *o, const struct generation_dataset *d)
{
	json_t *own = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s*, s:o*, s:s*}", "verdict",
	    generation_verdict_word(d->verdict), "entries", (json_int_t)d->entries, "files",
	    (json_int_t)d->files, "bytes", (json_int_t)d->bytes, "unreadable", (json_int_t)d->unreadable,
	    "changed", (json_int_t)d->changed, "skipped", (json_int_t)d->skipped, "reason", d->reason,
	    "guard", guard_json(d), "source_version", d->version);

	json_object_update(o, own);
	json_decref(own);
}

int run_said(const struct run *n, json_t **ret, struct err *err)
{
	BUF_AUTO plain = BUF_INIT(SAID_MAX);
	BUF_AUTO age = BUF_INIT(JOURNAL_LINE_MAX / 2);
	BUF_AUTO text = BUF_INIT(JOURNAL_LINE_MAX);

	*ret = NULL;
	for (size_t i = 0; i < n->ret->n_datasets; i++) {
		const struct generation_dataset *d = &n->ret->datasets[i].d;

		/* a line has its bounds: of a hundred that fail the first say enough */
		if (d->said && !n->ret->datasets[i].committed &&
		    buf_printf(&plain, NULL, "%s: %s\n", d->name, d->said))
			break;
	}
	if (!plain.n)
		return 0;
	if (run_encrypt(n, &plain, &age, err) || base64_append(&text, age.p, age.n, BASE64_PADDED, err))
		return -1;
	*ret = json_stringn((char *)text.p, text.n);
	return *ret ? 0 : err_nomem(err);
}

int run_committed(struct run *n, struct err *err)
{
	const struct run_dataset *s = n->set.result;
	char hex[DIGEST_HEX];
	json_t *o = json_pack("{s:s, s:I, s:s, s:s, s:I, s:I, s:I, s:I, s:o}", "dataset", n->set.policy->name,
	    "generation", (json_int_t)n->ret->run, "uuid", n->uuid, "manifest_sha256",
	    digest_hex(n->set.manifest_sha256, DIGEST_LEN, hex), "archives", (json_int_t)s->archives,
	    "archive_bytes", (json_int_t)s->archive_bytes, "new_bytes", (json_int_t)s->new_bytes,
	    "next_archive", (json_int_t)n->set.next_archive, "media", media_json(n));

	if (s->former_bytes)
		json_object_set_new(o, "former_bytes", json_integer((json_int_t)s->former_bytes));
	run_put_dataset(o, &s->d);
	return state_append(n->cfg->state, "committed", o, err);
}

bool run_interrupted(const struct run *n)
{
	const struct capture_callbacks *cb = &n->cfg->cb;

	return cb->interrupted && cb->interrupted(cb->arg);
}

/* Nothing is wrong with the medium: nobody looked. */
static void not_read_back(struct run_medium *m)
{
	err_set_kind(
	    &m->why, ERR_STOPPED, "W-RUN-12", "%s", text("interrupted: not read back; the next run does it"));
	err_hint(&m->why, "%s",
	    text("nothing is known to be wrong with it: the next run reads it back, 'bkp verify' does it "
		 "now"));
}

/* The generations of this run that are on medium i.  1: it answers no more, or somebody ended the process: the rest is left. */
static int read_back_medium(struct run *n, size_t i, struct err *err)
{
	struct run_online *o = &n->media.online[i];
	const size_t at = (size_t)(o->report - n->ret->media);
	int r = 0;

	for (size_t k = 0; k < n->ret->n_datasets && r != READBACK_GONE; k++) {
		struct run_dataset *s = &n->ret->datasets[k];
		struct err why = ERR_INIT;

		if (!s->committed || !s->copies[at].ok)
			continue;
		if (run_interrupted(n)) {
			not_read_back(o->report);
			break;
		}
		r = readback_generation(o->readback, s->d.name, n->ret->run, false, &why, err);
		if (r < 0 || (readback_is_due(o->readback) && readback_record(o->readback, err)))
			return -1;
		s->copies[at].verified = r == 0;
		if (r && !o->report->why.code[0])
			o->report->why = why;
	}
	return readback_record(o->readback, err);
}

/* What the copies of this run's generations come to. */
static void sum_up(struct run *n)
{
	for (size_t i = 0; i < n->ret->n_media; i++) {
		struct run_medium *m = &n->ret->media[i];
		bool any = false;

		m->ok = m->verified = true;
		for (size_t k = 0; k < n->ret->n_datasets; k++) {
			const struct run_dataset *s = &n->ret->datasets[k];

			if (!s->committed || !s->copies[i].wanted)
				continue;
			any = true;
			if (s->copies[i].lost.code[0] && !m->why.code[0])
				m->why = s->copies[i].lost;
			m->ok &= s->copies[i].ok;
			m->verified &= s->copies[i].verified;
		}
		/* one that was there, and of what was captured nothing is for it, is as it should be */
		m->ok &= any || !m->why.code[0];
		m->verified &= m->ok;
	}
}

void run_leave_unread(struct run *n)
{
	for (size_t i = 0; i < n->media.n; i++) {
		struct run_medium *m = n->media.online[i].report;

		if (n->media.sinks[i].failed)
			m->why = n->media.sinks[i].why;
		else if (!m->why.code[0])
			not_read_back(m);
	}
	sum_up(n);
}

int run_read_back(struct run *n, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < n->media.n && !r; i++) {
		struct run_online *o = &n->media.online[i];

		if (n->media.sinks[i].failed)
			o->report->why = n->media.sinks[i].why;
		if (n->media.sinks[i].failed ||
		    readback_open(n->cfg->state, o->medium, &o->readback, &o->report->why))
			continue;
		if (readback_keep_parity(o->readback, n->cfg->policy->parity, err))
			return -1;
		run_progress_medium(n, i);
		r = read_back_medium(n, i, err);
	}
	sum_up(n);
	return r;
}

/* What an earlier run wrote and died before it was read back: the next one from *at on. */
static const struct ledger_generation *next_unread(
    const struct run *n, const struct run_online *o, size_t *at)
{
	const struct ledger *l = state_ledger(n->cfg->state);

	while (*at < ledger_generations(l)) {
		const struct ledger_generation *g = ledger_generation(l, (*at)++);
		const struct ledger_copy *c = ledger_copy_there(g, o->report->uuid);

		if (c && !c->verified_ns && !c->damaged_ns &&
		    !readback_done(o->readback, g->dataset, g->number))
			return g;
	}
	return NULL;
}

static int read_back_rest(struct run *n, struct run_online *o, struct err *err)
{
	const struct ledger_generation *g;
	struct err why = ERR_INIT;
	size_t at = 0;
	int r = 0;

	while (r != READBACK_GONE && !run_interrupted(n) && (g = next_unread(n, o, &at))) {
		char dataset[GENERATION_NAME];

		snprintf(dataset, sizeof(dataset), "%s",
		    g->dataset); /* a record makes what the ledger gave stale */
		r = readback_generation(o->readback, dataset, g->number, false, &why, err);
		if (r < 0 || (readback_is_due(o->readback) && readback_record(o->readback, err)))
			return -1;
		if (r && !o->report->undone.code[0])
			o->report->undone = why;
	}
	return readback_record(o->readback, err);
}

/* Media that were away, or full, get what they lack. */
int run_catch_up(struct run *n, struct err *err)
{
	struct refill_source *sources = calloc(n->media.n + 1, sizeof(*sources));
	struct refill refill = {.state = n->cfg->state,
	    .policy = n->cfg->policy,
	    .sources = sources,
	    .newest_first = true,
	    .progress = run_progress_copied,
	    .arg = n};
	size_t i;
	int r = sources ? 0 : err_nomem(err);

	for (i = 0; !r && i < n->media.n; i++)
		if (!n->media.sinks[i].failed)
			sources[refill.n_sources++].medium = n->media.online[i].medium;
	for (i = 0; !r && i < n->media.n; i++) {
		struct run_online *o = &n->media.online[i];
		struct refill_result got;

		if (n->media.sinks[i].failed || !o->readback || o->later)
			continue;
		refill.to = o->medium;
		refill.holds = policy_find_medium(n->cfg->policy, o->report->label);
		refill.vault = o->vault;
		refill.readback = o->readback;
		run_progress_medium(n, i);
		vault_w_reserve(o->vault, ROOM_KEPT + 2 * ledger_size(state_ledger(n->cfg->state)));
		r = refill_run(&refill, &got, err);
		if (vault_w_release(o->vault, &got.why))
			got.broken = true;
		o->report->caught_up = got.copied;
		if (got.why.code[0] && !o->report->undone.code[0])
			o->report->undone = got.why;
		if (!r && !got.broken)
			r = read_back_rest(n, o, err);
	}
	free(sources);
	return r;
}

static bool is_told_to_stop(void *arg)
{
	return run_interrupted(arg);
}

/* A copy without parity is a copy; a person should know why it has none. */
static void tell_of_parity(struct run_online *o)
{
	const struct err *why = readback_parity_why(o->readback);

	if (why->code[0] && !o->report->undone.code[0])
		parity_watch_say(why, o->report->label, &o->report->undone);
}

int run_reread(struct run *n, struct err *err)
{
	struct clock_stamp now;
	int r = 0;

	clock_now(&now);
	for (size_t i = 0; i < n->media.n && !r; i++) {
		struct run_online *o = &n->media.online[i];
		const struct reread reread = {n->cfg->state, o->medium, o->readback, is_told_to_stop, n};
		struct reread_result got = {0};
		struct rereading due;

		if (n->media.sinks[i].failed || !o->readback || o->later)
			continue;
		due = rereading_due(ledger_medium_by_uuid(state_ledger(n->cfg->state), o->report->uuid),
		    n->cfg->policy->verify_every_s, now.wall_ns, true);
		if (due.parts)
			r = reread_run(&reread, &due, &got, err);
		if (got.why.code[0] && !o->report->undone.code[0])
			o->report->undone = got.why;
		tell_of_parity(o);
	}
	return r;
}

void run_medium_docs(struct run *n)
{
	struct medium_docs_result brought;
	struct err missing = ERR_INIT, why = ERR_INIT;
	size_t i;

	for (i = 0; i < n->media.n; i++)
		if (!n->media.sinks[i].failed &&
		    medium_docs_put(n->cfg->state, n->cfg->policy, n->media.online[i].medium, &n->cfg->docs,
			&brought, &n->media.online[i].replaced, &missing, &why))
			n->media.online[i].report->undone = why;
	n->ret->missing = missing;
}

void run_tell_replaced(struct run *n)
{
	struct err why = ERR_INIT;

	for (size_t i = 0; i < n->media.n; i++) {
		struct run_online *o = &n->media.online[i];

		if (replaced_tell(&o->replaced, n->cfg->state, o->medium, &o->report->replaced, &why))
			o->report->undone = why;
	}
}
