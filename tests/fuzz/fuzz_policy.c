/* fuzz_policy: any bytes as a policy.  Beside memory safety: a failure always names a place and a reason,
 * messages are whole UTF-8 and safe on a terminal, an unmistakable secret is never accepted, and what is
 * accepted can be planned and matched. */
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/width.h"
#include "format/config/exclude.h"
#include "format/policy/checklist.h"
#include "format/policy/policy.h"
#include "format/policy/policy_plan.h"

static void must(bool ok)
{
	if (!ok)
		abort();
}

static void must_be_printable(const char *s)
{
	size_t n = strlen(s);
	uint32_t cp;

	while (n) {
		size_t len = width_decode(s, n, &cp);

		must(cp != UINT32_MAX && cp >= 0x20 && !(cp >= 0x7f && cp < 0xa0));
		s += len;
		n -= len;
	}
}

static void check_problems(const struct config_problems *problems, bool failed, const struct err *err)
{
	BUF_AUTO out = BUF_INIT(1 << 20);

	must(failed == (problems->n_errors > 0) && failed == (err->code[0] != '\0'));
	must(problems->n <= CONFIG_PROBLEMS_MAX && problems->n <= problems->n_errors + problems->n_warnings);
	for (size_t i = 0; i < problems->n; i++) {
		const struct config_problem *p = &problems->item[i];

		must(
		    p->mark.line > 0 && p->mark.column > 0 && p->msg[0] && !strncmp(p->code, "E-POLICY-", 9));
		must_be_printable(p->msg);
		must_be_printable(p->hint);
	}
	must(config_problems_format(problems, "fuzz.yaml", &out, NULL) == 0);
}

static void check_dataset(const struct policy_dataset *d)
{
	static const char *const names[] = {"x", "x.tmp", "a/b/c", "~$x", "\xff\xfe", "cache/y"};
	struct exclude *x = exclude_new(d->exclude, d->n_exclude, d->paths, d->n_paths, NULL);
	char path[8192];

	must(x != NULL && d->name && (d->n_paths > 0) == !d->command && !d->command == !d->store_as);
	must(d->generations >= 1 && d->every.s > 0);
	for (size_t i = 0; i < d->n_paths; i++) {
		must(d->paths[i] && d->paths[i][0] == '/' && !exclude_match(x, d->paths[i], true));
		for (size_t k = 0; k < sizeof(names) / sizeof(*names); k++) {
			snprintf(path, sizeof(path), "%s/%s", d->paths[i], names[k]);
			/* below a folder that is out, everything is out */
			if (exclude_match(x, path, true)) {
				snprintf(path, sizeof(path), "%s/%s/below", d->paths[i], names[k]);
				must(exclude_match(x, path, false));
			}
		}
	}
	exclude_free(x);
}

static void check_policy(const struct policy *p)
{
	BUF_AUTO out = BUF_INIT((size_t)64 << 20);
	struct err err = ERR_INIT;

	must(p->site_name && p->state && p->n_datasets > 0 && p->n_media > 0);
	must(p->schedule_at >= -1 && p->schedule_at < 1440);
	for (size_t i = 0; i < p->n_datasets; i++) {
		must(policy_find_dataset(p, p->datasets[i].name) == &p->datasets[i]);
		check_dataset(&p->datasets[i]);
	}
	for (size_t i = 0; i < p->n_media; i++) {
		must(p->media[i].type && policy_find_medium(p, p->media[i].name) == &p->media[i]);
		must(p->media[i].path || p->media[i].offline);
	}
	must(policy_plan_render(p, 200, &out, &err) == 0);
}

/* The same bytes as an edition of the checklist. */
static void check_checklist(const char *data, size_t n)
{
	static struct config_problems problems;
	struct checklist *c = NULL;
	struct err err = ERR_INIT;
	int r = checklist_parse("fuzz.yaml", data, n, &c, &problems, &err);

	check_problems(&problems, r != 0, &err);
	must((r == 0) == (c != NULL) && (!c || (c->edition && c->title && c->n_items)));
	for (size_t i = 0; c && i < c->n_items; i++)
		must(c->items[i].number && checklist_same(c->items[i].number, c->items[i].number) &&
		     !c->items[i].quote != !c->items[i].gist);
	checklist_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct config_problems problems;
	struct policy *policy = NULL;
	struct err err = ERR_INIT;
	int r = policy_parse("fuzz.yaml", (const char *)data, n, &policy, &problems, &err);

	check_problems(&problems, r != 0, &err);
	must((r == 0) == (policy != NULL));
	if (memmem(data, n, "AGE-SECRET-KEY-1", 16))
		must(r != 0);
	if (policy)
		check_policy(policy);
	policy_free(policy);
	check_checklist((const char *)data, n);
	return 0;
}
