/* state: see state.h.  What was written is trusted as far as it is the user's own file in the user's own folder; its form is checked. */
#include "restore/recover/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "format/procedure/procedure.h"
#include "restore/drill/drill.h"
#include "restore/drill/record.h"
#include "restore/extract/scratch.h"
#include "restore/drill/variables.h"
#include "restore/recover/place.h"
#include "restore/recover/recovery.h"

#define STATE_MAX ((size_t)64 << 20)
#define KIND	  "bkp-recovery-state"

/* ---- out ---- */

static json_t *steps_json(const struct recovery *r)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < r->s.d->n; i++) {
		const struct drill_step *s = &r->s.d->step[i];
		json_t *o = record_step(s);

		if (!o || json_object_set_new(o, "running", json_boolean(r->running[i])) ||
		    json_object_set_new(
			o, "number_of", json_integer(s->from ? (json_int_t)s->from->number : 0)) ||
		    json_object_set_new(o, "mark", json_integer(s->mark)) || json_array_append_new(list, o)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* What must be the same when it is gone on with. */
static json_t *sameness(const struct recovery *r)
{
	char hex[DIGEST_HEX];
	const char *name, *value;
	json_t *variables = json_object();

	for (size_t i = 0; variables && variables_each(r->s.variables, i, &name, &value); i++)
		if (json_object_set_new(variables, name, json_string(value))) {
			json_decref(variables);
			return NULL;
		}
	return json_pack("{s:s, s:s, s:o}", "procedure", digest_hex(r->s.procedure->sha256, DIGEST_LEN, hex),
	    "repository", r->s.d->repository, "variables", variables);
}

int state_save(const struct recovery *r, bool finished, struct err *err)
{
	char begun[CLOCK_TEXT];
	json_t *o = json_pack("{s:i, s:s, s:s, s:o, s:s, s:s, s:i, s:b, s:b, s:o}", "format", 1, "kind", KIND,
	    "id", r->id, "same", sameness(r), "confirmed", r->confirmed ? r->confirmed : "", "begun",
	    clock_format(r->s.d->begun_ns, begun), "resumed", (int)r->s.d->resumed, "aborted", r->aborted,
	    "finished", finished, "steps", steps_json(r));
	char *s = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	int n;

	json_decref(o);
	if (!s)
		return err_nomem(err);
	n = io_replace(scratch_dirfd(r->s.scratch), PLACE_STATE, 0600, s, strlen(s), err);
	free(s);
	return n;
}

/* ---- in ---- */

static uint64_t number(const json_t *o, const char *name)
{
	json_int_t n = json_integer_value(json_object_get(o, name));

	return n > 0 ? (uint64_t)n : 0;
}

static int64_t time_of(const json_t *o, const char *name)
{
	int64_t ns = 0;

	(void)clock_parse(journal_text(o, name), &ns);
	return ns;
}

/* NULL where there is none; out of memory looks the same and is found by the next thing that needs some. */
static char *copy(const json_t *o, const char *name)
{
	const char *s = json_string_value(json_object_get(o, name));

	return s ? strdup(s) : NULL;
}

static int load_people(struct drill_step *s, const json_t *o, struct err *err)
{
	const json_t *signers = json_object_get(json_object_get(o, "gate"), "signed");
	const json_t *decisions = json_object_get(o, "decisions");

	s->signer = calloc(json_array_size(signers) + 1, sizeof(*s->signer));
	s->decision = calloc(json_array_size(decisions) + 1, sizeof(*s->decision));
	if (!s->signer || !s->decision)
		return err_nomem(err);
	for (; s->n_signers < json_array_size(signers); s->n_signers++) {
		const json_t *one = json_array_get(signers, s->n_signers);

		s->signer[s->n_signers] =
		    (struct drill_signer){copy(one, "by"), copy(one, "evidence"), time_of(one, "when")};
	}
	for (; s->n_decisions < json_array_size(decisions); s->n_decisions++) {
		const json_t *one = json_array_get(decisions, s->n_decisions);
		struct drill_decision *d = &s->decision[s->n_decisions];
		const char *word = journal_text(one, "choice");

		*d = (struct drill_decision){.by = copy(one, "by"), .reason = copy(one, "reason")};
		d->when_ns = time_of(one, "when");
		snprintf(d->fault, sizeof(d->fault), "%s", journal_text(one, "fault"));
		for (const char *c = "rmgsad"; *c; c++)
			d->choice = !strcmp(drill_decision_word(*c), word) ? *c : d->choice;
	}
	return 0;
}

static int load_step(struct drill_step *s, const json_t *o, struct err *err)
{
	const json_t *restored = json_object_get(o, "restore"), *confirm = json_object_get(o, "confirm");
	const json_t *exit_status = json_object_get(o, "exit_status"), *fault = json_object_get(o, "fault");

	s->wanted = number(o, "number_of");
	s->mark = (enum procedure_mark)number(o, "mark");
	s->attention = json_is_true(json_object_get(o, "attention"));
	s->begun_ns = time_of(o, "begun");
	s->seconds = json_number_value(json_object_get(o, "seconds"));
	s->tries = (unsigned)number(o, "tries");
	s->exit_status = json_is_integer(exit_status) ? (int)json_integer_value(exit_status) : -1;
	s->signal = (int)number(o, "signal");
	s->found = copy(json_object_get(o, "check"), "found");
	s->tail = copy(o, "output_tail");
	s->by = copy(confirm, "by");
	s->note = copy(confirm, "note");
	s->confirmed = !strcmp(journal_text(confirm, "answer"), "yes");
	for (int i = 0; i < OUTCOME_KINDS; i++)
		s->count[i] = number(restored, outcome_name(i));
	s->bytes = number(restored, "bytes");
	snprintf(s->why.code, sizeof(s->why.code), "%s", journal_text(fault, "code"));
	snprintf(s->why.msg, sizeof(s->why.msg), "%s", journal_text(fault, "message"));
	return load_people(s, o, err);
}

static int refuse_form(struct err *err)
{
	err_set(err, "E-RECOVER-05", text("'%s' is not the state of a recovery"), PLACE_STATE);
	return err_hint(
	    err, "%s", text("keep the folder as it is, and begin anew in one that does not exist yet"));
}

static int load_tree(struct recovery *r, const json_t *o, struct err *err)
{
	const json_t *steps = json_object_get(o, "steps");
	json_t *same = sameness(r);
	int differs = !json_equal(json_object_get(o, "same"), same);

	json_decref(same);
	if (differs) {
		err_set(err, "E-RECOVER-06", "%s",
		    text("the recovery in this folder was begun with another procedure, repository or other "
			 "values"));
		return err_hint(err, "%s",
		    text("go on with the same command; for another recovery name a folder that does not "
			 "exist yet"));
	}
	if (json_is_true(json_object_get(o, "finished"))) {
		err_set(err, "E-RECOVER-06", text("the recovery in this folder has ended: see '%s' there"),
		    PLACE_PAGE);
		return err_hint(
		    err, "%s", text("for another recovery name a folder that does not exist yet"));
	}
	if (json_array_size(steps) != r->s.d->n || strlen(journal_text(o, "id")) != RECOVERY_ID - 1)
		return refuse_form(err);
	for (size_t i = 0; i < r->s.d->n; i++) {
		r->running[i] = json_is_true(json_object_get(json_array_get(steps, i), "running"));
		if (load_step(&r->s.d->step[i], json_array_get(steps, i), err))
			return -1;
	}
	snprintf(r->id, sizeof(r->id), "%s", journal_text(o, "id"));
	r->confirmed = copy(o, "confirmed");
	r->aborted = json_is_true(json_object_get(o, "aborted"));
	r->s.d->begun_ns = time_of(o, "begun");
	r->s.d->resumed = (unsigned)number(o, "resumed") + 1;
	return 0;
}

int state_load(struct recovery *r, struct err *err)
{
	BUF_AUTO b = BUF_INIT(STATE_MAX);
	json_t *o;
	int n = io_read_file(scratch_dirfd(r->s.scratch), PLACE_STATE, &b, err);

	if (n < 0)
		return -1;
	o = n ? NULL : json_loadb((const char *)b.p, b.n, JSON_REJECT_DUPLICATES, NULL);
	if (strcmp(journal_text(o, "kind"), KIND) != 0 || number(o, "format") != 1)
		n = refuse_form(err);
	else
		n = load_tree(r, o, err);
	json_decref(o);
	return n;
}
