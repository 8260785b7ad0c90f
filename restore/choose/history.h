/* history: of a data set, what the journal at hand says of the generations around the one that was chosen: to be looked at before it is
 * brought back. */
#ifndef RESTORE_CHOOSE_HISTORY_H
#define RESTORE_CHOOSE_HISTORY_H

#include <stdint.h>

struct app;
struct ledger;

/* A line each on stderr, in 80 columns; l may be NULL. */
void history_say(const struct app *app, const struct ledger *l, const char *dataset, uint64_t chosen);
/* What it says of that one, for people; "" where it does not know it. */
const char *history_verdict(const struct ledger *l, const char *dataset, uint64_t number);

#endif
