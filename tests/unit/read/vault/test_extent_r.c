/* extent_r and arc_r: the bytes of a file from archives, and what happens when they are not there. */
#include <string.h>

#include "unit.h"
#include "lib/fixture.h"
#include "read/vault/arc_r.h"
#include "read/vault/extent_r.h"

static struct fixture fx;
static char big[300000];
static size_t list_len[FIXTURE_CHUNKS];

/* Lists that stand in archives, and how long they are there. */
static void chunk_of_text(const char *runs, size_t from, size_t most)
{
	const char *s = fixture_runs(&fx, runs) + from;
	size_t n = strlen(s) < most ? strlen(s) : most;

	list_len[fixture_chunk(&fx, s, n)] = n;
}

static int setup(void **state)
{
	(void)state;
	fixture_open(&fx);
	randombytes_buf(big, sizeof(big)); /* does not compress: more than one segment */
	fixture_archive(&fx, 7);
	fixture_chunk(&fx, "abcdefghij", 10);
	fixture_chunk(&fx, "KLMNOPQRST", 10);
	chunk_of_text("7:0:2:3 h:4 7:1:0:1", 0, SIZE_MAX); /* chunk 2: a list, 8 bytes of file */
	chunk_of_text("7:0:0:10 7:1:0:10", 0, 40);	   /* chunks 3, 4: a list cut within a run */
	chunk_of_text("7:0:0:10 7:1:0:10", 40, SIZE_MAX);
	chunk_of_text("@7:0:0:5", 0, SIZE_MAX);
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

	assert_int_equal(arc_r_new(&fx.store, &fx.root, &fx.id, 1, opt, &a, &err), 0);
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

static void check(const char *runs, const char *want)
{
	const char *extents = fixture_runs(&fx, runs);
	struct arc_r *a = reader(NULL);
	BUF_AUTO got = BUF_INIT(1000);
	struct err err = ERR_INIT;

	if (extent_r_each(a, extents, strlen(extents), gather, &got, &err))
		fail_msg("%s: %s %s", extents, err.code, err.msg);
	assert_int_equal(got.n, strlen(want));
	assert_memory_equal(got.n ? (char *)got.p : "", want, strlen(want));
	arc_r_free(a);
}

static void refused_text(const char *extents, const char *code)
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

static void refused(const char *runs, const char *code)
{
	refused_text(fixture_runs(&fx, runs), code);
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
	char runs[200];
	(void)state;

	snprintf(runs, sizeof(runs), "8 @7:2:0:%zu", list_len[2]);
	check(runs, "cde....K");
	snprintf(runs, sizeof(runs), "20 @7:3:0:%zu", list_len[3] + list_len[4]);
	check(runs, "abcdefghijKLMNOPQRST");
	snprintf(runs, sizeof(runs), "30 7:0:0:10 @7:3:0:%zu @7:4:0:%zu", list_len[3], list_len[4]);
	check(runs, "abcdefghijabcdefghijKLMNOPQRST");
}

/* Swaps the digests of the first two runs of a text. */
static const char *swapped(const char *runs, char out[1000])
{
	char *one, *two, hex[2 * DIGEST_LEN];

	snprintf(out, 1000, "%s", fixture_runs(&fx, runs));
	one = strchr(strchr(out, ' ') + 1, ' ') - 2 * DIGEST_LEN;
	two = one + 2 * DIGEST_LEN + strcspn(one + 2 * DIGEST_LEN + 1, " ") + 1 - 2 * DIGEST_LEN;
	memcpy(hex, one, sizeof(hex));
	memcpy(one, two, sizeof(hex));
	memcpy(two, hex, sizeof(hex));
	return out;
}

/* What an index with two places swapped leads to: chunks that are whole and good, but another file's. */
static void what_was_not_captured_is_not_given_out(void **state)
{
	struct arc_r *a = reader(NULL);
	BUF_AUTO got = BUF_INIT(1000);
	struct err err = ERR_INIT;
	char out[1000];
	(void)state;

	refused_text(swapped("20 7:0:0:10 7:1:0:10", out), "E-EXTENT-13"); /* whole chunks */
	refused_text(swapped("6 7:0:1:3 7:1:1:3", out), "E-EXTENT-13");	   /* slices */
	refused_text(swapped("20 @7:3:0:10 @7:4:0:10", out), "E-EXTENT-13");
	refused_text(runs_of("20 7:0:0:20"), "E-EXTENT-13"); /* merged */
	refused_text(runs_of("15 7:0:5:15"), "E-EXTENT-13"); /* from inside one chunk over its end */
	check("15 7:0:5:15", "fghijKLMNOPQRST");
	/* the run in front was right and was given out, of the wrong one nothing was */
	snprintf(out, sizeof(out), "%s %s", fixture_runs(&fx, "20 7:0:0:10"), runs_of("7:1:0:10"));
	assert_int_equal(extent_r_each(a, out, strlen(out), gather, &got, &err), -1);
	assert_int_equal(got.n, 10);
	arc_r_free(a);
}

static int ignore(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	(void)arg, (void)at, (void)p, (void)n, (void)err;
	return 0;
}

static void whole(const char *runs, const uint8_t *sha256, const char *code)
{
	const char *extents = fixture_runs(&fx, runs);
	struct arc_r *a = reader(NULL);
	struct err err = ERR_INIT;
	int r = extent_r_file(a, extents, strlen(extents), sha256, ignore, NULL, &err);

	if (r != (code ? -1 : 0) || (code && strcmp(err.code, code) != 0))
		fail_msg("'%s': %s %s instead of %s", runs, err.code, err.msg, code ? code : "nothing");
	arc_r_free(a);
}

static void a_whole_file_is_held_against_its_sha256(void **state)
{
	uint8_t right[DIGEST_LEN], empty[DIGEST_LEN];
	char list[100];
	(void)state;

	digest_sha256("ij\0\0\0K", 6, right);
	digest_sha256("", 0, empty);
	whole("6 7:0:8:2 h:3 7:1:0:1", right, NULL);
	whole("0", empty, NULL);
	whole("6 7:0:8:2 h:3 7:1:0:1", empty, "E-EXTENT-14");
	whole("6 7:0:8:2 h:3 7:1:0:1", NULL, "E-EXTENT-14");
	/* a file that is nearly all hole has none, and must not be given one */
	whole("1073741825 h:1073741825", NULL, NULL);
	whole("1073741825 h:1073741825", right, "E-EXTENT-14");
	whole("1073741824 h:1073741824", NULL, "E-EXTENT-14");
	snprintf(list, sizeof(list), "8 @7:2:0:%zu", list_len[2]);
	whole(
	    list, NULL, "E-EXTENT-14"); /* only when its list was read is it known that there should be one */
}

static void an_index_that_was_not_signed_is_not_believed(void **state)
{
	const struct arc_r_chunk *c;
	struct arcfile_chunk look;
	struct err err = ERR_INIT;
	struct arc_r *a = reader(NULL);
	(void)state;

	fx.table[0].index_sha256[5] ^= 1;
	assert_int_equal(arc_r_look(a, 7, 0, &look, &err), -1);
	assert_string_equal(err.code, "E-ARCHIVE-14");
	assert_non_null(strstr(err.msg, "archives/"));
	assert_int_equal(arc_r_get(a, 7, 0, &c, &err), -1);
	assert_string_equal(err.code, "E-ARCHIVE-14");
	fx.table[0].index_sha256[5] ^= 1;
	arc_r_free(a);
	/* the same INDEX, but the id is of other bytes: as who knows the recipients, and not the key, would
	 * make it */
	fx.root.chunk_id_key[0] ^= 1;
	a = reader(NULL);
	assert_int_equal(arc_r_get(a, 7, 0, &c, &err), -1);
	assert_string_equal(err.code, "E-ARCHIVE-17");
	assert_non_null(strstr(err.msg, "chunk 0 at offset 512"));
	fx.root.chunk_id_key[0] ^= 1;
	arc_r_free(a);
}

static void wrong_lists_are_refused(void **state)
{
	char list[100];
	(void)state;
	refused("", "E-EXTENT-01");
	refused("5 7:0:0:4", "E-EXTENT-02");
	refused("5 7:0:0:6", "E-EXTENT-02");
	refused("5", "E-EXTENT-02");
	refused("5 8:0:0:5", "E-ARCHIVE-11");
	refused("5 7:6:0:5", "E-ARCHIVE-15");
	refused("5 7:0:10:5", "E-EXTENT-11");
	refused("1000 7:5:0:1000", "E-ARCHIVE-15"); /* goes on behind the last chunk */
	snprintf(list, sizeof(list), "9 @7:2:0:%zu", list_len[2]);
	refused(list, "E-EXTENT-02");
	snprintf(list, sizeof(list), "5 @7:5:0:%zu", list_len[5]);
	refused(list, "E-EXTENT-12");
	refused("5 @7:0:0:5", "E-EXTENT-01");
	refused("5 h:5 @7:0:0:0", "E-EXTENT-01");
}

static void a_callback_can_stop(void **state)
{
	struct arc_r *a = reader(NULL);
	const char *text_ = fixture_runs(&fx, "5 7:0:0:5");
	BUF_AUTO got = BUF_INIT(3); /* appending more fails */
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(extent_r_each(a, text_, strlen(text_), gather, &got, &err), -1);
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

/* In a chunk, and in INDEX: what is unharmed can be had. */
static void a_flipped_bit_costs_what_it_is_in(void **state)
{
	const struct arc_r_chunk *c;
	struct err err = ERR_INIT;
	struct arc_r *a;
	(void)state;

	change_byte(1, 1000);
	a = reader(NULL);
	assert_int_equal(arc_r_get(a, 9, 0, &c, &err), -1);
	assert_string_equal(err.code, "E-AGE-04");
	assert_non_null(strstr(err.msg, "chunk 0 at offset 512"));
	assert_int_equal(arc_r_get(a, 7, 0, &c, &err), 0); /* the other archive is unharmed */
	arc_r_put(a, c);
	arc_r_free(a);
	change_byte(1, 1000);
	change_byte(1, -10);
	a = reader(NULL);
	for (int i = 0; i < 2; i++) { /* the second time from memory, the same words */
		assert_int_equal(arc_r_get(a, 9, 0, &c, &err), -1);
		assert_string_equal(err.code, "E-AGE-04");
		assert_non_null(strstr(err.msg, "archives/"));
	}
	arc_r_free(a);
	change_byte(1, -10);
}

static void another_identity_opens_nothing(void **state)
{
	struct age_identity other;
	const struct arc_r_chunk *c;
	struct err err = ERR_INIT;
	struct arc_r *a;
	(void)state;

	age_identity_generate(&fixture_random, &other);
	assert_int_equal(arc_r_new(&fx.store, &fx.root, &other, 1, NULL, &a, &err), 0);
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
	    cmocka_unit_test(a_flipped_bit_costs_what_it_is_in),
	    cmocka_unit_test(what_was_not_captured_is_not_given_out),
	    cmocka_unit_test(a_whole_file_is_held_against_its_sha256),
	    cmocka_unit_test(an_index_that_was_not_signed_is_not_believed),
	    cmocka_unit_test(another_identity_opens_nothing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
