/* bkp-restore extract N [DATASET] [PATH...] --to DIR: brings files back.
 *
 * Order: generation, data set and the target's place are checked before the target is made; signals are held
 * before the first thread is started, so that every thread inherits that; then the process is confined to the
 * target once more, now by the folder's descriptor.  What was restored counts as there only after syncfs().
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/confine.h"
#include "restore/app/interrupt.h"
#include "restore/app/outcome.h"
#include "restore/app/progress.h"
#include "restore/app/within.h"
#include "restore/extract/extract.h"
#include "restore/extract/plan.h"
#include "restore/extract/target.h"

struct job {
	struct app *app;
	struct app_generation *g;
	struct extract *x;
	struct outcome outcome;
	struct progress progress;
	int target;
};

/* A folder of the data set's name below the target, for when there are several. */
static int own_folder(struct job *j, const struct generation_dataset *ds, struct err *err)
{
	char shown[200];

	if (strchr(ds->name, '/') || !path_is_entry(ds->name)) {
		err_set(err, "E-RESTORE-13", text("data set '%s' cannot have a folder of its name"),
		    path_show(ds->name, shown, sizeof(shown)));
		return err_hint(err, "%s", text("name it: 'bkp-restore extract N DATASET --to DIR'"));
	}
	return io_make_dir(j->target, ds->name, 0700, err);
}

/* 0, or -1: the run ends. */
static int restore_dataset(
    struct job *j, const struct generation_dataset *ds, bool own, char **patterns, size_t n, struct err *err)
{
	struct err why = ERR_INIT;
	IO_FD_AUTO folder = -1;
	struct plan *plan;
	int r;

	if (own) {
		folder = own_folder(j, ds, &why);
		if (folder < 0) {
			outcome_say(&j->outcome, OUTCOME_LOST, NULL, &why);
			return 0;
		}
	}
	if (plan_new(patterns, n, &plan, err))
		return -1;
	r = extract_dataset(j->x, j->g->arc, ds, plan, own ? folder : j->target, err);
	plan_free(plan);
	return r;
}

static uint64_t total_of(
    const struct generation_root *root, const struct generation_dataset *ds, size_t n_patterns)
{
	uint64_t total = 0;
	size_t i;

	if (n_patterns)
		return 0;
	for (i = 0; i < root->n_datasets; i++)
		if (!ds || ds == &root->datasets[i])
			total += root->datasets[i].bytes;
	return total;
}

static int restore_datasets(struct job *j, const struct generation_dataset *ds, char **patterns, size_t n)
{
	const struct generation_root *root = j->g->root;
	struct err err = ERR_INIT;
	size_t i;
	int r = 0;

	progress_begin(&j->progress, total_of(root, ds, n), j->app->quiet);
	if (ds)
		r = restore_dataset(j, ds, false, patterns, n, &err);
	for (i = 0; !ds && !r && i < root->n_datasets; i++)
		r = restore_dataset(j, &root->datasets[i], true, NULL, 0, &err);
	/* the kernel may have accepted what the disk then refused */
	if (syncfs(j->target) && !r)
		r = err_sys(
		    &err, "E-RESTORE-10", errno, "%s", text("what was written did not arrive on the disk"));
	progress_clear(&j->progress);
	if (r) {
		char to[256];

		err_hint(&err,
		    text("what was restored so far stays in '%s', whole files only; the same command with "
			 "--overwrite, or another "
			 "folder, restores everything"),
		    path_show(j->app->to, to, sizeof(to)));
		outcome_count(&j->outcome, OUTCOME_STOPPED);
		app_error(&err, APP_FAILED);
	}
	outcome_summary(&j->outcome, progress_seconds(&j->progress), j->app->json);
	return app_flush(outcome_exit(&j->outcome));
}

/* The guard of the capture host found it suspect: whoever restores it should know before the clinic works
 * with it. */
static void warn_suspect(const struct vault_r_generation *g, const struct generation_dataset *only)
{
	const struct generation_manifest *m = vault_r_manifest(g);

	for (size_t i = 0; i < m->n_datasets; i++) {
		const struct generation_dataset *d = &m->datasets[i];
		char name[128], why[GUARD_WHY];

		if (!d->suspicion || (only && strcmp(only->name, d->name) != 0))
			continue;
		fprintf(stderr,
		    text("bkp-restore: W-RESTORE-16: data set '%s' of this generation was suspect when it "
			 "was captured: %s\n"),
		    path_show(d->name, name, sizeof(name)), path_show(d->suspicion, why, sizeof(why)));
		fprintf(stderr, "  → %s\n",
		    text("files may have been encrypted or deleted by then: look at them, or take an earlier "
			 "generation"));
	}
}

static bool on_stop(void *arg)
{
	return interrupt_count(arg) > 0;
}

int cmd_extract(struct app *app, int argc, char **argv)
{
	struct extract_options opt = {
	    .same_owner = app->same_owner, .overwrite = app->overwrite, .stop = on_stop};
	struct interrupt *interrupt = NULL;
	struct job j = {.app = app, .target = -1};
	const struct generation_dataset *ds = NULL;
	struct app_generation g;
	struct err err = ERR_INIT;
	int r;

	if (!app->to)
		return app_usage(app, "%s", text("--to DIR is needed: where to restore to"));
	if (app->same_owner && geteuid() != 0)
		return app_usage(app, "%s", text("--same-owner is for root only"));
	r = app_generation(app, argv[0], true, &g);
	if (r)
		return r;
	j.g = &g;
	j.outcome.progress = &j.progress;
	j.outcome.quiet = app->quiet;
	if (argc > 1)
		r = app_dataset(&g, argv[1], &ds);
	if (!r) {
		if (!within_refuse_media(app, app->to, &err))
			j.target = target_open(app->to, &err);
		if (j.target >= 0 && !interrupt_hold(&interrupt, &err))
			opt.stop_arg = interrupt;
		if (!interrupt || extract_new(&opt, &j.outcome, &j.progress, &j.x, &err))
			r = app_error(&err, APP_FAILED);
	}
	if (!r) {
		confine_thread(j.target);
		warn_suspect(g.g, ds);
	}
	if (!r)
		r = restore_datasets(&j, ds, argc > 2 ? argv + 2 : NULL, argc > 2 ? (size_t)argc - 2 : 0);
	extract_free(j.x);
	interrupt_release(interrupt);
	io_close_quietly(&j.target);
	app_generation_close(&g);
	return r;
}
