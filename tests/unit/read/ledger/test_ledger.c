/* ledger: the state that the records amount to, and no other. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "base/err.h"
#include "base/io.h"
#include "format/crypto/minisig.h"
#include "read/ledger/ledger.h"
#include "scribe.h"

static void records_amount_to_the_state(void **state)
{
	const struct ledger_generation *g;
	const struct ledger_medium *m;
	struct scribe s;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	assert_int_equal(ledger_next_generation(s.ledger), 1);
	assert_int_equal(ledger_next_archive(s.ledger), 1);
	assert_int_equal(put(&s, "begin", begin(1), &err), 0);
	g = ledger_generation(s.ledger, 0);
	assert_int_equal(g->state, LEDGER_BEGUN);
	assert_int_equal(g->n_datasets, 2);
	assert_int_equal(g->datasets[0].verdict, LEDGER_PENDING);
	assert_null(ledger_last_committed(s.ledger));
	assert_int_equal(put(&s, "committed", committed(1, 3, 0), &err), 0);
	assert_int_equal(put(&s, "verified", on_medium(1, NAS), &err), 0);
	assert_int_equal(put(&s, "copied", on_medium(1, RDX), &err), 0);
	assert_int_equal(put(&s, "begin", begin(2), &err), 0);
	assert_int_equal(put(&s, "begin", begin(5), &err), 0); /* 2 was never ended */
	assert_int_equal(
	    put(&s, "failed", json_pack("{s:i, s:s}", "generation", 5, "reason", "no medium is there"), &err),
	    0);
	assert_int_equal(put(&s, "something-of-a-later-version", json_object(), &err), 0);

	assert_string_equal(ledger_repository(s.ledger), REPO);
	assert_int_equal(ledger_recipients(s.ledger), 2);
	assert_string_equal(ledger_recipient(s.ledger, 1), "age1b");
	assert_int_equal(ledger_media(s.ledger), 2);
	m = ledger_medium_by_label(s.ledger, "RDX-01");
	assert_string_equal(m->uuid, RDX);
	assert_true(m->offline);
	assert_string_equal(m->place, "");
	assert_int_equal(ledger_generations(s.ledger), 3);
	assert_int_equal(ledger_next_generation(s.ledger), 6);
	assert_int_equal(ledger_next_archive(s.ledger), 3);
	g = ledger_generation_by_number(s.ledger, 1);
	assert_ptr_equal(g, ledger_last_committed(s.ledger));
	assert_string_equal(g->manifest_sha256, HASH);
	assert_int_equal(g->datasets[1].verdict, LEDGER_PARTIAL);
	assert_int_equal(g->datasets[1].skipped, 3);
	assert_int_equal(g->n_copies, 2);
	assert_true(
	    g->copies[0].ok && g->copies[0].frozen && g->copies[0].verified_ns && !g->copies[0].copied_ns);
	/* it failed at first, and was brought there later */
	assert_true(g->copies[1].ok && g->copies[1].copied_ns && !g->copies[1].verified_ns);
	assert_string_equal(g->copies[1].reason, "");
	assert_int_equal(ledger_generation_by_number(s.ledger, 2)->state, LEDGER_ABANDONED);
	assert_string_equal(ledger_generation_by_number(s.ledger, 5)->reason, "no medium is there");
	assert_null(ledger_generation_by_number(s.ledger, 3));
	end(&s);
}

/* Each of these is properly signed and in its place, and still cannot be. */
static void contradictions_are_refused_and_named(void **state)
{
	struct {
		const char *event;
		json_t *(*members)(int);
		int n;
		const char *code;
	} cases[] = {
	    {"begin", begin, 1, "E-LEDGER-02"}, /* a number is never given twice */
	    {"begin", begin, 0, "E-LEDGER-02"},
	};
	struct scribe s;
	struct err err;
	(void)state;

#define REFUSED(code_, event_, members_)                                                                     \
	do {                                                                                                 \
		ready(&s);                                                                                   \
		err = (struct err)ERR_INIT;                                                                  \
		assert_int_equal(put(&s, "begin", begin(1), &err), 0);                                       \
		assert_int_equal(put(&s, "committed", committed(1, 3, 0), &err), 0);                         \
		assert_int_equal(put(&s, event_, members_, &err), -1);                                       \
		assert_string_equal(err.code, code_);                                                        \
		assert_non_null(strstr(err.msg, "record 6"));                                                \
		end(&s);                                                                                     \
	} while (0)

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		REFUSED(cases[i].code, cases[i].event, cases[i].members(cases[i].n));
	REFUSED("E-LEDGER-02", "init", init_members(&s));
	REFUSED("E-LEDGER-02", "committed", committed(1, 3, 0)); /* twice */
	REFUSED("E-LEDGER-02", "committed", committed(2, 3, 0)); /* never begun */
	REFUSED("E-LEDGER-02", "failed", json_pack("{s:i, s:s}", "generation", 1, "reason", "x"));
	REFUSED("E-LEDGER-02", "verified", on_medium(1, GEN)); /* no such medium */
	REFUSED("E-LEDGER-02", "copied", on_medium(2, NAS));
	REFUSED("E-LEDGER-01", "begin", json_pack("{s:i, s:s}", "generation", 2, "uuid", GEN));
	REFUSED("E-LEDGER-01", "begin",
	    json_pack("{s:f, s:s, s:[]}", "generation", 2.0, "uuid", GEN, "datasets"));
	REFUSED(
	    "E-LEDGER-01", "begin", json_pack("{s:i, s:s, s:[]}", "generation", -1, "uuid", GEN, "datasets"));
	REFUSED("E-LEDGER-01", "begin",
	    json_pack("{s:i, s:s, s:[i]}", "generation", 2, "uuid", GEN, "datasets", 1));
	REFUSED(
	    "E-LEDGER-01", "begin", json_pack("{s:i, s:s, s:[]}", "generation", 2, "uuid", "x", "datasets"));
	REFUSED("E-LEDGER-01", "medium-added", json_pack("{s:s}", "medium", NAS));
	REFUSED("E-LEDGER-01", "verified", json_pack("{s:i, s:s}", "generation", 1, "medium", NAS));
}

