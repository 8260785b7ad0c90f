/* content: files, streams and texts come back byte for byte, holes as holes, whatever happens to them while
 * they are read. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "format/medium/chunker.h"
#include "format/medium/extent.h"
#include "packing.h"
#include "write/capture/content.h"
#include "write/source/queue.h"
#include "write/source/reader.h"

#define MIB ((size_t)1 << 20)

static const char *const one[] = {"a", NULL};
static struct packing k;
static struct chunker *chunker;
static struct content *content;
static struct queue *queue;

static int setup(void **state)
{
	static const uint8_t seed[CHUNKER_SEED] = {9};

	chunker = chunker_new(seed);
	return !chunker || packing_setup(state);
}

static int teardown(void **state)
{
	chunker_free(chunker);
	return scratch_teardown(state);
}

static int begin(void **state)
{
	(void)state;
	packing_begin(&k, one, "ix", 64 * MIB);
	return content_new(k.pack, chunker, &content, NULL) || queue_new(k.ids, 1, NULL, &queue, NULL);
}

static int end(void **state)
{
	(void)state;
	queue_free(queue);
	content_free(content);
	packing_end(&k);
	packing_forget();
	return 0;
}

/* What the producer of a feed is to read. */
struct job {
	int fd;
	const struct stat *st;
	reader_read_fn *read;
	void *arg;
};

static int produce(void *arg, struct queue *f, struct err *err)
{
	struct job *j = arg;

	(void)err;
	return j->read ? reader_stream(f, chunker, j->read, j->arg) : reader_file(f, chunker, j->fd, j->st);
}

/* Reads and stores as a capture does.  0 and the extents, READER_CHANGED too, READER_UNREADABLE, -1. */
static struct content_sha256 sha256; /* of what was taken last */

static int take_all(
    struct job *j, struct stat *st, struct buf *extents, uint64_t *size, int *errnum, struct err *err)
{
	struct queue_event *e;
	int r, result = -1;

	assert_int_equal(queue_start(queue, produce, j, err), 0);
	content_begin(content);
	while ((r = queue_next(queue, &e, err)) == 0 || r == QUEUE_IDLE) {
		if (r == QUEUE_IDLE)
			continue;
		if (e->kind != QUEUE_DONE) {
			assert_int_equal(content_take(content, queue, e, err), 0);
			continue;
		}
		result = e->result;
		*errnum = e->errnum;
		if (st)
			*st = e->st;
	}
	queue_stop(queue);
	assert_int_equal(r, QUEUE_END);
	if (result != READER_UNREADABLE)
		assert_int_equal(content_end(content, extents, size, &sha256, err), 0);
	return result;
}

static int take_file(int fd, struct stat *st, struct buf *extents, int *errnum, struct err *err)
{
	struct stat before = *st;
	struct job j = {.fd = fd, .st = &before};

	return take_all(&j, st, extents, NULL, errnum, err);
}

static int take_stream(
    reader_read_fn *read, void *arg, struct buf *extents, uint64_t *size, int *errnum, struct err *err)
{
	struct job j = {.read = read, .arg = arg};

	return take_all(&j, NULL, extents, size, errnum, err);
}

/* All that was expected is there. */
static void judge(void)
{
	struct err err = ERR_INIT;

	if (pack_finish(k.pack, &err))
		fail_msg("%s", err.msg);
	packing_judge("a");
}

static char *text_of(struct buf *b)
{
	assert_int_equal(buf_terminate(b, NULL), 0);
	return (char *)b->p;
}

/* Captures the file; its extents must resolve to what is in it now. */
static void capture(const char *name, struct buf *extents)
{
	int fd = open(in_scratch(name), O_RDONLY | O_CLOEXEC), errnum = 0;
	struct err err = ERR_INIT;
	BUF_AUTO now = BUF_INIT(64 * MIB);
	uint8_t want[DIGEST_LEN];
	struct stat st;

	assert_true(fd >= 0 && !fstat(fd, &st));
	if (take_file(fd, &st, extents, &errnum, &err))
		fail_msg("%s: %s %d", name, err.msg, errnum);
	close(fd);
	get_file(name, &now);
	packing_expect(text_of(extents), now.p, now.n);
	digest_sha256(now.p, now.n, want);
	assert_true(sha256.has);
	assert_memory_equal(sha256.of, want, DIGEST_LEN);
}

static void make_file(const char *name, size_t n, uint64_t seed)
{
	uint8_t *p = malloc(n + 1);

	noise(p, n, seed);
	put_file(name, p, n);
	free(p);
}

