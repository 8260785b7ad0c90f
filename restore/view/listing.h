/* listing: what a list of charts has: patients, studies, documents; each a row of short texts, put into several orders.
 *
 * listing_new → listing_add, listing_text … → listing_order → listing_row … → listing_free.  Memory: LISTING_MAX rows and LISTING_TEXT bytes; what is more is
 * counted by listing_left_out().
 */
#ifndef RESTORE_VIEW_LISTING_H
#define RESTORE_VIEW_LISTING_H

#include <stddef.h>
#include <stdint.h>

struct err;

#define LISTING_MAX  500000
#define LISTING_TEXT ((size_t)160 << 20)

enum listing_column {
	LISTING_NUMBER, /* of the patient */
	LISTING_NAME,	/* of the patient, or of the file */
	LISTING_KANA,	/* as it is read, in katakana */
	LISTING_BORN,	/* 19600131 */
	LISTING_DATE,	/* 20261120 */
	LISTING_WHAT,
	LISTING_PATH, /* below the folder that is looked at; bytes */
	LISTING_COLUMNS,
};

struct listing;
struct listing *listing_new(void); /* NULL: out of memory */
void listing_free(struct listing *r);
/* texts: LISTING_COLUMNS of them, NULL: "".  LISTING_FULL: it was left out, and counted. */
#define LISTING_FULL 1
int listing_add(struct listing *r, const char *const texts[LISTING_COLUMNS], uint32_t count, size_t *ret_row,
    struct err *err) __attribute__((warn_unused_result));
size_t listing_n(const struct listing *r);
uint64_t listing_left_out(const struct listing *r);
const char *listing_text(const struct listing *r, size_t row, enum listing_column column);
uint32_t listing_count(const struct listing *r, size_t row);
void listing_counted(struct listing *r, size_t row);

enum listing_order {
	LISTING_BY_NUMBER,
	LISTING_BY_NAME,
	LISTING_BY_DATE,
	LISTING_ORDERS
}; /* date: the newest first */
/* The rows in that order, the caller's. */
int listing_sorted(const struct listing *r, enum listing_order order, uint32_t **ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
