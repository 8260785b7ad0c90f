/* sealer: the threads behind the pack; the contract is in sealer.h.
 *
 * One queue of SEALER_JOBS jobs, a ring.  The caller's thread adds at its end (begin_job() … end_job()) and
 * gives a chunk's bytes away by exchanging buffers.  The first thread ("bkp-seal") does the oldest job and
 * removes it: opens an archive, encrypts a chunk and writes it to every medium, or closes and publishes the
 * archive.  So what is written has the order of the calls.  All other threads ("bkp-press"), the sealing one
 * when the oldest chunk is not compressed yet, and the caller when the queue is full, compress the oldest
 * chunk that nobody compresses: JOB_RAW → JOB_PRESSING → JOB_PRESSED.
 *
 * Who owns what:
 *   the sealing thread alone: streams, cipher, the media's vaults, cfg.sinks (others read a sink's `failed` only
 *     when nothing is outstanding);
 *   a job's raw, packed, frame, why, id: the caller before end_job(); the thread that set JOB_PRESSING until it
 *     sets JOB_PRESSED; the sealing thread from then until it removes the job;
 *   every field below `lock` in struct sealer: only with the lock, but for the buffers just named.
 * The lock is never held while something is compressed, hashed or written.
 *
 * The first error stops all: `failed` is set, the jobs that are left are removed without being done, and every
 * later call of the caller gives that error.  Bound: SEALER_JOBS chunks, raw and compressed. */
#include "write/store/sealer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/parallel.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/timings.h"
#include "format/medium/arcfile.h"
#include "format/medium/codec.h"
#include "write/index/dedup.h"
#include "write/put/store_w.h"
#include "write/store/pack_config.h"
#include "write/store/vault_w.h"

#define CIPHER_MAX  ((size_t)64 << 20) /* ciphertext of one addition; far above a chunk and an INDEX */
#define THREADS_MAX 16

enum job_kind { JOB_OPEN, JOB_ADD, JOB_CLOSE };
enum job_state { JOB_RAW, JOB_PRESSING, JOB_PRESSED }; /* of JOB_ADD: compressed by whoever comes first */

struct job {
	enum job_kind kind;
	enum job_state state;
	unsigned stream;
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
	uint64_t number, size;
};

