/* scanner: runs somebody else's virus scanner for a program that may start none any more.
 *
 * As age_aside.h: a process is forked before confine_command(), and before an identity is read.  It is confined itself
 * (confine_scanner()), and starts the command whenever it is asked (step_run.h), with an environment of its own: PATH, LANG, and HOME and
 * TMPDIR in the folder.  Another one keeps watch over both: when they have ended, however that came about, it erases the folder; what
 * it could not erase it says on standard error.
 *
 * scanner_start() → scanner_run() … → scanner_end().  Errors: E-BISECT-02 it cannot be started, it has gone, or it does not work.
 */
#ifndef RESTORE_BISECT_SCANNER_H
#define RESTORE_BISECT_SCANNER_H

#include <stddef.h>

struct buf;
struct err;
struct interrupt;
struct scanner;
struct scratch;

/* Seconds that one run may take. */
#define SCANNER_LIMIT 43200
#define SCANNER_TEXT  ((size_t)8 << 20) /* bytes of what it prints that are kept */

/* command: for /bin/sh, {} is replaced by the folder of the files, scratch/run, and {list} by the list of their paths, scratch/list.
 * scratch is erased by the other process.  hidden: as confine_scanner(). */
int scanner_start(const char *command, struct scratch *scratch, const char *const *hidden, size_t n,
    struct scanner **ret, struct err *err) __attribute__((warn_unused_result));
/* 0: it ended by itself, *ret_status as it did; what it printed is appended to out.  SCANNER_TROUBLE: it did not, or it printed more than
 * SCANNER_TEXT (err).  -1: interrupted, or the process is gone. */
#define SCANNER_TROUBLE 1
int scanner_run(struct scanner *s, struct interrupt *interrupt, struct buf *out, int *ret_status,
    struct err *err) __attribute__((warn_unused_result));
/* The folder is erased.  0, or -1: not all of it, which was said. */
int scanner_end(struct scanner *s);

#endif
