/* catalog: whatever a block says, what is yielded is an entry of ours or nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "format/medium/catalog.h"
#include "format/medium/extent.h"
#include "lib/runs.h"

#define MAX ((size_t)8 << 20)

/* One entry as somebody else's tar would write it. */
struct forged {
	const char *path;
	unsigned type;
	const char *hard, *sym, *extents, *flags, *body; /* extents may end with '|' and a SHA-256, or none */
};

static const char hex[] = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

static la_ssize_t take(struct archive *a, void *arg, const void *p, size_t n)
{
	(void)a;
	return buf_append(arg, p, n, NULL) ? -1 : (la_ssize_t)n;
}

static struct archive *forge_begin(struct buf *out)
{
	struct archive *a = archive_write_new();

	assert_int_equal(archive_write_set_format_pax(a), ARCHIVE_OK);
	assert_int_equal(archive_write_set_format_option(a, NULL, "hdrcharset", "BINARY"), ARCHIVE_OK);
	assert_int_equal(archive_write_set_format_option(a, NULL, "xattrheader", "SCHILY"), ARCHIVE_OK);
	archive_write_set_bytes_per_block(a, 0);
	assert_int_equal(archive_write_open(a, out, NULL, take, NULL), ARCHIVE_OK);
	return a;
}

static void forge(struct archive *a, const struct forged *f)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_copy_pathname(e, f->path);
	archive_entry_set_mode(e, f->type | 0644);
	archive_entry_set_mtime(e, 1, 1);
	if (f->hard)
		archive_entry_copy_hardlink(e, f->hard);
	if (f->sym)
		archive_entry_copy_symlink(e, f->sym);
	if (f->extents) {
		const char *runs = runs_of(f->extents), *bar = strchr(runs, '|'), *sha = bar ? bar + 1 : hex;

		archive_entry_xattr_add_entry(e, "bkp.extents", runs,
		    bar ? (size_t)(bar - runs) - (bar > runs && bar[-1] == ' ') : strlen(runs));
		if (*sha)
			archive_entry_xattr_add_entry(e, "bkp.sha256", sha, strlen(sha));
	}
	if (f->flags)
		archive_entry_xattr_add_entry(e, "bkp.flags", f->flags, strlen(f->flags));
	archive_entry_set_size(e, f->body ? (la_int64_t)strlen(f->body) : 0);
	assert_int_equal(archive_write_header(a, e), ARCHIVE_OK);
	if (f->body)
		assert_int_equal(archive_write_data(a, f->body, strlen(f->body)), strlen(f->body));
	archive_entry_free(e);
}

static void forge_block(const struct forged *f, size_t n, struct buf *out)
{
	struct archive *a = forge_begin(out);

	for (size_t i = 0; i < n; i++)
		forge(a, &f[i]);
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	archive_write_free(a);
}

/* Reads all; everything yielded must be what the contract promises.  Returns 0 at a clean end, or -1; counts.
 */
static int read_all(const uint8_t *block, size_t n, const char *prev, size_t *ret_count, struct err *err)
{
	struct catalog_reader *r;
	struct catalog_item item;
	char *last = prev ? strdup(prev) : NULL;
	int got;

	*ret_count = 0;
	if (catalog_reader_new(block, n, prev, &r, err)) {
		free(last);
		return -1;
	}
	while (!(got = catalog_reader_next(r, &item, err))) {
		const char *hard = archive_entry_hardlink(item.entry);

		++*ret_count;
		assert_true(path_is_entry(item.path));
		assert_string_equal(item.path, archive_entry_pathname(item.entry));
		assert_true(!last || path_compare(last, item.path) < 0);
		assert_true(!hard || (path_is_entry(hard) && path_compare(hard, item.path) < 0));
		if (item.extents)
			assert_int_equal(
			    extent_check(item.extents, item.extents_len, NULL, NULL, NULL, NULL), 0);
		free(last);
		last = strdup(item.path);
	}
	if (got < 0)
		assert_int_equal(catalog_reader_next(r, &item, NULL), -1); /* stays failed */
	catalog_reader_free(r);
	free(last);
	return got == CATALOG_END ? 0 : -1;
}

