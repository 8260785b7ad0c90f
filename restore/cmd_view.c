/* bkp-restore view DATASET|SELECTOR [PATH...]: charts of a generation in a browser that is cut off from the network; nothing of them is left.
 *
 * cmd_view_begin(), before the process is confined and before an identity is read: the scratch folder, who mounts (view/through.h), who makes
 * pages, opens the browser and erases in the end (view/viewer.h) → the generation is opened → mounted on data/, or brought back there where
 * that cannot be had or paths were named → shown, until a person ends it → cmd_view_end(): unmounted, erased. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/outcome.h"
#include "restore/app/progress.h"
#include "restore/app/selection.h"
#include "restore/app/within.h"
#include "restore/extract/extract.h"
#include "restore/extract/plan.h"
#include "restore/extract/scratch.h"
#include "restore/view/through.h"
#include "restore/view/viewer.h"

struct view {
	struct scratch *scratch;
	struct through *through; /* NULL: it is brought back */
	struct viewer *viewer;
	struct app_generation g;
	bool open; /* g is, and is ours to close */
	const char *hidden[APP_IDENTITIES + 1];
	size_t n_hidden;
	char selector[GENERATION_LABEL + 16];
};

/* A data set alone is its newest generation. */
static void take_selector(struct view *v, const char *word)
{
	bool bare = !strchr(word, '@') && strspn(word, "0123456789") != strlen(word);

	snprintf(v->selector, sizeof(v->selector), "%s%s", word, bare ? "@latest" : "");
}

static int begin(struct app *app, struct view *v, int argc, char **argv, struct err *err)
{
	struct viewer_plan plan = {
	    .of = v->selector, .browser = !app->no_browser, .quiet = app->quiet, .hidden = v->hidden};
	char *data;

	take_selector(v, argv[0]);
	for (; v->n_hidden < app->n_identities; v->n_hidden++)
		v->hidden[v->n_hidden] = app->identities[v->n_hidden];
	if (app->passphrase_file)
		v->hidden[v->n_hidden++] = app->passphrase_file;
	plan.n_hidden = v->n_hidden;
	if (!app->to)
		app->to = app->own_to = scratch_own_place("view");
	if (!app->to)
		return err_sys(err, "E-TARGET-01", errno, "%s", text("no folder can be made for it"));
	if (within_refuse_media(app, app->to, err) || scratch_make(app->to, &v->scratch, err))
		return -1;
	plan.scratch = v->scratch;
	if (viewer_start(&plan, &v->viewer, err))
		return -1;
	if (asprintf(&data, "%s/" VIEWER_DATA, scratch_path(v->scratch)) < 0)
		return err_nomem(err);
	v->through = argc == 1 ? through_start(data) : NULL;
	free(data);
	return 0;
}

int cmd_view_begin(struct app *app, int argc, char **argv)
{
	struct err err = ERR_INIT;

	if (app->command->run != cmd_view)
		return 0;
	app->view = calloc(1, sizeof(*app->view));
	if (!app->view)
		app_no_memory();
	return begin(app, app->view, argc, argv, &err) ? cmd_view_end(app, app_error(&err, APP_FAILED)) : 0;
}

int cmd_view_end(struct app *app, int code)
{
	struct view *v = app->view;

	if (!v)
		return code;
	if (v->viewer)
		viewer_stop(v->viewer);
	through_end(v->through);
	if (v->open)
		app_generation_close(&v->g);
	code = app_worse(code, viewer_end(v->viewer));
	scratch_free(v->scratch);
	free(app->own_to);
	app->to = app->own_to ? NULL : app->to;
	app->own_to = NULL;
	free(v);
	app->view = NULL;
	return code;
}

static bool on_stop(void *arg)
{
	return interrupt_count(arg) > 0;
}

/* ---- brought back ---- */

static int extract_all(struct app *app, char **patterns, size_t n, struct outcome *outcome,
    struct interrupt *interrupt, struct err *err)
{
	struct extract_options opt = {.stop = on_stop, .stop_arg = interrupt};
	struct progress progress;
	struct view *v = app->view;
	struct extract *x = NULL;
	struct plan *plan = NULL;
	IO_FD_AUTO data = io_open_dir(scratch_fd(v->scratch), VIEWER_DATA, err);
	int r;

	if (data < 0)
		return -1;
	app_note(
	    app, text("%s is brought back first; the first page comes when all of it is there"), v->g.label);
	progress_begin(&progress, n ? 0 : v->g.root->dataset.bytes, app->quiet);
	outcome->progress = &progress;
	r = plan_new(patterns, n, &plan, err) || extract_new(&opt, outcome, &progress, &x, err) ||
		    extract_dataset(x, v->g.arc, &v->g.root->dataset, plan, data, err)
		? -1
		: 0;
	progress_clear(&progress);
	outcome->progress = NULL;
	extract_free(x);
	plan_free(plan);
	return r;
}

static void wait_for(struct interrupt *interrupt)
{
	struct pollfd p = {interrupt_fd(interrupt), POLLIN, 0};

	while (!interrupt_count(interrupt))
		(void)poll(&p, 1, -1);
}

static int show_copy(struct app *app, char **patterns, size_t n, struct interrupt *interrupt, struct err *err)
{
	struct outcome outcome = {.quiet = app->quiet};
	int r = extract_all(app, patterns, n, &outcome, interrupt, err);

	app_generation_rest(&app->view->g);
	if (r || (outcome_exit(&outcome) == APP_FAILED && !outcome.count[OUTCOME_FILE]))
		return r ? -1 : outcome_exit(&outcome);
	if (viewer_show(app->view->viewer, err))
		return -1;
	wait_for(interrupt);
	return outcome_exit(&outcome);
}

/* ---- mounted ---- */

static int show_mounted(struct app *app, struct interrupt *interrupt, struct err *err)
{
	struct view *v = app->view;
	bool lost = false;
	unsigned faults;

	v->open = false; /* the mount closes it */
	if (through_open(v->through, &v->g, &lost, err) || viewer_show(v->viewer, err) ||
	    through_serve(v->through, interrupt, &faults, err))
		return -1;
	return faults ? APP_FAILED : lost ? APP_ATTENTION : APP_OK;
}

static int show(struct app *app, char **patterns, size_t n, struct interrupt *interrupt)
{
	struct view *v = app->view;
	struct err err = ERR_INIT;
	int r;

	if (v->through && !through_mount(v->through)) {
		through_end(v->through);
		v->through = NULL;
	}
	r = v->through ? show_mounted(app, interrupt, &err) : show_copy(app, patterns, n, interrupt, &err);
	return r < 0 ? app_error(&err, APP_FAILED) : r;
}

int cmd_view(struct app *app, int argc, char **argv)
{
	struct interrupt *interrupt = NULL;
	struct err err = ERR_INIT;
	int r;

	interrupt_says(
	    text("interrupted before the charts were there"), text("repeat the command"), APP_FAILED);
	r = selection_one(app, app->view->selector, &app->view->g);
	if (r)
		return r;
	app->view->open = true;
	if (interrupt_hold(&interrupt, &err))
		return app_error(&err, APP_FAILED);
	r = show(app, argv + 1, (size_t)argc - 1, interrupt);
	interrupt_release(interrupt);
	return r;
}
