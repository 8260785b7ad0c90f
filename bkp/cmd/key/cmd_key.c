/* cmd_key: bkp key list, bkp key add, bkp key remove: who can open what is captured.
 *
 * The host has no key that opens anything: what changes is made by somebody who holds one, on another computer
 * ('bkp-restore key add', 'bkp-restore key remove'), and signed with the root key.  Here it is compared with what was asked for, taken over
 * and recorded.  What is kept of it on paper: cmd_key_page.c. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/key/cmd_key.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/show/summary.h"
#include "format/medium/period.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/periods.h"
#include "write/state/keys_take.h"
#include "write/state/state.h"

struct request {
	const char *what; /* "add", "remove" */
	const char *name, *from, *person;
	bool renew;
};

/* ---- list ---- */

static int list_json(const struct state *s)
{
	const struct periods *all = state_periods(s);
	json_t *list = json_array();
	char recipient[AGE_RECIPIENT_TEXT];

	for (uint32_t i = 1; i <= state_period(s)->number; i++) {
		const struct period *p = periods_get(all, i);
		json_t *people = json_array();

		for (size_t k = 0; p && k < p->n_people; k++)
			json_array_append_new(people, json_pack("{s:s, s:s}", "name", p->people[k].name,
							  "recipient", p->people[k].recipient));
		if (p)
			json_array_append_new(
			    list, json_pack("{s:i, s:i, s:s, s:o}", "period", (int)p->number, "revision",
				      (int)p->revision, "recipient",
				      age_recipient_format(&p->recipient, recipient), "people", people));
		else
			json_decref(people);
	}
	return out_json(json_pack("{s:o}", "periods", list), APP_OK);
}

static int list_text(const struct state *s)
{
	const struct periods *all = state_periods(s);
	uint32_t now = state_period(s)->number;
	char time[CLOCK_TEXT];

	for (uint32_t i = now; i; i--) {
		const struct period *p = periods_get(all, i);

		if (!p)
			continue;
		printf(text("period %u%s, since %s\n"), i, i == now ? text(" (in force)") : "",
		    clock_format_local(p->begun_ns, time));
		for (size_t k = 0; k < p->n_people; k++)
			printf("  %-16s %s\n", p->people[k].name, p->people[k].recipient);
	}
	if (now > 1)
		printf("%s\n", text("Who holds a key of a later period opens the earlier ones, too; who "
				    "holds one of an earlier period "
				    "opens what was captured in it, on whatever medium it is."));
	return app_flush(APP_OK);
}

static int key_list(struct app *app, const struct policy *policy)
{
	struct state *s = NULL;
	int code = app_state(app, policy, &s);

	if (!code)
		code = app->json ? list_json(s) : list_text(s);
	state_close(s);
	return code;
}

/* ---- add, remove ---- */

/* What the folder brings is what was asked for, and nothing else. */
static int check_change(
    const struct state *s, const struct request *q, const struct period *next, struct err *err)
{
	const struct period *is = state_period(s);
	bool add = !strcmp(q->what, "add");
	size_t others = is->n_people + (add ? 1 : -1);
	const char *why = NULL;

	if (add == !period_person(next, q->name))
		why = add ? text("that person is not in it") : text("that person is still in it");
	else if (!add && !period_person(is, q->name))
		why = text("nobody of that name holds a key");
	else if (add && next->number != is->number)
		why = text("it is a new period");
	for (size_t i = 0; !why && i < is->n_people; i++)
		if (strcmp(is->people[i].name, q->name) != 0 && !period_person(next, is->people[i].name))
			why = text("somebody else is missing");
	if (!why && next->n_people != others)
		why = text("somebody else is in it");
	if (!why)
		return 0;
	err_set(
	    err, "E-KEYS-01", text("what is in '%s' is not: %s '%s': %s"), q->from, q->what, q->name, why);
	return err_hint(err, "%s", text("one change at a time; 'bkp key list' shows who holds a key now"));
}

