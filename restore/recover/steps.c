/* steps: see steps.h.
 *
 * `at` counts in the order in which steps are done (drill_order()).  A decision may take it back: an older generation is brought back by
 * the step that brought back the newer one, and all behind that step, but for gates, is done again. */
#include "restore/recover/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/procedure/procedure.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/drill/attest.h"
#include "restore/drill/drill.h"
#include "restore/extract/scratch.h"
#include "restore/drill/variables.h"
#include "restore/recover/decide.h"
#include "restore/recover/leftover.h"
#include "restore/recover/paper.h"
#include "restore/recover/recovery.h"
#include "restore/recover/state.h"

#define MARKER 128

static bool is_done(const struct drill_step *s)
{
	return s->mark == PROCEDURE_MARK_PASSED || s->mark == PROCEDURE_MARK_LATE ||
	       s->mark == PROCEDURE_MARK_SKIPPED;
}

static size_t index_of(const struct recovery *r, const struct drill_step *s)
{
	return (size_t)(s - r->s.d->step);
}

/* Whose a command is: found again in its environment after it was cut off. */
static char *marker_of(const struct recovery *r, const struct drill_step *s, char out[MARKER])
{
	snprintf(out, MARKER, "%s/%u", r->id, s->is->number);
	return out;
}

static int save(struct recovery *r, struct err *err)
{
	return state_save(r, false, err);
}

/* ---- a step that was cut off ---- */

/* What it had started is ended.  Commands may not bear being run twice: that is a person's to say.  1: stop. */
static int take_up(struct recovery *r, struct drill_step *s, struct err *err)
{
	char marker[MARKER];
	size_t i = index_of(r, s), ended;
	char choice = 'r';

	if (!r->running[i])
		return 0;
	if (s->is->kind == PROCEDURE_RUN && !(r->s.attest && r->s.attest->again)) {
		choice = decide_cut_off(r, s);
		if (!choice)
			return 1;
	}
	r->running[i] = false;
	if (choice == 'd') {
		drill_step_done(s, true);
		s->attention = true;
		return save(r, err);
	}
	ended = leftover_end(marker_of(r, s, marker));
	if (ended)
		app_note(r->s.app, text("%zu processes that the step had started were ended"), ended);
	return 0;
}

/* ---- one step, or a few together ---- */

static void forget(struct drill_step *s)
{
	free(s->found);
	free(s->tail);
	free(s->by);
	free(s->note);
	s->found = s->tail = s->by = s->note = NULL;
	s->why = (struct err)ERR_INIT;
	s->exit_status = -1;
	s->signal = 0;
	s->attention = s->confirmed = false;
	s->mark = PROCEDURE_MARK_NONE;
}

/* What is brought back once more must not mix with what is there. */
static int begin(struct recovery *r, struct drill_step *s, struct err *err)
{
	forget(s);
	if (s->tries++ && s->is->kind == PROCEDURE_RESTORE)
		return scratch_erase_below(r->s.scratch, s->to, err);
	return 0;
}

static int do_batch(struct recovery *r, struct drill_step **s, size_t n, struct err *err)
{
	char marker[MARKER];
	char **environment;

	for (size_t i = 0; i < n; i++) {
		if (begin(r, s[i], err))
			return -1;
		r->running[index_of(r, s[i])] = true;
	}
	environment = variables_environment(
	    r->s.variables, scratch_path(r->s.scratch), marker_of(r, s[0], marker), err);
	if (!environment)
		return -1;
	r->replay.environment = environment;
	if (save(r, err)) {
		variables_environment_free(environment);
		return -1;
	}
	replay_batch(&r->replay, s, n);
	variables_environment_free(environment);
	/* a command that was interrupted has not ended by itself either */
	for (size_t i = 0; i < n; i++)
		r->running[index_of(r, s[i])] =
		    r->s.d->interrupted && s[i]->is->kind == PROCEDURE_RUN && !is_done(s[i]);
	if (s[0]->is->kind == PROCEDURE_RUN)
		sync(); /* what a command wrote, wherever that is, before the state says that it is done */
	if (s[0]->is->kind == PROCEDURE_GATE && paper_before(r, err))
		return -1;
	return save(r, err);
}

/* ---- what comes next ---- */

/* To the step that brings back what `s` is about; it and all behind it are to be done again, but for gates. */
static size_t go_back(struct recovery *r, const struct drill_generation *g)
{
	const struct drill *d = r->s.d;
	size_t first = 0;

	while (d->order[first]->is->kind != PROCEDURE_RESTORE || d->order[first]->from != g)
		first++;
	for (size_t i = first; i < d->n; i++)
		if (d->order[i]->is->kind != PROCEDURE_GATE)
			forget(d->order[i]);
	return first;
}

/* 1: stop here. */
static int after_failure(struct recovery *r, struct drill_step *s, size_t *at, struct err *err)
{
	const struct drill_generation *g = NULL;
	char choice;

	if (r->s.d->interrupted)
		return 1;
	if (r->aborted)
		return 0;
	choice = decide(r, s, &g);
	switch (choice) {
	case 's':
		s->mark = PROCEDURE_MARK_SKIPPED;
		s->attention = true;
		break;
	case 'a':
		r->aborted = true;
		break;
	case 'g':
		*at = go_back(r, g);
		break;
	case 'r':
	case 'm':
		forget(s);
		break;
	default:
		return 1;
	}
	return save(r, err);
}

/* 1: stop here. */
static int next(struct recovery *r, size_t *at, struct err *err)
{
	struct drill *d = r->s.d;
	struct drill_step *todo[PROCEDURE_STEPS_MAX];
	size_t together = drill_together(d, *at), n = 0;
	int stop = 0;

	for (size_t i = *at; i < *at + together && !stop; i++) {
		struct drill_step *s = d->order[i];

		if (is_done(s) || (r->aborted && (!s->is->always || s->mark == PROCEDURE_MARK_FAILED)))
			continue;
		stop = take_up(r, s, err);
		if (!stop && !is_done(s))
			todo[n++] = s;
	}
	if (!stop && n)
		stop = do_batch(r, todo, n, err);
	for (size_t i = 0; i < n && !stop; i++)
		if (todo[i]->mark == PROCEDURE_MARK_FAILED)
			return after_failure(r, todo[i], at, err);
	if (!stop)
		*at += together;
	return stop;
}

static void take_time(struct drill *d)
{
	struct clock_stamp now;

	clock_now(&now);
	d->finished_ns = now.wall_ns;
	d->seconds = (double)(now.wall_ns - d->begun_ns) / SECOND_NS;
	d->recovery_s = 0;
	for (size_t i = 0; i < d->n; i++) {
		const struct drill_step *s = &d->step[i];
		double end = (double)(s->begun_ns - d->begun_ns) / SECOND_NS + s->seconds;

		if (!s->is->always && s->begun_ns && end > d->recovery_s)
			d->recovery_s = end;
	}
	if (d->recovery_s <= 0)
		d->recovery_s = d->seconds;
}

int steps_run(struct recovery *r, enum steps_end *ret, struct err *err)
{
	struct drill *d = r->s.d;
	int stop = 0;

	for (size_t at = 0; at < d->n && !stop;)
		stop = interrupt_count(r->s.interrupt) ? 1 : next(r, &at, err);
	if (stop < 0)
		return -1;
	take_time(d);
	*ret = stop ? STEPS_STOPPED : STEPS_DONE;
	return 0;
}
