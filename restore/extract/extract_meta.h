/* extract_meta: owner, mode, time, extended attributes and ACLs of an entry, taken out of the catalog's entry
 * into a few bytes, and set by descriptor.
 *
 * What may not be restored (extract.h) is not taken.  ACLs are kept as the kernel's own attribute
 * (linux/posix_acl_xattr.h): ids only, names are not looked up.
 *
 * Errors: E-RESTORE-08 something could not be set (it names the first), E-MEM-01.
 *
 * circle: extract, of which this is a part; in a header of its own because parts call it that need not see the rest.
 */
#ifndef RESTORE_EXTRACT_EXTRACT_META_H
#define RESTORE_EXTRACT_EXTRACT_META_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

struct archive_entry;
struct buf;
struct err;
struct extract;

/* Texts that live and die together. */
struct extract_texts {
	struct extract_text *blocks;
	size_t bytes; /* in use */
};
void *extract_texts_add(struct extract_texts *t, const void *p, size_t n, struct err *err);
void extract_texts_reset(struct extract_texts *t);

struct extract_meta {
	uid_t uid;
	gid_t gid;
	mode_t mode; /* 07777 */
	bool has_mtime, acl_access, acl_default, stripped_mode, stripped_xattr;
	bool foreign_mode; /* without setuid or setgid, for it belongs to somebody else here */
	struct timespec mtime;
	const uint8_t *attrs; /* extract_meta_attrs() */
	size_t attrs_len;
};

/* Appends attributes and ACLs, each: u32 length of the value, name, NUL, value.  privileged: also those that give privileges; what is left
 * out without it sets *ret_stripped. */
int extract_meta_attrs(struct archive_entry *e, bool folder, bool privileged, struct buf *out,
    bool *ret_stripped, struct err *err);

int extract_meta_take(const struct extract *x, struct archive_entry *e, bool folder, struct extract_texts *t,
    struct extract_meta *ret, struct err *err);
/* 0, or 1: E-RESTORE-08, the rest was set.  inherited: it may have ACLs from the folder it was made in.  fd
 * may be O_PATH (then it is reached through /proc, what the kernel can do without apart); nothing is looked
 * up by a name that somebody else could have exchanged. */
int extract_meta_set(
    const struct extract *x, int fd, const struct extract_meta *m, bool inherited, struct err *err);

/* A name for what an O_PATH descriptor stands on. */
#define EXTRACT_BY_FD 40
void extract_by_fd(int fd, char out[EXTRACT_BY_FD]);

#endif
