/* Parity: a thousand archives with random losses are mended as long as no column lost more than it has parity left, and not one more is
 * said to be; sha256 decides, and a mender in Python that was written from docs/format.md.  Devices that give EIO, hostile heads, media that
 * have different halves, and a process that is ended: the file is the old one or a whole one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include <zlib.h>

#include "scratch.h"
#include "vaultdir.h"
#include "base/err.h"
#include "base/le.h"
#include "format/medium/arcfile.h"
#include "format/parity/parity.h"
#include "read/store/store_dir.h"
#include "read/verify/verify.h"
#include "write/pack/vault_w.h"
#include "write/parity/parity_make.h"
#include "write/parity/parity_mend.h"
#include "write/parity/parity_plan.h"
#include "write/parity/parity_watch.h"

#define SET  "emr"
#define PATH 256
#define MIB  ((size_t)1 << 20)

/* An archive and its parity, as they were. */
struct pair {
	uint8_t *archive, *par;
	size_t size, par_size;
	uint8_t sha256[DIGEST_LEN];
	struct parity_shape shape;
	char archive_path[PATH], par_path[PATH];
};

static struct pair pair_of(size_t size, unsigned percent, uint64_t seed)
{
	struct pair p = {.size = size};
	struct parity_make *m;
	char name[ARCFILE_PATH];

	p.archive = malloc(size);
	noise(p.archive, size, seed);
	digest_sha256(p.archive, size, p.sha256);
	parity_shape_of(p.sha256, size, percent, &p.shape);
	p.par_size = (size_t)parity_file_bytes(&p.shape);
	p.par = malloc(p.par_size);
	m = parity_make_new(&p.shape);
	assert_non_null(m);
	/* in pieces of any length */
	for (size_t at = 0, n; at < size; at += n) {
		n = (at * 7 + seed * 13) % 9973 + 1;
		n = n > size - at ? size - at : n;
		parity_make_bytes(m, p.archive + at, n);
	}
	memcpy(p.par, parity_make_file(m), p.par_size);
	parity_make_free(m);
	snprintf(p.archive_path, PATH, "datasets/" SET "/%s", arcfile_path(p.sha256, name));
	parity_path(SET, p.sha256, p.par_path);
	return p;
}

static void pair_free(struct pair *p)
{
	free(p->archive);
	free(p->par);
}

static void put_at(const char *medium, const char *path, const void *p, size_t n)
{
	char whole[2 * PATH];

	snprintf(whole, sizeof(whole), "%s/%s", medium, path);
	for (char *slash = strchr(whole, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(in_scratch(whole), 0755);
		*slash = '/';
	}
	put_file(whole, p, n);
}

static void drop(const char *medium, const char *path)
{
	char whole[2 * PATH];

	snprintf(whole, sizeof(whole), "%s/%s", medium, path);
	assert_int_equal(unlink(in_scratch(whole)), 0);
}

static struct store folder(const char *name)
{
	struct store s = {0};

	assert_int_equal(sh("mkdir -p %s", name), 0);
	assert_int_equal(store_dir_open(in_scratch(name), &s, NULL), 0);
	return s;
}

/* ---- how it is laid out ---- */

static void a_share_is_kept_and_spread(void **state)
{
	static const unsigned shares[] = {1, 5, 7, 10, 25, 50};
	const uint8_t sha256[DIGEST_LEN] = {1};
	struct parity_shape s;

	(void)state;
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++)
		for (uint64_t size = 1; size < (UINT64_C(2) << 30); size = size * 17 / 9 + 1) {
			parity_shape_of(sha256, size, shares[i], &s);
			assert_in_range(s.k, 1, PARITY_ROWS_MAX - s.m);
			assert_in_range(s.m, 2, 17);
			assert_true(s.m * 100 >= s.k * shares[i]);
			assert_true((uint64_t)s.k * s.columns >= parity_data_blocks(&s));
			assert_true((uint64_t)(s.k - 1) * s.columns < parity_data_blocks(&s));
			/* the share, two blocks or a row more at most, and the head */
			if (size > 64 * MIB)
				assert_true(parity_file_bytes(&s) < size * (shares[i] + 2) / 100);
		}
	/* what is promised of an archive of the usual size: a run of 1 MiB, wherever it begins, leaves most of each column's parity */
	parity_shape_of(sha256, 128 * MIB, 5, &s);
	assert_true(s.m * s.columns - 1 >= 6 * MIB / PARITY_BLOCK);
	assert_true((1 * MIB / PARITY_BLOCK + 1 + s.columns - 1) / s.columns <= 2);
	assert_int_equal(s.m, 10);
}

