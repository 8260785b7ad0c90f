/* regulation: see regulation.h.  An article is a function of the table below that says one sentence, or one a data set, medium, person. */
#include "read/regulation/regulation.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "format/journal/journal.h"
#include "format/journal/slip.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/ledger/ledger.h"

#define TEXT 768
#define TIME 32

/* ---- the articles ---- */

struct writer {
	const struct policy *p;
	const struct ledger *l;
	json_t *rows;
	struct err *err;
	unsigned article;
	const char *subject;
};

static int rule(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int rule(struct writer *w, const char *fmt, ...)
{
	char article[TIME], sentence[SLIP_TEXT];
	va_list ap;
	json_t *o;

	snprintf(article, sizeof(article), text("Art. %u"), w->article);
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	width_whole(sentence);
	o = json_pack("{s:s, s:s, s:s}", "article", article, "subject", w->subject, "rule", sentence);
	return o && !json_array_append_new(w->rows, o) ? 0 : err_nomem(w->err);
}

static const char *span_or(int64_t s, char out[POLICY_PLAN_TEXT])
{
	return s ? policy_plan_duration(s, out) : text("(not stated)");
}

static const char *title_of(const struct policy_dataset *d)
{
	return d->title ? d->title : d->name;
}

static int purpose(struct writer *w)
{
	return rule(w, text("so that patients can be treated when systems fail or are attacked, the data "
			    "named below is backed up, "
			    "kept away from the network, and its recovery rehearsed (checklist, item 3-②)"));
}

static int people(struct writer *w)
{
	for (unsigned k = 0; k < POLICY_ROLES; k++) {
		char names[TEXT];

		if (*policy_plan_people(w->p, 1u << k, names, sizeof(names)) &&
		    rule(w, text("%s: %s"), policy_plan_role(k), names))
			return -1;
	}
	return 0;
}

static int datasets(struct writer *w)
{
	for (size_t i = 0; i < w->p->n_datasets; i++) {
		const struct policy_dataset *d = &w->p->datasets[i];
		char every[POLICY_PLAN_TEXT], rpo[TEXT], rto[TEXT], priority[TIME];

		snprintf(priority, sizeof(priority), d->priority ? "%u" : "-", d->priority);

		if (rule(w,
			text("%s: captured %s; recovery point within %s, in use again within %s; restored in "
			     "the order of "
			     "its priority (%s)"),
			title_of(d), policy_plan_schedule(w->p, d, every), span_or(d->rpo_s, rpo),
			span_or(d->rto_s, rto), priority))
			return -1;
	}
	return 0;
}

static int left_out(struct writer *w)
{
	for (size_t i = 0; i < w->p->n_excluded; i++)
		if (rule(w, text("%s is not backed up: %s"), w->p->excluded[i].name,
			w->p->excluded[i].reason ? w->p->excluded[i].reason : text("reason not on record")))
			return -1;
	for (size_t i = 0; i < w->p->n_external; i++)
		if (rule(w, text("%s is backed up by %s: %s"), w->p->external[i].name,
			w->p->external[i].vendor ? w->p->external[i].vendor : text("others"),
			w->p->external[i].how_often ? w->p->external[i].how_often
						    : text("how often is not on record")))
			return -1;
	return w->p->n_excluded + w->p->n_external
		   ? 0
		   : rule(w, "%s", text("nothing that is needed for treatment is left out"));
}

static int generations(struct writer *w)
{
	for (size_t i = 0; i < w->p->n_datasets; i++) {
		const struct policy_dataset *d = &w->p->datasets[i];
		const struct ledger_agreed *agreed = ledger_agreed(w->l, d->name);
		const uint64_t floor =
		    agreed && agreed->generations > d->generations ? agreed->generations : d->generations;

		if (rule(w,
			text("%s: at least %ju verified generations are kept; a failed or partial one never "
			     "counts"),
			title_of(d), (uintmax_t)floor))
			return -1;
	}
	return rule(w, "%s",
	    text("generations expire by 'bkp expire' alone, which a person runs; no figure agreed here is "
		 "lowered without the "
		 "approval that the policy names"));
}

static int media(struct writer *w)
{
	for (size_t i = 0; i < w->p->n_media; i++) {
		const struct policy_medium *m = &w->p->media[i];

		if (rule(w,
			m->offline ? text("%s (%s): kept offline at %s") : text("%s (%s): attached, at %s"),
			m->name, policy_plan_technology(m->type), m->place ? m->place : ""))
			return -1;
	}
	return 0;
}

static int rotation(struct writer *w)
{
	for (size_t i = 0; i < w->p->n_pools; i++) {
		char rhythm[POLICY_PLAN_TEXT];

		if (rule(w, text("%s: media take turns, %s"), w->p->pools[i].name,
			policy_plan_rhythm(&w->p->pools[i], rhythm)))
			return -1;
	}
	return rule(w, "%s",
	    text("an operator attaches the medium, 'bkp rotate' fills, verifies and seals it; it is taken "
		 "away at once, its place is "
		 "recorded, and two people sign the slip"));
}

static int secrets(struct writer *w)
{
	char holders[TEXT], span[TEXT];

	policy_plan_people(w->p, POLICY_KEYHOLDER, holders, sizeof(holders));
	if (rule(w,
		text("what is captured is encrypted; the capturing computer holds public keys alone. "
		     "Recovery keys are kept by: %s"),
		*holders ? holders : text("nobody named")))
		return -1;
	return !w->p->key_drill_every_s ? 0
					: rule(w, text("a holder opens what is captured every %s"),
					      span_or(w->p->key_drill_every_s, span));
}

static int watch(struct writer *w)
{
	return rule(w, "%s",
	    text("each morning somebody looks at the line that the night has left; a data set that looks as "
		 "if it had been encrypted "
		 "is held, nothing expires and it goes onto no offline medium until a manager has decided"));
}

static int drills(struct writer *w)
{
	char span[TEXT];

	if (rule(w, "%s",
		text("recovery follows the procedures in force (form 10); a real recovery begins only when "
		     "its confirmations "
		     "(form 12) are signed")))
		return -1;
	return rule(w,
	    text("recovery is rehearsed every %s, and after each change of a procedure or of the source's "
		 "version"),
	    span_or(w->p->drill_every_s ? w->p->drill_every_s : 365 * 86400LL, span));
}

static int records(struct writer *w)
{
	return rule(w, "%s",
	    text("every act is recorded in the signed journal, which is not shortened; an auditor verifies "
		 "it once a year with the "
		 "public key alone"));
}

static int revision(struct writer *w)
{
	return rule(w,
	    text("this chapter is that of the policy with SHA-256 %s; whoever changes the policy has it "
		 "signed anew"),
	    ledger_policy_sha256(w->l));
}

int regulation_write(
    const struct policy *policy, const struct ledger *l, bool whole, json_t *rows, struct err *err)
{
	static const struct {
		const char *subject;
		int (*write)(struct writer *w);
	} articles[] = {{TEXT_LATER("Purpose"), purpose}, {TEXT_LATER("Who does what"), people},
	    {TEXT_LATER("What is backed up"), datasets}, {TEXT_LATER("What is not"), left_out},
	    {TEXT_LATER("Generations"), generations}, {TEXT_LATER("Media and places"), media},
	    {TEXT_LATER("Rotation of media kept offline"), rotation},
	    {TEXT_LATER("Encryption and keys"), secrets}, {TEXT_LATER("Watching"), watch},
	    {TEXT_LATER("Recovery and drills"), drills}, {TEXT_LATER("Records and audit"), records},
	    {TEXT_LATER("Changes"), revision}};
	struct writer w = {policy, l, rows, err, 0, NULL};

	for (size_t i = 0; i < sizeof(articles) / sizeof(*articles) - !whole; i++) {
		w.article = (unsigned)i + 1;
		w.subject = text(articles[i].subject);
		if (articles[i].write(&w))
			return -1;
	}
	return 0;
}

/* ---- what changed since the approval ---- */

/* Does a part of a sentence end there? */
static bool is_break(const char *s, size_t n)
{
	static const char *const marks[] = {": ", "; ", ", ", "：", "；", "、", "。"};

	for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++) {
		const size_t k = strlen(marks[i]);

		if (n >= k && !memcmp(s + n - k, marks[i], k))
			return true;
	}
	return false;
}

