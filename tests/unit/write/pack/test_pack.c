/* pack: every place that was given out holds the bytes that were put there, as stock tools see them; media
 * may fail. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "unit.h"
#include "packing.h"
#include "write/pack/pending.h"

#define MIB ((size_t)1 << 20)

static uint8_t any_id[DIGEST_LEN];

static const char *const one[] = {"a", NULL}, *const two[] = {"a", "b", NULL}, *const none[] = {NULL};

static bool same(const struct dedup_place *x, const struct dedup_place *y)
{
	return x->archive == y->archive && x->chunk == y->chunk && x->offset == y->offset &&
	       x->length == y->length && x->whole == y->whole;
}

static void put(struct packing *k, enum pack_stream s, uint64_t seed, size_t n, struct dedup_place *ret)
{
	uint8_t *p = malloc(n);
	struct err err = ERR_INIT;

	noise(p, n, seed);
	if (pack_chunk(k->pack, s, p, n, any_id, ret, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(ret->length, n);
	packing_expect_place(ret, p);
	free(p);
}

static int pack_small(struct packing *k, const void *p, size_t n, struct dedup_place *ret, struct err *err)
{
	uint8_t id[DIGEST_LEN];

	hmac_of(k->ids, p, n, id);
	return pack_small_id(k->pack, id, p, n, ret, err);
}

static void put_small(struct packing *k, uint64_t seed, size_t n, struct dedup_place *ret)
{
	uint8_t *p = malloc(n);
	struct err err = ERR_INIT;

	noise(p, n, seed);
	if (pack_small(k, p, n, ret, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(ret->length, n);
	packing_expect_place(ret, p);
	free(p);
}

static void finish(struct packing *k)
{
	struct err err = ERR_INIT;

	if (pack_finish(k->pack, &err))
		fail_msg("%s", err.msg);
}

/* The needed archives are files of the repository with these names and sizes. */
static void needed_are_there(struct packing *k, const char *repo, size_t want)
{
	struct dedup_archive *all = NULL;
	size_t n = 0;

	assert_int_equal(pack_needed(k->pack, &all, &n, NULL), 0);
	assert_int_equal(n, want);
	for (size_t i = 0; i < n; i++) {
		char hex[DIGEST_HEX];

		assert_true(!i || all[i].number > all[i - 1].number);
		assert_int_equal(
		    sh("test $(stat -c %%s %s/datasets/emr/archives/*/%s.age) = %llu", repo,
			digest_hex(all[i].sha256, DIGEST_LEN, hex), (unsigned long long)all[i].size),
		    0);
	}
	free(all);
}

/* What one run stores: all streams side by side, sizes from one byte to the largest. */
static void store_a_mixture(struct packing *k, struct dedup_place *places)
{
	static const size_t sizes[] = {1, 100, 262144, MIB, 4 * MIB, 4 * MIB - 1};

	for (unsigned i = 0; i < 6; i++) {
		put(k, PACK_BULK, 10 + i, sizes[i], &places[4 * i]);
		put_small(k, 20 + i, sizes[i] < 262144 ? sizes[i] : 262144 - i, &places[4 * i + 1]);
		put_small(k, 30 + i, 1 + i, &places[4 * i + 2]);
		put(k, PACK_CATALOG, 40 + i, 5000 + i, &places[4 * i + 3]);
	}
}

static void every_place_resolves(void **state)
{
	struct packing k;
	struct dedup_place places[24];
	size_t n;

	(void)state;
	packing_begin(&k, two, "ix", 3 * MIB);
	store_a_mixture(&k, places);
	finish(&k);
	packing_judge("a");
	packing_judge("b");
	assert_int_equal(sh("cd a && find datasets -type f | sort >../list && cd ../b && find datasets -type "
			    "f | sort | cmp - ../list"),
	    0);
	pack_published(k.pack, &n);
	assert_int_equal(sh("test $(wc -l <list) = %zu", n), 0);
	needed_are_there(&k, "a", n);
	assert_int_equal(pack_next_archive(k.pack), n + 1);
	assert_int_equal(count_names("a/tmp"), 0);
	packing_end(&k);
	packing_forget();
}

