/* opaque: how much of a piece of a table looks like ciphertext.
 *
 * Pure.  Ciphertext comes into text in few ways, and each is told apart from what clinical tables hold:
 *
 *     base64, hexadecimal   runs of letters and digits without blanks; decoded, their bytes are evenly spread (kind.h) and do
 *                           not begin like a known format: a PDF in base64 or a JPEG as bytea is none, HL7 as bytea is none.
 *                           Less than 64 decoded bytes tell nothing: they count as ciphertext, as keys and hashes look so
 *     raw bytes             as MySQL dumps them: control characters, and what is not UTF-8, in a value that does not begin
 *                           like a known format
 *
 * So a column of hashes, or text in EUC-JP, counts as well: a table is judged by what it was before (rows_past.h).
 */
#ifndef BKP_FORMAT_DUMP_OPAQUE_H
#define BKP_FORMAT_DUMP_OPAQUE_H

#include <stddef.h>
#include <stdint.h>

#define OPAQUE_LOOK 512

/* Bytes of the character of UTF-8 at p, of which n ≥ 1 bytes are there, or more when it is cut off; 0: it is none, or a control
 * character (but tab and line ends). */
size_t opaque_character(const uint8_t *p, size_t n);
/* Per mille of the bytes of a row of SQL; n ≤ OPAQUE_LOOK. */
unsigned opaque_row(const uint8_t *p, size_t n);
/* The same of the beginning of a value as it is, without SQL around it: 0 or 1000. */
unsigned opaque_value(const uint8_t *p, size_t n);

#endif
