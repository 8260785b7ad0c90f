/* report: papers from the journal (bkp report): lists whose columns are data, and the slip that goes with a medium.
 *
 * A list is rows of texts by key, made from the fold or from single records, and written as HTML for A4, as CSV, or as JSON by one mechanism
 * each.  What a form says follows from the journal alone: its foot names the record it ends with, so that another copy of the journal gives
 * the same form.
 */
#ifndef BKP_CMD_REPORT_REPORT_H
#define BKP_CMD_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "cmd/medium/medium_facts.h"

struct buf;
struct err;
struct json_t;
struct ledger;
struct ledger_medium;
struct policy;

struct report {
	const struct policy *policy;
	const struct ledger *l;
	int64_t now_ns;
};

/* One row of a list for a record, or none (0); rows is a JSON array. */
struct journal_record;
struct report_list {
	const char *name, *title; /* "transfers"; English, shown through text() */
	const struct fact_column *columns;
	size_t n;
	bool cards; /* too wide for a table on A4: a block of pairs each */
	/* either: of each medium; or: of each record */
	bool (*medium)(const struct report *r, const struct ledger_medium *m);
	struct json_t *(*record)(const struct report *r, const struct journal_record *o);
};
/* report_drills.c */
#define REPORT_DRILLS 19
extern const struct fact_column report_drills[REPORT_DRILLS];
struct json_t *report_drill_of(const struct report *r, const struct journal_record *o);
const struct report_list *report_list_of(const char *name); /* NULL: no such list */
/* The n-th one's name; NULL: there are no more. */
const char *report_list_nth(size_t n);
/* Its rows, in their order.  An exit code, after the error has been reported. */
int report_rows(const struct report *r, const struct report_list *list, struct json_t **ret);

#define REPORT_MAX ((size_t)256 << 20)
int report_html(const struct report *r, const struct report_list *list, const struct json_t *rows,
    struct buf *out, struct err *err);
void report_csv(const struct report_list *list, const struct json_t *rows, FILE *to);
/* The slip with its label (媒体受渡票); what it says, for programs: NULL: out of memory. */
int report_receipt(const struct report *r, const struct ledger_medium *m, struct buf *out, struct err *err);
struct json_t *report_receipt_json(const struct report *r, const struct ledger_medium *m);

/* {"site", "date", "policy_sha256", "journal": {"record", "sha256"}}; NULL: out of memory. */
struct json_t *report_foot_json(const struct report *r);
#define REPORT_FOOT 768
char *report_foot(const struct report *r, char out[REPORT_FOOT]);
/* As it stands on paper, or (csv) in a table for a spreadsheet. */
#define REPORT_CELL 1024
char *report_text(const struct fact_column *c, const struct json_t *row, bool csv, char out[REPORT_CELL]);

#endif
