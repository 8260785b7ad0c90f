/* canary_make: see canary_make.h.
 *
 * A table of kinds: endings of names, and the function that makes one.  Varying parts come from a small generator that the seed
 * starts; it need not be a good one, for what nobody may guess is the seed. */
#include "write/canary/canary_make.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include <zlib.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/le.h"
#include "base/text.h"

#define SIDE  64 /* pixels of a DICOM image */
#define WIDE  40 /* blocks of 8 pixels of a JPEG */
#define HIGH  52
#define LINES 24

struct making {
	uint64_t state;
	struct buf *out;
	struct err *err;
};

static uint32_t draw(struct making *m, uint32_t n)
{
	m->state = m->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((m->state >> 33) % n);
}

static int put(struct making *m, const void *p, size_t n)
{
	return buf_append(m->out, p, n, m->err);
}

static const char words[] = "管理用のファイルです。診療の記録ではありません。変更も削除もしないでください。";
static const char words_en[] = "ADMINISTRATIVE FILE, NOT A MEDICAL RECORD. DO NOT CHANGE OR DELETE.";

static int make_text(struct making *m)
{
	if (buf_printf(m->out, m->err, "%s\r\n%s\r\n\r\n", words, words_en))
		return -1;
	for (int i = 0; i < LINES; i++)
		if (buf_printf(m->out, m->err, "%04u-%06u  %u\r\n", draw(m, 10000), draw(m, 1000000),
			draw(m, 100000)))
			return -1;
	return 0;
}

static int make_csv(struct making *m)
{
	if (buf_printf(m->out, m->err, "no,code,value,note\r\n0,0,0,%s\r\n", words_en))
		return -1;
	for (uint32_t i = 1; i <= LINES; i++)
		if (buf_printf(
			m->out, m->err, "%u,%05u,%u.%u,\r\n", i, draw(m, 100000), draw(m, 300), draw(m, 10)))
			return -1;
	return 0;
}

/* No patient segment: whoever takes it in has a message about nobody. */
static int make_hl7(struct making *m)
{
	return buf_printf(m->out, m->err,
	    "MSH|^~\\&|ADMIN||||20260101000000||MFN^M01|%08u%08u|T|2.5\rNTE|1||%s\r", draw(m, 100000000),
	    draw(m, 100000000), words_en);
}

static int make_pdf(struct making *m)
{
	char text[2048];
	size_t at[5],
	    n = (size_t)snprintf(text, sizeof(text), "BT /F1 11 Tf 60 780 Td 14 TL (%s) Tj T*\n", words_en);
	size_t xref;

	for (int i = 0; i < LINES; i++)
		n += (size_t)snprintf(
		    text + n, sizeof(text) - n, "(%06u  %08u) '\n", draw(m, 1000000), draw(m, 100000000));
	n += (size_t)snprintf(text + n, sizeof(text) - n, "ET\n");
	static const char page[] =
	    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R"
	    "/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>>>";
	const char *const objects[] = {
	    "<</Type/Catalog/Pages 2 0 R>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", page};

	if (buf_puts(m->out, "%PDF-1.4\n", m->err))
		return -1;
	for (size_t i = 0; i < 3; i++) {
		at[i] = m->out->n;
		if (buf_printf(m->out, m->err, "%zu 0 obj\n%s\nendobj\n", i + 1, objects[i]))
			return -1;
	}
	at[3] = m->out->n;
	if (buf_printf(m->out, m->err, "4 0 obj\n<</Length %zu>>\nstream\n%sendstream\nendobj\n", n, text))
		return -1;
	xref = m->out->n;
	if (buf_puts(m->out, "xref\n0 5\n0000000000 65535 f \n", m->err))
		return -1;
	for (size_t i = 0; i < 4; i++)
		if (buf_printf(m->out, m->err, "%010zu 00000 n \n", at[i]))
			return -1;
	return buf_printf(m->out, m->err, "trailer\n<</Size 5/Root 1 0 R>>\nstartxref\n%zu\n%%%%EOF\n", xref);
}

