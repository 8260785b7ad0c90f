/* places_carried: what a generation on a medium carries in its places.age, read with the host's own key.
 *
 * Believed only of a generation that the journal reported, with that very manifest and signed with
 * the key of its own run: who has got hold of the host and of a medium
 * cannot lead the index anywhere.  A place that is wrong all the same gives a generation that a reader refuses, never wrong content
 * (docs/format.md, the chain to each byte). */
#ifndef BKP_WRITE_INDEX_PLACES_CARRIED_H
#define BKP_WRITE_INDEX_PLACES_CARRIED_H

#include "write/index/places.h"

struct age_identity;
struct err;
struct ledger;
struct ledger_generation;
struct vault_r;

/* own: places_identity().  Calls fn for each archive.  0, also when it carries nothing that can be read and believed; -1: fn failed
 * with a cache (ERR_CACHE). */
int places_carried(struct vault_r *v, const struct ledger *l, const struct ledger_generation *lg,
    const struct age_identity *own, places_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));

#endif
