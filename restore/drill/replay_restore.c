/* replay_restore: a step that brings data back, in this process; see replay.h.
 *
 * It runs in a thread of its own, because confinement (app/confine.h) holds for a thread and what it starts
 * and cannot be undone, and the commands of later steps must not inherit it.  The main thread waits
 * meanwhile, so there is no lock.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "base/threads/thread.h"
#include "format/medium/generation.h"
#include "restore/app/app.h"
#include "restore/app/confine.h"
#include "restore/app/outcome.h"
#include "restore/app/progress.h"
#include "restore/drill/drill.h"
#include "restore/drill/replay.h"
#include "restore/drill/scratch.h"
#include "restore/extract/extract.h"
#include "restore/extract/plan.h"
#include "restore/extract/target.h"

static int folder_made(void *arg, const char *path, struct err *err)
{
	(void)arg;
	(void)path;
	(void)err;
	return 0;
}

/* The folder `to` below the scratch folder, following no link; whatever a step before made there. */
static int open_to(const struct replay *r, const char *to, struct err *err)
{
	struct target_cursor *c = target_cursor_new(scratch_fd(r->scratch));
	const char *name;
	int parent, fd = -1;

	if (!c)
		return err_nomem(err);
	if (!target_enter(c, to, folder_made, NULL, &parent, &name, err))
		fd = io_make_dir(parent, name, 0700, err);
	target_cursor_free(c);
	return fd;
}

static bool stop_asked(void *arg)
{
	return replay_interrupted(arg);
}

static int extract_step(struct replay *r, struct drill_step *s, const struct app_generation *g,
    struct outcome *outcome, struct err *err)
{
	struct extract_options opt = {.stop = stop_asked, .stop_arg = r};
	const struct generation_dataset *ds = &g->root->dataset;
	IO_FD_AUTO to = open_to(r, s->to, err);
	struct progress progress;
	struct extract *x = NULL;
	struct plan *plan;
	int n = -1;

	if (to < 0)
		return -1;
	if (plan_new(s->paths, s->n_paths, &plan, err))
		return -1;
	progress_begin(&progress, s->n_paths ? 0 : ds->bytes, r->app->quiet);
	outcome->progress = &progress;
	if (!extract_new(&opt, outcome, &progress, &x, err))
		n = extract_dataset(x, g->arc, ds, plan, to, err);
	/* the kernel may have accepted what the disk then refused */
	if (!n && syncfs(to))
		n = err_sys(
		    err, "E-RESTORE-10", errno, "%s", text("what was written did not arrive on the disk"));
	progress_clear(&progress);
	outcome->progress = NULL;
	extract_free(x);
	plan_free(plan);
	return n;
}

static bool judge_outcome(struct drill_step *s, const struct outcome *o, int failed)
{
	int code = outcome_exit(o);

	memcpy(s->count, o->count, sizeof(s->count));
	s->bytes = o->bytes;
	if (failed)
		return false;
	s->why = o->worst;
	if (code == APP_FAILED)
		return false;
	s->attention = code == APP_ATTENTION;
	return true;
}

/* What the thread is given, and what it leaves. */
struct confined {
	struct replay *r;
	struct drill_step *s;
	const struct app_generation *g;
	struct outcome *outcome;
	int failed;
};

static void *extract_confined(void *arg)
{
	struct confined *c = arg;

	confine_thread(scratch_fd(c->r->scratch));
	c->failed = extract_step(c->r, c->s, c->g, c->outcome, &c->s->why);
	return NULL;
}

static int bring_back(
    struct replay *r, struct drill_step *s, const struct app_generation *g, struct outcome *outcome)
{
	struct confined c = {r, s, g, outcome, 0};
	pthread_t id;

	if (thread_start(&id, "bkp-extract", extract_confined, &c))
		return err_nomem(&s->why);
	pthread_join(id, NULL);
	return c.failed;
}

bool replay_restore(struct replay *r, struct drill_step *s)
{
	struct app_generation *g = &r->generation[s->from - r->d->generation];
	struct outcome outcome = {.quiet = r->app->quiet};
	bool well;

	well = judge_outcome(s, &outcome, app_generation_wake(g, &s->why) || bring_back(r, s, g, &outcome));
	if (s->why.kind == ERR_STOPPED)
		err_set(&s->why, "E-DRILL-20", "%s", text("interrupted"));
	app_generation_rest(g);
	return well;
}
