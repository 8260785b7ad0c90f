/* vault_w: see vault_w.h.
 *
 * How a file is put so that it is durable under its name, or not there, is the store's (write/put), and that what stood there when it
 * was opened is durable, too.  Here is what is put where, and what it means that a name is taken.
 *
 * A handle belongs to one thread at a time: the run's, or the sealer's while it packs. */
#include "write/pack/vault_w.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/journal/journal.h"
#include "format/medium/arcfile.h"
#include "format/medium/generation.h"
#include "read/file/segments.h"
#include "write/put/store_w.h"
#include "write/state/history.h"

#define COPY_BLOCK   65536
#define VAULT_W_PATH (GENERATION_SET_DIR + GENERATION_SUMS_PATH)
#define VAULT_W_FILE (VAULT_W_PATH + 256)

struct vault_w {
	struct store_w *put;
	uint64_t unfrozen, written;
	int frozen_errno;
};

static int pass_on(const struct err *why, struct err *err)
{
	if (err)
		*err = *why;
	return -1;
}

int vault_w_open(const struct store *repo, struct vault_w **ret, struct err *err)
{
	static const char *const folders[] = {"datasets"};
	struct vault_w *v = calloc(1, sizeof(*v));

	if (!v)
		return err_nomem(err);
	if (store_w_open(repo, folders, sizeof(folders) / sizeof(*folders), &v->put, err)) {
		free(v);
		return -1;
	}
	*ret = v;
	return 0;
}

void vault_w_close(struct vault_w *v)
{
	if (!v)
		return;
	store_w_close(v->put);
	free(v);
}

const struct store *vault_w_store(const struct vault_w *v)
{
	return &v->put->reads;
}

int vault_w_stage(struct vault_w *v, struct store_staged **ret, struct err *err)
{
	return store_w_stage(v->put, ret, err);
}

int vault_w_write(struct vault_w *v, struct store_staged *f, const void *p, size_t n, struct err *err)
{
	return store_w_append(v->put, f, p, n, err);
}

void vault_w_discard(struct vault_w *v, struct store_staged *f)
{
	store_w_discard(v->put, f);
}

int vault_w_freeze(struct vault_w *v, const char *path)
{
	return store_w_freeze(v->put, path);
}

/* Not being frozen is no failure of the backup, but it is said. */
static void freeze_published(struct vault_w *v, const char *path)
{
	int why = store_w_freeze(v->put, path);

	if (!why)
		return;
	v->unfrozen++;
	if (!v->frozen_errno)
		v->frozen_errno = why;
}

/* ---- archives ---- */

/* "datasets/emr/archives/ab/….age" */
static char *archive_path(const char *dataset, const uint8_t sha256[DIGEST_LEN], char out[VAULT_W_PATH])
{
	char dir[GENERATION_SET_DIR], path[ARCFILE_PATH];

	snprintf(out, VAULT_W_PATH, "%s/%s", generation_set_dir(dataset, dir), arcfile_path(sha256, path));
	return out;
}

/* An archive of that name is there already: the same bytes, if the size is the same (a name is the hash of
 * the bytes). */
static int accept_existing(struct vault_w *v, const char *path, uint64_t size, struct err *err)
{
	const char *base = strrchr(path, '/') + 1;
	struct err why = ERR_INIT;
	uint64_t there;

	if (!store_size(vault_w_store(v), path, &there, &why) && there == size)
		return store_w_rely(v->put, path, err);
	if (err_is_unread(&why))
		return pass_on(&why, err);
	err_set_kind(
	    err, ERR_TAKEN, "E-PUBLISH-03", text("'%s' on the medium is not the archive of that name"), base);
	return err_hint(err, "%s", text("run 'bkp verify' on this medium and keep it for examination"));
}

int vault_w_publish_archive(struct vault_w *v, const char *dataset, struct store_staged *f,
    const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	const uint64_t size = f->size;
	char path[VAULT_W_PATH];
	int r = store_w_publish(v->put, f, archive_path(dataset, sha256, path), err);

	if (r == STORE_W_TAKEN)
		return accept_existing(v, path, size, err);
	if (r)
		return -1;
	freeze_published(v, path);
	v->written += size;
	return 0;
}

int vault_w_replace_archive(struct vault_w *v, const char *dataset, struct store_staged *f,
    const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	const uint64_t size = f->size;
	char path[VAULT_W_PATH];

	if (store_w_replace_staged(v->put, f, archive_path(dataset, sha256, path), 0444, err))
		return -1;
	freeze_published(v, path);
	v->written += size;
	return 0;
}

