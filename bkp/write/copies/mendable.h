/* mendable: a damaged archive: could 'bkp repair' make it whole, with the media that are attached, and from what?  Changes nothing. */
#ifndef BKP_WRITE_COPIES_MENDABLE_H
#define BKP_WRITE_COPIES_MENDABLE_H

#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"
#include "write/copies/medium_repair.h"

struct medium;

enum mendable {
	MENDABLE_WHOLE, /* it is not damaged */
	MENDABLE,	/* *ret_how; of MEND_MEDIUM *ret_from is the other medium's name */
	MENDABLE_LOST,
};

/* media[0]: where it is damaged; the others are those that are attached besides. */
enum mendable mendable_look(const struct medium *const *media, size_t n, const char *dataset,
    const uint8_t sha256[DIGEST_LEN], enum mend_how *ret_how, const char **ret_from);

#endif
