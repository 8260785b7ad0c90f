/* vault_r_gen: one generation of a repository; see vault_r.h.
 *
 * vault_r_generation_open() goes from what is signed to what follows from it, and parses nothing that is not
 * proven: SHA256SUMS by its signature (read_signed), its lines (check_sums), manifest.json by the hash in it
 * (read_manifest), and whether folder name, trusted comment, manifest and list say the same
 * (check_agreement): a generation that was copied or renamed is signed, too.  root.age and archives are not
 * opened here.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/medium/generation.h"
#include "read/store/store.h"
#include "read/vault/agefile.h"
#include "read/vault/vault_r.h"
#include "read/vault/vault_r_private.h"

#define PATH_BYTES (GENERATION_DIR + 32)

/* ---- the list of generations ---- */

/* all generations of a repository with their states */

#define NUMBERS_MAX ((size_t)1 << 20) /* generations; a medium with more cannot be listed */

const char *vault_r_state_word(enum vault_r_state s)
{
	static const char *const words[] = {"complete", "incomplete", "damaged", "forged"};

	return words[s];
}

static int collect_number(void *arg, const char *name, struct err *err)
{
	struct buf *numbers = arg;
	uint64_t n;

	if (generation_dir_parse(name, &n))
		return 0;
	return buf_append(numbers, &n, sizeof(n), err);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

static void first_fault(void *arg, const char *file, const struct err *fault)
{
	struct err *why = arg;

	(void)file;
	if (!why->code[0])
		*why = *fault;
}

static enum vault_r_state state_of(const struct err *why)
{
	if (why->kind == ERR_INCOMPLETE)
		return VAULT_R_INCOMPLETE;
	/* what was signed by this repository and yet says nonsense was not written by it */
	if (why->kind == ERR_FORGED || why->kind == ERR_MALFORMED)
		return VAULT_R_FORGED;
	return VAULT_R_DAMAGED;
}

static int list_one(struct vault_r *v, uint64_t number, vault_r_list_fn *fn, void *arg, struct err *err)
{
	struct vault_r_listed listed = {.number = number, .why = ERR_INIT};
	struct vault_r_generation *g = NULL;
	int r;

	if (!vault_r_generation_open(v, number, &g, &listed.why)) {
		listed.manifest = vault_r_manifest(g);
		if (vault_r_presence(v, g, first_fault, &listed.why, &listed.missing, &listed.why))
			listed.missing = 1;
	}
	listed.state = listed.why.code[0] ? state_of(&listed.why) : VAULT_R_COMPLETE;
	r = fn(arg, &listed, err);
	vault_r_generation_close(g);
	return r;
}

int vault_r_list(struct vault_r *v, vault_r_list_fn *fn, void *arg, struct err *err)
{
	BUF_AUTO numbers = BUF_INIT(NUMBERS_MAX * sizeof(uint64_t));
	size_t i;
	int r;

	r = store_list(&v->store, "generations", collect_number, &numbers, err);
	if (r)
		return r == STORE_ABSENT ? 0 : -1;
	if (numbers.n)
		qsort(numbers.p, numbers.n / sizeof(uint64_t), sizeof(uint64_t), by_number);
	for (i = 0; i < numbers.n; i += sizeof(uint64_t)) {
		uint64_t number;

		memcpy(&number, numbers.p + i, sizeof(number));
		r = list_one(v, number, fn, arg, err);
		if (r)
			return r;
	}
	return 0;
}

/* ---- the rest ---- */

static char *in_dir(const struct vault_r_generation *g, const char *name, char out[PATH_BYTES])
{
	snprintf(out, PATH_BYTES, "%s/%s", g->dir, name);
	return out;
}

void vault_r_generation_close(struct vault_r_generation *g)
{
	if (!g)
		return;
	generation_manifest_free(g->manifest);
	buf_free(&g->sums);
	free(g);
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
	return g->manifest_sha256;
}

const struct buf *vault_r_sums(const struct vault_r_generation *g)
{
	return &g->sums;
}

/* Reads SHA256SUMS and proves that it was signed. */
static int read_signed(
    struct vault_r *v, struct vault_r_generation *g, char comment[MINISIG_COMMENT_MAX], struct err *err)
{
	BUF_AUTO sig = BUF_INIT((size_t)64 << 10);
	char path[PATH_BYTES];
	int r = store_read(&v->store, in_dir(g, "SHA256SUMS.minisig", path), &sig, err);

	if (r == STORE_ABSENT) {
		STORE_AUTO dir = {0};

		/* told apart by whether the folder is there */
		if (store_below(&v->store, g->dir, &dir, NULL))
			return err_set(
			    err, "E-VAULT-04", text("generation %s is not on this medium"), g->dir + 12);
		err_set_kind(err, ERR_INCOMPLETE, "E-VAULT-05",
		    text("generation %s is not signed: its capture was not finished"), g->dir + 12);
		return VAULT_R_UNSIGNED;
	}
	if (r)
		return -1;
	g->usual = minisig_is_usual((const char *)sig.p, sig.n);
	r = store_read(&v->store, in_dir(g, "SHA256SUMS", path), &g->sums, err);
	if (r == STORE_ABSENT)
		return err_set(err, "E-VAULT-07", text("'%s' is missing"), path);
	if (r)
		return -1;
	if (vault_r_verify_signature(v, g->sums.p ? g->sums.p : (const uint8_t *)"", g->sums.n,
		(const char *)sig.p, sig.n, comment, &g->epoch, err)) {
		if (!err)
			return -1;
		if (err_is_unread(err))
			return err_wrap(err, text("the signature of '%s' cannot be checked"), path);
		err_wrap(err, text("the signature of '%s' does not verify, it is damaged or forged"), path);
		snprintf(err->code, sizeof(err->code), "E-VAULT-06");
		return err_kind(err, ERR_FORGED);
	}
	return 0;
}

/* All of SHA256SUMS: well-formed, of this generation only, with both documents.  *ret_archives counts the
 * rest. */
static int check_sums(struct vault_r_generation *g, uint8_t manifest_sha256[DIGEST_LEN],
    uint64_t *ret_archives, struct err *err)
{
	char path[GENERATION_SUMS_PATH], manifest[PATH_BYTES], root[PATH_BYTES];
	uint8_t sha256[DIGEST_LEN];
	unsigned documents = 0; /* bits: manifest.json, root.age */
	uint64_t archives = 0;
	size_t pos = 0;
	int r;

	in_dir(g, "manifest.json", manifest);
	in_dir(g, "root.age", root);
	while (!(r = generation_sums_next((const char *)g->sums.p, g->sums.n, &pos, sha256, path, err))) {
		if (!strncmp(path, "archives/", 9)) {
			archives++;
		} else if (!strcmp(path, manifest)) {
			memcpy(manifest_sha256, sha256, DIGEST_LEN);
			documents |= 1;
		} else if (!strcmp(path, root)) {
			memcpy(g->root_sha256, sha256, DIGEST_LEN);
			documents |= 2;
		} else {
			return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
			    text(
				"'%s/SHA256SUMS' lists '%s' of another generation: it was copied or renamed"),
			    g->dir, path);
		}
	}
	if (r < 0)
		return err_wrap(err, "'%s'", g->dir);
	if (documents != 3)
		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s/SHA256SUMS' does not list manifest.json and root.age"), g->dir);
	*ret_archives = archives;
	return 0;
}