/* The same input gives the same places: a second host, or the same one after it has lost its index. */
static void places_are_repeatable(void **state)
{
	struct packing k;
	struct dedup_place first[24], second[24];

	(void)state;
	packing_begin(&k, one, "ix1", 3 * MIB);
	store_a_mixture(&k, first);
	packing_end(&k);
	packing_begin(&k, one, "ix2", 3 * MIB);
	store_a_mixture(&k, second);
	packing_end(&k);
	for (int i = 0; i < 24; i++)
		assert_true(same(&first[i], &second[i]));
	assert_int_equal(count_names("a/tmp"), 0); /* what was not finished is gone */
	packing_forget();
}

static void known_content_is_stored_once(void **state)
{
	struct dedup_place a, b;
	struct packing k;
	uint64_t before;
	size_t n;

	(void)state;
	packing_begin(&k, one, "ix", 64 * MIB);
	put(&k, PACK_BULK, 1, 300000, &a);
	put(&k, PACK_BULK, 1, 300000, &b);
	assert_true(same(&a, &b) && a.whole);
	put(&k, PACK_CATALOG, 1, 300000, &b);
	assert_true(same(&a, &b));
	put_small(&k, 2, 1000, &a);
	put_small(&k, 2, 1000, &b);
	assert_true(same(&a, &b) && !a.whole);
	put(&k, PACK_BULK, 2, 1000, &b); /* a slice of a bundle serves as a chunk too */
	assert_true(same(&a, &b));
	put(&k, PACK_CATALOG, 3, 2000, &a);
	put_small(&k, 3, 2000, &b);
	assert_true(same(&a, &b));
	put(&k, PACK_BULK, 1, 299999, &b); /* almost */
	assert_int_equal(pack_new_bytes(k.pack), 300000 + 1000 + 2000 + 299999);
	finish(&k);
	packing_judge("a");
	packing_end(&k);

	/* the next run: all of it is known, nothing is written, the old archives are needed */
	packing_begin(&k, one, "ix", 64 * MIB);
	before = pack_next_archive(k.pack);
	put(&k, PACK_BULK, 1, 300000, &b); /* not asked whether its archive is there: stored again */
	assert_int_equal(b.archive, before);
	packing_end(&k);
	packing_begin(&k, one, "ix", 64 * MIB);
	assert_int_equal(dedup_last_archive(k.dedup), before - 1); /* the one before was given up */
	finish(&k);
	pack_published(k.pack, &n);
	assert_int_equal(n, 0);
	needed_are_there(&k, "a", 0);
	packing_end(&k);
	packing_forget();
}

static int all_there(void *arg, const struct dedup_archive *a, struct err *err)
{
	(void)arg;
	(void)a;
	(void)err;
	return 1;
}

static void an_unchanged_run_writes_nothing(void **state)
{
	struct dedup_place first[24], second[24];
	struct packing k;
	size_t n, had;

	(void)state;
	packing_begin(&k, one, "ix", 3 * MIB);
	store_a_mixture(&k, first);
	finish(&k);
	pack_published(k.pack, &had);
	packing_end(&k);
	assert_int_equal(sh("ls -R a >before"), 0);
	packing_begin(&k, one, "ix", 3 * MIB);
	assert_int_equal(dedup_check_available(k.dedup, all_there, NULL, NULL), 0);
	store_a_mixture(&k, second);
	finish(&k);
	pack_published(k.pack, &n);
	assert_int_equal(n, 0);
	assert_int_equal(pack_new_bytes(k.pack), 0);
	needed_are_there(&k, "a", had);
	for (int i = 0; i < 24; i++)
		assert_true(same(&first[i], &second[i]));
	packing_end(&k);
	assert_int_equal(sh("ls -R a | cmp - before"), 0);
	packing_forget();
}

