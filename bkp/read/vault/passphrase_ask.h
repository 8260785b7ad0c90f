/* passphrase_ask: asks for a new passphrase, never from argv or the environment.
 *
 * On the terminal with echo off: one is proposed there, an empty line takes it, and it is typed once more, which proves
 * that it was written down; a signal that arrives meanwhile finds the terminal restored.  Or from a file (its first
 * line).  The rule is format/crypto/passphrase.h's.
 *
 * Errors: E-PASS-01 no terminal, E-PASS-03 too long, E-PASS-04 too weak, E-PASS-05 the two entries differ; E-KEY-05 the
 * file cannot be used.
 */
#ifndef BKP_READ_VAULT_PASSPHRASE_ASK_H
#define BKP_READ_VAULT_PASSPHRASE_ASK_H

struct age_random;
struct err;

/* file: or NULL: asked for, three times at most.  site: its name, or NULL.  out: memory from
 * sodium_malloc(PASSPHRASE_MAX). */
int passphrase_ask_new(const char *file, const char *prompt, const char *site, const struct age_random *rnd,
    char *out, struct err *err) __attribute__((warn_unused_result));

#endif
