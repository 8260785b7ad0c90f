/* turns_page: the turns of media kept offline as a calendar for the wall: three months, and a line a turn to be ticked and signed; a pool
 * a page of A4, where its turns are weekly.
 *
 * Pure.  The language is text_lang().  Days are those of base/day.h. */
#ifndef BKP_FORMAT_PAGE_TURNS_PAGE_H
#define BKP_FORMAT_PAGE_TURNS_PAGE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct holidays;

struct turns_page_turn {
	int32_t date;
	const char *bring, *from, *to;
	const char *note; /* why it is on that day, what goes first; or "" */
};

struct turns_page_pool {
	const char *name, *rhythm; /* "every 7 d"; for people */
	const char *remind;	   /* who is told when it is late; or "" */
	const struct turns_page_turn *turns;
	size_t n;
};

/* The first day of three months from the month of `today` on, and of the month behind them. */
void turns_page_quarter(int32_t today, int32_t *ret_from, int32_t *ret_until);

int turns_page(const char *site, const char *who, int32_t today, const struct holidays *h,
    const struct turns_page_pool *pools, size_t n, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
