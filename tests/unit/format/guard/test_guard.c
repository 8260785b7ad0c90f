/* guard: what is raised and what is not, from figures alone; kind: what the beginning of a file tells. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <sodium.h>

#include "unit.h"
#include "format/guard/guard.h"
#include "format/guard/kind.h"
#include "format/policy/policy.h"

static struct guard quiet[GUARD_HISTORY];
static char why[GUARD_WHY];

static void history_of(uint64_t before, uint64_t changed, uint64_t deleted)
{
	memset(quiet, 0, sizeof(quiet));
	for (size_t i = 0; i < GUARD_HISTORY; i++)
		quiet[i] = (struct guard){.measured = true,
		    .before = before,
		    .changed = changed + i % 3,
		    .deleted = deleted,
		    .added = i % 5};
}

static bool raised(struct guard g, size_t n, unsigned sensitivity)
{
	g.measured = true;
	guard_judge(&g, quiet, n, sensitivity, why);
	assert_int_equal(g.suspect, *why != '\0');
	return g.suspect;
}

static void ordinary_runs_are_not_raised(void **state)
{
	(void)state;
	history_of(1000, 10, 5);
	assert_false(
	    raised((struct guard){.before = 1000, .changed = 12, .deleted = 6}, 30, POLICY_GUARD_NORMAL));
	assert_false(raised((struct guard){.before = 1000, .added = 5000}, 30, POLICY_GUARD_NORMAL));
	/* a vendor replaces a tenth of all programs */
	assert_false(raised((struct guard){.before = 1000, .changed = 100}, 30, POLICY_GUARD_NORMAL));
	assert_false(raised((struct guard){.before = 1000, .renamed = 150}, 30, POLICY_GUARD_NORMAL));
	/* a folder is archived elsewhere */
	assert_false(raised((struct guard){.before = 1000, .deleted = 200}, 30, POLICY_GUARD_NORMAL));
}

/* One file may be a whole database; of a small data set one file is no more than one file. */
static void few_files_of_many_bytes(void **state)
{
	struct guard g = {.before = 1000, .harmed = 1, .bytes = UINT64_C(80) << 20};

	(void)state;
	history_of(1000, 10, 5);
	g.harmed_bytes = UINT64_C(4) << 20;
	assert_true(raised(g, 30, POLICY_GUARD_NORMAL) && strstr(why, "5.0 % of all bytes"));
	assert_false(raised(g, 30, POLICY_GUARD_LOW));
	g.harmed_bytes--; /* both too little and too small a share */
	assert_false(raised(g, 30, POLICY_GUARD_NORMAL));
	g.bytes = g.harmed_bytes * 3;
	assert_false(raised(g, 30, POLICY_GUARD_NORMAL));
}

static struct guard census_of(uint64_t files, uint64_t formats, uint64_t opaque)
{
	return (struct guard){.census = {true, files, formats, opaque, 0}};
}

/* now against a trusted capture; measured: the cache says that nothing was changed at all. */
static bool raised_by_census(struct guard now, struct guard then, bool measured)
{
	now.measured = measured;
	now.before = measured ? then.census.files : 0;
	guard_judge(&now, &then, 1, POLICY_GUARD_NORMAL, why);
	assert_int_equal(now.suspect, *why != '\0');
	return now.suspect;
}

