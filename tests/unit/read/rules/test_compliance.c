/* compliance: what counts and what does not, as the guidelines count it, and what a person is told to do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "base/day.h"
#include "base/err.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "scribe.h"

#define HOUR   3600000000000LL
#define DAY    (24 * HOUR)
#define MEDIA  4
#define PLACES 2

enum { ALL = -1 };

/* A site of which each test says what media it has; data set emr (3 generations a day apart). */
struct world {
	struct scribe s;
	struct policy policy;
	struct policy_dataset sets[2];
	struct policy_medium media[MEDIA];
	struct policy_place places[PLACES];
	char *separate[1];
	enum compliance_sight sights[MEDIA];
	char uuids[MEDIA][JOURNAL_UUID];
	struct compliance *st;
};

static void must(struct world *w, int64_t at, const char *event, json_t *members)
{
	struct err err = ERR_INIT;

	w->s.at_ns = at;
	if (put(&w->s, event, members, &err))
		fail_msg("%s: %s", event, err.msg);
}

/* spec: "nas:hdd RDX-01:rdx:offline far:hdd:share", all registered at T0.  Everything is in the server room, but for what is kept
 * offline (a share is, too, and has no UUID): that is in the safe, or carried to another building; both are separate from the server room. */
static void world(struct world *w, const char *spec)
{
	static char words[256];
	char *save = NULL;

	memset(w, 0, sizeof(*w));
	start(&w->s);
	must(w, T0, "init", init_members(&w->s));
	w->sets[0] = (struct policy_dataset){
	    .name = "emr", .generations = 3, .every = {.unit = CONFIG_DAY, .n = 1, .s = 86400}, .at = -1};
	w->separate[0] = w->places[0].name = (char *)"サーバ室";
	w->places[0].originals = true;
	w->places[1] =
	    (struct policy_place){.name = (char *)"別棟", .separate_from = w->separate, .n_separate_from = 1};
	w->policy = (struct policy){.datasets = w->sets,
	    .n_datasets = 1,
	    .media = w->media,
	    .places = w->places,
	    .n_places = PLACES,
	    .key_drill_every_s = 396 * 86400,
	    .schedule_at = -1};
	snprintf(words, sizeof(words), "%s", spec);
	for (char *p = strtok_r(words, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		size_t i = w->policy.n_media++;
		struct policy_medium *m = &w->media[i];
		char *type = strchr(p, ':') + 1, *more;

		type[-1] = '\0';
		more = strchr(type, ':');
		if (more)
			*more = '\0';
		*m = (struct policy_medium){
		    .name = p, .type = type, .path = "/mnt/x", .place = more ? "別棟" : "サーバ室"};
		m->offline = more != NULL;
		m->swap_every_s = m->offline ? 7 * 86400 : 0;
		m->max_attached_s = m->offline ? 4 * 3600 : 0;
		w->sights[i] = m->offline ? COMPLIANCE_NOT_SEEN : COMPLIANCE_SEEN;
		snprintf(w->uuids[i], sizeof(w->uuids[i]), "%08zu-3c5d-4f60-9a11-2f4b8c0d7e01", i + 1);
		must(w, T0, "medium-added",
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "medium", w->uuids[i], "label", p,
			"type", type, "path", "/mnt/x", "place", m->place, "offline", m->offline, "shows",
			type, "fs_uuid", more && !strcmp(more + 1, "share") ? "" : w->uuids[i]));
		if (m->offline)
			must(w, T0, "medium-detached", json_pack("{s:s}", "medium", w->uuids[i]));
	}
}

static void done(struct world *w)
{
	compliance_free(w->st);
	end(&w->s);
}

static void verified(struct world *w, const char *name, int n, size_t medium, int64_t at)
{
	must(w, at, "verified", on_medium(name, n, w->uuids[medium]));
}

/* What it made of one data set: committed to all online media that hold it, each read back. */
static void capture(struct world *w, int n, int64_t at, const char *name, const char *verdict, bool read_back)
{
	json_t *media = json_array(), *o;

	if (!strcmp(verdict, "failed")) {
		json_decref(media);
		must(w, at, "failed", failed(name, n, "no dump"));
		return;
	}
	for (size_t i = 0; i < w->policy.n_media; i++)
		if (!w->media[i].offline && policy_medium_holds(&w->media[i], name))
			json_array_append_new(media, copy_to(w->uuids[i], w->media[i].name));
	o = committed_to(name, n, strcmp(verdict, "suspect") ? verdict : "good", media);
	if (!strcmp(verdict, "suspect"))
		json_object_set_new(
		    o, "guard", json_pack("{s:b, s:s}", "suspect", 1, "why", "97 % of the files changed"));
	must(w, at, "committed", o);
	for (size_t i = 0; i < w->policy.n_media && read_back; i++)
		if (!w->media[i].offline && policy_medium_holds(&w->media[i], name))
			verified(w, name, n, i, at);
}

static void run_of(struct world *w, int n, int64_t at, const char *name, const char *verdict, bool read_back)
{
	must(w, at, "begin", begin_of(name, n));
	capture(w, n, at, name, verdict, read_back);
}

static void run(struct world *w, int n, int64_t at)
{
	run_of(w, n, at, "emr", "good", true);
}

static void three_runs(struct world *w)
{
	for (int n = 1; n <= 3; n++)
		run(w, n, T0 + n * DAY);
}

/* Brought to a medium that is attached, and read back. */
static void brought(struct world *w, size_t medium, const char *name, int n, int64_t at)
{
	must(w, at, "copied", on_medium(name, n, w->uuids[medium]));
	verified(w, name, n, medium, at);
}

/* Attached, filled with that generation of emr, all at that time. */
static void rotation(struct world *w, size_t medium, int generation, int64_t at)
{
	must(w, at, "medium-attached", json_pack("{s:s}", "medium", w->uuids[medium]));
	brought(w, medium, "emr", generation, at);
	must(w, at, "rotated",
	    json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "medium", w->uuids[medium], "operator",
		"事務長", "place", "別棟", "generations", 1, "newest", generation, "copied", 1, "bytes", 1000,
		"unfrozen", 0, "complete", 1));
}

static void carried(struct world *w, size_t medium, int64_t at)
{
	must(w, at, "medium-moved",
	    json_pack("{s:s, s:s, s:s, s:b}", "medium", w->uuids[medium], "operator", "事務長", "place",
		"別棟", "detached", 1));
}

static const struct compliance_dataset *look(struct world *w, int64_t now)
{
	struct err err = ERR_INIT;

	compliance_free(w->st);
	w->st = NULL;
	assert_int_equal(compliance_new(&w->policy, w->s.ledger, w->sights, now, &w->st, &err), 0);
	/* a verdict that is not met always comes with something to do, and the other way round */
	if ((w->st->overall == COMPLIANCE_MET) != (w->st->n_next == 0))
		fail_msg(
		    "overall %s, but %zu sentences", compliance_verdict_word(w->st->overall), w->st->n_next);
	assert_int_equal(w->st->n_datasets, w->policy.n_datasets);
	return &w->st->datasets[0];
}

static bool says(const struct world *w, const char *part)
{
	for (size_t i = 0; i < w->st->n_next; i++)
		if (strstr(w->st->next[i], part))
			return true;
	return false;
}

#define SAYS(w, part)                                                                                        \
	do {                                                                                                 \
		if (!says(w, part)) {                                                                        \
			for (size_t i_ = 0; i_ < (w)->st->n_next; i_++)                                      \
				print_message("%zu. %s\n", i_ + 1, (w)->st->next[i_]);                       \
			fail_msg("nothing says '%s'", part);                                                 \
		}                                                                                            \
	} while (0)

