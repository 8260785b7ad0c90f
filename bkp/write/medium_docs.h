/* medium_docs: what a medium carries for people who have nothing but it: README.txt (Japanese and English),
 * tools/ (bkp-restore as a static program, rescue.py, FORMAT.md) and <repository-id>/procedures/ (each
 * procedure of the policy as Markdown and as a printable HTML form).
 *
 * Files are replaced only when their content is another; each appears whole (io_replace).  tools/ and
 * procedures/ carry SHA256SUMS and SHA256SUMS.minisig, signed by the repository: the hint in README.txt is to
 * check them before running anything.
 *
 * Errors: E-DOCS-01 cannot be written, E-DOCS-02 a procedure of the policy cannot be read or is not valid.
 */
#ifndef BKP_WRITE_MEDIUM_DOCS_H
#define BKP_WRITE_MEDIUM_DOCS_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct medium;
struct policy;
struct state;

#define MEDIUM_DOCS_README "README.txt"

struct medium_docs_sources {
	const char *tools;   /* folder with bkp-restore (static), rescue.py, FORMAT.md; NULL: none */
	const char *version; /* of this program */
};

struct medium_docs_result {
	bool tools;	       /* the static bkp-restore is on the medium */
	size_t procedures;     /* copied or up to date */
	size_t procedures_bad; /* those that could not be; err of the first in why is set */
};

/* 0 (see ret for what could not be brought), or -1: the medium cannot be written (err). */
int medium_docs_put(struct state *s, const struct policy *policy, const struct medium *m,
    const struct medium_docs_sources *from, struct medium_docs_result *ret, struct err *why, struct err *err);

#endif
