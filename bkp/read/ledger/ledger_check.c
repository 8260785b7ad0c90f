/* ledger_check: what each event must say, and what it may not contradict; see ledger.h and docs/format-writer.md,
 * section 9.
 *
 * rules[] is the whole list of known events: the members that each must have, and a function that compares it
 * with the state so far.  The same check is asked before a record is written (ledger_accepts) and when it is
 * read: so a journal never holds a record that its readers refuse.  Therefore a check may only use what is
 * the same at both times: the records before, never the clock, the policy or a medium.
 */
#include "read/ledger/ledger_private.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal.h"
#include "format/medium/generation.h"

static bool all_strings(const json_t *list)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_is_string(json_array_get(list, i)))
			return false;
	return json_is_array(list);
}

static bool has_kind(const json_t *v, enum ledger_kind kind)
{
	const char *s = json_string_value(v);
	uint8_t hash[DIGEST_LEN];

	switch (kind) {
	case UUID:
		return s && journal_is_uuid(s);
	case WORD:
		return s && *s;
	case TEXT_OPT:
		return s || !v || json_is_null(v);
	case NUMBER:
		return json_is_integer(v) && json_integer_value(v) >= 0;
	case INTEGER:
		return json_is_integer(v);
	case BOOLEAN:
		return json_is_boolean(v);
	case BOOLEAN_OPT:
		return !v || json_is_boolean(v);
	case SHA256:
		return s && strlen(s) == 2 * DIGEST_LEN && digest_unhex(s, DIGEST_LEN, hash);
	case LIST:
		return json_is_array(v);
	case STRINGS:
		return all_strings(v);
	}
	return false;
}

int ledger_wrong_member(uint64_t line, const char *event, const char *name, struct err *err)
{
	return err_set_kind(err, ERR_CONTRADICTION, "E-LEDGER-01",
	    text("record %ju of the journal, '%s': member '%s' is missing or of the wrong kind"), line, event,
	    name);
}

int ledger_check_members(
    const json_t *o, const struct ledger_member *m, uint64_t line, const char *event, struct err *err)
{
	for (; m->name; m++)
		if (!has_kind(json_object_get(o, m->name), m->kind))
			return ledger_wrong_member(line, event, m->name, err);
	return 0;
}

int ledger_contradiction(uint64_t line, const char *event, const char *why, struct err *err)
{
	return err_set_kind(err, ERR_CONTRADICTION, "E-LEDGER-02",
	    text("record %ju of the journal, '%s', contradicts the records before it: %s"), line, event, why);
}

/* ---- checks, one per event ---- */

static int check_init(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	if (line != 1)
		return ledger_contradiction(line, event, text("the repository exists already"), err);
	(void)l;
	return strlen(journal_text(o, "recipient")) < sizeof(l->period.recipient)
		   ? 0
		   : ledger_wrong_member(line, event, "recipient", err);
}

/* One name, one medium. */
static int check_name(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const struct ledger_medium *m = ledger_medium_by_uuid(l, member_str(o, "medium")),
				   *other = ledger_medium_by_label(l, member_str(o, "label"));

	if (!m && strcmp(event, "medium-added") != 0)
		return ledger_contradiction(line, event, text("the medium was never registered"), err);
	if (m && m->lost_ns && !m->retired_ns)
		return ledger_contradiction(line, event, text("the medium is lost"), err);
	if (other && other != m)
		return ledger_contradiction(line, event, text("another medium has that name"), err);
	return 0;
}

static int check_nothing(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	(void)l, (void)o, (void)line, (void)event, (void)err;
	return 0;
}

/* The chain of lines refuses such a record, too, but only once it is written: this is asked before. */
static int check_epoch(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	struct minisig_public key;

	if (minisig_public_parse(member_str(o, "key"), &key, NULL))
		return ledger_wrong_member(line, event, "key", err);
	/* a record that is being read has taught its key already */
	if (member_num(o, "next") != ledger_epoch(l) + (ledger_seq(l) < line))
		return ledger_contradiction(line, event, text("it is not the next epoch"), err);
	return 0;
}

static int check_journal_copies(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const json_t *media = json_object_get(o, "media");

	if (!member_num(o, "upto") || member_num(o, "upto") >= line)
		return ledger_contradiction(line, event, text("there is no such record yet"), err);
	for (size_t i = 0; i < json_array_size(media); i++)
		if (!ledger_medium_by_uuid(l, json_string_value(json_array_get(media, i))))
			return ledger_contradiction(
			    line, event, text("the medium was never registered"), err);
	return 0;
}

