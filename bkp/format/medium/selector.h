/* selector: what a person calls a generation: `emr@42`, `emr@latest`, `emr@2026-11-20`, `emr@3d`, or `42` for all
 * of run 42.
 *
 * Pure: which generation that is, is asked of the journal (ledger_select) or of a medium (vault_r_select).
 *
 * Errors: E-SELECT-01 it is none of these (with what it may be), E-SELECT-02 a data set is to be named.
 * Both are ERR_USAGE.
 */
#ifndef BKP_FORMAT_MEDIUM_SELECTOR_H
#define BKP_FORMAT_MEDIUM_SELECTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "format/medium/generation.h"

struct err;

enum selector_kind {
	SELECTOR_NUMBER, /* of the run */
	SELECTOR_LATEST,
	SELECTOR_DATE, /* the newest begun on or before that day, as the calendar stood where it was captured */
	SELECTOR_AGO, /* the newest begun at least so many days before now: "3d", "1d" */
};

struct selector {
	char dataset[GENERATION_NAME]; /* "": none was named, only for SELECTOR_NUMBER */
	enum selector_kind kind;
	/* SELECTOR_NUMBER: of the run, ≥1; SELECTOR_DATE: yyyymmdd; SELECTOR_AGO: days, ≥1 */
	uint64_t number;
};

/* "2026-11-20", a day that there is, as 20261120. */
bool selector_date(const char *s, uint64_t *ret);

int selector_parse(const char *text, struct selector *ret, struct err *err)
    __attribute__((warn_unused_result));

/* Does a generation fit that was begun then?  number: its own; utc_offset_s: where it was captured; now_ns: for
 * SELECTOR_AGO.  Of those that fit the one with the highest number is meant. */
bool selector_fits(
    const struct selector *s, uint64_t number, int64_t begun_ns, int32_t utc_offset_s, int64_t now_ns);

#endif
