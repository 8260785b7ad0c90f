/* status_page_file: the page into a file that others read at any moment; see status_page.h. */
#include "cmd/page/status_page.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/show/overview.h"
#include "cmd/show/status_show.h"
#include "cmd/time/forecast_show.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "read/rules/forecast.h"

#define SHOW 256

int status_page_put(const char *path, const struct buf *b, struct err *err)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
	IO_FD_AUTO dir = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r = folder ? 0 : err_nomem(err);

	if (!r && dir < 0)
		r = err_sys(err, "E-IO-07", errno, text("cannot open folder '%s'"), folder);
	if (!r)
		r = io_replace(dir, slash ? slash + 1 : path, 0644, b->p, b->n, err);
	free(folder);
	return r;
}

int status_page_whole(const struct policy *policy, struct status_view *v, struct buf *out, struct err *err)
{
	struct forecast *f = NULL;
	int r;

	if (v && !forecast_make(policy, v->s->now_ns, 0, FORECAST_SOON_DAYS, &f))
		v->forecast = f;
	r = v ? status_page(v, out, err) : status_page_unknown(policy, out, err);
	forecast_free(f);
	if (v)
		v->forecast = NULL;
	return r;
}

int status_page_of_policy(const struct policy *policy, const struct ledger *known, struct err *err)
{
	BUF_AUTO b = BUF_INIT(STATUS_PAGE_MAX);
	struct status_view v = {.policy = policy, .ledger = known};
	struct compliance *s = NULL;
	struct ledger *own = NULL;
	char show[SHOW];
	int r;

	if (!known && !app_ledger_read(policy, &own, NULL))
		v.ledger = own;
	/* what cannot be judged is said where the command says what it found */
	if (v.ledger && !overview_compliance(policy, v.ledger, &s))
		v.s = s;
	r = status_page_whole(policy, v.s ? &v : NULL, &b, err) ||
	    status_page_put(policy->status_page, &b, err);
	if (r)
		err_wrap(err, text("the page '%s' cannot be written"),
		    path_show(policy->status_page, show, sizeof(show)));
	compliance_free(s);
	ledger_free(own);
	return r ? -1 : 0;
}
