/* policy_diff: see policy_diff.h.
 *
 * diff_shape() walks the tables of policy_schema.c over both structs at once.  A single value is compared as the text that a
 * policy would write (format_value()), so that "24h" and "1d" are equal.  A list of tables is compared by name: an entry that
 * is on one side only is one item; one that is on both is descended into.  A list of texts is compared as a set. */
#include "format/policy/policy_diff.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"
#include "base/err.h"
#include "format/config/config_field.h"
#include "format/policy/policy.h"
#include "format/policy/policy_schema.h"

#define KEY_MAX	  1100
#define VALUE_MAX 128

const char *policy_diff_word(enum policy_diff_kind kind)
{
	static const char *const words[] = {"added", "removed", "changed"};

	return words[kind];
}

/* ---- collecting ---- */

static char *copy_text(const char *s, bool *failed)
{
	char *c = s ? strdup(s) : NULL;

	*failed |= s && !c;
	return c;
}

static int add_item(struct policy_diff *d, const char *key, const char *from, const char *to, bool whole,
    bool plain, struct err *err)
{
	struct policy_diff_item *items = reallocarray(d->item, d->n + 1, sizeof(*items)), *it;
	bool failed = false;

	if (!items)
		return err_nomem(err);
	d->item = items;
	it = &items[d->n++];
	*it = (struct policy_diff_item){.plain = plain,
	    .kind = from && to ? POLICY_DIFF_CHANGED
		    : to       ? POLICY_DIFF_ADDED
			       : POLICY_DIFF_REMOVED};
	it->key = copy_text(key, &failed);
	it->from = copy_text(whole ? NULL : from, &failed);
	it->to = copy_text(whole ? NULL : to, &failed);
	return failed ? err_nomem(err) : 0;
}

/* ---- values ---- */

static const char *format_duration(int64_t s, char *out)
{
	if (!s)
		return NULL;
	if (s % 86400 == 0)
		snprintf(out, VALUE_MAX, "%" PRId64 "d", s / 86400);
	else if (s % 3600 == 0)
		snprintf(out, VALUE_MAX, "%" PRId64 "h", s / 3600);
	else
		snprintf(out, VALUE_MAX, "%" PRId64 "m", s / 60);
	return out;
}

static const char *format_every(const struct config_every *e, char *out)
{
	static const char *const units[] = {"hour", "day", "week", "month"};
	bool days = e->unit == CONFIG_HOUR && e->n % 24 == 0; /* 24h is a day */
	enum config_unit unit = days ? CONFIG_DAY : e->unit;
	unsigned n = days ? e->n / 24 : e->n;

	if (n == 1)
		return units[unit];
	snprintf(out, VALUE_MAX, "%u%c", n, unit == CONFIG_HOUR ? 'h' : 'd');
	return out;
}

static const char *format_roles(const struct config_field *f, unsigned bits, char *out)
{
	const char *names[32];
	size_t n = 0;

	for (size_t i = 0; f->words[i]; i++)
		if (bits & 1u << i)
			names[n++] = f->words[i];
	return n ? config_field_join(names, n, out, VALUE_MAX) : NULL;
}

/* As the policy would write it; NULL: not stated. */
static const char *format_value(const struct config_field *f, const void *at, char out[VALUE_MAX])
{
	switch (f->type) {
	case CONFIG_T_ENUM:
		return *f->words[*(const unsigned *)at] ? f->words[*(const unsigned *)at] : NULL;
	case CONFIG_T_LANG:
		return *(const enum text_lang *)at == TEXT_JA ? "ja" : "en";
	case CONFIG_T_BOOL:
		return *(const bool *)at ? "true" : "false";
	case CONFIG_T_BOOL_NOT:
		return *(const bool *)at ? "false" : "true";
	case CONFIG_T_SIZE:
		snprintf(out, VALUE_MAX, "%" PRIu64 " B", *(const uint64_t *)at);
		return *(const uint64_t *)at ? out : NULL;
	case CONFIG_T_PERCENT:
		snprintf(out, VALUE_MAX, "%u %%", *(const unsigned *)at);
		return f->min && !*(const unsigned *)at ? NULL
							: out; /* where 0 cannot be stated it is none */
	case CONFIG_T_NUMBER:
		snprintf(out, VALUE_MAX, "%u", *(const unsigned *)at);
		return f->min && !*(const unsigned *)at ? NULL : out;
	case CONFIG_T_DURATION:
		return format_duration(*(const int64_t *)at, out);
	case CONFIG_T_EVERY:
		return format_every(at, out);
	case CONFIG_T_TIME:
		snprintf(out, VALUE_MAX, "%02d:%02d", *(const int *)at / 60, *(const int *)at % 60);
		return *(const int *)at < 0 ? NULL : out;
	case CONFIG_T_DAY:
		return *(const int32_t *)at ? day_format(*(const int32_t *)at, out) : NULL;
	case CONFIG_T_ROLES:
		return format_roles(f, *(const unsigned *)at, out);
	default: /* the kinds of text */
		return *(char *const *)at;
	}
}

static bool is_plain(enum config_type t)
{
	return t == CONFIG_T_ENUM || t == CONFIG_T_LANG || (t >= CONFIG_T_BOOL && t <= CONFIG_T_ROLES);
}

