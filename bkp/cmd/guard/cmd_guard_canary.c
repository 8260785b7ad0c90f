/* cmd_guard_canary: bkp guard canary add | list | remove: files that nobody changes, made among a data set's own.
 *
 * Somebody's programs may read those folders: what would be made is listed first, and made only when a person agrees. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/picked.h"
#include "cmd/guard/cmd_guard.h"
#include "cmd/show/summary.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/canary/canary.h"
#include "write/canary/canary_site.h"
#include "write/state/state.h"

#define SHOW   1024
#define ANSWER 32

/* ---- list ---- */

struct listing {
	struct app *app;
	const struct ledger *l;
	int statefd;
	struct table *table;
	json_t *json;
	size_t n;
	int code;
};

/* How a canary is now. */
static const char *state_of(const struct ledger_placed *p, const struct canary *c)
{
	char is[DIGEST_HEX];

	if (ledger_placed_given_up(p, c->number))
		return TEXT_LATER("given up");
	if (canary_hash(c->path, is))
		return TEXT_LATER("not readable");
	return !*is		       ? TEXT_LATER("gone")
	       : strcmp(is, c->sha256) ? TEXT_LATER("changed")
				       : TEXT_LATER("as made");
}

static void list_one(struct listing *s, const char *dataset, const struct canary *c)
{
	const char *state = state_of(ledger_placed(s->l, dataset), c);
	char show[SHOW];

	if (strcmp(state, "as made") != 0 && strcmp(state, "given up") != 0)
		s->code = s->code ? s->code : APP_ATTENTION;
	path_show(c->path, show, sizeof(show));
	s->n++;
	if (s->json) {
		json_array_append_new(
		    s->json, json_pack("{s:s, s:I, s:s, s:s, s:s}", "dataset", dataset, "number",
				 (json_int_t)c->number, "state", state, "sha256", c->sha256, "path", show));
		return;
	}
	table_cell(s->table, "%s", dataset);
	table_cell(s->table, "%" PRIu64, c->number);
	table_cell(s->table, "%s", text(state));
	table_cell(s->table, "%s", show);
}

static void list_set(struct listing *s, const char *dataset)
{
	struct canary_list list;
	struct err err = ERR_INIT;
	int r = canary_read(s->statefd, s->l, dataset, &list, &err);

	if (r == CANARY_NONE)
		return;
	if (r) {
		s->code = app_error(&err, APP_FAILED);
		return;
	}
	for (size_t i = 0; i < list.n; i++)
		list_one(s, dataset, &list.all[i]);
	canary_list_free(&list);
}

static int list(struct app *app, const struct policy *policy, const bool *picked)
{
	static const char *const heads[] = {
	    TEXT_LATER("DATA SET"), TEXT_LATER("NO."), TEXT_LATER("STATE"), TEXT_LATER("FILE")};
	struct listing s = {.app = app, .statefd = -1};
	struct ledger *l = NULL;
	struct err err = ERR_INIT;
	int code = app_ledger(app, policy, &l);

	if (code)
		return code;
	s.l = l;
	s.statefd = io_open_dir(AT_FDCWD, policy->state, &err);
	s.json = app->json ? json_array() : NULL;
	s.table = app->json ? NULL : table_headed(heads, 4);
	if (s.statefd < 0)
		s.code = app_error(&err, APP_UNKNOWN);
	for (size_t i = 0; i < policy->n_datasets && s.statefd >= 0; i++)
		if (picked[i])
			list_set(&s, policy->datasets[i].name);
	if (s.statefd >= 0)
		close(s.statefd);
	if (!s.code && !app->json && !s.n)
		printf("%s\n", text("there are no canaries that bkp made"));
	ledger_free(l);
	if (app->json)
		return out_json(json_pack("{s:o}", "canaries", s.json), s.code);
	if (s.n)
		return out_table(s.table, 0, s.code);
	table_free(s.table);
	return app_flush(s.code);
}

/* ---- add ---- */

/* What is to be made in one data set. */
struct wanted {
	const struct policy_dataset *dataset;
	struct canary_site *sites;
	size_t n, parts;
};

/* By lot, and by a lot that nobody knows who has not the state folder. */
static void seed_of(const struct state *s, const struct policy_dataset *d, uint8_t out[CANARY_SEED])
{
	const struct ledger_placed *p = ledger_placed(state_ledger(s), d->name);
	char what[GENERATION_NAME + 64];

	snprintf(what, sizeof(what), "bkp:1 canaries %s %ju", d->name, p ? (uintmax_t)p->last : 0);
	crypto_generichash(
	    out, CANARY_SEED, (const uint8_t *)what, strlen(what), state_chunk_id_key(s), STATE_KEY);
}

