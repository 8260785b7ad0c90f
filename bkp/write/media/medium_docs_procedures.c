/* medium_docs_procedures: <repository-id>/procedures/: each procedure as it was written, and as a form to be
 * printed; see medium_docs.h. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "format/procedure/procedure.h"
#include "format/procedure/procedure_html.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "write/media/medium_docs_private.h"
#include "write/put/store_w.h"

#define NAME_MAX_BYTES 200 /* without ".html": room for what store_w_replace() puts around it */
#define HTML_MAX       ((size_t)32 << 20) /* a page is a few times its document */
#define SUMS_MAX       ((size_t)8 << 20)
#define SHOW	       512

struct item {
	const char *path;
	char name[NAME_MAX_BYTES + 1]; /* base name without ".md"; "" is none */
	struct err why;		       /* when there is none */
	bool unread;		       /* it is there, and this computer could not read it now */
};

/* A file name that every file system of a medium takes, and that sha256sum writes as it is. */
static bool name_ok(const char *s, size_t n)
{
	size_t i;

	if (!n || n > NAME_MAX_BYTES || *s == '.' || s[n - 1] == ' ' || s[n - 1] == '.')
		return false;
	for (i = 0; i < n; i++)
		if ((unsigned char)s[i] < ' ' || s[i] == 0x7f || strchr("\\:*?\"<>|", s[i]))
			return false;
	return true;
}

static void take_name(struct item *it, const char *path)
{
	const char *base = strrchr(path, '/');
	char show[SHOW];
	size_t n;

	it->path = path;
	base = base ? base + 1 : path;
	n = strlen(base);
	if (n > 3 && !strcasecmp(base + n - 3, ".md"))
		n -= 3;
	if (name_ok(base, n)) {
		memcpy(it->name, base, n);
		it->name[n] = '\0';
		return;
	}
	err_set(&it->why, "E-DOCS-02", text("the procedure '%s' cannot keep its name on a medium"),
	    path_show(path, show, sizeof(show)));
	err_hint(&it->why, "%s", text("give it a shorter name without \\ : * ? \" < > |"));
}

/* Two names that are one on some file system: neither is brought, because which one would be chance. */
static void refuse_clashes(struct item *items, size_t n)
{
	size_t i, k;

	for (i = 0; i < n; i++)
		for (k = 0; k < n; k++) {
			char a[SHOW], b[SHOW];

			if (i == k || !*items[i].name || strcasecmp(items[i].name, items[k].name) != 0)
				continue;
			err_set(&items[i].why, "E-DOCS-02",
			    text("the procedures '%s' and '%s' would have one name on a medium"),
			    path_show(items[i < k ? i : k].path, a, sizeof(a)),
			    path_show(items[i < k ? k : i].path, b, sizeof(b)));
			err_hint(&items[i].why, "%s", text("rename one of them"));
			break;
		}
	for (i = 0; i < n; i++)
		if (items[i].why.code[0])
			items[i].name[0] = '\0';
}

/* A blank form.  In the policy's language, not in that of who happens to run the program: what is on a medium
 * shall not change with them. */
static int make_html(const struct policy *policy, const struct procedure *p, struct buf *out, struct err *err)
{
	enum text_lang before = text_lang();
	struct procedure_page page = {0};
	int r;

	text_set_lang(policy->lang);
	const char *const boxes[] = {text("Carried out by"), text("Witnessed by"), text("Approved by")};

	page.signatures = boxes;
	page.n_signatures = sizeof(boxes) / sizeof(*boxes);
	r = procedure_html(p, &page, out, err);
	text_set_lang(before);
	return r;
}

/* 0, or -1: why it cannot be had. */
static int read_procedure(const struct policy *policy, struct item *it, struct buf *doc, struct buf *html)
{
	const char *path = it->path;
	char *real = realpath(path, NULL); /* it may be kept behind a link, as the policy may */
	struct procedure *p = NULL;
	struct err *why = &it->why;
	char show[SHOW];
	int r = io_read_file(AT_FDCWD, real ? real : path, doc, why);

	free(real);
	it->unread = r < 0;
	if (!r)
		r = procedure_parse(path, (const char *)doc->p, doc->n, &p, NULL, why);
	if (!r)
		r = make_html(policy, p, html, why);
	procedure_free(p);
	if (!r)
		return 0;
	it->unread |= why->kind == ERR_MEMORY;
	err_wrap(
	    why, text("the procedure '%s' is not brought to the media"), path_show(path, show, sizeof(show)));
	snprintf(why->code, sizeof(why->code), "%s", "E-DOCS-02");
	return err_hint(why, "%s", text("correct the file, or take it out of 'procedures' in the policy"));
}

