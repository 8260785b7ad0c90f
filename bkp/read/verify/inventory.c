/* inventory: see inventory.h.
 *
 * Three questions, one after the other: is each file that is signed by itself what was signed (look_signed);
 * is each file of tools/ and procedures/ what their signed list says (look_folder), and each of policy/ what its name says
 * (look_policies); is there any name that nothing accounts for (look_all_names).  Names are judged by their form alone: whether an archive of a right
 * name is needed or whole is not asked here.
 *
 * A run that dies while it replaces a signed file leaves states that are no damage, and that the next run
 * mends.  The new text and its signature are written to NAME.next first (read_next); so NAME may be old or
 * new, with or without its signature, as long as NAME.next vouches for what is there.  ".NAME.tmp" is what
 * io_replace() was writing.
 */
#include "read/verify/inventory.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/starved.h"
#include "base/text.h"
#include "format/crypto/digest.h"
#include "format/journal/journal.h"
#include "format/medium/generation.h"
#include "format/parity/parity.h"
#include "read/store/store.h"
#include "read/vault/medium.h"
#include "read/vault/periods.h"
#include "read/vault/repository.h"
#include "read/vault/vault_r.h"
#include "read/verify/inventory_parity.h"
#include "read/verify/reported.h"
#include "read/verify/verify.h"

#define SIGNED_MAX ((size_t)16 << 20) /* of a file that is signed as a whole */
#define SIG_MAX	   ((size_t)64 << 10)
#define PATH_BYTES 1024
#define SET_BYTES  128 /* of a data set's folder */
#define SHOW	   300
#define HEX	   (2 * DIGEST_LEN)

struct looking {
	const struct vault_r *v;
	const struct store *medium;
	bool complete;
	bool foreign; /* nothing else is told */
	unsigned long starved;
	inventory_fn *fn;
	void *arg;
	char repo[80]; /* "<repository-id>/" */
};

static void tell_fault(const struct looking *l, const char *dir, const char *name, enum inventory_kind kind,
    const struct err *why)
{
	struct err memory = ERR_INIT;
	char path[PATH_BYTES];

	if (l->foreign && why->kind != ERR_FOREIGN)
		return;
	if (kind != INVENTORY_UNREAD && starved_anywhere_since(l->starved)) {
		err_nomem(&memory);
		kind = INVENTORY_UNREAD;
		why = &memory;
	}
	snprintf(path, sizeof(path), "%s%s", dir, name);
	l->fn(l->arg, path, kind, why);
}

static void tell_damaged(
    const struct looking *l, const char *dir, const char *name, enum inventory_kind kind, const char *what)
{
	struct err why = ERR_INIT;
	char show[SHOW], path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s%s", dir, name);
	err_set(&why, "E-VERIFY-15", text("'%s' is not what was written: %s"),
	    path_show(path, show, sizeof(show)), what);
	tell_fault(l, dir, name, kind, &why);
}

/* A text and its signature: which of the two was changed cannot be told, so they are one fault. */
static void tell_disagreeing(
    const struct looking *l, const char *dir, const char *name, enum inventory_kind kind)
{
	struct err why = ERR_INIT;
	char show[SHOW], path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s%s", dir, name);
	path_show(path, show, sizeof(show));
	err_set(&why, "E-VERIFY-15",
	    text("'%s' and its signature '%s.minisig' do not agree: one of them is not what was written"),
	    show, show);
	tell_fault(l, dir, name, kind, &why);
}

/* What could not be opened or read: r is STORE_ABSENT or -1. */
static void tell_unread(const struct looking *l, const char *dir, const char *name, enum inventory_kind kind,
    int r, const struct err *said)
{
	struct err why = ERR_INIT;
	char show[SHOW], path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s%s", dir, name);
	path_show(path, show, sizeof(show));
	if (r != STORE_ABSENT && !err_is_unread(said)) { /* something else stands there */
		tell_damaged(l, dir, name, kind, said->msg);
	} else if (r != STORE_ABSENT) {
		err_set(&why, "E-VERIFY-03", "%s", said->msg);
		tell_fault(l, dir, name, INVENTORY_UNREAD, &why);
	} else if (l->complete) {
		err_set(&why, "E-VERIFY-17", text("'%s' is missing"), show);
		tell_fault(l, dir, name, kind, &why);
	}
}

