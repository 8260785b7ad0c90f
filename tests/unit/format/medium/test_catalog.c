/* catalog: odd entries come back as they were, for us and for stock tools; a hostile block yields nothing
 * outside. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <archive.h>
#include <archive_entry.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "format/medium/catalog.h"
#include "format/medium/pax.h"
#include "lib/runs.h"

#define MAX ((size_t)8 << 20)

static struct archive_entry *entry(const char *path, unsigned type, unsigned perm)
{
	struct archive_entry *e = archive_entry_new();

	archive_entry_copy_pathname(e, path);
	archive_entry_set_mode(e, type | perm);
	archive_entry_set_mtime(e, 1700000000, 123456789);
	archive_entry_set_atime(e, 5, 5);
	archive_entry_set_ctime(e, 6, 6);
	archive_entry_set_uid(e, 1000);
	archive_entry_set_gid(e, 1000);
	archive_entry_set_nlink(e, 3);
	archive_entry_set_ino(e, 77);
	return e;
}

static void add(struct catalog_writer *w, struct archive_entry *e, const char *extents, unsigned flags)
{
	struct err err = ERR_INIT;
	const char *runs = extents ? runs_of(extents) : NULL;
	int r =
	    catalog_writer_add(w, e, runs, runs ? strlen(runs) : 0, runs ? runs_sha256 : NULL, flags, &err);

	if (r)
		fail_msg("%d %s %s", r, err.code, err.msg);
	archive_entry_free(e);
}

static void finish(struct catalog_writer *w, struct buf *out)
{
	struct err err = ERR_INIT;

	if (catalog_writer_finish(w, out, &err))
		fail_msg("%s %s", err.code, err.msg);
}

static void next(struct catalog_reader *r, struct catalog_item *item)
{
	struct err err = ERR_INIT;

	if (catalog_reader_next(r, item, &err))
		fail_msg("%s %s", err.code, err.msg);
}

/* Names of every kind, in order. */
static const char **odd_names(size_t *ret_n)
{
	static char every[255], deep[41000], deeper[800001], longest[256], kana[256];
	static const char *names[40];
	size_t n = 0, at = 0;

	for (int i = 1; i < 256; i++)
		if (i != '/')
			every[at++] = (char)i;
	memset(longest, 'n', 255);
	for (int i = 0; i < 85; i++)
		memcpy(kana + (size_t)3 * i, "\xe3\x81\x82", 3);
	for (size_t i = 0; i < sizeof(deep) - 1; i++)
		deep[i] = i % 200 == 199 && i < sizeof(deep) - 2 ? '/' : 'x';
	for (size_t i = 0; i < sizeof(deeper) - 1; i++)
		deeper[i] = i % 2 && i < sizeof(deeper) - 2 ? '/' : 'y';
	names[n++] = every;
	names[n++] = "\t";
	names[n++] = "\n";
	names[n++] = " lead";
	names[n++] = "'\"*?[x]";
	names[n++] = "-rf";
	names[n++] = "25 path=evil\n";
	names[n++] = "\\";
	names[n++] = "a\xcc\x81";
	names[n++] = "trail ";
	names[n++] = "\xc3\xa1";
	names[n++] = "\x8a\xb3\x8e\xd2"; /* CP932 */
	names[n++] = "\xb4\xb5\xbc\xd4"; /* EUC-JP */
	names[n++] = "\xe6\x82\xa3\xe8\x80\x85.txt";
	names[n++] = "\xff\xfe";
	names[n++] = longest;
	names[n++] = kana;
	names[n++] = deep;
	names[n++] = deeper;
	*ret_n = n;
	return names;
}

static int by_path(const void *a, const void *b)
{
	return path_compare(*(const char *const *)a, *(const char *const *)b);
}

