/* reported: what a copy of the journal says of a generation: the medium's own, or another one.
 *
 * A signature proves who signed, not when.  Whoever has got hold of today's key cannot alter the journal's
 * records of former runs, so an old generation that was signed again contradicts them.  The copy was written
 * when the medium was last attached to the host; it says nothing of later times, and a medium may lack it.
 *
 * All records are checked from the first on; memory does not grow with the journal.
 */
#ifndef BKP_READ_VERIFY_REPORTED_H
#define BKP_READ_VERIFY_REPORTED_H

#include <stdint.h>

#include "base/err.h"
#include "read/verify/verify.h"

struct store_file;
struct vault_r;

enum reported_state {
	REPORTED_YES,	 /* `record` is what it must be */
	REPORTED_ABSENT, /* the medium carries no journal */
	REPORTED_NOT,	 /* the journal knows the number, but not that it was reported */
	REPORTED_LATER,	 /* the journal ends before this generation was begun */
	REPORTED_BROKEN, /* the journal is damaged or forged (why); what stands before that counts */
};

struct reported {
	enum reported_state state;
	struct verify_record record; /* when it is known, also of REPORTED_BROKEN */
	bool known;
	bool torn;		   /* bytes without an end of line follow the last one */
	uint64_t head;		   /* records of the copy that were checked */
	uint32_t period, revision; /* the newest of which it says who holds keys; 0: those of the beginning */
	uint32_t segment;	   /* where what stands after them begins; 0: it is no row of segments */
	struct err why;
};

/* The medium's own.  0; -1: out of memory. */
int reported_look(const struct vault_r *v, const char *dataset, uint64_t number, struct reported *ret,
    struct err *err) __attribute__((warn_unused_result));
/* The open journal, read from where it stands; the medium's root key must have signed its beginning. */
int reported_look_in(const struct vault_r *v, struct store_file *journal, const char *dataset,
    uint64_t number, struct reported *ret, struct err *err) __attribute__((warn_unused_result));
/* W-VAULT-11: why the journal of `where` does not vouch for the generation; not of REPORTED_YES.  Returns -1.
 */
int reported_why(const struct reported *r, const char *where, struct err *err);

#endif
