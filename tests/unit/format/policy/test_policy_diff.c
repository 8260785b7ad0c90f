/* policy_diff: two policies are told apart by what they mean, in every key there is. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/policy/policy.h"
#include "format/policy/policy_diff.h"

#define MEDIA                                                                                                  \
	"media: [{name: nas, type: hdd, path: /mnt/nas}, {name: R1, type: rdx, offline: true, place: 別棟, " \
	"swap_every: 7d}]\n"
#define SITE "site: {name: s, language: en}\n"
#define HEAD SITE MEDIA

static struct policy *parse(const char *p)
{
	struct policy *policy = NULL;
	struct err err = ERR_INIT;

	if (policy_parse("p.yaml", p, strlen(p), &policy, NULL, &err))
		fail_msg("%s (%s)", err.msg, err.hint);
	return policy;
}

/* "kind key from to" of each, one a line; "-" for none; '!' in front of what is not plain. */
static void differ(const char *from, const char *to, const char *expected)
{
	POLICY_AUTO a = parse(from);
	POLICY_AUTO b = parse(to);
	BUF_AUTO out = BUF_INIT(1 << 16);
	struct policy_diff *d = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(policy_diff_new(a, b, &d, &err), 0);
	for (size_t i = 0; i < d->n; i++)
		assert_int_equal(
		    buf_printf(&out, &err, "%s%s %s %s %s\n", d->item[i].plain ? "" : "!",
			policy_diff_word(d->item[i].kind), d->item[i].key,
			d->item[i].from ? d->item[i].from : "-", d->item[i].to ? d->item[i].to : "-"),
		    0);
	assert_int_equal(buf_terminate(&out, &err), 0);
	assert_string_equal((char *)out.p, expected);
	policy_diff_free(d);
}

#define ONE "datasets: [{name: emr, paths: [/srv/a, /srv/b], generations: 5}]\n"

static void same(void **state)
{
	(void)state;
	differ(HEAD ONE, HEAD ONE, "");
	/* order, defaults, spelling */
	differ(HEAD ONE, "# remark\n" ONE MEDIA SITE, "");
	differ(HEAD ONE,
	    HEAD "datasets:\n  - {name: emr, paths: [/srv/b, /srv/a], generations: 5, every: 24h, guard: "
		 "{enabled: true}}\n",
	    "");
	differ(HEAD ONE,
	    HEAD
	    "datasets: [{name: emr, paths: [/srv/b, /srv/a], generations: 5, every: day, protect: 14d}]\n",
	    "");
	differ(HEAD "datasets: [{name: a, paths: [/a]}, {name: b, paths: [/b]}]\n",
	    HEAD "datasets: [{name: b, paths: [/b]}, {name: a, paths: [/a]}]\n", "");
}

static void values(void **state)
{
	(void)state;
	differ(HEAD ONE,
	    HEAD "datasets: [{name: emr, paths: [/srv/a, /srv/c], generations: 1, every: 6h, at: \"02:30\", "
		 "cross_mounts: true,\n"
		 "  expect: {min_bytes: 1 MiB, max_age: 90m}, keep: {daily: 7}, guard: {sensitivity: high}, "
		 "probe: 'wc -l'}]\n",
	    "!removed datasets/emr/paths /srv/b -\n"
	    "!added datasets/emr/paths - /srv/c\n"
	    "changed datasets/emr/cross_mounts false true\n"
	    "!added datasets/emr/probe - wc -l\n"
	    "added datasets/emr/expect/min_bytes - 1048576 B\n"
	    "added datasets/emr/expect/max_age - 90m\n"
	    "changed datasets/emr/every day 6h\n"
	    "added datasets/emr/at - 02:30\n"
	    "changed datasets/emr/keep/daily 0 7\n"
	    "changed datasets/emr/guard/sensitivity normal high\n"
	    "changed datasets/emr/generations 5 1\n");
	/* what a data set inherits is shown where it takes effect, too */
	differ(HEAD ONE,
	    HEAD ONE
	    "retention: {protect: 1d, expire_by: manager}\npeople: [{name: m, roles: [manager], public_key: "
	    "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3}]\n",
	    "added people/m - -\n"
	    "changed datasets/emr/protect 14d 1d\n"
	    "changed retention/protect 14d 1d\n"
	    "changed retention/expire_by anyone manager\n");
}

static void tables(void **state)
{
	(void)state;
	differ(HEAD ONE,
	    SITE "media: [{name: nas, type: ssd, path: /mnt/nas}]\ndatasets: [{name: new, paths: [/n]}]\n"
		 "notify: {command: tell}\nschedule: {at: \"02:00\"}\n",
	    "removed datasets/emr - -\n"
	    "added datasets/new - -\n"
	    "!changed media/nas/type hdd ssd\n"
	    "removed media/R1 - -\n"
	    "added schedule/at - 02:00\n"
	    "!added notify/command - tell\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(same), cmocka_unit_test(values), cmocka_unit_test(tables)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
