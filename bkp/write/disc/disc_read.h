/* disc_read: a disc is read back from the device, from its first byte to its last, and compared.
 *
 * ISO 9660 is read here, through libarchive, not by the kernel: no mount, and the same on a host whose kernel lacks it.  Each file must be one of
 * the list, have its bytes (SHA-256), and none may be missing; on the way everything that was read goes into the SHA-256 of the image.
 *
 * Errors: E-DISC-08 what is there is not what was to be there (which file), E-DISC-02 the device cannot be read.
 */
#ifndef BKP_WRITE_DISC_DISC_READ_H
#define BKP_WRITE_DISC_DISC_READ_H

#include <stdint.h>

#include "format/crypto/digest.h"

struct disc_list;
struct err;

struct disc_read {
	const char *path;
	struct disc_list *files; /* is sorted by their paths on the disc */
	void (*progress)(void *arg, uint64_t done, uint64_t total);
	void *arg;
	/* what comes of it: */
	uint64_t bytes; /* of the image, as its descriptor says */
	uint8_t sha256[DIGEST_LEN];
};
int disc_read(struct disc_read *r, struct err *err) __attribute__((warn_unused_result));

#endif
