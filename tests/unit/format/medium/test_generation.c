/* generation: manifest.json, root.age's lines, SHA256SUMS, names and the trusted comment; compared with
 * python and sha256sum, then damaged member by member. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "unit.h"
#include "base/err.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "scratch.h"

#define REPO "11111111-2222-4333-8444-555555555555"
#define UUID "99999999-8888-4777-8666-abcdefabcdef"

/* Two data sets of one run, each in documents of its own. */
static struct generation_manifest manifest = {.id = {REPO, "emr", UUID, 42},
    .begun_ns = 1795226400000000000,
    .finished_ns = 1795226461000000000,
    .utc_offset_s = 32400,
    .host = "サーバ1",
    .version = "0.1.0",
    .dataset = {.name = "emr",
	.title = "電子カルテ \"x\"\\",
	.verdict = GENERATION_GOOD,
	.entries = 1,
	.files = 1,
	.bytes = INT64_MAX},
    .archives = 5,
    .archive_bytes = 123456789012,
    .period = 3,
    .recipient = {{9}},
    .together = (char[2][GENERATION_NAME]){"documents", "images"},
    .n_together = 2,
    .previous = 41,
    .previous_sha256 = {0xde, 0xad},
    .root_sha256 = {0xca, 0xfe},
    .journal_seq = 1000000,
    .journal_sha256 = {0xbe, 0xef}};

static struct generation_manifest partial = {.id = {REPO, "documents", UUID, 42},
    .begun_ns = 1795226400000000000,
    .finished_ns = 1795226461000000000,
    .utc_offset_s = -12600,
    .period = 1,
    .recipient = {{9}},
    .host = "",
    .version = "",
    .dataset = {.name = "documents",
	.verdict = GENERATION_PARTIAL,
	.reason = "exit 3: \\012boom \xef\xbf\xbd",
	.suspicion = "half of it is new",
	.guard = {.suspect = true},
	.entries = 3,
	.files = 2,
	.bytes = 4096,
	.unreadable = 1,
	.changed = 2,
	.skipped = 3}};

static struct generation_archive archives[] = {
    {1, 0, {1}, {2}}, {7, 134217728, {7}, {8}}, {INT64_MAX, INT64_MAX, {9}, {10}}};
static struct generation_root root = {.id = {REPO, "emr", UUID, 42},
    .chunk_id_key = {0xab},
    .dataset = {.name = "emr",
	.verdict = GENERATION_GOOD,
	.source = GENERATION_STREAM,
	.blocks = "100 7:0:0:100",
	.probe = "4711\n\"quoted\"",
	.said = "tar: 患者/山田.pdf: socket ignored",
	.entries = 1,
	.files = 1,
	.bytes = INT64_MAX},
    .archives = archives,
    .n_archives = 3};
static struct generation_root bare = {.id = {REPO, "documents", UUID, 42},
    .dataset = {.name = "documents", .verdict = GENERATION_PARTIAL, .blocks = "0"}};

/* The parsers get a copy of the exact size: reading on is seen by the sanitizer. */
static int parse_manifest(const char *p, size_t n, struct generation_manifest **ret, struct err *err)
{
	char *exact = malloc(n ? n : 1);
	int r;

	memcpy(exact, p, n);
	r = generation_manifest_parse(exact, n, ret, err);
	free(exact);
	return r;
}

static int parse_root(const char *p, size_t n, struct generation_root **ret, struct err *err)
{
	char *exact = malloc(n ? n : 1);
	int r;

	memcpy(exact, p, n);
	r = generation_root_parse(exact, n, ret, err);
	free(exact);
	return r;
}

static void same_text(const char *a, const char *b)
{
	if (!a || !b)
		assert_ptr_equal(a, b);
	else
		assert_string_equal(a, b);
}

static void same_id(const struct generation_id *a, const struct generation_id *b)
{
	assert_string_equal(a->repository, b->repository);
	assert_string_equal(a->dataset, b->dataset);
	assert_string_equal(a->uuid, b->uuid);
	assert_int_equal(a->number, b->number);
}

/* ---- manifest ---- */

static void comes_back(const struct generation_manifest *one)
{
	BUF_AUTO text = BUF_INIT(1 << 20);
	BUF_AUTO again = BUF_INIT(1 << 20);
	const struct generation_dataset *b = &one->dataset, *a;
	struct generation_manifest *m = NULL;
	struct err err = ERR_INIT;

	assert_int_equal(generation_manifest_format(one, &text, &err), 0);
	assert_int_equal(parse_manifest((char *)text.p, text.n, &m, &err), 0);
	same_id(&m->id, &one->id);
	assert_int_equal(m->begun_ns, one->begun_ns);
	assert_int_equal(m->finished_ns, one->finished_ns);
	assert_int_equal(m->utc_offset_s, one->utc_offset_s);
	assert_int_equal(m->period, one->period);
	assert_memory_equal(&m->recipient, &one->recipient, sizeof(m->recipient));
	assert_int_equal(m->n_together, one->n_together);
	for (size_t i = 0; i < m->n_together; i++)
		assert_string_equal(m->together[i], one->together[i]);
	assert_string_equal(m->host, one->host);
	assert_string_equal(m->version, one->version);
	assert_int_equal(m->archives, one->archives);
	assert_int_equal(m->archive_bytes, one->archive_bytes);
	assert_int_equal(m->previous, one->previous);
	assert_memory_equal(m->previous_sha256, one->previous_sha256, DIGEST_LEN);
	assert_memory_equal(m->root_sha256, one->root_sha256, DIGEST_LEN);
	assert_int_equal(m->journal_seq, one->journal_seq);
	assert_memory_equal(m->journal_sha256, one->journal_sha256, DIGEST_LEN);
	a = &m->dataset;
	same_text(a->name, one->id.dataset);
	same_text(a->title, b->title);
	same_text(a->reason, b->reason);
	same_text(a->suspicion, b->suspicion);
	assert_int_equal(a->guard.suspect, b->guard.suspect);
	assert_true(!a->blocks && !a->probe && !a->said);
	assert_int_equal(a->verdict, b->verdict);
	assert_true(a->entries == b->entries && a->files == b->files && a->bytes == b->bytes);
	assert_true(a->unreadable == b->unreadable && a->changed == b->changed && a->skipped == b->skipped);
	assert_int_equal(generation_manifest_format(m, &again, &err), 0);
	assert_int_equal(again.n, text.n);
	assert_memory_equal(again.p, text.p, text.n);
	generation_manifest_free(m);
}

