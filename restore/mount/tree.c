/* tree: see tree.h.
 *
 * Numbers, from the highest bit: 0 | generation + 1 (7) | block (25) | place in it (12) | level (19).  level 0: the entry; LEVEL_TOP: the
 * outermost folder of the generation; else the folder that has so many components of the entry's path.  Among several that could say so the
 * entry is the first one below the folder, so that a folder has one number.
 *
 * What is in a folder stands in one row behind it: from one to the next all that is below the former is passed over by one search. */
#include "restore/mount/tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "restore/app/app.h"

#define LEVEL_TOP      ((UINT64_C(1) << 19) - 1)
#define BLOCK_MAX      (UINT64_C(1) << 25)
#define PLACE_MAX      (UINT64_C(1) << 12)
#define PATH_MAX_BYTES ((size_t)2 << 20)
#define COOKIE_END     (UINT64_MAX >> 2) /* it is made larger by those of "." and ".." */

struct tree {
	struct blocks *blocks;
	bool several;
	tree_fault_fn *fault;
	void *arg;
	struct buf folder, path; /* of the folder that is asked about, and of what is looked for in it */
};

struct number {
	size_t generation;
	struct blocks_place place;
	uint64_t level;
};

struct tree *tree_new(struct blocks *b, bool folders, tree_fault_fn *fault, void *arg)
{
	struct tree *t = calloc(1, sizeof(*t));

	if (t)
		*t = (struct tree){.blocks = b,
		    .several = folders,
		    .fault = fault,
		    .arg = arg,
		    .folder = BUF_INIT(PATH_MAX_BYTES),
		    .path = BUF_INIT(PATH_MAX_BYTES)};
	return t;
}

void tree_free(struct tree *t)
{
	if (!t)
		return;
	buf_free(&t->folder);
	buf_free(&t->path);
	free(t);
}

static uint64_t encode(const struct number *n)
{
	return (uint64_t)(n->generation + 1) << 56 | (uint64_t)n->place.block << 31 |
	       (uint64_t)n->place.index << 19 | n->level;
}

static bool decode(const struct tree *t, uint64_t number, struct number *ret)
{
	if (number == TREE_ROOT && !t->several)
		number = UINT64_C(1) << 56 | LEVEL_TOP;
	*ret = (struct number){.generation = (size_t)(number >> 56) - 1,
	    .place = {(uint32_t)(number >> 31 & (BLOCK_MAX - 1)), (uint32_t)(number >> 19 & (PLACE_MAX - 1))},
	    .level = number & LEVEL_TOP};
	return number >> 56 && number >> 56 <= blocks_count(t->blocks);
}

static int fault(struct tree *t, const struct err *why)
{
	t->fault(t->arg, why);
	return why->kind == ERR_MEMORY ? ENOMEM : EIO;
}

/* Its length within a path: so many components. */
static size_t prefix_of(const char *path, uint64_t components)
{
	size_t n = 0;

	for (;; n++) {
		if (!path[n])
			return n;
		if (path[n] == '/' && !--components)
			return n;
	}
}

static uint64_t components_of(const char *path)
{
	uint64_t n = 1;

	for (; *path; path++)
		n += *path == '/';
	return n;
}

/* ---- nodes ---- */

static void as_folder(const struct tree *t, const struct number *n, uint64_t number, struct tree_node *ret)
{
	*ret = (struct tree_node){.number = number, .generation = n ? n->generation : 0};
	ret->st.st_mode = S_IFDIR | 0555;
	ret->st.st_nlink = 1; /* not two, which would say that there is no folder in it */
	ret->st.st_ino = number;
	(void)t;
}

static void as_entry(const struct number *n, const struct blocks_entry *e, struct tree_node *ret)
{
	*ret = (struct tree_node){.number = encode(n), .generation = n->generation, .entry = e, .st = e->st};
	ret->st.st_ino = ret->number;
}

static int entry_at(
    struct tree *t, size_t generation, struct blocks_place *place, const struct blocks_entry **ret)
{
	struct err why = ERR_INIT;
	int r = blocks_entry(t->blocks, generation, place, ret, &why);

	return r < 0 ? fault(t, &why) : r == BLOCKS_END ? TREE_LAST : 0;
}

int tree_node(struct tree *t, uint64_t number, struct tree_node *ret)
{
	const struct blocks_entry *e;
	struct number n;
	int r;

	if (number == TREE_ROOT) {
		as_folder(t, NULL, TREE_ROOT, ret);
		return 0;
	}
	if (!decode(t, number, &n))
		return ENOENT;
	if (n.level) {
		as_folder(t, &n, number, ret);
		return 0;
	}
	r = entry_at(t, n.generation, &n.place, &e);
	if (!r)
		as_entry(&n, e, ret);
	return r == TREE_LAST ? ENOENT : r;
}

