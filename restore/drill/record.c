/* record: see record.h.
 *
 * json_pack() takes what it is given and fails as a whole when one part is NULL (out of memory), so each
 * function can hand on what it got without looking.
 */
#include "restore/drill/record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/version.h"
#include "format/crypto/digest.h"
#include "format/journal/drill_slip.h"
#include "restore/drill/drill.h"
#include "restore/drill/variables.h"

/* A JSON string, or null; what is not UTF-8 is made so. */
static json_t *string_json(const char *s)
{
	json_t *j = s ? json_string(s) : json_null();
	char *safe;

	if (j)
		return j;
	safe = drill_safe(s, strlen(s));
	j = safe ? json_string(safe) : NULL;
	free(safe);
	return j;
}

static json_t *time_json(int64_t ns)
{
	char out[CLOCK_TEXT];

	return ns ? json_string(clock_format(ns, out)) : json_null();
}

/* Milliseconds are as exact as it gets. */
static json_t *duration_json(double s)
{
	return json_real((double)(int64_t)(s * 1000 + 0.5) / 1000);
}

static json_t *hex_json(const uint8_t sha256[DIGEST_LEN])
{
	char out[DIGEST_HEX];

	return json_string(digest_hex(sha256, DIGEST_LEN, out));
}

static json_t *target_json(int64_t target_s, int64_t own_s, double measured, bool met)
{
	json_t *stated = target_s ? json_integer(target_s) : json_null(),
	       *own = own_s ? json_integer(own_s) : json_null();

	return json_pack("{s:o, s:o, s:o, s:o}", "target_s", stated, "procedure_s", own, "measured_s",
	    duration_json(measured), "met", target_s ? json_boolean(met) : json_null());
}

static json_t *procedure_json(const struct drill *d)
{
	const struct procedure *p = d->procedure;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "scenario", string_json(p->scenario),
	    "file", string_json(d->file), "title", string_json(p->title), "id", string_json(p->id), "version",
	    string_json(p->version), "dataset", string_json(p->dataset), "sha256", hex_json(p->sha256),
	    "signed", d->signed_on_medium);
}

static json_t *medium_json(const struct drill *d)
{
	return json_pack("{s:o, s:o, s:o}", "uuid", string_json(d->medium_uuid), "label",
	    string_json(d->medium_label), "type", string_json(d->medium_type));
}

static json_t *variables_json(const struct drill *d)
{
	json_t *o = json_object();
	const char *name, *value;
	size_t i;

	for (i = 0; o && d->variables && variables_each(d->variables, i, &name, &value); i++)
		if (json_object_set_new(o, name, string_json(value))) {
			json_decref(o);
			return NULL;
		}
	return o;
}

static json_t *restored_json(const struct drill_step *s)
{
	json_t *o;
	int i;

	if (s->is->kind != PROCEDURE_RESTORE)
		return json_null();
	o = json_pack("{s:o, s:I, s:o, s:I}", "dataset", string_json(s->dataset), "generation",
	    (json_int_t)s->from->number, "to", string_json(s->to), "bytes", (json_int_t)s->bytes);
	for (i = 0; o && i < OUTCOME_KINDS; i++)
		if (json_object_set_new(o, outcome_name(i), json_integer((json_int_t)s->count[i]))) {
			json_decref(o);
			return NULL;
		}
	return o;
}

static json_t *checked_json(const struct drill_step *s)
{
	if (s->is->kind != PROCEDURE_CHECK && s->is->kind != PROCEDURE_SCAN)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "probe", string_json(s->dataset), "expected",
	    string_json(s->expected), "found", string_json(s->found));
}

