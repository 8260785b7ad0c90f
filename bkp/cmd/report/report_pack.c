/* report_pack: bkp report pack: all forms of one moment in a folder that is whole or not there; see report.h.
 *
 *     00_目次.html (00_index.html in English)  what is in it, with the SHA-256 of each file
 *     NN_NAME.html .csv .json                  the forms; a clinic's pages are three, all in the first file
 *     SHA256SUMS                               of all these files
 *     SHA256SUMS.minisig                       by the key of the epoch in which the pack was made, and
 *     keys.jsonl                               how that key follows from the root key (docs/format.md, section 2)
 *
 * The last two are there where a pack is made on the host: a medium holds no secret.  Everything listed in SHA256SUMS follows from the
 * journal up to the record that the feet name, the policy that was in force then, and the moment: another pack of that moment is the
 * same to the byte.  The folder is written under a temporary name, made durable, and renamed: whoever finds it finds all of it; what a killed
 * command left is `.NAME.tmp` beside it, and the next one takes it away. */
#include "cmd/report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "cmd/app/outcome.h"
#include "format/crypto/digest.h"
#include "format/crypto/minisig.h"
#include "format/medium/generation.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"
#include "write/state/state.h"

#define SHOW	 256
#define NAME	 96
#define LIST_MAX ((size_t)64 << 10)
#define LINE	 512

struct pack {
	const struct report *r;
	const struct report_pack_wish *w;
	const struct form *forms[FORM_MAX];
	json_t *rows[FORM_MAX];
	size_t n;
	int parent, dir; /* of the folder that is made, and of the one that it is made in */
	char tmp[NAME_MAX + 1], name[NAME_MAX + 1];
	struct report_pack_file files[3 * FORM_MAX];
	size_t n_files;
	struct buf sums;
};

/* ---- files ---- */

static int pack_file(
    struct pack *p, const char *name, const struct form *f, const struct buf *b, struct err *err)
{
	struct report_pack_file *file = &p->files[p->n_files];
	uint8_t sha256[DIGEST_LEN];

	digest_sha256(b->p, b->n, sha256);
	snprintf(file->name, sizeof(file->name), "%s", name);
	digest_hex(sha256, DIGEST_LEN, file->sha256);
	file->form = f;
	p->n_files++;
	return io_write_new(p->dir, name, 0600, b->p, b->n, err);
}

static int put_json(struct pack *p, const char *name, const struct form *f, json_t *o, struct err *err)
{
	BUF_AUTO b = BUF_INIT(REPORT_MAX);
	char *line = o ? json_dumps(o, JSON_INDENT(1)) : NULL;
	int r = line ? buf_puts(&b, line, err) || buf_puts(&b, "\n", err) : err_nomem(err);

	free(line);
	json_decref(o);
	return r ? -1 : pack_file(p, name, f, &b, err);
}

static int put_form(struct pack *p, size_t i, struct err *err)
{
	const struct form *f = p->forms[i];
	BUF_AUTO html = BUF_INIT(REPORT_MAX);
	BUF_AUTO csv = BUF_INIT(REPORT_MAX);
	char name[NAME];

	snprintf(name, sizeof(name), "%s_%s.html", f->number, f->name);
	if (!p->w->clinic &&
	    (report_html(p->r, f, p->rows[i], &html, err) || pack_file(p, name, f, &html, err)))
		return -1;
	snprintf(name, sizeof(name), "%s_%s.csv", f->number, f->name);
	if (report_csv(f, p->rows[i], &csv, err) || pack_file(p, name, f, &csv, err))
		return -1;
	snprintf(name, sizeof(name), "%s_%s.json", f->number, f->name);
	return put_json(p, name, f, report_json(p->r, f, p->rows[i]), err);
}

/* The first file names the others; SHA256SUMS names all. */
static int put_index(struct pack *p, struct err *err)
{
	const struct report_index index = {
	    p->files, p->n_files, p->forms, p->rows, p->n, p->w->signer, p->w->clinic};
	BUF_AUTO html = BUF_INIT(REPORT_MAX);

	return report_index_html(p->r, &index, &html, err) ||
		       pack_file(
			   p, text_lang() == TEXT_JA ? "00_目次.html" : "00_index.html", NULL, &html, err)
		   ? -1
		   : 0;
}

static int put_sums(struct pack *p, struct err *err)
{
	for (size_t i = 0; i < p->n_files; i++)
		if (buf_printf(&p->sums, err, "%s  %s\n", p->files[i].sha256, p->files[i].name))
			return -1;
	return io_write_new(p->dir, "SHA256SUMS", 0600, p->sums.p, p->sums.n, err);
}

