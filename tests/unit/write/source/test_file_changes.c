/* file_changes: with the cache a catalog is block by block what it is without, whatever has changed. */
#include <errno.h>
#include <stdbool.h>

#include "unit.h"
#include "lib/runs.h"

#include <archive.h>
#include <archive_entry.h>

#include "base/err.h"
#include "base/path.h"
#include "format/medium/catalog.h"
#include "write/index/file_cache.h"
#include "write/source/file_changes.h"
#include "write/source/walk.h"

#include "scratch.h"

#define REPO	"11111111-2222-3333-4444-555555555555"
#define NOW	((int64_t)1800000000 * 1000000000)
#define FILES	3000
#define ARCHIVE 77

/* ---- a tree in memory ---- */

struct node {
	char path[64];
	struct stat st;
	unsigned version; /* of its content: what its entry says */
	bool there, mount;
	int error;
};

static struct node tree[FILES];
static uint64_t random_state;

static unsigned rnd(unsigned n)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (unsigned)(random_state >> 20) % n;
}

static int by_path(const void *a, const void *b)
{
	return path_compare(((const struct node *)a)->path, ((const struct node *)b)->path);
}

static void make_tree(uint64_t seed)
{
	random_state = seed * 0x9e3779b97f4a7c15u + 99;
	memset(tree, 0, sizeof(tree));
	for (size_t i = 0; i < FILES; i++) {
		struct node *n = &tree[i];

		snprintf(n->path, sizeof(n->path), "srv/%02u/%05zu%.*s", rnd(40), i, (int)rnd(20),
		    "a name of some length");
		n->st.st_ino = i + 10;
		n->st.st_mode = i % 4 == 1 ? S_IFDIR | 0755 : S_IFREG | 0644;
		n->st.st_nlink = rnd(100) ? 1 : 2;
		n->st.st_size = (off_t)rnd(5000);
		n->st.st_mtim.tv_sec = 1700000000 + (long)rnd(1000);
		n->st.st_ctim.tv_sec = 1700000000 + (long)rnd(1000);
		n->there = rnd(10) != 0;
	}
	qsort(tree, FILES, sizeof(*tree), by_path);
}

static void touch(struct node *n)
{
	n->version++;
	n->st.st_size++;
	n->st.st_ctim.tv_nsec++;
}

/* One change among as many as that. */
static void change_tree(unsigned one_in)
{
	for (size_t i = 0; i < FILES; i++) {
		struct node *n = &tree[i];

		if (rnd(one_in))
			continue;
		switch (rnd(6)) {
		case 0:
		case 1:
			touch(n);
			break;
		case 2:
			n->there = !n->there;
			break;
		case 3: /* a whole stretch */
			for (size_t k = i, end = i + rnd(400); k < end && k < FILES; k++)
				tree[k].there = !tree[i].there;
			break;
		case 4:
			n->st.st_nlink = n->st.st_nlink == 1 ? 2 : 1;
			n->st.st_ctim.tv_nsec++;
			break;
		default:
			if (S_ISDIR(n->st.st_mode))
				n->mount = !n->mount;
			else
				n->error = n->error ? 0 : EIO;
		}
	}
}

/* ---- a run ---- */

struct run {
	struct catalog_writer *block;
	struct file_cache_writer *cache;
	struct buf bytes, all; /* of one block; of all, each with its number of entries in front */
	size_t blocks, referred, spliced, read, same;
};

static void block_ends(struct run *n, bool full)
{
	struct file_cache_archive in = {ARCHIVE, 1};
	size_t entries = catalog_writer_entries(n->block);
	struct err err = ERR_INIT;

	if (!entries)
		return;
	n->bytes.n = 0;
	if (catalog_writer_finish(n->block, &n->bytes, &err) ||
	    file_cache_end_block(n->cache, runs_of("77:1:0:5"), &in, full, n->bytes.p, n->bytes.n, &err))
		fail_msg("%s", err.msg);
	assert_int_equal(buf_printf(&n->all, NULL, "<%zu %zu>", entries, n->bytes.n), 0);
	assert_int_equal(buf_append(&n->all, n->bytes.p, n->bytes.n, NULL), 0);
	n->blocks++;
}

