/* file_cache: what was written comes back, and nothing else does, whatever becomes of the file. */
#include <errno.h>
#include <stdbool.h>
#include <time.h>

#include "unit.h"
#include "base/err.h"
#include "base/path.h"
#include "write/index/file_cache.h"

#include "scratch.h"

#define REPO	   "11111111-2222-3333-4444-555555555555"
#define NOW	   ((int64_t)1800000000 * 1000000000)
#define PER_BLOCK  7
#define ENTRY_SIZE 1536

/* ---- entries by their number ---- */

static struct file_cache_archive lists[4][300];

static void make_entry(size_t i, unsigned version, char path[400], struct file_cache_entry *e)
{
	static const int64_t odd[] = {INT64_MIN, -1, 0, 1, INT64_MAX - 999};
	size_t k = i * 2654435761u >> 7 & 3;

	for (size_t a = 0; a < 300; a++)
		lists[k][a] = (struct file_cache_archive){k * 1000 + a + 1, version};
	snprintf(path, 400, "srv/%05zu/%06zu%.*s\n\xff", i / 50, i, (int)(i % 3 * 90),
	    "a long name which is the same over and over, as long names are, and which is cut somewhere");
	*e = (struct file_cache_entry){
	    .path = path,
	    .st = {i % 13 ? 1000 + i : UINT64_MAX - i, i * 77, NOW - (int64_t)i * 1000003, NOW - (int64_t)i,
		i % 4 ? 0100644 : 040755, i % 5 != 0},
	    .length = ENTRY_SIZE + i % 3 * 512,
	    .archives = lists[k],
	    .n_archives = i % 4 == 0	 ? 0
			  : i % 101 == 0 ? 300
					 : k,
	    .bytes = i % 7 ? i * 77 : i,
	    .file = i % 4,
	    .linked = i % 11 == 0,
	    .profile = {(uint8_t)(i % 100), (uint16_t)(i * 37)},
	};
	if (i < 5)
		e->st.mtime_ns = odd[i];
}

static void make_bytes(size_t i, unsigned version, uint8_t *p, size_t n)
{
	memset(p, (int)(i * 31 + version), n);
	memcpy(p, &i, sizeof(i));
}

static void write_block(struct file_cache_writer *w, size_t number, unsigned version)
{
	BUF_AUTO bytes = BUF_INIT((size_t)1 << 20);
	struct file_cache_archive in = {900 + number / 10, version};
	struct file_cache_entry e;
	struct err err = ERR_INIT;
	uint8_t one[4096];
	char path[400], place[60];

	for (size_t i = number * PER_BLOCK; i < (number + 1) * PER_BLOCK; i++) {
		make_entry(i, version, path, &e);
		make_bytes(i, version, one, e.length);
		assert_int_equal(buf_append(&bytes, one, e.length, NULL), 0);
		if (file_cache_add(w, &e, &err))
			fail_msg("%s", err.msg);
	}
	memset(one, 0, 1024);
	assert_int_equal(buf_append(&bytes, one, 1024, NULL), 0);
	snprintf(place, sizeof(place), "%zu:%zu:0:%zu", 900 + number / 10, number, bytes.n);
	if (file_cache_end_block(w, place, &in, number % 2, bytes.p, bytes.n, &err))
		fail_msg("%s", err.msg);
}

static void write_cache(size_t from, size_t to, unsigned version)
{
	struct file_cache_writer *w;

	assert_int_equal(file_cache_writer_open(scratch_folder, REPO, "docs", &w, NULL), 0);
	for (size_t i = from; i < to; i++)
		write_block(w, i, version);
	assert_int_equal(file_cache_writer_commit(w, NULL), 0);
}

static bool everything(void *arg, const struct file_cache_archive *a)
{
	(void)arg;
	(void)a;
	return true;
}

