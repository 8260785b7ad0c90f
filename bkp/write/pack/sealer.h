/* sealer: turns chunks into archive files in the background: codec → ustar → age → SHA-256 → every medium.
 *
 * One thread seals jobs strictly in the order in which they were given, so that what is written does not
 * depend on timing or on the number of processors; others compress ahead of it.  A caller that finds the
 * queue full compresses too, instead of sleeping: two processors are enough to keep both busy.
 *
 *     sealer_new → { sealer_open → sealer_give … → sealer_close } for each archive, several streams side by side
 *         → sealer_published(wait) until it says 0 → sealer_free
 *
 * Calls belong to one thread.  A medium that fails is dropped (pack_sink.failed and why are set; read them
 * only after sealer_published(wait) has said 0 or an error).  When the last one fails every later call fails
 * with its reason. sealer_free() at any time: what was not published is discarded.
 *
 * Memory: SEALER_JOBS chunks, raw and compressed (≤ 8 MiB each), whatever the amount of data.
 * Errors: E-PACK-01 no medium is left, E-PACK-02 a thread cannot be started; those of codec, arcfile,
 * vault_w.
 */
#ifndef BKP_WRITE_PACK_SEALER_H
#define BKP_WRITE_PACK_SEALER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/medium/codec.h"

struct buf;
struct dedup_archive;
struct err;
struct pack_config;

#define SEALER_STREAMS 3
#define SEALER_JOBS    6

struct sealer;
/* threads: beside the caller's, 1 … 16; 0: as many as there are processors, less one, at least one. */
int sealer_new(const struct pack_config *cfg, unsigned threads, struct sealer **ret, struct err *err)
    __attribute__((warn_unused_result));
void sealer_free(struct sealer *s);

/* Begins archive `number` of the data set in a stream whose last one was closed; the name must live until that archive is published. */
int sealer_open(struct sealer *s, unsigned stream, const char *dataset, uint64_t number, struct err *err)
    __attribute__((warn_unused_result));
/* One chunk of 1 byte … 4 MiB.  raw's bytes become the sealer's, and raw gets another, empty buffer's.  id NULL:
 * whoever compresses the chunk computes it, with pack_config.ids. */
int sealer_give(struct sealer *s, unsigned stream, const uint8_t *id, enum codec_kind kind, struct buf *raw,
    struct err *err) __attribute__((warn_unused_result));
int sealer_close(struct sealer *s, unsigned stream, struct err *err) __attribute__((warn_unused_result));

/* The next archive that was published, in the order of closing: 1.  0: none yet, or with `wait` none
 * outstanding. -1. */
int sealer_published(struct sealer *s, bool wait, struct dedup_archive *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
