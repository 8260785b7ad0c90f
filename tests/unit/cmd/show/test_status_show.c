/* status_show: how things stand, in 80 columns, and on one screen with --short, in both languages, however long the names are. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/show/captured.h"
#include "cmd/show/status_show.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "scribe.h"

#define SETS  30
#define MEDIA 3
#define NEXT  9
#define DAY   (INT64_C(86400) * 1000000000)

struct world {
	struct policy policy;
	struct policy_dataset set[SETS];
	char names[SETS][40];
	struct policy_medium medium[MEDIA];
	struct ledger_medium registered;
	struct compliance_dataset d[SETS];
	struct compliance_medium m[MEDIA];
	struct ledger_outcome run;
	struct ledger_notified notified;
	struct ledger_latch latch;
	char *next[NEXT];
	struct compliance s;
	struct scribe sc;
	struct captured out;
};

static struct world w;

static void set_up(size_t sets, size_t next, const char *name)
{
	static char sentence[] =
	    "attach RDX-01 (from '別棟 保管庫B') and run 'bkp rotate RDX-01 --operator NAME': its last "
	    "rotation was 9 days ago, planned every 7 days";

	memset(&w, 0, sizeof(w));
	ready(&w.sc);
	w.policy = (struct policy){.site_name = (char *)"医療法人 みどり会 中央クリニック",
	    .datasets = w.set,
	    .n_datasets = sets,
	    .media = w.medium,
	    .n_media = MEDIA};
	for (size_t i = 0; i < sets; i++) {
		snprintf(w.names[i], sizeof(w.names[i]), "%s%zu", name, i);
		w.set[i] =
		    (struct policy_dataset){.name = w.names[i], .title = (char *)"電子カルテの毎晩のダンプ"};
		w.d[i] = (struct compliance_dataset){.policy = &w.set[i],
		    .generations = {COMPLIANCE_MET, 3, 3, ""},
		    .three = {COMPLIANCE_MET, 3, 3, ""},
		    .two = {COMPLIANCE_MET, 2, 2, ""},
		    .one = {COMPLIANCE_MET, 1, 1, ""},
		    .newest = 1242,
		    .newest_ns = T0 - DAY,
		    .offline = 1238,
		    .offline_ns = T0 - 3 * DAY,
		    .due_ns = T0 + DAY};
	}
	w.medium[0] =
	    (struct policy_medium){.name = (char *)"nas", .type = (char *)"hdd", .path = (char *)"/mnt/nas"};
	w.medium[1] =
	    (struct policy_medium){.name = (char *)"usb", .type = (char *)"ssd", .path = (char *)"/mnt/usb"};
	w.medium[2] = (struct policy_medium){.name = (char *)"RDX-01",
	    .type = (char *)"rdx",
	    .offline = true,
	    .place = (char *)"別棟 保管庫B"};
	w.registered = (struct ledger_medium){.uuid = RDX,
	    .label = "RDX-01",
	    .type = "rdx",
	    .path = "/mnt/rdx",
	    .place = "別棟 保管庫B",
	    .offline = true,
	    .fs_uuid = "",
	    .serial = "",
	    .store = "",
	    .shows = "",
	    .destination = "",
	    .custodian = "",
	    .rotated_ns = T0 - 3 * DAY,
	    .attach_ns = T0 - 3 * DAY};
	for (size_t i = 0; i < MEDIA; i++)
		w.m[i] = (struct compliance_medium){
		    .policy = &w.medium[i], .generations = 12, .newest = 1242, .newest_ns = T0 - DAY};
	w.m[2].ledger = &w.registered;
	w.m[2].overdue_swap = true;
	for (size_t i = 0; i < next; i++)
		w.next[i] = sentence;
	w.run = (struct ledger_outcome){"run", T0 - DAY, 1, 0,
	    "7 of 8 good, 1 warning: 検査DB failed (the command gave nothing, and said: connection refused "
	    "by host)"};
	w.s = (struct compliance){.now_ns = T0,
	    .datasets = w.d,
	    .n_datasets = sets,
	    .media = w.m,
	    .n_media = MEDIA,
	    .next = w.next,
	    .n_next = next,
	    .run = &w.run,
	    .notified = &w.notified,
	    .latch = &w.latch,
	    .overall = next ? COMPLIANCE_ATTENTION : COMPLIANCE_MET};
}

/* In force from a day before T0 on, for ten days. */
static void announce(int number, const char *what)
{
	char from[CLOCK_TEXT], until[CLOCK_TEXT];
	struct err err = ERR_INIT;

	clock_format(T0 - DAY, from);
	clock_format(T0 + 9 * DAY, until);
	w.sc.at_ns = T0 - DAY;
	assert_int_equal(put(&w.sc, "announced",
			     json_pack("{s:i, s:s, s:[s], s:s, s:s, s:[s], s:s}", "number", number, "text",
				 what, "datasets", "emr", "from", from, "until", until, "expects", "changed",
				 "operator", "佐藤"),
			     &err),
	    0);
}

