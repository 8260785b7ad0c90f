/* bkp-restore index FOLDER --to DIR: pages to read charts by, of a folder that was brought back. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/app/app.h"
#include "restore/app/confine.h"
#include "restore/app/interrupt.h"
#include "restore/extract/target.h"
#include "restore/view/look.h"

#define SHOW 600

static int refuse_name(void *arg, const char *name, struct err *err)
{
	(void)arg, (void)name, (void)err;
	return 1;
}

static int open_both(
    const struct app *app, const char *folder, int *ret_data, int *ret_pages, struct err *err)
{
	char shown[SHOW];

	*ret_data = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (*ret_data < 0)
		return err_sys(err, "E-VIEW-03", errno, text("cannot open '%s'"),
		    path_show(folder, shown, sizeof(shown)));
	*ret_pages = target_open(app->to, err);
	if (*ret_pages < 0)
		return -1;
	if (!io_each_name(*ret_pages, refuse_name, NULL, err))
		return 0;
	err_set(err, "E-VIEW-03", text("'%s' is not empty"), path_show(app->to, shown, sizeof(shown)));
	return err_hint(err, "%s", text("name a folder that does not exist yet"));
}

static bool on_stop(void *arg)
{
	return interrupt_count(arg) > 0;
}

static int look_at(const struct app *app, struct look *l, const char *folder, struct err *err)
{
	char *real = realpath(folder, NULL), *link = real ? look_link(real) : NULL;
	char shown[SHOW];
	int r;

	if (!link)
		app_no_memory();
	l->link = link;
	l->of = path_show(folder, shown, sizeof(shown));
	r = look_folder(l, err);
	free(real);
	free(link);
	if (!r && interrupt_count(l->arg))
		r = err_set_kind(err, ERR_STOPPED, "E-RESTORE-15", "%s", text("interrupted"));
	if (!r)
		app_note(app, text("%ju files: %ju patients, %ju studies, %ju documents"),
		    (uintmax_t)l->files, (uintmax_t)l->patients, (uintmax_t)l->studies,
		    (uintmax_t)l->documents);
	return r;
}

/* Where it is, on standard output. */
static int say_where(const struct app *app)
{
	char *real = realpath(app->to, NULL), *link = real ? look_link(real) : NULL;

	if (!link)
		app_no_memory();
	printf("%s/index.html\n", link);
	free(real);
	free(link);
	return app_flush(APP_OK);
}

int cmd_index(struct app *app, int argc, char **argv)
{
	struct look l = {.data = -1, .pages = -1, .stop = on_stop};
	struct interrupt *interrupt = NULL;
	struct err err = ERR_INIT;
	int r;

	(void)argc;
	if (!app->to)
		return app_usage(app, "%s", text("--to DIR is needed: where the pages go"));
	r = open_both(app, argv[0], &l.data, &l.pages, &err) || interrupt_hold(&interrupt, &err) ? -1 : 0;
	l.arg = interrupt;
	if (!r) {
		confine_thread(l.pages);
		r = look_at(app, &l, argv[0], &err);
	}
	interrupt_release(interrupt);
	io_close_quietly(&l.data);
	io_close_quietly(&l.pages);
	if (r)
		return app_error(&err, APP_FAILED);
	r = say_where(app);
	return l.faults ? app_worse(r, app_error(&l.last, APP_ATTENTION)) : r;
}