int ledger_check_names(const json_t *names, uint64_t line, const char *event, struct err *err)
{
	for (size_t i = 0; i < json_array_size(names); i++) {
		const char *name = json_string_value(json_array_get(names, i));

		if (!generation_name_ok(name))
			return ledger_wrong_member(line, event, "datasets", err);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(json_string_value(json_array_get(names, k)), name))
				return ledger_wrong_member(line, event, "datasets", err);
	}
	return json_array_size(names) ? 0 : ledger_wrong_member(line, event, "datasets", err);
}

/* The next revision of the period in force, of the same key; or the next period. */
static int check_keys(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const struct ledger_period *is = &l->period;
	uint64_t number = member_num(o, "period"), revision = member_num(o, "revision");
	const char *recipient = journal_text(o, "recipient");

	if (strlen(recipient) >= sizeof(is->recipient))
		return ledger_wrong_member(line, event, "recipient", err);
	if ((number == is->number && revision == is->revision + 1 && !strcmp(recipient, is->recipient)) ||
	    (number == is->number + 1 && revision == 1))
		return 0;
	return ledger_contradiction(line, event, text("these keys do not follow those in force"), err);
}

static bool is_among(const json_t *names, const char *name)
{
	for (size_t i = 0; name && i < json_array_size(names); i++)
		if (!strcmp(json_string_value(json_array_get(names, i)), name))
			return true;
	return false;
}

/* Groups of two or more of the run's data sets, none of them in two groups. */
static int check_together(
    const json_t *groups, const json_t *datasets, uint64_t line, const char *event, struct err *err)
{
	bool ok = !groups || json_is_array(groups);

	for (size_t i = 0; ok && i < json_array_size(groups); i++) {
		const json_t *group = json_array_get(groups, i);

		ok = json_array_size(group) > 1;
		for (size_t k = 0; ok && k < json_array_size(group); k++) {
			const char *name = json_string_value(json_array_get(group, k));

			ok = is_among(datasets, name);
			for (size_t o = 0; ok && o <= i; o++)
				for (size_t m = 0;
				     ok && m < (o == i ? k : json_array_size(json_array_get(groups, o))); m++)
					ok = strcmp(json_string_value(
							json_array_get(json_array_get(groups, o), m)),
						 name) != 0;
		}
	}
	return ok ? 0 : ledger_wrong_member(line, event, "together", err);
}

static int check_begin(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	if (member_num(o, "run") < ledger_next_run(l))
		return ledger_contradiction(line, event, text("the run's number was given before"), err);
	return ledger_check_names(json_object_get(o, "datasets"), line, event, err) ||
		       check_together(
			   json_object_get(o, "together"), json_object_get(o, "datasets"), line, event, err)
		   ? -1
		   : 0;
}

/* Nothing comes to a medium, is read back from it, or goes from it, while it is recorded as being away. */
static int check_presence(
    const struct ledger *l, const char *uuid, uint64_t line, const char *event, struct err *err)
{
	const struct ledger_medium *m = ledger_medium_by_uuid(l, uuid);

	if (!m)
		return ledger_contradiction(line, event, text("the medium was never registered"), err);
	return m->attached ? 0 : ledger_contradiction(line, event, text("the medium was away"), err);
}

static int check_copy(
    const struct ledger *l, const json_t *c, uint64_t line, const char *event, struct err *err)
{
	static const struct ledger_member members[] = {{"medium", UUID}, {"label", WORD}, {"ok", BOOLEAN},
	    {"frozen", BOOLEAN}, {"reason", TEXT_OPT}, {"full", BOOLEAN_OPT}, {NULL, UUID}};

	if (!json_is_object(c))
		return ledger_wrong_member(line, event, "media", err);
	if (ledger_check_members(c, members, line, event, err))
		return -1;
	if (json_is_true(json_object_get(c, "ok")))
		return check_presence(l, member_str(c, "medium"), line, event, err);
	if (!ledger_medium_by_uuid(l, member_str(c, "medium")))
		return ledger_contradiction(line, event, text("the medium was never registered"), err);
	return 0;
}

static bool is_open(const struct ledger_generation *g, bool recovered)
{
	return g->state == LEDGER_BEGUN || (g->state == LEDGER_ABANDONED && recovered);
}

