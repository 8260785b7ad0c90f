/* vault_r: the generations of each data set on a medium: which there are, which one is meant, and that none passes for
 * another's. */
#include <string.h>
#include <sys/stat.h>

#include "unit.h"
#include "scratch.h"
#include "lib/made.h"

#include "format/medium/selector.h"
#include "read/vault/arc_r.h"
#include "read/vault/catalog_r.h"
#include "read/vault/extent_r.h"
#include "read/vault/vault_r.h"

#define JAPAN 32400
#define LONG  "abcdefghijklmnopqrstuvwxyz0123456" /* 33 characters */

static int setup(void **state)
{
	if (scratch_setup_memory(state))
		return -1;
	made_begin("m");
	for (uint64_t n = 1; n <= 3; n++) {
		made_generation("m", &(struct made){.dataset = "emr", .number = n, .utc_offset_s = JAPAN});
		if (n != 2)
			made_generation(
			    "m", &(struct made){.dataset = "documents", .number = n, .utc_offset_s = JAPAN});
	}
	return sh("cp -a m good");
}

static void restore(void)
{
	assert_int_equal(sh("rm -rf m && cp -a good m"), 0);
}

/* ---- which there are ---- */

static int note_number(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	char label[GENERATION_LABEL];

	return buf_printf(arg, err, "%s ", generation_label(dataset, number, label));
}

static int note_listed(void *arg, const struct vault_r_listed *g, struct err *err)
{
	char label[GENERATION_LABEL];

	if (g->manifest) {
		assert_string_equal(g->manifest->id.dataset, g->dataset);
		assert_int_equal(g->manifest->id.number, g->number);
	}
	return buf_printf(
	    arg, err, "%s:%s ", generation_label(g->dataset, g->number, label), vault_r_state_word(g->state));
}

static void numbers_are(const char *dataset, const char *want)
{
	struct vault_r *v = made_open("m");
	BUF_AUTO found = BUF_INIT(65536);

	assert_int_equal(vault_r_numbers(v, dataset, note_number, &found, NULL), 0);
	assert_int_equal(buf_terminate(&found, NULL), 0);
	assert_string_equal((char *)found.p, want);
	vault_r_close(v);
}

static void list_is(const char *dataset, const char *want)
{
	struct vault_r *v = made_open("m");
	BUF_AUTO found = BUF_INIT(65536);

	assert_int_equal(vault_r_list(v, dataset, note_listed, &found, NULL), 0);
	assert_int_equal(buf_terminate(&found, NULL), 0);
	assert_string_equal((char *)found.p, want);
	vault_r_close(v);
}

static void each_data_set_has_its_own(void **state)
{
	(void)state;
	numbers_are(NULL, "documents@1 documents@3 emr@1 emr@2 emr@3 ");
	numbers_are("emr", "emr@1 emr@2 emr@3 ");
	numbers_are("images", "");
	numbers_are("../emr", "");
	list_is(
	    NULL, "documents@1:complete documents@3:complete emr@1:complete emr@2:complete emr@3:complete ");
	list_is("documents", "documents@1:complete documents@3:complete ");
	list_is("latest", "");
	/* by number, not by name */
	assert_int_equal(sh("cd m/" MADE_REPO "/datasets/emr/generations && mkdir 1000000 999999"), 0);
	numbers_are("emr", "emr@1 emr@2 emr@3 emr@999999 emr@1000000 ");
	list_is("emr",
	    "emr@1:complete emr@2:complete emr@3:complete emr@999999:incomplete emr@1000000:incomplete ");
	restore();
}

/* What is called otherwise is none, whatever is in it; what is no folder holds none. */
static void names_that_are_no_data_sets(void **state)
{
	static const char *const names[] = {
	    "con", "lpt1", "latest", LONG, "EMR", "Emr", "9", "x_y", ".emr", "emr.old"};
	const char *r = "m/" MADE_REPO "/datasets";

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		assert_int_equal(sh("cp -a %s/emr %s/%s", r, r, names[i]), 0);
	assert_int_equal(
	    sh("cd %s && cp -a emr $(printf 'e\\033mr') && ln -s emr link && touch notes && mkfifo pipe && "
	       "mkdir "
	       "empty && mkdir -p other/generations/00000x other/generations/42 && touch other/archives",
		r),
	    0);
	numbers_are(NULL, "documents@1 documents@3 emr@1 emr@2 emr@3 ");
	numbers_are("con", "");
	numbers_are("EMR", "");
	numbers_are("link", "");
	numbers_are("notes", "");
	numbers_are("pipe", "");
	restore();
}

