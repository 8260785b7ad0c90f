/* config_field: see config_field.h.
 *
 * One function for each family of types; read_scalar() chooses.  A fault is reported with its place and what would be right,
 * and the member keeps its default: 0 is returned all the same.  -1 means that memory ran out.
 *
 * A new type: a word in enum config_type, its function here, its branch in read_scalar(), and how policy_diff.c writes it
 * (format_value(), is_plain(), amount_of()). */
#include "format/config/config_field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/day.h"
#include "base/err.h"
#include "base/show/suggest.h"
#include "base/text.h"
#include "format/config/config_node.h"
#include "format/config/config_problem.h"
#include "format/config/config_value.h"
#include "format/config/exclude.h"

#define TEXT_MAX    200 /* bytes of a name or title for people: what fits on a label */
#define COMMAND_MAX 4096
#define MINUTE_S    60

struct reading {
	const struct config_field *field;
	const struct config_node *node;
	struct config_problems *problems;
	struct err *err;
	char shown[CONFIG_SHOWN]; /* the value, as it may stand in a message */
};

static struct config_problem *report_wrong(struct reading *r, const char *code, const char *fmt)
    __attribute__((format(printf, 3, 0)));

/* fmt takes the value and then the key. */
static struct config_problem *report_wrong(struct reading *r, const char *code, const char *fmt)
{
	char msg[512];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(msg, sizeof(msg), fmt, r->shown, r->field->key);
#pragma GCC diagnostic pop
	return config_problem_error(r->problems, r->node->mark, code, "%s", msg);
}

void config_field_wrong_kind(
    const char *key, const struct config_node *node, const char *wanted, struct config_problems *problems)
{
	struct config_problem *item =
	    config_problem_error(problems, node->mark, "E-POLICY-07", text("'%s' must be %s"), key, wanted);

	if (node->kind == CONFIG_SCALAR && strstr(node->s, "："))
		config_problem_hint(
		    item, text("write ':' half-width: a full-width colon stands in this line"));
	else if (node->kind == CONFIG_LIST)
		config_problem_hint(item, text("take out the '- ' or the brackets"));
	else if (node->kind == CONFIG_TABLE)
		config_problem_hint(item, text("put text that holds ': ' or begins with '{' into quotes"));
	else
		config_problem_hint(item, text("see the example in the manual of bkp"));
}

void config_field_no_value(const char *key, const struct config_node *node, struct config_problems *problems)
{
	struct config_problem *item =
	    config_problem_error(problems, node->mark, "E-POLICY-10", text("'%s' has no value"), key);

	config_problem_hint(item, text("give it one, or take the line out"));
}

char *config_field_join(const char *const *words, size_t n, char *out, size_t size)
{
	size_t i, used = 0;

	out[0] = '\0';
	for (i = 0; i < n && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "", words[i]);
	return out;
}

/* ---- texts ---- */

static int keep_text(struct reading *r, char **at)
{
	*at = strdup(r->node->s);
	return *at ? 0 : err_nomem(r->err);
}

static void cut_line_ends(char *s)
{
	size_t n = strlen(s);

	while (n && (s[n - 1] == '\n' || s[n - 1] == ' '))
		s[--n] = '\0';
}

static int read_text(struct reading *r, char **at)
{
	bool lines = r->field->type != CONFIG_T_TEXT;
	size_t max = r->field->max ? r->field->max : lines ? COMMAND_MAX : TEXT_MAX;
	struct config_problem *item;

	if (!r->node->s[strspn(r->node->s, " \t\n")]) {
		config_field_no_value(r->field->key, r->node, r->problems);
		return 0;
	}
	if (r->node->len > max) {
		item = report_wrong(r, "E-POLICY-10", text("'%s' is too long for '%s'"));
		config_problem_hint(item, text("at most %zu bytes"), max);
		return 0;
	}
	if (config_value_has_control(r->node->s, lines)) {
		item = report_wrong(r, "E-POLICY-10", text("'%s' holds a control character"));
		config_problem_hint(item, text("write it as one line of text"));
		return 0;
	}
	if (keep_text(r, at))
		return -1;
	if (r->field->type == CONFIG_T_LINES)
		cut_line_ends(*at);
	return 0;
}

