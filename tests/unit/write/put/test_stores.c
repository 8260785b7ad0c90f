/* Kinds of store: what each of them must do, a folder and one in memory; and what the code above does when a store fails, lies, is slow or
 * full.  sha256sum and diff judge what arrived. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include <sodium.h>

#include "scratch.h"
#include "memstore.h"
#include "one_generation.h"
#include "format/crypto/age.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "read/file/ahead.h"
#include "read/vault/medium.h"
#include "read/verify/verify.h"
#include "write/copies/mirror.h"
#include "write/media/medium_docs.h"
#include "write/media/medium_w.h"
#include "write/state/state.h"
#include "write/pack/vault_w.h"

static struct store folder(const char *name)
{
	struct store s = {0};

	assert_int_equal(sh("mkdir -p %s", name), 0);
	assert_int_equal(store_dir_open(in_scratch(name), &s, NULL), 0);
	return s;
}

/* ---- what every kind must do ---- */

static int add_name(void *arg, const char *name, struct err *err)
{
	return buf_printf(arg, err, "%s ", name);
}

static void names_are(const struct store *s, const char *dir, const char *names)
{
	BUF_AUTO b = BUF_INIT(4096);

	assert_int_equal(store_list(s, dir, add_name, &b, NULL), 0);
	assert_int_equal(buf_terminate(&b, NULL), 0);
	assert_string_equal((char *)b.p, names);
}

static void holds(const struct store *s, const char *path, const char *bytes)
{
	BUF_AUTO b = BUF_INIT(1000);
	uint64_t size;

	assert_int_equal(store_read(s, path, &b, NULL), 0);
	assert_int_equal(b.n, strlen(bytes));
	assert_memory_equal(b.p, bytes, b.n);
	assert_int_equal(store_size(s, path, &size, NULL), 0);
	assert_int_equal(size, b.n);
	assert_true(store_has(s, path));
}

static int publish(struct store_w *w, const char *path, const char *bytes)
{
	struct store_staged *f = NULL;

	assert_int_equal(store_w_stage(w, &f, NULL), 0);
	assert_int_equal(store_w_append(w, f, bytes, strlen(bytes), NULL), 0);
	assert_int_equal(f->size, strlen(bytes));
	return store_w_publish(w, f, path, NULL);
}

static void put_all(const struct store *s)
{
	static const char *const folders[] = {"generations"};
	const struct store_doc docs[] = {{"one", "1", 1}, {"two", "22", 2}};
	struct store_staged *f = NULL;
	struct store_w *w = NULL;

	assert_int_equal(store_w_open(s, folders, 1, &w, NULL), 0);
	assert_int_equal(publish(w, "archives/ab/x", "bytes of x"), 0);
	assert_int_equal(publish(w, "archives/ab/y", "y"), 0);
	assert_int_equal(publish(w, "archives/ab/x", "others"), STORE_W_TAKEN);
	holds(&w->reads, "archives/ab/x", "bytes of x");
	assert_int_equal(store_w_settle(s, "archives/ab/x", NULL), 0);
	assert_int_equal(store_w_publish_group(w, "generations/000001", docs, 2, NULL), 0);
	assert_int_equal(store_w_publish_group(w, "generations/000001", docs, 1, NULL), STORE_W_TAKEN);
	assert_int_equal(store_w_replace(s, "journal/j", 0644, "old", 3, NULL), 0);
	assert_int_equal(store_w_stage(w, &f, NULL), 0);
	assert_int_equal(store_w_append(w, f, "new one", 7, NULL), 0);
	assert_int_equal(store_w_replace_staged(w, f, "journal/j", 0644, NULL), 0);
	assert_int_equal(store_w_stage(w, &f, NULL), 0);
	store_w_discard(w, f);
	store_w_reserve(w, 1000);
	assert_int_equal(store_w_release(w, NULL), 0);
	store_w_close(w);
}

