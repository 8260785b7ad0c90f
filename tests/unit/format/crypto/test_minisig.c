/* minisig: signatures, key files, forged comments; against what stock minisign 0.11 wrote. */
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/minisig.h"

/* clang-format off */
#define KEY "RWRS3lkkYdJqJyOjK5Xj1i8RoVPH0M/dfOHdWlB9d6mYzS4i23lNIwo4"
static const char stock_public[] = "untrusted comment: minisign public key 276AD2612459DE52\n" KEY "\n";
/* `minisign -G -W`: made for this test, it protects nothing */
static const char stock_secret[] = "untrusted comment: minisign encrypted secret key\n"
	"RWQAAEIyAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAUt5ZJGHSaieQEdwewwiVxc1SKNd/K9Xi"
	"rkGGvNCyjLf2aUtYMXMnpiOjK5Xj1i8RoVPH0M/dfOHdWlB9d6mYzS4i23lNIwo4AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
/* the same key as `minisign -C` writes it, password "pw" */
static const char stock_protected[] = "untrusted comment: minisign encrypted secret key\n"
	"RWRTY0Iy0Do2aBQXfR9hpcAT+bgNE4VvbbFi3uHmaNiF9JrA8JgAAAACAAAAAAAAAEAAAAAAeb2gqF2X95EDrHUIO4pXaqpfB3Pe2Q20"
	"wRM/lgECsfetxr0TRx8q7KiKSj3B165kTIOt58+zB0ax3nzNsMNna76bn6chzrnnAOJHJ+jiD3+42zmPvwLvIrFIWHPmDxNeHIf9qGvyfPE=\n";
static const char message[] = "hello minisign\n";
#define L1 "untrusted comment: signature from minisign secret key\n"
#define L2 "RWRS3lkkYdJqJxwqjsoS3jCT73qCp/boygwbbcyzPcibzGo8HAPX7h8DAj9O1EJ87V4+a4K2NtYTai+PPQRNlwNKd1LnWpK6KAQ=\n"
#define L3 "trusted comment: stock\tcomment\n"
#define L4 "NgnFMlMDizpWlm3s5DemnSXJkwC0EafVR/g+CBScY3UG2az4XTsynuAJwoHuxWlFnKMDOK63xUUkHUusVz0lBA==\n"
/* the fourth line of another good signature of the same message */
#define L4_OTHER "44RIUnJE92GaZpWjw33G0EQmEW21CFpKEZiBz3UL247Etca5bX+lfwqqoVaaU4RUcEZFk36P/bpv1+25W+5MCA==\n"
static const char prehashed[] = L1
	"RURS3lkkYdJqJyeGc6lvv37+U8CJTg4Zk1I6k/f61dkHWF1nw5somfi4A2C8bHAZy5oj26AVuVY1Vjw1AuQLTTNP9LyA9dE4bQ4=\n"
	"trusted comment: x\n"
	"IC/u9o8dkZKf3SMFc6FF4qIIrhgssm1CJXivm2dNUw2981292PcL2y7DlYt+q+TVe+lOXN/ux1nAQvLaE+rXBw==\n";
/* clang-format on */

static struct minisig_public stock_key(void)
{
	struct minisig_public pub;

	assert_int_equal(minisig_public_parse(KEY, &pub, NULL), 0);
	return pub;
}

static void check(const struct minisig_public *pub, const char *sig, size_t n, const char *code)
{
	char comment[MINISIG_COMMENT_MAX] = "untouched";
	struct err err = ERR_INIT;
	int r = minisig_verify(pub, message, sizeof(message) - 1, sig, n, comment, &err);

	if (strcmp(err.code, code) != 0 || (*code != 0) != (r == -1))
		fail_msg("wanted '%s', got '%s' %s for\n%.*s", code, err.code, err.msg, (int)n, sig);
	if (r)
		assert_string_equal(comment, "untouched");
}