static int read_path(struct reading *r, char **at)
{
	struct config_problem *item;
	enum config_path fault;

	if (config_value_has_control(r->node->s, false)) {
		report_wrong(r, "E-POLICY-13", text("the path '%s' holds a control character"));
		return 0;
	}
	if (keep_text(r, at))
		return -1;
	fault = config_value_path(*at);
	if (!fault)
		return 0;
	free(*at);
	*at = NULL;
	if (fault == CONFIG_PATH_RELATIVE) {
		item = report_wrong(r, "E-POLICY-13", text("the path '%s' does not begin with '/'"));
		config_problem_hint(item,
		    text(
			"write it from the root, as in /srv/documents; '~' and variables mean nothing here"));
	} else if (fault == CONFIG_PATH_UNCLEAN) {
		item = report_wrong(r, "E-POLICY-13", text("the path '%s' holds '//', '.' or '..'"));
		config_problem_hint(item, text("write the folder's real path, as 'realpath' prints it"));
	} else {
		item = report_wrong(r, "E-POLICY-13", text("the path '%s' is too long"));
		config_problem_hint(item, text("at most %d bytes"), CONFIG_PATH_MAX);
	}
	return 0;
}

static int read_name(struct reading *r, char **at)
{
	enum config_type type = r->field->type;
	bool good = type == CONFIG_T_DATASET_NAME  ? config_value_is_dataset_name(r->node->s)
		    : type == CONFIG_T_MEDIUM_NAME ? config_value_is_medium_name(r->node->s)
						   : config_value_is_file_name(r->node->s);
	struct config_problem *item;

	if (good)
		return keep_text(r, at);
	if (type == CONFIG_T_FILE_NAME) {
		item = report_wrong(r, "E-POLICY-11", text("'%s' is not a plain file name"));
		config_problem_hint(item, text("one name without '/', at most 255 bytes, as in emr.dump"));
	} else if (type == CONFIG_T_MEDIUM_NAME) {
		item = report_wrong(r, "E-POLICY-11", text("'%s' cannot be the name of a medium"));
		config_problem_hint(item, text("letters, digits and . _ - only, beginning with a letter or "
					       "digit, at most 63, as in RDX-01"));
	} else {
		item = report_wrong(r, "E-POLICY-11", text("'%s' cannot be the name of a data set"));
		config_problem_hint(
		    item, text("small letters, digits and - only, beginning with a letter, at most "
			       "32, and neither 'latest' nor a device of Windows (con, nul, "
			       "com1 …); the name for people goes into 'title'"));
	}
	return 0;
}

static int read_pattern(struct reading *r, char **at)
{
	struct config_problem *item;
	const char *hint = NULL;

	switch (exclude_check(r->node->s)) {
	case EXCLUDE_GOOD:
		return keep_text(r, at);
	case EXCLUDE_EMPTY:
		hint = text("a name like *.tmp, or a path like /srv/documents/cache/");
		break;
	case EXCLUDE_LONG:
		hint = text("at most 1024 bytes");
		break;
	case EXCLUDE_COMPONENT:
		hint = text("leave out '//', '.' and '..'");
		break;
	case EXCLUDE_BRACKET:
		hint = text("close '[' with ']', or write '\\[' for the character itself");
		break;
	case EXCLUDE_BACKSLASH:
		hint = text("write '\\\\' for a backslash");
		break;
	}
	item = report_wrong(r, "E-POLICY-25", text("'%s' is not an exclusion"));
	config_problem_hint(item, "%s", hint);
	return 0;
}

/* ---- words ---- */

static size_t find_word(const char *const *words, const char *s, size_t *ret_n)
{
	size_t i, at = SIZE_MAX;

	for (i = 0; words[i]; i++)
		if (!strcmp(words[i], s))
			at = i;
	*ret_n = i;
	return at;
}

/* The word's index, or SIZE_MAX when it was reported. */
static size_t read_word(struct reading *r, const char *const *words)
{
	char known[400];
	size_t n, at = find_word(words, r->node->s, &n), none = !*words[0];
	struct config_problem *item;
	const char *near;

	if (at == SIZE_MAX && r->field->also)
		at = find_word(r->field->also, r->node->s, &n);
	if (at != SIZE_MAX && at >= none)
		return at;
	words += none; /* what stands for "not said" cannot be said */
	n -= none;
	near = suggest_word(r->node->s, words, n);
	item = report_wrong(r, "E-POLICY-19", text("'%s' is unknown for '%s'"));
	if (near)
		config_problem_hint(item, text("did you mean '%s'?"), near);
	else
		config_problem_hint(
		    item, text("one of: %s"), config_field_join(words, n, known, sizeof(known)));
	return SIZE_MAX;
}