/* A folder of a right name in which somebody else's generation stands is said to be forged, and hides no other. */
static void a_bad_one_hides_no_other(void **state)
{
	const char *r = "m/" MADE_REPO "/datasets";

	(void)state;
	assert_int_equal(
	    sh("cd %s && mkdir -p aaa/generations && cp -a emr/generations/000002 aaa/generations && rm "
	       "emr/generations/000001/places.age emr/generations/000002/SHA256SUMS.minisig && printf x "
	       ">>emr/generations/000003/manifest.json",
		r),
	    0);
	list_is(NULL,
	    "aaa@2:forged documents@1:complete documents@3:complete emr@1:incomplete emr@2:incomplete "
	    "emr@3:damaged ");
	restore();
}

static int stop_at_two(void *arg, const char *dataset, uint64_t number, struct err *err)
{
	(void)dataset, (void)err;
	++*(int *)arg;
	return number == 2 ? 1 : 0;
}

static void a_listing_can_be_stopped(void **state)
{
	struct vault_r *v = made_open("m");
	int n = 0;

	(void)state;
	assert_int_equal(vault_r_numbers(v, NULL, stop_at_two, &n, NULL), 1);
	assert_int_equal(n, 4);
	vault_r_close(v);
}

/* ---- one of them ---- */

static void open_is(const char *dataset, uint64_t number, const char *code, const char *word)
{
	struct vault_r *v = made_open("m");
	struct vault_r_generation *g = NULL;
	struct err err = ERR_INIT;
	int r = vault_r_generation_open(v, dataset, number, &g, &err);

	assert_string_equal(err.code, code);
	if (*code) {
		assert_true(r != 0 && !g);
		if (!strstr(err.msg, word))
			fail_msg("'%s' is not in: %s", word, err.msg);
	} else {
		assert_int_equal(r, 0);
	}
	vault_r_generation_close(g);
	vault_r_close(v);
}

static void what_a_generation_says_of_itself(void **state)
{
	struct vault_r *v = made_open("m");
	struct vault_r_generation *g = NULL;
	uint64_t faults = 1, size;
	uint8_t sha256[DIGEST_LEN];
	BUF_AUTO places = BUF_INIT(65536);

	(void)state;
	assert_int_equal(vault_r_generation_open(v, "emr", 2, &g, NULL), 0);
	assert_string_equal(vault_r_generation_label(g), "emr@2");
	assert_string_equal(vault_r_manifest(g)->id.dataset, "emr");
	assert_string_equal(vault_r_manifest(g)->dataset.name, "emr");
	assert_int_equal(
	    store_size(vault_r_generation_store(g), "generations/000002/manifest.json", &size, NULL), 0);
	assert_int_equal(vault_r_presence(v, g, NULL, NULL, &faults, NULL), 0);
	assert_int_equal(faults, 0);
	get_file("m/" MADE_REPO "/datasets/emr/generations/000002/places.age", &places);
	digest_sha256(places.p, places.n, sha256);
	assert_memory_equal(vault_r_places_sha256(g), sha256, DIGEST_LEN);
	vault_r_generation_close(g);
	vault_r_close(v);
}

static void none_passes_for_anothers(void **state)
{
	const char *r = "m/" MADE_REPO "/datasets";

	(void)state;
	open_is("emr", 3, "", "");
	open_is("emr", 4, "E-VAULT-04", "emr@4");
	open_is("images", 1, "E-VAULT-04", "images@1");
	open_is("../../" MADE_REPO "/datasets/emr", 1, "E-VAULT-04", "no data set can be called");
	open_is("con", 1, "E-VAULT-04", "no data set can be called");
	open_is("latest", 1, "E-VAULT-04", "no data set can be called");
	open_is("EMR", 1, "E-VAULT-04", "no data set can be called");
	open_is(LONG, 1, "E-VAULT-04", "no data set can be called");
	open_is("", 1, "E-VAULT-04", "no data set can be called");
	/* in another data set's folder: its signature is right, and so are all its hashes */
	assert_int_equal(sh("cd %s && cp -a emr/generations/000002 documents/generations/", r), 0);
	open_is("documents", 2, "E-VAULT-06", "emr@2");
	assert_int_equal(sh("cd %s && cp -a emr/archives/* documents/archives/", r), 0);
	open_is("documents", 2, "E-VAULT-06", "emr@2");
	/* a whole folder under another name */
	assert_int_equal(sh("cd %s && mv emr imr", r), 0);
	open_is("imr", 1, "E-VAULT-06", "emr@1");
	restore();
	/* under another number */
	assert_int_equal(sh("cd %s/emr/generations && mv 000002 000009", r), 0);
	open_is("emr", 9, "E-VAULT-06", "of another generation");
	restore();
}