/* ---- files that are signed ---- */

/* NAME.next: the signature and the text that NAME will have, put there before NAME is replaced.  1: `ret` is
 * that text. */
static int read_next(
    const struct looking *l, const char *dir, const char *name, const char *want, struct buf *ret)
{
	BUF_AUTO both = BUF_INIT(SIGNED_MAX + SIG_MAX);
	char path[PATH_BYTES], said[MINISIG_COMMENT_MAX];
	size_t lines;

	snprintf(path, sizeof(path), "%s%s.next", dir, name);
	if (store_read(l->medium, path, &both, NULL))
		return 0;
	lines = minisig_lines((const char *)both.p, both.n);
	return lines &&
	       !vault_r_verify_signature(
		   l->v, both.p + lines, both.n - lines, (const char *)both.p, lines, said, NULL, NULL) &&
	       !strcmp(said, want) && !buf_append(ret, both.p + lines, both.n - lines, NULL);
}

static bool is_next(
    const struct looking *l, const char *dir, const char *name, const char *want, const struct buf *data)
{
	BUF_AUTO next = BUF_INIT(SIGNED_MAX);

	return read_next(l, dir, name, want, &next) == 1 && next.n == data->n &&
	       (!next.n || !memcmp(next.p, data->p, next.n));
}

/* SIGNED: `data` is what was signed, or what was announced and stands there already.  SIGNED_NEXT: it is not
 * there yet, `data` is what was announced.  0: neither, and said why. */
enum { SIGNED = 1, SIGNED_NEXT };
static int look_signed(const struct looking *l, const char *dir, const char *name, const char *kind,
    enum inventory_kind severity, struct buf *data)
{
	BUF_AUTO sig = BUF_INIT(SIG_MAX);
	char path[PATH_BYTES], said[MINISIG_COMMENT_MAX], want[MINISIG_COMMENT_MAX], sig_name[PATH_BYTES];
	struct looking all =
	    *l; /* what stands there has its signature with it, also in a copy of some files */
	struct err why = ERR_INIT;
	bool usual;
	int r;

	all.complete = true;
	snprintf(path, sizeof(path), "%s%s", dir, name);
	snprintf(sig_name, sizeof(sig_name), "%s.minisig", name);
	repository_comment(kind, vault_r_repository(l->v), want);
	r = store_read(l->medium, path, data, &why);
	if (r == STORE_ABSENT && read_next(l, dir, name, want, data))
		return SIGNED_NEXT;
	if (r) {
		tell_unread(l, dir, name, severity, r, &why);
		return 0;
	}
	snprintf(path, sizeof(path), "%s%s", dir, sig_name);
	r = store_read(l->medium, path, &sig, &why);
	if (r == STORE_ABSENT && is_next(l, dir, name, want, data))
		return SIGNED;
	if (r) {
		tell_unread(&all, dir, sig_name, severity, r, &why);
		return 0;
	}
	why = (struct err)ERR_INIT;
	usual = minisig_is_usual((const char *)sig.p, sig.n);
	if (!usual)
		tell_damaged(l, dir, sig_name, severity,
		    text("it is not as it was written, though its signature is good"));
	if (!vault_r_verify_signature(l->v, data->p, data->n, (const char *)sig.p, sig.n, said, NULL, &why) &&
	    !strcmp(said, want))
		return SIGNED;
	if (is_next(l, dir, name, want, data))
		return SIGNED;
	if (err_is_unread(&why)) /* the key may be one that could not be read */
		tell_unread(l, dir, name, severity, -1, &why);
	else if (usual)
		tell_disagreeing(l, dir, name, severity);
	return 0;
}

/* ---- folders with a list ---- */

static bool is_text(const char *name)
{
	size_t n = strlen(name);

	return n > 3 && !strcmp(name + n - 3, ".md");
}

