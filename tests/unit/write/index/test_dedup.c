/* dedup: what it says is right or is not said, whatever happened to its files; and it heals by itself. */
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "scratch.h"
#include "write/index/dedup.h"

#define REPO "11111111-2222-4333-8444-555555555555"

static struct dedup *open_index(void)
{
	struct dedup *d = NULL;
	struct err err = ERR_INIT;

	if (dedup_open(in_scratch("ix"), REPO, &d, &err) || dedup_use(d, "emr", &err))
		fail_msg("%s", err.msg);
	return d;
}

static int everything(void *arg, const struct dedup_archive *a, struct err *err)
{
	if (arg)
		++*(unsigned *)arg;
	if (a->size != a->number * 1000 || a->sha256[0] != (uint8_t)a->number)
		return err_set(err, "E-TEST-02", "a wrong archive");
	return 1;
}

static int odd_ones(void *arg, const struct dedup_archive *a, struct err *err)
{
	(void)arg;
	(void)err;
	return a->number % 2;
}

static void id_of(uint64_t archive, uint32_t i, uint8_t id[DIGEST_LEN])
{
	uint64_t both[2] = {archive, i};

	digest_sha256(both, sizeof(both), id);
}

static struct dedup_place place_of(uint64_t archive, uint32_t i)
{
	return (struct dedup_place){archive, i, i * 3, i + 1, i % 2};
}

/* 0 unknown, 1 known, -1 error; a wrong place is a failed test. */
static int look(struct dedup *d, uint64_t archive, uint32_t i)
{
	struct dedup_place want = place_of(archive, i), got;
	uint8_t id[DIGEST_LEN];
	int r;

	id_of(archive, i, id);
	r = dedup_lookup(d, id, &got, NULL);
	if (r == 1 && (got.archive != want.archive || got.chunk != want.chunk || got.offset != want.offset ||
			  got.length != want.length || got.whole != want.whole))
		return 2;
	return r;
}

static int add_of_run(struct dedup *d, uint64_t number, uint32_t n, uint64_t run)
{
	struct dedup_archive a = {number, number * 1000, {(uint8_t)number}, run, 1, {(uint8_t)(number + 1)}};
	struct dedup_entry *e = calloc(n + 1, sizeof(*e));
	struct err err = ERR_INIT;
	int r;

	for (uint32_t i = 0; i < n; i++) {
		uint8_t id[DIGEST_LEN];

		id_of(number, i, id);
		memcpy(e[i].id, id, DEDUP_ID);
		e[i].place = place_of(number, i);
	}
	r = dedup_add(d, &a, e, n, &err);
	free(e);
	return r;
}

static int add(struct dedup *d, uint64_t number, uint32_t n)
{
	return add_of_run(d, number, n, 77);
}

static void fresh(void)
{
	assert_int_equal(sh("rm -rf ix"), 0);
}

static void what_was_added_is_known_at_once_and_later_when_it_is_there(void **state)
{
	struct dedup_archive a = {0};
	struct dedup *d;
	unsigned asked = 0;

	(void)state;
	fresh();
	d = open_index();
	assert_int_equal(dedup_last_archive(d), 0);
	assert_int_equal(look(d, 1, 0), 0);
	for (uint64_t n = 1; n <= 4; n++)
		assert_int_equal(add(d, n * 70000, 10), 0);
	assert_int_equal(look(d, 70000, 3), 1);
	assert_int_equal(dedup_last_archive(d), 280000);
	assert_int_equal(dedup_archive(d, 140000, &a, NULL), 1);
	assert_true(a.number == 140000 && a.size == 140000000);
	assert_int_equal(dedup_archive(d, 1, &a, NULL), 0);
	dedup_close(d);

	d = open_index();
	assert_int_equal(dedup_last_archive(d), 280000);
	assert_int_equal(look(d, 70000, 3), 0); /* nobody has said that it is on a medium */
	assert_int_equal(dedup_archive(d, 140000, &a, NULL), 1);
	assert_int_equal(dedup_check_available(d, everything, &asked, NULL), 0);
	assert_int_equal(asked, 4);
	for (uint64_t n = 1; n <= 4; n++)
		for (uint32_t i = 0; i < 10; i++)
			assert_int_equal(look(d, n * 70000, i), 1);
	assert_int_equal(look(d, 70000, 10), 0);
	dedup_close(d);
	dedup_close(NULL);
}

