/* procedure: what is refused, where it says the fault stands, and what it says.
 *
 * Each row is a whole document with one fault (or the number of errors given), its line and column, its code,
 * and a part of the message and of the hint that the person sees. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "faults.h"
#include "base/err.h"
#include "base/text.h"
#include "format/procedure/procedure.h"

#define STEP "who: a\nwhat: b\nhow: c\npass: d\nminutes: 1\n"
#define GOOD "\n```confirm\n" STEP "```\n"
/* keys of a block: its first line is 3, its keys begin in the next */
#define B(kind, keys) "# t\n\n```" kind "\n" keys "\n```\n"
/* keys behind those that every step has: in line 9 */
#define S(kind, keys) B(kind, STEP keys)
#define H(keys)	      B("procedure", keys) GOOD	   /* in line 4 */
#define V(keys)	      H("variables: [{" keys "}]") /* from column 14 */

/* clang-format off */
static const struct bad table[] = {
	/* 01: the file */
	{"", 1, 1, "01", "holds no procedure", "ready-made", 0},
	{" \r\n\t\n", 1, 1, "01", "holds no procedure", "", 0},
	{"\xef\xbb\xbf", 1, 1, "01", "holds no procedure", "", 0},
	{"# \x8e\x96\n" GOOD, 1, 3, "01", "not UTF-8 (byte 0x8e)", "Shift_JIS", 0},
	{"\xef\xbb\xbf# 電\xe3\x81\n" GOOD, 1, 4, "01", "not UTF-8", "", 0},
	{"# t\rx" GOOD, 1, 4, "01", "U+000D", "", 0},
	{"# t\x1b[31m\n" GOOD, 1, 4, "01", "U+001B", "delete", 0},
	{"# t\n" GOOD "\xef\xbb\xbfx", 10, 1, "01", "U+FEFF", "", 0},
	/* 02: title */
	{"t\n" GOOD, 1, 1, "02", "no title", "# ", 0},
	{"## t\n" GOOD, 1, 1, "02", "no title", "", 0},
	{"#t\n" GOOD, 1, 1, "02", "no title", "", 0},
	{"#\n" GOOD, 1, 1, "02", "no title", "", 0},
	{"> # t\n" GOOD, 1, 1, "02", "no title", "", 0},
	{"- # t\n" GOOD, 1, 1, "02", "no title", "", 0},
	/* 03: steps */
	{"# t\n", 1, 1, "03", "no step", "bkp-procedure(5)", 0},
	{"# t\n\n```sh\nls\n```\n", 1, 1, "03", "no step", "", 0},
	{B("procedure", "id: x"), 1, 1, "03", "no step", "", 0},
	/* 04: what only looks like a step */
	{"# t\n" GOOD "```retore\nx\n```\n", 10, 1, "04", "looks like a step", "```restore", 0},
	{"# t\n" GOOD "```Restore\nx\n```\n", 10, 1, "04", "looks like a step", "```restore", 0},
	{"# t\n" GOOD "```ｒｅｓｔｏｒｅ\nx\n```\n", 10, 1, "04", "looks like a step", "```restore", 0},
	{"# t\n" GOOD "```確認\nx\n```\n", 10, 1, "04", "looks like a step", "```confirm", 0},
	{"# t\n" GOOD "```リストア\nx\n```\n", 10, 1, "04", "looks like a step", "```restore", 0},
	{"# t\n" GOOD "```run foo\nx\n```\n", 10, 1, "04", "looks like a step", "```run", 0},
	{"# t\n" GOOD "```run　foo\nx\n```\n", 10, 1, "04", "looks like a step", "```run", 0},
	{"# t\n" GOOD "```restore:\nx\n```\n", 10, 1, "04", "looks like a step", "```restore", 0},
	{"# t\n" GOOD "```{.check}\nx\n```\n", 10, 1, "04", "looks like a step", "```check", 0},
	{"# t\n" GOOD "```proceduer\nx\n```\n", 10, 1, "04", "looks like a step", "```procedure", 0},
	{"# t\n" GOOD "~~~ chekc\nx\n~~~\n", 10, 1, "04", "looks like a step", "```check", 0},
	{"# t\n" GOOD " ```run\nx\n ```\n", 10, 2, "04", "looks like a step", "left margin", 0},
	{"# t\n" GOOD "\t```run\n\tx\n", 10, 2, "04", "looks like a step", "", 0},
	{"# t\n" GOOD "\n    ```run\n    x\n    ```\n", 11, 5, "04", "looks like a step", "", 0},
	{"# t\n" GOOD "- ```run\n  x\n  ```\n", 10, 3, "04", "looks like a step", "", 0},
	{"# t\n" GOOD "- あ\n  - い\n\n    ```run\n    x\n    ```\n", 13, 5, "04", "looks like a step", "", 0},
	{"# t\n" GOOD "1. ```restore\n   x\n   ```\n", 10, 4, "04", "looks like a step", "", 0},
	{"# t\n" GOOD "> ```run\n> x\n> ```\n", 10, 3, "04", "looks like a step", "", 0},
	{"# t\n" GOOD "para\n    ```run\n    x\n    ```\n", 11, 5, "04", "looks like a step", "", 0},
	{"# t\n" GOOD "<div>\n```run\nx\n```\n</div>\n", 11, 1, "04", "looks like a step", "", 0},
	{"# t\n" GOOD "<!--\n```run\nx\n```\n-->\n", 11, 1, "04", "looks like a step", "", 0},
	{"# t\n" GOOD "```run\n" STEP "command: x\n", 10, 1, "04", "never closed", "close it", 0},
	{"# t\n" GOOD "````run\n" STEP "command: x\n```\n", 10, 1, "04", "never closed", "", 0},
	{"# t\n" GOOD "```run\n" STEP "command: x\n~~~\n", 10, 1, "04", "never closed", "", 0},
	{"# t\n" GOOD "```run\n" STEP "command: x\n\n```note\n" STEP "```\n", 18, 1, "04", "inside the one of line 10", "close that one", 0},
	/* 05: YAML */
	{S("confirm", "id: @x"), 9, 5, "05", "cannot stand here", "quotes", 0},
	{B("confirm", "who：a\nwhat: b"), 5, 5, "05", "where no key", "full-width colon", 0},
	{B("confirm", "who: a\n\twhat: b"), 5, 1, "05", "", "not tabs", 0},
	{S("run", "command: &a x"), 9, 10, "05", "anchor", "", 0},
	{S("run", "command: !!str x"), 9, 10, "05", "tag", "", 0},
	{S("confirm", "---\nid: x"), 9, 1, "05", "second document", "---", 0},
	{S("run", "command: [x"), 10, 1, "05", "not closed", "close it", 0},
	/* 06: kinds */
	{B("confirm", "just words"), 4, 1, "06", "'a confirm step' must be a table", "", 0},
	{B("note", "- who: a"), 4, 1, "06", "'a note' must be a table", "", 0},
	{B("procedure", "x") GOOD, 4, 1, "06", "'the procedure' must be a table", "", 0},
	{B("confirm", "who: [a]\nwhat: b\nhow: c\npass: d\nminutes: 1"), 4, 6, "06", "'who' must be a single value", "", 0},
	{S("restore", "dataset: x\npaths: a"), 10, 8, "06", "'paths' must be a list", "", 0},
	{S("confirm", "always: yes"), 9, 9, "06", "'yes' is unknown for 'always'", "false, true", 0},
	{H("contacts: 内線 10"), 4, 11, "06", "'contacts' must be a list", "", 0},
	{H("variables: [a]"), 4, 13, "06", "list of tables", "", 0},
	{V("name: x, type: txt"), 4, 29, "06", "'txt' is unknown for 'type'", "'text'", 0},
	/* 07: keys */
	{S("confirm", "wo: x"), 9, 1, "07", "unknown key 'wo'", "'who'", 0},
	{S("confirm", "予定: 1"), 9, 1, "07", "unknown key '予定'", "", 0},
	{S("confirm", "command: x"), 9, 1, "07", "unknown key 'command'", "belongs to a run step", 0},
	{S("run", "command: x\ndataset: y"), 10, 1, "07", "unknown key", "belongs to", 0},
	{S("run", "command: x\nprobe: y"), 10, 1, "07", "unknown key", "belongs to a check step", 0},
	{S("restore", "dataset: x\nlimit: 1h"), 10, 1, "07", "unknown key", "belongs to a run step", 0},
	{H("rto: 1h\ntitle: x"), 5, 1, "07", "unknown key 'title'", "belongs to a variable", 0},
	{S("confirm", "colour: red"), 9, 1, "07", "unknown key", "a confirm step has: who, what", 0},
	/* 08: what is missing */
	{B("confirm", "what: b\nhow: c\npass: d\nminutes: 1"), 4, 1, "08", "a confirm step has no 'who'", "add the key 'who'", 0},
	{B("note", "誰: a\n何を: b\nどのように: c\n合否条件: d"), 4, 1, "08", "a note has no 'minutes'", "", 0},
	{B("confirm", ""), 3, 1, "08", "empty", "bkp-procedure(5)", 0},
	{B("confirm", "# only a comment"), 3, 1, "08", "empty", "", 0},
	{S("restore", "to: x"), 4, 1, "08", "a restore step has no 'dataset'", "", 0},
	{S("run", "limit: 1h"), 4, 1, "08", "a run step has no 'command'", "", 0},
	{S("check", "value: x"), 4, 1, "08", "a check step has no 'command'", "", 0},
	{V("title: x"), 4, 13, "08", "a variable has no 'name'", "", 0},
	{B("procedure", "") GOOD, 3, 1, "08", "empty", "", 0},
	/* 09: twice */
	{S("confirm", "who: e"), 9, 1, "09", "'who' stands twice", "line 4", 0},
	{S("confirm", "誰: e"), 9, 1, "09", "'who' and '誰' are the same key", "line 4", 0},
	{B("note", "誰: a\n何を: b\nどのように: c\n合否条件: d\n予定分: 1\nminutes: 2"), 9, 1, "09", "'予定分' and 'minutes'", "line 8", 0},
	/* 10: texts */
	{"# t&#27;x\n" GOOD, 1, 1, "10", "title", "", 0},
	{B("confirm", "who:\nwhat: b\nhow: c\npass: d\nminutes: 1"), 4, 5, "10", "'who' has no value", "", 0},
	{B("confirm", "who: a\nwhat: ' '\nhow: c\npass: d\nminutes: 1"), 5, 7, "10", "'what' has no value", "", 0},
	{B("confirm", "who: \"a\\nb\"\nwhat: b\nhow: c\npass: d\nminutes: 1"), 4, 6, "10", "control character", "one line", 0},
	{B("confirm", "who: a\nwhat: \"\\e\"\nhow: c\npass: d\nminutes: 1"), 5, 7, "10", "control character", "", 0},
	{S("run", "command: \"a\\0b\""), 9, 10, "10", "NUL", "", 0},
	{S("run", "command: ''"), 9, 10, "10", "'command' has no value", "", 0},
	{S("check", "command: x\nvalue: null"), 10, 8, "10", "'value' has no value", "", 0},
	{H("contacts: []"), 4, 11, "10", "'contacts' has no value", "", 0},
	{H("version: \"a\\tb\""), 4, 10, "10", "control character", "", 0},
	{V("name: x, value: \"a\\tb\""), 4, 30, "10", "control character", "", 0},
	/* 11: quantities */
	{B("confirm", "who: a\nwhat: b\nhow: c\npass: d\nminutes: １５"), 8, 10, "11", "'１５' is not a whole number", "half-width", 0},
	{B("confirm", "who: a\nwhat: b\nhow: c\npass: d\n予定分: １５"), 8, 6, "11", "'１５' is not a whole number", "half-width", 0},
	{B("confirm", "who: a\nwhat: b\nhow: c\npass: d\nminutes: 15m"), 8, 10, "11", "'15m' is not a whole number", "0 to 10080", 0},
	{B("confirm", "who: a\nwhat: b\nhow: c\npass: d\nminutes: 10081"), 8, 10, "11", "out of range", "0 to 10080", 0},
	{B("confirm", "who: a\nwhat: b\nhow: c\npass: d\nminutes: -1"), 8, 10, "11", "not a whole number", "", 0},
	{S("run", "command: x\nlimit: 30"), 10, 8, "11", "'30' is not a duration", "24h", 0},
	{S("run", "command: x\nlimit: ３０m"), 10, 8, "11", "is not a duration", "half-width", 0},
	{S("run", "command: x\nlimit: 0m"), 10, 8, "11", "out of range", "", 0},
	{H("rto: 1y"), 4, 6, "11", "not a duration", "", 0},
	{S("restore", "dataset: x\ngeneration: newest"), 10, 13, "11", "'newest' does not say which generation", "latest", 0},
	{S("restore", "dataset: x\ngeneration: 0"), 10, 13, "11", "'0'", "", 0},
	{S("restore", "dataset: x\ngeneration: x@1"), 10, 13, "11", "'x@1'", "2026-11-20", 0},
	{S("restore", "dataset: x\ngeneration: 2026-13-01"), 10, 13, "11", "'2026-13-01'", "", 0},
	{S("restore", "dataset: x\ngeneration: ${generation}"), 10, 13, "11", "'${generation}'", "the drill's", 0},
	{V("name: x, type: number, value: 1.5"), 4, 44, "11", "'1.5' is not a value", "18", 0},
	{V("name: x, type: number, value: '1234567890123456789'"), 4, 44, "11", "", "18", 0},
	/* 12: names */
	{S("confirm", "id: a b"), 9, 5, "12", "'a b' cannot be an id", "letters", 0},
	{S("confirm", "id: 確認"), 9, 5, "12", "'確認' cannot be an id", "", 0},
	{H("id: -x"), 4, 5, "12", "cannot be an id", "", 0},
	{H("dataset: EMR"), 4, 10, "12", "cannot be the name of a data set", "", 0},
	{S("restore", "dataset: EMR"), 9, 10, "12", "'EMR' cannot be the name of a data set", "", 0},
	{S("restore", "dataset: ../x"), 9, 10, "12", "'../x'", "", 0},
	{S("check", "command: x\nprobe: a b"), 10, 8, "12", "'a b'", "", 0},
	{V("name: X"), 4, 20, "12", "'X' cannot be the name of a variable", "small letters", 0},
	{V("name: a-b"), 4, 20, "12", "'a-b'", "", 0},
	{V("name: a23456789012345678901234567890123"), 4, 20, "12", "", "at most 32", 0},
	{V("name: x, type: name, value: '../x'"), 4, 42, "12", "not a value", "", 0},
	/* 13: twice */
	{"# t\n" GOOD "\n```note\nid: '1'\n" STEP "```\n", 12, 5, "13", "'1' is taken", "line 3", 0},
	{"# t\n\n```note\nid: '2'\n" STEP "```\n" GOOD, 12, 1, "13", "'2' is taken", "line 3", 0},
	{"# t\n\n```note\nid: x\n" STEP "```\n\n```note\nid: x\n" STEP "```\n", 13, 5, "13", "'x' is taken", "", 0},
	{H("variables: [{name: a}, {name: a}]"), 4, 31, "13", "'a' is declared twice", "line 4", 0},
	/* 14: templates */
	{B("confirm", "who: ${x}\nwhat: b\nhow: c\npass: d\nminutes: 1"), 4, 6, "14", "'x' is not declared", "variables", 0},
	{B("confirm", "who: a\n何を: a${x\nhow: c\npass: d\nminutes: 1"), 5, 5, "14", "'${x' is not closed", "$${", 0},
	{B("confirm", "who: a\nwhat: b\nhow: ${}\npass: d\nminutes: 1"), 6, 6, "14", "'${}' is not closed, or holds no name", "", 0},
	{B("confirm", "who: a\nwhat: b\nhow: c\npass: ${X}\nminutes: 1"), 7, 7, "14", "'${X}'", "", 0},
	{B("confirm", "who: a\nwhat: b\nhow: $$${x}\npass: d\nminutes: 1"), 6, 6, "14", "'x' is not declared", "", 0},
	{S("restore", "dataset: ${x}"), 9, 10, "14", "'x'", "", 0},
	{S("restore", "dataset: x\npaths: [a, '${x}']"), 10, 12, "14", "'x'", "", 0},
	{S("restore", "dataset: x\nto: ${x}"), 10, 5, "14", "'x'", "", 0},
	{S("restore", "dataset: x\ngeneration: ${x}"), 10, 13, "14", "'x'", "", 0},
	{S("check", "command: y\nvalue: ${x}"), 10, 8, "14", "'x'", "", 0},
	{S("check", "command: y\nprobe: ${x}"), 10, 8, "14", "'x'", "", 0},
	/* 15: what does not fit together */
	{S("check", "command: x\nprobe: a\nvalue: b"), 11, 1, "15", "'probe' and 'value'", "keep 'probe'", 0},
	/* 16: paths */
	{S("restore", "dataset: x\nto: /tmp"), 10, 5, "16", "'/tmp' leads out", "", 0},
	{S("restore", "dataset: x\nto: a/../../b"), 10, 5, "16", "leads out", "", 0},
	{S("restore", "dataset: x\nto: ."), 10, 5, "16", "leads out", "", 0},
	{S("restore", "dataset: x\nto: a//b"), 10, 5, "16", "leads out", "", 0},
	{S("restore", "dataset: x\nto: ${scratch}/x"), 10, 5, "16", "leads out", "", 0},
	{S("restore", "dataset: x\npaths: ['../a']"), 10, 9, "16", "'../a' can select nothing", "", 0},
	{S("restore", "dataset: x\npaths: [a, /]"), 10, 12, "16", "'/' can select nothing", "", 0},
	{V("name: x, type: path, value: a/b"), 4, 42, "16", "'a/b' is not a value", "realpath", 0},
	{V("name: x, type: path, value: /a/../b"), 4, 42, "16", "", "", 0},
	{V("name: x, type: path, value: /a/"), 4, 42, "16", "", "", 0},
	/* 17: the head */
	{"# t\n" GOOD "```procedure\nid: x\n```\n", 10, 1, "17", "behind a step", "line 3", 0},
	{B("procedure", "id: x") "```procedure\nid: y\n```\n" GOOD, 6, 1, "17", "stands twice", "line 3", 0},
	/* 18: too many (steps, variables: below) */
	{S("restore", "dataset: x\npaths: [[[[[[[[[[[[[[[[a]]]]]]]]]]]]]]]]"), 10, 23, "18", "16 levels", "", 0},
	/* 19: words of the engine */
	/* gates, scans, selections */
	{S("gate", "people: 2"), 4, 1, "08", "'role'", "role", 0},
	{S("gate", "role: a\npeople: 0"), 10, 9, "11", "", "", 0},
	{S("gate", "role: a\nalways: true"), 10, 1, "15", "never done after a failure", "always", 0},
	{S("gate", "role: a\ncommand: x"), 10, 1, "07", "command", "", 0},
	{S("gate", "role: a\ntext: ${x}"), 10, 7, "14", "'x'", "variables", 0},
	{S("scan", "id: x"), 4, 1, "08", "'command'", "", 0},
	{S("restore", "dataset: a\nselect: oldest"), 10, 9, "11", "does not say how to choose", "newest-before", 0},
	{S("restore", "dataset: a\nselect: newest-before 2026-02-30"), 10, 9, "11", "does not say how", "", 0},
	{S("restore", "dataset: a\nselect: latest\ngeneration: 2"), 10, 9, "15", "'generation' and 'select'", "keep", 0},
	{S("restore", "dataset: a\npriority: 100"), 10, 11, "11", "", "", 0},
	{H("target: x"), 4, 9, "14", "'x' is no variable of type path", "declare", 0},
	{S("restore", "dataset: a") "\n```run\n" STEP "command: x\n```\n```scan\n" STEP "command: x\n```\n", 12, 1, "21",
	    "before what was restored in line 3 is scanned in line 20", "quarantine", 0},
	{V("name: scratch"), 4, 20, "19", "'scratch' is a name that bkp-restore itself fills in", "another name", 0},
	{V("name: procedure"), 4, 20, "19", "'procedure'", "", 0},
	/* places are right whatever stands around */
	{"\xef\xbb\xbf# t\r\n\r\n```confirm\r\nwho: a\r\nwhat: b\r\nhow: c\r\npass: d\r\nminutes: x\r\n```\r\n", 8, 10, "11", "'x'", "", 0},
	{"\xef\xbb\xbf```note\nwho: a\nwhat: b\nhow: c\npass: d\nminutes: x\n```\n# t\n", 6, 10, "11", "'x'", "", 0},
	{"# t\n\ntext\n~~~~note\nwho: a\nwhat: b\nhow: c\npass: d\n電: x\n~~~~~\n", 9, 1, "07", "'電'", "", 2},
	/* several at once: all are told, in order */
	{"t\n\n```retore\nx\n```\n\n```run\n" STEP "limit: x\n```\n", 1, 1, "02", "no title", "", 4},
};
/* clang-format on */

