/* bkp-restore explain CODE…: what docs/messages.md says of a code. */
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/show/explain.h"
#include "base/text.h"
#include "restore/app/app.h"

int cmd_explain(struct app *app, int argc, char **argv)
{
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	for (int i = 0; i < argc; i++) {
		int r = explain(argv[i], &out, &err);

		if (r == EXPLAIN_UNKNOWN)
			return app_usage(
			    app, text("there is no code '%s'; codes look like E-MEDIA-01"), argv[i]);
		if (r)
			return app_error(&err, APP_FAILED);
	}
	fwrite(out.p, 1, out.n, stdout);
	return app_flush(APP_OK);
}
