/* bkp-restore list SELECTOR [GLOB]: the entries of a generation, or of all of a run. */
#include <inttypes.h>
#include <stdio.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "read/vault/catalog_r.h"
#include "restore/app/app.h"
#include "restore/app/output.h"
#include "restore/app/selection.h"
#include "restore/extract/plan.h"

struct listing {
	struct app *app;
	struct plan *plan;
	bool several; /* generations */
	uint64_t shown;
	int code;
};

static void say_fault(struct listing *l, struct err *why)
{
	l->code = APP_FAILED;
	app_error(why, APP_FAILED);
}

static void show_entry(struct listing *l, const struct catalog_item *item, const char *dataset)
{
	if (l->app->json) {
		fputs(l->shown ? ",\n" : "\n", stdout);
		output_entry_json(item, dataset);
	} else {
		output_line(item);
	}
	l->shown++;
}

static void list_generation(struct listing *l, const struct app_generation *g)
{
	struct catalog_r *c = NULL;
	struct err why = ERR_INIT;
	struct catalog_item item;
	int r;

	if (catalog_r_open(g->arc, &g->root->dataset, &c, &why)) {
		say_fault(l, &why);
		return;
	}
	if (l->several && !l->app->json) {
		printf("%s%s:\n", l->shown ? "\n" : "", g->label);
	}
	if (catalog_r_blocks(c))
		catalog_r_seek(c, plan_first(l->plan) ? catalog_r_block_of(c, plan_first(l->plan)) : 0);
	while ((r = catalog_r_next(c, &item, &why)) != CATALOG_END) {
		if (r) {
			say_fault(l, &why);
			if (r < 0)
				break;
			continue;
		}
		if (plan_beyond(l->plan, item.path))
			break;
		if (plan_match(l->plan, item.path))
			show_entry(l, &item, g->dataset);
		if (ferror(stdout))
			break;
	}
	catalog_r_close(c);
}

static int list_all(struct app *app, const struct selection *s, char *glob)
{
	struct listing l = {.app = app, .several = s->n > 1, .code = s->code};
	struct err err = ERR_INIT;

	if (plan_new(&glob, glob ? 1 : 0, &l.plan, &err))
		return app_error(&err, APP_USAGE);
	if (app->json) {
		printf("{\"generations\":[");
		for (size_t i = 0; i < s->n; i++)
			printf("%s{\"dataset\":\"%s\",\"generation\":%" PRIu64 "}", i ? "," : "",
			    s->g[i].dataset, s->g[i].number);
		printf("],\"entries\":[");
	}
	for (size_t i = 0; i < s->n; i++) {
		list_generation(&l, &s->g[i]);
		app_generation_rest(&s->g[i]);
	}
	if (app->json)
		printf("\n],\"exit\":%d}\n", l.code);
	if (!l.shown && glob && !l.code) {
		char shown[300];

		err_set(&err, "E-RESTORE-11", text("nothing is called '%s' in %s"),
		    path_show(glob, shown, sizeof(shown)), s->g[0].label);
		l.code = app_error(&err, APP_FAILED);
	}
	plan_free(l.plan);
	return app_flush(l.code);
}

int cmd_list(struct app *app, int argc, char **argv)
{
	struct selection s;
	char *glob = argc > 1 ? argv[1] : NULL;
	int r = selection_open(app, argv[0], glob, true, &s);

	if (r)
		return r;
	r = list_all(app, &s, glob);
	selection_close(&s);
	return r;
}
