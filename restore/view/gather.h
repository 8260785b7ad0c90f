/* gather: what in a folder can be read as charts: patients of an SS-MIX2 storage, DICOM studies, documents that a browser shows.
 *
 * The folder is hostile: no link is followed, no special file opened, GATHER_DEPTH folders deep; names are bytes.  Which is which is told by
 * what is there, file by file:
 * - a patient: a folder …/ABC/DEF/ABCDEF… (患者ID先頭3/4-6/患者ID) with messages at 診療日/種別/;
 * - a study: files with DICOM's mark, by the UID of their study;
 * - a document: by the ending of its name; images only in folders without HTML, where they are no part of a page.
 *
 * gather_folder() calls `looked` after each name; its -1 ends the walk.  What cannot be read is counted and passed over (W-VIEW-02).
 */
#ifndef RESTORE_VIEW_GATHER_H
#define RESTORE_VIEW_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct listing;

#define GATHER_DEPTH 64
#define GATHER_LEAF  300 /* bytes of a name that are shown */

enum gather_kind { GATHER_PATIENTS, GATHER_STUDIES, GATHER_DOCUMENTS, GATHER_KINDS };

struct gathered {
	struct listing *rows[GATHER_KINDS];
	uint64_t files, others; /* all; those that are none of these */
	uint64_t faults;
	struct err *last; /* the newest of them; the caller's */
	char *front;	  /* path of the index.html that lies highest, or NULL */
	size_t front_depth;
};

typedef int gather_looked_fn(void *arg, struct err *err);
int gather_new(struct gathered *ret, struct err *err) __attribute__((warn_unused_result));
void gather_free(struct gathered *g);
int gather_folder(int folder, struct gathered *g, gather_looked_fn *looked, void *arg, struct err *err)
    __attribute__((warn_unused_result));

/* A name as people read it, in UTF-8, whatever its bytes are. */
const char *gather_shown(const char *name, char out[GATHER_LEAF]);
/* Is it shown by a browser, by its name? */
bool gather_is_document(const char *name);
/* A message of this patient, by its name. */
bool gather_is_message(const char *name, const char *patient);
bool gather_is_day(const char *name); /* 20261120, or - */

#endif
