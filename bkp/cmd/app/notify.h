/* notify: tells somebody, by the policy's own command.
 *
 * The command runs under /bin/sh -c with the line and the details on its standard input, and in its
 * environment
 *	BKP_LINE        the line (summary.h)
 *	BKP_EXIT        the exit status of what is told of
 *	BKP_COMMAND     "run", "rotate" …
 *	BKP_SITE        the site's name
 *	BKP_RUN         the number of the run, or empty
 *	BKP_TELL        whom the policy wants told besides ("A, B": reminders of turns), or empty
 * What it writes is kept for the error only.  It is ended, with all it started, when the time is over.
 *
 * Errors: W-NOTIFY-01, whatever happened: what was to be told was not.
 */
#ifndef BKP_CMD_APP_NOTIFY_H
#define BKP_CMD_APP_NOTIFY_H

#include <stdint.h>

struct err;

struct notify_message {
	const char *line;
	const char *details; /* several lines, or NULL */
	const char *command, *site, *locale;
	const char *tell; /* names; or NULL */
	uint64_t run;	  /* 0: none */
	int exit;
};

int notify_run(const char *shell_command, int64_t limit_s, const struct notify_message *m, struct err *err)
    __attribute__((warn_unused_result));

#endif
