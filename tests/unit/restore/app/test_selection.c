/* selection: what people call generations on the command line: one, or all of a run, of which what is missing is named. */
#include <string.h>

#include <jansson.h>

#include "unit.h"
#include "scratch.h"
#include "lib/made.h"

#include "base/text.h"
#include "format/journal/journal.h"
#include "restore/app/app.h"
#include "restore/app/selection.h"

#define JAPAN	32400
#define H1	"1111111111111111111111111111111111111111111111111111111111111111"
#define JOURNAL MADE_REPO "/journal/000001.jsonl"

static char identity[200];

/* ---- the journal's copy: run 3 was to capture four data sets ---- */

static struct buf lines;
static uint64_t seq;
static uint8_t head[DIGEST_LEN];

static void add(const char *event, json_t *members)
{
	struct journal_frame f = {.seq = ++seq,
	    .stamp = {.wall_ns = MADE_NOON * SECOND_NS, .boot_id = "b"},
	    .version = "1",
	    .by = "root",
	    .repository = MADE_REPO,
	    .epoch = 1};
	size_t from = lines.n;

	assert_non_null(members);
	memcpy(f.prev, head, DIGEST_LEN);
	assert_int_equal(journal_build(&f, event, members, &made_key, &lines, NULL), 0);
	digest_sha256(lines.p + from, lines.n - from, head);
	assert_int_equal(buf_puts(&lines, "\n", NULL), 0);
	json_decref(members);
}

static void commit(const char *dataset)
{
	add("committed",
	    json_pack("{s:s, s:i, s:s, s:s, s:i, s:i, s:i, s:i, s:s, s:i, s:i, s:i, s:i, s:i, s:i, s:[]}",
		"dataset", dataset, "generation", 3, "uuid", MADE_UUID, "manifest_sha256", H1, "archives", 1,
		"archive_bytes", 1, "new_bytes", 1, "next_archive", 2, "verdict", "good", "entries", 1,
		"files", 1, "bytes", 1, "unreadable", 0, "changed", 0, "skipped", 0, "media"));
}

