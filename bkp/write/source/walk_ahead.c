/* walk_ahead: the helper threads of the walk; walk_private.h says what they are for, and has the lock's rule.
 *
 * A task is a stretch [from, to) of the names of one folder on the walk's stack.  Its life:
 *   claim_task()   under the lock: the deepest folder with names that nobody has claimed; the task gets a copy
 *                  of the path and a descriptor of its own, and joins the folder's list (`tasks`, ascending)
 *   task_run()     without the lock, by a helper or by the walk's thread while it would wait: fills `items`.
 *                  `stop` is the first name that it did not do; `sub` holds the folders it stopped in
 *   done           under the lock
 *   the walk comes to `from`: wait_for_task() makes it `current`, its items are yielded one by one, and
 *   retire_task() moves the walk on to `stop`, taking over the folders that `sub` was in
 *   give_back()    it is empty, a spare one for the next claim
 *
 * Who owns what: fields of a task belong to the thread that claimed it until `done` is set with the lock held;
 * from then to the walk's thread.  Several threads read the folder's sorted names (names_at()), which do not
 * change while the folder is on the stack.  `spare`, `used`, `idle`, `waiting` and the lists of tasks: under the
 * lock.  `current`: the walk's thread alone.
 *
 * Bounds: `most` tasks, each of ITEMS entries, BYTES of paths and FDS descriptors.  A task that finds no memory or
 * is older than FRESH_NS counts as never claimed: the walk looks for itself.
 *
 * No pipeline (base/pipeline.h): nobody gives tasks out in the order in which they are taken; who is idle claims one below where
 * the walk is then, and one may be forgotten, or end before its last name. */
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/threads/thread.h"
#include "write/source/walk_private.h"

#define ITEMS	 512			/* entries of a task */
#define BYTES	 ((size_t)256 << 10)	/* of their paths, and of the names of the folders it is in */
#define FDS	 42			/* folders that it holds open */
#define TASKS	 (WALK_HELPERS_MAX + 3) /* FDS * TASKS: the descriptors that walk.h speaks of */
#define WORTH	 64			/* names of a folder for which helpers are begun */
#define STRETCH	 8			/* names left in a folder in which a stretch is claimed */
#define SPAN_MAX ITEMS
#define FRESH_NS SECOND_NS /* age at which what was looked at is forgotten */

struct ahead_item {
	struct stat st;
	size_t path, name; /* in the task's paths */
	int dirfd, error;
	bool mount;
};

struct walk_task {
	struct walk_task *next;
	bool done, missing;    /* missing: it stopped at a name that is to be looked for */
	size_t from, to, stop; /* names of its folder; stop: the first that is still to be done */
	const struct names *names;
	int fd;		 /* its folder */
	size_t path_len; /* of its folder */
	struct walk sub; /* what is below the current name */
	int kept[FDS];
	struct ahead_item *items;
	size_t n_items, at;
	struct buf paths;
	struct timespec begun;
};

struct walk_ahead {
	struct walk *w;
	pthread_mutex_t lock;
	pthread_cond_t work, done;
	pthread_t threads[WALK_HELPERS_MAX];
	unsigned n_threads, idle;
	bool stopping, waiting;
	struct walk_task *spare;   /* done with */
	struct walk_task *current; /* whose entries are being taken */
	size_t used, most;	   /* tasks */
};

void walk_ahead_lock(const struct walk *w)
{
	if (w->ahead)
		pthread_mutex_lock(&w->ahead->lock);
}

void walk_ahead_unlock(const struct walk *w)
{
	if (w->ahead)
		pthread_mutex_unlock(&w->ahead->lock);
}

/* ---- a task: any thread ---- */

static void task_free(struct walk_task *t)
{
	if (!t)
		return;
	buf_free(&t->paths);
	buf_free(&t->sub.path);
	names_scratch_end(&t->sub.scratch);
	free(t->sub.stack);
	free(t->items);
	free(t);
}

