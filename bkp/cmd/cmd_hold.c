/* cmd_hold: bkp hold, bkp release, bkp accept: what a person decides about generations.
 *
 * Each generation is decided, recorded and told by itself, in the order in which they were named; one that is refused does not
 * keep the others from being decided.  Of a run that was named as a whole, data sets of which there is nothing to decide are only
 * said. */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/chosen.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/tools_folder.h"
#include "cmd/show/overview.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/media/medium_docs.h"
#include "write/state/state.h"

enum decision { HOLD, RELEASE, ACCEPT };

static const struct {
	const char *command, *event;
} words[] = {
    [HOLD] = {"hold", "held"}, [RELEASE] = {"release", "released"}, [ACCEPT] = {"accept", "accepted"}};

#define DECIDE_MAX 64
#define SUMS_MAX   ((size_t)4096)

struct request {
	enum decision what;
	struct chosen chosen;
	const char *person, *reason; /* reason: or NULL */
	json_t *rows;
	size_t decided;
	int code;
};

#define NOTHING_TO_DECIDE 1

/* Is the decision one that can be made?  0; NOTHING_TO_DECIDE: it stands already, or is not called for. */
static int check_decision(
    const struct ledger_generation *g, enum decision what, const char *label, struct err *err)
{
	if (what == HOLD && g->held_ns)
		err_set(err, "E-HOLD-03", text("%s is held already: %s"), label, g->held_why);
	else if (what == RELEASE && !g->held_ns)
		err_set(err, "E-HOLD-04", text("%s is not held"), label);
	else if (what == ACCEPT && g->accepted_ns)
		err_set(err, "E-HOLD-05", text("%s was accepted already"), label);
	else if (what == ACCEPT && !g->suspect && g->verdict != LEDGER_PARTIAL)
		err_set(err, "E-HOLD-06",
		    text("%s is neither suspect nor partial: there is nothing to accept"), label);
	else
		return 0;
	return NOTHING_TO_DECIDE;
}

/* What the decision means. */
static void tell_meaning(
    const struct ledger *l, const struct chosen_item *it, enum decision what, const char *label)
{
	const struct ledger_generation *g = ledger_generation_of(l, it->dataset, it->number),
				       *frozen = ledger_frozen_by(l);
	char other[GENERATION_LABEL];

	if (what == HOLD)
		printf(text("%s is held: it does not expire until 'bkp release %s --operator NAME'\n"), label,
		    label);
	else if (what == RELEASE)
		printf(text("%s is not held any more\n"), label);
	else
		printf(text("%s is accepted: it counts like any other\n"), label);
	if (what == ACCEPT && g && g->guard.suspect)
		out_wrapped(stdout, 0, 0,
		    text("The guard has learned from it: for %d captures it compares with this one, too, and "
			 "what was accepted twice is ordinary. Files that are harmed never are."),
		    GUARD_HISTORY);
	if (what == ACCEPT && g && g->placed_wrong)
		out_wrapped(stdout, 0, 0, "%s",
		    text("Canaries that had changed are given up: make others with 'bkp guard canary add'."));
	if (g && g->suspect)
		printf("%s\n",
		    text("it stays suspect and counts neither for floors nor for the generations of 3-2-1"));
	if (frozen)
		printf(text("%s is suspect and nobody has decided on it: nothing expires, and it goes onto "
			    "no disk that "
			    "is kept offline\n"),
		    generation_label(frozen->dataset, frozen->number, other));
}

