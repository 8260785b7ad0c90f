/* recovery: what all modules of a recovery hold: a session (drill/session.h) and what only a recovery has. */
#ifndef RESTORE_RECOVER_RECOVERY_H
#define RESTORE_RECOVER_RECOVERY_H

#include <stdbool.h>

#include "restore/drill/replay.h"
#include "restore/drill/session.h"

struct ledger;

#define RECOVERY_ID 17 /* 8 random bytes as hex */

struct recovery {
	struct session s;
	struct replay replay;
	char id[RECOVERY_ID];
	bool *running;	       /* one a step: it was begun, and has not ended as far as the state knows */
	struct ledger *ledger; /* the journal at hand, or NULL */
	char *confirmed;       /* what was typed before it began */
	bool resumed, aborted;
};

#endif
