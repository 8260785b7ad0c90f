/* dumpcheck: see dumpcheck.h. */
#include "write/expect/dumpcheck.h"

#include <stdlib.h>

#include "base/text.h"
#include "format/policy/policy.h"
#include "write/expect/dumpcheck_private.h"

struct dumpcheck {
	const struct dumpcheck_kind *kind;
	void *self;
	struct dumpcheck_state state;
};

static const struct dumpcheck_kind *kind_of(unsigned content)
{
	switch (content) {
	case POLICY_CONTENT_PGDUMP:
		return &dumpcheck_pgdump;
	case POLICY_CONTENT_PGDUMPALL:
		return &dumpcheck_pgdumpall;
	case POLICY_CONTENT_MYSQLDUMP:
		return &dumpcheck_mysqldump;
	case POLICY_CONTENT_GZIP:
		return &dumpcheck_gzip;
	case POLICY_CONTENT_ZIP:
		return &dumpcheck_zip;
	default:
		return &dumpcheck_tar;
	}
}

int dumpcheck_new(unsigned content, struct dumpcheck **ret, struct err *err)
{
	struct dumpcheck *d = calloc(1, sizeof(*d));

	if (!d)
		return err_nomem(err);
	d->kind = kind_of(content);
	d->self = d->kind->make();
	if (!d->self) {
		free(d);
		return err_nomem(err);
	}
	*ret = d;
	return 0;
}

void dumpcheck_free(struct dumpcheck *d)
{
	if (!d)
		return;
	d->kind->destroy(d->self);
	free(d);
}

bool dumpcheck_tap(struct dumpcheck *d, dumpcheck_plain_fn *fn, void *arg)
{
	d->state.plain = fn;
	d->state.plain_arg = arg;
	return d->kind == &dumpcheck_gzip;
}

void dumpcheck_feed(struct dumpcheck *d, const void *p, size_t n)
{
	if (n && !d->state.failed && !d->state.unknown)
		d->kind->feed(d->self, &d->state, p, n);
	d->state.total += n;
}

int dumpcheck_end(struct dumpcheck *d, struct err *err)
{
	struct dumpcheck_state *s = &d->state;

	if (!s->failed && !s->unknown && !s->total) {
		s->failed = true;
		err_set(&s->why, "E-EXPECT-02", text("the command gave nothing, where %s is expected"),
		    text(d->kind->what));
		err_hint(&s->why, "%s", text("run it by hand as the same user and look at what it gives"));
	}
	if (!s->failed && !s->unknown)
		d->kind->end(d->self, s);
	if (!s->failed && !s->unknown)
		return 0;
	if (err)
		*err = s->why;
	if (s->unknown)
		return DUMPCHECK_UNKNOWN;
	return err_wrap(err, "%s", text(d->kind->what));
}

/* ---- what is wrong ---- */

static void by_hand(struct dumpcheck_state *s)
{
	s->failed = true;
	err_hint(&s->why, "%s", text("run the command by hand as the same user and look at what it gives"));
}

void dumpcheck_other(struct dumpcheck_state *s, const char *what)
{
	err_set(&s->why, "E-EXPECT-01", text("the command gave something else: %s"), what);
	by_hand(s);
}

void dumpcheck_cut(struct dumpcheck_state *s, const char *where)
{
	err_set(&s->why, "E-EXPECT-02", text("it is cut off at byte %ju, %s"), s->total, where);
	s->failed = true;
	err_hint(&s->why, "%s",
	    text("the connection broke, the disk was full, or the command died: see what it says"));
}

void dumpcheck_damaged(struct dumpcheck_state *s, uint64_t at, const char *what)
{
	err_set(&s->why, "E-EXPECT-03", text("it is damaged at byte %ju: %s"), at, what);
	by_hand(s);
}

void dumpcheck_behind(struct dumpcheck_state *s, uint64_t at)
{
	err_set(&s->why, "E-EXPECT-04", text("it ends at byte %ju, but something stands behind its end"), at);
	by_hand(s);
}

void dumpcheck_cannot_tell(struct dumpcheck_state *s, const char *why)
{
	err_set(&s->why, "W-EXPECT-01", text("whether the dump is whole cannot be checked: %s"), why);
	err_hint(&s->why, "%s",
	    text("a newer version of bkp may know it; until then check it by a restore, as 'bkp-restore "
		 "drill' does"));
	s->unknown = true;
}
