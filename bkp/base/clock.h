/* clock: what time it is, and how far that can be believed.
 *
 * Records carry wall time, monotonic time and the boot id together, so that a wall clock that jumps can be
 * told from time that passed (安全管理ガイドライン: アクセスの記録に用いる時刻情報は信頼できるものである). */
#ifndef BKP_BASE_CLOCK_H
#define BKP_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000) /* nanoseconds of a second: the one place */

struct clock_stamp {
	int64_t wall_ns;  /* since 1970-01-01T00:00:00Z */
	int64_t mono_ns;  /* CLOCK_BOOTTIME: since boot, sleep included */
	char boot_id[40]; /* /proc/sys/kernel/random/boot_id, or "" when unreadable */
	bool synced;	  /* the kernel says the clock is synchronised (adjtimex) */
};

#define CLOCK_TEXT 32 /* room for clock_format() */

void clock_now(struct clock_stamp *ret_stamp);
/* Nanoseconds of one clock alone (CLOCK_MONOTONIC …). */
int64_t clock_read(clockid_t id);

/* "2026-11-21T02:00:00Z" (RFC 3339, UTC, whole seconds) into out[CLOCK_TEXT]; returns out. */
char *clock_format(int64_t wall_ns, char *out);

/* "2026-11-21 11:00" in local time, for people, into out[CLOCK_TEXT]; returns out. */
char *clock_format_local(int64_t wall_ns, char *out);

#define CLOCK_DATE 128 /* room for clock_format_date() */

/* Local time as people write it on paper, in the language of text_lang(), into out[CLOCK_DATE]; returns out:
 * "令和8年（2026年）11月21日 11:00" (eras from 1989-01-08 on; before only the western year), "2026-11-21
 * 11:00".
 */
char *clock_format_date(int64_t wall_ns, char *out);
/* "令和8年（2026年）11月21日", in Japanese whatever the language; likewise. */
char *clock_format_era(int year, int month, int mday, char *out);

/* As clock_format_date(), without the time of the day. */
char *clock_format_day(int64_t wall_ns, char *out);
/* "2026-11-21" → noon of that day, local time.  0, or -1: it is no date (ret untouched). */
int clock_parse_day(const char *s, int64_t *ret_wall_ns);

/* Local time - UTC at that time, in seconds. */
int32_t clock_utc_offset(int64_t wall_ns);

/* "0.4 s", "12 s", "5 min 12 s", "1 h 5 min" in the reader's language, into out[CLOCK_SPAN]; negative is 0;
 * returns out. */
#define CLOCK_SPAN 48
char *clock_format_span(double seconds, char *out);

/* The inverse of clock_format().  0, or -1 when `s` is not of that form or not a time that 64 bits of
 * nanoseconds can say, 1677 … 2262 (ret untouched). */
int clock_parse(const char *s, int64_t *ret_wall_ns);

/* What people write: "2026-11-20" (the last second of that day), "2026-11-20 14:00", both of local time, or RFC 3339
 * with its zone, "2026-11-20T14:00:00+09:00", "…Z".  Likewise. */
int clock_parse_moment(const char *s, int64_t *ret_wall_ns);

#endif
