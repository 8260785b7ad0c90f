/* attached: when a medium kept offline was attached, and for how long, for `bkp medium show`. */
#ifndef BKP_CMD_TIME_ATTACHED_H
#define BKP_CMD_TIME_ATTACHED_H

#include <stdint.h>

struct compliance_medium;
struct exposure;
struct json_t;
struct ledger;

#define ATTACHED_TEXT 96
/* "35 minutes", "at least 35, at most 50 minutes"; returns out. */
char *attached_minutes(const struct exposure *e, char out[ATTACHED_TEXT]);
/* {"at_least", "at_most" (null: not known)}, minutes. */
struct json_t *attached_minutes_json(const struct exposure *e);

/* The newest months and times on stdout, nothing of a medium kept online.  An exit code. */
int attached_show(const struct ledger *l, const struct compliance_medium *m, int64_t now_ns);
/* {"months": […], "times": […]}, all of them, the oldest first; null of a medium kept online. */
struct json_t *attached_json(const struct ledger *l, const struct compliance_medium *m, int64_t now_ns);

#endif
