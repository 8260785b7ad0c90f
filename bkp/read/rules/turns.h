/* turns: which medium of a pool (policy.h) is due, when, and what must be done first.
 *
 * Pure: policy + ledger + what was seen of the media just now + the time.
 *
 * A pool is judged as one: what counts is the rotation that was done last on any of its media that can be used.
 *
 * Which: the one that was rotated longest ago (never rotated: before all others).  So the one that holds the newest offline copy is due only
 * when no other can be used.  Left out, and named, is what is not registered, retired, or holds damaged copies.
 *
 * When: `swap_every` behind that rotation; with `weekday` on the last such day up to two days later than that, so that a turn that was
 * done late, or on the Friday before, does not move those behind it.  A turn on a holiday (holidays.h) moves to the next working day, and is
 * late only behind that.  Days are dates on the wall.  A pool of which nothing was ever rotated is due since the first generation.
 *
 * Not all at one place: `away_at_least` of the pool's media must be recorded at a place that is separate from the originals at any time,
 * also while the due one is here.  When that is not so, `first` says which to take away before.
 *
 * Who is told: each reminder of the pool whose days have passed since the turn (`after`), from then on until it is done.
 */
#ifndef BKP_READ_RULES_TURNS_H
#define BKP_READ_RULES_TURNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct holidays;
struct ledger;
struct ledger_medium;
struct policy;
struct policy_medium;
struct policy_pool;

enum turns_out {
	TURNS_USABLE,
	TURNS_UNREGISTERED,
	TURNS_RETIRED,
	TURNS_DAMAGED,
	TURNS_LOST,
	TURNS_MISSING,
	TURNS_LENT
};
const char *turns_out_word(enum turns_out out); /* "unregistered" … (JSON); NULL for one that can be used */
const char *turns_out_shown(enum turns_out out); /* in the reader's language */

struct turns_disk {
	const struct policy_medium *policy;
	const struct ledger_medium *ledger; /* NULL: not registered */
	enum turns_out out;
	bool attached; /* now */
	bool away;     /* neither, and recorded at a place that is separate from the originals */
};

struct turns {
	const struct policy *policy;
	const struct policy_pool *pool;
	struct turns_disk *disks; /* in the order of the pool */
	size_t n;
	const struct turns_disk *due;	 /* NULL: none can be used */
	const struct turns_disk *newest; /* holds the newest offline copy; NULL: none was ever rotated */
	const struct turns_disk
	    *second; /* attached beside `due`, or (with `due` away) beside another one; NULL */
	const struct turns_disk *first; /* to be taken away before `due` comes, or NULL */
	unsigned away;			/* of those that can be used */
	int32_t today;			/* base/day.h */
	int32_t planned,
	    date;  /* of the turn; where nobody works on that day, the next one on which somebody does */
	bool idle; /* there is nothing to rotate yet */
	int late;  /* days behind date; 0: not late */
};

/* attached: parallel to policy->media; NULL: as it is recorded. */
int turns_look(const struct policy *policy, const struct policy_pool *pool, const struct ledger *l,
    const bool *attached, int64_t now_ns, struct turns *ret, struct err *err)
    __attribute__((warn_unused_result));
void turns_free(struct turns *t);
const struct turns_disk *turns_disk_of(const struct turns *t, const struct policy_medium *m); /* or NULL */

/* The turn behind a rotation on that day; *planned (may be NULL): before it was moved. */
int32_t turns_next(
    const struct policy_pool *pool, const struct holidays *h, int32_t rotated, int32_t *planned);

/* Where the medium is, as recorded; where it is not known, or the medium was on its way, its place by the policy; or "". */
const char *turns_place(const struct turns_disk *d);
/* Where it is kept: by the policy, else as recorded; or "". */
const char *turns_home(const struct turns_disk *d);

/* Is the i-th reminder of the pool to be given now? */
bool turns_told(const struct turns *t, size_t i);
/* All who are to be told, "A, B", in the reader's language; "": nobody.  Returns out. */
#define TURNS_NAMES 256
char *turns_names(const struct turns *t, char out[TURNS_NAMES]);

/* "3 days": how late it is, in the reader's language; returns out. */
#define TURNS_SPAN 48
char *turns_span(const struct turns *t, char out[TURNS_SPAN]);

/* One of the turns that are to come. */
struct turns_turn {
	int32_t planned, date;
	const char *holiday; /* why it was moved; or NULL */
	const struct turns_disk *bring;
	const char *from, *to;		/* or "" */
	const struct turns_disk *first; /* to be taken away before, or NULL */
	bool late;			/* it should have been done already */
};
/* From today up to and with a day; of one that is late, and of the next where it is farther away, also that.  The caller frees *ret. */
int turns_plan(const struct turns *t, int32_t until, struct turns_turn **ret, size_t *ret_n, struct err *err)
    __attribute__((warn_unused_result));

#endif
