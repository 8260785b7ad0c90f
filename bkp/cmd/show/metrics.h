/* metrics: how things stand, in the text format of Prometheus (exposition format 0.0.4), for the textfile
 * collector of the node exporter.
 *
 * Pure.  Names carry their unit; times are seconds since 1970, 0: never or none, so that a rule can be
 * written for what is not there.  Verdicts are 0 met, 1 attention, 2 missing.  What can be known only when
 * the journal can be read is left out when it cannot: then there are bkp_status_exit (3) and the time.
 */
#ifndef BKP_CMD_SHOW_METRICS_H
#define BKP_CMD_SHOW_METRICS_H

#include <stdint.h>

struct buf;
struct err;
struct ledger;
struct policy;
struct compliance;

/* l and s NULL: unknown.  exit: of bkp status. */
int metrics_render(const struct policy *policy, const struct ledger *l, const struct compliance *s,
    int64_t now_ns, int exit, struct buf *out, struct err *err) __attribute__((warn_unused_result));

#endif
