/* guard_since: see cmd_guard.h.  From the journal alone: no medium is looked at, no key is needed. */
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "cmd/guard/cmd_guard.h"
#include "format/guard/timeline.h"
#include "format/medium/selector.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/ledger/ledger_timeline.h"

static int show(const struct app *app, const struct timeline_row *rows, size_t n, uint64_t from)
{
	BUF_AUTO out = BUF_INIT(TIMELINE_MAX);
	struct err err = ERR_INIT;
	size_t signs = 0;

	if (app->json) {
		json_t *sets = ledger_timeline_json(rows, n, from, &signs);

		return out_json(json_pack("{s:I, s:o}", "since", (json_int_t)from, "datasets", sets),
		    signs ? APP_ATTENTION : APP_OK);
	}
	if (ledger_timeline_text(rows, n, from, &signs, &out, &err))
		return app_error(&err, APP_FAILED);
	fwrite(out.p, 1, out.n, stdout);
	return app_flush(signs ? APP_ATTENTION : APP_OK);
}

static int show_since(const struct app *app, const struct ledger *l, const char *dataset, uint64_t from)
{
	struct timeline_row *rows = NULL;
	struct err err = ERR_INIT;
	size_t n = 0, first;
	int code;

	if (ledger_timeline(l, dataset, &rows, &n, &err))
		return app_error(&err, APP_FAILED);
	for (first = 0; first < n && rows[first].number < from;)
		first++;
	if (first == n) {
		char name[GENERATION_NAME + 8] = "";

		err_set(&err, "E-SELECT-03", text("there is no generation %s from run %ju on"),
		    dataset ? path_show(dataset, name, sizeof(name)) : "", (uintmax_t)from);
		err_hint(&err, "%s", text("see them with 'bkp generations'"));
		code = app_error(&err, APP_FAILED);
	} else {
		code = show(app, rows, n, from);
	}
	free(rows);
	return code;
}

int cmd_guard_since(struct app *app, const struct policy *policy, const struct guard_request *q)
{
	struct ledger *l = NULL;
	struct selector s;
	struct err err = ERR_INIT;
	const char *dataset;
	int code;

	if (selector_parse(q->words[0], &s, &err))
		return app_error(&err, APP_USAGE);
	dataset = q->n > 1 ? q->words[1] : s.dataset[0] ? s.dataset : NULL;
	code = app_ledger(app, policy, &l);
	if (!code && dataset && !policy_find_dataset(policy, dataset) && !ledger_last_committed(l, dataset))
		code = app_unknown(app, policy_suggest_dataset(policy, dataset),
		    text("'%s' is not a data set of the policy, and there is no generation of it"), dataset);
	if (!code)
		code = show_since(
		    app, l, dataset, s.kind == SELECTOR_NUMBER ? s.number : ledger_select(l, &s, s.dataset));
	ledger_free(l);
	return code;
}
