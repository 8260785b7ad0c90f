/* generation: the documents of one generation (docs/format.md, section 8): manifest.json, root.age's plaintext,
 * SHA256SUMS, and the trusted comment of its signature.
 *
 * A generation is one capture of one data set.  It has the number of the run that made it: run 42 makes emr@42
 * and documents@42.  All paths here are relative to the data set's folder, <repository-id>/datasets/<name>/.
 *
 * Pure.  Strings in parsed structs are malloc'd and belong to the struct. Errors: E-GEN-01 malformed (line or
 * member named), E-GEN-02 of another format (ERR_NEWER), E-GEN-03 SHA256SUMS malformed (line named).
 */
#ifndef BKP_FORMAT_MEDIUM_GENERATION_H
#define BKP_FORMAT_MEDIUM_GENERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/crypto/age.h"
#include "format/crypto/digest.h"
#include "format/guard/guard.h"

struct buf;
struct err;

#define GENERATION_UUID		37
#define GENERATION_NAME		33 /* of a data set: [a-z][a-z0-9-]{0,31} */
#define GENERATION_LABEL	64 /* room for "emr@42" */
#define GENERATION_DIR		40 /* room for "generations/000042" */
#define GENERATION_MANIFEST_MAX ((size_t)16 << 20)
#define GENERATION_ROOT_MAX	((size_t)256 << 20)
#define GENERATION_PLACES_MAX	((size_t)128 << 20)
#define GENERATION_SUMS_MAX	((size_t)256 << 20)

enum generation_verdict { GENERATION_GOOD, GENERATION_PARTIAL, GENERATION_FAILED };
const char *generation_verdict_word(enum generation_verdict v);		   /* "good", "partial", "failed" */
int generation_verdict_parse(const char *s, enum generation_verdict *ret); /* 0, -1 */

/* Where what was captured came from. */
enum generation_source {
	GENERATION_PATHS,  /* "paths": trees of the file system */
	GENERATION_STREAM, /* "command": the output of a command, as one file */
	GENERATION_TAR,	   /* "tar": the output of a command, a tar stream, entry by entry */
	GENERATION_SOURCES,
};
const char *generation_source_word(enum generation_source source);
/* -1: no such word. */
int generation_source_parse(const char *word, enum generation_source *ret);

struct generation_dataset {
	char *name;    /* generation_id.dataset once more, for messages */
	char *title;   /* manifest; or NULL */
	char *reason;  /* manifest: why it has no probe's value; of a capture that failed: why; or NULL */
	char *blocks;  /* root: extents of the block list; NULL in manifests */
	char *probe;   /* root: the probe's value, or NULL */
	char *version; /* of the source's software, as it says; goes into the journal; or NULL */
	enum generation_verdict verdict;
	enum generation_source source; /* root */
	uint64_t entries, files, bytes;
	uint64_t unreadable, changed, skipped; /* manifest */
	char *suspicion;		       /* manifest: why the guard finds it suspect; or NULL */
	struct guard guard;		       /* of the capture; goes into the journal */
	char *notice;	    /* what the guard raised and people had announced; into the journal, or NULL */
	uint64_t announced; /* by the newest of these announcements */
	struct guard_canary *canaries; /* those that are to be recorded: of the capture; into the journal */
	size_t n_canaries;
	uint64_t *
	    placed_wrong; /* numbers of canaries that bkp made and that are changed or gone; into the journal */
	size_t n_placed_wrong;
	char *
	    harm; /* what the guard says of the rows of a dump and of what the probe counts (rows_past.h); or NULL: not recorded */
	char *blind; /* why the guard saw less than it should; or NULL: not recorded */
	/* The end of what its commands wrote to standard error, or NULL.  Names of patients may be in it:
	 * into root.age, or, of a data set that failed, encrypted into the journal; never in the clear. */
	char *said;
	uint64_t
	    said_lines; /* of captures that did not fail: how many lines that is, where the policy wants to know; not recorded */
};

