/* ledger_uses: who used a recovery key, which generations a holder has opened, where the envelopes are; see ledger.h and
 * docs/format-writer.md, section 9.
 *
 * A slip's time is that of another computer: it never counts as later than its record.  How old what was opened is says the
 * generation's own record. */
#include "read/ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/journal/use_slip.h"

/* ---- judging ---- */

int ledger_check_use(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const char *wrong = use_slip_wrong(o);

	if (wrong)
		return ledger_wrong_member(line, event, wrong, err);
	for (size_t i = 0; i < l->n_uses; i++)
		if (!strcmp(member_str(l->uses[i].record, "id"), member_str(o, "id")))
			return ledger_contradiction(
			    line, event, text("this use of a key is on record already"), err);
	return 0;
}

int ledger_check_envelope(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const char *action = member_str(o, "action");
	const bool add = !strcmp(action, "added"), there = ledger_envelope_of(l, member_str(o, "number"));

	if (!use_slip_is_envelope(member_str(o, "number")))
		return ledger_wrong_member(line, event, "number", err);
	if (!add && strcmp(action, "opened") != 0 && strcmp(action, "sealed") != 0 &&
	    strcmp(action, "retired") != 0)
		return ledger_wrong_member(line, event, "action", err);
	if (add == there)
		return ledger_contradiction(line, event,
		    add ? text("there is an envelope of that number")
			: text("there is no envelope of that number"),
		    err);
	return 0;
}

/* ---- folding ---- */

/* The list with room for one more, which is zeros; NULL: out of memory, and the list is as it was. */
static void *grown(void *list, size_t n, size_t size)
{
	char *more = reallocarray(list, n + 1, size);

	return more ? (memset(more + n * size, 0, size), more) : NULL;
}

static struct ledger_envelope *envelope_of(const struct ledger *l, const char *number)
{
	for (size_t i = l->n_envelopes; number && i--;)
		if (!l->envelopes[i].retired && !strcmp(l->envelopes[i].number, number))
			return &l->envelopes[i];
	return NULL;
}

static int set_opened(struct ledger *l, const struct ledger_generation *g, bool declared, struct err *err)
{
	struct ledger_opened *o = (struct ledger_opened *)ledger_opened(l, g->dataset);

	if (!o) {
		o = grown(l->opened, l->n_opened, sizeof(*o));
		if (!o)
			return err_nomem(err);
		l->opened = o;
		o += l->n_opened;
		o->dataset = strdup(g->dataset);
		if (!o->dataset)
			return err_nomem(err);
		l->n_opened++;
	}
	if (o->generation <= g->number) {
		o->declared = declared && (o->declared || o->generation < g->number);
		o->generation = g->number;
		o->begun_ns = g->begun_ns;
	}
	return 0;
}

/* A generation that is another one than was captured proves nothing of ours. */
static int take_drill(struct ledger *l, const struct ledger_use *u, const json_t *drill, struct err *err)
{
	const json_t *opened = json_object_get(drill, "opened");
	const uint64_t failed = member_num(drill, "failed_total");

	if (u->at_ns >= l->drill_ns) {
		l->drill_ns = u->at_ns;
		l->drill_failed = failed;
	}
	for (size_t i = 0; !failed && i < json_array_size(opened); i++) {
		const json_t *o = json_array_get(opened, i);
		const struct ledger_generation *g = generation_of(l, o);

		if (g && !strcmp(g->manifest_sha256, member_str(o, "manifest_sha256")) &&
		    set_opened(l, g, u->declared, err))
			return -1;
	}
	return 0;
}

static int apply_use(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_envelope *e = envelope_of(l, member_str(r->json, "envelope"));
	const json_t *drill = json_object_get(r->json, "drill");
	struct ledger_use *u;

	u = grown(l->uses, l->n_uses, sizeof(*u));
	if (!u)
		return err_nomem(err);
	l->uses = u;
	u += l->n_uses++;
	u->seq = r->seq;
	u->record = json_incref(r->json);
	u->declared = !member_str(r->json, "signed_by");
	u->at_ns = use_slip_ns(r->json) < r->wall_ns ? use_slip_ns(r->json) : r->wall_ns;
	if (e && u->at_ns > e->opened_ns)
		e->opened_ns = u->at_ns;
	if (e && u->at_ns >= e->sealed_ns)
		e->open = true;
	if (e && json_is_object(drill) && u->at_ns > e->drilled_ns)
		e->drilled_ns = u->at_ns;
	return json_is_object(drill) ? take_drill(l, u, drill, err) : 0;
}

