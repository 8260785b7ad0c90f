/* signed_file: see signed_file.h. */
#include "cmd/app/signed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

int signed_file_read(const char *path, struct buf *out, struct err *err)
{
	char *real = realpath(path, NULL); /* a person may name a link */
	int r = io_read_file(AT_FDCWD, real ? real : path, out, err);

	free(real);
	return r ? -1 : 0;
}

int signed_file_write(const char *path, const struct buf *b, struct err *err)
{
	char show[256];
	int r = io_write_new(AT_FDCWD, path, 0644, b->p, b->n, err);

	if (!r && !io_sync_parent(path, err))
		return 0;
	if (!r)
		unlink(path);
	err_wrap(err, text("'%s' is not written"), path_show(path, show, sizeof(show)));
	return access(path, F_OK) ? -1 : err_hint(err, "%s", text("name a file that does not exist yet"));
}
