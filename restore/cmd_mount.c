/* bkp-restore mount SELECTOR... FOLDER: generations to be looked at as folders, read-only.
 *
 * cmd_mount_begin(), before the process is confined: who mounts and unmounts (mounter.h) → the generations are opened, their hard links
 * counted → mounted → the kernel is answered (serve.h) until an interrupt or umount → cmd_mount_end(): unmounted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/selector.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/selection.h"
#include "restore/app/within.h"
#include "restore/mount/blocks.h"
#include "restore/mount/mounter.h"
#include "restore/mount/serve.h"
#include "restore/mount/tree.h"

struct mounted {
	struct mounter *mounter;
	struct selection *selections;
	size_t n;
	bool folders; /* one for each: several were asked for, however many could be opened */
};

int cmd_mount_begin(struct app *app, int argc, char **argv)
{
	struct mounted *m;
	struct err err = ERR_INIT;

	if (app->command->run != cmd_mount)
		return 0;
	m = app->mounted = calloc(1, sizeof(*m));
	if (!m)
		app_no_memory();
	if (within_refuse_media(app, argv[argc - 1], &err) ||
	    mounter_start(argv[argc - 1], app->allow_other, &m->mounter, &err))
		return cmd_mount_end(app, app_error(&err, APP_FAILED));
	return 0;
}

int cmd_mount_end(struct app *app, int code)
{
	struct mounted *m = app->mounted;

	if (!m)
		return code;
	mounter_end(m->mounter);
	for (size_t i = 0; i < m->n; i++)
		selection_close(
		    &m->selections[i]); /* those that were taken over are closed already, and empty */
	free(m->selections);
	free(m);
	app->mounted = NULL;
	return code;
}

static bool is_there(const struct blocks *b, const struct app_generation *g)
{
	for (size_t i = 0; i < blocks_count(b); i++)
		if (!strcmp(blocks_generation(b, i)->label, g->label))
			return true;
	return false;
}

static int too_many(struct app *app)
{
	return app_usage(app, text("at most %d generations are mounted at once"), TREE_GENERATIONS);
}

/* All that one selector means; a generation that was named twice is one. */
static int add_selector(struct app *app, char *word, struct blocks *b, int *code)
{
	struct mounted *m = app->mounted;
	struct selection *s = &m->selections[m->n];
	struct err err = ERR_INIT;
	bool lost = false;
	int r = selection_open(app, word, NULL, true, s);

	if (r)
		return r;
	m->n++;
	m->folders |= m->n > 1 || s->run;
	*code = app_worse(*code, s->code);
	for (size_t i = 0; !r && i < s->n; i++) {
		if (is_there(b, &s->g[i]))
			continue;
		else if (blocks_count(b) == TREE_GENERATIONS)
			r = too_many(app);
		else if (blocks_add(b, &s->g[i], &lost, &err))
			r = app_error(&err, APP_FAILED);
	}
	if (lost)
		*code = app_worse(*code, APP_ATTENTION);
	return r;
}

static void say_how(const struct app *app, const char *folder)
{
	char word[600];

	app_note(app, text("mounted on %s; to unmount: Ctrl-C here, or 'umount' there"),
	    path_word(folder, word, sizeof(word)));
}

static int serve_until_end(struct app *app, const char *folder, struct serve *s, struct blocks *b, int code)
{
	struct interrupt *stop = NULL;
	struct err err = ERR_INIT;
	int fd, r;

	if (interrupt_hold(&stop, &err))
		return app_error(&err, APP_FAILED);
	r = mounter_mount(app->mounted->mounter, &fd, &err);
	if (!r) {
		say_how(app, folder);
		r = serve_run(s, b, app->mounted->folders, fd, stop, &err);
	}
	interrupt_release(stop);
	if (r)
		return app_error(&err, APP_FAILED);
	return serve_faults(s) ? app_worse(code, APP_FAILED) : code;
}

int cmd_mount(struct app *app, int argc, char **argv)
{
	struct serve *s = serve_new();
	struct blocks *b = s ? blocks_new(serve_pause, s) : NULL;
	int r = 0, code = APP_OK;

	app->mounted->selections = calloc((size_t)argc, sizeof(*app->mounted->selections));
	if (!b || !app->mounted->selections)
		app_no_memory();
	interrupt_says(text("interrupted before it was mounted"), text("repeat the command"), APP_FAILED);
	for (int i = 0; i < argc - 1 && !r; i++)
		r = add_selector(app, argv[i], b, &code);
	if (!r)
		r = serve_until_end(app, argv[argc - 1], s, b, code);
	blocks_free(b);
	serve_free(s);
	return r;
}
