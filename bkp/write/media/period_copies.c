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
	uint32_t number;
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

static int put_named(void *arg, const char *name, struct err *err)
{
	const struct putting *p = arg;
	size_t n = strlen(name);
	char path[PERIOD_PATH];

	/* a person's file never changes */
	return put_file(
	    p, period_path(p->number, name, path), n < 4 || strcmp(name + n - 4, ".age") != 0, err);
}

int period_copies_put(
    const struct state *s, const struct store *repo, struct replaced *replaced, struct err *err)
{
	struct putting p = {.s = s, .repo = repo, .own = store_dir_of(state_dirfd(s)), .replaced = replaced};
	const struct periods *all = state_periods(s);

	for (uint32_t i = 1; i <= periods_newest(all); i++)
		if ((p.number = i, periods_get(all, i)) && periods_each_file(all, i, put_named, &p, err))
			return -1;
	return 0;
}
