/* drill: see drill.h. */
#include "restore/drill/drill.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"
#include "base/width.h"

int drill_new(const struct procedure *p, const char *file, struct drill **ret, struct err *err)
{
	struct drill *d = calloc(1, sizeof(*d));
	size_t i;

	if (!d)
		return err_nomem(err);
	d->step = calloc(p->n_steps + 1, sizeof(*d->step));
	if (!d->step) {
		free(d);
		return err_nomem(err);
	}
	d->order = calloc(p->n_steps + 1, sizeof(struct drill_step *));
	if (!d->order) {
		free(d->step);
		free(d);
		return err_nomem(err);
	}
	d->procedure = p;
	d->rto_s = p->rto_s;
	d->rpo_s = p->rpo_s;
	d->file = file;
	d->n = p->n_steps;
	for (i = 0; i < d->n; i++) {
		d->step[i].is = &p->steps[i];
		d->step[i].exit_status = -1;
	}
	*ret = d;
	return 0;
}

static void step_free(struct drill_step *s)
{
	size_t i;

	free(s->who);
	free(s->what);
	free(s->how);
	free(s->pass);
	free(s->dataset);
	free(s->to);
	for (i = 0; i < s->n_paths; i++)
		free(s->paths[i]);
	free(s->paths);
	free(s->expected);
	free(s->found);
	free(s->tail);
	free(s->by);
	free(s->note);
	free(s->statement);
	for (i = 0; i < s->n_seen; i++) {
		free(s->seen[i].name);
		free(s->seen[i].note);
	}
	free(s->seen);
	for (i = 0; i < s->n_signers; i++) {
		free(s->signer[i].by);
		free(s->signer[i].evidence);
	}
	free(s->signer);
	for (i = 0; i < s->n_decisions; i++) {
		free(s->decision[i].by);
		free(s->decision[i].reason);
	}
	free(s->decision);
}

void drill_free(struct drill *d)
{
	size_t i;

	if (!d)
		return;
	for (i = 0; i < d->n; i++)
		step_free(&d->step[i]);
	for (i = 0; i < d->n_findings; i++) {
		free(d->finding[i].text);
		free(d->finding[i].owner);
		free(d->finding[i].due);
	}
	free(d->finding);
	free(d->step);
	free(d->order);
	free(d->generation);
	free(d->folder);
	free(d->target);
	free(d->operator_name);
	free(d->host);
	free(d->medium_path);
	free(d->medium_uuid);
	free(d->medium_label);
	free(d->medium_type);
	free(d->repository);
	free(d->site);
	free(d->root_key);
	free(d);
}

static unsigned rank_of(const struct drill_step *s)
{
	return s->is->priority ? s->is->priority : UINT_MAX;
}

void drill_order(struct drill *d)
{
	for (size_t i = 0; i < d->n; i++) {
		size_t at = i;

		for (; at && d->step[i].is->kind == PROCEDURE_RESTORE &&
		       d->order[at - 1]->is->kind == PROCEDURE_RESTORE &&
		       rank_of(d->order[at - 1]) > rank_of(&d->step[i]);
		     at--)
			d->order[at] = d->order[at - 1];
		d->order[at] = &d->step[i];
	}
}

size_t drill_together(const struct drill *d, size_t at)
{
	size_t end = at + 1;

	for (; end < d->n && d->order[at]->is->parallel && d->order[end]->is->parallel; end++)
		for (size_t i = at; i < end; i++)
			if (d->order[i]->from == d->order[end]->from)
				return end - at;
	return end - at;
}

bool drill_is_late(const struct drill_step *s)
{
	return (uint64_t)s->seconds > (uint64_t)s->is->minutes * 60;
}

bool drill_over_rto(const struct drill *d)
{
	return d->rto_s > 0 && (uint64_t)d->recovery_s > (uint64_t)d->rto_s;
}

double drill_rpo(const struct drill *d)
{
	int64_t oldest = d->n_generations ? d->generation[0].begun_ns : INT64_MAX;

	for (size_t i = 1; i < d->n_generations; i++)
		if (d->generation[i].begun_ns < oldest)
			oldest = d->generation[i].begun_ns;
	return (double)(d->begun_ns - oldest) / SECOND_NS;
}

void drill_step_done(struct drill_step *s, bool well)
{
	s->mark = !well		     ? PROCEDURE_MARK_FAILED
		  : s->not_asked     ? PROCEDURE_MARK_NOT_ASKED
		  : drill_is_late(s) ? PROCEDURE_MARK_LATE
				     : PROCEDURE_MARK_PASSED;
}

static bool is_late(const struct drill *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->step[i].mark == PROCEDURE_MARK_LATE)
			return true;
	return drill_over_rto(d);
}

void drill_judge(struct drill *d)
{
	bool failed = d->interrupted, asked = true;
	size_t i;

	for (i = 0; i < d->n; i++) {
		if (d->step[i].mark == PROCEDURE_MARK_NONE)
			d->step[i].mark = PROCEDURE_MARK_NOT_DONE;
		if (d->step[i].mark == PROCEDURE_MARK_FAILED || d->step[i].mark == PROCEDURE_MARK_NOT_DONE ||
		    d->step[i].mark == PROCEDURE_MARK_SKIPPED)
			failed = true;
		if (d->step[i].mark == PROCEDURE_MARK_NOT_ASKED)
			asked = false;
	}
	d->verdict = failed	  ? PROCEDURE_MARK_FAILED
		     : !asked	  ? PROCEDURE_MARK_PARTIAL
		     : is_late(d) ? PROCEDURE_MARK_LATE
				  : PROCEDURE_MARK_PASSED;
}