/* other: what it may be as well; or NULL. */
static void look_listed(const struct looking *l, const char *dir, const char *name,
    const uint8_t sha256[DIGEST_LEN], const uint8_t *other, enum inventory_kind severity)
{
	char path[PATH_BYTES];
	struct err why = ERR_INIT;
	int r;

	snprintf(path, sizeof(path), "%s%s", dir, name);
	r = verify_file(l->medium, path, sha256, true, NULL, &why);
	if (r == VERIFY_WRONG && other)
		r = verify_file(l->medium, path, other, true, NULL, &why);
	if (r == VERIFY_WRONG)
		tell_damaged(l, dir, name, severity, text("its SHA-256 is another"));
	else if (r)
		tell_unread(l, dir, name, severity, r == VERIFY_ABSENT ? STORE_ABSENT : -1, &why);
}

/* Does the signed list name it?  Its line, or NULL. */
static const char *line_of(const struct buf *sums, const char *name)
{
	size_t n = strlen(name);

	for (const char *at = (const char *)sums->p, *end = at + sums->n, *eol; at < end; at = eol + 1) {
		eol = memchr(at, '\n', (size_t)(end - at));
		if (!eol)
			return NULL;
		if ((size_t)(eol - at) == HEX + 2 + n && !memcmp(at + HEX + 2, name, n))
			return at;
	}
	return NULL;
}

static void tell_foreign(const struct looking *l, const char *dir, const char *name)
{
	struct err why = ERR_INIT;
	char show[SHOW], path[PATH_BYTES];

	snprintf(path, sizeof(path), "%s%s", dir, name);
	err_set_kind(&why, ERR_FOREIGN, "W-VERIFY-16", text("'%s' is not of bkp: nothing says what it is"),
	    path_show(path, show, sizeof(show)));
	tell_fault(l, dir, name, INVENTORY_TEXT, &why);
}

struct folder {
	const struct looking *l;
	const char *dir;
	const struct buf *sums, *next; /* names it may have; or NULL */
	bool (*may)(const char *name);
};

static bool is_known(const struct folder *f, const char *name)
{
	return (f->sums && line_of(f->sums, name)) || (f->next && line_of(f->next, name)) || f->may(name);
}

/* ".NAME.tmp": NAME as it was being written when a run died (io_replace). */
static bool is_left_over(const struct folder *f, const char *name)
{
	char inner[256];
	size_t n = strlen(name);

	if (n < 6 || n >= sizeof(inner) || *name != '.' || strcmp(name + n - 4, ".tmp") != 0)
		return false;
	snprintf(inner, sizeof(inner), "%.*s", (int)(n - 5), name + 1);
	return is_known(f, inner);
}

static int each_name(void *arg, const char *name, struct err *err)
{
	const struct folder *f = arg;

	(void)err;
	if (!is_known(f, name) && !is_left_over(f, name))
		tell_foreign(f->l, f->dir, name);
	return 0;
}

/* Names in the folder `dir` ("" or with a slash at its end) that nobody knows.  Is there such a folder? */
static bool look_names(const struct looking *l, const char *dir, const struct buf *sums,
    const struct buf *next, bool (*may)(const char *))
{
	struct folder f = {l, dir, sums, next, may};
	struct err why = ERR_INIT;
	int r = store_list(l->medium, dir, each_name, &f, &why);

	if (r && r != STORE_ABSENT && l->foreign)
		tell_foreign(l, dir, ""); /* no folder, or more names than any of ours has */
	else if (r && r != STORE_ABSENT)
		tell_unread(l, dir, "", INVENTORY_NEEDED, -1, &why);
	return !r;
}

static bool is_seal(const char *name)
{
	return !strcmp(name, "SHA256SUMS") || !strcmp(name, "SHA256SUMS.minisig");
}

static bool in_folder(const char *name)
{
	return is_seal(name) || !strcmp(name, "SHA256SUMS.next");
}

static int count_carried(void *arg, const char *name, struct err *err)
{
	const struct folder f = {.may = in_folder};

	(void)err;
	*(size_t *)arg += strcmp(name, "SHA256SUMS.next") != 0 && !is_left_over(&f, name);
	return 0;
}

