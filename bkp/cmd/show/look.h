/* look: how things stand at this moment, for the commands that show it: the ledger, the media that are
 * attached now, and the words for them.  Takes no lock and changes nothing, so that it works while a run is
 * going on.
 */
#ifndef BKP_CMD_SHOW_LOOK_H
#define BKP_CMD_SHOW_LOOK_H

#include <stdint.h>

struct app;
struct ledger;
struct policy;
struct standing;
struct standing_medium;
struct json_t;
struct table;

/* Looks at the media and judges.  The policy and the ledger must outlive *ret.  0, or an exit code after the
 * error has been reported. */
int look_standing(
    const struct app *app, const struct policy *policy, const struct ledger *l, struct standing **ret);

/* enum app_exit for how things stand. */
int look_exit(const struct standing *s);

#define LOOK_TEXT 96
/* "9 days", "5 hours", "3 minutes" before now, in the reader's language; returns out. */
char *look_age(int64_t now_ns, int64_t ns, char out[LOOK_TEXT]);
/* "attached", "detached since 2026-11-21 09:00" …: what is seen, and what is recorded where that differs. */
char *look_where(const struct standing_medium *m, char out[LOOK_TEXT]);

struct json_t *look_time_json(int64_t ns); /* null for 0 */
struct json_t *look_medium_json(const struct standing_medium *m);
/* The table of media, with its heading. NULL: out of memory. */
struct table *look_media_table(const struct standing *s);

#endif
