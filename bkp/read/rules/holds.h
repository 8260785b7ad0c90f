/* holds: which generations a medium is to hold: those of its data sets, and of them, as its pool says (policy_pool.holds),
 *
 *     all      every committed one
 *     newest   of each data set the newest that counts (ledger_counts())
 *     oldest   of each data set the three oldest that count and are still on a medium kept online: 取得した3世代のバックアップの
 *              一部（最も古いデータ等）; what stands only on media of the pool is kept there, and no newer one waits for it
 *
 * Pure.  What is on a medium beyond that stays: only `bkp expire` deletes.
 */
#ifndef BKP_READ_RULES_HOLDS_H
#define BKP_READ_RULES_HOLDS_H

#include <stdbool.h>

struct ledger;
struct ledger_generation;
struct policy;
struct policy_medium;

#define HOLDS_OLDEST 3

/* m NULL: false. */
bool holds_wants(const struct policy *policy, const struct ledger *l, const struct policy_medium *m,
    const struct ledger_generation *g);
/* Is what it is to hold of the data set there, verified?  uuid: the medium's. */
bool holds_complete(const struct policy *policy, const struct ledger *l, const struct policy_medium *m,
    const char *uuid, const char *dataset);

#endif