static void a_manifest_comes_back_as_it_was(void **state)
{
	(void)state;
	comes_back(&manifest);
	comes_back(&partial);
	generation_manifest_free(NULL);
}

static void python_reads_the_manifest(void **state)
{
	BUF_AUTO text = BUF_INIT(1 << 20);
	BUF_AUTO other = BUF_INIT(1 << 20);

	(void)state;
	assert_int_equal(generation_manifest_format(&manifest, &text, NULL), 0);
	put_file("manifest.json", text.p, text.n);
	assert_int_equal(generation_manifest_format(&partial, &other, NULL), 0);
	put_file("partial.json", other.p, other.n);
	assert_int_equal(
	    sh("python3 -c '\n"
	       "import json\n"
	       "t=open(\"manifest.json\",encoding=\"utf-8\").read(); m=json.loads(t)\n"
	       "assert t.count(\"\\n\")==1 and t[-1]==\"\\n\"\n"
	       "assert m[\"format\"]==1 and m[\"kind\"]==\"bkp-generation\" and m[\"generation\"]==42\n"
	       "assert m[\"repository\"]==\"" REPO "\" and m[\"uuid\"]==\"" UUID
	       "\" and m[\"dataset\"]==\"emr\"\n"
	       "assert m[\"begun\"]==\"2026-11-21T02:00:00Z\" and m[\"finished\"]==\"2026-11-21T02:01:01Z\"\n"
	       "assert m[\"utc_offset\"]==32400 and m[\"host\"]==\"サーバ1\" and m[\"verdict\"]==\"good\"\n"
	       "assert m[\"title\"]==\"電子カルテ \"+chr(34)+\"x\"+chr(34)+chr(92)\n"
	       "assert m[\"bytes\"]==2**63-1 and \"reason\" not in m and \"suspect\" not in m\n"
	       "assert not {\"blocks\",\"probe\",\"said\",\"name\",\"source\",\"datasets\"} & set(m)\n"
	       "assert m[\"previous\"]=={\"generation\":41,\"manifest_sha256\":\"dead\"+\"0\"*60}\n"
	       "assert m[\"root_sha256\"]==\"cafe\"+\"0\"*60\n"
	       "assert m[\"journal\"]=={\"seq\":1000000,\"sha256\":\"beef\"+\"0\"*60}\n"
	       "p=json.load(open(\"partial.json\",encoding=\"utf-8\"))\n"
	       "assert p[\"dataset\"]==\"documents\" and p[\"utc_offset\"]==-12600 and \"title\" not in p\n"
	       "assert p[\"verdict\"]==\"partial\" and p[\"reason\"].startswith(\"exit 3\")\n"
	       "assert p[\"suspect\"]==\"half of it is new\" and p[\"skipped\"]==3 and p[\"previous\"] is "
	       "None'"),
	    0);
}

static void the_first_generation_has_no_previous(void **state)
{
	struct generation_manifest first = manifest, *m = NULL;
	BUF_AUTO text = BUF_INIT(1 << 20);

	(void)state;
	first.id.number = 1;
	first.previous = 0;
	assert_int_equal(generation_manifest_format(&first, &text, NULL), 0);
	assert_int_equal(buf_terminate(&text, NULL), 0);
	assert_non_null(strstr((char *)text.p, "\"previous\":null"));
	assert_int_equal(parse_manifest((char *)text.p, text.n, &m, NULL), 0);
	assert_int_equal(m->previous, 0);
	generation_manifest_free(m);
}

static json_t *as_json(void)
{
	BUF_AUTO text = BUF_INIT(1 << 20);
	json_t *o;

	assert_int_equal(generation_manifest_format(&manifest, &text, NULL), 0);
	o = json_loadb((char *)text.p, text.n, 0, NULL);
	assert_non_null(o);
	return o;
}

/* Dumps and parses `o`, which it frees. */
static void manifest_is(json_t *o, int want, const char *what)
{
	char *s = json_dumps(o, JSON_COMPACT | JSON_ENCODE_ANY);
	bool newer = json_integer_value(json_object_get(o, "format")) > 1;
	struct generation_manifest *m = NULL;
	struct err err = ERR_INIT;
	int r = parse_manifest(s, strlen(s), &m, &err);

	if (r != want)
		fail_msg("%s: %s: %s", r ? "refused" : "accepted", what, r ? err.msg : s);
	if (r) {
		assert_string_equal(err.code, newer ? "E-GEN-02" : "E-GEN-01");
		assert_int_equal(err.kind, newer ? ERR_NEWER : ERR_MALFORMED);
		assert_null(m);
	}
	generation_manifest_free(m);
	free(s);
	json_decref(o);
}

