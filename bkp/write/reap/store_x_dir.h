/* store_x_dir: removes files from a folder of a mounted file system. */
#ifndef BKP_WRITE_REAP_STORE_X_DIR_H
#define BKP_WRITE_REAP_STORE_X_DIR_H

#include "write/reap/store_x.h"

extern const struct store_x_kind store_x_dir;

#endif
