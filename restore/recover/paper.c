/* paper: see paper.h. */
#include "restore/recover/paper.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/page/sheet.h"
#include "format/procedure/procedure.h"
#include "restore/choose/history.h"
#include "restore/drill/drill.h"
#include "restore/extract/scratch.h"
#include "restore/recover/place.h"
#include "restore/recover/recovery.h"

#define PAGE_MAX ((size_t)16 << 20)
#define LINE	 1024

static void row_if(struct sheet *s, const char *label, const char *value)
{
	if (value && *value)
		sheet_row(s, label, value);
}

static void add_what(struct sheet *s, const struct recovery *r)
{
	const struct drill *d = r->s.d;
	char line[LINE], when[CLOCK_DATE], hex[DIGEST_HEX];

	sheet_piece(s, "form", NULL);
	row_if(s, text("Site"), d->site);
	sheet_row(s, text("Begun"), clock_format_date(d->begun_ns, when));
	row_if(s, text("Carried out by"), d->operator_name);
	row_if(s, text("Computer"), d->host);
	row_if(s, text("Medium"), d->medium_label);
	row_if(s, text("Root key"), d->root_key);
	for (size_t i = 0; i < d->n_generations; i++) {
		const struct drill_generation *g = &d->generation[i];
		const char *verdict = history_verdict(r->ledger, g->dataset, g->number);

		snprintf(line, sizeof(line), text("%s, captured %s (%s)"), g->label,
		    clock_format_date(g->begun_ns, when),
		    *verdict ? verdict : text("the journal does not know it"));
		sheet_row(s, text("Generation"), line);
	}
	snprintf(line, sizeof(line), "%s/%s", d->folder, PLACE_DATA);
	sheet_row(s, text("Restored data"), line);
	row_if(s, text("Recovered to"), d->target);
	row_if(s, text("Confirmed by typing"), r->confirmed);
	snprintf(line, sizeof(line), "SHA-256 %s", digest_hex(d->procedure->sha256, DIGEST_LEN, hex));
	sheet_row(s, text("Procedure"), line);
	sheet_piece(s, "form end", NULL);
}

static void add_gate(struct sheet *s, const struct drill_step *g)
{
	char line[LINE], when[CLOCK_DATE];

	snprintf(line, sizeof(line), text("Step %u"), g->is->number);
	sheet_piece(s, "step", NULL);
	sheet_piece(s, "step number", "NUMBER", line, "KIND", text("Gate"), NULL);
	sheet_piece(s, "step form", NULL);
	sheet_row(s, text("What is signed"), g->statement ? g->statement : g->what);
	sheet_row(s, text("Pass criterion"), g->pass);
	sheet_row(s, text("Signed by"), g->is->role);
	for (unsigned i = 0; i < g->is->people; i++) {
		const struct drill_signer *p = i < g->n_signers ? &g->signer[i] : NULL;

		line[0] = '\0';
		if (p)
			snprintf(line, sizeof(line), "%s  %s", p->by, clock_format_date(p->when_ns, when));
		sheet_row(s, text("Name, date"), line);
		sheet_row(s, text("Evidence"), p ? p->evidence : "");
	}
	sheet_piece(s, "section end", NULL);
}

int paper_before(const struct recovery *r, struct err *err)
{
	static const char *const signatures[] = {
	    TEXT_LATER("Carried out by"), TEXT_LATER("Witnessed by"), TEXT_LATER("Approved by")};
	const struct drill *d = r->s.d;
	BUF_AUTO out = BUF_INIT(PAGE_MAX);
	struct sheet s = {.out = &out, .err = err};

	sheet_begin(&s, text("Confirmation before recovery"), d->procedure->title,
	    d->procedure->id ? d->procedure->id : d->procedure->title);
	add_what(&s, r);
	for (size_t i = 0; i < d->n; i++)
		if (d->step[i].is->kind == PROCEDURE_GATE)
			add_gate(&s, &d->step[i]);
	sheet_piece(&s, "signatures", NULL);
	for (size_t i = 0; i < sizeof(signatures) / sizeof(*signatures); i++)
		sheet_piece(&s, "signature", "TEXT", text(signatures[i]), NULL);
	sheet_piece(&s, "signatures end", NULL);
	sheet_end(&s);
	return s.r ? -1 : io_replace(scratch_dirfd(r->s.scratch), PLACE_BEFORE, 0600, out.p, out.n, err);
}
