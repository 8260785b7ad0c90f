/* canary: files that bkp makes among a data set's own, and that nobody ever changes: who does is seen the same night.
 *
 *     canary_sites()  (canary_site.h)  where, called what, made like which neighbour
 *     canary_place()  makes them      canary_read()  what is there now must be like that      canary_remove()
 *
 * Their paths may name patients, so they stand in the state folder alone, canaries/DATASET, mode 0600; the journal has their numbers,
 * the SHA-256 of each content, and that of the list, which begins with a salt: nobody guesses a path by it.
 *
 * A change of the list is a transaction of four steps:
 *   1. the list to come is written, canaries/DATASET.new
 *   2. (placing) the files are made, under free names, never replacing any
 *   3. the record, which has the hash of the list to come: from here on it is the list
 *   4. settle(): files of the other list alone are removed, if their content is what that list says; the list takes its name
 * If the process dies before 3, or it is not known whether 3 came to be, the next command's settle() looks at the journal and removes
 * what 2 made, or does 4.
 *
 * Errors: E-GUARD-04 a canary cannot be made, E-GUARD-05 the list is not the one that the journal has.
 */
#ifndef BKP_WRITE_CANARY_CANARY_H
#define BKP_WRITE_CANARY_CANARY_H

#include <stddef.h>
#include <stdint.h>

#include "format/crypto/digest.h"

struct canary_site;
struct err;
struct ledger;
struct state;

struct canary {
	uint64_t number;
	char sha256[DIGEST_HEX]; /* of its content */
	char *path;		 /* absolute; none of its folders was a symbolic link */
};

struct canary_list {
	struct canary *all;
	size_t n;
};
void canary_list_free(struct canary_list *list);

/* Those of the data set, by the list that the journal signs for, in the state folder statefd.  0; CANARY_NONE: there are none; CANARY_LOST: the
 * list is gone, or another (E-GUARD-05 in err); -1. */
#define CANARY_NONE 1
#define CANARY_LOST 2
int canary_read(int statefd, const struct ledger *l, const char *dataset, struct canary_list *ret,
    struct err *err) __attribute__((warn_unused_result));

/* SHA-256 of what is there as hex, of the first 16 MiB; "": no regular file is.  -1: it cannot be read: errno. */
int canary_hash(const char *path, char ret[DIGEST_HEX]) __attribute__((warn_unused_result));

/* All of them, or none. */
int canary_place(struct state *s, const char *dataset, const struct canary_site *sites, size_t n,
    const char *person, struct err *err) __attribute__((warn_unused_result));
/* All of the data set.  What somebody has changed stays where it is, and is no canary any more. */
int canary_remove(struct state *s, const char *dataset, const char *person, struct err *err)
    __attribute__((warn_unused_result));

#endif
