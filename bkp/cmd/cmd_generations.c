/* cmd_generations: bkp generations: what was captured, when, how well, and where it is. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/show/overview.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define SHOW	 128
#define CELL_MAX ((size_t)1 << 16)

/* Only what is there, when a medium is asked for. */
static bool is_wanted(const struct ledger_generation *g, const struct ledger_medium *m)
{
	const struct ledger_copy *c;

	if (!m)
		return true;
	c = ledger_copy_in(g, m->uuid);
	return c && c->ok;
}

/* ---- for people ---- */

static const char *state_text(enum ledger_state s)
{
	switch (s) {
	case LEDGER_COMMITTED:
		return text("complete");
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

/* What never got a verdict shares the fate of its generation. */
static const char *verdict_text(enum ledger_verdict v, enum ledger_state s)
{
	switch (v) {
	case LEDGER_GOOD:
		return text("good");
	case LEDGER_PARTIAL:
		return text("partial");
	case LEDGER_FAILED:
		return text("failed");
	default:
		return s == LEDGER_GEN_FAILED || s == LEDGER_ABANDONED || s == LEDGER_BEGUN ? state_text(s)
											    : text("unknown");
	}
}

/* "complete, suspect, held" */
static void state_cell(struct table *t, const struct ledger_generation *g)
{
	const char *comma = text(", ");

	table_cell(t, "%s%s%s%s%s%s%s", state_text(g->state), g->suspect ? comma : "",
	    g->suspect ? text("suspect") : "", g->accepted_ns ? comma : "",
	    g->accepted_ns ? text("accepted") : "", g->held_ns ? comma : "", g->held_ns ? text("held") : "");
}

static int datasets_cell(struct table *t, const struct ledger_generation *g, struct err *err)
{
	BUF_AUTO b = BUF_INIT(CELL_MAX);
	char show[SHOW], size[OUT_BYTES];

	for (size_t i = 0; i < g->n_datasets; i++) {
		const struct ledger_dataset *d = &g->datasets[i];

		if (buf_printf(&b, err, "%s%s %s", i ? ", " : "", path_show(d->name, show, sizeof(show)),
			verdict_text(d->verdict, g->state)) ||
		    (d->verdict != LEDGER_PENDING && d->verdict != LEDGER_FAILED &&
			buf_printf(&b, err, " %s", out_bytes(d->bytes, size))))
			return -1;
	}
	if (buf_terminate(&b, err))
		return -1;
	table_cell(t, "%s", b.n ? (char *)b.p : "-");
	return 0;
}

static int media_cell(struct table *t, const struct ledger_generation *g, struct err *err)
{
	BUF_AUTO b = BUF_INIT(CELL_MAX);
	char show[SHOW];

	for (size_t i = 0; i < g->n_copies; i++) {
		const struct ledger_copy *c = &g->copies[i];
		const char *how = c->expired_ns	   ? text("expired")
				  : !c->ok	   ? text("failed")
				  : c->damaged_ns  ? text("damaged")
				  : c->verified_ns ? text("verified")
						   : text("written");

		if (buf_printf(
			&b, err, "%s%s %s", i ? ", " : "", path_show(c->label, show, sizeof(show)), how))
			return -1;
	}
	if (buf_terminate(&b, err))
		return -1;
	table_cell(t, "%s", b.n ? (char *)b.p : "-");
	return 0;
}

static int show_table(const struct ledger *l, const struct ledger_medium *m)
{
	static const char *const heads[] = {TEXT_LATER("GENERATION"), TEXT_LATER("TIME"), TEXT_LATER("STATE"),
	    TEXT_LATER("DATA SETS"), TEXT_LATER("MEDIA")};
	struct table *t = table_headed(heads, 5);
	struct err err = ERR_INIT;
	char time[CLOCK_TEXT];
	size_t shown = 0;
	int failed = 0;

	for (size_t i = 0; t && i < ledger_generations(l) && !failed; i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (!is_wanted(g, m))
			continue;
		shown++;
		table_cell(t, "%" PRIu64, g->number);
		table_cell(t, "%s", clock_format_local(g->begun_ns, time));
		state_cell(t, g);
		failed = datasets_cell(t, g, &err) || media_cell(t, g, &err);
	}
	if (failed) {
		table_free(t);
		return app_error(&err, APP_FAILED);
	}
	if (!shown) {
		table_free(t);
		printf("%s\n", text("there is no generation yet"));
		return app_flush(APP_OK);
	}
	return out_table(t, 0, APP_OK);
}

/* ---- for programs ---- */

static json_t *generation_json(const struct ledger_generation *g)
{
	json_t *datasets = json_array(), *media = json_array();

	for (size_t i = 0; i < g->n_datasets; i++) {
		const struct ledger_dataset *d = &g->datasets[i];

		json_array_append_new(
		    datasets, json_pack("{s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s}", "name", d->name,
				  "verdict", ledger_verdict_word(d->verdict), "entries",
				  (json_int_t)d->entries, "files", (json_int_t)d->files, "bytes",
				  (json_int_t)d->bytes, "unreadable", (json_int_t)d->unreadable, "changed",
				  (json_int_t)d->changed, "skipped", (json_int_t)d->skipped, "reason",
				  d->reason, "suspicion", d->suspicion ? d->suspicion : ""));
	}
	for (size_t i = 0; i < g->n_copies; i++) {
		const struct ledger_copy *c = &g->copies[i];

		json_array_append_new(
		    media, json_pack("{s:s, s:s, s:b, s:b, s:s, s:o, s:o, s:o, s:o}", "medium", c->medium,
			       "label", c->label, "ok", (int)c->ok, "frozen", (int)c->frozen, "reason",
			       c->reason, "verified", overview_time_json(c->verified_ns), "copied",
			       overview_time_json(c->copied_ns), "damaged", overview_time_json(c->damaged_ns),
			       "expired", overview_time_json(c->expired_ns)));
	}
	return json_pack("{s:I, s:s, s:s, s:o, s:o, s:s, s:s, s:I, s:I, s:b, s:o, s:o, s:s, s:o, s:o}",
	    "generation", (json_int_t)g->number, "uuid", g->uuid, "state", ledger_state_word(g->state),
	    "begun", overview_time_json(g->begun_ns), "ended", overview_time_json(g->ended_ns), "reason",
	    g->reason, "manifest_sha256", g->manifest_sha256, "archives", (json_int_t)g->archives,
	    "archive_bytes", (json_int_t)g->archive_bytes, "suspect", (int)g->suspect, "accepted",
	    overview_time_json(g->accepted_ns), "held", overview_time_json(g->held_ns), "held_why",
	    g->held_why ? g->held_why : "", "datasets", datasets, "media", media);
}

static int show_json(const struct ledger *l, const struct ledger_medium *m)
{
	json_t *list = json_array();

	for (size_t i = 0; i < ledger_generations(l); i++)
		if (is_wanted(ledger_generation(l, i), m))
			json_array_append_new(list, generation_json(ledger_generation(l, i)));
	return out_json(
	    json_pack("{s:s, s:o}", "repository", ledger_repository(l), "generations", list), APP_OK);
}

static int show_generations(struct app *app, const struct ledger *l, const char *medium)
{
	const struct ledger_medium *m = NULL;
	struct err err = ERR_INIT;

	if (medium) {
		m = ledger_medium_by_label(l, medium);
		m = m ? m : ledger_medium_by_uuid(l, medium);
		if (!m) {
			err_set(&err, "E-MEDIA-14", text("medium '%s' is not registered"), medium);
			err_hint(&err, "%s", text("see them with 'bkp medium list'"));
			return app_error(&err, APP_FAILED);
		}
	}
	return app->json ? show_json(l, m) : show_table(l, m);
}

int cmd_generations(struct app *app, int argc, char **argv)
{
	enum { MEDIUM = 1 };
	static const struct option own[] = {{"medium", required_argument, NULL, MEDIUM}, {NULL, 0, NULL, 0}};
	POLICY_AUTO policy = NULL;
	struct ledger *l = NULL;
	const char *medium = NULL;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		medium = optarg;
	}
	if (optind < argc)
		return app_usage(app, "%s", text("'generations' takes options only"));
	code = app_policy(app, &policy);
	if (!code)
		code = app_ledger(app, policy, &l);
	if (!code)
		code = show_generations(app, l, medium);
	ledger_free(l);
	return code;
}
