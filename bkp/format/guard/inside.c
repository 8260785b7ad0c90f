/* inside: see inside.h.  Nothing here is trusted: lengths are compared with what there is before they are used. */
#include "format/guard/inside.h"

#include <string.h>

#include <zlib.h>

#include "base/le.h"
#include "format/guard/kind.h"

#define OUT	     ((size_t)16 << 10)
#define ZIP_LOCAL    30 /* bytes of a local header without its name */
#define ZIP_END	     22
#define PDF_STREAM   8
#define SEVEN_HEADER 32

/* ---- inflating what is there ---- */

struct inflated {
	bool wrong, ended;
	size_t used;
	uint32_t crc;
};

/* window_bits: as inflateInit2().  wrong: these bytes are not deflated data. */
static struct inflated inflate_some(const uint8_t *p, size_t n, int window_bits)
{
	struct inflated ret = {false, false, 0, (uint32_t)crc32(0, NULL, 0)};
	uint8_t out[OUT];
	z_stream z = {.next_in = (uint8_t *)(uintptr_t)p, .avail_in = (uInt)n};
	int r = inflateInit2(&z, window_bits);

	if (r != Z_OK) /* no memory: nothing was tried */
		return ret;
	while (r == Z_OK) {
		z.next_out = out;
		z.avail_out = OUT;
		r = inflate(&z, Z_NO_FLUSH);
		if (r == Z_OK || r == Z_STREAM_END)
			ret.crc = (uint32_t)crc32(ret.crc, out, (uInt)(OUT - z.avail_out));
	}
	ret.ended = r == Z_STREAM_END;
	ret.wrong = r != Z_STREAM_END && r != Z_BUF_ERROR && r != Z_MEM_ERROR;
	ret.used = n - z.avail_in;
	inflateEnd(&z);
	return ret;
}

/* ---- ZIP ---- */

struct zip_member {
	uint16_t flags, method;
	uint32_t crc, packed;
	size_t header;
};

/* false: no whole local header here. */
static bool zip_local(const uint8_t *p, size_t n, struct zip_member *ret)
{
	if (n < ZIP_LOCAL || memcmp(p, "PK\x03\x04", 4) != 0)
		return false;
	ret->flags = (uint16_t)le_get(p + 6, 2);
	ret->method = (uint16_t)le_get(p + 8, 2);
	ret->crc = (uint32_t)le_get(p + 14, 4);
	ret->packed = (uint32_t)le_get(p + 18, 4);
	ret->header = ZIP_LOCAL + (size_t)(uint16_t)le_get(p + 26, 2) + (uint16_t)le_get(p + 28, 2);
	return true;
}

/* Behind a member whose lengths follow it: with or without signature, 32 bits.  0: it cannot be told. */
static size_t zip_descriptor(const uint8_t *p, size_t n, uint32_t crc)
{
	if (n >= 16 && !memcmp(p, "PK\x07\x08", 4))
		return (uint32_t)le_get(p + 4, 4) == crc ? 16 : 0;
	return n >= 12 && (uint32_t)le_get(p, 4) == crc ? 12 : 0;
}

/* The length of the member's data as far as it is here; 0: it goes on behind, or cannot be tried.  *wrong: it is not what its
 * header says. */
static size_t zip_data(const struct zip_member *m, const uint8_t *p, size_t n, bool *wrong)
{
	struct inflated z;
	size_t after;

	if (m->method != Z_DEFLATED) {
		if (m->flags & 8 || m->packed > n)
			return 0;
		*wrong =
		    m->method == 0 && !(m->flags & 1) && crc32(crc32(0, NULL, 0), p, m->packed) != m->crc;
		return m->packed;
	}
	z = inflate_some(p, n, -MAX_WBITS);
	*wrong = z.wrong || (z.ended && !(m->flags & 8) && z.crc != m->crc);
	if (!z.ended || !(m->flags & 8))
		return z.ended ? z.used : 0;
	after = zip_descriptor(p + z.used, n - z.used, z.crc);
	return after ? z.used + after : 0;
}

static enum inside zip_begins(const uint8_t *p, size_t n, bool deep)
{
	struct zip_member m;
	size_t at = 0;

	while (zip_local(p + at, n - at, &m)) {
		bool wrong = false;
		size_t len;

		if (m.flags & 1 || !deep || m.header >= n - at)
			return INSIDE_PLAUSIBLE;
		len =
		    m.packed || m.flags & 8 ? zip_data(&m, p + at + m.header, n - at - m.header, &wrong) : 0;
		if (wrong)
			return INSIDE_BROKEN;
		if (!len && (m.packed || m.flags & 8))
			return INSIDE_PLAUSIBLE;
		at += m.header + len;
	}
	if (n - at < 4) /* the next header lies behind what is here */
		return INSIDE_PLAUSIBLE;
	return !memcmp(p + at, "PK\x01\x02", 4) ? INSIDE_PROVEN
	       : n - at < ZIP_LOCAL		? INSIDE_PLAUSIBLE
						: INSIDE_BROKEN;
}

/* The record that ends a ZIP says how long the comment behind it is. */
static bool zip_ends(const uint8_t *p, size_t n)
{
	for (size_t i = n >= ZIP_END ? n - ZIP_END + 1 : 0; i-- > 0;)
		if (!memcmp(p + i, "PK\x05\x06", 4) && i + ZIP_END + (uint16_t)le_get(p + i + 20, 2) == n)
			return true;
	return false;
}

/* ---- the others ---- */

/* RFC 1952, 2.3: the header; 0: not all of it is here. */
static enum inside gzip_begins(const uint8_t *p, size_t n, bool deep)
{
	if (n < 18 || !deep)
		return INSIDE_UNKNOWN;
	return inflate_some(p, n, MAX_WBITS + 16).wrong ? INSIDE_BROKEN : INSIDE_PLAUSIBLE;
}

