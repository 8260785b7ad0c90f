/* ahead: see ahead.h.
 *
 * The first part of a file is read by the caller himself: most files have no other, and for them a thread
 * would only cost two switches.  When a whole part was given out, more is likely: engage_thread() hands the
 * rest of this file to the thread, which is started once and serves all later files.
 *
 * parts[] is then a ring.  head is the oldest part that was read and not given back, n how many there are;
 * the caller holds parts[head] while `given` is set.  The thread fills parts[(head + n) % PARTS] without the
 * lock: that part is outside of what the caller may hold, and nobody else touches it while `reading` is set.
 * n never exceeds PARTS, so at most 4 MiB lie ahead of the caller.  An error or the end of the file is a part
 * like any other and ends the thread's work on this file, so it reaches the caller after the bytes that came
 * before it.
 *
 * No pipeline (base/pipeline.h): nothing is worked on between reading and giving out, and its one thread outlives the files, of
 * which most never come to it.
 *
 * file and at belong to the caller until the thread is engaged, and to the thread until ahead_end() has
 * seen `reading` go.  thread, started and id are the caller's alone.
 */
#include "read/file/ahead.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/threads/thread.h"
#include "read/store/store.h"

#define ALIGN 4096
#define PARTS 4

struct part {
	uint8_t *p;
	ssize_t n;  /* as ahead_next() gives it */
	int errnum; /* of n < 0 */
};

struct ahead {
	bool thread, started;
	pthread_t id;
	/* of the file that is being read: the caller's, or the thread's once it is engaged */
	struct store_file *file;
	int64_t at; /* bytes of it that were read */
	struct part parts[PARTS];
	/* all below: under the lock, once the thread is started */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	size_t head, n; /* parts[head] is the oldest of n that were read and not given back */
	bool given;	/* the oldest is in the caller's hands */
	bool engaged;	/* the thread reads this file */
	bool active;	/* there may be more of it */
	bool reading;	/* the thread is within read(), without the lock */
	bool stop;
};

struct ahead *ahead_new(bool thread)
{
	struct ahead *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->thread = thread;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->changed, NULL);
	return a;
}

static void read_part(struct ahead *a, struct part *part)
{
	part->n = -1;
	part->errnum = ENOMEM;
	if (!part->p && posix_memalign((void **)&part->p, ALIGN, AHEAD_PART)) {
		part->p = NULL;
		return;
	}
	part->n = store_read_some(a->file, part->p, AHEAD_PART, a->at);
	part->errnum = errno;
	a->at += part->n > 0 ? part->n : 0;
}

static void *ahead_thread(void *arg)
{
	struct ahead *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->stop) {
		struct part *part = &a->parts[(a->head + a->n) % PARTS];

		if (!a->active || a->n == PARTS) {
			pthread_cond_wait(&a->changed, &a->lock);
			continue;
		}
		a->reading = true;
		pthread_mutex_unlock(&a->lock);
		read_part(a, part);
		pthread_mutex_lock(&a->lock);
		a->reading = false;
		a->n++;
		a->active &= part->n > 0;
		pthread_cond_broadcast(&a->changed);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* That it cannot be started is no fault: then the caller reads himself. */
static void start_thread(struct ahead *a)
{
	a->started = !thread_start(&a->id, "bkp-ahead", ahead_thread, a);
	a->thread = a->started;
}

/* Afterwards the thread does not touch the file: the caller may close it. */
void ahead_end(struct ahead *a)
{
	pthread_mutex_lock(&a->lock);
	a->active = a->engaged = false;
	while (a->reading)
		pthread_cond_wait(&a->changed, &a->lock);
	a->head = a->n = 0;
	a->given = false;
	pthread_mutex_unlock(&a->lock);
}

void ahead_begin(struct ahead *a, struct store_file *file, bool from_device)
{
	a->file = file;
	a->at = 0;
	if (from_device)
		store_bypass_cache(file);
}

static ssize_t give_part(const struct part *part, uint8_t **ret)
{
	errno = part->errnum;
	*ret = part->p;
	return part->n;
}

/* Once the thread is at work. */
static ssize_t next_read(struct ahead *a, uint8_t **ret)
{
	ssize_t n;

	pthread_mutex_lock(&a->lock);
	if (a->given) {
		a->head = (a->head + 1) % PARTS;
		a->n--;
		pthread_cond_broadcast(&a->changed);
	}
	while (!a->n)
		pthread_cond_wait(&a->changed, &a->lock);
	assert(a->n <= PARTS);
	a->given = true;
	n = give_part(&a->parts[a->head], ret);
	pthread_mutex_unlock(&a->lock);
	return n;
}

/* From here on the thread reads this file.  The part in the caller's hands is the oldest of the ring; giving
 * it back in next_read() wakes the thread. */
static void engage_thread(struct ahead *a)
{
	if (!a->started)
		start_thread(a);
	pthread_mutex_lock(&a->lock);
	a->engaged = a->active = a->started;
	pthread_mutex_unlock(&a->lock);
}

ssize_t ahead_next(struct ahead *a, uint8_t **ret)
{
	/* the first part is read by the caller: most files have no other */
	if (!a->engaged && a->thread && a->given && a->parts[0].n == (ssize_t)AHEAD_PART)
		engage_thread(a);
	if (a->engaged)
		return next_read(a, ret);
	read_part(a, &a->parts[0]);
	pthread_mutex_lock(&a->lock);
	a->given = true;
	a->n = 1;
	pthread_mutex_unlock(&a->lock);
	return give_part(&a->parts[0], ret);
}

void ahead_free(struct ahead *a)
{
	if (!a)
		return;
	if (a->started) {
		ahead_end(a);
		pthread_mutex_lock(&a->lock);
		a->stop = true;
		pthread_cond_broadcast(&a->changed);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->id, NULL);
	}
	for (size_t i = 0; i < PARTS; i++)
		free(a->parts[i].p);
	pthread_cond_destroy(&a->changed);
	pthread_mutex_destroy(&a->lock);
	free(a);
}
