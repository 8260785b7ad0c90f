/* pax: see pax.h.
 *
 * Writing: put_records() collects the records that the entry needs, put_header() makes both headers.  A record stands there
 * only for what its field of the ustar header cannot say: a name that is too long or not ASCII, an id beyond seven octal
 * digits, a time with a fraction or before 1970.  hdrcharset says that names are bytes, and only where one is not ASCII:
 * GNU tar warns of it each time.
 *
 * Reading: read_header() checks magic, checksum and size, read_records() takes the known keys, each once; pax_next_attr()
 * goes over the same bytes again for the attributes. */
#include "format/medium/pax.h"

#include <inttypes.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"

#define ID_FIELD_MAX   07777777u      /* seven octal digits */
#define TIME_FIELD_MAX 077777777777LL /* eleven */
#define SIZE_FIELD_MAX ((uint64_t)077777777777)
#define NAME_FIELD     100
#define OWNER_FIELD    31 /* bytes of a name, and NUL */
#define XATTR	       "SCHILY.xattr."
#define MAGIC                                                                                                \
	"ustar\0"                                                                                            \
	"00"

/* A ustar header, POSIX.1-2001; all of it are bytes. */
struct header {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type, link[100], magic[8],
	    user[32], group[32], major[8], minor[8], prefix[155], padding[12];
};
_Static_assert(sizeof(struct header) == PAX_RECORD, "a ustar header");

/* The names that BSD's chflags and libarchive have for them. */
static const struct {
	const char *name;
	unsigned long bit;
} file_flags[] = {{"compress", FS_COMPR_FL}, {"dirsync", FS_DIRSYNC_FL}, {"journal-data", FS_JOURNAL_DATA_FL},
    {"noatime", FS_NOATIME_FL}, {"nocow", FS_NOCOW_FL}, {"nodump", FS_NODUMP_FL}, {"notail", FS_NOTAIL_FL},
    {"projinherit", FS_PROJINHERIT_FL}, {"sappnd", FS_APPEND_FL}, {"schg", FS_IMMUTABLE_FL},
    {"secdel", FS_SECRM_FL}, {"sync", FS_SYNC_FL}, {"topdir", FS_TOPDIR_FL}, {"undel", FS_UNRM_FL}};
#define FILE_FLAGS (sizeof(file_flags) / sizeof(*file_flags))

/* ---- writing ---- */

unsigned pax_mode(struct archive_entry *e)
{
	unsigned mode = archive_entry_perm(e) & 07777;
	int kind, perm, tag, id;
	const char *name;

	/* with an ACL the entry's mode has its user::, group:: and other:: */
	archive_entry_acl_reset(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS);
	while (archive_entry_acl_next(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, &kind, &perm, &tag, &id, &name) ==
	       ARCHIVE_OK)
		if (tag == ARCHIVE_ENTRY_ACL_MASK)
			mode &= ~070u | ((unsigned)perm & 7) << 3;
	return mode;
}

static bool is_ascii(const char *s)
{
	for (; s && *s; s++)
		if (*s & 0x80)
			return false;
	return true;
}

/* "<length> <key>=<value>\n", up to the "=": the length is that of the whole record, its own digits with it. */
static int put_key(struct buf *out, const char *key, size_t n_value, struct err *err)
{
	size_t rest = strlen(key) + n_value + 3, len = rest + 1;

	while (len != rest + (size_t)snprintf(NULL, 0, "%zu", len))
		len++;
	return buf_printf(out, err, "%zu %s=", len, key);
}

static int put_record(struct buf *out, const char *key, const void *value, size_t n, struct err *err)
{
	return put_key(out, key, n, err) || buf_append(out, value, n, err) || buf_puts(out, "\n", err) ? -1
												       : 0;
}

static int put_text(struct buf *out, const char *key, const char *value, struct err *err)
{
	return put_record(out, key, value, strlen(value), err);
}

static int put_number(struct buf *out, const char *key, int64_t value, struct err *err)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return put_text(out, key, text, err);
}

