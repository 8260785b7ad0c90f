/* parity_mend: see parity_mend.h. */
#include "write/parity/parity_mend.h"

#include <stdio.h>

#include "base/err.h"
#include "base/text.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "write/pack/vault_w.h"
#include "write/parity/parity_plan.h"
#include "write/reap/reap.h"

struct staged {
	struct vault_w *to;
	struct store_staged *f;
};

static int put_staged(void *arg, const void *p, size_t n, struct err *err)
{
	const struct staged *s = arg;

	return vault_w_write(s->to, s->f, p, n, err);
}

/* 0, PARITY_LOST, -1. */
static int write_mended(struct vault_w *to, struct parity_plan *plan, const char *dataset,
    const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	char archive[ARCFILE_PATH], set[GENERATION_SET_DIR], path[ARCFILE_PATH + GENERATION_SET_DIR];
	struct staged s = {.to = to};
	int r = vault_w_stage(to, &s.f, err);

	if (r)
		return -1;
	r = parity_plan_write(plan, put_staged, &s, err);
	snprintf(
	    path, sizeof(path), "%s/%s", generation_set_dir(dataset, set), arcfile_path(sha256, archive));
	if (!r)
		r = reap_thaw(vault_w_store(to), path, err);
	if (r) {
		vault_w_discard(to, s.f);
		return r < 0 ? -1 : PARITY_LOST;
	}
	return vault_w_replace_archive(to, dataset, s.f, sha256, err);
}

int parity_mend(struct vault_w *to, const struct store *const *repos, size_t n, const char *dataset,
    const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	struct parity_plan *plan = NULL;
	int r = parity_plan_new(repos, n, dataset, sha256, &plan, err);

	if (r)
		return r < 0 ? -1 : PARITY_LOST;
	if (parity_plan_mendable(plan)) {
		r = write_mended(to, plan, dataset, sha256, err);
	} else {
		err_set(err, "E-PARITY-04", "%s", text("more of it is lost than its parity gives back"));
		r = PARITY_LOST;
	}
	parity_plan_free(plan);
	return r;
}
