/* entrysort: entries that come in any order, as those of a tar stream do, in the order of a catalog.
 *
 * entrysort_new → { entrysort_add | entrysort_link } … → entrysort_sort → entrysort_next … until
 * ENTRYSORT_END → entrysort_free.  Memory is bounded: entries lie in a file without a name in the scratch
 * folder, their paths in sortrun.h's, what a hard link may refer to in tables there (linkmap.h).
 *
 * What tar means by its order is kept: of two entries of one name the last one counts; a hard link is a
 * further name of what its target was when the link came, whatever becomes of the target later.  What is
 * below something that is no folder is left out.
 *
 * Errors: E-SORT-01, E-LINK-01, E-CATALOG-NN.
 */
#ifndef BKP_WRITE_SOURCE_ENTRYSORT_H
#define BKP_WRITE_SOURCE_ENTRYSORT_H

#include <stddef.h>
#include <stdint.h>

struct archive_entry;
struct err;

struct entrysort;
/* scratch: the folder dirfd is, absolute; both borrowed until entrysort_free(). */
int entrysort_new(int dirfd, const char *scratch, struct entrysort **ret, struct err *err)
    __attribute__((warn_unused_result));
void entrysort_free(struct entrysort *s);

/* path: path_is_entry().  extents: "<size>[ run]…" of a regular file, else NULL; sha256 as
 * catalog_writer_add() has it.  The entry is changed as catalog_writer_add() does.  ENTRYSORT_STRIPPED: it
 * was taken without its attributes, which no catalog could hold. */
#define ENTRYSORT_STRIPPED 1
int entrysort_add(struct entrysort *s, const char *path, struct archive_entry *entry, const char *extents,
    size_t extents_len, const uint8_t *sha256, unsigned flags, struct err *err)
    __attribute__((warn_unused_result));
/* ENTRYSORT_ABSENT: nothing of that name came before that a hard link could refer to. */
#define ENTRYSORT_ABSENT 2
int entrysort_link(struct entrysort *s, const char *path, const char *target, struct err *err)
    __attribute__((warn_unused_result));
int entrysort_sort(struct entrysort *s, struct err *err) __attribute__((warn_unused_result));

/* Valid until the next call. */
struct entrysort_item {
	const char *path;
	/* without its path; a hard link refers to its first name in this order */
	struct archive_entry *entry;
	const char *extents; /* or NULL */
	size_t extents_len;
	const uint8_t *sha256; /* or NULL */
	uint64_t size;
	unsigned flags; /* of the catalog */
};
/* 0; ENTRYSORT_END; ENTRYSORT_TWICE: several came of this name, the last one comes next (only path is set);
 * ENTRYSORT_BELOW: left out, it is below something that is no folder (only path is set); -1. */
#define ENTRYSORT_END	3
#define ENTRYSORT_TWICE 4
#define ENTRYSORT_BELOW 5
int entrysort_next(struct entrysort *s, struct entrysort_item *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
