/* dicom: see dicom.h.
 *
 * An element: group, number, VR (explicit) and length, value.  Elements of sequences are read as the others and not taken: `depth` counts the
 * sequences of undefined length that are open; those of a defined length are passed over. */
#include "format/chart/dicom.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/le.h"
#include "base/text.h"
#include "base/width.h"
#include "format/chart/kanji.h"

#define UNDEFINED UINT32_MAX
#define TAG(g, e) ((uint32_t)(g) << 16 | (e))
#define LAST	  TAG(0x0020, 0xffff)

struct reader {
	const uint8_t *p, *end;
	bool implicit;
	unsigned depth;
};

struct element {
	uint32_t tag, length;
	char vr[3]; /* "" implicit, and of items */
	const uint8_t *value;
};

int dicom_is(const void *p, size_t n)
{
	return n >= DICOM_MAGIC && !memcmp((const char *)p + 128, "DICM", 4);
}

static bool is_long(const char *vr)
{
	static const char longs[] = "OBODOFOLOVOWSQSVUCUNURUTUV";

	for (size_t i = 0; i + 1 < sizeof(longs); i += 2)
		if (!memcmp(vr, longs + i, 2))
			return true;
	return false;
}

/* Its head; the value follows.  False: there is none. */
static bool take_element(struct reader *r, struct element *ret)
{
	size_t left = (size_t)(r->end - r->p), head = 8;

	if (left < 8)
		return false;
	*ret = (struct element){.tag = TAG(le_get(r->p, 2), le_get(r->p + 2, 2))};
	if (r->implicit || ret->tag >> 16 == 0xfffe) {
		ret->length = (uint32_t)le_get(r->p + 4, 4);
	} else {
		memcpy(ret->vr, r->p + 4, 2);
		if (!is_long(ret->vr)) {
			ret->length = le_get(r->p + 6, 2);
		} else if (left < 12) {
			return false;
		} else {
			ret->length = (uint32_t)le_get(r->p + 8, 4);
			head = 12;
		}
	}
	ret->value = r->p + head;
	r->p += head;
	return true;
}

/* Goes behind the element, or into it.  False: that cannot be done. */
static bool pass_element(struct reader *r, const struct element *e)
{
	if (e->tag == TAG(0xfffe, 0xe0dd)) {
		if (!r->depth)
			return false;
		r->depth--;
		return true;
	}
	if (e->tag == TAG(0xfffe, 0xe00d))
		return true;
	if (e->length == UNDEFINED) {
		bool item = e->tag == TAG(0xfffe, 0xe000);

		/* UN of undefined length is implicit inside */
		if (!item && (!strcmp(e->vr, "UN") || ++r->depth > DICOM_DEPTH))
			return false;
		return true;
	}
	if (e->length > (size_t)(r->end - r->p))
		return false;
	r->p += e->length;
	return true;
}

/* ---- values ---- */

/* Without what fills it up. */
static size_t trimmed(const struct element *e)
{
	size_t n = e->length;

	while (n && (e->value[n - 1] == ' ' || !e->value[n - 1]))
		n--;
	return n;
}

static int put_text(enum kanji_code code, const uint8_t *p, size_t n, char *out, struct err *err)
{
	BUF_AUTO b = BUF_INIT(DICOM_HEAD * 4);
	size_t len;

	if (kanji_text(code, p, n, &b, err))
		return -1;
	for (size_t i = 0; i < b.n; i++)
		b.p[i] = b.p[i] ? b.p[i] : ' ';
	len = b.n < DICOM_TEXT - 1 ? b.n : DICOM_TEXT - 1;
	if (len)
		memcpy(out, b.p, len);
	out[len] = '\0';
	width_whole(out);
	return 0;
}

/* "Yamada^Tarou=山田^太郎=やまだ^たろう" */
static void split_name(struct dicom *d)
{
	char whole[DICOM_TEXT], *at = whole;
	char *to[] = {d->letters, d->name, d->kana};

	memcpy(whole, d->name, sizeof(whole));
	*d->name = '\0';
	for (size_t i = 0; i < 3 && at; i++) {
		char *part = strsep(&at, "=");
		size_t n = strlen(part);

		for (char *p = part; *p; p++)
			*p = *p == '^' ? ' ' : *p;
		while (n && part[n - 1] == ' ')
			n--;
		memcpy(to[i], part, n);
		to[i][n] = '\0';
	}
	if (!*d->name)
		memcpy(d->name, d->letters, sizeof(d->name));
}

struct wanted {
	uint32_t tag;
	char *to;
};

static int take_value(const struct element *e, const struct wanted *w, enum kanji_code *code, struct err *err)
{
	size_t n = trimmed(e);

	if (e->tag == TAG(0x0008, 0x0005))
		*code = n >= 10 && memmem(e->value, n, "ISO_IR 192", 10) ? KANJI_UTF8 : KANJI_ISO2022;
	for (; w->to; w++)
		if (w->tag == e->tag)
			return put_text(*code == KANJI_ISO2022 && !memchr(e->value, 0x1b, n)
					    ? kanji_guess(e->value, n)
					    : *code,
			    e->value, n, w->to, err);
	return 0;
}

/* ---- in order ---- */

static int wrong_file(struct err *err)
{
	return err_set_kind(
	    err, ERR_MALFORMED, "E-CHART-02", "%s", text("it is no DICOM file that can be read here"));
}

/* The meta group, explicit whatever the rest is. */
static int take_meta(struct reader *r, struct err *err)
{
	static const char implicit[] = "1.2.840.10008.1.2", big[] = "1.2.840.10008.1.2.2",
			  deflated[] = "1.2.840.10008.1.2.1.99";
	char syntax[DICOM_TEXT] = "";
	struct element e;

	while (r->end - r->p >= 2 && le_get(r->p, 2) == 2) {
		if (!take_element(r, &e) || e.length > (size_t)(r->end - r->p))
			return wrong_file(err);
		if (e.tag == TAG(2, 0x10) && put_text(KANJI_UTF8, e.value, trimmed(&e), syntax, err))
			return -1;
		r->p += e.length;
	}
	if (!*syntax || !strcmp(syntax, big) || !strcmp(syntax, deflated))
		return wrong_file(err);
	r->implicit = !strcmp(syntax, implicit);
	return 0;
}

int dicom_parse(const void *p, size_t n, struct dicom *ret, struct err *err)
{
	const struct wanted all[] = {{TAG(0x8, 0x20), ret->date}, {TAG(0x8, 0x30), ret->time},
	    {TAG(0x8, 0x60), ret->modality}, {TAG(0x8, 0x1030), ret->description},
	    {TAG(0x10, 0x10), ret->name}, {TAG(0x10, 0x20), ret->patient}, {TAG(0x10, 0x30), ret->born},
	    {TAG(0x10, 0x40), ret->sex}, {TAG(0x20, 0xd), ret->study}, {0, NULL}};
	struct reader r = {(const uint8_t *)p + DICOM_MAGIC, (const uint8_t *)p + n, false, 0};
	enum kanji_code code = KANJI_ISO2022;
	struct element e;

	*ret = (struct dicom){.study = ""};
	if (!dicom_is(p, n))
		return wrong_file(err);
	if (take_meta(&r, err))
		return -1;
	while (take_element(&r, &e) && (r.depth || e.tag <= LAST)) {
		if (!r.depth && e.length <= (size_t)(r.end - r.p) && take_value(&e, all, &code, err))
			return -1;
		if (!pass_element(&r, &e))
			break;
	}
	split_name(ret);
	return 0;
}
