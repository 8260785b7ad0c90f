/* rows_past: see rows_past.h.
 *
 * rows_judge() → judge_table() for each table that is remembered: what is wrong with it, as flags → say(): a sentence for each
 * kind of harm, with the names of some of its tables. */
#include "format/dump/rows_past.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/text.h"

#define SLOW	    8  /* an average takes in one part in so many */
#define FADE	    64 /* what falls is remembered: it loses one part in so many a capture */
#define HABIT_FADE  512
#define HABIT	    1.25 /* times what was seen before is still the same habit */
#define JUDGED_ROWS 64	 /* fewer tell nothing */
#define FEW_ROWS    16	 /* but what is plain */
#define PLAIN_RISE  500
#define LENGTH_ROWS 200
#define LOST_ROWS   500
#define YOUNG	    5 /* captures */
#define YOUNG_LOST  600
#define ROWS_MOST   1e18
#define GREW_MOST   1e6
#define BYTES_LEAST 65536
#define GREW_LEAST  150	 /* per mille */
#define DOUBLE	    1024 /* rows_table.length */
#define FALLS	    5	 /* captures */
#define PROBES	    3
#define NAMES	    3

/* Per mille, for sensitivity low, normal, high. */
static const struct limit {
	double rise, outside, group, lost;
} limits[] = {{200, 400, 350, 500}, {100, 250, 200, 333}, {60, 150, 150, 250}};

enum harm { HARM_OPAQUE = 1, HARM_LENGTH = 2, HARM_LOST = 4 };

/* ---- the file: the structs, without what is not used of them.  It never leaves the computer that wrote it ---- */

static const char magic[] = "bkp-rows 1\n";
#define HEAD offsetof(struct rows_summary, tables)

static bool take_part(const uint8_t **p, size_t *n, void *to, size_t size)
{
	if (*n < size)
		return false;
	memcpy(to, *p, size);
	*p += size;
	*n -= size;
	return true;
}

static bool take_summary(const uint8_t **p, size_t *n, struct rows_summary *to)
{
	return take_part(p, n, to, HEAD) && to->n <= ROWS_TABLES && to->n_probes <= ROWS_PROBES &&
	       take_part(p, n, to->tables, to->n * sizeof(*to->tables));
}

bool rows_past_parse(const void *bytes, size_t n, struct rows_past *ret)
{
	const uint8_t *p = bytes;
	char mark[sizeof(magic)];

	memset(ret, 0, sizeof(*ret));
	if (take_part(&p, &n, mark, sizeof(mark)) && !memcmp(mark, magic, sizeof(mark)) &&
	    take_summary(&p, &n, &ret->usual) && take_summary(&p, &n, &ret->newest) && !n)
		return true;
	memset(ret, 0, sizeof(*ret));
	return false;
}

static int put_summary(const struct rows_summary *s, struct buf *out, struct err *err)
{
	if (buf_append(out, s, HEAD, err))
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		struct rows_table t = s->tables[i];

		memset(t.called, 0, sizeof(t.called)); /* no names on the disk */
		if (buf_append(out, &t, sizeof(t), err))
			return -1;
	}
	return 0;
}

int rows_past_format(const struct rows_past *p, struct buf *out, struct err *err)
{
	return buf_append(out, magic, sizeof(magic), err) || put_summary(&p->usual, out, err) ||
		       put_summary(&p->newest, out, err)
		   ? -1
		   : 0;
}

/* ---- what is usual ---- */

static const struct rows_table *find_table(const struct rows_summary *s, uint64_t name)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->tables[i].name == name)
			return &s->tables[i];
	return NULL;
}

static uint64_t fade(uint64_t v, uint64_t now)
{
	v -= v / FADE;
	return v > now ? v : now;
}

/* What was accepted, or was like what was, may be again.  Anything else is no habit: of many small steps none is large. */
static uint64_t habit(uint64_t was, double now, bool accepted)
{
	const uint64_t less = was - was / HABIT_FADE;

	return (accepted || now <= HABIT * (double)was) && now > (double)less ? (uint64_t)now : less;
}

static uint64_t average(uint64_t usual, uint64_t now)
{
	return usual > UINT64_MAX / SLOW ? now : (usual * (SLOW - 1) + now + SLOW / 2) / SLOW;
}

/* Per mille that is lost of what was. */
static double lost_of(uint64_t now, uint64_t was)
{
	return was > now ? 1000 * (double)(was - now) / (double)was : 0;
}

/* Per mille of the compressed bytes that it had. */
static double grown_of(const struct rows_table *now, const struct rows_table *usual)
{
	const double grown = now->packed > usual->packed && usual->packed
				 ? 1000 * (double)(now->packed - usual->packed) / (double)usual->packed
				 : 0;

	return grown < GREW_MOST ? grown : GREW_MOST;
}

