/* bkp-restore verify SELECTOR [--deep]: is everything there, and is it what was signed?
 *
 * Of each generation first what the journals say of it (vouch_each, compare_journals), then the generation itself
 * (verify_generation); at last what belongs to no generation (look_around).  Faults of all three are told in one
 * list; the exit status is the worst: damage 2, unread 3, what people should look at 1.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/vault/vault_r.h"
#include "read/store/store.h"
#include "read/verify/inventory.h"
#include "read/verify/reported.h"
#include "read/verify/verify.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/output.h"
#include "restore/app/progress.h"
#include "restore/app/selection.h"
#include "restore/app/vouch.h"

#define SHOW 300

/* A generation, and what became of it. */
struct checked {
	struct app_generation *g;
	const char *where[APP_MEDIA + APP_JOURNALS]; /* the journals that were given, and what each says */
	struct reported told[APP_MEDIA + APP_JOURNALS];
	size_t n_told;
	bool vouched; /* one of them reports it */
	struct verify_result is;
	struct generation_root *root; /* NULL unless it was decrypted */
};

struct job {
	struct app *app;
	struct progress progress;
	struct checked *c;
	size_t n;	     /* of them were checked to the end */
	struct checked *now; /* whose faults are told; NULL: of no generation */
	uint64_t faults;
	int stray; /* enum app_exit for what belongs to no generation */
	uint64_t strays;
};

