/* store_x: see store_x.h.  Which kind it is. */
#include "write/reap/store_x.h"

#include "base/err.h"
#include "base/text.h"

static const struct store_x_kind *kind_of(const struct store *s, struct err *err)
{
	for (size_t i = 0; store_x_kinds[i]; i++)
		if (store_x_kinds[i]->reads == s->kind)
			return store_x_kinds[i];
	err_set(err, "E-REAP-02", "%s", text("nothing can be removed from a medium of this kind"));
	return NULL;
}

int store_x_open(const struct store *s, struct store_x **ret, struct err *err)
{
	const struct store_x_kind *kind = kind_of(s, err);

	return kind ? kind->open(s, ret, err) : -1;
}

int store_x_own(const struct store *s, const char *folder, struct err *err)
{
	const struct store_x_kind *kind = kind_of(s, err);

	return kind ? kind->own(s, folder, err) : -1;
}

void store_x_close(struct store_x *x)
{
	if (x)
		x->kind->close(x);
}

int store_x_remove(
    struct store_x *x, const char *path, uint64_t *ret_files, uint64_t *ret_bytes, struct err *err)
{
	return x->kind->remove(x, path, ret_files, ret_bytes, err);
}

int store_x_thaw(struct store_x *x, const char *path, struct err *err)
{
	return x->kind->thaw ? x->kind->thaw(x, path, err) : 0;
}

int store_x_retire(struct store_x *x, const char *dir, const char *to, struct err *err)
{
	return x->kind->retire(x, dir, to, err);
}

int store_x_drop(struct store_x *x, const char *dir, struct err *err)
{
	return x->kind->drop(x, dir, err);
}

int store_x_sync(struct store_x *x, struct err *err)
{
	return x->kind->sync(x, err);
}
