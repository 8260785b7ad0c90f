/* provenance: see provenance.h.
 *
 * For each medium that was given, opened or not: a file that lies directly in the repository's folder
 * procedures/ (folder_of, by identity of the folder) must stand in the signed list; a file anywhere else on
 * the medium, or reached by a way that passes the medium, is refused (within_passes).  What was parsed is
 * compared by its hash, so that exchanging the file afterwards changes nothing.
 */
#include "restore/drill/provenance.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "read/store/store_dir.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/within.h"

#define FOLDER	 "procedures"
#define SUMS	 "SHA256SUMS"
#define SUMS_SIG "SHA256SUMS.minisig"
#define SUMS_MAX ((size_t)1 << 20)

/* The medium's folder of procedures, if `path` (absolute, no links) lies directly in it; else -1. */
static int folder_of(const struct vault_r *v, char *path)
{
	IO_FD_AUTO fd =
	    openat(store_dir_fd(vault_r_store(v)), FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
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

/* Is the line "sha256  name" in the list? */
static bool is_listed(const struct buf *sums, const char *name, const uint8_t *sha256)
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

static int check_signed_list(
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
	if (!is_listed(&sums, name, sha256))
		return err_set(err, "E-DRILL-24", "%s",
		    text("it is not in the signed list of procedures, or was changed since"));
	return 0;
}

static int refuse_procedure(const char *file, struct err *err)
{
	char shown[300];

	err_wrap(err, text("'%s' on the medium is not to be trusted"), path_show(file, shown, sizeof(shown)));
	err_hint(err, "%s", text("its commands would be run: take it from another medium, or from paper"));
	if (err)
		snprintf(err->code, sizeof(err->code), "E-DRILL-24");
	return -1;
}

/* Is it, or the way to it, on this medium at all?  Whoever tampers with a medium may put a procedure anywhere
 * on it, a link in the place of the folder, and damage the medium so that it cannot be opened.  1: it is and
 * is vouched for, 0: it is not there, -1. */
static int look_on(
    const struct app *app, size_t i, const char *file, char *path, const uint8_t *sha256, struct err *err)
{
	const struct vault_r *v = app->vaults[i];
	IO_FD_AUTO folder = path && v ? folder_of(v, path) : -1;
	IO_FD_AUTO medium = app_medium_folder(app, i);

	if (folder >= 0)
		return check_signed_list(v, folder, strrchr(path, '/') + 1, sha256, err)
			   ? refuse_procedure(file, err)
			   : 1;
	if (medium < 0 || !within_passes(file, medium))
		return 0;
	err_set(err, "E-DRILL-24", "%s", text("it does not lie in the medium's folder of procedures"));
	return refuse_procedure(file, err);
}

int provenance_check(
    const struct app *app, const char *file, const uint8_t *sha256, bool *ret_signed, struct err *err)
{
	char *path = realpath(file, NULL);
	bool is_signed = false;
	int r = 0;

	for (size_t i = 0; i < app->n_media && r >= 0; i++) {
		r = look_on(app, i, file, path, sha256, err);
		is_signed |= r > 0;
	}
	free(path);
	if (r < 0)
		return -1;
	*ret_signed = is_signed;
	return 0;
}
