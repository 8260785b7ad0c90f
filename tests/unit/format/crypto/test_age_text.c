/* age as text: recipients, identities, identity files, armour; against what stock `age` and `age-keygen`
 * wrote. */
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/crypto/age.h"

/* written by age-keygen 1.1.1 and `age -a -r` for this test */
#define STOCK_IDENTITY	"AGE-SECRET-KEY-1GXZ684MJLR2N805L3L7XX0XDYWVVQZDCNSW2WLS8PAY3NH8ZVNLQ7062Y7"
#define STOCK_RECIPIENT "age17zzuzc8ad363mf9l6fcqx06mzy005rhr300ylzy76dtrsgeuayesdvaukz"
#define BEGIN		"-----BEGIN AGE ENCRYPTED FILE-----\n"
#define LINE1		"YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSB3OTFjNlNydks3OTdPcEtV\n"
#define LINE2		"SGFLOTFtaE5IZFBpYmVlTVpQMU9QdFAzY1RjCktCRklHS0JEOFdBZXZZM1ZhYzhX\n"
#define LINE3		"YStGeitiSXl4Y1paRktWbHlnRzJLVzQKLS0tIEN1eUZxZDJONUlYWGhZL3Z3bVdo\n"
#define LINE4		"MkFjNW1QNHgwMnBRa05kRi9oT3lCMG8KnDY3S3LJNPYsb0BRGdWH5vAyYscXVjf0\n"
#define LINE5		"Zq5Ghc8BbJNFzzDFhD3mfzCWBEgiXUKwsLghhmM=\n"
#define END		"-----END AGE ENCRYPTED FILE-----\n"
#define STOCK_FILE	BEGIN LINE1 LINE2 LINE3 LINE4 LINE5 END
#define STOCK_PLAIN	"stock age wrote this\n"

/* A file of one line. */
static int identity_of(const char *s, struct age_identity *ret, struct err *err)
{
	struct age_identity *ids = NULL;
	size_t n = 0;

	if (age_identities_parse(s, strlen(s), &ids, &n, err))
		return -1;
	assert_int_equal(n, 1);
	*ret = *ids;
	age_identities_free(ids, n);
	return 0;
}

/* Repeatable, so that two writers can be compared. */
static void fill(void *arg, void *p, size_t n)
{
	uint8_t seed[32] = {0};

	seed[0] = ++*(uint8_t *)arg;
	randombytes_buf_deterministic(p, n, seed);
}

static const struct age_identity alice = {{1, 2, 3}};

static void recipients_and_identities_are_what_age_keygen_writes(void **state)
{
	struct age_identity id;
	struct age_recipient r;
	struct age_recipient again;
	char text_r[AGE_RECIPIENT_TEXT];
	char text_i[AGE_IDENTITY_TEXT];
	char other[AGE_IDENTITY_TEXT];
	(void)state;

	assert_int_equal(identity_of(STOCK_IDENTITY, &id, NULL), 0);
	assert_string_equal(age_identity_format(&id, text_i), STOCK_IDENTITY);
	assert_int_equal(age_identity_recipient(&id, &r), 0);
	assert_string_equal(age_recipient_format(&r, text_r), STOCK_RECIPIENT);
	assert_int_equal(age_recipient_parse(STOCK_RECIPIENT, &again, NULL), 0);
	assert_memory_equal(&r, &again, sizeof(r));
	for (size_t i = 0; i < sizeof(text_r); i++)
		other[i] = (char)(text_r[i] >= 'a' && text_r[i] <= 'z' ? text_r[i] - 32 : text_r[i]);
	assert_int_equal(age_recipient_parse(other, &again, NULL), 0);
}

