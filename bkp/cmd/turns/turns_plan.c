/* turns_plan: see turns_plan.h. */
#include "cmd/turns/turns_plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/day.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/show/overview.h"
#include "cmd/show/turns_show.h"
#include "format/page/turns_page.h"
#include "format/policy/holidays.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/rules/turns.h"

#define SHOW	 256
#define LINE	 512
#define PAGE_MAX ((size_t)8 << 20)

/* ---- words ---- */

/* Everybody with the role. */
static char *operators(const struct policy *p, char out[LINE])
{
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < p->n_people && n < LINE; i++)
		if (p->people[i].roles & POLICY_OPERATOR)
			n += (size_t)snprintf(
			    out + n, LINE - n, "%s%s", n ? text(", ") : "", p->people[i].name);
	width_whole(out);
	return out;
}

static char *rhythm(const struct policy_pool *pool, char out[LINE])
{
	char when[POLICY_PLAN_TEXT];

	snprintf(out, LINE, text("%s; they hold %s; away at any time: %u at least"),
	    policy_plan_rhythm(pool, when), policy_plan_holds(pool), pool->away_at_least);
	return out;
}

static char *note_of(const struct turns_turn *turn, char out[LINE])
{
	char day[DAY_TEXT];
	size_t n = 0;

	out[0] = '\0';
	day_format(turn->planned, day);
	if (turn->late)
		n = (size_t)snprintf(out, LINE, text("late since %s"), day);
	else if (turn->holiday)
		n = (size_t)snprintf(out, LINE, text("for %s (%s)"), day + 5, turn->holiday);
	if (turn->first && n < LINE)
		snprintf(out + n, LINE - n, text("%sfirst take %s to '%s'"), n ? text("; ") : "",
		    turn->first->policy->name, turns_home(turn->first));
	width_whole(out);
	return out;
}

/* ---- for people ---- */

static void turn_row(struct table *t, const struct turns_turn *turn)
{
	char day[DAY_TEXT], note[LINE], show[SHOW];

	table_cell(t, "%s %s", day_format(turn->date, day), day_weekday(day_split(turn->date).weekday));
	table_cell(t, "%s", turn->bring->policy->name);
	table_cell(t, "%s", *turn->from ? path_show(turn->from, show, sizeof(show)) : "-");
	table_cell(t, "%s", *turn->to ? path_show(turn->to, show, sizeof(show)) : "-");
	table_cell(t, "%s", note_of(turn, note));
}

/* "12-29…01-03 年末年始, 01-11 成人の日" of the days that the plan covers. */
static void show_holidays(const struct policy *p, int32_t from, int32_t until)
{
	BUF_AUTO b = BUF_INIT((size_t)1 << 20);
	char day[DAY_TEXT], last[DAY_TEXT];
	bool failed = false;

	for (int32_t d = from; d <= until && !failed; d++) {
		const char *name = holidays_listed(p->holidays, d);
		int32_t end = d;

		if (!name)
			continue;
		while (end < until && holidays_listed(p->holidays, end + 1) == name)
			end++;
		day_format(d, day);
		day_format(end, last);
		failed = buf_printf(&b, NULL, "%s%s%s%s %s", b.n ? text(", ") : "", day, end > d ? ".." : "",
			     end > d ? last : "", name) != 0;
		d = end;
	}
	if (b.n && !failed && !buf_terminate(&b, NULL))
		out_wrapped(stdout, 0, 2, text("Holidays: %s"), (char *)b.p);
	if (holidays_known(p->holidays) > INT32_MIN && holidays_known(p->holidays) < until)
		out_wrapped(stdout, 0, 2, text("Holidays are listed until %s only (%s)"),
		    day_format(holidays_known(p->holidays), day), p->holidays_path);
}

