/* verdicts: what becomes of the damaged archives that 'bkp verify' found: mendable, and from what, or lost.
 *
 * verdicts_add() as they are found, on whatever medium; when all media were looked at verdicts_tell() opens those that are attached and
 * asks of each archive once.  Reads only. */
#ifndef BKP_CMD_VERIFY_VERDICTS_H
#define BKP_CMD_VERIFY_VERDICTS_H

#include <stdint.h>

struct app;
struct json_t;
struct policy;
struct state;

struct verdicts {
	struct json_t *found; /* "MEDIUM PATH" to true; NULL at first */
	uint64_t mendable, lost;
};

/* path: from <repository-id>/; what is no archive is passed over. */
void verdicts_add(struct verdicts *v, const char *medium, const char *path);
/* Prints a line for each unless the app is quiet or prints JSON, and counts them.  Returns the list for JSON. */
struct json_t *verdicts_tell(
    struct verdicts *v, const struct app *app, const struct policy *policy, const struct state *state);
void verdicts_free(struct verdicts *v);

#endif
