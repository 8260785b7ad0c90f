/* queue: see queue.h.
 *
 * A ring of QUEUE_BATCHES batches, counted for ever: head ≤ sent ≤ taken ≤ head + QUEUE_BATCHES.
 *
 *     taken - 1     the batch that the producer fills (`filling`)
 *     head … sent   sent, in order: BATCH_RAW → BATCH_WORKING (somebody computes its ids) → BATCH_KNOWN
 *     head          the batch that the consumer goes through, once it is BATCH_KNOWN (`begun`)
 *
 * The producer waits when no batch is free.  The consumer waits for the batch at `head` only; when that is
 * BATCH_RAW it computes the ids itself rather than wait.  Helpers take the oldest BATCH_RAW.
 *
 * Who owns a batch's content: the producer until send_batch(); then the thread that set BATCH_WORKING, until it
 * sets BATCH_KNOWN; then the consumer, until release_batch().  A batch without content is sent as BATCH_KNOWN.
 * A batch keeps its buffers and entries for the next use; blocks of the former catalog that its events refer to
 * are given back when the producer takes it again, at the latest in queue_stop().
 *
 * queue_stop() may come at any time: the producer finds `stop` at its next batch, and is joined.  Helpers live
 * as long as the queue. */
#include "write/source/queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <archive_entry.h>

#include "base/err.h"
#include "base/text.h"
#include "base/thread.h"
#include "base/timings.h"
#include "format/medium/codec.h"
#include "write/index/file_cache.h"

#define TEXT_MAX    ((size_t)8 << 20) /* paths of one batch; one path is ≤ 2 MiB */
#define TEXT_FULL   ((size_t)1 << 20)
#define THREADS_MAX 15
#define RANGES_MAX  32

enum batch_state { BATCH_RAW, BATCH_WORKING, BATCH_KNOWN }; /* of batches that were sent */

struct batch {
	enum batch_state state;
	struct queue_event events[QUEUE_EVENTS];
	struct archive_entry *entries[QUEUE_EVENTS]; /* made when first needed, used again */
	size_t n;
	struct buf text, content;
	size_t weight; /* as queue_weigh() said */
	bool chunk;    /* holds one: full */
	size_t ranges; /* each may hold a block of the former catalog */
};

struct queue {
	struct batch batches[QUEUE_BATCHES];
	struct batch *filling; /* the producer's alone */
	uint64_t fed;	       /* bytes; the producer's alone */
	size_t at;	       /* current event; the consumer's alone */
	bool begun;	       /* the consumer has the batch at `head` */
	size_t path_at;
	struct helper {
		struct queue *f;
		struct hmac *ids;
		struct digest *sha;
		pthread_t id;
		bool started;
	} helpers[THREADS_MAX + 1]; /* the first is the consumer's: no thread */
	unsigned n_helpers;
	queue_producer_fn *fn;
	void *arg;
	pthread_t producer;
	struct timings *timings;
	bool producing; /* there is a thread to join */
	/* all below: under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed; /* a batch was sent, got its ids or is free, or it all ends */
	size_t head, sent, taken; /* batches counted for ever: head ≤ sent ≤ taken ≤ head + QUEUE_BATCHES */
	bool ended, stop, quit;
	struct err why; /* the producer's, when ended; code "" : none */
};

/* ---- ids ---- */

static void compute_ids(struct batch *t, const struct helper *by)
{
	for (size_t i = 0; i < t->n; i++) {
		struct queue_event *e = &t->events[i];

		if (e->kind == QUEUE_SMALL_FILE || e->kind == QUEUE_SMALL_DATA || e->kind == QUEUE_CHUNK)
			hmac_of(by->ids, t->content.p + e->data_at, e->n, e->id);
		if (e->kind == QUEUE_SMALL_FILE) {
			digest_reset(by->sha);
			digest_update(by->sha, t->content.p + e->data_at, e->n);
			digest_final(by->sha, e->sha256);
		}
	}
}

