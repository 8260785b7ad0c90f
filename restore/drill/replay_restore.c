/* replay_restore: a step that brings data back, in this process; see replay.h.
 *
 * Each runs in a thread of its own, several together where the procedure says so, because confinement
 * (app/confine.h) holds for a thread and what it starts and cannot be undone, and the commands of later steps
 * must not inherit it.  The main thread waits
 * meanwhile, and passes interrupts on, so there is no lock: each thread has a step, a generation and an outcome of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "base/threads/thread.h"
#include "format/medium/generation.h"
#include "restore/app/app.h"
#include "restore/app/confine.h"
#include "restore/app/interrupt.h"
#include "restore/app/outcome.h"
#include "restore/app/progress.h"
#include "restore/drill/drill.h"
#include "restore/drill/replay.h"
#include "restore/extract/scratch.h"
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

/* What a thread is given, and what it leaves. */
struct confined {
	struct replay *r;
	struct drill_step *s;
	const struct app_generation *g;
	struct outcome outcome;
	atomic_bool *stop;
	int end; /* of a pipe: written to when it is done */
	bool quiet;
	pthread_t id;
	bool started;
	int failed;
};

static bool stop_asked(void *arg)
{
	return atomic_load((atomic_bool *)arg);
}

static int extract_step(struct confined *c, struct err *err)
{
	struct extract_options opt = {.stop = stop_asked,
	    .stop_arg = c->stop,
	    .same_owner = c->r->app->same_owner,
	    .numeric_owner = c->r->app->numeric_owner,
	    .owner_map = c->r->app->owner_map};
	const struct generation_dataset *ds = &c->g->root->dataset;
	struct outcome *outcome = &c->outcome;
	const struct drill_step *s = c->s;
	IO_FD_AUTO to = open_to(c->r, s->to, err);
	struct progress progress;
	struct extract *x = NULL;
	struct plan *plan;
	int n = -1;

	if (to < 0)
		return -1;
	if (plan_new(s->paths, s->n_paths, &plan, err))
		return -1;
	progress_begin(&progress, s->n_paths ? 0 : ds->bytes, c->quiet);
	outcome->progress = &progress;
	if (!extract_new(&opt, outcome, &progress, &x, err))
		n = extract_dataset(x, c->g->arc, ds, plan, to, err);
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

static void *extract_confined(void *arg)
{
	struct confined *c = arg;
	struct clock_stamp begun, now;

	clock_now(&begun);
	confine_thread(scratch_fd(c->r->scratch));
	c->failed = extract_step(c, &c->s->why);
	clock_now(&now);
	c->s->seconds = (double)(now.mono_ns - begun.mono_ns) / SECOND_NS;
	(void)!write(c->end, "", 1);
	return NULL;
}

/* Until n threads have said that they are done; an interrupt is passed on to them. */
static void await_threads(struct replay *r, int end, size_t n, atomic_bool *stop)
{
	char said;

	while (n) {
		struct pollfd fds[] = {{end, POLLIN, 0}, {interrupt_fd(r->interrupt), POLLIN, 0}};

		if (poll(fds, 2, -1) < 0)
			continue;
		if (replay_interrupted(r))
			atomic_store(stop, true);
		if (fds[0].revents && read(end, &said, 1) == 1)
			n--;
	}
}

static void bring_back(struct replay *r, struct confined *c, size_t n, struct err *err)
{
	atomic_bool stop = false;
	size_t started = 0;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC)) {
		err_sys(err, "E-IO-01", errno, "%s", text("cannot make a pipe"));
		return;
	}
	for (size_t i = 0; i < n; i++) {
		c[i].stop = &stop;
		c[i].end = ends[1];
		if (c[i].failed)
			continue;
		c[i].failed = -1;
		c[i].started = !thread_start(&c[i].id, "bkp-extract", extract_confined, &c[i]);
		if (c[i].started)
			started++;
		else
			err_nomem(&c[i].s->why);
	}
	await_threads(r, ends[0], started, &stop);
	for (size_t i = 0; i < n; i++)
		if (c[i].started)
			pthread_join(c[i].id, NULL);
	close(ends[0]);
	close(ends[1]);
}

void replay_restore(struct replay *r, struct drill_step *const *s, size_t n, bool *ret_well)
{
	struct confined *c = calloc(n, sizeof(*c));
	struct err err = ERR_INIT;

	if (!c)
		app_no_memory();
	for (size_t i = 0; i < n; i++) {
		c[i] =
		    (struct confined){.r = r, .s = s[i], .g = &r->generation[s[i]->from - r->d->generation]};
		c[i].quiet = r->app->quiet || n > 1;
		c[i].outcome.quiet = r->app->quiet;
		c[i].failed = app_generation_wake(&r->generation[s[i]->from - r->d->generation], &s[i]->why);
	}
	bring_back(r, c, n, &err);
	for (size_t i = 0; i < n; i++) {
		if (err.code[0]) {
			s[i]->why = err;
			c[i].failed = -1;
		}
		ret_well[i] = judge_outcome(s[i], &c[i].outcome, c[i].failed);
		if (s[i]->why.kind == ERR_STOPPED)
			err_set(&s[i]->why, "E-DRILL-20", "%s", text("interrupted"));
		app_generation_rest(&r->generation[s[i]->from - r->d->generation]);
	}
	free(c);
}
