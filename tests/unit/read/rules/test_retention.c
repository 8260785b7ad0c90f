/* retention: who stays, who may go, and why: tables of captures against what a person would expect. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "base/err.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/retention.h"
#include "scribe.h"

#define DAY ((int64_t)86400000000000)

/* One capture: 'g' good 'p' partial 'f' failed, for the data sets emr and documents; then marks: 'v' verified
 * on the NAS, 'd' damaged there since, 's' suspect, 'a' accepted, 'h' held, 'x' not on the NAS at all. */
struct run {
	double day;
	const char *how;
};

static json_t *set_json(const char *name, char verdict, bool suspect)
{
	json_t *o = dataset(name, verdict == 'g' ? "good" : verdict == 'p' ? "partial" : "failed");

	json_object_set_new(o, "guard", json_pack("{s:b, s:b}", "measured", 1, "suspect", (int)suspect));
	return o;
}

static json_t *of(int n)
{
	return json_pack("{s:i, s:s, s:s}", "generation", n, "operator", "Sato", "reason", "why");
}

static void run(struct scribe *s, int n, const struct run *k)
{
	bool suspect = strchr(k->how, 's') != NULL, there = !strchr(k->how, 'x');
	struct err err = ERR_INIT;
	char uuid[] = GEN;

	s->at_ns = T0 + (int64_t)(k->day * (double)DAY);
	assert_int_equal(put(s, "begin",
			     json_pack("{s:i, s:s, s:[s, s]}", "generation", n, "uuid", uuid, "datasets",
				 "emr", "documents"),
			     &err),
	    0);
	assert_int_equal(
	    put(s, "committed",
		json_pack("{s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:[o, o], s:[{s:s, s:s, s:b, s:b}]}",
		    "generation", n, "uuid", uuid, "manifest_sha256", HASH, "archives", 2, "archive_bytes",
		    1000, "new_bytes", 10, "next_archive", n, "datasets", set_json("emr", k->how[0], suspect),
		    set_json("documents", k->how[1], false), "media", "medium", NAS, "label", "nas", "ok",
		    (int)there, "frozen", 0),
		&err),
	    0);
	if (strchr(k->how, 'v'))
		assert_int_equal(put(s, "verified", on_medium(n, NAS), &err), 0);
	if (strchr(k->how, 'd'))
		assert_int_equal(
		    put(s, "verify-failed", json_pack("{s:i, s:s}", "generation", n, "medium", NAS), &err),
		    0);
	if (strchr(k->how, 'a'))
		assert_int_equal(put(s, "accepted", of(n), &err), 0);
	if (strchr(k->how, 'h'))
		assert_int_equal(put(s, "held", of(n), &err), 0);
}

static struct policy *policy_of(const char *emr, const char *documents)
{
	struct policy *p = NULL;
	struct err err = ERR_INIT;
	char yaml[2000];

	snprintf(yaml, sizeof(yaml),
	    "site: {name: s, language: en}\ndatasets:\n  - {name: emr, paths: [/a], %s}\n%s%s%smedia:\n  - "
	    "{name: nas, type: hdd, path: "
	    "/m}\n",
	    emr, documents ? "  - {name: documents, paths: [/b], " : "", documents ? documents : "",
	    documents ? "}\n" : "");
	if (policy_parse("p", yaml, strlen(yaml), &p, NULL, &err))
		fail_msg("%s", err.msg);
	return p;
}

static struct retention *judge(const struct scribe *s, const struct policy *p, double day)
{
	struct retention *r = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(retention_judge(p, s->ledger, T0 + (int64_t)(day * (double)DAY), &r, &err), 0);
	return r;
}

static bool has(const struct retention_copy *c, enum retention_reason reason)
{
	for (size_t i = 0; i < c->n_why; i++)
		if (c->why[i].reason == reason)
			return true;
	return false;
}