/* With the lock, which it lets go meanwhile. */
static void compute_batch(struct queue *f, struct batch *t, const struct helper *by)
{
	struct timings_mark mark;

	t->state = BATCH_WORKING;
	pthread_mutex_unlock(&f->lock);
	mark = timings_begin();
	compute_ids(t, by);
	timings_end(f->timings, TIMING_IDS, &mark, t->content.n);
	pthread_mutex_lock(&f->lock);
	t->state = BATCH_KNOWN;
	pthread_cond_broadcast(&f->changed);
}

static struct batch *batch_at(struct queue *f, size_t i)
{
	return &f->batches[i % QUEUE_BATCHES];
}

static void *run_helper(void *arg)
{
	struct helper *h = arg;
	struct queue *f = h->f;

	pthread_mutex_lock(&f->lock);
	while (!f->quit) {
		size_t i = f->head;

		while (i < f->sent && batch_at(f, i)->state != BATCH_RAW)
			i++;
		if (i < f->sent)
			compute_batch(f, batch_at(f, i), h);
		else
			pthread_cond_wait(&f->changed, &f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* ---- the producer's side ---- */

static void clear_batch(struct batch *t)
{
	for (size_t i = 0; i < t->n; i++) {
		file_cache_block_free(t->events[i].item.same);
		file_cache_block_free(t->events[i].range.block);
	}
	t->n = 0;
	t->text.n = t->content.n = t->weight = 0;
	t->chunk = false;
	t->ranges = 0;
}

/* The next free batch, emptied; NULL: the consumer wants no more.  Waits, the producer's thread. */
static struct batch *take_batch(struct queue *f)
{
	struct batch *t = NULL;

	pthread_mutex_lock(&f->lock);
	if (f->taken - f->head == QUEUE_BATCHES) {
		uint64_t since = timings_now();

		while (!f->stop && f->taken - f->head == QUEUE_BATCHES)
			pthread_cond_wait(&f->changed, &f->lock);
		timings_waited(f->timings, TIMING_READER, since);
	}
	if (!f->stop)
		t = batch_at(f, f->taken++);
	pthread_mutex_unlock(&f->lock);
	if (t)
		clear_batch(t);
	return t;
}

static void send_batch(struct queue *f, struct batch *t)
{
	pthread_mutex_lock(&f->lock);
	t->state = t->content.n ? BATCH_RAW : BATCH_KNOWN;
	f->sent++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void send_filling(struct queue *f)
{
	if (f->filling && f->filling->n) {
		send_batch(f, f->filling);
		f->filling = NULL;
	}
}

/* A batch with room for one more event, and for n bytes of content. */
static struct batch *batch_with_room(struct queue *f, size_t n, size_t limit)
{
	struct batch *t = f->filling;

	if (t && (t->n == QUEUE_EVENTS || t->chunk || t->ranges == RANGES_MAX ||
		     t->text.n + t->weight > TEXT_FULL || (n && t->content.n && t->content.n + n > limit)))
		send_filling(f);
	if (!f->filling)
		f->filling = take_batch(f);
	t = f->filling;
	return t && (!n || !buf_reserve(&t->content, n, NULL)) ? t : NULL;
}

struct queue_event *queue_add(struct queue *f, enum queue_kind kind)
{
	struct batch *t = batch_with_room(f, 0, 0);
	struct queue_event *e;

	if (!t)
		return NULL;
	e = &t->events[t->n];
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	t->ranges += kind == QUEUE_RANGE;
	if (kind == QUEUE_ITEM) {
		if (!t->entries[t->n] && !(t->entries[t->n] = archive_entry_new()))
			return NULL;
		e->item.entry = t->entries[t->n];
	}
	t->n++;
	return e;
}

int queue_set_path(struct queue *f, struct queue_event *e, const char *path)
{
	struct batch *t = f->filling;

	e->item.path_at = t->text.n;
	return buf_append(&t->text, path, strlen(path) + 1, NULL);
}

void queue_take_back(struct queue *f)
{
	struct batch *t = f->filling;

	t->n--;
	file_cache_block_free(t->events[t->n].item.same);
	if (t->events[t->n].kind == QUEUE_ITEM || t->events[t->n].kind == QUEUE_GONE)
		t->text.n = t->events[t->n].item.path_at;
}

void queue_weigh(struct queue *f, size_t n)
{
	f->filling->weight += n;
}

uint8_t *queue_room(struct queue *f, size_t n)
{
	struct batch *t = batch_with_room(f, n, n <= QUEUE_SMALL ? QUEUE_SMALL : 0);

	return t ? t->content.p + t->content.n : NULL;
}

int queue_data(struct queue *f, enum queue_kind kind, size_t n)
{
	struct batch *t = f->filling;
	struct queue_event *e = &t->events[t->n++];

	memset(e, 0, sizeof(*e));
	e->kind = kind;
	f->fed += n;
	e->data_at = t->content.n;
	e->n = n;
	t->content.n += n;
	return 0;
}

uint8_t *queue_chunk(struct queue *f, size_t n, size_t rest)
{
	struct batch *t = f->filling, *next;
	const uint8_t *from = t->content.p + t->content.n + n;

	queue_data(f, QUEUE_CHUNK, n);
	t->chunk = true;
	if (!rest) {
		send_filling(f);
		return queue_room(f, CODEC_RAW_MAX);
	}
	next = take_batch(f);
	if (next && !buf_reserve(&next->content, CODEC_RAW_MAX, NULL))
		memcpy(next->content.p, from, rest);
	else
		next = NULL;
	send_batch(f, t);
	f->filling = next;
	return next ? next->content.p : NULL;
}

static void *run_producer(void *arg)
{
	struct queue *f = arg;
	struct timings_mark mark = timings_begin();
	struct err why = ERR_INIT;
	int r = f->fn(f->arg, f, &why);

	send_filling(f);
	timings_end(f->timings, TIMING_READER, &mark, f->fed);
	pthread_mutex_lock(&f->lock);
	f->ended = true;
	if (r) {
		if (!why.code[0])
			err_nomem(&why);
		f->why = why;
	}
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

static int start_thread(pthread_t *id, const char *name, void *(*fn)(void *), void *arg, struct err *err)
{
	int r = thread_start(id, name, fn, arg);

	return r ? err_sys(err, "E-FEED-01", r, "%s", text("cannot start a thread")) : 0;
}

int queue_start(struct queue *f, queue_producer_fn *fn, void *arg, struct err *err)
{
	queue_stop(f);
	f->fn = fn;
	f->arg = arg;
	f->filling = NULL;
	f->fed = 0;
	f->begun = false;
	pthread_mutex_lock(&f->lock); /* helpers look at the batches all the time */
	f->head = f->sent = f->taken = 0;
	f->ended = f->stop = false;
	f->why = (struct err)ERR_INIT;
	pthread_mutex_unlock(&f->lock);
	f->producing = !start_thread(&f->producer, "bkp-reader", run_producer, f, err);
	return f->producing ? 0 : -1;
}

/* ---- the consumer's side ---- */

static void release_batch(struct queue *f)
{
	pthread_mutex_lock(&f->lock);
	f->head++;
	f->begun = false;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

/* With the lock.  Real time as others see it may jump: the clock is the monotonic one. */
static int wait_a_second(struct queue *f)
{
	uint64_t since = timings_now();
	struct timespec t;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec++;
	r = pthread_cond_clockwait(&f->changed, &f->lock, CLOCK_MONOTONIC, &t);
	timings_waited(f->timings, TIMING_STORE, since);
	return r == ETIMEDOUT ? QUEUE_IDLE : 0;
}

/* The batch at the head, with its ids.  0, QUEUE_END, QUEUE_IDLE, -1. */
static int wait_for_batch(struct queue *f, struct err *err)
{
	int r = 0;

	pthread_mutex_lock(&f->lock);
	while (!r) {
		struct batch *t = batch_at(f, f->head);

		if (f->head < f->sent && t->state == BATCH_KNOWN)
			break;
		if (f->head < f->sent && t->state == BATCH_RAW) {
			compute_batch(f, t, &f->helpers[0]);
			continue;
		}
		if (f->head == f->sent && f->ended) {
			r = f->why.code[0] ? -1 : QUEUE_END;
			if (r < 0 && err)
				*err = f->why;
			break;
		}
		r = wait_a_second(f);
	}
	pthread_mutex_unlock(&f->lock);
	return r;
}

int queue_next(struct queue *f, struct queue_event **ret, struct err *err)
{
	struct queue_event *e;
	int r;

	if (f->begun && ++f->at == batch_at(f, f->head)->n)
		release_batch(f);
	if (!f->begun) {
		r = wait_for_batch(f, err);
		if (r)
			return r;
		f->begun = true;
		f->at = 0;
	}
	e = &batch_at(f, f->head)->events[f->at];
	if (e->kind == QUEUE_ITEM || e->kind == QUEUE_GONE)
		f->path_at = e->item.path_at;
	*ret = e;
	return 0;
}

struct archive_entry *queue_keep_entry(struct queue *f, struct archive_entry *spare)
{
	struct batch *t = batch_at(f, f->head);
	struct archive_entry *e = t->entries[f->at];

	t->entries[f->at] = spare;
	return e;
}

const char *queue_path(const struct queue *f)
{
	return (const char *)f->batches[f->head % QUEUE_BATCHES].text.p + f->path_at;
}

struct buf *queue_chunk_buf(struct queue *f)
{
	return &batch_at(f, f->head)->content; /* a chunk has its batch for itself */
}

const uint8_t *queue_content(const struct queue *f)
{
	const struct batch *t = &f->batches[f->head % QUEUE_BATCHES];

	return t->content.p + t->events[f->at].data_at;
}

void queue_stop(struct queue *f)
{
	if (!f->producing)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->producer, NULL);
	f->producing = false;
	/* helpers may still be at a batch that nobody wants any more */
	pthread_mutex_lock(&f->lock);
	for (size_t i = f->head; i < f->sent; i++) {
		while (batch_at(f, i)->state == BATCH_WORKING)
			pthread_cond_wait(&f->changed, &f->lock);
		batch_at(f, i)->state = BATCH_KNOWN;
	}
	f->head = f->sent = f->taken = 0;
	f->begun = false;
	f->filling = NULL;
	pthread_mutex_unlock(&f->lock);
	for (size_t i = 0; i < QUEUE_BATCHES; i++)
		clear_batch(&f->batches[i]);
}

/* ---- beginning and end ---- */

int queue_new(
    const struct hmac *ids, unsigned threads, struct timings *timings, struct queue **ret, struct err *err)
{
	struct queue *f = calloc(1, sizeof(*f));
	int r = 0;

	if (!f)
		return err_nomem(err);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	for (size_t i = 0; i < QUEUE_BATCHES; i++) {
		buf_init(&f->batches[i].text, TEXT_MAX);
		buf_init(&f->batches[i].content, CODEC_RAW_MAX);
	}
	f->timings = timings;
	threads = threads < THREADS_MAX ? threads : THREADS_MAX;
	for (; f->n_helpers <= threads && !r; f->n_helpers++) {
		struct helper *h = &f->helpers[f->n_helpers];

		h->f = f;
		h->ids = hmac_copy(ids);
		h->sha = digest_new();
		r = !h->ids || !h->sha ? err_nomem(err)
		    : f->n_helpers     ? start_thread(&h->id, "bkp-ids", run_helper, h, err)
				       : 0;
		h->started = !r && f->n_helpers;
	}
	if (r) {
		queue_free(f);
		return -1;
	}
	*ret = f;
	return 0;
}

void queue_free(struct queue *f)
{
	if (!f)
		return;
	queue_stop(f);
	pthread_mutex_lock(&f->lock);
	f->quit = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	for (unsigned i = 0; i < f->n_helpers; i++) {
		if (f->helpers[i].started)
			pthread_join(f->helpers[i].id, NULL);
		hmac_free(f->helpers[i].ids);
		digest_free(f->helpers[i].sha);
	}
	for (size_t i = 0; i < QUEUE_BATCHES; i++) {
		clear_batch(&f->batches[i]);
		for (size_t k = 0; k < QUEUE_EVENTS; k++)
			archive_entry_free(f->batches[i].entries[k]);
		buf_free(&f->batches[i].text);
		buf_free(&f->batches[i].content);
	}
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
