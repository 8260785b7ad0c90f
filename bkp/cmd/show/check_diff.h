/* check_diff: what a change of the policy would mean, for `bkp check --diff`: against the one on record, or a
 * file. */
#ifndef BKP_CMD_SHOW_CHECK_DIFF_H
#define BKP_CMD_SHOW_CHECK_DIFF_H

struct app;
struct policy;

/* against: a file, or NULL: the policy that the journal names last.  Reads only, takes no lock.  An exit
 * code: APP_OK when both mean the same, APP_ATTENTION when not. */
int check_diff(struct app *app, const struct policy *policy, const char *against);

#endif
