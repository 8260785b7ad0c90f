/* extract_writers: see extract_writers.h.
 *
 * A pipeline whose jobs are portions of lots.  The main thread puts all portions of a lot when it gives it, and takes them back
 * in the same order when it waits for the lot: so a lot is written when none of its portions is left.  There is a slot for each
 * file of all lots that may be given at a time, so that giving never waits.
 *
 * A portion is many small files or one large one, so that little is done for each of a million small files, and files of one
 * chunk, which lie next to each other in `order`, mostly stay with one writer.  Each writer asks for the chunks that come after
 * its portion (look_ahead). */
#include "restore/extract/extract_writers.h"

#include <assert.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/threads/parallel.h"
#include "base/threads/pipeline.h"
#include "read/vault/arc_r.h"
#include "restore/extract/extract_file.h"
#include "restore/extract/extract_lot.h"
#include "restore/extract/extract_private.h"

#define THREADS_MAX 16
#define FILES_MAX   64 /* taken at a time */
#define BYTES_MAX   ((uint64_t)1 << 20)
#define CHUNKS_NEXT 2	/* asked for ahead of who takes them */
#define LOOK_FOR    256 /* files looked at for them */
#define PORTIONS    (EXTRACT_LOTS * LOT_ITEMS)

/* Files from .. from + n - 1 of a lot, in the order of its chunks. */
struct portion {
	struct extract_lot *lot;
	uint32_t from, n;
};

struct extract_writers {
	struct extract *x;
	unsigned n;
	struct extract_writer writers
	    [THREADS_MAX]; /* of the pipeline's workers 1 … n; 0, where there are none, is lots.writer */
	struct pipeline *line;
	struct portion portions[PORTIONS];
};

unsigned extract_writers_processors(void)
{
	unsigned n = parallel_processors();

	return n > THREADS_MAX ? THREADS_MAX : n;
}

static struct extract_item *file_at(const struct extract_lot *l, size_t i)
{
	return &l->items[l->order[i]];
}

/* How many files from `from` on are worth taking together: many that are cheap, or one. */
static uint32_t next_portion(const struct extract_lot *l, size_t from)
{
	uint64_t bytes = 0;
	size_t i = from;

	while (i < l->n_order && file_at(l, i)->slice && i - from < FILES_MAX && bytes < BYTES_MAX)
		bytes += file_at(l, i++)->size;
	return i > from ? (uint32_t)(i - from) : 1;
}

/* The chunks that come next, so that they are decoded when they are asked for. */
static void look_ahead(struct extract *x, const struct extract_lot *l, size_t i)
{
	size_t end = i + LOOK_FOR < l->n_order ? i + LOOK_FOR : l->n_order, found = 0;

	for (; i < end && found < CHUNKS_NEXT; i++) {
		const struct extract_item *it = file_at(l, i), *before = file_at(l, i - 1);

		if (!it->size || (it->archive == before->archive && it->chunk == before->chunk))
			continue;
		arc_r_want(x->source.arc, it->archive, it->chunk);
		found++;
	}
}

/* The pipeline's work. */
static void write_portion(void *arg, unsigned thread, size_t number, void *slot)
{
	struct extract_writers *w = arg;
	const struct portion *p = slot;

	(void)number;
	look_ahead(w->x, p->lot, p->from + p->n);
	for (size_t i = p->from; i < p->from + p->n && !atomic_load(&w->x->ending); i++)
		extract_file(thread ? &w->writers[thread - 1] : &w->x->lots.writer, file_at(p->lot, i));
}

int extract_writers_start(struct extract *x, unsigned n, struct extract_writers **ret, struct err *err)
{
	struct extract_writers *w = calloc(1, sizeof(*w));
	struct pipeline_config line = {.name = "bkp-write",
	    .threads = n < THREADS_MAX ? n : THREADS_MAX,
	    .window = PORTIONS,
	    .slot_size = sizeof(w->portions[0]),
	    .work = write_portion,
	    .arg = w,
	    .consumer_waits = true};

	if (!w)
		return err_nomem(err);
	line.slots = w->portions;
	w->x = x;
	for (; w->n < line.threads; w->n++)
		if (extract_writer_open(&w->writers[w->n], x, w->n + 1, err))
			break;
	if (w->n < line.threads || pipeline_new(&line, &w->line, err)) {
		extract_writers_stop(w);
		return -1;
	}
	*ret = w;
	return 0;
}

void extract_writers_stop(struct extract_writers *w)
{
	if (!w)
		return;
	pipeline_free(w->line);
	while (w->n)
		extract_writer_close(&w->writers[--w->n]);
	free(w);
}

void extract_writers_give(struct extract_writers *w, struct extract_lot *l)
{
	for (size_t i = 0; i < l->n_order;) {
		struct portion *p = pipeline_room(w->line, false, NULL);

		assert(p);
		*p = (struct portion){l, (uint32_t)i, next_portion(l, i)};
		i += p->n;
		pipeline_put(w->line, false);
	}
}

bool extract_writers_wait(struct extract_writers *w, struct extract_lot *l, unsigned ms)
{
	void *slot;

	if (l->left && !pipeline_next(w->line, ms, &slot, NULL)) {
		const struct portion *p = slot;

		assert(p->lot == l && p->n <= l->left);
		l->left -= p->n;
		pipeline_done(w->line);
	}
	return !l->left;
}
