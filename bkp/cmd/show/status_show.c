/* status_show: see status_show.h. */
#include "cmd/show/status_show.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/show/wrap.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/chosen.h"
#include "cmd/app/out.h"
#include "cmd/show/overview.h"
#include "cmd/show/summary.h"
#include "cmd/show/turns_show.h"
#include "cmd/time/forecast_show.h"
#include "cmd/time/room_show.h"
#include "cmd/time/then.h"
#include "format/guard/announce.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/drills/drills.h"
#include "read/rules/former_keys.h"

#define SHOW		64
#define NEXT_INDENT	5
#define NEXT_MAX	((size_t)1 << 16)
#define SHORT_LINES	24 /* of the smallest terminal that people use */
#define SHORT_SETS	12
#define SHORT_NAME	28 /* characters of a data set's name */
#define THEN_LINES	5  /* that then_show() takes at most */
#define SHORT_ANNOUNCED 16 /* characters of what was announced */

/* ---- for people ---- */

static const char *verdict_text(enum compliance_verdict v)
{
	return v == COMPLIANCE_MET	   ? text("○ met")
	       : v == COMPLIANCE_ATTENTION ? text("△ attention")
					   : text("× missing");
}

static const char *sign_of(enum compliance_verdict v)
{
	return v == COMPLIANCE_MET ? "○" : v == COMPLIANCE_ATTENTION ? "△" : "×";
}

static void rule_cell(struct table *t, const struct compliance_rule *r)
{
	table_cell(t, "%s %u/%u", sign_of(r->verdict), r->have, r->want);
}

/* Those in force: the newest at *ret_newest. */
static size_t count_announced(
    const struct ledger *l, const struct compliance *s, const struct ledger_announcement **ret_newest)
{
	size_t n = 0;

	for (size_t i = 0; i < ledger_announcements(l); i++)
		if (ledger_announced(l, ledger_announcement(l, i), NULL, s->now_ns)) {
			*ret_newest = ledger_announcement(l, i);
			n++;
		}
	return n;
}

/* One line, as long as one is in force; 0: none is. */
static unsigned show_announced(const struct ledger *l, const struct compliance *s)
{
	const struct ledger_announcement *a;
	size_t n = count_announced(l, s, &a);
	char until[CLOCK_TEXT], what[ANNOUNCE_TEXT + sizeof("…")];

	if (!n)
		return 0;
	snprintf(what, sizeof(what), "%s", a->text);
	summary_cut(what, SHORT_ANNOUNCED);
	clock_format_local(a->until_ns, until);
	if (n > 1)
		printf(text("announced until %s: '%s', and %zu more\n"), until, what, n - 1);
	else
		printf(text("announced until %s: '%s'\n"), until, what);
	return 1;
}

static void show_head(const struct status_view *v)
{
	char show[SHOW], now[CLOCK_TEXT];

	out_wrapped(stdout, 0, 2, "%s  %s  %s", verdict_text(v->s->overall),
	    clock_format_local(v->s->now_ns, now), path_show(v->policy->site_name, show, sizeof(show)));
	if (v->then)
		then_show(v->then);
}

/* " (for 5 days)": how long it has stood; "" of what is not known, or of today. */
static const char *stood_for(const struct compliance *s, size_t i, char out[OVERVIEW_TEXT])
{
	char age[OVERVIEW_TEXT];

	out[0] = '\0';
	if (s->next_since && s->next_since[i] && s->now_ns - s->next_since[i] >= 86400 * SECOND_NS)
		snprintf(
		    out, OVERVIEW_TEXT, text(" (for %s)"), overview_age(s->now_ns, s->next_since[i], age));
	return out;
}

static void show_next(const struct compliance *s)
{
	char age[OVERVIEW_TEXT];

	if (!s->n_next)
		return;
	printf("\n%s\n", text("What to do next"));
	for (size_t i = 0; i < s->n_next; i++)
		out_wrapped(stdout, 0, NEXT_INDENT, "%3zu. %s%s", i + 1, s->next[i], stood_for(s, i, age));
}

static int show_verdicts(const struct compliance *s)
{
	static const char *const heads[] = {TEXT_LATER("DATA SET"), TEXT_LATER("GENERATIONS"),
	    TEXT_LATER("3 COPIES"), TEXT_LATER("2 TYPES"), TEXT_LATER("1 OFFLINE"), TEXT_LATER("TITLE")};
	struct table *t = table_headed(heads, 6);
	char show[SHOW];

	for (size_t i = 0; t && i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];

		table_cell(t, "%s", d->policy->name);
		rule_cell(t, &d->generations);
		rule_cell(t, &d->three);
		rule_cell(t, &d->two);
		rule_cell(t, &d->one);
		table_cell(t, "%s", d->policy->title ? path_show(d->policy->title, show, sizeof(show)) : "");
	}
	return out_table(t, 0, APP_OK);
}