/* The path of a folder, and the place where what is in it begins.  *ret_outermost: that is where all begins. */
static int folder_of(struct tree *t, uint64_t number, struct number *ret, struct blocks_place *ret_begin)
{
	const struct blocks_entry *e;
	int r;

	if (!decode(t, number, ret))
		return ENOENT;
	t->folder.n = 0;
	*ret_begin = (struct blocks_place){0, 0};
	if (ret->level == LEVEL_TOP)
		return buf_terminate(&t->folder, NULL) ? ENOMEM : 0;
	*ret_begin = ret->place;
	r = entry_at(t, ret->generation, ret_begin, &e);
	if (r)
		return r == TREE_LAST ? ENOENT : r;
	if (!ret->level && !S_ISDIR(e->st.st_mode))
		return ENOTDIR;
	if (!ret->level && e->flags & CATALOG_UNREADABLE) {
		struct err why = ERR_INIT;
		char shown[300];

		err_set(&why, "E-RESTORE-03",
		    text("'%s' could not be read when it was captured, there is no content"),
		    path_show(e->path, shown, sizeof(shown)));
		return fault(t, &why);
	}
	ret_begin->index += !ret->level;
	return buf_append(&t->folder, e->path, ret->level ? prefix_of(e->path, ret->level) : strlen(e->path),
		   NULL) ||
		       buf_terminate(&t->folder, NULL)
		   ? ENOMEM
		   : 0;
}

/* The first name, if it is of the same kind and no further name itself; else the entry stands for itself. */
static int resolve(struct tree *t, struct number *n, const struct blocks_entry **e)
{
	const struct blocks_entry *first;
	struct number of = {.generation = n->generation};
	struct err why = ERR_INIT;
	char *name;
	mode_t type = (*e)->st.st_mode & S_IFMT;
	int r;

	if (!(*e)->hardlink)
		return 0;
	name = strdup((*e)->hardlink);
	if (!name)
		return ENOMEM;
	r = blocks_find(t->blocks, n->generation, name, &of.place, &first, &why);
	if (!r && !strcmp(first->path, name) && !first->hardlink && (first->st.st_mode & S_IFMT) == type) {
		*n = of;
		*e = first;
		free(name);
		return 0;
	}
	free(name);
	if (r < 0)
		(void)fault(t, &why);		      /* its own entry says all the same what it is */
	r = entry_at(t, n->generation, &n->place, e); /* the search may have pushed it out */
	return r == TREE_LAST ? ENOENT : r;
}

static int as_child(
    struct tree *t, struct number *n, const struct blocks_entry *e, const char *path, struct tree_node *ret)
{
	int r;

	if (!strcmp(e->path, path)) {
		r = resolve(t, n, &e);
		if (!r)
			as_entry(n, e, ret);
		return r;
	}
	n->level = components_of(path);
	as_folder(t, n, encode(n), ret);
	return 0;
}

static int lookup_generation(struct tree *t, const char *name, struct tree_node *ret)
{
	for (size_t i = 0; i < blocks_count(t->blocks); i++)
		if (!strcmp(blocks_generation(t->blocks, i)->label, name)) {
			struct number n = {.generation = i, .level = LEVEL_TOP};

			as_folder(t, &n, encode(&n), ret);
			return 0;
		}
	return ENOENT;
}

/* `folder`/name into t->path. */
static int join(struct tree *t, const char *name, size_t n)
{
	t->path.n = 0;
	return (t->folder.n && (buf_append(&t->path, t->folder.p, t->folder.n, NULL) ||
				   buf_append(&t->path, "/", 1, NULL))) ||
		       buf_append(&t->path, name, n, NULL) || buf_terminate(&t->path, NULL)
		   ? ENOMEM
		   : 0;
}

int tree_lookup(struct tree *t, uint64_t folder, const char *name, struct tree_node *ret)
{
	const struct blocks_entry *e;
	struct blocks_place begin;
	struct err why = ERR_INIT;
	struct number n;
	int r;

	if (folder == TREE_ROOT && t->several)
		return lookup_generation(t, name, ret);
	r = folder_of(t, folder, &n, &begin);
	if (!r)
		r = join(t, name, strlen(name));
	if (r)
		return r;
	n.level = 0;
	r = blocks_find(t->blocks, n.generation, (char *)t->path.p, &n.place, &e, &why);
	if (r)
		return r < 0 ? fault(t, &why) : ENOENT;
	return path_within(e->path, (char *)t->path.p) ? as_child(t, &n, e, (char *)t->path.p, ret) : ENOENT;
}

