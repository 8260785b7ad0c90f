/* parity_watch: see parity_watch.h.
 *
 * `lock` guards used, written and why; a struct watched belongs to the thread that reads its archive, or to the
 * one that this one waits for. */
#include "write/parity/parity_watch.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/parity/parity.h"
#include "read/store/store.h"
#include "read/verify/verify.h"
#include "write/parity/parity_make.h"
#include "write/put/store_w.h"

#define ROOM_KEPT ((uint64_t)256 << 10) /* bytes, for what is written last: documents and the journal */

struct parity_watch {
	struct verify_watch hook;
	const struct store *repo;
	unsigned percent;
	pthread_mutex_t lock;
	pthread_cond_t given_back;
	uint64_t used;
	uint64_t written;
	struct err why;
};

struct watched {
	struct parity_make *make;
	struct parity_shape shape;
	char path[PARITY_PATH];
};

static void take_room(struct parity_watch *w, uint64_t bytes)
{
	pthread_mutex_lock(&w->lock);
	while (w->used && w->used + bytes > PARITY_WATCH_BYTES)
		pthread_cond_wait(&w->given_back, &w->lock);
	w->used += bytes;
	pthread_mutex_unlock(&w->lock);
}

static void give_room_back(struct parity_watch *w, uint64_t bytes)
{
	pthread_mutex_lock(&w->lock);
	w->used -= bytes;
	pthread_cond_broadcast(&w->given_back);
	pthread_mutex_unlock(&w->lock);
}

/* "datasets/emr/archives/ab/ab12….age": the data set. */
static bool archive_of(const char *path, char dataset[GENERATION_NAME])
{
	const char *name = !strncmp(path, "datasets/", 9) ? path + 9 : NULL;
	const char *end = name ? strchr(name, '/') : NULL;

	if (!end || (size_t)(end - name) >= GENERATION_NAME || strncmp(end, "/archives/", 10) != 0)
		return false;
	snprintf(dataset, GENERATION_NAME, "%.*s", (int)(end - name), name);
	return true;
}

static void *begin_archive(void *arg, const char *path, const uint8_t sha256[DIGEST_LEN], uint64_t size)
{
	struct parity_watch *w = arg;
	char dataset[GENERATION_NAME];
	struct watched *f;

	if (size > PARITY_SIZE_MAX || !archive_of(path, dataset) || !(f = calloc(1, sizeof(*f))))
		return NULL;
	parity_shape_of(sha256, size, w->percent, &f->shape);
	parity_path(dataset, sha256, f->path);
	take_room(w, parity_file_bytes(&f->shape));
	f->make = parity_make_new(&f->shape);
	if (f->make)
		return f;
	give_room_back(w, parity_file_bytes(&f->shape));
	free(f);
	return NULL; /* another reading makes it */
}

static void take_bytes(void *file, const void *p, size_t n)
{
	parity_make_bytes(((struct watched *)file)->make, p, n);
}

static void end_archive(void *arg, void *file, const char *path, bool whole)
{
	struct parity_watch *w = arg;
	struct watched *f = file;
	const size_t n = (size_t)parity_file_bytes(&f->shape);
	const void *p = whole ? parity_make_file(f->make) : NULL;
	struct store_space space;
	struct err why = ERR_INIT;
	bool wrote;
	int r = 0;

	(void)path;
	wrote = p && !store_w_holds(w->repo, f->path, 0444, p, n);
	if (wrote && store_space(w->repo, &space) && space.free < n + ROOM_KEPT)
		r = err_sys(&why, "E-PUBLISH-02", ENOSPC, "%s", text("cannot write to the medium"));
	else if (wrote)
		r = store_w_replace(w->repo, f->path, 0444, p, n, &why);
	parity_make_free(f->make);
	free(f);
	give_room_back(w, n);
	pthread_mutex_lock(&w->lock);
	w->written += wrote && !r;
	if (r && !w->why.code[0])
		w->why = why;
	pthread_mutex_unlock(&w->lock);
}

struct parity_watch *parity_watch_new(const struct store *repo, unsigned percent)
{
	struct parity_watch *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->repo = repo;
	w->percent = percent;
	w->hook = (struct verify_watch){begin_archive, take_bytes, end_archive, w};
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->given_back, NULL);
	return w;
}

void parity_watch_free(struct parity_watch *w)
{
	if (!w)
		return;
	pthread_cond_destroy(&w->given_back);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

const struct verify_watch *parity_watch_hook(const struct parity_watch *w)
{
	return w && w->percent ? &w->hook : NULL;
}

void parity_watch_say(const struct err *why, const char *medium, struct err *ret)
{
	struct err said = ERR_INIT;

	err_set(&said, "W-PARITY-01", text("parity could not be written on '%s': %s"), medium, why->msg);
	err_hint(&said, "%s",
	    text("the copies are whole; what goes bad there before this is mended needs another medium ('bkp "
		 "repair')"));
	*ret = said;
}

uint64_t parity_watch_written(const struct parity_watch *w, const struct err **ret_why)
{
	if (ret_why)
		*ret_why = &w->why;
	return w->written;
}
