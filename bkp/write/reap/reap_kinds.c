/* The kinds of store that can be removed from.  A table in a file of its own: a program that knows another kind
 * brings its own table. */
#include "write/reap/store_x_dir.h"

const struct store_x_kind *const store_x_kinds[] = {&store_x_dir, NULL};
