/* age: every way a header can be wrong that we could think of.  The files are made from templates by an
 * independent implementation of the header's cryptography (libsodium only), with the MAC recomputed, so that
 * nothing but the fault itself can be what is refused.  AGE_CASES_DIR=dir writes every case there
 * (tests/scenario/02-age-interop.sh lets the stock `age` judge them too). */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/age.h"

#define HELLO "hello"
#define PASS  "correct horse"

static const uint8_t file_key[16] = "sixteen byte key";
static const uint8_t nonce[16] = "a nonce, 16 byte";
static const uint8_t zero12[12];

struct kit {
	struct age_identity id;
	uint8_t share[40];
	uint8_t body[40]; /* wrapped for id */
	uint8_t other_share[32];
	uint8_t other_body[32]; /* wrapped for somebody else */
	uint8_t salt[40];
	uint8_t scrypt_body[40]; /* PASS, work factor 2 */
};

static void hkdf(
    const uint8_t *ikm, size_t n, const uint8_t *salt, size_t salt_len, const char *info, uint8_t out[32])
{
	crypto_auth_hmacsha256_state st;
	uint8_t prk[32];

	crypto_auth_hmacsha256_init(&st, salt, salt_len);
	crypto_auth_hmacsha256_update(&st, ikm, n);
	crypto_auth_hmacsha256_final(&st, prk);
	crypto_auth_hmacsha256_init(&st, prk, sizeof(prk));
	crypto_auth_hmacsha256_update(&st, (const uint8_t *)info, strlen(info));
	crypto_auth_hmacsha256_update(&st, (const uint8_t *)"\x01", 1);
	crypto_auth_hmacsha256_final(&st, out);
}

static void wrap(const uint8_t key[32], uint8_t body[32])
{
	crypto_aead_chacha20poly1305_ietf_encrypt(body, NULL, file_key, 16, NULL, 0, NULL, zero12, key);
}

static void wrap_x25519(const uint8_t secret[32], uint8_t seed, uint8_t share[32], uint8_t body[32])
{
	uint8_t ephemeral[32];
	uint8_t shared[32];
	uint8_t salt[64];
	uint8_t key[32];

	memset(ephemeral, seed, sizeof(ephemeral));
	crypto_scalarmult_base(share, ephemeral);
	memcpy(salt, share, 32);
	crypto_scalarmult_base(salt + 32, secret);
	assert_int_equal(crypto_scalarmult(shared, ephemeral, salt + 32), 0);
	hkdf(shared, 32, salt, 64, "age-encryption.org/v1/X25519", key);
	wrap(key, body);
}

static void make_kit(struct kit *k)
{
	static const char label[] = "age-encryption.org/v1/scrypt";
	uint8_t salt[sizeof(label) - 1 + 16];
	uint8_t somebody[32];
	uint8_t key[32];

	memset(k, 0x5a, sizeof(*k));
	memset(k->id.secret, 7, sizeof(k->id.secret));
	memset(somebody, 9, sizeof(somebody));
	wrap_x25519(k->id.secret, 3, k->share, k->body);
	wrap_x25519(somebody, 4, k->other_share, k->other_body);
	memcpy(salt, label, sizeof(label) - 1);
	memcpy(salt + sizeof(label) - 1, k->salt, 16);
	assert_int_equal(crypto_pwhash_scryptsalsa208sha256_ll(
			     (const uint8_t *)PASS, strlen(PASS), salt, sizeof(salt), 4, 8, 1, key, 32),
	    0);
	wrap(key, k->scrypt_body);
}

/* Unpadded base64 of n bytes. */
static void b64(struct buf *out, const uint8_t *p, size_t n)
{
	char s[256];

	sodium_bin2base64(s, sizeof(s), p, n, sodium_base64_VARIANT_ORIGINAL_NO_PADDING);
	assert_int_equal(buf_puts(out, s, NULL), 0);
}

/* The same bytes with a bit set that should be zero at the end: decodes to the same, but is not canonical. */
static void spoil_last(struct buf *out)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t v = (size_t)(strchr(set, out->p[out->n - 1]) - set);

	out->p[out->n - 1] = (uint8_t)set[v | 1];
}