/* What has an order, as a number. */
static int64_t amount_of(const struct config_field *f, const void *at)
{
	switch (f->type) {
	case CONFIG_T_ENUM:
	case CONFIG_T_PERCENT:
	case CONFIG_T_NUMBER:
		return *(const unsigned *)at;
	case CONFIG_T_BOOL:
		return *(const bool *)at;
	case CONFIG_T_BOOL_NOT:
		return !*(const bool *)at;
	case CONFIG_T_SIZE: /* INT64_MAX at most */
		return (int64_t) * (const uint64_t *)at;
	case CONFIG_T_DURATION:
		return *(const int64_t *)at;
	case CONFIG_T_DAY:
		return *(const int32_t *)at;
	default:
		return 0;
	}
}

static int diff_value(struct policy_diff *d, const struct config_field *f, const char *key, const char *a,
    const char *b, struct err *err)
{
	char va[VALUE_MAX], vb[VALUE_MAX];
	const char *x = format_value(f, a + f->offset, va), *y = format_value(f, b + f->offset, vb);

	if ((!x && !y) || (x && y && !strcmp(x, y)))
		return 0;
	if (add_item(d, key, x, y, false, is_plain(f->type), err))
		return -1;
	const int64_t was = amount_of(f, a + f->offset), is = amount_of(f, b + f->offset);

	d->item[d->n - 1].moved = (is > was) - (is < was);
	return 0;
}

/* ---- lists ---- */

struct list {
	const char *p;
	size_t n;
};

static struct list list_of(const struct config_field *f, const char *at)
{
	struct list l;

	memcpy(&l.p, at + f->offset, sizeof(l.p));
	memcpy(&l.n, at + f->count, sizeof(l.n));
	return l;
}

static bool has_text(struct list l, const char *s)
{
	for (size_t i = 0; i < l.n; i++)
		if (!strcmp(((char *const *)(const void *)l.p)[i], s))
			return true;
	return false;
}

static int diff_texts(struct policy_diff *d, const char *key, struct list a, struct list b, struct err *err)
{
	for (size_t i = 0; i < a.n + b.n; i++) {
		bool old = i < a.n;
		const char *s = ((char *const *)(const void *)(old ? a.p : b.p))[old ? i : i - a.n];

		if (!has_text(old ? b : a, s) &&
		    add_item(d, key, old ? s : NULL, old ? NULL : s, false, false, err))
			return -1;
	}
	return 0;
}

/* Tables in lists begin with their name. */
static const char *name_of(const struct config_shape *shape, const char *entry)
{
	char *name;

	memcpy(&name, entry + shape->field[0].offset, sizeof(name));
	return name;
}

static const char *find_entry(const struct config_shape *shape, struct list l, const char *name)
{
	for (size_t i = 0; i < l.n; i++)
		if (!strcmp(name_of(shape, l.p + i * shape->size), name))
			return l.p + i * shape->size;
	return NULL;
}

static int diff_shape(struct policy_diff *d, const struct config_shape *shape, const char *prefix,
    const char *a, const char *b, struct err *err);

static int diff_tables(struct policy_diff *d, const struct config_shape *shape, const char *key,
    struct list a, struct list b, struct err *err)
{
	char path[KEY_MAX];

	for (size_t i = 0; i < a.n + b.n; i++) {
		bool old = i < a.n;
		const char *entry = old ? a.p + i * shape->size : b.p + (i - a.n) * shape->size,
			   *name = name_of(shape, entry), *other = find_entry(shape, old ? b : a, name);
		int r = 0;

		snprintf(path, sizeof(path), "%.200s/%.800s", key, name);
		if (!other)
			r = add_item(d, path, old ? name : NULL, old ? NULL : name, true, true, err);
		else if (old)
			r = diff_shape(d, shape, path, entry, other, err);
		if (r)
			return -1;
	}
	return 0;
}

static int diff_shape(struct policy_diff *d, const struct config_shape *shape, const char *prefix,
    const char *a, const char *b, struct err *err)
{
	char key[KEY_MAX + 64];
	int r = 0;

	for (size_t i = 0; i < shape->n && !r; i++) {
		const struct config_field *f = &shape->field[i];

		snprintf(key, sizeof(key), "%.1000s%s%s", prefix, *prefix ? "/" : "", f->key);
		if (f->type == CONFIG_T_TABLE)
			r = diff_shape(d, f->shape, key, a, b, err);
		else if (f->type == CONFIG_T_TEXTS)
			r = diff_texts(d, key, list_of(f, a), list_of(f, b), err);
		else if (f->type == CONFIG_T_TABLES)
			r = diff_tables(d, f->shape, key, list_of(f, a), list_of(f, b), err);
		else
			r = diff_value(d, f, key, a, b, err);
	}
	return r;
}

int policy_diff_new(
    const struct policy *from, const struct policy *to, struct policy_diff **ret, struct err *err)
{
	struct policy_diff *d = calloc(1, sizeof(*d));

	if (!d)
		return err_nomem(err);
	if (diff_shape(d, policy_schema_shape(), "", (const char *)from, (const char *)to, err)) {
		policy_diff_free(d);
		return -1;
	}
	*ret = d;
	return 0;
}

void policy_diff_free(struct policy_diff *d)
{
	for (size_t i = 0; d && i < d->n; i++) {
		free(d->item[i].key);
		free(d->item[i].from);
		free(d->item[i].to);
	}
	if (d)
		free(d->item);
	free(d);
}
