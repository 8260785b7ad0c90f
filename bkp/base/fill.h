/* fill: a text with places for values, "@NAME@".  An '@' that begins no name of a value is an ordinary character.
 *
 * The text is ours (a file linked into the program); the values may be anybody's.  Errors: those of `put`, of buf. */
#ifndef BKP_BASE_FILL_H
#define BKP_BASE_FILL_H

#include <stddef.h>

struct buf;
struct err;

struct fill_value {
	const char *name, *value;
};

/* Appends the value, escaped as the text needs it. */
typedef int fill_put_fn(const struct fill_value *v, struct buf *out, struct err *err);

/* put NULL: values as they are. */
int fill_text(const char *p, size_t n, const struct fill_value *values, size_t n_values, fill_put_fn *put,
    struct buf *out, struct err *err) __attribute__((warn_unused_result));

#endif
