/* tarsource: the entries of a tar stream into a queue, one by one, in the order in which they come.
 *
 * The producer's side (queue_start(f, tarsource_run, &source)).  Each entry is a QUEUE_ITEM with its name as an
 * entry path (no '/' in front, no "." components), its attributes, and the name that a hard link refers to,
 * made an entry path too; a regular file's content follows it, up to QUEUE_DONE.  Holes stay holes.  What
 * cannot be an entry is a QUEUE_ITEM with `error` (ENOTSUP: it is nothing that can be stored; EXDEV: its name,
 * or the one that it links to, leads out of the stream; ENAMETOOLONG) and the name as it came.
 *
 * All that libarchive's tar reader reads is taken: old, ustar, pax, GNU with sparse files.  Names are bytes,
 * whatever the locale.  The stream must be whole: what it lacks (two blocks of zeros at its end included) or
 * has beyond its end is a fault, and nothing of it is to be believed.
 *
 * Memory does not depend on the stream: names, headers and sparse maps have ceilings.  Content that is
 * skipped, and an endless one, take as long as the command does: its time limit is the caller's business.
 *
 * Errors (tarsource.why, when the queue has ended): E-TAR-01 it is no tar stream, or damaged; E-TAR-02 it ends
 * too early; E-TAR-03 something stands after its end; E-TAR-04 an entry of impossible size.
 */
#ifndef BKP_WRITE_SOURCE_TARSOURCE_H
#define BKP_WRITE_SOURCE_TARSOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "write/source/reader.h"

struct exclude;

#define TARSOURCE_SIZE_MAX  ((int64_t)1 << 56)	/* bytes of one entry, holes included */
#define TARSOURCE_TOTAL_MAX ((uint64_t)1 << 62) /* of all */
#define TARSOURCE_NAME_MAX  ((size_t)256 << 10) /* bytes of a name, with its NUL */
#define TARSOURCE_HEADER_MAX                                                                                 \
	((size_t)16 << 20) /* bytes of all headers of one entry, its sparse map included */

struct tarsource {
	const struct chunker *chunker;
	const struct exclude *exclude; /* matches "/<path>"; or NULL */
	reader_read_fn *read;
	void *arg;
	/* the producer's alone until the queue has ended */
	uint64_t total; /* bytes that came */
	bool ended;	/* all of the stream was read */
	int errnum;	/* `read` failed: why; 0: it did not */
	struct err why; /* what is wrong with the stream; code "": nothing */
};

/* Of the type queue_producer_fn.  0 also when something is wrong with the stream. */
int tarsource_run(void *source, struct queue *f, struct err *err);

#endif