static void write_journal(void)
{
	char key[MINISIG_KEY_TEXT], to[AGE_RECIPIENT_TEXT];

	buf_init(&lines, 1 << 20);
	add("init",
	    json_pack("{s:s, s:s, s:s, s:s}", "site", "s", "root_key",
		minisig_public_format(&made_key.pub, key), "recipient", age_recipient_format(&made_to, to),
		"period_sha256", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
	add("begin", json_pack("{s:i, s:s, s:[s, s, s, s]}", "run", 3, "uuid", MADE_UUID, "datasets", "emr",
			 "images", "documents", "logs"));
	commit("emr");
	commit("images");
	commit("documents");
	add("failed", json_pack("{s:i, s:s, s:[{s:s, s:s}]}", "run", 3, "reason", "", "datasets", "name",
			  "logs", "reason", "the disk is full"));
	assert_int_equal(sh("mkdir -p m/" MADE_REPO "/journal"), 0);
	put_file("m/" JOURNAL, lines.p, lines.n);
	buf_free(&lines);
}

/* ---- asking ---- */

static int setup(void **state)
{
	char text_[AGE_IDENTITY_TEXT];

	if (scratch_setup_memory(state))
		return -1;
	text_set_lang(TEXT_EN);
	made_begin("m");
	for (uint64_t n = 1; n <= 3; n++)
		made_generation("m", &(struct made){.dataset = "emr", .number = n, .utc_offset_s = JAPAN});
	made_generation("m", &(struct made){.dataset = "documents", .number = 1, .utc_offset_s = JAPAN});
	made_generation("m", &(struct made){.dataset = "documents", .number = 3, .utc_offset_s = JAPAN});
	age_identity_format(&made_id, text_);
	put_file("id", text_, strlen(text_));
	snprintf(identity, sizeof(identity), "%s", in_scratch("id"));
	return 0;
}

/* What stands on standard error meanwhile. */
static char said[8192];
static int kept_stderr;

static void listen_begin(void)
{
	fflush(stderr);
	kept_stderr = dup(2);
	assert_non_null(freopen(in_scratch("err"), "w", stderr));
}

static void listen_end(void)
{
	BUF_AUTO b = BUF_INIT(sizeof(said));

	fflush(stderr);
	dup2(kept_stderr, 2);
	close(kept_stderr);
	get_file("err", &b);
	snprintf(said, sizeof(said), "%.*s", (int)b.n, (char *)b.p);
}

static void is_said(const char *what)
{
	if (!strstr(said, what))
		fail_msg("'%s' is not in: %s", what, said);
}

static struct app asked(const char *medium, const char *other)
{
	struct app app = {.quiet = true, .identities = {identity}, .n_identities = 1};

	app.media[app.n_media++] = strdup(in_scratch(medium));
	if (other)
		app.media[app.n_media++] = strdup(in_scratch(other));
	return app;
}

static void done(struct app *app)
{
	app_close(app);
	for (size_t i = 0; i < app->n_media; i++)
		free((char *)(uintptr_t)app->media[i]);
}

/* want: "emr@2", "documents@3 emr@3", or "" with the exit code. */
static void open_is(const char *selector, const char *path, bool content, const char *want, int code)
{
	struct app app = asked("m", NULL);
	struct selection s;
	char got[200] = "";
	int r;

	listen_begin();
	r = selection_open(&app, selector, path, content, &s);
	listen_end();
	for (size_t i = 0; !r && i < s.n; i++) {
		strcat(got, i ? " " : "");
		strcat(got, s.g[i].label);
		assert_int_equal(s.g[i].root != NULL, content);
		if (content)
			assert_string_equal(s.g[i].root->dataset.name, s.g[i].dataset);
	}
	assert_string_equal(got, want);
	assert_int_equal(r ? r : app_worse(s.code, app.incomplete ? APP_ATTENTION : APP_OK), code);
	if (!r)
		selection_close(&s);
	done(&app);
}

/* Noon in Japan: emr@1 of November 21, emr@2 of the 22nd … */
static void one_generation(void **state)
{
	(void)state;
	open_is("emr@2", NULL, false, "emr@2", 0);
	open_is("emr@2", "some/path", false, "emr@2", 0);
	open_is("emr@latest", NULL, false, "emr@3", 0);
	open_is("documents@2026-11-22", NULL, false, "documents@1", 0);
	open_is("emr@2026-11-22", NULL, false, "emr@2", 0);
	open_is("emr@2026-11-20", NULL, false, "", APP_FAILED);
	is_said("E-VAULT-04");
	open_is("documents@2", NULL, false, "", APP_FAILED);
	is_said("documents@3");
	open_is("images@latest", NULL, false, "", APP_FAILED);
	is_said("documents, emr");
	open_is("emr", NULL, false, "", APP_USAGE);
	is_said("E-SELECT-01");
	open_is("latest", NULL, false, "", APP_USAGE);
	open_is("emr@0", NULL, false, "", APP_USAGE);
	open_is("EMR@1", NULL, false, "", APP_USAGE);
}

static void a_whole_run(void **state)
{
	(void)state;
	/* without a journal nobody knows which data sets it had */
	open_is("3", NULL, false, "documents@3 emr@3", APP_ATTENTION);
	is_said("E-RESTORE-02");
	is_said("--journal");
	open_is("2", NULL, true, "emr@2", APP_ATTENTION);
	open_is("9", NULL, false, "", APP_FAILED);
	is_said("E-RESTORE-01");
	is_said("documents@1 … documents@3, emr@1 … emr@3");
	open_is("3", "emr", false, "", APP_USAGE);
	is_said("did you mean 'emr@3'?");
	open_is("3", "a/b", false, "", APP_USAGE);
	write_journal();
	open_is("3", NULL, false, "documents@3 emr@3", APP_ATTENTION);
	is_said("images@3 is not here: it was captured, and is not on this medium");
	is_said("logs@3 is not here: the disk is full");
	open_is("2", NULL, false, "emr@2", APP_ATTENTION); /* of which the journal says nothing */
	assert_int_equal(sh("rm -r m/" MADE_REPO "/journal"), 0);
}

/* One that is damaged does not keep the others back. */
static void the_others_of_a_run_go_on(void **state)
{
	(void)state;
	assert_int_equal(
	    sh("cp -a m kept && printf x >>m/" MADE_REPO "/datasets/emr/generations/000003/manifest.json"),
	    0);
	open_is("3", NULL, true, "documents@3", APP_FAILED);
	is_said("E-VAULT-07");
	open_is("emr@3", NULL, true, "", APP_FAILED);
	/* an older one is not taken for the newest */
	open_is("emr@latest", NULL, true, "", APP_FAILED);
	open_is("emr@2", NULL, true, "emr@2", APP_OK);
	assert_int_equal(sh("rm -rf m && mv kept m"), 0);
}

static void second_is(const char *selector, const char *want, int code)
{
	struct app app = asked("m", "second");
	struct selection s;
	int r;

	listen_begin();
	r = selection_open(&app, selector, NULL, true, &s);
	listen_end();
	assert_int_equal(r ? r : app.incomplete ? APP_ATTENTION : APP_OK, code);
	if (!r) {
		assert_string_equal(s.g[0].label, want);
		selection_close(&s);
	}
	done(&app);
}

static void another_medium_may_have_it(void **state)
{
	(void)state;
	assert_int_equal(sh("cp -a m second && rm -r m/" MADE_REPO "/datasets/emr/generations/000003"), 0);
	second_is("emr@3", "emr@3", APP_ATTENTION);
	second_is("emr@latest", "emr@3", APP_ATTENTION);
	second_is("emr@2", "emr@2", APP_OK);
	/* damaged on the one, older on the other */
	assert_int_equal(
	    sh("rm -rf m && cp -a second m && rm -r second/" MADE_REPO "/datasets/emr/generations/000003 && "
	       "printf x >>m/" MADE_REPO "/datasets/emr/generations/000003/manifest.json"),
	    0);
	second_is("emr@latest", "", APP_FAILED);
	second_is("emr@2", "emr@2", APP_OK);
	assert_int_equal(sh("rm -rf second m"), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_generation),
	    cmocka_unit_test(a_whole_run),
	    cmocka_unit_test(the_others_of_a_run_go_on),
	    cmocka_unit_test(another_medium_may_have_it),
	};

	return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
