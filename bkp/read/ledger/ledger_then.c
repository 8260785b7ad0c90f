/* ledger_then: see ledger_then.h.
 *
 * Read twice: find_cut() sees every record once, with its signature checked, and keeps the best cut so far; then
 * the records up to it are folded. */
#include "read/ledger/ledger_then.h"

#include "base/err.h"
#include "format/journal/journal.h"
#include "read/file/segments.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"

struct cut {
	int64_t at_ns;
	struct ledger_then best;
	/* so far: records dated no later than the moment, and the others; at the best cut */
	uint64_t by_then, later, best_by_then;
	int64_t gain; /* of the best cut: by_then - later */
};

static int find_cut(void *arg, const struct journal_record *r, struct err *err)
{
	struct cut *c = arg;

	(void)err;
	c->best.newest_ns = r->wall_ns;
	c->best.journal_n = r->seq;
	if (r->seq == 1)
		c->best.ns = r->wall_ns;
	if (r->wall_ns > c->at_ns) {
		c->later++;
		return 0;
	}
	c->by_then++;
	if ((int64_t)c->by_then - (int64_t)c->later < c->gain)
		return 0;
	c->gain = (int64_t)c->by_then - (int64_t)c->later;
	c->best.seq = r->seq;
	c->best.ns = r->wall_ns;
	c->best.later = c->later;
	c->best_by_then = c->by_then;
	return 0;
}

int ledger_then(const struct store *folder, const struct minisig_public *root, int64_t at_ns,
    struct ledger_then *ret_where, struct ledger **ret, struct err *err)
{
	STORE_FILE_AUTO file = {0};
	struct cut c = {.at_ns = at_ns, .gain = 1};
	struct ledger *l;
	int r = segments_open(folder, &file, err);

	if (r)
		return r == STORE_ABSENT ? LEDGER_ABSENT : -1;
	if (ledger_load_file(&file, JOURNAL_DIR, root, find_cut, &c, &l, err))
		return -1;
	c.best.earlier = c.by_then - c.best_by_then;
	if (c.best.seq < c.best.journal_n) {
		ledger_free(l);
		l = NULL;
		if (c.best.seq && ledger_load_until(&file, JOURNAL_DIR, root, c.best.seq, &l, err))
			return -1;
	}
	*ret_where = c.best;
	*ret = l;
	return 0;
}
