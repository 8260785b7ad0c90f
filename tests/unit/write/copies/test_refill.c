/* refill, readback: a medium gets what it lacks from whoever has it whole; what was left there by a dead run,
 * or changed since, is read back before it counts.  sha256sum and diff judge. */
#include <sys/mount.h>

#include "unit.h"
#include "site.h"

#include "write/copies/readback.h"
#include "write/copies/refill.h"
#include "write/pack/vault_w.h"

#define N 3 /* generations */

static char last_uuid[JOURNAL_UUID];

static void add_medium(const char *name)
{
	site_add_medium(name, "hdd", false, last_uuid);
}

static void one_run(int i)
{
	assert_int_equal(sh("head -c 1200000 /dev/urandom >src/%d", i), 0);
	site_run();
}

static int setup(void **state)
{
	if (scratch_setup_memory(state) || sh("mkdir src"))
		return -1;
	site_create("s");
	add_medium("a");
	add_medium("b");
	site_policy(1, "", (const char *const[]){"a", "b", NULL});
	for (int i = 1; i <= N; i++)
		one_run(i);
	return 0;
}

struct seen {
	uint64_t first, last, bytes, total;
	int calls;
};

static void on_progress(void *arg, const char *label, uint64_t left, uint64_t bytes, uint64_t total)
{
	const uint64_t generation = strtoull(strchr(label, '@') + 1, NULL, 10);
	struct seen *s = arg;

	assert_true(bytes >= s->bytes && left < N);
	if (!s->calls++)
		s->first = generation;
	s->last = generation;
	s->bytes = bytes;
	s->total = total;
}

static struct refill_result refill(const char *to, bool look, struct seen *seen)
{
	struct refill_source sources[3] = {{site_medium("a")}, {site_medium("b")}, {site_medium(to)}};
	struct refill r = {.state = repo,
	    .policy = policy,
	    .to = sources[2].medium,
	    .sources = sources,
	    .n_sources = 3,
	    .newest_first = true,
	    .look = look,
	    .progress = seen ? on_progress : NULL,
	    .arg = seen};
	struct refill_result res;
	struct err err = ERR_INIT;

	if (vault_w_open(medium_repo(r.to), &r.vault, &err) || readback_open(repo, r.to, &r.readback, &err) ||
	    refill_run(&r, &res, &err))
		fail_msg("%s %s", err.code, err.msg);
	readback_close(r.readback);
	vault_w_close(r.vault);
	for (int i = 0; i < 3; i++)
		medium_close(sources[i].medium);
	return res;
}

/* The copy of generation g on the medium that was added last. */
static const struct ledger_copy *copy(uint64_t g)
{
	const struct ledger_generation *lg = ledger_generation_of(state_ledger(repo), "d", g);

	for (size_t i = 0; i < lg->n_copies; i++)
		if (!strcmp(lg->copies[i].medium, last_uuid))
			return &lg->copies[i];
	return NULL;
}

static void equal(const char *to)
{
	assert_int_equal(sh("diff -r a/*-*-*-*-*/datasets/d/archives %s/*-*-*-*-*/datasets/d/archives && "
			    "diff -r a/*-*-*-*-*/datasets/d/generations "
			    "%s/*-*-*-*-*/datasets/d/generations && cd %s/*-*-*-*-*/datasets/d && for g in "
			    "generations/*; do sha256sum --quiet "
			    "-c "
			    "$g/SHA256SUMS || exit 1; done",
			     to, to, to),
	    0);
}

static void what_is_missing_comes_newest_first(void **state)
{
	struct seen seen = {0};
	struct refill_result res;

	(void)state;
	add_medium("c");
	res = refill("c", true, &seen);
	assert_int_equal(res.copied, N);
	assert_int_equal(res.verified, N);
	assert_true(!res.missing && !res.damaged && !res.full && !res.broken && !res.why.code[0]);
	assert_int_equal(seen.first, N);
	/* the last documents come after the last call */
	assert_true(seen.total > N * 1200000);
	if (seen.bytes + 100000 < seen.total || seen.bytes >= seen.total + 100000)
		fail_msg("%ju of %ju", (uintmax_t)seen.bytes, (uintmax_t)seen.total);
	equal("c");
	for (uint64_t g = 1; g <= N; g++)
		assert_true(copy(g)->ok && copy(g)->verified_ns && copy(g)->copied_ns);
	res = refill("c", true, NULL);
	assert_true(!res.copied && !res.bytes && !res.missing);
}

