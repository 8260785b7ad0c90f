/* cmd_guard: bkp guard: the command line.
 *
 * Each word is a row of forms[]: which options it takes, how many words follow, and the function. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/guard/cmd_guard.h"
#include "format/policy/policy.h"

static const struct form {
	const char *what;
	unsigned options; /* enum guard_option */
	int min, max;	  /* words behind it */
	cmd_guard_fn *run;
} forms[] = {
    {"show", 0, 0, 1, cmd_guard_show},
    {"since", 0, 1, 2, cmd_guard_since},
    {"canary",
	GUARD_DATASETS | GUARD_OPERATOR | GUARD_PER_FOLDER | GUARD_COUNT | GUARD_EXCLUDE | GUARD_DRY_RUN |
	    GUARD_YES,
	1, 1, cmd_guard_canary},
};

static const struct form *find_form(const struct app *app, const struct guard_request *q, int *ret_code)
{
	for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		const struct form *f = &forms[i];

		if (!q->what || strcmp(f->what, q->what) != 0)
			continue;
		if (!(q->given & ~f->options) && q->n >= f->min && q->n <= f->max)
			return f;
		*ret_code = app_usage(app,
		    q->given & ~f->options ? text("'guard %s' does not take one of these options")
					   : text("'guard %s' does not take these words"),
		    q->what);
		return NULL;
	}
	*ret_code = app_usage(app, "%s", text("say what: 'bkp guard --help' shows it"));
	return NULL;
}

static int take(const struct app *app, struct guard_request *q, unsigned option)
{
	q->given |= option;
	if (option == GUARD_DATASETS)
		q->datasets = optarg;
	if (option == GUARD_OPERATOR)
		q->operator= optarg;
	if (option == GUARD_COUNT)
		q->count = optarg;
	if (option == GUARD_EXCLUDE && q->n_exclude == GUARD_EXCLUDES)
		return app_usage(app, text("--exclude: %d at most"), GUARD_EXCLUDES);
	if (option == GUARD_EXCLUDE)
		q->exclude[q->n_exclude++] = optarg;
	return APP_OK;
}

int cmd_guard(struct app *app, int argc, char **argv)
{
	/* in the order of enum guard_option */
	static const struct option own[] = {{"datasets", required_argument, NULL, 1},
	    {"operator", required_argument, NULL, 2}, {"per-folder", no_argument, NULL, 3},
	    {"count", required_argument, NULL, 4}, {"exclude", required_argument, NULL, 5},
	    {"dry-run", no_argument, NULL, 6}, {"yes", no_argument, NULL, 7}, {NULL, 0, NULL, 0}};
	struct guard_request q = {0};
	const struct form *form;
	POLICY_AUTO policy = NULL;
	int code = APP_OK, opt;

	while ((opt = app_getopt(app, argc, argv, own, &code)) != -1) {
		if (opt == APP_OPT_STOP)
			return code;
		code = take(app, &q, 1U << (opt - 1));
		if (code)
			return code;
	}
	if (optind < argc)
		q.what = argv[optind++];
	q.words = argv + optind;
	q.n = argc - optind;
	form = find_form(app, &q, &code);
	if (!form || (code = app_policy(app, &policy)))
		return code;
	return form->run(app, policy, &q);
}