static void archives_that_are_not_there_are_not_believed(void **state)
{
	struct dedup *d;

	(void)state;
	fresh();
	d = open_index();
	for (uint64_t n = 1; n <= 8; n++)
		assert_int_equal(add(d, n, 5), 0);
	dedup_close(d);
	d = open_index();
	assert_int_equal(dedup_check_available(d, odd_ones, NULL, NULL), 0);
	for (uint64_t n = 1; n <= 8; n++)
		assert_int_equal(look(d, n, 2), n % 2);
	dedup_close(d);
}

/* Stored again because its archive was not there: from then on the new place counts. */
/* Each data set has its own numbers of archives and its own content; what was added is found before it is on the disk. */
static void data_sets_stand_alone(void **state)
{
	struct dedup_archive a;
	struct dedup *d;
	unsigned asked = 0;

	(void)state;
	fresh();
	d = open_index();
	assert_int_equal(add(d, 7, 5), 0);
	assert_false(dedup_is_filled(d, "m1"));
	assert_int_equal(dedup_set_filled(d, "m1", NULL), 0);
	assert_int_equal(dedup_use(d, "documents", NULL), 0);
	assert_false(dedup_is_filled(d, "m1"));
	assert_true(!dedup_last_archive(d) && !dedup_archive(d, 7, &a, NULL));
	assert_int_equal(look(d, 7, 3), 0);
	assert_int_equal(add(d, 3, 5), 0);
	assert_int_equal(dedup_last_archive(d), 3);
	assert_int_equal(dedup_use(d, "emr", NULL), 0);
	assert_int_equal(dedup_last_archive(d), 7);
	assert_int_equal(look(d, 7, 3), 0); /* who is asked about has been forgotten */
	assert_int_equal(dedup_check_available(d, everything, &asked, NULL), 0);
	assert_true(asked == 1 && look(d, 7, 3) == 1 && look(d, 3, 3) == 0);
	dedup_close(d);
	d = open_index();
	assert_true(dedup_is_filled(d, "m1") && !dedup_is_filled(d, "m2"));
	assert_int_equal(dedup_use(d, "documents", NULL), 0);
	assert_false(dedup_is_filled(d, "m1"));
	assert_int_equal(dedup_check_available(d, everything, &asked, NULL), 0);
	assert_true(asked == 2 && look(d, 3, 3) == 1 && look(d, 7, 3) == 0 && dedup_last_archive(d) == 3);
	dedup_close(d);
}

static void the_newest_place_wins(void **state)
{
	struct dedup_archive a = {9, 9000, {9}, 78, 1, {10}};
	struct dedup_entry e;
	struct dedup_place got;
	struct dedup *d;
	uint8_t id[DIGEST_LEN];

	(void)state;
	fresh();
	d = open_index();
	assert_int_equal(add(d, 1, 5), 0);
	id_of(1, 2, id);
	memcpy(e.id, id, DEDUP_ID);
	e.place = (struct dedup_place){9, 0xffffff, 0x3fffff, 0x400000, true};
	assert_int_equal(dedup_add(d, &a, &e, 1, NULL), 0);
	assert_int_equal(dedup_lookup(d, id, &got, NULL), 1);
	assert_true(got.archive == 9 && got.chunk == 0xffffff && got.offset == 0x3fffff &&
		    got.length == 0x400000 && got.whole);
	assert_int_equal(look(d, 1, 1), 1);
	dedup_close(d);
}