/* Signed by who has the key, and yet not what belongs there. */
static void documents_that_contradict_each_other(void **state)
{
	static const char *const names[] = {"manifest.json", "places.age", "root.age"};
	struct vault_r_generation *g = NULL;
	struct generation_root *root = NULL;
	struct err err = ERR_INIT;
	struct vault_r *v;

	(void)state;
	for (size_t i = 0; i < 3; i++)
		made_generation(
		    "m", &(struct made){.dataset = "emr", .number = 10 + i, .unlisted = names[i]});
	for (size_t i = 0; i < 3; i++)
		open_is("emr", 10 + i, "E-VAULT-06", "does not list");
	made_generation("m", &(struct made){.dataset = "emr", .number = 20, .root_dataset = "documents"});
	v = made_open("m");
	assert_int_equal(vault_r_generation_open(v, "emr", 20, &g, NULL), 0);
	assert_int_equal(vault_r_root(v, g, &made_id, 1, &root, &err), -1);
	assert_string_equal(err.code, "E-VAULT-06");
	assert_non_null(strstr(err.msg, "datasets/emr/generations/000020/root.age"));
	vault_r_generation_close(g);
	vault_r_close(v);
	restore();
}

/* The places, and what becomes of them when the file is not what was signed. */
static void places_are_opened_or_refused(void **state)
{
	const char *file = "m/" MADE_REPO "/datasets/emr/generations/000002/places.age";
	struct age_identity stranger;
	struct vault_r_generation *g = NULL;
	struct buf plain = BUF_INIT(0), untouched = BUF_INIT(4711);
	struct vault_r *v = made_open("m");
	struct err err = ERR_INIT;
	uint64_t faults = 0;

	(void)state;
	age_identity_generate(&fixture_random, &stranger);
	assert_int_equal(vault_r_generation_open(v, "emr", 2, &g, NULL), 0);
	assert_int_equal(vault_r_places(v, g, &made_id, 1, &plain, &err), 0);
	assert_int_equal(plain.n, 16);
	assert_memory_equal(plain.p, "places of emr@2\n", 16);
	assert_int_equal(plain.max, GENERATION_PLACES_MAX);
	buf_free(&plain);
	plain = untouched;
	assert_int_equal(vault_r_places(v, g, &stranger, 1, &plain, &err), -1);
	assert_string_equal(err.code, "E-AGE-03");
	/* another night's: it opens, and is not what was signed */
	assert_int_equal(sh("cp m/" MADE_REPO "/datasets/emr/generations/000001/places.age %s", file), 0);
	assert_int_equal(vault_r_places(v, g, &made_id, 1, &plain, &err), -1);
	assert_string_equal(err.code, "E-VAULT-07");
	assert_non_null(strstr(err.msg, "datasets/emr/generations/000002/places.age"));
	assert_int_equal(sh("rm %s", file), 0);
	assert_int_equal(vault_r_places(v, g, &made_id, 1, &plain, &err), -1);
	assert_string_equal(err.code, "E-VAULT-08");
	assert_memory_equal(&plain, &untouched, sizeof(plain));
	/* a reader of data does without it; that it is missing is seen */
	assert_int_equal(vault_r_presence(v, g, NULL, NULL, &faults, &err), 0);
	assert_int_equal(faults, 1);
	vault_r_generation_close(g);
	open_is("emr", 2, "", "");
	vault_r_close(v);
	restore();
}

/* ---- archives ---- */

static int gather(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	(void)at;
	return buf_append(arg, p, (size_t)n, err);
}

/* The content of "file", or the code of the fault. */
static void content_is(const char *dataset, uint64_t number, const char *want, const char *code)
{
	struct vault_r *v = made_open("m");
	struct vault_r_generation *g = NULL;
	struct generation_root *root = NULL;
	struct catalog_r *c = NULL;
	struct catalog_item item;
	struct arc_r *a = NULL;
	struct err err = ERR_INIT;
	BUF_AUTO got = BUF_INIT(65536);

	assert_int_equal(vault_r_generation_open(v, dataset, number, &g, &err), 0);
	assert_int_equal(vault_r_root(v, g, &made_id, 1, &root, &err), 0);
	assert_string_equal(root->dataset.name, dataset);
	assert_int_equal(arc_r_new(vault_r_generation_store(g), root, &made_id, 1, NULL, &a, &err), 0);
	if (!catalog_r_open(a, &root->dataset, &c, &err) && !catalog_r_find(c, "file", &item, &err) &&
	    !extent_r_file(a, item.extents, item.extents_len, item.sha256, gather, &got, &err))
		assert_int_equal(buf_terminate(&got, NULL), 0);
	assert_string_equal(err.code, code);
	if (!*code)
		assert_string_equal((char *)got.p, want);
	else if (!strstr(err.msg, want))
		fail_msg("'%s' is not in: %s", want, err.msg);
	catalog_r_close(c);
	arc_r_free(a);
	generation_root_free(root);
	vault_r_generation_close(g);
	vault_r_close(v);
}