static bool same_entry(const struct file_cache_entry *a, const struct file_cache_entry *b)
{
	return !strcmp(a->path, b->path) && a->st.ino == b->st.ino && a->st.size == b->st.size &&
	       a->st.mtime_ns == b->st.mtime_ns && a->st.ctime_ns == b->st.ctime_ns &&
	       a->st.mode == b->st.mode && a->st.believed == b->st.believed && a->length == b->length &&
	       a->n_archives == b->n_archives &&
	       (!a->n_archives || !memcmp(a->archives, b->archives, a->n_archives * sizeof(*a->archives))) &&
	       a->bytes == b->bytes && a->file == b->file && a->linked == b->linked &&
	       a->profile.kind == b->profile.kind && a->profile.inside == b->profile.inside;
}

/* Is it what was written by that version?  A damaged body may be missing, but not another. */
static void check_entry(struct file_cache_block *b, size_t i, unsigned version)
{
	const struct file_cache_entry *got = file_cache_entry(b, i);
	const uint8_t *bytes = file_cache_bytes(b);
	struct file_cache_entry want;
	char path[400];
	uint8_t one[4096];
	size_t number;

	assert_int_equal(sscanf(got->path, "srv/%*u/%6zu", &number), 1);
	make_entry(number, version, path, &want);
	if (!same_entry(got, &want))
		fail_msg("entry %zu is another", number);
	make_bytes(number, version, one, want.length);
	if (bytes)
		assert_memory_equal(bytes + got->offset, one, want.length);
}

/* Reads all; the number of entries.  version 0: of either 1 or 2, 1 up to entry `border`. */
static size_t read_cache(const char *repository, const char *dataset, unsigned version, size_t *ret_blocks)
{
	struct file_cache *s;
	struct file_cache_block *b;
	size_t entries = 0, blocks = 0;
	char last[400] = "";
	int r;

	assert_int_equal(file_cache_open(scratch_folder, repository, dataset, everything, NULL, &s, NULL), 0);
	while (!(r = file_cache_next(s, &b, NULL))) {
		assert_true(file_cache_entries(b) > 0);
		for (size_t i = 0; i < file_cache_entries(b); i++) {
			assert_true(path_compare(last, file_cache_entry(b, i)->path) < 0);
			snprintf(last, sizeof(last), "%s", file_cache_entry(b, i)->path);
			if (version)
				check_entry(b, i, version);
			entries++;
		}
		blocks++;
		file_cache_block_free(b);
	}
	assert_int_equal(r, FILE_CACHE_END);
	file_cache_close(s);
	if (ret_blocks)
		*ret_blocks = blocks;
	return entries;
}

static void what_is_written_comes_back(void **state)
{
	struct file_cache *s;
	struct file_cache_block *b;
	size_t n, blocks;
	(void)state;

	assert_int_equal(read_cache(REPO, "docs", 1, NULL), 0); /* nothing there yet */
	write_cache(0, 500, 1);
	assert_int_equal(read_cache(REPO, "docs", 1, &blocks), 500 * PER_BLOCK);
	assert_int_equal(blocks, 500);
	assert_int_equal(file_cache_open(scratch_folder, REPO, "docs", everything, NULL, &s, NULL), 0);
	for (size_t i = 0; i < 500; i++) {
		char place[60];

		assert_int_equal(file_cache_next(s, &b, NULL), 0);
		snprintf(place, sizeof(place), "%zu:%zu:0:", 900 + i / 10, i);
		assert_int_equal(strncmp(file_cache_place(b), place, strlen(place)), 0);
		assert_int_equal(file_cache_full(b), i % 2);
		assert_true(file_cache_whole(b));
		assert_non_null(file_cache_bytes(b));
		bool own = false;
		const struct file_cache_archive *a = file_cache_archives(b, &n);
		for (size_t k = 0; k < n; k++) {
			own |= a[k].number == 900 + i / 10 && a[k].run == 1;
			for (size_t j = 0; j < k; j++)
				assert_true(a[j].number != a[k].number);
		}
		assert_true(own);
		if (i == 499)
			file_cache_close(s);
		assert_int_equal(
		    file_cache_entries(file_cache_block_ref(b)), PER_BLOCK); /* outlives the reader */
		file_cache_block_free(b);
		check_entry(b, 3, 1);
		file_cache_block_free(b);
	}
}