static void each_broken_rule_is_refused(void **state)
{
	static const struct {
		const char *what;
		struct forged f[3];
	} cases[] = {
	    {"parent", {{"..", AE_IFDIR, 0, 0, 0, 0, 0}}},
	    {"parent inside", {{"a/../../b", AE_IFREG, 0, 0, "0", 0, 0}}},
	    {"dot", {{"./a", AE_IFREG, 0, 0, "0", 0, 0}}},
	    {"absolute", {{"/etc/passwd", AE_IFREG, 0, 0, "0", 0, 0}}},
	    {"empty part", {{"a//b", AE_IFREG, 0, 0, "0", 0, 0}}},
	    {"root", {{"/", AE_IFDIR, 0, 0, 0, 0, 0}}},
	    {"two slashes behind", {{"a//", AE_IFDIR, 0, 0, 0, 0, 0}}},
	    {"a pipe with a slash behind", {{"a/", AE_IFIFO, 0, 0, 0, 0, 0}}},
	    {"unsorted", {{"b", AE_IFDIR, 0, 0, 0, 0, 0}, {"a", AE_IFDIR, 0, 0, 0, 0, 0}}},
	    {"unsorted as bytes only", {{"a!", AE_IFDIR, 0, 0, 0, 0, 0}, {"a/b", AE_IFDIR, 0, 0, 0, 0, 0}}},
	    {"duplicate", {{"a", AE_IFDIR, 0, 0, 0, 0, 0}, {"a", AE_IFDIR, 0, 0, 0, 0, 0}}},
	    {"file and folder", {{"a", AE_IFREG, 0, 0, "0", 0, 0}, {"a", AE_IFDIR, 0, 0, 0, 0, 0}}},
	    {"body", {{"a", AE_IFREG, 0, 0, "4 1:2:3:4", 0, "body"}}},
	    {"a body of zeros", {{"a", AE_IFREG, 0, 0, "0", 0, "0"}}},
	    {"no extents", {{"a", AE_IFREG, 0, 0, 0, 0, 0}}},
	    {"extents of a folder", {{"a", AE_IFDIR, 0, 0, "0", 0, 0}}},
	    {"extents of a link", {{"a", AE_IFLNK, 0, "b", "0", 0, 0}}},
	    {"extents of a pipe", {{"a", AE_IFIFO, 0, 0, "0", 0, 0}}},
	    {"bad extents", {{"a", AE_IFREG, 0, 0, "5 1:2:3", 0, 0}}},
	    {"extents that do not add up", {{"a", AE_IFREG, 0, 0, "5 1:2:3:4", 0, 0}}},
	    {"empty extents", {{"a", AE_IFREG, 0, 0, "", 0, 0}}},
	    {"unreadable with extents", {{"a", AE_IFREG, 0, 0, "0", "unreadable", 0}}},
	    {"no SHA-256", {{"a", AE_IFREG, 0, 0, "0|", 0, 0}}},
	    {"no SHA-256 of a link", {{"a", AE_IFREG, 0, 0, "0", 0, 0}, {"b", AE_IFREG, "a", 0, "0|", 0, 0}}},
	    {"no SHA-256 with as much of a hole as is hashed",
		{{"a", AE_IFREG, 0, 0, "1073741824 h:1073741824|", 0, 0}}},
	    {"a SHA-256 of a file with more of a hole",
		{{"a", AE_IFREG, 0, 0, "1073741825 h:1073741825", 0, 0}}},
	    {"more of a hole before an '@'",
		{{"a", AE_IFREG, 0, 0, "1073741829 h:1073741825 @1:2:3:4", 0, 0}}},
	    {"half a SHA-256", {{"a", AE_IFREG, 0, 0, "0|5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a", 0, 0}}},
	    {"a SHA-256 in capitals",
		{{"a", AE_IFREG, 0, 0, "0|5A5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
		    0, 0}}},
	    {"a SHA-256 with one more digit",
		{{"a", AE_IFREG, 0, 0, "0|5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
		    0, 0}}},
	    {"empty flags", {{"a", AE_IFREG, 0, 0, "0", "", 0}}},
	    {"bad flags", {{"a", AE_IFREG, 0, 0, "0", "changed,", 0}}},
	    {"flags with spaces", {{"a", AE_IFREG, 0, 0, "0", "changed unreadable", 0}}},
	    {"link without target", {{"a", AE_IFLNK, 0, 0, 0, 0, 0}}},
	    {"link to itself", {{"a", AE_IFREG, "a", 0, "0", 0, 0}}},
	    {"link forward", {{"a", AE_IFREG, "b", 0, "0", 0, 0}}},
	    {"link up", {{"a", AE_IFREG, "../a", 0, "0", 0, 0}}},
	    {"link outside", {{"z", AE_IFREG, "/etc/passwd", 0, "0", 0, 0}}},
	    {"link to nothing", {{"z", AE_IFREG, "a/../../y", 0, "0", 0, 0}}},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		BUF_AUTO block = BUF_INIT(MAX);
		struct err err = ERR_INIT;
		size_t n = 1, count;

		while (n < 3 && cases[i].f[n].path)
			n++;
		forge_block(cases[i].f, n, &block);
		if (read_all(block.p, block.n, NULL, &count, &err) != -1 || count != n - 1)
			fail_msg("%s: %zu entries, %s", cases[i].what, count, err.msg);
		if (strcmp(err.code, "E-CATALOG-02") && strncmp(err.code, "E-EXTENT", 8) &&
		    strcmp(err.code, "E-CATALOG-01"))
			fail_msg("%s: %s %s", cases[i].what, err.code, err.msg);
	}
}

