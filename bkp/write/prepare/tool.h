/* tool: starts a program of the system with its arguments, without a shell, and waits for it.
 *
 * It is looked for in $PATH, then in /usr/sbin: cron and su leave that out.  Error E-PREPARE-08, with the last line that it wrote. */
#ifndef BKP_WRITE_PREPARE_TOOL_H
#define BKP_WRITE_PREPARE_TOOL_H

struct err;

/* in: what it reads on standard input, less than a pipe holds; or NULL. */
int tool_run(const char *const argv[], const char *in, struct err *err) __attribute__((warn_unused_result));

#endif
