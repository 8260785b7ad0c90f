/* winnames: the names of one data set as Windows can hold them (winname.h), two that differ only in case included.
 *
 * winnames_new → winnames_add for every entry of the catalog, in its order and whatever was asked for, so that a part gets the names that
 * the whole gets → winnames_map → winnames_free.  Of names that are one to Windows the first keeps its own.  At the top what begins with
 * WINNAMES_LIST is written under another name, too: the list of them goes there.  Any number of threads may call winnames_map().
 *
 * Errors: E-RESTORE-18 too many entries.
 */
#ifndef RESTORE_EXTRACT_WINNAMES_H
#define RESTORE_EXTRACT_WINNAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "restore/extract/winname.h"

struct buf;
struct err;

#define WINNAMES_LIST "bkp-names"

struct winnames;
struct winnames *winnames_new(void); /* NULL: out of memory */
void winnames_free(struct winnames *w);
int winnames_add(struct winnames *w, const char *path, struct err *err) __attribute__((warn_unused_result));
/* The last component of the n bytes of `path`; true: it is written under another name. */
bool winnames_map(const struct winnames *w, const char *path, size_t n, char out[WINNAME_SIZE]);

/* Calls fn for each name of `path` that is not its own, but for those within the folders that `before`, the path before it, has as well:
 * `from` as it is in the catalog, `to` as it is written, each from the top.  Not 0 of fn is given back. */
typedef int winnames_fn(void *arg, const char *from, const char *to, struct err *err);
int winnames_each(const struct winnames *w, const char *before, const char *path, winnames_fn *fn, void *arg,
    struct err *err) __attribute__((warn_unused_result));

#endif
