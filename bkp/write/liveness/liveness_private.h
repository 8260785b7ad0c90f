/* liveness_private: what the files of liveness share; see liveness.h.
 *
 * A file of references: a line "bkp-waste 1 <repository> <generation>\n", then records:
 *     kind 1 | length 4 | archive 8 | chunk 4 | offset 4 | payload | SipHash of all before it 8
 * Numbers are little-endian.  archive, chunk, offset: where the block or list is stored.  A payload is
 * varints: of a block, the number of lists it uses and each one's place; then references to its end.  The
 * last record is of kind LIVENESS_LAST; its offset is 1 when something the data set refers to is not in the
 * file.
 */
#ifndef BKP_WRITE_LIVENESS_LIVENESS_PRIVATE_H
#define BKP_WRITE_LIVENESS_LIVENESS_PRIVATE_H

#include <stdio.h>

#include "base/buf.h"
#include "write/liveness/liveness.h"

#define LIVENESS_HEAD	     21
#define LIVENESS_SUM	     8
#define LIVENESS_PAYLOAD_MAX ((size_t)256 << 20)
#define LIVENESS_NAME	     300

enum liveness_kind { LIVENESS_BLOCK = 'b', LIVENESS_LIST = 'l', LIVENESS_EXTENTS = 'e', LIVENESS_LAST = 'z' };

struct liveness_ref {
	uint64_t archive;
	uint32_t chunk, offset;
	uint64_t length;
};

/* Where something is stored. */
struct liveness_key {
	uint64_t archive;
	uint32_t chunk, offset;
};

struct liveness_record {
	enum liveness_kind kind;
	struct liveness_key key;
	uint32_t length;
	uint64_t at; /* of its head in the file */
};

/* ---- liveness_refs.c: the bytes ---- */

/* References are held back until it is clear that the next one does not go on where they end. */
struct liveness_pack {
	struct buf *out;
	struct liveness_ref before, pending;
	bool failed;
};
void liveness_pack_begin(struct liveness_pack *p, struct buf *out);
void liveness_pack_ref(struct liveness_pack *p, const struct liveness_ref *r);
void liveness_pack_end(struct liveness_pack *p);
int liveness_put_varint(struct buf *out, uint64_t v);

struct liveness_unpack {
	const uint8_t *p, *end;
	struct liveness_ref before;
};
void liveness_unpack_begin(struct liveness_unpack *u, const void *payload, size_t n);
bool liveness_get_varint(struct liveness_unpack *u, uint64_t *ret);
bool liveness_unpack_ref(struct liveness_unpack *u, struct liveness_ref *ret); /* false: no more */

/* Appends a whole record. */
int liveness_put_record(
    struct buf *out, enum liveness_kind kind, const struct liveness_key *key, const void *payload, size_t n);

/* A file, read in order.  liveness_read_next(): 1 with the payload in `payload` (when want is true; else it is
 * passed over unread), 0 at a proper end, -1 damaged. */
struct liveness_reader {
	FILE *f;
	uint64_t generation, at;
	struct buf payload;
	struct liveness_record record;
};
int liveness_read_open(
    int dirfd, const char *dataset, const char *repository, struct liveness_reader *r); /* -1: none */
int liveness_read_next(struct liveness_reader *r);
void liveness_read_close(struct liveness_reader *r);
int liveness_write_head(struct buf *out, const char *repository, uint64_t generation);

/* ---- liveness_refs.c: what a catalog block refers to ---- */

typedef void liveness_text_fn(void *arg, const char *extents, size_t n);
void liveness_each_extents(const void *block, size_t n, liveness_text_fn *fn, void *arg);

/* ---- liveness_count.c ---- */

#define LIVENESS_WHOLE UINT32_MAX /* referred to, and how much of it cannot be told */

struct liveness_count {
	uint32_t *live,
	    *raw; /* by archive number: bytes of content referred to, and in it where any are, or LIVENESS_WHOLE */
	size_t n;   /* of both */
	bool known; /* whatever refers to an archive has been counted */
	/* archives made for a later generation are not judged: the data set has not been whole
	 * since, and what it had stored before it was stopped is referred to by nobody */
	uint64_t judged;
	uint64_t judged_live; /* the same, of archives that somebody refers to */
};
int liveness_count(int dirfd, const char *repository, struct dedup *d, const struct liveness_dataset *set,
    struct liveness_count *ret, struct err *err) __attribute__((warn_unused_result));
void liveness_count_free(struct liveness_count *c);

/* ---- liveness_plan.c: pure but for dedup_refuse() ---- */

int liveness_choose(const struct liveness_count *c, struct dedup *d, const struct liveness_limits *limits,
    const struct liveness_dataset *set, struct liveness_figures *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
