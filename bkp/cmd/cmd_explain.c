/* bkp explain CODE…: what docs/messages.md says of a code. */
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/show/explain.h"
#include "base/text.h"
#include "cmd/app/app.h"

int cmd_explain(struct app *app, int argc, char **argv)
{
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	int code = APP_OK, r;

	while (app_getopt(app, argc, argv, NULL, &code) != -1)
		return code;
	app_language(app);
	if (optind == argc)
		return app_usage(app, "%s", text("say which code, as in E-MEDIA-01"));
	for (; optind < argc; optind++) {
		r = explain(argv[optind], &out, &err);
		if (r == EXPLAIN_UNKNOWN)
			return app_usage(
			    app, text("there is no code '%s'; codes look like E-MEDIA-01"), argv[optind]);
		if (r)
			return app_error(&err, APP_FAILED);
	}
	fwrite(out.p, 1, out.n, stdout);
	return app_flush(APP_OK);
}
