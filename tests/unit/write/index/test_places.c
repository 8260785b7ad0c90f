/* places: what was kept of archives is carried by one generation, read again as it was, and what is malformed is refused with its line. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/age.h"
#include "format/medium/generation.h"
#include "scratch.h"
#include "write/index/places.h"

static const struct generation_id id = {
    "11111111-2222-4333-8444-555555555555", "emr", "99999999-8888-4777-8666-abcdefabcdef", 42};

static int cache_fd(void)
{
	int fd = open(in_scratch("cache"), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static struct dedup_archive archive_of(uint64_t number)
{
	return (struct dedup_archive){
	    number, 1000 * number, {(uint8_t)number}, 7, 42, {(uint8_t)(number + 1)}};
}

static struct dedup_entry entry_of(uint64_t number, uint32_t i)
{
	return (struct dedup_entry){
	    {(uint8_t)number, (uint8_t)i}, {number, i, 3 * i, 4194304 - 3 * i, i % 2}};
}

static void keep(uint64_t number, uint32_t n)
{
	struct dedup_archive a = archive_of(number);
	struct dedup_entry *e = calloc(n + 1, sizeof(*e));
	int fd = cache_fd();

	for (uint32_t i = 0; i < n; i++)
		e[i] = entry_of(number, i);
	places_keep(fd, "emr", &a, e, n);
	close(fd);
	free(e);
}

struct got {
	uint64_t numbers[8], entries;
	size_t n;
};

static int take(
    void *arg, const struct dedup_archive *a, const struct dedup_entry *e, size_t n, struct err *err)
{
	struct dedup_archive want = archive_of(a->number);
	struct got *g = arg;

	(void)err;
	assert_true(a->size == want.size && a->generation == 42 &&
		    !memcmp(a->sha256, want.sha256, DIGEST_LEN) &&
		    !memcmp(a->index_sha256, want.index_sha256, DIGEST_LEN));
	g->numbers[g->n++] = a->number;
	g->entries += n;
	for (uint32_t i = 0; i < n; i++) {
		struct dedup_entry x = entry_of(a->number, i);

		assert_memory_equal(e[i].id, x.id, DEDUP_ID);
		assert_true(e[i].place.archive == a->number && e[i].place.chunk == i &&
			    e[i].place.offset == 3 * i && e[i].place.length == x.place.length &&
			    e[i].place.whole == x.place.whole);
	}
	return 0;
}

/* How many of archives 1 … 3 are carried; what is carried is reported. */
static size_t gather(struct buf *out, bool reported)
{
	const struct dedup_archive all[] = {archive_of(1), archive_of(2), archive_of(3)};
	uint64_t *numbers = NULL;
	size_t n = 0;
	int fd = cache_fd();

	out->n = 0;
	assert_int_equal(places_gather(fd, &id, all, 3, out, &numbers, &n, NULL), 0);
	if (reported)
		places_reported(fd, "emr", numbers, n);
	free(numbers);
	close(fd);
	return n;
}

static void what_is_kept_is_carried_once(void **state)
{
	BUF_AUTO text = BUF_INIT(1 << 20);
	struct got got = {0};

	(void)state;
	assert_int_equal(sh("rm -rf cache && mkdir cache"), 0);
	keep(1, 3);
	keep(2, 0);
	keep(9, 1); /* that no generation lists yet */
	assert_int_equal(gather(&text, false), 2);
	assert_int_equal(places_read(&text, &id, take, &got, NULL), 0);
	assert_true(got.n == 2 && got.numbers[0] == 1 && got.numbers[1] == 2 && got.entries == 3);
	put_file("text", text.p, text.n);
	assert_int_equal(
	    sh("head -n 1 text | grep -qx 'bkp-places 1 11111111-2222-4333-8444-555555555555 emr 42' && "
	       "grep -qx '01020000000000000000000000000000 2 6 4194298 s' text && tail -n 1 text | grep -qx "
	       "'end 2'"),
	    0);
	/* not reported: the next generation carries it; reported: no more */
	assert_int_equal(gather(&text, true), 2);
	assert_int_equal(gather(&text, true), 0);
	memset(&got, 0, sizeof(got));
	assert_int_equal(places_read(&text, &id, take, &got, NULL), 0);
	assert_int_equal(got.n, 0);
	assert_int_equal(sh("ls cache/places/emr | grep -qx 9"), 0);
}