/* Every value in place of a member `key` of `o` (the member of root `tree`): missing, another type, out of
 * range. */
static void member_must_be(json_t *(*at)(json_t *tree), const char *key, const char *const *good)
{
	static const char *const values[] = {"null", "true", "0", "1", "-1", "1.0", "1.5", "\"\"", "\"1\"",
	    "\"x\"", "[]", "{}", "[1]", "9223372036854775807", "\"good\"", "\"2026-11-21T02:00:00Z\"",
	    "\"2026-11-21 02:00:00\"", "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"",
	    "\"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"",
	    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\"",
	    "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0\"",
	    "\"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee\"", "\"AAAAAAAA-bbbb-4ccc-8ddd-eeeeeeeeeeee\"",
	    "\"aaaaaaaabbbb-4ccc-8ddd-eeeeeeeeeeeee\"", "\"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeee\\u00e9\"",
	    "\"bkp-generation\"", "\"bkp-root\"", "2", "86399", "-86399", "86400", "-86400", "4294967296"};
	json_t *tree = as_json();
	size_t i, k;

	if (good[0] && strcmp(good[0], "absent")) {
		assert_int_equal(json_object_del(at(tree), key), 0);
		manifest_is(tree, -1, key);
	} else {
		json_object_del(at(tree), key);
		manifest_is(tree, 0, key);
	}
	for (i = 0; i < sizeof(values) / sizeof(*values); i++) {
		char what[300];
		int want = -1;

		for (k = 0; good[k]; k++)
			if (!strcmp(good[k], values[i]) ||
			    (!strcmp(good[k], "string") && values[i][0] == '"'))
				want = 0;
		tree = as_json();
		json_object_set_new(at(tree), key, json_loads(values[i], JSON_DECODE_ANY, NULL));
		snprintf(what, sizeof(what), "%s = %s", key, values[i]);
		manifest_is(tree, want, what);
	}
}

static json_t *top(json_t *tree)
{
	return tree;
}

static json_t *journal(json_t *tree)
{
	return json_object_get(tree, "journal");
}

static json_t *previous(json_t *tree)
{
	return json_object_get(tree, "previous");
}

#define SHA "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\""
#define U   "\"aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee\""
#define GOOD(...)                                                                                            \
	(const char *const[])                                                                                \
	{                                                                                                    \
		__VA_ARGS__, NULL                                                                            \
	}
#define COUNT GOOD("0", "1", "2", "86399", "86400", "4294967296", "9223372036854775807")

static void every_member_missing_of_another_type_or_out_of_range(void **state)
{
	static const char *const counts[] = {"entries", "files", "bytes", "unreadable", "changed", "skipped"};

	(void)state;
	member_must_be(top, "format", GOOD("1"));
	member_must_be(top, "kind", GOOD("\"bkp-generation\""));
	member_must_be(top, "repository", GOOD(U));
	member_must_be(top, "uuid", GOOD(U));
	member_must_be(top, "generation",
	    GOOD("86399", "86400", "4294967296", "9223372036854775807")); /* above `previous` */
	member_must_be(top, "begun", GOOD("\"2026-11-21T02:00:00Z\""));
	member_must_be(top, "finished", GOOD("\"2026-11-21T02:00:00Z\""));
	member_must_be(top, "host", GOOD("string"));
	member_must_be(top, "version", GOOD("string"));
	member_must_be(top, "utc_offset", GOOD("0", "1", "-1", "2", "86399", "-86399"));
	member_must_be(top, "dataset", GOOD("\"x\"", "\"good\"", "\"bkp-generation\"", "\"bkp-root\""));
	member_must_be(top, "root_sha256", GOOD(SHA));
	member_must_be(top, "verdict", GOOD("\"good\""));
	member_must_be(top, "archives", COUNT);
	member_must_be(top, "archive_bytes", COUNT);
	member_must_be(top, "previous", GOOD("null"));
	member_must_be(top, "journal", GOOD("nothing"));
	member_must_be(previous, "generation", GOOD("1", "2"));
	member_must_be(previous, "manifest_sha256", GOOD(SHA));
	member_must_be(journal, "seq", COUNT);
	member_must_be(journal, "sha256", GOOD(SHA));
	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		member_must_be(top, counts[i], COUNT);
}

static void texts_that_may_be_absent_are_texts_when_they_are_there(void **state)
{
	(void)state;
	member_must_be(top, "title", GOOD("absent", "null", "string"));
	member_must_be(top, "reason", GOOD("absent", "null", "string"));
	member_must_be(top, "suspect", GOOD("absent", "null", "string"));
}

/* A capture that failed makes no generation. */
static void no_manifest_says_failed(void **state)
{
	json_t *tree = as_json();

	(void)state;
	json_object_set_new(tree, "verdict", json_string("partial"));
	manifest_is(tree, 0, "partial");
	tree = as_json();
	json_object_set_new(tree, "verdict", json_string("failed"));
	manifest_is(tree, -1, "failed");
}

static void manifest_text_is(const char *s, size_t n, int want)
{
	struct generation_manifest *m = NULL;
	struct err err = ERR_INIT;

	if (parse_manifest(s, n, &m, &err) != want)
		fail_msg("%s: %.*s", want ? "accepted" : "refused", (int)n, s);
	generation_manifest_free(m);
	if (want)
		assert_string_equal(err.code, "E-GEN-01");
}

