/* extent: where the bytes of a file are (docs/format.md, section 6), as text and as runs.
 *
 * Pure.  Every run carries a digest: the SHA-256 over the content ids of its pieces, in order; a piece is the
 * part of one chunk that the run covers.  A list being built merges whole chunks that follow each other in
 * one archive, and nothing else: a slice of a chunk stays a run of its own.
 *
 * The text behind an '@' is runs separated by single spaces, without a size in front; one space before its
 * first run is allowed (that is how a writer collects runs).  Its reader calls extent_parse_run from position
 * 0 and refuses a further EXTENT_INDIRECT.
 *
 * Errors: E-EXTENT-01 malformed (with byte offset), E-EXTENT-02 lengths do not add up.
 */
#ifndef BKP_FORMAT_MEDIUM_EXTENT_H
#define BKP_FORMAT_MEDIUM_EXTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sodium/crypto_hash_sha256.h>

#include "format/crypto/digest.h"

struct buf;
struct err;

#define EXTENT_INDIRECT_MAX ((uint64_t)256 << 20) /* text behind an '@' */
#define EXTENT_INLINE_MAX   ((size_t)32 << 10)	  /* a longer text is written behind an '@' */
#define EXTENT_CHUNK_MAX    4194304u		  /* raw bytes of a chunk: an offset lies below it */
#define EXTENT_RUN_MAX	    192			  /* longer than the text of any run */
#define EXTENT_HOLES_MAX    ((uint64_t)1 << 30)	  /* a file with more bytes of holes has no SHA-256 */

enum extent_kind { EXTENT_DATA, EXTENT_HOLE, EXTENT_INDIRECT };

struct extent_run {
	enum extent_kind kind;
	uint64_t archive; /* DATA, INDIRECT */
	uint32_t chunk;
	uint32_t offset;	    /* in the raw chunk, bytes */
	uint64_t length;	    /* bytes, ≥1 */
	uint8_t digest[DIGEST_LEN]; /* DATA, INDIRECT; given to extent_add(): the id of its one piece */
};

/* Writer: text is appended to `out`; the pending run is held back for merging until extent_end(). */
struct extent_writer {
	struct extent_run pending;
	bool has_pending;
	bool pending_whole;    /* the pending run is whole chunks */
	uint32_t pending_last; /* the last of them */
	crypto_hash_sha256_state ids;
	uint64_t size; /* bytes so far */
};

void extent_begin(struct extent_writer *w);
/* A DATA run lies in one chunk; `whole`: it is all of it. An INDIRECT run is not counted in w->size and must
 * be the last.  `runs` gets " run" texts. */
int extent_add(
    struct extent_writer *w, const struct extent_run *run, bool whole, struct buf *runs, struct err *err);
int extent_end(struct extent_writer *w, struct buf *runs, struct err *err);

/* Reader: s[0..n) is "<size>[ run]…".  Calls in order: extent_parse_size once, then extent_parse_run until it
 * returns EXTENT_END.  *pos is the reader's place in the text.  What a run says by itself is checked; that
 * lengths add up is extent_check's business, or the caller's where a list goes on behind an '@'. */
#define EXTENT_END 1
int extent_parse_size(const char *s, size_t n, size_t *pos, uint64_t *ret_size, struct err *err);
int extent_parse_run(const char *s, size_t n, size_t *pos, struct extent_run *ret, struct err *err);

/* The whole text at once: every run is well formed and, unless the list goes on behind an '@' (ret_indirect),
 * the lengths add up to the size; before an '@' they must not exceed it.  *ret_holes: bytes of holes before
 * an
 * '@'.  Any ret may be NULL. */
int extent_check(
    const char *s, size_t n, uint64_t *ret_size, bool *ret_indirect, uint64_t *ret_holes, struct err *err);

/* One run, "A:C:O:L:D" (block lists), exactly n bytes. */
int extent_parse_data_run(const char *s, size_t n, struct extent_run *ret, struct err *err);
int extent_format_run(const struct extent_run *run, struct buf *out, struct err *err);

#endif
