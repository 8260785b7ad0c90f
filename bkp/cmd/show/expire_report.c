/* expire_report: see expire_report.h. */
#include "cmd/show/expire_report.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/table.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/chosen.h"
#include "cmd/app/out.h"
#include "cmd/show/overview.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/expire/expiry.h"
#include "write/state/state.h"

#define SHOW	256
#define WHY_MAX ((size_t)64 << 10)

static bool is_item(const struct reap_item *it, const struct retention_copy *c)
{
	return it->number == c->number && !strcmp(it->dataset, c->dataset);
}

static bool is_going(const struct expiry_medium *m, const struct retention_copy *c)
{
	for (size_t i = 0; i < m->n_items; i++)
		if (is_item(&m->items[i], c))
			return true;
	return false;
}

static const char *fate_text(const struct expiry_medium *m, const struct retention_copy *c, bool acted)
{
	if (c->stays)
		return text("stays");
	if (!m->medium)
		return text("may go");
	if (!is_going(m, c))
		return text("stays this time");
	if (!acted)
		return text("goes");
	/* in their order, up to where it was broken off */
	for (size_t i = 0; i < m->done.expired && i < m->n_items; i++)
		if (is_item(&m->items[i], c))
			return text("gone");
	return text("may go");
}

static const char *why_text(const struct retention_copy *c, struct buf *b)
{
	char one[RETENTION_SENTENCE], show[RETENTION_SENTENCE * 2];

	for (size_t i = 0; i < c->n_why; i++)
		if (buf_printf(b, NULL, "%s%s", i ? "; " : "",
			path_show(retention_sentence(&c->why[i], one), show, sizeof(show))))
			break;
	return buf_terminate(b, NULL) ? "?" : (const char *)b->p;
}

static void why_cell(struct table *t, const struct retention_copy *c)
{
	BUF_AUTO b = BUF_INIT(WHY_MAX);

	table_cell(t, "%s", why_text(c, &b));
}

void expire_report_leftover(const struct reap_leftover *l)
{
	BUF_AUTO b = BUF_INIT(WHY_MAX);
	char label[GENERATION_LABEL], date[CLOCK_TEXT], recorded[CLOCK_TEXT], released[CLOCK_TEXT];
	const struct ledger_generation *g = l->generation;

	fprintf(stderr,
	    l->goes
		? text("bkp: W-REAP-01: generation %s (%s) is deleted from '%s' now; its expiry was recorded "
		       "on %s: %s\n")
		: text("bkp: W-REAP-02: generation %s (%s) stays on '%s', although its expiry was recorded "
		       "on %s: %s\n"),
	    generation_label(g->dataset, g->number, label), clock_format_local(g->begun_ns, date), l->medium,
	    clock_format_local(l->expired_ns, recorded),
	    l->judged ? why_text(l->judged, &b) : text("it was taken out of sight then, its files follow"));
	if (l->judged && g->released_ns)
		fprintf(stderr, text("  a person held it until %s\n"),
		    clock_format_local(g->released_ns, released));
}

static void print_table(const struct expiry_medium *m, bool acted, struct chosen *only)
{
	struct table *t = table_new(4);
	char date[CLOCK_TEXT], label[GENERATION_LABEL];

	if (!t)
		return;
	for (size_t i = 0; i < m->judged->n; i++) {
		const struct retention_copy *c = &m->judged->copies[i];

		if (!chosen_fits(only, c->dataset, c->number))
			continue;
		table_cell(t, "%s", generation_label(c->dataset, c->number, label));
		table_cell(t, "%s", clock_format_local(c->begun_ns, date));
		table_cell(t, "%s", fate_text(m, c, acted));
		why_cell(t, c);
	}
	(void)out_table(t, 2, APP_OK);
}

