/* run_report: see run_report.h. */
#include "cmd/show/run_report.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/show/overview.h"
#include "write/run/run.h"

static const char *verdict_text(enum generation_verdict v)
{
	return v == GENERATION_GOOD	 ? text("good")
	       : v == GENERATION_PARTIAL ? text("partial")
					 : text("failed");
}

/* What to do about a data set that was captured and does not count. */
static void print_partial_hint(const char *reason, const char *label, FILE *out)
{
	const char *hint = NULL;

	if (strstr(reason, "probe: "))
		hint = text("its content was captured, but a restore cannot be checked by it; run the probe "
			    "by hand as the same user");
	else if (!strncmp(reason, "after: ", 7))
		hint = text("its content was captured; see whether what 'before' began was ended, and run "
			    "the command by hand as the same user");
	if (hint)
		fprintf(out, "  → %s\n", hint);
	else
		fprintf(out,
		    text("  → look at the source; it is captured, and when it is as it should be, 'bkp "
			 "accept %s --operator NAME --reason TEXT' lets it count\n"),
		    label);
}

static void print_dataset_faults(const struct generation_dataset *d, const char *label, FILE *out)
{
	if (d->verdict == GENERATION_FAILED) {
		fprintf(out, text("bkp: E-RUN-03: data set '%s' failed: %s\n"), d->name,
		    d->reason ? d->reason : text("no reason is on record"));
		fprintf(out,
		    text("  → this run made no generation of it: see to the reason, then run 'bkp run %s'\n"),
		    d->name);
		return;
	}
	if (d->unreadable || d->changed)
		fprintf(out,
		    text("bkp: W-RUN-04: data set '%s' is partial: %ju unreadable, %ju"
			 " changed while read; 'bkp-restore list' marks them\n"),
		    d->name, d->unreadable, d->changed);
	if (d->verdict == GENERATION_PARTIAL && d->reason) {
		fprintf(out, text("bkp: W-RUN-06: data set '%s' is partial: %s\n"), d->name, d->reason);
		print_partial_hint(d->reason, label, out);
	}
}

/* What its commands wrote to standard error.  On media it is encrypted. */
static void print_words(const struct generation_dataset *d, FILE *out)
{
	if (d->verdict != GENERATION_GOOD && d->said && !d->said_lines)
		fprintf(out, text("  its commands said: %s\n"), d->said);
	if (!d->said_lines)
		return;
	fprintf(out, text("bkp: W-CMD-04: data set '%s': its commands said %ju lines: %s\n"), d->name,
	    d->said_lines, d->said ? d->said : "?");
	fprintf(out, "  → %s\n",
	    text("see whether all of it was captured; what is always said and harmless, 'stderr: ignore' in "
		 "the policy passes over"));
}

/* Kept, marked, and nothing goes until a person has looked. */
static void print_suspect(const struct generation_dataset *d, const char *label, FILE *out)
{
	fprintf(out, text("bkp: E-GUARD-01: data set '%s' looks as if its files were being harmed: %s\n"),
	    d->name, d->suspicion ? d->suspicion : text("no reason is on record"));
	fprintf(out, "  → %s\n",
	    text("look at the files now; if they are harmed, take this computer off the network, attach no "
		 "disk and call for help"));
	fprintf(out, text("  → 'bkp guard show %s' says in plain words what was found, and what to do\n"),
	    d->name);
	fprintf(out,
	    text("  → until somebody decides nothing expires: 'bkp accept %s --operator NAME --reason TEXT' "
		 "when it is right, 'bkp hold %s --operator NAME --reason TEXT' when it is not\n"),
	    label, label);
}

static void print_blind(const struct generation_dataset *d, FILE *out)
{
	fprintf(out,
	    text("bkp: W-GUARD-01: data set '%s': the guard against mass change saw less than it should: "
		 "%s\n"),
	    d->name, d->blind);
	fprintf(out, "  → %s\n", text("look at a few of its files yourself; the next run compares again"));
}

static void print_said(const struct err *e, FILE *out)
{
	if (e->code[0])
		app_fault(e, out);
}

/* What somebody did to the medium's copy of the journal. */
static void print_of_medium(const struct run_medium *m, const struct err *e, FILE *out)
{
	fprintf(out, "bkp: %s: %s: %s\n", e->code, m->label, e->msg);
	app_next(e, out);
}

static void print_replaced(const struct run_result *r, FILE *out)
{
	for (size_t i = 0; i < r->n_media; i++)
		print_said(&r->media[i].replaced, out);
}

