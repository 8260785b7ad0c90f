/* verify_deep: the part of verify that needs an identity; see verify.h.
 *
 * First every archive by itself (verify_archive.c), each chunk decoded once; what is bad is remembered.  Then
 * the catalog (verify_catalog.c): what an entry refers to must be what was captured of it, run by run and as a
 * whole.
 *
 * d->bad is written on the caller's thread while archives are taken back (report_chunks), and only read while
 * the catalog is checked: the two phases do not overlap, so it needs no lock.
 */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "base/threads/parallel.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/medium/arcfile.h"
#include "format/medium/codec.h"
#include "read/file/digestset.h"
#include "read/vault/arc_r.h"
#include "read/vault/vault_r.h"
#include "read/verify/verify_private.h"

#define BAD_MAX	   ((size_t)4 << 20)
#define FAULTS_MAX ((size_t)256 << 20) /* bytes, of one archive */
#define OPEN_MAX   64
#define CACHE	   ((size_t)32 << 20) /* decoded chunks that entries of a folder share, for each thread */

struct deep {
	struct verify_run *run;
	struct generation_root *root;
	struct digestset *bad; /* chunks that cannot be had */
	struct verify_worker workers[VERIFY_DEEP_THREADS_MAX];
	struct verify_archive tasks[VERIFY_DEEP_THREADS_MAX * VERIFY_WINDOW];
};

void verify_bad_key(uint64_t archive, uint32_t chunk, uint8_t out[DIGEST_LEN])
{
	uint64_t id[2] = {archive, chunk};

	digestset_key_of(id, sizeof(id), out);
}

/* ---- archives ---- */

static int next_archive(void *arg, size_t i, void *slot, struct err *err)
{
	struct deep *d = arg;
	struct verify_archive *t = slot;
	const struct generation_archive *a = &d->root->archives[i];
	char path[ARCFILE_PATH];

	(void)err;
	t->number = a->number;
	verify_listed_name(d->run, &t->listed, arcfile_path(a->sha256, path));
	memcpy(t->listed.sha256, a->sha256, DIGEST_LEN);
	verify_listed_begin(d->run, &t->listed);
	return 0;
}

static void check_archive(void *arg, unsigned thread, size_t i, void *slot)
{
	struct deep *d = arg;

	(void)i;
	verify_archive_check(&d->workers[thread], slot);
}

static int report_chunks(struct deep *d, const struct verify_archive *t, struct err *err)
{
	uint8_t key[DIGEST_LEN];
	struct err why = ERR_INIT;
	const char *path;
	uint64_t chunk;
	size_t pos = 0;

	while (verify_fault_next(&t->faults, &pos, &chunk, &path, &why)) {
		verify_report(d->run, t->listed.path, NULL, NULL, &why);
		verify_bad_key(t->number, (uint32_t)chunk, key);
		if (digestset_put(d->bad, key, 1, err) < 0)
			return -1;
	}
	return 0;
}

/* The fault of the hash is reported first: what follows from it is understood better after it. */
static int end_archive(void *arg, size_t i, void *slot, struct err *err)
{
	struct deep *d = arg;
	struct verify_archive *t = slot;

	(void)i;
	if (t->gave_up) {
		if (err)
			*err = t->why;
		return -1;
	}
	if (verify_listed_end(d->run, &t->listed, err))
		return -1;
	if (!t->opened) {
		verify_report(d->run, t->listed.path, NULL, NULL, &t->why);
		return 0; /* arc_r says so again for every file that needs it */
	}
	d->run->res.archives++;
	d->run->res.chunks += t->chunks;
	if (t->container.code[0]) {
		err_wrap(&t->container, text("archive '%s'"), t->listed.path);
		verify_report(d->run, t->listed.path, NULL, NULL, &t->container);
	}
	return report_chunks(d, t, err);
}

static int check_archives(struct deep *d, struct err *err)
{
	struct parallel parallel = {.threads = d->run->threads,
	    .n = d->root->n_archives,
	    .window = d->run->threads * VERIFY_WINDOW,
	    .slots = d->tasks,
	    .slot_size = sizeof(d->tasks[0]),
	    .next = next_archive,
	    .work = check_archive,
	    .done = end_archive,
	    .arg = d};

	return parallel_run(&parallel, err);
}

