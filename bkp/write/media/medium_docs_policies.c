/* medium_docs_policies: policy/ on a medium: the texts of the policies that the journal names, so that its copy can be read where the host is
 * gone; see medium_docs.h.
 *
 * A file's name is its SHA-256, and the journal, which is signed, names that: no list and no signature is needed.  What was written there once
 * is not changed again; a text that is not in the state folder any more is brought by nobody, and stays where it is. */
#include "base/err.h"
#include "base/text.h"
#include "write/media/medium_docs_private.h"
#include "write/state/policy_record.h"
#include "write/state/state.h"

static int put_policy(void *arg, const char *name, const struct buf *text_of, struct err *err)
{
	struct medium_docs *d = arg;

	return medium_docs_listed(d, MEDIUM_DOCS_POLICY, name, 0444, text_of->p, text_of->n, err);
}

int medium_docs_policies(struct medium_docs *d, struct err *err)
{
	struct err why = ERR_INIT;
	int r;

	d->vouched.n = 0; /* no list speaks for what stands there */
	r = policy_record_each(state_dirfd(d->state), put_policy, d, &why, err);
	if (!r && why.code[0])
		medium_docs_miss(d, &why);
	return r;
}