/* ---- files ---- */

static void sizes_at_every_boundary(void **state)
{
	static const size_t sizes[] = {0, 1, 262143, 262144, 262145, 4 * MIB - 1, 4 * MIB, 4 * MIB + 1,
	    8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 9 * MIB + 17};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++)
		for (int zeros = 0; zeros < 2; zeros++) {
			BUF_AUTO extents = BUF_INIT(MIB);
			char size[32];

			if (zeros)
				assert_int_equal(sh("head -c %zu /dev/zero >f", sizes[i]),
				    0); /* no content-defined cut in it */
			else
				make_file("f", sizes[i], i + 1);
			capture("f", &extents);
			snprintf(size, sizeof(size), "%zu", sizes[i]);
			assert_memory_equal(extents.p, size, strlen(size));
			assert_int_equal(
			    extent_check((char *)extents.p, extents.n, NULL, NULL, NULL, NULL), 0);
			if (!sizes[i])
				assert_string_equal((char *)extents.p, "0");
		}
	judge();
}

static void the_same_file_again_is_nothing_new(void **state)
{
	BUF_AUTO first = BUF_INIT(MIB);
	BUF_AUTO second = BUF_INIT(MIB);
	uint64_t stored;

	(void)state;
	make_file("f", 6 * MIB + 5, 1);
	make_file("g", 777, 2);
	capture("f", &first);
	capture("g", &first);
	stored = pack_new_bytes(k.pack);
	assert_int_equal(stored, 6 * MIB + 5 + 777);
	first.n = 0;
	capture("f", &first);
	assert_int_equal(sh("cp f h"), 0);
	capture("h", &second);
	capture("g", &second);
	assert_int_equal(pack_new_bytes(k.pack), stored);
	judge();
}

/* Wherever the descriptor stands. */
static void read_from_its_beginning(void **state)
{
	BUF_AUTO extents = BUF_INIT(MIB);
	uint8_t *p = malloc(MIB);
	struct stat st;
	int fd, errnum = 0;

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t n = i ? MIB : 1000;

		noise(p, n, 3);
		put_file("f", p, n);
		fd = open(in_scratch("f"), O_RDONLY);
		fstat(fd, &st);
		lseek(fd, 500, SEEK_SET);
		assert_int_equal(take_file(fd, &st, &extents, &errnum, NULL), 0);
		packing_expect(text_of(&extents), p, n);
		close(fd);
	}
	free(p);
	judge();
}

/* ---- holes ---- */

static size_t count_holes(const struct buf *extents)
{
	size_t n = 0;

	for (const char *p = (char *)extents->p; (p = strstr(p, " h:")); p++)
		n++;
	return n;
}

static void holes_stay_holes(void **state)
{
	static const struct {
		const char *make;
		size_t holes;
	} kinds[] = {
	    {"truncate -s 1000000 s", 1},
	    {"truncate -s 1 s", 1},
	    {"truncate -s 5G s", 1},
	    {"printf x | dd of=s bs=4096 seek=100 status=none", 1},
	    {"printf x >s; truncate -s 1000000 s", 1},
	    {"head -c 300000 /dev/urandom >s; truncate -s 600000 s; head -c 300000 /dev/urandom >>s", 1},
	    {"truncate -s 409600 s; head -c 5000 /dev/urandom >>s; truncate -s 900001 s", 2},
	    {"head -c 8192 /dev/zero >s; truncate -s 20000 s", 1},
	    {"printf x | dd of=s bs=4096 seek=10 status=none; printf y | dd of=s bs=4096 seek=50 "
	     "conv=notrunc status=none",
		2},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		BUF_AUTO extents = BUF_INIT(MIB);
		struct stat st;
		int fd, errnum = 0;

		assert_int_equal(sh("rm -f s; %s", kinds[i].make), 0);
		stat(in_scratch("s"), &st);
		if (st.st_size < (off_t)(100 * MIB)) {
			capture("s", &extents);
		} else {
			fd = open(in_scratch("s"), O_RDONLY);
			assert_int_equal(take_file(fd, &st, &extents, &errnum, NULL), 0);
			assert_string_equal(text_of(&extents), "5368709120 h:5368709120");
			close(fd);
		}
		if (count_holes(&extents) != kinds[i].holes)
			fail_msg("%s: %s", kinds[i].make, (char *)extents.p);
		assert_int_equal(extent_check((char *)extents.p, extents.n, NULL, NULL, NULL, NULL), 0);
	}
	judge();
}