static void entry_added(struct run *n, const struct file_cache_entry *e)
{
	assert_int_equal(file_cache_add(n->cache, e, NULL), 0);
	if (catalog_writer_full(n->block))
		block_ends(n, true);
}

static void add_node(struct run *n, const struct node *node)
{
	static const struct file_cache_archive needs[2] = {{5, 1}, {6, 1}};
	unsigned flags = node->error ? CATALOG_UNREADABLE : 0;
	struct archive_entry *a = archive_entry_new();
	struct file_cache_entry e = {.path = node->path,
	    .archives = needs,
	    .n_archives = node->version % 3,
	    .file = S_ISREG(node->st.st_mode),
	    .linked = node->st.st_nlink > 1 && S_ISREG(node->st.st_mode)};
	struct err err = ERR_INIT;
	char extents[60];
	const char *runs;

	archive_entry_copy_pathname(a, node->path);
	archive_entry_set_mode(a, node->st.st_mode);
	archive_entry_set_mtime(a, node->st.st_mtim.tv_sec, 0);
	archive_entry_set_uid(a, node->version); /* all that changes changes the entry */
	archive_entry_set_gid(a, node->mount);
	snprintf(extents, sizeof(extents), "%zu 5:%u:0:%zu", (size_t)node->st.st_size + 1, node->version + 1,
	    (size_t)node->st.st_size + 1);
	runs = S_ISREG(node->st.st_mode) && !flags ? runs_of(extents) : NULL;
	if (catalog_writer_add(
		n->block, a, runs, runs ? strlen(runs) : 0, runs ? runs_sha256 : NULL, flags, &err))
		fail_msg("%s", err.msg);
	archive_entry_free(a);
	e.st = file_cache_stat_of(&node->st, flags, NOW);
	e.st.believed &= !node->mount;
	e.length = catalog_writer_last(n->block);
	entry_added(n, &e);
}

static void add_range(struct run *n, struct file_changes_range *r)
{
	const uint8_t *bytes;
	struct err err = ERR_INIT;

	if (r->whole && !catalog_writer_entries(n->block)) {
		bytes = file_cache_bytes(r->block);
		assert_non_null(bytes);
		assert_int_equal(file_cache_copy_block(n->cache, r->block, NULL), 0);
		n->referred++;
		/* how long it is stands at the end of its last entry */
		const struct file_cache_entry *last = file_cache_entry(r->block, r->to - 1);
		size_t len = last->offset + last->length + 1024;
		assert_int_equal(buf_printf(&n->all, NULL, "<%zu %zu>", r->to, len), 0);
		assert_int_equal(buf_append(&n->all, bytes, len, NULL), 0);
		n->blocks++;
	} else {
		for (size_t i = r->from; i < r->to; i++) {
			const struct file_cache_entry *e = file_cache_entry(r->block, i);

			bytes = file_cache_bytes(r->block);
			assert_non_null(bytes);
			if (catalog_writer_add_raw(n->block, e->path, bytes + e->offset, e->length, &err))
				fail_msg("%s", err.msg);
			n->spliced++;
			entry_added(n, e);
		}
	}
	file_cache_block_free(r->block);
}

static bool everything(void *arg, const struct file_cache_archive *a)
{
	(void)arg;
	(void)a;
	return true;
}

