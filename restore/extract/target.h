/* target: reaching folders below the target by descriptor, one component at a time, following no symbolic
 * link.
 *
 * A cursor stands in one folder; target_enter() moves it to the folder that is to hold an entry.  Paths may
 * be longer than PATH_MAX and any depth: only the deepest few descriptors are held, others are walked to
 * again.  Whatever lies in the target, a link planted by an earlier entry included, the cursor cannot leave
 * it.
 *
 * Errors: E-TARGET-01 the target cannot be opened or made, E-TARGET-02 something that is no folder is in the
 * way (a symbolic link included), E-TARGET-03 a folder cannot be made or entered.
 */
#ifndef RESTORE_EXTRACT_TARGET_H
#define RESTORE_EXTRACT_TARGET_H

struct err;

/* Opens `to`, making it (and its parents) when missing. ≥0, or -1. */
int target_open(const char *to, struct err *err);

struct target_cursor;
/* rootfd stays the caller's. NULL: out of memory. */
struct target_cursor *target_cursor_new(int rootfd);
struct winnames;
/* From now on what it enters, makes and gives back is called as `names` says; it stays the caller's.  Paths are the catalog's all the same. */
void target_cursor_names(struct target_cursor *c, const struct winnames *names);
void target_cursor_free(struct target_cursor *c);

/* Called for each folder that had to be made on the way, with its path below the target. */
typedef int target_made_fn(void *arg, const char *path, struct err *err);

/* Moves to the folder that holds `path`.  *ret_fd (O_PATH, valid until the next call) and the last component
 * are given back.  made NULL: nothing is made, a missing folder is TARGET_ABSENT.  0, TARGET_ABSENT, -1. */
#define TARGET_ABSENT 1
int target_enter(struct target_cursor *c, const char *path, target_made_fn *made, void *arg, int *ret_fd,
    const char **ret_name, struct err *err);

#endif
