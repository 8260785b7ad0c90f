/* hl7: see hl7.h.
 *
 * The text is decoded once; segments are the places of their first bytes in it. */
#include "format/chart/hl7.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/text.h"
#include "base/width.h"
#include "format/chart/kanji.h"

#define BETWEEN " | "

struct hl7 {
	struct buf text;
	size_t *begin; /* of each segment; one more: the end of the text */
	size_t n;
	char field, component, repeat, escape, sub;
};

struct span {
	const char *p;
	size_t n;
};

void hl7_free(struct hl7 *h)
{
	if (!h)
		return;
	buf_free(&h->text);
	free(h->begin);
	free(h);
}

size_t hl7_segments(const struct hl7 *h)
{
	return h->n;
}

static bool ends_line(char c)
{
	return c == '\r' || c == '\n';
}

static int find_segments(struct hl7 *h, struct err *err)
{
	const char *p = (const char *)h->text.p;
	size_t cap = 0;

	for (size_t i = 0; i <= h->text.n && h->n < HL7_SEGMENTS; i++) {
		bool begins = i < h->text.n && !ends_line(p[i]) && (!i || ends_line(p[i - 1]));

		if (!begins)
			continue;
		if (h->n + 1 >= cap) {
			size_t *more = reallocarray(h->begin, cap ? cap * 2 : 64, sizeof(*more));

			if (!more)
				return err_nomem(err);
			h->begin = more;
			cap = cap ? cap * 2 : 64;
		}
		h->begin[h->n++] = i;
	}
	return 0;
}

/* A part of a character of several bytes would cut others in two. */
static bool is_separator(char c)
{
	return c > ' ' && c < 0x7f;
}

static char separator_of(char c, char usual)
{
	return is_separator(c) ? c : usual;
}

int hl7_parse(const void *p, size_t n, struct hl7 **ret, struct err *err)
{
	struct hl7 *h;
	const char *s = p;

	/* some systems keep the frame of the transport: VT in front, FS behind */
	if (n && *s == '\v')
		s++, n--;
	if (n < 9 || n > HL7_MAX || memcmp(s, "MSH", 3) != 0 || !is_separator(s[3]) || s[3] == '\\')
		return err_set_kind(err, ERR_MALFORMED, "E-CHART-01", "%s", text("it is no message of HL7"));
	h = calloc(1, sizeof(*h));
	if (!h)
		return err_nomem(err);
	h->text = (struct buf)BUF_INIT(HL7_MAX * 4);
	if (kanji_text(kanji_guess(s, n), s, n, &h->text, err) || buf_terminate(&h->text, err) ||
	    find_segments(h, err)) {
		hl7_free(h);
		return -1;
	}
	h->field = s[3];
	h->component = separator_of(s[4], '^');
	h->repeat = separator_of(s[5], '~');
	h->escape = separator_of(s[6], '\\');
	h->sub = separator_of(s[7], '&');
	*ret = h;
	return 0;
}

/* Up to its line's end. */
static struct span span_of(const struct hl7 *h, size_t segment)
{
	const char *p = (const char *)h->text.p + h->begin[segment],
		   *end = (const char *)h->text.p + h->text.n;
	struct span s = {p, 0};

	while (p + s.n < end && !ends_line(p[s.n]))
		s.n++;
	return s;
}

const char *hl7_segment(const struct hl7 *h, size_t segment, char ret[4])
{
	struct span s = span_of(h, segment);
	size_t n = 0;

	while (n < 3 && n < s.n && s.p[n] != h->field && (unsigned char)s.p[n] > ' ' && s.p[n] < 0x7f)
		n++;
	memcpy(ret, s.p, n);
	ret[n] = '\0';
	return ret;
}

/* The part of that number, from 0 on, between separators; its p is NULL where there is none. */
static struct span part_of(struct span s, char separator, unsigned number)
{
	while (s.p) {
		const char *end = s.n ? memchr(s.p, separator, s.n) : NULL;
		size_t len = end ? (size_t)(end - s.p) : s.n;

		if (!number--)
			return (struct span){s.p, len};
		s = end ? (struct span){end + 1, s.n - len - 1} : (struct span){NULL, 0};
	}
	return s;
}

/* A further line that only begins with the three letters may go on with a character of several bytes: it is no head, and nothing of
 * it is cut off. */
static bool is_head(const struct hl7 *h, struct span s)
{
	return s.n >= 4 && !memcmp(s.p, "MSH", 3) && s.p[3] == h->field;
}

/* MSH-1 is the separator itself, and MSH-2 the first part behind the name. */
static struct span field_of(const struct hl7 *h, size_t segment, unsigned number)
{
	struct span s = span_of(h, segment);
	bool head = is_head(h, s);

	if (head && number == 1)
		return (struct span){s.p + 3, 1};
	return part_of(s, h->field, head ? number - 1 : number);
}

/* ---- as a person reads it ---- */

