/* config_text: see config_text.h. */
#include "format/config/config_text.h"

#include "base/text.h"
#include "base/width.h"
#include "format/config/config_problem.h"

static bool forbidden(uint32_t cp, const char *behind, size_t n)
{
	if (cp == '\r') /* part of a line end, or it hides the line from a reader */
		return !n || *behind != '\n';
	if (cp < 0x20)
		return cp != '\t' && cp != '\n';
	/* DEL, C1 (NEL is a line end to YAML only), non-characters */
	return (cp >= 0x7f && cp < 0xa0) || width_is_deceptive(cp) || cp == 0xfffe || cp == 0xffff;
}

bool config_text_check(const char *p, size_t n, const char *code, struct config_problems *problems)
{
	struct config_mark mark = {1, 1};
	struct config_problem *item;
	uint32_t cp;

	while (n) {
		size_t len = width_decode(p, n, &cp);

		if (cp == UINT32_MAX) {
			item = config_problem_error(problems, mark, code,
			    text("this is not UTF-8 (byte 0x%02x)"), (unsigned)(unsigned char)*p);
			config_problem_hint(item, text("save the file in UTF-8, not in Shift_JIS or EUC-JP"));
			return false;
		}
		if (forbidden(cp, p + len, n - len)) {
			item = config_problem_error(
			    problems, mark, code, text("a control character (U+%04X) stands here"), cp);
			config_problem_hint(item, text("delete it: an editor may not show it"));
			return false;
		}
		mark.column++;
		if (cp == '\n')
			mark = (struct config_mark){mark.line + 1, 1};
		p += len;
		n -= len;
	}
	return true;
}