/* What a record cannot hold is left out, not cut off. */
static void places_beyond_a_record_are_not_indexed(void **state)
{
	static const struct dedup_place beyond[] = {{9, 0x1000000, 0, 1, true}, {9, 0, 0x400000, 1, true},
	    {9, 0, 0, 0x400001, true}, {9, 0, 0, 0, true}, {(uint64_t)1 << 40, 0, 0, 1, true}};
	struct dedup_archive a = {9, 9000, {9}, 78, 1, {10}};
	struct dedup_place got;
	struct dedup *d;

	(void)state;
	fresh();
	d = open_index();
	for (uint32_t i = 0; i < sizeof(beyond) / sizeof(*beyond); i++) {
		struct dedup_entry e = {.place = beyond[i]};
		uint8_t id[DIGEST_LEN];

		id_of(9, i, id);
		memcpy(e.id, id, DEDUP_ID);
		assert_int_equal(dedup_add(d, &a, &e, 1, NULL), 0);
		assert_int_equal(dedup_lookup(d, id, &got, NULL), 0);
	}
	dedup_close(d);
}

/* A number that a dead run had given out is given out again: what was said of the first archive of that number
 * must not be said of the second. */
static void a_number_means_an_archive_only_with_its_run(void **state)
{
	struct dedup_archive a = {0};
	struct dedup *d;

	(void)state;
	fresh();
	d = open_index();
	assert_int_equal(add_of_run(d, 5, 300, 1001), 0);
	assert_true(dedup_run_of(d, 5) == 1001 && dedup_run_of(d, 6) == 0);
	assert_true(dedup_run_of(d, 1u << 20) == 0);
	assert_int_equal(add_of_run(d, 5, 10, 1002), 0); /* ids 0 … 9 of it only */
	for (int again = 0; again < 2; again++) {
		assert_true(dedup_run_of(d, 5) == 1002);
		assert_int_equal(dedup_archive(d, 5, &a, NULL), 1);
		assert_true(a.run == 1002 && a.generation == 1);
		for (uint32_t i = 0; i < 300; i++)
			assert_int_equal(look(d, 5, i), i < 10);
		dedup_close(d);
		d = open_index();
		assert_true(dedup_run_of(d, 5) == 0); /* nobody has said that it is on a medium */
		assert_int_equal(dedup_check_available(d, everything, NULL, NULL), 0);
	}
	dedup_close(d);
}

static void what_is_refused_is_unknown(void **state)
{
	struct dedup_archive a;
	struct dedup *d;

	(void)state;
	fresh();
	d = open_index();
	assert_int_equal(add(d, 1, 5), 0);
	assert_int_equal(add(d, 2, 5), 0);
	dedup_refuse(d, 1);
	dedup_refuse(d, 1000000);
	assert_int_equal(look(d, 1, 3), 0);
	assert_int_equal(look(d, 2, 3), 1);
	assert_true(dedup_run_of(d, 1) == 0 && dedup_run_of(d, 2) == 77);
	assert_int_equal(dedup_archive(d, 1, &a, NULL), 1); /* an archive written before is still one */
	assert_int_equal(add(d, 1, 5), 0);
	assert_int_equal(look(d, 1, 3), 1);
	dedup_close(d);
}

static int refuses(void *arg, const struct dedup_archive *a, struct err *err)
{
	(void)arg;
	(void)a;
	return err_set(err, "E-TEST-01", "stop");
}

static void who_is_asked_may_stop_it(void **state)
{
	struct err err = ERR_INIT;
	struct dedup *d;

	(void)state;
	fresh();
	d = open_index();
	assert_int_equal(add(d, 1, 5), 0);
	assert_int_equal(dedup_check_available(d, refuses, NULL, &err), -1);
	assert_string_equal(err.code, "E-TEST-01");
	dedup_close(d);
}