/* A run that died has left an archive of the right size.  Nobody ever read it back. */
static void leftovers_are_read_back(void **state)
{
	struct refill_result res;

	(void)state;
	add_medium("d");
	assert_int_equal(
	    sh("f=$(grep -o 'archives/.*' a/*-*-*-*-*/datasets/d/generations/000001/SHA256SUMS | head -n 1) "
	       "&& cd d/*-*-*-*-*/ && mkdir -p datasets/d && cd datasets/d && mkdir -p $(dirname $f) && "
	       "head -c $(stat -c %%s ../../../../a/*-*-*-*-*/datasets/d/$f) /dev/zero >$f"),
	    0);
	res = refill("d", false, NULL);
	assert_true(res.damaged >= 1);
	assert_string_equal(res.why.code, "E-VERIFY-02");
	assert_true(!copy(1)->verified_ns && copy(1)->damaged_ns);
}

static void a_damaged_source_is_passed_over(void **state)
{
	struct refill_result res;

	(void)state;
	add_medium("e");
	assert_int_equal(
	    sh("cp -a a a.whole && cp -a b b.whole && chattr -R -f -i a b; chmod -R u+w a b; cd "
	       "a/*-*-*-*-*/datasets/d "
	       "&& "
	       "for f in archives/*/*; do printf X >>$f; break; done; rm generations/000002/root.age"),
	    0);
	res = refill("e", true, NULL);
	assert_int_equal(res.copied, N);
	assert_int_equal(
	    sh("diff -r b/*-*-*-*-*/datasets/d/generations e/*-*-*-*-*/datasets/d/generations"), 0);
	/* damaged everywhere: that one is missing, the others come */
	add_medium("f");
	assert_int_equal(sh("rm b/*-*-*-*-*/datasets/d/generations/000002/root.age"), 0);
	res = refill("f", true, NULL);
	assert_int_equal(res.copied, N - 1);
	assert_int_equal(res.missing, 1);
	assert_int_equal(res.damaged, 0);
	assert_true(!copy(2) && copy(1)->verified_ns && copy(3)->verified_ns);
	assert_true(res.why.code[0] && strstr(res.why.msg, "generation d@2"));
	assert_int_equal(sh("rm -rf a b && mv a.whole a && mv b.whole b"), 0);
}

static void what_vanished_is_brought_again(void **state)
{
	struct refill_result res;

	(void)state;
	add_medium("g");
	res = refill("g", true, NULL);
	assert_int_equal(sh("chattr -R -f -i g; cd g/*-*-*-*-*/datasets/d && rm -f "
			    "generations/000003/manifest.json && rm -rf "
			    "generations/000001 && rm -f $(ls archives/*/* | tail -n 1)"),
	    0);
	res = refill("g", false, NULL);
	assert_true(!res.copied); /* nobody looked */
	res = refill("g", true, NULL);
	assert_true(res.copied >= 2 && res.verified == res.copied && !res.missing);
	equal("g");
	/* half an archive is not replaced: named, recorded, the others stay */
	assert_int_equal(sh("chattr -R -f -i g; cd g/*-*-*-*-*/datasets/d && f=$(grep -vxFf "
			    "generations/000002/SHA256SUMS generations/000003/SHA256SUMS "
			    "| grep -o 'archives/.*' | head -n 1) && chmod u+w $f && truncate -s 1000 $f && "
			    "cp $f ../../../../half"),
	    0);
	res = refill("g", true, NULL);
	assert_true(res.damaged == 1 && res.missing == 1 && !res.broken && !res.full);
	assert_string_equal(res.why.code, "E-PUBLISH-03");
	assert_true(copy(3)->damaged_ns && copy(1)->verified_ns && copy(2)->verified_ns);
	assert_int_equal(
	    sh("for f in g/*-*-*-*-*/datasets/d/archives/*/*; do cmp -s $f half && exit 0; done; exit 1"), 0);
}

