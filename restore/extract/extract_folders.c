/* extract_folders: the second pass: metadata of folders that could not get it before and the flags that stop
 * later changes; see extract.h.
 *
 * Why something waits: a folder that its owner may not enter would shut out what is made in it; an immutable
 * or append-only flag stops every later change. Folders that were there already, and folders that were made
 * only because something below them was wanted, get their metadata here as well.  Backwards over the catalog,
 * so that what is deep comes before the folder that holds it.  There are no writers any more.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "read/file/digestset.h"
#include "read/vault/catalog_r.h"
#include "restore/app/outcome.h"
#include "restore/app/progress.h"
#include "restore/extract/extract_meta.h"
#include "restore/extract/extract_private.h"
#include "restore/extract/plan.h"
#include "restore/extract/target.h"

static bool is_folder(const struct catalog_item *item)
{
	return !archive_entry_hardlink(item->entry) && archive_entry_filetype(item->entry) == AE_IFDIR;
}

/* Folders that were left to this pass or had to be made, and files with flags that stop changes. */
static int wants_entry(void *arg, const struct catalog_item *item)
{
	const struct extract *x = arg;
	unsigned long set, clear;

	if (is_folder(item))
		return (x->second.all && plan_match(x->source.plan, item->path)) ||
		       extract_remembered(x->second.late, item->path) ||
		       extract_remembered(x->second.made, item->path);
	archive_entry_fflags(item->entry, &set, &clear);
	return set & EXTRACT_CRITICAL_FLAGS && plan_match(x->source.plan, item->path) &&
	       !extract_remembered(x->links.absent, item->path);
}

/* 0, 1: not all of it could be set, or there is no folder (no err), -1: out of memory. */
static int set_metadata(struct extract *x, const struct catalog_item *item, int parent, const char *name,
    struct err *why, struct err *err)
{
	int how = O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
	struct extract_texts texts = {.blocks = NULL};
	IO_FD_AUTO fd = openat(parent, name, O_RDONLY | how);
	struct extract_meta m;
	int r;

	/* one that was there, and that its owner may not read */
	if (fd < 0 && errno == EACCES)
		fd = openat(parent, name, O_PATH | how);
	if (fd < 0) {
		if (errno != ENOTDIR && errno != ELOOP)
			err_sys(why, "E-RESTORE-08", errno, "%s", text("its folder cannot be entered"));
		return 1;
	}
	r = extract_meta_take(x, item->entry, true, &texts, &m, err);
	if (!r)
		r = extract_meta_set(x, fd, &m, true, why);
	extract_texts_reset(&texts);
	return r;
}

static int apply_entry(struct extract *x, const struct catalog_item *item, struct err *err)
{
	struct err why = ERR_INIT;
	unsigned long set, clear;
	const char *name;
	struct stat st;
	int fd, r;

	progress_add(x->progress, 0, item->path);
	/* not there: it was said in the first pass why */
	if (target_enter(x->target.cursor, item->path, NULL, NULL, &fd, &name, NULL) ||
	    fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	if (is_folder(item)) {
		r = set_metadata(x, item, fd, name, &why, err);
		if (r < 0)
			return -1;
		if (r && why.code[0])
			outcome_say(x->outcome, OUTCOME_ATTRIBUTES, item->path, &why);
		else if (r)
			return 0;
	}
	archive_entry_fflags(item->entry, &set, &clear);
	if (is_folder(item) || archive_entry_hardlink(item->entry) ||
	    archive_entry_filetype(item->entry) == AE_IFREG)
		extract_flags(
		    x, fd, name, item->path, set, clear, is_folder(item) ? ~0ul : EXTRACT_CRITICAL_FLAGS);
	return 0;
}

static int each_entry(void *arg, const struct catalog_item *item, struct err *err)
{
	struct extract *x = arg;

	/* a block that is lost was said in the first pass */
	return item ? apply_entry(x, item, err) : 0;
}

/* Folders made on the way that stand before a stretch: all of them are above its first entry.  Those that are
 * above the stretch before as well wait for that one. */
static int apply_above(struct extract *x, struct catalog_r *c, size_t i, struct err *err)
{
	struct buf path = BUF_INIT((size_t)1 << 20), before = BUF_INIT((size_t)1 << 20);
	struct catalog_item item;
	int r = catalog_r_first_path(c, x->source.stretches[i].first, &path, err);
	char *cut;

	if (!r && i)
		r = catalog_r_first_path(c, x->source.stretches[i - 1].first, &before, err);
	while (!r && (cut = strrchr((char *)path.p, '/'))) {
		*cut = '\0';
		if (i && path_within((char *)before.p, (char *)path.p))
			break;
		if (!extract_remembered(x->second.made, (char *)path.p))
			continue;
		if (!catalog_r_find(c, (char *)path.p, &item, NULL) && is_folder(&item))
			r = apply_entry(x, &item, err);
	}
	buf_free(&path);
	buf_free(&before);
	return r;
}

int extract_folders(struct extract *x, struct catalog_r *c, struct err *err)
{
	size_t i;

	if (!x->second.all && !x->second.flags && !digestset_count(x->second.late) &&
	    !digestset_count(x->second.made))
		return 0;
	for (i = x->source.n_stretches; i-- > 0;)
		if (catalog_r_backwards(c, x->source.stretches[i].first, x->source.stretches[i].last,
			wants_entry, each_entry, x, err))
			return -1;
	for (i = x->source.n_stretches; i-- > 0;)
		if (x->source.stretches[i].first && apply_above(x, c, i, err))
			return -1;
	return 0;
}
