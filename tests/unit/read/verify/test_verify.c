/* verify: what is found, and in which order it is said, does not depend on how many threads look; sha256sum
 * judges. */
#include <pthread.h>

#include "unit.h"
#include "site.h"

#include "base/starved.h"
#include "read/vault/vault_r.h"
#include "read/verify/verify.h"

#define SMALL 2000 /* files */
#define LARGE 12

static void make_tree(void)
{
	uint8_t *p = malloc(3 << 20);
	char name[64];

	assert_int_equal(sh("mkdir -p src/small"), 0);
	for (int i = 0; i < SMALL; i++) {
		noise(p, 1500, (uint64_t)i);
		snprintf(name, sizeof(name), "src/small/%05d", i);
		put_file(name, p, (size_t)(i % 1500) + 1);
	}
	for (int i = 0; i < LARGE; i++) {
		noise(p, 1200000, (uint64_t)(SMALL + i));
		snprintf(name, sizeof(name), "src/%02d", i);
		put_file(name, p, 1200000);
	}
	free(p);
}

static int setup(void **state)
{
	if (scratch_setup_memory(state))
		return -1;
	make_tree();
	site_create("s");
	site_add_medium("a", "hdd", false, NULL);
	site_policy(2, "", (const char *const[]){"a", NULL});
	site_run();
	site_close();
	return sh("chattr -R -f -i a; chmod -R u+w a && cp -a a good");
}

/* ---- everything that is said, as a text ---- */

struct said {
	struct buf text;
	pthread_t who;
	uint64_t progress;
};

static void on_fault(void *arg, const struct verify_fault *f)
{
	struct said *s = arg;

	assert_true(pthread_equal(pthread_self(), s->who));
	assert_int_equal(buf_printf(&s->text, NULL, "%s|%s|%s|%s|%s\n", f->err->code, f->file ? f->file : "",
			     f->dataset ? f->dataset : "", f->path ? f->path : "", f->err->msg),
	    0);
}

static bool memory_ends; /* while it is read */

static void on_progress(void *arg, uint64_t done, uint64_t total, const char *file)
{
	struct said *s = arg;

	(void)total;
	assert_true(pthread_equal(pthread_self(), s->who) && done >= s->progress && *file);
	s->progress = done;
	starved_calls_of_all += memory_ends;
}

static struct verify_result look(const struct verify_options *opt, struct said *s)
{
	struct verify_callbacks cb = {on_fault, on_progress, s};
	struct verify_result res;
	struct vault_r *v = NULL;
	struct err err = ERR_INIT;

	buf_init(&s->text, (size_t)64 << 20);
	s->who = pthread_self();
	s->progress = 0;
	if (vault_r_open(in_scratch("a"), NULL, NULL, &v, &err) ||
	    verify_generation(v, "d", 1, opt, &cb, &res, &err))
		fail_msg("%s %s", err.code, err.msg);
	vault_r_close(v);
	assert_int_equal(buf_printf(&s->text, NULL,
			     "files %ju bytes %ju seen %ju faults %ju archives %ju chunks %ju "
			     "entries %ju bad %ju\n",
			     res.files, res.bytes, res.seen, res.faults, res.archives, res.chunks,
			     res.entries, res.entries_bad),
	    0);
	assert_int_equal(buf_terminate(&s->text, NULL), 0);
	return res;
}

/* The same for any number of threads on any device; returns one of the results. */
static struct verify_result look_every_way(bool deep, struct said *ret)
{
	static const unsigned threads[] = {1, 3, 40};
	static const enum rotational spindles[] = {ROTATIONAL_MEMORY, ROTATIONAL_NONE, ROTATIONAL_ONE};
	struct verify_result res = {0};
	bool first = true;

	for (size_t s = 0; s < 3; s++)
		for (size_t t = 0; t < 3; t++) {
			struct verify_options opt = {.ids = &identity,
			    .n_ids = deep,
			    .threads = threads[t],
			    .rotational = spindles[s],
			    .from_device = t % 2};
			struct said said;

			res = look(&opt, &said);
			if (!first) {
				assert_string_equal((char *)said.text.p, (char *)ret->text.p);
				buf_free(&said.text);
			} else {
				*ret = said;
				first = false;
			}
		}
	return res;
}

/* How many files of generation 1 sha256sum does not find as they were signed. */
static int sha256sum_bad(void)
{
	return sh("cd a/*-*-*-*-*/datasets/d && exit $(sha256sum -c generations/000001/SHA256SUMS "
		  "2>/dev/null | grep "
		  "-c FAILED)");
}

static void restore(void)
{
	assert_int_equal(sh("rm -rf a && cp -a good a"), 0);
}

