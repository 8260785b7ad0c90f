/* mirror: see mirror.h.
 *
 * mirror_generation(): the source's five documents are read into memory and their signature is checked; archives
 * that the target lacks are copied, each hashed on its way; then the documents that were checked are published,
 * never what the source may hold by now.  An archive gets its name on the target only when its bytes gave the hash
 * that is its name.  With `replace` a damaged archive is deleted only after the good one lies whole under
 * tmp/, a damaged document only when the good one is in memory. */
#include "write/copies/mirror.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "base/threads/beside.h"
#include "format/crypto/minisig.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "read/file/ahead.h"
#include "read/store/store.h"
#include "read/verify/verify.h"
#include "write/put/store_w.h"
#include "write/reap/reap.h"
#include "write/pack/vault_w.h"

#define DOCS	  5
#define LISTED	  3 /* of them, in SHA256SUMS */
#define SUMS	  3 /* which of them: SHA256SUMS, and its signature behind it */
#define PATH_MAX_ (GENERATION_SET_DIR + GENERATION_SUMS_PATH)
#define SIG_FILE  "SHA256SUMS.minisig"

static void hash_part(void *digest, const void *p, size_t n)
{
	digest_update(digest, p, n);
}

/* The source is read ahead while what came is hashed and written at once: the slower of the two devices is the limit. */
static int copy_parts(struct ahead *from, struct digest *d, struct beside *beside, struct vault_w *to,
    struct store_staged *f, const char *path, struct err *err)
{
	uint8_t *part;
	ssize_t n;

	while ((n = ahead_next(from, &part)) > 0) {
		int r;

		beside_begin(beside, hash_part, d, part, (size_t)n);
		r = vault_w_write(to, f, part, (size_t)n, err);
		beside_wait(beside);
		if (r)
			return -1;
	}
	if (n == 0)
		return 0;
	err_sys(err, "E-MIRROR-01", errno, text("cannot read '%s'"), path);
	return MIRROR_SOURCE;
}

static int copy_bytes(struct store_file *from, struct vault_w *to, struct store_staged *f,
    const uint8_t sha256[DIGEST_LEN], const char *path, struct err *err)
{
	struct digest *d = digest_new();
	struct ahead *ahead = ahead_new(true);
	struct beside *beside = beside_new();
	uint8_t got[DIGEST_LEN];
	int r;

	if (d && ahead && beside) {
		ahead_begin(ahead, from, false);
		r = copy_parts(ahead, d, beside, to, f, path, err);
		ahead_end(ahead);
	} else {
		r = err_nomem(err);
	}
	if (!r) {
		digest_final(d, got);
		if (memcmp(got, sha256, DIGEST_LEN) != 0) {
			err_set(err, "E-MIRROR-01", text("'%s' is damaged: its SHA-256 is another"), path);
			r = MIRROR_SOURCE;
		}
	}
	digest_free(d);
	ahead_free(ahead);
	beside_free(beside);
	return r;
}

/* From <repository-id>/: `name` is a path in the data set's folder. */
static char *in_set(const char *dataset, const char *name, char out[PATH_MAX_])
{
	char dir[GENERATION_SET_DIR];

	snprintf(out, PATH_MAX_, "%s/%s", generation_set_dir(dataset, dir), name);
	return out;
}

int mirror_archive(const struct store *source, struct vault_w *to, const char *dataset,
    const uint8_t sha256[DIGEST_LEN], bool replace, struct err *err)
{
	char path[PATH_MAX_], name[ARCFILE_PATH];
	struct store_staged *f = NULL;
	STORE_FILE_AUTO from = {0};
	int r;

	if (store_open(source, in_set(dataset, arcfile_path(sha256, name), path), &from, err))
		return MIRROR_SOURCE;
	if (vault_w_stage(to, &f, err))
		return -1;
	r = copy_bytes(&from, to, f, sha256, path, err);
	if (!r && replace)
		r = reap_thaw(vault_w_store(to), path, err);
	if (r) {
		vault_w_discard(to, f);
		return r;
	}
	return replace ? vault_w_replace_archive(to, dataset, f, sha256, err)
		       : vault_w_publish_archive(to, dataset, f, sha256, err);
}

