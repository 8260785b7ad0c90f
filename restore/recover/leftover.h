/* leftover: what a command that was cut off has left running: processes that have its marker (VARIABLES_MARKER) in their environment. */
#ifndef RESTORE_RECOVER_LEFTOVER_H
#define RESTORE_RECOVER_LEFTOVER_H

#include <stddef.h>

/* Ends them, as an interrupt would have: SIGTERM, and SIGKILL STEP_RUN_GRACE seconds later.  How many there were. */
size_t leftover_end(const char *marker);

#endif
