/* report_years: bkp report index: which packs a folder holds, by year, and whether each is what was made; see report.h.
 *
 * A pack's files are read only when somebody vouches for its SHA256SUMS: the key of an epoch of this journal by the signature beside it,
 * or the journal by its record `pack`.  What else stands in the folder is hostile: links are not followed, lists and files have ceilings,
 * a name in a list leads nowhere but into its folder. */
#include "cmd/report/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/day.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"
#include "cmd/app/app.h"
#include "format/crypto/digest.h"
#include "format/crypto/minisig.h"
#include "format/journal/journal.h"
#include "format/page/sheet.h"
#include "format/policy/policy.h"
#include "read/ledger/ledger.h"

#define LIST_MAX  ((size_t)1 << 20)  /* SHA256SUMS, its signature */
#define LINKS_MAX ((size_t)64 << 20) /* keys.jsonl */
#define FORM_JSON ((size_t)32 << 20) /* the form that a pack's moment is taken from */
#define LIST_NAME 96
#define LINE	  512
#define HEX	  (2 * DIGEST_LEN)

static const struct fact_column columns[] = {{"year", TEXT_LATER("Year"), FACT_TEXT},
    {"date", TEXT_LATER("As of"), FACT_TIME}, {"folder", TEXT_LATER("Folder"), FACT_TEXT},
    {"verdict", TEXT_LATER("Verified"), FACT_TEXT}, {"profile", TEXT_LATER("Profile"), FACT_TEXT},
    {"signer", TEXT_LATER("To be signed by"), FACT_TEXT}, {"made", TEXT_LATER("Made"), FACT_TIME},
    {"record", TEXT_LATER("Record"), FACT_TEXT}, {"sha256", TEXT_LATER("SHA-256 of SHA256SUMS"), FACT_TEXT},
    {"note", TEXT_LATER("Note"), FACT_TEXT}};

static json_t *take_made(const struct report *r, const struct journal_record *o);

/* The records of packs. */
static const struct form records_form = {.number = "", .name = "packs", .title = "", .record = take_made};

const struct form report_years_form = {.number = "90",
    .name = "packs",
    .title = TEXT_LATER("Packs of forms, by year"),
    .columns = columns,
    .n = sizeof(columns) / sizeof(*columns),
    .shape = FORM_WIDE};

struct shelf {
	const struct report *r;
	int dir;
	json_t *made, *rows;
	bool wrong; /* one of them is not what was made */
};

/* A pack that is looked at. */
struct seen {
	const struct shelf *shelf;
	const char *name;
	int dir;
	struct buf sums;
	char sha256[DIGEST_HEX];
	const json_t *record; /* of the journal that names it, or NULL */
	size_t pages;	      /* files in HTML */
	char at[CLOCK_TEXT];
	char bad[2048]; /* why it is not verified; "": it is */
	size_t more;	/* files that its list does not name */
};

static json_t *take_made(const struct report *r, const struct journal_record *o)
{
	json_t *some = json_array();
	char record[32], made[CLOCK_TEXT];

	(void)r;
	if (!some || strcmp(o->event, "pack") != 0)
		return some;
	snprintf(record, sizeof(record), "%ju", (uintmax_t)o->seq);
	json_array_append_new(some,
	    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "sums_sha256", journal_text(o->json, "sums_sha256"),
		"record", record, "made", clock_format(o->wall_ns, made), "at", journal_text(o->json, "at"),
		"profile", journal_text(o->json, "profile"), "signer", journal_text(o->json, "signer")));
	return some;
}

/* ---- one pack ---- */

/* The first reason stays; name: of a file, or NULL. */
static void bad(struct seen *p, const char *why, const char *name)
{
	char show[LIST_NAME * 4];

	if (!*p->bad)
		snprintf(p->bad, sizeof(p->bad), name ? "'%s': %s" : "%s%s",
		    name ? path_show(name, show, sizeof(show)) : "", why);
}

/* 0, or -1: it is not verified, and why is told. */
static int read_part(struct seen *p, const char *name, struct buf *b)
{
	struct err err = ERR_INIT;
	int r = io_read_file(p->dir, name, b, &err);

	if (r == IO_ABSENT)
		bad(p, text("it is missing"), name);
	else if (r)
		bad(p, err.msg, NULL);
	return r ? -1 : 0;
}

static size_t count_lines(const struct buf *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->n; i++)
		n += b->p[i] == '\n';
	return n;
}

