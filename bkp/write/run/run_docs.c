/* run_docs: the documents of a generation, in memory: manifest.json, root.age, places.age, SHA256SUMS and its signature;
 * see run.h and docs/format.md.
 *
 * The order is that of what binds what: root.age first; manifest.json has its SHA-256 and the journal's head;
 * SHA256SUMS has the SHA-256 of these, of places.age and of every archive; the signature is of SHA256SUMS.  root.age holds the
 * key of chunk ids: its plain text is wiped before the memory is given back. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/crypto/minisig.h"
#include "format/medium/arcfile.h"
#include "read/ledger/ledger.h"
#include "format/policy/policy.h"
#include "write/index/dedup.h"
#include "write/index/places.h"
#include "write/run/run_private.h"
#include "write/state/state.h"

static void fill_id(const struct run *n, struct generation_id *id)
{
	memcpy(id->repository, state_repository(n->cfg->state), GENERATION_UUID);
	snprintf(id->dataset, sizeof(id->dataset), "%s", n->set.policy->name);
	memcpy(id->uuid, n->uuid, GENERATION_UUID);
	id->number = n->ret->run;
}

/* The others that this run captures together with it. */
static int fill_together(struct run *n, struct generation_manifest *m, struct err *err)
{
	m->together = calloc(n->cfg->n_datasets, sizeof(*m->together));
	if (!m->together)
		return err_nomem(err);
	for (size_t i = 0; i < n->cfg->n_datasets; i++)
		if (n->cfg->datasets[i] != n->set.policy &&
		    policy_together(n->cfg->datasets[i], n->set.policy))
			snprintf(m->together[m->n_together++], sizeof(*m->together), "%s",
			    n->cfg->datasets[i]->name);
	return 0;
}

static int make_manifest(struct run *n, struct err *err)
{
	const struct ledger *l = state_ledger(n->cfg->state);
	const struct ledger_generation *prev = ledger_last_committed(l, n->set.policy->name);
	struct generation_manifest m = {
	    .begun_ns = n->begun_ns, .utc_offset_s = clock_utc_offset(n->begun_ns)};
	struct clock_stamp now;
	char host[256] = "";
	char version[64] = "";
	size_t i;
	int r;

	clock_now(&now);
	gethostname(host, sizeof(host) - 1);
	snprintf(version, sizeof(version), "%s", n->cfg->version);
	fill_id(n, &m.id);
	m.period = state_period(n->cfg->state)->number;
	m.recipient = state_period(n->cfg->state)->recipient;
	m.finished_ns = now.wall_ns;
	m.host = host;
	m.version = version;
	m.dataset = n->set.result->d; /* its strings stay there */
	m.archives = n->set.n_needed;
	for (i = 0; i < n->set.n_needed; i++) {
		m.archive_bytes += n->set.needed[i].size;
		if (m.period > 1 && n->set.needed[i].generation < ledger_period(l)->first_run)
			n->set.result->former_bytes += n->set.needed[i].size;
	}
	if (prev) {
		m.previous = prev->number;
		if (!digest_unhex(prev->manifest_sha256, DIGEST_LEN, m.previous_sha256))
			return err_set_kind(err, ERR_MALFORMED, "E-GEN-01",
			    text("the journal has no manifest hash for generation %llu"),
			    (unsigned long long)prev->number);
	}
	digest_sha256(n->set.root.p, n->set.root.n, m.root_sha256);
	m.journal_seq = ledger_seq(l);
	memcpy(m.journal_sha256, ledger_head(l), DIGEST_LEN);
	n->set.result->archives = m.archives;
	n->set.result->archive_bytes = m.archive_bytes;
	r = fill_together(n, &m, err) || generation_manifest_format(&m, &n->set.manifest, err) ? -1 : 0;
	free(m.together);
	if (r)
		return -1;
	digest_sha256(n->set.manifest.p, n->set.manifest.n, n->set.manifest_sha256);
	return 0;
}

int run_encrypt(const struct run *n, const struct buf *plain, struct buf *out, struct err *err)
{
	return age_encrypt(
	    &state_period(n->cfg->state)->recipient, 1, state_random(), plain->p, plain->n, out, err);
}

