/* catalog: one block of a data set's catalog (docs/format.md, section 7): a pax archive in memory.
 *
 * Pure.  An entry is a libarchive `struct archive_entry` (metadata: times, ACLs, xattrs, flags, raw-byte
 * names) plus what libarchive cannot say: extents, SHA-256 of the content, flags, and of a hard link what it
 * is a name of.
 *
 * Writing: catalog_writer_new → catalog_writer_add | catalog_writer_add_raw … → catalog_writer_finish (block
 * bytes, deterministic) → reusable. Reading: catalog_reader_new(block) → catalog_reader_next until
 * CATALOG_END → catalog_reader_free. The reader checks everything a hostile block could say: each path is
 * path_is_entry(), in strictly ascending path_compare() order, types are file/folder/symlink/hard
 * link/FIFO/device, bodies are empty, link paths of hard links are entry paths that sort before the entry,
 * extents parse and add up (an '@' list is checked when it is read), a SHA-256 stands there exactly when the
 * extents have at most EXTENT_HOLES_MAX bytes of holes, a hard link has extents or says what else it is.
 *
 * Errors: E-CATALOG-01 not such a pax archive (pax.h), E-CATALOG-02 an entry breaks a rule above
 * (index and path named), E-CATALOG-03 entry too large to be stored.
 */
#ifndef BKP_FORMAT_MEDIUM_CATALOG_H
#define BKP_FORMAT_MEDIUM_CATALOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive_entry;
struct buf;
struct err;

/* Where blocks are cut.  Former catalogs are compared block by block: whoever changes these rules changes
 * FILE_CACHE_MAGIC (bkp/write/source/file_changes.h says why). */
#define CATALOG_BLOCK_MAX    ((size_t)4 << 20)	 /* a block is one chunk */
#define CATALOG_BLOCK_SOFT   ((size_t)512 << 10) /* cut here at the latest; an entry mostly takes 1,536 bytes */
#define CATALOG_ENTRIES_MIN  32
#define CATALOG_ENTRIES_MAX  512
#define CATALOG_END_BYTES    1024 /* zeros behind the last entry */
#define CATALOG_ENTRIES_READ 4096 /* what a reader accepts */
#define CATALOG_ENTRY_MAX                                                                                    \
	((size_t)900 << 10) /* path, link and attributes of one entry; other tars read pax headers ≤ 1 MiB */

enum catalog_flag {
	CATALOG_CHANGED = 1,	/* "changed" */
	CATALOG_UNREADABLE = 2, /* "unreadable" */
	CATALOG_INCOMPLETE = 4, /* "attributes-incomplete" */
};

struct catalog_writer;
int catalog_writer_new(struct catalog_writer **ret, struct err *err);
void catalog_writer_free(struct catalog_writer *w);
/* Adds an entry whose path is already an entry path (raw bytes via archive_entry_copy_pathname).  What is no
 * part of a file's state (size, atime, ctime, inode …) is not stored.  A hard link keeps the type, target and
 * device numbers of what it is a name of: archive_entry_copy_hardlink() last. extents: "<size>[ run]…" or NULL
 * (folders, symlinks, special files, unreadable files). sha256: of the whole content, DIGEST_LEN bytes, or
 * NULL. flags: catalog_flag bits. CATALOG_TOO_LARGE: nothing was added (E-CATALOG-03). */
#define CATALOG_TOO_LARGE 2
int catalog_writer_add(struct catalog_writer *w, struct archive_entry *entry, const char *extents,
    size_t extents_len, const uint8_t *sha256, unsigned flags, struct err *err);
/* Adds an entry as it stands in a former block: the n bytes that catalog_writer_add() made for this path
 * (entries do not depend on each other).  The order is checked, the bytes are the caller's responsibility. */
int catalog_writer_add_raw(
    struct catalog_writer *w, const char *path, const void *bytes, size_t n, struct err *err);
/* Bytes of the entry added last; a block is the bytes of its entries and 1,024 zeros. */
size_t catalog_writer_last(const struct catalog_writer *w);
size_t catalog_writer_entries(const struct catalog_writer *w);
/* True when the block should end after the entry added last: a content-defined place, or a limit. */
int catalog_writer_full(const struct catalog_writer *w);
/* Appends the block to `out`, having read back what was added by catalog_writer_add(), and empties the writer. */
int catalog_writer_finish(struct catalog_writer *w, struct buf *out, struct err *err);

struct catalog_item {
	/* owned by the reader, valid until the next call; path without trailing '/'; the bkp.* attributes are
	 * taken out; size is the real size; hard links keep their link path and have no type */
	struct archive_entry *entry;
	const char *path;    /* NUL-terminated bytes */
	const char *extents; /* or NULL */
	size_t extents_len;
	const uint8_t *sha256; /* of the whole content, DIGEST_LEN bytes; or NULL: none was taken */
	const char
	    *special;  /* of a hard link to a symbolic link, device or FIFO, for catalog_alone(); or NULL */
	uint64_t size; /* from the extents; 0 where there are none */
	unsigned flags;
};

/* Does a SHA-256 belong to (has) an entry with these holes?  Behind an '@' there may be more of them. */
bool catalog_sha256_fits(bool has, uint64_t holes, bool indirect);

struct catalog_reader;
/* `block` must stay valid until the reader is freed. prev_path: the last path of the block before, or NULL. */
int catalog_reader_new(
    const void *block, size_t n, const char *prev_path, struct catalog_reader **ret, struct err *err);
#define CATALOG_END 1
int catalog_reader_next(struct catalog_reader *r, struct catalog_item *ret, struct err *err);
void catalog_reader_free(struct catalog_reader *r);
/* Makes of a hard link's entry (item->entry, or a copy) what it is without its first name: a regular file, or
 * what item->special says.  -1: that says nothing (cannot be of an item that a reader gave). */
int catalog_alone(struct archive_entry *e, const struct catalog_item *item);

#endif
