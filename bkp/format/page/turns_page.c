/* turns_page: see turns_page.h. */
#include "format/page/turns_page.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/day.h"
#include "base/text.h"
#include "base/width.h"
#include "format/page/sheet.h"
#include "format/policy/holidays.h"

#define MONTHS 3
#define LINE   (2 * CLOCK_DATE + 64)

void turns_page_quarter(int32_t today, int32_t *ret_from, int32_t *ret_until)
{
	struct day d = day_split(today);

	*ret_from = day_from(d.year, (int)d.month, 1);
	*ret_until = day_from(d.year, (int)d.month + MONTHS, 1);
}

static bool is_turn(const struct turns_page_pool *pool, int32_t day)
{
	for (size_t i = 0; i < pool->n; i++)
		if (pool->turns[i].date == day)
			return true;
	return false;
}

static void put_day(
    struct sheet *s, const struct holidays *h, const struct turns_page_pool *pool, int32_t day)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", day_split(day).mday);
	sheet_piece(s, is_turn(pool, day) ? "turn day" : "day", "DAY", number, "MARK",
	    is_turn(pool, day)	  ? "●"
	    : holidays_on(h, day) ? text("off")
				  : "",
	    NULL);
}

/* Weeks begin on Sunday, as calendars on walls do here; six of them, so that months stand beside one another. */
static void put_month(
    struct sheet *s, const struct holidays *h, const struct turns_page_pool *pool, int32_t first)
{
	struct day d = day_split(first);
	int32_t next = day_from(d.year, (int)d.month + 1, 1), day = first - (int32_t)d.weekday;
	char title[64];

	snprintf(title, sizeof(title), text("%u/%d"), d.month, d.year);
	sheet_piece(s, "month", "TITLE", title, NULL);
	for (unsigned i = 0; i < 7; i++)
		sheet_piece(s, "weekday", "TEXT", day_weekday(i), NULL);
	for (unsigned i = 0; i < 42; i++, day++) {
		if (i % 7 == 0)
			sheet_piece(s, "week", NULL);
		if (day >= first && day < next)
			put_day(s, h, pool, day);
		else
			sheet_piece(s, "day", "DAY", "", "MARK", "", NULL);
	}
	sheet_piece(s, "month end", NULL);
}

static void put_turns(struct sheet *s, const struct turns_page_pool *pool)
{
	sheet_piece(s, "turns", "TEXT",
	    text("On each ●: bring the medium, attach it, run 'bkp rotate --operator NAME', do what it says, "
		 "and take the "
		 "medium away."),
	    "DATE", text("Date"), "BRING", text("Bring"), "FROM", text("From"), "TO", text("Take it to"),
	    NULL);
	sheet_piece(s, "turns signs", "CAME", text("came"), "SEALED", text("sealed"), "AWAY", text("away"),
	    "OPERATOR", text("Operator"), "WITNESS", text("Witness"), NULL);
	for (size_t i = 0; i < pool->n; i++) {
		const struct turns_page_turn *t = &pool->turns[i];
		char date[64];
		struct day d = day_split(t->date);

		snprintf(date, sizeof(date), text("%u-%02u (%s)"), d.month, d.mday, day_weekday(d.weekday));
		sheet_piece(s, "turn", "DATE", date, "NOTE", t->note, "BRING", t->bring, "FROM", t->from,
		    "TO", t->to, NULL);
	}
	sheet_piece(s, "form end", NULL);
}

static void put_pool(
    struct sheet *s, const struct holidays *h, const struct turns_page_pool *pool, int32_t from)
{
	char title[256], when[1200];
	struct day d = day_split(from);

	snprintf(title, sizeof(title), text("Turns of '%s'"), pool->name);
	if (*pool->remind)
		snprintf(when, sizeof(when), text("%s; when it is late: %s"), pool->rhythm, pool->remind);
	else
		snprintf(when, sizeof(when), "%s", pool->rhythm);
	width_whole(when);
	width_whole(title);
	sheet_piece(s, "pool", "TITLE", title, "TEXT", when, NULL);
	for (int i = 0; i < MONTHS; i++)
		put_month(s, h, pool, day_from(d.year, (int)d.month + i, 1));
	put_turns(s, pool);
}

int turns_page(const char *site, const char *who, int32_t today, const struct holidays *h,
    const struct turns_page_pool *pools, size_t n, struct buf *out, struct err *err)
{
	struct sheet s = {.out = out, .err = err};
	char first[CLOCK_DATE], last[CLOCK_DATE], line[LINE], foot[LINE];
	size_t before = out->n;
	int32_t from, until;

	turns_page_quarter(today, &from, &until);
	snprintf(line, sizeof(line), text("%s to %s"), day_format_paper(from, first),
	    day_format_paper(until - 1, last));
	snprintf(foot, sizeof(foot), text("%s; printed on %s"), site, day_format_paper(today, first));
	sheet_begin(&s, text("Which medium comes when"), site, foot);
	sheet_piece(&s, "form", NULL);
	sheet_row(&s, text("Quarter"), line);
	if (*who)
		sheet_row(&s, text("Who does it"), who);
	if (holidays_known(h) > INT32_MIN && holidays_known(h) < until - 1) {
		snprintf(line, sizeof(line), text("listed until %s only"),
		    day_format_paper(holidays_known(h), first));
		sheet_row(&s, text("Holidays"), line);
	}
	sheet_piece(&s, "form end", NULL);
	for (size_t i = 0; i < n; i++) {
		if (i)
			sheet_piece(&s, "again", NULL);
		put_pool(&s, h, &pools[i], from);
	}
	sheet_end(&s);
	if (s.r)
		out->n = before;
	return s.r;
}
