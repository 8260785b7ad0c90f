/* checklist: see checklist.h. */
#include "format/policy/checklist.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "format/config/config_field.h"
#include "format/config/config_node.h"
#include "format/config/config_table.h"
#include "format/config/config_text.h"

#define QUOTE 1024 /* bytes */

static const char *const kind_words[] = {"assisted", "computed", NULL}; /* as enum checklist_kind */

/* one key a line: */
/* clang-format off */
#define ITEM(member) offsetof(struct checklist_item, member)
static const struct config_field item_fields[] = {
	{.key = "number", .type = CONFIG_T_TEXT, .max = 16, .offset = ITEM(number), .required = true},
	{.key = "quote", .type = CONFIG_T_TEXT, .max = QUOTE, .offset = ITEM(quote)},
	{.key = "gist", .type = CONFIG_T_TEXT, .max = QUOTE, .offset = ITEM(gist)},
	{.key = "kind", .type = CONFIG_T_ENUM, .words = kind_words, .offset = ITEM(kind)},
	{.key = "documents", .type = CONFIG_T_TEXTS, .item = CONFIG_T_FILE_NAME, .offset = ITEM(documents), .count = ITEM(n_documents)},
};
static const struct config_shape item_shape = {TEXT_LATER("an item of the checklist"), item_fields,
	sizeof(item_fields) / sizeof(*item_fields), sizeof(struct checklist_item), ITEM(mark), NULL};

static const struct config_field fields[] = {
	{.key = "edition", .type = CONFIG_T_TEXT, .max = 16, .offset = offsetof(struct checklist, edition), .required = true},
	{.key = "title", .type = CONFIG_T_TEXT, .offset = offsetof(struct checklist, title), .required = true},
	{.key = "items", .type = CONFIG_T_TABLES, .shape = &item_shape, .offset = offsetof(struct checklist, items),
		.count = offsetof(struct checklist, n_items), .required = true, .min = 1},
};
static const struct config_shape shape = {TEXT_LATER("the checklist"), fields, sizeof(fields) / sizeof(*fields), 0, 0, NULL};
/* clang-format on */

static const struct config_shape *const all_shapes[] = {&shape, &item_shape};

/* "①" to "⑳" as a number, at three bytes; 0: it is none. */
static unsigned circled(const char *s)
{
	const unsigned char *u = (const unsigned char *)s;

	return u[0] == 0xe2 && u[1] == 0x91 && u[2] >= 0xa0 && u[2] <= 0xb3 ? u[2] - 0xa0u + 1 : 0;
}

/* The next character's number, or a digit string's; else the byte itself behind all of them. */
static unsigned next_of(const char **s)
{
	unsigned v = circled(*s);

	if (v) {
		*s += 3;
		return v;
	}
	if (**s < '0' || **s > '9')
		return 1000u + (unsigned char)*(*s)++;
	while (**s >= '0' && **s <= '9' && v < 100)
		v = v * 10 + (unsigned)(*(*s)++ - '0');
	return v;
}

bool checklist_same(const char *a, const char *b)
{
	while (*a && *b)
		if (next_of(&a) != next_of(&b))
			return false;
	return !*a && !*b;
}

static void check_items(const struct checklist *c, struct config_problems *problems)
{
	for (size_t i = 0; i < c->n_items; i++) {
		const struct checklist_item *it = &c->items[i];

		if (!it->quote == !it->gist)
			config_problem_hint(config_problem_error(problems, it->mark, "E-POLICY-09",
						text("an item has either a 'quote' or a 'gist'")),
			    text("write the original's words as 'quote', or your own as 'gist'"));
		for (size_t k = 0; k < i && it->number; k++)
			if (c->items[k].number && checklist_same(it->number, c->items[k].number))
				config_problem_hint(config_problem_error(problems, it->mark, "E-POLICY-12",
							text("the name '%s' is taken"), it->number),
				    text("choose another: the first stands in line %u (capitals make no "
					 "difference)"),
				    c->items[k].mark.line);
	}
}

static int read_tree(
    const char *p, size_t n, struct checklist *c, struct config_problems *problems, struct err *err)
{
	const struct config_shapes all = {all_shapes, 2};
	struct config_node *root __attribute__((cleanup(config_node_free_auto))) = NULL;
	int r = config_node_parse(p, n, 0, &root, problems, err);

	if (r)
		return r < 0 ? -1 : 0;
	if (!root || root->kind != CONFIG_TABLE) {
		config_problem_error(problems, (struct config_mark){1, 1}, "E-POLICY-07",
		    text("'%s' must be %s"), text(shape.name), text("a table of keys"));
		return 0;
	}
	if (config_table_read(&all, &shape, root, c, problems, err))
		return -1;
	check_items(c, problems);
	return 0;
}

int checklist_parse(const char *file, const char *p, size_t n, struct checklist **ret,
    struct config_problems *problems, struct err *err)
{
	struct config_problems *own = problems ? problems : malloc(sizeof(*own));
	struct checklist *c = calloc(1, sizeof(*c));
	int r = c && own ? 0 : err_nomem(err);

	if (own)
		memset(own, 0, sizeof(*own));
	if (!r && config_text_check(p, n, "E-POLICY-02", own))
		r = read_tree(p, n, c, own, err);
	if (!r && own->n_errors) {
		config_problem_sort(own);
		r = config_problems_first(own, file, "", err);
	}
	if (!problems)
		free(own);
	if (r) {
		checklist_free(c);
		return -1;
	}
	*ret = c;
	return 0;
}

void checklist_free(struct checklist *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < c->n_items; i++) {
		free(c->items[i].number);
		free(c->items[i].quote);
		free(c->items[i].gist);
		for (size_t k = 0; k < c->items[i].n_documents; k++)
			free(c->items[i].documents[k]);
		free(c->items[i].documents);
	}
	free(c->items);
	free(c->edition);
	free(c->title);
	free(c);
}
