/* rotate_report: the result of a rotation, for people and as JSON. */
#ifndef BKP_CMD_SHOW_ROTATE_REPORT_H
#define BKP_CMD_SHOW_ROTATE_REPORT_H

#include <stdio.h>

struct err;
struct rotate_result;

/* What a person should see, with the next action. */
void rotate_report_faults(const struct rotate_result *r, FILE *out);
/* What was done and what to do next, to stdout. */
void rotate_report_text(const struct rotate_result *r, const char *operator);
/* One object on stdout; failure NULL when it was rotated.  An exit code: `code`, or APP_FAILED. */
int rotate_report_json(
    const struct rotate_result *r, const char *operator, const struct err * failure, int code);
/* enum app_exit for a rotation that was carried through. */
int rotate_report_exit(const struct rotate_result *r);

#endif
