/* captured: what a function writes to standard output, and does it fit a terminal?
 *
 * captured_begin() → the function → captured_end(): the text, valid until the next one.
 */
#ifndef BKP_TESTS_CAPTURED_H
#define BKP_TESTS_CAPTURED_H

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "base/width.h"

#define CAPTURED_MAX ((size_t)1 << 20)

struct captured {
	FILE *to;
	int was;
	char text[CAPTURED_MAX];
};

static __attribute__((unused)) void captured_begin(struct captured *c)
{
	c->to = tmpfile();
	assert_non_null(c->to);
	fflush(stdout);
	c->was = dup(1);
	assert_int_equal(dup2(fileno(c->to), 1), 1);
}

static __attribute__((unused)) const char *captured_end(struct captured *c)
{
	size_t n;

	fflush(stdout);
	assert_int_equal(dup2(c->was, 1), 1);
	close(c->was);
	rewind(c->to);
	n = fread(c->text, 1, CAPTURED_MAX - 1, c->to);
	fclose(c->to);
	c->text[n] = '\0';
	return c->text;
}

/* Every line within 80 columns, without blanks at its end; how many there are. */
static __attribute__((unused)) unsigned captured_lines(const char *text)
{
	unsigned lines = 0;
	char line[1024];

	for (const char *p = text, *end; *p; p = end + 1, lines++) {
		end = strchr(p, '\n');
		assert_non_null(end);
		assert_true((size_t)(end - p) < sizeof(line));
		memcpy(line, p, (size_t)(end - p));
		line[end - p] = '\0';
		if (width_text(line) > 80 || (end > p && end[-1] == ' '))
			fail_msg("not a line of a screen (%zu columns): '%s'", width_text(line), line);
	}
	return lines;
}

#endif
