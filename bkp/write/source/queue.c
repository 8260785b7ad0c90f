/* queue: see queue.h.
 *
 * A pipeline of QUEUE_BATCHES batches, one for each queue_start(), whose work is computing the ids of a batch.  The thread that
 * queue_start() makes is its producer, who sends a batch when it is full; one without content is sent as ready.  The consumer
 * goes through one batch after the other, event by event.
 *
 * Who owns a batch: as pipeline.h says.  It keeps its buffers and entries for the next use; blocks of the former catalog that its
 * events refer to are given back when the producer takes it again, at the latest in queue_stop().
 *
 * queue_stop() may come at any time: the producer is refused a further batch, and is joined. */
#include "write/source/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <archive_entry.h>

#include "base/err.h"
#include "base/threads/pipeline.h"
#include "base/text.h"
#include "base/threads/thread.h"
#include "base/timings.h"
#include "format/medium/codec.h"
#include "write/index/file_cache.h"

#define TEXT_MAX    ((size_t)8 << 20) /* paths of one batch; one path is ≤ 2 MiB */
#define TEXT_FULL   ((size_t)1 << 20)
#define THREADS_MAX 15
#define RANGES_MAX  32

struct batch {
	struct queue_event events[QUEUE_EVENTS];
	struct archive_entry *entries[QUEUE_EVENTS]; /* made when first needed, used again */
	size_t n;
	struct buf text, content;
	size_t weight; /* as queue_weigh() said */
	bool chunk;    /* holds one: full */
	size_t ranges; /* each may hold a block of the former catalog */
};

struct queue {
	struct batch batches[QUEUE_BATCHES]; /* the line's slots */
	struct helper {
		struct hmac *ids;
		struct digest *sha;
	} helpers[THREADS_MAX + 1]; /* by the line's numbers of threads: the first is the consumer's */
	unsigned threads;
	struct timings *timings;
	/* from queue_start() to queue_stop() */
	struct pipeline *line; /* NULL: none */
	queue_producer_fn *fn;
	void *arg;
	pthread_t producer;
	/* the producer's */
	struct batch *filling;
	uint64_t fed; /* bytes */
	/* the consumer's */
	struct batch *taking; /* NULL: none */
	size_t at;	      /* current event in it */
	size_t path_at;
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

/* The line's work. */
static void compute_batch(void *arg, unsigned thread, size_t i, void *slot)
{
	struct queue *f = arg;
	struct batch *t = slot;
	struct timings_mark mark = timings_begin();

	(void)i;
	compute_ids(t, &f->helpers[thread]);
	timings_end(f->timings, TIMING_IDS, &mark, t->content.n);
}

/* ---- the producer's side ---- */

static void clear_batch(struct batch *t)
{
	for (size_t i = 0; i < t->n; i++) {
		file_cache_block_free(t->events[i].item.former);
		file_cache_block_free(t->events[i].range.block);
	}
	t->n = 0;
	t->text.n = t->content.n = t->weight = 0;
	t->chunk = false;
	t->ranges = 0;
}

/* The next free batch, emptied; NULL: the consumer wants no more.  Waits. */
static struct batch *take_batch(struct queue *f)
{
	struct batch *t = pipeline_room(f->line, true, NULL);

	if (t)
		clear_batch(t);
	return t;
}

static void send_batch(struct queue *f, const struct batch *t)
{
	pipeline_put(f->line, !t->content.n);
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
	file_cache_block_free(t->events[t->n].item.former);
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
	if (r && !why.code[0])
		err_nomem(&why);
	pipeline_end(f->line, r ? &why : NULL);
	return NULL;
}

int queue_start(struct queue *f, queue_producer_fn *fn, void *arg, struct err *err)
{
	const struct pipeline_config line = {.name = "bkp-ids",
	    .threads = f->threads,
	    .window = QUEUE_BATCHES,
	    .slots = f->batches,
	    .slot_size = sizeof(f->batches[0]),
	    .work = compute_batch,
	    .arg = f,
	    .timings = f->timings,
	    .producer_stage = TIMING_READER,
	    .consumer_stage = TIMING_STORE};
	int r;

	queue_stop(f);
	if (pipeline_new(&line, &f->line, err))
		return -1;
	f->fn = fn;
	f->arg = arg;
	f->fed = 0;
	r = thread_start(&f->producer, "bkp-reader", run_producer, f);
	if (!r)
		return 0;
	pipeline_free(f->line);
	f->line = NULL;
	return err_sys(err, "E-FEED-01", r, "%s", text("cannot start a thread"));
}

/* ---- the consumer's side ---- */

int queue_next(struct queue *f, struct queue_event **ret, struct err *err)
{
	struct queue_event *e;
	void *slot;
	int r;

	if (f->taking && ++f->at == f->taking->n) {
		f->taking = NULL;
		pipeline_done(f->line);
	}
	if (!f->taking) {
		r = pipeline_next(f->line, 1000, &slot, err);
		if (r)
			return r == PIPELINE_END ? QUEUE_END : r == PIPELINE_IDLE ? QUEUE_IDLE : -1;
		f->taking = slot;
		f->at = 0;
	}
	e = &f->taking->events[f->at];
	if (e->kind == QUEUE_ITEM || e->kind == QUEUE_GONE)
		f->path_at = e->item.path_at;
	*ret = e;
	return 0;
}

struct archive_entry *queue_keep_entry(struct queue *f, struct archive_entry *spare)
{
	struct archive_entry *e = f->taking->entries[f->at];

	f->taking->entries[f->at] = spare;
	return e;
}

const char *queue_path(const struct queue *f)
{
	return (const char *)f->taking->text.p + f->path_at;
}

struct buf *queue_chunk_buf(struct queue *f)
{
	return &f->taking->content; /* a chunk has its batch for itself */
}

const uint8_t *queue_content(const struct queue *f)
{
	return f->taking->content.p + f->taking->events[f->at].data_at;
}

void queue_stop(struct queue *f)
{
	if (!f->line)
		return;
	pipeline_stop(f->line, NULL);
	pthread_join(f->producer, NULL);
	pipeline_free(f->line);
	f->line = NULL;
	f->filling = f->taking = NULL;
	for (size_t i = 0; i < QUEUE_BATCHES; i++)
		clear_batch(&f->batches[i]);
}

/* ---- beginning and end ---- */

int queue_new(
    const struct hmac *ids, unsigned threads, struct timings *timings, struct queue **ret, struct err *err)
{
	struct queue *f = calloc(1, sizeof(*f));

	if (!f)
		return err_nomem(err);
	for (size_t i = 0; i < QUEUE_BATCHES; i++) {
		buf_init(&f->batches[i].text, TEXT_MAX);
		buf_init(&f->batches[i].content, CODEC_RAW_MAX);
	}
	f->timings = timings;
	f->threads = threads < THREADS_MAX ? threads : THREADS_MAX;
	for (unsigned i = 0; i <= f->threads; i++) {
		f->helpers[i] = (struct helper){hmac_copy(ids), digest_new()};
		if (!f->helpers[i].ids || !f->helpers[i].sha) {
			queue_free(f);
			return err_nomem(err);
		}
	}
	*ret = f;
	return 0;
}

void queue_free(struct queue *f)
{
	if (!f)
		return;
	queue_stop(f);
	for (unsigned i = 0; i <= f->threads; i++) {
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
	free(f);
}
