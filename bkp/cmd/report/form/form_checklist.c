/* form_checklist: 自己点検表: each item of the checklist with its answer: 3-② as read/evidence judges it, with each condition that fails; what bkp
 * cannot see as people answered it, and never otherwise.  立入検査用エビデンス一覧: which document shows it, its SHA-256, where it is, what is missing. */
#include "cmd/report/form/form.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/checklist_file.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "format/policy/checklist.h"
#include "format/policy/policy.h"
#include "read/evidence/evidence.h"
#include "read/ledger/ledger.h"

const struct fact_column form_selfcheck_columns[] = {{"number", TEXT_LATER("No."), FACT_TEXT},
    {"item", TEXT_LATER("Item"), FACT_TEXT}, {"answer", TEXT_LATER("Yes or no"), FACT_TEXT},
    {"on", TEXT_LATER("Looked at on"), FACT_DAY}, {"target", TEXT_LATER("To be met by"), FACT_DAY},
    {"document", TEXT_LATER("Document that shows it"), FACT_TEXT},
    {"by", TEXT_LATER("Looked at by"), FACT_TEXT}, {"note", TEXT_LATER("Notes"), FACT_TEXT}};
const struct fact_column form_evidence_columns[] = {{"item", TEXT_LATER("Item"), FACT_TEXT},
    {"document", TEXT_LATER("Document"), FACT_TEXT}, {"date", TEXT_LATER("Dated"), FACT_DAY},
    {"page", TEXT_LATER("Page"), FACT_TEXT}, {"sha256", TEXT_LATER("SHA-256"), FACT_TEXT},
    {"place", TEXT_LATER("Kept where"), FACT_TEXT},
    {"unmet", TEXT_LATER("What is not met, and why"), FACT_TEXT}};

/* ---- both ---- */

struct listing {
	const struct report *r;
	struct checklist *c;
	char sha256[DIGEST_HEX]; /* of the edition's file */
	struct evidence e;
	json_t *rows;
	struct err *err;
};

static int begin(struct listing *t, const struct report *r, json_t *rows, struct err *err)
{
	*t = (struct listing){.r = r, .rows = rows, .err = err};
	if (checklist_file_read(r->policy, &t->c, t->sha256, err))
		return -1;
	if (!evidence_judge(r->policy, r->l, r->now_ns, &t->e, err))
		return 0;
	checklist_free(t->c);
	return -1;
}

int form_checklist_refuses(const struct report *r, struct err *err)
{
	char sha256[DIGEST_HEX];
	struct checklist *c = NULL;
	const int failed = checklist_file_read(r->policy, &c, sha256, err);

	checklist_free(c);
	return failed ? -1 : 0;
}

static void finish(struct listing *t)
{
	evidence_free(&t->e);
	checklist_free(t->c);
}

static const struct policy_self *self_of(const struct listing *t, const struct checklist_item *it)
{
	const struct policy_checklist *c = &t->r->policy->checklist;

	for (size_t i = 0; i < c->n_self; i++)
		if (checklist_same(c->self[i].item, it->number))
			return &c->self[i];
	return NULL;
}

static char *item_text(const struct checklist_item *it, char out[FORM_TEXT])
{
	snprintf(out, FORM_TEXT, it->quote ? "「%s」" : text("%s (in our words)"),
	    it->quote ? it->quote : it->gist);
	return out;
}

static char *day_text(int32_t day, char out[DAY_TEXT])
{
	*out = '\0';
	return day ? day_format(day, out) : out;
}

/* "03 Data sets" */
static char *document_text(const char *number, char out[FORM_TEXT])
{
	const struct form *f = form_of(number);

	snprintf(out, FORM_TEXT, text("form %s%s%s"), number, f ? " " : "", f ? text(f->title) : "");
	return out;
}

/* ---- 自己点検表 ---- */

static const char *target_note(enum evidence_target is)
{
	return is == EVIDENCE_TARGET_MISSING ? text("no day by which it is met is stated: it must be")
	       : is == EVIDENCE_TARGET_PAST  ? text("OVERDUE (超過)")
	       : is == EVIDENCE_TARGET_BEYOND
		   ? text("the day by which it is met is not within this fiscal year")
		   : "";
}

static void put_documents(const struct checklist_item *it, char out[FORM_TEXT])
{
	char one[FORM_TEXT];

	for (size_t i = 0; i < it->n_documents; i++)
		form_join(out, FORM_TEXT, document_text(it->documents[i], one));
}

/* Who looked and who answers for it are two boxes: one name in both is said. */
static const char *checker_text(const struct listing *t, const char *name, char out[FORM_TEXT])
{
	const struct policy_person *p = name ? policy_find_person(t->r->policy, name) : NULL;

	snprintf(out, FORM_TEXT, p && p->roles & POLICY_MANAGER ? text("%s (also the manager: 兼務)") : "%s",
	    name ? name : "");
	return out;
}

