/* tarsource_entry: see tarsource_entry.h. */
#include "write/source/tarsource_entry.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <archive.h>
#include <archive_entry.h>

#include "base/buf.h"
#include "format/medium/pax.h"

#define ID_MAX	    INT64_C(0xfffffffe)
#define NOBODY	    65534
#define ATTRS_MAX   4096
#define ACES_MAX    8192 /* more than an attribute of 64 KiB holds */
#define TARGET_MAX  65536
#define OWNER_BYTES 256
#define LOOKUP_ROOM ((size_t)1 << 20) /* a group of a hospital has thousands of members */

enum tarsource_name tarsource_path(const char *name, struct buf *out)
{
	out->n = 0;
	if (!name)
		return TARSOURCE_OUTSIDE;
	while (*name) {
		size_t n = strcspn(name, "/");

		if (n == 2 && name[0] == '.' && name[1] == '.')
			return TARSOURCE_OUTSIDE;
		if (n && !(n == 1 && name[0] == '.'))
			if ((out->n && buf_puts(out, "/", NULL)) || buf_append(out, name, n, NULL))
				return TARSOURCE_LONG;
		name += n;
		name += strspn(name, "/");
	}
	if (buf_terminate(out, NULL))
		return TARSOURCE_LONG;
	return out->n ? TARSOURCE_INSIDE : TARSOURCE_TOP;
}

/* ---- extended attributes ---- */

struct attr {
	char *name, *plain; /* as it came; with its %XX undone, or NULL where there is none */
	void *value;
	size_t n;
	bool twin; /* another one says the same */
};

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

/* NULL: there is no %XX in it. */
static char *undo_percent(const char *s)
{
	char *out = malloc(strlen(s) + 1), *d = out;
	bool any = false;

	for (; out && *s; s++) {
		int hi = *s == '%' ? hex_digit(s[1]) : -1, lo = hi < 0 ? -1 : hex_digit(s[2]);

		if (lo < 0 || hi + lo == 0) {
			*d++ = *s;
			continue;
		}
		*d++ = (char)(hi << 4 | lo);
		s += 2;
		any = true;
	}
	if (out)
		*d = '\0';
	if (!any) {
		free(out);
		return NULL;
	}
	return out;
}

static size_t copy_attrs(struct archive_entry *e, struct attr *x, size_t max)
{
	const char *name;
	const void *value;
	size_t n = 0, size;

	archive_entry_xattr_reset(e);
	while (n < max && archive_entry_xattr_next(e, &name, &value, &size) == ARCHIVE_OK) {
		x[n] = (struct attr){strdup(name), undo_percent(name), malloc(size + 1), size, false};
		if (!x[n].name || !x[n].value) {
			free(x[n].name);
			free(x[n].plain);
			free(x[n].value);
			break;
		}
		if (size)
			memcpy(x[n].value, value, size);
		n++;
	}
	return n;
}

static bool same_value(const struct attr *a, const struct attr *b)
{
	return a->n == b->n && !memcmp(a->value, b->value, a->n);
}

/* bsdtar writes each twice: by its name, and with %XX in it; GNU tar once, with %XX where it must. */
static void find_twins(struct attr *x, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++) {
			if (i == k || x[i].twin || x[k].twin)
				continue;
			if (!strcmp(x[i].name, x[k].name) && k > i) {
				x[k].twin = true;
			} else if (x[i].plain && !strcmp(x[i].plain, x[k].name) && same_value(&x[i], &x[k])) {
				x[i].twin = true;
				free(x[k].plain); /* it is the name itself */
				x[k].plain = NULL;
			}
		}
}

static size_t put_back(struct archive_entry *e, struct attr *x, size_t n)
{
	size_t weight = 0;

	archive_entry_xattr_clear(e);
	for (size_t i = 0; i < n; i++) {
		const char *name = x[i].plain ? x[i].plain : x[i].name;
		bool taken = x[i].twin || !*name;

		for (size_t k = 0; k < i && !taken; k++)
			taken = !x[k].twin && !strcmp(name, x[k].plain ? x[k].plain : x[k].name);
		if (taken)
			continue;
		archive_entry_xattr_add_entry(e, name, x[i].value, x[i].n);
		weight += strlen(name) + x[i].n + 64;
	}
	return weight;
}

/* 0, 1: not all can be kept. */
static int clean_attrs(struct archive_entry *e, size_t *ret_weight)
{
	int count = archive_entry_xattr_reset(e);
	size_t n = count < ATTRS_MAX ? (size_t)count : ATTRS_MAX;
	struct attr *x;

	*ret_weight = 0;
	if (count <= 0)
		return 0;
	x = calloc(n, sizeof(*x));
	if (!x) {
		archive_entry_xattr_clear(e);
		return 1;
	}
	n = copy_attrs(e, x, n);
	find_twins(x, n);
	*ret_weight = put_back(e, x, n);
	for (size_t i = 0; i < n; i++) {
		free(x[i].name);
		free(x[i].plain);
		free(x[i].value);
	}
	free(x);
	return n < (size_t)count;
}

/* ---- access control lists ---- */

struct ace {
	int type, permissions, tag, id;
	char *name;
};

