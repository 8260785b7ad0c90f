/* turns_show: the turns of pools (read/rules/turns.h) in words and as JSON: what is next, what is late, who is told of it. */
#ifndef BKP_CMD_SHOW_TURNS_SHOW_H
#define BKP_CMD_SHOW_TURNS_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct compliance;
struct json_t;
struct ledger;
struct policy;
struct turns;

/* One line a pool on stdout: which medium comes next, when, from where.  Returns how many lines of the terminal they took. */
unsigned turns_show_lines(const struct compliance *s);
/* {"pool", "holds", "swap_every_s", "date", "due", …}; turns_show_all_json(): a list of them. */
struct json_t *turns_show_json(const struct turns *t);
struct json_t *turns_show_all_json(const struct compliance *s);

#define TURNS_SHOW_NAMES 512
/* What a night says of turns: only where reminders are to be given (policy_pool.remind). */
struct turns_tell {
	struct err
	    why; /* W-TURN-01 it is late; without a code: it is today; both "": nothing is to be said */
	bool late;
	char names[TURNS_SHOW_NAMES]; /* of all who are to be told, of all pools, "A, B"; "" */
};
void turns_show_tell(
    const struct policy *policy, const struct ledger *l, int64_t now_ns, struct turns_tell *ret);

#endif
