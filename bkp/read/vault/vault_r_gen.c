/* vault_r_gen: one generation of a repository; see vault_r.h.
 *
 * vault_r_generation_open() goes from what is signed to what follows from it, and parses nothing that is not
 * proven: SHA256SUMS by its signature (read_signed), its lines (check_sums), manifest.json by the hash in it
 * (read_manifest), and whether the two folders' names, trusted comment, manifest and list say the same
 * (check_agreement): a generation that was copied, renamed, or put into another data set's folder is signed,
 * too.  root.age, places.age and archives are not opened here.
 *
 * What is opened is named relative to the data set's folder (g->store); what is said of it, and to whom, from
 * <repository-id>/ (shown_in).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/medium/generation.h"
#include "read/store/store.h"
#include "read/vault/periods.h"
#include "read/vault/agefile.h"
#include "read/vault/vault_r.h"
#include "read/vault/vault_r_private.h"

#define SHOWN_BYTES (GENERATION_SET_DIR + GENERATION_SUMS_PATH)

static const char *const documents[VAULT_R_DOCUMENTS] = {
    [VAULT_R_MANIFEST] = "manifest.json", [VAULT_R_PLACES] = "places.age", [VAULT_R_ROOT] = "root.age"};

/* A path of the data set's folder, from <repository-id>/. */
static char *shown_in(const struct vault_r_generation *g, const char *path, char out[SHOWN_BYTES])
{
	snprintf(out, SHOWN_BYTES, "%.*s%s", (int)(g->in_set - g->dir), g->dir, path);
	return out;
}

/* A file of the generation's own folder: where it is in the data set's, and `shown` from <repository-id>/. */
static const char *in_dir(const struct vault_r_generation *g, const char *name, char shown[SHOWN_BYTES])
{
	snprintf(shown, SHOWN_BYTES, "%s/%s", g->dir, name);
	return shown + (g->in_set - g->dir);
}

void vault_r_generation_close(struct vault_r_generation *g)
{
	if (!g)
		return;
	store_close(&g->store);
	generation_manifest_free(g->manifest);
	buf_free(&g->sums);
	free(g);
}

const struct store *vault_r_generation_store(const struct vault_r_generation *g)
{
	return &g->store;
}

const char *vault_r_generation_label(const struct vault_r_generation *g)
{
	return g->label;
}

const struct generation_manifest *vault_r_manifest(const struct vault_r_generation *g)
{
	return g->manifest;
}

bool vault_r_signature_is_usual(const struct vault_r_generation *g)
{
	return g->usual;
}

uint32_t vault_r_generation_epoch(const struct vault_r_generation *g)
{
	return g->epoch;
}

const uint8_t *vault_r_manifest_sha256(const struct vault_r_generation *g)
{
	return g->sha256[VAULT_R_MANIFEST];
}

const uint8_t *vault_r_places_sha256(const struct vault_r_generation *g)
{
	return g->sha256[VAULT_R_PLACES];
}

const struct buf *vault_r_sums(const struct vault_r_generation *g)
{
	return &g->sums;
}

static int not_here(const struct vault_r_generation *g, struct err *err)
{
	return err_set(err, "E-VAULT-04", text("generation %s is not on this medium"), g->label);
}

/* Reads SHA256SUMS and proves that it was signed. */
static int read_signed(
    struct vault_r *v, struct vault_r_generation *g, char comment[MINISIG_COMMENT_MAX], struct err *err)
{
	BUF_AUTO sig = BUF_INIT((size_t)64 << 10);
	char shown[SHOWN_BYTES];
	int r = store_read(&g->store, in_dir(g, "SHA256SUMS.minisig", shown), &sig, err);

	if (r == STORE_ABSENT) {
		STORE_AUTO dir = {0};

		/* told apart by whether the folder is there */
		if (store_below(&g->store, g->in_set, &dir, NULL))
			return not_here(g, err);
		err_set_kind(err, ERR_INCOMPLETE, "E-VAULT-05",
		    text("generation %s is not signed: its capture was not finished"), g->label);
		return VAULT_R_UNSIGNED;
	}
	if (r)
		return -1;
	g->usual = minisig_is_usual((const char *)sig.p, sig.n);
	r = store_read(&g->store, in_dir(g, "SHA256SUMS", shown), &g->sums, err);
	if (r == STORE_ABSENT)
		return err_set(err, "E-VAULT-07", text("'%s' is missing"), shown);
	if (r)
		return -1;
	if (vault_r_verify_signature(v, g->sums.p ? g->sums.p : (const uint8_t *)"", g->sums.n,
		(const char *)sig.p, sig.n, comment, &g->epoch, err)) {
		if (!err)
			return -1;
		if (err_is_unread(err))
			return err_wrap(err, text("the signature of '%s' cannot be checked"), shown);
		err_wrap(err, text("the signature of '%s' does not verify, it is damaged or forged"), shown);
		snprintf(err->code, sizeof(err->code), "E-VAULT-06");
		return err_kind(err, ERR_FORGED);
	}
	return 0;
}

