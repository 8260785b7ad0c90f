/* feed: see feed.h. */
#include "write/source/feed.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <archive_entry.h>

#include "base/err.h"
#include "base/text.h"
#include "format/medium/codec.h"
#include "write/index/statcache.h"
#include "base/timings.h"

#define TEXT_MAX    ((size_t)8 << 20) /* paths of one tray; one path is ≤ 2 MiB */
#define TEXT_FULL   ((size_t)1 << 20)
#define THREADS_MAX 15
#define RANGES_MAX  32

enum tray_state { TRAY_RAW, TRAY_WORKING, TRAY_KNOWN }; /* of trays that were sent */

struct tray {
	enum tray_state state;
	struct feed_event events[FEED_EVENTS];
	struct archive_entry *entries[FEED_EVENTS]; /* made when first needed, used again */
	size_t n;
	struct buf text, content;
	size_t weight; /* as feed_weigh() said */
	bool chunk;    /* holds one: full */
	size_t ranges; /* each may hold a block of the former catalog */
};

struct feed {
	struct tray trays[FEED_TRAYS];
	struct tray *filling; /* the producer's alone */
	uint64_t fed;	      /* bytes; the producer's alone */
	size_t at;	      /* event at hand; the consumer's alone */
	bool begun;	      /* the consumer has the tray at `head` */
	size_t path_at;
	struct helper {
		struct feed *f;
		struct hmac *ids;
		struct digest *sha;
		pthread_t id;
		bool started;
	} helpers[THREADS_MAX + 1]; /* the first is the consumer's: no thread */
	unsigned n_helpers;
	feed_producer_fn *fn;
	void *arg;
	pthread_t producer;
	struct timings *timings;
	bool producing; /* there is a thread to join */
	/* all below: under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;	  /* a tray was sent, got its ids or is free, or it all ends */
	size_t head, sent, taken; /* trays counted for ever: head ≤ sent ≤ taken ≤ head + FEED_TRAYS */
	bool ended, stop, quit;
	struct err why; /* the producer's, when ended; code "" : none */
};

/* ---- ids ---- */

static void compute(struct tray *t, const struct helper *by)
{
	for (size_t i = 0; i < t->n; i++) {
		struct feed_event *e = &t->events[i];

		if (e->kind == FEED_SMALL_FILE || e->kind == FEED_SMALL_DATA || e->kind == FEED_CHUNK)
			hmac_of(by->ids, t->content.p + e->data_at, e->n, e->id);
		if (e->kind == FEED_SMALL_FILE) {
			digest_reset(by->sha);
			digest_update(by->sha, t->content.p + e->data_at, e->n);
			digest_final(by->sha, e->sha256);
		}
	}
}

/* With the lock, which it lets go meanwhile. */
static void work(struct feed *f, struct tray *t, const struct helper *by)
{
	struct timings_mark mark;

	t->state = TRAY_WORKING;
	pthread_mutex_unlock(&f->lock);
	mark = timings_begin();
	compute(t, by);
	timings_end(f->timings, TIMING_IDS, &mark, t->content.n);
	pthread_mutex_lock(&f->lock);
	t->state = TRAY_KNOWN;
	pthread_cond_broadcast(&f->changed);
}

static struct tray *tray_at(struct feed *f, size_t i)
{
	return &f->trays[i % FEED_TRAYS];
}