static void read_bool(struct reading *r, bool *at)
{
	static const char *const words[] = {"false", "true", NULL};
	size_t i = read_word(r, words);

	if (i != SIZE_MAX)
		*at = r->field->type == CONFIG_T_BOOL ? i == 1 : i == 0;
}

static void read_roles(struct reading *r, unsigned *at)
{
	const struct config_node *list = r->node, *child;

	if (list->kind != CONFIG_LIST) {
		config_field_wrong_kind(r->field->key, list, text("a list"), r->problems);
		return;
	}
	if (!list->n)
		config_field_no_value(r->field->key, list, r->problems);
	for (child = list->first; child; child = child->next) {
		size_t i;

		r->node = child;
		if (child->refused)
			continue;
		if (child->kind != CONFIG_SCALAR) {
			config_field_wrong_kind(r->field->key, child, text("a list of words"), r->problems);
			continue;
		}
		config_problem_show(child->s, child->len, r->shown);
		i = read_word(r, r->field->words);
		if (i != SIZE_MAX)
			*at |= 1u << i;
	}
}

/* ---- quantities ---- */

/* What a Japanese keyboard types when nobody looks: ０ to ９. */
static bool has_wide_digit(const char *s)
{
	for (; (s = strstr(s, "\xef\xbc")); s += 2)
		if ((unsigned char)s[2] >= 0x90 && (unsigned char)s[2] <= 0x99)
			return true;
	return false;
}

static void read_size(struct reading *r, uint64_t *at)
{
	uint64_t v = 0;
	enum config_value fault = config_value_size(r->node->s, &v);
	struct config_problem *item;

	if (!fault && v >= r->field->min && v <= r->field->max) {
		*at = v;
	} else if (!fault || fault == CONFIG_VALUE_BIG) {
		item = report_wrong(r, "E-POLICY-16", text("'%s' is out of range for '%s'"));
		config_problem_hint(item, "%s", text(r->field->range));
	} else {
		item = report_wrong(r, "E-POLICY-16", text("'%s' is not a size"));
		config_problem_hint(item, text("a whole number with B, kB, MB, GB, TB (powers of 1000) or "
					       "KiB, MiB, GiB, TiB (powers of 1024), as in "
					       "128 MiB"));
	}
}

static void read_count(struct reading *r, unsigned *at)
{
	bool percent = r->field->type == CONFIG_T_PERCENT;
	const char *code = percent ? "E-POLICY-16" : "E-POLICY-15";
	uint64_t v = 0;
	enum config_value fault =
	    percent ? config_value_percent(r->node->s, &v) : config_value_number(r->node->s, &v);
	unsigned long long min = r->field->min, max = r->field->max;
	struct config_problem *item;

	if (!fault && v >= min && v <= max) {
		*at = (unsigned)v;
		return;
	}
	if (!fault || fault == CONFIG_VALUE_BIG)
		item = report_wrong(r, code, text("'%s' is out of range for '%s'"));
	else if (percent)
		item = report_wrong(r, code, text("'%s' is not a percentage"));
	else
		item = report_wrong(r, code, text("'%s' is not a whole number"));
	if (has_wide_digit(r->node->s))
		config_problem_hint(item, text("write the digits half-width: 0123456789"));
	else if (percent)
		config_problem_hint(
		    item, text("from %llu %% to %llu %%, with the sign, as in 40 %%"), min, max);
	else
		config_problem_hint(item, text("from %llu to %llu"), min, max);
}

static void read_duration(struct reading *r, int64_t *at)
{
	int64_t v = 0;
	enum config_value fault = config_value_duration(r->node->s, &v);
	struct config_problem *item;

	if (!fault && v >= MINUTE_S) {
		*at = v;
		return;
	}
	if (!fault || fault == CONFIG_VALUE_BIG) {
		item = report_wrong(r, "E-POLICY-17", text("'%s' is out of range for '%s'"));
		config_problem_hint(item, text("from one minute to 100 years"));
		return;
	}
	item = report_wrong(r, "E-POLICY-17", text("'%s' is not a duration"));
	if (has_wide_digit(r->node->s)) {
		config_problem_hint(item, text("write the digits half-width: 0123456789"));
		return;
	}
	config_problem_hint(
	    item, text("a whole number with m, h, d or w (minutes, hours, days, weeks), as in 24h"));
}

