/* announce: see announce.h. */
#include "format/guard/announce.h"

#include <stddef.h>
#include <string.h>

#include "format/guard/guard.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static const struct {
	const char *word;
	uint32_t flag, explains;
} expects[] = {
    {"changed", GUARD_E_CHANGED, GUARD_R_CHANGED},
    {"deleted", GUARD_E_DELETED, GUARD_R_DELETED},
    {"renamed", GUARD_E_RENAMED, GUARD_R_RENAMED},
    {"new-kinds", GUARD_E_NEWKINDS, GUARD_R_NEWKIND},
    {"encrypted", GUARD_E_ENCRYPTED, GUARD_R_SEALED | GUARD_R_DENSE},
};

/* In the order in which people are told. */
static const struct {
	const char *word;
	uint32_t reason;
} reasons[] = {
    {"canary", GUARD_R_CANARY},
    {"harm", GUARD_R_HARM},
    {"dense", GUARD_R_DENSE},
    {"sealed", GUARD_R_SEALED},
    {"rows", GUARD_R_ROWS},
    {"new-kinds", GUARD_R_NEWKIND},
    {"changed", GUARD_R_CHANGED},
    {"deleted", GUARD_R_DELETED},
    {"renamed", GUARD_R_RENAMED},
    {"still", GUARD_R_STILL},
};

uint32_t announce_word(const char *word, unsigned n)
{
	for (size_t i = 0; i < COUNT(expects); i++)
		if (strlen(expects[i].word) == n && !memcmp(expects[i].word, word, n))
			return expects[i].flag;
	return 0;
}

uint32_t announce_parse(const char *list)
{
	uint32_t all = 0, one;

	for (;; list++) {
		size_t n = strcspn(list, ",");

		one = announce_word(list, (unsigned)n);
		if (!one)
			return 0;
		all |= one;
		list += n;
		if (!*list)
			return all;
	}
}

const char *announce_nth(unsigned i, uint32_t *ret_flag)
{
	if (i >= COUNT(expects))
		return NULL;
	*ret_flag = expects[i].flag;
	return expects[i].word;
}

uint32_t announce_explains(uint32_t flags)
{
	uint32_t all = 0;

	for (size_t i = 0; i < COUNT(expects); i++)
		all |= flags & expects[i].flag ? expects[i].explains : 0;
	return all;
}

uint32_t announce_reason(const char *word)
{
	for (size_t i = 0; word && i < COUNT(reasons); i++)
		if (!strcmp(reasons[i].word, word))
			return reasons[i].reason;
	return 0;
}

const char *announce_reason_nth(unsigned i, uint32_t *ret_reason)
{
	if (i >= COUNT(reasons))
		return NULL;
	*ret_reason = reasons[i].reason;
	return reasons[i].word;
}
