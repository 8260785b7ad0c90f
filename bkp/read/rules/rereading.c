/* rereading: see rereading.h. */
#include "read/rules/rereading.h"

#include "base/clock.h"
#include "read/ledger/ledger.h"

#define DAY_S	 (24 * 3600)
#define AHEAD(n) ((n)*10 / 9) /* the last night of a period may fail */

#define HOLIDAY_S ((int64_t)7 * DAY_S) /* a turn may move behind one */
#define MIN(a, b) ((a) < (b) ? (a) : (b))

/* What was never read again was read back when it was written, after the medium was registered. */
static int64_t read_ns(const struct ledger_medium *m, unsigned part)
{
	return m->read_ns[part] > m->added_ns ? m->read_ns[part] : m->added_ns;
}

/* Where those begin that were not read the longest; they may go on behind the last part. */
static unsigned oldest(const struct ledger_medium *m)
{
	unsigned at = 0, first = LEDGER_PARTS;

	for (unsigned i = 1; i < LEDGER_PARTS; i++)
		if (m->read_ns[i] < m->read_ns[at])
			at = i;
	while (!at && first > 1 && m->read_ns[first - 1] == m->read_ns[0])
		first--;
	return at || first == 1 ? at : first % LEDGER_PARTS;
}

struct rereading rereading_due(const struct ledger_medium *m, int64_t period_s, int64_t now_ns, bool nightly)
{
	double most;
	struct rereading due = {.first = oldest(m)};
	int64_t last = m->added_ns, next_ns = now_ns;
	double parts, late = 0;

	if (period_s <= 0)
		return due;
	most = 3 * AHEAD(LEDGER_PARTS / ((double)period_s / DAY_S)) + 4;
	for (unsigned i = 0; i < LEDGER_PARTS; i++)
		last = m->read_ns[i] > last ? m->read_ns[i] : last;
	if (!nightly && now_ns > last)
		next_ns += AHEAD(now_ns - last) + MIN(now_ns - last, HOLIDAY_S * SECOND_NS);
	for (unsigned i = 0; i < LEDGER_PARTS; i++)
		late += next_ns - read_ns(m, i) >= period_s * SECOND_NS;
	parts = now_ns > last ? AHEAD(LEDGER_PARTS * ((double)(now_ns - last) / SECOND_NS / (double)period_s))
			      : 0;
	parts = parts < late ? late : parts;
	parts = nightly && parts > most ? most : parts;
	due.parts = parts > LEDGER_PARTS ? LEDGER_PARTS : (unsigned)parts;
	return due;
}

int64_t rereading_since(const struct ledger_medium *m)
{
	return read_ns(m, oldest(m));
}
