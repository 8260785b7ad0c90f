/* ledger_drills: drills and recoveries that were taken over, and which procedures are in force; see ledger.h and
 * docs/format-writer.md, section 9.
 *
 * A record's time is that of another computer: it never counts as later than its record here.  A generation counts as brought back when it
 * is one that was captured here, by its run's uuid. */
#include "read/ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/journal/drill_slip.h"
#include "format/journal/journal.h"
#include "format/journal/slip.h"

/* ---- judging ---- */

/* A drill has one record: what another file says of the same is no second drill. */
static bool is_same(const json_t *a, const json_t *b)
{
	static const char *const of[] = {"kind", "begun", "host", "procedure", "medium"};

	for (size_t i = 0; i < sizeof(of) / sizeof(*of); i++)
		if (!json_equal(json_object_get(a, of[i]), json_object_get(b, of[i])))
			return false;
	return true;
}

const struct ledger_drill *ledger_drill_same(const struct ledger *l, const json_t *members)
{
	for (size_t i = 0; i < l->n_drills; i++)
		if (is_same(l->drills[i].record, members))
			return &l->drills[i];
	return NULL;
}

int ledger_check_drill(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const char *wrong = drill_slip_wrong(o);

	if (wrong)
		return ledger_wrong_member(line, event, wrong, err);
	if (ledger_drill_same(l, o))
		return ledger_contradiction(line, event, text("this drill is on record already"), err);
	return 0;
}

int ledger_check_procedures(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	static const struct slip_member of[] = {{"name", slip_is_word}, {"sha256", slip_is_sha256}};
	const json_t *list = json_object_get(o, "procedures");

	(void)l;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (slip_wrong(of, 2, json_array_get(list, i)))
			return ledger_wrong_member(line, event, "procedures", err);
	return 0;
}

int ledger_check_regulation(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	static const struct slip_member of[] = {
	    {"article", slip_is_word}, {"subject", slip_is_word}, {"rule", slip_is_word}};
	const json_t *list = json_object_get(o, "clauses");

	(void)l;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (slip_wrong(of, 3, json_array_get(list, i)))
			return ledger_wrong_member(line, event, "clauses", err);
	return 0;
}

/* ---- folding ---- */

static int apply_drill(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_drill *d = reallocarray(l->drills, l->n_drills + 1, sizeof(*l->drills));
	const int64_t ns = drill_slip_ns(r->json);

	if (!d)
		return err_nomem(err);
	l->drills = d;
	d += l->n_drills++;
	*d = (struct ledger_drill){.seq = r->seq,
	    .at_ns = ns < r->wall_ns ? ns : r->wall_ns,
	    .record = json_incref(r->json),
	    .declared = !member_str(r->json, "signed_by"),
	    .proves = drill_slip_proves(r->json)};
	return 0;
}

int ledger_fold_drills(struct ledger *l, const struct journal_record *r, struct err *err)
{
	if (!strcmp(r->event, "drill"))
		return apply_drill(l, r, err) || ledger_fold_findings(l, r, err) ? -1 : 0;
	if (!strcmp(r->event, "procedure-approved")) {
		l->approved = l->approved ? l->approved : json_object();
		return json_object_set(l->approved, member_str(r->json, "sha256"), (json_t *)r->json)
			   ? err_nomem(err)
			   : 0;
	}
	if (!strcmp(r->event, "regulation-approved")) {
		json_decref(l->regulation);
		l->regulation = json_incref(r->json);
	}
	if (!strcmp(r->event, "procedures")) {
		json_decref(l->procedures);
		l->procedures = json_incref(json_object_get(r->json, "procedures"));
	}
	return 0;
}

void ledger_drills_clear(struct ledger *l)
{
	for (size_t i = 0; i < l->n_drills; i++)
		json_decref((json_t *)l->drills[i].record);
	free(l->drills);
	json_decref(l->procedures);
	json_decref(l->approved);
	json_decref(l->regulation);
}

/* ---- asking ---- */

size_t ledger_drills(const struct ledger *l)
{
	return l->n_drills;
}

const struct ledger_drill *ledger_drill(const struct ledger *l, size_t i)
{
	return &l->drills[i];
}

const struct ledger_generation *ledger_drill_restored(
    const struct ledger *l, const struct ledger_drill *d, const char *dataset, bool tried)
{
	const json_t *list = json_object_get(d->record, "datasets");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i);
		const struct ledger_generation *g = generation_of(l, o);

		if (g && (tried || json_is_integer(json_object_get(o, "bytes"))) &&
		    !strcmp(g->dataset, dataset) && !strcmp(g->uuid, member_str(o, "uuid")))
			return g;
	}
	return NULL;
}

const struct ledger_drill *ledger_drilled(
    const struct ledger *l, const char *dataset, const struct ledger_generation **ret_from)
{
	const struct ledger_drill *newest = NULL;

	for (size_t i = 0; i < l->n_drills; i++) {
		const struct ledger_drill *d = &l->drills[i];
		const struct ledger_generation *g =
		    d->proves ? ledger_drill_restored(l, d, dataset, false) : NULL;

		if (g && (!newest || d->at_ns >= newest->at_ns)) {
			newest = d;
			*ret_from = g;
		}
	}
	return newest;
}

const struct ledger_drill *ledger_drilled_in_vain(const struct ledger *l, const char *dataset)
{
	const struct ledger_drill *newest = NULL;

	for (size_t i = 0; i < l->n_drills; i++) {
		const struct ledger_drill *d = &l->drills[i];

		if (!strcmp(journal_text(d->record, "verdict"), "failed") &&
		    ledger_drill_restored(l, d, dataset, true) && (!newest || d->at_ns >= newest->at_ns))
			newest = d;
	}
	return newest;
}

bool ledger_procedure_is(const struct ledger *l, const char *sha256)
{
	for (size_t i = 0; i < json_array_size(l->procedures); i++)
		if (!strcmp(journal_text(json_array_get(l->procedures, i), "sha256"), sha256))
			return true;
	return false;
}

const json_t *ledger_approved(const struct ledger *l, const char *sha256)
{
	return json_object_get(l->approved, sha256);
}

const json_t *ledger_regulation(const struct ledger *l)
{
	return l->regulation;
}

const json_t *ledger_procedures(const struct ledger *l)
{
	return l->procedures;
}
