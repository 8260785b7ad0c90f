/* base64: RFC 4648 §4, canonical only, with or without padding.
 *
 * There is exactly one text for given bytes: no white space, no missing or surplus padding, unused bits zero.
 * Runs in time that depends on the length only, so that secrets may pass through it.
 */
#ifndef BKP_FORMAT_CRYPTO_BASE64_H
#define BKP_FORMAT_CRYPTO_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum base64_form { BASE64_PADDED, BASE64_UNPADDED };

/* Appends the text of n bytes. 0, -1 (E-MEM-01, E-MEM-02). */
int base64_append(struct buf *out, const void *p, size_t n, enum base64_form form, struct err *err);

/* Decodes n characters to at most `room` bytes. */
bool base64_decode(const char *s, size_t n, enum base64_form form, uint8_t *out, size_t room, size_t *ret_n);

#endif
