/* variables: see variables.h. */
#include "restore/drill/variables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/path.h"
#include "base/show/suggest.h"
#include "base/text.h"
#include "restore/extract/scratch.h"

#define EXPANDED_MAX ((size_t)1 << 20)

static const char *const engine[] = {"scratch", "generation", "medium", "procedure"};
#define ENGINE (sizeof(engine) / sizeof(*engine))

struct variables {
	const struct procedure *procedure;
	const char *file;
	char **set; /* as given, by the procedure's index; NULL: the default counts */
	char *of_engine[ENGINE];
};

static int not_declared(const struct variables *v, const char *setting, size_t name_n, struct err *err)
{
	const char *known[PROCEDURE_VARIABLES_MAX], *near;
	char name[64], shown[200];
	size_t i;

	for (i = 0; i < v->procedure->n_variables && i < PROCEDURE_VARIABLES_MAX; i++)
		known[i] = v->procedure->variables[i].name;
	snprintf(name, sizeof(name), "%.*s", (int)(name_n < 63 ? name_n : 63), setting);
	err_set(err, "E-DRILL-02", text("%s: there is no variable '%s' in the procedure"), v->file,
	    path_show(name, shown, sizeof(shown)));
	near = suggest_word(name, known, i);
	return near ? err_hint(err, text("did you mean '%s' (line %u)?"), near,
			  procedure_find_variable(v->procedure, near)->mark.line)
		    : err_hint(err, "%s", text("'bkp-restore procedure check FILE' lists its variables"));
}

static int set_one(struct variables *v, const char *setting, struct err *err)
{
	const char *equals = strchr(setting, '=');
	const struct procedure_variable *var;
	char shown[200];
	size_t i, n;

	if (!equals || equals == setting) {
		err_set(err, "E-DRILL-02", text("'%s' is not of the form NAME=VALUE"),
		    path_show(setting, shown, sizeof(shown)));
		return err_hint(err, "%s", text("as in --set database=emr_test"));
	}
	n = (size_t)(equals - setting);
	for (i = 0; i < v->procedure->n_variables; i++) {
		var = &v->procedure->variables[i];
		if (strlen(var->name) != n || strncmp(var->name, setting, n) != 0)
			continue;
		if (v->set[i])
			return err_set(err, "E-DRILL-02", text("%s:%u: variable '%s' is set twice"), v->file,
			    var->mark.line, var->name);
		if (procedure_value_check(var, equals + 1, err))
			return err_wrap(err, "%s:%u", v->file, var->mark.line);
		v->set[i] = strdup(equals + 1);
		return v->set[i] ? 0 : err_nomem(err);
	}
	return not_declared(v, setting, n, err);
}

static int check_complete(const struct variables *v, struct err *err)
{
	size_t i;

	for (i = 0; i < v->procedure->n_variables; i++) {
		const struct procedure_variable *var = &v->procedure->variables[i];

		if (v->set[i])
			continue;
		if (!var->value) {
			err_set(err, "E-DRILL-03", text("%s:%u: variable '%s' has no value"), v->file,
			    var->mark.line, var->name);
			return err_hint(err, text("give it one: --set %s=VALUE"), var->name);
		}
		if (procedure_value_check(var, var->value, err))
			return err_wrap(err, "%s:%u", v->file, var->mark.line);
	}
	return 0;
}

int variables_new(const struct procedure *p, const char *file, const char *const *settings, size_t n,
    struct variables **ret, struct err *err)
{
	struct variables *v = calloc(1, sizeof(*v));
	size_t i;

	if (!v)
		return err_nomem(err);
	v->procedure = p;
	v->file = file;
	v->set = calloc(p->n_variables + 1, sizeof(*v->set));
	if (!v->set) {
		free(v);
		return err_nomem(err);
	}
	for (i = 0; i < n; i++)
		if (set_one(v, settings[i], err))
			break;
	if (i < n || check_complete(v, err)) {
		variables_free(v);
		return -1;
	}
	*ret = v;
	return 0;
}

