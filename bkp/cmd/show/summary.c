/* summary: see summary.h.
 *
 * Faults are collected in order of weight: data sets, media, the rest.  SHOWN of them are named, each cut so that together
 * they fit into the line; the others are counted.  Every line ends in finish_line(): whole characters, SUMMARY_CHARS at most. */
#include "cmd/show/summary.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/show/overview.h"
#include "cmd/show/run_report.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "write/rotate/rotate.h"
#include "write/run/run.h"

#define SHOWN	 3   /* faults that are named; of the others their number is said */
#define NAME	 24  /* characters of a data set's name */
#define ALONE	 150 /* characters of a fault that is the only one */
#define OF_TWO	 75
#define OF_MORE	 45
#define ELLIPSIS "…"

char *summary_cut(char *s, unsigned chars)
{
	size_t n = strlen(s), at = 0, last = 0;
	unsigned seen = 0;
	uint32_t cp;

	while (at < n && seen < chars) {
		last = at;
		at += width_decode(s + at, n - at, &cp);
		seen++;
	}
	if (at < n)
		memcpy(s + last, ELLIPSIS, sizeof(ELLIPSIS));
	return s;
}

struct items {
	unsigned n; /* found; only the first SHOWN are kept */
	char text[SHOWN][SUMMARY_LINE];
};

static void add_fault(struct items *it, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void add_fault(struct items *it, const char *fmt, ...)
{
	va_list ap;

	if (it->n < SHOWN) {
		va_start(ap, fmt);
		vsnprintf(it->text[it->n], SUMMARY_LINE, fmt, ap);
		va_end(ap);
		width_whole(it->text[it->n]);
	}
	it->n++;
}

/* "%s" of the faults named, each cut so that together they fit. */
static const char *join_faults(struct items *it, char out[SUMMARY_LINE])
{
	unsigned chars = it->n == 1   ? ALONE
			 : it->n == 2 ? OF_TWO
				      : OF_MORE,
		 shown = it->n < SHOWN ? it->n : SHOWN;
	size_t n = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < shown; i++)
		n += (size_t)snprintf(
		    out + n, SUMMARY_LINE - n, "%s%s", i ? text("; ") : "", summary_cut(it->text[i], chars));
	if (it->n > shown)
		snprintf(out + n, SUMMARY_LINE - n, text("; and %u more"), it->n - shown);
	return out;
}

static char *finish_line(char out[SUMMARY_LINE])
{
	width_whole(out);
	return summary_cut(out, SUMMARY_CHARS);
}

/* ---- a run ---- */

static char *name_of_set(const struct generation_dataset *d, char out[SUMMARY_LINE])
{
	return summary_cut(path_show(d->title && *d->title ? d->title : d->name, out, SUMMARY_LINE), NAME);
}

static const char *shown_reason(const char *reason, char out[SUMMARY_LINE])
{
	return path_show(reason && *reason ? reason : text("no reason is on record"), out, SUMMARY_LINE);
}

/* Was it captured as it should be?  If not that is an item. */
static bool dataset_good(struct items *it, const struct generation_dataset *d, bool words)
{
	char name[SUMMARY_LINE], why[SUMMARY_LINE], said[SUMMARY_LINE];

	name_of_set(d, name);
	if (d->verdict == GENERATION_FAILED && words && d->said)
		add_fault(it, text("%s failed (%s: %s)"), name, shown_reason(d->reason, why),
		    shown_reason(d->said, said));
	else if (d->verdict == GENERATION_FAILED)
		add_fault(it, text("%s failed (%s)"), name, shown_reason(d->reason, why));
	else if (d->guard.suspect)
		add_fault(it, text("%s suspect (%s)"), name, shown_reason(d->suspicion, why));
	else if (d->verdict == GENERATION_PARTIAL && (d->unreadable || d->changed))
		add_fault(it, text("%s partial (%ju unreadable, %ju changed while read)"), name,
		    d->unreadable, d->changed);
	else if (d->verdict == GENERATION_PARTIAL)
		add_fault(it, text("%s partial (%s)"), name, shown_reason(d->reason, why));
	else if (d->said_lines && words)
		add_fault(it, text("%s: its commands said %ju lines (%s)"), name, d->said_lines,
		    shown_reason(d->said, said));
	else if (d->said_lines)
		add_fault(it, text("%s: its commands said %ju lines"), name, d->said_lines);
	else
		return true;
	return d->verdict == GENERATION_GOOD && !d->guard.suspect;
}

