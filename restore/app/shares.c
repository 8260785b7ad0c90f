/* shares: see shares.h. */
#include "restore/app/shares.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/err.h"
#include "base/text.h"
#include "format/crypto/codex32.h"
#include "format/page/key_page.h"
#include "restore/app/app.h"

#define WHOLE 75 /* characters of a share of 32 bytes */
#define ROWS  ((WHOLE + KEY_PAGE_ROW - 1) / KEY_PAGE_ROW)

struct reading {
	FILE *in;
	char *line; /* of getline() */
	size_t cap;
	char tidy[CODEX32_TEXT]; /* what stands in it */
	char text[CODEX32_TEXT]; /* the share so far; what is too long is cut, which the checksum tells */
	bool wanted[ROWS];
	struct codex32 *shares;
	size_t n;
};

static bool next_line(struct reading *r)
{
	if (getline(&r->line, &r->cap, r->in) < 0)
		return false;
	if (!codex32_tidy(r->line, r->tidy))
		r->tidy[0] = '\0';
	return true;
}

/* The places as the next action, and which rows are to be typed again: all, where none is known. */
static void say_places(struct reading *r, struct err *err)
{
	struct codex32_places p;
	char where[256] = "";
	bool known;

	codex32_locate(CODEX32_IDENTITY, r->text, CODEX32_KEY, &p);
	known = p.n && p.what == CODEX32_CHANGED;
	for (size_t i = 0; i < ROWS; i++)
		r->wanted[i] = !known;
	for (size_t i = 0; i < p.n; i++) {
		size_t at = p.at[i], len = strlen(where), row = at / KEY_PAGE_ROW, in_row = at % KEY_PAGE_ROW;

		if (row < ROWS)
			r->wanted[row] = true;
		snprintf(where + len, sizeof(where) - len, text("%srow %zu, group %zu, character %zu"),
		    i ? "; " : "", row + 1, in_row / KEY_PAGE_GROUP + 1, in_row % KEY_PAGE_GROUP + 1);
	}
	if (!p.n)
		err_hint(err, "%s", text("compare every row with the paper"));
	else if (p.what == CODEX32_MISSING)
		err_hint(err, text("a character is missing at or before %s"), where);
	else if (p.what == CODEX32_SURPLUS)
		err_hint(err, text("there is a character too many at %s"), where);
	else
		err_hint(err, text("compare with the paper: %s"), where);
}

/* Is r->text a share, and one that goes with those before it?  Else it is said why. */
static bool take_share(struct reading *r)
{
	struct codex32 *c = &r->shares[r->n];
	struct err err = ERR_INIT;
	bool good = false;

	if (codex32_read(CODEX32_IDENTITY, r->text, c, &err)) {
		say_places(r, &err);
	} else if (c->index == 's' || c->n != (CODEX32_KEY * 8 + 4) / 5) {
		err_set(&err, "E-SHARE-01", "%s", text("it is no share of an age identity"));
		err_hint(&err, "%s", text("compare it with the paper"));
	} else {
		good = !codex32_fits(r->shares, r->n, c, &err);
	}
	if (good)
		r->n++;
	else
		app_error(&err, APP_FAILED);
	return good;
}

static int ended(const struct reading *r)
{
	struct err err = ERR_INIT;

	err_set(&err, "E-SHARE-05", text("the input ended after %zu shares, and %u are needed"), r->n,
	    r->n ? r->shares[0].k : 2u);
	return app_error(&err, APP_FAILED);
}

/* ---- a terminal ---- */

/* One row into its place of r->text, or, as the first, all of them. */
static int ask_row(struct reading *r, size_t row)
{
	size_t wants = row + 1 < ROWS ? KEY_PAGE_ROW : WHOLE - row * KEY_PAGE_ROW, n;

	for (;;) {
		fprintf(stderr, text("share %zu, row %zu of %d: "), r->n + 1, row + 1, ROWS);
		if (!next_line(r))
			return ended(r);
		n = strlen(r->tidy);
		if (n == WHOLE) {
			memcpy(r->text, r->tidy, WHOLE);
			memset(r->wanted, 0, sizeof(r->wanted));
			return APP_OK;
		}
		if (n == wants)
			break;
		fprintf(stderr, text("this row has %zu characters, not %zu\n"), n, wants);
	}
	memcpy(r->text + row * KEY_PAGE_ROW, r->tidy, n);
	r->wanted[row] = false;
	return APP_OK;
}

static int ask_share(struct reading *r)
{
	for (;;) {
		memset(r->wanted, true, sizeof(r->wanted));
		do {
			for (size_t row = 0; row < ROWS; row++)
				if (r->wanted[row] && ask_row(r, row))
					return APP_FAILED;
			r->text[WHOLE] = '\0';
			if (take_share(r))
				return APP_OK;
		} while (memchr(r->wanted, true, sizeof(r->wanted)));
	}
}

/* ---- a file ---- */

static void append_line(struct reading *r)
{
	size_t n = strlen(r->text), more = strlen(r->tidy), room = sizeof(r->text) - 1 - n;

	memcpy(r->text + n, r->tidy, more < room ? more : room);
	r->text[n + (more < room ? more : room)] = '\0';
}

/* Lines up to where the next share begins, whose first line is then in r->tidy. */
static int gather_share(struct reading *r)
{
	bool more = true;

	r->text[0] = '\0';
	append_line(r);
	while ((more = next_line(r)) && strncmp(r->tidy, CODEX32_IDENTITY "1", sizeof(CODEX32_IDENTITY)) != 0)
		if (r->line[0] != '#')
			append_line(r);
	if (!more)
		r->tidy[0] = '\0';
	if (!r->text[0] && more)
		return gather_share(r);
	if (!r->text[0])
		return ended(r);
	return take_share(r) ? APP_OK : APP_FAILED;
}

int shares_read(FILE *in, int asks, struct codex32 *ret_shares, size_t *ret_n)
{
	struct reading r = {.in = in, .shares = ret_shares};
	int code = APP_OK;

	while (!code && (!r.n || r.n < r.shares[0].k))
		code = asks ? ask_share(&r) : gather_share(&r);
	*ret_n = r.n;
	if (r.line)
		sodium_memzero(r.line, r.cap);
	free(r.line);
	sodium_memzero(&r, sizeof(r));
	return code;
}
