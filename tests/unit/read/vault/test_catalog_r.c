/* catalog_r: streaming, finding and going backwards over the blocks of a catalog, damaged ones included. */
#include <inttypes.h>
#include <string.h>

#include <archive_entry.h>

#include "unit.h"
#include "base/path.h"
#include "lib/fixture.h"
#include "read/vault/arc_r.h"
#include "read/vault/catalog_r.h"

#define BLOCKS	  20
#define PER_BLOCK 30

static struct fixture fx;
static struct arc_r *arc;
static struct buf list = BUF_INIT((size_t)1 << 20);
static char extents[300];
static struct generation_dataset ds;

/* Entry i: "d07" is a folder, "d07/003" a file in it. */
static char *path_of(unsigned i, char out[16])
{
	if (i % PER_BLOCK == 0)
		snprintf(out, 16, "d%02u", i / PER_BLOCK % 100);
	else
		snprintf(out, 16, "d%02u/%03u", i / PER_BLOCK % 100, i % PER_BLOCK % 1000);
	return out;
}

static void add(struct catalog_writer *w, unsigned i)
{
	struct archive_entry *e = archive_entry_new();
	struct err err = ERR_INIT;
	char path[16];

	archive_entry_copy_pathname(e, path_of(i, path));
	archive_entry_set_mode(e, i % PER_BLOCK ? AE_IFREG | 0644 : AE_IFDIR | 0755);
	archive_entry_set_mtime(e, i, 0);
	fixture_must(catalog_writer_add(w, e, i % PER_BLOCK ? "0" : NULL, i % PER_BLOCK ? 1 : 0,
			 i % PER_BLOCK ? runs_sha256 : NULL, 0, &err),
	    &err);
	archive_entry_free(e);
}

static int setup(void **state)
{
	struct buf block = BUF_INIT(CATALOG_BLOCK_MAX);
	struct catalog_writer *w;
	struct err err = ERR_INIT;
	char path[16], run[100];
	(void)state;

	fixture_open(&fx);
	fixture_archive(&fx, 1);
	fixture_must(catalog_writer_new(&w, &err), &err);
	for (unsigned b = 0; b < BLOCKS; b++) {
		for (unsigned i = 0; i < PER_BLOCK; i++)
			add(w, b * PER_BLOCK + i);
		block.n = 0;
		fixture_must(catalog_writer_finish(w, &block, &err), &err);
		/* block 5 is listed with a wrong count: damaged, as the reader sees it */
		snprintf(
		    run, sizeof(run), "1:%" PRIu32 ":0:%zu", fixture_chunk(&fx, block.p, block.n), block.n);
		fixture_must(buf_printf(&list, &err, "%s %d %s\n", fixture_runs(&fx, run),
				 b == 5 ? PER_BLOCK + 1 : PER_BLOCK, path_of(b * PER_BLOCK, path)),
		    &err);
	}
	snprintf(
	    run, sizeof(run), "%zu 1:%" PRIu32 ":0:%zu", list.n, fixture_chunk(&fx, list.p, list.n), list.n);
	snprintf(extents, sizeof(extents), "%s", fixture_runs(&fx, run));
	fixture_seal(&fx);
	catalog_writer_free(w);
	buf_free(&block);
	ds.name = (char *)(uintptr_t) "set";
	ds.blocks = extents;
	fixture_must(arc_r_new(&fx.store, &fx.root, &fx.id, 1, NULL, &arc, &err), &err);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arc_r_free(arc);
	buf_free(&list);
	fixture_close(&fx);
	return 0;
}

static struct catalog_r *opened(void)
{
	struct err err = ERR_INIT;
	struct catalog_r *c = NULL;

	if (catalog_r_open(arc, &ds, &c, &err))
		fail_msg("%s %s", err.code, err.msg);
	return c;
}

static void streams_everything_and_names_the_lost_block_once(void **state)
{
	struct catalog_r *c = opened();
	struct catalog_item item;
	struct err err = ERR_INIT;
	unsigned i = 0, lost = 0;
	char path[16];
	int r;
	(void)state;

	assert_int_equal(catalog_r_blocks(c), BLOCKS);
	assert_int_equal(catalog_r_entries(c), BLOCKS * PER_BLOCK + 1);
	while ((r = catalog_r_next(c, &item, &err)) != CATALOG_END) {
		if (r == CATALOG_R_LOST) {
			assert_string_equal(err.code, "E-CATALOG-12");
			assert_int_equal(catalog_r_at(c), 5);
			lost++;
			continue;
		}
		assert_int_equal(r, 0);
		assert_string_equal(item.path, path_of(i++, path));
	}
	assert_int_equal(i, BLOCKS * PER_BLOCK);
	assert_int_equal(lost, 1);
	catalog_r_close(c);
}

static void finds_each_entry_and_nothing_else(void **state)
{
	static const char *absent[] = {
	    "a", "d00/", "d00/000", "d00/0000", "d03/030", "d03/0", "d99", "z", "d03a", "d19/029/x"};
	struct catalog_r *c = opened();
	struct catalog_item item;
	struct err err = ERR_INIT;
	char path[16];
	(void)state;

	for (unsigned i = 0; i < BLOCKS * PER_BLOCK; i++) {
		if (catalog_r_find(c, path_of(i, path), &item, &err))
			fail_msg("%s not found: %s", path, err.msg);
		assert_string_equal(item.path, path);
		assert_int_equal(archive_entry_mtime(item.entry), i);
	}
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++)
		assert_int_equal(catalog_r_find(c, absent[i], &item, &err), CATALOG_R_ABSENT);
	assert_int_equal(catalog_r_block_of(c, "a"), 0);
	assert_int_equal(catalog_r_block_of(c, "d07"), 7);
	assert_int_equal(catalog_r_block_of(c, "d07/999"), 7);
	assert_int_equal(catalog_r_block_of(c, "z"), BLOCKS - 1);
	catalog_r_close(c);
}