struct generation_archive {
	uint64_t number;
	uint64_t size;
	uint8_t sha256[DIGEST_LEN];
	uint8_t index_sha256[DIGEST_LEN]; /* root: of its INDEX */
};

struct generation_id {
	char repository[GENERATION_UUID];
	char dataset[GENERATION_NAME];
	char uuid[GENERATION_UUID]; /* of the run */
	uint64_t number;	    /* of the run, ≥1 */
};

struct generation_manifest {
	struct generation_id id;
	int64_t begun_ns, finished_ns; /* whole seconds */
	int32_t utc_offset_s; /* east of UTC, where it was captured: a date must pick the right night */
	char *host, *version;
	struct generation_dataset dataset; /* verdict good or partial: a failed capture makes no generation */
	char (*together)
	    [GENERATION_NAME]; /* the other data sets that were captured with it, to be restored with it */
	size_t n_together;
	/* root.age, and what this generation added, are encrypted to this recipient: that of this period (period.h) */
	uint32_t period;
	struct age_recipient recipient;
	uint64_t archives, archive_bytes;
	uint64_t previous; /* number of the data set's generation before, or 0: none */
	uint8_t previous_sha256[DIGEST_LEN];
	uint8_t root_sha256[DIGEST_LEN]; /* so the journal, which has the manifest's hash, binds root.age */
	uint64_t journal_seq;
	uint8_t journal_sha256[DIGEST_LEN];
};

struct generation_root {
	struct generation_id id;
	uint8_t chunk_id_key[DIGEST_LEN]; /* for who checks a chunk's id */
	struct generation_dataset dataset;
	struct generation_archive *archives; /* ascending by number */
	size_t n_archives;
};

int generation_manifest_format(const struct generation_manifest *m, struct buf *out, struct err *err);
int generation_manifest_parse(const char *p, size_t n, struct generation_manifest **ret, struct err *err);
void generation_manifest_free(struct generation_manifest *m);

int generation_root_format(const struct generation_root *r, struct buf *out, struct err *err);
int generation_root_parse(const char *p, size_t n, struct generation_root **ret, struct err *err);
void generation_root_free(struct generation_root *r);
/* The archive of that number, or NULL. */
const struct generation_archive *generation_root_archive(const struct generation_root *r, uint64_t number);

/* One line of SHA256SUMS. */
int generation_sums_add(struct buf *out, const uint8_t sha256[DIGEST_LEN], const char *path, struct err *err);
/* Iterates: *pos starts at 0.  Paths are checked: path_is_entry(), "archives/…" whose name is the hash, or
 * one of a generation's three documents; ascending.  The path is copied. */
#define GENERATION_SUMS_END  1
#define GENERATION_SUMS_PATH 128
int generation_sums_next(const char *p, size_t n, size_t *pos, uint8_t ret_sha256[DIGEST_LEN],
    char ret_path[GENERATION_SUMS_PATH], struct err *err);

/* "generations/000042" into out; returns out. */
char *generation_dir(uint64_t number, char out[GENERATION_DIR]);
/* The inverse for the bare name "000042": 0, or -1 when it is not a generation's folder name. */
int generation_dir_parse(const char *name, uint64_t *ret_number);

/* May a data set be called so?  [a-z][a-z0-9-]{0,31}, no device name of Windows (con, prn, aux, nul, com0-9,
 * lpt0-9: a medium is read there, too), no word that selectors use (latest). */
bool generation_name_ok(const char *name);
/* "emr@42" into out; returns out. */
char *generation_label(const char *dataset, uint64_t number, char out[GENERATION_LABEL]);
/* "datasets/emr", from <repository-id>/; returns out. */
#define GENERATION_SET_DIR (GENERATION_NAME + 10)
char *generation_set_dir(const char *dataset, char out[GENERATION_SET_DIR]);

/* "bkp:1 kind=generation repository=… dataset=… generation=… uuid=…" (kind "generation"), or without the last
 * three (id->number 0). */
int generation_comment(const char *kind, const struct generation_id *id, struct buf *out, struct err *err);

#endif
