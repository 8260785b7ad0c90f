/* rows_scan: from the bytes of SQL to tables, rows and samples; see rows.h.
 *
 * scan_feed() gives what comes to the function of the state, each of which takes what belongs together: take_line() statements,
 * take_copy() a row of COPY, take_insert() rows of INSERT.  All bytes of a row pass take_bytes(), which fills the sample.  Nothing
 * depends on how the bytes are cut into pieces. */
#include <string.h>

#include "format/dump/pgdump.h"
#include "format/dump/rows_private.h"

#define TABLE_SAMPLES 256
#define DUMP_SAMPLES  2048
#define GROUP_LEAST   8	 /* samples */
#define SAMPLE_LEAST  64 /* bytes that tell something */

/* ---- samples ---- */

static void drop_oldest(struct scan_look *l)
{
	l->group_sum -= l->group[l->group_at].share;
	l->group_at = (l->group_at + 1) % SCAN_GROUP;
	l->n_group--;
}

/* What looks like ciphertext most, among the newest samples that are of enough rows. */
static void add_to_group(struct scan_look *l, unsigned share)
{
	struct rows_table *t = &l->table->is;
	size_t end;

	if (l->n_group == SCAN_GROUP)
		drop_oldest(l);
	end = (l->group_at + l->n_group++) % SCAN_GROUP;
	l->group[end].share = share;
	l->group[end].row = l->sample_row;
	l->group_sum += share;
	while (l->n_group > GROUP_LEAST &&
	       t->rows + 1 - l->group[(l->group_at + 1) % SCAN_GROUP].row >= ROWS_GROUP)
		drop_oldest(l);
	if (l->n_group >= GROUP_LEAST && t->rows + 1 - l->group[l->group_at].row >= ROWS_GROUP &&
	    l->group_sum / l->n_group > t->peak)
		t->peak = (uint32_t)(l->group_sum / l->n_group);
}

static void end_sample(struct scan_look *l, bool value)
{
	unsigned share;

	if (l->sampling && l->n_sample >= SAMPLE_LEAST) {
		share = value ? opaque_value(l->sample, l->n_sample) : opaque_row(l->sample, l->n_sample);
		l->table->is.samples++;
		l->table->opaque += share;
		l->table->marked += share != 0;
		add_to_group(l, share);
	}
	l->sampling = false;
}

/* A row begins, or the next byte of what has none: is it one of those that are looked at? */
static void begin_sample(const struct scan *s, struct scan_look *l)
{
	struct scan_table *t = l->table;
	uint64_t step = OPAQUE_LOOK;

	if (l->sampling || t->is.bytes < t->due)
		return;
	step = t->is.bytes / TABLE_SAMPLES > step ? t->is.bytes / TABLE_SAMPLES : step;
	step = s->total / DUMP_SAMPLES > step ? s->total / DUMP_SAMPLES : step;
	t->due = t->is.bytes + step;
	l->sampling = true;
	l->n_sample = 0;
	l->sample_row = t->is.rows;
}

static void add_to_sample(struct scan_look *l, const uint8_t *p, size_t n, bool value)
{
	size_t have = OPAQUE_LOOK - l->n_sample;

	have = have < n ? have : n;
	memcpy(l->sample + l->n_sample, p, have);
	l->n_sample += have;
	if (l->n_sample == OPAQUE_LOOK)
		end_sample(l, value);
}

static void take_bytes(struct scan *s, struct scan_look *l, const uint8_t *p, size_t n)
{
	l->table->is.bytes += n;
	s->total += n;
	if (l->sampling)
		add_to_sample(l, p, n, false);
}

/* Of what has no rows. */
static void take_outside(struct scan *s, const uint8_t *p, size_t n)
{
	struct scan_look *l = &s->outside;

	while (n) {
		const uint64_t due = l->table->due - l->table->is.bytes;
		size_t have = n;

		begin_sample(s, l);
		if (l->sampling && have > OPAQUE_LOOK - l->n_sample)
			have = OPAQUE_LOOK - l->n_sample;
		else if (!l->sampling && have > due)
			have = (size_t)due;
		take_bytes(s, l, p, have);
		p += have;
		n -= have;
	}
}