/* MAC over all that stands in `out` up to the last "---". */
static void put_mac(struct buf *out, bool flip)
{
	uint8_t key[32];
	uint8_t mac[32];
	size_t n = out->n;

	while (memcmp(out->p + n - 3, "---", 3) != 0)
		n--;
	hkdf(file_key, 16, zero12, 0, "header", key);
	crypto_auth_hmacsha256(mac, out->p, n, key);
	mac[0] ^= flip;
	b64(out, mac, 32);
}

static void expand_number(struct buf *out, const struct kit *k, const char *t)
{
	size_t n = (size_t)strtoul(t + 1, NULL, 10);

	b64(out, *t == 's' ? k->share : *t == 'b' ? k->body : *t == 'p' ? k->salt : k->scrypt_body, n);
}

/* {V} version line; {sN} share, {bN} body, {pN} salt, {qN} scrypt body, all as base64 of N bytes; {S} {B} the
 * other recipient's; {~} spoils the last character; {0} 32 zero bytes; {m} MAC, {w} wrong MAC; {N} a NUL byte
 */
static void expand(struct buf *out, const struct kit *k, const char *t)
{
	static const uint8_t zero[32];

	for (; *t; t++) {
		if (*t != '{') {
			assert_int_equal(buf_append(out, t, 1, NULL), 0);
			continue;
		}
		t++;
		if (*t == 'V')
			assert_int_equal(buf_puts(out, "age-encryption.org/v1\n", NULL), 0);
		else if (*t == 'S' || *t == 'B')
			b64(out, *t == 'S' ? k->other_share : k->other_body, 32);
		else if (*t == '0')
			b64(out, zero, 32);
		else if (*t == 'm' || *t == 'w')
			put_mac(out, *t == 'w');
		else if (*t == 'N')
			assert_int_equal(buf_append(out, "", 1, NULL), 0);
		else if (*t == '~')
			spoil_last(out);
		else
			expand_number(out, k, t);
		t = strchr(t, '}');
	}
}

static void put_payload(struct buf *out)
{
	uint8_t key[32];
	uint8_t last[12] = {0};
	uint8_t c[sizeof(HELLO) - 1 + 16];

	last[11] = 1;
	hkdf(file_key, 16, nonce, 16, "payload", key);
	crypto_aead_chacha20poly1305_ietf_encrypt(
	    c, NULL, (const uint8_t *)HELLO, sizeof(HELLO) - 1, NULL, 0, NULL, last, key);
	assert_int_equal(buf_append(out, nonce, 16, NULL), 0);
	assert_int_equal(buf_append(out, c, sizeof(c), NULL), 0);
}

#define X     "-> X25519 {s32}\n{b32}\n"
#define OTHER "-> X25519 {S}\n{B}\n"
#define FOOT  "--- {m}\n"
#define COL64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

struct test_case {
	const char *name;
	const char *code; /* NULL: accepted */
	const char *text;
};

