/* ledger: the state that the records amount to, and no other. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#include <sodium.h>

#include "unit.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "format/crypto/minisig.h"
#include "format/medium/selector.h"
#include "read/ledger/ledger.h"
#include "scribe.h"

static void records_amount_to_the_state(void **state)
{
	const struct ledger_generation *g;
	const struct ledger_medium *m;
	struct scribe s;
	size_t first;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	assert_int_equal(ledger_next_run(s.ledger), 1);
	assert_int_equal(ledger_next_archive(s.ledger, "emr"), 1);
	assert_int_equal(put(&s, "begin", begin(1), &err), 0);
	g = ledger_generation(s.ledger, 0);
	assert_int_equal(ledger_generations(s.ledger), 2);
	assert_string_equal(g->dataset, "emr");
	assert_true(g->number == 1 && g->state == LEDGER_BEGUN && g->verdict == LEDGER_PENDING);
	assert_null(ledger_last_committed(s.ledger, NULL));
	/* each data set is committed when it is captured; the other may fail */
	assert_int_equal(put(&s, "committed", committed("emr", 1), &err), 0);
	assert_true(g->state == LEDGER_COMMITTED && g[1].state == LEDGER_BEGUN);
	assert_int_equal(
	    put(&s, "committed",
		committed_to("documents", 1, "partial", json_pack("[o]", copy_to(NAS, "nas"))), &err),
	    0);
	assert_int_equal(put(&s, "verified", on_medium("emr", 1, NAS), &err), 0);
	assert_int_equal(put(&s, "copied", on_medium("emr", 1, RDX), &err), 0);
	assert_int_equal(put(&s, "begin", begin(2), &err), 0);
	assert_int_equal(put(&s, "committed", committed("documents", 2), &err), 0);
	assert_int_equal(put(&s, "begin", begin_of("emr", 5), &err), 0); /* emr@2 was never ended */
	assert_int_equal(put(&s, "failed", failed("emr", 5, "no medium is there"), &err), 0);
	assert_int_equal(put(&s, "something-of-a-later-version", json_object(), &err), 0);

	assert_string_equal(ledger_repository(s.ledger), REPO);
	assert_true(ledger_period(s.ledger)->number == 1 && ledger_period(s.ledger)->revision == 1);
	assert_string_equal(ledger_period(s.ledger)->recipient, "age1a");
	assert_int_equal(ledger_media(s.ledger), 2);
	m = ledger_medium_by_label(s.ledger, "RDX-01");
	assert_string_equal(m->uuid, RDX);
	assert_true(m->offline);
	assert_string_equal(m->place, "");
	assert_int_equal(ledger_generations(s.ledger), 5);
	assert_int_equal(ledger_next_run(s.ledger), 6);
	g = ledger_generation_of(s.ledger, "emr", 1);
	assert_ptr_equal(g, ledger_last_committed(s.ledger, "emr"));
	assert_ptr_equal(
	    ledger_generation_of(s.ledger, "documents", 2), ledger_last_committed(s.ledger, NULL));
	assert_null(ledger_last_committed(s.ledger, "images"));
	assert_string_equal(g->manifest_sha256, HASH);
	assert_true(ledger_good(g) && ledger_counts(s.ledger, g));
	assert_int_equal(g->n_copies, 2);
	assert_true(
	    g->copies[0].ok && g->copies[0].frozen && g->copies[0].verified_ns && !g->copies[0].copied_ns);
	/* it failed at first, and was brought there later */
	assert_true(g->copies[1].ok && g->copies[1].copied_ns && !g->copies[1].verified_ns);
	assert_string_equal(g->copies[1].reason, "");
	g = ledger_generation_of(s.ledger, "documents", 1);
	assert_true(g->verdict == LEDGER_PARTIAL && g->skipped == 3 && !ledger_good(g));
	assert_int_equal(g->n_copies, 1); /* what was said of emr@1 is not said of it */
	assert_true(g->copies[0].ok && !g->copies[0].verified_ns);
	assert_int_equal(ledger_generation_of(s.ledger, "emr", 2)->state, LEDGER_ABANDONED);
	g = ledger_generation_of(s.ledger, "emr", 5);
	assert_true(g->state == LEDGER_GEN_FAILED && g->verdict == LEDGER_FAILED);
	assert_string_equal(g->reason, "no medium is there");
	assert_null(ledger_generation_of(s.ledger, "emr", 3));
	assert_null(ledger_generation_of(s.ledger, "documents", 5));
	assert_int_equal(ledger_run(s.ledger, 2, &first), 2);
	assert_int_equal(first, 2);
	assert_int_equal(ledger_run(s.ledger, 5, &first), 1);
	assert_int_equal(ledger_run(s.ledger, 3, &first), 0);
	assert_int_equal(ledger_run(s.ledger, 6, &first), 0);
	end(&s);
}

