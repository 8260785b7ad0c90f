/* le: numbers as little-endian bytes, the same on every machine. */
#ifndef BKP_BASE_LE_H
#define BKP_BASE_LE_H

#include <stdint.h>

/* The lowest `bytes` (1 … 8) of v at p. */
void le_put(uint8_t *p, uint64_t v, int bytes);
uint64_t le_get(const uint8_t *p, int bytes);

#endif