static int parse(const char *name, const char *text, struct config_problems *problems, struct err *err)
{
	struct procedure *p = NULL;
	int r = procedure_parse(name, text, strlen(text), &p, problems, err);

	assert_true(r == 0 || !p);
	procedure_free(p);
	return r;
}

static void every_fault_is_refused_at_its_place(void **state)
{
	(void)state;
	faults_are_refused("p.md", "E-PROC-", table, sizeof(table) / sizeof(*table), parse);
}

/* ---- what is too many or too large ---- */

static char *repeat(const char *head, const char *part, size_t times, const char *tail)
{
	size_t n = strlen(part);
	char *s = malloc(strlen(head) + n * times + strlen(tail) + 1), *at = s;

	assert_non_null(s);
	at += sprintf(at, "%s", head);
	for (size_t i = 0; i < times; i++, at += n)
		memcpy(at, part, n);
	sprintf(at, "%s", tail);
	return s;
}

static void refused(char *s, const char *code, unsigned line, unsigned column)
{
	static struct config_problems problems;
	struct procedure *p = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(procedure_parse("p.md", s, strlen(s), &p, &problems, &err), -1);
	assert_int_equal(problems.n_errors, 1);
	assert_string_equal(problems.item[0].code, code);
	assert_int_equal(problems.item[0].mark.line, line);
	assert_int_equal(problems.item[0].mark.column, column);
	free(s);
}