/* Was it typed?  What a script decides is recorded as such: it has not looked at any file. */
static bool was_typed(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/* What could not be done is recorded too: somebody tried. */
static int record_decision(const struct app *app, struct state *s, const struct request *q, const char *label,
    const struct err *err, int code)
{
	char line[sizeof(err->msg)];

	if (err->code[0])
		snprintf(line, sizeof(line), "%s", err->msg);
	else
		snprintf(line, sizeof(line),
		    q->what == HOLD	 ? text("%s is held, by %s")
		    : q->what == RELEASE ? text("%s is released, by %s")
					 : text("%s is accepted, by %s"),
		    label, q->person);
	return outcome_record(app, s, words[q->what].command, code, line);
}

static void decide_one(struct app *app, struct state *s, struct request *q, const struct chosen_item *it)
{
	const struct ledger_generation *g = ledger_generation_of(state_ledger(s), it->dataset, it->number);
	char label[GENERATION_LABEL];
	struct err err = ERR_INIT;
	int code = APP_OK, r;
	json_t *row;

	generation_label(it->dataset, it->number, label);
	r = check_decision(g, q->what, label, &err);
	if (r == NOTHING_TO_DECIDE && it->by_run && q->chosen.n > 1) {
		if (!app->quiet && !app->json)
			printf("%s\n", err.msg);
		return;
	}
	if (!r)
		r = state_append(s, words[q->what].event,
		    json_pack("{s:s, s:I, s:s, s:s*, s:b}", "dataset", it->dataset, "generation",
			(json_int_t)it->number, "operator", q->person, "reason", q->reason, "terminal",
			(int)was_typed()),
		    &err);
	row = json_pack("{s:s, s:I, s:s, s:s, s:s*}", "dataset", it->dataset, "generation",
	    (json_int_t)it->number, "event", words[q->what].event, "operator", q->person, "reason",
	    q->reason);
	if (r) {
		code = app_error(&err, APP_FAILED);
		json_object_del(row, "event");
		json_object_set_new(row, "error", json_string(err.code));
		json_object_set_new(row, "message", json_string(err.msg));
	} else if (!app->quiet && !app->json) {
		tell_meaning(state_ledger(s), it, q->what, label);
	}
	json_array_append_new(q->rows, row);
	q->decided += !r;
	code = record_decision(app, s, q, label, &err, code);
	q->code = code > q->code ? code : q->code;
}

/* None of what was named is there; or whole runs were, and nothing of them is to be decided.  That somebody tried is recorded. */
static void say_nothing(struct app *app, struct state *s, struct request *q)
{
	static const char *const codes[] = {
	    [HOLD] = "E-HOLD-03", [RELEASE] = "E-HOLD-04", [ACCEPT] = "E-HOLD-06"};
	struct err err = ERR_INIT;

	if (q->code > APP_ATTENTION) { /* it was said */
		q->code = outcome_record(
		    app, s, words[q->what].command, q->code, text("there is no such generation"));
		return;
	}
	err_set(&err, codes[q->what], "%s", text("there is nothing to decide about any of them"));
	err_hint(&err, "%s", text("see them with 'bkp generations'"));
	q->code = outcome_record(app, s, words[q->what].command, app_error(&err, APP_FAILED), err.msg);
}

static int decide(struct app *app, const struct policy *policy, struct request *q)
{
	struct state *state = NULL;
	int code = app_state(app, policy, &state);

	if (!code)
		code = chosen_find(state_ledger(state), false, &q->chosen);
	q->rows = json_array();
	q->code = code ? code : q->chosen.code;
	if (!code && q->chosen.code)
		q->code =
		    outcome_record(app, state, words[q->what].command, q->chosen.code, q->chosen.why.msg);
	for (size_t i = 0; i < q->chosen.n; i++)
		decide_one(app, state, q, &q->chosen.item[i]);
	if (state && !json_array_size(q->rows))
		say_nothing(app, state, q);
	if (app->json && state)
		q->code = out_json(json_pack("{s:O, s:o, s:s*, s:s*}", "decisions", q->rows, "frozen_by",
				       overview_generation_json(ledger_frozen_by(state_ledger(state))),
				       "error", q->chosen.code ? q->chosen.why.code : NULL, "message",
				       q->chosen.code ? q->chosen.why.msg : NULL),
		    q->code);
	json_decref(q->rows);
	state_close(state);
	return app_flush(q->code);
}

static int report_failure(const struct app *app, const struct err *err)
{
	if (app->json)
		(void)out_json(json_pack("{s:s, s:s}", "error", err->code, "message", err->msg), APP_FAILED);
	return app_error(err, APP_FAILED);
}

/* What stands now where the tools are that media carry. */
static int accept_tools(struct app *app, const struct policy *policy, const struct request *q)
{
	BUF_AUTO sums = BUF_INIT(SUMS_MAX);
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char folder[PATH_MAX];
	int code = app_state(app, policy, &s);

	if (code)
		return code;
	if (!tools_folder(folder))
		err_set(&err, "E-DOCS-03", "%s", text("there are no tools for media beside this program"));
	else if (!medium_docs_tools(folder, &sums, &err) && !buf_terminate(&sums, &err) &&
		 !state_append(s, "tools-accepted",
		     json_pack("{s:s, s:s, s:s, s:b}", "tools", (char *)sums.p, "operator", q->person,
			 "reason", q->reason, "terminal", (int)was_typed()),
		     &err) &&
		 !app->quiet)
		printf(text("these tools go onto the media from now on:\n%s"), (char *)sums.p);
	code = err.code[0] ? report_failure(app, &err) : APP_OK;
	code = outcome_record(
	    app, s, "accept", code, err.code[0] ? err.msg : text("changed tools for media are accepted"));
	state_close(s);
	return code;
}

/* That less is captured or guarded than before is right. */
static int accept_policy(struct app *app, const struct policy *policy, const struct request *q)
{
	struct state *s = NULL;
	struct err err = ERR_INIT;
	const char *first;
	int64_t since_ns;
	int code = app_state(app, policy, &s);

	if (code)
		return code;
	if (!ledger_narrowed(state_ledger(s), &first, &since_ns))
		err_set(
		    &err, "E-HOLD-07", "%s", text("nothing of the policy waits for somebody to accept it"));
	else if (state_append(s, "policy-accepted",
		     json_pack("{s:s, s:s, s:s, s:b}", "sha256", ledger_policy_sha256(state_ledger(s)),
			 "operator", q->person, "reason", q->reason, "terminal", (int)was_typed()),
		     &err) == 0 &&
		 !app->quiet)
		printf("%s\n", text("the policy is accepted as it is"));
	code = err.code[0] ? report_failure(app, &err) : APP_OK;
	code = outcome_record(
	    app, s, "accept", code, err.code[0] ? err.msg : text("the policy is accepted as it is"));
	state_close(s);
	return code;
}

static int decide_command(struct app *app, int argc, char **argv, enum decision what)
{
	enum { OPERATOR = 1, REASON, TOOLS, POLICY };
	static const struct option own[] = {{"operator", required_argument, NULL, OPERATOR},
	    {"reason", required_argument, NULL, REASON}, {"tools", no_argument, NULL, TOOLS},
	    {"policy-change", no_argument, NULL, POLICY}, {NULL, 0, NULL, 0}};
	struct request q = {.what = what};
	POLICY_AUTO policy = NULL;
	bool tools = false, whole = false;
	int c, n, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		if (c == OPERATOR)
			q.person = optarg;
		if (c == REASON)
			q.reason = optarg;
		tools |= c == TOOLS;
		whole |= c == POLICY;
	}
	n = argc - optind;
	if ((tools || whole) && (what != ACCEPT || n || (tools && whole)))
		return app_usage(app, "%s",
		    text("--tools and --policy-change go with 'accept', in the place of generations"));
	if (!tools && !whole && (!n || n > DECIDE_MAX))
		return app_usage(app, text("'%s' takes 1 to %d generations, as in 'bkp %s emr@42'"),
		    words[what].command, DECIDE_MAX, words[what].command);
	if (!q.reason && what != RELEASE)
		return app_usage(app, "%s", text("say why with --reason TEXT: it is recorded"));
	if (q.reason && (code = operator_text(app, "--reason", q.reason)))
		return code;
	app_act(app, words[what].command, "operator", q.person);
	code = chosen_parse(argv + optind, (size_t)n, false, &q.chosen);
	if (!code)
		code = app_policy(app, &policy);
	if (!code)
		code = operator_check(app, policy, q.person);
	if (!code)
		code = tools   ? accept_tools(app, policy, &q)
		       : whole ? accept_policy(app, policy, &q)
			       : decide(app, policy, &q);
	chosen_free(&q.chosen);
	return code;
}

int cmd_hold(struct app *app, int argc, char **argv)
{
	return decide_command(app, argc, argv, HOLD);
}

int cmd_release(struct app *app, int argc, char **argv)
{
	return decide_command(app, argc, argv, RELEASE);
}

int cmd_accept(struct app *app, int argc, char **argv)
{
	return decide_command(app, argc, argv, ACCEPT);
}