static void what_is_no_manifest(void **state)
{
	static const char *const bad[] = {
	    "", "{", "{}", "[]", "null", "1", "\"x\"", "{}{}", "\xff", "{\"format\":1}"};
	BUF_AUTO text = BUF_INIT(1 << 20);
	char *deep = malloc(100001), *twice;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		manifest_text_is(bad[i], strlen(bad[i]), -1);
	memset(deep, '[', 100000);
	manifest_text_is(deep, 100000, -1); /* no stack runs out */
	free(deep);
	assert_int_equal(generation_manifest_format(&manifest, &text, NULL), 0);
	for (size_t n = 0; n + 1 < text.n; n++)
		manifest_text_is((char *)text.p, n, -1);
	/* a member said twice */
	assert_int_equal(
	    asprintf(&twice, "{\"generation\":43,%.*s", (int)text.n - 1, (char *)text.p + 1) > 0, 1);
	manifest_text_is(twice, strlen(twice), -1);
	free(twice);
	/* members that nobody knows are ignored */
	assert_int_equal(
	    asprintf(&twice, "{\"later\":{\"x\":[1]},%.*s", (int)text.n - 1, (char *)text.p + 1) > 0, 1);
	manifest_text_is(twice, strlen(twice), 0);
	free(twice);
	/* something behind it, a NUL, a number beyond 64 bits, bytes that are no UTF-8 */
	assert_int_equal(buf_puts(&text, "x", NULL), 0);
	manifest_text_is((char *)text.p, text.n, -1);
	text.p[text.n - 1] = '\0';
	manifest_text_is((char *)text.p, text.n, -1);
	text.n--;
	assert_int_equal(buf_terminate(&text, NULL), 0);
	memcpy(strstr((char *)text.p, "123456789012"), "\"23456789012", 12);
	manifest_text_is((char *)text.p, text.n, -1);
	assert_int_equal(
	    asprintf(&twice, "{\"later\":99999999999999999999,%.*s", 10, (char *)text.p + 1) > 0, 1);
	manifest_text_is(twice, strlen(twice), -1);
	free(twice);
}

