/* bkp-restore drill --unattended FILE --to DIR: a rehearsal of a sample, begun by a timer, on a computer where nobody is.
 *
 * Before anything is opened cmd_drill_begin() locks DIR (one rehearsal at a time), leaves the terminal, if there is one, so that nothing
 * can ask, and turns what is printed into DIR/<time>.log; the drill itself works in DIR/<time>.  Behind everything cmd_drill_end() reads
 * what the drill has recorded, or what the log says, and prints exactly one line: how it was, and what to do next.  A process that is
 * killed says nothing: a week without a line is a finding, too, and 'drill_every' of the policy asks for drills that do not come.
 *
 * Errors: E-DRILL-31 the folder is not one's own, or another rehearsal is under way there.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/journal/drill_slip.h"
#include "format/journal/journal.h"
#include "restore/app/app.h"

#define LINE	   1200
#define SHOW	   400
#define RECORD_MAX ((size_t)64 << 20)
#define LOG_MAX	   ((size_t)1 << 20) /* of its beginning, where the first fault is */

struct rehearsal {
	int mail; /* where its line goes */
	int folder;
	char name[32]; /* of this one in there, by its time */
	char *to, *parent;
};

/* ---- the line ---- */

/* The first line of the log that begins so, and the next action behind it; "" where there is none. */
static void first_fault(char *log, const char *mark, char fault[SHOW], char next[SHOW])
{
	static const char us[] = "bkp-restore: ", arrow[] = "  → ";
	char *save = log, *line;

	while ((line = strsep(&save, "\n"))) {
		if (!*line || strncmp(line, mark, strlen(mark)) != 0)
			continue;
		path_show(line + (strncmp(line, us, strlen(us)) ? 0 : strlen(us)), fault, SHOW);
		line = strsep(&save, "\n");
		if (line && !strncmp(line, arrow, strlen(arrow)))
			path_show(line + strlen(arrow), next, SHOW);
		return;
	}
}

static void find_fault(const struct rehearsal *r, char fault[SHOW], char next[SHOW])
{
	/* what is wrong with a document is said at its line, without a name */
	static const char *const marks[] = {"bkp-restore: E-", "bkp-restore: W-", ""};

	fault[0] = next[0] = '\0';
	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks) && !fault[0]; i++) {
		char path[64], *log = calloc(1, LOG_MAX + 1);
		IO_FD_AUTO fd = -1;

		snprintf(path, sizeof(path), "%s.log", r->name);
		fd = openat(r->folder, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (log && fd >= 0 && io_read_full(fd, log, LOG_MAX) > 0)
			first_fault(log, marks[i], fault, next);
		free(log);
	}
}

/* NULL: nothing was recorded. */
static json_t *read_record(const struct rehearsal *r)
{
	BUF_AUTO b = BUF_INIT(RECORD_MAX);
	char path[64];

	snprintf(path, sizeof(path), "%s/drill.json", r->name);
	return io_read_file(r->folder, path, &b, NULL)
		   ? NULL
		   : json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
}

static void name_generations(const json_t *record, char out[SHOW])
{
	const json_t *all = json_object_get(record, "generations");
	size_t n = 0;

	out[0] = '\0';
	for (size_t i = 0; i < json_array_size(all) && n < SHOW - GENERATION_LABEL - 2; i++) {
		const json_t *g = json_array_get(all, i);
		char label[GENERATION_LABEL];

		n += (size_t)snprintf(out + n, SHOW - n, "%s%s", i ? " " : "",
		    generation_label(journal_text(g, "dataset"),
			(uint64_t)json_integer_value(json_object_get(g, "generation")), label));
	}
}

static void format_line(const struct rehearsal *r, int code, char out[LINE])
{
	char fault[SHOW], next[SHOW], title[SHOW], label[SHOW], sets[SHOW], took[CLOCK_SPAN], where[SHOW];
	json_t *record = read_record(r);
	const char *verdict = journal_text(record, "verdict");
	const double s = json_number_value(json_object_get(json_object_get(record, "rto"), "measured_s"));

	find_fault(r, fault, next);
	path_show(r->to, where, sizeof(where));
	if (!*verdict) {
		snprintf(out, LINE, text("bkp-restore: the rehearsal was NOT DONE: %s → %s (more in %s.log)"),
		    *fault ? fault : "?", *next ? next : text("look into the log"), where);
	} else {
		path_show(journal_text(json_object_get(record, "procedure"), "title"), title, sizeof(title));
		path_show(journal_text(json_object_get(record, "medium"), "label"), label, sizeof(label));
		name_generations(record, sets);
		snprintf(out, LINE,
		    text(
			"bkp-restore: rehearsal of '%s': %s; %s from '%s' in %s%s%s → %s%sbkp journal import "
			"%s/drill.json"),
		    title, drill_slip_verdict_text(verdict), sets, label, clock_format_span(s, took),
		    code && *fault ? "; " : "", code ? fault : "", code ? next : "",
		    code && *next ? "; " : "", where);
	}
	json_decref(record);
}

static int put_line(int fd, const char *line)
{
	char whole[LINE + 2];
	size_t n = (size_t)snprintf(whole, sizeof(whole), "%s\n", line);

	return io_write_full(fd, whole, n) ? APP_FAILED : 0;
}