static struct walk_task *task_new(const struct walk *w)
{
	struct walk_task *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->fd = -1;
	t->items = calloc(ITEMS, sizeof(*t->items));
	buf_init(&t->paths, 2 * BYTES);
	buf_init(&t->sub.path, w->path.max);
	names_scratch_begin(&t->sub.scratch, -1);
	t->sub.scratch.memory_only = true;
	t->sub.opt = (struct walk_options){.cross_mounts = w->opt.cross_mounts,
	    .exclude = w->opt.exclude,
	    .names_max = BYTES,
	    .scratch_dir = -1};
	t->sub.kept = t->kept;
	t->sub.max_kept = FDS;
	if (!t->items) {
		task_free(t);
		return NULL;
	}
	return t;
}

/* Nothing of it counts, or is needed any more. */
static void task_clear(struct walk_task *t)
{
	while (t->sub.depth) {
		names_free(t->sub.stack[--t->sub.depth].names);
		buf_free(&t->sub.stack[t->sub.depth].missing);
	}
	t->sub.memory = 0;
	while (t->sub.n_kept)
		io_close_quietly(&t->kept[--t->sub.n_kept]);
	io_close_quietly(&t->fd);
	t->n_items = t->at = 0;
	t->paths.n = 0;
}

static bool has_room(struct walk_task *t)
{
	size_t n = t->sub.path.n + 2 * NAME_MAX;

	return t->n_items < ITEMS && n < BYTES && t->paths.n < BYTES - n;
}

static int keep_item(struct walk_task *t, const struct walk_item *it)
{
	struct ahead_item *i = &t->items[t->n_items];

	*i = (struct ahead_item){
	    .st = it->st, .path = t->paths.n, .dirfd = it->dirfd, .error = it->error, .mount = it->mount};
	if (buf_append(&t->paths, it->path, strlen(it->path) + 1, NULL))
		return -1;
	i->name = i->path + strlen(it->path) - strlen(it->name);
	if (it->name == t->sub.moved) {
		i->name = t->paths.n;
		if (buf_append(&t->paths, it->name, strlen(it->name) + 1, NULL))
			return -1;
	}
	t->n_items++;
	return 0;
}

/* Goes through what is below.  0; 1: there is more, at which the walk goes on; -1. */
static int go_below(struct walk_task *t)
{
	struct walk *s = &t->sub;

	while (s->depth) {
		struct walk_item it;
		int r;

		if (!has_room(t))
			return 1;
		r = walk_step(s, &it, NULL);
		if (r == WALK_END)
			return 0;
		if (r) {
			struct names *names = s->stack[s->depth - 1].names;

			names_seek(names, names_position(names) - 1);
			return 1;
		}
		if (keep_item(t, &it))
			return -1;
	}
	return 0;
}

static void task_run(struct walk_task *t)
{
	size_t i;
	int r = 0;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t->begun);
	for (i = t->from; i < t->to && !r; i++) {
		const char *name = names_at(t->names, i);
		struct walk_item it;

		if (!has_room(t) || walk_set_path(&t->sub, t->path_len, name, NULL))
			break;
		r = walk_look(&t->sub, NULL, t->fd, name, names_inode(name), &it, NULL);
		if (r == WALK_EXCLUDED) {
			r = 0;
			continue;
		}
		if (r)
			break;
		r = keep_item(t, &it) ? -1 : go_below(t);
	}
	t->stop = i;
	t->missing = r == WALK_VANISHED;
	if (r < 0) { /* no memory: as if it had never been claimed */
		task_clear(t);
		t->stop = t->from;
	}
}

/* ---- claims: under the lock ---- */

/* The first names of the folder that nobody has claimed, with the list's place for them. */
static bool find_gap(struct frame *f, size_t *ret_from, size_t *ret_to, struct walk_task ***ret_at)
{
	size_t from = names_position(f->names), n = names_count(f->names);
	struct walk_task **at = &f->tasks;

	if (f->fd < 0 || !f->span || n < from || n - from < STRETCH)
		return false;
	while (*at && (*at)->from <= from) {
		from = (*at)->done ? (*at)->stop : (*at)->to;
		at = &(*at)->next;
	}
	*ret_from = from;
	*ret_to = *at ? (*at)->from : n;
	*ret_at = at;
	if (*ret_to - from > f->span)
		*ret_to = from + f->span;
	return from < *ret_to;
}

