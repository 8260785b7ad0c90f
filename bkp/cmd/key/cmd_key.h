/* cmd_key: what the files of `bkp key` share. */
#ifndef BKP_CMD_CMD_KEY_H
#define BKP_CMD_CMD_KEY_H

struct app;

/* bkp key page root|media: on standard output; what: "root" or "media". */
int cmd_key_page(struct app *app, const char *what);

#endif
