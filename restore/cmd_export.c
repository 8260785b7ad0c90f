/* bkp-restore export SELECTOR: a pax archive to standard output.
 *
 * What cannot be read back is named and left out.  A large file whose damage shows only after its header is
 * in the stream ends the export: an archive cannot take a header back, and nothing is ever filled with zeros.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "format/medium/generation.h"
#include "format/medium/pax.h"
#include "read/file/digestset.h"
#include "read/vault/catalog_r.h"
#include "read/vault/extent_r.h"
#include "restore/app/app.h"
#include "restore/app/interrupt.h"
#include "restore/app/outcome.h"
#include "restore/app/progress.h"
#include "restore/app/selection.h"

/* Files up to this size are read before their header is written.  They stay in arc_r's cache, which has room
 * for what else lies in their chunks and for what was decoded before. */
#define TRY_FIRST  ((uint64_t)32 << 20)
#define CACHE	   ((size_t)64 << 20)
#define ABSENT_MAX ((size_t)2 << 20)
#define HEAD_MAX   ((size_t)4 << 20)

struct exporter {
	struct arc_r *arc;
	struct buf head, records; /* of the current entry; scratch */
	struct pax_attr *attrs;	  /* room for attrs_cap */
	size_t attrs_cap;
	struct outcome outcome;
	struct progress progress;
	struct digestset *absent; /* paths that were left out: nothing may link to them */
};

/* p NULL: zeros. */
static int put_out(const void *p, uint64_t n, struct err *err)
{
	static const char zeros[65536];

	while (n) {
		size_t part = p ? (size_t)n : n < sizeof(zeros) ? (size_t)n : sizeof(zeros);

		if (io_write_full(STDOUT_FILENO, p ? p : zeros, part))
			return err_sys(err, "E-IO-03", errno, "%s", text("cannot write to standard output"));
		n -= part;
	}
	return 0;
}

static int try_part(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	(void)arg;
	(void)at;
	(void)p;
	(void)n;
	(void)err;
	return 0;
}

static int write_part(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	struct exporter *e = arg;

	(void)at;
	progress_add(&e->progress, n, NULL);
	return put_out(p, n, err);
}

/* Its headers, as in a catalog: there the mode of a file with an ACL is what it allows (pax_mode()). */
static int put_head(struct exporter *e, const struct catalog_item *item, uint64_t size, struct err *err)
{
	const size_t room = (size_t)archive_entry_xattr_reset(item->entry);
	struct pax_attr *more = room > e->attrs_cap ? reallocarray(e->attrs, room, sizeof(*more)) : e->attrs;
	size_t n = 0;

	if (room && !more)
		return err_nomem(err);
	e->attrs_cap = room > e->attrs_cap ? room : e->attrs_cap;
	e->attrs = more;
	while (n < room && archive_entry_xattr_next(item->entry, &e->attrs[n].name, &e->attrs[n].value,
			       &e->attrs[n].n) == ARCHIVE_OK)
		n++;
	e->head.n = 0;
	return pax_append(item->entry, e->attrs, n, size, &e->records, &e->head, err)
		   ? -1
		   : put_out(e->head.p, e->head.n, err);
}

static int left_out(
    struct exporter *e, enum outcome_kind kind, const char *path, const struct err *why, struct err *err)
{
	uint8_t key[DIGEST_LEN];
	int r;

	outcome_say(&e->outcome, kind, path, why);
	digestset_key_of(path, strlen(path), key);
	r = digestset_put(e->absent, key, 1, err);
	return r == DIGESTSET_FULL
		   ? err_set(err, "E-MEM-01", "%s", text("too many entries could not be restored: giving up"))
		   : r;
}

static bool is_absent(const struct exporter *e, const char *path)
{
	uint8_t key[DIGEST_LEN];

	digestset_key_of(path, strlen(path), key);
	return digestset_get(e->absent, key) != 0;
}

