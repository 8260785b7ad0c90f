/* cmd_medium_show: bkp medium list | show NAME: where the media are, and what became of each; see docs/man.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/medium/cmd_medium.h"
#include "cmd/medium/medium_facts.h"
#include "cmd/show/overview.h"
#include "cmd/time/attached.h"
#include "cmd/time/room_show.h"
#include "format/journal/journal.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/store/store_dir.h"

#define SHOW 256

/* ---- list ---- */

static int list_json(const struct ledger *l, const struct compliance *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < s->n_media; i++)
		json_array_append_new(list, overview_medium_json(&s->media[i]));
	return out_json(json_pack("{s:s, s:o}", "repository", ledger_repository(l), "media", list), APP_OK);
}

int cmd_medium_list(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	struct ledger *l = NULL;
	struct compliance *s = NULL;
	int code = app_ledger(app, policy, &l);

	(void)q;
	if (!code)
		code = overview_compliance(policy, l, &s);
	if (!code)
		code = app->json ? list_json(l, s) : out_table(overview_media_table(s), 0, APP_OK);
	compliance_free(s);
	ledger_free(l);
	return code;
}

/* ---- show: what the journal says of one medium ---- */

struct history {
	const char *uuid;
	json_t *list;
};

static const struct {
	const char *event, *words;
} events[] = {{"medium-added", TEXT_LATER("registered")}, {"medium-attached", TEXT_LATER("seen attached")},
    {"medium-detached", TEXT_LATER("seen to be gone")}, {"rotated", TEXT_LATER("rotated")},
    {"medium-moved", TEXT_LATER("moved")}, {"medium-renamed", TEXT_LATER("renamed")},
    {"medium-retired", TEXT_LATER("retired")}, {"medium-data", TEXT_LATER("data recorded")},
    {"medium-handed", TEXT_LATER("handed over")}, {"medium-lent", TEXT_LATER("lent")},
    {"medium-returned", TEXT_LATER("brought back")}, {"media-counted", TEXT_LATER("stock-take: seen")},
    {"medium-lost", TEXT_LATER("lost")}, {"medium-found", TEXT_LATER("found again")}};

static const char *event_words(const char *event)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		if (!strcmp(events[i].event, event))
			return events[i].words;
	return NULL;
}

static bool is_named(const json_t *list, const char *uuid)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!strcmp(json_string_value(json_array_get(list, i)), uuid))
			return true;
	return false;
}

static bool is_about(const json_t *o, const char *uuid)
{
	return !strcmp(journal_text(o, "medium"), uuid) || is_named(json_object_get(o, "seen"), uuid) ||
	       is_named(json_object_get(o, "missing"), uuid);
}

/* Keeps the members that say what was done; those of the chain stay in the journal. */
static int take_record(void *arg, const struct journal_record *r, struct err *err)
{
	static const char *const chain[] = {
	    "boot", "mono_ns", "synced", "version", "repository", "prev", "epoch", "sig", "medium"};
	struct history *h = arg;
	json_t *o;

	if (!event_words(r->event) || !is_about(r->json, h->uuid))
		return 0;
	o = json_copy(r->json);
	for (size_t i = 0; o && i < sizeof(chain) / sizeof(*chain); i++)
		json_object_del(o, chain[i]);
	return json_array_append_new(h->list, o) ? err_nomem(err) : 0;
}

static int read_history(const struct policy *policy, const struct ledger *l, struct history *h)
{
	STORE_AUTO folder = {0};
	STORE_FILE_AUTO journal = {0};
	struct err err = ERR_INIT;
	struct ledger *again;

	if (store_dir_open(policy->state, &folder, &err) || segments_open(&folder, &journal, &err) ||
	    ledger_load_file(&journal, JOURNAL_DIR, ledger_root(l), take_record, h, &again, &err))
		return app_error(&err, APP_UNKNOWN);
	ledger_free(again);
	return APP_OK;
}

/* ---- show: for programs ---- */

static json_t *generations_json(const struct ledger *l, const char *uuid)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		const struct ledger_copy *c = ledger_copy_in(g, uuid);

		if (c && c->ok)
			json_array_append_new(list,
			    json_pack("{s:s, s:I, s:o, s:o, s:o, s:o, s:b}", "dataset", g->dataset,
				"generation", (json_int_t)g->number, "begun", overview_time_json(g->begun_ns),
				"verified", overview_time_json(c->verified_ns), "damaged",
				overview_time_json(c->damaged_ns), "copied", overview_time_json(c->copied_ns),
				"frozen", (int)c->frozen));
	}
	return list;
}

