/* output: see output.h. */
#include "restore/app/output.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/crypto/minisig.h"
#include "format/medium/catalog.h"

#define SHOWN_MAX ((size_t)16 << 20)

void output_shown(const char *s)
{
	BUF_AUTO b = BUF_INIT(SHOWN_MAX);

	if (!path_display(s, &b, NULL))
		fwrite(b.p ? (const char *)b.p : "", 1, b.n, stdout);
}

/* Length of the UTF-8 character at s, 0 when there is none (RFC 3629). */
static size_t utf8_length(const unsigned char *s)
{
	size_t n = s[0] < 0x80			  ? 1
		   : s[0] >= 0xf0 && s[0] <= 0xf4 ? 4
		   : s[0] >= 0xe0		  ? 3
		   : s[0] >= 0xc2		  ? 2
						  : 0,
	       i;

	if (s[0] > 0xf4)
		return 0;
	for (i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) || (s[0] == 0xf0 && s[1] < 0x90) ||
	    (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

static bool is_utf8(const char *s)
{
	const unsigned char *p = (const unsigned char *)s;

	while (*p) {
		size_t n = utf8_length(p);

		if (!n)
			return false;
		p += n;
	}
	return true;
}

static void json_bytes(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20 || c == 0x7f)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

void output_json(const char *s)
{
	BUF_AUTO b = BUF_INIT(SHOWN_MAX);

	if (is_utf8(s))
		json_bytes(s);
	else if (path_display(s, &b, NULL) || buf_terminate(&b, NULL))
		fputs("\"?\"", stdout);
	else
		json_bytes((char *)b.p);
}

void output_json_name(const char *name, const char *s)
{
	BUF_AUTO b = BUF_INIT(SHOWN_MAX);

	printf("\"%s\":", name);
	output_json(s);
	if (is_utf8(s) || minisig_b64_encode(s, strlen(s), &b, NULL) || buf_terminate(&b, NULL))
		return;
	printf(",\"%s_b64\":\"%s\"", name, (char *)b.p);
}

void output_json_fault(const struct err *err)
{
	printf("{\"code\":");
	output_json(err->code);
	printf(",\"message\":");
	output_json(err->msg);
	putchar('}');
}

static char letter_of(const struct catalog_item *item)
{
	switch (archive_entry_filetype(item->entry)) {
	case AE_IFDIR:
		return 'd';
	case AE_IFLNK:
		return 'l';
	case AE_IFIFO:
		return 'p';
	case AE_IFCHR:
		return 'c';
	case AE_IFBLK:
		return 'b';
	default:
		return archive_entry_hardlink(item->entry) ? 'h' : '-';
	}
}

void output_entry_of(const struct catalog_item *item, struct output_entry *ret)
{
	struct archive_entry *e = item->entry;
	const char *hard = archive_entry_hardlink(e);

	*ret = (struct output_entry){
	    .path = item->path,
	    .link = hard ? hard : archive_entry_symlink(e),
	    .user = archive_entry_uname(e),
	    .group = archive_entry_gname(e),
	    .letter = letter_of(item),
	    .perm = (unsigned)archive_entry_perm(e),
	    .flags = item->flags,
	    .uid = archive_entry_uid(e),
	    .gid = archive_entry_gid(e),
	    .size = item->size,
	    .major = (unsigned)archive_entry_rdevmajor(e),
	    .minor = (unsigned)archive_entry_rdevminor(e),
	    .has_mtime = archive_entry_mtime_is_set(e),
	    .mtime = archive_entry_mtime(e),
	    .mtime_ns = archive_entry_mtime_nsec(e),
	};
}

static void mode_text(const struct output_entry *e, char out[12])
{
	static const char rwx[] = "rwxrwxrwx";
	unsigned m = e->perm;
	int i;

	out[0] = e->letter;
	for (i = 0; i < 9; i++)
		out[1 + i] = m & (0400u >> i) ? rwx[i] : '-';
	if (m & S_ISUID)
		out[3] = m & 0100 ? 's' : 'S';
	if (m & S_ISGID)
		out[6] = m & 010 ? 's' : 'S';
	if (m & S_ISVTX)
		out[9] = m & 1 ? 't' : 'T';
	out[10] = '\0';
}

static void owner_text(const char *name, int64_t id, char out[24])
{
	if (name && *name)
		path_show(name, out, 24);
	else
		snprintf(out, 24, "%" PRId64, id);
}

static void size_text(const struct output_entry *e, char out[32])
{
	if (e->letter == 'c' || e->letter == 'b')
		snprintf(out, 32, "%u, %u", e->major, e->minor);
	else
		snprintf(out, 32, "%" PRIu64, e->size);
}

static void flag_words(unsigned flags)
{
	if (flags & CATALOG_CHANGED)
		printf("  [%s]", text("changed while it was captured"));
	if (flags & CATALOG_UNREADABLE)
		printf("  [%s]", text("could not be read"));
	if (flags & CATALOG_INCOMPLETE)
		printf("  [%s]", text("attributes incomplete"));
}

void output_entry_line(const struct output_entry *e)
{
	char mode[12], user[24], group[24], size[32], when[32] = "?";
	time_t t = e->mtime;
	struct tm tm;

	mode_text(e, mode);
	owner_text(e->user, e->uid, user);
	owner_text(e->group, e->gid, group);
	size_text(e, size);
	if (localtime_r(&t, &tm))
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", &tm);
	printf("%s %-8s %-8s %12s %s ", mode, user, group, size, when);
	output_shown(e->path);
	if (e->link) {
		fputs(" -> ", stdout);
		output_shown(e->link);
	}
	flag_words(e->flags);
	putchar('\n');
}

void output_line(const struct catalog_item *item)
{
	struct output_entry e;

	output_entry_of(item, &e);
	output_entry_line(&e);
}

static void time_json(const struct output_entry *e)
{
	time_t t = e->mtime;
	char when[40];
	struct tm tm;

	if (!e->has_mtime || !gmtime_r(&t, &tm) || !strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S", &tm))
		return;
	printf(",\"mtime\":\"%s.%09ldZ\"", when, e->mtime_ns);
}

static const char *type_word(char letter)
{
	switch (letter) {
	case 'd':
		return "folder";
	case 'l':
		return "symlink";
	case 'h':
		return "hardlink";
	case 'p':
		return "fifo";
	case 'c':
		return "char";
	case 'b':
		return "block";
	default:
		return "file";
	}
}

static void flags_json(unsigned flags)
{
	const char *comma = "";

	printf(",\"flags\":[");
	if (flags & CATALOG_CHANGED) {
		printf("\"changed\"");
		comma = ",";
	}
	if (flags & CATALOG_UNREADABLE) {
		printf("%s\"unreadable\"", comma);
		comma = ",";
	}
	if (flags & CATALOG_INCOMPLETE)
		printf("%s\"attributes-incomplete\"", comma);
	putchar(']');
}

static void name_json(const char *name, const char *s)
{
	if (!s || !*s)
		return;
	putchar(',');
	output_json_name(name, s);
}

void output_members_json(const struct output_entry *e)
{
	printf("\"type\":\"%s\",\"mode\":\"%04o\",\"uid\":%" PRId64 ",\"gid\":%" PRId64, type_word(e->letter),
	    e->perm, e->uid, e->gid);
	name_json("user", e->user);
	name_json("group", e->group);
	printf(",\"size\":%" PRIu64, e->size);
	time_json(e);
	name_json("link", e->link);
	flags_json(e->flags);
}

void output_entry_json(const struct catalog_item *item, const char *dataset)
{
	struct output_entry e;

	output_entry_of(item, &e);
	putchar('{');
	if (dataset) {
		output_json_name("dataset", dataset);
		putchar(',');
	}
	output_json_name("path", e.path);
	putchar(',');
	output_members_json(&e);
	putchar('}');
}
