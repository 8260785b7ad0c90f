/* journal: nothing but the record that was written is ever accepted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal.h"

#define REPO  "0b54aa2e-3c5d-4f60-9a11-2f4b8c0d7e01"
#define OTHER "99999999-3c5d-4f60-9a11-2f4b8c0d7e01"
#define LINES 3

static struct minisig_secret key(uint8_t n)
{
	struct minisig_secret s;
	uint8_t seed[32];

	memset(seed, n, sizeof(seed));
	minisig_from_seed(seed, &s);
	return s;
}

static json_t *members_of(int i, const struct minisig_secret *root)
{
	char text[MINISIG_KEY_TEXT];

	if (i == 0)
		return json_pack("{s:s, s:s, s:[s]}", "site", "さくら内科クリニック", "root_key",
		    minisig_public_format(&root->pub, text), "recipients", "age1test");
	return json_pack("{s:s, s:i, s:s}", "note", "a \"quote\", a \\ and \n a newline ,\"sig\":\"x\"}", "n",
	    i, "prev2", ",\"prev\":\"\"");
}

static char *build(uint64_t seq, const uint8_t *prev, const char *repo, const char *event, json_t *members,
    const struct minisig_secret *sec)
{
	struct journal_frame f = {.seq = seq,
	    .stamp = {.wall_ns = 1795226400000000000 + (int64_t)seq * 1000000000,
		.mono_ns = 5,
		.boot_id = "b00t"},
	    .version = "0.1.0",
	    .by = "root (sudo tanaka)",
	    .repository = repo,
	    .epoch = 1};
	BUF_AUTO out = BUF_INIT(JOURNAL_LINE_MAX);
	struct err err = ERR_INIT;
	char *s;

	if (prev)
		memcpy(f.prev, prev, DIGEST_LEN);
	assert_int_equal(journal_build(&f, event, members, sec, &out, &err), 0);
	json_decref(members);
	s = strndup((char *)out.p, out.n);
	return s;
}

/* Three lines that are right. */
static void make(char *lines[LINES])
{
	struct minisig_secret sec = key(1);
	uint8_t prev[DIGEST_LEN] = {0};

	for (int i = 0; i < LINES; i++) {
		lines[i] = build((uint64_t)i + 1, prev, REPO, i ? "note" : "init", members_of(i, &sec), &sec);
		digest_sha256(lines[i], strlen(lines[i]), prev);
	}
}

static void drop(char *lines[LINES])
{
	for (int i = 0; i < LINES; i++)
		free(lines[i]);
}

/* How many of n lines are accepted one after the other; the error of the next one. */
static size_t accepted(const struct minisig_public *root, const char *repo, char *const *lines,
    const size_t *lens, size_t n, struct err *err)
{
	struct journal_check *c;
	size_t i;

	assert_int_equal(journal_check_new(root, repo, &c, err), 0);
	for (i = 0; i < n; i++) {
		struct journal_record r;

		if (journal_check_line(c, lines[i], lens ? lens[i] : strlen(lines[i]), &r, err))
			break;
		assert_int_equal(r.seq, i + 1);
		assert_int_equal(journal_check_seq(c), i + 1);
		journal_record_clear(&r);
	}
	assert_int_equal(journal_check_seq(c), i);
	journal_check_free(c);
	return i;
}

/* The same for a reader who has all lines at once, and lets the last one vouch for those before it. */
static size_t accepted_ahead(const struct minisig_public *root, const char *repo, char *const *lines,
    const size_t *lens, size_t n, struct err *err)
{
	BUF_AUTO all = BUF_INIT(JOURNAL_LINE_MAX);
	struct journal_check *c;
	size_t i, at = 0;

	for (i = 0; i < n; i++)
		assert_false(buf_append(&all, lines[i], lens ? lens[i] : strlen(lines[i]), err) ||
			     buf_append(&all, "\n", 1, err));
	assert_int_equal(journal_check_new(root, repo, &c, err), 0);
	for (i = 0; i < n; i++) {
		size_t len = lens ? lens[i] : strlen(lines[i]);
		struct journal_record r;

		journal_check_vouch(c, all.p + at, all.n - at);
		if (journal_check_line(c, lines[i], len, &r, err))
			break;
		journal_record_clear(&r);
		at += len + 1;
	}
	assert_int_equal(journal_check_seq(c), i);
	journal_check_free(c);
	return i;
}

