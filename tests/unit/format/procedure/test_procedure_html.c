/* procedure_html: the page as independent parsers of XML and HTML read it (tests/lib/page.py): everything
 * that was written is there as text, and nothing in it can act or fetch. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/procedure/procedure.h"
#include "format/procedure/procedure_html.h"
#include "scratch.h"

/* what must stay text wherever it stands */
#define EVIL "<script>alert(1)</script> \\\"q\\\" 'a' & $(touch x) `id` ]]> --> &lt; javascript:x"
#define SEEN "<script>alert(1)</script> \"q\" 'a' & $(touch x) `id` ]]> --> &lt; javascript:x"

/* clang-format off */
#define STEP "who: \"" EVIL "\"\nwhat: \"what " EVIL "\"\nhow: |\n  line1 <b>\n  line2\npass: \"pass " EVIL "\"\nminutes: 15\n"
static const char document[] =
	"# Title <script>alert(0)</script> & 'q' *em*\n\n"
	"para <b onclick=\"x()\">bold</b> & [link](https://example.com/a?b&c \"title\") ![alt](http://example.com/x.png) <https://auto.example/>\n"
	"[js](javascript:alert(1)) <!-- comment --> [**ref**][r] &#27;ctl &#xFFFE;\n\n[r]: <file:///etc/passwd>\n\n"
	"<script>\nalert(2)\n</script>\n\n<!-- block\ncomment -->\n\n"
	"## Second\n\n- item\n- [ ] box\n\n3. three\n\n> quote\n\n```\" onclick=x <i>\n</pre><script>alert(3)</script>\n```\n\n---\n\n"
	"```procedure\nid: emr-1\nversion: \"1 \\\"<i>\"\ndataset: emr\nrto: 4h\nrpo: 24h\ncontacts: [\"call " EVIL "\"]\n"
	"variables: [{name: host, title: \"title " EVIL "\", value: \"default " EVIL "\"}, {name: none, type: name}]\n```\n"
	"```confirm\n" STEP "```\n"
	"```restore\nid: dump\n" STEP "dataset: emr\npaths: [\"" EVIL "\", '${host}']\nto: \"x<i>\"\ngeneration: latest\n```\n"
	"```run\nalways: true\n" STEP "limit: 30m\ncommand: \"echo " EVIL " ${host}\\nls\"\n```\n"
	"```check\n" STEP "value: \"value " EVIL " $$\"\ncommand: x\n```\n"
	"```note\n" STEP "```\n# Last\n";
/* clang-format on */

static const char *lookup(void *arg, const char *name)
{
	(void)arg;
	return strcmp(name, "host") ? NULL : "host " SEEN " ${none} $$";
}

static struct procedure *parse(const char *s)
{
	struct procedure *p = NULL;
	struct err err = ERR_INIT;

	if (procedure_parse("p.md", s, strlen(s), &p, NULL, &err))
		fail_msg("%s (%s)", err.msg, err.hint);
	return p;
}

/* Renders, lets both parsers check, returns what they read. */
static const char *read_page(const char *s, const struct procedure_page *page, struct buf *out)
{
	BUF_AUTO html = BUF_INIT(16 << 20);
	struct procedure *p = parse(s);
	struct err err = ERR_INIT;

	if (procedure_html(p, page, &html, &err))
		fail_msg("%s", err.msg);
	procedure_free(p);
	put_file("page.html", html.p, html.n);
	if (sh("python3 %s/lib/page.py page.html >page.txt 2>page.err", TEST_DATA)) {
		sh("cat page.err >&2");
		fail_msg("the page is not what parsers expect");
	}
	out->n = 0;
	get_file("page.txt", out);
	return (const char *)out->p;
}

static void has(const char *page, const char *what)
{
	if (!strstr(page, what))
		fail_msg("the page lacks\n%s\nin\n%s", what, page);
}

static void lacks(const char *page, const char *what)
{
	if (strstr(page, what))
		fail_msg("the page has\n%s", what);
}

