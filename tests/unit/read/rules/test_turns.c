/* turns, holds, and compliance of pools: from policies as they are written and journals as they are read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "unit.h"
#include "base/day.h"
#include "base/err.h"
#include "format/policy/holidays.h"
#include "format/policy/policy.h"
#include "read/rules/compliance.h"
#include "read/rules/holds.h"
#include "read/rules/turns.h"
#include "scribe.h"

#define HOUR  3600000000000LL
#define DAY   (24 * HOUR)
#define MEDIA 5

static const char *const labels[MEDIA] = {"nas", "ssd", "A", "B", "C"};

struct world {
	struct scribe s;
	struct policy *policy;
	char uuids[MEDIA][JOURNAL_UUID];
	enum compliance_sight sights[MEDIA];
	struct compliance *st;
};

static void must(struct world *w, int64_t at, const char *event, json_t *members)
{
	struct err err = ERR_INIT;

	w->s.at_ns = at;
	if (put(&w->s, event, members, &err))
		fail_msg("%s: %s", event, err.msg);
}

static void moved(struct world *w, size_t m, const char *place, int64_t at)
{
	must(w, at, "medium-moved",
	    json_pack("{s:s, s:s, s:s, s:b}", "medium", w->uuids[m], "operator", "山田", "place", place,
		"detached", 1));
	w->sights[m] = COMPLIANCE_NOT_SEEN;
}

/* nas, ssd, and three disks in a pool, all in the bank; keys: of the pool; list: of holidays. */
static void world(struct world *w, const char *keys, const char *list)
{
	char text[4096];
	struct err err = ERR_INIT;

	memset(w, 0, sizeof(*w));
	snprintf(text, sizeof(text),
	    "site: {name: x, language: en}\ndatasets: [{name: emr, paths: [/a]}]\npeople:\n"
	    "  - {name: 山田, roles: [operator]}\n  - {name: 院長, roles: [manager]}\nmedia:\n"
	    "  - {name: nas, type: hdd, path: /nas, place: room}\n  - {name: ssd, type: ssd, path: /ssd, "
	    "place: room}\n"
	    "  - {name: A, type: rdx, offline: true, place: bank}\n  - {name: B, type: rdx, offline: true, "
	    "place: bank}\n"
	    "  - {name: C, type: rdx, offline: true, place: bank}\nplaces:\n  - {name: room, originals: "
	    "true}\n"
	    "  - {name: bank, separate_from: [room]}\npools:\n  - {name: weekly, media: [A, B, C], "
	    "swap_every: 7d%s}\n",
	    keys);
	if (policy_parse("p", text, strlen(text), &w->policy, NULL, &err))
		fail_msg("%s", err.msg);
	if (list)
		assert_int_equal(holidays_parse("l", list, strlen(list), &w->policy->holidays, &err), 0);
	w->policy->key_drill_every_s = 10000 * INT64_C(86400); /* nobody tries the key here */
	start(&w->s);
	must(w, T0, "init", init_members(&w->s));
	for (size_t i = 0; i < MEDIA; i++) {
		snprintf(w->uuids[i], sizeof(w->uuids[i]), "%08zu-3c5d-4f60-9a11-2f4b8c0d7e01", i + 1);
		must(w, T0, "medium-added",
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "medium", w->uuids[i], "label",
			labels[i], "type", w->policy->media[i].type, "path", "/x", "place",
			w->policy->media[i].place, "offline", (int)w->policy->media[i].offline, "shows",
			w->policy->media[i].type, "fs_uuid", w->uuids[i]));
		w->sights[i] = COMPLIANCE_SEEN;
		if (w->policy->media[i].offline)
			moved(w, i, "bank", T0);
	}
}

static void done(struct world *w)
{
	compliance_free(w->st);
	policy_free(w->policy);
	end(&w->s);
}

static void reread(struct world *w, size_t m, int64_t at)
{
	must(w, at, "reread",
	    json_pack("{s:s, s:i, s:i, s:i, s:i, s:i}", "medium", w->uuids[m], "first", 0, "parts",
		LEDGER_PARTS, "files", 1, "bytes", 1, "bad", 0));
}