/* Which of its documents a line of its SHA256SUMS means; VAULT_R_DOCUMENTS: one of another generation. */
static enum vault_r_document document_of(const struct vault_r_generation *g, const char *path)
{
	const size_t n = strlen(g->in_set);
	enum vault_r_document d = 0;

	if (strncmp(path, g->in_set, n) != 0 || path[n] != '/')
		return VAULT_R_DOCUMENTS;
	while (d < VAULT_R_DOCUMENTS && strcmp(path + n + 1, documents[d]) != 0)
		d++;
	return d;
}

/* All of SHA256SUMS: well-formed, of this generation only, with its three documents.  *ret_archives counts the
 * rest. */
static int check_sums(struct vault_r_generation *g, uint64_t *ret_archives, struct err *err)
{
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	unsigned found = 0; /* bits */
	uint64_t archives = 0;
	size_t pos = 0;
	int r;

	while (!(r = generation_sums_next((const char *)g->sums.p, g->sums.n, &pos, sha256, path, err))) {
		enum vault_r_document d;

		if (!strncmp(path, "archives/", 9)) {
			archives++;
			continue;
		}
		d = document_of(g, path);
		if (d == VAULT_R_DOCUMENTS)
			return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
			    text(
				"'%s/SHA256SUMS' lists '%s' of another generation: it was copied or renamed"),
			    g->dir, path);
		memcpy(g->sha256[d], sha256, DIGEST_LEN);
		found |= 1u << d;
	}
	if (r < 0)
		return err_wrap(err, "'%s'", g->dir);
	if (found != (1u << VAULT_R_DOCUMENTS) - 1)
		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s/SHA256SUMS' does not list manifest.json, places.age and root.age"), g->dir);
	*ret_archives = archives;
	return 0;
}

static int not_signed(const char *shown, struct err *err)
{
	return err_set(err, "E-VAULT-07", text("'%s' is not the file that was signed"), shown);
}

static int read_manifest(struct vault_r_generation *g, struct err *err)
{
	BUF_AUTO text_ = BUF_INIT(GENERATION_MANIFEST_MAX);
	char shown[SHOWN_BYTES];
	uint8_t have[DIGEST_LEN];
	int r = store_read(&g->store, in_dir(g, documents[VAULT_R_MANIFEST], shown), &text_, err);

	if (r == STORE_ABSENT)
		return err_set_kind(err, ERR_INCOMPLETE, "E-VAULT-08", text("'%s' is missing"), shown);
	if (r)
		return -1;
	digest_sha256(text_.p, text_.n, have);
	if (memcmp(have, g->sha256[VAULT_R_MANIFEST], DIGEST_LEN) != 0)
		return not_signed(shown, err);
	return generation_manifest_parse((const char *)text_.p, text_.n, &g->manifest, err)
		   ? err_wrap(err, "'%s'", g->dir)
		   : 0;
}

/* Folders, trusted comment and manifest must say the same. */
static int check_agreement(const struct vault_r *v, const struct vault_r_generation *g, const char *dataset,
    uint64_t number, const char *comment, uint64_t archives, struct err *err)
{
	const struct generation_manifest *m = g->manifest;
	BUF_AUTO want = BUF_INIT(MINISIG_COMMENT_MAX);
	char shown[SHOWN_BYTES], label[GENERATION_LABEL];

	if (strcmp(m->id.repository, v->id) != 0)
		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s' belongs to repository '%s', not to '%s'"), g->dir, m->id.repository, v->id);
	if (m->id.number != number || strcmp(m->id.dataset, dataset) != 0)
		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s' holds generation %s: it was copied or renamed"), g->dir,
		    generation_label(m->id.dataset, m->id.number, label));
	if (generation_comment("generation", &m->id, &want, err))
		return -1;
	if (strcmp((const char *)want.p, comment) != 0) {
		char said[200];

		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s' was signed as something else: '%s'"), g->dir,
		    path_show(comment, said, sizeof(said)));
	}
	if (memcmp(m->root_sha256, g->sha256[VAULT_R_ROOT], DIGEST_LEN) != 0) {
		in_dir(g, documents[VAULT_R_ROOT], shown);
		return not_signed(shown, err);
	}
	if (m->archives != archives)
		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s': manifest.json says %ju archives, SHA256SUMS lists %ju"), g->dir, m->archives,
		    archives);
	return 0;
}

