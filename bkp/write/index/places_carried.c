/* places_carried: see places_carried.h. */
#include "write/index/places_carried.h"

#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/age.h"
#include "read/ledger/ledger.h"
#include "read/vault/vault_r.h"
#include "read/verify/verify.h"

int places_carried(struct vault_r *v, const struct ledger *l, const struct ledger_generation *lg,
    const struct age_identity *own, places_fn *fn, void *arg, struct err *err)
{
	BUF_AUTO plain = BUF_INIT(GENERATION_PLACES_MAX);
	struct vault_r_generation *g = NULL;
	struct verify_record record;
	struct err why = ERR_INIT;
	int r = 0;

	if (vault_r_generation_open(v, lg->dataset, lg->number, &g, NULL))
		return 0;
	if (ledger_generation_record(l, lg->dataset, lg->number, &record) == 1 &&
	    !verify_is_another(&record, g, "", NULL) && !verify_is_later(&record, g, "", NULL) &&
	    !vault_r_places(v, g, own, 1, &plain, NULL) &&
	    places_read(&plain, &vault_r_manifest(g)->id, fn, arg, &why) && why.kind == ERR_CACHE) {
		if (err)
			*err = why;
		r = -1;
	}
	vault_r_generation_close(g);
	return r;
}
