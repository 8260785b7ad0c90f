/* rereading: how much of a medium is to be read again today, so that all of it is within the policy's period (verify_every), and is that
 * so?  Pure.
 *
 * What is written to a medium is read back at once; rot comes later.  All that begins with the same two digits of its SHA-256
 * (LEDGER_PARTS of them) is one part; parts are read in turn, so the one that comes next is always the one that was not read the longest. */
#ifndef BKP_READ_RULES_REREADING_H
#define BKP_READ_RULES_REREADING_H

#include <stdbool.h>
#include <stdint.h>

struct ledger_medium;

struct rereading {
	unsigned first, parts; /* from which part on (behind the last comes 0), how many: 0 … LEDGER_PARTS */
};

/* What is due by now; a tenth faster than the period asks for.  nightly: no more than three times what one night should take, and a
 * few: whoever switches this on, or comes back from holidays, catches up within a month.  Else the medium comes by turns, the next time
 * after about as long as it was away now and perhaps a holiday: what would be too old by then is due today. */
struct rereading rereading_due(const struct ledger_medium *m, int64_t period_s, int64_t now_ns, bool nightly);
/* All that stands on the medium was read since then, or is younger. */
int64_t rereading_since(const struct ledger_medium *m);

#endif