static enum inside png_begins(const uint8_t *p, size_t n, bool deep)
{
	for (size_t at = 8; at <= n && n - at >= 12;) {
		uint32_t len =
		    (uint32_t)p[at] << 24 | (uint32_t)p[at + 1] << 16 | (uint32_t)p[at + 2] << 8 | p[at + 3];
		size_t here = n - at - 8 < len ? n - at - 8 : len;

		if (!memcmp(p + at + 4, "IDAT", 4))
			return !deep						 ? INSIDE_PLAUSIBLE
			       : inflate_some(p + at + 8, here, MAX_WBITS).wrong ? INSIDE_BROKEN
										 : INSIDE_PLAUSIBLE;
		if (len > n - at - 12)
			return INSIDE_PLAUSIBLE;
		at += 12 + (size_t)len;
	}
	return INSIDE_PLAUSIBLE;
}

/* The first deflated stream; what is not deflated, or has a filter before it, is not tried. */
static enum inside pdf_begins(const uint8_t *p, size_t n, bool deep)
{
	for (size_t i = 0; deep && i + PDF_STREAM + 2 < n; i++) {
		const uint8_t *s = memchr(p + i, 's', n - i - PDF_STREAM);
		size_t at, filter;

		if (!s)
			break;
		i = (size_t)(s - p);
		if (memcmp(s, "stream", 6) != 0 || (s[6] != '\n' && s[6] != '\r') ||
		    (i >= 3 && !memcmp(s - 3, "end", 3)))
			continue;
		at = i + (s[6] == '\r' && s[7] == '\n' ? 8 : 7);
		filter = i > 256 ? i - 256 : 0;
		while (filter < i && memcmp(p + filter, "/FlateDecode", 12) != 0)
			filter++;
		if (filter == i || at + 2 >= n)
			continue;
		return inflate_some(p + at, n - at, MAX_WBITS).wrong ? INSIDE_BROKEN : INSIDE_PLAUSIBLE;
	}
	return INSIDE_PLAUSIBLE;
}

static bool has(const uint8_t *p, size_t n, const char *what, size_t len)
{
	return n >= len && memmem(p, n, what, len);
}

/* 7z's start header: where the end header lies behind it. */
static enum inside seven_begins(const uint8_t *p, size_t n)
{
	return n >= SEVEN_HEADER && crc32(crc32(0, NULL, 0), p + 12, 20) == (uint32_t)le_get(p + 8, 4)
		   ? INSIDE_PLAUSIBLE
		   : INSIDE_BROKEN;
}

/* ---- what is asked ---- */

enum inside inside_begins(uint8_t kind, const uint8_t *p, size_t n, bool deep)
{
	switch (kind_format(kind)) {
	case KIND_ZIP:
		return zip_begins(p, n, deep);
	case KIND_GZIP:
		return gzip_begins(p, n, deep);
	case KIND_PNG:
		return png_begins(p, n, deep);
	case KIND_PDF:
		return pdf_begins(p, n, deep);
	case KIND_7Z:
		return seven_begins(p, n);
	default:
		return INSIDE_UNKNOWN;
	}
}

enum inside inside_ends(uint8_t kind, const uint8_t *p, size_t n, enum inside head)
{
	bool ends;

	if (head == INSIDE_BROKEN)
		return head;
	switch (kind_format(kind)) {
	case KIND_ZIP:
		ends = zip_ends(p, n);
		break;
	case KIND_PDF:
		ends = has(p, n, "%%EOF", 5);
		break;
	case KIND_PNG:
		ends = has(p, n,
		    "IEND\xae"
		    "B`\x82",
		    8);
		break;
	case KIND_JPEG: /* one that was cut off while it was copied is not rare */
		return has(p, n, "\xff\xd9", 2) ? INSIDE_PROVEN : INSIDE_UNKNOWN;
	default:
		return head;
	}
	return ends ? head : INSIDE_BROKEN;
}

bool inside_sealed_head(uint8_t kind, const uint8_t *p, size_t n)
{
	static const char pem[] = "-----BEGIN PGP MESSAGE", salted[] = "Salted__",
			  age[] = "age-encryption.org/v1", armored[] = "-----BEGIN AGE ENCRYPTED FILE";
	struct zip_member m;

	if (kind_format(kind) == KIND_ZIP)
		return zip_local(p, n, &m) && (m.flags & 1 || m.method == 99);
	if (kind_is_format(kind) || n < 16)
		return false;
	if (has(p, n < sizeof(pem) ? n : sizeof(pem) - 1, pem, sizeof(pem) - 1) || !memcmp(p, salted, 8) ||
	    (n >= sizeof(age) && !memcmp(p, age, sizeof(age) - 1)) ||
	    (n >= sizeof(armored) && !memcmp(p, armored, sizeof(armored) - 1)))
		return true;
	/* RFC 4880, 5.1 and 5.3: a session key for a public key (version 3) or a passphrase (version 4), old or new packet */
	if (p[0] == 0x84 || p[0] == 0x8c || p[0] == 0xc1 || p[0] == 0xc3)
		return p[0] == 0x84 || p[0] == 0xc1 ? p[2] == 3 : p[2] == 4 && p[3] <= 10;
	return p[0] == 0x85 && p[3] == 3 && p[1] <= 4;
}

bool inside_sealed_tail(uint8_t kind, const uint8_t *p, size_t n)
{
	if (kind_format(kind) == KIND_PDF)
		return has(p, n, "/Encrypt", 8);
	/* 7zAES among the coders of the end header */
	return kind_format(kind) == KIND_7Z && has(p, n, "\x06\xf1\x07\x01", 4);
}
