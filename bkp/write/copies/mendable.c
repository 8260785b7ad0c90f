/* mendable: see mendable.h. */
#include "write/copies/mendable.h"

#include <stdbool.h>
#include <stdio.h>

#include "base/err.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/verify/verify.h"
#include "write/parity/parity_plan.h"

#define MEDIA_MAX 64

static bool is_enough(
    const struct store *const *repos, size_t n, const char *dataset, const uint8_t sha256[DIGEST_LEN])
{
	struct parity_plan *plan = NULL;
	bool mendable =
	    !parity_plan_new(repos, n, dataset, sha256, &plan, NULL) && parity_plan_mendable(plan);

	parity_plan_free(plan);
	return mendable;
}

enum mendable mendable_look(const struct medium *const *media, size_t n, const char *dataset,
    const uint8_t sha256[DIGEST_LEN], enum mend_how *ret_how, const char **ret_from)
{
	char archive[ARCFILE_PATH], set[GENERATION_SET_DIR], path[ARCFILE_PATH + GENERATION_SET_DIR];
	const struct store *repos[MEDIA_MAX];

	n = n > MEDIA_MAX ? MEDIA_MAX : n;
	for (size_t i = 0; i < n; i++)
		repos[i] = medium_repo(media[i]);
	snprintf(
	    path, sizeof(path), "%s/%s", generation_set_dir(dataset, set), arcfile_path(sha256, archive));
	if (!verify_file(repos[0], path, sha256, true, NULL, NULL))
		return MENDABLE_WHOLE;
	*ret_from = NULL;
	*ret_how = MEND_PARITY;
	if (is_enough(repos, 1, dataset, sha256))
		return MENDABLE;
	*ret_how = MEND_MEDIUM;
	for (size_t i = 1; i < n; i++) {
		*ret_from = medium_label(media[i]);
		if (!verify_file(repos[i], path, sha256, false, NULL, NULL))
			return MENDABLE;
	}
	*ret_from = NULL;
	*ret_how = MEND_SEVERAL;
	return n > 1 && is_enough(repos, n, dataset, sha256) ? MENDABLE : MENDABLE_LOST;
}
