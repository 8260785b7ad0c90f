/* reported: what a medium's copy of the journal says of a data set's generation. */
#include <string.h>

#include <jansson.h>

#include "unit.h"
#include "scratch.h"
#include "lib/made.h"

#include "format/journal/journal.h"
#include "read/verify/reported.h"

#define H1    "1111111111111111111111111111111111111111111111111111111111111111"
#define H2    "2222222222222222222222222222222222222222222222222222222222222222"
#define FILE_ "m/" MADE_REPO "/journal/000001.jsonl"

/* A journal being written: its lines, and the key that signs now. */
struct writing {
	struct buf lines;
	uint64_t seq;
	uint8_t prev[DIGEST_LEN];
	uint32_t epoch;
	struct minisig_secret key;
};

static void add(struct writing *w, const char *event, json_t *members)
{
	struct journal_frame f = {.seq = ++w->seq,
	    .stamp = {.wall_ns = MADE_NOON * SECOND_NS, .boot_id = "b"},
	    .version = "1",
	    .by = "root",
	    .repository = MADE_REPO,
	    .epoch = w->epoch};
	size_t from = w->lines.n;

	assert_non_null(members);
	memcpy(f.prev, w->prev, DIGEST_LEN);
	assert_int_equal(journal_build(&f, event, members, &w->key, &w->lines, NULL), 0);
	digest_sha256(w->lines.p + from, w->lines.n - from, w->prev);
	assert_int_equal(buf_puts(&w->lines, "\n", NULL), 0);
	json_decref(members);
}

static void next_epoch(struct writing *w)
{
	struct minisig_secret next;
	uint8_t seed[32] = {99};
	char key[MINISIG_KEY_TEXT];

	seed[1] = (uint8_t)w->epoch;
	minisig_from_seed(seed, &next);
	add(w, "epoch",
	    json_pack("{s:i, s:s}", "next", (int)w->epoch + 1, "key", minisig_public_format(&next.pub, key)));
	w->key = next;
	w->epoch++;
}

static void begin(struct writing *w)
{
	char key[MINISIG_KEY_TEXT];

	memset(w, 0, sizeof(*w));
	buf_init(&w->lines, 1 << 20);
	w->epoch = 1;
	w->key = made_key;
	add(w, "init", json_pack("{s:s}", "root_key", minisig_public_format(&made_key.pub, key)));
}

static void begin_run(struct writing *w, int run, json_t *datasets)
{
	add(w, "begin", json_pack("{s:i, s:s, s:o}", "run", run, "uuid", MADE_UUID, "datasets", datasets));
}

static void committed(struct writing *w, const char *dataset, int generation, const char *hash)
{
	add(w, "committed",
	    json_pack(
		"{s:s, s:i, s:s}", "dataset", dataset, "generation", generation, "manifest_sha256", hash));
}

static void look_is(struct writing *w, const char *dataset, uint64_t number, enum reported_state want,
    uint32_t epoch, uint8_t first)
{
	struct vault_r *v;
	struct reported r;
	struct err err = ERR_INIT;

	assert_int_equal(sh("mkdir -p m/" MADE_REPO "/journal"), 0);
	put_file(FILE_, w->lines.p, w->lines.n);
	v = made_open("m");
	assert_int_equal(reported_look(v, dataset, number, &r, &err), 0);
	if (r.state != want)
		fail_msg("%s@%ju: %d instead of %d: %s", dataset, (uintmax_t)number, (int)r.state, (int)want,
		    r.why.msg);
	assert_int_equal(r.known, want == REPORTED_YES);
	if (want == REPORTED_YES) {
		assert_int_equal(r.record.epoch, epoch);
		assert_int_equal(r.record.manifest_sha256[0], first);
		assert_int_equal(r.head, w->seq);
	} else {
		assert_int_equal(reported_why(&r, "m", &err), -1);
		assert_string_equal(err.code, "W-VAULT-11");
	}
	vault_r_close(v);
}

static int setup(void **state)
{
	if (scratch_setup_memory(state))
		return -1;
	made_begin("m");
	return 0;
}

