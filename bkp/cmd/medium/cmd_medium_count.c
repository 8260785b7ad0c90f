/* cmd_medium_count: bkp medium count --place PLACE: a stock-take (棚卸): what the records say should be at a place, and what a person finds
 * there.
 *
 * Each difference is a record: what is here and was recorded elsewhere is moved (medium-moved, after it has been seen to be gone from where
 * it was connected); what should be here and is not becomes missing (media-counted), its copies count, its place does not. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/medium/cmd_medium.h"
#include "cmd/show/summary.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/state/state.h"

#define SHOW 256
#define LINE 4096

/* One row a medium of the ledger, by its index there, which a record does not change. */
struct count {
	struct state *s;
	const struct medium_request *q;
	struct row {
		bool expected, seen, moved;
	} * rows;
};

static const struct ledger_medium *medium_at(const struct count *c, size_t i)
{
	return ledger_medium(state_ledger(c->s), i);
}

static size_t n_media(const struct count *c)
{
	return ledger_media(state_ledger(c->s));
}

/* By the records it is there: not out, not lent, not given up.  One that was not found before is looked for again. */
static bool should_be_here(const struct count *c, const struct ledger_medium *m)
{
	return !m->retired_ns && !m->lost_ns && !m->lent && !strcmp(m->place, c->q->o[MEDIUM_PLACE]) &&
	       (m->missing_ns || !m->offline || (!m->attached && !m->unplaced && !*m->destination));
}

/* Is it recorded here as it is? */
static bool is_recorded_here(const struct count *c, const struct ledger_medium *m)
{
	return !strcmp(m->place, c->q->o[MEDIUM_PLACE]) && !m->unplaced && !*m->destination &&
	       !(m->offline && m->attached);
}

/* ---- what a person sees ---- */

static int see_name(struct count *c, const struct policy *policy, const char *name)
{
	const struct policy_medium *declared = policy_find_medium(policy, name);
	const struct ledger_medium *m =
	    ledger_medium_by_label(state_ledger(c->s), declared ? declared->name : name);

	if (!m)
		return cmd_medium_unknown(policy, state_ledger(c->s), name);
	for (size_t i = 0; i < n_media(c); i++)
		if (medium_at(c, i) == m)
			c->rows[i].seen = true;
	return APP_OK;
}

/* "RDX-01, RDX-02": nothing is recorded when one of them is none. */
static int see_names(struct count *c, const struct policy *policy, const char *list)
{
	char *names = strdup(list), *rest = names, *name;
	struct err err = ERR_INIT;
	int code = names ? APP_OK : app_error((err_nomem(&err), &err), APP_FAILED);

	while (!code && (name = strsep(&rest, ","))) {
		name += strspn(name, " ");
		name[strcspn(name, "\r\n")] = '\0';
		if (*name)
			code = see_name(c, policy, name);
	}
	free(names);
	return code;
}

/* 1: yes, 0: no, -1: the answers ended. */
static int ask_here(const struct ledger_medium *m)
{
	char answer[LINE], label[SHOW], serial[SHOW];

	for (;;) {
		printf(text("%s (serial number %s) is here? (yes/no) "),
		    path_show(m->label, label, sizeof(label)),
		    path_show(*ledger_medium_data(m, "serial") ? ledger_medium_data(m, "serial") : "-",
			serial, sizeof(serial)));
		fflush(stdout);
		if (!fgets(answer, sizeof(answer), stdin))
			return -1;
		answer[strcspn(answer, "\r\n")] = '\0';
		if (!strcmp(answer, "yes") || !strcmp(answer, "y") || !strcmp(answer, "はい"))
			return 1;
		if (!strcmp(answer, "no") || !strcmp(answer, "n") || !strcmp(answer, "いいえ"))
			return 0;
	}
}

static int tick(const struct app *app, struct count *c, const struct policy *policy)
{
	char line[LINE];

	for (size_t i = 0; i < n_media(c); i++) {
		const int here = c->rows[i].expected ? ask_here(medium_at(c, i)) : 0;

		if (here < 0)
			return app_usage(
			    app, "%s", text("the stock-take was broken off: nothing is recorded"));
		c->rows[i].seen = here;
	}
	printf("%s ", text("Other media that are here (names, with commas; Enter: none):"));
	fflush(stdout);
	return fgets(line, sizeof(line), stdin) ? see_names(c, policy, line) : APP_OK;
}

/* ---- records ---- */

/* What is here is recorded here; one that hangs on this computer cannot be here. */
static int move_seen(struct count *c, const struct policy *policy, struct err *err)
{
	for (size_t i = 0; i < n_media(c); i++) {
		const struct ledger_medium *m = medium_at(c, i);
		struct policy_medium declared;
		int code;

		if (!c->rows[i].seen || is_recorded_here(c, m))
			continue;
		declared = cmd_medium_declared(policy, m);
		code = declared.offline ? cmd_medium_gone(c->s, &declared) : APP_OK;
		if (code)
			return code;
		c->rows[i].moved = strcmp(m->place, c->q->o[MEDIUM_PLACE]) != 0;
		if (state_append(c->s, "medium-moved",
			json_pack("{s:s, s:s, s:s, s:s, s:b}", "medium", m->uuid, "operator",
			    c->q->o[MEDIUM_OPERATOR], "place", c->q->o[MEDIUM_PLACE], "from", m->place,
			    "detached", (int)declared.offline),
			err))
			return app_error(err, APP_FAILED);
	}
	return APP_OK;
}

