/* drill_page: see drill_page.h. */
#include "restore/drill/drill_page.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "base/version.h"
#include "format/crypto/digest.h"
#include "format/procedure/procedure_html.h"
#include "restore/app/progress.h"
#include "restore/drill/drill.h"
#include "restore/drill/variables.h"

/* Facts with values of their own.  failed: memory ended; then the page is not made. */
struct facts {
	struct procedure_fact *fact;
	size_t n;
	bool failed;
};

static __attribute__((format(printf, 3, 4))) void add_fact(
    struct facts *f, const char *label, const char *fmt, ...)
{
	struct procedure_fact *p = reallocarray(f->fact, f->n + 1, sizeof(*p));
	char *value = NULL;
	va_list ap;

	f->fact = p ? p : f->fact;
	va_start(ap, fmt);
	if (!p || vasprintf(&value, fmt, ap) < 0)
		f->failed = true;
	else
		f->fact[f->n++] = (struct procedure_fact){label, value};
	va_end(ap);
}

static void add_fact_if(struct facts *f, const char *label, const char *value)
{
	if (value && *value)
		add_fact(f, label, "%s", value);
}

static void facts_free(struct facts *f)
{
	while (f->n)
		free((char *)(uintptr_t)f->fact[--f->n].value);
	free(f->fact);
}

/* ---- the head ---- */

static void add_medium_and_generations(const struct drill *d, struct facts *f)
{
	char when[CLOCK_DATE];

	add_fact_if(f, text("Site"), d->site);
	if (d->medium_label)
		add_fact(f, text("Medium"), "%s (%s, %s)", d->medium_label, d->medium_type, d->medium_uuid);
	add_fact_if(f, text("Repository"), d->repository);
	add_fact_if(f, text("Root key"), d->root_key);
	for (size_t i = 0; i < d->n_generations; i++) {
		const struct drill_generation *g = &d->generation[i];

		add_fact(f, text("Generation"), text("%s, captured %s (%s)"), g->label,
		    clock_format_date(g->begun_ns, when), g->uuid);
		if (!g->vouched)
			add_fact(f, text("Not proved"), "%s",
			    text("no journal at hand reports it (W-VAULT-11): its signature alone says that "
				 "it is "
				 "genuine"));
	}
}

static void add_targets(const struct drill *d, struct facts *f)
{
	const struct procedure *p = d->procedure;
	char took[CLOCK_SPAN], goal[CLOCK_SPAN];

	add_fact(f, text("Time taken"), text("%s (planned: %u min)"), clock_format_span(d->seconds, took),
	    p->minutes);
	if (d->rto_s && d->verdict == PROCEDURE_MARK_FAILED && !d->recovery)
		add_fact(f, text("RTO"), text("not reached: the drill failed (target %s)"),
		    clock_format_span((double)d->rto_s, goal));
	else if (d->rto_s)
		add_fact(f, text("RTO"),
		    drill_over_rto(d) ? text("%s, NOT within %s") : text("%s, within %s"),
		    clock_format_span(d->recovery_s, took), clock_format_span((double)d->rto_s, goal));
	if (d->rto_of[0])
		add_fact(f, text("RTO, of the policy"), text("%s for '%s' (policy %.12s)"),
		    clock_format_span((double)d->rto_s, goal), d->rto_of, d->policy_sha256);
	if (p->rto_s)
		add_fact(f, text("RTO, of the procedure"),
		    d->rto_of[0] && p->rto_s != d->rto_s
			? text("%s: ANOTHER ONE; the policy's counts (W-DRILL-02)")
			: "%s",
		    clock_format_span((double)p->rto_s, goal));
	if (d->rpo_s && drill_rpo(d) < 0)
		add_fact(f, text("RPO"), "%s",
		    text(
			"cannot be told: there is no generation, or it is later than this computer's clock"));
	else if (d->rpo_s)
		add_fact(f, text("RPO"),
		    drill_rpo(d) > (double)d->rpo_s ? text("%s, NOT within %s") : text("%s, within %s"),
		    clock_format_span(drill_rpo(d), took), clock_format_span((double)d->rpo_s, goal));
}

static void add_isolation(const struct drill *d, struct facts *f)
{
	if (d->isolation == DRILL_ISOLATED)
		add_fact(f, text("Isolation"), "%s",
		    text("commands ran without a network, and could write to the scratch folder alone"));
	else if (d->isolation == DRILL_NOT_ISOLATED)
		add_fact(f, text("Isolation"), text("NOT ISOLATED: %s"), d->isolation_why.msg);
	else if (d->isolation == DRILL_ISOLATION_OFF)
		add_fact(f, text("Isolation"), "%s",
		    text("NOT ISOLATED (--isolation off): commands could reach the network and everything "
			 "on this computer"));
}