/* Is anything in the folder but what announces its list?  A run that dies may leave it so. */
static bool carries_files(const struct looking *l, const char *dir)
{
	size_t n = 0;

	return store_list(l->medium, dir, count_carried, &n, NULL) < 0 || n;
}

/* One line of `sums`, without its end. */
static bool look_line(const struct looking *l, const char *dir, const char *line, size_t n,
    const struct buf *next, enum inventory_kind severity)
{
	uint8_t sha256[DIGEST_LEN], other[DIGEST_LEN];
	const char *also;
	char name[256];

	if (n <= HEX + 2 || n - HEX - 2 >= sizeof(name) || !digest_unhex(line, DIGEST_LEN, sha256))
		return false;
	snprintf(name, sizeof(name), "%.*s", (int)(n - HEX - 2), line + HEX + 2);
	also = line_of(next, name);
	look_listed(l, dir, name, sha256, also && digest_unhex(also, DIGEST_LEN, other) ? other : NULL,
	    is_text(name) ? INVENTORY_TEXT : severity);
	return true;
}

/* tools/, procedures/: SHA256SUMS signed for `kind`, and what it lists; or what the next one will list, when
 * a run died between the two. */
static void look_folder(
    const struct looking *l, const char *dir, const char *kind, enum inventory_kind severity)
{
	BUF_AUTO sums = BUF_INIT(SIGNED_MAX);
	BUF_AUTO next = BUF_INIT(SIGNED_MAX);
	struct looking lenient = *l, with_list = *l;
	char want[MINISIG_COMMENT_MAX];
	int r;

	if (carries_files(l, dir))
		with_list.complete =
		    true; /* of a tool that stands there without it nobody knows whose it is */
	else if (severity == INVENTORY_TEXT)
		return; /* a policy without procedures brings no folder for them */
	repository_comment(kind, vault_r_repository(l->v), want);
	r = look_signed(&with_list, dir, "SHA256SUMS", kind, severity, &sums);
	if (!r)
		return;
	if (r == SIGNED_NEXT) /* of the rest some may not be there yet, either */
		lenient.complete = false;
	(void)!read_next(l, dir, "SHA256SUMS", want, &next);
	for (const char *at = (const char *)sums.p, *end = at + sums.n, *eol; at < end; at = eol + 1) {
		eol = memchr(at, '\n', (size_t)(end - at));
		if (!eol || !look_line(&lenient, dir, at, (size_t)(eol - at), &next, severity)) {
			tell_damaged(l, dir, "SHA256SUMS", severity, text("it is malformed"));
			return;
		}
	}
	look_names(l, dir, &sums, &next, in_folder);
}

/* ---- names ---- */

