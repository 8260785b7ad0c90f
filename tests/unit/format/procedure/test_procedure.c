/* procedure: what a document means, what variables may be, what templates become.  What is refused is in
 * test_procedure_bad.c. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/digest.h"
#include "format/procedure/procedure.h"

static struct procedure *parse(const char *s)
{
	static struct config_problems problems;
	struct procedure *p = NULL;
	struct err err = ERR_INIT;

	if (procedure_parse("p.md", s, strlen(s), &p, &problems, &err))
		fail_msg("%s (%s)", err.msg, err.hint);
	assert_non_null(p);
	assert_int_equal(problems.n_errors + problems.n_warnings, 0);
	return p;
}

/* clang-format off */
#define HEAD \
	"Text above.\n\n# Recovery of `emr`, *now* &amp; here\n\n" \
	"```procedure\nid: emr-1\nversion: \"1.0\"\ndataset: emr\nrto: 24h\nrpo: 2d\n" \
	"contacts: ['事務長 内線 10', \"b \\\"x\\\"\"]\n" \
	"variables:\n  - {name: host, title: サーバ名, value: new-server}\n  - {name: port, type: number, value: -5}\n" \
	"  - {name: to, type: name}\n  - {name: bin, type: path, value: /usr/bin}\n```\n\n"
#define ENGLISH \
	HEAD "## One\n\n```confirm\nwho: ${host} $$ $5\nwhat: b\nhow: |\n  first\n  second\npass: \"d: e\"\nminutes: 0\n```\n" \
	"~~~restore\nid: dump\nwho: a\nwhat: b\nhow: c\npass: d\nminutes: 10080\ndataset: emr\npaths: ['*.dump', '/a/${to}/']\nto: x/${to}\ngeneration: ${port}\n~~~\n" \
	"```sh\nrestore me\n```\n```\nrun\n```\n    run indented\n\n" \
	"````run\nwho: a\nwhat: b\nhow: c\npass: d\nminutes: 1\nlimit: 30m\nalways: true\ncommand: |\n  echo \"${undeclared}\" '${' $$\n  ls\n````\n" \
	"```check  \nwho: a\nwhat: b\nhow: c\npass: d\nminutes: 2\nprobe: emr\ncommand: wc -l\n```\n" \
	"```check\nwho: a\nwhat: b\nhow: c\npass: d\nminutes: 2\nvalue: \"${port}\"\ncommand: wc -l\n```\n" \
	"```restore\nwho: a\nwhat: b\nhow: c\npass: d\nminutes: 1\ndataset: files\n```\n" \
	"```note\nwho: a\nwhat: b\nhow: c\npass: d\nminutes: 1\n```\n"
/* clang-format on */

static char *replaced(const char *s, const char *from, const char *to)
{
	char *out = malloc(4 * strlen(s) + 1), *at = out;
	const char *hit;

	assert_non_null(out);
	for (; (hit = strstr(s, from)); s = hit + strlen(from))
		at += sprintf(at, "%.*s%s", (int)(hit - s), s, to);
	sprintf(at, "%s", s);
	return out;
}

static char *in_japanese(const char *s)
{
	static const char *const keys[][2] = {{"\nwho:", "\n誰:"}, {"\nwhat:", "\n何を:"},
	    {"\nhow:", "\nどのように:"}, {"\npass:", "\n合否条件:"}, {"\nminutes:", "\n予定分:"}};
	char *out = strdup(s), *next;

	for (size_t i = 0; i < 5; i++) {
		next = replaced(out, keys[i][0], keys[i][1]);
		free(out);
		out = next;
	}
	return out;
}

static void check_head(const struct procedure *p)
{
	assert_string_equal(p->title, "Recovery of emr, now & here");
	assert_string_equal(p->id, "emr-1");
	assert_string_equal(p->version, "1.0");
	assert_string_equal(p->dataset, "emr");
	assert_int_equal(p->rto_s, 24 * 3600);
	assert_int_equal(p->rpo_s, 48 * 3600);
	assert_int_equal(p->n_contacts, 2);
	assert_string_equal(p->contacts[1], "b \"x\"");
	assert_int_equal(p->n_variables, 4);
	assert_string_equal(p->variables[0].title, "サーバ名");
	assert_int_equal(p->variables[0].type, PROCEDURE_TEXT);
	assert_int_equal(p->variables[1].type, PROCEDURE_NUMBER);
	assert_string_equal(p->variables[1].value, "-5");
	assert_null(p->variables[2].value);
	assert_int_equal(p->variables[3].type, PROCEDURE_PATH);
	assert_int_equal(p->variables[2].mark.line, 15);
	assert_ptr_equal(procedure_find_variable(p, "to"), &p->variables[2]);
	assert_null(procedure_find_variable(p, "scratch"));
}