/* The documents in the order they are published in. */
static const char *const doc_names[DOCS] = {
    "manifest.json", "places.age", "root.age", "SHA256SUMS", SIG_FILE};
static const size_t doc_max[DOCS] = {GENERATION_MANIFEST_MAX,
    GENERATION_PLACES_MAX + GENERATION_PLACES_MAX / 1024, GENERATION_ROOT_MAX + GENERATION_ROOT_MAX / 1024,
    GENERATION_SUMS_MAX, 65536};

/* "datasets/emr/generations/000042" */
static char *dir_of(const char *dataset, uint64_t number, char out[PATH_MAX_])
{
	char dir[GENERATION_DIR];

	return in_set(dataset, generation_dir(number, dir), out);
}

static int read_docs(
    const struct store *source, const struct mirror_generation *g, struct buf docs[DOCS], struct err *err)
{
	char dir[PATH_MAX_], path[PATH_MAX_ + 32];
	int i;

	dir_of(g->dataset, g->number, dir);
	for (i = 0; i < DOCS; i++) {
		buf_init(&docs[i], doc_max[i]);
		snprintf(path, sizeof(path), "%s/%s", dir, doc_names[i]);
		if (store_read(source, path, &docs[i], err))
			return MIRROR_SOURCE;
	}
	return 0;
}

/* A signature can be made again by who has got hold of a key; what the journal says of the manifest cannot. */
static int is_reported(const struct mirror_generation *g, struct buf docs[DOCS], struct err *err)
{
	uint8_t got[DIGEST_LEN];
	char hex[DIGEST_HEX], label[GENERATION_LABEL];

	digest_sha256(docs[0].p, docs[0].n, got);
	if (!g->manifest_sha256 || !strcmp(g->manifest_sha256, digest_hex(got, DIGEST_LEN, hex)))
		return 0;
	err_set_kind(err, ERR_SIGNED_ANEW, "E-MIRROR-04",
	    text("generation %s has another manifest than the one that was reported"),
	    generation_label(g->dataset, g->number, label));
	return MIRROR_SOURCE;
}

static int check_signature(const struct mirror_generation *g, struct buf docs[DOCS], struct err *err)
{
	struct generation_id id = {.number = g->number};
	BUF_AUTO want = BUF_INIT(4096);
	char comment[MINISIG_COMMENT_MAX], label[GENERATION_LABEL];
	size_t which;

	generation_label(g->dataset, g->number, label);
	snprintf(id.dataset, sizeof(id.dataset), "%s", g->dataset);
	snprintf(id.repository, sizeof(id.repository), "%s", g->repository);
	snprintf(id.uuid, sizeof(id.uuid), "%s", g->uuid);
	if (generation_comment("generation", &id, &want, err))
		return -1;
	if (minisig_verify_one_of(g->keys, g->n_keys, docs[SUMS].p, docs[SUMS].n,
		(const char *)docs[SUMS + 1].p, docs[SUMS + 1].n, comment, &which, err))
		return MIRROR_SOURCE;
	if (g->epoch && which + 1 != g->epoch) {
		err_set_kind(err, ERR_SIGNED_ANEW, "E-MIRROR-04",
		    text("generation %s is signed with the key of epoch %zu, but was begun in epoch %u"),
		    label, which + 1, g->epoch);
		return MIRROR_SOURCE;
	}
	if (strcmp(comment, (const char *)want.p) != 0) {
		err_set(err, "E-MIRROR-02",
		    text("the signature of generation %s is for something else: '%s'"), label, comment);
		return MIRROR_SOURCE;
	}
	return is_reported(g, docs, err);
}

/* A document of this generation: what was read must be what was signed. */
static int check_document(struct buf docs[DOCS], unsigned *seen, const char *dir, const char *path,
    const uint8_t sha256[DIGEST_LEN], uint64_t *files, struct err *err)
{
	size_t n = strlen(dir);
	uint8_t got[DIGEST_LEN];
	int i;

	for (i = 0; i < LISTED; i++)
		if (!strncmp(path, dir, n) && path[n] == '/' && !strcmp(path + n + 1, doc_names[i]))
			break;
	if (i == LISTED) {
		err_set(err, "E-MIRROR-02", text("SHA256SUMS lists '%s' of another generation"), path);
		return MIRROR_SOURCE;
	}
	digest_sha256(docs[i].p, docs[i].n, got);
	if (memcmp(got, sha256, DIGEST_LEN) != 0) {
		err_set(err, "E-MIRROR-01", text("'%s' is damaged: its SHA-256 is another"), path);
		return MIRROR_SOURCE;
	}
	*seen |= 1u << i;
	(*files)++;
	return 0;
}

