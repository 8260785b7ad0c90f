/* extract_settle: lots that are written, gone through in catalog order; see extract_private.h.
 *
 * All of this is the main thread's.  Lots are given oldest first and settled oldest first, so catalog order
 * holds across lots.  A folder is ready for its metadata when the entry that was looked at last is no longer
 * within it; until then it stands in x->open, each within the one before, and from there the deepest is
 * finished first.  A folder that cannot get its metadata now is left to the second pass (extract_late), where
 * it is also said.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "restore/app/progress.h"
#include "restore/extract/extract_lot.h"
#include "restore/extract/extract_private.h"
#include "restore/extract/extract_writers.h"
#include "restore/extract/target.h"

#define OPEN_MAX_BYTES ((size_t)8 << 20) /* paths and attributes of folders that are still open */
#define ASK_EVERY_MS   200

/* ---- folders that nothing comes into any more ---- */

/* What cannot be set here is set again by the second pass, and said there. */
static int set_folder(struct extract *x, const struct extract_item *it, struct err *err)
{
	IO_FD_AUTO fd = -1;
	const char *name;
	int parent;

	if (!target_enter(x->target.link_cursor, it->path, NULL, NULL, &parent, &name, NULL))
		fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0 && !extract_meta_set(x, fd, &it->meta, x->target.foreign, NULL))
		return 0;
	return extract_late(x, it->path, err);
}

static void forget_last(struct extract *x)
{
	struct extract_item *it = &x->open.folders[--x->open.n];

	x->open.bytes -= strlen(it->path) + it->meta.attrs_len;
	free((char *)(uintptr_t)it->path);
	free((uint8_t *)(uintptr_t)it->meta.attrs);
}

void extract_forget_folders(struct extract *x)
{
	while (x->open.n)
		forget_last(x);
	free(x->open.folders);
	x->open.folders = NULL;
}

static int keep_open(struct extract *x, const struct extract_item *it, struct err *err)
{
	struct extract_item copy = *it, *more = reallocarray(x->open.folders, x->open.n + 1, sizeof(*more));
	size_t n = strlen(it->path) + it->meta.attrs_len;

	if (!more)
		return err_nomem(err);
	x->open.folders = more;
	if (x->open.bytes + n > OPEN_MAX_BYTES)
		return extract_late(x, it->path, err);
	copy.path = strdup(it->path);
	copy.meta.attrs = NULL;
	if (it->meta.attrs_len && copy.path) {
		uint8_t *attrs = malloc(it->meta.attrs_len);

		if (attrs)
			copy.meta.attrs = memcpy(attrs, it->meta.attrs, it->meta.attrs_len);
	}
	if (!copy.path || (it->meta.attrs_len && !copy.meta.attrs)) {
		free((char *)(uintptr_t)copy.path);
		return err_nomem(err);
	}
	x->open.folders[x->open.n++] = copy;
	x->open.bytes += n;
	return 0;
}

/* `last`: the entry that was looked at last; NULL: nothing more comes. */
static int close_open(struct extract *x, const char *last, struct err *err)
{
	while (x->open.n && !(last && path_within(last, x->open.folders[x->open.n - 1].path))) {
		if (set_folder(x, &x->open.folders[x->open.n - 1], err))
			return -1;
		forget_last(x);
	}
	return 0;
}

int extract_close_folders(struct extract *x, struct err *err)
{
	return close_open(x, NULL, err);
}

static int settle_folders(struct extract *x, const struct extract_lot *l, struct err *err)
{
	size_t i;

	if (close_open(x, l->last, err))
		return -1;
	for (i = 0; i < l->n; i++) {
		const struct extract_item *it = &l->items[i];

		if (it->kind != ITEM_FOLDER)
			continue;
		if (path_within(l->last, it->path) ? keep_open(x, it, err) : set_folder(x, it, err))
			return -1;
	}
	return 0;
}

/* ---- lots ---- */

static int settle_item(struct extract *x, struct extract_item *it, struct err *err)
{
	switch (it->kind) {
	case ITEM_FILE:
		return extract_file_result(x, it, err);
	case ITEM_LINK:
		return atomic_load(&x->ending) ? 0 : extract_link(x, it, err);
	case ITEM_SAY:
		outcome_say(x->outcome, it->say, it->path, it->why);
		return 0;
	default:
		return 0;
	}
}

/* Goes on to the end of the lot after a fault that ends the run: what was done is counted and said. */
static int settle_lot(struct extract *x, struct extract_lot *l, struct err *err)
{
	struct err why = ERR_INIT;
	size_t i;
	int r = 0;

	x->lots.settling = true;
	for (i = 0; i < l->n; i++) {
		struct extract_item *it = &l->items[i];

		if (settle_item(x, it, r ? NULL : &why)) {
			r = -1;
			atomic_store(&x->ending, true);
		}
		if (it->path)
			progress_add(x->progress, atomic_exchange(&x->done, 0), it->path);
	}
	if (!r && !atomic_load(&x->ending))
		r = settle_folders(x, l, &why);
	x->lots.settling = false;
	if (r && err)
		*err = why;
	return r;
}

/* Waits for the oldest lot, and settles it. */
static int take_back(struct extract *x, struct err *err)
{
	struct extract_lot *l = x->lots.given[0];
	struct err why = ERR_INIT;
	int r = 0;
	size_t i;

	while (!extract_writers_wait(x->lots.writers, l, ASK_EVERY_MS)) {
		progress_add(x->progress, atomic_exchange(&x->done, 0),
		    x->last.path.n ? (char *)x->last.path.p : NULL);
		if (!r && extract_stopped(x, &why)) {
			atomic_store(&x->ending, true);
			r = -1;
		}
	}
	for (i = 1; i < x->lots.n_given; i++)
		x->lots.given[i - 1] = x->lots.given[i];
	x->lots.n_given--;
	if (settle_lot(x, l, r ? NULL : &why))
		r = -1;
	extract_lot_reset(l);
	if (x->lots.building)
		extract_lot_free(l);
	else
		x->lots.building = l;
	if (r && err)
		*err = why;
	return r;
}

int extract_flush(struct extract *x, struct err *err)
{
	struct extract_lot *l = x->lots.building;

	if (!l->n)
		return 0;
	if (extract_lot_close(l, x->last.path.n ? (char *)x->last.path.p : "", err))
		return -1;
	x->lots.building = NULL;
	x->lots.items = x->lots.items * 2 < LOT_ITEMS ? x->lots.items * 2 : LOT_ITEMS;
	if (x->lots.n_given == EXTRACT_LOTS && take_back(x, err)) {
		extract_lot_free(x->lots.building); /* the one that was taken back */
		x->lots.building = l;		    /* nobody has begun with it */
		return -1;
	}
	assert(x->lots.n_given < EXTRACT_LOTS);
	x->lots.given[x->lots.n_given++] = l;
	extract_writers_give(x->lots.writers, l);
	if (!x->lots.building)
		x->lots.building = extract_lot_new();
	return x->lots.building ? 0 : err_nomem(err);
}

int extract_drain(struct extract *x, struct err *err)
{
	struct err why = ERR_INIT;
	int r = 0, attempt;

	/* what a lot has to say is said also when the run ends: then the last one may need a second attempt
	 */
	for (attempt = 0; attempt < 2; attempt++) {
		if (x->lots.building && extract_flush(x, r ? NULL : &why))
			r = -1;
		while (x->lots.n_given)
			if (take_back(x, r ? NULL : &why))
				r = -1;
	}
	if (!r && atomic_load(&x->ending))
		r = err_nomem(&why);
	if (r && err)
		*err = why;
	return r;
}