static void a_mistyped_recipient_is_refused(void **state)
{
	char s[AGE_RECIPIENT_TEXT];
	struct age_recipient r;
	struct age_identity id;
	struct err err = ERR_INIT;
	(void)state;

	for (size_t at = 0; at < sizeof(s) - 1; at++)
		for (int c = 1; c < 256; c++) {
			memcpy(s, STOCK_RECIPIENT, sizeof(s));
			if (s[at] == (char)c)
				continue;
			s[at] = (char)c;
			assert_int_equal(age_recipient_parse(s, &r, &err), -1);
			assert_string_equal(err.code, "E-AGE-06");
		}
	for (size_t n = 0; n < sizeof(s) - 1; n++) {
		memcpy(s, STOCK_RECIPIENT, sizeof(s));
		s[n] = '\0';
		assert_int_equal(age_recipient_parse(s, &r, NULL), -1);
	}
	assert_int_equal(age_recipient_parse(STOCK_RECIPIENT "q", &r, NULL), -1);
	assert_int_equal(age_recipient_parse(" " STOCK_RECIPIENT, &r, NULL), -1);
	assert_int_equal(age_recipient_parse(STOCK_IDENTITY, &r, &err), -1);
	assert_null(strstr(err.msg, "GXZ684")); /* a secret does not get into messages */
	assert_int_equal(identity_of(STOCK_RECIPIENT, &id, &err), -1);
	assert_string_equal(err.code, "E-AGE-06");
}

static void a_recipient_of_low_order_is_refused(void **state)
{
	struct age_recipient zero = {{0}};
	char s[AGE_RECIPIENT_TEXT];
	uint8_t counter = 0;
	struct age_random rnd = {fill, &counter};
	struct age_writer *w = NULL;
	BUF_AUTO out = BUF_INIT(4096);
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(age_recipient_parse(age_recipient_format(&zero, s), &zero, &err), -1);
	assert_string_equal(err.code, "E-AGE-06");
	assert_int_equal(age_writer_new(&zero, 1, &rnd, &out, &w, &err), -1);
	assert_string_equal(err.code, "E-AGE-06");
	assert_int_equal(age_writer_new(&zero, 0, &rnd, &out, &w, &err), -1);
	assert_int_equal(out.n, 0);
}

static void identity_files(void **state)
{
	static const char good[] = "# created\r\n\n  \n" STOCK_IDENTITY "\r\n#x\n" STOCK_IDENTITY;
	static const char bad[] = "# ok\n" STOCK_IDENTITY "\n" STOCK_RECIPIENT "\n";
	struct age_identity *ids = NULL;
	struct err err = ERR_INIT;
	BUF_AUTO many = BUF_INIT(1 << 20);
	size_t n = 0;
	(void)state;

	assert_int_equal(age_identities_parse(good, sizeof(good) - 1, &ids, &n, &err), 0);
	assert_int_equal(n, 2);
	age_identities_free(ids, n);
	assert_int_equal(age_identities_parse(bad, sizeof(bad) - 1, &ids, &n, &err), -1);
	assert_string_equal(err.code, "E-AGE-06");
	assert_non_null(strstr(err.msg, "line 3"));
	assert_int_equal(age_identities_parse("# nothing\n", 10, &ids, &n, &err), -1);
	assert_int_equal(age_identities_parse("", 0, &ids, &n, &err), -1);
	for (int i = 0; i < 65; i++)
		assert_int_equal(buf_puts(&many, STOCK_IDENTITY "\n", NULL), 0);
	assert_int_equal(age_identities_parse((char *)many.p, many.n, &ids, &n, &err), -1);
	assert_non_null(strstr(err.msg, "line 65"));
	assert_int_equal(age_identities_parse((char *)many.p, many.n - 75, &ids, &n, &err), 0);
	assert_int_equal(n, 64);
	age_identities_free(ids, n);
}

static void a_file_of_stock_age_opens(void **state)
{
	BUF_AUTO raw = BUF_INIT(4096);
	BUF_AUTO plain = BUF_INIT(4096);
	struct age_identity ids[2] = {alice};
	struct err err = ERR_INIT;
	(void)state;

	assert_int_equal(identity_of(STOCK_IDENTITY, &ids[1], NULL), 0);
	assert_int_equal(age_dearmor(STOCK_FILE, strlen(STOCK_FILE), &raw, &err), 0);
	assert_true(age_is_age(raw.p, raw.n));
	assert_int_equal(age_decrypt(raw.p, raw.n, ids, 2, &plain, &err), 0);
	assert_int_equal(plain.n, strlen(STOCK_PLAIN));
	assert_memory_equal(plain.p, STOCK_PLAIN, plain.n);
	assert_int_equal(age_decrypt(raw.p, raw.n, ids, 1, &plain, &err), AGE_NO_MATCH);
	assert_string_equal(err.code, "E-AGE-03");
	assert_int_equal(age_decrypt(raw.p, raw.n, ids, 0, &plain, &err), AGE_NO_MATCH);
}

