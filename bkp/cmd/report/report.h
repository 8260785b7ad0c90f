/* report: papers from the journal (bkp report): forms (form/form.h) as a page for A4, as a table for a spreadsheet, for programs; and the
 * slip that goes with a medium. */
#ifndef BKP_CMD_REPORT_REPORT_H
#define BKP_CMD_REPORT_REPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/report/form/form.h"

struct buf;
struct err;

#define REPORT_MAX ((size_t)256 << 20) /* bytes of a paper */
/* report_write.c */
int report_html(const struct report *r, const struct form *f, const struct json_t *rows, struct buf *out,
    struct err *err) __attribute__((warn_unused_result));
int report_csv(const struct form *f, const struct json_t *rows, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
/* {"report", "number", "title", "columns", "rows", "foot"}; NULL: out of memory. */
struct json_t *report_json(const struct report *r, const struct form *f, struct json_t *rows);
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

/* report_source.c: where a report is made from.
 *
 *     report_open() → the forms of .r → report_close()
 */
struct report_source;
struct app;
struct report_wish {
	const char *moment; /* as typed, or NULL: now; of a medium: as of its last record */
	const char *medium,
	    *root_key; /* from that folder alone, checked from that key on; or NULL: from this host */
};
int report_open(struct app *app, const struct report_wish *w, struct report_source **ret);
const struct report *report_of(const struct report_source *s);
void report_close(struct report_source *s);

/* report_index.c: the first page of a pack, of a clinic's all three. */
struct sheet;
struct report_pack_file {
	char name[96], sha256[72];
	const struct form *form;
};
struct report_index {
	const struct report_pack_file *files;
	size_t n_files;
	const struct form *const *forms;
	struct json_t *const *rows; /* of each form */
	size_t n;
	const char *signer; /* or NULL */
	bool clinic;
};
int report_index_html(const struct report *r, const struct report_index *x, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));
/* report_write.c: rows as a table, of those columns alone (keys NULL: of all). */
void report_table(
    struct sheet *s, const struct form *f, const struct json_t *rows, const char *const *keys, size_t n_keys);

/* report_pack.c: all forms into a folder that must not be there.  An exit code. */
struct report_pack_wish {
	const char *out, *signer; /* signer: or NULL */
	bool clinic;
};
int report_pack(struct app *app, const struct report_wish *from, const struct report_pack_wish *w);

/* report_years.c: the packs in that folder, each checked, and the months that have none.  An exit code; rows: the caller's; wrong: one is
 * not what was made. */
extern const struct form report_years_form;
int report_years_rows(const struct report *r, const char *dir, struct json_t **ret, bool *ret_wrong);
/* With a table for each year. */
int report_years_html(const struct report *r, struct json_t *rows, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
