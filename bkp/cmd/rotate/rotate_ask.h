/* rotate_ask: what 'bkp rotate' asks a person at a terminal: who, which disk, where to.  Lines and Enter; digits of a Japanese keyboard
 * count.  Nothing is asked without a terminal, with --json or --quiet. */
#ifndef BKP_CMD_ROTATE_ROTATE_ASK_H
#define BKP_CMD_ROTATE_ROTATE_ASK_H

#include <stdbool.h>
#include <stddef.h>

#include "cmd/app/operator.h"

struct app;
struct policy;
struct rotate_disks;

bool rotate_ask_can(const struct app *app);

/* Each: 1 and the answer; 0: the person ended it. */
int rotate_ask_operator(const struct policy *policy, char ret[OPERATOR_TEXT]);
/* usual: what Enter alone means, or NULL. */
int rotate_ask_place(const char *name, const char *usual, char ret[OPERATOR_TEXT]);
/* Several are proved; *ret: which. */
int rotate_ask_disk(const struct rotate_disks *disks, size_t *ret);
/* name: of the medium that is wanted, or NULL: any of the policy's that is kept offline. */
int rotate_ask_plug(const struct policy *policy, const char *name);

#endif