int vault_w_has_archive(
    struct vault_w *v, const char *dataset, const uint8_t sha256[DIGEST_LEN], uint64_t size, struct err *err)
{
	struct err why = ERR_INIT;
	char path[VAULT_W_PATH];
	uint64_t there;
	int r = store_size(vault_w_store(v), archive_path(dataset, sha256, path), &there, &why);

	if (r == STORE_ABSENT || (!r && there != size) || (r && !err_is_unread(&why)))
		return 0;
	if (r)
		return pass_on(&why, err);
	if (store_w_rely(v->put, path, err))
		return -1;
	freeze_published(v, path);
	return 1;
}

/* ---- generations ---- */

/* What stands in a generation's folder already. */
struct present_docs {
	struct vault_w *v;
	const char *dir;
	const struct store_doc *docs;
	size_t n;
	unsigned found; /* a bit for each document */
	bool other;	/* something stands there that is none of them */
};

static char *in_dir(const char *dir, const char *name, char out[VAULT_W_FILE])
{
	snprintf(out, VAULT_W_FILE, "%s/%s", dir, name);
	return out;
}

/* One of the documents, with the same bytes; or something else. */
static int look_at_doc(void *arg, const char *name, struct err *err)
{
	struct present_docs *s = arg;
	char path[VAULT_W_FILE];

	(void)err;
	for (size_t i = 0; i < s->n; i++) {
		BUF_AUTO have = BUF_INIT(s->docs[i].n);

		if (strcmp(name, s->docs[i].name) != 0)
			continue;
		if (store_read(vault_w_store(s->v), in_dir(s->dir, name, path), &have, NULL) ||
		    have.n != s->docs[i].n || (have.n && memcmp(have.p, s->docs[i].p, have.n) != 0))
			break;
		s->found |= 1u << i;
		return 0;
	}
	s->other = true;
	return 0;
}

static int supply_doc(struct vault_w *v, const char *path, const struct store_doc *doc, struct err *err)
{
	struct store_staged *f = NULL;

	if (store_w_stage(v->put, &f, err))
		return -1;
	if (store_w_append(v->put, f, doc->p, doc->n, err)) {
		store_w_discard(v->put, f);
		return -1;
	}
	if (io_taken(store_w_publish(v->put, f, path, err), doc->name, err))
		return -1;
	v->written += doc->n;
	return 0;
}

/* The documents that were lost, each whole; the signature is the last of them. */
static int supply_docs(struct vault_w *v, const struct present_docs *s, struct err *err)
{
	char path[VAULT_W_FILE];

	for (size_t i = 0; i < s->n; i++)
		if (!(s->found & 1u << i) &&
		    supply_doc(v, in_dir(s->dir, s->docs[i].name, path), &s->docs[i], err))
			return -1;
	/* those that were found, too: a dead run may have brought them */
	return store_w_settle(vault_w_store(v), in_dir(s->dir, s->docs[0].name, path), err);
}

static void freeze_docs(struct vault_w *v, const char *dir, const struct store_doc *docs, size_t n)
{
	char path[VAULT_W_FILE];

	for (size_t i = 0; i < n; i++)
		freeze_published(v, in_dir(dir, docs[i].name, path));
}

/* The number is taken: by these very documents, when a run died between publishing and recording it, or when
 * some of them were lost since. */
static int already_published(
    struct vault_w *v, const char *dir, const struct store_doc *docs, size_t n, struct err *err)
{
	struct present_docs s = {v, dir, docs, n, 0, false};
	struct err why = ERR_INIT;

	if (store_list(vault_w_store(v), dir, look_at_doc, &s, &why)) {
		s.other = why.errnum == ENOTDIR || why.errnum == ELOOP; /* no folder at all */
		if (!s.other)
			return pass_on(&why, err);
	}
	if (s.other) {
		err_set_kind(err, ERR_TAKEN, "E-PUBLISH-04", text("'%s' stands on the medium already"), dir);
		return err_hint(err, "%s",
		    text("another host may write to this medium; compare 'bkp journal show' with it"));
	}
	if (supply_docs(v, &s, err) || store_w_rely(v->put, dir, err))
		return -1;
	freeze_docs(v, dir, docs, n);
	return 0;
}

/* "datasets/emr/generations/000042" */
static char *generation_path(const char *dataset, uint64_t number, char out[VAULT_W_PATH])
{
	char set[GENERATION_SET_DIR], dir[GENERATION_DIR];

	snprintf(out, VAULT_W_PATH, "%s/%s", generation_set_dir(dataset, set), generation_dir(number, dir));
	return out;
}

