/* dumpcheck_pgdump: is what pg_dump -Fc gives whole (format/dump/pgdump.h walks it); see dumpcheck.h. */
#include <stdlib.h>

#include "base/text.h"
#include "format/dump/pgdump.h"
#include "write/expect/dumpcheck_private.h"

static void *make_pgdump(void)
{
	struct pgdump *d = malloc(sizeof(*d));

	if (d)
		pgdump_init(d, NULL);
	return d;
}

static void say_result(struct dumpcheck_state *s, const struct pgdump *d, enum pgdump_result r)
{
	if (r == PGDUMP_OTHER)
		dumpcheck_other(s, d->why);
	else if (r == PGDUMP_NEWER)
		dumpcheck_cannot_tell(s, d->why);
	else if (r == PGDUMP_DAMAGED)
		dumpcheck_damaged(s, d->at, d->why);
	else if (r == PGDUMP_BEHIND)
		dumpcheck_behind(s, d->at);
	else if (r == PGDUMP_CUT)
		dumpcheck_cut(s, d->why);
}

static void feed_pgdump(void *self, struct dumpcheck_state *s, const uint8_t *p, size_t n)
{
	say_result(s, self, pgdump_feed(self, p, n));
}

static void end_pgdump(void *self, struct dumpcheck_state *s)
{
	say_result(s, self, pgdump_end(self));
}

const struct dumpcheck_kind dumpcheck_pgdump = {
    TEXT_LATER("a dump of pg_dump -Fc"), make_pgdump, feed_pgdump, end_pgdump, free};
