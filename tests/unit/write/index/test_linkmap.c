/* linkmap: the second name of a file finds the first; nothing stays behind. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "scratch.h"
#include "write/index/linkmap.h"

static struct linkmap *open_map(void)
{
	struct linkmap *m = NULL;
	struct err err = ERR_INIT;

	if (linkmap_open(in_scratch("links"), &m, &err))
		fail_msg("%s", err.msg);
	return m;
}

/* 1 and the path, or 0. */
static int find(
    struct linkmap *m, dev_t dev, ino_t ino, const char *path, const char *extents, unsigned flags)
{
	BUF_AUTO p = BUF_INIT(4 << 20);
	BUF_AUTO x = BUF_INIT(32 << 20);
	unsigned got = 4711;
	int r = linkmap_find(m, dev, ino, &p, &x, &got, NULL);

	if (r == 1) {
		assert_string_equal((char *)p.p, path);
		assert_int_equal(x.n, extents ? strlen(extents) : 0);
		if (extents)
			assert_memory_equal(x.p, extents, x.n);
		assert_int_equal(got, flags);
	} else {
		assert_int_equal(p.n, 0);
		assert_int_equal(got, 4711);
	}
	return r;
}

static void add(struct linkmap *m, dev_t dev, ino_t ino, uint64_t names, const char *path,
    const char *extents, unsigned flags)
{
	assert_int_equal(
	    linkmap_add(m, dev, ino, names, path, extents, extents ? strlen(extents) : 0, flags, NULL), 0);
}

static void found_as_often_as_there_are_names(void **state)
{
	struct linkmap *m = open_map();

	(void)state;
	assert_int_equal(find(m, 1, 2, "", NULL, 0), 0);
	add(m, 1, 2, 3, "srv/\xff\xfe first", "5 1:2:3:5", 7);
	for (int i = 0; i < 3; i++)
		assert_int_equal(find(m, 1, 2, "srv/\xff\xfe first", "5 1:2:3:5", 7), 1);
	assert_int_equal(find(m, 1, 2, "", NULL, 0), 0);
	/* the number is used again by another file */
	add(m, 1, 2, 1, "other", NULL, 0);
	assert_int_equal(find(m, 1, 2, "other", NULL, 0), 1);
	assert_int_equal(find(m, 1, 2, "", NULL, 0), 0);
	linkmap_close(m);
}

static void device_and_inode_both_count(void **state)
{
	static const uint64_t n[] = {0, 1, 2, 0x100, UINT32_MAX, UINT64_C(1) << 32, UINT64_MAX};
	struct linkmap *m = open_map();
	char path[64];

	(void)state;
	for (size_t i = 0; i < 7; i++)
		for (size_t k = 0; k < 7; k++) {
			snprintf(path, sizeof(path), "%zu-%zu", i, k);
			assert_int_equal(find(m, n[i], n[k], "", NULL, 0), 0);
			add(m, n[i], n[k], 1, path, path, (unsigned)i);
		}
	for (size_t i = 0; i < 7; i++)
		for (size_t k = 0; k < 7; k++) {
			snprintf(path, sizeof(path), "%zu-%zu", i, k);
			assert_int_equal(find(m, n[i], n[k], path, path, (unsigned)i), 1);
		}
	linkmap_close(m);
}

/* More than one transaction holds, and entries of every length. */
static void many_files_with_long_names(void **state)
{
	struct linkmap *m = open_map();
	char *path = malloc(5000), *extents = malloc(40000);

	(void)state;
	for (int round = 0; round < 2; round++)
		for (ino_t i = 0; i < 6000; i++) {
			size_t n = 1 + i * 7 % 4000, x = i % 100 ? i % 50 : 32768;

			memset(path, 'p', n);
			path[n] = '\0';
			memset(extents, 'x', x);
			extents[x] = '\0';
			if (!round)
				add(m, 1, i, 2, path, x ? extents : NULL, (unsigned)i);
			else
				assert_int_equal(find(m, 1, i, path, x ? extents : NULL, (unsigned)i), 1);
		}
	free(path);
	free(extents);
	linkmap_close(m);
}

static void one_file_with_sixty_five_thousand_names(void **state)
{
	struct linkmap *m = open_map();

	(void)state;
	add(m, 1, 1, 64999, "first", "10 1:0:0:10", 0);
	for (int i = 0; i < 64999; i++)
		if (!find(m, 1, 1, "first", "10 1:0:0:10", 0))
			fail_msg("lost after %d names", i);
	assert_int_equal(find(m, 1, 1, "", NULL, 0), 0);
	linkmap_close(m);
}

static void nothing_stays_behind_and_rubbish_does_not_matter(void **state)
{
	struct linkmap *m = open_map();
	struct err err = ERR_INIT;

	(void)state;
	add(m, 1, 1, 1, "first", NULL, 0);
	linkmap_close(m);
	assert_int_equal(count_names("links"), 0);
	m = open_map();
	assert_int_equal(find(m, 1, 1, "", NULL, 0), 0);
	linkmap_close(m);
	assert_int_equal(
	    sh("head -c 100000 /dev/urandom >links/data.mdb; head -c 10000 /dev/urandom >links/lock.mdb"), 0);
	m = open_map();
	add(m, 1, 1, 1, "first", NULL, 0);
	assert_int_equal(find(m, 1, 1, "first", NULL, 0), 1);
	linkmap_close(m);
	linkmap_close(NULL);
	put_file("a_file", "x", 1);
	m = NULL;
	assert_int_equal(linkmap_open(in_scratch("a_file"), &m, &err), -1);
	assert_string_equal(err.code, "E-LINK-01");
	assert_int_equal(linkmap_open(in_scratch("no/such/place"), &m, &err), -1);
	assert_null(m);
	assert_int_equal(sh("test -s a_file"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(found_as_often_as_there_are_names),
	    cmocka_unit_test(device_and_inode_both_count),
	    cmocka_unit_test(many_files_with_long_names),
	    cmocka_unit_test(one_file_with_sixty_five_thousand_names),
	    cmocka_unit_test(nothing_stays_behind_and_rubbish_does_not_matter),
	};

	return cmocka_run_group_tests(tests, scratch_setup_memory, scratch_teardown);
}
