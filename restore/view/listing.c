/* listing: see listing.h.  Texts stand one behind the other; equal ones that follow one another in a column stand once. */
#include "restore/view/listing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"

struct row {
	uint32_t text[LISTING_COLUMNS], count;
};

struct listing {
	struct row *row;
	size_t n, cap;
	uint64_t left_out;
	struct buf text;
};

struct listing *listing_new(void)
{
	struct listing *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->text = (struct buf)BUF_INIT(LISTING_TEXT);
	if (buf_append(&r->text, "", 1, NULL)) { /* offset 0 is "" */
		free(r);
		return NULL;
	}
	return r;
}

void listing_free(struct listing *r)
{
	if (!r)
		return;
	buf_free(&r->text);
	free(r->row);
	free(r);
}

static int grow(struct listing *r, struct err *err)
{
	size_t cap = r->cap ? r->cap * 2 : 256;
	struct row *more = r->n < r->cap ? r->row : reallocarray(r->row, cap, sizeof(*more));

	if (!more)
		return err_nomem(err);
	r->cap = r->n < r->cap ? r->cap : cap;
	r->row = more;
	return 0;
}

int listing_add(struct listing *r, const char *const texts[LISTING_COLUMNS], uint32_t count, size_t *ret_row,
    struct err *err)
{
	const struct row *before = r->n ? &r->row[r->n - 1] : NULL;
	struct row row = {.count = count};
	size_t need = 0;

	for (size_t i = 0; i < LISTING_COLUMNS; i++)
		need += texts[i] ? strlen(texts[i]) + 1 : 0;
	if (r->n == LISTING_MAX || need > LISTING_TEXT - r->text.n) {
		r->left_out++;
		return LISTING_FULL;
	}
	for (size_t i = 0; i < LISTING_COLUMNS; i++) {
		const char *t = texts[i] ? texts[i] : "";

		if (before && !strcmp(t, (const char *)r->text.p + before->text[i])) {
			row.text[i] = before->text[i];
		} else if (*t) {
			row.text[i] = (uint32_t)r->text.n;
			if (buf_append(&r->text, t, strlen(t) + 1, err))
				return -1;
		}
	}
	if (grow(r, err))
		return -1;
	if (ret_row)
		*ret_row = r->n;
	r->row[r->n++] = row;
	return 0;
}

size_t listing_n(const struct listing *r)
{
	return r->n;
}

uint64_t listing_left_out(const struct listing *r)
{
	return r->left_out;
}

const char *listing_text(const struct listing *r, size_t row, enum listing_column column)
{
	return (const char *)r->text.p + r->row[row].text[column];
}

uint32_t listing_count(const struct listing *r, size_t row)
{
	return r->row[row].count;
}

void listing_counted(struct listing *r, size_t row)
{
	r->row[row].count++;
}

/* What is empty comes last. */
static int compare_text(const char *a, const char *b)
{
	return !*a || !*b ? (!*a) - (!*b) : strcmp(a, b);
}

static int compare_rows(
    const void *a, const void *b, void *arg, const enum listing_column *columns, bool newest)
{
	const struct listing *r = arg;
	uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;

	for (size_t c = 0; c < 3; c++) {
		const char *x = listing_text(r, i, columns[c]), *y = listing_text(r, k, columns[c]);
		int d = compare_text(x, y);

		if (d)
			return newest && !c && *x && *y ? -d : d;
	}
	return (i > k) - (i < k);
}

static int by_number(const void *a, const void *b, void *arg)
{
	return compare_rows(
	    a, b, arg, (const enum listing_column[]){LISTING_NUMBER, LISTING_NAME, LISTING_DATE}, false);
}

static int by_name(const void *a, const void *b, void *arg)
{
	return compare_rows(
	    a, b, arg, (const enum listing_column[]){LISTING_KANA, LISTING_NAME, LISTING_NUMBER}, false);
}

static int by_date(const void *a, const void *b, void *arg)
{
	return compare_rows(
	    a, b, arg, (const enum listing_column[]){LISTING_DATE, LISTING_NUMBER, LISTING_NAME}, true);
}

int listing_sorted(const struct listing *r, enum listing_order order, uint32_t **ret, struct err *err)
{
	static int (*const by[])(const void *, const void *, void *) = {by_number, by_name, by_date};
	uint32_t *all = calloc(r->n + 1, sizeof(*all));

	if (!all)
		return err_nomem(err);
	for (size_t i = 0; i < r->n; i++)
		all[i] = (uint32_t)i;
	qsort_r(all, r->n, sizeof(*all), by[order], (void *)(uintptr_t)r);
	*ret = all;
	return 0;
}