static void a_blank_form_is_for_filling_in(void **state)
{
	static const char *const signatures[] = {"実施者 <i>", "立会者", "病院長"};
	const struct procedure_page page = {.signatures = signatures, .n_signatures = 3};
	BUF_AUTO out = BUF_INIT(16 << 20);
	const char *s = read_page(document, &page, &out);
	char hex[DIGEST_HEX];
	uint8_t sha[DIGEST_LEN];

	(void)state;
	has(s, "title: Title <script>alert(0)</script> & 'q' em\n");
	has(s, "h1: Title <script>alert(0)</script> & 'q' em\n");
	has(s, "p: para <b onclick=\"x()\">bold</b> & link (https://example.com/a?b&c) alt "
	       "(http://example.com/x.png) https://auto.example/\\njs (javascript:alert(1)) <!-- comment --> "
	       "ref "
	       "(file:///etc/passwd) \xef\xbf\xbd"
	       "ctl \xef\xbf\xbd\n");
	has(s, "pre: <script>\\nalert(2)\\n</script>\\n\n");
	has(s, "pre: <!-- block\\ncomment -->\\n\n");
	has(s, "pre: </pre><script>alert(3)</script>\\n\n");
	has(s, "li: call " SEEN "\n");
	has(s, "th: Recovered within (RTO)\ntd: 4 h\n");
	has(s, "th: Plan\ntd: 5 steps, 75 min\n");
	has(s, "th: Carried out by\ntd: \n");
	has(s, "th: title " SEEN "\ntd: ${host} = default " SEEN "\n");
	has(s, "th: none\ntd: ${none} = ________");
	has(s, "td: 実施者 <i>\ntd: 立会者\ntd: 病院長\n");
	has(s, "h1: Last\n");
	digest_sha256(document, strlen(document), sha);
	digest_hex(sha, 8, hex);
	has(s, "foot: emr-1 · version 1 \"<i> · SHA-256 ");
	has(s, hex);
	lacks(s, "stamp:");
	lacks(s, "procedure\nid:");
}

static void a_step_is_a_form(void **state)
{
	const struct procedure_page page = {0};
	BUF_AUTO out = BUF_INIT(16 << 20);
	const char *s = read_page(document, &page, &out);

	(void)state;
	has(s, "head: Step 1 Confirm\n"
	       "th: Who\ntd: " SEEN "\nth: What\ntd: what " SEEN "\nth: How\ntd: line1 <b>\\nline2\n"
	       "th: Pass criterion\ntd: pass " SEEN "\nth: Planned\ntd: 15 min\n"
	       "th: Result\ntd: □ Passed□ FailedBegun __:__Ended __:__Signature\n");
	has(s, "head: Step 2 Restore · dump\n");
	has(s, "th: Data set\ntd: emr\nth: Of it\ntd: " SEEN
	       "\\n${host}\nth: Generation\ntd: latest\nth: Into the folder\ntd: x<i>\n");
	has(s, "head: Step 3 Run · done also after a failure\n");
	has(s, "pre: echo " SEEN " ${host}\\nls\n");
	has(s, "th: Stopped after\ntd: 30 min\n");
	has(s, "th: Compared with\ntd: value " SEEN " $\n");
	has(s, "head: Step 5 Note\n");
}

