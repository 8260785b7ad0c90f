/* clock: see clock.h. */
#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

int64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * SECOND_NS + ts.tv_nsec;
}

static void read_boot_id(char *out, size_t size)
{
	ssize_t n = -1;
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		n = read(fd, out, size - 1);
		close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

void clock_now(struct clock_stamp *ret_stamp)
{
	struct timex tx = {0};

	ret_stamp->wall_ns = clock_read(CLOCK_REALTIME);
	ret_stamp->mono_ns = clock_read(CLOCK_BOOTTIME);
	read_boot_id(ret_stamp->boot_id, sizeof(ret_stamp->boot_id));
	ret_stamp->synced = adjtimex(&tx) >= 0 && !(tx.status & STA_UNSYNC);
}

static int64_t floor_seconds(int64_t wall_ns)
{
	return wall_ns / SECOND_NS - (wall_ns % SECOND_NS < 0);
}

char *clock_format(int64_t wall_ns, char *out)
{
	time_t t = (time_t)floor_seconds(wall_ns);
	struct tm tm;

	if (!gmtime_r(&t, &tm) || !strftime(out, CLOCK_TEXT, "%Y-%m-%dT%H:%M:%SZ", &tm))
		snprintf(out, CLOCK_TEXT, "?");
	return out;
}

char *clock_format_local(int64_t wall_ns, char *out)
{
	time_t t = (time_t)floor_seconds(wall_ns);
	struct tm tm;

	if (!localtime_r(&t, &tm) || !strftime(out, CLOCK_TEXT, "%Y-%m-%d %H:%M", &tm))
		snprintf(out, CLOCK_TEXT, "?");
	return out;
}

/* The year of the era, counted from 1; 0: before the eras that are told. */
static int era_year(int year, int month, int mday, const char **ret_era)
{
	static const struct {
		const char *name;
		int year, month, day; /* its first */
	} eras[] = {{"令和", 2019, 5, 1}, {"平成", 1989, 1, 8}};
	int date = month * 100 + mday;
	size_t i;

	for (i = 0; i < sizeof(eras) / sizeof(*eras); i++)
		if (year > eras[i].year ||
		    (year == eras[i].year && date >= eras[i].month * 100 + eras[i].day)) {
			*ret_era = eras[i].name;
			return year - eras[i].year + 1;
		}
	return 0;
}

char *clock_format_era(int year, int month, int mday, char *out)
{
	const char *name = "";
	char era[32] = "";
	int n = era_year(year, month, mday, &name);

	if (n == 1) /* the first year is 元年 */
		snprintf(era, sizeof(era), "%s元年", name);
	else if (n)
		snprintf(era, sizeof(era), "%s%d年", name, n);
	snprintf(out, CLOCK_DATE, "%s%s%d年%s%d月%d日", era, n ? "（" : "", year, n ? "）" : "", month, mday);
	return out;
}

char *clock_format_day(int64_t wall_ns, char *out)
{
	time_t t = (time_t)floor_seconds(wall_ns);
	struct tm tm;

	if (text_lang() == TEXT_JA && localtime_r(&t, &tm))
		return clock_format_era(tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, out);
	clock_format_local(wall_ns, out)[10] = '\0';
	return out;
}

char *clock_format_date(int64_t wall_ns, char *out)
{
	char local[CLOCK_TEXT];
	size_t n = strlen(clock_format_day(wall_ns, out));

	clock_format_local(wall_ns, local);
	snprintf(out + n, CLOCK_DATE - n, "%s", strlen(local) > 10 ? local + 10 : "");
	return out;
}

int clock_parse_day(const char *s, int64_t *ret_wall_ns)
{
	struct tm tm = {0}, day;
	char back[CLOCK_TEXT];
	const char *end = strlen(s) == 10 ? strptime(s, "%Y-%m-%d", &tm) : NULL;

	if (!end || *end || tm.tm_year < 70 || tm.tm_year > 300)
		return -1;
	day = tm;
	(void)timegm(&day); /* a 31st of February becomes another day */
	if (!strftime(back, sizeof(back), "%Y-%m-%d", &day) || strcmp(back, s) != 0)
		return -1;
	tm.tm_hour = 12;
	tm.tm_isdst = -1;
	*ret_wall_ns = (int64_t)mktime(&tm) * SECOND_NS;
	return 0;
}

int clock_parse(const char *s, int64_t *ret_wall_ns)
{
	struct tm tm = {0};
	char back[CLOCK_TEXT];
	const char *end;
	int64_t ns;

	if (strlen(s) != 20)
		return -1;
	end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!end || *end)
		return -1;
	/* nanoseconds in 64 bits end in the year 2262, a text may name a later one */
	if (__builtin_mul_overflow((int64_t)timegm(&tm), SECOND_NS, &ns))
		return -1;
	if (strcmp(clock_format(ns, back), s) != 0)
		return -1;
	*ret_wall_ns = ns;
	return 0;
}

