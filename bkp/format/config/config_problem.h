/* config_problem: what is wrong with a file that people write (a policy, a procedure, answers of a drill),
 * each with its place; all of it is found in one reading, so that a person need not mend and try again fault
 * by fault.
 *
 * The readers of such files fill the list; config_problems_format() is what a person sees. */
#ifndef BKP_FORMAT_CONFIG_CONFIG_PROBLEM_H
#define BKP_FORMAT_CONFIG_CONFIG_PROBLEM_H

#include <stddef.h>

struct buf;
struct err;

#define CONFIG_PROBLEMS_MAX 50

struct config_mark {
	unsigned line, column; /* from 1 */
};

enum config_severity { CONFIG_ERROR, CONFIG_WARNING };

struct config_problem {
	struct config_mark mark;
	enum config_severity severity;
	char code[16];
	char msg[512];	/* what is wrong; safe on a terminal, whole UTF-8 characters, no newline */
	char hint[512]; /* what would be right, or "" */
};

/* In the order of the file.  Fixed size (about 52 KiB), needs no freeing. */
struct config_problems {
	size_t n;		     /* items kept */
	size_t n_errors, n_warnings; /* found, also those beyond what is kept */
	struct config_problem item[CONFIG_PROBLEMS_MAX];
};

/* Both return the new item, to be given to config_problem_hint(), or NULL when the list is full (the count
 * goes on; an error then takes the place of a warning, if one stands there). */
struct config_problem *config_problem_error(struct config_problems *list, struct config_mark mark,
    const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
struct config_problem *config_problem_warn(struct config_problems *list, struct config_mark mark,
    const char *code, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* What would be right; nothing when item is NULL. */
void config_problem_hint(struct config_problem *item, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Into the order of the file; those of one place stay in the order they were found. */
void config_problem_sort(struct config_problems *list);

/* s (n bytes, may hold anything) as it may stand in a message: safe on a terminal, cut with "…" when long. */
#define CONFIG_SHOWN 256
const char *config_problem_show(const char *s, size_t n, char out[CONFIG_SHOWN]);

/* The first error, of which there is one, as err; behind its message: "", or how many more there are. */
int config_problems_first(
    const struct config_problems *problems, const char *file, const char *behind, struct err *err);
/* Appends "file:line:column: error: message (E-POLICY-NN)\n  → hint\n" for each problem, and a last line when
 * more were found than are kept. */
int config_problems_format(
    const struct config_problems *problems, const char *file, struct buf *out, struct err *err);

#endif
