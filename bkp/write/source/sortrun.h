/* sortrun: records in the order of their paths, however many there are: an external merge sort.
 *
 * sortrun_new → sortrun_add … → sortrun_sort → sortrun_next … until SORTRUN_END → sortrun_free.  The order is
 * path_compare()'s; records of one path come in the order in which they were added.
 *
 * Memory: `memory` bytes of records while they are added, then 64 KiB for each run, of which there are at
 * most a few hundred.  What does not fit lies in files without a name in the folder, which are gone when the
 * process is; they take twice the size of the records at most.
 *
 * Errors: E-SORT-01 the folder cannot hold it (full, say); E-MEM-01 and -02.
 */
#ifndef BKP_WRITE_SOURCE_SORTRUN_H
#define BKP_WRITE_SOURCE_SORTRUN_H

#include <stddef.h>

struct err;

#define SORTRUN_PATH_MAX ((size_t)2 << 20) /* bytes, with the NUL */
#define SORTRUN_DATA_MAX ((size_t)64 << 10)

struct sortrun;
/* dirfd: borrowed until sortrun_free(). */
int sortrun_new(int dirfd, size_t memory, struct sortrun **ret, struct err *err)
    __attribute__((warn_unused_result));
void sortrun_free(struct sortrun *s);

int sortrun_add(struct sortrun *s, const char *path, const void *data, size_t n, struct err *err)
    __attribute__((warn_unused_result));
/* All has been added. */
int sortrun_sort(struct sortrun *s, struct err *err) __attribute__((warn_unused_result));
/* The next record, valid until the next call. */
#define SORTRUN_END 1
int sortrun_next(struct sortrun *s, const char **ret_path, const void **ret_data, size_t *ret_n,
    struct err *err) __attribute__((warn_unused_result));

size_t sortrun_memory(const struct sortrun *s); /* bytes held */

/* A file without a name in the folder, for reading and writing; -1: E-SORT-01. */
int sortrun_file(int dirfd, struct err *err);

#endif
