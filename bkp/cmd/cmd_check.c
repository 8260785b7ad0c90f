/* cmd_check: bkp check: is the policy valid, and what does it plan: who, when, where; with --diff what a
 * change of it means. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/show/check_diff.h"
#include "cmd/show/check_live.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "format/procedure/procedure.h"
#include "write/state/procedure_record.h"

static int report_problems(const struct app *app, const struct config_problems *p)
{
	BUF_AUTO b = BUF_INIT((size_t)1 << 20);
	struct err err = ERR_INIT;

	if (config_problems_format(p, app->config_path, &b, &err))
		return app_error(&err, APP_USAGE);
	if (b.n)
		fwrite(b.p, 1, b.n, stderr);
	return APP_OK;
}

static json_t *problem_list(const struct config_problems *p)
{
	json_t *list = json_array();

	for (size_t i = 0; i < p->n; i++)
		json_array_append_new(
		    list, json_pack("{s:i, s:i, s:s, s:s, s:s, s:s}", "line", (int)p->item[i].mark.line,
			      "column", (int)p->item[i].mark.column, "severity",
			      p->item[i].severity == CONFIG_ERROR ? "error" : "warning", "code",
			      p->item[i].code, "message", p->item[i].msg, "hint", p->item[i].hint));
	return list;
}

static const char *every_text(const struct config_every *e, char *out, size_t size)
{
	static const char *const units[] = {"h", "d", "w", "mo"};

	snprintf(out, size, "%u%s", e->n, units[e->unit]);
	return out;
}

static int show_plan(const struct policy *policy)
{
	BUF_AUTO plan = BUF_INIT((size_t)16 << 20);
	struct err err = ERR_INIT;

	if (policy_plan_render(policy, out_columns(), &plan, &err) || buf_terminate(&plan, &err))
		return app_error(&err, APP_FAILED);
	/* its tables fit; sentences are broken here */
	for (char *line = (char *)plan.p, *end; (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		out_wrapped(stdout, 0, (unsigned)strspn(line, " ") + 2, "%s", line);
	}
	return app_flush(APP_OK);
}

static json_t *plan_json(const struct policy *policy, const struct config_problems *problems)
{
	json_t *datasets = json_array(), *media = json_array();
	char every[32];

	for (size_t i = 0; i < policy->n_datasets; i++) {
		const struct policy_dataset *d = &policy->datasets[i];
		json_t *paths = json_array();

		for (size_t k = 0; k < d->n_paths; k++)
			json_array_append_new(paths, json_string(d->paths[k]));
		json_array_append_new(datasets,
		    json_pack("{s:s, s:s?, s:o, s:s?, s:s, s:i, s:s?, s:s?}", "name", d->name, "title",
			d->title, "paths", paths, "command", d->command, "every",
			every_text(&d->every, every, sizeof(every)), "generations", (int)d->generations,
			"importance", d->importance ? policy_importance_words[d->importance] : NULL, "owner",
			d->owner));
	}
	for (size_t i = 0; i < policy->n_media; i++) {
		const struct policy_medium *m = &policy->media[i];
		json_t *held = json_array();

		for (size_t k = 0; k < policy->n_datasets; k++)
			if (policy_medium_holds(m, policy->datasets[k].name))
				json_array_append_new(held, json_string(policy->datasets[k].name));
		json_array_append_new(media,
		    json_pack("{s:s, s:s, s:s?, s:s?, s:b, s:o}", "name", m->name, "type", m->type, "path",
			m->path, "place", m->place, "offline", (int)m->offline, "datasets", held));
	}
	return json_pack("{s:b, s:s, s:s, s:o, s:o, s:o}", "valid", 1, "site", policy->site_name, "state",
	    policy->state, "datasets", datasets, "media", media, "problems", problem_list(problems));
}

