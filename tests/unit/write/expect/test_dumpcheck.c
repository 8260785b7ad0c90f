/* dumpcheck: what is whole is taken, what is cut off at any byte is not; the dumps are made by the tools
 * themselves. */
#include <stdbool.h>

#include "unit.h"
#include "scratch.h"

#include "base/err.h"
#include "format/policy/policy.h"
#include "write/expect/dumpcheck.h"

/* In pieces of `step` bytes. */
static int check(unsigned kind, const void *p, size_t n, size_t step, struct err *err)
{
	struct dumpcheck *d = NULL;
	int r;

	assert_int_equal(dumpcheck_new(kind, &d, NULL), 0);
	for (size_t at = 0; at < n; at += step)
		dumpcheck_feed(d, (const uint8_t *)p + at, n - at < step ? n - at : step);
	r = dumpcheck_end(d, err);
	dumpcheck_free(d);
	return r;
}

static void read_all(const char *name, struct buf *out)
{
	FILE *f = fopen(in_scratch(name), "rb");
	size_t n;

	assert_non_null(f);
	out->n = 0;
	do {
		assert_int_equal(buf_reserve(out, 65536, NULL), 0);
		n = fread(out->p + out->n, 1, 65536, f);
		out->n += n;
	} while (n);
	fclose(f);
}

#define NEAR	250 /* bytes at both ends, of which each is a place to cut */
#define BETWEEN 400 /* about so many places between them */

/* The next place to cut: every byte where structure is dense, and a sample, never in step with it, between.
 */
static size_t next_cut(size_t n, size_t whole)
{
	size_t stride = whole / BETWEEN | 1;

	return n < NEAR || n + NEAR + stride >= whole ? n + 1 : n + stride;
}

/* Whole in pieces of any size; cut off, up to its last `loose` bytes, it is refused. */
static void cut_anywhere(unsigned kind, const struct buf *b, size_t loose)
{
	struct err err = ERR_INIT;

	for (size_t step = 1; step < 70000; step = step * 7 + 1)
		if (check(kind, b->p, b->n, step, &err))
			fail_msg("a whole one is refused: %s", err.msg);
	for (size_t n = 0; n + loose < b->n; n = next_cut(n, b->n)) {
		if (check(kind, b->p, n, 5000, &err) != -1)
			fail_msg("%zu of %zu bytes are taken for a whole one", n, b->n);
		if (n > 100 && strcmp(err.code, "E-EXPECT-02") != 0)
			fail_msg("%zu of %zu bytes: %s %s", n, b->n, err.code, err.msg);
	}
}

static void refused(unsigned kind, const void *p, size_t n, const char *code)
{
	struct err err = ERR_INIT;

	if (check(kind, p, n, 100, &err) != -1)
		fail_msg("taken for whole");
	if (strcmp(err.code, code) != 0)
		fail_msg("%s %s instead of %s", err.code, err.msg, code);
	assert_true(err.hint[0]);
}

/* ---- pg_dump's custom format, by hand: what real dumps do not have too ---- */

static void put_int(struct buf *b, int64_t v)
{
	uint8_t x[5] = {v < 0};
	uint64_t m = (uint64_t)(v < 0 ? -v : v);

	for (int i = 0; i < 4; i++)
		x[i + 1] = (uint8_t)(m >> 8 * i);
	assert_int_equal(buf_append(b, x, 5, NULL), 0);
}

static void put_str(struct buf *b, const char *s)
{
	put_int(b, s ? (int64_t)strlen(s) : -1);
	if (s)
		assert_int_equal(buf_puts(b, s, NULL), 0);
}

static void put_bytes(struct buf *b, const char *p, size_t n)
{
	assert_int_equal(buf_append(b, p, n, NULL), 0);
}

/* One table with data, one entry without, large objects; of version 1.minor. */
static void make_pgdump(struct buf *b, int minor)
{
	char head[11] = {'P', 'G', 'D', 'M', 'P', 1, (char)minor, 0, 4, 8, 1};

	b->n = 0;
	put_bytes(b, head, 11);
	if (minor >= 15)
		put_bytes(b, "\0", 1);
	else
		put_int(b, -1);
	for (int i = 0; i < 7; i++)
		put_int(b, 5);
	put_str(b, "emr");
	put_str(b, "15.18");
	put_str(b, "15.18");
	put_int(b, 3);
	for (int i = 0; i < 3; i++) {
		put_int(b, 100 + i);
		put_int(b, i != 1);
		for (int k = 0; k < 4; k++)
			put_str(b, "text");
		put_int(b, 3);
		for (int k = 0; k < 5; k++)
			put_str(b, k % 2 ? NULL : "create table");
		if (minor >= 14)
			put_str(b, "heap");
		if (minor >= 16)
			put_int(b, 'r');
		put_str(b, "owner");
		put_str(b, "false");
		if (i)
			put_str(b, "100");
		put_str(b, NULL);
		put_bytes(b, i == 1 ? "\3\0\0\0\0\0\0\0\0" : "\1\0\0\0\0\0\0\0\0", 9);
	}
	put_bytes(b, "\1", 1);
	put_int(b, 100);
	put_str(b, "some data");
	put_str(b, "more");
	put_int(b, 0);
	put_bytes(b, "\3", 1);
	put_int(b, 102);
	for (int i = 1; i < 3; i++) {
		put_int(b, 16000 + i);
		put_str(b, "object");
		put_int(b, 0);
	}
	put_int(b, 0);
}