/* Decimal seconds, as POSIX has it: -1.5 is one and a half before 1970. */
static int put_time(struct buf *out, int64_t s, long ns, struct err *err)
{
	char value[48];
	int n;

	if (s < 0 && ns)
		n = snprintf(value, sizeof(value), "-%" PRId64 ".%09ld", -(s + 1), 1000000000 - ns);
	else
		n = snprintf(value, sizeof(value), "%" PRId64 ".%09ld", s, ns);
	while (value[n - 1] == '0')
		n--;
	value[value[n - 1] == '.' ? n - 1 : n] = '\0';
	return put_text(out, "mtime", value, err);
}

static int put_acl(struct buf *out, struct archive_entry *e, int type, const char *key, struct err *err)
{
	char *acl;
	int r;

	if (!(archive_entry_acl_types(e) & type))
		return 0;
	acl = archive_entry_acl_to_text(
	    e, NULL, type | ARCHIVE_ENTRY_ACL_STYLE_EXTRA_ID | ARCHIVE_ENTRY_ACL_STYLE_SEPARATOR_COMMA);
	if (!acl)
		return err_nomem(err);
	r = put_text(out, key, acl, err);
	free(acl);
	return r;
}

static int put_flags(struct buf *out, struct archive_entry *e, struct err *err)
{
	unsigned long set, clear;
	char words[160] = "";

	archive_entry_fflags(e, &set, &clear);
	for (size_t i = 0, n = 0; i < FILE_FLAGS; i++)
		if (set & file_flags[i].bit)
			n += (size_t)snprintf(
			    words + n, sizeof(words) - n, "%s%s", n ? "," : "", file_flags[i].name);
	return *words ? put_text(out, "SCHILY.fflags", words, err) : 0;
}

/* Names of attributes hold any byte: what cannot stand in a key is written %XX. */
static int put_attr(struct buf *out, const struct pax_attr *a, struct err *err)
{
	BUF_AUTO key = BUF_INIT((size_t)1 << 20);
	int r = buf_puts(&key, XATTR, err);

	for (const char *s = a->name; *s && !r; s++)
		if (*s <= ' ' || *s > '~' || *s == '%' || *s == '=')
			r = buf_printf(&key, err, "%%%02X", (unsigned)(uint8_t)*s);
		else
			r = buf_append(&key, s, 1, err);
	return r || buf_terminate(&key, err) || put_record(out, (const char *)key.p, a->value, a->n, err) ? -1
													  : 0;
}

/* What the headers say of an entry. */
struct said {
	char type;
	const char *path, *link, *user, *group; /* "": there is none */
	int64_t uid, gid, mtime;
	long mtime_ns;
};

static void say_entry(struct archive_entry *e, struct said *ret)
{
	static const struct {
		unsigned type;
		char letter;
	} types[] = {{AE_IFREG, '0'}, {AE_IFLNK, '2'}, {AE_IFCHR, '3'}, {AE_IFBLK, '4'}, {AE_IFDIR, '5'},
	    {AE_IFIFO, '6'}};
	const char *hard = archive_entry_hardlink(e), *sym = archive_entry_symlink(e),
		   *user = archive_entry_uname(e), *group = archive_entry_gname(e);

	*ret = (struct said){.type = '1',
	    .path = archive_entry_pathname(e),
	    .link = hard  ? hard
		    : sym ? sym
			  : "",
	    .user = user ? user : "",
	    .group = group ? group : "",
	    .uid = archive_entry_uid(e),
	    .gid = archive_entry_gid(e),
	    .mtime = archive_entry_mtime(e),
	    .mtime_ns = archive_entry_mtime_nsec(e)};
	for (size_t i = 0; i < sizeof(types) / sizeof(*types) && !hard; i++)
		if (archive_entry_filetype(e) == types[i].type)
			ret->type = types[i].letter;
}

static int put_path(struct buf *out, const struct said *s, struct err *err)
{
	const char *slash = s->type == '5' ? "/" : "";

	return put_key(out, "path", strlen(s->path) + strlen(slash), err) || buf_puts(out, s->path, err) ||
		       buf_puts(out, slash, err) || buf_puts(out, "\n", err)
		   ? -1
		   : 0;
}

