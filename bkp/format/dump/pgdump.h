/* pgdump: walks the custom format of pg_dump (-Fc) as it streams by, and says what stands where.
 *
 * pgdump_init → pgdump_feed with all bytes in order, in pieces of any size, while it returns PGDUMP_GOOD → pgdump_end.  Pure;
 * memory is the struct.  Versions 1.10 to 1.16 (PostgreSQL 8.3 to 17) are known.
 */
#ifndef BKP_FORMAT_DUMP_PGDUMP_H
#define BKP_FORMAT_DUMP_PGDUMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PGDUMP_NAME 64

enum pgdump_result {
	PGDUMP_GOOD,
	PGDUMP_OTHER,	/* it is something else */
	PGDUMP_NEWER,	/* a version that is not known */
	PGDUMP_DAMAGED, /* at byte `at` */
	PGDUMP_BEHIND,	/* something stands behind its end, at byte `at` */
	PGDUMP_CUT,
};

enum pgdump_compression { PGDUMP_PLAIN, PGDUMP_ZLIB, PGDUMP_LZ4, PGDUMP_ZSTD };

/* An entry of the table of contents.  Texts are cut at their room. */
struct pgdump_entry {
	int64_t id;
	char tag[PGDUMP_NAME], kind[16], space[PGDUMP_NAME]; /* "patients", "TABLE DATA", "public" */
	uint64_t copy; /* a hash of "COPY table (columns) FROM stdin;"; 0: its data are other statements */
};

/* Who listens; any of them may be NULL. */
struct pgdump_listener {
	void (*entry)(void *arg, const struct pgdump_entry *e); /* that has data */
	/* the data of an entry begin; or a large object, of entry `id`, does */
	void (*begin)(void *arg, int64_t id, bool object);
	void (*data)(void *arg, const uint8_t *p, size_t n);
	void (*end)(void *arg);
	void *arg;
};

struct pgdump {
	const struct pgdump_listener *listener; /* or NULL */
	unsigned step, version, dates;
	enum pgdump_compression compression;
	size_t int_size, offset_size;
	uint8_t field[16]; /* being collected */
	size_t n_field, want;
	uint64_t skip; /* bytes of a text or piece that are still to come */
	char *text;    /* where those of a text go, so many; or NULL */
	size_t room;
	struct pgdump_entry entry;
	bool has_data;
	int64_t entries, taken;	  /* of the table of contents */
	int64_t blocks, expected; /* of data */
	int64_t id;		  /* of the current block */
	bool objects;		  /* it holds large objects */
	uint64_t total, at;	  /* bytes so far; where it is wrong */
	char why[80];		  /* what is wrong, in the reader's language, or "" */
};

void pgdump_init(struct pgdump *d, const struct pgdump_listener *listener);
enum pgdump_result pgdump_feed(struct pgdump *d, const void *p, size_t n);
/* No more come.  PGDUMP_GOOD: it was whole.  PGDUMP_OTHER, PGDUMP_CUT. */
enum pgdump_result pgdump_end(struct pgdump *d);

/* FNV-1a, of which 0 is the beginning.  For names, of which nobody gains by finding another one. */
uint64_t pgdump_hash(uint64_t so_far, const void *p, size_t n);

#endif
