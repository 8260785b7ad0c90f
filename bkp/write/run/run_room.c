/* run_room: is there room for a data set on the media that are to hold it, before its first byte; and the room that it leaves to those
 * that are more urgent; see run.h.
 *
 * A large data set that fills a disk and fails would take the room from the others for every night to come: what it stored stays until
 * an expiry, so that the next run can go on from there.  So, where room is short, run_look_at_room() passes over the media that it does
 * not seem to fit on (volume.h; a person who names the data set on the command line wants it tried), and on the others keeps free
 * what more and equally urgent data sets brought in their last week.  What does fit by then comes to such a medium from
 * the others: what it needs is known to the byte then (refill.h). */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/parity/parity.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "write/pack/pack.h"
#include "write/pack/vault_w.h"
#include "write/run/run_private.h"
#include "write/source/volume.h"
#include "write/state/state.h"

#define NIGHTS 7 /* that a person has to make room */
#define ROOM_KEPT                                                                                            \
	((uint64_t)1 << 20) /* bytes, for what every run writes last: documents, and the journal besides */

/* What the data set brings in so many nights, by what it brought in the last ones.  Its first generation, with all that was there already, says little of them. */
static uint64_t brings(const struct ledger *l, const struct policy_dataset *d)
{
	uint64_t sum = 0, last = 0;
	unsigned nights = 0;

	for (size_t i = ledger_generations(l); i-- > 0 && nights <= NIGHTS;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (g->state != LEDGER_COMMITTED || strcmp(g->dataset, d->name) != 0)
			continue;
		sum += last;
		last = g->new_bytes;
		nights++;
	}
	if (nights == 1)
		return d->n_paths ? last / NIGHTS : last * NIGHTS;
	return nights ? sum / (nights - 1) * NIGHTS : 0;
}

static uint64_t with_parity(const struct policy *p, uint64_t bytes)
{
	return bytes + parity_share_of(bytes, p->parity);
}

/* Bytes that are not its own to take on this medium. */
static uint64_t others_room(const struct run *n, const struct policy_medium *pm)
{
	const struct ledger *l = state_ledger(n->cfg->state);
	const struct policy *p = n->cfg->policy;
	uint64_t bytes = ROOM_KEPT + 2 * ledger_size(l);

	for (size_t i = 0; i < p->n_datasets; i++) {
		const struct policy_dataset *d = &p->datasets[i];

		if (d != n->set.policy && d->turn <= n->set.policy->turn && policy_medium_holds(pm, d->name))
			bytes += with_parity(p, brings(l, d));
	}
	return bytes;
}

static const struct ledger_generation *newest(const struct ledger *l, const char *dataset)
{
	for (size_t i = ledger_generations(l); i-- > 0;) {
		const struct ledger_generation *g = ledger_generation(l, i);

		if (g->state == LEDGER_COMMITTED && !strcmp(g->dataset, dataset))
			return g;
	}
	return NULL;
}

/* 0, VOLUME_UNKNOWN: it is tried, -1. */
static int estimate(struct run *n, const struct ledger_generation *former, uint64_t *ret, struct err *err)
{
	const struct policy_dataset *d = n->set.policy;
	const struct volume_question q = {.dataset = d,
	    .since_ns = former && !n->cfg->anchor ? former->begun_ns : INT64_MIN,
	    .scratch_dir = n->with.cachefd,
	    .stop = n->cfg->cb.stop,
	    .arg = n->cfg->cb.arg};

	/* a command's output is known when it is there; what has to be done before it can be looked at is the capture's business */
	if (n->cfg->insist || !d->n_paths || d->before || (former && former->undated))
		return VOLUME_UNKNOWN;
	return volume_estimate(&q, ret, err);
}

static void pass_over(struct run *n, size_t i, uint64_t bytes, uint64_t room)
{
	struct err why = ERR_INIT;

	err_sys(&why, "E-RUN-09", ENOSPC, text("about %ju MB are to come, '%s' has %ju MB free for it"),
	    (uintmax_t)(bytes / 1000000), n->media.online[i].report->label, (uintmax_t)(room / 1000000));
	err_hint(&why,
	    text("make room ('bkp expire', a larger medium), or let it be tried: 'bkp run %s' (content that "
		 "stands there "
		 "twice is stored once)"),
	    n->set.policy->name);
	run_lose(n, &n->set, i, &why, false);
	n->media.sinks[i].elsewhere = true;
}

int run_look_at_room(struct run *n, struct err *err)
{
	const struct ledger_generation *former = newest(state_ledger(n->cfg->state), n->set.policy->name);
	uint64_t bytes = 0;
	int known = -1; /* not asked yet */

	for (size_t i = 0; i < n->media.n; i++) {
		struct run_online *o = &n->media.online[i];
		uint64_t others = others_room(n, policy_find_medium(n->cfg->policy, o->report->label));
		struct store_space space;

		/* where all of it could come twice nothing is short */
		if (!run_is_used(n, i) || !store_space(medium_repo(o->medium), &space) ||
		    (former && space.free / 2 > former->bytes && space.free / 2 > others))
			continue;
		if (known < 0) {
			known = estimate(n, former, &bytes, err);
			bytes = with_parity(n->cfg->policy, bytes);
		}
		if (known < 0)
			return -1;
		if (known == 0 && bytes + others > space.free)
			pass_over(n, i, bytes, space.free > others ? space.free - others : 0);
		else
			vault_w_reserve(o->vault, others);
	}
	return 0;
}

void run_give_room_back(struct run *n)
{
	struct err why = ERR_INIT;

	for (size_t i = 0; i < n->media.n; i++)
		if (!n->media.sinks[i].failed && vault_w_release(n->media.online[i].vault, &why))
			run_drop(n, i, &why);
}
