/* room: when a medium will be full.
 *
 * Pure.  From the free space that was seen when the medium was last read back (`free` of the record; older journals have none), and
 * from what the nights brought it: new_bytes of the generations that it is to hold, by local date, of the last 30 dates that have
 * any.  The first capture of a data set is no growth and is left out.  What expired from it in the same time is subtracted.
 *
 * Nights differ, so there are two rates and two dates, never one: the slower rate is the smaller of median and mean less a tenth, the
 * faster one the mean of the larger half of the nights and a tenth.  Seven nights are needed.  Days without a night count as days.
 */
#ifndef BKP_READ_RULES_ROOM_H
#define BKP_READ_RULES_ROOM_H

#include <stdint.h>

struct ledger;
struct ledger_medium;
struct policy_medium;

#define ROOM_NIGHTS 30
#define ROOM_LEAST  7 /* nights */

enum room_state {
	ROOM_UNSEEN,  /* its free space was never recorded */
	ROOM_FEW,     /* too few nights */
	ROOM_STEADY,  /* at neither rate, or not within 20 years */
	ROOM_FILLING, /* from_ns is set */
};
const char *room_word(enum room_state s); /* "not seen", "too few nights", "not filling", "filling" (JSON) */

struct room {
	enum room_state state;
	uint64_t free;		  /* bytes */
	int64_t free_ns;	  /* when that was seen; 0: never */
	unsigned nights;	  /* that were looked at */
	uint64_t median, largest; /* bytes of a night */
	uint64_t freed;		  /* bytes that expired from it in that time */
	double slow, fast;	  /* bytes a day, net */
	int64_t from_ns, to_ns;	  /* full between these; to_ns 0: at the slower rate never */
};

/* m: or NULL, it holds all data sets. */
void room_look(
    const struct ledger *l, const struct policy_medium *m, const struct ledger_medium *lm, struct room *ret);

#endif
