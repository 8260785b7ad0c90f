/* journal_private: what journal.c (building) and journal_check.c (checking) share; see journal.h. */
#ifndef BKP_FORMAT_JOURNAL_JOURNAL_PRIVATE_H
#define BKP_FORMAT_JOURNAL_JOURNAL_PRIVATE_H

#include <stdbool.h>

#define JOURNAL_SIG_TEXT   88			      /* base64 of 64 bytes */
#define JOURNAL_SIG_MEMBER (8 + JOURNAL_SIG_TEXT + 2) /* ,"sig":"…"} */

/* A word that may stand as an event. */
bool journal_is_event(const char *s);

#endif
