/* extract: see extract.h.  This file: the passes; extract_entry.c, extract_attrs.c, extract_folders.c: the
 * work. */
#include <inttypes.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "extract_private.h"
#include "format/catalog.h"
#include "format/generation.h"
#include "outcome.h"
#include "plan.h"
#include "progress.h"
#include "read/arc_r.h"
#include "read/catalog_r.h"
#include "read/digestset.h"
#include "target.h"

#define REMEMBERED_MAX ((size_t)2 << 20)  /* paths of each kind: 80 to 160 MiB at the very most */
#define COPIES_MAX     ((size_t)64 << 20) /* bytes of paths */

/* A first name of hard links that was not selected, and where the first copy went. */
struct link_copy {
	uint8_t first[DIGEST_LEN];
	char path[];
};

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
	found = tfind(&key, &x->copies, by_first);
	return found ? (*found)->path : NULL;
}

int extract_copied(struct extract *x, const char *first, const char *path, struct err *err)
{
	size_t n = strlen(path) + 1;
	struct link_copy *c;

	/* beyond the bound each further link is a copy of its own */
	if (plan_match(x->plan, first) || x->copies_bytes + n > COPIES_MAX || extract_copy_of(x, first))
		return 0;
	c = malloc(sizeof(*c) + n);
	if (!c)
		return err_nomem(err);
	digestset_key_of(first, strlen(first), c->first);
	memcpy(c->path, path, n);
	if (!tsearch(c, &x->copies, by_first)) {
		free(c);
		return err_nomem(err);
	}
	x->copies_bytes += n + sizeof(*c);
	return 0;
}

/* What belongs to one data set. */
static void forget(struct extract *x)
{
	target_cursor_free(x->cursor);
	target_cursor_free(x->link_cursor);
	x->cursor = x->link_cursor = NULL;
	digestset_free(x->made);
	digestset_free(x->absent);
	x->made = x->absent = NULL;
	tdestroy(x->copies, free);
	x->copies = NULL;
	x->copies_bytes = 0;
}

static int prepare(struct extract *x, int targetfd, struct err *err)
{
	forget(x);
	x->targetfd = targetfd;
	x->cursor = target_cursor_new(targetfd);
	x->link_cursor = target_cursor_new(targetfd);
	x->made = digestset_new(REMEMBERED_MAX);
	x->absent = digestset_new(REMEMBERED_MAX);
	if (!x->cursor || !x->link_cursor || !x->made || !x->absent)
		return err_nomem(err);
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
	if (getrandom(&token, sizeof(token), 0) != sizeof(token))
		token = (uint64_t)(uintptr_t)x;
	snprintf(x->temporary, sizeof(x->temporary), ".bkp-restore-%016" PRIx64 ".tmp", token);
	x->disk = extract_disk(x);
	if (!x->disk) {
		free(x);
		return err_nomem(err);
	}
	*ret = x;
	return 0;
}

void extract_free(struct extract *x)
{
	if (!x)
		return;
	forget(x);
	archive_write_free(x->disk);
	free(x);
}

static void say_lost(struct extract *x, struct catalog_r *c, struct err *why)
{
	struct buf first = BUF_INIT((size_t)1 << 20);
	char shown[400];

	if (!catalog_r_first_path(c, catalog_r_at(c), &first, NULL))
		err_wrap(why, text("entries from '%s' on are lost"),
		    path_show((char *)first.p, shown, sizeof(shown)));
	buf_free(&first);
	outcome_say(x->outcome, OUTCOME_LOST, NULL, why);
}

/* *ret_last: the last block that was looked at. */
static int forwards(struct extract *x, struct catalog_r *c, size_t first, size_t *ret_last, struct err *err)
{
	struct catalog_item item;
	struct err why = ERR_INIT;
	int r;

	catalog_r_seek(c, first);
	while ((r = catalog_r_next(c, &item, &why)) != CATALOG_END) {
		if (r == CATALOG_R_LOST) {
			say_lost(x, c, &why);
			continue;
		}
		if (r < 0) {
			if (err)
				*err = why;
			return -1;
		}
		if (plan_beyond(x->plan, item.path))
			break;
		if (plan_select(x->plan, item.path) && extract_entry(x, &item, err))
			return -1;
	}
	*ret_last = catalog_r_at(c);
	return 0;
}

static void say_unmatched(struct extract *x, const struct generation_dataset *ds)
{
	struct err why = ERR_INIT;
	const char *pattern;
	size_t i = 0;

	while ((pattern = plan_unmatched(x->plan, &i))) {
		err_set(&why, "E-RESTORE-11", text("nothing is called so in data set '%s'"), ds->name);
		err_hint(&why, "%s", text("'bkp-restore list' shows what there is, as it has to be typed"));
		outcome_say(x->outcome, OUTCOME_LOST, pattern, &why);
	}
}

int extract_dataset(struct extract *x, struct arc_r *arc, const struct generation_dataset *ds,
    struct plan *plan, int targetfd, struct err *err)
{
	struct catalog_r *c = NULL;
	struct err why = ERR_INIT;
	size_t first, last = 0;
	int r;

	if (catalog_r_open(arc, ds, &c, &why)) {
		outcome_say(x->outcome, OUTCOME_LOST, NULL, &why);
		return 0;
	}
	x->arc = arc;
	x->plan = plan;
	first = plan_first(plan) ? catalog_r_block_of(c, plan_first(plan)) : 0;
	r = prepare(x, targetfd, err);
	if (!r && catalog_r_blocks(c)) {
		r = forwards(x, c, first, &last, err);
		if (!r)
			r = extract_folders(x, c, first, last, err);
	}
	if (!r)
		say_unmatched(x, ds);
	catalog_r_close(c);
	return r;
}