static const struct retention_copy *copy_of(const struct retention *r, uint64_t number)
{
	const struct retention_medium *m = retention_on(r, NAS);

	for (size_t i = 0; m && i < m->n; i++)
		if (m->copies[i].number == number)
			return &m->copies[i];
	return NULL;
}

/* The numbers that may go, as text; every copy has a reason and a sentence for it. */
static const char *going(const struct retention *r, char out[400])
{
	const struct retention_medium *m = retention_on(r, NAS);
	char one[RETENTION_SENTENCE];
	size_t n = 0, may_go = 0;

	*out = '\0';
	for (size_t i = 0; i < m->n; i++) {
		const struct retention_copy *c = &m->copies[i];

		assert_true(c->n_why > 0);
		for (size_t k = 0; k < c->n_why; k++) {
			assert_true((c->why[k].reason == RETENTION_COVERED) == !c->stays);
			assert_true(strlen(retention_sentence(&c->why[k], one)) > 5);
			assert_true(*retention_word(c->why[k].reason));
		}
		may_go += !c->stays;
		if (!c->stays)
			n += (size_t)snprintf(out + n, 400 - n, "%s%ju", n ? " " : "", c->number);
	}
	assert_int_equal(may_go, m->may_go);
	return out;
}

struct table {
	const char *what, *emr, *documents; /* policy */
	struct run runs[14];
	double now;
	const char *goes;
};

/* protect is short unless it is the point */
#define EMR3 "generations: 3, protect: 1h"
#define DOC3 "generations: 3, protect: 1h"

