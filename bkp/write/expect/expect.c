/* expect: see expect.h. */
#include "write/expect/expect.h"

#include <stdbool.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/policy/policy.h"

static int accepting(const struct policy_dataset *d, struct err *err)
{
	return err_hint(err,
	    text("look at the source; it is captured, and when it is as it should be, 'bkp accept %s@N "
		 "--operator NAME --reason TEXT' lets generation N of it count"),
	    d->name);
}

static bool shrank(uint64_t now, uint64_t former, unsigned percent)
{
	return (double)now < (double)former * (100 - percent) / 100;
}

static int check_shrink(const struct policy_dataset *d, const struct expect_figures *now,
    const struct expect_former *former, struct err *err)
{
	if (!d->shrink_alarm_pct || !former->generation)
		return 0;
	if (shrank(now->bytes, former->bytes, d->shrink_alarm_pct))
		err_set(err, "W-EXPECT-04",
		    text("it shrank by more than %u %%: %ju bytes, %ju in generation %ju"),
		    d->shrink_alarm_pct, now->bytes, former->bytes, former->generation);
	else if (shrank(now->entries, former->entries, d->shrink_alarm_pct))
		err_set(err, "W-EXPECT-04",
		    text("it shrank by more than %u %%: %ju entries, %ju in generation %ju"),
		    d->shrink_alarm_pct, now->entries, former->entries, former->generation);
	else
		return 0;
	return accepting(d, err);
}

static int check_age(
    const struct policy_dataset *d, const struct expect_figures *now, int64_t now_ns, struct err *err)
{
	char when[CLOCK_TEXT], span[CLOCK_SPAN];

	if (!d->max_age_s)
		return 0;
	if (now->newest_ns == EXPECT_NO_FILE)
		err_set(err, "W-EXPECT-05", "%s", text("there is no file in it"));
	else if (now->newest_ns / SECOND_NS < now_ns / SECOND_NS - d->max_age_s)
		err_set(err, "W-EXPECT-05",
		    text("its newest file is of %s, older than %s: what writes it has stopped"),
		    clock_format_local(now->newest_ns, when), clock_format_span((double)d->max_age_s, span));
	else
		return 0;
	return accepting(d, err);
}

int expect_judge(const struct policy_dataset *d, const struct expect_figures *now,
    const struct expect_former *former, int64_t now_ns, struct err *err)
{
	bool stream = policy_source(d) == GENERATION_STREAM;

	if (now->bytes < d->min_bytes) {
		err_set(err, "W-EXPECT-02", text("it has %ju bytes where at least %ju are expected"),
		    now->bytes, d->min_bytes);
		return accepting(d, err);
	}
	if (!stream && now->entries < d->min_entries) {
		err_set(err, "W-EXPECT-03", text("it has %ju entries where at least %ju are expected"),
		    now->entries, (uintmax_t)d->min_entries);
		return accepting(d, err);
	}
	if (check_shrink(d, now, former, err))
		return -1;
	return stream ? 0 : check_age(d, now, now_ns, err);
}
