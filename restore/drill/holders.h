/* holders: which processes still use what lies, or lay, below a folder.
 *
 * A file that is open is not gone when its name is: its bytes stay on the disk until the last process that
 * has it open ends.  Looked at are open files, working folder, root and program of every process that this
 * user may look at.
 */
#ifndef RESTORE_DRILL_HOLDERS_H
#define RESTORE_DRILL_HOLDERS_H

#include <stddef.h>

/* How many there are besides this one; the first of them as "name (pid), …" in out. */
size_t holders_find(const char *folder, char *out, size_t size);

#endif