/* clang-format off */
static const struct test_case cases[] = {
    {"good", NULL, "{V}" X FOOT},
    {"good-two-recipients", NULL, "{V}" OTHER X FOOT},
    {"good-two-recipients-first", NULL, "{V}" X OTHER FOOT},
    {"good-twice-the-same", NULL, "{V}" X X FOOT},
    {"good-grease-before", NULL, "{V}-> a-grease x\nAAAA\n" X FOOT},
    {"good-grease-empty-body", NULL, "{V}-> grease\n\n" X FOOT},
    {"good-grease-full-line-empty-last", NULL, "{V}-> grease\n" COL64 "\n\n" X FOOT},
    {"good-grease-long-body", NULL, "{V}-> grease\n" COL64 "\n" COL64 "\nAA\n" X FOOT},
    {"good-grease-every-character", NULL, "{V}-> !\"#$%&'()*+,-./0189:;<=>?@AZ[\\]^_`az|~\n\n" X FOOT},
    {"good-grease-many-arguments", NULL, "{V}-> g 1 2 3 4 5 6 7 8 9 10 11 12\n\n" X FOOT},
    {"good-grease-behind", NULL, "{V}" X "-> grease -> ---\nAA\n" FOOT},
    {"good-unknown-lower-case-x25519", NULL, "{V}-> x25519 {s31}\nAAAA\n" X FOOT},
    {"good-unknown-upper-case-scrypt", NULL, "{V}-> Scrypt {p16} 99\nAAAA\n" X FOOT},

    {"empty", "E-AGE-01", ""},
    {"version-2", "E-AGE-01", "age-encryption.org/v2\n" X FOOT},
    {"version-10", "E-AGE-01", "age-encryption.org/v10\n" X FOOT},
    {"version-capital", "E-AGE-01", "age-encryption.org/V1\n" X FOOT},
    {"version-space", "E-AGE-01", "age-encryption.org/v1 \n" X FOOT},
    {"version-crlf", "E-AGE-01", "age-encryption.org/v1\r\n" X FOOT},
    {"version-leading-space", "E-AGE-01", " {V}" X FOOT},
    {"version-leading-line", "E-AGE-01", "\n{V}" X FOOT},
    {"version-bom", "E-AGE-01", "\xef\xbb\xbf{V}" X FOOT},
    {"version-twice", "E-AGE-01", "{V}{V}" X FOOT},
    {"version-missing", "E-AGE-01", X FOOT},
    {"version-nul", "E-AGE-01", "age-encryption.org/v1{N}\n" X FOOT},

    {"footer-missing", "E-AGE-01", "{V}" X},
    {"footer-no-mac", "E-AGE-01", "{V}" X "---\n"},
    {"footer-no-mac-space", "E-AGE-01", "{V}" X "--- \n"},
    {"footer-no-space", "E-AGE-01", "{V}" X "---{m}\n"},
    {"footer-two-spaces", "E-AGE-01", "{V}" X "---  {m}\n"},
    {"footer-tab", "E-AGE-01", "{V}" X "---\t{m}\n"},
    {"footer-trailing-space", "E-AGE-01", "{V}" X "--- {m} \n"},
    {"footer-garbage", "E-AGE-01", "{V}" X "--- {m} AAAA\n"},
    {"footer-longer", "E-AGE-01", "{V}" X "--- {m}AAAA\n"},
    {"footer-padded", "E-AGE-01", "{V}" X "--- {m}=\n"},
    {"footer-not-canonical", "E-AGE-01", "{V}" X "--- {m}{~}\n"},
    {"footer-crlf", "E-AGE-01", "{V}" X "--- {m}\r\n"},
    {"footer-short-mac", "E-AGE-01", "{V}" X "--- {b31}\n"},
    {"footer-four-dashes", "E-AGE-01", "{V}" X "---- {m}\n"},
    {"footer-two-dashes", "E-AGE-01", "{V}" X "--- \n-- {m}\n"},
    {"footer-url-base64", "E-AGE-01", "{V}" X "--- -_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_8\n"},
    {"mac-wrong", "E-AGE-02", "{V}" X "--- {w}\n"},
    {"mac-of-something-else", "E-AGE-02", "{V}" X "--- {b32}\n"},

    {"no-stanza", "E-AGE-01", "{V}" FOOT},
    {"empty-line-first", "E-AGE-01", "{V}\n" X FOOT},
    {"empty-line-behind-stanza", "E-AGE-01", "{V}" X "\n" FOOT},
    {"stanza-no-arguments", "E-AGE-01", "{V}->\n\n" X FOOT},
    {"stanza-no-arguments-space", "E-AGE-01", "{V}-> \n\n" X FOOT},
    {"stanza-bad-start", "E-AGE-01", "{V}X25519 {s32}\n{b32}\n" FOOT},
    {"stanza-arrow-without-space", "E-AGE-01", "{V}->X25519 {s32}\n{b32}\n" FOOT},
    {"stanza-half-arrow", "E-AGE-01", "{V}- X25519 {s32}\n{b32}\n" FOOT},
    {"stanza-indented", "E-AGE-01", "{V} " X FOOT},
    {"stanza-two-spaces", "E-AGE-01", "{V}->  X25519 {s32}\n{b32}\n" FOOT},
    {"stanza-empty-argument", "E-AGE-01", "{V}-> X25519  {s32}\n{b32}\n" FOOT},
    {"stanza-empty-argument-unknown", "E-AGE-01", "{V}-> grease  x\n\n" X FOOT},
    {"stanza-trailing-space", "E-AGE-01", "{V}-> X25519 {s32} \n{b32}\n" FOOT},
    {"stanza-tab", "E-AGE-01", "{V}-> X25519\t{s32}\n{b32}\n" FOOT},
    {"stanza-crlf", "E-AGE-01", "{V}-> X25519 {s32}\r\n{b32}\n" FOOT},
    {"stanza-body-crlf", "E-AGE-01", "{V}-> X25519 {s32}\n{b32}\r\n" FOOT},
    {"stanza-not-ascii", "E-AGE-01", "{V}-> gr\xc3\xa9" "ase\n\n" X FOOT},
    {"stanza-delete-character", "E-AGE-01", "{V}-> gr\x7f" "ease\n\n" X FOOT},
    {"stanza-control-character", "E-AGE-01", "{V}-> gr\x01" "ease\n\n" X FOOT},
    {"stanza-nul", "E-AGE-01", "{V}-> gr{N}ease\n\n" X FOOT},
    {"body-missing", "E-AGE-01", "{V}-> X25519 {s32}\n" FOOT},
    {"body-missing-unknown", "E-AGE-01", "{V}-> grease\n" X FOOT},
    {"body-last-line-missing", "E-AGE-01", "{V}-> grease\n" COL64 "\n" X FOOT},
    {"body-long-line", "E-AGE-01", "{V}-> grease\n" COL64 "A\n\n" X FOOT},
    {"body-longer-line", "E-AGE-01", "{V}-> grease\n" COL64 "AAAA\nAAAA\n" X FOOT},
    {"body-two-short-lines", "E-AGE-01", "{V}-> grease\nAAAA\nAAAA\n" X FOOT},
    {"body-padded", "E-AGE-01", "{V}-> grease\nAA==\n" X FOOT},
    {"body-not-canonical", "E-AGE-01", "{V}-> grease\nAB\n" X FOOT},
    {"body-one-character", "E-AGE-01", "{V}-> grease\nA\n" X FOOT},
    {"body-url-base64", "E-AGE-01", "{V}-> grease\n-_-_\n" X FOOT},
    {"body-space", "E-AGE-01", "{V}-> grease\nAA AA\n" X FOOT},
    {"body-leading-space", "E-AGE-01", "{V}-> grease\n AAAA\n" X FOOT},
    {"body-trailing-space", "E-AGE-01", "{V}-> grease\nAAAA \n" X FOOT},
    {"body-nul", "E-AGE-01", "{V}-> grease\nAA{N}A\n" X FOOT},
    {"body-not-ascii", "E-AGE-01", "{V}-> grease\nAA\xc3\xa9\n" X FOOT},
    {"body-full-line-padded", "E-AGE-01", "{V}-> grease\n" COL64 "=\n" X FOOT},

    {"x25519-no-share", "E-AGE-01", "{V}-> X25519\n{b32}\n" FOOT},
    {"x25519-extra-argument", "E-AGE-01", "{V}-> X25519 {s32} x\n{b32}\n" FOOT},
    {"x25519-three-extra", "E-AGE-01", "{V}-> X25519 {s32} x y z\n{b32}\n" FOOT},
    {"x25519-share-short", "E-AGE-01", "{V}-> X25519 {s31}\n{b32}\n" FOOT},
    {"x25519-share-long", "E-AGE-01", "{V}-> X25519 {s33}\n{b32}\n" FOOT},
    {"x25519-share-padded", "E-AGE-01", "{V}-> X25519 {s32}=\n{b32}\n" FOOT},
    {"x25519-share-not-canonical", "E-AGE-01", "{V}-> X25519 {s32}{~}\n{b32}\n" FOOT},
    {"x25519-share-not-base64", "E-AGE-01", "{V}-> X25519 *\n{b32}\n" FOOT},
    {"x25519-share-zero", "E-AGE-01", "{V}-> X25519 {0}\n{b32}\n" FOOT},
    {"x25519-share-one", "E-AGE-01", "{V}-> X25519 AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n{b32}\n" FOOT},
    {"x25519-share-order-8", "E-AGE-01", "{V}-> X25519 4Ot6fDtBuK4WVuP68Z/EatoJjeucMrH9hmIFFl9JuAA\n{b32}\n" FOOT},
    {"x25519-share-p", "E-AGE-01", "{V}-> X25519 7f///////////////////////////////////////38\n{b32}\n" FOOT},
    {"x25519-body-empty", "E-AGE-01", "{V}-> X25519 {s32}\n\n" FOOT},
    {"x25519-body-short", "E-AGE-01", "{V}-> X25519 {s32}\n{b31}\n" FOOT},
    {"x25519-body-long", "E-AGE-01", "{V}-> X25519 {s32}\n{b33}\n" FOOT},
    {"x25519-body-too-long", "E-AGE-01", "{V}-> X25519 {s32}\n" COL64 "\n\n" FOOT},
    {"x25519-body-padded", "E-AGE-01", "{V}-> X25519 {s32}\n{b32}=\n" FOOT},
    {"x25519-body-not-canonical", "E-AGE-01", "{V}-> X25519 {s32}\n{b32}{~}\n" FOOT},
    {"x25519-nobody", "E-AGE-03", "{V}-> X25519 {s32}\n{B}\n" FOOT},
    {"x25519-other", "E-AGE-03", "{V}" OTHER FOOT},
    {"only-unknown", "E-AGE-03", "{V}-> x25519 {s32}\n{b32}\n" FOOT},
    {"malformed-behind-match", "E-AGE-01", "{V}" X "-> X25519 {s31}\n{b32}\n" FOOT},
    {"scrypt-for-identity", "E-AGE-03", "{V}-> scrypt {p16} 2\n{q32}\n" FOOT},
};

