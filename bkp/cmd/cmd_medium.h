/* cmd_medium: the parts of 'bkp medium'; each takes a policy that has been read and returns an exit code. */
#ifndef BKP_CMD_CMD_MEDIUM_H
#define BKP_CMD_CMD_MEDIUM_H

struct app;
struct policy;

/* The medium's name is in neither the policy nor the journal: E-MEDIA-14 with what was probably meant. */
int cmd_medium_unknown(const struct policy *policy, const char *name);

int cmd_medium_list(struct app *app, const struct policy *policy);
int cmd_medium_show(struct app *app, const struct policy *policy, const char *name);
int cmd_medium_move(
    struct app *app, const struct policy *policy, const char *name, const char *place, const char *operator);
/* Another name for it (to), or, with to NULL, it is given up, for that reason. */
int cmd_medium_name(struct app *app, const struct policy *policy, const char *name, const char *to,
    const char *operator, const char * reason);

#endif