static void print_medium(const struct expiry_medium *m, bool acted, struct chosen *only)
{
	char bytes[OUT_BYTES];
	size_t holds = m->judged ? m->judged->n : 0;

	if (!m->medium)
		out_wrapped(stdout, 0, 2,
		    text("medium '%s': not attached; %zu of %zu generations may go from it"), m->policy->name,
		    m->judged ? m->judged->may_go : 0, holds);
	else if (acted)
		out_wrapped(stdout, 0, 2, text("medium '%s': %ju of %zu generations are gone, %s freed"),
		    m->policy->name, m->done.expired, holds, out_bytes(m->done.bytes, bytes));
	else
		out_wrapped(stdout, 0, 2, text("medium '%s': %zu of %zu generations may go, which frees %s"),
		    m->policy->name, m->n_items, holds, out_bytes(m->frees, bytes));
	if (holds)
		print_table(m, acted, only);
}

static void print_fault(const struct err *e)
{
	if (e->code[0])
		app_fault(e, stderr);
}

void expire_report_text(const struct expiry *e, bool acted, struct chosen *only, bool quiet)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct expiry_medium *m = &e->media[i];

		/* that a medium kept offline is away is as it should be */
		if (!m->medium && !m->policy->offline)
			print_fault(&m->away);
		print_fault(acted && m->done.why.code[0] ? &m->done.why : &m->kept_why);
		if (!quiet)
			print_medium(m, acted, only);
	}
}

static json_t *copy_json(const struct expiry_medium *m, const struct retention_copy *c)
{
	char date[CLOCK_TEXT], one[RETENTION_SENTENCE];
	json_t *why = json_array();

	for (size_t i = 0; i < c->n_why; i++)
		json_array_append_new(why, json_pack("{s:s, s:s}", "reason", retention_word(c->why[i].reason),
					       "text", retention_sentence(&c->why[i], one)));
	return json_pack("{s:s, s:I, s:s, s:b, s:b, s:o}", "dataset", c->dataset, "generation",
	    (json_int_t)c->number, "time", clock_format(c->begun_ns, date), "may_go", !c->stays, "goes",
	    is_going(m, c), "why", why);
}

static json_t *medium_json(const struct expiry_medium *m, struct chosen *only)
{
	const struct err *why = m->done.why.code[0] ? &m->done.why : &m->kept_why;
	char show[sizeof(why->msg)];
	json_t *all = json_array();

	for (size_t i = 0; m->judged && i < m->judged->n; i++)
		if (chosen_fits(only, m->judged->copies[i].dataset, m->judged->copies[i].number))
			json_array_append_new(all, copy_json(m, &m->judged->copies[i]));
	if (!m->medium)
		why = &m->away;
	return json_pack("{s:s, s:b, s:o, s:I, s:I, s:I, s:s*, s:s*}", "medium", m->policy->name, "attached",
	    m->medium != NULL, "generations", all, "frees", (json_int_t)m->frees, "expired",
	    (json_int_t)m->done.expired, "freed", (json_int_t)m->done.bytes, "error",
	    why->code[0] ? why->code : NULL, "message",
	    why->code[0] ? path_show(why->msg, show, sizeof(show)) : NULL);
}

int expire_report_json(
    const struct expiry *e, bool acted, struct chosen *only, const struct err *failure, int code)
{
	char show[sizeof(failure->msg)];
	json_t *media = json_array(), *o;

	for (size_t i = 0; i < e->n; i++)
		json_array_append_new(media, medium_json(&e->media[i], only));
	o = json_pack("{s:o, s:b, s:b, s:s*, s:s*}", "media", media, "acted", (int)acted, "latched",
	    (int)e->judged->latched, "error", failure ? failure->code : NULL, "message",
	    failure ? path_show(failure->msg, show, sizeof(show)) : NULL);
	if (o)
		json_object_set_new(
		    o, "frozen_by", overview_generation_json(ledger_frozen_by(state_ledger(e->state))));
	return out_json(o, code);
}

int expire_report_exit(const struct expiry *e)
{
	for (size_t i = 0; i < e->n; i++) {
		const struct expiry_medium *m = &e->media[i];

		if (m->done.why.code[0] || m->kept_why.code[0] || (!m->medium && !m->policy->offline))
			return APP_ATTENTION;
	}
	return APP_OK;
}