struct sealer {
	/* the sealing thread's, but for cfg's constants; the caller's: `caller` */
	struct pack_config cfg;
	struct stream streams[SEALER_STREAMS];
	struct buf cipher;
	struct presser caller;
	struct thread {
		struct sealer *s;
		struct presser presser;
		pthread_t id;
		bool started;
	} threads[THREADS_MAX]; /* the first one seals, the others compress */
	unsigned n_threads;
	/* all below: under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a job came or went a step further, an archive was published, the end */
	struct job jobs[SEALER_JOBS];
	size_t head, n; /* jobs[head] is the oldest of n */
	struct dedup_archive *published;
	size_t n_published, taken;
	uint64_t outstanding; /* closes that are not done */
	bool stop, failed;
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

static int any_sink(const struct sealer *s, struct err *err)
{
	for (size_t i = 0; i < s->cfg.n_sinks; i++)
		if (!s->cfg.sinks[i].failed)
			return 0;
	if (s->cfg.n_sinks)
		*err = s->cfg.sinks[s->cfg.n_sinks - 1].why;
	else
		err_set(err, "E-PACK-01", "%s", text("no medium"));
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

static int open_archive(struct sealer *s, struct stream *st, uint64_t number, struct err *err)
{
	struct err why = ERR_INIT;

	for (size_t i = 0; i < s->cfg.n_sinks; i++)
		if (!s->cfg.sinks[i].failed && vault_w_stage(s->cfg.sinks[i].vault, &st->files[i], &why))
			sink_failed(s, i, &why);
	if (any_sink(s, err))
		return -1;
	st->number = number;
	st->size = 0;
	digest_reset(st->sha);
	s->cipher.n = 0;
	if (arcfile_writer_new(s->cfg.repository, number, s->cfg.recipients, s->cfg.n_recipients,
		s->cfg.random, &s->cipher, &st->writer, err))
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
		if (f && vault_w_publish_archive(s->cfg.sinks[i].vault, f, ret->sha256, &why))
			sink_failed(s, i, &why);
	}
	arcfile_writer_free(st->writer);
	st->writer = NULL;
	return any_sink(s, err);
}

/* ---- the queue ---- */

static struct job *job_at(struct sealer *s, size_t i)
{
	return &s->jobs[(s->head + i) % SEALER_JOBS];
}

static int presser_init(struct presser *p, const struct hmac *ids)
{
	p->codec = codec_new();
	p->ids = hmac_copy(ids);
	return p->codec && p->ids ? 0 : -1;
}

static void presser_free(struct presser *p)
{
	codec_free(p->codec);
	hmac_free(p->ids);
}

/* Compresses the job; called with the lock, which it lets go meanwhile.  The state JOB_PRESSING keeps everybody
 * else away from the job's buffers. */
static void press_job(struct sealer *s, struct job *j, struct presser *by)
{
	struct timings_mark mark;

	j->state = JOB_PRESSING;
	pthread_mutex_unlock(&s->lock);
	mark = timings_begin();
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
	pthread_mutex_lock(&s->lock);
	j->state = JOB_PRESSED;
	pthread_cond_broadcast(&s->changed);
}

/* The oldest job that nobody compresses yet, or NULL. */
static struct job *uncompressed_job(struct sealer *s)
{
	for (size_t i = 0; i < s->n; i++)
		if (job_at(s, i)->kind == JOB_ADD && job_at(s, i)->state == JOB_RAW)
			return job_at(s, i);
	return NULL;
}

static void fail_sealer(struct sealer *s, const struct err *why)
{
	s->failed = true;
	s->why = *why;
}

/* With the lock, which it lets go while the job is done. */
static void seal_job(struct sealer *s, struct job *j)
{
	struct stream *st = &s->streams[j->stream];
	struct timings_mark mark;
	struct dedup_archive done;
	struct err why = ERR_INIT;
	int r = 0;

	if (!s->failed) {
		pthread_mutex_unlock(&s->lock);
		mark = timings_begin();
		r = j->kind == JOB_OPEN	 ? open_archive(s, st, j->number, &why)
		    : j->kind == JOB_ADD ? add_chunk(s, st, j, &why)
					 : close_archive(s, st, &done, &why);
		timings_end(s->cfg.timings, TIMING_SEAL, &mark, j->kind == JOB_ADD ? j->frame.n : 0);
		pthread_mutex_lock(&s->lock);
		if (r)
			fail_sealer(s, &why);
		else if (j->kind == JOB_CLOSE)
			s->published[s->n_published++] = done; /* sealer_close() has made room */
	}
	if (j->kind == JOB_CLOSE)
		s->outstanding--;
	s->head = (s->head + 1) % SEALER_JOBS;
	s->n--;
	pthread_cond_broadcast(&s->changed);
}

static void *sealing(void *arg)
{
	struct thread *t = arg;
	struct sealer *s = t->s;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		struct job *j = job_at(s, 0);

		if (!s->n || (j->kind == JOB_ADD && j->state == JOB_PRESSING && !s->failed))
			pthread_cond_wait(&s->changed, &s->lock);
		else if (j->kind == JOB_ADD && j->state == JOB_RAW && !s->failed)
			press_job(s, j, &t->presser);
		else if (j->kind == JOB_ADD && j->state == JOB_PRESSING)
			pthread_cond_wait(&s->changed, &s->lock); /* somebody still looks at it */
		else
			seal_job(s, j);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

static void *compressing(void *arg)
{
	struct thread *t = arg;
	struct sealer *s = t->s;

	pthread_mutex_lock(&s->lock);
	while (!s->stop) {
		struct job *j = uncompressed_job(s);

		if (j)
			press_job(s, j, &t->presser);
		else
			pthread_cond_wait(&s->changed, &s->lock);
	}
	pthread_mutex_unlock(&s->lock);
	return NULL;
}

/* A free job at the end of the queue, with the lock held; NULL: it failed (and the lock is let go). */
static struct job *begin_job(struct sealer *s, enum job_kind kind, unsigned stream, struct err *err)
{
	struct job *j;

	pthread_mutex_lock(&s->lock);
	while (s->n == SEALER_JOBS && !s->failed) {
		j = uncompressed_job(s);
		if (j)
			press_job(s, j, &s->caller);
		else
			pthread_cond_wait(&s->changed, &s->lock);
	}
	if (s->failed) {
		if (err)
			*err = s->why;
		pthread_mutex_unlock(&s->lock);
		return NULL;
	}
	j = job_at(s, s->n);
	j->kind = kind;
	j->stream = stream;
	return j;
}

/* The job is complete: it joins the queue. */
static int end_job(struct sealer *s, struct job *j)
{
	j->state = JOB_RAW;
	s->n++;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

int sealer_open(struct sealer *s, unsigned stream, uint64_t number, struct err *err)
{
	struct job *j = begin_job(s, JOB_OPEN, stream, err);

	if (!j)
		return -1;
	j->number = number;
	return end_job(s, j);
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
	return end_job(s, j);
}

int sealer_close(struct sealer *s, unsigned stream, struct err *err)
{
	struct job *j = begin_job(s, JOB_CLOSE, stream, err);
	struct dedup_archive *more;

	if (!j)
		return -1;
	more = reallocarray(s->published, s->n_published + s->outstanding + 1, sizeof(*more));
	if (!more) {
		pthread_mutex_unlock(&s->lock);
		return err_nomem(err);
	}
	s->published = more;
	s->outstanding++;
	return end_job(s, j);
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

static int start_threads(struct sealer *s, unsigned n, struct err *err)
{
	int r = 0;

	for (; s->n_threads < n && !r; s->n_threads++) {
		struct thread *t = &s->threads[s->n_threads];

		t->s = s;
		r = presser_init(&t->presser, s->cfg.ids)
			? -1
			: thread_start(&t->id, s->n_threads ? "bkp-press" : "bkp-seal",
			      s->n_threads ? compressing : sealing, t);
		t->started = !r;
	}
	return r < 0 ? err_nomem(err)
	       : r   ? err_sys(err, "E-PACK-02", r, "%s", text("cannot start a thread"))
		     : 0;
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
	failed |= presser_init(&s->caller, cfg->ids) != 0;
	s->failed = any_sink(s, &s->why) != 0;
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

static void stop_threads(struct sealer *s)
{
	pthread_mutex_lock(&s->lock);
	s->stop = true;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	for (unsigned i = 0; i < s->n_threads; i++) {
		if (s->threads[i].started)
			pthread_join(s->threads[i].id, NULL);
		presser_free(&s->threads[i].presser);
	}
}

void sealer_free(struct sealer *s)
{
	if (!s)
		return;
	stop_threads(s);
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
	presser_free(&s->caller);
	buf_free(&s->cipher);
	free(s->published);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}