static void archives_are_the_data_sets_own(void **state)
{
	(void)state;
	content_is("emr", 1, "content of emr@1\n", "");
	content_is("documents", 1, "content of documents@1\n", "");
	content_is("documents", 3, "content of documents@3\n", "");
	/* signed, under the right hash, with the right number: and INDEX says that it is another data set's */
	made_generation("m", &(struct made){.dataset = "emr", .number = 30, .index_dataset = "documents"});
	content_is("emr", 30, "another data set than 'emr'", "E-ARCHIVE-02");
	made_generation("m", &(struct made){.dataset = "emr", .number = 31, .index_dataset = "emr-x"});
	content_is("emr", 31, "another data set than 'emr'", "E-ARCHIVE-02");
	/* an archive that lies in another data set's folder alone is missing */
	assert_int_equal(
	    sh("cd m/" MADE_REPO "/datasets && mkdir -p documents/archives && cp -a emr/archives/* "
	       "documents/archives/ && rm -r emr/archives"),
	    0);
	content_is("emr", 1, "datasets/emr/archives/", "E-ARCHIVE-12");
	restore();
}

/* ---- which one is meant ---- */

static void meant_is(const char *what, uint64_t want, const char *code, const char *word)
{
	struct vault_r *v = made_open("m");
	struct err err = ERR_INIT;
	struct selector s;
	uint64_t number = 4711;
	int r;

	assert_int_equal(selector_parse(what, &s, NULL), 0);
	r = vault_r_select(v, &s, *s.dataset ? s.dataset : "emr", &number, &err);
	assert_string_equal(err.code, code);
	assert_int_equal(r, *code ? -1 : 0);
	assert_int_equal(number, *code ? 4711 : want);
	if (*code && !strstr(err.msg, word))
		fail_msg("'%s' is not in: %s", word, err.msg);
	vault_r_close(v);
}

/* Generation n was begun at noon in Japan on the 20 + n. November 2026. */
static void the_one_that_is_meant(void **state)
{
	(void)state;
	meant_is("emr@2", 2, "", "");
	meant_is("2", 2, "", "");
	meant_is("emr@latest", 3, "", "");
	meant_is("documents@latest", 3, "", "");
	meant_is("emr@2026-11-22", 2, "", "");
	meant_is("documents@2026-11-22", 1, "", "");
	meant_is("emr@2099-01-01", 3, "", "");
	meant_is("emr@2026-11-20", 0, "E-VAULT-04", "emr@1, emr@2, emr@3");
	meant_is("emr@9", 0, "E-VAULT-04", "emr@9 is not on this medium; there is: emr@1, emr@2, emr@3");
	meant_is("documents@2", 0, "E-VAULT-04", "documents@1, documents@3");
	meant_is("images@latest", 0, "E-VAULT-04", "documents, emr");
	meant_is("images@1", 0, "E-VAULT-04", "documents, emr");
	meant_is("emr@99999d", 0, "E-VAULT-04", "emr@1, emr@2, emr@3");
}

/* Midnight is where it was captured, not where it is restored. */
static void a_date_is_that_of_the_place_of_capture(void **state)
{
	static const char *const zones[] = {"UTC", "Asia/Tokyo", "Pacific/Auckland", "America/Los_Angeles"};

	(void)state;
	/* 2026-12-01 00:30 in Japan, and 2026-12-02 23:30 in Honolulu, which is the 3rd in Japan */
	made_generation("m",
	    &(struct made){.dataset = "emr", .number = 40, .begun_s = 1796052600, .utc_offset_s = JAPAN});
	made_generation("m",
	    &(struct made){.dataset = "emr", .number = 41, .begun_s = 1796290200, .utc_offset_s = -36000});
	for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
		assert_int_equal(setenv("TZ", zones[i], 1), 0);
		tzset();
		meant_is("emr@2026-11-30", 3, "", "");
		meant_is("emr@2026-12-01", 40, "", "");
		meant_is("emr@2026-12-02", 41, "", "");
	}
	unsetenv("TZ");
	tzset();
	restore();
}