static int find_sites(
    const struct state *s, const struct guard_request *q, size_t count, struct wanted *w, struct err *err)
{
	const struct ledger_placed *p = ledger_placed(state_ledger(s), w->dataset->name);
	size_t room = LEDGER_PLACED_MAX - (p ? p->n : 0);
	struct canary_question ask = {.dataset = w->dataset,
	    .exclude = q->exclude,
	    .n_exclude = q->n_exclude,
	    .most = count < room ? count : room,
	    .scratch_dir = state_dirfd(s)};

	if (!room)
		return 0;
	seed_of(s, w->dataset, ask.seed);
	return canary_sites(&ask, &w->sites, &w->n, &w->parts, err);
}

static json_t *wanted_json(const struct wanted *w, size_t n)
{
	json_t *all = json_array();
	char show[SHOW];

	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < w[i].n; k++)
			json_array_append_new(
			    all, json_pack("{s:s, s:s}", "dataset", w[i].dataset->name, "path",
				     path_show(w[i].sites[k].path, show, sizeof(show))));
	return all;
}

static void show_wanted(const struct wanted *w, size_t n)
{
	char show[SHOW];

	for (size_t i = 0; i < n; i++) {
		printf(text("%s: %zu canaries in %zu parts of 20 files or more\n"), w[i].dataset->name,
		    w[i].n, w[i].parts);
		for (size_t k = 0; k < w[i].n; k++)
			printf("  %s\n", path_show(w[i].sites[k].path, show, sizeof(show)));
	}
	out_wrapped(stdout, 0, 0, "%s",
	    text(
		"A program that reads these folders will find them. Never among what is indexed by what lies "
		"there: a DICOM archive's, SS-MIX2, a database's files (--exclude PATH)."));
}

/* -1: nobody is there to ask. */
static int ask(void)
{
	char answer[ANSWER];

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return -1;
	printf("%s ", text("Make these files? (yes/no)"));
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin))
		return 0;
	answer[strcspn(answer, "\r\n")] = '\0';
	return !strcmp(answer, "yes") || !strcmp(answer, "y") || !strcmp(answer, "はい");
}

static int make_all(
    struct app *app, struct state *s, const struct guard_request *q, const struct wanted *w, size_t n)
{
	struct err err = ERR_INIT;
	char line[SUMMARY_LINE];
	size_t made = 0;
	int r = 0, code = APP_OK;

	for (size_t i = 0; i < n && !r; i++) {
		r = w[i].n ? canary_place(s, w[i].dataset->name, w[i].sites, w[i].n, q->operator, & err) : 0;
		made += r ? 0 : w[i].n;
	}
	if (r)
		code = app_error(&err, APP_FAILED);
	snprintf(line, sizeof(line), text("%zu canaries were made, by %s"), made, q->operator);
	if (!app->quiet && !app->json)
		puts(line);
	/* not why: a folder may be called by a patient */
	code = outcome_record(app, s, "guard canary", code, r ? text("canaries could not be made") : line);
	return app->json ? out_json(json_pack("{s:I, s:o}", "made", (json_int_t)made, "canaries",
					wanted_json(w, n)),
			       code)
			 : app_flush(code);
}

static int add_agreed(
    struct app *app, struct state *s, const struct guard_request *q, const struct wanted *w, size_t n)
{
	struct err err = ERR_INIT;
	size_t all = 0;
	int yes;

	for (size_t i = 0; i < n; i++)
		all += w[i].n;
	if (!app->json && (!app->quiet || !(q->given & GUARD_YES)))
		show_wanted(w, n);
	if (!all) {
		err_set(&err, "W-GUARD-03", "%s", text("there is no place for a canary"));
		err_hint(&err, "%s",
		    text("a part of 20 files or more is needed, and a kind that can be made: txt, csv, hl7, "
			 "pdf, "
			 "jpg, dcm, docx; 64 of a data set at most"));
		return app_error(&err, APP_ATTENTION);
	}
	if (q->given & GUARD_DRY_RUN)
		return app->json ? out_json(json_pack("{s:I, s:o}", "made", (json_int_t)0, "canaries",
						wanted_json(w, n)),
				       APP_OK)
				 : app_flush(APP_OK);
	yes = q->given & GUARD_YES ? 1 : app->json ? -1 : ask();
	if (yes < 0)
		return app_usage(app, "%s", text("nothing was made: read which, then say --yes"));
	if (!yes) {
		printf("%s\n", text("nothing was made"));
		return app_flush(APP_OK);
	}
	return make_all(app, s, q, w, n);
}

static int add(
    struct app *app, const struct policy *policy, const struct guard_request *q, const bool *picked)
{
	struct wanted *w = calloc(policy->n_datasets, sizeof(*w));
	size_t n = 0, count = LEDGER_PLACED_MAX;
	struct state *s = NULL;
	struct err err = ERR_INIT;
	char *end = NULL;
	int code = APP_OK;

