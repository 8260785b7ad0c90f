#include "cmd/app.h"
int cmd_schedule(struct app *app, int argc, char **argv)
{
	(void)argc;
	(void)argv;
	(void)app;
	return 0;
}