#define P "-> scrypt {p16} 2\n{q32}\n"

static const struct test_case pass_cases[] = {
    {"scrypt-good", NULL, "{V}" P FOOT},
    {"scrypt-mac-wrong", "E-AGE-02", "{V}" P "--- {w}\n"},
    {"scrypt-and-x25519", "E-AGE-01", "{V}" P X FOOT},
    {"x25519-and-scrypt", "E-AGE-01", "{V}" X P FOOT},
    {"scrypt-and-unknown", "E-AGE-01", "{V}" P "-> grease\n\n" FOOT},
    {"unknown-and-scrypt", "E-AGE-01", "{V}-> grease\n\n" P FOOT},
    {"scrypt-twice", "E-AGE-01", "{V}" P P FOOT},
    {"scrypt-no-arguments", "E-AGE-01", "{V}-> scrypt\n{q32}\n" FOOT},
    {"scrypt-no-work-factor", "E-AGE-01", "{V}-> scrypt {p16}\n{q32}\n" FOOT},
    {"scrypt-no-salt", "E-AGE-01", "{V}-> scrypt 2\n{q32}\n" FOOT},
    {"scrypt-order", "E-AGE-01", "{V}-> scrypt 2 {p16}\n{q32}\n" FOOT},
    {"scrypt-extra-argument", "E-AGE-01", "{V}-> scrypt {p16} 2 x\n{q32}\n" FOOT},
    {"scrypt-salt-short", "E-AGE-01", "{V}-> scrypt {p15} 2\n{q32}\n" FOOT},
    {"scrypt-salt-long", "E-AGE-01", "{V}-> scrypt {p17} 2\n{q32}\n" FOOT},
    {"scrypt-salt-padded", "E-AGE-01", "{V}-> scrypt {p16}== 2\n{q32}\n" FOOT},
    {"scrypt-salt-not-canonical", "E-AGE-01", "{V}-> scrypt {p16}{~} 2\n{q32}\n" FOOT},
    {"scrypt-body-short", "E-AGE-01", "{V}-> scrypt {p16} 2\n{q31}\n" FOOT},
    {"scrypt-body-long", "E-AGE-01", "{V}-> scrypt {p16} 2\n{q33}\n" FOOT},
    {"scrypt-body-not-canonical", "E-AGE-01", "{V}-> scrypt {p16} 2\n{q32}{~}\n" FOOT},
    {"scrypt-body-wrong", "E-AGE-07", "{V}-> scrypt {p16} 2\n{b32}\n" FOOT},
    {"scrypt-factor-0", "E-AGE-01", "{V}-> scrypt {p16} 0\n{q32}\n" FOOT},
    {"scrypt-factor-00", "E-AGE-01", "{V}-> scrypt {p16} 00\n{q32}\n" FOOT},
    {"scrypt-factor-leading-zero", "E-AGE-01", "{V}-> scrypt {p16} 02\n{q32}\n" FOOT},
    {"scrypt-factor-plus", "E-AGE-01", "{V}-> scrypt {p16} +2\n{q32}\n" FOOT},
    {"scrypt-factor-minus", "E-AGE-01", "{V}-> scrypt {p16} -2\n{q32}\n" FOOT},
    {"scrypt-factor-hex", "E-AGE-01", "{V}-> scrypt {p16} 0x2\n{q32}\n" FOOT},
    {"scrypt-factor-letter-behind", "E-AGE-01", "{V}-> scrypt {p16} 2a\n{q32}\n" FOOT},
    {"scrypt-factor-letter-before", "E-AGE-01", "{V}-> scrypt {p16} a2\n{q32}\n" FOOT},
    {"scrypt-factor-fraction", "E-AGE-01", "{V}-> scrypt {p16} 2.0\n{q32}\n" FOOT},
    {"scrypt-factor-wrong", "E-AGE-07", "{V}-> scrypt {p16} 3\n{q32}\n" FOOT},
    {"scrypt-factor-23", "E-AGE-08", "{V}-> scrypt {p16} 23\n{q32}\n" FOOT},
    {"scrypt-factor-64", "E-AGE-08", "{V}-> scrypt {p16} 64\n{q32}\n" FOOT},
    {"scrypt-factor-overflow", "E-AGE-08", "{V}-> scrypt {p16} 18446744073709551618\n{q32}\n" FOOT},
    {"scrypt-upper-case", "E-AGE-03", "{V}-> Scrypt {p16} 2\n{q32}\n" FOOT},
    {"passphrase-for-x25519", "E-AGE-03", "{V}" X FOOT},
};
/* clang-format on */

