/* slots: when data sets are due, in zones whose clocks change and zones whose clocks do not, under clocks
 * that were set. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "unit.h"
#include "base/clock.h"
#include "base/err.h"
#include "format/policy/policy.h"
#include "read/rules/slots.h"
#include "scribe.h"

#define NS   1000000000LL
#define HOUR (3600 * NS)
#define DAY  (24 * HOUR)

/* What a test says in short: "day 02:30", "6h 02:00", "week 02:00 sun", "month 02:00 1". */
static struct policy_dataset of(const char *spec)
{
	static const char *const days[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
	struct policy_dataset d = {.name = "emr", .generations = 3, .at = -1, .monthday = 1};
	char every[16] = "", last[16] = "";
	int h = -1, m = -1;

	assert_true(sscanf(spec, "%15s %d:%d %15s", every, &h, &m, last) >= 1);
	d.at = h < 0 ? -1 : h * 60 + m;
	if (!strcmp(every, "hour"))
		d.every = (struct config_every){CONFIG_HOUR, 1, 3600};
	else if (!strcmp(every, "day"))
		d.every = (struct config_every){CONFIG_DAY, 1, 86400};
	else if (!strcmp(every, "week"))
		d.every = (struct config_every){CONFIG_WEEK, 1, 7 * 86400};
	else if (!strcmp(every, "month"))
		d.every = (struct config_every){CONFIG_MONTH, 1, 30 * 86400};
	else if (every[strlen(every) - 1] == 'h')
		d.every = (struct config_every){CONFIG_HOUR, (unsigned)strtoul(every, NULL, 10), 0};
	else
		d.every = (struct config_every){CONFIG_DAY, (unsigned)strtoul(every, NULL, 10), 0};
	for (unsigned i = 0; i < 7; i++)
		if (!strcmp(last, days[i]))
			d.weekday = i;
	if (d.every.unit == CONFIG_MONTH && *last)
		d.monthday = (unsigned)strtoul(last, NULL, 10);
	return d;
}

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static int64_t at(const char *utc)
{
	int64_t ns;

	assert_int_equal(clock_parse(utc, &ns), 0);
	return ns;
}

static const struct policy no_schedule = {.schedule_at = -1};

/* At that moment the slot in force is `before`, the next one `after`; all of them UTC. */
static void slots_are(const char *spec, const char *now, const char *before, const char *after)
{
	struct policy_dataset d = of(spec);
	char a[CLOCK_TEXT], b[CLOCK_TEXT];
	int64_t t = at(now);

	clock_format(slots_before(&no_schedule, &d, t), a);
	clock_format(slots_after(&no_schedule, &d, t), b);
	if (strcmp(a, before) || strcmp(b, after))
		fail_msg("%s at %s in %s: %s, then %s; expected %s, then %s", spec, now, getenv("TZ"), a, b,
		    before, after);
}

static void plain_days(void **state)
{
	(void)state;
	zone("Asia/Tokyo"); /* UTC+9, never changes */
	slots_are("day 02:00", "2026-11-21T00:00:00Z", "2026-11-20T17:00:00Z", "2026-11-21T17:00:00Z");
	slots_are("day 02:00", "2026-11-20T16:59:59Z", "2026-11-19T17:00:00Z", "2026-11-20T17:00:00Z");
	slots_are("day 02:00", "2026-11-20T17:00:00Z", "2026-11-20T17:00:00Z", "2026-11-21T17:00:00Z");
	slots_are("day 02:00", "2026-12-31T20:00:00Z", "2026-12-31T17:00:00Z", "2027-01-01T17:00:00Z");
	slots_are("day 00:00", "2026-11-21T00:00:00Z", "2026-11-20T15:00:00Z", "2026-11-21T15:00:00Z");
	slots_are("day 23:59", "2026-11-21T00:00:00Z", "2026-11-20T14:59:00Z", "2026-11-21T14:59:00Z");
	slots_are("day", "2026-11-21T00:00:00Z", "2026-11-20T15:00:00Z", "2026-11-21T15:00:00Z");
	slots_are("day 02:00", "2040-02-29T20:00:00Z", "2040-02-29T17:00:00Z", "2040-03-01T17:00:00Z");
	slots_are("day 02:00", "2026-02-28T17:00:01Z", "2026-02-28T17:00:00Z", "2026-03-01T17:00:00Z");
}

static void schedule_gives_the_time(void **state)
{
	struct policy p = {.schedule_at = 90};
	struct policy_dataset d = of("day"), own = of("day 03:00");

	(void)state;
	zone("UTC");
	assert_int_equal(slots_time(&p, &d), 90);
	assert_int_equal(slots_time(&p, &own), 180);
	assert_int_equal(slots_time(&no_schedule, &d), 0);
	assert_true(slots_before(&p, &d, at("2026-11-21T02:00:00Z")) == at("2026-11-21T01:30:00Z"));
}

static void hours(void **state)
{
	(void)state;
	zone("Asia/Tokyo");
	slots_are("hour 00:15", "2026-11-21T00:00:00Z", "2026-11-20T23:15:00Z", "2026-11-21T00:15:00Z");
	slots_are("hour 02:15", "2026-11-21T00:15:00Z", "2026-11-21T00:15:00Z", "2026-11-21T01:15:00Z");
	slots_are("6h 02:00", "2026-11-21T00:00:00Z", "2026-11-20T23:00:00Z", "2026-11-21T05:00:00Z");
	slots_are("6h 02:00", "2026-11-20T15:30:00Z", "2026-11-20T11:00:00Z", "2026-11-20T17:00:00Z");
	slots_are("12h 22:30", "2026-11-21T00:00:00Z", "2026-11-20T13:30:00Z", "2026-11-21T01:30:00Z");
	slots_are("24h 02:00", "2026-11-21T00:00:00Z", "2026-11-20T17:00:00Z", "2026-11-21T17:00:00Z");
	slots_are("48h 02:00", "2026-11-21T00:00:00Z", "2026-11-19T17:00:00Z", "2026-11-21T17:00:00Z");
	/* 5 h: from 2000-01-01 00:00 there, 1999-12-31T15:00Z; 2026-11-20T23:00Z is 235712 h later: 5 × 47142
	 * + 2 */
	slots_are("5h 00:00", "2026-11-20T23:00:00Z", "2026-11-20T21:00:00Z", "2026-11-21T02:00:00Z");
	slots_are("5h 00:00", "2026-11-21T02:00:00Z", "2026-11-21T02:00:00Z", "2026-11-21T07:00:00Z");
}

static void days_weeks_months(void **state)
{
	(void)state;
	zone("UTC");
	/* 2026-11-21 is a Saturday, and day 9821 from 2000-01-01 (= 2 × 4910 + 1 = 7 × 1403) */
	slots_are("2d 02:00", "2026-11-21T12:00:00Z", "2026-11-20T02:00:00Z", "2026-11-22T02:00:00Z");
	slots_are("7d 02:00", "2026-11-21T12:00:00Z", "2026-11-21T02:00:00Z", "2026-11-28T02:00:00Z");
	slots_are("366d 02:00", "2026-11-21T12:00:00Z", "2026-01-20T02:00:00Z", "2027-01-21T02:00:00Z");
	slots_are("week 02:00 sun", "2026-11-21T12:00:00Z", "2026-11-15T02:00:00Z", "2026-11-22T02:00:00Z");
	slots_are("week 02:00 sat", "2026-11-21T12:00:00Z", "2026-11-21T02:00:00Z", "2026-11-28T02:00:00Z");
	slots_are("week 02:00 sat", "2026-11-21T01:59:59Z", "2026-11-14T02:00:00Z", "2026-11-21T02:00:00Z");
	slots_are("week 02:00 wed", "2026-12-31T12:00:00Z", "2026-12-30T02:00:00Z", "2027-01-06T02:00:00Z");
	slots_are("month 02:00 1", "2026-11-21T12:00:00Z", "2026-11-01T02:00:00Z", "2026-12-01T02:00:00Z");
	slots_are("month 02:00 28", "2026-11-21T12:00:00Z", "2026-10-28T02:00:00Z", "2026-11-28T02:00:00Z");
	slots_are("month 02:00 28", "2028-02-29T12:00:00Z", "2028-02-28T02:00:00Z", "2028-03-28T02:00:00Z");
	slots_are("month 02:00 1", "2040-02-29T23:59:59Z", "2040-02-01T02:00:00Z", "2040-03-01T02:00:00Z");
	/* before the origin, and before 1970 */
	slots_are("2d 02:00", "1969-12-31T12:00:00Z", "1969-12-31T02:00:00Z", "1970-01-02T02:00:00Z");
	slots_are("week 02:00 thu", "1969-12-31T12:00:00Z", "1969-12-25T02:00:00Z", "1970-01-01T02:00:00Z");
}

/* Berlin 2026: 03-29 02:00 → 03:00 (01:00Z), 10-25 03:00 → 02:00 (01:00Z). */
static void berlin(void **state)
{
	(void)state;
	zone("Europe/Berlin");
	/* skipped: once, when the clocks have changed */
	slots_are("day 02:30", "2026-03-29T00:59:59Z", "2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z");
	slots_are("day 02:30", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z");
	slots_are("day 02:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z");
	slots_are("day 03:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z");
	slots_are("day 01:59", "2026-03-29T01:00:00Z", "2026-03-29T00:59:00Z", "2026-03-29T23:59:00Z");
	/* twice: the first time */
	slots_are("day 02:30", "2026-10-25T00:29:59Z", "2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z");
	slots_are("day 02:30", "2026-10-25T01:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z");
	slots_are("day 03:00", "2026-10-25T01:30:00Z", "2026-10-24T01:00:00Z", "2026-10-25T02:00:00Z");
	/* weekly, on the Sunday that clocks change */
	slots_are("week 02:30 sun", "2026-03-29T06:00:00Z", "2026-03-29T01:00:00Z", "2026-04-05T00:30:00Z");
	/* hourly: every hour that passes, none twice */
	slots_are("hour 00:00", "2026-03-29T00:30:00Z", "2026-03-29T00:00:00Z", "2026-03-29T01:00:00Z");
	slots_are("hour 00:00", "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z");
	slots_are("hour 00:30", "2026-03-29T00:40:00Z", "2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z");
	slots_are("hour 00:00", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z");
	slots_are("hour 00:00", "2026-10-25T01:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T02:00:00Z");
	/* every 6 h by the wall: 02:30 twice is once */
	slots_are("6h 02:30", "2026-10-25T01:45:00Z", "2026-10-25T00:30:00Z", "2026-10-25T07:30:00Z");
}

/* New York 2026: 03-08 02:00 → 03:00 (07:00Z), 11-01 02:00 → 01:00 (06:00Z). */
static void new_york(void **state)
{
	(void)state;
	zone("America/New_York");
	slots_are("day 02:15", "2026-03-08T06:59:59Z", "2026-03-07T07:15:00Z", "2026-03-08T07:00:00Z");
	slots_are("day 02:15", "2026-03-08T12:00:00Z", "2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z");
	slots_are("day 01:30", "2026-11-01T06:30:00Z", "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z");
	slots_are("month 01:30 1", "2026-11-01T06:45:00Z", "2026-11-01T05:30:00Z", "2026-12-01T06:30:00Z");
	slots_are("day 02:15", "2040-03-11T08:00:00Z", "2040-03-11T07:00:00Z", "2040-03-12T06:15:00Z");
	slots_are("day 23:30", "2026-03-08T12:00:00Z", "2026-03-08T04:30:00Z", "2026-03-09T03:30:00Z");
}

static void odd_zones(void **state)
{
	(void)state;
	zone("Australia/Lord_Howe"); /* by half an hour: 2026-10-04 02:00 → 02:30 (2026-10-03T15:30Z) */
	slots_are("day 02:15", "2026-10-03T20:00:00Z", "2026-10-03T15:30:00Z", "2026-10-04T15:15:00Z");
	zone("Pacific/Apia"); /* 2011-12-30 was left out */
	slots_are("day 02:00", "2011-12-30T09:59:59Z", "2011-12-29T12:00:00Z", "2011-12-30T10:00:00Z");
	slots_are("day 02:00", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z", "2011-12-30T12:00:00Z");
	zone("America/Sao_Paulo"); /* at midnight: 2018-11-04 00:00 → 01:00 (03:00Z) */
	slots_are("day 00:00", "2018-11-04T12:00:00Z", "2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z");
	zone("Asia/Kathmandu");
	slots_are("day 02:00", "2026-11-21T00:00:00Z", "2026-11-20T20:15:00Z", "2026-11-21T20:15:00Z");
}

/* Two years in steps of 10 minutes: slots only ever go on, and before/after fit together. */
static void order(void **state)
{
	static const char *const zones[] = {
	    "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Australia/Lord_Howe"};
	static const char *const specs[] = {
	    "hour 00:30", "6h 02:30", "day 02:30", "2d 02:30", "week 02:30 sun", "month 02:30 1"};
	char a[CLOCK_TEXT];

	(void)state;
	for (size_t z = 0; z < 4; z++) {
		zone(zones[z]);
		for (size_t s = 0; s < 6; s++) {
			struct policy_dataset d = of(specs[s]);
			int64_t t = at("2026-01-01T00:00:00Z"), end = t + (s ? 730 : 120) * DAY,
				next = slots_after(&no_schedule, &d, t);

			for (; t < end; t += s ? 1800 * NS : 600 * NS) {
				int64_t b = slots_before(&no_schedule, &d, t),
					n = slots_after(&no_schedule, &d, t);

				if (b > t || n <= t || n < next || (n > next && b != next) ||
				    slots_before(&no_schedule, &d, n) != n)
					fail_msg("%s, %s at %s", zones[z], specs[s], clock_format(t, a));
				if (n - b > 32 * DAY)
					fail_msg("%s, %s at %s: %d days", zones[z], specs[s],
					    clock_format(t, a), (int)((n - b) / DAY));
				next = n;
			}
		}
	}
}

/* ---- due ---- */

struct world {
	struct scribe s;
	struct policy_dataset d;
	int n;
};

static void world(struct world *w, const char *spec)
{
	memset(w, 0, sizeof(*w));
	zone("UTC");
	ready(&w->s);
	w->d = of(spec);
}

static void record(struct world *w, const char *event, json_t *members)
{
	struct err err = ERR_INIT;

	if (put(&w->s, event, members, &err))
		fail_msg("%s: %s", event, err.msg);
}

/* A run: the data set's verdict, "none" (another data set was captured), "failed" (no generation), "running". */
static void run(struct world *w, const char *when, const char *verdict)
{
	const char *name = !strcmp(verdict, "none") ? "documents" : "emr";

	w->s.at_ns = at(when);
	record(w, "begin", begin_of(name, ++w->n));
	if (!strcmp(verdict, "running"))
		return;
	if (!strcmp(verdict, "failed"))
		record(w, "failed", failed(name, w->n, "disk full"));
	else
		record(w, "committed",
		    committed_to(name, w->n, strcmp(verdict, "none") ? verdict : "good",
			json_pack("[o]", copy_to(NAS, "nas"))));
}

/* At that time: is it due, why, which generation holds it. */
static void expect(struct world *w, const char *now, enum slots_why why, uint64_t generation)
{
	struct slots s;

	slots_look(&no_schedule, &w->d, w->s.ledger, at(now), &s);
	if (s.why != why || s.due != (why != SLOTS_SERVED) || s.generation != generation)
		fail_msg("at %s: %s, generation %d; expected %s, %d", now, slots_why_word(s.why),
		    (int)s.generation, slots_why_word(why), (int)generation);
}

static void due_once_a_slot(void **state)
{
	struct world w;
	struct slots s;

	(void)state;
	world(&w, "day 02:00");
	slots_look(&no_schedule, &w.d, NULL, at("2026-11-21T01:00:00Z"), &s);
	assert_true(s.due && s.why == SLOTS_NEVER && s.slot_ns == at("2026-11-20T02:00:00Z") &&
		    s.next_ns == at("2026-11-21T02:00:00Z"));
	expect(&w, "2026-11-21T01:00:00Z", SLOTS_NEVER, 0);
	run(&w, "2026-11-21T02:00:01Z", "good");
	expect(&w, "2026-11-21T02:00:02Z", SLOTS_SERVED, 1);
	expect(&w, "2026-11-22T01:59:59Z", SLOTS_SERVED, 1);
	expect(&w, "2026-11-22T02:00:00Z", SLOTS_MISSED, 1);
	run(&w, "2026-11-22T02:00:00Z", "partial"); /* begun at the very moment; partial is captured */
	expect(&w, "2026-11-22T02:00:00Z", SLOTS_SERVED, 2);
	/* by hand in the afternoon: the next run is still due */
	run(&w, "2026-11-22T15:00:00Z", "good");
	expect(&w, "2026-11-23T01:00:00Z", SLOTS_SERVED, 3);
	expect(&w, "2026-11-23T02:00:00Z", SLOTS_MISSED, 3);
	end(&w.s);
}

static void catches_up_once(void **state)
{
	struct world w;

	(void)state;
	world(&w, "day 02:00");
	run(&w, "2026-11-21T02:00:01Z", "good");
	expect(&w, "2026-11-25T08:00:00Z", SLOTS_MISSED, 1); /* four runs off */
	run(&w, "2026-11-25T08:00:00Z", "good");
	expect(&w, "2026-11-25T08:30:00Z", SLOTS_SERVED, 2);
	expect(&w, "2026-11-26T02:00:00Z", SLOTS_MISSED, 2);
	end(&w.s);
}

static void failed_is_tried_again(void **state)
{
	struct world w;

	(void)state;
	world(&w, "day 02:00");
	run(&w, "2026-11-21T02:00:01Z", "failed");
	expect(&w, "2026-11-21T03:00:00Z", SLOTS_FAILED, 0);
	run(&w, "2026-11-21T04:00:01Z", "failed");
	expect(&w, "2026-11-21T05:00:00Z", SLOTS_FAILED, 0);
	run(&w, "2026-11-21T06:00:01Z", "none"); /* another data set */
	expect(&w, "2026-11-21T07:00:00Z", SLOTS_FAILED, 0);
	expect(&w, "2026-11-22T03:00:00Z", SLOTS_NEVER, 0);
	run(&w, "2026-11-22T06:00:01Z", "good");
	run(&w, "2026-11-22T07:00:01Z", "failed"); /* later, by hand: the slot was served */
	expect(&w, "2026-11-22T08:00:00Z", SLOTS_SERVED, 4);
	run(&w, "2026-11-23T02:00:01Z", "running");
	expect(&w, "2026-11-23T02:30:00Z", SLOTS_MISSED, 4);
	run(&w, "2026-11-23T03:00:01Z", "good"); /* the one before was abandoned */
	expect(&w, "2026-11-23T03:30:00Z", SLOTS_SERVED, 7);
	end(&w.s);
}

static void clock_goes_back(void **state)
{
	struct world w;

	(void)state;
	world(&w, "day 02:00");
	run(&w, "2026-11-20T02:00:01Z", "good");
	run(&w, "2026-11-21T02:00:05Z", "good");
	/* set back by three hours: no second capture of either slot */
	expect(&w, "2026-11-20T23:00:00Z", SLOTS_SERVED, 1);
	run(&w, "2026-11-20T23:30:00Z", "none"); /* others are captured meanwhile */
	expect(&w, "2026-11-21T02:00:00Z", SLOTS_SERVED, 2);
	expect(&w, "2026-11-21T02:00:10Z", SLOTS_SERVED, 2);
	expect(&w, "2026-11-22T02:00:00Z", SLOTS_MISSED, 2);
	/* by a second, within the slot */
	expect(&w, "2026-11-21T02:00:04Z", SLOTS_SERVED, 2);
	end(&w.s);
}

static void clock_was_ahead(void **state)
{
	struct world w;

	(void)state;
	world(&w, "day 02:00");
	run(&w, "2026-11-20T02:00:01Z", "good");
	run(&w, "2040-01-01T02:00:01Z", "good"); /* the battery was empty */
	expect(&w, "2026-11-20T03:00:00Z", SLOTS_SERVED, 1);
	expect(&w, "2026-11-21T02:00:00Z", SLOTS_MISSED, 1);
	run(&w, "2026-11-21T02:00:01Z", "good");
	expect(&w, "2026-11-21T02:30:00Z", SLOTS_SERVED, 3);
	expect(&w, "2040-01-01T02:00:30Z", SLOTS_MISSED, 3); /* it is not of that run */
	/* ahead by three days, put right: those three runs are captured all the same */
	run(&w, "2026-11-24T02:00:01Z", "good");
	expect(&w, "2026-11-22T02:00:00Z", SLOTS_MISSED, 3);
	run(&w, "2026-11-22T02:00:01Z", "good");
	run(&w, "2026-11-23T02:00:01Z", "good");
	expect(&w, "2026-11-24T02:00:00Z", SLOTS_MISSED, 6);
	run(&w, "2026-11-24T02:00:01Z", "good");
	expect(&w, "2026-11-24T02:00:02Z", SLOTS_SERVED, 7);
	end(&w.s);
}

static void clock_in_the_past(void **state)
{
	struct world w;

	(void)state;
	world(&w, "day 02:00");
	run(&w, "2026-11-20T02:00:01Z", "good");
	expect(&w, "2015-01-01T00:00:30Z", SLOTS_NEVER, 0); /* better a second capture than none */
	run(&w, "2015-01-01T00:00:30Z", "good");
	expect(&w, "2015-01-01T00:05:00Z", SLOTS_SERVED, 2);
	expect(&w, "2026-11-20T05:00:00Z", SLOTS_MISSED, 2);
	end(&w.s);
}

static void doubled_hour_is_not_captured_twice(void **state)
{
	struct world w;

	(void)state;
	world(&w, "day 02:30");
	zone("Europe/Berlin");
	run(&w, "2026-10-25T00:30:01Z", "good"); /* 02:30 summer time */
	expect(&w, "2026-10-25T01:30:00Z", SLOTS_SERVED, 1);
	expect(&w, "2026-10-25T01:59:00Z", SLOTS_SERVED, 1);
	expect(&w, "2026-10-26T01:30:00Z", SLOTS_MISSED, 1);
	end(&w.s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_days),
	    cmocka_unit_test(schedule_gives_the_time),
	    cmocka_unit_test(hours),
	    cmocka_unit_test(days_weeks_months),
	    cmocka_unit_test(berlin),
	    cmocka_unit_test(new_york),
	    cmocka_unit_test(odd_zones),
	    cmocka_unit_test(order),
	    cmocka_unit_test(due_once_a_slot),
	    cmocka_unit_test(catches_up_once),
	    cmocka_unit_test(failed_is_tried_again),
	    cmocka_unit_test(clock_goes_back),
	    cmocka_unit_test(clock_was_ahead),
	    cmocka_unit_test(clock_in_the_past),
	    cmocka_unit_test(doubled_hour_is_not_captured_twice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
