/* timeline: which generation is the first that is out of the ordinary, from figures alone; and what people and printers get of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "format/guard/timeline.h"
#include "format/page/timeline_svg.h"
#include "scratch.h"

#define DAY (INT64_C(86400) * 1000000000)
#define N   30

static struct timeline_row rows[N];

/* Thirty ordinary nights; lost files by night in `lost`. */
static void nights(const uint64_t *lost, size_t n_lost)
{
	for (size_t i = 0; i < N; i++)
		rows[i] = (struct timeline_row){.dataset = "docs",
		    .number = i + 1,
		    .begun_ns = INT64_C(1795226400) * 1000000000 + (int64_t)i * DAY,
		    .why = "",
		    .guard = {.measured = i != 0,
			.before = 2000,
			.changed = 10 + i % 3,
			.lost = i < n_lost ? lost[i] : 0,
			.census = {true, 2000, 1000, 10, 0}}};
}

static struct timeline_found find(uint64_t from)
{
	timeline_judge(rows, N);
	return timeline_find(rows, N, from);
}

static void the_sign_stands_before_the_alarm(void **state)
{
	struct timeline_found f;
	(void)state;

	nights((uint64_t[N]){[12] = 1, [16] = 11, [17] = 11, [18] = 300}, 19);
	rows[17].guard.suspect = rows[18].guard.suspect = true;
	f = find(1);
	assert_int_equal(f.sign, 16);
	assert_int_equal(f.alarm, 17);
	assert_int_equal(f.before, 15);
	assert_int_equal(rows[0].verdict, TIMELINE_UNMEASURED);
	assert_int_equal(rows[12].verdict, TIMELINE_CLEAN);
	assert_int_equal(rows[16].verdict, TIMELINE_UNUSUAL);
	/* what is asked for begins later: then the newest before is looked for before that */
	f = find(18);
	assert_int_equal(f.sign, 17);
	assert_int_equal(f.before, 15);
	/* it has expired, or is not on the medium */
	rows[15].gone = true;
	assert_int_equal(find(1).before, 14);
}

static void people_decide(void **state)
{
	struct timeline_found f;
	(void)state;

	nights((uint64_t[N]){[9] = 300, [20] = 300}, 21);
	rows[9].guard.suspect = rows[9].accepted = true;
	rows[20].guard.suspect = rows[20].held = true;
	rows[5].held = true; /* kept for another reason: no sign of anything */
	rows[3].guard.lost = 400;
	rows[3].guard.reasons = rows[3].guard.noticed = GUARD_R_HARM; /* people had announced it */
	rows[7].guard.lost = 5;
	f = find(9);
	assert_int_equal(rows[3].verdict, TIMELINE_NOTICED);
	assert_int_equal(
	    rows[7].verdict, TIMELINE_UNUSUAL); /* what was announced is not usual from then on */
	assert_int_equal(rows[9].verdict, TIMELINE_ACCEPTED);
	assert_int_equal(rows[20].verdict, TIMELINE_HELD);
	assert_int_equal(rows[5].verdict, TIMELINE_CLEAN);
	assert_int_equal(f.sign, 20);
	assert_int_equal(f.before, 19);
}

static void what_is_usual_is_no_sign(void **state)
{
	uint64_t often[N];
	(void)state;

	for (size_t i = 0; i < N; i++)
		often[i] = i % 2 ? 5 : 0;
	nights(often, N);
	assert_int_equal(find(1).sign, 1); /* nothing is usual yet */
	assert_int_equal(find(4).sign, 3); /* nor after a sign */
	nights((uint64_t[N]){[1] = 2, [3] = 2, [5] = 2, [25] = 2}, 26);
	assert_int_equal(find(1).sign, N);
	nights(NULL, 0);
	assert_int_equal(find(1).sign, N);
	assert_int_equal(find(1).before, N);
	/* the first of all is a sign: there is none before */
	rows[0].guard.suspect = true;
	assert_int_equal(find(1).sign, 0);
	assert_int_equal(find(1).before, N);
	assert_int_equal(timeline_find(rows, 0, 1).sign, 0);
}

static void bars_have_three_powers_of_ten(void **state)
{
	static const struct {
		uint64_t changed, before;
		unsigned scale;
	} cases[] = {{0, 2000, 0}, {1, 2000, 1}, {2, 2000, 1}, {20, 2000, 333}, {200, 2000, 667},
	    {2000, 2000, 1000}, {9000, 2000, 1000}, {3, 0, 1000}, {UINT64_MAX, UINT64_MAX, 1000},
	    {UINT64_MAX / 10, UINT64_MAX, 667}};
	struct timeline_row r = {.dataset = "docs"};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		r.guard.changed = cases[i].changed;
		r.guard.before = cases[i].before;
		assert_int_equal(timeline_scale(&r, 0), cases[i].scale);
	}
}

