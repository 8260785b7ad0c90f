/* period_copies: see period_copies.h. */
#include "write/media/period_copies.h"

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/journal/journal.h"
#include "read/store/store.h"
#include "read/store/store_dir.h"
#include "read/vault/periods.h"
#include "write/media/replaced.h"
#include "write/put/store_w.h"
#include "write/state/state.h"

struct putting {
	const struct state *s;
	const struct store *repo;
	struct store own; /* the state folder */
	struct replaced *replaced;
};

/* newer: what stands there may be an older one of ours. */
static int put_file(const struct putting *p, const char *path, bool newer, struct err *err)
{
	BUF_AUTO ours = BUF_INIT(PERIOD_FILE_MAX);
	BUF_AUTO theirs = BUF_INIT(PERIOD_FILE_MAX);
	char whole[JOURNAL_UUID + PERIOD_PATH];
	int r;

	if (store_read(&p->own, path, &ours, err))
		return -1;
	r = store_read(p->repo, path, &theirs, NULL);
	if (!r && theirs.n == ours.n && !memcmp(theirs.p, ours.p, ours.n))
		return 0;
	if (store_w_replace(p->repo, path, 0444, ours.p, ours.n, err))
		return -1;
	snprintf(whole, sizeof(whole), "%s/%s", state_repository(p->s), path);
	if (r != STORE_ABSENT && !newer)
		replaced_add(p->replaced, whole);
	return 0;
}

static int put_period(const struct putting *p, const struct period *period, struct err *err)
{
	char path[PERIOD_PATH];

	for (size_t i = 0; i < period->n_people; i++)
		if (put_file(p, period_person_path(period->number, period->people[i].name, path), false, err))
			return -1;
	if (period->number > 1 && put_file(p, period_path(period->number, PERIOD_PREVIOUS, path), false, err))
		return -1;
	return put_file(p, period_path(period->number, PERIOD_SIG, path), true, err) ||
		       put_file(p, period_path(period->number, PERIOD_JSON, path), true, err)
		   ? -1
		   : 0;
}

int period_copies_put(
    const struct state *s, const struct store *repo, struct replaced *replaced, struct err *err)
{
	struct putting p = {.s = s, .repo = repo, .own = store_dir_of(state_dirfd(s)), .replaced = replaced};
	const struct periods *all = state_periods(s);

	for (uint32_t i = 1; i <= periods_newest(all); i++)
		if (periods_get(all, i) && put_period(&p, periods_get(all, i), err))
			return -1;
	return 0;
}
