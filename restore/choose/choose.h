/* choose: which generation of a data set is meant, of those on the first medium: the newest that suits.
 *
 * By its number any that can be opened; otherwise only one of which no file is missing.
 *
 * Errors: E-DRILL-04 that one is not on the medium, or not usable, E-DRILL-05 of the data set there is none, E-DRILL-06 none of it suits,
 * E-DRILL-26 no journal at hand says which are suspect.
 */
#ifndef RESTORE_CHOOSE_CHOOSE_H
#define RESTORE_CHOOSE_CHOOSE_H

#include <stdbool.h>
#include <stdint.h>

#include "format/medium/selector.h"

struct app;
struct err;

struct choose {
	struct selector sel; /* with its data set */
	uint64_t below;	     /* ≠ 0: a lower number only */
	int64_t before_ns;   /* ≠ 0: begun before that */
	/* Only what was captured before the first generation that the guard suspects and nobody accepted, and is itself not out of the
	 * ordinary, as the journal at hand says; and, where app->known_bad names a list (this needs identities), before the first that holds
	 * a file of it. */
	bool not_suspect;
	bool random; /* not the newest, but any of those that suit: by `draw` */
	uint64_t draw;
};
int choose_generation(struct app *app, const struct choose *c, uint64_t *ret, struct err *err)
    __attribute__((warn_unused_result));

#endif