/* Archives are numbered in each data set by itself, and no number is given twice. */
static void archives_are_numbered_in_each_data_set(void **state)
{
	struct scribe s;
	struct err err = ERR_INIT;
	json_t *o;
	(void)state;

	ready(&s);
	assert_int_equal(put(&s, "begin", begin(1), &err), 0);
	o = committed("emr", 1);
	json_object_set_new(o, "next_archive", json_integer(70));
	assert_int_equal(put(&s, "committed", o, &err), 0);
	assert_int_equal(ledger_next_archive(s.ledger, "emr"), 70);
	assert_int_equal(ledger_next_archive(s.ledger, "documents"), 1);
	assert_int_equal(put(&s, "committed", committed("documents", 1), &err), 0);
	assert_int_equal(ledger_next_archive(s.ledger, "documents"), 2);
	/* one that was found complete after a later one: the larger number stays */
	assert_int_equal(put(&s, "begin", begin(2), &err), 0);
	assert_int_equal(put(&s, "committed", committed("emr", 2), &err), 0);
	assert_int_equal(ledger_next_archive(s.ledger, "emr"), 70);
	assert_int_equal(ledger_next_archive(s.ledger, "documents"), 2);
	end(&s);
}

static json_t *begin_named(const char *a, const char *b)
{
	json_t *o = begin_of(a, 2);

	if (b)
		json_array_append_new(json_object_get(o, "datasets"), json_string(b));
	return o;
}

static json_t *begin_together(uint64_t run, const char *groups)
{
	json_t *o = begin(run);

	json_object_set_new(o, "together", json_loads(groups, 0, NULL));
	return o;
}

static void together_they_count_or_not_at_all(void **state)
{
	static const char *const wrong[] = {"{}", "[1]", "[[]]", "[[\"emr\"]]", "[[\"emr\",\"emr\"]]",
	    "[[\"emr\",\"images\"]]", "[[\"emr\",1]]", "[[\"emr\",\"documents\"],[\"documents\",\"emr\"]]"};
	const struct ledger_generation *emr, *documents;
	struct err err = ERR_INIT;
	struct scribe s;

	(void)state;
	ready(&s);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (put(&s, "begin", begin_together(1, wrong[i]), &err) != -1)
			fail_msg("taken: %s", wrong[i]);
	assert_int_equal(put(&s, "begin", begin_together(1, "[[\"emr\",\"documents\"]]"), &err), 0);
	assert_int_equal(put(&s, "committed", committed("emr", 1), &err), 0);
	emr = ledger_generation_of(s.ledger, "emr", 1);
	documents = ledger_generation_of(s.ledger, "documents", 1);
	assert_ptr_equal(ledger_companion(s.ledger, emr, NULL), documents);
	assert_null(ledger_companion(s.ledger, emr, documents));
	assert_true(ledger_good(emr));
	assert_false(ledger_counts(s.ledger, emr)); /* documents@1 is not there yet */
	assert_int_equal(put(&s, "committed", committed("documents", 1), &err), 0);
	emr = ledger_generation_of(s.ledger, "emr", 1);
	documents = ledger_generation_of(s.ledger, "documents", 1);
	assert_true(ledger_counts(s.ledger, emr) && ledger_counts(s.ledger, documents));
	/* without a group each counts for itself */
	assert_int_equal(put(&s, "begin", begin(2), &err), 0);
	assert_int_equal(put(&s, "committed", committed("emr", 2), &err), 0);
	assert_true(ledger_counts(s.ledger, ledger_generation_of(s.ledger, "emr", 2)));
	end(&s);
}