/* Rows of tables of LOST_ROWS or more that are gone, beyond those of tables that came. */
static uint64_t gone_of(
    const struct rows_summary *now, const struct rows_summary *usual, unsigned *ret_tables)
{
	double gone = 0, came = 0;

	*ret_tables = 0;
	if (now->cut || usual->cut)
		return 0;
	for (size_t i = ROWS_OWN; i < usual->n; i++)
		if (usual->tables[i].rows >= LOST_ROWS && !find_table(now, usual->tables[i].name)) {
			gone += (double)usual->tables[i].rows;
			++*ret_tables;
		}
	for (size_t i = ROWS_OWN; i < now->n; i++)
		if (!find_table(usual, now->tables[i].name))
			came += (double)now->tables[i].rows;
	return came >= 0.8 * gone ? 0 : gone < ROWS_MOST ? (uint64_t)gone : (uint64_t)ROWS_MOST;
}

static void learn_table(struct rows_table *t, const struct rows_table *was, bool as_it_is)
{
	const struct rows_table now = *t;

	t->nights = was ? was->nights + (was->nights < UINT32_MAX) : 1;
	t->high = was && !as_it_is ? fade(was->high, now.rows) : now.rows;
	if (!was)
		return;
	t->falls = !as_it_is && now.rows < was->rows ? was->falls + 1 : 0;
	t->start = was->falls ? was->start : was->rows;
	t->drop = (uint32_t)habit(was->drop, lost_of(now.rows, was->high), as_it_is || was->high < LOST_ROWS);
	t->grow = (uint32_t)habit(was->grow, grown_of(&now, was), as_it_is);
	if (as_it_is || was->columns != now.columns)
		return;
	t->packed = average(was->packed, now.packed);
	t->length = (uint32_t)average(was->length, now.length);
	t->opaque = (uint32_t)average(was->opaque, now.opaque);
	t->marked = (uint32_t)average(was->marked, now.marked);
	t->peak = (uint32_t)fade(was->peak, now.peak);
	t->ratio = (uint32_t)average(was->ratio, now.ratio);
}

void rows_past_take(struct rows_past *p, enum rows_trust trust)
{
	struct rows_summary *usual = &p->usual, *now = &p->newest;
	unsigned tables;

	if (trust != ROWS_DOUBTED && now->generation) {
		for (uint32_t i = now->n_probes; i < ROWS_PROBES && i - now->n_probes < usual->n_probes; i++)
			now->probes[i] = usual->probes[i - now->n_probes];
		now->n_probes += usual->n_probes;
		now->n_probes = now->n_probes < ROWS_PROBES ? now->n_probes : ROWS_PROBES;
		now->gone = habit(usual->gone, (double)gone_of(now, usual, &tables), trust == ROWS_ACCEPTED);
		for (size_t i = 0; i < now->n; i++)
			learn_table(
			    &now->tables[i], find_table(usual, now->tables[i].name), trust == ROWS_ACCEPTED);
		*usual = *now;
	}
	memset(now, 0, sizeof(*now));
}

/* ---- judging ---- */

/* Did a share rise by more than chance, among so many samples? */
static bool rose_in(
    uint32_t now, uint32_t usual, const struct rows_table *t, const struct rows_table *was, double rise)
{
	const double more = (double)now - usual, mean = ((double)now + usual) / 2000;
	double variance;

	if (!t->samples || !was->samples || more < rise)
		return false;
	variance = 1e6 * mean * (1 - mean) * (1.0 / t->samples + 1.0 / was->samples);
	return more * more > 9 * variance;
}

static bool rose(const struct rows_table *now, const struct rows_table *usual, double rise)
{
	return rose_in(now->opaque, usual->opaque, now, usual, rise) ||
	       rose_in(now->marked, usual->marked, now, usual, rise);
}

static bool is_opaque(const struct rows_table *now, const struct rows_table *usual, const struct limit *l)
{
	const uint64_t rows = now->rows < usual->rows ? now->rows : usual->rows;
	const bool big = usual->bytes >= BYTES_LEAST && now->bytes >= BYTES_LEAST;

	if (usual->name == ROWS_OUTSIDE)
		return big && rose(now, usual, l->outside);
	if (rows < JUDGED_ROWS)
		return rows >= FEW_ROWS && rose(now, usual, PLAIN_RISE);
	return rose(now, usual, l->rise) || now->peak >= 2.5 * usual->peak + l->group ||
	       (big && (double)now->bytes >= 3.0 * (double)usual->bytes &&
		   now->opaque >= usual->opaque + 30) ||
	       (big && usual->ratio && usual->nights >= YOUNG && now->ratio >= 1.5 * usual->ratio &&
		   now->ratio >= usual->ratio + 120 && now->length >= usual->length) ||
	       (now->unread && usual->nights >= YOUNG && grown_of(now, usual) >= GREW_LEAST &&
		   grown_of(now, usual) >= HABIT * (double)usual->grow);
}

/* Per mille of its rows that are gone where that is harm: at once, or little by little.  0: it is none. */
static double harm_of_loss(
    const struct rows_table *now, const struct rows_table *usual, const struct limit *l)
{
	const double lost = lost_of(now->rows, usual->high);
	const double slow =
	    usual->falls + 1 >= FALLS && now->rows < usual->rows ? lost_of(now->rows, usual->start) : 0;

	if (usual->name == ROWS_REST || usual->high < LOST_ROWS)
		return 0;
	if (lost >= (usual->nights >= YOUNG ? l->lost : YOUNG_LOST) && lost > HABIT * usual->drop)
		return lost;
	return usual->name != ROWS_ALL && slow >= l->lost / 3 && slow > HABIT * usual->drop ? slow : 0;
}