/* Room that later versions and the site itself have. */
static bool is_reserved(const char *name)
{
	static const char *const names[] = {"parity", "policy", "rotations", "tmp", "lost+found",
	    "System Volume Information", "$RECYCLE.BIN"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return !strncmp(name, "x-", 2);
}

static bool is_one_of(const char *name, const char *const *names, size_t n)
{
	while (n--)
		if (!strcmp(name, names[n]))
			return true;
	return is_reserved(name);
}

static bool in_medium(const char *name)
{
	static const char *const names[] = {
	    MEDIUM_JSON, MEDIUM_SIG, "README.txt", "README.txt.minisig", "README.txt.next", "tools"};

	/* several repositories may lie on one medium */
	return journal_is_uuid(name) || is_one_of(name, names, sizeof(names) / sizeof(*names));
}

static bool in_repository(const char *name)
{
	static const char *const names[] = {REPOSITORY_JSON, REPOSITORY_SIG, REPOSITORY_AGE, REPOSITORY_LINKS,
	    PERIOD_KEYS, "datasets", "journal", "procedures"};

	return is_one_of(name, names, sizeof(names) / sizeof(*names));
}

static bool in_set(const char *name)
{
	static const char *const names[] = {"archives", "generations"};

	return is_one_of(name, names, sizeof(names) / sizeof(*names));
}

static bool in_journal(const char *name)
{
	return journal_segment_number(name) || !strncmp(name, "damaged-", 8);
}

static bool is_hex(const char *s, size_t n)
{
	return strspn(s, "0123456789abcdef") >= n;
}

static bool in_archives(const char *name)
{
	return strlen(name) == 2 && is_hex(name, 2);
}

static bool in_fan(const char *name)
{
	return strlen(name) == HEX + 4 && is_hex(name, HEX) && !strcmp(name + HEX, ".age");
}

static bool in_generations(const char *name)
{
	uint64_t number;

	return !generation_dir_parse(name, &number);
}

static bool in_generation(const char *name)
{
	return is_seal(name) || !strcmp(name, "manifest.json") || !strcmp(name, "places.age") ||
	       !strcmp(name, "root.age");
}

/* A folder, the folders that it may have, and names that those may have. */
struct folders {
	const struct looking *l;
	char dir[PATH_BYTES / 2];
	bool (*is)(const char *name), (*may)(const char *name);
};

static int each_folder(void *arg, const char *name, struct err *err)
{
	const struct folders *f = arg;
	char dir[PATH_BYTES];

	(void)err;
	snprintf(dir, sizeof(dir), "%s%s/", f->dir, name);
	if (f->is(name))
		look_names(f->l, dir, NULL, NULL, f->may);
	return 0;
}

/* set: the data set's folder, with a slash at its end. */
static void look_below(const struct looking *l, const char *set, const char *name, bool (*is)(const char *),
    bool (*may)(const char *))
{
	struct folders f = {.l = l, .is = is, .may = may};

	snprintf(f.dir, sizeof(f.dir), "%s%s/", set, name);
	if (look_names(l, f.dir, NULL, NULL, is))
		(void)!store_list(l->medium, f.dir, each_folder, &f, NULL);
}

static int each_set(void *arg, const char *name, struct err *err)
{
	const struct looking *l = arg;
	char dir[SET_BYTES];

	(void)err;
	if (!generation_name_ok(name))
		return 0;
	snprintf(dir, sizeof(dir), "%sdatasets/%.*s/", l->repo, GENERATION_NAME, name);
	if (!look_names(l, dir, NULL, NULL, in_set))
		return 0;
	look_below(l, dir, "archives", in_archives, in_fan);
	look_below(l, dir, "generations", in_generations, in_generation);
	return 0;
}

/* ---- parity ---- */

/* "<64 hex>.par" */
static bool in_parity_fan(const char *name)
{
	return strlen(name) == HEX + 4 && is_hex(name, HEX) && !strcmp(name + HEX, ".par");
}

struct parity_fan {
	const struct looking *l;
	char dir[PATH_BYTES / 2];
};

static int each_parity(void *arg, const char *name, struct err *err)
{
	const struct parity_fan *f = arg;
	char path[PATH_BYTES];
	uint8_t archive[DIGEST_LEN];
	struct err why = ERR_INIT;
	int r;

	(void)err;
	if (!in_parity_fan(name) || !digest_unhex(name, DIGEST_LEN, archive))
		return 0;
	snprintf(path, sizeof(path), "%s%s", f->dir, name);
	r = inventory_parity_look(f->l->medium, path, archive, &why);
	if (r == INVENTORY_PARITY_BAD)
		tell_damaged(f->l, f->dir, name, INVENTORY_TEXT, why.msg);
	else if (r)
		tell_unread(f->l, f->dir, name, INVENTORY_TEXT, r, &why);
	return 0;
}

static int each_parity_fan(void *arg, const char *name, struct err *err)
{
	const struct parity_fan *set = arg;
	struct parity_fan f = {.l = set->l};

	(void)err;
	snprintf(f.dir, sizeof(f.dir), "%.*s%.2s/", PATH_BYTES / 4, set->dir, name);
	if (in_archives(name) && look_names(f.l, f.dir, NULL, NULL, in_parity_fan))
		(void)!store_list(f.l->medium, f.dir, each_parity, &f, NULL);
	return 0;
}

static int each_parity_set(void *arg, const char *name, struct err *err)
{
	const struct looking *l = arg;
	struct parity_fan f = {.l = l};

	(void)err;
	snprintf(f.dir, sizeof(f.dir), "%s" PARITY_DIR "/%.*s/", l->repo, GENERATION_NAME, name);
	if (generation_name_ok(name) && look_names(l, f.dir, NULL, NULL, in_archives))
		(void)!store_list(l->medium, f.dir, each_parity_fan, &f, NULL);
	return 0;
}

static void look_parity(const struct looking *l)
{
	struct looking all = *l;
	char dir[SET_BYTES];

	snprintf(dir, sizeof(dir), "%s" PARITY_DIR "/", l->repo);
	if (look_names(l, dir, NULL, NULL, generation_name_ok))
		(void)!store_list(l->medium, dir, each_parity_set, &all, NULL);
}

/* ---- policies ---- */

/* "<64 hex>.yaml": the journal names it by these digits, and says so signed. */
static bool in_policy(const char *name)
{
	return strlen(name) == HEX + 5 && is_hex(name, HEX) && !strcmp(name + HEX, ".yaml");
}

static int each_policy(void *arg, const char *name, struct err *err)
{
	const struct looking *l = arg;
	char dir[SET_BYTES];
	uint8_t sha256[DIGEST_LEN];

	(void)err;
	snprintf(dir, sizeof(dir), "%spolicy/", l->repo);
	if (in_policy(name) && digest_unhex(name, DIGEST_LEN, sha256))
		look_listed(l, dir, name, sha256, NULL, INVENTORY_TEXT);
	return 0;
}

static void look_policies(const struct looking *l)
{
	struct looking all = *l;
	char dir[SET_BYTES];

	snprintf(dir, sizeof(dir), "%spolicy/", l->repo);
	if (look_names(l, dir, NULL, NULL, in_policy))
		(void)!store_list(l->medium, dir, each_policy, &all, NULL);
}

static void look_all_names(const struct looking *l)
{
	struct looking all = *l;
	char sets[SET_BYTES], journal[PATH_BYTES];

	look_names(l, "", NULL, NULL, in_medium);
	look_names(l, l->repo, NULL, NULL, in_repository);
	snprintf(sets, sizeof(sets), "%sdatasets/", l->repo);
	if (look_names(l, sets, NULL, NULL, generation_name_ok))
		(void)!store_list(l->medium, sets, each_set, &all, NULL);
	snprintf(journal, sizeof(journal), "%sjournal/", l->repo);
	look_names(l, journal, NULL, NULL, in_journal);
}

/* ---- the keys of people ---- */

/* A period; or a ring, which opens some data sets only: a reserved name. */
static bool in_keys(const char *name)
{
	return generation_name_ok(name) ||
	       (*name != '0' && strspn(name, "0123456789") == strlen(name) && strlen(name) <= 4);
}

static bool in_period(const char *name)
{
	static const char *const suffixes[] = {
	    PERIOD_OF_JSON, PERIOD_OF_SIG, PERIOD_OF_APPROVER, PERIOD_OF_APPROVER_SIG};

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (period_file_revision(name, suffixes[i]))
			return true;
	return false;
}

static int list_file(struct buf *sums, const char *name, const uint8_t sha256[DIGEST_LEN])
{
	char hex[DIGEST_HEX];

	return buf_printf(sums, NULL, "%s  %s\n", digest_hex(sha256, DIGEST_LEN, hex), name);
}

struct revisions {
	const struct looking *l;
	const char *dir;
	uint32_t number;
};

/* The line that nothing signs: who wrote the file wrote it in one way only. */
static void look_usual(const struct looking *l, const char *dir, uint32_t revision)
{
	BUF_AUTO sig = BUF_INIT(SIG_MAX);
	char path[PATH_BYTES + PERIOD_NAME], name[PERIOD_NAME];

	period_file(revision, PERIOD_OF_SIG, name);
	snprintf(path, sizeof(path), "%s%s", dir, name);
	if (!store_read(l->medium, path, &sig, NULL) && !minisig_is_usual((const char *)sig.p, sig.n))
		tell_damaged(l, dir, name, INVENTORY_NEEDED,
		    text("it is not as it was written, though its signature is good"));
}

/* Each revision, also one that a later one has replaced. */
static int look_revision(void *arg, const char *name, struct err *err)
{
	const struct revisions *r = arg;
	const struct looking *l = r->l;
	uint32_t revision = period_file_revision(name, PERIOD_OF_JSON);
	struct err why = ERR_INIT;
	size_t n;

	(void)err;
	if (!revision)
		return 0;
	if (!periods_look(vault_r_store(l->v), vault_r_repository(l->v),
		repository_keys(vault_r_facts(l->v), &n), r->number, revision, &why))
		look_usual(l, r->dir, revision);
	else if (err_is_unread(&why) || why.kind == ERR_ABSENT)
		tell_unread(l, r->dir, name, INVENTORY_NEEDED, err_is_unread(&why) ? -1 : STORE_ABSENT, &why);
	else if (why.kind == ERR_FORGED)
		tell_disagreeing(l, r->dir, name, INVENTORY_NEEDED);
	else
		tell_damaged(l, r->dir, name, INVENTORY_NEEDED, why.msg);
	return 0;
}

static void look_period(const struct looking *l, const struct periods *all, uint32_t number)
{
	const struct period *p = periods_get(all, number);
	BUF_AUTO sums = BUF_INIT(PERIOD_FILE_MAX);
	char dir[PATH_BYTES], name[PERIOD_NAME + 8];
	struct revisions r = {l, dir, number};

	snprintf(dir, sizeof(dir), "%s" PERIOD_KEYS "/%u/", l->repo, number);
	(void)!store_list(l->medium, dir, look_revision, &r, NULL);
	if (!p && periods_fault(all, number)->kind == ERR_ABSENT)
		tell_unread(l, dir, period_file(1, PERIOD_OF_JSON, name), INVENTORY_NEEDED, STORE_ABSENT,
		    periods_fault(all, number));
	if (!p)
		return;
	for (size_t i = 0; i < p->n_people; i++) {
		snprintf(name, sizeof(name), "%s.age", p->people[i].name);
		look_listed(l, dir, name, p->people[i].sha256, NULL, INVENTORY_NEEDED);
		(void)!list_file(&sums, name, p->people[i].sha256);
	}
	if (p->number > 1) {
		look_listed(l, dir, PERIOD_PREVIOUS, p->previous_sha256, NULL, INVENTORY_NEEDED);
		(void)!list_file(&sums, PERIOD_PREVIOUS, p->previous_sha256);
	}
	look_names(l, dir, &sums, NULL, in_period);
}

static int look_periods(const struct looking *l, struct err *err)
{
	size_t n;
	struct periods *all;
	char dir[PATH_BYTES];

	if (periods_load(vault_r_store(l->v), vault_r_repository(l->v),
		repository_keys(vault_r_facts(l->v), &n), NULL, &all, err))
		return -1;
	snprintf(dir, sizeof(dir), "%s" PERIOD_KEYS "/", l->repo);
	if (!periods_newest(all))
		tell_unread(l, dir, "", INVENTORY_NEEDED, STORE_ABSENT, periods_fault(all, 0));
	for (uint32_t i = 1; i <= periods_newest(all); i++)
		look_period(l, all, i);
	look_names(l, dir, NULL, NULL, in_keys);
	periods_free(all);
	return 0;
}

/* ---- the repository's own ---- */

/* keys/ of former days, put back: the journal beside it knows of a newer revision.  A copy without keys/ may be meant to be none. */
static void look_newest_period(const struct looking *l, const struct reported *r)
{
	struct looking all = *l;
	char path[PERIOD_PATH], dir[PATH_BYTES], name[PERIOD_NAME];

	period_file(r->revision, PERIOD_OF_JSON, name);
	if (!r->period || !store_has(vault_r_store(l->v), PERIOD_KEYS) ||
	    store_has(vault_r_store(l->v), period_path(r->period, name, path)))
		return;
	all.complete = true;
	snprintf(dir, sizeof(dir), "%s" PERIOD_KEYS "/%u/", l->repo, r->period);
	tell_unread(&all, dir, name, INVENTORY_NEEDED, STORE_ABSENT, NULL);
}

static int look_journal(const struct looking *l, struct err *err)
{
	struct reported r;
	char dir[PATH_BYTES], name[JOURNAL_NAME];

	if (reported_look(l->v, "", UINT64_MAX, &r, err))
		return -1;
	look_newest_period(l, &r);
	snprintf(dir, sizeof(dir), "%sjournal/", l->repo);
	journal_segment_name(r.segment ? r.segment : 1, name);
	if ((r.state == REPORTED_ABSENT || r.state == REPORTED_BROKEN) && err_is_unread(&r.why))
		tell_unread(l, dir, name, INVENTORY_TEXT, -1, &r.why);
	else if (r.state == REPORTED_ABSENT)
		tell_unread(l, dir, name, INVENTORY_TEXT, STORE_ABSENT, &r.why);
	else if (r.state == REPORTED_BROKEN)
		tell_damaged(l, dir, name, INVENTORY_TEXT, r.why.msg);
	else if (r.torn)
		tell_damaged(l, dir, name, INVENTORY_TEXT, text("its last line has no end"));
	return 0;
}

static void look_repository(const struct looking *l)
{
	const struct err *keys = vault_r_keys_fault(l->v);
	BUF_AUTO json = BUF_INIT(REPOSITORY_MAX);

	(void)look_signed(l, l->repo, REPOSITORY_JSON, "repository", INVENTORY_NEEDED, &json);
	look_listed(
	    l, l->repo, REPOSITORY_AGE, repository_secrets_sha256(vault_r_facts(l->v)), NULL, INVENTORY_TEXT);
	if (err_is_unread(keys))
		tell_unread(l, l->repo, REPOSITORY_LINKS, INVENTORY_NEEDED, -1, keys);
	else if (keys->kind == ERR_ABSENT)
		tell_unread(l, l->repo, REPOSITORY_LINKS, INVENTORY_NEEDED, STORE_ABSENT, keys);
	else if (keys->code[0])
		tell_damaged(l, l->repo, REPOSITORY_LINKS, INVENTORY_NEEDED, keys->msg);
}

int inventory_check(const struct store *medium, const struct vault_r *v, bool complete, inventory_fn *fn,
    void *arg, struct err *err)
{
	struct looking l = {.v = v,
	    .medium = medium,
	    .complete = complete,
	    .starved = starved_mark_of_all(),
	    .fn = fn,
	    .arg = arg};
	BUF_AUTO identity = BUF_INIT(MEDIUM_MAX);
	BUF_AUTO readme = BUF_INIT(SIGNED_MAX);
	char procedures[PATH_BYTES];

	snprintf(l.repo, sizeof(l.repo), "%s/", vault_r_repository(v));
	(void)look_signed(&l, "", MEDIUM_JSON, "medium", INVENTORY_NEEDED, &identity);
	(void)look_signed(&l, "", "README.txt", "readme", INVENTORY_TEXT, &readme);
	look_repository(&l);
	if (look_journal(&l, err) || look_periods(&l, err))
		return -1;
	look_folder(&l, "tools/", "tools", INVENTORY_NEEDED);
	snprintf(procedures, sizeof(procedures), "%sprocedures/", l.repo);
	look_folder(&l, procedures, "procedures", INVENTORY_TEXT);
	look_all_names(&l);
	look_policies(&l);
	look_parity(&l);
	return 0;
}

int inventory_foreign(
    const struct store *medium, const struct vault_r *v, inventory_fn *fn, void *arg, struct err *err)
{
	struct looking l = {.v = v,
	    .medium = medium,
	    .foreign = true,
	    .starved = starved_mark_of_all(),
	    .fn = fn,
	    .arg = arg};
	char procedures[PATH_BYTES];

	snprintf(l.repo, sizeof(l.repo), "%s/", vault_r_repository(v));
	if (look_periods(&l, err))
		return -1;
	look_folder(&l, "tools/", "tools", INVENTORY_NEEDED);
	snprintf(procedures, sizeof(procedures), "%sprocedures/", l.repo);
	look_folder(&l, procedures, "procedures", INVENTORY_TEXT);
	look_all_names(&l);
	look_policies(&l);
	return 0;
}

bool inventory_is_anybodys(const char *name)
{
	return is_reserved(name);
}