static void names_of_all_kinds_come_back(void **state)
{
	BUF_AUTO block = BUF_INIT(MAX);
	BUF_AUTO again = BUF_INIT(MAX);
	struct catalog_writer *w;
	struct catalog_reader *r;
	struct catalog_item item;
	size_t n;
	const char **names = odd_names(&n);
	(void)state;

	qsort(names, n, sizeof(*names), by_path);
	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	for (int twice = 0; twice < 2; twice++) {
		for (size_t i = 0; i < n; i++)
			add(w, entry(names[i], i % 3 ? AE_IFREG : AE_IFDIR, 0644), i % 3 ? "5 1:2:3:5" : NULL,
			    0);
		assert_int_equal(catalog_writer_entries(w), n);
		finish(w, twice ? &again : &block);
		assert_int_equal(catalog_writer_entries(w), 0);
		catalog_writer_free(w);
		assert_int_equal(catalog_writer_new(&w, NULL), 0);
	}
	catalog_writer_free(w);
	assert_int_equal(block.n, again.n);
	assert_memory_equal(block.p, again.p, block.n);

	assert_int_equal(catalog_reader_new(block.p, block.n, NULL, &r, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		next(r, &item);
		assert_string_equal(item.path, names[i]);
		assert_string_equal(archive_entry_pathname(item.entry), names[i]);
		assert_int_equal(archive_entry_filetype(item.entry), i % 3 ? AE_IFREG : AE_IFDIR);
	}
	assert_int_equal(catalog_reader_next(r, &item, NULL), CATALOG_END);
	assert_int_equal(catalog_reader_next(r, &item, NULL), CATALOG_END);
	catalog_reader_free(r);
}

/* Writes the block to a file and gives what `command` (with the file as its last word) prints. */
static void ask(const struct buf *block, const char *command, struct buf *out)
{
	char name[] = "/tmp/bkp-catalog.XXXXXX", line[4096];
	int fd = mkstemp(name);
	size_t got;
	FILE *f;

	assert_true(fd >= 0);
	assert_int_equal(io_write_full(fd, block->p, block->n), 0);
	close(fd);
	snprintf(line, sizeof(line), "LC_ALL=C %s %s 2>&1", command, name);
	f = popen(line, "r");
	assert_non_null(f);
	while ((got = fread(line, 1, sizeof(line), f)) > 0)
		assert_int_equal(buf_append(out, line, got, NULL), 0);
	assert_int_equal(pclose(f), 0);
	unlink(name);
	assert_int_equal(buf_terminate(out, NULL), 0);
}

static void stock_tools_list_the_same_names(void **state)
{
	static const char *ask_python = "python3 -c 'import sys,tarfile,os\n"
					"for m in tarfile.open(sys.argv[1]):\n"
					"  "
					"sys.stdout.buffer.write(os.fsencode(m.name).replace(b\"\\\\\","
					"b\"\\\\\\\\\").replace(b\"\\n\",b\"\\\\n\")"
					"+(b\"/\" if m.isdir() else b\"\")+b\"\\n\")'";
	BUF_AUTO block = BUF_INIT(MAX);
	BUF_AUTO gnu = BUF_INIT(MAX);
	BUF_AUTO python = BUF_INIT(MAX);
	BUF_AUTO want = BUF_INIT(MAX);
	BUF_AUTO bsd = BUF_INIT(MAX);
	BUF_AUTO bsd_want = BUF_INIT(MAX);
	struct catalog_writer *w;
	size_t n;
	const char **names = odd_names(&n);
	(void)state;

	qsort(names, n, sizeof(*names), by_path);
	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	for (size_t i = 0; i < n; i++) {
		add(w, entry(names[i], i % 3 ? AE_IFREG : AE_IFDIR, 0644), i % 3 ? "5 1:2:3:5" : NULL, 0);
		for (const char *p = names[i]; *p; p++)
			if (*p == '\n' || *p == '\\')
				assert_int_equal(buf_puts(&want, *p == '\n' ? "\\n" : "\\\\", NULL), 0);
			else
				assert_int_equal(buf_append(&want, p, 1, NULL), 0);
		assert_int_equal(buf_puts(&want, i % 3 ? "\n" : "/\n", NULL), 0);
	}
	finish(w, &block);
	catalog_writer_free(w);
	assert_int_equal(buf_terminate(&want, NULL), 0);

	ask(&block, ask_python, &python);
	assert_string_equal((char *)python.p, (char *)want.p);
	/* GNU tar's escapes, undone by nobody: its --quoting-style=escape writes \n and \\ like this too, but
	 * also \t … */
	ask(&block, "tar --warning=no-unknown-keyword --quoting-style=literal -tf", &gnu);
	for (size_t i = 0, at = 0; i < n; i++) {
		size_t len = strlen(names[i]);

		assert_true(at + len <= gnu.n);
		assert_memory_equal(gnu.p + at, names[i], len);
		at += len + (i % 3 ? 0 : 1) + 1;
	}
	/* bsdtar escapes everything that is not printable; its count of entries is what can be compared */
	ask(&block, "bsdtar -tf", &bsd);
	ask(&block, "bsdtar -cf /dev/null --format=pax @",
	    &bsd_want); /* reads every header again, no warning */
	for (size_t i = 0, lines = 0; i < bsd.n; i++) {
		lines += bsd.p[i] == '\n';
		if (i + 1 == bsd.n)
			assert_int_equal(lines, n);
	}
}

static const struct {
	int64_t sec;
	long ns;
} times[] = {{-2145916800, 1}, {-1, 999999999}, {-1, 0}, {0, 0}, {0, 1}, {2147483647, 5}, {2147483648, 0},
    {15032385535, 999999999}, {-5, 250000000}, {-1, 1}, {-2, 500000000}, {INT64_C(-62135596800), 999999999}};
static char big[65536], target[4096];
static const char kinds_padding[] =
    "a name that is as long as names are where patients, dates and orders stand in the path of a file, so "
    "that it fits into the header of a tar archive at times and at other times needs one of its own, yes";

static void write_times(struct catalog_writer *w)
{
	struct archive_entry *e;
	char path[20];

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		snprintf(path, sizeof(path), "a/%02zu", i);
		e = entry(path, AE_IFDIR, 07777);
		archive_entry_set_mtime(e, times[i].sec, times[i].ns);
		add(w, e, NULL, 0);
	}
}

