/* made: a medium with generations of several data sets in the scratch folder, made by the format's writers alone; behind
 * scratch.h.
 *
 * made_begin("m") → made_generation() … → tests.  A struct made says what is wrong with a generation, too: it is properly signed all
 * the same.  Each has one archive, of its number, with one file in it, named "file".
 */
#ifndef TESTS_MADE_H
#define TESTS_MADE_H

#include <archive_entry.h>

#include "fixture.h"
#include "runs.h"
#include "scratch.h"

#include "base/clock.h"
#include "format/crypto/minisig.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "format/medium/period.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"

#define MADE_REPO FIXTURE_REPOSITORY
#define MADE_UUID "99999999-8888-4777-8666-abcdefabcdef"
#define MADE_NOON INT64_C(1795230000) /* 2026-11-21 03:00 UTC: noon in Japan */

static struct minisig_secret made_key;
static struct age_identity made_id;
static struct age_recipient made_to;
static uint8_t made_chunk_key[DIGEST_LEN];

struct made {
	const char *dataset;
	uint64_t number;
	int64_t begun_s; /* 0: MADE_NOON, and a day later for each number above 1 */
	int32_t utc_offset_s;
	/* what is wrong with it; NULL and 0: nothing */
	const char *index_dataset; /* INDEX says that its archive is of this one */
	const char *root_dataset;  /* so does root.age */
	const char *unlisted;	   /* a document that SHA256SUMS does not list */
	bool unsigned_;
};

static UNUSED void made_seal(const void *p, size_t n, struct buf *out)
{
	struct age_writer *w = NULL;
	struct err err = ERR_INIT;

	fixture_must(age_writer_new(&made_to, 1, &fixture_random, out, &w, &err) ||
			 age_writer_update(w, p, n, out, &err) || age_writer_finish(w, out, &err),
	    &err);
	age_writer_free(w);
}

static UNUSED void made_sign(const char *name, const struct buf *text_, const char *comment)
{
	BUF_AUTO sig = BUF_INIT(65536);
	char path[700];

	assert_int_equal(minisig_sign(&made_key, text_->p, text_->n, comment, &sig, NULL), 0);
	snprintf(path, sizeof(path), "%s.minisig", name);
	put_file(path, sig.p, sig.n);
}

/* The key of the only period is the only person's, too. */
static UNUSED void made_period(const char *medium)
{
	char text[AGE_IDENTITY_TEXT], to[AGE_RECIPIENT_TEXT], path[600], comment[PERIOD_COMMENT];
	struct period_person who = {.name = "tester", .recipient = age_recipient_format(&made_to, to)};
	struct period p = {.repository = MADE_REPO,
	    .number = 1,
	    .revision = 1,
	    .recipient = made_to,
	    .people = &who,
	    .n_people = 1};
	BUF_AUTO sealed = BUF_INIT(65536);
	BUF_AUTO json = BUF_INIT(65536);

	age_identity_format(&made_id, text);
	made_seal(text, strlen(text), &sealed);
	digest_sha256(sealed.p, sealed.n, who.sha256);
	assert_int_equal(sh("mkdir -p %s/" MADE_REPO "/keys/1", medium), 0);
	snprintf(path, sizeof(path), "%s/" MADE_REPO "/keys/1/tester.age", medium);
	put_file(path, sealed.p, sealed.n);
	assert_int_equal(period_format(&p, &json, NULL), 0);
	snprintf(path, sizeof(path), "%s/" MADE_REPO "/keys/1/period-1.json", medium);
	put_file(path, json.p, json.n);
	made_sign(path, &json, period_comment(MADE_REPO, 1, 1, comment));
}

