/* store_w: see store_w.h.  Which kind it is, and what is the same for every kind. */
#include "write/put/store_w.h"

#include <assert.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

static const struct store_w_kind *kind_of(const struct store *s, struct err *err)
{
	for (size_t i = 0; store_w_kinds[i]; i++)
		if (store_w_kinds[i]->reads == s->kind)
			return store_w_kinds[i];
	err_set(err, "E-PUBLISH-01", "%s", text("nothing can be put into a medium of this kind"));
	return NULL;
}

int store_w_open(
    const struct store *s, const char *const *folders, size_t n, struct store_w **ret, struct err *err)
{
	const struct store_w_kind *kind = kind_of(s, err);

	return kind ? kind->open(s, folders, n, ret, err) : -1;
}

void store_w_close(struct store_w *w)
{
	if (!w)
		return;
	(void)!w->kind->release(w, NULL); /* if not now, the next store_w_open() does it */
	w->kind->close(w);
}

int store_w_stage(struct store_w *w, struct store_staged **ret, struct err *err)
{
	return w->kind->stage(w, ret, err);
}

int store_w_append(struct store_w *w, struct store_staged *f, const void *p, size_t n, struct err *err)
{
	if (w->kind->append(f, p, n, err))
		return -1;
	f->size += n;
	return 0;
}

void store_w_discard(struct store_w *w, struct store_staged *f)
{
	if (f)
		w->kind->discard(w, f);
}

int store_w_publish(struct store_w *w, struct store_staged *f, const char *path, struct err *err)
{
	return w->kind->publish(w, f, path, err);
}

int store_w_publish_group(
    struct store_w *w, const char *dir, const struct store_doc *docs, size_t n, struct err *err)
{
	return w->kind->publish_group(w, dir, docs, n, err);
}

void store_w_publish_groups(struct store_w *w, struct store_group *groups, size_t n)
{
	if (w->kind->publish_groups && n > 1) {
		w->kind->publish_groups(w, groups, n);
		return;
	}
	for (size_t i = 0; i < n; i++)
		groups[i].r =
		    w->kind->publish_group(w, groups[i].dir, groups[i].docs, groups[i].n, &groups[i].why);
}

int store_w_freeze(struct store_w *w, const char *path)
{
	return w->kind->freeze(w, path);
}

int store_w_make_folder(const struct store *s, const char *path, struct err *err)
{
	const struct store_w_kind *kind = kind_of(s, err);

	return !kind ? -1 : kind->make_folder ? kind->make_folder(s, path, err) : 0;
}

int store_w_rely(struct store_w *w, const char *path, struct err *err)
{
	return w->kind->rely ? w->kind->rely(w, path, err) : 0;
}

int store_w_settle(const struct store *s, const char *path, struct err *err)
{
	const struct store_w_kind *kind = kind_of(s, err);

	return kind ? kind->settle(s, path, err) : -1;
}

int store_w_add(const struct store *s, const char *path, const void *p, size_t n, struct err *err)
{
	const struct store_w_kind *kind = kind_of(s, err);

	return kind ? kind->add(s, path, p, n, err) : -1;
}

int store_w_replace(
    const struct store *s, const char *path, mode_t mode, const void *p, size_t n, struct err *err)
{
	const struct store_w_kind *kind = kind_of(s, err);

	return kind ? kind->replace(s, path, mode, p, n, err) : -1;
}

bool store_w_holds(const struct store *s, const char *path, mode_t mode, const void *p, size_t n)
{
	const struct store_w_kind *kind = kind_of(s, NULL);
	BUF_AUTO there = BUF_INIT(n);

	if (!kind || store_read(s, path, &there, NULL) || there.n != n || (n && memcmp(there.p, p, n) != 0))
		return false;
	if (kind->set_mode)
		kind->set_mode(s, path, mode);
	return true;
}

int store_w_withdraw(const struct store *s, const char *path, struct err *err)
{
	const struct store_w_kind *kind = kind_of(s, err);

	assert(strlen(path) > 5 && !strcmp(path + strlen(path) - 5, ".next"));
	/* a store that cannot be written has nothing to lose */
	return !kind ? -1 : store_has(s, path) ? kind->withdraw(s, path, err) : 0;
}

int store_w_set_aside(const struct store *s, const char *path, const char *to, struct err *err)
{
	const struct store_w_kind *kind = kind_of(s, err);

	return kind ? kind->set_aside(s, path, to, err) : -1;
}

int store_w_replace_staged(
    struct store_w *w, struct store_staged *f, const char *path, mode_t mode, struct err *err)
{
	return w->kind->replace_staged(w, f, path, mode, err);
}

void store_w_reserve(struct store_w *w, uint64_t bytes)
{
	w->kind->reserve(w, bytes);
}

int store_w_release(struct store_w *w, struct err *err)
{
	return w->kind->release(w, err);
}
