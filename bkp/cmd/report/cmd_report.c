/* cmd_report: bkp report [NAME] [--at MOMENT]: which forms there are; one of them, as HTML for A4, as CSV, or as JSON; the slip of a medium;
 * a pack of all forms; or which packs a folder holds. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/show/suggest.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/report/report.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define SHOW	256
#define RECEIPT "receipt"
#define PACK	"pack"
#define INDEX	"index"

enum format { HTML, CSV, JSON };

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

/* rows are consumed */
static int rows_out(
    const struct report *r, const struct form *f, json_t *rows, enum format format, const char *out)
{
	BUF_AUTO b = BUF_INIT(REPORT_MAX);
	struct err err = ERR_INIT;
	int code;

	if (format == JSON)
		code = json_out(report_json(r, f, rows), out);
	else if (format == CSV		   ? report_csv(f, rows, &b, &err)
		 : f == &report_years_form ? report_years_html(r, rows, &b, &err)
					   : report_html(r, f, rows, &b, &err))
		code = app_error(&err, APP_FAILED);
	else
		code = write_out(out, &b);
	json_decref(rows);
	return code;
}

static int form_out(const struct report *r, const struct form *f, enum format format, const char *out)
{
	struct err err = ERR_INIT;
	json_t *rows;
	int code;

	if (f->refuses && f->refuses(r, &err))
		return app_error(&err, APP_FAILED);
	code = form_rows(r, &f, 1, &rows);
	return code ? code : rows_out(r, f, rows, format, out);
}

static int index_out(const struct report *r, const char *dir, enum format format, const char *out)
{
	json_t *rows;
	bool wrong;
	int code = report_years_rows(r, dir, &rows, &wrong);

	if (!code)
		code = rows_out(r, &report_years_form, rows, format, out);
	return code ? code : wrong ? APP_ATTENTION : APP_OK;
}

static int receipt_out(const struct report *r, const char *name, enum format format, const char *out)
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
	if (format == JSON)
		return json_out(report_receipt_json(r, m), out);
	return report_receipt(r, m, &b, &err) ? app_error(&err, APP_FAILED) : write_out(out, &b);
}

/* ---- which there are ---- */

static int list_json(void)
{
	json_t *list = json_array();

	for (size_t i = 0; form_nth(i); i++)
		json_array_append_new(list,
		    json_pack("{s:s, s:s, s:s, s:b}", "number", form_nth(i)->number, "report",
			form_nth(i)->name, "title", text(form_nth(i)->title), "paper", form_nth(i)->paper));
	return out_json(json_pack("{s:o}", "reports", list), APP_OK);
}

static int list_forms(const struct app *app)
{
	struct table *t = app->json ? NULL : table_new(3);
	struct err err = ERR_INIT;

	if (app->json)
		return list_json();
	if (!t)
		return app_error((err_nomem(&err), &err), APP_FAILED);
	for (size_t i = 0; form_nth(i); i++) {
		table_cell(t, "%s%s", form_nth(i)->paper ? "▲" : "", form_nth(i)->number);
		table_cell(t, "%s", form_nth(i)->name);
		table_cell(t, "%s", text(form_nth(i)->title));
	}
	return out_table(t, 0, APP_OK);
}

static int which_report(const struct app *app, const char *name)
{
	const char *names[FORM_MAX + 3] = {RECEIPT, PACK, INDEX};
	size_t n = 3;

	for (; n < FORM_MAX + 3 && form_nth(n - 3); n++)
		names[n] = form_nth(n - 3)->name;
	return app_unknown(app, suggest_word(name, names, n), "%s",
	    text("'report' is followed by 'pack', by 'index --dir DIR', by 'receipt MEDIUM', or by name or "
		 "number of a form; 'bkp report' lists them"));
}

/* ---- the command line ---- */

struct wish {
	struct report_wish from;
	int n;
	char **words; /* what stands behind `report` */
	enum format format;
	bool formats; /* one was asked for */
	const char *out, *profile, *signer, *dir;
};

/* html, csv, json; --csv and --json are two of them. */
static int take_format(const struct app *app, const char *word, struct wish *w)
{
	static const char *const words[] = {"html", "csv", "json"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(word, words[i])) {
			if (w->formats && w->format != (enum format)i)
				return app_usage(app, "%s", text("one format at a time"));
			w->format = (enum format)i;
			w->formats = true;
			return APP_OK;
		}
	return app_unknown(
	    app, suggest_word(word, words, 3), text("--format is html, csv or json, not '%s'"), word);
}