/* A line of SHA256SUMS to be. */
struct listed {
	char name[NAME_MAX_BYTES + 8];
	struct buf bytes;
	uint8_t sha256[DIGEST_LEN];
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct listed *)a)->name, ((const struct listed *)b)->name);
}

static void take_file(struct listed *l, const char *name, const char *suffix)
{
	snprintf(l->name, sizeof(l->name), "%s%s", name, suffix);
	digest_sha256(l->bytes.p, l->bytes.n, l->sha256);
}

/* Two lines; 0 when it cannot be had. */
static size_t read_one(struct medium_docs *d, struct item *it, struct listed two[2])
{
	buf_init(&two[0].bytes, HTML_MAX);
	buf_init(&two[1].bytes, PROCEDURE_BYTES_MAX);
	if (!*it->name || read_procedure(d->policy, it, &two[1].bytes, &two[0].bytes)) {
		buf_free(&two[0].bytes);
		buf_free(&two[1].bytes);
		d->ret->procedures_bad++;
		medium_docs_miss(d, &it->why);
		return 0;
	}
	take_file(&two[0], it->name, ".html");
	take_file(&two[1], it->name, ".md");
	if (!d->ret->procedures++)
		snprintf(d->procedure, sizeof(d->procedure), "%s", two[1].name);
	return 2;
}

static int put_listed(struct medium_docs *d, struct listed *l, size_t n, struct err *err)
{
	BUF_AUTO sums = BUF_INIT(SUMS_MAX);

	qsort(l, n, sizeof(*l), by_name);
	for (size_t i = 0; i < n; i++)
		if (generation_sums_add(&sums, l[i].sha256, l[i].name, err))
			return -1;
	if (medium_docs_announce(d, MEDIUM_DOCS_PROCEDURES, &sums, err))
		return -1;
	for (size_t i = 0; i < n; i++)
		if (medium_docs_listed(
			d, MEDIUM_DOCS_PROCEDURES, l[i].name, 0444, l[i].bytes.p, l[i].bytes.n, err))
			return -1;
	return medium_docs_seal(d, MEDIUM_DOCS_PROCEDURES, &sums, err);
}

static int put_all(struct medium_docs *d, struct item *items, size_t n, struct err *err)
{
	struct listed *l = calloc(n ? 2 * n : 1, sizeof(*l));
	bool unread = false;
	size_t lines = 0;
	int r = 0;

	if (!l)
		return err_nomem(err);
	for (size_t i = 0; i < n; i++) {
		lines += read_one(d, &items[i], &l[lines]);
		unread |= items[i].unread;
	}
	/* a list of what could be read today would disown the procedure that stands there */
	if (!unread || !store_has(medium_repo(d->medium), MEDIUM_DOCS_PROCEDURES "/" MEDIUM_DOCS_SUMS))
		r = put_listed(d, l, lines, err);
	for (size_t i = 0; i < lines; i++)
		buf_free(&l[i].bytes);
	free(l);
	return r;
}

int medium_docs_procedures(struct medium_docs *d, struct err *err)
{
	size_t n = d->policy->n_procedures, i;
	struct item *items;
	int r;

	/* what was withdrawn loses its signature, so an empty list is written where there was one */
	if (!n && !store_has(medium_repo(d->medium), MEDIUM_DOCS_PROCEDURES))
		return 0;
	if (store_w_make_folder(medium_repo(d->medium), MEDIUM_DOCS_PROCEDURES, err))
		return medium_docs_cannot(d, err);
	items = calloc(n ? n : 1, sizeof(*items));
	if (!items)
		return err_nomem(err);
	for (i = 0; i < n; i++)
		take_name(&items[i], d->policy->procedures[i]);
	refuse_clashes(items, n);
	r = put_all(d, items, n, err);
	free(items);
	return r;
}
