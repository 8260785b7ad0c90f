/* volume: see volume.h. */
#include "write/source/volume.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/io.h"
#include "format/config/exclude.h"
#include "format/medium/codec.h"
#include "format/policy/policy.h"
#include "write/source/walk.h"

#define PIECE	   ((size_t)64 << 10) /* what is read and compressed of a file */
#define FIRST_STEP ((uint64_t)1 << 20)
#define ASK_EVERY  1024 /* objects */

struct estimating {
	const struct volume_question *q;
	struct codec *codec;
	struct buf frame;
	uint8_t *piece;
	uint64_t walked; /* bytes of files that count */
	uint64_t next;	 /* from here on a piece is to be read */
	uint64_t judged; /* bytes that the pieces so far spoke for, */
	double packed;	 /* and what would be left of them */
	unsigned objects;
};

/* What is left of a piece from the middle of the file, between 0 and 1; 1 where it cannot be read. */
static double shrinks_to(struct estimating *e, const struct walk_item *it)
{
	IO_FD_AUTO fd = openat(it->dirfd, it->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	ssize_t n =
	    fd < 0 ? -1
		   : pread(fd, e->piece, PIECE, it->st.st_size > (off_t)(2 * PIECE) ? it->st.st_size / 2 : 0);

	e->frame.n = 0;
	if (n <= 0 || codec_pack(e->codec, e->q->dataset->compression, e->piece, (size_t)n, &e->frame, NULL))
		return 1;
	return e->frame.n < (size_t)n ? (double)e->frame.n / (double)n : 1;
}

/* Holes are not stored; each name of a file with several brings its part. */
static uint64_t bytes_of(const struct stat *st)
{
	uint64_t size = (uint64_t)st->st_size, there = (uint64_t)st->st_blocks * 512;

	return (there < size ? there : size) / (st->st_nlink > 1 ? (uint64_t)st->st_nlink : 1);
}

static int64_t since(const struct timespec *t)
{
	return (int64_t)t->tv_sec * SECOND_NS + t->tv_nsec;
}

static void take(struct estimating *e, const struct walk_item *it)
{
	if (it->error || !S_ISREG(it->st.st_mode) || since(&it->st.st_ctim) < e->q->since_ns)
		return;
	e->walked += bytes_of(&it->st);
	if (e->walked < e->next)
		return;
	e->packed += (double)(e->walked - e->judged) * shrinks_to(e, it);
	e->judged = e->walked;
	e->next = e->walked + (e->walked / 16 > FIRST_STEP ? e->walked / 16 : FIRST_STEP);
}

static int walk_root(struct estimating *e, const char *root, const struct exclude *exclude)
{
	struct walk_options opt = {.cross_mounts = !e->q->dataset->one_file_system,
	    .exclude = exclude,
	    .scratch_dir = e->q->scratch_dir};
	struct walk_item it;
	struct walk *w;
	int r;

	if (walk_open(root, &opt, &w, NULL))
		return VOLUME_UNKNOWN;
	while (!(r = walk_next(w, &it, NULL))) {
		take(e, &it);
		if (++e->objects % ASK_EVERY == 0 && e->q->stop && e->q->stop(e->q->arg))
			break;
	}
	walk_close(w);
	return r == WALK_END ? 0 : VOLUME_UNKNOWN;
}

int volume_estimate(const struct volume_question *q, uint64_t *ret, struct err *err)
{
	const struct policy_dataset *d = q->dataset;
	struct estimating e = {.q = q, .frame = BUF_INIT(2 * PIECE)};
	struct exclude *exclude = exclude_new(d->exclude, d->n_exclude, d->paths, d->n_paths, err);
	int r = exclude ? 0 : -1;

	e.codec = codec_new();
	e.piece = malloc(PIECE);
	if (!r && (!e.codec || !e.piece))
		r = err_nomem(err);
	for (size_t i = 0; !r && i < d->n_paths; i++)
		r = walk_root(&e, d->paths[i], exclude);
	*ret = (uint64_t)e.packed + (e.walked - e.judged);
	exclude_free(exclude);
	codec_free(e.codec);
	buf_free(&e.frame);
	free(e.piece);
	return r;
}