static int put_names(struct buf *out, const struct said *s, struct err *err)
{
	bool path = is_ascii(s->path), link = is_ascii(s->link), user = is_ascii(s->user),
	     group = is_ascii(s->group);

	if (!(path && link && user && group) && put_text(out, "hdrcharset", "BINARY", err))
		return -1;
	if ((!path || strlen(s->path) + (s->type == '5') > NAME_FIELD) && put_path(out, s, err))
		return -1;
	if ((!link || strlen(s->link) > NAME_FIELD) && put_text(out, "linkpath", s->link, err))
		return -1;
	if ((!user || strlen(s->user) > OWNER_FIELD) && put_text(out, "uname", s->user, err))
		return -1;
	return (!group || strlen(s->group) > OWNER_FIELD) ? put_text(out, "gname", s->group, err) : 0;
}

static int put_records(struct buf *out, struct archive_entry *e, const struct said *s,
    const struct pax_attr *attrs, size_t n_attrs, struct err *err)
{
	if (put_names(out, s, err))
		return -1;
	if (s->uid > ID_FIELD_MAX && put_number(out, "uid", s->uid, err))
		return -1;
	if (s->gid > ID_FIELD_MAX && put_number(out, "gid", s->gid, err))
		return -1;
	if ((s->mtime_ns || s->mtime < 0 || s->mtime > TIME_FIELD_MAX) &&
	    put_time(out, s->mtime, s->mtime_ns, err))
		return -1;
	if (put_acl(out, e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "SCHILY.acl.access", err) ||
	    put_acl(out, e, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "SCHILY.acl.default", err) ||
	    put_flags(out, e, err))
		return -1;
	for (size_t i = 0; i < n_attrs; i++)
		if (put_attr(out, &attrs[i], err))
			return -1;
	return 0;
}

/* n - 1 octal digits and NUL; what is larger is the largest, and stands in a record. */
static void set_octal(char *field, size_t n, uint64_t v)
{
	uint64_t max = ((uint64_t)1 << 3 * (n - 1)) - 1;

	v = v < max ? v : max;
	field[--n] = '\0';
	for (; n-- > 0; v >>= 3)
		field[n] = (char)('0' + (v & 7));
}

/* As much of it as there is room for: the rest is in a record. */
static void set_text(char *field, size_t n, const char *s)
{
	size_t len = strlen(s);

	memcpy(field, s, len < n ? len : n);
}

/* Of all bytes, those of the checksum itself as blanks. */
static unsigned sum_of(const struct header *h)
{
	const uint8_t *p = (const uint8_t *)h, *own = (const uint8_t *)h->checksum;
	unsigned sum = sizeof(h->checksum) * ' ';

	for (size_t i = 0; i < sizeof(*h); i++)
		sum += p[i];
	for (size_t i = 0; i < sizeof(h->checksum); i++)
		sum -= own[i];
	return sum;
}

static int put_header(struct buf *out, struct header *h, struct err *err)
{
	memcpy(h->magic, MAGIC, sizeof(h->magic));
	set_octal(h->checksum, sizeof(h->checksum) - 1, sum_of(h));
	h->checksum[sizeof(h->checksum) - 1] = ' ';
	return buf_append(out, h, sizeof(*h), err);
}

static void fill_header(struct header *h, struct archive_entry *e, const struct said *s, uint64_t size)
{
	*h = (struct header){.type = s->type};
	set_text(h->name, sizeof(h->name), s->path);
	if (s->type == '5' && strlen(s->path) < sizeof(h->name))
		h->name[strlen(s->path)] = '/';
	set_octal(h->mode, sizeof(h->mode), pax_mode(e));
	set_octal(h->uid, sizeof(h->uid), (uint64_t)s->uid);
	set_octal(h->gid, sizeof(h->gid), (uint64_t)s->gid);
	set_octal(h->size, sizeof(h->size), size);
	set_octal(h->mtime, sizeof(h->mtime), s->mtime > 0 ? (uint64_t)s->mtime : 0);
	set_text(h->link, sizeof(h->link), s->link);
	set_text(h->user, OWNER_FIELD, s->user);
	set_text(h->group, OWNER_FIELD, s->group);
	set_octal(
	    h->major, sizeof(h->major), s->type == '3' || s->type == '4' ? archive_entry_rdevmajor(e) : 0);
	set_octal(
	    h->minor, sizeof(h->minor), s->type == '3' || s->type == '4' ? archive_entry_rdevminor(e) : 0);
}

