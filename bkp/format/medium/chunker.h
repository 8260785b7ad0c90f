/* chunker: content-defined cutting, FastCDC-style (Xia et al., USENIX ATC 2016): a gear hash with normalised
 * chunking.
 *
 * The gear table is derived from the repository's secret seed, so that cut points tell an outsider nothing
 * about known files (eprint 2025/532).  Pure and deterministic: same seed and bytes, same cuts, however the
 * bytes are handed in.
 */
#ifndef BKP_FORMAT_MEDIUM_CHUNKER_H
#define BKP_FORMAT_MEDIUM_CHUNKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHUNKER_MIN  262144u
#define CHUNKER_AVG  1048576u
#define CHUNKER_MAX  4194304u
#define CHUNKER_SEED 32

struct chunker;
struct chunker *chunker_new(const uint8_t seed[CHUNKER_SEED]); /* NULL: out of memory */
/* Length of the first chunk of p[0..n).  Give at least CHUNKER_MAX bytes, or all that is left of the file:
 * then the result is final.  n ≥ 1; the result is 1…min(n, CHUNKER_MAX). */
size_t chunker_cut(const struct chunker *c, const void *p, size_t n);
/* The same, piece by piece: 0 as long as the first n bytes do not decide; then more bytes are to be put
 * behind them and the same state given again.  Zero the state to begin a chunk.  last: nothing follows the n
 * bytes. */
struct chunker_state {
	size_t at;
	uint64_t hash;
};
size_t chunker_more(const struct chunker *c, struct chunker_state *s, const void *p, size_t n, bool last);
void chunker_free(struct chunker *c);

#endif
