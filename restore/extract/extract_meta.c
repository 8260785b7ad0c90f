/* extract_meta: see extract_meta.h.
 *
 * Order of setting, because each step may undo another: inherited ACLs go first; the owner, which takes
 * setuid and setgid away; extended attributes, while the file may be written; the mode, which gives the
 * owning group no more than its ACL will (pax_mode()); ACLs, whose mask the mode would change; the time last.
 * A step that fails is remembered (the first one is said) and the others are done all the same; if the owner
 * could not be set, the setuid and setgid bits are left out.
 */
#include "restore/extract/extract_meta.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/posix_acl_xattr.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/text.h"
#include "format/medium/pax.h"
#include "restore/extract/extract_private.h"
#include "restore/extract/owners.h"

#define BLOCK	  ((size_t)256 << 10)
#define ACCESS	  "system.posix_acl_access"
#define DEFAULT	  "system.posix_acl_default"
#define ATTRS_MAX ((size_t)8 << 20)

/* ---- texts ---- */

struct extract_text {
	struct extract_text *next;
	size_t used, cap;
	max_align_t p[];
};

void *extract_texts_add(struct extract_texts *t, const void *p, size_t n, struct err *err)
{
	struct extract_text *b = t->blocks;
	void *at;

	if (!b || b->cap - b->used < n) {
		size_t cap = n > BLOCK ? n : BLOCK;

		b = malloc(sizeof(*b) + cap);
		if (!b) {
			err_nomem(err);
			return NULL;
		}
		b->used = 0;
		b->cap = cap;
		b->next = t->blocks;
		t->blocks = b;
	}
	at = (char *)b->p + b->used;
	if (n)
		memcpy(at, p, n);
	b->used += n;
	t->bytes += n;
	return at;
}

void extract_texts_reset(struct extract_texts *t)
{
	struct extract_text *b;

	while ((b = t->blocks)) {
		t->blocks = b->next;
		free(b);
	}
	t->bytes = 0;
}

/* ---- taking ---- */

static int put_attr(struct buf *out, const char *name, const void *value, size_t n, struct err *err)
{
	uint32_t len = (uint32_t)n;

	return buf_append(out, &len, sizeof(len), err) || buf_append(out, name, strlen(name) + 1, err) ||
		       buf_append(out, value, n, err)
		   ? -1
		   : 0;
}

static uint16_t kernels_tag(int tag)
{
	switch (tag) {
	case ARCHIVE_ENTRY_ACL_USER_OBJ:
		return 0x01;
	case ARCHIVE_ENTRY_ACL_USER:
		return 0x02;
	case ARCHIVE_ENTRY_ACL_GROUP_OBJ:
		return 0x04;
	case ARCHIVE_ENTRY_ACL_GROUP:
		return 0x08;
	case ARCHIVE_ENTRY_ACL_MASK:
		return 0x10;
	default:
		return 0x20;
	}
}

static int by_tag(const void *a, const void *b)
{
	const struct posix_acl_xattr_entry *x = a, *y = b;
	uint32_t i = le32toh(x->e_id), j = le32toh(y->e_id);

	if (x->e_tag != y->e_tag)
		return le16toh(x->e_tag) < le16toh(y->e_tag) ? -1 : 1;
	return i < j ? -1 : i > j;
}

static int take_acl(struct archive_entry *e, int type, const char *name, struct buf *out, struct err *err)
{
	struct posix_acl_xattr_header head = {htole32(POSIX_ACL_XATTR_VERSION)};
	BUF_AUTO value = BUF_INIT(ATTRS_MAX);
	int got, kind, perm, tag, id;
	const char *who;

	archive_entry_acl_reset(e, type);
	if (buf_append(&value, &head, sizeof(head), err))
		return -1;
	while ((got = archive_entry_acl_next(e, type, &kind, &perm, &tag, &id, &who)) == 0) {
		bool named = tag == ARCHIVE_ENTRY_ACL_USER || tag == ARCHIVE_ENTRY_ACL_GROUP;
		struct posix_acl_xattr_entry entry = {
		    .e_tag = htole16(kernels_tag(tag)),
		    .e_perm = htole16((uint16_t)(perm & 7)),
		    .e_id = htole32(named ? (uint32_t)id : UINT32_MAX),
		};

		if (buf_append(&value, &entry, sizeof(entry), err))
			return -1;
	}
	qsort(value.p + sizeof(head), (value.n - sizeof(head)) / sizeof(struct posix_acl_xattr_entry),
	    sizeof(struct posix_acl_xattr_entry), by_tag);
	return put_attr(out, name, value.p, value.n, err);
}