static void write_attributes(struct catalog_writer *w)
{
	struct archive_entry *e;
	char path[20];

	e = entry("b", AE_IFREG, 04755);
	archive_entry_set_uid(e, 4294967294);
	archive_entry_set_gid(e, 4294967294);
	archive_entry_copy_uname(e, "DOM\\\xe6\x82\xa3 with a name longer than thirty-one");
	archive_entry_copy_gname(e, "wheel");
	archive_entry_xattr_add_entry(e, "user.z", "", 0);
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "user.big%d", i);
		archive_entry_xattr_add_entry(e, path, big, sizeof(big) - (size_t)i);
	}
	archive_entry_xattr_add_entry(e, "user.a=b%c d\n\xe6\x82\xa3\xff", "a\0b\n", 4);
	archive_entry_xattr_add_entry(e, "bkp.extents", "0", 1); /* a source cannot forge ours */
	archive_entry_xattr_add_entry(e, "bkp.sha256", "0", 1);
	archive_entry_set_fflags(e, 0x40 | 0x10 | 0x80, 0); /* nodump, immutable, noatime */
	for (int i = 0; i < 2000; i++)
		archive_entry_acl_add_entry(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, i % 8, ARCHIVE_ENTRY_ACL_USER,
		    i * 1000000, i == 5 ? "five" : NULL);
	archive_entry_acl_add_entry(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, 5, ARCHIVE_ENTRY_ACL_MASK, -1, NULL);
	add(w, e, "10 1:2:3:4 h:6", CATALOG_CHANGED | CATALOG_INCOMPLETE);
}

static void write_types(struct catalog_writer *w)
{
	struct archive_entry *e;

	e = entry("c", AE_IFLNK, 0777);
	archive_entry_set_symlink(e, target);
	add(w, e, NULL, 0);
	e = entry("d", AE_IFCHR, 0600);
	archive_entry_set_rdevmajor(e, 4095);
	archive_entry_set_rdevminor(e, 1048575);
	add(w, e, NULL, 0);
	e = entry("e", AE_IFREG, 0600);
	archive_entry_set_hardlink(e, "b");
	add(w, e, "10 1:2:3:4 h:6", 0);
	add(w, entry("f", AE_IFIFO, 0600), NULL, 0);
	add(w, entry("g", AE_IFREG, 0), NULL, CATALOG_UNREADABLE);
	e = entry("h", AE_IFREG, 0);
	archive_entry_set_hardlink(e, "g");
	add(w, e, NULL, CATALOG_UNREADABLE);
}

static void check_times(struct catalog_reader *r)
{
	struct catalog_item item;

	for (size_t i = 0; i < sizeof(times) / sizeof(*times); i++) {
		next(r, &item);
		assert_int_equal(archive_entry_mtime(item.entry), times[i].sec);
		assert_int_equal(archive_entry_mtime_nsec(item.entry), times[i].ns);
		assert_int_equal(archive_entry_mode(item.entry), AE_IFDIR | 07777);
		assert_false(archive_entry_atime_is_set(item.entry));
		assert_false(archive_entry_ctime_is_set(item.entry));
	}
}

