/* canary_make: the content of a canary: a small, valid file of its kind, which no patient's data is in.
 *
 * Pure.  Each is another, by its seed, so that nobody knows one by its hash.  Where the kind has words they say that it is no
 * medical record and is to be left alone: a person who opens one must not take it for one.
 */
#ifndef BKP_WRITE_CANARY_CANARY_MAKE_H
#define BKP_WRITE_CANARY_CANARY_MAKE_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

#define CANARY_CONTENT_MAX ((size_t)1 << 20)

enum canary_kind {
	CANARY_NOTHING,
	CANARY_TEXT,
	CANARY_CSV,
	CANARY_HL7,
	CANARY_PDF,
	CANARY_JPEG,
	CANARY_DICOM,
	CANARY_DOCX
};

/* Of a file like that one: by the ending of its name, or where it has none by its first bytes, n of them.  CANARY_NOTHING: none can be
 * made like it. */
enum canary_kind canary_kind_of(const char *name, const uint8_t *head, size_t n);

/* Appends it; seed: 32 bytes. */
int canary_make(unsigned kind, const uint8_t *seed, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
