/* root_key: see root_key.h. */
#include "cmd/app/root_key.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/minisig.h"

#define KEY_FILE_MAX ((size_t)4096)
#define PUBLIC_LINE  100 /* characters: a public key has 56, a secret one, with a password or without, 212 */
#define SHOW	     256

/* Its second line is a key of minisign's, and too long for a public one. */
static bool is_secret(const char *p)
{
	const char *line = strchr(p, '\n');

	return line && !strncmp(line + 1, "RW", 2) && strcspn(line + 1, "\r\n") > PUBLIC_LINE;
}

int root_key_refuse_secret(const char *word, const char *code, struct err *err)
{
	BUF_AUTO b = BUF_INIT(KEY_FILE_MAX);
	char show[SHOW];
	bool secret = !io_read_file(AT_FDCWD, word, &b, NULL) && !buf_terminate(&b, NULL) &&
		      is_secret((const char *)b.p);

	if (b.p)
		sodium_memzero(b.p, b.cap);
	if (!secret)
		return 0;
	err_set(err, code, text("'%s' is the file of a secret key: here the public root key, RW…, is meant"),
	    path_show(word, show, sizeof(show)));
	return err_hint(err, "%s",
	    text("type the root key of the paper of 'bkp init', and put the secret one back where nobody "
		 "else gets it"));
}

int root_key_read(const char *s, struct minisig_public *ret, struct err *err)
{
	BUF_AUTO b = BUF_INIT(KEY_FILE_MAX);

	if (!minisig_public_parse(s, ret, NULL))
		return 0;
	if (root_key_refuse_secret(s, "E-SIG-05", err))
		return -1;
	if (io_read_file(AT_FDCWD, s, &b, NULL))
		return err_set(err, "E-SIG-05", text("'%s' is neither a public key nor a file with one"), s);
	if (b.n && b.n < 64 && b.p[0] == 'R' && !buf_terminate(&b, NULL)) {
		/* the bare line, as somebody typed it off the paper */
		b.p[strcspn((char *)b.p, " \t\r\n")] = '\0';
		return minisig_public_parse((char *)b.p, ret, err);
	}
	return minisig_public_file_parse((const char *)b.p, b.n, ret, err);
}