	if (q->count) {
		count = strtoul(q->count, &end, 10);
		if (*end || !count || count > LEDGER_PLACED_MAX || *q->count == '-')
			code = app_usage(app, text("--count takes 1 to %d"), LEDGER_PLACED_MAX);
	}
	if (!code && q->count && q->given & GUARD_PER_FOLDER)
		code = app_usage(app, "%s", text("one of --per-folder and --count"));
	if (!code && !(q->given & GUARD_DRY_RUN))
		code = operator_check(app, policy, q->operator);
	if (!code)
		code = w ? app_state(app, policy, &s) : APP_FAILED;
	for (size_t i = 0; i < policy->n_datasets && !code; i++) {
		if (!picked[i] || !policy->datasets[i].n_paths || !policy->datasets[i].guard)
			continue;
		w[n].dataset = &policy->datasets[i];
		code = find_sites(s, q, count, &w[n], &err) ? app_error(&err, APP_FAILED) : APP_OK;
		n++;
	}
	if (!code)
		code = add_agreed(app, s, q, w, n);
	for (size_t i = 0; i < n; i++)
		canary_sites_free(w[i].sites, w[i].n);
	free(w);
	state_close(s);
	return code;
}

/* ---- remove ---- */

static int remove_set(
    const struct app *app, struct state *s, const char *dataset, const char *person, size_t *removed)
{
	const struct ledger_placed *p = ledger_placed(state_ledger(s), dataset);
	struct canary_list list = {NULL, 0};
	struct err err = ERR_INIT;
	char show[SHOW], is[DIGEST_HEX];
	int r, code = APP_OK;

	if (!p || !p->n)
		return APP_OK;
	r = canary_read(state_dirfd(s), state_ledger(s), dataset, &list, &err);
	if (r) {
		code = app_error(&err, APP_ATTENTION);
		for (size_t i = 0; i < p->n && !app->json; i++)
			printf(text("  left where it is, a file with the SHA-256 %s\n"), p->all[i].sha256);
	}
	err = (struct err)ERR_INIT;
	*removed += list.n;
	if (canary_remove(s, dataset, person, &err))
		code = app_error(&err, APP_FAILED);
	for (size_t i = 0; i < list.n && code != APP_FAILED; i++) {
		if (!canary_hash(list.all[i].path, is) && !*is)
			continue;
		(*removed)--;
		code = APP_ATTENTION;
		err_set(&err, "W-GUARD-04",
		    text("'%s' is left where it is: somebody has changed it, or it cannot be removed"),
		    path_show(list.all[i].path, show, sizeof(show)));
		err_hint(&err, "%s", text("look at it; it is no canary any more"));
		app_error(&err, code);
	}
	canary_list_free(&list);
	return code;
}

static int remove_all(
    struct app *app, const struct policy *policy, const struct guard_request *q, const bool *picked)
{
	struct state *s = NULL;
	char line[SUMMARY_LINE];
	size_t removed = 0;
	int code = operator_check(app, policy, q->operator);

	if (code || (code = app_state(app, policy, &s)))
		return code;
	for (size_t i = 0; i < policy->n_datasets; i++)
		if (picked[i]) {
			int one = remove_set(app, s, policy->datasets[i].name, q->operator, & removed);

			code = one > code ? one : code;
		}
	snprintf(line, sizeof(line), text("%zu canaries were removed, by %s"), removed, q->operator);
	if (!app->quiet && !app->json)
		puts(line);
	code = outcome_record(app, s, "guard canary", code, line);
	state_close(s);
	return app->json ? out_json(json_pack("{s:I}", "removed", (json_int_t)removed), code)
			 : app_flush(code);
}

int cmd_guard_canary(struct app *app, const struct policy *policy, const struct guard_request *q)
{
	const char *what = q->words[0];
	bool is_list = !strcmp(what, "list"), is_remove = !strcmp(what, "remove"), *picked;
	int code;

	if ((!is_list && !is_remove && strcmp(what, "add") != 0) ||
	    ((is_list || is_remove) &&
		q->given & (GUARD_PER_FOLDER | GUARD_COUNT | GUARD_EXCLUDE | GUARD_DRY_RUN | GUARD_YES)) ||
	    (is_list && q->given & GUARD_OPERATOR))
		return app_usage(app, "%s",
		    text("one of: guard canary list, guard canary add, guard canary remove; --help says with "
			 "what"));
	app_act(app, "guard canary", "operator", q->operator);
	code = picked_datasets(app, policy, q->datasets, &picked);
	if (code)
		return code;
	code = is_list	   ? list(app, policy, picked)
	       : is_remove ? remove_all(app, policy, q, picked)
			   : add(app, policy, q, picked);
	free(picked);
	return code;
}
