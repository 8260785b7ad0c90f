/* journal_words: a record of the journal in words, for the table that an auditor reads. */
#ifndef BKP_CMD_SHOW_JOURNAL_WORDS_H
#define BKP_CMD_SHOW_JOURNAL_WORDS_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct journal_record;
struct json_t;
struct ledger;

#define JOURNAL_WORDS 1024

/* One sentence on what happened, in the reader's language, UTF-8 without control characters; returns out.  Of
 * an event that is not known (of a later version) it is the event's own word. */
char *journal_words_what(const struct journal_record *r, char out[JOURNAL_WORDS]);
/* How it ended: "ok", "failed", "incomplete" …, or "" of a record that reports no end; returns out. */
char *journal_words_outcome(const struct journal_record *r, char out[JOURNAL_WORDS]);
/* The label of the medium it is about, or ""; of several: separated by commas; returns out. */
char *journal_words_medium(const struct journal_record *r, const struct ledger *l, char out[JOURNAL_WORDS]);

/* Those whom it names as having acted; own: one, whose signature the record itself holds.  How many: those of a countersignature are none,
 * it is no act. */
#define JOURNAL_PEOPLE 2
size_t journal_words_people(const struct journal_record *r, const char *ret[JOURNAL_PEOPLE], bool *ret_own);
/* Did the people whom it names sign what they did?  "signed by Yamada", "Yamada signed, Sato: claim only", "claim only" (申告); "" of a record
 * that names nobody.  l: of the whole journal, which may hold the signature further on.  Returns out. */
char *journal_words_signed(const struct journal_record *r, const struct ledger *l, char out[JOURNAL_WORDS]);

/* The generations it is about, "emr@42; lab@42", or the run, or ""; returns out. */
char *journal_words_generation(const struct journal_record *r, char out[JOURNAL_WORDS]);

/* A member of a list of a record: a text, {"dataset", "generation"} as "emr@42", {"name", "reason"} as "emr: why"; returns out. */
char *journal_words_item(const struct json_t *v, char *out, size_t size);

/* journal_words_acts.c: which records name a person who acted, and which of them that person has signed: for 'bkp journal verify'.
 *
 *     journal_words_acts_take() of each record → print, json with the ledger of all of them → journal_words_acts_clear()
 *
 * A signature that does not verify is on no journal that can be read (ledger_check_countersigned()): its line is the error's.  What is told
 * here is the signature that verifies, with a key that was not the person's. */
struct journal_acts {
	struct journal_act *list;
	size_t n, cap;
};
/* arg: the acts.  For ledger_load_file(). */
int journal_words_acts_take(void *arg, const struct journal_record *r, struct err *err);
void journal_words_acts_clear(struct journal_acts *a);
/* On standard output. */
void journal_words_acts_print(const struct journal_acts *a, const struct ledger *l);
/* {"people": [{"name", "signed", "claims"}], "not_theirs": [{"record", "of", "name", "key"}]}; NULL: out of memory. */
struct json_t *journal_words_acts_json(const struct journal_acts *a, const struct ledger *l);

#endif
