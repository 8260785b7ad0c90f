/* ledger_announce: changes that people announced to the guard: announced, announcement-ended; see ledger.h and docs/format-writer.md,
 * section 9.
 *
 * One that is over stays over: a record of a later time ends it, and a clock that is set back does not bring it back.  While the clock
 * has jumped and nobody has attested it, none is in force: nothing says which day it is.
 */
#include "read/ledger/ledger_private.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/guard/announce.h"
#include "format/journal/journal.h"

/* ---- judging ---- */

static uint32_t expects_of(const json_t *words)
{
	uint32_t all = 0;

	for (size_t i = 0; i < json_array_size(words); i++) {
		const char *word = json_string_value(json_array_get(words, i));
		uint32_t one = announce_word(word, (unsigned)strlen(word));

		if (!one)
			return 0;
		all |= one;
	}
	return all;
}

/* Short, and shown as it is. */
static bool is_printable(const char *s)
{
	char show[4 * ANNOUNCE_TEXT];

	return strlen(s) < ANNOUNCE_TEXT && !strcmp(path_show(s, show, sizeof(show)), s);
}

int ledger_check_announced(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	int64_t from, until;

	if (member_num(o, "number") != l->n_announcements + 1)
		return ledger_contradiction(line, event, text("it is not the next announcement"), err);
	if (!is_printable(member_str(o, "text")))
		return ledger_wrong_member(line, event, "text", err);
	if (!is_printable(member_str(o, "operator")))
		return ledger_wrong_member(line, event, "operator", err);
	if (clock_parse(member_str(o, "from"), &from))
		return ledger_wrong_member(line, event, "from", err);
	if (clock_parse(member_str(o, "until"), &until) || until <= from ||
	    until / SECOND_NS - from / SECOND_NS > ANNOUNCE_SECONDS)
		return ledger_wrong_member(line, event, "until", err);
	if (!expects_of(json_object_get(o, "expects")))
		return ledger_wrong_member(line, event, "expects", err);
	return ledger_check_names(json_object_get(o, "datasets"), line, event, err);
}

int ledger_check_announcement_ended(
    const struct ledger *l, const json_t *o, uint64_t line, const char *event, struct err *err)
{
	uint64_t number = member_num(o, "number");

	if (!number || number > l->n_announcements || l->announcements[number - 1].ended_ns)
		return ledger_contradiction(
		    line, event, text("there is no such announcement, or it was ended before"), err);
	return 0;
}

/* ---- folding ---- */

static int apply_announced(struct ledger *l, const struct journal_record *r, struct err *err)
{
	struct ledger_announcement *a =
	    reallocarray(l->announcements, l->n_announcements + 1, sizeof(*l->announcements));

	if (!a)
		return err_nomem(err);
	l->announcements = a;
	a += l->n_announcements;
	memset(a, 0, sizeof(*a));
	a->record = json_incref(r->json);
	a->number = ++l->n_announcements;
	a->text = member_str(r->json, "text");
	a->person = member_str(r->json, "operator");
	a->datasets = json_object_get(r->json, "datasets");
	a->expects = expects_of(json_object_get(r->json, "expects"));
	a->announced_ns = r->wall_ns;
	(void)clock_parse(member_str(r->json, "from"), &a->from_ns);
	(void)clock_parse(member_str(r->json, "until"), &a->until_ns);
	a->over = a->until_ns <= r->wall_ns;
	return 0;
}

int ledger_fold_announcements(struct ledger *l, const struct journal_record *r, struct err *err)
{
	for (size_t i = 0; i < l->n_announcements; i++)
		l->announcements[i].over |= l->announcements[i].until_ns <= r->wall_ns;
	if (!strcmp(r->event, "announced"))
		return apply_announced(l, r, err);
	if (!strcmp(r->event, "announcement-ended")) {
		struct ledger_announcement *a = &l->announcements[member_num(r->json, "number") - 1];

		a->ended_ns = r->wall_ns;
		return ledger_replace_text(&a->ended_by, member_str(r->json, "operator"), err);
	}
	return 0;
}

void ledger_announcements_clear(struct ledger *l)
{
	for (size_t i = 0; i < l->n_announcements; i++) {
		json_decref((json_t *)l->announcements[i].record);
		free((char *)l->announcements[i].ended_by);
	}
	free(l->announcements);
}

/* ---- asking ---- */

size_t ledger_announcements(const struct ledger *l)
{
	return l->n_announcements;
}

const struct ledger_announcement *ledger_announcement(const struct ledger *l, size_t i)
{
	return &l->announcements[i];
}

bool ledger_announced(
    const struct ledger *l, const struct ledger_announcement *a, const char *dataset, int64_t now_ns)
{
	if (a->ended_ns || a->over || l->latch.found_ns || now_ns < a->from_ns || now_ns >= a->until_ns)
		return false;
	for (size_t i = 0; dataset && i < json_array_size(a->datasets); i++)
		if (!strcmp(json_string_value(json_array_get(a->datasets, i)), dataset))
			return true;
	return !dataset;
}
