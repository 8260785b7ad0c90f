/* medium_facts: see medium_facts.h. */
#include "cmd/medium/medium_facts.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/policy/policy_plan.h"
#include "read/ledger/ledger.h"

#define CIPHER	"age v1 (X25519, ChaCha20-Poly1305)" /* of format 1: docs/format.md */
#define NUMBERS 64

const struct fact_column medium_facts[MEDIUM_FACTS] = {{"name", TEXT_LATER("Medium"), FACT_TEXT},
    {"state", TEXT_LATER("State"), FACT_TEXT}, {"technology", TEXT_LATER("Technology"), FACT_TEXT},
    {"maker", TEXT_LATER("Maker"), FACT_TEXT}, {"model", TEXT_LATER("Model"), FACT_TEXT},
    {"serial", TEXT_LATER("Serial number"), FACT_TEXT}, {"bought", TEXT_LATER("Bought"), FACT_DAY},
    {"use_until", TEXT_LATER("To be used until"), FACT_DAY},
    {"support_until", TEXT_LATER("Maker's support until"), FACT_DAY},
    {"writing", TEXT_LATER("Writing"), FACT_TEXT}, {"cipher", TEXT_LATER("Cipher"), FACT_TEXT},
    {"key_number", TEXT_LATER("Key number (period)"), FACT_TEXT}, {"place", TEXT_LATER("Place"), FACT_TEXT},
    {"lock", TEXT_LATER("Lock"), FACT_TEXT}, {"custodian", TEXT_LATER("Custodian"), FACT_TEXT},
    {"lent_to", TEXT_LATER("Lent to"), FACT_TEXT}, {"lent_until", TEXT_LATER("Lent until"), FACT_DAY},
    {"registered", TEXT_LATER("Registered"), FACT_TIME}, {"rotated", TEXT_LATER("Last rotation"), FACT_TIME},
    {"counted", TEXT_LATER("Last stock-take"), FACT_TIME},
    {"newest", TEXT_LATER("Newest generation on it"), FACT_TIME},
    {"generations", TEXT_LATER("Generations"), FACT_TEXT}, {"uuid", TEXT_LATER("Identity"), FACT_TEXT},
    {"fs_uuid", TEXT_LATER("File system"), FACT_TEXT}};

static const char *state_word(const struct ledger_medium *m)
{
	return m->retired_ns	 ? text("retired")
	       : m->lost_ns	 ? text("lost")
	       : m->missing_ns	 ? text("not found")
	       : m->lent	 ? text("lent")
	       : !m->offline	 ? text("online")
	       : m->attached	 ? text("attached")
	       : m->unplaced	 ? text("place not recorded")
	       : *m->destination ? text("under way")
				 : text("offline, in its place");
}

static const char *writing_word(const struct ledger_medium *m)
{
	const char *writing = ledger_medium_data(m, "writing");

	return !strcmp(writing, "once") ? text("once") : text("many times");
}

/* Of the generations on it: how many, the newest, and the periods of the keys that open them. */
struct held {
	size_t n;
	int64_t newest_ns;
	uint32_t first, last;
};

static struct held held_on(const struct ledger *l, const struct ledger_medium *m)
{
	struct held h = {0};

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (!ledger_copy_there(g, m->uuid))
			continue;
		h.n++;
		h.newest_ns = g->begun_ns;
		h.first = !h.first || g->period < h.first ? g->period : h.first;
		h.last = g->period > h.last ? g->period : h.last;
	}
	return h;
}

static int set_time(json_t *o, const char *key, int64_t ns)
{
	char time[CLOCK_TEXT];

	return json_object_set_new(o, key, json_string(ns ? clock_format(ns, time) : ""));
}

json_t *medium_facts_json(const struct ledger *l, const struct ledger_medium *m)
{
	static const char *const data[LEDGER_MEDIUM_DATA_N] = LEDGER_MEDIUM_DATA;
	const struct held h = held_on(l, m);
	char periods[NUMBERS] = "", generations[NUMBERS];
	json_t *o;
	bool failed;

	if (h.n)
		snprintf(periods, sizeof(periods), h.first == h.last ? "%" PRIu32 : "%" PRIu32 "–%" PRIu32,
		    h.first, h.last);
	snprintf(generations, sizeof(generations), "%zu", h.n);
	o = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "name", m->label,
	    "state", state_word(m), "technology", policy_plan_technology(m->type), "cipher", CIPHER,
	    "key_number", periods, "place", m->unplaced || m->lost_ns ? "" : m->place, "custodian",
	    m->custodian, "lent_to", m->lent ? journal_text(m->lent, "to") : "", "lent_until",
	    m->lent ? journal_text(m->lent, "until") : "", "generations", generations, "uuid", m->uuid,
	    "fs_uuid", m->fs_uuid);
	failed = !o || set_time(o, "registered", m->added_ns) || set_time(o, "rotated", m->rotated_ns) ||
		 set_time(o, "counted", m->counted_ns) || set_time(o, "newest", h.newest_ns);
	for (size_t i = 0; i < LEDGER_MEDIUM_DATA_N && !failed; i++)
		failed = json_object_set_new(o, data[i], json_string(ledger_medium_data(m, data[i])));
	failed = failed || json_object_set_new(o, "writing", json_string(writing_word(m)));
	if (failed) {
		json_decref(o);
		o = NULL;
	}
	return o;
}