#define VERDICTS(d, g_, three_, two_, one_)                                                                  \
	do {                                                                                                 \
		assert_string_equal(compliance_verdict_word((d)->generations.verdict), g_);                  \
		assert_string_equal(compliance_verdict_word((d)->three.verdict), three_);                    \
		assert_string_equal(compliance_verdict_word((d)->two.verdict), two_);                        \
		assert_string_equal(compliance_verdict_word((d)->one.verdict), one_);                        \
	} while (0)

static void a_site_as_it_should_be(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY + HOUR);
	carried(&w, 2, T0 + 3 * DAY + 2 * HOUR);
	d = look(&w, T0 + 3 * DAY + 6 * HOUR);
	VERDICTS(d, "met", "met", "met", "met");
	assert_int_equal(w.st->overall, COMPLIANCE_MET);
	assert_int_equal(w.st->n_next, 0);
	assert_false(w.st->nothing);
	assert_int_equal(d->generations.have, 3);
	assert_int_equal(d->three.have, 4);
	assert_int_equal(d->newest, 3);
	assert_true(d->newest_ns == T0 + 3 * DAY);
	assert_int_equal(d->tried, 3);
	assert_false(d->tried_failed);
	assert_int_equal(d->offline, 3);
	assert_true(d->offline_ns == T0 + 3 * DAY);
	assert_true(d->verified_ns == T0 + 3 * DAY + HOUR);
	assert_false(
	    w.st->media[2].attached || w.st->media[2].overdue_swap || w.st->media[2].overdue_attached);
	assert_int_equal(w.st->media[2].generations, 1);
	assert_int_equal(w.st->media[2].missing, 2);
	assert_int_equal(w.st->media[0].missing, 0);
	done(&w);
}

static void nothing_at_all(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd RDX-01:rdx:offline");
	d = look(&w, T0 + HOUR);
	VERDICTS(d, "missing", "missing", "missing", "missing");
	assert_true(w.st->nothing);
	SAYS(&w, "data set 'emr' was never captured: run 'bkp run emr'");
	/* there is nothing to rotate yet */
	assert_false(says(&w, "bkp rotate"));
	done(&w);
}

static void technologies_are_counted_not_devices(void **state)
{
	static const struct {
		const char *media, *two;
		unsigned have;
	} cases[] = {
	    {"nas:hdd usb:hdd", "attention", 1}, /* NAS + external HDD */
	    {"nas:hdd RDX-01:rdx:offline", "attention", 1},
	    {"nas:hdd usb:ssd", "met", 2},
	    {"nas:ssd usb:ssd", "attention", 1},
	    {"nas:hdd LTO-1:tape:offline", "met", 2},
	    {"nas:hdd BD-1:optical:offline", "met", 2},
	    {"s3:object nas:hdd", "met", 2},
	    {"nas:hdd", "attention", 1},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct compliance_dataset *d;
		struct world w;

		world(&w, cases[i].media);
		three_runs(&w);
		for (size_t m = 0; m < w.policy.n_media; m++)
			if (w.media[m].offline) {
				rotation(&w, m, 3, T0 + 3 * DAY);
				carried(&w, m, T0 + 3 * DAY);
			}
		d = look(&w, T0 + 3 * DAY + HOUR);
		print_message("%s: %s\n", cases[i].media, compliance_verdict_word(d->two.verdict));
		assert_string_equal(compliance_verdict_word(d->two.verdict), cases[i].two);
		assert_int_equal(d->two.have, cases[i].have);
		if (cases[i].have < 2)
			SAYS(&w, "add a medium of another one");
		done(&w);
	}
	assert_int_equal(compliance_technology("rdx"), compliance_technology("hdd"));
	assert_string_equal(compliance_technology_word(compliance_technology("object")), "object store");
}

static void only_good_verified_generations_count(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd");
	run(&w, 1, T0 + DAY);
	run_of(&w, 2, T0 + 2 * DAY, "emr", "partial", true);
	d = look(&w, T0 + 2 * DAY + HOUR);
	assert_int_equal(d->generations.have, 1);
	assert_int_equal(d->newest, 1);
	assert_true(d->tried == 2 && d->tried_failed);
	SAYS(&w, "generation 2 is partial (1 unreadable, 2 changed while read)");
	run_of(&w, 3, T0 + 3 * DAY, "emr", "failed", true);
	d = look(&w, T0 + 3 * DAY + HOUR);
	assert_true(d->generations.have == 1 && d->tried == 3 && d->tried_failed);
	SAYS(&w, "data set 'emr': generation 3 failed");
	SAYS(&w, "run 'bkp run emr'");
	run_of(&w, 4, T0 + 4 * DAY, "emr", "good", false); /* written, not read back */
	d = look(&w, T0 + 4 * DAY + HOUR);
	assert_true(d->generations.have == 1 && d->tried == 4 && d->tried_failed);
	SAYS(&w, "bkp verify emr@4");
	/* on one medium at least */
	verified(&w, "emr", 4, 1, T0 + 4 * DAY + HOUR);
	d = look(&w, T0 + 4 * DAY + 2 * HOUR);
	assert_true(d->generations.have == 2 && d->newest == 4 && !d->tried_failed);
	assert_int_equal(d->three.have, 2);
	SAYS(&w, "generation emr@4 on 'nas' was not read back: run 'bkp verify --medium nas emr@4'");
	/* a run that failed as a whole */
	must(&w, T0 + 5 * DAY, "begin", begin_of("emr", 5));
	d = look(&w, T0 + 5 * DAY + HOUR); /* running */
	assert_true(d->tried == 5 && !d->tried_failed);
	must(&w, T0 + 5 * DAY, "failed", failed("emr", 5, "disk full\033[2J"));
	d = look(&w, T0 + 5 * DAY + HOUR);
	assert_true(d->tried == 5 && d->tried_failed && d->newest == 4);
	SAYS(&w, "generation 5 failed: disk full\\033[2J");
	done(&w);
}

static void damage_takes_away_what_it_hit(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd");
	three_runs(&w);
	must(&w, T0 + 3 * DAY + HOUR, "verify-failed", copy_of("emr", 3, w.uuids[0]));
	d = look(&w, T0 + 3 * DAY + 2 * HOUR);
	assert_int_equal(d->generations.have, 3); /* the SSD has it whole */
	assert_int_equal(d->three.have, 2);
	VERDICTS(d, "met", "attention", "attention", "missing");
	assert_int_equal(w.st->media[0].damaged, 1);
	assert_string_equal(strchr(w.st->next[0], 'g'), w.st->next[0]); /* said first */
	SAYS(&w, "generation emr@3 on 'nas' is damaged");
	must(&w, T0 + 3 * DAY + 2 * HOUR, "verify-failed", copy_of("emr", 3, w.uuids[1]));
	must(&w, T0 + 3 * DAY + 2 * HOUR, "verify-failed", copy_of("emr", 1, w.uuids[1]));
	d = look(&w, T0 + 3 * DAY + 3 * HOUR);
	assert_int_equal(d->generations.have, 2);
	assert_int_equal(d->newest, 2);
	assert_true(d->tried_failed);
	SAYS(&w, "2 generations on 'ssd' are damaged, the newest is emr@3");
	SAYS(&w, "no copy of generation 3 is whole");
	/* mended, or a cable: it verifies again */
	verified(&w, "emr", 3, 0, T0 + 3 * DAY + 4 * HOUR);
	d = look(&w, T0 + 3 * DAY + 5 * HOUR);
	assert_true(d->generations.have == 3 && d->newest == 3 && !d->tried_failed);
	assert_int_equal(w.st->media[0].damaged, 0);
	done(&w);
}

