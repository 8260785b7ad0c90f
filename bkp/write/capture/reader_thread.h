/* reader_thread: the thread that goes through the paths of a data set ahead of the capture: it looks, opens and
 * reads files (the producer of a queue).
 *
 * Entries that are as they were when the data set was captured last (file_changes.h) are added as ranges of the
 * former catalog's blocks; files that are remembered and gone, though the data set would still have them, as
 * gone (not those in a folder that cannot be read: of them nobody knows).  Every other entry is added in catalog
 * order, with its attributes, and the content of regular files (reader.h).  The second and later names of a
 * file are added without content.  What cannot be read is added with the reason; the rest goes on.
 *
 * One reader, so that a hard disk is read in order.
 * Errors of reader_thread_run: those of walk, linkmap, file_changes and meta. */
#ifndef BKP_WRITE_CAPTURE_READER_THREAD_H
#define BKP_WRITE_CAPTURE_READER_THREAD_H

#include <stdbool.h>
#include <stddef.h>

struct chunker;
struct err;
struct exclude;
struct queue;
struct file_cache;

struct reader_thread {
	char *const *roots; /* absolute paths in catalog order */
	size_t n_roots;
	char *const *policy_roots; /* all that the data set has, also those that are not there */
	size_t n_policy_roots;
	bool cross_mounts;
	const struct exclude *exclude;
	const struct chunker *chunker;
	const char *scratch;	  /* a folder for scratch files */
	int scratch_fd;		  /* the same, open */
	struct file_cache *cache; /* what is remembered of the data set; or NULL */
	bool anew;		  /* `cache` is only to be compared with: all files are read */
};

/* A queue_producer_fn; arg is a struct reader_thread. */
int reader_thread_run(void *arg, struct queue *f, struct err *err);

#endif
