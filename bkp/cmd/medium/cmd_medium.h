/* cmd_medium: the parts of 'bkp medium'; each takes a policy that has been read and returns an exit code. */
#ifndef BKP_CMD_MEDIUM_CMD_MEDIUM_H
#define BKP_CMD_MEDIUM_CMD_MEDIUM_H

#include <stdint.h>

#include "format/policy/policy.h"

struct app;
struct ledger;
struct ledger_medium;
struct state;

/* In the order of their table in cmd_medium.c; of those from MEDIUM_DATA on each is a member of the record. */
enum medium_option {
	MEDIUM_PATH,
	MEDIUM_PLACE,
	MEDIUM_OPERATOR,
	MEDIUM_REASON,
	MEDIUM_WITNESS,
	MEDIUM_TO,
	MEDIUM_UNTIL,
	MEDIUM_METHOD,
	MEDIUM_CERTIFICATE,
	MEDIUM_KEYS,
	MEDIUM_SEEN,
	MEDIUM_ERASE,
	MEDIUM_FS,
	MEDIUM_ADD,
	MEDIUM_DATA,
	MEDIUM_OPTIONS = MEDIUM_DATA + 9
};

struct medium_request {
	const char *what;     /* "add" … */
	const char *words[2]; /* behind that */
	const char *o[MEDIUM_OPTIONS];
};
typedef int cmd_medium_fn(struct app *app, const struct policy *policy, const struct medium_request *q);

cmd_medium_fn cmd_medium_add, cmd_medium_list, cmd_medium_show, cmd_medium_move, cmd_medium_rename,
    cmd_medium_retire, cmd_medium_set, cmd_medium_custody, cmd_medium_count, cmd_medium_prepare;

/* The medium's name is that of none in use: it is lost (E-MEDIA-20), not registered (E-MEDIA-06), or in neither the policy nor the journal:
 * E-MEDIA-14 with what was probably meant.  Reports it; an exit code. */
int cmd_medium_unknown(const struct policy *policy, const struct ledger *l, const char *name);
/* The texts that were given may stand in a record, the dates are dates, operator and witness are people who may be that.  An exit code. */
int cmd_medium_texts(struct app *app, const struct policy *policy, const struct medium_request *q);
/* The option as the record calls it, as the user types it. */
const char *cmd_medium_member(enum medium_option o);
const char *cmd_medium_option(enum medium_option o);

/* Is the offline medium gone from where it was connected?  0: yes; else an exit code after it has been reported. */
int cmd_medium_gone(const struct state *s, const struct policy_medium *m);
/* As the policy declares it, or else as it was registered; strings are theirs. */
struct policy_medium cmd_medium_declared(const struct policy *policy, const struct ledger_medium *lm);

#endif