static void of_another_repository_or_lost_it_is_begun_anew(void **state)
{
	struct dedup *d;

	(void)state;
	fresh();
	d = open_index();
	assert_int_equal(add(d, 7, 5), 0);
	dedup_close(d);
	assert_int_equal(dedup_open(in_scratch("ix"), "11111111-2222-4333-8444-555555555556", &d, NULL), 0);
	assert_int_equal(dedup_use(d, "emr", NULL), 0);
	assert_false(dedup_is_filled(d, "m1"));
	assert_int_equal(dedup_last_archive(d), 0);
	assert_int_equal(dedup_check_available(d, everything, NULL, NULL), 0);
	assert_int_equal(look(d, 7, 1), 0);
	dedup_close(d);
	d = open_index();
	assert_int_equal(dedup_last_archive(d), 0);
	assert_int_equal(add(d, 7, 5), 0);
	dedup_close(d);
	for (int which = 0; which < 3; which++) {
		assert_int_equal(sh("cd ix && rm -f %s", which == 0   ? "lock.mdb"
							 : which == 1 ? "guard"
								      : "data.mdb"),
		    0);
		d = open_index();
		assert_int_equal(dedup_last_archive(d), which < 2 ? 7 : 0);
		dedup_close(d);
	}
}

/* A fault of the machine says nothing about the index: nothing is thrown away for it. */
static void what_is_not_its_fault_costs_nothing(void **state)
{
	struct dedup *d = NULL;
	struct err err = ERR_INIT;

	(void)state;
	fresh();
	d = open_index();
	assert_int_equal(add(d, 7, 5), 0);
	dedup_close(d);
	d = NULL;
	assert_int_equal(sh("rm ix/lock.mdb && mkdir ix/lock.mdb"), 0);
	assert_int_equal(dedup_open(in_scratch("ix"), REPO, &d, &err), -1);
	assert_string_equal(err.code, "E-DEDUP-01");
	assert_null(d);
	assert_int_equal(sh("rmdir ix/lock.mdb"), 0);
	d = open_index();
	assert_int_equal(dedup_last_archive(d), 7);
	dedup_close(d);
	put_file("a_file", "x", 1);
	assert_int_equal(dedup_open(in_scratch("a_file"), REPO, &d, &err), -1);
	assert_int_equal(dedup_open(in_scratch("no/such"), REPO, &d, &err), -1);
	assert_int_equal(sh("test -s a_file"), 0);
}

static void a_hundred_thousand_ids(void **state)
{
	struct dedup *d;

	(void)state;
	fresh();
	d = open_index();
	assert_int_equal(add(d, 1, 65536), 0);
	assert_int_equal(add(d, 2, 34464), 0);
	dedup_close(d);
	d = open_index();
	assert_int_equal(dedup_check_available(d, everything, NULL, NULL), 0);
	for (uint32_t i = 0; i < 65536; i++)
		assert_int_equal(look(d, 1, i), 1);
	for (uint32_t i = 0; i < 34464; i++)
		assert_int_equal(look(d, 2, i), 1);
	assert_int_equal(look(d, 1, 65536), 0);
	assert_int_equal(look(d, 2, 34464), 0);
	dedup_close(d);
}

/* ---- damage ---- */

#define ARCHIVES 4
#define EACH	 700

/* One run with the index, in a process of its own.  Exit status: 0 everything found, 3 something was not
 * known, 4 an error was reported, 5 a wrong place; anything else: it died. */
static int a_run(bool add_unknown)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct dedup *d = NULL;
		int lost = 0, failed = 0;

		in_child();
		close(2);
		open("/dev/null", O_WRONLY);
		if (dedup_open(in_scratch("ix"), REPO, &d, NULL) || dedup_use(d, "emr", NULL))
			_exit(6);
		if (dedup_check_available(d, everything, NULL, NULL))
			_exit(7);
		for (uint64_t n = 1; n <= ARCHIVES; n++)
			for (uint32_t i = 0; i < EACH; i++) {
				int r = look(d, n, i);

				if (r == 2)
					_exit(5);
				failed |= r < 0;
				lost |= r == 0;
			}
		for (uint64_t n = 1; n <= ARCHIVES && add_unknown && lost; n++)
			failed |= add(d, n, EACH) < 0;
		dedup_close(d);
		_exit(failed ? 4 : lost ? 3 : 0);
	}
	while (waitpid(pid, &status, 0) < 0)
		assert_int_equal(errno, EINTR);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
}