/* Cut off, changed, not there: it is left out, and nothing wrong is said. */
static void what_is_not_whole_is_left_out(void **state)
{
	static const char *const harm[] = {"truncate -s 40 $f", ": >$f", "truncate -s 10 $f", "printf X >>$f",
	    "printf X | dd of=$f bs=1 seek=50 conv=notrunc status=none", "rm $f; mkdir $f",
	    "rm $f; ln -s 1 $f"};
	BUF_AUTO text = BUF_INIT(1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(harm) / sizeof(*harm); i++) {
		struct got got = {0};

		assert_int_equal(sh("rm -rf cache && mkdir cache"), 0);
		keep(1, 3);
		keep(2, 3);
		assert_int_equal(sh("f=cache/places/emr/2; %s", harm[i]), 0);
		assert_int_equal(gather(&text, false), 1);
		assert_int_equal(places_read(&text, &id, take, &got, NULL), 0);
		assert_true(got.n == 1 && got.numbers[0] == 1);
	}
}

static void refused(const char *text, const char *code, unsigned line)
{
	BUF_AUTO b = BUF_INIT(4096);
	struct err err = ERR_INIT;
	struct got got = {0};
	char where[32];

	assert_int_equal(buf_puts(&b, text, NULL), 0);
	if (!places_read(&b, &id, take, &got, &err))
		fail_msg("taken: %s", text);
	snprintf(where, sizeof(where), "line %u", line);
	if (strcmp(err.code, code) != 0 || (line && !strstr(err.msg, where)))
		fail_msg("%s: %s %s", text, err.code, err.msg);
}

#define HEAD "bkp-places 1 11111111-2222-4333-8444-555555555555 emr 42\n"
#define SHA  "0100000000000000000000000000000000000000000000000000000000000000"
#define ARC                                                                                                  \
	"archive 1 " SHA " 1000 02"                                                                          \
	"00000000000000000000000000000000000000000000000000000000000000 42\n"

static void malformed_ones_are_refused(void **state)
{
	static const struct {
		const char *text;
		unsigned line;
	} bad[] = {{"", 0}, {HEAD, 1}, {HEAD "end 1\n", 2}, {HEAD "end 0", 1}, {HEAD "end 0\nend 0\n", 3},
	    {HEAD "end 0 \n", 2}, {HEAD "01020000000000000000000000000000 2 6 1 s\nend 0\n", 2},
	    {HEAD "archive 0 " SHA " 1000 " SHA " 42\nend 1\n", 2},
	    {HEAD "archive 1099511627776 " SHA " 1 " SHA " 42\nend 1\n", 2},
	    {HEAD "archive 1 ab 1000 " SHA " 42\nend 1\n", 2}, {HEAD ARC "0102 2 6 1 s\nend 1\n", 3},
	    {HEAD ARC "01020000000000000000000000000000 2 6 0 s\nend 1\n", 3},
	    {HEAD ARC "01020000000000000000000000000000 2 6 4194304 s\nend 1\n", 3},
	    {HEAD ARC "01020000000000000000000000000000 2 6 1 x\nend 1\n", 3},
	    {HEAD ARC "01020000000000000000000000000000 2 6 1 s more\nend 1\n", 3}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		refused(bad[i].text, "E-PLACES-01", bad[i].line);
	refused("bkp-places 1 11111111-2222-4333-8444-555555555555 emr 43\nend 0\n", "E-PLACES-02", 0);
	refused("bkp-places 1 11111111-2222-4333-8444-555555555555 documents 42\nend 0\n", "E-PLACES-02", 0);
}

/* The host's own key: the same each time, and no content id can be it. */
static void the_index_key_follows_from_the_key_of_ids(void **state)
{
	static const uint8_t key[DIGEST_LEN] = {0};
	struct age_identity own;
	char hex[DIGEST_HEX];

	(void)state;
	places_identity(key, &own);
	assert_int_equal(
	    sh("test $({ printf 'bkp:1 index key'; head -c 32 /dev/zero; } | sha256sum | cut -c1-64) = %s",
		digest_hex(own.secret, DIGEST_LEN, hex)),
	    0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_kept_is_carried_once),
	    cmocka_unit_test(what_is_not_whole_is_left_out),
	    cmocka_unit_test(malformed_ones_are_refused),
	    cmocka_unit_test(the_index_key_follows_from_the_key_of_ids),
	};

	return cmocka_run_group_tests(tests, scratch_setup_memory, scratch_teardown);
}