/* CR before every LF */
static void with_crlf(const char *s, struct buf *out)
{
	for (; *s; s++) {
		if (*s == '\n')
			assert_int_equal(buf_puts(out, "\r", NULL), 0);
		assert_int_equal(buf_append(out, s, 1, NULL), 0);
	}
}

static void armour_is_strict(void **state)
{
	static const char *bad[] = {"", "\n", BEGIN, BEGIN LINE1 LINE2, LINE1 LINE2 END, BEGIN "\n" LINE1 END,
	    BEGIN LINE1 "\n" LINE2 END, BEGIN LINE1 "\n" END, " " BEGIN LINE1 END, "x\n" BEGIN LINE1 END,
	    BEGIN LINE1 END "x", BEGIN LINE1 END END, BEGIN LINE5 LINE1 END, BEGIN LINE5 LINE5 END,
	    BEGIN "AAA\n" END, BEGIN "AAA==\n" END, BEGIN "AAB=\n" END, BEGIN "A A=\n" END,
	    BEGIN " AAAA\n" END, BEGIN "AAAA \n" END, BEGIN "Comment: x\n\n" LINE1 END, BEGIN "AA=\n=\n" END,
	    BEGIN LINE1 "=AAAA\n" END, BEGIN "AA*A\n" END, BEGIN "-_-_\n" END,
	    "-----begin age encrypted file-----\n" LINE1 END,
	    "-----BEGIN AGE ENCRYPTED FILE----- \n" LINE1 END, "-----BEGIN PGP MESSAGE-----\n" LINE1 END,
	    BEGIN LINE1 "-----END AGE ENCRYPTED FILE----\n",
	    BEGIN LINE1 "-----END AGE ENCRYPTED FILE-----x\n",
	    BEGIN "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" END,
	    BEGIN "AA\xc3\xa9\n" END, BEGIN LINE1 "\x0b\n" END};
	static const char *good[] = {STOCK_FILE, "\r\n \t\n" STOCK_FILE, STOCK_FILE "\n \t\r\n",
	    BEGIN LINE1 LINE2 END, BEGIN LINE1 LINE2 "-----END AGE ENCRYPTED FILE-----"};
	struct err err = ERR_INIT;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		BUF_AUTO out = BUF_INIT(4096);
		int r = age_dearmor(bad[i], strlen(bad[i]), &out, &err);

		if (r != -1 || out.n || strcmp(err.code, "E-AGE-01") != 0)
			fail_msg("accepted: %s", bad[i]);
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
		BUF_AUTO out = BUF_INIT(4096);
		BUF_AUTO crlf = BUF_INIT(4096);
		BUF_AUTO again = BUF_INIT(4096);

		with_crlf(good[i], &crlf);
		assert_true(age_is_armored(good[i], strlen(good[i])));
		assert_int_equal(age_dearmor(good[i], strlen(good[i]), &out, &err), 0);
		assert_int_equal(age_dearmor(crlf.p, crlf.n, &again, &err), 0);
		assert_int_equal(out.n, again.n);
		assert_memory_equal(out.p, again.p, out.n);
	}
	assert_false(age_is_armored("age-encryption.org/v1\n", 22));
	assert_false(age_is_armored("   ", 3));
	assert_false(age_is_age("age-encryption.org/v1", 21));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(recipients_and_identities_are_what_age_keygen_writes),
	    cmocka_unit_test(a_mistyped_recipient_is_refused),
	    cmocka_unit_test(a_recipient_of_low_order_is_refused),
	    cmocka_unit_test(identity_files),
	    cmocka_unit_test(a_file_of_stock_age_opens),
	    cmocka_unit_test(armour_is_strict),
	};

	if (sodium_init() < 0)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