static void test_pgdump_versions(void **state)
{
	BUF_AUTO b = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	(void)state;
	for (int minor = 11; minor <= 16; minor++) {
		make_pgdump(&b, minor);
		cut_anywhere(POLICY_CONTENT_PGDUMP, &b, 0);
	}
	put_bytes(&b, "\0", 1);
	refused(POLICY_CONTENT_PGDUMP, b.p, b.n, "E-EXPECT-04");
	/* of a later version: no false alarm, and no false promise */
	make_pgdump(&b, 17);
	assert_int_equal(check(POLICY_CONTENT_PGDUMP, b.p, b.n, 3, &err), DUMPCHECK_UNKNOWN);
	assert_string_equal(err.code, "W-EXPECT-01");
	assert_non_null(strstr(err.msg, "1.17"));
	assert_int_equal(check(POLICY_CONTENT_PGDUMP, b.p, 12, 3, &err), DUMPCHECK_UNKNOWN);
	/* other things */
	refused(POLICY_CONTENT_PGDUMP, "pg_dump: error: no such database", 32, "E-EXPECT-01");
	refused(POLICY_CONTENT_PGDUMP, "ls", 2, "E-EXPECT-01");
	refused(POLICY_CONTENT_PGDUMP, "", 0, "E-EXPECT-02");
	make_pgdump(&b, 14);
	b.p[10] = 3;
	refused(POLICY_CONTENT_PGDUMP, b.p, b.n, "E-EXPECT-01"); /* -Ft */
}

/* Bytes that are wrong somewhere never crash it, and wherever they are structure they are told. */
static void test_pgdump_damaged(void **state)
{
	BUF_AUTO b = BUF_INIT(1 << 20);
	size_t told = 0;

	(void)state;
	make_pgdump(&b, 14);
	for (size_t i = 0; i < b.n; i++) {
		uint8_t old = b.p[i];

		b.p[i] = 0xff;
		told += check(POLICY_CONTENT_PGDUMP, b.p, b.n, 7, NULL) == -1;
		b.p[i] = old;
	}
	assert_true(told > b.n / 3);
}

static void test_pgdump_real(void **state)
{
	BUF_AUTO b = BUF_INIT(16 << 20);
	struct err err = ERR_INIT;

	(void)state;
	if (getuid() != 0 || sh("ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1"))
		skip();
	assert_int_equal(sh("set -e; B=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1); mkdir pg; chown "
			    "postgres pg; chmod 755 .; P=$PWD/pg\n"
			    "as() { (cd /; runuser -u postgres -- \"$@\"); }\n"
			    "as $B/initdb -N -D $P/d -E UTF8 --locale=C.UTF-8 -A trust >/dev/null\n"
			    "printf \"listen_addresses=''\\nunix_socket_directories='%%s'\\nfsync=off\\n\" "
			    "$P >>$P/d/postgresql.conf\n"
			    "as $B/pg_ctl -D $P/d -l $P/log -w start >/dev/null\n"
			    "trap 'as $B/pg_ctl -D $P/d -m immediate stop >/dev/null' EXIT\n"
			    "as $B/psql -h $P -q postgres -c \"create table t(a int primary key, b text); "
			    "insert into t select i, md5(i::text) "
			    "from generate_series(1,60) i; create table u(c text); insert into u values "
			    "('x'); create table empty(d int); "
			    "create materialized view m as select * from t\" -c \"select lo_from_bytea(0, "
			    "'large object')\" >/dev/null\n"
			    "as $B/pg_dump -h $P -Fc postgres >a.dump\n"
			    "as $B/pg_dump -h $P -Fc -Z0 --no-blobs postgres >b.dump\n"
			    "as $B/pg_dump -h $P -Fc -f $P/c.dump postgres && mv $P/c.dump c.dump\n"
			    "as $B/pg_dump -h $P -Fc --schema-only postgres >d.dump\n"
			    "as $B/pg_dump -h $P -Fc --section=data postgres >e.dump\n"
			    "as $B/pg_dump -h $P -Fc -t u -t empty postgres >f.dump\n"
			    "as $B/pg_dump -h $P -Ft postgres >g.dump\n"
			    "as $B/pg_dump -h $P postgres >a.sql\n"
			    "as $B/pg_dumpall -h $P >b.sql\n"
			    "as $B/pg_dumpall -h $P -g >c.sql\n"
			    "chown root: *.dump"),
	    0);
	for (char c = 'a'; c <= 'f'; c++) {
		char name[] = {c, '.', 'd', 'u', 'm', 'p', 0};

		read_all(name, &b);
		cut_anywhere(POLICY_CONTENT_PGDUMP, &b, 0);
	}
	refused(POLICY_CONTENT_PGDUMP, "PGDMP", 5, "E-EXPECT-02");
	read_all("g.dump", &b);
	refused(POLICY_CONTENT_PGDUMP, b.p, b.n, "E-EXPECT-01");
	assert_int_equal(check(POLICY_CONTENT_TAR, b.p, b.n, 1000, &err), 0);
	/* SQL is text: without blank lines behind the last one it is whole as well */
	for (char c = 'a'; c <= 'c'; c++) {
		char name[] = {c, '.', 's', 'q', 'l', 0};
		size_t loose = 0;

		read_all(name, &b);
		while (b.p[b.n - 1 - loose] == '\n')
			loose++;
		cut_anywhere(POLICY_CONTENT_PGDUMPALL, &b, loose ? loose - 1 : 0);
		refused(POLICY_CONTENT_PGDUMPALL, b.p, b.n / 2, "E-EXPECT-02");
	}
}

