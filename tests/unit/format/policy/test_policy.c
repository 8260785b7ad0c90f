/* policy: what a good one means, the ready-made ones, the warnings, the plan. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/width.h"
#include "format/config/config_value.h"
#include "format/medium/codec.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"

#define HOUR INT64_C(3600)
#define DAY  (24 * HOUR)

static struct config_problems problems;

static struct policy *good(const char *policy_text)
{
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_parse("p.yaml", policy_text, strlen(policy_text), &policy, &problems, &err))
		fail_msg("%s (%s)", err.msg, err.hint);
	assert_string_equal(err.code, "");
	return policy;
}

/* The example of the manual, every key used. */
static const char example[] =
    "site: {name: さくら内科クリニック, language: ja}\n"
    "state: /var/lib/bkp\n"
    "# no key and no secret ever stands in this file; one that looks like it is an error\n"
    "people:\n"
    "  - {name: 事務長, roles: [manager, operator]}\n"
    "datasets:\n"
    "  - name: emr\n"
    "    title: 電子カルテ\n"
    "    command: pg_dump -Fc emr            # its stdout is captured\n"
    "    store_as: emr.dump\n"
    "    probe: psql -Atqc 'select count(*) from patient' emr\n"
    "    expect: {min_bytes: 1 MiB, shrink_alarm: 40 %}\n"
    "    every: day\n"
    "    generations: 5\n"
    "    rpo: 24h\n"
    "    rto: 24h\n"
    "    priority: 1\n"
    "  - name: documents\n"
    "    title: 文書・スキャン\n"
    "    paths: [/srv/documents]\n"
    "    exclude: [\"*.tmp\", \"/srv/documents/cache/\"]\n"
    "    generations: 3\n"
    "media:\n"
    "  - {name: nas,    type: hdd, path: /mnt/nas/bkp, place: サーバ室}\n"
    "  - {name: RDX-01, type: rdx, offline: true, place: 別棟 保管庫B, max_attached: 4h, swap_every: 7d}\n"
    "retention: {protect: 14d, live_share: 30 %, anchor_every: 30}\n"
    "schedule: {at: \"02:00\"}\n"
    "notify: {command: /usr/local/bin/mail-on-call}\n";

static void the_example_means_what_it_says(void **state)
{
	POLICY_AUTO p = good(example);
	const struct policy_dataset *d = policy_find_dataset(p, "emr");
	const struct policy_medium *m = policy_find_medium(p, "rdx-01");
	(void)state;

	assert_int_equal(problems.n, 0);
	assert_string_equal(p->site_name, "さくら内科クリニック");
	assert_int_equal(p->lang, TEXT_JA);
	assert_string_equal(p->state, "/var/lib/bkp");
	assert_int_equal(p->n_people, 1);
	assert_string_equal(p->people[0].name, "事務長");
	assert_int_equal(p->people[0].roles, POLICY_MANAGER | POLICY_OPERATOR);
	assert_int_equal(p->n_datasets, 2);
	assert_ptr_equal(d, &p->datasets[0]);
	assert_string_equal(d->title, "電子カルテ");
	assert_string_equal(d->command, "pg_dump -Fc emr");
	assert_string_equal(d->store_as, "emr.dump");
	assert_string_equal(d->probe, "psql -Atqc 'select count(*) from patient' emr");
	assert_int_equal(d->min_bytes, 1048576);
	assert_int_equal(d->shrink_alarm_pct, 40);
	assert_true(d->every.unit == CONFIG_DAY && d->every.n == 1 && d->every.s == DAY);
	assert_true(d->generations == 5 && d->rpo_s == DAY && d->rto_s == DAY && d->priority == 1);
	assert_true(d->mark.line == 7 && d->mark.column == 5);
	d = &p->datasets[1];
	assert_true(
	    d->n_paths == 1 && d->n_exclude == 2 && !d->command && !d->store_as && d->one_file_system);
	assert_string_equal(d->paths[0], "/srv/documents");
	assert_string_equal(d->exclude[1], "/srv/documents/cache/");
	assert_true(d->every.s == DAY && d->rpo_s == 0 && d->priority == 0 && d->min_bytes == 0);
	assert_ptr_equal(m, &p->media[1]);
	assert_string_equal(m->type, "rdx");
	assert_string_equal(m->place, "別棟 保管庫B");
	assert_true(m->offline && !m->path && m->max_attached_s == 4 * HOUR && m->swap_every_s == 7 * DAY);
	assert_true(p->protect_s == 14 * DAY && p->anchor_every == 30 && p->live_share == 30 &&
		    p->schedule_at == 120);
	assert_string_equal(p->notify_command, "/usr/local/bin/mail-on-call");
	assert_int_equal(p->archive_size, 128 << 20);
	assert_null(policy_find_dataset(p, "EMR"));
	assert_null(policy_find_medium(p, "rdx"));
}

