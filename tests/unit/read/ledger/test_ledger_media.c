/* ledger_media: what people record of a medium, and what may not follow what. */
#include "scribe.h"

#include "base/clock.h"

#define DISK	    "11111111-3c5d-4f60-9a11-2f4b8c0d7e01"
#define SECOND_DISK "22222222-3c5d-4f60-9a11-2f4b8c0d7e01"
#define NO_DISK	    "33333333-3c5d-4f60-9a11-2f4b8c0d7e01"
#define RUN_1	    "44444444-3c5d-4f60-9a11-2f4b8c0d7e01"

static json_t *disk(const char *uuid, const char *label)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "medium", uuid, "label", label, "type",
	    "rdx", "path", "/mnt/x", "place", "金庫", "offline", 1, "fs_uuid", label, "serial", "S-1");
}

/* About DISK, by 山田: key and text pairs. */
static json_t *about(
    const char *a, const char *av, const char *b, const char *bv, const char *c, const char *cv)
{
	return json_pack("{s:s, s:s, s:s*, s:s*, s:s*}", "medium", DISK, "operator", "山田", a, av,
	    b ? b : "x", bv, c ? c : "y", cv);
}

static void must(struct scribe *s, const char *event, json_t *o)
{
	struct err err = ERR_INIT;

	if (put(s, event, o, &err))
		fail_msg("%s: %s", event, err.msg);
}

static void two_disks(struct scribe *s)
{
	ready(s);
	must(s, "medium-added", disk(DISK, "D-01"));
	must(s, "medium-added", disk(SECOND_DISK, "D-02"));
}

static const struct ledger_medium *rdx(const struct scribe *s)
{
	return ledger_medium_by_uuid(s->ledger, DISK);
}

/* It is refused, and changes nothing: what is right is taken after it. */
static void refused(struct scribe *s, const char *event, json_t *o, const char *code)
{
	struct err err = ERR_INIT;
	const uint64_t seq = ledger_seq(s->ledger);

	if (!ledger_accepts(s->ledger, event, o, &err))
		fail_msg("%s was taken", event);
	assert_string_equal(err.code, code);
	json_decref(o);
	assert_true(ledger_seq(s->ledger) == seq);
}

static void data_is_kept_until_it_is_said_anew(void **state)
{
	struct scribe s;
	(void)state;

	two_disks(&s);
	assert_string_equal(ledger_medium_data(rdx(&s), "maker"), "");
	assert_string_equal(ledger_medium_data(rdx(&s), "serial"), "S-1");
	must(&s, "medium-data", about("maker", "A", "use_until", "2027-03-31", "custodian", "鈴木"));
	must(&s, "medium-data", about("serial", "S-9", "model", "M", NULL, NULL));
	assert_string_equal(ledger_medium_data(rdx(&s), "maker"), "A");
	assert_string_equal(ledger_medium_data(rdx(&s), "serial"), "S-9");
	assert_string_equal(rdx(&s)->custodian, "鈴木");
	must(&s, "medium-data", about("maker", "", NULL, NULL, NULL, NULL));
	assert_string_equal(ledger_medium_data(rdx(&s), "maker"), "");
	assert_string_equal(ledger_medium_data(rdx(&s), "use_until"), "2027-03-31");
	refused(&s, "medium-data", about("bought", "2027-02-30", NULL, NULL, NULL, NULL), "E-LEDGER-01");
	refused(&s, "medium-data", about("bought", "soon", NULL, NULL, NULL, NULL), "E-LEDGER-01");
	refused(&s, "medium-data",
	    json_pack("{s:s, s:s, s:s}", "medium", NO_DISK, "operator", "山田", "maker", "A"), "E-LEDGER-02");
	/* registered again it is the same thing */
	must(&s, "medium-added", disk(DISK, "D-01"));
	assert_string_equal(ledger_medium_data(rdx(&s), "model"), "M");
	end(&s);
}

