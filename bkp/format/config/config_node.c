/* config_node: see config_node.h.  libyaml gives events; the tree is ours because its own document forgets
 * which keys stood twice and resolves what we refuse. */
#include "format/config/config_node.h"

#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/err.h"
#include "base/text.h"
#include "format/config/config_problem.h"

struct builder {
	struct config_problems *problems;
	struct config_node *root;
	struct config_node *open[CONFIG_DEPTH_MAX]; /* the containers around the place where we are */
	size_t depth, total;
	char *key; /* read, its value not yet */
	struct config_mark key_mark;
	bool key_twice; /* stood in this table before: its value will be refused */
	unsigned documents;
	unsigned lines_before;
};

static struct config_mark mark_of(const struct builder *b, yaml_mark_t m)
{
	return (struct config_mark){b->lines_before + (unsigned)m.line + 1, (unsigned)m.column + 1};
}

void config_node_free(struct config_node *node)
{
	struct config_node *child, *next;

	if (!node)
		return;
	for (child = node->first; child; child = next) {
		next = child->next;
		config_node_free(child); /* as deep as CONFIG_DEPTH_MAX */
	}
	free(node->key);
	free(node->s);
	free(node);
}

void config_node_free_auto(struct config_node **node)
{
	config_node_free(*node);
}

const struct config_node *config_node_get(const struct config_node *table, const char *key)
{
	const struct config_node *child = table && table->kind == CONFIG_TABLE ? table->first : NULL;

	for (; child; child = child->next)
		if (!child->refused && !strcmp(child->key, key))
			return child;
	return NULL;
}

bool config_node_has(const struct config_node *table, const char *key)
{
	const struct config_node *child = table && table->kind == CONFIG_TABLE ? table->first : NULL;

	for (; child; child = child->next)
		if (!strcmp(child->key, key))
			return true;
	return false;
}

bool config_node_is_empty(const struct config_node *node)
{
	static const char *const none[] = {"", "~", "null", "Null", "NULL"};
	size_t i;

	if (node->kind != CONFIG_SCALAR || !node->plain)
		return false;
	for (i = 0; i < sizeof(none) / sizeof(*none); i++)
		if (!strcmp(node->s, none[i]))
			return true;
	return false;
}

/* ---- syntax errors in words that help ---- */

/* libyaml's own words, in part or whole, and ours.  `context`: the place where the thing began helps more. */
static const struct {
	const char *theirs, *msg, *hint;
	bool context;
} explained[] = {
    {"could not find expected ':'", TEXT_LATER("a key without ':' behind it"),
	TEXT_LATER("write 'key: value', with a half-width colon and a space"), true},
    {"found unexpected end of stream", TEXT_LATER("a quotation mark or bracket is opened and never closed"),
	TEXT_LATER("close it"), true},
    {"mapping values are not allowed", TEXT_LATER("a ':' where no key can stand"),
	TEXT_LATER("check the indentation, and put a value that holds ': ' into quotes"), false},
    {"found character that cannot start any token", TEXT_LATER("a character that cannot stand here"),
	TEXT_LATER("indent with spaces, not tabs, and put into quotes a value that begins with @, ` or %"),
	false},
    {"tab character", TEXT_LATER("a tab where only spaces may stand"), TEXT_LATER("indent with spaces"),
	false},
    {"did not find expected key", TEXT_LATER("the indentation does not fit the lines above"),
	TEXT_LATER("indent the keys of one table by the same number of spaces"), false},
    {"did not find expected '-' indicator", TEXT_LATER("the indentation does not fit the list above"),
	TEXT_LATER("indent the entries of one list by the same number of spaces"), false},
    {"did not find expected ',' or", TEXT_LATER("a list or table in brackets is not closed"),
	TEXT_LATER("separate its parts with ', ' and close it"), false},
    {"block sequence entries are not allowed", TEXT_LATER("a '- ' where no list can stand"),
	TEXT_LATER("put the list on lines of its own"), false},
    {"found unknown escape character", TEXT_LATER("an unknown escape in double quotes"),
	TEXT_LATER("use single quotes around a backslash"), false},
};

static void line_at(const char *p, size_t n, unsigned line, const char **ret_line, size_t *ret_len)
{
	const char *end = p + n, *q;

	while (--line && (q = memchr(p, '\n', (size_t)(end - p))))
		p = q + 1;
	q = memchr(p, '\n', (size_t)(end - p));
	*ret_line = p;
	*ret_len = (size_t)((q ? q : end) - p);
}