static int show_json(const struct ledger *l, const struct compliance *s, const struct compliance_medium *m,
    const struct history *h)
{
	json_t *o = overview_medium_json(m);

	if (o && (json_object_set_new(o, "on_it", generations_json(l, m->ledger->uuid)) ||
		     json_object_set_new(o, "exposure", attached_json(l, m, s->now_ns)) ||
		     json_object_set(o, "history", h->list))) {
		json_decref(o);
		o = NULL;
	}
	return out_json(o, APP_OK);
}

/* ---- show: for people ---- */

static void text_row(struct table *t, const char *what, const char *value)
{
	char show[SHOW];

	table_cell(t, "%s", what);
	table_cell(t, "%s", value && *value ? path_show(value, show, sizeof(show)) : "-");
}

static void custody_rows(struct table *t, const struct ledger_medium *lm)
{
	char time[CLOCK_TEXT], to[SHOW];

	text_row(t, text("in the hands of"), lm->custodian);
	if (lm->lent) {
		table_cell(t, "%s", text("lent"));
		table_cell(t, text("to %s until %s"), path_show(journal_text(lm->lent, "to"), to, sizeof(to)),
		    journal_text(lm->lent, "until"));
	}
	if (lm->missing_ns)
		text_row(t, text("not found since"), clock_format_local(lm->missing_ns, time));
	if (lm->counted_ns)
		text_row(t, text("seen at a stock-take"), clock_format_local(lm->counted_ns, time));
	for (size_t i = 0; lm->data && i < MEDIUM_FACTS; i++)
		if (*journal_text(lm->data, medium_facts[i].key))
			text_row(t, text(medium_facts[i].head), journal_text(lm->data, medium_facts[i].key));
}

static int show_facts(const struct compliance_medium *m)
{
	const struct ledger_medium *lm = m->ledger;
	char a[POLICY_PLAN_TEXT], where[OVERVIEW_TEXT], time[CLOCK_TEXT], words[ROOM_TEXT], size[OUT_BYTES];
	struct table *t = table_new(2);

	if (!t)
		return out_table(NULL, 0, APP_OK);
	text_row(t, text("identity"), lm->uuid);
	table_cell(t, "%s", text("technology"));
	table_cell(t,
	    compliance_type_shown(m) ? "%s (%s)" : text("%s (%s), declared: its device does not show it"),
	    policy_plan_technology(lm->type), lm->type);
	text_row(t, text("kept"), lm->offline ? text("offline") : text("online"));
	text_row(t, text("registered"), clock_format_local(lm->added_ns, time));
	text_row(t, text("registered at"), lm->path);
	text_row(t, text("file system"), lm->fs_uuid);
	text_row(t, text("serial number"), lm->serial);
	if (strcmp(lm->store, lm->fs_uuid) != 0)
		text_row(t, text("storage"), lm->store);
	text_row(t, text("now"), overview_where(m, where));
	if (m->kind != COMPLIANCE_NOT_OFFLINE)
		text_row(t, text("kind of offline"),
		    m->kind == COMPLIANCE_SEPARATED
			? text("logically separated: its mount is gone, that is all that was seen; it is no "
			       "offline copy")
		    : *lm->fs_uuid
			? text("removed: it would be seen if it were plugged in")
			: text("removed, as somebody recorded: a tape in its drive would not be seen"));
	text_row(t, text("place"), lm->unplaced ? text("not recorded") : lm->place);
	if (*lm->destination)
		text_row(t, text("on its way to"), lm->destination);
	custody_rows(t, lm);
	if (m->room.free_ns) {
		table_cell(t, "%s", text("free"));
		table_cell(
		    t, "%s (%s)", out_bytes(m->room.free, size), clock_format_local(m->room.free_ns, time));
	}
	text_row(t, text("will be full"), room_words(&m->room, words));
	if (lm->offline) {
		text_row(t, text("last rotation"),
		    lm->rotated_ns ? clock_format_local(lm->rotated_ns, time) : text("never"));
		text_row(t, text("rotation planned every"),
		    m->policy
			? policy_plan_duration(
			      m->policy->pool ? m->policy->pool->swap_every_s : m->policy->swap_every_s, a)
			: NULL);
		text_row(t, text("attached at most"),
		    m->policy ? policy_plan_duration(m->policy->max_attached_s, a) : NULL);
	}
	return out_table(t, 2, APP_OK);
}