/* Figures as large as a hostile journal can make them do not break a line. */
static void a_line_has_80_columns(void **state)
{
	BUF_AUTO out = BUF_INIT(TIMELINE_MAX);
	(void)state;

	for (int lang = TEXT_EN; lang <= TEXT_JA; lang++) {
		text_set_lang((enum text_lang)lang);
		for (uint64_t v = 0; v < 20; v++) {
			nights(NULL, 0);
			for (size_t i = 0; i < N; i++) {
				for (size_t k = 0; k < GUARD_FIGURES; k++)
					guard_set_figure(
					    &rows[i].guard, &guard_figures[k], v ? UINT64_MAX >> (v * 3) : 0);
				rows[i].guard.suspect = i % 2;
				rows[i].accepted = i % 3 == 0;
				rows[i].gone = i % 5 == 0;
				rows[i].why = "a sentence that goes on for so long that it does not fit into "
					      "one line of a terminal "
					      "of eighty columns \x1b[2J";
			}
			timeline_judge(rows, N);
			out.n = 0;
			assert_int_equal(timeline_text(rows, N, 1, &out, NULL), 0);
			assert_int_equal(buf_terminate(&out, NULL), 0);
			assert_null(strchr((char *)out.p, '\x1b'));
			for (char *line = strtok((char *)out.p, "\n"); line; line = strtok(NULL, "\n"))
				if (width_text(line) > 80)
					fail_msg("%zu columns: %s", width_text(line), line);
		}
	}
	text_set_lang(TEXT_EN);
}

static void text_says_what_was_found(void **state)
{
	BUF_AUTO out = BUF_INIT(TIMELINE_MAX);
	(void)state;

	nights((uint64_t[N]){[16] = 11, [17] = 250}, 18);
	rows[17].guard.suspect = true;
	rows[17].why = "250 of 2000 files";
	timeline_judge(rows, N);
	assert_int_equal(timeline_text(rows, N, 16, &out, NULL), 0);
	assert_int_equal(buf_terminate(&out, NULL), 0);
	assert_non_null(strstr((char *)out.p, "the first sign: docs@17 (2026-12-07, unusual)\n"));
	assert_non_null(strstr((char *)out.p, "the first alarm: docs@18 (2026-12-08, suspect)\n"));
	assert_non_null(
	    strstr((char *)out.p, "the newest before the first sign: docs@16 (2026-12-06, clean)\n"));
	assert_non_null(strstr((char *)out.p, "        250 of 2000 files\n"));
	assert_null(strstr((char *)out.p, "     15 2026")); /* it was asked from 16 on */
	assert_non_null(strstr((char *)out.p,
	    "     18 2026-12-08  2000   12 ▌      0        0        0      250 ██  suspect\n"));
}

/* One file that is well-formed, fetches nothing, and has each generation. */
static void the_drawing_is_xml(void **state)
{
	BUF_AUTO out = BUF_INIT(TIMELINE_MAX);
	static const char *const names[] = {"a", "b", "c", "d"};
	static struct timeline_row many[TIMELINE_SVG_SETS * N];
	(void)state;

	for (size_t k = 0; k < TIMELINE_SVG_SETS; k++) {
		nights((uint64_t[N]){[16] = 11, [17] = 250}, 18);
		timeline_judge(rows, N);
		for (size_t i = 0; i < N; i++) {
			many[k * N + i] = rows[i];
			many[k * N + i].dataset = names[k];
		}
	}
	for (int lang = TEXT_EN; lang <= TEXT_JA; lang++) {
		text_set_lang((enum text_lang)lang);
		out.n = 0;
		assert_int_equal(timeline_svg(many, sizeof(many) / sizeof(*many), "under", &out, NULL), 0);
		put_file("x.svg", out.p, out.n);
		if (sh("python3 -c 'import sys, xml.dom.minidom as m\n"
		       "d = m.parse(\"x.svg\")\n"
		       "t = [n.firstChild.data for n in d.getElementsByTagName(\"text\") if n.firstChild]\n"
		       "assert t.count(\"▲\") == 0 and t.count(\"△\") == 8 and t.count(\"○\") == 108, t\n"
		       "assert not d.getElementsByTagName(\"script\") and not "
		       "d.getElementsByTagName(\"image\")\n"
		       "y = [float(n.getAttribute(\"y\")) for n in d.getElementsByTagName(\"text\")]\n"
		       "x = [float(n.getAttribute(\"x\")) for n in d.getElementsByTagName(\"text\")]\n"
		       "assert max(y) < 205 and max(x) < 290, (max(y), max(x))\n"
		       "' 2>err"))
			fail_msg("not the drawing that was expected: %d", sh("cat err >&2"));
	}
	text_set_lang(TEXT_EN);
	out.n = 0;
	assert_int_equal(timeline_svg(NULL, 0, "", &out, NULL), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_sign_stands_before_the_alarm),
	    cmocka_unit_test(people_decide), cmocka_unit_test(what_is_usual_is_no_sign),
	    cmocka_unit_test(bars_have_three_powers_of_ten), cmocka_unit_test(a_line_has_80_columns),
	    cmocka_unit_test(text_says_what_was_found),
	    cmocka_unit_test_setup_teardown(the_drawing_is_xml, scratch_setup, scratch_teardown)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
