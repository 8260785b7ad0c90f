/* inventory: every file on a medium that belongs to no generation: is it what it must be?  And what stands
 * there that does not belong there?
 *
 * From the medium alone: signatures, the lists in tools/ and procedures/, the hash of repository.age that
 * repository.json names, the chains of keys.jsonl and of the journal.  Each byte of these files is covered.
 * Read-only.
 *
 * Errors, as faults: E-VERIFY-15 damaged or forged, E-VERIFY-17 missing, W-VERIFY-16 not of this program,
 * E-VERIFY-03 it cannot be read.
 */
#ifndef BKP_READ_VERIFY_INVENTORY_H
#define BKP_READ_VERIFY_INVENTORY_H

#include <stdbool.h>

struct err;
struct store;
struct vault_r;

enum inventory_kind {
	/* for people, or to compare with: a restore can do without it; and what is foreign */
	INVENTORY_TEXT = 1,
	INVENTORY_NEEDED, /* a restore may need it */
	INVENTORY_UNREAD, /* nothing is known of it */
};

/* `file`: path from the medium's folder. */
typedef void inventory_fn(void *arg, const char *file, enum inventory_kind kind, const struct err *why);

/* Calls fn for each fault.  medium: what `v` lies on.  complete: what bkp always
 * writes is missed where it is not there (a copy of some of a medium's files need not have it, but for the
 * signature of a text and the list of a folder that are there).  0, -1. */
int inventory_check(const struct store *medium, const struct vault_r *v, bool complete, inventory_fn *fn,
    void *arg, struct err *err) __attribute__((warn_unused_result));

/* What stands there that does not belong there, and nothing else: why->kind is ERR_FOREIGN.  Names are judged by their
 * form; a folder that is not known is named and not entered.  0, -1. */
int inventory_foreign(const struct store *medium, const struct vault_r *v, inventory_fn *fn, void *arg,
    struct err *err) __attribute__((warn_unused_result));
/* A name that a system makes on each disk, or one that anybody may use ("x-…"). */
bool inventory_is_anybodys(const char *name);

#endif
