/* fuzz: what hospitals export of charts: messages of HL7, heads of DICOM files, text in any encoding.  All that comes out is text in UTF-8. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/width.h"
#include "format/chart/dicom.h"
#include "format/chart/hl7.h"
#include "format/chart/kanji.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void must_be_text(const char *s, size_t n)
{
	uint32_t cp;

	for (size_t len; n; s += len, n -= len) {
		len = width_decode(s, n, &cp);
		if (cp == UINT32_MAX)
			abort();
	}
}

static void take_message(const uint8_t *p, size_t n)
{
	BUF_AUTO b = BUF_INIT(HL7_MAX * 8);
	struct hl7_patient who;
	struct hl7 *h;
	char name[4];

	if (hl7_parse(p, n, &h, NULL))
		return;
	for (size_t i = 0; i < hl7_segments(h) && i < 50; i++) {
		(void)hl7_segment(h, i, name);
		for (unsigned k = 1; k < 40 && !hl7_value(h, i, k, &b, NULL); k++)
			must_be_text((char *)b.p, b.n);
	}
	if (hl7_patient(h, &who, NULL))
		abort();
	must_be_text(who.name, strlen(who.name));
	must_be_text(who.kana, strlen(who.kana));
	hl7_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	BUF_AUTO b = BUF_INIT((size_t)64 << 20);
	struct dicom d;

	take_message(p, n);
	if (!dicom_parse(p, n, &d, NULL)) {
		must_be_text(d.name, strlen(d.name));
		must_be_text(d.kana, strlen(d.kana));
		must_be_text(d.description, strlen(d.description));
	}
	for (int code = KANJI_UTF8; code <= KANJI_EUC; code++) {
		b.n = 0;
		if (kanji_text((enum kanji_code)code, p, n, &b, NULL))
			abort();
		must_be_text((char *)b.p, b.n);
	}
	(void)kanji_guess(p, n);
	return 0;
}
