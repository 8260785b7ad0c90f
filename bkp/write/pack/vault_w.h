/* vault_w: adds files to one repository on one medium.  Together with reap (the only unlink of published
 * files) the only code that changes archives/ and generations/.
 *
 * Files appear under their final name complete and durable, or not at all (write/put/store_w.h):
 *     vault_w_stage → vault_w_write … → vault_w_publish_archive
 *     vault_w_publish_generation: manifest.json, root.age, SHA256SUMS, SHA256SUMS.minisig: the last one is the
 *     commit point on this medium.
 * If the process dies at any moment, published files are whole, and what is unfinished is removed by the next
 * vault_w_open() (the caller holds the state folder's lock: nobody else writes).
 *
 * Published files are frozen where the medium and our privileges allow; what could not be is counted, with the
 * first reason.
 *
 * Errors: those of store_w; E-PUBLISH-03 a file of that name but another size stands there, E-PUBLISH-04 the generation's number is
 * taken on this medium; E-IO-*.
 */
#ifndef BKP_WRITE_PACK_VAULT_W_H
#define BKP_WRITE_PACK_VAULT_W_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/crypto/digest.h"

struct store;
struct store_doc;
struct store_file;
struct store_staged;

struct vault_w;
/* repo: <repository-id>/ on the medium; may be closed meanwhile. */
int vault_w_open(const struct store *repo, struct vault_w **ret, struct err *err);
void vault_w_close(struct vault_w *v);
const struct store *vault_w_store(const struct vault_w *v); /* <repository-id>/, for reading */

/* A file being written; discarded unless published. */
int vault_w_stage(struct vault_w *v, struct store_staged **ret, struct err *err);
int vault_w_write(struct vault_w *v, struct store_staged *f, const void *p, size_t n, struct err *err);
/* Publishes as datasets/<dataset>/archives/ab/<sha256>.age.  `f` is consumed whatever happens.  An archive that is there already
 * stays. */
int vault_w_publish_archive(struct vault_w *v, const char *dataset, struct store_staged *f,
    const uint8_t sha256[DIGEST_LEN], struct err *err);
/* The same in place of a damaged one, in one step: at no moment is there neither.  It must not be frozen (reap_thaw()). */
int vault_w_replace_archive(struct vault_w *v, const char *dataset, struct store_staged *f,
    const uint8_t sha256[DIGEST_LEN], struct err *err) __attribute__((warn_unused_result));
void vault_w_discard(struct vault_w *v, struct store_staged *f); /* NULL allowed */

/* Is the archive there with that size?  Freezes it if a crash kept that from happening.  1 yes, 0 no, -1
 * cannot tell. */
int vault_w_has_archive(
    struct vault_w *v, const char *dataset, const uint8_t sha256[DIGEST_LEN], uint64_t size, struct err *err);

/* The last document is the signature.  Where the folder stands already and holds nothing but some of these
 * very documents, those it lost are supplied.  0, or -1. */
int vault_w_publish_generation(struct vault_w *v, const char *dataset, uint64_t number,
    const struct store_doc *docs, size_t n, struct err *err);

/* The same of several, at the cost of one.  Of each is said what became of it; -1: out of memory, nothing was done. */
struct vault_w_generation {
	const char *dataset;
	uint64_t number;
	const struct store_doc *docs;
	size_t n;
	int r; /* 0, -1 with why */
	struct err why;
};
int vault_w_publish_generations(struct vault_w *v, struct vault_w_generation *all, size_t n, struct err *err);

/* journal/ becomes a copy of the first `size` bytes of ours (segments.h), if they continue what stands there (history.h), or
 * its end is known to be none (mended).  Segments that are there stay; each other one is put atomically, in their order:
 * where it ends early, what stands there is the beginning of ours. */
int vault_w_put_journal(
    struct vault_w *v, struct store_file *ours, uint64_t size, bool mended, struct err *err);

/* Keeps room on the medium, so that what must be written last (README.txt, the journal) still fits when a
 * copy has filled it up.  Best effort; released by vault_w_release(), vault_w_close(), or the next open. */
void vault_w_reserve(struct vault_w *v, uint64_t bytes);
int vault_w_release(struct vault_w *v, struct err *err);

/* Freezes a published file, path from <repository-id>/.  0, or the errno that says why it cannot be. */
int vault_w_freeze(struct vault_w *v, const char *path);

/* Files published since open that could not be frozen, and why (errno of the first; 0: none). */
uint64_t vault_w_unfrozen(const struct vault_w *v, int *ret_errno);
/* Bytes published since open. */
uint64_t vault_w_written(const struct vault_w *v);

#endif
