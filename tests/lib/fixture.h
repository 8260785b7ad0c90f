/* fixture: archives in a scratch folder, which is a data set's, for tests of the readers.  Made with the format library's own
 * writers. */
#ifndef TESTS_FIXTURE_H
#define TESTS_FIXTURE_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/crypto/age.h"
#include "format/medium/arcfile.h"
#include "format/medium/codec.h"
#include "format/crypto/digest.h"
#include "format/medium/extent.h"
#include "format/medium/generation.h"
#include "read/store/store_dir.h"
#include "runs.h"

#define FIXTURE_REPOSITORY "3f1d6a52-0c6e-4d7b-9a55-0123456789ab"
#define FIXTURE_DATASET	   "emr"

#define FIXTURE_CHUNKS 64

struct fixture {
	char path[64]; /* to be removed; "": it is the caller's */
	int dir;
	struct store store; /* of it */
	struct age_identity id;
	struct age_recipient to;
	struct generation_root root;
	struct generation_archive table[16];
	/* what was put in, so that runs can be written down: fixture_runs() */
	struct {
		uint64_t number;
		size_t n;
		struct {
			uint8_t *p;
			size_t n;
		} chunks[FIXTURE_CHUNKS];
	} made[16];
	size_t n_made;
	/* the archive under way */
	struct arcfile_writer *w;
	struct buf out;
	uint64_t number;
};

static inline void fixture_fill(void *arg, void *p, size_t n)
{
	(void)arg;
	randombytes_buf(p, n);
}

static const struct age_random fixture_random = {fixture_fill, NULL};

static inline void fixture_must(int bad, const struct err *err)
{
	if (bad) {
		fprintf(stderr, "fixture: %s %s\n", err->code, err->msg);
		abort();
	}
}

/* In that folder, which is the caller's. */
static inline void fixture_in(struct fixture *f, const char *folder)
{
	struct err err = ERR_INIT;

	memset(f, 0, sizeof(*f));
	fixture_must(sodium_init() < 0, &err);
	f->dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	f->store = store_dir_of(f->dir);
	age_identity_generate(&fixture_random, &f->id);
	fixture_must(age_identity_recipient(&f->id, &f->to), &err);
	snprintf(f->root.id.repository, sizeof(f->root.id.repository), "%s", FIXTURE_REPOSITORY);
	snprintf(f->root.id.dataset, sizeof(f->root.id.dataset), "%s", FIXTURE_DATASET);
	f->root.archives = f->table;
	randombytes_buf(f->root.chunk_id_key, sizeof(f->root.chunk_id_key));
}

/* In a folder of its own, which fixture_close() removes. */
static inline void fixture_open(struct fixture *f)
{
	char path[] = "/tmp/bkp-fixture-XXXXXX";

	if (!mkdtemp(path))
		abort();
	fixture_in(f, path);
	snprintf(f->path, sizeof(f->path), "%s", path);
}

static inline void fixture_id(const struct fixture *f, const void *p, size_t n, uint8_t out[DIGEST_LEN])
{
	struct hmac *h = hmac_new(f->root.chunk_id_key, DIGEST_LEN);

	hmac_of(h, p, n, out);
	hmac_free(h);
}

/* One that says it is of that data set. */
static inline void fixture_archive_of(struct fixture *f, const char *dataset, uint64_t number)
{
	struct err err = ERR_INIT;

	buf_init(&f->out, (size_t)256 << 20);
	f->number = number;
	f->made[f->n_made++].number = number;
	fixture_must(arcfile_writer_new(FIXTURE_REPOSITORY, dataset, number, &f->to, 1, &fixture_random,
			 &f->out, &f->w, &err),
	    &err);
}

static inline void fixture_archive(struct fixture *f, uint64_t number)
{
	fixture_archive_of(f, FIXTURE_DATASET, number);
}

/* Number of the chunk in its archive. */
static inline uint32_t fixture_chunk(struct fixture *f, const void *p, size_t n)
{
	struct codec *c = codec_new();
	struct buf frame = BUF_INIT((size_t)16 << 20);
	struct err err = ERR_INIT;
	uint8_t id[DIGEST_LEN];
	size_t number = arcfile_writer_chunks(f->w);

	fixture_id(f, p, n, id);
	if (number < FIXTURE_CHUNKS) {
		f->made[f->n_made - 1].n = number + 1;
		f->made[f->n_made - 1].chunks[number].p = memcpy(malloc(n + 1), p, n);
		f->made[f->n_made - 1].chunks[number].n = n;
	}
	fixture_must(codec_pack(c, CODEC_LZ4, p, n, &frame, &err) ||
			 arcfile_writer_add(f->w, id, frame.p, frame.n, n, &f->out, &err),
	    &err);
	buf_free(&frame);
	codec_free(c);
	return (uint32_t)number;
}

static inline void fixture_seal(struct fixture *f)
{
	struct generation_archive *a = &f->table[f->root.n_archives++];
	struct err err = ERR_INIT;
	char path[ARCFILE_PATH], dir[16];

	fixture_must(arcfile_writer_finish(f->w, &f->out, a->index_sha256, &err), &err);
	arcfile_writer_free(f->w);
	digest_sha256(f->out.p, f->out.n, a->sha256);
	a->number = f->number;
	a->size = f->out.n;
	arcfile_path(a->sha256, path);
	snprintf(dir, sizeof(dir), "%.11s", path);
	mkdirat(f->dir, "archives", 0700);
	mkdirat(f->dir, dir, 0700);
	fixture_must(io_write_new(f->dir, path, 0600, f->out.p, f->out.n, &err), &err);
	buf_free(&f->out);
}

/* The digest of a run over chunks that were made; of one that refers to nothing: zeros. */
static inline void fixture_digest(const struct fixture *f, struct extent_run *run)
{
	uint64_t left = run->length, offset = run->offset;
	crypto_hash_sha256_state s;
	size_t a = 0;

	memset(run->digest, 0, DIGEST_LEN);
	while (a < f->n_made && f->made[a].number != run->archive)
		a++;
	crypto_hash_sha256_init(&s);
	for (size_t c = run->chunk; left; c++, offset = 0) {
		uint8_t id[DIGEST_LEN];
		size_t n;

		if (a == f->n_made || c >= f->made[a].n || offset >= f->made[a].chunks[c].n)
			return;
		n = f->made[a].chunks[c].n - offset < left ? f->made[a].chunks[c].n - offset : left;
		fixture_id(f, f->made[a].chunks[c].p + offset, n, id);
		crypto_hash_sha256_update(&s, id, DIGEST_LEN);
		left -= n;
	}
	crypto_hash_sha256_final(&s, run->digest);
}

static inline void fixture_run(const void *f, struct extent_run *run)
{
	fixture_digest(f, run);
}

static inline const char *fixture_runs(const struct fixture *f, const char *s)
{
	return runs_with(s, fixture_run, f);
}

static inline void fixture_close(struct fixture *f)
{
	char command[128];

	for (size_t a = 0; a < f->n_made; a++)
		for (size_t c = 0; c < f->made[a].n; c++)
			free(f->made[a].chunks[c].p);
	close(f->dir);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->path);
	if (*f->path && system(command))
		abort();
}

#endif
