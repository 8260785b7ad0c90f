/* period_copies: see period_copies.h.
 *
 * Nothing below keys/ is ever written again: what is missing is added, of a revision its own file last, by which the others count; a period
 * that the medium does not have yet appears as a whole.  What stands there and is not what this host wrote is written anew, and said. */
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

#define DOCS_MAX (PERIOD_PEOPLE_MAX + 5)

struct putting {
	const struct state *s;
	const struct store *repo;
	struct store own; /* the state folder */
	struct replaced *replaced;
	uint32_t number;
	/* of a period that is not there yet */
	struct buf bytes[DOCS_MAX];
	char name[DOCS_MAX][PERIOD_NAME + 8];
	struct store_doc doc[DOCS_MAX];
	size_t n;
};

static int put_named(void *arg, const char *name, struct err *err)
{
	const struct putting *p = arg;
	BUF_AUTO ours = BUF_INIT(PERIOD_FILE_MAX);
	BUF_AUTO theirs = BUF_INIT(PERIOD_FILE_MAX);
	char path[PERIOD_PATH], whole[JOURNAL_UUID + PERIOD_PATH];
	int r;

	period_path(p->number, name, path);
	if (store_read(&p->own, path, &ours, err))
		return -1;
	r = store_read(p->repo, path, &theirs, NULL);
	if (!r && theirs.n == ours.n && !memcmp(theirs.p, ours.p, ours.n))
		return 0;
	if (store_w_replace(p->repo, path, 0444, ours.p, ours.n, err))
		return -1;
	snprintf(whole, sizeof(whole), "%s/%s", state_repository(p->s), path);
	if (r != STORE_ABSENT)
		replaced_add(p->replaced, whole);
	return 0;
}

static int take_doc(void *arg, const char *name, struct err *err)
{
	struct putting *p = arg;
	struct buf *b = &p->bytes[p->n];
	char path[PERIOD_PATH];

	buf_init(b, PERIOD_FILE_MAX);
	snprintf(p->name[p->n], sizeof(p->name[p->n]), "%s", name);
	if (store_read(&p->own, period_path(p->number, name, path), b, err))
		return -1;
	p->doc[p->n] = (struct store_doc){p->name[p->n], b->p, b->n};
	p->n++;
	return 0;
}

/* All of it at once: there is never a folder of which nobody can say what it is. */
static int publish(struct putting *p, struct err *err)
{
	char dir[PERIOD_PATH];
	struct store_w *w;
	int r;

	period_path(p->number, "", dir);
	if (periods_each_file(state_periods(p->s), p->number, take_doc, p, err) ||
	    store_w_open(p->repo, NULL, 0, &w, err))
		return -1;
	r = store_w_publish_group(w, dir, p->doc, p->n, err);
	store_w_close(w);
	return r ? -1 : 0;
}

static int put_period(struct putting *p, struct err *err)
{
	const struct periods *all = state_periods(p->s);
	char dir[PERIOD_PATH];
	int r;

	if (store_has(p->repo, period_path(p->number, "", dir)))
		return periods_each_file(all, p->number, put_named, p, err);
	p->n = 0;
	r = publish(p, err);
	for (size_t i = 0; i < DOCS_MAX; i++) {
		buf_free(&p->bytes[i]);
		p->bytes[i] = (struct buf)BUF_INIT(0);
	}
	return r;
}

int period_copies_put(
    const struct state *s, const struct store *repo, struct replaced *replaced, struct err *err)
{
	struct putting p = {.s = s, .repo = repo, .own = store_dir_of(state_dirfd(s)), .replaced = replaced};
	const struct periods *all = state_periods(s);

	for (p.number = 1; p.number <= periods_newest(all); p.number++)
		if (periods_get(all, p.number) && put_period(&p, err))
			return -1;
	return 0;
}