static void make_index(void)
{
	struct dedup *d;

	fresh();
	d = open_index();
	for (uint64_t n = 1; n <= ARCHIVES; n++)
		assert_int_equal(add(d, n, EACH), 0);
	dedup_close(d);
	assert_int_equal(sh("cp -r ix ix.good"), 0);
}

/* After damage: never a wrong place; a run that dies or fails is followed by one that does not; and in the
 * end everything that was stored again is known. */
static void heals(const char *what)
{
	int before = 0, r = 0;

	for (int run = 0; run < 8; run++) {
		r = a_run(true);
		if (r == 5)
			fail_msg("%s: a wrong place was given", what);
		if (r == 6 || r == 7)
			fail_msg("%s: not begun anew (%d)", what, r);
		if (r != 0 && r != 3 && before != 0 && before != 3)
			fail_msg("%s: two nights in a row ended with %d and %d", what, before, r);
		if (!r && !before && run)
			return;
		before = r;
	}
	fail_msg("%s: something is still unknown: %d", what, r);
}

static void back_to_good(void)
{
	assert_int_equal(sh("rm -rf ix && cp -r ix.good ix"), 0);
}

static void damage(int kind, unsigned seed)
{
	int fd = open(in_scratch("ix/data.mdb"), O_RDWR | O_CLOEXEC);
	uint8_t page[4096];
	struct stat st;

	assert_true(fd >= 0);
	srand(seed);
	fstat(fd, &st);
	if (kind == 0) /* single bytes everywhere */
		for (int i = 0; i < 30; i++) {
			uint8_t c = (uint8_t)rand();

			assert_int_equal(pwrite(fd, &c, 1, rand() % st.st_size), 1);
		}
	if (kind == 1 || kind == 2) { /* a page of noise or of zeros */
		noise(page, sizeof(page), seed);
		if (kind == 2)
			memset(page, 0, sizeof(page));
		assert_int_equal(pwrite(fd, page, sizeof(page), rand() % (st.st_size / 4096) * 4096), 4096);
	}
	if (kind == 3) /* cut off */
		assert_int_equal(ftruncate(fd, rand() % st.st_size), 0);
	if (kind == 4) { /* one page in the place of another */
		assert_int_equal(pread(fd, page, sizeof(page), rand() % (st.st_size / 4096) * 4096), 4096);
		assert_int_equal(pwrite(fd, page, sizeof(page), rand() % (st.st_size / 4096) * 4096), 4096);
	}
	close(fd);
}

/* BKP_SEEDS (3): the places of each kind. */
static void any_damage_heals(void **state)
{
	const char *seeds = getenv("BKP_SEEDS");
	static const char *const kinds[] = {"bytes", "noise", "zeros", "cut", "swapped"};
	char what[64];

	(void)state;
	make_index();
	assert_int_equal(a_run(false), 0);
	for (int kind = 0; kind < 5; kind++)
		for (unsigned seed = 1; seed <= (seeds ? strtoul(seeds, NULL, 10) : 3); seed++) {
			back_to_good();
			damage(kind, seed * 31 + (unsigned)kind);
			snprintf(what, sizeof(what), "%s, seed %u", kinds[kind], seed);
			heals(what);
		}
}

