/* overview: how things stand at this moment, for the commands that show it: the ledger, the media that are
 * attached now, and the words for them.  Takes no lock and changes nothing, so that it works while a run is
 * going on.
 */
#ifndef BKP_CMD_SHOW_OVERVIEW_H
#define BKP_CMD_SHOW_OVERVIEW_H

#include <stdbool.h>
#include <stdint.h>

struct app;
struct ledger;
struct ledger_generation;
struct policy;
struct compliance;
struct compliance_dataset;
struct compliance_medium;
struct json_t;
struct table;

/* Looks at the media and judges.  The policy and the ledger must outlive *ret.  0, or an exit code after the
 * error has been reported. */
int overview_compliance(const struct policy *policy, const struct ledger *l, struct compliance **ret);

/* The same as of a moment of the past: no medium is looked at. */
int overview_compliance_then(
    const struct policy *policy, const struct ledger *l, int64_t at_ns, struct compliance **ret);

/* enum app_exit for how things stand. */
int overview_exit(const struct compliance *s);

/* Does the data set meet all it should, and did the newest run capture it well? */
bool overview_in_order(const struct compliance_dataset *d);

#define OVERVIEW_TEXT 96
/* "9 days", "5 hours", "3 minutes" before now, in the reader's language; returns out. */
char *overview_age(int64_t now_ns, int64_t ns, char out[OVERVIEW_TEXT]);
/* "attached", "removed since 2026-11-21 09:00" …: what is seen, and what is recorded where that differs. */
char *overview_where(const struct compliance_medium *m, char out[OVERVIEW_TEXT]);

/* null for 0 */
struct json_t *overview_time_json(int64_t ns);
struct json_t *overview_number_json(uint64_t n);
/* {"dataset", "generation"}; null for NULL */
struct json_t *overview_generation_json(const struct ledger_generation *g);
/* Uses of recovery keys since the last sign-off; envelopes; what a holder has opened of a data set, or null. */
struct json_t *overview_uses_json(const struct ledger *l);
struct json_t *overview_envelopes_json(const struct policy *policy, const struct ledger *l, int64_t now_ns);
struct json_t *overview_opened_json(const struct ledger *l, const char *dataset);
/* Findings as they came, those that are not closed; all: the others too. */
struct json_t *overview_findings_json(const struct ledger *l, int64_t now_ns, bool all);
struct json_t *overview_medium_json(const struct compliance_medium *m);
/* The table of media, with its heading. NULL: out of memory. */
struct table *overview_media_table(const struct compliance *s);

#endif