char *run_report_lacking(const struct run_result *r, size_t medium, char out[RUN_REPORT_NAMES])
{
	size_t used = 0;

	*out = '\0';
	for (size_t i = 0; i < r->n_datasets && used < RUN_REPORT_NAMES; i++) {
		const struct run_dataset *d = &r->datasets[i];

		if (d->committed && d->copies && d->copies[medium].wanted && !d->copies[medium].ok)
			used += (size_t)snprintf(
			    out + used, RUN_REPORT_NAMES - used, "%s%s", used ? ", " : "", d->d.name);
	}
	return out;
}

/* Is any generation of this run on it? */
static bool holds_some(const struct run_result *r, size_t medium)
{
	for (size_t i = 0; i < r->n_datasets; i++)
		if (r->datasets[i].copies && r->datasets[i].copies[medium].ok)
			return true;
	return false;
}

static void print_medium_faults(const struct run_result *r, size_t i, FILE *out)
{
	const struct run_medium *m = &r->media[i];
	char names[RUN_REPORT_NAMES];

	if (m->undone.code[0])
		print_of_medium(m, &m->undone, out);
	if (m->history.code[0] && strcmp(m->history.code, m->undone.code) != 0)
		print_of_medium(m, &m->history, out);
	if (m->ok && m->verified)
		return;
	fprintf(out, "bkp: %s: %s: %s\n", m->why.code[0] ? m->why.code : "E-RUN-05", m->label, m->why.msg);
	if (m->why.hint[0] || !err_is_full(&m->why))
		app_next(&m->why, out);
	else
		fprintf(out,
		    text("  → 'bkp expire --dry-run --medium %s' says what may go; when that is not "
			 "enough, register a larger one under a new name\n"),
		    m->label);
	if (m->ok)
		return;
	run_report_lacking(r, i, names);
	if (*names && holds_some(r, i))
		fprintf(out, text("  → not on it: %s\n"), names);
	fprintf(out, "  → %s\n",
	    err_is_full(&m->why)
		? text("what is not on it is on the other media; this one gets it when there is room on it")
		: text("what is not on it is on the other media; the next run brings this one up to date"));
}

void run_report_faults(const struct run_result *r, const struct err *failure, FILE *out)
{
	char label[GENERATION_LABEL];
	size_t i;

	if (failure) {
		app_fault(failure, out);
		print_replaced(r, out);
		for (i = 0; i < r->n_datasets; i++)
			print_words(&r->datasets[i].d, out);
		return;
	}
	print_said(&r->clock, out);
	print_said(&r->reaped, out);
	print_said(&r->narrowed, out);
	print_said(&r->exposed, out);
	print_said(&r->again, out);
	if (!r->turn_today)
		print_said(&r->turn, out);
	for (i = 0; i < r->n_datasets; i++) {
		const struct generation_dataset *d = &r->datasets[i].d;

		print_dataset_faults(d, generation_label(d->name, r->run, label), out);
		print_words(d, out);
	}
	for (i = 0; i < r->n_datasets; i++)
		if (r->datasets[i].d.guard.suspect)
			print_suspect(
			    &r->datasets[i].d, generation_label(r->datasets[i].d.name, r->run, label), out);
	for (i = 0; i < r->n_datasets; i++)
		if (r->datasets[i].d.blind)
			print_blind(&r->datasets[i].d, out);
	if (r->slow.code[0])
		fprintf(out, text("bkp: W-CAPTURE-01: the next run will have to read all files again: %s\n"),
		    r->slow.msg);
	print_said(&r->missing, out);
	print_replaced(r, out);
	for (i = 0; i < r->n_media; i++)
		print_medium_faults(r, i, out);
}

static void summarize_datasets(const struct run_result *r)
{
	struct table *t = table_new(5);
	char label[GENERATION_LABEL], bytes[OUT_BYTES];

	for (size_t i = 0; t && i < r->n_datasets; i++) {
		const struct run_dataset *s = &r->datasets[i];

		table_cell(t, "%s", generation_label(s->d.name, r->run, label));
		table_cell(t, "%s", s->d.guard.suspect ? text("suspect") : verdict_text(s->d.verdict));
		if (!s->committed) {
			table_cell(t, "-");
			table_cell(t, "-");
			table_cell(t, "%s", s->d.reason ? s->d.reason : text("no reason is on record"));
			continue;
		}
		table_cell(t, text("%ju entries"), (uintmax_t)s->d.entries);
		table_cell(t, "%s", out_bytes(s->d.bytes, bytes));
		table_cell(t, text("%ju archives (%s) in use, %ju new"), (uintmax_t)s->archives,
		    out_bytes(s->archive_bytes, bytes), (uintmax_t)s->new_archives);
	}
	(void)out_table(t, 2, APP_OK);
	for (size_t i = 0; i < r->n_datasets; i++)
		if (r->datasets[i].d.notice)
			out_wrapped(stdout, 0, 4, text("  notice of %s: %s"),
			    generation_label(r->datasets[i].d.name, r->run, label), r->datasets[i].d.notice);
}