/* ---- a thousand archives ---- */

/* What was done to one, told apart from what is looked at: by comparing bytes. */
struct damaged {
	uint8_t *archive, *par;
	size_t size, par_size;
};

static size_t below(size_t n)
{
	return (size_t)(((uint64_t)rand() << 31 | (uint64_t)rand()) % n);
}

static void spoil(uint8_t *p, size_t size, size_t at, size_t n)
{
	for (size_t i = at; i < at + n && i < size; i++)
		p[i] ^= (uint8_t)(1 + below(255));
}

static void spoil_somehow(struct damaged *d, const struct pair *p, unsigned how)
{
	const size_t budget = (size_t)p->shape.m * p->shape.columns * PARITY_BLOCK;
	const size_t sums_at = (size_t)parity_sum_at(&p->shape, 0);
	const size_t sums = (size_t)parity_sum_blocks(&p->shape) * PARITY_BLOCK;

	if (how & 1) { /* a run */
		const size_t n = below(budget * 4 / 5) + 1;

		spoil(d->archive, d->size, below(d->size), n);
	}
	if (how & 2) /* sectors of 512 bytes, bits */
		for (size_t i = below(budget / PARITY_BLOCK + 2) / (1 + below(8)) + 1; i--;)
			spoil(d->archive, d->size, below(d->size), below(2) ? 512 : 1);
	if (how & 4) /* the end is gone */
		d->size -= below(budget / 2 + 1) % d->size;
	if (how & 8) /* its parity, too */
		for (size_t i = below(4) + 1; i--;)
			spoil(d->par, sums_at + sums, sums_at + below(sums), below(3 * PARITY_BLOCK) + 1);
	if (how & 16) /* the first head */
		spoil(d->par, sums_at, below(sums_at), below(sums_at) + 1);
	if (how & 32) /* and the end of its parity */
		d->par_size -= below(d->par_size - sums_at - sums + 1);
}

static bool differs(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, size_t at)
{
	const size_t n = b_size - at < PARITY_BLOCK ? b_size - at : PARITY_BLOCK;

	return at + n > a_size || memcmp(a + at, b + at, n) != 0;
}

/* May it be mended?  And is anything of it lost? */
static bool is_within(const struct damaged *d, const struct pair *p, bool *ret_any)
{
	bool within = true;

	*ret_any = false;
	for (uint32_t c = 0; c < p->shape.columns; c++) {
		unsigned lost = 0, left = 0;

		for (uint32_t r = 0; r < p->shape.k; r++) {
			const size_t at = ((size_t)r * p->shape.columns + c) * PARITY_BLOCK;

			lost += at < p->size && differs(d->archive, d->size, p->archive, p->size, at);
		}
		for (uint32_t r = 0; r < p->shape.m; r++)
			left += !differs(d->par, d->par_size, p->par, p->par_size,
			    (size_t)parity_sum_at(&p->shape, (uint64_t)r * p->shape.columns + c));
		within &= lost <= left;
		*ret_any |= lost > 0;
	}
	return within;
}

static int collect(void *arg, const void *p, size_t n, struct err *err)
{
	return buf_append(arg, p, n, err);
}

static void all_within_are_mended_and_none_beyond(void **state)
{
	struct store repo = folder("m");
	const struct store *repos[] = {&repo};
	unsigned mended = 0, lost = 0, whole = 0;

	(void)state;
	srand(20261123);
	for (unsigned i = 0; i < 1000; i++) {
		const size_t size = i % 3 ? below(400000) + 1 : below(20000) + 1;
		struct pair p = pair_of(size, (unsigned)(i % 5 ? 5 : 1 + below(50)), i);
		struct damaged d = {malloc(p.size), malloc(p.par_size), p.size, p.par_size};
		BUF_AUTO out = BUF_INIT(MIB);
		struct parity_plan *plan = NULL;
		struct err err = ERR_INIT;
		bool within, any;
		int r;

		memcpy(d.archive, p.archive, p.size);
		memcpy(d.par, p.par, p.par_size);
		/* of both heads seldom */
		spoil_somehow(&d, &p, (unsigned)(1 + below(15)) | (i % 4 ? 0 : 16) | (i % 7 ? 0 : 32));
		within = is_within(&d, &p, &any);
		put_at("m", p.archive_path, d.archive, d.size);
		put_at("m", p.par_path, d.par, d.par_size);
		r = parity_plan_new(repos, 1, SET, p.sha256, &plan, &err);
		if (r) { /* both heads are gone */
			assert_int_equal(r, PARITY_NONE);
			assert_true(memcmp(d.par, p.par, PARITY_BLOCK) != 0 && d.par_size < p.par_size);
		} else {
			assert_int_equal(parity_plan_mendable(plan), within);
			assert_int_equal(parity_plan_lost(plan) != 0, any);
			if (within) {
				assert_int_equal(parity_plan_write(plan, collect, &out, &err), 0);
				assert_int_equal(out.n, p.size);
				assert_memory_equal(out.p, p.archive, p.size);
			}
			mended += within && any;
			whole += within && !any;
			lost += !within;
			parity_plan_free(plan);
		}
		drop("m", p.archive_path);
		drop("m", p.par_path);
		free(d.archive);
		free(d.par);
		pair_free(&p);
	}
	printf("    1000 archives: %u mended, %u lost, %u whole\n", mended, lost, whole);
	assert_in_range(mended, 400, 900);
	assert_in_range(lost, 100, 600);
	store_close(&repo);
}