/* What became of one that was put. */
static int settle_group(struct vault_w *v, const struct store_group *g, struct err *err)
{
	if (g->r == STORE_W_TAKEN)
		return already_published(v, g->dir, g->docs, g->n, err);
	if (g->r)
		return pass_on(&g->why, err);
	freeze_docs(v, g->dir, g->docs, g->n);
	for (size_t i = 0; i < g->n; i++)
		v->written += g->docs[i].n;
	return 0;
}

int vault_w_publish_generation(struct vault_w *v, const char *dataset, uint64_t number,
    const struct store_doc *docs, size_t n, struct err *err)
{
	char dir[VAULT_W_PATH];
	struct store_group g = {.dir = generation_path(dataset, number, dir), .docs = docs, .n = n};

	store_w_publish_groups(v->put, &g, 1);
	return settle_group(v, &g, err);
}

int vault_w_publish_generations(struct vault_w *v, struct vault_w_generation *all, size_t n, struct err *err)
{
	struct store_group *groups = calloc(n + 1, sizeof(*groups));
	char(*dirs)[VAULT_W_PATH] = calloc(n + 1, sizeof(*dirs));

	if (!groups || !dirs) {
		free(groups);
		free(dirs);
		return err_nomem(err);
	}
	for (size_t i = 0; i < n; i++)
		groups[i] =
		    (struct store_group){.dir = generation_path(all[i].dataset, all[i].number, dirs[i]),
			.docs = all[i].docs,
			.n = all[i].n};
	store_w_publish_groups(v->put, groups, n);
	for (size_t i = 0; i < n; i++)
		all[i].r = settle_group(v, &groups[i], &all[i].why);
	free(groups);
	free(dirs);
	return 0;
}

/* ---- the rest ---- */

void vault_w_reserve(struct vault_w *v, uint64_t bytes)
{
	store_w_reserve(v->put, bytes);
}

int vault_w_release(struct vault_w *v, struct err *err)
{
	return store_w_release(v->put, err);
}

static int copy_bytes(struct vault_w *v, struct store_staged *f, struct store_file *from, uint64_t at,
    uint64_t end, struct err *err)
{
	char block[COPY_BLOCK];

	for (; at < end; at += sizeof(block)) {
		size_t want = end - at < sizeof(block) ? (size_t)(end - at) : sizeof(block);
		ssize_t got = store_read_full(from, block, want, (int64_t)at);

		if (got != (ssize_t)want)
			return err_sys(
			    err, "E-IO-02", got < 0 ? errno : EIO, text("cannot read '%s'"), JOURNAL_DIR);
		if (store_w_append(v->put, f, block, want, err))
			return -1;
	}
	return 0;
}

static int put_segment(
    struct vault_w *v, struct store_file *ours, uint32_t number, uint64_t at, uint64_t end, struct err *err)
{
	char name[JOURNAL_NAME], path[VAULT_W_PATH];
	struct store_staged *f = NULL;

	snprintf(path, sizeof(path), JOURNAL_DIR "/%s", journal_segment_name(number, name));
	if (store_w_stage(v->put, &f, err))
		return -1;
	if (copy_bytes(v, f, ours, at, end, err)) {
		store_w_discard(v->put, f);
		return -1;
	}
	return store_w_replace_staged(v->put, f, path, 0644, err);
}

/* The same bytes, from the same place on?  Then it stands there already. */
static bool holds(const struct store_file *theirs, uint32_t number, uint64_t at, uint64_t end, uint64_t same)
{
	return end <= same && number <= segments_count(theirs) && segments_start(theirs, number) == at &&
	       segments_start(theirs, number + 1) == end;
}

int vault_w_put_journal(
    struct vault_w *v, struct store_file *ours, uint64_t size, bool mended, struct err *err)
{
	STORE_FILE_AUTO theirs = {0};
	struct history h;

	if (history_look(vault_w_store(v), ours, size, &theirs, &h, err))
		return -1;
	if (!mended && (h.kind == HISTORY_LONGER || h.kind == HISTORY_FORKED))
		return history_differs(&h, err);
	for (uint32_t i = 1; i <= segments_count(ours); i++) {
		const uint64_t at = segments_start(ours, i);
		const bool last = i == segments_count(ours) || segments_start(ours, i + 1) > size;
		const uint64_t end = last ? size : segments_start(ours, i + 1);

		if (at >= size)
			break;
		if (!holds(&theirs, i, at, end, h.bytes) && put_segment(v, ours, i, at, end, err))
			return -1;
	}
	return 0;
}

uint64_t vault_w_unfrozen(const struct vault_w *v, int *ret_errno)
{
	*ret_errno = v->frozen_errno;
	return v->unfrozen;
}

uint64_t vault_w_written(const struct vault_w *v)
{
	return v->written;
}
