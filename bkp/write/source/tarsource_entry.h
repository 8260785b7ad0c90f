/* tarsource_entry: what a tar stream says of an entry, as a catalog can hold it; see tarsource.h.  Pure. */
#ifndef BKP_WRITE_SOURCE_TARSOURCE_ENTRY_H
#define BKP_WRITE_SOURCE_TARSOURCE_ENTRY_H

#include <stddef.h>

struct archive_entry;
struct buf;

enum tarsource_name {
	TARSOURCE_INSIDE,
	TARSOURCE_TOP,	   /* nothing is left of it: "." or "/" */
	TARSOURCE_OUTSIDE, /* it has "..", or none was given */
	TARSOURCE_LONG,	   /* more than out holds */
};

/* The name as an entry path into out, NUL-terminated: without '/' in front and behind, without empty and "."
 * components. */
enum tarsource_name tarsource_path(const char *name, struct buf *out);

/* Owners, mode, type, target, attributes within what a catalog holds; names of attributes as they are on
 * disk, once each.  *ret_weight: bytes of attributes.  0; 1: some attribute cannot be kept; -1: it is nothing
 * that can be stored. */
int tarsource_clean(struct archive_entry *e, const char *name, size_t *ret_weight);

#endif
