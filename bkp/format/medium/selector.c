/* selector: see selector.h. */
#include "format/medium/selector.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"

#define DAY_NS (INT64_C(86400) * SECOND_NS)

static int refuse(const char *what, struct err *err)
{
	char show[100];

	err_set_kind(err, ERR_USAGE, "E-SELECT-01", text("'%s' names no generation"),
	    path_show(what, show, sizeof(show)));
	return err_hint(err, "%s",
	    text("name one as NAME@42, NAME@latest, NAME@2026-11-20 (the newest begun on or before that day) "
		 "or "
		 "NAME@3d (at least three days old), or all of run 42 as 42"));
}

/* At most `most` digits, and nothing but them up to `end`. */
static bool parse_digits(const char *s, const char *end, size_t most, uint64_t *ret)
{
	uint64_t v = 0;

	if (s == end || (size_t)(end - s) > most)
		return false;
	for (; s < end; s++) {
		if (*s < '0' || *s > '9')
			return false;
		v = v * 10 + (uint64_t)(*s - '0');
	}
	*ret = v;
	return true;
}

bool selector_date(const char *s, uint64_t *ret)
{
	static const uint8_t days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	uint64_t y, m, d;
	bool leap;

	if (strlen(s) != 10 || s[4] != '-' || s[7] != '-' || !parse_digits(s, s + 4, 4, &y) ||
	    !parse_digits(s + 5, s + 7, 2, &m) || !parse_digits(s + 8, s + 10, 2, &d))
		return false;
	leap = y % 4 == 0 && (y % 100 != 0 || y % 400 == 0);
	*ret = y * 10000 + m * 100 + d;
	return y >= 1970 && m >= 1 && m <= 12 && d >= 1 && d <= days[m - 1] && (m != 2 || d < 29 || leap);
}

/* What stands behind '@', or alone. */
static bool parse_which(const char *s, struct selector *ret)
{
	const char *end = s + strlen(s);

	if (!strcmp(s, "latest")) {
		ret->kind = SELECTOR_LATEST;
		return true;
	}
	if (selector_date(s, &ret->number)) {
		ret->kind = SELECTOR_DATE;
		return true;
	}
	ret->kind = SELECTOR_AGO;
	if (end > s && end[-1] == 'd')
		return parse_digits(s, end - 1, 5, &ret->number) && ret->number > 0;
	ret->kind = SELECTOR_NUMBER; /* of 18 digits at most, as generation_dir_parse() has it */
	return parse_digits(s, end, 18, &ret->number) && ret->number > 0;
}

int selector_parse(const char *what, struct selector *ret, struct err *err)
{
	const char *at = strchr(what, '@'), *which = at ? at + 1 : what;
	size_t n = at ? (size_t)(at - what) : 0;
	struct selector s = {.dataset = ""};

	if (at && n < sizeof(s.dataset))
		memcpy(s.dataset, what, n);
	if ((at && !generation_name_ok(s.dataset)) || !parse_which(which, &s))
		return refuse(what, err);
	if (!at && s.kind != SELECTOR_NUMBER) {
		err_set_kind(
		    err, ERR_USAGE, "E-SELECT-02", text("'%s' does not say of which data set"), what);
		return err_hint(err, text("name the data set before it, as in emr@%s"), what);
	}
	*ret = s;
	return 0;
}

/* yyyymmdd where it was captured. */
static uint64_t day_of(int64_t ns, int32_t utc_offset_s)
{
	const int64_t whole = ns / SECOND_NS - (ns % SECOND_NS < 0);
	time_t local = (time_t)(whole + utc_offset_s);
	struct tm tm;

	if (!gmtime_r(&local, &tm) || tm.tm_year < 0)
		return 0;
	return ((uint64_t)tm.tm_year + 1900) * 10000 + ((uint64_t)tm.tm_mon + 1) * 100 + (uint64_t)tm.tm_mday;
}

bool selector_fits(
    const struct selector *s, uint64_t number, int64_t begun_ns, int32_t utc_offset_s, int64_t now_ns)
{
	switch (s->kind) {
	case SELECTOR_LATEST:
		return true;
	case SELECTOR_DATE:
		return day_of(begun_ns, utc_offset_s) <= s->number;
	case SELECTOR_AGO:
		return begun_ns <= now_ns - (int64_t)s->number * DAY_NS;
	case SELECTOR_NUMBER:
		break;
	}
	return number == s->number;
}
