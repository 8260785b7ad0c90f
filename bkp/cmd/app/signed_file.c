/* signed_file: see signed_file.h. */
#include "cmd/app/signed_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define KEY_MAX 4096

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

int signed_file_key(const char *path, struct minisig_secret **ret, struct err *err)
{
	struct minisig_secret *key = NULL;
	IO_FD_AUTO fd = -1;
	char *p = NULL;
	ssize_t n = -1;
	int r = -1;

	if (sodium_init() < 0 || !(p = sodium_malloc(KEY_MAX)) || !(key = sodium_malloc(sizeof(*key)))) {
		sodium_free(p);
		return err_nomem(err);
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || (n = io_read_full(fd, p, KEY_MAX)) < 0)
		err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), path);
	else
		r = minisig_secret_file_parse(p, (size_t)n, key, err);
	if (r && n >= 0)
		err_wrap(err, "'%s'", path);
	sodium_free(p);
	if (r)
		sodium_free(key);
	else
		*ret = key;
	return r ? -1 : 0;
}

void signed_file_forget(struct minisig_secret *key)
{
	sodium_free(key);
}