static void finding_does_not_disturb_streaming(void **state)
{
	struct catalog_r *c = opened();
	struct catalog_item item, found;
	struct err err = ERR_INIT;
	char path[16];
	(void)state;

	catalog_r_seek(c, 2);
	for (unsigned i = 2 * PER_BLOCK; i < 5 * PER_BLOCK; i++) {
		assert_int_equal(catalog_r_next(c, &item, &err), 0);
		assert_int_equal(catalog_r_find(c, "d19/029", &found, &err), 0);
		assert_string_equal(item.path, path_of(i, path));
	}
	catalog_r_close(c);
}

static int want_folders(void *arg, const struct catalog_item *item)
{
	(void)arg;
	return archive_entry_filetype(item->entry) == AE_IFDIR;
}

struct seen {
	unsigned folders, lost;
	char last[16];
};

static int each(void *arg, const struct catalog_item *item, struct err *err)
{
	struct seen *s = arg;

	if (!item) {
		assert_string_equal(err->code, "E-CATALOG-12");
		s->lost++;
		return 0;
	}
	assert_true(!s->folders || path_compare(item->path, s->last) < 0);
	snprintf(s->last, sizeof(s->last), "%s", item->path);
	s->folders++;
	return s->folders == 100 ? 7 : 0;
}

static void backwards_what_is_deep_comes_first(void **state)
{
	struct catalog_r *c = opened();
	struct err err = ERR_INIT;
	struct seen s = {0, 0, ""};
	(void)state;

	assert_int_equal(catalog_r_backwards(c, 0, BLOCKS - 1, want_folders, each, &s, &err), 0);
	assert_int_equal(s.folders, BLOCKS); /* the one of the damaged block too: it came before the damage */
	assert_int_equal(s.lost, 1);
	s = (struct seen){99, 0, "zz"};
	assert_int_equal(catalog_r_backwards(c, 0, 3, want_folders, each, &s, &err), 7);
	catalog_r_close(c);
}

static void malformed_lists_are_refused(void **state)
{
	static const char *bad[] = {"x", "1:0:0:5 1 a", "1:0:0:5 0 a\n", "1:0:0:5 01 a\n", "1:0:0:5 1 ../a\n",
	    "1:0:0:5 1 %zz\n", "1:0:0:5 1 \n", "1:0:0:5  1 a\n", "1:0:0:5 1 b\n1:0:0:5 1 a\n",
	    "1:0:0:5 1 a\n1:0:0:5 1 a\n", "1:0:0:5000000 1 a\n", "h:5 1 a\n", "@1:0:0:5 1 a\n", "\n"};
	struct fixture f;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct generation_dataset d = {.name = ds.name};
		struct catalog_r *c;
		struct err err = ERR_INIT;
		struct arc_r *a;
		char text[64], blocks[200];
		const char *entries;

		fixture_open(&f);
		fixture_archive(&f, 1);
		entries = runs_of(bad[i]);
		fixture_chunk(&f, entries, strlen(entries));
		fixture_seal(&f);
		f.root.archives = f.table;
		snprintf(text, sizeof(text), "%zu 1:0:0:%zu", strlen(entries), strlen(entries));
		snprintf(blocks, sizeof(blocks), "%s", fixture_runs(&f, text));
		d.blocks = blocks;
		assert_int_equal(arc_r_new(&f.store, &f.root, &f.id, 1, NULL, &a, &err), 0);
		if (!catalog_r_open(a, &d, &c, &err))
			fail_msg("'%s' was accepted", bad[i]);
		assert_string_equal(err.code, "E-CATALOG-11");
		arc_r_free(a);
		fixture_close(&f);
	}
}

static bool is_third(void *arg, const uint8_t key[DIGEST_LEN])
{
	return !memcmp(arg, key, DIGEST_LEN);
}

static void passes_over_the_block_of_that_key_alone(void **state)
{
	struct catalog_r *c = opened(), *again = opened();
	uint8_t key[DIGEST_LEN], other[DIGEST_LEN];
	struct catalog_item item;
	struct err err = ERR_INIT;
	unsigned n = 0;
	char first[16];
	int r;
	(void)state;

	catalog_r_block_key(c, 3, key);
	catalog_r_block_key(again, 3, other);
	assert_memory_equal(key, other, DIGEST_LEN);
	for (size_t i = 0; i < BLOCKS; i++) {
		catalog_r_block_key(c, i, other);
		assert_int_equal(!memcmp(key, other, DIGEST_LEN), i == 3);
	}
	catalog_r_skip(c, is_third, key);
	while ((r = catalog_r_next(c, &item, &err)) != CATALOG_END) {
		n += !r;
		assert_true(r || strncmp(item.path, path_of(3 * PER_BLOCK, first), 3) != 0);
	}
	assert_int_equal(n, (BLOCKS - 1) * PER_BLOCK);
	catalog_r_close(c);
	catalog_r_close(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(streams_everything_and_names_the_lost_block_once),
	    cmocka_unit_test(finds_each_entry_and_nothing_else),
	    cmocka_unit_test(finding_does_not_disturb_streaming),
	    cmocka_unit_test(backwards_what_is_deep_comes_first),
	    cmocka_unit_test(malformed_lists_are_refused),
	    cmocka_unit_test(passes_over_the_block_of_that_key_alone),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
