/* signs: what the files of each extension look like, so that new ones that do not are told (guard.h: alien).  Pure.
 *
 * signs_seen() for each file that was there already (as it was), signs_new() for each new one, in any order → signs_alien().
 * A new file is alien when SIGNS_LEAST files of its extension were there and at most one in SIGNS_SHARE of them had its sign
 * (profile.h).  Bounded: SIGNS_EXTENSIONS of them; those beyond are not judged.
 */
#ifndef BKP_FORMAT_GUARD_SIGNS_H
#define BKP_FORMAT_GUARD_SIGNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/guard/profile.h"

#define SIGNS_EXTENSIONS 256
#define SIGNS_LEAST	 20
#define SIGNS_SHARE	 50

struct signs {
	struct signs_extension {
		uint64_t hash;
		uint64_t were, was[SIGNS], is[SIGNS], bytes[SIGNS];
	} of[SIGNS_EXTENSIONS];
	size_t n, last;
};

void signs_begin(struct signs *s);
/* path, or a name: what is behind its last dot, whatever the case. */
uint64_t signs_hash(const char *path);
void signs_seen(struct signs *s, const char *path, const struct profile *was);
void signs_new(struct signs *s, const char *path, const struct profile *now, uint64_t size);
/* Did more than one in SIGNS_SHARE of the files of that extension (signs_hash()) have that sign? */
bool signs_is_usual(const struct signs *s, uint64_t extension, enum profile_sign sign);
/* How many of the new ones are alien; *ret_bytes: their sizes. */
uint64_t signs_alien(const struct signs *s, uint64_t *ret_bytes);

#endif
