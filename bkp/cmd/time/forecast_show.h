/* forecast_show: what comes, in words and as JSON (read/rules/forecast.h). */
#ifndef BKP_CMD_TIME_FORECAST_SHOW_H
#define BKP_CMD_TIME_FORECAST_SHOW_H

#include <stdbool.h>
#include <stdint.h>

struct compliance;
struct forecast;
struct json_t;
struct policy;

#define FORECAST_SOON_DAYS 7

/* From the journal as it stands, or (at_ns not 0) stood then.  0, or an exit code after the error has been reported. */
int forecast_make(
    const struct policy *policy, int64_t now_ns, int64_t at_ns, unsigned days, struct forecast **ret);
/* Lines on stdout, with a heading: what lapses within a week, of what one act prevents the first alone; or (all) everything that is
 * foreseen, and what is assumed.  Nothing where nothing lapses, unless all. */
void forecast_show(const struct policy *policy, const struct forecast *f, bool all);
struct json_t *forecast_json(const struct policy *policy, const struct forecast *f);

#endif