/* GNU tar writes names only.  As tar would when it unpacks: they are what they are here.  -1: there is none.
 */
static int id_of(int tag, const char *name)
{
	char *room = malloc(LOOKUP_ROOM);
	struct passwd user, *u = NULL;
	struct group group, *g = NULL;
	int id = -1;

	if (room && tag == ARCHIVE_ENTRY_ACL_USER && !getpwnam_r(name, &user, room, LOOKUP_ROOM, &u) && u)
		id = (int)u->pw_uid;
	if (room && tag == ARCHIVE_ENTRY_ACL_GROUP && !getgrnam_r(name, &group, room, LOOKUP_ROOM, &g) && g)
		id = (int)g->gr_gid;
	free(room);
	return id;
}

static bool names_somebody(const struct ace *a)
{
	return a->tag == ARCHIVE_ENTRY_ACL_USER || a->tag == ARCHIVE_ENTRY_ACL_GROUP;
}

static size_t copy_acl(struct archive_entry *e, struct ace *x, size_t max)
{
	struct ace a;
	const char *name;
	size_t n = 0;

	while (n < max && archive_entry_acl_next(e, ARCHIVE_ENTRY_ACL_TYPE_POSIX1E, &a.type, &a.permissions,
			      &a.tag, &a.id, &name) == ARCHIVE_OK) {
		x[n] = a;
		x[n].name = name && *name ? strdup(name) : NULL;
		if (x[n].id == -1 && x[n].name && names_somebody(&x[n]))
			x[n].id = id_of(a.tag, x[n].name);
		n++;
	}
	return n;
}

/* 0, 1: it cannot be kept; the mode gives what it gave the owning group. */
static int clean_acl(struct archive_entry *e)
{
	unsigned mode = pax_mode(e);
	int count = archive_entry_acl_reset(e, ARCHIVE_ENTRY_ACL_TYPE_POSIX1E), lost = 0;
	struct ace *x;
	size_t n;

	if (!archive_entry_acl_types(e) || count <= 0)
		return 0;
	x = count <= ACES_MAX ? calloc((size_t)count, sizeof(*x)) : NULL;
	if (!x || archive_entry_acl_types(e) & ~ARCHIVE_ENTRY_ACL_TYPE_POSIX1E) {
		archive_entry_acl_clear(e);
		archive_entry_set_perm(e, mode);
		free(x);
		return 1;
	}
	n = copy_acl(e, x, (size_t)count);
	for (size_t i = 0; i < n; i++)
		lost |= names_somebody(&x[i]) && x[i].id < 0;
	archive_entry_acl_clear(e);
	for (size_t i = 0; i < n; i++) {
		if (!lost)
			archive_entry_acl_add_entry(
			    e, x[i].type, x[i].permissions, x[i].tag, x[i].id, x[i].name);
		free(x[i].name);
	}
	free(x);
	if (lost)
		archive_entry_set_perm(e, mode);
	return lost;
}

/* ---- the rest ---- */

static int64_t clean_id(int64_t id)
{
	return id < 0 || id > ID_MAX ? NOBODY : id;
}

/* Nobody has such a name. */
static void clean_owners(struct archive_entry *e)
{
	const char *user = archive_entry_uname(e), *group = archive_entry_gname(e);

	archive_entry_set_uid(e, clean_id(archive_entry_uid(e)));
	archive_entry_set_gid(e, clean_id(archive_entry_gid(e)));
	if (user && strlen(user) > OWNER_BYTES)
		archive_entry_set_uname(e, NULL);
	if (group && strlen(group) > OWNER_BYTES)
		archive_entry_set_gname(e, NULL);
}

int tarsource_clean(struct archive_entry *e, const char *name, size_t *ret_weight)
{
	unsigned type = archive_entry_filetype(e);
	const char *target = archive_entry_symlink(e);
	int lost;
	size_t n = strlen(name);

	*ret_weight = 0;
	/* as old tars mean it; libarchive does not see the "/" after names that are not ASCII */
	if (type == AE_IFREG && n && name[n - 1] == '/' && !archive_entry_hardlink(e))
		type = AE_IFDIR;
	if (!archive_entry_hardlink(e) && type != AE_IFREG && type != AE_IFDIR && type != AE_IFLNK &&
	    type != AE_IFIFO && type != AE_IFCHR && type != AE_IFBLK)
		return -1;
	if (type == AE_IFLNK && !archive_entry_hardlink(e) &&
	    (!target || !*target || strlen(target) >= TARGET_MAX))
		return -1;
	if ((type == AE_IFCHR || type == AE_IFBLK) &&
	    (archive_entry_rdevmajor(e) > PAX_DEVICE_MAX || archive_entry_rdevminor(e) > PAX_DEVICE_MAX))
		return -1;
	archive_entry_set_mode(e, type | (archive_entry_perm(e) & 07777));
	clean_owners(e);
	lost = clean_acl(e);
	archive_entry_copy_mac_metadata(e, NULL, 0);
	archive_entry_sparse_clear(e);
	lost |= clean_attrs(e, ret_weight);
	*ret_weight += 64 * (size_t)archive_entry_acl_count(e, ARCHIVE_ENTRY_ACL_TYPE_POSIX1E);
	return lost;
}
