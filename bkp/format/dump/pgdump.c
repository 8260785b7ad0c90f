/* pgdump: see pgdump.h.
 *
 * As PostgreSQL's src/bin/pg_dump/pg_backup_archiver.c and pg_backup_custom.c read and write it:
 *
 *     "PGDMP"; version (3 bytes); bytes of an integer; bytes of an offset; format 1; compression
 *     date (7 integers); name of the database; versions of server and pg_dump
 *     number of entries; the entries
 *     the data, block by block: a byte 1 (table) or 3 (large objects), the number of its entry, pieces with
 *     their lengths up to one of length 0; large objects have their number before each
 *
 * An integer is a byte for its sign and then its bytes, the least first; a text is its length and its bytes,
 * -1 none.  There is no mark at the end: as many blocks must come as entries say that they have data, and
 * nothing after the last one.
 */
#include "format/dump/pgdump.h"

#include <stdio.h>
#include <string.h>

#include "base/fnv.h"

#include "base/text.h"

#define VERSION(major, minor) ((major) << 8 | (minor))
#define ENTRIES_MAX	      16000000
#define TEXT_MAX	      (INT64_C(1) << 30)
#define HEADER		      11

/* What comes next.  The steps of an entry stand in the order of the format. */
enum step {
	S_HEADER,
	S_COMPRESSION,
	S_DATE,
	S_DATABASE,
	S_SERVER,
	S_DUMPER,
	S_ENTRIES,
	E_ID,
	E_HAS_DATA,
	E_TABLE_OID,
	E_OID,
	E_TAG,
	E_KIND,
	E_SECTION,
	E_DEFINITION,
	E_DROP,
	E_COPY,
	E_NAMESPACE,
	E_TABLESPACE,
	E_ACCESS_METHOD,
	E_RELATION_KIND,
	E_OWNER,
	E_WITH_OIDS,
	E_DEPENDENCY, /* again until one is not there */
	E_OFFSET,
	D_BLOCK,
	D_ID,
	D_OBJECT, /* of large objects */
	D_PIECE,
	S_END,
};

void pgdump_init(struct pgdump *d, const struct pgdump_listener *listener)
{
	memset(d, 0, sizeof(*d));
	d->listener = listener;
	d->want = HEADER;
}

uint64_t pgdump_hash(uint64_t so_far, const void *p, size_t n)
{
	return fnv_bytes(so_far ? so_far : FNV_START, p, n);
}

/* ---- the grammar ---- */

static bool is_text(enum step s)
{
	return s == S_DATABASE || s == S_SERVER || s == S_DUMPER || s == E_TABLE_OID || s == E_OID ||
	       s == E_TAG || s == E_KIND || (s >= E_DEFINITION && s <= E_ACCESS_METHOD) ||
	       (s >= E_OWNER && s <= E_DEPENDENCY);
}

static bool is_there(const struct pgdump *d, enum step s)
{
	return (s != E_ACCESS_METHOD || d->version >= VERSION(1, 14)) &&
	       (s != E_RELATION_KIND || d->version >= VERSION(1, 16)) &&
	       (s != E_SECTION || d->version >= VERSION(1, 11));
}

static size_t step_width(const struct pgdump *d, enum step s)
{
	if (s == E_OFFSET)
		return 1 + d->offset_size;
	if (s == D_BLOCK || (s == S_COMPRESSION && d->version >= VERSION(1, 15)))
		return 1;
	return 1 + d->int_size;
}

static void go_to(struct pgdump *d, enum step s)
{
	while (!is_there(d, s))
		s++;
	d->step = s;
	d->n_field = 0;
	d->want = s == S_END ? 0 : step_width(d, s);
}

static void next_block(struct pgdump *d)
{
	go_to(d, d->blocks == d->expected ? S_END : D_BLOCK);
}

static void next_entry(struct pgdump *d)
{
	if (d->taken == d->entries)
		next_block(d);
	else
		go_to(d, E_ID);
}

/* ---- fields ---- */

/* Magnitudes beyond any that can be right become a large one. */
static int64_t integer(const struct pgdump *d)
{
	uint64_t v = 0;

	for (size_t i = d->int_size; i > 0; i--)
		v = v >> 48 ? UINT64_C(1) << 48 : v << 8 | d->field[i];
	return d->field[0] ? -(int64_t)v : (int64_t)v;
}