/* ---- SQL of MariaDB ---- */

static void test_mysqldump(void **state)
{
	static const char *const good[] = {
	    "-- MariaDB dump 10.19\nCREATE TABLE `t` (`a` int);\n-- Dump completed on 2026-11-21  2:00:01\n",
	    "-- MySQL dump 10.13\n\n-- Dump completed\n\n",
	    "-- MySQL dump\r\n-- Dump completed on 2026-11-21\r\n",
	};
	BUF_AUTO b = BUF_INIT(1 << 20);

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		b.n = 0;
		put_bytes(&b, good[i], strlen(good[i]));
		cut_anywhere(POLICY_CONTENT_MYSQLDUMP, &b, i == 1 ? 1 : 0);
	}
	b.n = 0;
	put_bytes(&b, "-- MySQL dump\n", 14);
	for (int i = 0; i < 3000; i++)
		put_bytes(&b, "INSERT INTO `t` VALUES (1);\n", 28);
	refused(POLICY_CONTENT_MYSQLDUMP, b.p, b.n, "E-EXPECT-02");
	put_bytes(&b, "-- Dump completed\n", 18);
	assert_int_equal(check(POLICY_CONTENT_MYSQLDUMP, b.p, b.n, 333, NULL), 0);
	refused(POLICY_CONTENT_MYSQLDUMP, "x", 1, "E-EXPECT-02");
}

/* ---- gzip, zip, tar ---- */

static void test_gzip(void **state)
{
	BUF_AUTO b = BUF_INIT(1 << 20);

	(void)state;
	assert_int_equal(sh("seq 1 3000 | gzip -n >one.gz; (seq 1 300 | gzip -n; : | gzip -n; seq 5 9 | gzip "
			    "-n) >three.gz"),
	    0);
	read_all("one.gz", &b);
	cut_anywhere(POLICY_CONTENT_GZIP, &b, 0);
	b.p[b.n - 5] ^= 1;
	refused(POLICY_CONTENT_GZIP, b.p, b.n, "E-EXPECT-03"); /* its checksum */
	b.p[b.n - 5] ^= 1;
	put_bytes(&b, "garbage", 7);
	refused(POLICY_CONTENT_GZIP, b.p, b.n, "E-EXPECT-04");
	b.n -= 7;
	put_bytes(&b, "\0\0\0\0", 4); /* as gzip itself takes it */
	assert_int_equal(check(POLICY_CONTENT_GZIP, b.p, b.n, 3, NULL), 0);
	put_bytes(&b, "x", 1);
	refused(POLICY_CONTENT_GZIP, b.p, b.n, "E-EXPECT-04");
	read_all("three.gz", &b);
	for (size_t step = 1; step < 100; step++)
		assert_int_equal(check(POLICY_CONTENT_GZIP, b.p, b.n, step, NULL), 0);
	refused(POLICY_CONTENT_GZIP, b.p, b.n - 1, "E-EXPECT-02");
	refused(POLICY_CONTENT_GZIP, "plain text", 10, "E-EXPECT-01");
	refused(POLICY_CONTENT_GZIP, "\0\0\0\0\0\0", 6, "E-EXPECT-01"); /* padding of nothing */
}