/* A small part between holes is a slice of a chunk, as a small file is: a chunk of its own would cost a kilobyte and more. */
static void small_parts_between_holes_share_a_chunk(void **state)
{
	BUF_AUTO extents = BUF_INIT(MIB);
	struct extent_run run, first = {.kind = EXTENT_HOLE};
	size_t pos = 0, slices = 0, large = 0;
	uint64_t size;

	(void)state;
	assert_int_equal(sh("python3 -c 'import os\nf=open(\"s\",\"wb\")\nfor i in range(40):\n  "
			    "f.seek(i*1048576); f.write(os.urandom(300000 if i==20 else 4096))\n"
			    "f.truncate(41*1048576)'"),
	    0);
	capture("s", &extents);
	assert_int_equal(extent_parse_size((char *)extents.p, extents.n, &pos, &size, NULL), 0);
	while (!extent_parse_run((char *)extents.p, extents.n, &pos, &run, NULL)) {
		if (run.kind == EXTENT_HOLE)
			continue;
		if (run.length > 4096) {
			large += run.length;
			continue;
		}
		if (!slices++)
			first = run;
		assert_int_equal(run.archive, first.archive);
		assert_true(run.chunk <= first.chunk + 2); /* the large one lies between */
		assert_int_equal(run.length, 4096);
	}
	assert_int_equal(slices, 39);
	assert_int_equal(large, 303104); /* whole pages */
	judge();
}

/* Thousands of parts: the text of the extents is too long to stand in the entry, and goes behind an '@'. */
static void long_extents_stand_elsewhere(void **state)
{
	BUF_AUTO extents = BUF_INIT(MIB);
	bool indirect = false;
	uint64_t size = 0;

	(void)state;
	assert_int_equal(sh("python3 -c 'import os\nf=open(\"s\",\"wb\")\nfor i in range(4000):\n  "
			    "f.seek(i*8192); f.write(os.urandom(4096))\n"
			    "f.truncate(4000*8192)'"),
	    0);
	capture("s", &extents);
	assert_true(extents.n < EXTENT_INLINE_MAX);
	assert_non_null(strstr((char *)extents.p, " @"));
	assert_int_equal(extent_check((char *)extents.p, extents.n, &size, &indirect, NULL, NULL), 0);
	assert_true(indirect);
	assert_int_equal(size, 4000 * 8192);
	/* and the next file is as any other */
	make_file("f", 1000, 1);
	capture("f", &extents);
	assert_null(strstr((char *)extents.p, "@"));
	judge();
}

/* Just short of the limit, and just beyond it. */
static void extents_at_the_limit_of_their_length(void **state)
{
	static char parts[400000];
	bool direct_seen = false, indirect_seen = false;

	(void)state;
	for (int n = 300; n <= 500; n += 50) {
		BUF_AUTO extents = BUF_INIT(MIB);

		snprintf(parts, sizeof(parts),
		    "rm -f s; python3 -c 'f=open(\"s\",\"wb\")\nfor i in range(%d):\n  f.seek(i*8192); "
		    "f.write(b\"%%08d\"%%i*512)\n"
		    "f.truncate(%d*8192)'",
		    n, n);
		assert_int_equal(sh("%s", parts), 0);
		capture("s", &extents);
		assert_true(extents.n <= EXTENT_INLINE_MAX + 32);
		*(strchr((char *)extents.p, '@') ? &indirect_seen : &direct_seen) = true;
	}
	assert_true(direct_seen && indirect_seen);
	judge();
}

/* ---- files that change while they are read ---- */

