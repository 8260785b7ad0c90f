/* rows_private: what the files of rows share; see rows.h. */
#ifndef BKP_FORMAT_DUMP_ROWS_PRIVATE_H
#define BKP_FORMAT_DUMP_ROWS_PRIVATE_H

#include "format/dump/opaque.h"
#include "format/dump/rows.h"

#define SCAN_HEAD  ((size_t)16 << 10) /* bytes of a statement that are looked at */
#define SCAN_GROUP 64		      /* samples */

enum scan_state {
	SCAN_LINE,   /* statements */
	SCAN_COPY,   /* a row a line, up to "\." */
	SCAN_INSERT, /* behind VALUES, up to ");" at the end of a line */
};

struct scan_table {
	struct rows_table is;
	uint64_t logs, opaque, marked; /* sums */
	uint64_t looked;	       /* of packed: bytes that were decompressed */
	uint64_t due;		       /* the byte at which the next sample begins */
};

/* What is looked at of a table, or of what is none. */
struct scan_look {
	struct scan_table *table; /* or NULL */
	bool sampling;
	size_t n_sample;
	uint64_t sample_row;
	uint8_t sample[OPAQUE_LOOK];
	struct {
		unsigned share;
		uint64_t row; /* in which it begins */
	} group[SCAN_GROUP];  /* the newest samples, a ring */
	size_t group_at, n_group;
	uint64_t group_sum;
};

struct scan {
	enum scan_state state;
	/* a statement */
	uint8_t head[SCAN_HEAD];
	size_t n_head;
	bool passed;	  /* the rest of the line does not matter */
	uint64_t columns; /* of MySQL's CREATE TABLE */
	bool column;	  /* the line is one of them */
	/* a row */
	uint64_t row; /* bytes of it so far */
	uint8_t first[2];
	uint8_t before; /* SCAN_INSERT: the byte that decides what the next one means; 0: none */
	struct scan_look rows, outside;
	uint64_t total;
	bool full; /* not all tables are here by themselves */
	size_t n;
	struct scan_table tables[ROWS_TABLES];
};

void scan_init(struct scan *s);
/* A name as it can be said: whole characters that fit; "" when it holds what is none. */
void scan_name(const char *name, char ret[ROWS_NAME]);
/* The table whose rows come next; what came before is at its end. */
void scan_table(struct scan *s, uint64_t name, uint64_t columns, const char *called);
void scan_feed(struct scan *s, const uint8_t *p, size_t n);
/* A row that is a value as it is: its beginning, while s->rows.sampling; its end, and how many bytes it had. */
void scan_begin_value(struct scan *s);
void scan_value(struct scan *s, const uint8_t *p, size_t n);
void scan_end_value(struct scan *s, uint64_t bytes);
/* No more come. */
void scan_end(struct scan *s, struct rows_summary *ret);

#endif