static void of_another_it_is_empty(void **state)
{
	(void)state;
	write_cache(0, 5, 1);
	assert_int_equal(read_cache("11111111-2222-3333-4444-555555555556", "docs", 1, NULL), 0);
	assert_int_equal(sh("cp docs.cache other.cache"), 0);
	assert_int_equal(read_cache(REPO, "other", 1, NULL), 0);
	assert_int_equal(
	    sh("mkdir dir.cache; ln -s docs.cache link.cache; mkfifo fifo.cache; : >void.cache"), 0);
	assert_int_equal(read_cache(REPO, "dir", 1, NULL), 0);
	assert_int_equal(read_cache(REPO, "link", 1, NULL), 0);
	assert_int_equal(read_cache(REPO, "fifo", 1, NULL), 0);
	assert_int_equal(read_cache(REPO, "void", 1, NULL), 0);
	assert_int_equal(
	    sh("sed -i '1s/bkp-statcache 4/bkp-statcache 3/' docs.cache"), 0); /* of an earlier version */
	assert_int_equal(read_cache(REPO, "docs", 1, NULL), 0);
	write_cache(0, 5, 2); /* and is begun anew */
	assert_int_equal(read_cache(REPO, "docs", 2, NULL), 35);
}

static void flipped_anywhere_nothing_is_wrong(void **state)
{
	BUF_AUTO good = BUF_INIT((size_t)1 << 20);
	static const uint8_t flips[] = {1, 0x80, 0xff};
	size_t most = 0, least = SIZE_MAX, sum = 0;
	(void)state;

	write_cache(0, 6, 1);
	get_file("docs.cache", &good);
	for (size_t at = 0; at < good.n; at++) {
		for (size_t f = 0; f < sizeof(flips); f++) {
			size_t n;

			good.p[at] ^= flips[f];
			put_file("docs.cache", good.p, good.n);
			good.p[at] ^= flips[f];
			n = read_cache(REPO, "docs", 1, NULL);
			if (at >= 64) { /* behind the header a flip costs one block at most */
				assert_true(n >= 5 * PER_BLOCK);
				least = n < least ? n : least;
			}
			most = n > most ? n : most;
			sum++;
		}
	}
	assert_int_equal(most, 6 * PER_BLOCK); /* bodies are looked at only when they are asked for */
	print_message("%zu flips in %zu bytes: no wrong entry, one block of six lost at most\n", sum, good.n);
}

static void cut_anywhere_the_rest_is_right(void **state)
{
	BUF_AUTO good = BUF_INIT((size_t)1 << 20);
	size_t last = 0;
	(void)state;

	write_cache(0, 6, 1);
	get_file("docs.cache", &good);
	for (size_t n = 0; n <= good.n; n++) {
		size_t got;

		put_file(n % 2 ? "docs.cache" : "docs.cache.part", good.p, n);
		assert_int_equal(
		    unlinkat(scratch_folder, n % 2 ? "docs.cache.part" : "docs.cache", 0) && errno != ENOENT,
		    0);
		got = read_cache(REPO, "docs", 1, NULL);
		assert_true(got >= last && got % PER_BLOCK == 0);
		last = got;
	}
	assert_int_equal(last, 6 * PER_BLOCK);
}

/* Kills a writer of version 2 after some blocks. */
static size_t killed_writer(size_t blocks)
{
	int status, fds[2];
	pid_t child;
	char c;

	assert_int_equal(pipe(fds), 0);
	fflush(stdout);
	child = fork();
	if (!child) {
		struct file_cache_writer *w;

		in_child();
		if (file_cache_writer_open(scratch_folder, REPO, "docs", &w, NULL))
			_exit(1);
		for (size_t i = 0; i < blocks; i++)
			write_block(w, i, 2);
		(void)!write(fds[1], "x", 1);
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &c, 1), 1);
	close(fds[0]);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	return 0;
}