static void a_committed_record_is_checked_in_depth(void **state)
{
	static const struct {
		const char *list, *member;
	} cuts[] = {{"datasets", "name"}, {"datasets", "bytes"}, {"datasets", "verdict"}, {"media", "medium"},
	    {"media", "ok"}, {NULL, "manifest_sha256"}, {NULL, "next_archive"}, {NULL, "media"},
	    {NULL, "datasets"}};
	struct scribe s;
	struct err err = ERR_INIT;
	json_t *o;
	(void)state;

	for (size_t i = 0; i < sizeof(cuts) / sizeof(*cuts); i++) {
		ready(&s);
		assert_int_equal(put(&s, "begin", begin(1), &err), 0);
		o = committed(1, 3, 0);
		json_object_del(
		    cuts[i].list ? json_array_get(json_object_get(o, cuts[i].list), 1) : o, cuts[i].member);
		assert_int_equal(put(&s, "committed", o, &err), -1);
		assert_string_equal(err.code, "E-LEDGER-01");
		end(&s);
	}
	ready(&s);
	assert_int_equal(put(&s, "begin", begin(1), &err), 0);
	o = committed(1, 3, 0);
	json_object_set_new(
	    json_array_get(json_object_get(o, "datasets"), 0), "verdict", json_string("excellent"));
	assert_int_equal(put(&s, "committed", o, &err), -1);
	end(&s);
}

static void a_run_that_died_can_be_found_complete(void **state)
{
	struct scribe s;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	assert_int_equal(put(&s, "begin", begin(1), &err), 0);
	assert_int_equal(put(&s, "begin", begin(2), &err), 0);
	assert_int_equal(put(&s, "committed", committed(1, 3, 1), &err), 0);
	assert_int_equal(ledger_generation(s.ledger, 0)->state, LEDGER_COMMITTED);
	assert_true(ledger_generation(s.ledger, 0)->recovered);
	assert_int_equal(ledger_generation(s.ledger, 1)->state, LEDGER_BEGUN);
	end(&s);
	ready(&s);
	assert_int_equal(put(&s, "begin", begin(1), &err), 0);
	assert_int_equal(put(&s, "begin", begin(2), &err), 0);
	assert_int_equal(
	    put(&s, "committed", committed(1, 3, 0), &err), -1); /* it does not say how it came back */
	end(&s);
}

static int load_bytes(
    const void *p, size_t n, const struct minisig_public *root, struct ledger **ret, struct err *err)
{
	char dir[] = "/tmp/bkp-ledger-XXXXXX";
	int fd, r;

	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(io_write_new(fd, "journal.jsonl", 0600, p, n, err), 0);
	r = ledger_load(fd, root, ret, err);
	unlinkat(fd, "journal.jsonl", 0);
	close(fd);
	rmdir(dir);
	return r;
}

/* At every byte: what was acknowledged counts, what was not is left out. */
/* Whoever signs it: what lies in a safe takes part in nothing. */
static void nothing_happens_to_a_medium_that_is_away(void **state)
{
	static const char *const events[] = {"verified", "copied", "verify-failed"};
	struct scribe s;
	json_t *o;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	assert_int_equal(put(&s, "begin", begin(1), &err), 0);
	assert_int_equal(put(&s, "committed", committed(1, 3, 0), &err), 0);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(put(&s, "medium-detached", json_pack("{s:s}", "medium", RDX), &err), 0);
		o = on_medium(1, RDX);
		err = (struct err)ERR_INIT;
		assert_int_equal(ledger_accepts(s.ledger, events[i], o, &err), -1);
		assert_non_null(strstr(err.msg, "away"));
		json_decref(o);
		assert_int_equal(put(&s, "medium-attached", json_pack("{s:s}", "medium", RDX), &err), 0);
		assert_int_equal(put(&s, events[i], on_medium(1, RDX), &err), 0);
	}
	end(&s);
}

