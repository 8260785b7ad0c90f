/* bkp-restore bisect DATASET: which generation is the last without files that are known to be bad, or that a virus scanner finds.
 *
 * cmd_bisect_begin(), before the process is confined and before an identity is read: the folder for the scanner, and the process that
 * starts it → the newest generation first: what is bad in it (bisect/bisect.h), a line → what that means (bisect/lastclean.h) →
 * cmd_bisect_end() erases.  Nothing that was not read as a whole is called clean.
 *
 * Names of files are shown on a terminal, and into a file that nobody else can read; else they are left out, and that is said. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/output.h"
#include "restore/app/progress.h"
#include "restore/app/selection.h"
#include "restore/app/within.h"
#include "restore/bisect/bisect.h"
#include "restore/bisect/known_bad_file.h"
#include "restore/bisect/lastclean.h"
#include "restore/bisect/quarantine.h"
#include "restore/extract/scratch.h"

#define SHOW  300
#define NAMED 10 /* of a content that is bad, on a terminal; and faults of a generation */
#define DAY   16

struct job {
	struct app *app;
	const char *dataset;
	struct bisect *b;
	struct progress progress;
	struct lastclean_generation *g; /* the newest first */
	size_t n, done;
	size_t faults;	 /* of the generation under way */
	struct err last; /* the newest of them: said once, however many files it befell */
};

/* ---- the scanner, beforehand ---- */

int cmd_bisect_begin(struct app *app)
{
	const char *hidden[APP_IDENTITIES + 1];
	struct err err = ERR_INIT;
	size_t n = 0;

	if (!app->scan)
		return 0;
	if (!strstr(app->scan, "{}") && !strstr(app->scan, "{list}"))
		return app_usage(
		    app, "%s", text("--scan: the command needs {}, the folder to look at, or {list}"));
	for (; n < app->n_identities; n++)
		hidden[n] = app->identities[n];
	if (app->passphrase_file)
		hidden[n++] = app->passphrase_file;
	if (!app->to)
		app->to = app->own_to = scratch_own_place("bisect");
	if (!app->to)
		err_sys(&err, "E-TARGET-01", errno, "%s", text("no folder for the scanner can be made"));
	else if (!within_refuse_media(app, app->to, &err) &&
		 !quarantine_open(app->to, app->scan, hidden, n, &app->quarantine, &err))
		return 0;
	return app_error(&err, APP_FAILED);
}

int cmd_bisect_end(struct app *app, int code)
{
	int r = quarantine_close(app->quarantine);

	app->quarantine = NULL;
	free(app->own_to);
	app->to = app->own_to ? NULL : app->to;
	app->own_to = NULL;
	return r ? app_worse(code, APP_FAILED) : code;
}

/* ---- what is to be looked at ---- */

static int take_number(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	struct job *j = arg;
	struct lastclean_generation *more;

	(void)dataset;
	if (number < j->app->from || (j->app->upto && number > j->app->upto))
		return 0;
	for (size_t i = 0; i < j->n; i++)
		if (j->g[i].number == number)
			return 0;
	more = reallocarray(j->g, j->n + 1, sizeof(*more));
	if (!more)
		return err_nomem(err);
	j->g = more;
	j->g[j->n++] = (struct lastclean_generation){.number = number};
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct lastclean_generation *x = a, *y = b;

	return (x->number < y->number) - (x->number > y->number);
}

static int find_generations(struct job *j, struct err *err)
{
	for (size_t i = 0; i < j->app->n_media; i++)
		if (j->app->vaults[i] && vault_r_numbers(j->app->vaults[i], j->dataset, take_number, j, err))
			return -1;
	if (!j->n) {
		err_set(err, "E-VAULT-04", text("there is no generation of '%s' among these"), j->dataset);
		return selection_hint(j->app, err);
	}
	qsort(j->g, j->n, sizeof(*j->g), newest_first);
	return 0;
}

/* ---- what is said ---- */

/* May names of files be written there? */
static bool is_private(int fd)
{
	struct stat st;

	return isatty(fd) ||
	       (!fstat(fd, &st) && S_ISREG(st.st_mode) && !(st.st_mode & 077) && st.st_uid == geteuid());
}

static void on_fault(void *arg, const char *path, const struct err *why)
{
	struct job *j = arg;
	struct err said = *why;
	char shown[SHOW];

	if (!strcmp(j->last.msg, why->msg) || j->faults++ >= NAMED)
		return;
	j->last = *why;
	if (path && is_private(STDERR_FILENO))
		err_wrap(&said, "'%s'", path_show(path, shown, sizeof(shown)));
	app_error(&said, APP_UNKNOWN);
}