static void compression_is_the_policys_or_the_data_sets(void **state)
{
	POLICY_AUTO p =
	    good("site: {name: A}\ncompression: zstd\ndatasets: [{name: a, paths: [/a]}, {name: b, "
		 "paths: [/b], compression: lz4}]\nmedia: [{name: m, type: tape, path: /m}]\n");
	(void)state;

	assert_int_equal(p->datasets[0].compression, CODEC_ZSTD);
	assert_int_equal(p->datasets[1].compression, CODEC_LZ4);
}

static void what_is_not_said_has_a_default(void **state)
{
	POLICY_AUTO p = good("site: {name: A}\ndatasets: [{name: a, paths: [/a/], cross_mounts: true}]\n"
			     "media: [{name: m, type: tape, path: /m/}]\n");
	(void)state;

	assert_string_equal(p->state, "/var/lib/bkp");
	assert_true(p->lang == TEXT_JA && p->schedule_at == -1 && !p->notify_command && p->n_people == 0);
	assert_true(p->protect_s == 14 * DAY && p->anchor_every == 365 && p->live_share == 50 &&
		    p->archive_size == 128 << 20);
	assert_string_equal(p->datasets[0].paths[0], "/a"); /* '/' at the end cut off */
	assert_string_equal(p->media[0].path, "/m");
	assert_true(!p->datasets[0].one_file_system && p->datasets[0].generations == 3);
	assert_int_equal(p->datasets[0].compression, CODEC_ZSTD);
	assert_true(!p->media[0].offline && !p->media[0].place && p->media[0].swap_every_s == 0);
	assert_true(!p->media[0].n_datasets && !p->n_places && !p->stop_while_suspect);
}

static void files_from_windows_are_read(void **state)
{
	POLICY_AUTO p =
	    good("\xef\xbb\xbfsite: {name: 院長}\r\ndatasets:\r\n- name: a\r\n  paths: [/a]\r\nmedia:\r\n"
		 "- {name: m, type: hdd, path: /m}\r\n");
	struct policy *none = NULL;
	struct err err = ERR_INIT;
	static const char bad[] = "\xef\xbb\xbfsite: {name: A, x: 1}\r\n";
	(void)state;

	assert_string_equal(p->site_name, "院長");
	assert_true(p->datasets[0].mark.line == 3 && p->datasets[0].mark.column == 3);
	assert_int_equal(policy_parse("p", bad, strlen(bad), &none, &problems, &err), -1);
	assert_int_equal(
	    problems.item[2].mark.column, 17); /* behind two missing keys; a BOM takes no column */
}