static void a_chain_is_accepted_with_and_without_its_key(void **state)
{
	struct minisig_secret sec = key(1);
	struct err err = ERR_INIT;
	char *lines[LINES];
	(void)state;

	make(lines);
	assert_int_equal(accepted_ahead(&sec.pub, REPO, lines, NULL, LINES, &err), LINES);
	assert_int_equal(accepted_ahead(NULL, NULL, lines, NULL, LINES, &err), LINES);
	assert_int_equal(accepted(&sec.pub, REPO, lines, NULL, LINES, &err), LINES);
	assert_int_equal(accepted(NULL, NULL, lines, NULL, LINES, &err), LINES);
	assert_string_equal(err.code, "");
	drop(lines);
}

static void a_line_is_as_the_format_says(void **state)
{
	static const char head[] =
	    "{\"seq\":1,\"time\":\"2026-11-21T02:00:01Z\",\"boot\":\"b00t\",\"mono_ns\":5,\"synced\":"
	    "false,\"version\":\"0.1.0\",\"by\":\"root (sudo tanaka)\",\"repository\":\"" REPO
	    "\",\"event\":\"init\",\"site\":\"さくら内科クリニック\",\"root_key\":\"RW";
	char *lines[LINES];
	(void)state;

	make(lines);
	assert_memory_equal(lines[0], head, sizeof(head) - 1);
	assert_non_null(
	    strstr(lines[0], ",\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\","
			     "\"epoch\":1,\"sig\":\""));
	assert_null(strchr(lines[1], '\n'));
	drop(lines);
}

static void every_changed_byte_is_noticed(void **state)
{
	struct minisig_secret sec = key(1);
	struct err err = ERR_INIT;
	char *lines[LINES];
	size_t tried = 0;
	(void)state;

	make(lines);
	for (size_t i = 0; i < LINES; i++)
		for (size_t at = 0; lines[i][at]; at++)
			for (int bit = 0; bit < 8; bit++) {
				size_t lens[LINES], ok;
				char was = lines[i][at];

				for (size_t k = 0; k < LINES; k++)
					lens[k] = strlen(lines[k]);
				lines[i][at] = (char)(was ^ (1 << bit));
				ok = accepted(&sec.pub, REPO, lines, lens, LINES, &err);
				assert_int_equal(ok, i);
				assert_memory_equal(err.code, "E-JOURNAL-0", 11);
				assert_int_equal(accepted_ahead(&sec.pub, REPO, lines, lens, LINES, &err), i);
				/* without the key on paper: still not one byte can change */
				if (bit == 0)
					assert_true(accepted(NULL, NULL, lines, lens, LINES, &err) <= i);
				lines[i][at] = was;
				tried++;
			}
	print_message("%zu flipped bits tried\n", tried);
	drop(lines);
}

static void swapped_dropped_inserted_and_cut_lines_are_noticed(void **state)
{
	struct minisig_secret sec = key(1);
	struct err err = ERR_INIT;
	char *l[LINES];
	(void)state;

	make(l);
	{
		char *swapped[] = {l[0], l[2], l[1]}, *dropped[] = {l[0], l[2]}, *first[] = {l[1], l[2]},
		     *twice[] = {l[0], l[1], l[1], l[2]}, *empty[] = {l[0], (char *)"", l[1]};

		assert_int_equal(accepted(&sec.pub, REPO, swapped, NULL, 3, &err), 1);
		assert_string_equal(err.code, "E-JOURNAL-02");
		assert_non_null(strstr(err.msg, "line 2"));
		assert_int_equal(accepted(&sec.pub, REPO, dropped, NULL, 2, &err), 1);
		assert_string_equal(err.code, "E-JOURNAL-02");
		assert_int_equal(accepted(&sec.pub, REPO, first, NULL, 2, &err), 0);
		assert_int_equal(accepted(NULL, NULL, first, NULL, 2, &err), 0);
		assert_int_equal(accepted(&sec.pub, REPO, twice, NULL, 4, &err), 2);
		assert_int_equal(accepted(&sec.pub, REPO, empty, NULL, 3, &err), 1);
		assert_string_equal(err.code, "E-JOURNAL-01");
	}
	for (size_t n = 0; n < strlen(l[1]); n++) {
		size_t lens[] = {strlen(l[0]), n};

		assert_int_equal(accepted(&sec.pub, REPO, l, lens, 2, &err), 1);
	}
	drop(l);
}

