/* lastclean: which generation is the last clean one, out of what was found in each.
 *
 * Pure.  What is bad may come, go and come again; and an attacker clears up behind himself.  So the last clean generation is the newest
 * before the *first* that holds anything bad, and one that is clean behind that is named apart: what was done meanwhile is still in it.
 * What could not be read as a whole is neither.
 */
#ifndef RESTORE_BISECT_LASTCLEAN_H
#define RESTORE_BISECT_LASTCLEAN_H

#include <stddef.h>
#include <stdint.h>

enum lastclean_state { LASTCLEAN_CLEAN, LASTCLEAN_BAD, LASTCLEAN_UNKNOWN };
const char *lastclean_word(enum lastclean_state s); /* "clean", "unclean", "unknown", for programs */
const char *lastclean_text(enum lastclean_state s);

struct lastclean_generation {
	uint64_t number;
	int64_t begun_ns;     /* 0: not known */
	int32_t utc_offset_s; /* where it was captured */
	enum lastclean_state state;
	uint64_t files, fresh; /* with content; of these, contents that nothing newer had */
	uint64_t bad;	       /* files */
};

/* Indexes; n: there is none. */
struct lastclean {
	size_t first_bad; /* the oldest */
	size_t last;	  /* the newest clean one before it; where nothing is bad, of all */
	size_t behind;	  /* the newest clean one behind it */
	size_t unknown;	  /* how many */
};
/* The newest first. */
struct lastclean lastclean_judge(const struct lastclean_generation *g, size_t n);

#endif