static void small_languages(void **state)
{
	uint64_t u = 7;
	int64_t s = 7;
	int t = 7;
	struct config_every e;
	char path[] = "/a/b/";
	(void)state;

	assert_true(!config_value_size("4096", &u) && u == 4096);
	assert_true(!config_value_size("128MiB", &u) && u == 128 << 20);
	assert_true(!config_value_size("10 GB", &u) && u == UINT64_C(10000000000));
	assert_true(!config_value_size("3 kB", &u) && u == 3000);
	assert_true(!config_value_size("8191 PiB", &u) && u == UINT64_C(8191) << 50);
	assert_int_equal(config_value_size("8192 PiB", &u), CONFIG_VALUE_BIG);
	assert_int_equal(config_value_size("18446744073709551616", &u), CONFIG_VALUE_BIG);
	assert_int_equal(config_value_size("1 mib", &u), CONFIG_VALUE_UNIT);
	assert_int_equal(config_value_size(" 1", &u), CONFIG_VALUE_FORM);
	assert_int_equal(config_value_size("1 MiB ", &u), CONFIG_VALUE_UNIT);
	assert_int_equal(config_value_size("", &u), CONFIG_VALUE_FORM);
	assert_true(u == UINT64_C(8191) << 50); /* untouched by what is refused */
	assert_true(!config_value_percent("40%", &u) && u == 40);
	assert_true(!config_value_duration("90m", &s) && s == 5400);
	assert_true(!config_value_duration("2w", &s) && s == 14 * DAY);
	assert_int_equal(config_value_duration("5218w", &s), CONFIG_VALUE_BIG);
	assert_int_equal(config_value_duration("1hh", &s), CONFIG_VALUE_UNIT);
	assert_true(!config_value_every("6h", &e) && e.unit == CONFIG_HOUR && e.n == 6 && e.s == 6 * HOUR);
	assert_true(!config_value_every("2d", &e) && e.unit == CONFIG_DAY && e.n == 2);
	assert_true(
	    !config_value_every("month", &e) && e.unit == CONFIG_MONTH && e.n == 1 && e.s == 30 * DAY);
	assert_true(config_value_every("367d", &e) && config_value_every("days", &e));
	assert_true(!config_value_time("23:59", &t) && t == 1439);
	assert_true(!config_value_time("00:00", &t) && t == 0);
	assert_true(config_value_time("12:60", &t) && config_value_time("1200", &t) &&
		    config_value_time("12:0a", &t));
	assert_true(!config_value_path(path) && !strcmp(path, "/a/b"));
	assert_true(config_value_is_dataset_name("a-b-1") && !config_value_is_dataset_name("a.b"));
	assert_true(config_value_is_medium_name("RDX-01") && !config_value_is_medium_name(""));
}

static void warnings_do_not_refuse(void **state)
{
	static const struct {
		const char *text, *code;
		unsigned line, column;
	} t[] = {
	    {"datasets: [{name: a, paths: [/a], generations: 2}]\n", "E-POLICY-30", 3, 48},
	    {"datasets: [{name: a, paths: [/a], every: week, rpo: 24h}]\n", "E-POLICY-31", 3, 53},
	    {"datasets: [{name: a, paths: [/a]}]\nschedule: {at: 02:00}\n", "E-POLICY-32", 4, 16},
	    {"datasets: [{name: a, paths: [/a], exclude: [/b/c/*]}]\n", "E-POLICY-34", 3, 45},
	    /* stored twice: the first pair of paths is named at the later of the two */
	    {"datasets: [{name: a, paths: [/a]}, {name: b, paths: [/x, /a/b]}]\n", "E-POLICY-39", 3, 36},
	    {"datasets: [{name: a, paths: [/a/b]},\n  {name: b, paths: [/a]}]\n", "E-POLICY-39", 4, 3},
	    {"datasets: [{name: a, paths: [/a]}, {name: b, paths: [/a]}]\n", "E-POLICY-39", 3, 36},
	};
	char yaml[512];
	(void)state;

	for (size_t i = 0; i < sizeof(t) / sizeof(*t); i++) {
		snprintf(yaml, sizeof(yaml), "site: {name: A}\nmedia: [{name: m, type: hdd, path: /m}]\n%s",
		    t[i].text);
		policy_free(good(yaml));
		assert_true(problems.n == 1 && problems.n_errors == 0 && problems.n_warnings == 1);
		assert_int_equal(problems.item[0].severity, CONFIG_WARNING);
		assert_string_equal(problems.item[0].code, t[i].code);
		assert_true(
		    problems.item[0].mark.line == t[i].line && problems.item[0].mark.column == t[i].column);
	}
	policy_free(good("site: {name: A}\nmedia: [{name: m, type: hdd, offline: true}]\ndatasets: [{name: "
			 "a, paths: [/a]}]\n"));
	assert_string_equal(problems.item[0].code, "E-POLICY-33");
	assert_int_equal(problems.item[0].mark.line, 2);
}