/* It grew, shrank or was written over after the first look: read again, and as it is now. */
static void changed_once_it_is_read_again(void **state)
{
	static const char *const change[] = {"printf more >>f", "truncate -s 5000 f", ": >f",
	    "truncate -s 3M f", "printf X | dd of=f bs=1 seek=7 conv=notrunc status=none",
	    "touch -d '2001-01-01' f", "chmod 600 f"};

	(void)state;
	for (size_t i = 0; i < sizeof(change) / sizeof(*change); i++)
		for (int big = 0; big < 2; big++) {
			BUF_AUTO extents = BUF_INIT(MIB);
			BUF_AUTO now = BUF_INIT(16 * MIB);
			struct stat st, after;
			int fd, errnum = 0;

			make_file("f", big ? 2 * MIB : 100000, i + 1);
			fd = open(in_scratch("f"), O_RDONLY);
			fstat(fd, &st);
			usleep(5000); /* the kernel's clock for ctime is coarse */
			assert_int_equal(sh("%s", change[i]), 0);
			assert_int_equal(take_file(fd, &st, &extents, &errnum, NULL), 0);
			fstat(fd, &after);
			assert_int_equal(st.st_size, after.st_size);
			assert_int_equal(st.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
			get_file("f", &now);
			packing_expect(text_of(&extents), now.p, now.n);
			close(fd);
		}
	judge();
}

/* Somebody who never stops.  What is stored is a mixture, and is said to be, but it is a file of some length.
 */
static void changing_all_the_time_it_is_said(void **state)
{
	static const char *const who[] = {"while :; do printf x >>f; done",
	    "while :; do : >f; head -c 3000000 /dev/zero >f; done",
	    "while :; do truncate -s 100 f; truncate -s 9M f; printf abc >>f; done"};
	int said = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(who) / sizeof(*who); i++)
		for (int round = 0; round < 4; round++) {
			BUF_AUTO extents = BUF_INIT(MIB);
			struct stat st;
			int fd, errnum = 0, r;
			uint64_t size = 0;
			pid_t pid;

			make_file("f", 4 * MIB, i + 1);
			pid = fork();
			if (!pid) {
				if (chdir(scratch))
					_exit(1);
				execl("/bin/sh", "sh", "-c", who[i], (char *)NULL);
				_exit(1);
			}
			usleep(20000);
			fd = open(in_scratch("f"), O_RDONLY);
			fstat(fd, &st);
			r = take_file(fd, &st, &extents, &errnum, NULL);
			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
			close(fd);
			assert_true(r == 0 || r == READER_CHANGED);
			said += r == READER_CHANGED;
			assert_int_equal(
			    extent_check(text_of(&extents), extents.n, &size, NULL, NULL, NULL), 0);
			assert_true(size <= 10 * MIB);
		}
	assert_true(said > 0);
	judge();
}

static void what_cannot_be_read_is_said(void **state)
{
	BUF_AUTO extents = BUF_INIT(MIB);
	struct stat st;
	int fd, errnum = 0;

	(void)state;
	make_file("f", 1000, 1);
	fd = open(in_scratch("f"), O_WRONLY);
	fstat(fd, &st);
	assert_int_equal(take_file(fd, &st, &extents, &errnum, NULL), READER_UNREADABLE);
	assert_int_equal(errnum, EBADF);
	close(fd);
	errnum = 0;
	assert_int_equal(take_file(fd, &st, &extents, &errnum, NULL), READER_UNREADABLE);
	assert_int_equal(errnum, EBADF);
	fd = open(scratch, O_RDONLY | O_DIRECTORY);
	fstat(fd, &st);
	st.st_size = 4096;
	errnum = 0;
	assert_int_equal(take_file(fd, &st, &extents, &errnum, NULL), READER_UNREADABLE);
	assert_int_equal(errnum, EISDIR);
	close(fd);
	/* /proc/self/mem: large, and an I/O error at its very beginning */
	fd = open("/proc/self/mem", O_RDONLY);
	fstat(fd, &st);
	st.st_size = (off_t)MIB;
	st.st_ctim.tv_sec = 1; /* not changed just now, when it would be looked at again */
	errnum = 0;
	assert_int_equal(take_file(fd, &st, &extents, &errnum, NULL), READER_UNREADABLE);
	assert_int_equal(errnum, EIO);
	close(fd);
	assert_int_equal(extents.n, 0);
	assert_int_equal(pack_new_bytes(k.pack), 0);
	/* what follows is not touched by it */
	capture("f", &extents);
	judge();
}

/* ---- streams ---- */

struct giver {
	const uint8_t *p;
	size_t n, step, fail_at;
};

static ssize_t give(void *arg, void *p, size_t n)
{
	struct giver *g = arg;
	size_t take = n < g->step ? n : g->step;

	if (g->fail_at && g->n <= g->fail_at) {
		errno = ENODEV;
		return -1;
	}
	if (take > g->n)
		take = g->n;
	if (take)
		memcpy(p, g->p, take);
	g->p += take;
	g->n -= take;
	return (ssize_t)take;
}

