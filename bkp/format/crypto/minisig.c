/* minisig: see minisig.h.
 *
 * Every file is pairs of a comment line and a line of base64: one pair for a key, two for a signature.  Lines are split
 * strictly (no CR, no NUL, nothing behind the last), so that one text has one reading.
 *
 * A signature is checked in this order: form, algorithm, key id, signature of the message, then the second signature, which
 * covers the first one and the trusted comment.  The comment is handed out only when both are right.  The first line of a
 * signature file is covered by nothing and is never believed. */
#include "format/crypto/minisig.h"

#include <stdbool.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/base64.h"

#define UNTRUSTED   "untrusted comment: "
#define TRUSTED	    "trusted comment: "
#define LINES_MAX   4
#define FILE_MAX    ((size_t)16384)
#define PUBLIC_LEN  42	/* "Ed" ‖ id ‖ key */
#define SIG_LEN	    74	/* "Ed" ‖ id ‖ signature */
#define SECRET_LEN  158 /* see minisig_secret_file() */
#define SECRET_BODY 54	/* offset of id ‖ key ‖ checksum in it */
#define CHECKSUM    32

_Static_assert(crypto_sign_BYTES == 64 && crypto_sign_SECRETKEYBYTES == 64, "Ed25519");

struct line {
	const char *s;
	size_t n;
};

enum kind { PUBLIC_KEY, SECRET_KEY, SIGNATURE };

static const char *name_of(enum kind k)
{
	switch (k) {
	case PUBLIC_KEY:
		return text("minisign public key");
	case SECRET_KEY:
		return text("minisign secret key");
	case SIGNATURE:
		break;
	}
	return text("minisign signature");
}

static int refuse_line(enum kind k, size_t line, const char *what, struct err *err)
{
	return err_set(err, k == SIGNATURE ? "E-SIG-01" : "E-SIG-05", text("malformed %s, line %zu: %s"),
	    name_of(k), line, what);
}

/* Exactly `want` lines, each ended by LF (the last one may lack it), without NUL or CR. */
static int split_lines(
    const char *p, size_t n, size_t want, struct line ret[LINES_MAX], enum kind k, struct err *err)
{
	size_t off = 0;
	size_t i;

	if (n > FILE_MAX)
		return refuse_line(k, 1, text("too long"), err);
	for (i = 0; i < want; i++) {
		const char *nl = off < n ? memchr(p + off, '\n', n - off) : NULL;

		if (off == n)
			return refuse_line(k, i + 1, text("the file ends early"), err);
		ret[i] = (struct line){p + off, nl ? (size_t)(nl - (p + off)) : n - off};
		off += ret[i].n + (nl != NULL);
		if (memchr(ret[i].s, '\0', ret[i].n) || memchr(ret[i].s, '\r', ret[i].n))
			return refuse_line(k, i + 1, text("a NUL or carriage return"), err);
	}
	return off == n ? 0 : refuse_line(k, want + 1, text("something behind the last line"), err);
}

size_t minisig_lines(const char *p, size_t n)
{
	size_t off = 0;

	for (int i = 0; i < LINES_MAX; i++) {
		const char *nl = n > off ? memchr(p + off, '\n', n - off) : NULL;

		if (!nl)
			return 0;
		off = (size_t)(nl - p) + 1;
	}
	return off;
}

bool minisig_is_usual(const char *sig, size_t sn)
{
	static const char *const lines[] = {
	    UNTRUSTED "signature from bkp\n", UNTRUSTED "signature from minisign secret key\n"};

	size_t ends = 0;

	for (size_t i = 0; i < sn; i++)
		ends += sig[i] == '\n';
	if (ends != 4 || sig[sn - 1] != '\n')
		return false;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		if (sn > strlen(lines[i]) && !memcmp(sig, lines[i], strlen(lines[i])))
			return true;
	return false;
}

static int strip_prefix(struct line *l, size_t number, const char *prefix, enum kind k, struct err *err)
{
	size_t n = strlen(prefix);

	if (l->n < n || memcmp(l->s, prefix, n) != 0)
		return err_set(err, k == SIGNATURE ? "E-SIG-01" : "E-SIG-05",
		    text("malformed %s, line %zu: does not begin with '%s'"), name_of(k), number, prefix);
	l->s += n;
	l->n -= n;
	return 0;
}

int minisig_b64_encode(const void *p, size_t n, struct buf *out, struct err *err)
{
	return base64_append(out, p, n, BASE64_PADDED, err);
}

int minisig_b64_decode(const char *s, size_t n, uint8_t *out, size_t want)
{
	size_t len;

	return base64_decode(s, n, BASE64_PADDED, out, want, &len) && len == want ? 0 : -1;
}