/* What had lost files was brought again, and the run died before it read them back. */
static void brought_again_is_not_yet_read_back(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	must(&w, T0 + 3 * DAY + HOUR, "copied", on_medium("emr", 3, w.uuids[2]));
	carried(&w, 2, T0 + 3 * DAY + HOUR);
	d = look(&w, T0 + 3 * DAY + 2 * HOUR);
	VERDICTS(d, "met", "met", "met", "missing");
	assert_int_equal(d->offline, 0);
	assert_int_equal(w.st->media[2].generations, 0);
	must(&w, T0 + 3 * DAY + 3 * HOUR, "medium-attached", json_pack("{s:s}", "medium", w.uuids[2]));
	verified(&w, "emr", 3, 2, T0 + 3 * DAY + 3 * HOUR);
	carried(&w, 2, T0 + 3 * DAY + 3 * HOUR);
	d = look(&w, T0 + 3 * DAY + 4 * HOUR);
	VERDICTS(d, "met", "met", "met", "met");
	done(&w);
}

/* What the policy calls a disk does not change what was registered and signed. */
static void another_word_in_the_policy_is_no_other_technology(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd usb:hdd RDX-01:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	w.media[1].type = (char *)"tape";
	d = look(&w, T0 + 3 * DAY + HOUR);
	assert_int_equal(d->two.have, 1);
	VERDICTS(d, "met", "met", "attention", "met");
	SAYS(&w, "'usb' is registered as 'hdd', but the policy says 'tape'");
	done(&w);
}

/* Two folders on one disk are lost together. */
static void one_file_system_is_one_copy(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	for (size_t i = 0; i < 2; i++)
		must(&w, T0 + 3 * DAY, "medium-added",
		    json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "medium", w.uuids[i], "label",
			w.media[i].name, "type", w.media[i].type, "offline", 0, "store", "nas:/export",
			"shows", w.media[i].type));
	d = look(&w, T0 + 3 * DAY + HOUR);
	assert_int_equal(d->three.have, 2);
	assert_int_equal(d->two.have, 1);
	VERDICTS(d, "met", "attention", "attention", "missing");
	SAYS(&w, "'nas' and 'ssd' are on one file system (nas:/export): they count as one copy");
	done(&w);
	/* a folder of the NAS that is called offline, recorded as detached, and listed first */
	world(&w, "RDX-01:rdx:offline nas:hdd ssd:ssd");
	three_runs(&w);
	rotation(&w, 0, 3, T0 + 3 * DAY);
	for (size_t i = 0; i < 2; i++)
		must(&w, T0 + 3 * DAY, "medium-added",
		    json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "medium", w.uuids[i], "label",
			w.media[i].name, "type", w.media[i].type, "offline", !i, "fs_uuid", "1b2c-3d4e",
			"shows", w.media[i].type));
	carried(&w, 0, T0 + 3 * DAY);
	d = look(&w, T0 + 3 * DAY + HOUR);
	assert_int_equal(d->three.have, 3);
	VERDICTS(d, "met", "met", "met", "missing");
	assert_int_equal(d->offline, 0);
	done(&w);
}

static void on_store(struct world *w, size_t medium, const char *store)
{
	must(w, T0 + 3 * DAY, "medium-added",
	    json_pack("{s:s, s:s, s:s, s:b, s:s, s:s}", "medium", w->uuids[medium], "label",
		w->media[medium].name, "type", w->media[medium].type, "offline",
		(int)w->media[medium].offline, "store", store, "shows", w->media[medium].type));
}

static void found_damaged(struct world *w, int n, size_t medium)
{
	must(w, T0 + 3 * DAY + HOUR, "verify-failed", copy_of("emr", n, w->uuids[medium]));
}

/* Three folders of one disk: when the first drops out, the others are no more than they were. */
static void damage_makes_nothing_better(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	for (size_t first = 0; first < 2; first++) {
		world(&w, "nas:hdd usb:ssd RDX-01:rdx:offline");
		three_runs(&w);
		rotation(&w, 2, 3, T0 + 3 * DAY);
		for (size_t i = first; i < 3; i++)
			on_store(&w, i, "1b2c-3d4e");
		carried(&w, 2, T0 + 3 * DAY);
		d = look(&w, T0 + 3 * DAY + HOUR);
		assert_int_equal(d->three.have, 2 + first);
		assert_string_equal(compliance_verdict_word(d->one.verdict), "missing");
		assert_int_equal(d->two.have, 1 + first);
		found_damaged(&w, 3, first);
		d = look(&w, T0 + 3 * DAY + 2 * HOUR);
		assert_int_equal(d->three.have, 2 + first);
		assert_int_equal(d->two.have, 1 + first);
		assert_string_equal(compliance_verdict_word(d->one.verdict), "missing");
		assert_int_equal(d->offline, 0);
		done(&w);
	}
	/* the newest stood on one medium only: the older one, which both have, is not the newest for that */
	world(&w, "nas:hdd usb:ssd");
	run(&w, 1, T0 + DAY);
	run(&w, 2, T0 + 2 * DAY);
	run_of(&w, 3, T0 + 3 * DAY, "emr", "good", false);
	verified(&w, "emr", 3, 0, T0 + 3 * DAY);
	d = look(&w, T0 + 3 * DAY + HOUR);
	VERDICTS(d, "met", "attention", "attention", "missing");
	found_damaged(&w, 3, 0);
	d = look(&w, T0 + 3 * DAY + 2 * HOUR);
	assert_int_equal(d->newest, 2);
	assert_true(d->three.verdict >= COMPLIANCE_ATTENTION && d->two.verdict >= COMPLIANCE_ATTENTION);
	assert_false(says(&w, "generation 2 on"));
	done(&w);
}

/* What the policy calls a medium is a claim: two technologies are those that devices show. */
static void a_type_that_no_device_shows(void **state)
{
	static const char *const shows[] = {
	    "", "hdd", "memory"}; /* cannot be told; another; no disk at all */
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	for (size_t k = 0; k < 3; k++) {
		world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
		three_runs(&w);
		d = look(&w, T0 + 3 * DAY + HOUR);
		VERDICTS(d, "met", "met", "met", "missing");
		must(&w, T0 + 3 * DAY, "medium-added",
		    json_pack("{s:s, s:s, s:s, s:b, s:s}", "medium", w.uuids[1], "label", "ssd", "type",
			"ssd", "offline", 0, "shows", shows[k]));
		d = look(&w, T0 + 3 * DAY + HOUR);
		VERDICTS(d, "met", "met", "attention", "missing");
		assert_int_equal(d->two.have, 1);
		assert_non_null(strstr(d->two.why, "what 'ssd' is, is declared only"));
		SAYS(&w, "that 'ssd' is SSD is declared only");
		assert_false(compliance_type_shown(&w.st->media[1]));
		assert_true(compliance_type_shown(&w.st->media[2])); /* rdx and hdd are one */
		done(&w);
	}
}

static int64_t at_local(const char *s)
{
	struct tm tm = {.tm_isdst = -1};

	assert_non_null(strptime(s, "%Y-%m-%d %H:%M", &tm));
	return (int64_t)mktime(&tm) * 1000000000;
}

