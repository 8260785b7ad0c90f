/* codex32: the vectors of BIP-93, and what people do to a line that they type from paper.
 *
 * The BIP's own text can be read as well: BKP_BIP93 names its file; then each string in it, valid and invalid, is tried. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <sodium.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/crypto/age.h"
#include "format/crypto/codex32.h"

#define WHOLE 75 /* characters of a share of an identity */

static struct codex32 take(const char *hrp, const char *s)
{
	struct codex32 c;
	struct err err = ERR_INIT;

	if (codex32_read(hrp, s, &c, &err))
		fail_msg("%s: %s %s", s, err.code, err.msg);
	return c;
}

static void refused(const char *hrp, const char *s, const char *code)
{
	struct codex32 c = {.n = 4711};
	struct err err = ERR_INIT;

	if (!codex32_read(hrp, s, &c, &err))
		fail_msg("taken: %s", s);
	if (code)
		assert_string_equal(err.code, code);
	assert_int_equal(c.n, 4711);
}

static void gives(const struct codex32 *c, const char *hex)
{
	uint8_t bytes[64];
	char got[129];
	size_t n = codex32_bytes(c, bytes);

	assert_string_equal(sodium_bin2hex(got, sizeof(got), bytes, n), hex);
}

static void written(const struct codex32 *c, const char *as)
{
	char out[CODEX32_TEXT], low[CODEX32_TEXT];

	assert_true(codex32_tidy(as, low));
	assert_string_equal(codex32_write("ms", c, out), low);
}

static void the_vectors_of_the_bip(void **state)
{
	static const char *const cash[] = {"ms13casha320zyxwvutsrqpnmlkjhgfedca2a8d0zehn8a0t",
	    "ms13cashcacdefghjklmnpqrstuvwxyz023949xq35my48dr",
	    "ms13cashd0wsedstcdcts64cd7wvy4m90lm28w4ffupqs7rm",
	    "ms13casheekgpemxzshcrmqhaydlp6yhms3ws7320xyxsar9",
	    "ms13cashf8jh6sdrkpyrsp5ut94pj8ktehhw2hfvyrj48704"};
	struct codex32 c, two[2], three[3], got;
	(void)state;

	c = take("ms", "ms10testsxxxxxxxxxxxxxxxxxxxxxxxxxx4nzvca9cmczlw");
	gives(&c, "318c6318c6318c6318c6318c6318c631");
	assert_true(c.k == 0 && c.index == 's' && c.n == 26 && !strcmp(c.id, "test"));
	two[0] = take("ms", "MS12NAMEA320ZYXWVUTSRQPNMLKJHGFEDCAXRPP870HKKQRM");
	two[1] = take("ms", "MS12NAMECACDEFGHJKLMNPQRSTUVWXYZ023FTR2GDZMPY6PN");
	assert_int_equal(codex32_join(two, 2, 'd', &got, NULL), 0);
	written(&got, "MS12NAMEDLL4F8JLH4E5VDVULDLFXU2JHDNLSM97XVENRXEG");
	assert_int_equal(codex32_join(two, 2, 's', &got, NULL), 0);
	written(&got, "MS12NAMES6XQGUZTTXKEQNJSJZV4JV3NZ5K3KWGSPHUH6EVW");
	gives(&got, "d1808e096b35b209ca12132b264662a5");
	for (size_t i = 0; i < 5; i++)
		for (size_t j = 0; j < 5; j++)
			for (size_t k = 0; k < 5; k++) {
				three[0] = take("ms", cash[i]);
				three[1] = take("ms", cash[j]);
				three[2] = take("ms", cash[k]);
				if (i == j || j == k || i == k)
					continue;
				assert_int_equal(codex32_join(three, 3, 's', &got, NULL), 0);
				written(&got, "ms13cashsllhdmn9m42vcsamx24zrxgs3qqjzqud4m0d6nln");
				gives(&got, "ffeeddccbbaa99887766554433221100");
				for (size_t m = 0; m < 5; m++) {
					assert_int_equal(codex32_join(three, 3, "acdef"[m], &got, NULL), 0);
					written(&got, cash[m]);
				}
			}
	c = take("ms", "ms10leetsllhdmn9m42vcsamx24zrxgs3qrl7ahwvhw4fnzrhve25gvezzyqqtum9pgv99ycma");
	gives(&c, "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100");
	c = take("ms",
	    "MS100C8VSM32ZXFGUHPCHTLUPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZYGSFJD6AN074RXVCEMLH8WU3TK925ACD"
	    "EFGHJKLMNPQRSTUVWXY06FHPV80UNDVARHRAK");
	assert_int_equal(c.n, 103);
	gives(&c,
	    "dc5423251cb87175ff8110c8531d0952d8d73e1194e95b5f19d6f9df7c01111104c9baecdfea8cccc677fb9ddc8aec55"
	    "53b86e528bcadfdcc201c17c638c47e9");
}

