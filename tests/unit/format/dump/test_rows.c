/* rows: tables, rows and ciphertext in a dump, however it is cut into pieces; what a table was, and what is harm. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lz4frame.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "base/text.h"
#include "format/dump/opaque.h"
#include "format/dump/rows.h"
#include "format/dump/rows_past.h"

#define MOST ((size_t)64 << 20)

static void put(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void put(struct buf *b, const char *fmt, ...)
{
	char line[4096];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	assert_int_equal(buf_puts(b, line, NULL), 0);
}

static void look(const void *p, size_t n, size_t step, struct rows_summary *ret)
{
	struct rows *r = NULL;

	assert_int_equal(rows_new(&r, NULL), 0);
	for (size_t at = 0; at < n; at += step) {
		size_t m = n - at < step ? n - at : step;
		uint8_t *piece = malloc(m); /* reading beyond it is found */

		memcpy(piece, (const uint8_t *)p + at, m);
		rows_feed(r, piece, m);
		free(piece);
	}
	rows_end(r, ret);
	rows_free(r);
}

static const struct rows_table *table_of(const struct rows_summary *s, const char *called)
{
	for (size_t i = ROWS_OWN; i < s->n; i++)
		if (!strcmp(s->tables[i].called, called))
			return &s->tables[i];
	return NULL;
}

/* The same figures whatever the pieces; *ret: those. */
static void look_in_pieces(const struct buf *b, struct rows_summary *ret)
{
	struct rows_summary *other = calloc(1, sizeof(*other));

	look(b->p, b->n, b->n, ret);
	for (size_t step = 1; step < b->n && step < 70000; step = step * 3 + 1) {
		look(b->p, b->n, step, other);
		assert_memory_equal(other, ret, sizeof(*other));
	}
	free(other);
}

/* ---- what is ciphertext ---- */

static uint64_t seed = 88172645463325252U;
static uint8_t any_byte(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (uint8_t)(seed >> 32);
}

static const char base64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* n bytes as base64, in lines of `width` characters as PostgreSQL dumps them; begin: how they begin. */
static void put_base64(struct buf *b, const char *begin, size_t n, size_t width)
{
	const size_t known = strlen(begin);

	for (size_t i = 0, col = 0; i < n; i += 3, col += 4) {
		uint8_t x[3];

		for (size_t k = 0; k < 3; k++)
			x[k] = i + k < known ? (uint8_t)begin[i + k] : any_byte();
		if (width && col == width) {
			put(b, "\\n");
			col = 0;
		}
		put(b, "%c%c%c%c", base64[x[0] >> 2], base64[(x[0] & 3) << 4 | x[1] >> 4],
		    base64[(x[1] & 15) << 2 | x[2] >> 6], base64[x[2] & 63]);
	}
}

static void put_hex(struct buf *b, const char *begin, size_t n)
{
	for (size_t i = 0; i < n; i++)
		put(b, "%02x", i < strlen(begin) ? (uint8_t)begin[i] : any_byte());
}

static unsigned share_of(struct buf *b)
{
	unsigned share = opaque_row(b->p, b->n < OPAQUE_LOOK ? b->n : OPAQUE_LOOK);

	b->n = 0;
	return share;
}

static void test_ciphertext(void **state)
{
	BUF_AUTO b = BUF_INIT(MOST);

	(void)state;
	put(&b, "12\t");
	put_base64(&b, "", 300, 0);
	assert_true(share_of(&b) > 900);
	put(&b, "12\t");
	put_base64(&b, "", 360, 76); /* encode(…, 'base64') */
	assert_true(share_of(&b) > 900);
	put(&b, "12\t\\\\x");
	put_hex(&b, "", 240); /* bytea */
	assert_true(share_of(&b) > 900);
	put(&b, "(12,0x");
	put_hex(&b, "", 240); /* mysqldump --hex-blob */
	assert_true(share_of(&b) > 900);
	put(&b, "12\t1961-02-03\t");
	put_base64(&b, "", 24, 0); /* a name, by AES */
	put(&b, "\t0312345678\n");
	assert_in_range(share_of(&b), 400, 700);
	put(&b, "(12,'");
	for (int i = 0; i < 300; i++)
		put(&b, "%c", any_byte() | 1); /* raw */
	assert_true(share_of(&b) > 300);
}

