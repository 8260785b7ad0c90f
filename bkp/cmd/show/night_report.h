/* night_report: what a night came to, for people and as JSON. */
#ifndef BKP_CMD_SHOW_NIGHT_REPORT_H
#define BKP_CMD_SHOW_NIGHT_REPORT_H

#include <stdio.h>

struct err;
struct night_result;
struct timings;

/* What a person should see, with the next action; failure: why there is no generation, or NULL. */
void night_report_faults(const struct night_result *r, const struct err *failure, FILE *out);
/* What was done, to stdout. */
void night_report_summary(const struct night_result *r);
/* One object on stdout; failure NULL when the run succeeded; line: of morning.h. */
void night_report_json(const struct night_result *r, const struct err *failure, const char *line);
/* Where the time went, on stderr: it is no part of the result. */
void night_report_timings(const struct timings *t);
/* enum app_exit for a run that committed a generation. */
int night_report_exit(const struct night_result *r);

#endif