/* 0: can be written; 1: was left out; -1. */
static int check_entry(struct exporter *e, const struct catalog_item *item, struct err *err)
{
	const char *hard = archive_entry_hardlink(item->entry);
	struct err why = ERR_INIT;

	if (item->flags & CATALOG_UNREADABLE && archive_entry_filetype(item->entry) != AE_IFDIR) {
		err_set(&why, "E-RESTORE-03", "%s",
		    text("could not be read when it was captured, there is no content"));
		return left_out(e, OUTCOME_UNREADABLE, item->path, &why, err) ? -1 : 1;
	}
	if (hard && is_absent(e, hard)) {
		err_set(
		    &why, "E-RESTORE-12", "%s", text("is a hard link to something that was not restored"));
		return left_out(e, OUTCOME_FAILED, item->path, &why, err) ? -1 : 1;
	}
	if (!hard && item->extents && item->size <= TRY_FIRST &&
	    extent_r_file(e->arc, item->extents, item->extents_len, item->sha256, try_part, e, &why))
		return left_out(e, OUTCOME_FAILED, item->path, &why, err) ? -1 : 1;
	return 0;
}

static int export_entry(struct exporter *e, const struct catalog_item *item, struct err *err)
{
	bool content = !archive_entry_hardlink(item->entry) && item->extents;
	const uint64_t size = content ? item->size : 0;
	struct err why = ERR_INIT;
	int r = check_entry(e, item, err);

	if (r)
		return r < 0 ? -1 : 0;
	if (item->flags & CATALOG_CHANGED) {
		err_set(&why, "E-RESTORE-04", "%s",
		    text("changed while it was captured, its content may be a mixture"));
		outcome_say(&e->outcome, OUTCOME_CHANGED, item->path, &why);
	}
	if (put_head(e, item, size, err))
		return -1;
	if (content &&
	    extent_r_file(e->arc, item->extents, item->extents_len, item->sha256, write_part, e, err))
		return err_wrap(err, text("the archive ends within a file"));
	e->outcome.bytes += item->size;
	return put_out(NULL, -size % PAX_RECORD, err);
}

static int export_all(struct exporter *e, struct catalog_r *c, struct err *err)
{
	struct catalog_item item;
	struct err why = ERR_INIT;
	int r;

	while ((r = catalog_r_next(c, &item, &why)) != CATALOG_END) {
		if (r == CATALOG_R_LOST) {
			outcome_say(&e->outcome, OUTCOME_LOST, NULL, &why);
			continue;
		}
		if (r < 0) {
			*err = why;
			return -1;
		}
		progress_add(&e->progress, 0, item.path);
		if (export_entry(e, &item, err))
			return -1;
	}
	return 0;
}

static int export_generation(struct app *app, struct app_generation *g)
{
	const struct generation_dataset *ds = &g->root->dataset;
	struct exporter e = {.arc = g->arc,
	    .absent = digestset_new(ABSENT_MAX),
	    .head = BUF_INIT(HEAD_MAX),
	    .records = BUF_INIT(HEAD_MAX)};
	struct err err = ERR_INIT;
	struct catalog_r *c = NULL;
	int r = 0;

	e.outcome.progress = &e.progress;
	progress_begin(&e.progress, ds->bytes, app->quiet);
	if (!e.absent)
		r = err_nomem(&err);
	else
		r = catalog_r_open(g->arc, ds, &c, &err);
	if (!r)
		r = export_all(&e, c, &err);
	/* an end marker must not make a broken stream look whole */
	if (!r)
		r = put_out(NULL, (uint64_t)2 * PAX_RECORD, &err);
	progress_clear(&e.progress);
	catalog_r_close(c);
	buf_free(&e.head);
	buf_free(&e.records);
	free(e.attrs);
	digestset_free(e.absent);
	return r ? app_error(&err, APP_FAILED) : outcome_exit(&e.outcome);
}

int cmd_export(struct app *app, int argc, char **argv)
{
	struct app_generation g;
	int r;

	(void)argc;
	if (isatty(STDOUT_FILENO))
		return app_usage(app, "%s",
		    text("an archive does not belong on a terminal: redirect it, or pipe it into tar"));
	app->cache_bytes = CACHE;
	r = selection_one(app, argv[0], &g);
	if (r)
		return r;
	interrupt_says(text("interrupted: the archive that was written is not whole"),
	    text("do not use it; repeat the command"), APP_FAILED);
	r = export_generation(app, &g);
	app_generation_close(&g);
	return r;
}