int pax_append(struct archive_entry *e, const struct pax_attr *attrs, size_t n_attrs, uint64_t size,
    struct buf *scratch, struct buf *out, struct err *err)
{
	static const uint8_t zeros[PAX_RECORD];
	struct header h = {.type = 'x'};
	struct said s;

	say_entry(e, &s);
	scratch->n = 0;
	if ((size > SIZE_FIELD_MAX && put_number(scratch, "size", (int64_t)size, err)) ||
	    put_records(scratch, e, &s, attrs, n_attrs, err))
		return -1;
	if (scratch->n) {
		set_text(h.name, sizeof(h.name), "././@PaxHeader");
		set_octal(h.mode, sizeof(h.mode), 0644);
		set_octal(h.uid, sizeof(h.uid), 0);
		set_octal(h.gid, sizeof(h.gid), 0);
		set_octal(h.size, sizeof(h.size), scratch->n);
		set_octal(h.mtime, sizeof(h.mtime), 0);
		if (put_header(out, &h, err) || buf_append(out, scratch->p, scratch->n, err) ||
		    buf_append(out, zeros, -scratch->n % PAX_RECORD, err))
			return -1;
	}
	fill_header(&h, e, &s, size);
	return put_header(out, &h, err);
}

/* ---- reading ---- */

static int malformed(const char *why, struct err *err)
{
	return err_set(err, "E-CATALOG-01", text("a header of a catalog block is malformed: %s"), why);
}

/* Digits between blanks in front and blanks or NUL behind; an empty field is 0. */
static int get_octal(const char *field, size_t n, uint64_t *ret, struct err *err)
{
	uint64_t v = 0;
	size_t i = 0;

	while (i < n && field[i] == ' ')
		i++;
	for (; i < n && field[i] >= '0' && field[i] <= '7'; i++)
		v = v << 3 | (uint64_t)(field[i] - '0');
	for (; i < n; i++)
		if (field[i] && field[i] != ' ')
			return malformed(text("a number"), err);
	*ret = v;
	return 0;
}

static struct pax_text field_text(const char *field, size_t n)
{
	return (struct pax_text){field, strnlen(field, n)};
}

/* A header whose checksum is right; *ret_size: what it says of its body. */
static int read_header(
    const uint8_t *p, size_t n, size_t pos, const struct header **ret, uint64_t *ret_size, struct err *err)
{
	const struct header *h = (const struct header *)(p + pos);
	uint64_t said;

	if (n - pos < PAX_RECORD)
		return malformed(text("it is cut off, or too large"), err);
	if (get_octal(h->checksum, sizeof(h->checksum), &said, err))
		return -1;
	if (said != sum_of(h) || memcmp(h->magic, MAGIC, sizeof(h->magic)) != 0)
		return malformed(text("its checksum or its magic"), err);
	if (get_octal(h->size, sizeof(h->size), ret_size, err))
		return -1;
	*ret = h;
	return 0;
}

/* Cuts the record at r->p[*at]. */
static int next_record(const char *p, size_t n, size_t *at, struct pax_text *ret_key,
    struct pax_text *ret_value, struct err *err)
{
	size_t len = 0, i = *at, end;
	const char *equals;

	for (; i < n && p[i] >= '0' && p[i] <= '9' && len <= n; i++)
		len = len * 10 + (size_t)(p[i] - '0');
	end = *at + len;
	if (i == n || p[i] != ' ' || len > n - *at || end < i + 2 || p[end - 1] != '\n' || p[*at] == '0')
		return malformed(text("a record"), err);
	i++;
	equals = memchr(p + i, '=', end - 1 - i);
	if (!equals || equals == p + i || memchr(p + i, '\0', (size_t)(equals - (p + i))))
		return malformed(text("a record"), err);
	*ret_key = (struct pax_text){p + i, (size_t)(equals - (p + i))};
	*ret_value = (struct pax_text){equals + 1, (size_t)(p + end - 1 - (equals + 1))};
	*at = end;
	return 0;
}