static int put_fault(const struct listing *t, const struct checklist_item *it, size_t i)
{
	const struct evidence_fault *f = &t->e.faults[i];
	char number[64], item[FORM_TEXT], note[FORM_TEXT * 2], target[DAY_TEXT];

	snprintf(number, sizeof(number), "%s (%zu)", it->number, i + 1);
	snprintf(item, sizeof(item), "%s: %s",
	    f->dataset ? form_dataset(t->r, f->dataset->name) : text("the site"),
	    evidence_text(f->condition));
	snprintf(note, sizeof(note), "%s → %s", f->what, f->next);
	return form_row(t->rows, t->err, "number", number, "item", item, "answer", text("no"), "on", "",
	    "target", day_text(t->e.target, target), "document", "", "by", "", "note", note, NULL);
}

static int put_computed(const struct listing *t, const struct checklist_item *it)
{
	char item[FORM_TEXT], on[DAY_TEXT], target[DAY_TEXT], documents[FORM_TEXT] = "", note[FORM_TEXT] = "";

	put_documents(it, documents);
	if (t->e.yes)
		snprintf(note, sizeof(note), text("data sets judged: %zu"), t->e.counted);
	else
		snprintf(note, sizeof(note), text("%zu conditions fail, below"), t->e.n);
	if (*target_note(t->e.target_is))
		form_join(note, sizeof(note), target_note(t->e.target_is));
	if (self_of(t, it))
		form_join(note, sizeof(note), text("the policy's own answer is not used"));
	if (form_row(t->rows, t->err, "number", it->number, "item", item_text(it, item), "answer",
		t->e.yes ? text("yes") : text("no"), "on", day_text(t->e.today, on), "target",
		t->e.yes ? "" : day_text(t->e.target, target), "document", documents, "by",
		text("bkp, from the records"), "note", note, NULL))
		return -1;
	for (size_t i = 0; i < t->e.n; i++)
		if (put_fault(t, it, i))
			return -1;
	return 0;
}

static int put_assisted(const struct listing *t, const struct checklist_item *it)
{
	const struct policy_self *s = self_of(t, it);
	const bool no = s && s->answer == POLICY_ANSWER_NO;
	const int32_t day = !no ? 0 : s->target ? s->target : t->r->policy->checklist.target;
	const char *late = no ? target_note(evidence_target_is(day, t->r->now_ns)) : "";
	char item[FORM_TEXT], by[FORM_TEXT], on[DAY_TEXT], target[DAY_TEXT], documents[FORM_TEXT] = "",
									     note[FORM_TEXT] = "";

	if (s && s->document)
		form_join(documents, sizeof(documents), s->document);
	put_documents(it, documents);
	if (!s || !s->answer)
		form_join(note, sizeof(note), text("to be answered by a person"));
	if (*late)
		form_join(note, sizeof(note), late);
	if (s && s->why)
		form_join(note, sizeof(note), s->why);
	return form_row(t->rows, t->err, "number", it->number, "item", item_text(it, item), "answer",
	    no		     ? text("no")
	    : s && s->answer ? text("yes")
			     : "",
	    "on", day_text(s ? s->on : 0, on), "target", day_text(day, target), "document", documents, "by",
	    checker_text(t, s ? s->by : NULL, by), "note", note, NULL);
}

int form_selfcheck(const struct report *r, json_t *rows, struct err *err)
{
	struct listing t;
	char line[FORM_TEXT];
	int failed = 0;

	if (begin(&t, r, rows, err))
		return -1;
	for (size_t i = 0; i < t.c->n_items && !failed; i++)
		failed = t.c->items[i].kind == CHECKLIST_COMPUTED ? put_computed(&t, &t.c->items[i])
								  : put_assisted(&t, &t.c->items[i]);
	snprintf(line, sizeof(line), text("edition %s, SHA-256 %s"), t.c->edition, t.sha256);
	failed = failed || form_row(rows, err, "number", "", "item", t.c->title, "answer", "", "on", "",
			       "target", "", "document", "", "by", "", "note", line, NULL);
	finish(&t);
	return failed ? -1 : 0;
}

/* ---- 立入検査用エビデンス一覧 ---- */

/* Which form shows the condition. */
static const char *const shown_by[EVIDENCE_CONDITIONS] = {[EVIDENCE_DATES] = "04",
    [EVIDENCE_FRESH] = "04",
    [EVIDENCE_GAP] = "04",
    [EVIDENCE_321] = "05",
    [EVIDENCE_OFFLINE] = "05",
    [EVIDENCE_SUSPECT] = "04",
    [EVIDENCE_PROCEDURE] = "10",
    [EVIDENCE_DRILL] = "11",
    [EVIDENCE_EXCLUDED] = "03",
    [EVIDENCE_CONTACTS] = "13",
    [EVIDENCE_DATASETS] = "03"};

static int put_document(const struct listing *t, const struct checklist_item *it, const char *document,
    const char *date, const char *sha256, const char *place, const char *unmet)
{
	return form_row(t->rows, t->err, "item", it->number, "document", document, "date", date, "page", "",
	    "sha256", sha256, "place", place, "unmet", unmet, NULL);
}

