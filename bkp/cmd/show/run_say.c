/* run_say: see run_say.h.
 *
 * Everything that is said is kept in `held`, a stream in memory, because the notify command gets all of it as details.
 * Without --quiet a note is shown on stderr at once as well.  At the end: the line, then what is wrong; with --quiet what was
 * held back comes before it.  When there is no memory for `held`, notes go to stderr directly and nobody is mailed details.
 *
 * run_say_end(), in order: lines → shown → recorded and told (outcome_tell()).  When the journal on a medium is ahead of this
 * host's, nothing is recorded: the state is not this repository's newest. */
#include "cmd/show/run_say.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "cmd/app/app.h"
#include "cmd/app/outcome.h"
#include "cmd/show/run_report.h"
#include "cmd/show/summary.h"
#include "cmd/show/turns_show.h"
#include "read/ledger/ledger.h"
#include "write/media/journal_copies.h"
#include "write/run/run.h"
#include "write/state/state.h"

void run_say_begin(struct run_say *s, const struct app *app, const struct policy *policy)
{
	memset(s, 0, sizeof(*s));
	s->app = app;
	s->policy = policy;
	s->held = open_memstream(&s->text, &s->size);
	out_progress_begin(&s->progress, app, "", 0);
}

void run_say_note(struct run_say *s, const char *fmt, ...)
{
	va_list ap;

	out_progress_end(&s->progress);
	va_start(ap, fmt);
	if (s->held)
		vfprintf(s->held, fmt, ap);
	va_end(ap);
	if (s->app->quiet && s->held)
		return;
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
}

/* What is wrong, behind the notes; and on stderr, as much of both as was not shown yet. */
static void say_faults(struct run_say *s, const struct run_result *r, const struct err *failure, int code)
{
	FILE *shown = s->app->json && !failure ? NULL : stderr;
	long from = s->held ? ftell(s->held) : 0;

	if (!s->held) {
		if (shown)
			run_report_faults(r, failure, stderr);
		return;
	}
	run_report_faults(r, failure, s->held);
	fflush(s->held);
	if (s->app->quiet)
		from = 0;
	if (shown && code != APP_OK && from >= 0)
		fputs(s->text + from, shown);
}

static void say_line(const struct run_say *s, const char *line, const struct err *failure, bool well)
{
	if (s->app->json || (s->app->quiet ? well && !s->good_news : failure != NULL))
		return;
	puts(line);
	fflush(stdout);
}

int run_say_end(
    struct run_say *s, struct state *state, const struct run_result *r, const struct err *failure, int code)
{
	const struct ledger_latch *latch = state ? ledger_latch(state_ledger(state)) : NULL;
	char line[SUMMARY_LINE], record[SUMMARY_LINE];
	struct outcome o = {.command = "run", .code = code, .line = line, .record = record};
	struct turns_tell tell;
	struct clock_stamp now;

	out_progress_end(&s->progress);
	summary_run(r, failure, latch, true, line);
	summary_run(r, failure, latch, false, record);
	if (code == APP_OK && latch && latch->found_ns)
		o.code = code = APP_ATTENTION;
	o.good_news = s->good_news = outcome_good_news(s->policy, state) || (r->turn_today && r->turn.msg[0]);
	if (r->turn.msg[0] && state) {
		clock_now(&now);
		turns_show_tell(s->policy, state_ledger(state), now.wall_ns, &tell);
		o.tell = tell.names;
	}
	say_line(s, line, failure, code == APP_OK);
	say_faults(s, r, failure, code);
	if (s->app->json)
		run_report_json(r, failure, line);
	else if (!failure && !s->app->quiet)
		run_report_summary(r);
	o.run = failure ? 0 : r->run;
	o.signal = r->signal;
	o.details = s->held ? s->text : NULL;
	code =
	    outcome_tell(s->app, s->policy, failure && journal_copies_is_ahead(failure) ? NULL : state, &o);
	run_say_drop(s);
	return app_flush(code);
}

void run_say_drop(struct run_say *s)
{
	out_progress_end(&s->progress);
	if (s->held)
		fclose(s->held);
	free(s->text);
	s->held = NULL;
	s->text = NULL;
}

int run_say_refused(const struct app *app, const struct policy *policy, const struct err *why)
{
	struct run_result none = {0};
	struct run_say s;

	run_say_begin(&s, app, policy);
	return run_say_end(&s, NULL, &none, why, APP_FAILED);
}
