/* strata: who deletes or overwrites a little in all folders is told from who does much in one; what is remembered from night to night. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/clock.h"
#include "format/guard/guard.h"
#include "format/guard/signs.h"
#include "format/guard/strata.h"

#define DAY	((int64_t)86400 * SECOND_NS)
#define FOLDERS 8
#define FILES	100

static char root[] = "/srv/clinic", *roots[] = {root};
static char saved[1 << 20];
static uint64_t generation;
static unsigned now = 900; /* days; the newest file is of day 896 */

/* What one night brings: of each folder so many files, oldest first or those in the middle. */
struct night {
	unsigned deleted[FOLDERS], rewritten[FOLDERS];
	bool oldest;
};

static struct strata *open_strata(void)
{
	static char text[1 << 20];
	struct strata *s = NULL;

	assert_int_equal(strata_new(roots, 1, (int64_t)now * DAY, &s, NULL), 0);
	memcpy(text, saved, sizeof(text));
	strata_load(s, text);
	strata_begin(s);
	return s;
}

static void play(struct strata *s, const struct night *n)
{
	char path[64];

	for (unsigned f = 0; f < FOLDERS; f++)
		for (unsigned i = 0; i < FILES; i++) {
			int64_t mtime = (int64_t)(500 + 4 * i) * DAY;
			unsigned from = n->oldest || n->deleted[f] > FILES / 2 ? 0 : FILES / 2;
			bool gone = i >= from && i < from + n->deleted[f];

			snprintf(path, sizeof(path), "srv/clinic/folder%u/sub/%u.dat", f, i);
			if (gone)
				strata_gone(s, strata_of(s, path), mtime);
			else
				strata_seen(s, path, mtime);
			if (!gone && i < n->rewritten[f])
				strata_rewritten(s, strata_of(s, path));
		}
}

static struct guard night(const struct night *n, uint64_t since)
{
	BUF_AUTO b = BUF_INIT(sizeof(saved));
	struct strata *s = open_strata();
	struct guard g = {0};

	play(s, n);
	strata_judge(s, since, &g);
	assert_int_equal(strata_save(s, ++generation, &b, NULL), 0);
	assert_int_equal(buf_terminate(&b, NULL), 0);
	memcpy(saved, b.p, b.n + 1);
	strata_free(s);
	return g;
}

/* Thirty nights on which something is edited in two folders, and a file is deleted in one. */
static int learn(void **state)
{
	const struct night ordinary = {{1}, {3, 5}, false};
	(void)state;

	memset(saved, 0, sizeof(saved));
	generation = 0;
	for (int i = 0; i < 30; i++) {
		struct guard g = night(&ordinary, 0);

		assert_int_equal(g.removed_in, 0);
		assert_int_equal(g.rewritten_in, 0);
		assert_int_equal(g.folders, FOLDERS);
	}
	return 0;
}

static void a_little_everywhere(void **state)
{
	const struct night attack = {{3, 3, 3, 3, 3, 3, 3, 3}, {3, 5}, false},
			   overwrites = {{1}, {4, 6, 3, 3, 3, 3, 3, 3}, false};
	struct guard g = night(&attack, 0);
	(void)state;

	assert_true(g.removed_in >= 6 && g.removed >= 12);
	assert_int_equal(g.rewritten_in, 0);
	g = night(&overwrites, generation); /* a person has accepted the night before */
	assert_true(g.rewritten_in >= 6);
	assert_int_equal(g.removed_in, 0);
}

static void much_in_one_folder(void **state)
{
	const struct night project = {{1, 0, 45}, {3, 5}, false}, letters = {{1}, {3, 90}, false};
	struct guard g = night(&project, 0);
	(void)state;

	assert_int_equal(g.removed_in, 1);
	assert_int_equal(g.emptied, 0);
	g = night(&letters, 0);
	assert_int_equal(g.rewritten_in, 1);
}

static void slowly_everywhere(void **state)
{
	const struct night slow[] = {{{1, 1, 0, 1}, {3, 5}, false}, {{1, 0, 1, 0, 1}, {3, 5}, false},
	    {{1, 0, 0, 0, 0, 1, 1}, {3, 5}, false}};
	unsigned n = 0;
	(void)state;

	for (struct guard g = {0}; g.removed_in < 5; n++)
		g = night(&slow[n % 3], 0);
	assert_true(n <= 7);
	/* once a person has looked, it begins anew */
	assert_true(night(&slow[0], generation).removed_in < 3);
}

