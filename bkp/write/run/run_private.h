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
struct vault_w;
struct liveness;

/* An online medium; `report` is its row in the result. */
struct run_online {
	struct run_medium *report;
	struct medium *medium;
	struct vault_w *vault;
	struct readback *readback; /* once it holds the new generation */
	struct journal_copies_finding finding;
	struct replaced replaced;
};

/* The media that are there: run_open_media() to run_close_media(). */
struct run_media_online {
	struct run_online *online;
	struct pack_sink *sinks; /* parallel to online; failed: the medium was dropped */
	size_t n;
};

/* What a capture stores with: dedup from step 0 on, the others from step 2 to the end of the capture. */
struct run_with {
	struct dedup *dedup;
	struct liveness *liveness;
	struct hmac *ids;
	struct chunker *chunker;
	struct pack *pack;
};

/* The generation: its name from begin() on, its archives and documents from steps 3 and 4. */
struct run_made {
	char uuid[GENERATION_UUID];
	int64_t begun_ns;
	struct dedup_archive *needed;
	size_t n_needed;
	struct buf manifest, root, sums, sig;
	uint8_t manifest_sha256[DIGEST_LEN];
};

/* All fields belong to the thread that called run_run(), with one exception: from open_pack() until
 * pack_finish() or pack_free() has returned, the pack's sealing thread writes to the media's vaults and to
 * `media.sinks` (sealer.h); nobody else touches either then. */
struct run {
	const struct run_config *cfg; /* the caller's, or after narrow() a copy with fewer data sets */
	struct run_result *ret;
	const struct policy_dataset **wanted; /* the array of that copy, owned here; NULL: all of cfg */
	struct run_media_online media;
	struct run_with with;
	struct run_made made;
	struct run_progress at;
	uint64_t captured; /* bytes of the data sets before the one that is being captured */
};

/* run.c: what a data set was when it was good, or when a person accepted it as it is; arg is the run */
void run_former(void *arg, const char *dataset, struct expect_former *ret);
void run_progress_medium(struct run *n, size_t i);
void run_progress_copied(void *arg, uint64_t generation, uint64_t left, uint64_t bytes, uint64_t total);
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

/* run_docs.c */
int run_documents(struct run *n, struct err *err);
/* Appends an age file to all recipients. */
int run_encrypt(const struct run *n, const struct buf *plain, struct buf *out, struct err *err);

/* run_guard.c: judges what was measured of the data set that was captured last */
int run_guard(struct run *n, const struct policy_dataset *p, struct generation_dataset *d, struct err *err);
bool run_was_reported(void *arg, uint64_t generation, const char *dataset);

/* run_commit.c */
int run_supply(struct run *n, struct err *err);
int run_publish(struct run *n, struct err *err);
int run_committed(struct run *n, struct err *err);
int run_read_back(struct run *n, struct err *err);
int run_catch_up(struct run *n, struct err *err);
void run_medium_docs(struct run *n);
/* The files of each medium that were not what was written there; last of all that is written there but the
 * journal. */
void run_tell_replaced(struct run *n);
/* What the commands of data sets wrote to standard error that no root.age keeps, as records hold it: base64
 * of an age file with a line "NAME: WORDS" each.  all: nothing was committed; else of those that failed.
 * *ret NULL: nothing was said. */
int run_said(const struct run *n, bool all, struct json_t **ret, struct err *err);
/* A data set as the "committed" record says it. */
struct json_t *run_dataset_json(const struct generation_dataset *d);

#endif
