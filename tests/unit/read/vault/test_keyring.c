/* keyring: recovery identities as stock age-keygen and age -p make them. */
#include <string.h>

#include "unit.h"
#include "lib/fixture.h"
#include "read/vault/keyring.h"

static char secret[AGE_IDENTITY_TEXT], public[AGE_RECIPIENT_TEXT];
static struct age_identity one, two;

static int setup(void **state)
{
	struct age_recipient r;
	(void)state;

	if (sodium_init() < 0)
		return -1;
	age_identity_generate(&fixture_random, &one);
	age_identity_generate(&fixture_random, &two);
	age_identity_format(&one, secret);
	if (age_identity_recipient(&one, &r))
		return -1;
	age_recipient_format(&r, public);
	return 0;
}

static int fixed(void *arg, const char *file, char out[KEYRING_PASSPHRASE], struct err *err)
{
	(void)file;
	(void)err;
	snprintf(out, KEYRING_PASSPHRASE, "%s", (const char *)arg);
	return 0;
}

static struct keyring_passphrase phrase(const char *s)
{
	return (struct keyring_passphrase){fixed, (void *)(uintptr_t)s};
}

static void refuse(
    const void *p, size_t n, const struct keyring_passphrase *pass, const char *code, const char *word)
{
	struct keyring *k = keyring_new();
	struct err err = ERR_INIT;
	size_t count = 9;

	assert_int_equal(keyring_add(k, "FILE", p, n, pass, &err), -1);
	if (strcmp(err.code, code) != 0 || !strstr(err.msg, word) || !strstr(err.msg, "FILE"))
		fail_msg("%s '%s' instead of %s with '%s'", err.code, err.msg, code, word);
	assert_null(strstr(err.msg, "AGE-SECRET-KEY-1Q")); /* never repeated */
	keyring_identities(k, &count);
	assert_int_equal(count, 0);
	keyring_free(k);
}

static void plain_files_with_comments(void **state)
{
	struct keyring *k = keyring_new();
	struct err err = ERR_INIT;
	char text[400], other[AGE_IDENTITY_TEXT];
	const struct age_identity *ids;
	size_t n;
	(void)state;

	snprintf(text, sizeof(text), "# created: today\n# public key: %s\n%s\n\n%s\n", public, secret,
	    age_identity_format(&two, other));
	assert_int_equal(keyring_add(k, "FILE", text, strlen(text), NULL, &err), 0);
	assert_int_equal(
	    keyring_add(k, "FILE", text, strlen(text), NULL, &err), 0); /* the same again: counted once */
	ids = keyring_identities(k, &n);
	assert_int_equal(n, 2);
	assert_memory_equal(&ids[0], &one, sizeof(one));
	assert_memory_equal(&ids[1], &two, sizeof(two));
	keyring_free(k);
}

static void what_is_no_identity_is_said(void **state)
{
	char text[400];
	(void)state;

	refuse("", 0, NULL, "E-KEY-02", "not an identity");
	refuse("hello\n", 6, NULL, "E-KEY-02", "not an identity");
	refuse("# only a comment\n", 17, NULL, "E-KEY-02", "not an identity");
	refuse(public, strlen(public), NULL, "E-KEY-02", "recipient");
	refuse("AGE-PLUGIN-YUBIKEY-1QQQ\n", 24, NULL, "E-KEY-02", "plugin");
	refuse("-----BEGIN OPENSSH PRIVATE KEY-----\n", 36, NULL, "E-KEY-02", "SSH");
	snprintf(text, sizeof(text), "%s\n", secret);
	text[30] = text[30] == 'Q' ? 'P' : 'Q';
	refuse(text, strlen(text), NULL, "E-KEY-02", "damaged");
	refuse("\0\1\2\3\xff", 5, NULL, "E-KEY-02", "not an identity");
}

static void encrypt(const char *text, bool scrypt, struct buf *out)
{
	struct age_writer *w;
	struct age_recipient r;
	struct err err = ERR_INIT;

	fixture_must(age_identity_recipient(&one, &r), &err);
	fixture_must(scrypt ? age_writer_new_scrypt("correct horse", 4, &fixture_random, out, &w, &err)
			    : age_writer_new(&r, 1, &fixture_random, out, &w, &err),
	    &err);
	fixture_must(
	    age_writer_update(w, text, strlen(text), out, &err) || age_writer_finish(w, out, &err), &err);
	age_writer_free(w);
}

