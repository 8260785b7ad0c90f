/* finding: see finding.h. */
#include "restore/drill/finding.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "format/journal/drill_slip.h"
#include "format/medium/selector.h"
#include "restore/app/interrupt.h"
#include "restore/drill/attest.h"
#include "restore/drill/drill.h"
#include "restore/drill/replay.h"

/* The texts are the drill's from then on; NULL among them: out of memory. */
static int keep(struct drill *d, const struct drill_finding *f, struct err *err)
{
	struct drill_finding *more = reallocarray(d->finding, d->n_findings + 1, sizeof(*more));

	d->finding = more ? more : d->finding;
	if (more && f->text && f->owner && f->due) {
		more[d->n_findings++] = *f;
		return 0;
	}
	free(f->text);
	free(f->owner);
	free(f->due);
	return err_nomem(err);
}

static int take_given(struct drill *d, const struct attest *a, struct err *err)
{
	for (size_t i = 0; i < a->n_findings; i++) {
		const struct attest_finding *g = &a->finding[i];
		const struct drill_finding f = {g->step < d->n ? d->step[g->step].is->number : 0,
		    strdup(g->text), strdup(g->owner), strdup(g->due)};

		if (keep(d, &f, err))
			return -1;
	}
	return 0;
}

/* "" ends it; a day is asked for until it is one.  false: nobody answers. */
static bool ask_line(struct replay *r, const char *question, bool day, char **ret)
{
	uint64_t ignored;

	do {
		free(*ret);
		*ret = NULL;
		if (replay_listen(r, question, ret) != REPLAY_HEARD)
			return false;
	} while (day && !selector_date(*ret, &ignored));
	return **ret;
}

static int ask_findings(struct replay *r, struct err *err)
{
	struct drill *d = r->d;

	while (d->n_findings < DRILL_SLIP_FINDINGS) {
		struct drill_finding f = {0};

		if (!ask_line(r, text("a finding, what is to be mended (empty: no more)?"), false, &f.text) ||
		    !ask_line(r, text("who sees to it?"), false, &f.owner) ||
		    !ask_line(r, text("by which day (as 2026-11-30)?"), true, &f.due)) {
			free(f.text);
			free(f.owner);
			free(f.due);
			return 0;
		}
		if (keep(d, &f, err))
			return -1;
	}
	return 0;
}

int finding_collect(struct replay *r, const struct attest *a, struct err *err)
{
	const bool interrupted = r->d->interrupted;
	int n;

	if (a)
		return take_given(r->d, a, err);
	if (interrupted || !isatty(STDIN_FILENO))
		return 0;
	r->interrupts = interrupt_count(r->interrupt);
	n = ask_findings(r, err);
	r->d->interrupted = interrupted; /* who ends the question ends nothing else */
	return n;
}
