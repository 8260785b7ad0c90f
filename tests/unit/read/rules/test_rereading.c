/* rereading: a medium that comes every so many days is never older than the period, holidays included, and is not read more than that takes. */
#include <string.h>

#include "unit.h"
#include "read/ledger/ledger.h"
#include "read/rules/rereading.h"

#define DAY_S	 86400
#define DAY_NS	 ((int64_t)DAY_S * 1000000000)
#define PERIOD	 90
#define YEARS	 3
#define ADDED_NS (1000 * DAY_NS)

/* Registered and brought at once, then every so many days, each third time as many days later as a holiday takes.  How often all of it
 * was read in the end. */
static double visits(struct ledger_medium *m, int every, int holiday, bool nightly)
{
	unsigned n = 0, read = 0;

	memset(m, 0, sizeof(*m));
	m->added_ns = ADDED_NS;
	for (int64_t day = 0, next = 0; day < YEARS * 365; day++) {
		const int64_t now = ADDED_NS + day * DAY_NS;

		/* in the morning, before it is brought */
		if (every < PERIOD)
			assert_in_range(now - rereading_since(m), 0, PERIOD * DAY_NS - 1);
		if (day == next) {
			const struct rereading due = rereading_due(m, PERIOD * DAY_S, now, nightly);

			for (unsigned i = 0; i < due.parts; i++)
				m->read_ns[(due.first + i) % LEDGER_PARTS] = now + 1;
			read += due.parts;
			n++;
			/* the day of the plan does not move */
			next = (int64_t)n * every + (n % 3 ? 0 : holiday);
		}
	}
	return (double)read / LEDGER_PARTS;
}

static void never_too_old_on_the_morning_it_comes(void **s)
{
	static const int every[] = {7, 14, 21, 28, 35, 42, 60, 84};
	struct ledger_medium m;

	(void)s;
	for (size_t i = 0; i < sizeof(every) / sizeof(*every); i++)
		visits(&m, every[i], every[i] == 84 ? 0 : 2, false);
}

static void not_read_more_than_it_takes(void **s)
{
	const double least = YEARS * 365.0 / PERIOD;
	struct ledger_medium m;

	(void)s;
	assert_true(visits(&m, 1, 0, true) < least * 1.2);
	assert_true(visits(&m, 7, 2, false) < least * 1.3);
	assert_true(visits(&m, 21, 2, false) < least * 1.5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(never_too_old_on_the_morning_it_comes),
	    cmocka_unit_test(not_read_more_than_it_takes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
