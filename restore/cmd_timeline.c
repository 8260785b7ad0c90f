/* bkp-restore generations --timeline [DATASET]: what changed from one generation to the next, as a copy of the journal says that the
 * guard of the capture host measured it.  Needs no identity.
 *
 * --svg: the file is opened before the process is confined (confine.h) and written at the end. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/guard/timeline.h"
#include "format/page/timeline_svg.h"
#include "read/ledger/ledger.h"
#include "read/ledger/ledger_timeline.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/within.h"
#include "restore/choose/journal.h"

#define SHOW 300

int cmd_timeline_begin(struct app *app)
{
	char shown[SHOW];
	struct err err = ERR_INIT;

	if (!app->svg)
		return 0;
	if (within_refuse_media(app, app->svg, &err))
		return app_error(&err, APP_FAILED);
	app->svg_fd = open(app->svg, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (app->svg_fd >= 0)
		return 0;
	err_sys(&err, "E-IO-01", errno, text("cannot make '%s'"), path_show(app->svg, shown, sizeof(shown)));
	return app_error(&err, APP_FAILED);
}

/* ---- which of them are here ---- */

struct here {
	struct timeline_row *rows;
	size_t n;
};

static int note_here(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	struct here *h = arg;

	(void)err;
	for (size_t i = 0; i < h->n; i++)
		if (h->rows[i].number == number && !strcmp(h->rows[i].dataset, dataset))
			h->rows[i].gone = false;
	return 0;
}

static int look_here(struct app *app, struct here *h, struct err *err)
{
	for (size_t i = 0; i < h->n; i++)
		h->rows[i].gone = true;
	for (size_t i = 0; i < app->n_media; i++)
		if (app->vaults[i] && vault_r_numbers(app->vaults[i], NULL, note_here, h, err))
			return -1;
	return 0;
}

/* Rows behind the range are left out: what stands before it was needed to judge by. */
static size_t cut_range(const struct app *app, struct timeline_row *rows, size_t n)
{
	size_t kept = 0;

	for (size_t i = 0; i < n; i++)
		if (!app->upto || rows[i].number <= app->upto)
			rows[kept++] = rows[i];
	return kept;
}

/* ---- what is shown ---- */

static int draw(struct app *app, const struct ledger *l, const struct timeline_row *rows, size_t n)
{
	BUF_AUTO out = BUF_INIT(TIMELINE_MAX);
	char under[SHOW], time[CLOCK_TEXT];
	struct err err = ERR_INIT;
	size_t sets = 0;

	for (size_t i = 0; i < n; i += ledger_timeline_set(rows, n, i))
		sets++;
	if (sets > TIMELINE_SVG_SETS)
		return app_usage(app, text("%zu data sets do not fit on a page, at most %d: name one"), sets,
		    TIMELINE_SVG_SETS);
	snprintf(under, sizeof(under), text("repository %s, as of record %ju of its journal (%s)"),
	    vault_r_repository(app->vault), (uintmax_t)ledger_seq(l),
	    clock_format_local(ledger_head_ns(l), time));
	if (timeline_svg(rows, n, under, &out, &err))
		return app_error(&err, APP_FAILED);
	if (io_write_full(app->svg_fd, out.p, out.n) || io_sync(app->svg_fd, app->svg, &err)) {
		if (!err.code[0])
			err_sys(&err, "E-IO-03", errno, "%s", text("the drawing cannot be written"));
		return app_error(&err, APP_FAILED);
	}
	return APP_OK;
}

static int show_json(
    struct app *app, const struct ledger *l, const struct timeline_row *rows, size_t n, size_t *ret_signs)
{
	json_t *sets = ledger_timeline_json(rows, n, app->from, ret_signs);
	json_t *o = json_pack("{s:s, s:I, s:o}", "repository", vault_r_repository(app->vault), "records",
	    (json_int_t)ledger_seq(l), "datasets", sets);

	if (!o)
		app_no_memory();
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
	return APP_OK;
}

static int show(struct app *app, const struct ledger *l, struct timeline_row *rows, size_t n)
{
	BUF_AUTO out = BUF_INIT(TIMELINE_MAX);
	struct err err = ERR_INIT;
	size_t signs = 0;
	int code = APP_OK;

	if (look_here(app, &(struct here){rows, n}, &err))
		return app_error(&err, APP_UNKNOWN);
	n = cut_range(app, rows, n);
	if (app->json)
		code = show_json(app, l, rows, n, &signs);
	else if (ledger_timeline_text(rows, n, app->from, &signs, &out, &err))
		return app_error(&err, APP_FAILED);
	fwrite(out.p ? (char *)out.p : "", 1, out.n, stdout);
	if (app->svg)
		code = app_worse(code, draw(app, l, rows, n));
	return app_flush(app_worse(code, signs ? APP_ATTENTION : APP_OK));
}

int cmd_timeline(struct app *app, const char *dataset)
{
	struct timeline_row *rows = NULL;
	struct ledger *l = NULL;
	struct err err = ERR_INIT;
	size_t n = 0;
	int r = journal_find(app, &l);

	if (!r && ledger_timeline(l, dataset, &rows, &n, &err))
		r = app_error(&err, APP_FAILED);
	else if (!r && !n) {
		err_set(&err, "E-SELECT-03", "%s", text("the journal knows no such generation"));
		err_hint(&err, "%s", text("see them with 'bkp-restore generations'"));
		r = app_error(&err, APP_FAILED);
	} else if (!r) {
		r = show(app, l, rows, n);
	}
	free(rows);
	ledger_free(l);
	return r;
}