static int check_committed(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const struct ledger_generation *g = generation_of(l, o);
	const char *verdict = member_str(o, "verdict");
	const json_t *media = json_object_get(o, "media");

	if (!g || strcmp(g->uuid, member_str(o, "uuid")) != 0)
		return ledger_contradiction(line, event, text("the generation was never begun"), err);
	if (!is_open(g, json_is_true(json_object_get(o, "recovered"))))
		return ledger_contradiction(line, event, text("the generation has ended already"), err);
	if (strcmp(verdict, "good") != 0 && strcmp(verdict, "partial") != 0)
		return ledger_wrong_member(line, event, "verdict", err);
	for (size_t i = 0; i < json_array_size(media); i++)
		if (check_copy(l, json_array_get(media, i), line, event, err))
			return -1;
	return 0;
}

/* Of "verify-failed", or one of a list. */
static int check_copied_one(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const struct ledger_generation *g = generation_of(l, o);

	/* one that is recorded as expired everywhere may be found standing there */
	if (!g || (g->state != LEDGER_COMMITTED && (g->state != LEDGER_EXPIRED || !strcmp(event, "copied"))))
		return ledger_contradiction(line, event, text("the generation was never committed"), err);
	return 0;
}

static int check_verify_failed(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	return check_copied_one(l, o, line, event, err) ||
		       check_presence(l, member_str(o, "medium"), line, event, err)
		   ? -1
		   : 0;
}

/* verified, copied: of all that came, or were read back, at once. */
static int check_copied(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	static const struct ledger_member members[] = {
	    {"dataset", WORD}, {"generation", NUMBER}, {"files", NUMBER}, {"bytes", NUMBER}, {NULL, UUID}};
	const json_t *list = json_object_get(o, "generations");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (!json_is_object(one))
			return ledger_wrong_member(line, event, "generations", err);
		if (ledger_check_members(one, members, line, event, err) ||
		    check_copied_one(l, one, line, event, err))
			return -1;
	}
	return check_presence(l, member_str(o, "medium"), line, event, err);
}

static int check_medium(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const struct ledger_medium *m = ledger_medium_by_uuid(l, member_str(o, "medium"));

	if (!m)
		return ledger_contradiction(line, event, text("the medium was never registered"), err);
	if (m->lost_ns && strcmp(event, "medium-retired") != 0)
		return ledger_contradiction(line, event, text("the medium is lost"), err);
	return 0;
}

/* Its turns are numbered without a gap; journals of former days have no number.  "turn" may be followed by figures. */
static int check_rotated(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	static const char *const figures[] = {"turn", "write_ms", "read_ms", "read_bytes"};
	const struct ledger_medium *m = ledger_medium_by_uuid(l, member_str(o, "medium"));

	if (!m)
		return check_medium(l, o, line, event, err);
	for (size_t i = 0; i < sizeof(figures) / sizeof(*figures); i++) {
		const json_t *v = json_object_get(o, figures[i]);

		if (v && (!json_is_integer(v) || json_integer_value(v) < 0))
			return ledger_wrong_member(line, event, figures[i], err);
	}
	return json_object_get(o, "turn") && member_num(o, "turn") != m->turns + 1
		   ? ledger_contradiction(line, event, text("it is not the medium's next turn"), err)
		   : 0;
}

static int check_reread(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	if (member_num(o, "first") >= LEDGER_PARTS || !member_num(o, "parts") ||
	    member_num(o, "parts") > LEDGER_PARTS)
		return ledger_wrong_member(line, event, "parts", err);
	return check_presence(l, member_str(o, "medium"), line, event, err);
}

/* The data sets that have no generation from the run, each named once, and why. */
static int check_failed(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	static const struct ledger_member members[] = {{"name", WORD}, {"reason", TEXT_OPT}, {NULL, UUID}};
	const json_t *list = json_object_get(o, "datasets");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *d = json_array_get(list, i);
		const struct ledger_generation *g;

		if (!json_is_object(d))
			return ledger_wrong_member(line, event, "datasets", err);
		if (ledger_check_members(d, members, line, event, err))
			return -1;
		g = ledger_generation_of(l, member_str(d, "name"), member_num(o, "run"));
		if (!g)
			return ledger_contradiction(line, event, text("the generation was never begun"), err);
		if (!is_open(g, true))
			return ledger_contradiction(
			    line, event, text("the generation has ended already"), err);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(member_str(json_array_get(list, k), "name"), g->dataset))
				return ledger_wrong_member(line, event, "datasets", err);
	}
	return json_array_size(list) ? 0 : ledger_wrong_member(line, event, "datasets", err);
}

