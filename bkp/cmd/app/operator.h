/* operator: who is at the keyboard, as the record will say it: what people type goes into signed records.
 *
 * Errors: E-OPERATOR-01 the policy lists people, and nobody of that name.
 */
#ifndef BKP_CMD_APP_OPERATOR_H
#define BKP_CMD_APP_OPERATOR_H

#include <stddef.h>

struct app;
struct policy;

#define OPERATOR_TEXT  256 /* bytes of a name or a place at most, NUL included */
#define OPERATOR_NAMES 256

/* Who may bring media in and out, as far as the policy says it: how many, 0: it lists nobody. */
size_t operator_names(const struct policy *policy, const char *names[OPERATOR_NAMES]);

/* May this name stand in a record?  NULL or empty: --operator is missing.  Where the policy lists people it
 * must be one of those with the role operator or manager (of all, when nobody has it).  0, or an exit code
 * after everything has been reported; that somebody tried whom the policy does not list is recorded, so
 * app_act() comes first. */
int operator_check(struct app *app, const struct policy *policy, const char *name);

/* May this name stand there as that of the witness?  Another person than the operator (E-MEDIA-24), of those with the role witness (of all,
 * when nobody has it).  Likewise. */
int operator_witness(struct app *app, const struct policy *policy, const char *name, const char *operator);

/* Is the value of `option` ("--place") something a record can hold: UTF-8 that can be printed, not empty, not
 * too long?  Likewise. */
int operator_text(const struct app *app, const char *option, const char *value);

#endif
