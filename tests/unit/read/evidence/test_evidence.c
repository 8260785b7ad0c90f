/* evidence: item 3-② of the checklist.  A site of a hundred nights of which everything is as it should be is はい; each condition that is
 * broken alone makes it いいえ, is named, with its data set and what to do; the same records give the same at whatever time they are read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "unit.h"
#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/text.h"
#include "format/policy/policy.h"
#include "read/evidence/evidence.h"
#include "scribe.h"

#define HOUR   3600000000000LL
#define DAY    (24 * HOUR)
#define NIGHTS 100
#define SWAP   95 /* the last rotation: on the morning behind that night */
#define SSD    "22222222-3c5d-4f60-9a11-2f4b8c0d7e01"
#define EDITED "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define NOW    (T0 + NIGHTS * DAY + 6 * HOUR)

/* What a case breaks; 0 and "" as it should be. */
struct broken {
	const char *condition; /* evidence_word(); "": none is */
	const char *what;      /* a part of the sentence */
	bool site;	       /* it is of no data set */
	/* of the journal */
	int miss_from, miss_to; /* nights without a run */
	int keep;		/* the others before them expired */
	bool suspect;		/* the last night */
	bool others_suspect;	/* of the data set that does not count */
	bool no_approval, edited, no_drill, drill_failed, no_procedure;
	int drill_days;	     /* ago; 0: ten */
	const char *version; /* of the last night; NULL: "14" */
	int64_t later;	     /* ns: judged that much later */
	/* of the policy: instead of the line that has it */
	const char *line, *instead;
};

static const char *const yaml[] = {"site: {name: s, language: en}", "procedures: [/srv/emr.md]",
    "places:", "  - {name: room, originals: true}", "  - {name: annex, separate_from: [room]}",
    "media:", "  - {name: nas, type: hdd, path: /mnt/nas, place: room}",
    "  - {name: SSD, type: ssd, offline: true, place: annex, swap_every: 7d}",
    "datasets:", "  - {name: emr, paths: [/e], importance: A, generations: 3}",
    "  - {name: logs, paths: [/l], importance: C}",
    "excluded:", "  - {name: raw, reason: r, decided_by: w, decided_on: 2026-04-01}",
    "contacts:", "  - {name: police, kind: police, confirmed_on: 2027-01-10}",
    "checklist: {edition: R7, target: 2027-03-31}"};

static struct policy *policy_of(const struct broken *b)
{
	struct policy *p = NULL;
	struct err err = ERR_INIT;
	char all[4096] = "";
	bool found = !b->line;

	for (size_t i = 0; i < sizeof(yaml) / sizeof(*yaml); i++) {
		bool it = b->line && !strcmp(yaml[i], b->line);

		found |= it;
		strcat(strcat(all, it ? b->instead : yaml[i]), "\n");
	}
	assert_true(found);
	if (policy_parse("p", all, strlen(all), &p, NULL, &err))
		fail_msg("%s (%s)", err.msg, err.hint);
	return p;
}

static void must(struct scribe *s, int64_t at, const char *event, json_t *members)
{
	struct err err = ERR_INIT;

	s->at_ns = at;
	if (put(s, event, members, &err))
		fail_msg("%s: %s", event, err.msg);
}

static void night(struct scribe *s, const char *name, int run, int64_t at, bool suspect, const char *version)
{
	json_t *o;

	must(s, at, "begin", begin_of(name, run));
	o = committed_to(name, run, "good", json_pack("[o]", copy_to(NAS, "nas")));
	json_object_set_new(o, "source_version", json_string(version));
	if (suspect)
		json_object_set_new(o, "guard", json_pack("{s:b, s:s}", "suspect", 1, "why", "97 % changed"));
	must(s, at + HOUR, "committed", o);
	must(s, at + HOUR, "verified", on_medium(name, run, NAS));
}

static void swap_disk(struct scribe *s, int run, int64_t at)
{
	must(s, at, "medium-attached", json_pack("{s:s}", "medium", SSD));
	must(s, at, "copied", on_medium("emr", run, SSD));
	must(s, at, "verified", on_medium("emr", run, SSD));
	must(s, at, "rotated",
	    json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "medium", SSD, "operator", "w",
		"place", "annex", "generations", 1, "newest", run, "copied", 1, "bytes", 1000, "unfrozen", 0,
		"complete", 1));
	must(s, at + HOUR, "medium-moved",
	    json_pack(
		"{s:s, s:s, s:s, s:b}", "medium", SSD, "operator", "w", "place", "annex", "detached", 1));
}

