/* picked: the data sets that an option names: "emr,pacs", or "all". */
#ifndef BKP_CMD_APP_PICKED_H
#define BKP_CMD_APP_PICKED_H

#include <stdbool.h>

struct app;
struct policy;

/* list: NULL is "all": those that the policy has now.  *ret: one for each data set of the policy, in its order; the caller frees it.  0, or an
 * exit code after the error has been reported. */
int picked_datasets(const struct app *app, const struct policy *policy, const char *list, bool **ret);

#endif