/* What the newest run that was to hold it came to, when that is no good one. */
static void show_tried(const struct ledger *l, const struct compliance_dataset *d)
{
	const struct ledger_generation *g =
	    d->tried && d->tried_failed ? ledger_generation_of(l, d->policy->name, d->tried) : NULL;
	char label[GENERATION_LABEL], fate[CHOSEN_FATE];

	if (g && g->state != LEDGER_COMMITTED)
		out_wrapped(stdout, 0, 4, "  %s: %s", generation_label(g->dataset, g->number, label),
		    chosen_fate(g, fate));
	else if (g)
		out_wrapped(stdout, 0, 4, text("  %s: %s, it does not count"),
		    generation_label(g->dataset, g->number, label),
		    g->suspect			   ? text("suspect")
		    : g->verdict == LEDGER_PARTIAL ? text("partial")
						   : text("not read back"));
}

#define RULES 4

static const struct compliance_rule *rule_of(const struct compliance_dataset *d, size_t k)
{
	const struct compliance_rule *const rules[RULES] = {&d->generations, &d->three, &d->two, &d->one};

	return rules[k];
}

static bool is_same_why(const struct compliance_rule *a, const struct compliance_rule *b)
{
	return b->verdict != COMPLIANCE_MET && !strcmp(a->why, b->why);
}

/* Why the data set i does not meet its rule k, and those behind it of which the same is to be said. */
static void show_why(const struct compliance *s, size_t i, size_t k)
{
	static const char *const names[RULES] = {TEXT_LATER("GENERATIONS"), TEXT_LATER("3 COPIES"),
	    TEXT_LATER("2 TYPES"), TEXT_LATER("1 OFFLINE")};
	const struct compliance_rule *r = rule_of(&s->datasets[i], k);
	BUF_AUTO of = BUF_INIT(NEXT_MAX);
	const char *comma = text(", ");

	if (r->verdict == COMPLIANCE_MET)
		return;
	for (size_t before = 0; before < i; before++)
		if (is_same_why(r, rule_of(&s->datasets[before], k)))
			return; /* said there */
	for (size_t j = i; j < s->n_datasets; j++)
		if (is_same_why(r, rule_of(&s->datasets[j], k)) &&
		    buf_printf(&of, NULL, "%s%s", s->datasets[j].policy->name, comma))
			return; /* no memory: what to do next says it */
	if (!buf_terminate(&of, NULL))
		out_wrapped(stdout, 0, 4, "  %s%s: %s", (char *)of.p, text(names[k]), r->why);
}

static void show_whys(const struct ledger *l, const struct compliance *s)
{
	for (size_t i = 0; i < s->n_datasets; i++) {
		show_tried(l, &s->datasets[i]);
		for (size_t k = 0; k < RULES; k++)
			show_why(s, i, k);
	}
}

/* "42  2026-11-21 02:00" */
static void point_cell(struct table *t, uint64_t number, int64_t ns)
{
	char time[CLOCK_TEXT];

	if (number)
		table_cell(t, "%" PRIu64 "  %s", number, clock_format_local(ns, time));
	else
		table_cell(t, "%s", text("none"));
}

static void due_cell(struct table *t, const struct compliance_dataset *d)
{
	char time[CLOCK_TEXT];

	table_cell(t, "%s", d->due ? text("due now") : clock_format_local(d->due_ns, time));
}

static int show_points(const struct compliance *s)
{
	static const char *const heads[] = {TEXT_LATER("DATA SET"), TEXT_LATER("NEWEST GOOD"),
	    TEXT_LATER("OFFLINE RECOVERY POINT"), TEXT_LATER("NEXT DUE")};
	struct table *t = table_headed(heads, 4);

	for (size_t i = 0; t && i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];

		table_cell(t, "%s", d->policy->name);
		point_cell(t, d->newest, d->newest_ns);
		point_cell(t, d->offline, d->offline_ns);
		due_cell(t, d);
	}
	return out_table(t, 0, APP_OK);
}