uint64_t drill_draw(uint64_t seed, const char *what)
{
	uint8_t sha256[DIGEST_LEN];
	char from[GENERATION_NAME + 32];
	uint64_t n = 0;

	snprintf(from, sizeof(from), "%" PRIu64 " %s", seed, what);
	digest_sha256(from, strlen(from), sha256);
	for (size_t i = 0; i < sizeof(n); i++)
		n = n << 8 | sha256[i];
	return n;
}

bool drill_runs_commands(const struct procedure *p)
{
	for (size_t i = 0; i < p->n_steps; i++)
		if (p->steps[i].command)
			return true;
	return false;
}

int drill_exit(const struct drill *d)
{
	size_t i;

	if (d->verdict == PROCEDURE_MARK_FAILED)
		return 2;
	for (i = 0; i < d->n; i++)
		if (d->step[i].attention)
			return 1;
	/* patients' data that is still there is for a person to look at, and so is what nobody vouches for */
	for (i = 0; i < d->n_generations; i++)
		if (!d->generation[i].vouched)
			return 1;
	if (is_late(d) || (d->erased.done && !d->erased.ok) || d->isolation == DRILL_NOT_ISOLATED)
		return 1;
	return 0;
}

const char *drill_mark_word(enum procedure_mark m)
{
	switch (m) {
	case PROCEDURE_MARK_PASSED:
		return "passed";
	case PROCEDURE_MARK_LATE:
		return "late";
	case PROCEDURE_MARK_FAILED:
		return "failed";
	case PROCEDURE_MARK_SKIPPED:
		return "skipped";
	case PROCEDURE_MARK_NOT_ASKED:
		return "not-asked";
	case PROCEDURE_MARK_PARTIAL:
		return "partial";
	default:
		return "not-done";
	}
}

const char *drill_mark_text(enum procedure_mark m)
{
	switch (m) {
	case PROCEDURE_MARK_PASSED:
		return text("passed");
	case PROCEDURE_MARK_LATE:
		return text("passed, but late");
	case PROCEDURE_MARK_FAILED:
		return text("FAILED");
	case PROCEDURE_MARK_SKIPPED:
		return text("SKIPPED");
	case PROCEDURE_MARK_NOT_ASKED:
		return text("not asked");
	case PROCEDURE_MARK_PARTIAL:
		return text("a sample passed, and people were not asked: no full drill");
	default:
		return text("not done");
	}
}

bool drill_complete(const struct drill *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->step[i].mark != PROCEDURE_MARK_PASSED && d->step[i].mark != PROCEDURE_MARK_LATE &&
		    d->step[i].mark != PROCEDURE_MARK_SKIPPED)
			return false;
	return true;
}

const char *drill_verdict_text(const struct drill *d)
{
	if (!d->recovery)
		return drill_mark_text(d->verdict);
	if (d->verdict == PROCEDURE_MARK_FAILED)
		return drill_complete(d) ? text("recovered, but steps were skipped") : text("NOT RECOVERED");
	return d->verdict == PROCEDURE_MARK_LATE ? text("recovered, but late") : text("recovered");
}

static const struct {
	char choice;
	const char *word, *text;
} decisions[] = {{'r', "retry", TEXT_LATER("once more")}, {'m', "medium", TEXT_LATER("from the next medium")},
    {'g', "older", TEXT_LATER("an older generation")}, {'s', "skip", TEXT_LATER("skipped")},
    {'a', "abort", TEXT_LATER("aborted, the recovery ends")},
    {'d', "done", TEXT_LATER("had been done before it was cut off")}};

const char *drill_decision_word(char choice)
{
	for (size_t i = 0; i < sizeof(decisions) / sizeof(*decisions); i++)
		if (decisions[i].choice == choice)
			return decisions[i].word;
	return "";
}

const char *drill_decision_text(char choice)
{
	for (size_t i = 0; i < sizeof(decisions) / sizeof(*decisions); i++)
		if (decisions[i].choice == choice)
			return text(decisions[i].text);
	return "";
}

bool drill_same(const char *expected, const char *found, size_t found_n)
{
	size_t n = strlen(expected);

	while (n && expected[n - 1] == '\n')
		n--;
	while (found_n && found[found_n - 1] == '\n')
		found_n--;
	return n == found_n && !memcmp(expected, found, n);
}

char *drill_safe(const char *p, size_t n)
{
	struct buf out = BUF_INIT(n * 3 + 1);

	while (n) {
		uint32_t cp;
		size_t len = width_decode(p, n, &cp);
		bool bad = cp == UINT32_MAX || (cp < 0x20 && cp != '\n' && cp != '\t') ||
			   (cp >= 0x7f && cp < 0xa0) || width_is_deceptive(cp);

		if (buf_append(&out, bad ? "\xef\xbf\xbd" : p, bad ? 3 : len, NULL))
			break;
		p += len;
		n -= len;
	}
	if (n || buf_terminate(&out, NULL)) {
		buf_free(&out);
		return NULL;
	}
	return (char *)out.p;
}
