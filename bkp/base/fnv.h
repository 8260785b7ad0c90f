/* fnv: FNV-1a, 64 bits: a hash for tables in memory and for what is advisory.  Not for anything that somebody may want to forge. */
#ifndef BKP_BASE_FNV_H
#define BKP_BASE_FNV_H

#include <stddef.h>
#include <stdint.h>

#define FNV_START UINT64_C(0xcbf29ce484222325)

/* h: FNV_START, or of what comes before. */
uint64_t fnv_bytes(uint64_t h, const void *p, size_t n);

#endif
