/* bisect: see bisect.h.
 *
 * A generation is gone through twice: scan_item() brings what was not judged yet into quarantine; when all of it is judged, note_item()
 * writes down where what is bad lies, if anything is.  Digests of a batch that is not judged yet are WAITING, and all of this generation. */
#include "restore/bisect/bisect.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/medium/catalog.h"
#include "read/file/digestset.h"
#include "read/vault/arc_r.h"
#include "read/vault/catalog_r.h"
#include "restore/app/app.h"
#include "restore/app/progress.h"
#include "restore/bisect/lastclean.h"
#include "restore/bisect/quarantine.h"
#include "restore/extract/extract_writers.h"

/* UNREAD is asked for again in an older generation; what the scanner could not judge is not. */
enum { NEW, CLEAN, BAD, UNREAD, UNJUDGED, WAITING };

struct bisect {
	struct quarantine *q;
	struct progress *progress;
	bisect_fault_fn *fault;
	void *arg;
	struct digestset *seen; /* of the enum above */
	struct bisect_bad *bad;
	size_t n_bad;
	void *by_sha256; /* tsearch(3): copies of digest and index */
	/* the generation under way */
	struct app_generation *g;
	struct lastclean_generation *now;
	bool lost;   /* something of it could not be judged */
	bool noting; /* it is gone through for the second time */
};

/* Where a bad content stands in bad[]. */
struct place {
	uint8_t sha256[DIGEST_LEN];
	size_t index;
};

static int by_digest(const void *a, const void *b)
{
	return memcmp(a, b, DIGEST_LEN);
}

struct bisect *bisect_new(struct quarantine *q, struct progress *progress, bisect_fault_fn *fault, void *arg)
{
	struct bisect *b = calloc(1, sizeof(*b));

	if (b && !(b->seen = digestset_new(SIZE_MAX))) {
		free(b);
		return NULL;
	}
	if (b) {
		b->q = q;
		b->progress = progress;
		b->fault = fault;
		b->arg = arg;
	}
	return b;
}

void bisect_free(struct bisect *b)
{
	if (!b)
		return;
	for (size_t i = 0; i < b->n_bad; i++) {
		for (size_t k = 0; k < b->bad[i].n; k++)
			free(b->bad[i].path[k]);
		free(b->bad[i].path);
		free(b->bad[i].found);
	}
	free(b->bad);
	tdestroy(b->by_sha256, free);
	digestset_free(b->seen);
	free(b);
}

const struct bisect_bad *bisect_bad(const struct bisect *b, size_t *ret_n)
{
	*ret_n = b->n_bad;
	return b->bad;
}

static int set_seen(struct bisect *b, const uint8_t key[DIGEST_LEN], uint8_t value, struct err *err)
{
	return digestset_put(b->seen, key, value, err) ? -1 : 0;
}

int bisect_known(void *b, const uint8_t sha256[DIGEST_LEN], struct err *err)
{
	return set_seen(b, sha256, BAD, err);
}

/* ---- what is bad ---- */

/* The one with that digest, made where there is none. */
static struct bisect_bad *bad_of(struct bisect *b, const uint8_t key[DIGEST_LEN], struct err *err)
{
	struct place *p = malloc(sizeof(*p)), **at;
	struct bisect_bad *more;

	if (!p) {
		err_nomem(err);
		return NULL;
	}
	memcpy(p->sha256, key, DIGEST_LEN);
	p->index = b->n_bad;
	at = tsearch(p, &b->by_sha256, by_digest);
	if (at && *at != p) {
		free(p);
		return &b->bad[(*at)->index];
	}
	more = at ? reallocarray(b->bad, b->n_bad + 1, sizeof(*more)) : NULL;
	if (!more) {
		err_nomem(err);
		return NULL;
	}
	b->bad = more;
	b->bad[b->n_bad] = (struct bisect_bad){.n = 0};
	memcpy(b->bad[b->n_bad].sha256, key, DIGEST_LEN);
	return &b->bad[b->n_bad++];
}

static int add_path(struct bisect_bad *bad, const char *path, struct err *err)
{
	char **more;

	for (size_t i = 0; i < bad->n; i++)
		if (!strcmp(bad->path[i], path))
			return 0;
	if (bad->n == BISECT_PATHS) {
		bad->more = true;
		return 0;
	}
	more = reallocarray(bad->path, bad->n + 1, sizeof(*more));
	if (!more)
		return err_nomem(err);
	bad->path = more;
	bad->path[bad->n] = strdup(path);
	return bad->path[bad->n++] ? 0 : err_nomem(err);
}

/* ---- one file ---- */

static const uint8_t *key_of(const struct catalog_item *item, uint8_t room[DIGEST_LEN])
{
	if (item->sha256)
		return item->sha256;
	digestset_key_of(item->extents, item->extents_len, room);
	return room;
}

