/* rotate_report: the result of a rotation, for people and as JSON. */
#ifndef BKP_CMD_SHOW_ROTATE_REPORT_H
#define BKP_CMD_SHOW_ROTATE_REPORT_H

#include <stdbool.h>
#include <stdio.h>

struct err;
struct rotate_expected;
struct rotate_result;

/* What it will take, before it begins. */
void rotate_report_expected(const struct rotate_expected *e, FILE *out);
/* What a person should see, with the next action. */
void rotate_report_faults(const struct rotate_result *r, FILE *out);
/* Is it to be taken away now, as the sentence for the operator says? */
bool rotate_report_leaves(const struct rotate_result *r);
/* What was done and what to do next, to stdout. */
void rotate_report_text(const struct rotate_result *r, const char *operator);
/* One object on stdout; failure NULL when it was rotated.  An exit code: `code`, or APP_FAILED. */
int rotate_report_json(
    const struct rotate_result *r, const char *operator, const struct err * failure, int code);
/* enum app_exit for a rotation that was carried through. */
int rotate_report_exit(const struct rotate_result *r);

#endif
