/* medium_docs: see medium_docs.h.  This file: the order of things, files and seals, tools/. */
#include "write/medium_docs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/generation.h"
#include "format/minisig.h"
#include "read/medium.h"
#include "read/repository.h"
#include "write/medium_docs_private.h"
#include "write/state.h"

#define TOOL_MAX  ((size_t)64 << 20) /* a static program has about 5 MiB */
#define TOOLS_MAX ((size_t)4096)     /* SHA256SUMS of tools/ */
#define SIG_MAX	  ((size_t)4096)
#define SHOW	  256

void medium_docs_miss(struct medium_docs *d, const struct err *why)
{
	if (!d->faulty && d->why)
		*d->why = *why;
	d->faulty = true;
}

int medium_docs_cannot(const struct medium_docs *d, struct err *err)
{
	err_wrap(err, text("what medium '%s' carries for people cannot be written"), medium_label(d->medium));
	if (err)
		snprintf(err->code, sizeof(err->code), "%s", "E-DOCS-01");
	return err_hint(err, "%s",
	    text("see that it is mounted for writing and not full, and that nothing else stands there"));
}

/* Are these bytes there already?  Whatever else stands under the name is replaced, never written into. */
static bool is_there(int dir, const char *name, mode_t mode, const void *p, size_t n)
{
	BUF_AUTO there = BUF_INIT(n);
	IO_FD_AUTO fd = -1;
	struct stat st;

	if (io_read_file(dir, name, &there, NULL) || there.n != n || (n && memcmp(there.p, p, n) != 0))
		return false;
	/* modes are kept in shape where the file system has any (FAT has none) */
	fd = io_open_file(dir, name, NULL);
	if (fd >= 0 && !fstat(fd, &st) && (st.st_mode & 07777) != mode)
		(void)!fchmod(fd, mode);
	return true;
}

int medium_docs_file(const struct medium_docs *d, int dir, const char *name, mode_t mode, const void *p,
    size_t n, struct err *err)
{
	if (is_there(dir, name, mode, p, n))
		return 0;
	return io_replace(dir, name, mode, p, n, err) ? medium_docs_cannot(d, err) : 0;
}

/* A list that stands there signed, by the key of whatever epoch, is not signed again every night. */
static bool is_sealed(const struct medium_docs *d, int dir, const char *comment, const void *list, size_t n)
{
	BUF_AUTO sig = BUF_INIT(SIG_MAX);
	char said[MINISIG_COMMENT_MAX];
	size_t n_keys;
	const struct minisig_public *keys = state_keys(d->state, &n_keys);

	return is_there(dir, MEDIUM_DOCS_SUMS, 0444, list, n) &&
	       !io_read_file(dir, MEDIUM_DOCS_SUMS ".minisig", &sig, NULL) &&
	       !minisig_verify_one_of(keys, n_keys, list, n, (const char *)sig.p, sig.n, said, NULL, NULL) &&
	       !strcmp(said, comment) && is_there(dir, MEDIUM_DOCS_SUMS ".minisig", 0444, sig.p, sig.n);
}

int medium_docs_seal(
    const struct medium_docs *d, int dir, const char *kind, const struct buf *sums, struct err *err)
{
	const void *list = sums->n ? (const char *)sums->p : ""; /* an empty list is a list */
	BUF_AUTO sig = BUF_INIT(SIG_MAX);
	char comment[MINISIG_COMMENT_MAX];

	repository_comment(kind, state_repository(d->state), comment);
	if (is_sealed(d, dir, comment, list, sums->n))
		return 0;
	if (minisig_sign(state_signing(d->state), list, sums->n,
		comment, &sig, err))
		return -1;
	if (medium_docs_file(d, dir, MEDIUM_DOCS_SUMS, 0444, list, sums->n, err))
		return -1;
	return medium_docs_file(d, dir, MEDIUM_DOCS_SUMS ".minisig", 0444, sig.p, sig.n, err);
}

/* ---- tools/ ---- */

struct tool {
	const char *name;
	mode_t mode;
	bool program; /* the static one: not every build has it */
};

/* Ascending, as SHA256SUMS is. */
static const struct tool tools[] = {
    {"FORMAT.md", 0444, false}, {"bkp-restore", 0555, true}, {"rescue.py", 0555, false}};

/* 0, 1 not to be had (told), -1 the medium. */
static int put_tool(
    struct medium_docs *d, int source, int dir, const struct tool *t, struct buf *sums, struct err *err)
{
	BUF_AUTO b = BUF_INIT(TOOL_MAX);
	char show[SHOW];
	uint8_t sha256[DIGEST_LEN];
	struct err why = ERR_INIT;
	int r = io_read_file(source, t->name, &b, &why);

	if (r == IO_ABSENT && t->program)
		return 1;
	if (r) {
		err_wrap(&why, text("the tools for media in '%s' are not complete"),
		    path_show(d->from->tools, show, sizeof(show)));
		snprintf(why.code, sizeof(why.code), "%s", "E-DOCS-03");
		err_hint(&why, "%s", text("install bkp again"));
		medium_docs_miss(d, &why);
		return 1;
	}
	if (medium_docs_file(d, dir, t->name, t->mode, b.p, b.n, err))
		return -1;
	digest_sha256(b.p, b.n, sha256);
	return generation_sums_add(sums, sha256, t->name, err);
}

static int put_tools(struct medium_docs *d, struct err *err)
{
	IO_FD_AUTO source = -1;
	IO_FD_AUTO dir = -1;
	BUF_AUTO sums = BUF_INIT(TOOLS_MAX);
	struct err why = ERR_INIT;
	char show[SHOW];
	size_t i;

	if (!d->from->tools)
		return 0;
	source = open(d->from->tools, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source < 0) {
		err_sys(&why, "E-DOCS-03", errno,
		    text("the folder '%s' with the tools for media cannot be opened"),
		    path_show(d->from->tools, show, sizeof(show)));
		err_hint(&why, "%s", text("install bkp again"));
		medium_docs_miss(d, &why);
		return 0;
	}
	dir = io_make_dir(medium_dirfd(d->medium), MEDIUM_DOCS_TOOLS, 0755, err);
	if (dir < 0)
		return medium_docs_cannot(d, err);
	for (i = 0; i < sizeof(tools) / sizeof(*tools); i++) {
		int r = put_tool(d, source, dir, &tools[i], &sums, err);

		if (r < 0)
			return -1;
		d->ret->tools = d->ret->tools || (r == 0 && tools[i].program);
	}
	if (medium_docs_seal(d, dir, "tools", &sums, err))
		return -1;
	d->sealed_tools = true;
	return 0;
}

int medium_docs_put(struct state *s, const struct policy *policy, const struct medium *m,
    const struct medium_docs_sources *from, struct medium_docs_result *ret, struct err *why, struct err *err)
{
	struct medium_docs_result result = {0};
	struct medium_docs d = {
	    .state = s, .policy = policy, .medium = m, .from = from, .ret = &result, .why = why};

	/* README.txt last: it speaks of what is there */
	if (put_tools(&d, err) || medium_docs_procedures(&d, err) || medium_docs_readme(&d, err))
		return -1;
	if (io_sync_dir(medium_dirfd(m), err))
		return medium_docs_cannot(&d, err);
	*ret = result;
	return 0;
}
