/* then: journal and policy as they were at a moment of the past, for `bkp status --at`.
 *
 *     then_open() → judge with .policy and .ledger at .at_ns, no medium looked at → then_close()
 *
 * The policy is the one that the journal names last by then, from its text in the state folder; where that is not to
 * be had it is today's, and then_warn() says why (W-STATUS-01).
 *
 * Moments are whole seconds.
 *
 * Errors: E-STATUS-01 the moment is before the first record, E-STATUS-02 it is yet to come.
 */
#ifndef BKP_CMD_TIME_THEN_H
#define BKP_CMD_TIME_THEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "read/ledger/ledger_then.h"

struct app;
struct json_t;
struct ledger;
struct policy;

struct then {
	int64_t at_ns;
	struct ledger_then where;
	struct ledger *ledger;
	const struct policy *policy; /* .own, or today's */
	struct policy *own;
	struct err why; /* today's is used because of this; code "": it is that of then */
};

/* today must outlive it.  0, or an exit code after the error has been reported. */
int then_open(const struct app *app, const struct policy *today, const char *moment, struct then *ret);
struct minisig_public;
struct store;
/* From a medium alone: the folder of its repository, whose copy of the journal is checked from that root key on, and in which the text of
 * the policy of then lies.  moment NULL: that of the copy's last record.  E-REPORT-03: the text is not there; W-REPORT-04: the copy
 * ends before that moment.  Likewise. */
struct minisig_public;
struct store;
int then_open_medium(const struct app *app, const struct store *repository, const struct minisig_public *root,
    const char *moment, struct then *ret);
void then_close(struct then *t);
/* What a reader must know of the judgement: as of when, up to which record, by which policy.  Lines on stdout. */
void then_show(const struct then *t);
/* Why it is today's policy, on stderr. */
void then_warn(const struct then *t);
/* Which days were closed is on no record: no judgement of the past, and no paper, depends on the list of today.  Takes it out of the policy;
 * says on stderr (W-STATUS-03) that turns are judged without it, where the policy has both. */
void then_forget_holidays(struct policy *p);
void then_without_holidays(const struct policy *p);
struct json_t *then_json(const struct then *t);

#endif