/* Strings in <code> from the heading of the vectors to the end. */
static void the_text_of_the_bip(void **state)
{
	const char *file = getenv("BKP_BIP93");
	BUF_AUTO doc = BUF_INIT(1 << 20);
	size_t valid = 0, invalid = 0;
	char *at, *bad;
	(void)state;

	if (!file)
		skip();
	assert_int_equal(io_read_file(AT_FDCWD, file, &doc, NULL), 0);
	assert_int_equal(buf_terminate(&doc, NULL), 0);
	at = strstr((char *)doc.p, "===Test vector 1===");
	bad = strstr((char *)doc.p, "===Invalid test vectors===");
	assert_true(at && bad);
	while ((at = strstr(at, "<code>")) != NULL) {
		char *s = at + 6, *end = strstr(s, "</code>");

		assert_non_null(end);
		*end = '\0';
		if (at > bad && strlen(s) > 40) {
			refused("ms", s, NULL);
			invalid++;
		} else if (at < bad && !strncasecmp(s, "ms1", 3)) {
			take("ms", s);
			valid++;
		}
		at = end + 1;
	}
	print_message("BIP-93: %zu valid, %zu invalid strings\n", valid, invalid);
	assert_true(valid >= 30 && invalid >= 60);
}

static void fill(uint8_t seed, uint8_t *p, size_t n)
{
	uint8_t s[32] = {seed};

	randombytes_buf_deterministic(p, n, s);
}

static void split(uint8_t seed, const uint8_t *key, size_t k, size_t n, struct codex32 *ret)
{
	uint8_t random[CODEX32_RANDOM];

	fill(seed, random, sizeof(random));
	assert_int_equal(codex32_split(key, k, n, random, ret, NULL), 0);
}

static void any_k_of_n_open(void **state)
{
	(void)state;

	for (size_t k = 2; k <= CODEX32_K_MAX; k++)
		for (size_t n = k; n <= 10; n++) {
			struct codex32 all[10], some[CODEX32_K_MAX], got;
			uint8_t key[32], bytes[64];

			fill((uint8_t)(k * 16 + n), key, sizeof(key));
			split((uint8_t)n, key, k, n, all);
			for (unsigned which = 0; which < 1u << n; which++) {
				size_t m = 0;

				if ((size_t)__builtin_popcount(which) != k)
					continue;
				for (size_t i = 0; i < n; i++)
					if (which >> i & 1) {
						char line[CODEX32_TEXT];

						codex32_write("bkp", &all[i], line);
						assert_int_equal(strlen(line), WHOLE);
						some[m++] = take("bkp", line);
					}
				assert_int_equal(codex32_join(some, k, 's', &got, NULL), 0);
				assert_int_equal(codex32_bytes(&got, bytes), 32);
				assert_memory_equal(bytes, key, 32);
			}
		}
}

