/* codex32: secrets and shares of them as text for paper (BIP-93): checksummed base32, k of n by Shamir's scheme.
 *
 * Pure: no I/O, no clock; randomness comes in as bytes.  BIP-93 is followed as it stands but for the part in
 * front of the '1', which says what the secret is: "ms" is a seed of BIP-32, "cl" one of Core Lightning,
 * CODEX32_IDENTITY an age identity's 32 bytes.  It is under the checksum, so that none passes for another.
 *
 *     bkp1 3 cash a <52 symbols> <13 symbols of checksum>         75 characters, 19 groups of four
 *          k  id  index
 *
 * Writing: codex32_split() → codex32_write() for each.
 * Reading: codex32_tidy(what was typed) → codex32_read(), and codex32_locate() where that failed → k of them to
 * codex32_join() → codex32_bytes().
 *
 * The checksum finds every error in up to 8 characters, and more with all but certainty; codex32_locate() finds
 * the places of up to 3.  k-1 shares say nothing of the secret: for each other secret there are polynomials that
 * give the same shares.  Where a symbol is secret no branch and no address depends on it.  struct codex32 and
 * texts are wiped by their owners (sodium_memzero).
 *
 * Errors: E-SHARE-01 not of the form (which part is said), E-SHARE-02 the checksum is wrong, E-SHARE-03 shares of
 * different sets (their names are said), E-SHARE-04 one share twice, E-SHARE-05 not as many as needed,
 * E-SHARE-06 k of n that cannot be.
 */
#ifndef BKP_FORMAT_CRYPTO_CODEX32_H
#define BKP_FORMAT_CRYPTO_CODEX32_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define CODEX32_IDENTITY "bkp"
#define CODEX32_SYMBOLS	 103 /* of a payload, at most: 64 bytes */
#define CODEX32_TEXT	 160 /* bytes of the longest text, NUL included */
#define CODEX32_KEY	 32  /* bytes of a secret that codex32_split() takes */
#define CODEX32_K_MAX	 9
#define CODEX32_N_MAX	 31
/* Random bytes that codex32_split() takes: the set's name, and k-1 shares. */
#define CODEX32_RANDOM (4 + (CODEX32_K_MAX - 1) * 52)

struct codex32 {
	uint8_t k;			 /* how many shares are needed, 2 to 9; 0: not shared */
	char id[5];			 /* the set's name: the same of all its shares */
	char index;			 /* which share; 's': the secret itself */
	size_t n;			 /* symbols of the payload */
	uint8_t symbol[CODEX32_SYMBOLS]; /* 0 to 31 */
};

/* The text as BIP-93 has it: one case, nothing else around it.  -1: E-SHARE-01, E-SHARE-02. */
int codex32_read(const char *hrp, const char *s, struct codex32 *ret, struct err *err)
    __attribute__((warn_unused_result));
/* Lower case; hrp: 8 characters at most.  Returns out. */
char *codex32_write(const char *hrp, const struct codex32 *c, char out[CODEX32_TEXT]);

/* What a person typed without blanks and dashes, in lower case; full-width letters as the others.  false: longer
 * than any share. */
bool codex32_tidy(const char *typed, char out[CODEX32_TEXT]);

/* Where a text that codex32_read() refused is wrong.  `n` places from 0 on, in the text; 0: cannot be told. */
struct codex32_places {
	enum codex32_wrong {
		CODEX32_CHANGED, /* another character stands there */
		CODEX32_MISSING, /* one is missing in front of it */
		CODEX32_SURPLUS, /* it is one too many */
	} what;
	size_t n, at[3];
};
/* s: as codex32_tidy() gives it; bytes: of the secret. */
void codex32_locate(const char *hrp, const char *s, size_t bytes, struct codex32_places *ret);

/* May `one` be joined with these n?  0, -1: E-SHARE-03, -04. */
int codex32_fits(const struct codex32 *shares, size_t n, const struct codex32 *one, struct err *err)
    __attribute__((warn_unused_result));
/* Of exactly k shares of one set that one which has `index`: the secret, or a further share.
 * -1: E-SHARE-03, -04, -05. */
int codex32_join(const struct codex32 *shares, size_t n, char index, struct codex32 *ret, struct err *err)
    __attribute__((warn_unused_result));
/* Bytes of the payload; its last, incomplete ones are no part of it.  Returns how many; ret: 64 bytes. */
size_t codex32_bytes(const struct codex32 *c, uint8_t ret[64]);

/* n shares, of which any k give back the key: 2 ≤ k ≤ n, at most CODEX32_K_MAX and CODEX32_N_MAX.
 * -1: E-SHARE-06. */
int codex32_split(const uint8_t key[CODEX32_KEY], size_t k, size_t n, const uint8_t random[CODEX32_RANDOM],
    struct codex32 *ret_shares, struct err *err) __attribute__((warn_unused_result));

#endif