/* The same chunks as the file, however it drips. */
static void streams_are_cut_like_files(void **state)
{
	static const size_t steps[] = {1u << 30, 65536, 4096 + 1, 9999991},
			    sizes[] = {0, 1, 262144, 262145, 6 * MIB + 3, 17 * MIB};
	uint8_t *p = malloc(17 * MIB);

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		BUF_AUTO first = BUF_INIT(MIB);
		uint64_t stored = 0;

		noise(p, sizes[i], i + 1);
		for (size_t s = 0; s < sizeof(steps) / sizeof(*steps); s++) {
			struct giver g = {p, sizes[i], steps[s], 0};
			BUF_AUTO extents = BUF_INIT(MIB);
			uint64_t size = 4711;
			int errnum = 0;

			assert_int_equal(take_stream(give, &g, &extents, &size, &errnum, NULL), 0);
			assert_int_equal(size, sizes[i]);
			if (s == 0) {
				packing_expect(text_of(&extents), p, sizes[i]);
				assert_int_equal(buf_append(&first, extents.p, extents.n, NULL), 0);
				stored = pack_new_bytes(k.pack);
			}
			assert_string_equal(text_of(&extents), text_of(&first));
			assert_int_equal(pack_new_bytes(k.pack), stored);
		}
		if (sizes[i] > PACK_SMALL_MAX) {
			BUF_AUTO extents = BUF_INIT(MIB);

			put_file("f", p, sizes[i]);
			capture("f", &extents);
			assert_string_equal(text_of(&extents), text_of(&first));
			assert_int_equal(pack_new_bytes(k.pack), stored);
		}
	}
	free(p);
	judge();
}

static void byte_by_byte(void **state)
{
	struct giver g = {NULL, 300000, 1, 0};
	BUF_AUTO extents = BUF_INIT(MIB);
	uint8_t *p = malloc(300000);
	uint64_t size = 0;
	int errnum = 0;

	(void)state;
	noise(p, 300000, 77);
	g.p = p;
	assert_int_equal(take_stream(give, &g, &extents, &size, &errnum, NULL), 0);
	packing_expect(text_of(&extents), p, 300000);
	free(p);
	judge();
}

static void a_stream_that_breaks_is_unreadable(void **state)
{
	static const size_t left[] = {1, 100, 3 * MIB, 10 * MIB};
	uint8_t *p = malloc(12 * MIB);

	(void)state;
	noise(p, 12 * MIB, 5);
	for (size_t i = 0; i < 4; i++) {
		struct giver g = {p, 12 * MIB, 100000, left[i]};
		BUF_AUTO extents = BUF_INIT(MIB);
		uint64_t size = 4711;
		int errnum = 0;

		assert_int_equal(take_stream(give, &g, &extents, &size, &errnum, NULL), READER_UNREADABLE);
		assert_int_equal(errnum, ENODEV);
		assert_int_equal(size, 4711);
		assert_int_equal(extents.n, 0);
	}
	{ /* and the next one is whole */
		struct giver g = {p, 12 * MIB, 100000, 0};
		BUF_AUTO extents = BUF_INIT(MIB);
		uint64_t size = 0;
		int errnum = 0;

		assert_int_equal(take_stream(give, &g, &extents, &size, &errnum, NULL), 0);
		packing_expect(text_of(&extents), p, 12 * MIB);
	}
	free(p);
	judge();
}

/* ---- texts ---- */

static void texts(void **state)
{
	static const size_t sizes[] = {1, 1000, 262145, 5 * MIB};
	BUF_AUTO extents = BUF_INIT(MIB);
	char *p = malloc(5 * MIB);

	(void)state;
	assert_int_equal(content_text(content, NULL, 0, &extents, NULL), 0);
	assert_string_equal(text_of(&extents), "0");
	memset(p, 'n', 5 * MIB);
	for (size_t i = 0; i < 4; i++) {
		noise(p, sizes[i], i);
		assert_int_equal(content_text(content, p, sizes[i], &extents, NULL), 0);
		packing_expect(text_of(&extents), p, sizes[i]);
	}
	free(p);
	judge();
}

int main(void)
{
#define EACH(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
	    EACH(sizes_at_every_boundary),
	    EACH(the_same_file_again_is_nothing_new),
	    EACH(read_from_its_beginning),
	    EACH(holes_stay_holes),
	    EACH(small_parts_between_holes_share_a_chunk),
	    EACH(long_extents_stand_elsewhere),
	    EACH(extents_at_the_limit_of_their_length),
	    EACH(changed_once_it_is_read_again),
	    EACH(changing_all_the_time_it_is_said),
	    EACH(what_cannot_be_read_is_said),
	    EACH(streams_are_cut_like_files),
	    EACH(byte_by_byte),
	    EACH(a_stream_that_breaks_is_unreadable),
	    EACH(texts),
	};

	cmocka_set_skip_filter(getenv("BKP_TEST_SKIP"));
	return cmocka_run_group_tests(tests, setup, teardown);
}