void variables_free(struct variables *v)
{
	size_t i;

	if (!v)
		return;
	for (i = 0; i < v->procedure->n_variables; i++)
		free(v->set[i]);
	for (i = 0; i < ENGINE; i++)
		free(v->of_engine[i]);
	free(v->set);
	free(v);
}

int variables_engine(struct variables *v, const char *name, const char *value, struct err *err)
{
	char *copy = strdup(value);
	size_t i;

	if (!copy)
		return err_nomem(err);
	for (i = 0; i < ENGINE; i++)
		if (!strcmp(engine[i], name)) {
			free(v->of_engine[i]);
			v->of_engine[i] = copy;
			return 0;
		}
	free(copy);
	return err_set(err, "E-BKP-00", "%s", name);
}

int variables_replace(struct variables *v, const char *name, const char *value, struct err *err)
{
	for (size_t i = 0; i < v->procedure->n_variables; i++)
		if (!strcmp(v->procedure->variables[i].name, name)) {
			free(v->set[i]);
			v->set[i] = strdup(value);
			return v->set[i] ? 0 : err_nomem(err);
		}
	return err_set(err, "E-BKP-00", "%s", name);
}

bool variables_each(const struct variables *v, size_t i, const char **ret_name, const char **ret_value)
{
	if (i >= v->procedure->n_variables)
		return false;
	*ret_name = v->procedure->variables[i].name;
	*ret_value = v->set[i] ? v->set[i] : v->procedure->variables[i].value;
	return true;
}

const char *variables_lookup(void *arg, const char *name)
{
	const struct variables *v = arg;
	const char *is, *value;
	size_t i;

	for (i = 0; i < ENGINE; i++)
		if (!strcmp(engine[i], name))
			return v->of_engine[i];
	for (i = 0; variables_each(v, i, &is, &value); i++)
		if (!strcmp(is, name))
			return value;
	return NULL;
}

char *variables_expand(struct variables *v, const char *text, struct err *err)
{
	struct buf out = BUF_INIT(EXPANDED_MAX);

	if (procedure_expand(text, variables_lookup, v, &out, err) || buf_terminate(&out, err)) {
		buf_free(&out);
		return NULL;
	}
	return (char *)out.p;
}

static int add_variable(char **list, size_t *n, const char *name, const char *value, const char *below)
{
	if (asprintf(&list[*n], "%s=%s%s%s", name, value, below ? "/" : "", below ? below : "") < 0) {
		list[*n] = NULL;
		return -1;
	}
	(*n)++;
	return 0;
}

char **variables_environment(
    const struct variables *v, const char *scratch, const char *marker, struct err *err)
{
	const char *zone = getenv("TZ"), *name, *value;
	char **list = calloc(v->procedure->n_variables + ENGINE + 8, sizeof(*list));
	size_t n = 0, i;
	int r;

	if (!list)
		goto fail;
	r = add_variable(
		list, &n, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", NULL) ||
	    add_variable(list, &n, "HOME", scratch, NULL) ||
	    add_variable(list, &n, "TMPDIR", scratch, SCRATCH_TMP) ||
	    add_variable(list, &n, "LANG", "C.UTF-8", NULL) ||
	    (zone && add_variable(list, &n, "TZ", zone, NULL)) ||
	    (marker && add_variable(list, &n, VARIABLES_MARKER, marker, NULL));
	for (i = 0; !r && i < ENGINE; i++)
		r = v->of_engine[i] && add_variable(list, &n, engine[i], v->of_engine[i], NULL);
	for (i = 0; !r && variables_each(v, i, &name, &value); i++)
		r = add_variable(list, &n, name, value, NULL);
	if (!r)
		return list;
fail:
	variables_environment_free(list);
	err_nomem(err);
	return NULL;
}

void variables_environment_free(char **environment)
{
	char **e;

	for (e = environment; e && *e; e++)
		free(*e);
	free(environment);
}