static void drilled(struct scribe *s, const struct broken *b, int run, bool failed_too)
{
	const int64_t finished = NOW - (b->drill_days ? b->drill_days : 10) * DAY + (failed_too ? DAY : 0);
	char at[CLOCK_TEXT];

	clock_format(finished, at);
	must(s, NOW - 5 * HOUR, "drill",
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:n, s:n, s:n, s:{s:s, s:s, s:n, s:s}, s:i, s:n, "
		      "s:[{s:s, s:i, s:s, s:i, s:i}], s:i, s:i, s:i, s:b, s:s, s:n, s:n}",
		"kind", "drill", "verdict", failed_too ? "failed" : "passed", "begun", at, "finished", at,
		"operator", "w", "host", "pc", "medium", "label", "type", "procedure", "sha256", HASH,
		"title", "EMR", "id", "version", "1", "recovery_s", 600, "rpo_s", "datasets", "dataset",
		"emr", "generation", run, "uuid", GEN, "bytes", 5, "ms", 6, "steps", 3, "failed",
		failed_too ? 1 : 0, "late", 0, "erased", 1, "file_sha256", failed_too ? EDITED : HASH,
		"signed_by", "carried_by"));
}

static void nights(struct scribe *s, const struct broken *b)
{
	int last = 0, run = 0;

	for (int n = 1; n <= NIGHTS; n++) {
		const int64_t at = T0 + n * DAY;

		if (b->miss_from && n >= b->miss_from && n <= b->miss_to)
			continue;
		last = ++run;
		night(s, "emr", last, at, b->suspect && n == NIGHTS,
		    n == NIGHTS && b->version ? b->version : "14");
		if (n == SWAP)
			swap_disk(s, last, at + 8 * HOUR);
		if (b->keep && n == NIGHTS - 1)
			for (int k = 1; k < last - b->keep + 2; k++)
				must(s, at + 9 * HOUR, "expired", copy_of("emr", k, NAS));
	}
	if (b->others_suspect)
		night(s, "logs", ++run, T0 + NIGHTS * DAY + 2 * HOUR, true, "");
}

static void journal_of(struct scribe *s, const struct broken *b)
{
	static const char *const shows[] = {"hdd", "ssd"};
	const char *const uuids[] = {NAS, SSD}, *const labels[] = {"nas", "SSD"};

	start(s);
	must(s, T0, "init", init_members(s));
	for (int i = 0; i < 2; i++)
		must(s, T0, "medium-added",
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "medium", uuids[i], "label",
			labels[i], "type", shows[i], "path", "/mnt/x", "place", i ? "annex" : "room",
			"offline", i, "shows", shows[i], "fs_uuid", uuids[i]));
	must(s, T0, "medium-detached", json_pack("{s:s}", "medium", SSD));
	if (!b->no_procedure)
		must(s, T0 + HOUR, "procedures",
		    json_pack("{s:[{s:s, s:s}]}", "procedures", "name", "emr.md", "sha256", HASH));
	if (!b->no_approval)
		must(s, T0 + 2 * HOUR, "procedure-approved",
		    json_pack("{s:s, s:s, s:s, s:n}", "name", "emr.md", "sha256", HASH, "operator", "w",
			"signed_by"));
	nights(s, b);
	if (!b->no_drill)
		drilled(s, b, 5, false);
	if (b->drill_failed)
		drilled(s, b, 5, true);
	if (b->edited) {
		must(s, NOW - 4 * HOUR, "procedures",
		    json_pack("{s:[{s:s, s:s}]}", "procedures", "name", "emr.md", "sha256", EDITED));
		must(s, NOW - 4 * HOUR, "procedure-approved",
		    json_pack("{s:s, s:s, s:s, s:n}", "name", "emr.md", "sha256", EDITED, "operator", "w",
			"signed_by"));
	}
}

static void judge(const struct broken *b, int64_t now, struct evidence *e)
{
	POLICY_AUTO p = policy_of(b);
	struct err err = ERR_INIT;
	struct scribe s;

	journal_of(&s, b);
	assert_int_equal(evidence_judge(p, s.ledger, now + b->later, e, &err), 0);
	for (size_t i = 0; i < e->n; i++) {
		if (b->site != !e->faults[i].dataset || !e->faults[i].next[0])
			fail_msg("%s: of what, or what to do: %s", b->condition, e->faults[i].what);
		if (e->faults[i].dataset)
			assert_string_equal(e->faults[i].dataset->name, "emr");
		e->faults[i].dataset = NULL; /* it goes with the policy */
	}
	end(&s);
}