static struct walk_task *take_spare(struct walk_ahead *a)
{
	struct walk_task *t = a->spare;

	if (t)
		a->spare = t->next;
	else
		t = task_new(a->w);
	if (t)
		a->used++;
	return t;
}

static void give_back(struct walk_ahead *a, struct walk_task *t)
{
	t->next = a->spare;
	a->spare = t;
	a->used--;
	if (a->idle && a->used <= a->most / 2)
		pthread_cond_broadcast(&a->work);
}

static struct walk_task *claim_task(struct walk_ahead *a)
{
	struct walk *w = a->w;
	struct walk_task *t, **at;
	struct frame *f;
	size_t from, to, d = w->depth;

	if (a->used >= a->most)
		return NULL;
	do {
		if (!d)
			return NULL;
		f = &w->stack[--d];
	} while (!find_gap(f, &from, &to, &at));
	t = take_spare(a);
	if (!t)
		return NULL;
	t->sub.path.n = 0;
	t->fd = fcntl(f->fd, F_DUPFD_CLOEXEC, 3);
	if (t->fd < 0 || buf_append(&t->sub.path, w->path.p, f->path_len, NULL)) {
		task_clear(t);
		give_back(a, t);
		return NULL;
	}
	t->done = false;
	t->from = from;
	t->to = t->stop = to;
	t->names = f->names;
	t->path_len = f->path_len;
	t->sub.root_dev = w->root_dev;
	t->sub.has_root = true;
	t->sub.unlike = w->unlike;
	t->next = *at;
	*at = t;
	return t;
}

/* ---- the threads ---- */

static void *run_helper(void *arg)
{
	struct walk_ahead *a = arg;

	pthread_mutex_lock(&a->lock);
	while (!a->stopping) {
		struct walk_task *t = claim_task(a);

		if (!t) {
			a->idle++;
			pthread_cond_wait(&a->work, &a->lock);
			a->idle--;
			continue;
		}
		pthread_mutex_unlock(&a->lock);
		task_run(t);
		pthread_mutex_lock(&a->lock);
		t->done = true;
		if (a->waiting)
			pthread_cond_signal(&a->done);
	}
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

static void start_helpers(struct walk *w)
{
	struct walk_ahead *a = calloc(1, sizeof(*a));
	unsigned want = w->opt.helpers < WALK_HELPERS_MAX ? w->opt.helpers : WALK_HELPERS_MAX;

	w->opt.helpers = 0; /* one attempt */
	if (!a)
		return;
	a->w = w;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->work, NULL);
	pthread_cond_init(&a->done, NULL);
	a->most = want + 3;
	w->ahead = a;
	while (a->n_threads < want && !thread_start(&a->threads[a->n_threads], "bkp-walk", run_helper, a))
		a->n_threads++;
}

void walk_ahead_entered(struct walk *w)
{
	size_t n = names_count(w->stack[w->depth - 1].names);

	if (w->opt.helpers && n >= WORTH) {
		start_helpers(w);
	} else if (w->ahead && n >= STRETCH) {
		pthread_mutex_lock(&w->ahead->lock);
		if (w->ahead->idle && w->ahead->used < w->ahead->most)
			pthread_cond_broadcast(&w->ahead->work);
		pthread_mutex_unlock(&w->ahead->lock);
	}
}

void walk_ahead_stop(struct walk *w)
{
	struct walk_ahead *a = w->ahead;

	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stopping = true;
	pthread_cond_broadcast(&a->work);
	pthread_mutex_unlock(&a->lock);
	while (a->n_threads)
		pthread_join(a->threads[--a->n_threads], NULL);
	for (size_t d = 0; d < w->depth; d++)
		for (struct walk_task *t; (t = w->stack[d].tasks);) {
			w->stack[d].tasks = t->next;
			task_clear(t);
			give_back(a, t);
		}
}