/* ---- another mender ---- */

static void a_stranger_mends_what_was_written(void **state)
{
	static const size_t sizes[] = {1, 4095, 4096, 4097, 70001, 900000, 3000000};
	char hex[DIGEST_HEX];

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		struct pair p = pair_of(sizes[i], 5, i + 1);
		const size_t run = (size_t)(p.shape.m * p.shape.columns - 1) * PARITY_BLOCK;

		put_file("par", p.par, p.par_size);
		spoil(p.archive, p.size, p.size / 3, run > PARITY_BLOCK ? run : 1);
		put_file("archive", p.archive, p.size);
		assert_int_equal(sh("python3 " TEST_DATA "/lib/mend_parity.py archive par %s >mended && "
				    "echo '%s  mended' | sha256sum -c --quiet",
				     digest_hex(p.sha256, DIGEST_LEN, hex), hex),
		    0);
		/* one block more than there is parity for */
		spoil(p.par, p.par_size, (size_t)parity_sum_at(&p.shape, 0),
		    (size_t)parity_sum_blocks(&p.shape) * PARITY_BLOCK);
		put_file("par", p.par, p.par_size);
		assert_int_equal(
		    sh("python3 " TEST_DATA "/lib/mend_parity.py archive par %s >mended 2>/dev/null", hex),
		    1);
		pair_free(&p);
	}
}

/* ---- on a medium ---- */

static struct vault_w *vault_of(struct store *s)
{
	struct vault_w *v = NULL;

	assert_int_equal(vault_w_open(s, &v, NULL), 0);
	return v;
}

static void is_file(const char *medium, const char *path, const uint8_t *p, size_t n)
{
	BUF_AUTO b = BUF_INIT(64 * MIB);
	char whole[2 * PATH];

	snprintf(whole, sizeof(whole), "%s/%s", medium, path);
	get_file(whole, &b);
	assert_int_equal(b.n, n);
	assert_memory_equal(b.p, p, n);
}

static void what_is_lost_stays_as_it_is(void **state)
{
	struct store repo = folder("stays");
	const struct store *repos[] = {&repo};
	struct pair p = pair_of(300000, 5, 7);
	struct vault_w *v = vault_of(&repo);
	uint8_t *was = malloc(p.size);
	struct err err = ERR_INIT;

	(void)state;
	memcpy(was, p.archive, p.size);
	put_at("stays", p.par_path, p.par, p.par_size);
	spoil(p.archive, p.size, 0, (p.shape.m + 1) * PARITY_BLOCK);
	put_at("stays", p.archive_path, p.archive, p.size);
	assert_int_equal(parity_mend(v, repos, 1, SET, p.sha256, &err), PARITY_LOST);
	assert_string_equal(err.code, "E-PARITY-04");
	is_file("stays", p.archive_path, p.archive, p.size);
	/* a little less */
	memcpy(p.archive, was, 2 * PARITY_BLOCK);
	put_at("stays", p.archive_path, p.archive, p.size);
	assert_int_equal(parity_mend(v, repos, 1, SET, p.sha256, &err), 0);
	is_file("stays", p.archive_path, was, p.size);
	assert_int_equal(
	    sh("[ $(stat -c %%a stays/%s) = 444 ] && [ -z \"$(ls stays/tmp)\" ]", p.archive_path), 0);
	/* there is none */
	memset(p.sha256, 9, DIGEST_LEN);
	assert_int_equal(parity_mend(v, repos, 1, SET, p.sha256, &err), PARITY_LOST);
	assert_string_equal(err.code, "E-PARITY-02");
	vault_w_close(v);
	store_close(&repo);
	free(was);
	pair_free(&p);
}

