/* cmd_key: what the files of `bkp key` share. */
#ifndef BKP_CMD_CMD_KEY_H
#define BKP_CMD_CMD_KEY_H

#include <stdbool.h>

struct app;
struct policy;

#define KEY_WORDS 1000 /* operands of `key use --import` at most */

/* The command line. */
enum key_option {
	KEY_FROM = 1,
	KEY_OPERATOR = 2,
	KEY_RENEW = 4,
	KEY_IMPORT = 8,
	KEY_ALL = 16,
	KEY_REVIEWED = 32,
	KEY_PERSON = 64,
	KEY_SEAL = 128,
	KEY_PLACE = 256,
	KEY_HOLDER = 512,
	KEY_WHY = 1024,
};
struct key_request {
	const char *what; /* "add", "use" … */
	char **words;	  /* those behind it */
	int n;
	const char *name; /* the first of them, or NULL */
	unsigned given;	  /* enum key_option */
	const char *from, *operator, * person, *seal, *place, *holder, *why;
	bool renew;
};

/* bkp key page root|media: on standard output; what: "root" or "media". */
int cmd_key_page(struct app *app, const char *what);
int cmd_key_use(struct app *app, const struct policy *policy, const struct key_request *q);
int cmd_key_envelope(struct app *app, const struct policy *policy, const struct key_request *q);

#endif
