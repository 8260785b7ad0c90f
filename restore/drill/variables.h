/* variables: what stands for a name in a procedure, as text and as environment.
 *
 * variables_new (defaults, then NAME=VALUE settings over them; complete and checked) → variables_engine for
 * scratch, generation, medium and procedure as they become known → variables_lookup / variables_environment →
 * variables_free.  A value is only ever a value: it replaces ${name} in what people read, and is an
 * environment variable for a command; no shell ever parses it.
 *
 * Errors, each with "file:line:" of the variable where there is one: E-DRILL-02 a setting that is not
 * NAME=VALUE, or of a name that is not declared, or given twice; E-DRILL-03 a variable has no value;
 * E-PROC-20 not a value of its type.
 */
#ifndef RESTORE_DRILL_VARIABLES_H
#define RESTORE_DRILL_VARIABLES_H

#include <stdbool.h>
#include <stddef.h>

#include "format/procedure/procedure.h"

#define VARIABLES_MARKER "BKP_RECOVERY_STEP"

struct err;
struct variables;

int variables_new(const struct procedure *p, const char *file, const char *const *settings, size_t n,
    struct variables **ret, struct err *err) __attribute__((warn_unused_result));
void variables_free(struct variables *v);

/* One of the engine's names. */
int variables_engine(struct variables *v, const char *name, const char *value, struct err *err)
    __attribute__((warn_unused_result));

/* Another value for one that is declared. */
int variables_replace(struct variables *v, const char *name, const char *value, struct err *err)
    __attribute__((warn_unused_result));

/* A procedure_lookup_fn; arg is the struct variables. */
const char *variables_lookup(void *arg, const char *name);
/* The text with its ${name} replaced, NUL-terminated; the caller frees it.  NULL: err says why. */
char *variables_expand(struct variables *v, const char *text, struct err *err);

/* A command's whole environment, built from nothing: PATH, HOME and TMPDIR (below `scratch`), LANG, TZ if it
 * is set here, the variables, and `marker` (or NULL) as VARIABLES_MARKER: whose the command is.  NULL-terminated; freed by variables_environment_free(). */
char **variables_environment(
    const struct variables *v, const char *scratch, const char *marker, struct err *err);
void variables_environment_free(char **environment);

/* Those the procedure declares, in its order; *ret_value belongs to v.  False: no more. */
bool variables_each(const struct variables *v, size_t i, const char **ret_name, const char **ret_value);

#endif
