/* verify: a generation is one data set's, files are named from the repository's folder, and nothing in another data set's folder
 * stands for what is missing in its own. */
#include <string.h>

#include "unit.h"
#include "scratch.h"
#include "lib/made.h"

#include "read/vault/vault_r.h"
#include "read/verify/verify.h"

#define SETS "m/" MADE_REPO "/datasets"

static int setup(void **state)
{
	if (scratch_setup_memory(state))
		return -1;
	made_begin("m");
	for (uint64_t n = 1; n <= 2; n++) {
		made_generation("m", &(struct made){.dataset = "emr", .number = n});
		made_generation("m", &(struct made){.dataset = "documents", .number = n});
	}
	made_generation("m", &(struct made){.dataset = "emr", .number = 3, .index_dataset = "documents"});
	return sh("cp -a m good");
}

static void restore(void)
{
	assert_int_equal(sh("rm -rf m && cp -a good m"), 0);
}

static struct buf said = BUF_INIT(1 << 20);

static void on_fault(void *arg, const struct verify_fault *f)
{
	(void)arg;
	assert_int_equal(buf_printf(&said, NULL, "%s|%s|%s|%s|%s\n", f->err->code, f->file ? f->file : "",
			     f->dataset ? f->dataset : "", f->path ? f->path : "", f->err->msg),
	    0);
}

static void on_progress(void *arg, uint64_t done, uint64_t total, const char *file)
{
	(void)done, (void)total;
	assert_int_equal(strncmp(file, "datasets/", 9), 0);
	assert_int_equal(strncmp(file + 9, arg, strlen(arg)), 0);
}

static struct verify_result look(const char *dataset, uint64_t number, bool deep, struct verify_seen *seen,
    const struct verify_record *record)
{
	struct verify_callbacks cb = {on_fault, on_progress, (void *)(uintptr_t)dataset};
	struct verify_options opt = {.ids = &made_id,
	    .n_ids = deep,
	    .threads = 2,
	    .seen = seen,
	    .record = record,
	    .from_device = deep};
	struct vault_r *v = made_open("m");
	struct verify_result res = {0};
	struct err err = ERR_INIT;

	said.n = 0;
	if (verify_generation(v, dataset, number, &opt, &cb, &res, &err))
		fail_msg("%s %s", err.code, err.msg);
	assert_int_equal(buf_terminate(&said, NULL), 0);
	vault_r_close(v);
	return res;
}

static void says(const char *word)
{
	if (!strstr((char *)said.p, word))
		fail_msg("'%s' is not in: %s", word, (char *)said.p);
}

static void a_whole_one_is_whole(void **state)
{
	struct verify_result res = look("emr", 1, false, NULL, NULL);

	(void)state;
	if (said.n)
		fail_msg("%s", (char *)said.p);
	assert_int_equal(res.files, 4); /* an archive and three documents */
	res = look("documents", 2, true, NULL, NULL);
	if (said.n)
		fail_msg("%s", (char *)said.p);
	assert_true(res.files == 4 && res.archives == 1 && res.chunks == 3 && res.entries == 1);
}

static void what_is_missing_is_named_from_the_repositorys_folder(void **state)
{
	struct verify_result res;

	(void)state;
	assert_int_equal(sh("cd " SETS " && rm emr/generations/000001/places.age && printf x "
			    ">>emr/generations/000001/root.age"),
	    0);
	res = look("emr", 1, false, NULL, NULL);
	assert_int_equal(res.faults, 2);
	says("E-VERIFY-01|datasets/emr/generations/000001/places.age|||'datasets/emr/generations/000001/"
	     "places.age' is "
	     "missing");
	says("E-VERIFY-02|datasets/emr/generations/000001/root.age|");
	restore();
	/* the same bytes in another data set's folder do not count */
	assert_int_equal(
	    sh("cd " SETS " && cp -a emr/archives/* documents/archives && rm -r emr/archives"), 0);
	res = look("emr", 1, false, NULL, NULL);
	assert_int_equal(res.faults, 1);
	says("E-VERIFY-01|datasets/emr/archives/");
	res = look("emr", 1, true, NULL, NULL);
	assert_true(res.faults >= 2);
	says("E-VERIFY-01|datasets/emr/archives/");
	says("E-ARCHIVE-12|");
	assert_int_equal(look("documents", 1, true, NULL, NULL).faults, 0);
	restore();
}

