/* room_show: see room_show.h. */
#include "cmd/time/room_show.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/app/out.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/rules/room.h"
#include "read/rules/turns.h"

#define MONTH_AT 7 /* of "2027-02-11 …": behind the month, the day */
#define DAY_AT	 10
#define NEAR_NS	 (92 * 86400 * SECOND_NS) /* what is nearer is said by its day */

/* As exactly as it is known: by the day where that is near, or where the month alone would be no range. */
static void dates_of(const struct room *r, char from[CLOCK_TEXT], char to[CLOCK_TEXT])
{
	const bool near = (r->to_ns ? r->to_ns : r->from_ns) - r->free_ns < NEAR_NS;

	clock_format_local(r->from_ns, from);
	clock_format_local(r->to_ns, to);
	from[near || !strncmp(from, to, MONTH_AT) ? DAY_AT : MONTH_AT] = '\0';
	to[strlen(from)] = '\0';
}

char *room_words(const struct room *r, char out[ROOM_TEXT])
{
	char from[CLOCK_TEXT], to[CLOCK_TEXT];

	switch (r->state) {
	case ROOM_UNSEEN:
		snprintf(
		    out, ROOM_TEXT, "%s", text("not known: no run has recorded yet how much is free on it"));
		break;
	case ROOM_FEW:
		snprintf(out, ROOM_TEXT, text("not known: %u nights, %u are needed"), r->nights, ROOM_LEAST);
		break;
	case ROOM_STEADY:
		snprintf(out, ROOM_TEXT, "%s",
		    text("not in sight: as much goes as comes, or there is room for 20 years"));
		break;
	case ROOM_FILLING:
		dates_of(r, from, to);
		if (r->to_ns)
			snprintf(out, ROOM_TEXT, text("between %s and %s"), from, to);
		else
			snprintf(out, ROOM_TEXT, text("not before %s"), from);
		break;
	}
	width_whole(out);
	return out;
}

json_t *room_json(const struct room *r)
{
	return json_pack("{s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:o, s:o}", "state", room_word(r->state),
	    "free", r->free_ns ? json_integer((json_int_t)r->free) : json_null(), "seen",
	    out_time_json(r->free_ns), "nights", (json_int_t)r->nights, "median", (json_int_t)r->median,
	    "largest", (json_int_t)r->largest, "freed", (json_int_t)r->freed, "full_from",
	    out_time_json(r->from_ns), "full_to", out_time_json(r->to_ns));
}

/* Is what is known of a worse news than what is known of b?  Full sooner, else not known, else not in sight. */
static bool is_worse(const struct room *a, const struct room *b)
{
	if (a->state == ROOM_FILLING && b->state == ROOM_FILLING)
		return a->from_ns < b->from_ns;
	return b->state != ROOM_FILLING && (a->state == ROOM_FILLING || a->state < b->state);
}

const struct compliance_medium *room_of_pool(const struct compliance *s, const struct turns *pool)
{
	const struct compliance_medium *worst = NULL;

	for (size_t i = 0; i < s->n_media; i++) {
		const struct compliance_medium *m = &s->media[i];

		if (m->ledger && m->turns == pool && (!worst || is_worse(&m->room, &worst->room)))
			worst = m;
	}
	return worst;
}

static bool is_near(const struct compliance *s, const struct compliance_medium *m)
{
	return m->room.state == ROOM_FILLING && m->room.from_ns - s->now_ns <= ROOM_DAYS * 86400 * SECOND_NS;
}

static void show_pools(const struct compliance *s, bool all)
{
	char words[ROOM_TEXT];

	for (size_t i = 0; i < s->n_pools; i++) {
		const struct compliance_medium *m = room_of_pool(s, &s->pools[i]);

		if (m && (all || is_near(s, m)))
			out_wrapped(stdout, 0, 4, text("  turns of '%s', its first to be full is %s: %s"),
			    s->pools[i].pool->name, m->policy->name, room_words(&m->room, words));
	}
}

void room_show(const struct compliance *s, bool all)
{
	char words[ROOM_TEXT];
	bool said = false;

	for (size_t i = 0; i < s->n_media; i++) {
		const struct compliance_medium *m = &s->media[i];

		if (!m->ledger || !m->policy || (!all && !is_near(s, m)))
			continue;
		if (!said)
			printf("\n%s\n", text("When media will be full, as the nights went so far"));
		said = true;
		out_wrapped(stdout, 0, 4, "  %s: %s", m->policy->name, room_words(&m->room, words));
	}
	show_pools(s, all);
}
