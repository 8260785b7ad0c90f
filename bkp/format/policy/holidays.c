/* holidays: see holidays.h. */
#include "format/policy/holidays.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/day.h"
#include "base/err.h"
#include "base/text.h"
#include "format/config/config_problem.h"
#include "format/config/config_text.h"

#define ENTRIES_MAX 10000
#define SPAN_MAX    366 /* days of one entry */
#define BLANKS	    " \t"

struct holidays {
	struct entry {
		int32_t from, to;
		char *name; /* or "" */
	} * entry;
	size_t n;
	char *closed[7]; /* names of the days of the week that are closed; NULL: open */
};

struct reading {
	const char *file;
	unsigned line;
	const char *p, *end; /* what is left of the line */
	struct holidays *h;
	struct err *err;
};

static int bad_line(const struct reading *r, const char *what)
{
	err_set(r->err, "E-POLICY-47", "%s:%u: %s", r->file, r->line, what);
	return err_hint(r->err, "%s",
	    text("write one of these a line: '2026-11-23 NAME', '2026-12-29..2027-01-03 NAME', 'every "
		 "sunday'"));
}

static void skip_blanks(struct reading *r)
{
	while (r->p < r->end && strchr(BLANKS, *r->p))
		r->p++;
}

/* The rest of the line. */
static char *take_name(struct reading *r)
{
	skip_blanks(r);
	while (r->end > r->p && strchr(BLANKS, r->end[-1]))
		r->end--;
	return strndup(r->p, (size_t)(r->end - r->p));
}

static int take_weekday(struct reading *r)
{
	static const char *const names[] = {
	    "sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"};
	size_t n = 0, i = 0;

	r->p += sizeof("every") - 1;
	skip_blanks(r);
	while (r->p + n < r->end && !strchr(BLANKS, r->p[n]))
		n++;
	while (i < 7 && (strncasecmp(r->p, names[i], n) != 0 || (n != 3 && n != strlen(names[i]))))
		i++;
	if (i == 7)
		return bad_line(r, text("'every' goes with a day of the week, as in 'every sunday'"));
	if (r->h->closed[i])
		return bad_line(r, text("this day of the week stands here twice"));
	r->p += n;
	r->h->closed[i] = take_name(r);
	return r->h->closed[i] ? 0 : err_nomem(r->err);
}

static int take_dates(struct reading *r)
{
	struct entry e, *list;

	if (day_parse(r->p, (size_t)(r->end - r->p), &e.from))
		return bad_line(r, text("the line begins with no date of the form 2026-11-23"));
	r->p += 10;
	e.to = e.from;
	if (r->end - r->p >= 2 && !memcmp(r->p, "..", 2)) {
		r->p += 2;
		if (day_parse(r->p, (size_t)(r->end - r->p), &e.to))
			return bad_line(r, text("behind '..' stands no date of the form 2026-11-23"));
		r->p += 10;
	}
	if (r->p < r->end && !strchr(BLANKS, *r->p))
		return bad_line(r, text("a blank must stand between the date and the name"));
	if (e.to < e.from || e.to - e.from >= SPAN_MAX)
		return bad_line(
		    r, text("the second date lies before the first one, or more than a year behind it"));
	if (r->h->n == ENTRIES_MAX)
		return bad_line(r, text("the list is too long"));
	list = reallocarray(r->h->entry, r->h->n + 1, sizeof(*list));
	if (!list)
		return err_nomem(r->err);
	r->h->entry = list;
	e.name = take_name(r);
	if (!e.name)
		return err_nomem(r->err);
	list[r->h->n++] = e;
	return 0;
}

static int take_line(struct reading *r)
{
	skip_blanks(r);
	if (r->p == r->end || *r->p == '#')
		return 0;
	if (r->end - r->p > 5 && !memcmp(r->p, "every", 5) && strchr(BLANKS, r->p[5]))
		return take_weekday(r);
	return take_dates(r);
}

static int check_text(const char *file, const char *p, size_t n, struct err *err)
{
	struct config_problems *problems = calloc(1, sizeof(*problems));
	int r = 0;

	if (!problems)
		return err_nomem(err);
	if (n > HOLIDAYS_BYTES_MAX)
		r = err_set(err, "E-POLICY-47", text("%s: the list is too long"), file);
	else if (!config_text_check(p, n, "E-POLICY-47", problems))
		r = config_problems_first(problems, file, "", err);
	free(problems);
	return r;
}

int holidays_parse(const char *file, const char *p, size_t n, struct holidays **ret, struct err *err)
{
	struct reading r = {.file = file, .err = err};
	int bad;

	if (n >= 3 && !memcmp(p, "\xef\xbb\xbf", 3)) { /* what Windows editors put in front */
		p += 3;
		n -= 3;
	}
	if (check_text(file, p, n, err))
		return -1;
	r.h = calloc(1, sizeof(*r.h));
	bad = r.h ? 0 : err_nomem(err);
	for (const char *end = p + n, *next; !bad && p < end; p = next) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));

		next = nl ? nl + 1 : end;
		r.line++;
		r.p = p;
		r.end = nl ? nl : end;
		if (r.end > r.p && r.end[-1] == '\r')
			r.end--;
		bad = take_line(&r);
	}
	if (bad) {
		holidays_free(r.h);
		return -1;
	}
	*ret = r.h;
	return 0;
}

void holidays_free(struct holidays *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->n; i++)
		free(h->entry[i].name);
	for (size_t i = 0; i < 7; i++)
		free(h->closed[i]);
	free(h->entry);
	free(h);
}

const char *holidays_listed(const struct holidays *h, int32_t day)
{
	for (size_t i = 0; h && i < h->n; i++)
		if (day >= h->entry[i].from && day <= h->entry[i].to)
			return *h->entry[i].name ? h->entry[i].name : text("holiday");
	return NULL;
}

const char *holidays_on(const struct holidays *h, int32_t day)
{
	const char *name = holidays_listed(h, day), *closed = h ? h->closed[day_split(day).weekday] : NULL;

	return name ? name : closed ? *closed ? closed : text("closed day") : NULL;
}

int32_t holidays_working(const struct holidays *h, int32_t day)
{
	for (int32_t i = 0; i < HOLIDAYS_LOOK; i++)
		if (!holidays_on(h, day + i))
			return day + i;
	return day;
}

int32_t holidays_known(const struct holidays *h)
{
	int32_t last = INT32_MIN;

	for (size_t i = 0; h && i < h->n; i++)
		if (h->entry[i].to > last)
			last = h->entry[i].to;
	return last;
}