static void save(const struct test_case *c, const struct buf *file, const char *kind)
{
	const char *dir = getenv("AGE_CASES_DIR");
	char name[4096];
	FILE *f;

	if (!dir)
		return;
	snprintf(name, sizeof(name), "%s/%s-%s-%s", dir, kind, c->code ? "bad" : "good", c->name);
	f = fopen(name, "we");
	assert_non_null(f);
	assert_int_equal(fwrite(file->p, 1, file->n, f), file->n);
	assert_int_equal(fclose(f), 0);
}

static void try_case(const struct kit *k, const struct test_case *c, bool pass)
{
	BUF_AUTO file = BUF_INIT(1 << 20);
	BUF_AUTO plain = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	int r;

	expand(&file, k, c->text);
	put_payload(&file);
	save(c, &file, pass ? "pass" : "key");
	r = pass ? age_decrypt_scrypt(file.p, file.n, PASS, 22, &plain, &err)
		 : age_decrypt(file.p, file.n, &k->id, 1, &plain, &err);
	if (c->code ? r == 0 || strcmp(err.code, c->code) != 0 : r != 0)
		fail_msg("%s: returned %d, %s %s", c->name, r, err.code, err.msg);
	assert_int_equal(plain.n, c->code ? 0 : 5);
	if (!c->code)
		assert_memory_equal(plain.p, HELLO, 5);
}