/* MEDIUM/<repository-id>/ with what is public of it and repository.age.  Again for another: it has the same keys. */
static UNUSED void made_begin(const char *medium)
{
	static const uint8_t seed[32] = {7};
	char key[MINISIG_KEY_TEXT], hex[DIGEST_HEX], sha[DIGEST_HEX], path[600];
	char comment[MINISIG_COMMENT_MAX];
	BUF_AUTO json = BUF_INIT(65536);
	BUF_AUTO secrets = BUF_INIT(65536);
	BUF_AUTO sealed = BUF_INIT(65536);
	uint8_t sha256[DIGEST_LEN];

	if (sodium_is_zero(made_chunk_key, DIGEST_LEN)) { /* once */
		assert_true(sodium_init() >= 0);
		minisig_from_seed(seed, &made_key);
		age_identity_generate(&fixture_random, &made_id);
		assert_int_equal(age_identity_recipient(&made_id, &made_to), 0);
		randombytes_buf(made_chunk_key, sizeof(made_chunk_key));
	}
	assert_int_equal(sh("mkdir -p %s/" MADE_REPO, medium), 0);
	assert_int_equal(buf_printf(&secrets, NULL,
			     "{\"format\":1,\"kind\":\"bkp-repository-secrets\",\"repository\":\"" MADE_REPO
			     "\",\"chunk_id_key\":\"%s\"}\n",
			     digest_hex(made_chunk_key, DIGEST_LEN, hex)),
	    0);
	made_seal(secrets.p, secrets.n, &sealed);
	snprintf(path, sizeof(path), "%s/" MADE_REPO "/" REPOSITORY_AGE, medium);
	put_file(path, sealed.p, sealed.n);
	digest_sha256(sealed.p, sealed.n, sha256);
	assert_int_equal(
	    buf_printf(&json, NULL,
		"{\"format\":1,\"kind\":\"bkp-repository\",\"repository\":\"" MADE_REPO
		"\",\"site\":\"s\",\"created\":\"2026-11-21T02:00:00Z\",\"keys\":[{\"epoch\":1,\"public\":\"%"
		"s\"}],\"secrets_sha256\":\"%s\"}\n",
		minisig_public_format(&made_key.pub, key), digest_hex(sha256, DIGEST_LEN, sha)),
	    0);
	snprintf(path, sizeof(path), "%s/" MADE_REPO "/" REPOSITORY_JSON, medium);
	put_file(path, json.p, json.n);
	made_sign(path, &json, repository_comment("repository", MADE_REPO, comment));
	made_period(medium);
}

/* The archive: the file's one chunk, its catalog block, the block list.  blocks: extents of that. */
static UNUSED void made_archive(struct fixture *f, const struct made *g, char blocks[300])
{
	BUF_AUTO block = BUF_INIT(CATALOG_BLOCK_MAX);
	BUF_AUTO list = BUF_INIT(65536);
	struct archive_entry *e = archive_entry_new();
	struct catalog_writer *w = NULL;
	struct err err = ERR_INIT;
	uint8_t sha256[DIGEST_LEN];
	char content[64], run[100];
	size_t n = (size_t)snprintf(content, sizeof(content), "content of %s@%ju\n", g->dataset, g->number);

	fixture_archive_of(f, g->index_dataset ? g->index_dataset : g->dataset, g->number);
	fixture_chunk(f, content, n);
	snprintf(run, sizeof(run), "%zu %ju:0:0:%zu", n, g->number, n);
	digest_sha256(content, n, sha256);
	archive_entry_copy_pathname(e, "file");
	archive_entry_set_mode(e, AE_IFREG | 0644);
	archive_entry_set_mtime(e, 1, 0);
	fixture_must(catalog_writer_new(&w, &err) ||
			 catalog_writer_add(
			     w, e, fixture_runs(f, run), strlen(fixture_runs(f, run)), sha256, 0, &err) ||
			 catalog_writer_finish(w, &block, &err),
	    &err);
	catalog_writer_free(w);
	archive_entry_free(e);
	snprintf(run, sizeof(run), "%ju:%u:0:%zu", g->number, fixture_chunk(f, block.p, block.n), block.n);
	fixture_must(buf_printf(&list, &err, "%s 1 file\n", fixture_runs(f, run)), &err);
	snprintf(run, sizeof(run), "%zu %ju:%u:0:%zu", list.n, g->number, fixture_chunk(f, list.p, list.n),
	    list.n);
	snprintf(blocks, 300, "%s", fixture_runs(f, run));
	fixture_seal(f);
}

static UNUSED void made_document(
    const char *set, const struct made *g, const char *name, const void *p, size_t n, struct buf *sums)
{
	char dir[GENERATION_DIR], listed[GENERATION_SUMS_PATH], path[600];
	uint8_t sha256[DIGEST_LEN];

	snprintf(listed, sizeof(listed), "%s/%s", generation_dir(g->number, dir), name);
	snprintf(path, sizeof(path), "%s/%s", set, listed);
	put_file(path, p, n);
	digest_sha256(p, n, sha256);
	if (!g->unlisted || strcmp(g->unlisted, name) != 0)
		assert_int_equal(generation_sums_add(sums, sha256, listed, NULL), 0);
}

