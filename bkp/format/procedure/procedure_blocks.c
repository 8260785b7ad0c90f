/* procedure: the document (libcmark): its title, the blocks that the engine acts on, and those that only look
 * like one (see procedure.h).
 *
 * A step that is silently taken for text would be left out of a recovery.  So beside the blocks that cmark
 * finds, every line that looks like the fence of a step and is not inside a fenced block is looked at too: it
 * may stand in raw HTML, be indented so far that it is text, or continue a paragraph. */
#include <stdlib.h>
#include <string.h>

#include <cmark.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/show/suggest.h"
#include "base/width.h"
#include "format/config/config_problem.h"
#include "format/config/config_value.h"
#include "format/procedure/procedure_private.h"

#define TITLE_MAX  400
#define HEAD_WORD  7 /* index in words[] */
#define WORDS	   8
#define INFO_SHOWN 64

static const char *const words[WORDS] = {
    "confirm", "restore", "run", "check", "note", "gate", "scan", "procedure"};

struct line {
	const char *s;
	size_t n;     /* without the line end */
	bool covered; /* part of a fenced block */
};

struct scan {
	struct line *line; /* line[1…n] */
	size_t n;
	struct config_problems *problems;
};

const char *procedure_kind_word(enum procedure_kind k)
{
	return words[k];
}

/* ---- words behind a fence ---- */

/* The first word of n bytes in small letters, full-width ones made half-width; what people might have typed
 * around it ("{.restore}", "restore:") left out. */
static void first_word(const char *s, size_t n, char out[INFO_SHOWN])
{
	size_t used = 0;
	uint32_t cp;

	for (; n && used + 5 < INFO_SHOWN;) {
		size_t len = width_decode(s, n, &cp);
		bool letter;

		if (cp >= 0xff01 && cp <= 0xff5e)
			cp -= 0xfee0;
		if (cp >= 'A' && cp <= 'Z')
			cp += 'a' - 'A';
		letter = (cp >= 'a' && cp <= 'z') || (cp >= 0x80 && cp != 0x3000 && cp != UINT32_MAX);
		if (!letter && used)
			break;
		if (letter && cp < 0x80)
			out[used++] = (char)cp;
		else if (letter) {
			memcpy(out + used, s, len);
			used += len;
		}
		s += len;
		n -= len;
	}
	out[used] = '\0';
}

/* The word of a step that this one was meant to be, or NULL: then the block is text. */
static const char *meant_word(const char *word)
{
	static const char *const japanese[][2] = {{"確認", "confirm"}, {"復旧", "restore"},
	    {"復元", "restore"}, {"リストア", "restore"}, {"実行", "run"}, {"検証", "check"},
	    {"検査", "check"}, {"照合", "check"}, {"点検", "check"}, {"チェック", "check"}, {"注意", "note"},
	    {"注記", "note"}, {"備考", "note"}, {"メモ", "note"}, {"復旧前確認", "gate"},
	    {"スキャン", "scan"}, {"ウイルス検査", "scan"}, {"手順", "procedure"}, {"手順書", "procedure"},
	    {"復旧手順", "procedure"}, {"復旧手順書", "procedure"}};
	/* words of plain code that are near to one of ours by accident */
	static const char *const others[] = {"node", "none", "bun", "config"};
	size_t i;

	for (i = 0; i < sizeof(japanese) / sizeof(*japanese); i++)
		if (!strcmp(word, japanese[i][0]))
			return japanese[i][1];
	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (!strcmp(word, others[i]))
			return NULL;
	return suggest_word(word, words, WORDS);
}

static const char *meant_by(const char *info, size_t n)
{
	char word[INFO_SHOWN];

	first_word(info, n, word);
	return *word ? meant_word(word) : NULL;
}

/* ---- lines ---- */

static int split_lines(struct scan *scan, const char *p, size_t n, struct err *err)
{
	const char *end = p + n, *q;
	size_t count = 1;

	for (q = p; (q = memchr(q, '\n', (size_t)(end - q))); q++)
		count++;
	scan->line = calloc(count + 1, sizeof(*scan->line));
	if (!scan->line)
		return err_nomem(err);
	scan->n = count;
	for (count = 1; count <= scan->n; count++) {
		q = memchr(p, '\n', (size_t)(end - p));
		scan->line[count].s = p;
		scan->line[count].n = (size_t)((q ? q : end) - p);
		if (scan->line[count].n && p[scan->line[count].n - 1] == '\r')
			scan->line[count].n--;
		p = q ? q + 1 : end;
	}
	return 0;
}