void minisig_from_seed(const uint8_t seed[32], struct minisig_secret *ret)
{
	uint8_t hash[32];

	crypto_sign_seed_keypair(ret->pub.key, ret->key, seed);
	crypto_generichash(hash, sizeof(hash), ret->pub.key, sizeof(ret->pub.key), NULL, 0);
	memcpy(ret->pub.id, hash, sizeof(ret->pub.id));
}

char *minisig_public_format(const struct minisig_public *pub, char out[MINISIG_KEY_TEXT])
{
	uint8_t raw[PUBLIC_LEN] = {'E', 'd'};

	memcpy(raw + 2, pub->id, 8);
	memcpy(raw + 10, pub->key, 32);
	return sodium_bin2base64(out, MINISIG_KEY_TEXT, raw, sizeof(raw), sodium_base64_VARIANT_ORIGINAL);
}

static int parse_public(const char *s, size_t n, size_t line, struct minisig_public *ret, struct err *err)
{
	uint8_t raw[PUBLIC_LEN];

	if (minisig_b64_decode(s, n, raw, sizeof(raw)))
		return refuse_line(PUBLIC_KEY, line, text("not 56 characters of base64 (\"RW...\")"), err);
	if (raw[0] != 'E' || raw[1] != 'd')
		return refuse_line(PUBLIC_KEY, line, text("not an Ed25519 key"), err);
	memcpy(ret->id, raw + 2, 8);
	memcpy(ret->key, raw + 10, 32);
	return 0;
}

int minisig_public_parse(const char *s, struct minisig_public *ret, struct err *err)
{
	return parse_public(s, strlen(s), 1, ret, err);
}

/* minisign shows the id as a little-endian number, without leading zeros. */
static unsigned long long id_number(const uint8_t id[8])
{
	unsigned long long v = 0;
	size_t i;

	for (i = 8; i-- > 0;)
		v = v << 8 | id[i];
	return v;
}

int minisig_public_file(const struct minisig_public *pub, struct buf *out, struct err *err)
{
	char key[MINISIG_KEY_TEXT];

	return buf_printf(out, err, UNTRUSTED "minisign public key %llX\n%s\n", id_number(pub->id),
	    minisig_public_format(pub, key));
}

int minisig_public_file_parse(const char *p, size_t n, struct minisig_public *ret, struct err *err)
{
	struct line l[LINES_MAX];

	if (split_lines(p, n, 2, l, PUBLIC_KEY, err) || strip_prefix(&l[0], 1, UNTRUSTED, PUBLIC_KEY, err))
		return -1;
	return parse_public(l[1].s, l[1].n, 2, ret, err);
}

/* "Ed" ‖ KDF (0 0: none) ‖ "B2" ‖ salt (32) ‖ limits (16) ‖ id (8) ‖ key (64) ‖ checksum (32).  Without a
 * KDF, minisign leaves salt, limits and checksum zero; so do we. */
int minisig_secret_file(const struct minisig_secret *sec, struct buf *out, struct err *err)
{
	uint8_t *raw = sodium_malloc(SECRET_LEN);
	int rc;

	if (!raw)
		return err_nomem(err);
	sodium_memzero(raw, SECRET_LEN);
	memcpy(raw, "Ed\0\0B2", 6);
	memcpy(raw + SECRET_BODY, sec->pub.id, 8);
	memcpy(raw + SECRET_BODY + 8, sec->key, 64);
	rc = buf_puts(out, UNTRUSTED "minisign unencrypted secret key\n", err);
	if (rc == 0)
		rc = minisig_b64_encode(raw, SECRET_LEN, out, err);
	if (rc == 0)
		rc = buf_puts(out, "\n", err);
	sodium_free(raw);
	return rc;
}

/* Zero, or BLAKE2b-256("Ed" ‖ id ‖ key). */
static bool checksum_is_right(const uint8_t raw[SECRET_LEN])
{
	const uint8_t *found = raw + SECRET_LEN - CHECKSUM;
	crypto_generichash_state st;
	uint8_t want[CHECKSUM];
	bool same;

	if (sodium_is_zero(found, CHECKSUM))
		return true;
	crypto_generichash_init(&st, NULL, 0, CHECKSUM);
	crypto_generichash_update(&st, raw, 2);
	crypto_generichash_update(&st, raw + SECRET_BODY, 8 + 64);
	crypto_generichash_final(&st, want, CHECKSUM);
	same = sodium_memcmp(found, want, CHECKSUM) == 0;
	sodium_memzero(&st, sizeof(st));
	return same;
}