/* Full-width signs from a Japanese keyboard look right and are not YAML. */
static const char *keyboard_hint(const char *p, size_t n, unsigned line)
{
	const char *s;
	size_t len, blank = 0;

	line_at(p, n, line, &s, &len);
	while (blank < len && (s[blank] == ' ' || s[blank] == '\t'))
		blank++;
	if (memchr(s, '\t', blank))
		return text("indent with spaces, not tabs");
	if (memmem(s + blank, len - blank, "\xe3\x80\x80", 3) == s + blank && len - blank >= 3)
		return text(
		    "indent with half-width spaces: a full-width one stands at the beginning of this line");
	if (memmem(s, len, "\xef\xbc\x9a", 3))
		return text("write ':' half-width: a full-width colon stands in this line");
	if (line == 1)
		return NULL;
	line_at(p, n, line - 1, &s, &len); /* its key swallowed the end of the line */
	if (memmem(s, len, "\xef\xbc\x9a", 3) && !memmem(s, len, ": ", 2))
		return text("write ':' half-width: a full-width colon stands in the line above");
	return NULL;
}

static int syntax_error(struct builder *b, const yaml_parser_t *y, const char *p, size_t n, struct err *err)
{
	const char *why = y->problem ? y->problem : "?", *msg = NULL, *hint = NULL, *typed;
	yaml_mark_t m = y->problem_mark;
	struct config_problem *item;
	size_t i;

	if (y->error == YAML_MEMORY_ERROR)
		return err_nomem(err);
	for (i = 0; i < sizeof(explained) / sizeof(*explained) && !msg; i++)
		if (strstr(why, explained[i].theirs)) {
			msg = text(explained[i].msg);
			hint = text(explained[i].hint);
			if (explained[i].context && y->context)
				m = y->context_mark;
		}
	item =
	    msg ? config_problem_error(b->problems, mark_of(b, m), "E-POLICY-03", "%s", msg)
		: config_problem_error(b->problems, mark_of(b, m), "E-POLICY-03", text("not YAML: %s"), why);
	typed = keyboard_hint(p, n, (unsigned)m.line + 1);
	if (typed || hint)
		config_problem_hint(item, "%s", typed ? typed : hint);
	return CONFIG_NODE_BAD;
}

/* ---- events into nodes ---- */

static void refuse_extras(
    struct builder *b, const yaml_event_t *e, const yaml_char_t *anchor, const yaml_char_t *tag)
{
	struct config_problem *item;

	if (anchor) {
		item = config_problem_error(b->problems, mark_of(b, e->start_mark), "E-POLICY-04",
		    text("an anchor ('&') stands here"));
		config_problem_hint(item, text("write the value out, or into quotes if it begins with '&'"));
	}
	if (tag) {
		item = config_problem_error(
		    b->problems, mark_of(b, e->start_mark), "E-POLICY-04", text("a tag ('!') stands here"));
		config_problem_hint(
		    item, text("leave it out, or put a value that begins with '!' into quotes"));
	}
}

static int too_many(struct builder *b, struct config_mark mark, const char *msg)
{
	config_problem_error(b->problems, mark, "E-POLICY-06", "%s", msg);
	return CONFIG_NODE_BAD;
}

/* Puts the node into the innermost open container, which owns it from then on, also when it is one too many.  The key read
 * before becomes the node's. */
static int attach_node(struct builder *b, struct config_node *node)
{
	struct config_node *parent = b->depth ? b->open[b->depth - 1] : NULL;

	if (!parent) {
		b->root = node;
		return 0;
	}
	node->key = b->key;
	node->key_mark = b->key_mark;
	node->refused |= b->key_twice;
	b->key = NULL;
	b->key_twice = false;
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	parent->n++;
	if (++b->total > CONFIG_NODES_MAX)
		return too_many(b, node->mark, text("more values than can be held"));
	if (parent->kind == CONFIG_LIST && parent->n > CONFIG_NODE_WIDTH)
		return too_many(b, node->mark, text("more than 4096 entries in one list"));
	if (parent->kind == CONFIG_TABLE && parent->n > CONFIG_NODE_KEYS)
		return too_many(b, node->key_mark, text("more than 64 keys in one table"));
	return 0;
}

static struct config_node *new_node(const struct builder *b, enum config_kind kind, const yaml_event_t *e)
{
	struct config_node *node = calloc(1, sizeof(*node));

	if (node) {
		node->kind = kind;
		node->mark = mark_of(b, e->start_mark);
	}
	return node;
}

static bool wants_key(const struct builder *b)
{
	return b->depth && b->open[b->depth - 1]->kind == CONFIG_TABLE && !b->key;
}

static int take_key(struct builder *b, const yaml_event_t *e, struct err *err)
{
	const struct config_node *child;
	char shown[CONFIG_SHOWN];

	b->key_mark = mark_of(b, e->start_mark);
	b->key = strdup(
	    (const char *)e->data.scalar.value); /* up to a NUL, if one is hidden there: unknown then */
	if (!b->key)
		return err_nomem(err);
	for (child = b->open[b->depth - 1]->first; child; child = child->next)
		if (!strcmp(child->key, b->key)) {
			struct config_problem *item = config_problem_error(b->problems, b->key_mark,
			    "E-POLICY-05", text("the key '%s' stands twice in one table"),
			    config_problem_show(b->key, strlen(b->key), shown));

			config_problem_hint(item, text("keep one of the two: the first stands in line %u"),
			    child->key_mark.line);
			b->key_twice = true;
			break;
		}
	return 0;
}

