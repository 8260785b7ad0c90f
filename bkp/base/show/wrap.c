/* wrap: see wrap.h. */
#include "base/show/wrap.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/width.h"

/* Characters of `list`, UTF-8. */
static bool is_among(uint32_t cp, const char *list)
{
	size_t n = strlen(list);
	uint32_t other;

	for (size_t at = 0; at < n;) {
		at += width_decode(list + at, n - at, &other);
		if (other == cp)
			return true;
	}
	return false;
}

/* May a line end between the two? */
static bool may_break(uint32_t before, uint32_t after)
{
	if (after == ' ')
		return true;
	if (width_char(before) < 2 && width_char(after) < 2)
		return false;
	return !is_among(after,
		   "、。，．・：；？！」』）】〕〉》々ーぁぃぅぇぉっゃゅょァィゥェォッャュョ,.:;?!)]}'\"…") &&
	       !is_among(before, "「『（【〔〈《([{");
}

/* So many of the bytes of s go on a line of `room` columns; `whole`: its first word does, however wide. */
static size_t fitting(const char *s, unsigned room, bool whole)
{
	size_t n = strcspn(s, "\n"), at = 0, best = 0, columns = 0;
	uint32_t cp, before = ' ';

	while (at < n) {
		size_t len = width_decode(s + at, n - at, &cp);

		if (at && before != ' ' && may_break(before, cp))
			best = at;
		columns += cp == UINT32_MAX ? 1 : width_char(cp);
		/* a space that no longer fits is not shown */
		if (columns > room && (best || !whole) && cp != ' ')
			return best;
		before = cp;
		at += len;
	}
	return n;
}

static size_t without_blanks(const char *s, size_t n)
{
	while (n && s[n - 1] == ' ')
		n--;
	return n;
}

int wrap_text(const char *s, unsigned columns, unsigned at, unsigned indent, struct buf *out, struct err *err)
{
	while (true) {
		size_t n = fitting(s, at < columns ? columns - at : 1, at <= indent);

		if (buf_append(out, s, without_blanks(s, n), err))
			return -1;
		s += n;
		if (*s == '\n')
			s++;
		else
			s += strspn(s, " ");
		if (!*s)
			return 0;
		if (buf_printf(out, err, "\n%*s", (int)indent, ""))
			return -1;
		at = indent;
	}
}