/* A pack holds every format, and goes into a folder. */
static int check_pack(const struct app *app, const struct wish *w)
{
	static const char *const words[] = {"clinic", "hospital"};

	if (w->n != 1 || w->formats || !w->out || w->dir)
		return app_usage(
		    app, "%s", text("'report pack' wants --out PATH, and no format: it holds all three"));
	if (w->profile && strcmp(w->profile, words[0]) != 0 && strcmp(w->profile, words[1]) != 0)
		return app_unknown(app, suggest_word(w->profile, words, 2),
		    text("--profile is clinic or hospital, not '%s'"), w->profile);
	return APP_OK;
}

static bool is_index(const struct wish *w)
{
	return w->n == 1 && !strcmp(w->words[0], INDEX);
}

static int check_wish(const struct app *app, const struct wish *w)
{
	const bool receipt = w->n == 2 && !strcmp(w->words[0], RECEIPT);

	if (w->from.root_key && !w->from.medium)
		return app_usage(app, "%s", text("--root-key goes with --medium"));
	if (!strcmp(w->words[0], PACK))
		return check_pack(app, w);
	if (w->profile || w->signer)
		return app_usage(app, "%s", text("--profile and --signer go with 'report pack'"));
	if (!w->dir != !is_index(w))
		return app_usage(
		    app, "%s", text("'report index' wants --dir DIR: the folder that the packs are in"));
	if (!receipt && !is_index(w) && (w->n != 1 || !form_of(w->words[0])))
		return which_report(app, w->n ? w->words[0] : "");
	if (receipt && w->format == CSV)
		return app_usage(app, "%s", text("a slip is no table"));
	return APP_OK;
}

static int make_report(struct app *app, const struct wish *w)
{
	const struct report_pack_wish pack = {w->out, w->signer, w->profile && !strcmp(w->profile, "clinic")};
	struct report_source *s;
	int code;

	if (!strcmp(w->words[0], PACK))
		return report_pack(app, &w->from, &pack);
	code = report_open(app, &w->from, &s);

	if (code)
		return code;
	code = w->n == 2     ? receipt_out(report_of(s), w->words[1], w->format, w->out)
	       : is_index(w) ? index_out(report_of(s), w->dir, w->format, w->out)
			     : form_out(report_of(s), form_of(w->words[0]), w->format, w->out);
	report_close(s);
	return code;
}

int cmd_report(struct app *app, int argc, char **argv)
{
	enum { CSV_ = 1, OUT, AT, FORMAT, PROFILE, SIGNER, DIR, MEDIUM, ROOT_KEY };
	static const struct option own[] = {{"csv", no_argument, NULL, CSV_},
	    {"out", required_argument, NULL, OUT}, {"at", required_argument, NULL, AT},
	    {"format", required_argument, NULL, FORMAT}, {"profile", required_argument, NULL, PROFILE},
	    {"signer", required_argument, NULL, SIGNER}, {"dir", required_argument, NULL, DIR},
	    {"medium", required_argument, NULL, MEDIUM}, {"root-key", required_argument, NULL, ROOT_KEY},
	    {NULL, 0, NULL, 0}};
	struct wish w = {.format = HTML};
	int code = APP_OK, opt;

	while (!code && (opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		if (opt == FORMAT || opt == CSV_)
			code = take_format(app, opt == CSV_ ? "csv" : optarg, &w);
		else
			*(opt == OUT	     ? &w.out
			    : opt == AT	     ? &w.from.moment
			    : opt == PROFILE ? &w.profile
			    : opt == SIGNER  ? &w.signer
			    : opt == DIR     ? &w.dir
			    : opt == MEDIUM  ? &w.from.medium
					     : &w.from.root_key) = optarg;
	}
	if (!code && app->json)
		code = take_format(app, "json", &w);
	w.n = argc - optind;
	w.words = argv + optind;
	app_language(app);
	if (!code && !w.n)
		return list_forms(app);
	if (!code)
		code = check_wish(app, &w);
	return code ? code : make_report(app, &w);
}
