/* operator: see operator.h. */
#include "cmd/operator.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/near.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app.h"
#include "format/policy.h"

#define PEOPLE_MAX 256

int operator_text(const struct app *app, const char *option, const char *value)
{
	char show[4 * OPERATOR_TEXT];

	if (!*value)
		return app_usage(app, text("option '%s' needs a value"), option);
	if (strlen(value) >= OPERATOR_TEXT)
		return app_usage(
		    app, text("the value of '%s' is too long: at most %d bytes"), option, OPERATOR_TEXT - 1);
	path_show(value, show, sizeof(show));
	if (strcmp(show, value) != 0)
		return app_usage(app,
		    text("the value of '%s' cannot be recorded as it is: '%s'; use printable UTF-8"), option,
		    show);
	return APP_OK;
}

static int unknown_person(const struct policy *policy, const char *name)
{
	BUF_AUTO all = BUF_INIT(400);
	const char *names[PEOPLE_MAX], *near;
	struct err err = ERR_INIT;
	size_t n = 0;

	for (; n < policy->n_people && n < PEOPLE_MAX; n++) {
		names[n] = policy->people[n].name;
		if (buf_printf(&all, NULL, "%s%s", n ? ", " : "", names[n]))
			break; /* there are more than a hint can name */
	}
	near = near_word(name, names, n);
	err_set(&err, "E-OPERATOR-01", text("the policy lists nobody called '%s'"), name);
	if (near)
		err_hint(&err, text("did you mean '%s'?"), near);
	if (!buf_terminate(&all, NULL))
		err_hint(&err, text("those listed are: %s"), (char *)all.p);
	err_hint(&err, "%s", text("see the policy's 'people'"));
	return app_error(&err, APP_USAGE);
}

int operator_check(const struct app *app, const struct policy *policy, const char *name)
{
	int code;

	if (!name)
		return app_usage(app, "%s", text("say who does it with --operator NAME"));
	code = operator_text(app, "--operator", name);
	if (code)
		return code;
	for (size_t i = 0; i < policy->n_people; i++)
		if (!strcmp(policy->people[i].name, name))
			return APP_OK;
	return policy->n_people ? unknown_person(policy, name) : APP_OK;
}
