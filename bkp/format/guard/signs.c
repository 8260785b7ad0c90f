/* signs: see signs.h. */
#include "format/guard/signs.h"

#include <stdbool.h>
#include <string.h>

#include "base/fnv.h"

void signs_begin(struct signs *s)
{
	s->n = s->last = 0;
}

uint64_t signs_hash(const char *path)
{
	const char *name = strrchr(path, '/'), *dot;
	uint64_t h = FNV_START;

	name = name ? name + 1 : path;
	/* beside an open document stands one that says who has it: of the document's extension, and nothing of its kind */
	if (!strncmp(name, "~$", 2))
		return fnv_bytes(h, name, 2);
	dot = strrchr(name, '.');
	if (!dot || dot == name)
		return 0;
	for (dot++; *dot; dot++) {
		const char c = *dot >= 'A' && *dot <= 'Z' ? (char)(*dot + 'a' - 'A') : *dot;

		h = fnv_bytes(h, &c, 1);
	}
	return h;
}

/* NULL: there are too many. */
static struct signs_extension *find_or_add(struct signs *s, uint64_t hash)
{
	if (s->last < s->n && s->of[s->last].hash == hash)
		return &s->of[s->last];
	for (s->last = 0; s->last < s->n; s->last++)
		if (s->of[s->last].hash == hash)
			return &s->of[s->last];
	if (s->n == SIGNS_EXTENSIONS)
		return NULL;
	s->of[s->n] = (struct signs_extension){.hash = hash};
	return &s->of[s->n++];
}

void signs_seen(struct signs *s, const char *path, const struct profile *was)
{
	enum profile_sign sign = profile_sign(was);
	struct signs_extension *e = sign < SIGNS ? find_or_add(s, signs_hash(path)) : NULL;

	if (!e)
		return;
	e->were++;
	e->was[sign]++;
}

void signs_new(struct signs *s, const char *path, const struct profile *now, uint64_t size)
{
	enum profile_sign sign = profile_sign(now);
	struct signs_extension *e = sign < SIGNS ? find_or_add(s, signs_hash(path)) : NULL;

	if (!e)
		return;
	e->is[sign]++;
	e->bytes[sign] += size;
}

static bool is_usual(const struct signs_extension *e, unsigned sign)
{
	return e->was[sign] * SIGNS_SHARE > e->were;
}

bool signs_is_usual(const struct signs *s, uint64_t extension, enum profile_sign sign)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->of[i].hash == extension)
			return is_usual(&s->of[i], sign);
	return false;
}

uint64_t signs_alien(const struct signs *s, uint64_t *ret_bytes)
{
	uint64_t n = 0;

	*ret_bytes = 0;
	for (size_t i = 0; i < s->n; i++)
		for (unsigned k = 0; k < SIGNS; k++) {
			const struct signs_extension *e = &s->of[i];
			bool alien = k != SIGN_NONE && e->were >= SIGNS_LEAST && !is_usual(e, k);

			n += alien ? e->is[k] : 0;
			*ret_bytes += alien ? e->bytes[k] : 0;
		}
	return n;
}
