/* compliance_next_ledger: what the ledger of media asks for: a medium that was not found or not brought back, one that is about to be too
 * old, or was not read for long (rereading.h); see compliance.h. */
#include <stdint.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/path.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/rules/compliance_private.h"
#include "read/rules/rereading.h"

#define SHOW 192

bool compliance_days_until(const char *date, int64_t now_ns, int64_t *ret_days)
{
	int64_t day, today;
	char now[CLOCK_TEXT];

	clock_format_local(now_ns, now)[10] = '\0';
	if (clock_parse_day(date, &day) || clock_parse_day(now, &today))
		return false;
	/* both at noon: an hour of summer time more or less is no day */
	*ret_days =
	    (day - today + (day > today ? 1 : -1) * 12 * 3600 * SECOND_NS) / (COMPLIANCE_DAY_S * SECOND_NS);
	return true;
}

static void say_missing(struct compliance_next *n, const struct ledger_medium *lm)
{
	char at[CLOCK_TEXT];

	if (lm->missing_ns)
		compliance_say(n,
		    text("'%s' was not found at the stock-take of %s: look for it, and record 'bkp medium "
			 "found %s' or 'bkp "
			 "medium lost %s'"),
		    lm->label, clock_format_local(lm->missing_ns, at), lm->label, lm->label);
}

static void say_lent(struct compliance_next *n, const struct ledger_medium *lm)
{
	const char *until = lm->lent ? journal_text(lm->lent, "until") : "";
	char to[SHOW];
	int64_t days;

	if (lm->lent && compliance_days_until(until, n->v->s->now_ns, &days) && days < 0)
		compliance_say(n,
		    text("'%s' was lent to %s until %s and is not back: ask for it, then 'bkp medium return "
			 "%s'"),
		    lm->label, path_show(journal_text(lm->lent, "to"), to, sizeof(to)), until, lm->label);
}

static void say_age(struct compliance_next *n, const struct ledger_medium *lm, const char *member)
{
	const char *date = ledger_medium_data(lm, member);
	const bool use = !strcmp(member, "use_until");
	int64_t days;

	if (!compliance_days_until(date, n->v->s->now_ns, &days) || days > COMPLIANCE_WARN_DAYS)
		return;
	if (days < 0)
		compliance_say(n,
		    use ? text("'%s' was to be used until %s only: replace it, then 'bkp medium retire %s'")
			: text("the maker's support of '%s' ended on %s: replace it, then 'bkp medium retire "
			       "%s'"),
		    lm->label, date, lm->label);
	else
		compliance_say(n,
		    use ? text("'%s' is to be used until %s (days left: %jd): order another one in time")
			: text("the maker's support of '%s' ends on %s (days left: %jd): order another one "
			       "in time"),
		    lm->label, date, (intmax_t)days);
}

void compliance_next_ledger(struct compliance_next *n, const struct compliance_medium *m)
{
	if (!m->ledger)
		return;
	say_missing(n, m->ledger);
	say_lent(n, m->ledger);
	say_age(n, m->ledger, "use_until");
	say_age(n, m->ledger, "support_until");
}

void compliance_next_unread(struct compliance_next *n, const struct compliance_medium *m)
{
	const int64_t period_s = n->v->policy->verify_every_s;
	char every[POLICY_PLAN_TEXT], since[CLOCK_TEXT];

	if (!period_s || !m->ledger || m->ledger->retired_ns || !m->generations ||
	    n->v->s->now_ns - rereading_since(m->ledger) <= period_s * SECOND_NS)
		return;
	policy_plan_duration(period_s, every);
	clock_format_local(rereading_since(m->ledger), since);
	if (m->attached)
		compliance_say(n,
		    text(
			"'%s' was not read through since %s, planned every %s: run 'bkp verify --medium %s'"),
		    m->ledger->label, since, every, m->ledger->label);
	else
		compliance_say(n,
		    text("'%s' was not read through since %s, planned every %s: bring it in and run 'bkp "
			 "rotate %s'"),
		    m->ledger->label, since, every, m->ledger->label);
}
