/* command: runs a command of the policy and reads its standard output.
 *
 * command_start → command_read until 0 → command_finish (waits; the exit status decides) → command_free.  The
 * command runs under /bin/sh -c in a session and process group of its own without a terminal, with /dev/null
 * as standard input and with no descriptor but the first three; the last bytes of its standard error are kept
 * for the record.
 *
 * A command that is to end (its time is over, `stop` says so) gets SIGTERM, with all of its process group,
 * and COMMAND_GRACE_S seconds later SIGKILL.  One that not even that ends (it hangs in the kernel) is left
 * behind after as many seconds more.
 *
 * Errors: E-CMD-01 cannot start, E-CMD-02 it failed (status or signal), E-CMD-03 it did not end within its
 * time.  What it wrote to standard error is in none of them: tar names patients' files, and errors go into
 * records that media carry in the clear.
 */
#ifndef BKP_WRITE_SOURCE_COMMAND_H
#define BKP_WRITE_SOURCE_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

#define COMMAND_GRACE_S 5
#define COMMAND_SAID	601

/* What a command wrote to standard error. */
struct command_words {
	uint64_t lines;		 /* all of them */
	char text[COMMAND_SAID]; /* the end, as one line, safe on a terminal; "": nothing */
};

/* Asked now and then while the command is waited for, by the thread that waits: enough? */
typedef bool command_stop_fn(void *arg);

struct command_config {
	const char *line;	/* for the shell */
	const char *const *env; /* "NAME=value" beside our own environment; ends with NULL; or NULL */
	int64_t limit_s;	/* from its start; 0: none */
	command_stop_fn *stop;	/* or NULL */
	void *stop_arg;
	bool quiet; /* it has no output: what it writes there is taken as standard error */
};

struct command;
int command_start(const struct command_config *cfg, struct command **ret, struct err *err);
/* Of the type reader_read_fn.  -1: errno is ETIMEDOUT (its time is over), ECANCELED (command_interrupt(), or
 * `stop` said so), or another; command_finish() says it in words. */
ssize_t command_read(void *command, void *p, size_t n);
/* From any thread: command_read(), also one that waits, gives -1 with ECANCELED from now on. */
void command_interrupt(struct command *c);
/* From now on `stop` is another. */
void command_on_wait(struct command *c, command_stop_fn *stop, void *arg);
int command_finish(struct command *c, struct err *err);
/* It is wanted no more: ended as above, waited for. */
void command_end(struct command *c);
/* After command_finish() or command_end().  ret may be NULL. */
void command_said(struct command *c, struct command_words *ret);
void command_free(struct command *c); /* kills it if it still runs */

/* From start to end, its output let go (quiet).  said may be NULL. */
int command_run(const struct command_config *cfg, struct command_words *said, struct err *err);

#endif
