/* ledger_fold_rules: what people decided and what was agreed, folded in; see ledger.h and docs/format-writer.md,
 * section 9.  As in ledger_fold.c, records have passed ledger_check() and only memory can fail.
 *
 * Four things on record keep generations from expiring, and each ends by a record that a person causes: an
 * agreement (lowered with the root key), a suspect generation (accepted or held), a held one (released), the
 * latch of the clock (attested).
 */
#include "read/ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "format/journal/journal.h"

static int apply_policy(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const json_t *list = json_object_get(r->json, "narrows");

	memcpy(l->policy_sha256, member_str(r->json, "sha256"), DIGEST_HEX);
	if (!json_array_size(list))
		return 0;
	l->n_narrowed += json_array_size(list);
	if (l->narrowed)
		return 0;
	l->narrowed_ns = r->wall_ns;
	return ledger_replace_text((const char **)&l->narrowed,
	    json_string_value(json_array_get(list, 0)) ? json_string_value(json_array_get(list, 0)) : "?",
	    err);
}

static int apply_policy_accepted(struct ledger *l, const struct journal_record *r, struct err *err)
{
	(void)r, (void)err;
	free(l->narrowed);
	l->narrowed = NULL;
	l->n_narrowed = 0;
	return 0;
}

static void clear_agreed(struct ledger *l)
{
	for (size_t i = 0; i < l->n_agreed; i++)
		free((char *)l->agreed[i].name);
	free(l->agreed);
	for (size_t i = 0; i < l->n_approvers; i++)
		free(l->approvers[i]);
	free(l->approvers);
	l->agreed = NULL;
	l->approvers = NULL;
	l->n_agreed = l->n_approvers = 0;
}

static void this_record(const struct ledger *l, const struct journal_record *r, struct approval_record *ret)
{
	ret->seq = r->seq;
	memcpy(ret->sha256, journal_check_head(l->check), DIGEST_LEN);
}

/* The record replaces all that was agreed before; ledger_check_agreed() has seen to it that it is no less, or
 * approved. */
static int apply_agreed(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const json_t *sets = json_object_get(r->json, "datasets"),
		     *keys = json_object_get(r->json, "approvers");

	clear_agreed(l);
	this_record(l, r, &l->agreed_at);
	l->agreed = calloc(json_array_size(sets) + 1, sizeof(*l->agreed));
	l->approvers = calloc(json_array_size(keys) + 1, sizeof(*l->approvers));
	if (!l->agreed || !l->approvers)
		return err_nomem(err);
	for (size_t i = 0; i < json_array_size(sets); i++) {
		const json_t *o = json_array_get(sets, i);
		struct ledger_agreed *a = &l->agreed[i];

		*a = (struct ledger_agreed){strdup(journal_text(o, "name")), member_num(o, "generations"),
		    member_num(o, "protect_s"), member_num(o, "daily"), member_num(o, "weekly"),
		    member_num(o, "monthly"), member_num(o, "yearly")};
		if (!a->name)
			return err_nomem(err);
		l->n_agreed = i + 1;
	}
	for (size_t i = 0; i < json_array_size(keys); i++) {
		l->approvers[i] = strdup(json_string_value(json_array_get(keys, i)));
		if (!l->approvers[i])
			return err_nomem(err);
		l->n_approvers = i + 1;
	}
	return 0;
}

/* Held: a person has looked at it.  It stays suspect, if it was, and counts for nothing; but it freezes
 * nothing any more. */
static int apply_decision(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_generation *g = generation_of(l, r->json);

	if (!strcmp(r->event, "accepted")) {
		g->accepted_ns = r->wall_ns;
		g->suspect = false;
		return ledger_canaries_take(l, g, true, err);
	}
	g->held_ns = !strcmp(r->event, "held") ? r->wall_ns : 0;
	g->released_ns = g->held_ns ? 0 : r->wall_ns;
	return ledger_replace_text(&g->held_why, g->held_ns ? journal_text(r->json, "reason") : "", err);
}

static int apply_expired(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_generation *g = generation_of(l, r->json);
	struct ledger_copy *c = ledger_copy_on(l, g, member_str(r->json, "medium"));

	if (!c)
		return err_nomem(err);
	((struct ledger_medium *)ledger_medium_by_uuid(l, c->medium))->full = false; /* there is room again */
	c->ok = false;
	c->verified_ns = c->damaged_ns = c->copied_ns = 0;
	c->expired_ns = r->wall_ns;
	c->expired_bytes = member_num(r->json, "bytes");
	c->approved = l->n_approvers > 0; /* ledger_check has seen the plan's signature */
	g->state = LEDGER_EXPIRED;
	for (size_t i = 0; i < g->n_copies; i++)
		if (g->copies[i].ok)
			g->state = LEDGER_COMMITTED;
	return ledger_replace_text(&c->reason, "", err);
}

static int apply_approved(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const char *plan = member_str(r->json, "plan");
	uint8_t sha256[DIGEST_LEN];
	char *by = strdup(member_str(r->json, "approver"));

	approval_plan_free(l->plan);
	free(l->plan_by);
	l->plan = NULL;
	l->plan_by = by;
	digest_sha256(plan, strlen(plan), sha256);
	digest_hex(sha256, DIGEST_LEN, l->plan_sha256);
	return by ? approval_plan_parse(plan, strlen(plan), &l->plan, err) : err_nomem(err);
}

/* A clock that went back lets nothing expire that would not have: only one that went forward latches, and
 * only a person opens the latch. */