/* Neither medium's copy can be mended by itself; and one's parity is gone. */
static void two_halves_make_a_whole(void **state)
{
	struct store a = folder("a"), b = folder("b");
	const struct store *repos[] = {&a, &b};
	struct pair p = pair_of(2 * MIB, 5, 11);
	struct vault_w *v = vault_of(&a);
	uint8_t *other = malloc(p.size), *was = malloc(p.size);
	struct err err = ERR_INIT;

	(void)state;
	memcpy(was, p.archive, p.size);
	memcpy(other, p.archive, p.size);
	spoil(p.archive, p.size, 0, MIB);
	spoil(other, p.size, MIB - 10 * PARITY_BLOCK, MIB);
	put_at("a", p.archive_path, p.archive, p.size);
	put_at("b", p.archive_path, other, p.size);
	put_at("b", p.par_path, p.par, p.par_size);
	assert_int_equal(parity_mend(v, repos, 1, SET, p.sha256, &err), PARITY_LOST);
	assert_int_equal(parity_mend(v, repos, 2, SET, p.sha256, &err), 0);
	is_file("a", p.archive_path, was, p.size);
	is_file("b", p.archive_path, other, p.size);
	vault_w_close(v);
	store_close(&a);
	store_close(&b);
	free(other);
	free(was);
	pair_free(&p);
}

/* ---- a device with bad sectors ---- */

static struct {
	int64_t at, n;
} bad[3];

static ssize_t read_some_bad(struct store_file *f, void *p, size_t n, int64_t offset)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (bad[i].n && offset < bad[i].at + bad[i].n && offset + (int64_t)n > bad[i].at) {
			errno = EIO;
			return -1;
		}
	return store_dir.read_some(f, p, n, offset);
}

static struct store_kind sick_kind;

static int open_sick(const struct store *s, const char *path, struct store_file *ret, struct err *err)
{
	int r = store_dir.open(s, path, ret, err);

	ret->kind = r ? ret->kind : &sick_kind;
	return r;
}

static void a_sector_that_gives_eio_is_a_lost_block(void **state)
{
	struct store repo = folder("eio"), sick = repo;
	const struct store *repos[] = {&sick};
	struct pair p = pair_of(MIB + 5000, 5, 13);
	BUF_AUTO out = BUF_INIT(4 * MIB);
	struct parity_plan *plan = NULL;
	struct err err = ERR_INIT;

	(void)state;
	sick_kind = store_dir;
	sick_kind.open = open_sick;
	sick_kind.read_some = read_some_bad;
	sick.kind = &sick_kind;
	put_at("eio", p.archive_path, p.archive, p.size);
	put_at("eio", p.par_path, p.par, p.par_size);
	bad[0].at = 3 * PARITY_BLOCK + 512;
	bad[0].n = 512;
	bad[1].at = 100 * PARITY_BLOCK;
	bad[1].n = 4 * PARITY_BLOCK;
	bad[2].at = (int64_t)MIB + 4096;
	bad[2].n = 100;
	assert_int_equal(parity_plan_new(repos, 1, SET, p.sha256, &plan, &err), 0);
	assert_true(parity_plan_mendable(plan));
	assert_int_equal(parity_plan_lost(plan), 6);
	assert_int_equal(parity_plan_write(plan, collect, &out, &err), 0);
	assert_int_equal(out.n, p.size);
	assert_memory_equal(out.p, p.archive, p.size);
	parity_plan_free(plan);
	memset(bad, 0, sizeof(bad));
	store_close(&repo);
	pair_free(&p);
}

/* ---- made while it is read ---- */