static int show_pool(const struct turns *t, const struct turns_turn *turns, size_t n)
{
	static const char *const heads[] = {TEXT_LATER("DATE"), TEXT_LATER("BRING"),
	    TEXT_LATER("BRING IT FROM"), TEXT_LATER("THEN TAKE IT TO"), TEXT_LATER("NOTE")};
	struct table *table = n ? table_headed(heads, 5) : NULL;
	char line[LINE], remind[LINE];

	out_wrapped(stdout, 0, 2, text("Turns of '%s': %s"), t->pool->name, rhythm(t->pool, line));
	for (size_t i = 0; i < t->n; i++)
		if (t->disks[i].out != TURNS_USABLE)
			out_wrapped(stdout, 0, 4, text("  left out: %s (%s)"), t->disks[i].policy->name,
			    turns_out_shown(t->disks[i].out));
	if (t->second)
		out_wrapped(stdout, 0, 4, text("  attached beside another one: take %s away now"),
		    t->second->policy->name);
	if (*policy_plan_remind(t->pool, remind, sizeof(remind)))
		out_wrapped(stdout, 0, 4, text("  when it is late: %s"), remind);
	if (!n) {
		out_wrapped(
		    stdout, 0, 4, "  %s", text("no medium can be used: register one with 'bkp medium add'"));
		return APP_OK;
	}
	for (size_t i = 0; table && i < n; i++)
		turn_row(table, &turns[i]);
	return out_table(table, 2, APP_OK);
}

/* ---- for programs ---- */

static json_t *turn_json(const struct policy *p, const struct turns_turn *turn)
{
	char date[DAY_TEXT], planned[DAY_TEXT];
	json_t *who = json_array();

	for (size_t i = 0; i < p->n_people; i++)
		if (p->people[i].roles & POLICY_OPERATOR)
			json_array_append_new(who, json_string(p->people[i].name));
	return json_pack("{s:s, s:s, s:s?, s:b, s:s, s:s, s:s, s:s, s:s?, s:o}", "date",
	    day_format(turn->date, date), "planned", day_format(turn->planned, planned), "holiday",
	    turn->holiday, "late", (int)turn->late, "bring", turn->bring->policy->name, "from", turn->from,
	    "take_away", turn->bring->policy->name, "to", turn->to, "take_away_first",
	    turn->first ? turn->first->policy->name : NULL, "who", who);
}

static json_t *pool_json(const struct turns *t, const struct turns_turn *turns, size_t n)
{
	json_t *o = turns_show_json(t), *list = json_array();

	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, turn_json(t->policy, &turns[i]));
	if (!o || json_object_set_new(o, "turns", list)) {
		json_decref(o);
		return NULL;
	}
	return o;
}

/* ---- the plan ---- */

struct plan {
	const struct policy *policy;
	struct compliance *s;
	struct pool_plan {
		struct turns_turn *turns;
		size_t n;
	} * pools;
	int32_t today, until;
};

static void free_plan(struct plan *plan)
{
	for (size_t i = 0; plan->pools && i < plan->s->n_pools; i++)
		free(plan->pools[i].turns);
	free(plan->pools);
	compliance_free(plan->s);
}

static int make_plan(struct plan *plan, struct err *err)
{
	plan->pools = calloc(plan->s->n_pools + 1, sizeof(*plan->pools));
	if (!plan->pools)
		return err_nomem(err);
	for (size_t i = 0; i < plan->s->n_pools; i++)
		if (turns_plan(
			&plan->s->pools[i], plan->until, &plan->pools[i].turns, &plan->pools[i].n, err))
			return -1;
	return 0;
}

static int show_text(const struct plan *plan)
{
	char who[LINE];
	int code = APP_OK;

	if (*operators(plan->policy, who))
		out_wrapped(stdout, 0, 2, text("Who: %s"), who);
	for (size_t i = 0; i < plan->s->n_pools && !code; i++) {
		putchar('\n');
		code = show_pool(&plan->s->pools[i], plan->pools[i].turns, plan->pools[i].n);
	}
	putchar('\n');
	show_holidays(plan->policy, plan->today, plan->until);
	return app_flush(code);
}

static int show_json(const struct plan *plan)
{
	json_t *list = json_array();
	char today[DAY_TEXT], until[DAY_TEXT];

	for (size_t i = 0; i < plan->s->n_pools; i++)
		json_array_append_new(
		    list, pool_json(&plan->s->pools[i], plan->pools[i].turns, plan->pools[i].n));
	return out_json(json_pack("{s:s, s:s, s:s, s:s?, s:o}", "site", plan->policy->site_name, "today",
			    day_format(plan->today, today), "until", day_format(plan->until, until),
			    "holidays", plan->policy->holidays_path, "pools", list),
	    APP_OK);
}

/* Strings of a page's pool live as long as this. */
struct pool_text {
	char rhythm[LINE], remind[LINE];
	char (*note)[LINE];
	struct turns_page_turn *turns;
};

