/* overview: see overview.h.
 *
 * Two sources are put side by side: what the journal has recorded of a medium and what is seen of it now.  Where they differ
 * both are said (overview_where()). */
#include "cmd/show/overview.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/time/attached.h"
#include "cmd/time/room_show.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "write/media/attendance.h"

#define SHOW 64 /* bytes of a place in a table */

int overview_compliance(const struct policy *policy, const struct ledger *l, struct compliance **ret)
{
	enum compliance_sight *sights = calloc(policy->n_media, sizeof(*sights));
	struct attendance_keys k = {.repository = ledger_repository(l)};
	struct err err = ERR_INIT;
	struct clock_stamp now;
	int r;

	if (!sights) {
		err_nomem(&err);
		return app_error(&err, APP_UNKNOWN);
	}
	k.keys = ledger_keys(l, &k.n_keys);
	attendance_look(l, &k, policy, sights);
	clock_now(&now);
	r = compliance_new(policy, l, sights, now.wall_ns, ret, &err);
	free(sights);
	return r ? app_error(&err, APP_UNKNOWN) : APP_OK;
}

int overview_compliance_then(
    const struct policy *policy, const struct ledger *l, int64_t at_ns, struct compliance **ret)
{
	struct err err = ERR_INIT;

	return compliance_new(policy, l, NULL, at_ns, ret, &err) ? app_error(&err, APP_UNKNOWN) : APP_OK;
}

int overview_exit(const struct compliance *s)
{
	return s->nothing ? APP_FAILED : s->overall == COMPLIANCE_MET ? APP_OK : APP_ATTENTION;
}

bool overview_in_order(const struct compliance_dataset *d)
{
	return d->generations.verdict == COMPLIANCE_MET && d->three.verdict == COMPLIANCE_MET &&
	       d->two.verdict == COMPLIANCE_MET && d->one.verdict == COMPLIANCE_MET && !d->tried_failed;
}

/* ---- words ---- */

char *overview_age(int64_t now_ns, int64_t ns, char out[OVERVIEW_TEXT])
{
	int64_t s = now_ns > ns ? (now_ns - ns) / SECOND_NS : 0;

	compliance_span(s, out, OVERVIEW_TEXT);
	return out;
}

char *overview_where(const struct compliance_medium *m, char out[OVERVIEW_TEXT])
{
	const struct ledger_medium *lm = m->ledger;
	const bool offline = m->policy ? m->policy->offline : lm->offline;
	char since[CLOCK_TEXT];

	if (m->lost || (lm && lm->lost_ns)) {
		snprintf(out, OVERVIEW_TEXT, text("lost since %s"),
		    clock_format_local((lm ? lm : m->lost)->lost_ns, since));
		return out;
	}
	if (!lm) {
		snprintf(out, OVERVIEW_TEXT, "%s", text("not registered yet"));
		return out;
	}
	clock_format_local(lm->attach_ns, since);
	if (!offline)
		snprintf(out, OVERVIEW_TEXT, "%s",
		    m->sight == COMPLIANCE_SEEN	      ? text("attached")
		    : m->sight == COMPLIANCE_NOT_SEEN ? text("not there")
						      : text("unknown"));
	else if (m->sight == COMPLIANCE_SEEN)
		snprintf(out, OVERVIEW_TEXT,
		    lm->attached ? text("attached since %s")
				 : text("attached, recorded as detached since %s"),
		    since);
	else if (!lm->attached)
		snprintf(out, OVERVIEW_TEXT,
		    m->kind == COMPLIANCE_REMOVED ? text("removed since %s")
						  : text("logically separated since %s"),
		    since);
	else
		snprintf(out, OVERVIEW_TEXT, "%s",
		    m->sight == COMPLIANCE_NOT_SEEN ? text("not there, recorded as attached")
						    : text("recorded as attached"));
	width_whole(out);
	return out;
}

/* ---- for programs ---- */

json_t *overview_time_json(int64_t ns)
{
	return out_time_json(ns);
}

json_t *overview_number_json(uint64_t n)
{
	return n ? json_integer((json_int_t)n) : json_null();
}

