/* run_private: what the files of the run share; see run.h. */
#ifndef BKP_WRITE_RUN_RUN_PRIVATE_H
#define BKP_WRITE_RUN_RUN_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "format/crypto/digest.h"
#include "write/media/journal_copies.h"
#include "write/media/replaced.h"
#include "write/run/run.h"

struct capture;
struct chunker;
struct dedup;
struct dedup_archive;
struct expect_former;
struct hmac;
struct json_t;
struct medium;
struct pack;
struct pack_sink;
struct readback;
struct vault_r;
struct vault_r_generation;
struct vault_w;
struct liveness;

/* An online medium; `report` is its row in the result. */
struct run_online {
	struct run_medium *report;
	struct medium *medium;
	struct vault_w *vault;
	struct readback *readback; /* once it holds a new generation */
	struct journal_copies_finding finding;
	struct replaced replaced;
	bool
	    later; /* a copy was lost that a person has to make room for, in one way or the other: no catching up now */
	bool dropped; /* run_drop(): nothing more comes onto it in this run */
};

/* The media that are there: run_open_media() to run_close_media(). */
struct run_media_online {
	struct run_online *online;
	struct pack_sink *sinks; /* parallel to online; failed: the medium was dropped */
	size_t n;
};

/* What captures, for all data sets: index and cache from step 0 on, the others from the first data set to the last. */
struct run_with {
	int cachefd;	    /* the state folder's cache/ */
	char scratch[4096]; /* its path, which the capture keeps */
	struct dedup *dedup;
	struct liveness *liveness;
	struct hmac *ids;
	struct chunker *chunker;
	struct pack *pack;
	struct capture *capture;
};

/* The data set whose turn it is: run_set(). */
struct run_set {
	const struct policy_dataset *policy;
	struct run_dataset *result;
	struct dedup_archive *needed; /* its generation's archives */
	size_t n_needed;
	uint64_t *places_of; /* those of them whose places its places.age carries */
	size_t n_places_of;
	uint64_t next_archive;
	struct buf manifest, root, places, sums, sig;
	uint8_t manifest_sha256[DIGEST_LEN];
};

/* All fields belong to the thread that called run_run(), with one exception: while a data set is being captured, until
 * pack_finish() or pack_free() has returned, the pack's sealing thread writes to the media's vaults and to
 * `media.sinks` (sealer.h); nobody else touches either then. */
struct run {
	const struct run_config *cfg; /* the caller's, or after narrow() a copy: what is wanted, in order */
	struct run_result *ret;
	const struct policy_dataset **wanted; /* the array of that copy, owned here */
	char uuid[GENERATION_UUID];	      /* from begin() on */
	int64_t begun_ns;
	struct json_t *seen; /* which media kept offline are here and away (attendance_record()) */
	int64_t looked_ns;   /* before that look */
	bool stopped;	     /* the time to end came, or somebody ended it */
	struct run_media_online media;
	struct run_with with;
	struct run_set set;
	struct run_set *ready; /* their documents are made: run_flush() publishes and records them together */
	size_t n_ready;
	int64_t ready_since_ns; /* monotonic */
	struct run_progress at;
	uint64_t captured; /* bytes of the data sets before the one that is being captured */
};

/* run.c: what a data set was when it was good, or when a person accepted it as it is; arg is the run */
void run_former(void *arg, const char *dataset, struct expect_former *ret);
void run_progress_medium(struct run *n, size_t i);
void run_progress_dataset(struct run *n, size_t i);
void run_progress_bytes(void *arg, uint64_t bytes);
void run_progress_copied(void *arg, const char *generation, uint64_t left, uint64_t bytes, uint64_t total);
/* run_commit.c: has somebody told this process to end? */
bool run_interrupted(const struct run *n);
/* run_media.c */
int run_open_media(struct run *n, struct err *err);
void run_close_media(struct run *n);
int run_settle(struct run *n, struct err *err);
/* The medium takes no further part; `why` is what a person is told. */
void run_drop(struct run *n, size_t i, const struct err *why);
bool run_any_left(const struct run *n);
/* run_media.c: what the media know of the journal, before anything is recorded; a new epoch; the
 * journal's way to the media at the end. */
int run_histories(struct run *n, struct err *err);
int run_new_epoch(struct run *n, struct err *err);
void run_copy_journal(struct run *n);

/* run_set.c: data set i of cfg.  0: it has a generation, or it failed and *ret says why; -1: it cannot be recorded. */
int run_set(struct run *n, size_t i, struct err *err);
/* Publishes and records what is ready.  0: each has its generation, or failed with its reason; -1: it cannot be recorded. */
int run_flush(struct run *n, struct err *err);
/* All data sets had their turn; may be called again. */
void run_end_sets(struct run *n);
/* Is online medium i there, and is it to hold the current data set? */
bool run_is_used(const struct run *n, size_t i);
struct run_copy *run_copy_on(const struct run *n, const struct run_set *set, size_t i);
/* That copy comes to nothing.  own: the fault is the medium's, which is dropped, unless it is only full. */
void run_lose(struct run *n, const struct run_set *set, size_t i, const struct err *why, bool own);
/* Has any medium a generation of it from this run, recorded or not? */
bool run_is_published(const struct run *n, const struct run_dataset *s);

/* run_room.c: -1: out of memory.  A medium that the current data set does not seem to fit on takes no part in it (run_lose()); on the
 * others room is kept for data sets that are as urgent, until run_give_room_back(). */
int run_look_at_room(struct run *n, struct err *err);
void run_give_room_back(struct run *n);

/* run_index.c: cache/ and the index of what is stored */
int run_open_index(struct run *n, struct err *err);
/* What the media know of the current data set, and the index does not yet. */
int run_fill_index(struct run *n, struct err *err);
/* The highest number among the archives whose places a generation carries; 0: it carries none, or they cannot be read. */
uint64_t run_highest_archive(const struct run *n, struct vault_r *v, const struct vault_r_generation *g);

/* run_docs.c */
int run_documents(struct run *n, struct err *err);
void run_places_reported(struct run *n);
/* Appends an age file to all recipients. */
int run_encrypt(const struct run *n, const struct buf *plain, struct buf *out, struct err *err);

/* run_guard.c: judges what was measured of the data set that was captured last */
int run_guard(struct run *n, const struct policy_dataset *p, struct generation_dataset *d, struct err *err);
bool run_was_reported(void *arg, uint64_t generation, const char *dataset);
uint64_t run_decided(void *arg, const char *dataset); /* capture.h */
enum rows_trust run_trust(void *arg, uint64_t generation, const char *dataset);

/* run_commit.c */
int run_supply(struct run *n, struct err *err);
int run_committed(struct run *n, struct err *err);
int run_read_back(struct run *n, struct err *err);
/* What there is of this run is not read back: the run ends early. */
void run_leave_unread(struct run *n);
int run_catch_up(struct run *n, struct err *err);
/* What was not read for a long time is read again, a part of each medium (read/rules/rereading.h). */
int run_reread(struct run *n, struct err *err);
void run_medium_docs(struct run *n);
/* The files of each medium that were not what was written there; last of all that is written there but the
 * journal. */
void run_tell_replaced(struct run *n);
/* What the commands of data sets that failed wrote to standard error (no root.age keeps it), as records hold it: base64
 * of an age file with a line "NAME: WORDS" each.  *ret NULL: nothing was said. */
int run_said(const struct run *n, struct json_t **ret, struct err *err);
/* The members of a "committed" record that say how the data set was captured, into o. */
void run_put_dataset(struct json_t *o, const struct generation_dataset *d);

#endif
