/* fill: see fill.h. */
#include "base/fill.h"

#include <string.h>

#include "base/buf.h"

static const struct fill_value *value_at(
    const char *at, const char *end, const struct fill_value *values, size_t n_values)
{
	for (size_t i = 0; i < n_values; i++) {
		size_t len = strlen(values[i].name);

		if ((size_t)(end - at) > len + 1 && !memcmp(at + 1, values[i].name, len) &&
		    at[len + 1] == '@')
			return &values[i];
	}
	return NULL;
}

int fill_text(const char *p, size_t n, const struct fill_value *values, size_t n_values, fill_put_fn *put,
    struct buf *out, struct err *err)
{
	const char *end = p + n;

	while (p < end) {
		const char *at = memchr(p, '@', (size_t)(end - p));
		const struct fill_value *v = at ? value_at(at, end, values, n_values) : NULL;
		const char *to = !at ? end : v ? at : at + 1;

		if (buf_append(out, p, (size_t)(to - p), err))
			return -1;
		if (v && (put ? put(v, out, err) : buf_puts(out, v->value, err)))
			return -1;
		p = v ? at + strlen(v->name) + 2 : to;
	}
	return 0;
}