static void stock_signatures_are_accepted(void **state)
{
	struct minisig_public pub = stock_key();
	struct minisig_public file;
	char comment[MINISIG_COMMENT_MAX];
	char text[MINISIG_KEY_TEXT];
	(void)state;

	assert_int_equal(minisig_verify(&pub, message, sizeof(message) - 1, L1 L2 L3 L4, strlen(L1 L2 L3 L4),
			     comment, NULL),
	    0);
	assert_string_equal(comment, "stock\tcomment");
	check(&pub, L1 L2 L3 L4, strlen(L1 L2 L3 L4) - 1, ""); /* the last newline may be missing */
	assert_int_equal(minisig_public_file_parse(stock_public, sizeof(stock_public) - 1, &file, NULL), 0);
	assert_memory_equal(&file, &pub, sizeof(pub));
	assert_string_equal(minisig_public_format(&pub, text), KEY);
}

static void forged_and_malformed_signatures(void **state)
{
	static const char *const malformed[] = {"", "\n", L1, L1 L2, L1 L2 L3, L1 L2 L3 "\n",
	    L1 L2 L3 L4 "\n", L1 L2 L3 L4 L4, L1 L1 L2 L3 L4, L2 L1 L3 L4, "x" L1 L2 L3 L4, "\n" L1 L2 L3 L4,
	    "comment: x\n" L2 L3 L4, "untrusted comment:\n" L2 L3 L4, L1 "\n" L2 L3 L4,
	    L1 L2 "trusted comment:x\n" L4, L1 L2 "\n" L4, L1 L2 "Trusted comment: x\n" L4, L1 " " L2 L3 L4,
	    L1 L4 L3 L4, L1 L2 L3 L2, L1 L2 "trusted comment: stock\tcomment\r\n" L4,
	    "untrusted comment: x\r\n" L2 L3 L4};
	struct minisig_public pub = stock_key();
	struct minisig_public other = pub;
	(void)state;

	for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++)
		check(&pub, malformed[i], strlen(malformed[i]), "E-SIG-01");
	check(&pub, L1 L2 L3 L4 "\0", strlen(L1 L2 L3 L4) + 1, "E-SIG-01");
	check(&pub, prehashed, sizeof(prehashed) - 1, "E-SIG-01");
	check(&pub, "untrusted comment: anything\n" L2 L3 L4,
	    strlen("untrusted comment: anything\n" L2 L3 L4), "");
	check(&pub, L1 L2 "trusted comment: forged\n" L4, strlen(L1 L2 "trusted comment: forged\n" L4),
	    "E-SIG-04");
	check(&pub, L1 L2 L3 L4_OTHER, strlen(L1 L2 L3 L4_OTHER), "E-SIG-04");
	other.id[0] ^= 1;
	check(&other, L1 L2 L3 L4, strlen(L1 L2 L3 L4), "E-SIG-02");
	other = pub;
	other.key[0] ^= 1;
	check(&other, L1 L2 L3 L4, strlen(L1 L2 L3 L4), "E-SIG-03");
}

