/* cmd_report: bkp report NAME [--at MOMENT]: papers from the journal, as HTML for A4, as CSV, or as JSON. */
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
#include "base/show/suggest.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/report/report.h"
#include "cmd/time/then.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define SHOW	256
#define RECEIPT "receipt"
#define NAMES	16

/* Into a file of its own, which is whole or not there. */
static int write_report(const char *out, const struct buf *b)
{
	int fd = open(out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), errnum;
	struct err err = ERR_INIT;
	char show[SHOW];

	if (fd >= 0 && !io_write_full(fd, b->p, b->n) && !fsync(fd) && !close(fd))
		return io_sync_parent(out, &err) ? app_error(&err, APP_FAILED) : APP_OK;
	errnum = errno;
	path_show(out, show, sizeof(show));
	if (fd < 0 && errnum == EEXIST) {
		err_set(&err, "E-REPORT-01", text("'%s' exists already and is not overwritten"), show);
		err_hint(&err, "%s", text("name another file"));
		return app_error(&err, APP_FAILED);
	}
	if (fd >= 0)
		unlink(out);
	err_sys(&err, "E-IO-03", errnum, text("cannot write '%s'"), show);
	return app_error(&err, APP_FAILED);
}

static int write_out(const char *out, const struct buf *b)
{
	if (out)
		return write_report(out, b);
	fwrite(b->p, 1, b->n, stdout);
	return app_flush(APP_OK);
}

static int json_out(json_t *o, const char *out)
{
	BUF_AUTO b = BUF_INIT(REPORT_MAX);
	struct err err = ERR_INIT;
	char *line;
	int r;

	if (!out)
		return out_json(o, APP_OK);
	line = o ? json_dumps(o, JSON_COMPACT) : NULL;
	r = !line || buf_puts(&b, line, NULL) || buf_puts(&b, "\n", NULL);
	free(line);
	json_decref(o);
	return r ? app_error((err_nomem(&err), &err), APP_FAILED) : write_report(out, &b);
}

/* In memory first: a file is whole or not there. */
static int csv_out(const struct report_list *list, const json_t *rows, const char *out)
{
	struct err err = ERR_INIT;
	struct buf b = BUF_INIT(REPORT_MAX);
	char *table = NULL;
	FILE *to = open_memstream(&table, &b.n);
	int code = APP_OK;

	if (to)
		report_csv(list, rows, to);
	if (!to || ferror(to) || fflush(to))
		code = app_error((err_nomem(&err), &err), APP_FAILED);
	if (to)
		fclose(to);
	b.p = (uint8_t *)table;
	code = code ? code : write_out(out, &b);
	free(table);
	return code;
}

static int html_out(
    const struct report *r, const struct report_list *list, const json_t *rows, const char *out)
{
	BUF_AUTO b = BUF_INIT(REPORT_MAX);
	struct err err = ERR_INIT;

	return report_html(r, list, rows, &b, &err) ? app_error(&err, APP_FAILED) : write_out(out, &b);
}

static int list_out(
    const struct app *app, const struct report *r, const char *name, bool csv, const char *out)
{
	const struct report_list *list = report_list_of(name);
	json_t *rows;
	int code = report_rows(r, list, &rows);

	if (code)
		return code;
	if (app->json)
		return json_out(
		    json_pack("{s:s, s:o, s:o}", "report", name, "rows", rows, "foot", report_foot_json(r)),
		    out);
	code = csv ? csv_out(list, rows, out) : html_out(r, list, rows, out);
	json_decref(rows);
	return code;
}

static int receipt_out(const struct app *app, const struct report *r, const char *name, const char *out)
{
	const struct policy_medium *declared = policy_find_medium(r->policy, name);
	const struct ledger_medium *m = ledger_medium_known(r->l, declared ? declared->name : name);
	BUF_AUTO b = BUF_INIT(REPORT_MAX);
	struct err err = ERR_INIT;
	const char *near;

	if (!m) {
		near = policy_suggest_medium(r->policy, name);
		err_set(&err, "E-MEDIA-14", text("medium '%s' is not registered"), name);
		if (near)
			err_hint(&err, text("did you mean '%s'?"), near);
		err_hint(&err, "%s", text("see them with 'bkp medium list'"));
		return app_error(&err, APP_FAILED);
	}
	if (app->json)
		return json_out(report_receipt_json(r, m), out);
	return report_receipt(r, m, &b, &err) ? app_error(&err, APP_FAILED) : write_out(out, &b);
}

static int which_report(const struct app *app, const char *name)
{
	const char *names[NAMES] = {RECEIPT};
	size_t n = 1;

	for (; n < NAMES && report_list_nth(n - 1); n++)
		names[n] = report_list_nth(n - 1);
	return app_unknown(app, suggest_word(name, names, n), "%s",
	    text("'report' is followed by 'receipt MEDIUM', 'media', 'allowed', 'transfers', 'disposals', "
		 "'losses' or 'drills'"));
}

struct wish {
	int n;
	char **words; /* what stands behind `report` */
	bool csv;
	const char *out, *moment; /* or NULL */
};

static int make_report(const struct app *app, const struct wish *w, const struct report *r)
{
	return w->n == 2 ? receipt_out(app, r, w->words[1], w->out)
			 : list_out(app, r, w->words[0], w->csv, w->out);
}

/* Of a day in the past: from the journal as of then, by the policy of then. */
static int report_then(const struct app *app, const struct policy *today, const struct wish *w)
{
	struct then t;
	int code = then_open(app, today, w->moment, &t);

	if (code)
		return code;
	then_warn(&t);
	code = make_report(app, w, &(struct report){t.policy, t.ledger, t.at_ns});
	then_close(&t);
	return code;
}

static int report_now(struct app *app, const struct policy *policy, const struct wish *w)
{
	struct ledger *l = NULL;
	struct clock_stamp now;
	int code = app_ledger(app, policy, &l);

	if (code)
		return code;
	clock_now(&now);
	code = make_report(app, w, &(struct report){policy, l, now.wall_ns});
	ledger_free(l);
	return code;
}

static int check_wish(const struct app *app, const struct wish *w)
{
	const bool receipt = w->n == 2 && !strcmp(w->words[0], RECEIPT);

	if (!receipt && (w->n != 1 || !report_list_of(w->words[0])))
		return which_report(app, w->n ? w->words[0] : "");
	if (w->csv && (receipt || app->json))
		return app_usage(app, "%s", text("--csv goes with lists, and not with --json"));
	return APP_OK;
}

int cmd_report(struct app *app, int argc, char **argv)
{
	enum { CSV = 1, OUT, AT };
	static const struct option own[] = {{"csv", no_argument, NULL, CSV},
	    {"out", required_argument, NULL, OUT}, {"at", required_argument, NULL, AT}, {NULL, 0, NULL, 0}};
	struct wish w = {0};
	POLICY_AUTO policy = NULL;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		w.csv = w.csv || opt == CSV;
		w.out = opt == OUT ? optarg : w.out;
		w.moment = opt == AT ? optarg : w.moment;
	}
	w.n = argc - optind;
	w.words = argv + optind;
	code = check_wish(app, &w);
	if (!code)
		code = app_policy(app, &policy);
	if (code)
		return code;
	return w.moment ? report_then(app, policy, &w) : report_now(app, policy, &w);
}
