/* drill_slip: see drill_slip.h.
 *
 * The file's own members are looked at twice: here as they are made into those of a record, where one that is absent or of another kind
 * becomes null, and by drill_slip_wrong(), which says that it must not be. */
#include "format/journal/drill_slip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/journal/slip.h"
#include "format/medium/selector.h"

/* ---- the record ---- */

static bool is_verdict(const json_t *v)
{
	const char *s = json_string_value(v);

	return s &&
	       (!strcmp(s, "passed") || !strcmp(s, "late") || !strcmp(s, "partial") || !strcmp(s, "failed"));
}

static bool is_kind(const json_t *v)
{
	const char *s = json_string_value(v);

	return s && (!strcmp(s, "drill") || !strcmp(s, "recovery"));
}

static bool is_procedure(const json_t *v)
{
	static const struct slip_member of[] = {{"sha256", slip_is_sha256}, {"title", slip_is_word},
	    {"id", slip_is_line_opt}, {"version", slip_is_line_opt}};

	return json_object_size(v) == 4 && !slip_wrong(of, 4, v);
}

static bool is_restored(const json_t *v)
{
	static const struct slip_member of[] = {{"dataset", slip_is_dataset}, {"generation", slip_is_count},
	    {"uuid", slip_is_uuid}, {"bytes", slip_is_count_opt}, {"ms", slip_is_count_opt}};

	return json_object_size(v) == 5 && !slip_wrong(of, 5, v);
}

static bool is_restored_list(const json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!is_restored(json_array_get(v, i)))
			return false;
	return json_is_array(v) && json_array_size(v) <= DRILL_SLIP_DATASETS;
}

static bool is_day(const json_t *v)
{
	uint64_t day;

	return slip_is_line(v) && selector_date(json_string_value(v), &day);
}

const char *drill_slip_finding_wrong(const json_t *finding)
{
	static const struct slip_member of[] = {
	    {"text", slip_is_word}, {"owner", slip_is_word}, {"due", is_day}};

	return slip_wrong(of, 3, finding);
}

/* Records of the time before there were any have none. */
static bool is_findings(const json_t *v)
{
	for (size_t i = 0; i < json_array_size(v); i++)
		if (drill_slip_finding_wrong(json_array_get(v, i)))
			return false;
	return !v || (json_is_array(v) && json_array_size(v) <= DRILL_SLIP_FINDINGS);
}

static bool is_signed(const json_t *v)
{
	static const struct slip_member of[] = {
	    {"by", slip_is_word}, {"evidence", slip_is_word}, {"when", slip_is_time}};

	for (size_t i = 0; i < json_array_size(v); i++)
		if (slip_wrong(of, 3, json_array_get(v, i)))
			return false;
	return json_is_array(v) && json_array_size(v) <= DRILL_SLIP_PEOPLE;
}

static bool is_people(const json_t *v)
{
	return json_is_integer(v) && json_integer_value(v) > 0 && json_integer_value(v) <= DRILL_SLIP_PEOPLE;
}

/* Records of the time before they were kept have none. */
static bool is_gates(const json_t *v)
{
	static const struct slip_member of[] = {{"step", slip_is_count}, {"role", slip_is_word},
	    {"people", is_people}, {"text", slip_is_word}, {"pass", slip_is_line_opt}, {"signed", is_signed}};

	for (size_t i = 0; i < json_array_size(v); i++)
		if (slip_wrong(of, sizeof(of) / sizeof(*of), json_array_get(v, i)))
			return false;
	return !v || (json_is_array(v) && json_array_size(v) <= DRILL_SLIP_GATES);
}

static bool is_boolean_opt(const json_t *v)
{
	return !v || json_is_null(v) || json_is_boolean(v);
}

/* Records of earlier versions have none. */
static bool is_count_or_none(const json_t *v)
{
	return !v || slip_is_count_opt(v);
}

static const struct slip_member members_of[] = {{"kind", is_kind}, {"verdict", is_verdict},
    {"begun", slip_is_time}, {"finished", slip_is_time}, {"operator", slip_is_word},
    {"host", slip_is_line_opt}, {"medium", slip_is_uuid_opt}, {"label", slip_is_line_opt},
    {"type", slip_is_line_opt}, {"procedure", is_procedure}, {"recovery_s", slip_is_count},
    {"rpo_s", slip_is_count_opt}, {"datasets", is_restored_list}, {"steps", slip_is_count},
    {"failed", slip_is_count}, {"late", slip_is_count}, {"erased", slip_is_boolean},
    {"findings", is_findings}, {"isolated", is_boolean_opt}, {"gates", is_gates},
    {"procedure_rto_s", is_count_or_none}};
#define N_MEMBERS (sizeof(members_of) / sizeof(*members_of))

const char *drill_slip_wrong(const json_t *members)
{
	return slip_wrong(members_of, N_MEMBERS, members);
}

