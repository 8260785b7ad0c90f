/* store_w_dir: puts files into a folder of a mounted file system.
 *
 * Every file is made under tmp/ and named by a rename that replaces nothing; the rename is the commit point.
 * What needs no handle, store_w_add() and store_w_replace(), writes beside the file, under ".NAME.tmp".  Frozen is the immutable flag.
 */
#ifndef BKP_WRITE_PUT_STORE_W_DIR_H
#define BKP_WRITE_PUT_STORE_W_DIR_H

#include "format/medium/generation.h"
#include "write/put/store_w.h"

extern const struct store_w_kind store_w_dir;

/* Folders in tmp/ of this name, "expired-emr-000042", are generations that left (write/reap/store_x.h); they are
 * not cleared. */
#define STORE_W_DIR_TMP	    "tmp"
#define STORE_W_DIR_EXPIRED "expired-"
bool store_w_dir_is_expired(const char *name, char ret_dataset[GENERATION_NAME], uint64_t *ret_number);

#endif
