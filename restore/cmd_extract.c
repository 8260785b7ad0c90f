/* bkp-restore extract SELECTOR [PATH...] --to DIR: brings files back.
 *
 * Order: the generations and the target's place are checked before the target is made; signals are held
 * before the first thread is started, so that every thread inherits that; then the process is confined to the
 * target once more, now by the folder's descriptor.  What was restored counts as there only after syncfs().
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/confine.h"
#include "restore/app/interrupt.h"
#include "restore/app/outcome.h"
#include "restore/app/output.h"
#include "restore/app/progress.h"
#include "restore/app/selection.h"
#include "restore/app/within.h"
#include "restore/extract/extract.h"
#include "restore/extract/namelist.h"
#include "restore/extract/plan.h"
#include "restore/extract/target.h"
#include "restore/look/row.h"

struct job {
	struct app *app;
	struct selection *s;
	struct extract *x;
	struct outcome outcome;
	struct progress progress;
	struct namelist names;
	int target;
};

/* The guard of the capture host found it suspect: whoever restores it should know before the clinic works
 * with it. */
static void warn_suspect(const struct app_generation *g)
{
	const char *suspicion = vault_r_manifest(g->g)->dataset.suspicion;
	char why[GUARD_WHY];

	if (!suspicion)
		return;
	fprintf(stderr, text("bkp-restore: W-RESTORE-16: %s was suspect when it was captured: %s\n"),
	    g->label, path_show(suspicion, why, sizeof(why)));
	fprintf(stderr, "  → %s\n",
	    text("files may have been encrypted or deleted by then: look at them, or take an earlier "
		 "generation"));
}

/* Of a run each goes to a folder of its data set's name.  0, or -1: the run ends. */
static int restore_generation(
    struct job *j, struct app_generation *g, char **patterns, size_t n, struct err *err)
{
	struct err why = ERR_INIT;
	IO_FD_AUTO folder = -1;
	struct plan *plan;
	int r;

	warn_suspect(g);
	if (j->s->run && !j->app->dry_run && (folder = io_make_dir(j->target, g->dataset, 0700, &why)) < 0) {
		outcome_say(&j->outcome, OUTCOME_LOST, NULL, &why);
		return 0;
	}
	if (plan_new(patterns, n, &plan, err))
		return -1;
	r = plan_exclude(plan, j->app->excluded, j->app->n_excluded, err);
	if (!r)
		r = extract_dataset(
		    j->x, g->arc, &g->root->dataset, plan, j->s->run ? folder : j->target, err);
	plan_free(plan);
	app_generation_rest(g);
	return r;
}

static int restore_all(struct job *j, char **patterns, size_t n)
{
	struct err err = ERR_INIT;
	uint64_t total = 0;
	int r = 0;

	j->names.folder = j->target;
	for (size_t i = 0; !n && i < j->s->n; i++)
		total += j->s->g[i].root->dataset.bytes;
	progress_begin(&j->progress, total, j->app->quiet);
	for (size_t i = 0; !r && i < j->s->n; i++)
		r = restore_generation(j, &j->s->g[i], patterns, n, &err);
	if (namelist_end(&j->names, r ? NULL : &err) && !r)
		r = -1;
	/* the kernel may have accepted what the disk then refused */
	if (syncfs(j->target) && !r)
		r = err_sys(
		    &err, "E-RESTORE-10", errno, "%s", text("what was written did not arrive on the disk"));
	progress_clear(&j->progress);
	if (r) {
		char to[256];

		err_hint(&err,
		    text("what was restored so far stays in '%s', whole files only; the same command with "
			 "--overwrite --skip-same restores the rest"),
		    path_show(j->app->to, to, sizeof(to)));
		outcome_count(&j->outcome, OUTCOME_STOPPED);
		app_error(&err, APP_FAILED);
	}
	outcome_summary(&j->outcome, progress_seconds(&j->progress), j->app->json);
	return app_flush(app_worse(j->s->code, outcome_exit(&j->outcome)));
}

/* ---- --dry-run ---- */

#define BLOCK ((uint64_t)4096) /* what the smallest file, or a folder, takes of most disks */

struct would {
	bool json, quiet;
	uint64_t entries, bytes, need, renamed;
};

static void count_would(void *arg, const struct catalog_item *item)
{
	struct output_entry e;
	struct would *w = arg;

	if (!w->json && !w->quiet)
		output_line(item);
	output_entry_of(item, &e);
	if (item->flags & CATALOG_UNREADABLE && e.letter != 'd')
		return; /* there is nothing to bring back */
	w->entries++;
	if (e.letter == '-') {
		w->bytes += e.size;
		w->need += (e.size + BLOCK - 1) / BLOCK * BLOCK;
	} else {
		w->need += BLOCK;
	}
}

