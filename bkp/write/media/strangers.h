/* strangers: files on a medium that bkp did not put there.  They are named and recorded, never opened, never started,
 * never deleted: who knows them removes them.
 *
 *     strangers_look() → strangers_add() … → strangers_tell() → strangers_free()
 *
 * Bounded whatever lies there: a folder that is not known is one name and is not entered, so no depth, no loop and no
 * mount below it costs anything; of a folder at most 64 MiB of names are held (store_list()), more are one name, too;
 * of all of them a count, a digest and the first few are kept.
 *
 * Two kinds.  Below our folders nobody else has anything to do: said each time (W-ROTATE-20).  Beside them, at the root
 * of the disk and of the medium's folder (what a computer that it was plugged into left, autorun.inf, programs), and
 * archives of a right name that no list names: said when they are others than were recorded last (W-ROTATE-21).
 */
#ifndef BKP_WRITE_MEDIA_STRANGERS_H
#define BKP_WRITE_MEDIA_STRANGERS_H

#include <stdbool.h>
#include <stdint.h>

struct device;
struct err;
struct medium;
struct state;
struct strangers;
struct vault_r;

struct strangers *strangers_new(void); /* NULL: out of memory */
void strangers_free(struct strangers *s);

/* v: of the medium.  d: what it stands on. */
int strangers_look(struct strangers *s, const struct medium *m, const struct device *d,
    const struct vault_r *v, struct err *err) __attribute__((warn_unused_result));
/* path: from the medium's folder.  ours: below our folders. */
void strangers_add(struct strangers *s, const char *path, bool ours);
/* "'a' and more": of those beside our folders.  false: there are none. */
#define STRANGERS_BESIDE 256
bool strangers_beside(const struct strangers *s, char out[STRANGERS_BESIDE]);
/* Journal "strangers", when they are others than were recorded last.  *ret_ours and *ret_beside become W-ROTATE-20
 * and -21, and are not touched when there is nothing to say.  0, -1. */
int strangers_tell(const struct strangers *s, struct state *state, const struct medium *m,
    struct err *ret_ours, struct err *ret_beside, struct err *err) __attribute__((warn_unused_result));

#endif
