/* finding: what a drill or a recovery showed that is to be mended (指摘): from the file of answers, or asked for at its end on a terminal.
 */
#ifndef RESTORE_DRILL_FINDING_H
#define RESTORE_DRILL_FINDING_H

struct attest;
struct err;
struct replay;

/* Fills the drill's findings.  0, -1 out of memory. */
int finding_collect(struct replay *r, const struct attest *a, struct err *err);

#endif