static void protected_by_a_passphrase(void **state)
{
	struct keyring_passphrase right = phrase("correct horse"), wrong = phrase("Correct horse");
	struct keyring *k = keyring_new();
	BUF_AUTO file = BUF_INIT(10000);
	BUF_AUTO recipient = BUF_INIT(10000);
	BUF_AUTO empty = BUF_INIT(10000);
	struct err err = ERR_INIT;
	size_t n;
	(void)state;

	encrypt(secret, true, &file);
	if (keyring_add(k, "FILE", file.p, file.n, &right, &err))
		fail_msg("%s %s", err.code, err.msg);
	assert_memory_equal(keyring_identities(k, &n), &one, sizeof(one));
	assert_int_equal(n, 1);
	keyring_free(k);
	refuse(file.p, file.n, &wrong, "E-KEY-03", "wrong");
	refuse(file.p, file.n, NULL, "E-KEY-04", "passphrase");
	refuse(file.p, 40, &right, "E-KEY-02", "too early");
	encrypt(secret, false, &recipient);
	refuse(recipient.p, recipient.n, &right, "E-KEY-02", "recipient");
	encrypt("not a key\n", true, &empty);
	refuse(empty.p, empty.n, &right, "E-KEY-02", "not an identity");
}

static void as_stock_age_writes_it(void **state)
{
	/* the passphrase is asked by age on a terminal: script(1) gives it one */
	static const char make[] =
	    "cd '%s' && age-keygen -o plain 2>/dev/null && "
	    "(sleep 1; echo correct horse; sleep 1; echo correct horse; sleep 1) | script -qec 'age -p %s -o "
	    "sealed plain' /dev/null "
	    ">/dev/null 2>&1 && printf 'correct horse\\r\\nsecond line' >phrase && test -s sealed";
	struct keyring_passphrase pass;
	struct err err = ERR_INIT;
	struct keyring *k;
	struct fixture f;
	char command[600], sealed[100], file[100], plain[100];
	const struct age_identity *ids;
	size_t n;
	(void)state;

	for (int armored = 0; armored < 2; armored++) {
		fixture_open(&f);
		snprintf(command, sizeof(command), make, f.path, armored ? "-a" : "");
		if (system(command) != 0) {
			fixture_close(&f);
			skip(); /* no age or no script here */
		}
		snprintf(sealed, sizeof(sealed), "%s/sealed", f.path);
		snprintf(file, sizeof(file), "%s/phrase", f.path);
		snprintf(plain, sizeof(plain), "%s/plain", f.path);
		pass = (struct keyring_passphrase){keyring_file, file};
		k = keyring_new();
		if (keyring_add_file(k, plain, NULL, &err) || keyring_add_file(k, sealed, &pass, &err))
			fail_msg("%s %s", err.code, err.msg);
		ids = keyring_identities(k, &n);
		assert_int_equal(n, 1); /* the same identity from both */
		assert_non_null(ids);
		keyring_free(k);
		fixture_close(&f);
	}
}

static void files_that_are_not_there(void **state)
{
	struct keyring_passphrase pass = {keyring_file, (void *)(uintptr_t) "/nonexistent/phrase"};
	struct keyring *k = keyring_new();
	BUF_AUTO file = BUF_INIT(10000);
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(keyring_add_file(k, "/nonexistent/id", NULL, &err), -1);
	assert_string_equal(err.code, "E-KEY-01");
	assert_int_equal(keyring_add_file(k, "/tmp", NULL, &err), -1);
	assert_string_equal(err.code, "E-KEY-01");
	assert_int_equal(keyring_add_file(k, secret, NULL, &err), -1);
	assert_null(strstr(err.msg, secret)); /* a secret given by mistake is not repeated */
	encrypt(secret, true, &file);
	assert_int_equal(keyring_add(k, "FILE", file.p, file.n, &pass, &err), -1);
	assert_string_equal(err.code, "E-KEY-05");
	keyring_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(plain_files_with_comments),
	    cmocka_unit_test(what_is_no_identity_is_said),
	    cmocka_unit_test(protected_by_a_passphrase),
	    cmocka_unit_test(as_stock_age_writes_it),
	    cmocka_unit_test(files_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
