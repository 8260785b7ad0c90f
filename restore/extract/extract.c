/* extract: see extract.h.  This file: the passes; extract_*.c: the work (extract_private.h).
 *
 * First pass, forwards (make_all): everything is made; metadata of a folder is set when nothing comes into it
 * any more.  Second pass, backwards (extract_folders): what had to wait.  Both go over the same stretches of
 * blocks.
 *
 * Messages keep the catalog's order: while lots wait, what there is to say becomes an item of the lot that is
 * being filled (extract_say), and is said when that is settled.
 *
 * The end: whatever ends the run (target full, stop, memory) sets `ending`; writers leave off, and
 * extract_drain() settles what was given, so that what was done is counted and said.
 */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <search.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/xattr.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "read/file/digestset.h"
#include "read/vault/arc_r.h"
#include "read/vault/catalog_r.h"
#include "restore/app/outcome.h"
#include "restore/app/progress.h"
#include "restore/extract/extract_file.h"
#include "restore/extract/extract_lot.h"
#include "restore/extract/extract_private.h"
#include "restore/extract/extract_writers.h"
#include "restore/extract/owners.h"
#include "restore/extract/plan.h"
#include "restore/extract/target.h"
#include "restore/extract/winnames.h"

#define REMEMBERED_MAX ((size_t)2 << 20) /* paths of each kind: 80 to 160 MiB at the very most */
#define PATH_CAP       ((size_t)4 << 20)
#define LOT_FIRST      512		  /* items of the first lot: writers should not wait long for it */
#define COPIES_MAX     ((size_t)64 << 20) /* bytes of paths */

/* A first name of hard links that was not selected, and where the first copy went. */
struct link_copy {
	uint8_t first[DIGEST_LEN];
	char path[];
};

bool extract_ends(const struct err *why)
{
	return why->kind == ERR_FATAL || why->kind == ERR_STOPPED || why->kind == ERR_MEMORY;
}

int extract_say(
    struct extract *x, enum outcome_kind kind, const char *path, const struct err *why, struct err *err)
{
	if (!x->lots.settling && x->lots.building && (x->lots.n_given || x->lots.building->n))
		return extract_lot_say(x->lots.building, kind, path, why, err);
	outcome_say(x->outcome, kind, path, why);
	return 0;
}

int extract_fault(
    struct extract *x, enum outcome_kind kind, const char *path, const struct err *why, struct err *err)
{
	if (extract_ends(why)) {
		if (err)
			*err = *why;
		return -1;
	}
	return extract_say(x, kind, path, why, err) ? -1 : extract_remember(x->links.absent, path, err);
}

int extract_say_flags(struct extract *x, const char *path, unsigned flags, struct err *err)
{
	struct err why = ERR_INIT;

	if (flags & CATALOG_CHANGED) {
		err_set(&why, "E-RESTORE-04", "%s",
		    text("changed while it was captured, its content may be a mixture"));
		if (extract_say(x, OUTCOME_CHANGED, path, &why, err))
			return -1;
	}
	if (!(flags & CATALOG_INCOMPLETE))
		return 0;
	err_set(&why, "E-RESTORE-05", "%s", text("some of its attributes could not be captured"));
	return extract_say(x, OUTCOME_INCOMPLETE, path, &why, err);
}

int extract_stopped(struct extract *x, struct err *err)
{
	if (!x->opt.stop || !x->opt.stop(x->opt.stop_arg))
		return 0;
	return err_set_kind(err, ERR_STOPPED, "E-RESTORE-15", "%s", text("interrupted"));
}

int extract_late(struct extract *x, const char *path, struct err *err)
{
	uint8_t key[DIGEST_LEN];
	int r;

	digestset_key_of(path, strlen(path), key);
	r = digestset_put(x->second.late, key, 1, err);
	if (r == DIGESTSET_FULL)
		x->second.all = true;
	return r < 0 ? -1 : 0;
}

int extract_remember(struct digestset *set, const char *path, struct err *err)
{
	uint8_t key[DIGEST_LEN];
	int r;

	digestset_key_of(path, strlen(path), key);
	r = digestset_put(set, key, 1, err);
	return r == DIGESTSET_FULL
		   ? err_set(err, "E-MEM-01", "%s", text("too many entries could not be restored: giving up"))
		   : r;
}