static int apply_clock(struct ledger *l, const struct journal_record *r, struct err *err)
{
	bool jump = !strcmp(r->event, "clock-jump");
	int64_t seconds = (int64_t)json_integer_value(json_object_get(r->json, "seconds"));

	if (!jump)
		l->latch.attested = ledger_next_run(l) - 1;
	if (jump && seconds <= 0)
		return 0;
	l->latch.found_ns = jump ? r->wall_ns : 0;
	l->latch.seconds = jump ? seconds : 0;
	memset(&l->latch_at, 0, sizeof(l->latch_at));
	if (jump)
		this_record(l, r, &l->latch_at);
	return ledger_replace_text(&l->latch.source, jump ? journal_text(r->json, "source") : "", err);
}

static int apply_outcome(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const char *command = member_str(r->json, "command");
	struct ledger_outcome *o = (struct ledger_outcome *)ledger_outcome(l, command);

	if (!o) {
		o = reallocarray(l->outcomes, l->n_outcomes + 1, sizeof(*o));
		if (!o)
			return err_nomem(err);
		l->outcomes = o;
		o += l->n_outcomes++;
		memset(o, 0, sizeof(*o));
		if (ledger_replace_text(&o->command, command, err))
			return -1;
	}
	o->ended_ns = r->wall_ns;
	o->exit = (int)member_num(r->json, "exit");
	o->signal = (int)member_num(r->json, "signal"); /* 0: there is none */
	return ledger_replace_text(&o->line, journal_text(r->json, "line"), err);
}

static int apply_notified(struct ledger *l, const struct journal_record *r, struct err *err)
{
	l->notified.at_ns = r->wall_ns;
	l->notified.ok = json_is_true(json_object_get(r->json, "ok"));
	return ledger_replace_text(&l->notified.reason, journal_text(r->json, "reason"), err);
}

static int apply_tools(struct ledger *l, const struct journal_record *r, struct err *err)
{
	return ledger_replace_text((const char **)&l->tools, member_str(r->json, "tools"), err);
}

static const struct rule {
	const char *event;
	int (*apply)(struct ledger *l, const struct journal_record *r, struct err *err);
} rules[] = {
    {"policy", apply_policy},
    {"agreed", apply_agreed},
    {"accepted", apply_decision},
    {"held", apply_decision},
    {"released", apply_decision},
    {"expired", apply_expired},
    {"expiry-approved", apply_approved},
    {"clock-jump", apply_clock},
    {"clock-attested", apply_clock},
    {"outcome", apply_outcome},
    {"notified", apply_notified},
    {"tools-accepted", apply_tools},
    {"policy-accepted", apply_policy_accepted},
    {"canary-placed", ledger_fold_placed},
    {"canary-removed", ledger_fold_placed},
};

int ledger_fold_rules(struct ledger *l, const struct journal_record *r, struct err *err)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (!strcmp(rules[i].event, r->event))
			return rules[i].apply(l, r, err);
	return LEDGER_NOT_MINE;
}

void ledger_fold_rules_clear(struct ledger *l)
{
	clear_agreed(l);
	for (size_t i = 0; i < l->n_outcomes; i++) {
		free((char *)l->outcomes[i].command);
		free((char *)l->outcomes[i].line);
	}
	free(l->outcomes);
	free((char *)l->latch.source);
	ledger_canaries_clear(l);
	free((char *)l->notified.reason);
	free(l->tools);
	free(l->narrowed);
	approval_plan_free(l->plan);
	free(l->plan_by);
}

/* ---- asking ---- */

const char *ledger_policy_sha256(const struct ledger *l)
{
	return l->policy_sha256;
}

size_t ledger_narrowed(const struct ledger *l, const char **ret_first, int64_t *ret_since_ns)
{
	*ret_first = l->narrowed;
	*ret_since_ns = l->narrowed_ns;
	return l->n_narrowed;
}

size_t ledger_agreements(const struct ledger *l)
{
	return l->n_agreed;
}

const struct ledger_agreed *ledger_agreement(const struct ledger *l, size_t i)
{
	return &l->agreed[i];
}

const struct ledger_agreed *ledger_agreed(const struct ledger *l, const char *dataset)
{
	for (size_t i = 0; i < l->n_agreed; i++)
		if (!strcmp(l->agreed[i].name, dataset))
			return &l->agreed[i];
	return NULL;
}

size_t ledger_approvers(const struct ledger *l)
{
	return l->n_approvers;
}

const char *ledger_approver(const struct ledger *l, size_t i)
{
	return l->approvers[i];
}

struct approval_record ledger_agreed_at(const struct ledger *l)
{
	return l->agreed_at;
}

struct approval_record ledger_latch_at(const struct ledger *l)
{
	return l->latch_at;
}

struct clock_stamp ledger_head_stamp(const struct ledger *l)
{
	return l->head_stamp;
}

const struct clockskew_track *ledger_clock(const struct ledger *l)
{
	return &l->clock;
}

const struct ledger_latch *ledger_latch(const struct ledger *l)
{
	return &l->latch;
}

const struct ledger_generation *ledger_frozen_by(const struct ledger *l)
{
	for (size_t i = l->n_generations; i--;) {
		const struct ledger_generation *g = &l->generations[i];

		if (g->state == LEDGER_COMMITTED && g->suspect && !g->held_ns)
			return g;
	}
	return NULL;
}

const struct ledger_outcome *ledger_outcome(const struct ledger *l, const char *command)
{
	for (size_t i = 0; i < l->n_outcomes; i++)
		if (!strcmp(l->outcomes[i].command, command))
			return &l->outcomes[i];
	return NULL;
}

const char *ledger_tools_accepted(const struct ledger *l)
{
	return l->tools ? l->tools : "";
}

const struct ledger_notified *ledger_notified(const struct ledger *l)
{
	return &l->notified;
}