/* By the key that signs the journal now; and the way to it from the root key. */
static int put_signature(struct pack *p, const struct state *s, struct err *err)
{
	BUF_AUTO sig = BUF_INIT(LIST_MAX);
	char comment[MINISIG_COMMENT_MAX];
	size_t n;
	const uint8_t *links = ledger_links(state_ledger(s), &n);

	snprintf(comment, sizeof(comment), "bkp:1 kind=pack repository=%s record=%ju",
	    ledger_repository(p->r->l), (uintmax_t)ledger_seq(p->r->l));
	if (minisig_sign(state_signing(s), p->sums.p, p->sums.n, comment, &sig, err))
		return -1;
	return io_write_new(p->dir, "SHA256SUMS.minisig", 0600, sig.p, sig.n, err) ||
		       io_write_new(p->dir, "keys.jsonl", 0600, links, n, err)
		   ? -1
		   : 0;
}

/* ---- the folder ---- */

static int drop_file(void *arg, const char *name, struct err *err)
{
	return unlinkat(*(int *)arg, name, 0)
		   ? err_sys(err, "E-IO-03", errno, text("cannot remove '%s'"), name)
		   : 0;
}

/* What a command that died left behind, which is files alone. */
static int drop_folder(struct pack *p, struct err *err)
{
	IO_FD_AUTO old = openat(p->parent, p->tmp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (old < 0)
		return 0;
	if (io_each_name(old, drop_file, &old, err))
		return -1;
	return unlinkat(p->parent, p->tmp, AT_REMOVEDIR)
		   ? err_sys(err, "E-IO-03", errno, text("cannot remove '%s'"), p->tmp)
		   : 0;
}

static int taken(const struct pack *p, struct err *err)
{
	char show[SHOW];

	err_set(err, "E-REPORT-01", text("'%s' exists already and is not overwritten"),
	    path_show(p->w->out, show, sizeof(show)));
	return err_hint(err, "%s", text("name another folder"));
}

static int begin_folder(struct pack *p, struct err *err)
{
	char path[PATH_MAX], *slash;
	struct stat st;

	if (snprintf(path, sizeof(path), "%s", p->w->out) >= (int)sizeof(path))
		return err_sys(err, "E-IO-01", ENAMETOOLONG, text("cannot open '%s'"), p->w->out);
	for (size_t n = strlen(path); n > 1 && path[n - 1] == '/'; n--)
		path[n - 1] = '\0';
	slash = strrchr(path, '/');
	snprintf(p->name, sizeof(p->name), "%.*s", NAME_MAX - 8, slash ? slash + 1 : path);
	snprintf(p->tmp, sizeof(p->tmp), ".%.*s.tmp", NAME_MAX - 8, p->name);
	if (slash)
		slash[slash == path] = '\0';
	p->parent = open(slash ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (p->parent < 0)
		return err_sys(
		    err, "E-IO-07", errno, text("cannot open the folder '%s'"), slash ? path : ".");
	if (!fstatat(p->parent, p->name, &st, AT_SYMLINK_NOFOLLOW))
		return taken(p, err);
	if (drop_folder(p, err))
		return -1;
	if (mkdirat(p->parent, p->tmp, 0700))
		return err_sys(err, "E-IO-07", errno, text("cannot make the folder '%s'"), p->tmp);
	p->dir = io_open_dir(p->parent, p->tmp, err);
	return p->dir < 0 ? -1 : 0;
}

static int end_folder(const struct pack *p, struct err *err)
{
	int r;

	if (io_sync_dir(p->dir, err))
		return -1;
	r = io_rename_new(p->parent, p->tmp, p->parent, p->name, err);
	return r == IO_EXISTS ? taken(p, err) : r ? -1 : io_sync_dir(p->parent, err);
}

/* s: NULL: nothing signs. */
static int write_pack(struct pack *p, const struct state *s, struct err *err)
{
	int r = begin_folder(p, err);

	for (size_t i = 0; i < p->n && !r; i++)
		r = put_form(p, i, err);
	r = r || put_index(p, err) || put_sums(p, err) || (s && put_signature(p, s, err)) ||
	    end_folder(p, err);
	if (r && p->dir >= 0)
		(void)drop_folder(p, NULL);
	return r ? -1 : 0;
}

/* ---- the command ---- */

static int check_signer(const struct report *r, const char *name, struct err *err)
{
	if (!name || !r->policy->n_people || policy_find_person(r->policy, name))
		return 0;
	err_set(err, "E-REPORT-02", text("'%s' is none of the policy's people: nobody of that name can sign"),
	    name);
	return err_hint(err, "%s", text("see 'people' in the policy of then"));
}

/* All but those that cannot be printed yet: each is named, and why. */
static bool choose_forms(struct pack *p)
{
	bool left_out = false;

	for (size_t i = 0; form_nth(i); i++) {
		const struct form *f = form_nth(i);
		struct err err = ERR_INIT;

		if (f->refuses && f->refuses(p->r, &err)) {
			err_wrap(&err, text("left out: %s %s"), f->number, text(f->title));
			(void)app_error(&err, APP_ATTENTION);
			left_out = true;
		} else {
			p->forms[p->n++] = f;
		}
	}
	return left_out;
}

static int make_pack(
    const struct report *r, const struct report_pack_wish *w, const struct state *s, char sha256[DIGEST_HEX])
{
	struct pack p = {.r = r, .w = w, .parent = -1, .dir = -1};
	struct err err = ERR_INIT;
	uint8_t sum[DIGEST_LEN];
	bool left_out;
	int code;

	if (check_signer(r, w->signer, &err))
		return app_error(&err, APP_USAGE);
	left_out = choose_forms(&p);
	code = form_rows(r, p.forms, p.n, p.rows);
	if (code)
		return code;
	buf_init(&p.sums, LIST_MAX);
	if (write_pack(&p, s, &err))
		code = app_error(&err, APP_FAILED);
	digest_sha256(p.sums.p, p.sums.n, sum);
	digest_hex(sum, DIGEST_LEN, sha256);
	buf_free(&p.sums);
	for (size_t i = 0; i < p.n; i++)
		json_decref(p.rows[i]);
	io_close_quietly(&p.dir);
	io_close_quietly(&p.parent);
	return code ? code : left_out ? APP_ATTENTION : APP_OK;
}

/* The journal names each pack: an auditor sees which were made, of which moment, and that this is one of them. */
static int record_pack(
    struct state *s, const struct report *r, const struct report_pack_wish *w, const char *sha256)
{
	struct err err = ERR_INIT;
	char at[CLOCK_TEXT];

	return state_append(s, "pack",
		   json_pack("{s:s, s:I, s:s, s:s, s:s*}", "at", clock_format(r->now_ns, at), "upto",
		       (json_int_t)ledger_seq(r->l), "profile", w->clinic ? "clinic" : "hospital",
		       "sums_sha256", sha256, "signer", w->signer),
		   &err)
		   ? app_error(&err, APP_FAILED)
		   : APP_OK;
}

static void tell(
    const struct app *app, const struct report *r, const struct report_pack_wish *w, const char *sha256)
{
	char at[CLOCK_TEXT], show[SHOW];

	if (app->quiet)
		return;
	printf(text("'%s': all forms as of %s, from the journal up to record %ju\n"),
	    path_show(w->out, show, sizeof(show)), clock_format_local(r->now_ns, at),
	    (uintmax_t)ledger_seq(r->l));
	printf(text("SHA-256 of SHA256SUMS: %s\n"), sha256);
}

/* The moment is over when the first record behind it is written: made again for that moment, the pack does not hold it. */
static void let_moment_pass(int64_t at_ns)
{
	struct clock_stamp now;
	const struct timespec little = {0, 20000000};

	for (clock_now(&now); now.wall_ns / SECOND_NS == at_ns / SECOND_NS; clock_now(&now))
		nanosleep(&little, NULL);
}

static int pack_of_medium(struct app *app, const struct report_wish *from, const struct report_pack_wish *w)
{
	struct report_source *source;
	char sha256[DIGEST_HEX];
	int code = report_open(app, from, &source);

	if (code)
		return code;
	code = make_pack(report_of(source), w, NULL, sha256);
	if (code <= APP_ATTENTION)
		tell(app, report_of(source), w, sha256);
	report_close(source);
	return app_flush(code);
}

static int pack_signed(struct app *app, const struct report_wish *from, const struct report_pack_wish *w,
    struct state *s, char *line, size_t size)
{
	struct report_source *source;
	char sha256[DIGEST_HEX];
	int code = report_open(app, from, &source);

	if (code) {
		snprintf(line, size, "%s", text("the pack was refused"));
		return code;
	}
	code = make_pack(report_of(source), w, s, sha256);
	let_moment_pass(report_of(source)->now_ns);
	if (code <= APP_ATTENTION && record_pack(s, report_of(source), w, sha256))
		code = APP_FAILED;
	if (code <= APP_ATTENTION)
		tell(app, report_of(source), w, sha256);
	snprintf(line, size, "%s",
	    code > APP_ATTENTION ? text("no pack was made")
	    : code		 ? text("a pack was made, without forms that cannot be printed yet")
				 : text("a pack of all forms was made"));
	report_close(source);
	return app_flush(code);
}

int report_pack(struct app *app, const struct report_wish *from, const struct report_pack_wish *w)
{
	POLICY_AUTO policy = NULL;
	struct state *s = NULL;
	char line[LINE];
	int code;

	if (from->medium)
		return pack_of_medium(app, from, w);
	code = app_policy(app, &policy);
	if (code)
		return code;
	app_act(app, "report pack", "operator", NULL);
	code = app_state(app, policy, &s);
	if (code)
		return code;
	code = pack_signed(app, from, w, s, line, sizeof(line));
	code = outcome_record(app, s, "report pack", code, line);
	state_close(s);
	return code;
}
