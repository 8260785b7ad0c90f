/* unpack: what is compressed, decompressed as it streams by.
 *
 * unpack_new → unpack_feed with the bytes in order … → unpack_free.  Pure; at most 128 MiB of a Zstandard window, else less than 1 MiB.
 * What is damaged ends it: this is for who looks at what passes, whether it is whole others check.
 */
#ifndef BKP_FORMAT_DUMP_UNPACK_H
#define BKP_FORMAT_DUMP_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum unpack_kind {
	UNPACK_NONE,
	UNPACK_ZLIB, /* or gzip, of several members */
	UNPACK_LZ4,
	UNPACK_ZSTD,
};
/* By its first n bytes, of which 4 are enough; UNPACK_NONE: of none of these formats (zlib has no mark). */
enum unpack_kind unpack_kind_of(const uint8_t *p, size_t n);

struct unpack;
struct unpack *unpack_new(enum unpack_kind kind); /* not UNPACK_NONE; NULL: out of memory */
void unpack_free(struct unpack *u);
/* false: no more is wanted. */
typedef bool unpack_fn(void *arg, const uint8_t *p, size_t n);
/* false: it is damaged, or no more is wanted: nothing is looked at any more. */
bool unpack_feed(struct unpack *u, const uint8_t *p, size_t n, unpack_fn *fn, void *arg);

#endif
