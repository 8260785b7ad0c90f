/* day: see day.h. */
#include "base/day.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"

#define DAY_S 86400
#define FIRST 1900
#define LAST  2199

static int32_t number_of(struct tm *tm)
{
	return (int32_t)(timegm(tm) / DAY_S);
}

int32_t day_of(int64_t wall_ns)
{
	time_t t = (time_t)(wall_ns / SECOND_NS);
	struct tm tm, date = {0};

	if (!localtime_r(&t, &tm))
		return 0;
	date.tm_year = tm.tm_year;
	date.tm_mon = tm.tm_mon;
	date.tm_mday = tm.tm_mday;
	return number_of(&date);
}

int32_t day_from(int year, int month, int mday)
{
	struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = mday};

	return number_of(&tm);
}

struct day day_split(int32_t day)
{
	time_t t = (time_t)day * DAY_S;
	struct tm tm = {0};

	gmtime_r(&t, &tm);
	return (struct day){
	    tm.tm_year + 1900, (unsigned)tm.tm_mon + 1, (unsigned)tm.tm_mday, (unsigned)tm.tm_wday};
}

int day_parse(const char *s, size_t n, int32_t *ret)
{
	char word[11], end, back[DAY_TEXT];
	int year, month, mday;

	if (n < 10)
		return -1;
	memcpy(word, s, 10);
	word[10] = '\0';
	if (sscanf(word, "%4d-%2d-%2d%c", &year, &month, &mday, &end) != 3 || year < FIRST || year > LAST ||
	    month < 1 || month > 12 || mday < 1 || mday > 31)
		return -1;
	/* what is no date (02-30), or is written in another way, is another text when it comes back */
	if (strcmp(day_format(day_from(year, month, mday), back), word) != 0)
		return -1;
	*ret = day_from(year, month, mday);
	return 0;
}

char *day_format(int32_t day, char out[DAY_TEXT])
{
	struct day d = day_split(day);

	snprintf(out, DAY_TEXT, "%04d-%02u-%02u", d.year % 10000, d.month % 100, d.mday % 100);
	return out;
}

char *day_format_paper(int32_t day, char *out)
{
	struct day d = day_split(day);

	if (text_lang() == TEXT_JA)
		return clock_format_era(d.year, (int)d.month, (int)d.mday, out);
	return day_format(day, out);
}

const char *day_weekday(unsigned weekday)
{
	static const char *const words[] = {TEXT_LATER("Sun"), TEXT_LATER("Mon"), TEXT_LATER("Tue"),
	    TEXT_LATER("Wed"), TEXT_LATER("Thu"), TEXT_LATER("Fri"), TEXT_LATER("Sat")};

	return text(words[weekday % 7]);
}
