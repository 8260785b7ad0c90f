/* rows: a look at a dump of a data base as it streams by: how many rows each table has, how long they are, and how much of them
 * looks like ciphertext.
 *
 * rows_new → rows_feed with all bytes in order, in pieces of any size → rows_end → rows_free.  Pure; what is hostile gives wrong
 * figures, nothing worse.  rows_past.h judges them by what the tables were before.
 *
 * What is known, by how it begins:
 *
 *     SQL          of pg_dump and pg_dumpall ("COPY table (…) FROM stdin;", INSERT) and mysqldump (INSERT, one row or many)
 *     pg_dump -Fc  plain, zlib, LZ4, Zstandard: table by table, large objects one by one
 *     gzip, LZ4, Zstandard of SQL
 *     anything else is one table without rows (ROWS_OUTSIDE), as are the statements of a dump that are not rows
 *
 * What is looked at.  All bytes of SQL are gone through for the ends of rows.  Pieces of OPAQUE_LOOK bytes, from the beginning of a
 * row, are samples (opaque.h): all of a table at first, then ever fewer, one in 256 of what the table has so far, or one in 2,048
 * of the dump.  Of what pg_dump -Fc compressed ROWS_TABLE_LOOK bytes a table are decompressed and ROWS_LOOK of all (each table gets
 * at most an eighth of what is left, so there is some for the last one); of what is behind them only the compressed bytes are
 * counted, and rows and bytes are taken to go on as they began.  Large objects are decompressed at their beginning only.  Tables of
 * the same name in several data bases of one dump are one.
 *
 * Memory: about 2 MiB, and what unpack.h says.  Errors: E-MEM-01.
 */
#ifndef BKP_FORMAT_DUMP_ROWS_H
#define BKP_FORMAT_DUMP_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define ROWS_TABLES	512 /* those with the most bytes; the others are one, ROWS_REST */
#define ROWS_NAME	32
#define ROWS_PROBES	8
#define ROWS_TABLE_LOOK ((uint64_t)8 << 20)
#define ROWS_LOOK	((uint64_t)64 << 20)

/* The first tables of every dump, which have no name of their own; and large objects. */
enum { ROWS_ALL, ROWS_OUTSIDE, ROWS_REST, ROWS_OWN, ROWS_OBJECTS = ROWS_OWN };

struct rows_table {
	uint64_t name;	      /* a hash of it, or one of the numbers above */
	uint64_t columns;     /* a hash of what their names are; 0: not known */
	uint64_t rows, bytes; /* without compression */
	uint64_t packed;      /* compressed; 0: it was not */
	uint32_t length;      /* of a row: mean of the logarithm of its bytes to base 2, in 1024ths */
	uint32_t samples;     /* that were taken */
	uint32_t opaque;      /* per mille of their bytes that look like ciphertext */
	uint32_t marked;      /* per mille of them in which there is some of it */
	uint32_t peak;	 /* `opaque` of those ROWS_GROUP rows or more one behind the other that have most */
	uint32_t unread; /* 1: some of packed was not looked into */
	uint32_t ratio;	 /* per mille of the bytes that are left when compressed; 0: not known */
	char called[ROWS_NAME]; /* as people know it, or "": not to be said; not remembered */
	/* of what is remembered (rows_past.h) */
	uint64_t high;	/* rows it had; falls slowly */
	uint64_t start; /* rows it had before it fell, capture by capture, so many times */
	uint32_t falls;
	uint32_t drop; /* by habit: per mille that it loses of the rows it had; that `packed` grows by */
	uint32_t grow;
	uint32_t nights; /* it was seen in so many captures */
};
#define ROWS_GROUP 64

struct rows_summary {
	uint32_t cut; /* 1: not all tables are in it, or not all of one: too many, damaged */
	uint32_t n_probes;
	uint64_t probes
	    [ROWS_PROBES]; /* what its probe gave, where that is a number; of what is remembered more, the newest first */
	/* of what is remembered */
	uint64_t generation; /* whose it is; 0: nobody's */
	uint64_t gone;	     /* the most rows of tables that ever went at once; falls slowly */
	uint64_t n;
	struct rows_table tables[ROWS_TABLES]; /* ROWS_ALL, ROWS_OUTSIDE, ROWS_REST, those that have rows */
};

struct rows;
int rows_new(struct rows **ret, struct err *err) __attribute__((warn_unused_result));
void rows_free(struct rows *r);
void rows_feed(struct rows *r, const void *p, size_t n);
/* No more come.  Once. */
void rows_end(struct rows *r, struct rows_summary *ret);

#endif