static void all_31_shares_differ(void **state)
{
	static const uint8_t key[32] = {1};
	struct codex32 all[CODEX32_N_MAX], got;
	struct err err = ERR_INIT;
	uint8_t bytes[64], random[CODEX32_RANDOM] = {0};
	(void)state;

	split(1, key, 9, CODEX32_N_MAX, all);
	for (size_t i = 0; i + 9 <= CODEX32_N_MAX; i++) {
		assert_int_equal(codex32_join(all + i, 9, 's', &got, NULL), 0);
		codex32_bytes(&got, bytes);
		assert_memory_equal(bytes, key, 32);
	}
	for (size_t k = 0; k < 12; k++)
		for (size_t n = 0; n < 40; n++)
			if (k < 2 || k > 9 || n < k || n > 31) {
				assert_int_equal(codex32_split(key, k, n, random, all, &err), -1);
				assert_string_equal(err.code, "E-SHARE-06");
			}
}

/* k-1 shares and any other secret lie on one curve: it is made here, and it gives those very shares. */
static void fewer_than_k_say_nothing(void **state)
{
	(void)state;

	for (size_t k = 2; k <= CODEX32_K_MAX; k++) {
		uint8_t key[32], other[32], bytes[64];
		struct codex32 all[10], fake[CODEX32_K_MAX], got, back;

		fill((uint8_t)k, key, 32);
		fill((uint8_t)(100 + k), other, 32);
		split(7, key, k, 10, all);
		/* the other secret as a point of the curve, beside k-1 of the true shares */
		split(9, other, k, k, fake);
		assert_int_equal(codex32_join(fake, k, 's', &fake[0], NULL), 0);
		memcpy(fake[0].id, all[0].id, 5);
		for (size_t i = 1; i < k; i++)
			fake[i] = all[i + 1];
		assert_int_equal(codex32_join(fake, k, 'z', &got, NULL), 0);
		/* with that further share the same k-1 give the other secret */
		fake[0] = got;
		assert_int_equal(codex32_join(fake, k, 's', &back, NULL), 0);
		codex32_bytes(&back, bytes);
		assert_memory_equal(bytes, other, 32);
		assert_int_equal(codex32_join(all, k - 1, 's', &got, NULL), -1);
	}
}

static void wrong_sets_and_doubles_are_named(void **state)
{
	static const uint8_t key[32] = {5};
	struct codex32 a[3], b[3], mixed[2], got;
	struct err err = ERR_INIT;
	(void)state;

	split(1, key, 2, 3, a);
	split(2, key, 2, 3, b);
	mixed[0] = a[0], mixed[1] = b[1];
	assert_int_equal(codex32_join(mixed, 2, 's', &got, &err), -1);
	assert_string_equal(err.code, "E-SHARE-03");
	assert_true(strstr(err.msg, a[0].id) && strstr(err.msg, b[0].id));
	mixed[1] = a[0];
	assert_int_equal(codex32_join(mixed, 2, 's', &got, &err), -1);
	assert_string_equal(err.code, "E-SHARE-04");
	assert_non_null(strstr(err.msg, "'a'"));
	assert_int_equal(codex32_join(a, 3, 's', &got, &err), -1);
	assert_string_equal(err.code, "E-SHARE-05");
	assert_int_equal(codex32_join(a, 0, 's', &got, &err), -1);
	/* one name and two thresholds */
	split(1, key, 3, 3, b);
	assert_string_equal(a[0].id, b[0].id);
	mixed[1] = b[1];
	assert_int_equal(codex32_join(mixed, 2, 's', &got, &err), -1);
	assert_string_equal(err.code, "E-SHARE-03");
}

static void one_line(char line[CODEX32_TEXT])
{
	static const uint8_t key[32] = {0xff, 0x80, 3};
	struct codex32 all[3];

	split(3, key, 2, 3, all);
	codex32_write("bkp", &all[1], line);
}