static void test_zip(void **state)
{
	BUF_AUTO b = BUF_INIT(16 << 20);
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(
	    sh("python3 -c \"\n"
	       "import zipfile\n"
	       "z = zipfile.ZipFile('a.zip', 'w'); z.writestr('x', b'1' * 3000); z.writestr('y', b'2')\n"
	       "z.comment = b'said'; z.close()\n"
	       "z = zipfile.ZipFile('b.zip', 'w', zipfile.ZIP_DEFLATED)\n"
	       "for i in range(66000): z.writestr(str(i), b'')\n"
	       "z.close()\n"
	       "zipfile.ZipFile('c.zip', 'w').close()\n\""),
	    0);
	read_all("a.zip", &b);
	cut_anywhere(POLICY_CONTENT_ZIP, &b, 0);
	put_bytes(&b, "x", 1);
	refused(POLICY_CONTENT_ZIP, b.p, b.n, "E-EXPECT-02"); /* no end where one must be */
	memmove(b.p + 100, b.p + 110, b.n - 111);	      /* a piece is missing in the middle */
	refused(POLICY_CONTENT_ZIP, b.p, b.n - 11, "E-EXPECT-02");
	read_all("b.zip", &b); /* zip64 */
	if (check(POLICY_CONTENT_ZIP, b.p, b.n, 65536, &err))
		fail_msg("%s", err.msg);
	for (size_t cut = 1; cut < 200; cut += cut < 4 ? 1 : 19)
		refused(POLICY_CONTENT_ZIP, b.p, b.n - cut, "E-EXPECT-02");
	read_all("c.zip", &b);
	assert_int_equal(check(POLICY_CONTENT_ZIP, b.p, b.n, 1, NULL), 0);
	refused(POLICY_CONTENT_ZIP, "PDF!", 4, "E-EXPECT-01");
}

static void test_tar(void **state)
{
	static const char *const names[] = {
	    "gnu", "pax", "ustar", "v7", "oldgnu", "bsd", "py", "sparse", "sparse1"};
	BUF_AUTO b = BUF_INIT(16 << 20);
	char name[40];

	(void)state;
	assert_int_equal(
	    sh("mkdir d; seq 1 500 >d/a; : >d/empty; ln d/a d/b; ln -s a d/c; truncate -s 1M d/sparse; "
	       "for i in 1 2 3 4 5 6 7 8 9; do printf x | dd of=d/sparse bs=1 seek=$((i*100000)) "
	       "conv=notrunc "
	       "status=none; done; for f in gnu pax ustar v7 oldgnu; do tar -b1 -c --format=$f -f $f.tar d; "
	       "done; "
	       "n=$(printf 'long%%060d' 7); mkdir -p d/$n/$n; echo x >d/$n/$n/$n; "
	       "bsdtar -b 1 -cf bsd.tar d; tar -b1 --format=gnu --sparse -cf sparse.tar d; "
	       "tar -b1 --format=pax --sparse -cf sparse1.tar d; "
	       "python3 -c \"import tarfile; t = tarfile.open('py.tar', 'w'); t.add('d'); t.close()\""),
	    0);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		size_t loose = 0;

		snprintf(name, sizeof(name), "%s.tar", names[i]);
		read_all(name, &b);
		for (size_t step = 1; step < 70000; step = step * 7 + 1) {
			struct err err = ERR_INIT;

			if (check(POLICY_CONTENT_TAR, b.p, b.n, step, &err))
				fail_msg("%s: %s", name, err.msg);
		}
		while (!b.p[b.n - 1 - loose])
			loose++;
		/* blocks behind the end mark may be missing */
		for (size_t n = 0; n < b.n && n < b.n - loose + 1024; n = next_cut(n, b.n))
			if (check(POLICY_CONTENT_TAR, b.p, n, 4096, NULL) != -1)
				fail_msg("%s: %zu of %zu bytes are taken for a whole one", name, n, b.n);
	}
	put_bytes(&b, "x", 1);
	b.n += 511;
	memset(b.p + b.n - 511, 0, 511);
	refused(POLICY_CONTENT_TAR, b.p, b.n, "E-EXPECT-04");
	read_all("gnu.tar", &b);
	b.p[150] ^= 1;
	refused(POLICY_CONTENT_TAR, b.p, b.n, "E-EXPECT-01");
	b.p[150] ^= 1;
	b.p[512 + 150] ^= 1;
	refused(POLICY_CONTENT_TAR, b.p, b.n, "E-EXPECT-03");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_pgdump_versions),
	    cmocka_unit_test(test_pgdump_damaged),
	    cmocka_unit_test(test_pgdump_real),
	    cmocka_unit_test(test_mysqldump),
	    cmocka_unit_test(test_gzip),
	    cmocka_unit_test(test_zip),
	    cmocka_unit_test(test_tar),
	};

	return cmocka_run_group_tests(tests, scratch_setup_memory, scratch_teardown);
}
