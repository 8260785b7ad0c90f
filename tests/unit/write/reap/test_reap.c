/* reap: what goes from a medium is what was asked for, and what only that listed; find and sha256sum judge.
 */

#include "unit.h"
#include "site.h"

#include "write/state/reserve.h"
#include "write/state/state.h"
#include "write/reap/reap.h"
#include "write/pack/vault_w.h"

#define N 5 /* generations */
#define D "/datasets/d"

static void one_run(int i)
{
	assert_int_equal(sh("head -c 300000 /dev/urandom >src/%d; rm -f src/%d", i, i - 2), 0);
	site_run();
}

static int setup(void **state)
{
	if (scratch_setup_memory(state) || sh("mkdir src"))
		return -1;
	site_create("s");
	site_add_medium("a", "hdd", false, NULL);
	site_policy(1, ", generations: 1, protect: 1h", (const char *const[]){"a", NULL});
	policy->datasets[0].protect_s = 0; /* all of it happens within seconds */
	for (int i = 1; i <= N; i++) {
		/* the journal's times are whole seconds, and the last one must be newer */
		if (i == N && sh("sleep 1.1"))
			return -1;
		one_run(i);
	}
	return 0;
}

static void item(struct reap_item *it, uint64_t number)
{
	memset(it, 0, sizeof(*it));
	it->dataset = "d";
	it->number = number;
	snprintf(it->uuid, sizeof(it->uuid), "%s",
	    ledger_generation_of(state_ledger(repo), it->dataset, number)->uuid);
}

/* Archives are exactly those that the lists name which stand there, of each data set; everything is whole. */
static void assert_tidy(void)
{
	assert_int_equal(sh("for d in a/*-*/datasets/*; do (cd $d && cat generations/*/SHA256SUMS | "
			    "sed -n 's/^[0-9a-f]*  *\\(archives.*\\)/\\1/p' | sort -u >../../../../want && "
			    "find archives -type f | sort | diff ../../../../want - >&2 && "
			    "sha256sum --quiet -c generations/*/SHA256SUMS) || exit 1; done; rm -f want"),
	    0);
	assert_int_equal(sh("exit $(ls -A a/*-*/tmp | wc -l)"), 0);
}

static void what_is_measured_is_what_is_freed(void **state)
{
	struct medium *m = site_medium("a");
	struct reap r = {.state = repo, .policy = policy, .medium = m};
	struct reap_item items[2];
	struct reap_result res;
	struct err why = ERR_INIT, err = ERR_INIT;
	const struct ledger_generation *g;
	bool kept = true;
	(void)state;

	item(&items[0], 1);
	item(&items[1], 2);
	/* another data set with the same archives, of which no list can be verified: it keeps its own */
	assert_int_equal(
	    sh("cd a/*-*/datasets && cp -r d e && for f in e/generations/*/SHA256SUMS; do chattr -f -i "
	       "$f; echo x >>$f; done; find e -type f | sort >../../../of-e"),
	    0);
	assert_int_equal(reap_measure(repo, m, items, 2, &kept, &why, &err), 0);
	assert_false(kept);
	assert_true(items[0].bytes + items[1].bytes > 300000);
	assert_int_equal(reap_run(&r, items, 2, &res, &err), 0);
	assert_string_equal(res.why.code, "");
	assert_int_equal(res.expired, 2);
	assert_int_equal(res.files, items[0].files + items[1].files + 10); /* and the documents */
	assert_true(res.bytes > items[0].bytes + items[1].bytes);
	assert_int_equal(
	    sh("cd a/*-*" D "/generations && test ! -e 000001 && test ! -e 000002 && test -e 000003"), 0);
	assert_int_equal(
	    sh("cd a/*-*/datasets && find e -type f | sort | cmp - ../../../of-e && rm -r e ../../../of-e"),
	    0);
	g = ledger_generation_of(state_ledger(repo), "d", 2);
	assert_true(g->state == LEDGER_EXPIRED && g->copies[0].expired_ns && !g->copies[0].ok);
	assert_tidy();
	/* again there is nothing to do */
	assert_int_equal(reap_finish(&r, &res, &err), 0);
	assert_true(!res.expired && !res.files && !res.why.code[0]);
	medium_close(m);
}

