/* ledger_check_rules: what the agreement, the approvers and the clock do not let be, whoever signs the
 * record; see ledger.h and docs/format-writer.md, section 9.
 *
 * The signing key of a capture host can be stolen with the host.  What is checked here holds against the
 * thief: retention is lowered by the root key alone, an expiry needs the approver's signature where one is
 * agreed, and the agreed number of generations must stand on the medium.  Nothing here asks what time it is
 * or in which zone: the journal means the same everywhere, at any time.
 */
#include "read/ledger/ledger_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/minisig.h"

#define APPROVERS_MAX 64

static bool has_approver(const struct ledger *l, const char *key)
{
	for (size_t i = 0; i < l->n_approvers; i++)
		if (!strcmp(l->approvers[i], key))
			return true;
	return false;
}

/* ---- agreed ---- */

static const json_t *set_named(const json_t *sets, const char *name)
{
	for (size_t i = 0; i < json_array_size(sets); i++)
		if (!strcmp(journal_text(json_array_get(sets, i), "name"), name))
			return json_array_get(sets, i);
	return NULL;
}

static bool is_less(const struct ledger_agreed *a, const json_t *o, char why[LEDGER_WHY])
{
	const struct {
		const char *key;
		uint64_t is;
	} all[] = {{"generations", a->generations}, {"daily", a->daily}, {"weekly", a->weekly},
	    {"monthly", a->monthly}, {"yearly", a->yearly}};

	if (!o) {
		snprintf(why, LEDGER_WHY, text("data set '%s' is left out"), a->name);
		return true;
	}
	if (member_num(o, "protect_s") <
	    a->protect_s) { /* in hours: a policy says neither seconds nor parts */
		snprintf(why, LEDGER_WHY, text("data set '%s': protect %ju h instead of %ju h"), a->name,
		    member_num(o, "protect_s") / 3600, (uintmax_t)a->protect_s / 3600);
		return true;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (member_num(o, all[i].key) < all[i].is) {
			snprintf(why, LEDGER_WHY, text("data set '%s': %s %ju instead of %ju"), a->name,
			    all[i].key, (uintmax_t)member_num(o, all[i].key), (uintmax_t)all[i].is);
			return true;
		}
	return false;
}

/* Any change of the approvers counts as less: any one of them suffices, so a further one is a further key
 * that can be stolen, and a thief of the host's key would name himself, as one more or as the first. */
static bool same_approvers(const struct ledger *l, const json_t *keys)
{
	if (json_array_size(keys) != l->n_approvers)
		return false;
	for (size_t i = 0; i < json_array_size(keys); i++)
		if (!has_approver(l, json_string_value(json_array_get(keys, i))))
			return false;
	return true;
}

bool ledger_agrees_to_less(const struct ledger *l, const json_t *members, char why[LEDGER_WHY])
{
	const json_t *sets = json_object_get(members, "datasets"),
		     *keys = json_object_get(members, "approvers");
	char unsaid[LEDGER_WHY];

	for (size_t i = 0; i < l->n_agreed; i++)
		if (is_less(&l->agreed[i], set_named(sets, l->agreed[i].name), why ? why : unsaid))
			return true;
	/* records of epoch 1 are signed by the root key itself */
	if (same_approvers(l, keys) || (!l->n_approvers && ledger_epoch(l) == 1))
		return false;
	if (why)
		snprintf(why, LEDGER_WHY, "%s",
		    l->n_approvers ? text("other people than before approve an expiry")
				   : text("somebody is to approve expiries, and nobody did before"));
	return true;
}

/* Each named once: a name that stands twice would say two things. */
static int check_sets(const json_t *sets, uint64_t line, const char *event, struct err *err)
{
	static const struct ledger_member members[] = {{"name", WORD}, {"generations", NUMBER},
	    {"protect_s", NUMBER}, {"daily", NUMBER}, {"weekly", NUMBER}, {"monthly", NUMBER},
	    {"yearly", NUMBER}, {NULL, UUID}};

	for (size_t i = 0; i < json_array_size(sets); i++) {
		const json_t *o = json_array_get(sets, i);

		if (!json_is_object(o))
			return ledger_wrong_member(line, event, "datasets", err);
		if (ledger_check_members(o, members, line, event, err))
			return -1;
		if (set_named(sets, member_str(o, "name")) != o)
			return ledger_wrong_member(line, event, "datasets", err);
	}
	return 0;
}

static int check_keys(const json_t *keys, uint64_t line, const char *event, struct err *err)
{
	struct minisig_public pub;

	if (json_array_size(keys) > APPROVERS_MAX)
		return ledger_wrong_member(line, event, "approvers", err);
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const char *key = json_string_value(json_array_get(keys, i));

		if (minisig_public_parse(key, &pub, NULL))
			return ledger_wrong_member(line, event, "approvers", err);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(json_string_value(json_array_get(keys, k)), key))
				return ledger_wrong_member(line, event, "approvers", err);
	}
	return 0;
}

