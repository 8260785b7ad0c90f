/* journal_words: a record of the journal in words, for the table that an auditor reads. */
#ifndef BKP_CMD_SHOW_JOURNAL_WORDS_H
#define BKP_CMD_SHOW_JOURNAL_WORDS_H

struct journal_record;
struct ledger;

#define JOURNAL_WORDS 1024

/* One sentence on what happened, in the reader's language, UTF-8 without control characters; returns out.  Of
 * an event that is not known (of a later version) it is the event's own word. */
char *journal_words_what(const struct journal_record *r, char out[JOURNAL_WORDS]);
/* How it ended: "ok", "failed", "incomplete" …, or "" of a record that reports no end; returns out. */
char *journal_words_outcome(const struct journal_record *r, char out[JOURNAL_WORDS]);
/* The label of the medium it is about, or ""; of several: separated by commas; returns out. */
char *journal_words_medium(const struct journal_record *r, const struct ledger *l, char out[JOURNAL_WORDS]);

#endif
