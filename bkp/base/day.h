/* day: dates as numbers, the days since 1970-01-01, so that they can be counted; which date it is where the process's time zone is.
 *
 * Calendars are Gregorian; a day has no hours: clocks that change do not matter.  Dates from 1900 to 2199. */
#ifndef BKP_BASE_DAY_H
#define BKP_BASE_DAY_H

#include <stddef.h>
#include <stdint.h>

struct day {
	int year;
	unsigned month, mday; /* from 1 */
	unsigned weekday;     /* 0 Sunday … 6 */
};

/* The local date at that time. */
int32_t day_of(int64_t wall_ns);
/* month may be any number: 13 is January of the next year. */
int32_t day_from(int year, int month, int mday);
struct day day_split(int32_t day);

/* "2026-11-23", ten characters at s and no more are looked at.  0, or -1: no date (ret untouched). */
int day_parse(const char *s, size_t n, int32_t *ret);

#define DAY_TEXT 16 /* room for day_format() */
/* "2026-11-23"; returns out. */
char *day_format(int32_t day, char out[DAY_TEXT]);
/* As people write it on paper, in the language of text_lang(), into out[CLOCK_DATE]: "令和8年（2026年）11月23日", "2026-11-23". */
char *day_format_paper(int32_t day, char *out);
/* "月", "Mon": in the reader's language. */
const char *day_weekday(unsigned weekday);

#endif
