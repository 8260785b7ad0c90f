/* cmd_announce: bkp announce: a change that the guard should expect, said before it happens; those on record.
 *
 * Nothing is switched off: every night is measured and recorded as ever, and what no announcement explains (format/guard/announce.h)
 * stays an alarm.  What is announced holds for nights to come: of a generation that is suspect already a person decides. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/picked.h"
#include "cmd/show/overview.h"
#include "cmd/show/summary.h"
#include "format/guard/announce.h"
#include "format/medium/selector.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/state/reserve.h"
#include "write/state/state.h"

#define NOON_H	  12
#define NAMES_MAX ((size_t)16 << 10)

struct request {
	const char *text; /* NULL: list */
	const char *datasets, *from, *until, *expect, *operator, * end;
	int64_t from_ns, until_ns;
	uint32_t expects;
	json_t *names;
	uint64_t number; /* of --end */
};

/* ---- those on record ---- */

static const char *state_word(const struct ledger *l, const struct ledger_announcement *a, int64_t now_ns)
{
	return a->ended_ns			      ? TEXT_LATER("ended")
	       : a->over			      ? TEXT_LATER("over")
	       : ledger_announced(l, a, NULL, now_ns) ? TEXT_LATER("in force")
	       : ledger_latch(l)->found_ns	      ? TEXT_LATER("not while the clock is in doubt")
	       : now_ns < a->from_ns		      ? TEXT_LATER("to come")
						      : TEXT_LATER("over");
}

static json_t *words_json(uint32_t expects)
{
	json_t *list = json_array();
	const char *word;
	uint32_t one;

	for (unsigned i = 0; (word = announce_nth(i, &one)); i++)
		if (expects & one)
			json_array_append_new(list, json_string(word));
	return list;
}

static json_t *announcement_json(const struct ledger *l, const struct ledger_announcement *a, int64_t now_ns)
{
	return json_pack("{s:I, s:s, s:O, s:o, s:o, s:o, s:s, s:o, s:o, s:s*, s:s}", "number",
	    (json_int_t)a->number, "text", a->text, "datasets", a->datasets, "from",
	    overview_time_json(a->from_ns), "until", overview_time_json(a->until_ns), "expects",
	    words_json(a->expects), "operator", a->person, "announced", overview_time_json(a->announced_ns),
	    "ended", overview_time_json(a->ended_ns), "ended_by", a->ended_by, "state",
	    state_word(l, a, now_ns));
}

static void announcement_row(
    struct table *t, const struct ledger *l, const struct ledger_announcement *a, int64_t now_ns)
{
	BUF_AUTO names = BUF_INIT(NAMES_MAX);
	BUF_AUTO words = BUF_INIT(NAMES_MAX);
	char time[CLOCK_TEXT];
	const char *word, *comma = "";
	uint32_t one;
	int r = 0;

	for (size_t i = 0; i < json_array_size(a->datasets) && !r; i++)
		r = buf_printf(
		    &names, NULL, "%s%s", i ? ", " : "", json_string_value(json_array_get(a->datasets, i)));
	for (unsigned i = 0; (word = announce_nth(i, &one)); i++)
		if (a->expects & one && !r) {
			r = buf_printf(&words, NULL, "%s%s", comma, word);
			comma = ", ";
		}
	r = r || buf_terminate(&names, NULL) || buf_terminate(&words, NULL);
	table_cell(t, "%" PRIu64, a->number);
	table_cell(t, "%s", text(state_word(l, a, now_ns)));
	table_cell(t, "%s", clock_format_local(a->from_ns, time));
	table_cell(t, "%s", clock_format_local(a->ended_ns ? a->ended_ns : a->until_ns, time));
	table_cell(t, "%s", a->ended_ns ? a->ended_by : a->person);
	table_cell(t, "%s", r ? "?" : (char *)names.p);
	table_cell(t, "%s", r ? "?" : (char *)words.p);
	table_cell(t, "%s", a->text);
}

