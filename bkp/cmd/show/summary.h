/* summary: the one line that tells the truth, of a run, of a rotation, of how things stand: "7 of 8 good,
 * 1 warning: lab failed (the command gave nothing)".
 *
 * Pure: takes what came of it and writes at most SUMMARY_CHARS characters in the reader's language, whole
 * characters, one line, safe on a terminal and in a mail's subject.  It stands in the journal's `outcome`
 * record, on stdout when a person should look, and in what `notify` is given.
 */
#ifndef BKP_CMD_SHOW_SUMMARY_H
#define BKP_CMD_SHOW_SUMMARY_H

#include <stdbool.h>

struct err;
struct ledger_latch;
struct run_result;
struct rotate_result;
struct compliance;

#define SUMMARY_CHARS 200
#define SUMMARY_LINE  (4 * SUMMARY_CHARS + 1)

/* failure: why no generation was committed, or NULL.  latch: of the ledger, or NULL.  words: with what commands
 * wrote to standard error, names of patients perhaps: for this host, never for a record.  All return out. */
char *summary_run(const struct run_result *r, const struct err *failure, const struct ledger_latch *latch,
    bool words, char out[SUMMARY_LINE]);
/* failure: why it was not rotated, or NULL. */
char *summary_rotation(const struct rotate_result *r, const struct err *failure, char out[SUMMARY_LINE]);
char *summary_compliance(const struct compliance *s, char out[SUMMARY_LINE]);

/* The fault and what to do about it as one line, for commands that have nothing else to say. */
char *summary_failure(const struct err *failure, char out[SUMMARY_LINE]);
/* Cuts s (UTF-8) after so many characters, the last of them then being an ellipsis; returns s, whose buffer
 * must have room for an ellipsis (3 bytes) where it is cut. */
char *summary_cut(char *s, unsigned chars);

#endif
