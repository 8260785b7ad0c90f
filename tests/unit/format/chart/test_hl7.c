/* hl7: fields as a person reads them; who the patient is; what is malformed ends nowhere. */
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "format/chart/hl7.h"

static struct hl7 *parsed(const char *s, size_t n)
{
	struct hl7 *h;

	assert_int_equal(hl7_parse(s, n, &h, NULL), 0);
	return h;
}

#define VALUE(segment, number, want)                                                                         \
	do {                                                                                                 \
		assert_int_equal(hl7_value(h, segment, number, &b, NULL), 0);                                \
		assert_string_equal((char *)b.p, want);                                                      \
	} while (0)

static void a_message(void **state)
{
	static const char m[] =
	    "MSH|^~\\&|HIS|SAKURA|||20261120093000||ADT^A08^ADT_A01|1|P|2.5||||||~ISO IR87\r"
	    "PID|0001||0001234567^^^^PI||\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B^^^^^L^I~"
	    "\x1b$B%d%^%@\x1b(B^\x1b$B%?%m%&\x1b(B^^^^^L^P||19600131|M\r"
	    "OBX|1|TX|code^name^99|a&b|x\\F\\y\\S\\z\\R\\w\\T\\v\\E\\u\\.br\\line||\r\n"
	    "NTE|";
	struct hl7 *h = parsed(m, sizeof(m) - 1);
	struct hl7_patient who;
	BUF_AUTO b = BUF_INIT(1 << 20);
	char name[4];
	(void)state;

	assert_int_equal(hl7_segments(h), 4);
	assert_string_equal(hl7_segment(h, 1, name), "PID");
	VALUE(0, 1, "|");
	VALUE(0, 2, "^~\\&");
	VALUE(0, 3, "HIS");
	VALUE(0, 18, "ISO IR87");
	VALUE(1, 5, "山田 | 太郎 | L | I\nヤマダ | タロウ | L | P");
	VALUE(2, 3, "code | name | 99");
	VALUE(2, 4, "a b");
	VALUE(2, 5, "x|y^z~w&v\\u\nline");
	VALUE(2, 7, "");
	assert_int_equal(hl7_value(h, 2, 8, &b, NULL), HL7_END);
	assert_int_equal(hl7_value(h, 3, 1, &b, NULL), 0);
	assert_int_equal(hl7_patient(h, &who, NULL), 0);
	assert_string_equal(who.number, "0001234567");
	assert_string_equal(who.name, "山田 太郎");
	assert_string_equal(who.kana, "ヤマダ タロウ");
	assert_string_equal(who.born, "19600131");
	assert_string_equal(who.sex, "M");
	hl7_free(h);
}

/* A line that goes on behind the three letters with a character of several bytes: found by fuzz_chart, a third of it came out. */
static void a_second_head(void **state)
{
	static const char m[] = "MSH|^~\\&|HIS\rMSH\xe3\x81\x82|x|y\rMSH|^~\\&|again\r";
	struct hl7 *h = parsed(m, sizeof(m) - 1);
	BUF_AUTO b = BUF_INIT(1 << 20);
	(void)state;

	VALUE(1, 1, "x");
	VALUE(1, 2, "y");
	VALUE(2, 1, "|");
	VALUE(2, 3, "again");
	hl7_free(h);
}

static void other_encodings(void **state)
{
	static const char *const all[] = {
	    "MSH|^~\\&|A\rPID|1||7||\x8e\x52\x93\x63^\x91\xbe\x98\x59\r", /* CP932: 太 ends in a byte like any */
	    "MSH|^~\\&|A\nPID|1||7||\xbb\xb3\xc5\xc4^\xc2\xc0\xcf\xba\n",
	    "MSH|^~\\&|A\r\nPID|1||7||山田^太郎\r\n",
	    "MSH|^\x9a\\&|A\rPID|1||7||\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B\r",
	    "\vMSH|^~\\&|A\rPID|1||7||山田&x^太郎\r\x1c\r"};
	(void)state;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct hl7 *h = parsed(all[i], strlen(all[i]));
		struct hl7_patient who;

		assert_int_equal(hl7_patient(h, &who, NULL), 0);
		assert_string_equal(who.name, "山田 太郎");
		hl7_free(h);
	}
}

static void what_is_none(void **state)
{
	static const char *const all[] = {"", "MSH", "MSH|^~\\&", "PID|1||2|||||||", "MSH\\^~\\&|||||",
	    "MSH\r^~\\&|||||", "msh|^~\\&||||", "MSH\x9a^~\\&|||||"};
	char *large = calloc(1, HL7_MAX + 1);
	struct err err = ERR_INIT;
	struct hl7 *h;
	(void)state;

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		assert_int_equal(hl7_parse(all[i], strlen(all[i]), &h, &err), -1);
	assert_string_equal(err.code, "E-CHART-01");
	memset(large, '|', HL7_MAX + 1);
	memcpy(large, "MSH|^~\\&|", 9);
	assert_int_equal(hl7_parse(large, HL7_MAX + 1, &h, NULL), -1);
	memset(large + 9, '\r', HL7_MAX - 9);
	for (size_t i = 9; i < HL7_MAX; i += 2)
		large[i] = 'X';
	h = parsed(large, HL7_MAX);
	assert_int_equal(hl7_segments(h), HL7_SEGMENTS);
	hl7_free(h);
	free(large);
}

static void names_are_cut_at_a_character(void **state)
{
	char m[4096] = "MSH|^~\\&|A\rPID|1||7||";
	struct hl7_patient who;
	struct hl7 *h;
	(void)state;

	for (size_t i = 0; i < 300; i++)
		snprintf(m + strlen(m), sizeof(m) - strlen(m), "山");
	h = parsed(m, strlen(m));
	assert_int_equal(hl7_patient(h, &who, NULL), 0);
	assert_int_equal(strlen(who.name) % 3, 0);
	assert_true(strlen(who.name) > HL7_TEXT - 5);
	hl7_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_message),
	    cmocka_unit_test(a_second_head),
	    cmocka_unit_test(other_encodings),
	    cmocka_unit_test(what_is_none),
	    cmocka_unit_test(names_are_cut_at_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
