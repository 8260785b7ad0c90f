/* base64: see base64.h. */
#include "format/crypto/base64.h"

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"

static int variant(enum base64_form form)
{
	return form == BASE64_PADDED ? sodium_base64_VARIANT_ORIGINAL
				     : sodium_base64_VARIANT_ORIGINAL_NO_PADDING;
}

int base64_append(struct buf *out, const void *p, size_t n, enum base64_form form, struct err *err)
{
	size_t room = sodium_base64_encoded_len(n, variant(form)); /* with NUL */

	if (buf_reserve(out, room, err))
		return -1;
	sodium_bin2base64((char *)out->p + out->n, room, p, n, variant(form));
	out->n += room - 1;
	return 0;
}

bool base64_decode(const char *s, size_t n, enum base64_form form, uint8_t *out, size_t room, size_t *ret_n)
{
	unsigned seen = 0;
	size_t len;
	size_t i;

	/* libsodium 1.0.18 takes some bytes above 0x7f for characters of the alphabet */
	for (i = 0; i < n; i++)
		seen |= (unsigned char)s[i];
	if (seen & 0x80)
		return false;
	if (sodium_base642bin(out, room, s, n, NULL, &len, NULL, variant(form)) != 0)
		return false;
	*ret_n = len;
	return true;
}