static void check_steps(const struct procedure *p)
{
	const struct procedure_step *s = p->steps;

	assert_int_equal(p->n_steps, 7);
	assert_int_equal(p->minutes, 10087);
	assert_int_equal(s[0].kind, PROCEDURE_CONFIRM);
	assert_string_equal(s[0].id, "1");
	assert_string_equal(s[0].who, "${host} $$ $5");
	assert_string_equal(s[0].how, "first\nsecond");
	assert_string_equal(s[0].pass, "d: e");
	assert_int_equal(s[0].line, 21);
	assert_int_equal(s[1].kind, PROCEDURE_RESTORE);
	assert_string_equal(s[1].id, "dump");
	assert_int_equal(s[1].n_paths, 2);
	assert_string_equal(s[1].paths[1], "/a/${to}/");
	assert_string_equal(s[1].to, "x/${to}");
	assert_string_equal(s[1].generation, "${port}");
	assert_int_equal(s[2].kind, PROCEDURE_RUN);
	assert_string_equal(s[2].command, "echo \"${undeclared}\" '${' $$\nls\n");
	assert_int_equal(s[2].limit_s, 1800);
	assert_true(s[2].always && !s[1].always);
	assert_int_equal(s[3].kind, PROCEDURE_CHECK);
	assert_string_equal(s[3].probe, "emr");
	assert_null(s[3].value);
	assert_string_equal(s[4].value, "${port}");
	assert_string_equal(s[5].to, "files");
	assert_null(s[5].generation);
	assert_int_equal(s[6].kind, PROCEDURE_NOTE);
	assert_string_equal(s[6].id, "7");
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(s[i].number, i + 1);
}

static void both_languages_mean_the_same(void **state)
{
	char *ja = in_japanese(ENGLISH), *crlf = replaced(ja, "\n", "\r\n"), *bom = malloc(strlen(crlf) + 4);
	const char *texts[] = {ENGLISH, ja, crlf, bom};

	(void)state;
	sprintf(bom, "\xef\xbb\xbf%s", crlf);
	assert_null(strstr(ja, "\nwho:"));
	for (size_t i = 0; i < 4; i++) {
		struct procedure *p = parse(texts[i]);
		uint8_t sha[DIGEST_LEN];

		check_head(p);
		check_steps(p);
		assert_string_equal(p->source, texts[i]);
		assert_int_equal(p->source_len, strlen(texts[i]));
		digest_sha256(texts[i], strlen(texts[i]), sha);
		assert_memory_equal(p->sha256, sha, sizeof(sha));
		procedure_free(p);
	}
	free(ja);
	free(crlf);
	free(bom);
	procedure_free(NULL);
}

static void what_is_text_stays_text(void **state)
{
	static const char step[] = "```note\nwho: a\nwhat: b\nhow: c\npass: d\nminutes: 1\n```\n";
	static const char *const texts[] = {"```sh\nrun\n```\n", "```\nrestore\n```\n", "```node\nx\n```\n",
	    "```text\nx\n```\n", "```none\nx\n```\n", "```config\nx\n```\n", "```rust\nx\n```\n",
	    "```yaml\nx\n```\n", "```console\nx\n```\n", "````markdown\n```restore\nwho: x\n```\n````\n",
	    "~~~\n```run\n~~~\n", "`run` and ```restore``` here\n", "```restore``` at the beginning\n",
	    "run:\n\n    restore\n", "- restore\n- check\n", "``run\n", "<pre>\nrestore\n</pre>\n",
	    "# 二つ目の題\n", "[run](check)\n", "```python\nx\n```\n"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		char s[1024];
		struct procedure *p;

		snprintf(s, sizeof(s), "T\n=\n\n%s%s\n%s", step, texts[i], step);
		p = parse(s);
		assert_int_equal(p->n_steps, 2);
		assert_string_equal(p->title, "T");
		procedure_free(p);
	}
}