static int change(struct state *s, const struct request *q, struct err *err)
{
	struct keys_offer *o;
	int r;

	if (keys_offer_read(s, q->from, &o, err))
		return -1;
	r = check_change(s, q, keys_offer_period(o), err) || keys_take(s, o, q->person, q->renew, err) ? -1
												       : 0;
	keys_offer_free(o);
	return r;
}

static void tell_meaning(const struct app *app, const struct request *q)
{
	if (app->quiet || app->json)
		return;
	printf(!strcmp(q->what, "add") ? text("'%s' can open what was captured, and what will be\n")
				       : text("'%s' cannot open what is captured from now on\n"),
	    q->name);
	printf("%s\n", text("Media learn of it with the next 'bkp run' and 'bkp rotate'."));
	if (!strcmp(q->what, "remove"))
		printf("%s\n",
		    q->renew
			? text("What was captured before is stored anew, a seventh of it each run; until "
			       "then, and on "
			       "media that are not written to any more, it can be opened with the old key.")
			: text("What was captured before can be opened with the old key, for good: --renew "
			       "stores it "
			       "anew."));
}

static int key_change(struct app *app, const struct policy *policy, const struct request *q)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char command[32], line[SUMMARY_LINE];
	int r, code;

	snprintf(command, sizeof(command), "key %s", q->what);
	app_act(app, command, "manager", q->person);
	code = operator_check(app, policy, q->person);
	if (code || (code = app_state(app, policy, &s)))
		return code;
	r = change(s, q, &err);
	if (r)
		code = app_error(&err, APP_FAILED);
	else
		snprintf(line, sizeof(line), text("key %s: %s"), q->what, q->name);
	code = outcome_record(app, s, command, code, r ? summary_failure(&err, line) : line);
	if (!code)
		tell_meaning(app, q);
	state_close(s);
	return code;
}

static int parse(struct app *app, int argc, char **argv, struct request *q, int *ret_exit)
{
	static const struct option own[] = {{"from", required_argument, NULL, 1},
	    {"operator", required_argument, NULL, 2}, {"renew", no_argument, NULL, 3}, {NULL, 0, NULL, 0}};
	int opt;

	*ret_exit = APP_OK;
	while ((opt = app_getopt(app, argc, argv, own, ret_exit)) != -1) {
		if (opt == APP_OPT_STOP)
			return -1;
		if (opt == 1)
			q->from = optarg;
		else if (opt == 2)
			q->person = optarg;
		else
			q->renew = true;
	}
	q->what = optind < argc ? argv[optind++] : "list";
	q->name = optind < argc ? argv[optind++] : NULL;
	if (!strcmp(q->what, "page") && q->name && optind == argc)
		return 0;
	if (optind < argc ||
	    (strcmp(q->what, "list") != 0 && strcmp(q->what, "add") != 0 && strcmp(q->what, "remove") != 0))
		*ret_exit = app_usage(app, "%s",
		    text("one of: key list, key add NAME, key remove NAME, key page root, key page media"));
	else if (!strcmp(q->what, "list") ? q->name || q->from || q->renew : !q->name || !q->from)
		*ret_exit = app_usage(app, "%s",
		    text("'key add' and 'key remove' need a name, and --from DIR: the folder that "
			 "'bkp-restore key' made"));
	else if (q->renew && strcmp(q->what, "remove") != 0)
		*ret_exit = app_usage(app, "%s", text("--renew goes with 'key remove'"));
	return *ret_exit ? -1 : 0;
}

int cmd_key(struct app *app, int argc, char **argv)
{
	struct request q = {0};
	POLICY_AUTO policy = NULL;
	int code;

	if (parse(app, argc, argv, &q, &code))
		return code;
	if (!strcmp(q.what, "page"))
		return cmd_key_page(app, q.name);
	code = app_policy(app, &policy);
	if (code)
		return code;
	return !strcmp(q.what, "list") ? key_list(app, policy) : key_change(app, policy, &q);
}