static void archives_keep_to_their_size(void **state)
{
	struct dedup_place pl;
	struct packing k;
	uint64_t largest = 0;

	(void)state;
	packing_begin(&k, one, "ix", 2 * MIB);
	for (uint64_t i = 0; i < 24; i++) {
		put(&k, PACK_BULK, 100 + i, 262144 + (i * 37 % 5) * 100000, &pl);
		put_small(&k, 200 + i, 200000, &pl);
		if (pl.archive > largest)
			largest = pl.archive;
	}
	finish(&k);
	packing_judge("a");
	/* full, and not by more than one chunk; only the last of each stream may be smaller */
	assert_int_equal(sh("awk '{ if ($2 > 2097152 + 1048576 + 8192) exit 1; if ($2 < 2097152) small++ } "
			    "END { exit small > 3 || NR < 5 }' "
			    "archives.list"),
	    0);
	packing_end(&k);
	packing_forget();
}

/* More small files than an archive can index: it is closed before, and no place is lost. */
static void more_small_files_than_an_archive_holds(void **state)
{
	struct dedup_place pl = {0};
	struct packing k;
	struct err err = ERR_INIT;
	uint64_t archives = 0, last = 0;

	(void)state;
	packing_begin(&k, one, "ix", 256 * MIB);
	for (uint32_t i = 0; i < PENDING_MAX + 3000; i++) {
		char text[32];
		int n = snprintf(text, sizeof(text), "file %u", i);

		assert_int_equal(pack_small(&k, text, (size_t)n, &pl, &err), 0);
		if (pl.archive != last)
			archives++;
		last = pl.archive;
		if (i % 1500 == 0 || i == PENDING_MAX - 1 || i == PENDING_MAX)
			packing_expect_place(&pl, text);
	}
	assert_int_equal(archives, 2);
	finish(&k);
	packing_judge("a");
	packing_end(&k);
	packing_forget();
}

/* ---- media that fail ---- */

static bool small_disk(const char *name, const char *size)
{
	mkdir(in_scratch(name), 0755);
	return !mount("none", in_scratch(name), "tmpfs", 0, size);
}

static void a_medium_that_fills_up_is_dropped(void **state)
{
	struct dedup_place places[24];
	struct packing k;

	(void)state;
	if (!small_disk("b", "size=5m"))
		skip();
	packing_begin(&k, two, "ix", 3 * MIB);
	store_a_mixture(&k, places);
	finish(&k);
	assert_false(k.sinks[0].failed);
	assert_true(k.sinks[1].failed);
	assert_string_equal(k.sinks[1].why.code, "E-PUBLISH-02");
	assert_non_null(strstr(k.sinks[1].why.msg, "No space left"));
	assert_int_equal(count_names("b/tmp"), 0);
	packing_judge("a");
	/* what the full one has is whole */
	assert_int_equal(sh("rm expected"), 0);
	packing_judge("b");
	packing_end(&k);
	assert_int_equal(umount(in_scratch("b")), 0);
	packing_forget();
}

static void the_last_medium_that_fails_ends_it(void **state)
{
	struct dedup_place pl;
	struct packing k;
	struct err err = ERR_INIT;
	uint8_t *p = malloc(MIB);
	int r = 0;

	(void)state;
	if (!small_disk("a", "size=3m") || !small_disk("b", "size=2m")) {
		free(p);
		skip();
	}
	packing_begin(&k, two, "ix", 64 * MIB);
	for (uint64_t i = 0; i < 10 && !r; i++) {
		noise(p, MIB, i);
		r = pack_chunk(k.pack, PACK_BULK, p, MIB, any_id, &pl, &err);
		if (i == 0)
			assert_int_equal(r, 0);
	}
	assert_int_equal(r, -1);
	assert_string_equal(err.code, "E-PUBLISH-02");
	assert_non_null(strstr(err.msg, "no medium is left to write to"));
	assert_non_null(strstr(err.msg, "No space left"));
	assert_true(k.sinks[0].failed && k.sinks[1].failed);
	packing_end(&k);
	assert_int_equal(sh("test $(find a/datasets b/datasets -type f | wc -l) = 0 && test $(ls -A a/tmp "
			    "b/tmp | grep -c stage) = 0"),
	    0);
	assert_int_equal(umount(in_scratch("a")), 0);
	assert_int_equal(umount(in_scratch("b")), 0);
	free(p);
	packing_forget();
}

