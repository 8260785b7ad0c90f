/* inventory: every name on a medium is accounted for, in all data sets' folders, or named. */
#include <string.h>

#include "unit.h"
#include "scratch.h"
#include "lib/made.h"

#include "read/vault/vault_r.h"
#include "read/verify/inventory.h"

#define R "m/" MADE_REPO

static int setup(void **state)
{
	if (scratch_setup_memory(state))
		return -1;
	made_begin("m");
	made_generation("m", &(struct made){.dataset = "emr", .number = 1});
	made_generation("m", &(struct made){.dataset = "documents", .number = 1});
	return sh("cp -a m good");
}

static void restore(void)
{
	assert_int_equal(sh("rm -rf m && cp -a good m"), 0);
}

static void note(void *arg, const char *file, enum inventory_kind kind, const struct err *why)
{
	assert_int_equal(buf_printf(arg, NULL, "%s %d %s\n", why->code, (int)kind, file), 0);
	assert_true(strlen(why->msg) > 10);
}

/* What is said, line by line. */
static void look(struct buf *out)
{
	struct vault_r *v = made_open("m");
	STORE_AUTO medium = {0};
	struct err err = ERR_INIT;

	assert_int_equal(store_open_place(in_scratch("m"), &medium, &err), 0);
	if (inventory_check(&medium, v, false, note, out, &err))
		fail_msg("%s %s", err.code, err.msg);
	assert_int_equal(buf_terminate(out, NULL), 0);
	vault_r_close(v);
}

/* n lines, each of them among what is said. */
static void said_is(const char *const *lines, size_t n)
{
	BUF_AUTO out = BUF_INIT(1 << 20);
	char line[600];
	size_t have = 0;

	look(&out);
	for (size_t i = 0; i < out.n; i++)
		have += out.p[i] == '\n';
	for (size_t i = 0; i < n; i++) {
		snprintf(line, sizeof(line), "%s\n", lines[i]);
		if (!strstr((char *)out.p, line))
			fail_msg("%sis not in:\n%s", line, (char *)out.p);
	}
	if (have != n)
		fail_msg("%zu faults where %zu belong:\n%s", have, n, (char *)out.p);
}

static void what_belongs_there_is_not_named(void **state)
{
	(void)state;
	said_is(NULL, 0);
	/* room of later versions and of the site, an empty data set, what was not finished */
	assert_int_equal(
	    sh("cd " R " && mkdir x-site parity policy rotations tmp datasets/emr/parity datasets/emr/x-y "
	       "datasets/new && touch x-site/a tmp/b datasets/emr/parity/c && rm "
	       "datasets/emr/generations/000001/SHA256SUMS.minisig"),
	    0);
	said_is(NULL, 0);
	restore();
}

static void what_is_foreign_is_named(void **state)
{
	static const char *const lines[] = {
	    "W-VERIFY-16 1 note.txt",
	    "W-VERIFY-16 1 " MADE_REPO "/archives",
	    "W-VERIFY-16 1 " MADE_REPO "/generations",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/con",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/latest",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/EMR",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/abcdefghijklmnopqrstuvwxyz0123456",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/a note",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/emr/note",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/emr/archives/abc",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/emr/archives/ab/x.age",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/documents/generations/42",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/documents/generations/000000",
	    "W-VERIFY-16 1 " MADE_REPO "/datasets/documents/generations/000001/places",
	};

	(void)state;
	assert_int_equal(
	    sh("cd m && touch note.txt && cd " MADE_REPO " && mkdir -p archives/ab generations/000001 && "
	       "touch archives/ab/x && cd datasets && mkdir con "
	       "latest EMR abcdefghijklmnopqrstuvwxyz0123456 && touch 'a note' emr/note && mkdir -p "
	       "emr/archives/ab "
	       "emr/archives/abc && touch emr/archives/ab/x.age && cd documents/generations && mkdir 42 "
	       "000000 && touch "
	       "000001/places"),
	    0);
	said_is(lines, sizeof(lines) / sizeof(*lines));
	restore();
}

/* The same question alone: neither damage nor what is missing is told, and a folder that cannot be one is. */
static void what_is_foreign_alone(void **state)
{
	struct vault_r *v;
	STORE_AUTO medium = {0};
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
	    sh("touch m/autorun.inf && rm -f m/README.txt && echo x >" R "/repository.age && ln -s / " R
	       "/datasets/link && mkfifo " R "/datasets/emr/pipe"),
	    0);
	v = made_open("m");
	assert_int_equal(store_open_place(in_scratch("m"), &medium, &err), 0);
	assert_int_equal(inventory_foreign(&medium, v, note, &out, &err), 0);
	assert_int_equal(buf_terminate(&out, NULL), 0);
	vault_r_close(v);
	assert_string_equal((char *)out.p, "W-VERIFY-16 1 autorun.inf\n"
					   "W-VERIFY-16 1 " MADE_REPO "/datasets/emr/pipe\n"
					   "W-VERIFY-16 1 " MADE_REPO "/datasets/link/\n");
	restore();
}

/* What has a data set's name and is no folder is no room for anything. */
static void what_is_no_folder_is_damage(void **state)
{
	static const char *const lines[] = {
	    "E-VERIFY-15 2 " MADE_REPO "/datasets/notes/",
	    "E-VERIFY-15 2 " MADE_REPO "/datasets/link/",
	    "E-VERIFY-15 2 " MADE_REPO "/datasets/emr/archives/ab/",
	};

	(void)state;
	assert_int_equal(sh("cd " R "/datasets && touch notes && ln -s emr link && rm -rf emr/archives/ab && "
			    "touch emr/archives/ab"),
	    0);
	said_is(lines, sizeof(lines) / sizeof(*lines));
	restore();
}

/* A procedure's name may be as long as a sheet's title: 200 bytes and ".html". */
static void a_long_name_is_read(void **state)
{
	static const char dir[] = R "/procedures";
	char name[210], path[400], comment[MINISIG_COMMENT_MAX];
	BUF_AUTO sums = BUF_INIT(65536);
	uint8_t sha256[DIGEST_LEN];

	(void)state;
	memset(name, 'x', 200);
	memcpy(name + 200, ".html", 6);
	assert_int_equal(sh("mkdir %s", dir), 0);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	put_file(path, "page", 4);
	digest_sha256("page", 4, sha256);
	assert_int_equal(generation_sums_add(&sums, sha256, name, NULL), 0);
	snprintf(path, sizeof(path), "%s/SHA256SUMS", dir);
	put_file(path, sums.p, sums.n);
	made_sign(path, &sums, repository_comment("procedures", MADE_REPO, comment));
	said_is(NULL, 0);
	restore();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_belongs_there_is_not_named),
	    cmocka_unit_test(what_is_foreign_is_named),
	    cmocka_unit_test(what_is_foreign_alone),
	    cmocka_unit_test(what_is_no_folder_is_damage),
	    cmocka_unit_test(a_long_name_is_read),
	};

	return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