int extract_meta_attrs(struct archive_entry *e, bool folder, bool privileged, struct buf *out,
    bool *ret_stripped, struct err *err)
{
	int types = archive_entry_acl_types(e);
	const char *name;
	const void *value;
	size_t n;

	archive_entry_xattr_reset(e);
	while (archive_entry_xattr_next(e, &name, &value, &n) == 0) {
		if (!extract_xattr_allowed(privileged, name))
			*ret_stripped = true;
		else if (put_attr(out, name, value, n, err))
			return -1;
	}
	if (types & ARCHIVE_ENTRY_ACL_TYPE_ACCESS &&
	    take_acl(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, ACCESS, out, err))
		return -1;
	return folder && types & ARCHIVE_ENTRY_ACL_TYPE_DEFAULT
		   ? take_acl(e, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, DEFAULT, out, err)
		   : 0;
}

/* A program must not act with the rights of somebody whose it was not; of a folder setgid says only whose group is inherited. */
static void take_owner(const struct extract *x, struct archive_entry *e, bool folder, struct extract_meta *m)
{
	bool user, group;

	m->uid = owners_here(
	    x->owners, OWNERS_USER, archive_entry_uname(e), (uint32_t)archive_entry_uid(e), &user);
	m->gid = owners_here(
	    x->owners, OWNERS_GROUP, archive_entry_gname(e), (uint32_t)archive_entry_gid(e), &group);
	if (!folder && ((user && m->mode & S_ISUID) || (group && m->mode & S_ISGID))) {
		m->foreign_mode = true;
		m->mode &= ~(mode_t)((user ? S_ISUID : 0) | (group ? S_ISGID : 0));
	}
}

int extract_meta_take(const struct extract *x, struct archive_entry *e, bool folder, struct extract_texts *t,
    struct extract_meta *ret, struct err *err)
{
	struct extract_meta m = {.mode = pax_mode(e)};
	BUF_AUTO attrs = BUF_INIT(ATTRS_MAX);

	if (x->owners)
		take_owner(x, e, folder, &m);
	m.has_mtime = archive_entry_mtime_is_set(e);
	if (m.has_mtime)
		m.mtime = (struct timespec){archive_entry_mtime(e), archive_entry_mtime_nsec(e)};
	if (!x->opt.same_owner && m.mode & (S_ISUID | S_ISGID)) {
		m.stripped_mode = true;
		m.mode &= ~(mode_t)(S_ISUID | S_ISGID);
	}
	m.acl_access = archive_entry_acl_types(e) & ARCHIVE_ENTRY_ACL_TYPE_ACCESS;
	m.acl_default = folder && archive_entry_acl_types(e) & ARCHIVE_ENTRY_ACL_TYPE_DEFAULT;
	if (extract_meta_attrs(e, folder, x->opt.same_owner, &attrs, &m.stripped_xattr, err))
		return -1;
	if (attrs.n) {
		m.attrs = extract_texts_add(t, attrs.p, attrs.n, err);
		if (!m.attrs)
			return -1;
		m.attrs_len = attrs.n;
	}
	*ret = m;
	return 0;
}

/* ---- setting ---- */

/* Only the first fault is told: the later ones often follow from it. */
static void note_fault(struct err *why, int errnum, const char *what)
{
	if (!why->code[0])
		err_sys(why, "E-RESTORE-08", errnum, text("some attributes could not be set: %s"), what);
}

static bool is_acl(const char *name)
{
	return !strcmp(name, ACCESS) || !strcmp(name, DEFAULT);
}