static void dates_are_those_on_the_wall(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	/* two on one date are one */
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	world(&w, "nas:hdd ssd:ssd");
	run(&w, 1, at_local("2027-01-10 00:05"));
	run(&w, 2, at_local("2027-01-10 23:55"));
	run(&w, 3, at_local("2027-01-11 00:05"));
	d = look(&w, at_local("2027-01-11 01:00"));
	assert_int_equal(d->generations.have, 2);
	/* the same moments by another clock: 15:05 and 14:55, 15:05 the next day */
	setenv("TZ", "UTC0", 1);
	tzset();
	d = look(&w, T0 + 100 * DAY);
	assert_int_equal(d->generations.have, 2);
	done(&w);
	/* the run that has 01:30 twice, and the one that has no 02:30 */
	setenv("TZ", "Europe/Berlin", 1);
	tzset();
	world(&w, "nas:hdd ssd:ssd");
	run(&w, 1, at_local("2027-03-28 01:30"));
	run(&w, 2, at_local("2027-03-28 03:30"));
	run(&w, 3, at_local("2027-10-31 01:30"));
	run(&w, 4, at_local("2027-10-31 01:30") + 2 * HOUR);
	run(&w, 5, at_local("2027-10-31 23:59"));
	d = look(&w, at_local("2027-11-01 00:30"));
	assert_int_equal(d->generations.have, 2);
	/* 31 December and 1 January, and the same day a year later */
	run(&w, 6, at_local("2027-12-31 23:59"));
	run(&w, 7, at_local("2028-01-01 00:01"));
	run(&w, 8, at_local("2029-01-01 00:01"));
	d = look(&w, at_local("2029-01-01 00:30"));
	assert_int_equal(d->generations.have, 5);
	unsetenv("TZ");
	tzset();
	done(&w);
}

static void what_is_attached_is_not_offline(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	w.sights[2] = COMPLIANCE_SEEN;
	d = look(&w, T0 + 3 * DAY + HOUR);
	VERDICTS(d, "met", "met", "met", "attention"); /* the operator is at it */
	assert_int_equal(d->one.have, 0);
	assert_int_equal(d->offline, 0);
	SAYS(&w, "RDX-01 is up to date: unmount it, take it to '別棟'");
	d = look(&w, T0 + 3 * DAY + 5 * HOUR);
	assert_string_equal(compliance_verdict_word(d->one.verdict), "missing");
	assert_true(w.st->media[2].overdue_attached);
	d = look(&w, T0 + 5 * DAY);
	SAYS(&w, "unmount RDX-01 and take it away: it has been attached for 2 days, at most 4 h are planned");
	/* gone, but nobody has said where: not recorded as detached */
	w.sights[2] = COMPLIANCE_NOT_SEEN;
	d = look(&w, T0 + 3 * DAY + HOUR);
	assert_string_equal(compliance_verdict_word(d->one.verdict), "attention");
	assert_int_equal(d->offline, 0);
	SAYS(&w, "RDX-01 is no longer attached: record where it is with 'bkp medium move RDX-01 --place");
	/* the run confirms that it is gone; the place is still open */
	must(&w, T0 + 3 * DAY + 2 * HOUR, "medium-detached", json_pack("{s:s}", "medium", w.uuids[2]));
	d = look(&w, T0 + 3 * DAY + 3 * HOUR);
	VERDICTS(d, "met", "met", "met", "attention");
	assert_int_equal(d->offline, 3);
	SAYS(&w, "RDX-01 was taken away, its arrival is not recorded: 'bkp medium move RDX-01 --operator "
		 "NAME' records '別棟'");
	carried(&w, 2, T0 + 3 * DAY + 3 * HOUR);
	d = look(&w, T0 + 3 * DAY + 4 * HOUR);
	VERDICTS(d, "met", "met", "met", "met");
	assert_int_equal(w.st->n_next, 0);
	/* recorded as away, and there it is */
	w.sights[2] = COMPLIANCE_SEEN;
	d = look(&w, T0 + 3 * DAY + 4 * HOUR);
	assert_int_equal(d->one.have, 0);
	assert_int_equal(d->offline, 0);
	done(&w);
}

static void moved(struct world *w, size_t medium, const char *place, int64_t at)
{
	must(w, at, "medium-moved",
	    json_pack("{s:s, s:s, s:s, s:b}", "medium", w->uuids[medium], "operator", "事務長", "place",
		place, "detached", 1));
}

static void one_is(struct world *w, int64_t now, const char *verdict, const char *why)
{
	const struct compliance_rule *one = &look(w, now)->one;

	if (strcmp(compliance_verdict_word(one->verdict), verdict) != 0 || !strstr(one->why, why))
		fail_msg("not %s '%s', but %s '%s'", verdict, why, compliance_verdict_word(one->verdict),
		    one->why);
}

/* A disk on a shelf of the server room burns with the server. */
static void one_is_kept_where_the_originals_are_not(void **state)
{
	const int64_t at = T0 + 3 * DAY + HOUR, now = at + HOUR;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline RDX-02:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	moved(&w, 2, "サーバ室", at);
	one_is(&w, now, "attention", "its place 'サーバ室' is not separate from the originals");
	moved(&w, 2, "棚", at); /* the policy does not list it */
	one_is(&w, now, "attention", "'棚' is not separate");
	moved(&w, 2, "別棟", at);
	one_is(&w, now, "met", "");
	/* it was here, and left without a word: what was recorded before says nothing any more */
	must(&w, at, "medium-attached", json_pack("{s:s}", "medium", w.uuids[2]));
	must(&w, at, "medium-detached", json_pack("{s:s}", "medium", w.uuids[2]));
	one_is(&w, now, "attention", "where it is now is not recorded");
	/* and where somebody said that it would be taken is not where it is */
	rotation(&w, 2, 3, at);
	must(&w, at, "medium-detached", json_pack("{s:s}", "medium", w.uuids[2]));
	one_is(&w, now, "attention", "where it is now is not recorded");
	/* one more that stands attached for too long takes nothing away from that */
	rotation(&w, 3, 3, T0 + 3 * DAY);
	one_is(&w, T0 + 4 * DAY, "attention", "where it is now is not recorded");
	moved(&w, 2, "別棟", at);
	one_is(&w, now, "met", "");
	/* who does not say which places are separate has none that is */
	w.policy.n_places = 0;
	one_is(&w, now, "attention", "list 'places'");
	done(&w);
}

/* No more is said of a medium that is away than what was seen. */
static void removed_is_what_would_be_found_if_it_were_plugged_in(void **state)
{
	struct world w;
	(void)state;

	world(&w, "nas:hdd RDX-01:rdx:share");
	look(&w, T0 + HOUR);
	/* of its file system no UUID is known: perhaps it is only unmounted */
	assert_int_equal(w.st->media[1].kind, COMPLIANCE_SEPARATED);
	assert_false(w.st->media[1].attached);
	must(&w, T0 + HOUR, "medium-added",
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "medium", w.uuids[1], "label", "RDX-01", "type",
		"rdx", "path", "/mnt/x", "place", "別棟", "offline", 1, "fs_uuid", "1234-ABCD"));
	look(&w, T0 + 2 * HOUR);
	assert_true(w.st->media[1].kind == COMPLIANCE_NOT_OFFLINE && w.st->media[1].attached);
	must(&w, T0 + 2 * HOUR, "medium-detached", json_pack("{s:s}", "medium", w.uuids[1]));
	look(&w, T0 + 3 * HOUR);
	assert_true(
	    w.st->media[1].kind == COMPLIANCE_REMOVED && w.st->media[0].kind == COMPLIANCE_NOT_OFFLINE);
	w.sights[1] = COMPLIANCE_SEEN; /* also when it is only plugged in */
	look(&w, T0 + 3 * HOUR);
	assert_int_equal(w.st->media[1].kind, COMPLIANCE_NOT_OFFLINE);
	done(&w);
}

