/* report_receipt: the slip that two people sign when a medium changes hands (媒体受渡票), and the label for the medium; see report.h.
 *
 * The code on the label holds what the slip says, for a scanner: "bkp1 NAME UUID rN jN SHA256 emr@42 …".  The journal's record is the one
 * that the copy on the medium ends with, where there is a copy: so that the label can be held against the disk itself. */
#include "cmd/report/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "format/medium/generation.h"
#include "format/page/qr.h"
#include "format/page/sheet.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define CODE_MAX  480 /* bytes of the code's text: qr.h */
#define LINE	  512
#define SUM_SHOWN 16

/* ---- what it says ---- */

/* The newest generation of each data set that is on it, in the policy's order; those that the policy no longer has are left out. */
static json_t *newest_json(const struct report *r, const struct ledger_medium *m)
{
	json_t *list = json_array();

	for (size_t k = 0; k < r->policy->n_datasets; k++) {
		const struct ledger_generation *g = NULL;

		for (size_t i = ledger_generations(r->l); i-- && !g;)
			if (!strcmp(ledger_generation(r->l, i)->dataset, r->policy->datasets[k].name) &&
			    ledger_copy_there(ledger_generation(r->l, i), m->uuid))
				g = ledger_generation(r->l, i);
		if (g) {
			char begun[CLOCK_TEXT];
			const struct ledger_copy *c = ledger_copy_there(g, m->uuid);

			json_array_append_new(
			    list, json_pack("{s:s, s:I, s:s, s:b}", "dataset", g->dataset, "generation",
				      (json_int_t)g->number, "begun", clock_format(g->begun_ns, begun),
				      "verified", c->verified_ns && !c->damaged_ns));
		}
	}
	return list;
}

static uint64_t journal_of(const struct report *r, const struct ledger_medium *m, char sum[DIGEST_HEX])
{
	if (!m->copy_seq) {
		digest_hex(ledger_head(r->l), DIGEST_LEN, sum);
		return ledger_seq(r->l);
	}
	memcpy(sum, m->copy_sha256, DIGEST_HEX);
	return m->copy_seq;
}

/* What there is no room for is on the slip. */
static void code_text(
    const struct report *r, const struct ledger_medium *m, const json_t *newest, char out[CODE_MAX])
{
	char sum[DIGEST_HEX], label[GENERATION_LABEL];
	const uint64_t record = journal_of(r, m, sum);
	size_t n = (size_t)snprintf(out, CODE_MAX, "bkp1 %s %s r%" PRIu64 " j%" PRIu64 " %s", m->label,
		   m->uuid, m->turns, record, sum),
	       i;
	const json_t *g;

	json_array_foreach((json_t *)newest, i, g)
	{
		generation_label(journal_text(g, "dataset"),
		    (uint64_t)json_integer_value(json_object_get(g, "generation")), label);
		if (n + 1 + strlen(label) < CODE_MAX)
			n += (size_t)snprintf(out + n, CODE_MAX - n, " %s", label);
	}
}

json_t *report_receipt_json(const struct report *r, const struct ledger_medium *m)
{
	json_t *newest = newest_json(r, m);
	char code[CODE_MAX], sum[DIGEST_HEX];
	const uint64_t record = journal_of(r, m, sum);

	code_text(r, m, newest, code);
	return json_pack("{s:o, s:o, s:I, s:{s:I, s:s}, s:s, s:s, s:o}", "medium", medium_facts_json(r->l, m),
	    "newest", newest, "rotation", (json_int_t)m->turns, "journal_on_it", "record", (json_int_t)record,
	    "sha256", sum, "to", m->lent ? journal_text(m->lent, "to") : m->destination, "code", code, "foot",
	    report_foot_json(r));
}

/* ---- the page ---- */

static void fact_rows(struct sheet *s, const struct json_t *facts)
{
	static const char *const shown[] = {"technology", "maker", "model", "serial", "use_until", "cipher",
	    "key_number", "place", "lock", "custodian", "lent_to", "lent_until"};
	const struct fact_column *left = NULL;
	char a[REPORT_CELL], b[REPORT_CELL];

	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
		for (size_t k = 0; k < MEDIUM_FACTS; k++) {
			if (strcmp(medium_facts[k].key, shown[i]) != 0)
				continue;
			if (left)
				sheet_piece(s, "pair", "LABEL", text(left->head), "TEXT",
				    report_text(left, facts, false, a), "LABEL2", text(medium_facts[k].head),
				    "TEXT2", report_text(&medium_facts[k], facts, false, b), NULL);
			left = left ? NULL : &medium_facts[k];
		}
}