static void what_is_excluded_may_lie_inside(void **state)
{
	(void)state;
	policy_free(good("site: {name: A}\nmedia: [{name: m, type: hdd, path: /mnt/nas}]\n"
			 "datasets: [{name: a, paths: [/], exclude: [/mnt/, bkp/]}]\n"));
	policy_free(good("site: {name: A}\nmedia: [{name: m, type: hdd, path: /mnt/nas}]\n"
			 "datasets: [{name: a, paths: [/var, /varx], exclude: [lib/bkp]}]\n"));
	policy_free(good("site: {name: A}\nmedia: [{name: m, type: hdd, path: /a1}]\ndatasets: [{name: a, "
			 "paths: [/a]}]\n"));
	/* nothing is stored twice of what one of them leaves out, nor where names only begin alike */
	policy_free(
	    good("site: {name: A}\nmedia: [{name: m, type: hdd, path: /m}]\ndatasets: [{name: a, paths: "
		 "[/a], exclude: [/a/b/]}, {name: b, paths: [/a/b, /ab]}]\n"));
	assert_int_equal(problems.n, 0);
	/* as a capture excludes: by a folder above, a glob, a name, what is relative to the root, all that is in it */
	for (size_t i = 0; i < 6; i++) {
		static const char *const patterns[] = {
		    "/a/b", "'/a/*/c'", "c", "b/c", "/a/b/c/**", "/a/b/c/*"};
		char yaml[512];

		snprintf(yaml, sizeof(yaml),
		    "site: {name: A}\nmedia: [{name: m, type: hdd, path: /m}]\ndatasets: [{name: a, paths: "
		    "[/a], exclude: [%s]}, {name: b, paths: [/a/b/c]}]\n",
		    patterns[i]);
		policy_free(good(yaml));
		if (problems.n)
			fail_msg("%s: %s", patterns[i], problems.item[0].code);
	}
	/* less than the folder is not the folder */
	policy_free(
	    good("site: {name: A}\nmedia: [{name: m, type: hdd, path: /m}]\ndatasets: [{name: a, paths: "
		 "[/a], exclude: [/a/b/c/d, '*.tmp']}, {name: b, paths: [/a/b/c]}]\n"));
	assert_string_equal(problems.item[0].code, "E-POLICY-39");
}

static void a_medium_holds_what_it_is_to_hold(void **state)
{
	POLICY_AUTO p = good("site: {name: A}\nstop_while_suspect: true\n"
			     "datasets: [{name: emr, paths: [/a]}, {name: images, paths: [/b]}]\n"
			     "media: [{name: nas, type: hdd, path: /m, place: room},\n"
			     "  {name: usb, type: ssd, path: /u, place: room, datasets: [emr]},\n"
			     "  {name: small, type: ssd, offline: true, place: bank, datasets: [emr]},\n"
			     "  {name: large, type: tape, offline: true, place: shelf, datasets: [images]}]\n"
			     "places: [{name: room, originals: true}, {name: shelf, address: 2F},\n"
			     "  {name: bank, separate_from: [room]}]\n");
	struct policy_plan_count c;
	(void)state;

	assert_true(p->stop_while_suspect && p->n_places == 3);
	assert_true(policy_medium_holds(&p->media[0], "emr") && policy_medium_holds(&p->media[0], "images"));
	assert_true(policy_medium_holds(&p->media[2], "emr") && !policy_medium_holds(&p->media[2], "images"));
	assert_false(policy_medium_holds(NULL, "emr"));
	assert_string_equal(policy_find_place(p, "shelf")->address, "2F");
	assert_null(policy_find_place(p, "SHELF"));
	/* of each figure the least: images are on two media, of which the tape is not at a separate place */
	policy_plan_count(p, &c);
	assert_true(c.copies == 3 && c.technologies == 2 && c.offline == 1 && c.elsewhere == 0);
}

