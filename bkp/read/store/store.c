/* store: see store.h.  What is the same for every kind. */
#include "read/store/store.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "base/threads/throttle.h"

#define READ_SIZE ((size_t)64 << 10)
#define SHOW	  300

int store_below(const struct store *s, const char *path, struct store *ret, struct err *err)
{
	int r = s->kind->below(s, path, ret, err);

	if (!r)
		ret->throttle = s->throttle;
	return r;
}

void store_close(struct store *s)
{
	if (s->kind)
		s->kind->close(s);
	s->kind = NULL;
}

int store_open(const struct store *s, const char *path, struct store_file *ret, struct err *err)
{
	int r = s->kind->open(s, path, ret, err);

	if (!r)
		ret->throttle = s->throttle;
	return r;
}

void store_close_file(struct store_file *f)
{
	if (f->kind)
		f->kind->close_file(f);
	f->kind = NULL;
}

struct store_file store_take(struct store_file *f)
{
	const struct store_file taken = *f;

	f->kind = NULL;
	return taken;
}

ssize_t store_read_some(struct store_file *f, void *p, size_t n, int64_t offset)
{
	ssize_t got;

	if (f->throttle)
		throttle_wait(f->throttle, n);
	do
		got = f->kind->read_some(f, p, n, offset);
	while (got < 0 && errno == EINTR);
	return got;
}

ssize_t store_read_full(struct store_file *f, void *p, size_t n, int64_t offset)
{
	size_t done = 0;

	while (done < n) {
		ssize_t got = store_read_some(f, (char *)p + done, n - done, offset + (int64_t)done);

		if (got < 0)
			return -1;
		if (!got)
			break;
		done += (size_t)got;
	}
	return (ssize_t)done;
}

void store_bypass_cache(struct store_file *f)
{
	f->kind->bypass_cache(f);
}

void store_drop_cache(struct store_file *f)
{
	f->kind->drop_cache(f);
}

int store_size(const struct store *s, const char *path, uint64_t *ret_size, struct err *err)
{
	return s->kind->size(s, path, ret_size, err);
}

bool store_has(const struct store *s, const char *path)
{
	return s->kind->has(s, path);
}

/* From its beginning, until it ends or `out` has no room for a byte more. */
static int read_whole(struct store_file *f, const char *shown, struct buf *out, struct err *err)
{
	int64_t at = 0;
	ssize_t got;

	do {
		size_t room = out->max - out->n < READ_SIZE ? out->max - out->n : READ_SIZE;
		char more;

		if (room && buf_reserve(out, room, err))
			return -1;
		got = store_read_full(f, room ? (char *)out->p + out->n : &more, room ? room : 1, at);
		if (got < 0)
			return err_sys(err, "E-IO-02", errno, text("cannot read '%s'"), shown);
		if (got && !room)
			return err_set_kind(err, ERR_LARGE, "E-IO-08", text("'%s' is larger than %zu bytes"),
			    shown, out->max);
		out->n += (size_t)got;
		at += got;
	} while (got);
	return 0;
}

int store_read(const struct store *s, const char *path, struct buf *out, struct err *err)
{
	STORE_FILE_AUTO f = {0};
	char shown[SHOW];
	int r = store_open(s, path, &f, err);

	if (r)
		return r;
	path_show(path, shown, sizeof(shown));
	/* a sparse file of gigabytes is refused before its zeros are read */
	if ((uint64_t)f.size > out->max - out->n)
		return err_set_kind(
		    err, ERR_LARGE, "E-IO-08", text("'%s' is larger than %zu bytes"), shown, out->max);
	return read_whole(&f, shown, out, err);
}

int store_list(const struct store *s, const char *path, store_name_fn *fn, void *arg, struct err *err)
{
	return s->kind->list(s, path, fn, arg, err);
}

enum rotational store_rotational(const struct store *s)
{
	return s->kind->rotational(s);
}

bool store_space(const struct store *s, struct store_space *ret)
{
	return s->kind->space && s->kind->space(s, ret);
}
