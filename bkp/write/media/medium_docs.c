/* medium_docs: see medium_docs.h.  This file: the order of things, files and seals, tools/.
 *
 * A text and its signature are two files and cannot be replaced in one step.  So NAME.next first holds both that will
 * be (announce()), then the text, then the signature, then NAME.next goes: at every moment a reader finds a text that
 * is signed, in its place or announced.  For tools/ and procedures/ that text is their SHA256SUMS, announced before
 * the first file of the folder changes. */
#include "write/media/medium_docs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "format/medium/generation.h"
#include "read/ledger/ledger.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/repository.h"
#include "write/media/medium_docs_private.h"
#include "write/media/replaced.h"
#include "write/put/store_w.h"
#include "write/state/state.h"

#define TOOL_MAX  ((size_t)64 << 20) /* a static program has about 5 MiB */
#define TOOLS_MAX ((size_t)4096)     /* SHA256SUMS of tools/ */
#define SIG_MAX	  ((size_t)4096)
#define TEXT_MAX  ((size_t)1 << 20) /* README.txt, SHA256SUMS */
#define SHOW	  256
#define PATH	  512 /* bytes of a path on the medium */

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

/* A file of one kind of papers on the medium. */
static const char *path_of(
    const struct medium_docs *d, const char *kind, const char *name, const char *suffix, char path[PATH])
{
	bool procedure = !strcmp(kind, MEDIUM_DOCS_PROCEDURES) || !strcmp(kind, MEDIUM_DOCS_POLICY);
	bool tool = !strcmp(kind, MEDIUM_DOCS_TOOLS);

	snprintf(path, PATH, "%s%s%s%s%s%s", procedure ? state_repository(d->state) : "",
	    procedure ? "/" : "", procedure || tool ? kind : "", procedure || tool ? "/" : "", name, suffix);
	return path;
}

/* A text that is signed: itself, its signature, what announces both. */
struct signed_text {
	char path[PATH], sig[PATH], next[PATH];
	char comment[MINISIG_COMMENT_MAX];
};

static struct signed_text text_of(const struct medium_docs *d, const char *kind, const char *name)
{
	struct signed_text t;

	path_of(d, kind, name, "", t.path);
	path_of(d, kind, name, ".minisig", t.sig);
	path_of(d, kind, name, ".next", t.next);
	repository_comment(kind, state_repository(d->state), t.comment);
	return t;
}

/* Are these bytes there already?  Whatever else stands under the name is replaced, never written into. */
static bool is_there(const struct medium_docs *d, const char *path, mode_t mode, const void *p, size_t n)
{
	return store_w_holds(medium_store(d->medium), path, mode, p, n);
}

static int put_bytes(
    const struct medium_docs *d, const char *path, mode_t mode, const void *p, size_t n, struct err *err)
{
	if (is_there(d, path, mode, p, n))
		return 0;
	return store_w_replace(medium_store(d->medium), path, mode, p, n, err) ? medium_docs_cannot(d, err)
									       : 0;
}

/* By the key of whatever epoch. */
static bool is_signed(
    const struct medium_docs *d, const char *comment, const void *p, size_t n, const void *sig, size_t n_sig)
{
	char said[MINISIG_COMMENT_MAX];
	size_t n_keys;
	const struct minisig_public *keys = state_keys(d->state, &n_keys);

	return !minisig_verify_one_of(keys, n_keys, p, n, sig, n_sig, said, NULL, NULL) &&
	       !strcmp(said, comment);
}

/* What stands there signed is not signed again every run. */
static bool is_sealed(const struct medium_docs *d, const struct signed_text *t, const void *list, size_t n)
{
	BUF_AUTO sig = BUF_INIT(SIG_MAX);

	return is_there(d, t->path, 0444, list, n) &&
	       !store_read(medium_store(d->medium), t->sig, &sig, NULL) &&
	       is_signed(d, t->comment, list, n, sig.p, sig.n) && is_there(d, t->sig, 0444, sig.p, sig.n);
}

/* The signature in NAME.next, when that announces these bytes. */
static bool is_announced(
    const struct medium_docs *d, const struct signed_text *t, const void *p, size_t n, struct buf *ret_sig)
{
	BUF_AUTO there = BUF_INIT(n + SIG_MAX);
	size_t lines;

	if (store_read(medium_store(d->medium), t->next, &there, NULL))
		return false;
	lines = minisig_lines((const char *)there.p, there.n);
	return lines && there.n - lines == n && (!n || !memcmp(there.p + lines, p, n)) &&
	       is_signed(d, t->comment, p, n, there.p, lines) && !buf_append(ret_sig, there.p, lines, NULL);
}

