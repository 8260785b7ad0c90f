/* clockskew: see clockskew.h.
 *
 * All arithmetic is in whole seconds: stamps come from records, and nanoseconds of hostile ones would
 * overflow.
 */
#include "read/ledger/clockskew.h"

#include <string.h>

#include "base/clock.h"

void clockskew_judge(
    const struct clock_stamp *before, const struct clock_stamp *now, int64_t longest_s, struct clockskew *ret)
{
	bool same_boot = *now->boot_id && !strcmp(before->boot_id, now->boot_id);
	int64_t off_s = longest_s > CLOCKSKEW_OFF_S / 3 ? longest_s : CLOCKSKEW_OFF_S / 3;
	/* in seconds: no sum or difference of these overflows, whatever a record says */
	int64_t passed_s = same_boot ? now->mono_ns / SECOND_NS - before->mono_ns / SECOND_NS : 0;
	int64_t expected_s = before->wall_ns / SECOND_NS + passed_s,
		beyond_s = now->wall_ns / SECOND_NS - expected_s;

	*ret = (struct clockskew){0};
	if (beyond_s >= -CLOCKSKEW_SLACK_S &&
	    (same_boot ? beyond_s <= CLOCKSKEW_SLACK_S : beyond_s <= off_s * 3))
		return;
	if (expected_s > INT64_MAX / SECOND_NS)
		expected_s = INT64_MAX / SECOND_NS;
	*ret = (struct clockskew){
	    same_boot ? "monotonic" : "journal", expected_s * SECOND_NS, now->wall_ns, beyond_s};
}

void clockskew_judge_from(const struct clockskew_track *t, const struct clock_stamp *before,
    const struct clock_stamp *now, int64_t longest_s, struct clockskew *ret)
{
	struct clockskew from_credible;

	clockskew_judge(before, now, longest_s, ret);
	if (ret->seconds <= 0 || !t->credible.wall_ns)
		return;
	clockskew_judge(&t->credible, now, longest_s, &from_credible);
	if (from_credible.seconds <= 0)
		*ret = (struct clockskew){0};
}

/* The widest jump is kept, one within a boot before any across boots: across boots a computer that was off
 * for long may explain it, by the policy's interval; within one nothing does. */
static void keep_slip(struct clockskew_track *t, const struct clock_stamp *before,
    const struct clock_stamp *now, const struct clockskew *k)
{
	bool sure = !strcmp(k->source, "monotonic");

	if (t->slip_after.wall_ns &&
	    (sure < t->slip_sure || (sure == t->slip_sure && k->seconds <= t->slip_s)))
		return;
	t->slip_before = *before;
	t->slip_after = *now;
	t->slip_s = k->seconds;
	t->slip_sure = sure;
}

void clockskew_follow(
    struct clockskew_track *t, const struct clock_stamp *before, const struct clock_stamp *now, bool said)
{
	struct clockskew k;

	/* the shortest interval: whoever asks judges it by the policy's */
	clockskew_judge_from(t, before, now, 0, &k);
	if (said) {
		t->slip_after.wall_ns = t->slip_s = t->credible.wall_ns = 0;
		return;
	}
	if (k.seconds > 0)
		keep_slip(t, before, now, &k);
	if (k.seconds < 0 && !t->credible.wall_ns && !strcmp(k.source, "journal"))
		t->credible = *before;
	else if (t->credible.wall_ns &&
		 now->wall_ns / SECOND_NS >= t->credible.wall_ns / SECOND_NS - CLOCKSKEW_SLACK_S)
		t->credible.wall_ns = 0;
}
