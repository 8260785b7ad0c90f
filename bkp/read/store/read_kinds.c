/* store_open_place(): which kind of store a place is, by its name.  In a file of its own: a program that knows
 * another kind brings its own. */
#include "read/store/store_dir.h"

int store_open_place(const char *place, struct store *ret, struct err *err)
{
	return store_dir_open(place, ret, err);
}