/* Each of these is properly signed and in its place, and still cannot be. */
static void contradictions_are_refused_and_named(void **state)
{
	static const char *const names[] = {
	    "", "EMR", "../emr", "a/b", "a_b", "latest", "con", "4", "a23456789012345678901234567890123"};
	struct scribe s;
	struct err err;
	json_t *o;
	(void)state;

/* after run 1, of which emr is committed, and documents is still open */
#define REFUSED(code_, event_, members_)                                                                     \
	do {                                                                                                 \
		ready(&s);                                                                                   \
		err = (struct err)ERR_INIT;                                                                  \
		assert_int_equal(put(&s, "begin", begin(1), &err), 0);                                       \
		assert_int_equal(put(&s, "committed", committed("emr", 1), &err), 0);                        \
		assert_int_equal(put(&s, event_, members_, &err), -1);                                       \
		assert_string_equal(err.code, code_);                                                        \
		assert_non_null(strstr(err.msg, "record 6"));                                                \
		end(&s);                                                                                     \
	} while (0)

	REFUSED("E-LEDGER-02", "begin", begin(1)); /* a number is never given twice */
	REFUSED("E-LEDGER-02", "begin", begin(0));
	REFUSED("E-LEDGER-02", "init", init_members(&s));
	REFUSED("E-LEDGER-02", "committed", committed("emr", 1));    /* twice */
	REFUSED("E-LEDGER-02", "committed", committed("emr", 2));    /* never begun */
	REFUSED("E-LEDGER-02", "committed", committed("images", 1)); /* not of this run */
	o = committed("documents", 1);
	json_object_set_new(o, "uuid", json_string(NAS));
	REFUSED("E-LEDGER-02", "committed", o);			    /* of another run */
	REFUSED("E-LEDGER-02", "failed", failed("emr", 1, "x"));    /* it has ended */
	REFUSED("E-LEDGER-02", "failed", failed("images", 1, "x")); /* not of this run */
	REFUSED("E-LEDGER-02", "failed", failed("documents", 2, "x"));
	o = failed("documents", 1, "x"); /* one that may, one that may not */
	json_array_append_new(
	    json_object_get(o, "datasets"), json_pack("{s:s, s:s}", "name", "emr", "reason", "y"));
	REFUSED("E-LEDGER-02", "failed", o);
	REFUSED("E-LEDGER-02", "verified", on_medium("emr", 1, GEN)); /* no such medium */
	REFUSED("E-LEDGER-02", "verified", on_medium("documents", 1, NAS));
	REFUSED("E-LEDGER-02", "copied", on_medium("emr", 2, NAS));
	o = on_medium("emr", 1, NAS); /* the second of a list */
	json_array_append_new(json_object_get(o, "generations"),
	    json_pack("{s:s, s:i, s:i, s:i}", "dataset", "images", "generation", 1, "files", 1, "bytes", 1));
	REFUSED("E-LEDGER-02", "verified", o);
	REFUSED("E-LEDGER-02", "verify-failed", copy_of("documents", 1, NAS));
	REFUSED("E-LEDGER-02", "accepted", decided("documents", 1));
	REFUSED("E-LEDGER-02", "held", decided("emr", 2));
	REFUSED("E-LEDGER-02", "expired", copy_of("documents", 1, NAS));
	REFUSED("E-LEDGER-01", "begin", json_pack("{s:i, s:s}", "run", 2, "uuid", GEN));
	REFUSED(
	    "E-LEDGER-01", "begin", json_pack("{s:f, s:s, s:[s]}", "run", 2.0, "uuid", GEN, "datasets", "a"));
	REFUSED(
	    "E-LEDGER-01", "begin", json_pack("{s:i, s:s, s:[s]}", "run", -1, "uuid", GEN, "datasets", "a"));
	REFUSED("E-LEDGER-01", "begin", json_pack("{s:i, s:s, s:[i]}", "run", 2, "uuid", GEN, "datasets", 1));
	REFUSED(
	    "E-LEDGER-01", "begin", json_pack("{s:i, s:s, s:[s]}", "run", 2, "uuid", "x", "datasets", "a"));
	REFUSED("E-LEDGER-01", "begin", json_pack("{s:i, s:s, s:[]}", "run", 2, "uuid", GEN, "datasets"));
	/* it names a folder on every medium */
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		REFUSED("E-LEDGER-01", "begin", begin_named(names[i], NULL));
		REFUSED("E-LEDGER-01", "begin", begin_named("emr", names[i]));
	}
	REFUSED("E-LEDGER-01", "begin", begin_named("emr", "emr"));
	REFUSED("E-LEDGER-01", "medium-added", json_pack("{s:s}", "medium", NAS));
	REFUSED("E-LEDGER-01", "verified",
	    json_pack("{s:s, s:i, s:s}", "dataset", "emr", "generation", 1, "medium", NAS));
	REFUSED("E-LEDGER-01", "verified", json_pack("{s:s, s:[s]}", "medium", NAS, "generations", "emr@1"));
	REFUSED("E-LEDGER-01", "failed",
	    json_pack("{s:i, s:s, s:[s]}", "run", 1, "reason", "", "datasets", "emr"));
	REFUSED("E-LEDGER-01", "failed", json_pack("{s:i, s:s, s:[]}", "run", 1, "reason", "", "datasets"));
	o = failed("documents", 1, "x"); /* one data set, two reasons */
	json_array_append_new(
	    json_object_get(o, "datasets"), json_pack("{s:s, s:s}", "name", "documents", "reason", "y"));
	REFUSED("E-LEDGER-01", "failed", o);
}

