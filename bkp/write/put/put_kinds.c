/* The kinds of store that can be put into.  A table in a file of its own: a program that knows another kind
 * brings its own table. */
#include "write/put/store_w_dir.h"

const struct store_w_kind *const store_w_kinds[] = {&store_w_dir, NULL};
