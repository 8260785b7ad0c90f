/* ledger_findings: findings (指摘) of drills and others, what was done about them (対応), and that it was seen to be mended (確認); see
 * ledger.h and docs/format-writer.md, section 9.
 *
 * One is raised by the record of a drill, which may bring several, or by a record of its own; its name is that record's number and its place
 * in it, which no later record changes. */
#include "read/ledger/ledger_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/journal/drill_slip.h"
#include "format/journal/journal.h"
#include "format/journal/slip.h"
#include "format/medium/selector.h"

#define RAISED "raised"
#define CLOSED "closed"

/* ---- judging ---- */

static bool is_day_or_none(const json_t *v)
{
	uint64_t day;

	return !v || json_is_null(v) || (slip_is_line(v) && selector_date(json_string_value(v), &day));
}

int ledger_check_finding(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const char *action = member_str(o, "action"), *wrong;
	const struct ledger_finding *f;

	if (!strcmp(action, RAISED)) {
		wrong = drill_slip_finding_wrong(o);
		return wrong ? ledger_wrong_member(line, event, wrong, err) : 0;
	}
	if (strcmp(action, "measure") != 0 && strcmp(action, CLOSED) != 0)
		return ledger_wrong_member(line, event, "action", err);
	if (!slip_is_word(json_object_get(o, "text")))
		return ledger_wrong_member(line, event, "text", err);
	if (!is_day_or_none(json_object_get(o, "due")))
		return ledger_wrong_member(line, event, "due", err);
	if (!member_str(o, "finding"))
		return ledger_wrong_member(line, event, "finding", err);
	f = ledger_finding_named(l, member_str(o, "finding"));
	if (!f || f->closed)
		return ledger_contradiction(
		    line, event, text("there is no such finding, or it was closed before"), err);
	return 0;
}

/* ---- folding ---- */

static int raise_one(
    struct ledger *l, const struct journal_record *r, size_t place, const json_t *of, struct err *err)
{
	struct ledger_finding *f = reallocarray(l->findings, l->n_findings + 1, sizeof(*l->findings));

	if (!f)
		return err_nomem(err);
	l->findings = f;
	f += l->n_findings++;
	*f = (struct ledger_finding){.seq = r->seq, .at_ns = r->wall_ns, .raised = json_incref((json_t *)of)};
	snprintf(f->due, sizeof(f->due), "%s", member_str(of, "due"));
	snprintf(f->id, sizeof(f->id), "%" PRIu64 ".%zu", r->seq, place);
	return 0;
}

static void take_over(const json_t **member, json_t *record)
{
	json_decref((json_t *)*member);
	*member = json_incref(record);
}

static void act_on(struct ledger_finding *f, const struct journal_record *r)
{
	const bool ends = !strcmp(member_str(r->json, "action"), CLOSED);
	const char *due = member_str(r->json, "due");

	take_over(ends ? &f->closed : &f->measure, r->json);
	if (!ends && due)
		snprintf(f->due, sizeof(f->due), "%s", due);
}

int ledger_fold_findings(struct ledger *l, const struct journal_record *r, struct err *err)
{
	const json_t *list = json_object_get(r->json, "findings");
	const char *id = member_str(r->json, "finding");

	if (!strcmp(r->event, "drill")) {
		const char *title = member_str(json_object_get(r->json, "procedure"), "title");

		for (size_t i = 0; i < json_array_size(list); i++) {
			if (raise_one(l, r, i + 1, json_array_get(list, i), err))
				return -1;
			l->findings[l->n_findings - 1].title = title;
		}
		return 0;
	}
	if (!strcmp(member_str(r->json, "action"), RAISED))
		return raise_one(l, r, 1, r->json, err);
	for (size_t i = 0; i < l->n_findings; i++)
		if (!strcmp(l->findings[i].id, id))
			act_on(&l->findings[i], r);
	return 0;
}

void ledger_findings_clear(struct ledger *l)
{
	for (size_t i = 0; i < l->n_findings; i++) {
		json_decref((json_t *)l->findings[i].raised);
		json_decref((json_t *)l->findings[i].measure);
		json_decref((json_t *)l->findings[i].closed);
	}
	free(l->findings);
}

/* ---- asking ---- */

size_t ledger_findings(const struct ledger *l)
{
	return l->n_findings;
}

const struct ledger_finding *ledger_finding(const struct ledger *l, size_t i)
{
	return &l->findings[i];
}

const struct ledger_finding *ledger_finding_named(const struct ledger *l, const char *id)
{
	for (size_t i = 0; i < l->n_findings; i++)
		if (!strcmp(l->findings[i].id, id))
			return &l->findings[i];
	return NULL;
}

bool ledger_finding_overdue(const struct ledger_finding *f, int64_t now_ns)
{
	char now[CLOCK_TEXT];

	return !f->closed && strncmp(clock_format_local(now_ns, now), f->due, strlen("2026-11-30")) > 0;
}
