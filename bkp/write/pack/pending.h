/* pending: places in archives that are still being written: a small hash table, emptied when the archive is
 * published. Bounded: the caller closes the archive at PENDING_MAX entries.
 */
#ifndef BKP_WRITE_PACK_PENDING_H
#define BKP_WRITE_PACK_PENDING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "write/index/dedup.h"

#define PENDING_MAX 65536

struct pending;
struct pending *pending_new(void); /* NULL: out of memory */
void pending_free(struct pending *p);
bool pending_full(const struct pending *p);
/* The id must not be in it, and it must not be full. */
void pending_add(struct pending *p, const uint8_t id[DIGEST_LEN], const struct dedup_place *place);
bool pending_find(const struct pending *p, const uint8_t id[DIGEST_LEN], struct dedup_place *ret);
/* In the order of addition. */
const struct dedup_entry *pending_entries(const struct pending *p, size_t *ret_n);
void pending_clear(struct pending *p);

#endif