static int fill_page(const struct plan *plan, size_t i, struct pool_text *text_of,
    struct turns_page_pool *page, struct err *err)
{
	const struct pool_plan *p = &plan->pools[i];
	const struct policy_pool *pool = plan->s->pools[i].pool;

	text_of->note = calloc(p->n + 1, sizeof(*text_of->note));
	text_of->turns = calloc(p->n + 1, sizeof(*text_of->turns));
	if (!text_of->note || !text_of->turns)
		return err_nomem(err);
	for (size_t k = 0; k < p->n; k++)
		text_of->turns[k] =
		    (struct turns_page_turn){p->turns[k].date, p->turns[k].bring->policy->name,
			p->turns[k].from, p->turns[k].to, note_of(&p->turns[k], text_of->note[k])};
	*page = (struct turns_page_pool){pool->name, rhythm(pool, text_of->rhythm),
	    policy_plan_remind(pool, text_of->remind, LINE), text_of->turns, p->n};
	return 0;
}

static int show_calendar(const struct plan *plan)
{
	size_t n = plan->s->n_pools;
	struct turns_page_pool *pages = calloc(n + 1, sizeof(*pages));
	struct pool_text *texts = calloc(n + 1, sizeof(*texts));
	BUF_AUTO out = BUF_INIT(PAGE_MAX);
	struct err err = ERR_INIT;
	char who[LINE];
	int r = pages && texts ? 0 : err_nomem(&err);

	for (size_t i = 0; i < n && !r; i++)
		r = fill_page(plan, i, &texts[i], &pages[i], &err);
	if (!r)
		r = turns_page(plan->policy->site_name, operators(plan->policy, who), plan->today,
		    plan->policy->holidays, pages, n, &out, &err);
	if (!r)
		fwrite(out.p, 1, out.n, stdout);
	for (size_t i = 0; texts && i < n; i++) {
		free(texts[i].note);
		free(texts[i].turns);
	}
	free(texts);
	free(pages);
	return r ? app_error(&err, APP_FAILED) : app_flush(APP_OK);
}

static int no_pools(void)
{
	struct err err = ERR_INIT;

	err_set(&err, "E-ROTATE-12", "%s", text("the policy declares no pool: there are no turns to plan"));
	err_hint(&err, "%s",
	    text("write 'pools: [{name: weekly, media: [RDX-01, RDX-02], swap_every: 7d}]'; see "
		 "bkp-policy(5)"));
	return app_error(&err, APP_USAGE);
}

static int show_plan(
    const struct app *app, struct plan *plan, const struct turns_plan_options *opt, int32_t weeks)
{
	struct err err = ERR_INIT;
	int32_t from, behind;

	plan->today = day_of(plan->s->now_ns);
	plan->until = plan->today + 7 * weeks;
	turns_page_quarter(plan->today, &from, &behind);
	if (opt->calendar)
		plan->until = behind - 1;
	if (plan->policy->holidays_fault)
		(void)app_error(plan->policy->holidays_fault, APP_ATTENTION);
	if (make_plan(plan, &err))
		return app_error(&err, APP_FAILED);
	return opt->calendar ? show_calendar(plan) : app->json ? show_json(plan) : show_text(plan);
}

/* 1 … TURNS_PLAN_WEEKS_MAX; 0: it is none. */
static int32_t parse_weeks(const char *s)
{
	size_t n = s ? strlen(s) : 0;
	long weeks = n && n < 5 && strspn(s, "0123456789") == n ? strtol(s, NULL, 10) : 0;

	return !s ? TURNS_PLAN_WEEKS : weeks <= TURNS_PLAN_WEEKS_MAX ? (int32_t)weeks : 0;
}

int turns_plan_run(struct app *app, const struct turns_plan_options *opt)
{
	int32_t weeks = parse_weeks(opt->weeks);
	POLICY_AUTO policy = NULL;
	struct ledger *l = NULL;
	struct plan plan = {0};
	int code;

	if (!weeks)
		return app_usage(
		    app, text("'%s' is not a number of weeks, 1 to %d"), opt->weeks, TURNS_PLAN_WEEKS_MAX);
	code = app_policy(app, &policy);
	if (!code && !policy->n_pools)
		code = no_pools();
	if (!code)
		code = app_ledger(app, policy, &l);
	if (!code)
		code = overview_compliance(policy, l, &plan.s);
	plan.policy = policy;
	if (!code) {
		code = show_plan(app, &plan, opt, weeks);
		free_plan(&plan);
	}
	ledger_free(l);
	return code;
}