static enum pgdump_result wrong(struct pgdump *d, enum pgdump_result r, const char *why)
{
	d->at = d->total;
	snprintf(d->why, sizeof(d->why), "%s", why);
	return r;
}

static enum pgdump_result take_header(struct pgdump *d)
{
	const uint8_t *f = d->field;

	if (memcmp(f, "PGDMP", 5) != 0)
		return wrong(d, PGDUMP_OTHER, text("it does not begin as the output of 'pg_dump -Fc'"));
	d->version = VERSION((unsigned)f[5], (unsigned)f[6]);
	if (d->version < VERSION(1, 10) || d->version > VERSION(1, 16)) {
		snprintf(
		    d->why, sizeof(d->why), text("version %d.%d of its format is not known"), f[5], f[6]);
		return PGDUMP_NEWER;
	}
	d->int_size = f[8];
	d->offset_size = f[9];
	if (d->int_size < 1 || d->int_size > 8 || d->offset_size < 1 || d->offset_size > 8) {
		wrong(d, PGDUMP_DAMAGED, text("impossible sizes of numbers"));
		d->at = 8;
		return PGDUMP_DAMAGED;
	}
	if (f[10] != 1)
		return wrong(
		    d, PGDUMP_OTHER, text("it is an archive of pg_dump, but not of its custom format (-Fc)"));
	go_to(d, S_COMPRESSION);
	return PGDUMP_GOOD;
}

/* Where the text that comes goes. */
static void keep_text(struct pgdump *d)
{
	struct pgdump_entry *e = &d->entry;

	d->text = d->step == E_TAG	   ? e->tag
		  : d->step == E_KIND	   ? e->kind
		  : d->step == E_NAMESPACE ? e->space
					   : NULL;
	d->room = d->step == E_KIND ? sizeof(e->kind) - 1 : PGDUMP_NAME - 1;
	if (d->step == E_COPY && d->skip)
		e->copy = pgdump_hash(0, NULL, 0);
}

/* n bytes of what is skipped. */
static void take_skipped(struct pgdump *d, const uint8_t *p, size_t n)
{
	size_t m = n < d->room ? n : d->room;

	d->skip -= n;
	if (d->step > D_BLOCK && d->listener && d->listener->data)
		d->listener->data(d->listener->arg, p, n);
	else if (d->step == E_COPY + 1 && d->entry.copy)
		d->entry.copy = pgdump_hash(d->entry.copy, p, n);
	if (d->text) {
		memcpy(d->text, p, m);
		d->text += m;
		d->room -= m;
	}
}

static void begin_data(struct pgdump *d)
{
	if (d->listener && d->listener->begin)
		d->listener->begin(d->listener->arg, d->id, d->objects);
}

static void end_data(struct pgdump *d)
{
	if (d->listener && d->listener->end)
		d->listener->end(d->listener->arg);
}

/* The text whose length was read; what comes after it. */
static const char *take_text(struct pgdump *d, int64_t length)
{
	if (length > TEXT_MAX)
		return text("impossible length of a text");
	d->skip = length > 0 ? (uint64_t)length : 0;
	keep_text(d);
	if (d->step == E_DEPENDENCY)
		go_to(d, length < 0 ? E_OFFSET : E_DEPENDENCY);
	else
		go_to(d, d->step + 1);
	return NULL;
}

static const char *take_offset(struct pgdump *d)
{
	if (d->field[0] < 1 || d->field[0] > 3)
		return text("impossible state of an entry");
	d->taken++;
	if (d->has_data && d->listener && d->listener->entry)
		d->listener->entry(d->listener->arg, &d->entry);
	next_entry(d);
	return NULL;
}

static const char *take_entries(struct pgdump *d, int64_t n)
{
	if (n < 0 || n > ENTRIES_MAX)
		return text("impossible number of entries");
	d->entries = n;
	next_entry(d);
	return NULL;
}

static const char *take_block(struct pgdump *d)
{
	if (d->field[0] != 1 && d->field[0] != 3)
		return text("no block of data begins here");
	d->objects = d->field[0] == 3;
	go_to(d, D_ID);
	return NULL;
}

