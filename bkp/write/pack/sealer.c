/* sealer: the threads behind the pack; the contract is in sealer.h.
 *
 * A pipeline of SEALER_JOBS jobs.  The caller's thread is its producer and gives a chunk's bytes away by exchanging
 * buffers.  Its consumer is the sealing thread ("bkp-seal"): it takes the oldest job, opens an archive, encrypts a chunk
 * and writes it to every medium, or closes and publishes the archive.  So what is written has the order of the calls.
 * The pipeline's work is compressing: by its workers ("bkp-press"), by the sealing thread while the oldest chunk is not
 * compressed yet, and by the caller when no slot is free.
 *
 * Who owns what:
 *   the sealing thread alone: streams, cipher, the media's vaults, cfg.sinks (others read a sink's `failed` only
 *     when nothing is outstanding);
 *   a job: as pipeline.h says; a presser: the thread whose number it has;
 *   `lock` guards published … why, and is never held while something is written.
 *
 * The first error stops the pipeline: jobs that are left are dropped, and every later call of the caller gives that
 * error.  Bound: SEALER_JOBS chunks, raw and compressed. */
#include "write/pack/sealer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/threads/parallel.h"
#include "base/threads/pipeline.h"
#include "base/text.h"
#include "base/threads/thread.h"
#include "base/timings.h"
#include "format/medium/arcfile.h"
#include "format/medium/codec.h"
#include "write/index/dedup.h"
#include "write/put/store_w.h"
#include "write/pack/pack_config.h"
#include "write/pack/vault_w.h"

#define CIPHER_MAX  ((size_t)64 << 20) /* ciphertext of one addition; far above a chunk and an INDEX */
#define THREADS_MAX 16

enum job_kind { JOB_OPEN, JOB_ADD, JOB_CLOSE };

struct job {
	enum job_kind kind;
	unsigned stream;
	const char *dataset;
	uint64_t number;
	uint8_t id[DIGEST_LEN];
	bool id_wanted; /* by whoever compresses it */
	enum codec_kind codec;
	struct buf raw, packed;
	struct codec_frame frame; /* lies in both of them */
	struct err why;		  /* compression failed: code is set */
};

/* What one thread compresses with. */
struct presser {
	struct codec *codec;
	struct hmac *ids;
};

/* An archive being written in one stream; the sealing thread's alone. */
struct stream {
	struct arcfile_writer *writer; /* NULL: none open */
	struct store_staged **files;   /* one per sink, NULL where the sink failed */
	struct digest *sha;
	const char *dataset;
	uint64_t number, size;
};

struct sealer {
	/* the sealing thread's, but for cfg's constants */
	struct pack_config cfg;
	struct stream streams[SEALER_STREAMS];
	struct buf cipher;
	struct pipeline *line;
	struct job jobs[SEALER_JOBS];		  /* the line's slots */
	struct presser pressers[THREADS_MAX + 1]; /* by the line's numbers of threads: sealing … the caller */
	pthread_t thread;
	bool started;
	/* all below: under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* an archive was published, or it all failed */
	struct dedup_archive *published;
	size_t n_published, taken;
	uint64_t outstanding; /* closes that are not done */
	bool failed;
	struct err why;
};

/* ---- sealing: only the first thread comes here ---- */

/* A medium that failed takes no further part; its unfinished files go. */
static void sink_failed(struct sealer *s, size_t i, const struct err *why)
{
	s->cfg.sinks[i].failed = true;
	s->cfg.sinks[i].why = *why;
	for (int k = 0; k < SEALER_STREAMS; k++) {
		vault_w_discard(s->cfg.sinks[i].vault, s->streams[k].files[i]);
		s->streams[k].files[i] = NULL;
	}
}

static bool is_used(const struct pack_sink *sink)
{
	return !sink->failed && !sink->elsewhere;
}

static int any_sink(const struct sealer *s, struct err *err)
{
	for (size_t i = 0; i < s->cfg.n_sinks; i++)
		if (is_used(&s->cfg.sinks[i]))
			return 0;
	err_set(err, "E-PACK-01", "%s", text("no medium"));
	for (size_t i = 0; i < s->cfg.n_sinks; i++)
		if (s->cfg.sinks[i].failed && !s->cfg.sinks[i].elsewhere)
			*err = s->cfg.sinks[i].why;
	return err_wrap(err, "%s", text("no medium is left to write to"));
}

/* Sends the ciphertext gathered to every working medium. */
static int drain_cipher(struct sealer *s, struct stream *st, struct err *err)
{
	struct err why = ERR_INIT;

	digest_update(st->sha, s->cipher.p, s->cipher.n);
	st->size += s->cipher.n;
	for (size_t i = 0; i < s->cfg.n_sinks; i++)
		if (st->files[i] &&
		    vault_w_write(s->cfg.sinks[i].vault, st->files[i], s->cipher.p, s->cipher.n, &why))
			sink_failed(s, i, &why);
	s->cipher.n = 0;
	return any_sink(s, err);
}

