/* What a person calls a generation, and the names of data sets.  What is taken says the same when it is written again. */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "format/medium/selector.h"

#define MUST(x)                                                                                              \
	do {                                                                                                 \
		if (!(x))                                                                                    \
			abort();                                                                             \
	} while (0)

static void name(const char *s)
{
	char dir[GENERATION_SET_DIR];
	size_t n = strlen(s);

	if (!generation_name_ok(s))
		return;
	MUST(n && n < GENERATION_NAME && s[0] >= 'a' && s[0] <= 'z' && strcmp(s, "latest") != 0);
	MUST(strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == n);
	MUST(strlen(generation_set_dir(s, dir)) == strlen("datasets/") + n);
}

static void written(const struct selector *s, char out[128])
{
	const char *at = *s->dataset ? "@" : "";

	switch (s->kind) {
	case SELECTOR_LATEST:
		snprintf(out, 128, "%s@latest", s->dataset);
		return;
	case SELECTOR_DATE:
		snprintf(out, 128, "%s@%04" PRIu64 "-%02" PRIu64 "-%02" PRIu64, s->dataset, s->number / 10000,
		    s->number / 100 % 100, s->number % 100);
		return;
	case SELECTOR_AGO:
		snprintf(out, 128, "%s@%" PRIu64 "d", s->dataset, s->number);
		return;
	case SELECTOR_NUMBER:
		break;
	}
	snprintf(out, 128, "%s%s%" PRIu64, s->dataset, at, s->number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	char *text = calloc(1, n + 1), again[128];
	struct selector s = {.dataset = "?"}, t;
	struct err err = ERR_INIT;

	if (!text)
		return 0;
	memcpy(text, data, n);
	name(text);
	if (selector_parse(text, &s, &err)) {
		MUST(err.code[0] && err.kind == ERR_USAGE && s.dataset[0] == '?');
	} else {
		MUST(!*s.dataset ? s.kind == SELECTOR_NUMBER : generation_name_ok(s.dataset));
		MUST(s.number || s.kind == SELECTOR_LATEST);
		written(&s, again);
		MUST(!selector_parse(again, &t, NULL));
		MUST(!strcmp(s.dataset, t.dataset) && s.kind == t.kind && s.number == t.number);
		(void)selector_fits(&s, s.number, INT64_MAX, INT32_MAX, 0);
		(void)selector_fits(&s, 1, INT64_MIN, INT32_MIN, INT64_MAX);
		(void)selector_fits(&s, 1, -1, 32400, 0);
	}
	free(text);
	return 0;
}