/* What the cache says may be forged or gone: what is there is counted each run. */
static void the_census_sees_what_the_cache_hides(void **state)
{
	struct guard then = census_of(1000, 600, 10), none = {0};
	(void)state;

	for (int measured = 0; measured < 2; measured++) {
		assert_false(raised_by_census(census_of(1000, 600, 10), then, measured));
		assert_false(raised_by_census(census_of(1000, 597, 12), then, measured));
		assert_false(raised_by_census(census_of(1200, 720, 25), then, measured));
		assert_true(raised_by_census(census_of(1000, 0, 1000), then, measured));
		assert_non_null(strstr(why, measured ? "990 of 1000 files look encrypted or destroyed"
						     : "970 of 1000 files look encrypted"));
		assert_true(raised_by_census(census_of(1000, 500, 10), then, measured));
		/* plain files only, encrypted */
		assert_true(raised_by_census(census_of(1000, 600, 400), then, measured));
		assert_non_null(strstr(why, "look encrypted"));
		/* a tenth was archived elsewhere, the rest is as it was */
		assert_false(raised_by_census(census_of(900, 520, 10), then, measured));
	}
	assert_true(raised_by_census(census_of(100, 60, 1), then, false)); /* deleted */
	/* no history: nothing to compare with, and that is not suspect by itself */
	assert_false(raised_by_census(census_of(1000, 0, 1000), none, false));
	assert_true(guard_looks_encrypted(&(struct guard_census){true, 1000, 100, 900, 0}));
	assert_false(guard_looks_encrypted(&(struct guard_census){true, 1000, 900, 100, 0}));
	assert_false(guard_looks_encrypted(&(struct guard_census){true, 19, 0, 19, 0}));
	/* 301 of 378 files of a tar stream hold nothing but zero bytes: the run before two did */
	then = census_of(378, 0, 0);
	then.census.zero = 2;
	{
		struct guard now = census_of(378, 0, 0);

		now.census.zero = 301;
		assert_true(raised_by_census(now, then, false) &&
			    strstr(why, "299 of 378 files hold nothing but zero"));
		/* as many as ever; and a record that says nothing of it */
		then.census.zero = 301;
		assert_false(raised_by_census(now, then, false));
		then.census.zero = GUARD_UNKNOWN;
		assert_false(raised_by_census(now, then, false));
		assert_true(guard_looks_empty(&now.census));
	}
	/* a dump that is none any more, and what was remembered of it is gone */
	then = census_of(1, 1, 0);
	then.stream = true;
	{
		struct guard now = census_of(1, 0, 1);

		now.stream = true;
		guard_judge(&now, &then, 1, POLICY_GUARD_NORMAL, why);
		assert_true(now.suspect && strstr(why, "no longer of the kind"));
	}
}

/* Who begins before there is a history must not become what is usual. */
static void a_slow_attack_does_not_become_the_usual(void **state)
{
	static const double shares[] = {0.009, 0.004, 0.002, 0.0015};
	(void)state;

	for (size_t k = 0; k < sizeof(shares) / sizeof(*shares); k++) {
		const uint64_t files = 10000, harm = (uint64_t)(shares[k] * (double)files);
		size_t n = 0;

		memset(quiet, 0, sizeof(quiet));
		for (; n < GUARD_HISTORY; n++) {
			struct guard now = {
			    .before = files, .changed = harm + 40, .dense = harm, .lost = harm};

			if (raised(now, n, POLICY_GUARD_NORMAL))
				break;
			memmove(quiet + 1, quiet, (GUARD_HISTORY - 1) * sizeof(*quiet));
			now.measured = true;
			quiet[0] = now;
		}
		printf("from the first night on, %.2f %% a night: caught on night %zu\n", 100 * shares[k],
		    n + 1);
		assert_true(n < GUARD_HISTORY);
	}
}

static void attacks_are_raised(void **state)
{
	(void)state;
	history_of(1000, 10, 5);
	assert_true(raised((struct guard){.before = 1000, .changed = 1000}, 30, POLICY_GUARD_NORMAL));
	assert_non_null(strstr(why, "1000 of 1000 files were changed (usual: 1.1 %)"));
	assert_true(raised((struct guard){.before = 1000, .deleted = 900}, 30, POLICY_GUARD_NORMAL));
	assert_true(
	    raised((struct guard){.before = 1000, .renamed = 900, .strange = 900}, 30, POLICY_GUARD_NORMAL));
	assert_true(
	    raised((struct guard){.before = 1000, .changed = 20, .dense = 20}, 30, POLICY_GUARD_NORMAL));
	assert_true(
	    raised((struct guard){.before = 1000, .changed = 20, .lost = 6}, 30, POLICY_GUARD_NORMAL));
	assert_true(raised((struct guard){.canaries = 1}, 0, POLICY_GUARD_LOW));
}

static void without_history_only_what_is_gross(void **state)
{
	(void)state;
	history_of(1000, 0, 0);
	for (size_t n = 0; n < GUARD_LEARNED; n++) {
		assert_false(raised((struct guard){.before = 1000, .changed = 700}, n, POLICY_GUARD_NORMAL));
		assert_false(raised((struct guard){.before = 1000, .deleted = 400}, n, POLICY_GUARD_NORMAL));
		assert_true(raised((struct guard){.before = 1000, .changed = 900}, n, POLICY_GUARD_NORMAL));
		assert_true(raised((struct guard){.before = 1000, .lost = 10}, n, POLICY_GUARD_NORMAL));
	}
}

