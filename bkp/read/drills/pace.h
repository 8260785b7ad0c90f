/* pace: how fast each data set came back from each medium, drill by drill: seconds per GB (10^9 bytes).
 *
 * Pure: the fold of the journal.  What was brought back in a drill or a recovery counts whatever became of its other steps; less than
 * PACE_LEAST bytes does not, for the beginning and the end would be most of it.  A medium is told by its identity, one without (a copy)
 * by its label.  Nothing is predicted from it: who plans sees all that was measured.
 */
#ifndef BKP_READ_DRILLS_PACE_H
#define BKP_READ_DRILLS_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct ledger;

#define PACE_LEAST   10000000 /* bytes */
#define PACE_SLOWER  1.5      /* times the median of those before */
#define PACE_FORMERS 2	      /* fewer before it tell nothing */

struct pace {
	const char *dataset, *uuid, *label; /* uuid, label: of the medium; "" where it has none */
	int64_t at_ns;
	double s_per_gb;
	double
	    former; /* the median of all before it, of that data set from that medium; 0: fewer than PACE_FORMERS */
	bool slower;
	bool newest; /* of that data set from that medium */
};

/* By data set, medium and time; the texts are the ledger's.  The caller's: free(). */
int pace_list(const struct ledger *l, struct pace **ret, size_t *ret_n, struct err *err)
    __attribute__((warn_unused_result));

#endif