static bool key_is(const struct pax_text *key, const char *s)
{
	return key->n == strlen(s) && !memcmp(key->p, s, key->n);
}

static bool key_begins(const struct pax_text *key, const char *s)
{
	return key->n >= strlen(s) && !memcmp(key->p, s, strlen(s));
}

/* What the records say; NULL: nothing. */
struct records {
	struct pax_text path, link, user, group, uid, gid, mtime, size, acl_access, acl_default, flags;
};

static int read_records(const char *p, size_t n, struct records *ret, struct err *err)
{
	const struct {
		const char *key;
		struct pax_text *to;
	} known[] = {{"path", &ret->path}, {"linkpath", &ret->link}, {"uname", &ret->user},
	    {"gname", &ret->group}, {"uid", &ret->uid}, {"gid", &ret->gid}, {"mtime", &ret->mtime},
	    {"size", &ret->size}, {"SCHILY.acl.access", &ret->acl_access},
	    {"SCHILY.acl.default", &ret->acl_default}, {"SCHILY.fflags", &ret->flags}};
	struct pax_text key, value;
	size_t at = 0, i;

	while (at < n) {
		if (next_record(p, n, &at, &key, &value, err))
			return -1;
		for (i = 0; i < sizeof(known) / sizeof(*known) && !key_is(&key, known[i].key); i++)
			;
		if (i == sizeof(known) / sizeof(*known)) {
			if (key_begins(&key, "SCHILY.acl.")) /* rights that nobody here could give */
				return malformed(text("an access control list of another kind"), err);
			continue;
		}
		if (known[i].to->p || memchr(value.p, '\0', value.n))
			return malformed(text("a record stands there twice, or is no text"), err);
		*known[i].to = value;
	}
	return 0;
}

static int get_id(const struct pax_text *record, const char *field, size_t n, uint64_t *ret, struct err *err)
{
	uint64_t v = 0;
	size_t i = 0;

	if (!record->p)
		return get_octal(field, n, ret, err);
	for (; i < record->n && record->p[i] >= '0' && record->p[i] <= '9' && v <= UINT32_MAX; i++)
		v = v * 10 + (uint64_t)(record->p[i] - '0');
	if (!record->n || i < record->n)
		return malformed(text("a number"), err);
	*ret = v;
	return 0;
}

/* "-1.5": whole seconds rounded down, and nanoseconds from there; further digits are below what a file has. */
static int get_time(const struct pax_text *t, int64_t *ret_s, long *ret_ns, struct err *err)
{
	bool negative = t->n && t->p[0] == '-';
	size_t i = negative, digits = 0;
	int64_t s = 0;
	long ns = 0;

	for (; i < t->n && t->p[i] >= '0' && t->p[i] <= '9'; i++, digits++)
		s = s > INT64_MAX / 10 - 1 ? INT64_MAX / 10 : s * 10 + (t->p[i] - '0');
	if (i < t->n && t->p[i] == '.') {
		long unit = 100000000;

		for (i++; i < t->n && t->p[i] >= '0' && t->p[i] <= '9'; i++, unit /= 10)
			ns += (t->p[i] - '0') * unit;
	}
	if (!digits || i < t->n)
		return malformed(text("a number"), err);
	*ret_s = negative ? -s - (ns > 0) : s;
	*ret_ns = negative && ns ? 1000000000 - ns : ns;
	return 0;
}

