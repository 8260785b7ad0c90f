/* extract_lot: entries on their way to the disk, in catalog order, with everything that writing them needs.
 *
 * extract_lot_new → extract_lot_add / extract_lot_say … → extract_lot_close → written and settled →
 * extract_lot_reset → again.  Bounded: extract_lot_full() after LOT_ITEMS items or LOT_BYTES of their texts.
 * Errors: E-MEM-01.
 *
 * circle: extract, of which this is a part; in a header of its own because parts call it that need not see the rest.
 */
#ifndef RESTORE_EXTRACT_EXTRACT_LOT_H
#define RESTORE_EXTRACT_EXTRACT_LOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "restore/app/outcome.h"
#include "restore/extract/extract_meta.h"

struct catalog_item;
struct err;

#define LOT_ITEMS ((size_t)16384)
#define LOT_BYTES ((size_t)6 << 20)

enum extract_kind { ITEM_FILE, ITEM_LINK, ITEM_FOLDER, ITEM_SAY };
enum extract_state { ITEM_WAITING, ITEM_DONE, ITEM_EXISTS, ITEM_SAME, ITEM_FAILED };

struct extract_item {
	enum extract_kind kind;
	enum extract_state state;
	const char *path;
	const char *first; /* hard links: the first name; or NULL */
	struct extract_meta meta;
	unsigned long fflags_set, fflags_clear;
	unsigned flags; /* enum catalog_flag */
	/* content */
	const char *extents;
	size_t extents_len;
	uint64_t size;
	bool hashed;
	uint8_t sha256[DIGEST_LEN]; /* if hashed */
	bool slice;		    /* one run within one chunk's length, or nothing: cheap to write */
	uint64_t archive;
	uint32_t chunk; /* of the first run */
	/* what became of it: of the writer that took it */
	bool warning;	 /* DONE, but `why` */
	struct err *why; /* malloc'd */
	enum outcome_kind say;
};

struct extract_lot {
	struct extract_item *items;
	size_t n, cap;
	struct extract_texts texts;
	/* files in the order of their chunks */
	uint32_t *order;
	size_t n_order;
	char *last;  /* path of the entry after which it was closed */
	size_t left; /* of them that are not known to be written */
};

struct extract_lot *extract_lot_new(void); /* NULL: out of memory */
void extract_lot_free(struct extract_lot *l);
void extract_lot_reset(struct extract_lot *l);

struct extract;
int extract_lot_add(struct extract_lot *l, const struct extract *x, enum extract_kind kind,
    const struct catalog_item *item, struct err *err);
int extract_lot_say(
    struct extract_lot *l, enum outcome_kind kind, const char *path, const struct err *why, struct err *err);
bool extract_lot_full(const struct extract_lot *l, size_t items);
/* Nothing more is added: sorts the files by their chunks.  `last` is the entry that was looked at last. */
int extract_lot_close(struct extract_lot *l, const char *last, struct err *err);

#endif