/* Entries of version 2 come first, then those of version 1; the count of the former. */
static size_t count_versions(size_t want)
{
	struct file_cache *s;
	struct file_cache_block *b;
	size_t second = 0, n = 0;
	bool first_seen = false;

	assert_int_equal(file_cache_open(scratch_folder, REPO, "docs", everything, NULL, &s, NULL), 0);
	while (!file_cache_next(s, &b, NULL)) {
		size_t k;
		unsigned version = (unsigned)file_cache_archives(b, &k)->run;

		first_seen |= version == 1;
		assert_true(version == 1 || !first_seen);
		for (size_t i = 0; i < file_cache_entries(b); i++)
			check_entry(b, i, version);
		second += version == 2 ? file_cache_entries(b) : 0;
		n += file_cache_entries(b);
		file_cache_block_free(b);
	}
	file_cache_close(s);
	assert_int_equal(n, want);
	return second;
}

static void what_a_killed_run_had_done_counts(void **state)
{
	const size_t blocks = 8000;
	size_t second;
	(void)state;

	write_cache(0, blocks, 1);
	killed_writer(blocks / 2);
	assert_int_equal(sh("test -s docs.cache.part"), 0);
	second = count_versions(blocks * PER_BLOCK);
	print_message("killed after %zu entries: %zu found\n", blocks / 2 * PER_BLOCK, second);
	assert_true(second > 0 && second <= blocks / 2 * PER_BLOCK);
	assert_int_equal(sh("test ! -e docs.cache.part"), 0);
	assert_int_equal(count_versions(blocks * PER_BLOCK), second); /* and stays */
	/* with nothing complete before it */
	assert_int_equal(sh("rm docs.cache"), 0);
	killed_writer(blocks / 2);
	second = count_versions(second);
	assert_true(second > 0);
	/* the complete file of another salt */
	assert_int_equal(sh("rm docs.cache"), 0);
	killed_writer(blocks / 2);
	assert_int_equal(sh("mv docs.cache.part keep"), 0);
	write_cache(0, blocks, 1);
	assert_int_equal(sh("mv keep docs.cache.part"), 0);
	assert_int_equal(count_versions(blocks * PER_BLOCK), second);
}

static void stopped_without_commit_stays(void **state)
{
	struct file_cache_writer *w;
	(void)state;

	write_cache(0, 20, 1);
	assert_int_equal(file_cache_writer_open(scratch_folder, REPO, "docs", &w, NULL), 0);
	for (size_t i = 0; i < 5; i++)
		write_block(w, i, 2);
	file_cache_writer_close(w);
	assert_int_equal(count_versions(20 * PER_BLOCK), 5 * PER_BLOCK);
}

static bool not_seven(void *arg, const struct file_cache_archive *a)
{
	(void)arg;
	return a->number != 2001 && a->run == 1;
}

static bool not_nine_hundred(void *arg, const struct file_cache_archive *a)
{
	(void)arg;
	return a->number != 900;
}

static bool other_run(void *arg, const struct file_cache_archive *a)
{
	(void)arg;
	return a->run == 2;
}

static void only_what_is_there_is_believed(void **state)
{
	static file_cache_available_fn *const fns[] = {not_seven, not_nine_hundred, other_run};
	size_t believed[3] = {0, 0, 0}, whole[3] = {0, 0, 0};
	struct file_cache *s;
	struct file_cache_block *b;
	(void)state;

	write_cache(0, 100, 1);
	for (size_t f = 0; f < 3; f++) {
		assert_int_equal(file_cache_open(scratch_folder, REPO, "docs", fns[f], NULL, &s, NULL), 0);
		while (!file_cache_next(s, &b, NULL)) {
			bool all = true;

			whole[f] += file_cache_whole(b);
			for (size_t i = 0; i < file_cache_entries(b); i++) {
				const struct file_cache_entry *e = file_cache_entry(b, i);
				bool there = true;

				for (size_t k = 0; k < e->n_archives; k++)
					there &= fns[f](NULL, &e->archives[k]);
				assert_true(there || !e->st.believed);
				all &= there;
				believed[f] += e->st.believed;
			}
			assert_true(all || !file_cache_whole(b));
			file_cache_block_free(b);
		}
		file_cache_close(s);
	}
	assert_true(believed[0] > 100 && believed[0] < 560 && whole[0] < 50);
	assert_int_equal(believed[1], 560); /* the entries are as good, only the block must be stored anew */
	assert_int_equal(whole[1], 90);
	assert_true(believed[2] < believed[0] && !whole[2]); /* a number given out again is another archive */
}

