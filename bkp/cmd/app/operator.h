/* operator: who is at the keyboard, as the record will say it: what people type goes into signed records.
 *
 * Errors: E-OPERATOR-01 the policy lists people, and nobody of that name.
 */
#ifndef BKP_CMD_APP_OPERATOR_H
#define BKP_CMD_APP_OPERATOR_H

struct app;
struct policy;

#define OPERATOR_TEXT 256 /* bytes of a name or a place at most, NUL included */

/* May this name stand in a record?  NULL or empty: --operator is missing.  Where the policy lists people it
 * must be one of those with the role operator or manager (of all, when nobody has it).  0, or an exit code
 * after everything has been reported; that somebody tried whom the policy does not list is recorded, so
 * app_act() comes first. */
int operator_check(struct app *app, const struct policy *policy, const char *name);

/* Is the value of `option` ("--place") something a record can hold: UTF-8 that can be printed, not empty, not
 * too long?  Likewise. */
int operator_text(const struct app *app, const char *option, const char *value);

#endif
