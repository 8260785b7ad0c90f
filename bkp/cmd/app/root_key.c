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
