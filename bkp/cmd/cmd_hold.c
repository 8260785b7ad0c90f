/* cmd_hold: bkp hold, bkp release, bkp accept: what a person decides about generations. */
#include <errno.h>
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
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/tools_folder.h"
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
	uint64_t number; /* the one being decided */
	uint64_t numbers[DECIDE_MAX];
	size_t n;
	const char *person, *reason; /* reason: or NULL */
};

/* A data set of it was captured and does not count by itself. */
static bool is_partial(const struct ledger_generation *g)
{
	for (size_t i = 0; i < g->n_datasets; i++)
		if (g->datasets[i].verdict == LEDGER_PARTIAL)
			return true;
	return false;
}

/* Is the decision one that can be made?  0, -1. */
static int check_decision(const struct ledger *l, const struct request *q, struct err *err)
{
	const struct ledger_generation *g = ledger_generation_by_number(l, q->number);

	if (!g) {
		err_set(err, "E-HOLD-01", text("there is no generation %ju"), q->number);
		return err_hint(err, "%s", text("see them with 'bkp generations'"));
	}
	if (g->state != LEDGER_COMMITTED) {
		err_set(err, "E-HOLD-02", text("generation %ju is not complete: there is nothing to decide"),
		    q->number);
		return err_hint(err, "%s", text("see 'bkp generations'"));
	}
	if (q->what == HOLD && g->held_ns)
		return err_set(
		    err, "E-HOLD-03", text("generation %ju is held already: %s"), q->number, g->held_why);
	if (q->what == RELEASE && !g->held_ns)
		return err_set(err, "E-HOLD-04", text("generation %ju is not held"), q->number);
	if (q->what != ACCEPT)
		return 0;
	if (g->accepted_ns)
		return err_set(err, "E-HOLD-05", text("generation %ju was accepted already"), q->number);
	if (g->suspect || is_partial(g))
		return 0;
	return err_set(err, "E-HOLD-06",
	    text("generation %ju is neither suspect nor partial: there is nothing to accept"), q->number);
}

/* What the decision means. */
static void tell_meaning(const struct app *app, const struct ledger *l, const struct request *q)
{
	const struct ledger_generation *g = ledger_generation_by_number(l, q->number),
				       *frozen = ledger_frozen_by(l);

	if (app->quiet)
		return;
	if (q->what == HOLD)
		printf(text("generation %ju is held: it does not expire until 'bkp release %ju --operator "
			    "NAME'\n"),
		    q->number, q->number);
	else if (q->what == RELEASE)
		printf(text("generation %ju is not held any more\n"), q->number);
	else
		printf(text("generation %ju is accepted: it counts like any other\n"), q->number);
	if (g && g->suspect)
		printf("%s\n",
		    text("it stays suspect and counts neither for floors nor for the generations of 3-2-1"));
	if (frozen)
		printf(text("generation %ju is suspect and nobody has decided on it: nothing expires, "
			    "nothing is rotated\n"),
		    frozen->number);
}

static int report_decision(const struct app *app, const struct ledger *l, const struct request *q)
{
	const struct ledger_generation *frozen = ledger_frozen_by(l);

	if (app->json)
		return out_json(
		    json_pack("{s:I, s:s, s:s, s:s*, s:o}", "generation", (json_int_t)q->number, "event",
			words[q->what].event, "operator", q->person, "reason", q->reason, "frozen_by",
			frozen ? json_integer((json_int_t)frozen->number) : json_null()),
		    APP_OK);
	tell_meaning(app, l, q);
	return app_flush(APP_OK);
}

static int report_failure(const struct app *app, const struct err *err)
{
	if (app->json)
		(void)out_json(json_pack("{s:s, s:s}", "error", err->code, "message", err->msg), APP_FAILED);
	return app_error(err, APP_FAILED);
}

/* What could not be done is recorded too: somebody tried. */
static int record_decision(
    const struct app *app, struct state *s, const struct request *q, const struct err *err, int code)
{
	char line[sizeof(err->msg)];

	if (code == APP_OK)
		snprintf(line, sizeof(line),
		    q->what == HOLD	 ? text("generation %ju is held, by %s")
		    : q->what == RELEASE ? text("generation %ju is released, by %s")
					 : text("generation %ju is accepted, by %s"),
		    q->number, q->person);
	else
		snprintf(line, sizeof(line), "%s", err->msg);
	return outcome_record(app, s, words[q->what].command, code, line);
}

/* Was it typed?  What a script decides is recorded as such: it has not looked at any file. */
static bool was_typed(void)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int decide_one(struct app *app, struct state *s, const struct request *q)
{
	struct err err = ERR_INIT;
	int code;

	if (check_decision(state_ledger(s), q, &err) ||
	    state_append(s, words[q->what].event,
		json_pack("{s:I, s:s, s:s*, s:b}", "generation", (json_int_t)q->number, "operator", q->person,
		    "reason", q->reason, "terminal", (int)was_typed()),
		&err))
		code = report_failure(app, &err);
	else
		code = report_decision(app, state_ledger(s), q);
	return record_decision(app, s, q, &err, code);
}

static int decide(struct app *app, const struct policy *policy, struct request *q)
{
	struct state *state = NULL;
	int code = app_state(app, policy, &state);

	if (code)
		return code;
	for (size_t i = 0; i < q->n && !code; i++) {
		q->number = q->numbers[i];
		code = decide_one(app, state, q);
	}
	state_close(state);
	return code;
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

/* A generation's number as it is typed: digits only. */
static int parse_number(const char *s, uint64_t *ret)
{
	char *end;

	errno = 0;
	*ret = strtoull(s, &end, 10);
	return *s < '0' || *s > '9' || *end || errno || !*ret || *ret > INT64_MAX ? -1 : 0;
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
	int c, code = APP_OK;

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
	q.n = (size_t)(argc - optind);
	if ((tools || whole) && (what != ACCEPT || q.n || (tools && whole)))
		return app_usage(
		    app, "%s", text("--tools and --policy-change go with 'accept', in the place of numbers"));
	if (!tools && !whole && (!q.n || q.n > (app->json ? 1 : DECIDE_MAX)))
		return app_usage(app, text("'%s' takes the numbers of 1 to %d generations"),
		    words[what].command, app->json ? 1 : DECIDE_MAX);
	for (size_t i = 0; i < q.n; i++)
		if (parse_number(argv[optind + (int)i], &q.numbers[i]))
			return app_usage(
			    app, text("'%s' is not the number of a generation"), argv[optind + (int)i]);
	if (!q.reason && what != RELEASE)
		return app_usage(app, "%s", text("say why with --reason TEXT: it is recorded"));
	if (q.reason && (code = operator_text(app, "--reason", q.reason)))
		return code;
	app_act(app, words[what].command, "operator", q.person);
	code = app_policy(app, &policy);
	if (!code)
		code = operator_check(app, policy, q.person);
	return code    ? code
	       : tools ? accept_tools(app, policy, &q)
	       : whole ? accept_policy(app, policy, &q)
		       : decide(app, policy, &q);
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
