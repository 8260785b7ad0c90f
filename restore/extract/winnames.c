/* winnames: see winnames.h. */
#include "restore/extract/winnames.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "read/file/digestset.h"

#define NAMES_MAX ((size_t)8 << 20)
#define PATH_CAP  ((size_t)16 << 20)

struct winnames {
	struct digestset *taken; /* folder, and the name as Windows compares it */
	struct digestset *cased; /* paths of names that another one had before */
	struct buf last, key;
};

struct winnames *winnames_new(void)
{
	struct winnames *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	buf_init(&w->last, PATH_CAP);
	buf_init(&w->key, PATH_CAP);
	w->taken = digestset_new(NAMES_MAX);
	w->cased = digestset_new(NAMES_MAX);
	if (w->taken && w->cased)
		return w;
	winnames_free(w);
	return NULL;
}

void winnames_free(struct winnames *w)
{
	if (!w)
		return;
	digestset_free(w->taken);
	digestset_free(w->cased);
	buf_free(&w->last);
	buf_free(&w->key);
	free(w);
}

/* Where the component begins that ends at n. */
static size_t begin_of(const char *path, size_t n)
{
	while (n && path[n - 1] != '/')
		n--;
	return n;
}

static size_t end_of(const char *path, size_t at)
{
	return at + strcspn(path + at, "/");
}

/* The end of what both have in whole components; 0: nothing. */
static size_t common_end(const char *a, const char *b)
{
	size_t i = 0, end = 0;

	for (; a[i] && a[i] == b[i]; i++)
		if (a[i] == '/')
			end = i;
	return (!a[i] || a[i] == '/') && (!b[i] || b[i] == '/') ? i : end;
}

static int remember(struct digestset *s, const uint8_t key[DIGEST_LEN], struct err *err)
{
	int r = digestset_put(s, key, 1, err);

	if (r != DIGESTSET_FULL)
		return r;
	err_set(err, "E-RESTORE-18", "%s", text("too many entries for --windows-names"));
	return err_hint(err, "%s", text("restore it to a disk of Linux, and copy from there"));
}

/* One component, with the folders above it. */
static int add_name(struct winnames *w, const char *path, size_t n, struct err *err)
{
	char name[WINNAME_SIZE], fold[WINNAME_SIZE];
	size_t begin = begin_of(path, n);
	uint8_t key[DIGEST_LEN];

	winname_map(path + begin, n - begin, false, name);
	winname_fold(name, fold);
	w->key.n = 0;
	if (buf_append(&w->key, path, begin, err) || buf_puts(&w->key, fold, err))
		return -1;
	digestset_key_of(w->key.p, w->key.n, key);
	if (!digestset_get(w->taken, key))
		return remember(w->taken, key, err);
	digestset_key_of(path, n, key);
	return remember(w->cased, key, err);
}

int winnames_add(struct winnames *w, const char *path, struct err *err)
{
	size_t at = w->last.n ? common_end((const char *)w->last.p, path) : 0;

	while (path[at]) {
		at = end_of(path, at + (at != 0));
		if (add_name(w, path, at, err))
			return -1;
	}
	w->last.n = 0;
	return buf_puts(&w->last, path, err) || buf_terminate(&w->last, err) ? -1 : 0;
}

bool winnames_map(const struct winnames *w, const char *path, size_t n, char out[WINNAME_SIZE])
{
	size_t begin = begin_of(path, n);
	bool cased = !begin && !strncasecmp(path, WINNAMES_LIST, strlen(WINNAMES_LIST));
	uint8_t key[DIGEST_LEN];

	if (!cased && digestset_count(w->cased)) {
		digestset_key_of(path, n, key);
		cased = digestset_get(w->cased, key) != 0;
	}
	return winname_map(path + begin, n - begin, cased, out);
}

int winnames_each(const struct winnames *w, const char *before, const char *path, winnames_fn *fn, void *arg,
    struct err *err)
{
	BUF_AUTO to = BUF_INIT(PATH_CAP);
	BUF_AUTO from = BUF_INIT(PATH_CAP);
	size_t known = common_end(before, path), at = 0;
	int r = 0;

	while (!r && path[at]) {
		char name[WINNAME_SIZE];
		bool other;

		at = end_of(path, at + (at != 0));
		other = winnames_map(w, path, at, name);
		from.n = 0;
		if ((to.n && buf_puts(&to, "/", err)) || buf_puts(&to, name, err) || buf_terminate(&to, err))
			return -1;
		if (!other || at <= known)
			continue;
		if (buf_append(&from, path, at, err) || buf_terminate(&from, err))
			return -1;
		r = fn(arg, (const char *)from.p, (const char *)to.p, err);
	}
	return r;
}