static const char *label_of(const struct job *j, uint64_t number, char out[GENERATION_LABEL])
{
	return generation_label(j->dataset, number, out);
}

/* "2026-11-20", by the calendar of where it was captured, or "?" */
static const char *day_of(const struct lastclean_generation *g, char out[CLOCK_TEXT])
{
	if (!g->begun_ns)
		return "?";
	clock_format(g->begun_ns + g->utc_offset_s * SECOND_NS, out);
	out[10] = '\0';
	return out;
}

static void say_generation(const struct job *j, const struct lastclean_generation *g)
{
	char label[GENERATION_LABEL], day[CLOCK_TEXT];

	if (j->app->json)
		return;
	printf("%s  %s  %s  ", label_of(j, g->number, label), day_of(g, day), lastclean_text(g->state));
	printf(text("%ju of %ju files"), (uintmax_t)g->bad, (uintmax_t)g->files);
	if (j->app->quarantine)
		printf(text(", %ju contents looked at"), (uintmax_t)g->fresh);
	putchar('\n');
	fflush(stdout);
}

static void say_bad(const struct job *j, const struct bisect_bad *bad)
{
	char hex[DIGEST_HEX], first[GENERATION_LABEL], last[GENERATION_LABEL];

	printf("%s  ", digest_hex(bad->sha256, DIGEST_LEN, hex));
	output_shown(bad->found && *bad->found ? bad->found
		     : bad->found	       ? text("found")
					       : text("on the list"));
	printf(text("\n    in %s, the last time in %s\n"), label_of(j, bad->first, first),
	    label_of(j, bad->last, last));
	for (size_t i = 0; i < bad->n && i < NAMED && is_private(STDOUT_FILENO); i++) {
		fputs("    ", stdout);
		output_shown(bad->path[i]);
		putchar('\n');
	}
	if (!is_private(STDOUT_FILENO))
		printf("    %s\n", text("names are shown on a terminal, or into a file of mode 0600"));
	else if (bad->n > NAMED || bad->more)
		printf("    %s\n", text("and more"));
}

static void say_found(const struct job *j, const char *what, size_t i)
{
	char label[GENERATION_LABEL], day[CLOCK_TEXT];

	if (i < j->done)
		printf("%s %s (%s)\n", what, label_of(j, j->g[i].number, label), day_of(&j->g[i], day));
}

static void say_all(const struct job *j, const struct lastclean *l)
{
	size_t n;
	const struct bisect_bad *bad = bisect_bad(j->b, &n);

	putchar('\n');
	for (size_t i = 0; i < n; i++)
		say_bad(j, &bad[i]);
	if (l->first_bad == j->done)
		puts(l->unknown ? text("nothing was found in what could be looked at")
				: text("nothing was found"));
	say_found(j, text("the first with:"), l->first_bad);
	say_found(j, text("the last without any:"), l->last);
	if (l->last == j->done)
		puts(text("none of those that were looked at is known to be the last without any"));
	say_found(j, text("without any again, but what was done meanwhile is still in it:"), l->behind);
	for (size_t i = 0; i < j->done; i++)
		if (j->g[i].state == LASTCLEAN_UNKNOWN)
			say_found(
			    j, text("could not be looked at as a whole, and is not known to be clean:"), i);
	if (j->done < j->n)
		puts(text("older ones were not looked at"));
}

static void bad_json(const struct bisect_bad *bad, bool names)
{
	char hex[DIGEST_HEX];

	printf("{\"sha256\":\"%s\",\"found\":", digest_hex(bad->sha256, DIGEST_LEN, hex));
	output_json(bad->found ? bad->found : "");
	printf(",\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\"paths\":", bad->first, bad->last);
	fputs(names ? "[" : "null", stdout);
	for (size_t i = 0; i < bad->n && names; i++) {
		fputs(i ? ",{" : "{", stdout);
		output_json_name("path", bad->path[i]);
		putchar('}');
	}
	printf("%s,\"more\":%s}", names ? "]" : "", bad->more ? "true" : "false");
}

static void number_json(const struct job *j, const char *name, size_t i)
{
	printf(",\"%s\":", name);
	if (i < j->done)
		printf("%" PRIu64, j->g[i].number);
	else
		fputs("null", stdout);
}

