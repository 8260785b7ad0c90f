/* visit_named: see visit_named.h. */
#include "cmd/rotate/visit_named.h"

#include <stdio.h>

#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/out.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/media/attendance.h"
#include "write/state/state.h"

#define SHOW 256

int visit_named_begin(struct visit *v, const struct state *s, const struct policy *p,
    const struct policy_medium *m, char **ret_path, struct err *err)
{
	struct attendance_keys k = {.repository = state_repository(s)};
	const char *name;

	*ret_path = NULL;
	if (!m->offline || policy_medium_is_series(m))
		return 0;
	if (visit_attach(v, s, p, m->name, &name, err) < 0)
		return -1;
	k.keys = state_keys(s, &k.n_keys);
	/* what stands elsewhere in its place is said by who opens the medium */
	if (attendance_find(state_ledger(s), &k, m, ret_path, NULL) < 0)
		*ret_path = NULL;
	return 0;
}

int visit_named_end(struct visit *v, const struct state *s, const struct policy_medium *m, struct err *err)
{
	const struct ledger_medium *lm = ledger_medium_by_label(state_ledger(s), m->name);
	char place[SHOW];
	int r = visit_leave(v, err);

	if (r == VISIT_LEFT && !v->app->json && !v->app->quiet)
		out_wrapped(stdout, 0, 2,
		    text("'%s' is unmounted: unplug it, take it to '%s', then record it with 'bkp medium "
			 "move %s "
			 "--operator NAME'"),
		    m->name,
		    path_show(m->place ? m->place
			      : lm     ? lm->place
				       : "",
			place, sizeof(place)),
		    m->name);
	visit_free(v);
	return r < 0 ? -1 : 0;
}