static void event_row(struct table *t, const char *what, int64_t ns, const char *line)
{
	char time[CLOCK_TEXT], show[SUMMARY_LINE];

	table_cell(t, "%s", what);
	table_cell(t, "%s", ns ? clock_format_local(ns, time) : text("never"));
	table_cell(t, "%s", path_show(line, show, sizeof(show)));
}

/* How many data sets were brought back in drills that still hold; nothing where there was none. */
static void drill_row(struct table *t, const struct status_view *v)
{
	const struct compliance *s = v->s;
	struct drilled d, oldest = {0};
	char label[GENERATION_LABEL], line[SUMMARY_LINE];
	size_t hold = 0;

	for (size_t i = 0; i < s->n_datasets; i++) {
		drills_look(v->policy, v->ledger, s->datasets[i].policy, s->now_ns, &d);
		if (d.state != DRILLS_HOLD)
			continue;
		hold++;
		if (!oldest.last || d.last->at_ns < oldest.last->at_ns)
			oldest = d;
	}
	if (!hold)
		return;
	snprintf(line, sizeof(line),
	    oldest.last->declared
		? text("%zu of %zu data sets were brought back, the one longest ago from %s (declared only)")
		: text("%zu of %zu data sets were brought back, the one longest ago from %s"),
	    hold, s->n_datasets, generation_label(oldest.from->dataset, oldest.from->number, label));
	event_row(t, text("drill"), oldest.last->at_ns, line);
}

/* Nothing where nothing is to be mended. */
static void finding_row(struct table *t, const struct status_view *v)
{
	const struct ledger *l = v->ledger;
	size_t open = 0, overdue = 0;
	char line[SUMMARY_LINE];
	int64_t last = 0;

	for (size_t i = 0; i < ledger_findings(l); i++) {
		const struct ledger_finding *f = ledger_finding(l, i);

		open += !f->closed;
		overdue += ledger_finding_overdue(f, v->s->now_ns);
		last = f->closed ? last : f->at_ns;
	}
	if (!open)
		return;
	snprintf(line, sizeof(line), text("open: %zu, overdue: %zu ('bkp finding list')"), open, overdue);
	event_row(t, text("findings"), last, line);
}

/* What somebody did with a recovery key; nothing where nobody has. */
static void key_rows(struct table *t, const struct ledger *l, const struct compliance *s)
{
	const struct ledger_opened *oldest = NULL;
	char label[GENERATION_LABEL], line[SUMMARY_LINE], size[OUT_BYTES];
	size_t opened = 0, declared, n;
	int64_t since;

	for (size_t i = 0; i < s->n_datasets; i++) {
		const struct ledger_opened *o = ledger_opened(l, s->datasets[i].policy->name);

		opened += o != NULL;
		if (o && (!oldest || o->begun_ns < oldest->begun_ns))
			oldest = o;
	}
	if (oldest) {
		snprintf(line, sizeof(line),
		    oldest->declared
			? text("a holder has opened %zu of %zu data sets, the oldest at %s (declared only)")
			: text("a holder has opened %zu of %zu data sets, the oldest at %s"),
		    opened, s->n_datasets, generation_label(oldest->dataset, oldest->generation, label));
		event_row(t, text("key drill"), oldest->begun_ns, line);
	}
	if (former_keys_bytes(l)) {
		snprintf(line, sizeof(line),
		    text("%s of the newest generations opens with a key of a former period: 'bkp key list'"),
		    out_bytes(former_keys_bytes(l), size));
		event_row(t, text("former keys"), 0, line);
	}
	n = ledger_uses_new(l, &declared, &since);
	if (n) {
		snprintf(line, sizeof(line),
		    text("%zu uses, of which %zu are declared only: look at them with 'bkp key use'"), n,
		    declared);
		event_row(t, text("recovery key used"), ledger_use(l, ledger_uses(l) - 1)->at_ns, line);
	}
}