/* A version of before wrote it: it is said, and not that a member is missing. */
static void the_old_layout_is_named(void **state)
{
	struct scribe s;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	assert_int_equal(
	    put(&s, "begin", json_pack("{s:i, s:s, s:[s]}", "generation", 1, "uuid", GEN, "datasets", "emr"),
		&err),
	    -1);
	assert_string_equal(err.code, "E-LEDGER-05");
	assert_non_null(strstr(err.msg, "record 4"));
	assert_non_null(strstr(err.hint, "bkp init"));
	end(&s);
}

static void a_committed_record_is_checked_in_depth(void **state)
{
	static const char *const cuts[] = {"dataset", "generation", "uuid", "manifest_sha256", "archives",
	    "next_archive", "verdict", "entries", "files", "bytes", "unreadable", "changed", "skipped",
	    "media"};
	static const char *const copy_cuts[] = {"medium", "label", "ok", "frozen"};
	static const char *const verdicts[] = {"excellent", "failed", "pending", "Good"};
	const size_t n = sizeof(cuts) / sizeof(*cuts), n_copy = sizeof(copy_cuts) / sizeof(*copy_cuts);
	struct scribe s;
	struct err err = ERR_INIT;
	json_t *o;
	(void)state;

	for (size_t i = 0; i < n + n_copy + 4; i++) {
		ready(&s);
		assert_int_equal(put(&s, "begin", begin(1), &err), 0);
		o = committed("emr", 1);
		if (i < n)
			json_object_del(o, cuts[i]);
		else if (i < n + n_copy)
			json_object_del(json_array_get(json_object_get(o, "media"), 1), copy_cuts[i - n]);
		else
			json_object_set_new(o, "verdict", json_string(verdicts[i - n - n_copy]));
		assert_int_equal(put(&s, "committed", o, &err), -1);
		assert_string_equal(err.code, "E-LEDGER-01");
		end(&s);
	}
}

static void a_run_that_died_can_be_found_complete(void **state)
{
	struct scribe s;
	struct err err = ERR_INIT;
	json_t *o;
	(void)state;

	for (int recovered = 0; recovered < 2; recovered++) {
		ready(&s);
		assert_int_equal(put(&s, "begin", begin(1), &err), 0);
		assert_int_equal(put(&s, "begin", begin(2), &err), 0);
		o = committed("emr", 1);
		if (recovered)
			json_object_set_new(o, "recovered", json_true());
		/* else it does not say how it came back */
		assert_int_equal(put(&s, "committed", o, &err), recovered ? 0 : -1);
		if (recovered) {
			assert_true(ledger_generation(s.ledger, 0)->recovered);
			assert_int_equal(ledger_generation(s.ledger, 0)->state, LEDGER_COMMITTED);
			assert_int_equal(ledger_generation(s.ledger, 1)->state, LEDGER_ABANDONED);
			assert_int_equal(ledger_generation(s.ledger, 2)->state, LEDGER_BEGUN);
			/* the one that came back is no end of those of the run after it */
			assert_int_equal(put(&s, "begin", begin(3), &err), 0);
			assert_int_equal(ledger_generation(s.ledger, 0)->state, LEDGER_COMMITTED);
			assert_int_equal(ledger_generation(s.ledger, 2)->state, LEDGER_ABANDONED);
			assert_int_equal(ledger_generation(s.ledger, 3)->state, LEDGER_ABANDONED);
			/* what nobody found complete is told to have failed, however late */
			assert_int_equal(put(&s, "failed", failed("emr", 2, "interrupted"), &err), 0);
			assert_int_equal(ledger_generation(s.ledger, 2)->state, LEDGER_GEN_FAILED);
		}
		end(&s);
	}
}

