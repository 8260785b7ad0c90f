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
/* Of the media of which it may be within ROOM_DAYS (all: of each), a line on stdout, with a heading. */
void room_show(const struct compliance *s, bool all);

#endif