static void every_malformed_header_is_refused_with_its_code(void **state)
{
	struct kit k;
	size_t i;
	(void)state;

	make_kit(&k);
	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		try_case(&k, &cases[i], false);
	for (i = 0; i < sizeof(pass_cases) / sizeof(*pass_cases); i++)
		try_case(&k, &pass_cases[i], true);
	print_message("%zu headers tried\n", i + sizeof(cases) / sizeof(*cases));
}

static void a_header_cut_anywhere_asks_for_more(void **state)
{
	BUF_AUTO file = BUF_INIT(1 << 20);
	struct age_header *h = NULL;
	struct kit k;
	size_t len;
	size_t n;
	(void)state;

	make_kit(&k);
	expand(&file, &k, "{V}" OTHER X FOOT);
	for (n = 0; n < file.n; n++) {
		uint8_t *exact = malloc(n ? n : 1); /* so that ASan sees a byte too far */

		memcpy(exact, file.p, n);
		assert_int_equal(age_header_parse(exact, n, &h, &len, NULL), AGE_MORE);
		free(exact);
	}
	assert_int_equal(age_header_parse(file.p, file.n, &h, &len, NULL), 0);
	assert_int_equal(len, file.n);
	assert_int_equal(age_header_stanzas(h), 2);
	assert_false(age_header_is_scrypt(h));
	age_header_free(h);
}