static void lose(struct bisect *b, const char *path, const struct err *why)
{
	b->lost = true;
	if (b->noting && b->q)
		return; /* was said the first time */
	progress_clear(b->progress);
	b->fault(b->arg, path, why);
}

static int judged(void *arg, const uint8_t key[DIGEST_LEN], enum quarantine_verdict v, const char *name,
    const struct err *why, struct err *err)
{
	struct bisect *b = arg;
	struct bisect_bad *bad;
	struct err said = ERR_INIT;
	char hex[DIGEST_HEX];

	if (v == QUARANTINE_CLEAN)
		return set_seen(b, key, CLEAN, err);
	if (v == QUARANTINE_UNKNOWN) {
		err_set(&said, "E-BISECT-03",
		    text("the scanner cannot judge the content with SHA-256 %s: %s"),
		    digest_hex(key, DIGEST_LEN, hex), why ? why->msg : "?");
		lose(b, NULL, &said);
		return set_seen(b, key, UNJUDGED, err);
	}
	bad = bad_of(b, key, err);
	if (!bad || !(bad->found = strdup(name)))
		return err_nomem(err);
	return set_seen(b, key, BAD, err);
}

static int scan_item(struct bisect *b, const struct catalog_item *item, struct err *err)
{
	uint8_t room[DIGEST_LEN], seen;
	const uint8_t *key = key_of(item, room);
	struct err why = ERR_INIT;

	progress_add(b->progress, item->size, NULL);
	seen = digestset_get(b->seen, key);
	if (seen != NEW && seen != UNREAD)
		return 0;
	if (!item->size)
		return set_seen(b, key, CLEAN, err);
	b->now->fresh++;
	if (quarantine_full(b->q, item->size) && quarantine_judge(b->q, judged, b, err))
		return -1;
	if (!quarantine_add(b->q, b->g->arc, item, key, &why))
		return set_seen(b, key, WAITING, err);
	if (why.kind == ERR_MEMORY) {
		*err = why;
		return -1;
	}
	lose(b, item->path, &why);
	return set_seen(b, key, UNREAD, err);
}

static int note_item(struct bisect *b, const struct catalog_item *item, struct err *err)
{
	uint8_t room[DIGEST_LEN], seen;
	const uint8_t *key = key_of(item, room);
	struct bisect_bad *bad;
	struct err why = ERR_INIT;

	b->now->files++;
	seen = digestset_get(b->seen, key);
	b->lost |= seen == UNREAD || seen == UNJUDGED;
	if (!item->sha256 && !b->q) {
		err_set(&why, "E-BISECT-04", "%s",
		    text("has no SHA-256 (more than 1 GiB of holes): it cannot be compared with the list"));
		lose(b, item->path, &why);
	}
	if (seen != BAD)
		return 0;
	bad = bad_of(b, key, err);
	if (!bad)
		return -1;
	bad->last = bad->last ? bad->last : b->now->number;
	bad->first = b->now->number;
	b->now->bad++;
	return add_path(bad, item->path, err);
}

/* ---- one generation ---- */

static int each_file(struct bisect *b,
    int (*fn)(struct bisect *b, const struct catalog_item *item, struct err *err), struct err *err)
{
	struct catalog_r *c = NULL;
	struct err why = ERR_INIT;
	struct catalog_item item;
	int r = 0, next;

	if (catalog_r_open(b->g->arc, &b->g->root->dataset, &c, &why)) {
		lose(b, NULL, &why);
		return 0;
	}
	if (catalog_r_blocks(c))
		catalog_r_seek(c, 0);
	while (!r && (next = catalog_r_next(c, &item, &why)) != CATALOG_END) {
		if (next)
			lose(b, NULL, &why);
		if (next < 0)
			break;
		if (!next && item.extents)
			r = fn(b, &item, err);
	}
	catalog_r_close(c);
	return r;
}

static int scan_all(struct bisect *b, struct err *err)
{
	unsigned n = extract_writers_processors();
	int r;

	arc_r_helpers(b->g->arc, n > 1 ? n - 1 : 1);
	r = each_file(b, scan_item, err) || quarantine_judge(b->q, judged, b, err) ? -1 : 0;
	arc_r_alone(b->g->arc);
	return r;
}

int bisect_generation(
    struct bisect *b, struct app_generation *g, struct lastclean_generation *ret, struct err *err)
{
	b->g = g;
	b->now = ret;
	b->lost = b->noting = false;
	progress_begin(b->progress, b->q ? g->root->dataset.bytes : 0, b->progress->quiet);
	b->progress->pace.what = g->label;
	if (b->q && scan_all(b, err))
		return -1;
	b->noting = true;
	if (each_file(b, note_item, err))
		return -1;
	progress_clear(b->progress);
	ret->state = ret->bad ? LASTCLEAN_BAD : b->lost ? LASTCLEAN_UNKNOWN : LASTCLEAN_CLEAN;
	return 0;
}
