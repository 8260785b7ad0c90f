/* chosen: the generations that a person names on a command line (format/medium/selector.h), as the journal knows them.
 *
 *     chosen_parse() before anything is opened → chosen_find() → item[0 … n) → chosen_free()       what something is done to
 *     chosen_parse() → chosen_resolve() → chosen_fits() of each → chosen_free()                      what is shown of many
 *
 * `42` is every data set of run 42 that was captured; those that were not are named, with what became of them.  What is not there
 * is said and makes `code`; the others are chosen all the same.
 *
 * Errors: E-SELECT-01, E-SELECT-02 (selector.h), E-SELECT-03 there is no such generation, or it came to nothing (why).
 */
#ifndef BKP_CMD_APP_CHOSEN_H
#define BKP_CMD_APP_CHOSEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "format/medium/selector.h"

struct ledger;
struct ledger_generation;

struct chosen_item {
	char dataset[GENERATION_NAME];
	uint64_t number;
	bool by_run; /* nobody named the data set */
};

struct chosen {
	struct chosen_asked {
		const char *typed;
		bool whole; /* a data set, all of its generations; else s */
		struct selector s;
		uint64_t number; /* that s means, once resolved; 0: none */
		bool found;	 /* chosen_fits() was true of something */
	} * asked;
	size_t n_asked; /* 0: none was named */
	struct chosen_item
	    *item; /* each once, as they were named; copies: a record that is appended moves the ledger's */
	size_t n;
	int code; /* enum app_exit: APP_FAILED something named is not there, APP_ATTENTION a part of a run named is not */
	struct err why; /* of the code: the first that is not there */
};

/* datasets: a data set's name is a word, too.  The words stay the caller's, and must live as long.  0, or an exit code after the
 * error has been reported. */
int chosen_parse(char **words, size_t n, bool datasets, struct chosen *ret);
/* expired: those that have expired everywhere are chosen, too.  Likewise; then *c is empty, as it is when none was named. */
int chosen_find(const struct ledger *l, bool expired, struct chosen *c);
/* Is it among the items? */
bool chosen_has(const struct chosen *c, const char *dataset, uint64_t number);
void chosen_resolve(const struct ledger *l, struct chosen *c);
/* Is it one of what was named, whatever became of it, or was nothing named? */
bool chosen_fits(struct chosen *c, const char *dataset, uint64_t number);
void chosen_free(struct chosen *c);

/* What became of a generation that was not captured, "failed: …", in the reader's language; returns out. */
#define CHOSEN_FATE 700
char *chosen_fate(const struct ledger_generation *g, char out[CHOSEN_FATE]);

#endif
