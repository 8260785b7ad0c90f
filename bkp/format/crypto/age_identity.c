/* age_identity: recipients and identities, single and in files.
 *
 * A recipient that is a point of low order is refused when it is parsed: anybody could decrypt what is encrypted to it.
 * Messages show a recipient, never an identity. */
#include "format/crypto/age_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"

#define RECIPIENT_HRP  "age"
#define IDENTITY_HRP   "AGE-SECRET-KEY-"
#define IDENTITIES_MAX 64

_Static_assert(sizeof(RECIPIENT_HRP) - 1 + 59 + 1 == AGE_RECIPIENT_TEXT, "length of a recipient");
_Static_assert(sizeof(IDENTITY_HRP) - 1 + 59 + 1 == AGE_IDENTITY_TEXT, "length of an identity");

int age_recipient_parse(const char *s, struct age_recipient *ret, struct err *err)
{
	static const uint8_t any_scalar[AGE_KEY] = {8};
	struct age_recipient r;
	uint8_t point[AGE_KEY];
	char shown[100];

	if (!age_bech32_decode(s, strlen(s), RECIPIENT_HRP, r.x25519)) {
		if (strncasecmp(s, IDENTITY_HRP, sizeof(IDENTITY_HRP) - 1) ==
		    0) /* never shown: it is a secret */
			return err_set(
			    err, "E-AGE-06", text("a secret identity stands where a recipient belongs"));
		err_set(err, "E-AGE-06", text("'%s' is not an age recipient"),
		    path_show(s, shown, sizeof(shown)));
		return err_hint(err,
		    text(
			"a recipient is the line \"age1...\" that age-keygen prints; check every character"));
	}
	/* the low-order points are those that every clamped scalar sends to zero */
	if (crypto_scalarmult(point, any_scalar, r.x25519) != 0)
		return err_set(
		    err, "E-AGE-06", text("'%s' is not an age recipient: a point of low order"), s);
	*ret = r;
	return 0;
}

char *age_recipient_format(const struct age_recipient *r, char out[AGE_RECIPIENT_TEXT])
{
	return age_bech32_encode(RECIPIENT_HRP, r->x25519, out);
}

char *age_identity_format(const struct age_identity *id, char out[AGE_IDENTITY_TEXT])
{
	return age_bech32_encode(IDENTITY_HRP, id->secret, out);
}

void age_identity_generate(const struct age_random *rnd, struct age_identity *ret)
{
	rnd->fill(rnd->arg, ret->secret, sizeof(ret->secret));
}

int age_identity_recipient(const struct age_identity *id, struct age_recipient *ret)
{
	uint8_t point[AGE_KEY];

	if (crypto_scalarmult_base(point, id->secret) != 0)
		return -1;
	memcpy(ret->x25519, point, sizeof(point));
	return 0;
}

int age_identity_file(const struct age_identity *id, const char *created, const char *passphrase,
    const struct age_random *rnd, struct buf *out, struct err *err)
{
	char secret[AGE_IDENTITY_TEXT], recipient[AGE_RECIPIENT_TEXT], plain[512];
	struct age_recipient r;
	int rc;

	if (age_identity_recipient(id, &r))
		return err_set(err, "E-AGE-06", text("an identity without a public key"));
	snprintf(plain, sizeof(plain), "# created: %s\n# public key: %s\n%s\n", created,
	    age_recipient_format(&r, recipient), age_identity_format(id, secret));
	rc = passphrase ? age_encrypt_scrypt(passphrase, rnd, plain, strlen(plain), out, err)
			: buf_puts(out, plain, err);
	sodium_memzero(secret, sizeof(secret));
	sodium_memzero(plain, sizeof(plain));
	return rc;
}

static bool is_blank(const char *s, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (s[i] != ' ' && s[i] != '\t')
			return false;
	return true;
}

static int parse_line(
    const char *s, size_t n, size_t number, struct age_identity *ids, size_t *n_ids, struct err *err)
{
	if (n && s[n - 1] == '\r')
		n--;
	if (is_blank(s, n) || s[0] == '#')
		return 0;
	if (*n_ids == IDENTITIES_MAX)
		return err_set(err, "E-AGE-06", text("line %zu: more than %d identities in one file"), number,
		    IDENTITIES_MAX);
	if (!age_bech32_decode(s, n, IDENTITY_HRP, ids[*n_ids].secret))
		return err_set(
		    err, "E-AGE-06", text("line %zu: not an age identity (\"AGE-SECRET-KEY-1...\")"), number);
	++*n_ids;
	return 0;
}

static int parse_lines(const char *p, size_t n, struct age_identity *ids, size_t *n_ids, struct err *err)
{
	size_t number = 0;
	size_t off = 0;

	while (off < n) {
		const char *nl = memchr(p + off, '\n', n - off);
		size_t len = nl ? (size_t)(nl - (p + off)) : n - off;

		if (parse_line(p + off, len, ++number, ids, n_ids, err))
			return -1;
		off += len + (nl != NULL);
	}
	if (*n_ids == 0)
		return err_set(err, "E-AGE-06", text("no identity in the identity file"));
	return 0;
}

int age_identities_parse(
    const char *p, size_t n, struct age_identity **ret_ids, size_t *ret_n, struct err *err)
{
	struct age_identity *ids = calloc(IDENTITIES_MAX, sizeof(*ids));
	size_t n_ids = 0;

	if (!ids)
		return err_nomem(err);
	if (parse_lines(p, n, ids, &n_ids, err)) {
		age_identities_free(ids, IDENTITIES_MAX);
		return -1;
	}
	*ret_ids = ids;
	*ret_n = n_ids;
	return 0;
}

void age_identities_free(struct age_identity *ids, size_t n)
{
	if (ids)
		sodium_memzero(ids, n * sizeof(*ids));
	free(ids);
}
