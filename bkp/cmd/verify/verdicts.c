/* verdicts: see verdicts.h. */
#include "cmd/verify/verdicts.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/text.h"
#include "cmd/app/app.h"
#include "format/crypto/digest.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/vault/medium.h"
#include "write/copies/mendable.h"
#include "write/state/state.h"

#define MEDIA_MAX 64
#define KEY_MAX	  600

static const char *const how_words[MEND_HOWS] = {"host", "medium", "parity", "several"};

/* "datasets/emr/archives/ab/ab12….age" */
static bool archive_of(const char *path, char dataset[GENERATION_NAME], uint8_t sha256[DIGEST_LEN])
{
	const char *set = !strncmp(path, "datasets/", 9) ? path + 9 : NULL,
		   *rest = set ? strchr(set, '/') : NULL;

	if (!rest || (size_t)(rest - set) >= GENERATION_NAME || strncmp(rest, "/archives/", 10) != 0 ||
	    strlen(rest) < 13 + (size_t)2 * DIGEST_LEN || !digest_unhex(rest + 13, DIGEST_LEN, sha256))
		return false;
	snprintf(dataset, GENERATION_NAME, "%.*s", (int)(rest - set), set);
	return true;
}

void verdicts_add(struct verdicts *v, const char *medium, const char *path)
{
	char key[KEY_MAX], dataset[GENERATION_NAME];
	uint8_t sha256[DIGEST_LEN];

	if (!path || !archive_of(path, dataset, sha256))
		return;
	v->found = v->found ? v->found : json_object();
	snprintf(key, sizeof(key), "%s %s", medium, path);
	json_object_set_new(v->found, key, json_true());
}

/* Those of the policy that are attached; who is not is no source. */
static size_t open_media(
    const struct policy *policy, const struct state *state, struct medium *media[MEDIA_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < policy->n_media && n < MEDIA_MAX; i++) {
		const struct policy_medium *pm = &policy->media[i];
		const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(state), pm->name);
		struct medium_expect want = {.repository = state_repository(state), .label = pm->name};
		const char *path = pm->path ? pm->path : lm ? lm->path : NULL;

		if (!lm || !path)
			continue;
		want.uuid = lm->uuid;
		want.keys = state_keys(state, &want.n_keys);
		n += medium_open(path, &want, &media[n], NULL) == 0;
	}
	return n;
}

static void print_one(
    const char *medium, const char *path, enum mendable what, enum mend_how how, const char *from)
{
	if (what == MENDABLE_LOST)
		printf(text("%s: '%s': LOST: neither its parity nor another attached medium gives it back\n"),
		    medium, path);
	else if (how == MEND_PARITY)
		printf(text("%s: '%s': mendable from its parity\n"), medium, path);
	else if (how == MEND_MEDIUM)
		printf(text("%s: '%s': mendable from medium '%s'\n"), medium, path, from);
	else
		printf(text("%s: '%s': mendable from what several media still have of it\n"), medium, path);
}

static void tell_one(struct verdicts *v, const struct app *app, struct medium *const *media, size_t n,
    const char *key, json_t *list)
{
	const struct medium *in_order[MEDIA_MAX];
	char medium[KEY_MAX], dataset[GENERATION_NAME];
	const char *path = strrchr(key, ' ') + 1, *from = NULL;
	enum mend_how how = MEND_HOST;
	uint8_t sha256[DIGEST_LEN];
	enum mendable what;
	size_t k = 1;

	snprintf(medium, sizeof(medium), "%.*s", (int)(path - 1 - key), key);
	in_order[0] = NULL;
	for (size_t i = 0; i < n; i++) {
		if (!strcmp(medium_label(media[i]), medium))
			in_order[0] = media[i];
		else if (k < MEDIA_MAX)
			in_order[k++] = media[i];
	}
	if (!in_order[0] || !archive_of(path, dataset, sha256))
		return; /* it was pulled out: nothing is known */
	what = mendable_look(in_order, k, dataset, sha256, &how, &from);
	if (what == MENDABLE_WHOLE)
		return;
	v->mendable += what == MENDABLE;
	v->lost += what == MENDABLE_LOST;
	json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "medium", medium, "file", path,
					"verdict", what == MENDABLE ? "mendable" : "lost", "how",
					what == MENDABLE ? how_words[how] : NULL, "from", from));
	if (!app->json && !app->quiet)
		print_one(medium, path, what, how, from);
}

json_t *verdicts_tell(
    struct verdicts *v, const struct app *app, const struct policy *policy, const struct state *state)
{
	struct medium *media[MEDIA_MAX];
	json_t *list = json_array();
	const size_t n = v->found ? open_media(policy, state, media) : 0;
	const char *key;
	json_t *value;

	json_object_foreach(v->found, key, value) tell_one(v, app, media, n, key, list);
	for (size_t i = 0; i < n; i++)
		medium_close(media[i]);
	return list;
}

void verdicts_free(struct verdicts *v)
{
	json_decref(v->found);
	v->found = NULL;
}
