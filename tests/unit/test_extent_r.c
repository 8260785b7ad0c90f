/* extent_r and arc_r: the bytes of a file from archives, and what happens when they are not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "../lib/fixture.h"
#include "read/arc_r.h"
#include "read/extent_r.h"

static struct fixture fx;
static char big[300000];

static int setup(void **state)
{
	(void)state;
	fixture_open(&fx);
	randombytes_buf(big, sizeof(big)); /* does not compress: more than one segment */
	fixture_archive(&fx, 7);
	fixture_chunk(&fx, "abcdefghij", 10);
	fixture_chunk(&fx, "KLMNOPQRST", 10);
	fixture_chunk(&fx, "7:0:2:3 h:4 7:1:0:1", 19); /* chunk 2: a list, 8 bytes of file */
	fixture_chunk(&fx, "7:0:0:10 ", 9);	       /* chunks 3, 4: a list cut within a run */
	fixture_chunk(&fx, "7:1:0:10", 8);
	fixture_chunk(&fx, "@7:0:0:5", 8);
	fixture_seal(&fx);
	fixture_archive(&fx, 9);
	fixture_chunk(&fx, big, sizeof(big));
	fixture_seal(&fx);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_close(&fx);
	return 0;
}

static struct arc_r *reader(const struct arc_r_options *opt)
{
	struct err err = ERR_INIT;
	struct arc_r *a;

	assert_int_equal(arc_r_new(fx.dir, &fx.root, &fx.id, 1, opt, &a, &err), 0);
	return a;
}

static int gather(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	struct buf *b = arg;

	assert_int_equal(at, b->n);
	if (p)
		return buf_append(b, p, n, err);
	while (n--)
		if (buf_append(b, ".", 1, err))
			return -1;
	return 0;
}

static void check(const char *extents, const char *want)
{
	struct arc_r *a = reader(NULL);
	BUF_AUTO got = BUF_INIT(1000);
	struct err err = ERR_INIT;

	if (extent_r_each(a, extents, strlen(extents), gather, &got, &err))
		fail_msg("%s: %s %s", extents, err.code, err.msg);
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.n ? (char *)got.p : "", want, strlen(want));
	arc_r_free(a);
}

static void refused(const char *extents, const char *code)
{
	struct arc_r *a = reader(NULL);
	BUF_AUTO got = BUF_INIT(1000);
	struct err err = ERR_INIT;

	if (!extent_r_each(a, extents, strlen(extents), gather, &got, &err))
		fail_msg("'%s' was accepted", extents);
	if (strcmp(err.code, code) != 0)
		fail_msg("'%s': %s instead of %s (%s)", extents, err.code, code, err.msg);
	arc_r_free(a);
}

static void runs_and_holes_in_order(void **state)
{
	(void)state;
	check("0", "");
	check("5 7:0:2:5", "cdefg");
	check("14 7:0:8:4 h:3 7:1:9:1 h:6", "ijKL...T......");
	check("20 7:0:0:20", "abcdefghijKLMNOPQRST");
}

static void lists_behind_at(void **state)
{
	(void)state;
	check("8 @7:2:0:19", "cde....K");
	check("20 @7:3:0:17", "abcdefghijKLMNOPQRST");
	check("30 7:0:0:10 @7:3:0:9 @7:4:0:8", "abcdefghijabcdefghijKLMNOPQRST");
}

static void wrong_lists_are_refused(void **state)
{
	(void)state;
	refused("", "E-EXTENT-01");
	refused("5 7:0:0:4", "E-EXTENT-02");
	refused("5 7:0:0:6", "E-EXTENT-02");
	refused("5", "E-EXTENT-02");
	refused("5 8:0:0:5", "E-ARCHIVE-11");
	refused("5 7:6:0:5", "E-ARCHIVE-15");
	refused("5 7:0:10:5", "E-EXTENT-11");
	refused("100 7:5:0:100", "E-ARCHIVE-15"); /* goes on behind the last chunk */
	refused("9 @7:2:0:19", "E-EXTENT-02");
	refused("5 @7:5:0:8", "E-EXTENT-12");
	refused("5 @7:0:0:5", "E-EXTENT-01");
	refused("5 h:5 @7:0:0:0", "E-EXTENT-01");
}