static void none_passes_for_anothers(void **state)
{
	(void)state;
	assert_int_equal(
	    sh("cd " SETS " && cp -a emr/generations/000002 documents/generations/000003 && cp -a "
	       "emr/generations/000002 documents/generations/000002.x && rm -r documents/generations/000002 "
	       "&& "
	       "mv documents/generations/000002.x documents/generations/000002"),
	    0);
	assert_int_equal(look("documents", 2, false, NULL, NULL).faults, 1);
	says("E-VAULT-06|datasets/documents/generations/000002|");
	says("emr@2");
	assert_int_equal(look("documents", 3, false, NULL, NULL).faults, 1);
	says("E-VAULT-06|datasets/documents/generations/000003|");
	assert_int_equal(look("images", 1, false, NULL, NULL).faults, 1);
	says("E-VAULT-04|datasets/images/generations/000001|");
	restore();
}

/* Right in all hashes: only who decrypts it sees whose it is. */
static void an_archive_of_another_data_set(void **state)
{
	(void)state;
	assert_int_equal(look("emr", 3, false, NULL, NULL).faults, 0);
	assert_true(look("emr", 3, true, NULL, NULL).faults > 0);
	says("E-ARCHIVE-02|datasets/emr/archives/");
}

/* What was found whole in one data set's folder says nothing of the file of the same hash in another's: not even where both lists are
 * signed, as by who has a night's key. */
static void the_same_archive_elsewhere_is_read_too(void **state)
{
	struct verify_seen *seen = verify_seen_new();
	struct vault_r_generation *g = NULL;
	struct vault_r *v = made_open("m");
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	size_t pos = 0;

	(void)state;
	assert_int_equal(vault_r_generation_open(v, "emr", 1, &g, NULL), 0);
	while (!generation_sums_next(
	    (const char *)vault_r_sums(g)->p, vault_r_sums(g)->n, &pos, sha256, path, NULL))
		assert_int_equal(verify_seen_vouch(seen, "documents", path, sha256, NULL), 0);
	vault_r_generation_close(g);
	vault_r_close(v);
	assert_true(verify_seen_has(seen, "documents", path, sha256));
	assert_false(verify_seen_has(seen, "emr", path, sha256));
	assert_int_equal(
	    sh("cd " SETS
	       " && for f in emr/archives/*/*; do printf x | dd of=$f conv=notrunc status=none; done"),
	    0);
	assert_int_equal(look("emr", 1, false, seen, NULL).faults, 1);
	says("E-VERIFY-02|datasets/emr/archives/");
	verify_seen_free(seen);
	restore();
}

static void damage_is_shared_within_a_data_set(void **state)
{
	struct verify_seen *seen = verify_seen_new();
	struct vault_r *v;

	(void)state;
	assert_int_equal(sh("cd " SETS " && printf x >>emr/generations/000001/places.age"), 0);
	assert_int_equal(look("emr", 1, false, seen, NULL).faults, 1);
	assert_int_equal(look("documents", 1, false, seen, NULL).faults, 0);
	v = made_open("m");
	assert_true(verify_shares_damage(v, "emr", 1, seen));
	assert_false(verify_shares_damage(v, "emr", 2, seen));
	assert_false(verify_shares_damage(v, "documents", 1, seen));
	assert_false(verify_shares_damage(v, "images", 1, seen));
	vault_r_close(v);
	verify_seen_free(seen);
	restore();
}

/* What the journal says is of this data set's generation. */
static void what_was_reported_is_compared(void **state)
{
	struct vault_r *v = made_open("m");
	struct verify_record record = {.epoch = 1};
	struct vault_r_generation *g = NULL;

	(void)state;
	assert_int_equal(vault_r_generation_open(v, "emr", 1, &g, NULL), 0);
	memcpy(record.manifest_sha256, vault_r_manifest_sha256(g), DIGEST_LEN);
	vault_r_generation_close(g);
	vault_r_close(v);
	assert_int_equal(look("emr", 1, false, NULL, &record).faults, 0);
	assert_int_equal(look("documents", 1, false, NULL, &record).faults, 1);
	says("E-VERIFY-12|datasets/documents/generations/000001|");
	record.epoch = 2;
	assert_int_equal(look("emr", 1, false, NULL, &record).faults, 1);
	says("E-VERIFY-13|datasets/emr/generations/000001|");
}

static int teardown(void **state)
{
	buf_free(&said);
	return scratch_teardown(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_whole_one_is_whole),
	    cmocka_unit_test(what_is_missing_is_named_from_the_repositorys_folder),
	    cmocka_unit_test(none_passes_for_anothers),
	    cmocka_unit_test(an_archive_of_another_data_set),
	    cmocka_unit_test(the_same_archive_elsewhere_is_read_too),
	    cmocka_unit_test(damage_is_shared_within_a_data_set),
	    cmocka_unit_test(what_was_reported_is_compared),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
