/* rotate: see rotate.h.  This file: the order of the steps, and steps 5 to 7. */
#include "write/rotate/rotate.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/rules/retention.h"
#include "read/store/store_dir.h"
#include "read/vault/medium.h"
#include "write/copies/readback.h"
#include "write/media/medium_w.h"
#include "write/media/strangers.h"
#include "write/rotate/rotate_private.h"
#include "write/state/clockwatch.h"
#include "write/state/state.h"
#include "write/reap/reap.h"
#include "write/pack/vault_w.h"

int rotate_failed(const struct rotate *ro, const struct err *why, struct err *err)
{
	char beside[STRANGERS_BESIDE];

	err_set(err, "E-ROTATE-08", "%s", why->msg);
	err_wrap(err, text("the rotation of '%s' was broken off"), ro->ret->medium->name);
	if (err_is_full(why) && rotate_filled_by(ro, beside))
		return err_hint(err,
		    text("the disk is full, also of files that are not of bkp (%s); what was on it before is "
			 "unharmed: ask "
			 "whose they are and have them removed, or register a larger disk, then run the same "
			 "command again"),
		    beside);
	if (err_is_full(why))
		return err_hint(err, "%s",
		    text("the disk is full, what was on it before is unharmed: register a larger one and "
			 "rotate that"));
	if (why->hint[0])
		return err_hint(err, "%s", why->hint);
	return err_hint(err, "%s",
	    text("what was on it before is unharmed; see that it is well connected and mounted, then run the "
		 "same command "
		 "again: it goes on where it was"));
}

static int look_at_clock(struct rotate *ro, struct err *err)
{
	return clockwatch_run(
	    ro->cfg->state, ro->cfg->policy, medium_repo(ro->medium), 1, &ro->ret->clock, err);
}

static int finish_expiry(struct rotate *ro, struct err *err)
{
	const struct reap reap = {.state = ro->cfg->state,
	    .policy = ro->cfg->policy,
	    .medium = ro->medium,
	    .operator= ro->cfg->operator,
	    .yes = ro->cfg->yes,
	    .about = ro->cfg->about,
	    .arg = ro->cfg->arg};
	struct reap_result done;

	if (reap_finish(&reap, &done, err))
		return -1;
	ro->ret->reaped = done.why;
	ro->ret->finished = done.finished;
	return 0;
}

/* It is full: could something go from it? */
static void look_for_room(struct rotate *ro)
{
	const struct retention_medium *m;
	struct retention *judged = NULL;
	struct clock_stamp now;

	clock_now(&now);
	if (!ro->ret->refill.full ||
	    retention_judge(ro->cfg->policy, state_ledger(ro->cfg->state), now.wall_ns, &judged, NULL))
		return;
	m = retention_on(judged, ro->uuid);
	ro->ret->may_go = m ? m->may_go : 0;
	retention_free(judged);
}

static int prepare_medium(struct rotate *ro, struct err *err)
{
	struct err why = ERR_INIT;

	if (medium_w_mend(ro->cfg->state, ro->medium, &why))
		return rotate_failed(ro, &why, err);
	return rotate_look_around(ro, err) || look_at_clock(ro, err) || finish_expiry(ro, err) ||
		       readback_open(ro->cfg->state, ro->medium, &ro->readback, err) ||
		       readback_keep_parity(ro->readback, ro->cfg->policy->parity, err)
		   ? -1
		   : 0;
}

/* That a paper is missing keeps no backup from being one; it is said. */
static void bring_docs(struct rotate *ro)
{
	struct medium_docs_result brought = {0};
	struct err why = ERR_INIT;

	if (medium_docs_put(ro->cfg->state, ro->cfg->policy, ro->medium, &ro->cfg->docs, &brought,
		&ro->replaced, &ro->ret->docs_why, &why)) {
		ro->ret->docs_why = why;
		return;
	}
	ro->ret->docs_complete = brought.tools && !brought.procedures_bad && !ro->ret->docs_why.code[0];
}

static int record_rotated(struct rotate *ro, struct err *err)
{
	const struct rotate_result *r = ro->ret;
	bool complete = r->current && !r->refill.missing && !r->damaged;

	const struct ledger_pace read = readback_pace(ro->readback);

	ro->ret->number = ledger_medium_by_uuid(state_ledger(ro->cfg->state), ro->uuid)->turns + 1;
	return state_append(ro->cfg->state, "rotated",
	    json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:b, s:b, s:I, s:I, s:I, s:I}", "medium",
		ro->uuid, "operator", ro->cfg->operator, "place", r->place, "generations",
		(json_int_t)r->generations, "newest", (json_int_t)r->newest, "copied",
		(json_int_t)r->refill.copied, "bytes", (json_int_t)r->refill.bytes, "unfrozen",
		(json_int_t)r->unfrozen, "complete", (int)complete, "full", (int)r->refill.full, "turn",
		(json_int_t)r->number, "write_ms", (json_int_t)(r->refill.copying_ns / (SECOND_NS / 1000)),
		"read_bytes", (json_int_t)read.bytes, "read_ms", (json_int_t)read.ms),
	    err);
}

