/* cmd_init: what the files of 'bkp init' share. */
#ifndef BKP_CMD_CMD_INIT_H
#define BKP_CMD_CMD_INIT_H

#include <stddef.h>

#include "cmd/app/app.h"

#define CONTINUE_MEDIA_MAX 16

/* --continue MEDIUM ... --secrets FILE --root-key FILE --operator NAME */
struct cmd_init_continue {
	const char *media[CONTINUE_MEDIA_MAX];
	size_t n;
	const char *secrets, *root_key, *operator;
};
/* All given.  The exit code. */
int cmd_init_continue(struct app *app, const struct cmd_init_continue *o);

#endif