/* By a key of this journal, for a pack of this repository; and keys.jsonl leads to it from the root key. */
static bool signed_pack(struct seen *p)
{
	const struct ledger *l = p->shelf->r->l;
	BUF_AUTO sig = BUF_INIT(LIST_MAX);
	BUF_AUTO keys = BUF_INIT(LINKS_MAX);
	char comment[MINISIG_COMMENT_MAX], want[MINISIG_COMMENT_MAX];
	size_t n_keys, n_links, which;
	const struct minisig_public *all = ledger_keys(l, &n_keys);
	const uint8_t *links = ledger_links(l, &n_links);

	if (faccessat(p->dir, "SHA256SUMS.minisig", F_OK, AT_SYMLINK_NOFOLLOW) && errno == ENOENT)
		return false;
	if (read_part(p, "SHA256SUMS.minisig", &sig) || read_part(p, "keys.jsonl", &keys))
		return false;
	snprintf(want, sizeof(want), "bkp:1 kind=pack repository=%s record=", ledger_repository(l));
	if (minisig_verify_one_of(
		all, n_keys, p->sums.p, p->sums.n, (const char *)sig.p, sig.n, comment, &which, NULL) ||
	    strncmp(comment, want, strlen(want)) != 0)
		bad(p, text("it is not this repository's signature of a pack"), "SHA256SUMS.minisig");
	else if (keys.n > n_links || (keys.n && memcmp(keys.p, links, keys.n) != 0) ||
		 count_lines(&keys) < which)
		bad(p, text("it does not lead to the key that signed"), "keys.jsonl");
	return !*p->bad;
}

static const json_t *record_of(const struct shelf *s, const char *sha256)
{
	const json_t *o;
	size_t i;

	json_array_foreach(s->made, i, o)
	{
		if (!strcmp(journal_text(o, "sums_sha256"), sha256))
			return o;
	}
	return NULL;
}

/* The moment of the pack, from the foot of a form that is as listed. */
static void take_moment(struct seen *p, const struct buf *b)
{
	json_t *o = b->n < FORM_JSON ? json_loadb((const char *)b->p, b->n, 0, NULL) : NULL;
	int64_t ns;

	if (!clock_parse(journal_text(json_object_get(o, "foot"), "date"), &ns))
		clock_format(ns, p->at);
	json_decref(o);
}

static bool has_end(const char *name, const char *end)
{
	const size_t n = strlen(name), k = strlen(end);

	return n > k && !strcmp(name + n - k, end);
}

/* "HEX  NAME": the file is that. */
static void check_line(struct seen *p, const char *line, size_t n)
{
	uint8_t want[DIGEST_LEN], is[DIGEST_LEN];
	BUF_AUTO b = BUF_INIT(REPORT_MAX);
	char name[LIST_NAME];

	if (n <= HEX + 2 || n - HEX - 2 >= sizeof(name) || !digest_unhex(line, DIGEST_LEN, want) ||
	    memcmp(line + HEX, "  ", 2) != 0 || memchr(line + HEX + 2, '/', n - HEX - 2) ||
	    line[HEX + 2] == '.') {
		bad(p, text("it has a line that is none"), "SHA256SUMS");
		return;
	}
	snprintf(name, sizeof(name), "%.*s", (int)(n - HEX - 2), line + HEX + 2);
	if (read_part(p, name, &b))
		return;
	digest_sha256(b.p, b.n, is);
	if (memcmp(is, want, DIGEST_LEN) != 0) {
		bad(p, text("it was altered"), name);
		return;
	}
	p->pages += has_end(name, ".html");
	if (!*p->at && has_end(name, ".json"))
		take_moment(p, &b);
}

static int count_more(void *arg, const char *name, struct err *err)
{
	struct seen *p = arg;
	const size_t n = strlen(name);
	const char *at = (const char *)p->sums.p, *end = at + p->sums.n;

	(void)err;
	/* a person's own signature may stand beside it */
	if (!strcmp(name, "SHA256SUMS") || has_end(name, ".minisig") || !strcmp(name, "keys.jsonl"))
		return 0;
	for (; at < end; at += strcspn(at, "\n") + 1)
		if (strcspn(at, "\n") == HEX + 2 + n && !memcmp(at + HEX + 2, name, n))
			return 0;
	p->more++;
	return 0;
}