static void check_attribute_lists(const struct catalog_item *it)
{
	const char *name;
	const void *value;
	size_t n;

	assert_int_equal(archive_entry_xattr_reset(it->entry), 10);
	for (int i = 0; i < 10; i++) {
		archive_entry_xattr_next(it->entry, &name, &value, &n);
		if (i == 0) {
			assert_string_equal(name, "user.a=b%c d\n\xe6\x82\xa3\xff");
			assert_int_equal(n, 4);
			assert_memory_equal(value, "a\0b\n", 4);
		} else if (i < 9) {
			assert_int_equal(n, sizeof(big) - (size_t)(i - 1));
			assert_memory_equal(value, big, n);
		} else {
			assert_string_equal(name, "user.z");
			assert_int_equal(n, 0);
		}
	}
	/* as libarchive counts: with the three that the mode says */
	assert_int_equal(archive_entry_acl_reset(it->entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS), 2004);
	for (int i = 0, type, perm, tag, id; i < 2004; i++) {
		assert_int_equal(archive_entry_acl_next(it->entry, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, &type,
				     &perm, &tag, &id, &name),
		    ARCHIVE_OK);
		if (i >= 3 && i < 2003) {
			assert_int_equal(id, (i - 3) * 1000000);
			assert_int_equal(perm, (i - 3) % 8);
		}
	}
}

static void check_attributes(struct catalog_reader *r)
{
	struct catalog_item item;
	unsigned long set, clear;

	next(r, &item);
	assert_string_equal(item.path, "b");
	assert_int_equal(archive_entry_uid(item.entry), 4294967294);
	assert_int_equal(archive_entry_gid(item.entry), 4294967294);
	assert_string_equal(
	    archive_entry_uname(item.entry), "DOM\\\xe6\x82\xa3 with a name longer than thirty-one");
	assert_string_equal(archive_entry_gname(item.entry), "wheel");
	assert_int_equal(archive_entry_size(item.entry), 10);
	assert_int_equal(item.size, 10);
	assert_int_equal(item.flags, CATALOG_CHANGED | CATALOG_INCOMPLETE);
	assert_int_equal(item.extents_len, strlen(runs_of("10 1:2:3:4 h:6")));
	assert_memory_equal(item.extents, runs_of("10 1:2:3:4 h:6"), item.extents_len);
	assert_memory_equal(item.sha256, runs_sha256, DIGEST_LEN);
	assert_int_equal(archive_entry_mode(item.entry), AE_IFREG | 04755);
	archive_entry_fflags(item.entry, &set, &clear);
	assert_int_equal(set, 0x40 | 0x10 | 0x80);
	check_attribute_lists(&item);
}

static void check_types(struct catalog_reader *r)
{
	struct catalog_item item;

	next(r, &item);
	assert_string_equal(archive_entry_symlink(item.entry), target);
	assert_null(item.extents);
	next(r, &item);
	assert_int_equal(archive_entry_rdevmajor(item.entry), 4095);
	assert_int_equal(archive_entry_rdevminor(item.entry), 1048575);
	next(r, &item);
	assert_string_equal(archive_entry_hardlink(item.entry), "b");
	assert_int_equal(item.size, 10);
	next(r, &item);
	assert_int_equal(archive_entry_filetype(item.entry), AE_IFIFO);
	next(r, &item);
	assert_int_equal(item.flags, CATALOG_UNREADABLE);
	assert_null(item.extents);
	next(r, &item);
	assert_string_equal(archive_entry_hardlink(item.entry), "g");
	assert_int_equal(item.flags, CATALOG_UNREADABLE);
	assert_int_equal(catalog_reader_next(r, &item, NULL), CATALOG_END);
}

/* What the header of the first entry says in octal digits, and its records. */
static unsigned header_mode(const struct buf *block, const char **ret_records)
{
	const uint8_t *own = block->p;

	*ret_records = "";
	if (own[156] == 'x') {
		size_t n = strtoul((const char *)own + 124, NULL, 8);

		*ret_records = (const char *)own + 512;
		own += 512 + (n + 511) / 512 * 512;
	}
	return (unsigned)strtoul((const char *)own + 100, NULL, 8);
}

