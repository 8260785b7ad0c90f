/* queue: what one thread reads, in order, for another one to store, with the content ids computed on the way.
 *
 * The producer (a thread that queue_start() makes) adds events; the consumer takes them in the same order.
 * Events travel in batches of up to a MiB of small files, or one chunk; a batch that waits has its ids, and the
 * SHA-256 of files that are small, computed by helper threads, or by the consumer itself when it would
 * otherwise wait.  What comes out does not depend on the number of threads.
 *
 *     queue_new → { queue_start → queue_next … until QUEUE_END or -1 → queue_stop } … → queue_free
 *
 * Memory: QUEUE_BATCHES batches of at most 4 MiB of content each, whatever the amount of data.
 * Errors: E-FEED-01 the producer's thread cannot be started (without helpers the consumer computes); those that the producer ended with.
 */
#ifndef BKP_WRITE_SOURCE_QUEUE_H
#define BKP_WRITE_SOURCE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "format/crypto/digest.h"
#include "write/source/file_changes.h"

struct archive_entry;
struct err;
struct hmac;
struct timings;

#define QUEUE_BATCHES 12
#define QUEUE_SMALL   ((size_t)1 << 20) /* a batch of small files is full with this much content */
#define QUEUE_EVENTS  512		/* and with so many events */

enum queue_kind {
	QUEUE_ITEM,	  /* an entry: item */
	QUEUE_SMALL_FILE, /* the whole content of a small file: data, id, sha256 */
	QUEUE_SMALL_DATA, /* a small part of a file: data, id */
	QUEUE_CHUNK,	  /* the next chunk of a file or stream: data, id */
	QUEUE_HOLE,	  /* length */
	QUEUE_RESTART,	  /* what came since the item is void: it changed and is read again */
	QUEUE_GONE,	  /* a file that is remembered and is not there any more: queue_path(), item.was */
	QUEUE_RANGE,	  /* entries from … to - 1 of a former block are as they were: range */
	QUEUE_DONE,	  /* content complete: result, errnum, st */
};

/* An entry that the walk met, and what was found when it was looked at. */
struct queue_item {
	size_t path_at;		     /* in the batch's text; see queue_path() */
	struct stat st, opened;	     /* as the walk saw it; as it was when it was opened */
	struct archive_entry *entry; /* attributes; NULL: of this one nothing could be read */
	int error;		     /* as walk_item.error */
	int open_errno, incomplete;  /* as meta_result */
	bool mount;
	bool content; /* content events follow, up to QUEUE_DONE */
	/* what it was: entry `former_at` of this former block; or NULL.  The reference is the queue's */
	struct file_cache_block *former;
	size_t former_at;
	bool same;	   /* … and that is its content; else only its size is that */
	int64_t looked_ns; /* real time at which `opened` was read */
	bool known;	   /* a regular file is remembered under this path: was */
	struct file_changes_was was;
};

struct queue_event {
	enum queue_kind kind;
	struct queue_item item;
	size_t data_at; /* in the batch's content */
	size_t n;
	uint8_t id[DIGEST_LEN], sha256[DIGEST_LEN];
	uint64_t length;
	int result, errnum;
	struct stat st;
	struct file_changes_range range;
};

struct queue;
/* threads: helpers that compute ids, 0 … 15.  ids is copied for each thread.  timings may be NULL. */
int queue_new(const struct hmac *ids, unsigned threads, struct timings *timings, struct queue **ret,
    struct err *err) __attribute__((warn_unused_result));
void queue_free(struct queue *f); /* stops the producer */

/* ---- the producer's side ---- */

/* 0: everything was added; -1 with err: the consumer gets that error after the last event. */
typedef int queue_producer_fn(void *arg, struct queue *f, struct err *err);
int queue_start(struct queue *f, queue_producer_fn *fn, void *arg, struct err *err)
    __attribute__((warn_unused_result));

/* A further event.  NULL: the consumer wants no more, or memory is short: the producer returns -1. */
struct queue_event *queue_add(struct queue *f, enum queue_kind kind);
/* For an item or one that is gone: its path is copied; its entry is made empty for use. -1: as NULL above. */
int queue_set_path(struct queue *f, struct queue_event *e, const char *path);
void queue_take_back(struct queue *f); /* the event added last is not to be, nor its path */
/* The event added last holds so many bytes beside its path and content: batches with much of that are sent
 * sooner. */
void queue_weigh(struct queue *f, size_t n);
/* Room for n ≤ 4 MiB bytes of content in the batch of the event that will be added next; NULL: as above. */
uint8_t *queue_room(struct queue *f, size_t n);
/* The event is QUEUE_SMALL_FILE, QUEUE_SMALL_DATA or QUEUE_CHUNK with n bytes, which stand where queue_room()
 * said. */
int queue_data(struct queue *f, enum queue_kind kind, size_t n);
/* The event is QUEUE_CHUNK with n bytes; the `rest` bytes that stand after them are copied to the beginning of
 * the room for CODEC_RAW_MAX bytes that is returned; NULL: as above. */
uint8_t *queue_chunk(struct queue *f, size_t n, size_t rest);

/* ---- the consumer's side ---- */

#define QUEUE_END  1
#define QUEUE_IDLE 2 /* nothing came for a second: call again, or queue_stop() */
/* *ret is valid until the next call. */
int queue_next(struct queue *f, struct queue_event **ret, struct err *err)
    __attribute__((warn_unused_result));
/* The entry of the current item is the consumer's from now on, who gives another one for it. */
struct archive_entry *queue_keep_entry(struct queue *f, struct archive_entry *spare);
const char *queue_path(const struct queue *f); /* of the current item */
/* The current chunk as a buffer, whose bytes the consumer may take over by exchanging them for another's. */
struct buf *queue_chunk_buf(struct queue *f);
const uint8_t *queue_content(const struct queue *f); /* of the current data event */
/* Ends the producer, whether it was at its end or not. */
void queue_stop(struct queue *f);

#endif