/* The entry's own header, after what its records say. */
static int read_entry(const struct header *h, const struct records *r, struct pax_entry *e, struct err *err)
{
	uint64_t mode, mtime, major = 0, minor = 0;

	e->type = h->type;
	if (h->type < '0' || h->type > '6')
		return malformed(text("a type that cannot be stored"), err);
	if (get_octal(h->mode, sizeof(h->mode), &mode, err) ||
	    get_id(&r->uid, h->uid, sizeof(h->uid), &e->uid, err) ||
	    get_id(&r->gid, h->gid, sizeof(h->gid), &e->gid, err) ||
	    get_octal(h->mtime, sizeof(h->mtime), &mtime, err))
		return -1;
	if (mode > 07777)
		return malformed(text("impossible mode"), err);
	e->mode = (unsigned)mode;
	e->mtime = (int64_t)mtime;
	if (r->mtime.p && get_time(&r->mtime, &e->mtime, &e->mtime_ns, err))
		return -1;
	if ((h->type == '3' || h->type == '4') && (get_octal(h->major, sizeof(h->major), &major, err) ||
						      get_octal(h->minor, sizeof(h->minor), &minor, err)))
		return -1;
	e->major = (uint32_t)major;
	e->minor = (uint32_t)minor;
	e->path = r->path.p ? r->path : field_text(h->name, sizeof(h->name));
	if (!r->path.p)
		e->prefix = field_text(h->prefix, sizeof(h->prefix));
	e->link = r->link.p ? r->link : field_text(h->link, sizeof(h->link));
	e->user = r->user.p ? r->user : field_text(h->user, sizeof(h->user));
	e->group = r->group.p ? r->group : field_text(h->group, sizeof(h->group));
	e->acl_access = r->acl_access;
	e->acl_default = r->acl_default;
	e->flags = r->flags;
	return 0;
}

static bool is_zeros(const uint8_t *p)
{
	static const uint8_t zeros[PAX_RECORD];

	return !memcmp(p, zeros, PAX_RECORD);
}

int pax_parse(const uint8_t *p, size_t n, size_t *pos, struct pax_entry *ret, struct err *err)
{
	struct pax_entry e = {.type = '0'};
	struct records r = {.path = {NULL, 0}};
	const struct header *h;
	size_t at = *pos;
	uint64_t size;

	if (n - at >= PAX_RECORD && is_zeros(p + at))
		return PAX_END;
	if (read_header(p, n, at, &h, &size, err))
		return -1;
	at += PAX_RECORD;
	if (h->type == 'x') {
		if (size > n - at || size > PAX_RECORDS_MAX)
			return malformed(text("it is cut off, or too large"), err);
		e.records = (const char *)p + at;
		e.n_records = (size_t)size;
		if (read_records(e.records, e.n_records, &r, err))
			return -1;
		at += (e.n_records + PAX_RECORD - 1) / PAX_RECORD * PAX_RECORD;
		if (at > n)
			return malformed(text("it is cut off, or too large"), err);
		if (read_header(p, n, at, &h, &size, err))
			return -1;
		at += PAX_RECORD;
	}
	/* a size that is only claimed would make a restore wait for data that never comes */
	if (size || (r.size.p && !key_is(&r.size, "0")))
		return malformed(text("it has a body"), err);
	if (read_entry(h, &r, &e, err))
		return -1;
	*pos = at;
	*ret = e;
	return 0;
}

int pax_next_attr(
    const struct pax_entry *e, size_t *at, struct pax_text *ret_name, struct pax_text *ret_value)
{
	struct pax_text key, value;

	while (*at < e->n_records) {
		if (next_record(e->records, e->n_records, at, &key, &value, NULL))
			return PAX_END; /* cannot be: it was parsed */
		if (!key_begins(&key, XATTR))
			continue;
		*ret_name = (struct pax_text){key.p + strlen(XATTR), key.n - strlen(XATTR)};
		*ret_value = value;
		return 0;
	}
	return PAX_END;
}

unsigned long pax_flags(const struct pax_text *words)
{
	unsigned long set = 0;
	size_t at = 0;

	while (at < words->n) {
		const char *word = words->p + at, *comma = memchr(word, ',', words->n - at);
		struct pax_text w = {word, comma ? (size_t)(comma - word) : words->n - at};

		for (size_t i = 0; i < FILE_FLAGS; i++)
			if (key_is(&w, file_flags[i].name))
				set |= file_flags[i].bit;
		at += w.n + 1;
	}
	return set;
}
