/* medium_docs: what a medium carries for people who have nothing but it: README.txt (Japanese and English),
 * tools/ (bkp-restore as a static program, rescue.py, FORMAT.md) and <repository-id>/procedures/ (each
 * procedure of the policy as Markdown and as a printable HTML form), <repository-id>/policy/ (the texts of the policies that
 * the journal names).
 *
 * Files are replaced only when their content is another; each appears whole (store_w_replace).  tools/ and
 * procedures/ carry SHA256SUMS and SHA256SUMS.minisig, signed by the repository: the hint in README.txt is to
 * check them before running anything.
 *
 * Only tools that this program was built with are brought, or that a person accepted (journal
 * "tools-accepted"): what was changed on this host gets no signature, and what stands in tools/ stays as it
 * is; so it does when one is there and cannot be read.  What a medium carries now is recorded when it is
 * something else than before (journal "documents").
 *
 * What stood there and is replaced was written by this repository when its signature, or the text announced
 * in NAME.next, says so; of a file in tools/ and procedures/ when such a list has its SHA-256, or does not
 * name it. Everything else that has content, or is no file, somebody else put there (replaced.h).
 *
 * Nothing is written through a link that stands on the medium.  Nothing is deleted: a file that is no longer
 * brought stays, without a line in SHA256SUMS.
 *
 * Errors: E-DOCS-01 cannot be written (-1).  In *why: E-DOCS-02 a procedure of the policy cannot be read, is
 * not valid or cannot have its name, E-DOCS-03 a tool cannot be read, E-DOCS-04 a tool is neither.
 */
#ifndef BKP_WRITE_MEDIA_MEDIUM_DOCS_H
#define BKP_WRITE_MEDIA_MEDIUM_DOCS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct medium;
struct policy;
struct replaced;
struct state;

#define MEDIUM_DOCS_README     "README.txt"
#define MEDIUM_DOCS_TOOLS      "tools"
#define MEDIUM_DOCS_PROCEDURES "procedures"
#define MEDIUM_DOCS_POLICY     "policy"

struct medium_docs_sources {
	const char *tools;   /* folder with bkp-restore (static), rescue.py, FORMAT.md; NULL: none */
	const char *version; /* of this program */
	const char *built;   /* SHA256SUMS of the tools that this program was built with; NULL: none */
	/* what is about to come onto the medium, and is not on record yet; NULL: nothing */
	bool (*coming)(const void *arg, const char *dataset, uint64_t number);
	const void *coming_arg;
	const char *about; /* what else README.txt says of this medium, at its end; NULL: nothing */
};

struct medium_docs_result {
	bool tools;	       /* the static bkp-restore is on the medium */
	size_t procedures;     /* copied or up to date */
	size_t procedures_bad; /* those that could not be */
};

/* SHA256SUMS of the tools in the folder, whatever they are. */
int medium_docs_tools(const char *folder, struct buf *ret_sums, struct err *err)
    __attribute__((warn_unused_result));

/* 0: *ret is filled, replaced (or NULL) has the files that were not what was written there, and why (or NULL)
 * is set when something could not be brought.  -1: the medium cannot be written (err). */
int medium_docs_put(struct state *s, const struct policy *policy, const struct medium *m,
    const struct medium_docs_sources *from, struct medium_docs_result *ret, struct replaced *replaced,
    struct err *why, struct err *err);

#endif