/* A text and its signature cannot be replaced in one step: what both will be stands in one file first. */
static int announce(const struct medium_docs *d, const struct signed_text *t, const void *p, size_t n,
    struct buf *ret_sig, struct err *err)
{
	BUF_AUTO both = BUF_INIT(n + SIG_MAX);

	if (is_announced(d, t, p, n, ret_sig))
		return 0;
	ret_sig->n = 0;
	if (minisig_sign(state_signing(d->state), p, n, t->comment, ret_sig, err) ||
	    buf_append(&both, ret_sig->p, ret_sig->n, err) || buf_append(&both, p, n, err))
		return -1;
	return put_bytes(d, t->next, 0444, both.p, both.n, err);
}

static int forget_next(const struct medium_docs *d, const struct signed_text *t, struct err *err)
{
	return store_w_withdraw(medium_store(d->medium), t->next, err) ? medium_docs_cannot(d, err) : 0;
}

/* ---- what stands there, before it is replaced: did we write it? ---- */

/* Has it no content, or is it not there at all?  *out gets what there is of a file that can be read. */
static bool is_nothing(const struct medium_docs *d, const char *path, struct buf *out, bool *ret_read)
{
	int r = store_read(medium_store(d->medium), path, out, NULL);

	*ret_read = !r;
	return r == STORE_ABSENT || (!r && !out->n);
}

/* The text that a run which died has announced. */
static void look_at_next(const struct medium_docs *d, const struct signed_text *t, struct buf *out)
{
	BUF_AUTO there = BUF_INIT(TEXT_MAX);
	size_t lines;
	bool read;

	if (is_nothing(d, t->next, &there, &read))
		return;
	lines = read ? minisig_lines((const char *)there.p, there.n) : 0;
	if (!lines || !is_signed(d, t->comment, there.p + lines, there.n - lines, there.p, lines))
		replaced_add(d->replaced, t->next);
	else
		(void)!buf_append(out, there.p + lines, there.n - lines, NULL);
}

/* The signed text in its place and the announced one; p are the bytes that will stand there.  out: those that
 * we wrote, one after the other. */
static void look_at_text(
    const struct medium_docs *d, const struct signed_text *t, const void *p, size_t n, struct buf *out)
{
	BUF_AUTO there = BUF_INIT(TEXT_MAX);
	BUF_AUTO sig = BUF_INIT(SIG_MAX);
	bool read, unsigned_, announced;

	look_at_next(d, t, out);
	if (is_nothing(d, t->path, &there, &read))
		return;
	announced = read && there.n == out->n && !memcmp(there.p, out->p, there.n);
	unsigned_ = is_nothing(d, t->sig, &sig, &(bool){0});
	if (announced)
		return;
	if (read && !unsigned_ && is_signed(d, t->comment, there.p, there.n, sig.p, sig.n))
		(void)!buf_append(out, there.p, there.n, NULL);
	else if (!read || there.n != n || memcmp(there.p, p, n) != 0)
		replaced_add(d->replaced, t->path);
	else if (!unsigned_)
		replaced_add(d->replaced, t->sig);
}

/* Does a list that we wrote have these bytes under that name, or not the name at all?  What is not listed
 * counts for nobody. */
static bool is_vouched(const struct medium_docs *d, const char *name, const struct buf *bytes)
{
	BUF_AUTO line = BUF_INIT(SIG_MAX);
	uint8_t sha256[DIGEST_LEN];
	char end[SHOW];

	snprintf(end, sizeof(end), "  %s\n", name);
	digest_sha256(bytes->p, bytes->n, sha256);
	return d->vouched.n &&
	       (!strstr((const char *)d->vouched.p, end) ||
		   (!generation_sums_add(&line, sha256, name, NULL) && !buf_terminate(&line, NULL) &&
		       strstr((const char *)d->vouched.p, (const char *)line.p)));
}

int medium_docs_listed(const struct medium_docs *d, const char *kind, const char *name, mode_t mode,
    const void *p, size_t n, struct err *err)
{
	BUF_AUTO there = BUF_INIT(TOOL_MAX);
	char path[PATH];
	bool read;

	if (is_there(d, path_of(d, kind, name, "", path), mode, p, n))
		return 0;
	if (!is_nothing(d, path, &there, &read) && (!read || !is_vouched(d, name, &there)))
		replaced_add(d->replaced, path);
	return put_bytes(d, path, mode, p, n, err);
}

int medium_docs_announce(struct medium_docs *d, const char *kind, const struct buf *sums, struct err *err)
{
	const struct signed_text t = text_of(d, kind, MEDIUM_DOCS_SUMS);
	const void *list = sums->n ? (const char *)sums->p : "";
	BUF_AUTO sig = BUF_INIT(SIG_MAX);

	d->vouched.n = 0;
	look_at_text(d, &t, list, sums->n, &d->vouched);
	if (buf_terminate(&d->vouched, err))
		return -1;
	if (is_sealed(d, &t, list, sums->n))
		return 0;
	return announce(d, &t, list, sums->n, &sig, err);
}