static json_t *seen_json(const struct drill_step *s)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < s->n_seen; i++) {
		const struct drill_seen *k = &s->seen[i];

		if (json_array_append_new(
			list, json_pack("{s:o, s:o, s:o}", "name", string_json(k->name), "answer",
				  k->answered ? json_string(k->yes ? "yes" : "no") : json_null(), "note",
				  string_json(k->note && k->note[0] ? k->note : NULL)))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *findings_json(const struct drill *d)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < d->n_findings; i++) {
		const struct drill_finding *f = &d->finding[i];

		if (json_array_append_new(
			list, json_pack("{s:o, s:o, s:o, s:o}", "step",
				  f->step ? json_integer(f->step) : json_null(), "text", string_json(f->text),
				  "owner", string_json(f->owner), "due", string_json(f->due)))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* The seed is a text: not every reader of JSON keeps 64 bits. */
static json_t *random_json(const struct drill *d)
{
	char seed[24];

	snprintf(seed, sizeof(seed), "%" PRIu64, d->seed);
	return d->random ? json_pack("{s:s}", "seed", seed) : json_null();
}

static json_t *confirmed_json(const struct drill_step *s)
{
	if (s->is->kind != PROCEDURE_CONFIRM || !s->by)
		return json_null();
	return json_pack("{s:o, s:s, s:o, s:o}", "by", string_json(s->by), "answer",
	    s->confirmed ? "yes" : "no", "note", string_json(s->note && s->note[0] ? s->note : NULL), "names",
	    seen_json(s));
}

static json_t *fault_json(const struct err *why)
{
	return why->code[0] ? json_pack("{s:s, s:o}", "code", why->code, "message", string_json(why->msg))
			    : json_null();
}

static json_t *gate_json(const struct drill_step *s)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < s->n_signers; i++)
		if (json_array_append_new(list,
			json_pack("{s:o, s:o, s:o}", "by", string_json(s->signer[i].by), "evidence",
			    string_json(s->signer[i].evidence), "when", time_json(s->signer[i].when_ns)))) {
			json_decref(list);
			return NULL;
		}
	if (s->is->kind == PROCEDURE_GATE)
		return json_pack("{s:b, s:o, s:i, s:o, s:o, s:o}", "mock", s->mock, "role",
		    string_json(s->is->role), "people", (int)s->is->people, "text",
		    string_json(s->statement ? s->statement : s->what), "pass", string_json(s->pass),
		    "signed", list);
	json_decref(list);
	return json_null();
}

static json_t *decisions_json(const struct drill_step *s)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < s->n_decisions; i++) {
		const struct drill_decision *d = &s->decision[i];

		if (json_array_append_new(
			list, json_pack("{s:s, s:o, s:o, s:o, s:o}", "choice", drill_decision_word(d->choice),
				  "by", string_json(d->by), "reason", string_json(d->reason), "when",
				  time_json(d->when_ns), "fault", string_json(d->fault)))) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

json_t *record_step(const struct drill_step *s)
{
	bool done = s->mark != PROCEDURE_MARK_NOT_DONE;

	return json_pack("{s:i, s:i, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:i, s:s, s:b, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o, s:i}",
	    "number", (int)s->is->number, "line", (int)s->is->line, "kind", procedure_kind_word(s->is->kind),
	    "id", string_json(s->is->id), "who", string_json(s->who), "what", string_json(s->what), "always",
	    s->is->always, "begun", time_json(done ? s->begun_ns : 0), "seconds",
	    done ? duration_json(s->seconds) : json_null(), "planned_minutes", (int)s->is->minutes, "mark",
	    drill_mark_word(s->mark), "attention", s->attention, "fault", fault_json(&s->why), "restore",
	    restored_json(s), "check", checked_json(s), "confirm", confirmed_json(s), "exit_status",
	    s->exit_status >= 0 ? json_integer(s->exit_status) : json_null(), "signal",
	    s->signal ? json_integer(s->signal) : json_null(), "output_tail", string_json(s->tail), "gate",
	    gate_json(s), "decisions", decisions_json(s), "tries", (int)s->tries);
}

static json_t *steps_json(const struct drill *d)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; a && i < d->n; i++)
		if (json_array_append_new(a, record_step(&d->step[i]))) {
			json_decref(a);
			return NULL;
		}
	return a;
}

static json_t *erased_json(const struct drill *d)
{
	const struct drill_erased *e = &d->erased;

	return json_pack("{s:b, s:b, s:o, s:I, s:I, s:I, s:o}", "kept", e->kept, "ok", e->ok, "when",
	    time_json(e->when_ns), "files", (json_int_t)e->files, "folders", (json_int_t)e->folders, "left",
	    (json_int_t)e->left, "fault", fault_json(&e->why));
}

static json_t *generations_json(const struct drill *d)
{
	json_t *a = json_array();

	for (size_t i = 0; a && i < d->n_generations; i++) {
		const struct drill_generation *g = &d->generation[i];
		json_t *o = json_pack("{s:s, s:I, s:s, s:o, s:b}", "dataset", g->dataset, "generation",
		    (json_int_t)g->number, "uuid", g->uuid, "begun", time_json(g->begun_ns), "vouched",
		    g->vouched);

		if (json_array_append_new(a, o)) {
			json_decref(a);
			return NULL;
		}
	}
	return a;
}

/* What only a recovery has. */
static json_t *recovery_json(const struct drill *d)
{
	return d->recovery ? json_pack("{s:o, s:o, s:i}", "to", string_json(d->folder), "target",
				 string_json(d->target), "resumed", (int)d->resumed)
			   : json_null();
}

static json_t *isolation_json(const struct drill *d)
{
	static const char *const words[] = {NULL, "isolated", "not-isolated", "off"};

	return d->isolation == DRILL_ISOLATION_NONE ? json_null()
						    : json_pack("{s:s, s:o}", "state", words[d->isolation],
							  "fault", fault_json(&d->isolation_why));
}

static json_t *drill_json(const struct drill *d)
{
	const struct procedure *p = d->procedure;

	return json_pack("{s:i, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, "
			 "s:i, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:b}",
	    "format", 1, "kind", d->recovery ? DRILL_SLIP_RECOVERY : DRILL_SLIP_DRILL, "verdict",
	    drill_mark_word(d->verdict), "interrupted", d->interrupted, "procedure", procedure_json(d),
	    "medium", medium_json(d), "repository", string_json(d->repository), "site", string_json(d->site),
	    "generations", generations_json(d), "root_key", string_json(d->root_key), "operator",
	    string_json(d->operator_name), "host", string_json(d->host), "version", BKP_VERSION, "begun",
	    time_json(d->begun_ns), "finished", time_json(d->finished_ns), "seconds",
	    duration_json(d->seconds), "planned_minutes", (int)p->minutes, "rto",
	    target_json(d->rto_s, p->rto_s, d->recovery_s, !drill_over_rto(d)), "rpo",
	    target_json(
		d->rpo_s, p->rpo_s, drill_rpo(d), drill_rpo(d) >= 0 && drill_rpo(d) <= (double)d->rpo_s),
	    "variables", variables_json(d), "steps", steps_json(d), "erased", erased_json(d), "recovery",
	    recovery_json(d), "isolation", isolation_json(d), "findings", findings_json(d), "random",
	    random_json(d), "policy", string_json(d->policy_sha256[0] ? d->policy_sha256 : NULL),
	    "unattended", (int)d->unattended);
}

int record_format(const struct drill *d, struct buf *out, struct err *err)
{
	json_t *o = drill_json(d);
	char *s = o ? json_dumps(o, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;
	int r;

	json_decref(o);
	if (!s)
		return err_nomem(err);
	r = buf_puts(out, s, err) || buf_puts(out, "\n", err) ? -1 : 0;
	free(s);
	return r;
}