static void medium_item(struct items *it, const struct run_result *r, size_t medium)
{
	const struct run_medium *m = &r->media[medium];
	char why[SUMMARY_LINE], names[RUN_REPORT_NAMES];
	size_t lacking = 0, there = 0;

	for (size_t i = 0; i < r->n_datasets; i++) {
		const struct run_copy *c = r->datasets[i].copies ? &r->datasets[i].copies[medium] : NULL;

		lacking += c && c->wanted && !c->ok && r->datasets[i].committed;
		there += c && c->ok;
	}
	if (!m->ok && there && lacking)
		add_fault(it, text("medium %s lacks %s (%s)"), m->label,
		    summary_cut(run_report_lacking(r, medium, names), NAME), shown_reason(m->why.msg, why));
	else if (!m->ok)
		add_fault(it, text("medium %s not written (%s)"), m->label, shown_reason(m->why.msg, why));
	else if (!m->verified && m->why.kind == ERR_STOPPED)
		add_fault(it, text("medium %s: %s"), m->label, shown_reason(m->why.msg, why));
	else if (!m->verified)
		add_fault(it, text("medium %s not read back (%s)"), m->label, shown_reason(m->why.msg, why));
	if (m->undone.code[0])
		add_fault(it, text("medium %s: %s"), m->label, shown_reason(m->undone.msg, why));
	if (m->replaced.code[0])
		add_fault(it, "%s", shown_reason(m->replaced.msg, why));
}

static void other_items(struct items *it, const struct run_result *r, const struct ledger_latch *latch)
{
	char span[48], why[SUMMARY_LINE];

	if (latch && latch->found_ns)
		add_fault(it, text("the clock jumped by %s"),
		    compliance_span(
			latch->seconds < 0 ? -latch->seconds : latch->seconds, span, sizeof(span)));
	else if (r->clock.code[0])
		add_fault(it, "%s", shown_reason(r->clock.msg, why));
	if (r->signal)
		add_fault(it, text("the run was ended early by signal %d"), r->signal);
	if (r->reaped.code[0])
		add_fault(it, "%s", shown_reason(r->reaped.msg, why));
	if (r->narrowed.code[0])
		add_fault(it, "%s", shown_reason(r->narrowed.msg, why));
	if (r->exposed.code[0])
		add_fault(it, "%s", shown_reason(r->exposed.msg, why));
	if (r->again.code[0])
		add_fault(it, "%s", shown_reason(r->again.msg, why));
	if (r->turn.msg[0] && !r->turn_today)
		add_fault(it, "%s", shown_reason(r->turn.msg, why));
	if (r->slow.code[0])
		add_fault(it, "%s", text("the next run will have to read all files again"));
	if (r->missing.code[0])
		add_fault(it, "%s", shown_reason(r->missing.msg, why));
}

static bool any_committed(const struct run_result *r)
{
	for (size_t i = 0; i < r->n_datasets; i++)
		if (r->datasets[i].committed)
			return true;
	return false;
}