/* An archive is copied when the target lacks it. */
static int supply_archive(const struct store *source, struct vault_w *to, const struct mirror_generation *g,
    const char *path, const uint8_t sha256[DIGEST_LEN], uint64_t *files, struct err *err)
{
	char whole[PATH_MAX_];
	uint64_t size;
	int r;

	if (!store_size(source, in_set(g->dataset, path, whole), &size, NULL)) {
		r = vault_w_has_archive(to, g->dataset, sha256, size, err);
		if (r)
			return r < 0 ? -1 : 0;
	}
	/* perhaps it is the source's that has a wrong size, or is gone */
	if (!verify_file(vault_w_store(to), whole, sha256, false, &size, NULL))
		return vault_w_has_archive(to, g->dataset, sha256, size, err) == 1 ? 0 : -1;
	r = mirror_archive(source, to, g->dataset, sha256, false, err);
	if (r)
		return r;
	(*files)++;
	if (g->copied)
		g->copied(g->arg);
	return 0;
}

/* Everything that SHA256SUMS lists, its own documents among them. */
static int supply_listed(const struct store *source, struct vault_w *to, struct buf docs[DOCS],
    const struct mirror_generation *g, uint64_t *files, struct err *err)
{
	char dir[GENERATION_DIR], path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	unsigned seen = 0;
	size_t pos = 0;
	int r;

	generation_dir(g->number, dir);
	for (;;) {
		r = generation_sums_next((const char *)docs[SUMS].p, docs[SUMS].n, &pos, sha256, path, err);
		if (r == GENERATION_SUMS_END)
			break;
		if (r)
			return MIRROR_SOURCE;
		r = !strncmp(path, "generations/", 12)
			? check_document(docs, &seen, dir, path, sha256, files, err)
			: supply_archive(source, to, g, path, sha256, files, err);
		if (r)
			return r;
	}
	if (seen == (1u << LISTED) - 1)
		return 0;
	err_set(err, "E-MIRROR-02", text("SHA256SUMS of '%s' does not list its own documents"), dir);
	return MIRROR_SOURCE;
}

/* docs were compared with what is signed; the source is not read again: by now it may hold others. */
static int clear_others(
    struct vault_w *to, const struct mirror_generation *g, struct buf docs[DOCS], struct err *err)
{
	char dir[PATH_MAX_], path[PATH_MAX_ + 32];
	int i;

	dir_of(g->dataset, g->number, dir);
	for (i = 0; i < DOCS; i++) {
		BUF_AUTO there = BUF_INIT(doc_max[i]);

		snprintf(path, sizeof(path), "%s/%s", dir, doc_names[i]);
		if (!store_read(vault_w_store(to), path, &there, NULL) && there.n == docs[i].n &&
		    !memcmp(there.p, docs[i].p, there.n))
			continue;
		if (reap_damaged(vault_w_store(to), path, err))
			return -1;
	}
	return 0;
}

int mirror_generation(const struct store *source, struct vault_w *to, const struct mirror_generation *g,
    uint64_t *files, struct err *err)
{
	struct buf docs[DOCS] = {{0}};
	struct store_doc out[DOCS];
	int i, r;

	r = read_docs(source, g, docs, err);
	if (!r)
		r = check_signature(g, docs, err);
	if (!r)
		r = supply_listed(source, to, docs, g, files, err);
	for (i = 0; i < DOCS; i++)
		out[i] = (struct store_doc){doc_names[i], docs[i].p, docs[i].n};
	if (!r && g->replace)
		r = clear_others(to, g, docs, err);
	if (!r)
		r = vault_w_publish_generation(to, g->dataset, g->number, out, DOCS, err);
	for (i = 0; i < DOCS; i++)
		buf_free(&docs[i]);
	return r;
}
