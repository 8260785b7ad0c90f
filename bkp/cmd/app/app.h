/* app: what all commands share: options, exit codes, how an error is shown.  Only this layer prints and
 * exits.
 *
 * A command is a row of the table in main.c and a function `int cmd_x(struct app *app, int argc, char
 * **argv)` in cmd_x.c; argv[0] is the command's name; it returns one of enum app_exit.  It begins with a loop
 * over app_getopt(), which takes the options that every command has.
 */
#ifndef BKP_CMD_APP_APP_H
#define BKP_CMD_APP_APP_H

#include <getopt.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/buf.h"

struct err;
struct ledger;
struct policy;
struct config_problems;
struct state;

/* The Nagios order, so that monitors can use them as they are. */
enum app_exit {
	APP_OK = 0,
	APP_ATTENTION = 1, /* done, but a person should look */
	APP_FAILED = 2,	   /* what was asked is not there */
	APP_UNKNOWN = 3,   /* the state cannot be read */
	APP_USAGE = 64,	   /* wrong usage or invalid policy */
};

struct app {
	const char *config_path;
	bool json;
	bool quiet;
	bool lang_given; /* --lang or BKP_LANG wins over the policy's language */
	const struct app_command *command;
	struct app_actor {
		const char *command, *role, *person;
	} actor;		/* for the records; see app_act() */
	struct buf policy_text; /* the bytes that the policy was parsed from */
	/* of the state folder that is open; and what writes the page that it asks for (outcome.h) */
	const struct policy *policy;
	int (*page)(const struct policy *policy, const struct ledger *l, struct err *err);
};

typedef int app_fn(struct app *app, int argc, char **argv);

/* What a command is about, for help. */
enum app_group {
	APP_EVERYDAY, /* all that a clinic needs day by day */
	APP_GENERATIONS,
	APP_MEDIA,
	APP_HOST,
	APP_RECORD,
	APP_GROUPS
};

struct app_command {
	const char *name;
	enum app_group group;
	const char *usage;   /* "medium add NAME [--path DIR]", one form per line */
	const char *summary; /* English; shown through text() */
	app_fn *run;
};

/* Next option of the command's own table (ended by a zero row; each `val` is its own, 1…999 but not 'h' and
 * 'q'), -1 when there are no more (optind is the first operand), APP_OPT_STOP when the command must return
 * *ret_exit at once (--help, wrong usage). */
#define APP_OPT_STOP (-2)
int app_getopt(struct app *app, int argc, char **argv, const struct option *own, int *ret_exit);

/* Takes the policy's language, unless --lang was given, even of a policy that is not valid: what is said
 * about wrong options and about the policy itself is for the same people.  Reports nothing. */
void app_language(const struct app *app);

/* Reads and checks the policy and takes its language.  0, or an exit code after everything has been reported.
 */
int app_policy(struct app *app, struct policy **ret);
/* The same for those who report themselves: 0, 1 (it is not valid), -1 (it cannot be read). */
int app_policy_check(struct app *app, struct policy **ret, struct config_problems *problems, struct err *err);
/* Before the state folder is opened: as what the records of this command name it ("medium add"), in which role
 * ("capture", "operator", "manager") it acts, and who says to be acting (or NULL).  The strings must live as
 * long as the state. */
void app_act(struct app *app, const char *command, const char *role, const char *person);
/* Opens the policy's state folder with its lock.  Unless an attached medium knows more of its history than it
 * does itself (journal_copies.h) the policy is recorded when it is another one than before
 * (policy_record.h).  0, or an exit code after the error has been reported: APP_FAILED (E-STATE-02) when
 * another bkp is at work there. */
int app_state(struct app *app, const struct policy *policy, struct state **ret);
/* The same for those who report themselves: 0, STATE_BUSY, -1. */
int app_state_open(struct app *app, const struct policy *policy, struct state **ret, struct err *err);
/* W-STATE-12 on stderr when the file system of the state folder keeps what is erased. */
void app_warn_keeping(const struct policy *policy);
/* Reads the journal of the policy's state folder, without a lock.  Likewise. */
int app_ledger(struct app *app, const struct policy *policy, struct ledger **ret);
/* The same for those who report themselves: 0, -1. */
int app_ledger_read(const struct policy *policy, struct ledger **ret, struct err *err);
/* As it was at that moment (ledger_then.h): likewise. */
struct ledger_then;
int app_ledger_then(const struct policy *policy, int64_t at_ns, struct ledger_then *ret_where,
    struct ledger **ret, struct err *err);

/* "bkp: CODE: message" and "  → hint" on stderr; returns `code`. */
int app_error(const struct err *err, int code);
/* For shortage_watch(). */
void app_no_memory(void) __attribute__((noreturn));
/* The same to where it is wanted; the second line alone: the next action, or where it is written. */
void app_fault(const struct err *err, FILE *out);
void app_next(const struct err *err, FILE *out);
/* Wrong usage: the message, then where to look; returns APP_USAGE. */
int app_usage(const struct app *app, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same for a word that is not known; near: the one that was probably meant, or NULL. */
int app_unknown(const struct app *app, const char *near, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* What 'bkp COMMAND --help' says; options: all that the command takes, ended by a zero row (help.c). */
void help_command(const struct app_command *c, const struct option *options);
/* stdout must have arrived: flushes, and turns a failure (disk full, closed pipe) into APP_FAILED, which is said once. */
int app_flush(int code);

app_fn cmd_init, cmd_check, cmd_journal, cmd_generations, cmd_medium, cmd_status, cmd_run, cmd_verify,
    cmd_repair, cmd_explain;
app_fn cmd_disc, cmd_rotate, cmd_schedule, cmd_notify, cmd_expire, cmd_agree, cmd_clock, cmd_hold, cmd_key,
    cmd_release, cmd_accept, cmd_announce, cmd_finding, cmd_guard, cmd_report, cmd_rescue_image;

#endif
