/* status_page_days: the calendars of a status page, and how old the newest copy out of reach was; see status_page.h. */
#include "cmd/page/status_page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/show/status_show.h"
#include "format/journal/journal.h"
#include "format/page/days_svg.h"
#include "format/page/sheet.h"
#include "format/policy/policy.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/ledger/ledger_days.h"
#include "read/rules/compliance.h"
#include "read/store/store_dir.h"

#define DAYS	  35
#define YEAR	  364
#define WEEK	  7
#define LINE	  512
#define LABEL	  32
#define LIMIT_DAY 35 /* of a medium without swap_every (compliance.h) */

struct columns {
	const struct status_view *v;
	struct ledger_days *d;
	const char **heads, **media; /* names of all columns; UUIDs */
	const char **sets;
	size_t n_media, n;
	int32_t first; /* the day of the first record */
};

/* ---- cells ---- */

static struct days_cell set_cell(
    const struct columns *c, size_t which, int32_t from, int32_t until, char *room)
{
	unsigned good = 0, best = LEDGER_DAY_NONE;

	for (int32_t day = from; day < until; day++) {
		const unsigned is = c->d->sets[(size_t)(day - c->d->from) * c->d->n_sets + which];

		good += is == LEDGER_DAY_GOOD;
		best = is > best ? is : best;
	}
	if (until - from == 1)
		return best == LEDGER_DAY_GOOD	    ? (struct days_cell){"○", 'm'}
		       : best == LEDGER_DAY_PARTIAL ? (struct days_cell){"△", 'a'}
		       : best == LEDGER_DAY_FAILED  ? (struct days_cell){"×", 'x'}
						    : (struct days_cell){"－", 'n'};
	snprintf(room, 4, "%u", good);
	return good ? (struct days_cell){room, 'm'} : (struct days_cell){"×", 'x'};
}

static struct days_cell medium_cell(const struct columns *c, size_t which, int32_t from, int32_t until)
{
	unsigned is = 0;

	for (int32_t day = from; day < until; day++)
		is |= c->d->media[(size_t)(day - c->d->from) * c->d->n_media + which];
	return is & LEDGER_DAY_LOST	 ? (struct days_cell){"×", 'x'}
	       : is & LEDGER_DAY_DAMAGED ? (struct days_cell){"▲", 'x'}
	       : is & LEDGER_DAY_ROTATED ? (struct days_cell){"●", 'm'}
	       : is & LEDGER_DAY_READ	 ? (struct days_cell){"○", 'm'}
					 : (struct days_cell){"", 'n'};
}

static struct days_cell drill_cell(const struct columns *c, int32_t from, int32_t until)
{
	unsigned best = 0;

	for (int32_t day = from; day < until; day++)
		best = c->d->drills[day - c->d->from] > best ? c->d->drills[day - c->d->from] : best;
	return best == LEDGER_DAY_GOOD ? (struct days_cell){"◎", 'm'}
	       : best		       ? (struct days_cell){"×", 'x'}
				       : (struct days_cell){"", 'n'};
}

/* ---- a calendar ---- */

struct calendar {
	struct days_grid g;
	struct days_cell *cells;
	char (*labels)[LABEL];
	char (*numbers)[4];
	const char **names;
};

static void clear_calendar(struct calendar *k)
{
	free(k->cells);
	free(k->labels);
	free(k->numbers);
	free(k->names);
}

static void fill_row(const struct columns *c, struct calendar *k, size_t row, int32_t from, int32_t until)
{
	struct days_cell *at = &k->cells[row * c->n];
	const struct day d = day_split(from);

	if (until - from == 1)
		snprintf(k->labels[row], LABEL, "%02u-%02u %s", d.month, d.mday, day_weekday(d.weekday));
	else
		snprintf(k->labels[row], LABEL, text("%02u-%02u on"), d.month, d.mday);
	k->names[row] = k->labels[row];
	for (size_t i = 0; i < c->d->n_sets; i++)
		at[i] = set_cell(c, i, from, until, k->numbers[row * c->n + i]);
	for (size_t i = 0; i < c->n_media; i++)
		at[c->d->n_sets + i] = medium_cell(c, i, from, until);
	at[c->n - 1] = drill_cell(c, from, until);
}

static size_t count_cells(const struct calendar *k, size_t sets, char kind)
{
	size_t n = 0;

	for (size_t r = 0; r < k->g.rows; r++)
		for (size_t i = 0; i < sets; i++)
			n += k->cells[r * k->g.columns + i].kind == kind;
	return n;
}

/* The newest row first; each of `span` days, ending with today. */
static int put_calendar(struct sheet *s, const struct columns *c, int32_t span, size_t rows, const char *id,
    const char *title, struct err *err)
{
	struct calendar k = {.cells = calloc(rows * c->n, sizeof(*k.cells)),
	    .labels = calloc(rows, sizeof(*k.labels)),
	    .numbers = calloc(rows * c->n, sizeof(*k.numbers)),
	    .names = calloc(rows, sizeof(*k.names))};
	char desc[LINE];

	if (!k.cells || !k.labels || !k.numbers || !k.names) {
		clear_calendar(&k);
		return err_nomem(err);
	}
	for (size_t r = 0; r < rows; r++) {
		const int32_t until = c->d->until - (int32_t)r * span,
			      from = until - span < c->d->from ? c->d->from : until - span;

		fill_row(c, &k, r, from, until);
	}
	k.g = (struct days_grid){
	    id, title, desc, c->heads, c->n, span == 1 ? text("Day") : text("Week"), k.names, rows, k.cells};
	snprintf(desc, sizeof(desc),
	    text("%zu rows, the newest first; of the data sets %zu cells are good, %zu partly, %zu failed or "
		 "missing, %zu without a "
		 "capture. The table behind it says the same."),
	    rows, count_cells(&k, c->d->n_sets, 'm'), count_cells(&k, c->d->n_sets, 'a'),
	    count_cells(&k, c->d->n_sets, 'x'), count_cells(&k, c->d->n_sets, 'n'));
	days_grid_svg(s, &k.g);
	sheet_piece(s, "details", "TEXT", text("The same as a table"), NULL);
	days_grid_table(s, &k.g);
	sheet_piece(s, "details end", NULL);
	clear_calendar(&k);
	return s->r;
}

