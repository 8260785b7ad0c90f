/* ledger_days: see ledger_days.h. */
#include "read/ledger/ledger_days.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/day.h"
#include "base/err.h"
#include "format/journal/journal.h"
#include "read/ledger/ledger.h"

struct walk {
	const struct ledger_days_wish *w;
	struct ledger_days *d;
	int32_t day;	/* of the newest record */
	int64_t *begun; /* of each data set: of the newest generation that is out of reach; 0: none */
};

/* ---- the offline recovery point ---- */

/* Recorded as gone, and it would be seen if it were plugged in (compliance.h: removed). */
static bool is_removed(const struct ledger_medium *m)
{
	return m && m->offline && !m->attached && !m->lost_ns && !m->retired_ns &&
	       (*m->fs_uuid || !strcmp(m->shows, "tape"));
}

static bool is_out_of_reach(const struct ledger *l, const struct ledger_generation *g)
{
	for (size_t i = 0; i < g->n_copies; i++)
		if (is_removed(ledger_medium_by_uuid(l, g->copies[i].medium)) &&
		    ledger_sound_on(l, g, g->copies[i].medium))
			return true;
	return false;
}

static void look_out_of_reach(struct walk *k, const struct ledger *l)
{
	for (size_t s = 0; s < k->w->n_sets; s++) {
		k->begun[s] = 0;
		for (size_t i = ledger_generations(l); i-- && !k->begun[s];) {
			const struct ledger_generation *g = ledger_generation(l, i);

			if (!strcmp(g->dataset, k->w->sets[s]) && ledger_counts(l, g) &&
			    is_out_of_reach(l, g))
				k->begun[s] = g->begun_ns;
		}
	}
}

/* The days before `day` have ended. */
static void end_days(struct walk *k, int32_t day)
{
	for (; k->day < day; k->day++) {
		int32_t worst = 0;

		for (size_t s = 0; s < k->w->n_sets && worst >= 0; s++) {
			const int32_t age = k->begun[s] ? k->day - day_of(k->begun[s]) : -1;

			worst = age < 0 || age > worst ? age : worst;
		}
		if (k->day >= k->d->from && k->day < k->d->until)
			k->d->age[k->day - k->d->from] = worst;
	}
}

/* ---- records ---- */

static uint8_t *cell(uint8_t *all, const struct ledger_days *d, size_t n, int64_t ns, size_t which)
{
	const int32_t day = day_of(ns);

	return day < d->from || day >= d->until ? NULL : &all[(size_t)(day - d->from) * n + which];
}

static void mark_medium(struct walk *k, const struct journal_record *r, const char *uuid, uint8_t bit)
{
	for (size_t i = 0; i < k->w->n_media; i++) {
		uint8_t *at = cell(k->d->media, k->d, k->w->n_media, r->wall_ns, i);

		if (at && !strcmp(k->w->media[i], uuid))
			*at |= bit;
	}
}

/* A captured generation is read back in the record of its medium. */
static int follow_record(void *arg, const struct ledger *l, const struct journal_record *r, struct err *err)
{
	static const struct {
		const char *event;
		uint8_t bit;
		bool moves; /* what is out of reach */
	} known[] = {{"verified", LEDGER_DAY_READ, true}, {"rotated", LEDGER_DAY_ROTATED, true},
	    {"disc-written", LEDGER_DAY_ROTATED, true}, {"verify-failed", LEDGER_DAY_DAMAGED, true},
	    {"medium-lost", LEDGER_DAY_LOST, true}, {"medium-attached", 0, true},
	    {"medium-detached", 0, true}, {"medium-moved", 0, true}, {"medium-found", 0, true},
	    {"medium-retired", 0, true}, {"medium-added", 0, true}, {"media-counted", 0, true},
	    {"expired", 0, true}, {"accepted", 0, true}, {"begin", 0, true}};
	struct walk *k = arg;
	const int32_t day = day_of(r->wall_ns);

	(void)err;
	if (r->seq == 1)
		k->day = day;
	end_days(k, day);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (strcmp(known[i].event, r->event) != 0)
			continue;
		if (known[i].bit)
			mark_medium(k, r, journal_text(r->json, "medium"), known[i].bit);
		if (known[i].moves)
			look_out_of_reach(k, l);
	}
	return 0;
}

/* ---- what the whole of it says ---- */

static uint8_t worth(const struct ledger *l, const struct ledger_generation *g)
{
	bool read = g->state == LEDGER_EXPIRED;

	if (g->state != LEDGER_COMMITTED && g->state != LEDGER_EXPIRED)
		return LEDGER_DAY_FAILED;
	for (size_t i = 0; i < g->n_copies; i++)
		read |= g->copies[i].verified_ns && !g->copies[i].damaged_ns;
	return read && !g->suspect && ledger_good(g) && (g->state == LEDGER_EXPIRED || ledger_counts(l, g))
		   ? LEDGER_DAY_GOOD
		   : LEDGER_DAY_PARTIAL;
}

static void mark_best(uint8_t *at, uint8_t is)
{
	if (at && is > *at)
		*at = is;
}

static uint8_t day_of_drill(const struct ledger_drill *d)
{
	return d->proves						? LEDGER_DAY_GOOD
	       : !strcmp(journal_text(d->record, "verdict"), "partial") ? LEDGER_DAY_PARTIAL
									: LEDGER_DAY_FAILED;
}

static void take_whole(struct walk *k, const struct ledger *l)
{
	struct ledger_days *d = k->d;

	for (size_t i = 0; i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);

		for (size_t s = 0; s < d->n_sets; s++)
			if (!strcmp(g->dataset, k->w->sets[s]))
				mark_best(cell(d->sets, d, d->n_sets, g->begun_ns, s), worth(l, g));
	}
	for (size_t i = 0; i < ledger_drills(l); i++)
		mark_best(
		    cell(d->drills, d, 1, ledger_drill(l, i)->at_ns, 0), day_of_drill(ledger_drill(l, i)));
}

static int make_room(struct ledger_days *d, struct err *err)
{
	const size_t n = (size_t)(d->until - d->from);

	d->sets = calloc(n * d->n_sets + 1, 1);
	d->media = calloc(n * d->n_media + 1, 1);
	d->drills = calloc(n + 1, 1);
	d->age = calloc(n + 1, sizeof(*d->age));
	if (!d->sets || !d->media || !d->drills || !d->age)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++)
		d->age[i] = -1;
	return 0;
}

int ledger_days_new(struct store_file *journal, const char *name, const struct ledger_days_wish *w,
    struct ledger_days **ret, struct err *err)
{
	struct ledger_days *d = calloc(1, sizeof(*d));
	struct walk k = {.w = w, .d = d, .begun = calloc(w->n_sets + 1, sizeof(*k.begun))};
	struct ledger *l = NULL;
	int r = d && k.begun ? 0 : err_nomem(err);

	if (!r) {
		*d = (struct ledger_days){.from = w->from,
		    .until = day_of(w->now_ns) + 1,
		    .n_sets = w->n_sets,
		    .n_media = w->n_media};
		d->until = d->until > d->from ? d->until : d->from + 1;
		r = make_room(d, err);
	}
	if (!r)
		r = ledger_follow_file(journal, name, follow_record, &k, &l, err);
	if (!r) {
		end_days(&k, d->until);
		take_whole(&k, l);
		*ret = d;
	} else {
		ledger_days_free(d);
	}
	ledger_free(l);
	free(k.begun);
	return r;
}

void ledger_days_free(struct ledger_days *d)
{
	if (!d)
		return;
	free(d->sets);
	free(d->media);
	free(d->drills);
	free(d->age);
	free(d);
}