static void without_any_medium(void **state)
{
	struct dedup_place pl;
	struct packing k;
	struct err err = ERR_INIT;

	(void)state;
	packing_begin(&k, none, "ix", MIB);
	(void)!pack_chunk(k.pack, PACK_BULK, "x", 1, any_id, &pl, NULL);
	assert_int_equal(pack_finish(k.pack, &err), -1);
	assert_string_equal(err.code, "E-PACK-01");
	packing_end(&k);
	packing_begin(&k, none, "ix", MIB);
	(void)!pack_small(&k, "x", 1, &pl, NULL);
	assert_int_equal(pack_finish(k.pack, &err), -1);
	packing_end(&k);
	pack_free(NULL);
	packing_forget();
}

/* It gets nothing of a data set that it is not to hold. */
static void a_medium_that_is_not_to_hold_the_set(void **state)
{
	struct dedup_place pl;
	struct packing k;

	(void)state;
	packing_begin(&k, two, "ix", 64 * MIB);
	k.sinks[1].elsewhere = true;
	put(&k, PACK_BULK, 1, 700000, &pl);
	finish(&k);
	assert_int_equal(
	    sh("test $(find a -name '*.age' | wc -l) = 1 && test $(find b -type f | wc -l) = 0"), 0);
	packing_judge("a");
	packing_end(&k);
	packing_forget();
}

/* All of a small set's night is one archive; a large one's content lies in three. */
static void a_small_set_is_one_archive(void **state)
{
	struct dedup_place bulk, small, catalog;
	struct packing k;

	(void)state;
	packing_begin(&k, one, "ix", 64 * MIB);
	put_small(&k, 1, 1000, &small);
	put(&k, PACK_BULK, 2, 700000, &bulk);
	put(&k, PACK_CATALOG, 3, 5000, &catalog);
	assert_true(small.archive == bulk.archive && bulk.archive == catalog.archive);
	put(&k, PACK_BULK, 4, PACK_TOGETHER, &bulk);
	put(&k, PACK_BULK, 5, 700000, &bulk);
	put(&k, PACK_CATALOG, 6, 5000, &catalog);
	put_small(&k, 7, 1000, &small);
	assert_true(small.archive != bulk.archive && bulk.archive != catalog.archive &&
		    small.archive != catalog.archive);
	finish(&k);
	packing_judge("a");
	/* the next set of the same run begins with one again, and finds nothing of the other */
	assert_int_equal(dedup_use(k.dedup, "documents", NULL), 0);
	assert_int_equal(pack_begin_set(k.pack, "documents", 64 * MIB, 1, NULL), 0);
	put(&k, PACK_BULK, 2, 700000, &bulk);
	put(&k, PACK_CATALOG, 3, 5000, &catalog);
	assert_true(bulk.archive == 1 && catalog.archive == 1);
	assert_int_equal(pack_new_bytes(k.pack), 705000);
	finish(&k);
	assert_int_equal(sh("test $(ls a/datasets/documents/archives/*/* | wc -l) = 1"), 0);
	packing_end(&k);
	packing_forget();
}

/* Pulled out, as far as a folder can be: its tmp/ is gone.  Each of the three streams meets it. */
static void a_medium_that_disappears(void **state)
{
	struct dedup_place pl;
	struct packing k;

	(void)state;
	packing_begin(&k, two, "ix", MIB);
	put(&k, PACK_BULK, 1, 700000, &pl);
	put_small(&k, 2, 1000, &pl);
	assert_int_equal(sh("rm -rf b"), 0);
	put(&k, PACK_BULK, 3, 700000, &pl); /* fills the archive: it is to be published */
	put(&k, PACK_CATALOG, 4, 1000, &pl);
	finish(&k);
	assert_false(k.sinks[0].failed);
	assert_true(k.sinks[1].failed);
	assert_true(strlen(k.sinks[1].why.msg) > 10);
	packing_judge("a");
	packing_end(&k);
	packing_forget();
}