/* Without a handle. */
static void put_papers(const struct store *s)
{
	assert_int_equal(store_w_make_folder(s, "tools", NULL), 0);
	assert_int_equal(store_w_add(s, "paper", "one", 3, NULL), 0);
	assert_int_equal(store_w_add(s, "paper", "two", 3, NULL), -1);
	holds(s, "paper", "one");
	assert_true(store_w_holds(s, "paper", 0444, "one", 3));
	assert_false(store_w_holds(s, "paper", 0444, "two", 3) || store_w_holds(s, "paper", 0444, "on", 2) ||
		     store_w_holds(s, "none", 0444, "", 0));
	assert_int_equal(store_w_replace(s, "tools/list.next", 0444, "x", 1, NULL), 0);
	assert_int_equal(store_w_withdraw(s, "tools/list.next", NULL), 0);
	assert_int_equal(store_w_withdraw(s, "tools/list.next", NULL), 0);
	assert_int_equal(store_w_withdraw(s, "nowhere/list.next", NULL), 0);
	assert_false(store_has(s, "tools/list.next"));
	assert_int_equal(store_w_replace(s, "journal/bad", 0644, "bad", 3, NULL), 0);
	assert_int_equal(store_w_set_aside(s, "journal/bad", "journal/j", NULL), -1);
	assert_int_equal(store_w_set_aside(s, "journal/bad", "journal/kept", NULL), 0);
	holds(s, "journal/kept", "bad");
	names_are(s, "journal", "j kept ");
}

static void read_all(const struct store *s)
{
	STORE_FILE_AUTO f = {0};
	struct store below = {0};
	BUF_AUTO small = BUF_INIT(4);
	struct err err = ERR_INIT;
	char part[20];
	uint64_t size;

	names_are(s, "archives/ab/", "x y ");
	names_are(s, "generations/000001", "one two ");
	holds(s, "generations/000001/two", "22");
	holds(s, "journal/j", "new one");
	assert_int_equal(store_below(s, "archives/ab", &below, NULL), 0);
	holds(&below, "y", "y");
	names_are(&below, "", "x y ");
	store_close(&below);
	assert_int_equal(store_open(s, "archives/ab/x", &f, NULL), 0);
	assert_int_equal(f.size, 10);
	assert_int_equal(store_read_full(&f, part, 5, 6), 4);
	assert_memory_equal(part, "of x", 4);
	assert_int_equal(store_read_full(&f, part, 5, 10), 0);
	/* what is not there, is no file, or is too much */
	assert_int_equal(store_size(s, "archives/ab/z", &size, &err), STORE_ABSENT);
	assert_int_equal(err.errnum, ENOENT);
	assert_int_equal(store_read(s, "nowhere/z", &small, NULL), STORE_ABSENT);
	assert_int_equal(store_list(s, "nowhere", add_name, &small, NULL), STORE_ABSENT);
	assert_int_equal(store_below(s, "nowhere", &below, NULL), STORE_ABSENT);
	assert_int_not_equal(store_open(s, "archives/ab", &f, NULL), 0);
	assert_false(store_has(s, "archives/ab/z"));
	assert_int_equal(store_read(s, "archives/ab/x", &small, &err), -1);
	assert_int_equal(err.kind, ERR_LARGE);
}

static void remove_all(const struct store *s)
{
	uint64_t files = 0, bytes = 0;
	struct store_x *x = NULL;

	assert_int_equal(store_x_open(s, &x, NULL), 0);
	assert_int_equal(store_x_remove(x, "archives/ab/x", &files, &bytes, NULL), 0);
	assert_int_equal(store_x_remove(x, "archives/ab/x", &files, &bytes, NULL), 0);
	assert_int_equal(files, 1);
	assert_int_equal(bytes, 10);
	names_are(s, "archives/ab", "y ");
	assert_int_equal(store_x_retire(x, "generations/000009", "tmp/expired-000009", NULL), 0);
	assert_int_equal(store_x_retire(x, "generations/000001", "tmp/expired-000001", NULL), 0);
	assert_false(store_has(s, "generations/000001"));
	names_are(s, "tmp/expired-000001", "one two ");
	assert_int_equal(store_x_remove(x, "tmp/expired-000001/one", &files, &bytes, NULL), 0);
	assert_int_equal(store_x_remove(x, "tmp/expired-000001/two", &files, &bytes, NULL), 0);
	assert_int_equal(store_x_sync(x, NULL), 0);
	assert_int_equal(store_x_drop(x, "tmp/expired-000001", NULL), 0);
	assert_false(store_has(s, "tmp/expired-000001"));
	assert_int_equal(files, 3);
	store_x_close(x);
}

static void every_kind_keeps_the_contract(void **state)
{
	struct memstore *m = memstore_new();
	struct store kinds[] = {folder("contract"), memstore_open(m)};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		put_all(&kinds[i]);
		put_papers(&kinds[i]);
		read_all(&kinds[i]);
		remove_all(&kinds[i]);
		store_close(&kinds[i]);
	}
	memstore_free(m);
}