/* cmark counts columns in bytes. */
static struct config_mark mark_at(const struct line *line, size_t number, size_t byte)
{
	struct config_mark mark = {(unsigned)number, 1};
	size_t i = 0;
	uint32_t cp;

	while (i < byte && i < line->n) {
		i += width_decode(line->s + i, line->n - i, &cp);
		mark.column++;
	}
	return mark;
}

/* How many fence characters (``` or ~~~) stand at s; 0 when fewer than three. */
static size_t fence_length(const char *s, size_t n)
{
	size_t i = 0;

	if (n && (*s == '`' || *s == '~'))
		while (i < n && s[i] == *s)
			i++;
	return i >= 3 ? i : 0;
}

static void not_alone(const struct scan *scan, struct config_mark mark, const char *word)
{
	config_problem_hint(config_problem_error(scan->problems, mark, "E-PROC-04",
				text("this looks like a step, and is not one: it would be left out")),
	    text("write ```%s at the left margin, the word in small letters and nothing behind it; another "
		 "word in front of plain text"),
	    word);
}

/* Lines that no fenced block holds: does one look like the fence of a step?  Marks of quotes and lists in front of it are
 * passed over.  `covered` was set by on_code(), so this runs after the walk. */
static void check_loose_lines(const struct scan *scan)
{
	size_t i, at, len;

	for (i = 1; i <= scan->n; i++) {
		const struct line *line = &scan->line[i];
		const char *word;

		if (line->covered)
			continue;
		for (at = 0; at < line->n && strchr(" \t>-*+.)0123456789", line->s[at]); at++)
			;
		len = fence_length(line->s + at, line->n - at);
		if (!len || (line->s[at] == '`' && memchr(line->s + at + len, '`', line->n - at - len)))
			continue;
		word = meant_by(line->s + at + len, line->n - at - len);
		if (word)
			not_alone(scan, mark_at(line, i, at), word);
	}
}

/* ---- blocks ---- */

struct blocks {
	struct scan *scan;
	procedure_block_fn *on_block;
	void *arg;
	char *title;
	bool has_title;
	struct err *err;
};

/* False for one that is code because it is indented; *ret_start is the byte of its first line where it
 * begins. */
static bool is_fenced(const struct scan *scan, cmark_node *node, size_t *ret_first, size_t *ret_start)
{
	int first = cmark_node_get_start_line(node), column = cmark_node_get_start_column(node);
	const char *literal = cmark_node_get_literal(node);
	const struct line *line;
	size_t start, n;

	if (first < 1 || (size_t)first > scan->n || column < 1)
		return false;
	line = &scan->line[first];
	start = (size_t)column - 1;
	if (start >= line->n || !fence_length(line->s + start, line->n - start))
		return false;
	n = line->n - start;
	*ret_first = (size_t)first;
	*ret_start = start;
	/* the literal of an indented block begins with its first line, that of a fenced one behind it */
	return strncmp(literal, line->s + start, n) != 0 ||
	       (literal[n] && literal[n] != '\n' && literal[n] != '\r');
}

static bool is_closed(const struct scan *scan, cmark_node *node, size_t first)
{
	int last = cmark_node_get_end_line(node);
	const struct line *open = &scan->line[first], *line;
	size_t at = 0, len;

	if (last < 1 || (size_t)last > scan->n || (size_t)last <= first)
		return false;
	line = &scan->line[last];
	while (at < line->n && line->s[at] == ' ')
		at++;
	len = fence_length(line->s + at, line->n - at);
	if (len < fence_length(open->s, open->n) || line->s[at] != open->s[0])
		return false;
	for (at += len; at < line->n; at++)
		if (line->s[at] != ' ' && line->s[at] != '\t')
			return false;
	return true;
}

/* The closing fence of a step was forgotten and the next one begins: what stands between would be YAML. */
static bool holds_another(const struct scan *scan, cmark_node *node, size_t first)
{
	size_t i, last = (size_t)cmark_node_get_end_line(node);

	for (i = first + 1; i < last && i <= scan->n; i++) {
		const struct line *line = &scan->line[i];
		size_t len = fence_length(line->s, line->n);

		if (len && meant_by(line->s + len, line->n - len)) {
			config_problem_hint(
			    config_problem_error(scan->problems, (struct config_mark){(unsigned)i, 1},
				"E-PROC-04", text("a block begins inside the one of line %zu"), first),
			    text("close that one with ``` on a line of its own"));
			return true;
		}
	}
	return false;
}