/* ---- JPEG: grey, baseline, every block of 8 pixels of one shade: only the first coefficient, and the end of the block (T.81) ---- */

struct bits {
	uint32_t held;
	unsigned n;
};

static int put_bits(struct making *m, struct bits *b, uint32_t v, unsigned n)
{
	while (n--) {
		b->held = b->held << 1 | (v >> n & 1);
		if (++b->n == 8) {
			uint8_t two[2] = {(uint8_t)b->held, 0};

			if (put(m, two, two[0] == 0xff ? 2 : 1)) /* 0xff is stuffed */
				return -1;
			*b = (struct bits){0, 0};
		}
	}
	return 0;
}

static int make_jpeg(struct making *m)
{
	static const uint8_t head
	    [] = {0xff, 0xd8, 0xff, 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0, 0xff, 0xdb,
		0, 67, 0},
	frame[] = {0xff, 0xc0, 0, 11, 8, HIGH * 8 >> 8, HIGH * 8 & 255, WIDE * 8 >> 8, WIDE * 8 & 255, 1, 1,
	    0x11, 0,
	    /* differences of 0 to 11 bits, of four bits each; of the others, the end of the block alone */
	    0xff, 0xc4, 0, 31, 0, 0, 0, 0, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
	    9, 10, 11, 0xff, 0xc4, 0, 20, 0x10, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xda,
	    0, 8, 1, 1, 0, 0, 63, 0},
	tail[] = {0xff, 0xd9};
	uint8_t steps[64];
	struct bits b = {0, 0};
	int shade = 0, former = 0;

	memset(steps, 8, sizeof(steps));
	if (put(m, head, sizeof(head)) || put(m, steps, sizeof(steps)) || put(m, "\xff\xfe", 2) ||
	    put(m, (uint8_t[]){0, sizeof(words_en) + 1}, 2) || put(m, words_en, sizeof(words_en) - 1) ||
	    put(m, frame, sizeof(frame)))
		return -1;
	for (int i = 0; i < WIDE * HIGH; i++) {
		int by, bits = 0;

		shade += (int)draw(m, 17) - 8;
		shade = shade > 120 ? 120 : shade < -120 ? -120 : shade;
		by = shade - former;
		former = shade;
		for (int v = by < 0 ? -by : by; v; v >>= 1)
			bits++;
		if (put_bits(m, &b, (uint32_t)bits, 4) ||
		    put_bits(m, &b, (uint32_t)(by < 0 ? by - 1 + (1 << bits) : by), (unsigned)bits) ||
		    put_bits(m, &b, 0, 1))
			return -1;
	}
	while (b.n)
		if (put_bits(m, &b, 1, 1))
			return -1;
	return put(m, tail, sizeof(tail));
}

/* ---- DICOM: a secondary capture of nobody, explicit VR, little endian (PS3.5) ---- */

static int put_element(
    struct making *m, uint16_t group, uint16_t element, const char *vr, const void *p, size_t n)
{
	bool is_long = !strcmp(vr, "OB") || !strcmp(vr, "OW"), words_in = vr[0] != 'U' && vr[0] != 'O';
	uint8_t head[12] = {0};

	le_put(head, group, 2);
	le_put(head + 2, element, 2);
	memcpy(head + 4, vr, 2);
	if (is_long)
		le_put(head + 8, (uint32_t)(n + n % 2), 4);
	else
		le_put(head + 6, (uint16_t)(n + n % 2), 2);
	return put(m, head, is_long ? 12 : 8) || put(m, p, n) || (n % 2 && put(m, words_in ? " " : "\0", 1))
		   ? -1
		   : 0;
}

static int put_word(struct making *m, uint16_t group, uint16_t element, const char *vr, const char *s)
{
	return put_element(m, group, element, vr, s, strlen(s));
}

static int put_short(struct making *m, uint16_t group, uint16_t element, uint16_t v)
{
	uint8_t two[2];

	le_put(two, v, 2);
	return put_element(m, group, element, "US", two, 2);
}

