/* line: see line.h. */
#include "restore/app/line.h"

#include <string.h>

#include "base/show/suggest.h"
#include "base/text.h"
#include "restore/app/options.h"
#include "restore/app/selection.h"

#define COMMANDS_MAX 64

static const struct app_command *find_command(const struct app *app, const char *name)
{
	for (const struct app_command *c = app->commands; c->name; c++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static int unknown_command(const struct app *app, const char *name)
{
	const char *names[COMMANDS_MAX];
	size_t n = 0;

	for (const struct app_command *c = app->commands; c->name && n < COMMANDS_MAX; c++)
		names[n++] = c->name;
	return app_unknown(app, suggest_word(name, names, n), text("unknown command '%s'"), name);
}

int line_command(struct app *app, int argc, char **argv, struct options_found *ret)
{
	app->command = argc ? find_command(app, argv[0]) : NULL;
	if (argc && !strcmp(argv[0], "help")) {
		app->command = argc > 1 ? find_command(app, argv[1]) : NULL;
		if (argc > 1 && !app->command)
			return unknown_command(app, argv[1]);
		ret->help = true;
	}
	if (ret->help)
		return -1;
	if (!argc)
		return app_usage(app, "%s", text("a command is missing"));
	return app->command ? -1 : unknown_command(app, argv[0]);
}

int line_check(struct app *app, int argc, const struct options_found *found)
{
	const struct app_command *c = app->command;

	if (!argc && c->options & APP_SELECTS && app->n_media)
		return selection_ask(app);
	if (argc < c->min || (c->max >= 0 && argc > c->max))
		return app_usage(app, text("wrong number of operands: %s %s"), c->name, c->usage);
	if (found->used & ~c->options)
		return app_usage(app, text("'%s' does not take one of these options"), c->name);
	return -1;
}
