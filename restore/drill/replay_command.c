/* replay_command: a step that runs a command, and compares what it printed; see replay.h. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "restore/app/app.h"
#include "restore/drill/drill.h"
#include "restore/drill/replay.h"
#include "restore/extract/scratch.h"
#include "restore/command/step_run.h"

#define VALUE_MAX   4096 /* bytes that a check may print */
#define LIMIT_LEAST 3600 /* seconds, where the procedure states no limit */

static int64_t limit_of(const struct drill_step *s)
{
	int64_t by_plan = (int64_t)s->is->minutes * 60 * 4;

	if (s->is->limit_s > 0)
		return s->is->limit_s;
	return by_plan > LIMIT_LEAST ? by_plan : LIMIT_LEAST;
}

static bool ended_well(const struct drill_step *s, const struct step_run_result *ran, struct err *why)
{
	char limit[CLOCK_SPAN];

	switch (ran->end) {
	case STEP_RUN_LIMIT:
		err_set(why, "E-DRILL-13",
		    text("the command was stopped: it took longer than its limit of %s"),
		    clock_format_span((double)limit_of(s), limit));
		err_hint(why, "%s", text("'limit:' in the step allows more"));
		return false;
	case STEP_RUN_INTERRUPTED:
		err_set(why, "E-DRILL-20", "%s", text("interrupted"));
		return false;
	case STEP_RUN_SIGNALLED:
		err_set(why, "E-DRILL-15", text("the command was ended by signal %d"), ran->status);
		return false;
	default:
		if (ran->status)
			err_set(why, "E-DRILL-14", text("the command ended with status %d"), ran->status);
		return ran->status == 0;
	}
}

/* What a scan prints is what it found. */
static bool say_found(struct drill_step *s, const struct step_run_result *ran)
{
	char got[300];

	s->found = drill_safe(ran->value, ran->value_n < VALUE_MAX ? ran->value_n : VALUE_MAX);
	err_set(&s->why, "E-DRILL-28", text("the scan found: %s"),
	    path_show(s->found ? s->found : "?", got, sizeof(got)));
	err_hint(&s->why, "%s",
	    text("what was restored stays where it is; 'bkp-restore bisect' finds the last generation "
		 "without it"));
	return false;
}

static bool compare_value(struct drill_step *s, const struct step_run_result *ran)
{
	char want[300], got[300];
	size_t n = ran->value_n;

	if (s->is->kind != PROCEDURE_CHECK || (!s->is->probe && !s->is->value))
		return true;
	while (n && ran->value[n - 1] == '\n')
		n--;
	s->found = drill_safe(ran->value, n < VALUE_MAX ? n : VALUE_MAX);
	if (ran->value_over || n > VALUE_MAX) {
		err_set(&s->why, "E-DRILL-17", text("the command printed more than %d bytes"), VALUE_MAX);
		err_hint(&s->why, "%s", text("a check prints one value: count, or hash"));
		return false;
	}
	if (!s->expected) {
		err_set(&s->why, "E-DRILL-18", text("no value was recorded when %s was captured"),
		    s->from->label);
		err_hint(&s->why, "%s", text("a 'probe:' in the policy records one from the next run on"));
		return false;
	}
	if (drill_same(s->expected, ran->value, ran->value_n))
		return true;
	err_set(&s->why, "E-DRILL-16", text("expected '%s', found '%s'"),
	    path_show(s->expected, want, sizeof(want)),
	    path_show(s->found ? s->found : "?", got, sizeof(got)));
	return false;
}

bool replay_command(struct replay *r, struct drill_step *s)
{
	struct step_run_request q = {.command = s->is->command,
	    .environment = r->environment,
	    .folder = scratch_fd(r->scratch),
	    .limit_s = limit_of(s),
	    .value_max = (size_t)2 * VALUE_MAX, /* newlines at the end do not count: as for a probe */
	    .interrupt = r->interrupt,
	    .isolation = r->isolation};
	struct step_run_result ran;
	bool well;

	if (step_run(&q, &ran, &s->why))
		return false;
	if (ran.end == STEP_RUN_EXITED)
		s->exit_status = ran.status;
	else
		s->signal = ran.end == STEP_RUN_SIGNALLED ? ran.status : 0;
	if (ran.end == STEP_RUN_INTERRUPTED)
		r->d->interrupted = true;
	/* scanners that find something end with a status of their own: what they found says more */
	if (s->is->kind == PROCEDURE_SCAN && ran.end == STEP_RUN_EXITED && ran.value_n)
		well = say_found(s, &ran);
	else
		well = ended_well(s, &ran, &s->why) && compare_value(s, &ran);
	if (!well)
		s->tail = drill_safe(ran.tail, ran.tail_n);
	if (s->tail && s->tail[0] && !r->app->quiet)
		fprintf(stderr, "%s%s", s->tail, s->tail[strlen(s->tail) - 1] == '\n' ? "" : "\n");
	step_run_free(&ran);
	return well;
}