static int put_dicom_head(struct making *m, const char *own)
{
	static const char class[] = "1.2.840.10008.5.1.4.1.1.7";
	static const uint8_t zeros[128];
	uint8_t length[4] = {0};
	size_t at;

	if (put(m, zeros, sizeof(zeros)) || put(m, "DICM", 4) || put_element(m, 2, 0, "UL", length, 4))
		return -1;
	at = m->out->n;
	if (put_element(m, 2, 1, "OB", "\0\1", 2) || put_word(m, 2, 2, "UI", class) ||
	    put_word(m, 2, 3, "UI", own) || put_word(m, 2, 0x10, "UI", "1.2.840.10008.1.2.1") ||
	    put_word(m, 2, 0x12, "UI", "2.25.1"))
		return -1;
	le_put(m->out->p + at - 4, (uint32_t)(m->out->n - at), 4);
	return put_word(m, 8, 0x16, "UI", class) || put_word(m, 8, 0x18, "UI", own) ? -1 : 0;
}

static int make_dicom(struct making *m)
{
	uint8_t pixels[SIDE * SIDE];
	char own[64], study[64], series[64];
	uint32_t shade = 128;

	snprintf(own, sizeof(own), "2.25.%u%09u1", 1 + draw(m, 1000000000), draw(m, 1000000000));
	snprintf(study, sizeof(study), "2.25.%u%09u2", 1 + draw(m, 1000000000), draw(m, 1000000000));
	snprintf(series, sizeof(series), "2.25.%u%09u3", 1 + draw(m, 1000000000), draw(m, 1000000000));
	for (size_t i = 0; i < sizeof(pixels); i++) {
		shade = (shade + draw(m, 9) + 252) % 256;
		pixels[i] = (uint8_t)shade;
	}
	return put_dicom_head(m, own) || put_word(m, 8, 0x60, "CS", "OT") ||
		       put_word(m, 8, 0x1030, "LO", "ADMIN FILE - DO NOT CHANGE OR DELETE") ||
		       put_word(m, 0x10, 0x10, "PN", "") || put_word(m, 0x10, 0x20, "LO", "") ||
		       put_word(m, 0x20, 0x0d, "UI", study) || put_word(m, 0x20, 0x0e, "UI", series) ||
		       put_short(m, 0x28, 2, 1) || put_word(m, 0x28, 4, "CS", "MONOCHROME2") ||
		       put_short(m, 0x28, 0x10, SIDE) || put_short(m, 0x28, 0x11, SIDE) ||
		       put_short(m, 0x28, 0x100, 8) || put_short(m, 0x28, 0x101, 8) ||
		       put_short(m, 0x28, 0x102, 7) || put_short(m, 0x28, 0x103, 0) ||
		       put_element(m, 0x7fe0, 0x10, "OW", pixels, sizeof(pixels))
		   ? -1
		   : 0;
}

/* ---- docx: three parts in a ZIP, stored ---- */

struct part {
	const char *name, *text;
	size_t at;
};

/* What a local header and a central one have in common, from "version needed" on. */
static int put_zip_fields(struct making *m, const struct part *p)
{
	uint8_t f[26] = {20};
	uint32_t n = (uint32_t)strlen(p->text);

	le_put(f + 8, 0x5a21, 2); /* 2025-01-01 */
	le_put(f + 10, (uint32_t)crc32(0, (const uint8_t *)p->text, n), 4);
	le_put(f + 14, n, 4);
	le_put(f + 18, n, 4);
	le_put(f + 22, (uint16_t)strlen(p->name), 2);
	return put(m, f, sizeof(f));
}