static int list(struct app *app, const struct policy *policy)
{
	static const char *const heads[] = {TEXT_LATER("NO."), TEXT_LATER("STATE"), TEXT_LATER("FROM"),
	    TEXT_LATER("UNTIL"), TEXT_LATER("BY"), TEXT_LATER("DATA SETS"), TEXT_LATER("EXPECTED"),
	    TEXT_LATER("WHAT")};
	struct ledger *l = NULL;
	struct table *t = NULL;
	json_t *all = app->json ? json_array() : NULL;
	struct clock_stamp now;
	int code = app_ledger(app, policy, &l);

	clock_now(&now);
	if (!code && !app->json && ledger_announcements(l))
		t = table_headed(heads, 8);
	for (size_t i = code ? 0 : ledger_announcements(l); i--;) { /* the newest first */
		const struct ledger_announcement *a = ledger_announcement(l, i);

		if (all)
			json_array_append_new(all, announcement_json(l, a, now.wall_ns));
		else if (t)
			announcement_row(t, l, a, now.wall_ns);
	}
	if (!code && all)
		code = out_json(json_pack("{s:O}", "announcements", all), APP_OK);
	else if (!code && t)
		code = out_table(t, 0, APP_OK);
	else if (!code && !app->quiet)
		printf("%s\n", text("nobody has announced a change"));
	json_decref(all);
	ledger_free(l);
	return app_flush(code);
}

/* ---- announcing ---- */

/* Local time of that hour, so many days behind the date. */
static int64_t time_of(uint64_t date, int days, int hour)
{
	struct tm tm = {.tm_year = (int)(date / 10000) - 1900,
	    .tm_mon = (int)(date / 100 % 100) - 1,
	    .tm_mday = (int)(date % 100) + days,
	    .tm_hour = hour,
	    .tm_isdst = -1};

	return (int64_t)mktime(&tm) * SECOND_NS;
}

/* What happens on the last day is captured in the night behind it. */
static int check_times(const struct app *app, struct request *q)
{
	struct clock_stamp now;
	uint64_t from, until;

	clock_now(&now);
	q->from_ns = now.wall_ns / SECOND_NS * SECOND_NS;
	if (!selector_date(q->until, &until) || (q->from && !selector_date(q->from, &from)))
		return app_usage(app, "%s", text("--until and --from take a day, as in 2026-11-30"));
	q->until_ns = time_of(until, 1, NOON_H);
	if (q->from && time_of(from, 1, 0) <= now.wall_ns)
		return app_usage(app, "%s",
		    text("--from is in the past: what was captured already is not announced any more"));
	if (q->from && time_of(from, 0, 0) > q->from_ns)
		q->from_ns = time_of(from, 0, 0);
	if (time_of(until, 1, 0) <= q->from_ns)
		return app_usage(app, "%s", text("--until is before it begins"));
	if (q->until_ns - q->from_ns > (ANNOUNCE_DAYS * 24 + NOON_H + 1) * 3600 * SECOND_NS)
		return app_usage(app, text("an announcement is for %d days at most"), ANNOUNCE_DAYS);
	return APP_OK;
}

/* `all` are those that the policy has today: who joins later is not meant. */
static int check_names(const struct app *app, const struct policy *policy, struct request *q)
{
	bool *picked;
	int code = picked_datasets(app, policy, q->datasets, &picked);

	if (code)
		return code;
	q->names = json_array();
	for (size_t i = 0; i < policy->n_datasets; i++)
		if (picked[i])
			json_array_append_new(q->names, json_string(policy->datasets[i].name));
	free(picked);
	return APP_OK;
}

static int check_request(struct app *app, const struct policy *policy, struct request *q)
{
	char *end = NULL;
	int code;

	if (q->end) {
		q->number = strtoull(q->end, &end, 10);
		if (q->text || q->until || q->from || q->datasets || q->expect || *end || !q->number ||
		    *q->end == '-')
			return app_usage(app, "%s",
			    text("--end takes the number that 'bkp announce' shows, and nothing else"));
		return operator_check(app, policy, q->operator);
	}
	if (!q->until || !q->datasets)
		return app_usage(app, "%s",
		    text("say of which data sets with --datasets NAME,…|all, and how long with --until DAY"));
	q->expects = q->expect ? announce_parse(q->expect) : GUARD_E_DEFAULT;
	if (!q->expects)
		return app_usage(app, "%s",
		    text("--expect takes, with commas between them: changed, deleted, renamed, new-kinds, "
			 "encrypted"));
	code = operator_text(app, "TEXT", q->text);
	if (!code)
		code = check_times(app, q);
	if (!code)
		code = check_names(app, policy, q);
	return code ? code : operator_check(app, policy, q->operator);
}

/* What is suspect already is not announced after the fact. */
static int tell_suspects(const struct ledger *l, const struct request *q)
{
	char label[GENERATION_LABEL];
	int code = APP_OK;

	for (size_t k = 0; k < json_array_size(q->names); k++) {
		const char *name = json_string_value(json_array_get(q->names, k));
		const struct ledger_generation *g = ledger_last_committed(l, name);
		struct err err = ERR_INIT;

		if (!g || !g->suspect)
			continue;
		err_set(&err, "W-GUARD-02",
		    text("%s is suspect already, and stays so: what is announced holds for nights to come"),
		    generation_label(name, g->number, label));
		err_hint(&err,
		    text("'bkp guard show %s' says what to do; when its files are right, 'bkp accept'"),
		    name);
		code = app_error(&err, APP_ATTENTION);
	}
	return code;
}

