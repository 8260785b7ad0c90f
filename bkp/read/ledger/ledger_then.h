/* ledger_then: the ledger as it was at a moment of the past.
 *
 * The chain of the records is the order; their times are what the clock said.  Where the two agree the records counted are
 * those dated no later than the moment.  A clock that was moved makes them disagree: then the chain is cut where the
 * fewest records contradict the cut (dated later and before it, or earlier and behind it), so that one night under a wrong
 * clock neither hides the months behind it nor shows them too early.  How many contradict is said.
 */
#ifndef BKP_READ_LEDGER_LEDGER_THEN_H
#define BKP_READ_LEDGER_LEDGER_THEN_H

#include <stdint.h>

struct err;
struct ledger;

struct ledger_then {
	uint64_t seq;	    /* of the last record counted; 0: there is none */
	int64_t ns;	    /* its time; with seq 0 that of the first record */
	uint64_t later;	    /* records counted that are dated later than the moment */
	uint64_t earlier;   /* records not counted that are dated no later */
	int64_t newest_ns;  /* time of the journal's last record */
	uint64_t journal_n; /* how many records it has */
};

/* folder: the journal's (a state folder, a repository's on a medium); root as for ledger_load().  *ret is NULL where seq is 0.  0, LEDGER_ABSENT, -1; errors as ledger_load(). */
struct minisig_public;
struct store;
int ledger_then(const struct store *folder, const struct minisig_public *root, int64_t at_ns,
    struct ledger_then *ret_where, struct ledger **ret, struct err *err) __attribute__((warn_unused_result));

#endif
