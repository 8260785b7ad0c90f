/* room_show: when a medium will be full, in words and as JSON (read/rules/room.h). */
#ifndef BKP_CMD_TIME_ROOM_SHOW_H
#define BKP_CMD_TIME_ROOM_SHOW_H

#include <stdbool.h>

struct compliance;
struct json_t;
struct room;

#define ROOM_TEXT 192
#define ROOM_DAYS 60 /* what is full sooner is said by status */

/* "between 2027-02 and 2027-05", "not before 2027-02", "not known: …"; returns out. */
char *room_words(const struct room *r, char out[ROOM_TEXT]);
struct json_t *room_json(const struct room *r);
/* A pool brings less than it should from when the first of its media is full.  That one; else one of which nothing is known, or that is
 * not filling; NULL: none of the pool can be used. */
struct turns;
const struct compliance_medium *room_of_pool(const struct compliance *s, const struct turns *pool);

/* Of the media of which it may be within ROOM_DAYS (all: of each), and then of each pool, a line on stdout, with a heading. */
void room_show(const struct compliance *s, bool all);

#endif