static void a_torn_end_is_not_an_error_and_not_a_record(void **state)
{
	struct scribe s;
	struct ledger *l;
	struct err err = ERR_INIT;
	size_t second;
	(void)state;

	ready(&s);
	second = (size_t)((uint8_t *)memchr(s.bytes.p, '\n', s.bytes.n) - s.bytes.p) + 1;
	for (size_t n = second; n <= s.bytes.n; n++) {
		size_t lines = 0, whole = 0;

		for (size_t i = 0; i < n; i++)
			if (s.bytes.p[i] == '\n') {
				lines++;
				whole = i + 1;
			}
		assert_int_equal(load_bytes(s.bytes.p, n, &s.sec.pub, &l, &err), 0);
		assert_int_equal(ledger_seq(l), lines);
		assert_int_equal(ledger_size(l), whole);
		assert_int_equal(ledger_torn(l), n != whole);
		ledger_free(l);
	}
	for (size_t n = 0; n < second; n++) {
		assert_int_equal(load_bytes(s.bytes.p, n, &s.sec.pub, &l, &err), -1);
		assert_string_equal(err.code, "E-LEDGER-04");
	}
	end(&s);
}

static void damage_is_named_by_its_line(void **state)
{
	struct scribe s;
	struct ledger *l;
	struct err err = ERR_INIT;
	uint8_t *second;
	char *big;
	int fd;
	(void)state;

	ready(&s);
	second = (uint8_t *)memchr(s.bytes.p, '\n', s.bytes.n) + 1;
	second[100] ^= 1;
	assert_int_equal(load_bytes(s.bytes.p, s.bytes.n, NULL, &l, &err), -1);
	assert_non_null(strstr(err.msg, "line 2"));
	second[100] ^= 1;
	/* an endless line does not fill the memory */
	big = malloc((size_t)8 << 20);
	memset(big, '{', (size_t)8 << 20);
	memcpy(big, s.bytes.p, s.bytes.n);
	assert_int_equal(load_bytes(big, (size_t)8 << 20, NULL, &l, &err), -1);
	assert_string_equal(err.code, "E-JOURNAL-01");
	assert_non_null(strstr(err.msg, "line 4"));
	free(big);
	fd = open("/", O_RDONLY | O_DIRECTORY);
	assert_int_equal(ledger_load(fd, NULL, &l, &err), LEDGER_ABSENT);
	close(fd);
	end(&s);
}

static json_t *rotated(int newest, int complete)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "medium", RDX, "operator", "A",
	    "place", "B", "generations", 1, "newest", newest, "copied", 0, "bytes", 0, "unfrozen", 0,
	    "complete", complete);
}

/* A disk too small for the newest generation stays due for rotation. */
static void a_rotation_without_the_newest_is_none(void **state)
{
	struct scribe s;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(put(&s, "begin", begin(i), &err), 0);
		assert_int_equal(put(&s, "committed", committed(i, i + 1, 0), &err), 0);
	}
	assert_int_equal(put(&s, "rotated", rotated(1, 0), &err), 0);
	assert_int_equal(ledger_medium_by_label(s.ledger, "RDX-01")->rotated_ns, 0);
	assert_string_equal(ledger_medium_by_label(s.ledger, "RDX-01")->custodian, "A");
	assert_int_equal(put(&s, "rotated", rotated(2, 0), &err), 0);
	assert_int_not_equal(ledger_medium_by_label(s.ledger, "RDX-01")->rotated_ns, 0);
	end(&s);
}

/* Thirty years of runs in one journal: how long, and how much memory. */
static void ten_thousand_generations_are_read_quickly(void **state)
{
	struct rusage before, after;
	struct scribe s;
	struct ledger *l;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	for (int i = 1; i <= 10000; i++) {
		assert_int_equal(put(&s, "begin", begin(i), &err), 0);
		assert_int_equal(put(&s, "committed", committed(i, i + 1, 0), &err), 0);
	}
	getrusage(RUSAGE_SELF, &before);
	assert_int_equal(load_bytes(s.bytes.p, s.bytes.n, &s.sec.pub, &l, &err), 0);
	getrusage(RUSAGE_SELF, &after);
	assert_int_equal(ledger_generations(l), 10000);
	print_message("%zu bytes, 20,003 records: %.2f s of user time here\n", s.bytes.n,
	    (double)(after.ru_utime.tv_sec - before.ru_utime.tv_sec) +
		(double)(after.ru_utime.tv_usec - before.ru_utime.tv_usec) / 1e6);
	ledger_free(l);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_amount_to_the_state),
	    cmocka_unit_test(contradictions_are_refused_and_named),
	    cmocka_unit_test(a_committed_record_is_checked_in_depth),
	    cmocka_unit_test(a_run_that_died_can_be_found_complete),
	    cmocka_unit_test(nothing_happens_to_a_medium_that_is_away),
	    cmocka_unit_test(a_torn_end_is_not_an_error_and_not_a_record),
	    cmocka_unit_test(damage_is_named_by_its_line),
	    cmocka_unit_test(a_rotation_without_the_newest_is_none),
	    cmocka_unit_test(ten_thousand_generations_are_read_quickly),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