/* Does it fit?  The target need not be there yet. */
static int say_room(const struct app *app, const struct would *w)
{
	char to[256], has[PROGRESS_SIZE_TEXT], needs[PROGRESS_SIZE_TEXT];
	IO_FD_AUTO fd = within_nearest(app->to);
	struct err err = ERR_INIT;
	struct statvfs vfs;
	uint64_t room;
	bool fits;

	if (fd < 0 || fstatvfs(fd, &vfs))
		return app_error((err_sys(&err, "E-TARGET-01", errno, text("cannot open '%s'"),
				      path_show(app->to, to, sizeof(to))),
				     &err),
		    APP_FAILED);
	room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	fits = room >= w->need;
	progress_size(room, has);
	progress_size(w->need, needs);
	if (app->json)
		printf("{\"entries\":%" PRIu64 ",\"bytes\":%" PRIu64 ",\"needed\":%" PRIu64
		       ",\"room\":%" PRIu64 ",\"renamed\":%" PRIu64 ",\"fits\":%s}\n",
		    w->entries, w->bytes, w->need, room, w->renamed, fits ? "true" : "false");
	else
		printf(text("would be brought back: %ju entries, %s at most; '%s' has room for %s\n"),
		    (uintmax_t)w->entries, needs, path_show(app->to, to, sizeof(to)), has);
	if (fits)
		return APP_OK;
	err_set(&err, "W-RESTORE-24", text("'%s' has room for %s, %s are needed at most"),
	    path_show(app->to, to, sizeof(to)), has, needs);
	err_hint(&err, "%s", text("name a folder on a larger disk"));
	return app_error(&err, APP_ATTENTION);
}

static int rehearse(struct job *j, struct extract_options *opt, char **patterns, size_t n)
{
	struct would w = {.json = j->app->json, .quiet = j->app->quiet};
	struct err err = ERR_INIT;
	int r = 0;

	if (within_refuse_media(j->app, j->app->to, &err))
		return app_error(&err, APP_FAILED);
	opt->stop = NULL; /* an interrupt just ends it: nothing is half-way */
	opt->would = count_would;
	opt->would_arg = &w;
	progress_begin(&j->progress, 0, true);
	if (extract_new(opt, &j->outcome, &j->progress, &j->x, &err))
		return app_error(&err, APP_FAILED);
	for (size_t i = 0; !r && i < j->s->n; i++)
		r = restore_generation(j, &j->s->g[i], patterns, n, &err);
	if (r)
		return app_error(&err, APP_FAILED);
	w.renamed = j->names.n;
	if (namelist_end(&j->names, &err))
		return app_error(&err, APP_FAILED);
	r = app_worse(say_room(j->app, &w), outcome_exit(&j->outcome));
	return app_flush(app_worse(j->s->code, r));
}

static bool on_stop(void *arg)
{
	return interrupt_count(arg) > 0;
}

int cmd_extract(struct app *app, int argc, char **argv)
{
	struct extract_options opt = {.same_owner = app->same_owner,
	    .overwrite = app->overwrite,
	    .numeric_owner = app->numeric_owner,
	    .owner_map = app->owner_map,
	    .skip_same = app->skip_same,
	    .check = app->check,
	    .stop = on_stop};
	struct interrupt *interrupt = NULL;
	struct job j = {.app = app, .target = -1, .names = {.folder = -1, .quiet = app->quiet || app->json}};
	struct selection s;
	struct err err = ERR_INIT;
	int64_t since_ns = 0;
	int r;

	if (!app->to)
		return app_usage(app, "%s", text("--to DIR is needed: where to restore to"));
	if (app->check && !app->skip_same)
		return app_usage(app, "%s", text("--check goes with --skip-same"));
	if (app->dry_run && app->skip_same)
		return app_usage(
		    app, "%s", text("--dry-run does not look at what is there: not with --skip-same"));
	if (app->since && row_since(app->since, &since_ns))
		return app_usage(
		    app, text("--since: '%s' is no day, as 2026-11-20, nor days ago, as 30d"), app->since);
	opt.since = app->since != NULL;
	opt.since_s = since_ns / 1000000000;
	if ((app->numeric_owner || app->owner_map) && !app->same_owner)
		return app_usage(app, "%s", text("--numeric-owner and --owner-map go with --same-owner"));
	if (app->same_owner && geteuid() != 0)
		return app_usage(app, "%s", text("--same-owner is for root only"));
	r = selection_open(app, argv[0], argc > 1 ? argv[1] : NULL, true, &s);
	if (r)
		return r;
	if (app->windows_names) {
		opt.renamed = namelist_add;
		opt.renamed_arg = &j.names;
	}
	j.s = &s;
	j.outcome.progress = &j.progress;
	j.outcome.quiet = app->quiet;
	if (app->dry_run) {
		r = rehearse(&j, &opt, argv + 1, (size_t)argc - 1);
		extract_free(j.x);
		selection_close(&s);
		return r;
	}
	if (!within_refuse_media(app, app->to, &err))
		j.target = target_open(app->to, &err);
	if (j.target >= 0 && !interrupt_hold(&interrupt, &err))
		opt.stop_arg = interrupt;
	if (!interrupt || extract_new(&opt, &j.outcome, &j.progress, &j.x, &err)) {
		r = app_error(&err, APP_FAILED);
	} else {
		if (!app->session) /* whose lines restore to several folders: it is confined to the one that they are in */
			confine_thread(j.target);
		r = restore_all(&j, argv + 1, (size_t)argc - 1);
	}
	extract_free(j.x);
	interrupt_release(interrupt);
	io_close_quietly(&j.target);
	selection_close(&s);
	return r;
}
