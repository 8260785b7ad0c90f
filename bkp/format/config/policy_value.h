/* policy_value: the small languages inside a policy: sizes, durations, intervals, times, names, paths.
 *
 * Each takes NUL-terminated text and writes *ret only when it is good. */
#ifndef BKP_FORMAT_CONFIG_POLICY_VALUE_H
#define BKP_FORMAT_CONFIG_POLICY_VALUE_H

#include <stdbool.h>
#include <stdint.h>

enum policy_unit { POLICY_HOUR, POLICY_DAY, POLICY_WEEK, POLICY_MONTH };

/* every: n units; s is nominal (a month counts 30 days), the unit stays for calendar arithmetic. */
struct policy_every {
	enum policy_unit unit;
	unsigned n;
	int64_t s;
};

enum policy_value {
	POLICY_VALUE_GOOD,
	POLICY_VALUE_FORM, /* not of that form */
	POLICY_VALUE_UNIT, /* a number without the unit it needs, or with one that is unknown or ambiguous */
	POLICY_VALUE_BIG,  /* larger than can be meant */
};

enum policy_value policy_value_number(const char *s, uint64_t *ret);
enum policy_value policy_value_size(const char *s, uint64_t *ret_bytes); /* "1 MiB", "128MiB", "4096" */
enum policy_value policy_value_percent(const char *s, uint64_t *ret);	 /* "40 %" */
enum policy_value policy_value_duration(
    const char *s, int64_t *ret_s); /* "90m", "24h", "7d", "2w"; ≤ 100 years */
enum policy_value policy_value_every(const char *s, struct policy_every *ret); /* "day", "6h", "2d" */
enum policy_value policy_value_time(const char *s, int *ret_minutes);	       /* "02:00" */

bool policy_value_is_dataset_name(const char *s); /* [a-z0-9][a-z0-9_.-]{0,62} */
bool policy_value_is_medium_name(const char *s);  /* [A-Za-z0-9][A-Za-z0-9_.-]{0,62} */
bool policy_value_is_file_name(const char *s);	  /* one component, at most 255 bytes */
/* A C0, C1 or DEL character; newline and tab are allowed when `lines`.  Text that is not UTF-8 has one. */
bool policy_value_has_control(const char *s, bool lines);

#define POLICY_PATH_MAX 4095
enum policy_path { POLICY_PATH_GOOD, POLICY_PATH_RELATIVE, POLICY_PATH_UNCLEAN, POLICY_PATH_LONG };
/* Absolute, without "//", "." and ".." components; '/' at the end is cut off in place. */
enum policy_path policy_value_path(char *s);

#endif