/* One signature for several lines: those before it need none of their own, and nothing behind it is covered.
 */
static void a_signature_vouches_for_the_lines_before_it(void **state)
{
	struct minisig_secret sec = key(1), thief = key(2);
	struct err err = ERR_INIT;
	uint8_t prev[DIGEST_LEN];
	char *l[LINES], *forged, *after;
	(void)state;

	make(l);
	digest_sha256(l[0], strlen(l[0]), prev);
	forged = build(2, prev, REPO, "note", NULL, &thief);
	digest_sha256(forged, strlen(forged), prev);
	after = build(3, prev, REPO, "note", NULL, &thief);
	{
		char *lines[] = {l[0], forged, after}, *end[] = {l[0], forged};

		/* the chain is whole, the signatures are another's */
		assert_int_equal(accepted_ahead(&sec.pub, REPO, lines, NULL, 3, &err), 1);
		assert_string_equal(err.code, "E-JOURNAL-04");
		assert_non_null(strstr(err.msg, "line 2"));
		assert_int_equal(accepted_ahead(&sec.pub, REPO, end, NULL, 2, &err), 1);
	}
	free(after);
	/* who signs what follows has accepted what was there: an auditor still finds it */
	after = build(3, prev, REPO, "note", NULL, &sec);
	{
		char *lines[] = {l[0], forged, after};

		assert_int_equal(accepted_ahead(&sec.pub, REPO, lines, NULL, 3, &err), 3);
		assert_int_equal(accepted(&sec.pub, REPO, lines, NULL, 3, &err), 1);
		assert_string_equal(err.code, "E-JOURNAL-04");
	}
	free(after);
	free(forged);
	drop(l);
}

/* What was vouched for is that line and no other. */
static void other_lines_than_those_vouched_for_are_refused(void **state)
{
	struct minisig_secret sec = key(1), thief = key(2);
	BUF_AUTO all = BUF_INIT(JOURNAL_LINE_MAX);
	struct journal_check *c;
	struct journal_record r;
	struct err err = ERR_INIT;
	uint8_t prev[DIGEST_LEN];
	char *l[LINES], *forged;
	(void)state;

	make(l);
	for (size_t i = 0; i < LINES; i++)
		assert_false(buf_append(&all, l[i], strlen(l[i]), &err) || buf_append(&all, "\n", 1, &err));
	assert_int_equal(journal_check_new(&sec.pub, REPO, &c, &err), 0);
	journal_check_vouch(c, all.p, all.n);
	for (size_t i = 0; i < LINES - 1; i++) {
		assert_int_equal(journal_check_line(c, l[i], strlen(l[i]), &r, &err), 0);
		journal_record_clear(&r);
	}
	digest_sha256(l[LINES - 2], strlen(l[LINES - 2]), prev);
	forged = build(LINES, prev, REPO, "note", NULL, &thief);
	assert_int_equal(journal_check_line(c, forged, strlen(forged), &r, &err), -1);
	assert_string_equal(err.code, "E-JOURNAL-04");
	assert_int_equal(journal_check_line(c, l[LINES - 1], strlen(l[LINES - 1]), &r, &err), 0);
	journal_record_clear(&r);
	journal_check_free(c);
	free(forged);
	drop(l);
}

