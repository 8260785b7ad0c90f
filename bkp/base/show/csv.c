/* csv: see csv.h. */
#include "base/show/csv.h"

#include <stddef.h>
#include <string.h>

/* Blanks in front do not keep a spreadsheet from it, nor does a Japanese one ask for half-width signs. */
static bool is_formula(const char *s)
{
	static const char *const wide[] = {"\xef\xbc\x9d", "\xef\xbc\x8b", "\xef\xbc\x8d", "\xef\xbc\xa0"};

	s += strspn(s, " \t\r\n\v\f");
	for (size_t i = 0; i < sizeof(wide) / sizeof(*wide); i++)
		if (!strncmp(s, wide[i], 3))
			return true;
	return *s && strchr("=+-@", *s);
}

void csv_cell(FILE *to, const char *s, bool last)
{
	fputc('"', to);
	if (is_formula(s))
		fputc('\'', to);
	for (; *s; s++) {
		if (*s == '"')
			fputc('"', to);
		fputc((unsigned char)*s < ' ' ? ' ' : *s, to);
	}
	fputs(last ? "\"\r\n" : "\",", to);
}