bool extract_remembered(const struct digestset *set, const char *path)
{
	uint8_t key[DIGEST_LEN];

	if (!digestset_count(set))
		return false;
	digestset_key_of(path, strlen(path), key);
	return digestset_get(set, key) != 0;
}

static int by_first(const void *a, const void *b)
{
	return memcmp(((const struct link_copy *)a)->first, ((const struct link_copy *)b)->first, DIGEST_LEN);
}

const char *extract_copy_of(const struct extract *x, const char *first)
{
	struct link_copy key, *const *found;

	digestset_key_of(first, strlen(first), key.first);
	found = tfind(&key, &x->links.copies, by_first);
	return found ? (*found)->path : NULL;
}

int extract_copied(struct extract *x, const char *first, const char *path, struct err *err)
{
	size_t n = strlen(path) + 1;
	struct link_copy *c;

	/* beyond the bound each further link is a copy of its own */
	if (plan_match(x->source.plan, first) || extract_copy_of(x, first))
		return 0;
	if (x->links.bytes + n > COPIES_MAX) {
		x->links.full = true;
		return 0;
	}
	c = malloc(sizeof(*c) + n);
	if (!c)
		return err_nomem(err);
	digestset_key_of(first, strlen(first), c->first);
	memcpy(c->path, path, n);
	if (!tsearch(c, &x->links.copies, by_first)) {
		free(c);
		return err_nomem(err);
	}
	x->links.bytes += n + sizeof(*c);
	return 0;
}

/* Stops the writers and frees what belongs to one data set. */
static void forget_dataset(struct extract *x)
{
	extract_writers_stop(x->lots.writers);
	extract_writer_close(&x->lots.writer);
	for (size_t i = 0; i < x->lots.n_given; i++)
		extract_lot_free(x->lots.given[i]);
	extract_lot_free(x->lots.building);
	extract_forget_folders(x);
	buf_free(&x->last.path);
	buf_free(&x->last.folder);
	target_cursor_free(x->target.cursor);
	target_cursor_free(x->target.link_cursor);
	winnames_free(x->target.names);
	buf_free(&x->target.listed);
	digestset_free(x->second.made);
	digestset_free(x->second.late);
	digestset_free(x->links.absent);
	tdestroy(x->links.copies, free);
	free(x->source.stretches);
	memset(&x->source, 0, sizeof(*x) - offsetof(struct extract, source));
}

