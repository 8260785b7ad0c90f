/* arcfile: archives that stock age, tar and lz4 read; an INDEX that says anything else than it should is
 * refused. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "unit.h"
#include "base/err.h"
#include "format/crypto/age.h"
#include "format/medium/arcfile.h"
#include "format/medium/codec.h"
#include "scratch.h"

#define REPO "11111111-2222-4333-8444-555555555555"

static void fill(void *arg, void *p, size_t n)
{
	(void)arg;
	randombytes_buf(p, n);
}

static const struct age_random rnd = {fill, NULL};
static struct age_identity identity;
static struct age_recipient recipient;

static int setup(void **state)
{
	char secret[AGE_IDENTITY_TEXT];

	if (sodium_init() < 0 || scratch_setup(state))
		return -1;
	age_identity_generate(&rnd, &identity);
	age_identity_format(&identity, secret);
	put_file("identity", secret, strlen(secret));
	return age_identity_recipient(&identity, &recipient);
}

static void id_of(unsigned i, uint8_t id[DIGEST_LEN])
{
	char text_[32];

	snprintf(text_, sizeof(text_), "chunk %u", i);
	digest_sha256(text_, strlen(text_), id);
}

/* An archive of n chunks of the given raw size (each different), as ciphertext. */
static void make(uint64_t number, unsigned n, size_t size, struct buf *out)
{
	struct codec *codec = codec_new();
	struct arcfile_writer *w = NULL;
	uint8_t *raw = malloc(size + n);
	struct err err = ERR_INIT;
	BUF_AUTO frame = BUF_INIT(codec_bound(CODEC_RAW_MAX));
	uint8_t index_sha256[DIGEST_LEN];

	assert_int_equal(arcfile_writer_new(REPO, "emr", number, &recipient, 1, &rnd, out, &w, &err), 0);
	for (unsigned i = 0; i < n; i++) {
		uint8_t id[DIGEST_LEN];
		uint64_t before = arcfile_writer_size(w);

		noise(raw, size + i, i);
		frame.n = 0;
		assert_int_equal(codec_pack(codec, CODEC_LZ4, raw, size + i, &frame, &err), 0);
		id_of(i, id);
		assert_int_equal(arcfile_writer_chunks(w), i);
		assert_int_equal(arcfile_writer_add(w, id, frame.p, frame.n, size + i, out, &err), 0);
		assert_int_equal(arcfile_writer_size(w), before + 512 + (frame.n + 511) / 512 * 512);
	}
	assert_int_equal(arcfile_writer_finish(w, out, index_sha256, &err), 0);
	arcfile_writer_free(w);
	codec_free(codec);
	free(raw);
}

/* The plaintext, by our own age, which has tests of its own. */
static void make_plain(uint64_t number, unsigned n, size_t size, struct buf *plain)
{
	BUF_AUTO cipher = BUF_INIT(64 << 20);

	make(number, n, size, &cipher);
	assert_int_equal(age_decrypt(cipher.p, cipher.n, &identity, 1, plain, NULL), 0);
}

static int locate(const uint8_t *plain, size_t size, uint64_t *offset, size_t *len, struct err *err)
{
	size_t n = size < ARCFILE_TAIL ? size : ARCFILE_TAIL;
	uint8_t *tail = malloc(n ? n : 1); /* of its exact size: the sanitizer sees a byte too far */
	int r;

	memcpy(tail, plain + size - n, n);
	r = arcfile_index_locate(tail, n, size, offset, len, err);
	free(tail);
	return r;
}

static int parse(const char *text_, size_t n, uint64_t offset, struct arcfile_index **ret, struct err *err)
{
	char *exact = malloc(n ? n : 1);
	int r;

	memcpy(exact, text_, n);
	r = arcfile_index_parse(exact, n, offset, REPO, "emr", 42, ret, err);
	free(exact);
	return r;
}

/* ---- whole archives ---- */

