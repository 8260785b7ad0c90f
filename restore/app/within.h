/* within: does a place lie in a folder, whatever names and links lead to it?  By identity of folders, from
 * the place upwards; mounts in between are passed.
 */
#ifndef RESTORE_APP_WITHIN_H
#define RESTORE_APP_WITHIN_H

#include <stdbool.h>

struct app;
struct err;

/* `path`, or what exists of it: O_PATH, the caller's; -1 when there is none. */
int within_nearest(const char *path);
/* Does any folder that is named on the way to `path`, or that a link leads to, lie in it? */
bool within_passes(const char *path, int folder);

/* Refuses (E-TARGET-04) a target on any medium that was given, opened or not: what only reads them must not
 * change them. */
int within_refuse_media(const struct app *app, const char *to, struct err *err)
    __attribute__((warn_unused_result));

#endif
