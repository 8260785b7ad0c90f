/* pack_config: what pack and the sealer behind it work with: keys, media, sizes.  Pure data, filled by who begins a run.
 */
#ifndef BKP_WRITE_PACK_PACK_CONFIG_H
#define BKP_WRITE_PACK_PACK_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct age_random;
struct age_recipient;
struct dedup;
struct hmac;
struct liveness;
struct timings;
struct vault_w;

/* A medium.  Between two data sets they may be changed by who owns them. */
struct pack_sink {
	struct vault_w *vault; /* borrowed */
	bool elsewhere;	       /* it does not hold this data set */
	bool failed;
	struct err why;
};

struct pack_config {
	const char *repository;
	const struct age_recipient *recipients;
	size_t n_recipients;
	const struct age_random *random;
	struct hmac *ids;	 /* content ids; borrowed */
	struct dedup *dedup;	 /* borrowed */
	int cachefd;		 /* the state folder's cache/, for places.h; borrowed */
	struct pack_sink *sinks; /* borrowed */
	size_t n_sinks;
	struct timings *timings;   /* or NULL */
	uint64_t generation;	   /* number of the run: recorded with each archive */
	struct liveness *liveness; /* borrowed, or NULL: who stores a block or a list tells it (liveness.h) */
};

#endif
