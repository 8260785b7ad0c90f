/* tool: starts a program of the system with its arguments, without a shell, and waits for it.
 *
 * It is looked for in $PATH, then in /usr/sbin: cron and su leave that out.  Error E-PREPARE-08, with the last line that it wrote. */
#ifndef BKP_WRITE_PREPARE_TOOL_H
#define BKP_WRITE_PREPARE_TOOL_H

struct buf;
struct err;

/* in: what it reads on standard input, less than a pipe holds; or NULL. */
int tool_run(const char *const argv[], const char *in, struct err *err) __attribute__((warn_unused_result));
/* The same; all that it wrote, up to TOOL_SAID bytes, comes into `said`, whose ceiling is that at least; its exit status, or -1 when a
 * signal ended it, into ret_status.  -1 only when it cannot be run. */
#define TOOL_SAID ((size_t)64 << 10)
int tool_status(const char *const argv[], const char *in, struct buf *said, int *ret_status, struct err *err)
    __attribute__((warn_unused_result));
/* The last line of that which is not empty; said is changed. */
const char *tool_last_line(struct buf *said);

#endif