/* Digits where the form has 0, and else what it has. */
static bool has_form(const char *s, const char *form)
{
	while (*form && (*form == '0' ? *s >= '0' && *s <= '9' : *s == *form)) {
		s++;
		form++;
	}
	return !*form;
}

/* mktime() and timegm() take a 31st of November for the first of December. */
static bool is_real(const struct tm *asked, const struct tm *got)
{
	return asked->tm_year == got->tm_year && asked->tm_mon == got->tm_mon &&
	       asked->tm_mday == got->tm_mday && asked->tm_hour < 24 && asked->tm_min < 60 &&
	       asked->tm_sec < 60;
}

static int moment_of(const struct tm *asked, bool local, int64_t offset_s, int64_t *ret)
{
	struct tm tm = *asked;
	const int64_t t = local ? (int64_t)mktime(&tm) : (int64_t)timegm(&tm);
	int64_t ns;

	if (!is_real(asked, &tm) || __builtin_mul_overflow(t - offset_s, SECOND_NS, &ns))
		return -1;
	*ret = ns;
	return 0;
}

int clock_parse_moment(const char *s, int64_t *ret_wall_ns)
{
	struct tm tm = {.tm_hour = 23, .tm_min = 59, .tm_sec = 59, .tm_isdst = -1};
	const size_t n = strlen(s);
	unsigned hours, minutes;

	if (n < 10 || !has_form(s, "0000-00-00"))
		return -1;
	tm.tm_year = (int)strtol(s, NULL, 10) - 1900;
	tm.tm_mon = (int)strtol(s + 5, NULL, 10) - 1;
	tm.tm_mday = (int)strtol(s + 8, NULL, 10);
	if (n == 10)
		return moment_of(&tm, true, 0, ret_wall_ns);
	if (n < 16 || !has_form(s + 11, "00:00"))
		return -1;
	tm.tm_hour = (int)strtol(s + 11, NULL, 10);
	tm.tm_min = (int)strtol(s + 14, NULL, 10);
	tm.tm_sec = 0;
	if (n == 16 && s[10] == ' ')
		return moment_of(&tm, true, 0, ret_wall_ns);
	if (n < 20 || s[10] != 'T' || !has_form(s + 16, ":00"))
		return -1;
	tm.tm_sec = (int)strtol(s + 17, NULL, 10);
	tm.tm_isdst = 0;
	if (n == 20 && s[19] == 'Z')
		return moment_of(&tm, false, 0, ret_wall_ns);
	if (n != 25 || (s[19] != '+' && s[19] != '-') || !has_form(s + 20, "00:00"))
		return -1;
	hours = (unsigned)strtoul(s + 20, NULL, 10);
	minutes = (unsigned)strtoul(s + 23, NULL, 10);
	if (hours > 23 || minutes > 59)
		return -1;
	return moment_of(
	    &tm, false, (s[19] == '-' ? -1 : 1) * (int64_t)(hours * 3600 + minutes * 60), ret_wall_ns);
}

char *clock_format_span(double seconds, char *out)
{
	unsigned long v;

	if (!(seconds > 0)) /* also what is no number */
		seconds = 0;
	if (seconds > 1e9)
		seconds = 1e9;
	v = (unsigned long)seconds;
	if (seconds < 10)
		snprintf(out, CLOCK_SPAN, text("%.1f s"), seconds);
	else if (v < 60)
		snprintf(out, CLOCK_SPAN, text("%lu s"), v);
	else if (v < 3600)
		snprintf(out, CLOCK_SPAN, text("%lu min %lu s"), v / 60, v % 60);
	else
		snprintf(out, CLOCK_SPAN, text("%lu h %lu min"), v / 3600, v / 60 % 60);
	return out;
}

int32_t clock_utc_offset(int64_t wall_ns)
{
	time_t t = (time_t)(wall_ns / SECOND_NS);
	struct tm tm;

	return localtime_r(&t, &tm) ? (int32_t)tm.tm_gmtoff : 0;
}