/* Who has the host mounts the share again: it is named for what it is, and is not the copy that is offline. */
static void a_share_that_is_unmounted_is_no_offline_copy(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd far:hdd:share RDX-01:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY + HOUR);
	d = look(&w, T0 + 3 * DAY + 2 * HOUR);
	assert_int_equal(w.st->media[2].kind, COMPLIANCE_SEPARATED);
	assert_string_equal(compliance_offline_word(w.st->media[2].kind), "logically separated");
	VERDICTS(d, "met", "met", "met", "attention");
	assert_int_equal(d->one.have, 0);
	assert_int_equal(d->offline, 0);
	assert_non_null(strstr(d->one.why, "'far' is logically separated only"));
	rotation(&w, 3, 3, T0 + 3 * DAY);
	carried(&w, 3, T0 + 3 * DAY + HOUR);
	d = look(&w, T0 + 3 * DAY + 2 * HOUR);
	VERDICTS(d, "met", "met", "met", "met");
	assert_int_equal(d->offline, 3);
	done(&w);
}

/* No system sees a tape that lies in its drive: it is away by somebody's word, and as long as that holds. */
static void a_tape_is_removed_by_somebodys_word(void **state)
{
	struct world w;
	(void)state;

	world(&w, "nas:hdd LTO-01:tape:offline");
	must(&w, T0 + HOUR, "medium-added",
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "medium", w.uuids[1], "label", "LTO-01", "type",
		"tape", "path", "/mnt/x", "place", "別棟", "offline", 1, "shows", "tape"));
	must(&w, T0 + HOUR, "medium-detached", json_pack("{s:s}", "medium", w.uuids[1]));
	look(&w, T0 + 2 * HOUR);
	assert_int_equal(w.st->media[1].kind, COMPLIANCE_SEPARATED);
	carried(&w, 1, T0 + 2 * HOUR);
	look(&w, T0 + 3 * HOUR);
	assert_int_equal(w.st->media[1].kind, COMPLIANCE_REMOVED);
	must(&w, T0 + 4 * HOUR, "medium-attached", json_pack("{s:s}", "medium", w.uuids[1]));
	must(&w, T0 + 4 * HOUR, "medium-detached", json_pack("{s:s}", "medium", w.uuids[1]));
	look(&w, T0 + 5 * HOUR);
	assert_int_equal(w.st->media[1].kind, COMPLIANCE_SEPARATED);
	done(&w);
}

/* Images are too large for the disk: it holds the records alone, and is judged for them alone. */
static void a_medium_is_judged_for_what_it_is_to_hold(void **state)
{
	static char *records[] = {(char *)"emr"};
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	w.sets[1] = w.sets[0];
	w.sets[1].name = (char *)"images";
	w.policy.n_datasets = 2;
	for (size_t i = 1; i < 3; i++) {
		w.media[i].datasets = records;
		w.media[i].n_datasets = 1;
	}
	for (int n = 1; n <= 3; n++) {
		must(&w, T0 + n * DAY, "begin",
		    json_pack("{s:i, s:s, s:[s, s]}", "run", n, "uuid", GEN, "datasets", "emr", "images"));
		capture(&w, n, T0 + n * DAY, "emr", "good", true);
		capture(&w, n, T0 + n * DAY, "images", "good", true);
	}
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	d = look(&w, T0 + 3 * DAY + HOUR);
	VERDICTS(d, "met", "met", "met", "met");
	assert_int_equal(d->offline, 3);
	VERDICTS(d + 1, "met", "attention", "attention", "missing");
	assert_true(d[1].three.have == 2 && d[1].newest == 3 && !d[1].offline);
	/* none of the images is missing where they are not to be, and nobody is told to bring them */
	assert_true(!w.st->media[0].missing && !w.st->media[1].missing);
	assert_int_equal(w.st->media[2].missing, 2); /* emr@1 and emr@2 */
	assert_false(says(&w, "'images': run") || says(&w, "bkp rotate") || says(&w, "lacks"));
	SAYS(&w, "data set 'images': ");
	/* what stands there all the same is no copy of them */
	verified(&w, "images", 3, 1, T0 + 3 * DAY + HOUR);
	must(&w, T0 + 3 * DAY + HOUR, "medium-attached", json_pack("{s:s}", "medium", w.uuids[2]));
	brought(&w, 2, "images", 3, T0 + 3 * DAY + HOUR);
	must(&w, T0 + 3 * DAY + HOUR, "medium-detached", json_pack("{s:s}", "medium", w.uuids[2]));
	d = look(&w, T0 + 3 * DAY + 2 * HOUR);
	assert_true(d[1].three.have == 2 && !d[1].offline);
	/* of two on one disk the one that is to hold them does */
	w.media[0].datasets = records;
	w.media[0].n_datasets = 1;
	w.media[1].n_datasets = 0;
	for (size_t i = 0; i < 2; i++)
		must(&w, T0 + 3 * DAY + 2 * HOUR, "medium-added",
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s}", "medium", w.uuids[i], "label",
			w.media[i].name, "type", w.media[i].type, "path", "/mnt/x", "place", "サーバ室",
			"offline", 0, "store", "one disk"));
	d = look(&w, T0 + 3 * DAY + 3 * HOUR);
	assert_int_equal(d[1].three.have, 2);
	done(&w);
}

/* The other data sets still go to the disk, unless the policy says stop; one sentence, not two that contradict. */
static void while_a_data_set_is_suspect_a_rotation_goes_on(void **state)
{
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	run_of(&w, 4, T0 + 4 * DAY, "emr", "suspect", true);
	must(&w, T0 + 4 * DAY, "medium-attached", json_pack("{s:s}", "medium", w.uuids[2]));
	w.sights[2] = COMPLIANCE_SEEN;
	look(&w, T0 + 4 * DAY + HOUR);
	SAYS(&w,
	    "look at 'emr@4' first; only when nothing is harmed (it stays behind, the other data sets go): "
	    "run 'bkp rotate RDX-01");
	assert_false(says(&w, "take it away"));
	w.sights[2] = COMPLIANCE_NOT_SEEN;
	must(&w, T0 + 4 * DAY, "medium-detached", json_pack("{s:s}", "medium", w.uuids[2]));
	look(&w, T0 + 4 * DAY + HOUR);
	SAYS(&w, "look at 'emr@4' first; only when nothing is harmed (it stays behind, the other data sets "
		 "go): attach");
	w.policy.stop_while_suspect = true;
	look(&w, T0 + 4 * DAY + HOUR);
	assert_false(says(&w, "attach RDX-01"));
	must(&w, T0 + 4 * DAY, "medium-attached", json_pack("{s:s}", "medium", w.uuids[2]));
	w.sights[2] = COMPLIANCE_SEEN;
	w.policy.stop_while_suspect = true;
	look(&w, T0 + 4 * DAY + HOUR);
	SAYS(&w, "unmount RDX-01 and take it away now: generation emr@4 is suspect");
	assert_false(says(&w, "bkp rotate"));
	/* filled with what is not suspect: now it should leave */
	w.policy.stop_while_suspect = false;
	rotation(&w, 2, 3, T0 + 4 * DAY + HOUR);
	look(&w, T0 + 4 * DAY + 2 * HOUR);
	SAYS(&w, "unmount RDX-01 and take it away now");
	assert_false(says(&w, "bkp rotate"));
	done(&w);
}