static void fault_json(struct job *j, const struct verify_fault *f)
{
	printf("%s\n{", j->faults ? "," : "");
	if (j->now)
		printf(
		    "\"dataset\":\"%s\",\"generation\":%" PRIu64 ",", j->now->g->dataset, j->now->g->number);
	if (f->file) {
		output_json_name("file", f->file);
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
	struct job *j = arg;
	char path[600];

	progress_clear(&j->progress);
	if (j->app->json) {
		fault_json(j, f);
	} else {
		fprintf(stderr, "bkp-restore: %s: ", f->err->code);
		if (j->now)
			fprintf(stderr, "%s: ", j->now->g->label);
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

static void shown_of(const char *what, const char *value)
{
	fputs(what, stdout);
	putchar(' ');
	output_shown(value);
	putchar('\n');
}

/* What the probe said at capture: a person compares it with what a restored system says.  And what the data set's
 * commands wrote to standard error. */
static void root_text(const struct generation_dataset *d)
{
	if (d->probe)
		shown_of(text("probe at capture:"), d->probe);
	if (d->said)
		shown_of(text("standard error at capture:"), d->said);
}

static void root_json(const struct generation_dataset *d)
{
	fputs(",\"probe\":", stdout);
	if (d->probe)
		output_json(d->probe);
	else
		fputs("null", stdout);
	fputs(",\"said\":", stdout);
	if (d->said)
		output_json(d->said);
	else
		fputs("null", stdout);
}

/* A signature proves who signed, not when: what else was there to compare with? */
static void take_reported(void *arg, const char *where, const struct reported *r)
{
	struct checked *c = arg;

	c->where[c->n_told] = where;
	c->told[c->n_told++] = *r;
}

/* Contradictions are faults like any other. */
static void compare_journals(struct job *j, struct checked *c)
{
	char dir[GENERATION_DIR], set[GENERATION_SET_DIR], folder[sizeof(dir) + sizeof(set)], show[SHOW];
	const struct app_generation *g = c->g;
	struct err why = ERR_INIT;
	struct verify_fault f = {.file = folder, .err = &why};

	snprintf(folder, sizeof(folder), "%s/%s", generation_set_dir(g->dataset, set),
	    generation_dir(g->number, dir));
	for (size_t i = 0; i < c->n_told; i++) {
		uint64_t before = j->faults;

		if (!c->told[i].known)
			continue;
		path_show(c->where[i], show, sizeof(show));
		if (verify_is_another(&c->told[i].record, g->g, g->label, &why))
			on_fault(j, (err_wrap(&why, text("the journal of '%s'"), show), &f));
		if (verify_is_later(&c->told[i].record, g->g, g->label, &why))
			on_fault(j, (err_wrap(&why, text("the journal of '%s'"), show), &f));
		c->vouched |= j->faults == before;
	}
}

static void reported_json(const struct checked *c)
{
	static const char *const words[] = {"compared", "absent", "not reported", "older", "damaged"};

	printf("\"journal\":\"%s\",\"vouched\":%s,\"journals\":[", words[c->told[0].state],
	    c->vouched ? "true" : "false");
	for (size_t i = 0; i < c->n_told; i++) {
		printf("%s{", i ? "," : "");
		output_json_name("of", c->where[i]);
		printf(",\"state\":\"%s\"}", words[c->told[i].state]);
	}
	putchar(']');
}

static void reported_text(const struct checked *c)
{
	char show[SHOW];

	for (size_t i = 0; i < c->n_told; i++) {
		const struct reported *r = &c->told[i];
		struct err why = ERR_INIT;

		path_show(c->where[i], show, sizeof(show));
		if (r->state == REPORTED_YES) {
			if (!c->is.faults)
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
static bool is_odd(const struct checked *c)
{
	for (size_t i = 0; i < c->n_told; i++)
		if (c->told[i].state == REPORTED_NOT || c->told[i].state == REPORTED_BROKEN)
			return true;
	return !c->vouched;
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

	j->now = NULL;
	return store_open_place(j->app->medium, &medium, err)
		   ? -1
		   : inventory_check(&medium, j->app->vault, false, on_stray, j, err);
}

/* ---- one generation ---- */

static int check_one(struct job *j, struct checked *c, struct verify_options *opt, struct err *err)
{
	struct verify_callbacks cb = {on_fault, on_progress, j};
	uint64_t contradicted, before = j->faults;

	j->now = c;
	if (vouch_each(j->app, c->g, take_reported, c, err))
		return -1;
	compare_journals(j, c);
	contradicted = j->faults - before;
	progress_begin(&j->progress, 0, j->app->quiet);
	if (verify_generation(j->app->vault, c->g->dataset, c->g->number, opt, &cb, &c->is, err))
		return -1;
	c->is.faults += contradicted;
	/* that it cannot be decrypted is among the faults already */
	if (opt->n_ids && vault_r_root(j->app->vault, c->g->g, opt->ids, opt->n_ids, &c->root, NULL))
		c->root = NULL;
	return 0;
}

static int check_all(struct job *j, size_t n, struct verify_options *opt, struct err *err)
{
	int r = 0;

	if (j->app->json)
		printf("{\"deep\":%s,\"faults\":[", j->app->deep ? "true" : "false");
	while (!r && j->n < n) {
		r = check_one(j, &j->c[j->n], opt, err);
		j->n += !r;
	}
	if (!r)
		r = look_around(j, err);
	progress_clear(&j->progress);
	return r;
}

/* ---- what is printed ---- */

static void checked_json(const struct checked *c, bool deep)
{
	const struct verify_result *is = &c->is;

	printf("\n{\"dataset\":\"%s\",\"generation\":%" PRIu64 ",\"files\":%" PRIu64 ",\"bytes\":%" PRIu64,
	    c->g->dataset, c->g->number, is->files, is->bytes);
	if (deep)
		printf(",\"archives\":%" PRIu64 ",\"chunks\":%" PRIu64 ",\"entries\":%" PRIu64
		       ",\"entries_bad\":%" PRIu64,
		    is->archives, is->chunks, is->entries, is->entries_bad);
	if (c->root)
		root_json(&c->root->dataset);
	putchar(',');
	reported_json(c);
	printf(",\"good\":%s}", is->faults ? "false" : "true");
}

static void checked_text(const struct checked *c, const struct app *app)
{
	const struct verify_result *is = &c->is;
	char size[PROGRESS_SIZE_TEXT];

	if (app->quiet && !is_odd(c))
		return;
	reported_text(c);
	if (app->quiet)
		return;
	if (is->faults)
		printf(text("%s: %ju faults, %ju files (%s) compared\n"), c->g->label, (uintmax_t)is->faults,
		    (uintmax_t)is->files, progress_size(is->bytes, size));
	else
		printf(text("%s is whole: signature and %ju files (%s) compared\n"), c->g->label,
		    (uintmax_t)is->files, progress_size(is->bytes, size));
	if (app->deep)
		printf(text("decrypted: %ju archives, %ju chunks; %ju entries checked, %ju of them cannot be "
			    "restored\n"),
		    (uintmax_t)is->archives, (uintmax_t)is->chunks, (uintmax_t)is->entries,
		    (uintmax_t)is->entries_bad);
	if (c->root)
		root_text(&c->root->dataset);
}

static void print_summary(const struct job *j)
{
	if (j->app->json)
		fputs("\n],\"generations\":[", stdout);
	for (size_t i = 0; i < j->n; i++) {
		if (j->app->json && i)
			putchar(',');
		if (j->app->json)
			checked_json(&j->c[i], j->app->deep);
		else
			checked_text(&j->c[i], j->app);
	}
	if (j->app->json)
		puts("\n]}");
	else if (j->strays && !j->app->quiet)
		printf(
		    text("%ju files of the medium, of no generation, are not as they must be (see above)\n"),
		    (uintmax_t)j->strays);
}

static int exit_of(const struct checked *c)
{
	return c->is.faults > c->is.unread ? APP_FAILED
	       : c->is.faults		   ? APP_UNKNOWN
	       : is_odd(c)		   ? APP_ATTENTION
					   : APP_OK;
}

static int verify_all(struct app *app, const struct selection *s)
{
	struct job j = {.app = app, .stray = s->code};
	struct verify_options opt = {.from_device = true};
	struct err err = ERR_INIT;
	int r = app->deep ? app_unlock(app, &opt.ids, &opt.n_ids) : 0;

	if (r)
		return r;
	j.c = calloc(s->n, sizeof(*j.c));
	if (!j.c)
		app_no_memory();
	for (size_t i = 0; i < s->n; i++)
		j.c[i].g = &s->g[i];
	interrupt_says(text("interrupted: what was not read by then is not known to be whole"),
	    text("nothing was changed; repeat the command"), APP_UNKNOWN);
	r = check_all(&j, s->n, &opt, &err);
	print_summary(&j);
	r = r ? app_error(&err, APP_UNKNOWN) : j.stray;
	for (size_t i = 0; i < j.n; i++) {
		r = app_worse(r, exit_of(&j.c[i]));
		generation_root_free(j.c[i].root);
	}
	free(j.c);
	return app_flush(r);
}

int cmd_verify(struct app *app, int argc, char **argv)
{
	struct selection s;
	int r = selection_open(app, argv[0], NULL, false, &s);

	(void)argc;
	if (r)
		return r;
	r = verify_all(app, &s);
	selection_close(&s);
	return r;
}
