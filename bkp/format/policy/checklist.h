/* checklist: an edition of the ministry's 医療機関等におけるサイバーセキュリティ対策チェックリスト, as data: its items in their order.
 *
 * Pure.  Editions are files (policies/checklists/, installed in share/bkp/checklists/): a new edition is a new file.  YAML as of a policy:
 * 	edition*: WORD, title*, items*: [{number*, quote or gist (exactly one), kind: assisted|computed (default assisted), documents: [FORM…]}]
 * quote is the original's words, gist our own.  computed: what read/evidence judges; assisted: what people answer.
 *
 * Problems are those of policy.h (E-POLICY-NN), with line and column.
 */
#ifndef BKP_FORMAT_POLICY_CHECKLIST_H
#define BKP_FORMAT_POLICY_CHECKLIST_H

#include <stdbool.h>
#include <stddef.h>

#include "format/config/config_problem.h"

struct err;

#define CHECKLIST_BYTES_MAX ((size_t)256 << 10)
#define CHECKLIST_DEFAULT   "R7" /* where the policy says no edition */

enum checklist_kind { CHECKLIST_ASSISTED, CHECKLIST_COMPUTED };

struct checklist_item {
	char *number;	    /* "3-②" */
	char *quote, *gist; /* one of them is NULL */
	unsigned kind;	    /* enum checklist_kind */
	char **documents;   /* numbers of forms */
	size_t n_documents;
	struct config_mark mark;
};
struct checklist {
	char *edition, *title;
	struct checklist_item *items; /* ≥ 1 */
	size_t n_items;
};

/* 0, or -1: err says the first fault as "file:line:column: …"; problems (may be NULL) has all of them. */
int checklist_parse(const char *file, const char *p, size_t n, struct checklist **ret,
    struct config_problems *problems, struct err *err) __attribute__((warn_unused_result));
void checklist_free(struct checklist *c);

/* Do both mean the same item?  "3-②" is also written "3-2". */
bool checklist_same(const char *a, const char *b);

#endif