/* As meta.c makes it of what stat(2) and the ACL say; mask: -1 where there is none. */
static void write_acl(unsigned mode, int group, int mask, struct buf *block)
{
	struct archive_entry *e = entry("a", AE_IFREG, mode);
	struct catalog_writer *w;

	archive_entry_acl_add_entry(
	    e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, (int)(mode >> 6 & 7), ARCHIVE_ENTRY_ACL_USER_OBJ, -1, NULL);
	archive_entry_acl_add_entry(
	    e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, group, ARCHIVE_ENTRY_ACL_GROUP_OBJ, -1, NULL);
	archive_entry_acl_add_entry(
	    e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, (int)(mode & 7), ARCHIVE_ENTRY_ACL_OTHER, -1, NULL);
	if (mask >= 0) {
		archive_entry_acl_add_entry(
		    e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, 7, ARCHIVE_ENTRY_ACL_USER, 7, "lp");
		archive_entry_acl_add_entry(
		    e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, mask, ARCHIVE_ENTRY_ACL_MASK, -1, NULL);
	}
	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	add(w, e, "0", 0);
	finish(w, block);
	catalog_writer_free(w);
}

/* Who knows no ACLs gives the owning group what it had: its entry and the mask. */
static void a_mode_is_never_wider_than_what_its_acl_gave(void **state)
{
	static const struct {
		unsigned st_mode; /* with the mask as its group bits */
		int group, mask;
		unsigned want;
		const char *acl;
	} cases[] = {
	    {0670, 4, 7, 0640, "SCHILY.acl.access=user::rw-,group::r--,other::---,user:lp:rwx:7,mask::rwx\n"},
	    {0640, 7, 4, 0640, "SCHILY.acl.access=user::rw-,group::rwx,other::---,user:lp:rwx:7,mask::r--\n"},
	    {0700, 7, 0, 0700, "SCHILY.acl.access=user::rwx,group::rwx,other::---,user:lp:rwx:7,mask::---\n"},
	    {04775, 5, 7, 04755, "mask::rwx\n"},
	    {0664, 6, -1, 0664, ""},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		BUF_AUTO block = BUF_INIT(MAX);
		struct catalog_reader *r;
		struct catalog_item item;
		const char *records;

		write_acl(cases[i].st_mode, cases[i].group, cases[i].mask, &block);
		assert_int_equal(header_mode(&block, &records), cases[i].want);
		assert_non_null(strstr(records, cases[i].acl));
		assert_int_equal(catalog_reader_new(block.p, block.n, NULL, &r, NULL), 0);
		next(r, &item);
		/* with the ACL nothing is lost: the group's own entry */
		assert_int_equal(archive_entry_perm(item.entry) >> 3 & 7, cases[i].group);
		assert_int_equal(pax_mode(item.entry), cases[i].want);
		catalog_reader_free(r);
	}
}

/* Each is there as a name of another, and by itself. */
static void hard_links_to_what_is_no_file_stand_alone(void **state)
{
	static const char odd[] = "char 1 3 \n\xff \xe6\x82\xa3";
	static const unsigned types[] = {AE_IFLNK, AE_IFCHR, AE_IFBLK, AE_IFIFO};
	BUF_AUTO block = BUF_INIT(MAX);
	struct catalog_writer *w;
	struct catalog_reader *r;
	struct catalog_item item;
	(void)state;

	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	for (int i = 0; i < 8; i++) {
		char path[] = "a0", first[] = "a0";
		struct archive_entry *e;

		path[1] = (char)('0' + i);
		first[1] = (char)('0' + i / 2 * 2);
		e = entry(path, types[i / 2], 0640);
		if (types[i / 2] == AE_IFLNK)
			archive_entry_copy_symlink(e, odd);
		archive_entry_set_rdevmajor(e, 4095);
		archive_entry_set_rdevminor(e, 1048575);
		if (i % 2)
			archive_entry_copy_hardlink(e, first);
		add(w, e, NULL, 0);
	}
	finish(w, &block);
	catalog_writer_free(w);
	assert_int_equal(catalog_reader_new(block.p, block.n, NULL, &r, NULL), 0);
	for (int i = 0; i < 8; i++) {
		next(r, &item);
		assert_null(item.extents);
		if (i % 2) {
			assert_non_null(archive_entry_hardlink(item.entry));
			assert_int_equal(archive_entry_filetype(item.entry), 0);
			assert_int_equal(catalog_alone(item.entry, &item), 0);
		} else {
			assert_null(item.special);
		}
		assert_null(archive_entry_hardlink(item.entry));
		assert_int_equal(archive_entry_mode(item.entry), types[i / 2] | 0640);
		if (i / 2 == 0)
			assert_string_equal(archive_entry_symlink(item.entry), odd);
		if (i / 2 == 1 || i / 2 == 2) {
			assert_int_equal(archive_entry_rdevmajor(item.entry), 4095);
			assert_int_equal(archive_entry_rdevminor(item.entry), 1048575);
		}
	}
	assert_int_equal(catalog_reader_next(r, &item, NULL), CATALOG_END);
	catalog_reader_free(r);
}

