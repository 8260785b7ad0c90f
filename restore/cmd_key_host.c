/* bkp-restore key host: what a host that captures must know of what is stored (which content is stored already, and where), for one that
 * takes the place of a lost one: `bkp init --continue`.  It opens no content. */
#include <stdio.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"

#define SECRETS_JSON "secrets.json"

static int write_secrets(
    struct app *app, const struct age_identity *ids, size_t n, struct buf *plain, int dir, struct err *err)
{
	return buf_reserve(plain, plain->max, err) || vault_r_secrets(app->vault, ids, n, plain, err) ||
		       io_write_new(dir, SECRETS_JSON, 0600, plain->p, plain->n, err) || io_sync_dir(dir, err)
		   ? -1
		   : 0;
}

int cmd_key_host(struct app *app)
{
	struct buf plain = BUF_INIT(VAULT_R_JSON_MAX);
	const struct age_identity *ids;
	struct err err = ERR_INIT;
	IO_FD_AUTO dir = -1;
	char to[256];
	size_t n;
	int code = cmd_key_folder(app, &dir, &err);

	if (!code)
		code = app_unlock(app, &ids, &n);
	if (code)
		return code;
	if (write_secrets(app, ids, n, &plain, dir, &err))
		code = app_error(&err, APP_FAILED);
	else
		printf(text("made '%s/%s': for the new host alone, with 'bkp init --continue'; it opens no "
			    "content, and is "
			    "erased "
			    "afterwards\n"),
		    path_show(app->to, to, sizeof(to)), SECRETS_JSON);
	if (plain.p)
		sodium_memzero(plain.p, plain.cap);
	buf_free(&plain);
	return code;
}
