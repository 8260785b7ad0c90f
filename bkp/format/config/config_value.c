/* config_value: see config_value.h.  Numbers are decimal without sign; overflow is CONFIG_VALUE_BIG, never a wrapped value. */
#include "format/config/config_value.h"

#include <string.h>

#include "base/width.h"
#include "format/medium/generation.h"

#define HOUR_S	  INT64_C(3600)
#define DAY_S	  (24 * HOUR_S)
#define CENTURY_S (36525 * DAY_S)

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

/* A whole number and then, behind spaces, the rest. */
static enum config_value number_and_rest(const char *s, uint64_t *ret, const char **ret_rest)
{
	uint64_t v = 0;

	if (!digit(*s))
		return CONFIG_VALUE_FORM;
	for (; digit(*s); s++) {
		unsigned d = (unsigned)(*s - '0');

		if (v > (UINT64_MAX - d) / 10)
			return CONFIG_VALUE_BIG;
		v = v * 10 + d;
	}
	if (*s == '.' || *s == ',')
		return CONFIG_VALUE_FORM;
	*ret = v;
	*ret_rest = s + strspn(s, " ");
	return CONFIG_VALUE_GOOD;
}

enum config_value config_value_number(const char *s, uint64_t *ret)
{
	const char *rest = s;
	uint64_t v = 0;
	enum config_value r = number_and_rest(s, &v, &rest);

	if (r)
		return r;
	if (*rest)
		return CONFIG_VALUE_FORM;
	*ret = v;
	return CONFIG_VALUE_GOOD;
}

enum config_value config_value_size(const char *s, uint64_t *ret_bytes)
{
	static const struct {
		const char *name;
		uint64_t bytes;
	} units[] = {{"", 1}, {"B", 1}, {"kB", 1000}, {"KB", 1000}, {"MB", 1000000}, {"GB", 1000000000},
	    {"TB", UINT64_C(1000000000000)}, {"PB", UINT64_C(1000000000000000)}, {"KiB", UINT64_C(1) << 10},
	    {"MiB", UINT64_C(1) << 20}, {"GiB", UINT64_C(1) << 30}, {"TiB", UINT64_C(1) << 40},
	    {"PiB", UINT64_C(1) << 50}};
	const char *rest = s;
	uint64_t v = 0;
	enum config_value r = number_and_rest(s, &v, &rest);
	size_t i;

	if (r)
		return r;
	for (i = 0; i < sizeof(units) / sizeof(*units); i++)
		if (!strcmp(rest, units[i].name)) {
			if (v > INT64_MAX / units[i].bytes)
				return CONFIG_VALUE_BIG;
			*ret_bytes = v * units[i].bytes;
			return CONFIG_VALUE_GOOD;
		}
	return CONFIG_VALUE_UNIT;
}

enum config_value config_value_percent(const char *s, uint64_t *ret)
{
	const char *rest = s;
	uint64_t v = 0;
	enum config_value r = number_and_rest(s, &v, &rest);

	if (r)
		return r;
	if (strcmp(rest, "%") != 0 && strcmp(rest, "％") != 0)
		return CONFIG_VALUE_UNIT;
	*ret = v;
	return CONFIG_VALUE_GOOD;
}

enum config_value config_value_duration(const char *s, int64_t *ret_s)
{
	const char *rest = s;
	uint64_t v = 0;
	int64_t unit;
	enum config_value r = number_and_rest(s, &v, &rest);

	if (r)
		return r;
	if (!*rest || rest[1])
		return CONFIG_VALUE_UNIT;
	unit = *rest == 'm'   ? 60
	       : *rest == 'h' ? HOUR_S
	       : *rest == 'd' ? DAY_S
	       : *rest == 'w' ? 7 * DAY_S
			      : 0;
	if (!unit)
		return CONFIG_VALUE_UNIT;
	if (v > (uint64_t)(CENTURY_S / unit))
		return CONFIG_VALUE_BIG;
	*ret_s = (int64_t)v * unit;
	return CONFIG_VALUE_GOOD;
}

enum config_value config_value_every(const char *s, struct config_every *ret)
{
	static const struct {
		const char *word;
		struct config_every every;
	} words[] = {{"hour", {CONFIG_HOUR, 1, HOUR_S}}, {"day", {CONFIG_DAY, 1, DAY_S}},
	    {"week", {CONFIG_WEEK, 1, 7 * DAY_S}}, {"month", {CONFIG_MONTH, 1, 30 * DAY_S}}};
	const char *rest = s;
	uint64_t v = 0;
	enum config_value r;
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (!strcmp(s, words[i].word)) {
			*ret = words[i].every;
			return CONFIG_VALUE_GOOD;
		}
	r = number_and_rest(s, &v, &rest);
	if (r)
		return r;
	if (strcmp(rest, "h") != 0 && strcmp(rest, "d") != 0)
		return CONFIG_VALUE_UNIT;
	if (v < 1 || v > 366u * (*rest == 'h' ? 24 : 1))
		return CONFIG_VALUE_BIG;
	ret->unit = *rest == 'h' ? CONFIG_HOUR : CONFIG_DAY;
	ret->n = (unsigned)v;
	ret->s = (int64_t)v * (*rest == 'h' ? HOUR_S : DAY_S);
	return CONFIG_VALUE_GOOD;
}

enum config_value config_value_time(const char *s, int *ret_minutes)
{
	int hours, minutes;

	if (strlen(s) != 5 || !digit(s[0]) || !digit(s[1]) || s[2] != ':' || !digit(s[3]) || !digit(s[4]))
		return CONFIG_VALUE_FORM;
	hours = (s[0] - '0') * 10 + s[1] - '0';
	minutes = (s[3] - '0') * 10 + s[4] - '0';
	if (hours > 23 || minutes > 59)
		return CONFIG_VALUE_BIG;
	*ret_minutes = hours * 60 + minutes;
	return CONFIG_VALUE_GOOD;
}

/* It names a folder on every medium. */
bool config_value_is_dataset_name(const char *s)
{
	return generation_name_ok(s);
}

bool config_value_is_medium_name(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++) {
		bool letter = (s[i] >= 'a' && s[i] <= 'z') || (s[i] >= 'A' && s[i] <= 'Z');

		if (!letter && !digit(s[i]) && !(i && strchr("_.-", s[i])))
			return false;
	}
	return i >= 1 && i <= 63;
}

bool config_value_is_file_name(const char *s)
{
	return *s && strlen(s) <= 255 && !strchr(s, '/') && strcmp(s, ".") != 0 && strcmp(s, "..") != 0 &&
	       !config_value_has_control(s, false);
}

bool config_value_has_control(const char *s, bool lines)
{
	size_t n = strlen(s);
	uint32_t cp;

	while (n) {
		size_t len = width_decode(s, n, &cp);

		if (lines && (cp == '\n' || cp == '\t'))
			cp = ' ';
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == UINT32_MAX)
			return true;
		s += len;
		n -= len;
	}
	return false;
}

enum config_path config_value_path(char *s)
{
	size_t n = strlen(s);
	const char *p;

	if (*s != '/')
		return CONFIG_PATH_RELATIVE;
	if (n > CONFIG_PATH_MAX)
		return CONFIG_PATH_LONG;
	if (n > 2 && s[n - 1] == '/')
		s[--n] = '\0';
	for (p = s; n > 1 && p < s + n;) {
		size_t len = strcspn(++p, "/");

		if (len == 0 || (len == 1 && p[0] == '.') || (len == 2 && p[0] == '.' && p[1] == '.'))
			return CONFIG_PATH_UNCLEAN;
		p += len;
	}
	return CONFIG_PATH_GOOD;
}
