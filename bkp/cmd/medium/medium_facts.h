/* medium_facts: what is known of a medium, one text a name: for 'bkp medium show' and the papers of 'bkp report'. */
#ifndef BKP_CMD_MEDIUM_MEDIUM_FACTS_H
#define BKP_CMD_MEDIUM_MEDIUM_FACTS_H

#include <stddef.h>

struct json_t;
struct ledger;
struct ledger_medium;

/* How its text is to be read: as it is; "2027-03-31"; "2026-11-21T02:00:00Z"; as FACT_DAY, or the first and the last of several. */
enum fact_kind { FACT_TEXT, FACT_DAY, FACT_TIME, FACT_DAYS };

struct fact_column {
	const char *key, *head; /* of JSON; English, shown through text() */
	enum fact_kind kind;
};

/* All that medium_facts_json() tells, in the order of the ledger (媒体管理台帳). */
#define MEDIUM_FACTS 24
extern const struct fact_column medium_facts[MEDIUM_FACTS];

/* {"name": …, …}: each of medium_facts, "" where it is not known.  NULL: out of memory. */
struct json_t *medium_facts_json(const struct ledger *l, const struct ledger_medium *m);

#endif
