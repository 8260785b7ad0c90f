/* morning: the one line that tells the truth, of a night, of a rotation, of how things stand: "7 of 8 good,
 * 1 warning: lab failed (the command gave nothing)".
 *
 * Pure: takes what came of it and writes at most MORNING_CHARS characters in the reader's language, whole
 * characters, one line, safe on a terminal and in a mail's subject.  It stands in the journal's `outcome`
 * record, on stdout when a person should look, and in what `notify` is given.
 */
#ifndef BKP_CMD_SHOW_MORNING_H
#define BKP_CMD_SHOW_MORNING_H

#include <stdbool.h>

struct err;
struct ledger_latch;
struct night_result;
struct rotate_result;
struct standing;

#define MORNING_CHARS 200
#define MORNING_LINE  (4 * MORNING_CHARS + 1)

/* failure: why no generation was committed, or NULL.  latch: of the ledger, or NULL.  words: with what commands
 * wrote to standard error, names of patients perhaps: for this host, never for a record.  All return out. */
char *morning_night(const struct night_result *r, const struct err *failure, const struct ledger_latch *latch,
    bool words, char out[MORNING_LINE]);
/* failure: why it was not rotated, or NULL. */
char *morning_rotation(const struct rotate_result *r, const struct err *failure, char out[MORNING_LINE]);
char *morning_standing(const struct standing *s, char out[MORNING_LINE]);

/* The fault and what to do about it as one line, for commands that have nothing else to say. */
char *morning_failure(const struct err *failure, char out[MORNING_LINE]);
/* Cuts s (UTF-8) after so many characters, the last of them then being an ellipsis; returns s, whose buffer
 * must have room for an ellipsis (3 bytes) where it is cut. */
char *morning_cut(char *s, unsigned chars);

#endif
