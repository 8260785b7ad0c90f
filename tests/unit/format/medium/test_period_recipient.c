/* period_recipient: what a person may write for a key holder, and what that is taken for. */
#include <string.h>

#include "unit.h"
#include "lib/fixture.h"
#include "format/medium/period_recipient.h"

#define A     "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
#define B     "age1lggyhqrw2nlhcxprm67z43rta597azn8gknawjehu9d9dl0jq3yqqvfafg"
#define TOKEN "age1yubikey1qwt50d05nh5vutpdzmlg5wn80xq5negm4uj9ghv0snvdd3yysf5yw3rhl3t"
#define SSH   "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHsKLqeplhpW+uObz5dvMgjz1OxfM/XXUB+VHtZ6isGN"
#define RSA   "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABgQ+ssh+passphrase+age1+ageQz0BXbV3gFIJcTrVRNqXFSnUgcPnYA=="

static void takes(const char *s, const char *text, const char *kinds)
{
	struct period_recipient r;
	char out[PERIOD_RECIPIENT];
	struct err err = ERR_INIT;

	if (period_recipient_parse(s, &r, &err))
		fail_msg("%s: %s", s, err.msg);
	assert_string_equal(period_recipient_text(&r, out), text);
	assert_int_equal(r.n, strlen(kinds));
	for (size_t i = 0; i < r.n; i++)
		assert_int_equal(r.kind[i], strchr("xsp", kinds[i]) - "xsp");
	assert_int_equal(period_recipient_parse(out, &r, NULL), 0); /* as it stands in period.json */
}

static void refuses(const char *s, const char *word)
{
	struct period_recipient r;
	struct err err = ERR_INIT;

	if (!period_recipient_parse(s, &r, &err) || !strstr(err.msg, word) || err.kind != ERR_USAGE)
		fail_msg("'%s': '%s' instead of '%s'", s, err.msg, word);
	assert_null(strstr(err.msg, "SECRET-KEY-1Q"));
}

static void one_factor(void **state)
{
	(void)state;
	takes(A, A, "x");
	takes("AGE1QL3Z7HJY54PW3HYWW5AYYFG7ZQGVC7W3J2ELW8ZMRJ2KG5SFN9AQMCAC8P", A, "x");
	takes(TOKEN, TOKEN, "s");
	takes(SSH, SSH, "s");
	takes(SSH " sato@pc", SSH, "s"); /* whose it is stands in the name */
	takes(RSA, RSA, "s");		 /* '+' is a letter of base64 */
	takes(RSA " x y", RSA, "s");
}

static void factors_in_layers(void **state)
{
	(void)state;
	takes(A "+" B, A "+" B, "xx");
	takes(TOKEN "+passphrase", TOKEN "+passphrase", "sp");
	takes(SSH "+passphrase", SSH "+passphrase", "sp");
	takes(SSH " sato@pc+passphrase", SSH "+passphrase", "sp");
	takes(RSA "+" SSH "+" TOKEN "+passphrase", RSA "+" SSH "+" TOKEN "+passphrase", "sssp");
	takes(A "+" RSA, A "+" RSA, "xs");
}

static void what_is_refused(void **state)
{
	char s[3 * PERIOD_RECIPIENT] = "";
	(void)state;

	refuses("", "not an age recipient");
	refuses("passphrase", "innermost");
	refuses("passphrase+" A, "innermost");
	refuses(A "+passphrase+" B, "innermost");
	refuses(A "+passphrase+passphrase", "innermost");
	refuses(A "+" A, "twice");
	refuses(A "+AGE1QL3Z7HJY54PW3HYWW5AYYFG7ZQGVC7W3J2ELW8ZMRJ2KG5SFN9AQMCAC8P", "twice");
	refuses(A "+" B "+" SSH "+" TOKEN "+passphrase", "too many");
	refuses(A "+", "not an age recipient");
	refuses("+" A, "not an age recipient");
	refuses(A "+pasphrase", "not an age recipient");
	refuses(A " ", "not an age recipient");
	refuses(SSH " sato@pc+pasphrase", "SSH key"); /* not a comment: a factor less than was meant */
	refuses(SSH " sato@pc+age1mistyped", "SSH key");
	refuses("ssh-ed25519 AAAA", "SSH key");
	refuses(SSH "!", "SSH key");
	refuses("ssh-dss AAAA", "not an age recipient");
	refuses("age1../../bin/x1qqqqqqqq", "not an age recipient"); /* the name becomes a program's */
	refuses("age1x1bbbbbbbb", "not an age recipient");
	refuses("AGE-SECRET-KEY-1QQQ", "secret");
	refuses("AGE-PLUGIN-YUBIKEY-1QQQ", "secret");
	refuses(A "+AGE-SECRET-KEY-1QQQ", "secret");
	snprintf(s, sizeof(s), "ssh-rsa %0*d", (int)sizeof(s) - 10, 0);
	refuses(s, "too long");
	snprintf(s, sizeof(s), "age1x1%0*d", (int)sizeof(s) - 10, 0);
	refuses(s, "too long");
}

static void files(void **state)
{
	struct buf b = BUF_INIT(4096);
	struct age_recipient r;
	(void)state;

	assert_int_equal(age_recipient_parse(A, &r, NULL), 0);
	assert_int_equal(age_encrypt(&r, 1, &fixture_random, "x", 1, &b, NULL), 0);
	assert_int_equal(period_file_check("x.age", &b, NULL), 0);
	b.n = 30;
	assert_int_equal(period_file_check("x.age", &b, NULL), -1); /* ends in its header */
	b.n = 0;
	assert_int_equal(period_file_check("x.age", &b, NULL), -1);
	assert_int_equal(age_encrypt_scrypt("x", &fixture_random, "x", 1, &b, NULL), 0);
	assert_int_equal(period_file_check("x.age", &b, NULL), -1);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(one_factor), cmocka_unit_test(factors_in_layers),
	    cmocka_unit_test(what_is_refused), cmocka_unit_test(files)};

	return sodium_init() < 0 || cmocka_run_group_tests(tests, NULL, NULL);
}