static void test_no_ciphertext(void **state)
{
	static const char *const plain[] = {
	    "12\t患者 太郎\t東京都千代田区1-2\tこのあいだの検査はすべて異常なし。次回は三月。\n",
	    "12\tThe quick brown fox jumps over the lazy dog; WBC 6,200 CRP 0.03 (see "
	    "/var/lib/emr/2026/img-0012)\n",
	    "7\t550e8400-e29b-41d4-a716-446655440000\tACTIVE_MEMBERSHIP_OF_SOMETHING_"
	    "LONG\tcamelCaseNameOfAClass\n",
	    "7\t2026112312345678901234567890123456789012345678901234567890\t0.5\n",
	    "(12,'it\\'s \\r\\n\\\\',NULL),(13,'\xe3\x81\x82','x')"};
	BUF_AUTO b = BUF_INIT(MOST);

	(void)state;
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
		put(&b, "%s", plain[i]);
		if (share_of(&b))
			fail_msg("%s", plain[i]);
	}
	put(&b, "12\t");
	put_base64(&b, "%PDF-1.7", 360, 76);
	assert_int_equal(share_of(&b), 0);
	put(&b, "12\t\\\\x");
	put_hex(&b, "\xff\xd8\xff\xe0", 240);
	assert_int_equal(share_of(&b), 0);
	put(&b, "12\t\\\\x"); /* HL7 as bytea */
	for (int i = 0; i < 20; i++)
		put_hex(&b, "PID|1||12345^^^MRN", 18);
	assert_int_equal(share_of(&b), 0);
	put(&b, "(12,'\xff\xd8\xff\xe0\\0\\Z");
	for (int i = 0; i < 300; i++)
		put(&b, "%c", any_byte() | 1);
	assert_int_equal(share_of(&b), 0);
}

/* ---- tables and rows ---- */

static void put_copy(struct buf *b, const char *table, size_t rows, size_t sealed)
{
	put(b, "COPY %s (id, name, note) FROM stdin;\n", table);
	for (size_t i = 0; i < rows; i++) {
		put(b, "%zu\t患者 %zu\t", i, i % 97);
		if (i >= rows - sealed)
			put_base64(b, "", 90, 76);
		else
			put(b, "%s", i % 3 ? "経過観察。次回受診" : "処方継続。血圧安定。食欲良好。検査予定");
		put(b, "\n");
	}
	put(b, "\\.\n\n");
}

static void test_copy(void **state)
{
	struct rows_summary *s = calloc(1, sizeof(*s));
	BUF_AUTO b = BUF_INIT(MOST);
	const struct rows_table *t;

	(void)state;
	put(&b, "--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE x (\n    y text\n);\n");
	put_copy(&b, "public.patients", 3000, 0);
	put_copy(&b, "public.\"変な 名前(x\"", 2000, 500);
	put(&b,
	    "COPY public.none (id) FROM stdin;\n\\.\n\nCOPY public.pair (id) FROM stdin;\n\\N\n\\\\.\n\\.\n");
	look_in_pieces(&b, s);
	t = table_of(s, "patients");
	assert_non_null(t);
	assert_int_equal(t->rows, 3000);
	assert_int_equal(t->opaque, 0);
	assert_int_equal(t->peak, 0);
	assert_in_range(t->length, 5 * 1024, 7 * 1024);
	t = table_of(s, "変な 名前(x");
	assert_non_null(t);
	assert_int_equal(t->rows, 2000);
	assert_in_range(t->opaque, 200, 800);
	assert_true(t->peak > 600);
	assert_null(table_of(s, "none"));
	assert_int_equal(table_of(s, "pair")->rows, 2);
	assert_int_equal(s->tables[ROWS_ALL].rows, 5002);
	free(s);
}

