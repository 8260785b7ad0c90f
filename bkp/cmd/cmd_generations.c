/* cmd_generations: bkp generations [DATASET | GENERATION…]: what was captured, when, how well, and where it is.
 *
 * A row for each data set of each run, also for one that was to be captured and was not: nothing looks complete that is not.
 * Without words the newest RUNS runs are shown; to programs, all of them. */
#include <inttypes.h>
#include <stdio.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/chosen.h"
#include "cmd/app/out.h"
#include "cmd/show/overview.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define RUNS	 10
#define SHOW	 512
#define CELL_MAX ((size_t)1 << 16)

struct request {
	const struct ledger *l;
	const struct ledger_medium *m; /* only what is there; or NULL */
	struct chosen chosen;
	uint64_t from; /* the first run that is shown */
};

static bool is_wanted(struct request *q, const struct ledger_generation *g)
{
	const struct ledger_copy *c = q->m ? ledger_copy_in(g, q->m->uuid) : NULL;

	return chosen_fits(&q->chosen, g->dataset, g->number) && g->number >= q->from &&
	       (!q->m || (c && c->ok));
}

/* ---- for people ---- */

static const char *state_text(const struct ledger_generation *g)
{
	switch (g->state) {
	case LEDGER_COMMITTED:
		return g->verdict == LEDGER_PARTIAL ? text("partial") : text("good");
	case LEDGER_GEN_FAILED:
		return text("failed");
	case LEDGER_EXPIRED:
		return text("expired");
	case LEDGER_ABANDONED:
		return text("abandoned");
	default:
		return text("begun");
	}
}

/* "good, suspect, held" */
static void state_cell(struct table *t, const struct ledger_generation *g)
{
	const char *comma = text(", ");

	table_cell(t, "%s%s%s%s%s%s%s", state_text(g), g->suspect ? comma : "",
	    g->suspect ? text("suspect") : "", g->accepted_ns ? comma : "",
	    g->accepted_ns ? text("accepted") : "", g->held_ns ? comma : "", g->held_ns ? text("held") : "");
}

/* "nas, usb, RDX-01 (damaged)": without a word where it was read back and equal. */
static int put_media(const struct ledger_generation *g, struct buf *b, struct err *err)
{
	char show[SHOW];

	for (size_t i = 0; i < g->n_copies; i++) {
		const struct ledger_copy *c = &g->copies[i];
		const char *how = c->expired_ns	   ? text(" (expired)")
				  : !c->ok	   ? text(" (failed)")
				  : c->damaged_ns  ? text(" (damaged)")
				  : c->verified_ns ? ""
						   : text(" (not read back)");

		if (buf_printf(b, err, "%s%s%s", i ? ", " : "", path_show(c->label, show, sizeof(show)), how))
			return -1;
	}
	return 0;
}

/* What a person should know of it beside. */
static int put_why(const struct ledger *l, const struct ledger_generation *g, struct buf *b, struct err *err)
{
	const struct ledger_generation *o = NULL;
	const char *apart = b->n ? "; " : "", *why = g->reason;
	char show[SHOW];

	if (g->state == LEDGER_GEN_FAILED && !*why)
		why = text("no reason is on record");
	if (*why && buf_printf(b, err, "%s%s", apart, path_show(why, show, sizeof(show))))
		return -1;
	apart = b->n ? "; " : "";
	if (g->verdict == LEDGER_PARTIAL && (g->unreadable || g->changed) &&
	    buf_printf(
		b, err, text("%s%ju unreadable, %ju changed while read"), apart, g->unreadable, g->changed))
		return -1;
	apart = b->n ? "; " : "";
	if (g->suspicion && *g->suspicion &&
	    buf_printf(b, err, "%s%s", apart, path_show(g->suspicion, show, sizeof(show))))
		return -1;
	apart = b->n ? "; " : "";
	if (*g->notice &&
	    buf_printf(b, err, text("%snotice: %s"), apart, path_show(g->notice, show, sizeof(show))))
		return -1;
	apart = b->n ? "; " : "";
	while (g->state == LEDGER_COMMITTED && (o = ledger_companion(l, g, o)))
		if ((o->state != LEDGER_COMMITTED || !ledger_good(o) || o->suspect) &&
		    buf_printf(b, err, text("%sdoes not count without that of %s"), apart, o->dataset))
			return -1;
	apart = b->n ? "; " : "";
	return g->held_ns && g->held_why && *g->held_why
		   ? buf_printf(b, err, text("%sheld: %s"), apart, path_show(g->held_why, show, sizeof(show)))
		   : 0;
}