static void a_file_cut_anywhere_is_refused(void **state)
{
	BUF_AUTO file = BUF_INIT(1 << 20);
	BUF_AUTO plain = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	struct kit k;
	size_t header;
	size_t n;
	(void)state;

	make_kit(&k);
	expand(&file, &k, "{V}" X FOOT);
	header = file.n;
	put_payload(&file);
	for (n = 0; n < file.n; n++) {
		assert_int_equal(age_decrypt(file.p, n, &k.id, 1, &plain, &err), -1);
		assert_string_equal(err.code, n < header	? "E-AGE-01"
					      : n < header + 32 ? "E-AGE-05"
								: "E-AGE-04");
	}
	assert_int_equal(age_decrypt(file.p, n, &k.id, 1, &plain, &err), 0);
}

static void every_flipped_bit_is_noticed(void **state)
{
	BUF_AUTO file = BUF_INIT(1 << 20);
	BUF_AUTO plain = BUF_INIT(1 << 20);
	struct kit k;
	size_t bit;
	(void)state;

	make_kit(&k);
	expand(&file, &k, "{V}" X FOOT);
	put_payload(&file);
	for (bit = 0; bit < file.n * 8; bit++) {
		file.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_not_equal(age_decrypt(file.p, file.n, &k.id, 1, &plain, NULL), 0);
		file.p[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_int_equal(plain.n, 0);
	}
}

static void a_header_has_a_ceiling(void **state)
{
	BUF_AUTO file = BUF_INIT(4 << 20);
	struct age_header *h = NULL;
	struct err err = ERR_INIT;
	struct kit k;
	size_t len;
	(void)state;

	make_kit(&k);
	expand(&file, &k, "{V}" X);
	while (file.n < AGE_HEADER_MAX - 100)
		expand(&file, &k, "-> grease\nAAAA\n");
	assert_int_equal(age_header_parse(file.p, file.n, &h, &len, &err), AGE_MORE);
	while (file.n < AGE_HEADER_MAX)
		expand(&file, &k, "-> grease\nAAAA\n");
	expand(&file, &k, FOOT);
	assert_int_equal(age_header_parse(file.p, file.n, &h, &len, &err), -1);
	assert_string_equal(err.code, "E-AGE-01");
	memset(file.p + 22, 'A', file.n - 22); /* one line without an end */
	assert_int_equal(age_header_parse(file.p, file.n, &h, &len, &err), -1);
	assert_string_equal(err.code, "E-AGE-01");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_malformed_header_is_refused_with_its_code),
	    cmocka_unit_test(a_header_cut_anywhere_asks_for_more),
	    cmocka_unit_test(a_file_cut_anywhere_is_refused),
	    cmocka_unit_test(every_flipped_bit_is_noticed),
	    cmocka_unit_test(a_header_has_a_ceiling),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
