/* owners: see owners.h. */
#include "restore/extract/owners.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/io.h"
#include "base/path.h"
#include "base/text.h"

#define FILE_MAX  ((size_t)16 << 20)
#define MAP_MAX	  ((size_t)1 << 20)
#define LINES_MAX 1000
#define ID_MAX	  ((uint64_t)UINT32_MAX - 1)
#define SHOW	  120

struct person {
	const char *name;
	uint32_t id;
	size_t line; /* of several of one name, or number, the first counts */
};

struct people {
	struct buf text; /* the file, in which names end with NUL */
	struct person *by_name, *by_id;
	size_t n;
};

struct rule {
	enum owners_kind kind;
	const char *from; /* NULL: a number */
	uint32_t id, to;
	size_t line;
};

struct owners {
	bool numeric;
	struct people people[2];
	struct buf map;
	struct rule *rules;
	size_t n_rules;
	struct owners_stranger strangers[OWNERS_STRANGERS];
	size_t n_strangers;
};

/* ---- who is here ---- */

static int by_line(const struct person *a, const struct person *b)
{
	return a->line < b->line ? -1 : a->line > b->line;
}

static int by_name(const void *a, const void *b)
{
	int r = strcmp(((const struct person *)a)->name, ((const struct person *)b)->name);

	return r ? r : by_line(a, b);
}

static int by_id(const void *a, const void *b)
{
	const struct person *x = a, *y = b;

	return x->id != y->id ? (x->id < y->id ? -1 : 1) : by_line(x, y);
}

/* The first that does not sort before `key`. */
static const struct person *at_or_behind(
    const struct person *p, size_t n, const struct person *key, int (*compare)(const void *, const void *))
{
	size_t low = 0;

	while (low < n) {
		size_t middle = low + (n - low) / 2;

		if (compare(&p[middle], key) < 0)
			low = middle + 1;
		else
			n = middle;
	}
	return p + low;
}

static const struct person *of_name(const struct people *p, const char *name)
{
	struct person key = {.name = name};
	const struct person *found = at_or_behind(p->by_name, p->n, &key, by_name);

	return p->n && found < p->by_name + p->n && !strcmp(found->name, name) ? found : NULL;
}

static const struct person *of_id(const struct people *p, uint32_t id)
{
	struct person key = {.id = id};
	const struct person *found = at_or_behind(p->by_id, p->n, &key, by_id);

	return p->n && found < p->by_id + p->n && found->id == id ? found : NULL;
}

static bool parse_id(const char *s, uint32_t *ret)
{
	uint64_t n = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return false;
		n = n * 10 + (uint64_t)(*s - '0');
		if (n > ID_MAX)
			return false;
	}
	*ret = (uint32_t)n;
	return true;
}

/* "name:password:number:…"; anything else on a line says nothing. */
static bool parse_person(char *line, struct person *ret)
{
	char *save = NULL, *colon = strchr(line, ':'), *id;

	if (!colon || colon == line || !strchr(colon + 1, ':'))
		return false;
	*colon = '\0';
	id = strchr(colon + 1, ':') + 1;
	ret->name = line;
	return strtok_r(id, ":", &save) && parse_id(id, &ret->id);
}