static void test_insert(void **state)
{
	struct rows_summary *s = calloc(1, sizeof(*s));
	BUF_AUTO b = BUF_INIT(MOST);

	(void)state;
	put(&b, "CREATE TABLE `t` (\n  `id` int(11),\n  `n` text\n) ENGINE=InnoDB AUTO_INCREMENT=7;\nINSERT "
		"INTO `t` VALUES ");
	for (int i = 0; i < 500; i++)
		put(&b, "%s(%d,'it\\'s (%d)\\n')", i ? "," : "", i, i);
	put(&b, ";\nINSERT INTO `t` VALUES\n"); /* as newer ones write it */
	for (int i = 0; i < 500; i++)
		put(&b, "%s(%d,'x'),\n(%d,'y')", i ? ",\n" : "", i, i);
	put(&b, ";\nINSERT INTO public.one (a, b) VALUES (1, 'a;\nb');\nINSERT INTO public.one (a, b) VALUES "
		"(2, 'c');\n"
		"REPLACE INTO `t` VALUES (9,'z');\r\nINSERT INTO nothing\nVALUESX (1);\nUNLOCK TABLES;\n");
	look_in_pieces(&b, s);
	assert_int_equal(table_of(s, "t")->rows, 1501);
	assert_int_not_equal(table_of(s, "t")->columns, 0);
	assert_int_equal(table_of(s, "one")->rows, 2);
	assert_int_equal(s->n, ROWS_OWN + 2);
	free(s);
}

/* More tables than are kept: the largest stay, nothing is lost of the rest. */
static void test_many_tables(void **state)
{
	struct rows_summary *s = calloc(1, sizeof(*s));
	BUF_AUTO b = BUF_INIT(MOST);
	char name[32];

	(void)state;
	for (int i = 0; i < 2 * ROWS_TABLES; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		put_copy(&b, name, i % 100 ? 3 : 50, 0);
	}
	look(b.p, b.n, 1000, s);
	assert_int_equal(s->n, ROWS_TABLES);
	assert_int_equal(s->cut, 1);
	assert_int_equal(table_of(s, "t500")->rows, 50);
	assert_int_equal(s->tables[ROWS_ALL].rows, 3 * 2 * ROWS_TABLES + 47 * 11);
	free(s);
}

/* ---- compressed ---- */

static void put_int(struct buf *b, int64_t v)
{
	uint8_t x[5] = {v < 0};

	for (int i = 0; i < 4; i++)
		x[i + 1] = (uint8_t)((uint64_t)(v < 0 ? -v : v) >> 8 * i);
	assert_int_equal(buf_append(b, x, 5, NULL), 0);
}

static void put_str(struct buf *b, const char *s)
{
	put_int(b, s ? (int64_t)strlen(s) : -1);
	if (s)
		put(b, "%s", s);
}

enum packing { PLAIN, ZLIB, LZ4, ZSTD, GZIP };
static void pack(enum packing how, const void *p, size_t n, struct buf *out)
{
	size_t room = n + n / 2 + 4096;
	z_stream z = {0};
	size_t got = 0;

	assert_int_equal(buf_reserve(out, room, NULL), 0);
	if (how == LZ4) {
		got = LZ4F_compressFrame(out->p + out->n, room, p, n, NULL);
	} else if (how == ZSTD) {
		got = ZSTD_compress(out->p + out->n, room, p, n, 1);
	} else if (how != PLAIN) {
		assert_int_equal(
		    deflateInit2(&z, 6, Z_DEFLATED, how == GZIP ? 31 : 15, 8, Z_DEFAULT_STRATEGY), Z_OK);
		z.next_in = (uint8_t *)(uintptr_t)p;
		z.avail_in = (unsigned)n;
		z.next_out = out->p + out->n;
		z.avail_out = (unsigned)room;
		assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
		got = z.total_out;
		deflateEnd(&z);
	} else {
		memcpy(out->p + out->n, p, n);
		got = n;
	}
	out->n += got;
}

static void put_piece(struct buf *b, enum packing how, const void *p, size_t n)
{
	BUF_AUTO packed = BUF_INIT(MOST);

	pack(how, p, n, &packed);
	for (size_t at = 0; at < packed.n; at += 4096) {
		size_t m = packed.n - at < 4096 ? packed.n - at : 4096;

		put_int(b, (int64_t)m);
		assert_int_equal(buf_append(b, packed.p + at, m, NULL), 0);
	}
	put_int(b, 0);
}