/* first: of its run that is shown, which says when that was begun. */
static int generation_row(
    struct table *t, const struct ledger *l, const struct ledger_generation *g, bool first, struct err *err)
{
	BUF_AUTO b = BUF_INIT(CELL_MAX);
	char label[GENERATION_LABEL], time[CLOCK_TEXT], size[OUT_BYTES];

	if (put_media(g, &b, err) || put_why(l, g, &b, err) || buf_terminate(&b, err))
		return -1;
	table_cell(t, "%s", generation_label(g->dataset, g->number, label));
	table_cell(t, "%s", first ? clock_format_local(g->begun_ns, time) : "");
	state_cell(t, g);
	table_cell(t, "%s",
	    g->verdict == LEDGER_GOOD || g->verdict == LEDGER_PARTIAL ? out_bytes(g->bytes, size) : "-");
	table_cell(t, "%s", b.n ? (char *)b.p : "-");
	return 0;
}

static int show_table(struct request *q)
{
	static const char *const heads[] = {TEXT_LATER("GENERATION"), TEXT_LATER("BEGUN"),
	    TEXT_LATER("STATE"), TEXT_LATER("SIZE"), TEXT_LATER("MEDIA, WHAT IS MISSING")};
	struct table *t = table_headed(heads, 5);
	struct err err = ERR_INIT;
	uint64_t run = 0, earlier = 0, last = 0;
	bool shown = false;

	for (size_t i = 0; t && i < ledger_generations(q->l); i++) {
		const struct ledger_generation *g = ledger_generation(q->l, i);

		earlier += g->number < q->from && g->number != last;
		last = g->number;
		if (!is_wanted(q, g))
			continue;
		shown = true;
		if (generation_row(t, q->l, g, g->number != run, &err)) {
			table_free(t);
			return app_error(&err, APP_FAILED);
		}
		run = g->number;
	}
	if (!shown) {
		table_free(t);
		printf("%s\n", text("there is no generation yet"));
		return app_flush(APP_OK);
	}
	if (earlier)
		printf(
		    text("the newest %d runs; %ju earlier ones: 'bkp generations --all'\n\n"), RUNS, earlier);
	return out_table(t, 0, APP_OK);
}

/* ---- for programs ---- */

static json_t *media_json(const struct ledger_generation *g)
{
	json_t *media = json_array();

	for (size_t i = 0; i < g->n_copies; i++) {
		const struct ledger_copy *c = &g->copies[i];

		json_array_append_new(
		    media, json_pack("{s:s, s:s, s:b, s:b, s:s, s:o, s:o, s:o, s:o}", "medium", c->medium,
			       "label", c->label, "ok", (int)c->ok, "frozen", (int)c->frozen, "reason",
			       c->reason, "verified", overview_time_json(c->verified_ns), "copied",
			       overview_time_json(c->copied_ns), "damaged", overview_time_json(c->damaged_ns),
			       "expired", overview_time_json(c->expired_ns)));
	}
	return media;
}

static json_t *generation_json(const struct ledger_generation *g)
{
	json_t *o = json_pack("{s:s, s:I, s:s, s:s, s:s, s:o, s:o, s:s, s:s}", "dataset", g->dataset,
	    "generation", (json_int_t)g->number, "uuid", g->uuid, "state", ledger_state_word(g->state),
	    "verdict", ledger_verdict_word(g->verdict), "begun", overview_time_json(g->begun_ns), "ended",
	    overview_time_json(g->ended_ns), "reason", g->reason, "manifest_sha256", g->manifest_sha256);

	if (!o ||
	    json_object_update_new(
		o, json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "entries",
		       (json_int_t)g->entries, "files", (json_int_t)g->files, "bytes", (json_int_t)g->bytes,
		       "unreadable", (json_int_t)g->unreadable, "changed", (json_int_t)g->changed, "skipped",
		       (json_int_t)g->skipped, "archives", (json_int_t)g->archives, "archive_bytes",
		       (json_int_t)g->archive_bytes, "new_bytes", (json_int_t)g->new_bytes)) ||
	    json_object_update_new(
		o, json_pack("{s:b, s:s, s:s, s:o, s:o, s:s, s:o}", "suspect", (int)g->suspect, "suspicion",
		       g->suspicion ? g->suspicion : "", "notice", g->notice, "accepted",
		       overview_time_json(g->accepted_ns), "held", overview_time_json(g->held_ns), "held_why",
		       g->held_why ? g->held_why : "", "media", media_json(g)))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

static int show_json(struct request *q)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ledger_generations(q->l); i++)
		if (is_wanted(q, ledger_generation(q->l, i)))
			json_array_append_new(list, generation_json(ledger_generation(q->l, i)));
	return out_json(
	    json_pack("{s:s, s:o}", "repository", ledger_repository(q->l), "generations", list), APP_OK);
}