static int check_decision(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const struct ledger_generation *g = generation_of(l, o);

	if (!g || g->state != LEDGER_COMMITTED)
		return ledger_contradiction(line, event, text("the generation was never committed"), err);
	return 0;
}

/* Each part is some of the archives of a generation that was reported. */
static int check_disc(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	static const struct ledger_member members[] = {{"dataset", WORD}, {"generation", NUMBER},
	    {"first", NUMBER}, {"archives", NUMBER}, {"of", NUMBER}, {NULL, UUID}};
	const json_t *list = json_object_get(o, "parts");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *p = json_array_get(list, i);

		if (!json_is_object(p))
			return ledger_wrong_member(line, event, "parts", err);
		if (ledger_check_members(p, members, line, event, err) ||
		    check_copied_one(l, p, line, event, err))
			return -1;
		if (!member_num(p, "archives") || member_num(p, "of") > INT32_MAX ||
		    member_num(p, "first") > member_num(p, "of") ||
		    member_num(p, "archives") > member_num(p, "of") - member_num(p, "first"))
			return ledger_wrong_member(line, event, "parts", err);
	}
	return check_presence(l, member_str(o, "medium"), line, event, err);
}

static const struct rule {
	const char *event;
	struct ledger_member members[18];
	ledger_check_fn *check;
} rules[] = {
    {"init", {{"site", WORD}, {"root_key", WORD}, {"recipient", WORD}, {"period_sha256", SHA256}},
	check_init},
    {"medium-added",
	{{"medium", UUID}, {"label", WORD}, {"type", WORD}, {"path", TEXT_OPT}, {"place", TEXT_OPT},
	    {"offline", BOOLEAN}, {"fs_uuid", TEXT_OPT}, {"serial", TEXT_OPT}, {"store", TEXT_OPT},
	    {"shows", TEXT_OPT}},
	check_name},
    {"medium-renamed", {{"medium", UUID}, {"label", WORD}, {"operator", WORD}}, check_name},
    {"medium-retired",
	{{"medium", UUID}, {"operator", WORD}, {"reason", WORD}, {"method", TEXT_OPT}, {"witness", TEXT_OPT},
	    {"certificate", TEXT_OPT}, {"keys_destroyed", TEXT_OPT}},
	check_medium},
    {"medium-prepared",
	{{"label", WORD}, {"device", WORD}, {"model", TEXT_OPT}, {"serial", TEXT_OPT}, {"bytes", NUMBER},
	    {"fs", WORD}, {"fs_uuid", WORD}, {"held", STRINGS}, {"operator", WORD}},
	check_nothing},
    {"medium-data",
	{{"medium", UUID}, {"operator", WORD}, {"maker", TEXT_OPT}, {"model", TEXT_OPT}, {"serial", TEXT_OPT},
	    {"bought", TEXT_OPT}, {"use_until", TEXT_OPT}, {"support_until", TEXT_OPT}, {"lock", TEXT_OPT},
	    {"writing", TEXT_OPT}, {"custodian", TEXT_OPT}},
	ledger_check_custody},
    {"medium-handed", {{"medium", UUID}, {"operator", WORD}, {"to", WORD}, {"witness", WORD}},
	ledger_check_custody},
    {"medium-lent",
	{{"medium", UUID}, {"operator", WORD}, {"to", WORD}, {"until", WORD}, {"reason", WORD},
	    {"witness", TEXT_OPT}},
	ledger_check_custody},
    {"medium-returned", {{"medium", UUID}, {"operator", WORD}, {"place", WORD}, {"witness", TEXT_OPT}},
	ledger_check_custody},
    {"medium-lost", {{"medium", UUID}, {"operator", WORD}, {"reason", WORD}}, ledger_check_custody},
    {"medium-found", {{"medium", UUID}, {"operator", WORD}, {"place", WORD}}, ledger_check_custody},
    {"media-counted",
	{{"place", WORD}, {"operator", WORD}, {"witness", TEXT_OPT}, {"seen", STRINGS}, {"missing", STRINGS}},
	ledger_check_counted},
    {JOURNAL_EPOCH_EVENT, {{"next", NUMBER}, {"key", WORD}}, check_epoch},
    {"heads", {{"upto", NUMBER}, {"sha256", SHA256}, {"media", STRINGS}}, check_journal_copies},
    {"reread",
	{{"medium", UUID}, {"first", NUMBER}, {"parts", NUMBER}, {"files", NUMBER}, {"bytes", NUMBER},
	    {"bad", NUMBER}},
	check_reread},
    {"documents", {{"medium", UUID}, {"sha256", SHA256}}, check_medium},
    {"policy-accepted", {{"sha256", SHA256}, {"operator", WORD}, {"reason", WORD}}, check_nothing},
    {"tools-accepted", {{"tools", WORD}, {"operator", WORD}, {"reason", WORD}}, check_nothing},
    {"history", {{"medium", UUID}, {"found", WORD}, {"line", NUMBER}, {"expected", NUMBER}}, check_medium},
    {"keys",
	{{"period", NUMBER}, {"revision", NUMBER}, {"recipient", WORD}, {"period_sha256", SHA256},
	    {"people", STRINGS}, {"signed_by", WORD}, {"renew", BOOLEAN}, {"operator", WORD}},
	check_keys},
    {"use", {{"slip_sha256", SHA256}, {"signed_by", TEXT_OPT}}, ledger_check_use},
    {"drill", {{"file_sha256", SHA256}, {"signed_by", TEXT_OPT}, {"carried_by", TEXT_OPT}},
	ledger_check_drill},
    {"procedures", {{"procedures", LIST}}, ledger_check_procedures},
    {"procedure-approved", {{"name", WORD}, {"sha256", SHA256}, {"operator", WORD}, {"signed_by", TEXT_OPT}},
	check_nothing},
    {"regulation-approved",
	{{"sha256", SHA256}, {"lang", WORD}, {"clauses", LIST}, {"operator", WORD}, {"signed_by", TEXT_OPT}},
	ledger_check_regulation},
    {"finding", {{"action", WORD}, {"text", WORD}, {"operator", WORD}}, ledger_check_finding},
    {"uses-reviewed", {{"uses", NUMBER}, {"declared", NUMBER}, {"operator", WORD}}, check_nothing},
    {"envelope",
	{{"number", WORD}, {"action", WORD}, {"operator", WORD}, {"person", TEXT_OPT}, {"seal", TEXT_OPT},
	    {"place", TEXT_OPT}, {"holder", TEXT_OPT}, {"why", TEXT_OPT}},
	ledger_check_envelope},
    {"begin", {{"run", NUMBER}, {"uuid", UUID}, {"datasets", STRINGS}}, check_begin},
    {"committed",
	{{"dataset", WORD}, {"generation", NUMBER}, {"uuid", UUID}, {"manifest_sha256", SHA256},
	    {"archives", NUMBER}, {"archive_bytes", NUMBER}, {"new_bytes", NUMBER}, {"next_archive", NUMBER},
	    {"verdict", WORD}, {"entries", NUMBER}, {"files", NUMBER}, {"bytes", NUMBER},
	    {"unreadable", NUMBER}, {"changed", NUMBER}, {"skipped", NUMBER}, {"media", LIST},
	    {"recovered", BOOLEAN_OPT}},
	check_committed},
    {"verified", {{"medium", UUID}, {"generations", LIST}}, check_copied},
    {"copied", {{"medium", UUID}, {"generations", LIST}}, check_copied},
    {"disc-written",
	{{"medium", UUID}, {"operator", WORD}, {"bytes", NUMBER}, {"sha256", SHA256}, {"files", NUMBER},
	    {"parts", LIST}},
	check_disc},
    {"verify-failed", {{"medium", UUID}, {"dataset", WORD}, {"generation", NUMBER}, {"reason", TEXT_OPT}},
	check_verify_failed},
    {"failed", {{"run", NUMBER}, {"reason", TEXT_OPT}, {"datasets", LIST}}, check_failed},
    {"medium-attached", {{"medium", UUID}, {"path", TEXT_OPT}}, check_medium},
    {"medium-detached", {{"medium", UUID}, {"path", TEXT_OPT}}, check_medium},
    {"rotated",
	{{"medium", UUID}, {"operator", WORD}, {"place", WORD}, {"generations", NUMBER}, {"newest", NUMBER},
	    {"copied", NUMBER}, {"bytes", NUMBER}, {"unfrozen", NUMBER}, {"complete", BOOLEAN},
	    {"full", BOOLEAN_OPT}},
	check_rotated},
    {"rollback-accepted",
	{{"medium", UUID}, {"line", NUMBER}, {"expected", NUMBER}, {"turn", NUMBER}, {"operator", WORD},
	    {"reason", WORD}},
	check_medium},
    {"strangers",
	{{"medium", UUID}, {"ours", NUMBER}, {"beside", NUMBER}, {"sha256", SHA256}, {"files", STRINGS}},
	check_medium},
    {"medium-moved",
	{{"medium", UUID}, {"operator", WORD}, {"place", WORD}, {"from", TEXT_OPT}, {"detached", BOOLEAN}},
	check_medium},
    {"policy", {{"sha256", SHA256}, {"bytes", NUMBER}}, check_nothing},
    {"agreed", {{"datasets", LIST}, {"approvers", STRINGS}, {"approval", TEXT_OPT}}, ledger_check_agreed},
    {"accepted", {{"dataset", WORD}, {"generation", NUMBER}, {"operator", WORD}, {"reason", TEXT_OPT}},
	check_decision},
    {"held", {{"dataset", WORD}, {"generation", NUMBER}, {"operator", WORD}, {"reason", WORD}},
	check_decision},
    {"released", {{"dataset", WORD}, {"generation", NUMBER}, {"operator", WORD}, {"reason", TEXT_OPT}},
	check_decision},
    {"expired",
	{{"dataset", WORD}, {"generation", NUMBER}, {"medium", UUID}, {"files", NUMBER}, {"bytes", NUMBER},
	    {"why", TEXT_OPT}, {"plan", TEXT_OPT}, {"approver", TEXT_OPT}, {"operator", TEXT_OPT}},
	ledger_check_expired},
    {"expiry-finished", {{"dataset", WORD}, {"generation", NUMBER}, {"medium", UUID}, {"operator", WORD}},
	check_medium},
    {"clock-jump", {{"source", WORD}, {"before", WORD}, {"after", WORD}, {"seconds", INTEGER}},
	check_nothing},
    {"expiry-approved", {{"plan", WORD}, {"signature", WORD}, {"approver", WORD}}, ledger_check_approved},
    {"clock-attested", {{"operator", WORD}, {"reason", TEXT_OPT}, {"approval", TEXT_OPT}},
	ledger_check_attested},
    {"outcome", {{"command", WORD}, {"exit", NUMBER}, {"line", TEXT_OPT}}, check_nothing},
    {"notified", {{"ok", BOOLEAN}, {"reason", TEXT_OPT}}, check_nothing},
    {"journal-repaired",
	{{"kept", NUMBER}, {"lines", NUMBER}, {"bytes", NUMBER}, {"sha256", SHA256}, {"file", WORD},
	    {"why", WORD}, {"operator", WORD}},
	check_nothing},
    {"announced",
	{{"number", NUMBER}, {"text", WORD}, {"datasets", STRINGS}, {"from", WORD}, {"until", WORD},
	    {"expects", STRINGS}, {"operator", WORD}},
	ledger_check_announced},
    {"announcement-ended", {{"number", NUMBER}, {"operator", WORD}}, ledger_check_announcement_ended},
    {"canary-placed", {{"dataset", WORD}, {"canaries", LIST}, {"list_sha256", SHA256}, {"operator", WORD}},
	ledger_check_placed},
    {"canary-removed", {{"dataset", WORD}, {"list_sha256", SHA256}, {"operator", WORD}},
	ledger_check_removed},
    {"countersigned",
	{{"upto", NUMBER}, {"statement", WORD}, {"signature", WORD}, {"key", WORD}, {"name", WORD},
	    {"known", BOOLEAN}, {"operator", TEXT_OPT}},
	ledger_check_countersigned},
    {"scheduled", {{"action", WORD}, {"kind", WORD}, {"file", TEXT_OPT}}, check_nothing},
};

static const struct rule *find_rule(const char *event)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
		if (!strcmp(rules[i].event, event))
			return &rules[i];
	return NULL;
}

static int old_layout(uint64_t line, struct err *err)
{
	err_set_kind(err, ERR_CONTRADICTION, "E-LEDGER-05",
	    text("record %ju of the journal: this repository was made before each data set stood alone"),
	    line);
	return err_hint(err, "%s",
	    text("only the bkp that made it reads it: restore with tools/ on its media; begin a new "
		 "repository with 'bkp init'"));
}

int ledger_check(const struct ledger *l, const char *event, const json_t *o, uint64_t line, struct err *err)
{
	const struct rule *rule = find_rule(event);

	if (line == 1 && strcmp(event, "init") != 0)
		return ledger_contradiction(line, event, text("the first record must be 'init'"), err);
	if (!rule)
		return 0;
	if (!strcmp(event, "begin") && !json_object_get(o, "run") && json_object_get(o, "generation"))
		return old_layout(line, err);
	if (ledger_check_members(o, rule->members, line, event, err))
		return -1;
	return rule->check(l, o, line, event, err);
}
