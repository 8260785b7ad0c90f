/* bkp-restore generations: what is on this medium.  Needs no identity. */
#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/output.h"
#include "restore/app/progress.h"

struct listing {
	struct app *app;
	uint64_t n, complete;
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

static void show_dataset(const struct generation_dataset *d)
{
	char size[PROGRESS_SIZE_TEXT];

	fputs("          ", stdout);
	output_shown(d->name);
	if (d->title) {
		fputs(" (", stdout);
		output_shown(d->title);
		putchar(')');
	}
	printf(": %s", verdict_text(d->verdict));
	if (d->verdict != GENERATION_FAILED)
		printf(text(", %ju entries, %s"), d->entries, progress_size(d->bytes, size));
	if (d->reason) {
		fputs(", ", stdout);
		output_shown(d->reason);
	}
	if (d->unreadable)
		printf(text(", %ju could not be read"), d->unreadable);
	if (d->changed)
		printf(text(", %ju changed while they were captured"), d->changed);
	putchar('\n');
	if (d->suspicion) {
		printf("            %s ", text("SUSPECT when it was captured:"));
		output_shown(d->suspicion);
		putchar('\n');
	}
}

static void show_generation(const struct vault_r_listed *g)
{
	char when[CLOCK_TEXT];
	size_t i;

	printf("%8" PRIu64 "  %s  %s\n", g->number,
	    g->manifest ? clock_format_local(g->manifest->finished_ns, when) : "                ",
	    state_text(g->state));
	for (i = 0; g->manifest && i < g->manifest->n_datasets; i++)
		show_dataset(&g->manifest->datasets[i]);
	if (g->state != VAULT_R_COMPLETE) {
		printf("          %s: ", g->why.code);
		output_shown(g->why.msg);
		if (g->missing > 1)
			printf(text(" (and %ju more)"), g->missing - 1);
		putchar('\n');
	}
}

static void dataset_json(const struct generation_dataset *d)
{
	putchar('{');
	output_json_name("name", d->name);
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
	putchar('}');
}

static void manifest_json(const struct generation_manifest *m)
{
	char when[CLOCK_TEXT];
	size_t i;

	printf(",\"uuid\":\"%s\",\"begun\":\"%s\"", m->id.uuid, clock_format(m->begun_ns, when));
	printf(",\"finished\":\"%s\",", clock_format(m->finished_ns, when));
	output_json_name("host", m->host);
	printf(",\"archives\":%" PRIu64 ",\"archive_bytes\":%" PRIu64 ",\"datasets\":[", m->archives,
	    m->archive_bytes);
	for (i = 0; i < m->n_datasets; i++) {
		if (i)
			putchar(',');
		dataset_json(&m->datasets[i]);
	}
	putchar(']');
}

static int each_generation(void *arg, const struct vault_r_listed *g, struct err *err)
{
	struct listing *l = arg;

	(void)err;
	if (l->app->json) {
		printf("%s\n{\"number\":%" PRIu64 ",\"state\":\"%s\"", l->n ? "," : "", g->number,
		    vault_r_state_word(g->state));
		if (g->manifest)
			manifest_json(g->manifest);
		if (g->why.code[0]) {
			printf(",\"missing\":%" PRIu64 ",\"fault\":", g->missing);
			output_json_fault(&g->why);
		}
		putchar('}');
	} else {
		show_generation(g);
	}
	l->n++;
	l->complete += g->state == VAULT_R_COMPLETE;
	return 0;
}

int cmd_generations(struct app *app, int argc, char **argv)
{
	struct listing l = {.app = app};
	struct err err = ERR_INIT;
	int r;

	(void)argc;
	(void)argv;
	r = app_vault(app);
	if (r)
		return r;
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
	r = vault_r_list(app->vault, each_generation, &l, &err);
	if (app->json)
		printf("\n]}\n");
	if (r)
		return app_flush(app_error(&err, APP_UNKNOWN));
	if (!l.n && !app->json)
		printf("%s\n", text("there is no generation on this medium"));
	return app_flush(l.n && l.complete == l.n ? APP_OK : l.complete ? APP_ATTENTION : APP_FAILED);
}