static void located(const char *s, enum codex32_wrong what, size_t n, const size_t *at)
{
	struct codex32_places p;

	codex32_locate("bkp", s, 32, &p);
	if (p.n != n || p.what != what)
		fail_msg("%s: %zu places of kind %d, not %zu of %d", s, p.n, p.what, n, what);
	for (size_t i = 0; i < n; i++) {
		bool there = false;

		for (size_t j = 0; j < n; j++)
			there |= p.at[j] == at[i];
		assert_true(there);
	}
}

static void each_mistyped_character_is_found_and_placed(void **state)
{
	static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	char right[CODEX32_TEXT], s[CODEX32_TEXT];
	(void)state;

	one_line(right);
	located(right, CODEX32_CHANGED, 0, NULL);
	for (size_t i = 4; i < WHOLE; i++)
		for (size_t v = 0; v < 32; v++) {
			strcpy(s, right);
			s[i] = alphabet[v];
			if (s[i] == right[i])
				continue;
			refused("bkp", s, "E-SHARE-02");
			if (v % 8 == i % 8)
				located(s, CODEX32_CHANGED, 1, &i);
		}
	/* letters that no share has: 1, b, i, o */
	for (size_t i = 4; i < WHOLE; i++) {
		strcpy(s, right);
		s[i] = "1bio"[i % 4];
		refused("bkp", s, "E-SHARE-01");
		located(s, CODEX32_CHANGED, 1, &i);
	}
}

static void transposed_missing_and_doubled_characters_too(void **state)
{
	char right[CODEX32_TEXT], s[CODEX32_TEXT];
	struct codex32_places p;
	(void)state;

	one_line(right);
	for (size_t i = 4; i + 1 < WHOLE; i++) {
		size_t at[] = {i, i + 1};

		strcpy(s, right);
		s[i] = right[i + 1], s[i + 1] = right[i];
		if (s[i] == s[i + 1])
			continue;
		refused("bkp", s, "E-SHARE-02");
		located(s, CODEX32_CHANGED, 2, at);
	}
	for (size_t i = 4; i < WHOLE; i++) {
		memcpy(s, right, i);
		strcpy(s + i, right + i + 1); /* one left out */
		refused("bkp", s, "E-SHARE-01");
		codex32_locate("bkp", s, 32, &p);
		assert_true(p.what == CODEX32_MISSING && p.n == 1 && p.at[0] <= i && p.at[0] + 3 > i);
		memcpy(s, right, i + 1);
		strcpy(s + i + 1, right + i); /* one typed twice */
		codex32_locate("bkp", s, 32, &p);
		assert_true(p.what == CODEX32_SURPLUS && p.n == 1 && p.at[0] <= i + 1 && p.at[0] + 3 > i);
	}
}

static void several_wrong_characters_are_found(void **state)
{
	static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
	char right[CODEX32_TEXT], s[CODEX32_TEXT];
	uint8_t noise[64];
	(void)state;

	one_line(right);
	for (int round = 0; round < 5000; round++) {
		size_t errors = 2 + (size_t)round % 7, at[8], n = 0;
		struct codex32_places p;

		strcpy(s, right);
		randombytes_buf(noise, sizeof(noise));
		for (size_t i = 0; i < errors; i++) {
			size_t place = 4 + noise[i] % (WHOLE - 4);
			char c = alphabet[noise[32 + i] & 31];

			if (s[place] == right[place] && c != right[place]) {
				s[place] = c;
				at[n++] = place;
			}
		}
		if (!n)
			continue;
		refused("bkp", s, "E-SHARE-02");
		if (n == 3 && round < 60)
			located(s, CODEX32_CHANGED, 3, at);
		if (n > 5 && round < 14) { /* then nothing is better than something wrong */
			codex32_locate("bkp", s, 32, &p);
			assert_int_equal(p.n, 0);
		}
	}
}

