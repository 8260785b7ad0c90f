/* forecast: each lapse is where the rules themselves change, and the act that is named prevents it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "base/clock.h"
#include "base/err.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/forecast.h"
#include "scribe.h"

#define HOUR  (3600 * SECOND_NS)
#define DAY   (24 * HOUR)
#define MEDIA 4

static struct scribe s;
static struct policy_dataset sets[1];
static struct policy_medium media[MEDIA];
static struct policy_place places[2];
static char *separate[1];
static struct policy policy;
static char uuids[MEDIA][JOURNAL_UUID];

static void must(int64_t at, const char *event, json_t *members)
{
	struct err err = ERR_INIT;

	s.at_ns = at;
	if (put(&s, event, members, &err))
		fail_msg("%s: %s", event, err.msg);
}

/* A NAS and an SSD that are here, and so many disks kept offline, each of a week and four hours. */
static void site(size_t disks)
{
	static char *const names[] = {"nas", "ssd", "RDX-01", "RDX-02"};
	static char *const types[] = {"hdd", "ssd", "rdx", "rdx"};

	start(&s);
	must(T0, "init", init_members(&s));
	sets[0] = (struct policy_dataset){
	    .name = "emr", .generations = 1, .every = {.unit = CONFIG_DAY, .n = 1, .s = 86400}, .at = -1};
	separate[0] = places[0].name = (char *)"サーバ室";
	places[0].originals = true;
	places[1] =
	    (struct policy_place){.name = (char *)"別棟", .separate_from = separate, .n_separate_from = 1};
	policy = (struct policy){.datasets = sets,
	    .n_datasets = 1,
	    .media = media,
	    .n_media = 2 + disks,
	    .places = places,
	    .n_places = 2,
	    .key_drill_every_s = 396 * 86400,
	    .schedule_at = 120};
	for (size_t i = 0; i < policy.n_media; i++) {
		media[i] = (struct policy_medium){.name = names[i],
		    .type = types[i],
		    .path = "/mnt/x",
		    .place = i < 2 ? "サーバ室" : "別棟",
		    .offline = i >= 2,
		    .swap_every_s = i < 2 ? 0 : 7 * 86400,
		    .max_attached_s = i < 2 ? 0 : 4 * 3600};
		snprintf(
		    uuids[i], sizeof(uuids[i]), "%08u-3c5d-4f60-9a11-2f4b8c0d7e01", (unsigned)(i + 1) % 10);
		must(T0, "medium-added",
		    json_pack("{s:s, s:s, s:s, s:s, s:s, s:b, s:s, s:s}", "medium", uuids[i], "label",
			names[i], "type", types[i], "path", "/mnt/x", "place", media[i].place, "offline",
			media[i].offline, "shows", types[i], "fs_uuid", uuids[i]));
		if (i >= 2)
			must(T0, "medium-detached", json_pack("{s:s}", "medium", uuids[i]));
	}
}

static void night(int n, int64_t at)
{
	must(at, "begin", begin_of("emr", n));
	must(at, "committed",
	    committed_to(
		"emr", n, "good", json_pack("[o, o]", copy_to(uuids[0], "nas"), copy_to(uuids[1], "ssd"))));
	for (int i = 0; i < 2; i++)
		must(at, "verified", on_medium("emr", n, uuids[i]));
}

static void rotation(size_t disk, int n, int64_t at, bool carried)
{
	must(at, "medium-attached", json_pack("{s:s}", "medium", uuids[disk]));
	must(at, "verified", on_medium("emr", n, uuids[disk]));
	must(at, "rotated",
	    json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "medium", uuids[disk], "operator",
		"事務長", "place", "別棟", "generations", 1, "newest", n, "copied", 1, "bytes", 1000,
		"unfrozen", 0, "complete", 1));
	if (carried)
		must(at + HOUR / 2, "medium-moved",
		    json_pack("{s:s, s:s, s:s, s:b}", "medium", uuids[disk], "operator", "事務長", "place",
			"別棟", "detached", 1));
}

/* The journal so far, read anew. */
static unsigned loads;
static int load(void *arg, struct ledger **ret, struct err *err)
{
	const char *at = (const char *)s.bytes.p, *end = at + s.bytes.n;
	struct ledger *l;

	(void)arg;
	loads++;
	assert_int_equal(ledger_new(&s.sec.pub, &l, err), 0);
	while (at < end) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));

		assert_int_equal(ledger_take(l, at, (size_t)(newline - at), err), 0);
		at = newline + 1;
	}
	*ret = l;
	return 0;
}

static struct forecast *foresee(int64_t now)
{
	struct err err = ERR_INIT;
	struct forecast *f = NULL;

	loads = 0;
	if (forecast_new(&policy, load, NULL, now, FORECAST_DAYS, &f, &err))
		fail_msg("%s", err.msg);
	for (size_t i = 0; i < f->n; i++)
		print_message("%+.3f days: %s, by %s\n", (double)(f->lapses[i].at_ns - T0) / (double)DAY,
		    forecast_word(f->lapses[i].what), f->lapses[i].medium ? f->lapses[i].medium->name : "-");
	return f;
}

