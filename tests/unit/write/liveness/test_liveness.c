/* liveness: every byte that is referred to is counted once, whatever refers to it and however often; what is
 * refused is what the rules say; what is not known refuses nothing. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <archive_entry.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/medium/catalog.h"
#include "lib/runs.h"
#include "scratch.h"
#include "write/index/dedup.h"
#include "write/liveness/liveness.h"

#define REPO "11111111-2222-4333-8444-555555555555"
#define KIB  1024u
#define MIB  (1024u * KIB)

struct site {
	struct dedup *d;
	struct liveness *w;
	uint64_t generation;
	uint64_t generations[64]; /* of the data set */
	size_t n;
};

static int everything(void *arg, const struct dedup_archive *a, struct err *err)
{
	(void)arg;
	(void)a;
	(void)err;
	return 1;
}

static void fresh(void)
{
	assert_int_equal(sh("rm -rf cache && mkdir cache"), 0);
}

/* A run begins: all archives are there. */
static void begin(struct site *s, uint64_t generation)
{
	int fd = open(in_scratch("cache"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	s->generation = generation;
	assert_int_equal(dedup_open(in_scratch("cache/ix"), REPO, &s->d, NULL), 0);
	assert_int_equal(dedup_use(s->d, "a", NULL), 0);
	assert_int_equal(dedup_check_available(s->d, everything, NULL, NULL), 0);
	assert_int_equal(liveness_open(fd, REPO, generation, &s->w, NULL), 0);
	close(fd);
}

static void end(struct site *s, bool reported)
{
	if (reported) {
		liveness_commit(s->w, "a");
		s->generations[s->n++] = s->generation;
	}
	liveness_close(s->w);
	dedup_close(s->d);
}

/* An archive of n chunks of `length` bytes, made for this generation. */
static void archive(struct site *s, uint64_t number, uint32_t n, uint32_t length)
{
	struct dedup_archive a = {number, 1000, {0}, number + 100, s->generation, {0}};
	struct dedup_entry *e = calloc(n, sizeof(*e));

	for (uint32_t i = 0; i < n; i++) {
		memcpy(e[i].id, &number, 8);
		memcpy(e[i].id + 8, &i, 4);
		e[i].place = (struct dedup_place){number, i, 0, length, true};
	}
	assert_int_equal(dedup_add(s->d, &a, e, n, NULL), 0);
	free(e);
}

/* A catalog block with a file for each of the extents, stored at `at`. */
static void block(struct site *s, struct dedup_place at, const char *const *extents)
{
	struct catalog_writer *w = NULL;
	BUF_AUTO bytes = BUF_INIT(CATALOG_BLOCK_MAX);

	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	for (int i = 0; extents[i]; i++) {
		struct archive_entry *e = archive_entry_new();
		char path[100];

		/* what looks like a reference in a name is none */
		snprintf(path, sizeof(path), "f/%04d 44 SCHILY.xattr.bkp.extents=9 1:0:0:9", i);
		archive_entry_set_filetype(e, AE_IFREG);
		archive_entry_copy_pathname(e, path);
		assert_int_equal(catalog_writer_add(w, e, runs_of(extents[i]), strlen(runs_of(extents[i])),
				     runs_sha256, 0, NULL),
		    0);
		archive_entry_free(e);
	}
	assert_int_equal(catalog_writer_finish(w, &bytes, NULL), 0);
	liveness_block(s->w, &at, bytes.p, bytes.n);
	catalog_writer_free(w);
}

static struct liveness_figures plan(struct site *s, unsigned share, unsigned anchor, uint64_t archive_size)
{
	const struct liveness_dataset set = {"a", s->generations, s->n};
	const struct liveness_limits limits = {share, anchor, archive_size};
	struct liveness_figures f;

	assert_int_equal(liveness_plan(s->w, s->d, &limits, &set, &f, NULL), 0);
	return f;
}

static bool there(struct site *s, uint64_t number)
{
	return dedup_run_of(s->d, number) == number + 100;
}

static const struct dedup_place at9 = {9, 0, 0, 1000, true};

static void every_byte_counts_once(void **state)
{
	static const char *const files[] = {"1048576 1:0:0:1048576",
	    "1048576 1:0:0:1048576", /* the same twice */
	    "3145728 1:1:0:3145728", /* goes on in two more chunks */
	    "100 1:2:50:100", "1048576 2:7:1000:500000 h:48576 2:7:501000:500000",
	    "400000 2:7:900000:400000" /* beyond its chunk by 251424: the next one */, NULL};
	struct site s = {0};
	struct liveness_figures f;

	(void)state;
	fresh();
	begin(&s, 1);
	for (uint64_t n = 1; n <= 2; n++)
		archive(&s, n, 10, MIB);
	archive(&s, 9, 1, 1000);
	liveness_begin(s.w, "a");
	for (int i = 0; i < 3; i++)
		block(&s, at9, files);
	liveness_extents(s.w, runs_of("10 9:0:0:10"));
	liveness_end(s.w);
	end(&s, true);

	begin(&s, 2);
	f = plan(&s, 0, 0, 128 * MIB);
	assert_true(f.known && f.archives == 3 && f.raw == 20 * MIB + 1000 && f.refused == 0);
	assert_int_equal(f.live, 4 * MIB + (1300000 - 1000) + 1000);
	end(&s, false);
}

/* A third of them dead: kept; three quarters dead: refused, within the budget; dead: refused. */
static void what_is_mostly_dead_is_refused(void **state)
{
	static const char *const files[] = {"10485760 1:0:0:10485760", "7340032 2:0:0:7340032",
	    "2097152 3:0:0:2097152", "1048576 4:0:0:1048576", NULL};
	struct site s = {0};
	struct liveness_figures f;

	(void)state;
	fresh();
	begin(&s, 1);
	for (uint64_t n = 1; n <= 5; n++)
		archive(&s, n, 10, MIB);
	archive(&s, 9, 1, 1000);
	liveness_begin(s.w, "a");
	block(&s, at9, files);
	liveness_end(s.w);
	archive(&s, 10, 1, 1000);
	end(&s, true);
	begin(&s, 2);
	archive(&s, 11, 10, MIB); /* of a run that died: nobody refers to it yet, it is not judged */
	end(&s, false);

	begin(&s, 3);
	f = plan(&s, 50, 0, 16 * MIB);
	assert_true(there(&s, 1) && there(&s, 2) && there(&s, 9) && there(&s, 11));
	assert_false(there(&s, 4)); /* one tenth: the worst; two tenths is beyond a tenth of 20 MiB by then */
	assert_true(there(&s, 3));
	assert_false(there(&s, 5) || there(&s, 10));
	assert_int_equal(f.refused, 3);
	assert_int_equal(f.refused_live, MIB);
	end(&s, false);

	begin(&s, 3);
	f = plan(&s, 5, 0, 16 * MIB);
	assert_true(there(&s, 4) && !there(&s, 5));
	end(&s, false);
	begin(&s, 3);
	f = plan(&s, 0, 0, 16 * MIB);
	assert_true(there(&s, 5) && f.refused == 0);
	end(&s, false);
}

/* However often it has run since: what a capture had stored when it was stopped is found again.  What somebody refers to is judged
 * in the end though the data set is never whole. */
static void what_was_stopped_is_kept(void **state)
{
	static const char *const files[] = {"1048576 1:0:0:1048576", NULL};
	const struct liveness_limits limits = {50, 0, 16 * MIB};
	struct site s = {0};

	(void)state;
	fresh();
	begin(&s, 1);
	archive(&s, 1, 10, MIB);
	archive(&s, 2, 10, MIB);
	archive(&s, 9, 1, 1000);
	liveness_begin(s.w, "a");
	block(&s, at9, files);
	liveness_end(s.w);
	end(&s, true);
	begin(&s, 2); /* it is stopped */
	archive(&s, 11, 10, MIB);
	end(&s, false);
	for (uint64_t g = 4; g < 5000; g += 66) {
		const struct liveness_dataset set = {"a", s.generations, s.n};
		struct liveness_figures f;

		begin(&s, g);
		assert_int_equal(liveness_plan(s.w, s.d, &limits, &set, &f, NULL), 0);
		assert_true(f.known && there(&s, 11) && !there(&s, 2) && !there(&s, 1) && there(&s, 9));
		end(&s, false);
	}
}

static void a_block_that_is_kept_is_known_as_before(void **state)
{
	static const char *const files[] = {"2097152 1:0:0:2097152", NULL};
	static const char *const other[] = {"50000 2:0:0:50000", NULL};
	const struct dedup_place at8 = {8, 0, 0, 500, true};
	struct site s = {0};
	struct liveness_figures f;

	(void)state;
	fresh();
	begin(&s, 1);
	archive(&s, 1, 10, MIB);
	archive(&s, 2, 10, MIB);
	archive(&s, 8, 1, 1000);
	archive(&s, 9, 1, 1000);
	liveness_begin(s.w, "a");
	block(&s, at9, files);
	block(&s, at8, other);
	liveness_end(s.w);
	end(&s, true);
	for (uint64_t g = 2; g < 5; g++) {
		begin(&s, g);
		f = plan(&s, 0, 0, MIB);
		assert_true(f.known);
		assert_int_equal(f.live, 2 * MIB + 1000 + (g == 2 ? 50500 : 0));
		liveness_begin(s.w, "a");
		assert_true(liveness_keep(s.w, &at9));
		if (g > 2)
			assert_false(liveness_keep(s.w, &at8));
		liveness_end(s.w);
		end(&s, true);
	}
	/* not reported, or failed: what was known stays */
	for (int how = 0; how < 2; how++) {
		begin(&s, 6);
		liveness_begin(s.w, "a");
		block(&s, at8, other);
		if (how)
			liveness_drop(s.w);
		else
			liveness_end(s.w);
		end(&s, false);
		begin(&s, 6);
		assert_int_equal(plan(&s, 0, 0, MIB).live, 2 * MIB + 1000);
		end(&s, false);
	}
	assert_int_equal(sh("test \"$(ls -A cache/waste)\" = a"), 0);
}

/* A file of very many pieces: its runs stand in a text of their own. */
static void lists_are_followed(void **state)
{
	static const char *const files[] = {
	    "3145728 @9:0:100:200 @9:0:300:50", "3145728 @9:0:100:200 @9:0:300:50", NULL};
	const char *at = runs_of(" @9:0:100:200 @9:0:300:50"),
		   *runs = runs_of(" 1:0:0:1048576 1:3:0:1048576 2:0:0:1048576");
	struct site s = {0};
	struct liveness_figures f;

	(void)state;
	fresh();
	begin(&s, 1);
	archive(&s, 1, 10, MIB);
	archive(&s, 2, 10, MIB);
	archive(&s, 9, 1, 10000);
	liveness_begin(s.w, "a");
	liveness_list(s.w, at, strlen(at), runs, strlen(runs));
	liveness_list(s.w, at, strlen(at), runs, strlen(runs));
	block(&s, (struct dedup_place){9, 0, 1000, 1000, true}, files);
	liveness_end(s.w);
	end(&s, true);
	for (uint64_t g = 2; g < 5; g++) {
		begin(&s, g);
		f = plan(&s, 0, 0, MIB);
		assert_true(f.known);
		assert_int_equal(f.live, 3 * MIB + 1000 + 250);
		liveness_begin(s.w, "a");
		/* kept as it is; written anew, with an entry taken over */
		if (g == 2)
			assert_true(liveness_keep(s.w, &(struct dedup_place){9, 0, 1000, 1000, true}));
		else
			block(&s, (struct dedup_place){9, 0, 1000, 1000, true}, files);
		liveness_end(s.w);
		end(&s, true);
	}
	/* its list is not known: nothing is refused for its share from then on */
	fresh();
	begin(&s, 10);
	archive(&s, 1, 10, MIB);
	archive(&s, 9, 1, 10000);
	liveness_begin(s.w, "a");
	block(&s, (struct dedup_place){9, 0, 1000, 1000, true}, files);
	liveness_end(s.w);
	end(&s, true);
	begin(&s, 11);
	f = plan(&s, 90, 0, 20 * MIB);
	assert_true(!f.known && f.refused == 0 && there(&s, 1));
	end(&s, false);
}

/* Very many of them cost each what few do. */
static void many_lists_take_no_longer(void **state)
{
	struct site s = {0};
	clock_t began;

	(void)state;
	fresh();
	begin(&s, 1);
	liveness_begin(s.w, "a");
	began = clock();
	for (unsigned again = 0; again < 2; again++)
		for (unsigned i = 1; i <= 200000; i++) {
			char at[60];

			snprintf(at, sizeof(at), " @%u:%u:%u:20", i / 1000 + 1, i / 50 % 20, i % 50 * 20);
			liveness_list(s.w, at, strlen(at), runs_of(" 1:0:0:1048576"),
			    strlen(runs_of(" 1:0:0:1048576")));
		}
	liveness_end(s.w);
	assert_true(clock() - began < 15 * CLOCKS_PER_SEC); /* minutes, when each is compared with all */
	end(&s, true);
	/* each of them once */
	assert_int_equal(sh("test $(stat -c %%s cache/waste/a) -lt 10000000"), 0);
}

/* The first run: ten chunks of 1 MiB in archive 1, and a catalog block in archive 9 that lists `files`. */
static void one_run(struct site *s, const char *const *files)
{
	begin(s, 1);
	archive(s, 1, 10, MIB);
	archive(s, 9, 1, 1000);
	liveness_begin(s->w, "a");
	block(s, at9, files);
	liveness_end(s->w);
	end(s, true);
}

static void what_is_lost_or_damaged_refuses_nothing(void **state)
{
	static const char *const files[] = {"1048576 1:0:0:1048576", NULL};
	static const char *const damage[] = {"rm waste/a", ": >waste/a", "truncate -s -1 waste/a",
	    "truncate -s 70 waste/a", "printf x | dd of=waste/a bs=1 seek=75 conv=notrunc status=none",
	    "head -c 5000 /dev/urandom >waste/a", "sed -i 1s/1111/2222/ waste/a",
	    "rm waste/a && mkdir waste/a", "rm waste/a && mkfifo waste/a", "rm -r waste && : >waste",
	    "rm waste/a && ln -s /etc/passwd waste/a"};

	(void)state;
	for (size_t i = 0; i < sizeof(damage) / sizeof(*damage); i++) {
		struct site s = {0};
		struct liveness_figures f;

		fresh();
		one_run(&s, files);
		begin(&s, 2);
		f = plan(&s, 50, 0, 20 * MIB);
		assert_true(f.known && !there(&s, 1));
		end(&s, false);
		assert_int_equal(sh("cd cache && %s", damage[i]), 0);
		for (uint64_t g = 2; g < 4; g++) {
			begin(&s, g);
			f = plan(&s, 50, 0, 20 * MIB);
			if (g == 2 && (f.known || f.refused))
				fail_msg(
				    "'%s': %d known, %u refused", damage[i], f.known, (unsigned)f.refused);
			liveness_begin(s.w, "a");
			if (!liveness_keep(s.w, &at9))
				block(&s, at9, files);
			liveness_end(s.w);
			end(&s, true);
		}
	}
}

/* How long its chunks are is not known any more: then all of it is in use, for all that is known. */
static void an_archive_without_its_layout_is_kept(void **state)
{
	static const char *const files[] = {"10485760 1:0:0:10485760", NULL};
	struct site s = {0};

	(void)state;
	fresh();
	one_run(&s, files);
	assert_int_equal(
	    sh("python3 -c 'p = \"cache/ix/data.mdb\"; b = open(p, \"rb\").read(); l = bytes((0, 0, 16)); "
	       "assert 10 * l in b; open(p, \"r+b\").write(b.replace(10 * l, 9 * l + bytes((0, 0, 17))))'"),
	    0);
	begin(&s, 2);
	assert_int_equal(plan(&s, 50, 0, 20 * MIB).refused, 0);
	assert_true(there(&s, 1));
	end(&s, false);
}

/* Many small runs: sixteen archives of like size are refused together, fifteen are not. */
static void small_ones_become_one(void **state)
{
	(void)state;
	for (uint64_t many = 15; many <= 16; many++) {
		struct site s = {0};
		char extents[32][100];
		const char *files[33] = {0};

		fresh();
		begin(&s, 1);
		archive(&s, 40, 100, MIB);
		for (uint64_t n = 1; n <= many; n++) {
			archive(&s, n, 2, 50 * KIB);
			snprintf(extents[n], sizeof(extents[n]), "102400 %u:0:0:102400", (unsigned)n);
			files[n - 1] = extents[n];
		}
		files[many] = "104857600 40:0:0:104857600";
		liveness_begin(s.w, "a");
		block(&s, (struct dedup_place){40, 0, 0, 1000, true}, files);
		liveness_end(s.w);
		end(&s, true);
		begin(&s, 2);
		assert_int_equal(plan(&s, 50, 0, 128 * MIB).refused, many == 16 ? 16 : 0);
		assert_true(there(&s, 40));
		assert_int_equal(there(&s, 1), many != 16);
		end(&s, false);
		begin(&s, 2);
		assert_int_equal(plan(&s, 50, 0, 200 * KIB).refused, 0); /* they are not small then */
		end(&s, false);
	}
}

/* What one run wrote is written anew in many, none of it later than anchor_every. */
static void none_serves_for_ever(void **state)
{
	struct site s = {0};
	char extents[100][100];
	const char *files[101] = {0};
	unsigned refused, before = 0;

	(void)state;
	fresh();
	begin(&s, 1);
	for (unsigned n = 1; n <= 100; n++) {
		archive(&s, n, 1, MIB);
		snprintf(extents[n - 1], sizeof(extents[n - 1]), "1048576 %u:0:0:1048576", n);
		files[n - 1] = extents[n - 1];
	}
	liveness_begin(s.w, "a");
	block(&s, (struct dedup_place){100, 0, 0, 1000, true}, files);
	liveness_end(s.w);
	end(&s, true);
	/* nothing is stored anew here: what each run would refuse grows evenly */
	for (uint64_t g = 2; g <= 41; g++) {
		begin(&s, g);
		refused = (unsigned)plan(&s, 50, 40, MIB).refused;
		if (g < 20)
			assert_int_equal(refused, 0);
		assert_true(refused >= before && refused <= before + 6 && refused <= 11);
		if (g == 25)
			assert_true(refused > 0);
		before = refused;
		end(&s, true);
		begin(&s, g);
		liveness_begin(s.w, "a");
		assert_true(liveness_keep(s.w, &(struct dedup_place){100, 0, 0, 1000, true}));
		liveness_end(s.w);
		liveness_commit(s.w, "a");
		end(&s, false);
	}
	begin(&s, 50);
	assert_int_equal(plan(&s, 50, 0, MIB).refused, 0);
	assert_int_equal(plan(&s, 50, 1, MIB).refused, 100); /* each generation by itself */
	end(&s, false);
}

static void none_is_fine(void **state)
{
	struct liveness_figures f;

	(void)state;
	assert_int_equal(liveness_plan(NULL, NULL, NULL, NULL, &f, NULL), 0);
	liveness_begin(NULL, "a");
	liveness_block(NULL, &at9, "", 0);
	assert_true(liveness_keep(NULL, &at9));
	liveness_list(NULL, "", 0, "", 0);
	liveness_extents(NULL, "0");
	liveness_end(NULL);
	liveness_drop(NULL);
	liveness_commit(NULL, "a");
	liveness_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_byte_counts_once),
	    cmocka_unit_test(what_is_mostly_dead_is_refused),
	    cmocka_unit_test(what_was_stopped_is_kept),
	    cmocka_unit_test(a_block_that_is_kept_is_known_as_before),
	    cmocka_unit_test(lists_are_followed),
	    cmocka_unit_test(many_lists_take_no_longer),
	    cmocka_unit_test(what_is_lost_or_damaged_refuses_nothing),
	    cmocka_unit_test(an_archive_without_its_layout_is_kept),
	    cmocka_unit_test(small_ones_become_one),
	    cmocka_unit_test(none_serves_for_ever),
	    cmocka_unit_test(none_is_fine),
	};

	return cmocka_run_group_tests(tests, scratch_setup_memory, scratch_teardown);
}
