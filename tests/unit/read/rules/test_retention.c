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

/* One capture of a data set: 'g' good 'p' partial 'f' failed; then marks: 'v' verified on the NAS, 'd' damaged there
 * since, 's' suspect, 'a' accepted, 'h' held, 'x' not on the NAS at all. */
struct run {
	double day;
	const char *how;
};

static void must(struct scribe *s, const char *event, json_t *members)
{
	struct err err = ERR_INIT;

	if (put(s, event, members, &err))
		fail_msg("%s: %s", event, err.msg);
}

static void capture(struct scribe *s, const char *name, int n, const char *how)
{
	json_t *media = json_pack("[o]", copy_to(NAS, "nas")), *o;

	if (*how == 'f') {
		json_decref(media);
		must(s, "failed", failed(name, n, "no dump"));
		return;
	}
	json_object_set_new(json_array_get(media, 0), "ok", json_boolean(!strchr(how, 'x')));
	o = committed_to(name, n, *how == 'g' ? "good" : "partial", media);
	json_object_set_new(
	    o, "guard", json_pack("{s:b, s:b}", "measured", 1, "suspect", strchr(how, 's') != NULL));
	must(s, "committed", o);
	if (strchr(how, 'v'))
		must(s, "verified", on_medium(name, n, NAS));
	if (strchr(how, 'd'))
		must(s, "verify-failed", copy_of(name, n, NAS));
	if (strchr(how, 'a'))
		must(s, "accepted", decided(name, n));
	if (strchr(how, 'h'))
		must(s, "held", decided(name, n));
}

static void run_of(struct scribe *s, const char *name, int n, const struct run *k)
{
	s->at_ns = T0 + (int64_t)(k->day * (double)DAY);
	must(s, "begin", begin_of(name, n));
	capture(s, name, n, k->how);
}

static void run(struct scribe *s, int n, const struct run *k)
{
	run_of(s, "emr", n, k);
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

static const struct retention_copy *judged(const struct retention *r, const char *name, uint64_t number)
{
	const struct retention_medium *m = retention_on(r, NAS);

	for (size_t i = 0; m && i < m->n; i++)
		if (m->copies[i].number == number && !strcmp(m->copies[i].dataset, name))
			return &m->copies[i];
	return NULL;
}

/* The numbers of the data set that may go, as text; every copy has a reason and a sentence for it. */
static const char *going(const struct retention *r, const char *name, char out[400])
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
		if (!c->stays && !strcmp(c->dataset, name))
			n += (size_t)snprintf(out + n, 400 - n, "%s%ju", n ? " " : "", c->number);
	}
	assert_int_equal(may_go, m->may_go);
	return out;
}

struct table {
	const char *what, *policy;
	struct run runs[14];
	double now;
	const char *goes;
};

/* protect is short unless it is the point */
#define EMR3 "generations: 3, protect: 1h"
#define EMR1 "generations: 1, protect: 1h"