static int put_form(
    const struct listing *t, const struct checklist_item *it, const char *number, const char *unmet)
{
	const char *note = strcmp(number, "15") ? "" : form_regulation_note(t->r);
	char document[FORM_TEXT], date[DAY_TEXT], all[FORM_TEXT] = "";

	if (!note)
		return err_nomem(t->err);
	form_join(all, sizeof(all), unmet);
	if (*note)
		form_join(all, sizeof(all), note);
	return put_document(t, it, document_text(number, document), day_format(t->e.today, date), "",
	    text("this folder; its SHA-256 stands in 00"), all);
}

static char *date_of(int64_t ns, char out[DAY_TEXT])
{
	return day_text(ns ? day_of(ns) : 0, out);
}

static int put_procedures(const struct listing *t, const struct checklist_item *it)
{
	const json_t *list = ledger_procedures(t->r->l);

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *o = json_array_get(list, i),
			     *a = ledger_approved(t->r->l, journal_text(o, "sha256"));
		char document[FORM_TEXT], date[DAY_TEXT];
		int64_t ns = 0;

		(void)clock_parse(journal_text(a, "time"), &ns);
		snprintf(document, sizeof(document), text("recovery procedure %s"), journal_text(o, "name"));
		if (put_document(t, it, document, date_of(ns, date), journal_text(o, "sha256"),
			text("procedures/ on each medium"),
			a ? "" : text("nobody has approved it as it stands")))
			return -1;
	}
	return 0;
}

static int put_drills(const struct listing *t, const struct checklist_item *it)
{
	for (size_t i = 0; i < t->r->policy->n_datasets; i++) {
		const struct policy_dataset *d = &t->r->policy->datasets[i];
		const struct ledger_generation *from;
		const struct ledger_drill *last = policy_counts_for_evidence(t->r->policy, d)
						      ? ledger_drilled(t->r->l, d->name, &from)
						      : NULL;
		char document[FORM_TEXT], place[FORM_TEXT], date[DAY_TEXT];

		if (!last)
			continue;
		snprintf(
		    document, sizeof(document), text("record of a drill: %s"), form_dataset(t->r, d->name));
		snprintf(place, sizeof(place), text("journal, record %ju"), (uintmax_t)last->seq);
		if (put_document(t, it, document, date_of(last->at_ns, date),
			journal_text(last->record, "file_sha256"), place,
			last->declared ? text("declared only (申告)") : ""))
			return -1;
	}
	return 0;
}

static int put_sources(const struct listing *t, const struct checklist_item *it)
{
	char place[FORM_TEXT], date[DAY_TEXT], head[DIGEST_HEX];

	if (put_document(t, it, text("policy"), "", ledger_policy_sha256(t->r->l),
		text("policy/ on each medium"), "") ||
	    put_procedures(t, it) || put_drills(t, it))
		return -1;
	snprintf(place, sizeof(place), text("journal/ on each medium; record %ju"),
	    (uintmax_t)ledger_seq(t->r->l));
	return put_document(t, it, text("journal"), date_of(ledger_head_ns(t->r->l), date),
	    digest_hex(ledger_head(t->r->l), DIGEST_LEN, head), place, "");
}

/* Each form, and each condition behind the form that would show it. */
static int put_judged(const struct listing *t, const struct checklist_item *it)
{
	for (size_t i = 0; i < it->n_documents; i++) {
		if (put_form(t, it, it->documents[i], ""))
			return -1;
		for (size_t k = 0; k < t->e.n; k++) {
			const struct evidence_fault *f = &t->e.faults[k];
			char unmet[FORM_TEXT];

			if (strcmp(shown_by[f->condition], it->documents[i]) != 0)
				continue;
			snprintf(unmet, sizeof(unmet), "%s: %s",
			    f->dataset ? form_dataset(t->r, f->dataset->name) : text("the site"), f->what);
			if (put_document(t, it, "", "", "", "", unmet))
				return -1;
		}
	}
	return put_sources(t, it);
}

static int put_answered(const struct listing *t, const struct checklist_item *it)
{
	const struct policy_self *s = self_of(t, it);
	char date[DAY_TEXT];
	const char *unmet = !s || !s->answer		     ? text("not answered")
			    : s->answer == POLICY_ANSWER_YES ? ""
			    : s->why			     ? s->why
							     : text("answered with no");

	for (size_t i = 0; i < it->n_documents; i++)
		if (put_form(t, it, it->documents[i], i || (s && s->document) ? "" : unmet))
			return -1;
	if (it->n_documents && !(s && s->document))
		return 0;
	return put_document(
	    t, it, s && s->document ? s->document : "", day_text(s ? s->on : 0, date), "", "", unmet);
}

int form_evidence(const struct report *r, json_t *rows, struct err *err)
{
	struct listing t;
	int failed = 0;

	if (begin(&t, r, rows, err))
		return -1;
	for (size_t i = 0; i < t.c->n_items && !failed; i++)
		failed = t.c->items[i].kind == CHECKLIST_COMPUTED ? put_judged(&t, &t.c->items[i])
								  : put_answered(&t, &t.c->items[i]);
	finish(&t);
	return failed ? -1 : 0;
}
