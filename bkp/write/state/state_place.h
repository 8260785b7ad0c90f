/* state_place: where a state folder comes to be, in one step: everything is made in ".<name>.new" beside the place, and renamed.
 *
 * state_place_open() → state_place_check() → state_place_begin() (locked: of two at once only one goes on; what a dead one left is removed)
 * → the files → state_place_publish(), which is the commit, or state_place_discard() → state_place_close().
 *
 * Errors: E-STATE-02 another one is at it, E-STATE-05 there is a repository, E-STATE-06 it cannot be made here, E-STATE-07 something else
 * is in the folder. */
#ifndef BKP_WRITE_STATE_STATE_PLACE_H
#define BKP_WRITE_STATE_STATE_PLACE_H

#include <stdbool.h>

struct err;

#define STATE_PLACE_NAME 200 /* bytes of the folder's name: ".<name>.new" must fit as well */

#define STATE_BUSY   2 /* E-STATE-02 */
#define STATE_EXISTS 3 /* E-STATE-05 */

/* Is that a name in a state folder?  Only what is, is removed. */
typedef bool state_place_ours_fn(const char *name);

struct state_place {
	const char *path; /* as the person gave it */
	state_place_ours_fn *ours;
	int parent;
	int dir; /* ".<name>.new" */
	char name[STATE_PLACE_NAME + 1];
	char tmp[STATE_PLACE_NAME + 8];
};
#define STATE_PLACE(path, ours) ((struct state_place){(path), (ours), -1, -1, "", ""})

int state_place_open(struct state_place *m, struct err *err);
/* What stands there: nothing or an empty folder is fine.  0, STATE_EXISTS, -1. */
int state_place_check(const struct state_place *m, struct err *err);
/* 0, STATE_BUSY, -1. */
int state_place_begin(struct state_place *m, struct err *err);
/* 0, STATE_EXISTS, -1. */
int state_place_publish(const struct state_place *m, struct err *err);
/* After a failure; what cannot be removed is left to the next one.  False: it was published, and could not be made durable; it stays. */
bool state_place_discard(const struct state_place *m);
void state_place_close(struct state_place *m);
/* E-STATE-06; -1. */
int state_place_refuse(const struct state_place *m, const char *why, struct err *err);

#endif
