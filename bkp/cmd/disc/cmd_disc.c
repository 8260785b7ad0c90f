/* cmd_disc: bkp disc write: generations onto an optical disc; see docs/man. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/chosen.h"
#include "cmd/app/operator.h"
#include "cmd/app/out.h"
#include "cmd/app/outcome.h"
#include "cmd/app/tools_folder.h"
#include "cmd/show/summary.h"
#include "format/config/config_value.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/disc/disc.h"
#include "write/state/state.h"

#define SHOW 256

/* What the smallest discs of a kind take (ECMA-130, DVD+R, BD-R as drives format them), bytes. */
static const struct {
	const char *word;
	uint64_t bytes;
} kinds[] = {{"cd", UINT64_C(360000) * DISC_BLOCK}, {"dvd", UINT64_C(2295104) * DISC_BLOCK},
    {"bd", UINT64_C(11826176) * DISC_BLOCK}, {"bd-dl", UINT64_C(23652352) * DISC_BLOCK}};

struct request {
	struct app *app;
	struct chosen chosen;
	struct out_progress progress;
	struct disc_config cfg;
};

/* A data set alone is its newest generation. */
static bool is_wanted(void *arg, const char *dataset, uint64_t number)
{
	const struct request *q = arg;
	const struct ledger_generation *newest = ledger_last_committed(state_ledger(q->cfg.state), dataset);

	for (size_t i = 0; i < q->chosen.n_asked; i++) {
		const struct chosen_asked *a = &q->chosen.asked[i];

		if (a->whole ? !strcmp(a->typed, dataset) && newest && newest->number == number
			     : a->number == number && (!*a->s.dataset || !strcmp(a->s.dataset, dataset)))
			return true;
	}
	return false;
}

static void on_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct request *q = arg;

	if (q->progress.pace.what != what || q->progress.pace.total != total) {
		out_progress_end(&q->progress);
		out_progress_begin(&q->progress, q->app, what, total);
	}
	out_progress_update(&q->progress, done, done);
}

/* ---- for people ---- */

static void show_items(const struct disc_result *r)
{
	char label[GENERATION_LABEL], time[CLOCK_TEXT], bytes[OUT_BYTES];

	for (size_t i = 0; i < r->n; i++) {
		const struct disc_item *t = &r->items[i];

		generation_label(t->dataset, t->number, label);
		clock_format_local(t->begun_ns, time);
		out_bytes(t->bytes, bytes);
		if (t->taken == t->archives)
			printf(text("  %s  %s  %s\n"), label, time, bytes);
		else
			printf(text("  %s  %s  %s: a part, archives %ju to %ju of %ju\n"), label, time, bytes,
			    t->first + 1, t->first + t->taken, t->archives);
	}
}

/* Before the first byte. */
static void on_planned(void *arg, const struct disc_result *r)
{
	const struct request *q = arg;
	char bytes[OUT_BYTES], capacity[OUT_BYTES];

	if (q->app->quiet || q->app->json)
		return;
	printf(text("disc '%s', the next of %ju that are to be written: %s of %s, about %u min with reading "
		    "back\n"),
	    r->label, r->of, out_bytes(r->bytes, bytes), out_bytes(r->capacity, capacity), r->minutes);
	show_items(r);
	fflush(stdout);
}

static void show_result(const struct request *q, const struct disc_result *r)
{
	char place[SHOW], who[SHOW], drive[SHOW];

	path_word(q->cfg.operator, who, sizeof(who));
	path_word(q->cfg.drive, drive, sizeof(drive));
	path_show(r->place, place, sizeof(place));
	printf(text("written, and every byte read back and compared: %ju bytes, SHA-256 %s\n"), r->bytes,
	    r->sha256);
	printf("%s\n", text("write on the disc, with a pen made for discs:"));
	printf("  %s\n", r->label);
	show_items(r);
	if (r->left)
		out_wrapped(stdout, 0, 0,
		    text("%ju more to write: put in the next blank disc and run the same command again"),
		    r->left);
	out_wrapped(stdout, 0, 0,
	    text("take '%s' out, into its case, to '%s', then record it with 'bkp medium move %s --operator "
		 "%s'"),
	    r->label, place, r->label, who);
}

static json_t *items_json(const struct disc_result *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->n; i++) {
		const struct disc_item *t = &r->items[i];

		json_array_append_new(list,
		    json_pack("{s:s, s:I, s:I, s:I, s:I, s:I}", "dataset", t->dataset, "generation",
			(json_int_t)t->number, "bytes", (json_int_t)t->bytes, "first", (json_int_t)t->first,
			"archives", (json_int_t)t->taken, "of", (json_int_t)t->archives));
	}
	return list;
}