/* Its names and the store of the data set's folder. */
static int enter(const struct vault_r *v, struct vault_r_generation *g, const char *dataset, uint64_t number,
    struct err *err)
{
	char set[GENERATION_SET_DIR], dir[GENERATION_DIR];
	int r;

	generation_label(dataset, number, g->label);
	generation_set_dir(dataset, set);
	snprintf(g->dir, sizeof(g->dir), "%s/%s", set, generation_dir(number, dir));
	g->in_set = g->dir + strlen(set) + 1;
	r = store_below(&v->store, set, &g->store, err);
	return r == STORE_ABSENT ? not_here(g, err) : r;
}

int vault_r_generation_open(
    struct vault_r *v, const char *dataset, uint64_t number, struct vault_r_generation **ret, struct err *err)
{
	struct vault_r_generation *g;
	char comment[MINISIG_COMMENT_MAX], shown[100];
	uint64_t archives;
	int r;

	if (!generation_name_ok(dataset))
		return err_set(err, "E-VAULT-04", text("no data set can be called '%s'"),
		    path_show(dataset, shown, sizeof(shown)));
	g = calloc(1, sizeof(*g));
	if (!g)
		return err_nomem(err);
	buf_init(&g->sums, GENERATION_SUMS_MAX);
	r = enter(v, g, dataset, number, err);
	if (!r)
		r = read_signed(v, g, comment, err);
	if (!r)
		r = check_sums(g, &archives, err);
	if (!r)
		r = read_manifest(g, err);
	if (!r)
		r = check_agreement(v, g, dataset, number, comment, archives, err);
	if (r) {
		vault_r_generation_close(g);
		return r;
	}
	*ret = g;
	return 0;
}

/* ---- presence ---- */

struct tally {
	vault_r_fault_fn *fn;
	void *arg;
	uint64_t faults, archive_bytes;
};

static void report_fault(struct tally *t, const char *file, const struct err *why)
{
	t->faults++;
	if (t->fn)
		t->fn(t->arg, file, why);
}

int vault_r_presence(struct vault_r *v, const struct vault_r_generation *g, vault_r_fault_fn *fn, void *arg,
    uint64_t *ret_faults, struct err *err)
{
	struct tally t = {fn, arg, 0, 0};
	char path[GENERATION_SUMS_PATH], shown[SHOWN_BYTES];
	uint8_t sha256[DIGEST_LEN];
	struct err why = ERR_INIT;
	size_t pos = 0;
	int r;

	(void)v;
	while (!(r = generation_sums_next((const char *)g->sums.p, g->sums.n, &pos, sha256, path, err))) {
		uint64_t size;

		shown_in(g, path, shown);
		r = store_size(&g->store, path, &size, &why);
		if (r == STORE_ABSENT)
			err_set_kind(&why, ERR_INCOMPLETE, "E-VAULT-08", text("'%s' is missing"), shown);
		else if (!r && !size)
			r = err_set_kind(&why, ERR_INCOMPLETE, "E-VAULT-09", text("'%s' is empty"), shown);
		else if (!r && !strncmp(path, "archives/", 9))
			t.archive_bytes += size;
		if (r)
			report_fault(&t, shown, &why);
	}
	if (r < 0)
		return -1;
	if (!t.faults && t.archive_bytes != g->manifest->archive_bytes) {
		err_set_kind(&why, ERR_INCOMPLETE, "E-VAULT-09",
		    text("the archives of '%s' have %ju bytes where %ju belong"), g->dir, t.archive_bytes,
		    g->manifest->archive_bytes);
		report_fault(&t, g->dir, &why);
	}
	*ret_faults = t.faults;
	return 0;
}

/* ---- root.age, places.age ---- */

static int by_sha256(const void *a, const void *b)
{
	return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, DIGEST_LEN);
}

