/* bkp-restore diff A B, diff A FOLDER: what differs between two generations, or between one and a folder. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/text.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/output.h"
#include "restore/app/selection.h"
#include "restore/look/compare.h"
#include "restore/look/version.h"

struct telling {
	struct app *app;
	uint64_t gone, added, changed;
	int code;
};

static void on_fault(void *arg, const struct err *why)
{
	struct telling *t = arg;

	t->code = app_error(why, APP_FAILED);
}

static void say_json(struct telling *t, const struct version *a, const struct version *b, unsigned parts)
{
	printf("%s{", t->gone + t->added + t->changed ? ",\n" : "\n");
	output_json_name("path", a ? a->e.path : b->e.path);
	printf(",\"differs\":\"%s\",\"parts\":[", a && b ? "changed" : a ? "gone" : "added");
	version_print_parts(parts, true);
	putchar(']');
	for (int i = 0; i < 2; i++) {
		const struct version *v = i ? b : a;

		if (!v)
			continue;
		printf(",\"%s\":{", i ? "b" : "a");
		output_members_json(&v->e);
		version_print_sha256(v);
		putchar('}');
	}
	putchar('}');
}

static void on_difference(void *arg, const struct version *a, const struct version *b, unsigned parts)
{
	struct telling *t = arg;

	if (t->app->json) {
		say_json(t, a, b, parts);
	} else {
		printf("%c ", a && b ? '~' : a ? '-' : '+');
		output_shown(a ? a->e.path : b->e.path);
		if (parts) {
			fputs(" (", stdout);
			version_print_parts(parts, false);
			putchar(')');
		}
		putchar('\n');
	}
	t->gone += a && !b;
	t->added += b && !a;
	t->changed += a && b;
}

/* "./emr@42" is a folder, "emr@42" a generation. */
static bool is_folder(const char *word)
{
	struct stat st;

	return strchr(word, '/') || (!strchr(word, '@') && !stat(word, &st));
}

static int finish(struct telling *t, int r, struct err *err)
{
	if (r)
		t->code = app_error(err, APP_FAILED);
	else if (t->gone + t->added + t->changed)
		t->code = app_worse(t->code, APP_ATTENTION);
	if (t->app->json)
		printf("\n],\"gone\":%" PRIu64 ",\"added\":%" PRIu64 ",\"changed\":%" PRIu64
		       ",\"exit\":%d}\n",
		    t->gone, t->added, t->changed, t->code);
	else
		app_note(t->app, text("%ju gone, %ju added, %ju changed"), t->gone, t->added, t->changed);
	return app_flush(t->code);
}

int cmd_diff(struct app *app, int argc, char **argv)
{
	struct telling t = {.app = app};
	const struct compare how = {on_difference, on_fault, &t, app->same_owner};
	const bool folder = is_folder(argv[1]);
	struct app_generation a, b;
	struct err err = ERR_INIT;
	int r;

	(void)argc;
	if (app->same_owner && !folder)
		return app_usage(app, "%s",
		    text("--same-owner goes with a folder: of two generations owners are always compared"));
	r = selection_one(app, argv[0], &a);
	if (r)
		return r;
	r = folder ? 0 : selection_one(app, argv[1], &b);
	if (!r) {
		interrupt_says(
		    text("interrupted: not everything was compared"), text("repeat the command"), APP_FAILED);
		if (app->json)
			printf("{\"differences\":[");
		r = folder ? compare_folder(&how, &a, argv[1], &err)
			   : compare_generations(&how, &a, &b, &err);
		r = finish(&t, r, &err);
		if (!folder)
			app_generation_close(&b);
	}
	app_generation_close(&a);
	return r;
}
