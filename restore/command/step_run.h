/* step_run: runs one step's command with a time limit and keeps what it said.
 *
 * /bin/sh -eu -c COMMAND, in a session and process group of its own, without a terminal: standard input is
 * /dev/null, /dev/tty cannot be opened, so nothing can ask anybody.  The environment is exactly the one
 * given.  Output is read to its end whatever its size, so that the command never waits for us; of standard
 * output the first value_max bytes are kept, of both together the last STEP_RUN_TAIL.
 *
 * The step ends when the shell ends.  What it started in the background lives on (a server that a later step
 * needs), even if it holds the pipes open; only what is in them at that moment is still read, and who writes
 * into them later gets SIGPIPE: send a server's output to a file.  When the time is over, or on an interrupt,
 * the whole group gets SIGTERM and, STEP_RUN_GRACE seconds later, SIGKILL.
 *
 * Errors: E-DRILL-12 it cannot be started.
 */
#ifndef RESTORE_COMMAND_STEP_RUN_H
#define RESTORE_COMMAND_STEP_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct interrupt;
struct isolation;

#define STEP_RUN_TAIL  2048
#define STEP_RUN_GRACE 5

struct step_run_request {
	const char *command;
	char *const *environment;	   /* NULL-terminated */
	int folder;			   /* its working folder */
	int64_t limit_s;		   /* > 0 */
	size_t value_max;		   /* bytes of standard output to keep */
	struct interrupt *interrupt;	   /* or NULL */
	const struct isolation *isolation; /* or NULL; then its scratch folder is the working folder */
};

enum step_run_end { STEP_RUN_EXITED, STEP_RUN_SIGNALLED, STEP_RUN_LIMIT, STEP_RUN_INTERRUPTED };

struct step_run_result {
	enum step_run_end end;
	int status;  /* exit status, or number of the signal */
	char *value; /* NUL-terminated, may hold others; belongs to the result */
	size_t value_n;
	bool value_over; /* there was more */
	char tail[STEP_RUN_TAIL];
	size_t tail_n;
};

int step_run(const struct step_run_request *request, struct step_run_result *ret, struct err *err)
    __attribute__((warn_unused_result));
void step_run_free(struct step_run_result *r);

#endif
