/* version: what an entry is at one time, to be held against what it is at another: of a generation, or of a folder on disk.
 *
 * Two captures of an unchanged file are one version, wherever its bytes lie.  Attributes (extended ones, access control lists, file flags)
 * go by a digest.  Errors: E-MEM-01.
 */
#ifndef RESTORE_LOOK_VERSION_H
#define RESTORE_LOOK_VERSION_H

#include <stdbool.h>
#include <stddef.h>

#include "format/crypto/digest.h"
#include "restore/app/output.h"

struct catalog_item;
struct err;

struct version {
	struct output_entry e;
	const char *target; /* of a symbolic link, also of a further name of one; else NULL */
	char kind;	    /* e.letter, of a hard link that of what it is a name of */
	bool
	    has_sha256; /* content is the SHA-256 of the content; else of its extents (more than 1 GiB of holes) */
	bool has_acl;		     /* which says more than the mode's bits of the group */
	uint8_t content[DIGEST_LEN]; /* zeros: there is none */
	uint8_t attributes[DIGEST_LEN];
};

/* Strings are the item's. */
int version_of(const struct catalog_item *item, struct version *ret, struct err *err)
    __attribute__((warn_unused_result));
/* A copy in one piece, with path; free(3) it.  *ret_bytes (or NULL) grows by its size.  NULL: out of memory. */
struct version *version_copy(const struct version *v, size_t *ret_bytes);

enum version_part {
	VERSION_KIND = 1, /* file, folder, link …; of a device: which */
	VERSION_CONTENT = 2,
	VERSION_LINK = 4,
	VERSION_MODE = 8,
	VERSION_OWNER = 16,
	VERSION_TIME = 32,
	VERSION_ATTRIBUTES = 64,
	VERSION_CAPTURE = 128, /* could be read now and not then, or the like */
};
/* enum version_part: what differs; 0: the same. */
unsigned version_differs(const struct version *a, const struct version *b);
/* "content, time" in the reader's language, or as words of JSON: "content","time". */
void version_print_parts(unsigned parts, bool json);
/* ,"sha256":"…" where there is one */
void version_print_sha256(const struct version *v);

#endif
