/* rotate_private: what the files of the rotation share; see rotate.h. */
#ifndef BKP_WRITE_ROTATE_ROTATE_PRIVATE_H
#define BKP_WRITE_ROTATE_ROTATE_PRIVATE_H

#include "format/journal/journal.h"
#include "write/media/device.h"
#include "write/media/journal_copies.h"
#include "write/media/replaced.h"
#include "write/media/strangers.h"
#include "write/rotate/rotate.h"

struct medium;
struct readback;
struct vault_w;

struct rotate {
	const struct rotate_config *cfg;
	struct rotate_result *ret;
	char uuid[JOURNAL_UUID];
	struct device device;
	struct medium *medium;
	struct vault_w *vault;
	struct readback *readback;
	struct journal_copies_finding finding;
	struct replaced replaced;
	struct strangers *strangers;
	struct refill_source *sources; /* open */
	size_t n_sources;
};

/* rotate_find.c: step 0 */
int rotate_find(struct rotate *ro, struct err *err);
/* Of what rotate_find() found; nothing is written. */
int rotate_prove(struct rotate *ro, struct err *err);
/* For writing. */
int rotate_open(struct rotate *ro, struct err *err);
/* From here on something is recorded and written. */
int rotate_begin(struct rotate *ro, struct err *err);

/* rotate_turn.c: part of step 0; the refusal itself: which of two goes, and where to. */
int rotate_turn(struct rotate *ro, struct err *err);
int rotate_turn_two(
    const struct policy_medium *goes, const struct policy_medium *stays, const char *place, struct err *err);

/* rotate_return.c: what is believed of it, in step 0.  Is no other disk with its identity attached? */
int rotate_alone(const struct rotate *ro, struct err *err);
/* Does it know what it was given, and nothing that this host does not? */
int rotate_believed(struct rotate *ro, struct err *err);
/* What was found so, and what a person decided on it. */
int rotate_record_return(struct rotate *ro, struct err *err);
/* Which files on it are not ours; once its repository is whole. */
int rotate_look_around(struct rotate *ro, struct err *err);
/* The same as far as it goes, where it is full: whose files fill it?  false: of nobody else. */
bool rotate_filled_by(const struct rotate *ro, char out[STRANGERS_BESIDE]);

/* rotate_copies.c: steps 2 to 4 */
int rotate_refill(struct rotate *ro, struct err *err);
int rotate_recheck(struct rotate *ro, struct err *err);
int rotate_seal(struct rotate *ro, struct err *err);
/* What the journal now says of the medium. */
void rotate_tally(struct rotate *ro);

/* The medium failed on the way: what and what to do. */
int rotate_failed(const struct rotate *ro, const struct err *why, struct err *err);

#endif
