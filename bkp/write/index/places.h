/* places: which content lies where, for whoever must fill the index (write/index/dedup.h) again: the plaintext of places.age
 * (docs/format-writer.md).
 *
 * When an archive is published its places are written into the state folder's cache/places/<data set>/<number>
 * (places_keep()), and stay there until a generation that lists the archive is reported: that one's places.age carries them
 * (places_gather(), places_reported()).  When that generation expires they come back here (write/expire), and into the next one.
 * So every archive is in one places.age at least, unless the cache was lost between.  At most
 * GENERATION_PLACES_MAX bytes go into one: the rest waits for the next generation.
 *
 * A text:
 *     bkp-places 1 <repository> <data set> <generation>
 *     archive <number> <sha256> <size> <index_sha256> <generation for which it was made>
 *     <id> <chunk> <offset> <length> <"w": a chunk of its own, or "s": a slice of a bundle>        one line for each content of it
 *     …
 *     end <number of archives>
 * id: the first 16 bytes of the content id, as 32 hex digits.
 *
 * Encrypted to the people's recipients and to the host's index key, which opens ids and places, never content.  That key follows
 * from the key of chunk ids, which the host has anyway (places_identity()).
 *
 * Errors: E-PLACES-01 malformed (line named), E-PLACES-02 of another repository, data set or generation.
 */
#ifndef BKP_WRITE_INDEX_PLACES_H
#define BKP_WRITE_INDEX_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "write/index/dedup.h"

struct age_identity;
struct buf;
struct err;
struct generation_id;

/* cachefd: the state folder's cache/.  Best effort: what is not kept is not in places.age, and stored again by who fills the index
 * from it. */
void places_keep(int cachefd, const char *dataset, const struct dedup_archive *a,
    const struct dedup_entry *entries, size_t n);
/* Appends the plaintext to `out` (ceiling GENERATION_PLACES_MAX): of those of the archives whose places are kept.  *ret: their
 * numbers, *ret_n of them, the caller's to free. */
int places_gather(int cachefd, const struct generation_id *id, const struct dedup_archive *archives, size_t n,
    struct buf *out, uint64_t **ret, size_t *ret_n, struct err *err) __attribute__((warn_unused_result));
/* They are reported. */
void places_reported(int cachefd, const char *dataset, const uint64_t *numbers, size_t n);

/* Those of archives that nothing may refer to (dedup_run_of()) go: no generation will list them again. */
void places_forget(int cachefd, const char *dataset, const struct dedup *d);

/* Reads a plaintext: calls fn for each archive with what is in it. */
typedef int places_fn(
    void *arg, const struct dedup_archive *a, const struct dedup_entry *entries, size_t n, struct err *err);
int places_read(const struct buf *plain, const struct generation_id *id, places_fn *fn, void *arg,
    struct err *err) __attribute__((warn_unused_result));

void places_identity(const uint8_t chunk_id_key[DIGEST_LEN], struct age_identity *ret);

#endif