static void a_whole_one_is_whole(void **state)
{
	struct verify_result res;
	struct said said;

	(void)state;
	res = look_every_way(false, &said);
	assert_int_equal(res.faults, 0);
	assert_int_equal(
	    res.files, sh("exit $(cat a/*-*-*-*-*/datasets/d/generations/000001/SHA256SUMS | wc -l)"));
	assert_true(res.files > 8);
	buf_free(&said.text);
	res = look_every_way(true, &said);
	assert_int_equal(res.faults, 0);
	assert_int_equal(res.entries, SMALL + LARGE + 2);
	buf_free(&said.text);
}

/* Files in the middle of the list: turned bits, cut off, another one's bytes, gone. */
static void damage_is_named_the_same_by_any_number(void **state)
{
	struct verify_result res;
	struct said said;

	(void)state;
	assert_int_equal(
	    sh("cd a/*-*-*-*-*/datasets/d && set -- $(ls -S archives/*/*) && for at in 5000 70000 700000; do "
	       "printf XY | dd "
	       "of=$1 bs=1 seek=$at conv=notrunc status=none; done; shift; printf XXXXXXXX | dd of=$1 bs=1 "
	       "seek=$(($(stat -c "
	       "%%s $1) - 700)) conv=notrunc status=none; shift; truncate -s 500000 $1; shift; cat $1 >$2;"
	       " shift 2; rm $1; shift; printf XXXXXXXX | dd of=$1 bs=1 seek=20 conv=notrunc status=none"),
	    0);
	res = look_every_way(false, &said);
	assert_int_equal(res.faults, sha256sum_bad());
	assert_int_equal(res.faults, 6);
	buf_free(&said.text);
	res = look_every_way(true, &said);
	assert_true(res.faults > 6 && res.entries_bad > 0);
	assert_non_null(strstr((char *)said.text.p, "E-VERIFY-01"));
	assert_non_null(strstr((char *)said.text.p, "E-VERIFY-02"));
	assert_non_null(strstr((char *)said.text.p, ", chunk 0 at offset 512: "));
	buf_free(&said.text);
	restore();
}

/* What the hash says stands before what was found inside, whatever comes to light first. */
static void the_hash_speaks_first(void **state)
{
	struct verify_options opt = {.ids = &identity, .n_ids = 1, .threads = 2};
	struct said said;
	char *hash, *inside;

	(void)state;
	assert_int_equal(
	    sh("cd a/*-*-*-*-*/datasets/d && set -- $(ls -S archives/*/*) && printf XY | dd of=$1 bs=1 "
	       "seek=70000 conv=notrunc "
	       "status=none"),
	    0);
	look(&opt, &said);
	hash = strstr((char *)said.text.p, "E-VERIFY-02");
	inside = strstr((char *)said.text.p, "E-AGE-04");
	assert_true(hash && inside && hash < inside);
	buf_free(&said.text);
	restore();
}

/* memory:verify:alloc:16558:ENOMEM: what a thread without memory took for damage was recorded as such */
static void what_was_read_without_memory_proves_nothing(void **state)
{
	struct verify_options opt = {.ids = &identity, .n_ids = 1, .threads = 2};
	struct verify_result res;
	struct said said;

	(void)state;
	assert_int_equal(
	    sh("cd a/*-*-*-*-*/datasets/d && set -- $(ls -S archives/*/*) && printf XY | dd of=$1 bs=1 "
	       "seek=70000 conv=notrunc status=none"),
	    0);
	memory_ends = true;
	res = look(&opt, &said);
	memory_ends = false;
	assert_true(res.faults && res.unread == res.faults);
	assert_non_null(strstr((char *)said.text.p, "E-MEM-01"));
	assert_null(strstr((char *)said.text.p, "E-VERIFY-02"));
	buf_free(&said.text);
	res = look(&opt, &said);
	assert_true(res.faults && !res.unread);
	buf_free(&said.text);
	restore();
}

/* A set of files seen: what was read once is not read again, what was bad is said again. */
static void what_was_seen_is_not_read_again(void **state)
{
	struct verify_seen *seen = verify_seen_new();
	struct verify_options opt = {.threads = 3, .seen = seen};
	struct verify_result once, twice;
	struct said said;

	(void)state;
	assert_int_equal(sh("cd a/*-*-*-*-*/datasets/d && rm $(ls archives/*/* | head -n 3 | tail -n 1)"), 0);
	once = look(&opt, &said);
	buf_free(&said.text);
	twice = look(&opt, &said);
	assert_true(once.faults == 1 && twice.faults == 1 && !twice.files && !twice.bytes &&
		    twice.seen == once.files);
	assert_non_null(strstr((char *)said.text.p, "as said before"));
	buf_free(&said.text);
	verify_seen_free(seen);
	restore();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_one_is_whole),
	    cmocka_unit_test(damage_is_named_the_same_by_any_number),
	    cmocka_unit_test(the_hash_speaks_first),
	    cmocka_unit_test(what_was_read_without_memory_proves_nothing),
	    cmocka_unit_test(what_was_seen_is_not_read_again),
	};

	return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