/* pg_dump -Fc of patients with so many rows, so many of them sealed, and three large objects. */
static void put_pgdump(struct buf *b, enum packing how, size_t rows, size_t sealed)
{
	uint8_t head[12] = {'P', 'G', 'D', 'M', 'P', 1, 15, 0, 4, 8, 1, (uint8_t)how};
	static const char *const kinds[] = {"TABLE", "TABLE DATA", "BLOBS"};
	BUF_AUTO data = BUF_INIT(MOST);
	uint8_t object[1000];
	const char *from;

	assert_int_equal(buf_append(b, head, sizeof(head), NULL), 0);
	for (int i = 0; i < 7; i++)
		put_int(b, 5);
	for (int i = 0; i < 3; i++)
		put_str(b, "emr");
	put_int(b, 3);
	for (int i = 0; i < 3; i++) {
		put_int(b, 100 + i);
		put_int(b, i != 0);
		put_str(b, "1");
		put_str(b, "2");
		put_str(b, "patients");
		put_str(b, kinds[i]);
		put_int(b, 3);
		put_str(b, NULL);
		put_str(b, NULL);
		put_str(b, i == 1 ? "COPY public.patients (id, name, note) FROM stdin;\n" : NULL);
		put_str(b, "public");
		put_str(b, NULL);
		put_str(b, "heap");
		put_str(b, "me");
		put_str(b, "false");
		put_str(b, NULL);
		assert_int_equal(buf_append(b, "\1\0\0\0\0\0\0\0\0", 9, NULL), 0);
	}
	put_copy(&data, "x", rows, sealed);
	assert_int_equal(buf_append(b, "\1", 1, NULL), 0);
	put_int(b, 101);
	from = memchr(data.p, '\n', data.n);
	put_piece(b, how, from + 1, data.n - (size_t)(from + 1 - (char *)data.p));
	assert_int_equal(buf_append(b, "\3", 1, NULL), 0);
	put_int(b, 102);
	for (int i = 0; i < 3; i++) {
		for (size_t k = 0; k < sizeof(object); k++)
			object[k] = any_byte();
		if (i)
			memcpy(object, "%PDF-1.7", 8);
		put_int(b, 16000 + i);
		put_piece(b, how, object, sizeof(object));
	}
	put_int(b, 0);
}

static void test_pgdump(void **state)
{
	struct rows_summary *s = calloc(1, sizeof(*s)), *sql = calloc(1, sizeof(*sql));
	BUF_AUTO b = BUF_INIT(MOST);
	const struct rows_table *t, *same;

	(void)state;
	put_copy(&b, "public.patients", 4000, 0);
	look(b.p, b.n, b.n, sql);
	same = table_of(sql, "patients");
	for (enum packing how = PLAIN; how <= ZSTD; how++) {
		b.n = 0;
		put_pgdump(&b, how, 4000, 0);
		look_in_pieces(&b, s);
		t = table_of(s, "patients");
		assert_non_null(t);
		/* the table is the same as in SQL: of the same name, with the same figures */
		assert_int_equal(t->name, same->name);
		assert_int_equal(t->rows, 4000);
		assert_int_equal(t->bytes, same->bytes);
		assert_int_equal(t->length, same->length);
		assert_int_equal(t->packed != 0, how != PLAIN);
		assert_int_equal(t->ratio != 0, how != PLAIN);
		assert_int_equal(t->unread, 0);
		assert_int_equal(t->opaque, 0);
		t = table_of(s, "");
		assert_int_equal(t->name, ROWS_OBJECTS);
		assert_int_equal(t->rows, 3);
		assert_int_equal(t->samples, 3);
		assert_int_equal(t->marked, 333);
		b.n = 0;
		put_pgdump(&b, how, 4000, 400);
		look(b.p, b.n, 777, s);
		assert_true(table_of(s, "patients")->peak > 600);
	}
	free(s);
	free(sql);
}