static void each_data_set_of_a_run_is_reported_by_itself(void **state)
{
	struct writing w;

	(void)state;
	begin(&w);
	look_is(&w, "emr", 1, REPORTED_LATER, 0, 0);
	begin_run(&w, 1, json_pack("[s, s]", "emr", "documents"));
	look_is(&w, "emr", 1, REPORTED_NOT, 0, 0);
	committed(&w, "emr", 1, H1);
	look_is(&w, "emr", 1, REPORTED_YES, 1, 0x11);
	look_is(&w, "documents", 1, REPORTED_NOT, 0, 0);
	look_is(&w, "images", 1, REPORTED_NOT, 0, 0);
	look_is(&w, "em", 1, REPORTED_NOT, 0, 0);
	look_is(&w, "emr", 2, REPORTED_LATER, 0, 0);
	next_epoch(&w);
	begin_run(&w, 2, json_pack("[s, s]", "emr", "documents"));
	committed(&w, "documents", 2, H2);
	look_is(&w, "emr", 1, REPORTED_YES, 1, 0x11);
	look_is(&w, "emr", 2, REPORTED_NOT, 0, 0);
	look_is(&w, "documents", 2, REPORTED_YES, 2, 0x22);
	buf_free(&w.lines);
}

/* Who holds a later key can append, and changes nothing of what stands there. */
static void what_is_appended_later_does_not_count(void **state)
{
	struct writing w;

	(void)state;
	begin(&w);
	begin_run(&w, 1, json_pack("[s]", "emr"));
	committed(&w, "emr", 1, H1);
	next_epoch(&w);
	begin_run(&w, 1, json_pack("[s, s]", "emr", "documents"));
	committed(&w, "emr", 1, H2);
	committed(&w, "documents", 1, H2);
	look_is(&w, "emr", 1, REPORTED_YES, 1, 0x11);
	look_is(&w, "documents", 1, REPORTED_NOT, 0, 0); /* that run was not to capture it */
	buf_free(&w.lines);
	/* a committed record without its begin, or with the number of another */
	begin(&w);
	committed(&w, "emr", 1, H1);
	look_is(&w, "emr", 1, REPORTED_LATER, 0, 0);
	begin_run(&w, 2, json_pack("[s]", "emr"));
	look_is(&w, "emr", 1, REPORTED_NOT, 0, 0);
	buf_free(&w.lines);
}

static void members_of_another_type(void **state)
{
	struct writing w;

	(void)state;
	begin(&w);
	add(&w, "begin", json_pack("{s:s, s:[s]}", "run", "1", "datasets", "emr"));
	add(&w, "begin", json_pack("{s:i, s:[s]}", "run", -1, "datasets", "emr"));
	add(&w, "begin",
	    json_pack("{s:i, s:[s]}", "generation", 1, "datasets", "emr")); /* of an old layout */
	look_is(&w, "emr", 1, REPORTED_LATER, 0, 0);
	begin_run(&w, 1, json_pack("{s:s}", "emr", "emr"));
	committed(&w, "emr", 1, H1);
	look_is(&w, "emr", 1, REPORTED_NOT, 0, 0);
	begin_run(&w, 2, json_pack("[i, n, [s], s]", 1, "emr", "emr"));
	add(&w, "committed",
	    json_pack("{s:i, s:i, s:s}", "dataset", 1, "generation", 2, "manifest_sha256", H1));
	committed(&w, "emr", 2, "11");
	look_is(&w, "emr", 2, REPORTED_NOT, 0, 0);
	buf_free(&w.lines);
}

static void a_broken_journal_says_what_it_said_before(void **state)
{
	struct vault_r *v = made_open("m");
	struct writing w;
	struct reported r;

	(void)state;
	begin(&w);
	begin_run(&w, 1, json_pack("[s, s]", "emr", "documents"));
	committed(&w, "emr", 1, H1);
	committed(&w, "documents", 1, H2);
	w.lines.p[w.lines.n - 200] ^= 1;
	put_file(FILE_, w.lines.p, w.lines.n);
	assert_int_equal(reported_look(v, "emr", 1, &r, NULL), 0);
	assert_true(r.state == REPORTED_BROKEN && r.known && r.record.manifest_sha256[0] == 0x11);
	assert_int_equal(reported_look(v, "documents", 1, &r, NULL), 0);
	assert_true(r.state == REPORTED_BROKEN && !r.known);
	assert_int_equal(sh("rm " FILE_), 0);
	assert_int_equal(reported_look(v, "emr", 1, &r, NULL), 0);
	assert_int_equal(r.state, REPORTED_ABSENT);
	vault_r_close(v);
	buf_free(&w.lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_data_set_of_a_run_is_reported_by_itself),
	    cmocka_unit_test(what_is_appended_later_does_not_count),
	    cmocka_unit_test(members_of_another_type),
	    cmocka_unit_test(a_broken_journal_says_what_it_said_before),
	};

	return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
