/* tally: what is gone and what appeared, matched; extset: which extensions are strange, and for how long. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>

#include "unit.h"
#include "format/guard/guard.h"
#include "format/guard/kind.h"
#include "write/capture/tally.h"
#include "write/index/extset.h"

#include "scratch.h"

#define DENSE (KIND_PLAIN | KIND_DENSE)

static uint8_t pdf;
static struct tally *t;
static struct guard g;

static int begin(void **state)
{
	(void)state;
	pdf = kind_of("%PDF-1.4", 8);
	return tally_new(&t, NULL) ? -1 : (tally_begin(t), 0);
}

static int end(void **state)
{
	(void)state;
	tally_free(t);
	return 0;
}

static void gone(const char *path, uint64_t ino, uint64_t size, int64_t mtime, uint8_t kind)
{
	assert_int_equal(tally_gone(t, path, &(struct tally_file){ino, size, mtime, {kind, 0}},
			     (struct strata_of){0, 0}, NULL),
	    0);
}

static void fresh(const char *path, uint64_t ino, uint64_t size, int64_t mtime, uint8_t kind)
{
	assert_int_equal(
	    tally_fresh(t, path,
		&(struct tally_file){ino, size, mtime, {kind, kind == DENSE ? PROFILE_SHARE : 0}}, false,
		NULL),
	    0);
}

static void figures(uint64_t added, uint64_t deleted, uint64_t renamed, uint64_t lost, uint64_t dense)
{
	tally_end(t, 1000, NULL, NULL, &g);
	assert_true(g.measured);
	assert_int_equal(g.added, added);
	assert_int_equal(g.deleted, deleted);
	assert_int_equal(g.renamed, renamed);
	assert_int_equal(g.lost, lost);
	assert_int_equal(g.dense, dense);
}

static void a_folder_that_was_moved(void **state)
{
	char path[64];
	(void)state;
	for (unsigned i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "a/%u.pdf", i);
		gone(path, i, 100 + i, 7, pdf);
	}
	for (unsigned i = 0; i < 500; i++) {
		snprintf(path, sizeof(path), "z/%u.pdf", i);
		fresh(
		    path, i < 250 ? i : 5000 + i, 100 + i, 7, pdf); /* half of it onto another file system */
	}
	figures(0, 0, 500, 0, 0);
	assert_int_equal(g.before, 1000);
}

static void names_with_something_behind(void **state)
{
	(void)state;
	gone("d/a.pdf", 1, 10, 1, pdf);
	fresh("d/a.pdf.locked", 9, 20, 2, DENSE);
	gone("d/b.txt", 2, 10, 1, KIND_PLAIN);
	fresh("d/b.txt.id-7.[x@y].enc", 8, 20, 2, DENSE);
	gone("d/c1", 3, 10, 1, KIND_PLAIN);
	fresh("d/c10", 7, 20, 2, KIND_PLAIN); /* another file */
	figures(1, 1, 2, 1, 2);
}