static void it_is_in_one_persons_hands(void **state)
{
	struct scribe s;
	(void)state;

	two_disks(&s);
	refused(&s, "medium-handed", about("to", "高橋", NULL, NULL, NULL, NULL), "E-LEDGER-01");
	refused(&s, "medium-handed", about("to", "高橋", "witness", "山田", NULL, NULL), "E-LEDGER-02");
	must(&s, "medium-handed", about("to", "高橋", "witness", "伊藤", NULL, NULL));
	assert_string_equal(rdx(&s)->custodian, "高橋");
	refused(&s, "medium-returned", about("place", "金庫", NULL, NULL, NULL, NULL), "E-LEDGER-02");
	refused(&s, "medium-lent", about("to", "監査", "until", "never", "reason", "r"), "E-LEDGER-01");
	must(&s, "medium-lent", about("to", "監査", "until", "2026-12-20", "reason", "r"));
	assert_string_equal(rdx(&s)->custodian, "監査");
	assert_string_equal(journal_text(rdx(&s)->lent, "until"), "2026-12-20");
	refused(&s, "medium-lent", about("to", "別", "until", "2026-12-20", "reason", "r"), "E-LEDGER-02");
	must(&s, "medium-returned", about("place", "棚", NULL, NULL, NULL, NULL));
	assert_null(rdx(&s)->lent);
	assert_string_equal(rdx(&s)->place, "棚");
	assert_string_equal(rdx(&s)->custodian, "山田");
	end(&s);
}

static json_t *counted(const char *seen, const char *missing)
{
	json_t *o =
	    json_pack("{s:s, s:s, s:[], s:[]}", "place", "金庫", "operator", "山田", "seen", "missing");

	if (seen)
		json_array_append_new(json_object_get(o, "seen"), json_string(seen));
	if (missing)
		json_array_append_new(json_object_get(o, "missing"), json_string(missing));
	return o;
}

static void what_is_not_found_has_no_place(void **state)
{
	struct scribe s;
	(void)state;

	two_disks(&s);
	must(&s, "medium-moved",
	    json_pack("{s:s, s:s, s:s, s:s, s:b}", "medium", DISK, "operator", "山田", "place", "金庫",
		"from", "", "detached", 1));
	refused(&s, "media-counted", counted(DISK, DISK), "E-LEDGER-01");
	refused(&s, "media-counted", counted(NO_DISK, NULL), "E-LEDGER-02");
	refused(&s, "medium-found", about("place", "金庫", NULL, NULL, NULL, NULL), "E-LEDGER-02");
	must(&s, "media-counted", counted(SECOND_DISK, DISK));
	assert_true(rdx(&s)->missing_ns && rdx(&s)->unplaced && !rdx(&s)->counted_ns);
	assert_true(ledger_medium_by_uuid(s.ledger, SECOND_DISK)->counted_ns);
	must(&s, "medium-found", about("place", "棚", NULL, NULL, NULL, NULL));
	assert_true(!rdx(&s)->missing_ns && !rdx(&s)->unplaced);
	must(&s, "media-counted", counted(NULL, DISK));
	/* whoever sees it plugged in has found it */
	must(&s, "medium-attached", json_pack("{s:s, s:s}", "medium", DISK, "path", "/mnt/x"));
	assert_true(!rdx(&s)->missing_ns);
	end(&s);
}

