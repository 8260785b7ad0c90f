/* passphrase: which new ones are refused and why; what is proposed. */
#include <string.h>

#include <sodium.h>

#include "unit.h"
#include "base/err.h"
#include "base/text.h"
#include "format/crypto/age.h"
#include "format/crypto/passphrase.h"

static void refused(const char *s, const char *why)
{
	struct err err = ERR_INIT;

	if (!passphrase_check(s, "Sakuragaoka Clinic", &err))
		fail_msg("taken: %s", s);
	assert_string_equal(err.code, "E-PASS-04");
	assert_non_null(strstr(err.hint, "13 characters"));
	if (!strstr(err.msg, why))
		fail_msg("%s: %s", s, err.msg);
	if (strlen(s) > 8 && strstr(err.msg, s))
		fail_msg("it is told to everybody: %s", err.msg);
}

static void taken(const char *s)
{
	struct err err = ERR_INIT;

	if (passphrase_check(s, "Sakuragaoka Clinic", &err))
		fail_msg("%s: %s", s, err.msg);
}

static void short_ones_are_refused(void **state)
{
	(void)state;

	refused("", "0 characters");
	refused("x7#kQ!2p", "8 characters"); /* letters, digits and symbols do not make up for it */
	refused("x7#kQ!2pz0,m", "12 characters");
	taken("x7#kQ!2pz0,mw");
	refused("病院の復旧鍵を守る言葉", "11 characters"); /* characters, not bytes */
	taken("夜ふけの港に雪がふりつもる朝");
}

static void what_is_guessed_first_is_refused(void **state)
{
	(void)state;

	refused("aaaaaaaaaaaaa", "repeats");
	refused("abcabcabcabca", "repeats");
	refused("x7#kx7#kx7#kx7#k", "repeats");
	refused("ababababababab", "repeats");
	refused("1234567890123", "rows");
	refused("9876543210987", "rows");
	refused("qwertyuiopasdfghjkl", "rows");
	refused("poiuytrewqlkjhgfdsa", "rows");
	refused("1qaz2wsx3edc4rfv", "rows");
	refused("zxcvbnm,./zxcvbnm", "r"); /* a row, and again */
	refused("abcdefghijklmnop", "rows");
	refused("あいうえおかきくけこさしす", "rows");
	refused("passwordpassword", "e");
	refused("Password12345678", "e");
	refused("P@ssw0rdP@ssw0rd!", "e");
	refused("byouin-password-2024", "common words");
	refused("Hospital20262026", "e");
	refused("sakura-byouin-2025", "common words");
	refused("sakuragaoka clinic", "common words");
	refused("SAKURAGAOKA CLINIC 1", "common words");
	refused("tanaka1970tanaka1970", "e");
	refused("びょういんびょういん2024年", "e");
}

static void ordinary_ones_are_taken(void **state)
{
	(void)state;

	taken("correct horse 電池 staple");
	taken("another passphrase");
	taken("umi ni fune ga ukabu");
	taken("kaze-tachinu iza");
	taken("hospital roof, green door");
	taken("mdq8-7xwt-kk02p");
}

static void fill(void *arg, void *p, size_t n)
{
	uint8_t seed[32] = {0};

	seed[0] = ++*(uint8_t *)arg;
	randombytes_buf_deterministic(p, n, seed);
}

static void what_is_proposed_passes_and_is_easy_to_type(void **state)
{
	uint8_t counter = 0;
	struct age_random rnd = {fill, &counter};
	char s[PASSPHRASE_PROPOSED], before[PASSPHRASE_PROPOSED] = "";
	unsigned seen[256] = {0}, letters = 0;
	(void)state;

	for (int i = 0; i < 250; i++) {
		assert_int_equal(strlen(passphrase_propose(&rnd, s)), 23);
		assert_string_not_equal(s, before);
		strcpy(before, s);
		for (size_t j = 0; j < 23; j++) {
			assert_int_equal(s[j] == '-', j % 6 == 5);
			letters += !seen[(unsigned char)s[j]]++;
		}
		assert_int_equal(strcspn(s, "1bioABCDEFGHIJKLMNOPQRSTUVWXYZ"), 23);
		taken(s);
	}
	assert_int_equal(letters, 33); /* 32, each of them used, and the dash */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(short_ones_are_refused),
	    cmocka_unit_test(what_is_guessed_first_is_refused),
	    cmocka_unit_test(ordinary_ones_are_taken),
	    cmocka_unit_test(what_is_proposed_passes_and_is_easy_to_type),
	};

	if (sodium_init() < 0)
		return 1;
	text_set_lang(TEXT_EN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
