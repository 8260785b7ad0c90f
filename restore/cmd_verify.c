/* bkp-restore verify N [--deep]: is everything there, and is it what was signed?
 *
 * First what the journals say of the generation (vouch_each, compare_journals), then the generation itself
 * (verify_generation), then what belongs to no generation (look_around).  Faults of all three are told in one
 * list; the exit status is the worst: damage 2, unread 3, what people should look at 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/vault/vault_r.h"
#include "read/store/store_dir.h"
#include "read/verify/inventory.h"
#include "read/verify/reported.h"
#include "read/verify/verify.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/output.h"
#include "restore/app/progress.h"
#include "restore/app/vouch.h"

#define SHOW 300

struct job {
	struct app *app;
	struct progress progress;
	uint64_t faults;
	const char *where[APP_MEDIA + APP_JOURNALS]; /* the journals that were given, and what each says */
	struct reported told[APP_MEDIA + APP_JOURNALS];
	size_t n_told;
	bool vouched; /* one of them reports it */
	int stray;    /* enum app_exit for what belongs to no generation */
	uint64_t strays;
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
		app_next(f->err);
	}
	j->faults++;
}

static void on_progress(void *arg, uint64_t done, uint64_t total, const char *file)
{
	struct job *j = arg;

	j->progress.pace.total = total;
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

/* A signature proves who signed, not when: what else was there to compare with? */
static void take_reported(void *arg, const char *where, const struct reported *r)
{
	struct job *j = arg;

	j->where[j->n_told] = where;
	j->told[j->n_told++] = *r;
}

/* Contradictions are faults like any other. */
static void compare_journals(struct job *j, const struct app_generation *g)
{
	struct err why = ERR_INIT;
	char dir[GENERATION_DIR], show[SHOW];

	generation_dir(g->number, dir);
	for (size_t i = 0; i < j->n_told; i++) {
		struct verify_fault f = {.file = dir, .err = &why};
		uint64_t before = j->faults;

		if (!j->told[i].known)
			continue;
		path_show(j->where[i], show, sizeof(show));
		if (verify_is_another(&j->told[i].record, g->g, dir, &why))
			on_fault(j, (err_wrap(&why, text("the journal of '%s'"), show), &f));
		if (verify_is_later(&j->told[i].record, g->g, dir, &why))
			on_fault(j, (err_wrap(&why, text("the journal of '%s'"), show), &f));
		j->vouched |= j->faults == before;
	}
}

static void reported_json(const struct job *j)
{
	static const char *const words[] = {"compared", "absent", "not reported", "older", "damaged"};

	printf("\"journal\":\"%s\",\"vouched\":%s,\"journals\":[", words[j->told[0].state],
	    j->vouched ? "true" : "false");
	for (size_t i = 0; i < j->n_told; i++) {
		printf("%s{", i ? "," : "");
		output_json_name("of", j->where[i]);
		printf(",\"state\":\"%s\"}", words[j->told[i].state]);
	}
	putchar(']');
}

static void reported_text(const struct job *j)
{
	char show[SHOW];

	for (size_t i = 0; i < j->n_told; i++) {
		const struct reported *r = &j->told[i];
		struct err why = ERR_INIT;

		path_show(j->where[i], show, sizeof(show));
		if (r->state == REPORTED_YES) {
			if (!j->faults)
				printf(text("the journal of '%s' reported this very generation, signed in "
					    "its own night\n"),
				    show);
			continue;
		}
		reported_why(r, show, &why);
		printf("%s: %s\n", why.code, why.msg);
	}
}

/* What a person should look at, though every file is what was signed. */
static bool is_odd(const struct job *j)
{
	for (size_t i = 0; i < j->n_told; i++)
		if (j->told[i].state == REPORTED_NOT || j->told[i].state == REPORTED_BROKEN)
			return true;
	return !j->vouched;
}

/* What belongs to no generation.  What people read, and what is foreign, makes 1. */
static void on_stray(void *arg, const char *file, enum inventory_kind kind, const struct err *why)
{
	struct verify_fault f = {.file = file, .err = why};
	struct job *j = arg;

	on_fault(j, &f);
	j->strays++;
	j->stray = app_worse(j->stray, kind == INVENTORY_TEXT	  ? APP_ATTENTION
				       : kind == INVENTORY_NEEDED ? APP_FAILED
								  : APP_UNKNOWN);
}

static int look_around(struct job *j, struct err *err)
{
	STORE_AUTO medium = {0};

	return store_dir_open(j->app->medium, &medium, err)
		   ? -1
		   : inventory_check(&medium, j->app->vault, false, on_stray, j, err);
}

/* root: NULL unless it was decrypted. */
static void print_summary(
    const struct job *j, uint64_t number, const struct verify_result *res, const struct generation_root *root)
{
	char size[PROGRESS_SIZE_TEXT];

	if (j->app->json) {
		if (j->app->deep)
			probes_json(root), said_json(root);
		printf("\n],\"files\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"archives\":%" PRIu64
		       ",\"chunks\":%" PRIu64 ",\"entries\":%" PRIu64 ",\"entries_bad\":%" PRIu64 ",",
		    res->files, res->bytes, res->archives, res->chunks, res->entries, res->entries_bad);
		reported_json(j);
		printf(",\"good\":%s}\n", res->faults ? "false" : "true");
		return;
	}
	if (j->app->quiet && !is_odd(j))
		return;
	reported_text(j);
	if (j->app->quiet)
		return;
	if (res->faults)
		printf(text("generation %ju: %ju faults, %ju files (%s) compared\n"), number, res->faults,
		    res->files, progress_size(res->bytes, size));
	else
		printf(text("generation %ju is whole: signature and %ju files (%s) compared\n"), number,
		    res->files, progress_size(res->bytes, size));
	if (j->strays)
		printf(text("but beside it %ju files of the medium, of no generation, are not as they must "
			    "be (see above)\n"),
		    j->strays);
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
	uint64_t contradicted;
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
	if (vouch_each(app, g.number, take_reported, &j, &err)) {
		app_generation_close(&g);
		return app_error(&err, APP_UNKNOWN);
	}
	if (app->json)
		printf("{\"generation\":%" PRIu64 ",\"deep\":%s,\"faults\":[", g.number,
		    app->deep ? "true" : "false");
	interrupt_says(text("interrupted: what was not read by then is not known to be whole"),
	    text("nothing was changed; repeat the command"), APP_UNKNOWN);
	progress_begin(&j.progress, 0, app->quiet);
	compare_journals(&j, &g);
	contradicted = j.faults;
	r = verify_generation(app->vault, g.number, &opt, &cb, &res, &err);
	res.faults += contradicted;
	if (!r)
		r = look_around(&j, &err);
	progress_clear(&j.progress);
	/* that it cannot be decrypted is among the faults already */
	if (app->deep && vault_r_root(app->vault, g.g, opt.ids, opt.n_ids, &root, NULL))
		root = NULL;
	print_summary(&j, g.number, &res, root);
	generation_root_free(root);
	app_generation_close(&g);
	if (r)
		return app_flush(app_error(&err, APP_UNKNOWN));
	return app_flush(app_worse(j.stray, res.faults > res.unread ? APP_FAILED
					    : res.faults	    ? APP_UNKNOWN
					    : is_odd(&j)	    ? APP_ATTENTION
								    : APP_OK));
}