static const char *shown(bool brief)
{
	const struct status_view v = {.policy = &w.policy, .ledger = w.sc.ledger, .s = &w.s};

	captured_begin(&w.out);
	assert_int_equal(brief ? status_show_short(&v) : status_show_text(&v), 0);
	captured_end(&w.out);
	print_message("%s", w.out.text);
	return w.out.text;
}

/* Where the first line that begins so is, from 0. */
static unsigned line_of(const char *text, const char *begins)
{
	unsigned line = 0;

	for (const char *p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : NULL, line++)
		if (!strncmp(p, begins, strlen(begins)))
			return line;
	fail_msg("no line begins '%s'", begins);
	return 0;
}

static void the_verdict_and_what_to_do_come_first(void **state)
{
	const char *t;
	(void)state;

	set_up(2, 2, "emr");
	w.d[0].one = (struct compliance_rule){COMPLIANCE_MISSING, 0, 1,
	    "no medium that is kept offline and detached holds a verified generation of the last 7 days"};
	t = shown(false);
	captured_lines(t);
	assert_int_equal(line_of(t, "△ attention  "), 0);
	assert_int_equal(line_of(t, "What to do next"), 2);
	assert_int_equal(line_of(t, "  1. attach RDX-01"), 3);
	assert_true(line_of(t, "DATA SET") > line_of(t, "  2. attach RDX-01"));
	assert_non_null(strstr(t, "\nemr0      ○ 3/3        ○ 3/3     ○ 2/2    × 0/1"));
	assert_non_null(strstr(t, "\n  emr0, 1 OFFLINE: no medium"));
	assert_non_null(strstr(t, "1242  2026-"));
	end(&w.sc);
}

static void it_fits_the_screen(void **state)
{
	(void)state;

	for (int lang = TEXT_EN; lang <= TEXT_JA; lang++) {
		text_set_lang(lang);
		for (size_t sets = 1; sets <= SETS; sets += 7)
			for (size_t next = 0; next <= NEXT; next += 3) {
				set_up(sets, next, "a-data-set-of-thirty-columns-");
				w.d[sets - 1].tried = 1243;
				w.d[sets - 1].tried_failed = true;
				announce(1, "電子カルテの更新、画像の変換、文書の整理と、そのほかの一切");
				announce(
				    2, "migration of all documents to another server, and then back again");
				captured_lines(shown(false));
				assert_true(captured_lines(shown(true)) <= 24);
				end(&w.sc);
			}
	}
	text_set_lang(TEXT_EN);
}

static void what_is_announced_is_said_as_long_as_it_is_in_force(void **state)
{
	const char *t;
	(void)state;

	for (int brief = 0; brief < 2; brief++) {
		set_up(2, 0, "emr");
		announce(1, "software update");
		t = shown(brief);
		assert_int_equal(line_of(t, "announced until "), 1);
		assert_non_null(strstr(t, ": 'software update'\n"));
		announce(2, "migration");
		assert_non_null(strstr(shown(brief), ": 'migration', and 1 more\n"));
		w.s.now_ns = T0 + 9 * DAY;
		assert_null(strstr(shown(brief), "announced until"));
		end(&w.sc);
	}
}

static void what_is_not_in_order_is_not_cut(void **state)
{
	const char *t;
	(void)state;

	set_up(SETS, 3, "set");
	w.d[29].two.verdict = COMPLIANCE_ATTENTION;
	t = shown(true);
	assert_int_equal(line_of(t, "set29"), 2);
	assert_non_null(strstr(t, "○ △ ○"));
	assert_non_null(strstr(t, "and 19 more data sets: 'bkp status'"));
	assert_non_null(strstr(t, "\n  1. attach RDX-01"));
	end(&w.sc);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_verdict_and_what_to_do_come_first),
	    cmocka_unit_test(it_fits_the_screen),
	    cmocka_unit_test(what_is_announced_is_said_as_long_as_it_is_in_force),
	    cmocka_unit_test(what_is_not_in_order_is_not_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