/* Each row breaks one thing of a site that is as it should be. */
static const struct broken cases[] = {
    {.condition = ""},
    {.condition = "dates", .what = "of 2 of 3 dates", .keep = 1},
    {.condition = "fresh", .what = "is 37 hours old, planned is one every day", .later = 31 * HOUR},
    {.condition = "gap",
	.what = "between 2027-01-09 and 2027-01-13 (4 days, 3 are allowed)",
	.miss_from = 50,
	.miss_to = 52},
    {.condition = "", .miss_from = 50, .miss_to = 51}, /* three days apart */
    {.condition = "", .miss_from = 2, .miss_to = 8},   /* before the ninety days */
    {.condition = "gap",
	.what = "between 2026-11-23",
	.miss_from = 3,
	.miss_to = 15}, /* of it five days are within */
    {.condition = "3-2-1",
	.what = "the '1':",
	.line = "  - {name: annex, separate_from: [room]}",
	.instead = "  - {name: annex}"},
    {.condition = "3-2-1",
	.what = "the '2':",
	.line = "  - {name: SSD, type: ssd, offline: true, place: annex, swap_every: 7d}",
	.instead = "  - {name: SSD, type: hdd, offline: true, place: annex, swap_every: 7d}"},
    {.condition = "offline",
	.what = "is 5 days old, at most 4 days are allowed",
	.line = "  - {name: emr, paths: [/e], importance: A, generations: 3}",
	.instead = "  - {name: emr, paths: [/e], importance: A, generations: 3, offline_rpo: 4d}"},
    {.condition = "",
	.line = "  - {name: emr, paths: [/e], importance: A, generations: 3}",
	.instead = "  - {name: emr, paths: [/e], importance: A, generations: 3, offline_rpo: 6d}"},
    {.condition = "suspect", .what = "'emr@100' is suspect", .suspect = true},
    {.condition = "suspect", .what = "'logs@101' is suspect", .site = true, .others_suspect = true},
    {.condition = "procedure",
	.what = "nobody has approved the recovery procedure 'EMR'",
	.no_approval = true},
    {.condition = "drill", .what = "nobody has rehearsed", .no_drill = true},
    {.condition = "drill", .what = "the last drill failed", .drill_failed = true},
    {.condition = "drill", .what = "the procedure was edited since", .edited = true},
    {.condition = "drill", .what = "another version", .version = "15"},
    {.condition = "drill", .what = "more than a year ago", .drill_days = 366},
    {.condition = "", .drill_days = 364},
    {.condition = "excluded",
	.what = "that 'raw' is not captured",
	.site = true,
	.line = "  - {name: raw, reason: r, decided_by: w, decided_on: 2026-04-01}",
	.instead = "  - {name: raw, reason: r}"},
    {.condition = "excluded",
	.what = "was to be reviewed",
	.site = true,
	.line = "  - {name: raw, reason: r, decided_by: w, decided_on: 2026-04-01}",
	.instead =
	    "  - {name: raw, reason: r, decided_by: w, decided_on: 2026-04-01, review_on: 2027-02-28}"},
    {.condition = "contacts",
	.what = "contact 'police' was not confirmed",
	.site = true,
	.line = "  - {name: police, kind: police, confirmed_on: 2027-01-10}",
	.instead = "  - {name: police, kind: police, confirmed_on: 2026-08-10}"},
    {.condition = "datasets",
	.what = "no data set has importance A or B",
	.site = true,
	.line = "  - {name: emr, paths: [/e], importance: A, generations: 3}",
	.instead = "  - {name: emr, paths: [/e], importance: C, generations: 3}"},
};

static void each_condition_broken_alone_is_named(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct broken *b = &cases[i];
		struct evidence e;

		judge(b, NOW, &e);
		if (e.yes != !*b->condition || e.n != (*b->condition != '\0') ||
		    (e.n && (strcmp(evidence_word(e.faults[0].condition), b->condition) != 0 ||
				!strstr(e.faults[0].what, b->what)))) {
			for (size_t k = 0; k < e.n; k++)
				print_message("  %s: %s → %s\n", evidence_word(e.faults[k].condition),
				    e.faults[k].what, e.faults[k].next);
			fail_msg(
			    "case %zu, '%s' '%s': %zu faults", i, b->condition, b->what ? b->what : "", e.n);
		}
		assert_int_equal(e.target_is, e.yes ? EVIDENCE_TARGET_NONE : EVIDENCE_TARGET_GOOD);
		assert_int_equal(e.counted, strcmp(b->condition, "datasets") != 0);
		evidence_free(&e);
	}
}