static void a_run_without_change_writes_nothing(void **state)
{
	struct file_cache_writer *w;
	struct file_cache *s;
	struct file_cache_block *b;
	struct stat before, after;
	size_t i = 0;
	(void)state;

	write_cache(0, 50, 1);
	for (int changed = 0; changed < 2; changed++) {
		assert_int_equal(fstatat(scratch_folder, "docs.cache", &before, 0), 0);
		assert_int_equal(
		    file_cache_open(scratch_folder, REPO, "docs", everything, NULL, &s, NULL), 0);
		assert_int_equal(file_cache_writer_open(scratch_folder, REPO, "docs", &w, NULL), 0);
		for (i = 0; !file_cache_next(s, &b, NULL); i++) {
			if (changed && i == 30)
				write_block(w, 30, 1);
			else
				assert_int_equal(file_cache_copy_block(w, b, NULL), 0);
			file_cache_block_free(b);
			if (changed && i == 40)
				break; /* the rest has vanished */
		}
		file_cache_close(s);
		assert_int_equal(file_cache_writer_commit(w, NULL), 0);
		assert_int_equal(fstatat(scratch_folder, "docs.cache", &after, 0), 0);
		assert_int_equal(
		    before.st_ino == after.st_ino && before.st_ctim.tv_nsec == after.st_ctim.tv_nsec,
		    !changed);
	}
	assert_int_equal(read_cache(REPO, "docs", 1, NULL), 41 * PER_BLOCK);
	/* nothing at all is left */
	assert_int_equal(file_cache_writer_open(scratch_folder, REPO, "docs", &w, NULL), 0);
	assert_int_equal(file_cache_writer_commit(w, NULL), 0);
	assert_int_equal(read_cache(REPO, "docs", 1, NULL), 0);
}

static void a_record_within_a_file_is_none(void **state)
{
	BUF_AUTO forged = BUF_INIT((size_t)1 << 20);
	BUF_AUTO file = BUF_INIT((size_t)1 << 20);
	struct file_cache_archive in = {1, 1};
	struct file_cache_writer *w;
	struct file_cache_entry e;
	char path[400];
	(void)state;

	write_cache(0, 1, 2);
	get_file("docs.cache", &forged);
	assert_int_equal(sh("rm docs.cache"), 0);
	/* the bytes of an entry hold a file that we would write; then the record around it is damaged */
	assert_int_equal(file_cache_writer_open(scratch_folder, REPO, "docs", &w, NULL), 0);
	make_entry(0, 1, path, &e);
	e.length = forged.n;
	assert_int_equal(file_cache_add(w, &e, NULL), 0);
	assert_int_equal(file_cache_end_block(w, "1:2:3:4", &in, true, forged.p, forged.n, NULL), 0);
	assert_int_equal(file_cache_writer_commit(w, NULL), 0);
	get_file("docs.cache", &file);
	file.p[64 + 9] ^= 1;
	put_file("docs.cache", file.p, file.n);
	assert_int_equal(read_cache(REPO, "docs", 1, NULL), 0);
}