/* Of each medium one sentence, made of what applies. */
static void summarize_medium(const struct run_result *r, size_t i)
{
	const struct run_medium *m = &r->media[i];
	char names[RUN_REPORT_NAMES], bytes[OUT_BYTES], frozen[256] = "", caught[128] = "";

	run_report_lacking(r, i, names);
	if (m->ok && !holds_some(r, i)) {
		out_wrapped(stdout, 0, 4, text("  medium %s: nothing of this run is for it"), m->label);
		return;
	}
	if (!m->ok && !holds_some(r, i)) {
		out_wrapped(stdout, 0, 4, text("  medium %s: NOT written"), m->label);
		return;
	}
	if (m->unfrozen)
		snprintf(frozen, sizeof(frozen), text("; %ju files could not be made immutable here (%s)"),
		    m->unfrozen, text_errno(m->unfrozen_errno));
	if (m->caught_up)
		snprintf(
		    caught, sizeof(caught), text("; %ju earlier generations copied to it"), m->caught_up);
	out_wrapped(stdout, 0, 4, text("  medium %s: %s written, %s%s%s%s%s"), m->label,
	    out_bytes(m->written, bytes),
	    m->verified			 ? text("read back and equal")
	    : m->why.kind != ERR_STOPPED ? text("NOT verified")
					 : text("not read back yet"),
	    *names ? text("; NOT on it: ") : "", names, frozen, caught);
}

void run_report_summary(const struct run_result *r)
{
	printf(text("run %ju\n"), (uintmax_t)r->run);
	summarize_datasets(r);
	for (size_t i = 0; i < r->n_media; i++)
		summarize_medium(r, i);
	if (r->recovered)
		out_wrapped(stdout, 0, 4,
		    text("  an interrupted run had left %ju generations complete: they are reported now"),
		    r->recovered);
	if (r->given_up)
		out_wrapped(stdout, 0, 4,
		    text("  an interrupted run had left %ju generations incomplete: what it stored is used "
			 "again"),
		    r->given_up);
	if (r->refilled)
		out_wrapped(stdout, 0, 4,
		    text(
			"  the index of what is stored was lost: %ju archives were found again on the media"),
		    r->refilled);
}

static json_t *media_json(const struct run_result *r)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; i < r->n_media; i++) {
		const struct run_medium *m = &r->media[i];

		json_array_append_new(
		    a, json_pack("{s:s, s:b, s:b, s:I, s:I, s:I, s:s*, s:s*, s:s*, s:s*}", "label", m->label,
			   "ok", m->ok, "verified", m->verified, "written", (json_int_t)m->written,
			   "not_frozen", (json_int_t)m->unfrozen, "caught_up", (json_int_t)m->caught_up,
			   "reason", m->ok && m->verified ? NULL : m->why.msg, "undone",
			   m->undone.code[0] ? m->undone.msg : NULL, "history",
			   m->history.code[0] ? m->history.msg : NULL, "replaced",
			   m->replaced.code[0] ? m->replaced.msg : NULL));
	}
	return a;
}

/* Of a data set's generation: the media that are to hold it. */
static json_t *copies_json(const struct run_result *r, const struct run_dataset *s)
{
	json_t *a = json_array();

	for (size_t i = 0; s->copies && i < r->n_media; i++)
		if (s->copies[i].wanted)
			json_array_append_new(
			    a, json_pack("{s:s, s:b, s:b}", "label", r->media[i].label, "ok",
				   (int)s->copies[i].ok, "verified", (int)s->copies[i].verified));
	return a;
}

static json_t *dataset_json(const struct run_result *r, const struct run_dataset *s)
{
	const struct generation_dataset *d = &s->d;
	json_t *o =
	    json_pack("{s:s, s:o, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:s*, s:s*, s:s*, s:s*, s:s*, s:I}",
		"dataset", d->name, "generation", overview_number_json(s->committed ? r->run : 0), "verdict",
		generation_verdict_word(d->verdict), "entries", (json_int_t)d->entries, "files",
		(json_int_t)d->files, "bytes", (json_int_t)d->bytes, "unreadable", (json_int_t)d->unreadable,
		"changed", (json_int_t)d->changed, "skipped", (json_int_t)d->skipped, "reason", d->reason,
		"suspect", d->suspicion, "notice", d->notice, "unguarded", d->blind, "said", d->said,
		"said_lines", (json_int_t)d->said_lines);

	if (!o ||
	    json_object_update_new(o,
		json_pack("{s:I, s:I, s:I, s:I, s:o}", "archives", (json_int_t)s->archives, "archive_bytes",
		    (json_int_t)s->archive_bytes, "new_archives", (json_int_t)s->new_archives, "new_bytes",
		    (json_int_t)s->new_bytes, "media", copies_json(r, s)))) {
		json_decref(o);
		return NULL;
	}
	return o;
}

