/* ledger_suppose: what if this were recorded next?  For forecasts; see ledger.h. */
#include "read/ledger/ledger_private.h"

#include "base/err.h"
#include "format/journal/journal.h"

int ledger_suppose(
    struct ledger *l, int64_t at_ns, const char *event, struct json_t *members, struct err *err)
{
	const struct clock_stamp *head = &l->head_stamp;
	struct journal_record r = {.seq = ledger_seq(l) + 1,
	    .wall_ns = at_ns,
	    /* as by a clock that nobody moves */
	    .mono_ns = head->mono_ns + (at_ns - head->wall_ns),
	    .boot = head->boot_id,
	    .synced = head->synced,
	    .version = "",
	    .by = "",
	    .repository = ledger_repository(l),
	    .event = event,
	    .epoch = ledger_epoch(l),
	    .json = members};
	int failed;

	if (!members)
		return err_nomem(err);
	failed = ledger_check(l, event, members, r.seq, err) || ledger_fold_apply(l, &r, err);
	json_decref(members);
	return failed ? -1 : 0;
}
