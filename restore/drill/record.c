/* record: see record.h. */
#include "restore/drill/record.h"

#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/version.h"
#include "format/crypto/digest.h"
#include "restore/drill/drill.h"
#include "restore/drill/variables.h"

/* A JSON string, or null; what is not UTF-8 is made so. */
static json_t *str(const char *s)
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

static json_t *when(int64_t ns)
{
	char out[CLOCK_TEXT];

	return ns ? json_string(clock_format(ns, out)) : json_null();
}

/* Milliseconds are as exact as it gets. */
static json_t *duration(double s)
{
	return json_real((double)(int64_t)(s * 1000 + 0.5) / 1000);
}

static json_t *hex(const uint8_t sha256[DIGEST_LEN])
{
	char out[DIGEST_HEX];

	return json_string(digest_hex(sha256, DIGEST_LEN, out));
}

static json_t *target(int64_t target_s, double measured, bool met)
{
	json_t *stated = target_s ? json_integer(target_s) : json_null();

	return json_pack("{s:o, s:o, s:o}", "target_s", stated, "measured_s", duration(measured), "met",
	    target_s ? json_boolean(met) : json_null());
}

static json_t *procedure(const struct drill *d)
{
	const struct procedure *p = d->procedure;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:b}", "file", str(d->file), "title", str(p->title),
	    "id", str(p->id), "version", str(p->version), "dataset", str(p->dataset), "sha256",
	    hex(p->sha256), "signed", d->signed_on_medium);
}

static json_t *medium(const struct drill *d)
{
	return json_pack("{s:o, s:o, s:o}", "uuid", str(d->medium_uuid), "label", str(d->medium_label),
	    "type", str(d->medium_type));
}

static json_t *variables(const struct drill *d)
{
	json_t *o = json_object();
	const char *name, *value;
	size_t i;

	for (i = 0; o && d->variables && variables_each(d->variables, i, &name, &value); i++)
		if (json_object_set_new(o, name, str(value))) {
			json_decref(o);
			return NULL;
		}
	return o;
}

static json_t *restored(const struct drill_step *s)
{
	json_t *o;
	int i;

	if (s->is->kind != PROCEDURE_RESTORE)
		return json_null();
	o = json_pack("{s:o, s:I, s:o, s:I}", "dataset", str(s->dataset), "generation",
	    (json_int_t)s->generation, "to", str(s->to), "bytes", (json_int_t)s->bytes);
	for (i = 0; o && i < OUTCOME_KINDS; i++)
		if (json_object_set_new(o, outcome_name(i), json_integer((json_int_t)s->count[i]))) {
			json_decref(o);
			return NULL;
		}
	return o;
}

static json_t *checked(const struct drill_step *s)
{
	if (s->is->kind != PROCEDURE_CHECK)
		return json_null();
	return json_pack("{s:o, s:o, s:o}", "probe", str(s->dataset), "expected", str(s->expected), "found",
	    str(s->found));
}

static json_t *confirmed(const struct drill_step *s)
{
	if (s->is->kind != PROCEDURE_CONFIRM || !s->by)
		return json_null();
	return json_pack("{s:o, s:s, s:o}", "by", str(s->by), "answer", s->confirmed ? "yes" : "no", "note",
	    str(s->note && s->note[0] ? s->note : NULL));
}

static json_t *fault(const struct err *why)
{
	return why->code[0] ? json_pack("{s:s, s:o}", "code", why->code, "message", str(why->msg))
			    : json_null();
}

static json_t *step(const struct drill_step *s)
{
	bool done = s->mark != PROCEDURE_MARK_NOT_DONE;

	return json_pack("{s:i, s:i, s:s, s:o, s:o, s:o, s:b, s:o, s:o, s:i, s:s, s:b, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o}",
	    "number", (int)s->is->number, "line", (int)s->is->line, "kind", procedure_kind_word(s->is->kind),
	    "id", str(s->is->id), "who", str(s->who), "what", str(s->what), "always", s->is->always, "begun",
	    when(done ? s->begun_ns : 0), "seconds", done ? duration(s->seconds) : json_null(),
	    "planned_minutes", (int)s->is->minutes, "mark", drill_mark_word(s->mark), "attention",
	    s->attention, "fault", fault(&s->why), "restore", restored(s), "check", checked(s), "confirm",
	    confirmed(s), "exit_status", s->exit_status >= 0 ? json_integer(s->exit_status) : json_null(),
	    "signal", s->signal ? json_integer(s->signal) : json_null(), "output_tail", str(s->tail));
}

static json_t *steps(const struct drill *d)
{
	json_t *a = json_array();
	size_t i;

	for (i = 0; a && i < d->n; i++)
		if (json_array_append_new(a, step(&d->step[i]))) {
			json_decref(a);
			return NULL;
		}
	return a;
}

static json_t *erased(const struct drill *d)
{
	const struct drill_erased *e = &d->erased;

	return json_pack("{s:b, s:b, s:o, s:I, s:I, s:I, s:o}", "kept", e->kept, "ok", e->ok, "when",
	    when(e->when_ns), "files", (json_int_t)e->files, "folders", (json_int_t)e->folders, "left",
	    (json_int_t)e->left, "fault", fault(&e->why));
}

static json_t *generation(const struct drill *d)
{
	return json_pack("{s:I, s:s, s:o, s:b}", "number", (json_int_t)d->generation, "uuid",
	    d->generation_uuid, "begun", when(d->generation_begun_ns), "vouched", !d->unvouched);
}

static json_t *whole(const struct drill *d)
{
	const struct procedure *p = d->procedure;

	return json_pack("{s:i, s:s, s:s, s:b, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:o, s:o, s:o, "
			 "s:i, s:o, s:o, s:o, s:o, s:o}",
	    "format", 1, "kind", "bkp-drill", "verdict", drill_mark_word(d->verdict), "interrupted",
	    d->interrupted, "procedure", procedure(d), "medium", medium(d), "repository", str(d->repository),
	    "site", str(d->site), "generation", generation(d), "root_key", str(d->root_key), "operator",
	    str(d->operator_name), "host", str(d->host), "version", BKP_VERSION, "begun", when(d->begun_ns),
	    "finished", when(d->finished_ns), "seconds", duration(d->seconds), "planned_minutes",
	    (int)p->minutes, "rto", target(p->rto_s, d->recovery_s, !drill_over_rto(d)), "rpo",
	    target(p->rpo_s, drill_rpo(d), drill_rpo(d) >= 0 && drill_rpo(d) <= (double)p->rpo_s),
	    "variables", variables(d), "steps", steps(d), "erased", erased(d));
}

int record_format(const struct drill *d, struct buf *out, struct err *err)
{
	json_t *o = whole(d);
	char *s = o ? json_dumps(o, JSON_INDENT(1) | JSON_REAL_PRECISION(12)) : NULL;
	int r;

	json_decref(o);
	if (!s)
		return err_nomem(err);
	r = buf_puts(out, s, err) || buf_puts(out, "\n", err) ? -1 : 0;
	free(s);
	return r;
}