static void accepted(char *s, size_t steps)
{
	struct procedure *p = NULL;
	struct err err = ERR_INIT;

	if (procedure_parse("p.md", s, strlen(s), &p, NULL, &err))
		fail_msg("%s (%s)", err.msg, err.hint);
	assert_int_equal(p->n_steps, steps);
	assert_int_equal(p->minutes, steps);
	procedure_free(p);
	free(s);
}

static void ceilings_hold(void **state)
{
	struct procedure *p = NULL;
	struct err err = ERR_INIT;

	(void)state;
	accepted(repeat("# t\n", "```note\n" STEP "```\n", 200, ""), 200);
	refused(repeat("# t\n", "```note\n" STEP "```\n", 201, ""), "E-PROC-18", 1402, 1);
	refused(repeat("# t\n", "```note\n" STEP "```\n", 250, ""), "E-PROC-18", 1402, 1);
	refused(strdup("# t\n```procedure\nvariables:\n- name: a\n- name: a\n```\n" GOOD), "E-PROC-13", 5, 9);
	accepted(
	    repeat("# t\n```note\nwho: '", "a", 400, "'\nwhat: b\nhow: c\npass: d\nminutes: 1\n```\n"), 1);
	refused(repeat("# t\n```note\nwho: '", "a", 401, "'\nwhat: b\nhow: c\npass: d\nminutes: 1\n```\n"),
	    "E-PROC-10", 3, 6);
	accepted(repeat("# t\n```note\n"
			"who: a\nwhat: b\nhow: '",
		     "a", 4096, "'\npass: d\nminutes: 1\n```\n"),
	    1);
	refused(repeat("# t\n```note\n"
		       "who: a\nwhat: b\nhow: '",
		    "a", 4097, "'\npass: d\nminutes: 1\n```\n"),
	    "E-PROC-10", 5, 6);
	accepted(repeat("# t\n```run\n" STEP "command: '", "a", 16384, "'\n```\n"), 1);
	refused(repeat("# t\n```run\n" STEP "command: '", "a", 16385, "'\n```\n"), "E-PROC-10", 8, 10);
	refused(repeat("# ", "a", 401, "\n" GOOD), "E-PROC-10", 1, 1);
	accepted(repeat("# t\n" GOOD, "x", PROCEDURE_BYTES_MAX - strlen("# t\n" GOOD), ""), 1);
	refused(
	    repeat("# t\n" GOOD, "x", PROCEDURE_BYTES_MAX - strlen("# t\n" GOOD) + 1, ""), "E-PROC-01", 1, 1);
	refused(repeat("# t\n```restore\n" STEP "dataset: x\npaths: [", "a,", 4097, "]\n```\n"), "E-PROC-18",
	    9, 8201);
	/* NUL is no text, wherever it stands */
	assert_int_equal(procedure_parse("p.md", "\0\0", 2, &p, NULL, &err), -1);
	assert_int_equal(
	    procedure_parse("p.md", "# t\n" GOOD "\0", sizeof("# t\n" GOOD), &p, NULL, &err), -1);
	assert_string_equal(err.code, "E-PROC-01");
	assert_null(p);
}