/* POSIX: decimal seconds, also before 1970; and bytes that are not ASCII are announced, others are not. */
static void stock_tools_are_not_told_wrong_times_nor_warn(void **state)
{
	static const struct {
		int64_t sec;
		long ns;
		const char *text;
	} cases[] = {{-2, 500000000, "-1.5"}, {-1, 500000000, "-0.5"}, {-1, 1, "-0.999999999"},
	    {-1, 999999999, "-0.000000001"}, {-7, 0, "-7"}, {0, 500000000, "0.5"},
	    {1700000000, 120000000, "1700000000.12"}, {INT64_C(8589934592), 0, "8589934592"}};
	static const char *ask_python = "python3 -c 'import sys,tarfile\n"
					"for m in tarfile.open(sys.argv[1]): print(m.pax_headers[\"mtime\"], "
					"\"hdrcharset\" in m.pax_headers)'";
	BUF_AUTO block = BUF_INIT(MAX);
	BUF_AUTO want = BUF_INIT(MAX);
	BUF_AUTO python = BUF_INIT(MAX);
	BUF_AUTO gnu = BUF_INIT(MAX);
	struct catalog_writer *w;
	(void)state;

	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct archive_entry *e;
		char path[20];

		snprintf(path, sizeof(path), "%zu%s", i, i == 5 ? "\xe6\x82\xa3" : "");
		e = entry(path, AE_IFREG, 0644);
		archive_entry_set_mtime(e, cases[i].sec, cases[i].ns);
		if (i == 6)
			archive_entry_copy_gname(e, "\xe6\x82\xa3");
		add(w, e, "5 1:2:3:5", 0);
		assert_int_equal(
		    buf_printf(&want, NULL, "%s %s\n", cases[i].text, i == 5 || i == 6 ? "True" : "False"),
		    0);
	}
	finish(w, &block);
	catalog_writer_free(w);
	assert_int_equal(buf_terminate(&want, NULL), 0);
	ask(&block, ask_python, &python);
	assert_string_equal((char *)python.p, (char *)want.p);
	ask(&block, "tar tf", &gnu);
	for (const char *at = (char *)gnu.p; (at = strstr(at, "hdrcharset")); at++)
		want.n++;
	assert_int_equal(want.n - strlen((char *)want.p), 2); /* warnings */
	assert_null(strstr((char *)gnu.p, "SCHILY"));
}

static void all_metadata_comes_back(void **state)
{
	BUF_AUTO block = BUF_INIT(MAX);
	struct catalog_writer *w;
	struct catalog_reader *r;
	(void)state;

	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (char)(i * 7);
	memset(target, 't', 4095);
	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	write_times(w);
	write_attributes(w);
	write_types(w);
	finish(w, &block);
	catalog_writer_free(w);
	assert_int_equal(catalog_reader_new(block.p, block.n, NULL, &r, NULL), 0);
	check_times(r);
	check_attributes(r);
	check_types(r);
	catalog_reader_free(r);
}