static int put_journals(struct rotate *ro, struct err *err)
{
	uint64_t size = ledger_size(state_ledger(ro->cfg->state));
	STORE_FILE_AUTO journal = {0};
	const char **copied = calloc(ro->n_sources + 1, sizeof(*copied));
	struct err why = ERR_INIT;
	struct journal_copies_mark mark;
	size_t n = 0;
	int r = 0;

	journal_copies_mark(ro->cfg->state, &mark);
	if (!copied || state_journal(ro->cfg->state, &journal, err)) {
		r = copied ? -1 : err_nomem(err);
	} else if (vault_w_put_journal(ro->vault, &journal, size, false, &why)) {
		r = rotate_failed(ro, &why, err);
	} else {
		copied[n++] = ro->uuid;
		for (size_t i = 0; i < ro->n_sources; i++) {
			const struct medium *m = ro->sources[i].medium;
			struct vault_w *v = NULL;

			/* the next run does it in any case */
			if (!vault_w_open(medium_repo(m), &v, NULL) &&
			    !vault_w_put_journal(v, &journal, size, false, NULL))
				copied[n++] = medium_uuid(m);
			vault_w_close(v);
		}
		r = journal_copies_copied(ro->cfg->state, &mark, copied, n, err);
	}
	free(copied);
	return r;
}

static int synchronise(struct rotate *ro, struct err *err)
{
	struct err why = ERR_INIT;

	const int dirfd = store_dir_fd(medium_store(ro->medium));

	/* what was put into another kind is durable since then */
	if (dirfd < 0 || !syncfs(dirfd))
		return 0;
	err_sys(&why, "E-IO-04", errno, text("cannot make '%s' durable"), ro->ret->path);
	return rotate_failed(ro, &why, err);
}

static void clean_up(struct rotate *ro)
{
	replaced_free(&ro->replaced);
	strangers_free(ro->strangers);
	readback_close(ro->readback);
	vault_w_close(ro->vault);
	medium_close(ro->medium);
	for (size_t i = 0; i < ro->n_sources; i++)
		medium_close(ro->sources[i].medium);
	free(ro->sources);
}

/* A disk kept offline is the last thing that a computer with ransomware on it may get: who thinks so says it in the policy.  Else
 * what is suspect stays behind (refill.h), and the other data sets go: images must not keep the EMR from going offline. */
int rotate_allowed(const struct state *state, const struct policy *policy, struct err *err)
{
	const struct ledger_generation *g = ledger_frozen_by(state_ledger(state));

	char label[GENERATION_LABEL];

	if (!g || !policy->stop_while_suspect)
		return 0;
	generation_label(g->dataset, g->number, label);
	err_set(err, "E-GUARD-02",
	    text("generation %s is suspect and nobody has decided on it: the medium is not written to"),
	    label);
	return err_hint(err,
	    text("detach the disk: this computer may be infected; see 'bkp generations', then 'bkp accept "
		 "%s --operator NAME "
		 "--reason TEXT' when the change was right, 'bkp hold %s --operator NAME --reason TEXT' "
		 "when it was not and the "
		 "computer has been cleaned"),
	    label, label);
}

int rotate_judge(
    const struct rotate_config *cfg, const struct policy_medium *m, const char *path, struct err *err)
{
	struct rotate_result result = {.medium = m, .path = strdup(path)};
	struct rotate ro = {.cfg = cfg, .ret = &result};
	int r = !result.path ? err_nomem(err) : rotate_turn(&ro, err) ? ROTATE_ANOTHER : 0;

	if (!r)
		r = rotate_prove(&ro, err);
	clean_up(&ro);
	rotate_result_free(&result);
	return r;
}

int rotate_run(const struct rotate_config *cfg, struct rotate_result *ret, struct err *err)
{
	struct rotate ro = {.cfg = cfg, .ret = ret};
	struct err why = ERR_INIT;
	int r;

	memset(ret, 0, sizeof(*ret));
	r = rotate_allowed(cfg->state, cfg->policy, &why) || rotate_find(&ro, &why) ||
	    rotate_turn(&ro, &why) || rotate_prove(&ro, &why) || rotate_open(&ro, &why) ||
	    rotate_begin(&ro, &why) || prepare_medium(&ro, &why) || rotate_refill(&ro, &why) ||
	    rotate_recheck(&ro, &why) || rotate_seal(&ro, &why);
	if (!r) {
		bring_docs(&ro);
		r = replaced_tell(&ro.replaced, cfg->state, ro.medium, &ret->replaced, &why) ||
		    strangers_tell(ro.strangers, cfg->state, ro.medium, &ret->strangers, &ret->beside, &why);
	}
	if (!r) {
		rotate_tally(&ro);
		look_for_room(&ro);
		/* what is recorded as rotated stays on the disk if it is pulled out at this moment */
		r = synchronise(&ro, &why) || record_rotated(&ro, &why) || put_journals(&ro, &why) ||
		    synchronise(&ro, &why);
	}
	clean_up(&ro);
	if (!r)
		return 0;
	if (err)
		*err = why;
	return -1;
}

void rotate_result_free(struct rotate_result *r)
{
	free(r->path);
	free(r->mount_point);
	free(r->place);
}