static int parse_secret(const uint8_t raw[SECRET_LEN], struct minisig_secret *ret, struct err *err)
{
	struct minisig_secret *sec;
	int rc = 0;

	if (memcmp(raw, "Ed", 2) != 0 || memcmp(raw + 4, "B2", 2) != 0)
		return refuse_line(SECRET_KEY, 2, text("not an Ed25519 secret key"), err);
	if (raw[2] || raw[3]) {
		err_set(err, "E-SIG-05", text("the minisign secret key is protected by a password"));
		return err_hint(err, text("remove the password with 'minisign -C -W -s FILE'"));
	}
	sec = sodium_malloc(sizeof(*sec));
	if (!sec)
		return err_nomem(err);
	minisig_from_seed(raw + SECRET_BODY + 8, sec);
	memcpy(sec->pub.id, raw + SECRET_BODY, 8);
	/* a public half that is not the seed's would leak the seed by signing */
	if (sodium_memcmp(sec->key, raw + SECRET_BODY + 8, 64) != 0 || !checksum_is_right(raw))
		rc = refuse_line(SECRET_KEY, 2, text("damaged: its parts do not fit together"), err);
	else
		*ret = *sec;
	sodium_free(sec);
	return rc;
}

int minisig_secret_file_parse(const char *p, size_t n, struct minisig_secret *ret, struct err *err)
{
	struct line l[LINES_MAX];
	uint8_t *raw;
	int rc;

	if (split_lines(p, n, 2, l, SECRET_KEY, err) || strip_prefix(&l[0], 1, UNTRUSTED, SECRET_KEY, err))
		return -1;
	raw = sodium_malloc(SECRET_LEN);
	if (!raw)
		return err_nomem(err);
	if (minisig_b64_decode(l[1].s, l[1].n, raw, SECRET_LEN))
		rc = refuse_line(SECRET_KEY, 2, text("not base64 of 158 bytes"), err);
	else
		rc = parse_secret(raw, ret, err);
	sodium_free(raw);
	return rc;
}

/* The second signature covers signature ‖ trusted comment. */
static int put_trusted(const struct minisig_secret *sec, const uint8_t sig[64], const char *comment,
    struct buf *out, struct err *err)
{
	uint8_t signed_part[64 + MINISIG_COMMENT_MAX];
	uint8_t global[64];
	size_t n = strlen(comment);

	memcpy(signed_part, sig, 64);
	memcpy(signed_part + 64, comment, n);
	crypto_sign_detached(global, NULL, signed_part, 64 + n, sec->key);
	if (buf_printf(out, err, "\n" TRUSTED "%s\n", comment) ||
	    minisig_b64_encode(global, sizeof(global), out, err))
		return -1;
	return buf_puts(out, "\n", err);
}

int minisig_sign(const struct minisig_secret *sec, const void *msg, size_t n, const char *trusted_comment,
    struct buf *out, struct err *err)
{
	uint8_t raw[SIG_LEN] = {'E', 'd'};
	size_t start = out->n;

	if (strlen(trusted_comment) >= MINISIG_COMMENT_MAX)
		return err_set(
		    err, "E-SIG-01", text("a trusted comment longer than %d bytes"), MINISIG_COMMENT_MAX - 1);
	if (strpbrk(trusted_comment, "\r\n"))
		return err_set(err, "E-SIG-01", text("a trusted comment of more than one line"));
	memcpy(raw + 2, sec->pub.id, 8);
	minisig_raw_sign(sec, msg, n, raw + 10);
	if (buf_puts(out, UNTRUSTED "signature from bkp\n", err) ||
	    minisig_b64_encode(raw, sizeof(raw), out, err) ||
	    put_trusted(sec, raw + 10, trusted_comment, out, err)) {
		out->n = start;
		return -1;
	}
	return 0;
}

static int check_algorithm(const uint8_t raw[SIG_LEN], bool any, struct err *err)
{
	if (raw[0] == 'E' && (raw[1] == 'd' || (any && raw[1] == 'D')))
		return 0;
	if (raw[0] != 'E' || raw[1] != 'D')
		return refuse_line(SIGNATURE, 2, text("not an Ed25519 signature"), err);
	refuse_line(SIGNATURE, 2, text("a prehashed signature (\"ED\"), which is not accepted here"), err);
	return err_hint(err, text("sign with 'minisign -S -l'"));
}

static int verify_trusted(const struct minisig_public *pub, const uint8_t sig[64], const struct line *comment,
    const uint8_t global[64])
{
	uint8_t signed_part[64 + MINISIG_COMMENT_MAX];

	memcpy(signed_part, sig, 64);
	memcpy(signed_part + 64, comment->s, comment->n);
	return minisig_raw_verify(pub, signed_part, 64 + comment->n, global);
}