static const struct forged fine[] = {{"a", AE_IFDIR, 0, 0, 0, 0, 0},
    {"a/b", AE_IFREG, 0, 0, "4 1:2:3:4", "changed,new-word", 0},
    {"a/c", AE_IFREG, "a/b", 0, "4 1:2:3:4", 0, 0}, {"a/d", AE_IFLNK, 0, "/etc/../x", 0, 0, 0},
    {"a/e", AE_IFREG, 0, 0, 0, "unreadable", 0}, {"b!", AE_IFIFO, 0, 0, 0, 0, 0},
    {"c", AE_IFREG, 0, 0, "1073741825 h:1073741825|", 0, 0}, {"d", AE_IFREG, 0, 0, "8 h:3 @1:2:3:4", 0, 0},
    {"e", AE_IFREG, 0, 0, "8 h:3 @1:2:3:4 |", 0, 0} /* the rest of its list may be holes */};

static void the_block_before_counts(void **state)
{
	BUF_AUTO block = BUF_INIT(MAX);
	struct err err = ERR_INIT;
	size_t count;
	(void)state;

	forge_block(fine, sizeof(fine) / sizeof(*fine), &block);
	assert_int_equal(read_all(block.p, block.n, NULL, &count, &err), 0);
	assert_int_equal(count, sizeof(fine) / sizeof(*fine));
	assert_int_equal(read_all(block.p, block.n, "Z", &count, &err), 0);
	assert_int_equal(read_all(block.p, block.n, "a", &count, &err), -1);
	assert_int_equal(read_all(block.p, block.n, "b", &count, &err), -1);
	assert_string_equal(err.code, "E-CATALOG-02");
}

/* Changes a header field of the first entry's own header and mends its checksum. */
static void patch(struct buf *b, size_t header, size_t at, const char *value, size_t n)
{
	unsigned sum = 0;
	char text[9];

	memcpy(b->p + header + at, value, n);
	memset(b->p + header + 148, ' ', 8);
	for (int i = 0; i < 512; i++)
		sum += b->p[header + (size_t)i];
	snprintf(text, sizeof(text), "%06o", sum & 0777777);
	memcpy(b->p + header + 148, text, 7);
}

static void headers_that_other_tars_would_let_pass(void **state)
{
	static const struct {
		const char *what;
		size_t at;
		const char *value;
		size_t n;
	} cases[] = {{"contiguous file", 156, "7", 1}, {"unknown type", 156, "Z", 1},
	    {"GNU dumpdir", 156, "D", 1}, {"multi-volume", 156, "M", 1}, {"GNU sparse", 156, "S", 1},
	    {"long name", 156, "L", 1}, {"volume", 156, "V", 1}, {"nested header", 156, "x", 1},
	    {"hard link without a name", 156, "1", 1}, {"mode with a type", 100, "7777777", 7},
	    {"huge size", 124, "77777777777", 11},
	    {"negative size", 124, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 12},
	    {"negative owner", 108, "\xff\xff\xff\xff\xff\xff\xff\xff", 8},
	    {"owner -1", 108, "\x80\x00\x00\x00\xff\xff\xff\xff", 8}, {"GNU magic", 257, "ustar  ", 8},
	    {"digits that are none", 136, "0000000000x", 11}, {"no checksum", 0, "", 0}};
	static const struct forged f = {"a", AE_IFREG, 0, 0, "0", 0, 0};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		BUF_AUTO block = BUF_INIT(MAX);
		struct err err = ERR_INIT;
		size_t count;

		forge_block(&f, 1, &block);
		assert_int_equal(block.n, 1536 + 1024);
		if (cases[i].n)
			patch(&block, 1024, cases[i].at, cases[i].value, cases[i].n);
		else
			block.p[1024 + 148] ^= 1;
		if (read_all(block.p, block.n, NULL, &count, &err) != -1)
			fail_msg("%s is taken", cases[i].what);
	}
}

