/* state: how far a recovery has come, in a file that is replaced as a whole and durably.
 *
 * recovery.state.json: `format`, `kind` ("bkp-recovery-state"), `id`, `procedure` (SHA-256), `repository`, `variables`, `confirmed`, `begun`,
 * `resumed`, `aborted`, `finished` (or null), and `steps`: each as in the record (drill/record.h), and with `running` and `number_of` (its
 * generation).
 *
 * Errors: E-RECOVER-05 the file is not one of these, E-RECOVER-06 it is of another procedure, repository, or other values, or was finished.
 */
#ifndef RESTORE_RECOVER_STATE_H
#define RESTORE_RECOVER_STATE_H

#include <stdbool.h>

struct err;
struct recovery;

int state_save(const struct recovery *r, bool finished, struct err *err) __attribute__((warn_unused_result));
/* Fills id, begun, resumed, and what is known of each step. */
int state_load(struct recovery *r, struct err *err) __attribute__((warn_unused_result));

#endif