/* One data set is suspect: it does not count, the others of its run do; nothing expires anywhere until a person
 * has decided. */
static void a_suspect_data_set_stands_for_itself(void **state)
{
	const struct ledger_generation *emr, *documents;
	struct scribe s;
	struct err err = ERR_INIT;
	json_t *o;
	(void)state;

	ready(&s);
	assert_int_equal(put(&s, "begin", begin(1), &err), 0);
	o = committed("emr", 1);
	json_object_set_new(
	    o, "guard", json_pack("{s:b, s:s, s:{s:s}}", "suspect", 1, "why", "97 %", "canary", "/c", HASH));
	assert_int_equal(put(&s, "committed", o, &err), 0);
	assert_int_equal(put(&s, "committed", committed("documents", 1), &err), 0);
	emr = ledger_generation_of(s.ledger, "emr", 1);
	documents = ledger_generation_of(s.ledger, "documents", 1);
	assert_false(ledger_counts(s.ledger, emr));
	assert_true(ledger_counts(s.ledger, documents));
	assert_string_equal(emr->suspicion, "97 %");
	assert_ptr_equal(ledger_frozen_by(s.ledger), emr);
	assert_string_equal(ledger_canary(s.ledger, "emr", "/c"), HASH);
	assert_null(ledger_canary(s.ledger, "documents", "/c"));
	err = (struct err)ERR_INIT;
	assert_int_equal(put(&s, "expired", copy_of("documents", 1, NAS), &err), -1);
	assert_non_null(strstr(err.msg, "suspect"));
	end(&s);
	for (int i = 0; i < 2; i++) {
		ready(&s);
		assert_int_equal(put(&s, "begin", begin(1), &err), 0);
		o = committed("emr", 1);
		json_object_set_new(o, "guard", json_pack("{s:b}", "suspect", 1));
		assert_int_equal(put(&s, "committed", o, &err), 0);
		assert_int_equal(put(&s, i ? "held" : "accepted", decided("emr", 1), &err), 0);
		emr = ledger_generation_of(s.ledger, "emr", 1);
		assert_true(ledger_counts(s.ledger, emr) == !i);
		assert_null(ledger_frozen_by(s.ledger));
		end(&s);
	}
}

/* What expired on every medium is not copied from one to another; found standing somewhere it is there again. */
static void what_expired_may_be_found_standing(void **state)
{
	struct scribe s;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	assert_int_equal(put(&s, "begin", begin(1), &err), 0);
	assert_int_equal(put(&s, "committed", committed("emr", 1), &err), 0);
	assert_int_equal(put(&s, "committed", committed("documents", 1), &err), 0);
	assert_int_equal(put(&s, "expired", copy_of("emr", 1, NAS), &err), 0);
	assert_int_equal(ledger_generation(s.ledger, 0)->state, LEDGER_EXPIRED);
	assert_int_equal(ledger_generation(s.ledger, 1)->state, LEDGER_COMMITTED);
	assert_int_equal(put(&s, "expiry-finished",
			     json_pack("{s:s, s:i, s:s, s:s}", "dataset", "emr", "generation", 1, "medium",
				 NAS, "operator", "Sato"),
			     &err),
	    0);
	assert_int_equal(put(&s, "verified", on_medium("emr", 1, NAS), &err), 0);
	assert_int_equal(ledger_generation(s.ledger, 0)->state, LEDGER_COMMITTED);
	assert_int_equal(put(&s, "expired", copy_of("emr", 1, NAS), &err), 0);
	assert_int_equal(put(&s, "copied", on_medium("emr", 1, NAS), &err), -1);
	end(&s);
}