/* What is not on record is not seen: a site that has nothing fails everything that can fail, once for each data set that counts. */
static void nothing_is_no(void **state)
{
	static const enum evidence_condition want[] = {EVIDENCE_DATES, EVIDENCE_FRESH, EVIDENCE_321,
	    EVIDENCE_OFFLINE, EVIDENCE_PROCEDURE, EVIDENCE_DRILL};
	POLICY_AUTO p = NULL;
	static const char text_of[] =
	    "site: {name: s, language: en}\nmedia: [{name: m, type: hdd, path: /m}]\n"
	    "datasets: [{name: a, paths: [/a]}, {name: b, paths: [/b]}]\n";
	struct evidence e;
	struct err err = ERR_INIT;
	struct scribe s;
	(void)state;

	start(&s);
	must(&s, T0, "init", init_members(&s));
	assert_int_equal(policy_parse("p", text_of, strlen(text_of), &p, NULL, &err), 0);
	assert_int_equal(evidence_judge(p, s.ledger, T0 + HOUR, &e, &err), 0);
	assert_false(e.yes);
	assert_int_equal(e.counted, 2); /* importance is said of none: all of them count */
	assert_int_equal(e.n, 13);
	for (size_t i = 0; i < 12; i++) {
		assert_int_equal(e.faults[i].condition, want[i % 6]);
		assert_ptr_equal(e.faults[i].dataset, &p->datasets[i / 6]);
	}
	assert_int_equal(e.faults[12].condition, EVIDENCE_CONTACTS);
	assert_int_equal(e.target_is, EVIDENCE_TARGET_MISSING);
	evidence_free(&e);
	end(&s);
}

/* A month is no gap of a data set that is captured once a month. */
static void slow_data_sets_have_their_own_gap(void **state)
{
	const struct broken b = {.condition = "",
	    .line = "  - {name: emr, paths: [/e], importance: A, generations: 3}",
	    .instead = "  - {name: emr, paths: [/e], importance: A, generations: 3, every: week}",
	    .miss_from = 50,
	    .miss_to = 59};
	const struct broken c = {
	    .condition = "gap", .line = b.line, .instead = b.instead, .miss_from = 50, .miss_to = 60};
	struct evidence e;
	(void)state;

	judge(&b, NOW, &e); /* eleven days, of seven and a half of seven, rounded up */
	assert_true(e.yes);
	evidence_free(&e);
	judge(&c, NOW, &e);
	assert_true(e.n == 1 && e.faults[0].condition == EVIDENCE_GAP);
	evidence_free(&e);
}

static int64_t utc(int year, int month, int mday, int hour)
{
	return ((int64_t)day_from(year, month, mday) * 24 + hour) * HOUR;
}

/* April to March, in Japan: 15:00 UTC is midnight there. */
static void the_target_is_within_the_fiscal_year(void **state)
{
	const int32_t march = day_from(2027, 3, 31);
	(void)state;

	assert_int_equal(evidence_year_end(utc(2026, 4, 1, 0)), march);
	assert_int_equal(evidence_year_end(utc(2027, 3, 31, 14)), march);
	assert_int_equal(evidence_year_end(utc(2027, 3, 31, 15)), day_from(2028, 3, 31));
	assert_int_equal(evidence_year_end(utc(2026, 3, 31, 14)), day_from(2026, 3, 31));
	assert_int_equal(evidence_target_is(0, utc(2026, 11, 24, 0)), EVIDENCE_TARGET_MISSING);
	assert_int_equal(evidence_target_is(march, utc(2026, 11, 24, 0)), EVIDENCE_TARGET_GOOD);
	assert_int_equal(evidence_target_is(march, utc(2027, 3, 31, 14)), EVIDENCE_TARGET_GOOD);
	assert_int_equal(evidence_target_is(march, utc(2027, 3, 31, 15)), EVIDENCE_TARGET_PAST);
	assert_int_equal(evidence_target_is(march + 1, utc(2026, 11, 24, 0)), EVIDENCE_TARGET_BEYOND);
	assert_string_equal(evidence_target_word(EVIDENCE_TARGET_PAST), "past");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_condition_broken_alone_is_named),
	    cmocka_unit_test(nothing_is_no),
	    cmocka_unit_test(slow_data_sets_have_their_own_gap),
	    cmocka_unit_test(the_target_is_within_the_fiscal_year),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
