/* rows: see rows.h.
 *
 * rows_feed() → take(): what it is (begin()) → the bytes of SQL, decompressed or not, go to scan_feed() (rows_scan.c); those of
 * pg_dump -Fc first to pgdump.h, which says of which table they are (begin_data(), take_data(), end_data()). */
#include "format/dump/rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "format/dump/pgdump.h"
#include "format/dump/rows_private.h"
#include "format/dump/unpack.h"

#define ENTRIES 4096 /* of a table of contents that are remembered */
#define LOOK	5    /* bytes that tell what it is */
#define EIGHTH	8

/* An entry of pg_dump's table of contents. */
struct entry {
	int64_t id;
	uint64_t name, columns;
	char called[PGDUMP_NAME];
};

struct rows {
	struct scan scan;
	uint8_t look[LOOK];
	size_t n_look;
	bool known, blind; /* what it is; nothing is looked at any more */
	struct unpack *unpack;
	uint64_t left, left_here; /* bytes that may still be decompressed: of all, of the table */
	/* pg_dump -Fc */
	bool is_pgdump, object;
	struct pgdump pgdump;
	struct pgdump_listener listener;
	struct entry *entries;
	size_t n_entries;
	uint64_t object_bytes;
	struct scan_table *counted; /* whose compressed bytes come */
};

/* Decompressed. */
static bool take_plain(void *arg, const uint8_t *p, size_t n)
{
	struct rows *r = arg;
	const uint64_t most = r->left_here < r->left ? r->left_here : r->left;

	if (!r->object)
		scan_feed(&r->scan, p, n);
	else if (r->scan.rows.sampling)
		scan_value(&r->scan, p, n);
	r->left -= n < r->left ? n : r->left;
	r->left_here -= n < r->left_here ? n : r->left_here;
	return n < most && (!r->object || r->scan.rows.sampling);
}

static void take_packed(struct rows *r, const uint8_t *p, size_t n)
{
	if (unpack_feed(r->unpack, p, n, take_plain, r))
		return;
	/* it was not that enough was looked at: it is damaged */
	r->scan.full |= r->left && r->left_here && (!r->object || r->scan.rows.sampling);
	unpack_free(r->unpack);
	r->unpack = NULL;
}

/* ---- pg_dump -Fc ---- */

static void take_entry(void *arg, const struct pgdump_entry *e)
{
	struct rows *r = arg;
	struct entry *to;

	if (r->n_entries == ENTRIES || strcmp(e->kind, "TABLE DATA") != 0 || !e->copy)
		return;
	to = &r->entries[r->n_entries++];
	to->id = e->id;
	to->name = pgdump_hash(0, e->space, strlen(e->space));
	to->name = pgdump_hash(pgdump_hash(to->name, ".", 1), e->tag, strlen(e->tag));
	to->columns = e->copy;
	memcpy(to->called, e->tag, PGDUMP_NAME);
}

static void begin_data(void *arg, int64_t id, bool object)
{
	static const enum unpack_kind kinds[] = {UNPACK_NONE, UNPACK_ZLIB, UNPACK_LZ4, UNPACK_ZSTD};
	struct rows *r = arg;
	const enum unpack_kind kind = kinds[r->pgdump.compression];
	const struct entry *e = r->entries, *end = r->entries + r->n_entries;

	while (!object && e < end && e->id != id)
		e++;
	r->object = object;
	r->object_bytes = 0;
	r->counted = &r->scan.tables[ROWS_OUTSIDE];
	if (object) {
		scan_table(&r->scan, ROWS_OBJECTS, 0, "");
		scan_begin_value(&r->scan);
	} else if (e < end) {
		scan_table(&r->scan, e->name, e->columns, e->called);
		r->scan.state = SCAN_COPY;
		r->counted = r->scan.rows.table;
	}
	r->left_here = r->left / EIGHTH < ROWS_TABLE_LOOK ? r->left / EIGHTH : ROWS_TABLE_LOOK;
	if (kind && (!object || r->scan.rows.sampling))
		r->unpack = unpack_new(kind);
}

static void take_data(void *arg, const uint8_t *p, size_t n)
{
	struct rows *r = arg;

	if (r->object) {
		r->object_bytes += n;
	} else if (r->pgdump.compression != PGDUMP_PLAIN) {
		r->counted->is.packed += n;
		r->counted->looked += r->unpack ? n : 0;
	}
	if (r->unpack)
		take_packed(r, p, n);
	else if (r->pgdump.compression == PGDUMP_PLAIN)
		(void)take_plain(r, p, n);
}

static void end_data(void *arg)
{
	struct rows *r = arg;

	unpack_free(r->unpack);
	r->unpack = NULL;
	if (r->object)
		scan_end_value(&r->scan, r->object_bytes);
	r->object = false;
	r->scan.state = SCAN_LINE;
}

/* ---- whatever it is ---- */

/* Its first bytes are there. */
static void begin(struct rows *r)
{
	const enum unpack_kind kind = unpack_kind_of(r->look, r->n_look);

	r->known = true;
	r->is_pgdump = r->n_look == LOOK && !memcmp(r->look, "PGDMP", LOOK);
	if (r->is_pgdump) {
		r->listener = (struct pgdump_listener){take_entry, begin_data, take_data, end_data, r};
		pgdump_init(&r->pgdump, &r->listener);
	} else if (kind) {
		r->unpack = unpack_new(kind);
		r->left = r->left_here = UINT64_MAX;
		r->blind = !r->unpack;
	}
}

static void take(struct rows *r, const uint8_t *p, size_t n)
{
	if (r->blind)
		return;
	if (r->is_pgdump) {
		r->blind = pgdump_feed(&r->pgdump, p, n) != PGDUMP_GOOD;
		r->scan.full |= r->blind;
	} else if (r->unpack) {
		take_packed(r, p, n);
		r->blind = !r->unpack;
		r->scan.full |= r->blind;
	} else {
		scan_feed(&r->scan, p, n);
	}
}

int rows_new(struct rows **ret, struct err *err)
{
	struct rows *r = calloc(1, sizeof(*r));
	struct entry *entries = calloc(ENTRIES, sizeof(*entries));

	if (!r || !entries) {
		free(r);
		free(entries);
		return err_nomem(err);
	}
	scan_init(&r->scan);
	r->entries = entries;
	r->left = ROWS_LOOK;
	*ret = r;
	return 0;
}

void rows_free(struct rows *r)
{
	if (!r)
		return;
	unpack_free(r->unpack);
	free(r->entries);
	free(r);
}

void rows_feed(struct rows *r, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	while (n && !r->known) {
		r->look[r->n_look++] = *p++;
		n--;
		if (r->n_look == LOOK) {
			begin(r);
			take(r, r->look, LOOK);
		}
	}
	if (n)
		take(r, p, n);
}

void rows_end(struct rows *r, struct rows_summary *ret)
{
	if (!r->known) {
		begin(r);
		if (r->n_look)
			take(r, r->look, r->n_look);
	}
	scan_end(&r->scan, ret);
}
