/* disc_stage: what a disc carries beside archives and generations, made in the folder `disc/` of the state folder: identity, public files and keys of
 * the repository, README.txt, tools/, procedures/, a copy of the journal.
 *
 * disc_stage_open() → disc_stage_list() → … → disc_stage_close(), which takes the folder away; what a dead process left there is taken away by
 * the next open.  Nothing in it is the only copy of anything.
 *
 * Errors: E-DISC-09; those of medium_w, medium_docs, vault_w.
 */
#ifndef BKP_WRITE_DISC_DISC_STAGE_H
#define BKP_WRITE_DISC_DISC_STAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/journal/journal.h"
#include "write/media/journal_copies.h"
#include "write/media/medium_docs.h"

struct disc_item;
struct disc_list;
struct err;
struct json_t;
struct medium;
struct policy;
struct state;

struct disc_stage {
	struct state *state;
	const struct policy *policy;
	struct medium_docs_sources docs;
	const char *label;	       /* of the medium */
	const struct disc_item *items; /* what comes onto it, n of them */
	size_t n;
	/* what comes of it: */
	char path[4096];   /* of the folder that becomes the disc; "" until it is there */
	char folder[4096]; /* above it: for disc_burn() */
	char uuid[JOURNAL_UUID];
	struct medium *medium;
	struct journal_copies_mark mark; /* how far the copy of the journal goes */
	struct err docs_why;		 /* papers that could not be brought, or code "" */
};

/* Bytes, about, that it will come to on the disc. */
uint64_t disc_stage_reserve(const struct state *state, const struct medium_docs_sources *docs);

/* The medium is registered; `members`: the rest of its medium-added record, consumed.  0, -1: when s->uuid is set the medium stands in the
 * journal. */
int disc_stage_open(struct disc_stage *s, struct json_t *members, struct err *err)
    __attribute__((warn_unused_result));
/* Its files, with their SHA-256. */
int disc_stage_list(const struct disc_stage *s, struct disc_list *l, struct err *err)
    __attribute__((warn_unused_result));
void disc_stage_close(struct disc_stage *s);

#endif