static void too_large_is_said_at_once_and_harms_nothing(void **state)
{
	const size_t most = 65000;
	char *huge = malloc(950000), *link = malloc(500001);
	BUF_AUTO block = BUF_INIT(MAX);
	struct catalog_writer *w;
	struct catalog_reader *r;
	struct catalog_item item;
	struct archive_entry *e;
	struct err err = ERR_INIT;
	char name[20];
	(void)state;

	memset(huge, 'h', 949999);
	huge[949999] = '\0';
	memset(link, 'b', 500000);
	link[500000] = '\0';
	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	add(w, entry("a", AE_IFDIR, 0755), NULL, 0);
	e = entry("b", AE_IFDIR, 0755);
	for (int i = 0; i < 14; i++) {
		snprintf(name, sizeof(name), "user.%d", i);
		archive_entry_xattr_add_entry(e, name, big, most);
	}
	archive_entry_xattr_add_entry(
	    e, "user.last", big, 900 * 1024 - 14 * most - 100); /* only headers exceed it */
	assert_int_equal(catalog_writer_add(w, e, NULL, 0, NULL, 0, &err), CATALOG_TOO_LARGE);
	assert_string_equal(err.code, "E-CATALOG-03");
	archive_entry_xattr_clear(e);
	add(w, e, NULL, CATALOG_INCOMPLETE); /* the caller's way out */
	add(w, entry(link, AE_IFREG, 0644), "0", 0);
	e = entry("c", AE_IFREG, 0644);
	archive_entry_copy_hardlink(e, link);
	add(w, e, "0", 0);
	e = entry(huge, AE_IFREG, 0644);
	assert_int_equal(catalog_writer_add(w, e, "0", 1, runs_sha256, 0, &err), CATALOG_TOO_LARGE);
	archive_entry_copy_pathname(e, link + 1);
	archive_entry_copy_hardlink(e, link + 2);
	assert_int_equal(catalog_writer_add(w, e, "0", 1, runs_sha256, 0, &err),
	    -1); /* out of order, and so is its link */
	archive_entry_free(e);
	link[0] = 'd';
	link[1] = 'd';
	e = entry(link, AE_IFREG, 0644);
	archive_entry_copy_hardlink(e, link + 2);
	assert_int_equal(catalog_writer_add(w, e, "0", 1, runs_sha256, 0, &err),
	    CATALOG_TOO_LARGE); /* two long names in one entry */
	archive_entry_free(e);
	add(w, entry("dd", AE_IFDIR, 0755), NULL, 0);
	finish(w, &block);
	catalog_writer_free(w);

	assert_int_equal(catalog_reader_new(block.p, block.n, NULL, &r, NULL), 0);
	for (int i = 0; i < 5; i++)
		next(r, &item);
	assert_string_equal(item.path, "dd");
	assert_int_equal(catalog_reader_next(r, &item, NULL), CATALOG_END);
	catalog_reader_free(r);
	free(huge);
	free(link);
}

static void blocks_are_cut_by_content(void **state)
{
	BUF_AUTO out = BUF_INIT((size_t)200 << 20);
	size_t cuts[2][2000], n[2] = {0, 0}, same = 0, least = SIZE_MAX, most = 0;
	(void)state;

	for (int shifted = 0; shifted < 2; shifted++) {
		struct catalog_writer *w;
		char path[40];

		assert_int_equal(catalog_writer_new(&w, NULL), 0);
		for (size_t i = 0; i < 100000; i++) {
			size_t entries;

			if (shifted && i < 10)
				continue; /* ten files fewer at the front */
			snprintf(path, sizeof(path), "%06zu", i);
			add(w, entry(path, AE_IFREG, 0644), "5 1:2:3:5", 0);
			if (!catalog_writer_full(w))
				continue;
			entries = catalog_writer_entries(w);
			least = entries < least ? entries : least;
			most = entries > most ? entries : most;
			finish(w, &out);
			cuts[shifted][n[shifted]++] = i;
			out.n = 0;
		}
		catalog_writer_free(w);
	}
	for (size_t i = 0; i < n[0]; i++)
		for (size_t j = 0; j < n[1]; j++)
			same += cuts[0][i] == cuts[1][j];
	print_message(
	    "100,000 entries: %zu blocks of %zu…%zu; without the first ten files %zu of them begin anew\n",
	    n[0], least, most, n[0] - same);
	assert_true(n[0] > 650 && n[0] < 1000 && same + 10 > n[0] && least >= CATALOG_ENTRIES_MIN &&
		    most <= CATALOG_ENTRIES_MAX);
}

/* Every entry of test data by its number; all kinds. */
static void add_kind(struct catalog_writer *w, size_t i)
{
	struct archive_entry *e;
	char path[300], text[40];

	snprintf(path, sizeof(path), "d/%04zu\xe6\x82\xa3%.*s", i, (int)(i * 7 % 200), kinds_padding);
	e = entry(path, i % 5 == 0 ? AE_IFDIR : i % 5 == 1 ? AE_IFLNK : AE_IFREG, 0644);
	if (i % 5 == 1)
		archive_entry_set_symlink(e, "somewhere");
	if (i % 3 == 0) {
		archive_entry_xattr_add_entry(e, "user.z", "1", 1);
		archive_entry_xattr_add_entry(e, "user.a", big, i);
	}
	if (i % 7 == 0)
		archive_entry_acl_add_entry(
		    e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, 7, ARCHIVE_ENTRY_ACL_USER, 1234, "somebody");
	if (i % 5 == 2)
		archive_entry_set_hardlink(e, "d/0000");
	snprintf(text, sizeof(text), "%zu 1:2:3:%zu", i + 1, i + 1);
	add(w, e, i % 5 > 1 && i % 11 ? text : NULL, i % 5 > 1 && i % 11 == 0 ? CATALOG_UNREADABLE : 0);
}

