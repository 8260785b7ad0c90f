/* procedure: templates and the values of variables (see procedure.h).
 *
 * procedure_next_part() is the only reader of the template's syntax; checking and filling both use it, so they cannot
 * disagree.  Filling is one pass: a value that holds "${…}" is not expanded again. */
#include "format/procedure/procedure_private.h"

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/width.h"
#include "format/config/config_value.h"

#define NAME_MAX_LEN 32
#define DIGITS_MAX   18 /* any such number fits into 64 bits */

static bool lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

bool procedure_is_name(const char *s, size_t n)
{
	size_t i;

	if (n < 1 || n > NAME_MAX_LEN || !lower(s[0]))
		return false;
	for (i = 1; i < n; i++)
		if (!lower(s[i]) && !digit(s[i]) && s[i] != '_')
			return false;
	return true;
}

bool procedure_is_of_engine(const char *s, size_t n)
{
	static const char *const names[] = {"scratch", "generation", "medium", "procedure"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strlen(names[i]) == n && !memcmp(names[i], s, n))
			return true;
	return false;
}

/* ---- templates ---- */

enum procedure_part procedure_next_part(const char **at, const char **ret_s, size_t *ret_n)
{
	const char *s = *at;
	size_t n;

	*ret_s = s;
	if (!*s)
		return PROCEDURE_PART_END;
	if (s[0] != '$' || (s[1] != '$' && s[1] != '{')) {
		*ret_n = 1 + strcspn(s + 1, "$");
		*at = s + *ret_n;
		return PROCEDURE_PART_TEXT;
	}
	if (s[1] == '$') {
		*ret_n = 1;
		*at = s + 2;
		return PROCEDURE_PART_TEXT;
	}
	n = strcspn(s + 2, "}");
	if (s[2 + n] != '}' || !procedure_is_name(s + 2, n)) {
		*ret_n = s[2 + n] == '}' ? n + 3 : n + 2;
		*at = s + *ret_n;
		return PROCEDURE_PART_OPEN;
	}
	*ret_s = s + 2;
	*ret_n = n;
	*at = s + n + 3;
	return PROCEDURE_PART_NAME;
}

static int fill_name(const char *s, size_t n, procedure_lookup_fn *lookup, void *arg, bool keep,
    struct buf *out, struct err *err)
{
	char name[NAME_MAX_LEN + 1];
	const char *value;

	memcpy(name, s, n);
	name[n] = '\0';
	value = lookup ? lookup(arg, name) : NULL;
	if (value)
		return buf_puts(out, value, err);
	if (keep)
		return buf_printf(out, err, "${%s}", name);
	err_set(err, "E-PROC-14", text("the variable '%s' has no value"), name);
	return err_hint(err, text("give it one: --set %s=VALUE"), name);
}

int procedure_fill(
    const char *template, procedure_lookup_fn *lookup, void *arg, bool keep, struct buf *out, struct err *err)
{
	const char *at = template, *s;
	size_t n, before = out->n;
	enum procedure_part part;
	int r = 0;

	while (!r && (part = procedure_next_part(&at, &s, &n)) != PROCEDURE_PART_END) {
		if (part == PROCEDURE_PART_NAME)
			r = fill_name(s, n, lookup, arg, keep, out, err);
		else if (part == PROCEDURE_PART_OPEN && !keep)
			r = err_set(err, "E-PROC-14", text("'${' is not closed, or holds no name"));
		else
			r = buf_append(out, s, n, err);
	}
	if (r)
		out->n = before;
	return r;
}

int procedure_expand(
    const char *template, procedure_lookup_fn *lookup, void *arg, struct buf *out, struct err *err)
{
	return procedure_fill(template, lookup, arg, false, out, err);
}

/* ---- values ---- */

static bool is_number(const char *s)
{
	size_t n;

	if (*s == '+' || *s == '-')
		s++;
	n = strspn(s, "0123456789");
	return n >= 1 && n <= DIGITS_MAX && !s[n];
}

static bool is_value_name(const char *s)
{
	size_t i;

	for (i = 0; s[i]; i++)
		if (!lower(s[i]) && !(s[i] >= 'A' && s[i] <= 'Z') && !digit(s[i]) && s[i] != '_' &&
		    !(i && (s[i] == '.' || s[i] == '-')))
			return false;
	return i >= 1 && i <= 64;
}

static bool is_path(const char *s)
{
	char copy[PROCEDURE_VALUE_MAX + 1];
	size_t n = strlen(s);

	memcpy(copy, s, n + 1); /* at most PROCEDURE_VALUE_MAX: the caller has looked */
	return config_value_path(copy) == CONFIG_PATH_GOOD && strlen(copy) == n;
}

const char *procedure_value_fault(enum procedure_type type, const char *value, const char **ret_code)
{
	size_t n = strlen(value);

	*ret_code = "E-PROC-10";
	if (n < 1 || n > PROCEDURE_VALUE_MAX || config_value_has_control(value, false) ||
	    width_has_deceptive(value))
		return text("from 1 to 1024 bytes of text in one line, in UTF-8");
	switch (type) {
	case PROCEDURE_NUMBER:
		*ret_code = "E-PROC-11";
		return is_number(value) ? NULL : text("a whole number of at most 18 half-width digits");
	case PROCEDURE_NAME:
		*ret_code = "E-PROC-12";
		return is_value_name(value)
			   ? NULL
			   : text("letters, digits and _ . - only, beginning with a letter, digit or _, at "
				  "most 64");
	case PROCEDURE_PATH:
		*ret_code = "E-PROC-16";
		return is_path(value) ? NULL : text("a path from the root, as 'realpath' prints it");
	default:
		return NULL;
	}
}

int procedure_value_check(const struct procedure_variable *v, const char *value, struct err *err)
{
	const char *code, *fault = procedure_value_fault(v->type, value, &code);
	char shown[256];

	if (!fault)
		return 0;
	err_set(err, "E-PROC-20", text("'%s' cannot be the value of '%s'"),
	    path_show(value, shown, sizeof(shown)), v->name);
	return err_hint(err, "%s", fault);
}
