/* medium_docs_private: what the files of medium_docs share; see medium_docs.h. */
#ifndef BKP_WRITE_MEDIA_MEDIUM_DOCS_PRIVATE_H
#define BKP_WRITE_MEDIA_MEDIUM_DOCS_PRIVATE_H

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>

#include "base/buf.h"
#include "write/media/medium_docs.h"

#define MEDIUM_DOCS_SUMS "SHA256SUMS"

/* One call of medium_docs_put(). */
struct medium_docs {
	struct state *state;
	const struct policy *policy;
	const struct medium *medium;
	const struct medium_docs_sources *from;
	struct medium_docs_result *ret;
	struct replaced *replaced; /* or NULL */
	struct err *why;	   /* of the first thing that could not be brought; or NULL */
	bool faulty;		   /* why is set */
	bool sealed_tools;	   /* tools/ is there with its signature */
	json_t *listed;		   /* the lists as they stand there, for the record */
	struct buf vouched;  /* the lists of the current folder that this repository wrote; terminated */
	char procedure[256]; /* name of the first procedure that is there, "NAME.md", or "" */
};

/* Something that should be brought cannot be: the first one is what people are told. */
void medium_docs_miss(struct medium_docs *d, const struct err *why);

/* Papers are in folders by kind: MEDIUM_DOCS_TOOLS, MEDIUM_DOCS_PROCEDURES, MEDIUM_DOCS_POLICY, "readme" (the medium's own). */

/* A file that the list of its folder names has these bytes and this mode when it returns: replaced whole when it
 * had others.  The list was announced. */
int medium_docs_listed(const struct medium_docs *d, const char *kind, const char *name, mode_t mode,
    const void *p, size_t n, struct err *err);
/* The same with its signature NAME.minisig, made for `kind`. */
int medium_docs_signed(const struct medium_docs *d, const char *kind, const char *name, const void *p,
    size_t n, struct err *err);
/* What the list in the folder will be, on the medium before the first of its files is replaced: until
 * medium_docs_seal() has returned, a reader holds these files against both (docs/format-writer.md, section 10).  The
 * folder is there. */
int medium_docs_announce(struct medium_docs *d, const char *kind, const struct buf *sums, struct err *err);
/* SHA256SUMS and its signature. */
int medium_docs_seal(const struct medium_docs *d, const char *kind, const struct buf *sums, struct err *err);
/* err of the medium: E-DOCS-01. */
int medium_docs_cannot(const struct medium_docs *d, struct err *err);

int medium_docs_procedures(struct medium_docs *d, struct err *err);
int medium_docs_policies(struct medium_docs *d, struct err *err);
int medium_docs_readme(const struct medium_docs *d, struct err *err);

#endif
