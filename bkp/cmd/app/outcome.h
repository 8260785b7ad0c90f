/* outcome: how a command that changes something ends: the journal says so, and somebody is told.
 *
 *     work → outcome_record()                    commands that a person at the keyboard runs
 *     work → print → outcome_tell()              run, rotate, expire: the policy's notify command as well
 *
 * The record {"command", "exit", "line"} is the last thing a command does, but for being told of: whether it
 * was, stands in a `notified` record behind it.
 */
#ifndef BKP_CMD_APP_OUTCOME_H
#define BKP_CMD_APP_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

struct app;
struct err;
struct policy;
struct state;

struct outcome {
	const char *command; /* "run", "medium add" … */
	int code;	     /* enum app_exit */
	const char *line;    /* what a person is told (summary.h) */
	const char *record;  /* what the journal says of it, where that is less; or NULL */
	const char *details; /* for the notify command: several lines, or NULL */
	const char *tell;    /* whom else: names (policy_pool.remind); or NULL */
	uint64_t run;	     /* or 0 */
	int signal;	     /* that ended it early, or 0 */
	bool good_news;	     /* is told though all is well */
};

/* Returns the exit code: `code`, or APP_FAILED after the error has been reported when the record cannot be
 * written. */
int outcome_record(
    const struct app *app, struct state *state, const char *command, int code, const char *line);

/* What was refused before the state folder was opened is recorded too: somebody tried.  Where that cannot be
 * (another bkp is at work, there is no repository) nothing more is said than was already. */
void outcome_refused(struct app *app, const struct policy *policy, int code, const char *line);

/* Is it the day of the week on which a good run is told, too, and is this the first run of it?  Asked before
 * the run's outcome is recorded. */
bool outcome_good_news(const struct policy *policy, const struct state *state);

/* Whether somebody was told: why (or NULL) says why not.  Returns the exit code as outcome_record() does. */
int outcome_notified(struct state *state, const struct err *why, int code);

/* Records it and runs the policy's notify command where there is one, and it asks for this.  state NULL: it
 * could not be opened, so there is no record; somebody is told all the same.  Likewise; a notify command that
 * fails is reported and makes it APP_ATTENTION at least. */
int outcome_tell(
    const struct app *app, const struct policy *policy, struct state *state, const struct outcome *o);

#endif
