/* check_live: bkp check --live: can the next run work?  Looks at what the policy names, as it is now:
 * paths, the programs of commands, the locale, media and the room on them, who is told, the clock, the state
 * folder.  Takes no lock and changes nothing.  What it cannot see is what commands will do: they are not run. */
#ifndef BKP_CMD_SHOW_CHECK_LIVE_H
#define BKP_CMD_SHOW_CHECK_LIVE_H

struct app;
struct policy;

/* Prints what was found, each with ○, △ or × and what to do.  enum app_exit: 0 all ○, 1 some △, 2 some ×, 3
 * the journal cannot be read. */
int check_live(struct app *app, const struct policy *policy);

/* Where cron hands over its mail. */
#define CHECK_LIVE_MAILER "/usr/sbin/sendmail"

#endif
