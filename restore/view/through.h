/* through: the charts through a mount: there at once, and nothing of them is written anywhere.
 *
 * through_start(), before the process is confined → through_mount → through_open → through_serve until an interrupt → through_end.  The program
 * from the medium has none of it (restore/main.c).
 */
#ifndef RESTORE_VIEW_THROUGH_H
#define RESTORE_VIEW_THROUGH_H

#include <stdbool.h>

struct app_generation;
struct err;
struct interrupt;
struct through;

/* NULL: there is no FUSE here. */
struct through *through_start(const char *folder);
/* False: the system does not mount; it has said why. */
bool through_mount(struct through *t);
/* Takes the generation over, which must stay where it is. *ret_lost: a part of its catalog cannot be read, which was said. */
int through_open(struct through *t, struct app_generation *g, bool *ret_lost, struct err *err)
    __attribute__((warn_unused_result));
/* *ret_faults: what could not be read, and was said. */
int through_serve(struct through *t, struct interrupt *stop, unsigned *ret_faults, struct err *err)
    __attribute__((warn_unused_result));
void through_end(struct through *t);

#endif
