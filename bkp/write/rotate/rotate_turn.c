/* rotate_turn: is it the turn of that medium?  Step 0 of the rotation; see rotate.h, read/rules/turns.h.
 *
 * Refused is what would put two of a pool within reach of one computer, and writing to the newest offline copy while another medium
 * can be used: if that fails half-way, or the computer is infected, nothing newer is left.  What is only out of order is told. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/turns.h"
#include "write/media/attendance.h"
#include "write/rotate/rotate_private.h"
#include "write/state/state.h"

#define SHOW 256

/* What cannot be looked at is not held against the one that is here. */
static bool is_attached(const struct rotate *ro, const struct policy_medium *pm)
{
	struct attendance_keys k = {.repository = state_repository(ro->cfg->state)};
	struct err why = ERR_INIT;
	char *path = NULL;
	int r;

	if (pm == ro->ret->medium)
		return true;
	k.keys = state_keys(ro->cfg->state, &k.n_keys);
	r = attendance_find(state_ledger(ro->cfg->state), &k, pm, &path, &why);
	free(path);
	return r > 0 || (!r && why.kind == ERR_UNMOUNTED);
}

int rotate_turn_two(
    const struct policy_medium *goes, const struct policy_medium *stays, const char *place, struct err *err)
{
	char show[SHOW];

	err_set(err, "E-ROTATE-10", text("two media of pool '%s' are attached at once: '%s' and '%s'"),
	    stays->pool->name, stays->name, goes->name);
	return err_hint(err,
	    text(
		"unmount %s, take it to '%s' and record that with 'bkp medium move %s --operator NAME'; then "
		"'bkp rotate %s --operator NAME'"),
	    goes->name, path_show(place, show, sizeof(show)), goes->name, stays->name);
}

static int refuse_two(const struct rotate *ro, const struct turns *t, struct err *err)
{
	const struct policy_medium *other = NULL;

	for (size_t i = 0; i < t->n; i++)
		if (t->disks[i].attached && t->disks[i].policy != ro->ret->medium)
			other = t->disks[i].policy;
	if (!other)
		return 0;
	/* the one that is due stays */
	if (t->due && t->due->policy == other)
		return rotate_turn_two(
		    ro->ret->medium, other, turns_home(turns_disk_of(t, ro->ret->medium)), err);
	return rotate_turn_two(other, ro->ret->medium, turns_home(turns_disk_of(t, other)), err);
}

/* Rotated and not gone since: the same command again is no other turn. */
static bool goes_on(const struct ledger_medium *lm)
{
	return lm->attached && lm->rotated_ns >= lm->attach_ns;
}

static int refuse_newest(const struct rotate *ro, const struct turns *t, struct err *err)
{
	const struct turns_disk *d = turns_disk_of(t, ro->ret->medium);
	char show[SHOW];

	if (ro->cfg->out_of_turn || t->newest != d || t->due == d || goes_on(d->ledger))
		return 0;
	err_set(err, "E-ROTATE-11",
	    text("'%s' holds the newest offline copy of pool '%s': the one that is due is '%s'"),
	    d->policy->name, t->pool->name, t->due->policy->name);
	return err_hint(err,
	    text("take it away unchanged and bring %s (from '%s'); only where that cannot be had, add "
		 "--out-of-turn; when it "
		 "is lost, say so with 'bkp medium retire %s'"),
	    t->due->policy->name, path_show(turns_place(t->due), show, sizeof(show)), t->due->policy->name);
}

static void tell_turn(const struct rotate *ro, const struct turns *t)
{
	const struct turns_disk *d = turns_disk_of(t, ro->ret->medium);
	unsigned others = t->away - d->away;
	struct err *said = &ro->ret->turn;
	char show[SHOW];

	if (t->first && t->first != d && others < t->pool->away_at_least) {
		err_set(said, "W-TURN-03",
		    text("while '%s' is here, of pool '%s' %u are recorded away, and %u must be"),
		    d->policy->name, t->pool->name, others, t->pool->away_at_least);
		err_hint(said,
		    text("next time first take %s to '%s' and record that with 'bkp medium move %s "
			 "--operator NAME'"),
		    t->first->policy->name, path_show(turns_home(t->first), show, sizeof(show)),
		    t->first->policy->name);
	} else if (t->due && t->due != d && !goes_on(d->ledger)) {
		err_set(said, "W-TURN-02", text("'%s' was rotated out of turn: in pool '%s' '%s' is due"),
		    d->policy->name, t->pool->name, t->due->policy->name);
		err_hint(said,
		    text("see 'bkp rotate --plan'; what was rotated counts, and the turns go on from here"));
	}
}

int rotate_turn(struct rotate *ro, struct err *err)
{
	const struct policy *p = ro->cfg->policy;
	const struct policy_pool *pool = ro->ret->medium->pool;
	struct clock_stamp now;
	struct turns t;
	bool *attached;
	int r;

	if (!pool)
		return 0;
	attached = calloc(p->n_media, sizeof(*attached));
	if (!attached)
		return err_nomem(err);
	for (size_t i = 0; i < p->n_media; i++)
		attached[i] = p->media[i].pool == pool && is_attached(ro, &p->media[i]);
	clock_now(&now);
	r = turns_look(p, pool, state_ledger(ro->cfg->state), attached, now.wall_ns, &t, err);
	free(attached);
	if (r)
		return -1;
	r = refuse_two(ro, &t, err) || refuse_newest(ro, &t, err);
	if (!r)
		tell_turn(ro, &t);
	turns_free(&t);
	return r ? -1 : 0;
}