static void the_oldest_may_go(void **state)
{
	const struct night retention = {{30, 30, 30, 30, 30, 30, 30, 30}, {3, 5}, true};
	struct guard g = night(&retention, 0);
	(void)state;

	assert_int_equal(g.removed_in, 0);
	assert_int_equal(g.oldest, FOLDERS * 30);
	assert_int_equal(night(&retention, 0).removed_in, 0); /* nor is it summed up */
}

static void a_folder_that_is_emptied(void **state)
{
	const struct night all = {{1, 0, 0, 0, FILES}, {3, 5}, false};
	struct guard g;
	(void)state;

	now = 1000; /* nobody has worked there for a hundred days: it is archived */
	g = night(&all, 0);
	assert_int_equal(g.emptied, 0);
	assert_int_equal(g.oldest, FILES);
	now = 900;
	assert_int_equal(night(&all, 0).emptied, FILES);
}

static void anything_may_stand_in_the_file(void **state)
{
	static const char *const files[] = {"", "bkp-strata 2\nc 30\n",
	    "bkp-strata 1\nc 4000000000\ns 9 1 1\ns 0 zz 1\nn 0 1 99 1 1 1\n",
	    "bkp-strata 1\nn 0 ffffffffffffffffff 5 99999999999999999999999 1 1\n",
	    "bkp-strata 1\nc 60\ns 0 1 18446744073709551615\n"};
	const struct night ordinary = {{1}, {3, 5}, false};
	(void)state;

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
		memset(saved, 0, sizeof(saved));
		memcpy(saved, files[i], strlen(files[i]) + 1);
		night(&ordinary, 0);
	}
}

static void what_lies_in_the_root_and_beyond_the_table(void **state)
{
	struct strata *s;
	char path[64];
	(void)state;

	memset(saved, 0, sizeof(saved));
	s = open_strata();
	strata_seen(s, "srv/clinic/a.txt", 0);
	assert_int_equal(strata_of(s, "srv/clinic/b.txt").folder, strata_of(s, "srv/clinic/a.txt").folder);
	assert_int_not_equal(
	    strata_of(s, "srv/clinic/x/b.txt").folder, strata_of(s, "srv/clinic/a.txt").folder);
	assert_int_equal(
	    strata_of(s, "srv/clinic/x/y/b.txt").folder, strata_of(s, "srv/clinic/x/b.txt").folder);
	assert_int_not_equal(
	    strata_of(s, "srv/clinic/xy/b.txt").folder, strata_of(s, "srv/clinic/x/b.txt").folder);
	assert_int_not_equal(
	    strata_of(s, "srv/clinic/x/b.txt").extension, strata_of(s, "srv/clinic/x/b.pdf").extension);
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(path, sizeof(path), "srv/clinic/p%u/%u.x%u", i, i, i);
		assert_true(strata_of(s, path).folder < STRATA && strata_of(s, path).extension < STRATA);
	}
	strata_free(s);
}

/* ---- signs ---- */

static void new_files_that_are_not_what_they_are_called(void **state)
{
	static struct signs s;
	const struct profile text = {1, 1 << 10}, pdf = {3, 1 << 8}, opaque = {65, 15};
	uint64_t bytes;
	(void)state;

	signs_begin(&s);
	for (unsigned i = 0; i < 50; i++) {
		signs_seen(&s, "a/b.PDF", &pdf);
		signs_seen(&s, i % 5 ? "a/n.dat" : "a.b/n.dat", i % 2 ? &text : &opaque);
		if (i < SIGNS_LEAST - 1)
			signs_seen(&s, "a/rare.xyz", &text);
	}
	signs_new(&s, "x/new.pdf", &pdf, 10);
	signs_new(&s, "x/new.dat", &opaque, 10); /* half of them are */
	signs_new(&s, "x/rare.xyz", &opaque, 10);
	signs_new(&s, "x/never-seen.abc", &opaque, 10);
	signs_new(&s, "x/none", &opaque, 10);
	assert_int_equal(signs_alien(&s, &bytes), 0);
	signs_new(&s, "x/new.pdf", &opaque, 70);
	signs_new(&s, "x/text.pdf", &text, 5);
	assert_int_equal(signs_alien(&s, &bytes), 2);
	assert_int_equal(bytes, 75);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(a_little_everywhere, learn),
	    cmocka_unit_test_setup(much_in_one_folder, learn),
	    cmocka_unit_test_setup(slowly_everywhere, learn),
	    cmocka_unit_test_setup(the_oldest_may_go, learn),
	    cmocka_unit_test_setup(a_folder_that_is_emptied, learn),
	    cmocka_unit_test(anything_may_stand_in_the_file),
	    cmocka_unit_test(what_lies_in_the_root_and_beyond_the_table),
	    cmocka_unit_test(new_files_that_are_not_what_they_are_called),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
