/* capture_private: what the files of capture share; see capture.h. */
#ifndef BKP_WRITE_CAPTURE_CAPTURE_PRIVATE_H
#define BKP_WRITE_CAPTURE_CAPTURE_PRIVATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/err.h"
#include "format/guard/guard.h"
#include "format/guard/profile.h"
#include "format/guard/signs.h"
#include "write/capture/capture.h"
#include "write/capture/content.h"
#include "write/capture/examples.h"
#include "write/source/command.h"
#include "write/source/file_changes.h"

struct archive_entry;
struct capture_output;
struct catalog_writer;
struct content;
struct extset;
struct queue;
struct queue_event;
struct strata;
struct rows;
struct linkmap;
struct file_cache;
struct file_cache_block;
struct file_cache_writer;
struct file_changes_range;
struct tally;

/* All of it belongs to the thread that calls capture_dataset().  The reader thread (the producer of `queue`) has
 * only what it is given in struct reader_thread or struct capture_output, until queue_stop(). */
struct capture {
	struct capture_config cfg;
	struct content *content;
	struct queue *queue;
	int scratch_fd;
	struct buf link, path; /* scratch */
	/* the current data set */
	struct {
		const struct policy_dataset *policy;
		struct generation_dataset *result;
		struct linkmap *links;
		int64_t newest_ns;	 /* mtime of the newest file, or EXPECT_NO_FILE */
		char said[COMMAND_SAID]; /* by its commands so far */
		uint64_t said_lines;
		bool stopped; /* by capture_callbacks.stop */
	} set;
	/* the current entry */
	struct {
		struct archive_entry
		    *entry;	    /* the queue's, exchanged for another one while its content comes */
		struct buf extents; /* where its content lies */
		struct content_sha256 sha256; /* of its content */
		uint64_t within;	      /* bytes of the current file that came so far */
		struct seen {
			struct stat st, opened; /* as the walk saw it, as it was read */
			int64_t looked_ns;
			unsigned flags;
			bool extents;
			bool odd;	  /* must be looked at every run */
			uint64_t bytes;	  /* of content */
			bool known, read; /* was captured before; its content was read now */
			struct file_changes_was was;
			/* of its content then, where only its ctime tells of a change */
			bool was_there;
			struct content_sha256 was_sha256;
			struct profile profile;
			bool looked; /* content came, and was looked at */
		} seen;
	} now;
	/* its catalog: capture_catalog.c */
	struct {
		struct catalog_writer *block;
		struct buf bytes; /* of a block */
		struct buf list;  /* of blocks */
		struct buf first; /* path of the block's first entry, percent-encoded */
	} catalog;
	/* what is remembered of the data set, and what will be; NULL: nothing.  capture_catalog.c */
	struct {
		int cache_fd;
		struct file_cache *cache;
		struct file_cache_writer *remember;
		uint64_t *runs; /* archives that were available when it was begun */
		size_t n_runs;
		uint64_t kept; /* bytes of content that needed no reading */
		bool forget;   /* what is remembered is damaged: capture without it */
		struct err fault;
	} memory;
	/* what became of its files since: capture_guard.c */
	struct {
		struct tally *tally;
		struct extset *extensions;    /* or NULL: cannot be told */
		bool comparing;		      /* there is something to compare with */
		struct guard carried;	      /* of captures of it that were never reported */
		struct guard_census census;   /* of its files so far */
		struct guard noted;	      /* what capture_guard_note() wrote last */
		struct profile_reader reader; /* of the current content */
		uint64_t seed;
		struct strata *strata; /* or NULL: of what is no tree */
		struct signs signs;
		struct examples examples;
		struct rows *rows; /* of a dump; or NULL */
	} guard;
};

/* Nothing was captured of the current data set: counts, catalog and archives that it needs begin at none. */
int capture_begin_anew(struct capture *c, struct err *err);
/* How far it is; e: of a content; NULL: there is none. */
void capture_tell(struct capture *c, const struct queue_event *e);
void capture_note(struct capture *c, enum capture_kind kind, const char *path, int errnum);

/* ---- capture_catalog.c ---- */

/* Adds the entry with c->now.extents and c->now.sha256 (has_extents) to the catalog. */
int capture_add_entry(struct capture *c, struct archive_entry *e, const char *path, bool has_extents,
    unsigned flags, struct err *err);