/* Beyond what is looked into the rows are taken to go on as they began, and what was put there shows in compressed bytes. */
static void test_ceiling(void **state)
{
	struct rows_past *past = calloc(1, sizeof(*past));
	BUF_AUTO b = BUF_INIT(MOST);
	const struct rows_table *t;
	struct rows_verdict v;

	(void)state;
	for (uint64_t night = 1; night < 9; night++) {
		b.n = 0;
		put_pgdump(&b, ZLIB, 200000 + 300 * night, night == 8 ? 6000 : 0); /* 3 %, the newest */
		rows_past_take(past, ROWS_TRUSTED);
		look(b.p, b.n, 65536, &past->newest);
		past->newest.generation = night;
		t = table_of(&past->newest, "patients");
		assert_int_equal(t->unread, 1);
		if (night < 8)
			assert_in_range(t->rows, 200000, 205000);
		rows_judge(&past->newest, &past->usual, 1, &v);
		assert_int_equal(v.harmed, night == 8);
	}
	assert_non_null(strstr(v.say, "patients"));
	free(past);
}

static void test_compressed_sql(void **state)
{
	struct rows_summary *s = calloc(1, sizeof(*s));
	BUF_AUTO b = BUF_INIT(MOST);
	BUF_AUTO sql = BUF_INIT(MOST);

	(void)state;
	put_copy(&sql, "public.patients", 4000, 0);
	for (enum packing how = LZ4; how <= GZIP; how++) {
		b.n = 0;
		pack(how, sql.p, sql.n / 2, &b);
		if (how == GZIP) /* of two members */
			pack(how, sql.p + sql.n / 2, sql.n - sql.n / 2, &b);
		look_in_pieces(&b, s);
		assert_in_range(
		    table_of(s, "patients")->rows, how == GZIP ? 4000 : 1900, how == GZIP ? 4000 : 2100);
		b.p[b.n / 2] ^= 0xff; /* damaged */
		look(b.p, b.n, 100, s);
		look(b.p, b.n / 3, 100, s);
	}
	free(s);
}

static void test_hostile(void **state)
{
	static const char *const starts[] = {"COPY ", "COPY  FROM stdin;\n\\.\n", "COPY x FROM stdin;\n",
	    "INSERT INTO ", "INSERT INTO `", "INSERT  INTO  VALUES ", "INSERT INTO x VALUES ", "  `", "\\.\n",
	    "PGDMP", "PGDM", "", "\x1f\x8b\x08", "\x04\x22\x4d\x18", "\x28\xb5\x2f\xfd",
	    "COPY \"a\"\"b.c (d\" () FROM stdin;\n"};
	struct rows_summary *s = calloc(1, sizeof(*s));
	BUF_AUTO b = BUF_INIT(MOST);

	(void)state;
	look("", 0, 1, s);
	assert_int_equal(s->tables[ROWS_ALL].rows, 0);
	for (size_t i = 0; i < sizeof(starts) / sizeof(*starts); i++)
		for (int fill = 0; fill < 6; fill++) {
			b.n = 0;
			put(&b, "%s", starts[i]);
			assert_int_equal(buf_reserve(&b, 100000, NULL), 0);
			for (size_t k = 0; k < 100000; k++)
				b.p[b.n++] = fill == 0	 ? 0
					     : fill == 1 ? any_byte()
					     : fill == 2 ? (uint8_t) "),("[k % 3]
					     : fill == 3 ? '\n'
					     : fill == 4 ? (uint8_t) "INSERT INTO a VALUES (1);\n"[k % 26]
							 : 'A';
			look_in_pieces(&b, s);
			assert_true(s->n >= ROWS_OWN && s->n <= ROWS_TABLES);
		}
	free(s);
}

/* ---- what is usual, and harm ---- */

struct clinic {
	struct rows_past past;
	struct rows_verdict said;
	uint64_t night;
};

/* A night of that dump; what came before counts as it says. */
static void night(struct clinic *c, struct buf *b, enum rows_trust before)
{
	rows_past_take(&c->past, before);
	look(b->p, b->n, b->n, &c->past.newest);
	c->past.newest.generation = ++c->night;
	rows_judge(&c->past.newest, &c->past.usual, 1, &c->said);
	b->n = 0;
}

static struct clinic *clinic_new(unsigned nights)
{
	struct clinic *c = calloc(1, sizeof(*c));
	BUF_AUTO b = BUF_INIT(MOST);

	while (c->night < nights) {
		put_copy(&b, "public.patients", 2000 + 5 * c->night, 0);
		put_copy(&b, "public.visits", 5000 + 50 * c->night, 0);
		put_copy(&b, "public.tokens", 300, 300);
		night(c, &b, ROWS_TRUSTED);
		assert_int_equal(c->said.harmed, 0);
		assert_string_equal(c->said.say, "");
		assert_int_equal(c->said.tables, c->night > 1 ? 3 : 0);
	}
	return c;
}

