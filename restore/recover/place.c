/* place: see place.h. */
#include "restore/recover/place.h"

#include <errno.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "read/vault/vault_r.h"
#include "restore/app/app.h"
#include "restore/app/progress.h"
#include "restore/app/within.h"
#include "restore/drill/drill.h"
#include "restore/extract/scratch.h"
#include "restore/drill/variables.h"
#include "restore/recover/recovery.h"

#define SHOW 300

/* ---- the folder of --to ---- */

static int is_there(void *arg, const char *name, struct err *err)
{
	(void)err;
	return !arg || strcmp(name, arg) != 0;
}

/* Is that folder empty but for one of the name `but` (or NULL)? */
static bool is_bare(int parent, const char *name, const char *but)
{
	IO_FD_AUTO fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT;
	return !io_each_name(fd, is_there, (void *)(uintptr_t)but, NULL) && (!but || is_bare(fd, but, NULL));
}

/* What a recovery leaves that died before its first state was there counts as nothing. */
static int is_foreign(void *arg, const char *name, struct err *err)
{
	(void)err;
	return strcmp(name, "." PLACE_STATE ".tmp") != 0 &&
	       (strcmp(name, PLACE_DATA) != 0 || !is_bare(*(const int *)arg, name, SCRATCH_TMP));
}

static int refuse_full(const char *to, struct err *err)
{
	char shown[SHOW];

	err_set(err, "E-RECOVER-01", text("'%s' is not empty: a recovery overwrites nothing"),
	    path_show(to, shown, sizeof(shown)));
	return err_hint(err, "%s",
	    text("name a folder that does not exist yet; what was damaged is moved aside as it is: it is "
		 "evidence"));
}

/* 1: something is in it.  A folder that is missing is empty. */
static int is_full(const char *to, bool ours, struct err *err)
{
	IO_FD_AUTO fd = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char shown[SHOW];
	struct stat st;

	if (fd < 0 && errno == ENOENT)
		return 0;
	if (fd < 0)
		return err_sys(
		    err, "E-TARGET-01", errno, text("cannot open '%s'"), path_show(to, shown, sizeof(shown)));
	if (ours && !fstatat(fd, PLACE_STATE, &st, AT_SYMLINK_NOFOLLOW))
		return 2;
	return io_each_name(fd, is_foreign, &fd, err);
}

int place_open(const struct app *app, struct scratch **ret, bool *ret_begun, struct err *err)
{
	int r = within_refuse_media(app, app->to, err) ? -1 : is_full(app->to, true, err);
	char shown[SHOW];

	if (r < 0)
		return -1;
	if (r == 1)
		return refuse_full(app->to, err);
	*ret_begun = r == 2;
	if (scratch_open(app->to, PLACE_DATA, ret, err))
		return -1;
	r = io_lock(scratch_dirfd(*ret), err);
	if (r == IO_BUSY) {
		err_set(err, "E-RECOVER-02", text("a recovery is at work in '%s'"),
		    path_show(app->to, shown, sizeof(shown)));
		err_hint(err, "%s", text("find who began it, and wait for its end"));
	}
	if (r) {
		scratch_free(*ret); /* it is not ours to take away */
		*ret = NULL;
	}
	return r ? -1 : 0;
}

/* ---- what else may be wrong ---- */

static int check_apart(const struct drill *d, struct err *err)
{
	for (size_t i = 0; i < d->n; i++)
		for (size_t k = 0; k < i; k++) {
			const struct drill_step *a = &d->step[k], *b = &d->step[i];

			if (a->is->kind != PROCEDURE_RESTORE || b->is->kind != PROCEDURE_RESTORE ||
			    (!path_within(a->to, b->to) && !path_within(b->to, a->to)))
				continue;
			err_set(err, "E-RECOVER-08",
			    text("%s:%u: this step restores into the folder of line %u"), d->file,
			    b->is->line, a->is->line);
			return err_hint(err, "%s",
			    text("give each its own with 'to:': in a recovery what is done again is erased "
				 "first"));
		}
	return 0;
}