static void each_flipped_bit_is_survived(void **state)
{
	BUF_AUTO text = BUF_INIT(1 << 20);

	(void)state;
	assert_int_equal(generation_manifest_format(&manifest, &text, NULL), 0);
	for (size_t bit = 0; bit < text.n * 8; bit += 7) {
		struct generation_manifest *m = NULL;
		struct err err = ERR_INIT;

		text.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		if (parse_manifest((char *)text.p, text.n, &m, &err))
			assert_string_equal(err.code, "E-GEN-01");
		else
			assert_true(m->id.number > m->previous && generation_name_ok(m->id.dataset));
		generation_manifest_free(m);
		text.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
}

/* ---- root ---- */

static void a_root_comes_back_as_it_was(void **state)
{
	BUF_AUTO text = BUF_INIT(1 << 20);
	BUF_AUTO again = BUF_INIT(1 << 20);
	struct generation_root *r = NULL;
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(generation_root_format(&root, &text, &err), 0);
	put_file("root", text.p, text.n);
	assert_int_equal(generation_root_format(&bare, &again, &err), 0);
	put_file("bare", again.p, again.n);
	assert_int_equal(
	    sh("python3 -c '\n"
	       "import json\n"
	       "l=[json.loads(x) for x in open(\"root\",encoding=\"utf-8\").read().splitlines()]\n"
	       "assert l[0]=={\"kind\":\"bkp-root\",\"format\":1,\"repository\":\"" REPO
	       "\",\"dataset\":\"emr\",\"generation\":42,\"uuid\":\"" UUID
	       "\",\"chunk_id_key\":\"ab\"+\"0\"*62,\"verdict\":\"good\",\"source\":\"command\",\"entries\":"
	       "1,"
	       "\"files\":1,\"bytes\":2**63-1,\"blocks\":\"100 "
	       "7:0:0:100\",\"probe\":\"4711\\n\"+chr(34)+\"quoted\"+chr(34),"
	       "\"said\":\"tar: 患者/山田.pdf: socket ignored\"}\n"
	       "assert [x[\"archive\"] for x in l[1:]]==[1,7,2**63-1] and l[2][\"size\"]==134217728\n"
	       "assert l[2][\"sha256\"]==\"07\"+\"0\"*62 and l[2][\"index_sha256\"]==\"08\"+\"0\"*62\n"
	       "b=json.loads(open(\"bare\").read())\n"
	       "assert b[\"source\"]==\"paths\" and b[\"probe\"] is None and \"said\" not in b and "
	       "b[\"verdict\"]==\"partial\"'"),
	    0);
	assert_int_equal(parse_root((char *)again.p, again.n, &r, &err), 0);
	assert_true(!r->n_archives && !r->dataset.probe && !r->dataset.said);
	generation_root_free(r);
	again.n = 0;
	assert_int_equal(parse_root((char *)text.p, text.n, &r, &err), 0);
	same_id(&r->id, &root.id);
	assert_memory_equal(r->chunk_id_key, root.chunk_id_key, DIGEST_LEN);
	same_text(r->dataset.name, "emr");
	same_text(r->dataset.blocks, root.dataset.blocks);
	same_text(r->dataset.probe, root.dataset.probe);
	same_text(r->dataset.said, root.dataset.said);
	assert_int_equal(r->dataset.source, root.dataset.source);
	assert_int_equal(r->dataset.verdict, root.dataset.verdict);
	assert_int_equal(r->dataset.bytes, root.dataset.bytes);
	assert_int_equal(r->n_archives, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(r->archives[i].size, archives[i].size);
		assert_memory_equal(r->archives[i].sha256, archives[i].sha256, DIGEST_LEN);
		assert_memory_equal(r->archives[i].index_sha256, archives[i].index_sha256, DIGEST_LEN);
		assert_ptr_equal(generation_root_archive(r, archives[i].number), &r->archives[i]);
	}
	assert_null(generation_root_archive(r, 0));
	assert_null(generation_root_archive(r, 2));
	assert_null(generation_root_archive(r, 8));
	assert_null(generation_root_archive(r, UINT64_MAX));
	assert_int_equal(generation_root_format(r, &again, &err), 0);
	assert_int_equal(again.n, text.n);
	assert_memory_equal(again.p, text.p, text.n);
	generation_root_free(r);
	generation_root_free(NULL);
}

#define START                                                                                                \
	"{\"kind\":\"bkp-root\",\"format\":1,\"repository\":\"" REPO                                         \
	"\",\"dataset\":\"a\",\"generation\":42,\"uuid\":\"" UUID
#define REST                                                                                                 \
	"\"verdict\":\"good\",\"source\":\"paths\",\"entries\":1,\"files\":1,\"bytes\":1,\"blocks\":\"0\""
#define FIRST	    START "\",\"chunk_id_key\":" SHA "," REST ",\"probe\":null}\n"
#define ARC(number) "{\"archive\":" number ",\"sha256\":" SHA ",\"size\":10,\"index_sha256\":" SHA "}\n"

static void root_is(const char *s, int want, int line)
{
	struct generation_root *r = NULL;
	struct err err = ERR_INIT;
	char where[32];

	if (parse_root(s, strlen(s), &r, &err) != want)
		fail_msg("%s: %s", want ? "accepted" : "refused", s);
	generation_root_free(r);
	if (!want)
		return;
	assert_string_equal(err.code, "E-GEN-01");
	snprintf(where, sizeof(where), "line %d ", line);
	if (!strstr(err.msg, where))
		fail_msg("'%s' instead of %s: %s", err.msg, where, s);
}

static void roots_that_are_refused(void **state)
{
	(void)state;
	root_is(FIRST, 0, 0);
	root_is(FIRST ARC("0") ARC("5"), 0, 0);
	root_is("", -1, 1);
	root_is("\n", -1, 1);
	root_is("{}\n", -1, 1);
	root_is("[]\n", -1, 1);
	root_is(ARC("1"), -1, 1);
	root_is(FIRST FIRST, -1, 2);
	root_is(FIRST "\n", -1, 2);
	root_is(FIRST "{}\n", -1, 2);
	root_is(FIRST "null\n", -1, 2);
	root_is(FIRST "{\"later\":1}\n", -1, 2);
	root_is(FIRST "{\"dataset\":\"b\"," REST "}\n", -1, 2); /* a generation holds one */
	root_is(FIRST ARC("5") ARC("5"), -1, 3);
	root_is(FIRST ARC("5") ARC("4"), -1, 3);
	root_is(FIRST ARC("-1"), -1, 2);
	root_is(FIRST ARC("1.0"), -1, 2);
	root_is(FIRST ARC("\"1\""), -1, 2);
	root_is(FIRST ARC("9223372036854775808"), -1, 2);
	root_is(FIRST ARC("1,\"archive\":2"), -1, 2);
	root_is(FIRST "{\"archive\":1,\"sha256\":" SHA ",\"index_sha256\":" SHA "}\n", -1, 2);
	root_is(FIRST "{\"archive\":1,\"sha256\":" SHA ",\"size\":10}\n", -1, 2);
	root_is(FIRST "{\"archive\":1,\"sha256\":" SHA ",\"size\":10,\"index_sha256\":\"00\"}\n", -1, 2);
	root_is(START "\"," REST "}\n", -1, 1); /* no key */
	root_is(START "\",\"chunk_id_key\":\"00\"," REST "}\n", -1, 1);
	root_is(START "\",\"chunk_id_key\":" SHA "}\n", -1, 1);
	root_is(FIRST "{\"archive\":1,\"size\":1}\n", -1, 2);
	root_is(FIRST "{\"archive\":1,\"sha256\":" SHA ",\"size\":-1}\n", -1, 2);
	root_is(FIRST "{\"archive\":1,\"sha256\":" SHA ",\"size\":1}", -1, 2); /* no newline */
	root_is(FIRST "{\"archive\":1,\"sha256\":" SHA ",\"size\":1} x\n", -1, 2);
	root_is(FIRST "{\"archive\":1,\n\"sha256\":" SHA ",\"size\":1}\n", -1, 2);
}

static void members_of_a_roots_head(void **state)
{
	static const char *const names[] = {
	    "verdict", "source", "entries", "files", "bytes", "blocks", "dataset", "generation", "uuid"};
	static const char *const wrong[] = {
	    "null", "-1", "1.5", "[]", "{}", "\"failed\"", "\"x y\"", "\"latest\"", "\"../x\""};
	const size_t n = sizeof(wrong) / sizeof(*wrong);

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		for (size_t k = 0; k <= n; k++) {
			json_t *o = json_loads(FIRST, 0, NULL);
			char *s, *all = NULL;

			if (k == n)
				json_object_del(o, names[i]);
			else
				json_object_set_new(o, names[i], json_loads(wrong[k], JSON_DECODE_ANY, NULL));
			s = json_dumps(o, JSON_COMPACT);
			json_decref(o);
			assert_true(asprintf(&all, "%s\n", s) > 0);
			/* extents are looked at when they are needed; "failed" may be a name */
			if (!(k < n && wrong[k][0] == '"' && (i == 5 || (i == 6 && k == 5))))
				root_is(all, -1, 1);
			free(all);
			free(s);
		}
	root_is(START "\",\"chunk_id_key\":" SHA "," REST "}\n", 0, 0); /* no probe */
	root_is(START "\",\"chunk_id_key\":" SHA "," REST ",\"probe\":4711}\n", -1, 1);
	root_is(START "\",\"chunk_id_key\":" SHA "," REST ",\"said\":4711}\n", -1, 1);
}

/* Many archives: the table grows; a cut anywhere is refused or ends behind a line. */
static void a_long_root_cut_anywhere(void **state)
{
	BUF_AUTO text = BUF_INIT(16 << 20);
	struct generation_root *r = NULL;

	(void)state;
	assert_int_equal(buf_puts(&text, FIRST, NULL), 0);
	for (int i = 0; i < 5000; i++)
		assert_int_equal(buf_printf(&text, NULL,
				     "{\"archive\":%d,\"sha256\":%s,\"size\":%d,\"index_sha256\":%s}\n",
				     i * 3, SHA, i, SHA),
		    0);
	assert_int_equal(parse_root((char *)text.p, text.n, &r, NULL), 0);
	assert_int_equal(r->n_archives, 5000);
	for (uint64_t i = 0; i < 15000; i++) {
		const struct generation_archive *a = generation_root_archive(r, i);

		assert_int_equal(a != NULL, i % 3 == 0);
		if (a)
			assert_int_equal(a->size, i / 3);
	}
	generation_root_free(r);
	for (size_t n = 0; n < 1500; n++) {
		int got = parse_root((char *)text.p, n, &r, NULL);

		assert_int_equal(got, n && text.p[n - 1] == '\n' ? 0 : -1);
		if (!got)
			generation_root_free(r);
	}
}

/* ---- SHA256SUMS ---- */

#define H1 "1111111111111111111111111111111111111111111111111111111111111111"
#define H2 "2222222222222222222222222222222222222222222222222222222222222222"
#define A1 H1 "  archives/11/" H1 ".age\n"
#define A2 H2 "  archives/22/" H2 ".age\n"
#define GM H1 "  generations/000042/manifest.json\n"
#define GP H1 "  generations/000042/places.age\n"
#define GR H1 "  generations/000042/root.age\n"

/* All lines; the number of them, or -1. */
static int walk_sums(const char *s, size_t n)
{
	char *exact = malloc(n ? n : 1), path[GENERATION_SUMS_PATH] = "untouched";
	uint8_t sha256[DIGEST_LEN];
	struct err err = ERR_INIT;
	size_t pos = 0;
	int r, lines = 0;

	memcpy(exact, s, n);
	while (!(r = generation_sums_next(exact, n, &pos, sha256, path, &err))) {
		assert_true(pos <= n);
		lines++;
	}
	if (r < 0)
		assert_string_equal(err.code, "E-GEN-03");
	free(exact);
	return r == GENERATION_SUMS_END ? lines : -1;
}

static void sums_are(const char *s, int want)
{
	int got = walk_sums(s, strlen(s));

	if (got != want)
		fail_msg("%d instead of %d: %s", got, want, s);
}

static void sums_that_are_refused(void **state)
{
	(void)state;
	sums_are("", 0);
	sums_are(A1 A2 GM GP GR, 5);
	sums_are(A1 A2 GM GR, 4); /* which documents belong to it: read/vault */
	sums_are(GM, 1);
	/* order and repetition */
	sums_are(A2 A1, -1);
	sums_are(A1 A1, -1);
	sums_are(A1 GM A2, -1);
	sums_are(GR GM, -1);
	sums_are(GP GM, -1);
	sums_are(GR GP, -1);
	sums_are(GM GM, -1);
	/* form of the line */
	sums_are(H1 "  generations/000042/root.age", -1);
	sums_are(H1 "  generations/000042/root.age\r\n", -1);
	sums_are(H1 " *generations/000042/root.age\n", -1);
	sums_are(H1 " generations/000042/root.age\n", -1);
	sums_are(H1 "   generations/000042/root.age\n", -1);
	sums_are("\\" H1 "  generations/000042/root.age\n", -1);
	sums_are(H1 "\tgenerations/000042/root.age\n", -1);
	sums_are("\n", -1);
	sums_are(GM "\n", -1);
	sums_are("\n" GM, -1);
	sums_are(H1 "  \n", -1);
	sums_are(H1 "\n", -1);
	sums_are("# a comment\n" GM, -1);
	sums_are("A" H1 "  generations/000042/root.age\n", -1);
	sums_are(
	    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA  generations/000042/root.age\n",
	    -1);
	/* archives under another name */
	sums_are(H1 "  archives/11/" H2 ".age\n", -1);
	sums_are(H2 "  archives/11/" H1 ".age\n", -1);
	sums_are(H1 "  archives/12/" H1 ".age\n", -1);
	sums_are(H1 "  archives/1/" H1 ".age\n", -1);
	sums_are(H1 "  archives/" H1 ".age\n", -1);
	sums_are(H1 "  archives/11/" H1 "\n", -1);
	sums_are(H1 "  archives/11/" H1 ".age \n", -1);
	sums_are(H1 "  archives/11/../11/" H1 ".age\n", -1);
	sums_are(H1 "  archives/11//" H1 ".age\n", -1);
	sums_are(H1 "  archives//11/" H1 ".age\n", -1);
	sums_are(H1 "  ./archives/11/" H1 ".age\n", -1);
	sums_are(H1 "  /archives/11/" H1 ".age\n", -1);
	sums_are(H1 "  archives/11/" H1 ".age/\n", -1);
	sums_are(H1 "  archives/11/" H1 ".age/x\n", -1);
	sums_are("ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB  archives/AB/"
		 "ABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABABAB.age\n",
	    -1);
	/* out of the repository, or something else in it */
	sums_are(H1 "  /etc/passwd\n", -1);
	sums_are(H1 "  ../x\n", -1);
	sums_are(H1 "  generations/../../etc/root.age\n", -1);
	sums_are(H1 "  generations/000042/../root.age\n", -1);
	sums_are(H1 "  generations/000042/x/root.age\n", -1);
	sums_are(H1 "  generations/000042/SHA256SUMS\n", -1);
	sums_are(H1 "  generations/000042/places\n", -1);
	sums_are(H1 "  generations/000042/places.agex\n", -1);
	sums_are(H1 "  datasets/emr/generations/000042/root.age\n", -1);
	sums_are(H1 "  generations/000042/\n", -1);
	sums_are(H1 "  generations/000042\n", -1);
	sums_are(H1 "  generations//root.age\n", -1);
	sums_are(H1 "  generations/root.age\n", -1);
	sums_are(H1 "  generations/42/root.age\n", -1);
	sums_are(H1 "  generations/0000042/root.age\n", -1);
	sums_are(H1 "  generations/000000/root.age\n", -1);
	sums_are(H1 "  generations/-00042/root.age\n", -1);
	sums_are(H1 "  generations/99999999999999999999/root.age\n", -1);
	sums_are(H1 "  generations/000042/root.agex\n", -1);
	sums_are(H1 "  repository.json\n", -1);
	sums_are(H1 "  journal/000001.jsonl\n", -1);
	sums_are(H1 "  tmp/root.age\n", -1);
	sums_are(H1 "  archivesx/11/" H1 ".age\n", -1);
	sums_are(H1 "  generations/000042/"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
	    -1);
}

static void sums_with_one_byte_changed(void **state)
{
	static const char good[] = A1 A2 GM GP GR;
	static const char with[] = {'\0', '\n', '\r', ' ', '/', '.', '0', 'f', 'F', '\\', '\x80'};
	char s[sizeof(good)];
	size_t n = sizeof(good) - 1;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		/* cut: only behind a whole line */
		assert_int_equal(walk_sums(good, i) >= 0, i == 0 || good[i - 1] == '\n');
		for (size_t k = 0; k < sizeof(with); k++) {
			bool document_hash =
			    strchr("0f", with[k]) && with[k] && i >= sizeof(A1 A2) - 1 && good[i] == '1';

			memcpy(s, good, n);
			if (s[i] == with[k])
				continue;
			s[i] = with[k];
			if (walk_sums(s, n) >= 0 && !document_hash &&
			    !(with[k] == '0' && good[i] >= '0' && good[i] <= '9'))
				fail_msg("accepted: %s", s);
		}
	}
}

