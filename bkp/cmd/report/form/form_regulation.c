/* form_regulation: the backup chapter of the operating rules (運用管理規程), written from the policy in force, so that the rules on paper and
 * what the computer does cannot differ; who signs it approves that policy, whose SHA-256 stands in the foot.
 *
 * It is refused while the policy still holds what was to be filled in (〇〇), or leaves out what rules cannot do without.  An article is a
 * function of the table below that says one sentence, or one a data set, medium, person. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/err.h"
#include "base/text.h"
#include "cmd/report/form/form.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/ledger/ledger.h"

const struct fact_column form_regulation_columns[] = {{"article", TEXT_LATER("Article"), FACT_TEXT},
    {"subject", TEXT_LATER("Subject"), FACT_TEXT}, {"rule", TEXT_LATER("Rule"), FACT_TEXT}};

/* ---- what must be filled in ---- */

static int not_filled(const char *key, const char *value, struct err *err)
{
	err_set_kind(err, ERR_INCOMPLETE, "E-REPORT-20",
	    text("the operating rules cannot be printed: '%s' of the policy is not filled in: '%s'"), key,
	    value);
	return err_hint(err, "%s", text("fill it in there, run 'bkp check', and print them again"));
}

static int look(const char *key, const char *value, struct err *err)
{
	static const char *const blanks[] = {"〇〇", "○○", "◯◯", "____", "＿＿"};

	for (size_t i = 0; value && i < sizeof(blanks) / sizeof(*blanks); i++)
		if (strstr(value, blanks[i]))
			return not_filled(key, value, err);
	return 0;
}

static int look_at_role(const struct policy *p, enum policy_role role, const char *word, struct err *err)
{
	for (size_t i = 0; i < p->n_people; i++)
		if (p->people[i].roles & role)
			return 0;
	return not_filled("people", word, err);
}

int form_regulation_refuses(const struct report *r, struct err *err)
{
	const struct policy *p = r->policy;

	if (look("site.name", p->site_name, err) || look_at_role(p, POLICY_MANAGER, "manager", err) ||
	    look_at_role(p, POLICY_OPERATOR, "operator", err))
		return -1;
	for (size_t i = 0; i < p->n_people; i++)
		if (look("people", p->people[i].name, err))
			return -1;
	for (size_t i = 0; i < p->n_places; i++)
		if (look("places", p->places[i].name, err) ||
		    look("places.address", p->places[i].address, err))
			return -1;
	for (size_t i = 0; i < p->n_media; i++)
		if (look("media.place", p->media[i].place ? p->media[i].place : "____", err))
			return -1;
	for (size_t i = 0; i < p->n_datasets; i++)
		if (look("datasets.title", p->datasets[i].title, err))
			return -1;
	return 0;
}

/* ---- the articles ---- */

struct writer {
	const struct report *r;
	json_t *rows;
	struct err *err;
	unsigned article;
	const char *subject;
};

