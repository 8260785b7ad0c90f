/* faults: rows of a text with one fault in it, and what a person must be told of it; for tests of parsers of files
 * that people write. */
#ifndef BKP_TESTS_FAULTS_H
#define BKP_TESTS_FAULTS_H

#include <stdio.h>
#include <string.h>

#include "unit.h"
#include "base/err.h"
#include "format/config/config_problem.h"

struct bad {
	const char *text;
	unsigned line, column;
	const char *code, *msg, *hint;
	unsigned errors; /* 0: one */
};

/* Parses the text as a file of that name.  0, -1; makes nothing when it is -1, and lets go what it made. */
typedef int faults_parse_fn(
    const char *name, const char *text, struct config_problems *problems, struct err *err);

static bool is_it(const struct config_problem *p, const char *area, const struct bad *b)
{
	return p->mark.line == b->line && p->mark.column == b->column &&
	       !strncmp(p->code, area, strlen(area)) && !strcmp(p->code + strlen(area), b->code) &&
	       strstr(p->msg, b->msg) && strstr(p->hint, b->hint);
}

static void complain(const char *area, const struct bad *b, const struct config_problems *problems)
{
	print_message("--- expected %u:%u %s%s '%s' → '%s', errors %u\n%s\n", b->line, b->column, area,
	    b->code, b->msg, b->hint, b->errors ? b->errors : 1, b->text);
	for (size_t i = 0; i < problems->n; i++)
		print_message("    got %u:%u %s %s → %s\n", problems->item[i].mark.line,
		    problems->item[i].mark.column, problems->item[i].code, problems->item[i].msg,
		    problems->item[i].hint);
}

/* area: "E-POLICY-". */
static void faults_are_refused(
    const char *name, const char *area, const struct bad *table, size_t n, faults_parse_fn *parse)
{
	static struct config_problems problems;
	size_t wrong = 0;

	for (size_t i = 0; i < n; i++) {
		const struct config_problem *first = &problems.item[0];
		struct err err = ERR_INIT;
		char place[64];
		bool found = false;
		int r = parse(name, table[i].text, &problems, &err);

		for (size_t k = 0; r == -1 && k < problems.n; k++)
			found |= is_it(&problems.item[k], area, &table[i]);
		if (!found || problems.n_errors != (table[i].errors ? table[i].errors : 1)) {
			complain(area, &table[i], &problems);
			wrong++;
		} else if (first->severity == CONFIG_ERROR) {
			snprintf(
			    place, sizeof(place), "%s:%u:%u: ", name, first->mark.line, first->mark.column);
			assert_memory_equal(err.msg, place, strlen(place));
			assert_string_equal(err.code, first->code);
		}
	}
	print_message("%zu faults, %zu not refused as they should be\n", n, wrong);
	assert_int_equal(wrong, 0);
}

#endif