/* What "latest", a day and "3d" mean on this host. */
static void selectors_find_what_is_committed(void **state)
{
	static const struct {
		const char *what;
		uint64_t number;
	} cases[] = {{"emr@latest", 5}, {"documents@latest", 3}, {"emr@2", 2}, {"emr@1", 0} /* failed */,
	    {"emr@4", 0} /* expired everywhere */, {"documents@2", 0}, {"emr@9", 0}, {"images@latest", 0},
	    {"emr@2026-11-01", 0}, {"emr@2026-11-02", 2}, {"emr@2026-11-03", 3}, {"emr@2026-11-04", 3},
	    {"documents@2026-11-04", 3}, {"emr@2040-01-01", 5}, {"emr@1970-01-01", 0}};
	struct clock_stamp now;
	struct scribe s;
	struct selector sel;
	struct err err = ERR_INIT;
	(void)state;

	setenv("TZ", "Asia/Tokyo", 1);
	tzset();
	ready(&s);
	for (int n = 1; n <= 5; n++) {
		/* 2026-10-31T22:30Z, which is the next day in Tokyo, and each day after it */
		s.at_ns = (1793485800 + (int64_t)(n - 1) * 86400) * 1000000000;
		if (n == 3)
			s.at_ns -= 7 * 3600 * INT64_C(1000000000); /* 00:30 of that day in Tokyo */
		assert_int_equal(put(&s, "begin", begin(n), &err), 0);
		assert_int_equal(n == 1 ? put(&s, "failed", failed("emr", n, "x"), &err)
					: put(&s, "committed", committed("emr", n), &err),
		    0);
		if (n == 3)
			assert_int_equal(put(&s, "committed", committed("documents", n), &err), 0);
	}
	assert_int_equal(put(&s, "expired", copy_of("emr", 4, NAS), &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		assert_int_equal(selector_parse(cases[i].what, &sel, &err), 0);
		if (ledger_select(s.ledger, &sel, sel.dataset) != cases[i].number)
			fail_msg("%s: %ju", cases[i].what, ledger_select(s.ledger, &sel, sel.dataset));
	}
	end(&s);
	/* days ago are counted from now */
	clock_now(&now);
	ready(&s);
	for (int n = 1; n <= 4; n++) {
		s.at_ns = now.wall_ns - (int64_t)(5 - n) * 86400 * 1000000000 - 1000000000;
		assert_int_equal(put(&s, "begin", begin_of("emr", n), &err), 0);
		assert_int_equal(put(&s, "committed", committed("emr", n), &err), 0);
	}
	assert_int_equal(selector_parse("emr@3d", &sel, &err), 0);
	assert_int_equal(ledger_select(s.ledger, &sel, "emr"), 2);
	assert_int_equal(selector_parse("emr@1d", &sel, &err), 0);
	assert_int_equal(ledger_select(s.ledger, &sel, "emr"), 4);
	assert_int_equal(selector_parse("emr@5d", &sel, &err), 0);
	assert_int_equal(ledger_select(s.ledger, &sel, "emr"), 0);
	end(&s);
}

static int load_bytes(
    const void *p, size_t n, const struct minisig_public *root, struct ledger **ret, struct err *err)
{
	char dir[] = "/tmp/bkp-ledger-XXXXXX", name[JOURNAL_NAME];
	uint32_t number = 0;
	int fd, journal, r;

	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY);
	assert_int_equal(mkdirat(fd, JOURNAL_DIR, 0700), 0);
	journal = openat(fd, JOURNAL_DIR, O_RDONLY | O_DIRECTORY);
	for (const char *at = p, *end = at + n; at < end || !number;) {
		size_t part = (size_t)(end - at);

		if (part > JOURNAL_SEGMENT_MAX) {
			const char *newline = memrchr(at, '\n', JOURNAL_SEGMENT_MAX);

			part = newline ? (size_t)(newline - at) + 1 : JOURNAL_SEGMENT_MAX;
		}
		assert_int_equal(
		    io_write_new(journal, journal_segment_name(++number, name), 0600, at, part, err), 0);
		at += part;
	}
	r = ledger_load(fd, root, ret, err);
	for (; number; number--)
		unlinkat(journal, journal_segment_name(number, name), 0);
	close(journal);
	unlinkat(fd, JOURNAL_DIR, AT_REMOVEDIR);
	close(fd);
	rmdir(dir);
	return r;
}

