/* places: see places.h.
 *
 * A kept file is its archive's lines behind their SHA-256: what a dead run or a power cut left half is passed over.  Nothing is made
 * durable: the index is not either. */
#include "write/index/places.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/crypto/digest.h"
#include "format/medium/codec.h"
#include "format/medium/generation.h"

#define LINE	 256
#define END_ROOM 64
#define KEPT_MAX ((size_t)64 << 20) /* of one archive: 65,536 contents */

/* Lines, each without its end: what is read is what would be written, to the byte. */
static const char *archive_line(const struct dedup_archive *a, char out[LINE])
{
	char sha256[DIGEST_HEX], index[DIGEST_HEX];

	snprintf(out, LINE, "archive %" PRIu64 " %s %" PRIu64 " %s %" PRIu64, a->number,
	    digest_hex(a->sha256, DIGEST_LEN, sha256), a->size,
	    digest_hex(a->index_sha256, DIGEST_LEN, index), a->generation);
	return out;
}

static const char *entry_line(const struct dedup_entry *e, char out[LINE])
{
	const struct dedup_place *p = &e->place;
	char id[2 * DEDUP_ID + 1];

	snprintf(out, LINE, "%s %u %u %u %c", digest_hex(e->id, DEDUP_ID, id), p->chunk, p->offset, p->length,
	    p->whole ? 'w' : 's');
	return out;
}

static int put_archive(struct buf *out, const struct dedup_archive *a, const struct dedup_entry *entries,
    size_t n, struct err *err)
{
	char line[LINE];
	int r = buf_printf(out, err, "%s\n", archive_line(a, line));

	for (size_t i = 0; i < n && !r; i++)
		r = buf_printf(out, err, "%s\n", entry_line(&entries[i], line));
	return r;
}

/* ---- kept from run to run ---- */

static int open_folder(int cachefd, const char *dataset)
{
	IO_FD_AUTO all = io_make_dir(cachefd, "places", 0700, NULL);

	return all < 0 ? -1 : io_make_dir(all, dataset, 0700, NULL);
}

static char *name_of(uint64_t number, char out[24])
{
	snprintf(out, 24, "%" PRIu64, number);
	return out;
}