static void add_head(const struct drill *d, struct facts *f)
{
	char begun[CLOCK_DATE], finished[CLOCK_DATE];

	if (d->interrupted)
		add_fact(f, text("Verdict"), "%s", text("the drill was interrupted"));
	for (size_t i = 0; i < d->n; i++)
		if (d->step[i].mark == PROCEDURE_MARK_FAILED) {
			add_fact(f, text("Failed at"), text("step %u: %s"), d->step[i].is->number,
			    d->step[i].why.code[0] ? d->step[i].why.msg : d->step[i].what);
			break;
		}
	add_fact(f, text("Begun and finished"), "%s – %s", clock_format_date(d->begun_ns, begun),
	    clock_format_date(d->finished_ns, finished));
	add_fact_if(f, text("Carried out by"), d->operator_name);
	add_fact_if(f, text("Computer"), d->host);
	add_isolation(d, f);
	if (d->random)
		add_fact(
		    f, text("Drawn"), text("medium and generations, by the seed %ju"), (uintmax_t)d->seed);
	if (d->unattended)
		add_fact(f, text("Unattended"), "%s",
		    text("begun by a timer; steps for people that have no answer were not asked"));
	add_fact_if(f, text("Recovered to"), d->target);
	if (d->resumed)
		add_fact(f, text("Gone on with"), text("%u times, after it was interrupted"), d->resumed);
	add_medium_and_generations(d, f);
	add_targets(d, f);
}

/* ---- a step ---- */

static void add_restored(const struct drill_step *s, struct facts *f)
{
	char size[PROGRESS_SIZE_TEXT];

	add_fact(f, text("Restored"), text("%ju files, %ju folders, %s from %s"),
	    (uintmax_t)s->count[OUTCOME_FILE], (uintmax_t)s->count[OUTCOME_FOLDER],
	    progress_size(s->bytes, size), s->from->label);
}

static void add_confirmed(const struct drill_step *s, struct facts *f)
{
	if (!s->by)
		return;
	for (size_t i = 0; i < s->n_seen; i++) {
		const struct drill_seen *k = &s->seen[i];

		add_fact(f, text("Looked at"), "%s: %s%s%s", k->name,
		    !k->answered ? text("not looked at")
		    : k->yes	 ? text("yes")
				 : text("no"),
		    k->note && *k->note ? ", " : "", k->note ? k->note : "");
	}
	add_fact(f, text("Answer"), "%s", s->confirmed ? text("yes") : text("no"));
	add_fact_if(f, text("Confirmed by"), s->by);
	add_fact_if(f, text("Remark"), s->note);
}

static void add_people(const struct drill_step *s, struct facts *f)
{
	char when[CLOCK_DATE];

	for (size_t i = 0; i < s->n_signers; i++)
		add_fact(f, s->mock ? text("Signed (MOCK, drill)") : text("Signed"),
		    text("%s (%s), %s; evidence: %s"), s->signer[i].by, s->is->role,
		    clock_format_date(s->signer[i].when_ns, when), s->signer[i].evidence);
	for (size_t i = 0; i < s->n_decisions; i++) {
		const struct drill_decision *d = &s->decision[i];

		add_fact(f, text("Decided"), "%s: %s, %s%s%s (%s)", d->fault, drill_decision_text(d->choice),
		    d->by, *d->reason ? ": " : "", d->reason, clock_format_date(d->when_ns, when));
	}
}

static void add_step(const struct drill_step *s, struct facts *f)
{
	add_people(s, f);
	if (s->mark == PROCEDURE_MARK_NOT_DONE)
		return;
	if (s->is->kind == PROCEDURE_RESTORE)
		add_restored(s, f);
	if (s->is->kind == PROCEDURE_CHECK) {
		add_fact_if(f, text("Expected"), s->expected);
		add_fact_if(f, text("Found"), s->found);
	}
	if (s->is->kind == PROCEDURE_SCAN)
		add_fact_if(f, text("Found"), s->found);
	if (s->is->kind == PROCEDURE_CONFIRM)
		add_confirmed(s, f);
	if (s->why.code[0])
		add_fact(f, text("Message"), "%s: %s", s->why.code, s->why.msg);
	add_fact_if(f, text("Output"), s->tail);
}

