/* bkp-restore list N [DATASET] [GLOB]: the entries of a generation. */
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
#include "restore/extract/plan.h"

struct listing {
	struct app *app;
	struct app_generation *g;
	struct plan *plan;
	bool several; /* data sets */
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

static int list_dataset(struct listing *l, const struct generation_dataset *ds)
{
	struct catalog_r *c = NULL;
	struct err why = ERR_INIT;
	struct catalog_item item;
	int r;

	if (catalog_r_open(l->g->arc, ds, &c, &why)) {
		say_fault(l, &why);
		return 0;
	}
	if (l->several && !l->app->json) {
		if (l->shown)
			putchar('\n');
		output_shown(ds->name);
		fputs(":\n", stdout);
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
			show_entry(l, &item, ds->name);
		if (ferror(stdout))
			break;
	}
	catalog_r_close(c);
	return 0;
}

static int list_datasets(struct app *app, struct app_generation *g, int argc, char **argv)
{
	struct listing l = {.app = app, .g = g};
	const struct generation_dataset *ds = NULL;
	struct err err = ERR_INIT;
	size_t i;
	int r = 0;

	if (argc > 1) {
		r = app_dataset(g, argv[1], &ds);
		if (r)
			return r;
	}
	if (plan_new(argv + 2, argc > 2 ? 1 : 0, &l.plan, &err))
		return app_error(&err, APP_USAGE);
	l.several = !ds && g->root->n_datasets > 1;
	if (app->json)
		printf("{\"generation\":%" PRIu64 ",\"entries\":[", g->number);
	if (ds)
		list_dataset(&l, ds);
	for (i = 0; !ds && i < g->root->n_datasets; i++)
		list_dataset(&l, &g->root->datasets[i]);
	if (app->json)
		printf("\n],\"exit\":%d}\n", l.code);
	if (!l.shown && argc > 2 && !l.code) {
		char shown[300];

		err_set(&err, "E-RESTORE-11", text("nothing is called '%s' in data set '%s'"),
		    path_show(argv[2], shown, sizeof(shown)), ds->name);
		l.code = app_error(&err, APP_FAILED);
	}
	plan_free(l.plan);
	return app_flush(l.code);
}

int cmd_list(struct app *app, int argc, char **argv)
{
	struct app_generation g;
	int r = app_generation(app, argv[0], true, &g);

	if (r)
		return r;
	r = list_datasets(app, &g, argc, argv);
	app_generation_close(&g);
	return r;
}
