/* config_value: the small languages inside a policy: sizes, durations, intervals, times, names, paths.
 *
 * Each takes NUL-terminated text and writes *ret only when it is good. */
#ifndef BKP_FORMAT_CONFIG_CONFIG_VALUE_H
#define BKP_FORMAT_CONFIG_CONFIG_VALUE_H

#include <stdbool.h>
#include <stdint.h>

enum config_unit { CONFIG_HOUR, CONFIG_DAY, CONFIG_WEEK, CONFIG_MONTH };

/* every: n units; s is nominal (a month counts 30 days), the unit stays for calendar arithmetic. */
struct config_every {
	enum config_unit unit;
	unsigned n;
	int64_t s;
};

enum config_value {
	CONFIG_VALUE_GOOD,
	CONFIG_VALUE_FORM, /* not of that form */
	CONFIG_VALUE_UNIT, /* a number without the unit it needs, or with one that is unknown or ambiguous */
	CONFIG_VALUE_BIG,  /* larger than can be meant */
};

enum config_value config_value_number(const char *s, uint64_t *ret);
enum config_value config_value_size(const char *s, uint64_t *ret_bytes); /* "1 MiB", "128MiB", "4096" */
enum config_value config_value_percent(const char *s, uint64_t *ret);	 /* "40 %" */
enum config_value config_value_duration(
    const char *s, int64_t *ret_s); /* "90m", "24h", "7d", "2w"; ≤ 100 years */
enum config_value config_value_every(const char *s, struct config_every *ret); /* "day", "6h", "2d" */
enum config_value config_value_time(const char *s, int *ret_minutes);	       /* "02:00" */

bool config_value_is_dataset_name(const char *s); /* [a-z0-9][a-z0-9_.-]{0,62} */
bool config_value_is_medium_name(const char *s);  /* [A-Za-z0-9][A-Za-z0-9_.-]{0,62} */
bool config_value_is_file_name(const char *s);	  /* one component, at most 255 bytes */
/* A C0, C1 or DEL character; newline and tab are allowed when `lines`.  Text that is not UTF-8 has one. */
bool config_value_has_control(const char *s, bool lines);

#define CONFIG_PATH_MAX 4095
enum config_path { CONFIG_PATH_GOOD, CONFIG_PATH_RELATIVE, CONFIG_PATH_UNCLEAN, CONFIG_PATH_LONG };
/* Absolute, without "//", "." and ".." components; '/' at the end is cut off in place. */
enum config_path config_value_path(char *s);

#endif
