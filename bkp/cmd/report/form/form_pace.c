/* form_pace: how fast each data set came back from each medium, drill by drill (復元速度の推移): one row for each time that it was measured. */
#include "cmd/report/form/form.h"

#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/text.h"
#include "read/drills/pace.h"
#include "read/ledger/ledger.h"

const struct fact_column form_pace_columns[] = {{"dataset", TEXT_LATER("Data set"), FACT_TEXT},
    {"medium", TEXT_LATER("Medium"), FACT_TEXT}, {"model", TEXT_LATER("Model"), FACT_TEXT},
    {"ended", TEXT_LATER("Ended"), FACT_TIME}, {"seconds_per_gb", TEXT_LATER("Seconds per GB"), FACT_TEXT},
    {"former", TEXT_LATER("Median of those before"), FACT_TEXT}, {"state", TEXT_LATER("State"), FACT_TEXT}};

static int put_row(const struct report *r, const struct pace *p, json_t *rows, struct err *err)
{
	const struct ledger_medium *m = *p->uuid ? ledger_medium_by_uuid(r->l, p->uuid) : NULL;
	char ended[FORM_TIME], pace[32], former[32] = "", state[FORM_TEXT] = "";

	snprintf(pace, sizeof(pace), "%.1f", p->s_per_gb);
	if (p->former > 0)
		snprintf(former, sizeof(former), "%.1f", p->former);
	if (p->slower)
		snprintf(state, sizeof(state), text("SLOWER: %.1f times"), p->s_per_gb / p->former);
	return form_row(rows, err, "dataset", form_dataset(r, p->dataset), "medium", p->label, "model",
	    m ? ledger_medium_data(m, "model") : "", "ended", form_time(p->at_ns, ended), "seconds_per_gb",
	    pace, "former", former, "state", state, NULL);
}

int form_pace(const struct report *r, json_t *rows, struct err *err)
{
	struct pace *p = NULL;
	size_t n = 0;
	int failed = pace_list(r->l, &p, &n, err);

	for (size_t i = 0; i < n && !failed; i++)
		failed = put_row(r, &p[i], rows, err);
	free(p);
	return failed ? -1 : 0;
}
