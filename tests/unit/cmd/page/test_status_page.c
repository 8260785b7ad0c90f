/* status_page: a year of a hospital of twenty data sets and six media as a page: what each day was, how old the copy out of reach was,
 * how long it takes and how large it is. */
#include <sys/resource.h>

#include "scratch.h"
#include "scribe.h"

#include "base/clock.h"
#include "base/day.h"
#include "base/text.h"
#include "cmd/page/status_page.h"
#include "cmd/show/status_show.h"
#include "format/policy/policy.h"
#include "read/file/segments.h"
#include "read/ledger/ledger_days.h"
#include "read/rules/compliance.h"
#include "read/store/store_dir.h"

#define SETS   20
#define NIGHTS 365
#define NIGHT  (INT64_C(86400) * SECOND_NS)
#define MEDIA  6

/* What befell: by night, from 0. */
#define GAP_SET 3
#define GAP	100 /* nine nights of that set failed */
#define PARTIAL 200
#define DAMAGE	150 /* on the NAS */
#define RESTING 280 /* from here on nobody rotated for five weeks */

static char uuids[MEDIA][JOURNAL_UUID];
static char names[SETS][8];
static struct policy *policy;
static struct scribe s;

static void must(const char *event, json_t *o)
{
	struct err err = ERR_INIT;

	s.at_ns += 2 * SECOND_NS;
	if (put(&s, event, o, &err))
		fail_msg("%s: %s", event, err.msg);
}

static void add_media(void)
{
	for (int i = 0; i < MEDIA; i++) {
		char label[16], disk[40];
		json_t *o;

		snprintf(uuids[i], sizeof(uuids[i]), "%08d-3c5d-4f60-9a11-2f4b8c0d7e01", i + 1);
		snprintf(label, sizeof(label), i < 2 ? "nas%d" : "RDX-0%d", i < 2 ? i + 1 : i - 1);
		o = medium(uuids[i], label, i >= 2);
		snprintf(disk, sizeof(disk), "disk-%d", i);
		json_object_set_new(o, "fs_uuid", json_string(disk));
		must("medium-added", o);
		if (i >= 2)
			must("medium-detached", json_pack("{s:s}", "medium", uuids[i]));
	}
}

static json_t *read_back(int n, const char *uuid, int night)
{
	json_t *list = json_array();

	for (int i = 0; i < SETS; i++)
		if (!(i == GAP_SET && night >= GAP && night < GAP + 9))
			json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:i}", "dataset", names[i],
							"generation", n, "files", 3, "bytes", 1000));
	return json_pack("{s:s, s:o}", "medium", uuid, "generations", list);
}

static void rotate(int n, int night)
{
	const char *uuid = uuids[2 + (night / 7) % 4];

	must("medium-attached", json_pack("{s:s}", "medium", uuid));
	must("copied", read_back(n, uuid, night));
	must("verified", read_back(n, uuid, night));
	must("rotated", json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "medium", uuid, "operator",
			    "山田", "place", "別棟", "generations", 1, "newest", n, "copied", 1, "bytes", 1,
			    "unfrozen", 0, "complete", 1));
	must("medium-detached", json_pack("{s:s}", "medium", uuid));
	must("medium-moved", json_pack("{s:s, s:s, s:s, s:b}", "medium", uuid, "operator", "山田", "place",
				 "別棟", "detached", 1));
}

static void night_of(int night)
{
	json_t *sets = json_array();
	const int n = night + 1;

	s.at_ns = T0 + night * NIGHT;
	for (int i = 0; i < SETS; i++)
		json_array_append_new(sets, json_string(names[i]));
	must("begin", json_pack("{s:i, s:s, s:o}", "run", n, "uuid", GEN, "datasets", sets));
	for (int i = 0; i < SETS; i++) {
		if (i == GAP_SET && night >= GAP && night < GAP + 9)
			must("failed", failed(names[i], n, "the dump ended with 1"));
		else
			must("committed",
			    committed_to(names[i], n, night == PARTIAL ? "partial" : "good",
				json_pack("[o, o]", copy_to(uuids[0], "nas1"), copy_to(uuids[1], "nas2"))));
	}
	must("verified", read_back(n, uuids[0], night));
	must("verified", read_back(n, uuids[1], night));
	if (night == DAMAGE)
		must("verify-failed", json_pack("{s:s, s:s, s:i, s:s}", "medium", uuids[0], "dataset",
					  names[0], "generation", n, "reason", "a bit"));
	if (night % 7 == 0 && !(night >= RESTING && night < RESTING + 35))
		rotate(n, night);
}

/* The journal's lines into segments, none larger than it may be. */
static void write_journal(void)
{
	size_t at = 0;
	uint32_t number = 0;

	assert_int_equal(sh("mkdir -p state/journal"), 0);
	while (at < s.bytes.n) {
		char path[64] = "state/journal/", name[JOURNAL_NAME];
		size_t end = s.bytes.n - at > JOURNAL_SEGMENT_FULL ? at + JOURNAL_SEGMENT_FULL : s.bytes.n;

		while (s.bytes.p[end - 1] != '\n')
			end--;
		strcat(path, journal_segment_name(++number, name));
		put_file(path, s.bytes.p + at, end - at);
		at = end;
	}
}