void places_keep(int cachefd, const char *dataset, const struct dedup_archive *a,
    const struct dedup_entry *entries, size_t n)
{
	IO_FD_AUTO dir = open_folder(cachefd, dataset);
	BUF_AUTO bytes = BUF_INIT(KEPT_MAX);
	uint8_t sum[DIGEST_LEN] = {0};
	IO_FD_AUTO fd = -1;
	char name[24];

	if (dir < 0 || buf_append(&bytes, sum, sizeof(sum), NULL) || put_archive(&bytes, a, entries, n, NULL))
		return;
	fd = openat(
	    dir, name_of(a->number, name), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	digest_sha256(bytes.p + DIGEST_LEN, bytes.n - DIGEST_LEN, bytes.p);
	if (fd >= 0)
		(void)io_write_full(fd, bytes.p, bytes.n);
}

/* Is it about that very archive?  A number that a run had given out when it died is given out again. */
static bool is_about(const struct dedup_archive *a, const struct buf *bytes)
{
	char line[LINE];
	const size_t n = strlen(archive_line(a, line));

	return bytes->n > DIGEST_LEN + n && !memcmp(bytes->p + DIGEST_LEN, line, n);
}

/* One archive's lines, if they are kept, whole, and fit; what is not whole goes.  1, 0. */
static int take_kept(int dir, const struct dedup_archive *a, struct buf *out)
{
	BUF_AUTO bytes = BUF_INIT(KEPT_MAX);
	uint8_t sum[DIGEST_LEN];
	char name[24];

	if (io_read_file(dir, name_of(a->number, name), &bytes, NULL))
		return 0;
	if (bytes.n > DIGEST_LEN)
		digest_sha256(bytes.p + DIGEST_LEN, bytes.n - DIGEST_LEN, sum);
	if (!is_about(a, &bytes) || memcmp(sum, bytes.p, DIGEST_LEN) != 0) {
		unlinkat(dir, name, 0);
		return 0;
	}
	return out->max - out->n > bytes.n - DIGEST_LEN + END_ROOM &&
	       !buf_append(out, bytes.p + DIGEST_LEN, bytes.n - DIGEST_LEN, NULL);
}

int places_gather(int cachefd, const struct generation_id *id, const struct dedup_archive *archives, size_t n,
    struct buf *out, uint64_t **ret, size_t *ret_n, struct err *err)
{
	IO_FD_AUTO dir = open_folder(cachefd, id->dataset);
	uint64_t *taken = calloc(n + 1, sizeof(*taken));
	size_t k = 0;
	int r = taken ? 0 : err_nomem(err);

	if (!r)
		r = buf_printf(
		    out, err, "bkp-places 1 %s %s %" PRIu64 "\n", id->repository, id->dataset, id->number);
	for (size_t i = 0; i < n && !r && dir >= 0; i++)
		if (take_kept(dir, &archives[i], out))
			taken[k++] = archives[i].number;
	if (!r)
		r = buf_printf(out, err, "end %zu\n", k);
	if (r) {
		free(taken);
		return -1;
	}
	*ret = taken;
	*ret_n = k;
	return 0;
}

void places_reported(int cachefd, const char *dataset, const uint64_t *numbers, size_t n)
{
	IO_FD_AUTO dir = open_folder(cachefd, dataset);
	char name[24];

	for (size_t i = 0; i < n && dir >= 0; i++)
		unlinkat(dir, name_of(numbers[i], name), 0);
}

struct forgetting {
	int dir;
	const struct dedup *d;
};

static int forget_one(void *arg, const char *name, struct err *err)
{
	const struct forgetting *f = arg;

	(void)err;
	if (!dedup_run_of(f->d, strtoull(name, NULL, 10)))
		unlinkat(f->dir, name, 0);
	return 0;
}

void places_forget(int cachefd, const char *dataset, const struct dedup *d)
{
	IO_FD_AUTO dir = open_folder(cachefd, dataset);
	struct forgetting f = {dir, d};

	if (dir >= 0)
		(void)!io_each_name(dir, forget_one, &f, NULL);
}

/* ---- reading ---- */

struct reading {
	const struct generation_id *id;
	places_fn *fn;
	void *arg;
	uint64_t line, archives;
	bool ended, open;
	struct dedup_archive archive;
	struct dedup_entry *entries;
	size_t n, cap;
};

static int malformed(const struct reading *r, struct err *err)
{
	return err_set_kind(
	    err, ERR_MALFORMED, "E-PLACES-01", text("places.age is malformed: line %ju"), r->line);
}

static int end_archive(struct reading *r, struct err *err)
{
	int bad = r->open ? r->fn(r->arg, &r->archive, r->entries, r->n, err) : 0;

	r->open = false;
	r->n = 0;
	return bad;
}

static int begin_archive(struct reading *r, const char *line, struct err *err)
{
	char sha256[DIGEST_HEX], index[DIGEST_HEX], again[LINE];
	struct dedup_archive a = {0};

	if (end_archive(r, err))
		return -1;
	if (sscanf(line, "archive %" SCNu64 " %64[0-9a-f] %" SCNu64 " %64[0-9a-f] %" SCNu64, &a.number,
		sha256, &a.size, index, &a.generation) != 5 ||
	    !a.number || a.number >> 40 || strlen(sha256) != 2 * DIGEST_LEN ||
	    strlen(index) != 2 * DIGEST_LEN || !digest_unhex(sha256, DIGEST_LEN, a.sha256) ||
	    !digest_unhex(index, DIGEST_LEN, a.index_sha256) || strcmp(archive_line(&a, again), line) != 0)
		return malformed(r, err);
	r->archive = a;
	r->open = true;
	r->archives++;
	return 0;
}

static int take_entry(struct reading *r, const char *line, struct err *err)
{
	struct dedup_entry e = {.place.archive = r->archive.number};
	char id[2 * DEDUP_ID + 1], kind, again[LINE];

	if (!r->open ||
	    sscanf(line, "%32[0-9a-f] %u %u %u %c", id, &e.place.chunk, &e.place.offset, &e.place.length,
		&kind) != 5 ||
	    strlen(id) != 2 * DEDUP_ID || !digest_unhex(id, DEDUP_ID, e.id) || !e.place.length ||
	    e.place.length > CODEC_RAW_MAX || e.place.offset > CODEC_RAW_MAX - e.place.length)
		return malformed(r, err);
	e.place.whole = kind == 'w';
	if (strcmp(entry_line(&e, again), line) != 0)
		return malformed(r, err);
	if (r->n == r->cap) {
		size_t cap = r->cap ? 2 * r->cap : 1024;
		struct dedup_entry *more = reallocarray(r->entries, cap, sizeof(*more));

		if (!more)
			return err_nomem(err);
		r->entries = more;
		r->cap = cap;
	}
	r->entries[r->n++] = e;
	return 0;
}

static int check_head(const struct reading *r, const char *line, struct err *err)
{
	char want[LINE];

	snprintf(want, sizeof(want), "bkp-places 1 %s %s %" PRIu64, r->id->repository, r->id->dataset,
	    r->id->number);
	return strcmp(line, want) ? err_set_kind(err, ERR_FORGED, "E-PLACES-02", "%s",
					text("places.age belongs to another generation"))
				  : 0;
}

static int take_line(struct reading *r, const char *line, struct err *err)
{
	char end[LINE];

	if (++r->line == 1)
		return check_head(r, line, err);
	if (r->ended)
		return malformed(r, err);
	if (!strncmp(line, "archive ", 8))
		return begin_archive(r, line, err);
	if (strncmp(line, "end ", 4) != 0)
		return take_entry(r, line, err);
	snprintf(end, sizeof(end), "end %" PRIu64, r->archives);
	if (strcmp(line, end) != 0)
		return malformed(r, err);
	r->ended = true;
	return end_archive(r, err);
}

int places_read(
    const struct buf *plain, const struct generation_id *id, places_fn *fn, void *arg, struct err *err)
{
	struct reading r = {.id = id, .fn = fn, .arg = arg};
	const char *p = (const char *)plain->p;
	char line[LINE];
	int bad = 0;

	for (size_t at = 0; !bad && at < plain->n;) {
		const char *eol = memchr(p + at, '\n', plain->n - at);
		size_t n = eol ? (size_t)(eol - p) - at : LINE;

		if (n >= LINE || memchr(p + at, '\0', n)) {
			bad = malformed(&r, err);
			break;
		}
		memcpy(line, p + at, n);
		line[n] = '\0';
		bad = take_line(&r, line, err);
		at += n + 1;
	}
	if (!bad && !r.ended)
		bad = malformed(&r, err);
	free(r.entries);
	return bad;
}

/* Not an HMAC under the key of chunk ids: those of content that somebody made are in every INDEX. */
void places_identity(const uint8_t chunk_id_key[DIGEST_LEN], struct age_identity *ret)
{
	static const char what[] = "bkp:1 index key";
	uint8_t all[sizeof(what) - 1 + DIGEST_LEN];

	memcpy(all, what, sizeof(what) - 1);
	memcpy(all + sizeof(what) - 1, chunk_id_key, DIGEST_LEN);
	digest_sha256(all, sizeof(all), ret->secret);
	sodium_memzero(all, sizeof(all));
}
