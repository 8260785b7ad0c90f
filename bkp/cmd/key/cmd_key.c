/* cmd_key: bkp key list, bkp key add, bkp key remove: who can open what is captured.  Uses of keys: cmd_key_use.c; envelopes:
 * cmd_key_envelope.c.
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
#include "cmd/show/overview.h"
#include "cmd/show/summary.h"
#include "format/medium/period.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/former_keys.h"
#include "read/vault/periods.h"
#include "write/state/keys_take.h"
#include "write/state/state.h"

/* ---- list ---- */

static int list_json(const struct policy *policy, const struct state *s)
{
	const struct periods *all = state_periods(s);
	const struct ledger *l = state_ledger(s);
	json_t *list = json_array(), *opened = json_object();
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
	for (size_t i = 0; i < policy->n_datasets; i++)
		json_object_set_new(
		    opened, policy->datasets[i].name, overview_opened_json(l, policy->datasets[i].name));
	return out_json(json_pack("{s:o, s:o, s:I}", "periods", list, "key_drill", opened, "former_bytes",
			    (json_int_t)former_keys_bytes(l)),
	    APP_OK);
}

static void list_opened(const struct policy *policy, const struct ledger *l)
{
	char label[GENERATION_LABEL], time[CLOCK_TEXT];

	puts(text("The newest generation that a holder of a key has opened:"));
	for (size_t i = 0; i < policy->n_datasets; i++) {
		const char *name = policy->datasets[i].name;
		const struct ledger_opened *o = ledger_opened(l, name);

		if (o)
			printf("  %s  %s%s\n", generation_label(name, o->generation, label),
			    clock_format_local(o->begun_ns, time),
			    o->declared ? text(" (declared only)") : "");
		else
			printf("  %s  %s\n", name, text("none yet"));
	}
}

/* What somebody who left can still open. */
static void list_former(const struct ledger *l)
{
	char size[OUT_BYTES];
	size_t n;

	if (former_keys_bytes(l))
		printf(text("With keys of former periods open: %s of what the newest generations refer to\n"),
		    out_bytes(former_keys_bytes(l), size));
	for (size_t i = 0; i < ledger_media(l); i++) {
		const struct ledger_medium *m = ledger_medium(l, i);

		if ((n = former_keys_generations(l, m)) > 0)
			printf(text("  on '%s': %zu generations, for good; make the medium anew, or destroy "
				    "it, when they have "
				    "expired or must not be opened\n"),
			    m->label, n);
	}
}

static int list_text(const struct policy *policy, const struct state *s)
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
	list_former(state_ledger(s));
	list_opened(policy, state_ledger(s));
	return app_flush(APP_OK);
}

static int key_list(struct app *app, const struct policy *policy)
{
	struct state *s = NULL;
	int code = app_state(app, policy, &s);

	if (!code)
		code = app->json ? list_json(policy, s) : list_text(policy, s);
	state_close(s);
	return code;
}

/* ---- add, remove ---- */

/* What the folder brings is what was asked for, and nothing else. */
static int check_change(
    const struct state *s, const struct key_request *q, const struct period *next, struct err *err)
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

static int change(struct state *s, const struct key_request *q, struct err *err)
{
	struct keys_offer *o;
	int r;

	if (keys_offer_read(s, q->from, &o, err))
		return -1;
	r = check_change(s, q, keys_offer_period(o), err) || keys_take(s, o, q->operator, q->renew, err) ? -1
													 : 0;
	keys_offer_free(o);
	return r;
}

static void tell_meaning(const struct app *app, const struct key_request *q)
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

static int key_change(struct app *app, const struct policy *policy, const struct key_request *q)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char command[32], line[SUMMARY_LINE];
	int r, code;

	snprintf(command, sizeof(command), "key %s", q->what);
	app_act(app, command, "manager", q->operator);
	code = operator_check(app, policy, q->operator);
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

/* What each takes, besides those that all have. */
static const struct form {
	const char *what;
	unsigned options; /* enum key_option */
	int min, max;	  /* words behind it */
} forms[] = {{"list", 0, 0, 0}, {"add", KEY_FROM | KEY_OPERATOR, 1, 1},
    {"remove", KEY_FROM | KEY_OPERATOR | KEY_RENEW, 1, 1}, {"page", 0, 1, 1},
    {"use", KEY_IMPORT | KEY_ALL | KEY_REVIEWED | KEY_OPERATOR, 0, KEY_WORDS},
    {"envelope", KEY_OPERATOR | KEY_PERSON | KEY_SEAL | KEY_PLACE | KEY_HOLDER | KEY_WHY | KEY_ALL, 1, 2}};

static int check_form(const struct app *app, const struct key_request *q)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const struct form *f = &forms[i];

		if (strcmp(f->what, q->what) != 0)
			continue;
		if (q->given & ~f->options)
			return app_usage(app, text("'key %s' does not take one of these options"), q->what);
		if (q->n >= f->min && q->n <= f->max && (!(f->options & KEY_FROM) || q->from))
			return APP_OK;
		if (f->options & KEY_FROM)
			return app_usage(app, "%s",
			    text("'key add' and 'key remove' need a name, and --from DIR: the folder that "
				 "'bkp-restore key' made"));
	}
	return app_usage(app, "%s",
	    text("one of: key list, key add NAME, key remove NAME, key page root, key page media, key use, "
		 "key envelope"));
}

/* The option `opt`, a bit of enum key_option. */
static void take(struct key_request *q, unsigned opt)
{
	const char **at = opt == KEY_FROM     ? &q->from
			  : opt == KEY_PERSON ? &q->person
			  : opt == KEY_SEAL   ? &q->seal
			  : opt == KEY_PLACE  ? &q->place
			  : opt == KEY_HOLDER ? &q->holder
			  : opt == KEY_WHY    ? &q->why
					      : &q->operator;

	q->given |= opt;
	q->renew |= opt == KEY_RENEW;
	if (optarg)
		*at = optarg;
}

int cmd_key(struct app *app, int argc, char **argv)
{
	/* in the order of enum key_option */
	static const struct option own[] = {{"from", required_argument, NULL, 1},
	    {"operator", required_argument, NULL, 2}, {"renew", no_argument, NULL, 3},
	    {"import", no_argument, NULL, 4}, {"all", no_argument, NULL, 5},
	    {"reviewed", no_argument, NULL, 6}, {"person", required_argument, NULL, 7},
	    {"seal", required_argument, NULL, 8}, {"place", required_argument, NULL, 9},
	    {"holder", required_argument, NULL, 10}, {"why", required_argument, NULL, 11},
	    {NULL, 0, NULL, 0}};
	struct key_request q = {.what = "list"};
	POLICY_AUTO policy = NULL;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		take(&q, 1u << (opt - 1));
	}
	if (optind < argc)
		q.what = argv[optind++];
	q.words = argv + optind;
	q.n = argc - optind;
	q.name = q.n ? q.words[0] : NULL;
	code = check_form(app, &q);
	if (code)
		return code;
	if (!strcmp(q.what, "page"))
		return cmd_key_page(app, q.name);
	code = app_policy(app, &policy);
	if (code)
		return code;
	return !strcmp(q.what, "list")	     ? key_list(app, policy)
	       : !strcmp(q.what, "use")	     ? cmd_key_use(app, policy, &q)
	       : !strcmp(q.what, "envelope") ? cmd_key_envelope(app, policy, &q)
					     : key_change(app, policy, &q);
}
