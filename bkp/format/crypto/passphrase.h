/* passphrase: the rule for new ones, and one that is proposed.
 *
 * The rule (checklist 2-⑦: 13 characters or more need no change from time to time): 13 characters, of which 8 are left when
 * each repetition, each row (of numbers, letters, keys), each common word and each year counts as one.  Whoever guesses
 * begins with those: thirteen "a" are two, "Password12345" is three.  The words are few and in small letters; they are
 * found with capitals and the usual digits for letters as well.
 *
 * The proposed one: 20 random characters of 32 (small letters and digits without 1, b, i, o: nothing that looks like
 * another, the same key on Japanese and other keyboards, no Shift), 100 bits; in four groups of five with "-" between
 * them, which belongs to it.
 *
 * Pure; randomness comes in.  What a person typed never stands in a message.  Error: E-PASS-04.
 */
#ifndef BKP_FORMAT_CRYPTO_PASSPHRASE_H
#define BKP_FORMAT_CRYPTO_PASSPHRASE_H

struct age_random;
struct err;

#define PASSPHRASE_MAX	    1024 /* bytes, NUL included */
#define PASSPHRASE_LEAST    13	 /* characters */
#define PASSPHRASE_LEFT	    8	 /* of them, without what is guessed first */
#define PASSPHRASE_PROPOSED 24	 /* bytes, NUL included */

/* site: its name, which counts as a common word; or NULL.  0, -1: the reason is said. */
int passphrase_check(const char *s, const char *site, struct err *err) __attribute__((warn_unused_result));

char *passphrase_propose(const struct age_random *rnd, char out[PASSPHRASE_PROPOSED]); /* returns out */

#endif
