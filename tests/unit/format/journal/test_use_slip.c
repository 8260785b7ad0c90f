/* use_slip: what comes back is what was written; whatever else is refused, the member named. */
#include <string.h>

#include <jansson.h>

#include "unit.h"

#include "base/buf.h"
#include "base/err.h"
#include "format/journal/use_slip.h"

#define REPO "0b54aa2e-3c5d-4f60-9a11-2f4b8c0d7e01"
#define ID   "33333333-3c5d-4f60-9a11-2f4b8c0d7e01"
#define HASH "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char slip[] =
    "{\"id\":\"" ID "\",\"begun\":\"2026-11-20T01:00:00Z\",\"finished\":\"2026-11-20T01:10:00Z\","
    "\"command\":\"key drill\",\"what\":\"emr@42\",\"paths\":[],\"paths_total\":0,\"to\":null,"
    "\"operator\":\"院長\",\"host\":\"pc\",\"medium\":\"" REPO "\",\"label\":\"RDX-01\","
    "\"person\":{\"period\":2,\"name\":\"incho\"},\"exit\":0,"
    "\"drill\":{\"opened\":[{\"dataset\":\"emr\",\"generation\":42,\"manifest_sha256\":\"" HASH
    "\"}],\"archives\":3,\"failed\":[],\"failed_total\":0},\"envelope\":\"A-1\"}";

static void what_is_written_is_read(void **state)
{
	json_t *o = json_loads(slip, 0, NULL), *back;
	BUF_AUTO b = BUF_INIT(USE_SLIP_MAX);
	char repository[JOURNAL_UUID], comment[USE_SLIP_COMMENT];
	struct err err = ERR_INIT;
	(void)state;

	assert_null(use_slip_wrong(o));
	assert_int_equal(use_slip_format(REPO, o, &b, &err), 0);
	assert_int_equal(b.p[b.n - 1], '\n');
	assert_int_equal(use_slip_parse(b.p, b.n, repository, &back, &err), 0);
	assert_string_equal(repository, REPO);
	assert_true(json_equal(o, back));
	assert_int_equal(use_slip_ns(back), INT64_C(1795137000000000000));
	json_object_set_new(back, "finished", json_null());
	assert_int_equal(use_slip_ns(back), INT64_C(1795136400000000000));
	assert_string_equal(use_slip_comment(REPO, ID, comment), "bkp:1 kind=use repository=" REPO " id=" ID);
	json_decref(back);
	json_decref(o);
}

/* What a record has of its own is not taken from a slip. */
static void what_is_not_known_stays_behind(void **state)
{
	json_t *o = json_loads(slip, 0, NULL), *back;
	BUF_AUTO b = BUF_INIT(USE_SLIP_MAX);
	char repository[JOURNAL_UUID];
	(void)state;

	json_object_set_new(o, "seq", json_integer(1));
	json_object_set_new(o, "signed_by", json_string("院長"));
	assert_int_equal(use_slip_format(REPO, o, &b, NULL), 0);
	assert_int_equal(use_slip_parse(b.p, b.n, repository, &back, NULL), 0);
	assert_null(json_object_get(back, "seq"));
	assert_null(json_object_get(back, "signed_by"));
	json_decref(back);
	json_decref(o);
}

static void what_is_wrong_is_named(void **state)
{
	static const struct {
		const char *member, *value;
	} cases[] = {{"id", "\"42\""}, {"begun", "null"}, {"begun", "\"2026-13-20T01:00:00Z\""},
	    {"finished", "7"}, {"command", "\"\""}, {"what", "\"a\\nb\""}, {"what", "\"a\\u001bb\""},
	    {"paths", "{}"}, {"paths", "[1]"}, {"paths_total", "-1"}, {"to", "[]"}, {"operator", "\"\""},
	    {"host", "null"}, {"medium", "\"m1\""}, {"label", "1"}, {"person", "{\"period\":1}"},
	    {"person", "\"incho\""}, {"exit", "256"}, {"exit", "-1"}, {"drill", "{}"},
	    {"drill", "{\"opened\":[{\"dataset\":\"../x\",\"generation\":1,\"manifest_sha256\":\"" HASH
		      "\"}],\"archives\":0,\"failed\":[],\"failed_total\":0}"},
	    {"drill", "{\"opened\":[{\"dataset\":\"emr\",\"generation\":1,\"manifest_sha256\":\"aa\"}],"
		      "\"archives\":0,\"failed\":[],\"failed_total\":0}"},
	    {"envelope", "\"\""}, {"envelope", "\"a b\""},
	    {"envelope", "\"123456789012345678901234567890123\""}};
	BUF_AUTO b = BUF_INIT(USE_SLIP_MAX);
	char repository[JOURNAL_UUID];
	json_t *back;
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		json_t *o = json_loads(slip, 0, NULL);
		struct err err = ERR_INIT;

		json_object_set_new(o, cases[i].member, json_loads(cases[i].value, JSON_DECODE_ANY, NULL));
		if (!use_slip_wrong(o))
			fail_msg("%s = %s is taken", cases[i].member, cases[i].value);
		assert_string_equal(use_slip_wrong(o), cases[i].member);
		b.n = 0;
		assert_int_equal(use_slip_format(REPO, o, &b, &err), -1);
		assert_string_equal(err.code, "E-USE-01");
		json_decref(o);
	}
	assert_int_equal(use_slip_parse("", 0, repository, &back, NULL), -1);
	assert_int_equal(
	    use_slip_parse("{\"format\":1,\"kind\":\"bkp-use\",\"kind\":\"x\"}", 40, repository, &back, NULL),
	    -1);
	assert_int_equal(
	    use_slip_parse("{\"format\":2,\"kind\":\"bkp-use\"}", 29, repository, &back, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_written_is_read),
	    cmocka_unit_test(what_is_not_known_stays_behind), cmocka_unit_test(what_is_wrong_is_named)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