static void test_ciphertext_is_harm(void **state)
{
	struct clinic *c = clinic_new(10);
	BUF_AUTO b = BUF_INIT(MOST);

	(void)state;
	for (int again = 0; again < 3; again++) { /* what is doubted is never usual */
		put_copy(&b, "public.patients", 2050, 0);
		put_copy(&b, "public.visits", 5500, 100);
		put_copy(&b, "public.tokens", 300, 300);
		night(c, &b, again ? ROWS_DOUBTED : ROWS_TRUSTED);
		assert_int_equal(c->said.harmed, 1);
		assert_string_equal(c->said.say, "visits: rows look encrypted");
	}
	put_copy(&b, "public.patients", 2050, 0);
	put_copy(&b, "public.visits", 5500, 100);
	put_copy(&b, "public.tokens", 300, 300);
	put_copy(&b, "public.sealed", 900, 900); /* new, and so from the beginning */
	night(c, &b, ROWS_ACCEPTED);
	assert_int_equal(c->said.harmed, 0);
	put_copy(&b, "public.patients", 2050, 2050);
	put_copy(&b, "public.visits", 5500, 100);
	put_copy(&b, "public.tokens", 300, 300);
	put_copy(&b, "public.sealed", 900, 900);
	night(c, &b, ROWS_TRUSTED);
	assert_non_null(strstr(c->said.say, "patients: rows look encrypted"));
	assert_non_null(strstr(c->said.say, "patients: rows are half or twice as long as usual"));
	free(c);
}

static void test_rows_gone(void **state)
{
	struct clinic *c = clinic_new(10);
	BUF_AUTO b = BUF_INIT(MOST);

	(void)state;
	put_copy(&b, "public.patients", 1250, 0);
	put_copy(&b, "public.visits", 4700, 0); /* an archive of 14 % */
	put_copy(&b, "public.tokens", 20, 20);	/* too few to be judged */
	night(c, &b, ROWS_TRUSTED);
	assert_string_equal(c->said.say, "patients: up to 39 % of the rows are gone");
	put_copy(&b, "public.patients", 2050, 0);
	put_copy(&b, "public.visits", 400, 0);
	put_copy(&b, "public.tokens", 300, 300);
	night(c, &b, ROWS_DOUBTED);
	assert_int_equal(c->said.harmed, 2);
	assert_non_null(strstr(c->said.say, "all tables together lost 6"));
	put_copy(&b, "public.patients", 2050, 0);
	night(c, &b, ROWS_DOUBTED);
	assert_non_null(strstr(c->said.say, "tables are gone: 1, with 5450 rows"));
	put_copy(&b, "public.patients", 2050, 0);
	put_copy(&b, "public.visits_2026", 5500, 0); /* under another name */
	put_copy(&b, "public.tokens", 300, 300);
	night(c, &b, ROWS_DOUBTED);
	assert_int_equal(c->said.harmed, 0);
	free(c);
}

/* By habit: what a person accepted may be again. */
static void test_habit(void **state)
{
	struct clinic *c = clinic_new(10);
	BUF_AUTO b = BUF_INIT(MOST);
	unsigned alarms = 0;

	(void)state;
	for (int i = 0; i < 8; i++) {
		bool before = c->said.harmed;

		put_copy(&b, "public.patients", 2050, 0);
		put_copy(&b, "public.visits", 5500, 0);
		put_copy(&b, "public.tokens", 300, 300);
		put_copy(&b, "public.queue", i % 2 ? 900 : 90, 0);
		night(c, &b, before ? ROWS_ACCEPTED : ROWS_TRUSTED);
		alarms += c->said.harmed != 0;
	}
	assert_int_equal(alarms, 1);
	/* little by little is no habit */
	for (size_t rows = 2050; rows > 1100; rows = rows * 97 / 100) {
		put_copy(&b, "public.patients", rows, 0);
		put_copy(&b, "public.visits", 5500, 0);
		put_copy(&b, "public.tokens", 300, 300);
		put_copy(&b, "public.queue", 90, 0);
		night(c, &b, ROWS_TRUSTED);
		if (c->said.harmed)
			break;
	}
	if (!strstr(c->said.say, "patients: up to 1"))
		fail_msg("%s", c->said.say);
	free(c);
}