static int on_step(struct blocks *b, cmark_node *node, size_t word, size_t first)
{
	struct procedure_block block = {word == HEAD_WORD, word == HEAD_WORD ? 0 : (enum procedure_kind)word,
	    (unsigned)first, cmark_node_get_literal(node)};

	if (!is_closed(b->scan, node, first)) {
		config_problem_hint(
		    config_problem_error(b->scan->problems, (struct config_mark){(unsigned)first, 1},
			"E-PROC-04", text("this block is never closed")),
		    text("close it with ``` on a line of its own"));
		return 0;
	}
	return holds_another(b->scan, node, first) ? 0 : b->on_block(b->arg, &block, b->err);
}

static int on_code(struct blocks *b, cmark_node *node)
{
	const char *info = cmark_node_get_fence_info(node), *word;
	bool top = cmark_node_get_type(cmark_node_parent(node)) == CMARK_NODE_DOCUMENT;
	size_t i, first = 0, start = 0, last;

	if (!is_fenced(b->scan, node, &first, &start))
		return 0;
	last = (size_t)cmark_node_get_end_line(node);
	for (i = first; i <= last && i <= b->scan->n; i++)
		b->scan->line[i].covered = true;
	for (i = 0; i < WORDS; i++)
		if (!strcmp(info, words[i]) && top && start == 0)
			return on_step(b, node, i, first);
	word = meant_by(info, strlen(info));
	if (word)
		not_alone(b->scan, mark_at(&b->scan->line[first], first, start), word);
	return 0;
}

/* The words of a heading without their markup. */
static int plain_text(cmark_node *heading, struct buf *out, struct err *err)
{
	cmark_iter *iter = cmark_iter_new(heading);
	cmark_event_type event;
	int r = 0;

	while (!r && (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);
		const char *s = cmark_node_get_literal(node);
		cmark_node_type type = cmark_node_get_type(node);

		if (type == CMARK_NODE_SOFTBREAK || type == CMARK_NODE_LINEBREAK)
			s = " ";
		if (event == CMARK_EVENT_ENTER && s)
			r = buf_puts(out, s, err);
	}
	cmark_iter_free(iter);
	return r ? -1 : buf_terminate(out, err);
}

static int on_heading(struct blocks *b, cmark_node *node)
{
	BUF_AUTO out = BUF_INIT(2 * PROCEDURE_BYTES_MAX);
	struct config_mark mark = {(unsigned)cmark_node_get_start_line(node), 1};
	const char *s;

	if (b->has_title || cmark_node_get_heading_level(node) != 1 ||
	    cmark_node_get_type(cmark_node_parent(node)) != CMARK_NODE_DOCUMENT)
		return 0;
	if (plain_text(node, &out, b->err))
		return -1;
	s = (const char *)out.p;
	if (!s[strspn(s, " ")])
		return 0;
	b->has_title = true;
	if (out.n > TITLE_MAX || config_value_has_control(s, false)) {
		config_problem_hint(config_problem_error(b->scan->problems, mark, "E-PROC-10",
					text("the title is too long, or holds a control character")),
		    text("at most %d bytes in one line"), TITLE_MAX);
		return 0;
	}
	b->title = strdup(s);
	return b->title ? 0 : err_nomem(b->err);
}

static int walk_document(struct blocks *b, cmark_node *document)
{
	cmark_iter *iter = cmark_iter_new(document);
	cmark_event_type event;
	int r = 0;

	while (!r && (event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
		cmark_node *node = cmark_iter_get_node(iter);

		if (event != CMARK_EVENT_ENTER)
			continue;
		if (cmark_node_get_type(node) == CMARK_NODE_CODE_BLOCK)
			r = on_code(b, node);
		else if (cmark_node_get_type(node) == CMARK_NODE_HEADING)
			r = on_heading(b, node);
	}
	cmark_iter_free(iter);
	return r;
}

cmark_node *procedure_document(const char *source, size_t n)
{
	return cmark_parse_document(source, n, CMARK_OPT_DEFAULT | CMARK_OPT_VALIDATE_UTF8);
}

int procedure_blocks(cmark_node *document, const char *source, size_t n, procedure_block_fn *on_block,
    void *arg, char **ret_title, struct config_problems *problems, struct err *err)
{
	struct scan scan = {.problems = problems};
	struct blocks b = {&scan, on_block, arg, NULL, false, err};
	int r = split_lines(&scan, source, n, err);

	if (!r)
		r = walk_document(&b, document);
	if (!r) {
		check_loose_lines(&scan);
		if (!b.has_title)
			config_problem_hint(config_problem_error(problems, (struct config_mark){1, 1},
						"E-PROC-02", text("the procedure has no title")),
			    text("begin with a line like '# Recovery of the electronic record'"));
		*ret_title = b.title;
		b.title = NULL;
	}
	free(b.title);
	free(scan.line);
	return r;
}
