/* file_cache_private: the file of a file cache, shared by its reader and its writer.  The contract is in
 * file_cache.h; nobody else includes this.
 *
 * File: header, then frames; numbers are little-endian.
 *
 *     header  16 MAGIC | 32 salt | 16 check of repository and data set
 *     frame    8 FRAME_MAGIC | 4 length of the head | 4 length of the body | 16 check of the head |
 *             16 check of the 32 bytes before | head | body
 *
 * A check is BLAKE2b (16 bytes), keyed with the salt, the repository and the data set: what a user of the
 * machine puts into a file's name or attribute, and thereby into a body, is never taken for a record.  The
 * check of the body, which stands in the head, needs no key.
 *
 * Head; its numbers are varints (7 bits a byte, least first), differences zigzag:
 *
 *     flags | archives | bytes of the place | bytes of the block | entries | bytes of all paths with their
 *     NULs | archives named by all entries | 16 check of the body
 *     number and run of each archive | index of the block's own archive | place
 *     of each entry: flags | bytes shared with the path before | length and bytes of the rest | length within
 *     the block | mode | kind | 2 inside | difference of inode | size | bytes (unless ENTRY_SIZE) | difference of mtime |
 *     ctime - mtime | number of archives and index of each (unless ENTRY_SAME: those of the entry before)
 *
 * Body: the block's bytes, one LZ4 block.
 */
#ifndef BKP_WRITE_INDEX_FILE_CACHE_PRIVATE_H
#define BKP_WRITE_INDEX_FILE_CACHE_PRIVATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "write/index/file_cache.h"

#define FILE_CACHE_MAGIC "bkp-statcache 4\n"
#define FILE_CACHE_FRAME_MAGIC                                                                               \
	"\x89"                                                                                               \
	"bkpSTF\n"
#define FILE_CACHE_HEADER   64
#define FILE_CACHE_FRAME    48
#define FILE_CACHE_SALT	    32
#define FILE_CACHE_CHECK    16
#define FILE_CACHE_HEAD_MAX ((size_t)16 << 20)
#define FILE_CACHE_BODY_MAX ((size_t)5 << 20)
#define FILE_CACHE_NAME	    160
#define PROFILE_BYTES	    3

enum { HEAD_FULL = 1 };
enum { ENTRY_BELIEVED = 1, ENTRY_FILE = 2, ENTRY_LINKED = 4, ENTRY_SAME = 8, ENTRY_SIZE = 16 };

struct file_cache_key {
	uint8_t salt[FILE_CACHE_SALT], key[32];
};

/* A file that is read: kept open by the blocks that were read from it. */
struct file_cache_source {
	atomic_uint refs;
	int fd;
	dev_t dev;
	ino_t ino;
	uint64_t size;
	struct file_cache_key key;
	/* the block decoded last: one at a time, because to map pages again for each costs more than to decode
	 */
	uint64_t raw_at; /* its frame; 0: none */
	struct buf raw, body;
};

/* All that it points to is one piece of memory with it. */
struct file_cache_block {
	atomic_uint refs;
	struct file_cache_source *source;
	uint64_t at; /* of its frame */
	uint32_t head, body;
	uint8_t body_check[FILE_CACHE_CHECK];
	size_t raw; /* length of the block */
	bool full, whole;
	size_t n_archives, n;
	struct file_cache_archive *archives;
	struct file_cache_entry *entries; /* the first that is given out */
	const char *place;
};

/* A header with a salt, the one of `key` or, where that is all zero, a new one; *key becomes its key. */
void file_cache_header_make(
    const char *repository, const char *dataset, struct file_cache_key *key, uint8_t ret[FILE_CACHE_HEADER]);
/* key: or NULL. */
void file_cache_check(
    const struct file_cache_key *key, const void *p, size_t n, uint8_t ret[FILE_CACHE_CHECK]);
void file_cache_frame_make(
    const struct file_cache_key *key, const void *head, size_t n, size_t body, uint8_t ret[FILE_CACHE_FRAME]);
/* Lengths of what follows; -1: no frame. */
int file_cache_frame_read(const struct file_cache_key *key, const uint8_t frame[FILE_CACHE_FRAME],
    uint32_t *ret_head, uint32_t *ret_body);
void file_cache_name(const char *dataset, const char *suffix, char ret[FILE_CACHE_NAME]);

/* Opens a file to be read; *ret is NULL where there is none of this data set. */
int file_cache_source_open(int dirfd, const char *name, const char *repository, const char *dataset,
    struct file_cache_source **ret, struct err *err);
void file_cache_source_free(struct file_cache_source *s);
/* `n` bytes at `at`; 0, -1. */
int file_cache_source_read(const struct file_cache_source *s, uint64_t at, void *p, size_t n);

/* Reads one file, entries after `after` (or NULL); takes a reference of the source (NULL: an empty file). */
int file_cache_reader_new(struct file_cache_source *src, const char *after,
    file_cache_available_fn *available, void *arg, struct file_cache **ret, struct err *err);

/* A writer that goes on at `end` of the unfinished file, after which there is nothing whole. */
int file_cache_writer_resume(int dirfd, const char *repository, const char *dataset,
    const struct file_cache_key *key, uint64_t end, struct file_cache_writer **ret, struct err *err);
int file_cache_failed(int errnum, const char *dataset, struct err *err);

#endif