static void ready_made_ones_are_good(void **state)
{
	static const struct {
		const char *name;
		int64_t rto_s; /* 0: it is the policy's to state */
	} files[] = {{"demo/procedure.md", 24 * 3600}, {"procedures/emr-postgresql.md", 0}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		BUF_AUTO b = BUF_INIT(PROCEDURE_BYTES_MAX + 1);
		char name[4096];
		struct procedure *p;
		FILE *f;

		snprintf(name, sizeof(name), TEST_DATA "/../policies/%s", files[i].name);
		f = fopen(name, "rb");
		assert_non_null(f);
		assert_int_equal(buf_reserve(&b, PROCEDURE_BYTES_MAX, NULL), 0);
		b.n = fread(b.p, 1, PROCEDURE_BYTES_MAX - 1, f);
		fclose(f);
		assert_int_equal(buf_terminate(&b, NULL), 0);
		p = parse((const char *)b.p);
		assert_true(p->n_steps >= 5 && p->n_contacts >= 1 && p->rto_s == files[i].rto_s);
		procedure_free(p);
	}
}

/* The whole procedure in the manual is one that a reader can begin with. */
static void the_manuals_example_is_good(void **state)
{
	static char page[1 << 16], example[1 << 16];
	FILE *f = fopen(TEST_DATA "/../docs/man/bkp-procedure.5", "rb");
	char *from, *to;
	struct procedure *p;

	(void)state;
	assert_non_null(f);
	page[fread(page, 1, sizeof(page) - 1, f)] = '\0';
	fclose(f);
	from = strstr(page, "A whole procedure:\n.Bd -literal\n");
	assert_non_null(from);
	from += strlen("A whole procedure:\n.Bd -literal\n");
	to = strstr(from, "\n.Ed\n");
	assert_non_null(to);
	assert_null(memchr(from, '\\', (size_t)(to - from))); /* as it is printed */
	snprintf(example, sizeof(example), "%.*s\n", (int)(to - from), from);
	p = parse(example);
	assert_string_equal(p->title, "Recovery of the electronic record");
	assert_int_equal(p->n_steps, 5);
	procedure_free(p);
}

/* ---- values ---- */

static void values_are_what_their_type_says(void **state)
{
	static const struct {
		enum procedure_type type;
		const char *value;
		bool good;
	} cases[] = {{PROCEDURE_TEXT, "x", true}, {PROCEDURE_TEXT, "'; rm -rf / $(x) \"", true},
	    {PROCEDURE_TEXT, "", false}, {PROCEDURE_TEXT, "a\nb", false}, {PROCEDURE_TEXT, "\x80", false},
	    {PROCEDURE_TEXT, "\xc2\x85", false}, {PROCEDURE_NUMBER, "0", true},
	    {PROCEDURE_NUMBER, "-17", true}, {PROCEDURE_NUMBER, "+007", true},
	    {PROCEDURE_NUMBER, "999999999999999999", true}, {PROCEDURE_NUMBER, "1000000000000000000", false},
	    {PROCEDURE_NUMBER, "-", false}, {PROCEDURE_NUMBER, "1.5", false}, {PROCEDURE_NUMBER, " 1", false},
	    {PROCEDURE_NUMBER, "1e3", false}, {PROCEDURE_NUMBER, "１", false},
	    {PROCEDURE_NUMBER, "--1", false}, {PROCEDURE_NAME, "_a.B-9", true}, {PROCEDURE_NAME, "-a", false},
	    {PROCEDURE_NAME, ".a", false}, {PROCEDURE_NAME, "a b", false}, {PROCEDURE_NAME, "a/b", false},
	    {PROCEDURE_NAME, "電", false}, {PROCEDURE_NAME, "a;b", false}, {PROCEDURE_PATH, "/", true},
	    {PROCEDURE_PATH, "/a b/'c", true}, {PROCEDURE_PATH, "/a/", false}, {PROCEDURE_PATH, "a", false},
	    {PROCEDURE_PATH, "/a/../b", false}, {PROCEDURE_PATH, "/a//b", false},
	    {PROCEDURE_PATH, "/a\tb", false}, {PROCEDURE_PATH, "~/a", false}};
	char longest[PROCEDURE_VALUE_MAX + 2] = "/";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct procedure_variable v = {.name = "host", .type = cases[i].type};
		struct err err = ERR_INIT;
		int r = procedure_value_check(&v, cases[i].value, &err);

		if ((r == 0) != cases[i].good)
			fail_msg("'%s' of type %d", cases[i].value, cases[i].type);
		if (r) {
			assert_string_equal(err.code, "E-PROC-20");
			assert_non_null(strstr(err.msg, "'host'"));
			assert_true(err.hint[0]);
		}
	}
	memset(longest + 1, 'a', PROCEDURE_VALUE_MAX - 1);
	for (int type = PROCEDURE_TEXT; type <= PROCEDURE_PATH; type += PROCEDURE_PATH - PROCEDURE_TEXT) {
		struct procedure_variable v = {.name = "x", .type = (enum procedure_type)type};

		longest[PROCEDURE_VALUE_MAX] = '\0';
		assert_int_equal(procedure_value_check(&v, longest, NULL), 0);
		longest[PROCEDURE_VALUE_MAX] = 'a';
		assert_int_equal(procedure_value_check(&v, longest, NULL), -1);
	}
	longest[0] = 'b';
	longest[64] = '\0';
	assert_int_equal(
	    procedure_value_check(
		&(struct procedure_variable){.name = "x", .type = PROCEDURE_NAME}, longest, NULL),
	    0);
	longest[64] = 'a';
	longest[65] = '\0';
	assert_int_equal(
	    procedure_value_check(
		&(struct procedure_variable){.name = "x", .type = PROCEDURE_NAME}, longest, NULL),
	    -1);
}