static void a_full_medium_says_how_much_is_missing(void **state)
{
	struct refill_result res;

	(void)state;
	assert_int_equal(mkdir(in_scratch("h"), 0755), 0);
	if (mount("none", in_scratch("h"), "tmpfs", 0, "size=2000k"))
		skip();
	add_medium("h");
	res = refill("h", true, NULL);
	assert_true(res.full && !res.broken && res.copied == 0 && res.missing == N);
	assert_true(res.lacking > res.lacking_next && res.lacking_next > 0 && res.room < res.lacking_next);
	assert_int_equal(sh("mount -o remount,size=20m h"), 0);
	res = refill("h", true, NULL);
	assert_true(res.copied == N && !res.full && !res.missing);
	equal("h");
	/* what it lost cannot come back because it is full: then it does not count as being there */
	assert_int_equal(
	    sh("chattr -R -f -i h; cd h/*-*-*-*-*/datasets/d && rm -f $(grep -o 'archives/.*' "
	       "generations/000001/SHA256SUMS | head -n 1); head -c 40m /dev/zero >../../../fill; true"),
	    0);
	res = refill("h", true, NULL);
	assert_true(res.full && !res.copied && res.missing >= 1 && res.damaged == res.missing);
	assert_true(copy(1)->damaged_ns && !copy(1)->verified_ns);
	assert_int_equal(sh("rm h/fill"), 0);
	res = refill("h", true, NULL);
	assert_true(res.copied == res.verified && !res.missing && !copy(1)->damaged_ns);
	assert_int_equal(sh("chattr -R -f -i h; umount h"), 0);
}

/* An archive of several generations rots; one of them is read back. */
static void damage_is_that_of_all_who_share_the_file(void **state)
{
	struct readback *rb = NULL;
	struct medium *m;
	struct err why = ERR_INIT, err = ERR_INIT;
	struct refill_result res;

	(void)state;
	add_medium("i");
	res = refill("i", true, NULL);
	assert_int_equal(res.verified, N);
	/* a file of generation 1 that 2 and 3 list, too */
	assert_int_equal(
	    sh("chattr -R -f -i i; cd i/*-*-*-*-*/datasets/d && f=$(grep -xFf generations/000001/SHA256SUMS "
	       "generations/000003/SHA256SUMS | grep -o 'archives/.*' | head -n 1) && test -n \"$f\" && "
	       "chmod u+w $f && printf X | dd of=$f conv=notrunc bs=1 seek=5000 2>/dev/null"),
	    0);
	m = site_medium("i");
	assert_int_equal(readback_open(repo, m, &rb, &err), 0);
	assert_int_equal(readback_generation(rb, "d", 1, true, &why, &err), READBACK_DAMAGED);
	assert_true(copy(1)->damaged_ns && !copy(1)->verified_ns);
	assert_true(copy(3)->damaged_ns && !copy(3)->verified_ns);
	readback_close(rb);
	/* nobody vouches for it any more */
	assert_int_equal(readback_open(repo, m, &rb, &err), 0);
	assert_int_equal(readback_generation(rb, "d", 3, false, &why, &err), READBACK_DAMAGED);
	readback_close(rb);
	medium_close(m);
}

/* A run died between writing a generation and reading it back: the next run makes up for it. */
static void the_next_run_reads_back_what_was_not(void **state)
{
	const char *uuid = ledger_medium_by_label(state_ledger(repo), "a")->uuid;
	struct err err = ERR_INIT;
	const struct ledger_generation *g;

	(void)state;
	assert_int_equal(state_append(repo, "copied",
			     json_pack("{s:s, s:[{s:s, s:i, s:i, s:i}]}", "medium", uuid, "generations",
				 "dataset", "d", "generation", 2, "files", 1, "bytes", 1),
			     &err),
	    0);
	g = ledger_generation_of(state_ledger(repo), "d", 2);
	assert_int_equal(g->copies[0].verified_ns, 0);
	one_run(N + 1);
	g = ledger_generation_of(state_ledger(repo), "d", 2);
	assert_true(!strcmp(g->copies[0].label, "a") && g->copies[0].verified_ns);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_missing_comes_newest_first),
	    cmocka_unit_test(leftovers_are_read_back),
	    cmocka_unit_test(a_damaged_source_is_passed_over),
	    cmocka_unit_test(what_vanished_is_brought_again),
	    cmocka_unit_test(a_full_medium_says_how_much_is_missing),
	    cmocka_unit_test(damage_is_that_of_all_who_share_the_file),
	    cmocka_unit_test(the_next_run_reads_back_what_was_not),
	};

	return cmocka_run_group_tests(tests, setup, site_teardown);
}