void walk_ahead_free(struct walk *w)
{
	struct walk_ahead *a = w->ahead;

	if (!a)
		return;
	for (struct walk_task *t; (t = a->spare);) {
		a->spare = t->next;
		task_free(t);
	}
	pthread_mutex_destroy(&a->lock);
	pthread_cond_destroy(&a->work);
	pthread_cond_destroy(&a->done);
	free(a);
	w->ahead = NULL;
}

/* ---- taking: the walk's thread ---- */

/* Its entries have been taken: the walk goes on after them, in the folders that it was in. */
static int retire_task(struct walk *w, struct walk_task *t, struct err *err)
{
	struct walk_ahead *a = w->ahead;
	struct walk *s = &t->sub;
	struct frame *f = &w->stack[w->depth - 1];
	size_t done = t->stop - t->from;
	int r = 0;

	pthread_mutex_lock(&a->lock);
	f->tasks = t->next;
	names_seek(f->names, t->stop);
	if (w->unlike < s->unlike)
		w->unlike = s->unlike;
	if (t->stop < t->to)
		f->span = t->missing && !done ? 1 : done;
	else if (!s->depth && t->n_items < ITEMS / 2 && s->n_kept < FDS / 2 && f->span < SPAN_MAX)
		f->span *= 2;
	if (s->depth) {
		w->path.n = 0;
		r = buf_append(&w->path, s->path.p, s->stack[s->depth - 1].path_len, err) ||
		    buf_terminate(&w->path, err);
	}
	pthread_mutex_unlock(&a->lock);
	for (size_t i = 0; i < s->depth && !r; i++) {
		r = walk_push(w, &s->stack[i], err);
		for (size_t k = 0; k < s->n_kept && !r; k++)
			if (t->kept[k] == s->stack[i].fd)
				t->kept[k] = -1;
		if (!r) {
			s->stack[i].names = NULL;
			s->stack[i].missing = (struct buf)BUF_INIT(0);
		}
	}
	task_clear(t);
	pthread_mutex_lock(&a->lock);
	give_back(a, t);
	pthread_mutex_unlock(&a->lock);
	a->current = NULL;
	return r ? -1 : 0;
}

static bool too_old(const struct walk_task *t)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (now.tv_sec - t->begun.tv_sec) * SECOND_NS + now.tv_nsec - t->begun.tv_nsec > FRESH_NS;
}

/* Under the lock: makes the task at the walk's place the current one; meanwhile helps.  0; WALK_AHEAD_NONE.
 */
static int wait_for_task(struct walk *w)
{
	struct walk_ahead *a = w->ahead;

	for (;;) {
		struct frame *f = &w->stack[w->depth - 1];
		struct walk_task *t = f->tasks, *other;

		if (!t || t->from != names_position(f->names))
			return WALK_AHEAD_NONE;
		if (t->done && !too_old(t)) {
			a->current = t;
			return 0;
		}
		if (t->done) {
			f->tasks = t->next;
			task_clear(t);
			give_back(a, t);
			continue;
		}
		other = claim_task(a);
		if (other) {
			pthread_mutex_unlock(&a->lock);
			task_run(other);
			pthread_mutex_lock(&a->lock);
			other->done = true;
		} else {
			a->waiting = true;
			pthread_cond_wait(&a->done, &a->lock);
			a->waiting = false;
		}
	}
}

int walk_ahead_next(struct walk *w, struct walk_item *ret, struct err *err)
{
	struct walk_ahead *a = w->ahead;

	for (;;) {
		struct walk_task *t = a->current;

		if (t && t->at < t->n_items) {
			const struct ahead_item *i = &t->items[t->at++];

			*ret = (struct walk_item){.dirfd = i->dirfd,
			    .name = (const char *)t->paths.p + i->name,
			    .path = (const char *)t->paths.p + i->path,
			    .st = i->st,
			    .error = i->error,
			    .mount = i->mount};
			return 0;
		}
		if (t && retire_task(w, t, err))
			return -1;
		pthread_mutex_lock(&a->lock);
		if (wait_for_task(w))
			return WALK_AHEAD_NONE;
		pthread_mutex_unlock(&a->lock);
	}
}
