/* secret_file: see secret_file.h. */
#include "read/file/secret_file.h"

#include <errno.h>
#include <fcntl.h>

#include <sodium.h>

#include "base/err.h"
#include "base/io.h"
#include "base/text.h"

#define KEY_MAX 4096

int secret_file_read(const char *path, struct minisig_secret **ret, struct err *err)
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

void secret_file_forget(struct minisig_secret *key)
{
	sodium_free(key);
}