json_t *overview_generation_json(const struct ledger_generation *g)
{
	return g ? json_pack("{s:s, s:I}", "dataset", g->dataset, "generation", (json_int_t)g->number)
		 : json_null();
}

json_t *overview_uses_json(const struct ledger *l)
{
	size_t declared;
	int64_t since;
	size_t n = ledger_uses_new(l, &declared, &since);

	return json_pack("{s:o, s:I, s:I}", "since", overview_time_json(since), "uses", (json_int_t)n,
	    "declared", (json_int_t)declared);
}

static json_t *record_json(const json_t *record)
{
	return record ? json_pack("{s:s, s:s, s:s}", "text", journal_text(record, "text"), "operator",
			    journal_text(record, "operator"), "at", journal_text(record, "time"))
		      : json_null();
}

static json_t *finding_json(const struct ledger_finding *f, int64_t now_ns)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:s?, s:o, s:o}", "finding", f->id, "state",
	    f->closed				? "closed"
	    : ledger_finding_overdue(f, now_ns) ? "overdue"
						: "open",
	    "text", journal_text(f->raised, "text"), "owner", journal_text(f->raised, "owner"), "due", f->due,
	    "raised", overview_time_json(f->at_ns), "procedure", f->title, "measure", record_json(f->measure),
	    "closed", record_json(f->closed));
}

json_t *overview_findings_json(const struct ledger *l, int64_t now_ns, bool all)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ledger_findings(l); i++)
		if (all || !ledger_finding(l, i)->closed)
			json_array_append_new(list, finding_json(ledger_finding(l, i), now_ns));
	return list;
}

json_t *overview_envelopes_json(const struct policy *policy, const struct ledger *l, int64_t now_ns)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ledger_envelopes(l); i++) {
		const struct ledger_envelope *e = ledger_envelope(l, i);

		json_array_append_new(
		    list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:b, s:b, s:b}",
			      "number", e->number, "person", e->person, "seal", e->seal, "place", e->place,
			      "holder", e->holder, "added", overview_time_json(e->added_ns), "sealed",
			      overview_time_json(e->sealed_ns), "opened", overview_time_json(e->opened_ns),
			      "drill", overview_time_json(e->drilled_ns), "why", e->why, "overdue",
			      (int)compliance_envelope_overdue(policy, e, now_ns), "open", (int)e->open,
			      "retired", (int)e->retired));
	}
	return list;
}

json_t *overview_opened_json(const struct ledger *l, const char *dataset)
{
	const struct ledger_opened *o = ledger_opened(l, dataset);

	return o ? json_pack("{s:I, s:o, s:b}", "generation", (json_int_t)o->generation, "begun",
		       overview_time_json(o->begun_ns), "declared", (int)o->declared)
		 : json_null();
}

static json_t *recorded_json(const struct ledger_medium *lm)
{
	return json_pack(
	    "{s:O?, s:O?, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:o, s:b, s:o, s:o, s:o, s:s, s:s, s:s}", "data",
	    lm->data, "lent", lm->lent, "counted", overview_time_json(lm->counted_ns), "missing_since",
	    overview_time_json(lm->missing_ns), "lost", overview_time_json(lm->lost_ns), "medium", lm->uuid,
	    "path", lm->path, "fs_uuid", lm->fs_uuid, "serial", lm->serial, "added",
	    overview_time_json(lm->added_ns), "recorded_attached", (int)lm->attached, "since",
	    overview_time_json(lm->attach_ns), "rotated", overview_time_json(lm->rotated_ns), "moved",
	    overview_time_json(lm->moved_ns), "place", lm->place, "destination", lm->destination, "custodian",
	    lm->custodian);
}

