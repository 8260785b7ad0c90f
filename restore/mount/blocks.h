/* blocks: generations whose entries are looked up in any order, with bounded memory.
 *
 * blocks_new → blocks_add (each generation) → blocks_find, blocks_entry … → blocks_free.  Nothing of a generation is held but what was asked
 * for last: parsed blocks of its catalog (BLOCKS_BYTES of all generations), archives, lists of blocks and decoded chunks of BLOCKS_AWAKE
 * generations (BLOCKS_CHUNKS in all).  An entry that was given is valid until the next call.  One thread.
 *
 * A place is where an entry stands: number of the block, number in it.
 *
 * Errors: those of catalog_r; E-CATALOG-12 a block reaches into the next one.
 */
#ifndef RESTORE_MOUNT_BLOCKS_H
#define RESTORE_MOUNT_BLOCKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "format/crypto/digest.h"

struct app;
struct app_generation;
struct arc_r;
struct err;

#define BLOCKS_BYTES  ((size_t)24 << 20)
#define BLOCKS_CHUNKS ((size_t)48 << 20)
#define BLOCKS_AWAKE  4

struct blocks_entry {
	const char *path;
	const char *link;     /* target of a symbolic link; or NULL */
	const char *hardlink; /* first name; or NULL */
	const char *extents;  /* or NULL */
	size_t extents_len;
	const uint8_t *sha256; /* or NULL */
	const uint8_t *attrs;  /* extract_meta_attrs() */
	size_t attrs_len;
	struct stat st; /* without st_ino; st_nlink: one more for each further name */
	unsigned flags; /* enum catalog_flag */
};

struct blocks_place {
	uint32_t block, index;
};

typedef void blocks_pause_fn(void *arg, size_t generation);

struct blocks;
/* pause: called before the archives of a generation are let go of. */
struct blocks *blocks_new(blocks_pause_fn *pause, void *arg); /* NULL: out of memory */
void blocks_free(struct blocks *b);			      /* closes the generations */
/* Takes the generation over, which must stay where it is, and counts its hard links: reads each block that no generation before had.  What is
 * lost of it is told on standard error, and *ret_lost. */
int blocks_add(struct blocks *b, struct app_generation *g, bool *ret_lost, struct err *err)
    __attribute__((warn_unused_result));

/* The first entry that does not sort before `path`.  BLOCKS_END: there is none. */
#define BLOCKS_END 1
int blocks_find(struct blocks *b, size_t generation, const char *path, struct blocks_place *ret,
    const struct blocks_entry **ret_entry, struct err *err) __attribute__((warn_unused_result));
/* The entry at a place; *place moves to the next block when it is one behind the end of its own.  BLOCKS_END: there is none. */
int blocks_entry(struct blocks *b, size_t generation, struct blocks_place *place,
    const struct blocks_entry **ret, struct err *err) __attribute__((warn_unused_result));
/* Its archives, awake until another call. */
int blocks_arc(struct blocks *b, size_t generation, struct arc_r **ret, struct err *err)
    __attribute__((warn_unused_result));
const struct app_generation *blocks_generation(const struct blocks *b, size_t generation);
size_t blocks_count(const struct blocks *b); /* generations */

#endif