static int show_events(const struct status_view *v)
{
	const struct ledger *l = v->ledger;
	const struct compliance *s = v->s;
	struct table *t = table_new(3);
	char span[OVERVIEW_TEXT], found[CLOCK_TEXT], since[CLOCK_TEXT], journal[SUMMARY_LINE];
	const struct ledger_latch *latch = s->latch;

	if (t) {
		event_row(t, text("last run"), s->run ? s->run->ended_ns : 0, s->run ? s->run->line : "");
		event_row(t, text("last rotation"), s->rotation ? s->rotation->ended_ns : 0,
		    s->rotation ? s->rotation->line : "");
	}
	if (t && s->notified->at_ns)
		event_row(t, text("last notification"), s->notified->at_ns,
		    s->notified->ok ? text("sent") : s->notified->reason);
	if (t && latch->found_ns) {
		compliance_span(latch->seconds < 0 ? -latch->seconds : latch->seconds, span, sizeof(span));
		table_cell(t, "%s", text("clock"));
		table_cell(t, "%s", clock_format_local(latch->found_ns, found));
		table_cell(t, text("jumped by %s, not attested: nothing expires"), span);
	}
	if (t)
		drill_row(t, v);
	if (t)
		finding_row(t, v);
	if (t)
		key_rows(t, l, s);
	if (t) {
		clock_format_local(ledger_epoch_ns(l), since);
		snprintf(journal, sizeof(journal), text("%ju records, key %u since %s"), ledger_seq(l),
		    ledger_epoch(l), since);
		event_row(t, text("journal"), ledger_head_ns(l), journal);
	}
	return out_table(t, 0, APP_OK);
}

int status_show_text(const struct status_view *v)
{
	const struct ledger *l = v->ledger;
	const struct compliance *s = v->s;
	int code;

	show_head(v);
	(void)show_announced(l, s);
	(void)turns_show_lines(s);
	show_next(s);
	if (v->forecast)
		forecast_show(v->policy, v->forecast, false);
	room_show(s, false);
	putchar('\n');
	code = show_verdicts(s);
	show_whys(l, s);
	putchar('\n');
	if (!code)
		code = show_points(s);
	putchar('\n');
	if (!code)
		code = out_table(overview_media_table(s), 0, APP_OK);
	putchar('\n');
	return code ? code : show_events(v);
}

int status_show_forecast(const struct status_view *v)
{
	show_head(v);
	show_next(v->s);
	forecast_show(v->policy, v->forecast, true);
	room_show(v->s, true);
	return APP_OK;
}

/* ---- on one screen ---- */

/* "11-20 02:00", or with its year when that is not this one's. */
static const char *short_time(int64_t now_ns, int64_t ns, char out[CLOCK_TEXT])
{
	char now[CLOCK_TEXT];

	clock_format_local(now_ns, now);
	clock_format_local(ns, out);
	if (strncmp(out, now, 5) != 0)
		out[10] = '\0'; /* the date alone */
	return strncmp(out, now, 5) != 0 ? out : out + 5;
}

static void short_row(struct table *t, const struct compliance *s, const struct compliance_dataset *d)
{
	char time[CLOCK_TEXT], age[OVERVIEW_TEXT], name[GENERATION_NAME + sizeof("…")];

	snprintf(name, sizeof(name), "%s", d->policy->name);
	table_cell(t, "%s", summary_cut(name, SHORT_NAME));
	table_cell(t, "%s", sign_of(d->generations.verdict));
	table_cell(
	    t, "%s %s %s", sign_of(d->three.verdict), sign_of(d->two.verdict), sign_of(d->one.verdict));
	if (d->newest)
		table_cell(t, "%" PRIu64 "  %s%s", d->newest, short_time(s->now_ns, d->newest_ns, time),
		    d->tried_failed ? " !" : "");
	else
		table_cell(t, "%s%s", text("none"), d->tried_failed ? " !" : "");
	if (d->offline)
		table_cell(t, text("%s ago"), overview_age(s->now_ns, d->offline_ns, age));
	else
		table_cell(t, "%s", text("none"));
}

/* As many data sets as there are lines for, those first that are not in order; *ret_lines: how many it took. */
static int short_datasets(const struct compliance *s, unsigned *ret_lines)
{
	static const char *const heads[] = {TEXT_LATER("DATA SET"), TEXT_LATER("GEN."), TEXT_LATER("3-2-1"),
	    TEXT_LATER("NEWEST GOOD"), TEXT_LATER("OFFLINE")};
	bool all = s->n_datasets <= SHORT_SETS, failed = false;
	struct table *t = table_headed(heads, 5);
	unsigned shown = 0;
	int code;

	for (int met = 0; t && met < 2; met++)
		for (size_t i = 0; i < s->n_datasets; i++) {
			const struct compliance_dataset *d = &s->datasets[i];

			if (all ? met : overview_in_order(d) != met || shown == SHORT_SETS - 1)
				continue;
			short_row(t, s, d);
			failed = failed || d->tried_failed;
			shown++;
		}
	code = out_table(t, 0, APP_OK);
	if (!all)
		printf(text("and %zu more data sets: 'bkp status'\n"), s->n_datasets - shown);
	if (failed)
		printf("%s\n", text("! the newest run did not capture it as it should be"));
	*ret_lines = 1 + shown + !all + failed;
	return code;
}