static const char *take_piece(struct pgdump *d, int64_t length)
{
	if (length < 0 || length > TEXT_MAX)
		return text("impossible length of a piece of data");
	d->skip = (uint64_t)length;
	if (length) {
		go_to(d, D_PIECE);
	} else if (d->objects) {
		end_data(d);
		go_to(d, D_OBJECT);
	} else {
		end_data(d);
		d->blocks++;
		next_block(d);
	}
	return NULL;
}

static const char *take_object(struct pgdump *d, int64_t number)
{
	if (number) {
		begin_data(d);
		go_to(d, D_PIECE);
		return NULL;
	}
	d->blocks++;
	next_block(d);
	return NULL;
}

/* A level of zlib, or of which kind it is. */
static void take_compression(struct pgdump *d)
{
	if (d->version < VERSION(1, 15))
		d->compression = integer(d) ? PGDUMP_ZLIB : PGDUMP_PLAIN;
	else
		d->compression = d->field[0] <= PGDUMP_ZSTD ? d->field[0] : PGDUMP_PLAIN;
	go_to(d, S_DATE);
}

static const char *take_block_id(struct pgdump *d, int64_t id)
{
	d->id = id;
	if (!d->objects)
		begin_data(d);
	go_to(d, d->objects ? D_OBJECT : D_PIECE);
	return NULL;
}

/* A field is complete.  What is wrong with it, or NULL. */
static const char *take_field(struct pgdump *d)
{
	int64_t v = d->step == S_COMPRESSION || d->step == D_BLOCK || d->step == E_OFFSET ? 0 : integer(d);

	if (is_text(d->step))
		return take_text(d, v);
	switch (d->step) {
	case S_COMPRESSION:
		take_compression(d);
		return NULL;
	case S_DATE:
		go_to(d, ++d->dates < 7 ? S_DATE : S_DATABASE);
		return NULL;
	case S_ENTRIES:
		return take_entries(d, v);
	case E_ID:
		d->entry = (struct pgdump_entry){.id = v};
		go_to(d, E_HAS_DATA);
		return NULL;
	case E_HAS_DATA:
		if (v != 0 && v != 1)
			return text("impossible entry of its table of contents");
		d->expected += v;
		d->has_data = v;
		go_to(d, E_TABLE_OID);
		return NULL;
	case E_OFFSET:
		return take_offset(d);
	case D_BLOCK:
		return take_block(d);
	case D_ID:
		return take_block_id(d, v);
	case D_OBJECT:
		return take_object(d, v);
	case D_PIECE:
		return take_piece(d, v);
	default:
		go_to(d, d->step + 1);
		return NULL;
	}
}

enum pgdump_result pgdump_feed(struct pgdump *d, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	const uint64_t before = d->total;
	size_t at = 0;

	while (at < n) {
		size_t have = n - at;

		if (d->skip) {
			have = have < d->skip ? have : (size_t)d->skip;
			take_skipped(d, p + at, have);
			at += have;
			continue;
		}
		d->text = NULL;
		d->total = before + at;
		if (d->step == S_END)
			return wrong(d, PGDUMP_BEHIND, "");
		have = have < d->want - d->n_field ? have : d->want - d->n_field;
		memcpy(d->field + d->n_field, p + at, have);
		d->n_field += have;
		at += have;
		d->total = before + at;
		if (d->n_field < d->want)
			break;
		if (d->step == S_HEADER) {
			enum pgdump_result r = take_header(d);

			if (r)
				return r;
		} else {
			const char *why = take_field(d);

			if (why)
				return wrong(d, PGDUMP_DAMAGED, why);
		}
	}
	d->total = before + n;
	return PGDUMP_GOOD;
}

enum pgdump_result pgdump_end(struct pgdump *d)
{
	if (d->step == S_END && !d->skip)
		return PGDUMP_GOOD;
	if (d->step == S_HEADER && memcmp(d->field, "PGDMP", d->n_field < 5 ? d->n_field : 5) != 0)
		return wrong(d, PGDUMP_OTHER, text("it does not begin as the output of 'pg_dump -Fc'"));
	if (d->step < D_BLOCK)
		return wrong(d, PGDUMP_CUT, text("within its table of contents"));
	snprintf(d->why, sizeof(d->why), text("with %jd of %jd tables whole"), (intmax_t)d->blocks,
	    (intmax_t)d->expected);
	return PGDUMP_CUT;
}