/* A pax header whose body is `records` in front of a plain header: what only bytes can forge. */
static void forge_records(const char *records, size_t n, struct buf *out)
{
	static const struct forged f = {"victim", AE_IFREG, 0, 0, "0", 0, 0};
	BUF_AUTO plain = BUF_INIT(MAX);
	char size[13];
	size_t padded = (n + 511) & ~(size_t)511;
	static const char zeros[512];

	forge_block(&f, 1, &plain);
	snprintf(size, sizeof(size), "%011zo", n);
	patch(&plain, 0, 124, size, 12);
	assert_int_equal(buf_append(out, plain.p, 512, NULL), 0);
	assert_int_equal(buf_append(out, records, n, NULL), 0);
	assert_int_equal(buf_append(out, zeros, padded - n, NULL), 0);
	assert_int_equal(buf_append(out, plain.p + 1024, plain.n - 1024, NULL), 0);
}

/* Records with their lengths worked out, from "key=value|key=value". */
static void make_records(const char *list, struct buf *out)
{
	while (*list) {
		size_t n = strcspn(list, "|"), len = n + 3;

		while (len != n + 2 + (size_t)snprintf(NULL, 0, "%zu", len))
			len++;
		assert_int_equal(buf_printf(out, NULL, "%zu %.*s\n", len, (int)n, list), 0);
		list += n + (list[n] == '|');
	}
}

#define EMPTY                                                                                                \
	"SCHILY.xattr.bkp.extents=0|SCHILY.xattr.bkp.sha256="                                                \
	"5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a"                                                   \
	"5a5a5a5a5a5a5a5a"

