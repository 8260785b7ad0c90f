/* line: which command a line means, and whether what stands behind it may: of a command line, and of one typed into a shell.
 *
 * options_take() → line_command() → line_check() → app->command->run().  -1: go on; else the exit code, after saying what is wrong.
 */
#ifndef RESTORE_APP_LINE_H
#define RESTORE_APP_LINE_H

#include "restore/app/app.h"

struct options_found;

/* argv[0]: the command's name; sets app->command.  "help" and "help COMMAND" set ret->help. */
int line_command(struct app *app, int argc, char **argv, struct options_found *ret);
/* argc: operands behind the command's name. */
int line_check(struct app *app, int argc, const struct options_found *found);

#endif
