/* cmd_key_page: bkp key page root|media: what is printed and kept with the recovery procedure, as HTML for A4. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/key/cmd_key.h"
#include "cmd/tools_sums.h"
#include "format/crypto/digest.h"
#include "format/page/key_page.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"
#include "read/ledger/ledger.h"

/* Of the program that this bkp puts on media; false: it brings none. */
static bool program_sum(char out[DIGEST_HEX])
{
	static const char sums[] = TOOLS_SUMS, name[] = "  bkp-restore\n";
	const char *at = strstr(sums, name);

	if (!at || at < sums + DIGEST_HEX - 1)
		return false;
	snprintf(out, DIGEST_HEX, "%.*s", DIGEST_HEX - 1, at - (DIGEST_HEX - 1));
	return true;
}

static int root_page(
    const struct policy *policy, const struct ledger *l, const char *date, struct buf *out, struct err *err)
{
	char sum[DIGEST_HEX];
	const struct key_page_root page = {.site = policy->site_name,
	    .repository = ledger_repository(l),
	    .date = date,
	    .key = ledger_root(l),
	    .program = program_sum(sum) ? sum : NULL};

	return key_page_root(&page, out, err);
}

static int media_page(
    const struct policy *policy, const struct ledger *l, const char *date, struct buf *out, struct err *err)
{
	struct key_page_medium *media;
	size_t n = 0;
	int r;

	media = calloc(ledger_media(l) + 1, sizeof(*media));
	if (!media)
		return err_nomem(err);
	for (size_t i = 0; i < ledger_media(l); i++) {
		const struct ledger_medium *m = ledger_medium(l, i);

		if (!m->retired_ns)
			media[n++] = (struct key_page_medium){
			    m->label, policy_plan_technology(m->type), m->place, m->uuid};
	}
	r = key_page_media(policy->site_name, ledger_repository(l), date, media, n, out, err);
	free(media);
	return r;
}

int cmd_key_page(struct app *app, const char *what)
{
	BUF_AUTO out = BUF_INIT(KEY_PAGE_MAX);
	bool root = !strcmp(what, "root");
	POLICY_AUTO policy = NULL;
	struct ledger *l = NULL;
	struct err err = ERR_INIT;
	struct clock_stamp now;
	char date[CLOCK_DATE];
	int code;

	if (!root && strcmp(what, "media") != 0)
		return app_usage(app, text("'%s' is neither root nor media"), what);
	code = app_policy(app, &policy);
	if (!code)
		code = app_ledger(app, policy, &l);
	if (code)
		return code;
	clock_now(&now);
	clock_format_date(now.wall_ns, date);
	if ((root ? root_page : media_page)(policy, l, date, &out, &err))
		code = app_error(&err, APP_FAILED);
	else
		fwrite(out.p, 1, out.n, stdout);
	ledger_free(l);
	return app_flush(code);
}