/* "ED" signs BLAKE2b-512 of the message. */
static int verify_message(
    const struct minisig_public *pub, const void *msg, size_t n, const uint8_t raw[SIG_LEN])
{
	uint8_t hash[crypto_generichash_BYTES_MAX];

	if (raw[1] == 'd')
		return minisig_raw_verify(pub, msg, n, raw + 10);
	crypto_generichash(hash, sizeof(hash), msg, n, NULL, 0);
	return minisig_raw_verify(pub, hash, sizeof(hash), raw + 10);
}

/* A .minisig file, taken apart. */
struct parsed {
	uint8_t raw[SIG_LEN];
	uint8_t global[64];
	struct line comment;
};

static int parse_signature(const char *sig, size_t sn, bool prehashed, struct parsed *ret, struct err *err)
{
	struct line l[LINES_MAX];

	if (split_lines(sig, sn, 4, l, SIGNATURE, err) || strip_prefix(&l[0], 1, UNTRUSTED, SIGNATURE, err) ||
	    strip_prefix(&l[2], 3, TRUSTED, SIGNATURE, err))
		return -1;
	if (l[2].n >= MINISIG_COMMENT_MAX)
		return refuse_line(SIGNATURE, 3, text("the trusted comment is too long"), err);
	if (minisig_b64_decode(l[1].s, l[1].n, ret->raw, sizeof(ret->raw)))
		return refuse_line(SIGNATURE, 2, text("not base64 of 74 bytes"), err);
	if (minisig_b64_decode(l[3].s, l[3].n, ret->global, sizeof(ret->global)))
		return refuse_line(SIGNATURE, 4, text("not base64 of 64 bytes"), err);
	ret->comment = l[2];
	return check_algorithm(ret->raw, prehashed, err);
}

/* prehashed: "ED" will do as well. */
static int verify_by_keys(const struct minisig_public *keys, size_t n_keys, const void *msg, size_t n,
    const char *sig, size_t sn, bool prehashed, char ret_comment[MINISIG_COMMENT_MAX], size_t *ret_index,
    struct err *err)
{
	struct parsed p;
	bool known = false;
	size_t i;

	if (parse_signature(sig, sn, prehashed, &p, err))
		return -1;
	/* Ids are anybody's to choose: two keys may share one, so every key of that id is tried, the last first.  i ends as
	 * SIZE_MAX when none of them made it. */
	for (i = n_keys; i-- > 0;) {
		if (memcmp(p.raw + 2, keys[i].id, 8) != 0)
			continue;
		known = true;
		if (!verify_message(&keys[i], msg, n, p.raw))
			break;
	}
	if (!known)
		return err_set_kind(
		    err, ERR_WRONG_KEY, "E-SIG-02", text("signed by another key than the one expected"));
	if (i == SIZE_MAX)
		return err_set(
		    err, "E-SIG-03", text("the signature is wrong: what was signed has been altered"));
	if (verify_trusted(&keys[i], p.raw + 10, &p.comment, p.global))
		return err_set(err, "E-SIG-04", text("the trusted comment of the signature has been forged"));
	if (ret_comment) {
		memcpy(ret_comment, p.comment.s, p.comment.n);
		ret_comment[p.comment.n] = '\0';
	}
	if (ret_index)
		*ret_index = i;
	return 0;
}

int minisig_verify(const struct minisig_public *pub, const void *msg, size_t n, const char *sig, size_t sn,
    char ret_comment[MINISIG_COMMENT_MAX], struct err *err)
{
	return verify_by_keys(pub, 1, msg, n, sig, sn, false, ret_comment, NULL, err);
}

int minisig_verify_any(const struct minisig_public *pub, const void *msg, size_t n, const char *sig,
    size_t sn, char ret_comment[MINISIG_COMMENT_MAX], struct err *err)
{
	return verify_by_keys(pub, 1, msg, n, sig, sn, true, ret_comment, NULL, err);
}

int minisig_verify_one_of(const struct minisig_public *keys, size_t n_keys, const void *msg, size_t n,
    const char *sig, size_t sn, char ret_comment[MINISIG_COMMENT_MAX], size_t *ret_index, struct err *err)
{
	return verify_by_keys(keys, n_keys, msg, n, sig, sn, false, ret_comment, ret_index, err);
}

void minisig_raw_sign(const struct minisig_secret *sec, const void *msg, size_t n, uint8_t ret_sig[64])
{
	crypto_sign_detached(ret_sig, NULL, msg, n, sec->key);
}

int minisig_raw_verify(const struct minisig_public *pub, const void *msg, size_t n, const uint8_t sig[64])
{
	return crypto_sign_verify_detached(sig, msg, n, pub->key) == 0 ? 0 : -1;
}