/* Whoever signs it: what lies in a safe takes part in nothing. */
static void nothing_happens_to_a_medium_that_is_away(void **state)
{
	static const char *const events[] = {"verified", "copied", "verify-failed"};
	struct scribe s;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	assert_int_equal(put(&s, "begin", begin(1), &err), 0);
	assert_int_equal(put(&s, "committed", committed("emr", 1), &err), 0);
	for (size_t i = 0; i < 3; i++) {
		json_t *o = i < 2 ? on_medium("emr", 1, RDX) : copy_of("emr", 1, RDX);

		assert_int_equal(put(&s, "medium-detached", json_pack("{s:s}", "medium", RDX), &err), 0);
		err = (struct err)ERR_INIT;
		assert_int_equal(ledger_accepts(s.ledger, events[i], o, &err), -1);
		assert_non_null(strstr(err.msg, "away"));
		assert_int_equal(put(&s, "medium-attached", json_pack("{s:s}", "medium", RDX), &err), 0);
		assert_int_equal(put(&s, events[i], o, &err), 0);
	}
	end(&s);
}

/* At every byte: what was acknowledged counts, what was not is left out. */
static void a_torn_end_is_not_an_error_and_not_a_record(void **state)
{
	struct scribe s;
	struct ledger *l;
	struct err err = ERR_INIT;
	size_t second;
	(void)state;

	ready(&s);
	second = (size_t)((uint8_t *)memchr(s.bytes.p, '\n', s.bytes.n) - s.bytes.p) + 1;
	for (size_t n = second; n <= s.bytes.n; n++) {
		size_t lines = 0, whole = 0;

		for (size_t i = 0; i < n; i++)
			if (s.bytes.p[i] == '\n') {
				lines++;
				whole = i + 1;
			}
		assert_int_equal(load_bytes(s.bytes.p, n, &s.sec.pub, &l, &err), 0);
		assert_int_equal(ledger_seq(l), lines);
		assert_int_equal(ledger_size(l), whole);
		assert_int_equal(ledger_torn(l), n != whole);
		ledger_free(l);
	}
	for (size_t n = 0; n < second; n++) {
		assert_int_equal(load_bytes(s.bytes.p, n, &s.sec.pub, &l, &err), -1);
		assert_string_equal(err.code, "E-LEDGER-04");
	}
	end(&s);
}

static void damage_is_named_by_its_line(void **state)
{
	struct scribe s;
	struct ledger *l;
	struct err err = ERR_INIT;
	uint8_t *second;
	char *big;
	int fd;
	(void)state;

	ready(&s);
	second = (uint8_t *)memchr(s.bytes.p, '\n', s.bytes.n) + 1;
	second[100] ^= 1;
	assert_int_equal(load_bytes(s.bytes.p, s.bytes.n, NULL, &l, &err), -1);
	assert_non_null(strstr(err.msg, "line 2"));
	second[100] ^= 1;
	/* an endless line does not fill the memory */
	big = malloc((size_t)8 << 20);
	memset(big, '{', (size_t)8 << 20);
	memcpy(big, s.bytes.p, s.bytes.n);
	assert_int_equal(load_bytes(big, (size_t)8 << 20, NULL, &l, &err), -1);
	assert_string_equal(err.code, "E-JOURNAL-01");
	assert_non_null(strstr(err.msg, "line 4"));
	free(big);
	fd = open("/", O_RDONLY | O_DIRECTORY);
	assert_int_equal(ledger_load(fd, NULL, &l, &err), LEDGER_ABSENT);
	close(fd);
	end(&s);
}

static json_t *rotated(int newest, int complete)
{
	return json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i, s:i, s:b}", "medium", RDX, "operator", "A",
	    "place", "B", "generations", 1, "newest", newest, "copied", 0, "bytes", 0, "unfrozen", 0,
	    "complete", complete);
}

/* A disk too small for the newest generation stays due for rotation. */
static void a_rotation_without_the_newest_is_none(void **state)
{
	struct scribe s;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	for (int i = 1; i <= 2; i++) {
		assert_int_equal(put(&s, "begin", begin(i), &err), 0);
		assert_int_equal(put(&s, "committed", committed("emr", i), &err), 0);
	}
	assert_int_equal(put(&s, "rotated", rotated(1, 0), &err), 0);
	assert_int_equal(ledger_medium_by_label(s.ledger, "RDX-01")->rotated_ns, 0);
	assert_string_equal(ledger_medium_by_label(s.ledger, "RDX-01")->custodian, "A");
	assert_int_equal(put(&s, "rotated", rotated(2, 0), &err), 0);
	assert_int_not_equal(ledger_medium_by_label(s.ledger, "RDX-01")->rotated_ns, 0);
	end(&s);
}

