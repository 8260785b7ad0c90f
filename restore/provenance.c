/* provenance: see provenance.h. */
#include "provenance.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/digest.h"
#include "read/repository.h"
#include "read/vault_r.h"
#include "within.h"

#define FOLDER	 "procedures"
#define SUMS	 "SHA256SUMS"
#define SUMS_SIG "SHA256SUMS.minisig"
#define SUMS_MAX ((size_t)1 << 20)

/* The medium's folder of procedures, if `path` (absolute, no links) lies directly in it; else -1. */
static int folder_of(const struct vault_r *v, char *path)
{
	IO_FD_AUTO fd = openat(vault_r_fd(v), FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	char *slash = strrchr(path, '/');
	struct stat theirs, ours;
	int r;

	if (fd < 0 || fstat(fd, &ours))
		return -1;
	*slash = '\0';
	r = stat(slash == path ? "/" : path, &theirs);
	*slash = '/';
	return !r && theirs.st_dev == ours.st_dev && theirs.st_ino == ours.st_ino ? io_take(&fd) : -1;
}

/* Is it, or the way to it, on the medium at all?  A tamperer may put a procedure anywhere there, and a link
 * in the place of the folder. */
static bool on_medium(const struct vault_r *v, const char *file)
{
	IO_FD_AUTO medium = openat(vault_r_fd(v), "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

	return within_passes(file, medium < 0 ? vault_r_fd(v) : medium);
}

/* Is the line "sha256  name" in the list? */
static bool listed(const struct buf *sums, const char *name, const uint8_t *sha256)
{
	size_t n = strlen(name), i = 0;
	char hex[DIGEST_HEX];

	digest_hex(sha256, DIGEST_LEN, hex);
	while (i < sums->n) {
		const char *line = (const char *)sums->p + i;
		const char *end = memchr(line, '\n', sums->n - i);
		size_t len = end ? (size_t)(end - line) : sums->n - i;

		if (len == 2 * DIGEST_LEN + 2 + n && !memcmp(line, hex, (size_t)2 * DIGEST_LEN) &&
		    !memcmp(line + (size_t)2 * DIGEST_LEN, "  ", 2) &&
		    !memcmp(line + (size_t)2 * DIGEST_LEN + 2, name, n))
			return true;
		i += len + 1;
	}
	return false;
}

static int check(
    const struct vault_r *v, int folder, const char *name, const uint8_t *sha256, struct err *err)
{
	BUF_AUTO sums = BUF_INIT(SUMS_MAX), sig = BUF_INIT(SUMS_MAX);
	char said[MINISIG_COMMENT_MAX], wanted[MINISIG_COMMENT_MAX];

	if (io_read_file(folder, SUMS, &sums, err) || io_read_file(folder, SUMS_SIG, &sig, err))
		return err_set(
		    err, "E-DRILL-24", "%s", text("the list of procedures is not there or not signed"));
	if (vault_r_verify_signature(v, sums.p, sums.n, (const char *)sig.p, sig.n, said, NULL, err))
		return -1;
	repository_comment("procedures", vault_r_repository(v), wanted);
	if (strcmp(said, wanted) != 0)
		return err_set(err, "E-DRILL-24", "%s", text("the signature is for something else"));
	if (!listed(&sums, name, sha256))
		return err_set(err, "E-DRILL-24", "%s",
		    text("it is not in the signed list of procedures, or was changed since"));
	return 0;
}

int provenance_check(
    const struct vault_r *v, const char *file, const uint8_t *sha256, bool *ret_signed, struct err *err)
{
	char *path = realpath(file, NULL), shown[300];
	IO_FD_AUTO folder = path ? folder_of(v, path) : -1;
	int r = 0;

	if (folder >= 0 || on_medium(v, file)) {
		r = folder < 0 ? err_set(err, "E-DRILL-24", "%s",
				     text("it does not lie in the medium's folder of procedures"))
			       : check(v, folder, strrchr(path, '/') + 1, sha256, err);
		if (r) {
			err_wrap(err, text("'%s' on the medium is not to be trusted"),
			    path_show(file, shown, sizeof(shown)));
			err_hint(err, "%s",
			    text("its commands would be run: take it from another medium, or from paper"));
			if (err)
				snprintf(err->code, sizeof(err->code), "E-DRILL-24");
		}
	}
	free(path);
	if (!r)
		*ret_signed = folder >= 0;
	return r;
}