static void every_flipped_bit_and_every_cut_is_noticed(void **state)
{
	struct minisig_public pub = stock_key();
	char sig[] = L1 L2 L3 L4;
	char msg[sizeof(message)];
	struct err err = ERR_INIT;
	(void)state;

	for (size_t bit = (sizeof(L1) - 1) * 8; bit < (sizeof(sig) - 2) * 8; bit++) {
		sig[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(
		    minisig_verify(&pub, message, sizeof(message) - 1, sig, sizeof(sig) - 1, NULL, &err), -1);
		sig[bit / 8] ^= (char)(1 << bit % 8);
	}
	for (size_t n = 0; n < sizeof(sig) - 2; n++) {
		char *exact = malloc(n ? n : 1);

		memcpy(exact, sig, n);
		check(&pub, exact, n, "E-SIG-01");
		free(exact);
	}
	for (size_t bit = 0; bit < (sizeof(msg) - 1) * 8; bit++) {
		memcpy(msg, message, sizeof(msg));
		msg[bit / 8] ^= (char)(1 << bit % 8);
		assert_int_equal(
		    minisig_verify(&pub, msg, sizeof(msg) - 1, sig, sizeof(sig) - 1, NULL, &err), -1);
		assert_string_equal(err.code, "E-SIG-03");
	}
}

static void what_we_sign_we_accept(void **state)
{
	static const uint8_t seed[32] = "a seed of this test, 32 bytes...";
	char longest[MINISIG_COMMENT_MAX + 1];
	char comment[MINISIG_COMMENT_MAX];
	struct minisig_secret sec;
	struct err err = ERR_INIT;
	BUF_AUTO out = BUF_INIT(1 << 16);
	uint8_t raw[64];
	(void)state;

	memset(longest, 'x', sizeof(longest));
	longest[MINISIG_COMMENT_MAX] = '\0';
	minisig_from_seed(seed, &sec);
	assert_int_equal(minisig_sign(&sec, "m", 1, longest, &out, &err), -1);
	assert_int_equal(minisig_sign(&sec, "m", 1, "a\nb", &out, &err), -1);
	assert_string_equal(err.code, "E-SIG-01");
	assert_int_equal(minisig_sign(&sec, "m", 1, "a\r", &out, &err), -1);
	assert_int_equal(out.n, 0);
	longest[MINISIG_COMMENT_MAX - 1] = '\0';
	assert_int_equal(minisig_sign(&sec, "m", 1, longest, &out, &err), 0);
	assert_int_equal(minisig_verify(&sec.pub, "m", 1, (char *)out.p, out.n, comment, &err), 0);
	assert_string_equal(comment, longest);
	out.n = 0;
	assert_int_equal(minisig_sign(&sec, NULL, 0, "", &out, &err), 0);
	assert_int_equal(minisig_verify(&sec.pub, "", 0, (char *)out.p, out.n, comment, &err), 0);
	assert_string_equal(comment, "");
	minisig_raw_sign(&sec, "line", 4, raw);
	assert_int_equal(minisig_raw_verify(&sec.pub, "line", 4, raw), 0);
	assert_int_equal(minisig_raw_verify(&sec.pub, "lime", 4, raw), -1);
	raw[63] ^= 1;
	assert_int_equal(minisig_raw_verify(&sec.pub, "line", 4, raw), -1);
}

static void key_files_both_ways(void **state)
{
	struct minisig_secret sec;
	struct minisig_secret back;
	struct minisig_public pub = stock_key();
	BUF_AUTO out = BUF_INIT(4096);
	struct err err = ERR_INIT;
	const char *line;
	(void)state;

	assert_int_equal(minisig_secret_file_parse(stock_secret, sizeof(stock_secret) - 1, &sec, &err), 0);
	assert_memory_equal(&sec.pub, &pub, sizeof(pub));
	assert_int_equal(minisig_secret_file(&sec, &out, &err), 0);
	line = memchr(out.p, '\n', out.n);
	assert_memory_equal(line, strchr(stock_secret, '\n'), out.n - (size_t)(line - (char *)out.p));
	assert_int_equal(minisig_secret_file_parse((char *)out.p, out.n, &back, &err), 0);
	assert_memory_equal(&back, &sec, sizeof(sec));
	out.n = 0;
	assert_int_equal(minisig_public_file(&pub, &out, &err), 0);
	assert_int_equal(out.n, sizeof(stock_public) - 1);
	assert_memory_equal(out.p, stock_public, out.n);
	assert_int_equal(
	    minisig_secret_file_parse(stock_protected, sizeof(stock_protected) - 1, &back, &err), -1);
	assert_string_equal(err.code, "E-SIG-05");
	assert_non_null(strstr(err.msg, "password"));
	for (size_t n = 0; n < sizeof(stock_secret) - 2; n++)
		assert_int_equal(minisig_secret_file_parse(stock_secret, n, &back, NULL), -1);
	for (size_t n = 0; n < sizeof(stock_public) - 2; n++)
		assert_int_equal(minisig_public_file_parse(stock_public, n, &pub, NULL), -1);
}

/* A secret key file of the raw bytes given. */
static int parse_raw(const uint8_t raw[158], struct err *err)
{
	struct minisig_secret sec;
	BUF_AUTO file = BUF_INIT(4096);

	assert_int_equal(buf_puts(&file, "untrusted comment: x\n", NULL), 0);
	assert_int_equal(minisig_b64_encode(raw, 158, &file, NULL), 0);
	assert_int_equal(buf_puts(&file, "\n", NULL), 0);
	return minisig_secret_file_parse((char *)file.p, file.n, &sec, err);
}

static void damaged_secret_keys_are_refused(void **state)
{
	const char *line = strchr(stock_secret, '\n') + 1;
	crypto_generichash_state st;
	uint8_t raw[158];
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(minisig_b64_decode(line, strlen(line) - 1, raw, sizeof(raw)), 0);
	for (size_t at = 0; at < 158; at++) {
		bool unused = at >= 6 && at < 54; /* salt and limits of the KDF that is not used */
		bool id = at >= 54 && at < 62;	  /* nothing proves the id without the checksum */

		raw[at] ^= 0x10;
		if (!unused && !id) {
			assert_int_equal(parse_raw(raw, &err), -1);
			assert_string_equal(err.code, "E-SIG-05");
		}
		raw[at] ^= 0x10;
	}
	crypto_generichash_init(&st, NULL, 0, 32);
	crypto_generichash_update(&st, raw, 2);
	crypto_generichash_update(&st, raw + 54, 72);
	crypto_generichash_final(&st, raw + 126, 32);
	assert_int_equal(parse_raw(raw, &err), 0);
	raw[54] ^= 1; /* now the checksum does */
	assert_int_equal(parse_raw(raw, &err), -1);
}

static void malformed_public_keys_are_refused(void **state)
{
	static const char *const bad[] = {"", "RW", KEY "=", KEY "A", " " KEY, KEY "\n",
	    "RURS3lkkYdJqJyOjK5Xj1i8RoVPH0M/dfOHdWlB9d6mYzS4i23lNIwo4", /* "ED" */
	    "RWRS3lkkYdJqJyOjK5Xj1i8RoVPH0M-dfOHdWlB9d6mYzS4i23lNIwo4",
	    "RWRS3lkkYdJqJyOjK5Xj1i8RoVPH0M\xaf"
	    "dfOHdWlB9d6mYzS4i23lNIwo4"};
	static const char *const bad_files[] = {"", KEY "\n", "untrusted comment: x\n",
	    "untrusted comment: x\n" KEY "\n\n", "untrusted comment: x\r\n" KEY "\r\n", "comment\n" KEY "\n",
	    "untrusted comment: x\n\n" KEY "\n"};
	struct minisig_public pub;
	struct err err = ERR_INIT;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		assert_int_equal(minisig_public_parse(bad[i], &pub, &err), -1);
		assert_string_equal(err.code, "E-SIG-05");
	}
	for (size_t i = 0; i < sizeof(bad_files) / sizeof(*bad_files); i++) {
		assert_int_equal(
		    minisig_public_file_parse(bad_files[i], strlen(bad_files[i]), &pub, &err), -1);
		assert_string_equal(err.code, "E-SIG-05");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(stock_signatures_are_accepted),
	    cmocka_unit_test(forged_and_malformed_signatures),
	    cmocka_unit_test(every_flipped_bit_and_every_cut_is_noticed),
	    cmocka_unit_test(what_we_sign_we_accept),
	    cmocka_unit_test(key_files_both_ways),
	    cmocka_unit_test(damaged_secret_keys_are_refused),
	    cmocka_unit_test(malformed_public_keys_are_refused),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