/* Its logarithm to base 2, between powers of 2 as if it were straight. */
static uint64_t log2_of(uint64_t n)
{
	unsigned e = 63 - (unsigned)__builtin_clzll(n | 1);

	return e * 1024 + (e > 10 ? (n >> (e - 10)) - 1024 : (n << (10 - e)) - 1024);
}

static void end_row(struct scan *s)
{
	struct scan_table *t = s->rows.table;

	t->is.rows++;
	t->logs += log2_of(s->row ? s->row : 1);
	s->row = 0;
}

/* ---- tables ---- */

/* Both are one from now on. */
static void add_table(struct scan_table *to, const struct scan_table *t)
{
	to->is.rows += t->is.rows;
	to->is.bytes += t->is.bytes;
	to->is.packed += t->is.packed;
	to->is.samples += t->is.samples;
	to->looked += t->looked;
	to->logs += t->logs;
	to->opaque += t->opaque;
	to->marked += t->marked;
}

/* Room for one more: the smallest is put to the rest. */
static struct scan_table *free_table(struct scan *s)
{
	struct scan_table *least = &s->tables[ROWS_OWN];

	if (s->n < ROWS_TABLES)
		return &s->tables[s->n++];
	for (size_t i = ROWS_OWN + 1; i < s->n; i++)
		if (s->tables[i].is.bytes + s->tables[i].is.packed < least->is.bytes + least->is.packed)
			least = &s->tables[i];
	add_table(&s->tables[ROWS_REST], least);
	s->full = true;
	return least;
}

static size_t sayable(const char *p, size_t n)
{
	return (uint8_t)*p < ' ' ? 0 : opaque_character((const uint8_t *)p, n);
}

void scan_name(const char *name, char ret[ROWS_NAME])
{
	const size_t n = strlen(name);
	size_t at = 0, length;

	while (at < n && (length = sayable(name + at, n - at)) && at + length <= n && at + length < ROWS_NAME)
		at += length;
	if (at < n && !sayable(name + at, n - at))
		at = 0;
	memcpy(ret, name, at);
	memset(ret + at, 0, ROWS_NAME - at);
}

void scan_table(struct scan *s, uint64_t name, uint64_t columns, const char *called)
{
	struct scan_look *l = &s->rows;

	s->row = 0;
	s->before = 0;
	if (l->table && l->table->is.name == name)
		return;
	end_sample(l, false);
	l->n_group = l->group_sum = 0;
	l->table = NULL;
	for (size_t i = ROWS_OWN; i < s->n && !l->table; i++)
		if (s->tables[i].is.name == name)
			l->table = &s->tables[i];
	if (l->table)
		return;
	l->table = free_table(s);
	memset(l->table, 0, sizeof(*l->table));
	l->table->is.name = name;
	l->table->is.columns = columns;
	scan_name(called, l->table->is.called);
}

/* Statements follow. */
static void leave_table(struct scan *s)
{
	s->state = SCAN_LINE;
	s->n_head = 0;
	s->passed = s->column = false;
}

/* ---- statements ---- */

static bool begins(const struct scan *s, const char *with)
{
	size_t n = strlen(with);

	return s->n_head >= n && !memcmp(s->head, with, n);
}

/* The table's name stands at `at` of the head, up to a blank or a parenthesis that is not within quotes; columns, if any, behind
 * it up to `end`. */
static void enter_table(struct scan *s, size_t at, size_t end, enum scan_state state)
{
	char name[2 * PGDUMP_NAME];
	size_t n = 0, last = 0;
	bool quoted = false;

	for (; at < end && (quoted || !strchr(" (\n", s->head[at])); at++) {
		if (s->head[at] == '"' || s->head[at] == '`') {
			quoted = !quoted;
			continue;
		}
		if (s->head[at] == '.' && !quoted)
			last = n + 1;
		if (n + 1 < sizeof(name))
			name[n++] = (char)s->head[at];
	}
	name[n] = '\0';
	while (at < end && s->head[at] == ' ')
		at++;
	if (at < end)
		s->columns = pgdump_hash(0, s->head + at, end - at);
	scan_table(s, pgdump_hash(0, name, n), s->columns, name + (last < n ? last : 0));
	s->state = state;
	s->n_head = 0;
}