/* ---- what was asked for ---- */

/* The number of the RUNS-th run from the end, 0 when there are no more than that. */
static uint64_t newest_runs(const struct ledger *l)
{
	uint64_t last = 0;
	unsigned runs = 0;

	for (size_t i = ledger_generations(l); i--;) {
		uint64_t number = ledger_generation(l, i)->number;

		if (number == last)
			continue;
		if (runs++ == RUNS)
			return last;
		last = number;
	}
	return 0;
}

static int find_medium(const char *name, struct request *q)
{
	struct err err = ERR_INIT;

	if (!name)
		return APP_OK;
	q->m = ledger_medium_by_label(q->l, name);
	q->m = q->m ? q->m : ledger_medium_by_uuid(q->l, name);
	if (q->m)
		return APP_OK;
	err_set(&err, "E-MEDIA-14", text("medium '%s' is not registered"), name);
	err_hint(&err, "%s", text("see them with 'bkp medium list'"));
	return app_error(&err, APP_FAILED);
}

/* Is each word one of which there is something? */
static int check_words(const struct app *app, const struct policy *policy, struct request *q)
{
	struct err err = ERR_INIT;
	char show[SHOW];

	chosen_resolve(q->l, &q->chosen);
	for (size_t i = 0; i < ledger_generations(q->l); i++) {
		const struct ledger_generation *g = ledger_generation(q->l, i);

		(void)chosen_fits(&q->chosen, g->dataset, g->number);
	}
	for (size_t i = 0; i < q->chosen.n_asked; i++) {
		const struct chosen_asked *a = &q->chosen.asked[i];

		if (a->found || (a->whole && policy_find_dataset(policy, a->typed)))
			continue;
		path_show(a->typed, show, sizeof(show));
		if (a->whole)
			return app_unknown(app, policy_suggest_dataset(policy, a->typed),
			    text("'%s' is not a data set of the policy, and there is no generation of it"),
			    show);
		err_set(&err, "E-SELECT-03", text("there is no generation %s"), show);
		err_hint(&err, "%s", text("see them with 'bkp generations'"));
		return app_error(&err, APP_FAILED);
	}
	return APP_OK;
}

int cmd_generations(struct app *app, int argc, char **argv)
{
	enum { MEDIUM = 1, ALL };
	static const struct option own[] = {
	    {"medium", required_argument, NULL, MEDIUM}, {"all", no_argument, NULL, ALL}, {NULL, 0, NULL, 0}};
	POLICY_AUTO policy = NULL;
	struct ledger *l = NULL;
	struct request q = {0};
	const char *medium = NULL;
	bool all = false;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		if (opt == MEDIUM)
			medium = optarg;
		all = all || opt == ALL;
	}
	code = chosen_parse(argv + optind, (size_t)(argc - optind), true, &q.chosen);
	if (!code)
		code = app_policy(app, &policy);
	if (!code)
		code = app_ledger(app, policy, &l);
	q.l = l;
	if (!code)
		code = find_medium(medium, &q);
	if (!code)
		code = check_words(app, policy, &q);
	if (!code && !all && !app->json && !q.chosen.n_asked && !medium)
		q.from = newest_runs(l);
	if (!code)
		code = app->json ? show_json(&q) : show_table(&q);
	chosen_free(&q.chosen);
	ledger_free(l);
	return code;
}
