/* night_report: what a night came to, for people and as JSON. */
#ifndef BKP_CMD_NIGHT_REPORT_H
#define BKP_CMD_NIGHT_REPORT_H

struct err;
struct night_result;
struct timings;

/* What a person should see goes to stderr (faults, with the next action), the summary to stdout unless quiet. */
void night_report_text(const struct night_result *r, int quiet);
/* One object on stdout; failure NULL when the run succeeded. */
void night_report_json(const struct night_result *r, const struct err *failure);
/* Where the time went, on stderr: it is no part of the result. */
void night_report_timings(const struct timings *t);
/* enum app_exit for a run that committed a generation. */
int night_report_exit(const struct night_result *r);

#endif