static void what_is_read_whole_gets_it(void **state)
{
	struct store repo = folder("watched");
	struct pair p = pair_of(700000, 5, 17);
	struct parity_watch *w = parity_watch_new(&repo, 5), *none = parity_watch_new(&repo, 0);
	uint64_t bytes;

	(void)state;
	assert_null(parity_watch_hook(none));
	put_at("watched", p.archive_path, p.archive, p.size);
	/* twice: what is as it should be is not written again; a third time, damaged */
	for (unsigned i = 0; i < 3; i++) {
		if (i == 2)
			assert_int_equal(
			    sh("printf x | dd of=watched/%s bs=1 seek=9000 conv=notrunc 2>/dev/null",
				p.par_path),
			    0);
		assert_int_equal(
		    verify_file_watched(&repo, p.archive_path, p.sha256, parity_watch_hook(w), &bytes, NULL),
		    0);
		is_file("watched", p.par_path, p.par, p.par_size);
		assert_int_equal(parity_watch_written(w, NULL), i < 2 ? 1 : 2);
	}
	/* of what is damaged none is made: it would mend the damage into it */
	assert_int_equal(sh("rm watched/%s", p.par_path), 0);
	spoil(p.archive, p.size, 5, 1);
	put_at("watched", p.archive_path, p.archive, p.size);
	assert_int_equal(
	    verify_file_watched(&repo, p.archive_path, p.sha256, parity_watch_hook(w), &bytes, NULL),
	    VERIFY_WRONG);
	assert_false(store_has(&repo, p.par_path));
	parity_watch_free(w);
	parity_watch_free(none);
	store_close(&repo);
	pair_free(&p);
}

/* ---- hostile heads ---- */

static void sign_page(uint8_t *page)
{
	le_put(page + PARITY_BLOCK - 4, crc32(0, page, PARITY_BLOCK - 4), 4);
}

static void impossible_shapes_are_refused(void **state)
{
	/* offset, bytes, value */
	static const struct {
		int at, n;
		uint64_t v;
	} edits[] = {{48, 8, 0}, {48, 8, UINT64_MAX}, {48, 8, UINT64_C(1) << 40}, {56, 4, 512}, {60, 4, 0},
	    {60, 4, 254}, {60, 4, UINT32_MAX}, {64, 4, 0}, {64, 4, 255}, {64, 4, UINT32_MAX}, {68, 4, 0},
	    {68, 4, UINT32_MAX}, {68, 4, 1}, {16, 1, 77}, {0, 1, 'B'}};
	struct pair p = pair_of(2 * MIB, 5, 19);
	struct parity_shape s;
	uint8_t page[PARITY_BLOCK];

	(void)state;
	memcpy(page, p.par, sizeof(page));
	sign_page(page);
	assert_int_equal(parity_head_parse(page, p.sha256, &s, NULL), 0);
	for (size_t i = 0; i < sizeof(edits) / sizeof(*edits); i++) {
		struct err err = ERR_INIT;

		memcpy(page, p.par, sizeof(page));
		le_put(page + edits[i].at, edits[i].v, edits[i].n);
		sign_page(page);
		assert_int_equal(parity_head_parse(page, p.sha256, &s, &err), -1);
		assert_string_equal(err.code, "E-PARITY-01");
	}
	pair_free(&p);
}

/* A head that lies well: CRCs of other bytes, signed by nobody.  It makes mending fail, and nothing else. */
static void a_lying_head_mends_nothing(void **state)
{
	struct store repo = folder("lies");
	const struct store *repos[] = {&repo};
	struct pair p = pair_of(200000, 5, 23), q = pair_of(200000, 5, 24);
	struct vault_w *v = vault_of(&repo);
	struct err err = ERR_INIT;

	(void)state;
	memcpy(q.par + 16, p.sha256, DIGEST_LEN);
	sign_page(q.par);
	put_at("lies", p.par_path, q.par, q.par_size);
	spoil(p.archive, p.size, 0, 1);
	put_at("lies", p.archive_path, p.archive, p.size);
	assert_int_equal(parity_mend(v, repos, 1, SET, p.sha256, &err), PARITY_LOST);
	/* the blocks of the other archive, and a head that says they are this one's */
	put_at("lies", p.archive_path, q.archive, q.size);
	assert_int_equal(parity_mend(v, repos, 1, SET, p.sha256, &err), PARITY_LOST);
	assert_string_equal(err.code, "E-PARITY-03");
	is_file("lies", p.archive_path, q.archive, q.size);
	vault_w_close(v);
	store_close(&repo);
	pair_free(&p);
	pair_free(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_share_is_kept_and_spread),
	    cmocka_unit_test(all_within_are_mended_and_none_beyond),
	    cmocka_unit_test(a_stranger_mends_what_was_written),
	    cmocka_unit_test(what_is_lost_stays_as_it_is),
	    cmocka_unit_test(two_halves_make_a_whole),
	    cmocka_unit_test(a_sector_that_gives_eio_is_a_lost_block),
	    cmocka_unit_test(what_is_read_whole_gets_it),
	    cmocka_unit_test(impossible_shapes_are_refused),
	    cmocka_unit_test(a_lying_head_mends_nothing),
	};

	return cmocka_run_group_tests(tests, scratch_setup_memory, scratch_teardown);
}