/* The table of archives is exactly what SHA256SUMS lists: SHA256SUMS is in the order of the hashes. */
static int same_archives(
    const struct vault_r_generation *g, const struct generation_root *root, struct err *err)
{
	const uint8_t **sorted = calloc(root->n_archives + 1, sizeof(*sorted));
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	size_t pos = 0, i;
	bool same = true;

	if (!sorted)
		return err_nomem(err);
	for (i = 0; i < root->n_archives; i++)
		sorted[i] = root->archives[i].sha256;
	qsort(sorted, root->n_archives, sizeof(*sorted), by_sha256);
	i = 0;
	while (same && !generation_sums_next((const char *)g->sums.p, g->sums.n, &pos, sha256, path, err)) {
		if (strncmp(path, "archives/", 9) != 0)
			continue;
		same = i < root->n_archives && !memcmp(sorted[i], sha256, DIGEST_LEN);
		i++;
	}
	same = same && i == root->n_archives;
	free(sorted);
	if (!same)
		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s/root.age' and SHA256SUMS do not name the same archives"), g->dir);
	return 0;
}

/* Appends what is in one of the encrypted documents; what was decrypted is what was hashed. */
static int read_sealed(const struct vault_r_generation *g, enum vault_r_document d,
    const struct age_identity *ids, size_t n, struct buf *plain, struct err *err)
{
	uint8_t sha256[DIGEST_LEN];
	char shown[SHOWN_BYTES];
	STORE_FILE_AUTO file = {0};
	int r = store_open(&g->store, in_dir(g, documents[d], shown), &file, err);

	if (r)
		return r == STORE_ABSENT
			   ? err_set_kind(err, ERR_INCOMPLETE, "E-VAULT-08", text("'%s' is missing"), shown)
			   : -1;
	if (agefile_slurp(&file, ids, n, plain, sha256, err)) {
		if (err && err->kind == ERR_WRONG_KEY) {
			err_set(
			    err, "E-AGE-03", text("the identity that was given does not open '%s'"), shown);
			return err_hint(err, "%s",
			    text("bring the identity that belongs to one of the repository's recipients"));
		}
		return err_wrap(err, "'%s'", shown);
	}
	return memcmp(sha256, g->sha256[d], DIGEST_LEN) != 0 ? not_signed(shown, err) : 0;
}

static void wipe(struct buf *plain)
{
	if (plain->p)
		sodium_memzero(plain->p, plain->cap);
	buf_free(plain);
}

static int check_root(const struct vault_r *v, const struct vault_r_generation *g,
    const struct generation_root *root, struct err *err)
{
	const struct generation_id *id = &g->manifest->id;
	char shown[SHOWN_BYTES];

	if (strcmp(root->id.repository, v->id) != 0 || strcmp(root->id.dataset, id->dataset) != 0 ||
	    root->id.number != id->number || strcmp(root->id.uuid, id->uuid) != 0) {
		in_dir(g, documents[VAULT_R_ROOT], shown);
		return err_set_kind(
		    err, ERR_FORGED, "E-VAULT-06", text("'%s' belongs to another generation"), shown);
	}
	return same_archives(g, root, err);
}

int vault_r_root(struct vault_r *v, const struct vault_r_generation *g, const struct age_identity *ids,
    size_t n, struct generation_root **ret, struct err *err)
{
	struct buf plain = BUF_INIT(GENERATION_ROOT_MAX);
	struct generation_root *root = NULL;
	const struct periods *periods = vault_r_periods(v, err);
	int r = periods && !periods_check(periods, g->manifest->period, &g->manifest->recipient, err)
		    ? read_sealed(g, VAULT_R_ROOT, ids, n, &plain, err)
		    : -1;

	if (!r && generation_root_parse((const char *)plain.p, plain.n, &root, err))
		r = err_wrap(err, "'%s'", g->dir);
	wipe(&plain); /* the key of chunk ids is in it */
	if (!r)
		r = check_root(v, g, root, err);
	if (r)
		generation_root_free(root);
	else
		*ret = root;
	return r;
}

int vault_r_places(struct vault_r *v, const struct vault_r_generation *g, const struct age_identity *ids,
    size_t n, struct buf *ret_plain, struct err *err)
{
	struct buf plain = BUF_INIT(GENERATION_PLACES_MAX);

	(void)v;
	if (read_sealed(g, VAULT_R_PLACES, ids, n, &plain, err)) {
		wipe(&plain);
		return -1;
	}
	*ret_plain = plain;
	return 0;
}
