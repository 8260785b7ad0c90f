/* status_page: see status_page.h. */
#include "cmd/page/status_page.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/out.h"
#include "cmd/show/overview.h"
#include "cmd/show/status_show.h"
#include "cmd/show/summary.h"
#include "cmd/time/room_show.h"
#include "format/medium/generation.h"
#include "format/page/sheet.h"
#include "format/policy/policy.h"
#include "read/drills/drills.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/rules/forecast.h"

#define LINE	   1024
#define LAPSES_MAX 20

static const char *class_of(enum compliance_verdict v)
{
	return v == COMPLIANCE_MET ? "m" : v == COMPLIANCE_ATTENTION ? "a" : "x";
}

static void judged(struct sheet *s, enum compliance_verdict v, const char *words)
{
	sheet_piece(s, "facts judged", "CLASS", class_of(v), "TEXT", words, NULL);
}

static void begin_page(struct sheet *s, const struct policy *policy)
{
	char title[LINE];

	snprintf(title, sizeof(title), text("Backups of %s"), policy->site_name);
	sheet_piece(s, "screen", "LANG", text_lang() == TEXT_JA ? "ja" : "en", "TITLE", title, NULL);
}

static void put_verdict(struct sheet *s, const struct policy *policy, int64_t now_ns, const char *class,
    const char *word, const char *line)
{
	char when[LINE], time[CLOCK_DATE];

	snprintf(when, sizeof(when),
	    text("As of %s. A page that is older than a day is not made any more: look at the "
		 "computer that makes it."),
	    clock_format_date(now_ns, time));
	sheet_piece(s, "screen verdict", "KIND", text("How the backups stand"), "SITE", policy->site_name,
	    "CLASS", class, "WORD", word, "TEXT", line, "WHEN", when, NULL);
}

/* ---- what to do ---- */

static void put_next(struct sheet *s, const struct compliance *c)
{
	char line[LINE], age[OVERVIEW_TEXT];

	sheet_piece(s, "screen part", "TEXT", text("What to do next"), NULL);
	if (!c->n_next)
		sheet_piece(s, "screen line", "TEXT", text("Nothing."), NULL);
	if (c->n_next)
		sheet_piece(s, "screen list", NULL);
	for (size_t i = 0; i < c->n_next; i++) {
		if (c->next_since && c->next_since[i] && c->now_ns - c->next_since[i] >= 86400 * SECOND_NS)
			snprintf(line, sizeof(line), text("%s (for %s)"), c->next[i],
			    overview_age(c->now_ns, c->next_since[i], age));
		else
			snprintf(line, sizeof(line), "%s", c->next[i]);
		sheet_piece(s, "screen item", "TEXT", line, NULL);
	}
	if (c->n_next)
		sheet_piece(s, "screen list end", NULL);
}

static void put_lapse(struct sheet *s, const struct policy *policy, const struct forecast_lapse *p)
{
	static const char *const rules[] = {TEXT_LATER("GENERATIONS"), TEXT_LATER("3 COPIES"),
	    TEXT_LATER("2 TYPES"), TEXT_LATER("1 OFFLINE")};
	char line[LINE], at[CLOCK_TEXT];

	clock_format_local(p->at_ns, at);
	if (p->what < FORECAST_ROTATION)
		snprintf(line, sizeof(line), text("  from %s on %s of %s is %s: %s"), at,
		    text(rules[p->what]), policy->datasets[p->of].name,
		    p->to == COMPLIANCE_MISSING ? text("× missing") : text("△ attention"), p->why);
	else
		snprintf(line, sizeof(line),
		    p->what == FORECAST_ROTATION ? text("  from %s on the rotation of %s is overdue")
						 : text("  from %s on %s has been attached for too long"),
		    at, policy->media[p->of].name);
	sheet_piece(s, "screen item", "TEXT", line, NULL);
}

static void put_lapses(struct sheet *s, const struct policy *policy, const struct forecast *f)
{
	if (!f || !f->n)
		return;
	sheet_piece(s, "screen part", "TEXT", text("What lapses within a week if nobody acts"), NULL);
	sheet_piece(s, "screen list", NULL);
	for (size_t i = 0; i < f->n && i < LAPSES_MAX; i++)
		put_lapse(s, policy, &f->lapses[i]);
	sheet_piece(s, "screen list end", NULL);
}

/* ---- data sets ---- */

static void put_rule(struct sheet *s, const struct compliance_rule *r)
{
	char cell[64];

	snprintf(cell, sizeof(cell), "%s %u/%u",
	    r->verdict == COMPLIANCE_MET	 ? "○"
	    : r->verdict == COMPLIANCE_ATTENTION ? "△"
						 : "×",
	    r->have, r->want);
	judged(s, r->verdict, cell);
}

