/* bkp-restore verify N [--deep]: is everything there, and is it what was signed? */
#include <inttypes.h>
#include <stdio.h>

#include "app.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/generation.h"
#include "output.h"
#include "progress.h"
#include "read/reported.h"
#include "read/vault_r.h"
#include "read/verify.h"

struct job {
	struct app *app;
	struct progress progress;
	uint64_t faults;
	struct reported reported;
};

static void fault_json(struct job *j, const struct verify_fault *f)
{
	printf("%s\n{", j->faults ? "," : "");
	if (f->file) {
		output_json_name("file", f->file);
		putchar(',');
	}
	if (f->dataset) {
		output_json_name("dataset", f->dataset);
		putchar(',');
	}
	if (f->path) {
		output_json_name("path", f->path);
		putchar(',');
	}
	printf("\"fault\":");
	output_json_fault(f->err);
	putchar('}');
}

static void on_fault(void *arg, const struct verify_fault *f)
{
	char dataset[200], path[600];
	struct job *j = arg;

	progress_clear(&j->progress);
	if (j->app->json) {
		fault_json(j, f);
	} else {
		fprintf(stderr, "bkp-restore: %s: ", f->err->code);
		if (f->dataset)
			fprintf(stderr, "%s: ", path_show(f->dataset, dataset, sizeof(dataset)));
		if (f->path)
			fprintf(stderr, "'%s': ", path_show(f->path, path, sizeof(path)));
		fprintf(stderr, "%s\n", f->err->msg);
		if (f->err->hint[0])
			fprintf(stderr, "  → %s\n", f->err->hint);
	}
	j->faults++;
}

static void on_progress(void *arg, uint64_t done, uint64_t total, const char *file)
{
	struct job *j = arg;

	j->progress.total = total;
	progress_set(&j->progress, done, file);
}

static void shown_of(const char *what, const char *dataset, const char *value)
{
	printf("%s ", what);
	output_shown(dataset);
	fputs(": ", stdout);
	output_shown(value);
	putchar('\n');
}

/* What each data set's probe said at capture: a person compares it with what a restored system says.  And
 * what its commands wrote to standard error. */
static void probes_text(const struct generation_root *root)
{
	size_t i;

	for (i = 0; root && i < root->n_datasets; i++) {
		const struct generation_dataset *d = &root->datasets[i];

		if (d->probe)
			shown_of(text("probe at capture:"), d->name, d->probe);
		if (d->said)
			shown_of(text("standard error at capture:"), d->name, d->said);
	}
}

static void probes_json(const struct generation_root *root)
{
	const char *comma = "";
	size_t i;

	fputs("\n],\"probes\":[", stdout);
	for (i = 0; root && i < root->n_datasets; i++) {
		const struct generation_dataset *d = &root->datasets[i];

		if (!d->probe)
			continue;
		printf("%s{", comma);
		output_json_name("dataset", d->name);
		fputs(",\"value\":", stdout);
		output_json(d->probe);
		putchar('}');
		comma = ",";
	}
}

static void said_json(const struct generation_root *root)
{
	const char *comma = "";

	fputs("\n],\"said\":[", stdout);
	for (size_t i = 0; root && i < root->n_datasets; i++) {
		if (!root->datasets[i].said)
			continue;
		printf("%s{", comma);
		output_json_name("dataset", root->datasets[i].name);
		fputs(",\"value\":", stdout);
		output_json(root->datasets[i].said);
		putchar('}');
		comma = ",";
	}
}

static const char *reported_word(const struct job *j)
{
	static const char *const words[] = {"compared", "absent", "not reported", "older", "damaged"};

	return words[j->reported.state];
}

