/* agreement: see agreement.h. */
#include "write/state/agreement.h"

#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "format/journal/approval.h"
#include "format/policy/policy.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

static uint64_t max(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static int add_set(json_t *sets, const struct ledger_agreed *a, struct err *err)
{
	json_t *o = json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:I}", "name", a->name, "generations",
	    (json_int_t)a->generations, "protect_s", (json_int_t)a->protect_s, "daily", (json_int_t)a->daily,
	    "weekly", (json_int_t)a->weekly, "monthly", (json_int_t)a->monthly, "yearly",
	    (json_int_t)a->yearly);

	return json_array_append_new(sets, o) ? err_nomem(err) : 0;
}

static struct ledger_agreed of_policy(const struct policy_dataset *d)
{
	return (struct ledger_agreed){d->name, d->generations, (uint64_t)d->protect_s, d->keep.daily,
	    d->keep.weekly, d->keep.monthly, d->keep.yearly};
}

static void raise_to(struct ledger_agreed *to, const struct ledger_agreed *a)
{
	to->generations = max(to->generations, a->generations);
	to->protect_s = max(to->protect_s, a->protect_s);
	to->daily = max(to->daily, a->daily);
	to->weekly = max(to->weekly, a->weekly);
	to->monthly = max(to->monthly, a->monthly);
	to->yearly = max(to->yearly, a->yearly);
}

/* What the policy declares, in its order, then what only the agreement knows. */
static int add_sets(
    json_t *sets, const struct ledger *l, const struct policy *policy, bool raise, struct err *err)
{
	for (size_t i = 0; i < policy->n_datasets; i++) {
		struct ledger_agreed a = of_policy(&policy->datasets[i]);

		if (raise && ledger_agreed(l, a.name))
			raise_to(&a, ledger_agreed(l, a.name));
		if (add_set(sets, &a, err))
			return -1;
	}
	for (size_t i = 0; i < ledger_agreements(l); i++) {
		const struct ledger_agreed *a = ledger_agreement(l, i);
		const struct ledger_agreed given_up = {.name = a->name};

		if (!policy_find_dataset(policy, a->name) && add_set(sets, raise ? a : &given_up, err))
			return -1;
	}
	return 0;
}

/* Keys of the people who have the role that approves an expiry; the policy has at least one of them. */
static int add_approvers(json_t *keys, const struct policy *policy, struct err *err)
{
	unsigned role = policy->expire_by ? 1u << (policy->expire_by - 1) : 0;

	for (size_t i = 0; i < policy->n_people; i++) {
		const struct policy_person *p = &policy->people[i];
		bool known = false;

		if (!(p->roles & role) || !p->key)
			continue;
		for (size_t k = 0; k < json_array_size(keys); k++)
			known |= !strcmp(json_string_value(json_array_get(keys, k)), p->key);
		if (!known && json_array_append_new(keys, json_string(p->key)))
			return err_nomem(err);
	}
	return 0;
}

static json_t *members_of(const struct ledger *l, const struct policy *policy, bool raise, struct err *err)
{
	json_t *sets = json_array(), *keys = json_array(),
	       *o = json_pack("{s:o, s:o}", "datasets", sets, "approvers", keys);
	int r = o ? add_sets(sets, l, policy, raise, err) : err_nomem(err);

	/* the first ones are named by the root key, which signs as long as it is the key of the epoch */
	if (!r && raise && (ledger_approvers(l) || ledger_epoch(l) > 1))
		for (size_t i = 0; !r && i < ledger_approvers(l); i++)
			r = json_array_append_new(keys, json_string(ledger_approver(l, i))) ? err_nomem(err)
											    : 0;
	else if (!r)
		r = add_approvers(keys, policy, err);
	if (!r)
		return o;
	json_decref(o);
	return NULL;
}

static bool same_set(const struct ledger *l, const json_t *o)
{
	const struct ledger_agreed *a = ledger_agreed(l, json_string_value(json_object_get(o, "name")));

#define IS(key, value) ((uint64_t)json_integer_value(json_object_get(o, key)) == (value))
	return a && IS("generations", a->generations) && IS("protect_s", a->protect_s) &&
	       IS("daily", a->daily) && IS("weekly", a->weekly) && IS("monthly", a->monthly) &&
	       IS("yearly", a->yearly);
#undef IS
}