static const char checker[] =
    "import sys,tarfile,subprocess,hashlib\n"
    "n=int(sys.argv[1]); data=open('plain','rb').read()\n"
    "assert len(data)%512==0 and data[-1024:]==b'\\0'*1024 and data[-1536:-1024]!=b'\\0'*512\n"
    "t=tarfile.open('plain'); m=t.getmembers()\n"
    "assert [x.name for x in m][-1]=='INDEX' and len(m)==n+1\n"
    "for x in m: assert x.isreg() and x.mode==0o444 and x.mtime==0 and x.uid==0 and x.gid==0, x\n"
    "text=t.extractfile('INDEX').read(); lines=text.decode().split('\\n')\n"
    "assert lines[0]=='bkp-index 1 " REPO " emr 42' and lines[-1]=='' and len(lines)==n+3\n"
    "assert lines[n+1]=='end %d %d'%(n,m[-1].offset_data)\n"
    "for i in range(n):\n"
    "  id,off,stored,raw=lines[1+i].split(' '); off=int(off); stored=int(stored)\n"
    "  assert m[i].name==id+'.lz4' and m[i].offset_data==off and m[i].size==stored\n"
    "  assert id==hashlib.sha256(b'chunk %d'%i).hexdigest()\n"
    "  if i<5:\n"
    "    p=subprocess.run(['lz4','-d','-q'],input=data[off:off+stored],stdout=subprocess.PIPE,check=True)\n"
    "    assert len(p.stdout)==int(raw)\n"
    "    open('raw%d'%i,'wb').write(p.stdout)\n";

static void stock_tools_read_it(void **state)
{
	static const struct {
		unsigned n;
		size_t size;
	} kinds[] = {{0, 1}, {4, 510}, {2, (4 << 20) - 1}, {900, 40}};

	(void)state;
	put_file("check.py", checker, strlen(checker));
	for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
		BUF_AUTO cipher = BUF_INIT(64 << 20);

		make(42, kinds[k].n, kinds[k].size, &cipher);
		put_file("a.age", cipher.p, cipher.n);
		assert_int_equal(
		    sh("age -d -i identity a.age >plain && tar tf plain >list && python3 check.py %u",
			kinds[k].n),
		    0);
		for (unsigned i = 0; i < kinds[k].n && i < 5; i++) {
			uint8_t *raw = malloc(kinds[k].size + i);
			char name[16];
			BUF_AUTO got = BUF_INIT(5 << 20);

			noise(raw, kinds[k].size + i, i);
			snprintf(name, sizeof(name), "raw%u", i);
			get_file(name, &got);
			assert_int_equal(got.n, kinds[k].size + i);
			assert_memory_equal(got.p, raw, got.n);
			free(raw);
		}
	}
}

static void what_is_written_is_read_at_random(void **state)
{
	static const unsigned counts[] = {0, 1, 2, 700, 3000};

	(void)state;
	for (size_t k = 0; k < sizeof(counts) / sizeof(*counts); k++) {
		struct codec *codec = codec_new();
		struct arcfile_index *ix = NULL;
		struct err err = ERR_INIT;
		BUF_AUTO plain = BUF_INIT(64 << 20);
		uint64_t offset = 0;
		size_t len = 0;

		make_plain(42, counts[k], 100, &plain);
		assert_int_equal(locate(plain.p, plain.n, &offset, &len, &err), 0);
		assert_memory_equal(plain.p + offset, "bkp-index 1 " REPO " emr 42\n", 56);
		assert_int_equal(parse((char *)plain.p + offset, len, offset, &ix, &err), 0);
		assert_int_equal(ix->n, counts[k]);
		assert_int_equal(ix->number, 42);
		for (unsigned i = 0; i < ix->n; i++) {
			uint8_t raw[4000], want[4000], id[DIGEST_LEN];
			const struct arcfile_chunk *c = &ix->chunks[i];

			id_of(i, id);
			assert_memory_equal(c->id, id, DIGEST_LEN);
			assert_int_equal(c->raw, 100 + i);
			noise(want, c->raw, i);
			assert_int_equal(
			    codec_unpack(codec, plain.p + c->offset, c->stored, raw, c->raw, &err), 0);
			assert_memory_equal(raw, want, c->raw);
		}
		arcfile_index_free(ix);
		codec_free(codec);
	}
	arcfile_index_free(NULL);
}

/* A file key of its own for each: two archives of the same chunks share nothing. */
static void no_two_archives_are_alike(void **state)
{
	BUF_AUTO a = BUF_INIT(64 << 20);
	BUF_AUTO b = BUF_INIT(64 << 20);

	(void)state;
	make(42, 3, 1000, &a);
	make(42, 3, 1000, &b);
	assert_int_equal(a.n, b.n);
	assert_memory_not_equal(a.p + 200, b.p + 200, a.n - 200);
}

static void the_name_is_what_sha256sum_says(void **state)
{
	uint8_t sha256[DIGEST_LEN];
	char path[ARCFILE_PATH];

	(void)state;
	put_file("bytes", "abc", 3);
	digest_sha256("abc", 3, sha256);
	arcfile_path(sha256, path);
	assert_int_equal(strlen(path), 80);
	assert_int_equal(
	    sh("h=$(sha256sum <bytes | cut -c1-64); test archives/$(echo $h | cut -c1-2)/$h.age = %s", path),
	    0);
}