/* ---- what is in a folder ---- */

static int list_generations(struct tree *t, uint64_t *cookie, char *ret_name, struct tree_node *ret)
{
	const char *label;

	if (*cookie >= blocks_count(t->blocks))
		return TREE_LAST;
	label = blocks_generation(t->blocks, (*cookie)++)->label;
	memcpy(ret_name, label, strlen(label) + 1);
	return lookup_generation(t, label, ret);
}

/* The place behind all that is below t->path, which begins at `at`. */
static int place_behind(
    struct tree *t, size_t generation, const struct blocks_place *at, bool folder, struct blocks_place *ret)
{
	struct blocks_place next = {at->block, at->index + 1};
	const struct blocks_entry *e;
	struct err why = ERR_INIT;
	int r = entry_at(t, generation, &next, &e);

	*ret = next;
	if (r || !folder || !path_within(e->path, (char *)t->path.p))
		return r;
	/* no name in it, but all others, sort before that: '/' sorts as a byte 0 */
	if (buf_append(&t->path, "\1", 1, NULL) || buf_terminate(&t->path, NULL))
		return ENOMEM;
	r = blocks_find(t->blocks, generation, (char *)t->path.p, ret, &e, &why);
	return r < 0 ? fault(t, &why) : r == BLOCKS_END ? TREE_LAST : 0;
}

static int name_too_long(struct tree *t)
{
	struct err why = ERR_INIT;
	char shown[120];

	err_set(&why, "W-MOUNT-05", text("a name is longer than a mount can show: '%s'"),
	    path_show((char *)t->path.p, shown, sizeof(shown)));
	err_hint(&why, "%s", text("'bkp-restore list' and 'extract' have it"));
	(void)fault(t, &why);
	return 0;
}

static uint64_t cookie_of(const struct blocks_place *p)
{
	return ((uint64_t)p->block * PLACE_MAX + p->index) + 1;
}

/* The one at `at`, whose path below the folder is that of entry e.  *cookie moves behind it.  0, an errno; *ret_name "": it cannot be shown. */
static int list_one(struct tree *t, struct number n, const struct blocks_entry *e, uint64_t *cookie,
    char *ret_name, struct tree_node *ret)
{
	const char *name = e->path + t->folder.n + (t->folder.n > 0);
	size_t len = strcspn(name, "/");
	struct blocks_place next;
	int r = join(t, name, len);
	bool folder = name[len] || S_ISDIR(e->st.st_mode);

	*ret_name = '\0';
	if (!r && len < TREE_NAME) {
		memcpy(ret_name, name, len);
		ret_name[len] = '\0';
	}
	if (!r)
		r = place_behind(t, n.generation, &n.place, folder, &next);
	if (r && r != TREE_LAST)
		return r;
	*cookie = r == TREE_LAST ? COOKIE_END : cookie_of(&next);
	r = entry_at(t, n.generation, &n.place, &e);
	if (r)
		return r == TREE_LAST ? EIO : r;
	name = e->path + t->folder.n + (t->folder.n > 0);
	r = join(t, name, len);
	if (!r && !*ret_name)
		return name_too_long(t);
	return r ? r : as_child(t, &n, e, (char *)t->path.p, ret);
}

int tree_list(struct tree *t, uint64_t folder, uint64_t *cookie, char *ret_name, struct tree_node *ret)
{
	const struct blocks_entry *e;
	struct blocks_place begin;
	struct number n;
	int r;

	if (folder == TREE_ROOT && t->several)
		return list_generations(t, cookie, ret_name, ret);
	r = folder_of(t, folder, &n, &begin);
	n.level = 0;
	for (*ret_name = '\0'; !r && !*ret_name;) {
		n.place = begin;
		if (*cookie)
			n.place = (struct blocks_place){
			    (uint32_t)((*cookie - 1) / PLACE_MAX), (uint32_t)((*cookie - 1) % PLACE_MAX)};
		if (*cookie == COOKIE_END)
			return TREE_LAST;
		/* who looks may seek anywhere: the folder's own entry has no name within it */
		if (n.place.block < begin.block ||
		    (n.place.block == begin.block && n.place.index < begin.index))
			n.place = begin;
		r = entry_at(t, n.generation, &n.place, &e);
		if (r || (t->folder.n && !path_within(e->path, (char *)t->folder.p)))
			return r ? r : TREE_LAST;
		r = list_one(t, n, e, cookie, ret_name, ret);
	}
	return r;
}