static void a_rotation_that_is_overdue_is_said_before_it_counts(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	int n = 3;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	d = look(&w, T0 + 3 * DAY + HOUR);
	SAYS(&w, "attach RDX-01 (from '別棟') and run 'bkp rotate RDX-01 --operator NAME': it was never "
		 "rotated");
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	while (n < 10)
		run(&w, n + 1, T0 + (n + 1) * DAY), n++;
	look(&w, T0 + 10 * DAY); /* on the seventh day */
	assert_int_equal(w.st->n_next, 0);
	d = look(&w, T0 + 10 * DAY + 12 * HOUR);
	VERDICTS(d, "met", "met", "met", "attention"); /* about to lapse */
	assert_true(w.st->media[2].overdue_swap);
	run(&w, 11, T0 + 11 * DAY);
	run(&w, 12, T0 + 12 * DAY);
	d = look(&w, T0 + 12 * DAY);
	VERDICTS(d, "met", "met", "met", "missing");
	assert_int_equal(d->offline, 3); /* it is still the point that is guaranteed, however old */
	SAYS(&w, "attach RDX-01 (from '別棟') and run 'bkp rotate RDX-01 --operator NAME': its last rotation "
		 "was 9 days ago, "
		 "planned every 7 days");
	done(&w);
	/* unless stated: 35 days */
	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	w.media[2].swap_every_s = 0;
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	d = look(&w, T0 + 38 * DAY);
	assert_int_equal(d->one.have, 1);
	d = look(&w, T0 + 38 * DAY + HOUR);
	assert_int_equal(d->one.have, 0);
	done(&w);
}

static void backups_that_stopped_are_noticed(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	d = look(&w, T0 + 4 * DAY + 12 * HOUR);
	assert_int_equal(w.st->overall, COMPLIANCE_MET);
	d = look(&w, T0 + 6 * DAY);
	VERDICTS(d, "attention", "met", "met", "met");
	SAYS(&w, "its newest good, verified generation is 3 days old, planned every day: run 'bkp run emr'");
	/* the media that are declared and not there */
	w.sights[0] = COMPLIANCE_NOT_SEEN;
	w.sights[1] = COMPLIANCE_UNKNOWN;
	d = look(&w, T0 + 4 * DAY);
	SAYS(&w, "medium 'nas' is not at '/mnt/x': attach and mount it");
	SAYS(&w, "it cannot be told whether 'ssd' is attached");
	done(&w);
}

static void policy_and_journal_may_differ(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	/* a data set that is new in the policy; one that was taken out of it */
	world(&w, "nas:hdd ssd:ssd");
	run_of(&w, 1, T0 + DAY, "old", "good", true);
	d = look(&w, T0 + DAY + HOUR);
	VERDICTS(d, "missing", "missing", "missing", "missing");
	assert_true(w.st->nothing && d->tried == 0);
	SAYS(&w, "data set 'emr' was never captured");
	SAYS(&w, "data set 'old' stands in run 1, but no longer in the policy");
	run(&w, 2, T0 + 2 * DAY);
	look(&w, T0 + 2 * DAY + HOUR);
	assert_false(says(&w, "data set 'old'"));
	done(&w);
	/* a second data set without a generation beside one that has all */
	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	w.sets[1] = w.sets[0];
	w.sets[1].name = (char *)"pacs";
	w.policy.n_datasets = 2;
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	d = look(&w, T0 + 3 * DAY + HOUR);
	VERDICTS(d, "met", "met", "met", "met");
	assert_string_equal(compliance_verdict_word(d[1].one.verdict), "missing");
	assert_true(w.st->nothing);
	assert_int_equal(w.st->overall, COMPLIANCE_MISSING);
	done(&w);
	/* media: registered but not declared any more; declared but not registered */
	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	w.media[1] = w.media[2];
	w.policy.n_media = 2;
	w.media[1].name = (char *)"LTO-A1";
	w.media[1].path = NULL;
	d = look(&w, T0 + 3 * DAY + HOUR);
	assert_int_equal(w.st->n_media, 4);
	assert_null(w.st->media[1].ledger);
	assert_null(w.st->media[2].policy);
	assert_string_equal(w.st->media[2].ledger->label, "ssd");
	assert_int_equal(w.st->media[2].generations, 3);
	assert_int_equal(d->three.have, 2); /* the SSD is looked after by nobody */
	assert_int_equal(d->generations.have, 3);
	SAYS(&w, "register medium 'LTO-A1': bkp medium add LTO-A1 --path DIR");
	done(&w);
	/* the NAS burnt down and was taken out of the policy: generations that only it had are no generations
	 */
	world(&w, "nas:hdd ssd:ssd");
	w.policy.n_media = 1;
	three_runs(&w);
	w.media[0] = w.media[1];
	d = look(&w, T0 + 3 * DAY + HOUR);
	assert_int_equal(d->generations.have, 0);
	assert_int_equal(d->generations.verdict, COMPLIANCE_MISSING);
	assert_true(w.st->nothing);
	done(&w);
}

static void a_clock_that_is_wrong_is_said_first(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	d = look(&w, T0 + DAY);
	assert_int_equal(d->generations.have, 3);
	assert_int_equal(w.st->overall, COMPLIANCE_ATTENTION);
	assert_non_null(strstr(w.st->next[0], "the clock says"));
	/* it was wrong for one run, and is right again */
	run(&w, 4, T0 + 4000 * DAY);
	run(&w, 5, T0 + 5 * DAY);
	look(&w, T0 + 5 * DAY + HOUR);
	assert_non_null(strstr(w.st->next[0], "the clock says"));
	/* the ends of time */
	look(&w, INT64_MAX);
	look(&w, INT64_MIN);
	look(&w, 0);
	done(&w);
}

static void without_a_look_the_record_speaks(void **state)
{
	struct err err = ERR_INIT;
	struct compliance *st;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	assert_int_equal(compliance_new(&w.policy, w.s.ledger, NULL, T0 + 3 * DAY + HOUR, &st, &err), 0);
	assert_int_equal(st->overall, COMPLIANCE_MET);
	assert_true(st->media[0].attached);
	assert_int_equal(st->media[0].sight, COMPLIANCE_UNKNOWN);
	compliance_free(st);
	compliance_free(NULL);
	done(&w);
}

static void decide(struct world *w, const char *event, int n, int64_t at)
{
	must(w, at, event, decided("emr", n));
}