static void what_is_no_share_is_refused(void **state)
{
	static const uint8_t key[32] = {5};
	char line[CODEX32_TEXT], s[CODEX32_TEXT + 8];
	struct codex32 all[2], c;
	(void)state;

	split(1, key, 2, 2, all);
	codex32_write("bkp", &all[0], line);
	take("bkp", line);
	refused("ms", line, "E-SHARE-01");
	refused("bk", line, "E-SHARE-01");
	codex32_write(
	    "ms", &all[0], s); /* a share of something else is none of ours, whatever stands in front */
	memcpy(line, "bkp", 3);
	memmove(line + 3, s + 2, strlen(s + 2) + 1);
	refused("bkp", line, "E-SHARE-02");
	codex32_write("bkp", &all[0], line);
	for (size_t i = 0; i < WHOLE; i++) {
		strcpy(s, line);
		s[i] = '\0';
		refused("bkp", s, NULL);
	}
	for (size_t i = 0; i < WHOLE; i++)
		if (line[i] >= 'a') {
			strcpy(s, line);
			s[i] -= 'a' - 'A';
			refused("bkp", s, "E-SHARE-01");
		}
	refused("bkp", "", "E-SHARE-01");
	refused("bkp", "age1", "E-SHARE-01");
	/* of other lengths, with a right checksum: those that are no whole bytes, the shortest, the longest */
	for (size_t n = 0; n <= CODEX32_SYMBOLS; n++) {
		c = all[0];
		c.n = n;
		memset(c.symbol, 3, sizeof(c.symbol));
		codex32_write("bkp", &c, s);
		if (n < 26 || n * 5 % 8 > 4)
			refused("bkp", s, NULL);
		else
			take("bkp", s);
	}
	c = all[0];
	c.k = 0;
	refused("bkp", codex32_write("bkp", &c, s), "E-SHARE-01");
	c.k = 'f' - '0';
	refused("bkp", codex32_write("bkp", &c, s), "E-SHARE-01");
}

static void typed_as_people_type(void **state)
{
	char line[CODEX32_TEXT], typed[4 * CODEX32_TEXT], got[CODEX32_TEXT];
	size_t n = 0;
	(void)state;

	one_line(line);
	for (size_t i = 0; line[i]; i++) {
		if (i % 4 == 0)
			n += (size_t)sprintf(typed + n, "%s", i % 16 ? i % 8 ? " " : "-" : "\xe3\x80\x80");
		if (i % 3 == 0) { /* full-width, as a Japanese input method gives it */
			unsigned cp = 0xfee0 + (unsigned)line[i];

			n += (size_t)sprintf(
			    typed + n, "%c%c%c", 0xe0 | cp >> 12, 0x80 | (cp >> 6 & 63), 0x80 | (cp & 63));
		} else {
			n += (size_t)sprintf(
			    typed + n, "%c", line[i] >= 'a' && i % 2 ? line[i] - 32 : line[i]);
		}
	}
	strcpy(typed + n, "\r\n");
	assert_true(codex32_tidy(typed, got));
	assert_string_equal(got, line);
	memset(typed, 'q', 300);
	typed[300] = '\0';
	assert_false(codex32_tidy(typed, got));
	assert_true(codex32_tidy("\xff\xe3\x81\x82", got)); /* neither is a character of a share */
	assert_string_equal(got, "??");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_vectors_of_the_bip),
	    cmocka_unit_test(the_text_of_the_bip),
	    cmocka_unit_test(any_k_of_n_open),
	    cmocka_unit_test(all_31_shares_differ),
	    cmocka_unit_test(fewer_than_k_say_nothing),
	    cmocka_unit_test(wrong_sets_and_doubles_are_named),
	    cmocka_unit_test(each_mistyped_character_is_found_and_placed),
	    cmocka_unit_test(transposed_missing_and_doubled_characters_too),
	    cmocka_unit_test(several_wrong_characters_are_found),
	    cmocka_unit_test(what_is_no_share_is_refused),
	    cmocka_unit_test(typed_as_people_type),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