void run_report_json(const struct run_result *r, const struct err *failure, const char *line)
{
	json_t *sets = json_array(), *o;

	for (size_t i = 0; i < r->n_datasets; i++)
		json_array_append_new(sets, dataset_json(r, &r->datasets[i]));
	o = json_pack("{s:s, s:o, s:o, s:o, s:I, s:I, s:I, s:s*, s:s*, s:s*, s:s*, s:s*}", "line", line,
	    "run", overview_number_json(r->run), "datasets", sets, "media", media_json(r), "recovered",
	    (json_int_t)r->recovered, "given_up", (json_int_t)r->given_up, "refilled",
	    (json_int_t)r->refilled, "error", failure ? failure->code : NULL, "message",
	    failure ? failure->msg : NULL, "missing", r->missing.code[0] ? r->missing.msg : NULL, "slow",
	    r->slow.code[0] ? r->slow.msg : NULL, "clock", r->clock.code[0] ? r->clock.msg : NULL);
	if (o) {
		json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
	}
	json_decref(o);
}

int run_report_exit(const struct run_result *r)
{
	size_t i;

	for (i = 0; i < r->n_datasets; i++) {
		const struct generation_dataset *d = &r->datasets[i].d;

		if (!r->datasets[i].committed || d->verdict != GENERATION_GOOD || d->guard.suspect ||
		    d->blind || d->said_lines)
			return APP_ATTENTION;
	}
	for (i = 0; i < r->n_media; i++)
		if (!r->media[i].ok || !r->media[i].verified || r->media[i].history.code[0] ||
		    r->media[i].replaced.code[0] || r->media[i].undone.code[0])
			return APP_ATTENTION;
	if (r->clock.code[0] || r->reaped.code[0] || r->narrowed.code[0] || r->exposed.code[0] ||
	    r->again.code[0] || r->turn.code[0])
		return APP_ATTENTION;
	return r->missing.code[0] || r->slow.code[0] ? APP_ATTENTION : APP_OK;
}

static const char *stage_name(enum timing_stage s)
{
	switch (s) {
	case TIMING_READER:
		return text("  walk, open, read, cut");
	case TIMING_IDS:
		return text("  content ids");
	case TIMING_STORE:
		return text("  index, catalog");
	case TIMING_COMPRESS:
		return text("  compress");
	case TIMING_SEAL:
		return text("  encrypt, hash, write");
	case TIMING_CAPTURE:
		return text("capture");
	case TIMING_COMMIT:
		return text("commit");
	default:
		return text("read back");
	}
}

void run_report_timings(const struct timings *t)
{
	struct table *table = table_new(5);
	BUF_AUTO out = BUF_INIT(1 << 16);
	double seconds = 0, cpu = 0;

	if (!table)
		return;
	table_cell(table, "%s", text("stage"));
	table_cell(table, "%s", text("seconds"));
	table_cell(table, "%s", text("CPU s"));
	table_cell(table, "%s", text("of it user"));
	table_cell(table, "MiB");
	for (int i = 0; i < TIMING_STAGES; i++) {
		const struct timing *s = &t->stages[i];

		table_cell(table, "%s", stage_name((enum timing_stage)i));
		table_cell(table, "%7.2f", (double)s->busy_ns / 1e9);
		table_cell(table, "%7.2f", (double)s->cpu_ns / 1e9);
		if (i < TIMING_CAPTURE)
			table_cell(table, "%s", "");
		else
			table_cell(table, "%7.2f", (double)s->user_ns / 1e9);
		if (s->bytes)
			table_cell(table, "%.1f", (double)s->bytes / 1048576);
		else
			table_cell(table, "%s", "");
		seconds += i < TIMING_CAPTURE ? 0 : (double)s->busy_ns / 1e9;
		cpu += i < TIMING_CAPTURE ? 0 : (double)s->cpu_ns / 1e9;
	}
	table_cell(table, "%s", text("the run"));
	table_cell(table, "%7.2f", seconds);
	table_cell(table, "%7.2f", cpu);
	if (!table_render(table, 0, &out, NULL) && !buf_terminate(&out, NULL))
		fputs((char *)out.p, stderr);
	table_free(table);
}