/* Its documents, signed.  set: the data set's folder. */
static UNUSED void made_documents(
    const char *set, const struct made *g, const struct generation_root *root, const char *blocks)
{
	struct generation_manifest m = {.host = (char *)(uintptr_t) "h", .version = (char *)(uintptr_t) "1"};
	struct generation_root r = *root;
	char dir[GENERATION_DIR], path[ARCFILE_PATH], name[600];
	BUF_AUTO sums = BUF_INIT(65536);
	BUF_AUTO plain = BUF_INIT(65536);
	BUF_AUTO root_age = BUF_INIT(65536);
	BUF_AUTO places = BUF_INIT(65536);
	BUF_AUTO json = BUF_INIT(65536);
	BUF_AUTO comment = BUF_INIT(1000);

	m.id = (struct generation_id){.repository = MADE_REPO, .uuid = MADE_UUID, .number = g->number};
	snprintf(m.id.dataset, sizeof(m.id.dataset), "%s", g->dataset);
	m.begun_ns = (g->begun_s ? g->begun_s : MADE_NOON + 86400 * (int64_t)(g->number - 1)) * SECOND_NS;
	m.finished_ns = m.begun_ns;
	m.utc_offset_s = g->utc_offset_s;
	m.dataset = (struct generation_dataset){.entries = 1, .files = 1, .bytes = 17};
	m.period = 1;
	m.recipient = made_to;
	m.archives = 1;
	m.archive_bytes = root->archives[0].size;
	r.id = m.id;
	if (g->root_dataset)
		snprintf(r.id.dataset, sizeof(r.id.dataset), "%s", g->root_dataset);
	r.dataset = m.dataset;
	r.dataset.blocks = (char *)(uintptr_t)blocks;
	assert_int_equal(sh("mkdir -p %s/%s", set, generation_dir(g->number, dir)), 0);
	assert_int_equal(
	    generation_sums_add(&sums, r.archives[0].sha256, arcfile_path(r.archives[0].sha256, path), NULL),
	    0);
	assert_int_equal(generation_root_format(&r, &plain, NULL), 0);
	made_seal(plain.p, plain.n, &root_age);
	digest_sha256(root_age.p, root_age.n, m.root_sha256);
	assert_int_equal(generation_manifest_format(&m, &json, NULL), 0);
	made_document(set, g, "manifest.json", json.p, json.n, &sums);
	plain.n = 0;
	assert_int_equal(buf_printf(&plain, NULL, "places of %s@%ju\n", g->dataset, g->number), 0);
	made_seal(plain.p, plain.n, &places);
	made_document(set, g, "places.age", places.p, places.n, &sums);
	made_document(set, g, "root.age", root_age.p, root_age.n, &sums);
	snprintf(name, sizeof(name), "%s/%s/SHA256SUMS", set, dir);
	put_file(name, sums.p, sums.n);
	assert_int_equal(generation_comment("generation", &m.id, &comment, NULL), 0);
	if (!g->unsigned_)
		made_sign(name, &sums, (char *)comment.p);
}

static UNUSED void made_generation(const char *medium, const struct made *g)
{
	char set[300], blocks[300];
	struct fixture f;

	snprintf(set, sizeof(set), "%s/" MADE_REPO "/datasets/%s", medium, g->dataset);
	assert_int_equal(sh("mkdir -p %s", set), 0);
	fixture_in(&f, in_scratch(set));
	f.id = made_id;
	f.to = made_to;
	memcpy(f.root.chunk_id_key, made_chunk_key, DIGEST_LEN);
	made_archive(&f, g, blocks);
	made_documents(set, g, &f.root, blocks);
	fixture_close(&f);
}

static UNUSED struct vault_r *made_open(const char *medium)
{
	struct vault_r *v = NULL;
	struct err err = ERR_INIT;

	if (vault_r_open(in_scratch(medium), NULL, NULL, &v, &err))
		fail_msg("%s %s", err.code, err.msg);
	return v;
}

#endif