static void generation_list(struct sheet *s, const json_t *newest)
{
	char line[LINE], label[GENERATION_LABEL], date[CLOCK_DATE];
	const json_t *g;
	int64_t ns = 0;
	size_t i;

	sheet_piece(s, "many", "LABEL", text("Newest generations on it"), NULL);
	json_array_foreach((json_t *)newest, i, g)
	{
		generation_label(journal_text(g, "dataset"),
		    (uint64_t)json_integer_value(json_object_get(g, "generation")), label);
		(void)clock_parse(journal_text(g, "begun"), &ns);
		snprintf(line, sizeof(line), "%s · %s · %s", label, clock_format_date(ns, date),
		    json_is_true(json_object_get(g, "verified")) ? text("read back and compared")
								 : text("not read back yet"));
		sheet_piece(s, "contact", "TEXT", line, NULL);
	}
	if (!json_array_size(newest))
		sheet_piece(s, "contact", "TEXT", text("none"), NULL);
	sheet_piece(s, "many end", NULL);
}

static void put_label(struct sheet *s, const struct report *r, const struct ledger_medium *m, const json_t *o)
{
	char line[LINE], date[CLOCK_DATE];
	int64_t ns;

	sheet_piece(
	    s, "label", "CUT", text("Cut along this line: the label for the medium"), "NAME", m->label, NULL);
	sheet_piece(s, "label line", "TEXT", r->policy->site_name, NULL);
	sheet_piece(
	    s, "label line", "TEXT", text("Encrypted backup. If found, please return it unread."), NULL);
	snprintf(line, sizeof(line), text("Rotation %ju, %s"), (uintmax_t)m->turns,
	    m->rotated_ns ? clock_format_day(m->rotated_ns, date) : "-");
	sheet_piece(s, "label line", "TEXT", line, NULL);
	snprintf(line, sizeof(line), text("Serial number %s"), ledger_medium_data(m, "serial"));
	if (*ledger_medium_data(m, "serial"))
		sheet_piece(s, "label line", "TEXT", line, NULL);
	if (!clock_parse_day(ledger_medium_data(m, "use_until"), &ns)) {
		snprintf(line, sizeof(line), text("To be used until %s"), clock_format_day(ns, date));
		sheet_piece(s, "label line", "TEXT", line, NULL);
	}
	sheet_piece(s, "label line", "TEXT", m->uuid, NULL);
	sheet_piece(s, "label code", NULL);
	if (!s->r)
		s->r = qr_svg(journal_text(o, "code"), s->out, s->err);
	sheet_piece(s, "label end", NULL);
}

int report_receipt(const struct report *r, const struct ledger_medium *m, struct buf *out, struct err *err)
{
	json_t *o = report_receipt_json(r, m);
	const char *to = journal_text(o, "to");
	struct sheet s = {.out = out, .err = err};
	char foot[REPORT_FOOT], line[LINE], sum[DIGEST_HEX];
	const uint64_t record = journal_of(r, m, sum);

	if (!o)
		return err_nomem(err);
	sheet_begin(&s, text("Hand-over slip of a medium"), m->label, report_foot(r, foot));
	sheet_piece(&s, "form", NULL);
	sheet_row(&s, text("Identity"), m->uuid);
	sheet_row(&s, text("To be taken to"), to);
	snprintf(line, sizeof(line), text("record %ju, SHA-256 %s"), (uintmax_t)record, sum);
	sheet_row(&s, text("Journal on it"), line);
	snprintf(line, sizeof(line), "%ju", (uintmax_t)m->turns);
	sheet_row(&s, text("Rotation"), line);
	sheet_piece(&s, "form end", NULL);
	sheet_piece(&s, "form", NULL);
	fact_rows(&s, json_object_get(o, "medium"));
	sheet_piece(&s, "form end", NULL);
	generation_list(&s, json_object_get(o, "newest"));
	sheet_piece(&s, "signatures", NULL);
	sheet_piece(&s, "signature", "TEXT", text("Handed over by, date and time"), NULL);
	sheet_piece(&s, "signature", "TEXT", text("Witness, date and time"), NULL);
	sheet_piece(&s, "signature", "TEXT", text("Received by, date and time"), NULL);
	sheet_piece(&s, "signatures end", NULL);
	put_label(&s, r, m, o);
	sheet_end(&s);
	json_decref(o);
	return s.r;
}