/* ---- the offline recovery point ---- */

/* How old it may become before a verdict changes: of the medium that is asked for most often. */
static int32_t limit_of(const struct policy *policy)
{
	int32_t limit = 0;

	for (size_t i = 0; i < policy->n_media; i++) {
		const struct policy_medium *m = &policy->media[i];
		const int64_t s = m->pool ? m->pool->swap_every_s : m->swap_every_s;
		const int32_t is = s ? (int32_t)(s / 86400) + 1 : LIMIT_DAY;

		if (m->offline && (!limit || is < limit))
			limit = is;
	}
	return limit;
}

static void put_ages(struct sheet *s, const struct columns *c)
{
	const struct ledger_days *d = c->d;
	const size_t n = (size_t)(d->until - d->from);
	const int32_t limit = limit_of(c->v->policy);
	struct days_ages a = {
	    .id = "offline", .none = text("none"), .age = d->age, .n = n, .from = d->from, .limit = limit};
	char desc[LINE], today[LINE];
	int32_t worst = 0;
	size_t none = 0;

	for (size_t i = 0; i < n; i++) {
		worst = d->age[i] > worst ? d->age[i] : worst;
		none += d->age[i] < 0;
	}
	snprintf(
	    today, sizeof(today), d->age[n - 1] < 0 ? text("none") : text("%d days"), (int)d->age[n - 1]);
	snprintf(desc, sizeof(desc),
	    text("Age at the end of each day of the newest copy out of reach, of the data set that is worst "
		 "off. "
		 "Today: %s; the oldest "
		 "in this time: %d days; without one: %zu days; dashed: %d days, from which on a rotation is "
		 "overdue."),
	    today, (int)worst, none, (int)limit);
	a.title = text("Offline recovery point over time");
	a.desc = desc;
	sheet_piece(s, "screen part", "TEXT", a.title, NULL);
	days_ages_svg(s, &a);
	sheet_piece(s, "screen small", "TEXT", desc, NULL);
}

/* ---- all of it ---- */

static int name_columns(struct columns *c, struct err *err)
{
	const struct compliance *s = c->v->s;
	const size_t room = s->n_datasets + s->n_media + 1;

	c->heads = calloc(room, sizeof(*c->heads));
	c->media = calloc(room, sizeof(*c->media));
	c->sets = calloc(room, sizeof(*c->sets));
	if (!c->heads || !c->media || !c->sets)
		return err_nomem(err);
	for (size_t i = 0; i < s->n_datasets; i++)
		c->heads[c->n++] = c->sets[i] = s->datasets[i].policy->name;
	for (size_t i = 0; i < s->n_media; i++)
		if (s->media[i].ledger && s->media[i].policy) {
			c->media[c->n_media++] = s->media[i].ledger->uuid;
			c->heads[c->n++] = s->media[i].ledger->label;
		}
	c->heads[c->n++] = text("drills");
	return 0;
}

static int read_days(struct columns *c, struct err *err)
{
	const int32_t today = day_of(c->v->s->now_ns);
	struct ledger_days_wish w = {
	    c->sets, c->media, c->v->s->n_datasets, c->n_media, today - YEAR + 1, c->v->s->now_ns};
	STORE_AUTO folder = {0};
	STORE_FILE_AUTO journal = {0};

	c->first = day_of(ledger_created_ns(c->v->ledger));
	if (c->first > w.from && c->first <= today)
		w.from = c->first;
	return store_dir_open(c->v->policy->state, &folder, err) || segments_open(&folder, &journal, err) ||
		       ledger_days_new(&journal, JOURNAL_DIR, &w, &c->d, err)
		   ? -1
		   : 0;
}

static int put_days(struct sheet *s, const struct columns *c, struct err *err)
{
	const size_t days = (size_t)(c->d->until - c->d->from), weeks = (days + WEEK - 1) / WEEK;

	sheet_piece(s, "screen part", "TEXT", text("Each day"), NULL);
	sheet_piece(s, "screen small", "TEXT",
	    text("Data sets: ○ captured and counts, △ does not count, × failed, － no capture. Media: ○ read "
		 "back, ● "
		 "rotated, ▲ found "
		 "damaged, × lost. Drills: ◎ passed, × not."),
	    NULL);
	if (put_calendar(s, c, 1, days < DAYS ? days : DAYS, "days", text("The last days"), err))
		return -1;
	sheet_piece(s, "screen part", "TEXT", text("Each week"), NULL);
	sheet_piece(s, "screen small", "TEXT",
	    text("Data sets: on how many days of the week one was captured that counts; × on none."), NULL);
	if (put_calendar(s, c, WEEK, weeks, "weeks", text("The last year"), err))
		return -1;
	put_ages(s, c);
	return s->r;
}

int status_page_days(const struct status_view *v, struct sheet *s, struct err *err)
{
	struct columns c = {.v = v};
	int r = name_columns(&c, err) || read_days(&c, err) || put_days(s, &c, err) ? -1 : 0;

	ledger_days_free(c.d);
	free(c.heads);
	free(c.media);
	free(c.sets);
	return r;
}