static int on_scalar(struct builder *b, const yaml_event_t *e, struct err *err)
{
	struct config_node *node;

	refuse_extras(b, e, e->data.scalar.anchor, e->data.scalar.tag);
	if (wants_key(b))
		return take_key(b, e, err);
	node = new_node(b, CONFIG_SCALAR, e);
	if (!node)
		return err_nomem(err);
	node->len = e->data.scalar.length;
	node->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	node->s = malloc(node->len + 1);
	if (!node->s) {
		config_node_free(node);
		return err_nomem(err);
	}
	memcpy(node->s, e->data.scalar.value, node->len);
	node->s[node->len] = '\0';
	if (strlen(node->s) != node->len) {
		config_problem_error(
		    b->problems, node->mark, "E-POLICY-10", text("a NUL character is hidden in this value"));
		node->refused = true;
		node->len = strlen(node->s);
	}
	return attach_node(b, node);
}

static int on_container(struct builder *b, const yaml_event_t *e, enum config_kind kind, struct err *err)
{
	struct config_node *node;
	struct config_problem *item;
	int r;

	if (kind == CONFIG_TABLE)
		refuse_extras(b, e, e->data.mapping_start.anchor, e->data.mapping_start.tag);
	else
		refuse_extras(b, e, e->data.sequence_start.anchor, e->data.sequence_start.tag);
	if (wants_key(b)) {
		item = config_problem_error(b->problems, mark_of(b, e->start_mark), "E-POLICY-03",
		    text("a list or table where a key belongs"));
		config_problem_hint(item, text("put text that begins with '{' or '[' into quotes"));
		return CONFIG_NODE_BAD;
	}
	if (b->depth == CONFIG_DEPTH_MAX)
		return too_many(
		    b, mark_of(b, e->start_mark), text("more than 16 levels of lists and tables"));
	node = new_node(b, kind, e);
	if (!node)
		return err_nomem(err);
	r = attach_node(b, node);
	b->open[b->depth++] = node;
	return r;
}

static int on_alias(struct builder *b, const yaml_event_t *e, struct err *err)
{
	struct config_problem *item = config_problem_error(
	    b->problems, mark_of(b, e->start_mark), "E-POLICY-04", text("an alias ('*') stands here"));
	struct config_node *node;

	config_problem_hint(item, text("write the value out, or into quotes if it begins with '*'"));
	if (wants_key(b))
		return CONFIG_NODE_BAD;
	node = new_node(b, CONFIG_SCALAR, e);
	if (!node || !(node->s = strdup(""))) {
		config_node_free(node);
		return err_nomem(err);
	}
	node->refused = true;
	return attach_node(b, node);
}

static int on_document(struct builder *b, const yaml_event_t *e)
{
	struct config_problem *item;

	if (++b->documents > 1) {
		item = config_problem_error(b->problems, mark_of(b, e->start_mark), "E-POLICY-04",
		    text("a second document begins here"));
		config_problem_hint(item, text("take out the line '---'"));
		return CONFIG_NODE_BAD;
	}
	if (e->data.document_start.tag_directives.start != e->data.document_start.tag_directives.end)
		config_problem_error(b->problems, mark_of(b, e->start_mark), "E-POLICY-04",
		    text("a %%TAG directive stands here"));
	return 0;
}

static int on_event(struct builder *b, const yaml_event_t *e, struct err *err)
{
	switch (e->type) {
	case YAML_DOCUMENT_START_EVENT:
		return on_document(b, e);
	case YAML_SCALAR_EVENT:
		return on_scalar(b, e, err);
	case YAML_ALIAS_EVENT:
		return on_alias(b, e, err);
	case YAML_SEQUENCE_START_EVENT:
		return on_container(b, e, CONFIG_LIST, err);
	case YAML_MAPPING_START_EVENT:
		return on_container(b, e, CONFIG_TABLE, err);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

int config_node_parse(const char *p, size_t n, unsigned lines_before, struct config_node **ret_root,
    struct config_problems *problems, struct err *err)
{
	struct builder b = {.problems = problems, .lines_before = lines_before};
	yaml_parser_t y;
	bool end = false;
	int r = 0;

	if (!yaml_parser_initialize(&y))
		return err_nomem(err);
	yaml_parser_set_encoding(&y, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&y, (const unsigned char *)p, n);
	while (!r && !end) {
		yaml_event_t e;

		if (!yaml_parser_parse(&y, &e)) {
			r = syntax_error(&b, &y, p, n, err);
			break;
		}
		r = on_event(&b, &e, err);
		end = e.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&e);
	}
	yaml_parser_delete(&y);
	free(b.key);
	if (r)
		config_node_free(b.root);
	else
		*ret_root = b.root;
	return r;
}