const char *drill_slip_verdict_text(const char *v)
{
	return !*v		       ? ""
	       : !strcmp(v, "passed")  ? text("passed")
	       : !strcmp(v, "late")    ? text("late")
	       : !strcmp(v, "partial") ? text("a sample passed (people were not asked)")
				       : text("failed");
}

int64_t drill_slip_ns(const json_t *members)
{
	int64_t ns = 0;

	(void)clock_parse(journal_text(members, "finished"), &ns);
	return ns;
}

bool drill_slip_proves(const json_t *members)
{
	const char *verdict = journal_text(members, "verdict");

	return (!strcmp(verdict, "passed") || !strcmp(verdict, "late")) &&
	       (!strcmp(journal_text(members, "kind"), "recovery") ||
		   json_is_true(json_object_get(members, "erased")));
}

/* ---- the file ---- */

static json_t *own(const json_t *v)
{
	return v ? json_incref((json_t *)v) : json_null();
}

static json_t *member(const json_t *o, const char *name)
{
	return own(json_object_get(o, name));
}

/* What was measured, in whole units of 1/per; null: nothing was, or it is no length of time. */
static json_t *rounded(const json_t *v, double per)
{
	double s = json_number_value(v);

	return json_is_number(v) && s >= 0 && s < 1e12 ? json_integer((json_int_t)(s * per + 0.5))
						       : json_null();
}

static json_t *target(const json_t *file, const char *name)
{
	return rounded(json_object_get(json_object_get(file, name), "measured_s"), 1);
}

static json_t *procedure_of(const json_t *file)
{
	const json_t *p = json_object_get(file, "procedure");

	return json_pack("{s:o, s:o, s:o, s:o}", "sha256", member(p, "sha256"), "title", member(p, "title"),
	    "id", member(p, "id"), "version", member(p, "version"));
}

static bool same_generation(const json_t *a, const json_t *b)
{
	return json_equal(json_object_get(a, "dataset"), json_object_get(b, "dataset")) &&
	       json_equal(json_object_get(a, "generation"), json_object_get(b, "generation"));
}

/* What was to be brought back: nothing of it was yet. */
static json_t *wanted_of(const json_t *file)
{
	const json_t *all = json_object_get(file, "generations");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(all) && i <= DRILL_SLIP_DATASETS; i++) {
		const json_t *o = json_array_get(all, i);

		json_array_append_new(list,
		    json_pack("{s:o, s:o, s:o, s:n, s:n}", "dataset", member(o, "dataset"), "generation",
			member(o, "generation"), "uuid", member(o, "uuid"), "bytes", "ms"));
	}
	return list;
}

/* What a step brought back, and what others brought back before it. */
static json_t *sum(const json_t *before, const json_t *v)
{
	json_int_t total;

	if (!json_is_integer(v) ||
	    __builtin_add_overflow(json_integer_value(before), json_integer_value(v), &total))
		return json_integer(-1); /* drill_slip_wrong() says so */
	return json_integer(total);
}

/* false: it is not among what was to be brought back. */
static bool add_restored(const json_t *list, const json_t *step)
{
	const json_t *restored = json_object_get(step, "restore");
	json_t *ms = rounded(json_object_get(step, "seconds"), 1000), *o = NULL;

	for (size_t i = 0; i < json_array_size(list) && !o; i++)
		if (same_generation(json_array_get(list, i), restored))
			o = json_array_get(list, i);
	json_object_set_new(o, "bytes", sum(json_object_get(o, "bytes"), json_object_get(restored, "bytes")));
	json_object_set_new(o, "ms", sum(json_object_get(o, "ms"), ms));
	json_decref(ms);
	return o;
}

static size_t count_marked(const json_t *steps, const char *mark)
{
	size_t n = 0;

	for (size_t i = 0; i < json_array_size(steps); i++)
		n += !strcmp(journal_text(json_array_get(steps, i), "mark"), mark);
	return n;
}

static json_t *findings_of(const json_t *file)
{
	const json_t *all = json_object_get(file, "findings");
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(all) && i <= DRILL_SLIP_FINDINGS; i++) {
		const json_t *o = json_array_get(all, i);

		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "text", member(o, "text"), "owner",
						member(o, "owner"), "due", member(o, "due")));
	}
	return list;
}

/* What people wrote over several lines is one here, and ends where a record's texts end. */
static json_t *line_of(const json_t *o, const char *name)
{
	const json_t *v = json_object_get(o, name);
	const char *s = json_string_value(v);
	size_t n = json_string_length(v);
	const bool cut = n >= SLIP_TEXT;
	char line[SLIP_TEXT];

	if (!s)
		return own(v);
	if (cut)
		for (n = SLIP_TEXT - sizeof("…"); n && ((unsigned char)s[n] & 0xC0) == 0x80;)
			n--;
	for (size_t i = 0; i < n; i++)
		line[i] = (unsigned char)s[i] < ' ' || s[i] == 127 ? ' ' : s[i];
	while (n && line[n - 1] == ' ')
		n--;
	snprintf(line + n, sizeof(line) - n, "%s", cut ? "…" : "");
	return json_string(line);
}