static bool holds_all(struct vault_r *v, const struct drill *d)
{
	for (size_t i = 0; i < d->n_generations; i++) {
		struct vault_r_generation *g;
		uint64_t faults = 0;

		if (vault_r_generation_open(v, d->generation[i].dataset, d->generation[i].number, &g, NULL))
			return false;
		if (vault_r_presence(v, g, NULL, NULL, &faults, NULL))
			faults = 1;
		vault_r_generation_close(g);
		if (faults)
			return false;
	}
	return true;
}

/* A disk that is written full, or dies of it, must not be the one with the last copy. */
static int check_only_copy(const struct recovery *r, const char *to, struct err *err)
{
	const struct app *app = r->s.app;
	IO_FD_AUTO target = within_nearest(to);
	const char *shares = NULL;
	char shown[SHOW], medium[SHOW];
	struct stat there, st;

	if (target < 0 || fstat(target, &there))
		return err_sys(
		    err, "E-TARGET-01", errno, text("cannot open '%s'"), path_show(to, shown, sizeof(shown)));
	for (size_t i = 0; i < app->n_media; i++) {
		IO_FD_AUTO fd = app_medium_folder(app, i);

		if (fd < 0 || fstat(fd, &st))
			continue;
		if (st.st_dev == there.st_dev)
			shares = app->media[i];
		else if (app->vaults[i] && holds_all(app->vaults[i], r->s.d))
			return 0;
	}
	if (!shares)
		return 0;
	err_set(err, "E-RECOVER-03", text("'%s' lies on the same file system as '%s', the only copy at hand"),
	    path_show(to, shown, sizeof(shown)), path_show(shares, medium, sizeof(medium)));
	return err_hint(err, "%s",
	    text("name a folder on another disk; or attach another copy, too, and give it with --medium"));
}

/* How much the steps are going to bring back; of parts of a data set it is not known. */
static uint64_t bytes_of(const struct recovery *r)
{
	const struct drill *d = r->s.d;
	uint64_t sum = 0;

	for (size_t i = 0; i < d->n; i++)
		if (d->step[i].is->kind == PROCEDURE_RESTORE && !d->step[i].n_paths)
			sum += r->s.generation[d->step[i].from - d->generation].root->dataset.bytes;
	return sum;
}

static int check_room(const struct recovery *r, const char *to, uint64_t bytes, struct err *err)
{
	char shown[SHOW], needs[PROGRESS_SIZE_TEXT], has[PROGRESS_SIZE_TEXT];
	IO_FD_AUTO fd = within_nearest(to);
	uint64_t need = bytes + bytes / 20, room;
	struct statvfs vfs;

	(void)r;
	if (fd < 0 || fstatvfs(fd, &vfs))
		return err_sys(
		    err, "E-TARGET-01", errno, text("cannot open '%s'"), path_show(to, shown, sizeof(shown)));
	room = (uint64_t)vfs.f_bavail * vfs.f_frsize;
	if (room >= need)
		return 0;
	err_set(err, "E-RECOVER-04", text("'%s' has room for %s, %s are needed"),
	    path_show(to, shown, sizeof(shown)), progress_size(room, has), progress_size(need, needs));
	return err_hint(err, "%s", text("name a folder on a larger disk"));
}

static int check_target(struct recovery *r, struct err *err)
{
	const struct procedure *p = r->s.procedure;
	const char *target = r->s.d->target;
	int full;

	if (within_refuse_media(r->s.app, target, err) || check_only_copy(r, target, err))
		goto named;
	if (r->resumed)
		return 0;
	full = is_full(target, false, err);
	if (full > 0)
		refuse_full(target, err);
	if (full || check_room(r, target, bytes_of(r), err))
		goto named;
	return 0;
named:
	return err_wrap(err, "%s:%u", r->s.d->file, procedure_find_variable(p, p->target)->mark.line);
}

int place_check(struct recovery *r, struct err *err)
{
	const char *to = r->s.d->folder;

	if (check_apart(r->s.d, err) || check_only_copy(r, to, err) ||
	    (!r->resumed && check_room(r, to, bytes_of(r), err)))
		return -1;
	return r->s.procedure->target ? check_target(r, err) : 0;
}
