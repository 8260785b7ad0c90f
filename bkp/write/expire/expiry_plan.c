/* expiry_plan: choosing what goes, and the plan that an approver signs; see expiry.h.
 *
 * What goes is what today's judgement lets go (retention.h); a plan can only narrow it.  A plan that is given is
 * checked in the order of trust: the approver's signature before a byte of it is parsed, then the journal's record
 * that it names and its age, then each item against today's judgement. */
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "format/journal/approval.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "write/expire/expiry_private.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define WHY_MAX	      ((size_t)8 << 10)
#define APPROVERS_MAX 64

/* "covered 5/3": for the record, in no language. */
static char *reason_words(const struct retention_copy *c)
{
	BUF_AUTO b = BUF_INIT(WHY_MAX);

	for (size_t i = 0; i < c->n_why; i++) {
		const struct retention_why *w = &c->why[i];

		if (buf_printf(
			&b, NULL, "%s%s %ju/%ju", i ? "; " : "", retention_word(w->reason), w->have, w->want))
			break; /* the first ones say enough */
	}
	return buf_terminate(&b, NULL) ? NULL : strdup((char *)b.p);
}

void expiry_clear(struct expiry_medium *m)
{
	for (size_t i = 0; i < m->n_items; i++)
		free(m->items[i].why);
	free(m->items);
	m->items = NULL;
	m->n_items = 0;
}

/* Was it asked for, or what was captured together with it? */
static bool is_wanted(const struct expiry *e, const struct retention_copy *c)
{
	const struct ledger *l = state_ledger(e->state);
	const struct ledger_generation *g = ledger_generation_of(l, c->dataset, c->number), *o = NULL;
	bool wanted = !e->wanted || e->wanted(e->wanted_arg, c->dataset, c->number);

	while (!wanted && g && (o = ledger_companion(l, g, o)))
		wanted = e->wanted(e->wanted_arg, o->dataset, o->number);
	return wanted;
}

/* May it go, and is that wanted? */
static bool is_chosen(const struct expiry *e, const struct retention_copy *c)
{
	return !c->stays && is_wanted(e, c);
}

int expiry_choose(
    const struct expiry *e, struct expiry_medium *m, const struct approval_plan *plan, struct err *err)
{
	expiry_clear(m);
	m->items = calloc(m->judged->n + 1, sizeof(*m->items));
	if (!m->items)
		return err_nomem(err);
	for (size_t i = 0; i < m->judged->n; i++) {
		const struct retention_copy *c = &m->judged->copies[i];
		struct reap_item *it = &m->items[m->n_items];

		if (!is_chosen(e, c) ||
		    (plan && !approval_plan_has(plan, m->judged->uuid, c->dataset, c->number)))
			continue;
		it->dataset = c->dataset; /* the judgement lives longer */
		it->number = c->number;
		memcpy(it->uuid, c->uuid, sizeof(it->uuid));
		it->why = reason_words(c);
		m->n_items++;
	}
	return 0;
}

/* ---- writing a plan ---- */

static int plan_copy(const struct retention_copy *c, struct buf *out, struct err *err)
{
	char note[RETENTION_SENTENCE];

	if (approval_plan_generation(c->dataset, c->number, c->uuid, out, err) ||
	    approval_plan_note(clock_format_local(c->begun_ns, note), out, err))
		return -1;
	for (size_t i = 0; i < c->n_why; i++)
		if (approval_plan_note(retention_sentence(&c->why[i], note), out, err))
			return -1;
	return 0;
}

int expiry_plan(const struct expiry *e, struct buf *out, struct err *err)
{
	const struct ledger *l = state_ledger(e->state);
	struct approval_record head = {.seq = ledger_seq(l)};

	memcpy(head.sha256, ledger_head(l), DIGEST_LEN);
	if (approval_plan_begin(ledger_repository(l), &head, out, err))
		return -1;
	for (size_t i = 0; i < e->n; i++) {
		const struct expiry_medium *m = &e->media[i];

		if (!m->n_items)
			continue;
		if (approval_plan_medium(m->judged->uuid, m->judged->label, out, err))
			return -1;
		for (size_t k = 0; k < m->judged->n; k++)
			if (is_chosen(e, &m->judged->copies[k]) && plan_copy(&m->judged->copies[k], out, err))
				return -1;
	}
	return 0;
}

/* ---- taking one ---- */

/* Does the record that the plan names stand in the journal, and when was it written? */
struct looking {
	const struct approval_record *head;
	int64_t time_ns;
	bool found;
};

static int look_at_record(void *arg, const struct journal_record *r, struct err *err)
{
	struct looking *k = arg;
	const char *prev = json_string_value(json_object_get(r->json, "prev"));
	char hex[DIGEST_HEX];

	(void)err;
	if (r->seq == k->head->seq)
		k->time_ns = r->wall_ns;
	/* the next one vouches for its bytes */
	if (r->seq == k->head->seq + 1)
		k->found = prev && !strcmp(prev, digest_hex(k->head->sha256, DIGEST_LEN, hex));
	return 0;
}