static void edges(void **state)
{
	const uint64_t most = UINT64_MAX;
	(void)state;
	memset(quiet, 0, sizeof(quiet)); /* of zeros, before an empty data set */
	assert_false(raised((struct guard){0}, 0, POLICY_GUARD_HIGH));
	assert_false(raised((struct guard){0}, 60, POLICY_GUARD_HIGH));
	assert_false(raised((struct guard){.added = 100000}, 60, POLICY_GUARD_HIGH)); /* was empty */
	/* three files */
	assert_false(raised((struct guard){.before = 3, .changed = 3}, 60, POLICY_GUARD_NORMAL));
	assert_true(raised((struct guard){.before = 3, .changed = 3, .lost = 2}, 60, POLICY_GUARD_NORMAL));
	assert_true(raised((struct guard){.before = 1, .changed = 1, .lost = 1}, 60, POLICY_GUARD_NORMAL));
	assert_true(raised((struct guard){.before = 3, .changed = 3, .dense = 2}, 60, POLICY_GUARD_NORMAL));
	/* as large as can be */
	assert_true(raised((struct guard){.before = most,
			       .changed = most,
			       .deleted = most,
			       .renamed = most,
			       .dense = most,
			       .lost = most,
			       .strange = most,
			       .canaries = most},
	    60, POLICY_GUARD_LOW));
	assert_true(strlen(why) < GUARD_WHY);
	/* a sensitivity of a later version is the highest */
	assert_true(raised((struct guard){.before = 1000, .lost = 2}, 60, 99));
	/* not measured: only canaries count */
	struct guard g = {.before = 10, .lost = 10, .deleted = 10};
	guard_judge(&g, quiet, 60, POLICY_GUARD_HIGH, why);
	assert_false(g.suspect);
	assert_string_equal(why, "");
}

static void what_happened_twice_is_ordinary(void **state)
{
	(void)state;
	history_of(1000, 10, 5);
	assert_true(raised((struct guard){.before = 1000, .changed = 500}, 30, POLICY_GUARD_NORMAL));
	quiet[7].changed = 500; /* accepted */
	assert_true(raised((struct guard){.before = 1000, .changed = 500}, 30, POLICY_GUARD_NORMAL));
	quiet[14].changed = 500;
	assert_false(raised((struct guard){.before = 1000, .changed = 500}, 30, POLICY_GUARD_NORMAL));
	assert_true(raised((struct guard){.before = 1000, .changed = 900}, 30, POLICY_GUARD_NORMAL));
	/* a data set whose files all change every run */
	history_of(200, 200, 0);
	assert_false(raised((struct guard){.before = 200, .changed = 200}, 30, POLICY_GUARD_NORMAL));
}

static void slow_ones_add_up(void **state)
{
	unsigned run;
	(void)state;
	for (unsigned percent = 1; percent <= 20; percent++) { /* in tenths */
		history_of(2000, 10, 0);
		for (run = 1; run < 30; run++) {
			struct guard now = {.before = 2000, .changed = 10 + 2 * percent, .lost = 2 * percent};

			if (raised(now, 30, POLICY_GUARD_NORMAL))
				break;
			memmove(quiet + 1, quiet, (GUARD_HISTORY - 1) * sizeof(*quiet));
			quiet[0] = now;
			quiet[0].measured = true;
		}
		if (percent == 1 || percent == 5 || percent == 20)
			print_message(
			    "%u.%u %% a night: caught on night %u\n", percent / 10, percent % 10, run);
		assert_true(run <= (percent >= 5 ? 2u : 10u));
	}
	/* what a person accepted is not counted again */
	history_of(2000, 10, 0);
	quiet[0].lost = 1000;
	quiet[0].suspect = true;
	assert_false(raised((struct guard){.before = 2000, .lost = 1}, 30, POLICY_GUARD_NORMAL));
}

/* Hundreds of months of figures: work, weekly imports, a monthly update and archiving, documents that change
 * kind now and then. */
