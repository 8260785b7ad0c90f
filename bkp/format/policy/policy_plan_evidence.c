/* policy_plan_evidence: what stands in papers alone, as `bkp check` prints it; see policy_plan.h. */
#include "format/policy/policy_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/day.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "format/policy/policy.h"

#define SHOWN 2600 /* room for the longest text, escaped */

static void text_cell(struct table *t, const char *s)
{
	char shown[SHOWN];

	table_cell(t, "%s", s ? path_show(s, shown, sizeof(shown)) : "-");
}

static void day_cell(struct table *t, int32_t day)
{
	char date[DAY_TEXT];

	table_cell(t, "%s", day ? day_format(day, date) : "-");
}

/* Takes the table, NULL where there was no memory for it. */
static int put_table(const char *title, struct table *t, unsigned columns, struct buf *out, struct err *err)
{
	int r = t ? buf_printf(out, err, "\n%s\n", title) : err_nomem(err);

	if (!r)
		r = table_fit(t, 2, columns, out, err);
	table_free(t);
	return r;
}

static int render_excluded(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	static const char *const heads[] = {TEXT_LATER("NAME"), TEXT_LATER("WHERE"), TEXT_LATER("REASON"),
	    TEXT_LATER("DECIDED BY"), TEXT_LATER("DECIDED ON"), TEXT_LATER("REVIEW ON")};
	struct table *t = table_headed(heads, 6);

	for (size_t i = 0; t && i < p->n_excluded; i++) {
		text_cell(t, p->excluded[i].name);
		text_cell(t, p->excluded[i].where);
		text_cell(t, p->excluded[i].reason);
		text_cell(t, p->excluded[i].decided_by);
		day_cell(t, p->excluded[i].decided_on);
		day_cell(t, p->excluded[i].review_on);
	}
	return put_table(text("What is not captured, by decision"), t, columns, out, err);
}

static int render_external(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	static const char *const heads[] = {TEXT_LATER("NAME"), TEXT_LATER("VENDOR"), TEXT_LATER("WHAT"),
	    TEXT_LATER("HOW OFTEN"), TEXT_LATER("GENERATIONS"), TEXT_LATER("METHOD"), TEXT_LATER("PLACE"),
	    TEXT_LATER("CONTRACT"), TEXT_LATER("CONFIRMED ON")};
	struct table *t = table_headed(heads, 9);

	for (size_t i = 0; t && i < p->n_external; i++) {
		const struct policy_external *x = &p->external[i];

		text_cell(t, x->name);
		text_cell(t, x->vendor);
		text_cell(t, x->what);
		text_cell(t, x->how_often);
		if (x->generations)
			table_cell(t, "%u", x->generations);
		else
			text_cell(t, NULL);
		text_cell(t, x->method);
		text_cell(t, x->place);
		text_cell(t, x->contract);
		day_cell(t, x->confirmed_on);
	}
	return put_table(text("What others back up (bkp does not see it)"), t, columns, out, err);
}

static int render_contacts(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	static const char *const heads[] = {TEXT_LATER("KIND"), TEXT_LATER("NAME"), TEXT_LATER("PERSON"),
	    TEXT_LATER("TELEPHONE"), TEXT_LATER("MAIL"), TEXT_LATER("HOURS"), TEXT_LATER("CONFIRMED ON")};
	struct table *t = table_headed(heads, 7);

	for (size_t i = 0; t && i < p->n_contacts; i++) {
		const struct policy_contact *c = &p->contacts[i];

		table_cell(t, "%s", policy_contact_text(c->kind));
		text_cell(t, c->name);
		text_cell(t, c->person);
		text_cell(t, c->tel);
		text_cell(t, c->mail);
		text_cell(t, c->hours);
		day_cell(t, c->confirmed_on);
	}
	return put_table(text("Whom to call"), t, columns, out, err);
}

static int render_assets(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	static const char *const heads[] = {TEXT_LATER("NAME"), TEXT_LATER("MODEL"), TEXT_LATER("PLACE"),
	    TEXT_LATER("SYSTEM"), TEXT_LATER("SUPPORT UNTIL")};
	struct table *t = table_headed(heads, 5);

	for (size_t i = 0; t && i < p->n_assets; i++) {
		text_cell(t, p->assets[i].name);
		text_cell(t, p->assets[i].model);
		text_cell(t, p->assets[i].place);
		text_cell(t, p->assets[i].system);
		day_cell(t, p->assets[i].support_until);
	}
	return put_table(text("Equipment"), t, columns, out, err);
}

static int render_checklist(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	static const char *const heads[] = {TEXT_LATER("ITEM"), TEXT_LATER("ANSWER"), TEXT_LATER("ON"),
	    TEXT_LATER("ANSWERED BY"), TEXT_LATER("TARGET"), TEXT_LATER("WHY")};
	const struct policy_checklist *c = &p->checklist;
	char line[128], date[DAY_TEXT], edition[SHOWN];
	struct table *t = table_headed(heads, 6);

	for (size_t i = 0; t && i < c->n_self; i++) {
		text_cell(t, c->self[i].item);
		text_cell(t, c->self[i].answer ? policy_answer_words[c->self[i].answer] : NULL);
		day_cell(t, c->self[i].on);
		text_cell(t, c->self[i].by);
		day_cell(t, c->self[i].target ? c->self[i].target : c->target);
		text_cell(t, c->self[i].why);
	}
	snprintf(line, sizeof(line), text("Checklist %.64s, to be met by %s"),
	    c->edition ? path_show(c->edition, edition, sizeof(edition)) : "",
	    c->target ? day_format(c->target, date) : "-");
	return put_table(line, t, columns, out, err);
}

int policy_plan_evidence(const struct policy *p, unsigned columns, struct buf *out, struct err *err)
{
	if ((p->n_excluded && render_excluded(p, columns, out, err)) ||
	    (p->n_external && render_external(p, columns, out, err)) ||
	    (p->n_contacts && render_contacts(p, columns, out, err)) ||
	    (p->n_assets && render_assets(p, columns, out, err)))
		return -1;
	return p->checklist.edition || p->checklist.target || p->checklist.n_self
		   ? render_checklist(p, columns, out, err)
		   : 0;
}