static bool approved_by_root(const struct ledger *l, const json_t *o)
{
	BUF_AUTO statement = BUF_INIT(APPROVAL_TEXT_MAX);
	const char *sig = member_str(o, "approval");
	size_t which;

	return sig && !approval_agreement(ledger_repository(l), &l->agreed_at, o, &statement, NULL) &&
	       !approval_verify(ledger_root(l), 1, statement.p, statement.n, sig, strlen(sig), &which, NULL);
}

int ledger_check_agreed(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	char why[LEDGER_WHY], said[LEDGER_WHY + 128];

	if (check_sets(json_object_get(o, "datasets"), line, event, err) ||
	    check_keys(json_object_get(o, "approvers"), line, event, err))
		return -1;
	if (!ledger_agrees_to_less(l, o, why) || approved_by_root(l, o))
		return 0;
	snprintf(said, sizeof(said),
	    text("it agrees to less than before without the root key's approval (%s)"), why);
	return ledger_contradiction(line, event, said, err);
}

/* ---- expiry ---- */

int ledger_check_approved(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const char *plan = member_str(o, "plan"), *sig = member_str(o, "signature"),
		   *by = member_str(o, "approver");
	struct approval_plan *parsed = NULL;
	struct minisig_public key;
	size_t which;
	bool ours;

	if (!has_approver(l, by) || minisig_public_parse(by, &key, NULL))
		return ledger_contradiction(
		    line, event, text("it is not agreed that this key approves an expiry"), err);
	if (approval_verify(&key, 1, plan, strlen(plan), sig, strlen(sig), &which, NULL))
		return ledger_contradiction(
		    line, event, text("the plan was not signed by its approver"), err);
	if (approval_plan_parse(plan, strlen(plan), &parsed, NULL))
		return ledger_wrong_member(line, event, "plan", err);
	ours = !strcmp(parsed->repository, ledger_repository(l)) && parsed->head.seq < line;
	approval_plan_free(parsed);
	return ours ? 0 : ledger_contradiction(line, event, text("the plan is of another repository"), err);
}

/* Are there as many newer generations as are agreed, that count and are verified on that medium?  That they
 * were captured on different dates depends on a time zone, and is asked before the record is written
 * (retention.h). */
static bool is_covered(const struct ledger *l, const struct ledger_generation *g, const char *medium)
{
	const struct ledger_agreed *a = ledger_agreed(l, g->dataset);
	uint64_t found = 0;

	for (size_t i = l->n_generations; a && found < a->generations && i--;) {
		const struct ledger_generation *n = &l->generations[i];

		if (n->number <= g->number)
			break;
		found +=
		    !strcmp(n->dataset, g->dataset) && ledger_counts(l, n) && ledger_sound_on(l, n, medium);
	}
	return !a || found >= a->generations;
}

static bool is_approved(const struct ledger *l, const json_t *o)
{
	return !l->n_approvers ||
	       (l->plan && !strcmp(l->plan_sha256, journal_text(o, "plan")) &&
		   !strcmp(l->plan_by, journal_text(o, "approver")) && has_approver(l, l->plan_by) &&
		   approval_plan_has(l->plan, member_str(o, "medium"), member_str(o, "dataset"),
		       member_num(o, "generation")));
}

int ledger_check_expired(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const struct ledger_generation *g = generation_of(l, o);
	const char *medium = member_str(o, "medium");

	if (!g || g->state != LEDGER_COMMITTED)
		return ledger_contradiction(line, event, text("the generation was never committed"), err);
	if (!ledger_medium_by_uuid(l, medium))
		return ledger_contradiction(line, event, text("the medium was never registered"), err);
	if (g->held_ns)
		return ledger_contradiction(line, event, text("the generation is held"), err);
	if (ledger_frozen_by(l))
		return ledger_contradiction(
		    line, event, text("a generation is suspect, and nobody has decided on it"), err);
	if (l->latch.found_ns)
		return ledger_contradiction(
		    line, event, text("the clock has jumped, and nobody has attested it"), err);
	if (ledger_good(g) && !is_covered(l, g, medium))
		return ledger_contradiction(line, event,
		    text("fewer newer generations than agreed are verified on that medium"), err);
	if (!is_approved(l, o))
		return ledger_contradiction(line, event, text("no approver has signed for it"), err);
	return 0;
}

/* ---- clock ---- */

static bool attested_by_approver(const struct ledger *l, const json_t *o)
{
	BUF_AUTO statement = BUF_INIT(APPROVAL_TEXT_MAX);
	struct minisig_public keys[APPROVERS_MAX + 1];
	const char *sig = member_str(o, "approval");
	size_t n = 0, which;

	keys[n++] = *ledger_root(l);
	for (size_t i = 0; i < l->n_approvers; i++)
		n += minisig_public_parse(l->approvers[i], &keys[n], NULL) == 0;
	return sig &&
	       !approval_clock(ledger_repository(l), &l->latch_at, member_str(o, "operator"),
		   journal_text(o, "reason"), &statement, NULL) &&
	       !approval_verify(keys, n, statement.p, statement.n, sig, strlen(sig), &which, NULL);
}

int ledger_check_attested(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	if (!l->latch.found_ns)
		return ledger_contradiction(line, event, text("the clock had not jumped"), err);
	if (l->n_approvers && !attested_by_approver(l, o))
		return ledger_contradiction(line, event, text("no approver has signed for it"), err);
	return 0;
}
