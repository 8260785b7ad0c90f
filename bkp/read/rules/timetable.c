/* timetable: see timetable.h.
 *
 * All slots are marked in a table of the 1440 minutes of a day (note_slots); lines are read off it, and
 * minutes that are alike but for the hour share one (add_line).  Intervals that have no fixed times of day
 * are looked at every hour.
 */
#include "read/rules/timetable.h"

#include <stdlib.h>

#include "format/policy/policy.h"
#include "read/rules/slots.h"

#define DAY	 1440u /* minutes */
#define LATER	 240u  /* minutes from the last slot to the line for catching up */
#define ALL_WEEK 0x7fu
#define OFTEN	 4 /* times a day: nothing waits long */

/* For each minute of the day: is something due then, every day, or on which weekdays or days of the month. */
struct minutes {
	bool daily[DAY];
	uint32_t weekdays[DAY], monthdays[DAY];
};

static void note_slots(struct minutes *m, const struct policy *p, const struct policy_dataset *d)
{
	unsigned at = (unsigned)slots_time(p, d), n = d->every.n;
	unsigned step = d->every.unit != CONFIG_HOUR || n % 24 == 0 ? DAY : 24 % n == 0 ? n * 60 : 60;

	if (d->every.unit == CONFIG_WEEK)
		m->weekdays[at] |= 1u << d->weekday;
	else if (d->every.unit == CONFIG_MONTH)
		m->monthdays[at] |= 1u << d->monthday;
	else
		for (unsigned t = 0; t < DAY; t += step)
			m->daily[(at + t) % DAY] = true;
}

/* The same minute of several hours is one line. */
static void add_line(struct timetable *t, unsigned at, uint32_t weekdays, uint32_t monthdays)
{
	struct timetable_line want = {at % 60, 1u << at / 60, weekdays, monthdays, false};

	for (size_t i = 0; i < t->n; i++) {
		struct timetable_line *l = &t->line[i];

		if (l->minute == want.minute && l->weekdays == weekdays && l->monthdays == monthdays) {
			l->hours |= want.hours;
			return;
		}
	}
	t->line[t->n++] = want;
}

static void add_catch_up(struct timetable *t, const struct minutes *m)
{
	unsigned last = 0, times = 0, at;

	for (unsigned i = 0; i < DAY; i++) {
		times += m->daily[i];
		if (m->daily[i] || m->weekdays[i] || m->monthdays[i])
			last = i;
	}
	at = (last + LATER) % DAY;
	if (times >= OFTEN || m->daily[at])
		return;
	t->line[t->n++] = (struct timetable_line){at % 60, 1u << at / 60, 0, 0, true};
}

struct timetable *timetable_new(const struct policy *policy)
{
	struct minutes *m = calloc(1, sizeof(*m));
	struct timetable *t = calloc(1, sizeof(*t));

	if (t)
		t->line = calloc(2 * (size_t)DAY + 1, sizeof(*t->line));
	if (!m || !t || !t->line) {
		free(m);
		timetable_free(t);
		return NULL;
	}
	for (size_t i = 0; i < policy->n_datasets; i++)
		note_slots(m, policy, &policy->datasets[i]);
	for (unsigned i = 0; i < DAY; i++)
		m->daily[i] |= m->weekdays[i] == ALL_WEEK;
	for (unsigned i = 0; i < DAY; i++)
		if (m->daily[i])
			add_line(t, i, 0, 0);
	for (unsigned i = 0; i < DAY; i++)
		if (!m->daily[i] && m->weekdays[i])
			add_line(t, i, m->weekdays[i], 0);
	for (unsigned i = 0; i < DAY; i++)
		if (!m->daily[i] && m->monthdays[i])
			add_line(t, i, 0, m->monthdays[i]);
	add_catch_up(t, m);
	free(m);
	return t;
}

void timetable_free(struct timetable *t)
{
	if (t)
		free(t->line);
	free(t);
}
