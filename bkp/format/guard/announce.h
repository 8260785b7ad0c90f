/* announce: which of the guard's reasons a change explains that a person announced beforehand; and the words that the journal and the
 * command line have for both.
 *
 * Pure.  What no announcement explains, however it is worded: canaries that are changed or gone, files that lost what they held, rows of
 * a dump that were encoded, and what was suspect already (guard.h, enum guard_reason).
 */
#ifndef BKP_FORMAT_GUARD_ANNOUNCE_H
#define BKP_FORMAT_GUARD_ANNOUNCE_H

#include <stdbool.h>
#include <stdint.h>

enum guard_expect {
	GUARD_E_CHANGED = 1U << 0,
	GUARD_E_DELETED = 1U << 1,
	GUARD_E_RENAMED = 1U << 2,
	GUARD_E_NEWKINDS = 1U << 3,
	GUARD_E_ENCRYPTED = 1U << 4, /* never expected unless somebody says so */
};
#define GUARD_E_DEFAULT (GUARD_E_CHANGED | GUARD_E_DELETED | GUARD_E_RENAMED | GUARD_E_NEWKINDS)

/* At most so many days, and so many seconds: through the night behind the last of them. */
#define ANNOUNCE_DAYS	 31
#define ANNOUNCE_SECONDS ((int64_t)(ANNOUNCE_DAYS + 1) * 86400)
#define ANNOUNCE_TEXT	 256 /* bytes of what a person says, NUL included */

/* One word: a flag of enum guard_expect; 0: it is none. */
uint32_t announce_word(const char *word, unsigned n);
/* "changed,deleted": 0 when a word is not known, or there is none. */
uint32_t announce_parse(const char *list);
/* The i-th word and its flag; NULL: there are no more. */
const char *announce_nth(unsigned i, uint32_t *ret_flag);
/* The reasons that it explains. */
uint32_t announce_explains(uint32_t expects);

/* The same of enum guard_reason. */
uint32_t announce_reason(const char *word);
const char *announce_reason_nth(unsigned i, uint32_t *ret_reason);

#endif
