/* clock: see clock.h. */
#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
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
static int era_year(const struct tm *tm, const char **ret_era)
{
	static const struct {
		const char *name;
		int year, month, day; /* its first */
	} eras[] = {{"令和", 2019, 5, 1}, {"平成", 1989, 1, 8}};
	int year = tm->tm_year + 1900, date = (tm->tm_mon + 1) * 100 + tm->tm_mday;
	size_t i;

	for (i = 0; i < sizeof(eras) / sizeof(*eras); i++)
		if (year > eras[i].year ||
		    (year == eras[i].year && date >= eras[i].month * 100 + eras[i].day)) {
			*ret_era = eras[i].name;
			return year - eras[i].year + 1;
		}
	return 0;
}

char *clock_format_date(int64_t wall_ns, char *out)
{
	time_t t = (time_t)floor_seconds(wall_ns);
	const char *name = "";
	char era[32] = "";
	struct tm tm;
	int year;

	if (text_lang() != TEXT_JA || !localtime_r(&t, &tm))
		return clock_format_local(wall_ns, out);
	year = era_year(&tm, &name);
	if (year == 1) /* the first year is 元年 */
		snprintf(era, sizeof(era), "%s元年", name);
	else if (year)
		snprintf(era, sizeof(era), "%s%d年", name, year);
	snprintf(out, CLOCK_DATE, "%s%s%d年%s%d月%d日 %02d:%02d", era, year ? "（" : "", tm.tm_year + 1900,
	    year ? "）" : "", tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min);
	return out;
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