static int setup(void **state)
{
	BUF_AUTO yaml = BUF_INIT(1 << 16);
	struct err err = ERR_INIT;

	if (sodium_init() < 0 || scratch_setup_memory(state) || setenv("TZ", "Asia/Tokyo", 1))
		return -1;
	start(&s);
	s.at_ns = T0 - NIGHT;
	must("init", init_members(&s));
	for (int i = 0; i < SETS; i++)
		snprintf(names[i], sizeof(names[i]), "set%02d", i);
	add_media();
	for (int night = 0; night < NIGHTS; night++)
		night_of(night);
	write_journal();
	assert_int_equal(
	    buf_printf(&yaml, &err,
		"site: {name: '<b>県立病院 & \"東\"</b>', language: en}\nstate: %s/state\ndatasets:\n",
		scratch),
	    0);
	for (int i = 0; i < SETS; i++)
		assert_int_equal(
		    buf_printf(&yaml, &err, "  - {name: %s, title: '対象%d <i>', paths: [/srv/%d]}\n",
			names[i], i, i),
		    0);
	assert_int_equal(buf_puts(&yaml, "media:\n", &err), 0);
	for (int i = 0; i < MEDIA; i++)
		assert_int_equal(buf_printf(&yaml, &err, "  - {name: %s%d, type: %s, %s}\n",
				     i < 2 ? "nas" : "RDX-0", i < 2 ? i + 1 : i - 1, i ? "rdx" : "hdd",
				     i == 0   ? "path: /mnt/x"
				     : i == 1 ? "path: /mnt/y"
					      : "offline: true, place: 別棟, swap_every: 7d"),
		    0);
	if (policy_parse("p", (char *)yaml.p, yaml.n, &policy, NULL, &err))
		fail_msg("%s", err.msg);
	return 0;
}

static int teardown(void **state)
{
	policy_free(policy);
	end(&s);
	return scratch_teardown(state);
}

static double cpu(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (double)u.ru_utime.tv_sec + (double)u.ru_utime.tv_usec / 1e6;
}

static void each_day_is_what_happened(void **state)
{
	const char *sets[SETS], *media[MEDIA];
	const int32_t first = day_of(T0);
	struct ledger_days_wish w = {sets, media, SETS, MEDIA, first, T0 + (NIGHTS - 1) * NIGHT};
	struct ledger_days *d;
	struct err err = ERR_INIT;
	STORE_AUTO folder = {0};
	STORE_FILE_AUTO file = {0};
	int32_t rotated = 0;
	(void)state;

	for (int i = 0; i < SETS; i++)
		sets[i] = names[i];
	for (int i = 0; i < MEDIA; i++)
		media[i] = uuids[i];
	assert_int_equal(store_dir_open(in_scratch("state"), &folder, &err), 0);
	assert_int_equal(segments_open(&folder, &file, &err), 0);
	if (ledger_days_new(&file, "journal", &w, &d, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(d->until - d->from, NIGHTS);
	for (int night = 0; night < NIGHTS; night++) {
		const bool turn = night % 7 == 0 && !(night >= RESTING && night < RESTING + 35);

		for (int i = 0; i < SETS; i++)
			assert_int_equal(d->sets[night * SETS + i],
			    i == GAP_SET && night >= GAP && night < GAP + 9 ? LEDGER_DAY_FAILED
			    : night == PARTIAL				    ? LEDGER_DAY_PARTIAL
									    : LEDGER_DAY_GOOD);
		assert_int_equal(
		    d->media[night * MEDIA], LEDGER_DAY_READ | (night == DAMAGE ? LEDGER_DAY_DAMAGED : 0u));
		for (int i = 2; i < MEDIA; i++)
			assert_int_equal(d->media[night * MEDIA + i],
			    turn && 2 + (night / 7) % 4 == i ? LEDGER_DAY_READ | LEDGER_DAY_ROTATED : 0u);
		/* set 3 failed on a night of rotation: its copy out of reach is a week older */
		rotated = turn ? night : rotated;
		assert_int_equal(d->age[night], night - (rotated >= GAP && rotated < GAP + 9 ? rotated - 7
							    : rotated == PARTIAL	     ? rotated - 7
											     : rotated));
		assert_int_equal(d->drills[night], LEDGER_DAY_NONE);
	}
	ledger_days_free(d);
}

static void a_year_is_a_small_page_soon(void **state)
{
	static enum compliance_sight sights[MEDIA] = {COMPLIANCE_SEEN, COMPLIANCE_SEEN};
	struct compliance *c;
	struct err err = ERR_INIT;
	(void)state;

	for (int lang = 0; lang < 2; lang++) {
		struct status_view v = {.policy = policy, .ledger = s.ledger};
		BUF_AUTO page = BUF_INIT(STATUS_PAGE_MAX);
		const double begun = cpu();

		text_set_lang(lang ? TEXT_JA : TEXT_EN);
		if (compliance_new(policy, s.ledger, sights, T0 + (NIGHTS - 1) * NIGHT + NIGHT / 4, &c, &err))
			fail_msg("%s", err.msg);
		v.s = c;
		if (status_page(&v, &page, &err))
			fail_msg("%s", err.msg);
		print_message("%zu bytes, %.2f CPU s, of %ju records\n", page.n, cpu() - begun,
		    (uintmax_t)ledger_seq(s.ledger));
		assert_in_range(page.n, 50000, 500 * 1024);
		assert_true(cpu() - begun < 5 * (getenv("ASAN_OPTIONS") ? 4 : 1));
		put_file(lang ? "ja.html" : "en.html", page.p, page.n);
		assert_int_equal(
		    sh("python3 %s/lib/status_page.py %s.html >said 2>&1 || { cat said >&2; exit 1; }",
			TEST_DATA, lang ? "ja" : "en"),
		    0);
		if (getenv("BKP_KEEP_PAGE"))
			assert_int_equal(sh("cp %s.html $BKP_KEEP_PAGE/", lang ? "ja" : "en"), 0);
		compliance_free(c);
	}
	text_set_lang(TEXT_EN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_day_is_what_happened), cmocka_unit_test(a_year_is_a_small_page_soon)};

	return cmocka_run_group_tests(tests, setup, teardown);
}
