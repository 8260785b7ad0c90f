/* drills: was it rehearsed to bring a data set back, and does that still hold?
 *
 * Pure: policy + ledger + the time.
 *
 * A drill (or a real recovery) that was taken over into the journal counts when all its steps passed, if late, and what it restored is
 * erased again; from a generation that was captured here.  It holds no longer once its procedure was edited (未検証), once the source says
 * it is of another version, once another host captures it, once a later drill fails, and after `drill_every`.
 *
 * Nothing is asked for where the policy has neither procedures nor a `drill_every`.  A data set that was never brought back is asked about
 * after a quarter of that time, as a key that never opened anything.
 */
#ifndef BKP_READ_DRILLS_DRILLS_H
#define BKP_READ_DRILLS_DRILLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_t;
struct ledger;
struct ledger_drill;
struct ledger_generation;
struct policy;
struct policy_dataset;

enum drills_state {
	DRILLS_HOLD,
	DRILLS_NEVER,
	DRILLS_OLD,
	DRILLS_FAILED,
	DRILLS_EDITED,
	DRILLS_VERSION,
	DRILLS_HOST
};
const char *drills_word(
    enum drills_state s); /* "holds" "never" "overdue" "failed" "procedure-edited" … (JSON) */

/* What the policy asks of all that a drill brought back (members `datasets` of its record): the strictest RTO, or RPO; 0: nothing. */
int64_t drills_target(const struct policy *policy, const struct json_t *record, bool rpo);

struct drilled {
	enum drills_state state;
	bool due;			      /* a drill is asked for now */
	int64_t due_ns;			      /* when it is, as far as time goes; 0: never */
	const struct ledger_drill *last;      /* the newest that counts, or NULL */
	const struct ledger_generation *from; /* what it brought back, or NULL */
	int64_t took_s;			      /* what it took, the whole recovery; −1: there was none */
	bool too_slow;			      /* longer than the data set's rto */
	int64_t
	    other_rto_s; /* what its procedure, as it stands, states in the place of the policy's target_s; 0: nothing else */
	int64_t target_s;
	/* of all that count: how many, and the shortest and the longest; no figure of one drill says what the next will take */
	size_t n;
	int64_t least_s, most_s;
};
void drills_look(const struct policy *policy, const struct ledger *l, const struct policy_dataset *d,
    int64_t now_ns, struct drilled *ret);

#endif