static int open_archive(struct sealer *s, struct stream *st, const struct job *j, struct err *err)
{
	struct err why = ERR_INIT;

	for (size_t i = 0; i < s->cfg.n_sinks; i++)
		if (is_used(&s->cfg.sinks[i]) && vault_w_stage(s->cfg.sinks[i].vault, &st->files[i], &why))
			sink_failed(s, i, &why);
	if (any_sink(s, err))
		return -1;
	st->dataset = j->dataset;
	st->number = j->number;
	st->size = 0;
	digest_reset(st->sha);
	s->cipher.n = 0;
	if (arcfile_writer_new(s->cfg.repository, st->dataset, st->number, s->cfg.recipients,
		s->cfg.n_recipients, s->cfg.random, &s->cipher, &st->writer, err))
		return -1;
	return drain_cipher(s, st, err);
}

static int add_chunk(struct sealer *s, struct stream *st, const struct job *j, struct err *err)
{
	if (j->why.code[0]) {
		*err = j->why;
		return -1;
	}
	s->cipher.n = 0;
	if (arcfile_writer_add_frame(st->writer, j->id, &j->frame, j->raw.n, &s->cipher, err))
		return -1;
	return drain_cipher(s, st, err);
}

static int close_archive(struct sealer *s, struct stream *st, struct dedup_archive *ret, struct err *err)
{
	struct err why = ERR_INIT;

	memset(ret, 0, sizeof(*ret));
	if (arcfile_writer_finish(st->writer, &s->cipher, ret->index_sha256, err) || drain_cipher(s, st, err))
		return -1;
	ret->number = st->number;
	ret->size = st->size;
	digest_final(st->sha, ret->sha256);
	for (size_t i = 0; i < s->cfg.n_sinks; i++) {
		struct store_staged *f = st->files[i];

		st->files[i] = NULL;
		if (f && vault_w_publish_archive(s->cfg.sinks[i].vault, st->dataset, f, ret->sha256, &why))
			sink_failed(s, i, &why);
	}
	arcfile_writer_free(st->writer);
	st->writer = NULL;
	return any_sink(s, err);
}

/* ---- the line ---- */

/* The line's work. */
static void press_job(void *arg, unsigned thread, size_t i, void *slot)
{
	struct sealer *s = arg;
	const struct presser *by = &s->pressers[thread];
	struct timings_mark mark = timings_begin();
	struct job *j = slot;

	(void)i;
	j->why.code[0] = '\0';
	if (j->id_wanted) {
		hmac_of(by->ids, j->raw.p, j->raw.n, j->id);
		timings_end(s->cfg.timings, TIMING_IDS, &mark, 0);
		mark = timings_begin();
	}
	if (codec_pack_parts(by->codec, j->codec, j->raw.p, j->raw.n, &j->packed, &j->frame, &j->why) &&
	    !j->why.code[0])
		err_nomem(&j->why);
	timings_end(s->cfg.timings, TIMING_COMPRESS, &mark, j->raw.n);
}

static void fail_sealer(struct sealer *s, const struct err *why)
{
	pthread_mutex_lock(&s->lock);
	s->failed = true;
	s->why = *why;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
	pipeline_stop(s->line, why);
}

static void note_published(struct sealer *s, const struct dedup_archive *done)
{
	pthread_mutex_lock(&s->lock);
	s->published[s->n_published++] = *done; /* sealer_close() has made room */
	s->outstanding--;
	pthread_cond_signal(&s->changed);
	pthread_mutex_unlock(&s->lock);
}

static int seal_job(struct sealer *s, const struct job *j, struct err *err)
{
	struct stream *st = &s->streams[j->stream];
	struct timings_mark mark = timings_begin();
	struct dedup_archive done;
	int r = j->kind == JOB_OPEN  ? open_archive(s, st, j, err)
		: j->kind == JOB_ADD ? add_chunk(s, st, j, err)
				     : close_archive(s, st, &done, err);

	timings_end(s->cfg.timings, TIMING_SEAL, &mark, j->kind == JOB_ADD ? j->frame.n : 0);
	if (!r && j->kind == JOB_CLOSE)
		note_published(s, &done);
	return r;
}

/* Ends when the line is stopped: by a fault, or by sealer_free(). */
static void *sealing(void *arg)
{
	struct sealer *s = arg;
	struct err why = ERR_INIT;
	void *job;

	while (!pipeline_next(s->line, PIPELINE_FOREVER, &job, NULL)) {
		if (seal_job(s, job, &why))
			fail_sealer(s, &why);
		pipeline_done(s->line);
	}
	return NULL;
}

static struct job *begin_job(struct sealer *s, enum job_kind kind, unsigned stream, struct err *err)
{
	struct job *j = pipeline_room(s->line, true, err);

	if (j) {
		j->kind = kind;
		j->stream = stream;
	}
	return j;
}

int sealer_open(struct sealer *s, unsigned stream, const char *dataset, uint64_t number, struct err *err)
{
	struct job *j = begin_job(s, JOB_OPEN, stream, err);

	if (!j)
		return -1;
	j->dataset = dataset;
	j->number = number;
	pipeline_put(s->line, true);
	return 0;
}