static int show_json(const struct disc_result *r, int code)
{
	return out_json(
	    json_pack("{s:s, s:o, s:I, s:I, s:I, s:b, s:s, s:I, s:s}", "disc", r->label, "generations",
		items_json(r), "bytes", (json_int_t)r->bytes, "capacity", (json_int_t)r->capacity, "minutes",
		(json_int_t)r->minutes, "verified", (int)r->verified, "sha256", r->sha256, "left",
		(json_int_t)r->left, "place", r->place),
	    code);
}

/* ---- the command ---- */

static int write_disc(struct request *q)
{
	struct app *app = q->app;
	char line[SUMMARY_LINE], tools[PATH_MAX];
	struct err err = ERR_INIT;
	struct disc_result r;
	int code = APP_OK;

	q->cfg.docs = tools_sources(tools);
	q->cfg.wanted = q->chosen.n_asked ? is_wanted : NULL;
	q->cfg.planned = on_planned;
	q->cfg.progress = on_progress;
	q->cfg.arg = q;
	out_progress_begin(&q->progress, app, "", 0);
	if (disc_run(&q->cfg, &r, &err))
		code = err.kind == ERR_USAGE ? APP_USAGE : APP_FAILED;
	out_progress_end(&q->progress);
	if (code)
		app_error(&err, code);
	else if (r.docs_why.code[0])
		app_error(&r.docs_why, code = APP_ATTENTION);
	if (!code || code == APP_ATTENTION)
		code = q->chosen.code > code ? q->chosen.code : code;
	if (app->json && r.n)
		code = show_json(&r, code);
	else if (!app->quiet && r.verified)
		show_result(q, &r);
	if (code == APP_FAILED && !r.verified)
		summary_failure(&err, line);
	else
		snprintf(line, sizeof(line), text("disc '%s' is written and read back; %ju more to write"),
		    r.label, r.left);
	disc_result_free(&r);
	/* what was typed wrong, and what was only planned, has changed nothing */
	if (code != APP_USAGE && !q->cfg.dry_run)
		code = outcome_record(app, q->cfg.state, "disc write", code, line);
	return app_flush(code);
}

static int write_with(struct request *q, char **words, size_t n)
{
	POLICY_AUTO policy = NULL;
	int code = chosen_parse(words, n, true, &q->chosen);

	if (!code)
		code = app_policy(q->app, &policy);
	app_act(q->app, "disc write", "operator", q->cfg.operator);
	if (!code)
		code = operator_check(q->app, policy, q->cfg.operator);
	if (!code && q->cfg.place)
		code = operator_text(q->app, "--place", q->cfg.place);
	if (!code)
		code = app_state(q->app, policy, &q->cfg.state);
	if (!code)
		code = chosen_find(state_ledger(q->cfg.state), false, &q->chosen);
	if (!code)
		chosen_resolve(state_ledger(q->cfg.state), &q->chosen);
	q->cfg.policy = policy;
	if (!code)
		code = write_disc(q);
	chosen_free(&q->chosen);
	state_close(q->cfg.state);
	return code;
}

static int parse_disc(const char *s, uint64_t *ret)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(kinds[i].word, s)) {
			*ret = kinds[i].bytes;
			return 0;
		}
	return config_value_size(s, ret) == CONFIG_VALUE_GOOD && *ret ? 0 : -1;
}

int cmd_disc(struct app *app, int argc, char **argv)
{
	enum { TO = 1, SERIES, DISC, OPERATOR, PLACE, AGAIN, DRY_RUN };
	static const struct option own[] = {{"to", required_argument, NULL, TO},
	    {"series", required_argument, NULL, SERIES}, {"disc", required_argument, NULL, DISC},
	    {"operator", required_argument, NULL, OPERATOR}, {"place", required_argument, NULL, PLACE},
	    {"again", no_argument, NULL, AGAIN}, {"dry-run", no_argument, NULL, DRY_RUN}, {NULL, 0, NULL, 0}};
	struct request q = {.app = app};
	int c, code = APP_OK;

	while ((c = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (c == APP_OPT_STOP)
			return code;
		if (c == DISC && parse_disc(optarg, &q.cfg.capacity))
			return app_usage(app,
			    text("'%s' is neither 'cd', 'dvd', 'bd', 'bd-dl' nor a size, as in '23 GiB'"),
			    optarg);
		q.cfg.again |= c == AGAIN;
		q.cfg.dry_run |= c == DRY_RUN;
		if (c == TO || c == SERIES || c == OPERATOR || c == PLACE)
			*(c == TO	  ? &q.cfg.drive
			    : c == SERIES ? &q.cfg.series
			    : c == PLACE  ? &q.cfg.place
					  : &q.cfg.operator) = optarg;
	}
	if (optind >= argc || strcmp(argv[optind], "write") != 0)
		return app_usage(app, "%s", text("'disc' is followed by 'write'"));
	if (!q.cfg.drive)
		return app_usage(app, "%s",
		    text("--to DRIVE is missing: the drive with a blank disc, as in --to /dev/sr0"));
	return write_with(&q, argv + optind + 1, (size_t)(argc - optind - 1));
}
