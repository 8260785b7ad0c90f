/* medium_repair: what is damaged on a medium is written again: what belongs to no generation from this host,
 * archives from their parity, archives and documents of generations from another medium that has them whole, archives block by block
 * from what is left of them on all.
 *
 * An archive is replaced in one step by one that is under tmp/ and whole (parity_mend.h, mirror.h), each byte hashed on its way.  A damaged
 * document goes (reap_damaged) when the good one is in memory: if the process dies between the two it
 * is missing instead of damaged, and the next medium_repair_run(), or the next run, brings it.  Parity that is missing or damaged
 * beside what is whole is made anew.  A generation
 * that is properly signed and yet not the one that was reported (E-VERIFY-12, -13), or another history in
 * place of the journal's copy, is the proof of something: it stays.  A copy of the journal that is only
 * damaged is kept beside the new one as journal/damaged-<records>.
 *
 * What was written is recorded ("repaired"), and each generation of which something was damaged is verified
 * again from the device and recorded ("verified", "verify-failed").
 *
 * Errors: in left(): E-MEND-01 no other attached medium holds it whole, E-MEND-02 it stays as the proof,
 * E-MEND-03 it could not be read: nothing is recorded of its generation.
 */
#ifndef BKP_WRITE_COPIES_MEDIUM_REPAIR_H
#define BKP_WRITE_COPIES_MEDIUM_REPAIR_H

#include <stddef.h>

#include "read/verify/inventory.h"

struct err;
struct medium;
struct medium_docs_sources;
struct policy;
struct state;

enum mend_how {
	MEND_HOST,    /* written again from what this host has */
	MEND_MEDIUM,  /* copied from another medium */
	MEND_PARITY,  /* from its parity on the same medium */
	MEND_SEVERAL, /* block by block from several media, none of which has it whole */
};
#define MEND_HOWS 4

struct mend {
	struct state *state;
	const struct policy *policy;
	struct medium *medium;
	const struct medium_docs_sources *docs;
	struct medium *const *sources; /* other attached media; `medium` itself is passed over */
	size_t n_sources;
	/* path from the medium's folder; from: the other medium's name, for MEND_MEDIUM */
	void (*mended)(void *arg, const char *path, enum mend_how how, const char *from);
	void (*left)(void *arg, const char *path, enum inventory_kind kind, const struct err *why);
	void *arg;
	const char *identity; /* its identity was written again to open it: the file's name; or NULL */
};

/* 0: whatever could be done was; -1: the medium cannot be written, or it cannot be recorded. */
int medium_repair_run(const struct mend *m, struct err *err) __attribute__((warn_unused_result));

#endif
