/* age: payload segments and whole files.  Segments are forged with libsodium, so that writer and reader are not
 * only compared with each other. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/age.h"

#define SEALED (AGE_SEGMENT + AGE_TAG)

/* Repeatable, so that two writers can be compared. */
static void fill(void *arg, void *p, size_t n)
{
	uint8_t seed[32] = {0};

	seed[0] = ++*(uint8_t *)arg;
	randombytes_buf_deterministic(p, n, seed);
}

static void make_plain(struct buf *b, size_t n)
{
	size_t i;

	assert_int_equal(buf_reserve(b, n + 1, NULL), 0);
	for (i = 0; i < n; i++)
		b->p[i] = (uint8_t)(i * 7 + i / 251);
	b->n = n;
}

static void encrypt(const struct age_identity *id, const struct buf *plain, size_t step, struct buf *out)
{
	uint8_t counter = 0;
	struct age_random rnd = {fill, &counter};
	struct age_recipient r;
	struct age_writer *w = NULL;
	struct err err = ERR_INIT;
	size_t off;

	assert_int_equal(age_identity_recipient(id, &r), 0);
	assert_int_equal(age_writer_new(&r, 1, &rnd, out, &w, &err), 0);
	for (off = 0; off < plain->n; off += step) {
		size_t take = plain->n - off < step ? plain->n - off : step;

		assert_int_equal(age_writer_update(w, plain->p + off, take, out, &err), 0);
	}
	assert_int_equal(age_writer_finish(w, out, &err), 0);
	assert_int_equal(age_writer_finish(w, out, &err), -1); /* there is no second end */
	assert_int_equal(age_writer_update(w, "x", 1, out, &err), -1);
	age_writer_free(w);
}

static const struct age_identity alice = {{1, 2, 3}};
static const struct age_identity bob = {{4, 5, 6}};

static void every_size_comes_back_however_it_is_written(void **state)
{
	static const size_t sizes[] = {0, 1, 15, 16, 17, 65535, 65536, 65537, 131071, 131072, 131073, 200000};
	static const size_t steps[] = {1u << 20, 65536, 65537, 1000, 65535, 131072};
	(void)state;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		BUF_AUTO plain = BUF_INIT(1 << 20);
		BUF_AUTO first = BUF_INIT(1 << 20);
		BUF_AUTO back = BUF_INIT(1 << 20);
		struct age_header *h = NULL;
		uint64_t want;
		size_t len;

		make_plain(&plain, sizes[i]);
		encrypt(&alice, &plain, 1u << 20, &first);
		assert_int_equal(age_decrypt(first.p, first.n, &alice, 1, &back, NULL), 0);
		assert_int_equal(back.n, plain.n);
		assert_memory_equal(back.p, plain.p, plain.n);
		assert_int_equal(age_header_parse(first.p, first.n, &h, &len, NULL), 0);
		age_header_free(h);
		assert_int_equal(age_plain_size(first.n - len - AGE_NONCE, &want, NULL), 0);
		assert_int_equal(want, sizes[i]);
		for (size_t k = 1; k < sizeof(steps) / sizeof(*steps); k++) {
			BUF_AUTO other = BUF_INIT(1 << 20);

			encrypt(&alice, &plain, steps[k], &other);
			assert_int_equal(other.n, first.n);
			assert_memory_equal(other.p, first.p, first.n);
		}
	}
}

static void impossible_sizes_are_named(void **state)
{
	static const uint64_t bad[] = {0, 1, 15, SEALED + 1, SEALED + 15, SEALED + 16, 2 * SEALED + 16,
	    UINT64_MAX / SEALED * SEALED + 16};
	static const uint64_t good[][2] = {{16, 0}, {17, 1}, {SEALED, AGE_SEGMENT},
	    {SEALED + 17, AGE_SEGMENT + 1}, {2 * SEALED, 2 * AGE_SEGMENT},
	    {2 * SEALED + 17, 2 * AGE_SEGMENT + 1}};
	struct err err = ERR_INIT;
	uint64_t plain;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(age_plain_size(bad[i], &plain, &err), -1);
		assert_string_equal(err.code, "E-AGE-05");
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		assert_int_equal(age_plain_size(good[i][0], &plain, &err), 0);
		assert_int_equal(plain, good[i][1]);
	}
}

/* Segments sealed by libsodium under a known key, in any order and with any flag. */
static const uint8_t file_key[AGE_FILE_KEY] = "a file key there";
static const uint8_t nonce[AGE_NONCE] = "and a nonce here";