/* ---- beginning and end ---- */

static int worker_init(struct deep *d, struct verify_worker *w, struct err *err)
{
	const struct verify_options *opt = d->run->opt;
	struct arc_r_options arc = {.max_open = OPEN_MAX, .cache_bytes = CACHE};

	w->run = d->run;
	w->root = d->root;
	buf_init(&w->item, codec_bound(CODEC_RAW_MAX) + ARCFILE_INDEX_MAX);
	buf_init(&w->raw, CODEC_RAW_MAX);
	w->segment = malloc(AGE_SEGMENT + AGE_TAG);
	w->codec = codec_new();
	w->hmac = hmac_new(d->root->chunk_id_key, DIGEST_LEN);
	if (!w->segment || !w->codec || !w->hmac)
		return err_nomem(err);
	return verify_reader_init(&w->reader, d->run->ahead, false, err) ||
		       arc_r_new(vault_r_generation_store(d->run->g), d->root, opt->ids, opt->n_ids, &arc,
			   &w->arc, err)
		   ? -1
		   : 0;
}

/* Memory that held what was encrypted is wiped. */
static void worker_free(struct verify_worker *w)
{
	arc_r_free(w->arc);
	verify_reader_free(&w->reader);
	hmac_free(w->hmac);
	codec_free(w->codec);
	if (w->raw.p)
		sodium_memzero(w->raw.p, w->raw.cap);
	if (w->item.p)
		sodium_memzero(w->item.p, w->item.cap);
	if (w->segment)
		sodium_memzero(w->segment, AGE_SEGMENT + AGE_TAG);
	buf_free(&w->raw);
	buf_free(&w->item);
	free(w->segment);
}

/* repository.age is what a host that captures has its key from: readers need it no more, but it must be the
 * same. */
static void compare_keys(const struct deep *d)
{
	const struct verify_options *opt = d->run->opt;
	uint8_t key[DIGEST_LEN] = {0};
	struct err why = ERR_INIT;
	int r = vault_r_chunk_id_key(d->run->v, opt->ids, opt->n_ids, key, &why);

	if (!r && memcmp(key, d->root->chunk_id_key, DIGEST_LEN) != 0)
		r = err_set(&why, "E-VAULT-10", "%s",
		    text("'repository.age' and 'root.age' do not hold the same key"));
	if (r)
		verify_report(d->run, "repository.age", NULL, NULL, &why);
	sodium_memzero(key, sizeof(key));
}

static int deep_open(struct deep *d, struct err *err)
{
	int r = 0;

	compare_keys(d);
	for (size_t i = 0; i < d->run->threads * VERIFY_WINDOW; i++)
		buf_init(&d->tasks[i].faults, FAULTS_MAX);
	for (unsigned t = 0; t < d->run->threads && !r; t++)
		r = worker_init(d, &d->workers[t], err);
	d->bad = digestset_new(BAD_MAX);
	if (!r && !d->bad)
		r = err_nomem(err);
	return r;
}

static void deep_close(struct deep *d)
{
	for (unsigned t = 0; t < d->run->threads; t++)
		worker_free(&d->workers[t]);
	for (size_t i = 0; i < d->run->threads * VERIFY_WINDOW; i++)
		buf_free(&d->tasks[i].faults);
	generation_root_free(d->root);
	digestset_free(d->bad);
	free(d);
}

int verify_deep(struct verify_run *run, struct err *err)
{
	struct deep *d = calloc(1, sizeof(*d));
	struct err why = ERR_INIT;
	int r;

	if (!d)
		return err_nomem(err);
	d->run = run;
	if (vault_r_root(run->v, run->g, run->opt->ids, run->opt->n_ids, &d->root, &why)) {
		verify_report(run, NULL, NULL, NULL, &why);
		free(d);
		return 0;
	}
	r = deep_open(d, err);
	if (!r)
		r = check_archives(d, err);
	if (!r)
		r = verify_catalog(run, d->workers, run->threads, d->bad, &d->root->dataset, err);
	deep_close(d);
	return r;
}