/* Given up in the middle (the run failed): nothing of it is published or known. */
static void what_was_not_finished_is_not_there(void **state)
{
	struct dedup_place pl;
	struct packing k;

	(void)state;
	packing_begin(&k, two, "ix", 64 * MIB);
	put(&k, PACK_BULK, 1, 700000, &pl);
	put_small(&k, 2, 1000, &pl);
	assert_true(count_names("a/tmp") <= 2); /* what is sealed already is still under a temporary name */
	packing_end(&k);
	assert_int_equal(sh("test $(find a b -type f | wc -l) = 0"), 0);
	packing_begin(&k, one, "ix", 64 * MIB);
	assert_int_equal(dedup_last_archive(k.dedup), 0);
	packing_end(&k);
	packing_forget();
}

static void put_text(struct packing *k, enum pack_stream s, size_t seed, size_t n, struct dedup_place *ret)
{
	char *p = malloc(n + 40);

	for (size_t at = 0; at < n; at += 20)
		snprintf(p + at, 40, "record %12zu\n", at * seed);
	if (n <= 2000)
		assert_int_equal(pack_small(k, p, n, ret, NULL), 0);
	else
		assert_int_equal(pack_chunk(k->pack, s, p, n, any_id, ret, NULL), 0);
	packing_expect_place(ret, p);
	free(p);
}

/* Frames of both kinds lie in one archive; a bundle is of one data set's kind only; what is stored stays. */
static void each_data_set_has_its_compression(void **state)
{
	struct dedup_place a, b, c, d, again;
	struct packing k;

	(void)state;
	packing_begin(&k, one, "compression", 64 * MIB);
	put_text(&k, PACK_BULK, 1, MIB, &a);
	put_text(&k, PACK_BUNDLE, 2, 1000, &b);
	assert_int_equal(pack_compression(k.pack, CODEC_ZSTD, NULL), 0);
	put_text(&k, PACK_BULK, 3, MIB, &c);
	put_text(&k, PACK_BUNDLE, 4, 1000, &d);
	put_text(&k, PACK_BULK, 1, MIB, &again);
	assert_true(same(&a, &again));
	assert_true(d.archive == b.archive && d.chunk > b.chunk && d.offset == 0);
	put(&k, PACK_BULK, 5, MIB, &again); /* gains nothing: needs no zstd */
	assert_int_equal(pack_compression(k.pack, CODEC_LZ4, NULL), 0);
	put_text(&k, PACK_CATALOG, 6, MIB, &again);
	finish(&k);
	packing_end(&k);
	packing_judge("a");
	assert_int_equal(
	    sh("for f in a/datasets/emr/archives/*/*; do age -d -i identity $f | tar -t; done | sed "
	       "'s/.*[.]//' | sort | uniq -c | tr -s ' \\n' ' ' >names && "
	       "grep -qx ' 1 INDEX 4 lz4 2 zst ' names"),
	    0);
	packing_forget();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_place_resolves),
	    cmocka_unit_test(places_are_repeatable),
	    cmocka_unit_test(known_content_is_stored_once),
	    cmocka_unit_test(an_unchanged_run_writes_nothing),
	    cmocka_unit_test(archives_keep_to_their_size),
	    cmocka_unit_test(more_small_files_than_an_archive_holds),
	    cmocka_unit_test(a_medium_that_fills_up_is_dropped),
	    cmocka_unit_test(the_last_medium_that_fails_ends_it),
	    cmocka_unit_test(without_any_medium),
	    cmocka_unit_test(a_medium_that_is_not_to_hold_the_set),
	    cmocka_unit_test(a_small_set_is_one_archive),
	    cmocka_unit_test(a_medium_that_disappears),
	    cmocka_unit_test(what_was_not_finished_is_not_there),
	    cmocka_unit_test(each_data_set_has_its_compression),
	};

	return cmocka_run_group_tests(tests, packing_setup, scratch_teardown);
}
