/* bkp-restore key open: the identities of the periods, for stock age where none of our programs is to be used: one file a period.  Who has
 * them opens everything that was captured in those periods; they are not protected. */
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "read/vault/periods.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"

#define FILE_MAX ((size_t)4096)

/* Nothing random goes into a file without a passphrase. */
static int write_one(const struct age_identity *id, uint32_t number, int dir, struct err *err)
{
	BUF_SECRET_AUTO out = BUF_INIT(FILE_MAX);
	char name[32], time[CLOCK_TEXT];
	struct clock_stamp now;

	clock_now(&now);
	snprintf(name, sizeof(name), "period-%u.txt", number);
	return buf_reserve(&out, out.max, err) ||
		       age_identity_file(id, clock_format(now.wall_ns, time), NULL, NULL, &out, err) ||
		       io_write_new(dir, name, 0600, out.p, out.n, err)
		   ? -1
		   : 0;
}

/* How many there are, or -1. */
static int write_all(struct app *app, int dir, struct err *err)
{
	const struct periods *all = vault_r_periods(app->vault, err);
	int n = 0;

	for (uint32_t i = 1; all && i <= periods_newest(all); i++) {
		const struct age_identity *id =
		    periods_get(all, i) ? app_period_identity(app, periods_get(all, i)) : NULL;

		if (id && write_one(id, i, dir, err))
			return -1;
		n += id != NULL;
	}
	return !all || io_sync_dir(dir, err) ? -1 : n;
}

int cmd_key_open(struct app *app)
{
	const struct age_identity *ids;
	struct err err = ERR_INIT;
	IO_FD_AUTO dir = -1;
	char to[256];
	size_t n;
	int written, code = cmd_key_folder(app, &dir, &err);

	if (!code)
		code = app_unlock(app, &ids, &n);
	if (code)
		return code;
	written = write_all(app, dir, &err);
	if (written < 0)
		return app_error(&err, APP_FAILED);
	printf(text("%d periods' identities are in '%s': 'age -d -i FILE' opens what was captured with them; "
		    "erase them when "
		    "that is done\n"),
	    written, path_show(app->to, to, sizeof(to)));
	return APP_OK;
}