static void what_is_suspect_counts_once_it_is_accepted(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	run_of(&w, 4, T0 + 4 * DAY, "emr", "suspect", true);
	d = look(&w, T0 + 4 * DAY + HOUR);
	assert_true(
	    d->suspect == 4 && d->newest == 3 && d->generations.have == 3 && !strcmp(w.st->frozen, "emr@4"));
	assert_string_equal(d->suspicion, "97 % of the files changed");
	/* first of all, with both ways out of it */
	assert_non_null(strstr(w.st->next[0], "'emr@4' is suspect: 97 % of the files changed"));
	assert_non_null(strstr(w.st->next[0], "bkp accept emr@4"));
	assert_non_null(strstr(w.st->next[0], "bkp hold emr@4"));
	/* what stands before it is still a copy on every medium */
	VERDICTS(d, "met", "met", "met", "met");
	decide(&w, "accepted", 4, T0 + 4 * DAY + 2 * HOUR);
	d = look(&w, T0 + 4 * DAY + 3 * HOUR);
	assert_true(!d->suspect && d->newest == 4 && d->generations.have == 4 && !*w.st->frozen);
	assert_int_equal(w.st->n_next, 0);
	/* held: looked at, and not good */
	run_of(&w, 5, T0 + 5 * DAY, "emr", "suspect", true);
	decide(&w, "held", 5, T0 + 5 * DAY + HOUR);
	d = look(&w, T0 + 5 * DAY + 2 * HOUR);
	assert_true(!d->suspect && d->newest == 4 && !*w.st->frozen && d->tried_failed);
	SAYS(&w, "generation 5 is held as suspect and does not count");
	run(&w, 6, T0 + 6 * DAY);
	look(&w, T0 + 6 * DAY + HOUR);
	assert_int_equal(w.st->n_next, 0);
	done(&w);
}

/* One rule for everybody who counts. */
static void what_is_partial_counts_once_it_is_accepted(void **state)
{
	const struct ledger_generation *g;
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	run_of(&w, 4, T0 + 4 * DAY, "emr", "partial", true);
	g = ledger_generation_of(w.s.ledger, "emr", 4);
	assert_false(ledger_counts(w.s.ledger, g));
	d = look(&w, T0 + 4 * DAY + HOUR);
	assert_true(d->newest == 3 && d->generations.have == 3 && d->tried_failed);
	SAYS(&w, "generation 4 is partial");
	decide(&w, "accepted", 4, T0 + 4 * DAY + 2 * HOUR);
	g = ledger_generation_of(w.s.ledger, "emr", 4);
	assert_true(ledger_counts(w.s.ledger, g) && ledger_good(g));
	d = look(&w, T0 + 4 * DAY + 3 * HOUR);
	assert_true(d->newest == 4 && d->generations.have == 4 && !d->tried_failed);
	assert_int_equal(w.st->n_next, 0);
	done(&w);
}

/* It has left the policy since: it freezes all the same, and that is said. */
static void what_is_suspect_and_left_the_policy_is_said(void **state)
{
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	three_runs(&w);
	run_of(&w, 4, T0 + 4 * DAY, "emr", "suspect", true);
	w.sets[0].name = (char *)(uintptr_t) "renamed";
	look(&w, T0 + 4 * DAY + HOUR);
	assert_string_equal(w.st->frozen, "emr@4");
	SAYS(&w, "'emr@4' is suspect, and the policy does not declare its data set any more");
	SAYS(&w, "'bkp hold emr@4 --operator NAME --reason TEXT'");
	done(&w);
}

static void what_was_agreed_holds(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd");
	three_runs(&w);
	must(&w, T0 + 3 * DAY, "agreed",
	    json_pack("{s:[{s:s, s:i, s:i, s:i, s:i, s:i, s:i}], s:[]}", "datasets", "name", "emr",
		"generations", 5, "protect_s", 86400, "daily", 7, "weekly", 0, "monthly", 0, "yearly", 0,
		"approvers"));
	d = look(&w, T0 + 3 * DAY + HOUR);
	assert_true(d->less && d->generations.want == 5 && d->generations.verdict == COMPLIANCE_ATTENTION);
	SAYS(&w, "the policy asks for 3 generations, agreed are 5: those hold");
	w.sets[0].generations = 6;
	d = look(&w, T0 + 3 * DAY + HOUR);
	assert_true(d->less && d->generations.want == 6);
	SAYS(&w, "the policy keeps less than was agreed");
	w.sets[0].keep.daily = 7;
	w.sets[0].protect_s = 86400;
	d = look(&w, T0 + 3 * DAY + HOUR);
	assert_false(d->less);
	done(&w);
}

static void a_run_that_did_not_run_is_noticed(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	int64_t midnight = T0 - T0 % DAY;
	(void)state;

	setenv("TZ", "UTC", 1);
	tzset();
	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	w.policy.schedule_at = 120;
	for (int n = 1; n <= 3; n++) {
		run(&w, n, midnight + n * DAY + 2 * HOUR);
		must(&w, midnight + n * DAY + 2 * HOUR, "outcome",
		    json_pack("{s:s, s:i, s:s}", "command", "run", "exit", 0, "line", "1 of 1 good"));
	}
	rotation(&w, 2, 3, midnight + 3 * DAY + 3 * HOUR);
	carried(&w, 2, midnight + 3 * DAY + 3 * HOUR);
	d = look(&w, midnight + 3 * DAY + 20 * HOUR);
	assert_true(
	    !d->missed_ns && !d->due && d->due_ns == midnight + 4 * DAY + 2 * HOUR && w.st->n_next == 0);
	assert_string_equal(w.st->run->line, "1 of 1 good");
	/* it may still be under way */
	d = look(&w, midnight + 4 * DAY + 2 * HOUR + HOUR / 2);
	assert_true(
	    !d->missed_ns && d->due && d->due_ns == midnight + 4 * DAY + 2 * HOUR && w.st->n_next == 0);
	d = look(&w, midnight + 4 * DAY + 4 * HOUR);
	assert_true(d->missed_ns == midnight + 4 * DAY + 2 * HOUR);
	SAYS(&w, "the night run did not run: data set 'emr' was due");
	/* and the run after is no excuse */
	d = look(&w, midnight + 5 * DAY + 2 * HOUR + HOUR / 2);
	assert_true(d->missed_ns == midnight + 4 * DAY + 2 * HOUR);
	/* a run that passed it over */
	must(&w, midnight + 4 * DAY + 5 * HOUR, "outcome",
	    json_pack(
		"{s:s, s:i, s:s}", "command", "run", "exit", 2, "line", "nothing was captured: no medium"));
	look(&w, midnight + 4 * DAY + 6 * HOUR);
	SAYS(&w, "but no run since then captured it: run 'bkp run emr'");
	SAYS(&w, "failed: nothing was captured: no medium");
	/* one that has begun is not missed */
	must(&w, midnight + 4 * DAY + 7 * HOUR, "begin", begin_of("emr", 4));
	d = look(&w, midnight + 4 * DAY + 8 * HOUR);
	assert_int_equal(d->missed_ns, 0);
	/* without a stated time nobody was promised one */
	w.policy.schedule_at = -1;
	d = look(&w, midnight + 4 * DAY + 23 * HOUR);
	assert_int_equal(d->missed_ns, 0);
	done(&w);
}

static void what_expired_is_not_missing(void **state)
{
	const struct compliance_dataset *d;
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd");
	for (int n = 1; n <= 5; n++)
		run(&w, n, T0 + n * DAY);
	for (size_t m = 0; m < 2; m++)
		must(&w, T0 + 5 * DAY, "expired", copy_of("emr", 1, w.uuids[m]));
	must(&w, T0 + 5 * DAY, "expired", copy_of("emr", 2, w.uuids[0]));
	d = look(&w, T0 + 5 * DAY + HOUR);
	assert_int_equal(d->generations.have, 4);
	assert_true(w.st->media[0].missing == 0 && w.st->media[1].missing == 0);
	assert_true(w.st->media[0].generations == 3 && w.st->media[1].generations == 4);
	done(&w);
}