/* Is what lies there safe from what happens where the originals are? */
static void places_are_separate_where_the_policy_says_so(void **state)
{
	static const char places[] =
	    "site: {name: A}\ndatasets: [{name: a, paths: [/a]}]\nmedia: [{name: m, type: hdd, path: /m}]\n"
	    "places:\n"
	    "- {name: room, originals: true, separate_from: [mine]}\n"
	    "- {name: annex, originals: true, separate_from: [annex, room]}\n"
	    "- {name: shelf}\n"
	    "- {name: bank, separate_from: [room, annex]}\n"
	    "- {name: mine, separate_from: [annex]}\n" /* of the other one the other says so */
	    "- {name: half, separate_from: [room]}\n"  /* of annex nobody says it */
	    "- {name: far, separate_from: [shelf, bank]}\n"
	    "- {name: self, separate_from: [self]}\n";
	POLICY_AUTO p = good(places);
	POLICY_AUTO none = good("site: {name: A}\ndatasets: [{name: a, paths: [/a]}]\n"
				"media: [{name: m, type: hdd, path: /m, place: wherever}]\n");
	POLICY_AUTO one = good("site: {name: A}\ndatasets: [{name: a, paths: [/a]}]\n"
			       "media: [{name: m, type: hdd, path: /m}]\n"
			       "places: [{name: room, originals: true, separate_from: [room]}]\n");
	(void)state;

	assert_true(policy_place_is_separate(p, "bank") && policy_place_is_separate(p, "mine"));
	assert_false(policy_place_is_separate(p, "room") || policy_place_is_separate(p, "annex"));
	assert_false(policy_place_is_separate(p, "shelf") || policy_place_is_separate(p, "half") ||
		     policy_place_is_separate(p, "far") || policy_place_is_separate(p, "self"));
	assert_false(policy_place_is_separate(p, "") || policy_place_is_separate(p, "nowhere"));
	assert_false(policy_place_is_separate(none, "wherever") || policy_place_is_separate(one, "room"));
}

static void problems_have_a_ceiling_and_errors_come_first(void **state)
{
	BUF_AUTO yaml = BUF_INIT(1 << 20);
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct policy *policy = NULL;
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(
	    buf_puts(&yaml, "site: {name: A}\nmedia: [{name: m, type: hdd, path: /m}]\ndatasets:\n", NULL),
	    0);
	for (int i = 0; i < 60; i++)
		assert_int_equal(
		    buf_printf(&yaml, NULL, "- {name: d%d, paths: [/d%d], generations: 1}\n", i, i), 0);
	assert_int_equal(buf_printf(&yaml, NULL, "- {name: last, paths: [relative], rpo: x}\n"), 0);
	assert_int_equal(policy_parse("p", (char *)yaml.p, yaml.n, &policy, &problems, &err), -1);
	assert_true(problems.n == CONFIG_PROBLEMS_MAX && problems.n_errors == 2 && problems.n_warnings == 60);
	assert_memory_equal(err.msg, "p:64:", 5);
	assert_int_equal(config_problems_format(&problems, "p", &out, NULL), 0);
	assert_int_equal(buf_terminate(&out, NULL), 0);
	assert_non_null(strstr((char *)out.p, "12 more are not shown"));
	assert_non_null(strstr((char *)out.p,
	    "p:64:24: error: the path 'relative' does not begin with '/' (E-POLICY-13)\n  → "));
}

