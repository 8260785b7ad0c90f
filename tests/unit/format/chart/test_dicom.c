/* dicom: patient and study of files that are written here by hand, implicit and explicit, and of every beginning of them. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/le.h"
#include "format/chart/dicom.h"

static void put_head(struct buf *b, const char *syntax)
{
	uint8_t zeros[128] = {0}, e[8] = {2, 0, 0x10, 0, 'U', 'I', (uint8_t)strlen(syntax), 0};

	b->n = 0;
	assert_int_equal(buf_append(b, zeros, 128, NULL) || buf_puts(b, "DICM", NULL) ||
			     buf_append(b, e, 8, NULL) || buf_puts(b, syntax, NULL),
	    0);
}

static void put(
    struct buf *b, bool implicit, unsigned group, unsigned number, const char *vr, const char *value)
{
	uint8_t e[8];
	size_t n = strlen(value);

	le_put(e, group, 2);
	le_put(e + 2, number, 2);
	if (implicit) {
		le_put(e + 4, n, 4);
	} else {
		memcpy(e + 4, vr, 2);
		le_put(e + 6, n, 2);
	}
	assert_int_equal(buf_append(b, e, 8, NULL) || buf_puts(b, value, NULL), 0);
}

#define SQ_EXPLICIT "\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff"
#define SQ_IMPLICIT "\x08\0\x40\x11\xff\xff\xff\xff"
#define ITEM	    "\xfe\xff\0\xe0\xff\xff\xff\xff"
#define ITEM_END    "\xfe\xff\x0d\xe0\0\0\0\0"
#define SQ_END	    "\xfe\xff\xdd\xe0\0\0\0\0"

static void put_file(struct buf *b, bool implicit)
{
	put_head(b, implicit ? "1.2.840.10008.1.2" : "1.2.840.10008.1.2.1");
	put(b, implicit, 8, 5, "CS", "\\ISO 2022 IR 87 ");
	put(b, implicit, 8, 0x20, "DA", "20261120");
	put(b, implicit, 8, 0x60, "CS", "CT");
	put(b, implicit, 8, 0x1030, "LO", "CHEST ");
	/* another study stands in a sequence, and is not this one */
	assert_int_equal(
	    implicit ? buf_append(b, SQ_IMPLICIT ITEM, 16, NULL) : buf_append(b, SQ_EXPLICIT ITEM, 20, NULL),
	    0);
	put(b, implicit, 0x10, 0x20, "LO", "WRONG ");
	assert_int_equal(buf_append(b, ITEM_END SQ_END, 16, NULL), 0);
	put(b, implicit, 0x10, 0x10, "PN",
	    "Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B ");
	put(b, implicit, 0x10, 0x20, "LO", "0001234567");
	put(b, implicit, 0x10, 0x30, "DA", "19600131");
	put(b, implicit, 0x20, 0x0d, "UI", "1.2.3");
	put(b, implicit, 0x28, 0x10, "US", "xx");
}

static void both_kinds(void **state)
{
	BUF_AUTO b = BUF_INIT(1 << 20);
	struct dicom d;
	(void)state;

	for (int implicit = 0; implicit < 2; implicit++) {
		put_file(&b, implicit);
		assert_int_equal(dicom_parse(b.p, b.n, &d, NULL), 0);
		assert_string_equal(d.study, "1.2.3");
		assert_string_equal(d.patient, "0001234567");
		assert_string_equal(d.name, "山田 太郎");
		assert_string_equal(d.kana, "やまだ たろう");
		assert_string_equal(d.letters, "Yamada Tarou");
		assert_string_equal(d.born, "19600131");
		assert_string_equal(d.date, "20261120");
		assert_string_equal(d.modality, "CT");
		assert_string_equal(d.description, "CHEST");
	}
}

static void every_beginning_and_byte(void **state)
{
	BUF_AUTO b = BUF_INIT(1 << 20);
	struct dicom d;
	(void)state;

	for (int implicit = 0; implicit < 2; implicit++) {
		put_file(&b, implicit);
		for (size_t n = 0; n < b.n; n++) {
			uint8_t *copy =
			    malloc(n + 1); /* of its length, so that a sanitizer sees one byte more */

			memcpy(copy, b.p, n);
			(void)!dicom_parse(copy, n, &d, NULL);
			free(copy);
		}
		for (size_t i = DICOM_MAGIC; i < b.n; i++) {
			uint8_t was = b.p[i];

			b.p[i] = 0xff;
			(void)!dicom_parse(b.p, b.n, &d, NULL);
			b.p[i] = was;
		}
	}
}

static void what_is_none(void **state)
{
	static const char *const syntaxes[] = {"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", ""};
	BUF_AUTO b = BUF_INIT(1 << 20);
	struct err err = ERR_INIT;
	struct dicom d;
	(void)state;

	for (size_t i = 0; i < 3; i++) {
		put_head(&b, syntaxes[i]);
		assert_int_equal(dicom_parse(b.p, b.n, &d, &err), -1);
		assert_string_equal(err.code, "E-CHART-02");
	}
	put_head(&b, "1.2.840.10008.1.2");
	for (size_t i = 0; i < 2000; i++)
		assert_int_equal(buf_append(&b, SQ_IMPLICIT, 8, NULL), 0);
	assert_int_equal(dicom_parse(b.p, b.n, &d, NULL), 0); /* deeper than it is read */
	b.p[130] = 'X';
	assert_int_equal(dicom_parse(b.p, b.n, &d, NULL), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(both_kinds),
	    cmocka_unit_test(every_beginning_and_byte),
	    cmocka_unit_test(what_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
