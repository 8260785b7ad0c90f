/* exposure: minutes that a medium was attached, at least and at most, and what is not known. */
#include <stdlib.h>
#include <time.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "base/clock.h"
#include "base/err.h"
#include "read/ledger/ledger.h"
#include "read/rules/exposure.h"
#include "scribe.h"

#define MINUTE (60 * SECOND_NS)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

static struct scribe s;

static void must(int64_t at, const char *event, json_t *members)
{
	struct err err = ERR_INIT;

	s.at_ns = at;
	if (put(&s, event, members, &err))
		fail_msg("%s: %s", event, err.msg);
}

static json_t *of_disk(void)
{
	return json_pack("{s:s, s:s}", "medium", RDX, "path", "/mnt/rdx");
}

/* A run that looked at that time and began ten minutes later. */
static void look(int n, int64_t at, bool here)
{
	char looked[CLOCK_TEXT];
	json_t *o = begin_of("emr", n);

	clock_format(at, looked);
	json_object_set_new(o, "looked", json_string(looked));
	json_object_set_new(o, here ? "here" : "away", json_pack("[s]", RDX));
	must(at + 10 * MINUTE, "begin", o);
}

static void site(void)
{
	start(&s);
	must(T0, "init", init_members(&s));
	must(T0, "medium-added", medium(RDX, "RDX-01", 1));
	must(T0 + 5 * MINUTE, "medium-detached", of_disk());
}

static void is_within(const struct ledger_stay *stay, int64_t least, int64_t most)
{
	const struct exposure e = exposure_of_stay(stay, false, T0 + 100 * DAY);

	assert_int_equal(e.least_s / 60, least);
	assert_int_equal(e.most_s / 60, most);
}

static void the_looks_are_the_bounds(void **state)
{
	const struct ledger_stay *stays;
	size_t n;
	(void)state;

	site();
	look(1, T0 + DAY, false);
	must(T0 + DAY + 3 * HOUR, "medium-attached", of_disk());
	look(2, T0 + DAY + 4 * HOUR, true);
	look(3, T0 + DAY + 9 * HOUR, false);
	/* what a run did not look for says nothing */
	must(T0 + 2 * DAY, "begin", begin_of("emr", 4));
	must(T0 + 3 * DAY, "medium-attached", of_disk());
	must(T0 + 3 * DAY + HOUR, "medium-moved",
	    json_pack(
		"{s:s, s:s, s:s, s:b}", "medium", RDX, "operator", "事務長", "place", "金庫", "detached", 1));
	stays = ledger_stays(s.ledger, RDX, &n);
	assert_int_equal(n, 3);
	is_within(&stays[0], 0, 5);
	/* the look itself, not the record behind it */
	is_within(&stays[1], 60, 9 * 60);
	assert_true(stays[2].away_ns == T0 + DAY + 9 * HOUR);
	is_within(&stays[2], 0, (24 + 24 - 9 + 1) * 60);
	assert_null(ledger_stays(s.ledger, NAS, &n));
	assert_int_equal(n, 0);
	end(&s);
}

static void one_that_is_here_counts_to_now(void **state)
{
	const struct ledger_stay *stays;
	struct exposure e;
	size_t n;
	(void)state;

	site();
	must(T0 + DAY, "medium-attached", of_disk());
	stays = ledger_stays(s.ledger, RDX, &n);
	e = exposure_of_stay(&stays[1], true, T0 + DAY + 2 * HOUR);
	assert_int_equal(e.least_s, 2 * 3600);
	/* recorded as attached and not seen: it may have gone at once */
	e = exposure_of_stay(&stays[1], false, T0 + DAY + 2 * HOUR);
	assert_int_equal(e.least_s, 0);
	assert_int_equal(e.most_s, 24 * 3600 - 300 + 2 * 3600);
	end(&s);
}

static void a_clock_that_was_moved_gives_no_figure(void **state)
{
	const struct ledger_stay *stays;
	struct exposure e;
	size_t n;
	(void)state;

	site();
	must(T0 + 5 * DAY, "medium-attached", of_disk());
	look(1, T0 + 4 * DAY, true);
	must(T0 + 5 * DAY + HOUR, "medium-detached", of_disk());
	must(T0 + 6 * DAY, "medium-attached", of_disk());
	stays = ledger_stays(s.ledger, RDX, &n);
	assert_true(stays[1].doubtful);
	assert_false(stays[2].doubtful);
	e = exposure_of_stay(&stays[1], false, T0 + 6 * DAY);
	assert_int_equal(e.least_s, 0);
	assert_int_equal(e.most_s, -1);
	e = exposure_in_month(s.ledger, RDX, false, T0 + 5 * DAY, T0 + 7 * DAY);
	assert_int_equal(e.most_s, -1);
	end(&s);
}

/* T0 is 2026-11-21 02:00 UTC: ten hours on each side of the new year, as Tokyo has it. */
static void months_are_those_of_the_wall(void **state)
{
	struct exposure_month months[4];
	int64_t new_year;
	(void)state;

	assert_int_equal(clock_parse("2026-12-31T15:00:00Z", &new_year), 0);
	site();
	look(1, new_year - 10 * HOUR, false);
	must(new_year - 10 * HOUR + 10 * MINUTE, "medium-attached", of_disk());
	must(new_year + 10 * HOUR, "rotated",
	    json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "medium", RDX, "operator", "a",
		"place", "b", "generations", 0, "newest", 0, "copied", 0, "bytes", 0, "unfrozen", 0,
		"complete", 0));
	must(new_year + 11 * HOUR, "medium-detached", of_disk());
	assert_int_equal(exposure_months(s.ledger, RDX, false, new_year + DAY, months, 4), 3);
	assert_int_equal(months[0].year, 2027);
	assert_int_equal(months[0].month, 1);
	assert_int_equal(months[0].e.least_s, 10 * 3600);
	assert_int_equal(months[0].e.most_s, 11 * 3600);
	assert_int_equal(months[1].month, 12);
	assert_int_equal(months[1].e.least_s, 10 * 3600 - 600);
	assert_int_equal(months[1].e.most_s, 10 * 3600);
	assert_int_equal(months[2].e.most_s, 300);
	assert_int_equal(exposure_months(s.ledger, RDX, false, new_year + DAY, months, 2), 2);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_looks_are_the_bounds),
	    cmocka_unit_test(one_that_is_here_counts_to_now),
	    cmocka_unit_test(a_clock_that_was_moved_gives_no_figure),
	    cmocka_unit_test(months_are_those_of_the_wall),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
