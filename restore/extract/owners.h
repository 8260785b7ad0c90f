/* owners: who owns here what a catalog says of another machine.
 *
 * owners_new → owners_here for each entry → owners_strangers → owners_free.  One thread.  Names are looked up in /etc/passwd and
 * /etc/group themselves, so a static program needs nothing else; what only a directory service knows is not found.
 *
 * A name that is here decides; else the number stays, and the name is remembered.  Number 0 is never looked up and no name leads to
 * 0, for neither a medium nor a map makes somebody root.  The map of --owner-map comes before names.  `ret_other`: it belongs to
 * somebody else now than whom it was captured of, so it must not act with his rights (setuid).  With `numeric` numbers stay, and are taken for
 * the same people: it is for the disk of another system.
 *
 * Errors: E-OWNER-01 /etc/passwd or /etc/group cannot be read, E-OWNER-02 the map cannot be read, E-OWNER-03 a line of it (FILE:LINE).
 */
#ifndef RESTORE_EXTRACT_OWNERS_H
#define RESTORE_EXTRACT_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum owners_kind { OWNERS_USER, OWNERS_GROUP };

struct owners;
/* map: a file's path, or NULL. */
int owners_new(bool numeric, const char *map, struct owners **ret, struct err *err)
    __attribute__((warn_unused_result));
void owners_free(struct owners *o);
/* The number here.  name: as it was captured; NULL or "": it had none. */
uint32_t owners_here(struct owners *o, enum owners_kind kind, const char *name, uint32_t id, bool *ret_other);

struct owners_stranger {
	enum owners_kind kind;
	const char *name;   /* is not here */
	uint32_t id;	    /* so that number owns */
	const char *holder; /* whose it is here; NULL: nobody's */
};
#define OWNERS_STRANGERS 100
/* Names that were not found, each once, in the order in which they came; OWNERS_STRANGERS of them at most. */
size_t owners_strangers(const struct owners *o, const struct owners_stranger **ret);

#endif