static int read_people(const char *file, struct people *ret, struct err *err)
{
	struct err why = ERR_INIT;
	size_t lines = 1;
	char *save = NULL;
	int r;

	buf_init(&ret->text, FILE_MAX);
	r = io_read_file(AT_FDCWD, file, &ret->text, &why);
	if (r < 0 || buf_terminate(&ret->text, &why))
		return err_set(err, "E-OWNER-01", "%s", why.msg);
	for (size_t i = 0; i < ret->text.n; i++)
		lines += ret->text.p[i] == '\n';
	ret->by_name = calloc(lines, sizeof(*ret->by_name));
	ret->by_id = calloc(lines, sizeof(*ret->by_id));
	if (!ret->by_name || !ret->by_id)
		return err_nomem(err);
	for (char *line = strtok_r((char *)ret->text.p, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		ret->by_name[ret->n].line = ret->n;
		ret->n += parse_person(line, &ret->by_name[ret->n]);
	}
	memcpy(ret->by_id, ret->by_name, ret->n * sizeof(*ret->by_id));
	qsort(ret->by_name, ret->n, sizeof(*ret->by_name), by_name);
	qsort(ret->by_id, ret->n, sizeof(*ret->by_id), by_id);
	return 0;
}

/* ---- the map ---- */

static int bad_line(const char *file, size_t line, const char *why, const char *word, struct err *err)
{
	char shown[SHOW], name[SHOW];

	err_set(err, "E-OWNER-03", "%s:%zu: '%s' %s", path_show(file, name, sizeof(name)), line,
	    path_show(word, shown, sizeof(shown)), why);
	return err_hint(err, "%s",
	    text("a line is: user NAME-OR-NUMBER NAME-OR-NUMBER (or group ...): first as it was captured, "
		 "then "
		 "whom it belongs to here"));
}

static bool is_same_rule(const struct rule *a, const struct rule *b)
{
	return a->kind == b->kind && !a->from == !b->from &&
	       (a->from ? !strcmp(a->from, b->from) : a->id == b->id);
}

static int take_rule(struct owners *o, const char *file, char *text_, size_t line, struct err *err)
{
	char *save = NULL, *word = strtok_r(text_, " \t", &save), *from = strtok_r(NULL, " \t", &save),
	     *to = strtok_r(NULL, " \t", &save);
	struct rule *r = &o->rules[o->n_rules];
	const struct person *p;

	if (!word || *word == '#')
		return 0;
	*r = (struct rule){.kind = strcmp(word, "group") ? OWNERS_USER : OWNERS_GROUP, .line = line};
	if (strcmp(word, "user") != 0 && strcmp(word, "group") != 0)
		return bad_line(file, line, text("is neither user nor group"), word, err);
	if (!to || (strtok_r(NULL, " \t", &save)))
		return bad_line(file, line, text("is followed by more or less than two"), word, err);
	if (!parse_id(from, &r->id))
		r->from = from;
	if (!parse_id(to, &r->to)) {
		p = of_name(&o->people[r->kind], to);
		if (!p)
			return bad_line(file, line, text("is nobody's name here"), to, err);
		r->to = p->id;
	}
	if (!r->to)
		return bad_line(file, line, text("would be root's"), to, err);
	for (size_t i = 0; i < o->n_rules; i++)
		if (is_same_rule(&o->rules[i], r))
			return bad_line(file, line, text("stands there already"), from, err);
	o->n_rules++;
	return 0;
}

static int read_map(struct owners *o, const char *file, struct err *err)
{
	struct err why = ERR_INIT;
	char shown[SHOW];
	size_t line = 0;
	int r;

	r = io_read_file(AT_FDCWD, file, &o->map, &why);
	if (r || buf_terminate(&o->map, &why))
		return err_set(err, "E-OWNER-02", "%s", why.msg);
	if (strlen((char *)o->map.p) != o->map.n)
		return err_set(
		    err, "E-OWNER-02", text("'%s' is no text"), path_show(file, shown, sizeof(shown)));
	o->rules = calloc(LINES_MAX, sizeof(*o->rules));
	if (!o->rules)
		return err_nomem(err);
	for (char *at = (char *)o->map.p, *next; *at; at = next) {
		size_t n = strcspn(at, "\n");

		next = at + n + (at[n] != '\0');
		at[n] = '\0';
		if (++line > LINES_MAX)
			return bad_line(file, line, text("is one line too many"), "", err);
		if (take_rule(o, file, at, line, err))
			return -1;
	}
	return 0;
}

/* ---- all of it ---- */

int owners_new(bool numeric, const char *map, struct owners **ret, struct err *err)
{
	struct owners *o = calloc(1, sizeof(*o));

	if (!o)
		return err_nomem(err);
	o->numeric = numeric;
	buf_init(&o->map, MAP_MAX);
	if (read_people("/etc/passwd", &o->people[OWNERS_USER], err) ||
	    read_people("/etc/group", &o->people[OWNERS_GROUP], err) || (map && read_map(o, map, err))) {
		owners_free(o);
		return -1;
	}
	*ret = o;
	return 0;
}

void owners_free(struct owners *o)
{
	if (!o)
		return;
	for (size_t i = 0; i < 2; i++) {
		buf_free(&o->people[i].text);
		free(o->people[i].by_name);
		free(o->people[i].by_id);
	}
	for (size_t i = 0; i < o->n_strangers; i++)
		free((char *)(uintptr_t)o->strangers[i].name);
	buf_free(&o->map);
	free(o->rules);
	free(o);
}

static const struct rule *rule_for(
    const struct owners *o, enum owners_kind kind, const char *name, uint32_t id)
{
	const struct rule *of_number = NULL;

	for (size_t i = 0; i < o->n_rules; i++) {
		const struct rule *r = &o->rules[i];

		if (r->kind != kind)
			continue;
		if (r->from && name && !strcmp(r->from, name))
			return r;
		if (!r->from && r->id == id)
			of_number = r;
	}
	return of_number;
}

static void remember(struct owners *o, enum owners_kind kind, const char *name, uint32_t id)
{
	const struct person *holder = of_id(&o->people[kind], id);
	char *copy;

	for (size_t i = 0; i < o->n_strangers; i++)
		if (o->strangers[i].kind == kind && o->strangers[i].id == id &&
		    !strcmp(o->strangers[i].name, name))
			return;
	copy = o->n_strangers < OWNERS_STRANGERS ? strdup(name) : NULL;
	if (copy)
		o->strangers[o->n_strangers++] =
		    (struct owners_stranger){kind, copy, id, holder ? holder->name : NULL};
}

uint32_t owners_here(struct owners *o, enum owners_kind kind, const char *name, uint32_t id, bool *ret_other)
{
	const struct people *people = &o->people[kind];
	const struct rule *rule = rule_for(o, kind, name, id);
	const struct person *p;

	*ret_other = false;
	if (name && !*name)
		name = NULL;
	if (rule) {
		p = of_id(people, rule->to);
		*ret_other = !(p && name && !strcmp(p->name, name)) && rule->to != id;
		return rule->to;
	}
	if (!id || o->numeric)
		return id;
	p = name ? of_name(people, name) : NULL;
	if (p && p->id)
		return p->id;
	if (name)
		remember(o, kind, name, id);
	p = of_id(people, id);
	*ret_other = p && (!name || strcmp(p->name, name) != 0);
	return id;
}

size_t owners_strangers(const struct owners *o, const struct owners_stranger **ret)
{
	*ret = o->strangers;
	return o->n_strangers;
}