static void records_that_only_bytes_can_forge(void **state)
{
	static const struct {
		const char *records;
		int want;
	} cases[] = {
	    {EMPTY, 0},
	    {EMPTY "|SCHILY.xattr.bkp.extents=0", -1},
	    {EMPTY "|SCHILY.xattr.bkp.%65xtents=0", -1},   /* the same name in disguise */
	    {EMPTY "|LIBARCHIVE.xattr.bkp.extents=MA", 0}, /* says nothing */
	    {EMPTY "|SCHILY.xattr.user.%=0", -1},
	    {EMPTY "|SCHILY.xattr.user.%00=0", -1},
	    {EMPTY "|SCHILY.xattr.user.%e3=0", -1},
	    {EMPTY "|SCHILY.xattr.user.%E3=0", 0},
	    {EMPTY "|path=../", -1},
	    {EMPTY "|path=a", 0},
	    {EMPTY "|path=a/", -1},   /* a folder then, and those have no extents */
	    {EMPTY "|linkpath=b", 0}, /* not a link, so nothing points anywhere */
	    {EMPTY "|size=4", -1},
	    {EMPTY "|size=-4", -1},
	    {EMPTY "|size=0", 0},
	    {EMPTY "|size=00", -1},
	    {EMPTY "|GNU.sparse.realsize=9|GNU.sparse.name=../x", 0}, /* nor do these */
	    {EMPTY "|comment=x|comment=y", 0},
	    {EMPTY "|path=a|path=b", -1},
	    {EMPTY "|uname=a|uname=b", -1},
	    {EMPTY "|uid=-2", -1},
	    {EMPTY "|gid=4294967295", -1},
	    {EMPTY "|gid=4294967294", 0},
	    {EMPTY "|SCHILY.acl.ace=everyone@:r::allow", -1},
	    {EMPTY "|SCHILY.acl.access=rubbish", -1},
	    {EMPTY "|SCHILY.acl.access=user::rw-,group::r--,other::---,user:x:rwx:7,mask::r--", 0},
	    {EMPTY "|SCHILY.acl.default=rubbish", -1},
	    {EMPTY "|mtime=99999999999999999999999", 0},
	    {EMPTY "|mtime=-99999999999999999999999.5", 0},
	    {EMPTY "|mtime=-0.0000000009999", 0},
	    {EMPTY "|mtime=", -1},
	    {EMPTY "|mtime=-", -1},
	    {EMPTY "|mtime=.5", -1},
	    {EMPTY "|mtime=1.5.5", -1},
	    {EMPTY "|mtime=1e9", -1},
	    {EMPTY "|mtime= 1", -1},
	    {EMPTY "|uid=", -1},
	    {EMPTY "|uid=1x", -1},
	    {EMPTY "|uid=99999999999999999999999", -1},
	    {EMPTY "|SCHILY.fflags=nodump,of-tomorrow", 0},
	    {EMPTY "|SCHILY.xattr.bkp.special=fifo", -1}, /* no hard link */
	    {EMPTY
		"|SCHILY.xattr.bkp.sha256=5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
		-1},
	    {"SCHILY.xattr.bkp.extents=0", -1},
	    {"path=a", -1},
	};
	static const char *raw[] = {"99999999 path=a\n", "0 path=a\n", "=\n", "8 path=a\n", "10 path=a\n",
	    "9 =ath=a\n", "09 path=a\n", "9 path=a ", "9 path a\n", "5 \n=\n", "4 =\n", "3 \n",
	    "99999999999999999999999999 path=a\n", " path=a\n", "9"};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		BUF_AUTO block = BUF_INIT(MAX);
		BUF_AUTO records = BUF_INIT(MAX);
		struct err err = ERR_INIT;
		size_t count;

		make_records(cases[i].records, &records);
		forge_records((char *)records.p, records.n, &block);
		if (read_all(block.p, block.n, NULL, &count, &err) != cases[i].want)
			fail_msg("'%s' gives %d: %s", cases[i].records, -1 - cases[i].want, err.msg);
	}
	for (size_t i = 0; i < sizeof(raw) / sizeof(*raw); i++) {
		BUF_AUTO block = BUF_INIT(MAX);
		size_t count;

		forge_records(raw[i], strlen(raw[i]), &block);
		assert_int_equal(read_all(block.p, block.n, NULL, &count, NULL), -1);
	}
}

/* A hard link's own words of what it is. */
static void kinds_of_hard_links(void **state)
{
	static const struct {
		const char *special, *more;
		int want;
	} cases[] = {
	    {"symlink ../t", "", 0},
	    {"symlink t\xff\n", "", 0},
	    {"char 1 3", "", 0},
	    {"block 2097151 0", "", 0},
	    {"fifo", "", 0},
	    {"fifo ", "", -1},
	    {"symlink ", "", -1},
	    {"symlink", "", -1},
	    {"", "", -1},
	    {"char 1", "", -1},
	    {"char 1 ", "", -1},
	    {"char 1 3 4", "", -1},
	    {"char -1 3", "", -1},
	    {"block 2097152 0", "", -1},
	    {"block 1 99999999999999999999", "", -1},
	    {"socket", "", -1},
	    {"fifo", "|SCHILY.xattr.bkp.flags=unreadable", 0},
	    {"fifo", "|" EMPTY, -1},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		BUF_AUTO block = BUF_INIT(MAX);
		BUF_AUTO records = BUF_INIT(MAX);
		struct err err = ERR_INIT;
		char list[400];
		size_t count, at;

		snprintf(list, sizeof(list), "linkpath=first|SCHILY.xattr.bkp.special=%s%s", cases[i].special,
		    cases[i].more);
		make_records(list, &records);
		forge_records((char *)records.p, records.n, &block);
		at = block.n - 1024 - 512;
		patch(&block, at, 156, "1", 1);
		if (read_all(block.p, block.n, NULL, &count, &err) != cases[i].want)
			fail_msg("'%s' gives %d: %s", list, -1 - cases[i].want, err.msg);
	}
}