static void sha256sum_takes_what_we_write(void **state)
{
	static const char *const names[] = {"generations/000042/manifest.json",
	    "generations/000042/places.age", "generations/000042/root.age"};
	BUF_AUTO sums = BUF_INIT(1 << 20);
	uint8_t sha256[2][DIGEST_LEN], tmp[DIGEST_LEN];
	char path[2][ARCFILE_PATH], got[GENERATION_SUMS_PATH];
	size_t pos = 0;
	int order;

	(void)state;
	assert_int_equal(sh("mkdir -p repo/generations/000042"), 0);
	digest_sha256("one", 3, sha256[0]);
	digest_sha256("two", 3, sha256[1]);
	order = memcmp(sha256[0], sha256[1], DIGEST_LEN) > 0;
	for (int i = 0; i < 2; i++) {
		char name[200];

		arcfile_path(sha256[i], path[i]);
		assert_int_equal(sh("mkdir -p repo/$(dirname %s)", path[i]), 0);
		snprintf(name, sizeof(name), "repo/%s", path[i]);
		put_file(name, i ? "two" : "one", 3);
	}
	for (int i = 0; i < 2; i++)
		assert_int_equal(generation_sums_add(&sums, sha256[i ^ order], path[i ^ order], NULL), 0);
	for (int i = 0; i < 3; i++) {
		char name[200];

		snprintf(name, sizeof(name), "repo/%s", names[i]);
		put_file(name, names[i], strlen(names[i]));
		digest_sha256(names[i], strlen(names[i]), tmp);
		assert_int_equal(generation_sums_add(&sums, tmp, names[i], NULL), 0);
	}
	put_file("repo/generations/000042/SHA256SUMS", sums.p, sums.n);
	assert_int_equal(sh("cd repo && sha256sum --strict -c generations/000042/SHA256SUMS >ok && test "
			    "$(grep -c OK ok) = 5"),
	    0);
	assert_int_equal(sh("cd repo && find archives generations -name '*.age' -o -name manifest.json | "
			    "LC_ALL=C sort | xargs sha256sum | "
			    "cmp - generations/000042/SHA256SUMS"),
	    0);
	for (int i = 0; i < 5; i++)
		assert_int_equal(generation_sums_next((char *)sums.p, sums.n, &pos, tmp, got, NULL), 0);
	assert_string_equal(got, names[2]);
	assert_int_equal(
	    generation_sums_next((char *)sums.p, sums.n, &pos, tmp, got, NULL), GENERATION_SUMS_END);
	assert_string_equal(got, names[2]);
}

