/* expiry_stands: does what the journal counts stand on the medium?  See expiry.h.
 *
 * Something goes because newer generations were verified.  That stands in the journal, which whoever has this
 * host's signing key can write: before anything goes on its word, their signed lists are read and every file
 * is looked for.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "format/generation.h"
#include "format/minisig.h"
#include "format/policy.h"
#include "read/digestset.h"
#include "read/inside.h"
#include "read/ledger.h"
#include "read/medium.h"
#include "read/vault_r.h"
#include "write/expiry_private.h"
#include "write/state.h"

#define ARCHIVES_MAX ((size_t)32 << 20)

static bool goes(const struct expiry_medium *m, uint64_t number)
{
	for (size_t i = 0; i < m->n_items; i++)
		if (m->items[i].number == number)
			return true;
	return false;
}

static bool counts(const struct ledger_generation *g, const char *uuid)
{
	for (size_t i = 0; g->state == LEDGER_COMMITTED && i < g->n_copies; i++)
		if (g->copies[i].ok && !strcmp(g->copies[i].medium, uuid))
			return g->copies[i].verified_ns && !g->copies[i].damaged_ns;
	return false;
}

/* Every file of it that was not looked for yet. */
static int look_for_files(
    struct vault_r *v, const struct vault_r_generation *g, struct digestset *seen, struct err *why)
{
	const struct buf *sums = vault_r_sums(g);
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	struct stat st;
	size_t pos = 0;
	int r;

	while (!(r = generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, why))) {
		if (digestset_get(seen, sha256))
			continue;
		if (inside_stat(vault_r_fd(v), path, &st, why) || digestset_put(seen, sha256, 1, why))
			return -1;
		if (!st.st_size)
			return err_set(why, "E-VAULT-09", text("'%s' is empty"), path);
	}
	return r < 0 ? -1 : 0;
}

static int look_for(
    struct vault_r *v, const struct ledger_generation *lg, struct digestset *seen, struct err *why)
{
	struct vault_r_generation *g = NULL;
	int r = vault_r_generation_open(v, lg->number, &g, why);

	if (!r && strcmp(vault_r_manifest(g)->id.uuid, lg->uuid) != 0)
		r = err_set(why, "E-VAULT-06", "%s", text("it is another generation"));
	if (!r)
		r = look_for_files(v, g, seen, why);
	vault_r_generation_close(g);
	return r ? -1 : 0;
}

static int look_for_all(
    const struct expiry *e, const struct expiry_medium *m, struct vault_r *v, struct err *why)
{
	const struct ledger *l = state_ledger(e->state);
	struct digestset *seen = digestset_new(ARCHIVES_MAX);
	int r = seen ? 0 : err_nomem(why);

	for (size_t i = 0; !r && i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		struct err fault = ERR_INIT;

		if (!counts(g, m->judged->uuid) || goes(m, g->number) || !look_for(v, g, seen, &fault))
			continue;
		r = err_set(why, "E-EXPIRE-08",
		    text("nothing expires from '%s': generation %ju is recorded as verified there, and is "
			 "not whole: %s"),
		    m->policy->name, g->number, fault.msg);
		err_hint(why, text("run 'bkp verify --medium %s': only what stands there counts"),
		    m->policy->name);
	}
	if (seen)
		digestset_free(seen);
	return r;
}

void expiry_check_standing(const struct expiry *e, struct expiry_medium *m)
{
	char root[MINISIG_KEY_TEXT];
	struct vault_r *v = NULL;
	size_t n;

	if (!m->n_items)
		return;
	minisig_public_format(&state_keys(e->state, &n)[0], root);
	if (vault_r_open_at(medium_dirfd(m->medium), state_repository(e->state), root, &v, &m->kept_why) ||
	    look_for_all(e, m, v, &m->kept_why))
		expiry_clear(m);
	vault_r_close(v);
}