static double user_s(void)
{
	struct rusage now;

	getrusage(RUSAGE_SELF, &now);
	return (double)now.ru_utime.tv_sec + (double)now.ru_utime.tv_usec / 1e6;
}

static void read_again(const struct scribe *s, size_t generations)
{
	struct ledger *l;
	struct err err = ERR_INIT;
	double before = user_s();

	assert_int_equal(load_bytes(s->bytes.p, s->bytes.n, &s->sec.pub, &l, &err), 0);
	assert_int_equal(ledger_generations(l), generations);
	print_message("%zu bytes, %ju records: %.2f s of user time here\n", s->bytes.n, ledger_seq(l),
	    user_s() - before);
	ledger_free(l);
}

/* Thirty years of runs in one journal: how long, and how much memory. */
static void ten_thousand_generations_are_read_quickly(void **state)
{
	struct scribe s;
	struct err err = ERR_INIT;
	(void)state;

	ready(&s);
	for (int i = 1; i <= 10000; i++) {
		assert_int_equal(put(&s, "begin", begin_of("emr", i), &err), 0);
		assert_int_equal(put(&s, "committed", committed("emr", i), &err), 0);
	}
	read_again(&s, 10000);
	end(&s);
}

/* A year of a hospital with a hundred data sets, one of which fails every night. */
static void a_hundred_data_sets_every_night(void **state)
{
	char names[100][8];
	struct scribe s;
	struct err err = ERR_INIT;
	size_t first;
	(void)state;

	ready(&s);
	for (int i = 0; i < 100; i++)
		snprintf(names[i], sizeof(names[i]), "set-%d", i);
	for (int n = 1; n <= 365; n++) {
		json_t *o = begin_of(names[0], n), *list;

		for (int i = 1; i < 100; i++)
			json_array_append_new(json_object_get(o, "datasets"), json_string(names[i]));
		assert_int_equal(put(&s, "begin", o, &err), 0);
		for (int i = 0; i < 99; i++)
			assert_int_equal(put(&s, "committed", committed(names[i], n), &err), 0);
		assert_int_equal(put(&s, "failed", failed(names[99], n, "x"), &err), 0);
		/* one record for all that came */
		o = on_medium(names[0], n, NAS);
		list = json_object_get(o, "generations");
		for (int i = 1; i < 99; i++)
			json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:i}", "dataset", names[i],
							"generation", n, "files", 3, "bytes", 1000));
		assert_int_equal(put(&s, "verified", o, &err), 0);
	}
	assert_int_equal(ledger_run(s.ledger, 180, &first), 100);
	assert_int_equal(first, 17900);
	for (int i = 0; i < 99; i++) {
		assert_int_equal(ledger_last_committed(s.ledger, names[i])->number, 365);
		assert_int_equal(ledger_next_archive(s.ledger, names[i]), 366);
		assert_true(
		    ledger_copy_there(ledger_generation_of(s.ledger, names[i], 180), NAS)->verified_ns != 0);
	}
	assert_null(ledger_last_committed(s.ledger, names[99]));
	read_again(&s, 36500);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(records_amount_to_the_state),
	    cmocka_unit_test(archives_are_numbered_in_each_data_set),
	    cmocka_unit_test(the_old_layout_is_named),
	    cmocka_unit_test(a_suspect_data_set_stands_for_itself),
	    cmocka_unit_test(what_expired_may_be_found_standing),
	    cmocka_unit_test(selectors_find_what_is_committed),
	    cmocka_unit_test(contradictions_are_refused_and_named),
	    cmocka_unit_test(a_committed_record_is_checked_in_depth),
	    cmocka_unit_test(a_run_that_died_can_be_found_complete),
	    cmocka_unit_test(nothing_happens_to_a_medium_that_is_away),
	    cmocka_unit_test(a_torn_end_is_not_an_error_and_not_a_record),
	    cmocka_unit_test(together_they_count_or_not_at_all),
	    cmocka_unit_test(damage_is_named_by_its_line),
	    cmocka_unit_test(a_rotation_without_the_newest_is_none),
	    cmocka_unit_test(ten_thousand_generations_are_read_quickly),
	    cmocka_unit_test(a_hundred_data_sets_every_night),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