static void capture(struct scribe *s)
{
	must(s, "begin", json_pack("{s:i, s:s, s:[s]}", "run", 1, "uuid", RUN_1, "datasets", "emr"));
	must(s, "committed",
	    json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:[{s:s, "
		      "s:s, s:b, s:b}]}",
		"dataset", "emr", "generation", 1, "uuid", RUN_1, "manifest_sha256", HASH, "archives", 1,
		"archive_bytes", 1, "new_bytes", 1, "next_archive", 2, "verdict", "good", "entries", 1,
		"files", 1, "bytes", 1, "unreadable", 0, "changed", 0, "skipped", 0, "media", "medium", DISK,
		"label", "D-01", "ok", 1, "frozen", 1));
}

static json_t *verified(void)
{
	return json_pack("{s:s, s:[{s:s, s:i, s:i, s:i}]}", "medium", DISK, "generations", "dataset", "emr",
	    "generation", 1, "files", 1, "bytes", 1);
}

static void what_is_lost_counts_when_it_was_read_back(void **state)
{
	const struct ledger_generation *g;
	struct scribe s;
	(void)state;

	two_disks(&s);
	capture(&s);
	must(&s, "verified", verified());
	g = ledger_generation_of(s.ledger, "emr", 1);
	assert_true(ledger_sound_on(s.ledger, g, DISK) && g->period == 1);
	must(&s, "medium-lost", about("reason", "配送中", NULL, NULL, NULL, NULL));
	g = ledger_generation_of(s.ledger, "emr", 1);
	assert_false(ledger_sound_on(s.ledger, g, DISK));
	assert_true(g->state == LEDGER_EXPIRED);
	/* nobody finds it under its name, and nobody gets that */
	assert_null(ledger_medium_by_label(s.ledger, "D-01"));
	assert_ptr_equal(ledger_medium_known(s.ledger, "D-01"), rdx(&s));
	refused(&s, "verified", verified(), "E-LEDGER-02");
	refused(
	    &s, "medium-attached", json_pack("{s:s, s:s}", "medium", DISK, "path", "/mnt/x"), "E-LEDGER-02");
	refused(&s, "medium-added", disk(DISK, "D-01"), "E-LEDGER-02");
	refused(&s, "medium-lost", about("reason", "again", NULL, NULL, NULL, NULL), "E-LEDGER-02");
	refused(&s, "medium-handed", about("to", "高橋", "witness", "伊藤", NULL, NULL), "E-LEDGER-02");
	must(&s, "medium-data", about("serial", "S-2", NULL, NULL, NULL, NULL)); /* for the police */
	must(&s, "medium-found", about("place", "棚", NULL, NULL, NULL, NULL));
	assert_ptr_equal(ledger_medium_by_label(s.ledger, "D-01"), rdx(&s));
	assert_false(ledger_sound_on(s.ledger, ledger_generation_of(s.ledger, "emr", 1), DISK));
	must(&s, "medium-attached", json_pack("{s:s, s:s}", "medium", DISK, "path", "/mnt/x"));
	must(&s, "verified", verified());
	g = ledger_generation_of(s.ledger, "emr", 1);
	assert_true(ledger_sound_on(s.ledger, g, DISK) && g->state == LEDGER_COMMITTED);
	end(&s);
}

static void nothing_happens_to_what_is_retired(void **state)
{
	static const char *const events[] = {
	    "medium-data", "medium-handed", "medium-lent", "medium-returned", "medium-lost", "medium-found"};
	struct scribe s;
	(void)state;

	two_disks(&s);
	must(&s, "medium-retired", about("reason", "古い", "method", "破砕", "witness", "伊藤"));
	for (size_t i = 0; i < sizeof(events) / sizeof(*events); i++)
		refused(&s, events[i],
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "medium", DISK, "operator", "山田", "to",
			"x", "witness", "伊藤", "until", "2026-12-20", "reason", "r", "place", "p"),
		    "E-LEDGER-02");
	refused(&s, "media-counted", counted(DISK, NULL), "E-LEDGER-02");
	end(&s);
}

static void another_one_of_that_name_keeps_it(void **state)
{
	struct scribe s;
	(void)state;

	two_disks(&s);
	must(&s, "medium-lost", about("reason", "配送中", NULL, NULL, NULL, NULL));
	must(&s, "medium-renamed",
	    json_pack("{s:s, s:s, s:s}", "medium", SECOND_DISK, "label", "D-01", "operator", "山田"));
	refused(&s, "medium-found", about("place", "棚", NULL, NULL, NULL, NULL), "E-LEDGER-02");
	assert_string_equal(ledger_medium_known(s.ledger, "D-01")->uuid, SECOND_DISK);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(data_is_kept_until_it_is_said_anew),
	    cmocka_unit_test(it_is_in_one_persons_hands),
	    cmocka_unit_test(what_is_not_found_has_no_place),
	    cmocka_unit_test(what_is_lost_counts_when_it_was_read_back),
	    cmocka_unit_test(nothing_happens_to_what_is_retired),
	    cmocka_unit_test(another_one_of_that_name_keeps_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