/* Those that were seen, or that should have been. */
static json_t *list_json(const struct count *c, bool seen, bool uuids)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n_media(c); i++)
		if (seen ? c->rows[i].seen : c->rows[i].expected && !c->rows[i].seen)
			json_array_append_new(
			    list, json_string(uuids ? medium_at(c, i)->uuid : medium_at(c, i)->label));
	return list;
}

static int record_count(struct count *c, const struct policy *policy, struct err *err)
{
	int code = move_seen(c, policy, err);

	if (!code && state_append(c->s, "media-counted",
			 json_pack("{s:s, s:s, s:s*, s:o, s:o}", "place", c->q->o[MEDIUM_PLACE], "operator",
			     c->q->o[MEDIUM_OPERATOR], "witness", c->q->o[MEDIUM_WITNESS], "seen",
			     list_json(c, true, true), "missing", list_json(c, false, true)),
			 err))
		code = app_error(err, APP_FAILED);
	return code;
}

/* ---- what came of it ---- */

static int say_rows(const struct app *app, const struct count *c)
{
	char label[SHOW];

	for (size_t i = 0; i < n_media(c); i++) {
		const struct row *r = &c->rows[i];

		path_show(medium_at(c, i)->label, label, sizeof(label));
		if (r->expected && !r->seen)
			printf(text("%s: NOT FOUND: look for it; 'bkp medium found %s' or 'bkp medium lost "
				    "%s'\n"),
			    label, label, label);
		else if (r->moved)
			printf(text("%s: found here, though it was recorded elsewhere: corrected\n"), label);
		else if (r->seen && !app->quiet)
			printf(text("%s: is here\n"), label);
	}
	return APP_OK;
}

static int report_count(const struct app *app, const struct count *c, int code)
{
	json_t *moved;

	if (!app->json)
		return say_rows(app, c), app_flush(code);
	moved = json_array();
	for (size_t i = 0; i < n_media(c); i++)
		if (c->rows[i].moved)
			json_array_append_new(moved, json_string(medium_at(c, i)->label));
	return out_json(
	    json_pack("{s:s, s:o, s:o, s:o}", "place", c->q->o[MEDIUM_PLACE], "seen",
		list_json(c, true, false), "missing", list_json(c, false, false), "elsewhere", moved),
	    code);
}

static int no_such_place(const struct count *c, struct err *err)
{
	err_set(err, "E-MEDIA-25", text("no medium is recorded at '%s', and none was seen there"),
	    c->q->o[MEDIUM_PLACE]);
	err_hint(err, "%s", text("'bkp medium list' shows the places as they are recorded"));
	return app_error(err, APP_FAILED);
}

static int count_media(struct app *app, struct count *c, const struct policy *policy)
{
	const char *seen = c->q->o[MEDIUM_SEEN];
	char line[SUMMARY_LINE], place[SHOW];
	size_t expected = 0, missing = 0, moved = 0, here = 0;
	struct err err = ERR_INIT;
	int code;

	for (size_t i = 0; i < n_media(c); i++)
		expected += c->rows[i].expected = should_be_here(c, medium_at(c, i));
	code = seen ? see_names(c, policy, seen) : tick(app, c, policy);
	for (size_t i = 0; i < n_media(c); i++)
		here += c->rows[i].seen;
	if (!code)
		code = expected || here ? record_count(c, policy, &err) : no_such_place(c, &err);
	if (code == APP_USAGE)
		return code;
	for (size_t i = 0; i < n_media(c); i++) {
		missing += c->rows[i].expected && !c->rows[i].seen;
		moved += c->rows[i].moved;
	}
	if (!code && missing + moved)
		code = APP_ATTENTION;
	snprintf(line, sizeof(line),
	    code > APP_ATTENTION
		? text("the stock-take of '%s' could not be recorded")
		: text("stock-take of '%s': here %zu, not found %zu, recorded elsewhere %zu"),
	    path_show(c->q->o[MEDIUM_PLACE], place, sizeof(place)), here, missing, moved);
	code = outcome_record(app, c->s, "medium count", code, line);
	return code > APP_ATTENTION ? code : report_count(app, c, code);
}

int cmd_medium_count(struct app *app, const struct policy *policy, const struct medium_request *q)
{
	struct count c = {.q = q};
	struct err err = ERR_INIT;
	int code;

	app_act(app, "medium count", "operator", q->o[MEDIUM_OPERATOR]);
	code = cmd_medium_texts(app, policy, q);
	if (!code && !q->o[MEDIUM_SEEN] && (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO) || app->json))
		code = app_usage(app, "%s",
		    text("nobody is there to be asked what is in the safe: say it with --seen NAME,NAME"));
	if (!code)
		code = app_state(app, policy, &c.s);
	if (code)
		return code;
	c.rows = calloc(n_media(&c) + 1, sizeof(*c.rows));
	code = c.rows ? count_media(app, &c, policy) : app_error((err_nomem(&err), &err), APP_FAILED);
	free(c.rows);
	state_close(c.s);
	return code;
}
