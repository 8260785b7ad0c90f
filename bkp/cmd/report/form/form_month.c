/* form_month: one page for those who answer for it all (月次状況報告書): what came of the calendar month that the form's moment is in, up to
 * that moment, and how things stand at it. */
#include "cmd/report/form/form.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/out.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/drills/drills.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"

#define NEXT_SHOWN 5

const struct fact_column form_month_columns[] = {{"item", TEXT_LATER("Item"), FACT_TEXT},
    {"figure", TEXT_LATER("Figure"), FACT_TEXT}, {"verdict", TEXT_LATER("Verdict"), FACT_TEXT},
    {"note", TEXT_LATER("Note"), FACT_TEXT}};

struct month {
	const struct report *r;
	json_t *rows;
	struct err *err;
	int32_t first; /* day */
	int failed;
};

static void put(struct month *m, const char *item, const char *figure, int verdict, const char *note)
{
	if (!m->failed)
		m->failed = form_row(m->rows, m->err, "item", item, "figure", figure, "verdict",
		    verdict < 0 ? "" : form_verdict(verdict), "note", note, NULL);
}

static bool in_month(const struct month *m, int64_t ns)
{
	return ns && day_of(ns) >= m->first && ns <= m->r->now_ns;
}

static void put_captures(struct month *m)
{
	uint64_t good = 0, partial = 0, failed = 0, bytes = 0, suspect = 0;
	char figure[FORM_TEXT], note[FORM_TEXT] = "", size[OUT_BYTES], label[GENERATION_LABEL];

	for (size_t i = 0; i < ledger_generations(m->r->l); i++) {
		const struct ledger_generation *g = ledger_generation(m->r->l, i);
		const bool there = g->state == LEDGER_COMMITTED || g->state == LEDGER_EXPIRED;

		if (!in_month(m, g->begun_ns))
			continue;
		good += there && g->verdict == LEDGER_GOOD;
		partial += there && g->verdict == LEDGER_PARTIAL;
		failed += !there && g->state != LEDGER_BEGUN;
		bytes += there ? g->new_bytes : 0;
		suspect += g->suspect;
		if (g->suspect)
			form_join(note, sizeof(note), generation_label(g->dataset, g->number, label));
	}
	snprintf(figure, sizeof(figure), text("good %ju, partial %ju, failed %ju"), (uintmax_t)good,
	    (uintmax_t)partial, (uintmax_t)failed);
	put(m, text("Captures in this month"), figure,
	    failed || !good ? COMPLIANCE_MISSING
	    : partial	    ? COMPLIANCE_ATTENTION
			    : COMPLIANCE_MET,
	    "");
	put(m, text("Stored in this month"), out_bytes(bytes, size), -1, "");
	snprintf(figure, sizeof(figure), "%ju", (uintmax_t)suspect);
	put(m, text("Suspect, undecided, of this month"), figure,
	    suspect ? COMPLIANCE_MISSING : COMPLIANCE_MET, note);
}

/* How many data sets meet a rule; which do not. */
static void put_rule(struct month *m, const char *item, bool generations)
{
	const struct compliance *s = m->r->standing;
	char figure[FORM_TEXT], note[FORM_TEXT] = "";
	int worst = COMPLIANCE_MET;
	size_t met = 0;

	for (size_t i = 0; i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];
		int verdict = generations ? (int)d->generations.verdict : (int)d->three.verdict;

		if (!generations && (int)d->two.verdict > verdict)
			verdict = d->two.verdict;
		if (!generations && (int)d->one.verdict > verdict)
			verdict = d->one.verdict;
		met += verdict == COMPLIANCE_MET;
		worst = verdict > worst ? verdict : worst;
		if (verdict != COMPLIANCE_MET)
			form_join(note, sizeof(note), form_dataset(m->r, d->policy->name));
	}
	snprintf(figure, sizeof(figure), text("%zu of %zu data sets"), met, s->n_datasets);
	put(m, item, figure, worst, note);
}

/* The oldest of all data sets: what of the worst one would be left if everything that is connected were gone. */
static void put_offline(struct month *m)
{
	const struct compliance *s = m->r->standing;
	const struct compliance_dataset *oldest = NULL;
	char figure[CLOCK_DATE] = "", note[FORM_TEXT] = "";
	bool none = false;

	for (size_t i = 0; i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];

		if (!d->offline) {
			form_join(note, sizeof(note), form_dataset(m->r, d->policy->name));
			none = true;
		} else if (!oldest || d->offline_ns < oldest->offline_ns)
			oldest = d;
	}
	if (oldest)
		clock_format_date(oldest->offline_ns, figure);
	if (!none && oldest)
		form_join(note, sizeof(note), form_dataset(m->r, oldest->policy->name));
	put(m, text("Oldest recovery point that is offline"), none ? text("none") : figure,
	    none ? COMPLIANCE_MISSING : -1, note);
}

