/* profile: what a file's content looks like as a whole, in three bytes, from samples taken as it passes by.
 *
 * profile_begin → { profile_feed | profile_hole } in order, pieces of any size → profile_end.  Pure; memory is the struct.
 *
 * kind.h sees the beginning only, and ransomware that is made not to be seen leaves the beginning as it was, or every second
 * block.  So windows of PROFILE_WINDOW bytes are looked at as well, one in each PROFILE_STRIPE bytes (in each quarter of that in the
 * beginning of a file that is new or changed) at a place that the seed draws (whoever knows the program does not know which bytes it will look at), and the last PROFILE_TAIL bytes:
 *
 *     random   windows whose bytes are evenly spread: compressed or encrypted.  What a JPEG or JPEG 2000 coder wrote is told from
 *              that by its markers: behind 0xFF it never writes certain bytes (ISO/IEC 10918-1 B.1.1.5, 15444-1 A.1)
 *     text     no window has control bytes; UTF-8, CP932, EUC-JP and, with a byte order mark, UTF-16
 *     encoded  text of evenly used letters and digits without blanks: base64, hexadecimal
 *     zero     windows of nothing but zeros
 *
 * and what its format says of its inside is tried (inside.h).
 */
#ifndef BKP_FORMAT_GUARD_PROFILE_H
#define BKP_FORMAT_GUARD_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/guard/inside.h"

#define PROFILE_WINDOW ((size_t)2 << 10)
#define PROFILE_STRIPE ((size_t)32 << 10)
#define PROFILE_TAIL   ((size_t)1 << 10)

/* What is remembered of a file (write/index/file_cache.h).  All zero: nothing is known. */
struct profile {
	uint8_t kind;	 /* format/guard/kind.h */
	uint16_t inside; /* below */
};

/* Shares are in fifteenths of the windows, and not 0 where there was one. */
#define PROFILE_SHARE 15
unsigned profile_random(const struct profile *p); /* random and not a coder's */
unsigned profile_zero(const struct profile *p);
enum inside profile_soundness(const struct profile *p);
bool profile_is_text(const struct profile *p);
bool profile_is_encoded(const struct profile *p);
bool profile_is_sealed(const struct profile *p); /* opens with a password or key only */

/* What became of a file's content, as flags; 0: nothing that ransomware does. */
enum {
	PROFILE_LOST = 1,   /* of no format, where it was of one; binary, where it was text; zeros */
	PROFILE_DENSE = 2,  /* random, where it was not */
	PROFILE_SPOILT = 4, /* broken, or encoded, where it was not */
	PROFILE_SEALED = 8, /* sealed, where it was not */
};
/* same_size: its content is another of the very same length, which what compresses its content hardly ever has. */
unsigned profile_harm(const struct profile *before, const struct profile *now, bool same_size);

/* What a file that is new may be noticed for: its first that fits.  Of each file of a data set, so that what is usual for an
 * extension is known. */
enum profile_sign {
	SIGN_NONE, /* of a known format, and nothing wrong with it */
	SIGN_TEXT,
	SIGN_BINARY, /* of no known format, not random */
	SIGN_OPAQUE, /* of no known format, random */
	SIGN_ZERO,
	SIGN_BROKEN,
	SIGN_ENCODED,
	SIGN_SEALED,
	SIGN_THICK, /* random in a format that is not */
	SIGNS,
	SIGN_UNKNOWN = SIGNS /* empty, or never read */
};
enum profile_sign profile_sign(const struct profile *p);

/* While it passes by. */
struct profile_reader {
	struct profile is;
	uint64_t seed, at, next;		       /* bytes so far; where the next window begins */
	unsigned windows, random, zero, text, encoded; /* windows of each */
	unsigned markers, wrong; /* 0xFF in evenly spread windows; with what no coder writes behind it */
	bool deep, all_zero;
	uint8_t utf16;	       /* it begins with the byte order mark of: 1 little, 2 big endian */
	uint8_t sealed, sound; /* so far: enum inside */
	uint8_t tail[PROFILE_TAIL];
	size_t n_tail;
};

/* deep: it is new or changed: more windows, and its inside is decompressed (at most INSIDE_LOOK bytes of input). */
void profile_begin(struct profile_reader *r, uint64_t seed, bool deep);
void profile_feed(struct profile_reader *r, const void *p, size_t n);
void profile_hole(struct profile_reader *r, uint64_t n); /* zeros that nobody stored */
void profile_end(struct profile_reader *r, struct profile *ret);

#endif
