/* mirror: only what is signed and whole is copied, as often as it is interrupted; sha256sum and minisign
 * judge. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include <sodium.h>

#include "unit.h"
#include "base/err.h"
#include "format/crypto/minisig.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "read/store/store_dir.h"
#include "scratch.h"
#include "one_generation.h"
#include "write/copies/mirror.h"
#include "vaultdir.h"
#include "write/pack/vault_w.h"

#define LISTED 3 /* documents that SHA256SUMS lists */

static int dirfd_of(const char *name)
{
	int fd = open(in_scratch(name), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

/* Mirrors generation 42; ret_fresh: how many files were written. */
static int mirror_as(const char *from, const char *to, const char *uuid, size_t *ret_fresh, struct err *err)
{
	struct mirror_generation g = {
	    .repository = REPO, .keys = &signer.pub, .n_keys = 1, .dataset = SET, .number = 42, .uuid = uuid};
	uint64_t files = 0;
	struct vault_w *v = NULL;
	struct store from_store;
	int source, target, r;

	assert_int_equal(sh("mkdir -p %s", to), 0);
	source = dirfd_of(from);
	target = dirfd_of(to);
	assert_int_equal(vault_w_open_dir(target, &v, NULL), 0);
	from_store = store_dir_of(source);
	r = mirror_generation(&from_store, v, &g, &files, err);
	vault_w_close(v);
	close(source);
	close(target);
	if (ret_fresh)
		*ret_fresh = (size_t)files;
	return r;
}

static int mirror(const char *from, const char *to, size_t *ret_fresh, struct err *err)
{
	return mirror_as(from, to, UUID, ret_fresh, err);
}

static void complete(const char *to)
{
	assert_int_equal(
	    sh("cd %s/" DIR " && sha256sum --strict --quiet -c generations/000042/SHA256SUMS && "
	       "minisign -V -q -P $(cat ../../../key) -m generations/000042/SHA256SUMS && test $(ls "
	       "generations/000042 | wc -l) = 5",
		to),
	    0);
}

static void nothing_published(const char *to)
{
	assert_int_equal(sh("[ $(ls %s/" DIR "/generations 2>/dev/null | wc -l) = 0 ] && for f in %s/" DIR
			    "/archives/*/*; do [ ! -e $f ] || "
			    "[ $(basename $f) = $(sha256sum <$f | cut -c1-64).age ] || exit 1; done",
			     to, to),
	    0);
}

static void again(const char *dir)
{
	assert_int_equal(sh("chattr -R -i %s 2>/dev/null; rm -rf %s", dir, dir), 0);
}

static void a_generation_is_copied_whole(void **state)
{
	size_t fresh = 0;

	(void)state;
	make_source("src");
	complete("src");
	assert_int_equal(mirror("src", "dst", &fresh, NULL), 0);
	complete("dst");
	assert_int_equal(fresh, N + LISTED);
	assert_int_equal(
	    sh("test $(stat -c %%a dst/" DIR "/archives/*/* dst/" DIR "/generations/*/* | sort -u) = 444"),
	    0);
	/* again: nothing is written */
	assert_int_equal(mirror("src", "dst", &fresh, NULL), 0);
	assert_int_equal(fresh, LISTED);
	again("dst");
}

static void only_what_is_missing_is_copied(void **state)
{
	size_t fresh = 0;

	(void)state;
	assert_int_equal(
	    sh("mkdir -p dst/$(dirname %s) dst/$(dirname %s) && cp src/%s dst/%s && cp src/%s dst/%s && "
	       "stat -c %%i dst/%s dst/%s >inodes",
		paths[0], paths[3], paths[0], paths[0], paths[3], paths[3], paths[0], paths[3]),
	    0);
	assert_int_equal(mirror("src", "dst", &fresh, NULL), 0);
	complete("dst");
	assert_int_equal(fresh, N - 2 + LISTED);
	assert_int_equal(sh("stat -c %%i dst/%s dst/%s | cmp - inodes", paths[0], paths[3]), 0);
	again("dst");
}

/* One byte, one byte less, nothing, not there, something else: each is refused and named, the rest is kept
 * for the next. */
static void a_damaged_source_is_refused_and_another_goes_on(void **state)
{
	static const char *const harm[] = {"printf X | dd of=%s bs=1 seek=150000 conv=notrunc status=none",
	    "truncate -s -1 %s", ": >%s", "rm %s", "rm %s; mkfifo $_", "rm %s; mkdir $_", "printf X >>%s"};
	char line[600], victim[300];

	(void)state;
	assert_int_equal(sh("cp -r src good"), 0);
	snprintf(victim, sizeof(victim), "src/%s", paths[2]);
	for (size_t i = 0; i < sizeof(harm) / sizeof(*harm); i++) {
		struct err err = ERR_INIT;
		size_t fresh = 0;

		snprintf(line, sizeof(line), harm[i], victim);
		assert_int_equal(sh("bash -c '%s'", line), 0);
		assert_int_equal(mirror("src", "dst", &fresh, &err), MIRROR_SOURCE);
		if (!strstr(err.msg, strrchr(paths[2], '/') + 1))
			fail_msg("%s: not named: %s", line, err.msg);
		nothing_published("dst");
		assert_int_equal(mirror("good", "dst", &fresh, &err), 0);
		assert_int_equal(fresh, N - 2 + LISTED); /* two were there from the first attempt */
		complete("dst");
		again("dst");
		assert_int_equal(sh("rm -rf src && cp -r good src"), 0);
	}
}

/* The target has the archive already: what became of the source's is no matter. */
static void what_the_target_has_needs_no_source(void **state)
{
	static const char *const harm[] = {"truncate -s 100 %s", "rm %s"};
	char line[600], victim[300];

	(void)state;
	snprintf(victim, sizeof(victim), "src/%s", paths[2]);
	for (size_t i = 0; i < 2; i++) {
		struct err err = ERR_INIT;

		assert_int_equal(
		    sh("mkdir -p dst/$(dirname %s) && cp src/%s dst/%s", paths[2], paths[2], paths[2]), 0);
		snprintf(line, sizeof(line), harm[i], victim);
		assert_int_equal(sh("%s", line), 0);
		assert_int_equal(mirror("src", "dst", NULL, &err), 0);
		complete("dst");
		again("dst");
		/* but not anything that has its name */
		assert_int_equal(
		    sh("mkdir -p dst/$(dirname %s) && printf half >dst/%s", paths[2], paths[2]), 0);
		assert_int_not_equal(mirror("src", "dst", NULL, &err), 0);
		assert_int_equal(sh("[ $(ls dst/" DIR "/generations 2>/dev/null | wc -l) = 0 ]"), 0);
		again("dst");
		assert_int_equal(sh("rm -rf src && cp -r good src"), 0);
	}
}

static void documents_that_are_not_what_was_signed(void **state)
{
	static const char *const harm[] = {"printf '{}' >manifest.json", "printf rooT >root.age",
	    "rm root.age", "rm SHA256SUMS.minisig", "rm SHA256SUMS", "sed -i s/^./x/ SHA256SUMS",
	    "printf '\\n' >>SHA256SUMS", ": >SHA256SUMS.minisig",
	    "sed -i s/generation=42/generation=43/ SHA256SUMS.minisig",
	    "rm manifest.json; mkfifo manifest.json", "head -c 17000000 /dev/zero >manifest.json"};

	(void)state;
	for (size_t i = 0; i < sizeof(harm) / sizeof(*harm); i++) {
		struct err err = ERR_INIT;

		assert_int_equal(sh("cd src/" DIR "/generations/000042 && %s", harm[i]), 0);
		if (mirror("src", "dst", NULL, &err) != MIRROR_SOURCE)
			fail_msg("%s: %s", harm[i], err.msg);
		assert_true(err.code[0] && err.msg[0]);
		nothing_published("dst");
		again("dst");
		assert_int_equal(sh("rm -rf src && cp -r good src"), 0);
	}
}

static void signed_by_another_or_for_something_else(void **state)
{
	BUF_AUTO sums = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	(void)state;
	get_file("src/" DIR "/generations/000042/SHA256SUMS", &sums);
	sign_list("src", &sums, &stranger, 42, UUID);
	assert_int_equal(mirror("src", "dst", NULL, &err), MIRROR_SOURCE);
	assert_string_equal(err.code, "E-SIG-02");
	sign_list("src", &sums, &signer, 43, UUID);
	assert_int_equal(mirror("src", "dst", NULL, &err), MIRROR_SOURCE);
	assert_string_equal(err.code, "E-MIRROR-02");
	sign_list("src", &sums, &signer, 42, "99999999-8888-4777-8666-abcdefabcde0");
	assert_int_equal(mirror("src", "dst", NULL, &err), MIRROR_SOURCE);
	assert_string_equal(err.code, "E-MIRROR-02");
	sign_list("src", &sums, &signer, 42, UUID);
	assert_int_equal(
	    mirror_as("src", "dst", "99999999-8888-4777-8666-abcdefabcde0", NULL, &err), MIRROR_SOURCE);
	assert_string_equal(err.code, "E-MIRROR-02");
	nothing_published("dst");
	assert_int_equal(mirror("src", "dst", NULL, &err), 0);
	again("dst");
}

/* Well signed, but it does not list its own documents: they would be copied unseen. */
static void a_list_without_the_documents(void **state)
{
	static const char *const others[] = {
	    NULL, "generations/000041/root.age", "generations/000043/root.age"};
	struct err err = ERR_INIT;

	(void)state;
	for (int i = 0; i < 3; i++) {
		BUF_AUTO sums = BUF_INIT(1 << 20);

		assert_int_equal(generation_sums_add(&sums, sums_of[0], paths[0], NULL), 0);
		if (i == 1)
			add_line(&sums, others[i], "root");
		add_line(&sums, "generations/000042/manifest.json", "{}\n");
		if (i)
			add_line(&sums, "generations/000042/places.age", "places");
		if (i == 2)
			add_line(&sums, others[i], "root");
		sign_list("src", &sums, &signer, 42, UUID);
		assert_int_equal(mirror("src", "dst", NULL, &err), MIRROR_SOURCE);
		assert_true(!strcmp(err.code, "E-MIRROR-02") || !strcmp(err.code, "E-GEN-03"));
		nothing_published("dst");
		again("dst");
	}
	assert_int_equal(sh("rm -rf src && cp -r good src"), 0);
}

static void a_target_that_fails_is_the_targets_fault(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
	    sh("mkdir -p dst/" DIR "/generations/000042 && touch dst/" DIR "/generations/000042/other"), 0);
	assert_int_equal(mirror("src", "dst", NULL, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-04");
	again("dst");
	assert_int_equal(sh("mkdir -p dst/$(dirname %s) && printf x >dst/%s", paths[1], paths[1]), 0);
	assert_int_equal(mirror("src", "dst", NULL, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-03");
	again("dst");
	assert_int_equal(mkdir(in_scratch("dst"), 0755), 0);
	if (mount("none", in_scratch("dst"), "tmpfs", 0, "size=800k"))
		skip();
	assert_int_equal(mirror("src", "dst", NULL, &err), -1);
	assert_string_equal(err.code, "E-PUBLISH-02");
	nothing_published("dst");
	assert_int_equal(count_names("dst/tmp"), 0);
	assert_int_equal(umount(in_scratch("dst")), 0);
	again("dst");
}

/* Killed at any moment; the next call goes on, and what was copied is not copied again. */
static void killed_and_continued(void **state)
{
	size_t fresh = 0;
	int had, partly = 0;

	(void)state;
	for (int round = 0; round < 8; round++) {
		pid_t pid = fork();

		if (!pid) {
			struct mirror_generation g = {.repository = REPO,
			    .keys = &signer.pub,
			    .n_keys = 1,
			    .dataset = SET,
			    .number = 42,
			    .uuid = UUID};
			uint64_t files = 0;
			struct vault_w *v = NULL;
			struct store src;

			in_child();
			mkdir(in_scratch("dst"), 0755);
			if (vault_w_open_dir(open(in_scratch("dst"), O_RDONLY), &v, NULL))
				_exit(1);
			src = store_dir_of(open(in_scratch("src"), O_RDONLY));
			_exit(mirror_generation(&src, v, &g, &files, NULL) != 0);
		}
		usleep((useconds_t)(1500 + round * 2000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		assert_int_equal(
		    sh("mkdir -p dst && { [ ! -e dst/" DIR "/generations/000042 ] || { cd dst/" DIR " && "
		       "sha256sum --quiet -c generations/000042/SHA256SUMS; }; }"),
		    0);
		had = sh("exit $(ls dst/" DIR "/archives/*/* 2>/dev/null | wc -l)");
		partly += had > 0 && had < N;
		assert_int_equal(mirror("src", "dst", &fresh, NULL), 0);
		assert_int_equal(fresh, N - (size_t)had + LISTED);
		complete("dst");
		again("dst");
	}
	(void)partly; /* depends on the machine's speed */
}

static void one_archive(void **state)
{
	struct err err = ERR_INIT;
	struct vault_w *v = NULL;
	struct store store;
	int source, target;
	uint8_t unknown[DIGEST_LEN] = {1};

	(void)state;
	assert_int_equal(sh("mkdir one"), 0);
	source = dirfd_of("src");
	store = store_dir_of(source);
	target = dirfd_of("one");
	assert_int_equal(vault_w_open_dir(target, &v, NULL), 0);
	assert_int_equal(mirror_archive(&store, v, SET, sums_of[0], false, &err), 0);
	assert_int_equal(mirror_archive(&store, v, SET, sums_of[0], false, &err), 0);
	assert_int_equal(sh("cmp src/%s one/%s", paths[0], paths[0]), 0);
	assert_int_equal(mirror_archive(&store, v, SET, unknown, false, &err), MIRROR_SOURCE);
	assert_int_equal(count_names("one/tmp"), 0);
	vault_w_close(v);
	close(source);
	close(target);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_generation_is_copied_whole),
	    cmocka_unit_test(only_what_is_missing_is_copied),
	    cmocka_unit_test(a_damaged_source_is_refused_and_another_goes_on),
	    cmocka_unit_test(what_the_target_has_needs_no_source),
	    cmocka_unit_test(documents_that_are_not_what_was_signed),
	    cmocka_unit_test(signed_by_another_or_for_something_else),
	    cmocka_unit_test(a_list_without_the_documents),
	    cmocka_unit_test(a_target_that_fails_is_the_targets_fault),
	    cmocka_unit_test(killed_and_continued),
	    cmocka_unit_test(one_archive),
	};

	return cmocka_run_group_tests(tests, one_generation_setup, scratch_teardown);
}
