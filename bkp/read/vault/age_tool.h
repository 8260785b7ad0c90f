/* age_tool: the stock program `age`, for recipients and identities that are not ours to know: plug-ins (hardware), SSH keys.
 *
 * It gets bytes by a pipe and gives bytes by one, PERIOD_FILE_MAX at most; never a path of a medium, never a shell.  It runs at the
 * terminal of the person, who may be asked for a PIN or a touch; what it writes to standard error is passed on, but for its words of an
 * identity that does not fit, which is an answer and no fault.  After `limit_s` seconds it is killed.
 *
 * What it gives is taken for hostile by the callers: a file must be an age file, an identity the one that was signed.
 *
 * Errors: E-AGE-10 there is no `age`, E-AGE-11 it failed, gave too much, or did not end.
 */
#ifndef BKP_READ_VAULT_AGE_TOOL_H
#define BKP_READ_VAULT_AGE_TOOL_H

#include <stddef.h>

struct buf;
struct err;

#define AGE_TOOL_SECONDS 180

/* age -r RECIPIENT.  A period_seal_fn; arg is not used.  0, -1. */
int age_tool_seal(
    void *arg, const char *recipient, const void *p, size_t n, struct buf *out, struct err *err);
/* age -d -i IDENTITY, a file's path.  out holds a secret, and is reserved whole before.  0, AGE_NO_MATCH, -1. */
int age_tool_open(void *arg, const char *identity, const void *p, size_t n, struct buf *out, struct err *err);

/* argv[0] is looked for in PATH.  Both stand on this.  0, AGE_NO_MATCH, -1. */
int age_tool_run(char *const argv[], int limit_s, const void *p, size_t n, struct buf *out, struct err *err)
    __attribute__((warn_unused_result));

#endif