/* ---- INDEX, mutated ---- */

#define A    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B    "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define HEAD "bkp-index 1 " REPO " emr 42\n"

static void index_refused(const char *text_, uint64_t offset, const char *code)
{
	struct arcfile_index *ix = NULL;
	struct err err = ERR_INIT;

	if (!parse(text_, strlen(text_), offset, &ix, &err))
		fail_msg("accepted: %s", text_);
	assert_null(ix);
	assert_string_equal(err.code, code);
	assert_true(strlen(err.msg) > 10);
}

static void index_accepted(const char *text_, uint64_t offset, size_t n)
{
	struct arcfile_index *ix = NULL;
	struct err err = ERR_INIT;

	if (parse(text_, strlen(text_), offset, &ix, &err))
		fail_msg("refused: %s: %s", err.msg, text_);
	assert_int_equal(ix->n, n);
	arcfile_index_free(ix);
}

static void lies_are_refused(void **state)
{
	(void)state;
	index_accepted(HEAD "end 0 512\n", 512, 0);
	index_accepted(HEAD A " 512 100 200\n" B " 1536 10 1\nend 2 2560\n", 2560, 2);
	index_accepted(HEAD A " 512 100 4194304\nend 1 1536\n", 1536, 1);
	index_accepted(HEAD A " 512 100 1\n" A " 612 10 1\nend 2 622\n", 622, 2); /* to the last byte */
	/* counts */
	index_refused(HEAD "end 1 512\n", 512, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 100 200\nend 0 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 100 200\nend 2 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 100 200\nend 01 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 100 200\nend 18446744073709551617 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 100 200\nend -1 2560\n", 2560, "E-ARCHIVE-01");
	/* no end, two ends, more behind it */
	index_refused(HEAD, 512, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 100 200\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD "end 0 512", 512, "E-ARCHIVE-01");
	index_refused(HEAD "end 0 512\nend 0 512\n", 512, "E-ARCHIVE-01");
	index_refused(HEAD "end 0 512\n\n", 512, "E-ARCHIVE-01");
	index_refused(HEAD "end 0 512 \n", 512, "E-ARCHIVE-01");
	index_refused(HEAD "end 0 512\r\n", 512, "E-ARCHIVE-01");
	index_refused(HEAD "end 0\n", 512, "E-ARCHIVE-01");
	/* its own place */
	index_refused(HEAD "end 0 513\n", 512, "E-ARCHIVE-01");
	index_refused(HEAD "end 0 512\n", 513, "E-ARCHIVE-01");
	/* overlapping, descending, beyond INDEX */
	index_refused(HEAD A " 512 100 200\n" B " 611 10 1\nend 2 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 1536 100 200\n" B " 512 10 1\nend 2 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 100 200\n" A " 512 100 200\nend 2 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 2500 100 200\nend 1 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 2560 1 1\nend 1 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 3000 1 1\nend 1 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 9223372036854775807 1 1\nend 1 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 18446744073709551615 2 1\nend 1 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 18446744073709552128 100 200\nend 1 2560\n", 2560, "E-ARCHIVE-01");
	/* lengths */
	index_refused(HEAD A " 512 0 200\nend 1 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 100 0\nend 1 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 100 4194305\nend 1 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 100 4294967297\nend 1 2560\n", 2560, "E-ARCHIVE-01");
	index_refused(HEAD A " 512 4294967396 200\nend 1 9000000000\n", 9000000000, "E-ARCHIVE-01");
	/* identity */
	index_refused(
	    "bkp-index 1 11111111-2222-4333-8444-555555555556 emr 42\nend 0 512\n", 512, "E-ARCHIVE-02");
	index_refused("bkp-index 1 " REPO "x emr 42\nend 0 512\n", 512, "E-ARCHIVE-02");
	/* of another data set */
	index_refused("bkp-index 1 " REPO " documents 42\nend 0 512\n", 512, "E-ARCHIVE-02");
	index_refused("bkp-index 1 " REPO " emr-x 42\nend 0 512\n", 512, "E-ARCHIVE-02");
	index_refused("bkp-index 1 " REPO " em 42\nend 0 512\n", 512, "E-ARCHIVE-02");
	index_refused("bkp-index 1 " REPO " EMR 42\nend 0 512\n", 512, "E-ARCHIVE-02");
	index_refused("bkp-index 1 " REPO "  42\nend 0 512\n", 512, "E-ARCHIVE-02");
	index_refused(
	    "bkp-index 1 " REPO " 42\nend 0 512\n", 512, "E-ARCHIVE-02"); /* none: of an old version */
	index_refused("bkp-index 1 " REPO " emr\nend 0 512\n", 512, "E-ARCHIVE-02");
	index_refused("bkp-index 1 " REPO " emr 43\nend 0 512\n", 512, "E-ARCHIVE-02");
	index_refused("bkp-index 1 " REPO " emr 4\nend 0 512\n", 512, "E-ARCHIVE-02");
	index_refused("bkp-index 1 " REPO " emr 042\nend 0 512\n", 512, "E-ARCHIVE-01");
	index_refused("bkp-index 1 " REPO " emr 18446744073709551658\nend 0 512\n", 512,
	    "E-ARCHIVE-01"); /* 2^64 + 42 */
	index_refused("bkp-index 2 " REPO " emr 42\nend 0 512\n", 512, "E-ARCHIVE-01");
	index_refused("", 512, "E-ARCHIVE-01");
}

static void any_number_is_taken_when_any_is_asked_for(void **state)
{
	static const char text_[] = "bkp-index 1 " REPO " emr 9223372036854775807\nend 0 512\n";
	struct arcfile_index *ix = NULL;

	(void)state;
	assert_int_equal(
	    arcfile_index_parse(text_, strlen(text_), 512, REPO, "emr", UINT64_MAX, &ix, NULL), 0);
	assert_int_equal(ix->number, INT64_MAX);
	arcfile_index_free(ix);
}

static void print(const struct arcfile_index *ix, uint64_t offset, struct buf *out)
{
	char hex[DIGEST_HEX];

	assert_int_equal(buf_printf(out, NULL, "bkp-index 1 " REPO " emr %" PRIu64 "\n", ix->number), 0);
	for (size_t i = 0; i < ix->n; i++)
		assert_int_equal(buf_printf(out, NULL, "%s %" PRIu64 " %u %u\n",
				     digest_hex(ix->chunks[i].id, DIGEST_LEN, hex), ix->chunks[i].offset,
				     ix->chunks[i].stored, ix->chunks[i].raw),
		    0);
	assert_int_equal(buf_printf(out, NULL, "end %zu %" PRIu64 "\n", ix->n, offset), 0);
}

/* Whatever is accepted must be exactly what a writer would have written for it: there is one text for one
 * meaning. */
static void accepted_only_if_canonical(const char *text_, size_t n, uint64_t offset)
{
	struct arcfile_index *ix = NULL;
	struct err err = ERR_INIT;
	BUF_AUTO again = BUF_INIT(1 << 20);

	if (parse(text_, n, offset, &ix, &err)) {
		assert_true(!strcmp(err.code, "E-ARCHIVE-01") || !strcmp(err.code, "E-ARCHIVE-02"));
		return;
	}
	print(ix, offset, &again);
	assert_int_equal(again.n, n);
	assert_memory_equal(again.p, text_, n);
	arcfile_index_free(ix);
}

static void every_byte_mutated(void **state)
{
	static const char good[] = HEAD A " 512 100 200\n" B " 1536 10 1\nend 2 2560\n";
	static const char with[] = {
	    '\0', '\n', '\r', ' ', '\t', '0', '1', '9', 'a', 'F', 'x', '-', '+', '.', '\x80', '\xff'};
	char text_[sizeof(good) + 1];
	size_t n = sizeof(good) - 1;

	(void)state;
	for (size_t i = 0; i <= n; i++) {
		accepted_only_if_canonical(good, i, 2560);
		for (size_t k = 0; k < sizeof(with); k++) {
			memcpy(text_, good, n); /* replaced */
			if (i < n)
				text_[i] = with[k];
			accepted_only_if_canonical(text_, n, 2560);
			memcpy(text_, good, i); /* inserted */
			text_[i] = with[k];
			memcpy(text_ + i + 1, good + i, n - i);
			accepted_only_if_canonical(text_, n + 1, 2560);
		}
		if (i < n) { /* dropped */
			memcpy(text_, good, i);
			memcpy(text_ + i, good + i + 1, n - i - 1);
			accepted_only_if_canonical(text_, n - 1, 2560);
		}
	}
}

static void too_many_chunks_are_refused(void **state)
{
	BUF_AUTO text_ = BUF_INIT(64 << 20);
	struct arcfile_index *ix = NULL;
	char line[200];
	int n = 0;

	(void)state;
	assert_int_equal(buf_puts(&text_, HEAD, NULL), 0);
	for (; n <= ARCFILE_CHUNKS_MAX; n++) {
		if (n == ARCFILE_CHUNKS_MAX) {
			size_t keep = text_.n;

			assert_int_equal(buf_printf(&text_, NULL, "end %d 900000\n", n), 0);
			assert_int_equal(parse((char *)text_.p, text_.n, 900000, &ix, NULL), 0);
			assert_int_equal(ix->n, ARCFILE_CHUNKS_MAX);
			arcfile_index_free(ix);
			text_.n = keep;
		}
		assert_int_equal(
		    buf_append(&text_, line, (size_t)snprintf(line, sizeof(line), A " %d 1 1\n", n), NULL),
		    0);
	}
	assert_int_equal(buf_printf(&text_, NULL, "end %d 900000\n", n), 0);
	assert_int_equal(parse((char *)text_.p, text_.n, 900000, &ix, NULL), -1);
}

/* ---- the tail ---- */

/* A medium that lost its end: refused at once, or what is found is no INDEX. */
static void every_truncated_tail(void **state)
{
	BUF_AUTO plain = BUF_INIT(64 << 20);
	uint64_t offset = 0, whole = 0;
	size_t len = 0;

	(void)state;
	make_plain(42, 3, 900, &plain);
	assert_int_equal(locate(plain.p, plain.n, &whole, &len, NULL), 0);
	for (size_t n = 0; n < plain.n; n++) {
		struct arcfile_index *ix = NULL;

		if (locate(plain.p, n, &offset, &len, NULL))
			continue;
		assert_true(offset + len <= n);
		if (parse((char *)plain.p + offset, len, offset, &ix, NULL))
			continue;
		/* only zero bytes are missing: everything is there */
		assert_int_equal(offset, whole);
		assert_int_equal(ix->n, 3);
		arcfile_index_free(ix);
	}
	for (size_t n = 0; n < plain.n; n += 7) { /* and from the front: the tail stands alone */
		uint64_t o = 0;
		size_t take = plain.n - n;

		if (!arcfile_index_locate(plain.p + n, take, plain.n, &o, &len, NULL))
			assert_true(o == whole && o + len <= plain.n);
	}
}

static void locate_says(const char *tail, uint64_t plain_size, int want)
{
	uint64_t offset = 4711;
	size_t len = 4712;
	struct err err = ERR_INIT;
	size_t n = strlen(tail);
	char *exact = malloc(n ? n : 1);

	memcpy(exact, tail, n);
	assert_int_equal(arcfile_index_locate(exact, n, plain_size, &offset, &len, &err), want);
	if (want) {
		assert_string_equal(err.code, "E-ARCHIVE-01");
		assert_int_equal(offset, 4711);
		assert_int_equal(len, 4712);
	} else {
		assert_true(offset < plain_size && len <= plain_size - offset && len <= ARCFILE_INDEX_MAX);
	}
	free(exact);
}

static void impossible_tails(void **state)
{
	char zeros[4096] = {0};
	uint64_t offset;
	size_t len;

	(void)state;
	locate_says("end 0 512\n", 1000, 0);
	locate_says("x\nend 0 512\n", 1000, 0);
	locate_says("end 0 512", 1000, -1);
	locate_says("\n", 1000, -1);
	locate_says("", 0, -1);
	locate_says("", 1000, -1);
	locate_says("end\n", 1000, -1);
	locate_says("end 0 1000\n", 1000, -1);
	locate_says("end 0 999\n", 1000, 0);
	locate_says("end 0 1001\n", 1000, -1);
	locate_says("end 0 9223372036854775807\n", 1000, -1);
	locate_says("end 0 18446744073709551615\n", 1000, -1);
	locate_says("end 100001 512\n", 1000, -1);
	locate_says("end 0 512\n\n", 1000, -1);
	locate_says("xend 0 512\n", 1000, -1);
	locate_says("end 0 0\n", 17000000, -1); /* more than an INDEX can have */
	locate_says("end 0 222784\n", 17000000, 0);
	locate_says("end 0 222783\n", 17000000, -1);
	assert_int_equal(arcfile_index_locate(zeros, sizeof(zeros), sizeof(zeros), &offset, &len, NULL), -1);
	assert_int_equal(arcfile_index_locate(zeros, 0, 0, &offset, &len, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stock_tools_read_it),
	    cmocka_unit_test(what_is_written_is_read_at_random),
	    cmocka_unit_test(no_two_archives_are_alike),
	    cmocka_unit_test(the_name_is_what_sha256sum_says),
	    cmocka_unit_test(lies_are_refused),
	    cmocka_unit_test(any_number_is_taken_when_any_is_asked_for),
	    cmocka_unit_test(every_byte_mutated),
	    cmocka_unit_test(too_many_chunks_are_refused),
	    cmocka_unit_test(every_truncated_tail),
	    cmocka_unit_test(impossible_tails),
	};

	return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
