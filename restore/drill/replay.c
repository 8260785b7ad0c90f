/* replay: see replay.h.
 *
 * Interrupts are counted, not delivered: replay_batch() notes the count before a step, and whoever works asks
 * whether it has grown (replay_interrupted).  So an interrupt ends the step that runs; one between two steps
 * is met by replay() itself.
 */
#include "restore/drill/replay.h"

#include <unistd.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/drill/drill.h"

static double seconds_since(const struct clock_stamp *begun)
{
	struct clock_stamp now;

	clock_now(&now);
	return (double)(now.mono_ns - begun->mono_ns) / SECOND_NS;
}

bool replay_interrupted(struct replay *r)
{
	if (interrupt_count(r->interrupt) == r->interrupts)
		return false;
	r->d->interrupted = true;
	return true;
}

static bool show_note(const struct replay *r, const struct drill_step *s)
{
	char shown[1000];

	app_note(r->app, "    %s", path_show(s->how, shown, sizeof(shown)));
	return true;
}

static bool do_step(struct replay *r, struct drill_step *s)
{
	switch (s->is->kind) {
	case PROCEDURE_CONFIRM:
		return replay_confirm(r, s);
	case PROCEDURE_GATE:
		return replay_gate(r, s);
	case PROCEDURE_RUN:
	case PROCEDURE_CHECK:
	case PROCEDURE_SCAN:
		return replay_command(r, s);
	default:
		return show_note(r, s);
	}
}

static void say_begin(const struct replay *r, const struct drill_step *s)
{
	char what[600];

	/* elsewhere one line a step is enough */
	if (isatty(STDERR_FILENO))
		app_note(r->app, text("[%u/%zu] begins: %s (planned: %u min)"), s->is->number, r->d->n,
		    path_show(s->what, what, sizeof(what)), s->is->minutes);
}

static void say_end(const struct replay *r, const struct drill_step *s)
{
	char what[600], took[CLOCK_SPAN];

	app_note(r->app, text("[%u/%zu] %s: %s: took %s, planned %u min"), s->is->number, r->d->n,
	    path_show(s->what, what, sizeof(what)), drill_mark_text(s->mark),
	    clock_format_span(s->seconds, took), s->is->minutes);
	if (s->why.code[0] && (s->mark == PROCEDURE_MARK_FAILED || s->attention))
		app_error(&s->why, APP_FAILED);
}

static void say_not_done(const struct replay *r, const struct drill_step *s)
{
	char what[600];

	app_note(r->app, text("[%u/%zu] %s: not done"), s->is->number, r->d->n,
	    path_show(s->what, what, sizeof(what)));
}

/* Between two steps, or before the first: no step says so. */
static void say_interrupted(struct drill *d)
{
	struct err err = ERR_INIT;

	d->interrupted = true;
	err_set(&err, "E-DRILL-20", "%s", text("the drill was interrupted"));
	app_error(&err, APP_FAILED);
}

void replay_batch(struct replay *r, struct drill_step *const *s, size_t n)
{
	struct clock_stamp begun;
	bool well[PROCEDURE_STEPS_MAX];

	clock_now(&begun);
	r->interrupts = interrupt_count(r->interrupt);
	for (size_t i = 0; i < n; i++) {
		s[i]->begun_ns = begun.wall_ns;
		say_begin(r, s[i]);
	}
	if (s[0]->is->kind == PROCEDURE_RESTORE) {
		replay_restore(r, s, n, well);
	} else {
		well[0] = do_step(r, s[0]);
		s[0]->seconds = seconds_since(&begun);
	}
	for (size_t i = 0; i < n; i++) {
		drill_step_done(s[i], well[i]);
		if (!well[i] && s[i]->why.code[0])
			err_wrap(&s[i]->why, "%s:%u", r->d->file, s[i]->is->line);
		say_end(r, s[i]);
	}
}

void replay(struct replay *r)
{
	struct drill *d = r->d;
	struct clock_stamp begun, now;
	bool failed = false;
	size_t i, n;

	clock_now(&begun);
	d->begun_ns = begun.wall_ns;
	for (i = 0; i < d->n; i += n) {
		struct drill_step *s = d->order[i];

		n = 1;
		if (interrupt_count(r->interrupt) && !d->interrupted)
			say_interrupted(d);
		if ((failed || d->interrupted) && !s->is->always) {
			say_not_done(r, s);
			continue;
		}
		n = d->interrupted || failed ? 1 : drill_together(d, i);
		replay_batch(r, d->order + i, n);
		for (size_t k = i; k < i + n; k++)
			failed |= d->order[k]->mark == PROCEDURE_MARK_FAILED;
		if (!s->is->always)
			d->recovery_s = seconds_since(&begun);
	}
	clock_now(&now);
	d->finished_ns = now.wall_ns;
	d->seconds = seconds_since(&begun);
	/* nothing but clearing up */
	if (d->recovery_s <= 0)
		d->recovery_s = d->seconds;
}