static void *helping(void *arg)
{
	struct helper *h = arg;
	struct feed *f = h->f;

	pthread_mutex_lock(&f->lock);
	while (!f->quit) {
		size_t i = f->head;

		while (i < f->sent && tray_at(f, i)->state != TRAY_RAW)
			i++;
		if (i < f->sent)
			work(f, tray_at(f, i), h);
		else
			pthread_cond_wait(&f->changed, &f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	return NULL;
}

/* ---- the producer's side ---- */

static void clear_tray(struct tray *t)
{
	for (size_t i = 0; i < t->n; i++) {
		statcache_block_free(t->events[i].item.same);
		statcache_block_free(t->events[i].range.block);
	}
	t->n = 0;
	t->text.n = t->content.n = t->weight = 0;
	t->chunk = false;
	t->ranges = 0;
}

/* The next free tray, or NULL: the consumer wants no more. */
static struct tray *take_tray(struct feed *f)
{
	struct tray *t = NULL;

	pthread_mutex_lock(&f->lock);
	if (f->taken - f->head == FEED_TRAYS) {
		uint64_t since = timings_now();

		while (!f->stop && f->taken - f->head == FEED_TRAYS)
			pthread_cond_wait(&f->changed, &f->lock);
		timings_waited(f->timings, TIMING_SCOUT, since);
	}
	if (!f->stop)
		t = tray_at(f, f->taken++);
	pthread_mutex_unlock(&f->lock);
	if (t)
		clear_tray(t);
	return t;
}

static void send_tray(struct feed *f, struct tray *t)
{
	pthread_mutex_lock(&f->lock);
	t->state = t->content.n ? TRAY_RAW : TRAY_KNOWN;
	f->sent++;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void flush(struct feed *f)
{
	if (f->filling && f->filling->n) {
		send_tray(f, f->filling);
		f->filling = NULL;
	}
}

/* A tray with room for one more event, and for n bytes of content. */
static struct tray *room(struct feed *f, size_t n, size_t limit)
{
	struct tray *t = f->filling;

	if (t && (t->n == FEED_EVENTS || t->chunk || t->ranges == RANGES_MAX ||
		     t->text.n + t->weight > TEXT_FULL || (n && t->content.n && t->content.n + n > limit)))
		flush(f);
	if (!f->filling)
		f->filling = take_tray(f);
	t = f->filling;
	return t && (!n || !buf_reserve(&t->content, n, NULL)) ? t : NULL;
}

struct feed_event *feed_add(struct feed *f, enum feed_kind kind)
{
	struct tray *t = room(f, 0, 0);
	struct feed_event *e;

	if (!t)
		return NULL;
	e = &t->events[t->n];
	memset(e, 0, sizeof(*e));
	e->kind = kind;
	t->ranges += kind == FEED_RANGE;
	if (kind == FEED_ITEM) {
		if (!t->entries[t->n] && !(t->entries[t->n] = archive_entry_new()))
			return NULL;
		e->item.entry = t->entries[t->n];
	}
	t->n++;
	return e;
}

int feed_set_path(struct feed *f, struct feed_event *e, const char *path)
{
	struct tray *t = f->filling;

	e->item.path_at = t->text.n;
	return buf_append(&t->text, path, strlen(path) + 1, NULL);
}

void feed_take_back(struct feed *f)
{
	struct tray *t = f->filling;

	t->n--;
	statcache_block_free(t->events[t->n].item.same);
	if (t->events[t->n].kind == FEED_ITEM || t->events[t->n].kind == FEED_GONE)
		t->text.n = t->events[t->n].item.path_at;
}

void feed_weigh(struct feed *f, size_t n)
{
	f->filling->weight += n;
}

uint8_t *feed_room(struct feed *f, size_t n)
{
	struct tray *t = room(f, n, n <= FEED_SMALL ? FEED_SMALL : 0);

	return t ? t->content.p + t->content.n : NULL;
}

int feed_data(struct feed *f, enum feed_kind kind, size_t n)
{
	struct tray *t = f->filling;
	struct feed_event *e = &t->events[t->n++];

	memset(e, 0, sizeof(*e));
	e->kind = kind;
	f->fed += n;
	e->data_at = t->content.n;
	e->n = n;
	t->content.n += n;
	return 0;
}

uint8_t *feed_chunk(struct feed *f, size_t n, size_t rest)
{
	struct tray *t = f->filling, *next;
	const uint8_t *from = t->content.p + t->content.n + n;

	feed_data(f, FEED_CHUNK, n);
	t->chunk = true;
	if (!rest) {
		flush(f);
		return feed_room(f, CODEC_RAW_MAX);
	}
	next = take_tray(f);
	if (next && !buf_reserve(&next->content, CODEC_RAW_MAX, NULL))
		memcpy(next->content.p, from, rest);
	else
		next = NULL;
	send_tray(f, t);
	f->filling = next;
	return next ? next->content.p : NULL;
}

static void *producing(void *arg)
{
	struct feed *f = arg;
	struct timings_mark mark = timings_begin();
	struct err why = ERR_INIT;
	int r = f->fn(f->arg, f, &why);

	flush(f);
	timings_end(f->timings, TIMING_SCOUT, &mark, f->fed);
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
	sigset_t all, before;
	int r;

	sigfillset(&all); /* signals are the first thread's */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	r = pthread_create(id, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!r)
		(void)pthread_setname_np(*id, name);
	return r ? err_sys(err, "E-FEED-01", r, "%s", text("cannot start a thread")) : 0;
}

int feed_start(struct feed *f, feed_producer_fn *fn, void *arg, struct err *err)
{
	feed_stop(f);
	f->fn = fn;
	f->arg = arg;
	f->filling = NULL;
	f->fed = 0;
	f->begun = false;
	pthread_mutex_lock(&f->lock); /* helpers look at the trays all the time */
	f->head = f->sent = f->taken = 0;
	f->ended = f->stop = false;
	f->why = (struct err)ERR_INIT;
	pthread_mutex_unlock(&f->lock);
	f->producing = !start_thread(&f->producer, "bkp-scout", producing, f, err);
	return f->producing ? 0 : -1;
}

/* ---- the consumer's side ---- */

static void release(struct feed *f)
{
	pthread_mutex_lock(&f->lock);
	f->head++;
	f->begun = false;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

/* With the lock.  Real time as others see it may jump: the clock is the monotonic one. */
static int wait_a_second(struct feed *f)
{
	uint64_t since = timings_now();
	struct timespec t;
	int r;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec++;
	r = pthread_cond_clockwait(&f->changed, &f->lock, CLOCK_MONOTONIC, &t);
	timings_waited(f->timings, TIMING_STORE, since);
	return r == ETIMEDOUT ? FEED_IDLE : 0;
}

/* The tray at the head, with its ids.  0, FEED_END, FEED_IDLE, -1. */
static int arrive(struct feed *f, struct err *err)
{
	int r = 0;

	pthread_mutex_lock(&f->lock);
	while (!r) {
		struct tray *t = tray_at(f, f->head);

		if (f->head < f->sent && t->state == TRAY_KNOWN)
			break;
		if (f->head < f->sent && t->state == TRAY_RAW) {
			work(f, t, &f->helpers[0]);
			continue;
		}
		if (f->head == f->sent && f->ended) {
			r = f->why.code[0] ? -1 : FEED_END;
			if (r < 0 && err)
				*err = f->why;
			break;
		}
		r = wait_a_second(f);
	}
	pthread_mutex_unlock(&f->lock);
	return r;
}

int feed_next(struct feed *f, struct feed_event **ret, struct err *err)
{
	struct feed_event *e;
	int r;

	if (f->begun && ++f->at == tray_at(f, f->head)->n)
		release(f);
	if (!f->begun) {
		r = arrive(f, err);
		if (r)
			return r;
		f->begun = true;
		f->at = 0;
	}
	e = &tray_at(f, f->head)->events[f->at];
	if (e->kind == FEED_ITEM || e->kind == FEED_GONE)
		f->path_at = e->item.path_at;
	*ret = e;
	return 0;
}

struct archive_entry *feed_keep_entry(struct feed *f, struct archive_entry *spare)
{
	struct tray *t = tray_at(f, f->head);
	struct archive_entry *e = t->entries[f->at];

	t->entries[f->at] = spare;
	return e;
}

const char *feed_path(const struct feed *f)
{
	return (const char *)f->trays[f->head % FEED_TRAYS].text.p + f->path_at;
}

struct buf *feed_chunk_buf(struct feed *f)
{
	return &tray_at(f, f->head)->content; /* a chunk has its tray for itself */
}

const uint8_t *feed_content(const struct feed *f)
{
	const struct tray *t = &f->trays[f->head % FEED_TRAYS];

	return t->content.p + t->events[f->at].data_at;
}

void feed_stop(struct feed *f)
{
	if (!f->producing)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
	pthread_join(f->producer, NULL);
	f->producing = false;
	/* helpers may still be at a tray that nobody wants any more */
	pthread_mutex_lock(&f->lock);
	for (size_t i = f->head; i < f->sent; i++) {
		while (tray_at(f, i)->state == TRAY_WORKING)
			pthread_cond_wait(&f->changed, &f->lock);
		tray_at(f, i)->state = TRAY_KNOWN;
	}
	f->head = f->sent = f->taken = 0;
	f->begun = false;
	f->filling = NULL;
	pthread_mutex_unlock(&f->lock);
	for (size_t i = 0; i < FEED_TRAYS; i++)
		clear_tray(&f->trays[i]);
}

/* ---- beginning and end ---- */

int feed_new(
    const struct hmac *ids, unsigned threads, struct timings *timings, struct feed **ret, struct err *err)
{
	struct feed *f = calloc(1, sizeof(*f));
	int r = 0;

	if (!f)
		return err_nomem(err);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->changed, NULL);
	for (size_t i = 0; i < FEED_TRAYS; i++) {
		buf_init(&f->trays[i].text, TEXT_MAX);
		buf_init(&f->trays[i].content, CODEC_RAW_MAX);
	}
	f->timings = timings;
	threads = threads < THREADS_MAX ? threads : THREADS_MAX;
	for (; f->n_helpers <= threads && !r; f->n_helpers++) {
		struct helper *h = &f->helpers[f->n_helpers];

		h->f = f;
		h->ids = hmac_copy(ids);
		h->sha = digest_new();
		r = !h->ids || !h->sha ? err_nomem(err)
		    : f->n_helpers     ? start_thread(&h->id, "bkp-ids", helping, h, err)
				       : 0;
		h->started = !r && f->n_helpers;
	}
	if (r) {
		feed_free(f);
		return -1;
	}
	*ret = f;
	return 0;
}

void feed_free(struct feed *f)
{
	if (!f)
		return;
	feed_stop(f);
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
	for (size_t i = 0; i < FEED_TRAYS; i++) {
		clear_tray(&f->trays[i]);
		for (size_t k = 0; k < FEED_EVENTS; k++)
			archive_entry_free(f->trays[i].entries[k]);
		buf_free(&f->trays[i].text);
		buf_free(&f->trays[i].content);
	}
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
}
