/* bkp-restore find NAME [DATASET], history PATH [DATASET]: in which generations something is, and as which versions.
 *
 * Both go through the generations of each data set (look/row.h) with one question (look/sweep.h); what is told apart is how names are taken,
 * and that history also says where it is not. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/output.h"
#include "restore/extract/plan.h"
#include "restore/look/row.h"
#include "restore/look/sweep.h"
#include "restore/look/version.h"

#define LABEL_COLUMN 24

struct asking {
	struct app *app;
	const char *name;
	bool history; /* else find */
	const struct row_set *set;
	struct sweep *sweep;
	const char *read; /* of the set, by place: 1: it was looked at */
	char *room;
	uint64_t shown;
	int code;
};

/* ---- which ---- */

static bool is_named(void *arg, const char *path)
{
	const struct asking *a = arg;
	const char *last = strrchr(path, '/');
	const char *name = strchr(a->name, '/') || !last ? path : last + 1;

	if (a->history)
		return !strcmp(path, a->name);
	return !strcmp(name, a->name) || plan_glob(a->name, name);
}

static void on_fault(void *arg, const struct err *why)
{
	struct asking *a = arg;

	a->code = app_error(why, APP_FAILED);
}

static int ask_generation(void *arg, size_t place, struct app_generation *g)
{
	struct asking *a = arg;
	struct err err = ERR_INIT;

	a->room[place] = 1;
	return sweep_generation(a->sweep, place, g, &err) ? app_error(&err, APP_FAILED) : 0;
}

/* ---- what is said ---- */

static void say_label(const struct asking *a, size_t first, size_t last)
{
	char one[GENERATION_LABEL], other[GENERATION_LABEL], both[2 * GENERATION_LABEL + 8];

	generation_label(a->set->dataset, a->set->numbers[first], one);
	generation_label(a->set->dataset, a->set->numbers[last], other);
	snprintf(both, sizeof(both), "%s%s%s", one, first < last ? " - " : "", first < last ? other : "");
	printf("%-*s ", LABEL_COLUMN, both);
}

/* Of the generations between two spans those that were looked at. */
static void say_absent(const struct asking *a, size_t from, size_t to)
{
	for (size_t first = from; first < to; first++) {
		size_t last = first;

		if (!a->read[first])
			continue;
		while (last + 1 < to && a->read[last + 1])
			last++;
		say_label(a, first, last);
		puts(text("not there"));
		first = last;
	}
}

static void say_spans(const struct asking *a, const struct sweep_span *s)
{
	size_t next = 0;

	for (const struct sweep_span *before = NULL; s; before = s, s = s->next) {
		unsigned parts = before ? version_differs(before->v, s->v) : 0;

		if (a->history)
			say_absent(a, next, s->first);
		say_label(a, s->first, s->last);
		if (a->history && parts) {
			putchar('(');
			version_print_parts(parts, false);
			fputs(") ", stdout);
		}
		output_entry_line(&s->v->e);
		next = s->last + 1;
	}
	if (a->history)
		say_absent(a, next, a->set->n);
}

static void say_json(const struct asking *a, const char *path, const struct sweep_span *s)
{
	const struct version *before = NULL;

	fputs(a->shown ? ",\n" : "\n", stdout);
	printf("{\"dataset\":\"%s\",", a->set->dataset);
	output_json_name("path", path);
	fputs(",\"versions\":[", stdout);
	for (; s; before = s->v, s = s->next) {
		printf("%s{\"first\":%" PRIu64 ",\"last\":%" PRIu64 ",\"generations\":%zu,\"changed\":[",
		    before ? "," : "", a->set->numbers[s->first], a->set->numbers[s->last],
		    s->last - s->first + 1);
		version_print_parts(before ? version_differs(before, s->v) : 0, true);
		fputs("],", stdout);
		output_members_json(&s->v->e);
		version_print_sha256(s->v);
		putchar('}');
	}
	fputs("]}", stdout);
}

static void say_path(void *arg, const char *path, const struct sweep_span *first)
{
	struct asking *a = arg;

	if (a->app->json)
		say_json(a, path, first);
	else
		say_spans(a, first);
	a->shown++;
}

static int nothing(const struct asking *a)
{
	struct err err = ERR_INIT;
	char shown[300];

	err_set(&err, "E-LOOK-03", text("nothing is called '%s' in the generations that were looked at"),
	    path_show(a->name, shown, sizeof(shown)));
	err_hint(&err, "%s",
	    a->history ? text("the whole path is needed, as 'bkp-restore list' shows it; 'bkp-restore find' "
			      "looks for a name")
		       : text("a name is taken as it is, capital letters too; '*word*' finds it within "
			      "longer names"));
	return app_error(&err, APP_ATTENTION);
}

/* ---- in order ---- */

static int ask_set(struct asking *a, const struct row *row, const struct row_set *set)
{
	int r;

	a->set = set;
	a->sweep = sweep_new(is_named, a->history ? a->name : NULL, on_fault, a);
	a->read = a->room = calloc(set->n, 1);
	if (!a->sweep || !a->room)
		app_no_memory();
	r = row_each(a->app, row, set, ask_generation, a);
	a->code = app_worse(a->code, r);
	sweep_each(a->sweep, say_path, a);
	fflush(stdout);
	sweep_free(a->sweep);
	free(a->room);
	return r == APP_USAGE || r == APP_UNKNOWN ? r : 0;
}

static int ask(struct app *app, int argc, char **argv, bool history)
{
	struct asking a = {.app = app, .name = argv[0], .history = history};
	struct row row;
	int r = row_new(app, argc > 1 ? argv[1] : NULL, &row);

	if (r)
		return r;
	interrupt_says(
	    text("interrupted: not all generations were looked at"), text("repeat the command"), APP_FAILED);
	if (app->json)
		printf("{\"found\":[");
	for (size_t i = 0; i < row.n && !r; i++)
		r = ask_set(&a, &row, &row.sets[i]);
	row_free(&row);
	if (!a.shown)
		a.code = app_worse(a.code, nothing(&a));
	if (app->json)
		printf("\n],\"exit\":%d}\n", a.code);
	return app_flush(a.code);
}

int cmd_find(struct app *app, int argc, char **argv)
{
	if (!*argv[0])
		return app_usage(app, "%s", text("'' is no name"));
	return ask(app, argc, argv, false);
}

int cmd_history(struct app *app, int argc, char **argv)
{
	if (!app_entry_path(&argv[0]))
		return app_usage(app, text("'%s' is not a path as listed"), argv[0]);
	return ask(app, argc, argv, true);
}
