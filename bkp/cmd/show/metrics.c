/* metrics: see metrics.h.
 *
 * A metric is one row of a table (name, help, function) for data sets or media, or one single_metric().  The first failure is
 * kept in the writer; then nothing more is written. */
#include "cmd/show/metrics.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/version.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"

struct writer {
	struct buf *out;
	struct err *err;
	const char *name; /* of the metric that is being written */
	bool failed;
};

static void begin_metric(struct writer *w, const char *name, const char *help)
{
	w->name = name;
	w->failed =
	    w->failed || buf_printf(w->out, w->err, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

/* A label's value: backslash, quote and newline are escaped, and nothing else is. */
static void put_label_value(struct writer *w, const char *s)
{
	for (; *s && !w->failed; s++) {
		const char *escaped = *s == '\\' ? "\\\\" : *s == '"' ? "\\\"" : *s == '\n' ? "\\n" : NULL;

		w->failed = escaped ? buf_puts(w->out, escaped, w->err) : buf_append(w->out, s, 1, w->err);
	}
}

/* Labels are pairs of name and value, ended by NULL. */
static void put_sample(struct writer *w, int64_t value, ...)
{
	const char *label, *s;
	bool first = true;
	va_list ap;

	w->failed = w->failed || buf_puts(w->out, w->name, w->err);
	va_start(ap, value);
	while ((label = va_arg(ap, const char *)) && !w->failed) {
		s = va_arg(ap, const char *);
		w->failed = buf_printf(w->out, w->err, "%s%s=\"", first ? "{" : ",", label);
		put_label_value(w, s ? s : "");
		w->failed = w->failed || buf_puts(w->out, "\"", w->err);
		first = false;
	}
	va_end(ap);
	w->failed = w->failed || buf_printf(w->out, w->err, "%s %jd\n", first ? "" : "}", (intmax_t)value);
}

static void single_metric(struct writer *w, const char *name, const char *help, int64_t value)
{
	begin_metric(w, name, help);
	put_sample(w, value, NULL);
}

/* ---- data sets ---- */

typedef int64_t dataset_fn(const struct compliance_dataset *d);

static int64_t last_good(const struct compliance_dataset *d)
{
	return d->newest_ns / SECOND_NS;
}

static int64_t last_good_number(const struct compliance_dataset *d)
{
	return (int64_t)d->newest;
}

static int64_t last_verified(const struct compliance_dataset *d)
{
	return d->verified_ns / SECOND_NS;
}

static int64_t offline_point(const struct compliance_dataset *d)
{
	return d->offline_ns / SECOND_NS;
}

static int64_t next_due(const struct compliance_dataset *d)
{
	return d->due_ns / SECOND_NS;
}

static int64_t missed(const struct compliance_dataset *d)
{
	return d->missed_ns != 0;
}

static int64_t counting(const struct compliance_dataset *d)
{
	return d->generations.have;
}

static int64_t required(const struct compliance_dataset *d)
{
	return d->generations.want;
}

static int64_t suspect(const struct compliance_dataset *d)
{
	return d->suspect != 0;
}

static int64_t attempt_failed(const struct compliance_dataset *d)
{
	return d->tried_failed;
}

static void dataset_metrics(struct writer *w, const struct compliance *s)
{
	static const struct {
		const char *name, *help;
		dataset_fn *value;
	} rows[] = {
	    {"bkp_last_good_timestamp_seconds", "When the newest generation that counts was begun.",
		last_good},
	    {"bkp_last_good_generation", "Its number, that of the run.", last_good_number},
	    {"bkp_last_attempt_failed", "1: the newest run that was to capture it made none that counts.",
		attempt_failed},
	    {"bkp_last_verified_timestamp_seconds", "When a copy was last read back and found equal.",
		last_verified},
	    {"bkp_offline_recovery_point_timestamp_seconds",
		"When the newest generation on a detached medium was begun.", offline_point},
	    {"bkp_next_due_timestamp_seconds", "When the data set is due; in the past: it is due now.",
		next_due},
	    {"bkp_run_missed", "1: it was due and no run has captured it.", missed},
	    {"bkp_generations_counting", "Dates of which there is a good, verified generation.", counting},
	    {"bkp_generations_required", "Dates that are required.", required},
	    {"bkp_suspect", "1: the guard found it suspect and nobody has decided.", suspect},
	};

	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		begin_metric(w, rows[r].name, rows[r].help);
		for (size_t i = 0; i < s->n_datasets; i++)
			put_sample(
			    w, rows[r].value(&s->datasets[i]), "dataset", s->datasets[i].policy->name, NULL);
	}
	begin_metric(w, "bkp_rule_verdict", "0 met, 1 attention, 2 missing.");
	for (size_t i = 0; i < s->n_datasets; i++) {
		const struct compliance_dataset *d = &s->datasets[i];
		const char *name = d->policy->name;

		put_sample(w, d->generations.verdict, "dataset", name, "rule", "generations", NULL);
		put_sample(w, d->three.verdict, "dataset", name, "rule", "three", NULL);
		put_sample(w, d->two.verdict, "dataset", name, "rule", "two", NULL);
		put_sample(w, d->one.verdict, "dataset", name, "rule", "one", NULL);
	}
}

/* ---- media ---- */

typedef int64_t medium_fn(const struct compliance_medium *m);

static int64_t attached(const struct compliance_medium *m)
{
	return m->attached;
}

static int64_t overdue(const struct compliance_medium *m)
{
	return m->overdue_swap || m->overdue_attached;
}

static int64_t held(const struct compliance_medium *m)
{
	return (int64_t)m->generations;
}

static int64_t lacking(const struct compliance_medium *m)
{
	return (int64_t)m->missing;
}

static int64_t damaged(const struct compliance_medium *m)
{
	return (int64_t)m->damaged;
}

static int64_t rotated(const struct compliance_medium *m)
{
	return m->ledger ? m->ledger->rotated_ns / SECOND_NS : 0;
}

static int64_t too_long(const struct compliance_medium *m)
{
	return m->overdue_attached;
}

static int64_t attached_least(const struct compliance_medium *m)
{
	return m->exposed.least_s;
}

/* -1: not known */
static int64_t attached_most(const struct compliance_medium *m)
{
	return m->exposed.most_s;
}

static int64_t free_bytes(const struct compliance_medium *m)
{
	return m->room.free_ns ? (int64_t)m->room.free : -1;
}

static int64_t full_from(const struct compliance_medium *m)
{
	return m->room.from_ns / SECOND_NS;
}

static int64_t full_to(const struct compliance_medium *m)
{
	return m->room.to_ns / SECOND_NS;
}

static void medium_metrics(struct writer *w, const struct compliance *s)
{
	static const struct {
		const char *name, *help;
		medium_fn *value;
	} rows[] = {
	    {"bkp_medium_attached", "1: seen, or recorded as attached.", attached},
	    {"bkp_medium_overdue", "1: rotation overdue, or attached too long.", overdue},
	    {"bkp_medium_attached_too_long", "1: attached for longer than max_attached.", too_long},
	    {"bkp_medium_attached_seconds_least", "How long it was attached this month, at least.",
		attached_least},
	    {"bkp_medium_attached_seconds_most", "The same, at most; -1: not known.", attached_most},
	    {"bkp_medium_free_bytes", "Free on it when it was last written to; -1: not known.", free_bytes},
	    {"bkp_medium_full_from_timestamp_seconds",
		"When it will be full at the earliest; 0: not in sight, or not known.", full_from},
	    {"bkp_medium_full_to_timestamp_seconds",
		"When it will be full at the latest; 0: not in sight, or not known.", full_to},
	    {"bkp_medium_generations", "Verified generations on it.", held},
	    {"bkp_medium_missing_generations", "Generations that it should hold and does not.", lacking},
	    {"bkp_medium_damaged_generations", "Generations found damaged on it.", damaged},
	    {"bkp_medium_rotated_timestamp_seconds", "Its last rotation.", rotated},
	};

	for (size_t r = 0; r < sizeof(rows) / sizeof(*rows); r++) {
		begin_metric(w, rows[r].name, rows[r].help);
		for (size_t i = 0; i < s->n_media; i++) {
			const struct compliance_medium *m = &s->media[i];

			if (m->policy)
				put_sample(w, rows[r].value(m), "medium",
				    m->ledger ? m->ledger->label : m->policy->name, "type", m->policy->type,
				    "offline", m->policy->offline ? "true" : "false", NULL);
		}
	}
}

/* ---- all of it ---- */

static void outcome_metrics(
    struct writer *w, const struct ledger_outcome *run, const struct ledger_notified *notified)
{
	single_metric(w, "bkp_last_run_timestamp_seconds", "When the last run ended.",
	    run ? run->ended_ns / SECOND_NS : 0);
	single_metric(w, "bkp_last_run_exit",
	    "Its exit status: 0 well, 1 look at it, 2 failed; -1: there was none.", run ? run->exit : -1);
	single_metric(w, "bkp_notify_failed", "1: the last notification did not get through.",
	    notified->at_ns && !notified->ok);
}

int metrics_render(const struct policy *policy, const struct ledger *l, const struct compliance *s,
    int64_t now_ns, int exit, struct buf *out, struct err *err)
{
	struct writer w = {.out = out, .err = err};

	begin_metric(&w, "bkp_info", "The site and the program.");
	put_sample(&w, 1, "site", policy->site_name, "version", BKP_VERSION, "repository",
	    l ? ledger_repository(l) : "", NULL);
	single_metric(&w, "bkp_status_timestamp_seconds", "When this was written.", now_ns / SECOND_NS);
	single_metric(&w, "bkp_status_exit",
	    "Exit status of bkp status: 0 well, 1 look at it, 2 nothing good, 3 unknown.", exit);
	if (l && s) {
		dataset_metrics(&w, s);
		medium_metrics(&w, s);
		outcome_metrics(&w, s->run, s->notified);
		single_metric(&w, "bkp_clock_latched", "1: the clock jumped and nobody has attested it.",
		    s->latch->found_ns != 0);
		single_metric(&w, "bkp_frozen", "1: a suspect generation keeps everything from expiring.",
		    *s->frozen != 0);
		single_metric(
		    &w, "bkp_things_to_do", "Sentences under 'What to do next'.", (int64_t)s->n_next);
		single_metric(
		    &w, "bkp_journal_epoch", "The key that signs the journal.", (int64_t)ledger_epoch(l));
		single_metric(&w, "bkp_journal_records", "Records of the journal.", (int64_t)ledger_seq(l));
	}
	return w.failed ? -1 : 0;
}
