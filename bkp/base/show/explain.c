/* explain: see explain.h.  A row of the document is "| `CODE` | meaning<br>意味 | what to do<br>対処 |". */
#include "base/show/explain.h"

#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/messages_md.h" /* generated: messages_md[], messages_md_len */
#include "base/text.h"

struct slice {
	const char *p;
	size_t n;
};

/* What stands before the mark; *s goes on behind it. */
static struct slice take_until(struct slice *s, const char *mark)
{
	const char *at = memmem(s->p, s->n, mark, strlen(mark));
	struct slice before = {s->p, at ? (size_t)(at - s->p) : s->n};
	size_t gone = at ? before.n + strlen(mark) : s->n;

	s->p += gone;
	s->n -= gone;
	return before;
}

/* One cell in the chosen language, without the marks of Markdown. */
static int append_cell(struct slice c, struct buf *out, struct err *err)
{
	struct slice english = take_until(&c, "<br>");
	struct slice s = text_lang() == TEXT_JA && c.n ? c : english;

	for (size_t i = 0; i < s.n; i++) {
		char ch = s.p[i] == '`' ? '\'' : s.p[i];

		if (ch == '*' && i + 1 < s.n && s.p[i + 1] == '*')
			i++;
		else if (buf_append(out, &ch, 1, err))
			return -1;
	}
	return 0;
}

int explain(const char *code, struct buf *out, struct err *err)
{
	struct slice all = {(const char *)messages_md, messages_md_len};
	size_t n = strlen(code);

	while (all.n) {
		struct slice line = take_until(&all, "\n"), name;

		if (line.n < 3 || memcmp(line.p, "| `", 3) != 0)
			continue;
		(void)take_until(&line, "`");
		name = take_until(&line, "` | ");
		if (name.n != n || strncasecmp(name.p, code, n) != 0)
			continue;
		if (buf_append(out, name.p, name.n, err) || buf_append(out, ": ", 2, err) ||
		    append_cell(take_until(&line, " | "), out, err) || buf_printf(out, err, "\n  → ") ||
		    append_cell(take_until(&line, " |"), out, err))
			return -1;
		return buf_append(out, "\n", 1, err);
	}
	return EXPLAIN_UNKNOWN;
}