static int read_manifest(
    struct vault_r *v, struct vault_r_generation *g, const uint8_t want[DIGEST_LEN], struct err *err)
{
	BUF_AUTO text_ = BUF_INIT(GENERATION_MANIFEST_MAX);
	uint8_t have[DIGEST_LEN];
	char path[PATH_BYTES];
	int r = store_read(&v->store, in_dir(g, "manifest.json", path), &text_, err);

	if (r == STORE_ABSENT)
		return err_set_kind(err, ERR_INCOMPLETE, "E-VAULT-08", text("'%s' is missing"), path);
	if (r)
		return -1;
	digest_sha256(text_.p, text_.n, have);
	if (memcmp(have, want, DIGEST_LEN) != 0)
		return err_set(err, "E-VAULT-07", text("'%s' is not the file that was signed"), path);
	return generation_manifest_parse((const char *)text_.p, text_.n, &g->manifest, err)
		   ? err_wrap(err, "'%s'", g->dir)
		   : 0;
}

/* Folder, trusted comment and manifest must say the same. */
static int check_agreement(const struct vault_r *v, const struct vault_r_generation *g, uint64_t number,
    const char *comment, uint64_t archives, struct err *err)
{
	const struct generation_manifest *m = g->manifest;
	BUF_AUTO want = BUF_INIT(MINISIG_COMMENT_MAX);

	if (strcmp(m->id.repository, v->id) != 0)
		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s' belongs to repository '%s', not to '%s'"), g->dir, m->id.repository, v->id);
	if (m->id.number != number)
		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s' holds generation %ju: it was renamed"), g->dir, m->id.number);
	if (generation_comment("generation", &m->id, &want, err))
		return -1;
	if (strcmp((const char *)want.p, comment) != 0) {
		char shown[200];

		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s' was signed as something else: '%s'"), g->dir,
		    path_show(comment, shown, sizeof(shown)));
	}
	if (m->binds_root && memcmp(m->root_sha256, g->root_sha256, DIGEST_LEN) != 0) {
		char path[PATH_BYTES];

		return err_set(err, "E-VAULT-07", text("'%s' is not the file that was signed"),
		    in_dir(g, "root.age", path));
	}
	if (m->archives != archives)
		return err_set_kind(err, ERR_FORGED, "E-VAULT-06",
		    text("'%s': manifest.json says %ju archives, SHA256SUMS lists %ju"), g->dir, m->archives,
		    archives);
	return 0;
}