int sealer_give(struct sealer *s, unsigned stream, const uint8_t *id, enum codec_kind kind, struct buf *raw,
    struct err *err)
{
	struct job *j = begin_job(s, JOB_ADD, stream, err);
	struct buf given = *raw;

	if (!j)
		return -1;
	j->id_wanted = !id;
	if (id)
		memcpy(j->id, id, DIGEST_LEN);
	j->codec = kind;
	/* the ceilings stay where they are */
	*raw = (struct buf){j->raw.p, 0, j->raw.cap, given.max};
	j->raw = (struct buf){given.p, given.n, given.cap, j->raw.max};
	pipeline_put(s->line, false);
	return 0;
}

/* Room for all that is outstanding and one more. */
static int reserve_published(struct sealer *s, struct err *err)
{
	struct dedup_archive *more;

	pthread_mutex_lock(&s->lock);
	more = reallocarray(s->published, s->n_published + s->outstanding + 1, sizeof(*more));
	if (more) {
		s->published = more;
		s->outstanding++;
	}
	pthread_mutex_unlock(&s->lock);
	return more ? 0 : err_nomem(err);
}

int sealer_close(struct sealer *s, unsigned stream, struct err *err)
{
	if (reserve_published(s, err) || !begin_job(s, JOB_CLOSE, stream, err))
		return -1;
	pipeline_put(s->line, true);
	return 0;
}

int sealer_published(struct sealer *s, bool wait, struct dedup_archive *ret, struct err *err)
{
	int r = 0;

	pthread_mutex_lock(&s->lock);
	while (wait && s->taken == s->n_published && s->outstanding && !s->failed)
		pthread_cond_wait(&s->changed, &s->lock);
	if (s->taken < s->n_published) {
		*ret = s->published[s->taken++];
		r = 1;
	} else if (s->failed) {
		if (err)
			*err = s->why;
		r = -1;
	}
	pthread_mutex_unlock(&s->lock);
	return r;
}

/* ---- beginning and end ---- */

/* threads: the sealing one, and those that only compress. */
static int start_threads(struct sealer *s, unsigned threads, struct err *err)
{
	const struct pipeline_config line = {.name = "bkp-press",
	    .threads = threads - 1,
	    .window = SEALER_JOBS,
	    .slots = s->jobs,
	    .slot_size = sizeof(s->jobs[0]),
	    .work = press_job,
	    .arg = s,
	    .producer_works = true};
	int r;

	for (unsigned i = 0; i <= threads; i++) {
		s->pressers[i] = (struct presser){codec_new(), hmac_copy(s->cfg.ids)};
		if (!s->pressers[i].codec || !s->pressers[i].ids)
			return err_nomem(err);
	}
	if (pipeline_new(&line, &s->line, err))
		return -1;
	r = thread_start(&s->thread, "bkp-seal", sealing, s);
	s->started = !r;
	return r ? err_sys(err, "E-PACK-02", r, "%s", text("cannot start a thread")) : 0;
}

int sealer_new(const struct pack_config *cfg, unsigned threads, struct sealer **ret, struct err *err)
{
	struct sealer *s = calloc(1, sizeof(*s));
	int failed = 0;

	if (!s)
		return err_nomem(err);
	s->cfg = *cfg;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->changed, NULL);
	buf_init(&s->cipher, CIPHER_MAX);
	for (int i = 0; i < SEALER_JOBS; i++) {
		buf_init(&s->jobs[i].raw, CODEC_RAW_MAX);
		buf_init(&s->jobs[i].packed, codec_bound(CODEC_RAW_MAX));
	}
	for (int i = 0; i < SEALER_STREAMS; i++) {
		s->streams[i].files = calloc(cfg->n_sinks ? cfg->n_sinks : 1, sizeof(*s->streams[i].files));
		s->streams[i].sha = digest_new();
		failed |= !s->streams[i].files || !s->streams[i].sha;
	}
	if (!threads)
		threads = parallel_processors() - 1;
	threads = threads < 1 ? 1 : threads > THREADS_MAX ? THREADS_MAX : threads;
	if (failed ? err_nomem(err) : start_threads(s, threads, err)) {
		sealer_free(s);
		return -1;
	}
	*ret = s;
	return 0;
}

void sealer_free(struct sealer *s)
{
	if (!s)
		return;
	if (s->started) {
		pipeline_stop(s->line, NULL);
		pthread_join(s->thread, NULL);
	}
	pipeline_free(s->line);
	for (int i = 0; i < SEALER_STREAMS; i++) {
		struct stream *st = &s->streams[i];

		for (size_t k = 0; st->files && k < s->cfg.n_sinks; k++)
			vault_w_discard(s->cfg.sinks[k].vault, st->files[k]);
		arcfile_writer_free(st->writer);
		digest_free(st->sha);
		free(st->files);
	}
	for (int i = 0; i < SEALER_JOBS; i++) {
		buf_free(&s->jobs[i].raw);
		buf_free(&s->jobs[i].packed);
	}
	for (int i = 0; i <= THREADS_MAX; i++) {
		codec_free(s->pressers[i].codec);
		hmac_free(s->pressers[i].ids);
	}
	buf_free(&s->cipher);
	free(s->published);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