/* Does the record say what is agreed already? */
static bool same_members(const struct ledger *l, const json_t *members)
{
	const json_t *sets = json_object_get(members, "datasets"),
		     *keys = json_object_get(members, "approvers");

	if (!ledger_agreed_at(l).seq || json_array_size(sets) != ledger_agreements(l) ||
	    json_array_size(keys) != ledger_approvers(l))
		return false;
	for (size_t i = 0; i < json_array_size(sets); i++)
		if (!same_set(l, json_array_get(sets, i)))
			return false;
	for (size_t i = 0; i < json_array_size(keys); i++) {
		bool found = false;

		for (size_t k = 0; k < ledger_approvers(l); k++)
			found |= !strcmp(ledger_approver(l, k), json_string_value(json_array_get(keys, i)));
		if (!found)
			return false;
	}
	return true;
}

int agreement_raise(struct state *s, const struct policy *policy, struct err *err)
{
	json_t *members = members_of(state_ledger(s), policy, true, err);

	if (!members)
		return -1;
	if (!same_members(state_ledger(s), members))
		return reserve_append(s, "agreed", members, err);
	json_decref(members);
	return 0;
}

int agreement_compare(const struct ledger *l, const struct policy *policy, enum agreement_differs *ret,
    char why[LEDGER_WHY], struct err *err)
{
	json_t *members = members_of(l, policy, false, err);

	if (!members)
		return -1;
	*ret = same_members(l, members)			? AGREEMENT_SAME
	       : ledger_agrees_to_less(l, members, why) ? AGREEMENT_LESS
							: AGREEMENT_MORE;
	json_decref(members);
	return 0;
}

int agreement_statement(const struct ledger *l, const struct policy *policy, struct buf *out, struct err *err)
{
	const struct approval_record after = ledger_agreed_at(l);
	json_t *members = members_of(l, policy, false, err);
	int r = members ? approval_agreement(ledger_repository(l), &after, members, out, err) : -1;

	json_decref(members);
	return r;
}

static int check_signature(
    const struct ledger *l, const struct policy *policy, const void *sig, size_t n, struct err *err)
{
	BUF_AUTO statement = BUF_INIT(APPROVAL_TEXT_MAX);
	size_t which;

	if (agreement_statement(l, policy, &statement, err))
		return -1;
	if (!approval_verify(ledger_root(l), 1, statement.p, statement.n, sig, n, &which, err))
		return 0;
	return err_hint(
	    err, "%s", text("sign what 'bkp agree --statement-out FILE' writes now, with the root key"));
}

int agreement_record(struct state *s, const struct policy *policy, const void *sig, size_t n, struct err *err)
{
	json_t *members;

	if (check_signature(state_ledger(s), policy, sig, n, err))
		return -1;
	members = members_of(state_ledger(s), policy, false, err);
	if (!members)
		return -1;
	if (json_object_set_new(members, "approval", json_stringn(sig, n))) {
		json_decref(members);
		return err_set(err, "E-SIG-01", "%s", text("the signature is not UTF-8"));
	}
	return reserve_append(s, "agreed", members, err);
}

int agreement_sign(
    struct state *s, const struct policy *policy, const struct minisig_secret *root, struct err *err)
{
	BUF_AUTO statement = BUF_INIT(APPROVAL_TEXT_MAX);
	BUF_AUTO sig = BUF_INIT(APPROVAL_SIG_MAX);

	if (memcmp(&root->pub.key, ledger_root(state_ledger(s))->key, sizeof(root->pub.key)) != 0) {
		err_set(err, "E-AGREE-01", "%s", text("this is not the root key of the repository"));
		return err_hint(err, "%s", text("compare it with the paper of 'bkp init'"));
	}
	if (agreement_statement(state_ledger(s), policy, &statement, err) ||
	    minisig_sign(root, statement.p, statement.n, "bkp agree", &sig, err))
		return -1;
	return agreement_record(s, policy, sig.p, sig.n, err);
}