static void a_record_is_stamped(void **state)
{
	const struct procedure_fact facts[] = {
	    {"label <i>", "found " SEEN}, {"empty", ""}, {"bytes", "a\x80\x1b\nb"}};
	const struct procedure_stamp stamps[] = {
	    {.mark = PROCEDURE_MARK_PASSED, .seconds = 0.25, .begun_ns = INT64_C(1795226400000000000)},
	    {.mark = PROCEDURE_MARK_LATE, .seconds = 3725, .facts = facts, .n_facts = 3},
	    {.mark = PROCEDURE_MARK_FAILED, .seconds = 61.9},
	    {.mark = PROCEDURE_MARK_NOT_DONE, .seconds = 99, .begun_ns = 1},
	    {.mark = PROCEDURE_MARK_NONE},
	};
	const struct procedure_page page = {.lookup = lookup,
	    .verdict = PROCEDURE_MARK_FAILED,
	    .verdict_text = "verdict " SEEN,
	    .facts = facts,
	    .n_facts = 1,
	    .stamps = stamps,
	    .footer = facts,
	    .n_footer = 2};
	BUF_AUTO out = BUF_INIT(16 << 20);
	const char *s;

	(void)state;
	setenv("TZ", "Asia/Tokyo", 1);
	s = read_page(document, &page, &out);
	unsetenv("TZ");
	has(s, "verdict: × verdict " SEEN "\n");
	has(s, "th: label <i>\ntd: found " SEEN "\n");
	has(s, "stamp: ○ Passed\n");
	has(s, "th: Begun\ntd: 2026-11-21 11:00\nth: Taken\ntd: 0.2 s\n");
	has(s, "stamp: △ Over time\n");
	has(s, "th: Taken\ntd: 1 h 2 min\nth: label <i>\ntd: found " SEEN
	       "\nth: empty\ntd: \nth: bytes\ntd: a\xef\xbf\xbd"
	       "\xef\xbf\xbd\\nb\n");
	has(s, "stamp: × Failed\n");
	has(s, "th: Taken\ntd: 1 min 1 s\n");
	has(s, "stamp: — Not done\n");
	has(s, "□ Passed□ Failed"); /* the step without a mark can still be filled in */
	/* values are filled in once, in what people read, never in a command */
	has(s, "\\nhost " SEEN " ${none} $$\nth: Generation");
	has(s, "td: ${host} = host " SEEN " ${none} $$\n");
	has(s, "pre: echo " SEEN " ${host}\\nls\n");
	lacks(s, "Carried out by");
	lacks(s, "Recovered within");
}

static void files_from_windows_are_rendered(void **state)
{
	const struct procedure_page page = {0};
	BUF_AUTO out = BUF_INIT(16 << 20);
	const char *s;

	(void)state;
	text_set_lang(TEXT_JA);
	s = read_page("\xef\xbb\xbf# 題\r\n\r\n本文\r\n\r\n```sh\r\na\r\nb\r\n```\r\n```note\r\n誰: "
		      "a\r\n何を: b\r\nどのように: "
		      "c\r\n合否条件: d\r\n予定分: 0\r\n```\r\n",
	    &page, &out);
	text_set_lang(TEXT_EN);
	has(s, "h1: 題\n");
	has(s, "p: 本文\n");
	has(s, "pre: a\\nb\\n\n");
	lacks(s, "\r");
}

static void many_and_large_ones_end(void **state)
{
	static char big[PROCEDURE_BYTES_MAX + 1];
	const struct procedure_page page = {0};
	BUF_AUTO out = BUF_INIT(64 << 20);
	char *at = big;

	(void)state;
	at += sprintf(at, "# t\n");
	for (int i = 0; i < 200; i++)
		at += sprintf(at, "```note\nwho: a\nwhat: b\nhow: c\npass: d\nminutes: 1\n```\n");
	for (int i = 0; i < 150; i++)
		at += sprintf(at, "> ");
	at += sprintf(at, "deep\n\n");
	while ((size_t)(at - big) + 8 <= PROCEDURE_BYTES_MAX)
		at += sprintf(at, "&<b> \"\n");
	has(read_page(big, &page, &out), "head: Step 200 Note\n");
}

static void a_page_without_room_fails_whole(void **state)
{
	const struct procedure_page page = {0};
	struct procedure *p = parse(document);

	(void)state;
	for (size_t max = 1; max < 12000; max += 61) {
		BUF_AUTO out = BUF_INIT(max);
		struct err err = ERR_INIT;

		assert_int_equal(buf_puts(&out, "x", NULL), 0);
		if (procedure_html(p, &page, &out, &err)) {
			assert_string_equal(err.code, "E-MEM-02");
			assert_int_equal(out.n, 1);
		}
	}
	procedure_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_blank_form_is_for_filling_in),
	    cmocka_unit_test(a_step_is_a_form),
	    cmocka_unit_test(a_record_is_stamped),
	    cmocka_unit_test(files_from_windows_are_rendered),
	    cmocka_unit_test(many_and_large_ones_end),
	    cmocka_unit_test(a_page_without_room_fails_whole),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