static void variables_have_a_ceiling(void **state)
{
	char s[8192], *at = s;

	(void)state;
	for (unsigned n = 64; n <= 65; n++) {
		at = s + sprintf(s, "# t\n```procedure\nvariables:\n");
		for (unsigned i = 0; i < n; i++)
			at += sprintf(at, "- {name: v%u}\n", i);
		sprintf(at, "```\n" GOOD);
		if (n == 64)
			accepted(strdup(s), 1);
		else
			refused(strdup(s), "E-PROC-18", 68, 3);
	}
}

/* Depth and width that would hurt a parser that recurses or backtracks. */
static void hostile_documents_end(void **state)
{
	static const char *const parts[] = {"> ", "- ", "[", "![[]()", "*a ", "`a``", "a <?x ", "<div>\n",
	    "#", "```\n", "~~~run\n", "&amp;", "| ", "    ", "\t", "1. ", "\\"};

	(void)state;
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		char *s = repeat("# t\n" GOOD, parts[i], 60000 / strlen(parts[i]), "\n");
		struct procedure *p = NULL;

		if (procedure_parse("p.md", s, strlen(s), &p, NULL, NULL) == 0)
			assert_int_equal(p->n_steps, 1);
		procedure_free(p);
		free(s);
	}
}

static void a_japanese_reader_is_told_japanese_keys(void **state)
{
	static struct config_problems problems;
	const char *s = B("confirm", "what: b\nhow: c\npass: d\nminutes: 1");
	struct procedure *p = NULL;

	(void)state;
	text_set_lang(TEXT_JA);
	assert_int_equal(procedure_parse("p.md", s, strlen(s), &p, &problems, NULL), -1);
	text_set_lang(TEXT_EN);
	assert_non_null(strstr(problems.item[0].msg, "誰"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_fault_is_refused_at_its_place),
	    cmocka_unit_test(ceilings_hold),
	    cmocka_unit_test(variables_have_a_ceiling),
	    cmocka_unit_test(hostile_documents_end),
	    cmocka_unit_test(a_japanese_reader_is_told_japanese_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