/* Someone with another key, or the right key used for something else. */
static void forged_lines_are_refused(void **state)
{
	struct minisig_secret sec = key(1), thief = key(2);
	struct err err = ERR_INIT;
	uint8_t prev[DIGEST_LEN], zero[DIGEST_LEN] = {0};
	char *l[LINES], *forged;
	(void)state;

	make(l);
	digest_sha256(l[0], strlen(l[0]), prev);
	forged = build(2, prev, REPO, "note", NULL, &thief);
	{
		char *lines[] = {l[0], forged};

		assert_int_equal(accepted(&sec.pub, REPO, lines, NULL, 2, &err), 1);
		assert_string_equal(err.code, "E-JOURNAL-04");
	}
	free(forged);
	/* right key, right number, but it continues another history */
	forged = build(2, zero, REPO, "note", NULL, &sec);
	{
		char *lines[] = {l[0], forged};

		assert_int_equal(accepted(&sec.pub, REPO, lines, NULL, 2, &err), 1);
		assert_string_equal(err.code, "E-JOURNAL-03");
	}
	free(forged);
	/* a whole journal of the thief's own: right in itself, not right for the key on paper */
	forged = build(1, zero, REPO, "init", members_of(0, &thief), &thief);
	assert_int_equal(accepted(NULL, NULL, &forged, NULL, 1, &err), 1);
	assert_int_equal(accepted(&sec.pub, NULL, &forged, NULL, 1, &err), 0);
	assert_string_equal(err.code, "E-JOURNAL-04");
	assert_non_null(strstr(err.hint, "paper"));
	free(forged);
	/* signed by the root key, naming another one */
	forged = build(1, zero, REPO, "init", members_of(0, &thief), &sec);
	assert_int_equal(accepted(&sec.pub, NULL, &forged, NULL, 1, &err), 0);
	assert_string_equal(err.code, "E-JOURNAL-07");
	assert_int_equal(accepted(NULL, NULL, &forged, NULL, 1, &err), 0);
	free(forged);
	drop(l);
}

static void another_repository_or_epoch_is_refused(void **state)
{
	struct minisig_secret sec = key(1), second = key(2);
	struct journal_frame f = {.seq = 2, .version = "1", .by = "x", .repository = REPO, .epoch = 2};
	BUF_AUTO out = BUF_INIT(JOURNAL_LINE_MAX);
	struct journal_check *c;
	struct journal_record r;
	struct err err = ERR_INIT;
	uint8_t prev[DIGEST_LEN];
	char *l[LINES], *foreign;
	(void)state;

	make(l);
	assert_int_equal(accepted(&sec.pub, OTHER, l, NULL, 1, &err), 0);
	assert_string_equal(err.code, "E-JOURNAL-05");
	digest_sha256(l[0], strlen(l[0]), prev);
	foreign = build(2, prev, OTHER, "note", NULL, &sec);
	{
		char *lines[] = {l[0], foreign};

		assert_int_equal(accepted(&sec.pub, NULL, lines, NULL, 2, &err), 1);
		assert_string_equal(err.code, "E-JOURNAL-05");
	}
	free(foreign);
	memcpy(f.prev, prev, sizeof(prev));
	assert_int_equal(journal_build(&f, "note", NULL, &second, &out, &err), 0);
	assert_int_equal(journal_check_new(&sec.pub, NULL, &c, &err), 0);
	assert_int_equal(journal_check_line(c, l[0], strlen(l[0]), &r, &err), 0);
	journal_record_clear(&r);
	assert_int_equal(journal_check_line(c, out.p, out.n, &r, &err), -1);
	assert_string_equal(err.code, "E-JOURNAL-06");
	journal_check_free(c);
	drop(l);
}

/* A chain over several epochs, each line signed with the key of `by`, said to be of `epoch`. */
struct step {
	const char *event;
	uint32_t epoch;
	uint8_t by;
	int next; /* of an event "epoch" */
	uint8_t names;
};

static size_t chain(const struct step *steps, size_t n, struct err *err)
{
	struct minisig_secret root = key(1);
	uint8_t prev[DIGEST_LEN] = {0};
	char *lines[8];
	size_t i, got;

	for (i = 0; i < n; i++) {
		struct minisig_secret sec = key(steps[i].by), named = key(steps[i].names);
		struct journal_frame f = {.seq = i + 1,
		    .stamp = {.wall_ns = 1795226400000000000, .boot_id = "b"},
		    .version = "1",
		    .by = "x",
		    .repository = REPO,
		    .epoch = steps[i].epoch};
		BUF_AUTO out = BUF_INIT(JOURNAL_LINE_MAX);
		char text[MINISIG_KEY_TEXT];
		json_t *members = i == 0 ? members_of(0, &root)
				  : strcmp(steps[i].event, "epoch") != 0
				      ? NULL
				      : json_pack("{s:i, s:s}", "next", steps[i].next, "key",
					    minisig_public_format(&named.pub, text));

		memcpy(f.prev, prev, DIGEST_LEN);
		assert_int_equal(journal_build(&f, steps[i].event, members, &sec, &out, err), 0);
		json_decref(members);
		lines[i] = strndup((char *)out.p, out.n);
		digest_sha256(out.p, out.n, prev);
	}
	/* who signs a later line vouches for what an auditor refuses, and for nothing else */
	got = accepted_ahead(&root.pub, REPO, lines, NULL, n, err);
	assert_true(got >= accepted(&root.pub, REPO, lines, NULL, n, err));
	got = accepted(&root.pub, REPO, lines, NULL, n, err);
	if (got == n)
		assert_int_equal(accepted(NULL, NULL, lines, NULL, n, err), n);
	for (i = 0; i < n; i++)
		free(lines[i]);
	return got;
}