/* Captures the tree; with the cache of that name, or (fresh) without. `until`: stops there without commit. */
static void run_run(const char *dataset, bool fresh, size_t until, struct run *n)
{
	struct file_cache *cache = NULL;
	struct file_changes *m;
	struct file_changes_result r;

	memset(n, 0, sizeof(*n));
	buf_init(&n->bytes, CATALOG_BLOCK_MAX);
	buf_init(&n->all, (size_t)64 << 20);
	assert_int_equal(catalog_writer_new(&n->block, NULL), 0);
	if (!fresh)
		assert_int_equal(
		    file_cache_open(scratch_folder, REPO, dataset, everything, NULL, &cache, NULL), 0);
	assert_int_equal(file_cache_writer_open(scratch_folder, REPO, dataset, &n->cache, NULL), 0);
	assert_int_equal(file_changes_new(cache, &m, NULL), 0);
	for (size_t i = 0; i < until; i++) {
		const struct node *node = &tree[i];
		struct walk_item it = {
		    .path = node->path, .st = node->st, .mount = node->mount, .error = node->error};

		if (!node->there)
			continue;
		assert_int_equal(file_changes_item(m, &it, &r, NULL), 0);
		for (size_t k = 0; k < r.n_ranges; k++)
			add_range(n, &r.ranges[k]);
		if (r.kind == FILE_CHANGES_SAME) {
			const struct file_cache_entry *e = file_cache_entry(r.block, r.index);

			assert_string_equal(e->path, node->path);
			assert_true(file_cache_same(&e->st, &node->st));
			assert_true(e->linked || node->st.st_nlink > 1);
			n->same++;
		}
		file_cache_block_free(r.block);
		if (r.kind != FILE_CHANGES_CLEAN) {
			add_node(n, node);
			n->read++;
		}
	}
	assert_int_equal(file_changes_end(m, &r, NULL), 0);
	for (size_t k = 0; k < r.n_ranges; k++)
		add_range(n, &r.ranges[k]);
	file_changes_free(m);
	file_cache_close(cache);
	if (until == FILES)
		block_ends(n, false);
	catalog_writer_free(n->block);
	if (until == FILES)
		assert_int_equal(file_cache_writer_commit(n->cache, NULL), 0);
	else
		file_cache_writer_close(n->cache);
	buf_free(&n->bytes);
}

static void compare(uint64_t seed, struct run *with)
{
	struct run without;

	run_run("fresh", true, FILES, &without);
	assert_int_equal(with->blocks, without.blocks);
	if (with->all.n != without.all.n || memcmp(with->all.p, without.all.p, with->all.n) != 0)
		fail_msg("seed %ju: blocks made with the cache are others", (uintmax_t)seed);
	buf_free(&without.all);
	buf_free(&with->all);
}

static void blocks_do_not_depend_on_the_cache(void **state)
{
	static const unsigned rates[] = {3000, 1000, 300, 100, 30, 5, 2};
	size_t blocks = 0, referred = 0, spliced = 0, read = 0;
	(void)state;

	for (uint64_t seed = 0; seed < 12; seed++) {
		struct run n;

		make_tree(seed);
		assert_int_equal(sh("rm -f *"), 0);
		for (unsigned i = 0; i < 8; i++) {
			run_run("docs", false, FILES, &n);
			compare(seed, &n);
			if (i) {
				blocks += n.blocks;
				referred += n.referred;
				spliced += n.spliced;
				read += n.read;
			}
			change_tree(rates[(seed + i) % 7]);
			if (rnd(3) == 0) { /* a run that does not come to its end */
				run_run("docs", false, rnd(FILES), &n);
				buf_free(&n.all);
				change_tree(rates[(seed + i) % 7]);
			}
		}
	}
	print_message(
	    "%zu blocks, all as without cache: %zu referred to, %zu entries spliced, %zu made anew\n", blocks,
	    referred, spliced, read);
	assert_true(referred > 50 && spliced > 10000);
}

static void unchanged_costs_nothing(void **state)
{
	struct run n;
	(void)state;

	make_tree(1);
	for (size_t i = 0; i < FILES; i++)
		tree[i].st.st_nlink = 1;
	run_run("docs", false, FILES, &n);
	assert_true(n.read > FILES / 2 && !n.referred);
	buf_free(&n.all);
	run_run("docs", false, FILES, &n);
	assert_int_equal(n.read, 0);
	assert_int_equal(n.spliced, 0);
	assert_int_equal(n.referred, n.blocks); /* the last one too, which no cut had ended */
	compare(1, &n);
	/* something behind the last */
	for (size_t i = 0; i < FILES; i++)
		if (tree[i].there && i + 1 == FILES)
			tree[i].there = false;
	run_run("docs", false, FILES, &n);
	compare(1, &n);
	tree[FILES - 1].there = true;
	run_run("docs", false, FILES, &n);
	assert_int_equal(n.read, 1);
	assert_int_equal(n.referred, n.blocks - 1);
	compare(1, &n);
}

