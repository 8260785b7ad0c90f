/* waste_private: what the files of waste share; see waste.h.
 *
 * A file of references: a line "bkp-waste 1 <repository> <generation>\n", then records:
 *     kind 1 | length 4 | archive 8 | chunk 4 | offset 4 | payload | SipHash of all before it 8
 * Numbers are little-endian.  archive, chunk, offset: where the block or list is stored.  A payload is
 * varints: of a block, the number of lists it uses and each one's place; then references to its end.  The
 * last record is of kind WASTE_LAST; its offset is 1 when something the data set refers to is not in the
 * file.
 */
#ifndef BKP_WRITE_LIVENESS_WASTE_PRIVATE_H
#define BKP_WRITE_LIVENESS_WASTE_PRIVATE_H

#include <stdio.h>

#include "base/buf.h"
#include "write/liveness/waste.h"

#define WASTE_HEAD	  21
#define WASTE_SUM	  8
#define WASTE_PAYLOAD_MAX ((size_t)256 << 20)
#define WASTE_NAME	  300

enum waste_kind { WASTE_BLOCK = 'b', WASTE_LIST = 'l', WASTE_EXTENTS = 'e', WASTE_LAST = 'z' };

struct waste_ref {
	uint64_t archive;
	uint32_t chunk, offset;
	uint64_t length;
};

/* Where something is stored. */
struct waste_key {
	uint64_t archive;
	uint32_t chunk, offset;
};

struct waste_record {
	enum waste_kind kind;
	struct waste_key key;
	uint32_t length;
	uint64_t at; /* of its head in the file */
};

/* ---- waste_refs.c: the bytes ---- */

/* References are held back until it is clear that the next one does not go on where they end. */
struct waste_pack {
	struct buf *out;
	struct waste_ref before, pending;
	bool failed;
};
void waste_pack_begin(struct waste_pack *p, struct buf *out);
void waste_pack_ref(struct waste_pack *p, const struct waste_ref *r);
void waste_pack_end(struct waste_pack *p);
int waste_put_varint(struct buf *out, uint64_t v);

struct waste_unpack {
	const uint8_t *p, *end;
	struct waste_ref before;
};
void waste_unpack_begin(struct waste_unpack *u, const void *payload, size_t n);
bool waste_get_varint(struct waste_unpack *u, uint64_t *ret);
bool waste_unpack_ref(struct waste_unpack *u, struct waste_ref *ret); /* false: no more */

/* Appends a whole record. */
int waste_put_record(
    struct buf *out, enum waste_kind kind, const struct waste_key *key, const void *payload, size_t n);

/* A file, read in order.  waste_read_next(): 1 with the payload in `payload` (when want is true; else it is
 * passed over unread), 0 at a proper end, -1 damaged. */
struct waste_reader {
	FILE *f;
	uint64_t generation, at;
	struct buf payload;
	struct waste_record record;
};
int waste_read_open(
    int dirfd, const char *dataset, const char *repository, struct waste_reader *r); /* -1: none */
int waste_read_next(struct waste_reader *r);
void waste_read_close(struct waste_reader *r);
int waste_write_head(struct buf *out, const char *repository, uint64_t generation);

/* ---- waste_pax.c: what a catalog block refers to ---- */

typedef void waste_text_fn(void *arg, const char *extents, size_t n);
void waste_each_extents(const void *block, size_t n, waste_text_fn *fn, void *arg);

/* ---- waste_count.c ---- */

#define WASTE_NOBODY UINT16_MAX
#define WASTE_WHOLE  UINT32_MAX /* referred to, and how much of it cannot be told */

struct waste_count {
	uint32_t *live,
	    *raw; /* by archive number: bytes of content referred to, and in it where any are, or WASTE_WHOLE */
	uint16_t *owner; /* index of a data set of tonight that refers to it, or WASTE_NOBODY */
	size_t n;	 /* of all three */
	bool known;	 /* whatever refers to an archive has been counted */
	/* archives made for a later generation are not judged: a data set of tonight has not been whole
	 * since, and what it had stored before it was stopped is referred to by nobody */
	uint64_t judged;
	uint64_t judged_live; /* the same, of archives that somebody refers to */
};
int waste_count(int dirfd, const char *repository, struct dedup *d, const struct waste_dataset *sets,
    size_t n, struct waste_count *ret, struct err *err) __attribute__((warn_unused_result));
void waste_count_free(struct waste_count *c);

/* ---- waste_plan.c: pure but for dedup_refuse() ---- */

int waste_choose(const struct waste_count *c, struct dedup *d, const struct waste_limits *limits,
    const struct waste_dataset *sets, struct waste_figures *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
