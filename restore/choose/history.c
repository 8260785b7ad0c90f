/* history: see history.h. */
#include "restore/choose/history.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "format/guard/timeline.h"
#include "format/medium/generation.h"
#include "read/ledger/ledger_timeline.h"
#include "restore/app/app.h"

#define OLDER 2 /* lines before the chosen one */
#define NEWER 4 /* and behind it */

void history_say(const struct app *app, const struct ledger *l, const char *dataset, uint64_t chosen)
{
	char label[GENERATION_LABEL], when[CLOCK_TEXT];
	struct timeline_row *rows = NULL;
	size_t n = 0, at = 0;

	if (!l || ledger_timeline(l, dataset, &rows, &n, NULL))
		return;
	while (at < n && rows[at].number != chosen)
		at++;
	for (size_t i = at > OLDER ? at - OLDER : 0; at < n && i < n && i <= at + NEWER; i++)
		app_note(app, "  %s %s  %s  %s", i == at ? "→" : "  ",
		    generation_label(dataset, rows[i].number, label),
		    clock_format_local(rows[i].begun_ns, when), timeline_verdict_text(rows[i].verdict));
	if (at < n && at + NEWER < n - 1)
		app_note(app, text("     and %zu newer ones"), n - 1 - at - NEWER);
	free(rows);
}

const char *history_verdict(const struct ledger *l, const char *dataset, uint64_t number)
{
	struct timeline_row *rows = NULL;
	const char *said = "";
	size_t n = 0;

	if (!l || ledger_timeline(l, dataset, &rows, &n, NULL))
		return "";
	for (size_t i = 0; i < n; i++)
		if (rows[i].number == number)
			said = timeline_verdict_text(rows[i].verdict);
	free(rows);
	return said;
}
