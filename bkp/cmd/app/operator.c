/* operator: see operator.h.
 *
 * Nobody is authenticated here: --operator says who is responsible, and the record says what was typed, beside the user of
 * the system.  Names that the policy does not list are refused and recorded. */
#include "cmd/app/operator.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/suggest.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/outcome.h"
#include "format/policy/policy.h"

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

/* Those with one of the roles, where the policy says who they are. */
static size_t who_may(const struct policy *policy, unsigned roles, const char *names[OPERATOR_NAMES])
{
	size_t n = 0;

	for (size_t i = 0; i < policy->n_people && n < OPERATOR_NAMES; i++)
		if (policy->people[i].roles & roles)
			names[n++] = policy->people[i].name;
	for (size_t i = 0; !n && i < policy->n_people && i < OPERATOR_NAMES; i++)
		names[i] = policy->people[i].name;
	return n ? n : policy->n_people < OPERATOR_NAMES ? policy->n_people : OPERATOR_NAMES;
}

size_t operator_names(const struct policy *policy, const char *names[OPERATOR_NAMES])
{
	return who_may(policy, POLICY_OPERATOR | POLICY_MANAGER, names);
}

static int unknown_person(
    struct app *app, const struct policy *policy, const char *const *names, size_t n, const char *name)
{
	BUF_AUTO all = BUF_INIT(400);
	const char *near = suggest_word(name, names, n);
	char meant[OPERATOR_TEXT * 2] = "", listed[500];
	struct err err = ERR_INIT;

	for (size_t i = 0; i < n; i++)
		if (buf_printf(&all, NULL, "%s%s", i ? ", " : "", names[i]))
			break; /* there are more than a hint can name */
	err_set(&err, "E-OPERATOR-01", text("the policy lists nobody called '%s'"), name);
	if (near)
		snprintf(meant, sizeof(meant), text("did you mean '%s'?"), near);
	if (!buf_terminate(&all, NULL)) {
		snprintf(listed, sizeof(listed), text("those listed are: %s"), (char *)all.p);
		err_hint(&err, "%s%s%s", meant, near ? " " : "", listed);
	}
	err_hint(&err, "%s", text("see the policy's 'people'"));
	outcome_refused(app, policy, APP_USAGE, err.msg);
	return app_error(&err, APP_USAGE);
}

static int check_person(
    struct app *app, const struct policy *policy, const char *option, unsigned roles, const char *name)
{
	const char *names[OPERATOR_NAMES];
	size_t n;
	int code = operator_text(app, option, name);

	if (code || !policy->n_people)
		return code;
	n = who_may(policy, roles, names);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return APP_OK;
	return unknown_person(app, policy, names, n, name);
}

/* Bringing media in and out is the operators' and managers' business. */
int operator_check(struct app *app, const struct policy *policy, const char *name)
{
	return name ? check_person(app, policy, "--operator", POLICY_OPERATOR | POLICY_MANAGER, name)
		    : app_usage(app, "%s", text("say who does it with --operator NAME"));
}

int operator_witness(struct app *app, const struct policy *policy, const char *name, const char *operator)
{
	struct err err = ERR_INIT;

	if (operator&& !strcmp(name, operator)) {
		err_set(&err, "E-MEDIA-24", text("'%s' cannot be operator and witness at once"), name);
		err_hint(&err, "%s", text("a second person watches, and is named with --witness"));
		outcome_refused(app, policy, APP_USAGE, err.msg);
		return app_error(&err, APP_USAGE);
	}
	return check_person(app, policy, "--witness", POLICY_WITNESS, name);
}