static void ceilings_hold(void **state)
{
	static char big[(1 << 20) + 2];
	struct policy *policy = NULL;
	struct err err = ERR_INIT;
	size_t n;
	(void)state;

	memset(big, '#', sizeof(big));
	assert_int_equal(policy_parse("p", big, sizeof(big), &policy, NULL, &err), -1);
	assert_string_equal(err.code, "E-POLICY-01");
	memset(big, '[', 1 << 20); /* depth */
	assert_int_equal(policy_parse("p", big, 1 << 20, &policy, NULL, &err), -1);
	assert_string_equal(err.code, "E-POLICY-06");
	memcpy(big, "x: [", 4);
	for (n = 4; n + 2 < 1 << 20; n += 2)
		memcpy(big + n, "a,", 2);
	assert_int_equal(policy_parse("p", big, n, &policy, NULL, &err), -1); /* width */
	assert_string_equal(err.code, "E-POLICY-06");
	assert_non_null(strstr(err.msg, "4096"));
	for (n = 0; n + 14 < 1 << 20; n += 7)
		snprintf(big + n, sizeof(big) - n, "k%04zx:\n", n / 7 % 65536);
	assert_int_equal(policy_parse("p", big, n, &policy, NULL, &err), -1); /* keys */
	assert_string_equal(err.code, "E-POLICY-06");
	assert_null(policy);
}

static char *read_policy(const char *name, char *out, size_t size)
{
	char path[1024];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/../policies/%s", TEST_DATA, name);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(out, 1, size - 1, f);
	fclose(f);
	out[n] = '\0';
	return out;
}

/* What each ready-made policy must say; the commands themselves are run against real servers by scenarios 80
 * to 85. */
static const struct ready {
	const char *file, *dataset;
	unsigned generations, content, format;
	bool service, entries, age; /* before and after; min_entries; max_age */
} ready_made[] = {
    {"clinic.yaml", "emr", 5, POLICY_CONTENT_PGDUMP, POLICY_STREAM, false, false, false},
    {"clinic.yaml", "emr-roles", 5, POLICY_CONTENT_PGDUMPALL, POLICY_STREAM, false, false, false},
    {"clinic.yaml", "images", 3, POLICY_CONTENT_ANY, POLICY_STREAM, true, false, false},
    {"hospital.yaml", "emr", 5, POLICY_CONTENT_ANY, POLICY_TAR, false, true, false},
    {"hospital.yaml", "orca", 5, POLICY_CONTENT_PGDUMP, POLICY_STREAM, false, false, false},
    {"postgresql.yaml", "emr", 5, POLICY_CONTENT_PGDUMP, POLICY_STREAM, false, false, false},
    {"postgresql.yaml", "emr-roles", 5, POLICY_CONTENT_PGDUMPALL, POLICY_STREAM, false, false, false},
    {"postgresql.yaml", "emr-base", 3, POLICY_CONTENT_ANY, POLICY_TAR, false, true, false},
    {"postgresql.yaml", "pg-config", 3, POLICY_CONTENT_ANY, POLICY_STREAM, false, false, false},
    {"mariadb.yaml", "mariadb", 5, POLICY_CONTENT_MYSQLDUMP, POLICY_STREAM, false, false, false},
    {"orca-clinic.yaml", "orca", 5, POLICY_CONTENT_PGDUMP, POLICY_STREAM, false, false, false},
    {"orca-clinic.yaml", "orca-roles", 5, POLICY_CONTENT_PGDUMPALL, POLICY_STREAM, false, false, false},
    {"orca-clinic.yaml", "images", 3, POLICY_CONTENT_ANY, POLICY_STREAM, true, true, false},
    {"orca-clinic.yaml", "documents", 3, POLICY_CONTENT_ANY, POLICY_STREAM, false, true, true},
    {"orthanc.yaml", "images", 3, POLICY_CONTENT_ANY, POLICY_STREAM, true, true, false},
    {"pacs.yaml", "pacs", 3, POLICY_CONTENT_ANY, POLICY_STREAM, false, true, true},
    {"ss-mix2.yaml", "ssmix2", 3, POLICY_CONTENT_ANY, POLICY_STREAM, false, true, true},
};

