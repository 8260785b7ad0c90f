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
#include "format/crypto/minisig.h"
#include "format/journal/approval.h"
#include "format/policy/policy.h"

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

int signed_file_person(const struct policy *policy, const struct buf *statement, const struct buf *signature,
    const struct policy_person **ret, struct err *err)
{
	struct minisig_public key;
	size_t which;

	for (size_t i = 0; i < policy->n_people; i++) {
		*ret = &policy->people[i];
		if ((*ret)->key && !minisig_public_parse((*ret)->key, &key, NULL) &&
		    !approval_verify(&key, 1, statement->p, statement->n, (const char *)signature->p,
			signature->n, &which, NULL))
			return 0;
	}
	err_set_kind(
	    err, ERR_FORGED, "E-USE-04", "%s", text("its signature is not that of a person of the policy"));
	return err_hint(err, "%s",
	    text("the signer's key must stand in the policy (people, public_key); if it does, "
		 "keep the file as it is and ask who brought it"));
}