static void a_jump_of_the_clock_and_a_message_that_was_lost(void **state)
{
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	w.policy.notify_command = "mail";
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY);
	carried(&w, 2, T0 + 3 * DAY);
	must(&w, T0 + 40 * DAY, "clock-jump",
	    json_pack("{s:s, s:s, s:s, s:I}", "source", "monotonic", "before", "2026-11-24T00:00:00Z",
		"after", "2027-01-01T00:00:00Z", "seconds", (json_int_t)(37 * 86400)));
	run(&w, 4, T0 + 40 * DAY);
	must(&w, T0 + 4 * DAY, "notified",
	    json_pack("{s:b, s:s}", "ok", 0, "reason", "nobody was told: status 75"));
	look(&w, T0 + 4 * DAY + HOUR);
	assert_true(w.st->latch->found_ns != 0 && !w.st->notified->ok);
	SAYS(&w, "the clock jumped forward by 37 days");
	SAYS(&w, "bkp clock attest");
	SAYS(&w, "nobody was told: status 75");
	SAYS(&w, "the clock says");
	must(&w, T0 + 4 * DAY + HOUR, "clock-attested",
	    json_pack("{s:s, s:s}", "operator", "事務長", "reason", "117"));
	must(&w, T0 + 4 * DAY + HOUR, "notified", json_pack("{s:b}", "ok", 1));
	run(&w, 5, T0 + 5 * DAY);
	look(&w, T0 + 5 * DAY + HOUR);
	/* the run that was wrong about the time stays, and is settled */
	assert_int_equal(w.st->n_next, 0);
	done(&w);
}

static json_t *drilled(int id, const char *dataset, int generation, int failed)
{
	char uuid[JOURNAL_UUID];

	snprintf(uuid, sizeof(uuid), "%08d-3c5d-4f60-9a11-2f4b8c0d7e02", id);
	return json_pack(
	    "{s:s, s:s, s:n, s:s, s:s, s:[], s:i, s:n, s:s, s:s, s:n, s:n, s:n, s:n, s:{s:[{s:s, s:i, s:s}], "
	    "s:i, s:[], s:i}, s:s, s:s, s:n}",
	    "id", uuid, "begun", "2026-11-21T00:00:00Z", "finished", "command", "key drill", "what", "",
	    "paths", "paths_total", 0, "to", "operator", "院長", "host", "pc", "medium", "label", "person",
	    "exit", "drill", "opened", "dataset", dataset, "generation", generation, "manifest_sha256", HASH,
	    "archives", 1, "failed", "failed_total", failed, "envelope", "A-1", "slip_sha256", HASH,
	    "signed_by");
}

static void a_key_that_nobody_tries_is_asked_about(void **state)
{
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd");
	run(&w, 1, T0 + DAY);
	must(&w, T0 + DAY, "envelope",
	    json_pack("{s:s, s:s, s:s, s:s}", "number", "A-1", "action", "added", "operator", "院長", "place",
		"院長室"));
	look(&w, T0 + 98 * DAY);
	assert_false(says(&w, "no holder of a key"));
	look(&w, T0 + 100 * DAY);
	SAYS(&w, "no holder of a key has opened 'emr' yet");
	assert_false(says(&w, "envelope"));
	look(&w, T0 + 398 * DAY);
	SAYS(&w, "nobody has tried the key in envelope A-1 (院長室) for long");
	run(&w, 2, T0 + 200 * DAY);
	must(&w, T0 + 200 * DAY, "use", drilled(1, "emr", 2, 1));
	look(&w, T0 + 201 * DAY);
	SAYS(&w, "1 archives or generations did not open");
	SAYS(&w, "no holder of a key has opened 'emr' yet");
	must(&w, T0 + 201 * DAY, "use", drilled(2, "emr", 2, 0));
	look(&w, T0 + 595 * DAY);
	assert_false(says(&w, "did not open") || says(&w, "holder of a key"));
	look(&w, T0 + 597 * DAY);
	SAYS(&w, "the newest generation of 'emr' that a holder of a key has opened is emr@2");
	done(&w);
}

/* Said once for all of them, until each is confirmed; nothing where the policy names nobody. */
static void contacts_nobody_confirmed_are_said(void **state)
{
	struct policy_contact contacts[] = {{.name = (char *)"電カル社", .kind = POLICY_CONTACT_VENDOR},
	    {.name = (char *)"県警", .kind = POLICY_CONTACT_POLICE}};
	struct world w;
	(void)state;

	world(&w, "nas:hdd ssd:ssd RDX-01:rdx:offline");
	w.policy.contacts = contacts;
	w.policy.n_contacts = 2;
	three_runs(&w);
	rotation(&w, 2, 3, T0 + 3 * DAY + HOUR);
	carried(&w, 2, T0 + 3 * DAY + 2 * HOUR);
	contacts[0].confirmed_on = contacts[1].confirmed_on = day_of(T0);
	look(&w, T0 + 3 * DAY + 6 * HOUR);
	assert_int_equal(w.st->n_next, 0);
	compliance_free(w.st);
	w.st = NULL;
	contacts[1].confirmed_on -= 190;
	look(&w, T0 + 3 * DAY + 6 * HOUR);
	assert_int_equal(w.st->n_next, 1);
	assert_non_null(
	    strstr(w.st->next[0], "contact '県警' (like that: 1) was not confirmed within six months"));
	done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_suspect_counts_once_it_is_accepted),
	    cmocka_unit_test(what_is_partial_counts_once_it_is_accepted),
	    cmocka_unit_test(what_is_suspect_and_left_the_policy_is_said),
	    cmocka_unit_test(what_was_agreed_holds),
	    cmocka_unit_test(a_run_that_did_not_run_is_noticed),
	    cmocka_unit_test(what_expired_is_not_missing),
	    cmocka_unit_test(a_jump_of_the_clock_and_a_message_that_was_lost),
	    cmocka_unit_test(a_key_that_nobody_tries_is_asked_about),
	    cmocka_unit_test(a_site_as_it_should_be),
	    cmocka_unit_test(contacts_nobody_confirmed_are_said),
	    cmocka_unit_test(nothing_at_all),
	    cmocka_unit_test(technologies_are_counted_not_devices),
	    cmocka_unit_test(only_good_verified_generations_count),
	    cmocka_unit_test(damage_takes_away_what_it_hit),
	    cmocka_unit_test(brought_again_is_not_yet_read_back),
	    cmocka_unit_test(another_word_in_the_policy_is_no_other_technology),
	    cmocka_unit_test(one_file_system_is_one_copy),
	    cmocka_unit_test(damage_makes_nothing_better),
	    cmocka_unit_test(a_type_that_no_device_shows),
	    cmocka_unit_test(dates_are_those_on_the_wall),
	    cmocka_unit_test(what_is_attached_is_not_offline),
	    cmocka_unit_test(one_is_kept_where_the_originals_are_not),
	    cmocka_unit_test(removed_is_what_would_be_found_if_it_were_plugged_in),
	    cmocka_unit_test(a_share_that_is_unmounted_is_no_offline_copy),
	    cmocka_unit_test(a_tape_is_removed_by_somebodys_word),
	    cmocka_unit_test(a_medium_is_judged_for_what_it_is_to_hold),
	    cmocka_unit_test(while_a_data_set_is_suspect_a_rotation_goes_on),
	    cmocka_unit_test(a_rotation_that_is_overdue_is_said_before_it_counts),
	    cmocka_unit_test(backups_that_stopped_are_noticed),
	    cmocka_unit_test(policy_and_journal_may_differ),
	    cmocka_unit_test(a_clock_that_is_wrong_is_said_first),
	    cmocka_unit_test(without_a_look_the_record_speaks),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
