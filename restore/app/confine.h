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

void confine_thread(int target);
/* The same from the beginning of a command, before anything of a medium is read.  `to` (NULL: it writes
 * nothing) may not exist yet: then it is the folder above that does. */
void confine_command(const char *to);

#endif