/* ---- names, words, comment ---- */

static void folder_names(void **state)
{
	static const uint64_t numbers[] = {1, 9, 42, 999999, 1000000, 123456789012345, 999999999999999999};
	static const char *const bad[] = {"", "0", "000000", "42", "00042", "0000042", "1", "00042x",
	    "x00042", "000042 ", " 000042", "+00042", "-00042", "0x0042", "000042/", "00004２",
	    "1000000000000000000", "18446744073709551617", "00 042", "000042\n"};
	char out[GENERATION_DIR];
	uint64_t n;

	(void)state;
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		generation_dir(numbers[i], out);
		assert_memory_equal(out, "generations/", 12);
		assert_int_equal(generation_dir_parse(out + 12, &n), 0);
		assert_int_equal(n, numbers[i]);
	}
	assert_string_equal(generation_dir(42, out), "generations/000042");
	generation_dir(UINT64_MAX, out);
	n = 4711;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!generation_dir_parse(bad[i], &n))
			fail_msg("accepted: '%s'", bad[i]);
	assert_int_equal(n, 4711);
}

static void names_of_data_sets(void **state)
{
	static const char *const good[] = {"a", "emr", "x9", "a-b-", "com", "com10", "comx", "conx", "lpt",
	    "late", "latest1", "nul-", "abcdefghijklmnopqrstuvwxyz012345"};
	static const char *const bad[] = {"", "con", "prn", "aux", "nul", "com0", "com9", "lpt0", "lpt1",
	    "latest", "../x", ".", "..", "a/b", "a.b", "a_b", "a b", "a\n", "9a", "-a", "42", "EMR", "Emr",
	    "emR", "カルテ", "emr@42", "a\x80", "abcdefghijklmnopqrstuvwxyz0123456"};
	char label[GENERATION_LABEL], dir[GENERATION_SET_DIR];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		if (!generation_name_ok(good[i]))
			fail_msg("refused: '%s'", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (generation_name_ok(bad[i]))
			fail_msg("accepted: '%s'", bad[i]);
	assert_string_equal(generation_label("emr", 42, label), "emr@42");
	assert_string_equal(generation_label("abcdefghijklmnopqrstuvwxyz012345", UINT64_MAX, label),
	    "abcdefghijklmnopqrstuvwxyz012345@18446744073709551615");
	assert_string_equal(generation_set_dir("emr", dir), "datasets/emr");
	assert_string_equal(generation_set_dir("abcdefghijklmnopqrstuvwxyz012345", dir),
	    "datasets/abcdefghijklmnopqrstuvwxyz012345");
}

static void words_of_verdicts(void **state)
{
	enum generation_verdict v = GENERATION_FAILED;

	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(
		    generation_verdict_parse(generation_verdict_word((enum generation_verdict)i), &v), 0);
		assert_int_equal(v, i);
	}
	assert_int_equal(generation_verdict_parse("", &v), -1);
	assert_int_equal(generation_verdict_parse("Good", &v), -1);
	assert_int_equal(generation_verdict_parse("goodx", &v), -1);
	assert_int_equal(v, GENERATION_FAILED);
}

