/* arc_r for several threads: everyone gets the right bytes, faults reach all who ask, helpers change nothing.
 */
#include <string.h>

#include <pthread.h>

#include "unit.h"
#include "lib/fixture.h"
#include "read/vault/arc_r.h"
#include "read/vault/extent_r.h"

#define ARCHIVES 5
#define CHUNKS	 12
#define THREADS	 4
#define ROUNDS	 600

static struct fixture fx;
static char all[ARCHIVES * CHUNKS * 30000 + 1];

static size_t length(unsigned archive, unsigned chunk)
{
	return 1000 + (archive * 7919u + chunk * 104729u) % 29000;
}

static void fill(unsigned archive, unsigned chunk, uint8_t *p)
{
	uint32_t x = archive * 1000003u + chunk;
	size_t i, n = length(archive, chunk);

	for (i = 0; i < n; i++) {
		x = x * 1664525u + 1013904223u;
		p[i] = (uint8_t)(x >> 24);
	}
}

static int setup(void **state)
{
	uint8_t p[30000];
	(void)state;

	fixture_open(&fx);
	for (unsigned a = 0; a < ARCHIVES; a++) {
		fixture_archive(&fx, a + 1);
		for (unsigned c = 0; c < CHUNKS; c++) {
			fill(a + 1, c, p);
			fixture_chunk(&fx, p, length(a + 1, c));
		}
		fixture_seal(&fx);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fixture_close(&fx);
	return 0;
}

static void file_of(unsigned archive, char path[96])
{
	char in[ARCFILE_PATH];

	snprintf(path, 96, "%s", arcfile_path(fx.table[archive - 1].sha256, in));
}

struct reader {
	struct arc_r *a;
	unsigned seed, wrong, failed, bad_archive;
	char code[16];
	bool helped;
};

static void *read_some(void *arg)
{
	struct reader *r = arg;
	uint8_t want[30000];
	unsigned x = r->seed;

	for (int i = 0; i < ROUNDS; i++) {
		const struct arc_r_chunk *c;
		struct err err = ERR_INIT;
		unsigned archive, chunk;

		x = x * 1103515245u + 12345u;
		archive = 1 + (x >> 16) % ARCHIVES;
		chunk = (x >> 8) % CHUNKS;
		if (r->helped)
			arc_r_want(r->a, archive, (chunk + 1) % CHUNKS);
		if (arc_r_get(r->a, archive, chunk, &c, &err)) {
			r->failed++;
			r->bad_archive |= 1u << archive;
			memcpy(r->code, err.code, sizeof(r->code));
			continue;
		}
		fill(archive, chunk, want);
		r->wrong += c->n != length(archive, chunk) || memcmp(c->p, want, c->n) != 0;
		arc_r_put(r->a, c);
	}
	return NULL;
}

/* Four threads at once, cache and open archives far too few for them. */
static void read_by_many(struct reader *r, bool helped)
{
	struct arc_r_options opt = {.max_open = 2, .cache_bytes = 100000};
	pthread_t id[THREADS];
	struct err err = ERR_INIT;
	struct arc_r *a = NULL;
	unsigned i;

	assert_int_equal(arc_r_new(&fx.store, &fx.root, &fx.id, 1, &opt, &a, &err), 0);
	if (helped)
		arc_r_helpers(a, 3);
	for (i = 0; i < THREADS; i++) {
		r[i] = (struct reader){.a = a, .seed = i * 77 + 1, .helped = helped};
		assert_int_equal(pthread_create(&id[i], NULL, read_some, &r[i]), 0);
	}
	for (i = 0; i < THREADS; i++)
		pthread_join(id[i], NULL);
	arc_r_alone(a);
	arc_r_free(a);
}

static void many_threads_read_the_right_bytes(void **state)
{
	struct reader r[THREADS];
	(void)state;

	for (int helped = 0; helped < 2; helped++) {
		read_by_many(r, helped);
		for (unsigned i = 0; i < THREADS; i++) {
			assert_int_equal(r[i].wrong, 0);
			assert_int_equal(r[i].failed, 0);
		}
	}
}

static void a_missing_archive_is_named_to_all(void **state)
{
	struct reader r[THREADS];
	char path[96];
	(void)state;

	file_of(3, path);
	assert_int_equal(renameat(fx.dir, path, fx.dir, "away"), 0);
	for (int helped = 0; helped < 2; helped++) {
		read_by_many(r, helped);
		for (unsigned i = 0; i < THREADS; i++) {
			assert_int_equal(r[i].wrong, 0);
			assert_true(r[i].failed > 50);
			assert_int_equal(r[i].bad_archive, 1u << 3);
			assert_string_equal(r[i].code, "E-ARCHIVE-12");
		}
	}
	assert_int_equal(renameat(fx.dir, "away", fx.dir, path), 0);
}

/* In the first chunk of one archive: all others can be had, by all. */
static void a_damaged_chunk_costs_nothing_but_itself(void **state)
{
	struct reader r[THREADS];
	char path[96], byte;
	int fd;
	(void)state;

	file_of(2, path);
	fd = openat(fx.dir, path, O_RDWR);
	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, 900), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 900), 1);
	read_by_many(r, true);
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(r[i].wrong, 0);
		assert_int_equal(r[i].bad_archive, 1u << 2);
	}
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, 900), 1);
	close(fd);
}

static int gather(void *arg, uint64_t at, const void *p, uint64_t n, struct err *err)
{
	(void)arg;
	(void)err;
	assert_true(p && at + n < sizeof(all));
	memcpy(all + at, p, n);
	return 0;
}

/* A file over all archives, read with helpers: the same bytes, and no chunk may get lost on the way. */
static void a_long_file_is_read_ahead(void **state)
{
	struct err err = ERR_INIT;
	struct arc_r *a = NULL;
	char text_[600];
	uint8_t want[30000];
	uint64_t size = 0, at = 0;
	size_t n = 0;
	(void)state;

	for (unsigned k = 1; k <= ARCHIVES; k++)
		for (unsigned c = 0; c < CHUNKS; c++)
			size += length(k, c);
	n = (size_t)snprintf(text_, sizeof(text_), "%ju", (uintmax_t)size);
	for (unsigned k = 1; k <= ARCHIVES; k++) {
		uint64_t part = 0;

		for (unsigned c = 0; c < CHUNKS; c++)
			part += length(k, c);
		n += (size_t)snprintf(text_ + n, sizeof(text_) - n, " %u:0:0:%ju", k, (uintmax_t)part);
	}
	assert_int_equal(arc_r_new(&fx.store, &fx.root, &fx.id, 1, NULL, &a, &err), 0);
	arc_r_helpers(a, 3);
	if (extent_r_each(a, fixture_runs(&fx, text_), strlen(fixture_runs(&fx, text_)), gather, NULL, &err))
		fail_msg("%s %s", err.code, err.msg);
	arc_r_free(a);
	for (unsigned k = 1; k <= ARCHIVES; k++)
		for (unsigned c = 0; c < CHUNKS; c++) {
			fill(k, c, want);
			assert_memory_equal(all + at, want, length(k, c));
			at += length(k, c);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(many_threads_read_the_right_bytes),
	    cmocka_unit_test(a_missing_archive_is_named_to_all),
	    cmocka_unit_test(a_damaged_chunk_costs_nothing_but_itself),
	    cmocka_unit_test(a_long_file_is_read_ahead),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