static void young_times_are_not_believed(void **state)
{
	const int64_t margin = FILE_CACHE_MARGIN_NS, s = 1000000000;
	const struct {
		int64_t ctime, mtime;
		unsigned flags;
		bool want;
	} cases[] = {
	    {NOW - margin - 1, NOW - margin - 1, 0, true},
	    {NOW - margin, NOW - 900 * s, 0, false},
	    {NOW - 1, NOW - 900 * s, 0, false},
	    {NOW + 500 * s, NOW - 900 * s, 0, false}, /* the clock was wrong */
	    {NOW - 900 * s, NOW - 1, 0, false},	      /* where ctime says nothing */
	    {NOW - 900 * s, NOW + 500 * s, 0, true},  /* set by somebody */
	    {NOW - 900 * s, -5 * s, 0, true},
	    {NOW - 900 * s, NOW - 900 * s, 1, false},
	    {NOW - 900 * s, NOW - 900 * s, 4, false},
	};
	struct stat st = {.st_mode = S_IFREG | 0644, .st_ino = 5, .st_size = 7};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct file_cache_stat c;
		struct stat other;

		st.st_ctim = (struct timespec){cases[i].ctime / s, cases[i].ctime % s};
		st.st_mtim = (struct timespec){cases[i].mtime / s, cases[i].mtime % s};
		c = file_cache_stat_of(&st, cases[i].flags, NOW);
		assert_int_equal(c.believed, cases[i].want);
		assert_int_equal(file_cache_same(&c, &st), cases[i].want);
		for (int k = 0; k < 5; k++) {
			other = st;
			other.st_ino += k == 0;
			other.st_size += k == 1;
			other.st_mode ^= k == 2;
			other.st_mtim.tv_nsec += k == 3;
			other.st_ctim.tv_nsec += k == 4;
			assert_false(file_cache_same(&c, &other));
		}
	}
}

static void a_full_disk_is_said(void **state)
{
	struct file_cache_writer *w;
	struct err err = ERR_INIT;
	struct file_cache_entry e;
	char path[400];
	int readonly;
	(void)state;

	write_cache(0, 5, 1);
	readonly = open("/proc/self", O_RDONLY | O_DIRECTORY);
	assert_int_equal(file_cache_writer_open(readonly, REPO, "docs", &w, &err), 0);
	make_entry(0, 1, path, &e);
	assert_int_equal(file_cache_add(w, &e, &err), -1);
	assert_string_equal(err.code, "E-STATCACHE-01");
	assert_int_equal(file_cache_add(w, &e, &err), -1);
	assert_int_equal(file_cache_writer_commit(w, &err), -1);
	close(readonly);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void speed_and_size(void **state)
{
	const size_t blocks = 3000;
	struct file_cache *s;
	struct file_cache_block *b;
	struct stat st;
	size_t n = 0;
	double t[3];
	(void)state;

	t[0] = seconds();
	write_cache(0, blocks, 1);
	t[1] = seconds();
	assert_int_equal(file_cache_open(scratch_folder, REPO, "docs", everything, NULL, &s, NULL), 0);
	while (!file_cache_next(s, &b, NULL)) {
		n += file_cache_entries(b);
		file_cache_block_free(b);
	}
	file_cache_close(s);
	t[2] = seconds();
	assert_int_equal(fstatat(scratch_folder, "docs.cache", &st, 0), 0);
	print_message("%zu entries in blocks of %d: %.0f bytes each, written at %.0f/s, read at %.0f/s\n", n,
	    PER_BLOCK, (double)st.st_size / (double)n, (double)n / (t[1] - t[0]), (double)n / (t[2] - t[1]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		what_is_written_comes_back, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		of_another_it_is_empty, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		flipped_anywhere_nothing_is_wrong, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		cut_anywhere_the_rest_is_right, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		what_a_killed_run_had_done_counts, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		stopped_without_commit_stays, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		only_what_is_there_is_believed, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		a_run_without_change_writes_nothing, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		a_record_within_a_file_is_none, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		young_times_are_not_believed, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(a_full_disk_is_said, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(speed_and_size, scratch_setup_open, scratch_teardown_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