static int put_signed(
    const struct medium_docs *d, const struct signed_text *t, const void *p, size_t n, struct err *err)
{
	BUF_AUTO sig = BUF_INIT(SIG_MAX);

	if (is_sealed(d, t, p, n))
		return forget_next(d, t, err);
	if (announce(d, t, p, n, &sig, err) || put_bytes(d, t->path, 0444, p, n, err) ||
	    put_bytes(d, t->sig, 0444, sig.p, sig.n, err))
		return -1;
	return forget_next(d, t, err);
}

int medium_docs_signed(
    const struct medium_docs *d, const char *kind, const char *name, const void *p, size_t n, struct err *err)
{
	const struct signed_text t = text_of(d, kind, name);
	BUF_AUTO ours = BUF_INIT(2 * TEXT_MAX);

	look_at_text(d, &t, p, n, &ours);
	return put_signed(d, &t, p, n, err);
}

int medium_docs_seal(const struct medium_docs *d, const char *kind, const struct buf *sums, struct err *err)
{
	const struct signed_text t = text_of(d, kind, MEDIUM_DOCS_SUMS);
	const void *list = sums->n ? (const char *)sums->p : ""; /* an empty list is a list */

	if (json_object_set_new(d->listed, kind, json_stringn(list, sums->n)))
		return err_nomem(err);
	return put_signed(d, &t, list, sums->n, err);
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

#define N_TOOLS (sizeof(tools) / sizeof(*tools))

/* One line of SHA256SUMS; 0, IO_ABSENT, -1. */
static int read_tool(int source, const struct tool *t, struct buf *bytes, struct buf *line, struct err *err)
{
	uint8_t sha256[DIGEST_LEN];
	int r = io_read_file(source, t->name, bytes, err);

	if (r)
		return r;
	digest_sha256(bytes->p, bytes->n, sha256);
	return generation_sums_add(line, sha256, t->name, err) || buf_terminate(line, err) ? -1 : 0;
}

int medium_docs_tools(const char *folder, struct buf *ret_sums, struct err *err)
{
	IO_FD_AUTO source = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (source < 0)
		return err_sys(err, "E-DOCS-03", errno,
		    text("the folder '%s' with the tools for media cannot be opened"), folder);
	for (size_t i = 0; i < N_TOOLS; i++) {
		BUF_AUTO b = BUF_INIT(TOOL_MAX);

		if (read_tool(source, &tools[i], &b, ret_sums, err) < 0)
			return -1;
	}
	return 0;
}

/* Built with this program, or accepted by a person. */
static bool is_known(const struct medium_docs *d, const char *line)
{
	return (d->from->built && strstr(d->from->built, line)) ||
	       strstr(ledger_tools_accepted(state_ledger(d->state)), line);
}

static void miss_tool(struct medium_docs *d, struct err *why)
{
	char show[SHOW];

	err_wrap(why, text("the tools for media in '%s' are not complete"),
	    path_show(d->from->tools, show, sizeof(show)));
	snprintf(why->code, sizeof(why->code), "%s", "E-DOCS-03");
	err_hint(why, "%s", text("install bkp again"));
	medium_docs_miss(d, why);
}

/* Nothing of tools/ is touched: what stands there keeps its signature.  Is there any? */
static bool keep_tools(struct medium_docs *d)
{
	const struct store *s = medium_store(d->medium);

	d->ret->tools = store_has(s, MEDIUM_DOCS_TOOLS "/bkp-restore");
	d->sealed_tools = store_has(s, MEDIUM_DOCS_TOOLS "/" MEDIUM_DOCS_SUMS);
	return d->sealed_tools;
}

static void refuse_tool(struct medium_docs *d, const char *name)
{
	struct err why = ERR_INIT;
	char show[SHOW];

	err_set(&why, "E-DOCS-04",
	    text("'%s' in '%s' is not the one this bkp was built with: the tools on the media stay as they "
		 "are"),
	    name, path_show(d->from->tools, show, sizeof(show)));
	err_hint(&why, "%s",
	    text("somebody changed it: install bkp again; if it was changed on purpose, 'bkp accept --tools "
		 "--operator NAME --reason TEXT'"));
	medium_docs_miss(d, &why);
	(void)keep_tools(d);
}

static int put_read(struct medium_docs *d, const struct buf bytes[N_TOOLS], const bool there[N_TOOLS],
    const struct buf *sums, struct err *err)
{
	if (store_w_make_folder(medium_store(d->medium), MEDIUM_DOCS_TOOLS, err))
		return medium_docs_cannot(d, err);
	if (medium_docs_announce(d, MEDIUM_DOCS_TOOLS, sums, err))
		return -1;
	for (size_t i = 0; i < N_TOOLS; i++)
		if (there[i] && medium_docs_listed(d, MEDIUM_DOCS_TOOLS, tools[i].name, tools[i].mode,
				    bytes[i].p, bytes[i].n, err))
			return -1;
	if (medium_docs_seal(d, MEDIUM_DOCS_TOOLS, sums, err))
		return -1;
	d->sealed_tools = true;
	return 0;
}

/* The bytes that were looked at are those that are written. */
static int put_each(struct medium_docs *d, int source, struct buf bytes[N_TOOLS], struct err *err)
{
	BUF_AUTO sums = BUF_INIT(TOOLS_MAX);
	bool there[N_TOOLS] = {false}, missed = false;

	for (size_t i = 0; i < N_TOOLS; i++) {
		BUF_AUTO line = BUF_INIT(TOOLS_MAX);
		struct err why = ERR_INIT;
		int r = read_tool(source, &tools[i], &bytes[i], &line, &why);

		if (r == IO_ABSENT && tools[i].program)
			continue;
		if (r) {
			miss_tool(d, &why);
			missed = true;
			continue;
		}
		if (!is_known(d, (const char *)line.p)) {
			refuse_tool(d, tools[i].name);
			return 0;
		}
		there[i] = true;
		if (buf_puts(&sums, (const char *)line.p, err))
			return -1;
	}
	/* a list of what could be read today would disown the tool that stands there */
	if (missed && keep_tools(d))
		return 0;
	for (size_t i = 0; i < N_TOOLS; i++)
		d->ret->tools |= there[i] && tools[i].program;
	return put_read(d, bytes, there, &sums, err);
}

static int put_tools(struct medium_docs *d, struct err *err)
{
	IO_FD_AUTO source = -1;
	struct buf bytes[N_TOOLS];
	struct err why = ERR_INIT;
	char show[SHOW];
	int r;

	if (!d->from->tools)
		return 0;
	source = open(d->from->tools, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (source < 0) {
		err_sys(&why, "E-DOCS-03", errno,
		    text("the folder '%s' with the tools for media cannot be opened"),
		    path_show(d->from->tools, show, sizeof(show)));
		err_hint(&why, "%s", text("install bkp again"));
		medium_docs_miss(d, &why);
		(void)keep_tools(d);
		return 0;
	}
	for (size_t i = 0; i < N_TOOLS; i++)
		buf_init(&bytes[i], TOOL_MAX);
	r = put_each(d, source, bytes, err);
	for (size_t i = 0; i < N_TOOLS; i++)
		buf_free(&bytes[i]);
	return r;
}

/* What the medium carries now, when that is something else than was recorded last. */
static int record_docs(struct medium_docs *d, struct err *err)
{
	const struct ledger_medium *lm =
	    ledger_medium_by_uuid(state_ledger(d->state), medium_uuid(d->medium));
	char *all = json_dumps(d->listed, JSON_COMPACT | JSON_SORT_KEYS), sha256[DIGEST_HEX];
	uint8_t hash[DIGEST_LEN];

	if (!all)
		return err_nomem(err);
	digest_sha256(all, strlen(all), hash);
	free(all);
	if (!lm || !json_object_size(d->listed) ||
	    !strcmp(lm->docs_sha256, digest_hex(hash, DIGEST_LEN, sha256)))
		return 0;
	return state_append(d->state, "documents",
	    json_pack("{s:s, s:s, s:O}", "medium", lm->uuid, "sha256", sha256, "files", d->listed), err);
}

int medium_docs_put(struct state *s, const struct policy *policy, const struct medium *m,
    const struct medium_docs_sources *from, struct medium_docs_result *ret, struct replaced *replaced,
    struct err *why, struct err *err)
{
	struct medium_docs_result result = {0};
	struct medium_docs d = {.state = s,
	    .policy = policy,
	    .medium = m,
	    .from = from,
	    .ret = &result,
	    .replaced = replaced,
	    .why = why};
	int r;

	buf_init(&d.vouched, 2 * TEXT_MAX);
	d.listed = json_object();
	if (!d.listed)
		return err_nomem(err);
	/* README.txt last: it speaks of what is there */
	r = put_tools(&d, err) || medium_docs_procedures(&d, err) || medium_docs_policies(&d, err) ||
	    medium_docs_readme(&d, err) || record_docs(&d, err);
	json_decref(d.listed);
	buf_free(&d.vouched);
	if (r)
		return -1;
	if (store_w_settle(medium_store(m), MEDIUM_DOCS_README, err))
		return medium_docs_cannot(&d, err);
	*ret = result;
	return 0;
}
