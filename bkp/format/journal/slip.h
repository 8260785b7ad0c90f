/* slip: what records that people carry here from another computer may say: the use of a key (use_slip.h), a drill, a recovery
 * (drill_slip.h).  They come from who knows whom, and the journal keeps what they say: each member is held to its kind first.
 *
 * Pure. */
#ifndef BKP_FORMAT_JOURNAL_SLIP_H
#define BKP_FORMAT_JOURNAL_SLIP_H

#include <stdbool.h>
#include <stddef.h>

#include "format/journal/journal.h"

struct json_t;

#define SLIP_TEXT 1024 /* bytes of a text, NUL included */

typedef bool slip_is_fn(const struct json_t *v);
/* A text without control characters; one that is not empty; …_opt: or null. */
slip_is_fn slip_is_line, slip_is_word, slip_is_line_opt, slip_is_uuid, slip_is_uuid_opt, slip_is_time,
    slip_is_time_opt;
/* A number from 0; 64 hex digits; the name of a data set. */
slip_is_fn slip_is_count, slip_is_count_opt, slip_is_sha256, slip_is_dataset, slip_is_boolean;

struct slip_member {
	const char *name;
	slip_is_fn *is;
};
/* NULL, or the name of the first of n members that is wrong or missing. */
const char *slip_wrong(const struct slip_member *m, size_t n, const struct json_t *o);
/* "format" 1, that "kind", a "repository", which is copied.  NULL, or the name of the first that is wrong. */
const char *slip_wrong_head(const struct json_t *o, const char *kind, char ret_repository[JOURNAL_UUID]);

#endif