static void night(struct world *w, int n, int64_t at)
{
	must(w, at, "begin", begin_of("emr", n));
	must(w, at, "committed",
	    committed_to("emr", n, "good",
		json_pack("[o, o]", copy_to(w->uuids[0], "nas"), copy_to(w->uuids[1], "ssd"))));
	must(w, at, "verified", on_medium("emr", n, w->uuids[0]));
	must(w, at, "verified", on_medium("emr", n, w->uuids[1]));
	reread(w, 0, at);
	reread(w, 1, at);
}

static void rotated(struct world *w, size_t m, int n, int64_t at)
{
	must(w, at, "medium-attached", json_pack("{s:s}", "medium", w->uuids[m]));
	must(w, at, "copied", on_medium("emr", n, w->uuids[m]));
	must(w, at, "verified", on_medium("emr", n, w->uuids[m]));
	reread(w, m, at);
	must(w, at, "rotated",
	    json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "medium", w->uuids[m], "operator",
		"山田", "place", "bank", "generations", 1, "newest", n, "copied", 1, "bytes", 1000,
		"unfrozen", 0, "complete", 1));
	w->sights[m] = COMPLIANCE_SEEN;
}

static const struct turns *look(struct world *w, int64_t now)
{
	struct err err = ERR_INIT;

	compliance_free(w->st);
	w->st = NULL;
	assert_int_equal(compliance_new(w->policy, w->s.ledger, w->sights, now, &w->st, &err), 0);
	assert_int_equal(w->st->overall == COMPLIANCE_MET, w->st->n_next == 0);
	return &w->st->pools[0];
}

static void quiet(struct world *w, int64_t now)
{
	look(w, now);
	if (w->st->n_next)
		fail_msg("day %d: %s", (int)((now - T0) / DAY), w->st->next[0]);
}

static bool says(const struct world *w, const char *part)
{
	for (size_t i = 0; i < w->st->n_next; i++)
		if (strstr(w->st->next[i], part))
			return true;
	return false;
}

static const char *name_of(const struct turns_disk *d)
{
	return d ? d->policy->name : "-";
}

/* ---- when ---- */