/* Recorded, and then the process died: at once; after the folder was moved; half-way through. */
static void what_was_recorded_is_finished(void **state)
{
	struct medium *m = site_medium("a");
	struct reap r = {.state = repo, .policy = policy, .medium = m};
	struct vault_w *v = NULL;
	struct reap_result res;
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(state_append(repo, "expired",
			     json_pack("{s:s, s:i, s:s, s:i, s:i}", "dataset", "d", "generation", 3, "medium",
				 medium_uuid(m), "files", 0, "bytes", 0),
			     &err),
	    0);
	assert_int_equal(
	    sh("cd a/*-*/ && mv datasets/d/generations/000003 tmp/expired-d-000003 && "
	       "chattr -f -i tmp/expired-d-000003/root.age; rm -f tmp/expired-d-000003/root.age && "
	       "echo rubbish >tmp/stage-7"),
	    0);
	/* who clears tmp/ leaves it */
	assert_int_equal(vault_w_open(medium_repo(m), &v, &err), 0);
	vault_w_close(v);
	assert_int_equal(sh("cd a/*-*/tmp && test -e expired-d-000003/SHA256SUMS && test ! -e stage-7"), 0);
	assert_int_equal(reap_finish(&r, &res, &err), 0);
	assert_true(res.files > 3 && !res.expired && !res.why.code[0]);
	assert_tidy();
	medium_close(m);
}

/* What is in tmp/ under such a name and did not expire, what is no list of ours, and links, are left or free
 * nothing. */
static void nothing_else_is_touched(void **state)
{
	struct medium *m = site_medium("a");
	struct reap r = {.state = repo, .policy = policy, .medium = m};
	struct reap_item it;
	struct reap_result res;
	struct err why = ERR_INIT, err = ERR_INIT;
	bool kept = false;
	(void)state;

	assert_int_equal(
	    sh("cd a/*-*/ && find datasets -type f | sort >../../before && mkdir tmp/expired-d-000004 && "
	       "cp datasets/d/generations/000004/* tmp/expired-d-000004/ && mkdir tmp/expired-d-000001 && "
	       "cp datasets/d/generations/000005/SHA256SUMS* tmp/expired-d-000001/ && echo keep "
	       ">../../outside && "
	       "ln -s ../../../../outside tmp/expired-d-000001/link"),
	    0);
	/* names that are no data set's, or as before data sets stood alone: nobody's */
	assert_int_equal(
	    sh("cd a/*-*/tmp && for n in 000001 D-000001 ..-000001 latest-000001 d-1 e-000001; do "
	       "mkdir expired-$n && cp expired-d-000001/SHA256SUMS* expired-$n/ || exit 1; done"),
	    0);
	assert_int_equal(reap_finish(&r, &res, &err), 0);
	assert_int_equal(
	    sh("cd a/*-*/ && find datasets -type f | sort | cmp - ../../before && test -s "
	       "tmp/expired-d-000004/SHA256SUMS && test ! -e tmp/expired-d-000001 && test -s ../../outside"),
	    0);
	assert_int_equal(
	    sh("cd a/*-*/tmp && for n in 000001 D-000001 ..-000001 latest-000001 d-1 e-000001; do "
	       "test -s expired-$n/SHA256SUMS && rm -r expired-$n || exit 1; done"),
	    0);
	assert_int_equal(sh("rm -r a/*-*/tmp/expired-d-000004"), 0);
	/* what stands of a data set cannot be looked at: any of its archives may be needed */
	item(&it, 4);
	assert_int_equal(sh("cd a/*-*/datasets/d && mv generations was && ln -s was generations"), 0);
	assert_int_equal(reap_measure(repo, m, &it, 1, &kept, &why, &err), 0);
	assert_true(kept && why.code[0] && !it.files);
	assert_int_equal(sh("cd a/*-*/datasets/d && rm generations && mv was generations"), 0);
	/* a folder mounted or linked elsewhere in the place of tmp/ */
	assert_int_equal(
	    sh("cd a/*-*/ && mv tmp tmp.was && mkdir ../../elsewhere && ln -s ../../elsewhere tmp"), 0);
	assert_int_equal(reap_finish(&r, &res, &err), 0);
	assert_true(res.why.code[0]);
	assert_int_equal(sh("cd a/*-*/ && rm tmp && mv tmp.was tmp"), 0);
	assert_tidy();
	medium_close(m);
}