static void rubbish_is_begun_anew_at_once(void **state)
{
	static const char *const make[] = {": >ix/data.mdb", "printf x >ix/data.mdb",
	    "head -c 4095 /dev/urandom >ix/data.mdb", "head -c 4096 /dev/zero >ix/data.mdb",
	    "head -c 100000 /dev/urandom >ix/data.mdb", "head -c 100000 /dev/zero >ix/data.mdb",
	    "truncate -s 4096 ix/data.mdb", "truncate -s 4097 ix/data.mdb", "truncate -s 8192 ix/data.mdb",
	    "truncate -s 12288 ix/data.mdb", "truncate -s 100000 ix/data.mdb",
	    "head -c 3000 /dev/urandom >ix/lock.mdb", "printf '\\1' >ix/guard",
	    "head -c 3000 /dev/urandom >ix/guard", ": >ix/guard",
	    "truncate -s 20000 ix/data.mdb; printf '\\1' >ix/guard"};

	(void)state;
	for (size_t i = 0; i < sizeof(make) / sizeof(*make); i++) {
		int r;

		back_to_good();
		assert_int_equal(sh("%s", make[i]), 0);
		r = a_run(true);
		if (r != 0 && r != 3)
			fail_msg("%s: %d", make[i], r);
		assert_int_equal(a_run(true), 0);
	}
}

/* Killed inside LMDB: the walk that follows finds it whole, and it is kept. */
static void a_whole_index_survives_the_suspicion(void **state)
{
	(void)state;
	back_to_good();
	assert_int_equal(sh("printf '\\1' >ix/guard"), 0);
	assert_int_equal(a_run(false), 0);
	assert_int_equal(sh("printf '\\0\\0' | cmp - ix/guard"), 0);
	assert_int_equal(a_run(false), 0);
}

/* ---- death ---- */

/* Killed at any moment of dedup_add: an archive is there with all its entries, or not at all. */
static void killed_while_adding(void **state)
{
	unsigned seen = 0;

	(void)state;
	fresh();
	for (int round = 0; round < 20; round++) {
		struct dedup_archive a;
		struct dedup *d;
		uint64_t last;
		pid_t pid = fork();

		if (!pid) {
			in_child();
			if (dedup_open(in_scratch("ix"), REPO, &d, NULL) || dedup_use(d, "emr", NULL))
				_exit(1);
			while (!add(d, dedup_last_archive(d) + 1, 300) &&
			       (dedup_last_archive(d) % 3 || !dedup_flush(d, NULL)))
				;
			_exit(1);
		}
		usleep((useconds_t)(3000 + round % 10 * 700));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		d = open_index();
		assert_int_equal(dedup_check_available(d, everything, NULL, NULL), 0);
		last = dedup_last_archive(d);
		assert_true(last >= seen); /* what was flushed stays */
		for (uint64_t n = last > 3 ? last - 3 : 1; n <= last; n++) {
			assert_int_equal(dedup_archive(d, n, &a, NULL), 1);
			for (uint32_t i = 0; i < 300; i++)
				assert_int_equal(look(d, n, i), 1);
		}
		for (uint32_t i = 0; i < 300; i++)
			assert_int_equal(look(d, last + 1, i), 0);
		assert_int_equal(dedup_archive(d, last + 1, &a, NULL), 0);
		assert_int_equal(add(d, last + 1, 300), 0);
		seen = (unsigned)last + 1;
		dedup_close(d);
		if (round % 10 == 9)
			fresh(), seen = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_was_added_is_known_at_once_and_later_when_it_is_there),
	    cmocka_unit_test(archives_that_are_not_there_are_not_believed),
	    cmocka_unit_test(data_sets_stand_alone),
	    cmocka_unit_test(the_newest_place_wins),
	    cmocka_unit_test(places_beyond_a_record_are_not_indexed),
	    cmocka_unit_test(a_number_means_an_archive_only_with_its_run),
	    cmocka_unit_test(what_is_refused_is_unknown),
	    cmocka_unit_test(who_is_asked_may_stop_it),
	    cmocka_unit_test(of_another_repository_or_lost_it_is_begun_anew),
	    cmocka_unit_test(what_is_not_its_fault_costs_nothing),
	    cmocka_unit_test(a_hundred_thousand_ids),
	    cmocka_unit_test(any_damage_heals),
	    cmocka_unit_test(rubbish_is_begun_anew_at_once),
	    cmocka_unit_test(a_whole_index_survives_the_suspicion),
	    cmocka_unit_test(killed_while_adding),
	};

	return cmocka_run_group_tests(tests, scratch_setup_memory, scratch_teardown);
}