/* Whom or what it is about: up to the first mark; all of it where there is none. */
static size_t head_of(const char *s)
{
	size_t n = 1;

	while (s[n - 1] && s[n] && !is_break(s, n))
		n++;
	return n;
}

/* "NAME: what it was → what it is": from the first part that differs to the last. */
static void say_change(const char *was, const char *is, char out[2 * SLIP_TEXT])
{
	const size_t a = strlen(was), b = strlen(is), head = head_of(was);
	size_t from = 0, tail = 0;

	while (was[from] && was[from] == is[from])
		from++;
	while (from && !is_break(was, from))
		from--;
	while (tail < a - from && tail < b - from && was[a - tail - 1] == is[b - tail - 1])
		tail++;
	while (tail && !is_break(was, a - tail))
		tail--;
	snprintf(out, (size_t)2 * SLIP_TEXT, "%.*s%.*s → %.*s", from >= head ? (int)head : 0, was,
	    (int)(a - from - tail), was + from, (int)(b - from - tail), is + from);
}

/* Takes what is in both out of both. */
static void drop_equal(json_t *a, json_t *b)
{
	for (size_t i = 0; i < json_array_size(a);) {
		size_t k = 0;

		while (k < json_array_size(b) && !json_equal(json_array_get(a, i), json_array_get(b, k)))
			k++;
		if (k == json_array_size(b)) {
			i++;
			continue;
		}
		json_array_remove(a, i);
		json_array_remove(b, k);
	}
}