static int apply_reviewed(struct ledger *l, const struct journal_record *r, struct err *err)
{
	(void)err;
	for (size_t i = 0; i < l->n_uses; i++)
		l->uses[i].reviewed = true;
	l->reviewed_ns = r->wall_ns;
	return 0;
}

static int add_envelope(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_envelope *e = grown(l->envelopes, l->n_envelopes, sizeof(*e));

	if (!e)
		return err_nomem(err);
	l->envelopes = e;
	e += l->n_envelopes++;
	e->added_ns = e->sealed_ns = r->wall_ns;
	return ledger_replace_text(&e->number, member_str(r->json, "number"), err) ||
		       ledger_replace_text(&e->person, journal_text(r->json, "person"), err) ||
		       ledger_replace_text(&e->seal, journal_text(r->json, "seal"), err) ||
		       ledger_replace_text(&e->place, journal_text(r->json, "place"), err) ||
		       ledger_replace_text(&e->holder, journal_text(r->json, "holder"), err) ||
		       ledger_replace_text(&e->why, "", err)
		   ? -1
		   : 0;
}

static int apply_envelope(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const char *action = member_str(r->json, "action");
	struct ledger_envelope *e;

	if (!strcmp(action, "added"))
		return add_envelope(l, r, err);
	e = envelope_of(l, member_str(r->json, "number"));
	if (!strcmp(action, "retired")) {
		e->retired = true;
	} else if (!strcmp(action, "opened")) {
		e->opened_ns = r->wall_ns;
		e->open = true;
		return ledger_replace_text(&e->why, journal_text(r->json, "why"), err);
	} else {
		e->sealed_ns = r->wall_ns;
		e->open = false;
		return ledger_replace_text(&e->seal, journal_text(r->json, "seal"), err);
	}
	return 0;
}

int ledger_fold_uses(struct ledger *l, const struct journal_record *r, struct err *err)
{
	return !strcmp(r->event, "use")		    ? apply_use(l, r, err)
	       : !strcmp(r->event, "uses-reviewed") ? apply_reviewed(l, r, err)
	       : !strcmp(r->event, "envelope")	    ? apply_envelope(l, r, err)
						    : 0;
}

void ledger_fold_uses_clear(struct ledger *l)
{
	for (size_t i = 0; i < l->n_uses; i++)
		json_decref((json_t *)l->uses[i].record);
	free(l->uses);
	for (size_t i = 0; i < l->n_opened; i++)
		free((char *)l->opened[i].dataset);
	free(l->opened);
	for (size_t i = 0; i < l->n_envelopes; i++) {
		const struct ledger_envelope *e = &l->envelopes[i];
		const char *const all[] = {e->number, e->person, e->seal, e->place, e->holder, e->why};

		for (size_t k = 0; k < sizeof(all) / sizeof(*all); k++)
			free((char *)all[k]);
	}
	free(l->envelopes);
}

/* ---- asking ---- */

size_t ledger_uses(const struct ledger *l)
{
	return l->n_uses;
}

const struct ledger_use *ledger_use(const struct ledger *l, size_t i)
{
	return &l->uses[i];
}

size_t ledger_uses_new(const struct ledger *l, size_t *ret_declared, int64_t *ret_since_ns)
{
	size_t n = 0;

	*ret_declared = 0;
	*ret_since_ns = l->reviewed_ns;
	for (size_t i = 0; i < l->n_uses; i++) {
		n += !l->uses[i].reviewed;
		*ret_declared += !l->uses[i].reviewed && l->uses[i].declared;
	}
	return n;
}

const struct ledger_opened *ledger_opened(const struct ledger *l, const char *dataset)
{
	for (size_t i = 0; i < l->n_opened; i++)
		if (!strcmp(l->opened[i].dataset, dataset))
			return &l->opened[i];
	return NULL;
}

uint64_t ledger_drill_failed(const struct ledger *l, int64_t *ret_ns)
{
	*ret_ns = l->drill_ns;
	return l->drill_failed;
}

size_t ledger_envelopes(const struct ledger *l)
{
	return l->n_envelopes;
}

const struct ledger_envelope *ledger_envelope(const struct ledger *l, size_t i)
{
	return &l->envelopes[i];
}

const struct ledger_envelope *ledger_envelope_of(const struct ledger *l, const char *number)
{
	return envelope_of(l, number);
}