static int holidays_fault(const struct app *app, const struct err *why)
{
	if (app->json)
		return out_json(
		    json_pack("{s:b, s:[{s:s, s:s, s:s, s:s}]}", "valid", 0, "problems", "severity", "error",
			"code", why->code, "message", why->msg, "hint", why->hint),
		    APP_USAGE);
	return app_error(why, APP_USAGE);
}

/* The policy's target is the target; a procedure that states another one misleads who holds it. */
static void check_targets(const struct policy *policy, struct config_problems *problems)
{
	char own[POLICY_PLAN_TEXT], target[POLICY_PLAN_TEXT], shown[CONFIG_SHOWN];

	for (size_t i = 0; i < policy->n_procedures; i++) {
		const char *path = policy->procedures[i];
		struct procedure *p = procedure_record_read(path);
		const struct policy_dataset *d = NULL;
		int64_t rto_s = p ? procedure_other_rto(p, policy, &d) : 0;

		if (rto_s)
			config_problem_hint(
			    config_problem_warn(problems, d->mark, "E-POLICY-52",
				text("the procedure '%s' states an RTO of %s, and the policy %s for '%s': "
				     "the policy's counts"),
				config_problem_show(path, strlen(path), shown),
				policy_plan_duration(p->rto_s, own), policy_plan_duration(rto_s, target),
				d->name),
			    text("write the policy's into the procedure's 'rto', or take that line out of "
				 "it"));
		procedure_free(p);
	}
}

static int check_policy(struct app *app, struct config_problems *problems)
{
	POLICY_AUTO policy = NULL;
	struct err err = ERR_INIT;
	struct clock_stamp now;
	int r = app_policy_check(app, &policy, problems, &err), code;

	if (r < 0 || (r > 0 && !problems->n_errors))
		return app_error(&err, r < 0 ? APP_USAGE : APP_FAILED);
	if (!r) {
		app_warn_keeping(policy);
		clock_now(&now);
		check_targets(policy, problems);
		policy_evidence_check(policy, day_of(now.wall_ns), problems);
	}
	if (!r && policy->holidays_fault)
		return holidays_fault(app, policy->holidays_fault);
	if (app->json)
		return out_json(r ? json_pack("{s:b, s:o}", "valid", 0, "problems", problem_list(problems))
				  : plan_json(policy, problems),
		    r ? APP_USAGE : APP_OK);
	code = report_problems(app, problems);
	if (code || r)
		return APP_USAGE;
	return app->quiet ? APP_OK : show_plan(policy);
}

static int compare_policies(struct app *app, const char *against)
{
	POLICY_AUTO policy = NULL;
	int code = app_policy(app, &policy);

	return code ? code : check_diff(app, policy, against);
}

static int check_now(struct app *app)
{
	POLICY_AUTO policy = NULL;
	int code = app_policy(app, &policy);

	return code ? code : check_live(app, policy);
}

int cmd_check(struct app *app, int argc, char **argv)
{
	enum { DIFF = 1, AGAINST, LIVE };
	static const struct option own[] = {{"diff", no_argument, NULL, DIFF},
	    {"against", required_argument, NULL, AGAINST}, {"live", no_argument, NULL, LIVE},
	    {NULL, 0, NULL, 0}};
	const char *against = NULL;
	bool diff = false, now = false;
	struct config_problems *problems;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		diff = diff || opt == DIFF;
		now = now || opt == LIVE;
		if (opt == AGAINST)
			against = optarg;
	}
	if (optind < argc)
		return app_usage(app, "%s", text("'check' takes options only"));
	if (against && !diff)
		return app_usage(app, "%s", text("--against goes with --diff"));
	if (diff && now)
		return app_usage(app, "%s", text("--live and --diff exclude each other"));
	if (now)
		return check_now(app);
	if (diff)
		return compare_policies(app, against);
	problems = calloc(1, sizeof(*problems));
	if (!problems) {
		struct err err = ERR_INIT;

		err_nomem(&err);
		return app_error(&err, APP_FAILED);
	}
	code = check_policy(app, problems);
	free(problems);
	return code;
}