/* ---- templates ---- */

static const char *lookup(void *arg, const char *name)
{
	(void)arg;
	if (!strcmp(name, "host"))
		return "${port} $$ $(x)";
	return !strcmp(name, "empty") ? "" : !strcmp(name, "a_1") ? "電子" : NULL;
}

static void templates_are_filled_once(void **state)
{
	static const char *const cases[][2] = {{"", ""}, {"plain", "plain"}, {"${a_1}カルテ", "電子カルテ"},
	    {"[${host}]", "[${port} $$ $(x)]"}, {"$$", "$"}, {"$$$$", "$$"}, {"$${host}", "${host}"},
	    {"$$${a_1}", "$電子"}, {"5$", "5$"}, {"$5 $(x) $x", "$5 $(x) $x"}, {"${empty}", ""},
	    {"${empty}${a_1}${empty}", "電子"}, {"}{$", "}{$"}, {"$ {host}", "$ {host}"}};
	static const char *const bad[] = {"${port}", "a${", "a${host", "${}", "${Host}", "${host }",
	    "${a${host}}", "${1a}", "${host\n}", "x ${a234567890123456789012345678901234}"};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		BUF_AUTO out = BUF_INIT(1000);

		assert_int_equal(buf_puts(&out, "<", NULL), 0);
		assert_int_equal(procedure_expand(cases[i][0], lookup, NULL, &out, NULL), 0);
		assert_int_equal(buf_terminate(&out, NULL), 0);
		assert_string_equal((char *)out.p + 1, cases[i][1]);
		assert_int_equal(out.n, 1 + strlen(cases[i][1]));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		BUF_AUTO out = BUF_INIT(1000);
		struct err err = ERR_INIT;

		assert_int_equal(buf_puts(&out, "<", NULL), 0);
		assert_int_equal(procedure_expand(bad[i], lookup, NULL, &out, &err), -1);
		assert_string_equal(err.code, "E-PROC-14");
		assert_int_equal(out.n, 1);
	}
}

static void a_template_without_room_fails_whole(void **state)
{
	BUF_AUTO out = BUF_INIT(10);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(procedure_expand("12345${a_1}", lookup, NULL, &out, &err), -1);
	assert_string_equal(err.code, "E-MEM-02");
	assert_int_equal(out.n, 0);
	assert_int_equal(procedure_expand("1234${a_1}", lookup, NULL, &out, &err), 0);
	assert_int_equal(out.n, 10);
}

static void kinds_have_their_words(void **state)
{
	(void)state;
	assert_string_equal(procedure_kind_word(PROCEDURE_CONFIRM), "confirm");
	assert_string_equal(procedure_kind_word(PROCEDURE_RESTORE), "restore");
	assert_string_equal(procedure_kind_word(PROCEDURE_RUN), "run");
	assert_string_equal(procedure_kind_word(PROCEDURE_CHECK), "check");
	assert_string_equal(procedure_kind_word(PROCEDURE_NOTE), "note");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_languages_mean_the_same),
	    cmocka_unit_test(what_is_text_stays_text),
	    cmocka_unit_test(ready_made_ones_are_good),
	    cmocka_unit_test(the_manuals_example_is_good),
	    cmocka_unit_test(values_are_what_their_type_says),
	    cmocka_unit_test(templates_are_filled_once),
	    cmocka_unit_test(a_template_without_room_fails_whole),
	    cmocka_unit_test(kinds_have_their_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
