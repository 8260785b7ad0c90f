/* attached: see attached.h. */
#include "cmd/time/attached.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/show/table.h"
#include "base/text.h"
#include "base/width.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/rules/exposure.h"

#define MONTHS_MAX   1200 /* a hundred years */
#define MONTHS_SHOWN 3
#define TIMES_SHOWN  5

json_t *attached_minutes_json(const struct exposure *e)
{
	return json_pack("{s:I, s:o}", "at_least", (json_int_t)(e->least_s / 60), "at_most",
	    e->most_s < 0 ? json_null() : json_integer((json_int_t)((e->most_s + 59) / 60)));
}

char *attached_minutes(const struct exposure *e, char out[ATTACHED_TEXT])
{
	const intmax_t least = e->least_s / 60, most = (e->most_s + 59) / 60;

	if (e->most_s < 0)
		snprintf(out, ATTACHED_TEXT,
		    e->least_s ? text("at least %jd minutes")
			       : text("not known: the clock was moved meanwhile"),
		    least);
	else if (least == most)
		snprintf(out, ATTACHED_TEXT, text("%jd minutes"), least);
	else
		snprintf(out, ATTACHED_TEXT, text("at least %jd, at most %jd minutes"), least, most);
	width_whole(out);
	return out;
}

static bool is_offline(const struct compliance_medium *m)
{
	return m->ledger && (m->policy ? m->policy->offline : m->ledger->offline);
}

/* "2026-12-03 10:00" where both looks are the same, else "2026-12-03 02:00 … 2026-12-03 10:00". */
static void between_cell(struct table *t, int64_t from_ns, int64_t to_ns)
{
	char from[CLOCK_TEXT], to[CLOCK_TEXT];

	clock_format_local(from_ns, from);
	if (to_ns / (60 * SECOND_NS) == from_ns / (60 * SECOND_NS))
		table_cell(t, "%s", from);
	else
		table_cell(t, "%s … %s", from, clock_format_local(to_ns, to));
}

int attached_show(const struct ledger *l, const struct compliance_medium *m, int64_t now_ns)
{
	static const char *const heads[] = {
	    TEXT_LATER("CAME"), TEXT_LATER("WENT"), TEXT_LATER("ROTATED"), TEXT_LATER("ATTACHED")};
	struct exposure_month months[MONTHS_SHOWN];
	const bool seen = m->sight == COMPLIANCE_SEEN;
	const struct ledger_stay *s;
	char words[ATTACHED_TEXT], time[CLOCK_TEXT];
	struct table *t;
	size_t n, k;

	if (!is_offline(m))
		return APP_OK;
	printf("\n%s\n", text("How long it was attached, as far as it was looked at"));
	s = ledger_stays(l, m->ledger->uuid, &n);
	k = exposure_months(l, m->ledger->uuid, seen, now_ns, months, MONTHS_SHOWN);
	for (size_t i = 0; i < k; i++)
		printf("  %04d-%02d  %s\n", months[i].year, months[i].month,
		    attached_minutes(&months[i].e, words));
	t = table_headed(heads, 4);
	for (size_t i = n > TIMES_SHOWN ? n - TIMES_SHOWN : 0; t && i < n; i++) {
		const struct exposure e = exposure_of_stay(&s[i], seen, now_ns);

		between_cell(t, s[i].away_ns, s[i].here_ns);
		if (s[i].gone_ns)
			between_cell(t, s[i].last_ns, s[i].gone_ns);
		else
			table_cell(t, "%s", seen ? text("is here") : text("not recorded"));
		table_cell(t, "%s", s[i].rotated_ns ? clock_format_local(s[i].rotated_ns, time) : "-");
		table_cell(t, "%s", attached_minutes(&e, words));
	}
	return out_table(t, 2, APP_OK);
}

json_t *attached_json(const struct ledger *l, const struct compliance_medium *m, int64_t now_ns)
{
	struct exposure_month *months = calloc(MONTHS_MAX, sizeof(*months));
	json_t *by_month = json_array(), *times = json_array();
	const bool seen = m->sight == COMPLIANCE_SEEN;
	const struct ledger_stay *s;
	char month[32];
	size_t n = 0;

	if (!is_offline(m) || !months) {
		json_decref(by_month);
		json_decref(times);
		free(months);
		return months ? json_null() : NULL;
	}
	for (size_t k = exposure_months(l, m->ledger->uuid, seen, now_ns, months, MONTHS_MAX); k--;) {
		snprintf(month, sizeof(month), "%04d-%02d", months[k].year, months[k].month);
		json_array_append_new(by_month,
		    json_pack("{s:s, s:o}", "month", month, "minutes", attached_minutes_json(&months[k].e)));
	}
	free(months);
	s = ledger_stays(l, m->ledger->uuid, &n);
	for (size_t i = 0; i < n; i++) {
		const struct exposure e = exposure_of_stay(&s[i], seen, now_ns);

		json_array_append_new(times,
		    json_pack("{s:o, s:o, s:o, s:o, s:o, s:b, s:o}", "away", out_time_json(s[i].away_ns),
			"here", out_time_json(s[i].here_ns), "last", out_time_json(s[i].last_ns), "gone",
			out_time_json(s[i].gone_ns), "rotated", out_time_json(s[i].rotated_ns), "clock_moved",
			(int)s[i].doubtful, "minutes", attached_minutes_json(&e)));
	}
	return json_pack("{s:o, s:o}", "months", by_month, "times", times);
}
