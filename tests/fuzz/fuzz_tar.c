/* A tar stream as a hostile host may send it: from tarsource over the feed and entrysort into catalog blocks.
 * What comes out must be what the headers promise: entry paths, in order, that a catalog takes and its reader
 * reads. */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <fcntl.h>

#include <archive_entry.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "format/medium/catalog.h"
#include "format/crypto/digest.h"
#include "format/medium/extent.h"
#include "format/medium/chunker.h"
#include "write/source/entrysort.h"
#include "write/source/queue.h"
#include "write/source/tarsource.h"
#include "mend.h"

#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x))                                                                                    \
			abort();                                                                             \
	} while (0)

static char scratch[64];
static int scratch_fd;
static struct queue *queue;
static struct hmac *ids;
static struct chunker *chunker;

static void leave(void)
{
	rmdir(strcat(scratch, "/names"));
	scratch[strlen(scratch) - 6] = '\0';
	rmdir(strcat(scratch, "/links"));
	scratch[strlen(scratch) - 6] = '\0';
	rmdir(scratch);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const uint8_t key[32] = {1}, seed[CHUNKER_SEED] = {1};

	(void)argc;
	(void)argv;
	snprintf(scratch, sizeof(scratch), "/dev/shm/bkp-fuzz.XXXXXX");
	if (!mkdtemp(scratch)) {
		snprintf(scratch, sizeof(scratch), "/tmp/bkp-fuzz.XXXXXX");
		MUST(mkdtemp(scratch));
	}
	atexit(leave);
	scratch_fd = open(scratch, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ids = hmac_new(key, sizeof(key));
	chunker = chunker_new(seed);
	MUST(scratch_fd >= 0 && chunker && ids && !queue_new(ids, 0, NULL, &queue, NULL));
	return 0;
}

/* ---- what comes ---- */

struct stream {
	const uint8_t *p;
	size_t n, step;
};

static ssize_t give(void *arg, void *p, size_t n)
{
	struct stream *s = arg;

	n = n < s->step ? n : s->step;
	n = n < s->n ? n : s->n;
	memcpy(p, s->p, n);
	s->p += n;
	s->n -= n;
	return (ssize_t)n;
}

struct taken {
	struct entrysort *sort;
	struct archive_entry *entry; /* whose content comes; its path is in `path` */
	struct buf path, runs, text;
	struct extent_writer extents;
	uint64_t bytes, holes;
	uint32_t chunk;
};

static void add(struct taken *t, struct archive_entry *e, const char *path, bool content)
{
	struct err err = ERR_INIT;
	static const uint8_t sha256[DIGEST_LEN];
	int r = entrysort_add(t->sort, path, e, content ? (const char *)t->text.p : NULL,
	    content ? t->text.n : 0, content && t->holes <= EXTENT_HOLES_MAX ? sha256 : NULL, 0, &err);

	MUST(r == 0 || r == ENTRYSORT_STRIPPED);
}

static void take_item(struct taken *t, const struct queue_item *it)
{
	const char *path = queue_path(queue), *link;
	struct err err = ERR_INIT;
	int r;

	if (!it->entry) {
		MUST(it->error && !it->content);
		return;
	}
	link = archive_entry_hardlink(it->entry);
	MUST(path_is_entry(path) && strlen(path) < TARSOURCE_NAME_MAX);
	MUST(!link || (path_is_entry(link) && !it->content));
	MUST(it->content == (!link && archive_entry_filetype(it->entry) == AE_IFREG));
	if (link) {
		r = entrysort_link(t->sort, path, link, &err);
		MUST(r == 0 || r == ENTRYSORT_ABSENT);
	} else if (!it->content) {
		add(t, it->entry, path, false);
	} else {
		MUST(!t->path.n);
		t->entry = queue_keep_entry(queue, t->entry);
		MUST(!buf_append(&t->path, path, strlen(path) + 1, NULL));
		t->runs.n = t->holes = 0;
		extent_begin(&t->extents);
	}
}

static void run_of(struct taken *t, enum extent_kind kind, uint64_t length)
{
	struct extent_run run = {kind, 0, kind == EXTENT_DATA ? t->chunk++ : 0, 0, length, {0}};

	MUST(t->path.n && length);
	t->holes += kind == EXTENT_HOLE ? length : 0;
	MUST(!extent_add(&t->extents, &run, true, &t->runs, NULL));
}

static void take(struct taken *t, const struct queue_event *e)
{
	if (e->kind == QUEUE_ITEM) {
		MUST(!t->path.n);
		take_item(t, &e->item);
	} else if (e->kind == QUEUE_CHUNK || e->kind == QUEUE_SMALL_DATA) {
		run_of(t, EXTENT_DATA, e->n);
		t->bytes += e->n;
	} else if (e->kind == QUEUE_HOLE) {
		run_of(t, EXTENT_HOLE, e->length);
	} else {
		MUST(e->kind == QUEUE_DONE && t->path.n);
		t->text.n = 0;
		MUST(!extent_end(&t->extents, &t->runs, NULL));
		MUST(t->extents.size <= (uint64_t)TARSOURCE_SIZE_MAX);
		MUST(!buf_printf(&t->text, NULL, "%llu", (unsigned long long)t->extents.size));
		MUST(!buf_append(&t->text, t->runs.p, t->runs.n, NULL));
		add(t, t->entry, (const char *)t->path.p, true);
		t->path.n = 0;
	}
}

/* ---- what is made of it ---- */

static void end_block(struct catalog_writer *w)
{
	BUF_AUTO block = BUF_INIT(CATALOG_BLOCK_MAX);
	struct err err = ERR_INIT;

	MUST(!catalog_writer_finish(w, &block, &err)); /* it reads back what it wrote */
}

static void make_catalog(struct entrysort *s)
{
	BUF_AUTO last = BUF_INIT((size_t)1 << 20);
	struct catalog_writer *w = NULL;
	struct entrysort_item it;
	struct err err = ERR_INIT;
	int r;

	MUST(!catalog_writer_new(&w, &err) && !entrysort_sort(s, &err));
	while ((r = entrysort_next(s, &it, &err)) != ENTRYSORT_END) {
		if (r == ENTRYSORT_TWICE || r == ENTRYSORT_BELOW)
			continue;
		MUST(!r && path_is_entry(it.path));
		MUST(!last.n || path_compare((const char *)last.p, it.path) < 0);
		last.n = 0;
		MUST(!buf_append(&last, it.path, strlen(it.path) + 1, NULL));
		archive_entry_copy_pathname(it.entry, it.path);
		r = catalog_writer_add(w, it.entry, it.extents, it.extents_len, it.sha256, it.flags, &err);
		if (r == CATALOG_TOO_LARGE) { /* as capture does: without its attributes there is room */
			archive_entry_xattr_clear(it.entry);
			archive_entry_acl_clear(it.entry);
			r = catalog_writer_add(
			    w, it.entry, it.extents, it.extents_len, it.sha256, it.flags, &err);
		}
		MUST(!r);
		if (catalog_writer_full(w))
			end_block(w);
	}
	if (catalog_writer_entries(w))
		end_block(w);
	catalog_writer_free(w);
}

static void stream(const uint8_t *p, size_t n, size_t step)
{
	struct stream in = {p, n, step};
	struct tarsource source = {.chunker = chunker, .read = give, .arg = &in};
	struct taken t = {.entry = archive_entry_new()};
	struct queue_event *e;
	struct err err = ERR_INIT;
	int r;

	buf_init(&t.path, TARSOURCE_NAME_MAX);
	buf_init(&t.runs, (size_t)256 << 20);
	buf_init(&t.text, (size_t)256 << 20);
	MUST(t.entry && !entrysort_new(scratch_fd, scratch, &t.sort, &err));
	MUST(!queue_start(queue, tarsource_run, &source, &err));
	while ((r = queue_next(queue, &e, &err)) == 0 || r == QUEUE_IDLE)
		if (!r)
			take(&t, e);
	MUST(r == QUEUE_END);
	queue_stop(queue);
	MUST(t.bytes <= n && !source.errnum);
	if (source.why.code[0])
		MUST(!strncmp(source.why.code, "E-TAR-", 6) && source.why.msg[0]);
	else
		MUST(!t.path.n && source.ended && source.total == n && n >= 1024);
	make_catalog(t.sort);
	entrysort_free(t.sort);
	archive_entry_free(t.entry);
	buf_free(&t.path);
	buf_free(&t.runs);
	buf_free(&t.text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	size_t whole = (n + 511) / 512 * 512 + 1024;
	uint8_t *copy = calloc(1, whole);

	MUST(copy);
	memcpy(copy, data, n);
	if (n % 512) { /* as it is: cut off somewhere */
		stream(data, n, n % 7 ? 100000 : 100);
	} else { /* with right checksums and a right end */
		mend(copy, whole);
		stream(copy, whole, 4096);
	}
	free(copy);
	return 0;
}