static void ready_made_policies_are_good_and_meet_321(void **state)
{
	static char yaml[65536];
	(void)state;

	for (size_t i = 0; i < sizeof(ready_made) / sizeof(*ready_made); i++) {
		const struct ready *r = &ready_made[i];
		POLICY_AUTO p = good(read_policy(r->file, yaml, sizeof(yaml)));
		const struct policy_dataset *d = policy_find_dataset(p, r->dataset);
		struct policy_plan_count c;

		assert_int_equal(problems.n, 0); /* no warnings either */
		policy_plan_count(p, &c);
		assert_true(c.copies >= 3 && c.technologies >= 2 && c.elsewhere >= 1);
		assert_true(p->schedule_at >= 0 && p->n_people >= 3);
		assert_non_null(d);
		if (d->generations < r->generations || d->content != r->content || d->format != r->format ||
		    (d->before && d->after) != r->service || (d->min_entries > 0) != r->entries ||
		    (d->max_age_s > 0) != r->age)
			fail_msg("%s: %s", r->file, r->dataset);
		for (size_t k = 0; k < p->n_datasets; k++) {
			d = &p->datasets[k];
			assert_true(d->generations >= 3 && d->rpo_s && d->rto_s && d->title);
			/* a dump that ends well is not yet whole */
			if (d->command && d->format == POLICY_STREAM)
				assert_int_not_equal(d->content, POLICY_CONTENT_ANY);
		}
	}
}

static void the_demo_policy_is_good(void **state)
{
	static char yaml[65536];
	char *at;
	(void)state;

	read_policy("demo/policy.yaml", yaml, sizeof(yaml));
	while ((at = strstr(yaml, "@T@"))) /* its scratch folder */
		memcpy(at, "/t1", 3);
	while ((at = strstr(yaml, "@D@"))) /* the folder it stands in */
		memcpy(at, "/d1", 3);
	policy_free(good(yaml));
}

static void nas_and_rdx_are_one_technology(void **state)
{
	POLICY_AUTO p = good(example);
	POLICY_AUTO q = good(
	    "site: {name: A}\ndatasets: [{name: a, paths: [/a]}]\nmedia:\n"
	    "- {name: m, type: hdd, path: /m, place: X}\n- {name: n, type: tape, offline: true, place: X}\n");
	struct policy_plan_count c;
	(void)state;

	policy_plan_count(p, &c);
	assert_true(c.copies == 3 && c.technologies == 1 && c.offline == 1 && c.elsewhere == 1);
	policy_plan_count(q, &c);
	assert_true(c.technologies == 2 && c.offline == 1 && c.elsewhere == 0); /* same room */
}

static const char *line_with(const char *s, const char *what)
{
	const char *p = strstr(s, what);

	assert_non_null(p);
	while (p > s && p[-1] != '\n')
		p--;
	return p;
}

static size_t column_of(const char *line, const char *what)
{
	char before[512];
	const char *p = strstr(line, what);

	assert_true(p && p < strchr(line, '\n'));
	snprintf(before, sizeof(before), "%.*s", (int)(p - line), line);
	return width_text(before);
}