static int make_root(struct run *n, struct err *err)
{
	BUF_AUTO plain = BUF_INIT(GENERATION_ROOT_MAX);
	struct generation_root r = {.dataset = n->set.result->d}; /* its strings stay there */
	int bad;

	fill_id(n, &r.id);
	r.archives = calloc(n->set.n_needed + 1, sizeof(*r.archives));
	if (!r.archives)
		return err_nomem(err);
	for (size_t i = 0; i < n->set.n_needed; i++) {
		r.archives[i].number = n->set.needed[i].number;
		r.archives[i].size = n->set.needed[i].size;
		memcpy(r.archives[i].sha256, n->set.needed[i].sha256, DIGEST_LEN);
		memcpy(r.archives[i].index_sha256, n->set.needed[i].index_sha256, DIGEST_LEN);
	}
	r.n_archives = n->set.n_needed;
	memcpy(r.chunk_id_key, state_chunk_id_key(n->cfg->state), DIGEST_LEN);
	bad = generation_root_format(&r, &plain, err) || run_encrypt(n, &plain, &n->set.root, err);
	sodium_memzero(r.chunk_id_key, DIGEST_LEN);
	if (plain.p)
		sodium_memzero(plain.p, plain.cap);
	free(r.archives);
	return bad ? -1 : 0;
}

/* To the period's key, and to this host, which fills its index from it. */
static int make_places(struct run *n, struct err *err)
{
	BUF_AUTO plain = BUF_INIT(GENERATION_PLACES_MAX);
	struct age_recipient both[2] = {state_period(n->cfg->state)->recipient};
	struct age_identity own;
	struct generation_id id;
	int r;

	fill_id(n, &id);
	places_identity(state_chunk_id_key(n->cfg->state), &own);
	r = age_identity_recipient(&own, &both[1]);
	sodium_memzero(&own, sizeof(own));
	if (!r)
		r = places_gather(n->with.cachefd, &id, n->set.needed, n->set.n_needed, &plain,
			&n->set.places_of, &n->set.n_places_of, err) ||
			    age_encrypt(both, 2, state_random(), plain.p, plain.n, &n->set.places, err)
			? -1
			: 0;
	return r;
}

void run_places_reported(struct run *n)
{
	places_reported(n->with.cachefd, n->set.policy->name, n->set.places_of, n->set.n_places_of);
}

static int by_hash(const void *a, const void *b)
{
	return memcmp(
	    ((const struct dedup_archive *)a)->sha256, ((const struct dedup_archive *)b)->sha256, DIGEST_LEN);
}

static int add_doc(struct run *n, const char *name, const struct buf *doc, struct err *err)
{
	char dir[GENERATION_DIR], path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];

	snprintf(path, sizeof(path), "%s/%s", generation_dir(n->ret->run, dir), name);
	digest_sha256(doc->p, doc->n, sha256);
	return generation_sums_add(&n->set.sums, sha256, path, err);
}

/* Sorted by path: archives by their hash, then manifest.json, places.age, root.age. */
static int make_sums(struct run *n, struct err *err)
{
	char path[ARCFILE_PATH];
	size_t i;

	qsort(n->set.needed, n->set.n_needed, sizeof(*n->set.needed), by_hash);
	for (i = 0; i < n->set.n_needed; i++)
		if (generation_sums_add(&n->set.sums, n->set.needed[i].sha256,
			arcfile_path(n->set.needed[i].sha256, path), err))
			return -1;
	return add_doc(n, "manifest.json", &n->set.manifest, err) ||
		       add_doc(n, "places.age", &n->set.places, err) ||
		       add_doc(n, "root.age", &n->set.root, err)
		   ? -1
		   : 0;
}

static int sign(struct run *n, struct err *err)
{
	BUF_AUTO comment = BUF_INIT(MINISIG_COMMENT_MAX);
	struct generation_id id;

	fill_id(n, &id);
	if (generation_comment("generation", &id, &comment, err))
		return -1;
	return minisig_sign(state_signing(n->cfg->state), n->set.sums.p, n->set.sums.n,
	    (const char *)comment.p, &n->set.sig, err);
}

int run_documents(struct run *n, struct err *err)
{
	buf_init(&n->set.manifest, GENERATION_MANIFEST_MAX);
	buf_init(&n->set.root, GENERATION_ROOT_MAX + GENERATION_ROOT_MAX / 1024);
	buf_init(&n->set.places, GENERATION_PLACES_MAX + GENERATION_PLACES_MAX / 1024);
	buf_init(&n->set.sums, GENERATION_SUMS_MAX);
	buf_init(&n->set.sig, 65536);
	return make_root(n, err) || make_places(n, err) || make_manifest(n, err) || make_sums(n, err) ||
		       sign(n, err)
		   ? -1
		   : 0;
}
