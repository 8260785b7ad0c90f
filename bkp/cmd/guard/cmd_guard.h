/* cmd_guard: what the files of `bkp guard` share. */
#ifndef BKP_CMD_GUARD_CMD_GUARD_H
#define BKP_CMD_GUARD_CMD_GUARD_H

#include <stdbool.h>

struct app;
struct policy;

#define GUARD_WORDS    64 /* operands at most */
#define GUARD_EXCLUDES 64

/* The command line.  A new option is a bit here and a row of the table in cmd_guard.c, in the same order. */
enum guard_option {
	GUARD_DATASETS = 1 << 0,
	GUARD_OPERATOR = 1 << 1,
	GUARD_PER_FOLDER = 1 << 2,
	GUARD_COUNT = 1 << 3,
	GUARD_EXCLUDE = 1 << 4,
	GUARD_DRY_RUN = 1 << 5,
	GUARD_YES = 1 << 6,
};
struct guard_request {
	const char *what; /* "show" … */
	char **words;	  /* those behind it */
	int n;
	unsigned given; /* enum guard_option */
	const char *datasets, *operator, * count;
	const char *exclude[GUARD_EXCLUDES];
	unsigned n_exclude;
};

typedef int cmd_guard_fn(struct app *app, const struct policy *policy, const struct guard_request *q);
cmd_guard_fn cmd_guard_show, cmd_guard_canary, cmd_guard_since;

#endif