static void put_media(struct month *m)
{
	const struct compliance *s = m->r->standing;
	size_t rotated = 0, overdue = 0, gone = 0;
	char figure[FORM_TEXT], note[FORM_TEXT] = "", lost[FORM_TEXT] = "";

	for (size_t i = 0; i < s->n_media; i++) {
		const struct compliance_medium *k = &s->media[i];

		rotated += k->ledger && k->ledger->offline && in_month(m, k->ledger->rotated_ns);
		if ((k->overdue_swap || k->overdue_attached) && k->policy) {
			form_join(note, sizeof(note), k->policy->name);
			overdue++;
		}
	}
	for (size_t i = 0; i < ledger_media(m->r->l); i++) {
		const struct ledger_medium *k = ledger_medium(m->r->l, i);

		if ((k->lost_ns || k->missing_ns) && !k->retired_ns) {
			form_join(lost, sizeof(lost), k->label);
			gone++;
		}
	}
	snprintf(figure, sizeof(figure), text("%zu rotated, %zu overdue"), rotated, overdue);
	put(m, text("Media kept offline"), figure, overdue ? COMPLIANCE_ATTENTION : COMPLIANCE_MET, note);
	snprintf(figure, sizeof(figure), "%zu", gone);
	put(m, text("Media lost or not found"), figure, gone ? COMPLIANCE_MISSING : COMPLIANCE_MET, lost);
}

static void put_drills(struct month *m)
{
	const struct policy *policy = m->r->policy;
	char figure[FORM_TEXT], note[FORM_TEXT] = "";
	size_t n = 0, due = 0;

	for (size_t i = 0; i < ledger_drills(m->r->l); i++)
		n += in_month(m, ledger_drill(m->r->l, i)->at_ns);
	for (size_t i = 0; i < policy->n_datasets; i++) {
		struct drilled was;

		drills_look(policy, m->r->l, &policy->datasets[i], m->r->now_ns, &was);
		due += was.due;
		if (was.due)
			form_join(note, sizeof(note), form_dataset(m->r, policy->datasets[i].name));
	}
	snprintf(figure, sizeof(figure), text("%zu in this month; due for %zu data sets"), n, due);
	put(m, text("Drills, recoveries"), figure, due ? COMPLIANCE_ATTENTION : COMPLIANCE_MET, note);
}

static void put_uses(struct month *m)
{
	size_t n = 0, fresh, declared;
	int64_t since;
	char figure[FORM_TEXT];

	for (size_t i = 0; i < ledger_uses(m->r->l); i++)
		n += in_month(m, ledger_use(m->r->l, i)->at_ns);
	fresh = ledger_uses_new(m->r->l, &declared, &since);
	snprintf(figure, sizeof(figure), text("%zu in this month; %zu not looked at yet"), n, fresh);
	put(m, text("Uses of recovery keys"), figure, fresh ? COMPLIANCE_ATTENTION : COMPLIANCE_MET, "");
}

int form_month(const struct report *r, json_t *rows, struct err *err)
{
	const struct day d = day_split(day_of(r->now_ns));
	struct month m = {r, rows, err, day_from(d.year, (int)d.month, 1), 0};
	char from[CLOCK_DATE], to[CLOCK_DATE], figure[FORM_TEXT];

	snprintf(figure, sizeof(figure), text("%s to %s"), day_format_paper(m.first, from),
	    clock_format_day(r->now_ns, to));
	put(&m, text("Month"), figure, -1, "");
	put(&m, text("How things stand"), "", r->standing->overall, "");
	put_captures(&m);
	put_rule(&m, text("Three generations"), true);
	put_rule(&m, text("3-2-1"), false);
	put_offline(&m);
	put_media(&m);
	put_drills(&m);
	put_uses(&m);
	for (size_t i = 0; i < r->standing->n_next && i < NEXT_SHOWN; i++)
		put(&m, i ? "" : text("What to do next"), "", -1, r->standing->next[i]);
	return m.failed;
}
