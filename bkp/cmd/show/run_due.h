/* run_due: which data sets are due now, for `bkp run` without names, and how that is shown.
 *
 * run_due_new() → choose, show → run_due_free().  The policy must outlive it; the ledger is not kept.
 */
#ifndef BKP_CMD_SHOW_RUN_DUE_H
#define BKP_CMD_SHOW_RUN_DUE_H

#include <stddef.h>
#include <stdint.h>

struct app;
struct ledger;
struct policy;
struct policy_dataset;
struct slots;
struct table;
struct json_t;

struct run_due {
	const struct policy *policy;
	int64_t now_ns;
	struct slots *slots; /* parallel to policy->datasets */
};

/* As of now.  NULL: out of memory. */
struct run_due *run_due_new(const struct policy *policy, const struct ledger *l);
void run_due_free(struct run_due *d);

size_t run_due_count(const struct run_due *d);

/* Each data set with its slot; `chosen`, n of them, are those that a run would capture. */
int run_due_show(
    const struct app *app, const struct run_due *d, const struct policy_dataset *const *chosen, size_t n);
/* "Nothing is due", and what is due next. */
int run_due_nothing(const struct app *app, const struct run_due *d);

/* For other commands: what is due next, rows and members. */
struct json_t *run_due_json(const struct run_due *d, size_t i);
struct table *run_due_table(const struct run_due *d);

#endif