static void tell(const struct app *app, const struct request *q)
{
	char until[CLOCK_TEXT];

	if (app->quiet || app->json)
		return;
	out_wrapped(stdout, 0, 0,
	    text("announced: until %s what the guard finds of these kinds is a notice, and no alarm"),
	    clock_format_local(q->until_ns, until));
	out_wrapped(stdout, 0, 0, "%s",
	    text("It is measured as ever, and stays an alarm: canaries that are changed or gone, files that "
		 "look encrypted or destroyed, a dump's rows that were encoded."));
	if (!(q->expects & GUARD_E_ENCRYPTED))
		out_wrapped(stdout, 0, 0, "%s",
		    text("So do files that can be opened only with a password, unless --expect says "
			 "'encrypted'."));
}

static int record(struct state *s, const struct request *q, struct err *err)
{
	char from[CLOCK_TEXT], until[CLOCK_TEXT];
	const struct ledger *l = state_ledger(s);

	if (q->text)
		return reserve_append(s, "announced",
		    json_pack("{s:I, s:s, s:O, s:s, s:s, s:o, s:s}", "number",
			(json_int_t)ledger_announcements(l) + 1, "text", q->text, "datasets", q->names,
			"from", clock_format(q->from_ns, from), "until", clock_format(q->until_ns, until),
			"expects", words_json(q->expects), "operator", q->operator),
		    err);
	if (q->number > ledger_announcements(l) || ledger_announcement(l, q->number - 1)->ended_ns) {
		err_set(err, "E-GUARD-03", text("there is no announcement %ju, or it was ended before"),
		    (uintmax_t)q->number);
		return err_hint(err, "%s", text("'bkp announce' shows them"));
	}
	return reserve_append(s, "announcement-ended",
	    json_pack("{s:I, s:s}", "number", (json_int_t)q->number, "operator", q->operator), err);
}

static int act(struct app *app, const struct policy *policy, const struct request *q)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE];
	int r, code = app_state(app, policy, &s);

	if (code)
		return code;
	r = record(s, q, &err);
	if (r)
		code = app_error(&err, APP_FAILED);
	else if (q->text)
		snprintf(line, sizeof(line), text("announced: '%s', by %s"), q->text, q->operator);
	else
		snprintf(line, sizeof(line), text("announcement %ju is ended, by %s"), (uintmax_t)q->number,
		    q->operator);
	if (!code && q->text) {
		tell(app, q);
		code = tell_suspects(state_ledger(s), q);
	} else if (!code && !app->quiet && !app->json) {
		puts(line);
	}
	code = outcome_record(app, s, "announce", code, r ? summary_failure(&err, line) : line);
	if (!r && app->json)
		code =
		    out_json(json_pack("{s:I}", "number",
				 (json_int_t)(q->text ? ledger_announcements(state_ledger(s)) : q->number)),
			code);
	state_close(s);
	return app_flush(code);
}

int cmd_announce(struct app *app, int argc, char **argv)
{
	enum { DATASETS = 1, FROM, UNTIL, EXPECT, OPERATOR, END };
	static const struct option own[] = {{"datasets", required_argument, NULL, DATASETS},
	    {"from", required_argument, NULL, FROM}, {"until", required_argument, NULL, UNTIL},
	    {"expect", required_argument, NULL, EXPECT}, {"operator", required_argument, NULL, OPERATOR},
	    {"end", required_argument, NULL, END}, {NULL, 0, NULL, 0}};
	struct request q = {0};
	const char **into[] = {NULL, &q.datasets, &q.from, &q.until, &q.expect, &q.operator, & q.end };
	POLICY_AUTO policy = NULL;
	bool any = false;
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		*into[c] = optarg;
		any = true;
	}
	if (argc - optind > 1)
		return app_usage(
		    app, "%s", text("say what is going to happen as one word, in quotes: 'software update'"));
	q.text = argc - optind ? argv[optind] : NULL;
	app_act(app, "announce", "operator", q.operator);
	code = app_policy(app, &policy);
	if (!code && !any && !q.text)
		return list(app, policy);
	if (!code && !q.text && !q.end)
		code = app_usage(
		    app, "%s", text("say what is going to happen as one word, in quotes: 'software update'"));
	if (!code)
		code = check_request(app, policy, &q);
	if (!code)
		code = act(app, policy, &q);
	json_decref(q.names);
	return code;
}
