/* fixture: archives in a scratch folder, for tests of the readers.  Made with the format library's own
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
#include "format/age.h"
#include "format/arcfile.h"
#include "format/codec.h"
#include "format/digest.h"
#include "format/generation.h"

#define FIXTURE_REPOSITORY "3f1d6a52-0c6e-4d7b-9a55-0123456789ab"

struct fixture {
	char path[64];
	int dir;
	struct age_identity id;
	struct age_recipient to;
	struct generation_root root;
	struct generation_archive table[16];
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

static inline void fixture_open(struct fixture *f)
{
	struct err err = ERR_INIT;

	memset(f, 0, sizeof(*f));
	snprintf(f->path, sizeof(f->path), "/tmp/bkp-fixture-XXXXXX");
	fixture_must(sodium_init() < 0 || !mkdtemp(f->path), &err);
	f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	age_identity_generate(&fixture_random, &f->id);
	fixture_must(age_identity_recipient(&f->id, &f->to), &err);
	snprintf(f->root.id.repository, sizeof(f->root.id.repository), "%s", FIXTURE_REPOSITORY);
	f->root.archives = f->table;
}

static inline void fixture_archive(struct fixture *f, uint64_t number)
{
	struct err err = ERR_INIT;

	buf_init(&f->out, (size_t)256 << 20);
	f->number = number;
	fixture_must(
	    arcfile_writer_new(FIXTURE_REPOSITORY, number, &f->to, 1, &fixture_random, &f->out, &f->w, &err),
	    &err);
}

/* Number of the chunk in its archive. */
static inline uint32_t fixture_chunk(struct fixture *f, const void *p, size_t n)
{
	struct codec *c = codec_new();
	struct buf frame = BUF_INIT((size_t)16 << 20);
	struct err err = ERR_INIT;
	uint8_t id[DIGEST_LEN];
	size_t number = arcfile_writer_chunks(f->w);

	digest_sha256(p, n, id);
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

	fixture_must(arcfile_writer_finish(f->w, &f->out, &err), &err);
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

static inline void fixture_close(struct fixture *f)
{
	char command[128];

	close(f->dir);
	snprintf(command, sizeof(command), "rm -rf '%s'", f->path);
	if (system(command))
		abort();
}

#endif