/* ---- before ---- */

static int open_folder(struct rehearsal *r, const char *to, struct err *err)
{
	char show[SHOW];
	struct stat st;
	int lock, n;

	if (mkdir(to, 0700) && errno != EEXIST)
		return err_sys(err, "E-DRILL-31", errno, text("the folder '%s' cannot be made"),
		    path_show(to, show, sizeof(show)));
	r->folder = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (r->folder < 0 || fstat(r->folder, &st))
		return err_sys(err, "E-DRILL-31", errno, text("the folder '%s' cannot be opened"),
		    path_show(to, show, sizeof(show)));
	if (st.st_uid != geteuid() || st.st_mode & 022) {
		err_set(err, "E-DRILL-31",
		    text("the folder '%s' belongs to somebody else, or others may write there"),
		    path_show(to, show, sizeof(show)));
		return err_hint(err, "%s", text("give it a folder of its own"));
	}
	/* held until the process has ended */
	lock = openat(r->folder, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock < 0)
		return err_sys(err, "E-DRILL-31", errno, text("the folder '%s' cannot be locked"),
		    path_show(to, show, sizeof(show)));
	n = io_lock(lock, err);
	if (n == IO_BUSY) {
		err_set(err, "E-DRILL-31", text("another rehearsal is under way in '%s'"),
		    path_show(to, show, sizeof(show)));
		return err_hint(
		    err, "%s", text("let it end; begin the next one later, or in another folder"));
	}
	return n;
}

/* No question finds anybody: neither on standard input nor at the terminal that the process belongs to. */
static int leave_terminal(const struct rehearsal *r, struct err *err)
{
	IO_FD_AUTO tty = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC),
		   null = open("/dev/null", O_RDONLY | O_CLOEXEC), log = -1;
	void (*before)(int) = signal(SIGHUP, SIG_IGN);
	char path[64];

	if (tty >= 0)
		(void)ioctl(tty,
		    TIOCNOTTY); /* keyring and the others open /dev/tty, and are told that there is none */
	signal(SIGHUP, before);
	snprintf(path, sizeof(path), "%s.log", r->name);
	log = openat(r->folder, path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	fflush(NULL);
	if (null < 0 || log < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 ||
	    dup2(log, STDERR_FILENO) < 0)
		return err_sys(err, "E-DRILL-31", errno, "%s", text("its log cannot be made"));
	return 0;
}

/* A disk that is away today is no fault: one of those that are here is drawn. */
static void leave_absent(struct app *app)
{
	size_t n = 0;

	for (size_t i = 0; i < app->n_media; i++) {
		char path[4096];
		const char *medium = app->media[i];

		snprintf(path, sizeof(path), "%s/bkp-medium.json", medium);
		if (!access(path, F_OK))
			app->media[n++] = medium;
		else
			app_note(app, text("'%s' is not here today"), medium);
	}
	app->n_media = n ? n : app->n_media; /* none: that they cannot be opened is said as ever */
}

static int begin(struct app *app, struct rehearsal *r, struct err *err)
{
	const time_t now = time(NULL);
	struct tm tm;

	strftime(r->name, sizeof(r->name), "%Y%m%dT%H%M%SZ", gmtime_r(&now, &tm));
	if (open_folder(r, app->to, err))
		return -1;
	r->parent = realpath(app->to, NULL);
	if (!r->parent || asprintf(&r->to, "%s/%s", r->parent, r->name) < 0)
		return err_nomem(err);
	r->mail = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (r->mail < 0)
		return err_sys(err, "E-DRILL-31", errno, "%s", text("its log cannot be made"));
	return leave_terminal(r, err);
}

int cmd_drill_begin(struct app *app)
{
	struct err err = ERR_INIT;
	struct rehearsal *r;
	char line[LINE];

	if (!app->unattended || app->command->run != cmd_drill)
		return 0;
	if (!app->to || app->keep || app->json)
		return app_usage(app, "%s",
		    text("--unattended wants --to DIR, the folder of all rehearsals, and neither --keep nor "
			 "--json"));
	r = calloc(1, sizeof(*r));
	if (!r)
		app_no_memory();
	r->folder = r->mail = -1;
	app->rehearsal = r;
	if (!begin(app, r, &err)) {
		app->to = r->to;
		app->random = true;
		app->isolation = app->isolation ? app->isolation : "required";
		leave_absent(app);
		return 0;
	}
	snprintf(line, sizeof(line), text("bkp-restore: the rehearsal was NOT DONE: %s: %s → %s"), err.code,
	    err.msg, err.hint[0] ? err.hint : text("look at that folder"));
	(void)put_line(r->mail >= 0 ? r->mail : STDOUT_FILENO, line);
	io_close_quietly(&r->mail); /* it is said */
	return APP_FAILED;
}

int cmd_drill_end(struct app *app, int code)
{
	struct rehearsal *r = app->rehearsal;
	char line[LINE];

	if (!r)
		return code;
	fflush(NULL);
	if (r->mail >= 0) {
		format_line(r, code, line);
		code = app_worse(code, put_line(r->mail, line));
	}
	io_close_quietly(&r->mail);
	io_close_quietly(&r->folder);
	free(r->to);
	free(r->parent);
	free(r);
	app->rehearsal = NULL;
	return code;
}
