/* bkp-restore generations: what is on this medium, by data set.  Needs no identity. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "format/medium/generation.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/output.h"
#include "restore/app/progress.h"

struct listing {
	struct app *app;
	uint64_t n, complete;
	char dataset[GENERATION_NAME]; /* the last one's */
};

/* Whole sentences for each word, so that they can be translated as such. */
static const char *state_text(enum vault_r_state s)
{
	switch (s) {
	case VAULT_R_COMPLETE:
		return text("complete");
	case VAULT_R_INCOMPLETE:
		return text("INCOMPLETE");
	case VAULT_R_DAMAGED:
		return text("DAMAGED");
	case VAULT_R_NEWER:
		return text("OF A NEWER FORMAT");
	default:
		return text("FORGED OR DAMAGED");
	}
}

static const char *verdict_text(enum generation_verdict v)
{
	return v == GENERATION_GOOD	 ? text("good")
	       : v == GENERATION_PARTIAL ? text("partial")
					 : text("failed");
}

static void show_detail(const char *what, const char *said)
{
	printf("      %s%s", what, *what ? " " : "");
	output_shown(said);
	putchar('\n');
}

/* When it was begun, by the calendar of where it was captured: what emr@2026-11-20 goes by. */
static void show_begun(const struct generation_manifest *m)
{
	char when[CLOCK_TEXT];

	clock_format(m->begun_ns + m->utc_offset_s * SECOND_NS, when);
	printf("%.10s %.5s", when, when + 11);
}

/* A word in a column: every character takes as many columns as it does on a terminal. */
static void show_word(const char *word, int columns)
{
	int width = (int)width_text(word);

	printf("%s%*s", word, width < columns ? columns - width : 0, "");
}

static void show_captured(const struct generation_manifest *m, const char *verdict)
{
	const struct generation_dataset *d = &m->dataset;
	char size[PROGRESS_SIZE_TEXT];

	show_begun(m);
	fputs("  ", stdout);
	show_word(verdict, 8);
	printf(text("%10ju files %9s"), (uintmax_t)d->files, progress_size(d->bytes, size));
	putchar('\n');
	if (d->reason)
		show_detail("", d->reason);
	if (d->unreadable)
		printf(text("      %ju could not be read\n"), (uintmax_t)d->unreadable);
	if (d->changed)
		printf(text("      %ju changed while they were captured\n"), (uintmax_t)d->changed);
	if (d->suspicion)
		show_detail(text("SUSPECT when it was captured:"), d->suspicion);
}

static void show_generation(const struct vault_r_listed *g)
{
	char label[GENERATION_LABEL];

	printf("  %-*s  ", (int)strlen(g->dataset) + 5, generation_label(g->dataset, g->number, label));
	if (g->manifest)
		show_captured(g->manifest, g->state == VAULT_R_COMPLETE
					       ? verdict_text(g->manifest->dataset.verdict)
					       : state_text(g->state));
	else
		puts(state_text(g->state));
	if (g->state != VAULT_R_COMPLETE) {
		printf("      %s: ", g->why.code);
		output_shown(g->why.msg);
		if (g->missing > 1)
			printf(text(" (and %ju more)"), (uintmax_t)(g->missing - 1));
		putchar('\n');
	}
}

/* Titles may change: this is the one of its oldest generation. */
static void show_heading(const struct vault_r_listed *g)
{
	const char *title = g->manifest ? g->manifest->dataset.title : NULL;

	fputs(g->dataset, stdout);
	if (title && strcmp(title, g->dataset) != 0) {
		fputs("  ", stdout);
		output_shown(title);
	}
	putchar('\n');
}

static void manifest_json(const struct generation_manifest *m)
{
	const struct generation_dataset *d = &m->dataset;
	char when[CLOCK_TEXT];

	printf(",\"uuid\":\"%s\",\"begun\":\"%s\"", m->id.uuid, clock_format(m->begun_ns, when));
	printf(",\"finished\":\"%s\",\"utc_offset\":%d,", clock_format(m->finished_ns, when),
	    (int)m->utc_offset_s);
	output_json_name("host", m->host);
	if (d->title) {
		putchar(',');
		output_json_name("title", d->title);
	}
	printf(",\"verdict\":\"%s\",\"entries\":%" PRIu64 ",\"files\":%" PRIu64 ",\"bytes\":%" PRIu64
	       ",\"unreadable\":%" PRIu64 ",\"changed\":%" PRIu64 ",\"skipped\":%" PRIu64,
	    generation_verdict_word(d->verdict), d->entries, d->files, d->bytes, d->unreadable, d->changed,
	    d->skipped);
	if (d->reason) {
		putchar(',');
		output_json_name("reason", d->reason);
	}
	if (d->suspicion) {
		putchar(',');
		output_json_name("suspect", d->suspicion);
	}
	printf(",\"archives\":%" PRIu64 ",\"archive_bytes\":%" PRIu64, m->archives, m->archive_bytes);
}

static void generation_json(const struct listing *l, const struct vault_r_listed *g)
{
	printf("%s\n{\"dataset\":\"%s\",\"generation\":%" PRIu64 ",\"state\":\"%s\"", l->n ? "," : "",
	    g->dataset, g->number, vault_r_state_word(g->state));
	if (g->manifest)
		manifest_json(g->manifest);
	if (g->why.code[0]) {
		printf(",\"missing\":%" PRIu64 ",\"fault\":", g->missing);
		output_json_fault(&g->why);
	}
	putchar('}');
}

static int each_generation(void *arg, const struct vault_r_listed *g, struct err *err)
{
	struct listing *l = arg;

	(void)err;
	if (g->number < l->app->from || (l->app->upto && g->number > l->app->upto))
		return 0;
	if (l->app->json)
		generation_json(l, g);
	else {
		if (strcmp(l->dataset, g->dataset) != 0)
			show_heading(g);
		show_generation(g);
	}
	snprintf(l->dataset, sizeof(l->dataset), "%s", g->dataset);
	l->n++;
	l->complete += g->state == VAULT_R_COMPLETE;
	return 0;
}

int cmd_generations(struct app *app, int argc, char **argv)
{
	struct listing l = {.app = app};
	struct err err = ERR_INIT;
	int r;

	r = app_vault(app);
	if (r)
		return r;
	if (app->timeline)
		return cmd_timeline(app, argc ? argv[0] : NULL);
	if (argc || app->svg)
		return app_usage(app, "%s", text("a data set and --svg are for 'generations --timeline'"));
	if (app->json) {
		printf("{\"repository\":\"%s\",\"root_key\":\"%s\",", vault_r_repository(app->vault),
		    vault_r_root_key(app->vault));
		output_json_name("site", vault_r_site(app->vault));
		printf(",\"generations\":[");
	} else {
		printf("%s %s  ", text("repository"), vault_r_repository(app->vault));
		output_shown(vault_r_site(app->vault));
		putchar('\n');
	}
	r = vault_r_list(app->vault, NULL, each_generation, &l, &err);
	if (app->json)
		printf("\n]}\n");
	if (r)
		return app_flush(app_error(&err, APP_UNKNOWN));
	if (!l.n && !app->json)
		printf("%s\n", text("there is no generation on this medium"));
	return app_flush(l.n && l.complete == l.n ? APP_OK : l.complete ? APP_ATTENTION : APP_FAILED);
}
