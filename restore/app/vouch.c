/* vouch: see vouch.h.
 *
 * Any one journal that contradicts refuses the generation, whatever the others say: a stolen key can add a
 * generation to one copy, but cannot take what another copy says back.
 */
#include "restore/app/vouch.h"

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "read/file/segments.h"
#include "read/store/store.h"
#include "read/verify/reported.h"
#include "read/verify/verify.h"
#include "restore/app/app.h"

#define SHOW 300

static int of_file(
    struct app *app, const char *path, const struct app_generation *g, struct reported *ret, struct err *err)
{
	STORE_FILE_AUTO file = {0};

	return segments_open_path(path, &file, err)
		   ? -1
		   : reported_look_in(app->vault, &file, g->dataset, g->number, ret, err);
}

int vouch_each(struct app *app, const struct app_generation *g, vouch_fn *fn, void *arg, struct err *err)
{
	struct reported r;

	for (size_t i = 0; i < app->n_media; i++) {
		if (!app->vaults[i])
			continue;
		if (reported_look(app->vaults[i], g->dataset, g->number, &r, err))
			return -1;
		fn(arg, app->media[i], &r);
	}
	for (size_t i = 0; i < app->n_journals; i++) {
		if (of_file(app, app->journals[i], g, &r, err))
			return -1;
		fn(arg, app->journals[i], &r);
	}
	return 0;
}

struct judging {
	const struct app_generation *g;
	bool vouched, another;
	struct err why;	    /* another: what is wrong */
	struct err neither; /* why the first one does not vouch */
};

static void judge_journal(void *arg, const char *where, const struct reported *r)
{
	struct judging *j = arg;
	char show[SHOW];

	path_show(where, show, sizeof(show));
	if (!r->known) {
		if (!j->neither.code[0])
			reported_why(r, show, &j->neither);
	} else if (verify_is_another(&r->record, j->g->g, j->g->label, &j->why) ||
		   verify_is_later(&r->record, j->g->g, j->g->label, &j->why)) {
		err_wrap(&j->why, text("the journal of '%s'"), show);
		j->another = true;
	} else {
		j->vouched = true;
	}
}

int vouch_generation(struct app *app, const struct app_generation *g)
{
	struct judging j = {.g = g, .why = ERR_INIT, .neither = ERR_INIT};
	struct err err = ERR_INIT;

	if (vouch_each(app, g, judge_journal, &j, &err))
		return app_error(&err, APP_UNKNOWN);
	if (j.another)
		return app_error(&j.why, APP_FAILED);
	if (j.vouched)
		return 0;
	err_wrap(&j.neither, text("nothing but its signature says that %s is genuine"), g->label);
	err_hint(&j.neither, "%s",
	    text("name a newer copy of the journal with --journal FILE, or another medium with a second "
		 "--medium; "
		 "else look at the content before it is relied on"));
	app_error(&j.neither, APP_ATTENTION);
	app->unvouched = true;
	return 0;
}
