/* status_show: how things stand, as people read it and as JSON. */
#ifndef BKP_CMD_SHOW_STATUS_SHOW_H
#define BKP_CMD_SHOW_STATUS_SHOW_H

struct ledger;
struct policy;
struct compliance;

/* Tables and sentences on stdout; one object.  An exit code: 0, or APP_FAILED after a report. */
int status_show_text(const struct policy *policy, const struct ledger *l, const struct compliance *s);
/* The same on one screen, at most 24 lines: the verdict, a line for each data set, what to do next. */
int status_show_short(const struct policy *policy, const struct compliance *s);
int status_show_json(const struct policy *policy, const struct ledger *l, const struct compliance *s);

#endif
