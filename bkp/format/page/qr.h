/* qr: a text as a QR code (ISO/IEC 18004), drawn as inline SVG.  Error E-PAGE-01: the text is too long. */
#ifndef BKP_FORMAT_PAGE_QR_H
#define BKP_FORMAT_PAGE_QR_H

struct buf;
struct err;

/* Capitals and digits take less room than other texts; about 550 bytes at most.  The path holds what the text
 * says: `out` is to be wiped where that is secret. */
int qr_svg(const char *text, struct buf *out, struct err *err) __attribute__((warn_unused_result));

#endif