static void bytes_behind_the_end_are_refused(void **state)
{
	BUF_AUTO block = BUF_INIT(MAX);
	BUF_AUTO twice = BUF_INIT(MAX);
	static const char zeros[512];
	struct err err = ERR_INIT;
	size_t count;
	(void)state;

	forge_block(fine, sizeof(fine) / sizeof(*fine), &block);
	assert_int_equal(buf_append(&twice, block.p, block.n, NULL), 0);
	assert_int_equal(buf_append(&twice, block.p, block.n, NULL), 0);
	assert_int_equal(read_all(twice.p, twice.n, NULL, &count, &err), -1);
	assert_string_equal(err.code, "E-CATALOG-01");
	assert_int_equal(buf_append(&block, zeros, 512, NULL), 0);
	assert_int_equal(read_all(block.p, block.n, NULL, &count, &err), -1);
	assert_int_equal(read_all(block.p, 0, NULL, &count, &err), -1);
	assert_int_equal(read_all((const uint8_t *)zeros, 512, NULL, &count, &err), -1);
}

static void the_best_known_block(struct buf *block)
{
	struct catalog_writer *w;
	char path[32];

	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	for (int i = 0; i < 40; i++) {
		struct archive_entry *e = archive_entry_new();
		const char *runs;

		snprintf(path, sizeof(path), "d/%02d\xe6\x82\xa3", i);
		archive_entry_copy_pathname(e, path);
		archive_entry_set_mode(e, (i % 4 == 1 ? AE_IFLNK : i % 4 == 2 ? AE_IFDIR : AE_IFREG) | 0755);
		archive_entry_set_mtime(e, i, 7);
		archive_entry_copy_uname(e, "root");
		if (i % 4 == 1)
			archive_entry_set_symlink(e, "../target");
		archive_entry_xattr_add_entry(e, "user.%", "\0=\n", 3);
		archive_entry_acl_add_entry(
		    e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, 5, ARCHIVE_ENTRY_ACL_USER, i, NULL);
		if (i % 4 == 3)
			archive_entry_copy_hardlink(e, "d/00\xe6\x82\xa3");
		runs = i % 4 == 0 || i % 4 == 3 ? runs_of("9 1:2:3:4 h:5") : NULL;
		assert_int_equal(catalog_writer_add(w, e, runs, runs ? strlen(runs) : 0,
				     runs ? runs_sha256 : NULL, i % 8 & CATALOG_CHANGED, NULL),
		    0);
		archive_entry_free(e);
	}
	assert_int_equal(catalog_writer_finish(w, block, NULL), 0);
	catalog_writer_free(w);
}

static void truncated_blocks_are_refused(void **state)
{
	BUF_AUTO block = BUF_INIT(MAX);
	struct err err = ERR_INIT;
	size_t count, tried = 0;
	(void)state;

	the_best_known_block(&block);
	assert_int_equal(read_all(block.p, block.n, NULL, &count, &err), 0);
	for (size_t n = 0; n < block.n; n += 512, tried++) {
		BUF_AUTO cut =
		    BUF_INIT(MAX); /* an allocation of its own, so that ASan sees a read behind it */

		assert_int_equal(buf_append(&cut, block.p, n, NULL), 0);
		assert_int_equal(read_all(cut.p, cut.n, NULL, &count, &err), -1);
		/* the same with the right end put behind: entries are missing, which only the block list can
		 * tell */
		assert_int_equal(buf_append(&cut, block.p + block.n - 1024, 1024, NULL), 0);
		(void)read_all(cut.p, cut.n, NULL, &count, &err);
	}
	print_message("%zu truncations, all refused\n", tried);
}

static void every_flipped_bit_is_survived(void **state)
{
	BUF_AUTO block = BUF_INIT(MAX);
	struct err err = ERR_INIT;
	size_t count, refused = 0, tried = 0;
	(void)state;

	the_best_known_block(&block);
	for (size_t bit = 0; bit < 4096 * 8; bit++, tried++) {
		block.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
		refused += read_all(block.p, block.n, NULL, &count, &err) != 0;
		block.p[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	print_message("%zu bits flipped, %zu refused, nothing outside yielded\n", tried, refused);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_broken_rule_is_refused),
	    cmocka_unit_test(the_block_before_counts),
	    cmocka_unit_test(headers_that_other_tars_would_let_pass),
	    cmocka_unit_test(records_that_only_bytes_can_forge),
	    cmocka_unit_test(kinds_of_hard_links),
	    cmocka_unit_test(bytes_behind_the_end_are_refused),
	    cmocka_unit_test(truncated_blocks_are_refused),
	    cmocka_unit_test(every_flipped_bit_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
