/* picked: see picked.h. */
#include "cmd/app/picked.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "format/policy/policy.h"

static int pick(const struct app *app, const struct policy *policy, const char *name, bool *picked)
{
	const struct policy_dataset *d = policy_find_dataset(policy, name);
	char show[4 * GENERATION_NAME];

	if (!d)
		return app_unknown(app, policy_suggest_dataset(policy, name),
		    text("'%s' is not a data set of the policy"), path_show(name, show, sizeof(show)));
	picked[d - policy->datasets] = true;
	return APP_OK;
}

int picked_datasets(const struct app *app, const struct policy *policy, const char *list, bool **ret)
{
	bool all = !list || !strcmp(list, "all"), *picked = calloc(policy->n_datasets, sizeof(*picked));
	char name[GENERATION_NAME];
	struct err err = ERR_INIT;
	int code = APP_OK;

	if (!picked) {
		err_nomem(&err);
		return app_error(&err, APP_FAILED);
	}
	for (size_t i = 0; all && i < policy->n_datasets; i++)
		picked[i] = true;
	for (bool more = !all; more && !code;) {
		size_t n = strcspn(list, ",");

		if (!n || n >= sizeof(name)) {
			code = app_usage(
			    app, "%s", text("--datasets takes names with commas between them, or 'all'"));
			break;
		}
		memcpy(name, list, n);
		name[n] = '\0';
		code = pick(app, policy, name, picked);
		more = list[n] == ',';
		list += n + 1;
	}
	if (code)
		free(picked);
	else
		*ret = picked;
	return code;
}
