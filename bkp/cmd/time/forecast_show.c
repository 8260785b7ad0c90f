/* forecast_show: see forecast_show.h. */
#include "cmd/time/forecast_show.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/ledger/ledger_then.h"
#include "read/rules/forecast.h"

#define NAMES_MAX ((size_t)16 << 10)

struct loader {
	const struct policy *policy;
	int64_t at_ns;
};

static int load(void *arg, struct ledger **ret, struct err *err)
{
	const struct loader *from = arg;
	struct ledger_then where;

	return from->at_ns ? app_ledger_then(from->policy, from->at_ns, &where, ret, err)
			   : app_ledger_read(from->policy, ret, err);
}

int forecast_make(
    const struct policy *policy, int64_t now_ns, int64_t at_ns, unsigned days, struct forecast **ret)
{
	struct loader from = {policy, at_ns};
	struct err err = ERR_INIT;

	return forecast_new(policy, load, &from, now_ns, days, ret, &err) ? app_error(&err, APP_UNKNOWN)
									  : APP_OK;
}

/* ---- for people ---- */

static bool is_one_sentence(const struct forecast_lapse *a, const struct forecast_lapse *b)
{
	return a->at_ns == b->at_ns && a->what == b->what && a->act == b->act && a->medium == b->medium &&
	       a->what < FORECAST_ROTATION && !strcmp(a->why, b->why);
}

/* What the lapses i … end - 1 are of. */
static const char *show_names(
    const struct policy *policy, const struct forecast *f, size_t i, size_t end, struct buf *out)
{
	int r = 0;

	for (size_t k = i; k < end && !r; k++)
		r = buf_printf(out, NULL, "%s%s", k > i ? text(", ") : "",
		    f->lapses[k].what < FORECAST_ROTATION ? policy->datasets[f->lapses[k].of].name
							  : policy->media[f->lapses[k].of].name);
	return r || buf_terminate(out, NULL) ? "?" : (char *)out->p;
}

static void say_remedy(const struct forecast_lapse *p)
{
	if (p->act == FORECAST_ROTATE)
		out_wrapped(stdout, 0, 6,
		    text("    → before that: attach %s, 'bkp rotate %s --operator NAME', take "
			 "it back to its place"),
		    p->medium->name, p->medium->name);
	else if (p->act == FORECAST_TAKE)
		out_wrapped(stdout, 0, 6,
		    text("    → before that: unmount %s, take it to its place, and record that with 'bkp "
			 "medium "
			 "move %s --operator NAME'"),
		    p->medium->name, p->medium->name);
	else
		out_wrapped(stdout, 0, 6, "%s", text("    → no single disk prevents it"));
}

/* Was an earlier lapse shown that the same act prevents? */
static bool was_said(const struct forecast *f, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (f->lapses[k].act == f->lapses[i].act && f->lapses[k].medium == f->lapses[i].medium)
			return true;
	return false;
}

static void say_lapse(const struct policy *policy, const struct forecast *f, size_t i, size_t end)
{
	static const char *const rules[] = {TEXT_LATER("GENERATIONS"), TEXT_LATER("3 COPIES"),
	    TEXT_LATER("2 TYPES"), TEXT_LATER("1 OFFLINE")};
	const struct forecast_lapse *p = &f->lapses[i];
	BUF_AUTO names = BUF_INIT(NAMES_MAX);
	const char *of = show_names(policy, f, i, end, &names);
	char at[CLOCK_TEXT];

	clock_format_local(p->at_ns, at);
	if (p->what == FORECAST_ROTATION)
		out_wrapped(stdout, 0, 4, text("  from %s on the rotation of %s is overdue"), at, of);
	else if (p->what == FORECAST_ATTACHED)
		out_wrapped(stdout, 0, 4, text("  from %s on %s has been attached for too long"), at, of);
	else
		out_wrapped(stdout, 0, 4, text("  from %s on %s of %s is %s: %s"), at, text(rules[p->what]),
		    of, p->to == COMPLIANCE_MISSING ? text("× missing") : text("△ attention"), p->why);
	if (p->act != FORECAST_NONE && was_said(f, i))
		out_wrapped(stdout, 0, 6, "%s", text("    → the same before that prevents it"));
	else
		say_remedy(p);
}

void forecast_show(const struct policy *policy, const struct forecast *f, bool all)
{
	const int64_t soon_ns = f->now_ns + FORECAST_SOON_DAYS * 86400 * SECOND_NS;
	bool said = false;
	char until[CLOCK_TEXT];

	for (size_t i = 0, end; i < f->n; i = end) {
		for (end = i + 1; end < f->n && is_one_sentence(&f->lapses[i], &f->lapses[end]); end++)
			;
		if (!all && (f->lapses[i].at_ns > soon_ns || was_said(f, i)))
			continue;
		if (!said)
			printf("\n%s\n", all ? text("What lapses if nobody acts")
					     : text("What lapses within a week if nobody acts"));
		said = true;
		say_lapse(policy, f, i, end);
	}
	if (!all)
		return;
	clock_format_local(f->until_ns, until);
	if (!f->n)
		out_wrapped(stdout, 0, 2, text("nothing that is met now lapses until %s"), until);
	out_wrapped(stdout, 0, 2,
	    text("up to %s; assumed: the nightly runs go on as scheduled and succeed, nobody rotates, "
		 "carries or "
		 "takes away anything; what is not met now stands under 'What to do next'"),
	    until);
}

/* ---- for programs ---- */

static json_t *lapse_json(const struct policy *policy, const struct forecast_lapse *p)
{
	static const char *const acts[] = {NULL, "rotate", "take away"};
	const bool rule = p->what < FORECAST_ROTATION;

	return json_pack("{s:o, s:s, s:s?, s:s?, s:s, s:s, s:s?, s:s?}", "at", out_time_json(p->at_ns),
	    "what", forecast_word(p->what), "dataset", rule ? policy->datasets[p->of].name : NULL, "medium",
	    rule ? NULL : policy->media[p->of].name, "to", compliance_verdict_word(p->to), "why", p->why,
	    "prevented_by", acts[p->act], "prevented_with", p->medium ? p->medium->name : NULL);
}

json_t *forecast_json(const struct policy *policy, const struct forecast *f)
{
	json_t *list = json_array();

	for (size_t i = 0; i < f->n; i++)
		json_array_append_new(list, lapse_json(policy, &f->lapses[i]));
	return json_pack("{s:o, s:s, s:o}", "until", out_time_json(f->until_ns), "assumes",
	    "runs go on as scheduled and succeed; nobody rotates, carries or takes away a medium", "lapses",
	    list);
}