static void test_probe(void **state)
{
	static const struct {
		uint64_t value;
		bool harmed;
	} nights[] = {{2000, false}, {2001, false}, {2003, false}, {2004, false}, {1300, true}, {2005, false},
	    {0, true}};
	struct rows_past *past = calloc(1, sizeof(*past));
	struct rows_verdict v = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(nights) / sizeof(*nights); i++) {
		rows_past_take(past, v.harmed ? ROWS_DOUBTED : ROWS_TRUSTED);
		past->newest.generation = i + 1;
		past->newest.n_probes = 1;
		past->newest.probes[0] = nights[i].value;
		rows_judge(&past->newest, &past->usual, 1, &v);
		assert_int_equal(v.harmed, nights[i].harmed);
		assert_int_equal(*v.say != 0, nights[i].harmed);
	}
	free(past);
}

static void test_file(void **state)
{
	struct clinic *c = clinic_new(4);
	struct rows_past *again = calloc(1, sizeof(*again));
	BUF_AUTO b = BUF_INIT(ROWS_FILE_MAX);

	(void)state;
	assert_int_equal(rows_past_format(&c->past, &b, NULL), 0);
	assert_null(memmem(b.p, b.n, "patients", 8)); /* no names on the disk */
	assert_true(rows_past_parse(b.p, b.n, again));
	assert_int_equal(again->usual.n, c->past.usual.n);
	assert_int_equal(again->newest.generation, 4);
	rows_judge(&c->past.newest, &again->usual, 1, &c->said);
	assert_int_equal(c->said.tables, 3);
	assert_int_equal(c->said.harmed, 0);
	for (size_t n = 0; n < b.n; n++) {
		assert_false(rows_past_parse(b.p, n, again));
		assert_int_equal(again->usual.n + again->newest.n + again->newest.generation, 0);
	}
	/* whatever stands in it */
	for (size_t i = 12; i < b.n; i += 7) {
		uint8_t was = b.p[i];

		b.p[i] = 0xff;
		if (rows_past_parse(b.p, b.n, again)) {
			rows_past_take(again, ROWS_TRUSTED);
			rows_judge(&c->past.newest, &again->usual, 2, &c->said);
		}
		b.p[i] = was;
	}
	free(again);
	free(c);
}

/* A table's name is said only when it can be: whole characters, no control ones; and never more than there is room for. */
static void test_words(void **state)
{
	struct clinic *c = calloc(1, sizeof(*c));
	BUF_AUTO b = BUF_INIT(MOST);

	(void)state;
	text_set_lang(TEXT_JA); /* the longer one */
	for (int i = 0; i < 2; i++) {
		for (int k = 0; k < 6; k++) {
			char name[160];

			snprintf(name, sizeof(name), "public.\"%s%d\"",
			    k ? "とても長い名前のテーブルでおわりは切られる" : "a\033[31m", k);
			put_copy(&b, name, 900, i ? 900 : 0);
		}
		night(c, &b, ROWS_TRUSTED);
	}
	assert_true(c->said.harmed >= 2);
	assert_true(strlen(c->said.say) < ROWS_SAY);
	assert_null(strchr(c->said.say, '\033'));
	assert_non_null(strstr(c->said.say, "ほか 3 表: 行が暗号化されたように見えます"));
	text_set_lang(TEXT_EN);
	free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ciphertext),
	    cmocka_unit_test(test_no_ciphertext),
	    cmocka_unit_test(test_copy),
	    cmocka_unit_test(test_insert),
	    cmocka_unit_test(test_many_tables),
	    cmocka_unit_test(test_pgdump),
	    cmocka_unit_test(test_ceiling),
	    cmocka_unit_test(test_compressed_sql),
	    cmocka_unit_test(test_hostile),
	    cmocka_unit_test(test_ciphertext_is_harm),
	    cmocka_unit_test(test_rows_gone),
	    cmocka_unit_test(test_habit),
	    cmocka_unit_test(test_probe),
	    cmocka_unit_test(test_file),
	    cmocka_unit_test(test_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