static int show_generations(const struct ledger *l, const char *uuid)
{
	static const char *const heads[] = {
	    TEXT_LATER("GENERATION"), TEXT_LATER("TIME"), TEXT_LATER("VERIFIED")};
	struct table *t = table_headed(heads, 3);
	char time[CLOCK_TEXT], label[GENERATION_LABEL];

	for (size_t i = 0; t && i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		const struct ledger_copy *c = ledger_copy_in(g, uuid);

		if (!c || !c->ok)
			continue;
		table_cell(t, "%s", generation_label(g->dataset, g->number, label));
		table_cell(t, "%s", clock_format_local(g->begun_ns, time));
		if (c->damaged_ns)
			table_cell(t, text("DAMAGED, found %s"), clock_format_local(c->damaged_ns, time));
		else
			table_cell(t, "%s",
			    c->verified_ns ? clock_format_local(c->verified_ns, time) : text("not yet"));
	}
	return out_table(t, 2, APP_OK);
}

static int show_history(const struct history *h)
{
	static const char *const heads[] = {
	    TEXT_LATER("TIME"), TEXT_LATER("WHAT"), TEXT_LATER("WHERE"), TEXT_LATER("WHO")};
	struct table *t = table_headed(heads, 4);
	char time[CLOCK_TEXT], place[SHOW], who[SHOW];
	const json_t *o;
	size_t i;

	json_array_foreach(h->list, i, o)
	{
		const char *at = *journal_text(o, "place") ? journal_text(o, "place")
				 : *journal_text(o, "to")  ? journal_text(o, "to")
							   : journal_text(o, "path");
		const char *by =
		    *journal_text(o, "operator") ? journal_text(o, "operator") : journal_text(o, "by");
		int64_t ns = 0;

		if (!t)
			break;
		table_cell(
		    t, "%s", clock_parse(journal_text(o, "time"), &ns) ? "?" : clock_format_local(ns, time));
		table_cell(t, "%s",
		    is_named(json_object_get(o, "missing"), h->uuid)
			? text("stock-take: not found")
			: text(event_words(journal_text(o, "event"))));
		table_cell(t, "%s", *at ? path_show(at, place, sizeof(place)) : "-");
		table_cell(t, "%s", path_show(by, who, sizeof(who)));
	}
	return out_table(t, 2, APP_OK);
}

static int show_text(const struct ledger *l, const struct compliance *s, const struct compliance_medium *m,
    const struct history *h)
{
	char show[SHOW];
	int code;

	printf("%s\n", path_show(m->ledger->label, show, sizeof(show)));
	code = show_facts(m);
	printf("\n%s\n", text("Generations on it"));
	code = code ? code : show_generations(l, m->ledger->uuid);
	code = code ? code : attached_show(l, m, s->now_ns);
	printf("\n%s\n", text("What became of it"));
	return code ? code : show_history(h);
}

static int show_medium(
    struct app *app, const struct policy *policy, const struct ledger *l, const struct ledger_medium *lm)
{
	struct history h = {.uuid = lm->uuid, .list = json_array()};
	struct compliance_medium gone = {.ledger = lm};
	const struct compliance_medium *m = &gone; /* lost or retired: nobody looks after it */
	struct compliance *s = NULL;
	int code = overview_compliance(policy, l, &s);

	for (size_t i = 0; !code && i < s->n_media; i++)
		if (s->media[i].ledger == lm)
			m = &s->media[i];
	if (!code)
		code = read_history(policy, l, &h);
	if (!code)
		code = app->json ? show_json(l, s, m, &h) : show_text(l, s, m, &h);
	json_decref(h.list);
	compliance_free(s);
	return code;
}

int cmd_medium_show(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	const struct ledger_medium *lm;
	struct ledger *l = NULL;
	int code = app_ledger(app, policy, &l);

	if (code)
		return code;
	lm = ledger_medium_known(l, q->words[0]);
	lm = lm ? lm : ledger_medium_by_uuid(l, q->words[0]);
	code = lm ? show_medium(app, policy, l, lm) : cmd_medium_unknown(policy, l, q->words[0]);
	ledger_free(l);
	return code;
}
