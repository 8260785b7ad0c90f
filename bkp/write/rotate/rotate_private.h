/* rotate_private: what the files of the rotation share; see rotate.h. */
#ifndef BKP_WRITE_ROTATE_ROTATE_PRIVATE_H
#define BKP_WRITE_ROTATE_ROTATE_PRIVATE_H

#include "format/journal/journal.h"
#include "write/media/device.h"
#include "write/media/journal_copies.h"
#include "write/media/replaced.h"
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
	struct refill_source *sources; /* open */
	size_t n_sources;
};

/* rotate_find.c: step 0 */
int rotate_find(struct rotate *ro, struct err *err);
int rotate_open(struct rotate *ro, struct err *err);
int rotate_open_sources(struct rotate *ro, struct err *err);
/* From here on something is recorded and written. */
int rotate_begin(struct rotate *ro, struct err *err);

/* rotate_copies.c: steps 2 to 4 */
int rotate_refill(struct rotate *ro, struct err *err);
int rotate_recheck(struct rotate *ro, struct err *err);
int rotate_seal(struct rotate *ro, struct err *err);
/* What the journal now says of the medium. */
void rotate_tally(struct rotate *ro);

/* The medium failed on the way: what and what to do. */
int rotate_failed(const struct rotate *ro, const struct err *why, struct err *err);

#endif
