/* file_cache: what a data set looked like when it was last captured, so that an unchanged run reads no file.
 *
 * One file per data set in the state folder's cache/stat/: a sequence of records in catalog order, one for
 * each catalog block: where the block is stored, its bytes, the archives it and its files need, and for each
 * entry what the file system said about it.  It is read as a stream and merged with the sorted walk
 * (file_changes.h); memory is one block at a time, whatever the number of files.
 *
 * Advisory: it may be lost, old, or damaged at any time; then files are read again and their content is found
 * stored (dedup.h).  Each record carries checksums, keyed with a secret of its file, and what does not fit
 * them is passed over; paths only ascend.  An entry is believed only if every archive that its content needs
 * is available now and was published by the run that the record says (a number alone is not enough: one that
 * a run had given out when it died is given out again).
 *
 * Which entries may be believed is decided when they are written (file_cache_stat_of()): not those with a flag
 * (unreadable, changed, incomplete), nor those whose times are younger than FILE_CACHE_MARGIN_NS when they are
 * looked at: a change within the clock's grain, or through a memory map whose page has not been written back,
 * would leave the same times behind.
 *
 * Writing: file_cache_writer_open → { file_cache_add … → file_cache_end_block | file_cache_copy_block } … →
 * file_cache_writer_commit | file_cache_writer_close.  Records reach the file as they are made, so that what a
 * run that was killed or stopped had done is found by the next one: file_cache_open() first puts what stands
 * in the unfinished file in front of what the last complete one says about the paths after it.  A run that
 * changes nothing writes nothing: only at the first record that is another than in the last file is a new one
 * begun.
 *
 * Files: <dataset>.cache, and while it is being made <dataset>.cache.part.  One run at a time (state.h).
 *
 * Errors: E-STATCACHE-01 the file cannot be written (with its reason); the writer can then only be closed,
 * the run may go on without it.  Reading knows no errors but E-MEM-01: what cannot be read is not there.
 */
#ifndef BKP_WRITE_INDEX_FILE_CACHE_H
#define BKP_WRITE_INDEX_FILE_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "format/guard/profile.h"

struct err;

#define FILE_CACHE_MARGIN_NS ((int64_t)60 * SECOND_NS)

struct file_cache_archive {
	uint64_t number;
	uint64_t run; /* which run published it: dedup_archive.run */
};

/* What the file system says; equal in all: the file is taken to be unchanged. */
struct file_cache_stat {
	uint64_t ino, size;
	int64_t mtime_ns, ctime_ns;
	uint32_t mode;
	bool believed; /* may be compared at all */
};

struct file_cache_entry {
	const char *path; /* NUL-terminated, valid until the block is freed */
	struct file_cache_stat st;
	size_t offset, length;			   /* its bytes within the block */
	const struct file_cache_archive *archives; /* what its content needs */
	size_t n_archives;
	uint64_t bytes;		/* size of content, for the totals */
	bool file;		/* a regular file, for the totals */
	struct profile profile; /* what its content looked like */
	bool
	    linked; /* has several names: its entry is made again in each run, its first name may be another */
};

/* st as looked at before anything of the file was read, at now_ns (both real time).  flags: catalog flags of
 * the entry.  Of a mount point that was not entered the caller sets `believed` to false: what it is is not
 * looked at. */
struct file_cache_stat file_cache_stat_of(const struct stat *st, unsigned flags, int64_t now_ns);
bool file_cache_same(const struct file_cache_stat *cached, const struct stat *now);

/* ---- reading: one thread ---- */

/* Counted references: file_cache_next() gives one, file_cache_block_ref() another, each is given back with
 * file_cache_block_free(), by any thread.  What is not `const` below belongs to one thread at a time for all
 * blocks of a cache; it may be another thread than the one that reads. */
struct file_cache_block;

/* Is the archive available, and of that run?  Called by the thread that calls file_cache_next(). */
typedef bool file_cache_available_fn(void *arg, const struct file_cache_archive *a);

struct file_cache;
/* dirfd: the folder cache/stat, borrowed until file_cache_close().  A file that is not there, of another
 * repository, or of another version, is empty. */
int file_cache_open(int dirfd, const char *repository, const char *dataset,
    file_cache_available_fn *available, void *arg, struct file_cache **ret, struct err *err)
    __attribute__((warn_unused_result));
/* The next block, in order of path; 0; FILE_CACHE_END; -1: E-MEM-01. */
#define FILE_CACHE_END 1
int file_cache_next(struct file_cache *s, struct file_cache_block **ret, struct err *err)
    __attribute__((warn_unused_result));
void file_cache_close(struct file_cache *s); /* blocks stay valid */
bool file_cache_is_there(
    const struct file_cache *s); /* something is remembered, if only that there was nothing */

struct file_cache_block *file_cache_block_ref(struct file_cache_block *b); /* returns b */
void file_cache_block_free(struct file_cache_block *b);

size_t file_cache_entries(const struct file_cache_block *b);
const struct file_cache_entry *file_cache_entry(const struct file_cache_block *b, size_t i);
/* May the block be referred to as it is?  It and all that its entries need is available, and none is missing.
 */
bool file_cache_whole(const struct file_cache_block *b);
/* It was ended because catalog_writer_full() said so, not because there was no more. */
bool file_cache_full(const struct file_cache_block *b);
/* The archives (its own and those of its entries, each once, in no order), and its line of the block list up
 * to the number of entries ("A:C:O:L:D"). */
const struct file_cache_archive *file_cache_archives(const struct file_cache_block *b, size_t *ret_n);
const char *file_cache_place(const struct file_cache_block *b);
/* The block's bytes (decoded when first asked for), which hold what its entries say; NULL: damaged or no
 * memory. */
const uint8_t *file_cache_bytes(struct file_cache_block *b);

/* ---- writing: one thread ---- */

struct file_cache_writer;
/* May be opened while the last file is being read, after file_cache_open(). */
int file_cache_writer_open(int dirfd, const char *repository, const char *dataset,
    struct file_cache_writer **ret, struct err *err) __attribute__((warn_unused_result));
/* Appends an entry to the block being made, in order; e->path and e->archives are copied; e->offset is
 * ignored. */
int file_cache_add(struct file_cache_writer *w, const struct file_cache_entry *e, struct err *err)
    __attribute__((warn_unused_result));
/* The block is complete: its bytes (n ≤ CATALOG_BLOCK_MAX), its place, the archive it lies in,
 * file_cache_full(). */
int file_cache_end_block(struct file_cache_writer *w, const char *place, const struct file_cache_archive *in,
    bool full, const void *bytes, size_t n, struct err *err) __attribute__((warn_unused_result));
/* A block that was referred to as it is. */
int file_cache_copy_block(struct file_cache_writer *w, const struct file_cache_block *b, struct err *err)
    __attribute__((warn_unused_result));
/* The data set is whole: takes the place of the last one.  Durable on return. */
int file_cache_writer_commit(struct file_cache_writer *w, struct err *err)
    __attribute__((warn_unused_result));
/* Without commit: what was written stays for the next run. */
void file_cache_writer_close(struct file_cache_writer *w);

#endif
