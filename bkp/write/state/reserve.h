/* reserve: a little room in the state folder that is kept for records on the day when its disk is full.
 *
 * The file "reserve" holds nothing.  Every run makes it when it is missing and there is room
 * (reserve_keep()); a command that has to make room elsewhere gives it up first (reserve_give()), so that its
 * records still fit.
 */
#ifndef BKP_WRITE_STATE_RESERVE_H
#define BKP_WRITE_STATE_RESERVE_H

struct err;
struct json_t;
struct state;

#define RESERVE_FILE  "reserve"
#define RESERVE_BYTES (512 * 1024)

/* Best effort. */
void reserve_keep(const struct state *s);
void reserve_give(const struct state *s);

/* state_append(); on a full disk again after the reserve was given up. */
int reserve_append(struct state *s, const char *event, struct json_t *members, struct err *err)
    __attribute__((warn_unused_result));

#endif