static void put_point(struct sheet *s, uint64_t number, int64_t ns)
{
	char cell[LINE], time[CLOCK_TEXT];

	if (number)
		snprintf(cell, sizeof(cell), "%" PRIu64 "  %s", number, clock_format_local(ns, time));
	else
		snprintf(cell, sizeof(cell), "%s", text("none"));
	sheet_piece(s, "facts cell", "TEXT", cell, NULL);
}

static void put_drill(struct sheet *s, const struct status_view *v, const struct compliance_dataset *d)
{
	struct drilled is;
	char cell[LINE], time[CLOCK_TEXT];

	drills_look(v->policy, v->ledger, d->policy, v->s->now_ns, &is);
	if (!is.last) {
		judged(
		    s, is.due ? COMPLIANCE_ATTENTION : COMPLIANCE_MET, is.due ? text("△ never, due") : "－");
		return;
	}
	clock_format_local(is.last->at_ns, time);
	time[10] = '\0';
	snprintf(cell, sizeof(cell), "%s %s%s", is.state == DRILLS_HOLD && !is.due ? "○" : "△", time,
	    is.last->declared ? text(" (declared)") : "");
	judged(s, is.state == DRILLS_HOLD && !is.due ? COMPLIANCE_MET : COMPLIANCE_ATTENTION, cell);
}

#define RULES 4

static const struct compliance_rule *rule_of(const struct compliance_dataset *d, size_t k)
{
	const struct compliance_rule *const rules[RULES] = {&d->generations, &d->three, &d->two, &d->one};

	return rules[k];
}

/* Why a data set does not meet a rule, once for all of which the same is to be said. */
static void put_why(struct sheet *s, const struct compliance *c, size_t i, size_t k)
{
	const struct compliance_rule *r = rule_of(&c->datasets[i], k);
	char line[LINE], more[64] = "";
	size_t same = 0;

	for (size_t j = 0; j < c->n_datasets; j++) {
		if (rule_of(&c->datasets[j], k)->verdict != r->verdict ||
		    strcmp(rule_of(&c->datasets[j], k)->why, r->why) != 0)
			continue;
		if (j < i)
			return; /* said there */
		same++;
	}
	if (same > 1)
		snprintf(more, sizeof(more), text(" (and %zu others)"), same - 1);
	snprintf(line, sizeof(line), "%s %s%s: %s", r->verdict == COMPLIANCE_ATTENTION ? "△" : "×",
	    c->datasets[i].policy->name, more, r->why);
	if (r->verdict != COMPLIANCE_MET)
		sheet_piece(s, "screen small", "TEXT", line, NULL);
}

static void put_whys(struct sheet *s, const struct compliance *c)
{
	for (size_t i = 0; i < c->n_datasets; i++)
		for (size_t k = 0; k < RULES; k++)
			put_why(s, c, i, k);
}

static void put_datasets(struct sheet *s, const struct status_view *v)
{
	static const char *const heads[] = {TEXT_LATER("DATA SET"), TEXT_LATER("GENERATIONS"),
	    TEXT_LATER("3 COPIES"), TEXT_LATER("2 TYPES"), TEXT_LATER("1 OFFLINE"), TEXT_LATER("NEWEST GOOD"),
	    TEXT_LATER("OFFLINE RECOVERY POINT"), TEXT_LATER("DRILL")};

	sheet_piece(s, "screen part", "TEXT", text("Data sets"), NULL);
	sheet_piece(s, "facts", "TITLE", text("Generations and 3-2-1 of each data set: have / want"), NULL);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		sheet_piece(s, "facts head", "TEXT", text(heads[i]), NULL);
	sheet_piece(s, "facts rows", NULL);
	for (size_t i = 0; i < v->s->n_datasets; i++) {
		const struct compliance_dataset *d = &v->s->datasets[i];

		sheet_piece(
		    s, "facts row", "TEXT", d->policy->title ? d->policy->title : d->policy->name, NULL);
		for (size_t k = 0; k < RULES; k++)
			put_rule(s, rule_of(d, k));
		put_point(s, d->newest, d->newest_ns);
		put_point(s, d->offline, d->offline_ns);
		put_drill(s, v, d);
		sheet_piece(s, "facts row end", NULL);
	}
	sheet_piece(s, "facts end", NULL);
	put_whys(s, v->s);
}

/* ---- media ---- */

/* Too long attached, overdue, damaged; nearly full. */
static void put_note(struct sheet *s, const struct compliance *c, const struct compliance_medium *m)
{
	const bool too_long = m->overdue_attached && m->sight != COMPLIANCE_NOT_SEEN,
		   gone = m->policy && !m->policy->offline && m->sight == COMPLIANCE_NOT_SEEN,
		   near = m->room.state == ROOM_FILLING &&
			  m->room.from_ns - c->now_ns <= ROOM_DAYS * 86400 * SECOND_NS;
	const char *words = m->damaged	      ? text("× something on it is damaged")
			    : m->lost	      ? text("× lost")
			    : gone	      ? text("△ not there")
			    : too_long	      ? text("△ attached too long")
			    : m->overdue_swap ? text("△ rotation overdue")
			    : near	      ? text("△ soon full")
			    : !m->policy      ? text("△ not in the policy")
					      : "○";

	judged(s,
	    m->damaged || m->lost					? COMPLIANCE_MISSING
	    : gone || too_long || m->overdue_swap || near || !m->policy ? COMPLIANCE_ATTENTION
									: COMPLIANCE_MET,
	    words);
}