/* ---- the foot ---- */

static void add_foot(const struct drill *d, const uint8_t *record_sha256, struct facts *f)
{
	const struct drill_erased *e = &d->erased;
	char when[CLOCK_DATE], hex[DIGEST_HEX];

	for (size_t i = 0; i < d->n_findings; i++) {
		const struct drill_finding *k = &d->finding[i];

		if (k->step)
			add_fact(f, text("Finding"), text("step %u: %s; %s, by %s"), k->step, k->text,
			    k->owner, k->due);
		else
			add_fact(f, text("Finding"), text("%s; %s, by %s"), k->text, k->owner, k->due);
	}

	if (d->recovery)
		add_fact(f, text("Restored data"), text("in %s: it stays there"), d->folder);
	else if (e->kept)
		add_fact(f, text("Scratch data"),
		    text("NOT ERASED (--keep): it is in %s/scratch; erase it with 'rm -rf' when it was "
			 "looked at"),
		    d->folder);
	else if (e->ok)
		add_fact(f, text("Scratch data"), text("erased %s: %ju files, %ju folders"),
		    clock_format_date(e->when_ns, when), e->files, e->folders);
	else if (!e->left)
		add_fact(f, text("Scratch data"), text("NOT GONE: %s: %s"), e->why.code, e->why.msg);
	else
		add_fact(f, text("Scratch data"), text("NOT ALL ERASED: it is in %s/scratch. %s: %s"),
		    d->folder, e->why.code, e->why.msg);
	add_fact(f, d->recovery ? text("Record (recovery.json)") : text("Record (drill.json)"), "SHA-256 %s",
	    digest_hex(record_sha256, DIGEST_LEN, hex));
	digest_hex(d->procedure->sha256, DIGEST_LEN, hex);
	add_fact(f, text("Procedure"),
	    d->signed_on_medium ? text("SHA-256 %s, signed on the medium")
				: text("SHA-256 %s, from a file of one's own"),
	    hex);
	add_fact(f, text("Program"), "bkp-restore %s", BKP_VERSION);
}

/* ---- all of it ---- */

struct all {
	struct facts head, foot, *step;
	struct procedure_stamp *stamp;
	size_t n;
	bool failed;
};

static void all_free(struct all *a)
{
	size_t i;

	facts_free(&a->head);
	facts_free(&a->foot);
	for (i = 0; a->step && i < a->n; i++)
		facts_free(&a->step[i]);
	free(a->step);
	free(a->stamp);
}

static bool fill_page(struct all *a, const struct drill *d, const uint8_t *record_sha256)
{
	size_t i;

	a->step = calloc(d->n + 1, sizeof(*a->step));
	a->stamp = calloc(d->n + 1, sizeof(*a->stamp));
	if (!a->step || !a->stamp)
		return false;
	add_head(d, &a->head);
	add_foot(d, record_sha256, &a->foot);
	for (i = 0; i < d->n; i++) {
		a->n = i + 1;
		add_step(&d->step[i], &a->step[i]);
		a->stamp[i] = (struct procedure_stamp){
		    d->step[i].mark, d->step[i].seconds, d->step[i].begun_ns, a->step[i].fact, a->step[i].n};
		a->failed |= a->step[i].failed;
	}
	return !a->failed && !a->head.failed && !a->foot.failed;
}

int drill_page(const struct drill *d, struct variables *v, const uint8_t *record_sha256, struct buf *out,
    struct err *err)
{
	const char *const signatures[] = {text("Carried out by"), text("Witnessed by"), text("Approved by")};
	struct all a = {.n = 0};
	struct procedure_page page;
	int r;

	if (!fill_page(&a, d, record_sha256)) {
		all_free(&a);
		return err_nomem(err);
	}
	page = (struct procedure_page){.kind = d->recovery ? text("Recovery report") : NULL,
	    .lookup = variables_lookup,
	    .arg = v,
	    .verdict = d->verdict,
	    .verdict_text = drill_verdict_text(d),
	    .facts = a.head.fact,
	    .n_facts = a.head.n,
	    .stamps = a.stamp,
	    .footer = a.foot.fact,
	    .n_footer = a.foot.n,
	    .signatures = signatures,
	    .n_signatures = sizeof(signatures) / sizeof(*signatures)};
	r = procedure_html(d->procedure, &page, out, err);
	all_free(&a);
	return r;
}
