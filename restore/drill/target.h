/* target: how long the recovery may take and how old its data may be (RTO, RPO): one truth, the policy's.
 *
 * The restore computer has no policy.  The journal at hand names the one in force by its SHA-256, and media carry its text
 * (docs/format-writer.md, "policy/"): the strictest target of all data sets that are brought back counts.  Where no text is to be had, or
 * it states no target, the procedure's own counts; where both state one and they differ, that is said (W-DRILL-02).
 */
#ifndef RESTORE_DRILL_TARGET_H
#define RESTORE_DRILL_TARGET_H

struct app;
struct drill;
struct ledger;

/* Behind prepare().  l: the journal, or NULL: there is none. */
void target_find(const struct app *app, const struct ledger *l, struct drill *d);

#endif