static void spliced_is_as_written(void **state)
{
	struct catalog_writer *w, *s;
	size_t at[200], len[200], sum;
	char path[300];
	(void)state;

	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	for (unsigned round = 0; round < 40; round++) {
		BUF_AUTO block = BUF_INIT(MAX);
		BUF_AUTO again = BUF_INIT(MAX);

		for (size_t i = sum = 0; i < 200; i++) {
			add_kind(w, i);
			at[i] = sum;
			sum += len[i] = catalog_writer_last(w);
		}
		finish(w, &block);
		assert_int_equal(block.n, sum + 1024);
		catalog_writer_free(w);
		assert_int_equal(catalog_writer_new(&w, NULL), 0);
		assert_int_equal(catalog_writer_new(&s, NULL), 0);
		for (size_t i = 0; i < 200; i++) {
			struct catalog_reader *r;
			BUF_AUTO one = BUF_INIT(MAX);
			struct catalog_item item;
			static const char end[1024];

			/* all, none, and every mixture */
			if (round == 1 || (round && (i * 2654435761u >> 8) % round == 0)) {
				add_kind(s, i);
				assert_int_equal(catalog_writer_last(s), len[i]);
				continue;
			}
			assert_int_equal(buf_append(&one, block.p + at[i], len[i], NULL), 0);
			assert_int_equal(buf_append(&one, end, sizeof(end), NULL), 0);
			assert_int_equal(catalog_reader_new(one.p, one.n, NULL, &r, NULL), 0);
			next(r, &item);
			snprintf(path, sizeof(path), "%s", item.path);
			catalog_reader_free(r);
			assert_int_equal(catalog_writer_add_raw(s, path, block.p + at[i], len[i], NULL), 0);
			assert_int_equal(catalog_writer_last(s), len[i]);
		}
		assert_int_equal(catalog_writer_entries(s), 200);
		finish(s, &again);
		catalog_writer_free(s);
		assert_int_equal(again.n, block.n);
		assert_memory_equal(again.p, block.p, block.n);
	}
	catalog_writer_free(w);
}

static void what_is_not_an_entry_is_not_spliced(void **state)
{
	BUF_AUTO block = BUF_INIT(MAX);
	struct catalog_writer *w;
	struct err err = ERR_INIT;
	size_t n;
	(void)state;

	assert_int_equal(catalog_writer_new(&w, NULL), 0);
	add(w, entry("m", AE_IFREG, 0644), "0", 0);
	n = catalog_writer_last(w);
	finish(w, &block);
	assert_int_equal(catalog_writer_add_raw(w, "a", block.p, n, &err), -1); /* behind "m" */
	assert_string_equal(err.code, "E-CATALOG-02");
	assert_int_equal(catalog_writer_add_raw(w, "m", block.p, n, &err), -1);
	assert_int_equal(catalog_writer_add_raw(w, "x/../y", block.p, n, &err), -1);
	assert_int_equal(catalog_writer_add_raw(w, "x", block.p, n - 1, &err), -1);
	assert_int_equal(catalog_writer_add_raw(w, "x", block.p, 0, &err), -1);
	assert_int_equal(catalog_writer_add_raw(w, "x", block.p, block.n, &err), -1);
	assert_int_equal(catalog_writer_entries(w), 0);
	/* what is made between spliced entries is read back */
	assert_int_equal(catalog_writer_add_raw(w, "x", block.p, n, &err), 0);
	add(w, entry("y", AE_IFREG, 0644), "0", 0);
	finish(w, &block);
	catalog_writer_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(names_of_all_kinds_come_back),
	    cmocka_unit_test(stock_tools_list_the_same_names),
	    cmocka_unit_test(all_metadata_comes_back),
	    cmocka_unit_test(a_mode_is_never_wider_than_what_its_acl_gave),
	    cmocka_unit_test(hard_links_to_what_is_no_file_stand_alone),
	    cmocka_unit_test(stock_tools_are_not_told_wrong_times_nor_warn),
	    cmocka_unit_test(too_large_is_said_at_once_and_harms_nothing),
	    cmocka_unit_test(blocks_are_cut_by_content),
	    cmocka_unit_test(spliced_is_as_written),
	    cmocka_unit_test(what_is_not_an_entry_is_not_spliced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
