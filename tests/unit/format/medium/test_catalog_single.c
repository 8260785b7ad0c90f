/* catalog_r: one path of many needs the block list and the block that can hold it, and no other: here each
 * block lies in an archive of its own, and all others are gone. */
#include <inttypes.h>

#include <archive_entry.h>

#include "unit.h"
#include "format/medium/catalog.h"
#include "lib/fixture.h"
#include "read/vault/arc_r.h"
#include "read/vault/catalog_r.h"

#define BLOCKS	  7
#define PER_BLOCK 50

static struct fixture fx;
static struct buf list = BUF_INIT(1 << 20);
static struct generation_dataset ds;
static char extents[300];

static char *path_of(unsigned i, char out[16])
{
	snprintf(out, 16, "d/%05u", i);
	return out;
}

static void add(struct catalog_writer *w, unsigned i)
{
	struct archive_entry *e = archive_entry_new();
	struct err err = ERR_INIT;
	char path[16];

	archive_entry_copy_pathname(e, path_of(i, path));
	archive_entry_set_filetype(e, AE_IFREG);
	archive_entry_set_perm(e, 0644);
	archive_entry_set_mtime(e, 1, 0);
	fixture_must(catalog_writer_add(w, e, "0", 1, runs_sha256, 0, &err), &err);
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
	for (unsigned b = 0; b < BLOCKS; b++) {
		fixture_archive(&fx, b + 1);
		fixture_must(catalog_writer_new(&w, &err), &err);
		for (unsigned i = 0; i < PER_BLOCK; i++)
			add(w, b * PER_BLOCK + i);
		block.n = 0;
		fixture_must(catalog_writer_finish(w, &block, &err), &err);
		snprintf(run, sizeof(run), "%u:%" PRIu32 ":0:%zu", b + 1,
		    fixture_chunk(&fx, block.p, block.n), block.n);
		fixture_must(buf_printf(&list, &err, "%s %d %s\n", fixture_runs(&fx, run), PER_BLOCK,
				 path_of(b * PER_BLOCK, path)),
		    &err);
		catalog_writer_free(w);
		fixture_seal(&fx);
	}
	fixture_archive(&fx, BLOCKS + 1);
	snprintf(run, sizeof(run), "%zu %d:%" PRIu32 ":0:%zu", list.n, BLOCKS + 1,
	    fixture_chunk(&fx, list.p, list.n), list.n);
	snprintf(extents, sizeof(extents), "%s", fixture_runs(&fx, run));
	fixture_seal(&fx);
	buf_free(&block);
	ds.name = (char *)(uintptr_t) "set";
	ds.blocks = extents;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	buf_free(&list);
	fixture_close(&fx);
	return 0;
}

static void one_path_needs_one_block(void **state)
{
	struct err err = ERR_INIT;
	struct catalog_item item;
	struct catalog_r *c;
	struct arc_r *a;
	char path[ARCFILE_PATH];
	unsigned i;
	(void)state;

	for (i = 0; i < BLOCKS; i++) /* the list and block 5 stay */
		if (i != 4)
			assert_int_equal(unlinkat(fx.dir, arcfile_path(fx.table[i].sha256, path), 0), 0);
	assert_int_equal(arc_r_new(&fx.store, &fx.root, &fx.id, 1, NULL, &a, &err), 0);
	assert_int_equal(catalog_r_open(a, &ds, &c, &err), 0);
	assert_int_equal(catalog_r_entries(c), BLOCKS * PER_BLOCK);
	for (i = 4 * PER_BLOCK; i < 5 * PER_BLOCK; i++) {
		if (catalog_r_find(c, path_of(i, path), &item, &err))
			fail_msg("%s: %s %s", path, err.code, err.msg);
		assert_string_equal(item.path, path);
	}
	assert_int_equal(catalog_r_find(c, "d/00225x", &item, &err), CATALOG_R_ABSENT);
	/* and from a place on, as list and extract go */
	catalog_r_seek(c, catalog_r_block_of(c, "d/00220"));
	for (i = 4 * PER_BLOCK; i < 5 * PER_BLOCK; i++)
		assert_int_equal(catalog_r_next(c, &item, &err), 0);
	/* the others are really gone */
	assert_int_equal(catalog_r_find(c, "d/00001", &item, &err), -1);
	assert_string_equal(err.code, "E-ARCHIVE-12");
	assert_int_equal(catalog_r_find(c, "d/00250", &item, &err), -1);
	catalog_r_close(c);
	arc_r_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(one_path_needs_one_block)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