int vault_r_generation_open(
    struct vault_r *v, uint64_t number, struct vault_r_generation **ret, struct err *err)
{
	struct vault_r_generation *g = calloc(1, sizeof(*g));
	char comment[MINISIG_COMMENT_MAX];
	uint64_t archives;
	int r;

	if (!g)
		return err_nomem(err);
	generation_dir(number, g->dir);
	buf_init(&g->sums, GENERATION_SUMS_MAX);
	r = read_signed(v, g, comment, err);
	if (!r)
		r = check_sums(g, g->manifest_sha256, &archives, err);
	if (!r)
		r = read_manifest(v, g, g->manifest_sha256, err);
	if (!r)
		r = check_agreement(v, g, number, comment, archives, err);
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
	char path[GENERATION_SUMS_PATH];
	uint8_t sha256[DIGEST_LEN];
	struct err why = ERR_INIT;
	size_t pos = 0;
	int r;

	while (!(r = generation_sums_next((const char *)g->sums.p, g->sums.n, &pos, sha256, path, err))) {
		uint64_t size;

		r = store_size(&v->store, path, &size, &why);
		if (r == STORE_ABSENT)
			err_set_kind(&why, ERR_INCOMPLETE, "E-VAULT-08", text("'%s' is missing"), path);
		else if (!r && !size)
			r = err_set_kind(&why, ERR_INCOMPLETE, "E-VAULT-09", text("'%s' is empty"), path);
		else if (!r && !strncmp(path, "archives/", 9))
			t.archive_bytes += size;
		if (r)
			report_fault(&t, path, &why);
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

/* ---- root.age ---- */

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

int vault_r_root(struct vault_r *v, const struct vault_r_generation *g, const struct age_identity *ids,
    size_t n, struct generation_root **ret, struct err *err)
{
	BUF_AUTO plain = BUF_INIT(GENERATION_ROOT_MAX);
	struct generation_root *root = NULL;
	uint8_t sha256[DIGEST_LEN];
	char path[PATH_BYTES];
	STORE_FILE_AUTO file = {0};
	int r = store_open(&v->store, in_dir(g, "root.age", path), &file, err);

	if (r)
		return r == STORE_ABSENT
			   ? err_set_kind(err, ERR_INCOMPLETE, "E-VAULT-08", text("'%s' is missing"), path)
			   : -1;
	if (agefile_slurp(&file, ids, n, &plain, sha256, err)) {
		if (err && err->kind == ERR_WRONG_KEY) {
			err_set(
			    err, "E-AGE-03", text("the identity that was given does not open '%s'"), path);
			return err_hint(err, "%s",
			    text("bring the identity that belongs to one of the repository's recipients"));
		}
		return err_wrap(err, "'%s'", path);
	}
	if (memcmp(sha256, g->root_sha256, DIGEST_LEN) != 0)
		return err_set(err, "E-VAULT-07", text("'%s' is not the file that was signed"), path);
	if (generation_root_parse((const char *)plain.p, plain.n, &root, err))
		return err_wrap(err, "'%s'", path);
	sodium_memzero(plain.p, plain.cap); /* the key of chunk ids is in it */
	if (strcmp(root->id.repository, v->id) != 0 || root->id.number != g->manifest->id.number ||
	    strcmp(root->id.uuid, g->manifest->id.uuid) != 0)
		r = err_set_kind(
		    err, ERR_FORGED, "E-VAULT-06", text("'%s' belongs to another generation"), path);
	else
		r = same_archives(g, root, err);
	if (r)
		generation_root_free(root);
	else
		*ret = root;
	return r;
}