/* What is to be set, by descriptor.  An O_PATH descriptor (links, pipes, devices, folders that may not be
 * read) is no file to the kernel's f… calls: `by_fd` is its name in /proc, and empty for any other. */
struct object {
	int fd;
	char by_fd[EXTRACT_BY_FD];
	mode_t mode; /* O_PATH: what it is and may */
};

void extract_by_fd(int fd, char out[EXTRACT_BY_FD])
{
	snprintf(out, EXTRACT_BY_FD, "/proc/self/fd/%d", fd);
}

static int object_of(int fd, struct object *ret)
{
	int flags = fcntl(fd, F_GETFL);
	struct stat st;

	*ret = (struct object){.fd = fd};
	if (flags < 0 || !(flags & O_PATH))
		return flags < 0 ? -1 : 0;
	extract_by_fd(fd, ret->by_fd);
	if (fstat(fd, &st))
		return -1;
	ret->mode = st.st_mode;
	return 0;
}

static int set_attr(const struct object *o, const char *name, const void *value, size_t n)
{
	return o->by_fd[0] ? setxattr(o->by_fd, name, value, n, 0) : fsetxattr(o->fd, name, value, n, 0);
}

/* Nothing to take away, or no ACLs on this file system: both are fine. */
static void drop_acl(const struct object *o, const char *name)
{
	if (!S_ISLNK(o->mode))
		(void)(o->by_fd[0] ? removexattr(o->by_fd, name) : fremovexattr(o->fd, name));
}

/* It was made with its mode: without /proc that may have been enough. */
static int set_mode(const struct object *o, mode_t mode)
{
	struct stat st;

	if (!o->by_fd[0])
		return fchmod(o->fd, mode);
	if (S_ISLNK(o->mode) || (!fstat(o->fd, &st) && (st.st_mode & 07777) == mode))
		return 0;
	return chmod(o->by_fd, mode);
}

static int set_times(const struct object *o, const struct timespec times[2])
{
	if (!o->by_fd[0])
		return futimens(o->fd, times);
	/* Linux before 5.8 knows the first for no descriptor */
	return utimensat(o->fd, "", times, AT_EMPTY_PATH) ? utimensat(AT_FDCWD, o->by_fd, times, 0) : 0;
}

/* ACLs are set after the mode, which would change their mask; the others before it, while the file may be
 * written. */
static void set_attrs(const struct object *o, const struct extract_meta *m, bool acls, struct err *why)
{
	const uint8_t *p = m->attrs, *end = p + m->attrs_len;
	char shown[200];
	uint32_t n;

	while (p && p < end) {
		const char *name = (const char *)p + sizeof(n);

		memcpy(&n, p, sizeof(n));
		p += sizeof(n) + strlen(name) + 1;
		if (is_acl(name) == acls && set_attr(o, name, p, n))
			note_fault(why, errno, path_show(name, shown, sizeof(shown)));
		p += n;
	}
}

int extract_meta_set(
    const struct extract *x, int fd, const struct extract_meta *m, bool inherited, struct err *err)
{
	struct timespec times[2] = {{0, UTIME_OMIT}, m->mtime};
	struct err why = ERR_INIT;
	mode_t mode = m->mode;
	struct object o;

	if (object_of(fd, &o)) {
		note_fault(&why, errno, text("permissions"));
		goto out;
	}
	if (inherited && !m->acl_access)
		drop_acl(&o, ACCESS);
	if (inherited && !m->acl_default)
		drop_acl(&o, DEFAULT);
	/* the owner first: changing it takes away privileges */
	if (x->opt.same_owner && fchownat(fd, "", m->uid, m->gid, AT_EMPTY_PATH)) {
		note_fault(&why, errno, text("owner"));
		mode &= ~(mode_t)(S_ISUID | S_ISGID);
	}
	set_attrs(&o, m, false, &why);
	if (set_mode(&o, mode))
		note_fault(&why, errno, text("permissions"));
	set_attrs(&o, m, true, &why);
	if (m->has_mtime && set_times(&o, times))
		note_fault(&why, errno, text("time of change"));
out:
	if (!why.code[0])
		return 0;
	if (err)
		*err = why;
	return 1;
}
