/* names: the names in one folder, in byte order, in bounded memory.
 *
 * names_read → names_next until NAMES_END → names_free.  Up to `max` bytes of names are sorted in memory;
 * beyond that they are sorted on disk (sortrun.h), in files without a name: nothing of them is left when the
 * process dies.  Names that a changing folder shows twice are given once.
 *
 * Errors: those of sortrun.h.
 */
#ifndef BKP_WRITE_SOURCE_NAMES_H
#define BKP_WRITE_SOURCE_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct names;

struct names_scratch {
	int dirfd;	  /* where files for sorting are made */
	char *listing;	  /* room for one read of a folder */
	bool memory_only; /* nothing is sorted on disk: NAMES_TOO_MANY */
};

void names_scratch_begin(struct names_scratch *s, int dirfd);
void names_scratch_end(struct names_scratch *s);

/* Reads the folder `dirfd`, which is not closed.  `s` must live as long as *ret.  NAMES_UNREADABLE:
 * *ret_errno says why the folder could not be read to its end. */
#define NAMES_UNREADABLE 2
#define NAMES_TOO_MANY	 3
int names_read(
    int dirfd, size_t max, struct names_scratch *s, struct names **ret, int *ret_errno, struct err *err);
#define NAMES_END 1
/* *ret is valid until the next call. */
int names_next(struct names *n, const char **ret, struct err *err);
/* As the folder's list says it.  Only of a name that names_next() or names_at() gave. */
uint64_t names_inode(const char *name);

/* Where they are in memory (else names_count() is 0): by their place; *ret of names_next() is the one at
 * names_position(), which is then one more.  names_at() may be called by several threads. */
size_t names_count(const struct names *n);
const char *names_at(const struct names *n, size_t i);
size_t names_position(const struct names *n);
void names_seek(struct names *n, size_t position);

size_t names_memory(const struct names *n); /* bytes held */
void names_free(struct names *n);

#endif
