/* inside: does a file that begins like a format go on and end like it?  Pure.
 *
 * Two looks: the beginning (the more of it the better: with INSIDE_LOOK bytes most documents are seen whole), and the last
 * bytes.  What is tried: ZIP (local headers one behind the other, each deflated member inflates with its CRC-32; the end of
 * the central directory; APPNOTE 4.3), gzip (RFC 1952), PNG (chunks inflate; IEND), PDF (the first stream inflates; %%EOF), 7z
 * (the end that the start header names).  And whether it is sealed: ZIP's encryption flag, 7zAES, PGP (RFC 4880), openssl enc, age.
 */
#ifndef BKP_FORMAT_GUARD_INSIDE_H
#define BKP_FORMAT_GUARD_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define INSIDE_LOOK ((size_t)64 << 10)

enum inside {
	INSIDE_UNKNOWN,	  /* its format says nothing that could be tried */
	INSIDE_PLAUSIBLE, /* what was tried was as it should be */
	INSIDE_PROVEN,	  /* all of it was tried */
	INSIDE_BROKEN,	  /* it begins like its format, and does not go on like it */
};

/* p: the first n bytes.  deep: decompress.  PROVEN: all of it was tried. */
enum inside inside_begins(uint8_t kind, const uint8_t *p, size_t n, bool deep);
/* p: the last n bytes; head: what inside_begins() said. */
enum inside inside_ends(uint8_t kind, const uint8_t *p, size_t n, enum inside head);
bool inside_sealed_head(uint8_t kind, const uint8_t *p, size_t n);
bool inside_sealed_tail(uint8_t kind, const uint8_t *p, size_t n);

#endif
