/* former_keys: what the keys of former periods still open: somebody who no longer may had one of them.
 *
 * Pure; from the journal alone. */
#ifndef BKP_READ_RULES_FORMER_KEYS_H
#define BKP_READ_RULES_FORMER_KEYS_H

#include <stddef.h>
#include <stdint.h>

struct ledger;
struct ledger_medium;

/* Bytes of archives that the newest generation of each data set refers to and that were stored under a former period; 0: none, or there is
 * no former period. */
uint64_t former_keys_bytes(const struct ledger *l);
/* Generations on that medium that were captured under a former period: a copy of the medium can be opened for good. */
size_t former_keys_generations(const struct ledger *l, const struct ledger_medium *m);

#endif
