/* extset: see extset.h.  The file: "bkp-extensions 1 <generation from which on new ones are strange>", then
 * "<generation first seen> <extension as hex>" a line. */
#include "write/index/extset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "format/guard/guard.h"

#define FILE_MAX   ((size_t)64 << 10)
#define NAME_BYTES 160

struct extset {
	int dirfd;
	char name[NAME_BYTES];
	uint64_t generation, settled; /* extensions first seen before `settled` are nothing strange */
	struct ext {
		uint64_t first;
		char text[EXTSET_BYTES];
	} ext[EXTSET_MAX];
	size_t n, last; /* the one asked for last */
	bool overflowed, changed;
};

static bool unhex(const char *hex, char out[EXTSET_BYTES])
{
	size_t n = strlen(hex) / 2;

	if (!n || n >= EXTSET_BYTES || strlen(hex) % 2)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned byte;

		if (sscanf(hex + 2 * i, "%2x", &byte) != 1 || !byte)
			return false;
		out[i] = (char)byte;
	}
	out[n] = '\0';
	return true;
}

/* Fills s from the file's text; false: it is none, nothing is filled. */
static bool parse(struct extset *s, char *p)
{
	char *save = NULL, *line = strtok_r(p, "\n", &save), hex[2 * EXTSET_BYTES];

	if (!line || sscanf(line, "bkp-extensions 1 %" SCNu64, &s->settled) != 1)
		return false;
	while (s->n < EXTSET_MAX && (line = strtok_r(NULL, "\n", &save))) {
		struct ext *e = &s->ext[s->n];

		if (sscanf(line, "%" SCNu64 " %31[0-9a-f]", &e->first, hex) == 2 && unhex(hex, e->text))
			s->n++;
	}
	s->overflowed = s->n == EXTSET_MAX;
	return true;
}

int extset_open(
    int dirfd, const char *dataset, uint64_t generation, bool compared, struct extset **ret, struct err *err)
{
	BUF_AUTO b = BUF_INIT(FILE_MAX);
	struct extset *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(err);
	s->dirfd = dirfd;
	s->generation = generation;
	snprintf(s->name, sizeof(s->name), "%s.ext", dataset);
	if (io_read_file(dirfd, s->name, &b, NULL) || buf_terminate(&b, NULL) || !parse(s, (char *)b.p)) {
		s->settled = generation + (compared ? GUARD_WINDOW : 1);
		s->changed = true;
	}
	*ret = s;
	return 0;
}

/* The extension of the path's last component in lower case; false: it has none, or a mere number (parts of
 * UIDs, counters, dates). */
static bool extension(const char *path, char out[EXTSET_BYTES])
{
	const char *name = strrchr(path, '/'), *dot;
	bool word = false;
	size_t n = 0;

	name = name ? name + 1 : path;
	dot = strrchr(name, '.');
	if (!dot || dot == name || !dot[1])
		return false;
	for (dot++; *dot && n < EXTSET_BYTES - 1; dot++) {
		char c = *dot >= 'A' && *dot <= 'Z' ? (char)(*dot + 'a' - 'A') : *dot;

		word |= c < '0' || c > '9';
		out[n++] = c;
	}
	memset(out + n, 0, EXTSET_BYTES - n);
	return word;
}

bool extset_see(struct extset *s, const char *path)
{
	char ext[EXTSET_BYTES];
	size_t i = s->last;

	if (!extension(path, ext))
		return false;
	if (i >= s->n || memcmp(s->ext[i].text, ext, EXTSET_BYTES) != 0)
		for (i = 0; i < s->n && memcmp(s->ext[i].text, ext, EXTSET_BYTES) != 0; i++)
			;
	if (i == s->n) {
		if (s->overflowed || s->n == EXTSET_MAX) /* those that fill it up in this run are strange */
			return !s->overflowed && s->generation >= s->settled;
		s->ext[s->n].first = s->generation;
		memcpy(s->ext[s->n++].text, ext, EXTSET_BYTES);
		s->changed = true;
	}
	s->last = i;
	return !s->overflowed && s->ext[i].first >= s->settled &&
	       s->generation - s->ext[i].first < GUARD_WINDOW;
}

int extset_save(struct extset *s, struct err *err)
{
	BUF_AUTO b = BUF_INIT(FILE_MAX);

	if (!s->changed)
		return 0;
	if (buf_printf(&b, err, "bkp-extensions 1 %" PRIu64 "\n", s->settled))
		return -1;
	for (size_t i = 0; i < s->n; i++) {
		const struct ext *e = &s->ext[i];

		if (buf_printf(&b, err, "%" PRIu64 " ", e->first))
			return -1;
		for (size_t k = 0; e->text[k]; k++)
			if (buf_printf(&b, err, "%02x", (unsigned)(uint8_t)e->text[k]))
				return -1;
		if (buf_puts(&b, "\n", err))
			return -1;
	}
	if (io_replace(s->dirfd, s->name, 0600, b.p, b.n, err))
		return -1;
	s->changed = false;
	return 0;
}

void extset_close(struct extset *s)
{
	free(s);
}