static void check_pack(struct seen *p)
{
	uint8_t sum[DIGEST_LEN];
	struct err err = ERR_INIT;

	if (read_part(p, "SHA256SUMS", &p->sums) || buf_terminate(&p->sums, NULL))
		return;
	digest_sha256(p->sums.p, p->sums.n, sum);
	digest_hex(sum, DIGEST_LEN, p->sha256);
	p->record = record_of(p->shelf, p->sha256);
	if (!signed_pack(p) && !p->record)
		bad(p, text("nobody vouches for it: it has no signature, and the journal does not name it"),
		    NULL);
	for (const char *at = (const char *)p->sums.p, *end = at + p->sums.n; at < end && !*p->bad;) {
		const size_t n = strcspn(at, "\n");

		check_line(p, at, n);
		at += n + 1;
	}
	if (!*p->bad && io_each_name(p->dir, count_more, p, &err))
		bad(p, err.msg, NULL);
}

/* Who is to sign it; and whether SHA256SUMS.NAME.minisig is by the key that the policy has of them. */
static const char *signer(const struct seen *p, char out[LINE])
{
	const char *name = p->record ? journal_text(p->record, "signer") : "";
	const struct policy_person *who = *name ? policy_find_person(p->shelf->r->policy, name) : NULL;
	char file[LIST_NAME * 4], comment[MINISIG_COMMENT_MAX];
	BUF_AUTO sig = BUF_INIT(LIST_MAX);
	struct minisig_public key;
	bool by_them =
	    !*p->bad && who && who->key && !minisig_public_parse(who->key, &key, NULL) &&
	    snprintf(file, sizeof(file), "SHA256SUMS.%s.minisig", name) < (int)sizeof(file) &&
	    !io_read_file(p->dir, file, &sig, NULL) &&
	    !minisig_verify_any(&key, p->sums.p, p->sums.n, (const char *)sig.p, sig.n, comment, NULL);

	snprintf(out, LINE, by_them ? text("%s ○ signed with their key") : "%s", name);
	return out;
}

/* ---- the shelf ---- */

static int put_row(struct shelf *s, const struct seen *p, struct err *err)
{
	const json_t *o = p->record;
	char show[LINE], by[LINE], note[sizeof(p->bad)];

	snprintf(note, sizeof(note), "%s", p->bad);
	if (!*p->bad && p->more)
		snprintf(note, sizeof(note), text("files that its list does not name: %zu"), p->more);
	else if (!*p->bad && !o)
		snprintf(note, sizeof(note), "%s", text("this copy of the journal does not name it"));
	s->wrong = s->wrong || *p->bad;
	return form_row(s->rows, err, "year", "", "date", o ? journal_text(o, "at") : p->at, "folder",
	    path_show(p->name, show, sizeof(show)), "verdict", *p->bad ? text("× no") : text("○ yes"),
	    "profile",
	    o		   ? journal_text(o, "profile")
	    : !p->pages	   ? ""
	    : p->pages > 1 ? "hospital"
			   : "clinic",
	    "signer", signer(p, by), "made", o ? journal_text(o, "made") : "", "record",
	    o ? journal_text(o, "record") : "", "sha256", p->sha256, "note", note, NULL);
}

static int look_at(void *arg, const char *name, struct err *err)
{
	struct shelf *s = arg;
	struct seen p = {.shelf = s, .name = name, .sums = BUF_INIT(LIST_MAX)};
	struct stat st;
	int r;

	if (*name == '.' || (!fstatat(s->dir, name, &st, AT_SYMLINK_NOFOLLOW) && !S_ISDIR(st.st_mode) &&
				!S_ISLNK(st.st_mode)))
		return 0;
	p.dir = io_open_dir(s->dir, name, NULL);
	if (p.dir < 0)
		bad(&p, text("it is a link, or cannot be opened: not looked into"), NULL);
	else
		check_pack(&p);
	r = put_row(s, &p, err);
	buf_free(&p.sums);
	io_close_quietly(&p.dir);
	return r;
}

/* ---- by year ---- */

static int by_date(const void *a, const void *b)
{
	const char *x = journal_text(*(json_t *const *)a, "date"),
		   *y = journal_text(*(json_t *const *)b, "date");

	return !*x || !*y ? !*x - !*y : strcmp(x, y);
}

/* Months since year 0 of a time as it is written in rows; -1: there is none. */
static int month_of(const char *time)
{
	struct day d;
	int64_t ns;

	if (clock_parse(time, &ns))
		return -1;
	d = day_split(day_of(ns));
	return d.year * 12 + (int)d.month - 1;
}