static void each_epoch_signs_until_it_names_the_next(void **state)
{
	const struct step good[] = {{"init", 1, 1, 0, 0}, {"epoch", 1, 1, 2, 2}, {"note", 2, 2, 0, 0},
	    {"epoch", 2, 2, 3, 3}, {"epoch", 3, 3, 4, 4}, {"note", 4, 4, 0, 0}};
	static const struct {
		size_t at;
		struct step step;
		const char *code;
	} wrong[] = {
	    {2, {"note", 1, 1, 0, 0}, "E-JOURNAL-09"}, /* an old key signs later */
	    {5, {"note", 3, 3, 0, 0}, "E-JOURNAL-09"},
	    {2, {"note", 2, 1, 0, 0}, "E-JOURNAL-04"},	/* and calls itself newer */
	    {2, {"note", 3, 3, 0, 0}, "E-JOURNAL-06"},	/* before its time */
	    {3, {"epoch", 2, 2, 4, 4}, "E-JOURNAL-10"}, /* one is left out */
	    {3, {"epoch", 2, 2, 2, 2}, "E-JOURNAL-10"}, /* itself again */
	    {3, {"epoch", 1, 1, 3, 3}, "E-JOURNAL-09"}, /* an old key names one */
	    {3, {"epoch", 2, 9, 3, 9}, "E-JOURNAL-04"}, /* nobody we know names one */
	    {1, {"epoch", 1, 9, 2, 9}, "E-JOURNAL-04"},
	    {0, {"init", 2, 2, 0, 0}, "E-JOURNAL-06"},
	};
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(chain(good, 6, &err), 6);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct step steps[6];

		memcpy(steps, good, sizeof(good));
		steps[wrong[i].at] = wrong[i].step;
		err = (struct err)ERR_INIT;
		assert_int_equal(chain(steps, 6, &err), wrong[i].at);
		assert_string_equal(err.code, wrong[i].code);
	}
}

/* Properly signed, but not a record: what a writer with a fault would make. */
static void signed_nonsense_is_refused(void **state)
{
	static const char *const bodies[] = {
	    "{\"seq\":1,\"time\":\"2026-11-21T02:00:01Z\",\"boot\":\"\",\"mono_ns\":1,\"synced\":true,"
	    "\"version\":\"1\",\"by\":\"x\","
	    "\"repository\":\"" REPO "\",\"event\":\"init\",\"a\":1,\"a\":2,%s", /* a name twice */
	    "{\"seq\":1,\"time\":\"2026-11-21T02:00:01Z\",\"boot\":\"\",\"mono_ns\":1,\"synced\":true,"
	    "\"version\":\"1\",\"by\":\"x\","
	    "\"repository\":\"" REPO "\",\"event\":\"init\",\"a\":{\"b\":1,\"b\":2},%s", /* deeper */
	    "{\"seq\":1,\"time\":\"yesterday\",\"boot\":\"\",\"mono_ns\":1,\"synced\":true,\"version\":\"1\","
	    "\"by\":\"x\","
	    "\"repository\":\"" REPO "\",\"event\":\"init\",%s",
	    "{\"seq\":1,\"time\":\"2026-11-21T02:00:01Z\",\"mono_ns\":1,\"boot\":\"\",\"synced\":true,"
	    "\"version\":\"1\",\"by\":\"x\","
	    "\"repository\":\"" REPO "\",\"event\":\"init\",%s", /* order */
	    "{\"seq\":1,\"time\":\"2026-11-21T02:00:01Z\",\"boot\":\"\",\"mono_ns\":1,\"synced\":1,"
	    "\"version\":\"1\",\"by\":\"x\","
	    "\"repository\":\"" REPO "\",\"event\":\"init\",%s",
	    "{\"seq\":1,\"time\":\"2026-11-21T02:00:01Z\",\"boot\":\"\",\"mono_ns\":1,\"synced\":true,"
	    "\"version\":\"1\",\"by\":\"x\","
	    "\"repository\":\"" REPO "\",\"event\":\"INIT\",%s",
	    "{\"seq\":1,\"time\":\"2026-11-21T02:00:01Z\",\"boot\":\"\",\"mono_ns\":1,\"synced\":true,"
	    "\"version\":\"1\",\"by\":\"\xff\","
	    "\"repository\":\"" REPO "\",\"event\":\"init\",%s",
	    "{\"seq\":1,\"time\":\"2026-11-21T02:00:01Z\",\"boot\":\"\",\"mono_ns\":1,\"synced\":true,"
	    "\"version\":\"1\",\"by\":\"x\\u0000\","
	    "\"repository\":\"" REPO "\",\"event\":\"init\",%s",
	    "{\"seq\":1,\"time\":\"\"}%s",
	};
	static const char tail[] =
	    "\"prev\":\"0000000000000000000000000000000000000000000000000000000000000000\",\"epoch\":1";
	struct minisig_secret sec = key(1);
	(void)state;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		char text[2048], *line = NULL;
		BUF_AUTO b64 = BUF_INIT(256);
		struct err err = ERR_INIT;
		uint8_t sig[64];
		int n = snprintf(text, sizeof(text), bodies[i], tail);

		text[n] = '}';
		minisig_raw_sign(&sec, text, (size_t)n + 1, sig);
		text[n] = '\0';
		assert_int_equal(minisig_b64_encode(sig, sizeof(sig), &b64, &err), 0);
		assert_true(asprintf(&line, "%s,\"sig\":\"%.*s\"}", text, (int)b64.n, (char *)b64.p) > 0);
		assert_int_equal(accepted(&sec.pub, NULL, &line, NULL, 1, &err), 0);
		assert_string_equal(err.code, "E-JOURNAL-01");
		free(line);
	}
}

