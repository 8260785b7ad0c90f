/* options: the command line's options: read into struct app, and explained. */
#ifndef RESTORE_APP_OPTIONS_H
#define RESTORE_APP_OPTIONS_H

#include <stdbool.h>

struct app;

struct options_found {
	bool help, version;
	unsigned used; /* enum app_option: those that only some commands take */
};

/* --lang, else $BKP_LANG, else the locale's. */
void options_lang(const char *wanted);
/* Reads them all (getopt's optind is then the first operand).  -1: go on; otherwise the exit code. */
int options_take(struct app *app, int argc, char **argv, struct options_found *ret);
/* Explains those of `which` (enum app_option; 0: all). */
void options_help(unsigned which);

#endif