/* The sixth: the guard finds it suspect. */
static void a_suspect_run(void)
{
	static const char uuid[] = "66666666-5555-4444-8333-222222222222";
	struct err err = ERR_INIT;
	char zeros[65];

	memset(zeros, '0', 64);
	zeros[64] = '\0';
	assert_int_equal(state_append(repo, "begin",
			     json_pack("{s:i, s:s, s:[s]}", "run", 6, "uuid", uuid, "datasets", "d"), &err),
	    0);
	assert_int_equal(
	    state_append(repo, "committed",
		json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:i, s:i, s:i, s:i, s:i, s:i, "
			  "s:{s:b, s:s}, s:[]}",
		    "dataset", "d", "generation", 6, "uuid", uuid, "manifest_sha256", zeros, "archives", 0,
		    "archive_bytes", 0, "new_bytes", 0, "next_archive", 99, "verdict", "good", "entries", 1,
		    "files", 1, "bytes", 1, "unreadable", 0, "changed", 0, "skipped", 0, "guard", "suspect",
		    1, "why", "all files are encrypted", "media"),
		&err),
	    0);
	assert_non_null(ledger_frozen_by(state_ledger(repo)));
}

static void another_generation_under_that_number_stays(void **state)
{
	struct medium *m = site_medium("a");
	struct reap r = {.state = repo, .policy = policy, .medium = m};
	struct reap_item it;
	struct reap_result res;
	struct err err = ERR_INIT;
	(void)state;

	item(&it, 4);
	it.uuid[0] = it.uuid[0] == '0' ? '1' : '0';
	assert_int_equal(reap_run(&r, &it, 1, &res, &err), 0);
	assert_string_equal(res.why.code, "E-REAP-04");
	assert_int_equal(sh("test -e a/*-*" D "/generations/000004/root.age"), 0);
	/* recorded it is; but while a generation is suspect what stands there stays, too */
	a_suspect_run();
	assert_int_equal(reap_finish(&r, &res, &err), 0);
	assert_int_equal(sh("test -e a/*-*" D "/generations/000004/root.age"), 0);
	assert_int_equal(state_append(repo, "held",
			     json_pack("{s:s, s:i, s:s, s:s}", "dataset", "d", "generation", 6, "operator",
				 "Sato", "reason", "infected"),
			     &err),
	    0);
	/* nor while anything that retention knows keeps it, nor from a disk kept offline on the word of a
	 * record */
	policy->datasets[0].protect_s = 3600;
	assert_int_equal(reap_finish(&r, &res, &err), 0);
	assert_string_equal(res.why.code, "E-REAP-05");
	policy->datasets[0].protect_s = 0;
	policy->media[0].offline = true;
	r.operator= "Sato";
	assert_int_equal(reap_finish(&r, &res, &err), 0);
	assert_string_equal(res.why.code, "E-REAP-06");
	assert_int_equal(sh("test -e a/*-*" D "/generations/000004/root.age"), 0);
	/* with the right uuid it goes, and who said so is recorded */
	r.yes = true;
	assert_int_equal(reap_finish(&r, &res, &err), 0);
	assert_int_equal(res.finished, 1);
	assert_int_equal(sh("test ! -e a/*-*" D "/generations/000004"), 0);
	assert_int_equal(
	    sh("grep -q '\"event\":\"expiry-finished\".*\"operator\":\"Sato\"' state/journal/000001.jsonl"),
	    0);
	policy->media[0].offline = false;
	assert_tidy();
	medium_close(m);
}

static void the_ledger_has_the_last_word(void **state)
{
	struct medium *m = site_medium("a");
	struct reap r = {.state = repo, .policy = policy, .medium = m};
	struct reap_item it;
	struct reap_result res;
	struct err err = ERR_INIT;
	(void)state;

	item(&it, 5); /* the only one that is left: less than was agreed */
	assert_int_equal(reap_run(&r, &it, 1, &res, &err), -1);
	assert_string_equal(err.code, "E-LEDGER-02");
	assert_int_equal(sh("test -e a/*-*" D "/generations/000005/root.age"), 0);
	assert_tidy();
	medium_close(m);
}

static void the_reserve_is_whole_or_not_there(void **state)
{
	(void)state;
	reserve_keep(repo);
	assert_int_equal(
	    sh("test $(stat -c %%s state/reserve) = %d && test $(stat -c %%b state/reserve) -ge %d",
		RESERVE_BYTES, RESERVE_BYTES / 512),
	    0);
	reserve_give(repo);
	assert_int_equal(sh("test ! -e state/reserve"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_measured_is_what_is_freed),
	    cmocka_unit_test(what_was_recorded_is_finished),
	    cmocka_unit_test(nothing_else_is_touched),
	    cmocka_unit_test(another_generation_under_that_number_stays),
	    cmocka_unit_test(the_ledger_has_the_last_word),
	    cmocka_unit_test(the_reserve_is_whole_or_not_there),
	};

	return cmocka_run_group_tests(tests, setup, site_teardown);
}
