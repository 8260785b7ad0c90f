/* feed: what one thread reads, in order, for another one to store, with the content ids computed on the way.
 *
 * The producer (a thread that feed_start() makes) adds events; the consumer takes them in the same order.
 * Events travel in trays of up to a MiB of small files, or one chunk; a tray that waits has its ids, and the
 * SHA-256 of files that are small, computed by helper threads, or by the consumer itself when it would
 * otherwise wait.  What comes out does not depend on the number of threads.
 *
 *     feed_new → { feed_start → feed_next … until FEED_END or -1 → feed_stop } … → feed_free
 *
 * Memory: FEED_TRAYS trays of at most 4 MiB of content each, whatever the amount of data.
 * Errors: E-FEED-01 a thread cannot be started; those that the producer ended with.
 */
#ifndef BKP_WRITE_SOURCE_FEED_H
#define BKP_WRITE_SOURCE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "format/crypto/digest.h"
#include "write/source/statmerge.h"

struct archive_entry;
struct err;
struct hmac;
struct timings;

#define FEED_TRAYS  12
#define FEED_SMALL  ((size_t)1 << 20) /* a tray of small files is full with this much content */
#define FEED_EVENTS 512		      /* and with so many events */

enum feed_kind {
	FEED_ITEM,	 /* an entry: item */
	FEED_SMALL_FILE, /* the whole content of a small file: data, id, sha256 */
	FEED_SMALL_DATA, /* a small part of a file: data, id */
	FEED_CHUNK,	 /* the next chunk of a file or stream: data, id */
	FEED_HOLE,	 /* length */
	FEED_RESTART,	 /* what came since the item is void: it changed and is read again */
	FEED_GONE,	 /* a file that is remembered and is not there any more: feed_path(), item.was */
	FEED_RANGE,	 /* entries from … to - 1 of a former block are as they were: range */
	FEED_DONE,	 /* content complete: result, errnum, st */
};

/* An entry that the walk met, and what was found when it was looked at. */
struct feed_item {
	size_t path_at;		     /* in the tray's text; see feed_path() */
	struct stat st, opened;	     /* as the walk saw it; as it was when it was opened */
	struct archive_entry *entry; /* attributes; NULL: of this one nothing could be read */
	int error;		     /* as walk_item.error */
	int open_errno, incomplete;  /* as meta_result */
	bool mount;
	bool content; /* content events follow, up to FEED_DONE */
	/* its content is that of entry `same_at` of this former block; or NULL.  As in `range`: the feed's,
	 * unless the consumer takes it (and sets it to NULL) */
	struct statcache_block *same;
	size_t same_at;
	int64_t looked_ns; /* real time at which `opened` was read */
	bool known;	   /* a regular file is remembered under this path: was */
	struct statmerge_was was;
};

struct feed_event {
	enum feed_kind kind;
	struct feed_item item;
	size_t data_at; /* in the tray's content */
	size_t n;
	uint8_t id[DIGEST_LEN], sha256[DIGEST_LEN];
	uint64_t length;
	int result, errnum;
	struct stat st;
	struct statmerge_range range;
};

struct feed;
/* threads: helpers that compute ids, 0 … 15.  ids is copied for each thread.  timings may be NULL. */
int feed_new(const struct hmac *ids, unsigned threads, struct timings *timings, struct feed **ret,
    struct err *err) __attribute__((warn_unused_result));
void feed_free(struct feed *f); /* stops the producer */

/* ---- the producer's side ---- */

/* 0: everything was fed; -1 with err: the consumer gets that error behind the last event. */
typedef int feed_producer_fn(void *arg, struct feed *f, struct err *err);
int feed_start(struct feed *f, feed_producer_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));

/* A further event.  NULL: the consumer wants no more
 * (or memory is short): return -1. */
struct feed_event *feed_add(struct feed *f, enum feed_kind kind);
/* For an item or one that is gone: its path is copied; its entry is made empty for use. -1: as NULL above. */
int feed_set_path(struct feed *f, struct feed_event *e, const char *path);
void feed_take_back(struct feed *f); /* the event added last is not to be, nor its path */
/* The event at hand holds so many bytes beside its path and content: trays with much of that are sent sooner.
 */
void feed_weigh(struct feed *f, size_t n);
/* Room for n ≤ 4 MiB bytes of content in the tray of the event that will be added next; NULL: as above. */
uint8_t *feed_room(struct feed *f, size_t n);
/* The event is FEED_SMALL_FILE, FEED_SMALL_DATA or FEED_CHUNK with n bytes, which stand where feed_room()
 * said. */
int feed_data(struct feed *f, enum feed_kind kind, size_t n);
/* The event is FEED_CHUNK with n bytes; `rest` more bytes stand behind them, and are carried over to the
 * beginning of the room for CODEC_RAW_MAX bytes that is returned; NULL: as above. */
uint8_t *feed_chunk(struct feed *f, size_t n, size_t rest);

/* ---- the consumer's side ---- */

#define FEED_END  1
#define FEED_IDLE 2 /* nothing came for a second: call again, or feed_stop() */
/* *ret is valid until the next call. */
int feed_next(struct feed *f, struct feed_event **ret, struct err *err) __attribute__((warn_unused_result));
/* The entry of the item at hand is the consumer's from now on, who gives another one for it. */
struct archive_entry *feed_keep_entry(struct feed *f, struct archive_entry *spare);
const char *feed_path(const struct feed *f); /* of the item at hand */
/* The chunk at hand as a buffer, whose bytes the consumer may take over by exchanging them for another's. */
struct buf *feed_chunk_buf(struct feed *f);
const uint8_t *feed_content(const struct feed *f); /* of the data event at hand */
/* Ends the producer, whether it was at its end or not. */
void feed_stop(struct feed *f);

#endif
