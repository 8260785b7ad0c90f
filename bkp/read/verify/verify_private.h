/* verify_private: what verify*.c share; see verify.h.
 *
 * struct verify_run belongs to the caller's thread; workers read v, g, opt and threads of it.  Each
 * verify_worker and verify_reader belongs to one thread of parallel_run(), by its number.
 */
#ifndef BKP_READ_VERIFY_VERIFY_PRIVATE_H
#define BKP_READ_VERIFY_VERIFY_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/digest.h"
#include "format/medium/generation.h"
#include "read/verify/verify.h"

struct ahead;
struct arc_r;
struct beside;
struct codec;
struct digestset;
struct hmac;
struct store;
struct store_file;
struct vault_r_generation;

#define VERIFY_PATH 512 /* room for any file of a medium: two folders and a name */

#define VERIFY_WINDOW		4 /* tasks for each thread that are begun and not taken back */
#define VERIFY_THREADS_MAX	16
#define VERIFY_DEEP_THREADS_MAX 8 /* each with a chunk, its frame and some decoded chunks in memory */

struct verify_run {
	struct vault_r *v;
	const struct vault_r_generation *g;
	char dir[GENERATION_SET_DIR + GENERATION_DIR]; /* "datasets/emr/generations/000042" */
	size_t set; /* how much of it is the data set's folder, with its slash */
	const struct verify_options *opt;
	const struct verify_callbacks *cb;
	struct verify_result res;
	unsigned long
	    starved;	  /* mark of the beginning: once memory ran short since then, no fault is damage */
	uint64_t total;	  /* bytes to be read, as far as known */
	unsigned threads; /* files read at a time */
	bool ahead;	  /* each reader has a thread that reads ahead (read/file/ahead.h) */
};

void verify_report(
    struct verify_run *run, const char *file, const char *dataset, const char *path, const struct err *err);

/* ---- a file of SHA256SUMS ---- */

/* What a thread needs to read one file after the other. */
struct verify_reader {
	struct ahead *ahead;
	struct digest *digest;
	struct beside
	    *beside; /* who watches works on it while the bytes are hashed; or NULL: one after the other */
};
/* ahead: a thread reads ahead; beside: one is there for who watches */
int verify_reader_init(struct verify_reader *r, bool ahead, bool beside, struct err *err);
void verify_reader_free(struct verify_reader *r);

struct verify_listed {
	char path[VERIFY_PATH]; /* from <repository-id>/ */
	uint8_t sha256[DIGEST_LEN];
	uint8_t known; /* what the set of files seen says */
	bool wanted;   /* to be hashed */
	int r;	       /* as verify_file() returns it, with bytes and why */
	uint64_t bytes;
	struct err why;
};
/* path: as SHA256SUMS has it, from the data set's folder. */
void verify_listed_name(const struct verify_run *run, struct verify_listed *l, const char *path);
/* Before and after it is hashed, both on the caller's thread, in order. */
void verify_listed_begin(struct verify_run *run, struct verify_listed *l);
int verify_listed_end(struct verify_run *run, const struct verify_listed *l, struct err *err);
/* Its descriptor, or -1: then l says why. */
int verify_listed_open(struct verify_listed *l, const struct store *s, struct store_file *ret);
/* All of it went into d, but for what errnum says. */
void verify_listed_judge(struct verify_listed *l, struct digest *d, int errnum);

/* ---- faults found on another thread, to be reported in order ---- */

/* number and path (or NULL) come back with the fault: what they mean is the caller's */
int verify_fault_keep(
    struct buf *b, uint64_t number, const char *path, const struct err *fault, struct err *err);
/* false at the end; *ret_path is valid as long as b */
bool verify_fault_next(
    const struct buf *b, size_t *pos, uint64_t *ret_number, const char **ret_path, struct err *ret_fault);

/* ---- deep ---- */

int verify_deep(struct verify_run *run, struct err *err);

/* What a thread needs to decrypt and decode. */
struct verify_worker {
	const struct verify_run *run;
	const struct generation_root *root;
	struct verify_reader reader;
	struct arc_r *arc;
	struct hmac *hmac; /* chunk ids */
	struct codec *codec;
	struct buf item, raw;
	uint8_t *segment;
};

/* One archive, read once for its hash and for all that is in it. */
struct verify_archive {
	struct verify_listed listed;
	uint64_t number;
	bool opened; /* else why */
	struct err why;
	size_t chunks;
	struct err container; /* code "": agrees with its INDEX */
	struct buf faults;    /* numbers are chunks */
	bool gave_up;	      /* the verification cannot go on: why */
};
/* On any thread; t->listed was begun. */
void verify_archive_check(struct verify_worker *w, struct verify_archive *t);

/* bad: chunks that cannot be had */
int verify_catalog(struct verify_run *run, struct verify_worker *workers, unsigned threads,
    const struct digestset *bad, const struct generation_dataset *ds, struct err *err);
void verify_bad_key(uint64_t archive, uint32_t chunk, uint8_t out[DIGEST_LEN]);

#endif
