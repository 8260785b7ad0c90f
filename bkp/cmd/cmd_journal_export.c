/* cmd_journal_export: bkp journal export: all records as a table for a spreadsheet (CSV) or as JSON.
 *
 * Nothing is written of a journal that does not verify.  A cell of the table never begins with what a
 * spreadsheet takes for a formula: an apostrophe stands before it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/cmd_journal.h"
#include "base/show/csv.h"
#include "cmd/show/journal_words.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"

#define SHOW 256

struct exporting {
	FILE *to;
	bool csv;
	uint64_t written;
	const struct ledger *ledger; /* of the whole journal: names of media */
};

/* ---- CSV ---- */

static void csv_head(const struct exporting *e)
{
	const char *const names[] = {text("No."), text("time (local)"), text("time (UTC)"),
	    text("clock synchronised"), text("user"), text("by sudo from"), text("role"), text("operator"),
	    text("command"), text("event"), text("generation"), text("medium"), text("outcome"),
	    text("Signature"), text("what")};
	size_t n = sizeof(names) / sizeof(*names);

	fputs(CSV_BOM, e->to);
	for (size_t i = 0; i < n; i++)
		csv_cell(e->to, names[i], i == n - 1);
}

static void csv_number(const struct exporting *e, const json_t *v)
{
	char text_of[32] = "";

	if (json_is_integer(v))
		snprintf(text_of, sizeof(text_of), "%" JSON_INTEGER_FORMAT, json_integer_value(v));
	csv_cell(e->to, text_of, false);
}

/* "root (sudo sato)" as two cells. */
static void csv_who(const struct exporting *e, const char *by)
{
	static const char mark[] = " (sudo ";
	const char *at = strstr(by, mark);
	char user[512], sudo[512];

	snprintf(user, sizeof(user), "%.*s", at ? (int)(at - by) : (int)strlen(by), by);
	snprintf(sudo, sizeof(sudo), "%s", at ? at + sizeof(mark) - 1 : "");
	if (*sudo)
		sudo[strcspn(sudo, ")")] = '\0';
	csv_cell(e->to, user, false);
	csv_cell(e->to, sudo, false);
}

static void csv_row(const struct exporting *e, const struct journal_record *r)
{
	char time[CLOCK_TEXT], said[JOURNAL_WORDS];

	csv_number(e, json_object_get(r->json, "seq"));
	csv_cell(e->to, clock_format_local(r->wall_ns, time), false);
	csv_cell(e->to, journal_text(r->json, "time"), false);
	csv_cell(e->to, r->synced ? text("yes") : text("no"), false);
	csv_who(e, r->by);
	csv_cell(e->to, journal_text(r->json, "role"), false);
	csv_cell(e->to, journal_text(r->json, "operator"), false);
	csv_cell(e->to, journal_text(r->json, "command"), false);
	csv_cell(e->to, r->event, false);
	csv_cell(e->to, journal_words_generation(r, said), false);
	csv_cell(e->to, journal_words_medium(r, e->ledger, said), false);
	csv_cell(e->to, journal_words_outcome(r, said), false);
	csv_cell(e->to, journal_words_signed(r, e->ledger, said), false);
	csv_cell(e->to, journal_words_what(r, said), true);
}

/* ---- both ---- */

static int export_record(void *arg, const struct journal_record *r, struct err *err)
{
	struct exporting *e = arg;

	(void)err;
	if (e->csv) {
		csv_row(e, r);
	} else {
		fputs(e->written ? ",\n" : "[\n", e->to);
		json_dumpf(r->json, e->to, JSON_COMPACT);
	}
	e->written++;
	return 0;
}

static int cannot_write(const char *name, int errnum)
{
	struct err err = ERR_INIT;
	char show[SHOW];

	if (errnum == EEXIST) {
		err_set(&err, "E-JOURNAL-25", text("'%s' exists already and is not overwritten"),
		    path_show(name, show, sizeof(show)));
		err_hint(&err, "%s", text("name another file"));
		return app_error(&err, APP_FAILED);
	}
	err_sys(&err, "E-IO-03", errnum, text("cannot write '%s'"), path_show(name, show, sizeof(show)));
	return app_error(&err, APP_FAILED);
}

static int write_all(struct exporting *e, struct store_file *journal, const char *name)
{
	struct ledger *again = NULL;
	struct err err = ERR_INIT;

	if (e->csv)
		csv_head(e);
	if (ledger_load_file(journal, name, ledger_root(e->ledger), export_record, e, &again, &err))
		return app_error(&err, APP_FAILED);
	ledger_free(again);
	if (!e->csv)
		fputs("\n]\n", e->to);
	return APP_OK;
}

/* Into a file of its own, which is whole or not there. */
static int to_file(struct exporting *e, struct store_file *journal, const char *name, const char *out)
{
	int to = open(out, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600), code;
	bool failed;

	if (to < 0)
		return cannot_write(out, errno);
	e->to = fdopen(to, "w");
	if (!e->to) {
		close(to);
		unlink(out);
		return cannot_write(out, ENOMEM);
	}
	code = write_all(e, journal, name);
	errno = 0;
	failed = ferror(e->to) || fflush(e->to) || fsync(to) || io_sync_parent(out, NULL);
	if (fclose(e->to) || failed)
		code = code ? code : cannot_write(out, errno ? errno : EIO);
	if (code)
		unlink(out);
	return code;
}

int cmd_journal_export(struct app *app, struct cmd_journal_options *o)
{
	struct exporting e = {.to = stdout, .csv = o->format && !strcmp(o->format, "csv")};
	struct ledger *l = NULL;
	struct err err = ERR_INIT;
	char name[4096];
	STORE_FILE_AUTO journal = {0};
	int code;

	if (!o->format || (!e.csv && strcmp(o->format, "json") != 0))
		return app_usage(app, "%s", text("'journal export' needs --format csv or --format json"));
	code = cmd_journal_open(app, o, &journal, name, sizeof(name));
	if (code)
		return code;
	/* all of it is checked before any of it is written */
	if (ledger_load_file(&journal, name, NULL, NULL, NULL, &l, &err))
		return app_error(&err, APP_FAILED);
	e.ledger = l;
	code = o->out ? to_file(&e, &journal, name, o->out) : write_all(&e, &journal, name);
	ledger_free(l);
	return o->out ? code : app_flush(code);
}
