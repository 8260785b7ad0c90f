/* holidays: the days on which nobody carries media: a list that people write, or copy from a calendar.
 *
 * Pure: the policy names the file (`holidays: PATH`), its reader opens it.  UTF-8, one entry a line:
 *
 *	# a comment
 *	2026-11-23 勤労感謝の日
 *	2026-12-29..2027-01-03 年末年始		both ends belong to it; a year at most
 *	every sunday 休診			sunday … saturday, or the first three letters
 *
 * The name may be left out.  Empty lines are passed over.
 *
 * Errors, "FILE:LINE: …": E-POLICY-47 a line that is none of these, or too many of them; E-POLICY-48 (the caller's) the file cannot be
 * read.
 */
#ifndef BKP_FORMAT_POLICY_HOLIDAYS_H
#define BKP_FORMAT_POLICY_HOLIDAYS_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct holidays;

#define HOLIDAYS_BYTES_MAX ((size_t)1 << 20)

/* file only names it in err. */
int holidays_parse(const char *file, const char *p, size_t n, struct holidays **ret, struct err *err)
    __attribute__((warn_unused_result));
void holidays_free(struct holidays *h);

/* Why nobody works on that day (base/day.h): its name, in the reader's language where it has none of its own; NULL: it is a working day,
 * or h is NULL. */
const char *holidays_on(const struct holidays *h, int32_t day);
/* Its name where the day itself is listed, not only its day of the week; or NULL. */
const char *holidays_listed(const struct holidays *h, int32_t day);
/* The first working day from that one on; the day itself where there is none within HOLIDAYS_LOOK days. */
#define HOLIDAYS_LOOK 62
int32_t holidays_working(const struct holidays *h, int32_t day);
/* The last date that stands in the list: behind it nothing is known; INT32_MIN: it lists no dates. */
int32_t holidays_known(const struct holidays *h);

#endif
