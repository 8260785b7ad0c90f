/* room: the dates between which a medium is full hold the day on which it really is; and what is not known. */
#include <stdlib.h>
#include <time.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "base/clock.h"
#include "base/err.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/room.h"
#include "scribe.h"

#define DAY	 (86400 * SECOND_NS)
#define CAPACITY 100000000

static struct scribe s;

static void must(int64_t at, const char *event, json_t *members)
{
	struct err err = ERR_INIT;

	s.at_ns = at;
	if (put(&s, event, members, &err))
		fail_msg("%s: %s", event, err.msg);
}

static void site(void)
{
	start(&s);
	must(T0, "init", init_members(&s));
	must(T0, "medium-added", medium(NAS, "nas", 0));
}

static void night(int n, int64_t at, int64_t bytes, int64_t free)
{
	json_t *o = committed_to("emr", n, "good", json_pack("[o]", copy_to(NAS, "nas")));
	json_t *v = json_pack("{s:s, s:[{s:s, s:i, s:i, s:i}]}", "medium", NAS, "generations", "dataset",
	    "emr", "generation", n, "files", 1, "bytes", 1);

	json_object_set_new(o, "new_bytes", json_integer(bytes));
	if (free >= 0)
		json_object_set_new(v, "free", json_integer(free));
	must(at, "begin", begin_of("emr", n));
	must(at, "committed", o);
	must(at, "verified", v);
}

static struct room looked(void)
{
	struct room r;

	room_look(s.ledger, NULL, ledger_medium_by_label(s.ledger, "nas"), &r);
	return r;
}

/* Growth of many kinds: steady, ten times as much on Sundays, random, with nights left out.  A first capture of half the disk
 * is no growth.  The disk is then filled on in the same way: the day on which it is full must lie between the dates. */
static void the_day_lies_between_the_dates(void **state)
{
	(void)state;
	for (int kind = 0; kind < 4; kind++) {
		int64_t free = CAPACITY, full = 0;
		struct room r = {0};
		unsigned random = 7;
		int n = 1;

		site();
		night(n++, T0, CAPACITY / 2, free -= CAPACITY / 2);
		for (int day = 1; !full; day++) {
			int64_t bytes = 100000;

			random = random * 1103515245u + 12345u;
			if (kind == 1 && day % 7 == 0)
				bytes *= 10;
			if (kind == 2)
				bytes = (int64_t)(random >> 8) % 200000;
			if (kind == 3 && day % 7 >= 5)
				continue;
			free -= bytes;
			if (day <= 60)
				night(n++, T0 + day * DAY, bytes, free);
			if (day == 60 || (kind == 3 && day == 60 - 60 % 7 + 4))
				r = looked();
			if (free <= 0)
				full = T0 + day * DAY;
		}
		assert_int_equal(r.state, ROOM_FILLING);
		if (full < r.from_ns || full > r.to_ns)
			fail_msg("kind %d: full after %d days, said were %d to %d", kind,
			    (int)((full - T0) / DAY), (int)((r.from_ns - T0) / DAY),
			    (int)((r.to_ns - T0) / DAY));
		assert_true(r.to_ns > r.from_ns);
		end(&s);
	}
}

static void what_is_not_known_is_said(void **state)
{
	(void)state;
	site();
	assert_int_equal(looked().state, ROOM_UNSEEN);
	for (int n = 1; n <= 7; n++)
		night(n, T0 + n * DAY, 100, n > 1 ? 1000000 : -1);
	/* the first capture is none of seven nights */
	assert_int_equal(looked().state, ROOM_FEW);
	assert_int_equal(looked().nights, 6);
	/* two of a day are one night */
	night(8, T0 + 7 * DAY + 3600 * SECOND_NS, 100, 1000000);
	assert_int_equal(looked().nights, 6);
	night(9, T0 + 8 * DAY, 100, 1000000);
	assert_int_equal(looked().state, ROOM_FILLING);
	assert_int_equal(looked().largest, 200);
	assert_int_equal(looked().median, 100);
	end(&s);
}

static void what_expires_makes_room(void **state)
{
	(void)state;
	site();
	for (int n = 1; n <= 40; n++)
		night(n, T0 + n * DAY, 1000, 1000000);
	assert_int_equal(looked().state, ROOM_FILLING);
	for (int n = 1; n <= 20; n++)
		must(T0 + 40 * DAY, "expired",
		    json_pack("{s:s, s:i, s:s, s:i, s:i, s:s, s:s, s:s, s:s}", "dataset", "emr", "generation",
			n, "medium", NAS, "files", 1, "bytes", 2000, "why", "covered", "plan", HASH,
			"approver", "", "operator", "a"));
	assert_int_equal(looked().freed, 40000);
	assert_int_equal(looked().state, ROOM_STEADY);
	assert_true(!looked().from_ns && !looked().to_ns);
	end(&s);
}

/* Nothing new each night, and more room than there will ever be bytes. */
static void extremes_give_no_date(void **state)
{
	(void)state;
	site();
	for (int n = 1; n <= 9; n++)
		night(n, T0 + n * DAY, 0, 0);
	assert_int_equal(looked().state, ROOM_STEADY);
	for (int n = 10; n <= 18; n++)
		night(n, T0 + n * DAY, 1, INT64_MAX);
	assert_int_equal(looked().state, ROOM_STEADY);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_day_lies_between_the_dates),
	    cmocka_unit_test(what_is_not_known_is_said),
	    cmocka_unit_test(what_expires_makes_room),
	    cmocka_unit_test(extremes_give_no_date),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
