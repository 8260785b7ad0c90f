/* confine: what bkp-restore could do even if a hostile medium found a fault in it is taken away beforehand.
 *
 * confine_thread() holds for the calling thread and for what it starts from then on, and cannot be undone:
 * - no_new_privs: no setuid program gives anything any more;
 * - Landlock, where the kernel has it (version 2 or later, Linux 5.19: version 1 allows no hard links):
 *   nothing on any file system is written, made, renamed or removed but below `target` (a folder's
 *   descriptor; -1: nowhere) and on the terminal, no program is started, no TCP connection made or taken, no
 *   process outside is signalled (these as far as the kernel's version goes).
 * Reading is left as it is, and so are modes, owners, times and attributes, which Landlock does not cover.
 *
 * What the kernel does not have is left out without a word: this adds to the checks and
 * replaces none.
 */
#ifndef RESTORE_APP_CONFINE_H
#define RESTORE_APP_CONFINE_H

#include <stddef.h>

void confine_thread(int target);
/* The same from the beginning of a command, before anything of a medium is read.  `to` (NULL: it writes
 * nothing) may not exist yet: then it is the folder above that does. */
void confine_command(const char *to);

/* For somebody else's program, which is to look at files below `folder` that may be hostile, and at nothing of ours.  It may be started
 * and may write below `folder`, in /dev/null, and nowhere else.  As root also: there is no network, nothing below `folder` is ever
 * executed, and the n files of `hidden` (identities) are empty to it.  Of the whole process, which must have one thread. */
void confine_scanner(const char *folder, const char *const *hidden, size_t n);

/* For a browser that shows what may be hostile: as confine_scanner(), and of the whole process as well.  It must stand in a user namespace of its
 * own by then.  It may also write to files of processes (/proc), by which browsers confine their parts; what root owns there is read-only.
 * 0, or -1 with errno: it is not confined. */
int confine_browser(const char *folder, const char *const *hidden, size_t n)
    __attribute__((warn_unused_result));

#endif
