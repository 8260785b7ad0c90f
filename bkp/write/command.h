/* command: runs a data set's command and reads its standard output.
 *
 * command_start → command_read until 0 → command_finish (waits; the exit status decides) → command_free.  The command
 * runs under /bin/sh -c with /dev/null as standard input; the last bytes of its standard error are kept for the record.
 * Errors: E-CMD-01 cannot start, E-CMD-02 it failed (status or signal, with the end of its standard error).
 */
#ifndef BKP_WRITE_COMMAND_H
#define BKP_WRITE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct err;

struct command;
int command_start(const char *line, struct command **ret, struct err *err);
/* Of the type content_read_fn. */
ssize_t command_read(void *command, void *p, size_t n);
/* From any thread: command_read(), also one that waits, gives -1 with ECANCELED from now on. */
void command_interrupt(struct command *c);
/* command_finish() asks it now and then: enough waited?  Then the command is ended, and that is E-CMD-02. */
typedef bool command_stop_fn(void *arg);
void command_on_wait(struct command *c, command_stop_fn *stop, void *arg);
int command_finish(struct command *c, struct err *err);
void command_free(struct command *c); /* kills it if it still runs */

#endif