static void other_extension_and_same_inode(void **state)
{
	(void)state;
	gone("d/a.doc", 1, 10, 1, kind_of("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8));
	fresh("d/a.docx", 5, 12, 2, kind_of("PK\x03\x04", 4)); /* saved in another format: nothing is lost */
	gone("d/b.pdf", 2, 10, 1, pdf);
	fresh("d/xyz", 2, 16, 2, DENSE); /* encrypted in place, then a name of its own */
	gone("d/c.pdf", 3, 10, 1, pdf);
	fresh("e/other.pdf", 3, 99, 2, pdf); /* an inode that was used again elsewhere */
	figures(1, 1, 2, 1, 1);
}

static void replaced_by_names_that_tell_nothing(void **state)
{
	char path[64];
	(void)state;
	for (unsigned i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "d/f%u.pdf", i);
		gone(path, i, 100, 7, pdf);
		snprintf(path, sizeof(path), "d/f%u.x%u", 7000 + i, i);
		fresh(path, 9000 + i, 700, 9, i < 60 ? DENSE : pdf | KIND_DENSE);
	}
	figures(100, 100, 0, 0, 60);
}

static void kept_files(void **state)
{
	struct tally_file was = {1, 10, 5, {pdf, 0}}, now = was;
	(void)state;
	tally_kept(t, "a.pdf", &was, &now, TALLY_UNKNOWN); /* as it was, but could not be believed */
	now.ino = 2;
	tally_kept(t, "a.pdf", &was, &now, TALLY_UNKNOWN); /* on another disk */
	now.size = 11;
	tally_kept(t, "a.pdf", &was, &now, TALLY_ANOTHER);
	now = was;
	now.profile = (struct profile){DENSE, PROFILE_SHARE}; /* size and times put back */
	tally_kept(t, "a.pdf", &was, &now, TALLY_UNKNOWN);
	tally_end(t, 4, NULL, NULL, &g);
	assert_int_equal(g.changed, 2);
	assert_int_equal(g.lost, 1);
	assert_int_equal(g.before, 4);
}

static void more_than_is_kept(void **state)
{
	char path[64];
	size_t n = TALLY_MAX + TALLY_MAX / 2;
	(void)state;
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "a/%zu", i);
		gone(path, i, 100 + i, 7, KIND_PLAIN);
	}
	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "b/%zu", i);
		fresh(path, i, 100 + i, 7, KIND_PLAIN);
	}
	tally_end(t, n, NULL, NULL, &g);
	assert_int_equal(g.renamed, n);
	assert_int_equal(g.before, n);
}

static void strange_extensions(void **state)
{
	int dirfd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct extset *s;
	char path[64];
	(void)state;
	assert_int_equal(extset_open(dirfd, "docs", 1, false, &s, NULL), 0);
	assert_false(extset_see(s, "d/a.PDF"));
	assert_int_equal(extset_save(s, NULL), 0);
	extset_close(s);
	for (uint64_t run = 2; run < 40; run++) {
		assert_int_equal(extset_open(dirfd, "docs", run, true, &s, NULL), 0);
		assert_false(extset_see(s, "d/b.pdf"));
		assert_false(extset_see(s, "d/1.2.840.10008.5"));
		assert_false(extset_see(s, "d/.hidden"));
		assert_false(extset_see(s, "d.x/none"));
		if (run >= 10) /* strange for a fortnight */
			assert_int_equal(extset_see(s, "d/b.pdf.Locked"), run < 10 + GUARD_WINDOW);
		assert_int_equal(extset_save(s, NULL), 0);
		extset_close(s);
	}
	/* the file is lost while the rest is remembered: nothing is strange for a fortnight */
	assert_int_equal(sh("rm docs.ext"), 0);
	assert_int_equal(extset_open(dirfd, "docs", 40, true, &s, NULL), 0);
	assert_false(extset_see(s, "d/b.xyz"));
	extset_close(s);
	assert_int_equal(sh("head -c 4000 /dev/urandom >docs.ext"), 0);
	assert_int_equal(extset_open(dirfd, "docs", 41, true, &s, NULL), 0);
	assert_false(extset_see(s, "d/b.xyz"));
	extset_close(s);
	/* extensions of its own kind for each file: after a while nothing is strange */
	assert_int_equal(extset_open(dirfd, "many", 1, false, &s, NULL), 0);
	for (unsigned i = 0; i < 2 * EXTSET_MAX; i++) {
		snprintf(path, sizeof(path), "d/f.x%u", i);
		assert_false(extset_see(s, path));
	}
	assert_int_equal(extset_save(s, NULL), 0);
	extset_close(s);
	assert_int_equal(extset_open(dirfd, "many", 2, true, &s, NULL), 0);
	assert_false(extset_see(s, "d/f.never"));
	extset_close(s);
	close(dirfd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(a_folder_that_was_moved, begin, end),
	    cmocka_unit_test_setup_teardown(names_with_something_behind, begin, end),
	    cmocka_unit_test_setup_teardown(other_extension_and_same_inode, begin, end),
	    cmocka_unit_test_setup_teardown(replaced_by_names_that_tell_nothing, begin, end),
	    cmocka_unit_test_setup_teardown(kept_files, begin, end),
	    cmocka_unit_test_setup_teardown(more_than_is_kept, begin, end),
	    cmocka_unit_test_setup_teardown(strange_extensions, scratch_setup_memory, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