/* As many sentences as fit into so many lines. */
static int short_next(const struct compliance *s, unsigned lines)
{
	BUF_AUTO b = BUF_INIT(NEXT_MAX);
	BUF_AUTO line = BUF_INIT(NEXT_MAX);
	struct err err = ERR_INIT;
	char age[OVERVIEW_TEXT];

	for (size_t i = 0; i < s->n_next; i++) {
		unsigned takes = 1, reserve = i + 1 < s->n_next;

		b.n = line.n = 0;
		if (buf_printf(&b, &err, "%3zu. ", i + 1) || buf_puts(&line, s->next[i], &err) ||
		    buf_puts(&line, stood_for(s, i, age), &err) || buf_terminate(&line, &err) ||
		    wrap_text((char *)line.p, out_columns(), NEXT_INDENT, NEXT_INDENT, &b, &err) ||
		    buf_terminate(&b, &err))
			return app_error(&err, APP_FAILED);
		for (const char *p = (char *)b.p; (p = strchr(p, '\n')); p++)
			takes++;
		if (takes + reserve > lines) {
			printf(text("     and %zu more: 'bkp status'\n"), s->n_next - i);
			return APP_OK;
		}
		puts((char *)b.p);
		lines -= takes;
	}
	return APP_OK;
}

int status_show_short(const struct status_view *v)
{
	const struct compliance *s = v->s;
	unsigned used, above;
	int code;

	show_head(v);
	above = show_announced(v->ledger, s) + turns_show_lines(s) + (v->then ? THEN_LINES : 0);
	code = short_datasets(s, &used);
	if (!code && s->n_next) {
		printf("%s\n", text("What to do next"));
		code = short_next(s, SHORT_LINES - above - used - 2);
	}
	return code;
}

/* ---- for programs ---- */

static json_t *rule_json(const struct compliance_rule *r)
{
	return json_pack("{s:s, s:I, s:I, s:s}", "verdict", compliance_verdict_word(r->verdict), "have",
	    (json_int_t)r->have, "want", (json_int_t)r->want, "why", r->why);
}

static json_t *point_json(uint64_t number, int64_t ns)
{
	return number ? json_pack(
			    "{s:I, s:o}", "generation", (json_int_t)number, "begun", overview_time_json(ns))
		      : json_null();
}

static json_t *agreed_json(const struct ledger_agreed *a)
{
	return a ? json_pack("{s:I, s:I, s:I, s:I, s:I, s:I}", "generations", (json_int_t)a->generations,
		       "protect_s", (json_int_t)a->protect_s, "daily", (json_int_t)a->daily, "weekly",
		       (json_int_t)a->weekly, "monthly", (json_int_t)a->monthly, "yearly",
		       (json_int_t)a->yearly)
		 : json_null();
}

static json_t *suspect_json(const struct compliance_dataset *d)
{
	return d->suspect ? json_pack("{s:I, s:s}", "generation", (json_int_t)d->suspect, "why",
				d->suspicion ? d->suspicion : "")
			  : json_null();
}

static json_t *drill_json(const struct status_view *v, const struct compliance_dataset *d)
{
	struct drilled is;

	drills_look(v->policy, v->ledger, d->policy, v->s->now_ns, &is);
	return json_pack("{s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o}", "state", drills_word(is.state), "due",
	    (int)is.due, "due_at", overview_time_json(is.due_ns), "at",
	    overview_time_json(is.last ? is.last->at_ns : 0), "generation",
	    is.from ? json_integer((json_int_t)is.from->number) : json_null(), "recovery_s",
	    is.last ? json_integer(is.took_s) : json_null(), "declared",
	    is.last ? json_boolean(is.last->declared) : json_null(), "procedure_rto_s",
	    is.other_rto_s ? json_integer(is.other_rto_s) : json_null());
}

