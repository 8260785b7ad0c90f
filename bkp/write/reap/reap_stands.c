/* reap_stands: does what the journal counts stand on the medium?  See reap.h.
 *
 * Something goes because newer generations were verified.  That stands in the journal, which whoever has this
 * host's signing key can write: before anything goes on its word, their signed lists are read and every file
 * is looked for.
 */
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/file/digestset.h"
#include "read/store/store.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "read/vault/vault_r.h"
#include "write/state/state.h"
#include "write/reap/reap.h"

#define ARCHIVES_MAX ((size_t)32 << 20)

static bool is_leaving(const struct reap_item *items, size_t n, const struct ledger_generation *g)
{
	for (size_t i = 0; i < n; i++)
		if (items[i].number == g->number && !strcmp(items[i].dataset, g->dataset))
			return true;
	return false;
}

static bool counts_there(const struct ledger_generation *g, const char *uuid)
{
	const struct ledger_copy *c = ledger_copy_there(g, uuid);

	return c && c->verified_ns && !c->damaged_ns;
}

/* Every file of it that was not looked for yet. */
static int look_for_files(const struct vault_r_generation *g, struct digestset *seen, struct err *why)
{
	const struct buf *sums = vault_r_sums(g);
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	uint64_t size;
	size_t pos = 0;
	int r;

	while (!(r = generation_sums_next((const char *)sums->p, sums->n, &pos, sha256, path, why))) {
		if (digestset_get(seen, sha256))
			continue;
		if (store_size(vault_r_generation_store(g), path, &size, why) ||
		    digestset_put(seen, sha256, 1, why))
			return -1;
		if (!size)
			return err_set_kind(why, ERR_INCOMPLETE, "E-VAULT-09", text("'%s' is empty"), path);
	}
	return r < 0 ? -1 : 0;
}

static int look_for(
    struct vault_r *v, const struct ledger_generation *lg, struct digestset *seen, struct err *why)
{
	struct vault_r_generation *g = NULL;
	int r = vault_r_generation_open(v, lg->dataset, lg->number, &g, why);

	if (!r && strcmp(vault_r_manifest(g)->id.uuid, lg->uuid) != 0)
		r = err_set_kind(why, ERR_FORGED, "E-VAULT-06", "%s", text("it is another generation"));
	if (!r)
		r = look_for_files(g, seen, why);
	vault_r_generation_close(g);
	return r ? -1 : 0;
}

static int look_for_all(const struct ledger *l, const struct medium *m, const struct reap_item *items,
    size_t n, struct vault_r *v, struct err *why)
{
	struct digestset *seen = digestset_new(ARCHIVES_MAX);
	int r = seen ? 0 : err_nomem(why);

	for (size_t i = 0; !r && i < ledger_generations(l); i++) {
		const struct ledger_generation *g = ledger_generation(l, i);
		struct err fault = ERR_INIT;
		char label[GENERATION_LABEL];

		if (!counts_there(g, medium_uuid(m)) || is_leaving(items, n, g) ||
		    !look_for(v, g, seen, &fault))
			continue;
		r = err_set(why, "E-EXPIRE-08",
		    text("nothing expires from '%s': generation %s is recorded as verified there, and is "
			 "not whole: %s"),
		    medium_label(m), generation_label(g->dataset, g->number, label), fault.msg);
		err_hint(why, text("run 'bkp verify --medium %s': only what stands there counts"),
		    medium_label(m));
	}
	if (seen)
		digestset_free(seen);
	return r;
}

int reap_stands(
    const struct state *s, const struct medium *m, const struct reap_item *items, size_t n, struct err *why)
{
	const struct ledger *l = state_ledger(s);
	struct vault_r *v = NULL;
	int r;

	r = vault_r_open_medium(m, state_repository(s), ledger_root(l), &v, why) ||
	    look_for_all(l, m, items, n, v, why);
	vault_r_close(v);
	return r ? -1 : 0;
}