static void the_plan_tells_who_what_when_where_in_columns(void **state)
{
	static const char *const parts[] = {"さくら内科クリニック", "電子カルテ", "pg_dump -Fc emr",
	    "emr.dump", "select count(*)", "1 MiB", "40 %", "/srv/documents/cache/", "every day", "24 h",
	    "02:00", "14 days", "magnetic disk (rdx)", "offline", "別棟 保管庫B", "4 h", "7 days", "CAUTION",
	    "one technology", "manager, operator", "/usr/local/bin/mail-on-call", "not crossed"};
	POLICY_AUTO p = good(example);
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	const char *s;
	(void)state;

	assert_int_equal(policy_plan_render(p, 200, &out, &err), 0);
	assert_int_equal(buf_terminate(&out, &err), 0);
	s = (const char *)out.p;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		if (!strstr(s, parts[i]))
			fail_msg("'%s' is missing in\n%s", parts[i], s);
	assert_int_equal(column_of(line_with(s, "  電子カルテ"), "every day"),
	    column_of(line_with(s, "文書"), "every day"));
	assert_int_equal(column_of(line_with(s, "CONNECTION"), "CONNECTION"),
	    column_of(line_with(s, "サーバ室"), "online"));
	assert_int_equal(
	    column_of(line_with(s, "ATTACHED"), "ATTACHED"), column_of(line_with(s, "別棟"), "4 h"));
	assert_null(strstr(s, " \n"));
}

static void the_plan_shows_a_command_line_by_line(void **state)
{
	POLICY_AUTO p =
	    good("site: {name: A}\ndatasets:\n  - name: a\n    command: |\n      set -eu\n\n      dump 日本\n"
		 "    store_as: a\nmedia: [{name: m, type: hdd, path: /m}]\n");
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	const char *s;
	(void)state;

	assert_int_equal(policy_plan_render(p, 200, &out, &err), 0);
	assert_int_equal(buf_terminate(&out, &err), 0);
	s = (const char *)out.p;
	assert_null(strstr(s, "\\012"));
	assert_int_equal(
	    column_of(line_with(s, "set -eu"), "set -eu"), column_of(line_with(s, "dump 日本"), "dump"));
	assert_null(strstr(s, " \n"));
}

static void a_policy_that_is_wrong_still_says_its_language(void **state)
{
	enum text_lang lang = TEXT_EN;
	(void)state;

	static const char table[] = "site: {name: x, language: ja\nmedia: [",
			  block[] = "site:\n  language:   \"en\"\n";
	static const char none[] = "site: {name: a language school}\nmy_language: ja\nlanguage",
			  cut[] = "language: j";

	assert_int_equal(policy_language(table, strlen(table), &lang), 0);
	assert_int_equal(lang, TEXT_JA);
	assert_int_equal(policy_language(block, strlen(block), &lang), 0);
	assert_int_equal(lang, TEXT_EN);
	assert_int_equal(policy_language(none, strlen(none), &lang), -1);
	assert_int_equal(policy_language(cut, strlen(cut), &lang), -1);
	assert_int_equal(policy_language("", 0, &lang), -1);
	assert_int_equal(lang, TEXT_EN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_example_means_what_it_says),
	    cmocka_unit_test(what_is_not_said_has_a_default),
	    cmocka_unit_test(compression_is_the_policys_or_the_data_sets),
	    cmocka_unit_test(files_from_windows_are_read),
	    cmocka_unit_test(small_languages),
	    cmocka_unit_test(warnings_do_not_refuse),
	    cmocka_unit_test(what_is_excluded_may_lie_inside),
	    cmocka_unit_test(a_medium_holds_what_it_is_to_hold),
	    cmocka_unit_test(places_are_separate_where_the_policy_says_so),
	    cmocka_unit_test(problems_have_a_ceiling_and_errors_come_first),
	    cmocka_unit_test(ceilings_hold),
	    cmocka_unit_test(ready_made_policies_are_good_and_meet_321),
	    cmocka_unit_test(a_policy_that_is_wrong_still_says_its_language),
	    cmocka_unit_test(the_demo_policy_is_good),
	    cmocka_unit_test(nas_and_rdx_are_one_technology),
	    cmocka_unit_test(the_plan_tells_who_what_when_where_in_columns),
	    cmocka_unit_test(the_plan_shows_a_command_line_by_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