static void all_json(const struct job *j, const struct lastclean *l, int code)
{
	size_t n;
	const struct bisect_bad *bad = bisect_bad(j->b, &n);
	char time[CLOCK_TEXT];

	printf("{\"dataset\":\"%s\",\"generations\":[", j->dataset);
	for (size_t i = 0; i < j->done; i++)
		printf("%s{\"generation\":%" PRIu64 ",\"begun\":\"%s\",\"state\":\"%s\",\"files\":%" PRIu64
		       ",\"new_contents\":%" PRIu64 ",\"bad_files\":%" PRIu64 "}",
		    i ? "," : "", j->g[i].number, clock_format(j->g[i].begun_ns, time),
		    lastclean_word(j->g[i].state), j->g[i].files, j->g[i].fresh, j->g[i].bad);
	fputs("],\"bad\":[", stdout);
	for (size_t i = 0; i < n; i++) {
		fputs(i ? "," : "", stdout);
		bad_json(&bad[i], is_private(STDOUT_FILENO));
	}
	putchar(']');
	number_json(j, "first_with", l->first_bad);
	number_json(j, "last_without", l->last);
	number_json(j, "without_again", l->behind);
	printf(",\"scanner_runs\":%zu,\"exit\":%d}\n",
	    j->app->quarantine ? quarantine_runs(j->app->quarantine) : 0, code);
}

/* ---- in order ---- */

static int look_at(struct job *j, struct lastclean_generation *is, struct err *err)
{
	struct app_generation g;
	int r;

	is->state = LASTCLEAN_UNKNOWN;
	j->faults = 0;
	if (app_generation(j->app, j->dataset, is->number, true, &g))
		return 0; /* it was said why */
	is->begun_ns = vault_r_manifest(g.g)->begun_ns;
	is->utc_offset_s = vault_r_manifest(g.g)->utc_offset_s;
	r = bisect_generation(j->b, &g, is, err);
	if (j->faults > NAMED)
		app_note(j->app, text("%zu more of that in %s"), j->faults - NAMED, g.label);
	app_generation_close(&g);
	return r;
}

static int look_at_all(struct job *j, struct interrupt *interrupt, struct err *err)
{
	while (j->done < j->n) {
		struct lastclean_generation *is = &j->g[j->done];

		if (look_at(j, is, err))
			return -1;
		if (interrupt_count(interrupt))
			return err_set_kind(err, ERR_STOPPED, "E-RESTORE-15", "%s", text("interrupted"));
		j->done++;
		say_generation(j, is);
		if (j->app->until_clean && is->state == LASTCLEAN_CLEAN)
			break;
	}
	return 0;
}

static int bisect_all(struct job *j, struct interrupt *interrupt)
{
	struct err err = ERR_INIT;
	struct lastclean l;
	int code;

	if ((j->app->known_bad && known_bad_file(j->app->known_bad, bisect_known, j->b, &err)) ||
	    find_generations(j, &err))
		return app_error(&err, err.kind == ERR_USAGE ? APP_USAGE : APP_FAILED);
	if (j->app->quarantine && quarantine_check(j->app->quarantine, interrupt, &err))
		return app_error(&err, APP_FAILED);
	if (look_at_all(j, interrupt, &err)) {
		progress_clear(&j->progress);
		err_hint(&err, "%s",
		    text("what was not read by then is not known to be clean; repeat the command"));
		return app_error(&err, APP_UNKNOWN);
	}
	l = lastclean_judge(j->g, j->done);
	code = l.unknown ? APP_UNKNOWN : l.first_bad < j->done ? APP_ATTENTION : APP_OK;
	if (j->app->json)
		all_json(j, &l, code);
	else
		say_all(j, &l);
	return app_flush(code);
}

int cmd_bisect(struct app *app, int argc, char **argv)
{
	struct job j = {.app = app, .dataset = argv[0], .progress = {.quiet = app->quiet}};
	struct interrupt *interrupt = NULL;
	const struct age_identity *ids;
	struct err err = ERR_INIT;
	size_t n;
	int r;

	(void)argc;
	if (!app->known_bad && !app->scan)
		return app_usage(
		    app, "%s", text("--known-bad FILE or --scan COMMAND is needed: what is bad?"));
	if (!generation_name_ok(argv[0]))
		return app_usage(app, text("'%s' is no name of a data set"), argv[0]);
	r = app_unlock(app, &ids, &n);
	if (r)
		return r;
	j.b = bisect_new(app->quarantine, &j.progress, on_fault, &j);
	if (!j.b)
		app_no_memory();
	r = interrupt_hold(&interrupt, &err) ? app_error(&err, APP_FAILED) : bisect_all(&j, interrupt);
	interrupt_release(interrupt);
	bisect_free(j.b);
	free(j.g);
	return r;
}