/* An escape sequence at the front: what stands for it, and its length; 0: it is none. */
static size_t escape_of(const struct hl7 *h, const char *p, size_t n, char ret[2])
{
	static const struct {
		const char *word;
		size_t at; /* of the separator it stands for */
	} words[] = {
	    {"F", 0}, {"S", 1}, {"T", 2}, {"R", 3}, {"E", 4}, {".br", 5}, {".sp", 5}, {"H", 6}, {"N", 6}};
	const char stands[] = {h->field, h->component, h->sub, h->repeat, h->escape, '\n', '\0'};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t len = strlen(words[i].word);

		if (n >= len + 2 && !memcmp(p + 1, words[i].word, len) && p[len + 1] == h->escape) {
			ret[0] = stands[words[i].at];
			ret[1] = '\0';
			return len + 2;
		}
	}
	return 0;
}

static int put_part(const struct hl7 *h, struct span s, struct buf *out, struct err *err)
{
	char stands[2];
	int r = 0;

	for (size_t i = 0; i < s.n && !r;) {
		size_t len = s.p[i] == h->escape ? escape_of(h, s.p + i, s.n - i, stands) : 0;

		if (len)
			r = buf_puts(out, stands, err);
		else
			r = buf_append(out, s.p[i] == h->sub ? " " : s.p + i, 1, err);
		i += len ? len : 1;
	}
	return r;
}

/* Parts that are empty are left out: who reads it does not count them. */
static int put_repetition(const struct hl7 *h, struct span s, struct buf *out, struct err *err)
{
	bool some = false;

	while (s.p) {
		struct span part = part_of(s, h->component, 0);

		if ((part.n && some && buf_puts(out, BETWEEN, err)) || put_part(h, part, out, err))
			return -1;
		some |= part.n > 0;
		s = part.n == s.n ? (struct span){NULL, 0}
				  : (struct span){part.p + part.n + 1, s.n - part.n - 1};
	}
	return 0;
}

int hl7_value(const struct hl7 *h, size_t segment, unsigned number, struct buf *out, struct err *err)
{
	struct span s = field_of(h, segment, number), part;
	bool plain = is_head(h, span_of(h, segment)) && number <= 2;

	out->n = 0;
	if (!s.p)
		return HL7_END;
	while (!plain && s.n && (part = part_of(s, h->repeat, 0)).p) {
		if ((out->n && buf_puts(out, "\n", err)) || put_repetition(h, part, out, err))
			return -1;
		s = part.n == s.n ? (struct span){s.p, 0}
				  : (struct span){part.p + part.n + 1, s.n - part.n - 1};
	}
	return (plain && buf_append(out, s.p, s.n, err)) || buf_terminate(out, err) ? -1 : 0;
}

/* ---- the patient ---- */

static int put_word(const struct hl7 *h, struct span s, char *out, struct err *err)
{
	BUF_AUTO b = BUF_INIT(HL7_MAX * 4);
	size_t n;

	if (put_part(h, s, &b, err))
		return -1;
	n = b.n < HL7_TEXT - 1 ? b.n : HL7_TEXT - 1;
	if (n)
		memcpy(out, b.p, n);
	out[n] = '\0';
	width_whole(out);
	return 0;
}

static int put_name(const struct hl7 *h, struct span name, char *out, struct err *err)
{
	struct span family = part_of(name, h->component, 0), given = part_of(name, h->component, 1);
	char word[HL7_TEXT];
	size_t n;

	family = part_of(family, h->sub, 0);
	if (put_word(h, family, out, err) || put_word(h, given, word, err))
		return -1;
	n = strlen(out);
	if (*word && n + strlen(word) + 1 < HL7_TEXT) {
		if (n)
			out[n++] = ' ';
		memcpy(out + n, word, strlen(word) + 1);
	}
	return 0;
}

/* The eighth component says how it is written: P as it is read, I in kanji, A in letters. */
static int take_names(const struct hl7 *h, size_t segment, struct hl7_patient *ret, struct err *err)
{
	struct span field = field_of(h, segment, 5), name;

	for (unsigned i = 0; i < 8 && (name = part_of(field, h->repeat, i)).p; i++) {
		struct span how = part_of(name, h->component, 7);
		char *to = how.n && *how.p == 'P' ? ret->kana : how.n && *how.p == 'I' ? ret->name : NULL;

		if (!to && !*ret->name)
			to = ret->name;
		if (to && put_name(h, name, to, err))
			return -1;
	}
	return 0;
}

int hl7_patient(const struct hl7 *h, struct hl7_patient *ret, struct err *err)
{
	char name[4];
	size_t i = 0;

	*ret = (struct hl7_patient){.number = ""};
	while (i < h->n && strcmp(hl7_segment(h, i, name), "PID") != 0)
		i++;
	if (i == h->n)
		return 0;
	return put_word(
		   h, part_of(part_of(field_of(h, i, 3), h->repeat, 0), h->component, 0), ret->number, err) ||
		       take_names(h, i, ret, err) ||
		       put_word(h, part_of(field_of(h, i, 7), h->component, 0), ret->born, err) ||
		       put_word(h, part_of(field_of(h, i, 8), h->component, 0), ret->sex, err)
		   ? -1
		   : 0;
}