/* Is anything in the target already, or does it give ACLs to what is made in it? */
static bool is_foreign(int targetfd)
{
	int fd = openat(targetfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	size_t names = 0;

	if (!d) {
		io_close_quietly(&fd);
		return true;
	}
	while (names < 3 && readdir(d))
		names++;
	closedir(d);
	return names > 2 || fgetxattr(targetfd, "system.posix_acl_default", NULL, 0) > 0;
}

static int prepare_dataset(struct extract *x, int targetfd, struct err *err)
{
	unsigned n = x->opt.threads ? x->opt.threads : extract_writers_processors();

	x->target.fd = targetfd;
	x->target.foreign = is_foreign(targetfd);
	x->lots.items = LOT_FIRST;
	atomic_store(&x->ending, false);
	atomic_store(&x->done, 0);
	buf_init(&x->last.path, PATH_CAP);
	buf_init(&x->last.folder, PATH_CAP);
	x->target.cursor = target_cursor_new(targetfd);
	x->target.link_cursor = target_cursor_new(targetfd);
	x->second.made = digestset_new(REMEMBERED_MAX);
	x->links.absent = digestset_new(REMEMBERED_MAX);
	x->second.late = digestset_new(REMEMBERED_MAX);
	x->lots.building = extract_lot_new();
	if (!x->target.cursor || !x->target.link_cursor || !x->second.made || !x->links.absent ||
	    !x->second.late || !x->lots.building)
		return err_nomem(err);
	target_cursor_names(x->target.cursor, x->target.names);
	target_cursor_names(x->target.link_cursor, x->target.names);
	if (extract_writer_open(&x->lots.writer, x, 0, err) ||
	    extract_writers_start(x, n, &x->lots.writers, err))
		return -1;
	arc_r_helpers(x->source.arc, n > 1 ? n - 1 : 1);
	return 0;
}

int extract_new(const struct extract_options *opt, struct outcome *outcome, struct progress *progress,
    struct extract **ret, struct err *err)
{
	struct extract *x = calloc(1, sizeof(*x));
	uint64_t token;

	if (!x)
		return err_nomem(err);
	x->opt = *opt;
	x->outcome = outcome;
	x->progress = progress;
	if (opt->same_owner && owners_new(opt->numeric_owner, opt->owner_map, &x->owners, err)) {
		free(x);
		return -1;
	}
	if (getrandom(&token, sizeof(token), 0) != sizeof(token))
		token = (uint64_t)(uintptr_t)x;
	snprintf(x->temporary, sizeof(x->temporary), ".bkp-restore-%016" PRIx64 "-", token);
	*ret = x;
	return 0;
}

void extract_free(struct extract *x)
{
	if (!x)
		return;
	forget_dataset(x);
	owners_free(x->owners);
	free(x);
}

static int say_lost(struct extract *x, struct catalog_r *c, struct err *why, struct err *err)
{
	struct buf first = BUF_INIT((size_t)1 << 20);
	char shown[400];

	if (!catalog_r_first_path(c, catalog_r_at(c), &first, NULL))
		err_wrap(why, text("entries from '%s' on are lost"),
		    path_show((char *)first.p, shown, sizeof(shown)));
	buf_free(&first);
	return extract_say(x, OUTCOME_LOST, NULL, why, err);
}

/* The entries from this block on are looked at, until blocks are passed over. */
static int begin_stretch(struct extract *x, struct catalog_r *c, size_t block, struct err *err)
{
	struct extract_stretch *more =
	    reallocarray(x->source.stretches, x->source.n_stretches + 1, sizeof(*more));

	if (!more)
		return err_nomem(err);
	x->source.stretches = more;
	x->source.stretches[x->source.n_stretches++] = (struct extract_stretch){block, block};
	catalog_r_seek(c, block);
	return 0;
}

/* An entry that was not selected: passes over the blocks that can hold nothing that is. */
static int pass_over(struct extract *x, struct catalog_r *c, const char *path, struct err *err)
{
	const char *next = plan_next(x->source.plan, path);
	size_t block = next ? catalog_r_block_of(c, next) : 0;

	return block > catalog_r_at(c) + 1 ? begin_stretch(x, c, block, err) : 0;
}

/* --since: a folder is made when something comes into it. */
static bool is_older(const struct extract *x, const struct catalog_item *item)
{
	if (!x->opt.since)
		return false;
	return archive_entry_filetype(item->entry) == AE_IFDIR ||
	       archive_entry_mtime(item->entry) < x->opt.since_s;
}

static int told(void *arg, const char *from, const char *to, struct err *err)
{
	struct extract *x = arg;

	outcome_count(x->outcome, OUTCOME_RENAMED);
	return x->opt.renamed(x->opt.renamed_arg, x->source.dataset, from, to, err);
}

static int tell_names(struct extract *x, const char *path, struct err *err)
{
	struct buf *last = &x->target.listed;

	if (!x->target.names)
		return 0;
	if (winnames_each(x->target.names, last->n ? (char *)last->p : "", path, told, x, err))
		return -1;
	last->n = 0;
	return buf_puts(last, path, err) || buf_terminate(last, err) ? -1 : 0;
}

static int take_selected(struct extract *x, const struct catalog_item *item, struct err *err)
{
	if (is_older(x, item)) {
		if (archive_entry_filetype(item->entry) != AE_IFDIR)
			outcome_count(x->outcome, OUTCOME_OLDER);
		return 0;
	}
	if (tell_names(x, item->path, err))
		return -1;
	if (!x->opt.would)
		return extract_entry(x, item, err);
	x->opt.would(x->opt.would_arg, item);
	return extract_stopped(x, err);
}

static int walk_forwards(struct extract *x, struct catalog_r *c, struct err *err)
{
	size_t asked = SIZE_MAX; /* the block in which it was last asked whether to go on elsewhere */
	struct catalog_item item;
	struct err why = ERR_INIT;
	int r;

	if (begin_stretch(x, c,
		plan_first(x->source.plan) ? catalog_r_block_of(c, plan_first(x->source.plan)) : 0, err))
		return -1;
	while ((r = catalog_r_next(c, &item, &why)) != CATALOG_END) {
		x->source.stretches[x->source.n_stretches - 1].last = catalog_r_at(c);
		if (r == CATALOG_R_LOST) {
			if (say_lost(x, c, &why, err))
				return -1;
			continue;
		}
		if (r < 0) {
			if (err)
				*err = why;
			return -1;
		}
		if (plan_beyond(x->source.plan, item.path))
			break;
		if (plan_select(x->source.plan, item.path)) {
			asked = SIZE_MAX;
			if (take_selected(x, &item, err))
				return -1;
		} else if (asked != catalog_r_at(c)) {
			asked = catalog_r_at(c);
			if (pass_over(x, c, item.path, err))
				return -1;
		}
	}
	return 0;
}

/* The first pass, and all that it gave to writers: when it returns there are no threads. */
static int make_all(struct extract *x, struct catalog_r *c, struct err *err)
{
	int r = walk_forwards(x, c, err);

	if (r)
		atomic_store(&x->ending, true);
	if (extract_drain(x, r ? NULL : err))
		r = -1;
	if (!r)
		r = extract_close_folders(x, err);
	extract_writers_stop(x->lots.writers);
	x->lots.writers = NULL;
	arc_r_alone(x->source.arc);
	return r;
}

static void say_unmatched(struct extract *x, const struct generation_dataset *ds)
{
	struct err why = ERR_INIT;
	const char *pattern;
	size_t i = 0;

	while ((pattern = plan_unmatched(x->source.plan, &i))) {
		err_set(&why, "E-RESTORE-11", text("nothing is called so in data set '%s'"), ds->name);
		err_hint(&why, "%s", text("'bkp-restore list' shows what there is, as it has to be typed"));
		outcome_say(x->outcome, OUTCOME_LOST, pattern, &why);
	}
}

static void say_stranger(struct extract *x, const struct owners_stranger *s)
{
	bool user = s->kind == OWNERS_USER;
	struct err why = ERR_INIT;
	char holder[120];

	if (s->holder) {
		path_show(s->holder, holder, sizeof(holder));
		err_set(&why, "W-RESTORE-22",
		    user ? text("no user of that name is here: number %u owns it, which is '%s' here")
			 : text("no group of that name is here: number %u owns it, which is '%s' here"),
		    s->id, holder);
	} else {
		err_set(&why, "W-RESTORE-21",
		    user ? text("no user of that name is here: number %u owns it")
			 : text("no group of that name is here: number %u owns it"),
		    s->id);
	}
	err_hint(&why, "%s", text("make it here, or name another with --owner-map, and restore again"));
	outcome_say(x->outcome, s->holder ? OUTCOME_TAKEN : OUTCOME_STRANGER, s->name, &why);
}

/* Whose names are not here: what was theirs belongs to a number, and perhaps to somebody else. */
static void say_strangers(struct extract *x)
{
	const struct owners_stranger *s;
	size_t n = x->owners ? owners_strangers(x->owners, &s) : 0;

	while (x->strangers < n)
		say_stranger(x, &s[x->strangers++]);
}

/* Of the whole catalog: what is lost of it is said when it is restored. */
static int read_names(struct extract *x, struct catalog_r *c, struct err *err)
{
	struct catalog_item item;
	int r;

	buf_init(&x->target.listed, PATH_CAP);
	x->target.names = winnames_new();
	if (!x->target.names)
		return err_nomem(err);
	catalog_r_seek(c, 0);
	while ((r = catalog_r_next(c, &item, err)) != CATALOG_END) {
		if (r == CATALOG_R_LOST)
			continue;
		if (r || winnames_add(x->target.names, item.path, err) || extract_stopped(x, err))
			return -1;
	}
	return 0;
}

int extract_dataset(struct extract *x, struct arc_r *arc, const struct generation_dataset *ds,
    struct plan *plan, int targetfd, struct err *err)
{
	struct catalog_r *c = NULL;
	struct err why = ERR_INIT;
	int r;

	if (catalog_r_open(arc, ds, &c, &why)) {
		outcome_say(x->outcome, OUTCOME_LOST, NULL, &why);
		return 0;
	}
	forget_dataset(x);
	x->source.arc = arc;
	x->source.plan = plan;
	x->source.dataset = ds->name;
	r = x->opt.renamed ? read_names(x, c, err) : 0;
	if (!r)
		r = prepare_dataset(x, targetfd, err);
	if (!r && catalog_r_blocks(c)) {
		r = make_all(x, c, err);
		if (!r)
			r = extract_folders(x, c, err);
	}
	say_strangers(x);
	if (!r)
		say_unmatched(x, ds);
	arc_r_alone(arc);
	catalog_r_close(c);
	return r;
}