char *summary_run(const struct run_result *r, const struct err *failure, const struct ledger_latch *latch,
    bool words, char out[SUMMARY_LINE])
{
	char faults[SUMMARY_LINE];
	struct items it = {0};
	size_t good = 0, partial = 0, noticed = 0, n;

	if (failure && !any_committed(r)) {
		snprintf(
		    out, SUMMARY_LINE, text("nothing was captured: %s"), shown_reason(failure->msg, faults));
		return finish_line(out);
	}
	if (failure)
		add_fault(&it, "%s", shown_reason(failure->msg, faults));
	for (size_t i = 0; i < r->n_datasets; i++) {
		const struct generation_dataset *d = &r->datasets[i].d;

		good += dataset_good(&it, d, words) && r->datasets[i].committed;
		partial += d->verdict == GENERATION_PARTIAL && !d->guard.suspect;
		noticed += d->notice != NULL;
	}
	for (size_t i = 0; i < r->n_media; i++)
		medium_item(&it, r, i);
	other_items(&it, r, latch);
	n = (size_t)snprintf(out, SUMMARY_LINE, text("%zu of %zu good"), good, r->n_datasets);
	if (partial)
		n += (size_t)snprintf(out + n, SUMMARY_LINE - n, text(", %zu stored in part"), partial);
	if (noticed)
		n += (size_t)snprintf(out + n, SUMMARY_LINE - n, text(", %zu changed as announced"), noticed);
	if (it.n)
		n += (size_t)snprintf(out + n, SUMMARY_LINE - n,
		    it.n == 1 ? text(", 1 warning: ") : text(", %u warnings: "), it.n);
	n += (size_t)snprintf(out + n, SUMMARY_LINE - n, "%s", it.n ? join_faults(&it, faults) : "");
	if (r->turn.msg[0] && r->turn_today && n < SUMMARY_LINE)
		snprintf(out + n, SUMMARY_LINE - n, "%s%s", text("; "), shown_reason(r->turn.msg, faults));
	return finish_line(out);
}

/* ---- a rotation ---- */

char *summary_rotation(const struct rotate_result *r, const struct err *failure, char out[SUMMARY_LINE])
{
	const char *name = r->medium ? r->medium->name : "?";
	char show[SUMMARY_LINE];

	if (failure)
		snprintf(out, SUMMARY_LINE, text("not rotated: %s"), shown_reason(failure->msg, show));
	else if (r->damaged)
		snprintf(out, SUMMARY_LINE, text("%s holds %ju damaged generations: keep it for examination"),
		    name, r->damaged);
	else if (!r->current)
		snprintf(out, SUMMARY_LINE,
		    *r->refill.left_out
			? text("%s does not hold the newest generation of every data set: without %s")
			: text("%s does not hold the newest generation of every data set"),
		    name, r->refill.left_out);
	else if (r->refill.missing)
		snprintf(out, SUMMARY_LINE,
		    text("%s holds the newest generations (run %ju), but %ju others are not on it"), name,
		    r->newest, r->refill.missing);
	else if (r->refill.lost)
		snprintf(out, SUMMARY_LINE,
		    text("%s is complete again: files of %ju generations had vanished from it"), name,
		    r->refill.lost);
	else
		snprintf(out, SUMMARY_LINE,
		    text("%s is complete: %ju generations, the newest of run %ju; take it to '%s'"), name,
		    r->generations, r->newest, shown_reason(r->place, show));
	return finish_line(out);
}

/* ---- how things stand ---- */

char *summary_compliance(const struct compliance *s, char out[SUMMARY_LINE])
{
	size_t good = 0;

	for (size_t i = 0; i < s->n_datasets; i++)
		good += overview_in_order(&s->datasets[i]);
	if (s->n_next)
		snprintf(out, SUMMARY_LINE,
		    text("%zu of %zu data sets as they should be, %zu things to do: %s"), good, s->n_datasets,
		    s->n_next, s->next[0]);
	else
		snprintf(
		    out, SUMMARY_LINE, text("%zu of %zu data sets as they should be"), good, s->n_datasets);
	return finish_line(out);
}

char *summary_failure(const struct err *failure, char out[SUMMARY_LINE])
{
	path_show(failure->msg, out, SUMMARY_LINE);
	return finish_line(out);
}