/* Harm that it came to, as flags. */
static unsigned judge_table(
    const struct rows_table *now, const struct rows_table *usual, const struct limit *l)
{
	unsigned harm = harm_of_loss(now, usual, l) > 0 ? HARM_LOST : 0;

	if (usual->name == ROWS_ALL)
		return harm;
	if (is_opaque(now, usual, l))
		harm |= HARM_OPAQUE;
	if (usual->rows >= LENGTH_ROWS && now->rows >= LENGTH_ROWS && now->columns == usual->columns &&
	    (now->length >= usual->length + DOUBLE || now->length + DOUBLE <= usual->length))
		harm |= HARM_LENGTH;
	return harm;
}

static int by_size(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static bool probe_fell(
    const struct rows_summary *now, const struct rows_summary *usual, const struct limit *l)
{
	uint64_t v[ROWS_PROBES];
	const size_t n = usual->n_probes;

	if (!now->n_probes || n < PROBES)
		return false;
	memcpy(v, usual->probes, sizeof(v));
	qsort(v, n, sizeof(*v), by_size);
	return (double)now->probes[0] < (double)v[n / 2] * (1000 - l->lost) / 1000 && now->probes[0] < v[0];
}

/* ---- in words ---- */

struct names {
	char text[NAMES * (ROWS_NAME + 2)];
	size_t n, more; /* said; not said */
};

static void add_name(struct names *names, const struct rows_table *t)
{
	const size_t at = strlen(names->text);
	const char *called = t->name == ROWS_OUTSIDE   ? text("what is no table")
			     : t->name == ROWS_OBJECTS ? text("large objects")
						       : t->called;

	if (names->n == NAMES || !*called)
		names->more++;
	else
		snprintf(names->text + at, sizeof(names->text) - at, "%s%s", names->n++ ? ", " : "", called);
}

/* Appends a part whole or not at all. */
static void say(char out[ROWS_SAY], const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void say(char out[ROWS_SAY], const char *fmt, ...)
{
	size_t n = strlen(out), room = ROWS_SAY - n;
	const int between = snprintf(out + n, room, "%s", n ? "; " : "");
	va_list ap;
	int m;

	va_start(ap, fmt);
	m = (size_t)between < room ? vsnprintf(out + n + between, room - (size_t)between, fmt, ap) : -1;
	va_end(ap);
	if (m < 0 || (size_t)m >= room - (size_t)between)
		out[n] = '\0';
}

static void say_names(char out[ROWS_SAY], const struct names *names, const char *what)
{
	char more[64] = "";

	if (names->n && names->more)
		snprintf(more, sizeof(more), text(" and %zu more"), names->more);
	else if (names->more)
		snprintf(more, sizeof(more), text("%zu tables"), names->more);
	if (names->n || names->more)
		say(out, "%s%s: %s", names->text, more, what);
}

void rows_judge(const struct rows_summary *now, const struct rows_summary *usual, unsigned sensitivity,
    struct rows_verdict *ret)
{
	const struct limit *l = &limits[sensitivity < 3 ? sensitivity : 2];
	struct names opaque = {0}, length = {0}, lost = {0};
	double most = 0;
	unsigned gone_tables;
	uint64_t gone;
	char part[80];

	memset(ret, 0, sizeof(*ret));
	if (probe_fell(now, usual, l)) {
		ret->harmed++;
		say(ret->say, "%s", text("what the probe counts fell by a third or more"));
	}
	for (size_t i = 0; i < now->n; i++) {
		const struct rows_table *t = &now->tables[i], *was = find_table(usual, t->name);
		unsigned harm = was ? judge_table(t, was, l) : 0;

		ret->tables += was && i >= ROWS_OWN;
		ret->harmed += harm != 0;
		if (harm & HARM_OPAQUE)
			add_name(&opaque, t);
		if (harm & HARM_LENGTH)
			add_name(&length, t);
		if (!(harm & HARM_LOST))
			continue;
		if (i == ROWS_ALL)
			say(ret->say, text("all tables together lost %.0f %% of their rows"),
			    harm_of_loss(t, was, l) / 10);
		else
			add_name(&lost, t);
		most = i > ROWS_ALL && harm_of_loss(t, was, l) > most ? harm_of_loss(t, was, l) : most;
	}
	gone = usual->n ? gone_of(now, usual, &gone_tables) : 0;
	if ((double)gone > HABIT * (double)usual->gone) {
		ret->harmed += gone_tables;
		say(ret->say, text("tables are gone: %u, with %ju rows"), gone_tables, gone);
	}
	say_names(ret->say, &opaque, text("rows look encrypted"));
	snprintf(part, sizeof(part), text("up to %.0f %% of the rows are gone"), most / 10);
	say_names(ret->say, &lost, part);
	say_names(ret->say, &length, text("rows are half or twice as long as usual"));
}