static void comments(void **state)
{
	struct generation_id id = {REPO, "emr", UUID, 42};
	BUF_AUTO b = BUF_INIT(1000);

	(void)state;
	assert_int_equal(generation_comment("generation", &id, &b, NULL), 0);
	assert_string_equal(
	    (char *)b.p, "bkp:1 kind=generation repository=" REPO " dataset=emr generation=42 uuid=" UUID);
	assert_int_equal(b.n, strlen((char *)b.p));
	b.n = 0;
	id.number = 0;
	assert_int_equal(generation_comment("medium", &id, &b, NULL), 0);
	assert_string_equal((char *)b.p, "bkp:1 kind=medium repository=" REPO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_manifest_comes_back_as_it_was),
	    cmocka_unit_test(python_reads_the_manifest),
	    cmocka_unit_test(the_first_generation_has_no_previous),
	    cmocka_unit_test(every_member_missing_of_another_type_or_out_of_range),
	    cmocka_unit_test(texts_that_may_be_absent_are_texts_when_they_are_there),
	    cmocka_unit_test(no_manifest_says_failed),
	    cmocka_unit_test(what_is_no_manifest),
	    cmocka_unit_test(each_flipped_bit_is_survived),
	    cmocka_unit_test(a_root_comes_back_as_it_was),
	    cmocka_unit_test(roots_that_are_refused),
	    cmocka_unit_test(members_of_a_roots_head),
	    cmocka_unit_test(a_long_root_cut_anywhere),
	    cmocka_unit_test(sums_that_are_refused),
	    cmocka_unit_test(sums_with_one_byte_changed),
	    cmocka_unit_test(sha256sum_takes_what_we_write),
	    cmocka_unit_test(folder_names),
	    cmocka_unit_test(names_of_data_sets),
	    cmocka_unit_test(words_of_verdicts),
	    cmocka_unit_test(comments),
	};

	return cmocka_run_group_tests(tests, scratch_setup, scratch_teardown);
}
