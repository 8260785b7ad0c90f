/* kind: see kind.h.
 *
 * The first signature that fits names the format.  Independently the bytes' frequencies are compared with even ones
 * (is_even()): compressed and encrypted bytes pass, text and records do not.  The result fits seven bits: six of a number,
 * one for dense. */
#include "format/guard/kind.h"

#include <string.h>

#define FORMAT_MASK  63
#define DENSE_LEAST  64	 /* fewer bytes tell nothing */
#define CHI_EVEN     400 /* of even bytes: 255 on average, 23 its standard deviation; text has thousands */
#define FIRST_FORMAT 2

/* Numbers are positions: new rows go to the end, or what is remembered means something else. */
static const struct signature {
	size_t at;
	size_t n;
	const char *bytes;
} signatures[] = {
    {128, 4, "DICM"}, {0, 5, "%PDF-"}, {0, 4, "PK\x03\x04"},		     /* ZIP; docx, xlsx, odt, jar */
    {0, 5, "PGDMP"}, {0, 2, "\x1f\x8b"},				     /* gzip */
    {0, 3, "\xff\xd8\xff"},						     /* JPEG */
    {0, 8, "\x89PNG\r\n\x1a\n"}, {0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}, /* OLE: doc, xls */
    {0, 4, "GIF8"}, {0, 4, "II*\0"},					     /* TIFF */
    {0, 4, "MM\0*"}, {0, 15, "SQLite format 3"}, {0, 6, "7z\xbc\xaf\x27\x1c"},
    {0, 6,
	"\xfd"
	"7zXZ\0"},
    {0, 4, "\x28\xb5\x2f\xfd"},					   /* zstd */
    {0, 3, "BZh"}, {0, 4, "Rar!"}, {0, 4, "RIFF"}, {4, 4, "ftyp"}, /* mp4, heic */
    {0, 4,
	"\x7f"
	"ELF"},
    {0, 2, "MZ"},						       /* exe, dll */
    {0, 5, "{\\rtf"}, {0, 4, "%!PS"}, {0, 5, "<?xml"}, {0, 4, "MSH|"}, /* HL7 */
    {257, 5, "ustar"}, {0, 8, "\0\0\0\x0cjP  "},		       /* JPEG 2000 */
    {4, 15, "Standard Jet DB"}, {4, 15, "Standard ACE DB"}, {0, 4, "OggS"},
    {0, 4, "\x04\x22\x4d\x18"}, /* lz4 */
};
_Static_assert(sizeof(signatures) / sizeof(*signatures) + FIRST_FORMAT <= FORMAT_MASK, "kinds fit six bits");

/* Pearson's chi-squared of the bytes' frequencies against even ones. */
static bool is_even(const uint8_t *p, size_t n)
{
	uint64_t squares = 0;
	uint16_t count[256] = {0};

	if (n < DENSE_LEAST)
		return false;
	for (size_t i = 0; i < n; i++)
		count[p[i]]++;
	for (size_t i = 0; i < 256; i++)
		squares += (uint64_t)count[i] * count[i];
	return squares * 256 <= (uint64_t)n * (n + CHI_EVEN);
}

uint8_t kind_of(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;
	uint8_t kind = KIND_PLAIN;

	if (!n)
		return KIND_UNKNOWN;
	n = n < KIND_LOOK ? n : KIND_LOOK;
	for (size_t i = 0; i < sizeof(signatures) / sizeof(*signatures) && kind == KIND_PLAIN; i++) {
		const struct signature *s = &signatures[i];

		if (s->at + s->n <= n && !memcmp(p + s->at, s->bytes, s->n))
			kind = (uint8_t)(FIRST_FORMAT + i);
	}
	return kind | (is_even(p, n) ? KIND_DENSE : 0);
}

bool kind_is_zero(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

bool kind_is_format(uint8_t kind)
{
	return (kind & FORMAT_MASK) >= FIRST_FORMAT && kind != KIND_ZERO;
}

bool kind_is_dense(uint8_t kind)
{
	return kind & KIND_DENSE;
}

bool kind_lost(uint8_t before, uint8_t now)
{
	if (now == KIND_ZERO)
		return before && before != KIND_ZERO;
	return now && kind_is_format(before) && (before & FORMAT_MASK) != (now & FORMAT_MASK);
}

bool kind_thickened(uint8_t before, uint8_t now)
{
	return before && !kind_is_dense(before) && kind_is_dense(now) && !kind_is_format(now);
}