static void turns_stay_on_their_day(void **state)
{
	/* weekday (0: any), swap in days, the rotation, the turn behind it */
	static const struct {
		unsigned weekday;
		int days;
		const char *rotated, *planned, *date;
	} cases[] = {
	    {0, 7, "2026-12-03", "2026-12-10", "2026-12-10"},
	    {0, 1, "2026-12-05", "2026-12-06", "2026-12-07"},
	    {2, 7, "2026-12-07", "2026-12-14", "2026-12-14"},
	    {2, 7, "2026-12-08", "2026-12-14", "2026-12-14"},
	    {2, 7, "2026-12-11", "2026-12-14", "2026-12-14"}, /* four days late */
	    {2, 7, "2026-12-12", "2026-12-21", "2026-12-21"}, /* on the Saturday before */
	    {2, 7, "2026-12-13", "2026-12-21", "2026-12-21"},
	    {2, 14, "2026-12-08", "2026-12-21", "2026-12-21"},
	    {2, 7, "2027-01-04", "2027-01-11", "2027-01-12"}, /* 成人の日 */
	    {2, 7, "2027-01-12", "2027-01-18", "2027-01-18"},
	    {4, 7, "2026-12-23", "2026-12-30", "2027-01-04"},
	    {4, 7, "2027-01-04", "2027-01-13", "2027-01-13"},
	};
	static const char list[] = "every sunday\n2026-12-29..2027-01-03 年末年始\n2027-01-11 成人の日\n";
	struct holidays *h = NULL;
	(void)state;

	assert_int_equal(holidays_parse("l", list, sizeof(list) - 1, &h, NULL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy_pool pool = {
		    .weekday = cases[i].weekday, .swap_every_s = cases[i].days * 86400LL};
		int32_t from, planned, date;
		char text[DAY_TEXT];

		assert_int_equal(day_parse(cases[i].rotated, 10, &from), 0);
		date = turns_next(&pool, h, from, &planned);
		assert_string_equal(day_format(planned, text), cases[i].planned);
		assert_string_equal(day_format(date, text), cases[i].date);
	}
	holidays_free(h);
}

/* ---- which ---- */

static void the_one_longest_away_is_due(void **state)
{
	struct world w;
	const struct turns *t;
	(void)state;

	world(&w, "", NULL);
	t = look(&w, T0 + HOUR);
	assert_true(t->idle && !t->late);
	assert_false(says(&w, "bkp rotate"));
	for (int n = 1; n <= 3; n++)
		night(&w, n, T0 + n * DAY);
	t = look(&w, T0 + 3 * DAY + HOUR);
	assert_string_equal(name_of(t->due), "A");
	assert_true(!t->newest && says(&w, "attach A (from 'bank')") && !says(&w, "attach B"));
	rotated(&w, 2, 3, T0 + 3 * DAY + HOUR);
	t = look(&w, T0 + 3 * DAY + 2 * HOUR);
	assert_string_equal(name_of(t->due), "B");
	assert_string_equal(name_of(t->newest), "A");
	assert_true(says(&w, "A is up to date: unmount it") && !says(&w, "rotate B"));
	moved(&w, 2, "bank", T0 + 3 * DAY + 3 * HOUR);
	quiet(&w, T0 + 3 * DAY + 4 * HOUR);
	/* what is damaged, or retired, is left out and named */
	must(&w, T0 + 3 * DAY + 5 * HOUR, "medium-retired",
	    json_pack("{s:s, s:s, s:s}", "medium", w.uuids[3], "operator", "院長", "reason", "lost"));
	t = look(&w, T0 + 3 * DAY + 6 * HOUR);
	assert_string_equal(name_of(t->due), "C");
	assert_string_equal(turns_out_word(t->disks[1].out), "retired");
	must(&w, T0 + 3 * DAY + 7 * HOUR, "medium-attached", json_pack("{s:s}", "medium", w.uuids[2]));
	must(&w, T0 + 3 * DAY + 7 * HOUR, "verify-failed", copy_of("emr", 3, w.uuids[2]));
	t = look(&w, T0 + 3 * DAY + 8 * HOUR);
	assert_string_equal(turns_out_word(t->disks[0].out), "damaged");
	assert_string_equal(name_of(t->due), "C");
	assert_null(t->newest);
	assert_true(says(&w, "attach C"));
	/* not in the safe when it was counted; then lost */
	must(&w, T0 + 3 * DAY + 9 * HOUR, "media-counted",
	    json_pack("{s:s, s:s, s:s, s:[], s:[s]}", "place", "bank", "operator", "佐藤", "witness", "院長",
		"seen", "missing", w.uuids[4]));
	t = look(&w, T0 + 3 * DAY + 10 * HOUR);
	assert_string_equal(turns_out_word(t->disks[2].out), "not found");
	must(&w, T0 + 3 * DAY + 11 * HOUR, "medium-lost",
	    json_pack("{s:s, s:s, s:s, s:{}, s:s, s:s}", "medium", w.uuids[4], "operator", "佐藤", "reason",
		"探した", "held", "place", "bank", "custodian", "佐藤"));
	t = look(&w, T0 + 3 * DAY + 12 * HOUR);
	assert_string_equal(turns_out_word(t->disks[2].out), "lost");
	done(&w);
}

/* One disk that can be used is its own turn; none is said. */
static void the_last_one_is_due_itself(void **state)
{
	struct world w;
	const struct turns *t;
	(void)state;

	world(&w, "", NULL);
	for (int n = 1; n <= 3; n++)
		night(&w, n, T0 + n * DAY);
	rotated(&w, 2, 3, T0 + 3 * DAY + HOUR);
	moved(&w, 2, "bank", T0 + 3 * DAY + 2 * HOUR);
	for (size_t m = 3; m < MEDIA; m++)
		must(&w, T0 + 3 * DAY + 3 * HOUR, "medium-retired",
		    json_pack("{s:s, s:s, s:s}", "medium", w.uuids[m], "operator", "院長", "reason", "lost"));
	t = look(&w, T0 + 3 * DAY + 4 * HOUR);
	assert_string_equal(name_of(t->due), "A");
	assert_true(t->due == t->newest && !t->first);
	must(&w, T0 + 4 * DAY, "medium-retired",
	    json_pack("{s:s, s:s, s:s}", "medium", w.uuids[2], "operator", "院長", "reason", "lost"));
	t = look(&w, T0 + 4 * DAY + HOUR);
	assert_true(!t->due && !t->newest && t->n == 3);
	done(&w);
}

/* ---- what goes wrong ---- */

static void two_at_once_and_the_wrong_one_are_said(void **state)
{
	struct world w;
	const struct turns *t;
	(void)state;

	world(&w, "", NULL);
	for (int n = 1; n <= 3; n++)
		night(&w, n, T0 + n * DAY);
	rotated(&w, 2, 3, T0 + 3 * DAY + HOUR);
	moved(&w, 2, "bank", T0 + 3 * DAY + 2 * HOUR);
	w.sights[2] = COMPLIANCE_SEEN;
	t = look(&w, T0 + 4 * DAY);
	assert_null(t->second);
	assert_true(says(
	    &w, "A is attached and not due: unmount it and take it away; the next one of 'weekly' is B"));
	w.sights[3] = COMPLIANCE_SEEN;
	t = look(&w, T0 + 4 * DAY);
	assert_string_equal(name_of(t->second), "A");
	assert_true(says(&w, "two media of 'weekly' are attached at once: unmount A and take it to 'bank'"));
	/* one that is away, and not recorded so, is not attached */
	w.sights[2] = COMPLIANCE_NOT_SEEN;
	must(&w, T0 + 4 * DAY + HOUR, "medium-attached", json_pack("{s:s}", "medium", w.uuids[2]));
	t = look(&w, T0 + 4 * DAY + 2 * HOUR);
	assert_null(t->second);
	done(&w);
}

static void never_all_at_one_place(void **state)
{
	struct world w;
	const struct turns *t;
	(void)state;

	world(&w, ", away_at_least: 2", NULL);
	for (int n = 1; n <= 3; n++)
		night(&w, n, T0 + n * DAY);
	rotated(&w, 2, 3, T0 + 3 * DAY + HOUR);
	moved(&w, 2, "bank", T0 + 3 * DAY + 2 * HOUR);
	t = look(&w, T0 + 3 * DAY + 3 * HOUR);
	assert_true(t->away == 3 && !t->first);
	moved(&w, 2, "room", T0 + 4 * DAY);
	t = look(&w, T0 + 4 * DAY + HOUR);
	assert_string_equal(name_of(t->first), "A");
	assert_true(says(&w, "A is at 'room', which is not separate from the originals: take it to 'bank'"));
	t = look(&w, T0 + 12 * DAY);
	assert_true(
	    says(&w, "first take A to 'bank' and record that with 'bkp medium move A --operator NAME'"));
	assert_true(says(&w, "then attach B (from 'bank')"));
	done(&w);
}

static void reminders_escalate(void **state)
{
	struct world w;
	const struct turns *t;
	char names[TURNS_NAMES];
	int32_t date;
	(void)state;

	world(&w, ", remind: [{tell: 山田}, {tell: 院長, after: 36h}]",
	    "2026-12-01 x\n2026-12-02 y\n2027-01-01 z\n");
	for (int n = 1; n <= 3; n++)
		night(&w, n, T0 + n * DAY);
	rotated(&w, 2, 3, T0 + 3 * DAY + HOUR);
	moved(&w, 2, "bank", T0 + 3 * DAY + 2 * HOUR);
	/* rotated on the 24th: the turn of December 1st moves to the 3rd */
	t = look(&w, T0 + 3 * DAY + 3 * HOUR);
	date = t->date;
	assert_int_equal(t->planned, day_from(2026, 12, 1));
	assert_int_equal(date, day_from(2026, 12, 3));
	for (int n = 4; n <= 16; n++) {
		int64_t at = T0 + n * DAY;
		int late;

		night(&w, n, at);
		t = look(&w, at + HOUR);
		late = t->today - date;
		assert_int_equal(t->late, late > 0 ? late : 0);
		turns_names(t, names);
		assert_string_equal(names, late < 0 ? "" : late < 2 ? "山田" : "山田, 院長");
		assert_int_equal(w.st->n_next != 0, late > 0);
		assert_int_equal(w.st->datasets[0].one.verdict, late <= 0   ? COMPLIANCE_MET
								: late == 1 ? COMPLIANCE_ATTENTION
									    : COMPLIANCE_MISSING);
		assert_int_equal(w.st->media[3].overdue_swap, late > 0);
		assert_false(w.st->media[2].overdue_swap || w.st->media[4].overdue_swap);
		if (late == 1)
			assert_true(says(&w,
			    "its turn in 'weekly' was on 2026-12-03, it is 1 day late; to be told: 山田"));
	}
	done(&w);
}

/* ---- a year ---- */

static void a_year_of_turns_is_quiet(void **state)
{
	struct world w;
	int n = 3, turns = 0;
	int32_t last = 0, widest = 0;
	(void)state;

	world(&w, ", weekday: mon, away_at_least: 2",
	    "every sunday\n2026-12-29..2027-01-03 x\n2027-01-11 x\n2027-05-03..2027-05-05 x\n2027-12-31 x\n");
	for (int i = 1; i <= 3; i++)
		night(&w, i, T0 + i * DAY);
	rotated(&w, 2, 3, T0 + 3 * DAY + HOUR);
	moved(&w, 2, "bank", T0 + 3 * DAY + 2 * HOUR);
	for (int d = 4; d <= 3 + 52 * 7; d++) {
		int64_t at = T0 + d * DAY;
		const struct turns *t;
		size_t m;

		night(&w, ++n, at);
		quiet(&w, at + 5 * HOUR);
		t = &w.st->pools[0];
		assert_null(holidays_on(w.policy->holidays, t->date));
		if (t->today < t->date)
			continue;
		assert_int_equal(t->today, t->date);
		m = (size_t)(t->due->policy - w.policy->media);
		assert_int_equal(m, 2 + (size_t)(turns + 1) % 3);
		widest = last && t->today - last > widest ? t->today - last : widest;
		last = t->today;
		turns++;
		/* it stays met while the disk is here */
		rotated(&w, m, n, at + 6 * HOUR);
		look(&w, at + 6 * HOUR);
		assert_int_equal(w.st->datasets[0].one.verdict, COMPLIANCE_MET);
		moved(&w, m, "bank", at + 7 * HOUR);
		quiet(&w, at + 8 * HOUR);
	}
	/* the turn of May 3rd is on the 6th */
	assert_true(turns >= 51 && widest == 10);
	done(&w);
}

/* ---- what they hold ---- */

static void wants(struct world *w, const char *list)
{
	char have[256] = "";

	for (size_t i = 0; i < ledger_generations(w->s.ledger); i++) {
		const struct ledger_generation *g = ledger_generation(w->s.ledger, i);
		size_t n = strlen(have);

		if (holds_wants(w->policy, w->s.ledger, &w->policy->media[2], g))
			snprintf(have + n, sizeof(have) - n, "%d ", (int)g->number);
	}
	assert_string_equal(have, list);
}

static bool complete(struct world *w)
{
	return holds_complete(w->policy, w->s.ledger, &w->policy->media[2], w->uuids[2], "emr");
}

static void newest_is_the_newest_that_counts(void **state)
{
	struct world w;
	json_t *o;
	(void)state;

	world(&w, ", holds: newest", NULL);
	wants(&w, "");
	for (int n = 1; n <= 3; n++)
		night(&w, n, T0 + n * DAY);
	wants(&w, "3 ");
	assert_false(complete(&w));
	rotated(&w, 2, 3, T0 + 3 * DAY + HOUR);
	assert_true(complete(&w));
	moved(&w, 2, "bank", T0 + 3 * DAY + 2 * HOUR);
	quiet(&w, T0 + 3 * DAY + 3 * HOUR);
	assert_int_equal(w.st->media[2].missing, 0);
	assert_int_equal(w.st->media[3].missing, 1);
	/* one that does not count does not take its place */
	must(&w, T0 + 4 * DAY, "begin", begin_of("emr", 4));
	o = committed_to("emr", 4, "partial", json_pack("[o]", copy_to(w.uuids[0], "nas")));
	must(&w, T0 + 4 * DAY, "committed", o);
	wants(&w, "3 ");
	assert_true(complete(&w));
	done(&w);
}

static void oldest_are_the_three_oldest_that_are_online(void **state)
{
	struct world w;
	(void)state;

	world(&w, ", holds: oldest", NULL);
	for (int n = 1; n <= 5; n++)
		night(&w, n, T0 + n * DAY);
	wants(&w, "1 2 3 ");
	for (int n = 1; n <= 3; n++)
		rotated(&w, 2, n, T0 + 5 * DAY + n * HOUR);
	assert_true(complete(&w));
	moved(&w, 2, "bank", T0 + 5 * DAY + 4 * HOUR);
	/* it is a copy, though what is on it is old, and its turn says for how long */
	quiet(&w, T0 + 5 * DAY + 5 * HOUR);
	assert_int_equal(w.st->datasets[0].offline, 3);
	/* what expires on the media kept online is kept here, and the next ones come */
	for (size_t m = 0; m < 2; m++)
		must(&w, T0 + 6 * DAY, "expired", copy_of("emr", 1, w.uuids[m]));
	wants(&w, "2 3 4 ");
	assert_false(complete(&w));
	assert_non_null(ledger_copy_there(ledger_generation_of(w.s.ledger, "emr", 1), w.uuids[2]));
	done(&w);
}

/* ---- the plan ---- */

static void a_plan_says_what_will_be(void **state)
{
	struct world w;
	struct turns_turn *plan = NULL;
	const struct turns *t;
	size_t n = 0;
	char text[DAY_TEXT];
	static const char *const want[] = {"2026-12-03 B", "2026-12-07 C", "2026-12-14 A", "2026-12-21 B"};
	(void)state;

	world(&w, ", weekday: mon", "2026-11-30..2026-12-02 創立記念\n");
	night(&w, 1, T0 + DAY);
	rotated(&w, 2, 1, T0 + 3 * DAY + HOUR);
	moved(&w, 2, "bank", T0 + 3 * DAY + 2 * HOUR);
	moved(&w, 3, "車", T0 + 3 * DAY + 2 * HOUR);
	t = look(&w, T0 + 4 * DAY);
	assert_int_equal(turns_plan(t, day_from(2026, 12, 21), &plan, &n, NULL), 0);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++) {
		char line[64];

		snprintf(
		    line, sizeof(line), "%s %s", day_format(plan[i].date, text), plan[i].bring->policy->name);
		assert_string_equal(line, want[i]);
		assert_string_equal(plan[i].to, "bank");
		assert_string_equal(plan[i].from, i ? "bank" : "車");
	}
	assert_string_equal(plan[0].holiday, "創立記念");
	assert_true(!plan[1].holiday && !plan[0].late);
	free(plan);
	/* late: from today on */
	t = look(&w, T0 + 20 * DAY);
	assert_int_equal(turns_plan(t, t->today, &plan, &n, NULL), 0);
	assert_true(n == 1 && plan[0].late && plan[0].date == t->today);
	free(plan);
	done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(turns_stay_on_their_day),
	    cmocka_unit_test(the_one_longest_away_is_due),
	    cmocka_unit_test(the_last_one_is_due_itself),
	    cmocka_unit_test(two_at_once_and_the_wrong_one_are_said),
	    cmocka_unit_test(never_all_at_one_place),
	    cmocka_unit_test(reminders_escalate),
	    cmocka_unit_test(a_year_of_turns_is_quiet),
	    cmocka_unit_test(newest_is_the_newest_that_counts),
	    cmocka_unit_test(oldest_are_the_three_oldest_that_are_online),
	    cmocka_unit_test(a_plan_says_what_will_be),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