static void days_ago_are_counted_from_now(void **state)
{
	struct clock_stamp now;
	int64_t s;

	(void)state;
	clock_now(&now);
	s = now.wall_ns / SECOND_NS;
	made_begin("n");
	for (uint64_t n = 1; n <= 5; n++)
		made_generation(
		    "n", &(struct made){
			     .dataset = "emr", .number = n, .begun_s = s - (5 - (int64_t)n) * 86400 - 600});
	assert_int_equal(sh("rm -rf m && mv n m"), 0);
	meant_is("emr@1d", 4, "", "");
	meant_is("emr@3d", 2, "", "");
	meant_is("emr@4d", 1, "", "");
	meant_is("emr@5d", 0, "E-VAULT-04", "emr@5");
	restore();
}

/* No older one is taken for one that cannot be opened. */
static void a_damaged_one_is_not_stepped_over(void **state)
{
	const char *g = "m/" MADE_REPO "/datasets/emr/generations";

	(void)state;
	assert_int_equal(sh("printf x >>%s/000002/manifest.json", g), 0);
	meant_is("emr@latest", 3, "", "");
	meant_is("emr@2026-11-23", 3, "", "");
	meant_is("emr@2026-11-22", 0, "E-VAULT-07", "emr@2 may be the one");
	meant_is("emr@2026-11-21", 0, "E-VAULT-07", "emr@2 may be the one");
	meant_is("emr@1", 1, "", "");
	meant_is("emr@2", 2, "", ""); /* who opens it is told */
	restore();
	assert_int_equal(sh("printf x >>%s/000003/manifest.json", g), 0);
	meant_is("emr@latest", 0, "E-VAULT-07", "emr@3 may be the one");
	/* emr@2 is of the 22nd: what came later is no older */
	meant_is("emr@2026-11-21", 1, "", "");
	restore();
	/* a capture that was not finished is no generation */
	made_generation("m", &(struct made){.dataset = "emr", .number = 50, .unsigned_ = true});
	meant_is("emr@latest", 3, "", "");
	meant_is("emr@50", 50, "", "");
	open_is("emr", 50, "E-VAULT-05", "emr@50");
	restore();
}

/* ---- layout ---- */

static void layout_is(const char *how, const char *code)
{
	struct vault_r *v = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(sh("cd m/" MADE_REPO " && %s", how), 0);
	if (!vault_r_open(in_scratch("m"), NULL, NULL, &v, &err))
		vault_r_close(v);
	assert_string_equal(err.code, code);
	if (*code)
		assert_non_null(strstr(err.hint, "tools"));
	restore();
}

static void the_layout_of_former_versions_is_refused(void **state)
{
	(void)state;
	layout_is("mv datasets/emr/* . && rm -r datasets", "E-VAULT-11");
	layout_is("rm -r datasets && mkdir generations", "E-VAULT-11");
	layout_is("rm -r datasets && mkdir archives", "E-VAULT-11");
	layout_is("rm -r datasets", "");	 /* nothing was captured yet */
	layout_is("cp -a datasets/emr/* .", ""); /* somebody's copy keeps nobody from restoring */
}

static void a_medium_without_a_data_set_lists_nothing(void **state)
{
	(void)state;
	assert_int_equal(sh("rm -r m/" MADE_REPO "/datasets"), 0);
	numbers_are(NULL, "");
	meant_is("emr@latest", 0, "E-VAULT-04", "there is: nothing");
	restore();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_data_set_has_its_own),
	    cmocka_unit_test(names_that_are_no_data_sets),
	    cmocka_unit_test(a_bad_one_hides_no_other),
	    cmocka_unit_test(a_listing_can_be_stopped),
	    cmocka_unit_test(what_a_generation_says_of_itself),
	    cmocka_unit_test(none_passes_for_anothers),
	    cmocka_unit_test(documents_that_contradict_each_other),
	    cmocka_unit_test(places_are_opened_or_refused),
	    cmocka_unit_test(archives_are_the_data_sets_own),
	    cmocka_unit_test(the_one_that_is_meant),
	    cmocka_unit_test(a_date_is_that_of_the_place_of_capture),
	    cmocka_unit_test(days_ago_are_counted_from_now),
	    cmocka_unit_test(a_damaged_one_is_not_stepped_over),
	    cmocka_unit_test(the_layout_of_former_versions_is_refused),
	    cmocka_unit_test(a_medium_without_a_data_set_lists_nothing),
	};

	return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
