/* checklist: the editions that are installed: their quotes are the ministry's words, 3-② is computed; what is malformed is refused at its place;
 * "3-2" is 3-②. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "faults.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/policy/checklist.h"

/* As they stand in the founding documents, to the character; an edition may quote nothing else of these items. */
static const char *const quotes[][2] = {{"2-④", "管理者権限対象者の明確化を行っている"},
    {"2-⑦", "パスワードは英数字、記号が混在した8文字以上とし、定期的に変更している。※二要素認証、または13文字"
	    "以上の場合は定期的な変更は不要"},
    {"2-⑧", "パスワードの使い回しを禁止している。"},
    {"2-⑨", "USBストレージ等の外部記録媒体や情報機器に対して接続を制限している。"},
    {"2-⑩", "二要素認証を実装している。または令和9年度までに実装予定である。"},
    {"2-⑫", "バックグラウンドで動作している不要なソフトウェア及びサービスを停止している。"},
    {"3-②", "インシデント発生時に診療を継続するために必要な情報を検討し、データやシステムのバックアップの実施"
	    "と復旧手順を確認している"},
    {"4-①", "上記1-3のすべての項目について、具体的な実施方法を運用管理規程等に定めている。"}};

static void the_seventh_edition_quotes_exactly(void **state)
{
	BUF_AUTO b = BUF_INIT(CHECKLIST_BYTES_MAX);
	struct checklist *c = NULL;
	struct err err = ERR_INIT;
	size_t quoted = 0, computed = 0;
	(void)state;

	assert_int_equal(
	    io_read_file(AT_FDCWD, TEST_DATA "/../policies/checklists/" CHECKLIST_DEFAULT ".yaml", &b, &err),
	    0);
	if (checklist_parse("R7.yaml", (const char *)b.p, b.n, &c, NULL, &err))
		fail_msg("%s", err.msg);
	assert_string_equal(c->edition, CHECKLIST_DEFAULT);
	for (size_t i = 0; i < c->n_items; i++) {
		const struct checklist_item *it = &c->items[i];
		bool found = false;

		for (size_t k = 0; k < sizeof(quotes) / sizeof(*quotes) && it->quote; k++)
			found |= !strcmp(it->number, quotes[k][0]) && !strcmp(it->quote, quotes[k][1]);
		if (it->quote && !found)
			fail_msg("%s is quoted as '%s'", it->number, it->quote);
		quoted += found;
		computed += it->kind == CHECKLIST_COMPUTED;
		assert_int_equal(it->kind == CHECKLIST_COMPUTED, !strcmp(it->number, "3-②"));
	}
	assert_int_equal(quoted, sizeof(quotes) / sizeof(*quotes));
	assert_int_equal(computed, 1);
	checklist_free(c);
}

static void numbers_are_typed_in_two_ways(void **state)
{
	(void)state;
	assert_true(
	    checklist_same("3-②", "3-2") && checklist_same("3-②", "3-②") && checklist_same("2-⑫", "2-12"));
	assert_false(checklist_same("3-②", "3-1") || checklist_same("2-⑫", "2-1") ||
		     checklist_same("2-①", "2-12") || checklist_same("3-②", "3-②a") ||
		     checklist_same("", "1") || checklist_same("3-②", "32"));
	assert_true(checklist_same("2-⑳", "2-20"));
}

/* clang-format off */
#define E(items) "edition: R8\ntitle: t\nitems:\n" items "\n"
static const struct bad table[] = {
	{"edition: R8\ntitle: t\n", 1, 1, "09", "the checklist has no 'items'", "", 0},
	{"title: t\nitems: [{number: 1-①, gist: x}]\n", 1, 1, "09", "no 'edition'", "", 0},
	{"- a\n", 1, 1, "07", "must be a table of keys", "", 0},
	{E("  - {number: 1-①}"), 4, 5, "09", "either a 'quote' or a 'gist'", "", 0},
	{E("  - {number: 1-①, quote: a, gist: b}"), 4, 5, "09", "either", "", 0},
	{E("  - {gist: b}"), 4, 5, "09", "an item of the checklist has no 'number'", "", 0},
	{E("  - {number: 1-①, gist: a}\n  - {number: 1-1, gist: b}"), 5, 5, "12", "'1-1' is taken", "line 4", 0},
	{E("  - {number: 1-①, gist: a, kind: guessed}"), 4, 34, "19", "'guessed' is unknown", "assisted, computed", 0},
	{E("  - {number: 1-①, gist: a, documents: [../x]}"), 4, 40, "11", "'../x' is not a plain file name", "", 0},
	{E("  - {number: 1-①, gist: a, answer: yes}"), 4, 28, "08", "unknown key 'answer'", "", 0},
	{E("  - {number: 1-①, gist: \"a\x1b\"}"), 4, 27, "02", "", "", 0},
};
/* clang-format on */

static int parse(const char *name, const char *text, struct config_problems *problems, struct err *err)
{
	struct checklist *c = NULL;
	int r = checklist_parse(name, text, strlen(text), &c, problems, err);

	assert_true(r == 0 || !c);
	checklist_free(c);
	return r;
}

static void every_fault_is_refused_at_its_place(void **state)
{
	(void)state;
	faults_are_refused("R8.yaml", "E-POLICY-", table, sizeof(table) / sizeof(*table), parse);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_seventh_edition_quotes_exactly),
	    cmocka_unit_test(numbers_are_typed_in_two_ways),
	    cmocka_unit_test(every_fault_is_refused_at_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
