/* bkp-restore cat SELECTOR PATH: one file to standard output. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <archive_entry.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "read/vault/catalog_r.h"
#include "read/vault/extent_r.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/selection.h"

static int write_zeros(uint64_t n)
{
	static const char zeros[65536];

	while (n) {
		size_t part = n < sizeof(zeros) ? (size_t)n : sizeof(zeros);

		if (io_write_full(STDOUT_FILENO, zeros, part))
			return -1;
		n -= part;
	}
	return 0;
}

static int write_part(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	(void)arg;
	(void)at;
	if (p ? io_write_full(STDOUT_FILENO, p, (size_t)n) : write_zeros(n))
		return err_sys(err, "E-IO-03", errno, "%s", text("cannot write to standard output"));
	return 0;
}

static int is_file(const struct catalog_item *item, const char *shown, struct err *err)
{
	const char *symlink = archive_entry_symlink(item->entry);
	char target[300];

	if (item->extents)
		return 0;
	if (item->flags & CATALOG_UNREADABLE)
		return err_set(err, "E-RESTORE-03",
		    text("'%s' could not be read when it was captured, there is no content"), shown);
	if (symlink)
		return err_set(err, "E-RESTORE-14", text("'%s' is a symbolic link to '%s'"), shown,
		    path_show(symlink, target, sizeof(target)));
	return err_set(err, "E-RESTORE-14", text("'%s' is not a file"), shown);
}

static int print_file(struct app *app, struct app_generation *g, const char *path)
{
	struct err err = ERR_INIT;
	struct catalog_item item;
	struct catalog_r *c;
	char shown[300];
	int r;

	path_show(path, shown, sizeof(shown));
	if (catalog_r_open(g->arc, &g->root->dataset, &c, &err))
		return app_error(&err, APP_FAILED);
	r = catalog_r_find(c, path, &item, &err);
	if (r == CATALOG_R_ABSENT) {
		r = err_set(&err, "E-RESTORE-11", text("nothing is called '%s' in %s"), shown, g->label);
		err_hint(&err, "%s", text("'bkp-restore list' shows what there is, as it has to be typed"));
	} else if (!r && !is_file(&item, shown, &err)) {
		r = extent_r_file(
		    g->arc, item.extents, item.extents_len, item.sha256, write_part, NULL, &err);
		if (r)
			err_wrap(&err, "'%s'", shown);
		else if (item.flags & CATALOG_CHANGED)
			r = 1;
	} else {
		r = -1;
	}
	catalog_r_close(c);
	if (r == 1) {
		app_note(app,
		    text("bkp-restore: E-RESTORE-04: '%s' changed while it was captured, its content may be "
			 "a mixture"),
		    shown);
		return APP_ATTENTION;
	}
	return r ? app_error(&err, APP_FAILED) : APP_OK;
}

int cmd_cat(struct app *app, int argc, char **argv)
{
	struct app_generation g;
	char *path = argv[1];
	int r;

	(void)argc;
	if (!app_entry_path(&path))
		return app_usage(app, text("'%s' is not a path as listed"), argv[1]);
	r = selection_one(app, argv[0], &g);
	if (r)
		return r;
	interrupt_says(text("interrupted: what was written is not the whole file"),
	    text("do not use it; repeat the command"), APP_FAILED);
	r = print_file(app, &g, path);
	app_generation_close(&g);
	return r;
}