static const struct table tables[] = {
    {"the newest three stay", EMR3, {{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {4, "gv"}}, 5, "1 2"},
    {"as many as there are", EMR3, {{0, "gv"}, {1, "gv"}, {2, "gv"}}, 900, ""},
    {"captures of one date are one", EMR3,
	{{0, "gv"}, {1, "gv"}, {2, "gv"}, {2.01, "gv"}, {2.02, "gv"}, {2.03, "gv"}}, 5, ""},
    {"and older ones of that date may go once there are enough dates", EMR1,
	{{2, "gv"}, {2.01, "gv"}, {2.02, "gv"}}, 5, "1 2"},
    {"what was not read back counts for nothing", EMR3,
	{{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "g"}, {4, "gv"}, {5, "g"}}, 9, "1"},
    {"what was found damaged counts for nothing", EMR3,
	{{0, "gv"}, {1, "gv"}, {2, "gvd"}, {3, "gv"}, {4, "gvd"}, {5, "gv"}}, 9, "1"},
    {"what is on another medium only counts for nothing here", EMR3,
	{{0, "gv"}, {1, "gv"}, {2, "gx"}, {3, "gx"}, {4, "gx"}}, 9, ""},
    {"a partial one counts for nothing, and goes when a better one is newer", EMR3,
	{{0, "gv"}, {1, "pv"}, {2, "gv"}, {3, "gv"}, {4, "gv"}, {5, "pv"}, {6, "pv"}}, 9, "1 2"},
    {"what fails every night holds its last good ones", EMR3,
	{{0, "gv"}, {1, "gv"}, {2, "f"}, {3, "f"}, {4, "f"}, {5, "f"}}, 900, ""},
    {"partial only: goes when a newer good one is there, not before", EMR3, {{0, "pv"}, {1, "pv"}, {2, "gv"}},
	9, "1 2"},
    {"partial only, and nothing better", EMR3, {{0, "pv"}, {1, "pv"}, {2, "f"}}, 99, ""},
    {"protection", "generations: 1, protect: 8d", {{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {8, "gv"}}, 9,
	"1 2"},
    {"held", EMR3, {{0, "gvh"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {4, "gv"}}, 9, "2"},
    {"a suspect one freezes all", EMR3, {{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {4, "gvs"}}, 9, ""},
    {"accepted it counts", EMR3, {{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {4, "gvsa"}}, 9, "1 2"},
    {"held it counts for nothing, and freezes nothing", EMR3,
	{{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {4, "gvsh"}}, 9, "1"},
    {"partial and accepted it counts, and is counted out like a good one", EMR3,
	{{0, "gv"}, {1, "pva"}, {2, "pva"}, {3, "pva"}, {4, "gv"}}, 9, "1 2"},
    {"partial and accepted, it holds its place in the floor", EMR3, {{0, "pva"}, {1, "gv"}, {2, "gv"}}, 9,
	""},
    {"partial, accepted and held is held", EMR3, {{0, "pvah"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {4, "gv"}}, 9,
	"2"},
    {"dated in the future it counts for nothing", EMR3,
	{{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {5000, "gv"}, {5001, "gv"}, {5002, "gv"}}, 9, "1"},
    {"dated before the others it pushes nothing out", EMR3,
	{{0, "gv"}, {1, "gv"}, {2, "gv"}, {-90, "gv"}, {-80, "gv"}, {-70, "gv"}}, 9, ""},
    {"keep daily", "generations: 1, protect: 1h, keep: {daily: 4}",
	{{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {3.01, "gv"}, {4, "gv"}}, 9, "1 4"},
    {"keep yearly", "generations: 1, protect: 1h, keep: {yearly: 3}",
	{{-800, "f"}, {-799, "gv"}, {-400, "gv"}, {-1, "gv"}, {0, "gv"}}, 9, "4"},
    {"keep monthly: the newest of each month", "generations: 1, protect: 1h, keep: {monthly: 3}",
	/* T0 is 2026-11-21 */
	{{-120, "gv"}, {-60, "gv"}, {-55, "gv"}, {-30, "gv"}, {-25, "gv"}, {-10, "gv"}, {0, "gv"}}, 9,
	"1 2 4 6"},
    {"keep weekly", "generations: 1, protect: 1h, keep: {weekly: 2}",
	/* a Saturday */
	{{-9, "gv"}, {-8, "gv"}, {-7, "gv"}, {-6, "gv"}, {-1, "gv"}, {0, "gv"}}, 9, "1 2 3 5"},
    {"age alone lets nothing go", EMR3, {{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}}, 36500, "1"},
};

static void tables_are_as_people_expect(void **state)
{
	char out[400];
	(void)state;

	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++) {
		const struct table *t = &tables[i];
		struct policy *p = policy_of(t->policy, NULL);
		struct retention *r;
		struct scribe s;

		ready(&s);
		for (int n = 0; n < 14 && t->runs[n].how; n++)
			run(&s, n + 1, &t->runs[n]);
		r = judge(&s, p, t->now);
		if (strcmp(going(r, "emr", out), t->goes) != 0)
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
	static const struct run all[] = {{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {4, "gv"}, {5, "gv"}};
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
		struct policy *p = policy_of(cases[i].policy, NULL);
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
		if (strcmp(going(r, "emr", out), cases[i].goes) != 0)
			fail_msg("case %zu: '%s' may go, expected '%s'", i, out, cases[i].goes);
		retention_free(r);
		policy_free(p);
		end(&s);
	}
}

/* The data set left the policy: what was agreed holds; agreed with nothing it is given up. */
static void what_left_the_policy_keeps_what_was_agreed(void **state)
{
	static const struct run all[] = {{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}};
	static const struct {
		int generations;
		const char *goes;
		enum retention_reason why_1;
	} cases[] = {{-1, "", RETENTION_UNKNOWN}, {3, "1", RETENTION_COVERED}, {4, "", RETENTION_FLOOR},
	    {0, "1 2 3 4", RETENTION_COVERED}};
	struct err err = ERR_INIT;
	char out[400];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *p = policy_of(EMR1, NULL);
		struct retention *r;
		struct scribe s;

		ready(&s);
		for (int n = 0; n < 4; n++)
			run_of(&s, "documents", n + 1, &all[n]);
		if (cases[i].generations >= 0)
			assert_int_equal(
			    put(&s, "agreed", agreed(cases[i].generations, 0, 0, "documents"), &err), 0);
		r = judge(&s, p, 40);
		assert_string_equal(going(r, "documents", out), cases[i].goes);
		assert_true(has(judged(r, "documents", 1), cases[i].why_1));
		retention_free(r);
		policy_free(p);
		end(&s);
	}
}

/* Two data sets of the same runs: each is judged by its own rule and its own generations. */
static json_t *begin_grouped(int n, bool together)
{
	json_t *o = begin(n);

	if (together)
		json_object_set_new(o, "together", json_pack("[[s, s]]", "emr", "documents"));
	return o;
}

static void data_sets_do_not_hold_one_another(void **state)
{
	static const struct {
		const char *what, *emr, *documents; /* policy */
		const char *how[10][2];		    /* of each run, emr and documents; a day apart */
		const char *emr_goes, *documents_go;
	} cases[] = {
	    {"logs are kept 400 days", EMR3, "generations: 3, protect: 400d",
		{{"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}}, "1 2 3",
		""},
	    {"the other way round", "generations: 3, protect: 400d", EMR3,
		{{"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}}, "",
		"1 2 3"},
	    {"the one that fails holds its own", EMR3, EMR3,
		{{"gv", "gv"}, {"gv", "f"}, {"gv", "f"}, {"gv", "f"}, {"gv", "f"}, {"gv", "f"}}, "1 2 3", ""},
	    {"the one that is damaged holds its own", EMR3, EMR3,
		{{"gv", "gv"}, {"gv", "gv"}, {"gv", "gvd"}, {"gv", "gvd"}, {"gv", "gv"}}, "1 2", ""},
	    {"so does keep", EMR1, "generations: 1, protect: 1h, keep: {daily: 4}",
		{{"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}},
		"1 2 3 4 5", "1 2"},
	    {"one is held", EMR3, EMR3,
		{{"gv", "gvh"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}}, "1 2", "2"},
	    {"one left the policy", EMR3, NULL,
		{{"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}}, "1 2", ""},
	    {"one is suspect: nothing expires anywhere", EMR3, EMR3,
		{{"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gvs"}}, "", ""},
	    {"suspect and held: the other goes on", EMR3, EMR3,
		{{"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gvsh"}}, "1 2", "1"},
	    {"together: both good", EMR3, EMR3,
		{{"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}}, "1 2", "1 2"},
	    {"together: the one that fails holds both", EMR3, EMR3,
		{{"gv", "gv"}, {"gv", "f"}, {"gv", "f"}, {"gv", "f"}, {"gv", "f"}, {"gv", "f"}}, "", ""},
	    {"together: the one that is damaged holds both", EMR3, EMR3,
		{{"gv", "gv"}, {"gv", "gv"}, {"gv", "gvd"}, {"gv", "gvd"}, {"gv", "gv"}}, "", ""},
	    {"together: one is held", EMR3, EMR3,
		{{"gv", "gvh"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}, {"gv", "gv"}}, "2", "2"},
	};
	char out[400];
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct policy *p = policy_of(cases[i].emr, cases[i].documents);
		struct retention *r;
		struct scribe s;

		ready(&s);
		for (int n = 0; n < 10 && cases[i].how[n][0]; n++) {
			s.at_ns = T0 + n * DAY;
			must(&s, "begin", begin_grouped(n + 1, !strncmp(cases[i].what, "together", 8)));
			capture(&s, "emr", n + 1, cases[i].how[n][0]);
			capture(&s, "documents", n + 1, cases[i].how[n][1]);
		}
		r = judge(&s, p, 30);
		if (strcmp(going(r, "emr", out), cases[i].emr_goes) != 0)
			fail_msg("%s: of emr '%s' may go", cases[i].what, out);
		if (strcmp(going(r, "documents", out), cases[i].documents_go) != 0)
			fail_msg("%s: of documents '%s' may go", cases[i].what, out);
		assert_string_equal(r->frozen_by, strstr(cases[i].what, "anywhere") ? "documents@5" : "");
		retention_free(r);
		policy_free(p);
		end(&s);
	}
}

/* A hundred data sets for a year: which of their 73,000 copies go. */
static void a_hundred_data_sets_for_a_year(void **state)
{
	struct policy *p = policy_of(EMR3, NULL);
	struct retention *r;
	struct scribe s;
	char name[16];
	(void)state;

	ready(&s);
	for (int n = 1; n <= 365; n++) {
		json_t *o = begin_of("emr", n), *there = on_medium("emr", n, NAS);

		s.at_ns = T0 + n * DAY;
		for (int i = 1; i < 100; i++) {
			snprintf(name, sizeof(name), "set-%d", i);
			json_array_append_new(json_object_get(o, "datasets"), json_string(name));
			json_array_append_new(json_object_get(there, "generations"),
			    json_pack("{s:s, s:i, s:i, s:i}", "dataset", name, "generation", n, "files", 3,
				"bytes", 1000));
		}
		must(&s, "begin", o);
		capture(&s, "emr", n, "g");
		for (int i = 1; i < 100; i++) {
			snprintf(name, sizeof(name), "set-%d", i);
			capture(&s, name, n, "g");
		}
		must(&s, "verified", there);
	}
	r = judge(&s, p, 366);
	assert_int_equal(retention_on(r, NAS)->n, 36500);
	assert_int_equal(retention_on(r, NAS)->may_go, 362);
	retention_free(r);
	policy_free(p);
	end(&s);
}

/* What was captured while the clock had jumped has dates that nobody vouches for, attested or not. */
static void runs_under_a_moved_clock_cover_nothing(void **state)
{
	static const struct run all[] = {{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {4, "gv"}, {5, "gv"},
	    {6, "gv"}, {7, "gv"}, {8, "gv"}};
	struct policy *p = policy_of("generations: 4, protect: 1h", NULL);
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
	assert_string_equal(going(r, "emr", out), "1");
	assert_true(has(judged(r, "emr", 2), RETENTION_FLOOR));
	assert_true(has(judged(r, "emr", 8), RETENTION_FLOOR));
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
	static const struct run junk[] = {{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {4.00, "gv"},
	    {4.01, "gv"}, {4.02, "gv"}, {4.03, "gv"}};
	static const struct run month[] = {
	    {-150, "gv"}, {-120, "gv"}, {-90, "gv"}, {-60, "gv"}, {-30, "gv"}, {0, "gv"}};
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
	p = policy_of("generations: 4, protect: 1h", NULL);
	ready(&s);
	for (int n = 0; n < 8; n++)
		run(&s, n + 1, &junk[n]);
	r = judge(&s, p, 30);
	assert_string_equal(going(r, "emr", out), "1");
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
	p = policy_of("generations: 1, protect: 1h, keep: {monthly: 5}", NULL);
	ready(&s);
	for (int n = 0; n < 6; n++)
		run(&s, n + 1, &month[n]);
	r = judge(&s, p, 30);
	assert_string_equal(going(r, "emr", out), "1");
	retention_free(r);
	policy_free(p);
	end(&s);
	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	unlink(path);
}

static void reasons_are_all_told(void **state)
{
	static const struct run all[] = {{0, "gvh"}, {1, "gv"}};
	struct policy *p = policy_of("generations: 3, protect: 30d, keep: {daily: 9, yearly: 2}", NULL);
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
	c = judged(r, "emr", 1);
	assert_true(c->stays && has(c, RETENTION_LATCHED) && has(c, RETENTION_HELD) &&
		    has(c, RETENTION_PROTECTED) && has(c, RETENTION_DAILY) && has(c, RETENTION_FLOOR) &&
		    !has(c, RETENTION_NEWEST) && !has(c, RETENTION_FROZEN));
	c = judged(r, "emr", 2);
	assert_true(
	    c->stays && has(c, RETENTION_NEWEST) && has(c, RETENTION_YEARLY) && !has(c, RETENTION_HELD));
	for (size_t i = 0; i < c->n_why; i++)
		if (c->why[i].reason == RETENTION_FLOOR)
			assert_true(c->why[i].have == 0 && c->why[i].want == 3);
	assert_true(r->latched && !*r->frozen_by);
	retention_free(r);
	policy_free(p);
	end(&s);
}

/* What expired is not there, and counts for nothing. */
static void what_expired_is_gone(void **state)
{
	static const struct run all[] = {{0, "gv"}, {1, "gv"}, {2, "gv"}, {3, "gv"}, {4, "gv"}};
	struct policy *p = policy_of(EMR3, NULL);
	struct err err = ERR_INIT;
	struct retention *r;
	struct scribe s;
	char out[400];
	(void)state;

	ready(&s);
	for (int n = 0; n < 5; n++)
		run(&s, n + 1, &all[n]);
	assert_int_equal(put(&s, "expired", copy_of("emr", 1, NAS), &err), 0);
	r = judge(&s, p, 9);
	assert_null(judged(r, "emr", 1));
	assert_string_equal(going(r, "emr", out), "2");
	assert_int_equal(ledger_generation_of(s.ledger, "emr", 1)->state, LEDGER_EXPIRED);
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
	    cmocka_unit_test(data_sets_do_not_hold_one_another),
	    cmocka_unit_test(a_hundred_data_sets_for_a_year),
	    cmocka_unit_test(runs_under_a_moved_clock_cover_nothing),
	    cmocka_unit_test(no_zone_makes_many_dates_of_one_run),
	    cmocka_unit_test(reasons_are_all_told),
	    cmocka_unit_test(what_expired_is_gone),
	};

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
