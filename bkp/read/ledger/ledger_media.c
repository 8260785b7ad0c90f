/* ledger_media: what people record of a medium as a thing: its data, who has it, loans, stock-takes, loss; see ledger.h and
 * docs/format-writer.md, section 9.
 *
 * A lost medium is as a retired one: no copy on it counts, nobody writes to it.  Found again it is empty for the ledger, until what is on
 * it has been read back.  One that a stock-take did not find may be anywhere: its copies count, its place does not. */
#include "read/ledger/ledger_private.h"

#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/journal/journal.h"

static const char *const data_names[LEDGER_MEDIUM_DATA_N] = LEDGER_MEDIUM_DATA;

bool ledger_data_is_date(const char *name)
{
	return !strcmp(name, "bought") || !strcmp(name, "use_until") || !strcmp(name, "support_until");
}

const char *ledger_medium_data(const struct ledger_medium *m, const char *name)
{
	const char *value = m->data ? journal_text(m->data, name) : "";

	return !*value && !strcmp(name, "serial") ? m->serial : value;
}

const struct ledger_medium *ledger_medium_known(const struct ledger *l, const char *label)
{
	const struct ledger_medium *m = ledger_medium_by_label(l, label);

	for (size_t i = l->n_media; !m && i--;)
		if (l->media[i].lost_ns && !l->media[i].retired_ns && !strcmp(l->media[i].label, label))
			m = &l->media[i];
	return m;
}

/* ---- judging ---- */

static bool witnesses_himself(const json_t *o)
{
	return *journal_text(o, "witness") &&
	       !strcmp(journal_text(o, "witness"), journal_text(o, "operator"));
}

/* Who says so is no second person, and nothing happens to what is gone.  NULL: it may be. */
static const char *why_not(
    const struct ledger *l, const struct ledger_medium *m, const json_t *o, const char *event)
{
	const bool found = !strcmp(event, "medium-found");

	if (!m)
		return text("the medium was never registered");
	if (m->retired_ns)
		return text("the medium is retired");
	if (witnesses_himself(o))
		return text("the witness is the operator");
	if (found && ledger_medium_by_label(l, m->label) && ledger_medium_by_label(l, m->label) != m)
		return text("another medium has that name");
	if (found)
		return m->lost_ns || m->missing_ns ? NULL : text("the medium is not missing");
	if (m->lost_ns && strcmp(event, "medium-data") != 0)
		return text("the medium is lost");
	if (!strcmp(event, "medium-lent") && m->lent)
		return text("the medium is lent already");
	return strcmp(event, "medium-returned") != 0 || m->lent ? NULL : text("the medium is not lent");
}

int ledger_check_custody(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	const char *why = why_not(l, ledger_medium_by_uuid(l, member_str(o, "medium")), o, event);
	int64_t day;

	if (why)
		return ledger_contradiction(line, event, why, err);
	if (!strcmp(event, "medium-lent") && clock_parse_day(member_str(o, "until"), &day))
		return ledger_wrong_member(line, event, "until", err);
	for (size_t i = 0; i < LEDGER_MEDIUM_DATA_N; i++)
		if (!strcmp(event, "medium-data") && ledger_data_is_date(data_names[i]) &&
		    *journal_text(o, data_names[i]) && clock_parse_day(journal_text(o, data_names[i]), &day))
			return ledger_wrong_member(line, event, data_names[i], err);
	return 0;
}

static bool stands_in(const json_t *list, size_t n, const char *uuid)
{
	for (size_t i = 0; i < n && i < json_array_size(list); i++)
		if (!strcmp(json_string_value(json_array_get(list, i)), uuid))
			return true;
	return false;
}

int ledger_check_counted(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	static const char *const lists[] = {"seen", "missing"};
	const json_t *seen = json_object_get(o, "seen");

	if (witnesses_himself(o))
		return ledger_contradiction(line, event, text("the witness is the operator"), err);
	for (size_t k = 0; k < 2; k++) {
		const json_t *list = json_object_get(o, lists[k]);

		for (size_t i = 0; i < json_array_size(list); i++) {
			const char *uuid = json_string_value(json_array_get(list, i)),
				   *why = why_not(l, ledger_medium_by_uuid(l, uuid), o, event);

			if (why)
				return ledger_contradiction(line, event, why, err);
			if (stands_in(list, i, uuid) || (k && stands_in(seen, SIZE_MAX, uuid)))
				return ledger_wrong_member(line, event, lists[k], err);
		}
	}
	return 0;
}

/* ---- folding ---- */

static struct ledger_medium *medium_of(const struct ledger *l, const char *uuid)
{
	return (struct ledger_medium *)ledger_medium_by_uuid(l, uuid);
}

/* What is not named stays as it was; "" takes it away. */
static int take_data(struct ledger_medium *m, const json_t *o, struct err *err)
{
	json_t *data = m->data ? json_copy((json_t *)m->data) : json_object();
	bool failed = !data;

	for (size_t i = 0; i < LEDGER_MEDIUM_DATA_N && !failed; i++) {
		json_t *v = json_object_get(o, data_names[i]);

		failed = json_is_string(v) && json_object_set(data, data_names[i], v);
	}
	if (failed) {
		json_decref(data);
		return err_nomem(err);
	}
	json_decref((json_t *)m->data);
	m->data = data;
	return json_is_string(json_object_get(o, "custodian"))
		   ? ledger_replace_text(&m->custodian, member_str(o, "custodian"), err)
		   : 0;
}

static void count_media(const struct ledger *l, const struct journal_record *r)
{
	const json_t *seen = json_object_get(r->json, "seen"), *missing = json_object_get(r->json, "missing");

	for (size_t i = 0; i < json_array_size(seen); i++) {
		struct ledger_medium *m = medium_of(l, json_string_value(json_array_get(seen, i)));

		m->counted_ns = r->wall_ns;
		m->missing_ns = 0;
	}
	for (size_t i = 0; i < json_array_size(missing); i++) {
		struct ledger_medium *m = medium_of(l, json_string_value(json_array_get(missing, i)));

		m->missing_ns = r->wall_ns;
		m->unplaced = true;
	}
}

/* It is there, in somebody's hands. */
static int place_medium(struct ledger_medium *m, const json_t *o, struct err *err)
{
	m->missing_ns = m->lost_ns = 0;
	m->came = m->unplaced = false;
	return ledger_replace_text(&m->place, member_str(o, "place"), err) ||
		       ledger_replace_text(&m->destination, "", err) ||
		       ledger_replace_text(&m->custodian, member_str(o, "operator"), err)
		   ? -1
		   : 0;
}

int ledger_fold_custody(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_medium *m = medium_of(l, journal_text(r->json, "medium"));

	if (!strcmp(r->event, "media-counted")) {
		count_media(l, r);
		return 0;
	}
	if (!strcmp(r->event, "medium-data"))
		return take_data(m, r->json, err);
	if (!strcmp(r->event, "medium-lost")) {
		m->lost_ns = r->wall_ns;
		ledger_drop_medium(l, m, r->wall_ns);
		return 0;
	}
	if (!strcmp(r->event, "medium-found"))
		return place_medium(m, r->json, err);
	if (!strcmp(r->event, "medium-handed"))
		return ledger_replace_text(&m->custodian, member_str(r->json, "to"), err);
	json_decref((json_t *)m->lent);
	m->lent = !strcmp(r->event, "medium-lent") ? json_incref(r->json) : NULL;
	return m->lent ? ledger_replace_text(&m->custodian, member_str(r->json, "to"), err)
		       : place_medium(m, r->json, err);
}