static int plan_unusable(const char *why, struct err *err)
{
	err_set(err, "E-EXPIRE-04", text("the plan cannot be used: %s"), why);
	return err_hint(err, "%s", text("make a new one with 'bkp expire --plan-out FILE'"));
}

static int check_head(const struct expiry *e, const struct approval_plan *plan, struct err *err)
{
	const struct ledger *l = state_ledger(e->state);
	struct looking k = {&plan->head, 0, false};
	STORE_FILE_AUTO journal = {0};
	struct ledger *again = NULL;
	int64_t age_s;

	if (state_journal(e->state, &journal, err) ||
	    ledger_load_file(&journal, JOURNAL_DIR, ledger_root(l), look_at_record, &k, &again, err))
		return -1;
	k.found |=
	    plan->head.seq == ledger_seq(again) && !memcmp(plan->head.sha256, ledger_head(again), DIGEST_LEN);
	ledger_free(again);
	if (strcmp(plan->repository, ledger_repository(l)) != 0 || !k.found)
		return plan_unusable(text("it does not continue this journal"), err);
	age_s = e->now_ns / SECOND_NS - k.time_ns / SECOND_NS;
	if (age_s > EXPIRY_PLAN_AGE_S || age_s < -EXPIRY_PLAN_AGE_S)
		return plan_unusable(text("it is too old"), err);
	return 0;
}

static const struct retention_copy *judged_copy(const struct expiry *e, const struct approval_item *it)
{
	const struct retention_medium *m = retention_on(e->judged, it->medium);

	for (size_t i = 0; m && i < m->n; i++)
		if (m->copies[i].number == it->number && !strcmp(m->copies[i].dataset, it->dataset) &&
		    !strcmp(m->copies[i].uuid, it->uuid))
			return &m->copies[i];
	return NULL;
}

static bool is_gone(const struct expiry *e, const struct approval_item *it)
{
	const struct ledger_generation *g =
	    ledger_generation_of(state_ledger(e->state), it->dataset, it->number);
	const struct ledger_copy *c = ledger_copy_in(g, it->medium);

	return c && c->expired_ns && !strcmp(g->uuid, it->uuid);
}

/* What has gone by this plan already needs not go again. */
static int check_items(const struct expiry *e, const struct approval_plan *plan, struct err *err)
{
	char why[RETENTION_SENTENCE], label[GENERATION_LABEL];

	for (size_t i = 0; i < plan->n; i++) {
		const struct approval_item *it = &plan->items[i];
		const struct retention_copy *c = judged_copy(e, it);

		if ((c && !c->stays) || is_gone(e, it))
			continue;
		err_set(err, "E-EXPIRE-05", text("the plan lets generation %s go, and it may not: %s"),
		    generation_label(it->dataset, it->number, label),
		    c ? retention_sentence(&c->why[0], why) : text("it is not there"));
		return err_hint(err, "%s", text("make a new one with 'bkp expire --plan-out FILE'"));
	}
	return 0;
}

/* By one of those who are agreed.  The key into e->approver. */
static int check_signature(
    struct expiry *e, const void *plan, size_t n, const void *sig, size_t sn, struct err *err)
{
	const struct ledger *l = state_ledger(e->state);
	struct minisig_public keys[APPROVERS_MAX];
	size_t n_keys = 0, which;

	for (size_t i = 0; i < ledger_approvers(l) && n_keys < APPROVERS_MAX; i++)
		if (!minisig_public_parse(ledger_approver(l, i), &keys[n_keys], NULL))
			n_keys++;
	if (approval_verify(keys, n_keys, plan, n, sig, sn, &which, err))
		return err_hint(
		    err, "%s", text("an approver signs the plan as it is, with 'minisign -S -m FILE'"));
	e->approver = malloc(MINISIG_KEY_TEXT);
	if (!e->approver)
		return err_nomem(err);
	minisig_public_format(&keys[which], e->approver);
	return 0;
}

int expiry_approve(struct expiry *e, const void *text_, size_t n, const void *sig, size_t sn, struct err *err)
{
	struct approval_plan *plan = NULL;
	uint8_t sha256[DIGEST_LEN];
	int r;

	/* only what an approver signed reaches the parser */
	if (check_signature(e, text_, n, sig, sn, err) || approval_plan_parse(text_, n, &plan, err))
		return -1;
	r = check_head(e, plan, err) || check_items(e, plan, err);
	for (size_t i = 0; !r && i < e->n; i++)
		if (e->media[i].medium && e->media[i].judged)
			r = expiry_choose(e, &e->media[i], plan, err) || expiry_measure(e, &e->media[i], err);
	approval_plan_free(plan);
	if (r)
		return -1;
	digest_sha256(text_, n, sha256);
	digest_hex(sha256, DIGEST_LEN, e->plan_sha256);
	return reserve_append(e->state, "expiry-approved",
	    json_pack("{s:s%, s:s%, s:s}", "plan", text_, n, "signature", sig, sn, "approver", e->approver),
	    err);
}