/* An INSERT whose rows begin: behind VALUES and a blank. */
static bool is_insert(const struct scan *s, size_t *ret_name)
{
	const uint8_t *into;

	if (s->n_head < 20 || (s->head[s->n_head - 1] != ' ' && s->head[s->n_head - 1] != '\n') ||
	    memcmp(s->head + s->n_head - 8, " VALUES", 7) != 0 ||
	    (!begins(s, "INSERT ") && !begins(s, "REPLACE ")))
		return false;
	into = memmem(s->head, s->n_head, " INTO ", 6);
	*ret_name = into ? (size_t)(into - s->head) + 6 : 0;
	return into != NULL;
}

static void end_line(struct scan *s)
{
	static const char from[] = "FROM stdin;";
	size_t n = s->n_head;

	while (n && (s->head[n - 1] == '\n' || s->head[n - 1] == '\r'))
		n--;
	if (!s->passed && begins(s, "COPY ") && n > sizeof(from) + 5 &&
	    !memcmp(s->head + n - sizeof(from) + 1, from, sizeof(from) - 1)) {
		s->columns = 0;
		enter_table(s, 5, n - sizeof(from), SCAN_COPY);
	}
	s->n_head = 0;
	s->passed = s->column = false;
}

/* Does the rest of the line matter?  Asked when its first bytes are there. */
static bool is_of_use(struct scan *s)
{
	if (begins(s, "CREATE "))
		s->columns = 0;
	s->column = begins(s, "  `");
	if (s->column)
		s->columns = pgdump_hash(s->columns, s->head, s->n_head);
	return s->column || begins(s, "COPY ") || begins(s, "INSERT ") || begins(s, "REPLACE");
}

static size_t take_line(struct scan *s, const uint8_t *p, size_t n)
{
	const uint8_t *nl;
	size_t at = 0, name;

	while (at < n && s->state == SCAN_LINE) {
		if (s->passed) {
			nl = memchr(p + at, '\n', n - at);
			if (!nl)
				return n;
			at = (size_t)(nl - p) + 1;
			end_line(s);
			continue;
		}
		if (s->column)
			s->columns = pgdump_hash(s->columns, p + at, 1);
		s->head[s->n_head++] = p[at++];
		if (s->n_head == 7)
			s->passed = !is_of_use(s);
		if (s->n_head > 7 && !s->passed && is_insert(s, &name))
			enter_table(s, name, s->n_head - 8, SCAN_INSERT);
		else if (p[at - 1] == '\n')
			end_line(s);
		else if (s->n_head == SCAN_HEAD)
			s->passed = true;
	}
	return at;
}

/* ---- rows ---- */

static size_t take_copy(struct scan *s, const uint8_t *p, size_t n)
{
	struct scan_look *l = &s->rows;
	size_t at = 0;

	while (at < n && s->state == SCAN_COPY) {
		const uint8_t *row = p + at, *nl = memchr(row, '\n', n - at);
		const size_t m = nl ? (size_t)(nl - row) + 1 : n - at;

		if (!s->row && l->table->is.bytes >= l->table->due)
			begin_sample(s, l);
		if (s->row < 2)
			for (size_t i = 0; i < m && s->row + i < 2; i++)
				s->first[s->row + i] = row[i];
		s->row += m;
		take_bytes(s, l, row, m);
		if (nl && s->first[0] == '\\' && s->first[1] == '.' && s->row > 2 && s->row < 5)
			leave_table(s);
		else if (nl)
			end_row(s);
		at += m;
	}
	return at;
}

/* Behind ")" stands ",", and "(" of the next row behind blanks; or ";" and the end of the line.  The byte in front of p[0] that
 * decides is s->before. */
