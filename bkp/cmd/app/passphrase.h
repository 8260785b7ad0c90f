/* passphrase: asks for a passphrase, never from argv or the environment.
 *
 * From the terminal with echo off; a signal that arrives meanwhile finds the terminal restored.  Or from a
 * file (its first line).  The rule for new ones is that of the checklist 2-⑦⑧: 13 characters or more, or 8 or
 * more with letters, digits and symbols.
 *
 * Errors: E-PASS-01 no terminal, E-PASS-02 the file cannot be read, E-PASS-03 empty or too long, E-PASS-04
 * too weak, E-PASS-05 the two entries differ.
 */
#ifndef BKP_CMD_APP_PASSPHRASE_H
#define BKP_CMD_APP_PASSPHRASE_H

struct err;

#define PASSPHRASE_MAX 1024 /* bytes, NUL included */

/* A new one: from the file, or asked twice, three times at most; the rule is enforced. file: or NULL. */
int passphrase_new(const char *file, const char *prompt, char *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