/* Entries of a former block that are as they were. */
int capture_add_range(struct capture *c, const struct file_changes_range *r, struct err *err);
/* The extents of entry i of a former block into c->now.extents (empty: it has none) and c->now.sha256. */
int capture_former_extents(struct capture *c, struct file_cache_block *b, size_t i, struct err *err);
/* The SHA-256 of its content alone; false: it had no content, or that cannot be told. */
bool capture_former_sha256(struct file_cache_block *b, size_t i, struct content_sha256 *ret);
/* The data set will not become whole in this run: what was added so far is remembered all the same. */
int capture_keep_block(struct capture *c, struct err *err);
/* The catalog is complete: stores the block list, whose extents go into the root. */
int capture_finish_catalog(struct capture *c, struct err *err);

/* What is remembered of the current data set. */
int capture_open_folder(struct capture *c, struct err *err);
int capture_open_cache(struct capture *c, struct err *err);
void capture_close_cache(struct capture *c, bool whole);

/* ---- capture_guard.c: measures what format/guard/guard.h judges ---- */

/* Forgets the data set before. */
void capture_guard_reset(struct capture *c);
/* A data set is begun; what was remembered of it is open.  Again for the same, when it is begun once more. */
int capture_guard_begin(struct capture *c, struct err *err);
/* A content event of the current entry, before anybody takes it; the last one, QUEUE_DONE, tells what all of it is. */
void capture_guard_look(struct capture *c, const struct queue_event *e);
/* A regular file is there, of which only that is known. */
void capture_guard_count(struct capture *c, const struct profile *p);
/* A file that is as it was captured last. */
void capture_guard_former(struct capture *c, const char *path, int64_t mtime_ns, const struct profile *p);
/* The current entry, a regular file, is complete. */
int capture_guard_file(struct capture *c, const char *path, struct err *err);
int capture_guard_gone(
    struct capture *c, const char *path, const struct file_changes_was *was, struct err *err);
/* What was counted so far, for the next run, should this one die: before anything is remembered of it. */
void capture_guard_note(struct capture *c);
/* The data set is complete. */
void capture_guard_end(struct capture *c);
/* The same for a tar stream, of which nothing is remembered. */
void capture_guard_tar(struct capture *c);
/* The same for what a command gave, whose first content capture_guard_look() saw. */
void capture_guard_stream(struct capture *c);
/* A command's output is begun: its rows are looked at. */
int capture_rows_begin(struct capture *c, struct err *err);
/* The data set is complete, and its probe was run. */
int capture_rows_judge(struct capture *c, struct err *err);

/* A regular file of that mtime is there. */
void capture_newest(struct capture *c, int64_t mtime_ns);

/* ---- capture_stream.c: what a command gives ---- */

/* The output as one file. */
int capture_stream(struct capture *c, struct err *err);

/* The command, and the check of what it gives. */
struct capture_output {
	struct command *command;
	struct dumpcheck *check; /* or NULL */
	struct rows *rows;	 /* borrowed, or NULL; tapped: the check feeds it */
	bool tapped;
	uint64_t bytes;
};
int capture_output_begin(struct capture *c, struct capture_output *o, struct err *err);
/* For the producer's thread: of the type reader_read_fn. */
ssize_t capture_output_read(void *output, void *p, size_t n);
/* All was read (r 0), reading failed (READER_UNREADABLE with its errno), or something else ended it (-1, err
 * says why): ends the command, which has the last word on why. */
int capture_output_end(struct capture *c, struct capture_output *o, int r, int errnum, struct err *err);
void capture_output_free(struct capture_output *o);

/* ---- capture_tar.c ---- */

int capture_tar(struct capture *c, struct err *err);

/* ---- capture_hooks.c: before, after, probe, expectations ---- */

/* What the commands of the current data set find in their environment. */
struct capture_env {
	char dataset[96], generation[48], result[32], locale[2][80];
	const char *list[6];
};
/* result: a word, or NULL. */
struct command_config capture_command_config(
    struct capture *c, struct capture_env *env, const char *line, const char *result);
/* Was it told to stop? */
bool capture_is_ended(const struct capture *c);
/* `key` of the policy said that. */
void capture_said(struct capture *c, const char *key, const struct command_words *said);
int capture_before(struct capture *c, struct err *err);
int capture_after(struct capture *c, bool failed, struct err *err);
/* The content is complete: is it as expected, and what does the probe say? */
int capture_judge(struct capture *c, struct err *err);

/* ---- capture_tree.c ---- */

/* The current data set is stopped: -1. */
int capture_stop(struct capture *c, struct err *err);
int capture_paths(struct capture *c, struct err *err);

#endif