static void put_medium(struct sheet *s, const struct compliance *c, const struct compliance_medium *m)
{
	char where[OVERVIEW_TEXT], free[OUT_BYTES], words[ROOM_TEXT];

	sheet_piece(s, "facts row", "TEXT", m->ledger ? m->ledger->label : m->policy->name, NULL);
	put_note(s, c, m);
	sheet_piece(s, "facts cell", "TEXT", overview_where(m, where), NULL);
	sheet_piece(s, "facts cell", "TEXT",
	    m->ledger && m->ledger->unplaced ? text("not recorded")
	    : m->ledger && *m->ledger->place ? m->ledger->place
	    : m->policy && m->policy->place  ? m->policy->place
					     : "－",
	    NULL);
	put_point(s, m->newest, m->newest_ns);
	sheet_piece(s, "facts cell", "TEXT", m->room.free_ns ? out_bytes(m->room.free, free) : "－", NULL);
	sheet_piece(s, "facts cell", "TEXT", m->ledger ? room_words(&m->room, words) : "－", NULL);
	sheet_piece(s, "facts row end", NULL);
}

static void put_media(struct sheet *s, const struct compliance *c)
{
	static const char *const heads[] = {TEXT_LATER("MEDIUM"), TEXT_LATER("STATE"), TEXT_LATER("NOW"),
	    TEXT_LATER("PLACE"), TEXT_LATER("NEWEST VERIFIED"), TEXT_LATER("FREE"), TEXT_LATER("FULL")};

	sheet_piece(s, "screen part", "TEXT", text("Media and their room"), NULL);
	sheet_piece(
	    s, "facts", "TITLE", text("Where each medium is, what is on it, when it will be full"), NULL);
	for (size_t i = 0; i < sizeof(heads) / sizeof(*heads); i++)
		sheet_piece(s, "facts head", "TEXT", text(heads[i]), NULL);
	sheet_piece(s, "facts rows", NULL);
	for (size_t i = 0; i < c->n_media; i++)
		put_medium(s, c, &c->media[i]);
	sheet_piece(s, "facts end", NULL);
}

/* ---- the record it is made from ---- */

static void put_foot(struct sheet *s, const struct ledger *l)
{
	const struct ledger_countersign *by = ledger_countersigned(l);
	char line[LINE], head[DIGEST_HEX], time[CLOCK_TEXT], show[256];

	sheet_piece(s, "screen part", "TEXT", text("Journal"), NULL);
	snprintf(line, sizeof(line), text("Made from record %ju of the journal, SHA-256 %s."),
	    (uintmax_t)ledger_seq(l), digest_hex(ledger_head(l), DIGEST_LEN, head));
	sheet_piece(s, "screen small", "TEXT", line, NULL);
	if (by)
		snprintf(line, sizeof(line), text("Countersigned up to record %ju by %s, recorded %s."),
		    (uintmax_t)by->upto, path_show(by->name, show, sizeof(show)),
		    clock_format_local(by->at_ns, time));
	else
		snprintf(line, sizeof(line), "%s", text("Nobody has countersigned the journal yet."));
	sheet_piece(s, "screen small", "TEXT", line, NULL);
}

int status_page(const struct status_view *v, struct buf *out, struct err *err)
{
	static const char *const words[] = {
	    TEXT_LATER("○ met"), TEXT_LATER("△ attention"), TEXT_LATER("× missing")};
	struct sheet s = {.out = out, .err = err};
	char line[SUMMARY_LINE];

	begin_page(&s, v->policy);
	put_verdict(&s, v->policy, v->s->now_ns, class_of(v->s->overall), text(words[v->s->overall]),
	    summary_compliance(v->s, line));
	put_next(&s, v->s);
	put_lapses(&s, v->policy, v->forecast);
	put_datasets(&s, v);
	if (!s.r && status_page_days(v, &s, err))
		return -1;
	put_media(&s, v->s);
	put_foot(&s, v->ledger);
	sheet_piece(&s, "screen end", NULL);
	return s.r;
}

int status_page_unknown(const struct policy *policy, struct buf *out, struct err *err)
{
	struct sheet s = {.out = out, .err = err};
	struct clock_stamp now;

	clock_now(&now);
	begin_page(&s, policy);
	put_verdict(&s, policy, now.wall_ns, "x", text("× unknown"),
	    text("How things stand cannot be told: the journal cannot be read. 'bkp status' says why."));
	sheet_piece(&s, "screen end", NULL);
	return s.r;
}