static json_t *signed_of(const json_t *gate)
{
	const json_t *all = json_object_get(gate, "signed");
	json_t *list = json_is_array(all) ? json_array() : json_null();

	for (size_t i = 0; i < json_array_size(all) && i <= DRILL_SLIP_PEOPLE; i++) {
		const json_t *o = json_array_get(all, i);

		json_array_append_new(list, json_pack("{s:o, s:o, s:o}", "by", member(o, "by"), "evidence",
						line_of(o, "evidence"), "when", member(o, "when")));
	}
	return list;
}

/* Gates (復旧前確認): what is to be signed by how many of whom, and who did on what evidence. */
static json_t *gates_of(const json_t *steps)
{
	json_t *list = json_array();

	for (size_t i = 0; i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i), *gate = json_object_get(step, "gate");

		if (json_is_object(gate) && json_array_size(list) <= DRILL_SLIP_GATES)
			json_array_append_new(
			    list, json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "step", member(step, "number"),
				      "role", member(gate, "role"), "people", member(gate, "people"), "text",
				      line_of(gate, "text"), "pass", line_of(gate, "pass"), "signed",
				      signed_of(gate)));
	}
	return list;
}

/* null: no command was run, or it is the record of an earlier version. */
static json_t *isolated_of(const json_t *file)
{
	const char *state = journal_text(json_object_get(file, "isolation"), "state");

	return *state ? json_boolean(!strcmp(state, "isolated")) : json_null();
}

static json_t *record_of(const json_t *file, bool recovery)
{
	const json_t *steps = json_object_get(file, "steps"), *medium = json_object_get(file, "medium"),
		     *erased = json_object_get(file, "erased");
	const bool gone =
	    json_is_true(json_object_get(erased, "ok")) && !json_is_true(json_object_get(erased, "kept"));
	json_t *list = wanted_of(file);

	for (size_t i = 0; list && i < json_array_size(steps); i++) {
		const json_t *step = json_array_get(steps, i);
		const char *mark = journal_text(step, "mark");

		if (json_is_object(json_object_get(step, "restore")) &&
		    (!strcmp(mark, "passed") || !strcmp(mark, "late")) && !add_restored(list, step)) {
			json_decref(list);
			list = json_null(); /* likewise */
		}
	}
	return json_pack(
	    "{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:I, s:b, s:o, s:o, "
	    "s:o, s:o}",
	    "kind", recovery ? "recovery" : "drill", "verdict", member(file, "verdict"), "begun",
	    member(file, "begun"), "finished", member(file, "finished"), "operator", member(file, "operator"),
	    "host", member(file, "host"), "medium", member(medium, "uuid"), "label", member(medium, "label"),
	    "type", member(medium, "type"), "procedure", procedure_of(file), "recovery_s",
	    target(file, "rto"), "rpo_s", target(file, "rpo"), "datasets", list, "steps",
	    (json_int_t)json_array_size(steps), "failed",
	    (json_int_t)(count_marked(steps, "failed") + count_marked(steps, "not-done")), "late",
	    (json_int_t)count_marked(steps, "late"), "erased", (int)gone, "findings", findings_of(file),
	    "isolated", isolated_of(file), "gates", gates_of(steps), "procedure_rto_s",
	    rounded(json_object_get(json_object_get(file, "rto"), "procedure_s"), 1));
}

int drill_slip_parse(
    const void *p, size_t n, char ret_repository[JOURNAL_UUID], json_t **ret, struct err *err)
{
	json_t *file = n <= DRILL_SLIP_MAX ? json_loadb(p, n, JSON_REJECT_DUPLICATES, NULL) : NULL, *o = NULL;
	const char *kind = json_string_value(json_object_get(file, "kind")), *wrong;
	const bool recovery = kind && !strcmp(kind, DRILL_SLIP_RECOVERY);

	wrong = slip_wrong_head(file, recovery ? DRILL_SLIP_RECOVERY : DRILL_SLIP_DRILL, ret_repository);
	if (!wrong) {
		o = record_of(file, recovery);
		wrong = o ? drill_slip_wrong(o) : NULL;
	}
	json_decref(file);
	if (!wrong && !o)
		return err_nomem(err);
	*ret = o;
	if (!wrong)
		return 0;
	json_decref(o);
	return err_set_kind(err, ERR_MALFORMED, "E-IMPORT-01",
	    text("no record of a drill or a recovery: member '%s' is missing or of the wrong kind"), wrong);
}