static int rule(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int rule(struct writer *w, const char *fmt, ...)
{
	char article[FORM_TIME], sentence[2 * FORM_TEXT];
	va_list ap;

	snprintf(article, sizeof(article), text("Art. %u"), w->article);
	va_start(ap, fmt);
	vsnprintf(sentence, sizeof(sentence), fmt, ap);
	va_end(ap);
	return form_row(w->rows, w->err, "article", article, "subject", w->subject, "rule", sentence, NULL);
}

static int purpose(struct writer *w)
{
	return rule(w, text("so that patients can be treated when systems fail or are attacked, the data "
			    "named below is backed up, "
			    "kept away from the network, and its recovery rehearsed (checklist, item 3-②)"));
}

static int people(struct writer *w)
{
	const struct policy *p = w->r->policy;

	for (unsigned k = 0; k < POLICY_ROLES; k++) {
		char names[FORM_TEXT] = "";

		form_people_of(p, 1u << k, names);
		if (*names && rule(w, text("%s: %s"), policy_plan_role(k), names))
			return -1;
	}
	return 0;
}

static int datasets(struct writer *w)
{
	for (size_t i = 0; i < w->r->policy->n_datasets; i++) {
		const struct policy_dataset *d = &w->r->policy->datasets[i];
		char every[POLICY_PLAN_TEXT], rpo[FORM_TEXT], rto[FORM_TEXT], priority[FORM_TIME];

		if (rule(w,
			text("%s: captured %s; recovery point within %s, in use again within %s; restored in "
			     "the order of "
			     "its priority (%s)"),
			form_dataset(w->r, d->name), policy_plan_schedule(w->r->policy, d, every),
			form_span_or(d->rpo_s, rpo), form_span_or(d->rto_s, rto), form_priority(d, priority)))
			return -1;
	}
	return 0;
}

static int left_out(struct writer *w)
{
	const struct policy *p = w->r->policy;

	for (size_t i = 0; i < p->n_excluded; i++)
		if (rule(w, text("%s is not backed up: %s"), p->excluded[i].name,
			p->excluded[i].reason ? p->excluded[i].reason : text("reason not on record")))
			return -1;
	for (size_t i = 0; i < p->n_external; i++)
		if (rule(w, text("%s is backed up by %s: %s"), p->external[i].name,
			p->external[i].vendor ? p->external[i].vendor : text("others"),
			p->external[i].how_often ? p->external[i].how_often
						 : text("how often is not on record")))
			return -1;
	return p->n_excluded + p->n_external
		   ? 0
		   : rule(w, "%s", text("nothing that is needed for treatment is left out"));
}

static int generations(struct writer *w)
{
	for (size_t i = 0; i < w->r->policy->n_datasets; i++) {
		const struct policy_dataset *d = &w->r->policy->datasets[i];
		const struct ledger_agreed *agreed = ledger_agreed(w->r->l, d->name);
		const uint64_t floor =
		    agreed && agreed->generations > d->generations ? agreed->generations : d->generations;

		if (rule(w,
			text("%s: at least %ju verified generations are kept; a failed or partial one never "
			     "counts"),
			form_dataset(w->r, d->name), (uintmax_t)floor))
			return -1;
	}
	return rule(w, "%s",
	    text("generations expire by 'bkp expire' alone, which a person runs; no figure agreed here is "
		 "lowered without the "
		 "approval that the policy names"));
}

static int media(struct writer *w)
{
	const struct policy *p = w->r->policy;

	for (size_t i = 0; i < p->n_media; i++) {
		const struct policy_medium *m = &p->media[i];

		if (rule(w,
			m->offline ? text("%s (%s): kept offline at %s") : text("%s (%s): attached, at %s"),
			m->name, policy_plan_technology(m->type), m->place ? m->place : ""))
			return -1;
	}
	return 0;
}

static int rotation(struct writer *w)
{
	const struct policy *p = w->r->policy;

	for (size_t i = 0; i < p->n_pools; i++) {
		char rhythm[POLICY_PLAN_TEXT];

		if (rule(w, text("%s: media take turns, %s"), p->pools[i].name,
			policy_plan_rhythm(&p->pools[i], rhythm)))
			return -1;
	}
	return rule(w, "%s",
	    text("an operator attaches the medium, 'bkp rotate' fills, verifies and seals it; it is taken "
		 "away at once, its place is "
		 "recorded, and two people sign the slip"));
}

static int secrets(struct writer *w)
{
	char holders[FORM_TEXT] = "", span[FORM_TEXT];
	const struct policy *p = w->r->policy;

	form_people_of(p, POLICY_KEYHOLDER, holders);
	if (rule(w,
		text("what is captured is encrypted; the capturing computer holds public keys alone. "
		     "Recovery keys are kept by: %s"),
		*holders ? holders : text("nobody named")))
		return -1;
	return !p->key_drill_every_s ? 0
				     : rule(w, text("a holder opens what is captured every %s"),
					   form_span_or(p->key_drill_every_s, span));
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
	const struct policy *p = w->r->policy;
	char span[FORM_TEXT];

	if (rule(w, "%s",
		text("recovery follows the procedures in force (form 10); a real recovery begins only when "
		     "its confirmations "
		     "(form 12) are signed")))
		return -1;
	return rule(w,
	    text("recovery is rehearsed every %s, and after each change of a procedure or of the source's "
		 "version"),
	    form_span_or(p->drill_every_s ? p->drill_every_s : 365 * 86400LL, span));
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
	    ledger_policy_sha256(w->r->l));
}

int form_regulation(const struct report *r, json_t *rows, struct err *err)
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
	struct writer w = {r, rows, err, 0, NULL};

	for (size_t i = 0; i < sizeof(articles) / sizeof(*articles); i++) {
		w.article = (unsigned)i + 1;
		w.subject = text(articles[i].subject);
		if (articles[i].write(&w))
			return -1;
	}
	return 0;
}
