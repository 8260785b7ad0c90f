/* pack: turns content into archives on every online medium.  Here: id → stored already? → its place.  In other
 * threads (sealer.h): codec → archive → age → files.
 *
 * One data set after the other, each with archives of its own.  Three streams of archives are filled side by side, so that what is
 * read together lies together: BULK (chunks of large files), BUNDLE (small files, many in one chunk), CATALOG (catalog blocks, block
 * lists, long extent lists).  The first PACK_TOGETHER bytes that are new in a data set all go into one archive: a small set's night
 * is one file, not three.  An archive is closed when the content in it reaches the target size (counted before
 * compression, so that places do not depend on when something is compressed), is published on every medium
 * that still works, and then enters the dedup index.
 *
 * Calling order: pack_new → { pack_begin_set → pack_chunk / pack_small_id … → pack_finish (closes all streams; only then is
 * everything that was handed out as a place durable) → pack_needed … } for each data set → pack_free.  A pack that failed can
 * only be freed.
 *
 * A medium that fails (full, pulled out) is dropped: pack_sink.failed is set with the reason, the others go
 * on.  When the last one fails, the call fails.
 *
 * Memory: two archives' indexes per stream, one bundle, the sealer's queue; nothing grows with the amount of
 * data. Errors: those of sealer and dedup.  pack_sink.failed and why may be read once pack_finish() has
 * returned.
 */
#ifndef BKP_WRITE_PACK_PACK_H
#define BKP_WRITE_PACK_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "format/medium/codec.h"
#include "write/index/dedup.h"
#include "write/pack/pack_config.h"

struct buf;
struct err;
struct file_cache_archive;

enum pack_stream { PACK_BULK, PACK_BUNDLE, PACK_CATALOG, PACK_STREAMS };

#define PACK_SMALL_MAX 262144u		   /* files of at most this size are bundled */
#define PACK_TOGETHER  ((uint64_t)4 << 20) /* bytes */

struct pack;
int pack_new(const struct pack_config *cfg, struct pack **ret, struct err *err);
void pack_free(struct pack *p); /* discards what was not published */

/* How content that is new from now on is compressed; CODEC_LZ4 at first.  A data set's own chunks, bundles
 * and catalog are all of its kind, so that what is to be read with stock lz4 alone can be; content that is
 * stored already stays referenced, whatever it was compressed with. */
int pack_compression(struct pack *p, enum codec_kind kind, struct err *err);
/* One chunk, 1 ≤ n ≤ 4 MiB.  ret_id: its content id, made of these bytes whatever the index says of them. */
int pack_chunk(struct pack *p, enum pack_stream s, const void *raw, size_t n, uint8_t ret_id[DIGEST_LEN],
    struct dedup_place *ret, struct err *err);
/* The same with the content id computed beforehand.  The bytes of raw (1 … 4 MiB) may become the pack's: then
 * raw gets another, empty buffer's. */
int pack_chunk_give(struct pack *p, enum pack_stream s, const uint8_t id[DIGEST_LEN], struct buf *raw,
    struct dedup_place *ret, struct err *err);
/* One small file's whole content, 1 ≤ n ≤ PACK_SMALL_MAX, and its id. */
int pack_small_id(struct pack *p, const uint8_t id[DIGEST_LEN], const void *raw, size_t n,
    struct dedup_place *ret, struct err *err);
/* Content that is known to lie in this archive, which must be available, is referred to once more. */
int pack_need(struct pack *p, uint64_t number, struct err *err);
/* A data set begins, which pack_config.dedup is in use for; `dataset` must live until the next one begins.  What came before was
 * finished.  archive_size: target, bytes of content; next_archive: first number to use. */
int pack_begin_set(
    struct pack *p, const char *dataset, uint64_t archive_size, uint64_t next_archive, struct err *err);
/* Places given out since then are void, as far as pack_needed() goes. */
void pack_abandon_set(struct pack *p);
/* The archives that places given out, and pack_need(), have referred to since pack_touch_begin(), each once;
 * valid until the next call of anything here. */
void pack_touch_begin(struct pack *p);
const struct file_cache_archive *pack_touched(struct pack *p, size_t *ret_n);
int pack_finish(struct pack *p, struct err *err);

/* dedup_copy_runs() */
int pack_copy_runs(const struct pack *p, uint64_t **ret, size_t *ret_n, struct err *err);
/* The archives that places given out of this data set lie in, ascending, as an array of n the caller frees. */
int pack_needed(struct pack *p, struct dedup_archive **ret, size_t *ret_n, struct err *err);
uint64_t pack_next_archive(const struct pack *p);
/* Which run published the archive of a place that was given out: dedup_archive.run. */
uint64_t pack_run_of(const struct pack *p, uint64_t number);
struct liveness *pack_liveness(const struct pack *p);
/* Archives published of this data set. */
const struct dedup_archive *pack_published(const struct pack *p, size_t *ret_n);
/* Bytes of content that were new in this data set. */
uint64_t pack_new_bytes(const struct pack *p);

#endif
