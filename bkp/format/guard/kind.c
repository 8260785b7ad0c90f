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

enum nature {
	THIN,	    /* neither compressed nor made of what is */
	COMPRESSED, /* most of it is compressed by the format */
	CONTAINER,  /* may hold anything, pictures too */
	TEXTUAL,    /* made of characters */
	JPEG,
};

/* Numbers are positions: new rows go to the end, or what is remembered means something else. */
static const struct signature {
	size_t at;
	size_t n;
	const char *bytes;
	enum nature nature;
} signatures[] = {
    {128, 4, "DICM", THIN}, {0, 5, "%PDF-", COMPRESSED},
    {0, 4, "PK\x03\x04", COMPRESSED},				 /* ZIP; docx, xlsx, odt, jar */
    {0, 5, "PGDMP", COMPRESSED}, {0, 2, "\x1f\x8b", COMPRESSED}, /* gzip */
    {0, 3, "\xff\xd8\xff", JPEG}, {0, 8, "\x89PNG\r\n\x1a\n", COMPRESSED},
    {0, 8, "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", CONTAINER},  /* OLE: doc, xls */
    {0, 4, "GIF8", COMPRESSED}, {0, 4, "II*\0", CONTAINER}, /* TIFF */
    {0, 4, "MM\0*", CONTAINER}, {0, 15, "SQLite format 3", THIN}, {0, 6, "7z\xbc\xaf\x27\x1c", COMPRESSED},
    {0, 6,
	"\xfd"
	"7zXZ\0",
	COMPRESSED},
    {0, 4, "\x28\xb5\x2f\xfd", COMPRESSED}, /* zstd */
    {0, 3, "BZh", COMPRESSED}, {0, 4, "Rar!", COMPRESSED}, {0, 4, "RIFF", CONTAINER},
    {4, 4, "ftyp", COMPRESSED}, /* mp4, heic */
    {0, 4,
	"\x7f"
	"ELF",
	CONTAINER},
    {0, 2, "MZ", CONTAINER}, /* exe, dll */
    {0, 5, "{\\rtf", TEXTUAL}, {0, 4, "%!PS", CONTAINER}, {0, 5, "<?xml", TEXTUAL},
    {0, 4, "MSH|", TEXTUAL},						/* HL7 */
    {257, 5, "ustar", CONTAINER}, {0, 8, "\0\0\0\x0cjP  ", COMPRESSED}, /* JPEG 2000 */
    {4, 15, "Standard Jet DB", THIN}, {4, 15, "Standard ACE DB", THIN}, {0, 4, "OggS", COMPRESSED},
    {0, 4, "\x04\x22\x4d\x18", COMPRESSED}, /* lz4 */
};
_Static_assert(sizeof(signatures) / sizeof(*signatures) + FIRST_FORMAT <= FORMAT_MASK, "kinds fit six bits");

/* Pearson's chi-squared of the bytes' frequencies against even ones. */
bool kind_is_even(uint64_t squares, size_t n)
{
	return n >= DENSE_LEAST && squares * 256 <= (uint64_t)n * (n + CHI_EVEN);
}

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
	return kind_is_even(squares, n);
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

uint8_t kind_format(uint8_t kind)
{
	return kind & FORMAT_MASK;
}

bool kind_is_zero(const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	return !n || (!p[0] && !memcmp(p, p + 1, n - 1));
}

bool kind_is_format(uint8_t kind)
{
	return (kind & FORMAT_MASK) >= FIRST_FORMAT &&
	       (kind & FORMAT_MASK) < FIRST_FORMAT + sizeof(signatures) / sizeof(*signatures);
}

static bool has_nature(uint8_t kind, enum nature nature)
{
	return kind_is_format(kind) && signatures[(kind & FORMAT_MASK) - FIRST_FORMAT].nature == nature;
}

bool kind_is_jpeg(uint8_t kind)
{
	return has_nature(kind, JPEG);
}

bool kind_is_compressed(uint8_t kind)
{
	return has_nature(kind, COMPRESSED) || kind_is_jpeg(kind);
}

bool kind_is_container(uint8_t kind)
{
	return has_nature(kind, CONTAINER);
}

bool kind_is_textual(uint8_t kind)
{
	return has_nature(kind, TEXTUAL);
}

bool kind_is_dense(uint8_t kind)
{
	return kind & KIND_DENSE;
}
