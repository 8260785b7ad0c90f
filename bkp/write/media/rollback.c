/* rollback: see rollback.h. */
#include "write/media/rollback.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"

#define SHOW 256

/* The last copy that one with so many lines knows of; NULL: none. */
static const struct ledger_copy_mark *last_mark(const struct ledger_medium *lm, uint64_t lines)
{
	for (size_t i = lm->n_marks; i-- > 0;)
		if (lm->marks[i].seq <= lines)
			return &lm->marks[i];
	return NULL;
}

static bool stands(const struct store *repo, const struct ledger_generation *g)
{
	char set[GENERATION_SET_DIR], dir[GENERATION_DIR], path[GENERATION_SET_DIR + GENERATION_DIR + 16];

	snprintf(
	    path, sizeof(path), "%s/%s", generation_set_dir(g->dataset, set), generation_dir(g->number, dir));
	return store_has(repo, path);
}

/* How many that were read back there are gone altogether, and the newest of them. */
static uint64_t gone_of(const struct ledger *l, const struct ledger_medium *lm, const struct store *repo,
    const struct ledger_generation **ret_newest)
{
	uint64_t gone = 0;

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		const struct ledger_copy *c = ledger_copy_there(g, lm->uuid);

		if (!c || !c->verified_ns || stands(repo, g))
			continue;
		gone++;
		*ret_newest = g;
	}
	return gone;
}

static void say_former_day(
    const struct ledger_medium *lm, const struct ledger_copy_mark *mark, struct err *ret)
{
	const struct ledger_copy_mark *newest = &lm->marks[lm->n_marks - 1];
	char label[SHOW], then[CLOCK_TEXT], now[CLOCK_TEXT];

	err_set(ret, "E-ROTATE-20",
	    text("'%s' is as it was on %s, after rotation %ju; it was given more until %s (rotation %ju): a "
		 "copy of "
		 "the disk made then, or the disk brought back from one"),
	    path_show(lm->label, label, sizeof(label)), clock_format_local(mark->ns, then),
	    (uintmax_t)mark->turn, clock_format_local(newest->ns, now), (uintmax_t)newest->turn);
}

static void say_less(const struct ledger_medium *lm, uint64_t lines, uint64_t gone,
    const struct ledger_generation *newest, struct err *ret)
{
	char label[SHOW], generation[GENERATION_LABEL];

	err_set(ret, "E-ROTATE-20",
	    text(
		"'%s' knows less than it was given: its journal has %ju of %ju records, and %ju generations "
		"that "
		"were verified on it are gone, the newest of them %s: a former copy of the disk, or somebody "
		"erased both"),
	    path_show(lm->label, label, sizeof(label)), (uintmax_t)lines, (uintmax_t)lm->copy_seq,
	    (uintmax_t)gone, generation_label(newest->dataset, newest->number, generation));
}

bool rollback_look(const struct ledger *l, const struct ledger_medium *lm, const struct store *repo,
    uint64_t lines, uint64_t *ret_turn, struct err *ret_why)
{
	const struct ledger_copy_mark *mark = last_mark(lm, lines);
	const bool exact = mark && mark->seq == lines;
	const struct ledger_generation *newest = NULL;
	uint64_t gone = exact || !lm->n_marks ? 0 : gone_of(l, lm, repo, &newest);
	char serial[SHOW];

	if (!exact && !gone)
		return false;
	*ret_turn = mark ? mark->turn : 0;
	if (exact)
		say_former_day(lm, mark, ret_why);
	else
		say_less(lm, lines, gone, newest, ret_why);
	err_hint(ret_why,
	    text("nothing was changed: look for the other disk with this label (serial number %s) and rotate "
		 "that; "
		 "if there is none, whoever is in charge of the system may take this one as it is with 'bkp "
		 "rotate "
		 "%s --accept-rollback REASON --operator NAME': what is gone is brought again"),
	    path_show(*lm->serial ? lm->serial : text("none"), serial, sizeof(serial)), lm->label);
	return true;
}

uint64_t rollback_turn(const struct ledger_medium *lm, uint64_t lines)
{
	const struct ledger_copy_mark *mark = last_mark(lm, lines);

	return mark && mark->seq == lines ? mark->turn : UINT64_MAX;
}