/* ---- what is known of what is not clean ---- */

static size_t gone_count;

static int count_gone(void *arg, const struct file_cache_entry *e)
{
	assert_true(e->file);
	assert_true(!*(const char *const *)arg || path_compare(*(const char *const *)arg, e->path) < 0);
	gone_count++;
	return 0;
}

static void gone_and_known_are_told(void **state)
{
	static const char *last;
	struct file_cache *cache = NULL;
	struct file_changes_result r;
	struct file_changes *m;
	size_t known = 0, expected_gone = 0, expected_known = 0;
	struct run n;
	(void)state;

	make_tree(7);
	run_run("docs", false, FILES, &n);
	buf_free(&n.all);
	for (unsigned disbelieve = 0; disbelieve < 2; disbelieve++) {
		assert_int_equal(
		    file_cache_open(scratch_folder, REPO, "docs", everything, NULL, &cache, NULL), 0);
		assert_true(file_cache_is_there(cache));
		assert_int_equal(file_changes_new(cache, &m, NULL), 0);
		file_changes_on_gone(m, count_gone, &last);
		if (disbelieve)
			file_changes_disbelieve(m);
		gone_count = known = expected_gone = expected_known = 0;
		for (size_t i = 0; i < FILES; i++) {
			struct node node = tree[i];
			struct walk_item it = {.path = node.path, .st = node.st};
			bool file = S_ISREG(node.st.st_mode) && node.there;

			if (i % 7 == 0 || i > FILES - 300) { /* the end of it too */
				expected_gone += file;
				continue;
			}
			if (!node.there)
				continue;
			if (i % 11 == 0)
				it.st.st_size++;
			assert_int_equal(file_changes_item(m, &it, &r, NULL), 0);
			if (r.kind != FILE_CHANGES_CLEAN) {
				assert_int_equal(r.known, file);
				if (r.known)
					assert_int_equal(r.was.ino, node.st.st_ino);
				known += r.known;
			}
			expected_known += file && (disbelieve || i % 11 == 0 || node.st.st_nlink > 1);
			for (size_t k = 0; k < r.n_ranges; k++)
				file_cache_block_free(r.ranges[k].block);
			file_cache_block_free(r.block);
			assert_true(!disbelieve || (r.kind == FILE_CHANGES_READ && !r.n_ranges));
		}
		assert_int_equal(file_changes_end(m, &r, NULL), 0);
		for (size_t k = 0; k < r.n_ranges; k++)
			file_cache_block_free(r.ranges[k].block);
		file_changes_free(m);
		file_cache_close(cache);
		assert_int_equal(gone_count, expected_gone);
		assert_int_equal(known, expected_known);
	}
}

static void sockets_and_the_nameless_root_are_passed_over(void **state)
{
	struct walk_item root = {.path = "", .st = {.st_mode = S_IFDIR | 0755}};
	struct walk_item sock = {.path = "srv/zzz", .st = {.st_mode = S_IFSOCK | 0755}};
	struct file_changes_result r;
	struct file_changes *m;
	(void)state;

	assert_int_equal(file_changes_new(NULL, &m, NULL), 0);
	assert_int_equal(file_changes_item(m, &root, &r, NULL), 0);
	assert_int_equal(r.n_ranges, 0);
	assert_int_equal(file_changes_item(m, &sock, &r, NULL), 0);
	assert_int_equal(r.n_ranges, 0);
	assert_int_equal(r.kind, FILE_CHANGES_READ);
	assert_int_equal(file_changes_end(m, &r, NULL), 0);
	assert_int_equal(r.n_ranges, 0);
	file_changes_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		blocks_do_not_depend_on_the_cache, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		unchanged_costs_nothing, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		gone_and_known_are_told, scratch_setup_open, scratch_teardown_open),
	    cmocka_unit_test_setup_teardown(
		sockets_and_the_nameless_root_are_passed_over, scratch_setup_open, scratch_teardown_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