static int put_zip(struct making *m, struct part *parts, size_t n)
{
	uint8_t end[22] = {'P', 'K', 5, 6};
	size_t base = m->out->n, central;

	for (size_t i = 0; i < n; i++) {
		parts[i].at = m->out->n - base;
		if (put(m, "PK\3\4", 4) || put_zip_fields(m, &parts[i]) ||
		    buf_printf(m->out, m->err, "%s%s", parts[i].name, parts[i].text))
			return -1;
	}
	central = m->out->n - base;
	for (size_t i = 0; i < n; i++) {
		uint8_t more[14] = {0};

		le_put(more + 10, (uint32_t)parts[i].at, 4);
		if (put(m, "PK\1\2\24\0", 6) || put_zip_fields(m, &parts[i]) || put(m, more, sizeof(more)) ||
		    buf_puts(m->out, parts[i].name, m->err))
			return -1;
	}
	le_put(end + 8, (uint16_t)n, 2);
	le_put(end + 10, (uint16_t)n, 2);
	le_put(end + 12, (uint32_t)(m->out->n - base - central), 4);
	le_put(end + 16, (uint32_t)central, 4);
	return put(m, end, sizeof(end));
}

static int make_docx(struct making *m)
{
	static const char xml[] = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
	static const char main_type[] =
	    "application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml";
	char types[1024], rels[1024], body[2048];
	struct part parts[] = {
	    {"[Content_Types].xml", types, 0}, {"_rels/.rels", rels, 0}, {"word/document.xml", body, 0}};

	snprintf(types, sizeof(types),
	    "%s<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"><Default "
	    "Extension=\"rels\" ContentType=\"application/vnd.openxmlformats-package.relationships+xml\"/>"
	    "<Override PartName=\"/word/document.xml\" ContentType=\"%s\"/></Types>",
	    xml, main_type);
	snprintf(rels, sizeof(rels),
	    "%s<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">"
	    "<Relationship Id=\"rId1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/"
	    "relationships/officeDocument\" Target=\"word/document.xml\"/></Relationships>",
	    xml);
	snprintf(body, sizeof(body),
	    "%s<w:document xmlns:w=\"http://schemas.openxmlformats.org/wordprocessingml/2006/main\"><w:body>"
	    "<w:p><w:r><w:t>%s</w:t></w:r></w:p><w:p><w:r><w:t>%s %08u-%08u</w:t></w:r></w:p></w:body>"
	    "</w:document>",
	    xml, words, words_en, draw(m, 100000000), draw(m, 100000000));
	return put_zip(m, parts, 3);
}

/* ---- which ---- */

static const struct {
	const char *ending;
	enum canary_kind kind;
	int (*make)(struct making *m);
} kinds[] = {{".txt", CANARY_TEXT, make_text}, {".csv", CANARY_CSV, make_csv}, {".hl7", CANARY_HL7, make_hl7},
    {".pdf", CANARY_PDF, make_pdf}, {".jpg", CANARY_JPEG, make_jpeg}, {".jpeg", CANARY_JPEG, make_jpeg},
    {".dcm", CANARY_DICOM, make_dicom}, {".docx", CANARY_DOCX, make_docx}};
#define KINDS (sizeof(kinds) / sizeof(*kinds))

enum canary_kind canary_kind_of(const char *name, const uint8_t *head, size_t n)
{
	const char *dot = strrchr(name, '.');

	for (size_t i = 0; dot && i < KINDS; i++)
		if (!strcasecmp(dot, kinds[i].ending))
			return kinds[i].kind;
	if (!dot && n >= 132 && !memcmp(head + 128, "DICM", 4))
		return CANARY_DICOM;
	return !dot && n >= 4 && !memcmp(head, "MSH|", 4) ? CANARY_HL7 : CANARY_NOTHING;
}

int canary_make(unsigned kind, const uint8_t *seed, struct buf *out, struct err *err)
{
	struct making m = {0, out, err};

	memcpy(&m.state, seed, sizeof(m.state));
	for (size_t i = 0; i < KINDS; i++)
		if (kinds[i].kind == kind)
			return kinds[i].make(&m);
	return err_set(err, "E-GUARD-04", "%s", text("no canary of that kind can be made"));
}
