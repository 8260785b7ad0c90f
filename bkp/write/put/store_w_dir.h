/* store_w_dir: puts files into a folder of a mounted file system.
 *
 * Every file is made under tmp/ and named by a rename that replaces nothing; the rename is the commit point.
 * store_w_replace() writes beside the file, under ".NAME.tmp".  Frozen is the immutable flag.
 */
#ifndef BKP_WRITE_PUT_STORE_W_DIR_H
#define BKP_WRITE_PUT_STORE_W_DIR_H

#include "write/put/store_w.h"

extern const struct store_w_kind store_w_dir;

/* Folders in tmp/ of this name and a generation's number are those that left (write/reap/store_x.h); they are
 * not cleared. */
#define STORE_W_DIR_TMP	    "tmp"
#define STORE_W_DIR_EXPIRED "expired-"

#endif