static void forge(uint64_t index, bool last, const uint8_t *p, size_t n, uint8_t *c)
{
	static const uint8_t info[] = "payload\x01";
	uint8_t prk[32];
	uint8_t key[32];
	uint8_t iv[12] = {0};
	crypto_auth_hmacsha256_state st;

	crypto_auth_hmacsha256_init(&st, nonce, sizeof(nonce));
	crypto_auth_hmacsha256_update(&st, file_key, sizeof(file_key));
	crypto_auth_hmacsha256_final(&st, prk);
	crypto_auth_hmacsha256(key, info, sizeof(info) - 1, prk);
	for (int i = 0; i < 8; i++)
		iv[10 - i] = (uint8_t)(index >> 8 * i);
	iv[11] = last;
	crypto_aead_chacha20poly1305_ietf_encrypt(c, NULL, p, n, NULL, 0, NULL, iv, key);
}

static void opens(struct age_payload *pl, uint64_t index, bool last, uint8_t *c, size_t n, const char *code)
{
	uint8_t out[SEALED];
	struct err err = ERR_INIT;
	int r = age_payload_open(pl, index, last, c, n, out, &err);

	assert_int_equal(r, code ? -1 : 0);
	assert_string_equal(err.code, code ? code : "");
}

static void a_segment_opens_only_as_what_it_is(void **state)
{
	static const uint64_t places[] = {0, 1, 255, 256, 65535, 1ULL << 32, UINT64_MAX - 1};
	static uint8_t plain[AGE_SEGMENT];
	static uint8_t c[SEALED + 1];
	struct age_payload *pl = age_payload_new(file_key, nonce);
	(void)state;

	assert_non_null(pl);
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		uint64_t at = places[i];

		forge(at, false, plain, AGE_SEGMENT, c);
		opens(pl, at, false, c, SEALED, NULL);
		opens(pl, at, true, c, SEALED, "E-AGE-04");
		opens(pl, at + 1, false, c, SEALED, "E-AGE-04");
		opens(pl, at, true, c, SEALED - 1, "E-AGE-04");
		opens(pl, at, false, c, SEALED - 1, "E-AGE-05");
		opens(pl, at, false, c, SEALED + 1, "E-AGE-05");
		forge(at, true, plain, 5, c);
		opens(pl, at, true, c, 5 + AGE_TAG, NULL);
		opens(pl, at, false, c, 5 + AGE_TAG, "E-AGE-05");
		opens(pl, at, true, c, 6 + AGE_TAG, "E-AGE-04");
		opens(pl, at, true, c, AGE_TAG - 1, "E-AGE-05");
		opens(pl, at, true, c, 0, "E-AGE-05");
		forge(at, true, plain, 0, c);
		opens(pl, at, true, c, AGE_TAG, at ? "E-AGE-05" : NULL);
	}
	forge(0, true, plain, 1000, c);
	for (size_t bit = 0; bit < (1000 + AGE_TAG) * 8; bit++) {
		c[bit / 8] ^= (uint8_t)(1 << bit % 8);
		opens(pl, 0, true, c, 1000 + AGE_TAG, "E-AGE-04");
		c[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_int_equal(age_payload_open(pl, 0, true, c, 1000 + AGE_TAG, c, NULL), 0); /* in place */
	assert_memory_equal(c, plain, 1000);
	age_payload_free(pl);
	age_payload_free(NULL);
}

static void refuse(const struct buf *file, const char *code)
{
	BUF_AUTO out = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;

	assert_int_equal(buf_puts(&out, "before", NULL), 0);
	assert_int_equal(age_decrypt(file->p, file->n, &alice, 1, &out, &err), -1);
	assert_string_equal(err.code, code);
	assert_int_equal(out.n, 6);
}

static void a_damaged_file_gives_nothing(void **state)
{
	BUF_AUTO plain = BUF_INIT(1 << 20);
	BUF_AUTO good = BUF_INIT(1 << 20);
	BUF_AUTO bad = BUF_INIT(1 << 20);
	BUF_AUTO small = BUF_INIT(100);
	size_t start;
	struct err err = ERR_INIT;
	(void)state;

	make_plain(&plain, 3 * AGE_SEGMENT);
	encrypt(&alice, &plain, 1u << 20, &good);
	start = good.n - 3 * SEALED;
	for (size_t n = 1; n < good.n;
	     n += n < 64 || (n + 64) % SEALED < 128 ? 1 : 4001) { /* cut off n bytes */
		bad.n = 0;
		assert_int_equal(buf_append(&bad, good.p, good.n - n, NULL), 0);
		assert_int_equal(age_decrypt(bad.p, bad.n, &alice, 1, &plain, NULL), -1);
	}
	for (size_t n = 1; n <= 64; n++) { /* or n more */
		bad.n = 0;
		assert_int_equal(buf_append(&bad, good.p, good.n, NULL), 0);
		assert_int_equal(buf_append(&bad, good.p, n, NULL), 0);
		refuse(&bad, n <= 16 ? "E-AGE-05" : "E-AGE-04");
	}
	bad.n = good.n - SEALED; /* last segment dropped */
	refuse(&bad, "E-AGE-04");
	bad.n = good.n; /* two swapped */
	memcpy(bad.p + start, good.p + start + SEALED, SEALED);
	memcpy(bad.p + start + SEALED, good.p + start, SEALED);
	refuse(&bad, "E-AGE-04");
	memcpy(bad.p + start + SEALED, good.p + start + SEALED, SEALED); /* one twice */
	refuse(&bad, "E-AGE-04");
	memcpy(bad.p, good.p, good.n);
	bad.n = 0;
	assert_int_equal(buf_append(&bad, good.p, start + SEALED, NULL), 0); /* the middle one left out */
	assert_int_equal(buf_append(&bad, good.p + start + 2 * SEALED, SEALED, NULL), 0);
	refuse(&bad, "E-AGE-04");
	memcpy(bad.p, good.p, good.n);
	bad.n = good.n;
	bad.p[start - 1] ^= 1; /* the nonce */
	refuse(&bad, "E-AGE-04");
	assert_int_equal(age_decrypt(good.p, good.n, &alice, 1, &small, &err), -1); /* the ceiling holds */
	assert_string_equal(err.code, "E-MEM-02");
}

static void each_of_several_recipients_opens_alone(void **state)
{
	struct age_identity carol = {{7, 7, 7}};
	struct age_identity ids[2] = {carol, bob};
	struct age_recipient r[2];
	uint8_t counter = 0;
	struct age_random rnd = {fill, &counter};
	struct age_writer *w = NULL;
	BUF_AUTO out = BUF_INIT(4096);
	BUF_AUTO plain = BUF_INIT(4096);
	(void)state;

	assert_int_equal(age_identity_recipient(&alice, &r[0]), 0);
	assert_int_equal(age_identity_recipient(&bob, &r[1]), 0);
	assert_int_equal(age_writer_new(r, 2, &rnd, &out, &w, NULL), 0);
	assert_int_equal(age_writer_update(w, "both", 4, &out, NULL), 0);
	assert_int_equal(age_writer_finish(w, &out, NULL), 0);
	age_writer_free(w);
	assert_int_equal(age_decrypt(out.p, out.n, &alice, 1, &plain, NULL), 0);
	assert_int_equal(age_decrypt(out.p, out.n, &bob, 1, &plain, NULL), 0);
	assert_int_equal(age_decrypt(out.p, out.n, ids, 2, &plain, NULL), 0);
	assert_int_equal(plain.n, 12);
	assert_int_equal(age_decrypt(out.p, out.n, &carol, 1, &plain, NULL), AGE_NO_MATCH);
}

static void passphrases(void **state)
{
	uint8_t counter = 0;
	struct age_random rnd = {fill, &counter};
	struct age_writer *w = NULL;
	BUF_AUTO out = BUF_INIT(4096);
	BUF_AUTO plain = BUF_INIT(4096);
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(age_writer_new_scrypt("p", 0, &rnd, &out, &w, &err), -1);
	assert_string_equal(err.code, "E-AGE-08");
	assert_int_equal(age_writer_new_scrypt("p", 23, &rnd, &out, &w, &err), -1);
	assert_int_equal(age_writer_new_scrypt("p", -1, &rnd, &out, &w, &err), -1);
	assert_int_equal(out.n, 0);
	assert_int_equal(age_writer_new_scrypt("p", 3, &rnd, &out, &w, &err), 0);
	assert_int_equal(age_writer_update(w, "secret", 6, &out, NULL), 0);
	assert_int_equal(age_writer_finish(w, &out, NULL), 0);
	age_writer_free(w);
	assert_int_equal(age_decrypt_scrypt(out.p, out.n, "p", 22, &plain, &err), 0);
	assert_memory_equal(plain.p, "secret", 6);
	assert_int_equal(age_decrypt_scrypt(out.p, out.n, "q", 22, &plain, &err), -1);
	assert_string_equal(err.code, "E-AGE-07");
	assert_int_equal(age_decrypt_scrypt(out.p, out.n, "p", 2, &plain, &err), -1);
	assert_string_equal(err.code, "E-AGE-08");
	assert_int_equal(age_decrypt(out.p, out.n, &alice, 1, &plain, &err), AGE_NO_MATCH);
	assert_int_equal(plain.n, 6);
}

static void random_is_the_callers(void **state)
{
	uint8_t counter = 0;
	struct age_random rnd = {fill, &counter};
	struct age_identity a;
	struct age_identity b;
	(void)state;

	age_identity_generate(&rnd, &a);
	age_identity_generate(&rnd, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
	counter = 0;
	age_identity_generate(&rnd, &b);
	assert_memory_equal(&a, &b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_size_comes_back_however_it_is_written),
	    cmocka_unit_test(impossible_sizes_are_named),
	    cmocka_unit_test(a_segment_opens_only_as_what_it_is),
	    cmocka_unit_test(a_damaged_file_gives_nothing),
	    cmocka_unit_test(each_of_several_recipients_opens_alone),
	    cmocka_unit_test(passphrases),
	    cmocka_unit_test(random_is_the_callers),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