static void what_cannot_be_read_cannot_be_written(void **state)
{
	struct minisig_secret sec = key(1);
	struct journal_frame f = {.seq = 1, .version = "1", .by = "x", .repository = REPO, .epoch = 1}, bad;
	BUF_AUTO out = BUF_INIT(JOURNAL_LINE_MAX);
	struct err err = ERR_INIT;
	json_t *m;
	char *big;
	(void)state;

	static const char *const taken[] = {"seq", "event", "prev", "epoch", "sig"};
	for (size_t i = 0; i < 5; i++) {
		m = json_pack("{s:s}", taken[i], "x");
		assert_int_equal(journal_build(&f, "note", m, &sec, &out, &err), -1);
		assert_string_equal(err.code, "E-JOURNAL-08");
		json_decref(m);
	}
	big = malloc(JOURNAL_LINE_MAX + 1);
	memset(big, 'x', JOURNAL_LINE_MAX);
	big[JOURNAL_LINE_MAX] = '\0';
	m = json_pack("{s:s}", "big", big);
	assert_int_equal(journal_build(&f, "note", m, &sec, &out, &err), -1);
	json_decref(m);
	free(big);
	assert_int_equal(journal_build(&f, "No Word", NULL, &sec, &out, &err), -1);
	bad = f;
	bad.by = "\xff";
	assert_int_equal(journal_build(&bad, "note", NULL, &sec, &out, &err), -1);
	bad = f;
	bad.repository = "not-a-uuid";
	assert_int_equal(journal_build(&bad, "note", NULL, &sec, &out, &err), -1);
	assert_int_equal(out.n, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_chain_is_accepted_with_and_without_its_key),
	    cmocka_unit_test(a_line_is_as_the_format_says),
	    cmocka_unit_test(every_changed_byte_is_noticed),
	    cmocka_unit_test(swapped_dropped_inserted_and_cut_lines_are_noticed),
	    cmocka_unit_test(forged_lines_are_refused),
	    cmocka_unit_test(a_signature_vouches_for_the_lines_before_it),
	    cmocka_unit_test(other_lines_than_those_vouched_for_are_refused),
	    cmocka_unit_test(another_repository_or_epoch_is_refused),
	    cmocka_unit_test(each_epoch_signs_until_it_names_the_next),
	    cmocka_unit_test(signed_nonsense_is_refused),
	    cmocka_unit_test(what_cannot_be_read_cannot_be_written),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