static void an_unknown_kind_is_refused(void **state)
{
	const struct store_kind other = {0};
	const struct store s = {.kind = &other};
	struct store_w *w;
	struct store_x *x;

	(void)state;
	assert_int_equal(store_w_open(&s, NULL, 0, &w, NULL), -1);
	assert_int_equal(store_w_replace(&s, "x", 0444, "", 0, NULL), -1);
	assert_int_equal(store_w_add(&s, "x", "", 0, NULL), -1);
	assert_int_equal(store_w_make_folder(&s, "x", NULL), -1);
	assert_int_equal(store_w_withdraw(&s, "x.next", NULL), -1);
	assert_int_equal(store_x_open(&s, &x, NULL), -1);
}

/* Who removes must not conclude anything from what lies in a mount or behind a link. */
static void a_folder_that_is_not_the_stores_own(void **state)
{
	STORE_AUTO s = folder("own");
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(sh("mkdir own/generations own/elsewhere && ln -s elsewhere own/archives"), 0);
	assert_int_equal(store_x_own(&s, "generations", &err), 0);
	assert_int_equal(store_x_own(&s, "archives", &err), -1);
	assert_int_equal(store_x_own(&s, "nowhere", &err), -1);
	if (sh("mount -t tmpfs none own/generations 2>/dev/null"))
		return; /* not root */
	assert_int_equal(store_x_own(&s, "generations", &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-06");
	assert_int_equal(sh("umount own/generations"), 0);
}

/* ---- a generation, from store to store ---- */

static int copy_generation(const struct store *from, const struct store *to, struct err *err)
{
	struct mirror_generation g = {
	    .repository = REPO, .keys = &signer.pub, .n_keys = 1, .dataset = SET, .number = 42, .uuid = UUID};
	struct vault_w *v = NULL;
	uint64_t files = 0;
	int r = vault_w_open(to, &v, err) ? -1 : mirror_generation(from, v, &g, &files, err);

	vault_w_close(v);
	return r;
}

static void put_below(void *arg, const char *path, const void *p, size_t n)
{
	char name[1200];

	assert_int_equal(sh("mkdir -p $(dirname '%s/%s')", (const char *)arg, path), 0);
	snprintf(name, sizeof(name), "%s/%s", (const char *)arg, path);
	put_file(name, p, n);
}

/* What stands in the memory, for sha256sum: each archive is what its name says, and a generation that is signed is whole. */
static void nothing_half(const struct memstore *m)
{
	assert_int_equal(sh("rm -rf out && mkdir out"), 0);
	memstore_each(m, put_below, "out");
	assert_int_equal(sh("[ ! -e out/" DIR " ] || cd out/" DIR
			    " && for a in $(find archives -type f 2>/dev/null); do echo \"$(basename "
			    "$a .age)  $a\"; done |"
			    " sha256sum --quiet -c - 2>/dev/null || [ ! -e archives ]"),
	    0);
	assert_int_equal(
	    sh("[ ! -e out/" DIR " ] || cd out/" DIR " && { [ ! -e generations/000042/SHA256SUMS.minisig ] ||"
	       " sha256sum --quiet -c generations/000042/SHA256SUMS; }"),
	    0);
}

static void whole(const struct memstore *m)
{
	assert_int_equal(sh("rm -rf out && mkdir out"), 0);
	memstore_each(m, put_below, "out");
	assert_int_equal(sh("diff -r src out"), 0);
}

static void passes_through_memory(void **state)
{
	struct memstore *m = memstore_new();
	STORE_AUTO src = folder("src"), mem = memstore_open(m), dst = folder("dst");

	(void)state;
	assert_int_equal(copy_generation(&src, &mem, NULL), 0);
	whole(m);
	assert_int_equal(copy_generation(&mem, &dst, NULL), 0);
	assert_int_equal(sh("rmdir dst/tmp && diff -r src dst"), 0);
	memstore_free(m);
}

/* Every operation of copying into a store fails, once and from then on. */
static void fails_anywhere(void **state)
{
	static const int errors[] = {EIO, ENOSPC};
	STORE_AUTO src = folder("src");
	unsigned long ops, failed = 0;
	struct memstore *m = memstore_new();
	struct store mem = memstore_open(m);

	(void)state;
	memstore_plan(m, MEM_GOOD, 0, false, 0);
	assert_int_equal(copy_generation(&src, &mem, NULL), 0);
	ops = m->ops;
	assert_true(ops > 20);
	for (unsigned long k = 0; k < 2 * ops; k++) {
		struct err err = ERR_INIT;
		int r;

		store_close(&mem);
		memstore_free(m);
		m = memstore_new();
		mem = memstore_open(m);
		memstore_plan(m, MEM_FAIL, k / 2 + 1, k % 2, errors[k / 2 % 2]);
		r = copy_generation(&src, &mem, &err);
		nothing_half(m);
		if (r) {
			assert_true(err.code[0] && err.msg[0]);
			assert_int_equal(r, -1); /* the target is at fault, and it is said so */
			failed++;
		} else {
			whole(m); /* what it said it did */
		}
		memstore_plan(m, MEM_GOOD, 0, false, 0);
		assert_int_equal(copy_generation(&src, &mem, NULL), 0); /* it goes on where it was */
		whole(m);
	}
	assert_true(failed > ops / 2);
	store_close(&mem);
	memstore_free(m);
}

/* A store that gives other bytes than it was given: nothing of them gets any further. */
static void lies_when_it_is_read(void **state)
{
	struct memstore *m = memstore_new();
	STORE_AUTO src = folder("src"), mem = memstore_open(m);
	unsigned long ops, refused = 0;

	(void)state;
	assert_int_equal(copy_generation(&src, &mem, NULL), 0);
	{
		STORE_AUTO dst = folder("honest");

		memstore_plan(m, MEM_GOOD, 0, false, 0);
		assert_int_equal(copy_generation(&mem, &dst, NULL), 0);
		ops = m->ops;
	}
	for (unsigned long k = 1; k <= ops; k++) {
		STORE_AUTO dst = folder("lied");
		struct err err = ERR_INIT;
		int r;

		memstore_plan(m, MEM_LIE, k, false, 0);
		r = copy_generation(&mem, &dst, &err);
		assert_true(!r || (r == MIRROR_SOURCE && err.code[0]));
		refused += r != 0;
		if (!r)
			assert_int_equal(sh("rmdir lied/tmp && diff -r src lied"), 0);
		assert_int_equal(sh("%s/lib/rmtree.sh %s/lied", TEST_DATA, scratch), 0);
	}
	assert_true(refused >= N + 4); /* each archive and each document */
	memstore_free(m);
}

/* A store that says yes and keeps nothing: who reads it back sees it, and what is missing is brought again. */
static void lies_when_it_is_put(void **state)
{
	STORE_AUTO src = folder("src");
	unsigned long ops, seen = 0;
	struct memstore *m = memstore_new();
	struct store mem = memstore_open(m);

	(void)state;
	memstore_plan(m, MEM_GOOD, 0, false, 0);
	assert_int_equal(copy_generation(&src, &mem, NULL), 0);
	ops = m->ops;
	for (unsigned long k = 1; k <= ops; k++) {
		bool lacks = false;

		store_close(&mem);
		memstore_free(m);
		m = memstore_new();
		mem = memstore_open(m);
		memstore_plan(m, MEM_LIE, k, false, 0);
		(void)!copy_generation(&src, &mem, NULL);
		memstore_plan(m, MEM_GOOD, 0, false, 0);
		for (int i = 0; i < N; i++)
			lacks |= verify_file(&mem, paths[i], sums_of[i], true, NULL, NULL) == VERIFY_ABSENT;
		seen += lacks;
		assert_int_equal(copy_generation(&src, &mem, NULL), 0);
		whole(m);
	}
	assert_int_equal(seen, N);
	store_close(&mem);
	memstore_free(m);
}

static void is_full(void **state)
{
	STORE_AUTO src = folder("src");

	(void)state;
	for (size_t capacity = 1; capacity < N * SIZE + 5000; capacity += 70001) {
		struct memstore *m = memstore_new();
		STORE_AUTO mem = memstore_open(m);
		struct err err = ERR_INIT;
		int r;

		m->capacity = capacity;
		r = copy_generation(&src, &mem, &err);
		assert_true(!r || (r == -1 && err_is_full(&err)));
		nothing_half(m);
		m->capacity = 0;
		assert_int_equal(copy_generation(&src, &mem, NULL), 0);
		whole(m);
		memstore_free(m);
	}
}

/* Read ahead by a thread, part by part, from a store that takes its time. */
static void is_slow(void **state)
{
	const size_t size = 3 * AHEAD_PART + 12345;
	uint8_t *made = malloc(size), *p;
	struct memstore *m = memstore_new();
	STORE_AUTO mem = memstore_open(m);
	struct ahead *a = ahead_new(true);

	(void)state;
	noise(made, size, 5);
	assert_int_equal(store_w_replace(&mem, "file", 0444, made, size, NULL), 0);
	m->slow_us = 3000;
	for (int from_device = 0; from_device < 2; from_device++) {
		STORE_FILE_AUTO f = {0};
		size_t at = 0;
		ssize_t n;

		assert_int_equal(store_open(&mem, "file", &f, NULL), 0);
		ahead_begin(a, &f, from_device);
		for (; (n = ahead_next(a, &p)) > 0; at += (size_t)n)
			assert_memory_equal(p, made + at, (size_t)n);
		assert_int_equal(n, 0);
		assert_int_equal(at, size);
		ahead_end(a);
	}
	ahead_free(a);
	memstore_free(m);
	free(made);
}

/* ---- a medium ---- */

static struct state *host(void)
{
	struct age_identity id;
	struct age_recipient pub;
	struct state *s = NULL;

	age_identity_generate(state_random(), &id);
	assert_int_equal(age_identity_recipient(&id, &pub), 0);
	assert_int_equal(state_create(in_scratch("state"), "site", &pub, 1, NULL), 0);
	assert_int_equal(state_open(in_scratch("state"), &s, NULL), 0);
	return s;
}

/* Made a medium, opened, given its README.txt.  0, -1. */
static int make_medium(struct state *s, struct err *err)
{
	struct medium_expect want = {.repository = state_repository(s)};
	const struct policy policy = {.site_name = (char *)"site"};
	const struct medium_docs_sources from = {.version = "1"};
	struct medium_docs_result docs;
	struct medium *m = NULL;
	char uuid[JOURNAL_UUID];
	int r;

	if (medium_w_register(s, "mem:", "OBJ-01", "object", uuid, err) < 0)
		return -1;
	want.uuid = uuid;
	want.keys = state_keys(s, &want.n_keys);
	r = medium_open("mem:", &want, &m, err) ? -1 : 0;
	if (!r)
		r = medium_docs_put(s, &policy, m, &from, &docs, NULL, NULL, err);
	medium_close(m);
	return r;
}

/* Whatever fails, what is said to be a medium is one, and the same command again makes it whole. */
static void is_a_medium(void **state)
{
	struct state *s = host();
	unsigned long ops, failed = 0;

	(void)state;
	memstore_place = memstore_new();
	assert_int_equal(make_medium(s, NULL), 0);
	ops = memstore_place->ops;
	assert_true(ops > 20);
	for (unsigned long k = 0; k < 2 * ops; k++) {
		struct err err = ERR_INIT;
		int r;

		memstore_free(memstore_place);
		memstore_place = memstore_new();
		memstore_plan(memstore_place, MEM_FAIL, k / 2 + 1, k % 2, EIO);
		r = make_medium(s, &err);
		assert_true(!r || (err.code[0] && err.msg[0]));
		failed += r != 0;
		memstore_plan(memstore_place, MEM_GOOD, 0, false, 0);
		assert_int_equal(make_medium(s, NULL), 0);
		STORE_AUTO mem = memstore_open(memstore_place);
		assert_true(store_has(&mem, "README.txt") && store_has(&mem, "README.txt.minisig"));
		assert_false(store_has(&mem, "README.txt.next"));
		names_are(&mem, state_repository(s),
		    "keys keys.jsonl repository.age repository.json repository.json.minisig ");
	}
	assert_true(failed > ops / 2);
	memstore_free(memstore_place);
	state_close(s);
}

static int setup(void **state)
{
	if (sodium_init() < 0 || one_generation_setup(state))
		return -1;
	make_source("src");
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_kind_keeps_the_contract),
	    cmocka_unit_test(an_unknown_kind_is_refused),
	    cmocka_unit_test(a_folder_that_is_not_the_stores_own),
	    cmocka_unit_test(passes_through_memory),
	    cmocka_unit_test(fails_anywhere),
	    cmocka_unit_test(lies_when_it_is_read),
	    cmocka_unit_test(lies_when_it_is_put),
	    cmocka_unit_test(is_full),
	    cmocka_unit_test(is_slow),
	    cmocka_unit_test(is_a_medium),
	};

	return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