static void is_lapse(const struct forecast_lapse *p, enum forecast_what what, int64_t at,
    enum forecast_act act, const char *medium)
{
	assert_int_equal(p->what, what);
	assert_true(p->at_ns > at && p->at_ns <= at + 60 * SECOND_NS);
	assert_int_equal(p->act, act);
	assert_string_equal(p->medium ? p->medium->name : "", medium);
}

static void a_disk_becomes_old(void **state)
{
	struct forecast *f;
	(void)state;

	site(1);
	night(1, T0 + HOUR);
	rotation(2, 1, T0 + 3 * HOUR, true);
	f = foresee(T0 + DAY);
	assert_int_equal(f->n, 2);
	is_lapse(&f->lapses[0], FORECAST_ONE, T0 + HOUR + 7 * DAY, FORECAST_ROTATE, "RDX-01");
	assert_int_equal(f->lapses[0].to, COMPLIANCE_ATTENTION);
	is_lapse(&f->lapses[1], FORECAST_ROTATION, T0 + 3 * HOUR + 7 * DAY, FORECAST_ROTATE, "RDX-01");
	/* two to foresee, one for each moment at which something lapses */
	assert_int_equal(loads, 4);
	forecast_free(f);
	end(&s);
}

/* The one whose turn it is: rotated longest ago; the other one, newer, is not brought. */
static void of_two_disks_the_older_one_comes(void **state)
{
	struct forecast *f;
	(void)state;

	site(2);
	night(1, T0 + HOUR);
	rotation(2, 1, T0 + 3 * HOUR, true);
	night(2, T0 + DAY + HOUR);
	rotation(3, 2, T0 + DAY + 3 * HOUR, true);
	f = foresee(T0 + 2 * DAY);
	assert_true(f->n >= 3);
	is_lapse(&f->lapses[0], FORECAST_ROTATION, T0 + 3 * HOUR + 7 * DAY, FORECAST_ROTATE, "RDX-01");
	is_lapse(&f->lapses[1], FORECAST_ONE, T0 + DAY + HOUR + 7 * DAY, FORECAST_ROTATE, "RDX-01");
	is_lapse(&f->lapses[2], FORECAST_ROTATION, T0 + DAY + 3 * HOUR + 7 * DAY, FORECAST_ROTATE, "RDX-02");
	forecast_free(f);
	end(&s);
}

static void one_that_was_left_is_taken_away(void **state)
{
	struct forecast *f;
	(void)state;

	site(1);
	night(1, T0 + HOUR);
	rotation(2, 1, T0 + 3 * HOUR, false);
	f = foresee(T0 + 4 * HOUR);
	assert_true(f->n >= 2);
	is_lapse(&f->lapses[0], FORECAST_ATTACHED, T0 + 7 * HOUR, FORECAST_TAKE, "RDX-01");
	forecast_free(f);
	end(&s);
}

/* What is not met now is no forecast; a night that is late is supposed to come, and lets nothing lapse. */
static void what_is_not_met_does_not_lapse(void **state)
{
	struct forecast *f;
	(void)state;

	site(1);
	night(1, T0 + HOUR);
	f = foresee(T0 + 2 * HOUR);
	assert_int_equal(f->n, 0);
	forecast_free(f);
	sets[0].generations = 0;
	f = foresee(T0 + 20 * DAY);
	for (size_t i = 0; i < f->n; i++)
		assert_int_not_equal(f->lapses[i].what, FORECAST_GENERATIONS);
	forecast_free(f);
	end(&s);
}

/* Nothing was ever captured, nothing is registered. */
static void an_empty_site_has_nothing_to_lose(void **state)
{
	struct forecast *f;
	(void)state;

	site(2);
	f = foresee(T0 + DAY);
	assert_int_equal(f->n, 0);
	forecast_free(f);
	policy.n_media = MEDIA;
	media[3].name = (char *)"RDX-09";
	f = foresee(T0 + DAY);
	assert_int_equal(f->n, 0);
	forecast_free(f);
	end(&s);
}

/* A load that fails is said, and nothing is lost. */
static int no_load(void *arg, struct ledger **ret, struct err *err)
{
	(void)arg, (void)ret;
	return err_set(err, "E-IO-02", "cannot read");
}

static void a_journal_that_cannot_be_read_is_said(void **state)
{
	struct err err = ERR_INIT;
	struct forecast *f = NULL;
	(void)state;

	site(1);
	assert_int_equal(forecast_new(&policy, no_load, NULL, T0, FORECAST_DAYS, &f, &err), -1);
	assert_string_equal(err.code, "E-IO-02");
	assert_null(f);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_disk_becomes_old),
	    cmocka_unit_test(of_two_disks_the_older_one_comes),
	    cmocka_unit_test(one_that_was_left_is_taken_away),
	    cmocka_unit_test(what_is_not_met_does_not_lapse),
	    cmocka_unit_test(an_empty_site_has_nothing_to_lose),
	    cmocka_unit_test(a_journal_that_cannot_be_read_is_said),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	return sodium_init() < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