json_t *overview_medium_json(const struct compliance_medium *m)
{
	static const char *const sights[] = {"not seen", "seen", "unknown"};
	const char *type = m->ledger ? m->ledger->type : m->policy->type;
	json_t *o = m->ledger ? recorded_json(m->ledger)
		    : m->lost ? recorded_json(m->lost)
			      : json_pack("{s:n, s:s?, s:s?}", "medium", "path", m->policy->path, "place",
				    m->policy->place);

	if (!o ||
	    json_object_update_new(o,
		json_pack(
		    "{s:s, s:s, s:s, s:b, s:b, s:b, s:b, s:s, s:b, s:s?, s:b, s:b, s:I, s:o, s:o, s:I, s:I}",
		    "label", m->ledger ? m->ledger->label : m->policy->name, "type", type, "technology",
		    compliance_technology_word(compliance_technology(type)), "type_shown",
		    (int)compliance_type_shown(m), "offline",
		    (int)(m->policy ? m->policy->offline : m->ledger->offline), "declared", m->policy != NULL,
		    "registered", m->ledger != NULL, "sight", sights[m->sight], "attached", (int)m->attached,
		    "offline_kind", compliance_offline_word(m->kind), "overdue_swap", (int)m->overdue_swap,
		    "overdue_attached", (int)m->overdue_attached, "generations", (json_int_t)m->generations,
		    "newest", overview_number_json(m->newest), "newest_begun",
		    overview_time_json(m->newest_ns), "damaged", (json_int_t)m->damaged, "missing",
		    (json_int_t)m->missing)) ||
	    json_object_set_new(
		o, "pool", m->policy && m->policy->pool ? json_string(m->policy->pool->name) : json_null()) ||
	    json_object_set_new(o, "room", m->ledger ? room_json(&m->room) : json_null()) ||
	    json_object_set_new(o, "attached_minutes",
		m->ledger && (m->policy ? m->policy->offline : m->ledger->offline)
		    ? attached_minutes_json(&m->exposed)
		    : json_null())) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* ---- for people ---- */

static void note_cell(struct table *t, const struct compliance_medium *m)
{
	/* what is not there is not attached, whatever is recorded of it */
	bool too_long = m->overdue_attached && m->sight != COMPLIANCE_NOT_SEEN;
	char damaged[OVERVIEW_TEXT] = "";

	if (m->damaged)
		snprintf(damaged, sizeof(damaged), text("%ju damaged"), m->damaged);
	table_cell(t, "%s%s%s%s", damaged, m->damaged && (m->overdue_swap || too_long) ? ", " : "",
	    too_long				       ? text("attached too long")
	    : m->overdue_swap && m->ledger->rotated_ns ? text("rotation overdue")
	    : m->overdue_swap			       ? text("never rotated")
						       : "",
	    m->policy ? "" : text("not in the policy"));
}

static void medium_row(struct table *t, const struct compliance_medium *m)
{
	const char *place = m->ledger && m->ledger->unplaced ? text("not recorded")
			    : m->ledger && *m->ledger->place ? m->ledger->place
			    : m->policy && m->policy->place  ? m->policy->place
							     : "-";
	char show[SHOW], where[OVERVIEW_TEXT], time[CLOCK_TEXT];

	table_cell(t, "%s", m->ledger ? m->ledger->label : m->policy->name);
	table_cell(t, m->ledger && !compliance_type_shown(m) ? text("%s (declared)") : "%s",
	    policy_plan_technology(m->ledger ? m->ledger->type : m->policy->type));
	table_cell(t, "%s", overview_where(m, where));
	table_cell(t, "%s", path_show(place, show, sizeof(show)));
	if (m->policy ? !m->policy->offline : !m->ledger->offline)
		table_cell(t, "%s", text("online"));
	else
		table_cell(t, "%s",
		    m->ledger && m->ledger->rotated_ns ? clock_format_local(m->ledger->rotated_ns, time)
						       : "-");
	if (m->newest)
		table_cell(t, "%" PRIu64 "  %s", m->newest, clock_format_local(m->newest_ns, time));
	else
		table_cell(t, "-");
	note_cell(t, m);
}

struct table *overview_media_table(const struct compliance *s)
{
	static const char *const heads[] = {TEXT_LATER("MEDIUM"), TEXT_LATER("TECHNOLOGY"), TEXT_LATER("NOW"),
	    TEXT_LATER("PLACE"), TEXT_LATER("ROTATED"), TEXT_LATER("NEWEST VERIFIED"), TEXT_LATER("NOTE")};
	struct table *t = table_headed(heads, 7);

	if (!t)
		return NULL;
	for (size_t i = 0; i < s->n_media; i++)
		medium_row(t, &s->media[i]);
	return t;
}