static int set_year(json_t *row, int month, struct err *err)
{
	char year[16] = "";

	if (month >= 0)
		snprintf(year, sizeof(year), "%d", month / 12);
	return json_object_set_new(row, "year", json_string(year)) ? err_nomem(err) : 0;
}

/* The months behind `last` and before `next`, each by name. */
static int put_missing(json_t *rows, int last, int next, struct err *err)
{
	char month[32], year[16];

	for (int m = last + 1; last >= 0 && m < next; m++) {
		snprintf(month, sizeof(month), text("%d-%02d"), m / 12, m % 12 + 1);
		snprintf(year, sizeof(year), "%d", m / 12);
		if (form_row(rows, err, "year", year, "date", month, "folder", "", "verdict",
			text("× no pack of this month"), "profile", "", "signer", "", "made", "", "record",
			"", "sha256", "", "note", "", NULL))
			return -1;
	}
	return 0;
}

/* In the order of their moments, with the months between them that have none that is verified; what has no moment comes last. */
static int put_in_order(const struct shelf *s, json_t *rows, struct err *err)
{
	const size_t n = json_array_size(s->rows);
	json_t **all = calloc(n + 1, sizeof(json_t *));
	int last = -1, failed = all ? 0 : err_nomem(err), month;
	struct day now = day_split(day_of(s->r->now_ns));
	size_t i = 0;

	for (; i < n && !failed; i++)
		all[i] = json_array_get(s->rows, i);
	if (!failed)
		qsort(all, n, sizeof(*all), by_date);
	for (i = 0; i < n && !failed; i++) {
		month = month_of(journal_text(all[i], "date"));
		if (month < 0)
			break;
		if (!strcmp(journal_text(all[i], "verdict"), text("○ yes"))) {
			failed = put_missing(rows, last, month, err);
			last = month;
		}
		failed = failed || set_year(all[i], month, err) || json_array_append(rows, all[i]);
	}
	failed = failed || put_missing(rows, last, now.year * 12 + (int)now.month - 1, err);
	for (; i < n && !failed; i++)
		failed = json_array_append(rows, all[i]);
	free(all);
	return failed ? -1 : 0;
}

/* 0, or an exit code after the error has been reported. */
int report_years_rows(const struct report *r, const char *dir, json_t **ret, bool *ret_wrong)
{
	static const struct form *const forms[] = {&records_form};
	struct shelf s = {.r = r, .dir = -1, .rows = json_array()};
	json_t *rows = json_array();
	struct err err = ERR_INIT;
	int code = form_rows(r, forms, 1, &s.made), failed = 0;

	if (!code) {
		s.dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (s.dir < 0)
			failed = err_sys(&err, "E-IO-07", errno, text("cannot open folder '%s'"), dir);
		failed = failed || !s.rows || !rows || io_each_name(s.dir, look_at, &s, &err) ||
			 put_in_order(&s, rows, &err);
		code = failed ? app_error(&err, APP_FAILED) : APP_OK;
	}
	io_close_quietly(&s.dir);
	json_decref(s.made);
	json_decref(s.rows);
	*ret_wrong = s.wrong;
	if (code)
		json_decref(rows);
	else
		*ret = rows;
	return code;
}

int report_years_html(const struct report *r, json_t *rows, struct buf *out, struct err *err)
{
	static const char *const keys[] = {
	    "date", "folder", "verdict", "profile", "signer", "made", "record", "sha256", "note"};
	struct sheet s = {.out = out, .err = err, .shape = "wide"};
	char foot[REPORT_FOOT];
	char head[LINE];
	size_t i = 0;

	sheet_begin(&s, r->policy->site_name, text(report_years_form.title), report_foot(r, foot));
	sheet_piece(&s, "note", "TEXT",
	    text("Verified: the key of the day that it was made, or the journal, vouches for SHA256SUMS, and "
		 "each "
		 "file is as listed there."),
	    NULL);
	while (i < json_array_size(rows) && !s.r) {
		const char *year = journal_text(json_array_get(rows, i), "year");
		json_t *some = json_array();

		for (; i < json_array_size(rows) &&
		       !strcmp(journal_text(json_array_get(rows, i), "year"), year);
		     i++)
			json_array_append(some, json_array_get(rows, i));
		snprintf(head, sizeof(head), *year ? text("Year %s") : text("Of no known date"), year);
		sheet_piece(&s, "part", "TEXT", head, NULL);
		report_table(&s, &report_years_form, some, keys, sizeof(keys) / sizeof(*keys));
		json_decref(some);
	}
	sheet_end(&s);
	return s.r;
}
