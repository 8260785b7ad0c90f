/* metrics: names, labels and values as a collector reads them. */
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "cmd/show/metrics.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "read/rules/compliance.h"
#include "scribe.h"

static void labels_are_escaped_and_values_are_seconds(void **state)
{
	struct policy_dataset p = {.name = "emr"};
	struct policy_medium pm = {.name = "RDX-01", .type = "rdx", .offline = true};
	struct compliance_dataset d = {.policy = &p,
	    .newest = 7,
	    .newest_ns = T0 + 999999999,
	    .due_ns = T0,
	    .suspect = 8,
	    .tried_failed = true,
	    .two = {.verdict = COMPLIANCE_MISSING}};
	struct compliance_medium m = {.policy = &pm, .attached = true, .missing = 2};
	struct ledger_notified notified = {0};
	struct ledger_latch latch = {.found_ns = 5};
	struct compliance s = {.datasets = &d,
	    .n_datasets = 1,
	    .media = &m,
	    .n_media = 1,
	    .notified = &notified,
	    .latch = &latch};
	struct policy policy = {.site_name = "a \"b\" c\\d 診療所", .datasets = &p, .n_datasets = 1};
	BUF_AUTO b = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	struct scribe sc;
	const char *t;
	(void)state;

	ready(&sc);
	assert_int_equal(metrics_render(&policy, sc.ledger, &s, T0, 1, &b, &err), 0);
	assert_int_equal(buf_terminate(&b, &err), 0);
	t = (char *)b.p;
	assert_non_null(strstr(t, "bkp_info{site=\"a \\\"b\\\" c\\\\d 診療所\",version="));
	assert_non_null(strstr(t, "\nbkp_last_good_timestamp_seconds{dataset=\"emr\"} 1795226400\n"));
	assert_non_null(strstr(t, "\nbkp_last_verified_timestamp_seconds{dataset=\"emr\"} 0\n"));
	assert_non_null(strstr(t, "\nbkp_rule_verdict{dataset=\"emr\",rule=\"two\"} 2\n"));
	assert_non_null(strstr(t, "\nbkp_rule_verdict{dataset=\"emr\",rule=\"one\"} 0\n"));
	assert_non_null(
	    strstr(t, "\nbkp_medium_attached{medium=\"RDX-01\",type=\"rdx\",offline=\"true\"} 1\n"));
	assert_non_null(strstr(
	    t, "\nbkp_medium_missing_generations{medium=\"RDX-01\",type=\"rdx\",offline=\"true\"} 2\n"));
	assert_non_null(strstr(t, "\nbkp_suspect{dataset=\"emr\"} 1\n"));
	assert_non_null(strstr(t, "\nbkp_last_attempt_failed{dataset=\"emr\"} 1\n"));
	assert_non_null(strstr(t, "\nbkp_clock_latched 1\n"));
	assert_non_null(strstr(t, "\nbkp_last_run_exit -1\n"));
	assert_non_null(strstr(t, "\nbkp_status_exit 1\n"));
	assert_non_null(strstr(t, "\nbkp_journal_records 3\n"));
	end(&sc);
}

static void what_is_not_known_is_left_out(void **state)
{
	struct policy policy = {.site_name = "x"};
	BUF_AUTO b = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(metrics_render(&policy, NULL, NULL, T0, 3, &b, &err), 0);
	assert_int_equal(buf_terminate(&b, &err), 0);
	assert_non_null(strstr((char *)b.p, "\nbkp_status_exit 3\n"));
	assert_non_null(strstr((char *)b.p, "\nbkp_status_timestamp_seconds 1795226400\n"));
	assert_null(strstr((char *)b.p, "dataset"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(labels_are_escaped_and_values_are_seconds),
	    cmocka_unit_test(what_is_not_known_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