static size_t take_insert(struct scan *s, const uint8_t *p, size_t n)
{
	const uint8_t *q;
	size_t m;

	if (!s->row)
		begin_sample(s, &s->rows);
	if (!s->before) {
		q = memchr(p, ')', n);
		m = q ? (size_t)(q - p) + 1 : n;
		s->row += m;
		take_bytes(s, &s->rows, p, m);
		s->before = q ? ')' : 0;
		return m;
	}
	if (*p == ')' || (s->before == ')' && (*p == ',' || *p == ';')) || (s->before == ';' && *p == '\r')) {
		s->before = *p == '\r' ? ';' : *p;
	} else if (s->before == ',' && *p == '(') {
		s->before = 0;
		end_row(s);
		begin_sample(s, &s->rows);
	} else if (s->before == ';' && *p == '\n') {
		end_row(s);
		leave_table(s);
		return 1;
	} else if (s->before != ',' || !strchr(" \t\r\n", *p) || !*p) {
		s->before = 0;
	}
	s->row++;
	take_bytes(s, &s->rows, p, 1);
	return 1;
}

void scan_feed(struct scan *s, const uint8_t *p, size_t n)
{
	while (n) {
		const enum scan_state state = s->state;
		size_t m = state == SCAN_LINE	? take_line(s, p, n)
			   : state == SCAN_COPY ? take_copy(s, p, n)
						: take_insert(s, p, n);

		if (state == SCAN_LINE)
			take_outside(s, p, m);
		p += m;
		n -= m;
	}
}

/* ---- values as they are ---- */

void scan_begin_value(struct scan *s)
{
	begin_sample(s, &s->rows);
}

void scan_value(struct scan *s, const uint8_t *p, size_t n)
{
	add_to_sample(&s->rows, p, n, true);
}

void scan_end_value(struct scan *s, uint64_t bytes)
{
	end_sample(&s->rows, true);
	s->rows.table->is.bytes += bytes;
	s->total += bytes;
	s->row = bytes;
	end_row(s);
}

/* ---- the figures ---- */

void scan_init(struct scan *s)
{
	memset(s, 0, sizeof(*s));
	s->n = ROWS_OWN;
	for (size_t i = 0; i < ROWS_OWN; i++)
		s->tables[i].is.name = i;
	s->outside.table = &s->tables[ROWS_OUTSIDE];
}

/* As if what was not looked at goes on as it began. */
static void fill_in(struct scan_table *t)
{
	const double more = t->looked ? (double)t->is.packed / (double)t->looked : 1;

	if (t->looked && t->is.bytes)
		t->is.ratio = (uint32_t)(1000.0 * (double)t->looked / (double)t->is.bytes);
	t->is.unread = t->looked < t->is.packed;
	t->is.unread = t->looked < t->is.packed;
	t->is.length = t->is.rows ? (uint32_t)(t->logs / t->is.rows) : 0;
	t->is.opaque = t->is.samples ? (uint32_t)(t->opaque / t->is.samples) : 0;
	t->is.marked = t->is.samples ? (uint32_t)(1000 * t->marked / t->is.samples) : 0;
	t->is.rows = (uint64_t)((double)t->is.rows * more);
	t->is.bytes = (uint64_t)((double)t->is.bytes * more);
}

void scan_end(struct scan *s, struct rows_summary *ret)
{
	end_sample(&s->rows, false);
	end_sample(&s->outside, false);
	memset(ret, 0, sizeof(*ret));
	ret->cut = s->full;
	for (size_t i = ROWS_OUTSIDE; i < s->n; i++) {
		struct rows_table *t = &s->tables[i].is;

		fill_in(&s->tables[i]);
		s->tables[ROWS_ALL].is.rows += t->rows;
		s->tables[ROWS_ALL].is.bytes += t->bytes;
		s->tables[ROWS_ALL].is.packed += t->packed;
	}
	for (size_t i = 0; i < s->n; i++)
		if (i < ROWS_OWN || s->tables[i].is.rows)
			ret->tables[ret->n++] = s->tables[i].is;
}