static void read_every(struct reading *r, struct config_every *at)
{
	struct config_problem *item;

	if (config_value_every(r->node->s, at) == CONFIG_VALUE_GOOD)
		return;
	item = report_wrong(r, "E-POLICY-17", text("'%s' is not an interval"));
	config_problem_hint(
	    item, text("hour, day, week, month, or a number of hours or days up to a year, as in 6h or 2d"));
}

static void read_time(struct reading *r, int *at)
{
	struct config_problem *item;

	if (config_value_time(r->node->s, at)) {
		item = report_wrong(r, "E-POLICY-18", text("'%s' is not a time of day"));
		config_problem_hint(
		    item, text("hours and minutes with two digits each, in quotes, as in \"02:00\""));
	} else if (r->node->plain) {
		item = config_problem_warn(r->problems, r->node->mark, "E-POLICY-32",
		    text("the time %s stands without quotes"), r->shown);
		config_problem_hint(
		    item, text("write \"%s\": other programs read it as a number (sexagesimal)"), r->shown);
	}
}

static void read_day(struct reading *r, int32_t *at)
{
	int32_t day = 0;
	struct config_problem *item;

	if (strlen(r->node->s) == 10 && !day_parse(r->node->s, 10, &day) && day > 0) {
		*at = day;
		return;
	}
	item = report_wrong(r, "E-POLICY-49", text("'%s' is not a date"));
	if (has_wide_digit(r->node->s))
		config_problem_hint(item, text("write the digits half-width: 0123456789"));
	else
		config_problem_hint(item, text("year, month and day, as in 2026-11-24"));
}

/* ---- dispatch ---- */

static int read_scalar(struct reading *r, void *at)
{
	static const char *const languages[] = {"en", "ja", NULL}; /* in the order of enum text_lang */
	size_t i;

	switch (r->field->type) {
	case CONFIG_T_TEXT:
	case CONFIG_T_COMMAND:
	case CONFIG_T_LINES:
		return read_text(r, at);
	case CONFIG_T_PATH:
		return read_path(r, at);
	case CONFIG_T_DATASET_NAME:
	case CONFIG_T_MEDIUM_NAME:
	case CONFIG_T_FILE_NAME:
		return read_name(r, at);
	case CONFIG_T_PATTERN:
		return read_pattern(r, at);
	case CONFIG_T_WORD:
		return read_word(r, r->field->words) == SIZE_MAX ? 0 : keep_text(r, at);
	case CONFIG_T_ENUM:
		i = read_word(r, r->field->words);
		if (i != SIZE_MAX)
			*(unsigned *)at = (unsigned)i;
		return 0;
	case CONFIG_T_LANG:
		i = read_word(r, languages);
		if (i != SIZE_MAX)
			*(enum text_lang *)at = (enum text_lang)i;
		return 0;
	case CONFIG_T_BOOL:
	case CONFIG_T_BOOL_NOT:
		return read_bool(r, at), 0;
	case CONFIG_T_SIZE:
		return read_size(r, at), 0;
	case CONFIG_T_PERCENT:
	case CONFIG_T_NUMBER:
		return read_count(r, at), 0;
	case CONFIG_T_DURATION:
		return read_duration(r, at), 0;
	case CONFIG_T_EVERY:
		return read_every(r, at), 0;
	case CONFIG_T_TIME:
		return read_time(r, at), 0;
	case CONFIG_T_DAY:
		return read_day(r, at), 0;
	default:
		return 0;
	}
}

int config_field_read(const struct config_field *field, const struct config_node *node, void *at,
    struct config_problems *problems, struct err *err)
{
	struct reading r = {field, node, problems, err, ""};

	if (node->refused)
		return 0;
	if (config_node_is_empty(node)) {
		config_field_no_value(field->key, node, problems);
		return 0;
	}
	if (field->type == CONFIG_T_ROLES) {
		read_roles(&r, at);
		return 0;
	}
	if (node->kind != CONFIG_SCALAR) {
		config_field_wrong_kind(field->key, node, text("a single value"), problems);
		return 0;
	}
	config_problem_show(node->s, node->len, r.shown);
	return read_scalar(&r, at);
}