static void a_callback_can_stop(void **state)
{
	struct arc_r *a = reader(NULL);
	BUF_AUTO got = BUF_INIT(3); /* appending more fails */
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(extent_r_each(a, "5 7:0:0:5", 9, gather, &got, &err), -1);
	assert_string_equal(err.code, "E-MEM-02");
	arc_r_free(a);
}

static void one_open_archive_and_a_tiny_cache_do(void **state)
{
	struct arc_r *a = reader(&(struct arc_r_options){.max_open = 1, .cache_bytes = 1});
	const struct arc_r_chunk *x, *y;
	struct err err = ERR_INIT;
	(void)state;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(arc_r_get(a, 7, 0, &x, &err), 0);
		assert_int_equal(arc_r_get(a, 9, 0, &y, &err), 0);
		assert_memory_equal(x->p, "abcdefghij", 10); /* held: not dropped */
		assert_memory_equal(y->p, big, sizeof(big));
		arc_r_put(a, x);
		arc_r_put(a, y);
	}
	arc_r_free(a);
}

static void change_byte(size_t which, off_t at)
{
	char path[ARCFILE_PATH], b;
	int fd = openat(fx.dir, arcfile_path(fx.table[which].sha256, path), O_RDWR);

	assert_true(fd >= 0);
	at = at < 0 ? lseek(fd, 0, SEEK_END) + at : at;
	assert_int_equal(pread(fd, &b, 1, at), 1);
	b ^= 1;
	assert_int_equal(pwrite(fd, &b, 1, at), 1);
	close(fd);
}

static void a_flipped_bit_is_found_with_and_without_the_hash(void **state)
{
	const struct arc_r_chunk *c;
	struct err err = ERR_INIT;
	struct arc_r *a;
	(void)state;

	change_byte(1, 1000);
	a = reader(NULL);
	for (int i = 0; i < 2; i++) { /* the second time from memory, the same words */
		assert_int_equal(arc_r_get(a, 9, 0, &c, &err), -1);
		assert_string_equal(err.code, "E-ARCHIVE-14");
		assert_non_null(strstr(err.msg, "archives/"));
	}
	assert_int_equal(arc_r_get(a, 7, 0, &c, &err), 0); /* the other archive is unharmed */
	arc_r_put(a, c);
	arc_r_free(a);
	a = reader(&(struct arc_r_options){.unhashed = true});
	assert_int_equal(arc_r_get(a, 9, 0, &c, &err), -1);
	assert_string_equal(err.code, "E-AGE-04");
	assert_non_null(strstr(err.msg, "chunk 0 at offset 512"));
	arc_r_free(a);
	change_byte(1, 1000);
}

static void another_identity_opens_nothing(void **state)
{
	struct age_identity other;
	const struct arc_r_chunk *c;
	struct err err = ERR_INIT;
	struct arc_r *a;
	(void)state;

	age_identity_generate(&fixture_random, &other);
	assert_int_equal(arc_r_new(fx.dir, &fx.root, &other, 1, NULL, &a, &err), 0);
	assert_int_equal(arc_r_get(a, 7, 0, &c, &err), -1);
	assert_string_equal(err.code, "E-AGE-03");
	arc_r_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(runs_and_holes_in_order),
	    cmocka_unit_test(lists_behind_at),
	    cmocka_unit_test(wrong_lists_are_refused),
	    cmocka_unit_test(a_callback_can_stop),
	    cmocka_unit_test(one_open_archive_and_a_tiny_cache_do),
	    cmocka_unit_test(a_flipped_bit_is_found_with_and_without_the_hash),
	    cmocka_unit_test(another_identity_opens_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
