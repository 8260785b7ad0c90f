/* run_report: the result of a run, for people and as JSON. */
#ifndef BKP_CMD_SHOW_RUN_REPORT_H
#define BKP_CMD_SHOW_RUN_REPORT_H

#include <stddef.h>
#include <stdio.h>

struct err;
struct run_result;
struct timings;

/* What a person should see, with the next action; failure: why there is no generation at all, or NULL. */
void run_report_faults(const struct run_result *r, const struct err *failure, FILE *out);
/* What was done, to stdout. */
void run_report_summary(const struct run_result *r);
/* One object on stdout; failure NULL when the run succeeded; line: of summary.h. */
void run_report_json(const struct run_result *r, const struct err *failure, const char *line);
/* Where the time went, on stderr: it is no part of the result. */
void run_report_timings(const struct timings *t);
/* enum app_exit for a run that committed a generation. */
int run_report_exit(const struct run_result *r);

/* Names of the data sets that were captured, that the medium is to hold, and that are not on it, "emr, lab"; returns out. */
#define RUN_REPORT_NAMES 400
char *run_report_lacking(const struct run_result *r, size_t medium, char out[RUN_REPORT_NAMES]);

#endif