/* A signature proves who signed, not when: what else was there to compare with? */
static void reported_text(const struct job *j, uint64_t number)
{
	const struct reported *r = &j->reported;

	switch (r->state) {
	case REPORTED_YES:
		if (!j->faults)
			printf("%s\n",
			    text(
				"the journal on this medium reported this very generation, signed in its own "
				"night"));
		return;
	case REPORTED_ABSENT:
		printf("%s\n", text("not compared with a journal: this medium carries none"));
		return;
	case REPORTED_LATER:
		printf(text("not compared with the journal: the copy on this medium ends (record %ju) before "
			    "generation "
			    "%ju\n"),
		    r->head, number);
		return;
	case REPORTED_NOT:
		printf(text("the journal on this medium does not report generation %ju: the run that made it "
			    "did not end "
			    "well, or somebody else made it\n"),
		    number);
		return;
	case REPORTED_BROKEN:
		printf(text("the journal on this medium is not valid: %s\n"), r->why.msg);
		return;
	}
}

/* What a person should look at, though every file is what was signed. */
static bool is_odd(const struct job *j)
{
	return j->reported.state == REPORTED_NOT || j->reported.state == REPORTED_BROKEN;
}

/* root: NULL unless it was decrypted. */
static void summary(
    const struct job *j, uint64_t number, const struct verify_result *res, const struct generation_root *root)
{
	char size[PROGRESS_SIZE_TEXT];

	if (j->app->json) {
		if (j->app->deep)
			probes_json(root), said_json(root);
		printf("\n],\"files\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"archives\":%" PRIu64
		       ",\"chunks\":%" PRIu64 ",\"entries\":%" PRIu64 ",\"entries_bad\":%" PRIu64
		       ",\"journal\":\"%s\",\"good\":%s}\n",
		    res->files, res->bytes, res->archives, res->chunks, res->entries, res->entries_bad,
		    reported_word(j), res->faults ? "false" : "true");
		return;
	}
	if (j->app->quiet && !is_odd(j))
		return;
	reported_text(j, number);
	if (j->app->quiet)
		return;
	if (res->faults)
		printf(text("generation %ju: %ju faults, %ju files (%s) compared\n"), number, res->faults,
		    res->files, progress_size(res->bytes, size));
	else
		printf(text("generation %ju is whole: signature and %ju files (%s) compared\n"), number,
		    res->files, progress_size(res->bytes, size));
	if (j->app->deep)
		printf(text("decrypted: %ju archives, %ju chunks; %ju entries checked, %ju of them cannot be "
			    "restored\n"),
		    res->archives, res->chunks, res->entries, res->entries_bad);
	probes_text(root);
}

int cmd_verify(struct app *app, int argc, char **argv)
{
	struct job j = {.app = app};
	struct verify_callbacks cb = {on_fault, on_progress, &j};
	struct verify_options opt = {.from_device = true};
	struct verify_result res = {0};
	struct generation_root *root = NULL;
	struct app_generation g;
	struct err err = ERR_INIT;
	int r;

	(void)argc;
	r = app_generation(app, argv[0], false, &g);
	if (r)
		return r;
	if (app->deep)
		r = app_identities(app, &opt.ids, &opt.n_ids);
	if (r) {
		app_generation_close(&g);
		return r;
	}
	if (reported_look(app->vault, g.number, &j.reported, &err)) {
		app_generation_close(&g);
		return app_error(&err, APP_UNKNOWN);
	}
	if (j.reported.known)
		opt.record = &j.reported.record;
	if (app->json)
		printf("{\"generation\":%" PRIu64 ",\"deep\":%s,\"faults\":[", g.number,
		    app->deep ? "true" : "false");
	progress_begin(&j.progress, 0, app->quiet);
	r = verify_generation(app->vault, g.number, &opt, &cb, &res, &err);
	progress_clear(&j.progress);
	/* that it cannot be decrypted is among the faults already */
	if (app->deep && vault_r_root(app->vault, g.g, opt.ids, opt.n_ids, &root, NULL))
		root = NULL;
	summary(&j, g.number, &res, root);
	generation_root_free(root);
	app_generation_close(&g);
	if (r)
		return app_flush(app_error(&err, APP_UNKNOWN));
	return app_flush(res.faults ? APP_FAILED : is_odd(&j) ? APP_ATTENTION : APP_OK);
}