static const struct table tables[] = {
    {"the newest three stay", EMR3, DOC3, {{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {4, "ggv"}}, 5,
	"1 2"},
    {"as many as there are", EMR3, DOC3, {{0, "ggv"}, {1, "ggv"}, {2, "ggv"}}, 900, ""},
    {"captures of one date are one", EMR3, DOC3,
	{{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {2.01, "ggv"}, {2.02, "ggv"}, {2.03, "ggv"}}, 5, ""},
    {"and older ones of that date may go once there are enough dates", "generations: 1, protect: 1h",
	"generations: 1, protect: 1h", {{2, "ggv"}, {2.01, "ggv"}, {2.02, "ggv"}}, 5, "1 2"},
    {"what was not read back counts for nothing", EMR3, DOC3,
	{{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "gg"}, {4, "ggv"}, {5, "gg"}}, 9, "1"},
    {"what was found damaged counts for nothing", EMR3, DOC3,
	{{0, "ggv"}, {1, "ggv"}, {2, "ggvd"}, {3, "ggv"}, {4, "ggvd"}, {5, "ggv"}}, 9, "1"},
    {"what is on another medium only counts for nothing here", EMR3, DOC3,
	{{0, "ggv"}, {1, "ggv"}, {2, "ggx"}, {3, "ggx"}, {4, "ggx"}}, 9, ""},
    {"a partial one counts for nothing, and goes when a better one is newer", EMR3, DOC3,
	{{0, "ggv"}, {1, "pgv"}, {2, "ggv"}, {3, "ggv"}, {4, "ggv"}, {5, "pgv"}, {6, "pgv"}}, 9, "1 2"},
    {"each data set by itself: the one that fails every night holds its last good ones", EMR3, DOC3,
	{{0, "ggv"}, {1, "gfv"}, {2, "gfv"}, {3, "gfv"}, {4, "gfv"}, {5, "gfv"}}, 9, "2 3"},
    {"partial only: goes when newer good ones are there, not before", EMR3, DOC3,
	{{0, "ppv"}, {1, "ppv"}, {2, "ggv"}}, 9, "1 2"},
    {"partial only, and nothing better", EMR3, DOC3, {{0, "ppv"}, {1, "ppv"}, {2, "ffv"}}, 99, ""},
    {"protection: the longest of its data sets", "generations: 1, protect: 3d",
	"generations: 1, protect: 10d", {{0, "ggv"}, {1, "gfv"}, {2, "ggv"}, {3, "ggv"}, {8, "ggv"}}, 9, "2"},
    {"held", EMR3, DOC3, {{0, "ggvh"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {4, "ggv"}}, 9, "2"},
    {"a suspect one freezes all", EMR3, DOC3, {{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {4, "ggvs"}},
	9, ""},
    {"accepted it counts", EMR3, DOC3, {{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {4, "ggvsa"}}, 9,
	"1 2"},
    {"held it counts for nothing, and freezes nothing", EMR3, DOC3,
	{{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {4, "ggvsh"}}, 9, "1"},
    {"partial and accepted it counts, and is counted out like a good one", EMR3, DOC3,
	{{0, "ggv"}, {1, "pgva"}, {2, "pgva"}, {3, "pgva"}, {4, "ggv"}}, 9, "1 2"},
    {"partial and accepted, it holds its place in the floor", EMR3, DOC3,
	{{0, "pgva"}, {1, "ggv"}, {2, "ggv"}}, 9, ""},
    {"partial, accepted and held is held", EMR3, DOC3,
	{{0, "pgvah"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {4, "ggv"}}, 9, "2"},
    {"dated in the future it counts for nothing", EMR3, DOC3,
	{{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {5000, "ggv"}, {5001, "ggv"}, {5002, "ggv"}}, 9,
	"1"},
    {"dated before the others it pushes nothing out", EMR3, DOC3,
	{{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {-90, "ggv"}, {-80, "ggv"}, {-70, "ggv"}}, 9, ""},
    {"keep daily", "generations: 1, protect: 1h, keep: {daily: 4}", "generations: 1, protect: 1h",
	{{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {3.01, "ggv"}, {4, "ggv"}}, 9, "1 4"},
    {"keep of one data set alone", "generations: 1, protect: 1h, keep: {yearly: 3}",
	"generations: 1, protect: 1h", {{-800, "fgv"}, {-799, "ggv"}, {-400, "ggv"}, {-1, "ggv"}, {0, "ggv"}},
	9, "1 4"},
    {"keep monthly: the newest of each month", "generations: 1, protect: 1h, keep: {monthly: 3}",
	"generations: 1, protect: 1h",
	/* T0 is 2026-11-21 */
	{{-120, "ggv"}, {-60, "ggv"}, {-55, "ggv"}, {-30, "ggv"}, {-25, "ggv"}, {-10, "ggv"}, {0, "ggv"}}, 9,
	"1 2 4 6"},
    {"keep weekly", "generations: 1, protect: 1h, keep: {weekly: 2}", "generations: 1, protect: 1h",
	/* a Saturday */
	{{-9, "ggv"}, {-8, "ggv"}, {-7, "ggv"}, {-6, "ggv"}, {-1, "ggv"}, {0, "ggv"}}, 9, "1 2 3 5"},
    {"age alone lets nothing go", EMR3, DOC3, {{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}}, 36500, "1"},
    {"a data set that nobody knows never goes", EMR3, NULL,
	{{0, "ggv"}, {1, "gfv"}, {2, "ggv"}, {3, "ggv"}, {4, "ggv"}, {5, "gfv"}}, 9, "2"},
};

static void tables_are_as_people_expect(void **state)
{
	char out[400];
	(void)state;

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		const struct table *t = &tables[i];
		struct policy *p = policy_of(t->emr, t->documents);
		struct retention *r;
		struct scribe s;

		ready(&s);
		for (int n = 0; n < 14 && t->runs[n].how; n++)
			run(&s, n + 1, &t->runs[n]);
		r = judge(&s, p, t->now);
		if (strcmp(going(r, out), t->goes) != 0)
			fail_msg("%s: '%s' may go, expected '%s'", t->what, out, t->goes);
		retention_free(r);
		policy_free(p);
		end(&s);
	}
}

static json_t *agreed(int generations, int protect_s, int daily, const char *name)
{
	return json_pack("{s:[{s:s, s:i, s:i, s:i, s:i, s:i, s:i}], s:[]}", "datasets", "name", name,
	    "generations", generations, "protect_s", protect_s, "daily", daily, "weekly", 0, "monthly", 0,
	    "yearly", 0, "approvers");
}

static void of_policy_and_agreement_the_larger_holds(void **state)
{
	static const struct run all[] = {
	    {0, "gfv"}, {1, "gfv"}, {2, "gfv"}, {3, "gfv"}, {4, "gfv"}, {5, "gfv"}};
	static const struct {
		int generations, protect_d, daily;
		const char *policy, *goes;
	} cases[] = {
	    {5, 0, 0, "generations: 2, protect: 1h", "1"},
	    {2, 0, 0, "generations: 5, protect: 1h", "1"},
	    {1, 7, 0, "generations: 1, protect: 1h", "1 2"},
	    {1, 1, 0, "generations: 1, protect: 7d", "1 2"},
	    {1, 0, 4, "generations: 1, protect: 1h, keep: {daily: 2}", "1 2"},
	    {0, 0, 0, "generations: 1, protect: 1h", "1 2 3 4 5"},
	};
	struct err err = ERR_INIT;
	char out[400];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *p = policy_of(cases[i].policy, "generations: 1");
		struct retention *r;
		struct scribe s;

		ready(&s);
		for (int n = 0; n < 6; n++)
			run(&s, n + 1, &all[n]);
		assert_int_equal(
		    put(&s, "agreed",
			agreed(cases[i].generations, cases[i].protect_d * 86400, cases[i].daily, "emr"),
			&err),
		    0);
		r = judge(&s, p, 8.5);
		if (strcmp(going(r, out), cases[i].goes) != 0)
			fail_msg("case %zu: '%s' may go, expected '%s'", i, out, cases[i].goes);
		retention_free(r);
		policy_free(p);
		end(&s);
	}
}

/* The data set left the policy: what was agreed holds; agreed with nothing it is given up. */
static void what_left_the_policy_keeps_what_was_agreed(void **state)
{
	static const struct run all[] = {{0, "fgv"}, {1, "fgv"}, {2, "fgv"}, {3, "ggv"}};
	static const struct {
		int generations;
		const char *goes;
		enum retention_reason why_1;
	} cases[] = {{-1, "", RETENTION_UNKNOWN}, {3, "1", RETENTION_COVERED}, {4, "", RETENTION_FLOOR},
	    {0, "1 2 3", RETENTION_COVERED}};
	struct err err = ERR_INIT;
	char out[400];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *p = policy_of("generations: 1, protect: 1h", NULL);
		struct retention *r;
		struct scribe s;

		ready(&s);
		for (int n = 0; n < 4; n++)
			run(&s, n + 1, &all[n]);
		if (cases[i].generations >= 0)
			assert_int_equal(
			    put(&s, "agreed", agreed(cases[i].generations, 0, 0, "documents"), &err), 0);
		r = judge(&s, p, 40);
		assert_string_equal(going(r, out), cases[i].goes);
		assert_true(has(copy_of(r, 1), cases[i].why_1));
		retention_free(r);
		policy_free(p);
		end(&s);
	}
}

/* What was captured while the clock had jumped has dates that nobody vouches for, attested or not. */
static void runs_under_a_moved_clock_cover_nothing(void **state)
{
	static const struct run all[] = {{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {4, "ggv"},
	    {5, "ggv"}, {6, "ggv"}, {7, "ggv"}, {8, "ggv"}};
	struct policy *p = policy_of("generations: 4, protect: 1h", "generations: 4, protect: 1h");
	struct err err = ERR_INIT;
	struct retention *r;
	struct scribe s;
	char out[400];
	(void)state;

	ready(&s);
	for (int n = 0; n < 9; n++) {
		if (n == 4)
			assert_int_equal(put(&s, "clock-jump",
					     json_pack("{s:s, s:s, s:s, s:i}", "source", "monotonic",
						 "before", "a", "after", "b", "seconds", 86400),
					     &err),
			    0);
		if (n == 8)
			assert_int_equal(
			    put(&s, "clock-attested",
				json_pack("{s:s, s:s}", "operator", "Sato", "reason", "my watch"), &err),
			    0);
		run(&s, n + 1, &all[n]);
	}
	r = judge(&s, p, 30);
	assert_string_equal(going(r, out), "1");
	assert_true(has(copy_of(r, 2), RETENTION_FLOOR));
	assert_true(has(copy_of(r, 8), RETENTION_FLOOR));
	retention_free(r);
	policy_free(p);
	end(&s);
}

/* A zone file as whoever starts the program may make: the offset before and behind each moment. */
static void write_zone(const char *path, const int64_t *at_s, const int32_t *offset, uint32_t n)
{
	static const char magic[20] = "TZif2";
	FILE *f = fopen(path, "wb");
	uint8_t be[8];

	assert_non_null(f);
	for (int version = 0; version < 2; version++) { /* the second block has times of 64 bits */
		const uint32_t head[6] = {0, 0, 0, version ? n : 0, version ? n : 1, 4};
		uint32_t times = version ? n : 0, kinds = version ? n : 1;

		fwrite(magic, 1, sizeof(magic), f);
		for (int i = 0; i < 6; i++) {
			for (int b = 0; b < 4; b++)
				be[b] = (uint8_t)(head[i] >> (24 - 8 * b));
			fwrite(be, 1, 4, f);
		}
		for (uint32_t i = 0; i < times; i++) {
			for (int b = 0; b < 8; b++)
				be[b] = (uint8_t)((uint64_t)at_s[i] >> (56 - 8 * b));
			fwrite(be, 1, 8, f);
		}
		for (uint32_t i = 0; i < times; i++)
			fputc((int)i, f);
		for (uint32_t i = 0; i < kinds; i++) {
			for (int b = 0; b < 4; b++)
				be[b] = (uint8_t)((uint32_t)offset[i] >> (24 - 8 * b));
			fwrite(be, 1, 4, f);
			fputc(0, f);
			fputc(0, f);
		}
		fwrite("XXX\0", 1, 4, f);
	}
	fputs("\n\n", f);
	assert_int_equal(fclose(f), 0);
}

/* Nobody makes dates, or unmakes them, by naming another time zone. */
static void no_zone_makes_many_dates_of_one_run(void **state)
{
	static const struct run junk[] = {{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {4.00, "ggv"},
	    {4.01, "ggv"}, {4.02, "ggv"}, {4.03, "ggv"}};
	static const struct run month[] = {
	    {-150, "ggv"}, {-120, "ggv"}, {-90, "ggv"}, {-60, "ggv"}, {-30, "ggv"}, {0, "ggv"}};
	char path[] = "/tmp/bkp-zone.XXXXXX", name[64], out[400];
	int64_t at_s[8];
	int32_t offset[8];
	struct policy *p;
	struct retention *r;
	struct scribe s;
	(void)state;

	assert_return_code(close(mkstemp(path)), 0);
	snprintf(name, sizeof(name), ":%s", path);
	/* each capture of the run a date of its own */
	for (int i = 0; i < 8; i++) {
		at_s[i] = T0 / 1000000000 + (int64_t)(junk[i].day * 86400) - 60;
		offset[i] = i < 4 ? 0 : (i - 5) * 86400;
	}
	write_zone(path, at_s, offset, 8);
	setenv("TZ", name, 1);
	tzset();
	p = policy_of("generations: 4, protect: 1h", "generations: 4, protect: 1h");
	ready(&s);
	for (int n = 0; n < 8; n++)
		run(&s, n + 1, &junk[n]);
	r = judge(&s, p, 30);
	assert_string_equal(going(r, out), "1");
	retention_free(r);
	policy_free(p);
	end(&s);
	/* all of half a year one month */
	for (int i = 0; i < 6; i++) {
		at_s[i] = T0 / 1000000000 + (int64_t)month[i].day * 86400 - 60;
		offset[i] = (int32_t)(-month[i].day * 86400);
	}
	write_zone(path, at_s, offset, 6);
	setenv("TZ", "UTC", 1);
	tzset();
	setenv("TZ", name, 1);
	tzset();
	p = policy_of("generations: 1, protect: 1h, keep: {monthly: 5}", "generations: 1, protect: 1h");
	ready(&s);
	for (int n = 0; n < 6; n++)
		run(&s, n + 1, &month[n]);
	r = judge(&s, p, 30);
	assert_string_equal(going(r, out), "1");
	retention_free(r);
	policy_free(p);
	end(&s);
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	unlink(path);
}

static void reasons_are_all_told(void **state)
{
	static const struct run all[] = {{0, "ggvh"}, {1, "ggv"}};
	struct policy *p = policy_of(
	    "generations: 3, protect: 30d, keep: {daily: 9, yearly: 2}", "generations: 2, protect: 1h");
	const struct retention_copy *c;
	struct err err = ERR_INIT;
	struct retention *r;
	struct scribe s;
	(void)state;

	ready(&s);
	run(&s, 1, &all[0]);
	run(&s, 2, &all[1]);
	assert_int_equal(put(&s, "clock-jump",
			     json_pack("{s:s, s:s, s:s, s:i}", "source", "monotonic", "before", "a", "after",
				 "b", "seconds", 999),
			     &err),
	    0);
	r = judge(&s, p, 9);
	c = copy_of(r, 1);
	assert_true(c->stays && has(c, RETENTION_LATCHED) && has(c, RETENTION_HELD) &&
		    has(c, RETENTION_PROTECTED) && has(c, RETENTION_DAILY) && has(c, RETENTION_FLOOR) &&
		    !has(c, RETENTION_NEWEST) && !has(c, RETENTION_FROZEN));
	c = copy_of(r, 2);
	assert_true(
	    c->stays && has(c, RETENTION_NEWEST) && has(c, RETENTION_YEARLY) && !has(c, RETENTION_HELD));
	for (size_t i = 0; i < c->n_why; i++)
		if (c->why[i].reason == RETENTION_FLOOR && !strcmp(c->why[i].dataset, "emr"))
			assert_true(c->why[i].have == 0 && c->why[i].want == 3);
	assert_true(r->latched && !r->frozen_by);
	retention_free(r);
	policy_free(p);
	end(&s);
}

/* What expired is not there, and counts for nothing. */
static void what_expired_is_gone(void **state)
{
	static const struct run all[] = {{0, "ggv"}, {1, "ggv"}, {2, "ggv"}, {3, "ggv"}, {4, "ggv"}};
	struct policy *p = policy_of(EMR3, DOC3);
	struct err err = ERR_INIT;
	struct retention *r;
	struct scribe s;
	char out[400];
	(void)state;

	ready(&s);
	for (int n = 0; n < 5; n++)
		run(&s, n + 1, &all[n]);
	assert_int_equal(put(&s, "expired", on_medium(1, NAS), &err), 0);
	r = judge(&s, p, 9);
	assert_null(copy_of(r, 1));
	assert_string_equal(going(r, out), "2");
	assert_int_equal(ledger_generation_by_number(s.ledger, 1)->state, LEDGER_EXPIRED);
	retention_free(r);
	policy_free(p);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(tables_are_as_people_expect),
	    cmocka_unit_test(of_policy_and_agreement_the_larger_holds),
	    cmocka_unit_test(what_left_the_policy_keeps_what_was_agreed),
	    cmocka_unit_test(runs_under_a_moved_clock_cover_nothing),
	    cmocka_unit_test(no_zone_makes_many_dates_of_one_run),
	    cmocka_unit_test(reasons_are_all_told),
	    cmocka_unit_test(what_expired_is_gone),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