static void hundreds_of_months(void **state)
{
	unsigned alarms[3] = {0}, runs = 0;
	(void)state;
	srand(4);
	for (unsigned month = 0; month < 300; month++) {
		uint64_t files = 500 + (uint64_t)rand() % 100000;

		memset(quiet, 0, sizeof(quiet));
		for (size_t run = 0; run < 60; run++, runs++) {
			uint64_t busy = run % 7 < 5 ? files / 100 : files / 2000;
			struct guard now = {.before = files,
			    .changed = (uint64_t)rand() % (busy + 5),
			    .deleted = (uint64_t)rand() % (busy / 4 + 3),
			    .renamed = (uint64_t)rand() % (busy / 8 + 2),
			    .strange = rand() % 10 ? 0 : (uint64_t)rand() % 5,
			    .dense = rand() % 12 ? 0 : 1,
			    .lost = rand() % 25 ? 0 : 1};

			now.changed += run % 30 == 11 ? files / 10 : 0;
			now.renamed += run % 30 == 19 ? files / 8 : 0;
			now.deleted += run % 30 == 24 ? files / 12 : 0;
			for (unsigned s = 0; s < 3; s++)
				alarms[s] += raised(now, run < GUARD_HISTORY ? run : GUARD_HISTORY, s);
			memmove(quiet + 1, quiet, (GUARD_HISTORY - 1) * sizeof(*quiet));
			quiet[0] = now;
			quiet[0].measured = true;
			files += files / 200;
		}
	}
	print_message(
	    "false alarms in %u nights: low %u, normal %u, high %u\n", runs, alarms[0], alarms[1], alarms[2]);
	assert_int_equal(alarms[0], 0);
	assert_true(alarms[1] <= runs / 90);
}

static void streams(void **state)
{
	struct guard g = {.measured = true, .stream = true, .before = 100, .changed = 90};
	(void)state;
	guard_judge(&g, NULL, 0, POLICY_GUARD_HIGH, why);
	assert_false(g.suspect);
	g.lost = 1;
	guard_judge(&g, NULL, 0, POLICY_GUARD_LOW, why);
	assert_true(g.suspect);
}

/* ---- kind ---- */

static void kinds_of_beginnings(void **state)
{
	uint8_t b[8192], packed[16384];
	int n;
	(void)state;
	memset(b, 0, sizeof(b));
	memcpy(b + 128, "DICM", 4);
	uint8_t dicom = kind_of(b, sizeof(b)), pdf = kind_of("%PDF-1.7 x", 10),
		text = kind_of("hello, world", 12);
	assert_true(kind_is_format(dicom) && kind_is_format(pdf) && dicom != pdf && !kind_is_dense(dicom));
	assert_int_equal(text, KIND_PLAIN);
	assert_int_equal(kind_of("", 0), KIND_UNKNOWN);
	assert_int_equal(kind_of("PGDM", 4), KIND_PLAIN); /* cut short */
	for (size_t size = 64; size <= sizeof(b); size *= 2)
		for (int i = 0; i < 200; i++) {
			randombytes_buf(b, size);
			uint8_t random = kind_of(b, size);

			assert_true(kind_is_dense(random));
		}
	for (size_t i = 0; i < sizeof(b); i++)
		b[i] = (uint8_t)("0123456789 patient name,\n"[randombytes_uniform(25)]);
	assert_false(kind_is_dense(kind_of(b, sizeof(b))));
	n = LZ4_compress_default((char *)b, (char *)packed, sizeof(b), sizeof(packed));
	assert_true(n > 0);
	assert_true(kind_of(b, sizeof(b)) < 128);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(ordinary_runs_are_not_raised),
	    cmocka_unit_test(attacks_are_raised),
	    cmocka_unit_test(few_files_of_many_bytes),
	    cmocka_unit_test(the_census_sees_what_the_cache_hides),
	    cmocka_unit_test(a_slow_attack_does_not_become_the_usual),
	    cmocka_unit_test(without_history_only_what_is_gross),
	    cmocka_unit_test(edges),
	    cmocka_unit_test(what_happened_twice_is_ordinary),
	    cmocka_unit_test(slow_ones_add_up),
	    cmocka_unit_test(hundreds_of_months),
	    cmocka_unit_test(streams),
	    cmocka_unit_test(kinds_of_beginnings),
	};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
