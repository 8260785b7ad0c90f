/* night_private: what the files of the night share; see night.h. */
#ifndef BKP_WRITE_RUN_NIGHT_PRIVATE_H
#define BKP_WRITE_RUN_NIGHT_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "format/crypto/digest.h"
#include "write/media/heads.h"
#include "write/run/night.h"
#include "write/media/replaced.h"

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
struct waste;

/* An online medium; `report` is its row in the result. */
struct night_online {
	struct night_medium *report;
	struct medium *medium;
	struct vault_w *vault;
	struct readback *readback; /* once it holds the new generation */
	struct heads_finding finding;
	struct replaced replaced;
};

struct night {
	const struct night_config *cfg;
	struct night_result *ret;
	const struct policy_dataset **wanted; /* belongs to it; NULL: all of cfg */
	struct night_online *online;
	struct pack_sink *sinks; /* parallel to online */
	size_t n_online;
	struct dedup *dedup;
	struct waste *waste;
	struct hmac *ids;
	struct chunker *chunker;
	struct pack *pack;
	char uuid[GENERATION_UUID];
	int64_t begun_ns;
	struct dedup_archive *needed;
	size_t n_needed;
	struct buf manifest, root, sums, sig; /* the generation's documents */
	uint8_t manifest_sha256[DIGEST_LEN];
	struct night_progress at;
	uint64_t captured; /* bytes of the data sets before the one at hand */
};

/* night.c: what a data set was when it was good, or when a person accepted it as it is; arg is the night */
void night_former(void *arg, const char *dataset, struct expect_former *ret);
/* night_progress.c: before a data set is captured, or a medium read back from and filled; what these call */
void night_progress_dataset(struct night *n, size_t i);
void night_progress_bytes(void *arg, uint64_t bytes);
void night_progress_medium(struct night *n, size_t i);
void night_progress_copied(void *arg, uint64_t generation, uint64_t left, uint64_t bytes, uint64_t total);
/* night_commit.c: somebody ended this process */
bool night_interrupted(const struct night *n);
/* night_media.c */
int night_open_media(struct night *n, struct err *err);
void night_close_media(struct night *n);
int night_settle(struct night *n, struct err *err);
/* The medium takes no further part. */
void night_drop(struct night *n, size_t i, const struct err *why);
bool night_any_left(const struct night *n);
/* night_heads.c: what the media know of the journal, before anything is recorded; a new epoch; the journal's
 * way to the media at the end. */
int night_histories(struct night *n, struct err *err);
int night_new_epoch(struct night *n, struct err *err);
void night_copy_journal(struct night *n);

/* night_waste.c: opens n->waste, and refuses what is not worth referring to */
int night_refuse_waste(struct night *n, struct err *err);

/* night_docs.c */
int night_documents(struct night *n, struct err *err);
/* Appends an age file to all recipients. */
int night_encrypt(const struct night *n, const struct buf *plain, struct buf *out, struct err *err);

/* night_guard.c: judges what was measured of the data set that was captured last */
int night_guard(
    struct night *n, const struct policy_dataset *p, struct generation_dataset *d, struct err *err);
bool night_was_reported(void *arg, uint64_t generation, const char *dataset);

/* night_commit.c */
int night_supply(struct night *n, struct err *err);
int night_publish(struct night *n, struct err *err);
int night_committed(struct night *n, struct err *err);
int night_read_back(struct night *n, struct err *err);
int night_catch_up(struct night *n, struct err *err);
void night_medium_docs(struct night *n);
/* The files of each medium that were not what was written there; last of all that is written there but the
 * journal. */
void night_tell_replaced(struct night *n);
/* What the commands of data sets wrote to standard error that no root.age keeps, as records hold it: base64
 * of an age file with a line "NAME: WORDS" each.  all: nothing was committed; else of those that failed.
 * *ret NULL: nothing was said. */
int night_said(const struct night *n, bool all, struct json_t **ret, struct err *err);
/* A data set as the "committed" record says it. */
struct json_t *night_dataset_json(const struct generation_dataset *d);

#endif
