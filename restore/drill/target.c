/* target: see target.h. */
#include "restore/drill/target.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/drill/drill.h"

/* The signed name is all that vouches for the text. */
static bool read_policy(const struct vault_r *v, const char *sha256, struct policy **ret)
{
	BUF_AUTO b = BUF_INIT(POLICY_BYTES_MAX);
	uint8_t is[DIGEST_LEN];
	char path[16 + DIGEST_HEX], hex[DIGEST_HEX];

	snprintf(path, sizeof(path), "policy/%s.yaml", sha256);
	if (!v || store_read(vault_r_store(v), path, &b, NULL))
		return false;
	digest_sha256(b.p, b.n, is);
	return !strcmp(digest_hex(is, DIGEST_LEN, hex), sha256) &&
	       !policy_parse(path, (const char *)b.p, b.n, ret, NULL, NULL);
}

static bool is_restored(const struct drill *d, const struct drill_generation *g)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->step[i].is->kind == PROCEDURE_RESTORE && d->step[i].from == g)
			return true;
	return false;
}

static void take_targets(struct drill *d, const struct policy *p)
{
	int64_t rto = 0, rpo = 0;

	for (size_t i = 0; i < d->n_generations; i++) {
		const struct drill_generation *g = &d->generation[i];
		const struct policy_dataset *set = policy_find_dataset(p, g->dataset);

		if (!set || !is_restored(d, g))
			continue;
		if (policy_stricter(rto, set->rto_s) != rto)
			snprintf(d->rto_of, sizeof(d->rto_of), "%s", g->dataset);
		rto = policy_stricter(rto, set->rto_s);
		rpo = policy_stricter(rpo, set->rpo_s);
	}
	d->rto_s = rto ? rto : d->rto_s;
	d->rpo_s = rpo ? rpo : d->rpo_s;
}

static void say_target(const struct app *app, const struct drill *d)
{
	const int64_t own = d->procedure->rto_s;
	char span[CLOCK_SPAN], other[CLOCK_SPAN];
	struct err err = ERR_INIT;

	clock_format_span((double)d->rto_s, span);
	if (d->rto_of[0] && own && own != d->rto_s) {
		err_set(&err, "W-DRILL-02",
		    text(
			"the procedure states an RTO of %s, and the policy %s for '%s': the policy's counts"),
		    clock_format_span((double)own, other), span, d->rto_of);
		err_hint(&err, "%s",
		    text("write the policy's into the procedure's 'rto', or take that line out of it"));
		app_error(&err, APP_ATTENTION);
	} else if (d->rto_of[0]) {
		app_note(app, text("RTO: %s, by the policy for '%s'"), span, d->rto_of);
	} else if (d->rto_s && d->policy_sha256[0]) {
		app_note(
		    app, text("RTO: %s, by the procedure: the policy states none for its data sets"), span);
	} else if (d->rto_s) {
		app_note(app, text("RTO: %s, by the procedure: no text of the policy is at hand"), span);
	}
}

void target_find(const struct app *app, const struct ledger *l, struct drill *d)
{
	const char *sha256 = l ? ledger_policy_sha256(l) : "";
	struct policy *p = NULL;

	d->rto_s = d->procedure->rto_s;
	d->rpo_s = d->procedure->rpo_s;
	d->rto_of[0] = d->policy_sha256[0] = '\0';
	for (size_t i = 0; *sha256 && i < app->n_media; i++)
		if (read_policy(app->vaults[i], sha256, &p))
			break;
	if (p) {
		snprintf(d->policy_sha256, sizeof(d->policy_sha256), "%s", sha256);
		take_targets(d, p);
	}
	policy_free(p);
	say_target(app, d);
}
