/* kind: what the beginning of a file looks like, in one byte: which of the known formats, and whether its
 * bytes are as evenly spread as those of something compressed or encrypted.
 *
 * Pure.  Looks at KIND_LOOK bytes at most; a byte of each file is remembered (write/index/file_cache.h), so
 * that the guard sees a file lose its format, or become incompressible, between two captures.
 */
#ifndef BKP_FORMAT_GUARD_KIND_H
#define BKP_FORMAT_GUARD_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KIND_LOOK 4096

/* 0: not known (never read, or nothing in it).  Else KIND_PLAIN or the number of a format, and KIND_DENSE.
 * Less than 128. */
#define KIND_UNKNOWN 0
#define KIND_PLAIN   1 /* none of the known formats */
#define KIND_DENSE   64
#define KIND_ZERO    63 /* all of it is zero bytes; kind_of() does not say so: it sees the beginning only */

/* The formats that are looked into (inside.h), as kind_format() says them. */
enum {
	KIND_PDF = 3,
	KIND_ZIP = 4,
	KIND_GZIP = 6,
	KIND_JPEG = 7,
	KIND_PNG = 8,
	KIND_7Z = 14,
};
uint8_t kind_format(uint8_t kind); /* without KIND_DENSE */

uint8_t kind_of(const void *p, size_t n);
/* Nothing but zero bytes? */
bool kind_is_zero(const void *p, size_t n);
/* One of the known formats. */
bool kind_is_format(uint8_t kind);
bool kind_is_dense(uint8_t kind);
/* By its format; false of none. */
bool kind_is_compressed(uint8_t kind);
bool kind_is_jpeg(uint8_t kind);
bool kind_is_container(uint8_t kind); /* may hold compressed and other parts */
bool kind_is_textual(uint8_t kind);   /* made of characters throughout */
/* Are bytes evenly spread?  squares: the sum of the squares of how often each of the 256 occurs among n. */
bool kind_is_even(uint64_t squares, size_t n);

#endif
