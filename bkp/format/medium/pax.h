/* pax: the headers of one entry of a catalog (docs/format.md, section 7), as POSIX.1-2001 pax has them: an
 * extended header where the entry needs one, and a ustar header.  In a catalog there is never a body; what is
 * exported as an archive has one, which the caller writes (`size`).
 *
 * Pure.  pax_append() makes the same bytes of the same entry for ever, whatever the locale; libarchive's
 * writer can neither say a mode that is narrower than the ACL nor leave out hdrcharset, and takes the decimal
 * fraction of a time before 1970 for another one.  Stock tools read what it writes.
 *
 * pax_parse() takes hostile bytes and gives slices of them: nothing is copied or allocated, no number is
 * believed, a header that is not of this form is refused.  What a value means (paths, extents, ACLs) is
 * checked by catalog_read.c.
 *
 * Errors: E-CATALOG-01 not headers of an entry; E-MEM-01, E-MEM-02 of pax_append().
 */
#ifndef BKP_FORMAT_MEDIUM_PAX_H
#define BKP_FORMAT_MEDIUM_PAX_H

#include <stddef.h>
#include <stdint.h>

struct archive_entry;
struct buf;
struct err;

#define PAX_RECORD	512
#define PAX_RECORDS_MAX ((size_t)900 << 10) /* of one entry; other tars read up to 1 MiB */
#define PAX_DEVICE_MAX	07777777u	    /* device numbers: seven octal digits */

/* Mode bits of a file that has no ACL: what its mode says.  Of one that has, the owning group's are what that
 * group could really do: its entry and the mask.  So who knows no ACLs widens nobody's rights (stat(2) shows
 * the mask there, which may be wider; libarchive the group's entry alone, which may be, too). */
unsigned pax_mode(struct archive_entry *e);

struct pax_attr {
	const char *name;
	const void *value;
	size_t n;
};

/* Appends the headers: metadata, ACLs, file flags, the link or target, `attrs` as SCHILY.xattr records in the
 * order given; attributes of the entry itself are not looked at.  A hard link that is a symbolic link, too, is
 * written as the former.  size: bytes of the body that follows, 0 in a catalog.  scratch is emptied. */
int pax_append(struct archive_entry *e, const struct pax_attr *attrs, size_t n_attrs, uint64_t size,
    struct buf *scratch, struct buf *out, struct err *err);

struct pax_text {
	const char *p; /* not terminated; without NUL; NULL: it does not stand there */
	size_t n;
};

struct pax_entry {
	char type;		      /* '0' … '6' */
	unsigned mode;		      /* 07777 */
	uint32_t major, minor;	      /* of a device */
	uint64_t uid, gid;	      /* as they stand there */
	int64_t mtime;		      /* seconds, rounded down */
	long mtime_ns;		      /* from there */
	struct pax_text prefix, path; /* joined by '/' where there is a prefix */
	struct pax_text link, user, group, acl_access, acl_default, flags;
	const char *records; /* all of them, for pax_next_attr() */
	size_t n_records;
};

/* The entry at p[*pos]; *pos moves behind it.  PAX_END: a record of zeros stands there, *pos does not move. */
#define PAX_END 1
int pax_parse(const uint8_t *p, size_t n, size_t *pos, struct pax_entry *ret, struct err *err);
/* The next SCHILY.xattr record of an entry that was parsed, its name as it stands there; *at begins at 0. */
int pax_next_attr(
    const struct pax_entry *e, size_t *at, struct pax_text *ret_name, struct pax_text *ret_value);
/* File flags (linux/fs.h, FS_…_FL) of their names; names that are not known say nothing. */
unsigned long pax_flags(const struct pax_text *words);

#endif