static json_t *dataset_json(const struct status_view *v, const struct compliance_dataset *d)
{
	json_t *o = json_pack("{s:s, s:s?, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "dataset",
	    d->policy->name, "title", d->policy->title, "generations", rule_json(&d->generations), "three",
	    rule_json(&d->three), "two", rule_json(&d->two), "one", rule_json(&d->one), "newest",
	    point_json(d->newest, d->newest_ns), "verified", overview_time_json(d->verified_ns),
	    "offline_recovery_point", point_json(d->offline, d->offline_ns), "tried",
	    d->tried ? json_integer((json_int_t)d->tried) : json_null(), "tried_failed",
	    (int)d->tried_failed);

	if (!o ||
	    json_object_update_new(o,
		json_pack("{s:o, s:o, s:o, s:b, s:o, s:o, s:o, s:b}", "drill", drill_json(v, d), "key_drill",
		    overview_opened_json(v->ledger, d->policy->name), "due", overview_time_json(d->due_ns),
		    "due_now", (int)d->due, "missed", overview_time_json(d->missed_ns), "suspect",
		    suspect_json(d), "agreed", agreed_json(d->agreed), "less_than_agreed", (int)d->less))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static json_t *outcome_json(const struct ledger_outcome *o)
{
	return o ? json_pack("{s:o, s:i, s:s}", "ended", overview_time_json(o->ended_ns), "exit", o->exit,
		       "line", o->line)
		 : json_null();
}

/* The numbers of those in force. */
static json_t *announced_json(const struct ledger *l, const struct compliance *s)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ledger_announcements(l); i++)
		if (ledger_announced(l, ledger_announcement(l, i), NULL, s->now_ns))
			json_array_append_new(
			    list, json_integer((json_int_t)ledger_announcement(l, i)->number));
	return list;
}

/* What concerns everything. */
static json_t *events_json(const struct ledger *l, const struct compliance *s)
{
	const struct ledger_notified *t = s->notified;
	const struct ledger_latch *latch = s->latch;
	char line[SUMMARY_LINE];

	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "line", summary_compliance(s, line),
	    "announced", announced_json(l, s), "last_run", outcome_json(s->run), "last_rotation",
	    outcome_json(s->rotation), "last_notification",
	    t->at_ns ? json_pack("{s:o, s:b, s:s}", "time", overview_time_json(t->at_ns), "ok", (int)t->ok,
			   "reason", t->reason ? t->reason : "")
		     : json_null(),
	    "clock_jump",
	    latch->found_ns
		? json_pack("{s:o, s:I, s:s}", "found", overview_time_json(latch->found_ns), "seconds",
		      (json_int_t)latch->seconds, "source", latch->source ? latch->source : "")
		: json_null(),
	    "frozen_by", overview_generation_json(ledger_frozen_by(l)));
}

static json_t *status_json(const struct status_view *v)
{
	const struct ledger *l = v->ledger;
	const struct compliance *s = v->s;
	json_t *datasets = json_array(), *media = json_array(), *next = json_array(), *since = json_array(),
	       *o;

	for (size_t i = 0; i < s->n_datasets; i++)
		json_array_append_new(datasets, dataset_json(v, &s->datasets[i]));
	for (size_t i = 0; i < s->n_media; i++)
		json_array_append_new(media, overview_medium_json(&s->media[i]));
	for (size_t i = 0; i < s->n_next; i++)
		json_array_append_new(next, json_string(s->next[i]));
	for (size_t i = 0; i < s->n_next; i++)
		json_array_append_new(since, overview_time_json(s->next_since[i]));
	o = json_pack("{s:o, s:o, s:s, s:s, s:o, s:s, s:b, s:I, s:o, s:o, s:o}", "key_uses",
	    overview_uses_json(l), "envelopes", overview_envelopes_json(v->policy, l, s->now_ns), "site",
	    v->policy->site_name, "repository", ledger_repository(l), "now", overview_time_json(s->now_ns),
	    "overall", compliance_verdict_word(s->overall), "nothing", (int)s->nothing, "journal_records",
	    (json_int_t)ledger_seq(l), "datasets", datasets, "media", media, "next", next);
	if (!o || json_object_set_new(o, "next_since", since) ||
	    json_object_set_new(o, "turns", turns_show_all_json(s)) ||
	    json_object_set_new(o, "findings", overview_findings_json(l, s->now_ns, false)) ||
	    json_object_set_new(o, "journal_epoch", json_integer((json_int_t)ledger_epoch(l))) ||
	    json_object_set_new(
		o, "forecast", v->forecast ? forecast_json(v->policy, v->forecast) : json_null()) ||
	    json_object_set_new(o, "at", v->then ? then_json(v->then) : json_null()) ||
	    json_object_update_new(o, events_json(l, s))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

int status_show_json(const struct status_view *v)
{
	return out_json(status_json(v), APP_OK);
}