/* The clause that is about the same, or NULL. */
static const json_t *counterpart(const json_t *was, const json_t *list, size_t *ret)
{
	const char *s = journal_text(was, "rule");
	const size_t n = head_of(s);

	for (*ret = 0; *ret < json_array_size(list); ++*ret) {
		const json_t *o = json_array_get(list, *ret);

		if (json_equal(json_object_get(o, "article"), json_object_get(was, "article")) &&
		    !strncmp(journal_text(o, "rule"), s, n))
			return o;
	}
	return NULL;
}

static int put_change(json_t *rows, const json_t *clause, const char *rule, struct err *err)
{
	json_t *o = json_pack("{s:s, s:s, s:s}", "article", journal_text(clause, "article"), "subject",
	    journal_text(clause, "subject"), "rule", rule);

	return o && !json_array_append_new(rows, o) ? 0 : err_nomem(err);
}

static int compare(json_t *was, json_t *is, json_t *rows, struct err *err)
{
	char line[2 * SLIP_TEXT];
	size_t k;

	drop_equal(was, is);
	for (size_t i = 0; i < json_array_size(was); i++) {
		const json_t *old = json_array_get(was, i), *now = counterpart(old, is, &k);

		if (now)
			say_change(journal_text(old, "rule"), journal_text(now, "rule"), line);
		else
			snprintf(
			    line, sizeof(line), text("%s → (no longer there)"), journal_text(old, "rule"));
		if (put_change(rows, old, line, err))
			return -1;
		if (now)
			json_array_remove(is, k);
	}
	for (size_t i = 0; i < json_array_size(is); i++) {
		snprintf(line, sizeof(line), text("(was not there) → %s"),
		    journal_text(json_array_get(is, i), "rule"));
		if (put_change(rows, json_array_get(is, i), line, err))
			return -1;
	}
	return 0;
}

int regulation_changes(const struct policy *policy, const struct ledger *l, json_t *rows, struct err *err)
{
	const json_t *approved = ledger_regulation(l);
	const enum text_lang lang = text_lang();
	json_t *was = json_copy(json_object_get(approved, "clauses")), *is = json_array();
	int r = 0;

	if (approved) {
		text_set_lang(!strcmp(journal_text(approved, "lang"), "ja") ? TEXT_JA : TEXT_EN);
		r = !was || !is ? err_nomem(err) : regulation_write(policy, l, false, is, err);
		text_set_lang(lang);
		r = r || compare(was, is, rows, err) ? -1 : 0;
	}
	json_decref(was);
	json_decref(is);
	return r;
}
